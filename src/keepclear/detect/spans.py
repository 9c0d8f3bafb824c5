# SPDX-License-Identifier: Apache-2.0
"""When a moving point is within a distance of a volume's skeleton, or deep inside its region.

Spans near single pieces are joined; in the gaps between them the point is away from every
piece, so it is inside the region for the whole gap or not at all, and one crossing number at
the middle of the gap tells which.

Spans lie in the first places of two arrays, in order, none touching another. Plain scalar code
that runs as it stands and compiled (`compiled`).
"""

import numpy as np
import numpy.typing as npt

from keepclear.detect.inside import is_in_region
from keepclear.detect.lateral import chord_squared_m2
from keepclear.detect.motions import (
    Motion,
    is_far_from_block,
    is_far_from_piece,
    span_near,
    view_of,
)
from keepclear.detect.skeletons import (
    BLOCK,
    IS_REGION,
    Volumes,
)

Floats = npt.NDArray[np.float64]

NEAREST_M = 1e-6
"""Within this of a boundary is on it."""


def near(m: Motion, v: Volumes, b: int, reach_m: float, lows: Floats, highs: Floats) -> int:
    """Fill in when a point is within `reach_m` of pieces of volume b; return how many spans."""
    count = 0
    for block in range(v.block_offsets[b], v.block_offsets[b + 1]):
        if is_far_from_block(m, v, block, reach_m):
            continue
        first = v.offsets[b] + (block - v.block_offsets[b]) * BLOCK
        for k in range(first, min(first + BLOCK, v.offsets[b + 1])):
            if is_far_from_piece(m, v, k, reach_m):
                continue
            e = view_of(m, v, k)
            low, high = span_near(e, m.lasts_s, chord_squared_m2(reach_m, e.radius_m))
            if low < high or (low == high and m.lasts_s <= 0.0):
                count = insert(low, high, lows, highs, count)
    return join_spans(lows, highs, count)


def insert(low: float, high: float, lows: Floats, highs: Floats, count: int) -> int:
    """Put a span in its place by its start; return the new count."""
    k = count
    while k > 0 and lows[k - 1] > low:
        lows[k], highs[k] = lows[k - 1], highs[k - 1]
        k -= 1
    lows[k], highs[k] = low, high
    return count + 1


def join_spans(lows: Floats, highs: Floats, count: int) -> int:
    """Join spans, in order of their starts, that touch; return how many are left."""
    if count == 0:
        return 0
    kept = 0
    for k in range(1, count):
        if lows[k] <= highs[kept]:
            highs[kept] = max(highs[kept], highs[k])
        else:
            kept += 1
            lows[kept], highs[kept] = lows[k], highs[k]
    return kept + 1


def gaps_inside(
    m: Motion, v: Volumes, b: int, lows: Floats, highs: Floats, count: int,
    out_low: Floats, out_high: Floats,
) -> int:  # fmt: skip
    """Fill in the gaps between spans near the boundary in which a point is inside region b."""
    found = 0
    start_s = 0.0
    for k in range(count + 1):
        end_s = lows[k] if k < count else m.lasts_s
        is_gap = start_s < end_s or (m.lasts_s <= 0.0 and count == 0)
        if is_gap and is_inside_at(m, v, b, 0.5 * (start_s + end_s)):
            out_low[found], out_high[found] = start_s, end_s
            found += 1
        if k < count:
            start_s = highs[k]
    return found


def is_inside_at(m: Motion, v: Volumes, b: int, at_s: float) -> bool:
    """Tell whether a moving point is inside region b at a time."""
    return is_in_region(v, b, m.x + m.vx * at_s, m.y + m.vy * at_s, m.z + m.vz * at_s)


def within(m: Motion, v: Volumes, b: int, reach_m: float, spans: Floats) -> int:
    """Fill in when a point is within `reach_m` of the skeleton, or inside; return how many.

    spans: four rows; the answer is in the first two. reach_m of inf: all the time.
    """
    if reach_m == np.inf:
        spans[0, 0], spans[1, 0] = 0.0, m.lasts_s
        return 1
    count = near(m, v, b, max(reach_m, NEAREST_M), spans[0], spans[1])
    if v.terms[b, IS_REGION] == 0:
        return count
    found = gaps_inside(m, v, b, spans[0], spans[1], count, spans[2], spans[3])
    for k in range(found):
        count = insert(spans[2, k], spans[3, k], spans[0], spans[1], count)
    return join_spans(spans[0], spans[1], count)


def deep(m: Motion, v: Volumes, b: int, depth_m: float, spans: Floats) -> int:
    """Fill in when a point is inside region b, further than `depth_m` from its boundary."""
    if v.terms[b, IS_REGION] == 0:
        return 0
    count = near(m, v, b, max(depth_m, NEAREST_M), spans[2], spans[3])
    return gaps_inside(m, v, b, spans[2], spans[3], count, spans[0], spans[1])
