# SPDX-License-Identifier: Apache-2.0
"""The volumes of one plan as arrays, in two compiled calls: the same bits as `skeletons` gives.

Where the kernel is not compiled, or a shape needs more than `shaping` does, `skeletons` does it,
and says what is wrong with a shape that cannot be computed.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from keepclear.airspace.geodesics import to_ecef
from keepclear.airspace.volumes import Volume4D
from keepclear.detect.datums import Datums
from keepclear.detect.edges import cut, edges_of
from keepclear.detect.points import GEODESIC
from keepclear.detect.shapes import Run, Skeleton, skeleton_of
from keepclear.detect.skeletons import (
    BLOCK,
    BLOCK_RIGHT,
    CURVE_M,
    HY,
    PX,
    QX,
    RADIUS_M,
    UNSURE_M,
    X_FROM,
    Tolerance,
    Volumes,
    compile_volumes,
    terms_of,
)

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]


class _Cut(NamedTuple):
    """Pieces of runs, and which of them each run starts with, one past the last at the end."""

    pieces: Floats
    rings: Integers


def compile_plan(
    functions: Any, volumes: Sequence[Volume4D], datums: Datums, tolerance: Tolerance
) -> Volumes:
    """Return the volumes of a plan as arrays. `InputError` for a shape that cannot be computed.

    tolerance: of each of its volumes.
    """
    tolerances = [tolerance] * len(volumes)
    if volumes and functions.is_compiled:
        skeletons = [skeleton_of(volume.volume.shape) for volume in volumes]
        runs = [run for skeleton in skeletons for run in skeleton.runs]
        if all(kind == GEODESIC for run in runs for kind in run.kinds):
            cut_up = _cut(functions, runs)
            terms = terms_of(volumes, [each.is_region for each in skeletons], datums, tolerances)
            made = _shaped(functions, skeletons, cut_up, terms, tolerance)
            if made is not None:
                return made
    return compile_volumes(volumes, datums, tolerances)


def _cut(functions: Any, runs: Sequence[Run]) -> _Cut:
    """Return the pieces of runs: of short edges at once, of others as `edges` cuts them."""
    lengths = [len(run.latitude_deg) for run in runs]
    corners = np.array([0, *lengths]).cumsum()
    points = to_ecef(
        np.array([y for run in runs for y in run.latitude_deg]),
        np.array([x for run in runs for x in run.longitude_deg]),
    )
    is_closed = np.array([run.is_closed for run in runs], dtype=np.int64)
    pieces = np.empty((len(points), HY + 1))
    count = functions.cut_short(points, corners, is_closed, pieces)
    if count >= 0:
        counts = [_pieces_of(run) for run in runs]
        return _Cut(pieces[:count], np.array([0, *counts]).cumsum())
    found = cut(runs, edges_of(runs))
    pieces = np.empty((len(found.p), HY + 1))
    pieces[:, PX : PX + 3], pieces[:, QX : QX + 3] = found.p, found.q
    return _Cut(pieces, np.searchsorted(found.run, np.arange(len(runs) + 1)))


def _pieces_of(run: Run) -> int:
    """Return how many pieces a run of short edges has; a lone point is one."""
    positions = len(run.latitude_deg)
    return positions if run.is_closed or positions == 1 else positions - 1


def _shaped(
    functions: Any, skeletons: Sequence[Skeleton], cut_up: _Cut, terms: Integers,
    tolerance: Tolerance,
) -> Volumes | None:  # fmt: skip
    """Return volumes from their pieces; None where that takes more than `shaping` does."""
    offsets = cut_up.rings[np.array([0, *(len(each.runs) for each in skeletons)]).cumsum()]
    room = len(cut_up.pieces) // BLOCK + len(skeletons)
    sizes = np.empty((len(skeletons), X_FROM + 6))
    sizes[:, RADIUS_M] = [each.radius_m for each in skeletons]
    sizes[:, CURVE_M], sizes[:, UNSURE_M] = 0.0, tolerance.lateral_m
    blocks = np.empty((room, BLOCK_RIGHT + 1))
    block_offsets = np.zeros(len(skeletons) + 1, dtype=np.int64)
    if not functions.shape_volumes(
        cut_up.pieces, cut_up.rings, offsets, terms, sizes, block_offsets, blocks
    ):
        return None
    return Volumes(
        offsets=offsets, block_offsets=block_offsets, sizes=sizes, terms=terms,
        pieces=cut_up.pieces, blocks=blocks[: block_offsets[-1]],
    )  # fmt: skip
