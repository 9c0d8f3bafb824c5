# SPDX-License-Identifier: Apache-2.0
"""Trees and proofs against the definitions of RFC 9162 and the vectors of its reference code."""

from collections.abc import Sequence
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keepclear.record.faults import BrokenProof, RecordError
from keepclear.record.merkle import (
    EMPTY_ROOT,
    Tree,
    leaf_hash,
    node_hash,
    root_of_inclusion,
    roots_of_consistency,
)

# Leaves and roots of the trees of 1 to 8 leaves: test vectors of Certificate Transparency's
# reference implementation (github.com/google/certificate-transparency, merkle_tree_test).
LEAVES: Final = tuple(bytes.fromhex(text) for text in (
    "", "00", "10", "2021", "3031", "40414243", "5051525354555657",
    "606162636465666768696a6b6c6d6e6f",
))  # fmt: skip
ROOTS: Final = (
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
)


def root_by_definition(leaves: Sequence[bytes]) -> bytes:
    """RFC 9162, 2.1.1, word for word."""
    if not leaves:
        return EMPTY_ROOT
    if len(leaves) == 1:
        return leaf_hash(leaves[0])
    split = 1
    while 2 * split < len(leaves):
        split *= 2
    return node_hash(root_by_definition(leaves[:split]), root_by_definition(leaves[split:]))


def tree_of(count: int, step: int = 7) -> Tree:
    """Return a tree of numbered leaves, appended some at a time."""
    tree = Tree()
    for first in range(0, count, step):
        tree.append(leaf_hash(b"%d" % n) for n in range(first, min(first + step, count)))
    return tree


@pytest.mark.parametrize("size", range(1, 9))
def test_roots_are_those_of_the_reference_vectors(size: int) -> None:
    tree = Tree()
    tree.append(map(leaf_hash, LEAVES))

    assert tree.root(size).hex() == ROOTS[size - 1]


def test_the_root_of_no_leaves_is_the_hash_of_nothing() -> None:
    # RFC 9162, 2.1.1
    assert Tree().root().hex() == (
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    )


def test_every_root_and_proof_of_every_size_up_to_70_is_as_defined() -> None:
    leaves = [b"%d" % n for n in range(70)]
    tree = tree_of(70)
    for size in range(71):
        root = tree.root(size)
        assert root == root_by_definition(leaves[:size])
        for index in range(size):
            proof = tree.inclusion(index, size)
            assert root_of_inclusion(leaf_hash(leaves[index]), index, size, proof) == root
        for old in range(1, size):
            proof = tree.consistency(old, size)
            found = roots_of_consistency(old, size, tree.root(old), proof)
            assert found == (tree.root(old), root)


def test_no_place_beyond_the_size_asked_of_is_proven_also_where_others_were() -> None:
    tree = tree_of(70)
    tree.inclusion(4, 5)

    with pytest.raises(BrokenProof, match="the tree has 70 leaves"):
        tree.inclusion(5, 5)
    tree.cut(4)
    with pytest.raises(BrokenProof, match="the tree has 4 leaves"):
        tree.inclusion(4, 5)


@pytest.mark.parametrize("size", [0, 1, 2, 5, 6, 8, 21, 64])
def test_a_tree_that_is_gone_on_with_from_its_peaks_has_the_same_roots(size: int) -> None:
    whole = tree_of(70)
    resumed = Tree(size, tree_of(size).peaks())
    resumed.append(leaf_hash(b"%d" % n) for n in range(size, 70))

    assert resumed.root() == whole.root()
    assert resumed.peaks() == whole.peaks()
    for index in range(size, 70):
        proof = resumed.inclusion(index, 70)
        assert root_of_inclusion(leaf_hash(b"%d" % index), index, 70, proof) == whole.root()
    if size:
        with pytest.raises(BrokenProof, match="stands before what is known"):
            resumed.leaf(size - 2 if size > 1 and size % 2 else 0 if size > 1 else -1)


@given(
    size=st.integers(1, 60), index=st.integers(0, 59), flip=st.integers(0, 2**16),
    change=st.sampled_from(["leaf", "index", "size", "step", "drop", "add"]),
)  # fmt: skip
def test_a_changed_inclusion_proof_never_leads_to_the_root(
    size: int, index: int, flip: int, change: str
) -> None:
    index %= size
    tree = tree_of(size)
    leaf, proof, asked, of = (
        leaf_hash(b"%d" % index),
        list(tree.inclusion(index, size)),
        index,
        size,
    )
    if change == "leaf":
        leaf = _flipped(leaf, flip)
    elif change == "index":
        asked = (index + 1 + flip % 5) % (size + 7)
    elif change == "size":
        of = size + 1 + flip % 9
    elif change == "step" and proof:
        place = flip % len(proof)
        proof[place] = _flipped(proof[place], flip)
    elif change == "drop" and proof:
        proof.pop(flip % len(proof))
    else:
        proof.insert(flip % (len(proof) + 1), leaf_hash(b"strange"))
    if (leaf, asked, of, proof) == (
        tree.leaf(index),
        index,
        size,
        list(tree.inclusion(index, size)),
    ):
        return
    try:
        found = root_of_inclusion(leaf, asked, of, proof)
    except RecordError:
        return
    # of another size alone: the same shape may lead to the same root, but not for that size
    assert found != tree.root() or (change == "size" and asked == index)


@given(old=st.integers(1, 59), more=st.integers(1, 30), flip=st.integers(0, 2**16))
def test_a_changed_consistency_proof_never_leads_to_both_roots(
    old: int, more: int, flip: int
) -> None:
    size = old + more
    tree = tree_of(size)
    proof = list(tree.consistency(old, size))
    place = flip % len(proof)
    proof[place] = _flipped(proof[place], flip)

    found = roots_of_consistency(old, size, tree.root(old), proof)

    assert found != (tree.root(old), tree.root(size))


@pytest.mark.parametrize(("old", "size"), [(1, 2), (3, 7), (4, 7), (6, 8), (5, 33)])
def test_a_consistency_proof_that_is_too_short_or_too_long_is_refused(old: int, size: int) -> None:
    tree = tree_of(size)
    proof = tree.consistency(old, size)

    for wrong in (proof[:-1], (*proof, leaf_hash(b"more"))):
        with pytest.raises(BrokenProof, match="is not as long as these sizes take"):
            roots_of_consistency(old, size, tree.root(old), wrong)
    for sizes in ((0, size), (size, size), (size, old)):
        with pytest.raises(BrokenProof, match="compare the two roots instead"):
            roots_of_consistency(*sizes, tree.root(old), proof)


def _flipped(hashed: bytes, bit: int) -> bytes:
    changed = bytearray(hashed)
    changed[bit // 8 % 32] ^= 1 << bit % 8
    return bytes(changed)
