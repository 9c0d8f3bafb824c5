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
from typing import Any, Final, NamedTuple

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
LOWEST_COSINE: Final = 0.1737  # of 80 degrees, from the middle of a region
EVERY_ZONE: Final = -1


class Volumes(NamedTuple):
    """n volumes; a tuple of arrays (or lists), because numba takes no dataclass.

    offsets (n + 1): volume i has the pieces offsets[i] to offsets[i + 1]; block_offsets
    (n + 1): and these blocks of up to 16 pieces. Per volume: is_region, radius_m (round the
    skeleton), curve_m (how far pieces are from what was declared), longest_m (piece), cx, cy,
    cz (middle, on the ellipsoid), ball_m (all of the volume is this near the middle), lower_tmm,
    upper_tmm (NOT_THERE: no limit) and their datums (-1: unknown), lateral_m, vertical_tmm
    (uncertainty), zones (bit k: may be inside zone k), start_us, end_us, early_us, late_us
    (uncertainty of time included), clock_us.
    Per piece: px .. qz (earth-centred metres, on the ellipsoid), gx, gy, hx, hy (both ends on
    the gnomonic plane at the middle, regions only). Per block: bx, by, bz, block_m (ball), and
    block_low, block_high, block_right (least and greatest second, greatest first coordinate
    on that plane).
    """

    offsets: Integers
    block_offsets: Integers
    is_region: Integers
    radius_m: Floats
    curve_m: Floats
    longest_m: Floats
    cx: Floats
    cy: Floats
    cz: Floats
    ball_m: Floats
    lower_tmm: Integers
    lower_datum: Integers
    upper_tmm: Integers
    upper_datum: Integers
    lateral_m: Floats
    vertical_tmm: Integers
    zones: Integers
    start_us: Integers
    end_us: Integers
    early_us: Integers
    late_us: Integers
    clock_us: Integers
    px: Floats
    py: Floats
    pz: Floats
    qx: Floats
    qy: Floats
    qz: Floats
    gx: Floats
    gy: Floats
    hx: Floats
    hy: Floats
    bx: Floats
    by: Floats
    bz: Floats
    block_m: Floats
    block_low: Floats
    block_high: Floats
    block_right: Floats

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
    return Volumes(
        offsets=offsets, **_extents(skeletons, pieces, offsets, middle),
        **_times_and_heights(volumes, datums, tolerances or [EXACT] * len(volumes)),
        **_columns(pieces, ends), **_blocks(pieces, ends, offsets),
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

    The same axes as `inside.on_plane`, bit for bit as far as numpy and Python agree.
    """
    n = middle / np.sqrt((middle * middle).sum(axis=1, keepdims=True))
    across = np.hypot(n[:, 0], n[:, 1])
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


def _extents(
    skeletons: Sequence[Skeleton], pieces: Pieces, offsets: Integers, middle: Floats
) -> dict[str, Any]:
    """Return the columns that say how large volumes are.

    A region has no place further from its middle than its rings, but for the flattening, which
    0.7 % covers.
    """
    counts = np.diff(offsets)
    radius_m = np.array([skeleton.radius_m for skeleton in skeletons])
    around = np.repeat(middle, counts, axis=0)
    far = np.sqrt(
        np.maximum(((pieces.p - around) ** 2).sum(axis=1), ((pieces.q - around) ** 2).sum(axis=1))
    )
    length_m = np.sqrt(((pieces.q - pieces.p) ** 2).sum(axis=1))
    first = offsets[:-1]
    return {
        "is_region": np.array([int(skeleton.is_region) for skeleton in skeletons], dtype=np.int64),
        "radius_m": radius_m, "curve_m": np.maximum.reduceat(pieces.curve_m, first),
        "longest_m": np.maximum.reduceat(length_m, first),
        "cx": middle[:, 0].copy(), "cy": middle[:, 1].copy(), "cz": middle[:, 2].copy(),
        "ball_m": 1.007 * np.maximum.reduceat(far, first) + radius_m + 10.0,
    }  # fmt: skip


def _times_and_heights(
    volumes: Sequence[Volume4D], datums: Datums, tolerances: Sequence[Tolerance]
) -> dict[str, Any]:
    def whole(values: list[int]) -> Integers:
        return np.array(values, dtype=np.int64)

    lower = [_limit(volume.volume.lower, datums) for volume in volumes]
    upper = [_limit(volume.volume.upper, datums) for volume in volumes]
    return {
        "lower_tmm": whole([h for h, _ in lower]), "lower_datum": whole([d for _, d in lower]),
        "upper_tmm": whole([h for h, _ in upper]), "upper_datum": whole([d for _, d in upper]),
        "lateral_m": np.array([t.lateral_m for t in tolerances]),
        "vertical_tmm": whole([t.vertical_tmm for t in tolerances]),
        "zones": whole([t.zones for t in tolerances]),
        "start_us": whole([volume.start_us for volume in volumes]),
        "end_us": whole([volume.end_us for volume in volumes]),
        "early_us": whole([t.early_us for t in tolerances]),
        "late_us": whole([t.late_us for t in tolerances]),
        "clock_us": whole([t.clock_us for t in tolerances]),
    }  # fmt: skip


def _limit(altitude: Altitude | None, datums: Datums) -> tuple[int, int]:
    if altitude is None:
        return NOT_THERE, UNKNOWN_DATUM
    return altitude.height_tmm, datums.number(altitude)


def _columns(pieces: Pieces, ends: Floats) -> dict[str, Any]:
    names = ("px", "py", "pz", "qx", "qy", "qz", "gx", "gy", "hx", "hy")
    columns = [*pieces.p.T, *pieces.q.T, *ends]
    return {name: np.ascontiguousarray(c) for name, c in zip(names, columns, strict=True)}


def _blocks(pieces: Pieces, ends: Floats, offsets: Integers) -> dict[str, Any]:
    """Return the blocks: balls round up to 16 pieces, and their extent on the plane."""
    counts = np.diff(offsets)
    blocks = -(-counts // BLOCK)
    block_offsets = np.concatenate([[0], np.cumsum(blocks)]).astype(np.int64)
    inner = np.arange(block_offsets[-1]) - np.repeat(block_offsets[:-1], blocks)
    first = np.repeat(offsets[:-1], blocks) + inner * BLOCK
    low = np.minimum.reduceat(np.minimum(pieces.p, pieces.q), first, axis=0)
    high = np.maximum.reduceat(np.maximum(pieces.p, pieces.q), first, axis=0)
    middle = 0.5 * (low + high)
    return {
        "block_offsets": block_offsets,
        "bx": middle[:, 0].copy(), "by": middle[:, 1].copy(), "bz": middle[:, 2].copy(),
        "block_m": 0.5 * np.sqrt(((high - low) ** 2).sum(axis=1)),
        "block_low": np.minimum.reduceat(np.minimum(ends[1], ends[3]), first),
        "block_high": np.maximum.reduceat(np.maximum(ends[1], ends[3]), first),
        "block_right": np.maximum.reduceat(np.maximum(ends[0], ends[2]), first),
    }  # fmt: skip
