# SPDX-License-Identifier: Apache-2.0
"""The two sides of a finding as they are drawn: letter, colour of the party, line, path.

A party has one colour in the whole report. Plan A is solid and plan B dashed, so that the two
are told apart without colours and where both are of one party.
"""

from collections.abc import Mapping
from typing import Final

import msgspec

from keepclear.agreement.findings import Finding, Interval, Verdict
from keepclear.checks.report import Path, Report

# Dark enough on white (3.9:1 and more); the first two are Okabe and Ito's (2008), the others
# Tol's (2021): told apart with any colour vision.
PALETTE: Final = ("#0072b2", "#d55e00", "#117733", "#882255", "#7f5f00", "#333333")
SYMBOLS: Final = {
    Verdict.CONFLICT: "×", Verdict.UNDETERMINED: "?", Verdict.BOUNDARY: "≈", Verdict.LIMITED: "○",
}  # fmt: skip


class Side(msgspec.Struct, frozen=True, kw_only=True):
    """One plan of a finding; `intervals` are on its own clock, `dash` is SVG's."""

    letter: str
    name: str
    party: str
    colour: str
    dash: str | None
    path: Path
    intervals: tuple[Interval, ...]


def party_colours(report: Report) -> dict[str, str]:
    """Return the colour of each party that a finding names; from the seventh on they repeat."""
    parties = sorted({party for finding in report.findings for party in finding.parties})
    return {party: PALETTE[i % len(PALETTE)] for i, party in enumerate(parties)}


def sides_of(report: Report, finding: Finding, colours: Mapping[str, str]) -> tuple[Side, Side]:
    """Return both sides of a finding."""
    party_a, party_b = finding.parties
    a = Side(
        letter="A", name=finding.a, party=party_a, colour=colours[party_a], dash=None,
        path=report.paths.get(finding.a_index) or Path(name=finding.a, party=party_a),
        intervals=finding.intervals_a,
    )  # fmt: skip
    b = Side(
        letter="B", name=finding.b, party=party_b, colour=colours[party_b], dash="7 4",
        path=report.paths.get(finding.b_index) or Path(name=finding.b, party=party_b),
        intervals=finding.intervals_b,
    )  # fmt: skip
    return a, b
