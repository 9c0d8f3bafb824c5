# SPDX-License-Identifier: Apache-2.0
"""Every way out of keepclear, as officers of five posts type it while a STOP stands.

Romeo sends it to bravo and to juliet; victor has an operation that meets it; quebec has one that
does not. Its volume as it was sent is in nothing that anybody but romeo gets; its words are in
nothing of victor and quebec. Whom each may not know of, it reads no more of than of one who has no
part in it. What romeo, and those named, write for themselves carries what each may know.

The commands are found by click: one that stands in neither table fails the first test.
"""

import io
import re
import shlex
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

import click
import pytest

from keepclear.cli import command
from keepclear.formats import kml as reads_kml
from keepclear.reports import geojson, kml
from tests.desk_plays import Desks
from tests.server_plays import serving

pytestmark = pytest.mark.slow

PARTIES: Final = ("romeo", "bravo", "juliet", "victor", "quebec")
WORDS: Final = "Leave the old well, our people are there."
VOLUME: Final = (
    "--circle", "33.5217,38.6231", "--radius", "2117 m", "--lower", "113 ft AMSL", "--upper",
    "4987 ft AMSL", "--lasts", "2 h",
)  # fmt: skip
# In degrees, metres, feet and tenths of a millimetre.
EXACT: Final = (
    "33.5217", "38.6231", "2117 m", "2.117 km", "21170000", "4987", "15200376", "113 ft",
    "344424",
)  # fmt: skip
OWN: Final = (
    "--circle", "33.55,38.62", "--radius", "1 km", "--lower", "0 ft AMSL", "--upper",
    "1000 ft AMSL", "--start", "+10 min", "--lasts", "30 min",
)  # fmt: skip
AWAY: Final = ("--circle", "37.55,38.62", *OWN[2:])


class Out(NamedTuple):
    """A way out: what is typed, and what stands in it for whom.

    words: {file}, {record}, {message} and {conflict} are filled in. sender: what romeo's must have;
    named: bravo's; third: victor's.
    """

    words: str
    sender: tuple[str, ...] = ()
    named: tuple[str, ...] = ()
    third: tuple[str, ...] = ()


ACT: Final = "an act: prints what comes of it for who signed it; two worlds are compared of all"
OF_FILES: Final = "works on files of plans and agreements, and reads nothing of an exchange"
KEYS: Final = "makes keys or admits them"
OPERATOR: Final = "for the operator, who holds the whole record, and for nobody else"
STOP: Final = "STOP"
KEEP_OUT: Final = "must keep out of"
WAYS_OUT: Final[dict[str, Out]] = {
    "act ask": Out("act ask {file}"),
    "agreement list": Out("agreement list"),
    "answers-for": Out("answers-for"),
    "conflicts": Out("conflicts", third=("KEEP OUT",)),
    "conflicts, one": Out("conflicts {conflict} --html {file}"),
    "export-party": Out("export-party {file}", (WORDS, "21170000", "STOP"), (WORDS,), (KEEP_OUT,)),
    "incident list": Out("incident list"),
    "incident parts": Out("incident parts --all", ("stop",), ("message",), ("keep",)),
    "line cap": Out("line cap {message} -o {file}", ("never leaves",), ("never leaves",)),
    "line card": Out("line card --html {file}"),
    "line check": Out("line check"),
    "line handover": Out("line handover --html {file}", (STOP,), (WORDS, STOP), ("KEEP OUT",)),
    "line read": Out("line read --all --shown", (WORDS, STOP), (WORDS, STOP, "keep out of")),
    "line call show": Out("line call show"),
    "line sar show": Out("line sar show"),
    "line shift show": Out("line shift show"),
    "line stops": Out("line stops", (STOP,), (WORDS, "STOP, in force"), ("must keep out of 3",)),
    "line show": Out("line show {message}", (WORDS,), (WORDS, "keep out of")),
    "operation check": Out(shlex.join(("operation", "check", *OWN)), third=("must keep out",)),
    "operation list": Out("operation list", third=("KEEP OUT",)),
    "record export": Out("record export --output {file}", (WORDS, "21170000"), (WORDS,), ("keep",)),
    "record incident": Out("record incident {record}"),
    "record report": Out(
        "record report {record} --output {file}", ("sends a STOP",), ("STOP",), (KEEP_OUT,)
    ),
    "record show": Out("record show {record}", ("stop",), ("message",), ("keep",)),
    "record verify": Out("record verify {record}"),
    "restored show": Out("restored show"),
    "snapshot make": Out("snapshot make {file}", (STOP,), (WORDS, STOP), ("KEEP OUT",)),
}
NO_WAY_OUT: Final[dict[str, str]] = {
    **dict.fromkeys((
        "accept", "ack", "act receipt", "act sign", "agree-as-is", "answer", "counter", "propose",
        "agreement carry", "agreement denounce", "agreement fetch", "agreement resume",
        "agreement suspend", "incident agree", "incident close", "incident disagree",
        "incident evidence", "incident leave-open", "incident line", "incident open",
        "incident query", "incident reply", "line accident", "line ack", "line answer",
        "line cap-ack", "line call annotate", "line call log", "line call sign",
        "line shift close", "line shift open", "line shift take",
        "line disseminated", "line distress", "line none-here", "line readback", "line renew",
        "line sar close", "line sar open", "line sar phase", "line sar renew", "line sar update",
        "line send", "line stop", "line stop-end", "line withdraw-none-here",
        "operation activate", "operation airborne", "operation cancel", "operation contingent",
        "operation end", "operation file", "operation update", "send-again",
        "restored accept", "restored hand-in", "submit",
    ), ACT),
    **dict.fromkeys((
        "agreement annex", "agreement answers", "agreement counter", "agreement diff",
        "agreement effect", "agreement new", "agreement propose", "agreement show",
        "agreement sign", "agreement state", "agreement verify", "check", "config", "demo",
        "line cap-verify", "line templates", "play", "snapshot verify",
    ), OF_FILES),
    **dict.fromkeys((
        "key appoint", "key export", "key new", "key rotate", "key show", "party add",
        "party admit", "post key", "post setup", "region cap-key", "region prepare-key",
        "region rotate-key",
    ), KEYS),
    **dict.fromkeys((
        "backup", "clock accept", "record audit", "restore", "serve", "store move",
    ), OPERATOR),
    "watch": "shows parts as they come, in the words of what made them: test_watch",
    "line watch": "shows messages, in the words of line read: test_line_desk",
}  # fmt: skip


def commands(group: click.Command, *path: str) -> Iterator[str]:
    """Yield all commands there are."""
    if not isinstance(group, click.Group):
        yield " ".join(path)
        return
    for name, each in group.commands.items():
        yield from commands(each, *path, name)


def test_every_command_is_in_one_of_the_tables() -> None:
    assert set(commands(command)) == {*(each.partition(",")[0] for each in WAYS_OUT), *NO_WAY_OUT}
    assert not {*WAYS_OUT} & {*NO_WAY_OUT}


def test_what_writes_maps_and_tables_knows_of_no_stop() -> None:
    for module in (geojson, kml, reads_kml):
        text = Path(str(module.__file__)).read_text(encoding="utf-8")
        assert "stops" not in text
        assert "keepclear.exchange" not in text


class Posts(NamedTuple):
    """The desks, and ids at each: of the message of the STOP, of a conflict, of an operation."""

    desks: Desks
    stop: str
    messages: dict[str, str]
    conflicts: dict[str, str]
    operations: dict[str, str]


@pytest.fixture(scope="module")
def posts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Posts]:
    folder = tmp_path_factory.mktemp("stops")
    with serving(folder / "region") as node:
        desks = Desks(folder, node)
        for each in PARTIES:
            desks.set_up(each)
        operations = {"bravo": desks.filed("bravo", *OWN)}
        said = desks.run("romeo", "line", "stop", "bravo,juliet", WORDS, *VOLUME, "--yes")
        [stop] = re.findall(r"STOP ([0-9a-f]{8}) to", said)
        operations |= {
            "victor": desks.filed("victor", *OWN),
            "quebec": desks.filed("quebec", *AWAY),
        }
        messages: dict[str, str] = {}
        conflicts: dict[str, str] = {}
        for each in PARTIES:
            read = desks.run(each, "line", "read", "--all")
            messages.update((each, m) for m in re.findall(r"STOP  message (\w{8})", read)[:1])
            shown = desks.run(each, "conflicts")
            conflicts.update((each, c) for c in re.findall(r"CONFLICT (\w{8})", shown)[:1])
            desks.run(each, "record", "export", "--output", f"{each}.record")
        yield Posts(desks, stop, messages, conflicts, operations)


def typed(posts: Posts, who: str, out: Out) -> str:
    """Type it in the folder of a post, and return all that is printed and written."""
    written = posts.desks.folder / f"{who}.html"
    written.unlink(missing_ok=True)
    words = shlex.split(out.words)
    filled = [
        each.format(
            file=written, record=posts.desks.folder / f"{who}.record",
            message=posts.messages.get(who, "00000000"), conflict=posts.conflicts.get(who, ""),
        )
        for each in words
    ]  # fmt: skip
    if "" in filled:
        return ""  # there is no conflict of his
    done = posts.desks.printed(who, *filled)
    assert done.returncode in {0, 1, 2, 3}, done.stderr
    said = done.stdout + done.stderr
    if written.exists():
        said += readable(written.read_bytes())
    return re.sub(r"\s+", " ", said)


def stands_in(word: str, said: str) -> bool:
    """Tell whether a word stands there; a whole number by itself, not as digits of an id."""
    if not word.isdecimal():
        return word in said
    return re.search(rf"(?<![0-9a-f]){word}(?![0-9a-f])", said) is not None


def readable(data: bytes) -> str:
    """Return a file as text; of an archive all that is in it."""
    if not zipfile.is_zipfile(io.BytesIO(data)):
        return data.decode()
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return "\n".join(archive.read(each).decode() for each in archive.namelist())


# What each may not read, and of whom no more than of another: that is who has no part in it.
HIDDEN: Final[dict[str, tuple[tuple[str, ...], str, str]]] = {
    "romeo": ((), "victor", "quebec"), "bravo": (EXACT, "juliet", "quebec"),
    "juliet": (EXACT, "bravo", "quebec"), "victor": ((*EXACT, WORDS), "romeo", "quebec"),
    "quebec": ((*EXACT, WORDS, "KEEP OUT:", "keep-outs-changed"), "romeo", "juliet"),
}  # fmt: skip


@pytest.mark.parametrize("name", WAYS_OUT)
def test_each_way_out_tells_each_party_of_a_stop_what_it_may_know(name: str, posts: Posts) -> None:
    out = WAYS_OUT[name]
    told = {each: typed(posts, each, out) for each in PARTIES}

    for each, said in told.items():
        hidden, who, other = HIDDEN[each]
        assert [e for e in hidden if stands_in(e, said)] == [], each
        assert said.count(who) == said.count(other), each
        assert (posts.stop in said) <= (each == "romeo")
    assert posts.operations["victor"] not in told["romeo"]
    for who, needed in (("romeo", out.sender), ("bravo", out.named), ("victor", out.third)):
        assert [each for each in needed if each not in told[who]] == [], who
