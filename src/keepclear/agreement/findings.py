# SPDX-License-Identifier: Apache-2.0
"""What was found for a pair of plans: verdict, when, how close, which leaf, by how much.

Verdicts, worst first: CONFLICT; UNDETERMINED (heights that cannot be compared; counts as
conflict); BOUNDARY (within the guard band; counts as conflict); LIMITED (inside, but not for
longer than a duration leaf allows); CLEAR, which is never listed.
"""

from enum import StrEnum

import msgspec


class Verdict(StrEnum):
    """How a pair stands; the order of definition is worst first."""

    CONFLICT = "CONFLICT"
    UNDETERMINED = "UNDETERMINED"
    BOUNDARY = "BOUNDARY"
    LIMITED = "LIMITED"
    CLEAR = "CLEAR"


class Interval(msgspec.Struct, frozen=True, kw_only=True, order=True):
    """From one instant to another, microseconds UTC."""

    start_us: int
    end_us: int


class ClosestPoint(msgspec.Struct, frozen=True, kw_only=True):
    """The closest point of approach within the finding's intervals.

    time_us: the earliest clock instant that makes it real. latitude_deg, longitude_deg: midpoint
    of the two. lateral_m: horizontal distance there. vertical_m: difference of height there,
    None where the heights cannot be compared.
    """

    time_us: int
    latitude_deg: float
    longitude_deg: float
    lateral_m: float
    vertical_m: float | None


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """A pair of plans that is not CLEAR.

    id: the same from run to run. a, b: names of the plans, in the order of (party, name).
    a_index, b_index: their places in the report's plans. intervals: on the clock, and on each
    plan's own clock. all_intervals: on the clock, of every verdict that is not CLEAR, where
    `intervals` are those of the worst. rule, leaf: what is broken and the leaf that gives the
    margin. margin_m: the least of (value minus minimum) over all compared instants, None where it
    cannot be known; short_by_m is its negative where that is above 0. short_by_s: seconds over
    a duration leaf or inside a time leaf. reason: why, for UNDETERMINED and BOUNDARY.
    """

    id: str
    a: str
    b: str
    a_index: int
    b_index: int
    parties: tuple[str, str]
    verdict: Verdict
    intervals: tuple[Interval, ...]
    intervals_a: tuple[Interval, ...]
    intervals_b: tuple[Interval, ...]
    cpa: ClosestPoint | None
    rule: str
    leaf: str
    short_by_m: float | None
    short_by_s: float | None
    margin_m: float | None
    margin_without_uncertainty_m: float | None
    reason: str = ""
    all_intervals: tuple[Interval, ...] = ()
