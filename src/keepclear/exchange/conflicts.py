# SPDX-License-Identifier: Apache-2.0
"""What acts on conflicts do: acknowledged, answered, proposed and countered, accepted, agreed.

1. Acknowledged is a mark and closes nothing. It names the version of the other operation that was
   seen; where that is not the latest it marks nothing and is refused.
2. A proposal moves one of the two operations; it takes effect when the other side accepts it,
   and only if the two are then in no conflict. It counts as filed then, late or in time.
3. Agreed as it is holds once both have said so, until either changes; nothing is on the table any
   more. Who proposes otherwise has not agreed.
"""

from collections.abc import Callable
from typing import Final

from msgspec.structs import replace

from keepclear.agreement.claims import breaches
from keepclear.airspace.altitudes import HIGHEST_TMM
from keepclear.errors import CallerError, InputError
from keepclear.exchange.deciding import Deciding
from keepclear.exchange.operations import Refused, refile
from keepclear.exchange.rechecking import accept as give_accepted
from keepclear.plans.acts import (
    AcceptProposal,
    AcknowledgeConflict,
    AgreeAsIs,
    AnswerConflict,
    ProposeChange,
)
from keepclear.plans.conflicts import Answer, Conflict, Event, Proposal, State, move, moved
from keepclear.plans.operations import Event as OperationEvent
from keepclear.plans.operations import claim_of, leaves_airborne
from keepclear.plans.operations import move as move_operation
from keepclear.record.headers import Act
from keepclear.units import (
    TMM_PER_NM,
    parse_bearing_deg,
    parse_duration_us,
    parse_length_tmm,
)

MOST_SHIFT_US: Final = 7 * 24 * 3_600 * 1_000_000
MOST_ASIDE_TMM: Final = 100 * TMM_PER_NM  # farther an area is not as it was (`moving`)


def acknowledge(deciding: Deciding, act: Act, payload: AcknowledgeConflict) -> None:
    """Mark that a person of a side has taken it."""
    old = deciding.conflict(payload.id, act.party)
    if old.is_settled:  # the other operation's version is not shown any more, in a refusal neither
        raise Refused(f"conflict {old.id[:8]}: is {old.state}; nothing is left to acknowledge")
    sides = [deciding.world.operations[each] for each in (old.a, old.b)]
    other = next(each for each in sides if each.party != act.party)
    if payload.ovn != other.ovn:
        raise Refused(
            f"ovn: {act.party} holds version {payload.ovn[:8]}, and {other.party} holds "
            f"version {other.ovn[:8]} of operation {other.id[:8]}, in conflict {old.id[:8]}; "
            "read your latest notice and acknowledge that"
        )
    marks = dict.fromkeys((*old.acknowledged, act.party))
    deciding.change(replace(old, acknowledged=tuple(marks)), note=f"acknowledged by {act.party}")


def answer(deciding: Deciding, act: Act, payload: AnswerConflict) -> None:
    """Answer a notice; it is a statement, and changes nothing else."""
    old = deciding.conflict(payload.id, act.party)
    if old.is_settled:
        raise Refused(f"conflict {old.id[:8]}: is {old.state}; nothing is left to answer")
    why, clause = payload.why.strip(), payload.clause.strip()
    if payload.answer is Answer.CONCERNED and not why:
        raise InputError("why", payload.why, f"is empty for {payload.answer}", "give the reason")
    if payload.answer is Answer.OBJECTS:
        deciding.check_clause(clause, *old.parties)
        why = f"clause {clause}{f': {why}' if why else ''}"
    elif clause:
        raise InputError(
            "clause",
            payload.clause,
            f"stands with {payload.answer}",
            "leave it out, or say OBJECTS",
        )
    kept = tuple(each for each in old.answers if each[0] != act.party)
    made = replace(old, answers=(*kept, (act.party, payload.answer, why)))
    deciding.change(made, note=f"{act.party}: {payload.answer}")


def propose(deciding: Deciding, act: Act, payload: ProposeChange) -> None:
    """Propose that one of the two moves; against the other side's proposal it is a counter."""
    old = deciding.conflict(payload.id, act.party)
    if payload.operation not in {old.a, old.b}:
        raise InputError(
            "operation", payload.operation, "is not in this conflict", f"name {old.a} or {old.b}"
        )
    made = _proposal(deciding, act, payload)
    is_counter = old.proposal is not None and old.proposal.by != act.party
    state = move(old.state, Event.COUNTER if is_counter else Event.PROPOSE)
    agreed = tuple(each for each in old.agreed if each != act.party)
    deciding.change(
        replace(old, state=state, proposal=made, agreed=agreed),
        note=f"{'countered' if is_counter else 'proposed'} by {act.party}",
    )


def _proposal(deciding: Deciding, act: Act, payload: ProposeChange) -> Proposal:
    """Return what is proposed; refuse what moves nothing, or farther than anybody can mean."""
    shift_us = _signed(payload.later, parse_duration_us, "later")
    climb_tmm = _signed(payload.higher, parse_length_tmm, "higher")
    aside_tmm, towards_deg = 0, 0.0
    if payload.aside or payload.towards:
        aside_tmm = parse_length_tmm(payload.aside, "aside")
        towards_deg = parse_bearing_deg(payload.towards, "towards")
    if aside_tmm < 0:
        raise InputError("aside", payload.aside, "is below 0", "turn the bearing round")
    if not (shift_us or climb_tmm or aside_tmm):
        raise InputError(
            "proposal", "", "moves nothing", "say how much later or higher, or how far aside"
        )
    if abs(shift_us) > MOST_SHIFT_US or abs(climb_tmm) > HIGHEST_TMM or aside_tmm > MOST_ASIDE_TMM:
        raise InputError(
            "proposal", payload.later or payload.higher or payload.aside,
            "is more than 7 days, 100,000 ft or 100 NM", "propose less",
        )  # fmt: skip
    return Proposal(
        id=deciding.ids.id(), by=act.party, operation=payload.operation, shift_us=shift_us,
        climb_tmm=climb_tmm, aside_tmm=aside_tmm, towards_deg=towards_deg, why=payload.why,
    )  # fmt: skip


def accept(deciding: Deciding, act: Act, payload: AcceptProposal) -> None:
    """Accept the other side's proposal: the operation moves, if that settles it."""
    old = deciding.conflict(payload.id, act.party)
    proposal = old.proposal
    if proposal is None or proposal.id != payload.proposal:
        raise InputError(
            "proposal", payload.proposal, "is not the one on the table", "see the latest notice"
        )
    if proposal.by == act.party:
        raise Refused(
            f"proposal {proposal.id[:8]}: is {act.party}'s own; the other side accepts it"
        )
    try:
        _settle_by(deciding, old, proposal)
    except CallerError:
        # in no other words: why not is the owner's alone, and the other side must learn no more
        raise Refused(
            f"proposal {proposal.id[:8]}: does not settle the conflict as the two stand now; "
            "propose otherwise"
        ) from None


def _settle_by(deciding: Deciding, old: Conflict, proposal: Proposal) -> None:
    """Move an operation as was proposed; `CallerError` where that settles nothing or cannot be."""
    operation = deciding.world.operations[proposal.operation]
    after = moved(operation, proposal)
    other = deciding.world.operations[old.other(operation.id)]
    bound = deciding.between(*old.parties).bound(after, other)
    one, two = (
        deciding.near.compile(claim_of(after), bound),
        deciding.near.compiled(other.id, bound),
    )
    if (
        not operation.is_protecting
        or after.end_us <= deciding.now_us
        or leaves_airborne(operation, after, deciding.now_us)
        or breaches(deciding.functions, one, two, deciding.minima(after, other))
    ):
        raise Refused("it settles nothing")
    made = replace(
        after, version=operation.version + 1, ovn=deciding.ids.id(), filed_us=deciding.filed_us,
        state=move_operation(operation.state, OperationEvent.REFILE),
    )  # fmt: skip
    refile(deciding, operation, made, is_agreed=True)


def agree_as_is(deciding: Deciding, act: Act, payload: AgreeAsIs) -> None:
    """Agree that both go on as they are."""
    old = deciding.conflict(payload.id, act.party)
    state = move(old.state, Event.AGREE)
    agreed = tuple(dict.fromkeys((*old.agreed, act.party)))
    is_settled = set(agreed) == set(old.parties)
    made = replace(old, agreed=agreed)
    if is_settled:
        made = replace(made, state=state, proposal=None)
    deciding.change(made, note=f"agreed as it is by {act.party}")
    if made.state is State.AGREED:
        for operation_id in (made.a, made.b):
            give_accepted(deciding, operation_id)


def _signed(text: str, parse: Callable[[str, str], int], path: str) -> int:
    """Return a quantity that may have a minus, 0 where nothing was given."""
    plain = text.strip()
    if not plain:
        return 0
    without = plain[1:].strip() if plain[0] in "+-" else plain
    if without[:1] in {"+", "-"}:
        raise InputError(path, text, "has two signs", "give one")
    value = parse(without, path)
    return -value if plain.startswith("-") else value
