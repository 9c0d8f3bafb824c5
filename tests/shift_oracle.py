# SPDX-License-Identifier: Apache-2.0
"""Time tolerance by brute force: every shift of a grid, each asked of the oracle apart.

`definitions.md`, *Time tolerance*, word for word: with u and w on the plans' own clocks all
(u, w) with -(late_a + early_b) <= u - w <= early_a + late_b are compared, a `time` leaf T
widens that by T at each end. A difference of clocks is a *lag*; b later by a lag is a pair of
plans at equal times. What a grid cannot give exactly, the ends of an extent, is searched for
between its lags.
"""

import math
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from keepclear.detect.cylinders import Cylinder
from tests.motion import Plan, Span
from tests.oracle import closest, violations

Extent = tuple[float, float]
GOLDEN: Final = (math.sqrt(5) - 1) / 2


class Shifted(NamedTuple):
    """What one lag makes real: spans on a's clock, and on the clock."""

    lag_us: int
    spans: tuple[Span, ...]
    clock: tuple[Span, ...]


def lags_us(a: Plan, b: Plan, cylinder: Cylinder, *, uncertainty: bool = True) -> tuple[int, int]:
    """Return the least and greatest difference of clocks that is compared."""
    without_us = 0 if uncertainty else a.clock_us + b.clock_us
    more_us = (cylinder.time_us or 0) - without_us
    return -(a.late_us + b.early_us) - more_us, a.early_us + b.late_us + more_us


def at_lag(a: Plan, b: Plan, cylinder: Cylinder, lag_us: int, extra_m: float = 0.0) -> Shifted:
    """Return when two plans are inside a cylinder at one lag."""
    found = violations(a, b, cylinder, lag_us=lag_us, extra_m=extra_m)
    spans = tuple(violation.span for violation in found if violation.is_known)
    return Shifted(lag_us, spans, tuple(on_clock(a, b, span, lag_us / 1e6) for span in spans))


def on_clock(a: Plan, b: Plan, span: Span, lag_s: float) -> Span:
    """Return the clock instants at which an allowed shift makes a span of a's clock real.

    At u on a's clock and w = u - lag on b's these are max(u - early_a, w - early_b) to
    min(u + late_a, w + late_b). Beyond the tolerances (a `time` leaf) the two pass at different
    instants, and the span is from the first to the last of both.
    """
    early = max(-a.early_us / 1e6, -b.early_us / 1e6 - lag_s)
    late = min(a.late_us / 1e6, b.late_us / 1e6 - lag_s)
    low, high = sorted((early, late))
    return Span(span.start_s + low, span.end_s + high)


def grid(a: Plan, b: Plan, cylinder: Cylinder, count: int, extra_m: float = 0.0) -> list[Shifted]:
    """Return what evenly spaced lags make real, the first and the last one among them."""
    low_us, high_us = lags_us(a, b, cylinder)
    lags = sorted({low_us + (high_us - low_us) * k // (count - 1) for k in range(count)})
    return [at_lag(a, b, cylinder, lag_us, extra_m) for lag_us in lags]


Measure = Callable[[Shifted], float]


def greatest(
    a: Plan, b: Plan, cylinder: Cylinder, shifts: Sequence[Shifted], measure: Measure
) -> float:
    """Return the greatest value of a measure over all lags, -inf where nothing is found.

    A grid has it in one of its peaks; between the neighbours of each it is searched for.
    """
    values = [-math.inf, *(measure(shift) for shift in shifts), -math.inf]
    top = max(values)
    for k, value in enumerate(values[1:-1]):
        if value > -math.inf and value >= values[k] and value >= values[k + 2]:
            for other in (max(k - 1, 0), min(k + 1, len(shifts) - 1)):
                ends_us = shifts[k].lag_us, shifts[other].lag_us
                top = max(top, _peak(a, b, cylinder, ends_us, measure))
    return top


def _peak(
    a: Plan, b: Plan, cylinder: Cylinder, between_us: tuple[int, int], measure: Measure
) -> float:
    """Return the greatest value of a measure that rises and then falls from one lag to another.

    Golden section; beyond some lag there may be nothing (-inf), at the first there is something.
    """
    first_us, last_us = between_us
    top = -math.inf
    while abs(last_us - first_us) > 100:
        step_us = round((last_us - first_us) * GOLDEN)
        near, far = (
            measure(at_lag(a, b, cylinder, lag_us))
            for lag_us in (last_us - step_us, first_us + step_us)
        )
        top = max(top, near, far)
        if near >= far:
            last_us = first_us + step_us
        else:
            first_us = last_us - step_us
    return top


def ends(shift: Shifted) -> dict[str, float]:
    """Return how far one lag reaches on each clock; starts are negated, so that more is more."""
    lag_s = shift.lag_us / 1e6
    if not shift.spans:
        return dict.fromkeys(
            ("start_a", "end_a", "start_b", "end_b", "start", "end", "lag"), -math.inf
        )
    first, last = shift.spans[0].start_s, shift.spans[-1].end_s
    return {
        "start_a": -first,
        "end_a": last,
        "start_b": lag_s - first,
        "end_b": last - lag_s,
        "start": -min(span.start_s for span in shift.clock),
        "end": max(span.end_s for span in shift.clock),
        "lag": -abs(lag_s),
    }


def least_distance_m(a: Plan, b: Plan, shifts: Sequence[Shifted]) -> float:
    """Return the least lateral distance inside the spans of a grid."""
    return min(
        (closest(a, b, shift.spans, shift.lag_us).value for shift in shifts if shift.spans),
        default=math.inf,
    )
