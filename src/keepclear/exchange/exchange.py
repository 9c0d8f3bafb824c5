# SPDX-License-Identifier: Apache-2.0
"""The exchange: takes acts one after another, decides, keeps the record, answers.

1. An act is checked before it is decided: key, post, mandate, place, time, and whether it came
   before. What is refused changes nothing and enters nothing.
2. All that an act leads to is one entry, written before anybody is answered.
3. The same id with the same bytes gets the stored answer again; with other bytes it is an error.
   A party sends its own acts and no other's: the other side of a conflict holds the bytes of what
   was done about it, and the answer to them has more in it than it may see.
4. What falls due by time alone is entered by the exchange itself, before the next act is decided,
   and with the time at which it fell due: with that of the next act it would tell one side when
   the other has acted.
"""

import heapq
from typing import Any, NamedTuple

import msgspec

from keepclear.agreement.claims import every_cylinder
from keepclear.agreement.separation import RuleSet
from keepclear.agreement.states import State as AgreementState
from keepclear.detect.kernel import Functions
from keepclear.errors import CallerError
from keepclear.exchange import incidents
from keepclear.exchange.agreements import recheck_some, stand
from keepclear.exchange.decide import decide
from keepclear.exchange.deciding import Deciding
from keepclear.exchange.events import (
    AgreementCarried,
    AgreementStood,
    IncidentChanged,
    OperationFiled,
    OperationMoved,
)
from keepclear.exchange.index import Near
from keepclear.exchange.none_here import look_again
from keepclear.exchange.operations import Refused, fall_due
from keepclear.exchange.ports import Clock, Ids, Store
from keepclear.exchange.views import Answer, Disclosed
from keepclear.exchange.views import answer as disclosed_answer
from keepclear.exchange.world import World, keep, undo
from keepclear.plans.operations import Operation, claim_of, protects_until_us
from keepclear.record.encoding import encode
from keepclear.record.entries import EVERYBODY, Leaf, Part, audience_of
from keepclear.record.envelopes import Envelope, verified
from keepclear.record.files import BeatLine, CheckpointLine, EntryLine
from keepclear.record.headers import ACT, Act, Place, check_act, read_act
from keepclear.record.key_documents import Keyring
from keepclear.record.keys import Signer
from keepclear.record.ledger import ForWhom, Ledger
from keepclear.record.notes import NoteKey
from keepclear.record.parts import ACT_KIND, DOCUMENT_KIND
from keepclear.record.signers import check_signers


class Region(NamedTuple):
    """What an exchange is set up with: its region, its name and key, its house rule."""

    name: str
    exchange: str
    house: RuleSet
    incarnation: int = 1


class Exchange:
    """One region, one writer. Each method is called by the owner, one at a time."""

    def __init__(
        self,
        region: Region,
        signer: Signer,
        clock: Clock,
        ids: Ids,
        store: Store,
        functions: Functions,
    ) -> None:
        self._region, self._signer, self._clock = region, signer, clock
        self._ids, self._store, self._functions = ids, store, functions
        self.world = World()
        self.keys = Keyring()
        self._ledger = Ledger(region.name, region.incarnation)
        self._near = Near(functions, every_cylinder([region.house]))
        self._counts: dict[str, int] = {}
        self._answers: dict[tuple[str, str], tuple[bytes, Disclosed[Answer], int]] = {}
        self._due: list[tuple[int, str]] = []
        self._beats = 0

    def admit(self, document: Envelope) -> None:
        """Enter a party's key document, for everybody."""
        now_us = self._clock.now_us()
        self._pass_time(now_us)
        self.keys.add(document, self._ledger.chain.seq)
        self._enter(now_us, [(EVERYBODY, DOCUMENT_KIND, document)])

    def submit(self, envelope: Envelope, sender: str) -> Disclosed[Answer]:
        """Decide an act and answer its sender; `CallerError` says why it was refused.

        sender: the party that has proven to be at the other end of the connection.
        """
        now_us = self._clock.now_us()
        act = read_act(envelope)
        if act.party != sender:
            raise Refused(
                f"act {act.id[:8]}: is of {act.party}, and was sent by {sender}; "
                "each party sends its own acts"
            )
        data = encode(envelope)
        known = self._answers.get((act.party, act.id))
        if known is not None:
            if known[0] != data:
                raise Refused(
                    f"act {act.id[:8]}: was sent before with other bytes; give each act its own id"
                )
            return known[1]
        self._check(envelope, act, now_us)
        self._pass_time(now_us)
        deciding = self._deciding(now_us)
        try:
            decide(deciding, act, self.keys)
        except CallerError:
            self._undo()
            raise
        seen_by = audience_of([act.party, *deciding.seen_by])
        parts = [(seen_by, ACT_KIND, envelope), *deciding.parts]
        answer = self._commit(act.party, now_us, deciding, parts)
        self._answers[act.party, act.id] = (data, answer, act.expires_us)
        return answer

    def pass_time(self) -> None:
        """Enter what has fallen due by now."""
        self._pass_time(self._clock.now_us())

    def _pass_time(self, now_us: int) -> None:
        """Enter what has fallen due by a time, each with its own."""
        while self._due and self._due[0][0] <= now_us:
            due_us, key = heapq.heappop(self._due)
            due_us = max(due_us, self._ledger.chain.at_us)  # time never runs backwards
            deciding = self._deciding(due_us)
            if key in self.world.agreements:
                stand(deciding, key, self.keys)
            elif key in self.world.incidents:
                incidents.fall_due(deciding, self.world.incidents[key])
            else:
                operation = self.world.operations[key]
                if operation.is_protecting and protects_until_us(operation) <= due_us:
                    fall_due(deciding, operation)
                    look_again(deciding)
            self._commit("", due_us, deciding, deciding.parts)

    def recheck_some(self) -> bool:
        """Enter one entry of what is RE-CHECKING; tell whether there is more.

        The owner calls it between acts, until nothing is left: no act waits for it.
        """
        now_us = self._clock.now_us()
        self._pass_time(now_us)
        if self.world.rechecking:
            deciding = self._deciding(now_us)
            recheck_some(deciding)
            self._commit("", now_us, deciding, deciding.parts)
        return bool(self.world.rechecking)

    def beat(self) -> None:
        """Sign a checkpoint of each tree, and the beat over all of them."""
        name, signer = self._region.exchange, self._signer
        lines = [
            CheckpointLine(note=self._ledger.signed_checkpoint(audience, name, signer))
            for audience in self._ledger.trees
        ]
        salt = self._ids.salt()
        note = self._ledger.beat(self._beats, salt, name, signer)
        self._beats += 1
        self._store.append([*lines, BeatLine(salt=salt, note=note)])

    def _deciding(self, now_us: int) -> Deciding:
        return Deciding(
            world=self.world, near=self._near, functions=self._functions,
            house=self._region.house, ids=self._ids, now_us=now_us, counts=dict(self._counts),
            parties=frozenset(self.keys.parties()), holds=self._ledger.holds,
            believed=(NoteKey(self._region.exchange, self._signer.public),),
        )  # fmt: skip

    def _check(self, envelope: Envelope, act: Act, now_us: int) -> None:
        """Refuse an act that does not belong here and now, or that its signers may not sign."""
        region, incarnation = self._region.name, self._region.incarnation
        check_act(act, Place(region=region, incarnation=incarnation, now_us=now_us))
        signers = {
            each.keyid: self.keys.appointed(act.party, each.keyid) for each in envelope.signatures
        }
        check_signers(act, tuple(signers.values()), self.keys.latest(act.party).one_person)
        verified(envelope, {key_id: each.key for key_id, each in signers.items()}, ACT)

    def _commit(
        self, party: str, now_us: int, deciding: Deciding, parts: list[tuple[str, str, Any]]
    ) -> Disclosed[Answer]:
        """Write what was decided, keep it, and return what the sender may see of it."""
        if not parts:
            return disclosed_answer(party, now_us, ())
        leaves = self._enter(now_us, parts)
        keep(self.world)
        self._near.touched.clear()
        self._counts = deciding.counts
        self._plan(deciding)
        return disclosed_answer(party, now_us, leaves)

    def _enter(self, now_us: int, parts: list[tuple[str, str, Any]]) -> tuple[Leaf, ...]:
        made = [
            ForWhom(
                audience=audience, salt=self._ids.salt(),
                part=Part(kind=kind, at_us=now_us, data=msgspec.Raw(encode(value))),
            )
            for audience, kind, value in parts
        ]  # fmt: skip
        entry, data = self._ledger.append(now_us, made)
        self._store.append([EntryLine(entry=msgspec.Raw(data))])
        return entry.leaves

    def _plan(self, deciding: Deciding) -> None:
        """Note when something falls due of what an entry has touched."""
        for _, _, event in deciding.parts:
            match event:
                case OperationFiled(operation=operation):
                    self._plan_operation(operation, deciding.now_us)
                case OperationMoved(id=operation_id):
                    self._plan_operation(self.world.operations[operation_id], deciding.now_us)
                case IncidentChanged(incident=incident) if incident.due_us is not None:
                    heapq.heappush(self._due, (incident.due_us, incident.id))
                case AgreementCarried(hash=own_hash) | AgreementStood(hash=own_hash):
                    agreement = self.world.agreements[own_hash].agreement
                    times = [agreement.in_force_us, agreement.until_us]
                    if self.world.agreements[own_hash].state is AgreementState.DENOUNCED:
                        times.append(deciding.now_us + agreement.notice_us)
                    for due_us in times:
                        if due_us > deciding.now_us:
                            heapq.heappush(self._due, (due_us, own_hash))

    def _plan_operation(self, operation: Operation, now_us: int) -> None:
        """Note when an operation falls due; at once where that has passed."""
        if operation.is_protecting:
            due_us = max(protects_until_us(operation), now_us)
            heapq.heappush(self._due, (due_us, operation.id))

    def _undo(self) -> None:
        """Take back what a refused act has done so far, in the world and beside it."""
        undo(self.world)
        for operation_id in list(self._near.touched):
            operation = self.world.operations.get(operation_id)
            if operation is None or not operation.is_protecting:
                self._near.drop(operation_id)
            else:
                self._near.put(operation.status, claim_of(operation))
        self._near.touched.clear()
