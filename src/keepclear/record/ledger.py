# SPDX-License-Identifier: Apache-2.0
"""A record as it is written: entries appended, one tree for each audience, what is signed of it.

Pure: the time, salts and ids are handed in, and nothing is kept but hashes. The writer alone
appends. What comes next is made first and taken in once it is kept, so that nothing is ahead of
what is written.

1. A checkpoint is of one audience's tree; its origin names region, incarnation and audience.
2. On each beat one salted digest is signed, over the order of the entries and the roots of all
   trees. It binds them to each other and to the time without showing how many trees there are,
   to whom they belong, or how many entries there were.
"""

from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import NamedTuple

import msgspec

from keepclear.record.encoding import encode
from keepclear.record.entries import (
    EVERYBODY,
    Chain,
    Entry,
    Leaf,
    Part,
    Placed,
    after,
    leaf_of,
    part_leaf,
)
from keepclear.record.faults import Malformed
from keepclear.record.keys import Signer
from keepclear.record.merkle import Tree
from keepclear.record.notes import Checkpoint, sign_note
from keepclear.record.origins import beat_origin, order_origin, origin_of
from keepclear.record.parts import INCARNATION_KIND, Incarnation, TreeSize
from keepclear.record.receipts import Receipt
from keepclear.record.views import is_seen


class ForWhom(msgspec.Struct, frozen=True, kw_only=True):
    """A part that is to be entered: for which audience, with which salt."""

    audience: str
    salt: bytes
    part: Part


class Next(NamedTuple):
    """The entry that comes next: itself, as bytes, and where the record stands with it."""

    entry: Entry
    data: bytes
    chain: Chain


class Ledger:
    """A record of one region and incarnation."""

    def __init__(self, region: str, incarnation: int = 1) -> None:
        self.region, self.incarnation = region, incarnation
        self.chain = Chain()
        self.trees: dict[str, Tree] = {}

    def append(self, at_us: int, parts: Sequence[ForWhom]) -> tuple[Entry, bytes]:
        """Enter parts together; return the entry, and as bytes; as `next`."""
        made = self.next(at_us, parts)
        self.take(made)
        return made.entry, made.data

    def next(self, at_us: int, parts: Sequence[ForWhom]) -> Next:
        """Return the entry that parts make together; it is not taken in. `Malformed`: none.

        at_us: not before the last entry. Each part carries the same time.
        """
        late = next((each.part.at_us for each in parts if each.part.at_us != at_us), None)
        if late is not None:
            raise Malformed("part.at_us", late, f"is not the entry's {at_us}", "give one time")
        entry = Entry(
            region=self.region, incarnation=self.incarnation, seq=self.chain.seq,
            previous=self.chain.previous, at_us=at_us,
            leaves=tuple(part_leaf(each.audience, each.salt, each.part) for each in parts),
        )  # fmt: skip
        data = encode(entry)
        return Next(entry, data, after(self.chain, entry, data))

    def take(self, made: Next) -> tuple[Placed, ...]:
        """Take in the entry that comes next: it is kept. Return its leaves with their places."""
        self.chain = made.chain
        return grow(self.trees, made.entry.leaves)

    def read(self, entry: Entry, data: bytes) -> tuple[Placed, ...]:
        """Take in an entry that was kept before, as `take`; `Malformed`: it does not follow."""
        return self.take(Next(entry, data, after(self.chain, entry, data)))

    def go_back(self, chain: Chain, sizes: Mapping[str, int]) -> None:
        """Let what was taken in last be as if it had not been: it was not kept.

        chain, sizes: where the record stood then, with how many leaves in which tree.
        """
        self.chain = chain
        for audience in self.trees.keys() - sizes.keys():
            del self.trees[audience]
        for audience, size in sizes.items():
            self.trees[audience].cut(size)

    def checkpoint(self, audience: str, size: int | None = None) -> Checkpoint:
        """Return the checkpoint of a tree, of its first leaves where a size is given."""
        tree = self.trees[audience]
        size = len(tree) if size is None else size
        return Checkpoint(origin_of(self.region, self.incarnation, audience), size, tree.root(size))

    def signed_checkpoint(self, audience: str, exchange: str, signer: Signer) -> str:
        """Return the checkpoint of a tree as a note signed by the exchange."""
        return sign_note(self.checkpoint(audience).text, exchange, signer)

    def incarnation_parts(self, at_us: int) -> tuple[tuple[str, Part], ...]:
        """Return what the record that goes on from this one as a backup starts with.

        One part for each audience, which tells its readers of their own tree and of no other.
        """
        return tuple(
            (audience, self._incarnation_part(at_us, audience))
            for audience in sorted({EVERYBODY, *self.trees})
        )

    def _incarnation_part(self, at_us: int, audience: str) -> Part:
        tree = self.trees.get(audience, Tree())
        size = TreeSize(audience=audience, size=len(tree), root=tree.root())
        start = Incarnation(before=self.incarnation, tree=size)
        return Part(kind=INCARNATION_KIND, at_us=at_us, data=msgspec.Raw(encode(start)))

    def holds(self, party: str, leaf: bytes) -> bool:
        """Tell whether a leaf, by its hash, stands in a tree that a party sees.

        Looks through those trees from end to end: for what is asked rarely.
        """
        return any(
            leaf in tree for audience, tree in self.trees.items() if is_seen(audience, party)
        )

    def receipt(self, leaf: Leaf, index: int, checkpoint: str, size: int) -> Receipt:
        """Return the receipt of a leaf: it stands at a place of its tree, as a note says."""
        tree = self.trees[leaf.audience]
        return Receipt(
            audience=leaf.audience, salt=leaf.salt, part=leaf.part, index=index,
            proof=tree.inclusion(index, size), checkpoint=checkpoint,
        )  # fmt: skip

    def beat(
        self, number: int, salt: bytes, exchange: str, signer: Signer, beside: Sequence[str] = ()
    ) -> str:
        """Return the note of a beat: the digest over the order and all trees now.

        beside: what stands beside the entries since the beat before: hashes of the world, writers.
        """
        digest = beat_digest(self.region, self.incarnation, self.chain, self.trees, salt, beside)
        text = Checkpoint(beat_origin(self.region, self.incarnation), number, digest).text
        return sign_note(text, exchange, signer)


def grow(trees: dict[str, Tree], leaves: Sequence[Leaf]) -> tuple[Placed, ...]:
    """Append leaves to the trees of their audiences; return them with their places in these."""
    placed = []
    for leaf in leaves:
        tree = trees.get(leaf.audience)
        if tree is None:
            tree = trees[leaf.audience] = Tree()
        placed.append(Placed(tree.add(leaf_of(leaf.salt, bytes(leaf.part))), leaf))
    return tuple(placed)


def beat_digest(
    region: str, incarnation: int, chain: Chain, trees: Mapping[str, Tree], salt: bytes,
    beside: Sequence[str] = (),
) -> bytes:  # fmt: skip
    """Return SHA-256 over a salt, the order, the checkpoint texts of all trees, and more.

    The order is written as a checkpoint too: how many entries there were, and the hash of the
    last; the trees follow in order of audience, and then what stands beside the entries since the
    beat before (hashes of the world, writers), each on a line of its own.
    """
    order = Checkpoint(order_origin(region, incarnation), chain.seq, chain.previous)
    texts = [order.text] + [
        Checkpoint(origin_of(region, incarnation, audience), len(tree), tree.root()).text
        for audience, tree in sorted(trees.items())
    ]
    texts += [f"{each}\n" for each in beside]
    return sha256(salt + "".join(texts).encode()).digest()
