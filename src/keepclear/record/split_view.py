# SPDX-License-Identifier: Apache-2.0
"""Whether two checkpoints of one tree can both be true, and what proves that they cannot.

An operator that shows two readers two records must sign two roots of one size sooner or later.
Readers compare what they hold; whoever has both notes can prove it to anybody.

1. A reader takes a new checkpoint only with a proof that it extends the last one it holds.
2. Two signed notes of one origin and size with different roots are a `SplitView`: `evidence`
   keeps them, and `verify_evidence` needs nothing but them and the exchange's key.
3. A missing or wrong proof is a `BrokenProof`: suspicious, but no proof against the operator.
"""

from collections.abc import Sequence

from keepclear.record.encoding import Signed
from keepclear.record.faults import BrokenProof, Malformed, SplitView
from keepclear.record.merkle import roots_of_consistency
from keepclear.record.notes import Checkpoint, NoteKey, read_checkpoint, verify_note


class Evidence(Signed, frozen=True, kw_only=True):
    """Two notes that cannot both be true."""

    one: str
    other: str


def verify_evidence(evidence: Evidence, keys: Sequence[NoteKey]) -> Checkpoint:
    """Return the checkpoint that was signed twice; `Malformed` where that is not proven."""
    one, other = (_read(note, keys) for note in (evidence.one, evidence.other))
    if (one.origin, one.size) != (other.origin, other.size) or one.root == other.root:
        raise Malformed(
            "evidence", f"{one.origin} {one.size}", "is no two roots of one tree at one size",
            "give two notes that contradict each other",
        )  # fmt: skip
    return one


def extend(
    last: str | None, note: str, proof: Sequence[bytes], keys: Sequence[NoteKey]
) -> Checkpoint:
    """Return the checkpoint in a note that goes on from the last one a reader holds.

    last: the note held, None for the first. proof: of consistency from its size to the new one.
    `SplitView` where both cannot be true, `BrokenProof` where it is not shown that they are.
    """
    new = _read(note, keys)
    if last is None:
        return new
    old = _read(last, keys)
    if new.origin != old.origin:
        raise Malformed(
            "checkpoint", new.origin, f"is not of {old.origin}", "compare those of one tree"
        )
    if new.size == old.size:
        if new.root != old.root:
            raise SplitView(
                "checkpoint", f"{new.origin} {new.size}",
                "was signed with two roots: the operator shows two records",
                "keep both notes, they prove it; tell the other parties",
            )  # fmt: skip
        return new
    if new.size < old.size:
        raise BrokenProof(
            "checkpoint", new.size, f"is smaller than the {old.size} leaves already seen",
            "ask for the newest; if a backup was restored there is a new incarnation",
        )  # fmt: skip
    if old.size and roots_of_consistency(old.size, new.size, old.root, proof) != (
        old.root,
        new.root,
    ):
        raise BrokenProof(
            "proof", f"{old.size} to {new.size}", "does not lead from the last root to this one",
            "ask for the proof again; if it stays so, compare checkpoints with the other parties",
        )  # fmt: skip
    return new


def _read(note: str, keys: Sequence[NoteKey]) -> Checkpoint:
    return read_checkpoint(verify_note(note, keys)[0])
