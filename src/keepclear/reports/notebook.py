# SPDX-License-Identifier: Apache-2.0
"""A report as a small table in a notebook.

`checks` knows no outputs, so a report does not draw itself. `check` here is the check with its
answer as a `ShownReport`, which a notebook displays with `repr_html`.
"""

from collections.abc import Callable
from functools import wraps
from typing import Final, ParamSpec

from keepclear.agreement.findings import Finding
from keepclear.checks.check import check as plain_check
from keepclear.checks.report import Report
from keepclear.reports import texts
from keepclear.reports.markup import NOTHING, Markup, joined, tag, text

Asked = ParamSpec("Asked")

ROWS_AT_MOST: Final = 50
COLUMNS: Final = ("verdict", "when", "a", "b", "lateral", "vertical", "short by")


class ShownReport(Report, frozen=True, kw_only=True):
    """A report that a notebook displays as a table."""

    def _repr_html_(self) -> str:
        return repr_html(self)


def shown(report: Report) -> ShownReport:
    """Return the same report, as one that a notebook displays."""
    return ShownReport(**{name: getattr(report, name) for name in report.__struct_fields__})


def _shown_by(call: Callable[Asked, Report]) -> Callable[Asked, ShownReport]:
    @wraps(call)
    def answer(*args: Asked.args, **named: Asked.kwargs) -> ShownReport:
        return shown(call(*args, **named))

    return answer


check = _shown_by(plain_check)


def repr_html(report: Report) -> str:
    """Return the verdicts counted and a row a finding, as HTML to stand in another page."""
    day = texts.common_day(report)
    findings = texts.ranked(report.findings)
    head = tag("tr", *(tag("th", text(name)) for name in COLUMNS))
    rows = [_row(finding, day) for finding in findings[:ROWS_AT_MOST]]
    table = tag("table", tag("thead", head), tag("tbody", *rows)) if rows else NOTHING
    more = len(findings) - ROWS_AT_MOST
    lines = [f"… and {more:,} more: to_records() has all"] if more > 0 else []
    lines += [texts.gaps_text(report), f"Rules: {texts.rules_text(report)}."]
    lines += [*report.notes, *([f"All times on {day}."] if day else [])]
    lines += [texts.NOT_LOOKED_AT, texts.NO_NOTICE]
    counted = f"{texts.counts_text(report)} {texts.among_text(report)}."
    said = joined((text(line) for line in lines if line), tag("br"))
    return tag("div", tag("p", tag("b", text(counted))), table, tag("p", said))


def _row(finding: Finding, day: str | None) -> Markup:
    cpa = finding.cpa
    vertical = texts.vertical_text(cpa.vertical_m) if cpa and cpa.vertical_m is not None else "?"
    cells = (
        finding.verdict, texts.intervals_text(finding.intervals, day),
        f"{texts.shortened(finding.a, 40)} ({texts.shortened(finding.parties[0], 40)})",
        f"{texts.shortened(finding.b, 40)} ({texts.shortened(finding.parties[1], 40)})",
        texts.lateral_text(cpa.lateral_m) if cpa else "?", vertical, texts.short_by_text(finding),
    )  # fmt: skip
    return tag("tr", *(tag("td", text(cell)) for cell in cells))
