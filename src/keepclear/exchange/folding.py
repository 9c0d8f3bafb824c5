# SPDX-License-Identifier: Apache-2.0
"""The world from a record: its events folded, in their order.

Signatures and forms are not checked again: `record.verification` does that. Where the hash of
the world stands beside the entries, the world here has it too, or the fold is refused.
"""

from collections.abc import Iterable
from typing import Final

import msgspec

from keepclear.exchange.events import KINDS, Event
from keepclear.exchange.world import World, evolve, keep
from keepclear.record.entries import Entry, Part
from keepclear.record.faults import BrokenProof
from keepclear.record.files import AnyLine, EntryLine, WorldLine

LINES: Final[msgspec.json.Decoder[AnyLine]] = msgspec.json.Decoder(AnyLine)


def fold(lines: Iterable[bytes]) -> World:
    """Return the world that the entries of an archive lead to; as `check_world`."""
    world = World()
    for number, data in enumerate(lines, start=1):
        line: AnyLine = LINES.decode(data)
        if isinstance(line, WorldLine):
            check_world(world, line, f"line {number}")
        if not isinstance(line, EntryLine):
            continue
        entry = msgspec.json.decode(line.entry, type=Entry)
        for leaf in entry.leaves:
            part = msgspec.json.decode(leaf.part, type=Part)
            if part.kind in KINDS:
                event: Event = msgspec.json.decode(part.data, type=KINDS[part.kind])  # type: ignore[assignment]
                evolve(world, event)
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
