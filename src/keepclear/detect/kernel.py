# SPDX-License-Identifier: Apache-2.0
"""Pairs of plans in, encounters inside the cylinders out.

`every_pair` is the brute force: all pairs, no index. `candidates` is the fast path.
Rows of `sweep` are kept per pair; `sweep.Column` names what is in them.
"""

import math
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from keepclear.detect.cylinders import Cylinder
from keepclear.detect.encounter import NOT_THERE
from keepclear.detect.fragments import Fragments
from keepclear.detect.sweep import COLUMNS, Limits

KERNEL: Final = "1"

Rows = npt.NDArray[np.float64]
Functions = Any
"""The kernel's functions, as they stand or compiled (`compiled`)."""


def limits_of(cylinders: Sequence[Cylinder], *, uncertainty: bool = True) -> Limits:
    """Return cylinders as columns."""

    def whole(values: list[int | None], missing: int) -> npt.NDArray[np.int64]:
        return np.array([missing if v is None else v for v in values], dtype=np.int64)

    return Limits(
        lateral_m=np.array(
            [math.inf if c.lateral_tmm is None else c.lateral_tmm / 10_000 for c in cylinders]
        ),
        vertical_tmm=whole(
            [None if c.vertical_tmm is None else c.vertical_tmm + c.vertical_is_closed
             for c in cylinders], -1,
        ),
        both_from_tmm=whole([c.both_from_tmm for c in cylinders], NOT_THERE),
        one_above_tmm=whole([c.one_above_tmm for c in cylinders], NOT_THERE),
        zone=whole([c.zone for c in cylinders], -1),
        time_us=whole([c.time_us for c in cylinders], 0),
        uncertainty=np.full(len(cylinders), int(uncertainty), dtype=np.int64),
    )  # fmt: skip


def as_lists(arrays: Any) -> Any:
    """Return a tuple of arrays as the same tuple of lists, which plain code reads faster."""
    return type(arrays)(*(column.tolist() for column in arrays))


def sweep_pair(
    functions: Any, f: Fragments, a: int, b: int, limits: Limits,
    from_us: int = -(2**62), to_us: int = 2**62, lags: tuple[int, int] = (NOT_THERE, NOT_THERE),
) -> Rows:  # fmt: skip
    """Return the rows of one pair, a < b, with as much room as they take.

    lags: only pairs of times whose difference is in this range (microseconds).
    """
    farthest_m = max(limits.lateral_m)
    room = 64
    while True:
        rows = np.empty((room, COLUMNS))
        if is_shifted(f, a, b, limits) or lags[0] != NOT_THERE:
            count = functions.sweep_shifted(
                f, a, b, limits, farthest_m, from_us, to_us, *lags, rows, 0
            )
        else:
            count = functions.sweep(f, a, b, limits, farthest_m, from_us, to_us, rows, 0)
        if count <= room:
            return rows[:count]
        room = count


def is_shifted(f: Fragments, a: int, b: int, limits: Limits) -> bool:
    """Tell whether the pair is compared at unequal times too."""
    plans = f.early_us[a] + f.late_us[a] + f.early_us[b] + f.late_us[b]
    return bool(plans > 0 or max(limits.time_us) > 0)
