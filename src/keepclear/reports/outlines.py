# SPDX-License-Identifier: Apache-2.0
"""The outline of a shape as positions, to draw it: circles get corners here and only here.

A shape becomes areas, an area becomes rings of (longitude, latitude), outside first, not
closed. A corridor is one area a leg, with round ends; they overlap at its turns.
"""

from itertools import pairwise
from typing import Final

from keepclear.airspace.geodesics import geod
from keepclear.airspace.positions import Edge, Position
from keepclear.airspace.volumes import Arc, ArcPolygon, Circle, Corridor, Orbit, Polygon, Shape
from keepclear.reports.pieces import curve
from keepclear.units import metres

Pair = tuple[float, float]
Area = list[list[Pair]]
CORNER_EVERY_DEG: Final = 5.0


def outlines(shape: Shape) -> list[Area]:
    """Return the areas of a shape."""
    match shape:
        case Polygon():
            return [[_ring(ring, shape.edge) for ring in (shape.ring, *shape.holes)]]
        case Circle():
            return [[_turn(_pair(shape.centre), metres(shape.radius_tmm), 0, 360)]]
        case ArcPolygon():
            return [[_boundary(shape)]]
        case Corridor():
            radius_m = metres(shape.width_tmm) / 2
            return [
                [_capsule(start, end, radius_m, shape.edge)] for start, end in pairwise(shape.route)
            ]
        case Orbit():
            radius_m = metres(shape.radius_tmm)
            return [[_capsule(shape.first, shape.second, radius_m, Edge.GEODESIC)]]


def _pair(position: Position) -> Pair:
    return position.longitude_deg, position.latitude_deg


def _ring(ring: tuple[Position, ...], edge: Edge) -> list[Pair]:
    corners = [*ring, ring[0]]
    return [pair for start, end in pairwise(corners) for pair in _edge(start, end, edge)]


def _edge(start: Position, end: Position, edge: Edge) -> list[Pair]:
    """Return points along an edge, without its start."""
    return curve(_pair(start), _pair(end), edge)


def _turn(centre: Pair, radius_m: float, from_deg: float, to_deg: float) -> list[Pair]:
    """Return points round a centre from one azimuth up to, not including, another."""
    corners = max(1, int(abs(to_deg - from_deg) / CORNER_EVERY_DEG))
    azimuths = [from_deg + (to_deg - from_deg) * i / corners for i in range(corners)]
    points = (geod().fwd(*centre, azimuth, radius_m) for azimuth in azimuths)
    return [(float(longitude), float(latitude)) for longitude, latitude, _ in points]


def _boundary(shape: ArcPolygon) -> list[Pair]:
    ring: list[Pair] = []
    parts = [*shape.boundary, shape.boundary[0]]
    for part, following in pairwise(parts):
        if isinstance(part, Arc):
            ring.extend(_arc(part))
        else:
            ring.append(_pair(part.start))
            ring.extend(_edge(part.start, following.start, part.edge)[:-1])
    return ring


def _arc(arc: Arc) -> list[Pair]:
    centre = _pair(arc.centre)
    from_deg, _, radius_m = geod().inv(*centre, *_pair(arc.start))
    to_deg = geod().inv(*centre, *_pair(arc.end))[0]
    sweep_deg = (to_deg - from_deg) % 360 or 360
    return _turn(centre, radius_m, from_deg, from_deg + sweep_deg - (0 if arc.clockwise else 360))


def _capsule(start: Position, end: Position, radius_m: float, edge: Edge) -> list[Pair]:
    """Return all within a radius of a leg: along one side, round the end, back, round the start."""
    line = [_pair(start), *_edge(start, end, edge)]
    if line[0] == line[-1]:
        return _turn(line[0], radius_m, 0, 360)
    headings = [geod().inv(*here, *there)[0] for here, there in pairwise(line)]
    headings.append(headings[-1])
    sides = list(zip(line, headings, strict=True))
    right = [_turn(at, radius_m, heading + 90, heading + 91)[0] for at, heading in sides]
    left = [_turn(at, radius_m, heading - 90, heading - 89)[0] for at, heading in reversed(sides)]
    head = _turn(line[-1], radius_m, headings[-1] + 90, headings[-1] - 90)[1:]
    tail = _turn(line[0], radius_m, headings[0] - 90, headings[0] - 270)[1:]
    return [*right, *head, *left, *tail]
