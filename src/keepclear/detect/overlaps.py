# SPDX-License-Identifier: Apache-2.0
"""Two volumes: whether they come closer than a cylinder allows while both windows last.

Both stand still, so there is one lateral distance and one gap of heights: distance of the
skeletons less both round radii, 0 where the shapes overlap. Writes the rows of `sweep`.

1. With a lateral minimum, CONFLICT is closer than it by more than the guard band.
2. With a lateral minimum of 0, CONFLICT is an overlap deeper than the guard band: the boundary
   of one goes deep inside the other, or a point well inside one is well inside the other.
   Shapes that touch, or nearly do, are BOUNDARY; `touching` decides what can be decided exactly.

Plain scalar code that runs as it stands and compiled (`compiled`).
"""

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from keepclear.detect.bands import band_for, conditions_on_volume
from keepclear.detect.closest import greater_margin
from keepclear.detect.encounter import NOT_THERE, SLACK_M
from keepclear.detect.inside import point_inside, is_in_region, off_plane
from keepclear.detect.lateral import arc_m
from keepclear.detect.motions import (
    Motion,
    View,
    guard_of_volume,
    is_far_from_block,
    is_far_from_piece,
    is_far_from_volume,
    motion_along,
    square_from_piece,
    view_of,
)
from keepclear.detect.skeletons import BLOCK, Volumes
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
from keepclear.detect.windows import do_windows_meet, lags_of, real_at, write_times

Floats = npt.NDArray[np.float64]

NOWHERE = 2**62
"""The gap of bands where a cylinder's conditions hold nowhere."""


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
    reach_m = farthest_m + v.lateral_m[a] + w.lateral_m[b]
    if not do_balls_meet(v, a, w, b, reach_m):
        return n
    near = Nearest(-1.0, 0.0, 0.0, 0.0)
    for c in range(len(limits.lateral_m)):
        zone = limits.zone[c]
        if zone >= 0 and ((v.zones[a] | w.zones[b]) >> zone) & 1 == 0:
            continue
        low_us, high_us = lags_of(
            limits, c, v.late_us[a] + w.early_us[b], v.early_us[a] + w.late_us[b],
            v.clock_us[a] + w.clock_us[b],
        )  # fmt: skip
        if not do_windows_meet(
            v.start_us[a], v.end_us[a], w.start_us[b], w.end_us[b], low_us, high_us
        ):
            continue
        gap_tmm, is_known = gap_of_bands(v, a, w, b, limits, c)
        vertical_tmm = limits.vertical_tmm[c]
        if vertical_tmm >= 0 and limits.uncertainty[c] != 0:
            vertical_tmm = vertical_tmm + v.vertical_tmm[a] + w.vertical_tmm[b]
        if gap_tmm == NOWHERE or (vertical_tmm >= 0 and gap_tmm >= vertical_tmm):
            continue
        if near.distance_m < 0.0:
            near = nearest(v, a, w, b, reach_m + v.radius_m[a] + w.radius_m[b] + SLACK_M)
        lateral_m = limits.lateral_m[c]
        if limits.uncertainty[c] != 0:
            lateral_m = lateral_m + v.lateral_m[a] + w.lateral_m[b]
        verdict = verdict_of(v, a, w, b, near.distance_m, lateral_m, is_known)
        if verdict == CLEAR:
            continue
        if n < len(rows):
            write_overlap(
                rows[n], verdict, v, a, w, b, limits, c, near, low_us, high_us,
                lateral_m, vertical_tmm, max(gap_tmm, 0),
            )  # fmt: skip
        n += 1
    return n


def do_balls_meet(v: Volumes, a: int, w: Volumes, b: int, reach_m: float) -> bool:
    """Tell whether two volumes can be within `reach_m` of each other."""
    x, y, z = v.cx[a] - w.cx[b], v.cy[a] - w.cy[b], v.cz[a] - w.cz[b]
    limit = reach_m + v.ball_m[a] + w.ball_m[b] + SLACK_M
    return bool(x * x + y * y + z * z <= limit * limit)


def gap_of_bands(
    v: Volumes, a: int, w: Volumes, b: int, limits: Limits, c: int
) -> tuple[int, bool]:
    """Return how far two bands are apart where cylinder c's conditions hold, and if it is known.

    NOWHERE where the conditions hold nowhere. Not known: two limits that cannot be compared,
    or conditions on limits that are no pressure altitudes.
    """
    has_either = limits.one_above_tmm[c] != NOT_THERE
    gap, is_known = gap_of_limits(
        v.lower_tmm[a], v.lower_datum[a], v.upper_tmm[a], v.upper_datum[a],
        w.lower_tmm[b], w.lower_datum[b], w.upper_tmm[b], w.upper_datum[b],
    )  # fmt: skip
    is_known = is_known or limits.vertical_tmm[c] < 0
    if not has_either and limits.both_from_tmm[c] == NOT_THERE:
        return gap, is_known
    band_a, band_b = band_for(v, a, 0), band_for(w, b, 0)
    if not (band_a.is_standard and band_b.is_standard):
        return gap, False
    may_a = v.vertical_tmm[a] if limits.uncertainty[c] != 0 else 0
    may_b = w.vertical_tmm[b] if limits.uncertainty[c] != 0 else 0
    least = NOWHERE
    for which in range(2 if has_either else 1):
        a_is_above = 1 if has_either and which == 0 else 0
        b_is_above = 1 if has_either and which == 1 else 0
        low_a, can_a = conditions_on_volume(limits, c, band_a, may_a, a_is_above)
        low_b, can_b = conditions_on_volume(limits, c, band_b, may_b, b_is_above)
        if can_a and can_b:
            gap, _ = gap_of_limits(low_a, 0, v.upper_tmm[a], 0, low_b, 0, w.upper_tmm[b], 0)
            least = min(least, gap)
    return least, True


def gap_of_limits(
    a_lower: int, a_lower_datum: int, a_upper: int, a_upper_datum: int,
    b_lower: int, b_lower_datum: int, b_upper: int, b_upper_datum: int,
) -> tuple[int, bool]:  # fmt: skip
    """Return how far two bands are apart, negative where they overlap, and if that is known."""
    above, is_above_known = _lower_over_upper(a_lower, a_lower_datum, b_upper, b_upper_datum)
    below, is_below_known = _lower_over_upper(b_lower, b_lower_datum, a_upper, a_upper_datum)
    return max(above, below), is_above_known and is_below_known


def _lower_over_upper(
    lower: int, lower_datum: int, upper: int, upper_datum: int
) -> tuple[int, bool]:
    if lower == NOT_THERE or upper == NOT_THERE:
        return NOT_THERE, True
    if lower_datum < 0 or lower_datum != upper_datum:
        return NOT_THERE, False
    return lower - upper, True


def verdict_of(
    v: Volumes, a: int, w: Volumes, b: int, distance_m: float, lateral_m: float, is_known: bool
) -> int:
    """Return the verdict for two skeletons this far apart, whose bands are not separated."""
    if lateral_m == math.inf:
        return CONFLICT if is_known else UNDETERMINED
    reach_m = lateral_m + v.radius_m[a] + w.radius_m[b]
    along = Motion(0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, v.longest_m[a], v.curve_m[a])
    guard = guard_of_volume(along, w, b, reach_m)
    if distance_m >= reach_m + guard:
        return CLEAR
    if not is_known:
        return UNDETERMINED
    if reach_m - guard > NEAREST_M:
        return CONFLICT if distance_m < reach_m - guard else BOUNDARY
    return CONFLICT if is_deep(v, a, w, b, guard - reach_m) else BOUNDARY


def nearest(v: Volumes, a: int, w: Volumes, b: int, within_m: float) -> Nearest:
    """Return the least distance of two skeletons and where; inf where it is above `within_m`."""
    best = holding(v, a, w, b)
    if best.distance_m == 0.0:
        return best
    for block in range(v.block_offsets[a], v.block_offsets[a + 1]):
        first = v.offsets[a] + (block - v.block_offsets[a]) * BLOCK
        for k in range(first, min(first + BLOCK, v.offsets[a + 1])):
            m = motion_along(v, a, k)
            if is_far_from_volume(m, w, b, within_m):
                continue
            best = nearer(m, w, b, min(within_m, best.distance_m + SLACK_M), best)
            if best.distance_m == 0.0:
                return best
    return best


def holding(v: Volumes, a: int, w: Volumes, b: int) -> Nearest:
    """Return a corner of one skeleton inside the region of the other, at distance 0; else inf."""
    k = v.offsets[a]
    if is_in_region(w, b, v.px[k], v.py[k], v.pz[k]):
        return Nearest(0.0, v.px[k], v.py[k], v.pz[k])
    k = w.offsets[b]
    if is_in_region(v, a, w.px[k], w.py[k], w.pz[k]):
        return Nearest(0.0, w.px[k], w.py[k], w.pz[k])
    return Nearest(math.inf, 0.0, 0.0, 0.0)


def nearer(m: Motion, w: Volumes, b: int, within_m: float, best: Nearest) -> Nearest:
    """Return the nearest of a piece, given as a motion along it, to skeleton b, or `best`."""
    for block in range(w.block_offsets[b], w.block_offsets[b + 1]):
        if is_far_from_block(m, w, block, within_m):
            continue
        first = w.offsets[b] + (block - w.block_offsets[b]) * BLOCK
        for k in range(first, min(first + BLOCK, w.offsets[b + 1])):
            if is_far_from_piece(m, w, k, within_m):
                continue
            e = view_of(m, w, k)
            square, at_s, share = between(e)
            distance_m = arc_m(math.sqrt(square), e.radius_m)
            if distance_m < best.distance_m:
                x, y, z = m.x + m.vx * at_s, m.y + m.vy * at_s, m.z + m.vz * at_s
                best = Nearest(
                    distance_m,
                    0.5 * (x + w.px[k] + (w.qx[k] - w.px[k]) * share),
                    0.5 * (y + w.py[k] + (w.qy[k] - w.py[k]) * share),
                    0.5 * (z + w.pz[k] + (w.qz[k] - w.pz[k]) * share),
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
    if w.is_region[b] == 0:
        return False
    spans = np.empty((4, 2 * (w.offsets[b + 1] - w.offsets[b]) + 8))
    for k in range(v.offsets[a], v.offsets[a + 1]):
        m = motion_along(v, a, k)
        if not is_far_from_volume(m, w, b, 0.0) and deep(m, w, b, depth_m, spans) > 0:
            return True
    return False


def is_held_deep(v: Volumes, a: int, w: Volumes, b: int, depth_m: float) -> bool:
    """Tell whether a point well inside region a is deeper than a depth in both regions."""
    if v.is_region[a] == 0 or w.is_region[b] == 0:
        return False
    gx, gy = point_inside(v, a)
    x, y, z = off_plane(v.cx[a], v.cy[a], v.cz[a], gx, gy)
    m = Motion(x, y, z, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
    return is_point_deep(m, v, a, depth_m) and is_point_deep(m, w, b, depth_m)


def is_point_deep(m: Motion, v: Volumes, i: int, depth_m: float) -> bool:
    """Tell whether a point that stands still is deeper than a depth in region i."""
    spans = np.empty((4, 2 * (v.offsets[i + 1] - v.offsets[i]) + 8))
    return deep(m, v, i, depth_m, spans) > 0


def write_overlap(
    row: Floats, verdict: int, v: Volumes, a: int, w: Volumes, b: int, limits: Limits, c: int,
    near: Nearest, low_us: int, high_us: int, lateral_m: float, vertical_tmm: int, gap_tmm: int,
) -> None:  # fmt: skip
    """Write one row: times, closest point, margin."""
    row[VERDICT], row[CYLINDER] = verdict, c
    x0 = max(v.start_us[a], w.start_us[b] + low_us)
    x1 = min(v.end_us[a], w.end_us[b] + high_us)
    is_late = limits.time_us[c] > 0
    write_times(
        row, x0 + 0.0, x1 + 0.0, w.start_us[b], w.end_us[b], low_us, high_us,
        v.early_us[a], v.late_us[a], w.early_us[b], w.late_us[b], is_late,
    )  # fmt: skip
    row[CPA_A] = x0
    row[CPA], row[CPA_B] = real_at(
        x0 + 0.0, w.start_us[b], high_us, v.early_us[a], w.early_us[b], is_late
    )
    distance_m = max(near.distance_m - v.radius_m[a] - w.radius_m[b], 0.0)
    row[LATERAL_M] = distance_m
    _, is_known = gap_of_limits(
        v.lower_tmm[a], v.lower_datum[a], v.upper_tmm[a], v.upper_datum[a],
        w.lower_tmm[b], w.lower_datum[b], w.upper_tmm[b], w.upper_datum[b],
    )  # fmt: skip
    row[VERTICAL_TMM] = gap_tmm + 0.0 if is_known else math.nan
    row[MARGIN_M], row[MARGIN_LEAF] = math.nan, 1
    if verdict != UNDETERMINED and lateral_m == math.inf:
        row[MARGIN_M] = (gap_tmm - vertical_tmm) / 10_000.0
    elif verdict != UNDETERMINED:
        row[MARGIN_M], row[MARGIN_LEAF] = greater_margin(
            distance_m - lateral_m, gap_tmm + 0.0, vertical_tmm
        )
    row[CPA_X], row[CPA_Y], row[CPA_Z] = near.x, near.y, near.z
