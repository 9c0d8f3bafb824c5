# SPDX-License-Identifier: Apache-2.0
"""How close a trajectory comes to a volume: the closest point and the least margin of a span.

Distance is from the shape: from the skeleton less the round radius, 0 inside. Near one piece
it is a convex function of time, and so is the gap of heights; the distance from the volume is
the least over its pieces. Plain scalar code that runs as it stands and compiled (`compiled`).
"""

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from keepclear.detect.bands import Rise, gap_at, least_gap_at
from keepclear.detect.encounter import TMM_PER_M
from keepclear.detect.fragments import Fragments
from keepclear.detect.lateral import arc_m
from keepclear.detect.motions import (
    Motion,
    View,
    is_far_from_block,
    is_far_from_piece,
    nearest_at,
    square_from_piece,
    view_of,
)
from keepclear.detect.skeletons import (
    BLOCK,
    CLOCK_US,
    EARLY_US,
    END_US,
    LATE_US,
    PX,
    PY,
    PZ,
    QX,
    QY,
    QZ,
    RADIUS_M,
    START_US,
    Volumes,
)
from keepclear.detect.spans import within
from keepclear.detect.sweep import (
    CPA,
    CPA_A,
    CPA_B,
    CPA_X,
    CPA_Y,
    CPA_Z,
    CYLINDER,
    LATERAL_M,
    MARGIN_LEAF,
    MARGIN_M,
    UNDETERMINED,
    VERDICT,
    VERTICAL_TMM,
    Limits,
)
from keepclear.detect.windows import Tolerances, lags_of, real_at, tolerances, write_times

Floats = npt.NDArray[np.float64]

SAME_M = 1e-6
"""Distances this close are a tie."""

SAME_TMM = 1.0
"""Gaps of height this close are a tie."""

HALVINGS = 64
"""Thirds of a span that are cut off it: what is left is below a nanosecond."""


class Closest(NamedTuple):
    """The closest point of a span: time, distance from the shape, piece (-1: inside), share."""

    at_s: float
    lateral_m: float
    piece: int
    share: float


def closest(
    m: Motion, v: Volumes, b: int, rise: Rise, start_s: float, end_s: float, reach_m: float
) -> Closest:
    """Return the closest point within a span; ties: least gap of height, then earliest."""
    at_s = touches_at(m, v, b, rise, start_s, end_s)
    if at_s >= 0.0:
        return Closest(at_s, 0.0, -1, 0.0)
    best, gap, at_s, piece, share = math.inf, math.inf, start_s, -1, 0.0
    level_s = least_gap_at(rise, start_s, end_s)
    for block in range(v.block_offsets[b], v.block_offsets[b + 1]):
        if is_far_from_block(m, v, block, reach_m):
            continue
        first = v.offsets[b] + (block - v.block_offsets[b]) * BLOCK
        for k in range(first, min(first + BLOCK, v.offsets[b + 1])):
            if is_far_from_piece(m, v, k, reach_m):
                continue
            e = view_of(m, v, k)
            for which in range(6):
                t = level_s if which == 5 else nearest_at(e, which, start_s, end_s)
                square, along = square_from_piece(e, t)
                distance = arc_m(math.sqrt(square), e.radius_m)
                its_gap = gap_at(rise, t)
                if is_better(distance, its_gap, t, best, gap, at_s):
                    best, gap, at_s = min(distance, best), its_gap, t
                    piece, share = k, along
    return Closest(at_s, max(best - v.sizes[b, RADIUS_M], 0.0), piece, share)


def is_better(
    distance_m: float, gap_tmm: float, at_s: float, best_m: float, best_tmm: float, best_s: float
) -> bool:
    """Tell whether a point is closer: by distance, then by gap of height, then earlier."""
    if distance_m < best_m - SAME_M:
        return True
    if distance_m > best_m + SAME_M:
        return False
    if gap_tmm < best_tmm - SAME_TMM:
        return True
    return gap_tmm <= best_tmm + SAME_TMM and at_s < best_s


def touches_at(m: Motion, v: Volumes, b: int, rise: Rise, start_s: float, end_s: float) -> float:
    """Return when in a span a point is at distance 0, with the least gap of height; -1: never."""
    spans = np.empty((4, 2 * (v.offsets[b + 1] - v.offsets[b]) + 8))
    count = within(m, v, b, v.sizes[b, RADIUS_M], spans)
    at_s, gap = -1.0, math.inf
    for k in range(count):
        low_s, high_s = max(spans[0, k], start_s), min(spans[1, k], end_s)
        if low_s > high_s:
            continue
        t = least_gap_at(rise, low_s, high_s)
        its_gap = gap_at(rise, t)
        if its_gap < gap - SAME_TMM or at_s < 0.0:
            at_s, gap = t, its_gap
    return at_s


def least_margin_of_volume(
    m: Motion, v: Volumes, b: int, rise: Rise, from_s: float, to_s: float, reach_m: float,
    lateral_m: float, vertical_tmm: int,
) -> tuple[float, int]:  # fmt: skip
    """Return the least margin within from_s..to_s in metres, and 0 for lateral or 1 for vertical.

    lateral_m: inf for none, vertical_tmm: -1 for none. Only pieces within `reach_m` are
    looked at: further off the margin is above that of a span that was found.
    """
    if lateral_m == math.inf:
        gap = gap_at(rise, least_gap_at(rise, from_s, to_s))
        return ((gap - vertical_tmm) / TMM_PER_M, 1) if vertical_tmm >= 0 else (-math.inf, 0)
    best, leaf = math.inf, 0
    at_s = touches_at(m, v, b, rise, from_s, to_s)
    if at_s >= 0.0:
        best, leaf = greater_margin(-lateral_m, gap_at(rise, at_s), vertical_tmm)
    if best <= -lateral_m:
        return best, leaf
    for block in range(v.block_offsets[b], v.block_offsets[b + 1]):
        if is_far_from_block(m, v, block, reach_m):
            continue
        first = v.offsets[b] + (block - v.block_offsets[b]) * BLOCK
        for k in range(first, min(first + BLOCK, v.offsets[b + 1])):
            if is_far_from_piece(m, v, k, reach_m):
                continue
            margin, its_leaf = least_near_piece(
                view_of(m, v, k),
                rise,
                v.sizes[b, RADIUS_M],
                from_s,
                to_s,
                lateral_m,
                vertical_tmm,
                best,
            )
            if margin < best:
                best, leaf = margin, its_leaf
    return best, leaf


def least_near_piece(
    e: View, rise: Rise, radius_m: float, from_s: float, to_s: float, lateral_m: float,
    vertical_tmm: int, best: float,
) -> tuple[float, int]:  # fmt: skip
    """Return the least margin near one piece and its leaf; inf where it is not below `best`."""
    least = math.inf
    for which in range(5):
        square = square_from_piece(e, nearest_at(e, which, from_s, to_s))[0]
        least = min(least, square)
    lateral = max(arc_m(math.sqrt(least), e.radius_m) - radius_m, 0.0) - lateral_m
    if lateral >= best:
        return math.inf, 0
    if vertical_tmm < 0:
        return lateral, 0
    low, high = from_s, to_s
    for _ in range(HALVINGS):
        one, two = low + (high - low) / 3.0, high - (high - low) / 3.0
        if (
            margin_near(e, rise, radius_m, one, lateral_m, vertical_tmm)[0]
            <= margin_near(e, rise, radius_m, two, lateral_m, vertical_tmm)[0]
        ):
            high = two
        else:
            low = one
    result, leaf = margin_near(e, rise, radius_m, 0.5 * (low + high), lateral_m, vertical_tmm)
    for which in range(6):
        t = least_gap_at(rise, from_s, to_s) if which == 5 else nearest_at(e, which, from_s, to_s)
        margin, its_leaf = margin_near(e, rise, radius_m, t, lateral_m, vertical_tmm)
        if margin < result:
            result, leaf = margin, its_leaf
    return result, leaf


def margin_near(
    e: View, rise: Rise, radius_m: float, at_s: float, lateral_m: float, vertical_tmm: int
) -> tuple[float, int]:
    """Return the greater of both margins from one piece at a time, and its leaf."""
    distance = arc_m(math.sqrt(square_from_piece(e, at_s)[0]), e.radius_m)
    lateral = max(distance - radius_m, 0.0) - lateral_m
    return greater_margin(lateral, gap_at(rise, at_s), vertical_tmm)


def greater_margin(lateral: float, gap_tmm: float, vertical_tmm: int) -> tuple[float, int]:
    """Return the greater of a lateral margin and that of a gap of heights, and its leaf."""
    if vertical_tmm < 0:
        return lateral, 0
    vertical = (gap_tmm - vertical_tmm) / TMM_PER_M
    return (lateral, 0) if lateral >= vertical else (vertical, 1)


def tolerances_with(f: Fragments, a: int, v: Volumes, b: int) -> Tolerances:
    """Return the tolerances of time of a trajectory and a volume."""
    return tolerances(
        f.early_us[a], f.late_us[a], v.terms[b, EARLY_US], v.terms[b, LATE_US],
        f.clock_us[a] + v.terms[b, CLOCK_US],
    )  # fmt: skip


def write_volume_row(
    row: Floats, verdict: int, f: Fragments, a: int, v: Volumes, b: int,
    limits: Limits, c: int, m: Motion, rise: Rise, lateral_m: float, vertical_tmm: int,
    start_s: float, end_s: float, from_s: float, to_s: float, reach_m: float, start_us: int,
) -> None:  # fmt: skip
    """Write one row: times, closest point, margin."""
    row[VERDICT], row[CYLINDER] = verdict, c
    t = tolerances_with(f, a, v, b)
    low_us, high_us = lags_of(limits, c, t)
    is_late = limits.time_us[c] > 0
    window_us = v.terms[b, START_US]
    write_times(
        row, start_us + start_s * 1e6, start_us + end_s * 1e6, window_us, v.terms[b, END_US],
        low_us, high_us, t, is_late,
    )  # fmt: skip
    near = closest(m, v, b, rise, start_s, end_s, reach_m)
    at = start_us + near.at_s * 1e6
    row[CPA_A] = at
    row[CPA], row[CPA_B] = real_at(at, window_us, high_us, t, is_late)
    row[LATERAL_M] = near.lateral_m
    row[VERTICAL_TMM] = gap_at(rise, near.at_s) if rise.is_known else math.nan
    row[MARGIN_M], row[MARGIN_LEAF] = math.nan, 1
    if verdict != UNDETERMINED:
        row[MARGIN_M], row[MARGIN_LEAF] = least_margin_of_volume(
            m, v, b, rise, from_s, to_s, reach_m, lateral_m, vertical_tmm
        )
    x, y, z = m.x + m.vx * near.at_s, m.y + m.vy * near.at_s, m.z + m.vz * near.at_s
    write_place(row, x, y, z, v, b, near.piece, near.share, near.lateral_m)


def write_place(
    row: Floats, x: float, y: float, z: float, v: Volumes, b: int, k: int, share: float,
    lateral_m: float,
) -> None:  # fmt: skip
    """Write the midpoint between a place and the nearest point of a volume's shape."""
    half = 0.0
    dx, dy, dz = 0.0, 0.0, 0.0
    if k >= 0 and lateral_m > 0.0:
        dx = v.pieces[k, PX] + (v.pieces[k, QX] - v.pieces[k, PX]) * share - x
        dy = v.pieces[k, PY] + (v.pieces[k, QY] - v.pieces[k, PY]) * share - y
        dz = v.pieces[k, PZ] + (v.pieces[k, QZ] - v.pieces[k, PZ]) * share - z
        half = 0.5 * lateral_m / (lateral_m + v.sizes[b, RADIUS_M])
    row[CPA_X], row[CPA_Y], row[CPA_Z] = x + half * dx, y + half * dy, z + half * dz
