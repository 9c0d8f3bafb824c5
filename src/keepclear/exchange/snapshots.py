# SPDX-License-Identifier: Apache-2.0
"""What an exchange holds of its record, kept beside it, so that a start need not read all of it.

It is no part of the record and proves nothing: whatever is wrong with one, the record is read from
its beginning.

1. One is used where it was made by this very program, of this region, and the record has the line
   that it ends with. Its objects are hashed again, and lead to the hash of the world that the
   exchange had.
2. Who goes on from one goes on byte for byte as from the lines alone.
3. The index is not in it: it is made of the operations.
4. It is copied between two acts, in some milliseconds, and encoded in small pieces by another
   thread: no act waits for it.
"""

from collections.abc import Iterable, Iterator, Mapping
from hashlib import sha256
from itertools import islice
from types import GenericAlias
from typing import Any, Final, NamedTuple, TypeVar

import msgspec

from keepclear.detect.kernel import Functions
from keepclear.exchange.answers import Answered
from keepclear.exchange.bindings import Bindings
from keepclear.exchange.due import Timer
from keepclear.exchange.index import Near
from keepclear.exchange.kept import Kept, Reach, Region
from keepclear.exchange.viewers import Viewed, Viewers
from keepclear.exchange.world import ALL_TABLES, hash_all
from keepclear.record.cap_keys import CapKey
from keepclear.record.entries import Chain
from keepclear.record.envelopes import Envelope
from keepclear.record.ledger import Ledger
from keepclear.record.merkle import HASH_BYTES, Tree
from keepclear.record.parts import TreeSize

Item = TypeVar("Item")
AT_ONCE: Final = 100  # objects, so that encoding them keeps nobody waiting
LEAVES_AT_ONCE: Final = 10_000
DECODERS: Final[Mapping[str, Any]] = {
    name: msgspec.json.Decoder(GenericAlias(list, (GenericAlias(tuple, (str, kind)),)))
    for name, kind in ALL_TABLES.items()
}


class _Head(msgspec.Struct, frozen=True, kw_only=True):
    """What there is one of. lines, last: of the record, and the SHA-256 of the last of them."""

    version: str
    region: str
    incarnation: int
    lines: int
    last: bytes
    chain: Chain
    world: str
    filings: int
    counts: dict[str, int]
    beats: int
    beside: list[str]
    writers: int
    is_held: bool
    noted: dict[str, int]
    reach: Reach
    documents: list[tuple[int, Envelope]]
    followed: tuple[Envelope, ...]
    cap_keys: tuple[CapKey, ...]
    starts: dict[str, TreeSize]
    viewed: Viewed


class _Frame(msgspec.Struct, frozen=True, array_like=True):
    """Some objects of a table, or leaves of a tree, or timers, or answers; name: of the first two.

    Or the head, which comes first.
    """

    kind: str
    name: str
    data: msgspec.Raw


class Copied(NamedTuple):
    """What is written of an exchange: copies of what it changes, as it stood between two acts."""

    head: _Head
    tables: Mapping[str, Mapping[str, Any]]
    trees: Mapping[str, list[bytes]]
    timers: list[Timer]
    answers: list[tuple[int, str, str, Answered]]
    late: list[tuple[str, str, Answered]]


class Snapshot(NamedTuple):
    """What was kept, of how many lines, and the SHA-256 of the last of them. The index is empty."""

    kept: Kept
    lines: int
    last: bytes


class Unusable(Exception):
    """A snapshot is not one to go on from; says why."""


def copied(kept: Kept, region: Region, last: bytes, version: str) -> Copied:
    """Return copies of what an exchange holds.

    last: the last line of its record. version: what tells this program from every other.
    """
    world = kept.world
    head = _Head(
        version=version, region=region.name, incarnation=region.incarnation,
        lines=kept.viewers.lines, last=sha256(last).digest(), chain=kept.ledger.chain,
        world=world.hash, filings=world.filings, counts=dict(kept.counts), beats=kept.beats,
        beside=list(kept.beside), writers=kept.writers, is_held=kept.is_held,
        noted=dict(kept.noted), reach=kept.near.reach, documents=kept.keys.added(),
        followed=kept.followed, cap_keys=kept.cap_keys, starts=dict(kept.starts),
        viewed=kept.viewers.viewed(),
    )  # fmt: skip
    return Copied(
        head, {name: dict(getattr(world, name)) for name in ALL_TABLES},
        {audience: tree.leaves() for audience, tree in kept.ledger.trees.items()},
        list(kept.due), list(kept.answers), [(*key, each) for key, each in kept.late.items()],
    )  # fmt: skip


def frames(snapshot: Copied) -> Iterator[bytes]:
    """Yield a snapshot in pieces, the head first."""
    yield _frame("head", "", snapshot.head)
    for name, table in snapshot.tables.items():
        for some in _in_parts(table.items(), AT_ONCE):
            yield _frame("table", name, some)
    for audience, leaves in snapshot.trees.items():
        for hashes in _in_parts(leaves, LEAVES_AT_ONCE):
            yield _frame("tree", audience, b"".join(hashes))
    for timers in _in_parts(snapshot.timers, AT_ONCE):
        yield _frame("timers", "", timers)
    for answers in _in_parts(snapshot.answers, AT_ONCE):
        yield _frame("answers", "", answers)
    for late in _in_parts(snapshot.late, AT_ONCE):
        yield _frame("late", "", late)


def _frame(kind: str, name: str, value: object) -> bytes:
    return msgspec.json.encode(_Frame(kind, name, msgspec.Raw(msgspec.json.encode(value))))


def _in_parts(items: Iterable[Item], size: int) -> Iterator[list[Item]]:
    each = iter(items)
    while some := list(islice(each, size)):
        yield some


def read(pieces: Iterable[bytes], version: str, region: Region, functions: Functions) -> Snapshot:
    """Return what a snapshot has, in pieces as `frames` gives them.

    version: of this program. `Unusable` where it is not one to go on from.
    """
    decoder = msgspec.json.Decoder(_Frame)
    try:
        found = map(decoder.decode, pieces)
        head = _head(next(found, None), version, region)
        kept = _begun(head, region, functions)
        for frame in found:
            _take(kept, frame)
    except (msgspec.DecodeError, ValueError) as fault:
        raise Unusable(f"cannot be read ({fault})") from None
    hash_all(kept.world)
    if kept.world.hash != head.world:
        raise Unusable("its objects lead to another world")
    return Snapshot(kept, head.lines, head.last)


def _head(frame: _Frame | None, version: str, region: Region) -> _Head:
    if frame is None or frame.kind != "head":
        raise Unusable("does not begin as one")
    head = msgspec.json.decode(frame.data, type=_Head)
    if head.version != version:
        raise Unusable("was made by another version of this program")
    if (head.region, head.incarnation) != (region.name, region.incarnation):
        raise Unusable("is of another region")
    return head


def _begun(head: _Head, region: Region, functions: Functions) -> Kept:
    """Return what stands in the head alone."""
    cylinders, bound = head.reach
    near = Near(functions, cylinders)
    near.widen((), (bound,))
    ledger = Ledger(region.name, region.incarnation)
    ledger.chain = head.chain
    kept = Kept(
        ledger=ledger, near=near, bindings=Bindings(region.house), counts=head.counts,
        beats=head.beats, beside=head.beside, writers=head.writers, is_held=head.is_held,
        noted=head.noted, followed=head.followed, cap_keys=head.cap_keys, starts=head.starts,
        viewers=Viewers.of(head.viewed),
    )  # fmt: skip
    kept.world.filings = head.filings
    for place, document in head.documents:
        kept.keys.add(document, place)
    return kept


def _take(kept: Kept, frame: _Frame) -> None:
    match frame.kind:
        case "table":
            some = DECODERS[frame.name].decode(frame.data)
            getattr(kept.world, frame.name).update(some)
        case "tree":
            hashes = msgspec.json.decode(frame.data, type=bytes)
            kept.ledger.trees.setdefault(frame.name, Tree()).append(
                hashes[k : k + HASH_BYTES] for k in range(0, len(hashes), HASH_BYTES)
            )
        case "timers":
            for at_us, key in msgspec.json.decode(frame.data, type=list[Timer]):
                kept.due.put(at_us, key)
        case "answers":
            for answered in msgspec.json.decode(
                frame.data, type=list[tuple[int, str, str, Answered]]
            ):
                kept.answers.keep_one(*answered)
        case "late":
            for party, act_id, place in msgspec.json.decode(
                frame.data, type=list[tuple[str, str, Answered]]
            ):
                kept.late[party, act_id] = place
        case _:
            raise Unusable(f"has {frame.kind}, which is not known")
