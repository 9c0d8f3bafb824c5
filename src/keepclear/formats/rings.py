# SPDX-License-Identifier: Apache-2.0
"""Rings of an area: closed, without crossings, turned the right way, across 180 degrees.

Longitudes come as -180..180 with a jump at the antimeridian, or run on beyond 180. Both are
read the same way: from one position to the next a ring goes the short way round, as
`airspace.positions.Edge` says. Rings are tested as drawn in longitude and latitude.

1. A ring that crosses or touches itself or another ring of its area is refused, and the two
   edges are named. Edges count from 1, the exterior ring first.
2. A ring round a pole, or right round the globe, is refused: cut it in two.
3. The exterior ring is turned counter-clockwise and holes clockwise (RFC 7946 section 3.1.6).

The sign of each turn is computed in floating point with Shewchuk's error bound (Discrete &
Computational Geometry 18, 1997), and in fractions where that cannot tell.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

import numpy as np
import numpy.typing as npt

from keepclear.airspace.positions import Position
from keepclear.errors import InputError
from keepclear.formats.contents import Floats, Integers

LonLat = tuple[float, float]
Booleans = npt.NDArray[np.bool_]

MOST_POSITIONS: Final = 10_000  # in one area; F3548-21 has the same limit for an operation
MOST_IN_FILE: Final = 200_000
MOST_EXACT_TESTS: Final = 20_000  # each takes 20 us
PAIRS_AT_ONCE: Final = 1 << 16  # small enough for the cache
TURN_ERROR: Final = 3.3306690738754716e-16  # Shewchuk's (3 + 16 eps) eps, eps = 2**-53


@dataclass(frozen=True, kw_only=True)
class Area:
    """The rings of one area, not closed, and what was done to them."""

    exterior: tuple[Position, ...]
    holes: tuple[tuple[Position, ...], ...]
    turned: int
    crosses_antimeridian: bool


@dataclass(frozen=True, kw_only=True)
class _Edges:
    """Edges of all rings: from, to, ring number, number in the ring, edges in the ring."""

    from_x: Floats
    from_y: Floats
    to_x: Floats
    to_y: Floats
    ring: Integers
    number: Integers
    count: Integers


def read_area(rings: Sequence[Sequence[LonLat]], path: str, *, any_turn: bool = False) -> Area:
    """Return an area from rings that do not repeat their first position.

    `any_turn`: the format does not say which way round, so nothing counts as turned.
    """
    if sum(len(ring) for ring in rings) > MOST_POSITIONS:
        raise InputError(path, sum(map(len, rings)), f"positions are more than {MOST_POSITIONS:,}",
                         "simplify the area outwards or cut it in two")  # fmt: skip
    sheets = [_unrolled(ring, path) for ring in rings]
    sheets[1:] = [_beside(sheet, sheets[0]) for sheet in sheets[1:]]
    crossing = first_crossing(sheets)
    if crossing is not None:
        raise InputError(path, None, _crossing_text(crossing, sheets),
                         "put the positions in order round the area")  # fmt: skip
    _check_holes(sheets, path)
    areas = [_twice_area(sheet) for sheet in sheets]
    if 0.0 in areas:
        raise InputError(path, None, "encloses nothing", "give positions that are not on one line")
    wrong = [area < 0 if i == 0 else area > 0 for i, area in enumerate(areas)]
    turned = [sheet[::-1] if turn else sheet for sheet, turn in zip(sheets, wrong, strict=True)]
    first, *rest = [_positions(sheet) for sheet in turned]
    return Area(
        exterior=first, holes=tuple(rest), turned=0 if any_turn else sum(wrong),
        crosses_antimeridian=bool(sheets[0][:, 0].max() > 180 or sheets[0][:, 0].min() < -180),
    )  # fmt: skip


def check_positions(count: int, path: str) -> None:
    """Refuse areas with more positions in one file than are tested in a reasonable time."""
    if count > MOST_IN_FILE:
        raise InputError(path, count, f"positions of areas are more than {MOST_IN_FILE:,} a file",
                         "split the file")  # fmt: skip


def first_crossing(rings: Sequence[Floats]) -> tuple[tuple[int, int], tuple[int, int]] | None:
    """Return two edges that cross or touch, as (ring, edge) from 0, or None."""
    edges = _edges_of(rings)
    left, right = np.minimum(edges.from_x, edges.to_x), np.maximum(edges.from_x, edges.to_x)
    low, high = np.minimum(edges.from_y, edges.to_y), np.maximum(edges.from_y, edges.to_y)
    order = np.argsort(left, kind="stable")
    counts = np.searchsorted(left[order], right[order], side="right") - np.arange(len(order)) - 1
    chunks = np.cumsum(counts) // PAIRS_AT_ONCE
    tests = 0
    for part in np.split(np.arange(len(order)), np.flatnonzero(np.diff(chunks)) + 1):
        i, j = _pairs(order, int(part[0]), counts[part])
        overlap = (low[i] <= high[j]) & (low[j] <= high[i])
        i, j = i[overlap], j[overlap]
        for is_harmless in (_surely_apart, _surely_apart, _surely_bent):
            kept = ~is_harmless(edges, i, j)
            i, j = j[kept], i[kept]  # each is tried against the other
        for a, b in zip(i.tolist(), j.tolist(), strict=True):
            tests += 1
            if tests > MOST_EXACT_TESTS or _meet(edges, a, b):
                return _name(edges, min(a, b)), _name(edges, max(a, b))
    return None


def _name(edges: _Edges, i: int) -> tuple[int, int]:
    return int(edges.ring[i]), int(edges.number[i])


def _edges_of(rings: Sequence[Floats]) -> _Edges:
    from_xy = np.concatenate(rings)
    to_xy = np.concatenate([np.roll(ring, -1, axis=0) for ring in rings])
    return _Edges(
        from_x=from_xy[:, 0].copy(),
        from_y=from_xy[:, 1].copy(),
        to_x=to_xy[:, 0].copy(),
        to_y=to_xy[:, 1].copy(),
        ring=np.concatenate([np.full(len(ring), i) for i, ring in enumerate(rings)]),
        number=np.concatenate([np.arange(len(ring)) for ring in rings]),
        count=np.concatenate([np.full(len(ring), len(ring)) for ring in rings]),
    )


def _pairs(order: Integers, start: int, counts: Integers) -> tuple[Integers, Integers]:
    """Return each edge from `start` on with the `counts` edges that follow it in the order."""
    first = np.repeat(np.arange(start, start + len(counts)), counts)
    begins = np.cumsum(counts) - counts
    step = np.arange(len(first)) - np.repeat(begins, counts)
    i: Integers = order[first]
    j: Integers = order[first + 1 + step]
    return i, j


def _surely_apart(edges: _Edges, i: Integers, j: Integers) -> Booleans:
    """Tell where both ends of edge j lie beyond doubt on one side of edge i."""
    start = _sure_side(edges, i, edges.from_x[j], edges.from_y[j])
    end = _sure_side(edges, i, edges.to_x[j], edges.to_y[j])
    apart: Booleans = start * end > 0
    return apart


def _surely_bent(edges: _Edges, i: Integers, j: Integers) -> Booleans:
    """Tell where edges that follow each other in a ring turn beyond doubt, so do not fold back."""
    step = np.where(edges.ring[i] == edges.ring[j], edges.number[j] - edges.number[i], 0)
    step %= edges.count[i]
    bent = np.zeros(len(i), dtype=np.bool_)
    for one, other, follows in ((i, j, step == 1), (j, i, step == edges.count[i] - 1)):
        bent |= follows & (_sure_side(edges, one, edges.to_x[other], edges.to_y[other]) != 0)
    return bent


def _sure_side(edges: _Edges, i: Integers, x: Floats, y: Floats) -> Floats:
    """Return on which side of edge i a point lies beyond doubt: 1 left, -1 right, else 0."""
    from_x, from_y = edges.from_x[i], edges.from_y[i]
    plus = (edges.to_x[i] - from_x) * (y - from_y)
    minus = (edges.to_y[i] - from_y) * (x - from_x)
    turn = plus - minus
    sure = np.abs(turn) > TURN_ERROR * (np.abs(plus) + np.abs(minus))
    return np.where(sure, np.sign(turn), 0.0)


def _meet(edges: _Edges, i: int, j: int) -> bool:
    """Tell, in fractions, whether two edges share a point that they may not share."""
    a, b, c, d = (
        (Fraction(float(x)), Fraction(float(y)))
        for x, y in (
            (edges.from_x[i], edges.from_y[i]),
            (edges.to_x[i], edges.to_y[i]),
            (edges.from_x[j], edges.from_y[j]),
            (edges.to_x[j], edges.to_y[j]),
        )
    )
    if edges.ring[i] == edges.ring[j]:
        step = int(edges.number[j] - edges.number[i]) % int(edges.count[i])
        if step == 1:
            return _folds_back(a, b, d)
        if step == edges.count[i] - 1:
            return _folds_back(c, d, b)
    turns = _turn(a, b, c), _turn(a, b, d), _turn(c, d, a), _turn(c, d, b)
    if turns[0] == turns[1] == 0:
        return max(min(a, b), min(c, d)) <= min(max(a, b), max(c, d))
    return turns[0] * turns[1] <= 0 and turns[2] * turns[3] <= 0


_Exact = tuple[Fraction, Fraction]


def _turn(a: _Exact, b: _Exact, c: _Exact) -> int:
    turn = (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])
    return (turn > 0) - (turn < 0)


def _folds_back(a: _Exact, b: _Exact, c: _Exact) -> bool:
    """Tell whether b to c runs back over a to b."""
    ahead = (b[0] - a[0]) * (c[0] - b[0]) + (b[1] - a[1]) * (c[1] - b[1])
    return _turn(a, b, c) == 0 and ahead < 0


def _unrolled(ring: Sequence[LonLat], path: str) -> Floats:
    """Return a ring whose longitudes run on, without positions given twice in a row."""
    sheet = np.array(ring, dtype=np.float64).reshape(-1, 2)
    steps = np.diff(sheet[:, 0], append=sheet[:1, 0])
    around = np.where(np.abs(steps) > 180, -360.0 * np.round(steps / 360.0), 0.0)
    if np.any(np.abs(steps + around) == 180):
        raise InputError(path, None, "has an edge of 180 degrees of longitude: east or west?",
                         "add a position between its ends")  # fmt: skip
    if around.sum() != 0:
        raise InputError(path, None, "goes round a pole or right round the globe",
                         "cut it into parts that do not")  # fmt: skip
    sheet[1:, 0] += np.cumsum(around[:-1])
    again = np.all(sheet == np.roll(sheet, 1, axis=0), axis=1)
    sheet = np.ascontiguousarray(sheet[~again])
    if len(sheet) < 3:
        raise InputError(path, len(sheet), "different positions are no area", "give 3 or more")
    if np.ptp(sheet[:, 0]) >= 360:
        raise InputError(path, None, "is 360 degrees of longitude wide", "cut it in two")
    return sheet


def _beside(hole: Floats, exterior: Floats) -> Floats:
    """Return a hole moved by whole turns to where the exterior ring is."""
    middle = (exterior[:, 0].min() + exterior[:, 0].max()) / 2
    turns = np.round((middle - hole[:, 0].mean()) / 360.0)
    moved: Floats = hole + np.array([360.0 * turns, 0.0])
    return moved


def _check_holes(sheets: Sequence[Floats], path: str) -> None:
    """Refuse a hole outside the exterior ring or inside another hole; no two rings meet here."""
    for i, hole in enumerate(sheets[1:], start=1):
        if not _is_inside(hole[0], sheets[0]):
            raise InputError(f"{path}[{i}]", None, "is a hole outside the exterior ring",
                             "give it as an area of its own")  # fmt: skip
        for other in sheets[1:i]:
            if _is_inside(hole[0], other) or _is_inside(other[0], hole):
                raise InputError(f"{path}[{i}]", None, "and another hole lie one in the other",
                                 "give only the larger hole")  # fmt: skip


def _is_inside(point: Floats, ring: Floats) -> bool:
    x, y = ring[:, 0], ring[:, 1]
    to_x, to_y = np.roll(x, -1), np.roll(y, -1)
    spans = (y > point[1]) != (to_y > point[1])
    with np.errstate(divide="ignore", invalid="ignore"):
        at_x = x + (point[1] - y) / (to_y - y) * (to_x - x)
    return bool(np.count_nonzero(spans & (point[0] < at_x)) % 2)


def _twice_area(sheet: Floats) -> float:
    x, y = (sheet - sheet[0]).T
    return float(np.sum(x * np.roll(y, -1) - np.roll(x, -1) * y))


def _positions(sheet: Floats) -> tuple[Position, ...]:
    return tuple(
        Position(latitude_deg=latitude, longitude_deg=wrapped(longitude))
        for longitude, latitude in sheet.tolist()
    )


def wrapped(longitude_deg: float) -> float:
    """Return a longitude in -180 to 180; what lies there already stays as it is."""
    if -180 <= longitude_deg <= 180:
        return longitude_deg
    return (longitude_deg + 180) % 360 - 180


def _crossing_text(
    crossing: tuple[tuple[int, int], tuple[int, int]], sheets: Sequence[Floats]
) -> str:
    texts = []
    for ring, edge in crossing:
        ends = sheets[ring][edge], sheets[ring][(edge + 1) % len(sheets[ring])]
        (x, y), (to_x, to_y) = ends[0].tolist(), ends[1].tolist()
        name = f"edge {edge + 1}" if ring == 0 else f"edge {edge + 1} of hole {ring}"
        texts.append(f"{name} ({x:g}, {y:g} to {to_x:g}, {to_y:g})")
    return f"{texts[0]} crosses or touches {texts[1]}"
