# SPDX-License-Identifier: Apache-2.0
"""Compiled volumes put together and picked out, so that a kept index need not compile twice."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from keepclear.detect.skeletons import Volumes

Integers = npt.NDArray[np.int64]


def join_volumes(parts: Sequence[Volumes]) -> Volumes:
    """Return the volumes of all parts, in order."""
    if len(parts) == 1:
        return parts[0]
    return Volumes(
        offsets=_chained([part.offsets for part in parts]),
        block_offsets=_chained([part.block_offsets for part in parts]),
        sizes=np.concatenate([part.sizes for part in parts]),
        terms=np.concatenate([part.terms for part in parts]),
        pieces=np.concatenate([part.pieces for part in parts]),
        blocks=np.concatenate([part.blocks for part in parts]),
    )


def take_volumes(v: Volumes, which: Sequence[int]) -> Volumes:
    """Return some of the volumes, in the order given."""
    if list(which) == list(range(v.volumes)):
        return v
    chosen = np.asarray(which, dtype=np.int64)
    pieces, blocks = _inner(v.offsets, chosen), _inner(v.block_offsets, chosen)
    return Volumes(
        offsets=_chained_lengths(np.diff(v.offsets)[chosen]),
        block_offsets=_chained_lengths(np.diff(v.block_offsets)[chosen]),
        sizes=v.sizes[chosen], terms=v.terms[chosen],
        pieces=v.pieces[pieces], blocks=v.blocks[blocks],
    )  # fmt: skip


def _chained(offsets: Sequence[Integers]) -> Integers:
    return _chained_lengths(np.concatenate([np.diff(part) for part in offsets]))


def _chained_lengths(lengths: Integers) -> Integers:
    return np.concatenate([[0], np.cumsum(lengths)])


def _inner(offsets: Integers, chosen: Integers) -> Integers:
    """Return the places of all that belongs to the chosen ones."""
    counts = np.diff(offsets)[chosen]
    step = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    places: Integers = np.repeat(offsets[:-1][chosen], counts) + step
    return places
