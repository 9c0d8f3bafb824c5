# SPDX-License-Identifier: Apache-2.0
"""Compiled volumes put together and picked out, so that a kept index need not compile twice."""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from keepclear.detect.skeletons import Volumes

Integers = npt.NDArray[np.int64]

OFFSETS: Final = ("offsets", "block_offsets")
OF_PIECES: Final = ("px", "py", "pz", "qx", "qy", "qz", "gx", "gy", "hx", "hy")
OF_BLOCKS: Final = ("bx", "by", "bz", "block_m", "block_low", "block_high", "block_right")


def join_volumes(parts: Sequence[Volumes]) -> Volumes:
    """Return the volumes of all parts, in order."""
    if len(parts) == 1:
        return parts[0]
    columns: dict[str, Any] = {}
    for name in Volumes._fields:
        arrays = [getattr(part, name) for part in parts]
        columns[name] = _chained(arrays) if name in OFFSETS else np.concatenate(arrays)
    return Volumes(**columns)


def take_volumes(v: Volumes, which: Sequence[int]) -> Volumes:
    """Return some of the volumes, in the order given."""
    if len(which) == v.volumes and list(which) == list(range(v.volumes)):
        return v
    chosen = np.asarray(which, dtype=np.int64)
    pieces, blocks = _inner(v.offsets, chosen), _inner(v.block_offsets, chosen)
    columns: dict[str, Any] = {}
    for name in Volumes._fields:
        column = getattr(v, name)
        if name in OFFSETS:
            columns[name] = np.concatenate([[0], np.cumsum(np.diff(column)[chosen])])
        else:
            places = pieces if name in OF_PIECES else blocks if name in OF_BLOCKS else chosen
            columns[name] = column[places]
    return Volumes(**columns)


def _chained(offsets: Sequence[Integers]) -> Integers:
    lengths = np.concatenate([np.diff(part) for part in offsets])
    return np.concatenate([[0], np.cumsum(lengths)])


def _inner(offsets: Integers, chosen: Integers) -> Integers:
    """Return the places of all that belongs to the chosen ones."""
    counts = np.diff(offsets)[chosen]
    step = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    places: Integers = np.repeat(offsets[:-1][chosen], counts) + step
    return places
