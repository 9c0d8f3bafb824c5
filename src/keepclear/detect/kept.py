# SPDX-License-Identifier: Apache-2.0
"""One plan against many that are kept: add, remove, query.

Plans are kept in a few stores of growing size, each an index of its own; a store that is full
is joined with the next one, so that adding costs little each time and asking looks into few.
A removed plan stays in its store, marked, until it is joined.

1. A plan is known by its key and is never compared with itself.
2. A pair is computed in the order of the keys, whichever of the two is asked about: query(a)
   finds of b what query(b) finds of a, to the bit.
3. Plans are cut into pieces no longer than `fragments.longest_piece_m` says for the limits.
4. The owner alone writes: one thread at a time adds, removes or asks.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from keepclear.detect.entries import DATUM, MIXED, NO_HEIGHT, NOBODY, SLAB_US, WIDTH
from keepclear.detect.fragments import Fragments
from keepclear.detect.index import (
    Entries,
    Index,
    build,
    enter,
    farthest_m,
    highest_tmm,
    lag_of,
)
from keepclear.detect.pool import Pool
from keepclear.detect.sweep import COLUMNS, Limits
from keepclear.errors import InputError

Integers = npt.NDArray[np.int64]
Rows = npt.NDArray[np.float64]
Window = tuple[int, int]

GROWS_BY: Final = 16
ROOM: Final = 1_024
ALWAYS: Final = (-(2**62), 2**62)
MOST_GONE: Final = 1_000


@dataclass(frozen=True, kw_only=True, eq=False)
class Met:
    """What a query found.

    keys: of the plans that are met, in order. is_turned: a of the rows is the kept plan,
    because its key comes first. rows: as of `sweep`. row_met: which of the keys a row is of.
    """

    keys: tuple[str, ...]
    is_turned: tuple[bool, ...]
    rows: Rows
    row_met: Integers


@dataclass(frozen=True, kw_only=True, eq=False)
class _Store:
    """The entries of some plans, their index, and how many plans they are of."""

    entries: Entries
    index: Index
    plans: int


NOTHING: Final = Met(
    keys=(), is_turned=(), rows=np.empty((0, COLUMNS)), row_met=np.empty(0, dtype=np.int64)
)


class PlanIndex:
    """Many plans, asked about with one plan at a time, under limits that do not change."""

    def __init__(self, functions: Any, limits: Limits) -> None:
        self._functions, self._limits = functions, limits
        self._reach_m, self._lag_us = farthest_m(limits), lag_of(limits)
        self._highest_tmm = highest_tmm(limits)
        self._pool = Pool()
        self._stores: list[_Store | None] = []
        self._keys: list[str] = []  # by place in the pool, as are the groups
        self._groups: list[int] = []
        self._places: dict[str, int] = {}
        self._datums: set[float] = set()
        self._most_lag_us = 0
        self._out = _room(ROOM)
        self._rows, self._owner = _row_room(ROOM)

    def __len__(self) -> int:
        """Return how many plans are kept."""
        return len(self._places)

    def add(self, key: str, group: int, f: Fragments, plan: int = 0) -> None:
        """Keep one plan of f. `InputError` where its key is kept already."""
        self._check_new([key])
        self._pool.lay(f, plan, plan + 1)
        self._keep([key], [group])

    def add_many(self, keys: Sequence[str], groups: Sequence[int], f: Fragments) -> None:
        """Keep all plans of f, of which nothing may be written any more.

        `InputError` where a key is kept already, or stands twice.
        """
        self._check_new(keys)
        if self._pool.plans:
            self._pool.lay(f, 0, f.plans)
            self._keep(keys, groups)
        else:
            self._pool.take(f)
            self._enter(keys, groups, 0)

    def remove(self, key: str) -> None:
        """Keep a plan no longer. `InputError` where it is not kept."""
        if key not in self._places:
            raise InputError("key", key, "is not kept", "add it first")
        del self._places[key]
        gone = len(self._keys) - len(self._places)
        if gone > max(MOST_GONE, len(self._places)):
            self._pack()

    def query(
        self, key: str, group: int, f: Fragments, plan: int = 0, *, within: bool = False
    ) -> Met:
        """Return what one plan of f meets; within: plans of its own group too."""
        near = self._near(f, plan)
        wanted = sorted(
            (self._keys[place], place)
            for place in near
            if self._keys[place] != key
            and self._places.get(self._keys[place]) == place
            and (within or self._groups[place] != group)
        )
        if not wanted:
            return NOTHING
        self._pool.lay(f, plan, plan + 1)
        guest = self._pool.plans
        pairs = [(place, guest) if other < key else (guest, place) for other, place in wanted]
        rows, row_pair = self._sweep(pairs, [near[place] for _, place in wanted])
        met = {pair: number for number, pair in enumerate(dict.fromkeys(row_pair.tolist()))}
        return Met(
            keys=tuple(wanted[pair][0] for pair in met),
            is_turned=tuple(wanted[pair][0] < key for pair in met), rows=rows,
            row_met=np.array([met[pair] for pair in row_pair.tolist()], dtype=np.int64),
        )  # fmt: skip

    def _check_new(self, keys: Sequence[str]) -> None:
        known = next((key for key in keys if key in self._places), None)
        if known is not None:
            raise InputError("key", known, "is kept already", "remove it first")
        seen: set[str] = set()
        for key in keys:
            if key in seen:
                raise InputError("key", key, "stands twice", "give each plan a key of its own")
            seen.add(key)

    def _keep(self, keys: Sequence[str], groups: Sequence[int]) -> None:
        """Keep the plans laid last."""
        first = self._pool.plans
        self._pool.keep(len(keys))
        self._enter(keys, groups, first)

    def _enter(self, keys: Sequence[str], groups: Sequence[int], first: int) -> None:
        """Put the plans from a place on into the smallest store that holds all smaller ones."""
        self._keys += keys
        self._groups += groups
        self._places |= {key: first + k for k, key in enumerate(keys)}
        entries = self._entries(first, self._pool.plans)
        count, level, size = len(keys), 0, GROWS_BY
        while True:
            if level == len(self._stores):
                self._stores.append(None)
            store = self._stores[level]
            if store is not None:
                entries, count = _joined(store.entries, entries), count + store.plans
            self._stores[level] = None
            if count <= size:
                break
            level, size = level + 1, size * GROWS_BY
        index = build(self._functions, entries, self._limits)
        self._stores[level] = _Store(entries=entries, index=index, plans=count)

    def _entries(self, first: int, last: int) -> Entries:
        """Return the entries of plans of the pool."""
        f = self._pool.fragments
        some = f._replace(
            offsets=f.offsets[first : last + 1], early_us=f.early_us[first:last],
            late_us=f.late_us[first:last], clock_us=f.clock_us[first:last],
        )  # fmt: skip
        entries = enter(self._functions, some, self._limits)
        entries.owner[entries.owner != NOBODY] += first
        known = np.unique(entries.rows[entries.owner != NOBODY, DATUM]).tolist()
        self._datums |= set(known) - {float(MIXED)}
        lags = some.early_us + some.late_us
        self._most_lag_us = max(self._most_lag_us, int(lags.max(initial=0)))
        return entries

    def _pack(self) -> None:
        """Forget the plans that are gone, and keep the others in one store."""
        wanted = np.array(sorted(self._places.values()), dtype=np.int64)
        keys = [self._keys[place] for place in wanted.tolist()]
        groups = [self._groups[place] for place in wanted.tolist()]
        self._pool.pack(wanted)
        self._stores, self._keys, self._groups, self._places = [], [], [], {}
        self._datums, self._most_lag_us = set(), 0
        self._enter(keys, groups, 0)

    def _near(self, f: Fragments, plan: int) -> dict[int, Window]:
        """Return the places of plans that plan of f may meet, and from when to when."""
        begin, end = int(f.offsets[plan]), int(f.offsets[plan + 1])
        if begin == end:
            return {}
        if math.isinf(self._reach_m):
            return dict.fromkeys(range(self._pool.plans), ALWAYS)
        early_us, late_us = int(f.early_us[plan]), int(f.late_us[plan])
        first_slab = (int(f.start_us[begin]) - early_us - self._lag_us) // SLAB_US
        last_slab = (int(f.end_us[end - 1]) + late_us + self._lag_us) // SLAB_US
        count = last_slab - first_slab + 1
        if count > len(self._owner):
            self._rows, self._owner = _row_room(2 * count)
        rows, owner = self._rows[:count], self._owner[:count]
        datum = self._functions.fill_plan(
            f, plan, first_slab, self._lag_us, 0, count, rows, owner
        )  # fmt: skip
        height_tmm = self._highest_tmm if self._datums <= {float(datum)} else NO_HEIGHT
        found = 0
        for store in self._stores:
            if store is not None:
                found = self._functions.probe(
                    store.index.cells, store.index.grid, self._reach_m, height_tmm, rows, owner,
                    first_slab, self._out, found,
                )  # fmt: skip
        if found > len(self._out[0]):
            self._out = _room(2 * found)
            return self._near(f, plan)
        margin_us = early_us + late_us + self._most_lag_us + self._lag_us
        near: dict[int, Window] = {}
        for place, from_us, to_us in zip(*(c[:found].tolist() for c in self._out), strict=True):
            low, high = near.get(place, ALWAYS[::-1])
            near[place] = min(low, from_us - margin_us), max(high, to_us + margin_us)
        return near

    def _sweep(
        self, pairs: Sequence[tuple[int, int]], windows: Sequence[Window]
    ) -> tuple[Rows, Integers]:
        """Return the rows of pairs of places in the pool, one of them the plan laid last."""
        f, guest = self._pool.fragments, self._pool.plans
        has_time_leaf = self._lag_us > 0
        is_shifted = has_time_leaf or self._most_lag_us + f.early_us[guest] + f.late_us[guest] > 0
        a, b = np.array(pairs, dtype=np.int64).T.copy()
        from_us, to_us = np.array(windows, dtype=np.int64).T.copy()
        room = max(2 * len(pairs), 16)
        while True:
            rows, row_pair = np.empty((room, COLUMNS)), np.empty(room, dtype=np.int64)
            given = (a, b, from_us, to_us, 0, len(pairs), rows, row_pair)
            if is_shifted:
                after, count = self._functions.sweep_pairs_shifted(
                    f, self._limits, self._reach_m, has_time_leaf, *given
                )
            else:
                after, count = self._functions.sweep_pairs(
                    f, self._limits, self._reach_m, *given
                )  # fmt: skip
            if after == len(pairs):
                return rows[:count], row_pair[:count]
            room *= 2


def _joined(one: Entries, other: Entries) -> Entries:
    return Entries(
        rows=np.concatenate([one.rows, other.rows]),
        owner=np.concatenate([one.owner, other.owner]),
        places=np.concatenate([one.places[:-1], other.places + one.places[-1]]),
        first_slab=np.concatenate([one.first_slab, other.first_slab]),
    )


def _room(room: int) -> tuple[Integers, Integers, Integers]:
    return (
        np.empty(room, dtype=np.int64), np.empty(room, dtype=np.int64),
        np.empty(room, dtype=np.int64),
    )  # fmt: skip


def _row_room(room: int) -> tuple[npt.NDArray[np.float32], Integers]:
    return np.empty((room, WIDTH), dtype=np.float32), np.empty(room, dtype=np.int64)
