# SPDX-License-Identifier: Apache-2.0
"""A climbing leg against the band of heights of a volume, and two bands against each other.

Above a band by the minimum, or below it by the minimum, is separated; each limit is compared
only with heights of its own datum. Whether and on which side is decided exactly, in integers.
Plain scalar code that runs as it stands and compiled (`compiled`).
"""

import math
from typing import Final, NamedTuple

from keepclear.detect.encounter import NOT_THERE, TIME_GUARD_S, span_above
from keepclear.detect.fragments import Fragments
from keepclear.detect.skeletons import (
    LOWER_DATUM,
    LOWER_TMM,
    UNSURE_TMM,
    UPPER_DATUM,
    UPPER_TMM,
    Volumes,
)
from keepclear.detect.sweep import Limits
from keepclear.detect.vertical import compare_heights, height_at

NO_TIME: Final = (1.0, 0.0, 0.0)
NOWHERE: Final = 2**62  # the gap of bands where a cylinder's conditions hold nowhere


class Band(NamedTuple):
    """The limits that a leg or another band can be compared with; NOT_THERE: none on that side.

    is_known: no limit is there that cannot be compared. is_standard: all there are, and what
    they are compared with, are pressure altitudes.
    """

    lower_tmm: int
    upper_tmm: int
    is_known: bool
    is_standard: bool


class Rise(NamedTuple):
    """A leg's height over some seconds, tenths of a millimetre, and the band it is held against."""

    first_tmm: float
    last_tmm: float
    lasts_s: float
    lower_tmm: float
    upper_tmm: float
    is_known: bool


def band_for(v: Volumes, b: int, datum: int) -> Band:
    """Return volume b's band for heights of one datum."""
    lower_tmm, upper_tmm = v.terms[b, LOWER_TMM], v.terms[b, UPPER_TMM]
    is_known, is_standard = True, datum == 0
    if lower_tmm != NOT_THERE:
        is_standard = is_standard and v.terms[b, LOWER_DATUM] == 0
        if datum < 0 or v.terms[b, LOWER_DATUM] != datum:
            is_known, lower_tmm = False, NOT_THERE
    if upper_tmm != NOT_THERE:
        is_standard = is_standard and v.terms[b, UPPER_DATUM] == 0
        if datum < 0 or v.terms[b, UPPER_DATUM] != datum:
            is_known, upper_tmm = False, NOT_THERE
    return Band(lower_tmm, upper_tmm, is_known, is_standard)


def band_above(band: Band, lower_tmm: int) -> Band:
    """Return a band with another lower limit."""
    return Band(lower_tmm, band.upper_tmm, band.is_known, band.is_standard)


def conditions_on_volume(
    limits: Limits, c: int, band: Band, may_tmm: int, which: int
) -> tuple[int, bool]:
    """Return the lower limit of the part of a band in which cylinder c's conditions hold.

    And whether there is such a part. which: 1 where the volume is to be the one above
    `one_above_tmm`. A height within `may_tmm` of a level counts as above it.
    """
    lower_tmm = band.lower_tmm
    level = limits.both_from_tmm[c]
    if level != NOT_THERE:
        lower_tmm = max(lower_tmm, level - may_tmm)
    if which == 1:
        lower_tmm = max(lower_tmm, limits.one_above_tmm[c] + 1 - may_tmm)
    return lower_tmm, band.upper_tmm == NOT_THERE or lower_tmm <= band.upper_tmm


def conditions_on_leg(
    limits: Limits, c: int, rise: Rise, may_tmm: int, which: int
) -> tuple[float, float]:
    """Return when a leg is where cylinder c's conditions hold; which: 0 where it is to be above."""
    start_s, end_s = 0.0, rise.lasts_s
    if limits.both_from_tmm[c] != NOT_THERE:
        start_s, end_s = span_above(
            rise.first_tmm, rise.last_tmm, rise.lasts_s, limits.both_from_tmm[c] - may_tmm
        )
    if limits.one_above_tmm[c] != NOT_THERE and which == 0:
        above = limits.one_above_tmm[c] + 1 - may_tmm
        low_s, high_s = span_above(rise.first_tmm, rise.last_tmm, rise.lasts_s, above)
        start_s, end_s = max(start_s, low_s), min(end_s, high_s)
    return start_s, end_s


def rise_of(f: Fragments, leg: int, start_us: int, end_us: int, band: Band) -> Rise:
    """Return a leg's height between two times, against a band."""
    starts_us, ends_us = f.leg_start_us[leg], f.leg_end_us[leg]
    from_tmm, to_tmm = f.leg_from_tmm[leg], f.leg_to_tmm[leg]
    return Rise(
        height_at(starts_us, ends_us, from_tmm, to_tmm, start_us),
        height_at(starts_us, ends_us, from_tmm, to_tmm, end_us),
        (end_us - start_us) * 1e-6,
        -math.inf if band.lower_tmm == NOT_THERE else float(band.lower_tmm),
        math.inf if band.upper_tmm == NOT_THERE else float(band.upper_tmm),
        band.is_known,
    )


def side_of_band(f: Fragments, leg: int, at_us: int, band: Band, limit_tmm: int) -> int:
    """Return 1 where a leg is at least `limit_tmm` above a band, -1 below, else 0; exactly."""
    starts_us, ends_us = f.leg_start_us[leg], f.leg_end_us[leg]
    from_tmm, to_tmm = f.leg_from_tmm[leg], f.leg_to_tmm[leg]
    if band.upper_tmm != NOT_THERE:
        upper = band.upper_tmm
        if compare_heights(
            starts_us, ends_us, from_tmm, to_tmm, 0, 1, upper, upper, at_us, limit_tmm
        ) >= 0:  # fmt: skip
            return 1
    if band.lower_tmm != NOT_THERE:
        lower = band.lower_tmm
        if compare_heights(
            starts_us, ends_us, from_tmm, to_tmm, 0, 1, lower, lower, at_us, -limit_tmm
        ) <= 0:  # fmt: skip
            return -1
    return 0


def span_in_band(
    f: Fragments, leg: int, start_us: int, end_us: int, rise: Rise, band: Band, limit_tmm: int
) -> tuple[float, float, float]:
    """Return when a leg is not separated from a band: start, end, slop as `vertical_span`."""
    before = side_of_band(f, leg, start_us, band, limit_tmm)
    after = side_of_band(f, leg, end_us, band, limit_tmm)
    if before == 0 and after == 0:
        return 0.0, rise.lasts_s, 0.0
    if before == after:
        return NO_TIME
    climbs = rise.last_tmm - rise.first_tmm
    per_tmm = rise.lasts_s / climbs if climbs != 0.0 else 0.0
    start_s, end_s = 0.0, rise.lasts_s
    if before != 0:
        start_s = _crosses_at(rise, before, limit_tmm, per_tmm)
    if after != 0:
        end_s = _crosses_at(rise, after, limit_tmm, per_tmm)
    return start_s, end_s, TIME_GUARD_S + abs(per_tmm) * 2e-6


def _crosses_at(rise: Rise, side: int, limit_tmm: int, per_tmm: float) -> float:
    level = rise.upper_tmm + limit_tmm if side > 0 else rise.lower_tmm - limit_tmm
    return min(max((level - rise.first_tmm) * per_tmm, 0.0), rise.lasts_s)


def height_in(rise: Rise, at_s: float) -> float:
    """Return the leg's height at a time, tenths of a millimetre."""
    if rise.lasts_s <= 0.0:
        return rise.first_tmm
    return rise.first_tmm + (rise.last_tmm - rise.first_tmm) * (at_s / rise.lasts_s)


def gap_at(rise: Rise, at_s: float) -> float:
    """Return how far a leg is above or below the limits it can be compared with; 0 between."""
    height = height_in(rise, at_s)
    return max(height - rise.upper_tmm, rise.lower_tmm - height, 0.0)


def least_gap_at(rise: Rise, start_s: float, end_s: float) -> float:
    """Return the earliest time in start_s..end_s at which the gap is least."""
    climbs = rise.last_tmm - rise.first_tmm
    if climbs == 0.0 or rise.lasts_s <= 0.0 or gap_at(rise, start_s) <= 0.0:
        return start_s
    level = rise.lower_tmm if climbs > 0.0 else rise.upper_tmm
    if not math.isfinite(level):
        return start_s
    if (climbs > 0.0) != (height_in(rise, start_s) < level):
        return start_s
    return min(max((level - rise.first_tmm) / climbs * rise.lasts_s, start_s), end_s)


def gap_of_bands(
    v: Volumes, a: int, w: Volumes, b: int, limits: Limits, c: int
) -> tuple[int, bool]:
    """Return how far two bands are apart where cylinder c's conditions hold, and if it is known.

    NOWHERE where the conditions hold nowhere. Not known: two limits that cannot be compared,
    or conditions on limits that are no pressure altitudes.
    """
    has_either = limits.one_above_tmm[c] != NOT_THERE
    gap, is_known = gap_of_limits(v, a, w, b)
    is_known = is_known or limits.vertical_tmm[c] < 0
    if not has_either and limits.both_from_tmm[c] == NOT_THERE:
        return gap, is_known
    band_a, band_b = band_for(v, a, 0), band_for(w, b, 0)
    if not (band_a.is_standard and band_b.is_standard):
        return gap, False
    may_a = v.terms[a, UNSURE_TMM] if limits.uncertainty[c] != 0 else 0
    may_b = w.terms[b, UNSURE_TMM] if limits.uncertainty[c] != 0 else 0
    least = NOWHERE
    for which in range(2 if has_either else 1):
        a_is_above = 1 if has_either and which == 0 else 0
        b_is_above = 1 if has_either and which == 1 else 0
        low_a, can_a = conditions_on_volume(limits, c, band_a, may_a, a_is_above)
        low_b, can_b = conditions_on_volume(limits, c, band_b, may_b, b_is_above)
        if can_a and can_b:
            gap = max(
                difference(low_a, w.terms[b, UPPER_TMM]), difference(low_b, v.terms[a, UPPER_TMM])
            )
            least = min(least, gap)
    return least, True


def gap_of_limits(v: Volumes, a: int, w: Volumes, b: int) -> tuple[int, bool]:
    """Return how far two bands are apart, negative where they overlap, and if that is known."""
    above, is_above_known = lower_over_upper(v, a, w, b)
    below, is_below_known = lower_over_upper(w, b, v, a)
    return max(above, below), is_above_known and is_below_known


def lower_over_upper(v: Volumes, a: int, w: Volumes, b: int) -> tuple[int, bool]:
    """Return how far the lower limit of a is above the upper one of b, and if that is known."""
    lower, upper = v.terms[a, LOWER_TMM], w.terms[b, UPPER_TMM]
    if lower == NOT_THERE or upper == NOT_THERE:
        return NOT_THERE, True
    datum = v.terms[a, LOWER_DATUM]
    if datum < 0 or datum != w.terms[b, UPPER_DATUM]:
        return NOT_THERE, False
    return lower - upper, True


def difference(lower_tmm: int, upper_tmm: int) -> int:
    """Return how far a lower limit is above an upper one; NOT_THERE where one is not there."""
    if lower_tmm == NOT_THERE or upper_tmm == NOT_THERE:
        return NOT_THERE
    return lower_tmm - upper_tmm
