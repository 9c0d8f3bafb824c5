# SPDX-License-Identifier: Apache-2.0
"""How long a pair stays inside: duration leaves.

For each allowed shift apart, the instants inside form components; components less than the
leaf's `reset` apart are one, and so are those with a gap in the data between them. The leaf
holds if, for every shift, no component is longer than its limit; equal holds.
1. Longer: CONFLICT. Not longer, but open at a plan's first or last instant: UNDETERMINED.
   Else LIMITED: a duration leaf never makes a pair CLEAR.
2. What is within the guard band, or cannot be compared, counts as inside. Where a leaf is broken
   only if what cannot be compared is inside, the verdict is UNDETERMINED.
3. All shifts are looked at by halving: a range of shifts is done with when the union of its
   insides is short enough on either clock; it breaks the leaf when one shift in it does. Where
   halving comes to its end undecided, the leaf counts as broken, and an inside as open.
4. Both clocks are asked, because a stay that only one plan bounds stands still on that plan's
   clock, and its union over many shifts is no longer than it is.

Leaves to others: where a pair is inside (`insides`, `checks`).
"""

from collections.abc import Callable, Sequence
from heapq import heappop, heappush
from typing import Final, NamedTuple

from keepclear.agreement.findings import Interval, Verdict

NARROWEST_US: Final = 1_000
MOST_LOOKS: Final = 4_000
LOOKS_FOR_WORST: Final = 64
"""So often is looked for a shift that breaks the leaf by more, once one is known to break it."""

Range = tuple[int, int]


class Stay(NamedTuple):
    """What a duration leaf says of a pair: verdict, and microseconds over its limit (or 0).

    over_us: by how much the worst of the shifts that were looked at breaks it.
    """

    verdict: Verdict
    over_us: int
    reason: str


class Clock(NamedTuple):
    """First and last instant of a plan on its own clock, and how far it may run early or late."""

    start_us: int
    end_us: int
    early_us: int
    late_us: int


class Inside(NamedTuple):
    """The instants inside at any shift of a range, on each plan's own clock."""

    on_a: Sequence[Interval]
    on_b: Sequence[Interval]


Look = Callable[[int, int], Inside]
"""From a least and a greatest shift (a's time less b's) to where the pair is inside."""


class Asked(NamedTuple):
    """A pair under a duration leaf: where it is inside, and what is not known of either plan.

    gaps_a, gaps_b: gaps in the data, each on its plan's own clock.
    """

    look: Look
    a: Clock
    b: Clock
    gaps_a: Sequence[Interval]
    gaps_b: Sequence[Interval]
    limit_us: int
    reset_us: int

    def on_both(self, low_us: int, high_us: int) -> tuple[list[Interval], list[Interval]]:
        """Return the components at the shifts of a range, on a's clock and on b's."""
        inside = self.look(low_us, high_us)
        gaps_on_a = [*self.gaps_a, *_moved(self.gaps_b, low_us, high_us)]
        gaps_on_b = [*_moved(self.gaps_a, -high_us, -low_us), *self.gaps_b]
        return (
            components(inside.on_a, gaps_on_a, self.reset_us),
            components(inside.on_b, gaps_on_b, self.reset_us),
        )

    def most_over_us(self, low_us: int, high_us: int) -> int:
        """Return what no shift of a range is longer than the limit by; at one shift, the most."""
        return min(map(_longest, self.on_both(low_us, high_us))) - self.limit_us


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


def shifts_between(a: Clock, b: Clock, time_us: int) -> Range:
    """Return the least and the greatest shift that is compared; time_us: of a `time` leaf."""
    return -(a.late_us + b.early_us) - time_us, a.early_us + b.late_us + time_us


def judge_stay(asked: Asked, known: Look | None, shifts_us: Range) -> Stay:
    """Return what a duration leaf says of a pair that may be apart by the shifts of a range.

    known: where the pair is inside with heights that can be compared; None where all can.
    """
    over_us, ranges = _longest_stay(asked, shifts_us)
    if over_us is not None:
        sure_us: int | None = over_us
        if known is not None:
            sure_us, _ = _longest_stay(asked._replace(look=known), shifts_us)
        if sure_us is None:
            return Stay(Verdict.UNDETERMINED, 0, "the heights cannot be compared")
        return Stay(Verdict.CONFLICT, over_us, "")
    if _may_be_open(asked, ranges):
        return Stay(
            Verdict.UNDETERMINED, 0,
            "inside when a plan begins or ends, so how long it lasts is not known",
        )  # fmt: skip
    return Stay(Verdict.LIMITED, 0, "")


def _longest_stay(asked: Asked, shifts_us: Range) -> tuple[int | None, list[Range]]:
    """Return by how much the leaf is broken (0: undecided), or None and the ranges it holds in.

    The range that may break it by most is halved first.
    """
    low_us, high_us = shifts_us
    heap = [(-asked.most_over_us(low_us, high_us), low_us, high_us)]
    if heap[0][0] >= 0:
        return None, [shifts_us]
    worst_us = max(asked.most_over_us(shift_us, shift_us) for shift_us in {low_us, high_us})
    for look in range(MOST_LOOKS):
        may_us, low_us, high_us = -heap[0][0], *heap[0][1:]
        is_broken = worst_us > 0
        if may_us <= 0 or high_us - low_us <= NARROWEST_US:
            break
        if is_broken and (look >= LOOKS_FOR_WORST or may_us - worst_us <= NARROWEST_US):
            break
        heappop(heap)
        middle_us = (low_us + high_us) // 2
        worst_us = max(worst_us, asked.most_over_us(middle_us, middle_us))
        for part in ((low_us, middle_us), (middle_us, high_us)):
            heappush(heap, (-asked.most_over_us(*part), *part))
    if worst_us > 0 or heap[0][0] < 0:
        return max(worst_us, 0), []
    return None, [(low_us, high_us) for _, low_us, high_us in heap]


def _may_be_open(asked: Asked, ranges: list[Range]) -> bool:
    """Tell whether a component is, or may be, open at some shift of the ranges."""
    for _ in range(MOST_LOOKS):
        if not ranges:
            return False
        low_us, high_us = ranges.pop()
        if not _can_be_open(asked, low_us, high_us):
            continue
        middle_us = (low_us + high_us) // 2
        if high_us - low_us <= NARROWEST_US or _can_be_open(asked, middle_us, middle_us):
            return True
        ranges += [(low_us, middle_us), (middle_us, high_us)]
    return True


def _can_be_open(asked: Asked, low_us: int, high_us: int) -> bool:
    """Tell whether a component may reach the first or last instant that both plans are there.

    On a's clock b is there from its start plus the shift on, on b's a from its start less it.
    At one shift it does what it may.
    """
    on_a, on_b = asked.on_both(low_us, high_us)
    a, b = asked.a, asked.b
    return _reaches(
        on_a, max(a.start_us, b.start_us + high_us), min(a.end_us, b.end_us + low_us)
    ) and _reaches(on_b, max(a.start_us - low_us, b.start_us), min(a.end_us - high_us, b.end_us))


def _reaches(found: Sequence[Interval], start_us: int, end_us: int) -> bool:
    return any(each.start_us <= start_us + 1 or each.end_us >= end_us - 1 for each in found)


def _longest(found: Sequence[Interval]) -> int:
    return max((each.end_us - each.start_us for each in found), default=0)


def _moved(gaps: Sequence[Interval], low_us: int, high_us: int) -> list[Interval]:
    return [
        Interval(start_us=gap.start_us + low_us, end_us=gap.end_us + high_us) for gap in gaps
    ]  # fmt: skip
