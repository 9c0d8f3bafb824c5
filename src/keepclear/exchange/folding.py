# SPDX-License-Identifier: Apache-2.0
"""The world from a record: its events folded, in their order. Signatures are not checked again."""

from collections.abc import Iterable

import msgspec

from keepclear.exchange.events import KINDS, Event
from keepclear.exchange.world import World, evolve, keep
from keepclear.record.encoding import decode
from keepclear.record.entries import Entry, Part
from keepclear.record.files import LONGEST_LINE, AnyLine, EntryLine


def fold(lines: Iterable[bytes]) -> World:
    """Return the world that the entries of an archive lead to."""
    world = World()
    for number, data in enumerate(lines, start=1):
        line: AnyLine = decode(data, AnyLine, f"line {number}", LONGEST_LINE)  # type: ignore[arg-type]
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
