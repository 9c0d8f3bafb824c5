# SPDX-License-Identifier: Apache-2.0
"""The guard band is a proven bound: the kernel's distance is never further off than it says."""

import math
import random
from dataclasses import replace
from typing import Final

import numpy as np
import pytest

from keepclear.detect.cylinders import Cylinder
from keepclear.detect.encounter import guard_of, lateral_at, lateral_span, meet
from keepclear.detect.fragments import Fragments, longest_piece_m
from keepclear.detect.kernel import as_lists
from keepclear.detect.lateral import (
    arc_m,
    chord_squared_m2,
    gauss_radius_m,
    guard_m,
    roots,
    span_within,
)
from keepclear.detect.patch import square_at
from keepclear.detect.shifted import A_LENGTH, B_LENGTH, CURVE, MOVED, RADIUS, relate
from keepclear.detect.sweep import BOUNDARY, CLEAR, CONFLICT, LATERAL_M
from keepclear.errors import InputError
from tests.kernel_pairs import (
    FOOT_TMM,
    US,
    fragments_of,
    moved,
    passing,
    place,
    rows_of,
    spans_of,
    verdict_of,
)
from tests.motion import WGS84, Fix, Leg, Plan, legs_of

a_tenth_of_a_metre: Final = 0.1
a_micrometre: Final = 1e-6
rounding: Final = 1e-12


def two_legs(choose: random.Random, farthest_m: float) -> tuple[Plan, Plan, float]:
    """Return two one-leg plans over the same time, about a distance apart, and that distance.

    Legs are as long as one chord may be, or shorter.
    """
    where = place(choose)
    longest_m = 0.99 * longest_piece_m(farthest_m)
    distance_m = farthest_m * choose.choice([1.0, choose.random(), 0.01])
    azimuth_deg = choose.uniform(-180, 180)
    plans = []
    for over in (where, moved(where.latitude_deg, where.longitude_deg, azimuth_deg, distance_m)):
        length_m = longest_m * choose.choice([1.0, choose.random()])
        at = replace(over, time_us=choose.randrange(60 * US))
        turned_deg = azimuth_deg + choose.choice([0.0, 90.0, choose.uniform(-180, 180)])
        fixes = passing(at, turned_deg, length_m / 60, [0, 60 * US], [0, 0])
        plans.append(Plan(fixes=fixes))
    return plans[0], plans[1], distance_m


def true_distance_m(a: Leg, a_s: float, b: Leg, b_s: float) -> float:
    """Return geographiclib's distance of two craft."""
    p, q = a.at(a_s), b.at(b_s)
    found = WGS84.Inverse(p.latitude_deg, p.longitude_deg, q.latitude_deg, q.longitude_deg)
    return float(found["s12"])


def one_each(plans: tuple[Plan, Plan], farthest_m: float) -> Fragments:
    """Return two plans as one chord each."""
    f = fragments_of(plans, farthest_m)
    assert len(f.start_us) == 2
    listed: Fragments = as_lists(f)
    return listed


@pytest.mark.slow
@pytest.mark.parametrize("farthest_m", [50.0, 1852.0, 9260.0, 50_000.0, 200_000.0])
def test_at_equal_times_the_distance_is_right_to_the_guard_band(farthest_m: float) -> None:
    choose = random.Random(round(farthest_m))
    for _ in range(150):
        a, b, _ = two_legs(choose, farthest_m)
        f = one_each((a, b), farthest_m)
        first_us, last_us = sorted(choose.sample(range(60 * US), 2))
        e = meet(f, 0, 1, first_us, last_us)
        for at_s in (0.0, e.lasts_s, choose.uniform(0, e.lasts_s)):
            time_s = first_us / 1e6 + at_s
            true_m = true_distance_m(legs_of(a)[0], time_s, legs_of(b)[0], time_s)

            assert abs(lateral_at(e, at_s) - true_m) <= guard_of(e, true_m)


@pytest.mark.slow
@pytest.mark.parametrize("farthest_m", [50.0, 1852.0, 9260.0])
def test_at_the_ends_of_its_span_the_distance_is_the_one_asked_for(farthest_m: float) -> None:
    choose = random.Random(round(farthest_m) + 2)
    tried = 0
    for _ in range(200):
        a, b, _ = two_legs(choose, farthest_m)
        b = Plan(fixes=tuple(replace(f, time_us=f.time_us + 20 * US) for f in b.fixes))
        e = meet(one_each((a, b), 12_000.0), 0, 1, 20 * US, 60 * US)
        # whatever the distance is at some time, it is the limit of a span that ends then
        for limit_m in (lateral_at(e, 1.0), lateral_at(e, 30.0)):
            for at_s in lateral_span(e, limit_m):
                if 0.0 < at_s < e.lasts_s and at_s != 1.0:  # 1.0 to 0.0 is never
                    time_s = 20.0 + at_s
                    true_m = true_distance_m(legs_of(a)[0], time_s, legs_of(b)[0], time_s)
                    tried += 1

                    assert abs(true_m - limit_m) <= guard_of(e, limit_m)
    assert tried > 50


@pytest.mark.slow
@pytest.mark.parametrize("farthest_m", [50.0, 9260.0, 50_000.0, 200_000.0])
def test_at_unequal_times_the_distance_is_right_to_the_guard_band(farthest_m: float) -> None:
    choose = random.Random(round(farthest_m) + 1)
    geometry = np.empty(10)
    for _ in range(150):
        a, b, _ = two_legs(choose, farthest_m)
        p = relate(one_each((a, b), farthest_m), 0, 1, 0, geometry)
        for _ in range(3):
            x, y = choose.uniform(0, 60), choose.uniform(0, 60)
            true_m = true_distance_m(legs_of(a)[0], x, legs_of(b)[0], y)
            said_m = arc_m(math.sqrt(square_at(p, x, y)), geometry[RADIUS])
            band_m = guard_m(
                true_m, geometry[A_LENGTH], geometry[B_LENGTH], geometry[MOVED], geometry[CURVE]
            )

            assert abs(said_m - true_m) <= band_m


@pytest.mark.parametrize("farthest_m", [1.0, 50.0, 9260.0, 49_999.0, 50_000.0, 50_001.0, 2e5])
def test_the_guard_band_stays_below_a_tenth_of_a_metre(farthest_m: float) -> None:
    piece_m = longest_piece_m(farthest_m)
    longest_curve_m = 2 * 0.005  # fragments.CURVE_M of both

    assert guard_m(farthest_m, piece_m, piece_m, piece_m, longest_curve_m) < a_tenth_of_a_metre


def test_a_minimum_beyond_200_km_is_refused() -> None:
    with pytest.raises(InputError, match="108 NM"):
        longest_piece_m(200_001.0)


@pytest.mark.parametrize("distance_m", [0.1, 50.0, 9260.0, 100_000.0, 400_000.0])
def test_chord_and_arc_undo_each_other(distance_m: float) -> None:
    radius_m = gauss_radius_m(0.5)
    # the series end at the sixth power: the eighth of 400 km / R is 2.4e-10
    share = 1e-9 * (distance_m / 400_000.0) ** 6 + rounding

    assert abs(arc_m(math.sqrt(chord_squared_m2(distance_m, radius_m)), radius_m) - distance_m) < (
        share * distance_m
    )


def test_a_chord_is_twice_the_radius_times_the_sine_of_half_the_angle() -> None:
    radius_m = 6_371_000.0
    for distance_m in (1.0, 9260.0, 200_000.0):
        chord_m = 2 * radius_m * math.sin(distance_m / radius_m / 2)

        assert abs(math.sqrt(chord_squared_m2(distance_m, radius_m)) - chord_m) < a_micrometre


def test_roots_keep_their_digits_where_the_schoolbook_form_loses_them() -> None:
    # t^2 + 2e8 t + 1: roots -5e-9 and -2e8; b * b - a * c is b * b to the last bit
    low, high = roots(1.0, 1e8, 1.0, 1e16 - 1.0)
    negated = roots(1.0, -1e8, 1.0, 1e16 - 1.0)

    assert low == pytest.approx(-2e8, rel=rounding)
    assert high == pytest.approx(-5e-9, rel=rounding)
    assert negated == (-high, -low)


def test_a_near_miss_of_something_far_keeps_its_digits() -> None:
    # from 1000 km at 1 km/s past a disc of 100 m, a tenth of a millimetre inside: b * b is 1e18,
    # and b * b - a * c has lost all below 128; a D^2 - (r x v)^2 has not
    far_m, speed_mps, limit_m = 1e6, 1e3, 100.0
    miss_m = limit_m - 1e-4
    low_s, high_s = span_within(
        speed_mps**2, -far_m * speed_mps, far_m**2 + miss_m**2, miss_m * speed_mps, limit_m**2, 2e3
    )
    half_s = math.sqrt(limit_m**2 - miss_m**2) / speed_mps

    assert high_s - low_s == pytest.approx(2 * half_s, rel=1e-6)


def test_a_near_miss_is_told_to_its_last_digits() -> None:
    # a tenth of a millimetre, after 40 km at 400 m/s: the square of the distance has lost it
    a, b, _ = two_legs(random.Random(1), 9260.0)
    miss_m, far_m, speed_mps = 1e-4, 40_000.0, 400.0
    e = meet(one_each((a, b), 9260.0), 0, 1, 0, 60 * US)._replace(
        a=speed_mps**2, b=-far_m * speed_mps, square=far_m**2 + miss_m**2, cross=miss_m * speed_mps
    )

    assert lateral_at(e, far_m / speed_mps) == pytest.approx(miss_m, rel=1e-6)


def at_distance(longitude_deg: float) -> tuple[Plan, Plan]:
    """Return two that hover on the equator; WGS 84: their distance is a times the angle."""
    fixes = [
        tuple(Fix(time_us=t * US, latitude_deg=0, longitude_deg=lon) for t in (0, 60))
        for lon in (0.0, longitude_deg)
    ]
    return Plan(fixes=fixes[0]), Plan(fixes=fixes[1])


@pytest.mark.parametrize(
    ("short_by_m", "verdict"),
    [(0.01, CONFLICT), (1e-7, BOUNDARY), (0.0, BOUNDARY), (-1e-7, BOUNDARY), (-0.01, CLEAR)],
)
def test_laterally_at_the_minimum_is_boundary_and_beyond_the_band_is_decided(
    short_by_m: float, verdict: int
) -> None:
    minimum_tmm = 92_600_000
    angle = (minimum_tmm / 10_000 - short_by_m) / 6_378_137.0
    rule = Cylinder(lateral_tmm=minimum_tmm, vertical_tmm=1000 * FOOT_TMM)

    assert verdict_of(rows_of(at_distance(math.degrees(angle)), rule)) == verdict


def test_a_formation_exactly_at_the_minimum_is_boundary_all_the_way() -> None:
    # in trail along the equator, at one speed: the distance is a times the angle, always
    angle_deg = math.degrees(9260.0 / 6_378_137.0)
    pair = [
        Plan(fixes=tuple(
            Fix(time_us=t * US, latitude_deg=0, longitude_deg=begins_deg + t / 600) for t in cuts
        ))
        for begins_deg, cuts in ((0.0, (0, 600)), (angle_deg, (0, 100, 350, 600)))
    ]  # fmt: skip

    rows = rows_of(pair, Cylinder(lateral_tmm=92_600_000))

    assert verdict_of(rows) == BOUNDARY
    assert spans_of(rows, BOUNDARY) == [(0.0, 600.0)]


@pytest.mark.slow
def test_drones_50_m_apart_on_legs_of_500_km_cut_at_other_places_are_found() -> None:
    # kernel.md trap 3: with 50 km pieces a chord dips 49 m, and these two measured 70 m apart
    choose = random.Random(3)
    rule = Cylinder(lateral_tmm=500_000, vertical_tmm=100 * FOOT_TMM)
    for _ in range(12):
        where = place(choose)
        azimuth_deg = choose.uniform(-180, 180)
        a = Plan(fixes=passing(where, azimuth_deg, 250, [-1000 * US, 1000 * US], [0, 0]))
        cut_us = [-1000 * US, choose.randrange(-900 * US, 900 * US), 1000 * US]
        for apart_m, verdict in ((49.5, CONFLICT), (50.5, CLEAR)):
            beside = moved(where.latitude_deg, where.longitude_deg, azimuth_deg + 90, apart_m)
            back = WGS84.Inverse(
                where.latitude_deg, where.longitude_deg, beside.latitude_deg, beside.longitude_deg
            )  # fmt: skip
            b = Plan(fixes=passing(beside, back["azi2"] - 90, 250, cut_us, [0, 0, 0]))
            rows = rows_of((a, b), rule)

            assert verdict_of(rows) == verdict
            # geodesics that start parallel draw together: at 250 km by 50 m (1 - cos(s/R)) = 4 cm
            assert (np.abs(rows[:, LATERAL_M] - apart_m) < a_tenth_of_a_metre).all()
