# SPDX-License-Identifier: Apache-2.0
"""Boundaries as segments on planes, to be tested for crossings before a volume is used.

Which plane is said in `crossings`. A ring whose longitudes do not come back to where they
started goes round a pole, and is tested as cut.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from keepclear.airspace.volumes import Volume4D
from keepclear.detect.crossings import Segments, first_crossing, following
from keepclear.detect.edges import Edges, Pieces
from keepclear.detect.points import PLANAR
from keepclear.errors import InputError

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Booleans = npt.NDArray[np.bool_]

TURN_DEG: Final = 360.0


def check_rings(
    edges: Edges, pieces: Pieces, ends: Floats, volume_of_run: Integers, is_region: Booleans,
    volumes: Sequence[Volume4D],
) -> None:  # fmt: skip
    """Raise `InputError` for the first volume whose boundary crosses or touches itself.

    ends: of the pieces on their gnomonic planes, as gx, gy, hx, hy.
    """
    turns, is_round = _turns(edges)
    volume = volume_of_run[edges.run]
    is_bent = (edges.kind != PLANAR) | is_round[edges.run]
    as_cut = np.bincount(volume[is_bent], minlength=len(is_region)) > 0
    as_given = is_region[volume] & ~as_cut[volume]
    flat = _flat_segments(edges.take(as_given), turns[as_given], volume[as_given])
    cut = np.flatnonzero((is_region & as_cut)[volume_of_run[pieces.run]])
    for segments in (flat, _cut_segments(pieces, ends, volume_of_run, cut)):
        crossing = first_crossing(segments)
        if crossing is not None:
            which = int(segments.area[crossing])
            name = type(volumes[which].volume.shape).__name__
            raise InputError(f"volumes[{which}]", name, "crosses or touches itself",
                             "put the positions in order round the area")  # fmt: skip


def _turns(edges: Edges) -> tuple[Integers, Booleans]:
    """Return how often each edge's start is past the antimeridian, and which rings go round."""
    step_deg = edges.to_longitude_deg - edges.from_longitude_deg
    jumps = np.where(step_deg > TURN_DEG / 2, -1, np.where(step_deg < -TURN_DEG / 2, 1, 0))
    before = np.cumsum(jumps) - jumps
    first = np.searchsorted(edges.run, edges.run, side="left")
    around = np.bincount(edges.run, weights=jumps)
    return before - before[first], around != 0


def _flat_segments(edges: Edges, turns: Integers, volume: Integers) -> Segments:
    """Return planar edges in degrees that run on past 180, holes moved to their outer ring."""
    x = edges.from_longitude_deg + TURN_DEG * turns
    x += TURN_DEG * _whole_turns(x, edges.run, volume)
    after = following(edges.run)
    return Segments(
        from_x=x, from_y=edges.from_latitude_deg, to_x=x[after],
        to_y=edges.from_latitude_deg[after], area=volume, ring=edges.run,
    )  # fmt: skip


def _whole_turns(x_deg: Floats, run: Integers, volume: Integers) -> Floats:
    """Return by how many turns each ring is to be moved to lie beside its area's first ring."""
    if not len(x_deg):
        return x_deg
    starts = np.flatnonzero(np.append(True, run[1:] != run[:-1]))
    middle = 0.5 * (np.minimum.reduceat(x_deg, starts) + np.maximum.reduceat(x_deg, starts))
    outer = np.searchsorted(volume[starts], volume[starts], side="left")
    turns = np.round((middle[outer] - middle) / TURN_DEG)
    return turns[np.searchsorted(run[starts], run)]


def _cut_segments(
    pieces: Pieces, ends: Floats, volume_of_run: Integers, which: Integers
) -> Segments:
    """Return pieces on their gnomonic planes."""
    gx, gy, hx, hy = ends[:, which]
    run = pieces.run[which]
    return Segments(from_x=gx, from_y=gy, to_x=hx, to_y=hy, area=volume_of_run[run], ring=run)
