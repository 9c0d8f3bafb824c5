# SPDX-License-Identifier: Apache-2.0
"""How long a pair stays inside: duration leaves.

For each allowed shift apart, the instants inside form components; components less than the
leaf's `reset` apart are one, and so are those with a gap in the data between them. The leaf
holds if, for every shift, no component is longer than its limit; equal holds.
1. Longer: CONFLICT. Not longer, but open at a plan's first or last instant: UNDETERMINED.
   Else LIMITED: a duration leaf never makes a pair CLEAR.
2. What is within the guard band, or cannot be compared, counts as inside.
3. All shifts are looked at by halving: a range of shifts is done with when the union of its
   insides is short enough; it breaks the leaf when one shift in it does. Where halving comes
   to its end undecided, the leaf counts as broken.
"""

from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from keepclear.agreement.findings import Interval, Verdict

NARROWEST_US: Final = 1_000
MOST_LOOKS: Final = 4_000


class Stay(NamedTuple):
    """What a duration leaf says of a pair: verdict, and microseconds over its limit (or 0)."""

    verdict: Verdict
    over_us: int
    reason: str


class Span(NamedTuple):
    """First and last instant of both plans, each on its own clock."""

    a_start_us: int
    a_end_us: int
    b_start_us: int
    b_end_us: int


Inside = Callable[[int, int], Sequence[Interval]]
"""From a least and a greatest shift to the union of the insides, on plan a's clock."""


def components(
    inside: Sequence[Interval], gaps: Sequence[Interval], reset_us: int
) -> list[Interval]:
    """Return the insides joined over breaks shorter than `reset_us` and over gaps.

    A gap alone is no component: nothing is known to be inside.
    """
    joined: list[Interval] = []
    pieces = sorted([(each, True) for each in inside] + [(each, False) for each in gaps])
    known: list[bool] = []
    for piece, is_known in pieces:
        if joined and piece.start_us - joined[-1].end_us < reset_us:
            end_us = max(joined[-1].end_us, piece.end_us)
            joined[-1] = Interval(start_us=joined[-1].start_us, end_us=end_us)
            known[-1] = known[-1] or is_known
        else:
            joined.append(piece)
            known.append(is_known)
    return [each for each, is_known in zip(joined, known, strict=True) if is_known]


def judge_stay(
    inside: Inside, shifts_us: tuple[int, int], gaps: Sequence[Interval], span: Span,
    limit_us: int, reset_us: int,
) -> Stay:  # fmt: skip
    """Return what a duration leaf says.

    inside: see `Inside`; called with equal shifts it gives the inside at that one shift.
    """
    ranges = [shifts_us]
    is_open = False
    for _ in range(MOST_LOOKS):
        if not ranges:
            break
        low, high = ranges.pop()
        found = components(inside(low, high), gaps, reset_us)
        if _longest(found) <= limit_us:
            is_open = is_open or _is_open(found, span, low, high)
            continue
        middle = (low + high) // 2
        over_us = _longest(components(inside(middle, middle), gaps, reset_us)) - limit_us
        if over_us > 0 or high - low <= NARROWEST_US:
            return Stay(Verdict.CONFLICT, max(over_us, _longest(found) - limit_us), "")
        ranges += [(low, middle), (middle, high)]
    if ranges:
        return Stay(Verdict.CONFLICT, 0, "")
    if is_open:
        return Stay(
            Verdict.UNDETERMINED, 0,
            "inside when a plan begins or ends, so how long it lasts is not known",
        )  # fmt: skip
    return Stay(Verdict.LIMITED, 0, "")


def _longest(found: Sequence[Interval]) -> int:
    return max((each.end_us - each.start_us for each in found), default=0)


def _is_open(found: Sequence[Interval], span: Span, low_us: int, high_us: int) -> bool:
    """Tell whether a component may reach the first or last instant that both plans are there.

    On a's clock b is there from its start plus the shift (a's time minus b's) on.
    """
    start_us = max(span.a_start_us, span.b_start_us + high_us)
    end_us = min(span.a_end_us, span.b_end_us + low_us)
    return any(each.start_us <= start_us + 1 or each.end_us >= end_us - 1 for each in found)
