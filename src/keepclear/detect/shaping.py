# SPDX-License-Identifier: Apache-2.0
"""Volumes from their corners to arrays, one after another: `skeletons` for a few at a time.

`skeletons` does each step for all volumes at once, which for one plan is a hundred calls of
numpy that take longer than the work. Here the same is done number by number, with the same
operations in the same order, so that it gives the same bits.

What takes more than that is left to `skeletons`, and these functions say so: edges that are to
be cut, and rings that are not beyond doubt simple.

Plain scalar code that runs as it stands and compiled (`compiled`).
"""

import math

import numpy as np
import numpy.typing as npt

from keepclear.airspace.geodesics import ECCENTRICITY_SQ, SEMI_MAJOR_M
from keepclear.detect.skeletons import (
    BALL_M,
    BLOCK,
    BLOCK_HIGH,
    BLOCK_LOW,
    BLOCK_M,
    BLOCK_RIGHT,
    BX,
    CX,
    EARTH_M,
    GX,
    GY,
    HX,
    HY,
    IS_REGION,
    LONGEST_M,
    LOWEST_COSINE,
    PX,
    QX,
    RADIUS_M,
    SLACK_M,
    X_FROM,
)

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

SHORT_M = 5_900.0  # such an edge is one piece, for sure
SHORTEST_M = 1e-3  # below, the ends may be one position
LEAST_EDGES = 3
TURN_ERROR = 3.3306690738754716e-16  # `crossings`
NOT_SHORT = -1
NOT_SIMPLE = -2


def shape_short(
    sines: Floats, cosines: Floats, runs: Integers, terms: Integers, sizes: Floats,
    offsets: Integers, rings: Integers, pieces: Floats, block_offsets: Integers, blocks: Floats,
) -> int:  # fmt: skip
    """Write volumes whose edges are short geodesics; return how many pieces they have.

    NOT_SHORT where an edge is to be cut, NOT_SIMPLE as `shape_volumes`. sines, cosines: of the
    latitudes of all corners, and after them of their longitudes. runs: of which volume each is,
    how many corners it has, whether it is closed; those of a volume in a row.
    """
    count = _cut_short(sines, cosines, runs, offsets, rings, pieces)
    if count != NOT_SHORT and not shape_volumes(
        pieces, rings, offsets, terms, sizes, block_offsets, blocks
    ):
        return NOT_SIMPLE
    return count


def _cut_short(
    sines: Floats, cosines: Floats, runs: Integers, offsets: Integers, rings: Integers,
    pieces: Floats,
) -> int:  # fmt: skip
    """Write the pieces of runs, and which each run and each volume starts with."""
    corners = len(sines) // 2
    corner = n = 0
    offsets[0] = rings[0] = 0
    for run in range(len(runs)):
        first, count, is_closed = n, runs[run, 1], runs[run, 2] != 0
        if is_closed and count < LEAST_EDGES:
            return NOT_SHORT
        for k in range(count):
            x, y, z = _place(
                sines[corner], cosines[corner], sines[corners + corner], cosines[corners + corner]
            )
            if k > 0:
                pieces[n - 1, QX], pieces[n - 1, QX + 1], pieces[n - 1, QX + 2] = x, y, z
            if is_closed or k < count - 1 or count == 1:
                pieces[n, PX], pieces[n, PX + 1], pieces[n, PX + 2] = x, y, z
                n += 1
            corner += 1
        if is_closed or count == 1:
            for axis in range(3):
                pieces[n - 1, QX + axis] = pieces[first, PX + axis]
        if count > 1 and not _are_short(pieces, first, n):
            return NOT_SHORT
        rings[run + 1] = offsets[runs[run, 0] + 1] = n
    return n


def _place(
    sin_phi: float, cos_phi: float, sin_lam: float, cos_lam: float
) -> tuple[float, float, float]:
    """Return a point as `geodesics.to_ecef` does, from the sines and cosines."""
    radius_m = SEMI_MAJOR_M / math.sqrt(1 - ECCENTRICITY_SQ * (sin_phi * sin_phi))
    return (
        radius_m * cos_phi * cos_lam, radius_m * cos_phi * sin_lam,
        radius_m * (1 - ECCENTRICITY_SQ) * sin_phi,
    )  # fmt: skip


def _are_short(pieces: Floats, first: int, last: int) -> bool:
    for k in range(first, last):
        dx = pieces[k, QX] - pieces[k, PX]
        dy = pieces[k, QX + 1] - pieces[k, PX + 1]
        dz = pieces[k, QX + 2] - pieces[k, PX + 2]
        long_sq = dx * dx + dy * dy + dz * dz
        if long_sq > SHORT_M * SHORT_M or long_sq < SHORTEST_M * SHORTEST_M:
            return False
    return True


def shape_volumes(
    pieces: Floats, rings: Integers, offsets: Integers, terms: Integers, sizes: Floats,
    block_offsets: Integers, blocks: Floats,
) -> bool:  # fmt: skip
    """Write what `skeletons` writes of volumes from their pieces; tell whether it could.

    rings: the piece that each run starts with, and one past the last; offsets: of volumes.
    sizes: with their round radius, how far their pieces are from what was declared, and their
    uncertainty of place; the rest is written here, as are the ends on the plane.
    """
    run = 0
    for i in range(len(offsets) - 1):
        first, last = offsets[i], offsets[i + 1]
        is_region = terms[i, IS_REGION] != 0
        _write_middle(pieces, first, last, sizes, i)
        if not _write_ends(pieces, first, last, sizes, i, is_region):
            return False
        begins = run
        while run < len(rings) - 1 and rings[run] < last:
            run += 1
        if is_region and not _is_simple(pieces, rings, begins, run):
            return False
        _write_size(pieces, first, last, sizes, i, is_region)
        block_offsets[i + 1] = _write_blocks(pieces, first, last, blocks, block_offsets[i])
    return True


def _extent(pieces: Floats, first: int, last: int, p: int, q: int) -> tuple[float, float]:
    """Return the least and the greatest of pieces in two columns, those of their ends."""
    low, high = pieces[first, p], pieces[first, p]
    for k in range(first, last):
        low = min(low, pieces[k, p], pieces[k, q])
        high = max(high, pieces[k, p], pieces[k, q])
    return low, high


def _write_middle(pieces: Floats, first: int, last: int, sizes: Floats, i: int) -> None:
    """Write the middle of a volume's box, moved onto the ellipsoid from the earth's centre."""
    for axis in range(3):
        low, high = _extent(pieces, first, last, PX + axis, QX + axis)
        sizes[i, CX + axis] = 0.5 * (low + high)
    x, y, z = sizes[i, CX], sizes[i, CX + 1], sizes[i, CX + 2]
    length_m = max(math.sqrt(x * x + y * y + z * z), 1.0)
    x, y, z = x / length_m, y / length_m, z / length_m
    size = math.sqrt(x * x + y * y + z * z / 0.9933056200098587)
    factor = 6_378_137.0 / max(size, 0.5)
    sizes[i, CX], sizes[i, CX + 1], sizes[i, CX + 2] = x * factor, y * factor, z * factor


def _write_ends(
    pieces: Floats, first: int, last: int, sizes: Floats, i: int, is_region: bool
) -> bool:
    """Write both ends of pieces on their region's gnomonic plane; False where it has none."""
    if not is_region:
        for k in range(first, last):
            pieces[k, GX] = pieces[k, GY] = pieces[k, HX] = pieces[k, HY] = 0.0
        return True
    x, y, z = sizes[i, CX], sizes[i, CX + 1], sizes[i, CX + 2]
    norm = math.sqrt(x * x + y * y + z * z)
    nx, ny, nz = x / norm, y / norm, z / norm
    across = math.sqrt(nx * nx + ny * ny)
    ex, ey = 1.0, 0.0
    if across > 1e-9:
        ex, ey = -ny / across, nx / across
    fx, fy, fz = -nz * ey, nz * ex, nx * ey - ny * ex
    for k in range(first, last):
        for end, on_plane in ((PX, GX), (QX, HX)):
            x, y, z = pieces[k, end], pieces[k, end + 1], pieces[k, end + 2]
            up = nx * x + ny * y + nz * z
            if up / math.sqrt(x * x + y * y + z * z) < LOWEST_COSINE:
                return False
            pieces[k, on_plane] = (ex * x + ey * y) / up
            pieces[k, on_plane + 1] = (fx * x + fy * y + fz * z) / up
    return True


def _is_simple(pieces: Floats, rings: Integers, begins: int, ends: int) -> bool:
    """Tell whether no two pieces of a region meet but where one goes on from the other.

    False where that is not beyond doubt.
    """
    for one in range(begins, ends):
        for i in range(rings[one], rings[one + 1]):
            for other in range(one, ends):
                for j in range(max(i + 1, rings[other]), rings[other + 1]):
                    if not _are_apart(pieces, i, j):
                        if other != one:
                            return False
                        first, last = rings[one], rings[one + 1] - 1
                        if not (
                            (j == i + 1 and _goes_on(pieces, i, j))
                            or (i == first and j == last and _goes_on(pieces, j, i))
                        ):
                            return False
    return True


def _are_apart(pieces: Floats, i: int, j: int) -> bool:
    """Tell whether two pieces surely share no point: by their boxes, or by a line between."""
    if max(pieces[i, GX], pieces[i, HX]) < min(pieces[j, GX], pieces[j, HX]):
        return True
    if max(pieces[j, GX], pieces[j, HX]) < min(pieces[i, GX], pieces[i, HX]):
        return True
    if max(pieces[i, GY], pieces[i, HY]) < min(pieces[j, GY], pieces[j, HY]):
        return True
    if max(pieces[j, GY], pieces[j, HY]) < min(pieces[i, GY], pieces[i, HY]):
        return True
    return _is_on_one_side(pieces, i, j) or _is_on_one_side(pieces, j, i)


def _is_on_one_side(pieces: Floats, i: int, j: int) -> bool:
    """Tell whether both ends of piece j lie beyond doubt on one side of piece i."""
    one = _side(pieces, i, pieces[j, GX], pieces[j, GY])
    return one != 0 and one == _side(pieces, i, pieces[j, HX], pieces[j, HY])


def _side(pieces: Floats, i: int, x: float, y: float) -> int:
    """Return on which side of piece i a point lies: 1 or -1, 0 where it is not beyond doubt."""
    gx, gy = pieces[i, GX], pieces[i, GY]
    plus = (pieces[i, HX] - gx) * (y - gy)
    minus = (pieces[i, HY] - gy) * (x - gx)
    turn = plus - minus
    if abs(turn) <= TURN_ERROR * (abs(plus) + abs(minus)):
        return 0
    return 1 if turn > 0 else -1


def _goes_on(pieces: Floats, i: int, j: int) -> bool:
    """Tell whether piece j, which starts where piece i ends, surely does not run back over it."""
    ix, iy = pieces[i, HX] - pieces[i, GX], pieces[i, HY] - pieces[i, GY]
    jx, jy = pieces[j, HX] - pieces[j, GX], pieces[j, HY] - pieces[j, GY]
    plus, minus = ix * jy, iy * jx
    if abs(plus - minus) > TURN_ERROR * (abs(plus) + abs(minus)):
        return True
    return bool(ix * jx + iy * jy > TURN_ERROR * (abs(ix * jx) + abs(iy * jy)))


def _write_size(
    pieces: Floats, first: int, last: int, sizes: Floats, i: int, is_region: bool
) -> None:
    """Write the longest piece, the ball and the box of a volume."""
    far_sq = longest_m = 0.0
    for k in range(first, last):
        for end in (PX, QX):
            dx = pieces[k, end] - sizes[i, CX]
            dy = pieces[k, end + 1] - sizes[i, CX + 1]
            dz = pieces[k, end + 2] - sizes[i, CX + 2]
            far_sq = max(far_sq, dx * dx + dy * dy + dz * dz)
        dx = pieces[k, QX] - pieces[k, PX]
        dy = pieces[k, QX + 1] - pieces[k, PX + 1]
        dz = pieces[k, QX + 2] - pieces[k, PX + 2]
        longest_m = max(longest_m, math.sqrt(dx * dx + dy * dy + dz * dz))
    radius_m = sizes[i, RADIUS_M]
    ball_m = 1.007 * math.sqrt(far_sq) + radius_m + SLACK_M
    bulge_m = 1.1 * (ball_m * ball_m) / (2.0 * EARTH_M) if is_region else 0.0
    extra_m = radius_m + bulge_m + SLACK_M
    sizes[i, LONGEST_M], sizes[i, BALL_M] = longest_m, ball_m
    for axis in range(3):
        low, high = _extent(pieces, first, last, PX + axis, QX + axis)
        middle = sizes[i, CX + axis]
        sizes[i, X_FROM + 2 * axis] = max(low - extra_m, middle - ball_m)
        sizes[i, X_FROM + 2 * axis + 1] = min(high + extra_m, middle + ball_m)


def _write_blocks(pieces: Floats, first: int, last: int, blocks: Floats, n: int) -> int:
    """Write the blocks of a volume from place n on; return one past the last."""
    for start in range(first, last, BLOCK):
        end = min(start + BLOCK, last)
        far_sq = 0.0
        for axis in range(3):
            low, high = _extent(pieces, start, end, PX + axis, QX + axis)
            blocks[n, BX + axis] = 0.5 * (low + high)
            far_sq += (high - low) * (high - low)
        blocks[n, BLOCK_M] = 0.5 * math.sqrt(far_sq)
        blocks[n, BLOCK_LOW], blocks[n, BLOCK_HIGH] = _extent(pieces, start, end, GY, HY)
        _, blocks[n, BLOCK_RIGHT] = _extent(pieces, start, end, GX, HX)
        n += 1
    return n
