# SPDX-License-Identifier: Apache-2.0
"""Volumes written after others, in arrays that have room for them.

For one plan one call takes less time than six of numpy.

Plain scalar code that runs as it stands and compiled (`compiled`).
"""

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]


def append_volumes(
    offsets: Integers, block_offsets: Integers, sizes: Floats, terms: Integers, pieces: Floats,
    blocks: Floats, first: int, more_offsets: Integers, more_block_offsets: Integers,
    more_sizes: Floats, more_terms: Integers, more_pieces: Floats, more_blocks: Floats,
) -> None:  # fmt: skip
    """Write volumes from place `first` on; all as `skeletons.Volumes` has them, each by itself."""
    at, block_at, count = offsets[first], block_offsets[first], len(more_sizes)
    for k in range(1, count + 1):
        offsets[first + k] = at + more_offsets[k]
        block_offsets[first + k] = block_at + more_block_offsets[k]
    _copy(more_sizes, sizes, first)
    _copy(more_terms, terms, first)
    _copy(more_pieces, pieces, at)
    _copy(more_blocks, blocks, block_at)


def _copy(rows: Floats | Integers, to: Floats | Integers, first: int) -> None:
    for k in range(len(rows)):
        for column in range(rows.shape[1]):
            to[first + k, column] = rows[k, column]
