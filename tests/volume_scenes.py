# SPDX-License-Identifier: Apache-2.0
"""What the tests of volumes share: short words for shapes and flights, and an oracle.

The oracle knows nothing of chords and planes: it asks geographiclib for geodesic distances, one
by one, and looks for the least by sampling and golden sections.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from itertools import pairwise
from types import ModuleType, SimpleNamespace
from typing import Any, Final

import numpy as np
from geographiclib.geodesic import Geodesic

from keepclear.airspace.altitudes import Altitude, parse_altitude
from keepclear.airspace.geodesics import isometric_latitude
from keepclear.airspace.positions import Edge, Position
from keepclear.airspace.volumes import Circle, Corridor, Orbit, Polygon, Shape, Volume3D, Volume4D
from keepclear.detect import (
    bands,
    box_tree,
    closest,
    entering,
    inside,
    motions,
    overlaps,
    spans,
    volume_pairs,
    windows,
)
from keepclear.detect.cylinders import Cylinder
from keepclear.detect.datums import Datums
from keepclear.detect.fragments import Fragments, compile_points
from keepclear.detect.kernel import limits_of
from keepclear.detect.points import GEODESIC, Points
from keepclear.detect.skeletons import Tolerance, Volumes, compile_volumes
from keepclear.detect.sweep import (
    COLUMNS,
    CPA,
    CPA_A,
    CPA_B,
    END,
    END_A,
    END_B,
    LATERAL_M,
    MARGIN_M,
    START,
    START_A,
    START_B,
    VERDICT,
    VERTICAL_TMM,
    Limits,
    Rows,
)

SCALAR_MODULES: Final[tuple[ModuleType, ...]] = (
    inside, bands, motions, spans, windows, closest, entering, overlaps, box_tree, volume_pairs,
)  # fmt: skip
FUNCTIONS: Final = SimpleNamespace(
    **{name: value for module in SCALAR_MODULES for name, value in vars(module).items()
       if callable(value)}
)  # fmt: skip

HOUR_US: Final = 3_600_000_000
NM_TMM: Final = 18_520_000
FOOT_TMM: Final = 3_048
EARTH: Final = Geodesic.WGS84
LonLat = tuple[float, float]

ENTERING: Final = Cylinder(lateral_tmm=0, vertical_tmm=0)
FIVE_MILES: Final = Cylinder(lateral_tmm=5 * NM_TMM, vertical_tmm=1000 * FOOT_TMM)


def at(longitude_deg: float, latitude_deg: float) -> Position:
    return Position(latitude_deg=latitude_deg, longitude_deg=longitude_deg)


def polygon(*ring: LonLat, holes: Sequence[Sequence[LonLat]] = (), edge: Edge = Edge.PLANAR) -> Polygon:  # fmt: skip
    return Polygon(
        ring=tuple(at(*corner) for corner in ring),
        holes=tuple(tuple(at(*corner) for corner in hole) for hole in holes), edge=edge,
    )  # fmt: skip


def box(west: float, south: float, east: float, north: float, edge: Edge = Edge.PLANAR) -> Polygon:
    return polygon((west, south), (east, south), (east, north), (west, north), edge=edge)


def volume(
    shape: Shape, lower: str | None = None, upper: str | None = None, start_us: int = 0,
    end_us: int = HOUR_US,
) -> Volume4D:  # fmt: skip
    def limit(text: str | None) -> Altitude | None:
        return None if text is None else parse_altitude(text)

    return Volume4D(
        volume=Volume3D(shape=shape, lower=limit(lower), upper=limit(upper)),
        start_us=start_us, end_us=end_us,
    )  # fmt: skip


def flight(
    *points: tuple[float, float, float, float], datum: int = 0, edge: int = GEODESIC,
    early_s: float = 0.0, late_s: float = 0.0, clock_s: float = 0.0, lateral_m: float = 0.0,
    vertical_ft: float = 0.0,
) -> Fragments:  # fmt: skip
    """Return one flight; points are (seconds, longitude, latitude, feet)."""
    count = len(points)
    one = np.ones(1, dtype=np.int64)
    starts = np.zeros(count, dtype=bool)
    starts[0] = True
    return compile_points(Points(
        offsets=np.array([0, count]),
        time_us=np.array([round(point[0] * 1e6) for point in points]),
        latitude_deg=np.array([point[2] for point in points]),
        longitude_deg=np.array([point[1] for point in points]),
        height_tmm=np.array([round(point[3] * FOOT_TMM) for point in points]),
        datum=np.full(count, datum), lateral_m=np.full(count, lateral_m),
        vertical_tmm=np.full(count, round(vertical_ft * FOOT_TMM)), starts_stretch=starts,
        edge=edge * one, early_us=round(early_s * 1e6) * one, late_us=round(late_s * 1e6) * one,
        clock_us=round(clock_s * 1e6) * one,
    ))  # fmt: skip


def minima(*cylinders: Cylinder, uncertainty: bool = True) -> Limits:
    return limits_of(cylinders or (ENTERING,), uncertainty=uncertainty)


def enter(
    f: Fragments, four: Volume4D, *cylinders: Cylinder, tolerance: Tolerance | None = None,
    uncertainty: bool = True,
) -> Rows:  # fmt: skip
    """Return the rows of a flight and a volume."""
    tolerances = None if tolerance is None else [tolerance]
    v = compile_volumes([four], Datums(), tolerances)
    limits = minima(*cylinders, uncertainty=uncertainty)
    rows = np.empty((4000, COLUMNS))
    count = entering.sweep_volume(f, 0, v, 0, limits, max(limits.lateral_m), rows, 0)
    return rows[:count]


def meet(one: Volume4D, other: Volume4D, *cylinders: Cylinder, tolerances: Sequence[Tolerance] | None = None) -> Rows:  # fmt: skip
    """Return the rows of two volumes."""
    v = compile_volumes([one, other], Datums(), tolerances)
    limits = minima(*cylinders)
    rows = np.empty((16, COLUMNS))
    count = overlaps.overlap(v, 0, v, 1, limits, max(limits.lateral_m), rows, 0)
    return rows[:count]


def verdicts(rows: Rows) -> set[int]:
    return {int(verdict) for verdict in rows[:, VERDICT]}


def intervals_s(rows: Rows, start: int = START, end: int = END) -> list[tuple[float, float]]:
    """Return the joined intervals of rows, seconds."""
    joined: list[list[float]] = []
    for low, high in sorted((row[start] / 1e6, row[end] / 1e6) for row in rows):
        if joined and low <= joined[-1][1] + 1e-5:
            joined[-1][1] = max(joined[-1][1], high)
        else:
            joined.append([low, high])
    return [(low, high) for low, high in joined]


# --- the oracle ------------------------------------------------------------------------------


def distance_m(one: LonLat, other: LonLat) -> float:
    line = EARTH.Inverse(one[1], one[0], other[1], other[0], Geodesic.DISTANCE)
    return float(line["s12"])


def along(start: LonLat, end: LonLat, share: float, edge: Edge = Edge.GEODESIC) -> LonLat:
    """Return the place at a share of an edge."""
    if edge is Edge.GEODESIC:
        line = EARTH.InverseLine(start[1], start[0], end[1], end[0])
        there = line.Position(share * line.s13)
        return float(there["lon2"]), float(there["lat2"])
    step = (end[0] - start[0] + 180) % 360 - 180
    latitude = start[1] + (end[1] - start[1]) * share
    if edge is Edge.RHUMB and start[1] != end[1]:
        psi = [float(isometric_latitude(np.array(y))) for y in (start[1], latitude, end[1])]
        share = (psi[1] - psi[0]) / (psi[2] - psi[0])
    return (start[0] + step * share + 180) % 360 - 180, latitude


def least(function: Callable[[float], float], low: float, high: float, samples: int = 32) -> float:
    """Return the least value of a function, by sampling and golden sections round the best."""
    shares = [low + (high - low) * k / samples for k in range(samples + 1)]
    values = [function(share) for share in shares]
    best = min(range(samples + 1), key=values.__getitem__)
    a, b = shares[max(best - 1, 0)], shares[min(best + 1, samples)]
    golden = (math.sqrt(5) - 1) / 2
    for _ in range(60):
        c, d = b - golden * (b - a), a + golden * (b - a)
        if function(c) <= function(d):
            b = d
        else:
            a = c
    return min(function((a + b) / 2), *values)


def edges_of(shape: Shape) -> Iterator[tuple[LonLat, LonLat, Edge]]:
    match shape:
        case Polygon():
            for ring in (shape.ring, *shape.holes):
                for one, other in pairwise((*ring, ring[0])):
                    yield _lonlat(one), _lonlat(other), shape.edge
        case Corridor():
            for one, other in pairwise(shape.route):
                yield _lonlat(one), _lonlat(other), shape.edge
        case Orbit():
            yield _lonlat(shape.first), _lonlat(shape.second), Edge.GEODESIC
        case Circle():
            yield _lonlat(shape.centre), _lonlat(shape.centre), Edge.GEODESIC
        case _:
            raise NotImplementedError


def radius_m(shape: Shape) -> float:
    match shape:
        case Circle() | Orbit():
            return shape.radius_tmm / 10_000
        case Corridor():
            return shape.width_tmm / 20_000
        case _:
            return 0.0


def distance_from(shape: Shape, place: LonLat) -> float:
    """Return the distance from a shape in metres, 0 inside. Polygons: planar edges only."""
    if isinstance(shape, Polygon) and is_inside(shape, place):
        return 0.0
    found = min(
        least(lambda share, e=edge: distance_m(place, along(e[0], e[1], share, e[2])), 0.0, 1.0)  # type: ignore[misc]
        if edge[0] != edge[1]
        else distance_m(place, edge[0])
        for edge in edges_of(shape)
    )
    return max(found - radius_m(shape), 0.0)


def is_inside(shape: Polygon, place: LonLat) -> bool:
    """Tell, in fractions, whether a place is inside a polygon of planar edges; no pole in it."""
    assert shape.edge is Edge.PLANAR
    odd = False
    y = Fraction(place[1])
    for ring in (shape.ring, *shape.holes):
        for one, other in pairwise((*ring, ring[0])):
            x0 = _past(Fraction(one.longitude_deg) - Fraction(place[0]))
            x1 = x0 + _past(Fraction(other.longitude_deg) - Fraction(one.longitude_deg))
            y0, y1 = Fraction(one.latitude_deg), Fraction(other.latitude_deg)
            if (y0 <= y) != (y1 <= y) and x0 + (y - y0) / (y1 - y0) * (x1 - x0) > 0:
                odd = not odd
    return odd


def _past(step: Fraction) -> Fraction:
    return (step + 180) % 360 - 180


def _lonlat(position: Position) -> LonLat:
    return position.longitude_deg, position.latitude_deg


__all__ = [
    "COLUMNS", "CPA", "CPA_A", "CPA_B", "END", "END_A", "END_B", "ENTERING", "FIVE_MILES",
    "FOOT_TMM", "FUNCTIONS", "HOUR_US", "LATERAL_M", "MARGIN_M", "NM_TMM", "SCALAR_MODULES",
    "START", "START_A", "START_B", "VERDICT", "VERTICAL_TMM", "Any", "Tolerance", "Volumes",
]  # fmt: skip
