# SPDX-License-Identifier: Apache-2.0
"""Whether a point is inside a region: crossing numbers in a gnomonic plane of its own.

From the earth's centre every chord is seen as a straight line on the plane that touches the
sphere of directions at the region's middle. There a ray is drawn from the point along the
plane's first axis, and the chords it crosses are counted. Corners are projected once, so that
both chords at a corner see the same bits of it, and each is above the ray or not by one
comparison (`<=`): a ray through a corner is counted right, whatever is rounded. Rounding can
move only the place where the ray meets a chord, by some nanometres; that matters to points on
the chord, which are within the guard band of it.

The region is what the rings enclose on that plane, so on the ellipsoid the side that does not
hold the antipode of the middle. `skeletons` refuses a region that reaches further than 80
degrees from its middle.

Plain scalar code that runs as it stands and compiled (`compiled`).
"""

import math
from typing import Final

import numpy as np
import numpy.typing as npt

from keepclear.detect.lateral import ONE_MINUS_E2, SEMI_MAJOR_M
from keepclear.detect.skeletons import (
    BALL_M,
    BLOCK,
    BLOCK_HIGH,
    BLOCK_LOW,
    BLOCK_RIGHT,
    CX,
    CY,
    CZ,
    GX,
    GY,
    HX,
    HY,
    IS_REGION,
    Volumes,
)

Floats = npt.NDArray[np.float64]

LOWEST: Final = 0.17  # cosine of 80.2 degrees from the middle
POLAR: Final = 1e-9


def lifted(x: float, y: float, z: float) -> tuple[float, float, float]:
    """Return a point at most some metres below the ellipsoid moved onto it along its normal."""
    per = 1.0 / (SEMI_MAJOR_M * SEMI_MAJOR_M)
    gx, gy, gz = x * per, y * per, z * per / ONE_MINUS_E2
    off = x * gx + y * gy + z * gz - 1.0
    by = 0.5 * off / (gx * gx + gy * gy + gz * gz)
    return x - by * gx, y - by * gy, z - by * gz


def on_plane(
    cx: float, cy: float, cz: float, x: float, y: float, z: float
) -> tuple[float, float, float]:
    """Return a point on the gnomonic plane at a middle, and the cosine of its angle from it."""
    norm = math.sqrt(cx * cx + cy * cy + cz * cz)
    nx, ny, nz = cx / norm, cy / norm, cz / norm
    across = math.sqrt(nx * nx + ny * ny)
    ex, ey = (-ny / across, nx / across) if across > POLAR else (1.0, 0.0)
    fx, fy, fz = -nz * ey, nz * ex, nx * ey - ny * ex
    up = nx * x + ny * y + nz * z
    cosine = up / math.sqrt(x * x + y * y + z * z)
    if cosine <= LOWEST:
        return 0.0, 0.0, cosine
    return (ex * x + ey * y) / up, (fx * x + fy * y + fz * z) / up, cosine


def is_in_region(v: Volumes, i: int, x: float, y: float, z: float) -> bool:
    """Tell whether a point within metres of the ellipsoid is in region i; no region: it is not."""
    if v.terms[i, IS_REGION] == 0:
        return False
    x, y, z = lifted(x, y, z)
    dx, dy, dz = x - v.sizes[i, CX], y - v.sizes[i, CY], z - v.sizes[i, CZ]
    if dx * dx + dy * dy + dz * dz > v.sizes[i, BALL_M] * v.sizes[i, BALL_M]:
        return False
    gx, gy, cosine = on_plane(v.sizes[i, CX], v.sizes[i, CY], v.sizes[i, CZ], x, y, z)
    return cosine > LOWEST and is_odd(v, i, gx, gy)


def is_odd(v: Volumes, i: int, gx: float, gy: float) -> bool:
    """Tell whether a ray along the first axis crosses region i's rings an odd number of times."""
    odd = False
    for block in range(v.block_offsets[i], v.block_offsets[i + 1]):
        if (
            gy < v.blocks[block, BLOCK_LOW]
            or gy > v.blocks[block, BLOCK_HIGH]
            or gx > v.blocks[block, BLOCK_RIGHT]
        ):
            continue
        first = v.offsets[i] + (block - v.block_offsets[i]) * BLOCK
        for k in range(first, min(first + BLOCK, v.offsets[i + 1])):
            y0, y1 = v.pieces[k, GY], v.pieces[k, HY]
            if (y0 <= gy) != (y1 <= gy):
                x0, x1 = v.pieces[k, GX], v.pieces[k, HX]
                if gx < x0 + (x1 - x0) * ((gy - y0) / (y1 - y0)):
                    odd = not odd
    return odd


def point_inside(v: Volumes, i: int) -> tuple[float, float]:
    """Return a point well inside region i, on its plane: the middle of a widest cut.

    The cut is along the first axis, halfway between the two neighbouring corners that are
    furthest apart across it.
    """
    first, last = v.offsets[i], v.offsets[i + 1]
    heights = np.empty(last - first)
    for k in range(first, last):
        heights[k - first] = v.pieces[k, GY]
    sort(heights, last - first)
    at, widest = heights[0], -1.0
    for k in range(1, last - first):
        if heights[k] - heights[k - 1] > widest:
            widest = heights[k] - heights[k - 1]
            at = 0.5 * (heights[k] + heights[k - 1])
    cuts = heights
    count = 0
    for k in range(first, last):
        y0, y1 = v.pieces[k, GY], v.pieces[k, HY]
        if (y0 <= at) != (y1 <= at):
            cuts[count] = v.pieces[k, GX] + (v.pieces[k, HX] - v.pieces[k, GX]) * (
                (at - y0) / (y1 - y0)
            )
            count += 1
    sort(cuts, count)
    x, widest = v.pieces[first, GX], -1.0
    for k in range(0, count - 1, 2):
        if cuts[k + 1] - cuts[k] > widest:
            widest = cuts[k + 1] - cuts[k]
            x = 0.5 * (cuts[k] + cuts[k + 1])
    return x, at


def off_plane(cx: float, cy: float, cz: float, gx: float, gy: float) -> tuple[float, float, float]:
    """Return the point of the ellipsoid that a gnomonic plane shows at gx, gy."""
    norm = math.sqrt(cx * cx + cy * cy + cz * cz)
    nx, ny, nz = cx / norm, cy / norm, cz / norm
    across = math.sqrt(nx * nx + ny * ny)
    ex, ey = (-ny / across, nx / across) if across > POLAR else (1.0, 0.0)
    fx, fy, fz = -nz * ey, nz * ex, nx * ey - ny * ex
    x, y, z = nx + gx * ex + gy * fx, ny + gx * ey + gy * fy, nz + gy * fz
    by = SEMI_MAJOR_M / math.sqrt(x * x + y * y + z * z / ONE_MINUS_E2)
    return x * by, y * by, z * by


def sort(values: Floats, count: int) -> None:
    """Sort the first values of an array in place, by insertion: they are few."""
    for k in range(1, count):
        value = values[k]
        m = k - 1
        while m >= 0 and values[m] > value:
            values[m + 1] = values[m]
            m -= 1
        values[m + 1] = value
