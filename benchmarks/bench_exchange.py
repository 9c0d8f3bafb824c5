# SPDX-License-Identifier: Apache-2.0
"""The exchange: one new operation decided against many, and a record folded again.

Nothing known to us keeps a record that both sides can prove beside its decisions, so there is
no peer. Timed is deciding with `evolve` and the leaves, without signature check and decoding.
"""

import gc
import math
import resource
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Final, TypeVar

from measuring import Line, Timing, line, timed

from keepclear.agreement.rules_toml import parse_short
from keepclear.airspace.positions import positions
from keepclear.clock import RandomIds
from keepclear.detect.compiled import compiled
from keepclear.detect.cylinders import Cylinder
from keepclear.detect.datums import Datums
from keepclear.detect.kernel import limits_of
from keepclear.detect.quick_volumes import compile_plan
from keepclear.detect.skeletons import EXACT
from keepclear.detect.volume_index import VolumeIndex
from keepclear.exchange import operations
from keepclear.exchange.exchange import Exchange
from keepclear.exchange.folding import fold
from keepclear.exchange.rechecking import MOST_FINDINGS
from keepclear.plans.acts import FileOperation
from keepclear.plans.filing import (
    Domain,
    FiledOperation,
    FiledPolygon,
    FiledVolume,
    volumes_filed,
)
from keepclear.plays.stage import Stage
from keepclear.record.encoding import encode
from keepclear.record.envelopes import Envelope
from keepclear.record.files import Header
from keepclear.record.headers import Status, read_act
from keepclear.record.parts import ACT_KIND
from keepclear.units import format_time

START_US: Final = 1_443_600_000_000_000  # 2015-09-30T08:00Z
MINUTE_US: Final = 60_000_000
ACTIVE: Final = 100_000
CROWD: Final = 10_000
IN_REACH: Final = 10
Made = TypeVar("Made")


class RecordOnDisk:
    """A record in a file, as a store keeps it: what is measured of memory is the exchange's."""

    def __init__(self, header: Header) -> None:
        self._file = NamedTemporaryFile()  # noqa: SIM115 kept as long as this is
        self.path = Path(self._file.name)
        self.append([encode(header)])

    def append(self, lines: Sequence[bytes]) -> None:
        """Write lines at the end."""
        self._file.writelines(line + b"\n" for line in lines)

    def read(self) -> Iterator[bytes]:
        """Read all of it again, line by line."""
        self._file.flush()
        return _lines(self.path)

    def lines(self) -> list[bytes]:
        """Return all of it."""
        return list(self.read())


def _lines(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        yield from (line[:-1] for line in file)


class StageOnDisk(Stage):
    """A stage whose exchange keeps its record on the disk."""

    def _begun(self) -> Exchange:
        self.record = RecordOnDisk(self._header)
        return Exchange(
            self._opened, self._signer, self.clock, self._ids, self.record, self._functions
        )


class World:
    """An exchange with very many operations of one party, and another party that files."""

    def __init__(self) -> None:
        house = parse_short("5 NM / 1000 ft")
        self.stage = StageOnDisk(
            "bench", START_US, Status.EXERCISE, house, RandomIds(), compiled()
        )  # fmt: skip
        for party in "ab":
            self.stage.join(party)
        self._envelope = {party: self.envelope(party, _spread(0)) for party in "ab"}
        self._act = {party: read_act(each) for party, each in self._envelope.items()}

    def envelope(self, party: str, made: FiledOperation) -> Envelope:
        """Return the act of a filing, signed."""
        return self.stage.envelope(party, "operations.file/1", FileOperation(operation=made))

    def filing(self, party: str, made: FiledOperation) -> None:
        """Decide a filing and enter it: what `submit` does once it has checked and read the act.

        The act that is entered with it is one of another such operation, of the same size.
        """
        exchange, now_us = self.stage.exchange, self.stage.clock.now_us()
        with exchange.together() as batch, exchange._undoing(batch):  # noqa: SLF001
            deciding = exchange._deciding(now_us)  # noqa: SLF001
            operations.file(deciding, self._act[party], FileOperation(operation=made))
            parts = [(party, ACT_KIND, self._envelope[party]), *deciding.parts]
            exchange._commit(batch, party, now_us, deciding, parts)  # noqa: SLF001


def exchange_speed() -> list[Line]:
    """One operation of two volumes of 17 vertices against many; a fold; memory; a crowd."""
    geometry_kb = _in_a_process_of_its_own(_geometry_kb)
    world = World()
    before_kb = _resident_kb()
    for number in range(ACTIVE):
        world.filing("a", _spread(number))
    grown_kb = (_resident_kb() - before_kb) / ACTIVE
    return [*_decisions(world), _memory(grown_kb, geometry_kb), _fold(world), *_crowd()]


def _decisions(world: World) -> list[Line]:
    for number in range(IN_REACH):
        world.filing("a", operation(61.0, -170.0, 50 + 20 * number, 60))
    # 10 of the other party within reach, at levels at which they are and are not in conflict
    apart = iter(operation(61.0 + n * 1e-4, -169.5, 250, 60) for n in range(1_000))
    close = iter(operation(61.0 + n * 1e-4, -170.0, 60, 60) for n in range(1_000))
    settled = timed(lambda: world.filing("b", next(apart)), 301)
    conflicts = timed(lambda: world.filing("b", next(close)), 101)
    signed = iter([world.envelope("b", operation(61.5 + n * 1e-4, -169.5, 250, 60))
                   for n in range(302)])  # fmt: skip
    whole = timed(lambda: world.stage.exchange.submit(next(signed), "b"), 301)
    note = f"{ACTIVE:,} active"
    reach = f"{IN_REACH} in reach"
    return [
        line(f"decide one operation, {reach}, none in conflict", settled, 0.4e-3, note=note),
        line(f"decide one operation, {reach}, in conflict with 1", conflicts, None, note=note),
        line(
            "take one act that files an operation, signature checked and all read",
            whole,
            None,
            note=note,
        ),
    ]


def _memory(grown_kb: float, geometry_kb: float) -> Line:
    beside_kb = grown_kb - geometry_kb
    return Line(
        "memory of an active operation, beside its geometry", f"{beside_kb:.1f} kB",
        f"< 4 kB: {'met' if beside_kb < 4 else 'missed'}",
        note=f"{grown_kb:.1f} kB with it: {geometry_kb:.1f} kB are its positions and its arrays, "
        f"measured alone; {ACTIVE:,} active; the record is on the disk",
    )  # fmt: skip


def _fold(world: World) -> Line:
    entries = sum(1 for _ in world.stage.record.read())
    folded = _in_a_process_of_its_own(partial(_folded, world.stage.record.path))
    whole = Timing(folded.wall_s * 1_000_000 / entries, folded.processor_s * 1_000_000 / entries, 1)
    note = f"from {entries:,} entries, read from the disk by a process that starts"
    return line("fold a record of 1,000,000 entries", whole, 60.0, note=note)


def _folded(path: Path) -> Timing:
    return timed(lambda: fold(_lines(path)), 1, warm=False)


def _crowd() -> list[Line]:
    """Very many in one place and time: what is decided there, and the next decision elsewhere."""
    world = World()
    for number in range(CROWD):
        world.filing("a", operation(61 + number % 100 * 1e-4, -170 + number // 100 * 1e-4, 240, 60))
    there = iter(operation(61 + n * 1e-4, -170.0, 240, 60) for n in range(100))
    away = iter(operation(-61 + n * 1e-4, 10.0, 240, 60) for n in range(100))
    within = timed(lambda: world.filing("b", next(there)), 5)
    after = timed(lambda: world.filing("b", next(away)), 5)
    more = max(each.count for each in world.stage.exchange.world.more.values())
    note = f"{MOST_FINDINGS:,} findings, and {more:,} more"
    return [
        line(f"decide one operation among {CROWD:,} in one place and time", within, 20e-3,
             note=note),
        line("the next decision, elsewhere", after, 20e-3, note=f"{CROWD:,} in one place"),
    ]  # fmt: skip


def _spread(number: int) -> FiledOperation:
    """Return one of very many operations, of which few come near each other."""
    place, layer = number % 40_000, number // 40_000
    latitude, longitude = -60 + place % 240 * 0.5, -170 + place // 240 * 2.0
    return operation(latitude, longitude, 240 - 40 * layer, 60 + number % 30)


def _geometry_kb() -> float:
    """Return what the positions of an operation and its arrays take, in kB."""
    index = VolumeIndex(compiled(), limits_of([Cylinder(lateral_tmm=92_600_000)]))
    datums, kept = Datums(), []
    before_kb = _resident_kb()
    for number in range(ACTIVE):
        volumes = volumes_filed(_spread(number))
        kept.append(volumes)
        index.add(str(number), 0, compile_plan(compiled(), volumes, datums, EXACT))
    return (_resident_kb() - before_kb) / ACTIVE


def _in_a_process_of_its_own(function: Callable[[], Made]) -> Made:
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(function).result()


def _resident_kb() -> float:
    """Return how much memory the process has now, not at most."""
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 1024


def operation(latitude: float, longitude: float, level: int, start: int) -> FiledOperation:
    """Return an operation of two volumes of 17 vertices, 6 NM across, half an hour each."""
    return operation_at(latitude, longitude, level, START_US + start * MINUTE_US)


def operation_at(latitude: float, longitude: float, level: int, start_us: int) -> FiledOperation:
    """Return the same from a time on."""
    starts_us = (start_us + minutes * MINUTE_US for minutes in (0, 30, 60))
    times = [f"{format_time(each)[:19]}Z" for each in starts_us]
    volumes = tuple(
        FiledVolume(
            shape=FiledPolygon(ring=positions(_ring(latitude + n * 0.05, longitude))),
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
