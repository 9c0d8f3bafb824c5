# SPDX-License-Identifier: Apache-2.0
"""A party's own trees, leaf by leaf: whether what it was given is all that the exchange has signed.

The lines of a party's file are taken in as they come, and each checkpoint is compared with the
root over the leaves that are held. So a leaf that was left out, changed or moved is found out by
the first checkpoint after it.

1. What no checkpoint covers yet is not proven. Where all is, `settle` lets it count; `go_back` lets
   what came since be as if it had not come.
2. A checkpoint over more leaves than are held is refused: something is held back.
3. The last checkpoint of each tree is kept, also one that came otherwise (with a receipt): what is
   held must reach it, and have its root.
4. A checkpoint that was signed, and contradicts what is held, is kept: it is evidence.
5. From one run to the next the peaks of each tree are enough (`stands`).
6. The exchange's key is followed from one to the next where the record says so (`exchange_keys`).
   What a key has signed that was followed proves nothing: it is compared with what is held, and
   refused where that is less.
7. Who signed an act is not asked here: `verification` does, of the whole file.
"""

from collections.abc import Mapping, MutableMapping, Sequence
from typing import Final

from keepclear.record.encoding import Signed, decode
from keepclear.record.entries import EVERYBODY, Leaf, Part, leaf_of
from keepclear.record.envelopes import Envelope
from keepclear.record.exchange_keys import KeyChain, followed_by
from keepclear.record.faults import BrokenProof, Malformed, NotProven, RecordError
from keepclear.record.files import (
    LONGEST_LINE,
    AnyLine,
    CheckpointLine,
    LeafLine,
    PersonalLine,
)
from keepclear.record.headers import Bytes32
from keepclear.record.merkle import Tree
from keepclear.record.notes import (
    SHOWN,
    Checkpoint,
    NoteKey,
    read_checkpoint,
    signers_of,
    split_note,
    verify_note,
)
from keepclear.record.origins import read_origin
from keepclear.record.parts import EXCHANGE_KEY_KIND
from keepclear.record.split_view import extend
from keepclear.record.views import is_seen

MOST_CONTRARY: Final = 16
ASK: Final = "keep what you hold, and ask the operator and the other parties by another way"


class Stand(Signed, frozen=True, kw_only=True):
    """How a tree stands: how many leaves it has, and the hashes that it goes on from."""

    size: int
    peaks: tuple[Bytes32, ...]


class HeldTrees:
    """The trees of one party in one incarnation of a region. Written by its owner alone.

    keys: of the exchange, the newest last. stands: what was held, and proven, before. notes: the
    last checkpoint of each tree, verified before; what is kept of them is written there. contrary:
    checkpoints that the exchange has signed and that contradict what is held; further ones are
    added. changes: of the exchange's key, that were followed before.
    """

    def __init__(
        self, party: str, region: str, incarnation: int, keys: Sequence[NoteKey],
        stands: Mapping[str, Stand], notes: MutableMapping[str, str], contrary: list[str],
        changes: Sequence[Envelope] = (),
    ) -> None:  # fmt: skip
        self._party, self._region, self._incarnation, self._keys = party, region, incarnation, keys
        self.chain = KeyChain(region, keys, changes)
        self._followed = len(self.chain.changes)
        self._trees = {name: Tree(each.size, each.peaks) for name, each in stands.items()}
        self._settled = {name: each.size for name, each in stands.items()}
        self._proven = dict(self._settled)
        self._notes, self._contrary = notes, contrary
        self._given: dict[str, str] = {}

    @property
    def is_proven(self) -> bool:
        """Tell whether checkpoints cover every leaf that is held."""
        return all(self._proven.get(name) == len(tree) for name, tree in self._trees.items())

    def take(self, data: bytes, path: str) -> Part | None:
        """Take in the next line of the party's file; return the part in it, None without one.

        `RecordError` for what has no place there, or contradicts what is held.
        """
        line: AnyLine = decode(data, AnyLine, path, LONGEST_LINE)  # type: ignore[arg-type]
        match line:
            case LeafLine():
                return self._take_leaf(line.leaf, path)
            case CheckpointLine():
                self.check(line.note, path, is_now=True)
                return None
            case PersonalLine():
                return None
            case _:
                raise Malformed(path, type(line).__name__, "is nothing that happened", ASK)

    def check(self, note: str, path: str, *, is_now: bool = False) -> None:
        """Compare a checkpoint with the leaves that are held.

        is_now: it is of the tree as it stands. `NotProven` for one that the exchange has not
        signed, `BrokenProof` where it is of other leaves, or of more; `SplitView` where another one
        of the same size was signed before.
        """
        keys = self.chain.keys
        checkpoint = read_checkpoint(verify_note(note, keys)[0])
        origin = read_origin(checkpoint.origin)
        if (
            origin is None
            or (origin.region, origin.incarnation) != (self._region, self._incarnation)
            or not is_seen(origin.audience, self._party)
        ):
            raise NotProven(path, checkpoint.origin[:SHOWN], "is of no tree of this party", ASK)
        is_newest = self._is_newest(note, origin.audience)
        known = self._notes.get(origin.audience)
        try:
            if known is not None and size_of(known) == checkpoint.size:
                extend(known, note, (), keys)
            self._compare(checkpoint, origin.audience, path, is_now=is_now)
        except RecordError:
            if note not in self._contrary and len(self._contrary) < MOST_CONTRARY:
                self._contrary.append(note)
            raise
        if not is_newest:
            return
        self._proven[origin.audience] = max(checkpoint.size, self._proven.get(origin.audience, 0))
        given = self._given.get(origin.audience)
        if given is None or size_of(given) <= checkpoint.size:
            self._given[origin.audience] = note

    def _is_newest(self, note: str, audience: str) -> bool:
        """Tell whether the newest key has signed a note; refuse one of before it over what is new.

        That the root is right, where it has not, what is held says.
        """
        if self.chain.signs_now(note):
            return True
        if size_of(note) > len(self._trees.get(audience, ())):
            keys = self.chain.keys
            newest = self.chain.signing[-1]
            raise followed_by(signers_of(note, keys)[0], newest, f"checkpoint of {audience}")
        return False

    def _compare(self, said: Checkpoint, audience: str, path: str, *, is_now: bool) -> None:
        tree = self._trees.get(audience, Tree())
        why = ""
        if said.size > len(tree):
            why = f"are signed, and {len(tree):,} were given: something is held back"
        elif is_now and said.size < len(tree):
            why = f"are signed, and {len(tree):,} were given: what is newest is not signed"
        elif said.root != tree.root(said.size):
            why = "are signed that are not those given: something was left out, changed or added"
        if why:
            raise BrokenProof(f"{path}, tree {audience}", f"{said.size:,} leaves", why, ASK)

    def remember(self, audience: str, note: str) -> None:
        """Remember a checkpoint that was verified and came otherwise; the larger one is kept.

        One of a key that was followed is compared with what is held, and `NotProven` where it is
        over more, or what is held goes on from a larger tree.
        """
        if not self._is_newest(note, audience):
            self._compare_older(read_checkpoint(split_note(note)[0]), audience)
            return
        known = self._notes.get(audience)
        if known is not None:
            self._meet(audience, known)
        if known is None or size_of(known) < size_of(note):
            self._notes[audience] = note

    def _compare_older(self, said: Checkpoint, audience: str) -> None:
        try:
            self._trees.get(audience, Tree()).root(said.size)
        except BrokenProof:
            raise NotProven(
                f"receipt, tree {audience}", f"{said.size:,} leaves", "is signed with a key that "
                "was followed, and cannot be compared any more", "see the record that is held",
            ) from None  # fmt: skip
        self._compare(said, audience, "receipt", is_now=False)

    def settle(self) -> None:
        """Let all that is held count: it is proven. `BrokenProof` where a known note is not met."""
        for audience, note in list(self._notes.items()):
            if self._meet(audience, note):
                self._notes[audience] = self._given.get(audience, note)
        self._notes.update({
            audience: note for audience, note in self._given.items() if audience not in self._notes
        })  # fmt: skip
        self._given.clear()
        self._followed = len(self.chain.changes)
        self._settled = {audience: len(tree) for audience, tree in self._trees.items()}

    def _meet(self, audience: str, note: str) -> bool:
        """Tell whether what is held has come up to a known checkpoint; refuse where it is other."""
        known = read_checkpoint(split_note(note)[0])
        is_reached = known.size <= len(self._trees.get(audience, ()))
        if is_reached:
            self._compare(known, audience, "checkpoint shown before", is_now=False)
        return is_reached

    def check_reached(self) -> None:
        """Refuse where a known checkpoint is of more than is held: something is held back."""
        for audience, note in self._notes.items():
            known = read_checkpoint(split_note(note)[0])
            self._compare(known, audience, "checkpoint shown before", is_now=False)

    def go_back(self) -> None:
        """Let what came since all was settled be as if it had not come."""
        for audience in self._trees.keys() - self._settled.keys():
            del self._trees[audience]
        for audience, size in self._settled.items():
            self._trees[audience].cut(size)
        self._proven = dict(self._settled)
        self._given.clear()
        self.chain.cut(self._followed)

    def stands(self) -> dict[str, Stand]:
        """Return how each tree stands, to go on from."""
        return {
            name: Stand(size=len(tree), peaks=tree.peaks()) for name, tree in self._trees.items()
        }

    def _take_leaf(self, leaf: Leaf, path: str) -> Part:
        if not is_seen(leaf.audience, self._party):
            raise Malformed(path, leaf.audience, f"is not for {self._party}", ASK)
        part = decode(bytes(leaf.part), Part, f"{path}, part", LONGEST_LINE, is_inner=True)
        tree = self._trees.setdefault(leaf.audience, Tree())
        tree.add(leaf_of(leaf.salt, bytes(leaf.part)))
        if part.kind == EXCHANGE_KEY_KIND:
            if leaf.audience != EVERYBODY:
                raise NotProven(path, leaf.audience, "is not everybody, who must know it", ASK)
            change = decode(bytes(part.data), Envelope, f"{path}, exchange key", is_inner=True)
            self.chain.follow(change, f"{path}, exchange key")
        return part


def size_of(note: str) -> int:
    """Return over how many leaves a checkpoint is that was verified before."""
    return read_checkpoint(split_note(note)[0]).size
