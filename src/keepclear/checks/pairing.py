# SPDX-License-Identifier: Apache-2.0
"""What the kernel found for one pair, with what has to be asked of it again.

Duration leaves are asked shift by shift (`agreement.stays`), and the margin without uncertainty
needs a second look with wider minima, because it may be least where nothing was found.
"""

from collections.abc import Sequence
from functools import partial
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
from msgspec.structs import replace

from keepclear.agreement.assess import Assessment, assess, merged
from keepclear.agreement.findings import Interval
from keepclear.agreement.insides import with_guard
from keepclear.agreement.stays import Asked, Clock, Inside, Stay, judge_stay, shifts_between
from keepclear.checks.binding import Bound
from keepclear.detect import sweep as column
from keepclear.detect.cylinders import Cylinder
from keepclear.detect.encounter import NOT_THERE
from keepclear.detect.fragments import Fragments, take_pair
from keepclear.detect.kernel import as_lists, limits_of, sweep_pair
from keepclear.detect.sweep import Limits

Rows = npt.NDArray[np.float64]

WIDEST_M: Final = 100_000.0


class Kernel(NamedTuple):
    """The kernel's functions, and the plans as they take them: arrays, or lists where plain."""

    functions: Any
    is_plain: bool
    fragments: Fragments

    def give(self, arrays: Any) -> Any:
        """Return arrays as the functions take them."""
        return as_lists(arrays) if self.is_plain else arrays

    def rows(self, f: Fragments, a: int, b: int, limits: Limits, lags: tuple[int, int]) -> Rows:
        """Return the rows of one pair; lags: see `kernel.sweep_pair`."""
        return sweep_pair(self.functions, self.give(f), a, b, self.give(limits), lags=lags)


class Pair(NamedTuple):
    """Two plans by their place among the plans with points, a < b, and what binds them."""

    a: int
    b: int
    bound: Bound
    gaps_a: Sequence[Interval]
    gaps_b: Sequence[Interval]


def assess_pair(kernel: Kernel, pair: Pair, rows: Rows) -> tuple[Assessment, float | None]:
    """Return what the rows of a pair amount to, and the margin without uncertainty."""
    has_unknown = bool((rows[:, column.VERDICT] == column.UNDETERMINED).any())
    stays = {
        number: _stay(kernel, pair, cylinder, has_unknown=has_unknown)
        for number, (_, cylinder) in enumerate(pair.bound)
        if cylinder.duration_us is not None and (rows[:, column.CYLINDER] == number).any()
    }
    found = assess(rows, pair.bound, stays)
    if not _is_uncertain(kernel.fragments, pair):
        return found, found.margin_m
    return found, _bare_margin(kernel, pair)


def _is_uncertain(f: Fragments, pair: Pair) -> bool:
    for plan in (pair.a, pair.b):
        legs = f.leg[f.offsets[plan] : f.offsets[plan + 1]]
        if f.clock_us[plan] or f.leg_lateral_m[legs].any() or f.leg_vertical_tmm[legs].any():
            return True
    return False


def _bare_margin(kernel: Kernel, pair: Pair) -> float | None:
    """Return the least margin without uncertainty, None where it is beyond 100 km or unknown.

    Minima widened by w have margins less by w, so the first w at which something is found
    gives the margin.
    """
    f, a, b = kernel.fragments, pair.a, pair.b
    shifts_us = (f.early_us + f.late_us - 2 * f.clock_us)[[a, b]]
    has_time_leaf = any(cylinder.time_us for _, cylinder in pair.bound)
    if not shifts_us.any() and not has_time_leaf:
        f, a, b = take_pair(f, a, b, 0), 0, 1
    widening_m = 1_000.0
    while widening_m < WIDEST_M:
        limits = widened(pair.bound, widening_m)
        rows = kernel.rows(f, a, b, limits, (NOT_THERE, NOT_THERE))
        margins = rows[:, column.MARGIN_M]
        if len(rows) and not np.isnan(margins).all():
            least_m = float(np.nanmin(margins))
            if least_m < 0:
                return least_m + widening_m
        widening_m *= 4
    return None


def widened(bound: Bound, widening_m: float) -> Limits:
    """Return the pair's limits without uncertainty, every minimum greater by a length."""
    widening_tmm = round(widening_m * 10_000)
    return limits_of([_wider(cylinder, widening_tmm) for _, cylinder in bound], uncertainty=False)


def _wider(cylinder: Cylinder, by_tmm: int) -> Cylinder:
    lateral, vertical = cylinder.lateral_tmm, cylinder.vertical_tmm
    return replace(
        cylinder, lateral_tmm=None if lateral is None else lateral + by_tmm,
        vertical_tmm=None if vertical is None else vertical + by_tmm,
    )  # fmt: skip


def _stay(kernel: Kernel, pair: Pair, cylinder: Cylinder, *, has_unknown: bool) -> Stay:
    """Return what a duration leaf says of a pair; has_unknown: some heights cannot be compared."""
    f = kernel.fragments
    a, b = pair.a, pair.b
    guarded = with_guard(cylinder)
    limits = limits_of([guarded])
    clock_a, clock_b = clock_of(f, a), clock_of(f, b)
    bare = limits_of([replace(guarded, time_us=None)])

    def look(low_us: int, high_us: int, *, is_known: bool = False) -> Inside:
        if low_us == high_us:
            both = take_pair(f, a, b, low_us)
            rows = kernel.rows(both, 0, 1, bare, (NOT_THERE, NOT_THERE))
            rows[:, [column.START_B, column.END_B]] -= low_us
        else:
            rows = kernel.rows(f, a, b, limits, (low_us, high_us))
        if is_known:
            rows = rows[rows[:, column.VERDICT] != column.UNDETERMINED]
        return Inside(
            on_a=merged(rows, column.START_A, column.END_A),
            on_b=merged(rows, column.START_B, column.END_B),
        )

    return judge_stay(
        Asked(look, clock_a, clock_b, pair.gaps_a, pair.gaps_b, cylinder.duration_us or 0,
              cylinder.reset_us),
        partial(look, is_known=True) if has_unknown else None,
        shifts_between(clock_a, clock_b, cylinder.time_us or 0),
    )  # fmt: skip


def clock_of(f: Fragments, plan: int) -> Clock:
    """Return when a plan with points is there, and by how much it may run early or late."""
    return Clock(
        int(f.start_us[f.offsets[plan]]), int(f.end_us[f.offsets[plan + 1] - 1]),
        int(f.early_us[plan]), int(f.late_us[plan]),
    )  # fmt: skip
