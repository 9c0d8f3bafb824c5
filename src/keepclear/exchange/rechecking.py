# SPDX-License-Identifier: Apache-2.0
"""Looking again at everything that an operation comes near, and what follows from it.

1. A pair that breaks a rule that binds it has one conflict, raised once and kept while they are.
2. A conflict of a pair that no longer breaks any is resolved, and says by what; where time alone
   has ended one of the two for the other side (`lapses`) it has expired.
3. *Accepted* is given by itself as soon as no conflict is open in which the operation must act,
   and it must keep out of nowhere (`keep_outs`).
4. One entry holds at most 1,000 of an operation's conflicts, the soonest first; it says how many
   more there are, and *accepted* is not given. It is looked at again, between acts,
   when one that was told is settled or agreed: others are told as there is room.
5. The verdict is on the exact shapes. The numbers are computed from those that both sides are
   shown; the exact ones lie within them, so a conflict of the exact is one of the shown. Where
   the shown give none, none are told.
6. LIMITED is told to both and is no conflict (`limited`); of what is over it is not told.
7. Where an operation is back in its plan, and a pair breaks no other rule than before, what was
   acknowledged, proposed or agreed of it stays: it was of more.
"""

from collections.abc import Collection, Iterable, Mapping
from typing import Final

from msgspec.structs import replace

from keepclear.agreement.assess import Assessment
from keepclear.agreement.binding import Minima
from keepclear.agreement.claims import COUNTS, Claim, judge
from keepclear.detect.kernel import KERNEL
from keepclear.errors import InputError
from keepclear.exchange.bindings import Between
from keepclear.exchange.deciding import Deciding
from keepclear.exchange.disclosure import has_numbers, shown_claim
from keepclear.exchange.events import MoreFound, OperationMoved
from keepclear.exchange.judging import Found, broken_with, soonest
from keepclear.exchange.keep_outs import look
from keepclear.exchange.lapses import as_stood, is_kept, is_there, lapses_of
from keepclear.exchange.limited import tell_limited
from keepclear.plans.conflicts import (
    GONE_ON,
    Broken,
    Conflict,
    Event,
    Numbers,
    State,
    WithoutUncertainty,
    move,
    open_for,
    who_acts,
)
from keepclear.plans.operations import Event as OperationEvent
from keepclear.plans.operations import Operation, as_compared, claim_of
from keepclear.plans.operations import State as OperationState
from keepclear.plans.operations import move as move_operation

MOST_FINDINGS: Final = 1_000
TIME_HAS_PASSED: Final = "is over: its time has passed"
HAS_ENDED: Final = "has ended"
WAS_CANCELLED: Final = "was cancelled"
ENDINGS: Final = (TIME_HAS_PASSED, HAS_ENDED, WAS_CANCELLED)


def recheck(
    deciding: Deciding, operation: Operation, why: str | Mapping[str, str], *,
    is_back: bool = False,
) -> None:  # fmt: skip
    """Raise, change and resolve the conflicts of an operation as it stands now.

    why: what closes a conflict that is no more; or that by party, where it is not for everybody:
    others are told of a pair only where it comes out otherwise, and not why. is_back: it is in its
    plan again, and takes up no more than it did.
    """
    world = deciding.world
    look(deciding, operation)
    before = {
        each.other(operation.id): each
        for each in world.conflicts_of(operation.id)
        if each.state in GONE_ON
    }
    near_it = _near_it(deciding, operation, before)
    found = broken_with(deciding, operation, [world.operations[each] for each in near_it])
    broken = {other_id: breaches for other_id, breaches in found.items() if breaches}
    told, more = _soonest(deciding, broken, before)
    # by id: the order of their starts would show in the order of what is told
    for other_id in sorted(told | before.keys()):
        other = world.operations[other_id]
        said = why if isinstance(why, str) else why.get(other.party)
        _settle(
            deciding, as_stood(world, operation), as_stood(world, other), before.get(other_id),
            broken.get(other_id, ()), "rules have changed" if said is None else said,
            is_always_told=said is not None, is_back=is_back,
        )  # fmt: skip
    tell_limited(deciding, operation, [
        other_id for other_id in sorted(found.keys() - broken.keys())
        if operation.is_protecting and world.operations[other_id].is_protecting
        and (isinstance(why, str) or world.operations[other_id].party in why)
    ])  # fmt: skip
    if more or operation.id in world.more:
        deciding.emit([operation.party], MoreFound(id=operation.id, more=more))
    _go_on(deciding, operation, told | before.keys())


def expire(deciding: Deciding, operation: Operation) -> None:
    """Let those conflicts of an operation expire of which time has ended one side for the other.

    Nothing else of it is looked at, and nobody is told of a conflict that goes on: that would tell
    the other side when it has ended.
    """
    world = deciding.world
    look(deciding, operation)
    over: dict[str, tuple[Conflict, Operation]] = {}
    for conflict in world.conflicts_of(operation.id):
        other = world.operations[conflict.other(operation.id)]
        gone = _gone(deciding, operation, other) if conflict.state in GONE_ON else []
        if gone:
            over[other.id] = conflict, gone[0]
    for _, (conflict, gone_first) in sorted(over.items()):
        why = over_text(gone_first.id, gone_first.party, TIME_HAS_PASSED)
        state = move(conflict.state, Event.EXPIRE)
        deciding.change(replace(conflict, state=state, closed_by=why, proposal=None))
    if operation.id in world.more:
        deciding.emit([operation.party], MoreFound(id=operation.id, more=0))
    _go_on(deciding, operation, over)


def _near_it(deciding: Deciding, operation: Operation, before: Iterable[str]) -> list[str]:
    """Keep an operation as it is compared, and return the ids of those it may break a rule with.

    before: those it is in conflict with so far. What is over by its time stays in these until it
    is over for the other side, and comes into no other.
    """
    world, near = deciding.world, deciding.near
    there = {each for each in before if not _gone(deciding, operation, world.operations[each])}
    if not (operation.is_protecting or there):
        return []
    near.put(operation.status, claim_of(as_stood(world, operation)))
    return [
        each for each in near.near(operation.id)
        if each in there or (operation.is_protecting and world.operations[each].is_protecting)
    ]  # fmt: skip


def _gone(deciding: Deciding, one: Operation, other: Operation) -> list[Operation]:
    """Return which of two operations in conflict are over for the other side, by their ids."""
    between = deciding.between(one.party, other.party)
    return [
        own for own, its in sorted(((one, other), (other, one)), key=lambda each: each[0].id)
        if not is_there(deciding.world, own, its, between, deciding.now_us)
    ]  # fmt: skip


def _go_on(deciding: Deciding, operation: Operation, others: Iterable[str]) -> None:
    """See to what follows for an operation and others, once all of their conflicts are known."""
    world = deciding.world
    deciding.due += lapses_of(world, operation, deciding.between)
    for each in (operation.id, *sorted(others)):
        if not is_kept(world, world.operations[each]):
            deciding.near.drop(each)
        accept(deciding, each)


def _soonest(
    deciding: Deciding, broken: Collection[str], before: Mapping[str, Conflict]
) -> tuple[set[str], int]:
    """Return which broken pairs are told, by the other's id, the soonest first, and how many not.

    before: the conflicts that it was in already, which are told of whatever their number. One that
    both sides have agreed to leave takes no room from others: there are as few as people sign.
    """
    new = [each for each in broken if each not in before]
    is_open = [each for each in broken if each in before and before[each].is_open]
    room = max(MOST_FINDINGS - len(is_open), 0)
    if len(new) > room:
        new = soonest(deciding, new)
    return {*new[:room], *(each for each in broken if each in before)}, max(len(new) - room, 0)


def accept(deciding: Deciding, operation_id: str) -> None:
    """Give *accepted* to an operation that is filed and has nothing to act upon."""
    operation = deciding.world.operations[operation_id]
    if operation.state is not OperationState.FILED:
        return
    if operation_id in deciding.world.more or operation_id in deciding.world.rechecking:
        return
    if operation_id in deciding.world.keep_outs:
        return
    if open_for(deciding.world.conflicts_of(operation_id), operation_id):
        return
    state = move_operation(operation.state, OperationEvent.ACCEPT)
    deciding.emit([operation.party], OperationMoved(id=operation_id, state=state))


def _settle(
    deciding: Deciding, operation: Operation, other: Operation, before: Conflict | None,
    broken: tuple[Found, ...], why: str, *, is_always_told: bool, is_back: bool,
) -> None:  # fmt: skip
    """Bring the conflict of one pair to what was found of it."""
    between = deciding.between(operation.party, other.party)
    if not broken:
        if before is not None:
            state = move(before.state, Event.RESOLVE)
            deciding.change(replace(before, state=state, closed_by=why, proposal=None))
        return
    places = deciding.world.places
    a, b = (operation, other) if operation.id < other.id else (other, operation)
    earlier, later = (a, b) if places[a.id] < places[b.id] else (b, a)
    acting, clause = who_acts(earlier, later, between.who_acts)
    what = tuple([told_of(deciding, a, b, each, between) for each in broken])
    if before is None:
        deciding.change(Conflict(
            id=deciding.ids.id(), a=a.id, b=b.id, parties=(a.party, b.party), state=State.RAISED,
            raised_us=deciding.now_us, must_act=acting, clause=clause, broken=what,
        ))  # fmt: skip
        return
    if not is_always_told and (acting, clause, what) == (
        before.must_act, before.clause, before.broken
    ):  # fmt: skip
        return
    if is_back and _is_no_more(before, acting, clause, what):
        made = replace(before, broken=what)
        deciding.change(made, note=note_of_activation(made, operation.id, why))
        return
    state = move(before.state, Event.CHANGE)
    deciding.change(
        replace(
            before,
            state=state,
            must_act=acting,
            clause=clause,
            broken=what,
            agreed=(),
            acknowledged=(),
            proposal=None,
        ),
        note=f"changed: {why}",
    )


def _is_no_more(
    before: Conflict, acting: tuple[str, ...], clause: str, what: tuple[Broken, ...]
) -> bool:  # fmt: skip
    """Tell whether a pair breaks no other rule than before, and the same must act."""
    one, other = ({(each.agreement, each.clause) for each in of} for of in (what, before.broken))
    return (acting, clause) == (before.must_act, before.clause) and one <= other


def over_text(operation_id: str, party: str, why: str) -> str:
    """Return what closes a conflict of which one operation is over. why: one of `ENDINGS`."""
    return f"operation {operation_id[:8]} of {party} {why}"


def note_of_activation(conflict: Conflict, operation_id: str, said: str) -> str:
    """Return what both sides of a conflict are told of one of its operations being activated."""
    return f"URGENT: {said}, and must act" if open_for([conflict], operation_id) else said


def told_of(
    deciding: Deciding, a: Operation, b: Operation, breach: Found, between: Between
) -> Broken:
    """Return what both sides are told of a breach: with numbers, where enough is shown.

    Where what is shown gives none there are none: those of the exact shapes would be more.
    """
    shown = between.grants.of(a), between.grants.of(b)
    nothing = Broken(
        agreement=breach.agreement, clause=breach.clause, kernel=KERNEL, numbers=None
    )  # fmt: skip
    if not (has_numbers(shown[0]) and has_numbers(shown[1])):
        return nothing
    minima = next(
        each for each in deciding.minima(a, b)
        if (each.agreement, each.clause) == (breach.agreement, breach.clause)
    )  # fmt: skip
    if all(each.is_everything for each in shown):
        found, without = breach.found, _without_uncertainty(deciding, a, b, minima)
    else:
        found, without = _found_as_shown(deciding, a, b, minima, between), None
    if found is None or found.verdict not in COUNTS:
        return nothing
    return replace(nothing, numbers=numbers_of(found, without))


def numbers_of(found: Assessment, without: WithoutUncertainty | None) -> Numbers:
    """Return what was found of a pair in numbers. without: what it may be off by."""
    return Numbers(
        verdict=found.verdict, rule=found.rule, leaf=found.leaf,
        from_us=found.intervals[0].start_us, to_us=found.intervals[-1].end_us,
        closest_us=found.cpa.time_us, latitude_deg=found.cpa.latitude_deg,
        longitude_deg=found.cpa.longitude_deg, lateral_m=found.cpa.lateral_m,
        vertical_m=found.cpa.vertical_m, short_by_m=found.short_by_m,
        short_by_s=found.short_by_s, without_uncertainty=without,
    )  # fmt: skip


def _without_uncertainty(
    deciding: Deciding, a: Operation, b: Operation, minima: Minima
) -> WithoutUncertainty | None:
    """Return what two operations that are shown whole amount to, were neither off by anything."""
    if not any(each.uncertainty.is_any for each in (a, b)):
        return None
    one, other = (deciding.near.compile(_exact(claim_of(each))) for each in (a, b))
    found = judge(deciding.functions, one, other, minima.rules)
    if found is None or found.verdict not in COUNTS:
        return WithoutUncertainty(is_broken=False)
    return WithoutUncertainty(is_broken=True, short_by_m=found.short_by_m)


def _exact(claim: Claim) -> Claim:
    return replace(claim, lateral_tmm=0, vertical_tmm=0, early_us=0, late_us=0)


def _found_as_shown(
    deciding: Deciding, a: Operation, b: Operation, minima: Minima, between: Between
) -> Assessment | None:
    """Return what two operations amount to as they are shown; None where that has no answer."""
    try:
        bound = between.bound(a, b)
        one, other = (
            deciding.near.compile(shown_claim(as_compared(each, bound), between.grants))
            for each in (a, b)
        )
    except InputError:  # a box that is too large to be computed; the conflict is told all the same
        return None
    return judge(deciding.functions, one, other, minima.rules)
