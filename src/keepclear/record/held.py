# SPDX-License-Identifier: Apache-2.0
"""A party's own trees, leaf by leaf: whether what it was given is all that the exchange has signed.

The lines of a party's file are taken in as they come, and each checkpoint is compared with the
root over the leaves that are held. So a leaf that was left out, changed or moved is found out by
the first checkpoint after it.

1. What no checkpoint covers yet is not proven; `go_back` lets it be as if it had not come.
2. A checkpoint over more leaves than are held is refused: something is held back.
3. From one run to the next the peaks of each tree are enough (`stands`).
4. Who signed an act is not asked here: `verification` does, of the whole file.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from keepclear.record.encoding import Signed, decode
from keepclear.record.entries import Leaf, Part, leaf_of
from keepclear.record.faults import BrokenProof, Malformed, NotProven
from keepclear.record.files import (
    LONGEST_LINE,
    AnyLine,
    CheckpointLine,
    LeafLine,
    PersonalLine,
)
from keepclear.record.headers import Bytes32
from keepclear.record.merkle import Tree
from keepclear.record.notes import SHOWN, NoteKey, is_of_region, read_checkpoint, verify_note
from keepclear.record.origins import read_origin
from keepclear.record.views import is_seen

ASK: Final = "keep what you hold, and ask the operator and the other parties by another way"


class Stand(Signed, frozen=True, kw_only=True):
    """How a tree stands: how many leaves it has, and the hashes that it goes on from."""

    size: int
    peaks: tuple[Bytes32, ...]


class HeldTrees:
    """The trees of one party in one incarnation of a region. Written by its owner alone.

    keys: of the exchange. stands: what was held, and proven, before.
    """

    def __init__(
        self, party: str, region: str, incarnation: int, keys: Sequence[NoteKey],
        stands: Mapping[str, Stand],
    ) -> None:  # fmt: skip
        self._party, self._region, self._incarnation, self._keys = party, region, incarnation, keys
        self._trees = {name: Tree(each.size, each.peaks) for name, each in stands.items()}
        self._proven = {name: each.size for name, each in stands.items()}

    @property
    def is_proven(self) -> bool:
        """Tell whether checkpoints cover every leaf that is held."""
        return all(self._proven.get(name) == len(tree) for name, tree in self._trees.items())

    def size(self, audience: str) -> int:
        """Return how many leaves of a tree are held."""
        return len(self._trees.get(audience, ()))

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

    def check(self, note: str, path: str, *, is_now: bool = False) -> str:
        """Compare a checkpoint with the leaves that are held; return of which audience it is.

        is_now: it is of the tree as it stands. `NotProven` for one that the exchange has not
        signed, `BrokenProof` where it is of other leaves, or of more.
        """
        keys = [each for each in self._keys if is_of_region(each.name, self._region)]
        checkpoint = read_checkpoint(verify_note(note, keys)[0])
        origin = read_origin(checkpoint.origin)
        if (
            origin is None
            or (origin.region, origin.incarnation) != (self._region, self._incarnation)
            or not is_seen(origin.audience, self._party)
        ):
            raise NotProven(path, checkpoint.origin[:SHOWN], "is of no tree of this party", ASK)
        tree, place = self._trees.get(origin.audience, Tree()), f"{path}, tree {origin.audience}"
        if checkpoint.size > len(tree):
            raise BrokenProof(
                place, f"{checkpoint.size:,} leaves",
                f"are signed, and {len(tree):,} were given: something is held back", ASK,
            )  # fmt: skip
        if is_now and checkpoint.size != len(tree):
            raise BrokenProof(
                place, f"{checkpoint.size:,} leaves",
                f"are signed, and {len(tree):,} were given: what is newest is not signed", ASK,
            )  # fmt: skip
        if checkpoint.root != tree.root(checkpoint.size):
            raise BrokenProof(
                place, f"{checkpoint.size:,} leaves",
                "are signed that are not those given: something was left out, changed or added",
                ASK,
            )  # fmt: skip
        self._proven[origin.audience] = max(
            checkpoint.size, self._proven.get(origin.audience, 0)
        )  # fmt: skip
        return origin.audience

    def go_back(self) -> None:
        """Let what no checkpoint covers be as if it had not come."""
        for name in [each for each in self._trees if not self._proven.get(each)]:
            del self._trees[name]
        for name, tree in self._trees.items():
            tree.cut(self._proven[name])

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
        tree.append((leaf_of(leaf.salt, bytes(leaf.part)),))
        return part
