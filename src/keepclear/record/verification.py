# SPDX-License-Identifier: Apache-2.0
"""Whether a record, as one file, is what was signed: from its bytes alone.

Reads line by line and stops at the first thing that does not hold, naming it. Nothing is taken
from the file on trust but what is then checked against signatures:

1. Each line, entry, leaf, part, envelope and act is in its one form.
2. Entries follow each other by number, hash and time; each leaf extends its audience's tree.
3. Each act is signed by keys that its party had appointed at that place, for this region and
   incarnation, and had not expired.
4. Each checkpoint and beat is signed by the exchange over the trees as they stand there.
5. With a file of keys, the exchange's keys are those, and each party's key documents go on from
   those. Without one the record is only consistent with itself: whoever wrote all of it again
   with keys of their own would pass.
"""

from collections.abc import Callable, Iterable
from typing import Final, NamedTuple

from keepclear.record.encoding import decode
from keepclear.record.entries import EVERYBODY, Chain, Entry, Leaf, Part, after
from keepclear.record.envelopes import Envelope, verified
from keepclear.record.faults import BrokenProof, Malformed, NotProven, RecordError
from keepclear.record.files import (
    LONGEST_LINE,
    AnyLine,
    BeatLine,
    ChainLine,
    CheckpointLine,
    DocumentLine,
    EntryLine,
    Header,
    KeysFile,
    LeafLine,
    TreeLine,
)
from keepclear.record.headers import ACT, CLOCK_US, Act, read_act
from keepclear.record.key_documents import KeyDocument, Keyring
from keepclear.record.keys import PublicKey
from keepclear.record.ledger import beat_digest, beat_origin, grow, origin_of
from keepclear.record.merkle import Tree
from keepclear.record.notes import Checkpoint, NoteKey, read_checkpoint, verify_note

ACT_KIND: Final = "act/1"
DOCUMENT_KIND: Final = "key-document/1"
Tell = Callable[[int], None]


class Suspect(NamedTuple):
    """An act whose key was revoked later as suspect from before the act on."""

    act: str
    party: str
    key_id: str
    since_us: int


class Verified(NamedTuple):
    """What holds of a record.

    is_proven: a file of keys was given. exchange, roots: fingerprints of the keys believed.
    last_us: time of the last part. unsigned: how many leaves stand after the last checkpoint
    of their tree.
    """

    header: Header
    is_proven: bool
    lines: int
    entries: int
    leaves: int
    acts: int
    checkpoints: int
    beats: int
    first_us: int
    last_us: int
    unsigned: int
    exchange: tuple[str, ...]
    roots: tuple[tuple[str, str], ...]
    suspects: tuple[Suspect, ...]


def verify(lines: Iterable[bytes], keys: KeysFile | None, tell: Tell | None = None) -> Verified:
    """Return what holds of a record; a `RecordError` names the first thing that does not.

    lines: of the file, without their newlines. tell: called with each line's length in bytes.
    """
    verification: Verification | None = None
    number = 0
    for number, data in enumerate(lines, start=1):
        path = f"line {number}"
        line: AnyLine = decode(data, AnyLine, path, LONGEST_LINE)  # type: ignore[arg-type]
        if verification is None:
            if not isinstance(line, Header):
                raise Malformed(path, type(line).__name__, "is no header", "give a record's file")
            verification = Verification(line, keys)
        else:
            verification.take(line, path, number)
        if tell is not None:
            tell(len(data) + 1)
    if verification is None:
        raise Malformed("file", "", "is empty", "give a record's file")
    return verification.result(number)


class Verification:
    """The state of reading one file; `take` is called with each line after the header."""

    def __init__(self, header: Header, keys: KeysFile | None) -> None:
        self._header, self._keys = header, keys
        own = header.exchange if keys is None else keys.exchange
        self._note_keys = [NoteKey(each.name, PublicKey(each.key)) for each in own]
        self._pinned: dict[str, list[Envelope]] = {}
        for envelope in () if keys is None else keys.documents:
            self._pinned.setdefault(_party_of(envelope, "keys"), []).append(envelope)
        self._keyring, self._trees = Keyring(), dict[str, Tree]()
        self._chain, self._has_begun = Chain(), False
        self._signed: dict[str, int] = {}
        self._entries = self._leaves = self._acts = self._checkpoints = self._beats = 0
        self._first_us, self._last_us = 0, 0
        self._signers: list[tuple[Act, str]] = []
        if keys is not None:
            _check_exchange(header, keys)

    def take(self, line: AnyLine, path: str, place: int) -> None:
        """Check one line; place: its number."""
        match line:
            case DocumentLine() | TreeLine() | ChainLine() if self._has_begun:
                raise Malformed(
                    path, type(line).__name__, "stands after what happened", "get it again"
                )
            case DocumentLine():
                self._add_document(line.envelope, place, path)
            case TreeLine():
                self._check_audience(line.audience, path)
                self._trees[line.audience] = Tree(line.size, line.peaks)
                self._signed[line.audience] = line.size
            case ChainLine() if self._header.view == "archive":
                self._chain = Chain(line.seq, line.previous, line.at_us)
            case EntryLine() if self._header.view == "archive":
                self._take_entry(line, path, place)
            case LeafLine() if self._header.view == "party":
                self._take_leaf(line.leaf, f"{path}, leaf", place)
            case CheckpointLine():
                self._take_checkpoint(line.note, path)
            case BeatLine() if self._header.view == "archive":
                self._take_beat(line, path)
            case _:
                raise Malformed(
                    path, type(line).__name__, f"has no place in a file of view "
                    f"{self._header.view}", "get the file again",
                )  # fmt: skip

    def result(self, lines: int) -> Verified:
        """Return what holds, after the last line."""
        suspects = []
        for act, key_id in self._signers:
            since_us = self._keyring.suspect_since_us(act.party, key_id)
            if since_us is not None and act.created_us >= since_us:
                suspects.append(Suspect(act.id, act.party, key_id, since_us))
        unsigned = sum(len(tree) - self._signed.get(a, 0) for a, tree in self._trees.items())
        roots = tuple(
            (party, PublicKey(self._keyring.latest(party).root).id)
            for party in self._keyring.parties()
        )
        return Verified(
            self._header, self._keys is not None, lines, self._entries, self._leaves, self._acts,
            self._checkpoints, self._beats, self._first_us, self._last_us, unsigned,
            tuple(key.key.id for key in self._note_keys), roots, tuple(suspects),
        )  # fmt: skip

    def _take_entry(self, line: EntryLine, path: str, place: int) -> None:
        data = bytes(line.entry)
        entry = decode(data, Entry, f"{path}, entry", LONGEST_LINE)
        path = f"{path}, entry {entry.seq}"
        if (entry.region, entry.incarnation) != (self._header.region, self._header.incarnation):
            raise Malformed(
                path, f"{entry.region} {entry.incarnation}", "is of another record", "get it again"
            )
        try:
            self._chain = after(self._chain, entry, data)
        except RecordError as fault:
            raise _at(path, fault) from None
        self._entries += 1
        for number, leaf in enumerate(entry.leaves):
            part = self._take_leaf(leaf, f"{path}, leaf {number}", place)
            if part.at_us != entry.at_us:
                raise Malformed(
                    f"{path}, leaf {number}", part.at_us, "is not its entry's time", "get it again"
                )

    def _take_leaf(self, leaf: Leaf, path: str, place: int) -> Part:
        self._has_begun = True
        self._check_audience(leaf.audience, path)
        part = decode(bytes(leaf.part), Part, f"{path}, part", LONGEST_LINE)
        if part.at_us < self._last_us:
            raise Malformed(path, part.at_us, "is before the one before it", "get it again")
        self._first_us = self._first_us or part.at_us
        self._last_us = part.at_us
        if part.kind == ACT_KIND:
            self._take_act(part, path, place)
        elif part.kind == DOCUMENT_KIND:
            envelope = decode(bytes(part.data), Envelope, f"{path}, key document")
            self._add_document(envelope, place, f"{path}, key document")
        grow(self._trees, (leaf,))
        self._leaves += 1
        return part

    def _take_act(self, part: Part, path: str, place: int) -> None:
        envelope = read_signed(part, path)
        act = read_act(envelope, f"{path}, act")
        path = f"{path}, act {act.id[:8]} of {act.party}"
        if (act.region, act.incarnation) != (self._header.region, self._header.incarnation):
            raise NotProven(path, act.region, "is for another record", "ask who entered it")
        if not act.created_us - CLOCK_US <= part.at_us < act.expires_us:
            raise NotProven(
                path, part.at_us, "was entered before it was made or after it expired",
                "ask who entered it",
            )  # fmt: skip
        try:
            appointed = {
                each.keyid: self._keyring.appointed(act.party, each.keyid, place)
                for each in envelope.signatures
            }
        except RecordError as fault:
            raise _at(path, fault) from None
        for each in appointed.values():
            if each.role == "root" or (each.role == "device" and each.name != act.post):
                raise NotProven(
                    path, f"{each.role} {each.name}", f"is no key for acts of post {act.post}",
                    "ask who entered it",
                )  # fmt: skip
        verified(envelope, {k: each.key for k, each in appointed.items()}, ACT, path)
        self._signers += [(act, key_id) for key_id in appointed]
        self._acts += 1

    def _add_document(self, envelope: Envelope, place: int, path: str) -> None:
        party = _party_of(envelope, path)
        self._keyring.add(envelope, place, path)
        if self._keys is None:
            return
        pinned, found = self._pinned.get(party), self._keyring.documents(party)
        if pinned is None:
            raise NotProven(
                path, party, "is not in the file of keys", "get this party's keys from itself"
            )
        if any(one.payload != two.payload for one, two in zip(pinned, found, strict=False)):
            raise NotProven(
                path, f"version {len(found)} of {party}", "is not the one in the file of keys",
                "the record was signed again by others, or the file of keys is",
            )  # fmt: skip

    def _take_checkpoint(self, note: str, path: str) -> None:
        checkpoint = self._read_note(note, f"{path}, checkpoint")
        audience = checkpoint.origin.rpartition("/")[2]
        tree = self._trees.get(audience)
        expected = origin_of(self._header.region, self._header.incarnation, audience)
        if tree is None or checkpoint.origin != expected:
            raise BrokenProof(
                f"{path}, checkpoint", checkpoint.origin, "is of no tree here", "get it again"
            )
        if checkpoint.size != len(tree) or checkpoint.root != tree.root():
            raise BrokenProof(
                f"{path}, checkpoint of {audience}", f"{checkpoint.size} leaves",
                f"is not the root over the {len(tree)} leaves before it",
                "a leaf was changed, dropped or added after it was signed",
            )  # fmt: skip
        self._signed[audience] = len(tree)
        self._checkpoints += 1

    def _take_beat(self, line: BeatLine, path: str) -> None:
        beat = self._read_note(line.note, f"{path}, beat")
        region, incarnation = self._header.region, self._header.incarnation
        if beat.origin != beat_origin(region, incarnation):
            raise BrokenProof(f"{path}, beat", beat.origin, "is of another record", "get it again")
        if beat.root != beat_digest(region, incarnation, self._trees, line.salt):
            raise BrokenProof(
                f"{path}, beat {beat.size}", beat.root.hex()[:16],
                "is not the digest over all trees as they stand here",
                "a tree was changed after the beat was signed",
            )  # fmt: skip
        self._beats += 1

    def _read_note(self, note: str, path: str) -> Checkpoint:
        try:
            return read_checkpoint(verify_note(note, self._note_keys)[0])
        except RecordError as fault:
            raise _at(path, fault) from None

    def _check_audience(self, audience: str, path: str) -> None:
        is_theirs = audience == EVERYBODY or self._header.party in audience.split(",")
        if self._header.view == "party" and not is_theirs:
            raise Malformed(
                path, audience, f"is not for {self._header.party}", "get the file again"
            )  # fmt: skip


def read_signed(part: Part, path: str) -> Envelope:
    """Return the envelope that a part holds; `Malformed` where it holds none."""
    return decode(bytes(part.data), Envelope, f"{path}, envelope")


def _check_exchange(header: Header, keys: KeysFile) -> None:
    known = {(each.name, each.key) for each in keys.exchange}
    strange = [each for each in header.exchange if (each.name, each.key) not in known]
    if strange:
        raise NotProven(
            "header, exchange", f"{strange[0].name} {PublicKey(strange[0].key).id[:16]}",
            "is not in the file of keys", "the record was signed again by others, or the file is",
        )  # fmt: skip


def _party_of(envelope: Envelope, path: str) -> str:
    return decode(envelope.payload, KeyDocument, path).party


def _at(path: str, fault: RecordError) -> RecordError:
    """Return an error that also says where it came up."""
    return type(fault)(f"{path}: {fault.path}", fault.value, fault.limit, fault.way_out)
