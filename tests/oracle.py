# SPDX-License-Identifier: Apache-2.0
"""What is true of two plans, found slowly and by other means than the kernel's.

`tests.motion` says where craft are; here a cylinder is asked of them, word for word as
`definitions.md` has it, heights in exact fractions.

1. Nothing of `keepclear.detect` is used but the words in which a rule is put (`Cylinder`).
2. Times are seconds from the plans' origin; a plan is there from its first instant up to, not
   including, its last; a lone point is there at that instant.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from itertools import pairwise
from typing import Final, NamedTuple

from keepclear.detect.cylinders import Cylinder
from tests.motion import MOST_LOOKS, Leg, Plan, Span, closer_than, joined, legs_of, look, reach

TENTH_OF_A_MILLIMETRE: Final = 1e-4


class Meeting(NamedTuple):
    """Two legs over the time they share, on a's clock; on b's clock it is lag_s before."""

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
