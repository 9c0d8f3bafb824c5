# SPDX-License-Identifier: Apache-2.0
"""What an exchange holds of its record, made again from the lines alone.

An exchange that begins again goes on as if it had never stopped: every later answer, entry and
notice is, byte for byte, what it would have been.

1. What is to be looked at by time alone is noted anew at each entry, with what stood then. What
   fell due before an entry was looked at before it was written; what falls due at its time or
   later is looked at once the exchange goes on, and does nothing where that was done already.
2. The index is asked with all that ever held, as it was; what is compared now is put into it.
   When what is over by its time is so for the other side too is reckoned from how all stands now.
3. Entries are checked against the order, hashes of the world against the fold, and the last beat
   against order and trees, or each beat where a record is read along. Signatures are for
   `record.verification`.
4. A kind of part that is not known refuses to start: what is not understood is never passed over.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any, Final

import msgspec

from keepclear.agreement.claims import every_cylinder
from keepclear.detect.kernel import Functions
from keepclear.errors import OperatorError
from keepclear.exchange.agreements import next_look_us, widen
from keepclear.exchange.answers import Answered, kept_until_us, places_seen
from keepclear.exchange.bindings import Between, Bindings
from keepclear.exchange.events import (
    KINDS,
    AgreementCarried,
    AgreementStood,
    Event,
    RegionOpened,
    StandingCarried,
)
from keepclear.exchange.folding import check_world
from keepclear.exchange.index import Near
from keepclear.exchange.kept import Kept, Region, index_anew, near_of, touched
from keepclear.exchange.lapses import lapses_of
from keepclear.exchange.late import act_in
from keepclear.exchange.views import NOTICE_KIND
from keepclear.exchange.world import evolve, keep
from keepclear.record.cap_keys import CapKey
from keepclear.record.encoding import decode
from keepclear.record.entries import Entry, Leaf, Part, Placed
from keepclear.record.envelopes import Envelope
from keepclear.record.exchange_keys import ExchangeKeys
from keepclear.record.faults import BrokenProof, Malformed, NotProven, RecordError
from keepclear.record.files import (
    AnyLine,
    BeatLine,
    CheckpointLine,
    ClockLine,
    EntryLine,
    Header,
    WorldLine,
    WriterLine,
)
from keepclear.record.headers import CLOCK_US
from keepclear.record.keys import PublicKey
from keepclear.record.ledger import Ledger, beat_digest
from keepclear.record.notes import NoteKey, read_checkpoint, split_note
from keepclear.record.parts import (
    ACT_KIND,
    CAP_KEY_KIND,
    DOCUMENT_KIND,
    EXCHANGE_KEY_KIND,
    INCARNATION_KIND,
    LATE_ACT_KIND,
    Incarnation,
)
from keepclear.record.receipts import read_receipt

LINES: Final[msgspec.json.Decoder[AnyLine]] = msgspec.json.Decoder(AnyLine)
PARTS: Final[msgspec.json.Decoder[Part]] = msgspec.json.Decoder(Part)
BEAT: Final = b'{"line":"beat"'


class _Numbered(msgspec.Struct):
    """A notice, of which the number alone is asked for."""

    number: int


class _Sent(msgspec.Struct):
    """An envelope, of which the payload alone is asked for."""

    payload: bytes


class _Act(msgspec.Struct):
    """An act, of which is asked whether it can be sent again."""

    id: str
    party: str
    kind: str
    expires_us: int


def reopened(
    read: Callable[[], Iterable[bytes]], region: Region, publics: Collection[PublicKey],
    functions: Functions,
) -> Kept:  # fmt: skip
    """Return what the lines of a record lead to; of a header alone, what an exchange begins with.

    read: gives the lines from the first on, as often as it is called. publics: the keys that the
    exchange can sign with; which of them it does, the record says. `OperatorError` for a record
    that does not hold, or is not of this region, its house rule, its name and one of the keys.
    """
    last_beat = max(
        (place for place, data in enumerate(read()) if data.startswith(BEAT)), default=0
    )
    following = Following(region, functions, last_beat)
    following.read(read())
    return following.result(publics)


class Following:
    """What the lines of a record lead to, as they come: also while another exchange writes them.

    checked_from: beats before this line are believed; the order is checked all the same. count,
    last: how many lines were read, and the last of them.
    `OperatorError` for a record that does not hold, as `reopened`.
    """

    def __init__(self, region: Region, functions: Functions, checked_from: int = 0) -> None:
        self._region, self._functions, self._checked_from = region, functions, checked_from
        self._reading: _Reading | None = None
        self.count, self.last = 0, b""

    @classmethod
    def after(
        cls, kept: Kept, header: bytes, last: bytes, region: Region, functions: Functions
    ) -> "Following":
        """Go on from what was kept of the lines up to one; last: that line."""
        made = cls(region, functions)
        try:
            made._reading = _Reading(_header(header, region), 0, region, functions, kept)
        except RecordError as fault:
            raise OperatorError(f"record: {fault}") from None
        made.count, made.last = kept.viewers.lines, last
        return made

    def read(self, lines: Iterable[bytes]) -> None:
        """Read the lines that come after those."""
        try:
            for data in lines:
                if self._reading is None:
                    self._begin(data)
                else:
                    self._reading.read(self.count, data)
                self.count, self.last = self.count + 1, data
        except RecordError as fault:
            raise OperatorError(f"record: {fault}") from None

    def warm(self) -> None:
        """Bring the index to what was read so far, so that little of it is left for `result`."""
        if self._reading is not None:
            self._reading.warm()

    @property
    def signing(self) -> tuple[NoteKey, ...]:
        """Return the keys that sign after the lines so far: one, but where a header has more."""
        return () if self._reading is None else self._reading.signing

    def result(self, publics: Collection[PublicKey]) -> Kept:
        """Return what all lines lead to; nothing is read after that. publics: as of `reopened`."""
        try:
            return (self._reading or self._begin(b"")).result(publics)
        except RecordError as fault:
            raise OperatorError(f"record: {fault}") from None

    def _begin(self, header: bytes) -> "_Reading":
        region = self._region
        self._reading = _Reading(
            _header(header, region), self._checked_from, region, self._functions
        )
        self._reading.note(header)
        return self._reading


class _Reading:
    """The state of reading a record that is to go on."""

    def __init__(
        self, header: Header, checked_from: int, region: Region, functions: Functions,
        kept: Kept | None = None,
    ) -> None:  # fmt: skip
        self._region, self._functions = region, functions
        self._signers, self._checked_from = ExchangeKeys(header, None), checked_from
        for envelope in kept.followed if kept is not None else ():
            self._signers.follow(envelope, "exchange key", {})
        self._kept = kept or Kept(
            ledger=Ledger(region.name, region.incarnation),
            near=Near(functions, every_cylinder([region.house])),
            bindings=Bindings(region.house),
        )
        self._touched: dict[str, None] | None = None  # since the index was made; None: it is not

    def warm(self) -> None:
        """Bring the index to how the world stands."""
        kept = self._kept
        if self._touched is None:
            kept.near = near_of(self._functions, kept.world, kept.near.reach)
        else:
            index_anew(kept.near, kept.world, self._touched)
        self._touched = {}

    @property
    def signing(self) -> tuple[NoteKey, ...]:
        """Return the keys that sign from here on."""
        return self._signers.signing

    def note(self, data: bytes) -> None:
        """Note who sees a line."""
        self._kept.viewers.note(data)

    def read(self, place: int, data: bytes) -> None:
        """Read one line after the header; place: how many stand before it.

        Its one form is not looked at, as the hashes of the order are over it.
        """
        path = f"line {place + 1}"
        try:
            self._take(LINES.decode(data), place, path)
            self.note(data)
        except msgspec.DecodeError as fault:
            raise Malformed(path, data[:16], f"cannot be read ({fault})", "get it again") from None

    def _take(self, line: AnyLine, place: int, path: str) -> None:
        match line:
            case EntryLine():
                self._entry(bytes(line.entry), place, path)
            case WorldLine():
                check_world(self._kept.world, line, path)
                self._kept.beside.append(line.said)
            case WriterLine():
                self._kept.beside.append(line.said)
                self._kept.writers = line.number
            case ClockLine():
                self._kept.beside.append(line.said)
                self._kept.is_held = line.off_us != 0
            case CheckpointLine():
                said = read_checkpoint(split_note(line.note)[0])
                self._kept.noted[said.origin.rpartition("/")[2]] = said.size
            case BeatLine():
                if place >= self._checked_from:
                    self._check_beat(line, path)
                self._kept.beats += 1
                self._kept.beside.clear()
            case _:
                pass

    def result(self, publics: Collection[PublicKey]) -> Kept:
        """Return what all lines lead to."""
        kept = self._kept
        kept.signing = self._signing(publics)
        self.warm()
        self._note_lapses()
        kept.answers.forget(kept.ledger.chain.at_us)
        return kept

    def _signing(self, publics: Collection[PublicKey]) -> tuple[NoteKey, ...]:
        """Return the exchange's keys, of which the last signs now, and is one of those given."""
        name, now = self._region.exchange, self._signers.signing
        every = self._signers.earlier
        own = [each for each in now if each.name == name and each.key in publics]
        if not own:
            had = ", ".join(each.id[:16] for each in publics)
            was = any(each.name == name and each.key in publics for each in every)
            raise NotProven(
                "header, exchange", f"{name} {had}",
                f"was followed by key {now[-1].key.id[:16]}, with which this record goes on"
                if was else "does not sign this record",
                "bring exchange.private.json from where the key was changed" if was else
                "begin with the name and key that it was opened with",
            )  # fmt: skip
        return (*(each for each in every if each != own[0]), own[0])

    def _entry(self, data: bytes, line: int, path: str) -> None:
        kept = self._kept
        entry = msgspec.json.decode(data, type=Entry)
        self._look_before(entry.at_us)
        kept.answers.forget(entry.at_us)
        place = kept.ledger.chain.seq
        placed = kept.ledger.read(entry, data)
        events: list[Event] = []
        for leaf in entry.leaves:
            part = PARTS.decode(leaf.part)
            self._part(entry, leaf, part, place, f"{path}, {part.kind}", events)
            if part.kind == ACT_KIND:
                self._act(bytes(part.data), line, placed, entry.at_us)
            elif part.kind == LATE_ACT_KIND:
                act = act_in(read_receipt(bytes(part.data), path), path)
                answered = Answered(line, places_seen(act.party, placed))
                kept.late[act.party, act.id] = answered
        keep(kept.world)
        if self._touched is not None:
            self._touched |= dict.fromkeys(touched(events))
        if not kept.world.opened:
            raise Malformed(path, place, "is before the region was opened", "get it again")
        kept.due.plan(kept.world, events, entry.at_us)

    def _part(
        self, entry: Entry, leaf: Leaf, part: Part, place: int, path: str, events: list[Event]
    ) -> None:
        kept, data = self._kept, bytes(part.data)
        match part.kind:
            case kind if kind in KINDS:
                event: Any = msgspec.json.decode(data, type=KINDS[kind])
                self._event(event, entry.at_us, path)
                events.append(event)
            case kind if kind == NOTICE_KIND:
                kept.counts[leaf.audience] = msgspec.json.decode(data, type=_Numbered).number
            case kind if kind in {ACT_KIND, LATE_ACT_KIND}:
                pass
            case kind if kind == DOCUMENT_KIND:
                party = kept.keys.add(decode(data, Envelope, path), place, path).party
                for own_hash, each in kept.world.agreements.items():
                    if any(own.id == party for own in each.agreement.parties):
                        self._look(own_hash, entry.at_us)
            case kind if kind == EXCHANGE_KEY_KIND:
                envelope = decode(data, Envelope, path)
                self._signers.follow(envelope, path, {})
                kept.followed, kept.noted = (*kept.followed, envelope), {}
            case kind if kind == CAP_KEY_KIND:
                said = decode(data, Envelope, path).payload
                kept.cap_keys = (*kept.cap_keys, decode(said, CapKey, path))
            case kind if kind == INCARNATION_KIND:
                start = msgspec.json.decode(data, type=Incarnation)
                kept.starts[leaf.audience] = start.tree
            case _:
                raise Malformed(path, part.kind, "is not known here", "update this program")

    def _event(self, event: Event, at_us: int, path: str) -> None:
        kept = self._kept
        evolve(kept.world, event)
        match event:
            case RegionOpened():
                self._check_opening(event, path)
            case AgreementCarried(hash=own_hash):
                kept.due.put(at_us + CLOCK_US, own_hash)
                self._look(own_hash, at_us)
            case AgreementStood(clauses=clauses):
                widen(kept.near, clauses)
            case StandingCarried(table="agreements", key=own_hash):
                widen(kept.near, kept.world.agreements[own_hash].clauses)
                kept.due.put(at_us + CLOCK_US, own_hash)
                self._look(own_hash, at_us)
            case StandingCarried(table="before", key=change):
                widen(kept.near, kept.world.before[change].clauses)
            case _:
                pass

    def _act(self, data: bytes, line: int, placed: Sequence[Placed], at_us: int) -> None:
        """Note where the answer stands to an act that can be sent again."""
        act = msgspec.json.decode(msgspec.json.decode(data, type=_Sent).payload, type=_Act)
        answered = Answered(line, places_seen(act.party, placed))
        until_us = kept_until_us(act.kind, act.expires_us, at_us)
        self._kept.answers.keep_one(until_us, act.party, act.id, answered)

    # --- what falls due -----------------------------------------------------------------------

    def _look_before(self, at_us: int) -> None:
        """Look at what fell due before an entry, as was done before it was written."""
        kept = self._kept
        while not kept.is_held and (first := kept.due.first(at_us - 1)) is not None:
            kept.due.drop(first)
            if first.key in kept.world.agreements:
                self._look(first.key, max(first.at_us, kept.ledger.chain.at_us))

    def _look(self, own_hash: str, at_us: int) -> None:
        carried = self._kept.world.agreements[own_hash]
        next_us = next_look_us(carried, self._kept.keys, at_us)
        if next_us is not None:
            self._kept.due.put(next_us, own_hash)

    def _note_lapses(self) -> None:
        """Note when what is over by its time is so for the other sides of its conflicts."""
        world, bindings = self._kept.world, self._kept.bindings

        def between(a: str, b: str) -> Between:
            return bindings.between(world, a, b)

        for operation in world.operations.values():
            if not operation.is_protecting:
                for at_us, own_id in lapses_of(world, operation, between):
                    self._kept.due.put(at_us, own_id)

    # --- what is checked ----------------------------------------------------------------------

    def _check_opening(self, event: RegionOpened, path: str) -> None:
        given = self._region
        said = (event.region, event.incarnation, event.exchange, event.house)
        if said != (given.name, given.incarnation, given.exchange, given.house):
            raise Malformed(
                path, f"{event.region} {event.incarnation}, {event.exchange}, house rule "
                f"{event.house.name}", f"is not what is given, {given.name} {given.incarnation}, "
                f"{given.exchange}, house rule {given.house.name}",
                "begin with what the region was opened with",
            )  # fmt: skip

    def _check_beat(self, line: BeatLine, path: str) -> None:
        ledger = self._kept.ledger
        root = beat_digest(
            ledger.region, ledger.incarnation, ledger.chain, ledger.trees, line.salt,
            self._kept.beside,
        )  # fmt: skip
        if read_checkpoint(split_note(line.note)[0]).root != root:
            raise BrokenProof(
                f"{path}, beat", root.hex()[:16], "is the digest of what is there, and was not "
                "signed", "see keepclear record verify; go on from a copy that holds",
            )  # fmt: skip


def _header(data: bytes, region: Region) -> Header:
    if not data:
        raise Malformed("file", "", "has no header", "give the store one before it is opened")
    line: AnyLine = decode(data, AnyLine, "line 1")  # type: ignore[arg-type]
    if not isinstance(line, Header) or line.view != "archive":
        raise Malformed("line 1", type(line).__name__, "begins no archive", "give the archive")
    if (line.region, line.incarnation) != (region.name, region.incarnation):
        raise Malformed(
            "header, region", f"{line.region} {line.incarnation}",
            f"is not {region.name} {region.incarnation}", "give the archive of this region",
        )  # fmt: skip
    return line
