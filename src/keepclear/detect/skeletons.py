# SPDX-License-Identifier: Apache-2.0
"""Volumes compiled once: their skeletons as short chords of the ellipsoid, as arrays.

A volume is a skeleton (a region, a line or a point), a distance round it, a band of heights
and a window of time. A region is the side of its rings that does not hold the antipode of its
middle: with rings that reach at most 80 degrees from there, the smaller side.

1. Heights are integers, each limit with its own datum; NOT_THERE is no limit on that side.
2. Volumes stand in the order of their ids: a pair is computed lower place first, so that
   detect(a, b) and detect(b, a) are the same bits.
3. Rings that cross or touch themselves or each other are refused (`rings`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from keepclear.airspace.altitudes import Altitude
from keepclear.airspace.volumes import Volume4D
from keepclear.detect.datums import Datums
from keepclear.detect.edges import Pieces, cut, edges_of
from keepclear.detect.points import UNKNOWN_DATUM
from keepclear.detect.rings import check_rings
from keepclear.detect.shapes import Skeleton, skeleton_of
from keepclear.errors import InputError

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

NOT_THERE: Final = -(2**62)
BLOCK: Final = 16
SLACK_M: Final = 10.0
EARTH_M: Final = 6_335_000.0  # the smallest radius of curvature
LOWEST_COSINE: Final = 0.1737  # of 80 degrees, from the middle of a region
EVERY_ZONE: Final = -1


# Columns of `sizes`: round the skeleton; how far pieces are from what was declared; the longest
# piece; the middle, on the ellipsoid, and how near it all of the volume is; uncertainty of place;
# from X_FROM on the box that holds all of the volume: least and greatest x, y, z.
RADIUS_M, CURVE_M, LONGEST_M, CX, CY, CZ, BALL_M, UNSURE_M, X_FROM = range(9)
# Columns of `terms`: whether a region; limits (NOT_THERE: none) and their datums (-1: unknown);
# uncertainty of height; zones it may be in (bit k: zone k); window; tolerances of time, and how
# much of both is uncertainty of time.
IS_REGION, LOWER_TMM, LOWER_DATUM, UPPER_TMM, UPPER_DATUM, UNSURE_TMM = range(6)
ZONES, START_US, END_US, EARLY_US, LATE_US, CLOCK_US = range(6, 12)
# Columns of `pieces`: both ends in earth-centred metres, on the ellipsoid, and on the gnomonic
# plane at the middle (regions only).
PX, PY, PZ, QX, QY, QZ, GX, GY, HX, HY = range(10)
# Columns of `blocks`: a ball round up to 16 pieces, and on the plane their least and greatest
# second and their greatest first coordinate.
BX, BY, BZ, BLOCK_M, BLOCK_LOW, BLOCK_HIGH, BLOCK_RIGHT = range(7)


class Volumes(NamedTuple):
    """n volumes as few wide arrays, columns named above: a compiled call passes each apart.

    offsets (n + 1): volume i has the pieces offsets[i] to offsets[i + 1]; block_offsets
    (n + 1): and these blocks of up to 16 pieces. sizes, terms: of volumes.
    """

    offsets: Integers
    block_offsets: Integers
    sizes: Floats
    terms: Integers
    pieces: Floats
    blocks: Floats

    @property
    def volumes(self) -> int:
        """How many volumes."""
        return len(self.offsets) - 1


@dataclass(frozen=True, kw_only=True)
class Tolerance:
    """What a volume may be off by: uncertainty of place and height, and of its window.

    early_us, late_us: how much it may run before and after its times, clock_us of both being
    uncertainty of time. zones: bit k set where it may be inside zone k; in doubt, it may.
    """

    lateral_m: float = 0.0
    vertical_tmm: int = 0
    early_us: int = 0
    late_us: int = 0
    clock_us: int = 0
    zones: int = EVERY_ZONE


EXACT: Final = Tolerance()


def compile_volumes(
    volumes: Sequence[Volume4D], datums: Datums, tolerances: Sequence[Tolerance] | None = None
) -> Volumes:
    """Return volumes as arrays. `InputError` for a shape that cannot be computed.

    tolerances: one a volume; None for none.
    """
    if not volumes:
        raise InputError("volumes", 0, "are nothing to compare", "give one or more")
    skeletons = [skeleton_of(volume.volume.shape) for volume in volumes]
    tolerances = tolerances or [EXACT] * len(volumes)
    runs = [run for skeleton in skeletons for run in skeleton.runs]
    owner = np.repeat(np.arange(len(skeletons)), [len(each.runs) for each in skeletons])
    edges = edges_of(runs)
    pieces = cut(runs, edges)
    volume_of = owner[pieces.run]
    offsets = np.searchsorted(volume_of, np.arange(len(skeletons) + 1)).astype(np.int64)
    is_region = np.array([each.is_region for each in skeletons])
    middle = _middles(pieces, offsets)
    ends = _gnomonic(pieces, middle[volume_of], is_region[volume_of])
    check_rings(edges, pieces, ends, owner, is_region, volumes)
    block_offsets, blocks = _blocks(pieces, ends, offsets)
    return Volumes(
        offsets=offsets, block_offsets=block_offsets,
        sizes=_sizes(skeletons, pieces, offsets, middle, tolerances),
        terms=terms_of(volumes, is_region.tolist(), datums, tolerances),
        pieces=np.concatenate([pieces.p, pieces.q, ends.T], axis=1), blocks=blocks,
    )  # fmt: skip


def _middles(pieces: Pieces, offsets: Integers) -> Floats:
    """Return the middle of each volume's box, moved onto the ellipsoid from the earth's centre."""
    low = np.minimum.reduceat(np.minimum(pieces.p, pieces.q), offsets[:-1], axis=0)
    high = np.maximum.reduceat(np.maximum(pieces.p, pieces.q), offsets[:-1], axis=0)
    middle = 0.5 * (low + high)
    length_m = np.sqrt((middle * middle).sum(axis=1, keepdims=True))
    stretched = middle / np.maximum(length_m, 1.0)
    size = np.sqrt((stretched[:, :2] ** 2).sum(axis=1) + stretched[:, 2] ** 2 / 0.9933056200098587)
    return np.asarray(stretched * (6_378_137.0 / np.maximum(size, 0.5))[:, None])


def _gnomonic(pieces: Pieces, middle: Floats, is_region: npt.NDArray[np.bool_]) -> Floats:
    """Return both ends of the pieces of regions on their planes, as gx, gy, hx, hy.

    The same axes as `inside.on_plane`, bit for bit.
    """
    n = middle / np.sqrt((middle * middle).sum(axis=1, keepdims=True))
    across = np.sqrt(n[:, 0] * n[:, 0] + n[:, 1] * n[:, 1])
    polar = across <= 1e-9
    with np.errstate(divide="ignore", invalid="ignore"):
        ex = np.where(polar, 1.0, -n[:, 1] / across)
        ey = np.where(polar, 0.0, n[:, 0] / across)
    fx, fy, fz = -n[:, 2] * ey, n[:, 2] * ex, n[:, 0] * ey - n[:, 1] * ex
    ends = []
    for point in (pieces.p, pieces.q):
        x, y, z = point[:, 0], point[:, 1], point[:, 2]
        up = n[:, 0] * x + n[:, 1] * y + n[:, 2] * z
        cosine = up / np.sqrt(x * x + y * y + z * z)
        if np.any(is_region & (cosine < LOWEST_COSINE)):
            raise InputError(
                "polygon", "an area", "reaches further than 80 degrees from its middle",
                "cut it into smaller areas",
            )  # fmt: skip
        up = np.where(is_region, up, np.inf)
        ends += [(ex * x + ey * y) / up, (fx * x + fy * y + fz * z) / up]
    return np.stack(ends)


def _sizes(
    skeletons: Sequence[Skeleton], pieces: Pieces, offsets: Integers, middle: Floats,
    tolerances: Sequence[Tolerance],
) -> Floats:  # fmt: skip
    """Return how large volumes are.

    A region has no place further from its middle than its rings, but for the flattening, which
    0.7 % covers.
    """
    first = offsets[:-1]
    radius_m = np.array([skeleton.radius_m for skeleton in skeletons])
    around = np.repeat(middle, np.diff(offsets), axis=0)
    far = np.sqrt(
        np.maximum(((pieces.p - around) ** 2).sum(axis=1), ((pieces.q - around) ** 2).sum(axis=1))
    )
    length_m = np.sqrt(((pieces.q - pieces.p) ** 2).sum(axis=1))
    ball_m = 1.007 * np.maximum.reduceat(far, first) + radius_m + SLACK_M
    is_region = np.array([skeleton.is_region for skeleton in skeletons])
    columns = [
        radius_m, np.maximum.reduceat(pieces.curve_m, first),
        np.maximum.reduceat(length_m, first), *middle.T, ball_m,
        np.array([tolerance.lateral_m for tolerance in tolerances]),
        *_boxes(pieces, offsets, middle, ball_m, radius_m, is_region),
    ]  # fmt: skip
    return np.stack(columns, axis=1)


def _boxes(
    pieces: Pieces, offsets: Integers, middle: Floats, ball_m: Floats, radius_m: Floats,
    is_region: npt.NDArray[np.bool_],
) -> list[Floats]:  # fmt: skip
    """Return least and greatest x, y, z of volumes.

    A region bulges out of the box of its boundary by no more than the height of the cap that
    its ball cuts off the earth.
    """
    first = offsets[:-1]
    bulge_m = np.where(is_region, 1.1 * ball_m**2 / (2.0 * EARTH_M), 0.0)
    extra_m = (radius_m + bulge_m + SLACK_M)[:, None]
    low = np.minimum.reduceat(np.minimum(pieces.p, pieces.q), first, axis=0) - extra_m
    high = np.maximum.reduceat(np.maximum(pieces.p, pieces.q), first, axis=0) + extra_m
    low = np.maximum(low, middle - ball_m[:, None])
    high = np.minimum(high, middle + ball_m[:, None])
    return [side[:, axis] for axis in range(3) for side in (low, high)]


def terms_of(
    volumes: Sequence[Volume4D], is_region: Sequence[bool], datums: Datums,
    tolerances: Sequence[Tolerance],
) -> Integers:  # fmt: skip
    """Return heights, windows and tolerances of volumes."""
    rows = [
        (
            int(region), *_limit(each.volume.lower, datums), *_limit(each.volume.upper, datums),
            t.vertical_tmm, t.zones, each.start_us, each.end_us,
            t.early_us, t.late_us, t.clock_us,
        ) for each, region, t in zip(volumes, is_region, tolerances, strict=True)
    ]  # fmt: skip
    return np.array(rows, dtype=np.int64)


def _limit(altitude: Altitude | None, datums: Datums) -> tuple[int, int]:
    if altitude is None:
        return NOT_THERE, UNKNOWN_DATUM
    return altitude.height_tmm, datums.number(altitude)


def _blocks(pieces: Pieces, ends: Floats, offsets: Integers) -> tuple[Integers, Floats]:
    """Return which blocks volumes have, and the blocks."""
    blocks = -(-np.diff(offsets) // BLOCK)
    block_offsets = np.concatenate([[0], np.cumsum(blocks)]).astype(np.int64)
    inner = np.arange(block_offsets[-1]) - np.repeat(block_offsets[:-1], blocks)
    first = np.repeat(offsets[:-1], blocks) + inner * BLOCK
    low = np.minimum.reduceat(np.minimum(pieces.p, pieces.q), first, axis=0)
    high = np.maximum.reduceat(np.maximum(pieces.p, pieces.q), first, axis=0)
    columns = [
        *(0.5 * (low + high)).T, 0.5 * np.sqrt(((high - low) ** 2).sum(axis=1)),
        np.minimum.reduceat(np.minimum(ends[1], ends[3]), first),
        np.maximum.reduceat(np.maximum(ends[1], ends[3]), first),
        np.maximum.reduceat(np.maximum(ends[0], ends[2]), first),
    ]  # fmt: skip
    return block_offsets, np.stack(columns, axis=1)
