# SPDX-License-Identifier: Apache-2.0
"""What is decided together and written at once, and how all stood before it.

Many acts in one write take hardly longer than one. Until they are written nothing of them is told
to anybody; where it is known that they were not, all of them are taken back.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from keepclear.detect.kernel import Functions
from keepclear.exchange.due import Timer
from keepclear.exchange.kept import Kept, Reach, index_anew, near_of
from keepclear.exchange.viewers import Seen
from keepclear.exchange.views import Answer, Disclosed
from keepclear.exchange.world import is_whole, undo
from keepclear.record.cap_keys import CapKey
from keepclear.record.entries import Chain
from keepclear.record.envelopes import Envelope
from keepclear.record.files import AnyLine
from keepclear.record.headers import Act
from keepclear.record.key_documents import Keyring
from keepclear.record.notes import NoteKey


@dataclass(frozen=True, kw_only=True, eq=False)
class Batch:
    """Lines that are not written yet, and how to take back what they tell of.

    seen: who sees something of an entry, by the number of its line. touched: what was put into the
    index or left it. passed: timers whose time has come. answered, late: acts by party and id, of
    this incarnation and of the one before, with their answers, and of the former the envelope too.
    All other fields: how it stood before.
    """

    reach: Reach
    world: str
    chain: Chain
    sizes: Mapping[str, int]
    keys: Keyring
    counts: dict[str, int]
    beats: int
    beside: tuple[str, ...]
    writers: int
    is_held: bool
    noted: dict[str, int]
    followed: tuple[Envelope, ...]
    signing: tuple[NoteKey, ...]
    cap_keys: tuple[CapKey, ...]
    lines: list[AnyLine] = field(default_factory=list)
    seen: dict[int, Seen] = field(default_factory=dict)
    touched: set[str] = field(default_factory=set)
    passed: list[Timer] = field(default_factory=list)
    answered: dict[tuple[str, str], tuple[Act, bytes, Disclosed[Answer]]] = field(
        default_factory=dict
    )
    late: dict[tuple[str, str], Disclosed[Answer]] = field(default_factory=dict)


def batch_of(kept: Kept) -> Batch:
    """Return the batch that begins with what is kept now."""
    return Batch(
        reach=kept.near.reach, world=kept.world.hash, chain=kept.ledger.chain,
        sizes={audience: len(tree) for audience, tree in kept.ledger.trees.items()},
        keys=kept.keys, counts=kept.counts, beats=kept.beats, beside=tuple(kept.beside),
        writers=kept.writers, is_held=kept.is_held, noted=kept.noted,
        followed=kept.followed, signing=kept.signing, cap_keys=kept.cap_keys,
    )  # fmt: skip


def take_back(kept: Kept, batch: Batch, functions: Functions) -> bool:
    """Let all stand as before a batch; tell whether the world is the same, to its hash.

    What was noted to fall due stays noted: of what is not there any more it does nothing.
    """
    take_back_act(kept, 0, batch.reach, functions, batch.touched)
    kept.ledger.go_back(batch.chain, batch.sizes)
    kept.keys, kept.counts, kept.beats = batch.keys, batch.counts, batch.beats
    kept.beside[:] = batch.beside
    kept.writers, kept.is_held = batch.writers, batch.is_held
    kept.noted = batch.noted
    kept.followed, kept.signing = batch.followed, batch.signing
    kept.cap_keys = batch.cap_keys
    for act, _, _ in batch.answered.values():
        kept.answers.drop(act)
    for key in batch.late:
        kept.late.pop(key, None)
    for each in batch.passed:
        kept.due.put(each.at_us, each.key)
    return kept.world.hash == batch.world and is_whole(kept.world)


def take_back_act(
    kept: Kept, mark: int, reach: Reach, functions: Functions, touched: set[str]
) -> None:
    """Undo the world down to a mark in its log, and bring the index to it.

    reach: of the index before. touched: what has changed in it since, beside what it knows itself.
    """
    undo(kept.world, mark)
    if kept.near.reach != reach:
        kept.near = near_of(functions, kept.world, reach)
        return
    index_anew(kept.near, kept.world, kept.near.touched | touched)
