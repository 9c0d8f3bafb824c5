# SPDX-License-Identifier: Apache-2.0
"""Two plans at equal times: every instant at which they are not well clear by DO-365.

The definition stands in `do365`. It is evaluated at every instant with the position and the
velocity of that instant: over a pair of fragments the relative motion is straight, so the
instants at which well clear is lost are one interval in closed form, cut to the fragments.
Writes the rows of `sweep`; plain scalar code that runs as it stands and compiled (`compiled`).

1. Limits are closed. CONFLICT is lost by more than the guard band at some time, BOUNDARY
   within it only, UNDETERMINED lost across, with heights that cannot be compared.
2. Uncertainty u of the places: the true ones are lost at most where those given are with DTHR
   widened by u and the place moved by u along the motion. Velocities are taken as they are.
3. A position alone (a stretch of one point) has no velocity: distances count, not tau.
4. Margins are the lateral distance less DTHR and the difference of height less ZTHR, while
   well clear is lost; lost by tau alone they are above 0, and `TAU_S` says how little was left.
"""

import math
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from keepclear.detect.encounter import (
    TIME_GUARD_S,
    Encounter,
    closest_at,
    guard_of,
    is_far,
    lateral_at,
    least_margin,
    meet,
    vertical_at,
    vertical_span,
)
from keepclear.detect.fragments import Fragments
from keepclear.detect.lateral import chord_squared_m2
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
    Found,
    Rows,
    comes_first,
    is_time,
    share_of,
    shares_time,
)

Integers = npt.NDArray[np.int64]

STILL_M2_S2: Final = 1e-18  # slower than a nanometre a second: at rest
TAU_S: Final = LEAST_LAG_S  # the least tau_mod stands there, 0 inside DTHR


class WellClearLimits(NamedTuple):
    """Volumes of well clear as columns; arrays or lists. CYLINDER of a row is its number here.

    dthr_m, tthr_s, tcoa_s: see `do365`. zthr_tmm: one more than ZTHR, which is closed. zone:
    lost only where at least one is inside it, -1 everywhere. uncertainty: 1 where the plans'
    uncertainty is counted in, else 0.
    """

    dthr_m: npt.NDArray[np.float64]
    zthr_tmm: Integers
    tthr_s: npt.NDArray[np.float64]
    tcoa_s: npt.NDArray[np.float64]
    zone: Integers
    uncertainty: Integers


def sweep_well_clear_pairs(
    f: Fragments, limits: WellClearLimits, a: Integers, b: Integers, from_us: Integers,
    to_us: Integers, first: int, last: int, rows: Rows, row_pair: Integers,
) -> tuple[int, int]:  # fmt: skip
    """Write the rows of pairs first..last - 1, as `pairs.sweep_pairs`."""
    n = 0
    for k in range(first, last):
        before = n
        n = sweep_well_clear(f, a[k], b[k], limits, from_us[k], to_us[k], rows, n)
        if n > len(rows):
            return k, before
        for m in range(before, n):
            row_pair[m] = k
    return last, n


def sweep_well_clear(
    f: Fragments, a: int, b: int, limits: WellClearLimits, from_us: int, to_us: int,
    rows: Rows, n: int,
) -> int:  # fmt: skip
    """Append a row for every pair of fragments of plans a < b that is not well clear.

    from_us, to_us: only fragments that touch this time are looked at. Counts on past the end
    of `rows` without writing, so that the caller can come back with more room.
    """
    dthr_m, tthr_s = 0.0, 0.0
    for c in range(len(limits.dthr_m)):
        dthr_m, tthr_s = max(dthr_m, limits.dthr_m[c]), max(tthr_s, limits.tthr_s[c])
    i, j = f.offsets[a], f.offsets[b]
    i_end, j_end = f.offsets[a + 1], f.offsets[b + 1]
    while i < i_end and f.end_us[i] < from_us:
        i += 1
    while j < j_end and f.end_us[j] < from_us:
        j += 1
    while i < i_end and j < j_end and f.start_us[i] <= to_us and f.start_us[j] <= to_us:
        if shares_time(f, i, j):
            start_us = max(f.start_us[i], f.start_us[j])
            end_us = min(f.end_us[i], f.end_us[j])
            uncertain_m = f.leg_lateral_m[f.leg[i]] + f.leg_lateral_m[f.leg[j]]
            ahead_m = tthr_s * (speed_mps(f, i) + speed_mps(f, j))
            if not is_far(f, i, j, start_us, end_us, dthr_m + 2.0 * uncertain_m + ahead_m):
                n = look_well_clear(f, i, j, start_us, end_us, limits, rows, n)
        if comes_first(f, i, j):
            i += 1
        else:
            j += 1
    return n


def speed_mps(f: Fragments, i: int) -> float:
    """Return the speed along fragment i; 0 for an instant."""
    lasts_s = (f.end_us[i] - f.start_us[i]) * 1e-6
    if lasts_s <= 0.0:
        return 0.0
    x, y, z = f.qx[i] - f.px[i], f.qy[i] - f.py[i], f.qz[i] - f.pz[i]
    return float(math.sqrt(x * x + y * y + z * z) / lasts_s)


def look_well_clear(
    f: Fragments, i: int, j: int, start_us: int, end_us: int, limits: WellClearLimits,
    rows: Rows, n: int,
) -> int:  # fmt: skip
    """Append a row for every volume in which fragments i and j lose well clear."""
    e = meet(f, i, j, start_us, end_us)
    for c in range(len(limits.dthr_m)):
        zone = limits.zone[c]
        if zone >= 0 and ((f.leg_zones[f.leg[i]] | f.leg_zones[f.leg[j]]) >> zone) & 1 == 0:
            continue
        found = judge_well_clear(f, i, j, e, end_us, limits, c)
        if found.verdict == CLEAR:
            continue
        if n < len(rows):
            write_well_clear(rows, n, f, i, j, e, limits, c, found)
        n += 1
    return n


def uncertain_by(
    f: Fragments, i: int, j: int, limits: WellClearLimits, c: int
) -> tuple[float, int]:
    """Return by how much volume c is widened for fragments i and j: metres, tmm."""
    if limits.uncertainty[c] == 0:
        return 0.0, 0
    k, m = f.leg[i], f.leg[j]
    return (
        float(f.leg_lateral_m[k] + f.leg_lateral_m[m]),
        f.leg_vertical_tmm[k] + f.leg_vertical_tmm[m],
    )


def judge_well_clear(
    f: Fragments, i: int, j: int, e: Encounter, end_us: int, limits: WellClearLimits, c: int
) -> Found:
    """Return what volume c finds in an encounter."""
    dthr_m, tthr_s = limits.dthr_m[c], limits.tthr_s[c]
    off_m, off_tmm = uncertain_by(f, i, j, limits, c)
    guard = guard_of(e, dthr_m + off_m + tthr_s * math.sqrt(e.a))
    outer = lost_across(e, dthr_m, tthr_s, off_m + guard)
    if outer[0] > outer[1]:
        return Found(CLEAR, 1.0, 0.0)
    nominal = lost_across(e, dthr_m, tthr_s, off_m)
    if not e.is_comparable:
        start_s, end_s = nominal if nominal[0] < nominal[1] else outer
        if start_s == end_s and e.lasts_s > 0.0:
            return Found(CLEAR, 1.0, 0.0)
        return Found(UNDETERMINED, start_s, end_s)
    low_s, high_s, slop_s = lost_in_height(
        f, f.leg[i], f.leg[j], e, end_us, limits.zthr_tmm[c], off_tmm, limits.tcoa_s[c]
    )
    start_s, end_s = max(outer[0], low_s), min(outer[1], high_s)
    if start_s > end_s or (start_s == end_s and e.lasts_s > 0.0):
        return Found(CLEAR, 1.0, 0.0)
    inner = lost_across(e, dthr_m, tthr_s, off_m - guard)
    sure_s, until_s = max(inner[0], low_s), min(inner[1], high_s)
    if is_time(sure_s, until_s, e.lasts_s, slop_s):
        return Found(CONFLICT, max(nominal[0], low_s), min(nominal[1], high_s))
    return Found(BOUNDARY, start_s, end_s)


def lost_across(e: Encounter, dthr_m: float, tthr_s: float, off_m: float) -> tuple[float, float]:
    """Return when in the encounter the horizontal part is lost: start, end in seconds.

    off_m: how far off the places may be; below 0: lost even if they are so far off. In time to
    go to the CPA, with q^2 = (DTHR^2 - distance at CPA^2) / v^2, it is lost from
    (TTHR + sqrt(TTHR^2 + 4 q^2)) / 2 before the CPA to q after it (see `do365._lost_across`).
    """
    distance_m = dthr_m + off_m
    if distance_m <= 0.0:
        return 1.0, 0.0
    limit = chord_squared_m2(distance_m, e.radius_m)
    if e.a <= STILL_M2_S2 or e.lasts_s <= 0.0:
        return (0.0, e.lasts_s) if e.square <= limit else (1.0, 0.0)
    half_sq = (e.a * limit - e.cross * e.cross) / (e.a * e.a)
    if half_sq < 0.0:
        return 1.0, 0.0
    cpa_s, off_s = -e.b / e.a, off_m / math.sqrt(e.a)
    ahead_s = 0.5 * (tthr_s + math.sqrt(tthr_s * tthr_s + 4.0 * half_sq)) + off_s
    start_s = max(cpa_s - ahead_s, 0.0)
    end_s = min(cpa_s + math.sqrt(half_sq), e.lasts_s)
    return (start_s, end_s) if start_s <= end_s else (1.0, 0.0)


def lost_in_height(
    f: Fragments, k: int, m: int, e: Encounter, end_us: int, zthr_tmm: int, off_tmm: int,
    tcoa_s: float,
) -> tuple[float, float, float]:  # fmt: skip
    """Return when the vertical part is lost: start, end, slop; as `encounter.vertical_span`.

    By time to co-altitude it is lost from TCOA before the heights are equal. off_tmm: how far
    off the heights may be.
    """
    start_s, end_s, slop_s = vertical_span(f, k, m, e, end_us, zthr_tmm + off_tmm)
    first = e.a_start_tmm - e.b_start_tmm
    climbed = e.a_end_tmm - e.b_end_tmm - first
    if tcoa_s <= 0.0 or climbed == 0.0:
        return start_s, end_s, slop_s
    level_s, s_per_tmm = -first / climbed * e.lasts_s, abs(e.lasts_s / climbed)
    low_s = max(level_s - tcoa_s - off_tmm * s_per_tmm, 0.0)
    high_s = min(level_s + (zthr_tmm + off_tmm) * s_per_tmm, e.lasts_s)
    if low_s > high_s:
        return start_s, end_s, slop_s
    slop_s = max(slop_s, TIME_GUARD_S + s_per_tmm * 2e-6)
    if start_s > end_s:
        return low_s, high_s, slop_s
    return min(low_s, start_s), max(high_s, end_s), slop_s


def tau_mod_at(e: Encounter, at_s: float, dthr_m: float) -> float:
    """Return the modified tau at a time in seconds; 0 inside DTHR and where it does not close."""
    square = e.square + at_s * (2.0 * e.b + e.a * at_s)
    closing = e.b + e.a * at_s
    ahead = chord_squared_m2(dthr_m, e.radius_m) - square
    return ahead / closing if ahead < 0.0 and closing < 0.0 else 0.0


def write_well_clear(
    rows: Rows, n: int, f: Fragments, i: int, j: int, e: Encounter, limits: WellClearLimits,
    c: int, found: Found,
) -> None:  # fmt: skip
    """Write what was found as row n."""
    row = rows[n]
    start, end = e.start_us + found.start_s * 1e6, e.start_us + found.end_s * 1e6
    row[VERDICT], row[CYLINDER] = found.verdict, c
    row[START_A], row[END_A] = start, end
    row[START_B], row[END_B] = start, end
    row[START], row[END] = start, end
    at_s = closest_at(e, found.start_s, found.end_s)
    at = e.start_us + at_s * 1e6
    row[CPA], row[CPA_A], row[CPA_B] = at, at, at
    row[LATERAL_M] = lateral_at(e, at_s)
    row[VERTICAL_TMM] = abs(vertical_at(e, at_s)) if e.is_comparable else math.nan
    off_m, off_tmm = uncertain_by(f, i, j, limits, c)
    row[TAU_S] = tau_mod_at(e, found.end_s, limits.dthr_m[c] + off_m)
    if found.verdict == UNDETERMINED:
        row[MARGIN_M], row[MARGIN_LEAF] = math.nan, 1
    else:
        row[MARGIN_M], row[MARGIN_LEAF] = least_margin(
            e, found.start_s, found.end_s, limits.dthr_m[c] + off_m,
            float(limits.zthr_tmm[c] - 1 + off_tmm),
        )  # fmt: skip
    s, t = share_of(f, i, at), share_of(f, j, at)
    row[CPA_X] = 0.5 * (f.px[i] + (f.qx[i] - f.px[i]) * s + f.px[j] + (f.qx[j] - f.px[j]) * t)
    row[CPA_Y] = 0.5 * (f.py[i] + (f.qy[i] - f.py[i]) * s + f.py[j] + (f.qy[j] - f.py[j]) * t)
    row[CPA_Z] = 0.5 * (f.pz[i] + (f.qz[i] - f.pz[i]) * s + f.pz[j] + (f.qz[j] - f.pz[j]) * t)
