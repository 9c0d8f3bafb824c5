# SPDX-License-Identifier: Apache-2.0
"""Merkle trees over a growing list of leaves, and proofs about them (RFC 9162, section 2.1).

A tree keeps the hash of every complete subtree, so that a root or a proof takes some twenty
look-ups and hashes. The same shapes and proofs as RFC 6962, section 2.1; the hash is SHA-256.

1. A leaf's hash is handed in, already made with the prefix 0x00; `node_hash` uses 0x01.
2. The verifying functions return the root that a proof leads to, or raise: nothing is ever
   compared here with a root that came along with the proof.

    >>> tree = Tree()
    >>> tree.append([leaf_hash(b"a"), leaf_hash(b"b"), leaf_hash(b"c")])
    >>> root_of_inclusion(leaf_hash(b"b"), 1, 3, tree.inclusion(1, 3)) == tree.root(3)
    True
"""

from collections.abc import Iterable, Sequence
from hashlib import sha256
from typing import Final

from keepclear.record.faults import BrokenProof

EMPTY_ROOT: Final = sha256(b"").digest()
HASH_BYTES: Final = 32
LONGEST_PROOF: Final = 64
MOST_ENDS, MOST_ABOVE = 64, 1_024
Proof = tuple[bytes, ...]


def leaf_hash(data: bytes) -> bytes:
    """Return the hash of a leaf (RFC 9162, 2.1.1)."""
    return sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the hash of an inner node (RFC 9162, 2.1.1)."""
    return sha256(b"\x01" + left + right).digest()


class Tree:
    """Leaves that only grow; the owner alone appends.

    Level k holds the hashes of the complete subtrees of 2^k leaves, in order, from `bases[k]`
    on; those above the leaves are made when a root or a proof is asked for. Those of the last few
    incomplete ones are kept: proofs of one size have them in common. A tree that is gone on with
    knows of its beginning the peaks alone.
    """

    def __init__(self, size: int = 0, peaks: Sequence[bytes] = ()) -> None:
        """Go on with a tree of a size. peaks: hashes of its complete subtrees, largest first."""
        if len(peaks) != size.bit_count() or any(len(peak) != HASH_BYTES for peak in peaks):
            raise BrokenProof(
                "peaks", f"{len(peaks)} hashes", f"is not what a tree of {size} leaves has",
                "get the range again",
            )  # fmt: skip
        rest = list(peaks)
        self._ends: dict[tuple[int, int], bytes] = {}
        self._completed = -1  # the size at which all complete subtrees were hashed
        self._above: dict[tuple[int, int], Proof] = {}
        self._asked_of = -1
        self._bases: list[int] = []
        self._levels: list[list[bytes]] = []
        for level in range(max(size.bit_length(), 1)):
            has_peak = size >> level & 1
            self._bases.append((size >> level) - has_peak)
            self._levels.append([rest.pop()] if has_peak else [])

    def __len__(self) -> int:
        """Return how many leaves there are."""
        return self._bases[0] + len(self._levels[0])

    def __contains__(self, leaf: object) -> bool:
        """Tell whether a leaf, by its hash, is among those that are known one by one."""
        return leaf in self._levels[0]

    def append(self, hashes: Iterable[bytes]) -> None:
        """Add leaves by their hashes."""
        self._levels[0].extend(hashes)

    def add(self, leaf: bytes) -> int:
        """Add one leaf by its hash, and return its place."""
        leaves = self._levels[0]
        leaves.append(leaf)
        return self._bases[0] + len(leaves) - 1

    def leaves(self) -> list[bytes]:
        """Return the hashes of those leaves that are known one by one, in order."""
        return list(self._levels[0])

    def cut(self, size: int) -> None:
        """Keep the first leaves alone. size: not less than this tree began with."""
        self._ends.clear()
        self._completed = self._asked_of = -1
        for level, hashes in enumerate(self._levels):
            del hashes[max((size >> level) - self._bases[level], 0) :]

    def peaks(self) -> Proof:
        """Return the hashes of the complete subtrees that make up the tree, largest first."""
        self._complete()
        size = len(self)
        return tuple(
            self._at(level, (size >> level) - 1)
            for level in reversed(range(size.bit_length()))
            if size >> level & 1
        )

    def leaf(self, index: int) -> bytes:
        """Return the hash of one leaf."""
        return self._at(0, index)

    def root(self, size: int | None = None) -> bytes:
        """Return the root over the first leaves; all of them where no size is given."""
        size = len(self) if size is None else size
        self._check(0, size)
        return EMPTY_ROOT if size == 0 else self._range(0, size)

    def inclusion(self, index: int, size: int) -> Proof:
        """Return the proof that a leaf stands at a place in the tree of a size (2.1.3.1).

        Leaves of which proofs of one size are asked for share what is above both: it is kept.
        """
        if self._asked_of != size or not 0 <= index < size or len(self._above) >= MOST_ABOVE:
            self._check(index + 1, size)
            self._above.clear()
            self._asked_of = size
        return self._path(0, index, size - 1)

    def _path(self, level: int, place: int, last: int) -> Proof:
        """Return the proof from a place of a level on. last: the last place there at this size."""
        if not last:
            return ()
        found = self._above.get((level, place))
        if found is None:
            beside, found = place ^ 1, self._path(level + 1, place >> 1, last >> 1)
            if beside < last:
                found = (self._at(level, beside), *found)
            elif beside == last:
                found = (self._range(beside << level, self._asked_of), *found)
            if level:  # of a leaf it is asked for once
                self._above[level, place] = found
        return found

    def consistency(self, old: int, size: int) -> Proof:
        """Return the proof that the tree of a size extends an older one (2.1.4.1)."""
        self._check(old, size)
        if old in {0, size}:
            return ()
        path: list[bytes] = []
        first, last = 0, size
        while old != last:
            middle = first + _split(last - first)
            if old <= middle:
                path.append(self._range(middle, last))
                last = middle
            else:
                path.append(self._range(first, middle))
                first = middle
        if first > 0:
            path.append(self._range(first, last))
        return tuple(reversed(path))

    def _complete(self) -> None:
        """Hash the subtrees that have become complete since the last time that one was needed."""
        if self._completed == len(self):
            return
        self._completed = len(self)
        level = 0
        while self._bases[level] + len(self._levels[level]) > 1:
            if level + 1 == len(self._levels):
                self._levels.append([])
                self._bases.append(0)
            below, above = self._levels[level], self._levels[level + 1]
            base = self._bases[level]
            first = 2 * (self._bases[level + 1] + len(above)) - base
            if first >= len(below) - 1:
                break
            above.extend(
                sha256(b"\x01" + below[k] + below[k + 1]).digest()
                for k in range(first, len(below) - 1, 2)
            )
            level += 1

    def _range(self, first: int, last: int) -> bytes:
        """Return the hash over leaves first..last - 1, where first is a multiple of the split."""
        count = last - first
        level = count.bit_length() - 1
        if count == 1 << level:
            return self._at(level, first >> level)
        found = self._ends.get((first, last))
        if found is None:
            middle = first + _split(count)
            found = node_hash(self._range(first, middle), self._range(middle, last))
            if len(self._ends) >= MOST_ENDS:
                self._ends.clear()
            self._ends[first, last] = found
        return found

    def _at(self, level: int, place: int) -> bytes:
        place -= self._bases[level]
        if place < 0:
            raise BrokenProof(
                "leaf", place + self._bases[level], "stands before what is known of this tree",
                "take the record from its beginning",
            )  # fmt: skip
        return self._levels[level][place]

    def _check(self, low: int, size: int) -> None:
        self._complete()
        if not 0 <= low <= size <= len(self):
            raise BrokenProof(
                "tree size", f"{low} of {size}", f"the tree has {len(self)} leaves",
                "ask for what is there",
            )  # fmt: skip


def root_of_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes]) -> bytes:
    """Return the root that an inclusion proof leads to (2.1.3.2); `BrokenProof` if to none."""
    _check_proof(proof)
    if not 0 <= index < size:
        raise BrokenProof(
            "leaf index", index, f"is not below the tree size {size}", "ask for the receipt again"
        )
    place, last, root, used = index, size - 1, leaf, 0
    for step in proof:
        if last == 0:
            break
        if place & 1 or place == last:
            root = node_hash(step, root)
            while place and not place & 1:
                place, last = place >> 1, last >> 1
        else:
            root = node_hash(root, step)
        place, last, used = place >> 1, last >> 1, used + 1
    if last != 0 or used != len(proof):
        raise _wrong_length(proof)
    return root


def roots_of_consistency(
    old: int, size: int, old_root: bytes, proof: Sequence[bytes]
) -> tuple[bytes, bytes]:
    """Return the old and the new root that a consistency proof leads to (2.1.4.2).

    old_root: needed as the start where the old size is a power of two. Sizes 0 and equal sizes
    take an empty proof and are compared by the caller. `BrokenProof` where it leads to none.
    """
    _check_proof(proof)
    if not 0 < old < size:
        raise BrokenProof(
            "tree size", old, f"is not between 0 and {size}", "compare the two roots instead"
        )
    steps = list(proof)
    if old & (old - 1) == 0:
        steps.insert(0, old_root)
    place, last = old - 1, size - 1
    while place & 1:
        place, last = place >> 1, last >> 1
    if not steps:
        raise _wrong_length(proof)
    first, second, used = steps[0], steps[0], 1
    for step in steps[1:]:
        if last == 0:
            break
        if place & 1 or place == last:
            first, second = node_hash(step, first), node_hash(step, second)
            while place and not place & 1:
                place, last = place >> 1, last >> 1
        else:
            second = node_hash(second, step)
        place, last, used = place >> 1, last >> 1, used + 1
    if last != 0 or used != len(steps):
        raise _wrong_length(proof)
    return first, second


def _split(count: int) -> int:
    """Return the largest power of two below a count of at least 2."""
    return 1 << ((count - 1).bit_length() - 1)


def _check_proof(proof: Sequence[bytes]) -> None:
    if len(proof) > LONGEST_PROOF or any(len(step) != HASH_BYTES for step in proof):
        raise BrokenProof(
            "proof", f"{len(proof)} steps", f"has more than {LONGEST_PROOF} or one not of 32 bytes",
            "ask for the receipt again",
        )  # fmt: skip


def _wrong_length(proof: Sequence[bytes]) -> BrokenProof:
    return BrokenProof(
        "proof", f"{len(proof)} steps", "is not as long as these sizes take",
        "ask for the receipt again",
    )  # fmt: skip
