# SPDX-License-Identifier: Apache-2.0
"""A small record for tests: two parties, their keys, some acts, and the files made of it."""

from hashlib import sha256
from typing import Final

import msgspec

from keepclear.record.encoding import decode, digest, encode
from keepclear.record.entries import EVERYBODY, Leaf, Part, audience_of
from keepclear.record.envelopes import Envelope, seal
from keepclear.record.files import (
    AnyLine,
    BeatLine,
    CheckpointLine,
    EntryLine,
    ExchangeKey,
    Header,
    KeysFile,
    PersonalLine,
)
from keepclear.record.headers import ACT, Act, Status
from keepclear.record.key_documents import Device, KeyDocument, Representative, seal_document
from keepclear.record.keys import PublicKey, Signer
from keepclear.record.ledger import ForWhom, Ledger
from keepclear.record.mandates import ROUTINE, Mandate, Power
from keepclear.record.personal import PersonalValue, digest_of
from keepclear.record.receipts import Receipt
from keepclear.record.views import view_of

REGION: Final = "exercise-east"
EXCHANGE: Final = f"exchange.example/{REGION}"
START_US: Final = 1_443_600_000_000_000  # 2015-09-30T08:00Z
MINUTE_US: Final = 60_000_000
DAY_US: Final = 24 * 60 * MINUTE_US


def signer(name: str) -> Signer:
    """Return the signer of a name, always the same."""
    return Signer(sha256(name.encode()).digest())


def salt(number: int) -> bytes:
    """Return a salt."""
    return sha256(b"salt%d" % number).digest()


def mandate(*covers: str, from_us: int = START_US, days: int = 730) -> Mandate:
    """Return a mandate of two years from the start."""
    return Mandate(covers=covers, from_us=from_us, until_us=from_us + days * DAY_US)


def representative(party: str, name: str, *mandates: Mandate) -> Representative:
    """Return a representative with a key of that name."""
    return Representative(id=name, key=signer(f"{party} {name}").public.data, mandates=mandates)


def post(party: str, name: str, *mandates: Mandate, key: str = "") -> Device:
    """Return a post, with a key of its name or of another."""
    return Device(
        post=name, key=signer(f"{party} {key or name}").public.data, mandates=mandates
    )  # fmt: skip


def first_document(party: str, **changes: object) -> KeyDocument:
    """Return the first key document of a party: two representatives, one post."""
    document = KeyDocument(
        party=party, version=1, previous="", created_us=START_US,
        root=signer(f"{party} root").public.data,
        next_root=signer(f"{party} next root").public.id,
        representatives=tuple(
            representative(party, f"rep-{n}", mandate(ROUTINE, *Power)) for n in (1, 2)
        ),
        devices=(post(party, "watch", mandate(ROUTINE)),),
    )  # fmt: skip
    return msgspec.structs.replace(document, **changes)


def next_document(before: KeyDocument, **changes: object) -> KeyDocument:
    """Return a document that follows one."""
    return msgspec.structs.replace(
        before, version=before.version + 1, previous=digest(encode(before)).hex(), **changes
    )


def sealed(document: KeyDocument, *others: str) -> Envelope:
    """Return a document signed by its root and by others of its party."""
    root = next(
        s for s in (signer(f"{document.party} {name}") for name in ROOTS)
        if s.public.data == document.root
    )  # fmt: skip
    return seal_document(document, root, *(signer(f"{document.party} {o}") for o in others))


ROOTS: Final = ("root", "next root", "third root")


def act(number: int, party: str = "a", at_us: int = START_US, **changes: object) -> Act:
    """Return an act of a party's watch."""
    made = Act(
        region=REGION, incarnation=1, status=Status.EXERCISE, party=party, post="watch",
        id=f"{number:032x}", created_us=at_us, expires_us=at_us + 60 * MINUTE_US, agreement="",
        kind="note/1", payload=msgspec.Raw(encode({"text": f"note {number}"})),
    )  # fmt: skip
    return msgspec.structs.replace(made, **changes)


def signed(made: Act, *keys: str) -> Envelope:
    """Return an act in its envelope, signed by keys of its party."""
    signers = [signer(f"{made.party} {key}") for key in keys or ("watch",)]
    return seal(ACT, encode(made), *signers)


def part(kind: str, at_us: int, data: object) -> Part:
    """Return a part."""
    return Part(kind=kind, at_us=at_us, data=msgspec.Raw(encode(data)))


class Play:
    """A record that is played: acts, key documents, checkpoints and beats, line by line."""

    def __init__(self, exchange: Signer | None = None, incarnation: int = 1) -> None:
        self.exchange = exchange or signer("exchange")
        self.first_exchange = self.exchange
        self.ledger = Ledger(REGION, incarnation)
        self.lines: list[AnyLine] = []
        self.leaves: list[Leaf] = []
        self.documents: list[Envelope] = []
        self.now_us, self._salts = START_US, 0

    def enter(self, *parts: tuple[str, str, object]) -> None:
        """Enter parts: audience, kind, value."""
        self.now_us += MINUTE_US
        made = []
        for audience, kind, value in parts:
            self._salts += 1
            made.append(ForWhom(
                audience=audience, salt=salt(self._salts), part=part(kind, self.now_us, value)
            ))  # fmt: skip
        entry, data = self.ledger.append(self.now_us, made)
        self.lines.append(EntryLine(entry=msgspec.Raw(data)))
        self.leaves += entry.leaves

    def appoint(self, envelope: Envelope) -> None:
        """Enter a key document."""
        self.documents.append(envelope)
        self.enter((EVERYBODY, "key-document/1", envelope))

    def act(self, number: int, party: str = "a", *keys: str, **changes: object) -> None:
        """Enter an act, its party's own part and a notice to both."""
        made = act(number, party, self.now_us + MINUTE_US, **changes)
        self.enter(
            (party, "act/1", signed(made, *keys)),
            (audience_of(["a", "b"]), "notice/1", {"number": number}),
        )  # fmt: skip

    def sign(self) -> None:
        """Sign a checkpoint of each tree, and a beat."""
        for audience in self.ledger.trees:
            note = self.ledger.signed_checkpoint(audience, EXCHANGE, self.exchange)
            self.lines.append(CheckpointLine(note=note))
        beats = sum(isinstance(line, BeatLine) for line in self.lines)
        note = self.ledger.beat(beats, salt(-beats - 1), EXCHANGE, self.exchange)
        self.lines.append(BeatLine(salt=salt(-beats - 1), note=note))

    def receipt(self, place: int) -> Receipt:
        """Return the receipt of a leaf, by its place among all, under a checkpoint of now."""
        leaf = self.leaves[place]
        index = sum(other.audience == leaf.audience for other in self.leaves[:place])
        tree = self.ledger.trees[leaf.audience]
        note = self.ledger.signed_checkpoint(leaf.audience, EXCHANGE, self.exchange)
        return self.ledger.receipt(leaf, index, note, len(tree))

    def keys(self) -> KeysFile:
        """Return the file of keys that belongs to the record."""
        return KeysFile(exchange=(self._exchange_key(),), documents=tuple(self.documents))

    def archive(self) -> list[bytes]:
        """Return the lines of the operator's archive."""
        header = Header(
            view="archive", region=REGION, incarnation=self.ledger.incarnation, party="",
            exchange=(self._exchange_key(),),
        )  # fmt: skip
        return [encode(line) for line in (header, *self.lines)]

    def view(self, party: str) -> list[bytes]:
        """Return the lines of what one party may see."""
        return list(view_of(self.archive(), party))

    def _exchange_key(self) -> ExchangeKey:
        return ExchangeKey(name=EXCHANGE, key=self.first_exchange.public.data)


def played(exchange: Signer | None = None) -> Play:
    """Return a record of two parties with five acts and two sets of signatures."""
    play = Play(exchange)
    play.appoint(sealed(first_document("a")))
    play.appoint(sealed(first_document("b")))
    play.act(1, "a")
    play.act(2, "b")
    play.sign()
    play.act(3, "a", "rep-1")
    play.act(4, "a")
    play.act(5, "b")
    play.sign()
    return play


NAME: Final = PersonalValue(name="on-watch", salt=salt(7), value="A. Example")


def with_name() -> Play:
    """Return a record with an act that was signed with a name, and the name beside it."""
    play = Play()
    play.appoint(sealed(first_document("a")))
    play.act(1, "a", personal=(digest_of(NAME),))
    play.lines.append(PersonalLine(act=f"{1:032x}", field=NAME))
    play.sign()
    return play


def restored(play: Play) -> Play:
    """Return the record that goes on from a backup of another, with the same key documents."""
    after = Play(incarnation=play.ledger.incarnation + 1)
    after.now_us = play.now_us + MINUTE_US
    starts = play.ledger.incarnation_parts(after.now_us + MINUTE_US)
    after.enter(*((audience, start.kind, start.data) for audience, start in starts))
    for envelope in play.documents:
        after.appoint(envelope)
    return after


def act_place(play: Play, number: int) -> int:
    """Return the place of an act among all leaves."""
    act_id = f'"{number:032x}"'.encode()
    return next(
        n for n, leaf in enumerate(play.leaves)
        if b'"act/1"' in bytes(leaf.part) and act_id in _payload(leaf)
    )  # fmt: skip


def _payload(leaf: Leaf) -> bytes:
    part = decode(bytes(leaf.part), Part, "part")
    return decode(bytes(part.data), Envelope, "envelope").payload


def public(name: str) -> PublicKey:
    """Return the public key of a name."""
    return signer(name).public
