# SPDX-License-Identifier: Apache-2.0
"""A report as JSON, for programs.

| key      | what                                                                             |
|----------|----------------------------------------------------------------------------------|
| kernel   | version of the kernel                                                            |
| rules    | name, text, source, note, was_default; rules: id, asks, binds, text of each;     |
|          | assumed: sentences; left_out: lines                                              |
| checked  | plans, pairs: how many were compared                                             |
| counts   | pairs a verdict: CONFLICT, LIMITED, BOUNDARY, UNDETERMINED                       |
| findings | one object a pair that is not CLEAR, worst verdict first, then soonest           |
| unknown  | gaps: plan, start, end, why                                                      |
| notice   | what the answer does not mean, in a sentence                                     |

Times are RFC 3339 in UTC with microseconds, lengths metres to a tenth of a millimetre, places
WGS 84 degrees to nine decimals. What is not known is null. docs/check.md has every key.
"""

import math
from typing import Any, Final

import msgspec

from keepclear.agreement.findings import ClosestPoint, Finding, Interval, Verdict
from keepclear.checks.report import Gap, Report
from keepclear.reports.texts import NO_NOTICE, ranked
from keepclear.units import format_time

COUNTED: Final = (Verdict.CONFLICT, Verdict.LIMITED, Verdict.BOUNDARY, Verdict.UNDETERMINED)
_LENGTH_PLACES: Final = 4
_DEGREE_PLACES: Final = 9


def json_report(report: Report) -> str:
    """Return the report as JSON text that ends in a newline."""
    counts = report.counts
    rules = report.rules
    whole = {
        "kernel": report.kernel,
        "rules": {
            "name": rules.name, "text": rules.text, "source": rules.source, "note": rules.note,
            "was_default": rules.was_default, "rules": rules.rules, "assumed": report.notes,
            "left_out": report.left_out,
        },
        "checked": {"plans": report.plans, "pairs": report.pairs},
        "counts": {verdict.value: counts[verdict.value] for verdict in COUNTED},
        "findings": [finding_values(finding) for finding in ranked(report.findings)],
        "unknown": [gap_values(gap) for gap in report.unknown],
        "notice": NO_NOTICE,
    }  # fmt: skip
    return msgspec.json.format(msgspec.json.encode(whole), indent=2).decode() + "\n"


def finding_values(finding: Finding) -> dict[str, Any]:
    """Return a finding under its keys."""
    return {
        "id": finding.id,
        "a": finding.a,
        "b": finding.b,
        "parties": finding.parties,
        "verdict": finding.verdict.value,
        "intervals": _intervals(finding.intervals),
        "intervals_a": _intervals(finding.intervals_a),
        "intervals_b": _intervals(finding.intervals_b),
        "cpa": _closest(finding.cpa),
        "rule": finding.rule,
        "leaf": finding.leaf,
        "short_by": _length(finding.short_by_m),
        "short_by_s": finding.short_by_s,
        "margin_m": _length(finding.margin_m),
        "margin_without_uncertainty_m": _length(finding.margin_without_uncertainty_m),
    }


def _intervals(intervals: tuple[Interval, ...]) -> list[dict[str, str]]:
    return [{"start": format_time(i.start_us), "end": format_time(i.end_us)} for i in intervals]


def _closest(cpa: ClosestPoint | None) -> dict[str, Any] | None:
    if cpa is None:
        return None
    return {
        "time": format_time(cpa.time_us),
        "latitude": round(cpa.latitude_deg, _DEGREE_PLACES) + 0.0,
        "longitude": round(cpa.longitude_deg, _DEGREE_PLACES) + 0.0,
        "lateral_m": _length(cpa.lateral_m),
        "vertical_m": _length(cpa.vertical_m),
    }


def gap_values(gap: Gap) -> dict[str, str]:
    """Return a gap under its keys."""
    start, end = format_time(gap.start_us), format_time(gap.end_us)
    return {"plan": gap.plan, "start": start, "end": end, "why": gap.why}


def _length(length_m: float | None) -> float | None:
    if length_m is None or not math.isfinite(length_m):
        return None
    return round(length_m, _LENGTH_PLACES) + 0.0  # no -0.0
