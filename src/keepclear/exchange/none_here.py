# SPDX-License-Identifier: Apache-2.0
"""What acts on none-here statements do, and looking whether own operations contradict them.

1. A statement comes from an act and from nowhere else: no event here makes one.
2. What contradicts it goes to its own party at once, in the same entry, whichever came first:
   the statement or the operation.
3. Others learn of that only if every agreement that binds the two says so, or in an incident
   case that the statement is part of, as long as that is not closed.
   As everywhere, *accepted* is shown as *filed*.
4. Own operations alone are looked at: a statement learns nothing of another party's.
"""

from collections.abc import Iterable, Sequence
from typing import Final

from msgspec.structs import replace

from keepclear.agreement.binding import binding
from keepclear.agreement.clauses import IncidentRule, ShowContradictions
from keepclear.detect.kernel import Functions
from keepclear.errors import InputError
from keepclear.exchange.bindings import held_of
from keepclear.exchange.deciding import Deciding, area_caps
from keepclear.exchange.disclosure import state_shown
from keepclear.exchange.events import (
    ContradictionsShown,
    NoneHereContradicted,
    NoneHereStated,
    NoneHereWithdrawn,
    OperationFiled,
    OperationMoved,
)
from keepclear.exchange.objects import Contradictions
from keepclear.exchange.operations import Refused
from keepclear.plans.incidents import Incident
from keepclear.plans.incidents import State as CaseState
from keepclear.plans.none_here import (
    TEXT,
    Contradiction,
    NoneHere,
    StateNoneHere,
    WithdrawNoneHere,
    contradiction,
    stated_volume,
    takes_km2h,
)
from keepclear.plans.operations import OUT_OF_PLAN, Operation
from keepclear.record.headers import Act
from keepclear.units import format_time

DAY_US: Final = 24 * 3_600_000_000


def state(deciding: Deciding, act: Act, payload: StateNoneHere) -> None:
    """Take a statement, give it to those it is for, and look for what contradicts it."""
    to = tuple(sorted(set(payload.to)))
    for party in to:
        if party == act.party or party not in deciding.parties:
            raise InputError("to", party, "is no other party of this region", "see who has joined")
    volume = stated_volume(payload, act.created_us, deciding.now_us)
    takes = takes_km2h(volume)
    _check_caps(deciding, act.party, takes)
    made = NoneHere(
        id=deciding.ids.id(), party=act.party, status=act.status, to=to, text=TEXT,
        volume=volume, stated_us=deciding.now_us, takes_km2h=takes,
    )  # fmt: skip
    deciding.seen_by = to
    deciding.emit(made.parties, NoneHereStated(statement=made))
    world = deciding.world
    _find(deciding, made, [*world.earlier.values(), *world.operations.values()])


def withdraw(deciding: Deciding, act: Act, payload: WithdrawNoneHere) -> None:
    """Withdraw a statement; those it was given to are told at once."""
    old = deciding.world.none_here.get(payload.id)
    if old is None or (old.party, old.status) != (act.party, act.status):
        raise InputError(
            "none-here", payload.id, f"is no statement of {act.party}", "see your own statements"
        )
    if old.withdrawn_us is not None:
        raise Refused(
            f"none-here {old.id[:8]}: was withdrawn at {format_time(old.withdrawn_us)[:19]}Z; "
            "there is nothing more to withdraw"
        )
    if old.volume.end_us <= deciding.now_us:
        raise Refused(
            f"none-here {old.id[:8]}: was over at {format_time(old.volume.end_us)[:19]}Z; say what "
            "was otherwise in a line of an incident case"
        )
    deciding.seen_by = old.to
    deciding.emit(
        old.parties, NoneHereWithdrawn(id=old.id, at_us=deciding.now_us, why=payload.why)
    )  # fmt: skip


def look_again(deciding: Deciding) -> None:
    """Look whether what was filed or has gone out of plan contradicts what its party has stated."""
    world = deciding.world
    for _, _, event in list(deciding.parts):
        match event:
            case OperationFiled(operation=operation):
                pass
            case OperationMoved(id=operation_id) if event.state in OUT_OF_PLAN:
                operation = world.operations[operation_id]
            case _:
                continue
        for statement_id in world.stated.get(operation.party, ()):
            _find(deciding, world.none_here[statement_id], [operation])


def show(deciding: Deciding, statement: NoneHere, incident: Incident) -> None:
    """Show the parties of a case what contradicts a statement that has become part of it."""
    found = deciding.world.contradictions.get(statement.id, Contradictions()).found
    if found:
        _show(deciding, incident.parties, statement, found, f"incident {incident.id}")


def _find(deciding: Deciding, statement: NoneHere, operations: Iterable[Operation]) -> None:
    """Tell of those operations of a statement's party that contradict it, each version once."""
    known = deciding.world.contradictions.get(statement.id, Contradictions()).found
    found = contradicting(deciding.functions, statement, operations, known)
    if found:
        _tell(deciding, statement, found)


def contradicting(
    functions: Functions, statement: NoneHere, operations: Iterable[Operation],
    known: Iterable[Contradiction],
) -> tuple[Contradiction, ...]:  # fmt: skip
    """Return how own operations contradict a statement, in order, but for versions known to."""
    told = {(each.operation, each.version) for each in known}
    found: list[Contradiction] = []
    for operation in operations:
        if operation.party != statement.party or (operation.id, operation.version) in told:
            continue
        meets = contradiction(functions, statement, operation)
        if meets is not None:
            told.add((operation.id, operation.version))
            found.append(meets)
    return tuple(sorted(found, key=lambda each: (each.filed_us, each.operation, each.version)))


def _tell(deciding: Deciding, statement: NoneHere, found: tuple[Contradiction, ...]) -> None:
    deciding.emit([statement.party], NoneHereContradicted(id=statement.id, found=found))
    for other, by in shown_to(deciding, statement).items():
        _show(deciding, (statement.party, other), statement, found, by)


def _show(
    deciding: Deciding, parties: Sequence[str], statement: NoneHere,
    found: Sequence[Contradiction], by: str,
) -> None:  # fmt: skip
    """Show what contradicts a statement. by: clause or case."""
    deciding.emit(parties, ContradictionsShown(
        id=statement.id, found=tuple(map(as_shown, found)), by=by
    ))  # fmt: skip


def as_shown(found: Contradiction) -> Contradiction:
    """Return what contradicts a statement as others see it: *accepted* as *filed*."""
    return replace(found, state=state_shown(found.state))


def shown_to(deciding: Deciding, statement: NoneHere) -> dict[str, str]:
    """Return who of those who know a statement is shown what contradicts it, and by what."""
    shown = {
        incident.other(statement.party): f"incident {incident.id}"
        for incident in deciding.world.incidents.values()
        if statement.id in incident.none_here and incident.state is not CaseState.CLOSED
    }
    for other in statement.to:
        rules = incident_rules(deciding, statement.party, other)
        if rules and all(
            rule is not None and rule.contradictions is ShowContradictions.AT_ONCE
            for _, rule in rules
        ):
            shown[other] = ", ".join(clause for clause, _ in rules)
    return dict(sorted(shown.items()))


def incident_rules(
    deciding: Deciding, party: str, other: str
) -> Sequence[tuple[str, IncidentRule | None]]:
    """Return what each agreement that binds two parties says of incidents, None for nothing.

    With each its clause in words.
    """
    found: list[tuple[str, IncidentRule | None]] = []
    for held in binding(held_of(deciding.world), party, other):
        rules = [
            (f"clause {clause.id} of {held.standing.hash[:16]}", clause.decides)
            for clause in held.standing.clauses
            if isinstance(clause.decides, IncidentRule)
        ]
        found += rules or [("", None)]
    return found


def _check_caps(deciding: Deciding, party: str, takes: int) -> None:
    """Refuse a statement of more area and time than was agreed, alone or in a day."""
    world = deciding.world
    since_us = deciding.now_us - DAY_US
    taken = sum(
        world.none_here[each].takes_km2h
        for each in world.stated.get(party, ())
        if world.none_here[each].stated_us > since_us
    )
    for says, one, day in area_caps(world, party):
        if takes > one:
            raise Refused(
                f"none-here of {takes:,} km2h: above {one:,} km2h, which {says} allows one "
                "statement; state it of less, or for less long"
            )
        if taken + takes > day:
            raise Refused(
                f"none-here of {takes:,} km2h, with {taken:,} stated within a day: above {day:,} "
                f"km2h, which {says} allows one party in a day; state it later, or of less"
            )
