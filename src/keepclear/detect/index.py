# SPDX-License-Identifier: Apache-2.0
"""The fast path: coarse entries in sorted cells, then the exact sweep of what can meet.

`detect` finds all rows of many plans; `every_pair` finds the same without an index, for tests
and for cylinders that have no lateral minimum.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from keepclear.detect.entries import (
    DATUM,
    END_S,
    ERROR_M,
    MIXED,
    NO_HEIGHT,
    NOBODY,
    SLAB_US,
    START_S,
    VX,
    VZ,
    WIDTH,
)
from keepclear.detect.fragments import Fragments
from keepclear.detect.parts import in_parts
from keepclear.detect.slabs import AHEAD, Cells, Grid
from keepclear.detect.sweep import COLUMNS, Limits

Integers = npt.NDArray[np.int64]
Singles = npt.NDArray[np.float32]
Rows = npt.NDArray[np.float64]
Pairs = tuple[Integers, Integers, Integers, Integers]
"""Lower plan, higher plan, from when to when they may be near (microseconds)."""

ROOM: Final = 1 << 16
NARROWEST_M: Final = 8_000.0
SAMPLE: Final = 50_000
SMALL_SHARE: Final = 0.99
OUTSIZE: Final = 1.5
Progress = Callable[[float], None]


@dataclass(frozen=True, kw_only=True, eq=False)
class Detected:
    """Rows of all pairs that are inside a cylinder.

    a, b: plans of the pairs that were swept, a < b. rows: see `sweep`. row_pair: place of a
    row's pair in a and b; ascending.
    """

    a: Integers
    b: Integers
    rows: Rows
    row_pair: Integers


@dataclass(frozen=True, kw_only=True, eq=False)
class Entries:
    """The entries of plans, plan after plan.

    rows (n, WIDTH): see `entries`. owner: the plan of each, or NOBODY. places: where each plan
    starts, and one more. first_slab: of each plan's first entry.
    """

    rows: Singles
    owner: Integers
    places: Integers
    first_slab: Integers


@dataclass(frozen=True, kw_only=True, eq=False)
class Index:
    """Entries in order of their cells, for one reach."""

    cells: Cells
    grid: Grid


def farthest_m(limits: Limits) -> float:
    """Return the greatest lateral minimum; inf where a cylinder has none."""
    return float(max(limits.lateral_m))


def highest_tmm(limits: Limits) -> float:
    """Return the greatest vertical minimum; `NO_HEIGHT` where a cylinder has none."""
    least = min(limits.vertical_tmm)
    return NO_HEIGHT if least < 0 else float(max(limits.vertical_tmm))


def lag_of(limits: Limits) -> int:
    """Return half of what `time` leaves add to the times compared, rounded up."""
    return (int(max(limits.time_us)) + 1) // 2


def enter(functions: Any, f: Fragments, limits: Limits, given: Any = None) -> Entries:
    """Return the entries of all plans.

    given: the same fragments as the functions take them, where that is not arrays.
    """
    given, lag_us = f if given is None else given, lag_of(limits)
    starts, ends = f.offsets[:-1], f.offsets[1:]
    is_there = ends > starts
    first_slab, counts = np.zeros(f.plans, dtype=np.int64), np.zeros(f.plans, dtype=np.int64)
    from_us = f.start_us[starts[is_there]] - f.early_us[is_there] - lag_us
    to_us = f.end_us[ends[is_there] - 1] + f.late_us[is_there] + lag_us
    first_slab[is_there] = from_us // SLAB_US
    counts[is_there] = to_us // SLAB_US - first_slab[is_there] + 1
    places = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    rows = np.empty((int(places[-1]), WIDTH), dtype=np.float32)
    owner = np.full(len(rows), NOBODY, dtype=np.int64)

    def fill(first: int, last: int) -> None:
        functions.fill_entries(given, places, first_slab, lag_us, first, last, rows, owner)

    in_parts(functions, f.plans, fill)
    return Entries(rows=rows, owner=owner, places=places, first_slab=first_slab)


def grid_of(entries: Entries, limits: Limits) -> Grid:
    """Return the grid for these entries: wide enough for all but the outsize."""
    step = max(len(entries.rows) // SAMPLE, 1)
    rows = entries.rows[::step][entries.owner[::step] != NOBODY]
    speed_mps = np.sqrt((rows[:, VX : VZ + 1].astype(float) ** 2).sum(axis=1))
    radius_m = speed_mps * 0.5 * (rows[:, END_S] - rows[:, START_S]) + rows[:, ERROR_M]
    widest_m = 0.0
    if len(rows):
        usual_m = float(np.quantile(radius_m, SMALL_SHARE, method="higher"))
        widest_m = min(float(radius_m.max()), OUTSIZE * usual_m)
    is_there = np.diff(entries.places) > 0  # a plan of no fragments has no first slab
    first_slab = int(entries.first_slab[is_there].min()) if len(rows) else 0
    return Grid(
        max(farthest_m(limits) + 2.0 * widest_m + 100.0, NARROWEST_M), widest_m + 1.0, first_slab
    )


def build(functions: Any, entries: Entries, limits: Limits) -> Index:
    """Return the index of these entries for the reach of these limits."""
    grid = grid_of(entries, limits)
    slabs = entries.first_slab - grid.first_slab
    counts = np.diff(entries.places)
    slabs[counts == 0] = 0
    total = int((slabs + counts).max(initial=0))
    starts = np.zeros(total + 1, dtype=np.int64)
    order = np.empty(len(entries.owner), dtype=np.int64)
    functions.order_by_slab(entries.owner, entries.places, slabs, starts, order)
    cells = _empty_cells(int(starts[-1]), starts)

    def fill(first: int, last: int) -> None:
        functions.fill_cells(entries.rows, entries.owner, order, grid, first, last, cells)

    in_parts(functions, total, fill)
    return Index(cells=cells, grid=grid)


def decisive_tmm(cells: Cells, limits: Limits) -> float:
    """Return the vertical minimum beyond which no two are near; `NO_HEIGHT` for several datums."""
    datum = cells.columns[DATUM]
    known = datum[datum != MIXED]
    one_datum = not len(known) or bool((known == known[0]).all())
    return highest_tmm(limits) if one_datum else NO_HEIGHT


def candidates(
    functions: Any, index: Index, groups: Integers, within: bool, limits: Limits,
    progress: Progress | None = None,
) -> Pairs:  # fmt: skip
    """Return pairs that can meet (a < b, in order), and from when to when."""
    reach_m, height_tmm = farthest_m(limits), decisive_tmm(index.cells, limits)

    def find(first: int, last: int) -> list[Pairs]:
        parts: list[Pairs] = []
        room = ROOM
        bounds, entry = np.empty((2, AHEAD), dtype=np.int64), np.empty(WIDTH, dtype=np.float32)
        while first < last:
            work, out = _columns(3, room), _columns(4, room)
            after, count = functions.join(
                index.cells, index.grid, groups, within, reach_m, height_tmm, first, last,
                bounds, entry, work, out,
            )  # fmt: skip
            if after == first:
                room *= 2
                continue
            a, b, from_us, to_us = (column[:count].copy() for column in out)
            parts.append((a, b, from_us, to_us))
            first = after
        return parts

    found = in_parts(functions, len(index.cells.keys), find, progress)
    return group_pairs([part for parts in found for part in parts], len(groups))


def group_pairs(parts: list[Pairs], plans: int) -> Pairs:
    """Return each pair once, in order, with its first and last time."""
    if not parts:
        nothing = np.empty(0, dtype=np.int64)
        return nothing, nothing, nothing, nothing
    a, b, from_us, to_us = (np.concatenate([part[k] for part in parts]) for k in range(4))
    pair = a * plans + b
    order = np.argsort(pair, kind="stable")
    pair = pair[order]
    starts = np.flatnonzero(np.append(True, pair[1:] != pair[:-1])[: len(pair)])
    if not len(starts):
        return pair, pair, pair, pair
    first = np.minimum.reduceat(from_us[order], starts)
    last = np.maximum.reduceat(to_us[order], starts)
    return pair[starts] // plans, pair[starts] % plans, first, last


def sweep_all(
    functions: Any, f: Fragments, limits: Limits, a: Integers, b: Integers, from_us: Integers,
    to_us: Integers, progress: Progress | None = None,
) -> Detected:  # fmt: skip
    """Return the rows of the given pairs."""
    has_time_leaf = bool(max(limits.time_us) > 0)
    lag_us = np.max(f.early_us, initial=0) + np.max(f.late_us, initial=0)
    is_shifted = has_time_leaf or lag_us > 0

    def sweep(first: int, last: int) -> list[tuple[Rows, Integers]]:
        parts: list[tuple[Rows, Integers]] = []
        room = ROOM // 16
        while first < last:
            rows, row_pair = np.empty((room, COLUMNS)), np.empty(room, dtype=np.int64)
            given = (a, b, from_us, to_us, first, last, rows, row_pair)
            if is_shifted:
                after, count = functions.sweep_pairs_shifted(
                    f, limits, farthest_m(limits), has_time_leaf, *given
                )
            else:
                after, count = functions.sweep_pairs(f, limits, farthest_m(limits), *given)
            if after == first:
                room *= 2
                continue
            parts.append((rows[:count].copy(), row_pair[:count].copy()))
            first = after
        return parts

    found = [part for parts in in_parts(functions, len(a), sweep, progress) for part in parts]
    return Detected(
        a=a, b=b, rows=np.concatenate([np.empty((0, COLUMNS)), *(rows for rows, _ in found)]),
        row_pair=np.concatenate([np.empty(0, dtype=np.int64), *(of for _, of in found)]),
    )  # fmt: skip


def near_pairs(
    functions: Any, f: Fragments, groups: Integers, within: bool, limits: Limits,
    progress: Progress | None = None, given: Any = None,
) -> tuple[Integers, Integers, Integers, Integers]:  # fmt: skip
    """Return the pairs that may be inside a cylinder (a < b, in order), and from when to when.

    groups: one a plan; only pairs of different groups, `within`: of one group too. Where a
    cylinder has no lateral minimum, that is every pair.
    """
    if math.isinf(farthest_m(limits)):
        return all_pairs(groups, within)
    index = build(functions, enter(functions, f, limits, given), limits)
    a, b, from_us, to_us = candidates(functions, index, groups, within, limits, progress)
    margin_us = margin_of(f, limits)
    return a, b, from_us - margin_us, to_us + margin_us


def margin_of(f: Fragments, limits: Limits) -> int:
    """Return how far the plans' own clocks may be from the time of a slab."""
    return int(f.early_us.max(initial=0) + f.late_us.max(initial=0)) + lag_of(limits)


def all_pairs(groups: Integers, within: bool) -> tuple[Integers, Integers, Integers, Integers]:
    """Return every pair of different groups (`within`: of one group too), at all times."""
    a, b = np.triu_indices(len(groups), k=1)
    wanted = np.full(len(a), True) if within else groups[a] != groups[b]
    a, b = a[wanted].astype(np.int64), b[wanted].astype(np.int64)
    always = np.full(len(a), 2**62, dtype=np.int64)
    return a, b, -always, always


def detect(
    functions: Any, f: Fragments, groups: Integers, within: bool, limits: Limits,
    progress: Progress | None = None,
) -> Detected:  # fmt: skip
    """Return the rows of all pairs of different groups (`within`: of one group too)."""
    near = near_pairs(functions, f, groups, within, limits, progress)
    return sweep_all(functions, f, limits, *near)


def every_pair(
    functions: Any, f: Fragments, groups: Integers, within: bool, limits: Limits
) -> Detected:
    """Return the same by brute force: no entries, no cells, no early rejection of a pair."""
    return sweep_all(functions, f, limits, *all_pairs(groups, within))


def _columns(count: int, room: int) -> tuple[Integers, ...]:
    return tuple(np.empty(room, dtype=np.int64) for _ in range(count))


def _empty_cells(count: int, starts: Integers) -> Cells:
    keys, plan = _columns(2, count)
    return Cells(keys, starts, plan, np.empty((WIDTH, count), dtype=np.float32))
