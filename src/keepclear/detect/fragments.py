# SPDX-License-Identifier: Apache-2.0
"""Plans compiled once: legs cut into short chords of the ellipsoid, as arrays.

A leg joins two timed points. It is cut at equal steps of time into chords so short that the
horizontal distance of two craft is right to a few centimetres (`lateral.guard_m` has the
bound); heights stay with the whole leg, as integers, so that a cut never rounds one.

1. A leg is never made over a gap (`starts_stretch`); a stretch of one point is an instant, and
   a recorded last point (`keeps_last`) is one after its leg.
2. Geodesic legs are cut on the geodesic; rhumb and planar legs are cut until no chord is
   further than `CURVE_M` from the curve.
3. A leg's uncertainty is the larger of its two ends'. A leg whose ends are measured from
   different references has no height.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from keepclear.airspace.geodesics import along_curve, geod, to_ecef, wrap_deg
from keepclear.airspace.positions import Edge
from keepclear.detect.chords import CHORD_CURVE_M, LONGEST_CHORD_M, inner_point
from keepclear.detect.points import GEODESIC, PLANAR, RHUMB, UNKNOWN_DATUM, Points
from keepclear.errors import InputError
from keepclear.units import format_time

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

LONGEST_PIECE_M: Final = 12_000.0
CURVE_M: Final = 0.005
FARTHEST_LATERAL_M: Final = 200_000.0
MOST_PIECES: Final = 20_000
LONGEST_LEG_M: Final = 19_900_000.0
# The columns of `Fragments` by what they are of.
OF_FRAGMENTS: Final = ("start_us", "end_us", "px", "py", "pz", "qx", "qy", "qz", "leg")
OF_LEGS: Final = (
    "leg_start_us", "leg_end_us", "leg_from_tmm", "leg_to_tmm", "leg_datum", "leg_lateral_m",
    "leg_vertical_tmm", "leg_curve_m", "leg_zones",
)  # fmt: skip
OF_PLANS: Final = ("early_us", "late_us", "clock_us")
_EDGES: Final = {RHUMB: Edge.RHUMB, PLANAR: Edge.PLANAR}


class Fragments(NamedTuple):
    """The chords of n plans; a tuple of arrays (or lists), because numba takes no dataclass.

    offsets (n + 1): plan i has the fragments offsets[i] to offsets[i + 1], in order of time.
    Per fragment: start_us, end_us, its ends px, py, pz and qx, qy, qz (earth-centred metres on
    the ellipsoid), leg. Per leg: leg_start_us, leg_end_us, leg_from_tmm, leg_to_tmm, leg_datum
    (-1: no height), leg_lateral_m, leg_vertical_tmm (uncertainty), leg_curve_m, leg_zones (bit
    k: inside zone k). Per plan: early_us, late_us (uncertainty of time included), clock_us.
    """

    offsets: Integers
    start_us: Integers
    end_us: Integers
    px: Floats
    py: Floats
    pz: Floats
    qx: Floats
    qy: Floats
    qz: Floats
    leg: Integers
    leg_start_us: Integers
    leg_end_us: Integers
    leg_from_tmm: Integers
    leg_to_tmm: Integers
    leg_datum: Integers
    leg_lateral_m: Floats
    leg_vertical_tmm: Integers
    leg_curve_m: Floats
    leg_zones: Integers
    early_us: Integers
    late_us: Integers
    clock_us: Integers

    @property
    def plans(self) -> int:
        """How many plans."""
        return len(self.offsets) - 1


@dataclass(frozen=True, kw_only=True)
class _Legs:
    """Legs before they are cut: their points, their plan, and both ends as x, y, z (m)."""

    first: Integers
    last: Integers
    plan: Integers
    start: tuple[Floats, ...]
    end: tuple[Floats, ...]


def longest_piece_m(farthest_m: float) -> float:
    """Return how long a chord may be so that the guard band stays below 0.1 m.

    farthest_m: the greatest lateral minimum, uncertainty and widening included.
    """
    if farthest_m > FARTHEST_LATERAL_M:
        raise InputError(
            "lateral minimum", f"{farthest_m / 1852:.1f} NM", "is beyond 108 NM (200 km)",
            "use a smaller minimum",
        )  # fmt: skip
    return LONGEST_PIECE_M if farthest_m <= 50_000.0 else 5_000.0


def compile_points(
    points: Points, piece_m: float = LONGEST_PIECE_M, functions: Any = None
) -> Fragments:
    """Return the points as fragments. `InputError` for a leg that cannot be computed.

    functions: the compiled kernel's, for many points; both ways give the same bits.
    """
    legs = _legs_of(points)
    _check_climbs(points, legs)
    pieces, curve_m, on_curve = _count_pieces(points, legs, piece_m)
    starts_us, ends_us = points.time_us[legs.first], points.time_us[legs.last]
    cut = _cut if functions is None else _cutter(functions)
    leg, start_us, end_us, p, q = cut(legs, pieces, starts_us, ends_us)
    _mend_curves(points, legs, on_curve, leg, end_us, p, q)
    first, last = legs.first, legs.last
    pieces_of_plan = np.bincount(legs.plan, weights=pieces, minlength=points.plans)
    same = points.datum[first] == points.datum[last]
    return Fragments(
        offsets=np.concatenate([[0], np.cumsum(pieces_of_plan)]).astype(np.int64),
        start_us=start_us, end_us=end_us,
        px=p[0], py=p[1], pz=p[2], qx=q[0], qy=q[1], qz=q[2],
        leg=leg, leg_start_us=starts_us, leg_end_us=ends_us,
        leg_from_tmm=points.height_tmm[first], leg_to_tmm=points.height_tmm[last],
        leg_datum=np.where(same, points.datum[first], UNKNOWN_DATUM),
        leg_lateral_m=np.maximum(points.lateral_m[first], points.lateral_m[last]),
        leg_vertical_tmm=np.maximum(points.vertical_tmm[first], points.vertical_tmm[last]),
        leg_curve_m=curve_m, leg_zones=np.zeros(len(first), dtype=np.int64),
        early_us=points.early_us, late_us=points.late_us, clock_us=points.clock_us,
    )  # fmt: skip


def _legs_of(points: Points) -> _Legs:
    """Return legs by plan, then time: each point with the next, and lone points with themselves."""
    count = len(points.time_us)
    starts = points.starts_stretch.copy()
    starts[points.offsets[:-1][np.diff(points.offsets) > 0]] = True
    ends = np.append(starts[1:], True)[:count]
    kept = starts.copy()
    if points.keeps_last is not None:
        kept |= np.repeat(points.keeps_last, np.diff(points.offsets))
    first = np.flatnonzero(~ends | kept)
    last = np.where(ends[first], first, first + 1)
    plan = np.searchsorted(points.offsets, first, side="right") - 1
    places = to_ecef(points.latitude_deg, points.longitude_deg)
    columns = [np.ascontiguousarray(places[:, k]) for k in range(3)]
    return _Legs(
        first=first, last=last, plan=plan,
        start=tuple(column[first] for column in columns),
        end=tuple(column[last] for column in columns),
    )  # fmt: skip


def _check_climbs(points: Points, legs: _Legs) -> None:
    climb_tmm = np.abs(points.height_tmm[legs.last] - points.height_tmm[legs.first])
    lasts_us = points.time_us[legs.last] - points.time_us[legs.first]
    bad = np.flatnonzero(climb_tmm.astype(float) * lasts_us >= 2.0**62)
    if len(bad):
        at = format_time(int(points.time_us[legs.first[bad[0]]]))
        raise InputError(
            "leg", at, "changes level over more than 4 hours", "give a point in between"
        )


def _count_pieces(
    points: Points, legs: _Legs, piece_m: float
) -> tuple[Integers, Floats, npt.NDArray[np.bool_]]:
    """Return for each leg how many chords it takes, how far they are off, and what it is.

    The last is True for legs whose inner points `inner_point` does not give: rhumb and planar
    ones, and geodesics beyond 100 km.
    """
    square = sum((b - a) ** 2 for a, b in zip(legs.start, legs.end, strict=True))
    length_m = np.sqrt(square)
    half = np.minimum(length_m / 12_713_504.0, 1.0)  # the polar axis, the shortest diameter
    arc_m = 2 * 6_378_137.0 * np.arcsin(half) * 1.004  # not less than the geodesic
    pieces = np.maximum(np.ceil(arc_m / piece_m), 1.0)
    on_curve = arc_m > LONGEST_CHORD_M
    curve_m = np.where(on_curve | (pieces == 1), 0.0, CHORD_CURVE_M)
    for code in _EDGES:
        which = points.edge[legs.plan] == code
        if which.any():
            pieces[which] = np.maximum(pieces[which], _curve_pieces(points, legs, which, piece_m))
            curve_m[which] = CURVE_M
            on_curve |= which
    if len(pieces) and pieces.max() > MOST_PIECES:
        at = format_time(int(points.time_us[legs.first[int(pieces.argmax())]]))
        raise InputError("leg", at, "needs too many pieces", "give points in between")
    return pieces.astype(np.int64), curve_m, on_curve & (pieces > 1)


def _curve_pieces(
    points: Points, legs: _Legs, which: npt.NDArray[np.bool_], piece_m: float
) -> Floats:
    """Return pieces for rhumb and planar legs: their bend against the geodesic is bounded.

    A planar or rhumb chord of length s bends away from the geodesic by at most
    s^2 tan(latitude)/8R, and a planar one also moves unevenly by as much along it; beyond
    89 degrees of latitude it is refused.
    """
    first, last = legs.first[which], legs.last[which]
    highest = np.maximum(np.abs(points.latitude_deg[first]), np.abs(points.latitude_deg[last]))
    if len(highest) and highest.max() > 89:
        raise InputError(
            "latitude", float(highest.max()), "is beyond 89 degrees on a rhumb or planar edge",
            "declare the edge geodesic",
        )  # fmt: skip
    step_deg = np.abs(wrap_deg(points.longitude_deg[last] - points.longitude_deg[first]))
    rise_deg = np.abs(points.latitude_deg[last] - points.latitude_deg[first])
    length_m = np.radians(step_deg + rise_deg) * 6_400_000.0
    tangent = np.maximum(np.tan(np.radians(highest)), 0.2)
    bent_m = np.sqrt(CURVE_M * 6_335_000.0 / tangent)
    return np.asarray(np.ceil(length_m / np.minimum(bent_m, piece_m)))


Cut = tuple[Integers, Integers, Integers, list[Floats], list[Floats]]


def _cut(legs: _Legs, pieces: Integers, starts_us: Integers, ends_us: Integers) -> Cut:
    """Return leg, start, end and both ends of every chord; as `chords.cut_legs`, by columns."""
    leg = np.repeat(np.arange(len(pieces)), pieces)
    step = np.arange(len(leg)) - np.repeat(np.cumsum(pieces) - pieces, pieces)
    lasts_us = (ends_us - starts_us)[leg]
    start_us = starts_us[leg] + lasts_us * step // pieces[leg]
    end_us = starts_us[leg] + lasts_us * (step + 1) // pieces[leg]
    q = [column[leg] for column in legs.end]
    inner = np.flatnonzero(step + 1 < pieces[leg])
    mine = leg[inner]
    share = (end_us[inner] - starts_us[mine]) / lasts_us[inner]
    ax, ay, az = (column[mine] for column in legs.start)
    bx, by, bz = (column[mine] for column in legs.end)
    found = inner_point(ax, ay, az, bx, by, bz, share)
    p = [column[leg] for column in legs.start]
    for k in range(3):
        q[k][inner] = found[k]
        p[k][inner + 1] = found[k]
    return leg, start_us, end_us, p, q


def _cutter(functions: Any) -> Callable[[_Legs, Integers, Integers, Integers], Cut]:
    """Return the same as `_cut`, compiled."""

    def cut(legs: _Legs, pieces: Integers, starts_us: Integers, ends_us: Integers) -> Cut:
        total = int(pieces.sum())
        leg, start_us, end_us = (np.empty(total, dtype=np.int64) for _ in range(3))
        p, q = ([np.empty(total) for _ in range(3)] for _ in range(2))
        functions.cut_legs(
            pieces, starts_us, ends_us, *legs.start, *legs.end, leg, start_us, end_us, *p, *q
        )
        return leg, start_us, end_us, p, q

    return cut


def _mend_curves(
    points: Points, legs: _Legs, on_curve: npt.NDArray[np.bool_], leg: Integers,
    end_us: Integers, p: list[Floats], q: list[Floats],
) -> None:  # fmt: skip
    """Put the inner points of the legs marked `on_curve` where they belong."""
    if not on_curve.any():
        return
    inner = np.flatnonzero(on_curve[leg] & (end_us < points.time_us[legs.last[leg]]))
    found = _inner_points(points, legs, leg[inner], end_us[inner])
    for k in range(3):
        q[k][inner] = found[:, k]
        p[k][inner + 1] = found[:, k]


def _inner_points(points: Points, legs: _Legs, leg: Integers, at_us: Integers) -> Floats:
    """Return points inside legs, on the leg's own kind of curve, as earth-centred metres."""
    latitude, longitude = np.empty(len(leg)), np.empty(len(leg))
    used, place = np.unique(leg, return_inverse=True)
    first, last = legs.first[used], legs.last[used]
    lasts_us = points.time_us[last] - points.time_us[first]
    fraction = (at_us - points.time_us[first][place]) / lasts_us[place]
    edges = points.edge[legs.plan[used]]
    start = (points.latitude_deg[first], points.longitude_deg[first])
    end = (points.latitude_deg[last], points.longitude_deg[last])
    straight = edges[place] == GEODESIC
    if straight.any():
        azimuth, _, length_m = geod().inv(start[1], start[0], end[1], end[0])
        _check_lengths(points, first, length_m)
        some = place[straight]
        longitude[straight], latitude[straight], _ = geod().fwd(
            start[1][some], start[0][some], azimuth[some], length_m[some] * fraction[straight]
        )
    for code, edge in _EDGES.items():
        which = edges[place] == code
        some = place[which]
        latitude[which], longitude[which] = along_curve(
            start[0][some], start[1][some], end[0][some], end[1][some], fraction[which], edge
        )
    return to_ecef(latitude, longitude)


def _check_lengths(points: Points, first: Integers, length_m: Floats) -> None:
    bad = np.flatnonzero(length_m > LONGEST_LEG_M)
    if len(bad):
        at = format_time(int(points.time_us[first[bad[0]]]))
        raise InputError(
            "leg", at, "goes half round the earth, where the shortest way is not one way",
            "give a point in between",
        )  # fmt: skip


def clip_fragments(f: Fragments, from_us: int, to_us: int) -> Fragments:
    """Return only what lies between two times, fragments cut where they cross; all plans stay.

    Windows are half-open: an instant alone at `to_us` is left out, one at `from_us` is kept.
    """
    alone = f.start_us == f.end_us
    kept = (f.end_us > from_us) | (alone & (f.start_us == from_us))
    kept &= f.start_us < to_us
    start_us, end_us = np.maximum(f.start_us, from_us)[kept], np.minimum(f.end_us, to_us)[kept]
    lasts_us = np.maximum(f.end_us - f.start_us, 1)[kept]
    head, tail = (start_us - f.start_us[kept]) / lasts_us, (f.end_us[kept] - end_us) / lasts_us
    p = [column[kept] for column in (f.px, f.py, f.pz)]
    q = [column[kept] for column in (f.qx, f.qy, f.qz)]
    way = [b - a for a, b in zip(p, q, strict=True)]
    p = [a + w * head for a, w in zip(p, way, strict=True)]
    q = [b - w * tail for b, w in zip(q, way, strict=True)]
    counts = np.add.reduceat(np.append(kept, False), f.offsets[:-1]) if f.plans else kept
    counts = np.where(np.diff(f.offsets) > 0, counts, 0)
    return f._replace(
        offsets=np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
        start_us=start_us, end_us=end_us, leg=f.leg[kept],
        px=p[0], py=p[1], pz=p[2], qx=q[0], qy=q[1], qz=q[2],
    )  # fmt: skip


def take_pair(f: Fragments, a: int, b: int, lag_us: int) -> Fragments:
    """Return plans a and b alone, at no tolerance, b's clock put forward by `lag_us`.

    So compared at equal times are the pairs whose times on the plans' own clocks differ, a's
    less b's, by `lag_us`.
    """
    parts = [slice(int(f.offsets[plan]), int(f.offsets[plan + 1])) for plan in (a, b)]
    counts = [part.stop - part.start for part in parts]
    lag = np.repeat([0, lag_us], counts)

    def of_fragments(column: npt.NDArray[np.generic]) -> Any:
        return np.concatenate([column[part] for part in parts])

    leg = of_fragments(f.leg)
    none = np.zeros(2, dtype=np.int64)
    return Fragments(
        offsets=np.cumsum([0, *counts]).astype(np.int64),
        start_us=of_fragments(f.start_us) + lag, end_us=of_fragments(f.end_us) + lag,
        px=of_fragments(f.px), py=of_fragments(f.py), pz=of_fragments(f.pz),
        qx=of_fragments(f.qx), qy=of_fragments(f.qy), qz=of_fragments(f.qz),
        leg=np.arange(len(leg)),
        leg_start_us=f.leg_start_us[leg] + lag, leg_end_us=f.leg_end_us[leg] + lag,
        leg_from_tmm=f.leg_from_tmm[leg], leg_to_tmm=f.leg_to_tmm[leg],
        leg_datum=f.leg_datum[leg], leg_lateral_m=f.leg_lateral_m[leg],
        leg_vertical_tmm=f.leg_vertical_tmm[leg], leg_curve_m=f.leg_curve_m[leg],
        leg_zones=f.leg_zones[leg], early_us=none, late_us=none, clock_us=none,
    )  # fmt: skip
