# SPDX-License-Identifier: Apache-2.0
"""The rules of reference borders, one by one, on squares of land that are easy to reckon with."""

import math

import numpy as np
import pytest
import shapely
from geographiclib.geodesic import Geodesic
from hypothesis import given, settings
from hypothesis import strategies as st

from keepclear.airspace.border_lines import (
    OUTSIDE,
    Floats,
    faces_at,
    lines_of_rings,
    make_lines,
    measure,
    near_faces,
)
from keepclear.airspace.borders import (
    M_PER_NM,
    Area,
    Borders,
    Unit,
    Water,
    WhoseKind,
    join,
    state_at,
)

STATE, HIGH_SEAS, DISPUTED = WhoseKind.STATE, WhoseKind.HIGH_SEAS, WhoseKind.DISPUTED
UNDETERMINED = WhoseKind.UNDETERMINED


def square(west: float, south: float, east: float, north: float) -> Floats:
    return np.array([[south, west], [south, east], [north, east], [north, west]], dtype=float)


def unit(code: str, *, sea_nm: float = 12, widest_nm: float | None = None) -> Unit:
    return Unit(
        source_name=code, name=code, alpha2=code[:2], alpha3=code, state=code,
        territorial_sea_nm=sea_nm, territorial_sea_widest_nm=widest_nm or sea_nm,
    )  # fmt: skip


def made(
    lands: list[tuple[Unit, Floats]], areas: list[tuple[Area, Floats]] | None = None,
    waters: list[tuple[Water, Floats]] | None = None,
) -> Borders:  # fmt: skip
    """Return borders of a few rings, each with land of its own or an overlay inside it."""
    areas, waters = areas or [], waters or []
    rings = [ring for _, ring in lands] + [r for _, r in areas] + [r for _, r in waters]
    corners, lengths = lines_of_rings(rings)
    lines = make_lines(
        longitude_deg=corners[:, 1], latitude_deg=corners[:, 0], points_a_line=lengths,
        left=np.arange(len(rings)), right=np.full(len(rings), OUTSIDE), faces=len(rings),
    )  # fmt: skip
    return join(
        units=[u for u, _ in lands], areas=[a for a, _ in areas], waters=[w for w, _ in waters],
        area_of_ring=range(len(areas)), water_of_ring=range(len(waters)), lines=lines,
    )  # fmt: skip


def test_a_place_6_nm_from_a_land_border_is_undetermined_and_one_beyond_is_not() -> None:
    land = made([(unit("AAA"), square(0, 0, 1, 1)), (unit("BBB"), square(1, 0, 2, 1))])
    for distance_nm, kind in ((5.99, UNDETERMINED), (6.01, STATE)):
        west = Geodesic.WGS84.Direct(0.5, 1, 270, distance_nm * M_PER_NM)
        assert state_at(land, west["lat2"], west["lon2"]).kind is kind


def test_a_coast_is_no_line_and_the_outer_limit_is_one_at_sea() -> None:
    land = made([(unit("AAA"), square(0, 0, 1, 1))])

    def at(distance_nm: float) -> WhoseKind:
        place = Geodesic.WGS84.Direct(0.5, 1, 90, distance_nm * M_PER_NM)
        return state_at(land, place["lat2"], place["lon2"]).kind

    assert [at(nm) for nm in (-5, -0.1, 0.1, 5.9)] == [STATE] * 4
    assert [at(nm) for nm in (6.1, 11.9, 12.1, 17.9)] == [UNDETERMINED] * 4
    assert at(18.1) is HIGH_SEAS


def test_a_narrow_territorial_sea_does_not_put_the_land_in_doubt() -> None:
    land = made([(unit("AAA", sea_nm=3), square(0, 0, 1, 1))])

    assert state_at(land, 0.5, 0.999).kind is STATE
    assert state_at(land, 0.5, 1.001).kind is UNDETERMINED


def test_nor_does_it_where_a_land_border_is_close_but_not_within_6_nm() -> None:
    land = made([(unit("AAA", sea_nm=3), square(0, 0, 1, 1)), (unit("BBB"), square(0, 1, 1, 2))])

    assert state_at(land, 1 - 11 / 60, 0.99).kind is STATE
    assert state_at(land, 1 - 5 / 60, 0.99).kind is UNDETERMINED


def test_between_the_smaller_and_the_larger_breadth_nothing_is_said() -> None:
    land = made([(unit("AAA", sea_nm=6, widest_nm=12), square(0, 0, 1, 1))])

    whose = state_at(land, 0.5, 1 + 9 / 60)

    assert whose.kind is UNDETERMINED
    assert "smaller and the larger" in whose.why


def test_the_line_between_two_coasts_is_the_median_line() -> None:
    # 20 NM of sea: the median line is 10 NM off either coast.
    gap_deg = math.degrees(20 * M_PER_NM / 6_378_137)
    land = made([(unit("AAA"), square(0, 0, 1, 1)), (unit("BBB"), square(1 + gap_deg, 0, 3, 1))])

    def at(distance_nm: float) -> tuple[WhoseKind, str | None]:
        place = Geodesic.WGS84.Direct(0.5, 1, 90, distance_nm * M_PER_NM)
        whose = state_at(land, place["lat2"], place["lon2"])
        return whose.kind, whose.state.alpha3 if whose.state else None

    assert at(3.9) == (STATE, "AAA")
    assert at(4.1) == at(9.9) == at(10.1) == at(15.9) == (UNDETERMINED, None)
    assert at(16.1) == (STATE, "BBB")


def test_a_bay_closed_by_one_states_land_has_no_outer_limit_inside() -> None:
    # Arms 16 NM apart: the middle is 8 NM off; sea 12 NM off begins 9 NM before the mouth.
    arm_deg = 16 / 60
    bay = np.array([
        [0, 0], [0, 3], [1, 3], [1, 1], [1 + arm_deg, 1], [1 + arm_deg, 3], [3, 3], [3, 0],
    ], dtype=float)  # fmt: skip
    land = made([(unit("AAA"), bay)])

    assert state_at(land, 1 + arm_deg / 2, 2).kind is STATE
    assert state_at(land, 1 + arm_deg / 2, 3 + 4 / 60).kind is UNDETERMINED


def test_an_outline_over_land_of_a_third_state_leaves_it_alone_its_edge_included() -> None:
    area = Area(
        name="x", claimants=("AAA",), is_unclaimed=False, until=None, source_units=(),
        on_land_of=("AAA",), note="",
    )  # fmt: skip
    land = made(
        [(unit("AAA"), square(0, 0, 1, 1)), (unit("BBB"), square(1, 0, 3, 1))],
        areas=[(area, square(0.5, 0, 2, 1))],
    )

    assert state_at(land, 0.5, 0.7).kind is DISPUTED
    assert state_at(land, 0.5, 0.45).kind is UNDETERMINED
    assert [state_at(land, 0.5, x).kind for x in (1.5, 1.99, 2.01)] == [STATE] * 3


def test_waters_that_distance_does_not_tell_are_never_high_seas_but_leave_a_sea_alone() -> None:
    water = Water(name="x", reason="r", by=("AAA",))
    land = made([(unit("AAA"), square(0, 0, 1, 1))], waters=[(water, square(0.5, -2, 3, 2))])

    assert state_at(land, 0.5, 1.05).kind is STATE
    assert state_at(land, 0.5, 2).kind is UNDETERMINED
    assert state_at(land, 0.5, 3.05).kind is UNDETERMINED
    assert state_at(land, 0.5, 3.2).kind is HIGH_SEAS


def test_in_a_narrow_strait_the_sea_is_nobody_s_from_the_coast_on_and_the_land_stays() -> None:
    strait = Water(name="x", reason="r", by=("AAA",), is_narrow=True)
    land = made([(unit("AAA"), square(0, 0, 1, 1))], waters=[(strait, square(0.5, -2, 3, 2))])

    assert state_at(land, 0.5, 0.999).kind is STATE
    assert state_at(land, 0.5, 1.001).kind is UNDETERMINED
    assert "x: r" in state_at(land, 0.5, 1.1).why
    # The sea south of the coast is the state's, until within 6 NM of the strait.
    assert state_at(land, -0.05, 0.4).kind is STATE
    assert state_at(land, -0.05, 0.45).kind is UNDETERMINED


@settings(max_examples=60, deadline=None)
@given(latitude=st.floats(0.05, 0.95), longitude=st.floats(1.001, 1.09), azimuth=st.floats(0, 360))
def test_no_state_is_named_at_sea_within_6_nm_of_a_narrow_strait(
    latitude: float, longitude: float, azimuth: float
) -> None:
    strait = Water(name="x", reason="r", by=("AAA",), is_narrow=True)
    rings = [(unit("AAA"), square(0, 0, 1, 1))]
    land = made(rings, waters=[(strait, square(0.5, 0.3, 3, 0.7))])
    if state_at(land, latitude, longitude).kind is not STATE:
        return

    there = Geodesic.WGS84.Direct(latitude, longitude, azimuth, 5.98 * M_PER_NM)

    assert "x: r" not in state_at(land, there["lat2"], there["lon2"]).why


def test_a_parallel_of_50_degrees_is_a_parallel_and_no_chord() -> None:
    # The geodesic between its ends bows 49 km north of it at the middle.
    land = made([(unit("AAA"), square(0, 49, 40, 51)), (unit("BBB"), square(0, 48, 40, 49))])
    north = Geodesic.WGS84.Direct(49, 20, 0, 6.05 * M_PER_NM)
    south = Geodesic.WGS84.Direct(49, 20, 180, 5.95 * M_PER_NM)

    assert state_at(land, north["lat2"], 20).kind is STATE
    assert state_at(land, south["lat2"], 20).kind is UNDETERMINED


def test_land_round_a_pole_needs_no_closing_edge() -> None:
    circle = np.array([[-80.0, x] for x in range(-180, 180, 10)])
    longitudes = np.append(circle[:, 1], 180.0)
    latitudes = np.append(circle[:, 0], -80.0)
    lines = make_lines(
        longitude_deg=longitudes, latitude_deg=latitudes, points_a_line=np.array([37]),
        left=np.array([OUTSIDE]), right=np.array([0]), faces=1,
    )  # fmt: skip
    land = join(
        units=[unit("AAA")], areas=[], waters=[], area_of_ring=[], water_of_ring=[], lines=lines
    )

    for longitude in (-180, -179.99, 0, 77, 180):
        assert state_at(land, -90, longitude).kind is STATE
        assert state_at(land, -80.01, longitude).kind is STATE
        assert state_at(land, -79.95, longitude).kind is STATE  # 3 NM of territorial sea
        assert state_at(land, -79.5, longitude).kind is HIGH_SEAS


@pytest.mark.parametrize("half_width_nm", [0.05, 0.5, 3])
def test_past_the_point_of_a_spike_one_is_outside_all_round(half_width_nm: float) -> None:
    spike = np.array([[half_width_nm, -3], [-half_width_nm, -3], [0, 3]]) / 60
    lines = made([(unit("AAA"), spike)]).lines
    (face,) = near_faces(lines, 0, 0, faces_at(lines, 0, 0))
    angles = np.radians(np.arange(0.5, 360, 3))
    tip_m = face.start_m[np.argmax(face.start_m[:, 0])]
    round_it_m = tip_m + M_PER_NM * np.column_stack([np.cos(angles), np.sin(angles)])

    _, inside = measure(face, round_it_m)

    land = shapely.Polygon(face.start_m)
    assert inside.tolist() == [land.contains(shapely.Point(place)) for place in round_it_m]


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(
    shift=st.integers(0, 7), turn=st.floats(-180, 180), step=st.sampled_from([1, -1]),
    latitude=st.floats(-0.5, 1.5), longitude=st.floats(-0.5, 3.5),
)  # fmt: skip
def test_neither_the_ring_s_first_point_nor_its_direction_nor_the_meridian_matters(
    shift: int,
    turn: float,
    step: int,
    latitude: float,
    longitude: float,
) -> None:
    turn = round(turn * 64) / 64
    ring = np.array([
        [0, 0], [0, 3], [1, 3], [0.9, 1], [1.1, 1], [1.2, 3], [1.4, 3], [1.4, 0],
    ], dtype=float)  # fmt: skip
    rolled = np.roll(ring, shift, axis=0) + np.array([0, turn])
    plain = made([(unit("AAA"), ring)])
    changed = made([(unit("AAA"), rolled[::step])])
    longitude = round(longitude * 1024) / 1024

    expected = state_at(plain, latitude, longitude).kind

    assert state_at(changed, latitude, longitude + turn).kind is expected
