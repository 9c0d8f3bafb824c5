# SPDX-License-Identifier: Apache-2.0
"""A conflict as a page for one side: what stands on it, and what never does."""

import re
import subprocess
from pathlib import Path

import msgspec
import pytest

from keepclear.exchange.picture import Picture
from keepclear.exchange.views import Notice
from keepclear.formats.packaged import read_borders
from keepclear.record.entries import Part
from keepclear.record.files import LeafLine
from keepclear.record.headers import Status
from keepclear.record.views import view_of
from keepclear.reports.conflict_html import TOO_LITTLE, Page, conflict_html
from keepclear.reports.desk_text import step_text
from tests.after_action_plays import CROSS
from tests.exchange_plays import played
from tests.own_copies import parts_of
from tests.test_reports_html import BROWSER_FLAGS, SCREENSHOT_BYTES, parsed

AT_US = 1_444_024_800_000_000


def raised(party: str, play: str = CROSS) -> tuple[Notice, Picture]:
    """Return the first notice of a conflict that a party is told, and its picture then."""
    picture = Picture(party, {}, {})
    for told in parts_of(list(view_of(played(play).lines, party))):
        picture.take(told)
        if isinstance(told, Notice):
            return told, picture
    raise AssertionError("no conflict came of the play")


def page_for(party: str, stale: str = "", play: str = CROSS) -> str:
    notice, picture = raised(party, play)
    page = Page(party, "east", Status.EXERCISE, AT_US, stale)
    return conflict_html(notice, picture.operations[notice.own], page)


def words_of(page: str) -> str:
    return " ".join(" ".join(parsed(page).text).split())


def test_a_side_sees_its_own_as_filed_the_other_as_shown_and_the_numbers_of_both() -> None:
    for party, other in (("north", "south"), ("south", "north")):
        notice, picture = raised(party)
        own = picture.operations[notice.own]
        [broken] = notice.broken
        assert broken.numbers is not None

        words = words_of(page_for(party))

        assert f"{notice.conflict[:8]}: raised" in words
        assert f"Yours: {own.id[:8]} {own.callsign}" in words
        assert f"What you see of {notice.other.id[:8]} of {other}" in words
        assert "must act SOUTH" in words
        assert f"EXERCISE EXERCISE EXERCISE keepclear conflict, east As {party} was" in words
        assert "proven, up to 2015-10-05T06:00:00Z" in words
        assert "Absence of notification implies nothing" in words
        assert "the box is drawn that is shown" in words
        assert "NOT UP TO DATE" not in words
        assert "This sheet is as of 2015-10-05T06:00:00Z; what came later is not in it." in words
        assert 'content: "AS OF 2015-10-05T06:00:00Z"' in page_for(party)  # on each printed sheet


def test_it_has_map_time_and_heights_and_fetches_and_runs_nothing() -> None:
    page = page_for("north")

    assert page.count('class="map"') == 1
    assert page.count("<svg") >= 4
    assert re.findall(r"<script|https?://|@import|url\((?!#)", page) == []


def test_of_what_is_shown_too_little_only_the_own_area_is_drawn() -> None:
    existence = CROSS.replace('agreement = { template = "two-forces" }', 'house = "5 NM / 1000 ft"')
    notice, _ = raised("south", existence)
    assert notice.broken[0].numbers is None

    page = page_for("south", play=existence)

    assert TOO_LITTLE in words_of(page)
    assert page.count('class="map"') == 1
    assert notice.other.party in words_of(page)


def test_a_step_in_which_an_agreement_moved_says_how_it_stands() -> None:
    said = [
        step_text([msgspec.json.decode(bytes(leaf.part), type=Part)], {})[0]
        for line in view_of(played(CROSS).lines, "north") if line.startswith(b'{"line":"leaf"')
        for leaf in [msgspec.json.decode(line, type=LeafLine).leaf]
    ]  # fmt: skip

    assert any(re.search(r"agreement \w{8} is in force; keepclear agreement list", e) for e in said)


def test_what_may_be_stale_says_so_on_top() -> None:
    words = words_of(page_for("north", "exchange: gives no answer"))

    assert "NOT UP TO DATE, AND MAY BE STALE: exchange: gives no answer" in words


@pytest.mark.slow
def test_a_browser_draws_it_and_it_prints_on_two_sheets_at_most(
    browser: str, tmp_path: Path
) -> None:
    notice, picture = raised("north")
    file, picture_file, paper = (tmp_path / f"c.{each}" for each in ("html", "png", "pdf"))
    page = Page("north", "east", Status.EXERCISE, AT_US, "")
    file.write_text(
        conflict_html(notice, picture.operations[notice.own], page, read_borders()),
        encoding="utf-8",
    )

    for wanted in (f"--print-to-pdf={paper}", f"--screenshot={picture_file}"):
        subprocess.run(
            [browser, *BROWSER_FLAGS, f"--user-data-dir={tmp_path / 'profile'}", wanted,
             file.as_uri()],
            check=True, capture_output=True, timeout=120,
        )  # fmt: skip

    assert len(picture_file.read_bytes()) > SCREENSHOT_BYTES
    assert len(re.findall(rb"/Type\s*/Page\b", paper.read_bytes())) <= 2
