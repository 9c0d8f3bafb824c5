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
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import msgspec

from keepclear.agreement.claims import every_cylinder
from keepclear.agreement.separation import RuleSet
from keepclear.detect.kernel import Functions
from keepclear.errors import OperatorError
from keepclear.exchange import incidents
from keepclear.exchange.agreements import recheck_some, stand
from keepclear.exchange.decide import decide
from keepclear.exchange.deciding import Deciding
from keepclear.exchange.events import (
    IncidentChanged,
    OperationFiled,
    OperationMoved,
)
from keepclear.exchange.index import Near
from keepclear.exchange.lapses import has_open, kept_claim
from keepclear.exchange.none_here import look_again
from keepclear.exchange.operations import Refused, fall_due, lapse
from keepclear.exchange.ports import Clock, Ids, Store
from keepclear.exchange.views import Answer, Disclosed
from keepclear.exchange.views import answer as disclosed_answer
from keepclear.exchange.world import World, keep, undo
from keepclear.plans.operations import Operation, protects_until_us
from keepclear.record.encoding import encode
from keepclear.record.entries import EVERYBODY, Leaf, Part, audience_of
from keepclear.record.envelopes import Envelope
from keepclear.record.files import AnyLine, BeatLine, CheckpointLine, EntryLine
from keepclear.record.headers import Act, Place, check_act, read_act
from keepclear.record.key_documents import Keyring
from keepclear.record.keys import Signer
from keepclear.record.ledger import ForWhom, Ledger
from keepclear.record.notes import NoteKey
from keepclear.record.parts import ACT_KIND, DOCUMENT_KIND
from keepclear.record.signers import verify_signers


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
        self._answers: dict[tuple[str, str], tuple[bytes, Disclosed[Answer]]] = {}
        self._expiring: list[tuple[int, tuple[str, str]]] = []  # when an answer is kept no longer
        self._has_failed = False
        self._due: list[tuple[int, str]] = []
        self._beats = 0

    def admit(self, document: Envelope) -> None:
        """Enter a party's key document, for everybody, and then what it makes of agreements.

        `CallerError` for one that does not follow, or with which an agreement that all have signed
        could not be read any more: with a key that is another party's, or dated before signatures.
        """
        now_us = self._now_us()
        self._pass_time(now_us)
        keys = self.keys.copy()
        party = keys.add(document, self._ledger.chain.seq).party
        with self._undoing():
            deciding = self._deciding(now_us)
            for own_hash, each in self.world.agreements.items():
                if any(own.id == party for own in each.agreement.parties):
                    stand(deciding, own_hash, keys)
        self.keys = keys
        self._enter(now_us, [(EVERYBODY, DOCUMENT_KIND, document)])
        self._commit("", now_us, deciding, deciding.parts)

    def submit(self, envelope: Envelope, sender: str) -> Disclosed[Answer]:
        """Decide an act and answer its sender; `CallerError` says why it was refused.

        sender: the party that has proven to be at the other end of the connection.
        """
        now_us = self._now_us()
        act = read_act(envelope)
        if act.party != sender:
            raise Refused(
                f"act {act.id[:8]}: is of {act.party}, and was sent by {sender}; "
                "each party sends its own acts"
            )
        self._forget_answers(now_us)
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
        with self._undoing():
            deciding = self._deciding(now_us)
            decide(deciding, act, self.keys)
        seen_by = audience_of([act.party, *deciding.seen_by])
        parts = [(seen_by, ACT_KIND, envelope), *deciding.parts]
        answer = self._commit(act.party, now_us, deciding, parts)
        self._answers[act.party, act.id] = (data, answer)
        heapq.heappush(self._expiring, (act.expires_us, (act.party, act.id)))
        return answer

    def pass_time(self) -> None:
        """Enter what has fallen due by now."""
        self._pass_time(self._now_us())

    def _pass_time(self, now_us: int) -> None:
        """Enter what has fallen due by a time, each with its own."""
        while self._due and self._due[0][0] <= now_us:
            first = self._due[0]
            due_us, key = max(first[0], self._ledger.chain.at_us), first[1]  # never backwards
            with self._undoing():
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
                    elif not operation.is_protecting and has_open(self.world, operation):
                        lapse(deciding, operation)
            while self._due and self._due[0] == first:
                heapq.heappop(self._due)
            self._commit("", due_us, deciding, deciding.parts)

    def recheck_some(self) -> bool:
        """Enter one entry of what is RE-CHECKING; tell whether there is more.

        The owner calls it between acts, until nothing is left: no act waits for it.
        """
        now_us = self._now_us()
        self._pass_time(now_us)
        if self.world.rechecking:
            with self._undoing():
                deciding = self._deciding(now_us)
                recheck_some(deciding)
            self._commit("", now_us, deciding, deciding.parts)
        return bool(self.world.rechecking)

    def beat(self) -> None:
        """Sign a checkpoint of each tree, and the beat over all of them."""
        self._check_whole()
        name, signer = self._region.exchange, self._signer
        lines = [
            CheckpointLine(note=self._ledger.signed_checkpoint(audience, name, signer))
            for audience in self._ledger.trees
        ]
        salt = self._ids.salt()
        note = self._ledger.beat(self._beats, salt, name, signer)
        self._beats += 1
        self._write([*lines, BeatLine(salt=salt, note=note)])

    def _forget_answers(self, now_us: int) -> None:
        """Keep no answer longer than its act could be sent again: from then on it has expired."""
        while self._expiring and self._expiring[0][0] <= now_us:
            del self._answers[heapq.heappop(self._expiring)[1]]

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
        verify_signers(envelope, act, self.keys, now_us, self._ledger.chain.seq)

    def _commit(
        self, party: str, now_us: int, deciding: Deciding, parts: list[tuple[str, str, Any]]
    ) -> Disclosed[Answer]:
        """Write what was decided, keep it, and return what the sender may see of it."""
        if not parts:
            self._plan(deciding)
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
        self._write([EntryLine(entry=msgspec.Raw(data))])
        return entry.leaves

    def _write(self, lines: list[AnyLine]) -> None:
        """Write into the record. Where that fails, what is here is ahead of it, and stops."""
        self._has_failed = True
        self._store.append(lines)
        self._has_failed = False

    def _now_us(self) -> int:
        """Return the time, where the record is whole."""
        self._check_whole()
        return self._clock.now_us()

    def _check_whole(self) -> None:
        if self._has_failed:
            raise OperatorError(
                "record: could not be written, so nothing is decided any more; see that it can be, "
                "and begin again from what is written"
            )

    def _plan(self, deciding: Deciding) -> None:
        """Note when something falls due of what was decided."""
        for each in deciding.due:
            heapq.heappush(self._due, each)
        for _, _, event in deciding.parts:
            match event:
                case OperationFiled(operation=operation):
                    self._plan_operation(operation, deciding.now_us)
                case OperationMoved(id=operation_id):
                    self._plan_operation(self.world.operations[operation_id], deciding.now_us)
                case IncidentChanged(incident=incident) if incident.due_us is not None:
                    heapq.heappush(self._due, (incident.due_us, incident.id))

    def _plan_operation(self, operation: Operation, now_us: int) -> None:
        """Note when an operation falls due; at once where that has passed."""
        if operation.is_protecting:
            due_us = max(protects_until_us(operation), now_us)
            heapq.heappush(self._due, (due_us, operation.id))

    @contextmanager
    def _undoing(self) -> Iterator[None]:
        """Take back what is done within, whole, where it fails: refused, or a fault of ours."""
        try:
            yield
        except BaseException:
            self._undo()
            raise

    def _undo(self) -> None:
        """Take back what was not decided to its end, in the world and beside it."""
        undo(self.world)
        for operation_id in list(self._near.touched):
            operation = self.world.operations.get(operation_id)
            claim = kept_claim(self.world, operation)
            if operation is None or claim is None:
                self._near.drop(operation_id)
            else:
                self._near.put(operation.status, claim)
        self._near.touched.clear()
