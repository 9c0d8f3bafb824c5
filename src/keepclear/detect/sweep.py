# SPDX-License-Identifier: Apache-2.0
"""Two plans at equal times: every instant at which they are inside a cylinder.

Walks the fragments of both plans in order of time. Plain scalar code that runs as it stands
and compiled (`compiled`). What it finds goes into rows of a float64 array, because numba has
no structs to fill; `Column` names the columns.

1. A plan is there from its first instant up to, not including, its last; an instant alone is
   there at that instant.
2. CONFLICT is inside by more than the guard band at some instant; BOUNDARY inside it only;
   UNDETERMINED inside laterally, with heights that cannot be compared.
"""

import math
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from keepclear.detect.encounter import (
    NOT_THERE,
    TIME_GUARD_S,
    Encounter,
    closest_at,
    guard_of,
    is_far,
    lateral_at,
    lateral_span,
    least_margin,
    level_slop_s,
    meet,
    span_above,
    span_over,
    vertical_at,
    vertical_span,
)
from keepclear.detect.fragments import Fragments

Rows = npt.NDArray[np.float64]

CONFLICT: Final = 0
UNDETERMINED: Final = 1
BOUNDARY: Final = 2
CLEAR: Final = 4

INLINED: Final = ("shares_time", "comes_first", "reach_m")

# Columns of a row. Times are microseconds UTC; *_a and *_b on the plans' own clocks.
VERDICT: Final = 0
CYLINDER: Final = 1
START_A: Final = 2
END_A: Final = 3
START_B: Final = 4
END_B: Final = 5
START: Final = 6
END: Final = 7
CPA: Final = 8
CPA_A: Final = 9
CPA_B: Final = 10
LATERAL_M: Final = 11
VERTICAL_TMM: Final = 12  # nan where heights cannot be compared
MARGIN_M: Final = 13  # nan where it cannot be known
MARGIN_LEAF: Final = 14  # 0 lateral, 1 vertical
CPA_X: Final = 15
CPA_Y: Final = 16
CPA_Z: Final = 17
LEAST_LAG_S: Final = 18  # the least difference of both plans' clocks
COLUMNS: Final = 19


class Limits(NamedTuple):
    """Cylinders as columns; arrays or lists (see `detect.cylinders` for what they mean).

    lateral_m: inf for none. vertical_tmm: -1 for none, and one more than the minimum where
    exactly at it counts as inside. both_from_tmm, one_above_tmm: NOT_THERE for none. zone: -1.
    time_us: 0 for none. uncertainty: 1 where the plans' uncertainty is counted in, else 0.
    """

    lateral_m: npt.NDArray[np.float64]
    vertical_tmm: npt.NDArray[np.int64]
    both_from_tmm: npt.NDArray[np.int64]
    one_above_tmm: npt.NDArray[np.int64]
    zone: npt.NDArray[np.int64]
    time_us: npt.NDArray[np.int64]
    uncertainty: npt.NDArray[np.int64]


class Found(NamedTuple):
    """One cylinder in one encounter: verdict, and the span in seconds that has it."""

    verdict: int
    start_s: float
    end_s: float


def shares_time(f: Fragments, i: int, j: int) -> bool:
    """Tell whether two fragments share time: more than an end, or an instant alone."""
    start_us = max(f.start_us[i], f.start_us[j])
    end_us = min(f.end_us[i], f.end_us[j])
    if start_us < end_us:
        return True
    if start_us > end_us:
        return False
    a_alone, b_alone = f.start_us[i] == f.end_us[i], f.start_us[j] == f.end_us[j]
    if a_alone and b_alone:
        return True
    if a_alone:
        return bool(f.start_us[j] <= start_us < f.end_us[j])
    return bool(b_alone and f.start_us[i] <= start_us < f.end_us[i])


def comes_first(f: Fragments, i: int, j: int) -> bool:
    """Tell whether fragment i is done with before fragment j."""
    if f.end_us[i] != f.end_us[j]:
        return bool(f.end_us[i] < f.end_us[j])
    return bool(f.start_us[i] < f.end_us[i])


def reach_m(f: Fragments, i: int, j: int, lateral_m: float) -> float:
    """Return a lateral minimum with the uncertainty of both fragments added."""
    return float(lateral_m + f.leg_lateral_m[f.leg[i]] + f.leg_lateral_m[f.leg[j]])


def widened(f: Fragments, i: int, j: int, limits: Limits, c: int) -> tuple[float, int]:
    """Return cylinder c's lateral (m, inf for none) and vertical (tmm, -1 for none) minimum."""
    k, m = f.leg[i], f.leg[j]
    lateral_m, vertical_tmm = limits.lateral_m[c], limits.vertical_tmm[c]
    if limits.uncertainty[c] != 0:
        lateral_m = lateral_m + f.leg_lateral_m[k] + f.leg_lateral_m[m]
        if vertical_tmm >= 0:
            vertical_tmm = vertical_tmm + f.leg_vertical_tmm[k] + f.leg_vertical_tmm[m]
    return lateral_m, vertical_tmm


def conditions(
    f: Fragments, i: int, j: int, limits: Limits, c: int, e: Encounter
) -> tuple[float, float, float, float]:
    """Return the two spans in which cylinder c's conditions on levels hold.

    Two, because "at least one above" holds where a is above or where b is above. A height
    within its uncertainty of the level counts as above it.
    """
    k, m = f.leg[i], f.leg[j]
    start_s, end_s = 0.0, e.lasts_s
    a_may = f.leg_vertical_tmm[k] if limits.uncertainty[c] != 0 else 0
    b_may = f.leg_vertical_tmm[m] if limits.uncertainty[c] != 0 else 0
    if limits.both_from_tmm[c] != NOT_THERE:
        from_tmm = limits.both_from_tmm[c]
        a_start_s, a_end_s = span_above(e.a_start_tmm, e.a_end_tmm, e.lasts_s, from_tmm - a_may)
        b_start_s, b_end_s = span_above(e.b_start_tmm, e.b_end_tmm, e.lasts_s, from_tmm - b_may)
        start_s, end_s = max(a_start_s, b_start_s), min(a_end_s, b_end_s)
    if limits.one_above_tmm[c] == NOT_THERE:
        return start_s, end_s, 1.0, 0.0
    above_tmm = limits.one_above_tmm[c]
    a_start_s, a_end_s = span_over(e.a_start_tmm, e.a_end_tmm, e.lasts_s, above_tmm - a_may)
    b_start_s, b_end_s = span_over(e.b_start_tmm, e.b_end_tmm, e.lasts_s, above_tmm - b_may)
    return (
        max(start_s, a_start_s), min(end_s, a_end_s), max(start_s, b_start_s), min(end_s, b_end_s),
    )  # fmt: skip


def conditions_slop_s(f: Fragments, i: int, j: int, limits: Limits, c: int, e: Encounter) -> float:
    """Return how far off the ends of the spans of `conditions` may be, in seconds."""
    a_may = f.leg_vertical_tmm[f.leg[i]] if limits.uncertainty[c] != 0 else 0
    b_may = f.leg_vertical_tmm[f.leg[j]] if limits.uncertainty[c] != 0 else 0
    slop_s = 0.0
    for which in range(2):
        level = limits.both_from_tmm[c] if which == 0 else limits.one_above_tmm[c]
        if level != NOT_THERE:
            a_s = level_slop_s(e.a_start_tmm, e.a_end_tmm, e.lasts_s, level - a_may)
            b_s = level_slop_s(e.b_start_tmm, e.b_end_tmm, e.lasts_s, level - b_may)
            slop_s = max(slop_s, a_s, b_s)
    return slop_s


def is_time(start_s: float, end_s: float, lasts_s: float, slop_s: float) -> bool:
    """Tell whether a span is surely some time: longer than its slop, or all there is."""
    if start_s > end_s:
        return False
    if end_s - start_s > 2.0 * (TIME_GUARD_S + slop_s):
        return True
    return start_s <= 0.0 and end_s >= lasts_s


def judge(
    f: Fragments, i: int, j: int, e: Encounter, end_us: int, limits: Limits, c: int,
    from_s: float, to_s: float,
) -> Found:  # fmt: skip
    """Return what cylinder c finds in an encounter, within from_s..to_s.

    Times at which a height passes a level or a minimum are right to `slop_s`: what is inside
    only within it is BOUNDARY.
    """
    lateral_m, vertical_tmm = widened(f, i, j, limits, c)
    guard = guard_of(e, lateral_m)
    outer = lateral_span(e, lateral_m + guard)
    if outer[0] > outer[1]:
        return Found(CLEAR, 1.0, 0.0)
    has_condition = limits.both_from_tmm[c] != NOT_THERE or limits.one_above_tmm[c] != NOT_THERE
    slop_s = 0.0
    if has_condition and e.is_standard:
        slop_s = conditions_slop_s(f, i, j, limits, c, e)
    low_s, high_s = from_s, to_s
    is_known = True
    if vertical_tmm >= 0 and e.is_comparable:
        inside = vertical_span(f, f.leg[i], f.leg[j], e, end_us, vertical_tmm)
        if inside[0] > inside[1]:
            return Found(CLEAR, 1.0, 0.0)
        low_s, high_s = max(inside[0], from_s), min(inside[1], to_s)
        slop_s += inside[2]
    elif vertical_tmm >= 0:
        is_known = False
    if has_condition and not e.is_standard:
        is_known = False
    start_s, end_s = max(outer[0], low_s - slop_s), min(outer[1], high_s + slop_s)
    if start_s > end_s or (start_s == end_s and e.lasts_s > 0.0):
        return Found(CLEAR, 1.0, 0.0)
    nominal = lateral_span(e, lateral_m)
    core_s, rim_s = max(nominal[0], low_s), min(nominal[1], high_s)
    if not is_known:
        if core_s < rim_s or (core_s == rim_s and e.lasts_s <= 0.0):
            start_s, end_s = max(start_s, core_s), min(end_s, rim_s)
        return Found(UNDETERMINED, start_s, end_s)
    inner = lateral_span(e, lateral_m - guard)
    sure_s, until_s = max(inner[0], low_s), min(inner[1], high_s)
    if is_time(sure_s, until_s, e.lasts_s, slop_s):
        return Found(CONFLICT, core_s, rim_s)
    return Found(BOUNDARY, start_s, end_s)


def write_row(
    rows: Rows, n: int, f: Fragments, i: int, j: int, e: Encounter, limits: Limits, c: int,
    found: Found, condition_start_s: float, condition_end_s: float,
) -> None:  # fmt: skip
    """Write what was found as row n."""
    row = rows[n]
    start, end = e.start_us + found.start_s * 1e6, e.start_us + found.end_s * 1e6
    row[VERDICT], row[CYLINDER] = found.verdict, c
    row[START_A], row[END_A] = start, end
    row[START_B], row[END_B] = start, end
    row[START], row[END] = start, end
    row[LEAST_LAG_S] = 0.0
    at_s = closest_at(e, found.start_s, found.end_s)
    at = e.start_us + at_s * 1e6
    row[CPA], row[CPA_A], row[CPA_B] = at, at, at
    row[LATERAL_M] = lateral_at(e, at_s)
    row[VERTICAL_TMM] = abs(vertical_at(e, at_s)) if e.is_comparable else math.nan
    lateral_m, vertical_tmm = widened(f, i, j, limits, c)
    if found.verdict == UNDETERMINED:
        row[MARGIN_M], row[MARGIN_LEAF] = math.nan, 1
    else:
        limit = float(vertical_tmm) if vertical_tmm >= 0 else math.inf
        margin, leaf = least_margin(e, condition_start_s, condition_end_s, lateral_m, limit)
        row[MARGIN_M], row[MARGIN_LEAF] = margin, leaf
    a_at = share_of(f, i, at)
    b_at = share_of(f, j, at)
    ax, ay, az = place_on(f, i, a_at)
    bx, by, bz = place_on(f, j, b_at)
    row[CPA_X], row[CPA_Y], row[CPA_Z] = 0.5 * (ax + bx), 0.5 * (ay + by), 0.5 * (az + bz)


def place_on(f: Fragments, i: int, share: float) -> tuple[float, float, float]:
    """Return the place at a share of fragment i, on its chord."""
    return (
        f.px[i] + (f.qx[i] - f.px[i]) * share,
        f.py[i] + (f.qy[i] - f.py[i]) * share,
        f.pz[i] + (f.qz[i] - f.pz[i]) * share,
    )


def share_of(f: Fragments, i: int, at_us: float) -> float:
    """Return how far along fragment i a time is, 0 to 1."""
    lasts = f.end_us[i] - f.start_us[i]
    return (at_us - f.start_us[i]) / lasts if lasts > 0 else 0.0


def first_ending(f: Fragments, low: int, high: int, from_us: int) -> int:
    """Return the first of fragments low..high - 1 of a plan that does not end before a time."""
    while low < high:
        middle = (low + high) // 2
        if f.end_us[middle] < from_us:
            low = middle + 1
        else:
            high = middle
    return low


def sweep(
    f: Fragments, a: int, b: int, limits: Limits, farthest_m: float, from_us: int, to_us: int,
    rows: Rows, n: int,
) -> int:  # fmt: skip
    """Append a row for every encounter of plans a < b inside a cylinder; return the new count.

    farthest_m: the greatest lateral minimum (inf where a cylinder has none). from_us, to_us:
    only fragments that touch this time are looked at. Counts on past the end of `rows` without
    writing, so that the caller can come back with more room.
    """
    i_end, j_end = f.offsets[a + 1], f.offsets[b + 1]
    i = first_ending(f, f.offsets[a], i_end, from_us)
    j = first_ending(f, f.offsets[b], j_end, from_us)
    while i < i_end and j < j_end and f.start_us[i] <= to_us and f.start_us[j] <= to_us:
        if shares_time(f, i, j):
            start_us = max(f.start_us[i], f.start_us[j])
            end_us = min(f.end_us[i], f.end_us[j])
            if not is_far(f, i, j, start_us, end_us, reach_m(f, i, j, farthest_m)):
                n = look(f, i, j, start_us, end_us, limits, rows, n)
        if comes_first(f, i, j):
            i += 1
        else:
            j += 1
    return n


def look(
    f: Fragments, i: int, j: int, start_us: int, end_us: int, limits: Limits, rows: Rows, n: int
) -> int:
    """Append a row for every cylinder that fragments i and j are inside; return the new count."""
    e = meet(f, i, j, start_us, end_us)
    for c in range(len(limits.lateral_m)):
        zone = limits.zone[c]
        if zone >= 0 and ((f.leg_zones[f.leg[i]] | f.leg_zones[f.leg[j]]) >> zone) & 1 == 0:
            continue
        low_s, high_s, low2_s, high2_s = conditions(f, i, j, limits, c, e)
        if not e.is_standard:
            low_s, high_s, low2_s, high2_s = 0.0, e.lasts_s, 1.0, 0.0
        for which in range(2):
            from_s, to_s = (low_s, high_s) if which == 0 else (low2_s, high2_s)
            if from_s > to_s:
                continue
            found = judge(f, i, j, e, end_us, limits, c, from_s, to_s)
            if found.verdict == CLEAR:
                continue
            if n < len(rows):
                write_row(rows, n, f, i, j, e, limits, c, found, from_s, to_s)
            n += 1
    return n
