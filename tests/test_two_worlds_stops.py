# SPDX-License-Identifier: Apache-2.0
"""Two worlds that differ in what b may not know of a STOP that it is told of look the same to b.

How they are drawn: `two_worlds_stops`. The second half plants leaks, one for each thing that b may
not know, and sees each of them found.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace as changed
from random import Random
from typing import Any, Final

import pytest
from msgspec.structs import replace

from keepclear.agreement.clauses import OnConflict
from keepclear.airspace.volumes import Volume4D
from keepclear.errors import InputError
from keepclear.exchange import decide, keep_outs, stops
from keepclear.exchange.bindings import Between
from keepclear.exchange.deciding import Deciding
from keepclear.exchange.events import KeepOutsChanged, MessageChanged, StopChanged
from keepclear.exchange.keep_outs import area_told
from keepclear.exchange.world import World
from keepclear.line.stops import Area
from keepclear.plans.filing import volumes_of
from keepclear.plans.stops import RenewStop, SendStop, Stop, grown
from keepclear.record.encoding import Signed
from keepclear.record.headers import Act
from tests.two_worlds import PARTIES, Pair, Plan, volume_of
from tests.two_worlds_stops import AS_TOLD, CALLED, NEXT_TO_IT, told_apart_of
from tests.worlds_played import difference, remembered

PAIRS: Final = 300
PAIRS_LONG: Final = 5_000


@pytest.fixture(autouse=True, scope="module")
def _remembered() -> Iterator[None]:
    with remembered():
        yield


def pair_number(number: int) -> Pair:
    """Return one of the pairs of worlds, the same each time."""
    return told_apart_of(Random(number).choice)


def made(plan: Plan) -> Volume4D:
    [volume] = volumes_of((volume_of(plan),), "volume")
    return volume


@pytest.mark.parametrize("plan", [CALLED, NEXT_TO_IT])
def test_what_is_told_is_the_same_of_all_that_differ_within_it(plan: Plan) -> None:
    volumes = [made(plan), *(made(changed(plan, **each)) for each in AS_TOLD)]

    assert len({str(each) for each in volumes}) == 1 + len(AS_TOLD)
    assert {area_told(each) for each in volumes} == {area_told(made(plan))}


@pytest.mark.slow
@pytest.mark.parametrize("tenth", range(10))
def test_what_b_may_not_know_of_a_stop_changes_no_byte_that_b_gets(tenth: int) -> None:
    for number in range(tenth, PAIRS, 10):
        assert difference(pair_number(number)) == "", number


@pytest.mark.long
def test_nor_in_twenty_times_as_many_worlds() -> None:
    for number in range(PAIRS, PAIRS_LONG):
        assert difference(pair_number(number)) == "", number


# --- planted leaks -----------------------------------------------------------------------------

Plant = Callable[[pytest.MonkeyPatch], None]


def in_area(change: Callable[[Stop, Area], Area]) -> Plant:
    """Return a leak into the area that is told of a STOP."""

    def plant(patch: pytest.MonkeyPatch) -> None:
        told = keep_outs.area_of

        def leaking(stop: Stop) -> Area:
            return change(stop, told(stop))

        patch.setattr(keep_outs, "area_of", leaking)
        patch.setattr(stops, "area_of", leaking)

    return plant


def grain(name: str) -> Plant:
    """Return that a volume that was grown is told finer than it may be."""
    return lambda patch: patch.setattr(keep_outs, name, 1)


def not_grown(patch: pytest.MonkeyPatch) -> None:
    """Tell the circle as it was sent, in a box of its own, neither grown nor rounded."""
    patch.setattr(
        keep_outs, "grown", lambda own, party, volume, *_: replace(
            grown(own, party, volume), lateral_tmm=0, vertical_tmm=0
        ),
    )  # fmt: skip
    for each in ("GRAIN_TMM", "LEVEL_GRAIN_TMM", "TIME_GRAIN_US"):
        grain(each)(patch)


def each_stop_apart(patch: pytest.MonkeyPatch) -> None:
    """Tell each STOP by an area of its own, as often as it is there: how many there are."""
    met = keep_outs.areas_found

    def leaking(functions: Any, near: Any, world: World, operation: Any) -> tuple[Area, ...]:  # noqa: ANN401
        found = met(functions, near, world, operation)
        standing = [each for each in world.stops.values() if each.is_protecting]
        return tuple(each for each in found for _ in standing)

    patch.setattr(keep_outs, "areas_found", leaking)


def in_the_order_they_were_sent(patch: pytest.MonkeyPatch) -> None:
    """Tell areas in the order in which they were sent."""

    def leaking(functions: Any, near: Any, world: World, operation: Any) -> tuple[Area, ...]:  # noqa: ANN401
        return tuple(dict.fromkeys(
            keep_outs.area_of(stop) for stop in world.stops.values()
            if keep_outs.meeting(functions, near, stop, operation) is not None
        ))  # fmt: skip

    patch.setattr(keep_outs, "areas_found", leaking)


def told_again_when_it_is_renewed(patch: pytest.MonkeyPatch) -> None:
    """Tell whoever must keep out of a STOP again where its sender has renewed it."""
    renew = stops.renew

    def leaking(deciding: Deciding, act: Act, payload: RenewStop) -> None:
        renew(deciding, act, payload)
        for own, each in sorted(deciding.world.keep_outs.items()):
            party = deciding.world.operations[own].party
            deciding.emit([party], KeepOutsChanged(id=own, areas=each.areas))

    patch.setitem(decide.DECIDE, RenewStop, leaking)  # type: ignore[misc]


def over_at_its_own_end(patch: pytest.MonkeyPatch) -> None:
    """Let a STOP be over at the end that its sender gave."""
    patch.setattr(stops, "told_until_us", lambda volume: volume.end_us)


def refused_by_the_clause_with_its_sender(patch: pytest.MonkeyPatch) -> None:
    """Refuse to activate by what its party has agreed with who sent the STOP."""
    between = Deciding.between

    def leaking(self: Deciding, a: str, b: str) -> Between:
        senders = {each.party for each in self.world.stops.values() if each.is_protecting}
        found = between(self, a, b)
        return found if senders & {a, b} else found._replace(on_conflict=OnConflict.NOTE)

    patch.setattr(Deciding, "between", leaking)


def refusals_that_know(patch: pytest.MonkeyPatch) -> None:
    """Say of a STOP that is another's how many there are."""
    own = stops.own_stop

    def leaking(deciding: Deciding, act: Act, stop_id: str, *, is_sar: bool = False) -> Stop:
        if stop_id not in deciding.world.stops:
            raise InputError("stop", stop_id, f"is none of {len(deciding.world.stops)}", "look")
        return own(deciding, act, stop_id, is_sar=is_sar)

    patch.setattr(stops, "own_stop", leaking)


def for_everybody(kind: type[Signed]) -> Plant:
    """Return that everybody has what is for its sender alone."""

    def plant(patch: pytest.MonkeyPatch) -> None:
        emit = Deciding.emit

        def leaking(self: Deciding, parties: Any, event: Any) -> None:  # noqa: ANN401
            emit(self, PARTIES if isinstance(event, kind) else parties, event)

        patch.setattr(Deciding, "emit", leaking)

    return plant


def act_for_those_named(patch: pytest.MonkeyPatch) -> None:
    """Let those named see the act itself, in which all of them stand."""
    send = stops.send

    def leaking(deciding: Deciding, act: Act, payload: SendStop) -> None:
        send(deciding, act, payload)
        deciding.seen_by = payload.to

    patch.setitem(decide.DECIDE, SendStop, leaking)  # type: ignore[misc]


def in_message(what: Callable[[Stop], object]) -> Plant:
    """Return a leak into the words that those named are told."""

    def plant(patch: pytest.MonkeyPatch) -> None:
        emit = Deciding.emit

        def leaking(self: Deciding, parties: Any, event: Any) -> None:  # noqa: ANN401
            for stop in self.world.stops.values():
                if isinstance(event, MessageChanged) and event.message.id in stop.messages:
                    text = f"{event.message.text} {what(stop)}"
                    event = replace(event, message=replace(event.message, text=text))
            emit(self, parties, event)

        patch.setattr(Deciding, "emit", leaking)

    return plant


LEAKS: Final[dict[str, Plant]] = {
    "sender, by a time": in_area(lambda s, a: replace(a, to_us=a.to_us + ord(s.party))),
    "who is named, by a time": in_area(lambda s, a: replace(a, to_us=a.to_us + len(s.to))),
    "when it was sent": in_area(lambda s, a: replace(a, from_us=a.from_us + int(s.act[:2], 16))),
    "area-hours": in_message(lambda stop: stop.takes_km2h + len(stop.to)),
    "place": grain("GRAIN_TMM"),
    "heights": grain("LEVEL_GRAIN_TMM"),
    "times": grain("TIME_GRAIN_US"),
    "the volume as it was sent": not_grown,
    "how many": each_stop_apart,
    "order": in_the_order_they_were_sent,
    "renewals": told_again_when_it_is_renewed,
    "end": over_at_its_own_end,
    "clause": refused_by_the_clause_with_its_sender,
    "refusals": refusals_that_know,
    "the stop for everybody": for_everybody(StopChanged),
    "the act for those named": act_for_those_named,
    "who else is named": in_message(lambda stop: stop.to),
    "volume in words": in_message(lambda stop: stop.volume.volume),
    "messages for everybody": for_everybody(MessageChanged),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", LEAKS)
def test_a_leak_of_what_b_may_not_know_of_a_stop_is_found(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    LEAKS[name](monkeypatch)

    assert any(difference(pair_number(number)) for number in range(PAIRS))
