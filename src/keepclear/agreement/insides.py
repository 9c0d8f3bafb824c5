# SPDX-License-Identifier: Apache-2.0
"""Where two plans of volumes are inside a cylinder, shift by shift, from the kernel's rows.

A duration leaf is asked at each allowed shift (`stays`). A volume stands still, so the rows of
two of them over all shifts say all: at any shift, inside is whoever's own clock is within its
part of a row.

1. The guard band counts as inside: a stay may be as long as that makes it.
"""

from typing import Final

import numpy as np
import numpy.typing as npt
from msgspec.structs import replace

from keepclear.agreement.assess import merged
from keepclear.agreement.stays import Inside, Look
from keepclear.detect import sweep as column
from keepclear.detect.cylinders import Cylinder

Rows = npt.NDArray[np.float64]

GUARD_TMM: Final = 1_000
"""The guard band of a lateral minimum is never more than 0.1 m (`detect.lateral`)."""


def with_guard(cylinder: Cylinder) -> Cylinder:
    """Return a cylinder with the guard band round it: a stay may be as long as that makes it.

    Rows have the time inside the minimum where there is any; what is inside the band before
    and after may be inside the minimum too, and a slow craft is there for long.
    """
    lateral_tmm = cylinder.lateral_tmm
    return replace(cylinder, lateral_tmm=None if lateral_tmm is None else lateral_tmm + GUARD_TMM)


def look_at(rows: Rows) -> Look:
    """Return where a pair is inside, shift by shift, from its rows over all shifts."""
    ends = [column.START_A, column.END_A, column.START_B, column.END_B]
    a_from, a_to, b_from, b_to = np.rint(rows[:, ends]).astype(np.int64).T

    def look(low_us: int, high_us: int) -> Inside:
        # windows are half-open; a plan of a single instant is inside at a window's start
        meets = a_from - b_to < high_us + (b_from == b_to)
        meets &= a_to - b_from > low_us - (a_from == a_to)
        times = np.stack([
            np.maximum(a_from, b_from + low_us), np.minimum(a_to, b_to + high_us),
            np.maximum(b_from, a_from - high_us), np.minimum(b_to, a_to - low_us),
        ])[:, meets].T  # fmt: skip
        return Inside(on_a=merged(times, 0, 1), on_b=merged(times, 2, 3))

    return look
