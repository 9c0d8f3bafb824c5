# SPDX-License-Identifier: Apache-2.0
"""Many pairs one after another, at unequal times too: `shifted_sweep` for each.

Plain scalar code that runs as it stands and compiled (`compiled`).
"""

import numpy as np
import numpy.typing as npt

from keepclear.detect.encounter import NOT_THERE
from keepclear.detect.fragments import Fragments
from keepclear.detect.shifted_sweep import sweep_shifted
from keepclear.detect.sweep import Limits, Rows, sweep

Integers = npt.NDArray[np.int64]


def sweep_pairs_shifted(
    f: Fragments, limits: Limits, farthest_m: float, has_time_leaf: bool,
    a: Integers, b: Integers, from_us: Integers, to_us: Integers,
    first: int, last: int, rows: Rows, row_pair: Integers,
) -> tuple[int, int]:  # fmt: skip
    """Write the rows of pairs that may run early or late, or that a `time` leaf compares.

    Takes and returns what `pairs.sweep_pairs` does.
    """
    n = 0
    for k in range(first, last):
        before = n
        lag_us = f.early_us[a[k]] + f.late_us[a[k]] + f.early_us[b[k]] + f.late_us[b[k]]
        if lag_us > 0 or has_time_leaf:
            n = sweep_shifted(
                f, a[k], b[k], limits, farthest_m, from_us[k], to_us[k], NOT_THERE, NOT_THERE,
                rows, n,
            )  # fmt: skip
        else:
            n = sweep(f, a[k], b[k], limits, farthest_m, from_us[k], to_us[k], rows, n)
        if n > len(rows):
            return k, before
        for m in range(before, n):
            row_pair[m] = k
    return last, n
