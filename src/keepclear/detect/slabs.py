# SPDX-License-Identifier: Apache-2.0
"""Where each plan is in each slab of time, coarsely, and which of them can come close.

An entry says where one plan is during one slab: a straight motion through the earth-centred
frame that no position of the plan leaves by more than `error_m`, and the least and greatest
height. Two plans that come closer than a reach in a slab stand in the same or in neighbouring
cells of a cubic grid that is wide enough. Every test errs to one side only: what it rejects is
surely apart, and `sweep` decides on the rest.

A plan that may run early or late is in every slab it may be in, with all the places it may be
at then and no motion. Plain scalar code that runs as it stands and compiled (`compiled`).
"""

import math
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from keepclear.detect.fragments import Fragments
from keepclear.detect.vertical import height_at

Singles = npt.NDArray[np.float32]
Integers = npt.NDArray[np.int64]

ROUNDING_M: Final = 8.0  # float32 positions (0.5 m), the dip of chords below the surface
ROUNDING_TMM: Final = 64.0  # float32 heights below 100,000 ft are right to 32
MIXED: Final = -1
ROW: Final = 2**11  # cells along an axis of the grid
PLANE: Final = 2**22
SLAB: Final = 2**33
SLACK_S: Final = np.float32(1e-3)
STILL: Final = np.float32(1e-6)
ONE: Final = np.float32(1)
NONE: Final = np.float32(0)
NO_HEIGHT: Final = 1e12  # no two heights are this far apart; not inf, which LOOSE rules out
CHUNK: Final = 64
LOOSE: Final = ("count_near",)  # functions that may be compiled with reordered arithmetic
OFFSET_M: Final = 6_500_000.0
ROWS: Final = 5  # rows of three cells that stand after a cell, its own among them


class Entries(NamedTuple):
    """Entries as columns (see the module).

    slab: its number; plan; x, y, z: position at the middle of the slab, metres; vx, vy, vz:
    m/s; start_s, end_s: when the plan is in the slab, from the slab's middle; error_m: how far
    off the motion may be, uncertainty included; low_tmm, high_tmm: heights, uncertainty
    included; datum: MIXED where heights are missing or of several references.
    """

    slab: Integers
    plan: Integers
    x: Singles
    y: Singles
    z: Singles
    vx: Singles
    vy: Singles
    vz: Singles
    start_s: Singles
    end_s: Singles
    error_m: Singles
    low_tmm: Singles
    high_tmm: Singles
    datum: npt.NDArray[np.int32]


def count_entries(f: Fragments, first: int, last: int, slab_us: int, lag_us: int) -> int:
    """Return how many entries plans first..last - 1 take at most; lag_us: see `fill_entries`."""
    count = 0
    for plan in range(first, last):
        i, end = f.offsets[plan], f.offsets[plan + 1]
        if i < end:
            start_us = f.start_us[i] - f.early_us[plan] - lag_us
            end_us = f.end_us[end - 1] + f.late_us[plan] + lag_us
            count += end_us // slab_us - start_us // slab_us + 1
    return count


def fill_entries(
    f: Fragments, first: int, last: int, slab_us: int, lag_us: int, out: Entries, n: int
) -> int:
    """Write the entries of plans first..last - 1 from place n on; return the next place.

    lag_us: half of what `time` leaves add to the times compared, rounded up.
    """
    for plan in range(first, last):
        i, end = f.offsets[plan], f.offsets[plan + 1]
        if i >= end:
            continue
        early_us, late_us = f.early_us[plan] + lag_us, f.late_us[plan] + lag_us
        from_us, to_us = f.start_us[i], f.end_us[end - 1]
        for slab in range((from_us - early_us) // slab_us, (to_us + late_us) // slab_us + 1):
            starts_us = max(slab * slab_us - late_us, from_us)
            ends_us = min((slab + 1) * slab_us + early_us, to_us)
            while i < end - 1 and f.end_us[i] < starts_us:
                i += 1
            if f.start_us[i] > ends_us:
                continue
            k = i
            while k < end - 1 and f.start_us[k + 1] <= ends_us:
                k += 1
            starts_us, ends_us = max(starts_us, f.start_us[i]), min(ends_us, f.end_us[k])
            if starts_us > ends_us:
                continue
            moves = early_us == 0 and late_us == 0
            fill_entry(f, plan, slab, slab_us, i, k, starts_us, ends_us, moves, out, n)
            n += 1
    return n


def fill_entry(
    f: Fragments, plan: int, slab: int, slab_us: int, i: int, k: int, starts_us: int,
    ends_us: int, moves: bool, out: Entries, n: int,
) -> None:  # fmt: skip
    """Write one entry: fragments i..k between two times; `moves`: as a straight motion."""
    ax, ay, az = position_at(f, i, starts_us)
    bx, by, bz = position_at(f, k, ends_us)
    lasts_s = (ends_us - starts_us) * 1e-6
    per_s = 1.0 / lasts_s if moves and lasts_s > 0.0 else 0.0
    cx, cy, cz = 0.5 * (ax + bx), 0.5 * (ay + by), 0.5 * (az + bz)
    vx, vy, vz = (bx - ax) * per_s, (by - ay) * per_s, (bz - az) * per_s
    middle_us = starts_us + 0.5 * (ends_us - starts_us)
    error2 = 0.0
    if not moves:
        error2 = max((ax - cx) ** 2 + (ay - cy) ** 2 + (az - cz) ** 2, 0.0)
    lateral_m, low, high, datum = 0.0, math.inf, -math.inf, f.leg_datum[f.leg[i]]
    for m in range(i, k + 1):
        leg = f.leg[m]
        lateral_m = max(lateral_m, f.leg_lateral_m[leg])
        if f.leg_datum[leg] != datum:
            datum = MIXED
        for which in range(2):
            at_us = max(f.start_us[m], starts_us) if which == 0 else min(f.end_us[m], ends_us)
            x, y, z = position_at(f, m, at_us)
            after_s = (at_us - middle_us) * 1e-6
            x, y, z = x - cx - vx * after_s, y - cy - vy * after_s, z - cz - vz * after_s
            error2 = max(error2, x * x + y * y + z * z)
            height = height_at(
                f.leg_start_us[leg], f.leg_end_us[leg], f.leg_from_tmm[leg], f.leg_to_tmm[leg],
                at_us,
            )  # fmt: skip
            low = min(low, height - f.leg_vertical_tmm[leg])
            high = max(high, height + f.leg_vertical_tmm[leg])
    out.slab[n], out.plan[n] = slab, plan
    half_us = 0.5 * slab_us
    off_s = (slab * slab_us + half_us - middle_us) * 1e-6 if moves else 0.0
    out.x[n], out.y[n], out.z[n] = cx + vx * off_s, cy + vy * off_s, cz + vz * off_s
    out.vx[n], out.vy[n], out.vz[n] = vx, vy, vz
    if moves:
        out.start_s[n] = (starts_us - slab * slab_us - half_us) * 1e-6
        out.end_s[n] = (ends_us - slab * slab_us - half_us) * 1e-6
    else:
        out.start_s[n], out.end_s[n] = -half_us * 1e-6, half_us * 1e-6
    out.error_m[n] = math.sqrt(error2) + lateral_m + ROUNDING_M
    if datum == MIXED:
        low, high = -NO_HEIGHT, NO_HEIGHT
    out.low_tmm[n], out.high_tmm[n] = low - ROUNDING_TMM, high + ROUNDING_TMM
    out.datum[n] = datum


def position_at(f: Fragments, i: int, at_us: int) -> tuple[float, float, float]:
    """Return where fragment i is at a time, on its chord."""
    lasts_us = f.end_us[i] - f.start_us[i]
    share = (at_us - f.start_us[i]) / lasts_us if lasts_us > 0 else 0.0
    return (
        f.px[i] + (f.qx[i] - f.px[i]) * share,
        f.py[i] + (f.qy[i] - f.py[i]) * share,
        f.pz[i] + (f.qz[i] - f.pz[i]) * share,
    )


def cell_key(e: Entries, i: int, cell_m: float, first_slab: int) -> int:
    """Return entry i's slab and cell as one number, cells of a row next to each other."""
    at_s = 0.5 * (e.start_s[i] + e.end_s[i])
    ix = int((e.x[i] + e.vx[i] * at_s + OFFSET_M) / cell_m)
    iy = int((e.y[i] + e.vy[i] * at_s + OFFSET_M) / cell_m)
    iz = int((e.z[i] + e.vz[i] * at_s + OFFSET_M) / cell_m)
    return int((e.slab[i] - first_slab) * SLAB + ix * PLANE + iy * ROW + iz)


def fill_keys(e: Entries, cell_m: float, first_slab: int, keys: Integers) -> None:
    """Write the key of every entry."""
    for i in range(len(keys)):
        keys[i] = cell_key(e, i, cell_m, first_slab)


def count_near(
    e: Entries, i: int, d: Entries, first: int, last: int, reach_m: float, height_tmm: float
) -> Any:
    """Return how many of entries first..last - 1 of d can be within both reaches of entry i of e.

    All are of one slab. height_tmm: the greatest vertical minimum, `NO_HEIGHT` where heights do
    not decide. Numbers of one width and a sum, no branches: only so is it compiled to vector
    instructions. Compiled loosely (`LOOSE`): what is near by less than a metre may be missed by
    the count or not, so `ROUNDING_M` is generous.
    """
    x, y, z, vx, vy, vz = e.x[i], e.y[i], e.z[i], e.vx[i], e.vy[i], e.vz[i]
    start, end = e.start_s[i] - SLACK_S, e.end_s[i] + SLACK_S
    low, high = e.low_tmm[i], e.high_tmm[i]
    reach, height = np.float32(reach_m) + e.error_m[i], np.float32(height_tmm)
    count = NONE
    for k in range(last - first):
        m = np.uint64(first) + np.uint64(k)
        rx, ry, rz = d.x[m] - x, d.y[m] - y, d.z[m] - z
        ux, uy, uz = d.vx[m] - vx, d.vy[m] - vy, d.vz[m] - vz
        begin, until = max(d.start_s[m], start), min(d.end_s[m], end)
        at = -(rx * ux + ry * uy + rz * uz) / (ux * ux + uy * uy + uz * uz + STILL)
        at = min(max(at, begin), until)
        rx, ry, rz = rx + ux * at, ry + uy * at, rz + uz * at
        limit = reach + d.error_m[m]
        miss = max(rx * rx + ry * ry + rz * rz - limit * limit, begin - until)
        miss = max(miss, max(low - d.high_tmm[m], d.low_tmm[m] - high) - height)
        count += ONE if miss <= NONE else NONE
    return count


def can_meet(e: Entries, i: int, d: Entries, m: int, reach_m: float, height_tmm: float) -> bool:
    """Tell the same of one entry."""
    if e.datum[i] != d.datum[m] or e.datum[i] == MIXED:
        height_tmm = NO_HEIGHT
    return bool(count_near(e, i, d, m, m + 1, reach_m, height_tmm) > NONE)


def is_wanted(groups: Integers, within: bool, a: int, b: int) -> bool:
    """Tell whether two plans are to be compared: not itself, and by group."""
    return bool(a != b and (within or groups[a] != groups[b]))


def join(
    e: Entries, keys: Integers, groups: Integers, within: bool, reach_m: float, height_tmm: float,
    first: int, last: int, out_a: Integers, out_b: Integers, out_slab: Integers,
) -> tuple[int, int]:  # fmt: skip
    """Write the plans of entries first..last - 1 that can meet entries that stand after them.

    keys: sorted, of the entries. Returns the place to go on from and how many pairs were
    written; stops early where `out_a` has no more room.
    """
    count = 0
    total = len(keys)
    low, high = np.zeros(ROWS, dtype=np.int64), np.zeros(ROWS, dtype=np.int64)
    for k in range(first, last):
        before = count
        for row in range(ROWS):
            middle = keys[k]
            if row == 1:
                middle += ROW
            elif row > 1:
                middle += PLANE + (row - 3) * ROW
            if k == first:
                low[row] = np.searchsorted(keys, middle - 1)
                high[row] = low[row]
            while low[row] < total and keys[low[row]] < middle - 1:
                low[row] += 1
            high[row] = max(high[row], low[row])
            while high[row] < total and keys[high[row]] <= middle + 1:
                high[row] += 1
            begin = k + 1 if row == 0 else low[row]
            some = False
            for m in range(begin, high[row]):
                if (m - begin) % CHUNK == 0:
                    chunk = min(m + CHUNK, high[row])
                    some = count_near(e, k, e, m, chunk, reach_m, height_tmm) > NONE
                if not some or not can_meet(e, k, e, m, reach_m, height_tmm):
                    continue
                a, b = e.plan[k], e.plan[m]
                if not is_wanted(groups, within, a, b):
                    continue
                if count == len(out_a):
                    return k, before
                out_a[count], out_b[count] = min(a, b), max(a, b)
                out_slab[count] = e.slab[k]
                count += 1
    return last, count


def probe(
    e: Entries, keys: Integers, d: Entries, i: int, key: int, reach_m: float, height_tmm: float,
    out: Integers, out_slab: Integers, count: int,
) -> int:  # fmt: skip
    """Write the plans of sorted entries that entry i of d, with a key, can meet; return the count.

    Counts on past the end of `out` without writing.
    """
    for row in range(9):
        middle = key + (row // 3 - 1) * PLANE + (row % 3 - 1) * ROW
        m = int(np.searchsorted(keys, middle - 1))
        while m < len(keys) and keys[m] <= middle + 1:
            if can_meet(d, i, e, m, reach_m, height_tmm):
                if count < len(out):
                    out[count], out_slab[count] = e.plan[m], e.slab[m]
                count += 1
            m += 1
    return count
