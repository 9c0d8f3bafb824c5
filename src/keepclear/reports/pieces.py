# SPDX-License-Identifier: Apache-2.0
"""Pieces of a plan's path: what lies inside intervals, where it is at a time, points to draw.

Between two points a plan follows the edge that its file declares (`Path.edge`), the share of
the way as in the kernel: of the length on a geodesic, of the latitude on a rhumb line, of the
degrees on a planar edge. Heights change at a constant rate where both ends have comparable ones,
and are missing where not. This is for drawing: no verdict is computed here.
"""

from collections.abc import Iterable, Sequence
from itertools import pairwise
from math import cos, hypot, radians

import numpy as np

from keepclear.agreement.findings import ClosestPoint, Finding, Interval
from keepclear.airspace.altitudes import Altitude, are_comparable
from keepclear.airspace.geodesics import along_curve, geod
from keepclear.airspace.positions import Edge
from keepclear.airspace.volumes import Volume4D
from keepclear.checks.report import Path, PathPoint

Stretch = tuple[PathPoint, ...]
Pair = tuple[float, float]
DRAWN_EVERY_M = 20_000.0
METRES_A_DEGREE = 111_700.0  # of latitude, at its longest (the poles), and of the equator


def pieces(path: Path, intervals: Iterable[Interval]) -> tuple[Stretch, ...]:
    """Return the parts of the path inside the intervals, on the plan's own clock."""
    return tuple(
        piece
        for interval in intervals
        for stretch in path.stretches
        if (piece := cut(stretch, path.edge, interval.start_us, interval.end_us))
    )


def cut(stretch: Sequence[PathPoint], edge: Edge, start_us: int, end_us: int) -> Stretch:
    """Return a stretch between two times; empty where it is not there then."""
    if not stretch or end_us < stretch[0].time_us or start_us > stretch[-1].time_us:
        return ()
    start_us, end_us = max(start_us, stretch[0].time_us), min(end_us, stretch[-1].time_us)
    inside = [point for point in stretch if start_us < point.time_us < end_us]
    ends = [point_at(stretch, edge, start_us), *inside, point_at(stretch, edge, end_us)]
    return tuple(ends[:1] if start_us == end_us else ends)


def place_at(path: Path, time_us: int) -> PathPoint | None:
    """Return where the plan is at a time of its own clock; None where it is not known."""
    for stretch in path.stretches:
        if stretch and stretch[0].time_us <= time_us <= stretch[-1].time_us:
            return point_at(stretch, path.edge, time_us)
    return None


def point_at(stretch: Sequence[PathPoint], edge: Edge, time_us: int) -> PathPoint:
    """Return the point of a stretch at a time that lies inside it."""
    for point, later in pairwise(stretch):
        if point.time_us <= time_us < later.time_us:
            return _between(point, later, edge, time_us)
    return stretch[-1]


def active_volumes(path: Path, intervals: Sequence[Interval]) -> tuple[Volume4D, ...]:
    """Return the volumes of the plan that are there at some time of the intervals."""
    return tuple(
        v
        for v in path.volumes
        if any(v.start_us <= one.end_us and one.start_us <= v.end_us for one in intervals)
    )


def line_of(points: Sequence[PathPoint], edge: Edge) -> list[Pair]:
    """Return longitudes and latitudes of a stretch, with points between on long legs."""
    return timed_line_of(points, edge)[1]


def timed_line_of(points: Sequence[PathPoint], edge: Edge) -> tuple[list[float], list[Pair]]:
    """Return the same with the time of each, microseconds UTC."""
    line = [(point.longitude_deg, point.latitude_deg) for point in points[:1]]
    times_us = [float(point.time_us) for point in points[:1]]
    for point, later in pairwise(points):
        start = (point.longitude_deg, point.latitude_deg)
        added = curve(start, (later.longitude_deg, later.latitude_deg), edge)
        step_us = (later.time_us - point.time_us) / len(added)
        line.extend(added)
        times_us.extend(point.time_us + step_us * (i + 1) for i in range(len(added)))
    return times_us, line


def curve(start: Pair, end: Pair, edge: Edge) -> list[Pair]:
    """Return points along an edge, without its start, one each 20 km; the last is its end."""
    if edge is Edge.GEODESIC:
        azimuth_deg, _, length_m = geod().inv(*start, *end)
        parts = int(length_m // DRAWN_EVERY_M) + 1
        between = [
            geod().fwd(*start, azimuth_deg, length_m * i / parts)[:2] for i in range(1, parts)
        ]
        return [*((float(x), float(y)) for x, y in between), end]
    parts = int(_at_most_m(start, end) // DRAWN_EVERY_M) + 1
    return [*_on_curve(start, end, edge, [i / parts for i in range(1, parts)]), end]


def _at_most_m(start: Pair, end: Pair) -> float:
    """Return a length that no rhumb line or planar edge between the two exceeds."""
    step_deg = abs((end[0] - start[0] + 180) % 360 - 180)
    widest = cos(radians(min(abs(start[1]), abs(end[1])))) if start[1] * end[1] > 0 else 1.0
    return METRES_A_DEGREE * hypot(step_deg * widest, end[1] - start[1])


def _on_curve(start: Pair, end: Pair, edge: Edge, shares: list[float]) -> list[Pair]:
    """Return points of a rhumb or planar edge, each at a share of the way."""
    whole = np.ones(len(shares))
    latitudes_deg, longitudes_deg = along_curve(
        whole * start[1], whole * start[0], whole * end[1], whole * end[0], np.array(shares), edge
    )
    return list(zip(longitudes_deg.tolist(), latitudes_deg.tolist(), strict=True))


def ends_of_closest(
    finding: Finding, cpa: ClosestPoint, paths: tuple[Path, Path]
) -> tuple[PathPoint, PathPoint] | None:
    """Return where the two plans are at the closest point; None where a volume is one of them.

    With time tolerances the two are there at other times of their own clocks: those are
    looked for inside the intervals, and given only if they agree with the finding.
    """
    if pair := _at_once(cpa, paths):
        return pair
    best: tuple[float, PathPoint, PathPoint] | None = None
    for a in _samples(paths[0], finding.intervals_a):
        for b in _samples(paths[1], finding.intervals_b):
            miss_m = _miss_m(cpa, a, b)
            if best is None or miss_m < best[0]:
                best = (miss_m, a, b)
    return best[1:] if best and best[0] < 0.1 * cpa.lateral_m + 1_000 else None


def _at_once(cpa: ClosestPoint, paths: tuple[Path, Path]) -> tuple[PathPoint, PathPoint] | None:
    a, b = place_at(paths[0], cpa.time_us), place_at(paths[1], cpa.time_us)
    if a is None or b is None or _miss_m(cpa, a, b) > 0.02 * cpa.lateral_m + 100:
        return None
    return a, b


def _samples(path: Path, intervals: Sequence[Interval], most: int = 60) -> list[PathPoint]:
    found: list[PathPoint] = []
    for piece in pieces(path, intervals[:3]):
        span_us = piece[-1].time_us - piece[0].time_us
        times = {piece[0].time_us + span_us * i // most for i in range(most + 1)}
        found.extend(point_at(piece, path.edge, time_us) for time_us in sorted(times))
    return found


def _miss_m(cpa: ClosestPoint, a: PathPoint, b: PathPoint) -> float:
    """Return how badly two places fit the finding: distance, and midpoint."""
    azimuth_deg, _, apart_m = geod().inv(
        a.longitude_deg, a.latitude_deg, b.longitude_deg, b.latitude_deg
    )
    longitude, latitude, _ = geod().fwd(a.longitude_deg, a.latitude_deg, azimuth_deg, apart_m / 2)
    off_m = geod().inv(longitude, latitude, cpa.longitude_deg, cpa.latitude_deg)[2]
    return float(abs(apart_m - cpa.lateral_m) + off_m)


def _between(point: PathPoint, later: PathPoint, edge: Edge, time_us: int) -> PathPoint:
    share = (time_us - point.time_us) / (later.time_us - point.time_us)
    start = (point.longitude_deg, point.latitude_deg)
    end = (later.longitude_deg, later.latitude_deg)
    if edge is Edge.GEODESIC:
        azimuth_deg, _, length_m = geod().inv(*start, *end)
        longitude_deg, latitude_deg, _ = geod().fwd(*start, azimuth_deg, length_m * share)
    else:
        ((longitude_deg, latitude_deg),) = _on_curve(start, end, edge, [share])
    return PathPoint(
        time_us=time_us, latitude_deg=float(latitude_deg), longitude_deg=float(longitude_deg),
        altitude=_height_between(point.altitude, later.altitude, share),
    )  # fmt: skip


def _height_between(a: Altitude | None, b: Altitude | None, share: float) -> Altitude | None:
    if a is None or b is None:
        return a if share == 0 else None
    if not (are_comparable(a, b) or (a.reference, a.datum) == (b.reference, b.datum)):
        return a if share == 0 else None
    height_tmm = round(a.height_tmm + (b.height_tmm - a.height_tmm) * share)
    return Altitude(height_tmm=height_tmm, reference=a.reference, datum=a.datum)
