# SPDX-License-Identifier: Apache-2.0
"""The least distance of two skeletons: 0 where they cross or one holds the other.

Two pieces that do not cross are nearest at one of their four ends, seen on the plane between
them as in `motions`. Plain scalar code that runs as it stands and compiled (`compiled`).
"""

import math
from typing import NamedTuple

from keepclear.detect.encounter import SLACK_M
from keepclear.detect.inside import is_in_region
from keepclear.detect.lateral import arc_m
from keepclear.detect.motions import (
    Motion,
    View,
    is_far_from_block,
    is_far_from_piece,
    motion_along,
    square_from_piece,
    view_of,
)
from keepclear.detect.skeletons import BLOCK, BLOCK_M, BX, BY, BZ, PX, PY, PZ, QX, QY, QZ, Volumes


class Nearest(NamedTuple):
    """The least distance of two skeletons, and the midpoint of where it is."""

    distance_m: float
    x: float
    y: float
    z: float


def not_looked_for() -> Nearest:
    """Return what stands for a distance that is not known yet: below 0."""
    return Nearest(-1.0, 0.0, 0.0, 0.0)


def nearest(v: Volumes, a: int, w: Volumes, b: int, within_m: float) -> Nearest:
    """Return the least distance of two skeletons and where; inf where it is above `within_m`."""
    best = holding(v, a, w, b)
    for block in range(v.block_offsets[a], v.block_offsets[a + 1]):
        first = v.offsets[a] + (block - v.block_offsets[a]) * BLOCK
        last = min(first + BLOCK, v.offsets[a + 1])
        for other in range(w.block_offsets[b], w.block_offsets[b + 1]):
            if best.distance_m == 0.0:
                return best
            reach_m = min(within_m, best.distance_m + SLACK_M)
            if are_blocks_far(v, block, w, other, reach_m):
                continue
            for k in range(first, last):
                m = motion_along(v, a, k)
                if not is_far_from_block(m, w, other, reach_m):
                    best = nearer(m, w, b, other, reach_m, best)
    return best


def are_blocks_far(v: Volumes, block: int, w: Volumes, other: int, reach_m: float) -> bool:
    """Tell whether the pieces of two blocks are surely more than `reach_m` apart."""
    x = v.blocks[block, BX] - w.blocks[other, BX]
    y = v.blocks[block, BY] - w.blocks[other, BY]
    z = v.blocks[block, BZ] - w.blocks[other, BZ]
    limit = reach_m + v.blocks[block, BLOCK_M] + w.blocks[other, BLOCK_M] + SLACK_M
    return bool(x * x + y * y + z * z > limit * limit)


def holding(v: Volumes, a: int, w: Volumes, b: int) -> Nearest:
    """Return a corner of one skeleton inside the region of the other, at distance 0; else inf."""
    k = v.offsets[a]
    if is_in_region(w, b, v.pieces[k, PX], v.pieces[k, PY], v.pieces[k, PZ]):
        return Nearest(0.0, v.pieces[k, PX], v.pieces[k, PY], v.pieces[k, PZ])
    k = w.offsets[b]
    if is_in_region(v, a, w.pieces[k, PX], w.pieces[k, PY], w.pieces[k, PZ]):
        return Nearest(0.0, w.pieces[k, PX], w.pieces[k, PY], w.pieces[k, PZ])
    return Nearest(math.inf, 0.0, 0.0, 0.0)


def nearer(m: Motion, w: Volumes, b: int, block: int, within_m: float, best: Nearest) -> Nearest:
    """Return the nearest of a piece, given as a motion along it, to a block, or `best`."""
    first = w.offsets[b] + (block - w.block_offsets[b]) * BLOCK
    for k in range(first, min(first + BLOCK, w.offsets[b + 1])):
        if not is_far_from_piece(m, w, k, within_m):
            e = view_of(m, w, k)
            square, at_s, share = between(e)
            distance_m = arc_m(math.sqrt(square), e.radius_m)
            if distance_m < best.distance_m:
                x, y, z = m.x + m.vx * at_s, m.y + m.vy * at_s, m.z + m.vz * at_s
                best = Nearest(
                    distance_m,
                    0.5 * (x + w.pieces[k, PX] + (w.pieces[k, QX] - w.pieces[k, PX]) * share),
                    0.5 * (y + w.pieces[k, PY] + (w.pieces[k, QY] - w.pieces[k, PY]) * share),
                    0.5 * (z + w.pieces[k, PZ] + (w.pieces[k, QZ] - w.pieces[k, PZ]) * share),
                )
    return best


def between(e: View) -> tuple[float, float, float]:
    """Return the least squared distance of two pieces, and how far along each it is.

    The first is passed in one second. Crossing pieces are at distance 0; others are nearest
    at one of their four ends.
    """
    turns = e.vx * e.wy - e.vy * e.wx
    if turns != 0.0:
        at_s = -(e.rx * e.wy - e.ry * e.wx) / turns
        share = -(e.rx * e.vy - e.ry * e.vx) / turns
        if 0.0 <= at_s <= 1.0 and 0.0 <= share <= 1.0:
            return 0.0, at_s, share
    best, best_s, best_share = math.inf, 0.0, 0.0
    a = e.vx * e.vx + e.vy * e.vy
    for which in range(4):
        at_s = which + 0.0
        if which >= 2:
            share = which - 2.0
            sx, sy = e.rx - e.wx * share, e.ry - e.wy * share
            at_s = min(max(-(sx * e.vx + sy * e.vy) / a, 0.0), 1.0) if a > 0.0 else 0.0
        square, share = square_from_piece(e, at_s)
        if square < best:
            best, best_s, best_share = square, at_s, share
    return best, best_s, best_share
