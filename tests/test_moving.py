# SPDX-License-Identifier: Apache-2.0
"""Shapes that a proposal moves aside."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keepclear.airspace.geodesics import distance_m
from keepclear.airspace.moving import moved_aside
from keepclear.airspace.positions import Position
from keepclear.airspace.volumes import Arc, ArcPolygon, Circle, Corridor, Orbit, Polygon
from keepclear.errors import InputError

# WGS 84: a degree along the equator is a pi / 180; the meridian from 0 to 1 degree after
# the series of NGA.STND.0036, 110,574.39 m
EQUATOR_M = 111_319.4908
MERIDIAN_M = 110_574.3886


def at(latitude_deg: float, longitude_deg: float) -> Position:
    return Position(latitude_deg=latitude_deg, longitude_deg=longitude_deg)


@pytest.mark.parametrize(
    ("away_m", "towards_deg", "there"),
    [
        (EQUATOR_M, 90, (0, 1)), (EQUATOR_M, 270, (0, -1)),
        (MERIDIAN_M, 0, (1, 0)), (MERIDIAN_M, 360, (1, 0)), (MERIDIAN_M, 180, (-1, 0)),
    ],
)  # fmt: skip
def test_a_circle_goes_as_far_as_was_said_in_the_direction_that_was_said(
    away_m: float, towards_deg: float, there: tuple[float, float]
) -> None:
    moved = moved_aside(Circle(centre=at(0, 0), radius_tmm=5), away_m, towards_deg)

    assert isinstance(moved, Circle)
    assert (moved.centre.latitude_deg, moved.centre.longitude_deg) == pytest.approx(there, abs=1e-8)
    assert moved.radius_tmm == 5


@given(
    st.floats(-60, 60), st.floats(-180, 180), st.floats(1, 900_000), st.floats(0, 360)
)  # fmt: skip
def test_every_position_of_every_shape_goes_that_far(
    latitude_deg: float, longitude_deg: float, away_m: float, towards_deg: float
) -> None:
    ring = tuple(
        at(latitude_deg + n, (longitude_deg + m + 540) % 360 - 180)
        for n, m in ((0, 0), (0, 1), (1, 0))
    )
    hole = tuple(at(each.latitude_deg + 0.2, each.longitude_deg) for each in ring)

    polygon = moved_aside(Polygon(ring=ring, holes=(hole,)), away_m, towards_deg)
    corridor = moved_aside(Corridor(route=ring, width_tmm=7), away_m, towards_deg)
    orbit = moved_aside(Orbit(first=ring[0], second=ring[1], radius_tmm=9), away_m, towards_deg)

    assert isinstance(polygon, Polygon)
    assert isinstance(corridor, Corridor)
    assert isinstance(orbit, Orbit)
    assert corridor.route == polygon.ring
    assert (orbit.first, orbit.second) == polygon.ring[:2]
    assert (corridor.width_tmm, orbit.radius_tmm) == (7, 9)
    pairs = zip((*ring, *hole), (*polygon.ring, *polygon.holes[0]), strict=True)
    for one, other in pairs:
        assert distance_m(one, other) == pytest.approx(away_m, abs=1e-3)


def test_an_area_with_arcs_is_not_moved() -> None:
    arc = Arc(centre=at(0, 0), start=at(0, 1), end=at(0, 1), clockwise=True)

    with pytest.raises(InputError, match="arcs"):
        moved_aside(ArcPolygon(boundary=(arc,)), 1.0, 0.0)
