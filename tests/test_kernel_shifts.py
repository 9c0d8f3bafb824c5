# SPDX-License-Identifier: Apache-2.0
"""Time tolerance: what the kernel finds in the plane of two clocks is what every shift finds."""

import math
import random
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Final

import numpy as np
import pytest

from keepclear.detect import sweep as column
from keepclear.detect.cylinders import Cylinder
from keepclear.detect.sweep import BOUNDARY, CLEAR, CONFLICT
from tests.kernel_pairs import (
    EN_ROUTE,
    FOOT_TMM,
    NAUTICAL_MILE_TMM,
    US,
    Rows,
    band_m,
    crossing,
    rows_of,
    spans_of,
    verdict_of,
)
from tests.motion import Fix, Leg, Plan, Span, legs_of, look
from tests.oracle import least_margin
from tests.shift_oracle import Shifted, at_lag, ends, greatest, grid, lags_us, least_distance_m

a_millisecond: Final = 1e-3
a_millimetre: Final = 1e-3
a_tenth_of_a_metre: Final = 0.1
a_twentieth_of_a_millimetre_tmm: Final = 0.5

TIMED: Final = Cylinder(
    lateral_tmm=3 * NAUTICAL_MILE_TMM, vertical_tmm=1000 * FOOT_TMM, time_us=45 * US
)
FROM_FL290: Final = Cylinder(
    lateral_tmm=5 * NAUTICAL_MILE_TMM, vertical_tmm=2000 * FOOT_TMM, both_from_tmm=29_000 * FOOT_TMM
)
CYLINDERS: Final = {"en route": EN_ROUTE, "timed": TIMED, "from FL290": FROM_FL290}


def tolerant(choose: random.Random) -> tuple[Plan, Plan]:
    """Return two plans that pass one another a minute or two apart, and may run early or late."""
    a, b = crossing(choose, 9_260.0)
    apart_us = choose.choice([0, choose.randrange(-90 * US, 90 * US)])

    def some() -> int:
        return choose.choice([0, choose.randrange(60 * US)])

    later = tuple(replace(fix, time_us=fix.time_us + apart_us) for fix in b.fixes)
    return (
        replace(a, early_us=some(), late_us=some()),
        replace(b, early_us=some(), late_us=max(some(), 1), fixes=later),
    )


def leg_at(plan: Plan, time_us: float) -> Leg:
    """Return the leg of a plan that is flown at a time on its own clock."""
    near = [
        leg
        for leg in legs_of(plan)
        if leg.start.time_us - 1 <= time_us <= leg.end.time_us + 1
    ]  # fmt: skip
    return near[0]


def assert_real(plans: Sequence[Plan], cylinder: Cylinder, row: Rows, band: float) -> None:
    """Assert that a row's closest point is one of the compared pairs of times, and inside."""
    a, b = plans
    u_us, w_us = float(row[column.CPA_A]), float(row[column.CPA_B])
    low_us, high_us = lags_us(a, b, cylinder)
    mine, its = leg_at(a, u_us), leg_at(b, w_us)
    lateral_m = look(mine, its, u_us / 1e6, (u_us - w_us) / 1e6).distance_m
    apart = mine.height_tmm(Fraction(u_us) / 10**6) - its.height_tmm(Fraction(w_us) / 10**6)
    minimum_m = (cylinder.lateral_tmm or 0) / 10_000
    early_us = max(u_us - a.early_us, w_us - b.early_us)

    assert low_us - 1 <= u_us - w_us <= high_us + 1
    assert abs(lateral_m - row[column.LATERAL_M]) < band + a_millimetre
    assert lateral_m < minimum_m + band
    assert abs(float(abs(apart)) - row[column.VERTICAL_TMM]) < a_twentieth_of_a_millimetre_tmm
    assert row[column.VERTICAL_TMM] < (cylinder.vertical_tmm or 0) + a_twentieth_of_a_millimetre_tmm
    if cylinder.time_us is None:
        assert abs(row[column.CPA] - early_us) < a_millisecond * US


def contains(outer: Sequence[Span], inner: Span) -> bool:
    """Tell whether a span is within one of others, to a millisecond."""
    return any(
        span.start_s - a_millisecond <= inner.start_s and inner.end_s <= span.end_s + a_millisecond
        for span in outer
    )


def assert_every_shift(plans: tuple[Plan, Plan], cylinder: Cylinder, lags: int) -> int:
    """Assert that what a grid of lags finds is in the kernel's rows, and these are real."""
    a, b = plans
    rows = rows_of(plans, cylinder)
    verdict, band = verdict_of(rows), band_m(plans, cylinder)
    for shift in grid(a, b, cylinder, lags, -band):
        lag_s = shift.lag_us / 1e6
        for span, clock in zip(shift.spans, shift.clock, strict=True):
            others = Span(span.start_s - lag_s, span.end_s - lag_s)
            start_a, start_b = column.START_A, column.START_B
            assert contains(
                spans_of(rows, CONFLICT, BOUNDARY, start=start_a, end=start_a + 1), span
            )
            assert contains(
                spans_of(rows, CONFLICT, BOUNDARY, start=start_b, end=start_b + 1), others
            )
            assert contains(spans_of(rows, CONFLICT, BOUNDARY), clock)
    for row in rows[rows[:, column.VERDICT] == CONFLICT]:
        assert_real(plans, cylinder, row, band)
    return verdict


@pytest.mark.slow
@pytest.mark.parametrize("name", CYLINDERS)
def test_whatever_a_shift_makes_real_is_found_and_what_is_found_is_real(name: str) -> None:
    verdicts = [
        assert_every_shift(tolerant(random.Random(seed)), CYLINDERS[name], 9) for seed in range(60)
    ]

    assert {CONFLICT, CLEAR} <= set(verdicts)


@pytest.mark.long
@pytest.mark.parametrize("name", CYLINDERS)
def test_whatever_a_dense_grid_of_shifts_makes_real_is_found(name: str) -> None:
    for seed in range(100, 400):
        assert_every_shift(tolerant(random.Random(seed)), CYLINDERS[name], 21)


def extents(rows: Rows) -> dict[str, float]:
    """Return how far rows reach, as `shift_oracle.ends`."""
    chosen = rows[rows[:, column.VERDICT] == CONFLICT]
    out = {}
    for name, place in (("_a", column.START_A), ("_b", column.START_B), ("", column.START)):
        out["start" + name] = -chosen[:, place].min() / 1e6
        out["end" + name] = chosen[:, place + 1].max() / 1e6
    return out | {"lag": -chosen[:, column.LEAST_LAG_S].min()}


def searched(
    plans: tuple[Plan, Plan], cylinder: Cylinder, shifts: Sequence[Shifted], name: str
) -> float:
    """Return how far the best of all shifts reaches."""
    return greatest(*plans, cylinder, shifts, lambda shift: ends(shift)[name])


def assert_extents(plans: tuple[Plan, Plan], cylinder: Cylinder, lags: int) -> bool:
    """Assert that extents, closest distance and margin are those of the best of all shifts."""
    a, b = plans
    rows = rows_of(plans, cylinder)
    if verdict_of(rows) != CONFLICT or (rows[:, column.VERDICT] == BOUNDARY).any():
        return False
    shifts = grid(a, b, cylinder, lags)
    found = [ends(shift) for shift in shifts]
    band = band_m(plans, cylinder)
    # the band is passed at no less than this rate, or the extent is not sharp to begin with
    slowest_mps = 5.0
    by_s = 2 * a_millisecond + band / slowest_mps
    for name, said_s in extents(rows).items():
        reached_s = max(end[name] for end in found)
        assert reached_s <= said_s + by_s
        if said_s > reached_s + by_s:
            reached_s = searched(plans, cylinder, shifts, name)
        if said_s > reached_s + by_s:  # a peak between two lags of the grid
            reached_s = searched(plans, cylinder, grid(a, b, cylinder, 8 * lags), name)
        assert reached_s <= said_s + by_s
        if reached_s > -math.inf:
            assert said_s <= reached_s + by_s
    said_m = rows[:, column.LATERAL_M].min()
    assert said_m <= least_distance_m(a, b, shifts) + band + a_millimetre
    margins = [
        least_margin(a, b, cylinder, lag_us=shift.lag_us).value for shift in shifts if shift.spans
    ]
    assert rows[:, column.MARGIN_M].min() <= min(margins, default=math.inf) + band + a_millimetre
    return True


@pytest.mark.slow
@pytest.mark.parametrize("name", ["en route", "timed"])
def test_extents_are_those_of_the_best_of_all_shifts(name: str) -> None:
    tried = [
        assert_extents(tolerant(random.Random(seed)), CYLINDERS[name], 9)
        for seed in range(500, 512)
    ]

    assert sum(tried) >= 3


@pytest.mark.long
@pytest.mark.parametrize("name", ["en route", "timed"])
def test_extents_are_those_of_the_best_of_all_shifts_in_hundreds_of_pairs(name: str) -> None:
    for seed in range(600, 800):
        assert_extents(tolerant(random.Random(seed)), CYLINDERS[name], 25)


def eastward(times_s: Sequence[float], mps: float, from_m: float, height_ft: int = 30_000) -> Plan:
    """Return a plan along the equator (WGS 84: a degree is 111 319.4908 m), at from_m at time 0."""
    return Plan(fixes=tuple(
        Fix(time_us=round(t * US), latitude_deg=0, longitude_deg=(from_m + mps * t) / 111_319.4908,
            height_tmm=height_ft * FOOT_TMM) for t in times_s
    ))  # fmt: skip


def northward(times_s: Sequence[float], mps: float, from_m: float) -> Plan:
    """Return a plan along the prime meridian near the equator, at from_m at time 0."""
    # the meridian's radius at the equator: a (1 - e^2) = 6 335 439 m, 110 574.27 m a degree
    return Plan(fixes=tuple(
        Fix(time_us=round(t * US), latitude_deg=(from_m + mps * t) / 110_574.2758,
            longitude_deg=0, height_tmm=30_000 * FOOT_TMM) for t in times_s
    ))  # fmt: skip


def test_crossing_tracks_have_the_extents_of_the_disc_in_the_plane_of_both_clocks() -> None:
    # at right angles at 200 and 100 m/s: (200 u)^2 + (100 w)^2 < 5000^2, so |u| < 25, |w| < 50;
    # tolerances of 80 s let every pair of these be real
    a = replace(eastward([-100, 100], 200, 0), early_us=80 * US, late_us=80 * US)
    b = northward([-100, 100], 100, 0)
    rows = rows_of((a, b), Cylinder(lateral_tmm=50_000_000))

    assert verdict_of(rows) == CONFLICT
    for name, extent_s in (("_a", 25), ("_b", 50)):
        assert abs(extents(rows)["end" + name] - extent_s) < a_millisecond
        assert abs(extents(rows)["start" + name] - extent_s) < a_millisecond
    # b has no tolerance, so the clock is b's
    assert abs(extents(rows)["end"] - 50) < a_millisecond
    assert rows[:, column.LATERAL_M].min() < a_tenth_of_a_metre
    assert abs(rows[:, column.MARGIN_M].min() + 5000) < a_tenth_of_a_metre


def test_the_first_and_the_last_instant_are_those_at_which_both_run_early_or_late_alike() -> None:
    # the same crossing: the first instant is the least of max(u - 40, w - 40) over the disc,
    # which is where u = w; the last is the greatest of min(u, w + 10), where w = u - 10
    a = replace(eastward([-100, 100], 200, 0), early_us=40 * US)
    b = replace(northward([-100, 100], 100, 0), early_us=40 * US, late_us=10 * US)
    first_s = -5000 / math.hypot(200, 100) - 40
    # (200 u)^2 + (100 (u - 10))^2 = 5000^2: 5 u^2 - 20 u - 2400 = 0
    last_s = 2 + math.sqrt(484)

    said = extents(rows_of((a, b), Cylinder(lateral_tmm=50_000_000)))

    assert abs(-said["start"] - first_s) < a_millisecond
    assert abs(said["end"] - last_s) < a_millisecond


def test_a_small_disc_inside_long_legs_is_found() -> None:
    # drones' 50 m between tracks of 10 km: no edge of what is compared comes within 50 m
    a = replace(eastward([-23, 25], 200, 0), early_us=300 * US, late_us=300 * US)
    b = northward([-27, 21], 200, 0)

    rows = rows_of((a, b), Cylinder(lateral_tmm=500_000))

    assert verdict_of(rows) == CONFLICT
    assert len(rows) == 1
    assert rows[0, column.LATERAL_M] < a_tenth_of_a_metre
    assert abs(extents(rows)["end_a"] - 0.25) < a_millisecond


def test_the_clock_instants_are_those_that_shifts_of_both_make_real() -> None:
    # both hover at one place, a from 0 to 10, b from 30 to 40; each may be 15 s early or late:
    # a is there until 25 at the latest, b from 15 on at the earliest
    a = replace(eastward([0, 10], 0, 0), early_us=15 * US, late_us=15 * US)
    b = replace(eastward([30, 40], 0, 0), early_us=15 * US, late_us=15 * US)

    rows = rows_of((a, b), EN_ROUTE)

    assert spans_of(rows, CONFLICT) == [Span(15, 25)]
    assert spans_of(rows, CONFLICT, start=column.START_A, end=column.END_A) == [Span(0, 10)]
    assert spans_of(rows, CONFLICT, start=column.START_B, end=column.END_B) == [Span(30, 40)]
    assert rows[0, column.CPA] == 15 * US


@pytest.mark.parametrize(("leaf_s", "verdict"), [(19.9, CLEAR), (20.1, CONFLICT)])
def test_a_time_leaf_widens_what_is_compared_by_itself(leaf_s: float, verdict: int) -> None:
    # one place is left 30 s before the other comes, each may be 5 s off: 20 s at the nearest
    a = replace(eastward([0, 10], 0, 0), late_us=5 * US)
    b = replace(eastward([40, 50], 0, 0), early_us=5 * US)
    rule = Cylinder(lateral_tmm=10_000_000, time_us=round(leaf_s * US))

    rows = rows_of((a, b), rule)

    assert verdict_of(rows) == verdict
    if verdict == CONFLICT:
        assert abs(rows[0, column.LEAST_LAG_S] - 30) < a_millisecond


def test_the_least_difference_of_clocks_is_found_inside_the_disc() -> None:
    # a passes the crossing 60 s before b; inside 1000 m at 200 m/s each the lag w - u is at least
    # 60 - 1000 sqrt(2) / 200: along x - y the disc's extreme is on neither axis
    a, b = eastward([-100, 100], 200, 0), northward([-40, 160], 200, -12_000)
    rule = Cylinder(lateral_tmm=10_000_000, time_us=100 * US)

    rows = rows_of((a, b), rule)

    least_s = 60 - 1000 * math.sqrt(2) / 200
    assert abs(rows[:, column.LEAST_LAG_S].min() - least_s) < 1e-5 * least_s


def test_of_many_closest_pairs_of_times_the_earliest_is_told() -> None:
    # two in trail at one speed are as near at every instant; the first is told
    leader, follower = eastward([0, 300], 200, 6000), eastward([0, 300], 200, 0)
    late = replace(leader, late_us=10 * US)

    rows = rows_of((follower, late), EN_ROUTE)
    row = rows[rows[:, column.LATERAL_M].argmin()]

    assert abs(row[column.LATERAL_M] - 4000) < a_tenth_of_a_metre
    assert np.isfinite(rows[:, [column.CPA, column.CPA_A, column.CPA_B]]).all()
    assert abs(row[column.CPA] - 10 * US) < a_millisecond * US


def test_every_time_told_is_a_number() -> None:
    # rounding of squares of kilometres must not leave a closest point without a time
    for seed in range(60):
        rows = rows_of(tolerant(random.Random(seed)), EN_ROUTE, TIMED)
        columns = [
            *range(column.START_A, column.VERTICAL_TMM),
            *range(column.CPA_X, column.COLUMNS),
        ]

        assert np.isfinite(rows[:, columns]).all()


def test_without_uncertainty_of_time_the_rest_of_the_tolerance_is_compared() -> None:
    a, b = eastward([0, 600], 200, 0), eastward([0, 600], 200, 5000)
    unsure = replace(a, early_us=20 * US, late_us=20 * US, clock_us=20 * US)

    with_it = rows_of((unsure, b), EN_ROUTE)
    without = rows_of((unsure, b), EN_ROUTE, uncertainty=False)

    assert verdict_of(with_it) == verdict_of(without) == CONFLICT
    assert abs(with_it[:, column.LATERAL_M].min() - 1000) < a_tenth_of_a_metre
    assert abs(without[:, column.LATERAL_M].min() - 5000) < a_tenth_of_a_metre


def test_a_tolerance_of_a_microsecond_is_a_tolerance() -> None:
    # 9260.0001 m apart in trail at 1000 m/s: a millimetre nearer when one is a microsecond late
    a, b = eastward([0, 60], 1000, 0), eastward([0, 60], 1000, 9260.3)
    sure, late = rows_of((a, b), EN_ROUTE), rows_of((a, replace(b, late_us=300)), EN_ROUTE)

    assert verdict_of(sure) == CLEAR
    assert verdict_of(late) <= BOUNDARY
    assert verdict_of(rows_of((a, replace(b, late_us=1000)), EN_ROUTE)) == CONFLICT


def test_plans_far_apart_in_time_are_compared_when_tolerance_reaches() -> None:
    a = replace(eastward([0, 60], 200, 0), late_us=3600 * US)
    b = eastward([3630, 3690], 200, -3600 * 200)

    assert verdict_of(rows_of((a, b), EN_ROUTE)) == CONFLICT
    assert verdict_of(rows_of((replace(a, late_us=3500 * US), b), EN_ROUTE)) == CLEAR
    assert at_lag(a, b, EN_ROUTE, -3600 * US).spans
