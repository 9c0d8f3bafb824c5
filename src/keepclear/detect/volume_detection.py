# SPDX-License-Identifier: Apache-2.0
"""Volumes against each other and against trajectories: boxes that meet, then the exact kernel.

`detect_volumes` and `detect_entries` take the fast path; `every_volume_pair` and `every_entry`
find the same without a tree, for tests and for cylinders that have no lateral minimum.

1. Things of one owner (a plan with several volumes) are never compared; things of one group
   (a party) only `within`.
2. Rows are those of `sweep`: of two volumes, a is the one in the lower place; of a trajectory
   and a volume, a is the trajectory.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from keepclear.detect.boxes import boxes_of_trajectories, boxes_of_volumes, tree_of
from keepclear.detect.fragments import Fragments
from keepclear.detect.index import Detected, Progress, farthest_m
from keepclear.detect.skeletons import (
    EARLY_US,
    LATE_US,
    UNSURE_M,
    Volumes,
)
from keepclear.detect.sweep import COLUMNS, Limits

Integers = npt.NDArray[np.int64]
Pairs = tuple[Integers, Integers]
# (first, last, out_a, out_b) -> next, count; and (first, last, rows, row_pair) -> the same
Finder = Callable[[int, int, Integers, Integers], tuple[int, int]]
Sweeper = Callable[[int, int, Any, Integers], tuple[int, int]]

ROOM: Final = 1 << 16
ROUNDING_US: Final = 4.0  # microseconds as float64, far beyond the year 2200


@dataclass(frozen=True, kw_only=True, eq=False)
class Things:
    """Whose things are: of each the number of its owner (a plan) and of its group (a party)."""

    owners: Integers
    groups: Integers


def reach_of(v: Volumes, limits: Limits, lateral_m: float = 0.0) -> float:
    """Return how far apart boxes of compared things can be; lateral_m: the others' uncertainty."""
    own_m = float(v.sizes[:, UNSURE_M].max(initial=0.0))
    return farthest_m(limits) + own_m + max(own_m, lateral_m)


def detect_volumes(
    functions: Any, v: Volumes, things: Things, within: bool, limits: Limits,
    progress: Progress | None = None,
) -> Detected:  # fmt: skip
    """Return the rows of all pairs of volumes."""
    if math.isinf(farthest_m(limits)):
        return every_volume_pair(functions, v, things, within, limits, progress)
    tree = tree_of(boxes_of_volumes(v))
    late_us = int(v.terms[:, [EARLY_US, LATE_US]].max(axis=0, initial=0).sum())
    lag_us = late_us + int(max(limits.time_us)) + ROUNDING_US
    reach_m = reach_of(v, limits)
    places = np.empty(v.volumes, dtype=np.int64)

    def find(first: int, last: int, out_a: Integers, out_b: Integers) -> tuple[int, int]:
        found: tuple[int, int] = functions.join_tree(
            tree, reach_m, lag_us, things.owners, things.groups, within, first, last, places,
            out_a, out_b,
        )  # fmt: skip
        return found

    a, b = _gather(find, v.volumes, v.volumes)
    return overlap_all(functions, v, a, b, limits, progress)


def detect_entries(
    functions: Any, f: Fragments, f_things: Things, v: Volumes, v_things: Things, within: bool,
    limits: Limits, progress: Progress | None = None,
) -> Detected:  # fmt: skip
    """Return the rows of all pairs of a trajectory (a) and a volume (b)."""
    if math.isinf(farthest_m(limits)):
        return every_entry(functions, f, f_things, v, v_things, within, limits, progress)
    tree = tree_of(boxes_of_volumes(v))
    boxes, owner = boxes_of_trajectories(f)
    reach_m = reach_of(v, limits, float(f.leg_lateral_m.max(initial=0.0)))
    late_us, early_us = int(f.late_us.max(initial=0)), int(f.early_us.max(initial=0))
    lag_us = int(max(limits.time_us)) + ROUNDING_US
    after_us = late_us + int(v.terms[:, EARLY_US].max(initial=0)) + lag_us
    before_us = early_us + int(v.terms[:, LATE_US].max(initial=0)) + lag_us
    places = np.empty(v.volumes, dtype=np.int64)

    def find(first: int, last: int, out_a: Integers, out_b: Integers) -> tuple[int, int]:
        found: tuple[int, int] = functions.match_tree(
            tree, boxes, owner, reach_m, before_us, after_us, f_things.owners, f_things.groups,
            v_things.owners, v_things.groups, within, first, last, places, out_a, out_b,
        )  # fmt: skip
        return found

    a, b = _gather(find, len(boxes), v.volumes)
    return sweep_entries(functions, f, v, a, b, limits, progress)


def every_volume_pair(
    functions: Any, v: Volumes, things: Things, within: bool, limits: Limits,
    progress: Progress | None = None,
) -> Detected:  # fmt: skip
    """Return the same as `detect_volumes` by brute force."""
    a, b = np.triu_indices(v.volumes, k=1)
    wanted = things.owners[a] != things.owners[b]
    if not within:
        wanted &= things.groups[a] != things.groups[b]
    a, b = a[wanted].astype(np.int64), b[wanted].astype(np.int64)
    return overlap_all(functions, v, a, b, limits, progress)


def every_entry(
    functions: Any, f: Fragments, f_things: Things, v: Volumes, v_things: Things, within: bool,
    limits: Limits, progress: Progress | None = None,
) -> Detected:  # fmt: skip
    """Return the same as `detect_entries` by brute force."""
    a = np.repeat(np.arange(f.plans), v.volumes)
    b = np.tile(np.arange(v.volumes), f.plans)
    wanted = f_things.owners[a] != v_things.owners[b]
    if not within:
        wanted &= f_things.groups[a] != v_things.groups[b]
    return sweep_entries(functions, f, v, a[wanted], b[wanted], limits, progress)


def overlap_all(
    functions: Any, v: Volumes, a: Integers, b: Integers, limits: Limits,
    progress: Progress | None = None,
) -> Detected:  # fmt: skip
    """Return the rows of the given pairs of volumes, a < b."""
    unturned = np.zeros(len(a), dtype=np.int64)

    def run(first: int, last: int, rows: Any, row_pair: Integers) -> tuple[int, int]:
        done: tuple[int, int] = functions.overlap_pairs(
            v, v, limits, farthest_m(limits), a, b, unturned, first, last, rows, row_pair, 0
        )
        return done

    return _collect(run, a, b, progress)


def sweep_entries(
    functions: Any, f: Fragments, v: Volumes, a: Integers, b: Integers, limits: Limits,
    progress: Progress | None = None,
) -> Detected:  # fmt: skip
    """Return the rows of the given pairs of trajectory and volume."""

    def run(first: int, last: int, rows: Any, row_pair: Integers) -> tuple[int, int]:
        done: tuple[int, int] = functions.sweep_volume_pairs(
            f, v, limits, farthest_m(limits), a, b, first, last, rows, row_pair, 0
        )
        return done

    return _collect(run, a, b, progress)


def _gather(find: Finder, boxes: int, things: int) -> Pairs:
    """Return the pairs that a finder finds, each once, in order."""
    parts: list[Integers] = []
    at, room = 0, ROOM
    out_a, out_b = np.empty(room, dtype=np.int64), np.empty(room, dtype=np.int64)
    while at < boxes:
        after, count = find(at, boxes, out_a, out_b)
        parts.append(out_a[:count] * things + out_b[:count])
        if after == at:
            room *= 2
            out_a, out_b = np.empty(room, dtype=np.int64), np.empty(room, dtype=np.int64)
        at = after
    pairs = np.unique(np.concatenate([np.empty(0, dtype=np.int64), *parts]))
    return pairs // max(things, 1), pairs % max(things, 1)


def _collect(run: Sweeper, a: Integers, b: Integers, progress: Progress | None) -> Detected:
    """Return the rows of all pairs, with as much room as they take."""
    parts: list[Any] = []
    pair_parts: list[Integers] = []
    at, room, step = 0, ROOM // 16, max(len(a) // 64, 64)
    while at < len(a):
        rows, row_pair = np.empty((room, COLUMNS)), np.empty(room, dtype=np.int64)
        after, count = run(at, min(at + step, len(a)), rows, row_pair)
        if after == at:
            room *= 2
            continue
        parts.append(rows[:count].copy())
        pair_parts.append(row_pair[:count].copy())
        at = after
        if progress is not None:
            progress(at / len(a))
    return Detected(
        a=a, b=b, rows=np.concatenate([np.empty((0, COLUMNS)), *parts]),
        row_pair=np.concatenate([np.empty(0, dtype=np.int64), *pair_parts]),
    )  # fmt: skip
