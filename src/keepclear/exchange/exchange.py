# SPDX-License-Identifier: Apache-2.0
"""The exchange: takes acts one after another, decides, keeps the record, answers.

What it holds follows from its record alone: it opens a region with an empty one, and goes on with
one that is there as if it had never stopped (`reopening`).

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

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import msgspec

from keepclear.agreement.binding import Minima
from keepclear.detect.kernel import Functions
from keepclear.errors import CallerError, OperatorError
from keepclear.exchange import incidents, line_checks, messages, stops
from keepclear.exchange.agreements import recheck_some, stand
from keepclear.exchange.answers import Answered, answer_again
from keepclear.exchange.batch import Batch, batch_of, take_back, take_back_act
from keepclear.exchange.checking import Asked, ToCheck, gathered
from keepclear.exchange.decide import decide
from keepclear.exchange.deciding import Deciding
from keepclear.exchange.events import KIND_OF, KINDS, Event, LateActDecided, RegionOpened
from keepclear.exchange.kept import Kept, Region
from keepclear.exchange.late import IdsOfThen, LateAct, read_late
from keepclear.exchange.looked import Looked, looked_at
from keepclear.exchange.none_here import look_again
from keepclear.exchange.operations import Refused, fall_due
from keepclear.exchange.own_keys import check_not_ours, next_cap_key, next_key
from keepclear.exchange.ports import Clock, Ids, NotWritten, Store
from keepclear.exchange.reads import Reads
from keepclear.exchange.rechecking import expire
from keepclear.exchange.reopening import reopened
from keepclear.exchange.snapshots import Copied, copied
from keepclear.exchange.viewers import Seen
from keepclear.exchange.views import NOTICE_KIND, Answer, Disclosed
from keepclear.exchange.views import answer as disclosed_answer
from keepclear.exchange.world import World, keep
from keepclear.plans.operations import protects_until_us
from keepclear.record.cap_keys import CapKey
from keepclear.record.encoding import encode
from keepclear.record.entries import EVERYBODY, Part, Placed, audience_of
from keepclear.record.envelopes import Envelope, Known, signed_by
from keepclear.record.files import (
    BeatLine,
    CheckpointLine,
    ClockLine,
    EntryLine,
    WorldLine,
    WriterLine,
)
from keepclear.record.headers import Act, Place, check_act, read_act
from keepclear.record.key_documents import Keyring
from keepclear.record.keys import Signer
from keepclear.record.ledger import ForWhom
from keepclear.record.notes import NoteKey
from keepclear.record.parts import ACT_KIND, DOCUMENT_KIND, EXCHANGE_KEY_KIND, LATE_ACT_KIND
from keepclear.record.receipts import Receipt
from keepclear.record.signers import OF_DISTRESS, deed_of, verify_signers


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
        kept: Kept | None = None,
        others: Sequence[Signer] = (),
    ) -> None:
        """Open a region, or go on with the record that the store holds.

        kept: what that leads to, where it was read already. others: further keys that are at hand;
        it signs with the one that the record goes on with. `OperatorError` for a record that does
        not hold, was opened otherwise, or goes on with a key that is not there.
        """
        self._region, self._clock = region, clock
        self._signers = {each.public: each for each in (signer, *others)}
        self._ids, self._store, self._functions = ids, store, functions
        self._has_failed = False
        self._batch: Batch | None = None
        self._unsaid: tuple[str, int] | None = None
        self._kept = self._from_record() if kept is None else kept
        self.reads = Reads(self._written, store, region, lambda: self._signer)
        if not self.world.opened:
            self._open()

    @property
    def world(self) -> World:
        """Return what stands now."""
        return self._kept.world

    @property
    def is_whole(self) -> bool:
        """Tell whether it is known what is written; where it is not, nothing is decided."""
        return not self._has_failed

    @property
    def region(self) -> Region:
        """Return what it was opened with."""
        return self._region

    @property
    def signing(self) -> tuple[NoteKey, ...]:
        """Return the exchange's own keys, one after another; the last signs now."""
        return self._kept.signing

    @property
    def _signer(self) -> Signer:
        """Return what it signs with: as the record says, so a change is taken back with it."""
        return self._signers[self._kept.signing[-1].key]

    @property
    def keys(self) -> Keyring:
        """Return the keys of all parties."""
        return self._kept.keys

    def written_by(self, node: str, term: int) -> None:
        """Say in the record, before anything else of this exchange, which node writes it now.

        term: of the node's lease, 0 where it has none. It stands in no party's file.
        """
        self._unsaid = "".join(each if "!" <= each <= "~" else "?" for each in node)[:253], term

    def hold_time(self, off_us: int) -> None:
        """Let nothing happen by time alone as long as clocks differ; 0: they do not any more.

        Acts are decided all the same. What protects does so for longer, never for less.
        """
        if (off_us != 0) == self._kept.is_held:
            return
        with self.together() as batch:
            line = ClockLine(seq=batch.chain.seq, at_us=self._now_us(), off_us=off_us)
            batch.lines.append(line)
            self._kept.beside.append(line.said)
            self._kept.is_held = off_us != 0

    def _from_record(self) -> Kept:
        return reopened(self._store.lines, self._region, self._signers, self._functions)

    def _open(self) -> None:
        """Enter how the region is opened, so that the record needs nothing beside it."""
        region, now_us = self._region, self._now_us()
        with self.together() as batch, self._undoing(batch):
            deciding = self._deciding(now_us)
            deciding.emit([EVERYBODY], RegionOpened(
                region=region.name, incarnation=region.incarnation, exchange=region.exchange,
                house=region.house,
            ))  # fmt: skip
            self._commit(batch, "", now_us, deciding, deciding.parts)

    def admit(self, document: Envelope) -> None:
        """Enter a party's key document, for everybody, and then what it makes of agreements.

        `CallerError` for one that does not follow, or with which an agreement that all have signed
        could not be read any more: with a key that is another party's, or dated before signatures;
        and for one with a key that the exchange has gone on with.
        """
        now_us = self._now_us()
        if any(document in self.keys.documents(each) for each in self.keys.parties()):
            return  # it is there: a file of keys has the earlier ones too
        with self.together() as batch:
            self._pass_time(batch, now_us)
            keys = self.keys.copy()
            party = keys.add(document, self._kept.ledger.chain.seq).party
            check_not_ours(keys, party, self._kept)
            with self._undoing(batch):
                deciding = self._deciding(now_us)
                for own_hash, each in self.world.agreements.items():
                    if any(own.id == party for own in each.agreement.parties):
                        stand(deciding, own_hash, keys)
                parts = [(EVERYBODY, DOCUMENT_KIND, document), *deciding.parts]
                self._commit(batch, "", now_us, deciding, parts)
            self._kept.keys = keys

    def change_key(self, change: Envelope, signer: Signer) -> None:
        """Enter, for everybody, that the exchange goes on with another key; it signs all after it.

        With it goes a beat, and a checkpoint of each tree: so all that stands is signed anew.
        change: signed with the key of now and with the new one (`parts.seal_exchange_key`).
        `CallerError` for a key that was used before, or is a party's.
        """
        now_us = self._now_us()
        with self.together() as batch:
            self._pass_time(batch, now_us)
            kept = self._kept
            key = next_key(change, signer, kept, self._region)
            with self._undoing(batch):
                deciding = self._deciding(now_us)
                parts = [(EVERYBODY, EXCHANGE_KEY_KIND, change)]
                self._commit(batch, "", now_us, deciding, parts)
            self._signers[key.key] = signer
            kept.followed, kept.signing = (*kept.followed, change), (*kept.signing, key)
            kept.noted = {}
            self.beat()

    def set_cap_key(self, certificate: bytes) -> CapKey:
        """Enter, for everybody, with which key CAP documents are signed from now on.

        certificate: of that key, as DER. `RecordError` for one that was used before, or is none.
        """
        now_us = self._now_us()
        with self.together() as batch:
            self._pass_time(batch, now_us)
            keys, part = next_cap_key(certificate, self._signer, self._kept, self._region)
            with self._undoing(batch):
                self._commit(batch, "", now_us, self._deciding(now_us), [part])
            self._kept.cap_keys = keys
        return keys[-1]

    def looked_at(self, envelope: Envelope) -> Looked:
        """Read an act that waits, and verify its signatures; `CallerError` where that fails.

        Whether its signers may sign it is asked when it is decided, by the keys of then.
        """
        return looked_at(envelope, self.keys, self._kept.ledger.chain.seq)

    def submit(
        self, envelope: Envelope, sender: str, looked: Looked | None = None
    ) -> Disclosed[Answer]:
        """Decide an act and answer its sender; `CallerError` says why it was refused.

        sender: the party that has proven to be at the other end of the connection. looked: what
        `looked_at` has given for it, that very object.
        """
        now_us = self._now_us()
        if looked is not None and looked.known.envelope is envelope:
            act, payload, data, known = looked
        else:
            act, payload, data, known = read_act(envelope), None, b"", None
        if act.party != sender:
            raise _of_another(act, sender)
        data = data or encode(envelope)
        self._kept.answers.forget(now_us)
        before = self._answered(act)
        if before is not None:
            if before[0] != data:
                raise Refused(
                    f"act {act.id[:8]}: was sent before with other bytes; give each act its own id"
                )
            return before[1]
        self._check(envelope, act, now_us, known)
        with self.together() as batch:
            self._pass_time(batch, now_us)
            with self._undoing(batch):
                deciding = self._deciding(now_us)
                deciding.signed_by = signed_by(envelope)
                decide(deciding, act, self.keys, payload)
                seen_by = audience_of([act.party, *deciding.seen_by])
                parts = [(seen_by, ACT_KIND, envelope), *deciding.parts]
                line = self._kept.viewers.lines + len(batch.lines)
                answer = self._commit(batch, act.party, now_us, deciding, parts)
            places = [each.place for each in answer.value.leaves]
            self._kept.answers.keep(act, line, places, now_us)
            batch.answered[act.party, act.id] = act, data, answer
        return answer

    def proven(self, answered: Disclosed[Answer]) -> Disclosed[tuple[Receipt, ...]]:
        """Return what proves an answer, while it is being written: nobody is told before it is.

        Where it is not written in the end, what was signed for it is forgotten with it.
        """
        return self.reads.receipts_of(self._kept, answered)

    def _answered(self, act: Act) -> tuple[bytes, Disclosed[Answer]] | None:
        """Return the envelope that an act was sent in before, and its answer."""
        known = self._kept.answers.find(act)
        if known is None:
            return None
        if self._batch is not None and (act.party, act.id) in self._batch.answered:
            return self._batch.answered[act.party, act.id][1:]  # it is not written yet
        return self._again(act, known)

    def _again(self, act: Act, known: Answered) -> tuple[bytes, Disclosed[Answer]]:
        return answer_again(self._store.pick([known.line])[0], act.party, known.places)

    def hand_in(self, receipts: Sequence[Receipt], sender: str) -> Disclosed[Answer]:
        """Enter a late act, decide it anew, and answer its sender; as `late.read_late`.

        receipts: what its sender was answered in the incarnation before, that of the act first.
        """
        now_us = self._now_us()
        late = read_late(receipts, self._kept, self._region, self._believed)
        act = late.act
        if act.party != sender:
            raise _of_another(act, sender)
        key = act.party, act.id
        if (known := self._kept.late.get(key)) is not None:
            if self._batch is not None and key in self._batch.late:
                return self._batch.late[key]  # it is not written yet
            return self._again(act, known)[1]
        with self.together() as batch:
            self._pass_time(batch, now_us)
            with self._undoing(batch):
                deciding, refused = self._decided_late(late, now_us)
                said = LateActDecided(id=act.id, refused=refused)
                parts = [
                    (late.receipt.audience, LATE_ACT_KIND, late.receipt),
                    (act.party, KIND_OF[LateActDecided], said), *deciding.parts,
                ]  # fmt: skip
                line = self._kept.viewers.lines + len(batch.lines)
                answer = self._commit(batch, act.party, now_us, deciding, parts)
            places = tuple(each.place for each in answer.value.leaves)
            self._kept.late[key] = Answered(line, places)
            batch.late[key] = answer
        return answer

    def _decided_late(self, late: LateAct, now_us: int) -> tuple[Deciding, str]:
        """Return what comes of a late act, and why nothing does, where it is refused."""
        deciding = self._deciding(now_us)
        deciding.first_us = late.first_us
        deciding.signed_by = late.signed_by
        deciding.ids = IdsOfThen(iter(late.ids), self._ids)
        kept = self._kept
        mark, reach = len(kept.world.undo_log), kept.near.reach
        try:
            decide(deciding, late.act, self.keys)
        except CallerError as refusal:
            take_back_act(kept, mark, reach, self._functions, set())
            return self._deciding(now_us), str(refusal)
        return deciding, ""

    def check(self, envelope: Envelope) -> None:
        """Refuse what does not belong here and now, or that its signers may not sign."""
        self._check(envelope, read_act(envelope), self._now_us())

    def to_check(self, party: str, asked: Asked) -> Disclosed[ToCheck]:
        """Return what a party's plan is compared with before it is filed; nothing is entered.

        `CallerError` for one that could not be filed. What the party was shown is that which
        `reads.catch_up` has read.
        """
        now_us = self._clock.now_us()  # that of the last entry would tell when others act
        house, known = Minima(self._region.house, "", ""), self.reads.known(party, now_us)
        return gathered(self._deciding(now_us), party, asked, known, house)

    def pass_time(self) -> None:
        """Enter what has fallen due by now."""
        with self.together() as batch:
            self._pass_time(batch, self._now_us())

    def _pass_time(self, batch: Batch, now_us: int) -> None:
        """Enter what has fallen due by a time, each with its own; nothing while it is held."""
        while not self._kept.is_held and (first := self._kept.due.first(now_us)) is not None:
            due_us = max(first.at_us, self._kept.ledger.chain.at_us)  # never backwards
            with self._kept.due.dropped(first), self._undoing(batch):
                deciding = self._deciding(due_us)
                self._fall_due(deciding, first.key)
                self._commit(batch, "", due_us, deciding, deciding.parts)
            batch.passed.append(first)

    def _fall_due(self, deciding: Deciding, key: str) -> None:
        """Look at what a key names, whose time has come."""
        if key in self.world.agreements:
            stand(deciding, key, self.keys)
            line_checks.look_again(deciding)
        elif key in self.world.incidents:
            incidents.fall_due(deciding, self.world.incidents[key])
        elif key in self.world.messages:
            messages.fall_due(deciding, self.world.messages[key])
        elif key in self.world.line_checks:
            line_checks.fall_due(deciding, self.world.line_checks[key])
        elif key in self.world.lines_checked:
            line_checks.time_passed(deciding, self.world.lines_checked[key])
        elif key in self.world.stops:
            stops.fall_due(deciding, self.world.stops[key])
        elif (operation := self.world.operations.get(key)) is not None:
            if operation.is_protecting and protects_until_us(operation) <= deciding.now_us:
                fall_due(deciding, operation)
                look_again(deciding)
            elif not operation.is_protecting:
                expire(deciding, operation)

    def recheck_some(self) -> bool:
        """Enter one entry of what is to be looked at again; tell whether there is more.

        The owner calls it between acts, until nothing is left: no act waits for it.
        """
        now_us = self._now_us()
        with self.together() as batch:
            self._pass_time(batch, now_us)
            if self.world.is_waiting:
                with self._undoing(batch):
                    deciding = self._deciding(now_us)
                    recheck_some(deciding)
                    self._commit(batch, "", now_us, deciding, deciding.parts)
        return self.world.is_waiting

    def beat(self) -> None:
        """Sign a checkpoint of each tree that has grown, and the beat over all of them."""
        name, signer, kept = self._region.exchange, self._signer, self._kept
        with self.together() as batch:
            batch.lines.extend(
                CheckpointLine(note=kept.ledger.signed_checkpoint(audience, name, signer))
                for audience, tree in kept.ledger.trees.items()
                if kept.noted.get(audience) != len(tree)
            )
            kept.noted = {audience: len(tree) for audience, tree in kept.ledger.trees.items()}
            salt = self._ids.salt()
            note = kept.ledger.beat(kept.beats, salt, name, signer, kept.beside)
            batch.lines.append(BeatLine(salt=salt, note=note))
            kept.beats += 1
            kept.beside.clear()

    def copied(self, version: str) -> Copied:
        """Return copies of all that is held, for a snapshot. version: of this program."""
        kept = self._written()
        [last] = self._store.pick([kept.viewers.lines - 1])
        return copied(kept, self._region, last, version)

    def _written(self) -> Kept:
        """Return what is held, where all of it is written: nothing else is shown to anybody."""
        self._check_whole()
        if self._batch is not None:
            raise AssertionError("what is decided is told once it is written")
        return self._kept

    @contextmanager
    def together(self) -> Iterator[Batch]:
        """Write all that is decided within at once, at the end; within another one, at its end.

        Each act within is decided as by itself: one that is refused changes nothing, and the others
        are written. No answer of it may leave before its end. `NotWritten` at the end: nothing of
        it was done.
        """
        if self._batch is not None:
            yield self._batch
            return
        self._check_whole()
        batch = self._batch = batch_of(self._kept)
        self._say_writer(batch)
        try:
            yield batch
        finally:
            self._batch = None
            if not self._has_failed:
                self._write(batch)
                keep(self.world)

    def _say_writer(self, batch: Batch) -> None:
        """Begin a batch with who writes, until one was written that did."""
        if self._unsaid is not None:
            kept, (node, term) = self._kept, self._unsaid
            line = WriterLine(
                number=kept.writers + 1, seq=batch.chain.seq, at_us=self._now_us(), node=node,
                term=term,
            )  # fmt: skip
            batch.lines.append(line)
            kept.beside.append(line.said)
            kept.writers = line.number

    def _deciding(self, now_us: int) -> Deciding:
        kept = self._kept
        return Deciding(
            world=kept.world, near=kept.near, functions=self._functions,
            bindings=kept.bindings, ids=self._ids, now_us=now_us, counts=dict(kept.counts),
            parties=frozenset(kept.keys.parties()), holds=kept.ledger.holds,
            believed=self._believed, posts=kept.keys.posts,
            signing_for=kept.keys.signing_for,
        )  # fmt: skip

    @property
    def _believed(self) -> tuple[NoteKey, ...]:
        """Return the exchange's own keys: receipts may be from before one was followed."""
        return self._kept.signing

    def _check(self, envelope: Envelope, act: Act, now_us: int, known: Known | None = None) -> None:
        """Refuse an act that does not belong here and now, or that its signers may not sign."""
        region, incarnation = self._region.name, self._region.incarnation
        place = Place(region=region, incarnation=incarnation, now_us=now_us)
        check_act(act, place, has_clock=deed_of(act) not in OF_DISTRESS)
        verify_signers(envelope, act, self.keys, now_us, self._kept.ledger.chain.seq, known=known)

    def _commit(
        self,
        batch: Batch,
        party: str,
        now_us: int,
        deciding: Deciding,
        parts: list[tuple[str, str, Any]],
    ) -> Disclosed[Answer]:
        """Enter what was decided, and return what the sender may see of it."""
        entered: tuple[Placed, ...] = ()
        if parts:
            entered = self._enter(batch, now_us, parts)
            self._kept.counts = deciding.counts
        for at_us, key in deciding.due:
            self._kept.due.put(at_us, key)
        events: list[Event] = [value for _, kind, value in deciding.parts if kind in KINDS]  # type: ignore[misc]
        self._kept.due.plan(self.world, events, now_us)
        return disclosed_answer(party, now_us, entered)

    def _enter(
        self, batch: Batch, now_us: int, parts: list[tuple[str, str, Any]]
    ) -> tuple[Placed, ...]:
        """Make an entry, and the hash of the world beside it where that is due."""
        made = [
            ForWhom(
                audience=audience, salt=self._ids.salt(),
                part=Part(kind=kind, at_us=now_us, data=msgspec.Raw(encode(value))),
            )
            for audience, kind, value in parts
        ]  # fmt: skip
        ledger = self._kept.ledger
        entered = ledger.next(now_us, made)
        batch.seen[len(batch.lines)] = Seen(
            frozenset(audience for audience, _, _ in parts),
            tuple((audience, value.conflict) for audience, kind, value in parts
                  if kind == NOTICE_KIND),
        )  # fmt: skip
        batch.lines.append(EntryLine(entry=msgspec.Raw(entered.data)))
        placed = ledger.take(entered)
        seq = entered.chain.seq
        if seq % self._region.hash_every == 0:
            line = WorldLine(seq=seq, hash=self.world.hash)
            batch.lines.append(line)
            self._kept.beside.append(line.said)
        return placed

    def _write(self, batch: Batch) -> None:
        """Write a batch into the record.

        Where it is not known whether that was done, the exchange stops. `NotWritten` where it is
        known that it was not: it goes on as it stood before.
        """
        if not batch.lines or (self._unsaid is not None and len(batch.lines) == 1):
            kept = self._kept  # who writes is said with the first that is written
            kept.beside[:], kept.writers = batch.beside, batch.writers
            return
        self._has_failed = True
        lines = [encode(line) for line in batch.lines]
        try:
            self._store.append(lines)
        except NotWritten:
            self.reads.forget()
            if not take_back(self._kept, batch, self._functions):
                self._kept = self._from_record()
            self._has_failed = False
            raise
        except BaseException:
            self.reads.forget()
            take_back(self._kept, batch, self._functions)  # nobody is shown what may not be there
            raise
        for number, each in enumerate(lines):
            self._kept.viewers.note(each, batch.seen.get(number))
        self._has_failed, self._unsaid = False, None

    def _now_us(self) -> int:
        """Return the time, where the record is whole; never before that of its last entry."""
        self._check_whole()
        return max(self._clock.now_us(), self._kept.ledger.chain.at_us)

    def _check_whole(self) -> None:
        if self._has_failed:
            raise OperatorError(
                "record: could not be written, or it is not known that it was, so nothing is "
                "decided any more; see that it can be, and begin again from what is written"
            )

    @contextmanager
    def _undoing(self, batch: Batch) -> Iterator[None]:
        """Take back what is done within, whole, where it fails: refused, or a fault of ours."""
        kept = self._kept
        mark, reach = len(kept.world.undo_log), kept.near.reach
        try:
            yield
        except BaseException:
            self._has_failed = True  # unless all of it is taken back
            take_back_act(kept, mark, reach, self._functions, set())
            self._has_failed = False
            raise
        batch.touched.update(kept.near.touched)
        kept.near.touched.clear()


def _of_another(act: Act, sender: str) -> Refused:
    return Refused(
        f"act {act.id[:8]}: is of {act.party}, and was sent by {sender}; each party sends its own "
        "acts"
    )
