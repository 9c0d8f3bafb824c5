# SPDX-License-Identifier: Apache-2.0
"""The report of a record says of none-heres and incident cases what a play's story says."""

import html
import re
from collections.abc import Iterable
from typing import Final

import pytest

from keepclear.plays.running import Played
from keepclear.record.views import view_of
from keepclear.reports.after_action import Reader, retell
from keepclear.reports.after_action_html import after_action_html
from keepclear.reports.after_action_words import Proof
from tests.exchange_plays import example, played

HOUR_US: Final = 3_600_000_000
SAID: Final = (
    "states none-here 1, to b", "withdraws none-here 1", 'why: "one of ours crosses"',
    "opens incident case 1 with a, URGENT, about none-here 1", "CONTRADICTED: none-here 1 of a",
    "by: a 1, version 1, filed: is in it", "shown: to a and b, in incident case 1",
    "asks in incident case 1", 'asks: "Whose is it, and does it go?"',
    "writes line 1 of incident case 1", "agrees to line 1 of incident case 1",
    "does not agree to line 2 of incident case 1", "OVERDUE: the reply of a in incident case 1",
    'says: "Ours. It was filed by another watch."', "would close incident case 1",
    "incident case 1 is closed: both have said so", "URGENT: a and b, nobody else",
    "CONTRADICTED: a, nobody else",
    "None-here 1 CONTRADICTED and withdrawn; incident case 1 closed.",
)  # fmt: skip


@pytest.fixture(scope="module")
def case() -> Played:
    return played(example("incident_case.toml"))


def words_of(lines: Iterable[bytes], from_us: int | None = None, to_us: int | None = None) -> str:
    """Return the words of the report, its tags left out."""
    reader = Reader()
    for number, line in enumerate(lines, start=1):
        reader.take(number, line)
    page = after_action_html(retell(reader, from_us, to_us), Proof("PROVEN", "PROVEN", ("",)))
    return html.unescape(re.sub(r"<[^>]+>", "\n", page))


@pytest.mark.parametrize("said", SAID)
def test_a_report_says_what_was_done_asked_answered_and_told_in_a_case(
    case: Played, said: str
) -> None:
    assert said in words_of(case.lines)


def test_no_case_or_none_here_is_called_an_operation_and_none_is_left_without_words(
    case: Played,
) -> None:
    page = words_of(case.lines)

    assert re.findall(r"operation [0-9a-f]{8}", page) == []
    assert "see keepclear record show" not in page


def test_a_report_of_a_view_tells_a_case_and_not_what_the_other_alone_was_told(
    case: Played,
) -> None:
    of_b = words_of(view_of(case.lines, "b"))

    assert "opens incident case 1 with a, URGENT, about none-here 1" in of_b
    assert "CONTRADICTED: a, nobody else" not in of_b
    assert "shown: to a and b, in incident case 1" in of_b
    assert "CONTRADICTED: a, nobody else" in words_of(view_of(case.lines, "a"))


def test_a_report_of_a_late_range_names_the_case_that_was_opened_before_it(case: Played) -> None:
    reader = Reader()
    for number, line in enumerate(case.lines, start=1):
        reader.take(number, line)
    start_us = reader.moments[0].at_us
    page = words_of(case.lines, start_us + 45 * HOUR_US, start_us + 50 * HOUR_US)

    assert "OVERDUE: the reply of a in incident case 1" in page
    assert "states none-here" not in page
    assert "incident case 1 overdue." in page


def test_numbers_of_a_conflict_are_said_to_be_as_shown_beside_them(case: Played) -> None:
    assert words_of(case.lines).count("0 m and 0 ft apart, as shown") == 2
