# SPDX-License-Identifier: Apache-2.0
"""Which live tracks can come close: straight lines through the earth-centred frame, in cells.

Over the look-ahead a craft keeps within `error_m` of the straight line that touches its way in
the middle. Two that come within a reach of each other stand, in the middle of the time, in
the same or in neighbouring cells of a cubic grid that is wide enough. Every test errs to one
side only: what it rejects is surely apart, and `sweep` decides on the rest.

`join_tracks` is plain scalar code, made for `compiled`; `live` does the same with whole columns
where nothing is compiled.
"""

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

ROW: Final = 2**11  # cells along an axis of the grid
PLANE: Final = 2**22
# Rows of three cells that stand after a cell, its own among them, as differences of keys.
AHEAD: Final = (0, ROW, PLANE - ROW, PLANE, PLANE + ROW)


class Lines(NamedTuple):
    """Craft in the order of their cells; a tuple of arrays, because numba takes no dataclass.

    keys: number of the cell, cells of a row next to each other. craft: place among the tracks.
    x, y, z: in the middle of the time, metres; vx, vy, vz: m/s. error_m: how far off the line
    the craft may be, uncertainty included. low_tmm, high_tmm: least and greatest height,
    uncertainty included; datum: below 0 where there is none.
    """

    keys: Integers
    craft: Integers
    x: Floats
    y: Floats
    z: Floats
    vx: Floats
    vy: Floats
    vz: Floats
    error_m: Floats
    low_tmm: Floats
    high_tmm: Floats
    datum: Integers


def join_tracks(
    t: Lines, half_s: float, reach_m: float, height_tmm: float, out_k: Integers, out_m: Integers
) -> int:
    """Write the pairs of lines that can come within both reaches; return how many.

    half_s: half of the look-ahead. height_tmm: inf where a cylinder has no vertical minimum.
    Counts on past the end of `out_k` without writing.
    """
    count, total, room = 0, len(t.keys), len(out_k)
    for row in range(5):
        low, high = 0, 0
        for k in range(total):
            middle = t.keys[k] + AHEAD[row]
            while low < total and t.keys[low] < middle - 1:
                low += 1
            high = max(high, low)
            while high < total and t.keys[high] <= middle + 1:
                high += 1
            begin = k + 1 if row == 0 else low
            datum, low_tmm, high_tmm = t.datum[k], t.low_tmm[k], t.high_tmm[k]
            x, y, z, vx, vy, vz = t.x[k], t.y[k], t.z[k], t.vx[k], t.vy[k], t.vz[k]
            near_m = reach_m + t.error_m[k]
            for m in range(begin, high):
                apart_tmm = max(low_tmm - t.high_tmm[m], t.low_tmm[m] - high_tmm)
                if apart_tmm >= height_tmm and datum == t.datum[m] and datum >= 0:
                    continue
                rx, ry, rz = x - t.x[m], y - t.y[m], z - t.z[m]
                wx, wy, wz = vx - t.vx[m], vy - t.vy[m], vz - t.vz[m]
                a = wx * wx + wy * wy + wz * wz
                b = rx * wx + ry * wy + rz * wz
                at = min(max(-b, -half_s * a), half_s * a) / a if a > 1e-12 else 0.0
                rx, ry, rz = rx + wx * at, ry + wy * at, rz + wz * at
                limit = near_m + t.error_m[m]
                if rx * rx + ry * ry + rz * rz > limit * limit:
                    continue
                if count < room:
                    out_k[count], out_m[count] = k, m
                count += 1
    return count
