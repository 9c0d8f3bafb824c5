# SPDX-License-Identifier: Apache-2.0
"""The world from a record: its events folded, in their order.

Signatures and forms are not checked again: `record.verification` does that.
"""

from collections.abc import Iterable
from typing import Final

import msgspec

from keepclear.exchange.events import KINDS, Event
from keepclear.exchange.world import World, evolve, keep
from keepclear.record.entries import Entry, Part
from keepclear.record.files import AnyLine, EntryLine

LINES: Final[msgspec.json.Decoder[AnyLine]] = msgspec.json.Decoder(AnyLine)


def fold(lines: Iterable[bytes]) -> World:
    """Return the world that the entries of an archive lead to."""
    world = World()
    for data in lines:
        line: AnyLine = LINES.decode(data)
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
