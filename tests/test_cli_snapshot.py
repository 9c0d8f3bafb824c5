# SPDX-License-Identifier: Apache-2.0
"""The last picture of a party: what stands on the page, what proves it, and how old it is."""

import re
import shutil
import subprocess
import time
from base64 import b64encode
from pathlib import Path

import msgspec
import pytest

from keepclear.exchange.last_picture import LastPicture, standing
from keepclear.record.encoding import encode
from keepclear.record.entries import Part
from keepclear.reports.snapshot_html import BEGINS, ENDS, data_in, snapshot_html
from tests.desk_plays import CIRCLE, CORRIDOR, Desks
from tests.server_plays import HOUR_US
from tests.test_reports_html import BROWSER_FLAGS, parsed

pytestmark = pytest.mark.slow
KEYS = ("--keys", "east/region.keys.json")


class Pictured:
    """A region with a conflict in it, and a page that each side has made."""

    def __init__(self, desks: Desks) -> None:
        self.desks = desks
        self.ours = desks.filed("north", *CORRIDOR, "--callsign", "OAK 1")
        self.over = desks.filed("north", *CIRCLE, "--lower", "FL300", "--upper", "FL310")
        desks.run("north", "operation", "cancel", self.over)
        self.theirs = desks.filed("south", *CIRCLE, "--callsign", "ELM 7")
        desks.run("north", "conflicts")
        desks.run("north", "operation", "activate", self.ours)
        desks.run("north", "line", "send", "south", "نحن <hier>", "--precedence", "URGENT")
        desks.run("south", "line", "send", "north", "Good morning.")
        read = desks.run("north", "line", "read", "--shown")
        desks.run("north", "line", "ack", re.findall(r"message ([0-9a-f]{8}) from south", read)[0])
        desks.run("north", "snapshot", "make", "north.html")

    def page(self, name: str = "north.html") -> str:
        """Return a page that was made."""
        return (self.desks.folder / name).read_text(encoding="utf-8")

    def last(self) -> LastPicture:
        """Return the picture in north's page."""
        data = data_in(self.page())
        assert data is not None
        return msgspec.json.decode(data, type=LastPicture)

    def changed(self, last: LastPicture) -> str:
        """Write a page of another picture, and return what is said of it."""
        parts = [msgspec.json.decode(each.part, type=Part) for each in last.shown]
        (self.desks.folder / "changed.html").write_text(
            snapshot_html(last, standing(last.party, parts)), encoding="utf-8"
        )
        return self.desks.run("south", "snapshot", "verify", "changed.html", *KEYS, status=2)


@pytest.fixture(scope="module")
def pictured(desks: Desks) -> Pictured:
    return Pictured(desks)


def words_of(page: str) -> str:
    return " ".join(" ".join(parsed(page).text).split())


def test_the_page_shows_what_stands_and_is_proven_by_the_key_of_the_exchange(
    pictured: Pictured,
) -> None:
    words = words_of(pictured.page())

    assert re.search(r"AS OF \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", words)
    assert f"{pictured.ours} OAK 1 activated" in words
    assert f"{pictured.theirs} of south" in words
    assert "5 NM or 1000 ft, for two that no agreement binds" in words
    assert "URGENT (PAN PAN) north, watch, to south, watch" in words
    assert "نحن <hier> (en) over flight-safety sent no deadline is agreed" in words
    assert "Good morning." not in words  # all is done that is due of it
    assert pictured.over not in words
    assert "ELM 7" not in pictured.page()  # no clause shows it
    assert re.findall(r"https?://|@import|src=", pictured.page()) == []
    said = pictured.desks.run("south", "snapshot", "verify", "north.html", *KEYS)
    assert said.startswith("PROVEN: ")
    assert "of the picture of north in exercise-east" in said


def test_the_picture_is_the_one_of_the_desk_and_holds_no_more_than_it_needs(
    pictured: Pictured,
) -> None:
    last = pictured.last()
    parts = [msgspec.json.decode(each.part, type=Part) for each in last.shown]

    said = standing("north", parts)

    kept = msgspec.json.decode((pictured.desks.folder / "north" / "seen.json").read_bytes())
    assert {*said.picture.protecting()} == {*kept["seen"]["operations"]}
    assert {*said.picture.unsettled()} == {*kept["seen"]["conflicts"]}
    assert {*said.picture.undone()} == {*kept["seen"]["messages"]}
    [own] = said.picture.protecting().values()
    assert own.state == "activated"
    assert sorted(each.kind for each in parts) == [
        "message-changed/1", "notice/1", "operation-filed/1", *["operation-moved/1"] * 2,
        "region-opened/1",
    ]  # fmt: skip


def test_what_was_written_into_a_page_or_its_picture_is_found_out(pictured: Pictured) -> None:
    folder, run = pictured.desks.folder, pictured.desks.run
    (folder / "written.html").write_text(
        pictured.page().replace("activated", "cancelled", 1), encoding="utf-8"
    )
    assert "has a proven picture in it, and shows something else" in run(
        "south", "snapshot", "verify", "written.html", *KEYS, status=2
    )
    for end in (b"\r\n", b"\r"):
        (folder / "ends.html").write_bytes((folder / "written.html").read_bytes().replace(
            b"cancelled", b"activated", 1
        ).replace(b"\n", end))  # fmt: skip
        assert "PROVEN" not in run("south", "snapshot", "verify", "ends.html", *KEYS, status=2)
    last = pictured.last()
    replace = msgspec.structs.replace
    one, two, *_ = last.shown
    assert "leads to another root than was signed" in pictured.changed(
        replace(last, shown=(replace(one, salt=two.salt), *last.shown[1:]))
    )
    part = one.part
    other = msgspec.Raw(bytes(part).replace(b"exercise-east", b"exercise-west"))
    assert "leads to another root than was signed" in pictured.changed(
        replace(last, shown=(replace(one, part=other), *last.shown[1:]))
    )
    assert "is of no tree of south" in pictured.changed(replace(last, party="south"))
    assert "has no checkpoint" in pictured.changed(replace(last, notes=last.notes[:1]))
    run("south", "key", "new", "other", "--folder", "other-keys")
    assert "PROVEN" not in run(
        "south", "snapshot", "verify", "north.html", "--keys", "north-keys/north.keys.json",
        status=2,
    )  # fmt: skip


def test_a_page_that_says_it_is_newer_than_it_was_made_is_another_page(pictured: Pictured) -> None:
    last = pictured.last()
    later = msgspec.structs.replace(last, as_of_us=last.as_of_us + 60_000_000)
    data = b64encode(encode(later)).decode()
    page = pictured.page()
    begins, ends = page.index(BEGINS) + len(BEGINS), page.index(ENDS, page.index(BEGINS))
    (pictured.desks.folder / "later.html").write_text(
        page[:begins] + data + page[ends:], encoding="utf-8"
    )

    said = pictured.desks.run("south", "snapshot", "verify", "later.html", *KEYS, status=2)

    assert "shows something else" in said


@pytest.mark.parametrize(
    ("file", "why"),
    [("none.html", "No such file"), ("east/region.keys.json", "has no picture in it")],
)
def test_what_is_no_picture_is_one_error(pictured: Pictured, file: str, why: str) -> None:
    said = pictured.desks.run("north", "snapshot", "verify", file, *KEYS, status=2)

    assert why in said
    assert "Traceback" not in said


def test_where_the_exchange_cannot_be_asked_it_goes_up_to_when_it_was(
    pictured: Pictured, tmp_path: Path
) -> None:
    home = pictured.desks.folder / "cut-off"
    shutil.copytree(pictured.desks.folder / "north", home)
    desk = (home / "desk.json").read_text(encoding="utf-8")
    (home / "desk.json").write_text(
        desk.replace(pictured.desks.node.parties, pictured.desks.node.operator), encoding="utf-8"
    )
    asked_us = msgspec.json.decode((home / "asked.json").read_bytes())["at_us"]
    file = str(tmp_path / "cut-off.html")

    done = pictured.desks.printed("cut-off", "snapshot", "make", file)

    assert done.returncode == 2
    assert "made of what is held here: Not Found" in done.stdout
    data = data_in(Path(file).read_text(encoding="utf-8"))
    assert data is not None
    assert msgspec.json.decode(data, type=LastPicture).as_of_us == asked_us
    assert "PROVEN" in pictured.desks.run("south", "snapshot", "verify", file, *KEYS)


@pytest.mark.parametrize(
    ("hours", "words"),
    [(0, "less than 2 minutes old now"), (3, "3 hours old now"), (72, "3 days old now"),
     (-1, "by the clock of this machine this lies ahead")],
)  # fmt: skip
def test_a_browser_says_how_old_it_is_now(
    pictured: Pictured, browser: str, tmp_path: Path, hours: int, words: str
) -> None:
    last = pictured.last()
    as_of_us = time.time_ns() // 1000 - hours * HOUR_US
    parts = [msgspec.json.decode(each.part, type=Part) for each in last.shown]
    file = tmp_path / "page.html"
    file.write_text(
        snapshot_html(
            msgspec.structs.replace(last, as_of_us=as_of_us), standing(last.party, parts)
        ),
        encoding="utf-8",
    )

    shown = subprocess.run(
        [browser, *BROWSER_FLAGS, f"--user-data-dir={tmp_path / 'profile'}", "--dump-dom",
         file.as_uri()],
        check=True, capture_output=True, text=True, timeout=120,
    ).stdout  # fmt: skip

    assert re.search(rf'<p class="age{" old" if hours else ""}" id="age"[^>]*>{words}', shown)
