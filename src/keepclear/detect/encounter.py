# SPDX-License-Identifier: Apache-2.0
"""One fragment of each of two plans, at equal times: when inside a cylinder, how close.

All in seconds since the start of the time both have in common. Plain scalar code that runs as
it stands and compiled (`compiled`): +, -, *, / and square roots only, in one fixed order.
"""

import math
from typing import Final, NamedTuple

from keepclear.detect.fragments import Fragments
from keepclear.detect.lateral import (
    ONE_MINUS_E2,
    STATIC_M2,
    arc_m,
    chord_squared_m2,
    gauss_radius_m,
    guard_m,
    least_distance_at,
    roots,
    span_within,
)
from keepclear.detect.vertical import CLOSE_TMM, compare_heights_at, height_at

TMM_PER_M: Final = 10_000.0
SLACK_M: Final = 6.0  # more than the dip of the longest chord, and the guard band
TIME_GUARD_S: Final = 1e-6
HEIGHT_ERROR_TMM: Final = 2e-6  # more than float64 heights are off
INLINED: Final = ("is_far",)
NOT_THERE: Final = -(2**62)


class Encounter(NamedTuple):
    """Two fragments over the time they share: relative motion and the heights at both ends.

    lasts_s: length of that time. a = v.v, b = r.v, square = r.r, cross = r x v, all horizontal
    (m, s). radius_m: local radius. a_low_tmm .. b_high_tmm: heights at start and end of it.
    is_comparable: the heights are measured from the same; is_standard: both are pressure altitudes.
    """

    start_us: int
    lasts_s: float
    a: float
    b: float
    square: float
    cross: float
    radius_m: float
    a_length_m: float
    b_length_m: float
    moved_m: float
    curve_m: float
    a_start_tmm: float
    a_end_tmm: float
    b_start_tmm: float
    b_end_tmm: float
    is_comparable: bool
    is_standard: bool


def is_far(f: Fragments, i: int, j: int, start_us: int, end_us: int, reach_m: float) -> bool:
    """Tell whether two fragments are surely more than `reach_m` apart in a time they share."""
    a_s, b_s = (f.end_us[i] - f.start_us[i]) * 1e-6, (f.end_us[j] - f.start_us[j]) * 1e-6
    a_per_s, b_per_s = (1.0 / a_s if a_s > 0 else 0.0), (1.0 / b_s if b_s > 0 else 0.0)
    middle_s = (end_us - start_us) * 0.5e-6
    a_at = ((start_us - f.start_us[i]) * 1e-6 + middle_s) * a_per_s
    b_at = ((start_us - f.start_us[j]) * 1e-6 + middle_s) * b_per_s
    ax, ay, az = f.qx[i] - f.px[i], f.qy[i] - f.py[i], f.qz[i] - f.pz[i]
    bx, by, bz = f.qx[j] - f.px[j], f.qy[j] - f.py[j], f.qz[j] - f.pz[j]
    rx = f.px[i] - f.px[j] + (ax * a_at - bx * b_at)
    ry = f.py[i] - f.py[j] + (ay * a_at - by * b_at)
    rz = f.pz[i] - f.pz[j] + (az * a_at - bz * b_at)
    vx, vy, vz = (
        ax * a_per_s - bx * b_per_s,
        ay * a_per_s - by * b_per_s,
        az * a_per_s - bz * b_per_s,
    )
    moved = math.sqrt(vx * vx + vy * vy + vz * vz) * middle_s
    limit = reach_m + SLACK_M + moved
    return bool(rx * rx + ry * ry + rz * rz > limit * limit)


def meet(f: Fragments, i: int, j: int, start_us: int, end_us: int) -> Encounter:
    """Return the encounter of fragment i of the lower plan with fragment j of the higher."""
    a_s, b_s = (f.end_us[i] - f.start_us[i]) * 1e-6, (f.end_us[j] - f.start_us[j]) * 1e-6
    a_per_s, b_per_s = (1.0 / a_s if a_s > 0 else 0.0), (1.0 / b_s if b_s > 0 else 0.0)
    ax, ay, az = f.qx[i] - f.px[i], f.qy[i] - f.py[i], f.qz[i] - f.pz[i]
    bx, by, bz = f.qx[j] - f.px[j], f.qy[j] - f.py[j], f.qz[j] - f.pz[j]
    a_length_m = math.sqrt(ax * ax + ay * ay + az * az)
    b_length_m = math.sqrt(bx * bx + by * by + bz * bz)
    avx, avy, avz = ax * a_per_s, ay * a_per_s, az * a_per_s
    bvx, bvy, bvz = bx * b_per_s, by * b_per_s, bz * b_per_s
    a_after_s, b_after_s = (start_us - f.start_us[i]) * 1e-6, (start_us - f.start_us[j]) * 1e-6
    axs, ays, azs = f.px[i] + avx * a_after_s, f.py[i] + avy * a_after_s, f.pz[i] + avz * a_after_s
    bxs, bys, bzs = f.px[j] + bvx * b_after_s, f.py[j] + bvy * b_after_s, f.pz[j] + bvz * b_after_s
    lasts_s = (end_us - start_us) * 1e-6
    half_s = 0.5 * lasts_s
    nx = axs + bxs + (avx + bvx) * half_s
    ny = ays + bys + (avy + bvy) * half_s
    nz = (azs + bzs + (avz + bvz) * half_s) / ONE_MINUS_E2
    norm = math.sqrt(nx * nx + ny * ny + nz * nz)
    nx, ny, nz = nx / norm, ny / norm, nz / norm
    rx, ry, rz = axs - bxs, ays - bys, azs - bzs
    vx, vy, vz = avx - bvx, avy - bvy, avz - bvz
    cross = nx * (ry * vz - rz * vy) + ny * (rz * vx - rx * vz) + nz * (rx * vy - ry * vx)
    up = rx * nx + ry * ny + rz * nz
    rx, ry, rz = rx - up * nx, ry - up * ny, rz - up * nz
    up = vx * nx + vy * ny + vz * nz
    vx, vy, vz = vx - up * nx, vy - up * ny, vz - up * nz
    k, m = f.leg[i], f.leg[j]
    moved_m = max(a_length_m * a_per_s, b_length_m * b_per_s) * lasts_s
    datum = f.leg_datum[k]
    return Encounter(
        start_us, lasts_s,
        vx * vx + vy * vy + vz * vz, rx * vx + ry * vy + rz * vz,
        rx * rx + ry * ry + rz * rz, cross, gauss_radius_m(nz),
        a_length_m, b_length_m, moved_m, f.leg_curve_m[k] + f.leg_curve_m[m],
        _height(f, k, start_us), _height(f, k, end_us),
        _height(f, m, start_us), _height(f, m, end_us),
        datum >= 0 and datum == f.leg_datum[m], datum == 0 and f.leg_datum[m] == 0,
    )  # fmt: skip


def _height(f: Fragments, leg: int, at_us: int) -> float:
    return height_at(
        f.leg_start_us[leg], f.leg_end_us[leg], f.leg_from_tmm[leg], f.leg_to_tmm[leg], at_us
    )


def side_of(
    f: Fragments, k: int, m: int, a_at_us: int, b_at_us: int, difference_tmm: float, limit_tmm: int
) -> int:  # fmt: skip
    """Return 1 where a is at least `limit_tmm` above b, -1 below, 0 inside; exactly.

    k, m: legs of a and b. a_at_us, b_at_us: when, for each. difference_tmm: about what it is.
    """
    if abs(difference_tmm) < limit_tmm - CLOSE_TMM:
        return 0
    if abs(difference_tmm) > limit_tmm + CLOSE_TMM:
        return 1 if difference_tmm > 0 else -1
    sign = 1 if difference_tmm > 0 else -1
    compared = compare_heights_at(
        f.leg_start_us[k], f.leg_end_us[k], f.leg_from_tmm[k], f.leg_to_tmm[k],
        f.leg_start_us[m], f.leg_end_us[m], f.leg_from_tmm[m], f.leg_to_tmm[m],
        a_at_us, b_at_us, sign * limit_tmm,
    )  # fmt: skip
    return sign if compared == 0 or compared == sign else 0


def vertical_span(
    f: Fragments, k: int, m: int, e: Encounter, end_us: int, limit_tmm: int
) -> tuple[float, float, float]:
    """Return when the heights of legs k and m differ by less than the limit: start, end, slop.

    Whether there is such a time is decided exactly. slop: how far a crossing time may be off.
    """
    first, last = e.a_start_tmm - e.b_start_tmm, e.a_end_tmm - e.b_end_tmm
    if limit_tmm <= 0:
        return 1.0, 0.0, 0.0
    before = side_of(f, k, m, e.start_us, e.start_us, first, limit_tmm)
    after = side_of(f, k, m, end_us, end_us, last, limit_tmm)
    if before == 0 and after == 0:
        return 0.0, e.lasts_s, 0.0
    if before == after:
        return 1.0, 0.0, 0.0
    per_tmm = e.lasts_s / (last - first) if last != first else 0.0
    start_s, end_s = 0.0, e.lasts_s
    if before != 0:
        start_s = min(max((before * limit_tmm - first) * per_tmm, 0.0), e.lasts_s)
    if after != 0:
        end_s = min(max((after * limit_tmm - first) * per_tmm, 0.0), e.lasts_s)
    return start_s, end_s, TIME_GUARD_S + abs(per_tmm) * HEIGHT_ERROR_TMM


def level_slop_s(first_tmm: float, last_tmm: float, lasts_s: float, level_tmm: float) -> float:
    """Return how far off the time may be at which a height passes a level, in seconds."""
    if first_tmm == last_tmm or (first_tmm < level_tmm) == (last_tmm < level_tmm):
        return 0.0
    return TIME_GUARD_S + abs(lasts_s / (last_tmm - first_tmm)) * HEIGHT_ERROR_TMM


def span_over(
    first_tmm: float, last_tmm: float, lasts_s: float, limit_tmm: float
) -> tuple[float, float]:
    """Return when a height that goes from first to last is above a limit, not at it."""
    if first_tmm <= limit_tmm and last_tmm <= limit_tmm:
        return 1.0, 0.0
    return span_above(first_tmm, last_tmm, lasts_s, limit_tmm)


def span_above(
    first_tmm: float, last_tmm: float, lasts_s: float, limit_tmm: float
) -> tuple[float, float]:
    """Return when a height that goes from first to last is at or above a limit."""
    if first_tmm >= limit_tmm and last_tmm >= limit_tmm:
        return 0.0, lasts_s
    if first_tmm < limit_tmm and last_tmm < limit_tmm:
        return 1.0, 0.0
    at_s = (limit_tmm - first_tmm) / (last_tmm - first_tmm) * lasts_s
    return (at_s, lasts_s) if last_tmm >= limit_tmm else (0.0, at_s)


def lateral_span(e: Encounter, distance_m: float) -> tuple[float, float]:
    """Return when the horizontal distance is below `distance_m`; below 0: never, inf: always."""
    if distance_m <= 0.0:
        return 1.0, 0.0
    if distance_m == math.inf:
        return 0.0, e.lasts_s
    limit = chord_squared_m2(distance_m, e.radius_m)
    return span_within(e.a, e.b, e.square, e.cross, limit, e.lasts_s)


def guard_of(e: Encounter, distance_m: float) -> float:
    """Return the guard band of a lateral minimum for this encounter, in metres."""
    if distance_m == math.inf:
        return 0.0
    return guard_m(distance_m, e.a_length_m, e.b_length_m, e.moved_m, e.curve_m)


def lateral_at(e: Encounter, at_s: float) -> float:
    """Return the horizontal distance at a time, in metres along the ellipsoid."""
    square = e.square + at_s * (2.0 * e.b + e.a * at_s)
    if e.a * e.lasts_s * e.lasts_s >= STATIC_M2:  # the same, without cancellation
        along = e.b + e.a * at_s
        square = (e.cross * e.cross + along * along) / e.a
    return arc_m(math.sqrt(max(square, 0.0)), e.radius_m)


def vertical_at(e: Encounter, at_s: float) -> float:
    """Return the height of a above b at a time, in tenths of a millimetre."""
    first, last = e.a_start_tmm - e.b_start_tmm, e.a_end_tmm - e.b_end_tmm
    if e.lasts_s <= 0.0:
        return first
    return first + (last - first) * (at_s / e.lasts_s)


def closest_at(e: Encounter, start_s: float, end_s: float) -> float:
    """Return when within a span the lateral distance is least; ties: least vertical, earliest."""
    if e.a * e.lasts_s * e.lasts_s >= STATIC_M2:
        return least_distance_at(e.a, e.b, start_s, end_s)
    if not e.is_comparable:
        return start_s
    first, last = vertical_at(e, start_s), vertical_at(e, end_s)
    if first * last < 0.0:
        return start_s + (end_s - start_s) * (first / (first - last))
    return end_s if abs(last) < abs(first) else start_s


def margin_at(
    e: Encounter, at_s: float, lateral_m: float, vertical_tmm: float
) -> tuple[float, int]:
    """Return the greater of both margins in metres, and 0 for lateral or 1 for vertical."""
    lateral = -math.inf if lateral_m == math.inf else lateral_at(e, at_s) - lateral_m
    if vertical_tmm == math.inf:
        return lateral, 0
    vertical = (abs(vertical_at(e, at_s)) - vertical_tmm) / TMM_PER_M
    return (lateral, 0) if lateral >= vertical else (vertical, 1)


def least_margin(
    e: Encounter, start_s: float, end_s: float, lateral_m: float, vertical_tmm: float
) -> tuple[float, int]:
    """Return the least margin within a span, and its leaf.

    The margin is the greater of two convex functions of time, so its least value is at an
    end, where one of them is least, or where both are equal: all of these are tried.
    """
    best, leaf = margin_at(e, start_s, lateral_m, vertical_tmm)
    first, last = e.a_start_tmm - e.b_start_tmm, e.a_end_tmm - e.b_end_tmm
    slope = (last - first) / e.lasts_s if e.lasts_s > 0.0 else 0.0
    for which in range(7):
        at_s = end_s
        if which == 1:
            at_s = least_distance_at(e.a, e.b, start_s, end_s)
        elif which == 2 and slope != 0.0:
            at_s = -first / slope
        elif which >= 3 and lateral_m != math.inf and vertical_tmm != math.inf:
            at_s = _equal_margins_at(e, which - 3, first, slope, lateral_m, vertical_tmm)
        at_s = min(max(at_s, start_s), end_s)
        margin, its_leaf = margin_at(e, at_s, lateral_m, vertical_tmm)
        if margin < best:
            best, leaf = margin, its_leaf
    return best, leaf


def _equal_margins_at(
    e: Encounter, which: int, first: float, slope: float, lateral_m: float, vertical_tmm: float
) -> float:
    """Return a time at which lateral and vertical margin are equal, or 0 where there is none.

    sqrt(q(t)) = D + (|f(t)| - V) squared is a quadratic for each sign of f.
    """
    sign = 1.0 if which < 2 else -1.0
    chord_m = math.sqrt(chord_squared_m2(lateral_m, e.radius_m))
    k = chord_m + (sign * first - vertical_tmm) / TMM_PER_M
    m = sign * slope / TMM_PER_M
    a, b, c = e.a - m * m, e.b - k * m, e.square - k * k
    if a == 0.0:
        return -c / (2.0 * b) if b != 0.0 else 0.0
    discriminant = b * b - a * c
    if discriminant < 0.0:
        return 0.0
    low, high = roots(a, b, c, discriminant) if a > 0.0 else roots(-a, -b, -c, discriminant)
    return low if which % 2 == 0 else high
