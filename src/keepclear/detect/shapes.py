# SPDX-License-Identifier: Apache-2.0
"""Shapes as a skeleton and a distance round it.

A circle is a point and its radius, a corridor a line and half its width, a racetrack a line and
its radius, a polygon its rings and no distance: so all are tested exactly, and no circle is a
polygon. An arc in the boundary of an area is the exception: it is cut into geodesic edges
(`arcs`) that leave nothing of the area out.

Leaves the cutting of edges to `skeletons`, crossings of rings to `crossings`.
1. A ring is closed without repeating its first position; which way round it goes is not asked:
   the area is what it encloses (see `skeletons`).
2. A position given twice in a row is one position (`edges`).
"""

from collections.abc import Sequence
from typing import Final

import msgspec

from keepclear.airspace.positions import Edge, Position
from keepclear.airspace.volumes import ArcPolygon, Circle, Corridor, Orbit, Polygon, Shape
from keepclear.detect.arcs import boundary_of
from keepclear.detect.points import GEODESIC, PLANAR, RHUMB
from keepclear.errors import InputError
from keepclear.units import TMM_PER_M

LARGEST_RADIUS_M: Final = 200_000.0
EDGE_CODES: Final = {Edge.GEODESIC: GEODESIC, Edge.RHUMB: RHUMB, Edge.PLANAR: PLANAR}


class Run(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Positions joined in order, a ring where `is_closed`.

    kinds: of the edge that starts at each position (GEODESIC, RHUMB, PLANAR); the last one of
    an open run starts nothing.
    """

    latitude_deg: tuple[float, ...]
    longitude_deg: tuple[float, ...]
    kinds: tuple[int, ...]
    is_closed: bool


class Skeleton(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Runs, whether they bound a region, and the distance round them that belongs to the shape."""

    runs: tuple[Run, ...]
    is_region: bool
    radius_m: float


def skeleton_of(shape: Shape) -> Skeleton:
    """Return a shape's skeleton; `InputError` for one that has none."""
    match shape:
        case Polygon():
            kind = EDGE_CODES[shape.edge]
            runs = tuple(_ring(ring, kind) for ring in (shape.ring, *shape.holes))
            return Skeleton(runs=runs, is_region=True, radius_m=0.0)
        case ArcPolygon():
            corners = [(p, EDGE_CODES[edge]) for p, edge in boundary_of(shape)]
            run = _run([p for p, _ in corners], [kind for _, kind in corners], is_closed=True)
            return Skeleton(runs=(run,), is_region=True, radius_m=0.0)
        case Circle():
            radius_m = _radius_m(shape.radius_tmm, "circle.radius")
            return Skeleton(runs=(_line([shape.centre], GEODESIC),), is_region=False,
                            radius_m=radius_m)  # fmt: skip
        case Corridor():
            radius_m = _radius_m(shape.width_tmm / 2, "corridor.width")
            return Skeleton(runs=(_line(shape.route, EDGE_CODES[shape.edge]),), is_region=False,
                            radius_m=radius_m)  # fmt: skip
        case Orbit():
            radius_m = _radius_m(shape.radius_tmm, "orbit.radius")
            return Skeleton(runs=(_line([shape.first, shape.second], GEODESIC),), is_region=False,
                            radius_m=radius_m)  # fmt: skip


def _radius_m(radius_tmm: float, path: str) -> float:
    radius_m = radius_tmm / TMM_PER_M
    if radius_m > LARGEST_RADIUS_M:
        raise InputError(
            path, f"{radius_m / 1852:.1f} NM", "reaches beyond 108 NM (200 km) to a side",
            "give the boundary as an area of lines and arcs",
        )  # fmt: skip
    return radius_m


def _ring(positions: Sequence[Position], kind: int) -> Run:
    return _run(positions, [kind] * len(positions), is_closed=True)


def _line(positions: Sequence[Position], kind: int) -> Run:
    return _run(positions, [kind] * len(positions), is_closed=False)


def _run(positions: Sequence[Position], kinds: Sequence[int], *, is_closed: bool) -> Run:
    return Run(
        latitude_deg=tuple([position.latitude_deg for position in positions]),
        longitude_deg=tuple([position.longitude_deg for position in positions]),
        kinds=tuple(kinds), is_closed=is_closed,
    )  # fmt: skip
