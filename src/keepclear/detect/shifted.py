# SPDX-License-Identifier: Apache-2.0
"""Two plans that may run early or late: every pair of times that is inside a cylinder.

Plan p may run up to early_p early and late_p late. With x and y on the plans' own clocks, all
pairs with -(late_a + early_b) <= x - y <= early_a + late_b are compared; a `time` leaf T of a
cylinder widens that by T at each end. `patch` has the geometry of one pair of fragments.
Writes the same rows as `sweep`.

Plain scalar code that runs as it stands and compiled (`compiled`).
"""

import math

import numpy as np

from keepclear.detect.encounter import HEIGHT_ERROR_TMM, NOT_THERE, side_of
from keepclear.detect.fragments import Fragments
from keepclear.detect.lateral import (
    ONE_MINUS_E2,
    arc_m,
    chord_squared_m2,
    gauss_radius_m,
    guard_m,
)
from keepclear.detect.patch import CORNERS, Floats, Plane, area, clip, least_square
from keepclear.detect.sweep import BOUNDARY, CLEAR, CONFLICT, UNDETERMINED, Limits
from keepclear.detect.vertical import CLOSE_TMM

TMM_PER_M = 10_000.0
"""The metre, as a float for compiled code."""

# What one pair of fragments gives: numbers of `geometry`.
RADIUS, A_LENGTH, B_LENGTH, MOVED, CURVE, ORIGIN = 0, 1, 2, 3, 4, 5
A_TMM, A_RATE, B_TMM, B_RATE = 6, 7, 8, 9  # height at the origin, tmm; rate, tmm/s


def lags_us(
    f: Fragments, a: int, b: int, limits: Limits, c: int, lag_from: int, lag_to: int
) -> tuple[int, int]:
    """Return the least and greatest x - y that cylinder c compares, in microseconds.

    lag_from, lag_to: NOT_THERE, or a part of the lags to look at alone. Without uncertainty
    the part of both tolerances that is uncertainty of time is left out.
    """
    clocks = 0 if limits.uncertainty[c] != 0 else f.clock_us[a] + f.clock_us[b]
    low = -(f.late_us[a] + f.early_us[b]) + clocks - limits.time_us[c]
    high = f.early_us[a] + f.late_us[b] - clocks + limits.time_us[c]
    if lag_from != NOT_THERE:
        low, high = max(low, lag_from), min(high, lag_to)
    return low, high


def relate(f: Fragments, i: int, j: int, origin_us: int, geometry: Floats) -> Plane:
    """Return the horizontal motion of two fragments in the plane of their clocks.

    Fills `geometry` with the numbers named above. The vertical is taken between the middles
    of both fragments; the tilt within them is bounded by their lengths.
    """
    a_s, b_s = (f.end_us[i] - f.start_us[i]) * 1e-6, (f.end_us[j] - f.start_us[j]) * 1e-6
    a_per_s, b_per_s = (1.0 / a_s if a_s > 0 else 0.0), (1.0 / b_s if b_s > 0 else 0.0)
    ax, ay, az = f.qx[i] - f.px[i], f.qy[i] - f.py[i], f.qz[i] - f.pz[i]
    bx, by, bz = f.qx[j] - f.px[j], f.qy[j] - f.py[j], f.qz[j] - f.pz[j]
    geometry[A_LENGTH] = math.sqrt(ax * ax + ay * ay + az * az)
    geometry[B_LENGTH] = math.sqrt(bx * bx + by * by + bz * bz)
    geometry[MOVED] = max(geometry[A_LENGTH], geometry[B_LENGTH])
    k, m = f.leg[i], f.leg[j]
    geometry[CURVE] = f.leg_curve_m[k] + f.leg_curve_m[m]
    nx = f.px[i] + f.px[j] + 0.5 * (ax + bx)
    ny = f.py[i] + f.py[j] + 0.5 * (ay + by)
    nz = (f.pz[i] + f.pz[j] + 0.5 * (az + bz)) / ONE_MINUS_E2
    norm = math.sqrt(nx * nx + ny * ny + nz * nz)
    nx, ny, nz = nx / norm, ny / norm, nz / norm
    geometry[RADIUS] = gauss_radius_m(nz)
    across = math.sqrt(nx * nx + ny * ny)
    ex, ey = (-ny / across, nx / across) if across > 1e-9 else (1.0, 0.0)
    fx, fy, fz = -nz * ey, nz * ex, nx * ey - ny * ex
    a_after_s, b_after_s = (origin_us - f.start_us[i]) * 1e-6, (origin_us - f.start_us[j]) * 1e-6
    ax, ay, az = ax * a_per_s, ay * a_per_s, az * a_per_s
    bx, by, bz = bx * b_per_s, by * b_per_s, bz * b_per_s
    rx = f.px[i] - f.px[j] + (ax * a_after_s - bx * b_after_s)
    ry = f.py[i] - f.py[j] + (ay * a_after_s - by * b_after_s)
    rz = f.pz[i] - f.pz[j] + (az * a_after_s - bz * b_after_s)
    _heights(f, k, origin_us, geometry, A_TMM)
    _heights(f, m, origin_us, geometry, B_TMM)
    return Plane(
        rx * ex + ry * ey, rx * fx + ry * fy + rz * fz,
        ax * ex + ay * ey, ax * fx + ay * fy + az * fz,
        bx * ex + by * ey, bx * fx + by * fy + bz * fz,
    )  # fmt: skip


def _heights(f: Fragments, leg: int, origin_us: int, geometry: Floats, column: int) -> None:
    lasts_s = (f.leg_end_us[leg] - f.leg_start_us[leg]) * 1e-6
    climb = f.leg_to_tmm[leg] - f.leg_from_tmm[leg]
    rate = climb / lasts_s if lasts_s > 0 else 0.0
    after_s = (origin_us - f.leg_start_us[leg]) * 1e-6
    geometry[column] = f.leg_from_tmm[leg] + rate * after_s
    geometry[column + 1] = rate


def domain(
    f: Fragments, i: int, j: int, origin_us: int, low_us: int, high_us: int, xs: Floats, ys: Floats
) -> int:
    """Fill in the polygon of compared pairs of times; return its corners, 0 for none.

    A polygon without area counts only where a fragment is an instant or one lag alone is
    compared; without length, only at first instants: windows are half-open.
    """
    if low_us == high_us:
        return domain_of_lag(f, i, j, origin_us, low_us, xs, ys)
    x0, x1 = (f.start_us[i] - origin_us) * 1e-6, (f.end_us[i] - origin_us) * 1e-6
    y0, y1 = (f.start_us[j] - origin_us) * 1e-6, (f.end_us[j] - origin_us) * 1e-6
    xs[0], xs[1], xs[2], xs[3] = x0, x1, x1, x0
    ys[0], ys[1], ys[2], ys[3] = y0, y0, y1, y1
    n = clip(xs, ys, 4, 1.0, -1.0, high_us * 1e-6)
    n = clip(xs, ys, n, -1.0, 1.0, -low_us * 1e-6)
    if n == 0:
        return 0
    a_alone, b_alone = f.start_us[i] == f.end_us[i], f.start_us[j] == f.end_us[j]
    if a_alone and b_alone:
        return n
    width, height = 0.0, 0.0
    for k in range(n):
        width = max(width, abs(xs[k] - xs[0]))
        height = max(height, abs(ys[k] - ys[0]))
    if a_alone:
        return n if height > 0.0 or ys[0] <= y0 else 0
    if b_alone:
        return n if width > 0.0 or xs[0] <= x0 else 0
    return n if area(xs, ys, n) > 1e-14 else 0


def domain_of_lag(
    f: Fragments, i: int, j: int, origin_us: int, lag_us: int, xs: Floats, ys: Floats
) -> int:
    """Fill in both ends of the pairs of times with x - y = lag; return 2, or 0 for none."""
    start_us = max(f.start_us[i], f.start_us[j] + lag_us)
    end_us = min(f.end_us[i], f.end_us[j] + lag_us)
    if start_us > end_us:
        return 0
    if start_us == end_us:
        a_is_over = start_us == f.end_us[i] and f.start_us[i] < f.end_us[i]
        b_is_over = start_us == f.end_us[j] + lag_us and f.start_us[j] < f.end_us[j]
        if a_is_over or b_is_over:
            return 0
    xs[0], xs[1] = (start_us - origin_us) * 1e-6, (end_us - origin_us) * 1e-6
    ys[0], ys[1] = (start_us - lag_us - origin_us) * 1e-6, (end_us - lag_us - origin_us) * 1e-6
    return 2


def is_never_closer(
    f: Fragments, i: int, j: int, origin_us: int, geometry: Floats, limit_tmm: int,
    xs: Floats, ys: Floats, n: int,
) -> bool:  # fmt: skip
    """Tell, exactly, whether heights differ by at least a limit over a polygon of `domain`.

    Its corners are whole microseconds, and a difference that is linear is least at a corner.
    """
    side = 0
    for k in range(n):
        difference = height_difference(geometry, xs[k], ys[k])
        if abs(difference) < limit_tmm - CLOSE_TMM:
            return False
        a_at_us = origin_us + math.floor(xs[k] * 1e6 + 0.5)
        b_at_us = origin_us + math.floor(ys[k] * 1e6 + 0.5)
        here = side_of(f, f.leg[i], f.leg[j], a_at_us, b_at_us, difference, limit_tmm)
        if here == 0 or here == -side:
            return False
        side = here
    return side != 0


def clip_levels(
    geometry: Floats, limits: Limits, c: int, a_may: int, b_may: int, which: int,
    xs: Floats, ys: Floats, n: int,
) -> int:  # fmt: skip
    """Cut the polygon to where cylinder c's conditions on levels hold; which: 0 a above, 1 b."""
    if limits.both_from_tmm[c] != NOT_THERE:
        level = limits.both_from_tmm[c] - HEIGHT_ERROR_TMM
        n = clip(xs, ys, n, -geometry[A_RATE], 0.0, geometry[A_TMM] + a_may - level)
        n = clip(xs, ys, n, 0.0, -geometry[B_RATE], geometry[B_TMM] + b_may - level)
    if limits.one_above_tmm[c] != NOT_THERE:
        if which == 0:
            over, a_rate, b_rate = geometry[A_TMM] + a_may, geometry[A_RATE], 0.0
        else:
            over, a_rate, b_rate = geometry[B_TMM] + b_may, 0.0, geometry[B_RATE]
        over -= limits.one_above_tmm[c]
        highest = -math.inf
        for k in range(n):
            highest = max(highest, over + a_rate * xs[k] + b_rate * ys[k])
        if highest <= HEIGHT_ERROR_TMM:
            return 0
        n = clip(xs, ys, n, -a_rate, -b_rate, over + HEIGHT_ERROR_TMM)
    return n


def clip_heights(geometry: Floats, limit_tmm: float, xs: Floats, ys: Floats, n: int) -> int:
    """Cut the polygon to where the heights differ by no more than a limit; return its corners."""
    difference = geometry[A_TMM] - geometry[B_TMM]
    n = clip(xs, ys, n, geometry[A_RATE], -geometry[B_RATE], limit_tmm - difference)
    return clip(xs, ys, n, -geometry[A_RATE], geometry[B_RATE], limit_tmm + difference)


def height_difference(geometry: Floats, x: float, y: float) -> float:
    """Return the height of a above b at a pair of times, tenths of a millimetre."""
    difference = geometry[A_TMM] - geometry[B_TMM]
    return float(difference + (geometry[A_RATE] * x - geometry[B_RATE] * y))


def copy_polygon(xs: Floats, ys: Floats, n: int, to_x: Floats, to_y: Floats) -> int:
    """Copy n corners; return n."""
    for k in range(n):
        to_x[k], to_y[k] = xs[k], ys[k]
    return n


def judge_patch(
    p: Plane, geometry: Floats, xs: Floats, ys: Floats, n: int, lateral_m: float,
    vertical_tmm: int, is_known: bool, cut_x: Floats, cut_y: Floats,
) -> tuple[int, int, float]:  # fmt: skip
    """Return the verdict for one polygon, the corners of the part cut by height, and the disc.

    The disc is the chord that stands for the lateral minimum, or for its outer guard where
    nothing is inside the minimum itself.
    """
    guard = 0.0
    if lateral_m != math.inf:
        guard = guard_m(
            lateral_m, geometry[A_LENGTH], geometry[B_LENGTH], geometry[MOVED], geometry[CURVE]
        )
    close = CLOSE_TMM if geometry[A_RATE] != 0.0 or geometry[B_RATE] != 0.0 else 0.0
    count = copy_polygon(xs, ys, n, cut_x, cut_y)
    if is_known and vertical_tmm >= 0:
        if close == 0.0 and abs(geometry[A_TMM] - geometry[B_TMM]) >= vertical_tmm:
            return CLEAR, 0, 0.0
        count = clip_heights(geometry, vertical_tmm - close, cut_x, cut_y, count)
    square = least_square(p, cut_x, cut_y, count)[0] if count > 0 else math.inf
    if is_known and count > 0 and square < disc_squared(geometry, lateral_m - guard):
        return CONFLICT, count, disc(geometry, lateral_m)
    count = copy_polygon(xs, ys, n, cut_x, cut_y)
    if is_known and vertical_tmm >= 0:
        count = clip_heights(geometry, vertical_tmm + close, cut_x, cut_y, count)
    if count == 0:
        return CLEAR, 0, 0.0
    square = least_square(p, cut_x, cut_y, count)[0]
    if square >= disc_squared(geometry, lateral_m + guard):
        return CLEAR, 0, 0.0
    verdict = BOUNDARY if is_known else UNDETERMINED
    is_within = square < disc_squared(geometry, lateral_m)
    return verdict, count, disc(geometry, lateral_m if is_within else lateral_m + guard)


def disc_squared(geometry: Floats, distance_m: float) -> float:
    """Return the squared chord of a distance; inf for inf, and -1 below 0, which nothing meets."""
    if distance_m == math.inf:
        return math.inf
    return chord_squared_m2(distance_m, geometry[RADIUS]) if distance_m > 0.0 else -1.0


def disc(geometry: Floats, distance_m: float) -> float:
    """Return the chord of a distance; inf for inf."""
    square = disc_squared(geometry, distance_m)
    return math.sqrt(square) if square > 0.0 else 0.0


def least_margin_patch(
    p: Plane, geometry: Floats, xs: Floats, ys: Floats, n: int, lateral_m: float, vertical_tmm: int
) -> tuple[float, int]:
    """Return the least margin in metres over a polygon, and 0 for lateral or 1 for vertical.

    The margin is the greater of two convex functions, so the pairs of times at which it is
    at most m are convex too: m is found by halving, to a tenth of a micrometre.
    """
    lateral = -math.inf
    if lateral_m != math.inf:
        lateral = arc_m(math.sqrt(least_square(p, xs, ys, n)[0]), geometry[RADIUS]) - lateral_m
    if vertical_tmm < 0:
        return lateral, 0
    vertical = (_least_height(geometry, xs, ys, n) - vertical_tmm) / TMM_PER_M
    if lateral == -math.inf:
        return vertical, 1
    cut_x, cut_y = np.empty(CORNERS), np.empty(CORNERS)
    low, leaf = (lateral, 0) if lateral >= vertical else (vertical, 1)
    reached = math.inf
    count = _at_most(geometry, vertical_tmm + low * TMM_PER_M + CLOSE_TMM, xs, ys, n, cut_x, cut_y)
    if count > 0:
        reached = least_square(p, cut_x, cut_y, count)[0]
    if arc_m(math.sqrt(reached), geometry[RADIUS]) - lateral_m <= low + 1e-7:
        return low, leaf
    high = low
    for _ in range(64):
        high = low + max(2.0 * (high - low), 1.0)
        count = _at_most(geometry, vertical_tmm + high * TMM_PER_M, xs, ys, n, cut_x, cut_y)
        if (
            arc_m(math.sqrt(least_square(p, cut_x, cut_y, count)[0]), geometry[RADIUS]) - lateral_m
            <= high
        ):
            break
    for _ in range(64):
        if high - low < 1e-7:
            break
        middle = 0.5 * (low + high)
        count = _at_most(geometry, vertical_tmm + middle * TMM_PER_M, xs, ys, n, cut_x, cut_y)
        square = least_square(p, cut_x, cut_y, count)[0] if count > 0 else math.inf
        if arc_m(math.sqrt(square), geometry[RADIUS]) - lateral_m <= middle:
            high = middle
        else:
            low = middle
    return high, 0


def _at_most(
    geometry: Floats, limit_tmm: float, xs: Floats, ys: Floats, n: int, to_x: Floats, to_y: Floats
) -> int:
    count = copy_polygon(xs, ys, n, to_x, to_y)
    return clip_heights(geometry, limit_tmm, to_x, to_y, count)


def _least_height(geometry: Floats, xs: Floats, ys: Floats, n: int) -> float:
    """Return the least difference of heights over a polygon, tenths of a millimetre."""
    low, high = math.inf, -math.inf
    for k in range(n):
        difference = height_difference(geometry, xs[k], ys[k])
        low, high = min(low, difference), max(high, difference)
    if low <= 0.0 <= high:
        return 0.0
    return min(abs(low), abs(high))
