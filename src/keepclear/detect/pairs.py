# SPDX-License-Identifier: Apache-2.0
"""Many pairs one after another, at equal times: `sweep` for each.

Leaves pairs that may run early or late to `shifted_pairs`, so that a check without tolerance
does not load what those need. Plain scalar code that runs as it stands and compiled (`compiled`).
"""

import numpy as np
import numpy.typing as npt

from keepclear.detect.fragments import Fragments
from keepclear.detect.sweep import Limits, Rows, sweep

Integers = npt.NDArray[np.int64]


def sweep_pairs(
    f: Fragments, limits: Limits, farthest_m: float,
    a: Integers, b: Integers, from_us: Integers, to_us: Integers,
    first: int, last: int, rows: Rows, row_pair: Integers,
) -> tuple[int, int]:  # fmt: skip
    """Write the rows of pairs first..last - 1 at equal times.

    a, b: plans, a < b. from_us, to_us: the time to look at. row_pair: which pair a row is of.
    Returns the pair to go on from and how many rows; stops before a pair whose rows have no room.
    """
    n = 0
    for k in range(first, last):
        before = n
        n = sweep(f, a[k], b[k], limits, farthest_m, from_us[k], to_us[k], rows, n)
        if n > len(rows):
            return k, before
        for m in range(before, n):
            row_pair[m] = k
    return last, n
