# SPDX-License-Identifier: Apache-2.0
"""How much ground some shapes cover together, on the ellipsoid; heights are ignored.

Positions go onto a Lambert azimuthal equal-area plane round their middle, by authalic latitudes
(Snyder, Map Projections, USGS PP 1395, eq. 3-11, 3-12, 24-2, 24-3), so that areas are those of
WGS 84. Distances round a circle, corridor or orbit are laid off on the plane: right to a part in
a thousand within 500 km of the middle.
"""

import math
from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt
import shapely
from shapely.geometry.base import BaseGeometry

from keepclear.airspace.geodesics import (
    ECCENTRICITY_SQ,
    SEMI_MAJOR_M,
    along_curve,
    from_ecef,
    to_ecef,
)
from keepclear.airspace.positions import Edge, Position
from keepclear.airspace.volumes import ArcPolygon, Circle, Corridor, Orbit, Polygon, Shape
from keepclear.errors import InputError

Floats = npt.NDArray[np.float64]

LONGEST_M: Final = 20_000.0
FINENESS: Final = 2_000
QUARTER: Final = 32  # edges in a quarter of a circle
# A ring of 4 * QUARTER edges in a circle is smaller than it by this factor.
ROUND: Final = math.sin(math.pi / 2 / QUARTER) / (math.pi / 2 / QUARTER)
ECCENTRICITY: Final = math.sqrt(ECCENTRICITY_SQ)
M2_PER_KM2: Final = 1_000_000.0


def footprint_km2(shapes: Sequence[Shape]) -> float:
    """Return the area in km2 that shapes (one or more) cover together.

    `InputError` for a shape that reaches more than a quarter round the earth.
    """
    distinct = list(dict.fromkeys(shapes))
    plane = _Plane([each for shape in distinct for each in _positions(shape)])
    if len(distinct) == 1 and not isinstance(distinct[0], Corridor):
        return _area_m2(plane, distinct[0]) / M2_PER_KM2
    return float(shapely.union_all([_drawn(plane, each) for each in distinct]).area) / M2_PER_KM2


def inscribed_m(area: Polygon) -> float:
    """Return the radius in metres of a circle that fits into a polygon.

    Not more than the largest one that fits; less by up to a 2,000th of the area's shorter side,
    or half a hundredth where the area is 1,000 km across, as the plane is wrong there. 0 for rings
    that cross themselves. `InputError` as above.
    """
    plane = _Plane(area.ring)
    holes = [_ring(plane, hole, area.edge) for hole in area.holes]
    drawn = shapely.Polygon(_ring(plane, area.ring, area.edge), holes)
    if not drawn.is_valid:
        return 0.0
    west_m, south_m, east_m, north_m = drawn.bounds
    tolerance_m = min(east_m - west_m, north_m - south_m) / FINENESS
    return float(shapely.maximum_inscribed_circle(drawn, tolerance=tolerance_m).length)


class _Plane:
    """An equal-area plane round the middle of some positions."""

    def __init__(self, positions: Sequence[Position]) -> None:
        points = to_ecef(*_degrees(positions))
        latitude, longitude = from_ecef(points.mean(axis=0))
        self._beta, self._lambda = _authalic(latitude), np.radians(longitude)

    def points(self, latitude_deg: Floats, longitude_deg: Floats) -> Floats:
        """Return positions in metres on the plane, shape (n, 2)."""
        beta, turn = _authalic(latitude_deg), np.radians(longitude_deg) - self._lambda
        near = np.sin(self._beta) * np.sin(beta) + np.cos(self._beta) * np.cos(beta) * np.cos(turn)
        if (near < 0).any():
            raise InputError("shape", "", "reaches over a quarter of the earth", "divide it")
        stretch = RADIUS_M * np.sqrt(2 / (1 + near))
        x = stretch * np.cos(beta) * np.sin(turn)
        y = stretch * (
            np.cos(self._beta) * np.sin(beta) - np.sin(self._beta) * np.cos(beta) * np.cos(turn)
        )
        return np.stack([x, y], axis=-1)

    def along(self, positions: Sequence[Position], edge: Edge) -> Floats:
        """Return a line through positions on the plane, its edges drawn as they are."""
        latitude, longitude = _degrees(positions)
        ends = to_ecef(latitude, longitude)
        steps = np.diff(ends, axis=0)
        longest_m = float(np.sqrt((steps * steps).sum(axis=1)).max())
        count = max(1, math.ceil(longest_m / LONGEST_M))
        if count == 1:
            return self.points(latitude, longitude)
        fraction = np.arange(count) / count
        if edge is Edge.GEODESIC:
            chords = ends[:-1, None, :] + steps[:, None, :] * fraction[None, :, None]
            between = from_ecef(_onto_ellipsoid(chords.reshape(-1, 3)))
        else:
            between = along_curve(
                np.repeat(latitude[:-1], count), np.repeat(longitude[:-1], count),
                np.repeat(latitude[1:], count), np.repeat(longitude[1:], count),
                np.tile(fraction, len(steps)), edge,
            )  # fmt: skip
        return self.points(
            np.append(between[0], latitude[-1]), np.append(between[1], longitude[-1])
        )


def _onto_ellipsoid(points: Floats) -> Floats:
    """Return points moved onto the ellipsoid from the earth's centre."""
    minor_m = SEMI_MAJOR_M * math.sqrt(1 - ECCENTRICITY_SQ)
    across = (points[:, 0] ** 2 + points[:, 1] ** 2) / SEMI_MAJOR_M**2
    return np.asarray(points / np.sqrt(across + points[:, 2] ** 2 / minor_m**2)[:, None])


def _authalic(latitude_deg: Floats) -> Floats:
    """Return authalic latitudes in radians (Snyder, eq. 3-11 and 3-12)."""
    return np.arcsin(np.clip(_q(np.sin(np.radians(latitude_deg))) / Q_POLE, -1.0, 1.0))


def _q(sine: Floats) -> Floats:
    """Return Snyder's q (eq. 3-12) for the sine of a latitude."""
    q: Floats = (1 - ECCENTRICITY_SQ) * (
        sine / (1 - ECCENTRICITY_SQ * sine**2)
        + np.arctanh(ECCENTRICITY * sine) / ECCENTRICITY
    )  # fmt: skip
    return q


Q_POLE: Final = float(_q(np.array(1.0)))
RADIUS_M: Final = SEMI_MAJOR_M * math.sqrt(Q_POLE / 2)


def _degrees(positions: Sequence[Position]) -> tuple[Floats, Floats]:
    latitude = np.array([each.latitude_deg for each in positions])
    return latitude, np.array([each.longitude_deg for each in positions])


def _positions(shape: Shape) -> tuple[Position, ...]:
    match shape:
        case Polygon():
            return shape.ring
        case Circle():
            return (shape.centre,)
        case Corridor():
            return shape.route
        case Orbit():
            return (shape.first, shape.second)
        case ArcPolygon():
            raise InputError("shape", "arcs", "have no footprint here", "give a polygon")


def _area_m2(plane: _Plane, shape: Shape) -> float:
    """Return the area of one shape."""
    match shape:
        case Polygon():
            area_m2 = _ring_m2(_ring(plane, shape.ring, shape.edge))
            return area_m2 - sum(_ring_m2(_ring(plane, h, shape.edge)) for h in shape.holes)
        case Circle():
            return math.pi * (shape.radius_tmm / 10_000) ** 2
        case Orbit():
            ends = plane.points(*_degrees((shape.first, shape.second)))
            radius_m = shape.radius_tmm / 10_000
            length_m = float(np.linalg.norm(ends[1] - ends[0]))
            return math.pi * radius_m**2 + 2 * radius_m * length_m
        case _:
            return float(_drawn(plane, shape).area)


def _ring(plane: _Plane, ring: Sequence[Position], edge: Edge) -> Floats:
    return plane.along((*ring, ring[0]), edge)[:-1]


def _ring_m2(ring: Floats) -> float:
    x, y = ring.T
    return float(abs((x * np.roll(y, -1) - np.roll(x, -1) * y).sum())) / 2


def _drawn(plane: _Plane, shape: Shape) -> BaseGeometry:
    """Return a shape on the plane, as Shapely has it."""
    match shape:
        case Polygon():
            holes = [_ring(plane, hole, shape.edge) for hole in shape.holes]
            return shapely.Polygon(_ring(plane, shape.ring, shape.edge), holes).buffer(0)
        case Circle():
            centre = plane.points(*_degrees((shape.centre,)))[0]
            return _round(shapely.Point(centre), shape.radius_tmm / 10_000)
        case Corridor():
            line = shapely.LineString(plane.along(shape.route, shape.edge))
            return _round(line, shape.width_tmm / 20_000)
        case Orbit():
            line = shapely.LineString(plane.along((shape.first, shape.second), Edge.GEODESIC))
            return _round(line, shape.radius_tmm / 10_000)
        case ArcPolygon():
            raise InputError("shape", "arcs", "have no footprint here", "give a polygon")


def _round(line: BaseGeometry, radius_m: float) -> BaseGeometry:
    """Return all within a radius of a line; the rings of its ends have the area of circles."""
    return line.buffer(radius_m / math.sqrt(ROUND), quad_segs=QUARTER)
