# SPDX-License-Identifier: Apache-2.0
"""Legs are cut where geographiclib says they go, and kept whole where a cut would round."""

import random
from dataclasses import replace
from typing import Final

import numpy as np
import pytest

from keepclear.airspace.geodesics import from_ecef, to_ecef
from keepclear.detect.chords import CHORD_CURVE_M, LONGEST_CHORD_M, inner_point
from keepclear.detect.cylinders import Cylinder
from keepclear.detect.fragments import CURVE_M, LONGEST_PIECE_M, Fragments
from keepclear.detect.sweep import CLEAR, CONFLICT, LATERAL_M
from keepclear.errors import InputError
from tests.kernel_pairs import US, fragments_of, moved, passing, place, rows_of, verdict_of
from tests.motion import WGS84, Fix, Plan, legs_of, on_curve

a_micrometre: Final = 1e-6
a_millimetre: Final = 1e-3
a_centimetre: Final = 0.01


def leg(
    start: tuple[float, float],
    end: tuple[float, float],
    *,
    edge: str = "geodesic",
    lasts_s: float = 3600,
) -> Plan:
    """Return a plan of one leg; latitude and longitude of both ends."""
    return Plan(
        fixes=(
            Fix(time_us=0, latitude_deg=start[0], longitude_deg=start[1]),
            Fix(time_us=round(lasts_s * US), latitude_deg=end[0], longitude_deg=end[1]),
        ),
        edge=edge,
    )  # fmt: skip


def lengths_m(f: Fragments) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Return the lengths of chords."""
    return np.sqrt((f.qx - f.px) ** 2 + (f.qy - f.py) ** 2 + (f.qz - f.pz) ** 2)


def off_m(plan: Plan, f: Fragments) -> float:
    """Return how far the ends of chords are from where the oracle says the craft is then."""
    (its_leg,) = legs_of(plan)
    most_m = 0.0
    for k in range(len(f.start_us)):
        latitude_deg, longitude_deg = from_ecef(np.array([f.qx[k], f.qy[k], f.qz[k]]))
        truth = its_leg.at(f.end_us[k] / 1e6)
        found = WGS84.Inverse(
            float(latitude_deg), float(longitude_deg), truth.latitude_deg, truth.longitude_deg
        )
        most_m = max(most_m, found["s12"])
    return most_m


@pytest.mark.slow
@pytest.mark.parametrize("length_m", [100.0, 12_100.0, 60_000.0, 99_000.0, 101_000.0, 3_000_000.0])
def test_chords_of_a_geodesic_leg_end_on_the_geodesic_at_their_time(length_m: float) -> None:
    choose = random.Random(round(length_m))
    for _ in range(20):
        start = place(choose)
        end = moved(start.latitude_deg, start.longitude_deg, choose.uniform(-180, 180), length_m)
        plan = leg((start.latitude_deg, start.longitude_deg), (end.latitude_deg, end.longitude_deg))
        f = fragments_of([plan])

        # what is cut without trigonometry says how far off it may be
        assert off_m(plan, f) < (f.leg_curve_m.max() or a_micrometre)
        assert lengths_m(f).max() <= LONGEST_PIECE_M


@pytest.mark.slow
@pytest.mark.parametrize("length_m", [1_000.0, 60_000.0, LONGEST_CHORD_M])
def test_points_inside_a_leg_are_on_the_geodesic_to_the_millimetres_promised(
    length_m: float,
) -> None:
    choose = random.Random(7)
    for _ in range(100):
        start = place(choose)
        line = WGS84.DirectLine(
            start.latitude_deg, start.longitude_deg, choose.uniform(-180, 180), length_m
        )
        ends = [line.Position(s) for s in (0.0, length_m)]
        p, q = (to_ecef(np.array(end["lat2"]), np.array(end["lon2"])) for end in ends)
        share = choose.choice([0.5, choose.random()])
        truth = line.Position(share * length_m)
        x, y, z = inner_point(p[0], p[1], p[2], q[0], q[1], q[2], share)
        latitude_deg, longitude_deg = from_ecef(np.array([x, y, z]))
        found = WGS84.Inverse(
            float(latitude_deg), float(longitude_deg), truth["lat2"], truth["lon2"]
        )

        assert found["s12"] < (CHORD_CURVE_M if length_m > 60_000 else a_millimetre)


@pytest.mark.slow
@pytest.mark.parametrize("edge", ["rhumb", "planar"])
def test_rhumb_and_planar_legs_are_followed_to_the_bend_they_promise(edge: str) -> None:
    choose = random.Random(11)
    for _ in range(15):
        first = choose.choice([80.0, choose.uniform(-65, 65)])
        last = first + choose.choice([choose.uniform(-4, 4), 0.0, 1e-3])
        east_deg = choose.choice([0.1, 0.3, 5.0, -3.0])
        begins_deg = choose.choice([0.0, 179.9])
        plan = leg((first, begins_deg), (last, begins_deg + east_deg), edge=edge)
        f = fragments_of([plan])
        some = _some(f, choose)

        assert off_m(plan, some) < a_centimetre
        assert lengths_m(f).max() <= LONGEST_PIECE_M
        # between its ends a chord is no further from the curve than CURVE_M, dip apart
        for k in range(min(5, len(some.start_us))):
            middle = 0.5 * np.array([
                some.px[k] + some.qx[k], some.py[k] + some.qy[k], some.pz[k] + some.qz[k]
            ])  # fmt: skip
            latitude_deg, longitude_deg = from_ecef(middle)
            share = (some.start_us[k] + some.end_us[k]) / 2 / (3600 * US)
            truth = on_curve(plan.fixes[0], plan.fixes[1], share, edge)
            found = WGS84.Inverse(float(latitude_deg), float(longitude_deg), *truth)
            assert found["s12"] < CURVE_M + a_millimetre


def _some(f: Fragments, choose: random.Random) -> Fragments:
    """Return a few of the fragments."""
    chosen = choose.sample(range(len(f.start_us)), min(len(f.start_us), 12))
    columns = {
        name: getattr(f, name)[chosen]
        for name in ("start_us", "end_us", "px", "py", "pz", "qx", "qy", "qz", "leg")
    }
    return f._replace(**columns)


@pytest.mark.slow
@pytest.mark.parametrize("farthest_m", [9260.0, 200_000.0])
def test_no_chord_is_longer_than_its_guard_band_allows_for_even_to_the_antipodes(
    farthest_m: float,
) -> None:
    for end_deg in (-60.0, -80.0, -88.0, 0.0, 60.0, 85.0):
        for east_deg in (0.0, 45.0, 170.0):
            plan = leg((90.0 if end_deg < 0 else 60.0, 0.0), (end_deg, east_deg))
            piece_m = LONGEST_PIECE_M if farthest_m < 50_000 else 5_000.0

            assert lengths_m(fragments_of([plan], farthest_m)).max() <= piece_m


def test_neighbouring_chords_share_their_ends_to_the_last_bit() -> None:
    f = fragments_of([leg((34, 35), (50, 70)), leg((0, 0), (0, 1))])
    inner = f.leg[1:] == f.leg[:-1]

    for q, p in ((f.qx, f.px), (f.qy, f.py), (f.qz, f.pz)):
        assert (q[:-1][inner] == p[1:][inner]).all()
    assert (f.end_us[:-1][inner] == f.start_us[1:][inner]).all()


def test_heights_stay_with_the_whole_leg() -> None:
    plan = leg((34, 35), (40, 45))
    climbing = replace(plan, fixes=(plan.fixes[0], replace(plan.fixes[1], height_tmm=7)))

    f = fragments_of([climbing])

    assert len(f.start_us) > 50
    assert f.leg_from_tmm.tolist() == [0]
    assert f.leg_to_tmm.tolist() == [7]


def test_a_leg_to_the_other_side_of_the_earth_is_refused() -> None:
    with pytest.raises(InputError, match="half round the earth"):
        fragments_of([leg((0, 0), (0.1, 179.99))])


@pytest.mark.parametrize("edge", ["rhumb", "planar"])
def test_a_rhumb_or_planar_leg_near_a_pole_is_refused(edge: str) -> None:
    with pytest.raises(InputError, match="89 degrees"):
        fragments_of([leg((89.5, 0), (89.5, 10), edge=edge)])


def test_a_climb_of_days_is_refused() -> None:
    plan = leg((0, 0), (0, 1), lasts_s=48 * 3600)
    climbing = replace(plan, fixes=(plan.fixes[0], replace(plan.fixes[1], height_tmm=10**9)))

    with pytest.raises(InputError, match="4 hours"):
        fragments_of([climbing])


@pytest.mark.parametrize("edge", ["rhumb", "planar"])
def test_one_that_hovers_beside_a_rhumb_or_planar_leg_is_found_at_its_true_distance(
    edge: str,
) -> None:
    # from 50N 0E to 50N 20E along the parallel; the geodesic goes 44 km further north
    flown = leg((50, 0), (50, 20), edge=edge)
    beside = moved(50, 10, 0, 5000)
    fixes = tuple(replace(beside, time_us=t) for t in (0, 3600 * US))

    for minimum_m, verdict in ((5001, CONFLICT), (4999, CLEAR)):
        rows = rows_of((flown, Plan(fixes=fixes)), Cylinder(lateral_tmm=minimum_m * 10_000))

        assert verdict_of(rows) == verdict
        assert (np.abs(rows[:, LATERAL_M].min(initial=5000) - 5000) < 0.1).all()


def test_a_geodesic_leg_along_a_parallel_goes_north_of_it() -> None:
    flown = leg((50, 0), (50, 20))
    north = WGS84.InverseLine(50, 0, 50, 20)
    middle = north.Position(north.s13 / 2)
    fixes = tuple(
        Fix(time_us=t, latitude_deg=middle["lat2"], longitude_deg=10.0) for t in (0, 3600 * US)
    )

    rows = rows_of((flown, Plan(fixes=fixes)), Cylinder(lateral_tmm=10_000))

    assert verdict_of(rows) == CONFLICT
    assert rows[:, LATERAL_M].min() < a_centimetre


def test_constant_speed_is_kept_on_a_geodesic_leg() -> None:
    start = Fix(time_us=0, latitude_deg=-33.0, longitude_deg=151.0)
    plan = Plan(fixes=passing(start, 60.0, 240.0, [0, 10_000 * US], [0, 0]))

    f = fragments_of([plan])

    # chords are shorter than arcs of 12 km by 12 km (s/R)^2 / 24 = 1.8 mm
    assert np.ptp(lengths_m(f)) < a_centimetre
