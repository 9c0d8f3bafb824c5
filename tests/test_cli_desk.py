# SPDX-License-Identifier: Apache-2.0
"""What a post types, against a node: each command as a process, what it prints, what it refuses."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from keepclear.cli import main, serving_parts
from keepclear.detect import compiled, warm
from tests.desk_plays import CIRCLE, CORRIDOR, Desks

pytestmark = pytest.mark.slow


def test_a_conflict_from_filing_to_its_settlement(desks: Desks) -> None:
    ours = desks.filed("north", *CORRIDOR)
    said = desks.run("south", "operation", "file", *CIRCLE)
    assert "filed, not accepted yet" in said
    found = re.search(r"PRIORITY: CONFLICT (\w{8}) of your (\w{8}) with (\w{8}) of north", said)
    assert found is not None
    conflict, theirs = found[1], found[2]
    assert found[3] == ours

    shown = desks.run("north", "conflicts")
    times = re.findall(r"when +(.+)", shown)
    assert len(times) == 1  # of its own; of the other no clause shows any
    assert f"yours       {ours}" in shown
    assert "heights  FL200 (20,000 ft, 6,096 m) to FL260 (26,000 ft, 7,925 m)" in shown
    assert f"CONFLICT {conflict} of your {ours} with {theirs} of south: raised" in shown
    assert "must act    SOUTH, filed later" in shown
    desks.run("north", "conflicts", conflict, "--html", "conflict.html")
    page = (desks.folder / "conflict.html").read_text(encoding="utf-8")
    assert f"your {ours} and {theirs} of south" in page
    assert "--html: is of one conflict" in desks.run(
        "north", "conflicts", "--html", "conflict.html", status=2
    )
    assert "holds keys and is not written over" in desks.run(
        "north", "conflicts", conflict, "--html", "east/region.keys.json", status=2
    )
    assert "seen by     north" in desks.run("north", "ack", conflict)
    assert "north says  CONCERNED: our tanker" in desks.run(
        "north", "answer", conflict, "concerned", "--why", "our tanker"
    )
    assert "nothing is agreed between them: be CONCERNED" in desks.run(
        "north", "answer", conflict, "objects", "--clause", "2.1", status=2
    )
    assert "proposed    by south: " + theirs + " goes 180 min later" in desks.run(
        "south", "propose", conflict, "--later", "3 h"
    )
    otherwise = (
        conflict, "--theirs", "--higher", "-2000 ft", "--aside", "40 NM", "--towards", "090",
    )  # fmt: skip
    assert "has no proposal of the other side" in desks.run(
        "south", "counter", *otherwise, status=2
    )
    assert "has changed since it was shown" in desks.run("north", "counter", *otherwise, status=2)
    desks.run("north", "conflicts", conflict)
    said = desks.run("north", "counter", *otherwise)
    assert f"{theirs} goes 2,000 ft lower and 40 NM towards 090" in said
    assert "countered" in said
    assert "is north's own; the other side accepts it" in desks.run(
        "north", "accept", conflict, status=2
    )
    said = desks.run("south", "accept", conflict, status=2)
    assert f"proposed: by north: {theirs} goes 2,000 ft lower and 40 NM towards 090" in said
    assert f"and was by south: {theirs} goes 180 min later" in said
    assert f"look at it: keepclear conflicts {conflict}" in said
    desks.run("south", "conflicts", conflict)
    said = desks.run("south", "accept", conflict)
    assert f"operation {theirs}, version 2: accepted" in said
    assert "resolved" in said
    assert desks.run("north", "conflicts").startswith("no conflicts are known")
    assert "closed by   operation" in desks.run("north", "conflicts", conflict)
    assert desks.run("north", "conflicts", "--all").count("CONFLICT") == 1
    for who, own in (("north", ours), ("south", theirs)):
        desks.run(who, "operation", "cancel", own, "--why", "done")


def test_an_operation_from_filing_to_its_end(desks: Desks) -> None:
    own = desks.filed("north", *CIRCLE, "--class", "tanker", "--callsign", "OAK 1", "--count", "2")
    listed = desks.run("north", "operation", "list")
    assert f"operation {own}, version 1: accepted" in listed
    assert "2 craft, class tanker, OAK 1" in listed
    assert "version 2" in desks.run("north", "operation", "update", own, *CORRIDOR)
    assert f"operation {own} is activated" in desks.run("north", "operation", "activate", own[:4])
    desks.run("north", "operation", "airborne", own)
    said = desks.run("north", "operation", "contingent", own, "--circle", "34.9,35.9",
                     "--radius", "15 NM", "--lasts", "40 min")  # fmt: skip
    assert "contingent" in said
    assert "circle, 15 NM (27.78 km) round 34.9000N 035.9000E" in said
    assert "is contingent, so it cannot cancel" in desks.run(
        "north", "operation", "cancel", own, status=2
    )
    assert f"operation {own} is ended" in desks.run("north", "operation", "end", own)
    assert own not in desks.run("north", "operation", "list")


def test_an_operation_says_what_it_may_be_off_by_and_what_moves(desks: Desks) -> None:
    off = ("--lateral", "1 NM", "--vertical", "200 ft", "--early", "5 min", "--late", "10 min")

    said = desks.run("north", "operation", "file", *CIRCLE, "--craft", "unmanned", *off)

    assert "1 craft, unmanned" in said
    assert "1 NM (1.852 km) sideways, 200 ft (61 m) up or down, 300 s early and 600 s late" in said
    [own] = re.findall(r"operation (\w{8}), version 1", said)
    desks.run("north", "operation", "cancel", own)
    assert "above 15 min" in desks.run(
        "north", "operation", "file", *CIRCLE, "--late", "16 min", status=2
    )
    assert "--start: give when it begins" in desks.run(
        "north", "operation", "file", "--circle", "35,35", "--radius", "1 NM", "--lasts", "1 h",
        status=2,
    )  # fmt: skip
    assert "is a launch with a path" in desks.run(
        "north", "operation", "file", *CORRIDOR, "--craft", "one_shot", status=2
    )


def test_what_conflicts_is_activated_with_the_versions_that_were_shown(desks: Desks) -> None:
    ours, theirs = desks.filed("north", *CORRIDOR), desks.filed("south", *CIRCLE)

    assert "was not shown here yet; look at it: keepclear conflicts" in desks.run(
        "north", "operation", "activate", ours, status=2
    )
    assert "was not shown here yet; look at it: keepclear conflicts" in desks.run(
        "north", "ack", status=2
    )
    desks.run("north", "conflicts")
    assert "URGENT" not in desks.run("north", "operation", "activate", ours)
    assert "has changed since it was shown (you see, state: activated, and was filed)" in desks.run(
        "south", "operation", "activate", theirs, status=2
    )
    desks.run("south", "conflicts")
    assert "URGENT: CONFLICT" in desks.run("south", "operation", "activate", theirs)
    for who in ("north", "south"):
        [conflict] = re.findall(r"CONFLICT (\w{8})", desks.run(who, "conflicts"))
        desks.run(who, "agree-as-is", conflict)
    assert "agreed as is" in desks.run("north", "conflicts")
    for who, own in (("north", ours), ("south", theirs)):
        desks.run(who, "operation", "end", own)


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("operation", "file", *CIRCLE[:-2]), "--end, --lasts: give one of the two"),
        (("operation", "file", *CIRCLE[2:]), "--circle, --polygon, --route, --orbit: give one"),
        (("operation", "file", *CIRCLE, *CORRIDOR[:4]), "give one of them"),
        (("operation", "file", "--circle", "35,35 36,36", *CIRCLE[2:]), "has 2 places, not 1"),
        (("operation", "file", "--circle", "north", *CIRCLE[2:]), "is no LAT,LON"),
        (("operation", "file", "--circle", "nan,35", *CIRCLE[2:]), "latitude nan: is not a number"),
        (("operation", "file", "--circle", "35,181", *CIRCLE[2:]), "181.0: is beyond 180 degrees"),
        (("operation", "end", "zzzz"), "begins 0 of"),
        (("operation", "file", "--polygon", "1,1 2,2", *CIRCLE[4:]), "has 2 places, not 3"),
        (("operation", "file", *CORRIDOR[:2], *CORRIDOR[4:]), "--route: give --width with it"),
        (("operation", "file", *CIRCLE[:4], "--lower", "high", *CIRCLE[6:]), "'high'"),
        (("operation", "end", "00000000"), "begins 0 of"),
        (("operation", "end", "0"), "has fewer than 4 digits"),
        (("ack", "00000000"), "begins 0 of"),
        (
            ("post", "setup", "--exchange", "east", "--party", "north", "--key",
             "north-keys/north.watch.private.json", "--believe", "east/region.keys.json",
             "--home", "nowhere"),
            "give an address that begins with http://",
        ),
        (("party", "admit", "none.json", "--folder", "east"), "No such file"),
    ],
)  # fmt: skip
def test_what_cannot_be_done_says_the_way_out(
    desks: Desks, words: tuple[str, ...], why: str
) -> None:
    said = desks.run("north", *words, status=2)
    assert why in said
    assert said.count("Error:") == 1
    assert "Traceback" not in said


def test_a_folder_without_a_post_and_an_exchange_that_is_not_there_say_so(
    desks: Desks, tmp_path: Path
) -> None:
    assert "is no folder of a post; set it up with keepclear post setup" in desks.run(
        "nobody", "conflicts", status=2
    )
    said = desks.run("north", "party", "admit", "north-keys/north.keys.json", "--folder",
                     "east", "--operator", "127.0.0.1:1", status=2)  # fmt: skip
    assert "gives no answer" in said
    free = ("--listen", "127.0.0.1:0", "--operator", "127.0.0.1:0")
    assert "is in use by another process" in desks.run("north", "serve", "east", *free, status=2)
    assert "is a region already; go on with it: keepclear serve east" in desks.run(
        "north", "serve", "east", "--new", "--region", "x", "--house", "5 NM", *free, status=2
    )
    assert "give the folder that keepclear serve --new has made" in desks.run(
        "north", "serve", str(tmp_path), *free, status=2
    )


def test_a_watch_shows_what_happens_and_ends_with_ctrl_c(desks: Desks) -> None:
    ours = desks.filed("north", *CORRIDOR)
    with subprocess.Popen(
        [sys.executable, "-m", "keepclear.cli", "watch", "--home", str(desks.folder / "north")],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    ) as watch:  # fmt: skip
        assert watch.stdout is not None
        said = watch.stdout.readline()
        theirs = desks.filed("south", *CIRCLE)
        while f"with {theirs} of south: raised" not in said:
            said += watch.stdout.readline()
        watch.send_signal(signal.SIGINT)
        said += watch.stdout.read()

    assert watch.returncode == 130
    assert "protect now" in said
    assert f"of your {ours} with {theirs} of south: raised" in said
    assert "\a" in said
    for who, own in (("north", ours), ("south", theirs)):
        desks.run(who, "operation", "cancel", own)


def test_what_was_fetched_goes_on_where_it_stopped(desks: Desks) -> None:
    first = desks.run("south", "record", "export")
    own = desks.filed("south", *CIRCLE)
    second = desks.run("south", "record", "export", "--output", "copy.jsonl")

    count = [int(re.findall(r"([\d,]+) in all", each)[0].replace(",", "")) for each in (
        first, second)]  # fmt: skip
    assert count[1] > count[0] > 0
    file = desks.folder / "south" / "record.jsonl"
    assert (desks.folder / "copy.jsonl").read_bytes() == file.read_bytes()
    desks.run("south", "operation", "cancel", own)
    lines = file.read_bytes().splitlines()
    assert sum(line.startswith(b'{"line":"header"') for line in lines) == 1
    assert len(set(lines)) == len(lines)
    with file.open("ab") as half:
        half.write(b'{"line":"le')
    desks.run("south", "record", "export")
    assert b'{"line":"le\n' not in file.read_bytes()
    assert not file.read_bytes().endswith(b'{"line":"le')


def test_without_the_libraries_of_a_server_it_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(serving_parts, "NEEDED", ("litestar", "no_such_library"))

    for words in (["serve", "east"], ["demo"]):
        with pytest.raises(SystemExit) as ended:
            main(words)
        assert ended.value.code == 2
        assert "no_such_library: not installed" in capsys.readouterr().err


def test_where_nothing_can_be_compiled_a_node_says_that_it_is_slow(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def none() -> None:
        raise compiled.NotCompiled("no folder for what is compiled")

    monkeypatch.setattr(compiled, "compiled", none)
    monkeypatch.setattr(compiled, "is_warm", lambda: True)

    assert serving_parts.functions_of_node() is compiled.plain()
    assert "no folder for what is compiled" in capsys.readouterr().err


def test_what_is_compiled_is_compiled_before_anybody_is_answered(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    warmed: list[bool] = []
    monkeypatch.setattr(compiled, "is_warm", lambda: bool(warmed))
    monkeypatch.setattr(warm, "warm", lambda: warmed.append(True))

    for _ in range(2):
        assert serving_parts.functions_of_node() is compiled.compiled()

    assert warmed == [True]
    assert capsys.readouterr().out.count("compiling the kernel, once on this machine") == 1


def test_a_desk_json_that_is_broken_is_one_error(desks: Desks) -> None:
    (desks.folder / "broken").mkdir()
    (desks.folder / "broken" / "desk.json").write_text("{", encoding="utf-8")

    for words in (("conflicts",), ("watch",), ("operation", "list"), ("record", "export")):
        said = desks.run("broken", *words, status=2)
        assert said.startswith("Error: ")
        assert said.count("\n") == 1
        assert "desk.json: cannot be read" in said
