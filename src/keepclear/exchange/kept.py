# SPDX-License-Identifier: Apache-2.0
"""What an exchange is set up with, and what it holds of its record.

All that it holds follows from the record (`reopening`); nothing else is kept anywhere.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

import msgspec

from keepclear.agreement.clauses import ProbingBound
from keepclear.agreement.separation import RuleSet
from keepclear.detect.cylinders import Cylinder
from keepclear.detect.kernel import Functions
from keepclear.exchange.answers import Answered, Answers
from keepclear.exchange.bindings import Bindings
from keepclear.exchange.due import Due
from keepclear.exchange.events import (
    ConflictChanged,
    Event,
    OperationFiled,
    OperationMoved,
    StandingCarried,
)
from keepclear.exchange.index import Near
from keepclear.exchange.lapses import kept_claim
from keepclear.exchange.viewers import Viewers
from keepclear.exchange.world import World
from keepclear.plans.conflicts import Conflict
from keepclear.record.cap_keys import CapKey
from keepclear.record.envelopes import Envelope
from keepclear.record.key_documents import Keyring
from keepclear.record.ledger import Ledger
from keepclear.record.notes import NoteKey
from keepclear.record.parts import TreeSize

Reach = tuple[tuple[Cylinder, ...], ProbingBound]


class Region(NamedTuple):
    """What an exchange is set up with: its region, its name, its house rule.

    hash_every: after how many entries the hash of the world is written beside them.
    """

    name: str
    exchange: str
    house: RuleSet
    incarnation: int = 1
    hash_every: int = 10_000


@dataclass(eq=False)
class Kept:
    """What an exchange holds of its record. Written by its owner alone, once lines are kept.

    counts: how many notices each party has had. beside: what stands beside the entries since the
    last beat: hashes of the world, writers, clocks. writers: how many there were. is_held: what
    falls due by time alone waits, as clocks differ. noted: of how many leaves of each tree the last
    checkpoint is that stands in the record, signed with the key of now. followed: the changes of
    the exchange's key; signing: its keys, one after another, of which the last signs now. starts:
    how far the trees of the incarnation before had come in the backup, by audience. cap_keys: for
    CAP documents, of which the last signs now. late: where the answers to late acts stand, by party
    and id of the act: kept for good, as they are entered once.
    """

    ledger: Ledger
    near: Near
    bindings: Bindings
    world: World = field(default_factory=World)
    keys: Keyring = field(default_factory=Keyring)
    counts: dict[str, int] = field(default_factory=dict)
    answers: Answers = field(default_factory=Answers)
    due: Due = field(default_factory=Due)
    viewers: Viewers = field(default_factory=Viewers)
    beats: int = 0
    beside: list[str] = field(default_factory=list)
    writers: int = 0
    is_held: bool = False
    noted: dict[str, int] = field(default_factory=dict)
    followed: tuple[Envelope, ...] = ()
    signing: tuple[NoteKey, ...] = ()
    cap_keys: tuple[CapKey, ...] = ()
    starts: dict[str, TreeSize] = field(default_factory=dict)
    late: dict[tuple[str, str], Answered] = field(default_factory=dict)


def near_of(functions: Functions, world: World, reach: Reach) -> Near:
    """Return an index of what is compared in a world. reach: what it is asked with, how wide."""
    cylinders, bound = reach
    near = Near(functions, cylinders)
    near.widen((), (bound,))
    near.put_all(
        (operation.status, claim)
        for operation in world.operations.values()
        if (claim := kept_claim(world, operation)) is not None
    )
    return near


def touched(events: Iterable[Event]) -> Iterator[str]:
    """Yield the operations of which the index may have to keep something else."""
    for event in events:
        match event:
            case OperationFiled(operation=operation):
                yield operation.id
            case OperationMoved(id=own_id):
                yield own_id
            case ConflictChanged(conflict=conflict):
                yield from (conflict.a, conflict.b)
            case StandingCarried(table="operations", key=own_id):
                yield own_id
            case StandingCarried(table="conflicts"):
                conflict = msgspec.json.decode(event.value, type=Conflict)
                yield from (conflict.a, conflict.b)
            case _:
                pass


def index_anew(near: Near, world: World, operations: Iterable[str]) -> None:
    """Bring an index to what it has of some operations of a world, by their ids."""
    for operation_id in operations:
        operation = world.operations.get(operation_id)
        claim = kept_claim(world, operation)
        if operation is None or claim is None:
            near.drop(operation_id)
        else:
            near.put(operation.status, claim)
    near.touched.clear()
