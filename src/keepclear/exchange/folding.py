# SPDX-License-Identifier: Apache-2.0
"""The world from a record: its events folded, in their order.

Signatures and forms are not checked again: `record.verification` does that. Where the hash of
the world stands beside the entries, the world here has it too, or the fold is refused.
"""

from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

from keepclear.exchange.events import KINDS, Event
from keepclear.exchange.world import World, evolve, keep
from keepclear.record.faults import BrokenProof
from keepclear.record.files import AnyLine, WorldLine


class _Part(msgspec.Struct, gc=False):
    """What a fold reads of a part: where it is an event, and of which kind."""

    kind: str
    data: msgspec.Raw


class _Leaf(msgspec.Struct, gc=False):
    part: _Part


class _Entry(msgspec.Struct, gc=False):
    leaves: tuple[_Leaf, ...]


class _Line(msgspec.Struct, gc=False):
    """What a fold reads of a line at first: its entry, if it has one."""

    entry: _Entry | None = None


ENTRIES: Final[msgspec.json.Decoder[_Line]] = msgspec.json.Decoder(_Line)
LINES: Final[msgspec.json.Decoder[AnyLine]] = msgspec.json.Decoder(AnyLine)
EVENTS: Final[Mapping[str, msgspec.json.Decoder[Event]]] = {
    kind: msgspec.json.Decoder(event) for kind, event in KINDS.items()
}


def fold(lines: Iterable[bytes]) -> World:
    """Return the world that the entries of an archive lead to; as `check_world`."""
    world = World()
    for number, data in enumerate(lines, start=1):
        entry = ENTRIES.decode(data).entry
        if entry is None:
            line: AnyLine = LINES.decode(data)
            if isinstance(line, WorldLine):
                check_world(world, line, f"line {number}")
            continue
        for leaf in entry.leaves:
            events = EVENTS.get(leaf.part.kind)
            if events is not None:
                evolve(world, events.decode(leaf.part.data))
        keep(world)
    return world


def check_world(world: World, line: WorldLine, path: str) -> None:
    """Refuse entries that lead to another world than the one they were written with."""
    if world.hash != line.hash:
        raise BrokenProof(
            f"{path}, world", line.hash[:16],
            f"is the hash written after {line.seq} entries; they lead to {world.hash[:16]} here",
            "get the record again, or read it with the program that wrote it",
        )  # fmt: skip
