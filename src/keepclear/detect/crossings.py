# SPDX-License-Identifier: Apache-2.0
"""Rings that cross or touch themselves: found on the gnomonic planes, for many regions at once.

Chords are straight lines on their region's gnomonic plane, so the boundary that is tested is
the very one that is computed with. The sign of each turn is computed in floating point with
Shewchuk's error bound (Discrete & Computational Geometry 18, 1997), and in fractions of the
projected corners where that cannot tell.

Readers refuse the same earlier and name the edges; this is the last line behind them.
"""

from fractions import Fraction
from typing import Final

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Booleans = npt.NDArray[np.bool_]
_Exact = tuple[Fraction, Fraction]

TURN_ERROR: Final = 3.3306690738754716e-16  # Shewchuk's (3 + 16 eps) eps, eps = 2**-53
PAIRS_AT_ONCE: Final = 1 << 20
APART: Final = 100.0  # more than the width of any region on its plane, which is at most 11.4


def first_crossing(ends: Floats, volume: Integers, run: Integers) -> int | None:
    """Return a piece that meets another one of its region where it may not, or None.

    ends: gx, gy, hx, hy of the pieces, all 0 where there is no region. volume, run: of each.
    """
    is_region = np.flatnonzero((ends != 0.0).any(axis=0))
    if not len(is_region):
        return None
    gx, gy, hx, hy = ends[:, is_region]
    volume, run = volume[is_region], run[is_region]
    left = np.minimum(gx, hx) + volume * APART
    order = np.argsort(left, kind="stable")
    right = np.maximum(gx, hx) + volume * APART + 1e-6  # beyond what adding APART rounds off
    until = np.searchsorted(left[order], right[order], side="right")
    start = 0
    while start < len(order):
        counts = np.maximum(until[start:] - np.arange(start, len(order)) - 1, 0)
        size = max(1, int(np.searchsorted(np.cumsum(counts), PAIRS_AT_ONCE)))
        i, j = _pairs(order, start, counts[:size])
        start += size
        overlap = (np.minimum(gy[i], hy[i]) <= np.maximum(gy[j], hy[j])) & (
            np.minimum(gy[j], hy[j]) <= np.maximum(gy[i], hy[i])
        )
        i, j = i[overlap & (volume[i] == volume[j])], j[overlap & (volume[i] == volume[j])]
        corners = (gx, gy, hx, hy)
        near = ~(_surely_apart(corners, i, j) | _surely_apart(corners, j, i))
        for a, b in zip(i[near].tolist(), j[near].tolist(), strict=True):
            if _meet(corners, a, b, is_one_run=bool(run[a] == run[b])):
                return int(is_region[min(a, b)])
    return None


def _pairs(order: Integers, start: int, counts: Integers) -> tuple[Integers, Integers]:
    """Return each piece from `start` on with the `counts` pieces that follow it in the order."""
    first = np.repeat(np.arange(start, start + len(counts)), counts)
    begins = np.cumsum(counts) - counts
    step = np.arange(len(first)) - np.repeat(begins, counts)
    return order[first], order[first + 1 + step]


def _surely_apart(corners: tuple[Floats, ...], i: Integers, j: Integers) -> Booleans:
    """Tell where both ends of piece j lie beyond doubt on one side of piece i."""
    gx, gy, hx, hy = corners
    sides = []
    for x, y in ((gx[j], gy[j]), (hx[j], hy[j])):
        plus = (hx[i] - gx[i]) * (y - gy[i])
        minus = (hy[i] - gy[i]) * (x - gx[i])
        turn = plus - minus
        sure = np.abs(turn) > TURN_ERROR * (np.abs(plus) + np.abs(minus))
        sides.append(np.where(sure, np.sign(turn), 0))
    apart: Booleans = sides[0] * sides[1] > 0
    return apart


def _meet(corners: tuple[Floats, ...], i: int, j: int, *, is_one_run: bool) -> bool:
    """Tell, in fractions, whether two pieces share a point that they may not share."""
    gx, gy, hx, hy = corners
    a, b, c, d = (
        (Fraction(float(x)), Fraction(float(y)))
        for x, y in ((gx[i], gy[i]), (hx[i], hy[i]), (gx[j], gy[j]), (hx[j], hy[j]))
    )
    if is_one_run and b == c:
        return _folds_back(a, b, d) or (a == d)
    if is_one_run and d == a:
        return _folds_back(c, d, b)
    turns = _turn(a, b, c), _turn(a, b, d), _turn(c, d, a), _turn(c, d, b)
    if turns[0] == turns[1] == 0:
        return max(min(a, b), min(c, d)) <= min(max(a, b), max(c, d))
    return turns[0] * turns[1] <= 0 and turns[2] * turns[3] <= 0


def _turn(a: _Exact, b: _Exact, c: _Exact) -> int:
    turn = (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])
    return (turn > 0) - (turn < 0)


def _folds_back(a: _Exact, b: _Exact, c: _Exact) -> bool:
    """Tell whether b to c runs back over a to b."""
    ahead = (b[0] - a[0]) * (c[0] - b[0]) + (b[1] - a[1]) * (c[1] - b[1])
    return _turn(a, b, c) == 0 and ahead < 0
