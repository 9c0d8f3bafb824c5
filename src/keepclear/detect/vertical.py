# SPDX-License-Identifier: Apache-2.0
"""Differences of height along two legs, exactly.

A leg climbs from one integer height to another between two integer times, so its height at an
integer time is a fraction, and whether a difference is below an integer minimum is decided
without rounding. Levels are multiples of 1000 ft: pairs exactly at the minimum are common.

Plain scalar code that runs as it stands and compiled (`compiled`). Heights are tenths of a
millimetre, times microseconds; a leg's climb times its duration fits in 63 bits
(`fragments` refuses what does not).
"""

from typing import Final

CLOSE_TMM: Final = 1e-3  # far above the rounding of the float64 heights, far below a height


def height_at(start_us: int, end_us: int, from_tmm: int, to_tmm: int, at_us: int) -> float:
    """Return the height at a time; exact when level and at both ends of the leg."""
    if from_tmm == to_tmm or at_us == start_us:
        return float(from_tmm)
    if at_us == end_us:
        return float(to_tmm)
    return from_tmm + (to_tmm - from_tmm) * ((at_us - start_us) / (end_us - start_us))


def compare_fractions(a: int, a_whole: int, b: int, b_whole: int) -> int:
    """Return the sign of a/a_whole - b/b_whole, both in 0 up to 1, by continued fractions.

    No product is formed, so nothing overflows.
    """
    sign = 1
    while a != 0 and b != 0:
        a_times, b_times = a_whole // a, b_whole // b
        if a_times != b_times:
            return sign if a_times < b_times else -sign
        a, a_whole = a_whole - a_times * a, a
        b, b_whole = b_whole - b_times * b, b
        sign = -sign
    if a == b:
        return 0
    return sign if a > b else -sign


def compare_heights(
    a_start_us: int, a_end_us: int, a_from_tmm: int, a_to_tmm: int,
    b_start_us: int, b_end_us: int, b_from_tmm: int, b_to_tmm: int,
    at_us: int, offset_tmm: int,
) -> int:  # fmt: skip
    """Return the sign of (height of a - height of b - offset) at a time, exactly."""
    return compare_heights_at(
        a_start_us, a_end_us, a_from_tmm, a_to_tmm,
        b_start_us, b_end_us, b_from_tmm, b_to_tmm,
        at_us, at_us, offset_tmm,
    )  # fmt: skip


def compare_heights_at(
    a_start_us: int, a_end_us: int, a_from_tmm: int, a_to_tmm: int,
    b_start_us: int, b_end_us: int, b_from_tmm: int, b_to_tmm: int,
    a_at_us: int, b_at_us: int, offset_tmm: int,
) -> int:  # fmt: skip
    """Return the same with a at one time and b at another."""
    a_lasts_us = max(a_end_us - a_start_us, 1)
    b_lasts_us = max(b_end_us - b_start_us, 1)
    a_climbed = (a_to_tmm - a_from_tmm) * (a_at_us - a_start_us)
    b_climbed = (b_to_tmm - b_from_tmm) * (b_at_us - b_start_us)
    a_tmm, b_tmm = a_climbed // a_lasts_us, b_climbed // b_lasts_us
    whole_tmm = (a_from_tmm + a_tmm) - (b_from_tmm + b_tmm) - offset_tmm
    if whole_tmm != 0:
        return 1 if whole_tmm > 0 else -1
    return compare_fractions(
        a_climbed - a_tmm * a_lasts_us, a_lasts_us, b_climbed - b_tmm * b_lasts_us, b_lasts_us
    )
