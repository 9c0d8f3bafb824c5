# SPDX-License-Identifier: Apache-2.0
"""A trajectory and a volume: every span in which it is inside a cylinder round the volume.

The volume stands still in its window, so with tolerances of time the trajectory's own clock u
meets the window widened to start - (late_a + early_b) .. end + (early_a + late_b), and at each
u some time w of the window is compared. Writes the rows of `sweep`: a is the trajectory, b the
volume.

1. A lateral minimum of 0 is broken by entering the area; inside, the lateral distance is 0.
2. CONFLICT is inside by more than the guard band at some instant; BOUNDARY inside it only;
   UNDETERMINED inside laterally, with a limit that cannot be compared.
3. One row for each span in one fragment.

Plain scalar code that runs as it stands and compiled (`compiled`).
"""

import numpy as np
import numpy.typing as npt

from keepclear.detect.bands import (
    Band,
    Rise,
    band_above,
    band_for,
    conditions_on_leg,
    conditions_on_volume,
    rise_of,
    span_in_band,
)
from keepclear.detect.closest import tolerances_with, write_volume_row
from keepclear.detect.encounter import NOT_THERE
from keepclear.detect.fragments import Fragments
from keepclear.detect.motions import (
    Motion,
    guard_of_volume,
    is_far_from_volume,
    motion_of,
)
from keepclear.detect.skeletons import (
    END_US,
    RADIUS_M,
    START_US,
    UNSURE_M,
    UNSURE_TMM,
    ZONES,
    Volumes,
)
from keepclear.detect.spans import NEAREST_M, deep, within
from keepclear.detect.sweep import BOUNDARY, CONFLICT, UNDETERMINED, Limits, Rows, is_time
from keepclear.detect.windows import lags_of, widest_lags

Floats = npt.NDArray[np.float64]


def sweep_volume(
    f: Fragments, a: int, v: Volumes, b: int, limits: Limits, farthest_m: float,
    rows: Rows, n: int,
) -> int:  # fmt: skip
    """Append a row for every span of trajectory a inside a cylinder round volume b.

    farthest_m: the greatest lateral minimum (inf where a cylinder has none). Counts on past
    the end of `rows` without writing, so that the caller can come back with more room.
    """
    t = tolerances_with(f, a, v, b)
    low_us, high_us = widest_lags(limits, t)
    from_us, to_us = v.terms[b, START_US] + low_us, v.terms[b, END_US] + high_us
    spans = np.empty((12, 2 * (v.offsets[b + 1] - v.offsets[b]) + 8))
    for i in range(f.offsets[a], f.offsets[a + 1]):
        if f.end_us[i] < from_us:
            continue
        if f.start_us[i] >= to_us:
            break
        m = motion_of(f, i, max(f.start_us[i], from_us), min(f.end_us[i], to_us))
        reach_m = farthest_m + f.leg_lateral_m[f.leg[i]] + v.sizes[b, UNSURE_M]
        if not is_far_from_volume(m, v, b, reach_m):
            n = look_at_volume(f, a, i, v, b, limits, spans, rows, n)
    return n


def look_at_volume(
    f: Fragments, a: int, i: int, v: Volumes, b: int, limits: Limits, spans: Floats,
    rows: Rows, n: int,
) -> int:  # fmt: skip
    """Append the rows of one fragment for every cylinder; return the new count."""
    leg = f.leg[i]
    band = band_for(v, b, f.leg_datum[leg])
    t = tolerances_with(f, a, v, b)
    for c in range(len(limits.lateral_m)):
        zone = limits.zone[c]
        if zone >= 0 and ((f.leg_zones[leg] | v.terms[b, ZONES]) >> zone) & 1 == 0:
            continue
        low_us, high_us = lags_of(limits, c, t)
        from_us, to_us = v.terms[b, START_US] + low_us, v.terms[b, END_US] + high_us
        start_us, end_us = max(f.start_us[i], from_us), min(f.end_us[i], to_us)
        is_alone = f.start_us[i] == f.end_us[i]
        if start_us > end_us or (start_us == end_us and (not is_alone or start_us >= to_us)):
            continue
        has_either = limits.one_above_tmm[c] != NOT_THERE
        for which in range(2 if has_either and band.is_standard else 1):
            n = judge_volume(
                f, a, i, v, b, limits, c, band, which, start_us, end_us, spans, rows, n
            )
    return n


def judge_volume(
    f: Fragments, a: int, i: int, v: Volumes, b: int, limits: Limits, c: int, band: Band,
    which: int, start_us: int, end_us: int, spans: Floats, rows: Rows, n: int,
) -> int:  # fmt: skip
    """Append the rows of one fragment for one cylinder; which: see `bands`."""
    leg = f.leg[i]
    lateral_m, vertical_tmm = limits.lateral_m[c], limits.vertical_tmm[c]
    a_may, b_may = 0, 0
    if limits.uncertainty[c] != 0:
        a_may, b_may = f.leg_vertical_tmm[leg], v.terms[b, UNSURE_TMM]
        lateral_m = lateral_m + f.leg_lateral_m[leg] + v.sizes[b, UNSURE_M]
        if vertical_tmm >= 0:
            vertical_tmm = vertical_tmm + a_may + b_may
    has_condition = limits.one_above_tmm[c] != NOT_THERE or limits.both_from_tmm[c] != NOT_THERE
    is_known = True
    rise = rise_of(f, leg, start_us, end_us, band)
    from_s, to_s = 0.0, rise.lasts_s
    if has_condition and band.is_standard:
        lower_tmm, can_be = conditions_on_volume(limits, c, band, b_may, which)
        if not can_be:
            return n
        band = band_above(band, lower_tmm)
        from_s, to_s = conditions_on_leg(limits, c, rise, a_may, which)
        rise = rise_of(f, leg, start_us, end_us, band)
    elif has_condition:
        is_known = False
    if from_s > to_s:
        return n
    low_s, high_s, slop_s = from_s, to_s, 0.0
    if vertical_tmm >= 0:
        is_known = is_known and band.is_known
        low_s, high_s, slop_s = span_in_band(f, leg, start_us, end_us, rise, band, vertical_tmm)
        low_s, high_s = max(low_s, from_s), min(high_s, to_s)
    if low_s > high_s or (low_s == high_s and rise.lasts_s > 0.0):
        return n
    m = motion_of(f, i, start_us, end_us)
    return list_spans(
        f, a, v, b, limits, c, m, rise, lateral_m, vertical_tmm, is_known,
        low_s, high_s, slop_s, from_s, to_s, start_us, spans, rows, n,
    )  # fmt: skip


def list_spans(
    f: Fragments, a: int, v: Volumes, b: int, limits: Limits, c: int, m: Motion,
    rise: Rise, lateral_m: float, vertical_tmm: int, is_known: bool, low_s: float,
    high_s: float, slop_s: float, from_s: float, to_s: float, start_us: int, spans: Floats,
    rows: Rows, n: int,
) -> int:  # fmt: skip
    """Append a row for each span that is inside laterally, within low_s..high_s.

    Outer, nominal and inner spans stand four rows each in `spans`.
    """
    reach_m = lateral_m + v.sizes[b, RADIUS_M]
    guard = guard_of_volume(m, v, b, reach_m)
    outer = spans[0:4]
    outer_count = within(m, v, b, reach_m + guard, outer)
    outer_count = cut_spans(outer, outer_count, low_s, high_s, m.lasts_s)
    if outer_count == 0:
        return n
    nominal, inner = spans[4:8], spans[8:12]
    count = within(m, v, b, reach_m, nominal)
    count = cut_spans(nominal, count, low_s, high_s, m.lasts_s)
    inner_count = 0
    if is_known:
        if reach_m - guard > NEAREST_M:
            inner_count = within(m, v, b, reach_m - guard, inner)
        else:
            inner_count = deep(m, v, b, guard - reach_m, inner)
        inner_count = cut_spans(inner, inner_count, low_s, high_s, m.lasts_s)
    if is_known:
        count = keep_sure(nominal, count, inner, inner_count, m.lasts_s, slop_s)
    sure_count = count
    count = add_others(nominal, count, outer, outer_count)
    for k in range(count):
        if n < len(rows):
            verdict = UNDETERMINED
            if is_known:
                verdict = CONFLICT if k < sure_count else BOUNDARY
            write_volume_row(
                rows[n], verdict, f, a, v, b, limits, c, m, rise, lateral_m, vertical_tmm,
                nominal[0, k], nominal[1, k], from_s, to_s, reach_m + guard, start_us,
            )  # fmt: skip
        n += 1
    return n


def keep_sure(
    nominal: Floats, count: int, inner: Floats, inner_count: int, lasts_s: float, slop_s: float
) -> int:
    """Keep the spans that surely hold some time of inner ones; return how many are left."""
    kept = 0
    for k in range(count):
        if has_time(inner, inner_count, nominal[0, k], nominal[1, k], lasts_s, slop_s):
            nominal[0, kept], nominal[1, kept] = nominal[0, k], nominal[1, k]
            kept += 1
    return kept


def add_others(nominal: Floats, count: int, outer: Floats, outer_count: int) -> int:
    """Add the outer spans that hold no span that was kept; return how many there are then."""
    added = count
    for k in range(outer_count):
        is_held = False
        for j in range(count):
            is_held = is_held or (nominal[0, j] <= outer[1, k] and nominal[1, j] >= outer[0, k])
        if not is_held:
            nominal[0, added], nominal[1, added] = outer[0, k], outer[1, k]
            added += 1
    return added


def cut_spans(spans: Floats, count: int, low_s: float, high_s: float, lasts_s: float) -> int:
    """Cut spans to low_s..high_s and drop those that are no time; return how many are left."""
    kept = 0
    for k in range(count):
        start_s, end_s = max(spans[0, k], low_s), min(spans[1, k], high_s)
        if start_s < end_s or (start_s == end_s and lasts_s <= 0.0):
            spans[0, kept], spans[1, kept] = start_s, end_s
            kept += 1
    return kept


def has_time(
    spans: Floats, count: int, start_s: float, end_s: float, lasts_s: float, slop_s: float
) -> bool:
    """Tell whether a span within start_s..end_s is surely some time."""
    for k in range(count):
        low_s, high_s = max(spans[0, k], start_s), min(spans[1, k], end_s)
        if is_time(low_s, high_s, lasts_s, slop_s):
            return True
    return False
