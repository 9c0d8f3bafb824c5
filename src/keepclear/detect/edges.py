# SPDX-License-Identifier: Apache-2.0
"""Edges of shapes cut into short chords of the ellipsoid, many shapes at once.

A chord is at most `PIECE_M` long, and no further than `CURVE_M` from the edge as declared:
geodesic, rhumb, or planar (straight in longitude and latitude, RFC 7946 section 3.1.1).

1. Neighbouring chords share their end to the last bit, and a ring closes to the last bit.
2. An edge that goes half round the earth, or a rhumb or planar edge of 180 degrees or beyond
   89 degrees of latitude, is refused: there the way from one end to the other is not one way.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from keepclear.airspace.geodesics import along_curve, geod, to_ecef, wrap_deg
from keepclear.detect.points import GEODESIC, PLANAR, RHUMB
from keepclear.detect.shapes import EDGE_CODES, Run
from keepclear.errors import InputError

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

PIECE_M: Final = 6_000.0
CURVE_M: Final = 0.005
LEAST_EDGES: Final = 3
MOST_PIECES: Final = 200_000
HIGHEST_DEG: Final = 89.0
LONGEST_EDGE_M: Final = 19_900_000.0
HALF_TURN_DEG: Final = 180.0
SMALLEST_RADIUS_M: Final = 6_335_400.0
_KINDS: Final = {code: edge for edge, code in EDGE_CODES.items()}


@dataclass(frozen=True, kw_only=True, eq=False)
class Edges:
    """Edges of many runs, in order: both ends, the kind, the run. A lone point is an edge too."""

    from_latitude_deg: Floats
    from_longitude_deg: Floats
    to_latitude_deg: Floats
    to_longitude_deg: Floats
    kind: Integers
    run: Integers

    def take(self, which: npt.NDArray[np.bool_] | Integers) -> "Edges":
        """Return some of the edges."""
        return Edges(
            from_latitude_deg=self.from_latitude_deg[which],
            from_longitude_deg=self.from_longitude_deg[which],
            to_latitude_deg=self.to_latitude_deg[which],
            to_longitude_deg=self.to_longitude_deg[which],
            kind=self.kind[which], run=self.run[which],
        )  # fmt: skip


@dataclass(frozen=True, kw_only=True, eq=False)
class Pieces:
    """Chords in order: both ends as earth-centred metres, shape (n, 3), and the run."""

    p: Floats
    q: Floats
    run: Integers
    curve_m: Floats


def cut(runs: Sequence[Run], edges: Edges) -> Pieces:
    """Return the chords of the edges of runs. `InputError` for an edge that cannot be cut."""
    counts = _count(edges)
    edge = np.repeat(np.arange(len(counts)), counts)
    step = np.arange(len(edge)) - np.repeat(np.cumsum(counts) - counts, counts)
    q = to_ecef(edges.to_latitude_deg, edges.to_longitude_deg)[edge]
    inner = np.flatnonzero(step + 1 < counts[edge])
    if len(inner):
        fraction = (step[inner] + 1) / counts[edge[inner]]
        q[inner] = _inner_points(edges, edge[inner], fraction)
    run = edges.run[edge]
    is_bent = (edges.kind != GEODESIC)[edge]
    return Pieces(
        p=_starts(runs, edges, run, q), q=q, run=run, curve_m=np.where(is_bent, CURVE_M, 0.0)
    )


def _starts(runs: Sequence[Run], edges: Edges, run: Integers, q: Floats) -> Floats:
    """Return where chords start: where the one before ends, and rings where they close."""
    p = np.empty_like(q)
    p[1:] = q[:-1]
    number = np.arange(len(runs))
    first = np.searchsorted(run, number, side="left")
    last = np.searchsorted(run, number, side="right") - 1
    first_edge = np.searchsorted(edges.run, number, side="left")
    opens = to_ecef(edges.from_latitude_deg[first_edge], edges.from_longitude_deg[first_edge])
    is_closed = np.array([each.is_closed for each in runs])
    p[first] = np.where(is_closed[:, None], q[last], opens)
    return p


def edges_of(runs: Sequence[Run]) -> Edges:
    """Return the edges of runs, in order; a run of one position is one edge from it to itself.

    A position given twice in a row makes no edge. `InputError` for a ring of fewer than 3.
    """
    lengths = np.array([len(run.latitude_deg) for run in runs])
    latitude = np.array([y for run in runs for y in run.latitude_deg])
    longitude = np.array([x for run in runs for x in run.longitude_deg])
    kind = np.array([code for run in runs for code in run.kinds], dtype=np.int64)
    number = np.repeat(np.arange(len(runs)), lengths)
    ends = np.cumsum(lengths) - 1
    after = np.arange(len(number)) + 1
    after[ends] = ends - lengths + 1
    is_closed = np.array([run.is_closed for run in runs])
    wanted = (latitude != latitude[after]) | (
        (np.abs(longitude - longitude[after]) % 360.0 != 0.0) & (np.abs(latitude) != 90.0)
    )
    wanted[ends] &= is_closed
    left = np.bincount(number[wanted], minlength=len(runs))
    short = np.flatnonzero(is_closed & (left < LEAST_EDGES))
    if len(short):
        raise InputError("polygon", int(left[short[0]]), "different positions are no area",
                         "give 3 or more")  # fmt: skip
    wanted[ends[left == 0]] = True
    after[ends[left == 0]] = ends[left == 0]
    edges = Edges(
        from_latitude_deg=latitude, from_longitude_deg=longitude,
        to_latitude_deg=latitude[after], to_longitude_deg=longitude[after],
        kind=kind, run=number,
    )  # fmt: skip
    return edges.take(np.flatnonzero(wanted))


def _count(edges: Edges) -> Integers:
    """Return how many chords each edge takes."""
    p = to_ecef(edges.from_latitude_deg, edges.from_longitude_deg)
    q = to_ecef(edges.to_latitude_deg, edges.to_longitude_deg)
    half = np.minimum(np.sqrt(((q - p) ** 2).sum(axis=1)) / 12_742_000.0, 1.0)
    arc_m = 2 * 6_378_137.0 * np.arcsin(half) * 1.004  # not less than the geodesic
    counts = np.ceil(arc_m / PIECE_M)
    bent = np.flatnonzero((edges.kind == RHUMB) | (edges.kind == PLANAR))
    if len(bent):
        counts[bent] = np.maximum(counts[bent], _bent_count(edges.take(bent)))
    if len(counts) and counts.max() > MOST_PIECES:
        raise InputError("edge", float(counts.max()), "pieces are too many", "cut the area in two")
    whole: Integers = np.maximum(counts, 1).astype(np.int64)
    return whole


def _bent_count(edges: Edges) -> Floats:
    """Return how many chords rhumb and planar edges take.

    On the sphere a curve of azimuth z at latitude y bends away from the geodesic by
    k = tan(y) sin(z) / R a metre where it is a rhumb line, and by (1 + cos^2(z)) k where it
    is straight in longitude and latitude. A chord of length s is then s^2 k / 8 away; 7 for
    8 covers the flattening and the change of k along the chord.
    """
    low = np.abs(edges.from_latitude_deg)
    high = np.abs(edges.to_latitude_deg)
    highest = np.maximum(low, high)
    step_deg = wrap_deg(edges.to_longitude_deg - edges.from_longitude_deg)
    _check_bent(highest, step_deg)
    rise_deg = np.abs(edges.to_latitude_deg - edges.from_latitude_deg)
    crosses = edges.from_latitude_deg * edges.to_latitude_deg <= 0
    lowest = np.where(crosses, 0.0, np.minimum(low, high))
    widest_rad = np.radians(np.abs(step_deg)) * np.cos(np.radians(lowest))
    sine = widest_rad / np.maximum(np.hypot(widest_rad, np.radians(rise_deg)), 1e-15)
    bend = np.where(edges.kind == PLANAR, np.minimum(2.0 * sine, 1.09), sine)
    bend = np.maximum(bend * np.tan(np.radians(highest)), 1e-9) / SMALLEST_RADIUS_M
    length_m = np.hypot(widest_rad, np.radians(rise_deg)) * 6_400_000.0
    return np.asarray(np.ceil(length_m / np.minimum(np.sqrt(7.0 * CURVE_M / bend), PIECE_M)))


def _check_bent(highest_deg: Floats, step_deg: Floats) -> None:
    if highest_deg.max() > HIGHEST_DEG:
        raise InputError(
            "latitude", float(highest_deg.max()), "is beyond 89 degrees on a rhumb or planar edge",
            "declare the edge geodesic",
        )  # fmt: skip
    if np.any(np.abs(step_deg) == HALF_TURN_DEG):
        raise InputError(
            "longitude", 180.0, "degrees from one position to the next: east or west?",
            "give a position in between",
        )  # fmt: skip


def _inner_points(edges: Edges, edge: Integers, fraction: Floats) -> Floats:
    """Return points inside edges, on the edge's own kind of curve, as earth-centred metres."""
    latitude, longitude = np.empty(len(edge)), np.empty(len(edge))
    used, place = np.unique(edge, return_inverse=True)
    some = edges.take(used)
    for code, name in _KINDS.items():
        which = some.kind[place] == code
        at, share = place[which], fraction[which]
        if not len(at):
            continue
        if code == GEODESIC:
            longitude[which], latitude[which] = _on_geodesics(some, at, share)
            continue
        latitude[which], longitude[which] = along_curve(
            some.from_latitude_deg[at], some.from_longitude_deg[at],
            some.to_latitude_deg[at], some.to_longitude_deg[at], share, name,
        )  # fmt: skip
    return to_ecef(latitude, longitude)


def _on_geodesics(edges: Edges, at: Integers, share: Floats) -> tuple[Floats, Floats]:
    azimuth, _, length_m = geod().inv(
        edges.from_longitude_deg, edges.from_latitude_deg,
        edges.to_longitude_deg, edges.to_latitude_deg,
    )  # fmt: skip
    longest_m = float(length_m[at].max())
    if longest_m > LONGEST_EDGE_M:
        raise InputError(
            "edge", f"{longest_m / 1000:.0f} km", "goes half round the earth, where the shortest "
            "way is not one way", "give a position in between",
        )  # fmt: skip
    longitude, latitude, _ = geod().fwd(
        edges.from_longitude_deg[at], edges.from_latitude_deg[at], azimuth[at],
        length_m[at] * share,
    )  # fmt: skip
    return longitude, latitude
