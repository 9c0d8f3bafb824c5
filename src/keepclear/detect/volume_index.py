# SPDX-License-Identifier: Apache-2.0
"""One plan against many volumes that are kept: add, remove, query.

Volumes are kept in a few stores of growing size, each with its own tree; a store that is full
is joined with the next one, so that adding costs little each time and asking looks into few
trees. A removed plan's volumes stay in their store, marked, until it is joined.

1. A plan is known by its key, and its volumes are never compared with each other.
2. A pair is computed in the order of the keys, whichever of the two is asked about:
   query(a) finds of b what query(b) finds of a, to the bit.
3. The owner alone writes: one thread at a time adds, removes or asks.
"""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from keepclear.detect.box_tree import Tree
from keepclear.detect.boxes import boxes_of_trajectories, boxes_of_volumes, tree_of
from keepclear.detect.fragments import Fragments
from keepclear.detect.index import Rows, farthest_m
from keepclear.detect.skeletons import EARLY_US, LATE_US, UNSURE_M, Volumes
from keepclear.detect.sweep import COLUMNS, Limits
from keepclear.detect.volume_arrays import join_volumes, take_volumes
from keepclear.errors import InputError

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

GROWS_BY: Final = 16
ROOM: Final = 4096
ROUNDING_US: Final = 4.0
GONE: Final = -1
NOBODY: Final = -(2**62)


@dataclass(frozen=True, kw_only=True, eq=False)
class Hits:
    """What a query found.

    keys: of the plans that are met, with `number`, which of the plan's volumes it is; `own`:
    which volume of the plan asked about. rows: as
    of `sweep`; `is_turned`: a is the kept volume, because its key comes first. row_hit: which
    of the keys a row is of.
    """

    keys: tuple[str, ...]
    number: tuple[int, ...]
    own: tuple[int, ...]
    is_turned: tuple[bool, ...]
    rows: Rows
    row_hit: Integers


@dataclass(kw_only=True, eq=False)
class _Store:
    """Volumes with their tree; written by the index alone.

    names: the keys, each once, sorted; ranks: the place of each volume's key in them, GONE
    where it is kept no longer. reach_m, lag_us: how far apart boxes of compared things can be,
    but for what the asking plan may be off by.
    """

    volumes: Volumes
    tree: Tree
    names: list[str]
    ranks: Integers
    numbers: Integers
    groups: Integers
    reach_m: float
    lag_us: float


class _Part(NamedTuple):
    """What was found in one store: places, whether turned, rows, and of which place they are."""

    store: _Store
    own: Integers
    kept: Integers
    turned: Integers
    rows: Rows
    row_pair: Integers


NOTHING: Final = Hits(
    keys=(), number=(), own=(), is_turned=(), rows=np.empty((0, COLUMNS)),
    row_hit=np.empty(0, dtype=np.int64),
)  # fmt: skip


class VolumeIndex:
    """Volumes of many plans, asked about with one plan at a time."""

    def __init__(self, functions: Any, limits: Limits) -> None:
        self._functions, self._limits = functions, limits
        self._stores: list[_Store | None] = []
        self._places: dict[str, list[tuple[_Store, int]]] = {}
        self._farthest_m = farthest_m(limits)
        self._longest_us = int(max(limits.time_us)) + ROUNDING_US
        self._own, self._kept = np.empty(ROOM, dtype=np.int64), np.empty(ROOM, dtype=np.int64)

    def __len__(self) -> int:
        """Return how many plans are kept."""
        return len(self._places)

    def add(self, key: str, group: int, volumes: Volumes) -> None:
        """Keep a plan. `InputError` where its key is kept already."""
        self.add_many([key] * volumes.volumes, [group] * volumes.volumes, volumes)

    def add_many(self, keys: Sequence[str], groups: Sequence[int], volumes: Volumes) -> None:
        """Keep many plans at once; keys, groups: one a volume, a plan's volumes in a row."""
        known = next((key for key in keys if key in self._places), None)
        if known is not None:
            raise InputError("key", known, "is kept already", "remove it first")
        numbers = [0] * len(keys)
        for i in range(1, len(keys)):
            numbers[i] = numbers[i - 1] + 1 if keys[i] == keys[i - 1] else 0
        self._put(volumes, list(keys), numbers, list(groups))

    def remove(self, key: str) -> None:
        """Keep a plan no longer. `InputError` where it is not kept."""
        if key not in self._places:
            raise InputError("key", key, "is not kept", "add it first")
        for store, place in self._places.pop(key):
            store.ranks[place] = GONE

    def query(self, key: str, group: int, volumes: Volumes, *, within: bool = False) -> Hits:
        """Return what the volumes of one plan meet; within: plans of its own group too."""
        near = self._functions.near_volumes
        left_out = NOBODY if within else group
        parts = []
        for store in self._stores:
            if store is None:
                continue
            # one compiled call and nothing else where nothing is near, as for most stores
            count = near(
                store.tree, volumes.sizes, volumes.terms, store.reach_m, store.lag_us, store.ranks,
                store.groups, left_out, self._own, self._kept,
            )  # fmt: skip
            if count > len(self._kept):
                self._make_room(count)
                return self.query(key, group, volumes, within=within)
            if count:
                parts += self._overlaps(volumes, store, count, key)
        return _hits(parts) if parts else NOTHING

    def query_trajectory(
        self, key: str, group: int, fragments: Fragments, plan: int, *, within: bool = False
    ) -> Hits:
        """Return what one trajectory meets; a of the rows is the trajectory."""
        own = _one_plan(fragments, plan)
        boxes, _ = boxes_of_trajectories(own)
        lateral_m = float(own.leg_lateral_m[own.leg].max(initial=0.0))
        late_us = float(fragments.early_us[plan] + fragments.late_us[plan])
        parts = []
        for store in self._stores:
            if store is None:
                continue
            count = self._functions.probe_all(
                store.tree, boxes, store.reach_m + lateral_m, store.lag_us + late_us, store.ranks,
                store.groups, NOBODY if within else group, self._own, self._kept,
            )  # fmt: skip
            if count > len(self._kept):
                self._make_room(count)
                return self.query_trajectory(key, group, fragments, plan, within=within)
            kept = np.unique(self._kept[:count])
            kept = kept[store.ranks[kept] != _rank_of(store, key)[1]]
            if len(kept):
                parts.append(self._sweeps(own, store, kept))
        return _hits(parts) if parts else NOTHING

    def _make_room(self, count: int) -> None:
        self._own, self._kept = (np.empty(2 * count, dtype=np.int64) for _ in range(2))

    def _overlaps(self, v: Volumes, store: _Store, count: int, key: str) -> list[_Part]:
        """Return the rows of the pairs that came near, if any; the plan of this key left out."""
        own, kept = self._own[:count].copy(), self._kept[:count].copy()
        ranks = store.ranks[kept]
        rank, same = _rank_of(store, key)
        if same >= 0:
            others = ranks != same
            own, kept, ranks = own[others], kept[others], ranks[others]
        turned = (ranks < rank).astype(np.int64)
        room = len(self._limits.lateral_m) * len(kept)
        rows, row_pair = np.empty((room, COLUMNS)), np.empty(room, dtype=np.int64)
        _, count = self._functions.overlap_pairs(
            v, store.volumes, self._limits, self._farthest_m, own, kept, turned, 0, len(kept),
            rows, row_pair, 0,
        )  # fmt: skip
        return [_Part(store, own, kept, turned, rows[:count], row_pair[:count])] if count else []

    def _sweeps(self, f: Fragments, store: _Store, kept: Integers) -> _Part:
        own = np.zeros(len(kept), dtype=np.int64)
        room = 64
        while True:
            rows, row_pair = np.empty((room, COLUMNS)), np.empty(room, dtype=np.int64)
            after, count = self._functions.sweep_volume_pairs(
                f, store.volumes, self._limits, self._farthest_m, own, kept,
                0, len(kept), rows, row_pair, 0,
            )  # fmt: skip
            if after == len(kept):
                return _Part(store, own, kept, own, rows[:count], row_pair[:count])
            room *= 2

    def _put(
        self, volumes: Volumes, keys: list[str], numbers: list[int], groups: list[int]
    ) -> None:
        """Put volumes into the smallest store that holds them with all smaller ones."""
        level, size = 0, GROWS_BY
        joined = [volumes]
        while True:
            if level == len(self._stores):
                self._stores.append(None)
            store = self._stores[level]
            if store is not None:
                kept = np.flatnonzero(store.ranks != GONE).tolist()
                if kept:
                    joined.append(take_volumes(store.volumes, kept))
                keys += [store.names[rank] for rank in store.ranks[kept].tolist()]
                numbers += store.numbers[kept].tolist()
                groups += store.groups[kept].tolist()
            if len(keys) <= size:
                break
            self._stores[level] = None
            level, size = level + 1, size * GROWS_BY
        self._stores[level] = self._store(join_volumes(joined), keys, numbers, groups)

    def _store(
        self, volumes: Volumes, keys: list[str], numbers: list[int], groups: list[int]
    ) -> _Store:
        names = sorted(set(keys))
        rank_of = {name: rank for rank, name in enumerate(names)}
        lasts_us = float(volumes.terms[:, [EARLY_US, LATE_US]].max(axis=0, initial=0).sum())
        store = _Store(
            volumes=volumes, tree=tree_of(boxes_of_volumes(volumes)), names=names,
            ranks=np.array([rank_of[key] for key in keys], dtype=np.int64),
            numbers=np.array(numbers, dtype=np.int64), groups=np.array(groups, dtype=np.int64),
            reach_m=self._farthest_m + float(volumes.sizes[:, UNSURE_M].max(initial=0.0)),
            lag_us=lasts_us + self._longest_us,
        )  # fmt: skip
        for key in names:
            self._places[key] = []
        for place, key in enumerate(keys):
            self._places[key].append((store, place))
        return store


def _rank_of(store: _Store, key: str) -> tuple[int, int]:
    """Return how many of a store's keys come before one, and the same or GONE where it is none."""
    rank = bisect_left(store.names, key)
    is_there = rank < len(store.names) and store.names[rank] == key
    return rank, rank if is_there else GONE


def _hits(parts: list[_Part]) -> Hits:
    """Return the hits that have rows, in order of key and number."""
    found = []
    for part in parts:
        for pair in np.unique(part.row_pair).tolist():
            place = part.kept[pair]
            found.append((part.store.names[part.store.ranks[place]],
                          int(part.store.numbers[place]), pair, part))  # fmt: skip
    found.sort(key=lambda hit: hit[:3])
    rows = [part.rows[part.row_pair == pair] for _, _, pair, part in found]
    return Hits(
        keys=tuple(hit[0] for hit in found), number=tuple(hit[1] for hit in found),
        own=tuple(int(part.own[pair]) for _, _, pair, part in found),
        is_turned=tuple(bool(part.turned[pair]) for _, _, pair, part in found),
        rows=np.concatenate([np.empty((0, COLUMNS)), *rows]),
        row_hit=np.repeat(np.arange(len(found)), [len(each) for each in rows]),
    )  # fmt: skip


def _one_plan(f: Fragments, plan: int) -> Fragments:
    """Return the fragments of one plan."""
    first, last = int(f.offsets[plan]), int(f.offsets[plan + 1])
    columns = {
        name: getattr(f, name)[first:last]
        for name in ("start_us", "end_us", "px", "py", "pz", "qx", "qy", "qz", "leg")
    }
    plans = {
        name: getattr(f, name)[plan : plan + 1] for name in ("early_us", "late_us", "clock_us")
    }
    return f._replace(offsets=np.array([0, last - first]), **columns, **plans)
