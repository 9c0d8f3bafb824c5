# SPDX-License-Identifier: Apache-2.0
"""Which plans can come close in a slab of time: entries in sorted cells.

Two plans that come closer than a reach in a slab stand in the same or in neighbouring cells of
a cubic grid that is wide enough. Entries that would make the grid too wide (very fast, or with
a large tolerance) stand in a cell of their own, `LARGE`, whose entries are tested against all
of the slab. Every test errs to one side only: what it rejects is surely apart, and `sweep`
decides on the rest. Plain scalar code that runs as it stands and compiled (`compiled`).
"""

import math
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from keepclear.detect.entries import (
    DATUM,
    END_S,
    ERROR_M,
    HIGH_TMM,
    LOW_TMM,
    MIXED,
    NOBODY,
    SLAB_US,
    START_S,
    VX,
    VY,
    VZ,
    WIDTH,
    X,
    Y,
    Z,
)

Singles = npt.NDArray[np.float32]
Integers = npt.NDArray[np.int64]
Out = tuple[Integers, Integers, Integers]

ROW: Final = 2**11  # cells along an axis of the grid
PLANE: Final = 2**22
SLAB: Final = 2**33
PLACE: Final = 2**30  # entries in a slab
LARGE: Final = 0
SLACK_S: Final = np.float32(1e-3)
STILL: Final = np.float32(1e-6)
ONE: Final = np.float32(1)
NONE: Final = np.float32(0)
SLOW_M2_S2: Final = 1e-6  # below a millimetre a second: near all the time, or never
AROUND_US: Final = 10_000
CHUNK: Final = 64
FEW: Final = 16  # so few are looked at one by one
LOOSE: Final = ("count_near",)  # functions that may be compiled with reordered arithmetic
INLINED: Final = ("meet_those", "can_meet", "cell_of", "radius_m")
OFFSET_M: Final = 6_500_000.0
AHEAD: Final = 5  # rows of three cells that stand after a cell, its own among them


class Cells(NamedTuple):
    """Entries in order of slab, then cell.

    keys: slab (from `first_slab` on) and cell as one number, cells of a row next to each other.
    starts: where each slab starts, and one more. plan: of each. columns (WIDTH, n): see
    `entries`; one array, because each array handed to a function costs as much as a test.
    """

    keys: Integers
    starts: Integers
    plan: Integers
    columns: Singles


class Grid(NamedTuple):
    """What cells are cut for: their width, the widest entry that stands in them, first slab."""

    cell_m: float
    widest_m: float
    first_slab: int


def radius_m(entry: Singles) -> float:
    """Return how far a plan gets from the middle of its way in a slab."""
    speed2 = entry[VX] * entry[VX] + entry[VY] * entry[VY] + entry[VZ] * entry[VZ]
    return float(math.sqrt(speed2) * 0.5 * (entry[END_S] - entry[START_S]) + entry[ERROR_M])


def cell_of(entry: Singles, grid: Grid) -> int:
    """Return the number of an entry's cell, or LARGE."""
    if radius_m(entry) > grid.widest_m:
        return LARGE
    at_s = 0.5 * (entry[START_S] + entry[END_S])
    ix = int((entry[X] + entry[VX] * at_s + OFFSET_M) / grid.cell_m) + 1
    iy = int((entry[Y] + entry[VY] * at_s + OFFSET_M) / grid.cell_m) + 1
    iz = int((entry[Z] + entry[VZ] * at_s + OFFSET_M) / grid.cell_m) + 1
    return ix * PLANE + iy * ROW + iz


def order_by_slab(
    owner: Integers, places: Integers, slabs: Integers, starts: Integers, order: Integers
) -> None:
    """Write the places of entries in order of their slab, and where each slab starts.

    slabs: of each plan's first entry, counted from the first of all. starts: all 0 at first.
    """
    for plan in range(len(slabs)):
        ahead = slabs[plan] - places[plan]
        for n in range(places[plan], places[plan + 1]):
            if owner[n] != NOBODY:
                starts[n + ahead + 1] += 1
    for slab in range(1, len(starts)):
        starts[slab] += starts[slab - 1]
    for plan in range(len(slabs)):
        ahead = slabs[plan] - places[plan]
        for n in range(places[plan], places[plan + 1]):
            if owner[n] != NOBODY:
                order[starts[n + ahead]] = n
                starts[n + ahead] += 1
    for slab in range(len(starts) - 1, 0, -1):
        starts[slab] = starts[slab - 1]
    starts[0] = 0


def fill_cells(
    entries: Singles, owner: Integers, order: Integers, grid: Grid, first: int, last: int,
    c: Cells,
) -> None:  # fmt: skip
    """Write the entries of slabs first..last - 1 in the order of their cells."""
    for slab in range(first, last):
        start, end = c.starts[slab], c.starts[slab + 1]
        for n in range(start, end):
            c.keys[n] = cell_of(entries[order[n]], grid) * PLACE + (n - start)
        c.keys[start:end].sort()
        for n in range(start, end):
            m = order[start + c.keys[n] % PLACE]
            c.keys[n] = slab * SLAB + c.keys[n] // PLACE
            c.plan[n] = owner[m]
            for column in range(WIDTH):
                c.columns[column, n] = entries[m, column]


def load(c: Cells, n: int, entry: Singles) -> None:
    """Copy entry n into a row of its own."""
    for column in range(WIDTH):
        entry[column] = c.columns[column, n]


def count_near(
    entry: Singles, c: Cells, first: int, last: int, reach_m: float, height_tmm: float
) -> Any:
    """Return how many of entries first..last - 1 can be within both reaches of an entry.

    All are of one slab. height_tmm: the greatest vertical minimum, `NO_HEIGHT` where heights do
    not decide. Numbers of one width and a sum, no branches: only so is it compiled to
    vector instructions. Compiled loosely (`LOOSE`): what is near by less than a metre may be
    missed by the count or not, so `ROUNDING_M` is generous.
    """
    d = c.columns
    x, y, z, vx, vy, vz = entry[X], entry[Y], entry[Z], entry[VX], entry[VY], entry[VZ]
    start, end = entry[START_S] - SLACK_S, entry[END_S] + SLACK_S
    low, high = entry[LOW_TMM], entry[HIGH_TMM]
    reach, height = np.float32(reach_m) + entry[ERROR_M], np.float32(height_tmm)
    count = NONE
    for k in range(last - first):
        m = np.uint64(first) + np.uint64(k)
        rx, ry, rz = d[X, m] - x, d[Y, m] - y, d[Z, m] - z
        ux, uy, uz = d[VX, m] - vx, d[VY, m] - vy, d[VZ, m] - vz
        begin, until = max(d[START_S, m], start), min(d[END_S, m], end)
        at = -(rx * ux + ry * uy + rz * uz) / (ux * ux + uy * uy + uz * uz + STILL)
        at = min(max(at, begin), until)
        rx, ry, rz = rx + ux * at, ry + uy * at, rz + uz * at
        limit = reach + d[ERROR_M, m]
        miss = max(rx * rx + ry * ry + rz * rz - limit * limit, begin - until)
        miss = max(miss, max(low - d[HIGH_TMM, m], d[LOW_TMM, m] - high) - height)
        count += ONE if miss <= NONE else NONE
    return count


def can_meet(entry: Singles, c: Cells, m: int, reach_m: float, height_tmm: float) -> bool:
    """Tell the same of one entry, the cheapest reason to say no first."""
    d = c.columns
    if entry[DATUM] == d[DATUM, m] and entry[DATUM] != MIXED:
        apart_tmm = max(entry[LOW_TMM] - d[HIGH_TMM, m], d[LOW_TMM, m] - entry[HIGH_TMM])
        if apart_tmm > height_tmm:
            return False
    begin = max(d[START_S, m], entry[START_S]) - SLACK_S
    until = min(d[END_S, m], entry[END_S]) + SLACK_S
    if begin > until:
        return False
    rx, ry, rz = d[X, m] - entry[X], d[Y, m] - entry[Y], d[Z, m] - entry[Z]
    ux, uy, uz = d[VX, m] - entry[VX], d[VY, m] - entry[VY], d[VZ, m] - entry[VZ]
    at = -(rx * ux + ry * uy + rz * uz) / (ux * ux + uy * uy + uz * uz + STILL)
    at = min(max(at, begin), until)
    rx, ry, rz = rx + ux * at, ry + uy * at, rz + uz * at
    limit = reach_m + entry[ERROR_M] + d[ERROR_M, m]
    return bool(rx * rx + ry * ry + rz * rz <= limit * limit)


def meet_from_to(entry: Singles, c: Cells, m: int, reach_m: float) -> tuple[float, float]:
    """Return from when to when two entries can be within the reach, in s from the slab's middle."""
    d = c.columns
    rx, ry, rz = float(entry[X]) - d[X, m], float(entry[Y]) - d[Y, m], float(entry[Z]) - d[Z, m]
    ux, uy = float(entry[VX]) - d[VX, m], float(entry[VY]) - d[VY, m]
    uz = float(entry[VZ]) - d[VZ, m]
    begin = float(max(entry[START_S], d[START_S, m]))
    until = float(min(entry[END_S], d[END_S, m]))
    a = ux * ux + uy * uy + uz * uz
    if a <= SLOW_M2_S2:
        return begin, until
    b = rx * ux + ry * uy + rz * uz
    limit = reach_m + entry[ERROR_M] + d[ERROR_M, m]
    root = math.sqrt(max(b * b - a * (rx * rx + ry * ry + rz * rz - limit * limit), 0.0))
    return max(begin, (-b - root) / a), min(until, (root - b) / a)


def first_at(keys: Integers, low: int, high: int, key: int) -> int:
    """Return the first place in low..high - 1 whose key is not below a key, or high."""
    while low < high:
        middle = (low + high) // 2
        if keys[middle] < key:
            low = middle + 1
        else:
            high = middle
    return low


def middle_of(grid: Grid, slab: int) -> int:
    """Return the middle of a slab, counted from the first, in microseconds."""
    return (slab + grid.first_slab) * SLAB_US + SLAB_US // 2


def meet_those(
    entry: Singles, c: Cells, first: int, last: int, reach_m: float, height_tmm: float,
    middle_us: int, out: Out, count: int,
) -> int:  # fmt: skip
    """Write who of entries first..last - 1 can meet an entry of their slab; return the new count.

    out: plan, from when to when (microseconds). Counts on past its end without writing.
    """
    plan, from_us, to_us = out
    some = True
    for m in range(first, last):
        if (m - first) % CHUNK == 0 and last - first >= FEW:
            some = count_near(entry, c, m, min(m + CHUNK, last), reach_m, height_tmm) > NONE
        if not some or not can_meet(entry, c, m, reach_m, height_tmm):
            continue
        if count < len(plan):
            from_s, to_s = meet_from_to(entry, c, m, reach_m)
            plan[count] = c.plan[m]
            from_us[count] = middle_us + int(from_s * 1e6) - AROUND_US
            to_us[count] = middle_us + int(to_s * 1e6) + AROUND_US
        count += 1
    return count


def join(
    c: Cells, grid: Grid, groups: Integers, within: bool, reach_m: float, height_tmm: float,
    first: int, last: int, bounds: Integers, entry: Singles, work: Out,
    out: tuple[Integers, Integers, Integers, Integers],
) -> tuple[int, int]:  # fmt: skip
    """Write the plans of entries first..last - 1 that can meet entries that stand after them.

    groups: one a plan; only pairs of different groups, `within`: of one group too. bounds (2,
    AHEAD), entry (WIDTH), work: room to work in. out: lower plan, higher plan, from when to
    when (microseconds). Returns the place to go on from and how many pairs were written; stops
    early where there is no room.
    """
    out_a, out_b, out_from, out_to = out
    plan, from_us, to_us = work
    low, high = bounds[0], bounds[1]
    count, slab, end = 0, -1, 0
    for k in range(first, last):
        key = c.keys[k]
        if key // SLAB != slab:
            slab = key // SLAB
            end = c.starts[slab + 1]
            low[:], high[:] = c.starts[slab], c.starts[slab]
        middle_us = middle_of(grid, slab)
        load(c, k, entry)
        found, rows = 0, 1 if key % SLAB == LARGE else AHEAD
        for row in range(rows):
            begin, until = k + 1, end
            if rows > 1:
                middle = key
                if row == 1:
                    middle += ROW
                elif row > 1:
                    middle += PLANE + (row - 3) * ROW
                while low[row] < end and c.keys[low[row]] < middle - 1:
                    low[row] += 1
                high[row] = max(high[row], low[row])
                while high[row] < end and c.keys[high[row]] <= middle + 1:
                    high[row] += 1
                begin, until = (k + 1 if row == 0 else low[row]), high[row]
            if begin < until:
                found = meet_those(
                    entry, c, begin, until, reach_m, height_tmm, middle_us, work, found
                )
        if found > len(plan) or count + found > len(out_a):
            return k, count
        for n in range(found):
            a, b = c.plan[k], plan[n]
            if a != b and (within or groups[a] != groups[b]):
                out_a[count], out_b[count] = min(a, b), max(a, b)
                out_from[count], out_to[count] = from_us[n], to_us[n]
                count += 1
    return last, count


def probe(
    c: Cells, grid: Grid, reach_m: float, height_tmm: float, entries: Singles, owner: Integers,
    first_slab: int, out: Out, count: int,
) -> int:  # fmt: skip
    """Write who of all can meet one plan; as `meet_those`.

    entries, owner: of the plan, from its first slab on. Looks at all of three planes of cells,
    because a run of memory is read faster than nine places in it are found.
    """
    for n in range(len(owner)):
        slab = first_slab + n - grid.first_slab
        if owner[n] == NOBODY or slab < 0 or slab + 1 >= len(c.starts):
            continue
        entry = entries[n]
        cell, start, end = cell_of(entry, grid), c.starts[slab], c.starts[slab + 1]
        middle_us = middle_of(grid, slab)
        if cell != LARGE:
            large = first_at(c.keys, start, end, slab * SLAB + LARGE + 1)
            count = meet_those(entry, c, start, large, reach_m, height_tmm, middle_us, out, count)
            plane = slab * SLAB + cell // PLANE * PLANE
            start = first_at(c.keys, large, end, plane - PLANE)
            end = first_at(c.keys, start, end, plane + 2 * PLANE)
        count = meet_those(entry, c, start, end, reach_m, height_tmm, middle_us, out, count)
    return count
