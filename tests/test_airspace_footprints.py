# SPDX-License-Identifier: Apache-2.0
"""Areas on the ellipsoid, against geographiclib and against what shapes share."""

import math

import pytest
from geographiclib.geodesic import Geodesic
from hypothesis import given
from hypothesis import strategies as st

from keepclear.airspace.footprints import footprint_km2
from keepclear.airspace.positions import Edge, Position
from keepclear.airspace.volumes import Circle, Corridor, Orbit, Polygon
from keepclear.errors import InputError

a_part_in_a_thousand = 1e-3


def at(latitude_deg: float, longitude_deg: float) -> Position:
    return Position(latitude_deg=latitude_deg, longitude_deg=(longitude_deg + 180) % 360 - 180)


def square(latitude: float, longitude: float, size: float, edge: Edge = Edge.GEODESIC) -> Polygon:
    corners = ((0, 0), (0, size), (size, size), (size, 0))
    return Polygon(ring=tuple(at(latitude + a, longitude + b) for a, b in corners), edge=edge)


def oracle_km2(polygon: Polygon) -> float:
    """Return the area of a polygon of geodesics by geographiclib (Karney 2013)."""
    area = Geodesic.WGS84.Polygon()
    for each in polygon.ring:
        area.AddPoint(each.latitude_deg, each.longitude_deg)
    return float(abs(area.Compute()[2])) / 1e6


@given(
    latitude=st.floats(-84, 80), longitude=st.floats(-180, 180), size=st.floats(0.01, 4),
)  # fmt: skip
def test_the_area_of_a_polygon_is_that_of_the_ellipsoid(
    latitude: float, longitude: float, size: float
) -> None:
    polygon = square(latitude, longitude, size)

    assert footprint_km2([polygon]) == pytest.approx(oracle_km2(polygon), rel=1e-4)


def test_a_square_with_a_hole_is_smaller_by_the_hole() -> None:
    outer, inner = square(35, 35, 1), square(35.25, 35.25, 0.5)
    ring = Polygon(ring=outer.ring, holes=(inner.ring,))

    assert footprint_km2([ring]) == pytest.approx(oracle_km2(outer) - oracle_km2(inner), rel=1e-5)


def test_circles_orbits_and_corridors_have_the_area_of_their_shape() -> None:
    circle = Circle(centre=at(35, 179.9), radius_tmm=20 * 18_520_000)
    # 20 NM; on the ellipsoid a circle is smaller than pi r^2 by about r^2 / 12 R^2: 3e-6 here
    flat_km2 = math.pi * (20 * 1.852) ** 2
    orbit = Orbit(first=at(35, 35), second=at(35.5, 35), radius_tmm=50_000_000)
    length_km = Geodesic.WGS84.Inverse(35, 35, 35.5, 35)["s12"] / 1000
    stadium_km2 = math.pi * 25 + 10 * length_km
    corridor = Corridor(route=(at(35, 35), at(35.5, 35)), width_tmm=100_000_000)

    assert footprint_km2([circle]) == pytest.approx(flat_km2, rel=1e-5)
    assert footprint_km2([orbit]) == pytest.approx(stadium_km2, rel=a_part_in_a_thousand)
    assert footprint_km2([corridor]) == pytest.approx(stadium_km2, rel=a_part_in_a_thousand)


def test_what_shapes_share_is_counted_once() -> None:
    one = square(35, 35, 1, Edge.PLANAR)
    corners = ((35, 35.5), (35, 36.5), (36, 36.5), (36, 35.5))
    half = Polygon(ring=tuple(at(*each) for each in corners), edge=Edge.PLANAR)
    both = Polygon(ring=(one.ring[0], half.ring[1], half.ring[2], one.ring[3]), edge=Edge.PLANAR)
    circle = Circle(centre=at(35.5, 35.5), radius_tmm=50_000_000)

    assert footprint_km2([one, one]) == footprint_km2([one])
    assert footprint_km2([one, half]) == pytest.approx(footprint_km2([both]), rel=1e-4)
    assert footprint_km2([one, circle]) == pytest.approx(footprint_km2([one]), rel=1e-6)
    away = Circle(centre=at(38, 35), radius_tmm=50_000_000)
    assert footprint_km2([circle, away]) == pytest.approx(2 * math.pi * 25, rel=2e-3)


def test_a_box_round_the_antimeridian_and_over_a_pole_have_an_area() -> None:
    over = square(10, 179.5, 1)
    ring = tuple(at(80, longitude) for longitude in range(-180, 180, 10))
    cap = Polygon(ring=ring, edge=Edge.GEODESIC)

    assert footprint_km2([over]) == pytest.approx(oracle_km2(square(10, 20, 1)), rel=1e-5)
    assert footprint_km2([cap]) == pytest.approx(oracle_km2(cap), rel=1e-5)


def test_a_shape_over_a_quarter_of_the_earth_is_refused() -> None:
    wide = Polygon(ring=(at(0, -170), at(0, -60), at(0, 60), at(10, 60), at(10, -60)))

    with pytest.raises(InputError, match="reaches over a quarter of the earth; divide it"):
        footprint_km2([wide])
