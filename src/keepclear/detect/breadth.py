# SPDX-License-Identifier: Apache-2.0
"""Whether an area is surely as wide as asked: cheaply, for nearly all are.

Errs to one side: what is not found here to be wide enough is measured (`footprints.inscribed_m`).

Plain scalar code that runs as it stands and compiled (`compiled`).
"""

import math
from collections.abc import Sequence

M_PER_DEGREE = 111_000.0
CHART_DEG = 1.0
CHART_BEND = 0.0315  # of the cosine of latitude from one side of a chart to the other
ROOM = 1.05


def fits_surely(ring_deg: Sequence[float], radius_m: float) -> bool:
    """Tell whether a circle round the middle of a ring fits into it beyond doubt.

    ring_deg: the latitudes of all of its positions, and then their longitudes.

    On a flat chart, with a twentieth of room for what the chart is wrong by: a degree of longitude
    is at its north and south side as long as at its middle but for a thirtieth (`CHART_BEND`).
    """
    count = len(ring_deg) // 2
    south, west = ring_deg[0], ring_deg[count]
    high_deg = wide_deg = middle_north = middle_east = 0.0
    for k in range(count):
        north_deg, east_deg = ring_deg[k] - south, ring_deg[count + k] - west
        high_deg, wide_deg = max(high_deg, abs(north_deg)), max(wide_deg, abs(east_deg))
        middle_north += north_deg
        middle_east += east_deg
    if high_deg > CHART_DEG or wide_deg > CHART_DEG:
        return False
    furthest = math.radians(abs(south) + high_deg)
    if math.sin(furthest) * math.radians(high_deg) > CHART_BEND * math.cos(furthest):
        return False
    middle_north, middle_east = south + middle_north / count, west + middle_east / count
    shrink = math.cos(math.radians(south)) * M_PER_DEGREE
    least_sq = ROOM * radius_m * (ROOM * radius_m)
    before_x = (ring_deg[2 * count - 1] - middle_east) * shrink
    before_y = (ring_deg[count - 1] - middle_north) * M_PER_DEGREE
    turns = 0
    for k in range(count):
        x = (ring_deg[count + k] - middle_east) * shrink
        y = (ring_deg[k] - middle_north) * M_PER_DEGREE
        # an edge is as far as the line through it at least: so corners need not be looked at
        cross = before_x * y - before_y * x
        along_x, along_y = x - before_x, y - before_y
        if cross * cross < least_sq * (along_x * along_x + along_y * along_y):
            return False
        turns += 1 if cross > 0.0 else -1
        before_x, before_y = x, y
    return abs(turns) == count  # once round the middle, and always to one side
