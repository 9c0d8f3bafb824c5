# SPDX-License-Identifier: Apache-2.0
"""Horizontal distance of two craft that move along short chords of the ellipsoid.

A fragment is a chord between two points on the ellipsoid, passed at constant speed. The
difference of two chords is linear in time; its part along the local vertical (the dip of the
chords below the surface) is taken out, so that what is left is horizontal. A distance along
the ellipsoid becomes a chord by the local radius R: chord^2 = D^2 (1 - D^2/12R^2 + D^4/360R^4).

The quadratic uses the stable discriminant a D^2 - (r x v)^2 and the root form that does not
cancel (kernel rule 1; Press et al., Numerical Recipes, section 5.6). No square root is ever
compared with a minimum. Plain scalar code that runs as it stands and compiled (`compiled`).
"""

import math
from typing import Final

SEMI_MAJOR_M: Final = 6_378_137.0
ONE_MINUS_E2: Final = 0.9933056200098587  # 1 - e^2 of WGS 84
SMALLEST_RADIUS_M: Final = 6_335_400.0  # the meridian's, at the equator
STATIC_M2: Final = 1e-14  # moved by less than 1e-7 m: standing still

GUARD_M: Final = 1e-6


def gauss_radius_m(sin_latitude: float) -> float:
    """Return the Gaussian radius of curvature at a geodetic latitude, in metres."""
    e2 = 1.0 - ONE_MINUS_E2
    return SEMI_MAJOR_M * math.sqrt(ONE_MINUS_E2) / (1.0 - e2 * sin_latitude * sin_latitude)


def chord_squared_m2(distance_m: float, radius_m: float) -> float:
    """Return the squared chord of a distance along the ellipsoid, up to 400 km."""
    square = distance_m * distance_m
    ratio = square / (radius_m * radius_m)
    return square * (1.0 - ratio / 12.0 + ratio * ratio / 360.0)


def arc_m(chord_m: float, radius_m: float) -> float:
    """Return the distance along the ellipsoid that belongs to a chord."""
    ratio = chord_m * chord_m / (radius_m * radius_m)
    return chord_m * (1.0 + ratio / 24.0 + 3.0 * ratio * ratio / 640.0)


def guard_m(
    distance_m: float, a_length_m: float, b_length_m: float, moved_m: float, curve_m: float
) -> float:
    """Return the bound of the error of a horizontal distance near `distance_m`.

    a_length_m, b_length_m: lengths of the two chords. moved_m: the longer way made in the time
    compared. curve_m: how far the legs are from what the chords stand for. Terms, with R the
    smallest radius of curvature and beta the greatest angle between the vertical used and
    the vertical at either craft: dip * beta of both chords (dip = s^2/8R); uniform motion on
    a chord against the arc, 0.01605 s^3/R^2 each; shrinking of a distance seen at a tilt,
    D tilt^2/2; chord against arc with the mean radius, D^3/12R^2 * 0.0035.
    """
    radius = SMALLEST_RADIUS_M
    tilt = moved_m / (2.0 * radius)
    beta = tilt + distance_m / (2.0 * radius)
    dips_m = (a_length_m * a_length_m + b_length_m * b_length_m) / (8.0 * radius)
    # products, because ** rounds otherwise compiled than as it stands
    cubes_m3 = a_length_m * a_length_m * a_length_m + b_length_m * b_length_m * b_length_m
    uneven_m = 0.01605 * cubes_m3 / (radius * radius)
    shrunk_m = distance_m * tilt * tilt / 2.0
    bent_m = 0.0035 * (distance_m * distance_m * distance_m) / (12.0 * radius * radius)
    return GUARD_M + dips_m * beta + 1.05 * uneven_m + shrunk_m + bent_m + curve_m


def roots(a: float, b: float, c: float, discriminant: float) -> tuple[float, float]:
    """Return both roots of a t^2 + 2 b t + c with a > 0, lower first, without cancellation."""
    root = math.sqrt(discriminant)
    if b >= 0.0:
        q = -(b + root)
        return q / a, (c / q if q != 0.0 else 0.0)
    q = root - b
    return c / q, q / a


def span_within(
    a: float, b: float, square: float, cross: float, limit: float, lasts_s: float
) -> tuple[float, float]:
    """Return when in 0..lasts_s the squared distance is below `limit`: start, end in seconds.

    a = v.v, b = r.v, square = r.r, cross = r x v. An empty span has its end before its start.
    """
    if a * lasts_s * lasts_s < STATIC_M2:
        return (0.0, lasts_s) if square < limit else (1.0, 0.0)
    discriminant = a * limit - cross * cross
    if discriminant <= 0.0:
        return 1.0, 0.0
    low, high = roots(a, b, square - limit, discriminant)
    low, high = max(low, 0.0), min(high, lasts_s)
    return (low, high) if low < high else (1.0, 0.0)


def least_distance_at(a: float, b: float, start_s: float, end_s: float) -> float:
    """Return when in start_s..end_s the distance is least."""
    if a <= 0.0:
        return start_s
    return min(max(-b / a, start_s), end_s)
