# SPDX-License-Identifier: Apache-2.0
"""The fast path: coarse entries in sorted cells, then the exact sweep of what can meet.

`detect` finds all rows of many plans; `every_pair` finds the same without an index, for tests
and for cylinders that have no lateral minimum.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from keepclear.detect.fragments import Fragments
from keepclear.detect.slabs import MIXED, NO_HEIGHT, Entries
from keepclear.detect.sweep import COLUMNS, Limits

Integers = npt.NDArray[np.int64]
Rows = npt.NDArray[np.float64]

SLAB_US: Final = 200_000_000
ROOM: Final = 1 << 16
Progress = Callable[[float], None]


@dataclass(frozen=True, kw_only=True, eq=False)
class Detected:
    """Rows of all pairs that are inside a cylinder.

    a, b: plans of the pairs that were swept, a < b. rows: see `sweep`. row_pair: place of a
    row's pair in a and b; ascending.
    """

    a: Integers
    b: Integers
    rows: Rows
    row_pair: Integers


@dataclass(frozen=True, kw_only=True, eq=False)
class Index:
    """Entries in order of their cells, for one reach."""

    entries: Entries
    keys: Integers
    cell_m: float
    first_slab: int
    slab_us: int
    reach_m: float


def farthest_m(limits: Limits) -> float:
    """Return the greatest lateral minimum; inf where a cylinder has none."""
    return float(max(limits.lateral_m))


def highest_tmm(limits: Limits) -> float:
    """Return the greatest vertical minimum; `NO_HEIGHT` where a cylinder has none."""
    least = min(limits.vertical_tmm)
    return NO_HEIGHT if least < 0 else float(max(limits.vertical_tmm))


def build(
    functions: Any, f: Fragments, limits: Limits, slab_us: int = SLAB_US, given: Any = None
) -> Index:
    """Return the index of all plans for the reach of these limits.

    given: the same fragments as the functions take them, where that is not arrays.
    """
    given = f if given is None else given
    plans = len(f.offsets) - 1
    lag_us = (int(max(limits.time_us)) + 1) // 2
    room = functions.count_entries(given, 0, plans, slab_us, lag_us)
    entries = _empty_entries(room)
    count = functions.fill_entries(given, 0, plans, slab_us, lag_us, entries, 0)
    entries = _take(entries, slice(count))
    reach = farthest_m(limits)
    speed = np.sqrt(
        entries.vx.astype(float) ** 2 + entries.vy.astype(float) ** 2
        + entries.vz.astype(float) ** 2
    )  # fmt: skip
    radius = speed * 0.5 * (entries.end_s - entries.start_s) + entries.error_m
    cell_m = max(reach + 2.0 * float(radius.max(initial=0.0)) + 100.0, 8_000.0)
    first_slab = int(entries.slab.min(initial=0)) if count else 0
    keys = np.empty(count, dtype=np.int64)
    functions.fill_keys(entries, cell_m, first_slab, keys)
    order = np.argsort(keys, kind="stable")
    return Index(
        entries=_take(entries, order), keys=keys[order],
        cell_m=cell_m, first_slab=first_slab, slab_us=slab_us, reach_m=reach,
    )  # fmt: skip


def candidates(
    functions: Any, index: Index, groups: Integers, within: bool, limits: Limits,
    progress: Progress | None = None,
) -> tuple[Integers, Integers, Integers, Integers]:  # fmt: skip
    """Return pairs that can meet (a < b, in order), and from which to which slab."""
    total = len(index.keys)
    datums = index.entries.datum[index.entries.datum != MIXED]
    height_tmm = highest_tmm(limits) if (datums == datums[:1]).all() else NO_HEIGHT
    parts: list[tuple[Integers, Integers, Integers]] = []
    at, step = 0, max(total // 64, 4096)
    room = ROOM
    while at < total:
        out = tuple(np.empty(room, dtype=np.int64) for _ in range(3))
        after, count = functions.join(
            index.entries, index.keys, groups, within, index.reach_m, height_tmm,
            at, min(at + step, total), *out,
        )  # fmt: skip
        if after == at:
            room *= 2
            continue
        parts.append((out[0][:count], out[1][:count], out[2][:count]))
        at = after
        if progress is not None:
            progress(at / total)
    return group_pairs(parts, len(groups))


def group_pairs(
    parts: list[tuple[Integers, Integers, Integers]], plans: int
) -> tuple[Integers, Integers, Integers, Integers]:
    """Return each pair once, in order, with its first and last slab."""
    if not parts:
        nothing = np.empty(0, dtype=np.int64)
        return nothing, nothing, nothing, nothing
    a, b, slab = (np.concatenate([part[k] for part in parts]) for k in range(3))
    pair = a * plans + b
    order = np.argsort(pair, kind="stable")
    pair, slab = pair[order], slab[order]
    starts = np.flatnonzero(np.append(True, pair[1:] != pair[:-1])[: len(pair)])
    if not len(starts):
        return pair, pair, pair, pair
    first = np.minimum.reduceat(slab, starts)
    last = np.maximum.reduceat(slab, starts)
    return pair[starts] // plans, pair[starts] % plans, first, last


def sweep_all(
    functions: Any, f: Fragments, limits: Limits, a: Integers, b: Integers, from_us: Integers,
    to_us: Integers, progress: Progress | None = None,
) -> Detected:  # fmt: skip
    """Return the rows of the given pairs."""
    parts: list[Rows] = []
    pair_parts: list[Integers] = []
    at, room, step = 0, ROOM, max(len(a) // 64, 64)
    has_time_leaf = bool(max(limits.time_us) > 0)
    lag_us = np.max(f.early_us, initial=0) + np.max(f.late_us, initial=0)
    is_shifted = has_time_leaf or lag_us > 0
    while at < len(a):
        rows, row_pair = np.empty((room, COLUMNS)), np.empty(room, dtype=np.int64)
        until = min(at + step, len(a))
        given = (a, b, from_us, to_us, at, until, rows, row_pair)
        if is_shifted:
            after, count = functions.sweep_pairs_shifted(
                f, limits, farthest_m(limits), has_time_leaf, *given
            )
        else:
            after, count = functions.sweep_pairs(f, limits, farthest_m(limits), *given)
        if after == at:
            room *= 2
            continue
        parts.append(rows[:count].copy())
        pair_parts.append(row_pair[:count].copy())
        at = after
        if progress is not None:
            progress(at / len(a))
    empty = np.empty((0, COLUMNS))
    return Detected(
        a=a, b=b, rows=np.concatenate([empty, *parts]),
        row_pair=np.concatenate([np.empty(0, dtype=np.int64), *pair_parts]),
    )  # fmt: skip


def near_pairs(
    functions: Any, f: Fragments, groups: Integers, within: bool, limits: Limits,
    progress: Progress | None = None, given: Any = None,
) -> tuple[Integers, Integers, Integers, Integers]:  # fmt: skip
    """Return the pairs that may be inside a cylinder (a < b, in order), and from when to when.

    groups: one a plan; only pairs of different groups, `within`: of one group too. Where a
    cylinder has no lateral minimum, that is every pair.
    """
    if math.isinf(farthest_m(limits)):
        return all_pairs(groups, within)
    index = build(functions, f, limits, given=given)
    a, b, first, last = candidates(functions, index, groups, within, limits, progress)
    lag_us = (int(max(limits.time_us)) + 1) // 2
    margin_us = int(f.early_us.max(initial=0) + f.late_us.max(initial=0)) + lag_us
    return a, b, first * index.slab_us - margin_us, (last + 1) * index.slab_us + margin_us


def all_pairs(groups: Integers, within: bool) -> tuple[Integers, Integers, Integers, Integers]:
    """Return every pair of different groups (`within`: of one group too), at all times."""
    a, b = np.triu_indices(len(groups), k=1)
    wanted = np.full(len(a), True) if within else groups[a] != groups[b]
    a, b = a[wanted].astype(np.int64), b[wanted].astype(np.int64)
    always = np.full(len(a), 2**62, dtype=np.int64)
    return a, b, -always, always


def detect(
    functions: Any, f: Fragments, groups: Integers, within: bool, limits: Limits,
    progress: Progress | None = None,
) -> Detected:  # fmt: skip
    """Return the rows of all pairs of different groups (`within`: of one group too)."""
    near = near_pairs(functions, f, groups, within, limits, progress)
    return sweep_all(functions, f, limits, *near)


def every_pair(
    functions: Any, f: Fragments, groups: Integers, within: bool, limits: Limits
) -> Detected:
    """Return the same by brute force: no entries, no cells, no early rejection of a pair."""
    return sweep_all(functions, f, limits, *all_pairs(groups, within))


def _take(entries: Entries, which: Integers | slice) -> Entries:
    return Entries._make(column[which] for column in entries)


def _empty_entries(room: int) -> Entries:
    kinds = {"slab": np.int64, "plan": np.int64, "datum": np.int32}
    return Entries._make(
        np.empty(room, dtype=kinds.get(name, np.float32)) for name in Entries._fields
    )
