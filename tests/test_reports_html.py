# SPDX-License-Identifier: Apache-2.0
"""The page: whole in itself, right at first sight, and nothing in it that a file smuggled in."""

import re
import struct
import subprocess
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Final

import pytest
from defusedxml import ElementTree
from msgspec.structs import replace

from keepclear.agreement.findings import Verdict
from keepclear.airspace.borders import Borders
from keepclear.checks.report import Report, RulesUsed, RuleUsed
from keepclear.formats.packaged import read_borders
from keepclear.reports.html import DETAILED, html_report
from keepclear.reports.notebook import repr_html, shown
from tests.sample_reports import (
    HOSTILE,
    antimeridian_report,
    clear_report,
    eastern_mediterranean,
    hostile_report,
    many_report,
    only_gaps_report,
    pole_report,
    simple_report,
)

ALL: Final = {
    "simple": simple_report, "mediterranean": eastern_mediterranean, "clear": clear_report,
    "antimeridian": antimeridian_report, "pole": pole_report, "hostile": hostile_report,
    "only gaps": only_gaps_report,
}  # fmt: skip
ALONE: Final = {"meta", "br", "hr"}
FIVE_MB: Final = 5_000_000
SCREENSHOT_BYTES: Final = 20_000
# A new profile, and nothing that calls home: a closed network refuses it, many times over.
BROWSER_FLAGS: Final = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--hide-scrollbars", "--window-size=900,1600",
)  # fmt: skip


class Elements(HTMLParser):
    """Every element of a page with its attributes, and whether each is closed in its turn."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))
        if tag not in ALONE:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] != "style":
            self.text.append(data)


def parsed(page: str) -> Elements:
    elements = Elements()
    elements.feed(page)
    assert elements.open == []
    return elements


@pytest.fixture(scope="session")
def borders() -> Borders:
    return read_borders()


@pytest.mark.parametrize("make", ALL.values(), ids=ALL)
def test_a_page_is_well_formed_and_runs_nothing(
    make: Callable[[], Report], borders: Borders
) -> None:
    page = html_report(make(), borders)
    elements = parsed(page)

    names = {name for name, _ in elements.seen}
    assert names.isdisjoint({"script", "img", "iframe", "object", "embed", "link", "form", "base"})
    attributes = {name for _, attrs in elements.seen for name in attrs}
    assert not any(name.startswith("on") for name in attributes)
    links = [attrs.get("href") for name, attrs in elements.seen if name == "a"]
    assert all(link is not None and link.startswith("#") for link in links)


@pytest.mark.parametrize("make", ALL.values(), ids=ALL)
def test_a_page_asks_the_network_for_nothing(make: Callable[[], Report], borders: Borders) -> None:
    page = html_report(make(), borders)

    assert not re.search(r"https?:|//[a-z]|@import|@font-face", page.replace("&lt;", ""))
    hatches = {f"#{pattern}" for pattern in re.findall(r'id="(hatch-[^"]*)"', page)}
    assert set(re.findall(r"url\(([^)]*)\)", page)) <= {"#gap", "#map-edge"} | hatches


@pytest.mark.parametrize("make", ALL.values(), ids=ALL)
def test_a_page_is_xml_too_and_every_number_in_it_finite(
    make: Callable[[], Report], borders: Borders
) -> None:
    page = html_report(make(), borders)

    closed = re.sub(r"<(meta|br|hr)([^>]*)>", r"<\1\2/>", page)
    ElementTree.fromstring(closed.removeprefix("<!doctype html>"))
    assert not re.search(r'[" ,LM](nan|inf|-inf)[" ,LM]', page)


def test_every_link_has_its_place_and_every_id_is_one(borders: Borders) -> None:
    elements = parsed(html_report(eastern_mediterranean(), borders))
    ids = [attrs["id"] for _, attrs in elements.seen if "id" in attrs]

    assert len(ids) == len(set(ids))
    linked = {(attrs.get("href") or "")[1:] for name, attrs in elements.seen if name == "a"}
    assert linked == {f"finding-{i}" for i in range(1, 7)}
    assert linked <= set(ids)


def test_the_verdict_comes_first_and_its_meaning_with_it() -> None:
    words = " ".join(parsed(html_report(eastern_mediterranean())).text)

    assert words.index("2 CONFLICT") < words.index("2 UNDETERMINED") < words.index("among 10 plans")
    assert "cannot be decided; counts as a conflict" in words
    assert "Plans that are not in these files were not looked at." in words
    assert "Absence of notification implies nothing and changes no legal protection." in words


def test_nothing_found_says_among_how_many_and_draws_nothing() -> None:
    page = html_report(clear_report())

    assert "None found" in page
    assert "among 2 plans (1 pair)." in page
    assert 'class="map"' not in page


def test_names_from_files_stay_names() -> None:
    page = html_report(hostile_report())

    assert "<script" not in page
    assert "<img" not in page
    assert page.count("</style>") == 1
    assert not re.search(r"[\x00-\x09\x0b-\x1f\u202a-\u202e]", page)
    words = "".join(parsed(page).text)
    assert HOSTILE[0] in words
    assert HOSTILE[1] in words


def test_a_notebook_shows_names_as_names() -> None:
    table = repr_html(hostile_report())

    assert "<script" not in table
    assert "<img" not in table
    assert shown(hostile_report())._repr_html_() == table
    assert shown(hostile_report()) == shown(hostile_report())


def test_a_party_has_one_colour_and_plan_b_is_dashed() -> None:
    page = html_report(eastern_mediterranean())

    colours = {
        party: set(re.findall(rf'style="color:(#\w+)">[^<]*</bdi> \(<bdi>{party}<', page))
        for party in ("north", "south", "third")
    }
    assert all(len(colour) == 1 for colour in colours.values())
    assert len(set.union(*colours.values())) == 3
    assert 'stroke-dasharray="7 4"' in page


def test_heights_that_cannot_be_compared_stand_on_scales_of_their_own_and_say_so() -> None:
    page = html_report(eastern_mediterranean())

    assert "UNDETERMINED. Heights on different scales below cannot be compared" in page
    assert "Height above the WGS 84 ellipsoid, feet" in page
    assert "Height above mean sea level, EGM96, feet" in page
    assert "A S99 EXERCISE: no height is known at this time." in page


def test_each_sheet_carries_its_day() -> None:
    page = html_report(simple_report())

    assert "<b>2026-11-22 10:14:43Z to 10:15:43Z (1 min)</b>" in page


def test_own_clocks_are_drawn_and_named() -> None:
    assert "The plans may run early or late" in html_report(eastern_mediterranean())


@pytest.mark.slow
def test_hundreds_of_findings_are_all_in_the_index_and_the_first_have_a_sheet(
    borders: Borders,
) -> None:
    page = html_report(many_report(), borders)

    assert page.count('class="finding"') == DETAILED
    assert f"The first {DETAILED} have a sheet of their own below. The other 250 are in" in page
    assert "EX299A" in page
    assert len(page) < FIVE_MB


def test_two_pages_of_one_report_are_the_same(borders: Borders) -> None:
    assert html_report(simple_report(), borders) == html_report(simple_report(), borders)


@pytest.mark.parametrize("verdict", [v for v in Verdict if v is not Verdict.CLEAR])
def test_every_verdict_has_its_own_look(verdict: Verdict) -> None:
    finding = replace(simple_report().findings[0], verdict=verdict)

    page = html_report(replace(simple_report(), findings=(finding,)))

    assert f'class="badge {verdict}">1 {verdict}<' in page
    assert f".badge.{verdict} {{" in page


def test_a_finding_of_which_hardly_anything_is_known_still_has_a_sheet() -> None:
    finding = replace(
        simple_report().findings[0], cpa=None, intervals=(), intervals_a=(), intervals_b=(),
        margin_m=None, short_by_m=None, margin_without_uncertainty_m=None,
    )  # fmt: skip
    page = html_report(replace(simple_report(), findings=(finding,), paths={}))

    assert "No place is known, so there is no map." in page
    assert "No time is known, so there is no time axis." in page


def test_a_plan_of_one_point_and_equal_times_is_drawn(borders: Borders) -> None:
    report = simple_report()
    a, b = (report.paths[i] for i in (0, 1))
    point = a.stretches[0][30]
    one = replace(a, stretches=((point,),))
    at = replace(report.findings[0].intervals[0], start_us=point.time_us, end_us=point.time_us)
    finding = replace(report.findings[0], intervals=(at,), intervals_a=(at,), intervals_b=(at,))

    page = html_report(replace(report, findings=(finding,), paths={0: one, 1: b}), borders)

    assert "at 2026-11-22 10:15:00Z" in page
    assert "nan" not in page


@pytest.mark.slow
def test_a_browser_draws_the_page(browser: str, tmp_path: Path, borders: Borders) -> None:
    page, picture = tmp_path / "report.html", tmp_path / "report.png"
    page.write_text(html_report(eastern_mediterranean(), borders), encoding="utf-8")

    subprocess.run(
        [browser, *BROWSER_FLAGS, f"--user-data-dir={tmp_path / 'profile'}",
         f"--screenshot={picture}", page.as_uri()],
        check=True, capture_output=True, timeout=120,
    )  # fmt: skip

    drawn = picture.read_bytes()
    assert drawn.startswith(b"\x89PNG")
    assert struct.unpack(">2I", drawn[16:24]) == (900, 1600)
    assert len(drawn) > SCREENSHOT_BYTES


@pytest.mark.slow
def test_each_finding_is_printed_on_one_sheet_of_a4(
    browser: str, tmp_path: Path, borders: Borders
) -> None:
    """With several rules, a clause in words and a plan's own clock: the longest a sheet gets."""
    rule = RuleUsed(id="5 NM or 1000 ft", asks="10 NM or 2000 ft", text="Annex B, clause 4. " * 6)
    rules = RulesUsed(name="Annex B", text="Annex B", rules=(rule, replace(rule, id="other")))
    report = replace(eastern_mediterranean(), rules=rules)
    findings = tuple(
        replace(one, intervals_a=tuple(replace(i, end_us=i.end_us + 1) for i in one.intervals))
        for one in report.findings[:2]
    )
    page, printed = tmp_path / "report.html", tmp_path / "report.pdf"
    page.write_text(html_report(replace(report, findings=findings), borders), encoding="utf-8")

    subprocess.run(
        [browser, *BROWSER_FLAGS, f"--user-data-dir={tmp_path / 'profile'}",
         "--no-pdf-header-footer", f"--print-to-pdf={printed}", page.as_uri()],
        check=True, capture_output=True, timeout=120,
    )  # fmt: skip

    sheets = re.findall(rb"/Type\s*/Page\b(?!s)", printed.read_bytes())
    assert len(sheets) == 1 + len(findings)
