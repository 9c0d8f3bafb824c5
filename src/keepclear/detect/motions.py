# SPDX-License-Identifier: Apache-2.0
"""A point that moves along a chord, against the pieces of a volume's skeleton.

Point and piece are seen on the plane normal to the ellipsoid between the middles of both
chords (as `encounter.meet` does), where the time within a distance of the piece is one span: a
straight line cuts a stadium, which is convex. Its ends are roots of the discs at the piece's
ends, or lie on its long sides. The error of that view is bounded by `lateral.guard_m`, since
every point of a piece is a place where a second craft could be.

Plain scalar code that runs as it stands and compiled (`compiled`).
"""

import math
from typing import Final, NamedTuple

from keepclear.detect.encounter import SLACK_M
from keepclear.detect.fragments import Fragments
from keepclear.detect.lateral import (
    ONE_MINUS_E2,
    SMALLEST_RADIUS_M,
    STATIC_M2,
    gauss_radius_m,
    guard_m,
    least_distance_at,
    span_within,
)
from keepclear.detect.skeletons import (
    BALL_M,
    BLOCK_M,
    BX,
    BY,
    BZ,
    CURVE_M,
    CX,
    CY,
    CZ,
    LONGEST_M,
    PX,
    PY,
    PZ,
    QX,
    QY,
    QZ,
    Volumes,
)

DEFLECTION: Final = 0.0034  # greatest angle between the normal and the way from the earth's centre


class Motion(NamedTuple):
    """A point on a chord: where at 0 s, how it moves (m/s), for how long; the chord's length.

    curve_m: how far the chord is from the path it stands for.
    """

    x: float
    y: float
    z: float
    vx: float
    vy: float
    vz: float
    lasts_s: float
    length_m: float
    curve_m: float


class View(NamedTuple):
    """A moving point seen from the start of a piece: place, motion, the piece; metres and m/s."""

    rx: float
    ry: float
    vx: float
    vy: float
    wx: float
    wy: float
    radius_m: float


def motion_of(f: Fragments, i: int, start_us: int, end_us: int) -> Motion:
    """Return the motion of fragment i between two times."""
    lasts_s = (f.end_us[i] - f.start_us[i]) * 1e-6
    per_s = 1.0 / lasts_s if lasts_s > 0.0 else 0.0
    ax, ay, az = f.qx[i] - f.px[i], f.qy[i] - f.py[i], f.qz[i] - f.pz[i]
    share = (start_us - f.start_us[i]) * 1e-6 * per_s
    return Motion(
        f.px[i] + ax * share, f.py[i] + ay * share, f.pz[i] + az * share,
        ax * per_s, ay * per_s, az * per_s, (end_us - start_us) * 1e-6,
        math.sqrt(ax * ax + ay * ay + az * az), f.leg_curve_m[f.leg[i]],
    )  # fmt: skip


def motion_along(v: Volumes, i: int, k: int) -> Motion:
    """Return the motion from the start to the end of piece k of volume i in one second."""
    ax, ay, az = (
        v.pieces[k, QX] - v.pieces[k, PX],
        v.pieces[k, QY] - v.pieces[k, PY],
        v.pieces[k, QZ] - v.pieces[k, PZ],
    )
    length_m = math.sqrt(ax * ax + ay * ay + az * az)
    return Motion(
        v.pieces[k, PX],
        v.pieces[k, PY],
        v.pieces[k, PZ],
        ax,
        ay,
        az,
        1.0,
        length_m,
        v.sizes[i, CURVE_M],
    )


def standing_at(x: float, y: float, z: float) -> Motion:
    """Return the motion of a point that stands still at an instant."""
    return Motion(x, y, z, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)


def any_piece(v: Volumes, i: int) -> Motion:
    """Return a motion that is like those along the pieces of volume i in what bounds errors."""
    return Motion(
        0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, v.sizes[i, LONGEST_M], v.sizes[i, CURVE_M]
    )  # fmt: skip


def is_far_from_volume(m: Motion, v: Volumes, b: int, reach_m: float) -> bool:
    """Tell whether a moving point is surely more than `reach_m` from volume b all the time."""
    half_s = 0.5 * m.lasts_s
    x, y, z = m.x + m.vx * half_s, m.y + m.vy * half_s, m.z + m.vz * half_s
    x, y, z = x - v.sizes[b, CX], y - v.sizes[b, CY], z - v.sizes[b, CZ]
    limit = reach_m + v.sizes[b, BALL_M] + SLACK_M + speed_of(m) * half_s
    return bool(x * x + y * y + z * z > limit * limit)


def is_far_from_block(m: Motion, v: Volumes, block: int, reach_m: float) -> bool:
    """Tell whether a moving point is surely more than `reach_m` from the pieces of a block."""
    half_s = 0.5 * m.lasts_s
    x, y, z = m.x + m.vx * half_s, m.y + m.vy * half_s, m.z + m.vz * half_s
    x, y, z = x - v.blocks[block, BX], y - v.blocks[block, BY], z - v.blocks[block, BZ]
    limit = reach_m + v.blocks[block, BLOCK_M] + SLACK_M + speed_of(m) * half_s
    return bool(x * x + y * y + z * z > limit * limit)


def is_far_from_piece(m: Motion, v: Volumes, k: int, reach_m: float) -> bool:
    """Tell whether a moving point is surely more than `reach_m` from piece k."""
    half_s = 0.5 * m.lasts_s
    x = m.x + m.vx * half_s - 0.5 * (v.pieces[k, PX] + v.pieces[k, QX])
    y = m.y + m.vy * half_s - 0.5 * (v.pieces[k, PY] + v.pieces[k, QY])
    z = m.z + m.vz * half_s - 0.5 * (v.pieces[k, PZ] + v.pieces[k, QZ])
    wx, wy, wz = (
        v.pieces[k, QX] - v.pieces[k, PX],
        v.pieces[k, QY] - v.pieces[k, PY],
        v.pieces[k, QZ] - v.pieces[k, PZ],
    )
    half_m = 0.5 * math.sqrt(wx * wx + wy * wy + wz * wz)
    limit = reach_m + half_m + SLACK_M + speed_of(m) * half_s
    return bool(x * x + y * y + z * z > limit * limit)


def speed_of(m: Motion) -> float:
    """Return how fast a point moves, m/s."""
    return math.sqrt(m.vx * m.vx + m.vy * m.vy + m.vz * m.vz)


def guard_of_volume(m: Motion, v: Volumes, b: int, distance_m: float) -> float:
    """Return the guard band of a distance from the skeleton of volume b, in metres.

    To `lateral.guard_m` comes what the crossing numbers see from the earth's centre and not
    along the normal: the dip of a chord times the angle between both.
    """
    if distance_m == math.inf:
        return 0.0
    longest_m: float = v.sizes[b, LONGEST_M]
    dip_m = longest_m * longest_m / (8.0 * SMALLEST_RADIUS_M)
    return DEFLECTION * dip_m + guard_m(
        max(distance_m, 0.0), m.length_m, longest_m, max(m.length_m, longest_m),
        m.curve_m + v.sizes[b, CURVE_M],
    )  # fmt: skip


def view_of(m: Motion, v: Volumes, k: int) -> View:
    """Return a moving point as seen from piece k on the plane between both."""
    half_s = 0.5 * m.lasts_s
    wx, wy, wz = (
        v.pieces[k, QX] - v.pieces[k, PX],
        v.pieces[k, QY] - v.pieces[k, PY],
        v.pieces[k, QZ] - v.pieces[k, PZ],
    )
    nx = m.x + m.vx * half_s + v.pieces[k, PX] + 0.5 * wx
    ny = m.y + m.vy * half_s + v.pieces[k, PY] + 0.5 * wy
    nz = (m.z + m.vz * half_s + v.pieces[k, PZ] + 0.5 * wz) / ONE_MINUS_E2
    norm = math.sqrt(nx * nx + ny * ny + nz * nz)
    nx, ny, nz = nx / norm, ny / norm, nz / norm
    across = math.sqrt(nx * nx + ny * ny)
    ex, ey = (-ny / across, nx / across) if across > 1e-9 else (1.0, 0.0)
    fx, fy, fz = -nz * ey, nz * ex, nx * ey - ny * ex
    rx, ry, rz = m.x - v.pieces[k, PX], m.y - v.pieces[k, PY], m.z - v.pieces[k, PZ]
    return View(
        rx * ex + ry * ey, rx * fx + ry * fy + rz * fz,
        m.vx * ex + m.vy * ey, m.vx * fx + m.vy * fy + m.vz * fz,
        wx * ex + wy * ey, wx * fx + wy * fy + wz * fz,
        gauss_radius_m(nz),
    )  # fmt: skip


def square_from_piece(e: View, at_s: float) -> tuple[float, float]:
    """Return the squared distance from the piece at a time, and how far along it that is."""
    rx, ry = e.rx + e.vx * at_s, e.ry + e.vy * at_s
    length2 = e.wx * e.wx + e.wy * e.wy
    share = 0.0
    if length2 > 0.0:
        share = min(max((rx * e.wx + ry * e.wy) / length2, 0.0), 1.0)
    dx, dy = rx - e.wx * share, ry - e.wy * share
    return dx * dx + dy * dy, share


def span_near(e: View, lasts_s: float, limit: float) -> tuple[float, float]:
    """Return when in 0..lasts_s the squared distance from the piece is below `limit`."""
    a = e.vx * e.vx + e.vy * e.vy
    if a * lasts_s * lasts_s < STATIC_M2:
        return (0.0, lasts_s) if square_from_piece(e, 0.0)[0] < limit else (1.0, 0.0)
    low, high = span_within(
        a, e.rx * e.vx + e.ry * e.vy, e.rx * e.rx + e.ry * e.ry, e.rx * e.vy - e.ry * e.vx,
        limit, lasts_s,
    )  # fmt: skip
    length2 = e.wx * e.wx + e.wy * e.wy
    if length2 <= 0.0:
        return low, high
    sx, sy = e.rx - e.wx, e.ry - e.wy
    start, end = span_within(
        a, sx * e.vx + sy * e.vy, sx * sx + sy * sy, sx * e.vy - sy * e.vx, limit, lasts_s
    )
    low, high = hull(low, high, start, end)
    start, end = _between(
        e.rx * e.wx + e.ry * e.wy, e.vx * e.wx + e.vy * e.wy, 0.0, length2, 0.0, lasts_s
    )
    width = math.sqrt(limit * length2)
    start, end = _between(
        e.rx * e.wy - e.ry * e.wx, e.vx * e.wy - e.vy * e.wx, -width, width, start, end
    )
    return hull(low, high, start, end)


def hull(low: float, high: float, start: float, end: float) -> tuple[float, float]:
    """Return the span that holds both spans; an empty one adds nothing."""
    if start >= end:
        return low, high
    if low >= high:
        return start, end
    return min(low, start), max(high, end)


def _between(
    value: float, slope: float, least: float, most: float, start: float, end: float
) -> tuple[float, float]:
    """Return when in start..end value + slope t is between least and most."""
    if slope == 0.0:
        return (start, end) if least < value < most else (1.0, 0.0)
    first, last = (least - value) / slope, (most - value) / slope
    return max(start, min(first, last)), min(end, max(first, last))


def nearest_at(e: View, which: int, start_s: float, end_s: float) -> float:
    """Return a time in start_s..end_s at which the distance from the piece may be least.

    which: 0 start_s, 1 end_s, 2 and 3 nearest to the piece's ends, 4 crossing its line. The
    least of all five is the least of the span.
    """
    if which <= 1:
        return start_s if which == 0 else end_s
    a = e.vx * e.vx + e.vy * e.vy
    if which == 2:
        return least_distance_at(a, e.rx * e.vx + e.ry * e.vy, start_s, end_s)
    if which == 3:
        sx, sy = e.rx - e.wx, e.ry - e.wy
        return least_distance_at(a, sx * e.vx + sy * e.vy, start_s, end_s)
    slope = e.vx * e.wy - e.vy * e.wx
    if slope == 0.0:
        return start_s
    return min(max(-(e.rx * e.wy - e.ry * e.wx) / slope, start_s), end_s)
