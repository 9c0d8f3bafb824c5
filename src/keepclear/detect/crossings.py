# SPDX-License-Identifier: Apache-2.0
"""Rings that cross or touch themselves or each other: found for many areas at once.

Rings of planar edges are tested as given, in longitude and latitude, where their edges are
straight; other rings, and those round a pole, as cut, on their region's gnomonic plane, where
chords are straight. The sign of each turn is computed in floating point with Shewchuk's error
bound (Discrete & Computational Geometry 18, 1997), and in fractions where that cannot tell.

Readers refuse the same earlier and name the edges; this is the last line behind them.
"""

from dataclasses import dataclass
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
APART: Final = 1_000.0  # more than the width of any area, in degrees or on a gnomonic plane
ROUNDING: Final = 1e-5  # more than what adding APART to a coordinate rounds off


@dataclass(frozen=True, kw_only=True, eq=False)
class Segments:
    """Straight lines of closed rings on planes: both ends, of which area and ring, which piece.

    A ring's segments stand together and in order.
    """

    from_x: Floats
    from_y: Floats
    to_x: Floats
    to_y: Floats
    area: Integers
    ring: Integers


def first_crossing(s: Segments) -> int | None:
    """Return a segment that meets another one of its area where it may not, or None.

    Neighbours in a ring share a corner, and no more than that.
    """
    if not len(s.ring):
        return None
    after = following(s.ring)
    left = np.minimum(s.from_x, s.to_x) + s.area * APART
    order = np.argsort(left, kind="stable")
    right = np.maximum(s.from_x, s.to_x) + s.area * APART + ROUNDING
    until = np.searchsorted(left[order], right[order], side="right")
    start = 0
    while start < len(order):
        counts = np.maximum(until[start:] - np.arange(start, len(order)) - 1, 0)
        size = max(1, int(np.searchsorted(np.cumsum(counts), PAIRS_AT_ONCE)))
        i, j = _pairs(order, start, counts[:size])
        start += size
        i, j = _overlapping(s, np.minimum(i, j), np.maximum(i, j))
        follows = np.where(after[i] == j, 1, np.where(after[j] == i, -1, 0))
        near = ~(_surely_apart(s, i, j) | _surely_apart(s, j, i))
        near &= ~(_goes_on(s, i, j) & (follows > 0))
        near &= ~(_goes_on(s, j, i) & (follows < 0))
        for a, b, step in zip(i[near].tolist(), j[near].tolist(), follows[near].tolist(),
                              strict=True):  # fmt: skip
            if _meet(s, a, b, step):
                return int(a)
    return None


def _overlapping(s: Segments, i: Integers, j: Integers) -> tuple[Integers, Integers]:
    """Return the pairs of one area whose extents in y overlap."""
    overlap = (np.minimum(s.from_y[i], s.to_y[i]) <= np.maximum(s.from_y[j], s.to_y[j])) & (
        np.minimum(s.from_y[j], s.to_y[j]) <= np.maximum(s.from_y[i], s.to_y[i])
    )
    overlap &= s.area[i] == s.area[j]
    return i[overlap], j[overlap]


def following(run: Integers) -> Integers:
    """Return which segment follows each in its ring, the first one after the last."""
    if not len(run):
        return run
    after = np.arange(1, len(run) + 1)
    ends = np.flatnonzero(np.append(run[1:] != run[:-1], True))
    after[ends] = np.append(0, ends[:-1] + 1)
    return after


def _goes_on(s: Segments, i: Integers, j: Integers) -> Booleans:
    """Tell where piece j, which starts at the end of piece i, surely does not run back over it."""
    gx, gy, hx, hy = s.from_x, s.from_y, s.to_x, s.to_y
    ix, iy, jx, jy = hx[i] - gx[i], hy[i] - gy[i], hx[j] - gx[j], hy[j] - gy[j]
    plus, minus = ix * jy, iy * jx
    turns = np.abs(plus - minus) > TURN_ERROR * (np.abs(plus) + np.abs(minus))
    ahead = ix * jx + iy * jy > TURN_ERROR * (np.abs(ix * jx) + np.abs(iy * jy))
    goes_on: Booleans = turns | ahead
    return goes_on


def _pairs(order: Integers, start: int, counts: Integers) -> tuple[Integers, Integers]:
    """Return each piece from `start` on with the `counts` pieces that follow it in the order."""
    first = np.repeat(np.arange(start, start + len(counts)), counts)
    begins = np.cumsum(counts) - counts
    step = np.arange(len(first)) - np.repeat(begins, counts)
    return order[first], order[first + 1 + step]


def _surely_apart(s: Segments, i: Integers, j: Integers) -> Booleans:
    """Tell where both ends of piece j lie beyond doubt on one side of piece i."""
    gx, gy, hx, hy = s.from_x, s.from_y, s.to_x, s.to_y
    sides = []
    for x, y in ((gx[j], gy[j]), (hx[j], hy[j])):
        plus = (hx[i] - gx[i]) * (y - gy[i])
        minus = (hy[i] - gy[i]) * (x - gx[i])
        turn = plus - minus
        sure = np.abs(turn) > TURN_ERROR * (np.abs(plus) + np.abs(minus))
        sides.append(np.where(sure, np.sign(turn), 0))
    apart: Booleans = sides[0] * sides[1] > 0
    return apart


def _meet(s: Segments, i: int, j: int, follows: int) -> bool:
    """Tell, in fractions, whether two pieces share a point that they may not share.

    follows: 1 where j starts at the end of i, -1 where i starts at the end of j, else 0.
    """
    gx, gy, hx, hy = s.from_x, s.from_y, s.to_x, s.to_y
    a, b, c, d = (
        (Fraction(float(x)), Fraction(float(y)))
        for x, y in ((gx[i], gy[i]), (hx[i], hy[i]), (gx[j], gy[j]), (hx[j], hy[j]))
    )
    if follows:
        return _folds_back(a, b, d) if follows > 0 else _folds_back(c, d, b)
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
