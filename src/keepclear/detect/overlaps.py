# SPDX-License-Identifier: Apache-2.0
"""Two volumes: whether they come closer than a cylinder allows while both windows last.

Both stand still, so there is one lateral distance and one gap of heights: distance of the
skeletons less both round radii, 0 where the shapes overlap. Writes the rows of `sweep`.

1. With a lateral minimum, CONFLICT is closer than it by more than the guard band.
2. With a lateral minimum of 0, CONFLICT is an overlap deeper than the guard band: the boundary
   of one goes deep inside the other, or a point well inside one is well inside the other.
   Shapes that touch, or nearly do, are BOUNDARY.

Plain scalar code that runs as it stands and compiled (`compiled`).
"""

import math
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from keepclear.detect.bands import NOWHERE, gap_of_bands, gap_of_limits
from keepclear.detect.closest import greater_margin
from keepclear.detect.encounter import SLACK_M
from keepclear.detect.inside import is_in_region, off_plane, point_inside
from keepclear.detect.lateral import arc_m
from keepclear.detect.motions import (
    Motion,
    View,
    any_piece,
    guard_of_volume,
    is_far_from_block,
    is_far_from_piece,
    is_far_from_volume,
    motion_along,
    square_from_piece,
    standing_at,
    view_of,
)
from keepclear.detect.skeletons import (
    BALL_M,
    BLOCK,
    BLOCK_M,
    BX,
    BY,
    BZ,
    CLOCK_US,
    CX,
    CY,
    CZ,
    EARLY_US,
    END_US,
    IS_REGION,
    LATE_US,
    PX,
    PY,
    PZ,
    QX,
    QY,
    QZ,
    RADIUS_M,
    START_US,
    UNSURE_M,
    UNSURE_TMM,
    ZONES,
    Volumes,
)
from keepclear.detect.spans import NEAREST_M, deep
from keepclear.detect.sweep import (
    BOUNDARY,
    CLEAR,
    CONFLICT,
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
    Rows,
)
from keepclear.detect.windows import (
    Tolerances,
    do_windows_meet,
    lags_of,
    real_at,
    tolerances,
    write_times,
)

Floats = npt.NDArray[np.float64]


LEAST_RADIUS_M: Final = 6_335_000.0  # of curvature: with it an arc is too long, if anything


class Nearest(NamedTuple):
    """The least distance of two skeletons, and the midpoint of where it is."""

    distance_m: float
    x: float
    y: float
    z: float


def overlap(
    v: Volumes, a: int, w: Volumes, b: int, limits: Limits, farthest_m: float, rows: Rows, n: int
) -> int:
    """Append a row for every cylinder that volumes a of v and b of w are inside.

    a stands before b in the order of ids, so that one pair is one computation. farthest_m:
    the greatest lateral minimum (inf where a cylinder has none).
    """
    reach_m = farthest_m + v.sizes[a, UNSURE_M] + w.sizes[b, UNSURE_M]
    if not do_balls_meet(v, a, w, b, reach_m):
        return n
    t = tolerances_between(v, a, w, b)
    near = not_looked_for()
    for c in range(len(limits.lateral_m)):
        low_us, high_us = lags_of(limits, c, t)
        gap_tmm, vertical_tmm, is_known = gap_within(v, a, w, b, limits, c, low_us, high_us)
        if gap_tmm == NOWHERE:
            continue
        if near.distance_m < 0.0:
            near = nearest(
                v, a, w, b, reach_m + v.sizes[a, RADIUS_M] + w.sizes[b, RADIUS_M] + SLACK_M
            )
        lateral_m = limits.lateral_m[c]
        if limits.uncertainty[c] != 0:
            lateral_m = lateral_m + v.sizes[a, UNSURE_M] + w.sizes[b, UNSURE_M]
        verdict = verdict_of(v, a, w, b, near.distance_m, lateral_m, is_known)
        if verdict == CLEAR:
            continue
        if n < len(rows):
            write_overlap(
                rows[n], verdict, v, a, w, b, limits, c, t, near, low_us, high_us,
                lateral_m, vertical_tmm, max(gap_tmm, 0),
            )  # fmt: skip
        n += 1
    return n


def is_inside(v: Volumes, a: int, w: Volumes, b: int, limits: Limits, farthest_m: float) -> bool:
    """Tell whether `overlap` writes a row of these two, for any cylinder.

    Two points that are near enough spare looking for the nearest.
    """
    reach_m = farthest_m + v.sizes[a, UNSURE_M] + w.sizes[b, UNSURE_M]
    if not do_balls_meet(v, a, w, b, reach_m):
        return False
    t = tolerances_between(v, a, w, b)
    at_most_m, is_exact = math.inf, False
    for c in range(len(limits.lateral_m)):
        low_us, high_us = lags_of(limits, c, t)
        gap_tmm, _, _ = gap_within(v, a, w, b, limits, c, low_us, high_us)
        if gap_tmm == NOWHERE:
            continue
        lateral_m = limits.lateral_m[c]
        if lateral_m == math.inf:
            return True
        if limits.uncertainty[c] != 0:
            lateral_m = lateral_m + v.sizes[a, UNSURE_M] + w.sizes[b, UNSURE_M]
        round_m = lateral_m + v.sizes[a, RADIUS_M] + w.sizes[b, RADIUS_M]
        guard = guard_of_volume(any_piece(v, a), w, b, round_m)
        if at_most_m == math.inf:
            at_most_m = at_most_apart_m(v, a, w, b)
        if at_most_m >= round_m + guard and not is_exact:
            at_most_m = nearest(
                v, a, w, b, reach_m + v.sizes[a, RADIUS_M] + w.sizes[b, RADIUS_M] + SLACK_M
            ).distance_m
            is_exact = True
        if at_most_m < round_m + guard:
            return True
    return False


def at_most_apart_m(v: Volumes, a: int, w: Volumes, b: int) -> float:
    """Return a distance that two skeletons are not further apart than."""
    k, m = v.offsets[a], w.offsets[b]
    x, y, z = v.pieces[k, PX], v.pieces[k, PY], v.pieces[k, PZ]
    if is_in_region(w, b, x, y, z):
        return 0.0
    ox, oy, oz = w.pieces[m, PX], w.pieces[m, PY], w.pieces[m, PZ]
    if is_in_region(v, a, ox, oy, oz):
        return 0.0
    chord_m = math.sqrt((x - ox) * (x - ox) + (y - oy) * (y - oy) + (z - oz) * (z - oz))
    return arc_m(chord_m, LEAST_RADIUS_M)


def gap_within(
    v: Volumes, a: int, w: Volumes, b: int, limits: Limits, c: int, low_us: int, high_us: int
) -> tuple[int, int, bool]:
    """Return the gap of heights of two volumes, the minimum for it, and whether it is known.

    NOWHERE as the gap: a zone, the windows or the heights keep them apart under cylinder c.
    """
    zone = limits.zone[c]
    if zone >= 0 and ((v.terms[a, ZONES] | w.terms[b, ZONES]) >> zone) & 1 == 0:
        return NOWHERE, 0, True
    if not do_windows_meet(
        v.terms[a, START_US], v.terms[a, END_US], w.terms[b, START_US], w.terms[b, END_US],
        low_us, high_us,
    ):  # fmt: skip
        return NOWHERE, 0, True
    gap_tmm, is_known = gap_of_bands(v, a, w, b, limits, c)
    vertical_tmm = limits.vertical_tmm[c]
    if vertical_tmm >= 0 and limits.uncertainty[c] != 0:
        vertical_tmm = vertical_tmm + v.terms[a, UNSURE_TMM] + w.terms[b, UNSURE_TMM]
    if vertical_tmm >= 0 and gap_tmm >= vertical_tmm:
        return NOWHERE, vertical_tmm, is_known
    return gap_tmm, vertical_tmm, is_known


def tolerances_between(v: Volumes, a: int, w: Volumes, b: int) -> Tolerances:
    """Return the tolerances of time of two volumes."""
    return tolerances(
        v.terms[a, EARLY_US], v.terms[a, LATE_US], w.terms[b, EARLY_US], w.terms[b, LATE_US],
        v.terms[a, CLOCK_US] + w.terms[b, CLOCK_US],
    )  # fmt: skip


def do_balls_meet(v: Volumes, a: int, w: Volumes, b: int, reach_m: float) -> bool:
    """Tell whether two volumes can be within `reach_m` of each other."""
    x, y, z = (
        v.sizes[a, CX] - w.sizes[b, CX],
        v.sizes[a, CY] - w.sizes[b, CY],
        v.sizes[a, CZ] - w.sizes[b, CZ],
    )
    limit = reach_m + v.sizes[a, BALL_M] + w.sizes[b, BALL_M] + SLACK_M
    return bool(x * x + y * y + z * z <= limit * limit)


def verdict_of(
    v: Volumes, a: int, w: Volumes, b: int, distance_m: float, lateral_m: float, is_known: bool
) -> int:
    """Return the verdict for two skeletons this far apart, whose bands are not separated."""
    if lateral_m == math.inf:
        return CONFLICT if is_known else UNDETERMINED
    reach_m = lateral_m + v.sizes[a, RADIUS_M] + w.sizes[b, RADIUS_M]
    guard = guard_of_volume(any_piece(v, a), w, b, reach_m)
    if distance_m >= reach_m + guard:
        return CLEAR
    if not is_known:
        return UNDETERMINED
    if reach_m - guard > NEAREST_M:
        return CONFLICT if distance_m < reach_m - guard else BOUNDARY
    return CONFLICT if is_deep(v, a, w, b, guard - reach_m) else BOUNDARY


def is_deep(v: Volumes, a: int, w: Volumes, b: int, depth_m: float) -> bool:
    """Tell whether two regions overlap by more than a depth."""
    return (
        goes_deep(v, a, w, b, depth_m)
        or goes_deep(w, b, v, a, depth_m)
        or is_held_deep(v, a, w, b, depth_m)
        or is_held_deep(w, b, v, a, depth_m)
    )


def goes_deep(v: Volumes, a: int, w: Volumes, b: int, depth_m: float) -> bool:
    """Tell whether a piece of skeleton a goes deeper than a depth into region b."""
    if w.terms[b, IS_REGION] == 0:
        return False
    spans = np.empty((4, 2 * (w.offsets[b + 1] - w.offsets[b]) + 8))
    for k in range(v.offsets[a], v.offsets[a + 1]):
        m = motion_along(v, a, k)
        if not is_far_from_volume(m, w, b, 0.0) and deep(m, w, b, depth_m, spans) > 0:
            return True
    return False


def is_held_deep(v: Volumes, a: int, w: Volumes, b: int, depth_m: float) -> bool:
    """Tell whether a point well inside region a is deeper than a depth in both regions."""
    if v.terms[a, IS_REGION] == 0 or w.terms[b, IS_REGION] == 0:
        return False
    gx, gy = point_inside(v, a)
    x, y, z = off_plane(v.sizes[a, CX], v.sizes[a, CY], v.sizes[a, CZ], gx, gy)
    m = standing_at(x, y, z)
    return is_point_deep(m, v, a, depth_m) and is_point_deep(m, w, b, depth_m)


def is_point_deep(m: Motion, v: Volumes, i: int, depth_m: float) -> bool:
    """Tell whether a point that stands still is deeper than a depth in region i."""
    spans = np.empty((4, 2 * (v.offsets[i + 1] - v.offsets[i]) + 8))
    return deep(m, v, i, depth_m, spans) > 0


def write_overlap(
    row: Floats, verdict: int, v: Volumes, a: int, w: Volumes, b: int, limits: Limits, c: int,
    t: Tolerances, near: Nearest, low_us: int, high_us: int, lateral_m: float,
    vertical_tmm: int, gap_tmm: int,
) -> None:  # fmt: skip
    """Write one row: times, closest point, margin."""
    row[VERDICT], row[CYLINDER] = verdict, c
    x0 = max(v.terms[a, START_US], w.terms[b, START_US] + low_us)
    x1 = min(v.terms[a, END_US], w.terms[b, END_US] + high_us)
    is_late = limits.time_us[c] > 0
    start_us = w.terms[b, START_US]
    write_times(row, x0 + 0.0, x1 + 0.0, start_us, w.terms[b, END_US], low_us, high_us, t, is_late)
    row[CPA_A] = x0
    row[CPA], row[CPA_B] = real_at(x0 + 0.0, start_us, high_us, t, is_late)
    distance_m = max(near.distance_m - v.sizes[a, RADIUS_M] - w.sizes[b, RADIUS_M], 0.0)
    row[LATERAL_M] = distance_m
    _, is_known = gap_of_limits(v, a, w, b)
    row[VERTICAL_TMM] = gap_tmm + 0.0 if is_known else math.nan
    row[MARGIN_M], row[MARGIN_LEAF] = math.nan, 1
    if verdict != UNDETERMINED and lateral_m == math.inf:
        row[MARGIN_M] = (gap_tmm - vertical_tmm) / 10_000.0
    elif verdict != UNDETERMINED:
        row[MARGIN_M], row[MARGIN_LEAF] = greater_margin(
            distance_m - lateral_m, gap_tmm + 0.0, vertical_tmm
        )
    row[CPA_X], row[CPA_Y], row[CPA_Z] = near.x, near.y, near.z


def not_looked_for() -> Nearest:
    """Return what stands for a distance that is not known yet: below 0."""
    return Nearest(-1.0, 0.0, 0.0, 0.0)


def nearest(v: Volumes, a: int, w: Volumes, b: int, within_m: float) -> Nearest:
    """Return the least distance of two skeletons and where; inf where it is above `within_m`."""
    best = holding(v, a, w, b)
    for block in range(v.block_offsets[a], v.block_offsets[a + 1]):
        first = v.offsets[a] + (block - v.block_offsets[a]) * BLOCK
        last = min(first + BLOCK, v.offsets[a + 1])
        for other in range(w.block_offsets[b], w.block_offsets[b + 1]):
            if best.distance_m == 0.0:
                return best
            reach_m = min(within_m, best.distance_m + SLACK_M)
            if are_blocks_far(v, block, w, other, reach_m):
                continue
            for k in range(first, last):
                m = motion_along(v, a, k)
                if not is_far_from_block(m, w, other, reach_m):
                    best = nearer(m, w, b, other, reach_m, best)
    return best


def are_blocks_far(v: Volumes, block: int, w: Volumes, other: int, reach_m: float) -> bool:
    """Tell whether the pieces of two blocks are surely more than `reach_m` apart."""
    x = v.blocks[block, BX] - w.blocks[other, BX]
    y = v.blocks[block, BY] - w.blocks[other, BY]
    z = v.blocks[block, BZ] - w.blocks[other, BZ]
    limit = reach_m + v.blocks[block, BLOCK_M] + w.blocks[other, BLOCK_M] + SLACK_M
    return bool(x * x + y * y + z * z > limit * limit)


def holding(v: Volumes, a: int, w: Volumes, b: int) -> Nearest:
    """Return a corner of one skeleton inside the region of the other, at distance 0; else inf."""
    k = v.offsets[a]
    if is_in_region(w, b, v.pieces[k, PX], v.pieces[k, PY], v.pieces[k, PZ]):
        return Nearest(0.0, v.pieces[k, PX], v.pieces[k, PY], v.pieces[k, PZ])
    k = w.offsets[b]
    if is_in_region(v, a, w.pieces[k, PX], w.pieces[k, PY], w.pieces[k, PZ]):
        return Nearest(0.0, w.pieces[k, PX], w.pieces[k, PY], w.pieces[k, PZ])
    return Nearest(math.inf, 0.0, 0.0, 0.0)


def nearer(m: Motion, w: Volumes, b: int, block: int, within_m: float, best: Nearest) -> Nearest:
    """Return the nearest of a piece, given as a motion along it, to a block, or `best`."""
    first = w.offsets[b] + (block - w.block_offsets[b]) * BLOCK
    for k in range(first, min(first + BLOCK, w.offsets[b + 1])):
        if not is_far_from_piece(m, w, k, within_m):
            e = view_of(m, w, k)
            square, at_s, share = between(e)
            distance_m = arc_m(math.sqrt(square), e.radius_m)
            if distance_m < best.distance_m:
                x, y, z = m.x + m.vx * at_s, m.y + m.vy * at_s, m.z + m.vz * at_s
                best = Nearest(
                    distance_m,
                    0.5 * (x + w.pieces[k, PX] + (w.pieces[k, QX] - w.pieces[k, PX]) * share),
                    0.5 * (y + w.pieces[k, PY] + (w.pieces[k, QY] - w.pieces[k, PY]) * share),
                    0.5 * (z + w.pieces[k, PZ] + (w.pieces[k, QZ] - w.pieces[k, PZ]) * share),
                )
    return best


def between(e: View) -> tuple[float, float, float]:
    """Return the least squared distance of two pieces, and how far along each it is.

    The first is passed in one second. Crossing pieces are at distance 0; others are nearest
    at one of their four ends.
    """
    turns = e.vx * e.wy - e.vy * e.wx
    if turns != 0.0:
        at_s = -(e.rx * e.wy - e.ry * e.wx) / turns
        share = -(e.rx * e.vy - e.ry * e.vx) / turns
        if 0.0 <= at_s <= 1.0 and 0.0 <= share <= 1.0:
            return 0.0, at_s, share
    best, best_s, best_share = math.inf, 0.0, 0.0
    a = e.vx * e.vx + e.vy * e.vy
    for which in range(4):
        at_s = which + 0.0
        if which >= 2:
            share = which - 2.0
            sx, sy = e.rx - e.wx * share, e.ry - e.wy * share
            at_s = min(max(-(sx * e.vx + sy * e.vy) / a, 0.0), 1.0) if a > 0.0 else 0.0
        square, share = square_from_piece(e, at_s)
        if square < best:
            best, best_s, best_share = square, at_s, share
    return best, best_s, best_share
