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
    band_for,
    conditions_on_leg,
    conditions_on_volume,
    rise_of,
    span_in_band,
)
from keepclear.detect.closest import write_volume_row
from keepclear.detect.encounter import NOT_THERE
from keepclear.detect.fragments import Fragments
from keepclear.detect.motions import (
    Motion,
    guard_of_volume,
    is_far_from_volume,
    motion_of,
)
from keepclear.detect.skeletons import Volumes
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
    low_us, high_us = widest_lags(
        limits, f.late_us[a] + v.early_us[b], f.early_us[a] + v.late_us[b]
    )
    from_us, to_us = v.start_us[b] + low_us, v.end_us[b] + high_us
    spans = np.empty((12, 2 * (v.offsets[b + 1] - v.offsets[b]) + 8))
    for i in range(f.offsets[a], f.offsets[a + 1]):
        if f.end_us[i] < from_us:
            continue
        if f.start_us[i] >= to_us:
            break
        m = motion_of(f, i, max(f.start_us[i], from_us), min(f.end_us[i], to_us))
        reach_m = farthest_m + f.leg_lateral_m[f.leg[i]] + v.lateral_m[b]
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
    for c in range(len(limits.lateral_m)):
        zone = limits.zone[c]
        if zone >= 0 and ((f.leg_zones[leg] | v.zones[b]) >> zone) & 1 == 0:
            continue
        low_us, high_us = lags_of(
            limits, c, f.late_us[a] + v.early_us[b], f.early_us[a] + v.late_us[b],
            f.clock_us[a] + v.clock_us[b],
        )  # fmt: skip
        from_us, to_us = v.start_us[b] + low_us, v.end_us[b] + high_us
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
        a_may, b_may = f.leg_vertical_tmm[leg], v.vertical_tmm[b]
        lateral_m = lateral_m + f.leg_lateral_m[leg] + v.lateral_m[b]
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
        band = Band(lower_tmm, band.upper_tmm, band.is_known, band.is_standard)
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
    reach_m = lateral_m + v.radius_m[b]
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
    for k in range(outer_count):
        start_s, end_s = outer[0, k], outer[1, k]
        listed = 0
        for j in range(count):
            if nominal[0, j] > end_s or nominal[1, j] < start_s:
                continue
            if is_known and not has_time(
                inner, inner_count, nominal[0, j], nominal[1, j], m.lasts_s, slop_s
            ):
                continue
            verdict = CONFLICT if is_known else UNDETERMINED
            if n < len(rows):
                write_volume_row(
                    rows[n], verdict, f, a, v, b, limits, c, m, rise, lateral_m, vertical_tmm,
                    nominal[0, j], nominal[1, j], from_s, to_s, reach_m + guard, start_us,
                )  # fmt: skip
            n += 1
            listed += 1
        if listed == 0:
            verdict = BOUNDARY if is_known else UNDETERMINED
            if n < len(rows):
                write_volume_row(
                    rows[n], verdict, f, a, v, b, limits, c, m, rise, lateral_m, vertical_tmm,
                    start_s, end_s, from_s, to_s, reach_m + guard, start_us,
                )  # fmt: skip
            n += 1
    return n


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
