# SPDX-License-Identifier: Apache-2.0
"""The volumes of one plan as arrays, in one compiled call: the same bits as `skeletons` gives.

Where the kernel is not compiled, or a shape needs more than `shaping` does, `skeletons` does it,
and says what is wrong with a shape that cannot be computed.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from keepclear.airspace.volumes import Volume4D
from keepclear.detect.datums import Datums
from keepclear.detect.edges import cut, edges_of
from keepclear.detect.points import GEODESIC
from keepclear.detect.shapes import Run, Skeleton, skeleton_of
from keepclear.detect.shaping import NOT_SHORT, NOT_SIMPLE
from keepclear.detect.skeletons import (
    BLOCK,
    BLOCK_RIGHT,
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

Integers = npt.NDArray[np.int64]


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
        if all(run.kinds.count(GEODESIC) == len(run.kinds) for run in runs):
            terms = terms_of(volumes, [each.is_region for each in skeletons], datums, tolerances)
            made = _shaped(functions, skeletons, runs, terms, tolerance)
            if made is not None:
                return made
    return compile_volumes(volumes, datums, tolerances)


def _shaped(
    functions: Any, skeletons: Sequence[Skeleton], runs: Sequence[Run], terms: Integers,
    tolerance: Tolerance,
) -> Volumes | None:  # fmt: skip
    """Return volumes from their corners; None where that takes more than `shaping` does."""
    latitudes = [y for run in runs for y in run.latitude_deg]
    longitudes = [x for run in runs for x in run.longitude_deg]
    angles = np.radians(np.array(latitudes + longitudes))
    made = _empty(skeletons, len(latitudes), terms, tolerance)
    rings = np.empty(len(runs) + 1, dtype=np.int64)
    count = functions.shape_short(
        np.sin(angles), np.cos(angles), _table_of(skeletons), terms, made.sizes, made.offsets,
        rings, made.pieces, made.block_offsets, made.blocks,
    )  # fmt: skip
    if count == NOT_SHORT:
        return _shaped_of_long(functions, skeletons, runs, terms, tolerance)
    return None if count == NOT_SIMPLE else _without_room(made, count)


def _shaped_of_long(
    functions: Any, skeletons: Sequence[Skeleton], runs: Sequence[Run], terms: Integers,
    tolerance: Tolerance,
) -> Volumes | None:  # fmt: skip
    """Return the same of runs with edges that `edges` cuts."""
    found = cut(runs, edges_of(runs))
    made = _empty(skeletons, len(found.p), terms, tolerance)
    made.pieces[:, PX : PX + 3], made.pieces[:, QX : QX + 3] = found.p, found.q
    rings = np.searchsorted(found.run, np.arange(len(runs) + 1))
    made.offsets[:] = rings[np.array([0, *(len(each.runs) for each in skeletons)]).cumsum()]
    is_made = functions.shape_volumes(
        made.pieces, rings, made.offsets, terms, made.sizes, made.block_offsets, made.blocks
    )
    return _without_room(made, len(found.p)) if is_made else None


def _empty(
    skeletons: Sequence[Skeleton], pieces: int, terms: Integers, tolerance: Tolerance
) -> Volumes:
    """Return volumes with room for so many pieces, of which `shaping` writes the rest."""
    count = len(skeletons)
    sizes = np.zeros((count, X_FROM + 6))
    sizes[:, RADIUS_M] = [each.radius_m for each in skeletons]
    sizes[:, UNSURE_M] = tolerance.lateral_m
    return Volumes(
        offsets=np.zeros(count + 1, dtype=np.int64),
        block_offsets=np.zeros(count + 1, dtype=np.int64), sizes=sizes, terms=terms,
        pieces=np.empty((pieces, HY + 1)),
        blocks=np.empty((pieces // BLOCK + count, BLOCK_RIGHT + 1)),
    )  # fmt: skip


def _without_room(made: Volumes, pieces: int) -> Volumes:
    """Return volumes without the room that was not used."""
    return made._replace(pieces=made.pieces[:pieces], blocks=made.blocks[: made.block_offsets[-1]])


def _table_of(skeletons: Sequence[Skeleton]) -> Integers:
    """Return of which volume each run is, how many corners it has, and whether it is closed."""
    return np.array([
        (volume, len(run.latitude_deg), run.is_closed)
        for volume, skeleton in enumerate(skeletons) for run in skeleton.runs
    ], dtype=np.int64)  # fmt: skip
