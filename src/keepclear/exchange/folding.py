# SPDX-License-Identifier: Apache-2.0
"""The world from a record: its events folded, in their order.

Signatures and forms are not checked again: `record.verification` does that.
"""

from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

from keepclear.exchange.events import KINDS, Event
from keepclear.exchange.world import World, evolve, keep


class _Part(msgspec.Struct, gc=False):
    """What a fold reads of a part: where it is an event, and of which kind."""

    kind: str
    data: msgspec.Raw


class _Leaf(msgspec.Struct, gc=False):
    part: _Part


class _Entry(msgspec.Struct, gc=False):
    leaves: tuple[_Leaf, ...]


class _Line(msgspec.Struct, gc=False):
    """What a fold reads of a line; of one that is no entry, nothing."""

    entry: _Entry | None = None


LINES: Final[msgspec.json.Decoder[_Line]] = msgspec.json.Decoder(_Line)
EVENTS: Final[Mapping[str, msgspec.json.Decoder[Event]]] = {
    kind: msgspec.json.Decoder(event) for kind, event in KINDS.items()
}


def fold(lines: Iterable[bytes]) -> World:
    """Return the world that the entries of an archive lead to."""
    world = World()
    for line in lines:
        entry = LINES.decode(line).entry
        if entry is None:
            continue
        for leaf in entry.leaves:
            events = EVENTS.get(leaf.part.kind)
            if events is not None:
                evolve(world, events.decode(leaf.part.data))
        keep(world)
    return world
