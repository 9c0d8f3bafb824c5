# SPDX-License-Identifier: Apache-2.0
"""One plan against many volumes that are kept: add, remove, query.

Each kept volume has its place (`kept_volumes`). Places are in order of time, and divided into a
few stores of growing size, each with its own tree; a store that is full is joined with the one
before it, so that adding costs little each time and asking looks into few trees. The last few
places have no tree and are looked at one by one.

1. A plan is known by its key, and its volumes are never compared with each other.
2. A pair is computed in the order of the keys, whichever of the two is asked about:
   query(a) finds of b what query(b) finds of a, to the bit.
3. The owner alone writes: one thread at a time adds, removes or asks.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from keepclear.detect.box_tree import Tree
from keepclear.detect.boxes import boxes_of, boxes_of_trajectories, tree_of
from keepclear.detect.fragments import Fragments
from keepclear.detect.index import Rows, farthest_m
from keepclear.detect.kept_volumes import KeptVolumes
from keepclear.detect.skeletons import EARLY_US, LATE_US, UNSURE_M, Volumes
from keepclear.detect.sweep import COLUMNS, Limits
from keepclear.errors import InputError

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

LAST_FEW: Final = 64
GROWS_BY: Final = 16
ROOM: Final = 4096
ROUNDING_US: Final = 4.0
NOBODY: Final = -(2**62)


@dataclass(frozen=True, kw_only=True, eq=False)
class Hits:
    """What a query found.

    keys: of the plans that are met, with `number`, which of the plan's volumes it is; `own`:
    which volume of the plan asked about. rows: as of `sweep`; `is_turned`: a is the kept volume,
    because its key comes first. row_hit: which of the keys a row is of.
    """

    keys: tuple[str, ...]
    number: tuple[int, ...]
    own: tuple[int, ...]
    is_turned: tuple[bool, ...]
    rows: Rows
    row_hit: Integers


class _Store(NamedTuple):
    """Places `first` up to `last` with their tree.

    reach_m, lag_us: how far apart boxes of compared things can be, but for what the asking plan
    may be off by.
    """

    first: int
    last: int
    tree: Tree
    reach_m: float
    lag_us: float


class _Found(NamedTuple):
    """Rows of pairs: own volume, kept place, whether turned; row_pair: of which pair a row is."""

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
        self._kept = KeptVolumes(functions)
        self._stores: list[_Store] = []
        self._farthest_m = farthest_m(limits)
        self._longest_us = int(max(limits.time_us)) + ROUNDING_US
        self._own, self._others = (np.empty(ROOM, dtype=np.int64) for _ in range(2))
        # of the last few: the first of them, and what is added to how far apart they can be
        self._few, self._unsure_m, self._lasts_us = 0, 0.0, 0.0

    def __len__(self) -> int:
        """Return how many plans are kept."""
        return len(self._kept)

    @property
    def arrays(self) -> Volumes:
        """Return the volumes of all places; `places` says which are a plan's."""
        return self._kept.arrays

    def add(self, key: str, group: int, volumes: Volumes) -> None:
        """Keep a plan; group: 0 or more. `InputError` where its key is kept already."""
        self.add_many([key] * volumes.volumes, [group] * volumes.volumes, volumes)

    def add_many(self, keys: Sequence[str], groups: Sequence[int], volumes: Volumes) -> None:
        """Keep many plans at once; keys, groups: one a volume, a plan's volumes in a row."""
        known = next((key for key in keys if key in self._kept), None)
        if known is not None:
            raise InputError("key", known, "is kept already", "remove it first")
        if self._kept.is_sparse:
            self._pack()
        self._kept.add(keys, groups, volumes)
        self._unsure_m = max(self._unsure_m, *volumes.sizes[:, UNSURE_M].tolist())
        self._lasts_us = max(self._lasts_us, _early_and_late_us(volumes.terms))
        if self._kept.count - self._few > LAST_FEW:
            self._join()

    def remove(self, key: str) -> None:
        """Keep a plan no longer. `InputError` where it is not kept."""
        if key not in self._kept:
            raise InputError("key", key, "is not kept", "add it first")
        self._kept.drop(key)

    def places(self, key: str) -> range:
        """Return the places of a kept plan's volumes."""
        return self._kept.places(key)

    def near(self, key: str, group: int) -> list[str]:
        """Return the keys of plans of other groups whose boxes come near those of a kept one.

        Those are left out that times or heights alone keep apart, whatever the limits.
        """
        own, kept = self._kept.places(key), self._kept.arrays
        sizes, terms = kept.sizes[own.start : own.stop], kept.terms[own.start : own.stop]
        count = self._probe_all(sizes, terms, group)
        if count:
            count = self._functions.keep_unseparated(
                kept, self._limits, own.start, self._own, self._others, count
            )
        keys, others = self._kept.keys, self._others[:count].tolist()
        return list(dict.fromkeys([keys[place] for place in others if place not in own]))

    def near_by(self, key: str, volumes: Volumes) -> list[str]:
        """Return the keys of plans whose boxes come near those of one that is not kept.

        Of whatever group, each once.
        """
        _, others = self._near(key, NOBODY, volumes.sizes, volumes.terms, within=True)
        keys = self._kept.keys
        return list(dict.fromkeys(keys[place] for place in others.tolist()))

    def inside(self, key: str, others: Sequence[str], limits: Limits) -> list[str]:
        """Return which of some kept plans `query` of one finds, by limits of their own.

        others: kept, and not the plan itself.
        """
        own = self._kept.places(key)
        places = [self._kept.places(other) for other in others]
        marks = np.empty(len(others), dtype=np.int64)
        self._functions.mark_inside(
            self.arrays, limits, farthest_m(limits), own.start, own.stop,
            np.array([each.start for each in places], dtype=np.int64),
            np.array([each.stop for each in places], dtype=np.int64),
            np.array([other < key for other in others], dtype=np.int64), marks,
        )  # fmt: skip
        return [other for other, mark in zip(others, marks.tolist(), strict=True) if mark]

    def query(self, key: str, group: int, volumes: Volumes, *, within: bool = False) -> Hits:
        """Return what the volumes of one plan meet; within: plans of its own group too."""
        own, others = self._near(key, group, volumes.sizes, volumes.terms, within=within)
        if not len(own):
            return NOTHING
        keys = self._kept.keys
        turned = np.array([keys[place] < key for place in others.tolist()], dtype=np.int64)
        room = len(self._limits.lateral_m) * len(own)
        rows, row_pair = np.empty((room, COLUMNS)), np.empty(room, dtype=np.int64)
        _, count = self._functions.overlap_pairs(
            volumes, self.arrays, self._limits, self._farthest_m, own, others, turned, 0,
            len(own), rows, row_pair, 0,
        )  # fmt: skip
        return self._hits(_Found(own, others, turned, rows[:count], row_pair[:count]))

    def query_trajectory(
        self, key: str, group: int, fragments: Fragments, plan: int, *, within: bool = False
    ) -> Hits:
        """Return what one trajectory meets; a of the rows is the trajectory."""
        self._join()
        own = _one_plan(fragments, plan)
        boxes, _ = boxes_of_trajectories(own)
        lateral_m = float(own.leg_lateral_m[own.leg].max(initial=0.0))
        late_us = float(fragments.early_us[plan] + fragments.late_us[plan])
        places = [np.empty(0, dtype=np.int64)]
        for store in self._stores:
            count = self._functions.probe_all(
                store.tree, boxes, store.reach_m + lateral_m, store.lag_us + late_us,
                self._kept.groups, NOBODY if within else group, self._own, self._others,
            )  # fmt: skip
            if count > len(self._others):
                self._make_room(0, count)
                return self.query_trajectory(key, group, fragments, plan, within=within)
            places.append(self._others[:count].copy())
        others = np.unique(np.concatenate(places))
        return self._swept(own, others[~self._is_of(key, others)])

    def _near(
        self, key: str, group: int, sizes: Floats, terms: Integers, *, within: bool
    ) -> tuple[Integers, Integers]:
        """Return which volumes of a plan come near which places by their boxes."""
        count = self._probe_all(sizes, terms, NOBODY if within else group)
        one, other = self._own[:count].copy(), self._others[:count].copy()
        is_other = ~self._is_of(key, other)
        return one[is_other], other[is_other]

    def _probe_all(self, sizes: Floats, terms: Integers, left_out: int) -> int:
        """Return how many pairs of a volume and a place are near: they stand in _own and _others.

        Of the places of all stores, and of the last few.
        """
        count = 0
        for store in (*self._stores, None):
            count += self._probe(store, sizes, terms, left_out, count)
        return count

    def _probe(
        self, store: _Store | None, sizes: Floats, terms: Integers, left_out: int, before: int
    ) -> int:  # fmt: skip
        """Write the pairs of one store, or of the last few, behind those of before; how many.

        One compiled call and nothing else where nothing is near, as for most stores.
        """
        own, others = self._own, self._others
        if before:
            own, others = own[before:], others[before:]
        count: int
        if store is None:
            kept = self._kept.arrays
            count = self._functions.near_few(
                kept.sizes, kept.terms, self._few, sizes, terms,
                self._farthest_m + self._unsure_m, self._lasts_us + self._longest_us,
                self._kept.groups, left_out, own, others,
            )  # fmt: skip
        else:
            count = self._functions.near_volumes(
                *store.tree, sizes, terms, store.reach_m, store.lag_us,
                self._kept.groups, left_out, own, others,
            )  # fmt: skip
        if count > len(others):
            self._make_room(before, before + count)
            return self._probe(store, sizes, terms, left_out, before)
        return count

    def _is_of(self, key: str, places: Integers) -> npt.NDArray[np.bool_]:
        own = self._kept.places(key)
        return (places >= own.start) & (places < own.stop)

    def _make_room(self, before: int, count: int) -> None:
        """Make room for twice so many pairs, the first of them kept."""
        kept = self._own[:before], self._others[:before]
        self._own, self._others = (np.empty(2 * count, dtype=np.int64) for _ in range(2))
        self._own[:before], self._others[:before] = kept

    def _swept(self, f: Fragments, others: Integers) -> Hits:
        own = np.zeros(len(others), dtype=np.int64)
        room = 64
        while True:
            rows, row_pair = np.empty((room, COLUMNS)), np.empty(room, dtype=np.int64)
            after, count = self._functions.sweep_volume_pairs(
                f, self.arrays, self._limits, self._farthest_m, own, others,
                0, len(others), rows, row_pair, 0,
            )  # fmt: skip
            if after == len(others):
                return self._hits(_Found(own, others, own, rows[:count], row_pair[:count]))
            room *= 2

    def _pack(self) -> None:
        """Let no places be left."""
        self._kept, self._stores, self._few = self._kept.packed(), [], 0
        self._join()

    def _join(self) -> None:
        """Put the last places into a store, and with them stores that are not much larger."""
        first, last = self._few, self._kept.count
        while self._stores and self._stores[-1].last - self._stores[-1].first < GROWS_BY * (
            last - first
        ):
            first = self._stores.pop().first
        self._few, self._unsure_m, self._lasts_us = last, 0.0, 0.0
        if first == last:
            return
        sizes, terms = self.arrays.sizes[first:], self.arrays.terms[first:]
        self._stores.append(_Store(
            first=first, last=last,
            tree=tree_of(boxes_of(sizes, terms), np.arange(first, last)),
            reach_m=self._farthest_m + float(sizes[:, UNSURE_M].max(initial=0.0)),
            lag_us=_early_and_late_us(terms) + self._longest_us,
        ))  # fmt: skip

    def _hits(self, found: _Found) -> Hits:
        """Return the hits that have rows, in order of key and number."""
        keys = self._kept.keys
        hits = []
        for pair in np.unique(found.row_pair).tolist():
            place = int(found.kept[pair])
            key = keys[place]
            hits.append((key, place - self._kept.places(key).start, pair))
        hits.sort()
        rows = [found.rows[found.row_pair == pair] for _, _, pair in hits]
        return Hits(
            keys=tuple(hit[0] for hit in hits), number=tuple(hit[1] for hit in hits),
            own=tuple(int(found.own[pair]) for _, _, pair in hits),
            is_turned=tuple(bool(found.turned[pair]) for _, _, pair in hits),
            rows=np.concatenate([np.empty((0, COLUMNS)), *rows]),
            row_hit=np.repeat(np.arange(len(hits)), [len(each) for each in rows]),
        )  # fmt: skip


def _early_and_late_us(terms: Integers) -> float:
    """Return how much any of some volumes may run early, and any late, together."""
    early_us, late_us = terms[:, EARLY_US].tolist(), terms[:, LATE_US].tolist()
    return float(max(early_us, default=0) + max(late_us, default=0))


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
