# SPDX-License-Identifier: Apache-2.0
"""A stage whose exchange is lost, and goes on from a backup as the next incarnation."""

from collections.abc import Sequence

import msgspec

from keepclear.client.earlier import EarlierCopy, Lost, Start, late_acts, start_of
from keepclear.exchange.carrying import carried_over, is_same
from keepclear.exchange.exchange import Exchange
from keepclear.exchange.reopening import reopened
from keepclear.plays.stage import Stage
from keepclear.record.entries import Part
from keepclear.record.files import Header, LeafLine
from keepclear.record.views import view_of
from keepclear.store.memory import MemoryStore


def restore(stage: Stage, lines: Sequence[bytes], hash_every: int = 10_000) -> bool:
    """Let the exchange of a stage go on from a backup; tell whether all that stood stands."""
    own, signer = stage._opened, stage._signer
    old = reopened(lambda: lines, own, [signer.public], stage._functions)
    region = own._replace(incarnation=own.incarnation + 1, hash_every=hash_every)
    header = Header(
        view="archive", region=region.name, incarnation=region.incarnation, party="",
        exchange=(stage._own,),
    )  # fmt: skip
    begins = list(carried_over(old, lines, region, stage.clock.now_us(), stage._ids))
    stage._opened, stage._header = region, header
    stage._store = MemoryStore.holding(header, begins)
    stage.exchange = Exchange(
        region, signer, stage.clock, stage._ids, stage._store, stage._functions
    )
    stage.exchange.beat()
    return is_same(old.world, stage.exchange.world) and old.counts == stage.exchange._kept.counts


def parts_of(lines: Sequence[bytes], party: str) -> list[Part]:
    """Return the parts that a party sees of an archive."""
    return [
        msgspec.json.decode(msgspec.json.decode(each, type=LeafLine).leaf.part, type=Part)
        for each in view_of(lines, party) if each.startswith(b'{"line":"leaf"')
    ]  # fmt: skip


def start(stage: Stage, party: str) -> Start:
    """Return what the incarnation of a stage begins with, as a party sees it."""
    found = start_of(parts_of(stage.lines, party))
    assert found is not None
    return found


def lost(stage: Stage, party: str, earlier: Sequence[bytes]) -> list[Lost]:
    """Return the acts of a party that a backup has not, and that were not entered late."""
    copy = EarlierCopy(party, view_of(earlier, party), {})
    copy.check(start(stage, party))
    done = late_acts(parts_of(stage.lines, party))
    return [
        each for each in copy.lost(start(stage, party))
        if each.act.party == party and (party, each.act.id) not in done
    ]  # fmt: skip
