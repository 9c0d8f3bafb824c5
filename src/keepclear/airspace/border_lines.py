# SPDX-License-Identifier: Apache-2.0
"""Border lines as arrays: which faces a place lies in, and how far their edges are.

A *face* is a piece of the surface with a number: a unit of the source, a disputed area, a
stretch of water. A line knows the face on its left and on its right (`OUTSIDE` for none).
Faces may overlap. Leaves to others: what a face means (`borders`).

1. Lines are straight in longitude and latitude, as RFC 7946 has them and as the source does.
2. A place is inside a face if the meridian from the north pole down to it crosses the face's
   lines an odd number of times. So ±180 degrees is a longitude like any other, a ring round a
   pole needs no closing edge, and edges along a meridian (the source's cuts) never count.
3. Distances are taken in the plane that touches the ellipsoid at the place, within `REACH_M`;
   there they are short by less than 0.3 m (d³/6R²). Long edges are cut first, so that a
   parallel stays a parallel to within 10 m.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from keepclear.airspace.geodesics import ECCENTRICITY_SQ, SEMI_MAJOR_M

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Truths = npt.NDArray[np.bool_]

OUTSIDE: Final = -1
REACH_M: Final = 37_040.0  # 20 NM: 12 NM of territorial sea, 6 NM of reserve, and some
EDGES_A_CHUNK: Final = 32
TURNS_DEG: Final = (-720.0, -360.0, 0.0, 360.0, 720.0)
LONGEST_EDGE_DEG: Final = 0.25  # a chord of 0.25 degrees leaves its parallel by 7.6 m at most
_METRES_A_DEGREE: Final = 110_500.0  # of latitude, at its shortest (the equator), rounded down
_SAME_M: Final = 1e-6


@dataclass(frozen=True, kw_only=True, eq=False)
class Lines:
    """All lines, points one after another, cut into chunks of a few edges with their boxes.

    Edge i joins points i and i + 1. A chunk holds the edges `first` up to, without, `end`;
    longitudes of a line run on over ±180 and may lie in -540..540.
    """

    longitude_deg: Floats
    latitude_deg: Floats
    first: Integers
    end: Integers
    left: Integers
    right: Integers
    west_deg: Floats
    east_deg: Floats
    south_deg: Floats
    north_deg: Floats
    faces: int


@dataclass(frozen=True, kw_only=True, eq=False)
class Edges:
    """Edges one by one: their ends in degrees, and the faces on their two sides."""

    start_longitude_deg: Floats
    start_latitude_deg: Floats
    end_longitude_deg: Floats
    end_latitude_deg: Floats
    left: Integers
    right: Integers


@dataclass(frozen=True, kw_only=True, eq=False)
class NearFace:
    """The edges of one face around a place, in metres east and north of it.

    `sign` is +1 where the face lies left of the edge, -1 where right.
    """

    face: int
    inside_here: bool
    start_m: Floats
    step_m: Floats
    sign: Floats


def make_lines(
    longitude_deg: Floats, latitude_deg: Floats, points_a_line: Integers,
    left: Integers, right: Integers, faces: int,
) -> Lines:  # fmt: skip
    """Return lines from points laid end to end, with the faces beside each line."""
    starts = np.cumsum(points_a_line) - points_a_line
    edges = points_a_line - 1
    chunks = -(-edges // EDGES_A_CHUNK)
    line = np.repeat(np.arange(len(edges)), chunks)
    within = counting(chunks) * EDGES_A_CHUNK
    first = starts[line] + within
    end = np.minimum(first + EDGES_A_CHUNK, starts[line] + edges[line])
    # reduceat over [first, end + 1) pairs; odd results are the gaps between and are thrown away.
    bounds = np.column_stack([first, end + 1]).ravel()
    if bounds[-1] == len(longitude_deg):
        bounds = bounds[:-1]
    return Lines(
        longitude_deg=longitude_deg, latitude_deg=latitude_deg, first=first, end=end,
        left=left[line], right=right[line],
        west_deg=np.minimum.reduceat(longitude_deg, bounds)[::2],
        east_deg=np.maximum.reduceat(longitude_deg, bounds)[::2],
        south_deg=np.minimum.reduceat(latitude_deg, bounds)[::2],
        north_deg=np.maximum.reduceat(latitude_deg, bounds)[::2],
        faces=faces,
    )  # fmt: skip


def chunks_in(
    lines: Lines, west_deg: float, east_deg: float, south_deg: float, north_deg: float
) -> tuple[Integers, Floats]:
    """Return the chunks whose boxes meet the box, and what to add to their longitudes.

    A chunk stands twice where the box is so wide that it holds the chunk twice.
    """
    tall = np.flatnonzero((lines.south_deg <= north_deg) & (lines.north_deg >= south_deg))
    west, east = lines.west_deg[tall], lines.east_deg[tall]
    picked: list[Integers] = []
    turns: list[Floats] = []
    for turn in TURNS_DEG:
        chunks = tall[(west + turn <= east_deg) & (east + turn >= west_deg)]
        picked.append(chunks)
        turns.append(np.full(len(chunks), turn))
    return np.concatenate(picked), np.concatenate(turns)


def edges_in(
    lines: Lines, west_deg: float, east_deg: float, south_deg: float, north_deg: float
) -> Edges:
    """Return at least every edge that meets the box; longitudes in the box's own turn."""
    chunk, turn_deg = chunks_in(lines, west_deg, east_deg, south_deg, north_deg)
    edges = lines.end[chunk] - lines.first[chunk]
    edge = np.repeat(lines.first[chunk], edges) + counting(edges)
    turn_deg = np.repeat(turn_deg, edges)
    return Edges(
        start_longitude_deg=lines.longitude_deg[edge] + turn_deg,
        start_latitude_deg=lines.latitude_deg[edge],
        end_longitude_deg=lines.longitude_deg[edge + 1] + turn_deg,
        end_latitude_deg=lines.latitude_deg[edge + 1],
        left=np.repeat(lines.left[chunk], edges),
        right=np.repeat(lines.right[chunk], edges),
    )


def faces_at(lines: Lines, latitude_deg: float, longitude_deg: float) -> frozenset[int]:
    """Return the numbers of all faces that the place lies in."""
    edges = edges_in(lines, longitude_deg, longitude_deg, latitude_deg, 90)
    x0, x1 = edges.start_longitude_deg, edges.end_longitude_deg
    crossed = (x0 <= longitude_deg) != (x1 <= longitude_deg)
    x0, x1 = x0[crossed], x1[crossed]
    y0, y1 = edges.start_latitude_deg[crossed], edges.end_latitude_deg[crossed]
    north = y0 + (y1 - y0) * ((longitude_deg - x0) / (x1 - x0)) > latitude_deg
    sides = np.concatenate([edges.left[crossed][north], edges.right[crossed][north]])
    counts = np.bincount(sides + 1, minlength=lines.faces + 1)[1:]
    return frozenset(np.flatnonzero(counts & 1).tolist())


def near_faces(
    lines: Lines, latitude_deg: float, longitude_deg: float, here: frozenset[int]
) -> tuple[NearFace, ...]:
    """Return the faces with an edge within `REACH_M`, and those all round; `here`: `faces_at`."""
    high_deg = REACH_M / _METRES_A_DEGREE
    nearest_pole_deg = min(abs(latitude_deg) + high_deg, 90.0)
    narrow = float(np.cos(np.radians(nearest_pole_deg)))
    wide_deg = min(high_deg / narrow, 180.0) if narrow > 0 else 180.0
    south_deg, north_deg = latitude_deg - high_deg, latitude_deg + high_deg
    west_deg, east_deg = longitude_deg - wide_deg, longitude_deg + wide_deg
    edges = _cut(edges_in(lines, west_deg, east_deg, south_deg, north_deg))
    meets = (
        (np.minimum(edges.start_longitude_deg, edges.end_longitude_deg) <= east_deg)
        & (np.maximum(edges.start_longitude_deg, edges.end_longitude_deg) >= west_deg)
        & (np.minimum(edges.start_latitude_deg, edges.end_latitude_deg) <= north_deg)
        & (np.maximum(edges.start_latitude_deg, edges.end_latitude_deg) >= south_deg)
    )
    start_m = _project(
        edges.start_latitude_deg[meets], edges.start_longitude_deg[meets],
        latitude_deg, longitude_deg,
    )  # fmt: skip
    end_m = _project(
        edges.end_latitude_deg[meets], edges.end_longitude_deg[meets],
        latitude_deg, longitude_deg,
    )  # fmt: skip
    left, right = edges.left[meets], edges.right[meets]
    step_m = end_m - start_m
    close = _distances_m(start_m, step_m, np.zeros((1, 2)))[0] <= REACH_M
    # A point stands for no edge and has no side.
    close &= (step_m != 0).any(axis=1)
    beside = set(np.concatenate([left[close], right[close]]).tolist()) - {OUTSIDE}
    found = []
    for face in sorted(beside | here):
        mine = np.flatnonzero(close & ((left == face) | (right == face)))
        found.append(
            NearFace(
                face=face, inside_here=face in here, start_m=start_m[mine],
                step_m=step_m[mine], sign=np.where(left[mine] == face, 1.0, -1.0),
            )
        )  # fmt: skip
    return tuple(found)


def measure(face: NearFace, places_m: Floats) -> tuple[Floats, Truths]:
    """Return each place's distance to the face's edges in metres, and whether it is inside.

    Places are metres east and north of the place asked for, at most 9 NM away.
    No edge is crossed on the way to a place that is nearer to where we started than to any
    edge, so it is inside if the start is. Else the nearest edge tells by its side; where two
    edges share the nearest point, the one seen most squarely does.
    """
    if not len(face.sign):
        return np.full(len(places_m), np.inf), np.full(len(places_m), face.inside_here)
    rows = np.arange(len(places_m))
    distances_m = _distances_m(face.start_m, face.step_m, places_m)
    nearest_m = distances_m[rows, np.argmin(distances_m, axis=1)]
    away = places_m[:, None, :] - face.start_m[None, :, :]
    cross = face.step_m[:, 0] * away[:, :, 1] - face.step_m[:, 1] * away[:, :, 0]
    square_m = cross / np.hypot(face.step_m[:, 0], face.step_m[:, 1])
    tied = distances_m <= nearest_m[:, None] + _SAME_M
    teller = np.argmax(np.where(tied, np.abs(square_m), -1.0), axis=1)
    by_side = square_m[rows, teller] * face.sign[teller] > 0
    no_edge_between = nearest_m > np.hypot(places_m[:, 0], places_m[:, 1])
    return nearest_m, np.where(no_edge_between, face.inside_here, by_side)


def counting(counts: Integers) -> Integers:
    """Return 0, 1, .. counts[0] - 1, 0, 1, .. counts[1] - 1, and so on."""
    starts = np.cumsum(counts) - counts
    return np.arange(counts.sum()) - np.repeat(starts, counts)


def ring_of_circle(latitude_deg: float, longitude_deg: float, radius_m: float) -> Floats:
    """Return 24 corners (latitude, longitude) of a polygon round a small circle of the sphere.

    Small means that longitude widens evenly over it: right to 1 % for 30 NM below 60 degrees.
    """
    corners = 24
    reach_deg = radius_m / _METRES_A_DEGREE / np.cos(np.pi / corners)
    angles = np.arange(corners) * (2 * np.pi / corners)
    latitudes = latitude_deg + reach_deg * np.cos(angles)
    widening = np.cos(np.radians(latitude_deg))
    return np.column_stack([latitudes, longitude_deg + reach_deg * np.sin(angles) / widening])


def lines_of_rings(rings: Sequence[Floats]) -> tuple[Floats, Integers]:
    """Return rings (latitude, longitude) closed and laid end to end, and the length of each.

    A ring given clockwise is turned, so that its inside lies on the left.
    """
    turned = []
    for ring in rings:
        closed = np.concatenate([ring, ring[:1]])
        y, x = closed[:, 0], closed[:, 1]
        doubled_area = float((x[:-1] * y[1:] - x[1:] * y[:-1]).sum())
        turned.append(closed if doubled_area > 0 else closed[::-1])
    lengths = np.array([len(ring) for ring in turned], dtype=np.int64)
    return (np.concatenate(turned) if turned else np.zeros((0, 2))), lengths


def _cut(edges: Edges) -> Edges:
    """Return the edges with those longer than `LONGEST_EDGE_DEG` cut into even pieces."""
    x0, y0 = edges.start_longitude_deg, edges.start_latitude_deg
    dx, dy = edges.end_longitude_deg - x0, edges.end_latitude_deg - y0
    span_deg = np.maximum(np.abs(dx), np.abs(dy))
    pieces = np.maximum(1, np.ceil(span_deg / LONGEST_EDGE_DEG)).astype(np.int64)
    if not len(pieces) or pieces.max() == 1:
        return edges
    edge = np.repeat(np.arange(len(pieces)), pieces)
    piece = counting(pieces)
    start, end = piece / pieces[edge], (piece + 1) / pieces[edge]
    return Edges(
        start_longitude_deg=x0[edge] + dx[edge] * start,
        start_latitude_deg=y0[edge] + dy[edge] * start,
        end_longitude_deg=x0[edge] + dx[edge] * end,
        end_latitude_deg=y0[edge] + dy[edge] * end,
        left=edges.left[edge], right=edges.right[edge],
    )  # fmt: skip


def _ecef_m(latitude_deg: Floats, longitude_deg: Floats) -> Floats:
    latitude, longitude = np.radians(latitude_deg), np.radians(longitude_deg)
    normal_m = SEMI_MAJOR_M / np.sqrt(1 - ECCENTRICITY_SQ * np.sin(latitude) ** 2)
    return np.column_stack([
        normal_m * np.cos(latitude) * np.cos(longitude),
        normal_m * np.cos(latitude) * np.sin(longitude),
        normal_m * (1 - ECCENTRICITY_SQ) * np.sin(latitude),
    ])  # fmt: skip


def _project(
    latitude_deg: Floats, longitude_deg: Floats, origin_latitude_deg: float,
    origin_longitude_deg: float,
) -> Floats:  # fmt: skip
    """Return metres east and north in the plane that touches the ellipsoid at the origin."""
    phi, lam = np.radians(origin_latitude_deg), np.radians(origin_longitude_deg)
    origin_m = _ecef_m(np.array([origin_latitude_deg]), np.array([origin_longitude_deg]))
    away_m = _ecef_m(latitude_deg, longitude_deg) - origin_m
    east = np.array([-np.sin(lam), np.cos(lam), 0.0])
    north = np.array([-np.sin(phi) * np.cos(lam), -np.sin(phi) * np.sin(lam), np.cos(phi)])
    return np.column_stack([away_m @ east, away_m @ north])


def _distances_m(start_m: Floats, step_m: Floats, places_m: Floats) -> Floats:
    """Return the distance of each place (rows) to each edge (columns) in the plane."""
    length_sq = np.maximum((step_m**2).sum(axis=1), 1e-12)
    x = places_m[:, 0, None] - start_m[:, 0]
    y = places_m[:, 1, None] - start_m[:, 1]
    along = np.clip((x * step_m[:, 0] + y * step_m[:, 1]) / length_sq, 0, 1)
    distances_m: Floats = np.hypot(x - along * step_m[:, 0], y - along * step_m[:, 1])
    return distances_m
