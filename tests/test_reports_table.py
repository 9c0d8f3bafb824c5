# SPDX-License-Identifier: Apache-2.0
"""The answer on a terminal: verdict first, aligned, whole at 80 columns, plain when piped."""

import re

import pytest
from msgspec.structs import replace

from keepclear.checks.report import Report
from keepclear.reports.table import ROWS_AT_MOST, table_text
from tests.sample_reports import (
    HOSTILE,
    clear_report,
    eastern_mediterranean,
    hostile_report,
    many_report,
    only_gaps_report,
    simple_report,
)

SEE_IT = "keepclear check north.csv south.csv --format html --output report.html"


def test_one_finding_reads_as_the_example_in_the_style_guide() -> None:
    shown = table_text(simple_report(), see_it=SEE_IT)

    assert shown.splitlines() == [
        "CONFLICT  N101 EXERCISE (north) and S88 EXERCISE (south), 10:14:43Z to 10:15:43Z",
        "  closest   10:15:13Z at 34.5361N 031.6338E: 0.95 NM and 295 ft apart",
        "  rule      5 NM or 1000 ft: short by 705 ft vertically",
        f"  see it    {SEE_IT}",
        "",
        "1 CONFLICT among 2 plans (1 pair). All times on 2026-11-22. Heights: pressure",
        "altitude, both. RVSM approval assumed.",
        "Rules: 5 NM / 1000 ft: 5 NM or 1000 ft (the default: no --rules were given).",
        "Plans that are not in these files were not looked at.",
        "Absence of notification implies nothing and changes no legal protection.",
    ]


def test_nothing_found_says_among_how_many() -> None:
    shown = table_text(clear_report())

    assert shown.startswith("None found among 2 plans (1 pair).")
    assert "Plans that are not in these files were not looked at." in shown


def test_only_gaps_are_named_with_their_times() -> None:
    shown = table_text(only_gaps_report())

    assert "1 gap in which nothing is known and nothing was compared." in shown
    assert "  N101 EXERCISE, 10:00:00Z to 10:09:00Z: no position for 9 min" in shown


@pytest.mark.parametrize("width", [40, 60, 80, 120])
@pytest.mark.parametrize(
    "report", [simple_report(), eastern_mediterranean(), hostile_report(), many_report(30)],
    ids=["simple", "mediterranean", "hostile", "many"],
)  # fmt: skip
def test_no_line_is_wider_than_the_terminal(report: Report, width: int) -> None:
    assert max(map(len, table_text(report, width=width).splitlines())) <= width


def test_the_command_to_copy_is_never_broken() -> None:
    for report in (simple_report(), eastern_mediterranean()):
        assert SEE_IT in table_text(report, width=40, see_it=SEE_IT)


def test_every_verdict_is_a_word_and_colours_come_only_when_asked() -> None:
    plain = table_text(eastern_mediterranean())
    coloured = table_text(eastern_mediterranean(), colour=True)

    assert "\x1b" not in plain
    assert "\x1b" in coloured
    assert re.sub(r"\x1b\[[\d;]*m", "", coloured) == plain
    for word in ("CONFLICT", "UNDETERMINED", "BOUNDARY", "LIMITED"):
        assert re.search(rf"^{word} ", plain, re.MULTILINE)


def test_each_plans_own_times_are_shown_where_they_differ() -> None:
    shown = table_text(eastern_mediterranean())

    assert "  own clock S88 EXERCISE 10:14:00Z to 10:17:00Z" in shown


def test_an_undetermined_pair_says_why() -> None:
    shown = table_text(eastern_mediterranean())

    assert "heights cannot be" in shown
    assert "  why       S99 EXERCISE: the file gives no height" in shown


@pytest.mark.slow
def test_many_findings_have_a_row_each_and_the_rest_is_counted() -> None:
    shown = table_text(many_report(ROWS_AT_MOST + 7))

    assert sum(line.startswith("CONFLICT ") for line in shown.splitlines()) == ROWS_AT_MOST
    assert "… and 7 more: --format json has all" in shown
    assert f"{ROWS_AT_MOST + 7} CONFLICT among 1,243 plans" in shown


def test_what_was_left_out_is_listed() -> None:
    shown = table_text(eastern_mediterranean())

    assert "Left out by --lenient, so not compared (1 fault):" in shown
    assert "  north.csv: row 17" in shown


def test_names_from_files_cannot_move_the_cursor_or_be_markup() -> None:
    shown = table_text(hostile_report(), colour=True)

    assert "\x1b[31mred" not in shown
    assert "\u202e" not in shown
    assert "[bold]not markup" in shown
    assert HOSTILE[4] not in shown.split("Rules:", maxsplit=1)[0].replace("\n", "")[:400]


def test_a_finding_without_times_or_place_is_still_printed() -> None:
    bare = replace(
        simple_report().findings[0], intervals=(), intervals_a=(), intervals_b=(), cpa=None
    )
    shown = table_text(replace(simple_report(), findings=(bare,)))

    assert shown.startswith("CONFLICT  N101 EXERCISE (north) and S88 EXERCISE (south), at no time")
