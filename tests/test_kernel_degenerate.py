# SPDX-License-Identifier: Apache-2.0
"""Motion that breaks formulas: hovering, formations, instants, gaps, poles, equal times."""

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np
import pytest

from keepclear.airspace.geodesics import from_ecef
from keepclear.detect import sweep as column
from keepclear.detect.cylinders import Cylinder
from keepclear.detect.sweep import CLEAR, CONFLICT
from tests.kernel_pairs import (
    EN_ROUTE,
    FOOT_TMM,
    US,
    passing,
    rows_of,
    spans_of,
    verdict_of,
)
from tests.motion import WGS84, Fix, Plan, Span, legs_of, look

a_tenth_of_a_metre: Final = 0.1
a_millisecond: Final = 1e-3
a_degree_m: Final = 111_319.4908  # along the equator, WGS 84: a * pi / 180

tolerances = pytest.mark.parametrize("tolerance_us", [0, 10 * US])


def still(
    times_s: Sequence[float], *, latitude_deg: float = 0.0, longitude_deg: float = 0.0,
    tolerance_us: int = 0,
) -> Plan:  # fmt: skip
    """Return a plan that hovers at 30 000 ft."""
    fixes = tuple(
        Fix(
            time_us=round(t * US), latitude_deg=latitude_deg, longitude_deg=longitude_deg,
            height_tmm=30_000 * FOOT_TMM,
        ) for t in times_s
    )  # fmt: skip
    return Plan(fixes=fixes, early_us=tolerance_us, late_us=tolerance_us)


def eastward(
    times_s: Sequence[float], *, mps: float = 200.0, from_m: float = 0.0, tolerance_us: int = 0
) -> Plan:
    """Return a plan along the equator, at from_m at time 0."""
    plan = still(times_s, tolerance_us=tolerance_us)
    fixes = tuple(
        replace(f, longitude_deg=(from_m + mps * t) / a_degree_m)
        for f, t in zip(plan.fixes, times_s, strict=True)
    )
    return replace(plan, fixes=fixes)


@tolerances
def test_two_that_hover_at_one_place_are_in_conflict_as_long_as_both_are_there(
    tolerance_us: int,
) -> None:
    pair = still([0, 100], tolerance_us=tolerance_us), still([50, 80, 200])

    rows = rows_of(pair, EN_ROUTE)

    by_s = tolerance_us / US
    assert verdict_of(rows) == CONFLICT
    assert spans_of(rows, CONFLICT) == [Span(50, 100 + by_s)]
    assert rows[:, column.LATERAL_M].max() == 0.0
    assert rows[:, column.CPA].min() == 50 * US


@tolerances
def test_two_that_hover_apart_are_clear(tolerance_us: int) -> None:
    pair = still([0, 100], tolerance_us=tolerance_us), still([0, 100], longitude_deg=0.1)

    assert verdict_of(rows_of(pair, EN_ROUTE)) == CLEAR


@tolerances
def test_a_formation_is_in_conflict_all_the_way(tolerance_us: int) -> None:
    pair = eastward([0, 600], tolerance_us=tolerance_us), eastward([0, 250, 600], from_m=5000)

    rows = rows_of(pair, EN_ROUTE)

    assert spans_of(rows, CONFLICT) == [Span(0, 600)]  # the other's time, which has no tolerance
    # the one behind may be early, at 200 m/s
    least_m = 5000 - 200 * tolerance_us / US
    assert np.abs(rows[:, column.LATERAL_M].min() - least_m) < a_tenth_of_a_metre


@tolerances
def test_the_same_plan_twice_is_in_conflict_at_no_distance(tolerance_us: int) -> None:
    plan = eastward([0, 100, 600], tolerance_us=tolerance_us)

    rows = rows_of((plan, plan), EN_ROUTE)

    assert verdict_of(rows) == CONFLICT
    assert rows[:, column.LATERAL_M].max() < a_tenth_of_a_metre


@pytest.mark.parametrize("faster", [1.0, 1.5, 3.7])
def test_one_behind_another_on_one_track_is_clear_while_tolerance_does_not_close_the_gap(
    faster: float,
) -> None:
    # 30 km behind at 200 m/s or more slowly: the motions are parallel, so the plane is singular
    for k in range(40):
        leader = eastward([0, 61.7 + k], mps=200 * faster, from_m=30_000, tolerance_us=20 * US)
        follower = eastward([0, 59.3 + k], mps=200, tolerance_us=20 * US)

        nearest_m = 30_000 - 40 * 200  # the leader at its start, the other 40 s on
        for minimum_m, verdict in ((nearest_m - 300, CLEAR), (nearest_m + 300, CONFLICT)):
            rule = Cylinder(lateral_tmm=round(minimum_m * 10_000))

            assert verdict_of(rows_of((follower, leader), rule)) == verdict


@tolerances
def test_plans_that_only_touch_in_time_do_not_conflict(tolerance_us: int) -> None:
    first = still([0, 100], tolerance_us=tolerance_us)
    then = still([100 + tolerance_us / US, 200])

    assert verdict_of(rows_of((first, then), EN_ROUTE)) == CLEAR
    assert verdict_of(rows_of((then, first), EN_ROUTE)) == CLEAR


@tolerances
def test_plans_that_share_a_microsecond_conflict(tolerance_us: int) -> None:
    first = still([0, 100], tolerance_us=tolerance_us)
    then = still([100 + tolerance_us / US - 1e-6, 200])

    assert verdict_of(rows_of((first, then), EN_ROUTE)) == CONFLICT


@pytest.mark.parametrize(
    ("at_s", "verdict"), [(-1, CLEAR), (0, CONFLICT), (50, CONFLICT), (100, CLEAR), (101, CLEAR)]
)
def test_a_plan_of_one_point_meets_those_that_are_there_at_its_instant(
    at_s: float, verdict: int
) -> None:
    lone, other = still([at_s]), still([0, 50, 100])

    assert verdict_of(rows_of((lone, other), EN_ROUTE)) == verdict
    assert verdict_of(rows_of((other, lone), EN_ROUTE)) == verdict


@pytest.mark.parametrize(
    ("at_s", "verdict"),
    [(-10.1, CLEAR), (-10, CONFLICT), (50, CONFLICT), (109.9, CONFLICT), (110, CLEAR)],
)
def test_a_plan_of_one_point_with_tolerance_meets_as_if_it_were_shifted(
    at_s: float, verdict: int
) -> None:
    # ten seconds late at -10 it is there at the other's first instant, which counts; its last not
    lone, other = still([at_s], tolerance_us=10 * US), still([0, 50, 100])

    assert verdict_of(rows_of((lone, other), EN_ROUTE)) == verdict
    assert verdict_of(rows_of((other, lone), EN_ROUTE)) == verdict


@pytest.mark.parametrize(("apart_s", "verdict"), [(0, CONFLICT), (1e-6, CLEAR)])
def test_two_points_alone_meet_at_one_time_only(apart_s: float, verdict: int) -> None:
    assert verdict_of(rows_of((still([5]), still([5 + apart_s])), EN_ROUTE)) == verdict


@pytest.mark.parametrize(("apart_s", "verdict"), [(20, CONFLICT), (20.000001, CLEAR)])
def test_two_points_alone_with_tolerance_meet_up_to_all_of_it(apart_s: float, verdict: int) -> None:
    pair = still([0], tolerance_us=10 * US), still([apart_s], tolerance_us=10 * US)

    assert verdict_of(rows_of(pair, EN_ROUTE)) == verdict


@tolerances
def test_nothing_is_found_in_a_gap(tolerance_us: int) -> None:
    gapped = replace(eastward([0, 100, 500, 600], tolerance_us=tolerance_us), gaps=frozenset({2}))
    inside_the_gap = still([150, 450], longitude_deg=300 * 200 / a_degree_m)

    assert verdict_of(rows_of((gapped, inside_the_gap), EN_ROUTE)) == CLEAR


def test_points_alone_between_gaps_are_instants() -> None:
    lone = replace(still([0, 100, 200]), gaps=frozenset({1, 2}))
    other = still([50, 150])

    (row,) = rows_of((lone, other), EN_ROUTE)

    assert row[column.START] == row[column.END] == 100 * US


@tolerances
def test_a_leg_of_no_length_is_a_stay(tolerance_us: int) -> None:
    waits = eastward([0, 100, 200], mps=100, tolerance_us=tolerance_us)
    first, last = waits.fixes[1], waits.fixes[2]
    waits = replace(waits, fixes=(*waits.fixes[:2], replace(
        first, time_us=last.time_us, height_tmm=30_000 * FOOT_TMM)))  # fmt: skip
    beside = still([150, 160], longitude_deg=10_000 / a_degree_m)

    rows = rows_of((waits, beside), EN_ROUTE)

    assert spans_of(rows, CONFLICT) == [Span(150, 160)]


def test_plans_that_are_clear_of_each_other_at_equal_times_meet_when_one_is_late() -> None:
    # both pass the same place, a minute apart; at 200 m/s a minute is 12 km
    first, then = eastward([0, 600]), eastward([60, 660], from_m=-12_000)
    late = replace(first, late_us=20 * US)

    assert verdict_of(rows_of((first, then), EN_ROUTE)) == CLEAR
    assert verdict_of(rows_of((late, then), EN_ROUTE)) == CONFLICT


def meeting_at(where: Fix, azimuths_deg: Sequence[float]) -> list[Plan]:
    """Return plans that are all over one place at time 0, at 250 m/s."""
    return [
        Plan(fixes=passing(where, azimuth_deg, 250, [-300 * US, 300 * US], [0, 0]))
        for azimuth_deg in azimuths_deg
    ]


def assert_meets_at(pair: Sequence[Plan], where: Fix) -> None:
    """Assert that two plans conflict, closest at a place at time 0."""
    rows = rows_of(pair, EN_ROUTE)
    row = rows[rows[:, column.LATERAL_M].argmin()]
    latitude_deg, longitude_deg = from_ecef(row[[column.CPA_X, column.CPA_Y, column.CPA_Z]])
    off = WGS84.Inverse(
        float(latitude_deg), float(longitude_deg), where.latitude_deg, where.longitude_deg
    )

    assert verdict_of(rows) == CONFLICT
    assert row[column.LATERAL_M] < a_tenth_of_a_metre
    assert abs(row[column.CPA]) < a_millisecond * US
    assert off["s12"] < a_tenth_of_a_metre


@pytest.mark.parametrize("longitude_deg", [180.0, -180.0, 179.99, -179.99, 0.0])
@pytest.mark.parametrize("latitude_deg", [90.0, -90.0, 89.9999, -89.9, 60.0, 0.0])
def test_two_that_meet_are_found_on_the_antimeridian_and_at_the_poles(
    latitude_deg: float, longitude_deg: float
) -> None:
    where = Fix(time_us=0, latitude_deg=latitude_deg, longitude_deg=longitude_deg)

    for azimuths_deg in ((0.0, 180.0), (10.0, 100.0), (45.0, 46.0)):
        assert_meets_at(meeting_at(where, azimuths_deg), where)


def test_n_aircraft_that_meet_in_the_centre_of_a_circle_are_all_in_conflict_there() -> None:
    # the analytic circle: 2 v sin(turn / 2) t = D gives the time at which a pair is inside
    where = Fix(time_us=0, latitude_deg=47.0, longitude_deg=8.0)
    count = 12
    plans = meeting_at(where, [k * 360 / count for k in range(count)])
    found = 0
    for k in range(count):
        for m in range(k + 1, count):
            assert_meets_at((plans[k], plans[m]), where)
            (span,) = spans_of(rows_of((plans[k], plans[m]), EN_ROUTE), CONFLICT)
            turn = math.radians((m - k) * 360 / count)
            until_s = min(9260 / (2 * 250 * math.sin(turn / 2)), 300)
            # on the ellipsoid they part a little more slowly: (s/R)^2 / 6, s = 36 km at the most
            assert abs(span.end_s - until_s) < 1e-5 * until_s
            assert abs(span.start_s + until_s) < 1e-5 * until_s
            found += 1

    assert found == count * (count - 1) // 2


@pytest.mark.parametrize("edge", ["rhumb", "planar"])
def test_legs_along_a_parallel_over_the_antimeridian_go_the_short_way(edge: str) -> None:
    fixes = tuple(
        Fix(time_us=t * US, latitude_deg=60, longitude_deg=lon)
        for t, lon in ((0, 179), (600, -179))
    )
    hovering = Plan(fixes=tuple(
        Fix(time_us=t * US, latitude_deg=60, longitude_deg=180) for t in (0, 600)
    ))  # fmt: skip

    rows = rows_of((Plan(fixes=fixes, edge=edge), hovering), Cylinder(lateral_tmm=10_000))

    assert verdict_of(rows) == CONFLICT
    assert abs(rows[0, column.CPA] - 300 * US) < a_millisecond * US


def test_faster_than_sound_at_any_lag_is_found() -> None:
    # 3 km/s against 3 km/s head on, closest after 40 s
    east, west = eastward([0, 100], mps=3000), eastward([0, 100], mps=-3000, from_m=240_000)

    rows = rows_of((east, west), EN_ROUTE)

    assert verdict_of(rows) == CONFLICT
    assert abs(rows[:, column.CPA][rows[:, column.LATERAL_M].argmin()] / US - 40) < a_millisecond
    assert look(legs_of(east)[0], legs_of(west)[0], 40.0).distance_m < a_tenth_of_a_metre


def test_uncertain_places_count_as_the_nearest_they_may_be() -> None:
    # 10 km apart, 5 NM asked: each may be 400 m nearer
    pair = [still([0, 100]), still([0, 100], longitude_deg=10_000 / a_degree_m)]
    uncertain = [replace(plan, lateral_m=400.0) for plan in pair]
    wider = Cylinder(lateral_tmm=92_600_000 + 8_000_000, vertical_tmm=1000 * FOOT_TMM)

    grown, asked = rows_of(uncertain, EN_ROUTE), rows_of(pair, wider)

    assert verdict_of(rows_of(pair, EN_ROUTE)) == CLEAR
    assert verdict_of(grown) == CONFLICT
    assert np.array_equal(grown, asked)
    assert verdict_of(rows_of(uncertain, EN_ROUTE, uncertainty=False)) == CLEAR


def test_uncertain_times_are_counted_only_where_asked_for() -> None:
    first, then = eastward([0, 600]), eastward([60, 660], from_m=-12_000)
    late = replace(first, early_us=20 * US, late_us=20 * US, clock_us=20 * US)

    assert verdict_of(rows_of((late, then), EN_ROUTE)) == CONFLICT
    assert verdict_of(rows_of((late, then), EN_ROUTE, uncertainty=False)) == CLEAR
