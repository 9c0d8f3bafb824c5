# SPDX-License-Identifier: Apache-2.0
"""Compiled volumes of many plans in arrays that grow: each volume has its place in them.

A plan's volumes stand in a row. A plan that is dropped leaves its places, marked, until half of
all are left; then all move up (`packed`), and places are others than before.
"""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from keepclear.detect.skeletons import BLOCK_RIGHT, CLOCK_US, HY, X_FROM, Volumes
from keepclear.detect.volume_arrays import take_volumes

Integers = npt.NDArray[np.int64]

GONE: Final = -1
ROOM: Final = 256
FEW: Final = 1_024  # places left that need no moving up


class KeptVolumes:
    """Volumes in place, each of a plan (by its key) and a group; written by the index alone.

    groups: of each place, GONE where nothing is kept; 0 or more otherwise.
    """

    def __init__(self, functions: Any) -> None:
        self._functions = functions
        self._arrays = Volumes(
            offsets=np.zeros(1 + ROOM, dtype=np.int64),
            block_offsets=np.zeros(1 + ROOM, dtype=np.int64),
            sizes=np.empty((ROOM, X_FROM + 6)),
            terms=np.empty((ROOM, CLOCK_US + 1), dtype=np.int64),
            pieces=np.empty((ROOM, HY + 1)), blocks=np.empty((ROOM, BLOCK_RIGHT + 1)),
        )  # fmt: skip
        self._groups = np.full(ROOM, GONE)
        self.count = 0
        self.keys: list[str] = []
        self._places: dict[str, range] = {}
        self._gone = 0

    def __len__(self) -> int:
        """Return how many plans are kept."""
        return len(self._places)

    def __contains__(self, key: str) -> bool:
        """Tell whether a plan is kept."""
        return key in self._places

    @property
    def arrays(self) -> Volumes:
        """Return the volumes of all places, those of dropped plans too."""
        n, a = self.count, self._arrays
        return Volumes(
            offsets=a.offsets[: n + 1], block_offsets=a.block_offsets[: n + 1], sizes=a.sizes[:n],
            terms=a.terms[:n], pieces=a.pieces, blocks=a.blocks,
        )  # fmt: skip

    @property
    def groups(self) -> Integers:
        """Return the group of each place."""
        return self._groups[: self.count]

    @property
    def is_sparse(self) -> bool:
        """Tell whether more places are left than are kept."""
        return self._gone > FEW and 2 * self._gone > self.count

    def places(self, key: str) -> range:
        """Return the places of a plan's volumes, none where it is not kept."""
        return self._places.get(key, range(0))

    def add(self, keys: Sequence[str], groups: Sequence[int], volumes: Volumes) -> None:
        """Keep plans that are not kept; keys, groups: one a volume, a plan's volumes in a row."""
        first, last = self.count, self.count + volumes.volumes
        self._functions.append_volumes(*self._grown(last, volumes), first, *volumes)
        self._groups[first:last] = groups
        self.count = last
        self.keys += keys
        for place, key in enumerate(keys, start=first):
            known = self._places.get(key)
            self._places[key] = range(place if known is None else known.start, place + 1)

    def drop(self, key: str) -> None:
        """Keep a plan no longer."""
        places = self._places.pop(key)
        self._groups[places.start : places.stop] = GONE
        self._gone += len(places)

    def packed(self) -> "KeptVolumes":
        """Return the same plans, in the same order, without places that are left."""
        which = np.flatnonzero(self.groups != GONE).tolist()
        made = KeptVolumes(self._functions)
        if which:
            keys, groups = [self.keys[place] for place in which], self.groups[which].tolist()
            made.add(keys, groups, take_volumes(self.arrays, which))
        return made

    def _grown(self, count: int, more: Volumes) -> Volumes:
        """Return the arrays with room for so many volumes, the last ones being `more`."""
        a = self._arrays
        at = int(a.offsets[self.count]) + len(more.pieces)
        block_at = int(a.block_offsets[self.count]) + len(more.blocks)
        has_room = count < len(a.offsets) and count <= len(a.sizes)
        if has_room and at <= len(a.pieces) and block_at <= len(a.blocks):
            return a
        self._groups = _wider(self._groups, count)
        self._arrays = Volumes(
            offsets=_wider(a.offsets, count + 1), block_offsets=_wider(a.block_offsets, count + 1),
            sizes=_wider(a.sizes, count), terms=_wider(a.terms, count),
            pieces=_wider(a.pieces, at), blocks=_wider(a.blocks, block_at),
        )  # fmt: skip
        return self._arrays


def _wider(array: npt.NDArray[Any], rows: int) -> npt.NDArray[Any]:
    """Return an array that has this many rows, and as many more if it has to grow for it.

    Memory that nothing was written to is not taken yet.
    """
    if rows <= len(array):
        return array
    made = np.empty((2 * rows, *array.shape[1:]), dtype=array.dtype)
    made[: len(array)] = array
    return made
