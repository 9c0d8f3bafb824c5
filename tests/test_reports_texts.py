# SPDX-License-Identifier: Apache-2.0
"""The words of a finding: rounded to the safe side, with units, and never more than is known."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from keepclear.agreement.findings import Interval, Verdict
from keepclear.checks.report import Report
from keepclear.reports import texts
from keepclear.reports.geojson import geojson_report
from keepclear.reports.html import html_report
from keepclear.reports.json_report import json_report
from keepclear.reports.kml import kml_report
from keepclear.reports.notebook import repr_html
from keepclear.reports.table import table_text
from keepclear.units import US_PER_S
from tests.sample_reports import (
    START_US,
    clear_report,
    eastern_mediterranean,
    many_report,
    only_gaps_report,
    simple_report,
)

NM_M = 1852.0
FOOT_M = 0.3048
# glossary.md, "Words to avoid in UI and code"; and the answer that must never be given.
AVOIDED = re.compile(
    r"\b(target|approved?|authori[sz]ed?|safe|cleared|friendly|hostile|no-strike|no conflict)\b",
    re.IGNORECASE,
)


@pytest.mark.parametrize(
    ("length_m", "words"),
    [
        (2.1 * NM_M, "2.1 NM"),
        (5 * NM_M, "5.0 NM"),
        (4.9999 * NM_M, "4.99 NM"),  # short of 5 NM by 0.2 m is not 5 NM
        (0.0999 * NM_M, "185 m"),
        (9.96, "9.9 m"),
        (0.0, "0 m"),
        (250.7 * NM_M, "250 NM"),
    ],
)
def test_a_distance_between_two_craft_is_rounded_down(length_m: float, words: str) -> None:
    assert texts.lateral_text(length_m) == words


def test_a_difference_of_height_is_rounded_down_to_the_foot() -> None:
    assert texts.vertical_text(999.999 * FOOT_M) == "999 ft"
    assert texts.vertical_text(1000 * FOOT_M) == "1,000 ft"


def test_what_is_missing_is_rounded_up() -> None:
    finding = replace(simple_report().findings[0], short_by_m=0.2 * FOOT_M)
    lateral = replace(finding, leaf="any/lateral", short_by_m=0.00001)

    assert texts.short_by_text(finding) == "1 ft vertically"
    assert texts.short_by_text(lateral) == "0.1 m laterally"


@given(st.floats(0, 20_000))
def test_a_distance_is_never_said_to_be_more_than_it_is(length_m: float) -> None:
    number, unit = texts.lateral_text(length_m).replace(",", "").split()

    assert float(number) * (NM_M if unit == "NM" else 1) <= length_m + 0.01


@pytest.mark.parametrize(
    ("latitude", "longitude", "words"),
    [
        (34.1032, 35.2217, "34.1032N 035.2217E"),
        (-0.00001, -0.00001, "00.0000N 000.0000E"),
        (-89.99996, 180.0, "90.0000S 180.0000E"),
        (5.5, -179.99999, "05.5000N 180.0000W"),
    ],
)
def test_a_place_has_four_decimals_and_letters(
    latitude: float, longitude: float, words: str
) -> None:
    assert texts.position_text(latitude, longitude) == words


@pytest.mark.parametrize(
    ("start_us", "end_us", "words"),
    [
        (0, 60_000_000, "10:00:00Z to 10:01:00Z"),
        (900_000, 60_100_000, "10:00:00Z to 10:01:01Z"),  # outward
        (1_230_000, 2_310_000, "10:00:01.2Z to 10:00:02.4Z"),
        (5, 5, "at 10:00:00Z"),
        (0, 86_400_000_000, "10:00:00Z to 2026-11-23 10:00:00Z"),
    ],
)
def test_an_interval_is_rounded_outward(start_us: int, end_us: int, words: str) -> None:
    interval = Interval(start_us=START_US + start_us, end_us=START_US + end_us)

    assert texts.interval_text(interval, "2026-11-22") == words


def test_a_time_without_a_common_day_carries_its_day() -> None:
    assert texts.time_text(START_US) == "2026-11-22 10:00:00Z"
    assert texts.time_text(START_US + 14 * 3600 * US_PER_S - 1) == "2026-11-23 00:00:00Z"


@pytest.mark.slow
def test_the_day_is_common_only_where_all_times_lie_on_it() -> None:
    assert texts.common_day(simple_report()) == "2026-11-22"
    assert texts.common_day(many_report(300)) is None
    assert texts.common_day(clear_report()) is None


@pytest.mark.parametrize(
    ("leaf", "vertical"),
    [
        ("any/vertical", True), ("en-route/any/vertical-2", True), ("any/lateral", False),
        ("vertical/lateral", False), ("1000 ft", True), ("5 NM", False), ("any/duration", False),
    ],
)  # fmt: skip
def test_a_leaf_is_vertical_by_the_last_part_of_its_path(leaf: str, vertical: bool) -> None:  # noqa: FBT001
    assert texts.is_vertical(leaf) is vertical


@pytest.mark.parametrize(
    ("duration_us", "words"),
    [
        (0, "0 s"), (1, "0.1 s"), (9_900_000, "9.9 s"), (92_000_000, "1 min 32 s"),
        (3_600_000_000, "1 h"), (3_661_000_000, "1 h 1 min 1 s"),
    ],
)  # fmt: skip
def test_a_duration_names_its_units(duration_us: int, words: str) -> None:
    assert texts.duration_text(duration_us) == words


def test_a_margin_carries_its_sign() -> None:
    assert texts.margin_text(-213.36, "any/vertical") == "−700 ft"
    assert texts.margin_text(213.36, "any/vertical") == "+700 ft"
    assert texts.margin_text(None, "any/vertical") == "cannot be known"
    assert texts.margin_text(float("inf"), "any/vertical") == "cannot be known"


def test_worst_comes_first_and_then_soonest() -> None:
    ranked = texts.ranked(eastern_mediterranean().findings)

    order = list(Verdict)
    keys = [(order.index(f.verdict), texts.start_us(f)) for f in ranked]
    assert keys == sorted(keys)
    assert ranked == texts.ranked(ranked[::-1])


@given(st.text())
def test_printable_text_has_no_control_or_direction_character(text: str) -> None:
    shown = texts.printable(text)

    assert not re.search(r"[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\u2028\u2029]", shown)
    assert texts.printable(shown) == shown


def test_no_output_uses_a_word_to_avoid() -> None:
    reports = [eastern_mediterranean(), clear_report(), only_gaps_report()]
    said = [table_text(one, see_it="keepclear check a b") + html_report(one) for one in reports]

    # "RVSM approval assumed." is a note of the check, in the words of the issue.
    assert [found for text in said for found in AVOIDED.findall(text)] == []


def test_no_source_of_the_outputs_uses_a_word_to_avoid(repository: Path) -> None:
    files = [*(repository / "src/keepclear/reports").glob("*.py")]

    for file in files:
        assert not AVOIDED.search(file.read_text(encoding="utf-8")), file


@pytest.mark.parametrize(
    "answer", [table_text, json_report, geojson_report, kml_report, html_report, repr_html]
)
@pytest.mark.parametrize("report", [simple_report, clear_report])
def test_every_answer_says_that_no_notice_means_nothing(
    answer: Callable[[Report], str], report: Callable[[], Report]
) -> None:
    words = "Absence of notification implies nothing and changes no legal protection."

    assert words in answer(report())


@pytest.mark.parametrize("answer", [table_text, kml_report, html_report, repr_html])
def test_every_count_says_that_something_was_left_out(answer: Callable[[Report], str]) -> None:
    lossy = replace(clear_report(), left_out=("a.csv: row 2",), faults_left_out=1)

    assert "among 2 plans (1 pair), without what --lenient left out (1 fault)" in answer(lossy)
