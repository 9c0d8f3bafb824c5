# SPDX-License-Identifier: Apache-2.0
"""From what the files hold to what the kernel takes: plans in order, one set of columns.

1. Plans stand in the order of party, name, key and file, so that ids and findings are the same
   from run to run and do not depend on the order of the files.
2. A plan's party is its party column, else the party named for its file, else the file's name.
3. Nothing is joined over a gap longer than `max_gap` in a file of positions; each is a `Gap`.
   Nor from one plan of a craft to its next: where its call sign changes, or is first heard,
   within `max_gap`, the time between is a `Gap` too.
4. A plan's own uncertainty, where its file states one, stands before the option's.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import PurePath
from typing import Final, NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

from keepclear.airspace.altitudes import Altitude, Reference
from keepclear.airspace.positions import Edge
from keepclear.checks.report import Gap
from keepclear.detect.datums import Datums
from keepclear.detect.points import GEODESIC, PLANAR, RHUMB, STANDARD, UNKNOWN_DATUM, Points
from keepclear.errors import InputError
from keepclear.formats.contents import AreaPlan, Contents, Flights, PlanName
from keepclear.units import TMM_PER_NM, US_PER_S, parse_duration_us, parse_length_tmm

Integers = npt.NDArray[np.int64]

EDGES: Final = {Edge.GEODESIC: GEODESIC, Edge.RHUMB: RHUMB, Edge.PLANAR: PLANAR}
WIDEST_TMM: Final = 50 * TMM_PER_NM
STANDARD_DATUM: Final = Altitude(height_tmm=0, reference=Reference.STANDARD)


class Uncertainty(NamedTuple):
    """What each plan may be off by, where its file says nothing."""

    lateral_m: float = 0.0
    vertical_tmm: int = 0
    time_us: int = 0


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """A plan of a check: who it is, and where it came from.

    flights, row: which columns and which plan of them; None for a plan given as volumes.
    """

    name: str
    key: str
    craft: str
    party: str
    category: str
    rvsm: bool | None
    file: str
    flights: int | None = None
    row: int = 0
    area: AreaPlan | None = None


@dataclass(frozen=True, kw_only=True, eq=False)
class Prepared:
    """Plans in order. Those with timed points come with their columns.

    plans: all, in order. with_points: the places in `plans` of the plans in `points`, in the
    order of `points`. datums: what the codes in `points.datum` mean; numbers: gives them out.
    uncertainty, tolerance_us: as asked, for plans given as volumes. gaps: see the module;
    gap_rows: whose they are, by place in `points`.
    """

    plans: tuple[Plan, ...]
    with_points: Integers
    points: Points
    datums: tuple[Altitude, ...]
    numbers: Datums
    uncertainty: Uncertainty
    tolerance_us: int
    gaps: tuple[Gap, ...]
    gap_rows: tuple[int, ...]


def parse_uncertainty(text: str | None) -> Uncertainty:
    """Read "0.1 NM / 100 ft / 5 s"; parts from the right may be left out."""
    if text is None:
        return Uncertainty()
    parts = [part.strip() for part in text.split("/")]
    if len(parts) > 3:
        raise InputError(
            "uncertainty", text, "has more than three parts", "write lateral / vertical / time"
        )
    lateral_tmm = parse_length_tmm(parts[0], "uncertainty, lateral")
    vertical_tmm = parse_length_tmm(parts[1], "uncertainty, vertical") if len(parts) > 1 else 0
    time_us = parse_duration_us(parts[2], "uncertainty, time") if len(parts) > 2 else 0
    if lateral_tmm > WIDEST_TMM:
        raise InputError(
            "uncertainty, lateral", parts[0], "is above 50 NM, and it counts twice a pair",
            "give at most 50 NM",
        )  # fmt: skip
    if min(lateral_tmm, vertical_tmm, time_us) < 0:
        raise InputError("uncertainty", text, "has a part below 0", "give 0 or more")
    return Uncertainty(lateral_tmm / 10_000, vertical_tmm, time_us)


def prepare(
    files: Sequence[Contents], parties: Mapping[str, str], uncertainty: Uncertainty,
    tolerance_us: int, max_gap_us: int,
) -> Prepared:  # fmt: skip
    """Return the plans of all files. parties: file name -> party."""
    flights = [each for contents in files for each in contents.flights]
    plans = sorted(_plans_of(files, parties), key=_order)
    with_points = [i for i, plan in enumerate(plans) if plan.flights is not None]
    datums, numbers = _datums_of(flights)
    picked = [_Picked(flights[plans[i].flights or 0], plans[i].row) for i in with_points]
    points = _points_of(picked, numbers, uncertainty, tolerance_us, max_gap_us)
    some = [plans[i] for i in with_points]
    found = [*_gaps_of(points, some, max_gap_us), *_changes_of_name(points, some, max_gap_us)]
    found.sort(key=lambda each: (each[0], each[1].start_us))
    return Prepared(
        plans=tuple(plans), with_points=np.array(with_points, dtype=np.int64), points=points,
        datums=datums, numbers=numbers,
        uncertainty=uncertainty, tolerance_us=tolerance_us,
        gaps=tuple(gap for _, gap in found), gap_rows=tuple(row for row, _ in found),
    )  # fmt: skip


class _Picked(NamedTuple):
    """One plan's points: from which columns, and which plan there."""

    flights: Flights
    row: int


def _plans_of(files: Sequence[Contents], parties: Mapping[str, str]) -> list[Plan]:
    stems = [PurePath(contents.file).stem for contents in files]
    found, place = [], 0
    for contents, stem in zip(files, stems, strict=True):
        alone = stem if stems.count(stem) == 1 else contents.file
        party = parties.get(contents.file, alone)
        for flights in contents.flights:
            found += [
                _plan(name, party, contents.file, flights=place, row=row)
                for row, name in enumerate(flights.plans)
            ]
            place += 1
        found += [_plan(area.plan, party, contents.file, area=area) for area in contents.areas]
    return found


def _plan(
    name: PlanName, party: str, file: str, *, flights: int | None = None, row: int = 0,
    area: AreaPlan | None = None,
) -> Plan:  # fmt: skip
    return Plan(
        name=name.name, key=name.key, craft=name.craft, party=name.party or party,
        category=name.category,
        rvsm=name.rvsm, file=file, flights=flights, row=row, area=area,
    )  # fmt: skip


def _order(plan: Plan) -> tuple[str, str, str, str, int]:
    return plan.party, plan.name, plan.key, plan.file, plan.row


def _datums_of(flights: Sequence[Flights]) -> tuple[tuple[Altitude, ...], Datums]:
    """Return every reference that heights can be compared in, by number, and the numbers."""
    numbers = Datums()
    known = {STANDARD: STANDARD_DATUM}
    for columns in flights:
        for datum in columns.datums:
            known.setdefault(numbers.number(datum), datum)
    known.pop(UNKNOWN_DATUM, None)
    return tuple(known.values()), numbers


def _points_of(
    picked: Sequence[_Picked], numbers: Datums, uncertainty: Uncertainty,
    tolerance_us: int, max_gap_us: int,
) -> Points:  # fmt: skip
    counts = [int(p.flights.offsets[p.row + 1] - p.flights.offsets[p.row]) for p in picked]
    offsets = np.cumsum([0, *counts]).astype(np.int64)
    source = _places(picked)
    columns = _Columns(source)
    lateral = columns.floats("lateral_uncertainty_m")
    vertical = columns.integers("vertical_uncertainty_tmm")
    clock = columns.integers("time_uncertainty_us")
    clock = np.where(clock == 0, uncertainty.time_us, clock)
    starts = offsets[:-1]
    clock_us = np.maximum.reduceat(clock, starts) if len(starts) else clock
    time_us = columns.integers("time_us")
    breaks = np.zeros(len(time_us), dtype=np.bool_)
    breaks[1:] = np.diff(time_us) > max_gap_us
    listed = np.array([p.flights.are_positions for p in picked], dtype=np.bool_)
    breaks &= np.repeat(listed, np.diff(offsets))
    breaks[starts] = True
    return Points(
        offsets=offsets, time_us=time_us,
        latitude_deg=columns.floats("latitude_deg"), longitude_deg=columns.floats("longitude_deg"),
        height_tmm=columns.integers("height_tmm"), datum=_datum_codes(source, numbers),
        lateral_m=np.where(lateral == 0, uncertainty.lateral_m, lateral),
        vertical_tmm=np.where(vertical == 0, uncertainty.vertical_tmm, vertical),
        starts_stretch=breaks,
        edge=np.array([EDGES[p.flights.edge] for p in picked], dtype=np.int64),
        early_us=clock_us + tolerance_us, late_us=clock_us + tolerance_us, clock_us=clock_us,
        keeps_last=listed,
    )  # fmt: skip


class _Source(NamedTuple):
    """Where each point comes from: its columns by number, and its place there."""

    flights: list[Flights]
    number: Integers
    place: Integers


def _places(picked: Sequence[_Picked]) -> _Source:
    flights: list[Flights] = []
    numbers: dict[int, int] = {}
    number, place = [], []
    for p in picked:
        if id(p.flights) not in numbers:
            numbers[id(p.flights)] = len(flights)
            flights.append(p.flights)
        first, last = int(p.flights.offsets[p.row]), int(p.flights.offsets[p.row + 1])
        place.append(np.arange(first, last, dtype=np.int64))
        number.append(np.full(last - first, numbers[id(p.flights)], dtype=np.int64))
    nothing = [np.empty(0, dtype=np.int64)]
    return _Source(flights, np.concatenate(nothing + number), np.concatenate(nothing + place))


class _Columns:
    """Reads a column of several `Flights` in the order of the plans."""

    def __init__(self, source: _Source) -> None:
        self.source = source
        lengths = [len(flights.time_us) for flights in source.flights]
        self.place = np.cumsum([0, *lengths])[:-1].astype(np.int64)

    def floats(self, name: str) -> npt.NDArray[np.float64]:
        """Return a float column."""
        return self._take(name).astype(np.float64)

    def integers(self, name: str) -> Integers:
        """Return an integer column."""
        return self._take(name).astype(np.int64)

    def _take(self, name: str) -> npt.NDArray[np.float64] | Integers:
        if not self.source.flights:
            return np.empty(0)
        joined = np.concatenate([getattr(flights, name) for flights in self.source.flights])
        taken: npt.NDArray[np.float64] = joined[self.place[self.source.number] + self.source.place]
        return taken


def _datum_codes(source: _Source, numbers: Datums) -> Integers:
    found = np.full(len(source.place), UNKNOWN_DATUM, dtype=np.int64)
    for number, flights in enumerate(source.flights):
        table = np.array([*(numbers.number(d) for d in flights.datums), UNKNOWN_DATUM])
        mine = source.number == number
        found[mine] = table[flights.datum[source.place[mine]]]
    return found


def _gaps_of(points: Points, plans: Sequence[Plan], max_gap_us: int) -> Iterator[tuple[int, Gap]]:
    """Yield each gap, with whose it is."""
    starts = points.starts_stretch.copy()
    starts[points.offsets[:-1]] = False
    after = np.flatnonzero(starts)
    rows = np.searchsorted(points.offsets, after, side="right") - 1
    for i, row in zip(after.tolist(), rows.tolist(), strict=True):
        start_us, end_us = int(points.time_us[i - 1]), int(points.time_us[i])
        why = f"no position for {_span(end_us - start_us)}, longer than {_span(max_gap_us)}"
        yield row, Gap(plan=plans[row].name, start_us=start_us, end_us=end_us, why=why)


def _changes_of_name(
    points: Points, plans: Sequence[Plan], max_gap_us: int
) -> Iterator[tuple[int, Gap]]:
    """Yield the time from the end of one plan of a craft to the start of its next, as a gap."""
    by_craft: dict[tuple[str, str], list[tuple[int, int, int]]] = {}
    for row, plan in enumerate(plans):
        first, end = int(points.offsets[row]), int(points.offsets[row + 1])
        if plan.craft and first < end:
            times = int(points.time_us[first]), int(points.time_us[end - 1])
            by_craft.setdefault((plan.party, plan.craft), []).append((*times, row))
    for spans in by_craft.values():
        spans.sort()
        for (_, end_us, row), (start_us, _, other) in pairwise(spans):
            if 0 < start_us - end_us <= max_gap_us:
                why = f"{plans[row].craft} goes on as {plans[other].name}: nothing joins the two"
                yield row, Gap(plan=plans[row].name, start_us=end_us, end_us=start_us, why=why)


def _span(time_us: int) -> str:
    seconds = time_us / US_PER_S
    if seconds < 120:
        return f"{seconds:g} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min" + (f" {rest} s" if rest else "")
