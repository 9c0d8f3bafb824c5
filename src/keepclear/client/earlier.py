# SPDX-License-Identifier: Apache-2.0
"""A party's own copy of the incarnation before, and what it proves that a restored backup lacks.

Where an exchange goes on from a backup its record begins with how far each tree had come in it.
This says whether that is the record that the party holds, what of it is lost, and gives the
receipts with which the party hands in its own acts again.

1. The root that the backup names is that of the leaves that are held, or it is another record.
2. A receipt is made from the leaves that are held, under the last checkpoint that the exchange has
   signed over them.
"""

from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

from keepclear.exchange.events import (
    KIND_OF,
    CallChanged,
    LineChecked,
    MessageChanged,
    OperationFiled,
    ShiftChanged,
    StopChanged,
)
from keepclear.record.encoding import decode
from keepclear.record.entries import EVERYBODY, Leaf, Part, leaf_of
from keepclear.record.envelopes import Envelope
from keepclear.record.faults import BrokenProof
from keepclear.record.files import LONGEST_LINE, AnyLine, CheckpointLine, LeafLine
from keepclear.record.headers import Act, read_act
from keepclear.record.held import ASK, size_of
from keepclear.record.merkle import Tree
from keepclear.record.notes import read_checkpoint, split_note
from keepclear.record.parts import ACT_KIND, INCARNATION_KIND, LATE_ACT_KIND, Incarnation
from keepclear.record.receipts import Receipt

# What says which id was given to what an act has made.
MADE: Final = frozenset({
    KIND_OF[OperationFiled], KIND_OF[MessageChanged], KIND_OF[LineChecked], KIND_OF[StopChanged],
    KIND_OF[ShiftChanged], KIND_OF[CallChanged],
})  # fmt: skip


class Start(NamedTuple):
    """What an incarnation begins with: how far each tree of the party had come in the backup."""

    before: int
    sizes: Mapping[str, int]
    roots: Mapping[str, bytes]


class Lost(NamedTuple):
    """An act that is held and that the backup has not. receipts: of an own act, its own first."""

    act: Act
    receipts: tuple[Receipt, ...]


class _Held(NamedTuple):
    """A leaf that is held, its place in its tree, and its part."""

    place: int
    leaf: Leaf
    part: Part


class EarlierCopy:
    """What a party holds of an incarnation. lines: of its file. notes: the last checkpoints."""

    def __init__(self, party: str, lines: Iterable[bytes], notes: Mapping[str, str]) -> None:
        self._party = party
        self._trees: dict[str, Tree] = {}
        self._held: list[_Held] = []
        self._notes: dict[str, str] = {}
        for data in lines:
            line: AnyLine = decode(data, AnyLine, "record", LONGEST_LINE)  # type: ignore[arg-type]
            match line:
                case LeafLine(leaf=leaf):
                    self._take(leaf)
                case CheckpointLine(note=note):
                    self._note(note)
                case _:
                    pass
        for note in notes.values():
            self._note(note)

    def _take(self, leaf: Leaf) -> None:
        part = decode(bytes(leaf.part), Part, "record, part", LONGEST_LINE, is_inner=True)
        tree = self._trees.setdefault(leaf.audience, Tree())
        self._held.append(_Held(len(tree), leaf, part))
        tree.append((leaf_of(leaf.salt, bytes(leaf.part)),))

    def _note(self, note: str) -> None:
        """Keep the largest checkpoint of each tree that is no larger than what is held."""
        audience = read_checkpoint(split_note(note)[0]).origin.rpartition("/")[2]
        known = self._notes.get(audience)
        if size_of(note) <= len(self._trees.get(audience, ())) and (
            known is None or size_of(known) < size_of(note)
        ):
            self._notes[audience] = note

    def sizes(self) -> dict[str, int]:
        """Return how many leaves are held of each tree."""
        return {audience: len(tree) for audience, tree in sorted(self._trees.items())}

    def check(self, start: Start) -> None:
        """Refuse a backup that is of another record than the one that is held."""
        for audience, size in start.sizes.items():
            tree = self._trees.get(audience, Tree())
            if size <= len(tree) and tree.root(size) != start.roots[audience]:
                raise BrokenProof(
                    f"backup, tree {audience}", f"{size:,} leaves",
                    "are not those that are held here: the backup is of another record", ASK,
                )  # fmt: skip

    def lost(self, start: Start) -> list[Lost]:
        """Return the acts that the backup has not, in the order of the record."""
        found: list[Lost] = []
        for number, each in enumerate(self._held):
            if each.part.kind == ACT_KIND and each.place >= start.sizes.get(each.leaf.audience, 0):
                act = _act_in(each.part)
                mine = (each, *self._came_of(number)) if act.party == self._party else ()
                found.append(Lost(act, tuple(map(self._receipt, mine))))
        return found

    def _came_of(self, number: int) -> list[_Held]:
        """Return what stands behind an act of what it has made: at one time."""
        act, came = self._held[number], []
        for each in self._held[number + 1 :]:
            if each.part.kind == ACT_KIND or each.part.at_us != act.part.at_us:
                break
            if each.part.kind in MADE:
                came.append(each)
        return came

    def _receipt(self, held: _Held) -> Receipt:
        audience, leaf = held.leaf.audience, held.leaf
        note = self._notes.get(audience)
        if note is None or size_of(note) <= held.place:
            raise BrokenProof(
                f"tree {audience}", f"leaf {held.place:,}", "is under no checkpoint that is held",
                "act again, as of now",
            )  # fmt: skip
        return Receipt(
            audience=audience, salt=leaf.salt, part=leaf.part, index=held.place,
            proof=self._trees[audience].inclusion(held.place, size_of(note)), checkpoint=note,
        )  # fmt: skip


def start_of(parts: Iterable[Part]) -> Start | None:
    """Return what an incarnation begins with; None where it is the first of its region."""
    starts = [
        decode(bytes(each.data), Incarnation, each.kind)
        for each in parts if each.kind == INCARNATION_KIND
    ]  # fmt: skip
    if not any(each.tree.audience == EVERYBODY for each in starts):
        return None
    return Start(
        starts[0].before, {each.tree.audience: each.tree.size for each in starts},
        {each.tree.audience: each.tree.root for each in starts},
    )  # fmt: skip


def late_acts(parts: Iterable[Part]) -> set[tuple[str, str]]:
    """Return the acts that were entered late already, by party and id."""
    found = set()
    for each in parts:
        if each.kind == LATE_ACT_KIND:
            receipt = decode(bytes(each.data), Receipt, each.kind)
            act = _act_in(decode(bytes(receipt.part), Part, each.kind))
            found.add((act.party, act.id))
    return found


def _act_in(part: Part) -> Act:
    return read_act(decode(bytes(part.data), Envelope, "record, act"))
