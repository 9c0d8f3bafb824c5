# SPDX-License-Identifier: Apache-2.0
"""What stands when a backup ends, carried over into the incarnation that goes on from it.

The record of the new incarnation begins with it, so it is decided from alone, as any record is.

1. First stands how far each tree had come, for its readers (`record.ledger`), then how the region
   is opened, every change of the exchange's key, and every key document, all in one entry.
2. Then each object of the world, in an entry of its own, for those who were told of it: who sees
   several learns nothing of how many there are between them.
3. Then what each party was told last of each of its conflicts, in the order of their numbers.
4. Operations come in the order of their places, and all else as it came about: who must act, and
   what is looked at first, is as it was.
"""

from collections.abc import Iterable, Iterator, Sequence

import msgspec

from keepclear.exchange.events import KIND_OF, RegionOpened, StandingCarried
from keepclear.exchange.kept import Kept, Region
from keepclear.exchange.ports import Ids
from keepclear.exchange.viewers import notices_in
from keepclear.exchange.views import NOTICE_KIND
from keepclear.exchange.world import TABLES, UNHASHED, World, evolve, keep
from keepclear.record.encoding import Signed, encode
from keepclear.record.entries import EVERYBODY, Part, audience_of
from keepclear.record.envelopes import Envelope
from keepclear.record.files import EntryLine, WorldLine
from keepclear.record.ledger import ForWhom, Ledger
from keepclear.record.parts import DOCUMENT_KIND, EXCHANGE_KEY_KIND

Parts = list[tuple[str, Part]]


def carried_over(
    old: Kept, lines: Iterable[bytes], region: Region, now_us: int, ids: Ids,
    changes: Sequence[Envelope] | None = None,
) -> Iterator[bytes]:  # fmt: skip
    """Yield the lines that the record of the next incarnation begins with, after its header.

    old: what the backup leads to. lines: of the backup. region: with the next incarnation.
    changes: of the exchange's key, where there are more than those that the backup has.
    """
    at_us = max(now_us, old.ledger.chain.at_us)  # never backwards, from one to the next
    ledger, world = Ledger(region.name, region.incarnation), World()
    opened = RegionOpened(
        region=region.name, incarnation=region.incarnation, exchange=region.exchange,
        house=region.house,
    )  # fmt: skip
    evolve(world, opened)
    first: Parts = list(old.ledger.incarnation_parts(at_us))
    first.append((EVERYBODY, _part(KIND_OF[RegionOpened], at_us, opened)))
    first += [
        (EVERYBODY, _part(EXCHANGE_KEY_KIND, at_us, each))
        for each in (old.followed if changes is None else changes)
    ]
    for party in old.keys.parties():
        first += [
            (EVERYBODY, _part(DOCUMENT_KIND, at_us, each)) for each in old.keys.documents(party)
        ]
    yield from _entered(ledger, world, first, region, ids)
    for audience, event in _standing(old.world):
        evolve(world, event)
        keep(world)
        part = _part(KIND_OF[StandingCarried], at_us, event)
        yield from _entered(ledger, world, [(audience, part)], region, ids)
    for party, data in latest_notices(lines):
        part = Part(kind=NOTICE_KIND, at_us=at_us, data=data)
        yield from _entered(ledger, world, [(party, part)], region, ids)


def is_same(old: World, new: World) -> bool:
    """Tell whether what was carried over is all that stood, in the same order of places."""
    tables = {*TABLES, *UNHASHED} - {"places"}
    return all(getattr(old, each) == getattr(new, each) for each in tables) and (
        sorted(old.places, key=old.places.__getitem__)
        == sorted(new.places, key=new.places.__getitem__)
    )


def latest_notices(lines: Iterable[bytes]) -> list[tuple[str, msgspec.Raw]]:
    """Return what each party was told last of each of its conflicts, in the order of the record."""
    found: dict[tuple[str, str], msgspec.Raw] = {}
    for data in lines:
        for audience, conflict, notice in notices_in(data):
            found.pop((audience, conflict), None)
            found[audience, conflict] = notice
    return [(party, data) for (party, _), data in found.items()]


def _standing(world: World) -> Iterator[tuple[str, StandingCarried]]:
    """Yield each object of a world, and for whom it is."""
    for table in TABLES:
        kept: dict[str, Signed] = getattr(world, table)
        keys = sorted(kept, key=world.places.__getitem__) if table == "operations" else list(kept)
        for key in keys:
            room = world.room.get(key, 0) if table == "more" else 0
            value = msgspec.Raw(encode(kept[key]))
            yield (
                audience_of(_told_of(world, table, key)),
                StandingCarried(table=table, key=key, value=value, room=room),  # type: ignore[arg-type]
            )


def _told_of(world: World, table: str, key: str) -> Iterable[str]:
    """Return the parties that were told of an object when it came about."""
    parties: Iterable[str]
    match table:
        case "agreements" | "before":
            parties = [each.id for each in getattr(world, table)[key].agreement.parties]
        case (
            "conflicts"
            | "incidents"
            | "none_here"
            | "messages"
            | "line_checks"
            | "lines_checked"
            | "calls"
        ):
            parties = getattr(world, table)[key].parties
        case "lines":
            parties = world.incidents[world.lines[key].incident].parties
        case "operations" | "earlier" | "stops" | "shifts":
            parties = [getattr(world, table)[key].party]
        case "rechecking" | "more" | "keep_outs":
            parties = [world.operations[key].party]
        case "contradictions":
            parties = [world.none_here[key].party]
        case _:  # filers, by party
            parties = [key]
    return parties


def _part(kind: str, at_us: int, value: Signed) -> Part:
    return Part(kind=kind, at_us=at_us, data=msgspec.Raw(encode(value)))


def _entered(
    ledger: Ledger, world: World, parts: Parts, region: Region, ids: Ids
) -> Iterator[bytes]:
    """Yield the line of one entry, and of the hash of the world where that is due."""
    made = [ForWhom(audience=to, salt=ids.salt(), part=part) for to, part in parts]
    entry, data = ledger.append(parts[0][1].at_us, made)
    yield encode(EntryLine(entry=msgspec.Raw(data)))
    if (entry.seq + 1) % region.hash_every == 0:
        yield encode(WorldLine(seq=entry.seq + 1, hash=world.hash))
