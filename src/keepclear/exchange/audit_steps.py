# SPDX-License-Identifier: Apache-2.0
"""Steps decided again: each comes of its act, by the functions that decide acts, or of time.

1. An act on an operation or a conflict is decided again in the world before its entry, and that
   is taken back. One that is refused now was not to be taken: activation without the latest OVN
   of what it meets, or an old version acknowledged.
2. What the entry says of operations, of conflicts that were there before, and of filings counted
   is what comes of the act now: states, grace, lateness, marks, answers, proposals.
3. Without such an act an operation moves only where its time has come, and it does by then;
   conflicts get no marks.
4. New conflicts, what is accepted, caps and shapes are looked at elsewhere (`audit_conflicts`,
   `audit_operations`): the kernel of another machine may round otherwise. Words are not compared.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace as with_fields
from typing import Final

from keepclear.agreement.claims import breaches
from keepclear.agreement.findings import Verdict
from keepclear.errors import CallerError
from keepclear.exchange.agreements import widen
from keepclear.exchange.audit_again import GivenIds, Said, is_refused, taken_back
from keepclear.exchange.audit_found import Found
from keepclear.exchange.decide import DECIDE
from keepclear.exchange.deciding import Deciding
from keepclear.exchange.due import Due
from keepclear.exchange.events import (
    KINDS,
    AgreementStood,
    ConflictChanged,
    Event,
    FilingsCounted,
    OperationFiled,
    OperationMoved,
    StandingCarried,
)
from keepclear.exchange.kept import index_anew, touched
from keepclear.exchange.lapses import lapses_of
from keepclear.exchange.operations import fall_due
from keepclear.plans import acts
from keepclear.plans.conflicts import Conflict, moved
from keepclear.plans.conflicts import State as ConflictState
from keepclear.plans.operations import (
    Operation,
    State,
    claim_of,
    leaves_airborne,
    protects_until_us,
)
from keepclear.record.encoding import Signed
from keepclear.record.headers import Act

AGAIN: Final = (
    acts.FileOperation, acts.UpdateOperation, acts.ActivateOperation, acts.MarkAirborne,
    acts.MakeContingent, acts.EndOperation, acts.CancelOperation, acts.AcknowledgeConflict,
    acts.AnswerConflict, acts.ProposeChange, acts.AcceptProposal, acts.AgreeAsIs,
)  # fmt: skip
STEP: Final = ("state", "airborne_us", "grace_us")
MARKS: Final = ("state", "acknowledged", "agreed", "answers", "proposal")
# what `audit_operations` compares with the act, or lets be one beside
LOOKED_AT: Final = frozenset({"state", "version"})
AS_FILED: Final = LOOKED_AT | {
    "party", "status", "domain", "craft", "craft_class", "callsign", "count", "count_most",
    "has_rvsm",
    "volumes", "uncertainty",
}  # fmt: skip
# which of these a pair comes to is found by the kernel
BY_KERNEL: Final = {ConflictState.RAISED, ConflictState.RESOLVED}
BY_LOOKING_AGAIN: Final = BY_KERNEL | {ConflictState.EXPIRED}


class Steps:
    """The steps of a record. Written by the audit alone. acts: how many were decided again."""

    def __init__(self, found: Found) -> None:
        self._found, self.acts = found, 0
        self._due, self._is_held = Due(), False

    def know(self, party: str) -> None:
        """Take a party of the region, from its key document."""
        deciding = self._found.deciding
        deciding.parties |= {party}

    def check(self, act: Act | None, payload: Signed | None, said: list[Said]) -> None:
        """Compare an entry, before it is folded, with what comes of its act, or of time."""
        self._check_overdue()
        if act is None or not isinstance(payload, AGAIN):
            self._check_by_time(said)
            return
        self.acts += 1
        ids = GivenIds(_ids_of(self._found.world.operations.keys(), said))
        deciding = self._deciding(ids)
        try:
            DECIDE[type(payload)](deciding, act, payload)
        except CallerError as refusal:
            taken_back(deciding)
            if deciding.first_us is not None and is_refused(said):
                return
            self._found.was_taken(act, refusal, is_boundary=self._is_edge(payload))
            return
        made = _events(deciding)
        taken_back(deciding)
        if deciding.first_us is not None and is_refused(said):
            self._found.was_refused(act)
        self._compare(act, payload, said, made)

    def hold(self, until_us: int | None) -> None:
        """Let what falls due wait, as clocks differ; or until a time, at which it did no more."""
        self._is_held = until_us is None
        if until_us is not None:
            self._due.put_off(until_us)

    def follow(self, events: list[Event]) -> None:
        """Bring what is kept beside the world to where an entry has led it."""
        found, near = self._found, self._found.deciding.near
        for event in events:
            match event:
                case AgreementStood(clauses=clauses):
                    widen(near, clauses)
                case StandingCarried(table="agreements", key=own_hash):
                    widen(near, found.world.agreements[own_hash].clauses)
                case StandingCarried(table="before", key=change):
                    widen(near, found.world.before[change].clauses)
                case _:
                    pass
        index_anew(near, found.world, dict.fromkeys(touched(events)))
        self._due.plan(found.world, events, found.deciding.now_us)

    def _deciding(self, ids: GivenIds) -> Deciding:
        return with_fields(self._found.deciding, ids=ids, counts={}, parts=[], due=[], seen_by=())

    # --- by time ------------------------------------------------------------------------------

    def _check_lapsed(self, operation: Operation, at_us: int) -> None:
        """Tell of conflicts of an operation that were to expire by a time; note later ones."""
        world, between = self._found.world, self._found.deciding.between
        for lapse_us, ended_id in lapses_of(world, operation, between):
            if lapse_us > at_us:
                self._due.put(lapse_us, ended_id)
            elif ended_id == operation.id:
                self._differs(ended_id, "is in a conflict still, and was to be in none by now")

    def _check_overdue(self) -> None:
        """Tell of operations whose time came before this entry, and that did not move."""
        world = self._found.world
        now_us = self._found.deciding.now_us
        while not self._is_held and (first := self._due.first(now_us - 1)) is not None:
            self._due.drop(first)
            operation = world.operations.get(first.key)
            if operation is None:
                continue
            if not operation.is_protecting:
                self._check_lapsed(operation, first.at_us)
            elif protects_until_us(operation) <= first.at_us:
                self._differs(operation.id, f"is still {operation.state}, and its time has passed")

    def _check_by_time(self, said: list[Said]) -> None:
        """Compare what no act on operations or conflicts has led to."""
        for _, event in said:
            match event:
                case OperationMoved(state=state) if state is not State.ACCEPTED:
                    self._check_moved_by_time(event)
                case OperationFiled(operation=operation):
                    self._differs(operation.id, "was filed, and no act does that")
                case ConflictChanged(conflict=conflict):
                    self._check_unmarked(conflict)
                case FilingsCounted(party=party):
                    self._found.differs(f"filings of {party}", "are told, and nothing was filed")
                case _:
                    pass

    def _check_moved_by_time(self, event: OperationMoved) -> None:
        old = self._found.world.operations.get(event.id)
        if old is None:
            return
        if not old.is_protecting or protects_until_us(old) > self._found.deciding.now_us:
            self._differs(
                event.id, f"is {event.state} by no act of {old.party}, and its time has not come"
            )
            return
        deciding = self._deciding(GivenIds(()))
        fall_due(deciding, old)
        made = _events(deciding)
        taken_back(deciding)
        self._compare_moved([Said("", event)], made)

    def _check_unmarked(self, conflict: Conflict) -> None:
        """Compare a conflict that no act on it has changed."""
        old = self._found.world.conflicts.get(conflict.id)
        known = ((), (), ()) if old is None else (old.acknowledged, old.agreed, old.answers)
        is_unmarked = (
            conflict.state in BY_LOOKING_AGAIN
            and set(conflict.acknowledged) <= set(known[0])
            and set(conflict.agreed) <= set(known[1])
            and conflict.answers == known[2]
            and conflict.proposal is None
        )
        if not is_unmarked:
            self._conflict_differs(conflict, "has marks that no act has made")

    # --- by an act ----------------------------------------------------------------------------

    def _compare(self, act: Act, payload: Signed, said: list[Said], made: list[Said]) -> None:
        self._compare_moved(said, made)
        is_filing = isinstance(payload, acts.FileOperation | acts.UpdateOperation)
        self._compare_filed(said, made, AS_FILED if is_filing else LOOKED_AT)
        self._compare_conflicts(said, made)
        self._compare_counted(act, said, made)

    def _compare_moved(self, said: list[Said], made: list[Said]) -> None:
        """Compare the steps of operations, but for *accepted*."""
        one, other = _moves(said), _moves(made)
        for own_id in dict.fromkeys((*one, *other)):
            if own_id not in one:
                self._differs(own_id, f"is not {other[own_id].state}, as it was to be")
            elif own_id not in other:
                self._differs(own_id, f"is {one[own_id].state} by no act of its owner")
            elif off := list(_off(one[own_id], other[own_id], STEP)):
                self._differs(own_id, f"did not move as it was to: {', '.join(off)}")

    def _compare_filed(
        self, said: list[Said], made: list[Said], looked_at: frozenset[str]
    ) -> None:  # fmt: skip
        """Compare what was filed. looked_at: fields that are compared elsewhere."""
        one, other = _filed(said), _filed(made)
        names = [each for each in Operation.__struct_fields__ if each not in looked_at]
        for own_id in dict.fromkeys((*one, *other)):
            if own_id not in one:
                self._differs(own_id, "was to be filed anew by the act, and is not")
            elif own_id not in other:
                self._differs(own_id, "was filed, and no act does that")
            elif off := list(_off_filed(one[own_id], other[own_id], names)):
                self._differs(own_id, f"was not filed as it was to be: {', '.join(off)}")

    def _compare_conflicts(self, said: list[Said], made: list[Said]) -> None:
        """Compare the conflicts that were there before, and see that new ones have no marks."""
        known = self._found.world.conflicts
        one, other = _conflicts(said), _conflicts(made)
        for own_id, each in one.items():
            if own_id not in known:
                self._check_unmarked(each)
            elif own_id not in other:
                self._conflict_differs(each, "has changed, and the act does not change it")
            elif (off := list(_off(each, other[own_id], MARKS))) and not _is_by_kernel(
                each, other[own_id]
            ):
                self._conflict_differs(each, f"is not as the act makes it: {_words(off, each)}")
        for own_id in other.keys() & known.keys() - one.keys():
            self._conflict_differs(known[own_id], "is to be changed by the act, and is not")

    def _compare_counted(self, act: Act, said: list[Said], made: list[Said]) -> None:
        """Compare who was told that a party files often."""
        one, other = _counted(said), _counted(made)
        for each in (other - one).elements():
            self._found.differs(
                f"filings of {act.party}", f"{each.audience} was not told of {_number(each)}"
            )
        for each in (one - other).elements():
            self._found.differs(
                f"filings of {act.party}", f"{each.audience} was told of {_number(each)}, "
                "which was not to be told",
            )  # fmt: skip

    def _is_edge(self, payload: object) -> bool:
        """Tell whether accepting a proposal is refused for what lies in the guard band alone."""
        if not isinstance(payload, acts.AcceptProposal):
            return False
        world, deciding = self._found.world, self._found.deciding
        conflict = world.conflicts.get(payload.id)
        if conflict is None or conflict.proposal is None:
            return False
        proposal = conflict.proposal
        old, now_us = world.operations[proposal.operation], deciding.now_us
        after = moved(old, proposal)
        if after.end_us <= now_us or leaves_airborne(old, after, now_us) or not old.is_protecting:
            return False
        other = world.operations[conflict.other(after.id)]
        bound = self._found.between(after, other).bound(after, other)
        one, two = (deciding.near.compile(claim_of(each), bound) for each in (after, other))
        broken = breaches(self._found.functions, one, two, deciding.minima(after, other))
        return bool(broken) and all(each.found.verdict is Verdict.BOUNDARY for each in broken)

    def _differs(self, operation_id: str, what: str) -> None:
        self._found.differs(f"operation {operation_id[:8]}", what)

    def _conflict_differs(self, conflict: Conflict, what: str) -> None:
        self._found.differs(f"conflict {conflict.id[:8]}", what)


def _events(deciding: Deciding) -> list[Said]:
    return [Said(to, value) for to, kind, value in deciding.parts if kind in KINDS]  # type: ignore[arg-type]


def _ids_of(known: Iterable[str], said: list[Said]) -> Iterator[str]:
    """Yield the ids that an entry has given to what its act has made."""
    there = set(known)
    for _, event in said:
        match event:
            case OperationFiled(operation=operation):
                if operation.id not in there:
                    yield operation.id
                yield operation.ovn
            case ConflictChanged(conflict=conflict) if conflict.proposal is not None:
                yield conflict.proposal.id
            case _:
                pass


def _moves(said: list[Said]) -> dict[str, OperationMoved]:
    return {
        each.id: each for _, each in said
        if isinstance(each, OperationMoved) and each.state is not State.ACCEPTED
    }  # fmt: skip


def _filed(said: list[Said]) -> dict[str, OperationFiled]:
    return {each.operation.id: each for _, each in said
            if isinstance(each, OperationFiled)}  # fmt: skip


def _conflicts(said: list[Said]) -> dict[str, Conflict]:
    return {each.conflict.id: each.conflict for _, each in said
            if isinstance(each, ConflictChanged)}  # fmt: skip


def _counted(said: list[Said]) -> Counter[Said]:
    return Counter(each for each in said if isinstance(each.event, FilingsCounted))


def _number(said: Said) -> str:
    count = said.event.filings if isinstance(said.event, FilingsCounted) else 0
    return f"{count} filings in an hour"


def _off_filed(one: OperationFiled, other: OperationFiled, names: Iterable[str]) -> Iterator[str]:
    yield from _off(one.operation, other.operation, names)
    if one.understood != other.understood:
        yield "understood"


def _off(one: Signed, other: Signed, names: Iterable[str]) -> Iterator[str]:
    return (each for each in names if getattr(one, each) != getattr(other, each))


def _words(off: Iterable[str], conflict: Conflict) -> str:
    return ", ".join(f"state {conflict.state}" if each == "state" else each for each in off)


def _is_by_kernel(one: Conflict, other: Conflict) -> bool:
    """Tell whether two forms of a conflict differ by what the kernel has found of the pair."""
    return one.state is not other.state and {one.state, other.state} <= BY_KERNEL
