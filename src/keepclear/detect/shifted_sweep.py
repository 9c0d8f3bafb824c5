# SPDX-License-Identifier: Apache-2.0
"""Walks two plans that may run early or late, and writes the rows of `sweep`.

The clock instants of a row are those that some allowed shift makes real: from the least
max(x - early_a, y - early_b) to the greatest min(x + late_a, y + late_b). Under a `time` leaf
the two pass at different instants: the row then spans from the first to the last of both.

Plain scalar code that runs as it stands and compiled (`compiled`).
"""

import math

import numpy as np

from keepclear.detect.encounter import NOT_THERE, SLACK_M
from keepclear.detect.fragments import Fragments
from keepclear.detect.lateral import arc_m
from keepclear.detect.patch import (
    CORNERS,
    Floats,
    Plane,
    add_lag_extremes,
    add_on_line,
    least_square,
    outline,
    square_at,
)
from keepclear.detect.shifted import (
    RADIUS,
    clip_levels,
    domain,
    height_difference,
    is_never_closer,
    judge_patch,
    lags_us,
    least_margin_patch,
    relate,
)
from keepclear.detect.sweep import (
    CLEAR,
    CPA,
    CPA_A,
    CPA_B,
    CPA_X,
    CPA_Y,
    CPA_Z,
    CYLINDER,
    END,
    END_A,
    END_B,
    LATERAL_M,
    LEAST_LAG_S,
    MARGIN_LEAF,
    MARGIN_M,
    START,
    START_A,
    START_B,
    UNDETERMINED,
    VERDICT,
    VERTICAL_TMM,
    Limits,
    Rows,
    place_on,
    reach_m,
    share_of,
    widened,
)

SAME_M = 1e-6
"""Distances this close are a tie."""


def sweep_shifted(
    f: Fragments, a: int, b: int, limits: Limits, farthest_m: float, from_us: int, to_us: int,
    lag_from: int, lag_to: int, rows: Rows, n: int,
) -> int:  # fmt: skip
    """Append a row for every pair of fragments of plans a < b inside a cylinder.

    As `sweep.sweep`; lag_from, lag_to: look only at x - y in this range (NOT_THERE: at all).
    """
    low_us, high_us = 2**62, -(2**62)
    for c in range(len(limits.lateral_m)):
        c_low, c_high = lags_us(f, a, b, limits, c, lag_from, lag_to)
        low_us, high_us = min(low_us, c_low), max(high_us, c_high)
    first = f.offsets[b]
    for i in range(f.offsets[a], f.offsets[a + 1]):
        if f.end_us[i] < from_us or f.start_us[i] > to_us:
            continue
        while first < f.offsets[b + 1] and f.end_us[first] < f.start_us[i] - high_us:
            first += 1
        j = first
        while j < f.offsets[b + 1] and f.start_us[j] <= f.end_us[i] - low_us:
            if not is_far_apart(f, i, j, reach_m(f, i, j, farthest_m)):
                n = look_shifted(f, a, b, i, j, limits, lag_from, lag_to, rows, n)
            j += 1
    return n


def is_far_apart(f: Fragments, i: int, j: int, reach: float) -> bool:
    """Tell whether two fragments, wherever on them, are surely more than `reach` apart."""
    rx = 0.5 * (f.px[i] + f.qx[i] - f.px[j] - f.qx[j])
    ry = 0.5 * (f.py[i] + f.qy[i] - f.py[j] - f.qy[j])
    rz = 0.5 * (f.pz[i] + f.qz[i] - f.pz[j] - f.qz[j])
    ax, ay, az = f.qx[i] - f.px[i], f.qy[i] - f.py[i], f.qz[i] - f.pz[i]
    bx, by, bz = f.qx[j] - f.px[j], f.qy[j] - f.py[j], f.qz[j] - f.pz[j]
    lengths = math.sqrt(ax * ax + ay * ay + az * az) + math.sqrt(bx * bx + by * by + bz * bz)
    limit = reach + SLACK_M + 0.5 * lengths
    return bool(rx * rx + ry * ry + rz * rz > limit * limit)


def look_shifted(
    f: Fragments, a: int, b: int, i: int, j: int, limits: Limits, lag_from: int, lag_to: int,
    rows: Rows, n: int,
) -> int:  # fmt: skip
    """Append a row for every cylinder that fragments i and j can be inside."""
    origin_us = f.start_us[i]
    k, m = f.leg[i], f.leg[j]
    geometry = np.empty(10)
    p = relate(f, i, j, origin_us, geometry)
    is_comparable = f.leg_datum[k] >= 0 and f.leg_datum[k] == f.leg_datum[m]
    is_standard = f.leg_datum[k] == 0 and f.leg_datum[m] == 0
    xs, ys, cut_x, cut_y = (
        np.empty(CORNERS),
        np.empty(CORNERS),
        np.empty(CORNERS),
        np.empty(CORNERS),
    )
    for c in range(len(limits.lateral_m)):
        zone = limits.zone[c]
        if zone >= 0 and ((f.leg_zones[k] | f.leg_zones[m]) >> zone) & 1 == 0:
            continue
        low_us, high_us = lags_us(f, a, b, limits, c, lag_from, lag_to)
        lateral_m, vertical_tmm = widened(f, i, j, limits, c)
        has_either = limits.one_above_tmm[c] != NOT_THERE
        has_condition = has_either or limits.both_from_tmm[c] != NOT_THERE
        counted = limits.uncertainty[c] != 0
        a_may = f.leg_vertical_tmm[k] if counted else 0
        b_may = f.leg_vertical_tmm[m] if counted else 0
        is_known = (is_comparable or vertical_tmm < 0) and (is_standard or not has_condition)
        for which in range(2 if has_either and is_standard else 1):
            count = domain(f, i, j, origin_us, low_us, high_us, xs, ys)
            if vertical_tmm >= 0 and is_comparable and is_never_closer(
                f, i, j, origin_us, geometry, vertical_tmm, xs, ys, count
            ):  # fmt: skip
                continue
            if is_standard:
                count = clip_levels(geometry, limits, c, a_may, b_may, which, xs, ys, count)
            if count == 0:
                continue
            verdict, corners, distance = judge_patch(
                p, geometry, xs, ys, count, lateral_m, vertical_tmm, is_known, cut_x, cut_y
            )
            if verdict == CLEAR:
                continue
            if n < len(rows):
                row = rows[n]
                row[VERDICT], row[CYLINDER] = verdict, c
                margin, leaf = math.nan, 1
                if verdict != UNDETERMINED:
                    margin, leaf = least_margin_patch(
                        p, geometry, xs, ys, count, lateral_m, vertical_tmm
                    )
                row[MARGIN_M], row[MARGIN_LEAF] = margin, leaf
                is_late = limits.time_us[c] > 0
                write_extent(row, f, a, b, p, cut_x, cut_y, corners, distance, origin_us, is_late)
                write_closest(
                    row, f, a, b, i, j, p, geometry, cut_x, cut_y, corners, origin_us,
                    is_comparable, is_late,
                )  # fmt: skip
            n += 1
    return n


def write_extent(
    row: Floats, f: Fragments, a: int, b: int, p: Plane, xs: Floats, ys: Floats, n: int,
    distance: float, origin_us: int, is_late: bool,
) -> None:  # fmt: skip
    """Write the times of a row: on both plans' clocks and on the clock."""
    out_x, out_y = np.empty(4 * CORNERS), np.empty(4 * CORNERS)
    count = outline(p, xs, ys, n, distance, out_x, out_y)
    count = add_lag_extremes(p, xs, ys, n, distance, out_x, out_y, count)
    early_a, early_b = f.early_us[a] * 1e-6, f.early_us[b] * 1e-6
    late_a, late_b = f.late_us[a] * 1e-6, f.late_us[b] * 1e-6
    count = add_on_line(p, xs, ys, n, distance, early_a - early_b, out_x, out_y, count)
    count = add_on_line(p, xs, ys, n, distance, late_b - late_a, out_x, out_y, count)
    x_low, x_high, y_low, y_high = math.inf, -math.inf, math.inf, -math.inf
    low, high = math.inf, -math.inf
    lag_low, lag_high = math.inf, -math.inf
    for k in range(count):
        x, y = out_x[k], out_y[k]
        x_low, x_high = min(x_low, x), max(x_high, x)
        y_low, y_high = min(y_low, y), max(y_high, y)
        begin, end = max(x - early_a, y - early_b), min(x + late_a, y + late_b)
        if is_late and end < begin:
            begin, end = end, begin
        low, high = min(low, begin), max(high, end)
        lag_low, lag_high = min(lag_low, x - y), max(lag_high, x - y)
    row[START_A], row[END_A] = origin_us + x_low * 1e6, origin_us + x_high * 1e6
    row[START_B], row[END_B] = origin_us + y_low * 1e6, origin_us + y_high * 1e6
    row[START], row[END] = origin_us + low * 1e6, origin_us + high * 1e6
    row[LEAST_LAG_S] = 0.0 if lag_low <= 0.0 <= lag_high else min(abs(lag_low), abs(lag_high))


def write_closest(
    row: Floats, f: Fragments, a: int, b: int, i: int, j: int, p: Plane, geometry: Floats,
    xs: Floats, ys: Floats, n: int, origin_us: int, is_comparable: bool, is_late: bool,
) -> None:  # fmt: skip
    """Write the closest point of approach; ties: least vertical, then earliest on the clock."""
    least, best_x, best_y = least_square(p, xs, ys, n)
    out_x, out_y = np.empty(4 * CORNERS), np.empty(4 * CORNERS)
    reach = math.sqrt(least) + SAME_M
    tie = (reach + SAME_M) * (reach + SAME_M)
    count = outline(p, xs, ys, n, reach, out_x, out_y)
    out_x[count], out_y[count] = best_x, best_y
    count += 1
    early_a, early_b = f.early_us[a] * 1e-6, f.early_us[b] * 1e-6
    count = add_level(geometry, out_x, out_y, count) if is_comparable else count
    low, at = math.inf, math.inf
    for k in range(count):
        x, y = out_x[k], out_y[k]
        if square_at(p, x, y) > tie:
            continue
        height = abs(height_difference(geometry, x, y)) if is_comparable else 0.0
        time = max(x - early_a, y - early_b)
        if height < low - 1.0 or (height < low + 1.0 and time < at):
            low, at, best_x, best_y = min(low, height), time, x, y
    if is_late:
        at = min(at, max(best_x, best_y))
    row[CPA] = origin_us + at * 1e6
    row[CPA_A], row[CPA_B] = origin_us + best_x * 1e6, origin_us + best_y * 1e6
    row[LATERAL_M] = arc_m(math.sqrt(square_at(p, best_x, best_y)), geometry[RADIUS])
    difference = height_difference(geometry, best_x, best_y)
    row[VERTICAL_TMM] = abs(difference) if is_comparable else math.nan
    ax, ay, az = place_on(f, i, share_of(f, i, row[CPA_A]))
    bx, by, bz = place_on(f, j, share_of(f, j, row[CPA_B]))
    row[CPA_X], row[CPA_Y], row[CPA_Z] = 0.5 * (ax + bx), 0.5 * (ay + by), 0.5 * (az + bz)


def add_level(geometry: Floats, out_x: Floats, out_y: Floats, count: int) -> int:
    """Add the point of equal heights between the highest and the lowest of the points."""
    top, bottom = 0, 0
    for k in range(count):
        difference = height_difference(geometry, out_x[k], out_y[k])
        if difference > height_difference(geometry, out_x[top], out_y[top]):
            top = k
        if difference < height_difference(geometry, out_x[bottom], out_y[bottom]):
            bottom = k
    high = height_difference(geometry, out_x[top], out_y[top])
    low = height_difference(geometry, out_x[bottom], out_y[bottom])
    if not low < 0.0 < high:
        return count
    share = high / (high - low)
    out_x[count] = out_x[top] + (out_x[bottom] - out_x[top]) * share
    out_y[count] = out_y[top] + (out_y[bottom] - out_y[top]) * share
    return count + 1
