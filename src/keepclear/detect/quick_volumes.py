# SPDX-License-Identifier: Apache-2.0
"""The volumes of a plan, or of many, as arrays in one compiled call: the bits of `skeletons`.

Where the kernel is not compiled, or a shape needs more than `shaping` does, `skeletons` does it,
and says what is wrong with a shape that cannot be computed.
"""

from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from keepclear.airspace.geodesics import to_ecef
from keepclear.airspace.volumes import Volume4D
from keepclear.detect.datums import Datums
from keepclear.detect.edges import cut, edges_of
from keepclear.detect.points import GEODESIC
from keepclear.detect.shapes import Run, Skeleton, skeleton_of
from keepclear.detect.shaping import NOT_SHORT, NOT_SIMPLE, SHORT_M
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

AT_ONCE: Final = 1_024  # plans


class Plan(NamedTuple):
    """Volumes, each of which may be off by the same."""

    volumes: Sequence[Volume4D]
    tolerance: Tolerance


def compile_plan(
    functions: Any, volumes: Sequence[Volume4D], datums: Datums, tolerance: Tolerance
) -> Volumes:
    """Return the volumes of a plan as arrays. `InputError` for a shape that cannot be computed.

    tolerance: of each of its volumes.
    """
    if volumes and functions.is_compiled:
        plan = Plan(volumes, tolerance)
        skeletons = [skeleton_of(volume.volume.shape) for volume in volumes]
        runs = [run for skeleton in skeletons for run in skeleton.runs]
        if _are_geodesic(runs):
            made = _shaped(functions, [plan], skeletons, runs, datums)
            if made is not None:
                return made
    return compile_volumes(volumes, datums, [tolerance] * len(volumes))


def compile_plans(
    functions: Any, plans: Sequence[Plan], datums: Datums
) -> Iterator[tuple[list[int], Volumes]]:
    """Yield the numbers of some plans, and their volumes one plan after another, until all are.

    As `compile_plan` of each, in less time. `InputError` as there.
    """
    for first in range(0, len(plans), AT_ONCE):
        some = range(first, min(first + AT_ONCE, len(plans)))
        skeletons = [
            [skeleton_of(volume.volume.shape) for volume in plans[k].volumes] for k in some
        ]
        quick = _are_short(skeletons) if functions.is_compiled else [False] * len(some)
        which = [k for k, is_quick in zip(some, quick, strict=True) if is_quick]
        made = _together(functions, [plans[k] for k in which], [
            each for own, is_quick in zip(skeletons, quick, strict=True) if is_quick for each in own
        ], datums)  # fmt: skip
        if made is not None:
            yield which, made
        done = {*which} if made is not None else set()
        for k in some:
            if k not in done:
                yield [k], compile_plan(functions, plans[k].volumes, datums, plans[k].tolerance)


def _together(
    functions: Any, plans: Sequence[Plan], skeletons: Sequence[Skeleton], datums: Datums
) -> Volumes | None:
    """Return the volumes of plans of short edges; None where there are none, or not for all."""
    if not plans:
        return None
    runs = [run for skeleton in skeletons for run in skeleton.runs]
    return _shaped(functions, plans, skeletons, runs, datums)


def _are_geodesic(runs: Sequence[Run]) -> bool:
    return all(run.kinds.count(GEODESIC) == len(run.kinds) for run in runs)


def _are_short(skeletons: Sequence[Sequence[Skeleton]]) -> list[bool]:
    """Tell of plans, by the skeletons of their volumes, whether all edges are short geodesics."""
    runs = [run for own in skeletons for skeleton in own for run in skeleton.runs]
    counts = np.array([len(run.latitude_deg) for run in runs])
    first = counts.cumsum() - counts
    points = to_ecef(
        np.array([y for run in runs for y in run.latitude_deg]),
        np.array([x for run in runs for x in run.longitude_deg]),
    )
    after = np.arange(1, len(points) + 1)
    after[first + counts - 1] = np.where([run.is_closed for run in runs], first, after[-1] - 1)
    far_sq = ((points[np.minimum(after, len(points) - 1)] - points) ** 2).sum(axis=1)
    far_sq[first + counts - 1] *= [run.is_closed for run in runs]  # an open run ends there
    is_short = np.maximum.reduceat(far_sq, first) < SHORT_M**2
    is_quick = is_short & np.array([_are_geodesic([run]) for run in runs])
    of_plans = np.array([sum(len(each.runs) for each in own) for own in skeletons])
    found: list[bool] = np.logical_and.reduceat(is_quick, of_plans.cumsum() - of_plans).tolist()
    return found


def _shaped(
    functions: Any, plans: Sequence[Plan], skeletons: Sequence[Skeleton], runs: Sequence[Run],
    datums: Datums,
) -> Volumes | None:  # fmt: skip
    """Return volumes from their corners; None where that takes more than `shaping` does."""
    latitudes = [y for run in runs for y in run.latitude_deg]
    longitudes = [x for run in runs for x in run.longitude_deg]
    angles = np.radians(np.array(latitudes + longitudes))
    made = _empty(plans, skeletons, len(latitudes), datums)
    rings = np.empty(len(runs) + 1, dtype=np.int64)
    count = functions.shape_short(
        np.sin(angles), np.cos(angles), _table_of(skeletons), made.terms, made.sizes,
        made.offsets, rings, made.pieces, made.block_offsets, made.blocks,
    )  # fmt: skip
    if count == NOT_SHORT:
        return _shaped_of_long(functions, plans, skeletons, runs, datums)
    return None if count == NOT_SIMPLE else _without_room(made, count)


def _shaped_of_long(
    functions: Any, plans: Sequence[Plan], skeletons: Sequence[Skeleton], runs: Sequence[Run],
    datums: Datums,
) -> Volumes | None:  # fmt: skip
    """Return the same of runs with edges that `edges` cuts."""
    found = cut(runs, edges_of(runs))
    made = _empty(plans, skeletons, len(found.p), datums)
    made.pieces[:, PX : PX + 3], made.pieces[:, QX : QX + 3] = found.p, found.q
    rings = np.searchsorted(found.run, np.arange(len(runs) + 1))
    made.offsets[:] = rings[np.array([0, *(len(each.runs) for each in skeletons)]).cumsum()]
    is_made = functions.shape_volumes(
        made.pieces, rings, made.offsets, made.terms, made.sizes, made.block_offsets, made.blocks
    )
    return _without_room(made, len(found.p)) if is_made else None


def _empty(
    plans: Sequence[Plan], skeletons: Sequence[Skeleton], pieces: int, datums: Datums
) -> Volumes:
    """Return volumes with room for so many pieces, of which `shaping` writes the rest."""
    volumes = [volume for plan in plans for volume in plan.volumes]
    tolerances = [plan.tolerance for plan in plans for _ in plan.volumes]
    count = len(volumes)
    sizes = np.zeros((count, X_FROM + 6))
    sizes[:, RADIUS_M] = [each.radius_m for each in skeletons]
    sizes[:, UNSURE_M] = [each.lateral_m for each in tolerances]
    return Volumes(
        offsets=np.zeros(count + 1, dtype=np.int64),
        block_offsets=np.zeros(count + 1, dtype=np.int64), sizes=sizes,
        terms=terms_of(volumes, [each.is_region for each in skeletons], datums, tolerances),
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
