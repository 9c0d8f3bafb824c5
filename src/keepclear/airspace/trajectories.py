# SPDX-License-Identifier: Apache-2.0
"""Paths in time: timed points, or a route with a speed and a departure.

Leaves the cutting of legs to `detect.fragments`.
1. Points are in order of time, no two at one time.
2. A point without a height is allowed: what needs the height is then UNDETERMINED.
3. A trajectory is there from its first point up to, not including, its last; a trajectory of
   one point is there at that instant.
"""

from itertools import pairwise

import msgspec

from keepclear.airspace.altitudes import Altitude
from keepclear.airspace.geodesics import distance_m
from keepclear.airspace.positions import Edge, Position
from keepclear.errors import InputError
from keepclear.units import US_PER_S, format_time


class TimedPoint(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where a craft is at a time (microseconds UTC)."""

    time_us: int
    position: Position
    altitude: Altitude | None = None


class Trajectory(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Timed points joined by legs at constant ground speed and constant rate of climb."""

    points: tuple[TimedPoint, ...]
    edge: Edge = Edge.GEODESIC

    def __post_init__(self) -> None:
        if not self.points:
            raise InputError("points", 0, "points are no trajectory", "give one or more")
        for earlier, later in pairwise(self.points):
            if later.time_us <= earlier.time_us:
                raise InputError(
                    "points", format_time(later.time_us),
                    f"does not follow {format_time(earlier.time_us)}", "put the points in order",
                )  # fmt: skip


class Waypoint(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A place a route passes, and the height there."""

    position: Position
    altitude: Altitude | None = None


class Route(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Waypoints flown at one ground speed from a departure time on."""

    waypoints: tuple[Waypoint, ...]
    speed_mps: float
    departure_us: int
    edge: Edge = Edge.GEODESIC

    def __post_init__(self) -> None:
        if len(self.waypoints) < 2:
            raise InputError("waypoints", len(self.waypoints), "are no route", "give 2 or more")
        if not 0 < self.speed_mps < 3_000:
            raise InputError("speed", self.speed_mps, "is not 0 to 3,000 m/s", "check the unit")


def fly(route: Route) -> Trajectory:
    """Return the route as timed points; a waypoint given twice in a row is passed once.

    `InputError` where the two have different heights: a change of level takes time.
    """
    length_m = 0.0
    points = [_at(route, 0, length_m)]
    for i, (start, end) in enumerate(pairwise(route.waypoints)):
        length_m += distance_m(start.position, end.position, route.edge)
        point = _at(route, i + 1, length_m)
        if point.time_us > points[-1].time_us:
            points.append(point)
        elif point.altitude != points[-1].altitude:
            raise InputError(
                f"waypoints[{i + 1}]", end.altitude and end.altitude.text(),
                "is at the place of the one before, at another height", "change level on the way",
            )  # fmt: skip
    return Trajectory(points=tuple(points), edge=route.edge)


def _at(route: Route, i: int, length_m: float) -> TimedPoint:
    return TimedPoint(
        time_us=route.departure_us + round(length_m / route.speed_mps * US_PER_S),
        position=route.waypoints[i].position, altitude=route.waypoints[i].altitude,
    )  # fmt: skip
