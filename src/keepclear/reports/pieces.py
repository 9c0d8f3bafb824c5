# SPDX-License-Identifier: Apache-2.0
"""Pieces of a plan's path: what lies inside intervals, where it is at a time, points to draw.

Between two points a plan is taken to follow the geodesic at constant speed; heights change at
a constant rate where both ends have comparable ones, and are missing where not. This is for
drawing: no verdict is computed here.
"""

from collections.abc import Iterable, Sequence
from itertools import pairwise

from keepclear.agreement.findings import ClosestPoint, Finding, Interval
from keepclear.airspace.altitudes import Altitude, are_comparable
from keepclear.airspace.geodesics import geod
from keepclear.airspace.volumes import Volume4D
from keepclear.checks.report import Path, PathPoint

Stretch = tuple[PathPoint, ...]
DRAWN_EVERY_M = 20_000.0


def pieces(path: Path, intervals: Iterable[Interval]) -> tuple[Stretch, ...]:
    """Return the parts of the path inside the intervals, on the plan's own clock."""
    return tuple(
        piece
        for interval in intervals
        for stretch in path.stretches
        if (piece := cut(stretch, interval.start_us, interval.end_us))
    )


def cut(stretch: Sequence[PathPoint], start_us: int, end_us: int) -> Stretch:
    """Return a stretch between two times; empty where it is not there then."""
    if not stretch or end_us < stretch[0].time_us or start_us > stretch[-1].time_us:
        return ()
    start_us, end_us = max(start_us, stretch[0].time_us), min(end_us, stretch[-1].time_us)
    inside = [point for point in stretch if start_us < point.time_us < end_us]
    ends = [point_at(stretch, start_us), *inside, point_at(stretch, end_us)]
    return tuple(ends[:1] if start_us == end_us else ends)


def place_at(path: Path, time_us: int) -> PathPoint | None:
    """Return where the plan is at a time of its own clock; None where it is not known."""
    for stretch in path.stretches:
        if stretch and stretch[0].time_us <= time_us <= stretch[-1].time_us:
            return point_at(stretch, time_us)
    return None


def point_at(stretch: Sequence[PathPoint], time_us: int) -> PathPoint:
    """Return the point of a stretch at a time that lies inside it."""
    for point, later in pairwise(stretch):
        if point.time_us <= time_us < later.time_us:
            return _between(point, later, time_us)
    return stretch[-1]


def active_volumes(path: Path, intervals: Sequence[Interval]) -> tuple[Volume4D, ...]:
    """Return the volumes of the plan that are there at some time of the intervals."""
    return tuple(
        v
        for v in path.volumes
        if any(v.start_us <= one.end_us and one.start_us <= v.end_us for one in intervals)
    )


def line_of(points: Sequence[PathPoint]) -> list[tuple[float, float]]:
    """Return longitudes and latitudes of a stretch, with points between on long legs."""
    return timed_line_of(points)[1]


def timed_line_of(points: Sequence[PathPoint]) -> tuple[list[float], list[tuple[float, float]]]:
    """Return the same with the time of each, microseconds UTC."""
    line = [(point.longitude_deg, point.latitude_deg) for point in points[:1]]
    times_us = [float(point.time_us) for point in points[:1]]
    for point, later in pairwise(points):
        start = (point.longitude_deg, point.latitude_deg)
        added = geodesic(start, (later.longitude_deg, later.latitude_deg))
        step_us = (later.time_us - point.time_us) / len(added)
        line.extend(added)
        times_us.extend(point.time_us + step_us * (i + 1) for i in range(len(added)))
    return times_us, line


def geodesic(start: tuple[float, float], end: tuple[float, float]) -> list[tuple[float, float]]:
    """Return points along a geodesic, without its start, one each 20 km; the last is its end."""
    azimuth_deg, _, length_m = geod().inv(*start, *end)
    parts = int(length_m // DRAWN_EVERY_M) + 1
    between = [geod().fwd(*start, azimuth_deg, length_m * i / parts)[:2] for i in range(1, parts)]
    return [*((float(x), float(y)) for x, y in between), end]


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
        found.extend(point_at(piece, time_us) for time_us in sorted(times))
    return found


def _miss_m(cpa: ClosestPoint, a: PathPoint, b: PathPoint) -> float:
    """Return how badly two places fit the finding: distance, and midpoint."""
    azimuth_deg, _, apart_m = geod().inv(
        a.longitude_deg, a.latitude_deg, b.longitude_deg, b.latitude_deg
    )
    longitude, latitude, _ = geod().fwd(a.longitude_deg, a.latitude_deg, azimuth_deg, apart_m / 2)
    off_m = geod().inv(longitude, latitude, cpa.longitude_deg, cpa.latitude_deg)[2]
    return float(abs(apart_m - cpa.lateral_m) + off_m)


def _between(point: PathPoint, later: PathPoint, time_us: int) -> PathPoint:
    share = (time_us - point.time_us) / (later.time_us - point.time_us)
    azimuth_deg, _, length_m = geod().inv(
        point.longitude_deg, point.latitude_deg, later.longitude_deg, later.latitude_deg
    )
    longitude_deg, latitude_deg, _ = geod().fwd(
        point.longitude_deg, point.latitude_deg, azimuth_deg, length_m * share
    )
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
