# SPDX-License-Identifier: Apache-2.0
"""STOPs: what those that stand, and those that have ended, cost whoever files; and sending one.

Nothing known to us tells others to keep out without saying of whom, so there is no peer. Each
answer is compared with that of looking at every STOP, without an index.
"""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from bench_exchange import ACTIVE, World, _spread, operation
from measuring import Line, line, timed

sys.path.insert(0, str(Path(__file__).parents[1]))

from keepclear.exchange.keep_outs import areas_met
from keepclear.exchange.objects import KeepOuts
from keepclear.plans.filing import FiledCircle, FiledVolume
from keepclear.plans.stops import MOST, EndStop, SendStop
from keepclear.units import format_time
from tests.record_plays import START_US

HOUR_US: Final = 3_600_000_000
STANDING: Final = (1, 100, 1_000)
ENDED: Final = 10_000
WITHIN: Final = 1_000
CALLERS: Final = tuple(f"caller-{number}" for number in range(STANDING[-1] // MOST))
FILES: Final = "file and sign one operation"


def stop_speed() -> list[Line]:
    """Filing with 1, 100 and 1,000 STOPs standing and 10,000 ended; sending over 100,000."""
    return [*_filing(), *_sending()]


def _filing() -> Iterator[Line]:
    world = World()
    for party in CALLERS:
        world.stage.join(party)
    for number in range(ENDED):
        _end(world, CALLERS[number % len(CALLERS)], _send(world, number))
    ended = f"{ENDED:,} STOPs have ended"
    yield _files(world, 0, ended)
    sent = 0
    for most in STANDING:
        while sent < most:
            _send(world, sent)
            sent += 1
        yield _files(world, most, f"{ended}, {most:,} stand, 1 of them is met")


def _files(world: World, standing: int, note: str) -> Line:
    """Return how long filing takes where the first STOP is, if one is."""
    places = iter(range(1_000))
    name = f"{FILES}, {standing:,} STOPs standing"

    def file() -> None:
        made = operation(*_place(0), 240 + next(places) % 10, 60)
        world.stage.exchange.submit(world.envelope("b", made), "b")

    took = timed(file, 51)
    exchange = world.stage.exchange
    last = list(exchange.world.operations.values())[-1]
    met = areas_met(world.stage._functions, exchange._kept.near, exchange.world, last)  # noqa: SLF001
    assert exchange.world.keep_outs.get(last.id, KeepOuts()).areas == met
    assert len(met) == min(standing, 1)
    return line(name, took, None, note=note)


def _sending() -> Iterator[Line]:
    world = World()
    for number in range(ACTIVE):
        world.filing("a", _spread(number))
    yield _sends(world, f"send a STOP, and end it, {ACTIVE:,} active, none in it")
    for number in range(WITHIN):
        world.filing("a", operation(_place(0)[0] + number % 10 * 1e-3, _place(0)[1], 240, 0))
    yield _sends(world, f"send a STOP, and end it, {ACTIVE:,} active, {WITHIN:,} in it")


def _sends(world: World, name: str) -> Line:
    def send() -> None:
        _end(world, "b", _send(world, 0, "b", "a"))

    return line(name, timed(send, 5), None, note="signed, and all are told to keep out")


def _place(number: int) -> tuple[float, float]:
    """Return where a STOP is: none is near another."""
    return -60.25 + number % 100, -169.0 + number // 100 % 10 * 20


def _send(world: World, number: int, party: str = "", to: str = "a") -> str:
    """Send a STOP, and return its id."""
    who = party or CALLERS[number % len(CALLERS)]
    volume = FiledVolume(
        shape=FiledCircle(centre=_place(number), radius="1 km"), lower=None, upper=None,
        start=format_time(START_US), end=format_time(START_US + 2 * HOUR_US),
    )  # fmt: skip
    made = SendStop(to=(to,), datum="WGS84", text="Cease activity.", language="en", volume=volume)
    world.stage.submit(who, "line.stop/1", made)
    return list(world.stage.exchange.world.stops)[-1]


def _end(world: World, party: str, stop: str) -> None:
    world.stage.submit(party, "line.stop-end/1", EndStop(id=stop))
