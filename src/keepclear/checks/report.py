# SPDX-License-Identifier: Apache-2.0
"""The answer of a check: what was compared, what was found, what was assumed, what is unknown.

1. Only pairs that are not CLEAR are listed.
2. The words are "none found among N plans", never that there is nothing.
   "Every pair is CLEAR" is said only where every part of every file was compared.
3. `paths` holds what is needed to draw the plans of the findings, and no others.
"""

from collections.abc import Mapping
from enum import IntEnum

import msgspec

from keepclear.agreement.findings import Finding, Verdict
from keepclear.airspace.altitudes import Altitude
from keepclear.airspace.positions import Edge
from keepclear.airspace.volumes import Volume4D
from keepclear.units import format_time


class Exit(IntEnum):
    """Exit status of `keepclear check`."""

    CLEAR = 0
    FOUND = 1
    BAD_INPUT = 2
    ONLY_GAPS = 3


class Gap(msgspec.Struct, frozen=True, kw_only=True):
    """A time in which nothing is known of a plan: from a point to the next, too far apart."""

    plan: str
    start_us: int
    end_us: int
    why: str


class PathPoint(msgspec.Struct, frozen=True, kw_only=True):
    """Where a plan is at a time; altitude None where its file gives none."""

    time_us: int
    latitude_deg: float
    longitude_deg: float
    altitude: Altitude | None


class Path(msgspec.Struct, frozen=True, kw_only=True):
    """A plan as it can be drawn: stretches of points without a gap in them, and volumes.

    edge: how the points of a stretch are joined, as the plan's file declares.
    """

    name: str
    party: str
    edge: Edge = Edge.GEODESIC
    stretches: tuple[tuple[PathPoint, ...], ...] = ()
    volumes: tuple[Volume4D, ...] = ()


class RuleUsed(msgspec.Struct, frozen=True, kw_only=True):
    """One rule as it was used.

    id: as in `Finding.rule`. asks: what must lie between two craft. binds: which pairs and
    where, "" for any pair everywhere. text: the clause in words, "" where there is none.
    """

    id: str
    asks: str
    binds: str = ""
    text: str = ""


class RulesUsed(msgspec.Struct, frozen=True, kw_only=True):
    """The rules as they were used: name, what they say in one line, where they come from.

    rules: each of them, in the order of the file.
    """

    name: str
    text: str
    rules: tuple[RuleUsed, ...] = ()
    source: str = ""
    note: str = ""
    was_default: bool = False


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """What `check` found.

    kernel: version of the kernel. plans, pairs: how many were compared. counts: pairs a verdict
    (CLEAR left out). notes: what was assumed and what the readers did, each a sentence.
    left_out: what of files was not used (`lenient`), in lines; from a hundred faults of a file on
    a line stands for many, so faults_left_out counts them. unknown: gaps. paths: a_index and
    b_index of a finding -> how to draw it. files: the files read.
    """

    kernel: str
    rules: RulesUsed
    files: tuple[str, ...]
    plans: int
    pairs: int
    findings: tuple[Finding, ...]
    unknown: tuple[Gap, ...]
    notes: tuple[str, ...]
    left_out: tuple[str, ...]
    faults_left_out: int
    paths: Mapping[int, Path]

    @property
    def counts(self) -> dict[str, int]:
        """Pairs a verdict, worst first, without CLEAR."""
        shown = [verdict for verdict in Verdict if verdict is not Verdict.CLEAR]
        return {v.value: sum(f.verdict is v for f in self.findings) for v in shown}

    @property
    def exit_status(self) -> Exit:
        """0 every pair CLEAR, 1 any pair that is not, 3 only gaps or what was left out."""
        if self.findings:
            return Exit.FOUND
        return Exit.ONLY_GAPS if self.unknown or self.left_out else Exit.CLEAR

    def to_records(self) -> list[dict[str, object]]:
        """Return one flat dict a finding, for a data frame; times as RFC 3339 text."""
        return [_record(finding) for finding in self.findings]


def _record(finding: Finding) -> dict[str, object]:
    cpa = finding.cpa
    return {
        "id": finding.id, "verdict": finding.verdict.value, "a": finding.a, "b": finding.b,
        "party_a": finding.parties[0], "party_b": finding.parties[1],
        "start": format_time(finding.intervals[0].start_us) if finding.intervals else None,
        "end": format_time(finding.intervals[-1].end_us) if finding.intervals else None,
        "cpa_time": format_time(cpa.time_us) if cpa else None,
        "cpa_latitude": cpa.latitude_deg if cpa else None,
        "cpa_longitude": cpa.longitude_deg if cpa else None,
        "lateral_m": cpa.lateral_m if cpa else None,
        "vertical_m": cpa.vertical_m if cpa else None,
        "rule": finding.rule, "leaf": finding.leaf, "short_by_m": finding.short_by_m,
        "short_by_s": finding.short_by_s, "margin_m": finding.margin_m,
        "margin_without_uncertainty_m": finding.margin_without_uncertainty_m,
    }  # fmt: skip
