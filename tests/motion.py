# SPDX-License-Identifier: Apache-2.0
"""Where two craft are, and when they are closer than a distance: `tests.oracle` without rules.

Positions go along each leg by geographiclib, distances are geographiclib's, heights are exact
fractions. Whether two craft are closer than a distance is settled by halving intervals of time
until a bound on the relative motion decides, so nothing between two samples is missed.

The distance of two craft changes at most by their speeds. Closer than 1000 km the bound is
sharper: with w the relative velocity (azimuths at both ends of the connecting geodesic),
|d(t+h) - d(t) - d'h| <= h^2 / 2 (w^2 / d + curvature), where the curvature of the earth turns w
by no more than 2 (v + v')^2 d / R^2 in a second.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Final, NamedTuple

from geographiclib.geodesic import Geodesic
from geographiclib.geodesicline import GeodesicLine

WGS84: Final = Geodesic.WGS84
WANTED: Final = Geodesic.DISTANCE | Geodesic.AZIMUTH
SMALLEST_RADIUS_M: Final = 6_335_000.0  # the meridian's at the equator is 6 335 439 m
NEAR_M: Final = 1_000_000.0
RESOLUTION_S: Final = 1e-4
MOST_LOOKS: Final = 200_000
E2: Final = (2 - 1 / 298.257223563) / 298.257223563  # WGS 84, NGA.STND.0036 (2014)

Seconds = Fraction | float


@dataclass(frozen=True, kw_only=True)
class Fix:
    """Where a plan says it is at a time; no height: height_tmm is None."""

    time_us: int
    latitude_deg: float
    longitude_deg: float
    height_tmm: int | None = 0


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Fixes in order of time, with what may differ from them.

    gaps: places of fixes before which nothing is known. edge: geodesic, rhumb or planar.
    early_us, late_us include clock_us, the uncertainty of time.
    """

    fixes: tuple[Fix, ...]
    edge: str = "geodesic"
    gaps: frozenset[int] = frozenset()
    early_us: int = 0
    late_us: int = 0
    clock_us: int = 0
    lateral_m: float = 0.0
    vertical_tmm: int = 0
    datum: int = 0


class Place(NamedTuple):
    """Latitude, longitude, and the azimuth of motion (None: not known)."""

    latitude_deg: float
    longitude_deg: float
    azimuth_deg: float | None


class Span(NamedTuple):
    """Seconds from start to end; an instant alone has them equal."""

    start_s: float
    end_s: float


class Sight(NamedTuple):
    """Two craft at a time: distance, its rate (None: not known), and the relative speed."""

    distance_m: float
    rate_mps: float | None
    relative_mps: float


@dataclass(frozen=True)
class Leg:
    """Two fixes joined; both the same: an instant."""

    start: Fix
    end: Fix
    plan: Plan

    @property
    def is_instant(self) -> bool:
        return self.start.time_us == self.end.time_us

    @cached_property
    def start_s(self) -> float:
        return self.start.time_us / 1e6

    @cached_property
    def lasts_s(self) -> float:
        return (self.end.time_us - self.start.time_us) / 1e6

    @cached_property
    def line(self) -> GeodesicLine:
        return WGS84.InverseLine(
            self.start.latitude_deg, self.start.longitude_deg,
            self.end.latitude_deg, self.end.longitude_deg,
        )  # fmt: skip

    @cached_property
    def speed_mps(self) -> float:
        """The greatest ground speed, a little more than it is."""
        if self.is_instant:
            return 0.0
        length_m = self.line.s13
        if self.plan.edge != "geodesic":  # the way north or south and the way east or west
            length_m = self._curve_m()
        return float(length_m * 1.000001 / self.lasts_s)

    def _curve_m(self) -> float:
        """Return no less than the greatest speed on a rhumb or planar leg, times its duration.

        Along the meridian 6 400 km a radian is the most (polar radius of curvature); across it
        the parallel nearest the equator counts; on a rhumb line east-west motion is the greater
        by as much as the parallels shrink along the leg.
        """
        low, high = sorted((abs(self.start.latitude_deg), abs(self.end.latitude_deg)))
        if self.start.latitude_deg * self.end.latitude_deg < 0:
            low = 0.0
        step_deg = abs(turn_deg(self.end.longitude_deg - self.start.longitude_deg))
        rise_deg = abs(self.end.latitude_deg - self.start.latitude_deg)
        grows = math.cos(math.radians(low)) / math.cos(math.radians(high))
        across = (
            step_deg * math.cos(math.radians(low)) * (grows if self.plan.edge == "rhumb" else 1)
        )
        return math.radians(math.hypot(rise_deg, across)) * 6_400_000.0

    def at(self, time_s: float) -> Place:
        """Return where it is at a time."""
        if self.is_instant:
            return Place(self.start.latitude_deg, self.start.longitude_deg, 0.0)
        share = (time_s - self.start_s) / self.lasts_s
        if self.plan.edge != "geodesic":
            return Place(*on_curve(self.start, self.end, share, self.plan.edge), None)
        found = self.line.Position(self.line.s13 * share)
        return Place(found["lat2"], found["lon2"], found["azi2"])

    def height_tmm(self, time_s: Seconds) -> Fraction:
        """Return the height at a time, exactly."""
        start, end = self.start, self.end
        if start.height_tmm is None or end.height_tmm is None:
            raise ValueError("a leg without heights was asked for one; look at `is_known` first")
        if self.is_instant:
            return Fraction(start.height_tmm)
        share = (Fraction(time_s) * 10**6 - start.time_us) / (end.time_us - start.time_us)
        return start.height_tmm + (end.height_tmm - start.height_tmm) * share


def turn_deg(angle_deg: float) -> float:
    """Return an angle in -180 up to, not including, 180."""
    return (angle_deg + 180.0) % 360.0 - 180.0


def on_curve(start: Fix, end: Fix, share: float, edge: str) -> tuple[float, float]:
    """Return a point of a rhumb or planar leg; a rhumb line is straight in Mercator's map."""
    latitude_deg = start.latitude_deg + (end.latitude_deg - start.latitude_deg) * share
    step_deg = turn_deg(end.longitude_deg - start.longitude_deg)
    rise = Fraction(end.latitude_deg) - Fraction(start.latitude_deg)
    if edge == "rhumb" and rise != 0:
        part = latitude_deg - start.latitude_deg
        share = stretch(start.latitude_deg, part) / stretch(start.latitude_deg, float(rise))
    return latitude_deg, turn_deg(start.longitude_deg + step_deg * share)


def stretch(latitude_deg: float, rise_deg: float) -> float:
    """Return Mercator's northing over a rise in latitude, in radians at the equator.

    By Gauss-Legendre integration of the ratio of the radii of curvature, M / (N cos), which
    does not cancel for a small rise (Snyder, USGS PP 1395, eq. 4-22 and 7-7).
    """
    nodes = (0.0, 0.5384693101056831, 0.9061798459386640)  # five points
    weights = (0.5688888888888889, 0.4786286704993665, 0.2369268850561891)
    parts = max(1, math.ceil(abs(rise_deg)))
    total = 0.0
    for part in range(parts):
        middle_deg = latitude_deg + rise_deg * (part + 0.5) / parts
        for node, weight in zip(nodes, weights, strict=True):
            for sign in (1, -1) if node else (1,):
                phi = math.radians(middle_deg + sign * node * rise_deg / parts / 2)
                total += weight * (1 - E2) / ((1 - E2 * math.sin(phi) ** 2) * math.cos(phi))
    return total * math.radians(rise_deg) / parts / 2


def legs_of(plan: Plan) -> list[Leg]:
    """Return the legs; a fix alone between gaps is a leg of its own."""
    legs = []
    count = len(plan.fixes)
    for k, fix in enumerate(plan.fixes):
        is_joined = k + 1 < count and k + 1 not in plan.gaps
        if is_joined:
            legs.append(Leg(fix, plan.fixes[k + 1], plan))
        elif k == 0 or k in plan.gaps:
            legs.append(Leg(fix, fix, plan))
    return legs


def look(a: Leg, b: Leg, time_s: float, lag_s: float = 0.0) -> Sight:
    """Return how far apart a at a time and b at that time less the lag are."""
    p, q = a.at(time_s), b.at(time_s - lag_s)
    seen = WGS84.Inverse(p.latitude_deg, p.longitude_deg, q.latitude_deg, q.longitude_deg, WANTED)
    distance_m = seen["s12"]
    if p.azimuth_deg is None or q.azimuth_deg is None:
        return Sight(distance_m, None, a.speed_mps + b.speed_mps)
    at_a = math.radians(p.azimuth_deg - seen["azi1"])
    at_b = math.radians(q.azimuth_deg - seen["azi2"])
    rate_mps = b.speed_mps * math.cos(at_b) - a.speed_mps * math.cos(at_a)
    across_mps = b.speed_mps * math.sin(at_b) - a.speed_mps * math.sin(at_a)
    return Sight(distance_m, rate_mps, math.hypot(rate_mps, across_mps))


class Reach(NamedTuple):
    """Over an interval: the distance is in low..high, and its rate changes by at most `bend`."""

    low_m: float
    high_m: float
    bend_mps: float


def reach(a: Leg, b: Leg, sight: Sight, half_s: float) -> Reach:
    """Return the bound of the module for half_s before and after a sight."""
    speeds = a.speed_mps + b.speed_mps
    farthest_m = sight.distance_m + speeds * half_s
    by_m, bend_mps = speeds * half_s, math.inf
    if sight.rate_mps is not None and farthest_m < NEAR_M:
        curvature = 2.0 * speeds**2 * farthest_m / SMALLEST_RADIUS_M**2
        relative_mps = sight.relative_mps * 1.00001 + curvature * half_s
        by_m = min(by_m, relative_mps * half_s)
        nearest_m = sight.distance_m - by_m
        if nearest_m > 0.0:
            second = relative_mps**2 / nearest_m + curvature
            bend_mps = second * half_s
            by_m = min(by_m, (abs(sight.rate_mps) + 0.5 * bend_mps) * half_s)
    return Reach(sight.distance_m - by_m, sight.distance_m + by_m, bend_mps)


def closer_than(a: Leg, b: Leg, limit_m: float, span: Span, lag_s: float = 0.0) -> list[Span]:
    """Return when in a span two craft are closer than a limit, to a tenth of a millisecond."""
    found: list[Span] = []
    waiting = [span]
    looks = 0
    while waiting:
        start_s, end_s = waiting.pop()
        middle_s, half_s = 0.5 * (start_s + end_s), 0.5 * (end_s - start_s)
        sight = look(a, b, middle_s, lag_s)
        bound = reach(a, b, sight, half_s)
        looks += 1
        if looks > MOST_LOOKS:
            raise RuntimeError(f"no decision about {limit_m} m after {looks} looks in {span}")
        if bound.low_m >= limit_m:
            continue
        if bound.high_m < limit_m:
            found.append(Span(start_s, end_s))
        elif end_s - start_s < RESOLUTION_S:
            if sight.distance_m < limit_m:
                found.append(Span(start_s, end_s))
        elif sight.rate_mps is not None and abs(sight.rate_mps) > bound.bend_mps:
            found += _one_crossing(a, b, limit_m, Span(start_s, end_s), lag_s)
        else:
            waiting += [Span(middle_s, end_s), Span(start_s, middle_s)]
    return joined(found)


def _one_crossing(a: Leg, b: Leg, limit_m: float, span: Span, lag_s: float) -> list[Span]:
    """Return the part of a span that is closer, where the distance only grows or only shrinks."""
    start_s, end_s = span
    first = look(a, b, start_s, lag_s).distance_m < limit_m
    last = look(a, b, end_s, lag_s).distance_m < limit_m
    if first == last:
        return [span] if first else []
    low_s, high_s = start_s, end_s
    while high_s - low_s > RESOLUTION_S / 10:
        middle_s = 0.5 * (low_s + high_s)
        if (look(a, b, middle_s, lag_s).distance_m < limit_m) == first:
            low_s = middle_s
        else:
            high_s = middle_s
    return [Span(start_s, low_s)] if first else [Span(high_s, end_s)]


def joined(spans: Sequence[Span], within_s: float = 1e-9) -> list[Span]:
    """Return spans in order, those that touch made one."""
    out: list[Span] = []
    for span in sorted(spans):
        if out and span.start_s <= out[-1].end_s + within_s:
            out[-1] = Span(out[-1].start_s, max(out[-1].end_s, span.end_s))
        else:
            out.append(span)
    return out
