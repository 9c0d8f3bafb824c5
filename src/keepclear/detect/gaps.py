# SPDX-License-Identifier: Apache-2.0
"""How far apart the bands of two volumes are, exactly.

Each lower limit is compared with the other's upper one, where they have one datum. Plain scalar
code that runs as it stands and compiled (`compiled`).
"""

from keepclear.detect.bands import band_for, conditions_on_volume
from keepclear.detect.encounter import NOT_THERE
from keepclear.detect.skeletons import (
    LOWER_DATUM,
    LOWER_TMM,
    UNSURE_TMM,
    UPPER_DATUM,
    UPPER_TMM,
    Volumes,
)
from keepclear.detect.sweep import Limits

NOWHERE = 2**62
"""The gap of bands where a cylinder's conditions hold nowhere."""


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
