# SPDX-License-Identifier: Apache-2.0
"""The STOPs that stand, and which of them an operation comes near, found fast.

It is no part of the world and follows from it: before each question it is brought to what stands,
so whatever was taken back, folded or read from a snapshot, it cannot hold another one.

1. Ended STOPs are not in it, and are not looked at.
2. What it finds holds all that shares a point: boxes grown as the claims are, whatever heights
   are measured from. Whether an operation must keep out is judged of what it finds, exactly.
"""

from collections.abc import Callable
from typing import NamedTuple

from keepclear.agreement.claims import Claim, Compiled
from keepclear.agreement.terms import cylinders
from keepclear.detect.kernel import Functions, limits_of
from keepclear.detect.volume_index import VolumeIndex
from keepclear.exchange.world import World
from keepclear.plans.none_here import MEETING
from keepclear.plans.stops import Stop, claim_of_stop
from keepclear.record.headers import Status


class _Kept(NamedTuple):
    """A STOP that is kept, as it stood when it was looked at last, and what it takes up."""

    stop: Stop
    form: Compiled


class StandingStops:
    """The index of all STOPs that stand. The owner alone asks, one thread at a time.

    compile: of a claim, as all that is compared with it is.
    """

    def __init__(self, functions: Functions, compile_one: Callable[[Claim], Compiled]) -> None:
        self._functions, self._compile = functions, compile_one
        self._by_status: dict[Status, VolumeIndex] = {}
        self._kept: dict[str, _Kept] = {}

    def near(self, world: World, status: Status, asked: Compiled) -> list[str]:
        """Return the ids of STOPs that stand and whose boxes come near those of a claim, in order.

        Those of the claim's own party among them.
        """
        self._bring_to(world)
        index = self._by_status.get(status)
        if index is None or not len(index):
            return []
        return sorted(index.near_by(asked.claim.id, asked.volumes))

    def form(self, stop: Stop) -> Compiled:
        """Return what a STOP takes up, as arrays."""
        kept = self._kept.get(stop.id)
        if kept is None or not _takes_the_same(kept.stop, stop):
            return self._compile(claim_of_stop(stop))
        return kept.form

    def _bring_to(self, world: World) -> None:
        """Keep what stands in a world, and nothing else."""
        for own_id in world.standing:
            stop, kept = world.stops[own_id], self._kept.get(own_id)
            if kept is None or kept.stop is not stop:
                self._put(stop)
        if len(self._kept) > len(world.standing):
            for own_id in self._kept.keys() - world.standing.keys():
                self._drop(own_id)

    def _put(self, stop: Stop) -> None:
        kept = self._kept.get(stop.id)
        if kept is not None and _takes_the_same(kept.stop, stop):
            self._kept[stop.id] = _Kept(stop, kept.form)
            return
        self._drop(stop.id)
        form = self._compile(claim_of_stop(stop))
        if stop.status not in self._by_status:
            self._by_status[stop.status] = self._empty()
        self._by_status[stop.status].add(stop.id, 0, form.volumes)
        self._kept[stop.id] = _Kept(stop, form)

    def _drop(self, own_id: str) -> None:
        kept = self._kept.pop(own_id, None)
        if kept is not None:
            self._by_status[kept.stop.status].remove(own_id)

    def _empty(self) -> VolumeIndex:
        found = cylinders(MEETING, "any", "any", rvsm_a=False, rvsm_b=False)
        return VolumeIndex(self._functions, limits_of([each for _, each in found]))


def _takes_the_same(one: Stop, other: Stop) -> bool:
    """Tell whether a STOP takes up what it did: mostly it changes in how it stands alone."""
    return (one.status, one.volume, one.grown_tmm) == (other.status, other.volume, other.grown_tmm)
