# SPDX-License-Identifier: Apache-2.0
"""Looking again at everything that an operation comes near, and what follows from it.

1. A pair that breaks a rule that binds it has one conflict, raised once and kept while they are.
2. A conflict of a pair that no longer breaks any is resolved, and says by what.
3. *Accepted* is given by itself as soon as no conflict is open in which the operation must act.
4. One entry holds at most 1,000 of an operation's conflicts, the soonest first; it says how many
   more there are, and *accepted* is not given.
5. The verdict is on the exact shapes. The numbers are computed from those that both sides are
   shown; the exact ones lie within them, so a conflict of the exact is one of the shown. Where
   the shown give none, none are told.
"""

from collections.abc import Container
from typing import Final

from msgspec.structs import replace

from keepclear.agreement.assess import Assessment
from keepclear.agreement.binding import Minima
from keepclear.agreement.claims import COUNTS, Breach, breaches, judge
from keepclear.detect.kernel import KERNEL
from keepclear.errors import InputError
from keepclear.exchange.deciding import Between, Deciding
from keepclear.exchange.disclosure import has_numbers, shown_claim
from keepclear.exchange.events import MoreFound, OperationMoved
from keepclear.exchange.lapses import as_stood, is_there
from keepclear.plans.conflicts import (
    GONE_ON,
    Broken,
    Conflict,
    Event,
    Numbers,
    State,
    move,
    open_for,
    who_acts,
)
from keepclear.plans.operations import Event as OperationEvent
from keepclear.plans.operations import Operation, as_compared, claim_of
from keepclear.plans.operations import State as OperationState
from keepclear.plans.operations import move as move_operation

MOST_FINDINGS: Final = 1_000


def recheck(
    deciding: Deciding, operation: Operation, why: str, among: Container[str] | None = None,
    *, has_lapsed: bool = False,
) -> None:  # fmt: skip
    """Raise, change and resolve the conflicts of an operation as it stands now.

    why: what closes a conflict that is no more. among: for whom that is; others are told of a
    pair only where it comes out otherwise, and not why. None for everybody. has_lapsed: by time
    alone, and nobody is told of a pair that goes on.
    """
    world, near = deciding.world, deciding.near
    before = {
        each.other(operation.id): each
        for each in world.conflicts_of(operation.id)
        if each.state in GONE_ON
    }
    found: set[str] = set()
    there = {each for each in before if _are_there(deciding, operation, world.operations[each])}
    if operation.is_protecting or there:
        near.put(operation.status, claim_of(as_stood(world, operation)))
        found = {
            each for each in near.near(operation.id)
            if each in there
            or (operation.is_protecting and world.operations[each].is_protecting)
        }  # fmt: skip
    else:
        near.drop(operation.id)
    looked_at: list[tuple[str, tuple[Breach, ...]]] = []
    told = more = 0
    for other_id in sorted(found | before.keys(), key=lambda each: _soonest(deciding, each)):
        other = world.operations[other_id]
        between = deciding.between(operation.party, other.party)
        broken: tuple[Breach, ...] = ()
        if other_id in found:
            one, two = (near.compiled(each, between.probing) for each in (operation.id, other_id))
            minima = deciding.minima(operation, other)
            broken = breaches(deciding.functions, one, two, minima)
        told += bool(broken)
        if broken and told > MOST_FINDINGS and other_id not in before:
            more += 1
            continue
        looked_at.append((other_id, broken))
    # by id: the order of their starts would show in the order of what is told
    for other_id, broken in sorted(looked_at):
        other = world.operations[other_id]
        is_told_why = among is None or other.party in among
        _settle(
            deciding, as_stood(world, operation), as_stood(world, other), before.get(other_id),
            broken, why if is_told_why else "rules have changed",
            is_always_told=is_told_why and not has_lapsed,
        )  # fmt: skip
    if more or operation.id in world.more:
        deciding.emit([operation.party], MoreFound(id=operation.id, more=more))
    # only now: what is to come of other pairs is known
    for each in (operation.id, *sorted(found | before.keys())):
        accept(deciding, each)


def _are_there(deciding: Deciding, one: Operation, other: Operation) -> bool:
    """Tell whether two operations in conflict both protect, or are both not over for the other."""
    between = deciding.between(one.party, other.party)
    return all(
        is_there(deciding.world, each, between.grants, between.probing, deciding.now_us)
        for each in (one, other)
    )


def _soonest(deciding: Deciding, operation_id: str) -> tuple[int, int]:
    world = deciding.world
    return world.operations[operation_id].start_us, world.places[operation_id]


def accept(deciding: Deciding, operation_id: str) -> None:
    """Give *accepted* to an operation that is filed and has nothing to act upon."""
    operation = deciding.world.operations[operation_id]
    if operation.state is not OperationState.FILED:
        return
    if operation_id in deciding.world.more or operation_id in deciding.world.rechecking:
        return
    if open_for(deciding.world.conflicts_of(operation_id), operation_id):
        return
    state = move_operation(operation.state, OperationEvent.ACCEPT)
    deciding.emit([operation.party], OperationMoved(id=operation_id, state=state))


def _settle(
    deciding: Deciding, operation: Operation, other: Operation, before: Conflict | None,
    broken: tuple[Breach, ...], why: str, *, is_always_told: bool,
) -> None:  # fmt: skip
    """Bring the conflict of one pair to what was found of it."""
    between = deciding.between(operation.party, other.party)
    if not broken:
        if before is not None:
            state = move(before.state, Event.RESOLVE)
            deciding.change(replace(before, state=state, closed_by=why, proposal=None))
        return
    a, b = sorted((operation, other), key=lambda each: each.id)
    places = deciding.world.places
    earlier, later = sorted((a, b), key=lambda each: places[each.id])
    acting, clause = who_acts(earlier, later, between.who_acts)
    what = tuple(told_of(deciding, a, b, each, between) for each in broken)
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


def told_of(
    deciding: Deciding, a: Operation, b: Operation, breach: Breach, between: Between
) -> Broken:
    """Return what both sides are told of a breach: with numbers, where enough is shown.

    Where what is shown gives none there are none: those of the exact shapes would be more.
    """
    grants = between.grants
    found = None
    if grants.is_everything:
        found = breach.found
    elif has_numbers(grants):
        minima = next(
            each for each in deciding.minima(a, b)
            if (each.agreement, each.clause) == (breach.agreement, breach.clause)
        )  # fmt: skip
        found = _found_as_shown(deciding, a, b, minima, between)
    if found is None or found.verdict not in COUNTS:
        return Broken(agreement=breach.agreement, clause=breach.clause, kernel=KERNEL, numbers=None)
    numbers = Numbers(
        verdict=found.verdict, rule=found.rule, leaf=found.leaf,
        from_us=found.intervals[0].start_us, to_us=found.intervals[-1].end_us,
        closest_us=found.cpa.time_us, latitude_deg=found.cpa.latitude_deg,
        longitude_deg=found.cpa.longitude_deg, lateral_m=found.cpa.lateral_m,
        vertical_m=found.cpa.vertical_m, short_by_m=found.short_by_m,
    )  # fmt: skip
    return Broken(agreement=breach.agreement, clause=breach.clause, kernel=KERNEL, numbers=numbers)


def _found_as_shown(
    deciding: Deciding, a: Operation, b: Operation, minima: Minima, between: Between
) -> Assessment | None:
    """Return what two operations amount to as they are shown; None where that has no answer."""
    try:
        one, other = (
            deciding.near.compile(shown_claim(as_compared(each, between.probing), between.grants))
            for each in (a, b)
        )
    except InputError:  # a box that is too large to be computed; the conflict is told all the same
        return None
    return judge(deciding.functions, one, other, minima.rules)
