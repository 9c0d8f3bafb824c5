# SPDX-License-Identifier: Apache-2.0
"""Reference borders to draw: coasts, borders and disputed outlines of a window of the map.

For drawing only: lines are thinned to the map's grain and reach a little beyond the window.
Leaves to others: projection, style, clipping. Lines between two territories of one state are
left out.
"""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from keepclear.airspace.border_lines import OUTSIDE, Floats, Integers, chunks_in, counting
from keepclear.airspace.borders import Borders
from keepclear.errors import InputError


class OutlineKind(StrEnum):
    """What a line parts: land and sea, two owners, or an outline of the overlay and the rest."""

    COAST = "coast"
    BORDER = "border"
    DISPUTED = "disputed"


@dataclass(frozen=True, kw_only=True, eq=False)
class Outline:
    """One line to draw; its longitudes run on from the window's west, over 180 if need be."""

    kind: OutlineKind
    longitude_deg: Floats
    latitude_deg: Floats


def outlines(
    borders: Borders, *, west_deg: float, south_deg: float, east_deg: float, north_deg: float,
    grain_deg: float | None = None,
) -> tuple[Outline, ...]:  # fmt: skip
    """Return the lines that meet the window, in the order of the data.

    A window with its east less than its west goes across the antimeridian. `grain_deg` is
    the smallest step worth drawing; an eight-hundredth of the window where none is given.
    """
    if not np.isfinite([west_deg, south_deg, east_deg, north_deg]).all() or south_deg > north_deg:
        window = (west_deg, south_deg, east_deg, north_deg)
        raise InputError("window", window, "is no window", "give west, south, east, north")
    if east_deg < west_deg:
        east_deg += 360
    grain_deg = grain_deg or max(east_deg - west_deg, north_deg - south_deg, 1e-6) / 800
    lines = borders.lines
    chunk, turn_deg = chunks_in(lines, west_deg, east_deg, south_deg, north_deg)
    kind = _kinds(borders)[chunk]
    drawn = kind >= 0
    chunk, turn_deg, kind = chunk[drawn], turn_deg[drawn], kind[drawn]
    if not len(chunk):
        return ()
    points = lines.end[chunk] - lines.first[chunk] + 1
    point = np.repeat(lines.first[chunk], points) + counting(points)
    x = lines.longitude_deg[point] + np.repeat(turn_deg, points)
    y = lines.latitude_deg[point]
    # A chunk that begins where the one before ended carries the same line on.
    goes_on = (lines.first[chunk][1:] == lines.end[chunk][:-1]) & (np.diff(turn_deg) == 0)
    line = np.repeat(np.concatenate([[0], np.cumsum(~goes_on)]), points)
    keep = _thinned(x, y, line, grain_deg)
    x, y, line = x[keep], y[keep], line[keep]
    kinds = np.repeat(kind, points)[keep]
    starts = np.flatnonzero(np.diff(line, prepend=-1))
    ends = np.append(starts[1:], len(line))
    names = tuple(OutlineKind)
    return tuple(
        Outline(kind=names[kinds[a]], longitude_deg=x[a:b], latitude_deg=y[a:b])
        for a, b in zip(starts.tolist(), ends.tolist(), strict=True)
        if b - a > 1
    )


def _kinds(borders: Borders) -> Integers:
    """Return for each chunk the place of its kind in `OutlineKind`; -1 for not drawn."""
    units, rings = len(borders.units), len(borders.area_of_ring)
    left, right = borders.lines.left, borders.lines.right
    code = np.array([*borders.unit_codes, OUTSIDE])
    is_land = left < units
    at_sea = (left == OUTSIDE) | (right == OUTSIDE)
    own = np.where(is_land, left, OUTSIDE)
    parts_owners = code[own] != code[np.where(right < units, right, OUTSIDE)]
    overlay = np.where(left < units + rings, 2, -1)
    return np.where(is_land, np.where(at_sea, 0, np.where(parts_owners, 1, -1)), overlay)


def _thinned(x: Floats, y: Floats, line: Integers, grain_deg: float) -> Integers:
    """Return which points to keep: where the grid cell changes, and both ends of each line."""
    column, row = np.floor(x / grain_deg), np.floor(y / grain_deg)
    new_line = np.diff(line, prepend=-1) != 0
    last = np.append(new_line[1:], True)
    moved = (np.diff(column, prepend=np.nan) != 0) | (np.diff(row, prepend=np.nan) != 0)
    # A line that stays in one cell is too small to draw: its two ends fall together.
    cells = np.add.reduceat(moved & ~new_line, np.flatnonzero(new_line))
    drawn = np.repeat(cells > 0, np.diff(np.append(np.flatnonzero(new_line), len(line))))
    return np.flatnonzero((new_line | last | moved) & drawn)
