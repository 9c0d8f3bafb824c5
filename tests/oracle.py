# SPDX-License-Identifier: Apache-2.0
"""What is true of two plans, found slowly and by other means than the kernel's.

Positions go along each leg by geographiclib, distances are geographiclib's, heights are exact
fractions. Whether two craft are inside a cylinder is settled by halving intervals of time until
a bound on the relative motion decides, so nothing between two samples is missed.

1. Nothing of `keepclear.detect` is used but the words in which a rule is put (`Cylinder`).
2. Times are seconds from the plans' origin; a plan is there from its first instant up to, not
   including, its last (`definitions.md`); a lone point is there at that instant.
3. The bound on motion: the distance of two craft changes at most by their speeds. Closer than
   1000 km it is sharper: with w the relative velocity (azimuths at both ends of the connecting
   geodesic), |d(t+h) - d(t) - d'h| <= h^2 / 2 (w^2 / d + curvature), where the curvature of the
   earth turns w by no more than 2 (v + v')^2 d / R^2 in a second.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from itertools import pairwise
from typing import Any, Final, NamedTuple

from geographiclib.geodesic import Geodesic

from keepclear.detect.cylinders import Cylinder

WGS84: Final = Geodesic.WGS84
WANTED: Final = Geodesic.DISTANCE | Geodesic.AZIMUTH
SMALLEST_RADIUS_M: Final = 6_335_000.0  # the meridian's at the equator is 6 335 439 m
NEAR_M: Final = 1_000_000.0
RESOLUTION_S: Final = 1e-4
TENTH_OF_A_MILLIMETRE: Final = 1e-4
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
    def line(self) -> Any:
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
    """Return the bound of module rule 3 for half_s before and after a sight."""
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


class Meeting(NamedTuple):
    """A leg of each of two plans over the time they share, on a's clock; b is there lag_s before."""

    a: Leg
    b: Leg
    start_s: Fraction
    end_s: Fraction
    lag_s: Fraction

    @property
    def span(self) -> Span:
        return Span(float(self.start_s), float(self.end_s))

    def heights_tmm(self, time_s: Fraction) -> tuple[Fraction, Fraction]:
        """Return both heights at a time on a's clock."""
        return self.a.height_tmm(time_s), self.b.height_tmm(time_s - self.lag_s)

    @property
    def is_comparable(self) -> bool:
        """Tell whether both heights are known, from one reference."""
        fixes = (self.a.start, self.a.end, self.b.start, self.b.end)
        known = all(fix.height_tmm is not None for fix in fixes)
        return known and self.a.plan.datum == self.b.plan.datum >= 0


def meetings(a: Plan, b: Plan, lag_us: int = 0) -> Iterator[Meeting]:
    """Yield every two legs that share time when b's clock is lag_us behind a's."""
    others = legs_of(b)
    for leg in legs_of(a):
        for other in others:
            starts_us = max(leg.start.time_us, other.start.time_us + lag_us)
            ends_us = min(leg.end.time_us, other.end.time_us + lag_us)
            times = Fraction(starts_us, 10**6), Fraction(ends_us, 10**6)
            if starts_us < ends_us:
                yield Meeting(leg, other, *times, Fraction(lag_us, 10**6))
            if starts_us != ends_us or not (leg.is_instant or other.is_instant):
                continue
            if _is_there(leg, starts_us) and _is_there(other, starts_us - lag_us):
                yield Meeting(leg, other, *times, Fraction(lag_us, 10**6))


def _is_there(leg: Leg, time_us: int) -> bool:
    return leg.is_instant or leg.start.time_us <= time_us < leg.end.time_us


class Rule(NamedTuple):
    """A cylinder grown by the uncertainty of two legs."""

    cylinder: Cylinder
    lateral_m: float
    vertical_tmm: int | None
    a_may_tmm: int
    b_may_tmm: int


def grown(cylinder: Cylinder, meeting: Meeting, extra_m: float, *, uncertainty: bool) -> Rule:
    """Return a cylinder grown by both plans' uncertainty, and by extra_m."""
    a, b = meeting.a.plan, meeting.b.plan
    more_m = a.lateral_m + b.lateral_m if uncertainty else 0.0
    may = (a.vertical_tmm, b.vertical_tmm) if uncertainty else (0, 0)
    lateral_m = math.inf
    if cylinder.lateral_tmm is not None:
        lateral_m = cylinder.lateral_tmm / 10_000 + more_m + extra_m
    vertical_tmm = None if cylinder.vertical_tmm is None else cylinder.vertical_tmm + sum(may)
    return Rule(cylinder, lateral_m, vertical_tmm, *may)


def is_inside(rule: Rule, a_tmm: Fraction, b_tmm: Fraction) -> bool:
    """Tell whether two heights are inside a cylinder, its conditions on levels included."""
    if rule.vertical_tmm is not None:
        apart_tmm = abs(a_tmm - b_tmm)
        is_closed = rule.cylinder.vertical_is_closed
        if apart_tmm > rule.vertical_tmm or (apart_tmm == rule.vertical_tmm and not is_closed):
            return False
    return holds(rule, a_tmm, b_tmm)


def holds(rule: Rule, a_tmm: Fraction, b_tmm: Fraction) -> bool:
    """Tell whether a cylinder's conditions on levels hold."""
    highest_a, highest_b = a_tmm + rule.a_may_tmm, b_tmm + rule.b_may_tmm
    both, one = rule.cylinder.both_from_tmm, rule.cylinder.one_above_tmm
    if both is not None and not (highest_a >= both and highest_b >= both):
        return False
    return one is None or highest_a > one or highest_b > one


Claim = Callable[[Rule, Fraction, Fraction], bool]


def cells(meeting: Meeting, rule: Rule, claim: Claim) -> Iterator[tuple[Fraction, Fraction]]:
    """Yield the spans of a meeting in which heights bear a claim out; exactly.

    Instants at which it holds though it does not hold just before or after are spans too.
    """
    breaks = _breaks(meeting, rule)
    opens = [claim(rule, *meeting.heights_tmm((low + high) / 2)) for low, high in pairwise(breaks)]
    for k, is_open in enumerate(opens):
        if is_open:
            yield breaks[k], breaks[k + 1]
    is_instant = len(breaks) == 1
    for k, at in enumerate(breaks if is_instant else breaks[:-1]):
        beside = opens[max(k - 1, 0) : k + 1]
        if not any(beside) and claim(rule, *meeting.heights_tmm(at)):
            yield at, at


def _breaks(meeting: Meeting, rule: Rule) -> list[Fraction]:
    """Return the times at which a height, or a difference, crosses what it is compared with."""
    start_s, end_s = meeting.start_s, meeting.end_s
    first, last = meeting.heights_tmm(start_s), meeting.heights_tmm(end_s)
    pairs = [(first[0] - first[1], last[0] - last[1], limit) for limit in _limits(rule)]
    for level in (rule.cylinder.both_from_tmm, rule.cylinder.one_above_tmm):
        if level is not None:
            pairs.append((first[0] + rule.a_may_tmm, last[0] + rule.a_may_tmm, level))
            pairs.append((first[1] + rule.b_may_tmm, last[1] + rule.b_may_tmm, level))
    breaks = {start_s, end_s}
    for before, after, limit in pairs:
        if (before < limit < after) or (after < limit < before):
            breaks.add(start_s + (end_s - start_s) * (limit - before) / (after - before))
    return sorted(breaks)


def _limits(rule: Rule) -> tuple[int, ...]:
    if rule.vertical_tmm is None:
        return ()
    return (-rule.vertical_tmm, rule.vertical_tmm)


class Violation(NamedTuple):
    """A span, on a's clock, inside a cylinder; not is_known: the heights cannot be compared."""

    span: Span
    is_known: bool


def violations(
    a: Plan, b: Plan, cylinder: Cylinder, *, lag_us: int = 0, extra_m: float = 0.0,
    uncertainty: bool = True,
) -> list[Violation]:  # fmt: skip
    """Return every span in which two plans, b's clock lag_us behind, are inside a cylinder.

    extra_m: added to the lateral minimum.
    """
    out: list[Violation] = []
    for meeting in meetings(a, b, lag_us):
        rule = grown(cylinder, meeting, extra_m, uncertainty=uncertainty)
        for span, is_known in _known_spans(meeting, rule):
            found = [span]
            if rule.lateral_m != math.inf:
                found = _closer(meeting, rule.lateral_m, span)
            out += [Violation(each, is_known) for each in found]
    known = joined([found.span for found in out if found.is_known])
    unknown = joined([found.span for found in out if not found.is_known])
    return [Violation(s, True) for s in known] + [Violation(s, False) for s in unknown]


def _known_spans(meeting: Meeting, rule: Rule) -> Iterator[tuple[Span, bool]]:
    cylinder = rule.cylinder
    has_condition = cylinder.both_from_tmm is not None or cylinder.one_above_tmm is not None
    asks = rule.vertical_tmm is not None or has_condition
    if not asks:
        yield meeting.span, True
    elif not meeting.is_comparable:
        yield meeting.span, False
    else:
        for low, high in cells(meeting, rule, is_inside):
            yield Span(float(low), float(high)), True


def _closer(meeting: Meeting, limit_m: float, span: Span) -> list[Span]:
    lag_s = float(meeting.lag_s)
    if span.start_s == span.end_s:
        is_closer = look(meeting.a, meeting.b, span.start_s, lag_s).distance_m < limit_m
        return [span] if is_closer else []
    return closer_than(meeting.a, meeting.b, limit_m, span, lag_s)


class Least(NamedTuple):
    """The least value of something, and when."""

    value: float
    time_s: float


def closest(a: Plan, b: Plan, within: Sequence[Span], lag_us: int = 0) -> Least:
    """Return the least lateral distance of two plans within spans on a's clock."""
    best = Least(math.inf, math.nan)
    for meeting in meetings(a, b, lag_us):
        for span in within:
            start_s = max(meeting.span.start_s, span.start_s)
            end_s = min(meeting.span.end_s, span.end_s)
            if start_s <= end_s:
                part = Span(start_s, end_s)
                best = _least(meeting, part, 0.0, lambda _low, _high: -math.inf, best)
    return best


def least_margin(
    a: Plan, b: Plan, cylinder: Cylinder, *, lag_us: int = 0, uncertainty: bool = True
) -> Least:
    """Return the least over time of the greater of both margins, in metres; heights are known."""
    best = Least(math.inf, math.nan)
    for meeting in meetings(a, b, lag_us):
        rule = grown(cylinder, meeting, 0.0, uncertainty=uncertainty)
        for low, high in cells(meeting, rule, holds):
            part = Span(float(low), float(high))
            vertical = _vertical_margin(meeting, rule)
            best = _least(meeting, part, rule.lateral_m, vertical, best)
    return best


Bound = Callable[[float, float], float]


def _vertical_margin(meeting: Meeting, rule: Rule) -> Bound:
    """Return a function that gives the least vertical margin between two times, in metres."""
    start_s, end_s = meeting.start_s, meeting.end_s
    first, last = (float(p - q) for p, q in map(meeting.heights_tmm, (start_s, end_s)))
    lasts_s = float(end_s - start_s) or 1.0

    def least(low_s: float, high_s: float) -> float:
        if rule.vertical_tmm is None:
            return -math.inf
        here = first + (last - first) * (low_s - float(start_s)) / lasts_s
        there = first + (last - first) * (high_s - float(start_s)) / lasts_s
        apart = 0.0 if here * there <= 0.0 else min(abs(here), abs(there))
        return (apart - rule.vertical_tmm) / 10_000

    return least


def _least(
    meeting: Meeting, span: Span, minimum_m: float, vertical: Bound, best: Least
) -> Least:  # fmt: skip
    """Return the least of best and the greater of distance - minimum_m and `vertical`."""
    waiting = [span]
    looks = 0
    while waiting:
        start_s, end_s = waiting.pop()
        middle_s, half_s = 0.5 * (start_s + end_s), 0.5 * (end_s - start_s)
        sight = look(meeting.a, meeting.b, middle_s, float(meeting.lag_s))
        bound = reach(meeting.a, meeting.b, sight, half_s)
        value = max(sight.distance_m - minimum_m, vertical(middle_s, middle_s))
        if value < best.value:
            best = Least(value, middle_s)
        looks += 1
        if looks > MOST_LOOKS:
            raise RuntimeError(f"no least distance after {looks} looks in {span}")
        low = max(bound.low_m - minimum_m, vertical(start_s, end_s))
        if low < best.value - TENTH_OF_A_MILLIMETRE and half_s > 1e-9:
            waiting += [Span(middle_s, end_s), Span(start_s, middle_s)]
    return best
