# SPDX-License-Identifier: Apache-2.0
"""What the tests of volumes share: short words for shapes and flights, and an oracle.

The oracle knows nothing of chords and planes: it asks geographiclib and PROJ for geodesic
distances, looks for the least by sampling ever finer, and for crossings by halving.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from itertools import pairwise
from types import ModuleType, SimpleNamespace
from typing import Final

import numpy as np
import numpy.typing as npt
from geographiclib.geodesic import Geodesic

from keepclear.airspace.altitudes import Altitude, parse_altitude
from keepclear.airspace.geodesics import from_ecef, geod, isometric_latitude
from keepclear.airspace.positions import Edge, Position
from keepclear.airspace.volumes import Circle, Corridor, Orbit, Polygon, Shape, Volume3D, Volume4D
from keepclear.detect import (
    appending,
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
from keepclear.detect.skeletons import Tolerance, compile_volumes
from keepclear.detect.sweep import COLUMNS, CPA_X, CPA_Z, END, START, VERDICT, Limits, Rows

SCALAR_MODULES: Final[tuple[ModuleType, ...]] = (
    windows, inside, motions, spans, bands, closest, entering, overlaps, box_tree, volume_pairs,
    appending,
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
Floats = npt.NDArray[np.float64]

ENTERING: Final = Cylinder(lateral_tmm=0, vertical_tmm=0)
FIVE_MILES: Final = Cylinder(lateral_tmm=5 * NM_TMM, vertical_tmm=1000 * FOOT_TMM)


def at(longitude_deg: float, latitude_deg: float) -> Position:
    return Position(latitude_deg=latitude_deg, longitude_deg=longitude_deg)


def polygon(
    *ring: LonLat, holes: Sequence[Sequence[LonLat]] = (), edge: Edge = Edge.PLANAR
) -> Polygon:
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


def meet(
    one: Volume4D,
    other: Volume4D,
    *cylinders: Cylinder,
    tolerances: Sequence[Tolerance] | None = None,
) -> Rows:
    """Return the rows of two volumes."""
    v = compile_volumes([one, other], Datums(), tolerances)
    limits = minima(*cylinders)
    rows = np.empty((16, COLUMNS))
    count = overlaps.overlap(v, 0, v, 1, limits, max(limits.lateral_m), rows, 0)
    return rows[:count]


def place_of(row: Floats) -> LonLat:
    """Return the place of a row's closest point."""
    latitude, longitude = from_ecef(row[CPA_X : CPA_Z + 1])
    return float(longitude), float(latitude)


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


def along(start: LonLat, end: LonLat, share: float) -> LonLat:
    """Return the place at a share of a geodesic, after geographiclib."""
    line = EARTH.InverseLine(start[1], start[0], end[1], end[0])
    there = line.Position(share * line.s13)
    return float(there["lon2"]), float(there["lat2"])


def distance_from_edge(place: LonLat, start: LonLat, end: LonLat, edge: Edge) -> float:
    """Return the distance from an edge: the least of 65 samples, 32 times finer each time."""
    low, high = 0.0, 1.0
    least_m = math.inf
    for _ in range(7):
        shares = np.linspace(low, high, 65)
        x, y = curve(start, end, shares, edge)
        _, _, lengths_m = geod().inv(np.full(65, place[0]), np.full(65, place[1]), x, y)
        k = int(np.argmin(lengths_m))
        least_m = float(lengths_m[k])
        low, high = shares[max(k - 1, 0)], shares[min(k + 1, 64)]
    return least_m


def curve(start: LonLat, end: LonLat, shares: Floats, edge: Edge) -> tuple[Floats, Floats]:
    """Return longitudes and latitudes at shares of an edge."""
    if edge is Edge.GEODESIC:
        azimuth, _, length_m = geod().inv(*start, *end)
        count = len(shares)
        x, y, _ = geod().fwd(np.full(count, start[0]), np.full(count, start[1]),
                           np.full(count, azimuth), length_m * shares)  # fmt: skip
        return x, y
    step = (end[0] - start[0] + 180) % 360 - 180
    y = start[1] + (end[1] - start[1]) * shares
    if edge is Edge.RHUMB and start[1] != end[1]:
        psi = isometric_latitude(np.array([start[1], end[1]]))
        shares = (isometric_latitude(y) - psi[0]) / (psi[1] - psi[0])
    return (start[0] + step * shares + 180) % 360 - 180, y


def edges_of(shape: Shape) -> Iterator[tuple[LonLat, LonLat, Edge]]:
    match shape:
        case Polygon():
            for ring in (shape.ring, *shape.holes):
                for one, other in pairwise((*ring, ring[0])):
                    yield lonlat(one), lonlat(other), shape.edge
        case Corridor():
            for one, other in pairwise(shape.route):
                yield lonlat(one), lonlat(other), shape.edge
        case Orbit():
            yield lonlat(shape.first), lonlat(shape.second), Edge.GEODESIC
        case Circle():
            yield lonlat(shape.centre), lonlat(shape.centre), Edge.GEODESIC
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
    found_m = min(
        distance_m(place, one) if one == other else distance_from_edge(place, one, other, edge)
        for one, other, edge in edges_of(shape)
    )
    return max(found_m - radius_m(shape), 0.0)


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


def lonlat(position: Position) -> LonLat:
    return position.longitude_deg, position.latitude_deg


def times_within(
    function: Callable[[float], float], limit: float, lasts_s: float, samples: int
) -> list[tuple[float, float]]:
    """Return when a function of time is below a limit: sampled, and every crossing halved."""
    times = [lasts_s * k / samples for k in range(samples + 1)]
    below = [function(t) < limit for t in times]
    found = [0.0] if below[0] else []
    found += [
        _crossing(function, limit, times[k], times[k + 1], is_below=below[k])
        for k in range(samples)
        if below[k] != below[k + 1]
    ]
    if below[-1]:
        found.append(lasts_s)
    return list(zip(found[::2], found[1::2], strict=True))


def _crossing(
    function: Callable[[float], float], limit: float, low: float, high: float, *, is_below: bool
) -> float:
    for _ in range(34):
        middle = (low + high) / 2
        if (function(middle) < limit) == is_below:
            low = middle
        else:
            high = middle
    return (low + high) / 2
