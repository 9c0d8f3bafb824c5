# SPDX-License-Identifier: Apache-2.0
"""What acts on operations do: filed, changed, activated, airborne, contingent, over.

Rules are those of `plans.operations`; here they are asked, and everything an operation comes
near is looked at again.
"""

from collections.abc import Collection, Iterable
from typing import Final, NamedTuple

from msgspec.structs import replace

from keepclear.agreement.clauses import Caps, LeadTime, OnConflict, ProbingBound, TimeTolerance
from keepclear.agreement.probing import DEFAULT, widest
from keepclear.agreement.quantities import duration_text
from keepclear.airspace.volumes import Volume4D
from keepclear.errors import CallerError, InputError
from keepclear.exchange.deciding import Deciding, clauses_of
from keepclear.exchange.events import FilingsCounted, OperationFiled, OperationMoved
from keepclear.exchange.objects import Filer, KeepOuts
from keepclear.exchange.rechecking import (
    HAS_ENDED,
    TIME_HAS_PASSED,
    WAS_CANCELLED,
    expire,
    note_of_activation,
    over_text,
    recheck,
)
from keepclear.line.stops import Area
from keepclear.plans.acts import (
    ActivateOperation,
    CancelOperation,
    EndOperation,
    FileOperation,
    MakeContingent,
    MarkAirborne,
    UpdateOperation,
)
from keepclear.plans.caps import Excess, area_hours_km2h, excesses
from keepclear.plans.conflicts import GONE_ON, Conflict, open_for
from keepclear.plans.filing import (
    FiledOperation,
    Uncertainty,
    uncertainty_of,
    volumes_filed,
    volumes_of,
)
from keepclear.plans.operations import (
    OUT_OF_PLAN,
    Event,
    Operation,
    State,
    as_compared,
    leaves_airborne,
    move,
    only_shrinks,
    protects_until_us,
    with_lateness,
)
from keepclear.plans.understood import understood
from keepclear.record.headers import Act, Status
from keepclear.units import format_time

WAS_ACTIVATED: Final = "was activated"
IS_BACK: Final = "is back in its plan"
INTO_KEEP_OUT: Final = (
    "URGENT: it was changed into an area that it must keep out of, and is out of plan"
)
IN_KEEP_OUT: Final = "URGENT: was activated while it must keep out of an area"
RESCUE: Final = frozenset({"rescue", "search-and-rescue"})
LONGEST_EXPECTED_US: Final = 24 * 3_600 * 1_000_000
LONGEST_TOLERANCE_US: Final = 15 * 60 * 1_000_000  # without a clause
# Their places would be a list that somebody could misuse (docs/disclosure.md).
NOT_TAKEN: Final = frozenset({"humanitarian-movement", "protected-site"})


class Refused(CallerError):
    """An act is understood and not done; says why, and what to do."""


def file(deciding: Deciding, act: Act, payload: FileOperation) -> None:
    """File a new operation: recorded, protecting at once, both sides of a conflict told."""
    made = planned(deciding, act.party, act.status, payload.operation, deciding.ids.id())
    takes_km2h = _take(deciding, made)
    deciding.emit([act.party], OperationFiled(
        operation=made, understood=understood(made), takes_km2h=takes_km2h
    ))  # fmt: skip
    recheck(deciding, made, "")
    _tell_rate(deciding, act.party)


def update(deciding: Deciding, act: Act, payload: UpdateOperation) -> None:
    """File a new version of an operation; what stands already stays if it is refused."""
    old = deciding.operation(payload.id, act.party)
    if payload.ovn != old.ovn:
        raise InputError(
            "ovn", payload.ovn, f"is not of version {old.version}, the latest",
            "read the latest version and change that",
        )  # fmt: skip
    state = move(old.state, Event.REFILE)
    made = _operation(
        deciding, act.party, act.status, payload.operation, old.id, old.version + 1, state
    )
    if leaves_airborne(old, made, deciding.now_us):
        raise Refused(
            f"operation {old.id[:8]}: is airborne, and version {made.version} is nowhere now, "
            f"{format_time(deciding.now_us)[:19]}Z; add where it is now, or end it and file another"
        )
    refile(deciding, old, made)


def refile(deciding: Deciding, old: Operation, made: Operation, *, is_agreed: bool = False) -> None:
    """Put a new version in the place of an old one.

    One that only shrinks keeps its place and its state; all others count as filed anew. Both
    take what a filing takes: each is answered. is_agreed: it settles a conflict as the other side
    has proposed or accepted, and no cap stands in the way of that.
    """
    is_smaller = only_shrinks(old, made)
    made = replace(
        made, airborne_us=old.airborne_us, off_nominal=old.off_nominal, grace_us=old.grace_us,
        state=old.state if is_smaller else made.state,
    )  # fmt: skip
    if is_smaller:  # it was told when the larger one was
        made = replace(made, late_us=old.late_us, missed=old.missed)
    else:
        made = _with_lead_times(deciding, made)
    deciding.emit([made.party], OperationFiled(
        operation=made, understood=understood(made), is_smaller=is_smaller,
        takes_km2h=_take(deciding, made, is_agreed=is_agreed),
    ))  # fmt: skip
    before = deciding.world.keep_outs.get(made.id, KeepOuts()).areas
    recheck(deciding, made, f"operation {made.id[:8]} of {made.party} was changed")
    if not is_smaller:  # what it stands in already, it does not come into by giving way
        _hold_to_refusals(deciding, deciding.world.operations[made.id], before)
    _tell_rate(deciding, made.party)


def _hold_to_refusals(deciding: Deciding, made: Operation, before: Iterable[Area]) -> None:
    """Let an operation be out of plan that was changed into what it would not be activated in.

    before: where it had to keep out before the change: who leaves such an area is in it at first,
    and does not come into it by that. Others are told no more of it than that it is out of plan.
    """
    if made.state is not State.ACTIVATED:
        return
    out, must = deciding.world.keep_outs.get(made.id, KeepOuts()).areas, "must act and "
    if refusals(deciding, made.id):
        why = "it was changed into a conflict in which it must act"
    elif {*out} - {*before} and _may_refuse(deciding, made.party):
        why, must = INTO_KEEP_OUT, ""
    else:
        return
    state = move(made.state, Event.CLASH)
    deciding.emit([made.party], OperationMoved(
        id=made.id, state=state, why=why, grace_us=_grace_us(deciding, made, state)
    ))  # fmt: skip
    said = f"URGENT: operation {made.id[:8]} of {made.party} {must}is out of plan"
    recheck(deciding, deciding.world.operations[made.id], said)


def _may_refuse(deciding: Deciding, party: str) -> bool:
    """Tell whether a clause of a party with anybody refuses to activate with an open conflict."""
    return any(
        deciding.between(party, other).on_conflict is OnConflict.REFUSE
        for other in deciding.parties - {party}
    )


def refusals(deciding: Deciding, operation_id: str) -> list[Conflict]:
    """Return the open conflicts that an operation must act in, where a clause refuses it."""
    return [
        each for each in open_for(deciding.world.conflicts_of(operation_id), operation_id)
        if deciding.between(*each.parties).on_conflict is OnConflict.REFUSE
    ]  # fmt: skip


def activate(deciding: Deciding, act: Act, payload: ActivateOperation) -> None:
    """Activate an operation whose owner knows what it conflicts with, or let it be so again.

    One that is back in its plan has its grace no more: it is looked at again, and what it stands
    in then is what a clause may refuse it for.
    """
    old = deciding.operation(payload.id, act.party)
    state = move(old.state, Event.ACTIVATE)
    if old.end_us <= deciding.now_us:
        raise Refused(
            f"operation {old.id[:8]}: its end has passed, {format_time(old.end_us)[:19]}Z; change "
            "it to one that ends later, and activate that, or end it"
        )
    world = deciding.world
    conflicts = [each for each in world.conflicts_of(old.id) if each.state in GONE_ON]
    _check_key(deciding, old, conflicts, payload.key)
    may_refuse = _may_refuse(deciding, act.party)
    if may_refuse and old.id in world.rechecking:
        raise Refused(
            f"operation {old.id[:8]}: is RE-CHECKING under an agreement that has changed, which "
            "counts as a conflict; try again in a moment"
        )
    urgent = IN_KEEP_OUT if old.id in world.keep_outs else ""
    deciding.emit([act.party], OperationMoved(id=old.id, state=state, why=urgent))
    who = f"operation {old.id[:8]} of {act.party}"
    # others may have more conflicts than were told, and this one be in some of those
    is_counted = may_refuse and bool(world.more)
    is_back = old.state in OUT_OF_PLAN
    if is_back or is_counted:
        recheck(
            deciding, world.operations[old.id], f"{who} {IS_BACK}" if is_back else {},
            is_back=is_back,
        )  # fmt: skip
        # while RE-CHECKING, or where more conflicts were not told, there may be others now
        conflicts = [each for each in world.conflicts_of(old.id) if each.state in GONE_ON]
        _check_key(deciding, old, conflicts, payload.key, is_again=True)
    if refusing := refusals(deciding, old.id):
        raise Refused(
            f"operation {old.id[:8]}: conflict {refusing[0].id[:8]} is open and it must act; "
            "change it, agree with the other side, or agree as it is"
        )
    if may_refuse and old.id in world.keep_outs:
        raise Refused(
            f"operation {old.id[:8]}: must keep out of an area, and a clause refuses it as long as "
            "it must; change it to where and when it need not"
        )
    if may_refuse and old.id in world.more:
        raise Refused(
            f"operation {old.id[:8]}: has more conflicts than are told, and a clause refuses it "
            "where it must act in one; change it to where there are fewer"
        )
    if not is_back:
        for each in conflicts:  # who was told of it as filed plans by that
            note = note_of_activation(each, old.id, f"{who} {WAS_ACTIVATED}")
            deciding.change(each, note=note)


def _check_key(
    deciding: Deciding, own: Operation, conflicts: Iterable[Conflict], key: Collection[str], *,
    is_again: bool = False,
) -> None:  # fmt: skip
    """Refuse a key that has not the latest version of each operation that one conflicts with.

    is_again: it was asked for those before, and what is more now is not known to its owner yet.
    """
    pairs = [(each, deciding.world.operations[each.other(own.id)]) for each in conflicts]
    stale = [each[:8] for each in key if each not in {other.ovn for _, other in pairs}]
    held = f"version {', '.join(stale)}" if stale else "no version"
    for conflict, other in pairs:
        if other.ovn not in key and is_again:
            raise Refused(
                f"operation {own.id[:8]}: breaks a rule with operation {other.id[:8]} of "
                f"{other.party}, of which nobody was told yet; try again when the notice is there, "
                "with its OVN, or change it to where there are fewer"
            )
        if other.ovn not in key:
            raise Refused(
                f"key: {own.party} holds {held}, and {other.party} holds version "
                f"{other.ovn[:8]} of operation {other.id[:8]}, in conflict {conflict.id[:8]}; read "
                "your latest notice, look at it, and activate with its OVN"
            )


def airborne(deciding: Deciding, act: Act, payload: MarkAirborne) -> None:
    """Mark an operation as airborne; no rule refuses it, whatever else is wrong."""
    old = deciding.operation(payload.id, act.party)
    state = move(old.state, Event.AIRBORNE)
    deciding.emit([act.party], OperationMoved(
        id=old.id, state=state, airborne_us=payload.at_us, grace_us=_grace_us(deciding, old, state)
    ))  # fmt: skip
    if state is State.NONCONFORMING and old.state is not state:
        made = deciding.world.operations[old.id]
        said = f"URGENT: operation {old.id[:8]} of {act.party} is airborne without being activated"
        recheck(deciding, made, said)


def contingent(deciding: Deciding, act: Act, payload: MakeContingent) -> None:
    """Make an operation contingent and tell everybody it comes near."""
    old = deciding.operation(payload.id, act.party)
    state = move(old.state, Event.CONTINGENT)
    made = replace(old, state=state, off_nominal=_expected(deciding, old, payload),
                   ovn=deciding.ids.id(), version=old.version + 1, filed_us=deciding.filed_us,
                   grace_us=_grace_us(deciding, old, state) or old.grace_us)  # fmt: skip
    deciding.emit([act.party], OperationFiled(
        operation=made, understood=understood(made), is_smaller=True
    ))  # fmt: skip
    recheck(deciding, made, f"URGENT: operation {old.id[:8]} of {act.party} is contingent")
    _tell_rate(deciding, act.party)  # it passes every cap, and is answered as a filing is


def _expected(deciding: Deciding, old: Operation, payload: MakeContingent) -> tuple[Volume4D, ...]:
    """Return where a contingent operation is expected: in all of it until the last of its times.

    Nobody knows when it leaves a place that it did not mean to be in.
    """
    expected = volumes_of(payload.off_nominal, "off_nominal")
    latest_us = max((each.end_us for each in expected), default=deciding.now_us)
    if latest_us > deciding.now_us + LONGEST_EXPECTED_US:
        raise InputError(
            "off_nominal.end", format_time(latest_us), "is more than 24 h from now",
            "say where it is expected within 24 h, and say it again later",
        )  # fmt: skip
    last_us = max(latest_us, old.end_us)
    return tuple(replace(each, end_us=last_us) for each in expected)


def end(deciding: Deciding, act: Act, payload: EndOperation) -> None:
    """End an operation: it protects no more."""
    _close(deciding, deciding.operation(payload.id, act.party), Event.END, HAS_ENDED)


def cancel(deciding: Deciding, act: Act, payload: CancelOperation) -> None:
    """Take an operation back before it is activated."""
    old = deciding.operation(payload.id, act.party)
    _close(deciding, old, Event.CANCEL, WAS_CANCELLED, payload.why)


def fall_due(deciding: Deciding, operation: Operation) -> None:
    """Let time pass over an operation whose end has come: it overruns, or is over."""
    is_over = deciding.now_us >= protects_until_us(operation)
    if operation.state is State.ACTIVATED:
        state = move(operation.state, Event.OVERRUN)
        deciding.emit([operation.party], OperationMoved(
            id=operation.id, state=state, why="its end has passed",
            grace_us=_grace_us(deciding, operation, state),
        ))  # fmt: skip
        said = f"URGENT: the end of operation {operation.id[:8]} of {operation.party} has passed"
        recheck(deciding, deciding.world.operations[operation.id], said)
    elif operation.state in {State.FILED, State.ACCEPTED} or is_over:
        state = move(operation.state, Event.END)
        deciding.emit(
            [operation.party], OperationMoved(id=operation.id, state=state, why=TIME_HAS_PASSED)
        )
        expire(deciding, deciding.world.operations[operation.id])


def _grace_us(deciding: Deciding, old: Operation, state: State) -> int | None:
    """Return the grace of an operation that goes out of plan; None where it does not.

    Decided once: whoever was told until when it protects can hold on to that.
    """
    if old.state in OUT_OF_PLAN or state not in OUT_OF_PLAN:
        return None
    return deciding.grace_us(old.party)


def _close(deciding: Deciding, old: Operation, event: Event, why: str, reason: str = "") -> None:
    """Let an operation be over. why: for all it was in conflict with; reason: for its owner."""
    state = move(old.state, event)
    own = f"{why}: {reason}" if reason else why
    deciding.emit([old.party], OperationMoved(id=old.id, state=state, why=own))
    made = deciding.world.operations[old.id]
    recheck(deciding, made, over_text(old.id, old.party, why))


def planned(
    deciding: Deciding, party: str, status: Status, filed: FiledOperation, operation_id: str
) -> Operation:
    """Return an operation as it is where it is filed now, with what it is too late by."""
    return _with_lead_times(
        deciding, _operation(deciding, party, status, filed, operation_id, 1, State.FILED)
    )


def _operation(
    deciding: Deciding, party: str, status: Status, filed: FiledOperation, operation_id: str,
    version: int, state: State,
) -> Operation:  # fmt: skip
    """Return an operation from what was filed; refuse what can be none."""
    if filed.craft_class in NOT_TAKEN:
        raise InputError(
            "craft_class", filed.craft_class, "is protected otherwise, and its places stand in no "
            "act here", "use the channel that was agreed for it",
        )  # fmt: skip
    volumes, uncertainty = volumes_filed(filed), uncertainty_of(filed)
    _check_tolerance(deciding, party, filed, uncertainty)
    made = Operation(
        id=operation_id, party=party, status=status, version=version,
        ovn=deciding.ids.id(), state=state, domain=filed.domain, craft=filed.craft,
        craft_class=filed.craft_class, callsign=filed.callsign, count=filed.count,
        count_most=filed.count_most,
        has_rvsm=filed.has_rvsm, volumes=volumes, uncertainty=uncertainty,
        filed_us=deciding.filed_us,
    )  # fmt: skip
    if made.end_us <= deciding.now_us:
        raise InputError(
            "volumes", len(volumes), "have all ended before they are filed", "give times to come"
        )
    return made


def _check_tolerance(
    deciding: Deciding, party: str, filed: FiledOperation, uncertainty: Uncertainty
) -> None:  # fmt: skip
    """Refuse an operation that may run earlier or later than any clause of its party allows."""
    most_us = max(
        (each.most_us for _, _, each in clauses_of(deciding.world, party)
         if isinstance(each, TimeTolerance)),
        default=LONGEST_TOLERANCE_US,
    )  # fmt: skip
    for name, value_us in (("early", uncertainty.early_us), ("late", uncertainty.late_us)):
        if value_us > most_us:
            raise InputError(
                name, getattr(filed, name), f"is above {duration_text(most_us)}, and no clause of "
                f"{party} allows more", "let its times start earlier and end later instead",
            )  # fmt: skip


def _with_lead_times(deciding: Deciding, made: Operation) -> Operation:
    """Return an operation, filed now, with what it is too late by."""
    return with_lateness(made, [
        (agreement, clause, decision)
        for agreement, clause, decision in clauses_of(deciding.world, made.party)
        if isinstance(decision, LeadTime)
    ])  # fmt: skip


class Taken(NamedTuple):
    """The area-hours that a filing takes, and what of it is more than clauses allow, by their ids.

    km2h: 0 where no agreement says how much may be taken.
    """

    km2h: int
    above: tuple[tuple[str, Excess], ...]


def taken(deciding: Deciding, made: Operation, *, is_agreed: bool = False) -> Taken:
    """Return what a filing takes of what its party may take.

    A small operation takes as much as it is widened to, and a version that only shrinks all that
    it still takes up: its answer tells as much. Rescue takes nothing. What settles a conflict as
    both sides want it is counted, and refused by no cap.
    """
    if made.craft_class in RESCUE:
        return Taken(0, ())
    caps = [
        (clause_id, decision)
        for _, clause_id, decision in clauses_of(deciding.world, made.party)
        if isinstance(decision, Caps)
    ]
    if not caps:
        return Taken(0, ())
    # by its own agreements alone: those of others are nothing to it
    own = [d for _, _, d in clauses_of(deciding.world, made.party) if isinstance(d, ProbingBound)]
    in_plan = replace(made, grace_us=0)  # nobody plans a grace
    takes_km2h = area_hours_km2h(as_compared(in_plan, widest(own or [DEFAULT])))
    filer = deciding.world.filers.get(made.party, Filer())
    taken_km2h = filer.taken_km2h(deciding.now_us)
    return Taken(takes_km2h, tuple(
        (clause_id, each)
        for clause_id, decision in caps if not is_agreed
        for each in excesses(made, takes_km2h, taken_km2h, decision)
    ))  # fmt: skip


def _take(deciding: Deciding, made: Operation, *, is_agreed: bool = False) -> int:
    """Return the area-hours that a filing takes; refuse it, uncompared, where that is too much."""
    found = taken(deciding, made, is_agreed=is_agreed)
    for each in found.above:
        raise Refused(above_text(*each))
    return found.km2h


def above_text(clause_id: str, excess: Excess) -> str:
    """Return what is said where more is taken than a clause allows."""
    return (
        f"{excess.what} {excess.used}: above {excess.limit}, which clause {clause_id} allows "
        f"{excess.of}; {excess.way_out}"
    )


def _tell_rate(deciding: Deciding, party: str) -> None:
    """Tell others that a party has filed as often in an hour as is to be told of: no place."""
    count = deciding.world.filers[party].filings
    for other in sorted(deciding.parties - {party}):
        bound = deciding.between(party, other).probing
        if bound is not None and count % bound.filings_an_hour == 0:
            deciding.emit([party, other], FilingsCounted(party=party, filings=count))
