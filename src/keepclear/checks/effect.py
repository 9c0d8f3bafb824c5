# SPDX-License-Identifier: Apache-2.0
"""What another version of an agreement does to findings: which appear, disappear, change, stay.

Leaves to others: what is found under each version (`versions`), the words (`reports.effect_text`).
1. Two findings match when the pair of plans is equal and their intervals intersect. Each matches
   at most one: of several clauses first those with equal rules, then those of one id, then those
   that share the most time.
2. For that, a finding's intervals are those of every verdict that is not CLEAR. A worse verdict
   elsewhere hides the milder ones in `Finding.intervals`, and what is hidden has not disappeared.
3. UNDETERMINED stands apart: where either side is, nothing is said to appear or to go.
4. In doubt it is worse: a margin that is known on one side only, or who acts under another clause.
5. The effect of going back is the mirror image: appears and disappears change over.
"""

from collections.abc import Callable, Iterator, Sequence
from enum import StrEnum
from typing import Final

import msgspec

from keepclear.agreement.assess import RANK
from keepclear.agreement.findings import Finding, Interval, Verdict
from keepclear.checks.report import RulesUsed

SAME_M: Final = 0.001
SAME_US: Final = 1_000
WHO_ACTS: Final = "who acts"
Parties = tuple[str, str]


class Kind(StrEnum):
    """What happens to a finding; the order of definition is that of the counts."""

    APPEARS = "APPEARS"
    DISAPPEARS = "DISAPPEARS"
    CHANGES = "CHANGES"
    SAME = "SAME"
    UNDETERMINED = "UNDETERMINED"


class ClauseUsed(msgspec.Struct, frozen=True, kw_only=True):
    """The minima of one clause; id "" for the house rule, which stands in no agreement."""

    id: str
    rules: RulesUsed


class Broken(msgspec.Struct, frozen=True, kw_only=True):
    """What was found for a pair under one clause: its worst verdict."""

    clause: ClauseUsed
    finding: Finding


class Effect(msgspec.Struct, frozen=True, kw_only=True):
    """One finding under both versions; None where it is not found under one.

    changed: what differs, of verdict, interval, leaf, margin and who acts. is_worse: whether
    somebody has to look. besides: where it is found under one version only, what the same pair
    breaks under the other at that time all the same.
    """

    kind: Kind
    before: Broken | None
    after: Broken | None
    changed: tuple[str, ...] = ()
    is_worse: bool = False
    besides: tuple[Broken, ...] = ()

    @property
    def shown(self) -> Broken:
        """The side that there is; the later one where there are both."""
        found = self.after or self.before
        if found is None:
            raise ValueError("an effect has one side at least")
        return found


def effects_of(
    before: Sequence[Broken], after: Sequence[Broken], acts_differ: Callable[[Parties], bool]
) -> tuple[Effect, ...]:
    """Return what becomes of the findings under another version, what is new and worst first.

    acts_differ: whether the two versions say something else of who acts between two parties.
    """
    matched = list(_matched(before, after))
    gone = _without(before, [one for one, _ in matched])
    new = _without(after, [other for _, other in matched])
    effects = [_both(one, other, acts_differ) for one, other in matched]
    effects += [_alone(one, Kind.DISAPPEARS, after) for one in gone]
    effects += [_alone(other, Kind.APPEARS, before) for other in new]
    return tuple(sorted(effects, key=_order))


def counts_of(effects: Sequence[Effect]) -> dict[Kind, int]:
    """Return how many there are of each kind."""
    return {kind: sum(effect.kind is kind for effect in effects) for kind in Kind}


def meet(one: Finding, other: Finding) -> bool:
    """Tell whether two findings are of one pair and their intervals intersect."""
    return one.id == other.id and any(
        a.start_us <= b.end_us + SAME_US and b.start_us <= a.end_us + SAME_US
        for a in _spans(one)
        for b in _spans(other)
    )


def _spans(finding: Finding) -> tuple[Interval, ...]:
    return finding.all_intervals or finding.intervals


def _matched(before: Sequence[Broken], after: Sequence[Broken]) -> Iterator[tuple[Broken, Broken]]:
    """Yield what matches, the closest first; the same pairs whichever version comes first."""
    by_pair: dict[str, list[Broken]] = {}
    for other in after:
        by_pair.setdefault(other.finding.id, []).append(other)
    candidates = [
        (one, other)
        for one in before
        for other in by_pair.get(one.finding.id, ())
        if meet(one.finding, other.finding)
    ]
    taken: set[int] = set()
    for one, other in sorted(candidates, key=lambda pair: _distance(*pair)):
        if taken.isdisjoint({id(one), id(other)}):
            taken |= {id(one), id(other)}
            yield one, other


def _distance(one: Broken, other: Broken) -> tuple[bool, bool, int, list[str]]:
    return (
        one.clause.rules.rules != other.clause.rules.rules,
        one.clause.id != other.clause.id,
        -_shared_us(_spans(one.finding), _spans(other.finding)),
        sorted([one.clause.id, other.clause.id]),
    )


def _without(all_of: Sequence[Broken], taken: Sequence[Broken]) -> list[Broken]:
    left_out = {id(each) for each in taken}
    return [each for each in all_of if id(each) not in left_out]


def _both(one: Broken, other: Broken, acts_differ: Callable[[Parties], bool]) -> Effect:
    old, new = one.finding, other.finding
    is_other = acts_differ(new.parties)
    changed = (*_changes(old, new), *((WHO_ACTS,) if is_other else ()))
    if Verdict.UNDETERMINED in {old.verdict, new.verdict}:
        kind = Kind.UNDETERMINED
    else:
        kind = Kind.CHANGES if changed else Kind.SAME
    is_worse = kind is Kind.UNDETERMINED or is_other or _is_worse(old, new)
    return Effect(kind=kind, before=one, after=other, changed=changed, is_worse=is_worse)


def _alone(found: Broken, kind: Kind, others: Sequence[Broken]) -> Effect:
    if found.finding.verdict is Verdict.UNDETERMINED:
        is_new, kind = kind is Kind.APPEARS, Kind.UNDETERMINED
    else:
        is_new = kind is Kind.APPEARS
    return Effect(
        kind=kind, before=None if is_new else found, after=found if is_new else None,
        is_worse=kind is not Kind.DISAPPEARS,
        besides=tuple(other for other in others if meet(found.finding, other.finding)),
    )  # fmt: skip


def _changes(old: Finding, new: Finding) -> Iterator[str]:
    if old.verdict is not new.verdict:
        yield "verdict"
    if _times_differ(old.intervals, new.intervals) or _times_differ(_spans(old), _spans(new)):
        yield "interval"
    if _leaf(old) != _leaf(new):
        yield "leaf"
    if _differ(old.margin_m, new.margin_m, SAME_M) or _differ(
        old.short_by_s, new.short_by_s, SAME_US / 1e6
    ):
        yield "margin"


def _is_worse(old: Finding, new: Finding) -> bool:
    if RANK[new.verdict] != RANK[old.verdict]:
        grows = False
        if RANK[new.verdict] < RANK[old.verdict]:
            return True
    else:
        grows = _grows(old.intervals, new.intervals)
    return (
        grows
        or _grows(_spans(old), _spans(new))
        or _is_less(new.margin_m, old.margin_m, SAME_M)
        or _is_less(_minus(new.short_by_s), _minus(old.short_by_s), SAME_US / 1e6)
    )


def _leaf(finding: Finding) -> str:
    """Return the leaf without the name of its rule, which a version may change alone."""
    return finding.leaf.partition("/")[2]


def _differ(one: float | None, other: float | None, same: float) -> bool:
    if one is None or other is None:
        return one is not other
    return abs(one - other) > same


def _is_less(one: float | None, other: float | None, same: float) -> bool:
    if one is None or other is None:
        return one is not other
    return one < other - same


def _minus(seconds: float | None) -> float:
    return 0.0 if seconds is None else -seconds


def _times_differ(one: Sequence[Interval], other: Sequence[Interval]) -> bool:
    return len(one) != len(other) or any(
        abs(a.start_us - b.start_us) > SAME_US or abs(a.end_us - b.end_us) > SAME_US
        for a, b in zip(one, other, strict=True)
    )


def _grows(old: Sequence[Interval], new: Sequence[Interval]) -> bool:
    """Tell whether some of the new time lies outside of the old."""
    return any(
        not any(a.start_us <= b.end_us and b.start_us <= a.end_us for b in old)
        or a.end_us - a.start_us - _shared_us([a], old) > SAME_US
        for a in new
    )


def _shared_us(one: Sequence[Interval], other: Sequence[Interval]) -> int:
    return sum(
        max(0, min(a.end_us, b.end_us) - max(a.start_us, b.start_us)) for a in one for b in other
    )


_FIRST: Final = (Kind.APPEARS, Kind.UNDETERMINED, Kind.CHANGES, Kind.DISAPPEARS, Kind.SAME)


def _order(effect: Effect) -> tuple[int, bool, int, int, str, str]:
    finding = effect.shown.finding
    start_us = finding.intervals[0].start_us if finding.intervals else 0
    return (
        _FIRST.index(effect.kind), not effect.is_worse, RANK[finding.verdict], start_us,
        finding.id, effect.shown.clause.id,
    )  # fmt: skip
