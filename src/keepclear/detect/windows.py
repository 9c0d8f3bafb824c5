# SPDX-License-Identifier: Apache-2.0
"""Windows of time with tolerances: which times are compared, and when on the clock.

x and y are the two plans' own clocks. All pairs with low <= x - y <= high are compared, where
-low is late_a + early_b and high is early_a + late_b, and a `time` leaf widens both. Windows
are half-open. Plain scalar code that runs as it stands and compiled (`compiled`).
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from keepclear.detect.sweep import END, END_A, END_B, LEAST_LAG_S, START, START_A, START_B, Limits

Floats = npt.NDArray[np.float64]


class Tolerances(NamedTuple):
    """How much two plans may run before and after their times; clock_us of it is uncertainty."""

    early_a: int
    late_a: int
    early_b: int
    late_b: int
    clock_us: int


def tolerances(early_a: int, late_a: int, early_b: int, late_b: int, clock_us: int) -> Tolerances:
    """Return the tolerances of two plans; made here, so that compiled code knows one kind."""
    return Tolerances(early_a, late_a, early_b, late_b, clock_us)


def lags_of(limits: Limits, c: int, t: Tolerances) -> tuple[int, int]:
    """Return the least and greatest x - y that cylinder c compares, in microseconds.

    A cylinder may leave the uncertainty of time out.
    """
    more_us = limits.time_us[c]
    if limits.uncertainty[c] == 0:
        more_us = more_us - t.clock_us
    return -(t.late_a + t.early_b + more_us), t.early_a + t.late_b + more_us


def widest_lags(limits: Limits, t: Tolerances) -> tuple[int, int]:
    """Return the least and greatest x - y of all cylinders."""
    longest_us = 0
    for c in range(len(limits.time_us)):
        longest_us = max(longest_us, limits.time_us[c])
    return -(t.late_a + t.early_b + longest_us), t.early_a + t.late_b + longest_us


def do_windows_meet(
    a_start_us: int, a_end_us: int, b_start_us: int, b_end_us: int, low_us: int, high_us: int
) -> bool:
    """Tell whether two half-open windows hold a compared pair of times."""
    return a_start_us - b_end_us < high_us and a_end_us - b_start_us > low_us


def write_times(
    row: Floats, x0: float, x1: float, y_start: int, y_end: int, low_us: int, high_us: int,
    t: Tolerances, is_late: bool,
) -> None:  # fmt: skip
    """Write the times of a row for x in x0..x1 and y in a window; see `shifted_sweep`.

    The compared pairs are an upright rectangle cut by two slanted lines. First and last real
    instants grow with x and y, so they lie at its lower left and its upper right corner.
    """
    y0, y1 = max(y_start, x0 - high_us), min(y_end, x1 - low_us)
    row[START_A], row[END_A], row[START_B], row[END_B] = x0, x1, y0, y1
    begin, end = max(x0 - t.early_a, y0 - t.early_b), min(x1 + t.late_a, y1 + t.late_b)
    if is_late:
        begin = min(begin, x0 + t.late_a, y0 + t.late_b)
        end = max(end, x1 - t.early_a, y1 - t.early_b)
    row[START], row[END] = begin, end
    apart = max(x0 - y1, y0 - x1, 0.0)
    row[LEAST_LAG_S] = apart * 1e-6


def real_at(
    x: float, y_start: int, high_us: int, t: Tolerances, is_late: bool
) -> tuple[float, float]:
    """Return the first clock instant at which a at its time x meets the window, and y there."""
    y = max(y_start + 0.0, x - high_us)
    at = max(x - t.early_a, y - t.early_b)
    if is_late:
        at = min(at, max(x, y))
    return at, y
