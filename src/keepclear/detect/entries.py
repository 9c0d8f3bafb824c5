# SPDX-License-Identifier: Apache-2.0
"""Where each plan is in each slab of time, coarsely.

An entry says where one plan is during one slab: a straight motion through the earth-centred
frame that no position of the plan leaves by more than `error_m`, and the least and greatest
height. Entries depend on nothing but their own plan, so they are made once for each, as its
fragments are.

A plan that may run early or late is in every slab it may be in, with all the places it may be
at then and no motion. Plain scalar code that runs as it stands and compiled (`compiled`).
"""

import math
from typing import Final

import numpy as np
import numpy.typing as npt

from keepclear.detect.fragments import Fragments
from keepclear.detect.vertical import height_at

Singles = npt.NDArray[np.float32]
Integers = npt.NDArray[np.int64]

SLAB_US: Final = 200_000_000
ROUNDING_M: Final = 8.0  # float32 positions (0.5 m), the dip of chords below the surface
ROUNDING_TMM: Final = 64.0  # float32 heights below 100,000 ft are right to 32
NO_HEIGHT: Final = 1e12  # no two heights are this far apart; not inf, which LOOSE rules out
MIXED: Final = -1
INLINED: Final = ("position_at",)
NOBODY: Final = -1  # the plan of an entry for a slab that falls into a gap

# Columns of an entry. Position at the middle of the slab, m; m/s; when the plan is there, in
# seconds from the slab's middle; how far off the motion may be, m, and the heights, tmm, both
# with uncertainty; MIXED where heights are missing or of several references.
X: Final = 0
Y: Final = 1
Z: Final = 2
VX: Final = 3
VY: Final = 4
VZ: Final = 5
START_S: Final = 6
END_S: Final = 7
ERROR_M: Final = 8
LOW_TMM: Final = 9
HIGH_TMM: Final = 10
DATUM: Final = 11
WIDTH: Final = 12


def fill_entries(
    f: Fragments, places: Integers, first_slab: Integers, lag_us: int, first: int, last: int,
    entries: Singles, owner: Integers,
) -> None:  # fmt: skip
    """Write the entries of plans first..last - 1.

    places: of a plan's first entry, and one more; its entries are for the slabs from
    `first_slab` on, one after another. lag_us, owner: see `fill_plan`.
    """
    for plan in range(first, last):
        fill_plan(
            f, plan, first_slab[plan], lag_us, places[plan], places[plan + 1], entries, owner
        )  # fmt: skip


def fill_plan(
    f: Fragments, plan: int, slab: int, lag_us: int, first: int, last: int, entries: Singles,
    owner: Integers,
) -> int:  # fmt: skip
    """Write one plan's entries at first..last - 1, for slabs from `slab` on.

    lag_us: half of what `time` leaves add to the times compared, rounded up. owner: the plan
    of an entry, or NOBODY. Returns the reference that all its heights have, or MIXED.
    """
    if first == last:
        return MIXED
    i, end = f.offsets[plan], f.offsets[plan + 1]
    early_us, late_us = f.early_us[plan] + lag_us, f.late_us[plan] + lag_us
    moves = early_us == 0 and late_us == 0
    from_us, to_us = f.start_us[i], f.end_us[end - 1]
    datum = f.leg_datum[f.leg[i]]
    for n in range(first, last):
        owner[n] = NOBODY
        starts_us = max(slab * SLAB_US - late_us, from_us)
        ends_us = min((slab + 1) * SLAB_US + early_us, to_us)
        while i < end - 1 and f.end_us[i] < starts_us:
            i += 1
        k = i
        while k < end - 1 and f.start_us[k + 1] <= ends_us:
            k += 1
        starts_us, ends_us = max(starts_us, f.start_us[i]), min(ends_us, f.end_us[k])
        if f.start_us[i] <= ends_us and starts_us <= ends_us:
            owner[n] = plan
            fill_entry(f, slab, i, k, starts_us, ends_us, moves, entries[n])
            if entries[n, DATUM] != datum:
                datum = MIXED
        slab += 1
    return int(datum)


def fill_entry(
    f: Fragments, slab: int, i: int, k: int, starts_us: int, ends_us: int, moves: bool,
    entry: Singles,
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
    lateral_m, low, high, datum = 0.0, math.inf, -math.inf, f.leg_datum[f.leg[i]]
    for m in range(i, k + 1):
        leg = f.leg[m]
        lateral_m = max(lateral_m, f.leg_lateral_m[leg])
        if f.leg_datum[leg] != datum:
            datum = MIXED
        goes_on = m > i and f.start_us[m] == f.end_us[m - 1]
        for which in range(2):
            at_us = max(f.start_us[m], starts_us) if which == 0 else min(f.end_us[m], ends_us)
            if which == 1 or not goes_on:  # else it is where the last one ended
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
    half_us = 0.5 * SLAB_US
    off_s = (slab * SLAB_US + half_us - middle_us) * 1e-6 if moves else 0.0
    entry[X], entry[Y], entry[Z] = cx + vx * off_s, cy + vy * off_s, cz + vz * off_s
    entry[VX], entry[VY], entry[VZ] = vx, vy, vz
    entry[START_S], entry[END_S] = -half_us * 1e-6, half_us * 1e-6
    if moves:
        entry[START_S] = (starts_us - slab * SLAB_US - half_us) * 1e-6
        entry[END_S] = (ends_us - slab * SLAB_US - half_us) * 1e-6
    entry[ERROR_M] = math.sqrt(error2) + lateral_m + ROUNDING_M
    if datum == MIXED:
        low, high = -NO_HEIGHT, NO_HEIGHT
    entry[LOW_TMM], entry[HIGH_TMM] = low - ROUNDING_TMM, high + ROUNDING_TMM
    entry[DATUM] = datum


def position_at(f: Fragments, i: int, at_us: int) -> tuple[float, float, float]:
    """Return where fragment i is at a time, on its chord."""
    if at_us == f.start_us[i]:
        return f.px[i], f.py[i], f.pz[i]
    if at_us == f.end_us[i]:
        return f.qx[i], f.qy[i], f.qz[i]
    share = (at_us - f.start_us[i]) / (f.end_us[i] - f.start_us[i])
    return (
        f.px[i] + (f.qx[i] - f.px[i]) * share,
        f.py[i] + (f.qy[i] - f.py[i]) * share,
        f.pz[i] + (f.qz[i] - f.pz[i]) * share,
    )
