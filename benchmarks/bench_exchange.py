# SPDX-License-Identifier: Apache-2.0
"""The exchange: one new operation decided against many, and a record folded again.

Nothing known to us keeps a record that both sides can prove beside its decisions, so there is
no peer. Timed is deciding with `evolve` and the leaves, without signature check and decoding.
"""

import math
import resource
from hashlib import sha256
from typing import Final

import msgspec
from measuring import Line, line, timed

from keepclear.agreement.rules_toml import parse_short
from keepclear.detect.compiled import compiled
from keepclear.exchange import operations
from keepclear.exchange.folding import fold
from keepclear.plans.acts import FileOperation
from keepclear.plans.filing import Domain, FiledOperation, FiledPolygon, FiledVolume
from keepclear.plays.stage import Stage
from keepclear.record.headers import Act, Status
from keepclear.units import format_time

START_US: Final = 1_443_600_000_000_000  # 2015-09-30T08:00Z
MINUTE_US: Final = 60_000_000
ACTIVE: Final = 20_000
IN_REACH: Final = 10


class CountedIds:
    """Ids and salts that come in the same order each time."""

    def __init__(self) -> None:
        self._count = 0

    def id(self) -> str:
        """Return 32 hexadecimal digits."""
        return self.salt()[:16].hex()

    def salt(self) -> bytes:
        """Return 32 bytes."""
        self._count += 1
        return sha256(b"%d" % self._count).digest()


class World:
    """An exchange with very many operations of one party, and another party that files."""

    def __init__(self) -> None:
        house = parse_short("5 NM / 1000 ft")
        self.stage = Stage(
            "bench", START_US, Status.EXERCISE, house, CountedIds(), compiled()
        )  # fmt: skip
        for party in "ab":
            self.stage.join(party)

    def filing(self, party: str, made: FiledOperation) -> None:
        """Decide a filing and enter it: what `submit` does once it has checked the act."""
        exchange, now_us = self.stage.exchange, self.stage.clock.now_us()
        deciding = exchange._deciding(now_us)  # noqa: SLF001
        act = Act(
            region="bench", incarnation=1, status=Status.EXERCISE, party=party, post="watch",
            id="0" * 32, created_us=START_US, expires_us=START_US + MINUTE_US, agreement="",
            kind="operations.file/1", payload=msgspec.Raw(b"{}"),
        )  # fmt: skip
        operations.file(deciding, act, FileOperation(operation=made))
        exchange._commit(party, now_us, deciding, deciding.parts)  # noqa: SLF001


def exchange_speed() -> list[Line]:
    """One operation of two volumes of 17 vertices against many; a fold; memory."""
    world = World()
    before_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for number in range(ACTIVE):
        latitude, longitude = -60 + (number % 240) * 0.5, -170 + number // 240 * 1.0
        world.filing("a", operation(latitude, longitude, 240, 60 + number % 30))
    grown_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before_kb
    for number in range(IN_REACH):
        world.filing("a", operation(61.0, -170.0, 50 + 20 * number, 60))
    spare = iter(operation(61.0 + n * 1e-4, -170.0, 60, 60) for n in range(1_000))
    apart = iter(operation(61.0 + n * 1e-4, -169.5, 250, 60) for n in range(1_000))
    settled = timed(lambda: world.filing("b", next(apart)), 41)
    conflicts = timed(lambda: world.filing("b", next(spare)), 41)
    lines = world.stage.lines
    folded = timed(lambda: fold(lines), 1, warm=False)
    per = type(folded)(
        folded.wall_s * 1_000_000 / len(lines), folded.processor_s * 1_000_000 / len(lines), 1
    )
    note = f"{ACTIVE:,} active, not 100,000"
    return [
        line(
            f"decide one operation, {IN_REACH} in reach, none in conflict", settled, 0.4e-3,
            note=note,
        ),
        line("decide one operation that is in conflict with 1", conflicts, None, note=note),
        line("fold a record of 1,000,000 entries", per, 60.0, note=f"from {len(lines):,} entries"),
        Line(
            "memory for each active operation, geometry included",
            f"{grown_kb / ACTIVE:.1f} kB", "< 4 kB beside its geometry", note=note,
        ),
    ]  # fmt: skip


def operation(latitude: float, longitude: float, level: int, start: int) -> FiledOperation:
    """Return an operation of two volumes of 17 vertices, 6 NM across, half an hour each."""
    minutes = (start, start + 30, start + 60)
    times = [f"{format_time(START_US + m * MINUTE_US)[:19]}Z" for m in minutes]
    volumes = tuple(
        FiledVolume(
            shape=FiledPolygon(ring=_ring(latitude + n * 0.05, longitude)),
            lower=f"FL{level}", upper=f"FL{level + 10}", start=times[n], end=times[n + 1],
        )
        for n in (0, 1)
    )  # fmt: skip
    return FiledOperation(
        datum="WGS84", domain=Domain.AIR, craft_class="any", volumes=volumes
    )  # fmt: skip


def _ring(latitude: float, longitude: float) -> tuple[tuple[float, float], ...]:
    wide = 0.05 / math.cos(math.radians(latitude))
    turns = [2 * math.pi * n / 17 for n in range(17)]
    return tuple((latitude + 0.05 * math.sin(t), longitude + wide * math.cos(t)) for t in turns)
