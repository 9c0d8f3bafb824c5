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

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from keepclear.detect.box_tree import Tree
from keepclear.detect.boxes import boxes_of_trajectories, boxes_of_volumes, tree_of
from keepclear.detect.fragments import Fragments
from keepclear.detect.index import Rows, farthest_m
from keepclear.detect.skeletons import (
    EARLY_US,
    LATE_US,
    UNSURE_M,
    Volumes,
)
from keepclear.detect.sweep import COLUMNS, Limits
from keepclear.detect.volume_arrays import join_volumes, take_volumes
from keepclear.errors import InputError

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

GROWS_BY: Final = 16
ROOM: Final = 4096
ROUNDING_US: Final = 4.0


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
    """Volumes with their tree; written by the index alone."""

    volumes: Volumes
    tree: Tree
    keys: list[str]
    numbers: list[int]
    groups: list[int]
    lateral_m: float
    lasts_us: float
    gone: set[int] = field(default_factory=set)


class _Part(NamedTuple):
    """What was found in one store: places, whether turned, rows, and of which place they are."""

    store: _Store
    own: list[int]
    kept: list[int]
    turned: list[int]
    rows: Rows
    row_pair: Integers


class _Asked(NamedTuple):
    """Who asks, and what the asking plan may be off by in place and in time."""

    key: str
    group: int
    within: bool
    lateral_m: float
    late_us: float


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
        self._out = np.empty(ROOM, dtype=np.int64)

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
            store.gone.add(place)

    def query(self, key: str, group: int, volumes: Volumes, *, within: bool = False) -> Hits:
        """Return what the volumes of one plan meet; within: plans of its own group too."""
        boxes = boxes_of_volumes(volumes)
        # lists, because for one volume they are several times faster than arrays
        lateral_m = max(volumes.sizes[:, UNSURE_M].tolist())
        late_us = max(map(sum, volumes.terms[:, EARLY_US : LATE_US + 1].tolist()))
        asked = _Asked(key, group, within, lateral_m, late_us)
        parts = []
        for store in self._stores:
            if store is None:
                continue
            pairs = [(i, j) for i in range(len(boxes)) for j in self._near(store, boxes, i, asked)]
            if pairs:
                parts.append(self._overlaps(volumes, store, pairs, key))
        return _hits(parts) if parts else NOTHING

    def query_trajectory(
        self, key: str, group: int, fragments: Fragments, plan: int, *, within: bool = False
    ) -> Hits:
        """Return what one trajectory meets; a of the rows is the trajectory."""
        own = _one_plan(fragments, plan)
        boxes, _ = boxes_of_trajectories(own)
        asked = _Asked(
            key, group, within, float(own.leg_lateral_m[own.leg].max(initial=0.0)),
            float(fragments.early_us[plan] + fragments.late_us[plan]),
        )  # fmt: skip
        parts = []
        for store in self._stores:
            if store is None:
                continue
            kept = sorted(
                {j for i in range(len(boxes)) for j in self._near(store, boxes, i, asked)}
            )
            if kept:
                parts.append(self._sweeps(own, store, kept))
        return _hits(parts) if parts else NOTHING

    def _near(self, store: _Store, boxes: Floats, i: int, asked: _Asked) -> list[int]:
        """Return the places of kept volumes to compare with whose boxes come near box i."""
        if math.isinf(self._farthest_m):
            found = list(range(len(store.keys)))
        else:
            reach_m = self._farthest_m + asked.lateral_m + store.lateral_m
            lag_us = asked.late_us + store.lasts_us + self._longest_us
            count = self._functions.probe_round(store.tree, boxes, i, reach_m, lag_us, self._out)
            if count > len(self._out):
                self._out = np.empty(2 * count, dtype=np.int64)
                return self._near(store, boxes, i, asked)
            found = sorted(store.tree.things[self._out[:count]].tolist())
        return [
            j
            for j in found
            if j not in store.gone
            and store.keys[j] != asked.key
            and (asked.within or store.groups[j] != asked.group)
        ]

    def _overlaps(self, v: Volumes, store: _Store, pairs: list[tuple[int, int]], key: str) -> _Part:
        own, kept = [i for i, _ in pairs], [j for _, j in pairs]
        turned = [int(store.keys[j] < key) for j in kept]
        room = len(self._limits.lateral_m) * len(kept)
        rows, row_pair = np.empty((room, COLUMNS)), np.empty(room, dtype=np.int64)
        _, count = self._functions.overlap_pairs(
            v, store.volumes, self._limits, self._farthest_m, np.array(own), np.array(kept),
            np.array(turned), 0, len(kept), rows, row_pair, 0,
        )  # fmt: skip
        return _Part(store, own, kept, turned, rows[:count], row_pair[:count])

    def _sweeps(self, f: Fragments, store: _Store, kept: list[int]) -> _Part:
        own = [0] * len(kept)
        room = 64
        while True:
            rows, row_pair = np.empty((room, COLUMNS)), np.empty(room, dtype=np.int64)
            after, count = self._functions.sweep_volume_pairs(
                f, store.volumes, self._limits, self._farthest_m, np.array(own), np.array(kept),
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
                kept = [i for i in range(len(store.keys)) if i not in store.gone]
                if kept:
                    joined.append(take_volumes(store.volumes, kept))
                keys += [store.keys[i] for i in kept]
                numbers += [store.numbers[i] for i in kept]
                groups += [store.groups[i] for i in kept]
            if len(keys) <= size:
                break
            self._stores[level] = None
            level, size = level + 1, size * GROWS_BY
        self._stores[level] = self._store(join_volumes(joined), keys, numbers, groups)

    def _store(
        self, volumes: Volumes, keys: list[str], numbers: list[int], groups: list[int]
    ) -> _Store:
        store = _Store(
            volumes=volumes, tree=tree_of(boxes_of_volumes(volumes)), keys=keys, numbers=numbers,
            groups=groups, lateral_m=float(volumes.sizes[:, UNSURE_M].max(initial=0.0)),
            lasts_us=float(volumes.terms[:, [EARLY_US, LATE_US]].max(axis=0, initial=0).sum()),
        )  # fmt: skip
        for key in set(keys):
            self._places[key] = []
        for place, key in enumerate(keys):
            self._places[key].append((store, place))
        return store


def _hits(parts: list[_Part]) -> Hits:
    """Return the hits that have rows, in order of key and number."""
    found = [
        (part.store.keys[part.kept[pair]], part.store.numbers[part.kept[pair]], pair, part)
        for part in parts
        for pair in np.unique(part.row_pair).tolist()
    ]
    found.sort(key=lambda hit: hit[:3])
    rows = [part.rows[part.row_pair == pair] for _, _, pair, part in found]
    return Hits(
        keys=tuple(hit[0] for hit in found), number=tuple(hit[1] for hit in found),
        own=tuple(part.own[pair] for _, _, pair, part in found),
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
