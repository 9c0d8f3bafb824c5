# SPDX-License-Identifier: Apache-2.0
"""Curves on the ellipsoid, against geographiclib and against integration."""

import math
import random
from typing import Final

import numpy as np
import pytest

from keepclear.airspace.geodesics import (
    along_curve,
    distance_m,
    from_ecef,
    isometric_latitude,
    lengths_m_of,
    to_ecef,
    wrap_deg,
)
from keepclear.airspace.positions import Edge, Position
from tests.kernel_pairs import place
from tests.motion import E2, WGS84, Fix, on_curve, stretch

a_micrometre: Final = 1e-6
half_a_millimetre: Final = 0.0005
a_millimetre: Final = 1e-3
a_tenth_of_a_metre: Final = 0.1
a_nanodegree: Final = 1e-9
SEMI_MAJOR_M: Final = 6_378_137.0  # WGS 84, NGA.STND.0036 (2014)


def position(fix: Fix) -> Position:
    """Return where a fix is."""
    return Position(latitude_deg=fix.latitude_deg, longitude_deg=fix.longitude_deg)


def point_on(
    ends: tuple[float, float, float, float], share: float, edge: Edge
) -> tuple[float, float]:
    """Return the point at a share of the way between two ends, latitude and longitude each."""
    start_lat, start_lon, end_lat, end_lon = (np.array([value]) for value in ends)
    found = along_curve(start_lat, start_lon, end_lat, end_lon, np.array([share]), edge)
    return float(found[0][0]), float(found[1][0])


def inverse_m(start: Fix, latitude_deg: float, longitude_deg: float) -> float:
    """Return geographiclib's distance."""
    found = WGS84.Inverse(start.latitude_deg, start.longitude_deg, latitude_deg, longitude_deg)
    return float(found["s12"])


def test_one_degree_along_the_equator_is_the_arc_of_the_ellipsoid() -> None:
    arc_m = 111_319.4908  # a * pi / 180

    measured_m = distance_m(
        Position(latitude_deg=0, longitude_deg=179.5),
        Position(latitude_deg=0, longitude_deg=-179.5),
    )

    assert abs(measured_m - arc_m) < half_a_millimetre


def test_a_quarter_of_the_meridian_is_ten_thousand_and_two_kilometres() -> None:
    # the quarter meridian of WGS 84: 10 001 965.7293 m (Snyder, USGS PP 1395, p. 17 with a and f)
    measured_m = distance_m(
        Position(latitude_deg=0, longitude_deg=33), Position(latitude_deg=90, longitude_deg=-100)
    )

    assert abs(measured_m - 10_001_965.7293) < half_a_millimetre


def test_geodesic_distances_are_geographiclibs_to_the_micrometre() -> None:
    choose = random.Random(1)
    for _ in range(300):
        a, b = place(choose), place(choose)

        assert abs(
            distance_m(position(a), position(b))
            - inverse_m(a, b.latitude_deg, b.longitude_deg)
        ) < a_micrometre  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("edge", [Edge.RHUMB, Edge.PLANAR])
def test_rhumb_and_planar_lengths_are_the_integral_along_the_curve(edge: Edge) -> None:
    choose = random.Random(2)
    for _ in range(5):
        a = Fix(time_us=0, latitude_deg=choose.uniform(-70, 70), longitude_deg=170.0)
        b = Fix(
            time_us=1, latitude_deg=choose.choice([a.latitude_deg, choose.uniform(-70, 70)]),
            longitude_deg=choose.uniform(-180, 180),
        )  # fmt: skip
        parts = 2_000
        total_m, last = 0.0, a
        for k in range(1, parts + 1):
            latitude_deg, longitude_deg = on_curve(a, b, k / parts, edge.value)
            step_m = small_step_m(last, latitude_deg, longitude_deg)
            total_m += step_m
            last = Fix(time_us=0, latitude_deg=latitude_deg, longitude_deg=longitude_deg)

        said_m = distance_m(position(a), position(b), edge)
        assert abs(said_m - total_m) < 1e-4 * total_m  # 64 chords of a curve that may bend far


def small_step_m(start: Fix, latitude_deg: float, longitude_deg: float) -> float:
    """Return the length of a step of some kilometres by the radii of curvature at its middle."""
    phi = math.radians((start.latitude_deg + latitude_deg) / 2)
    step = math.radians((longitude_deg - start.longitude_deg + 180) % 360 - 180)
    rise = math.radians(latitude_deg - start.latitude_deg)
    w = 1 - E2 * math.sin(phi) ** 2
    north_m = rise * SEMI_MAJOR_M * (1 - E2) / w**1.5
    east_m = step * SEMI_MAJOR_M * math.cos(phi) / math.sqrt(w)
    return math.hypot(north_m, east_m)


def test_a_rhumb_line_keeps_its_bearing() -> None:
    start, end = (40.0, -70.0), (52.0, 10.0)
    bearings = []
    for k in range(64):
        (lat, lon), (to_lat, to_lon) = (
            point_on((*start, *end), at, Edge.RHUMB) for at in (k / 64, k / 64 + 1e-5)
        )
        bearings.append(WGS84.Inverse(lat, lon, to_lat, to_lon)["azi1"])

    assert np.ptp(bearings) < 0.001  # a degree: steps of 60 m turn by less than 60 m / R


@pytest.mark.parametrize("edge", [Edge.RHUMB, Edge.PLANAR])
@pytest.mark.parametrize("rise_deg", [0.0, 1e-3, 1.0, -30.0])
def test_points_on_a_curve_are_where_integration_puts_them(edge: Edge, rise_deg: float) -> None:
    for latitude_deg in (0.0, 33.3, -48.9, 58.0):
        ends = (latitude_deg, 175.0, latitude_deg + rise_deg, -170.0)
        start = Fix(time_us=0, latitude_deg=ends[0], longitude_deg=ends[1])
        end = Fix(time_us=1, latitude_deg=ends[2], longitude_deg=ends[3])
        for share in (0.0, 0.1, 0.5, 0.77, 1.0):
            said = point_on(ends, share, edge)
            at = on_curve(start, end, share, edge.value)
            truth = Fix(time_us=0, latitude_deg=at[0], longitude_deg=at[1])

            assert inverse_m(truth, *said) < a_millimetre


@pytest.mark.parametrize("rise_deg", [0.0, 2e-9, 1e-8, 1e-7])
def test_a_rhumb_line_that_hardly_rises_moves_evenly_along_the_parallel(rise_deg: float) -> None:
    # Uneven by at most tan(61.7) * rise / 8 of its length: 3 mm at 1e-7 degrees.
    for latitude_deg in (10.0, 33.3, 50.0, -61.7):
        ends = (latitude_deg, 0.0, latitude_deg + rise_deg, 60.0)
        for share in (0.1, 0.3, 0.5, 0.77):
            said = point_on(ends, share, Edge.RHUMB)
            truth = Fix(
                time_us=0, latitude_deg=latitude_deg + rise_deg * share, longitude_deg=60 * share
            )

            assert inverse_m(truth, *said) < 4 * a_millimetre


@pytest.mark.parametrize("rise_deg", [1e-6, 9e-5, 1.1e-4])
def test_a_rhumb_line_nearly_along_a_parallel_keeps_its_digits(rise_deg: float) -> None:
    for latitude_deg in (10.0, 33.3, 50.0, -61.7):
        ends = (latitude_deg, 0.0, latitude_deg + rise_deg, 60.0)
        start = Fix(time_us=0, latitude_deg=ends[0], longitude_deg=ends[1])
        end = Fix(time_us=1, latitude_deg=ends[2], longitude_deg=ends[3])
        for share in (0.1, 0.3, 0.5, 0.77):
            said = point_on(ends, share, Edge.RHUMB)
            at = on_curve(start, end, share, "rhumb")
            truth = Fix(time_us=0, latitude_deg=at[0], longitude_deg=at[1])

            assert inverse_m(truth, *said) < a_tenth_of_a_metre


def test_isometric_latitude_is_the_integral_of_the_meridian_over_the_parallel() -> None:
    for latitude_deg in (-80.0, -10.0, 0.0, 45.0, 89.0):
        psi = float(isometric_latitude(np.array([latitude_deg]))[0])

        assert abs(psi - stretch(0.0, latitude_deg)) < 1e-8 * max(1.0, abs(psi))


def test_earth_centred_places_come_back_to_a_nanodegree() -> None:
    choose = random.Random(3)
    for below_m in (0.0, 3.0, 1000.0):
        for _ in range(100):
            fix = place(choose)
            phi, lam = math.radians(fix.latitude_deg), math.radians(fix.longitude_deg)
            up = np.array(
                [math.cos(phi) * math.cos(lam), math.cos(phi) * math.sin(lam), math.sin(phi)]
            )
            point = to_ecef(np.array(fix.latitude_deg), np.array(fix.longitude_deg)) - below_m * up
            latitude_deg, longitude_deg = from_ecef(point)

            assert abs(float(latitude_deg) - fix.latitude_deg) < a_nanodegree
            turn = (float(longitude_deg) - fix.longitude_deg + 180) % 360 - 180
            assert abs(turn) * math.cos(phi) < a_nanodegree


def test_earth_centred_places_are_on_the_ellipsoid_by_its_own_equation() -> None:
    choose = random.Random(4)
    for _ in range(100):
        fix = place(choose)
        x, y, z = to_ecef(np.array(fix.latitude_deg), np.array(fix.longitude_deg))

        across2 = (x * x + y * y) / SEMI_MAJOR_M**2
        assert abs(across2 + z * z / (SEMI_MAJOR_M**2 * (1 - E2)) - 1) < 1e-15 * 4


def test_longitudes_are_wrapped_to_minus_180_up_to_180() -> None:
    given_deg = np.array([-540.0, -180.0, -179.5, 0.0, 179.5, 180.0, 181.0, 540.0])

    assert wrap_deg(given_deg).tolist() == [-180, -180, -179.5, 0, 179.5, -180, -179, -180]


def test_many_lengths_are_those_of_each() -> None:
    choose = random.Random(5)
    pairs = [(place(choose), place(choose)) for _ in range(20)]

    together = lengths_m_of(
        np.array([a.latitude_deg for a, _ in pairs]),
        np.array([a.longitude_deg for a, _ in pairs]),
        np.array([b.latitude_deg for _, b in pairs]),
        np.array([b.longitude_deg for _, b in pairs]),
        Edge.GEODESIC,
    )

    assert together.tolist() == [distance_m(position(a), position(b)) for a, b in pairs]
