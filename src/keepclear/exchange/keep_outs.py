# SPDX-License-Identifier: Apache-2.0
"""Keep out: what the owner of an operation is told that meets a STOP of another party.

1. It is told where and when, rounded outward, and nothing else: not by whom, not why, in which
   words, or of how many STOPs. It is for the owner alone: a STOP's sender learns nothing of it.
2. Compared is the volume grown on every side, exactly: sharing a point is enough, and so is what
   may be off, what only touches, and heights that cannot be compared.
3. While one stands an operation is not accepted, and not activated where a clause of its party
   refuses that with an open conflict.
4. The people of the STOP's sender are never told to keep out of it.
"""

from collections.abc import Iterable
from typing import Final

from keepclear.agreement.claims import Claim, Compiled, judge
from keepclear.agreement.findings import Verdict
from keepclear.airspace.volumes import Volume3D, Volume4D
from keepclear.detect.kernel import Functions
from keepclear.exchange.deciding import Deciding
from keepclear.exchange.events import KeepOutsChanged
from keepclear.exchange.index import Near
from keepclear.exchange.objects import KeepOuts
from keepclear.exchange.rounding import Box, box_of, levels_of, pieces_of, times_of
from keepclear.exchange.world import World
from keepclear.line.stops import Area
from keepclear.plans.none_here import MEETING
from keepclear.plans.operations import Operation, claim_of
from keepclear.plans.stops import DEFAULT_GROWN_TMM, Stop, claim_of_stop, grown
from keepclear.record.encoding import encode
from keepclear.record.headers import Status
from keepclear.units import TMM_PER_FOOT, TMM_PER_M

# As coarse as the template for two forces lets operations be shown: 10 NM, 2000 ft, 10 min.
GRAIN_TMM: Final = 18_520 * TMM_PER_M
LEVEL_GRAIN_TMM: Final = 2_000 * TMM_PER_FOOT
TIME_GRAIN_US: Final = 10 * 60_000_000


def area_of(stop: Stop) -> Area:
    """Return what is told of where and when a STOP is."""
    return area_told(stop.volume, stop.grown_tmm)


def area_told(volume: Volume4D, grown_tmm: int = DEFAULT_GROWN_TMM) -> Area:
    """Return what is told of a volume in which to stop: grown, then rounded outward."""
    claim = grown("stop", "", volume, grown_tmm)
    box = box_of(claim, GRAIN_TMM)
    lower, upper = levels_of(claim, LEVEL_GRAIN_TMM)
    from_us, to_us = times_of(claim, TIME_GRAIN_US)
    return Area(
        south_deg=box.south_deg, west_deg=box.west_deg, north_deg=box.north_deg,
        east_deg=box.east_deg, lower=lower, upper=upper, from_us=from_us, to_us=to_us,
    )  # fmt: skip


def told_until_us(volume: Volume4D) -> int:
    """Return when a volume in which to stop is over for all: at the end of the times told of it.

    Its own end is finer than that, and would show by when they are told that it is over.
    """
    return times_of(grown("stop", "", volume), TIME_GRAIN_US)[1]


def areas_known(world: World, party: str, status: Status) -> tuple[Area, ...]:
    """Return the areas that a party was told to keep clear of and that stand, each once, in order.

    In messages to it, and for operations of its own.
    """
    told = {
        each.stop.area for each in world.messages.values()
        if each.stop is not None and each.has_stop
        and (each.receiver, each.status) == (party, status)
    }  # fmt: skip
    for own, each in world.keep_outs.items():
        operation = world.operations[own]
        if (operation.party, operation.status) == (party, status):
            told |= {*each.areas}
    return in_order(told)


def claim_of_area(area: Area) -> Claim:
    """Return an area that was told as a claim."""
    box = Box(
        south_deg=area.south_deg, west_deg=area.west_deg, north_deg=area.north_deg,
        east_deg=area.east_deg,
    )  # fmt: skip
    return Claim(
        id="area", party="", craft_class="", has_rvsm=False,
        volumes=tuple(
            Volume4D(
                volume=Volume3D(shape=each, lower=area.lower, upper=area.upper),
                start_us=area.from_us, end_us=area.to_us,
            )
            for each in pieces_of(box)
        ),
    )  # fmt: skip


def meeting(functions: Functions, near: Near, stop: Stop, operation: Operation) -> Verdict | None:
    """Return how an operation meets a STOP, None where it does not or need not keep out."""
    is_of_both = operation.is_protecting and stop.is_protecting
    if not is_of_both or operation.status is not stop.status or operation.party == stop.party:
        return None
    claim, volume = claim_of(operation), stop.volume
    if not any(
        each.start_us - claim.early_us <= volume.end_us
        and volume.start_us <= each.end_us + claim.late_us
        for each in claim.volumes
    ):
        return None
    return _judged(functions, near.compile(claim), near.compile(claim_of_stop(stop)))


def areas_met(
    functions: Functions, near: Near, world: World, operation: Operation
) -> tuple[Area, ...]:
    """Return the areas that an operation must keep out of, each once, in order.

    Every STOP there is is looked at, without an index: what `areas_found` must find.
    """
    met = {
        area_of(stop) for stop in world.stops.values()
        if meeting(functions, near, stop, operation) is not None
    }  # fmt: skip
    return in_order(met)


def areas_found(
    functions: Functions, near: Near, world: World, operation: Operation
) -> tuple[Area, ...]:
    """Return the same as `areas_met`, of the STOPs alone that stand and are near by the index."""
    if not (world.standing and operation.is_protecting):
        return ()
    own = near.compile(claim_of(operation))
    found = [world.stops[each] for each in near.stops.near(world, operation.status, own)]
    met = {
        area_of(stop) for stop in found
        if stop.party != operation.party
        and _judged(functions, own, near.stops.form(stop)) is not None
    }  # fmt: skip
    return in_order(met)


def _judged(functions: Functions, one: Compiled, other: Compiled) -> Verdict | None:
    a, b = sorted((one, other), key=lambda each: each.claim.id)
    found = judge(functions, a, b, MEETING)
    return None if found is None else found.verdict


def look(deciding: Deciding, operation: Operation) -> None:
    """Tell the owner of an operation where it must keep out now, if that is not what it knows."""
    world = deciding.world
    now = areas_found(deciding.functions, deciding.near, world, operation)
    if now != world.keep_outs.get(operation.id, KeepOuts()).areas:
        deciding.emit([operation.party], KeepOutsChanged(id=operation.id, areas=now))


def in_order(areas: Iterable[Area]) -> tuple[Area, ...]:
    """Return areas in an order that is the same wherever they are put in order."""
    return tuple(sorted(areas, key=_order))


def _order(area: Area) -> tuple[int, int, float, float, bytes]:
    """Return what areas are put in order by: two of them are told apart, or are the same."""
    return area.from_us, area.to_us, area.south_deg, area.west_deg, encode(area)
