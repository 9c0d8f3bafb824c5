# SPDX-License-Identifier: Apache-2.0
"""Whether a record, as one file, is what was signed: from its bytes alone.

Reads line by line and stops at the first thing that does not hold, naming it. Nothing is taken
from the file on trust but what is then checked against signatures:

1. Each line, entry, leaf, part, envelope and act is in its one form.
2. Entries follow each other by number, hash and time; each leaf extends its audience's tree.
3. Each act is signed by keys that its party had appointed at that place and that had a mandate
   for it, for this region and incarnation, had not expired unless it is distress, and is
   entered once.
   A late act is judged by the time at which its receipt proves that it was first entered, and
   by the keys of then. One entered since its key is suspect is marked, whatever time it says.
4. Each checkpoint and beat is signed by the exchange over the trees as they stand there, and a
   beat over the order of the entries, the hashes of worlds, writers and clocks before it too.
   What a key of the exchange signs after another has followed it does not count. The key of
   now has signed which key is for CAP documents.
   No salt is used twice, and writers are counted without a gap. Whether such a hash is that of
   the world, a fold tells.
5. With a file of keys, the exchange's keys are those, and each party's key documents go on from
   those. Without one the record is only consistent with itself: whoever wrote all of it again
   with keys of their own would pass.

What the exchange has signed is the beginning of one tree (a checkpoint), or all trees and the
order (a beat). So with keys

6. an archive is proven where it ends in a beat over what is there: no tree, part or entry of
   its range can then be missing or in another place;
7. what a party may see is proven tree by tree, where each part stands under a checkpoint of its
   tree. Nothing in the file can show that a tree is missing, or a later part;
8. a range may begin in the middle (lines `tree`, `chain`), which `Verified` says; a file
   without a part proves nothing.
"""

from collections.abc import Callable, Iterable
from typing import NamedTuple

from keepclear.record.cap_keys import CapKeys
from keepclear.record.encoding import decode
from keepclear.record.entered import Entered
from keepclear.record.entries import EVERYBODY, Chain, Entry, Leaf, Part, after
from keepclear.record.envelopes import Envelope
from keepclear.record.exchange_keys import ExchangeKeys, SignedBy
from keepclear.record.faults import BrokenProof, Malformed, NotProven, RecordError
from keepclear.record.files import (
    LONGEST_LINE,
    AnyLine,
    BeatLine,
    ChainLine,
    CheckpointLine,
    ClockLine,
    DocumentLine,
    EntryLine,
    Header,
    KeysFile,
    LeafLine,
    PersonalLine,
    TreeLine,
    WorldLine,
    WriterLine,
)
from keepclear.record.headers import CLOCK_US, LONGEST_US, Act, read_act
from keepclear.record.key_documents import KeyDocument, Keyring
from keepclear.record.keys import PublicKey
from keepclear.record.ledger import beat_digest, grow
from keepclear.record.mandates import Power
from keepclear.record.merkle import Tree
from keepclear.record.notes import SHOWN, Checkpoint
from keepclear.record.origins import beat_origin, origin_of, read_origin
from keepclear.record.parts import (
    ACT_KIND,
    INCARNATION_KIND,
    OWN_KINDS,
    OWN_NAMES,
    Incarnation,
)
from keepclear.record.personal import belongs_to
from keepclear.record.receipts import Receipt, verify_receipt
from keepclear.record.signers import OF_DISTRESS, deed_of, verify_signers

Tell = Callable[[int], None]


class Suspect(NamedTuple):
    """An act whose key was revoked as suspect from before the act was made, or was entered."""

    act: str
    party: str
    key_id: str
    since_us: int


class HeldTree(NamedTuple):
    """Which parts of a tree are in the file: from number `first` up to, not with, `end`.

    signed: over how many from its beginning on the last checkpoint or beat is. root: over `end`.
    """

    audience: str
    first: int
    end: int
    signed: int
    root: bytes


class Verified(NamedTuple):
    """What holds of a record.

    has_keys: a file of keys was given. is_proven: and its exchange has signed what is there, by
    rules 6 to 8; what only stands in the file may be anybody's. first_entry: the number of the
    first, 0 where the file begins with the record. ends_in_beat: the number of the beat after
    the last entry, None without one. exchange: which have signed. roots: fingerprints of the
    keys believed. last_us: time of the last part. unsigned: how many leaves no checkpoint or
    beat covers. one_person: for which party, and what, one representative may sign or has
    signed what takes two. writer: which node has written last, as the archive says. later: keys
    that the exchange has gone on with, as the file of keys says, and of which nothing is here.
    """

    header: Header
    has_keys: bool
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
    first_entry: int
    ends_in_beat: int | None
    trees: tuple[HeldTree, ...]
    exchange: tuple[SignedBy, ...]
    roots: tuple[tuple[str, str], ...]
    suspects: tuple[Suspect, ...]
    one_person: tuple[tuple[str, Power], ...]
    writer: WriterLine | None = None
    later: tuple[SignedBy, ...] = ()


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
        self._exchange = ExchangeKeys(header, keys)
        self._pinned: dict[str, list[Envelope]] = {}
        for envelope in () if keys is None else keys.documents:
            self._pinned.setdefault(_party_of(envelope, "keys"), []).append(envelope)
        self._keyring, self._trees = Keyring(), dict[str, Tree]()
        self._cap_keys = CapKeys(header.region, header.incarnation)
        self._chain, self._has_begun, self._first_entry = Chain(), False, 0
        self._first: dict[str, int] = {}
        self._signed: dict[str, int] = {}
        self._entries = self._leaves = self._acts = self._checkpoints = self._beats = 0
        self._first_us, self._last_us = 0, 0
        self._beside: list[str] = []  # hashes of worlds, and writers, since the last beat
        self._writer: WriterLine | None = None
        self._last_beat: int | None = None
        self._ends_in_beat = False
        self._with_personal: dict[str, Act] = {}
        self._starts = 0
        self._signers: list[tuple[Act, str, int]] = []
        self._alone: dict[tuple[str, Power], None] = {}
        self._entered = Entered()

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
                self._first[line.audience] = line.size
            case ChainLine() if self._header.view == "archive":
                self._chain = Chain(line.seq, line.previous, line.at_us)
                self._first_entry = line.seq
            case EntryLine() if self._header.view == "archive":
                self._take_entry(line, path, place)
            case LeafLine() if self._header.view == "party":
                self._take_leaf(line.leaf, f"{path}, leaf", place)
            case CheckpointLine():
                self._take_checkpoint(line.note, path)
            case PersonalLine():
                self._take_personal(line, path)
            case BeatLine() | WorldLine() | WriterLine() | ClockLine() if (
                self._header.view == "archive"
            ):
                self._take_over_all(line, path)
            case _:
                raise Malformed(
                    path, type(line).__name__, f"has no place in a file of view "
                    f"{self._header.view}", "get the file again",
                )  # fmt: skip

    def result(self, lines: int) -> Verified:
        """Return what holds, after the last line."""
        self._follow_keys(lines)
        suspects = []
        for act, key_id, last_us in self._signers:
            since_us = self._keyring.suspect_since_us(act.party, key_id)
            if since_us is not None and last_us >= since_us:
                suspects.append(Suspect(act.id, act.party, key_id, since_us))
        trees = tuple(
            HeldTree(
                audience, self._first.get(audience, 0), len(tree), self._signed.get(audience, 0),
                tree.root(),
            )
            for audience, tree in sorted(self._trees.items())
        )  # fmt: skip
        unsigned = sum(each.end - max(each.first, each.signed) for each in trees)
        roots = tuple(
            (party, PublicKey(self._keyring.latest(party).root).id)
            for party in self._keyring.parties()
        )
        for party in self._keyring.parties():
            latest = self._keyring.latest(party)
            self._alone |= dict.fromkeys((party, power) for power in latest.one_person)
        has_keys = self._keys is not None
        is_bound = self._header.view == "party" or self._ends_in_beat
        is_proven = has_keys and self._leaves > 0 and unsigned == 0 and is_bound
        return Verified(
            self._header, has_keys, is_proven, lines, self._entries, self._leaves, self._acts,
            self._checkpoints, self._beats, self._first_us, self._last_us, unsigned,
            self._first_entry, self._last_beat if self._ends_in_beat else None, trees,
            self._exchange.signed, roots, tuple(suspects), tuple(self._alone),
            self._writer,
            tuple(SignedBy(each.name, each.key.id) for each in self._exchange.later),
        )  # fmt: skip

    def _follow_keys(self, lines: int) -> None:
        """Follow what the file of keys has beyond the record: it may say that a key is suspect."""
        for party, documents in self._pinned.items():
            known = len(self._keyring.documents(party))
            for envelope in documents[known:]:
                self._keyring.add(envelope, lines + 1, f"file of keys, {party}")

    def _take_entry(self, line: EntryLine, path: str, place: int) -> None:
        data = bytes(line.entry)
        entry = decode(data, Entry, f"{path}, entry", LONGEST_LINE, is_inner=True)
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
        self._ends_in_beat, self._has_begun = False, True
        for number, leaf in enumerate(entry.leaves):
            part = self._take_leaf(leaf, f"{path}, leaf {number}", place)
            if part.at_us != entry.at_us:
                raise Malformed(
                    f"{path}, leaf {number}", part.at_us, "is not its entry's time", "get it again"
                )

    def _take_leaf(self, leaf: Leaf, path: str, place: int) -> Part:
        self._has_begun = True
        self._check_audience(leaf.audience, path)
        self._entered.take_salt(leaf.salt, path)
        part = decode(bytes(leaf.part), Part, f"{path}, part", LONGEST_LINE, is_inner=True)
        self._check_start(leaf.audience, part, path)
        if part.at_us < self._last_us:
            raise Malformed(path, part.at_us, "is before the one before it", "get it again")
        self._first_us = self._first_us or part.at_us
        self._last_us = part.at_us
        match part.kind:
            case "act/1":
                act = self._take_act(part, path, place, self._header.incarnation)
                self._entered.take_act(act, part.at_us, f"{path}, act {act.id[:8]} of {act.party}")
            case "key-document/1":
                self._add_document(read_signed(part, path), place, f"{path}, key document")
            case "exchange-key/1":
                self._follow_exchange(part, leaf.audience, f"{path}, exchange key")
            case "cap-key/1":
                envelope = read_signed(part, path)
                self._cap_keys.add(envelope, self._exchange.signing, leaf.audience, path)
            case "late-act/1":
                self._take_late(part, leaf.audience, path)
            case kind if kind.partition("/")[0] in OWN_NAMES and kind not in OWN_KINDS:
                raise Malformed(
                    f"{path}, kind", kind, "is of a version that is not known here",
                    "update this program",
                )  # fmt: skip
        grow(self._trees, (leaf,))
        self._leaves += 1
        return part

    def _follow_exchange(self, part: Part, audience: str, path: str) -> None:
        """Go on with another key of the exchange, which all must be shown."""
        if audience != EVERYBODY:
            raise NotProven(
                path, audience, "is not everybody, who must know it", "ask the operator"
            )
        sizes = {name: len(tree) for name, tree in self._trees.items()}
        self._exchange.follow(read_signed(part, path), path, sizes)

    def _check_start(self, audience: str, part: Part, path: str) -> None:
        """Refuse a record after a restored backup that does not start with what the backup had."""
        is_start = part.kind == INCARNATION_KIND
        is_later = self._header.incarnation > 1
        may = is_later and self._leaves == self._starts and audience not in self._trees
        is_first = not self._first and self._first_entry == 0 and self._leaves == 0
        is_first_of_all = audience == EVERYBODY and audience not in self._trees
        must = is_later and (is_first or is_first_of_all)
        if (is_start and not may) or (must and not is_start):
            raise Malformed(
                path, part.kind, f"is not how incarnation {self._header.incarnation} of a record "
                "goes on", "get the file again",
            )  # fmt: skip
        if is_start:
            found = decode(bytes(part.data), Incarnation, f"{path}, incarnation")
            if found.before != self._header.incarnation - 1:
                raise Malformed(path, found.before, "is not the one before", "get the file again")
            if found.tree.audience != audience:
                raise Malformed(
                    path, found.tree.audience, f"is not the tree of its readers, {audience}",
                    "ask who entered it",
                )  # fmt: skip
            self._starts += 1

    def _take_late(self, part: Part, audience: str, path: str) -> None:
        receipt = decode(bytes(part.data), Receipt, f"{path}, receipt")
        try:
            proven = verify_receipt(receipt, self._exchange.earlier)
        except RecordError as fault:
            raise _at(path, fault) from None
        found = read_origin(proven.checkpoint.origin)
        is_earlier = (
            found is not None
            and found.region == self._header.region
            and found.incarnation < self._header.incarnation
        )
        if found is None or not is_earlier or proven.part.kind != ACT_KIND:
            raise NotProven(
                path, proven.checkpoint.origin[:SHOWN],
                "is no receipt of an act of an earlier incarnation",
                "enter acts of this incarnation as acts",
            )  # fmt: skip
        if found.audience != audience:
            raise NotProven(
                path, found.audience, f"is another audience than {audience}, whose tree this is",
                "enter it for those who could see it",
            )  # fmt: skip
        act = self._take_act(proven.part, f"{path}, late", None, found.incarnation)
        self._entered.take_late(act, f"{path}, late, act {act.id[:8]} of {act.party}")

    def _take_personal(self, line: PersonalLine, path: str) -> None:
        act = self._with_personal.get(line.act)
        if act is None or not belongs_to(act, line.field):
            raise NotProven(
                f"{path}, personal {line.field.name}", line.act[:8],
                "is not what an act before it was signed with", "take the line out",
            )  # fmt: skip

    def _take_act(self, part: Part, path: str, place: int | None, incarnation: int) -> Act:
        """Check and return one act; place: None for a late one, which stood elsewhere at first."""
        envelope = read_signed(part, path)
        act = read_act(envelope, f"{path}, act")
        path = f"{path}, act {act.id[:8]} of {act.party}"
        if (act.region, act.incarnation) != (self._header.region, incarnation):
            raise NotProven(path, act.region, "is for another record", "ask who entered it")
        if act.expires_us - act.created_us > LONGEST_US:
            raise NotProven(
                path, act.expires_us, f"is more than {LONGEST_US // 3_600_000_000} h after its "
                "creation", "ask who entered it",
            )  # fmt: skip
        is_in_time = act.created_us - CLOCK_US <= part.at_us < act.expires_us
        if not is_in_time and deed_of(act) not in OF_DISTRESS:
            raise NotProven(
                path, part.at_us, "was entered before it was made or after it expired",
                "ask who entered it",
            )  # fmt: skip
        try:
            signers = verify_signers(envelope, act, self._keyring, part.at_us, place, path)
        except RecordError as fault:
            raise fault if fault.path.startswith(path) else _at(path, fault) from None
        if signers.alone is not None:
            self._alone.setdefault((act.party, signers.alone))
        # who has stolen a key chooses what time the act says, not when it is entered
        last_us = max(act.created_us, part.at_us)
        self._signers += [(act, each.key.id, last_us) for each in signers.appointed]
        self._acts += 1
        if act.personal:
            self._with_personal[act.id] = act
        return act

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
        region, incarnation = self._header.region, self._header.incarnation
        audience = checkpoint.origin.rpartition("/")[2]
        tree = self._trees.get(audience)
        if tree is None or checkpoint.origin != origin_of(region, incarnation, audience):
            raise BrokenProof(
                f"{path}, checkpoint",
                checkpoint.origin[:SHOWN],
                "is of no tree here",
                "get it again",
            )
        if checkpoint.size != len(tree) or checkpoint.root != tree.root():
            raise BrokenProof(
                f"{path}, checkpoint of {audience}", f"{checkpoint.size} leaves",
                f"is not the root over the {len(tree)} leaves before it",
                "a leaf was changed, dropped or added after it was signed",
            )  # fmt: skip
        self._signed[audience] = len(tree)
        self._checkpoints += 1

    def _take_over_all(
        self, line: BeatLine | WorldLine | WriterLine | ClockLine, path: str
    ) -> None:
        """Check what is over all trees, and in an archive alone."""
        match line:
            case BeatLine():
                self._take_beat(line, path)
            case WorldLine():
                self._take_world(line, path)
            case WriterLine():
                self._take_writer(line, path)
            case ClockLine():
                self._check_place(line, path, "clock")
                self._beside.append(line.said)
                self._ends_in_beat = False

    def _take_beat(self, line: BeatLine, path: str) -> None:
        self._entered.take_salt(line.salt, path)
        beat = self._read_note(line.note, f"{path}, beat")
        region, incarnation = self._header.region, self._header.incarnation
        if beat.origin != beat_origin(region, incarnation):
            raise BrokenProof(
                f"{path}, beat", beat.origin[:SHOWN], "is of another record", "get it again"
            )
        digest = beat_digest(
            region, incarnation, self._chain, self._trees, line.salt, self._beside
        )  # fmt: skip
        if beat.root != digest:
            raise BrokenProof(
                f"{path}, beat {beat.size}", beat.root.hex()[:16],
                "is not the digest over the order and all trees as they stand here",
                "an entry, a tree or the hash of a world was changed, dropped or moved after the "
                "beat was signed",
            )  # fmt: skip
        if self._last_beat is not None and beat.size != self._last_beat + 1:
            raise BrokenProof(
                f"{path}, beat", beat.size, f"is not the one after {self._last_beat}",
                "a beat was dropped or moved: get the range again",
            )  # fmt: skip
        self._last_beat, self._ends_in_beat = beat.size, True
        self._beside.clear()
        self._beats += 1
        self._signed |= {audience: len(tree) for audience, tree in self._trees.items()}

    def _take_world(self, line: WorldLine, path: str) -> None:
        if line.seq != self._chain.seq:
            raise Malformed(
                f"{path}, world", line.seq, f"is not {self._chain.seq}, the entries before it",
                "get the range again: it was moved",
            )  # fmt: skip
        self._beside.append(line.said)
        self._ends_in_beat = False

    def _take_writer(self, line: WriterLine, path: str) -> None:
        """Check that a writer is the next, and writes from here on."""
        self._check_place(line, path, "writer")
        before = self._writer.number if self._writer is not None else 0
        is_known = self._writer is not None or self._first_entry == 0
        if is_known and line.number != before + 1:
            raise Malformed(
                f"{path}, writer", line.number, f"is not the one after {before}",
                "get the range again: a change of the writer was left out",
            )  # fmt: skip
        self._writer, self._ends_in_beat = line, False
        self._beside.append(line.said)

    def _check_place(self, line: WriterLine | ClockLine, path: str, what: str) -> None:
        """Refuse a line beside the entries that is not of where it stands."""
        if line.seq != self._chain.seq or line.at_us < self._chain.at_us:
            raise Malformed(
                f"{path}, {what}", f"entry {line.seq} at {line.at_us}",
                f"is not from {self._chain.seq} on, or before the entry before it",
                "get the range again: it was moved",
            )  # fmt: skip

    def _read_note(self, note: str, path: str) -> Checkpoint:
        try:
            return self._exchange.read(note)
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
    return decode(bytes(part.data), Envelope, f"{path}, envelope", is_inner=True)


def _party_of(envelope: Envelope, path: str) -> str:
    return decode(envelope.payload, KeyDocument, path).party


def _at(path: str, fault: RecordError) -> RecordError:
    """Return an error that also says where it came up."""
    return type(fault)(f"{path}: {fault.path}", fault.value, fault.limit, fault.way_out)
