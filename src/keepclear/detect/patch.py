# SPDX-License-Identifier: Apache-2.0
"""The plane of two clocks: when a is at its time x and b at its time y.

Two plans that may run early or late are compared at every pair of times that their tolerances
allow. For one fragment of each, those pairs are a convex polygon in the plane (x, y), the
horizontal distance is |p + a x - b y| and the difference of heights is linear: so what is
inside a cylinder is a disc's preimage cut by the polygon, and everything asked of it is found
at corners, on edges and at the extremes of the ellipse.

x and y are seconds from one common instant. Plain scalar code that runs as it stands and
compiled (`compiled`).
"""

import math
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

CORNERS: Final = 24
TINY: Final = 1e-12
STILL_M: Final = 1e-7


class Plane(NamedTuple):
    """Horizontal motion in the plane of two clocks: r = p + a x - b y, metres and seconds."""

    px: float
    py: float
    ax: float
    ay: float
    bx: float
    by: float


def clip(xs: Floats, ys: Floats, n: int, fx: float, fy: float, limit: float) -> int:
    """Cut a polygon of n corners in place to fx x + fy y <= limit; return its corners."""
    if n == 0:
        return 0
    new_x, new_y = np.empty(CORNERS), np.empty(CORNERS)
    count = 0
    for k in range(n):
        m = k + 1 if k + 1 < n else 0
        here = fx * xs[k] + fy * ys[k] - limit
        there = fx * xs[m] + fy * ys[m] - limit
        if here <= 0.0:
            new_x[count], new_y[count] = xs[k], ys[k]
            count += 1
        if (here < 0.0 < there) or (there < 0.0 < here):
            share = here / (here - there)
            new_x[count] = xs[k] + (xs[m] - xs[k]) * share
            new_y[count] = ys[k] + (ys[m] - ys[k]) * share
            count += 1
    for k in range(count):
        xs[k], ys[k] = new_x[k], new_y[k]
    return count


def is_inside(xs: Floats, ys: Floats, n: int, x: float, y: float) -> bool:
    """Tell whether a point is in a convex polygon whose corners go round counter-clockwise."""
    if n <= 2:
        return False
    x_low, x_high, y_low, y_high = xs[0], xs[0], ys[0], ys[0]
    for k in range(n):  # a polygon without area lies on a line that goes on beyond it
        x_low, x_high = min(x_low, xs[k]), max(x_high, xs[k])
        y_low, y_high = min(y_low, ys[k]), max(y_high, ys[k])
    if x < x_low - TINY or x > x_high + TINY or y < y_low - TINY or y > y_high + TINY:
        return False
    for k in range(n):
        m = k + 1 if k + 1 < n else 0
        if (xs[m] - xs[k]) * (y - ys[k]) - (ys[m] - ys[k]) * (x - xs[k]) < -TINY:
            return False
    return True


def area(xs: Floats, ys: Floats, n: int) -> float:
    """Return the area of a polygon, above 0 counter-clockwise."""
    twice = 0.0
    for k in range(1, n - 1):
        twice += (xs[k] - xs[0]) * (ys[k + 1] - ys[0]) - (ys[k] - ys[0]) * (xs[k + 1] - xs[0])
    return 0.5 * twice


def square_at(p: Plane, x: float, y: float) -> float:
    """Return the squared distance at a pair of times."""
    rx, ry = p.px + p.ax * x - p.bx * y, p.py + p.ay * x - p.by * y
    return rx * rx + ry * ry


def least_on_edge(
    p: Plane, x0: float, y0: float, x1: float, y1: float
) -> tuple[float, float, float]:
    """Return the least squared distance on an edge, and where on it (x, y)."""
    rx, ry = p.px + p.ax * x0 - p.bx * y0, p.py + p.ay * x0 - p.by * y0
    vx = p.ax * (x1 - x0) - p.bx * (y1 - y0)
    vy = p.ay * (x1 - x0) - p.by * (y1 - y0)
    a = vx * vx + vy * vy
    share = 0.0
    if a > STILL_M * STILL_M:
        share = min(max(-(rx * vx + ry * vy) / a, 0.0), 1.0)
    rx, ry = rx + vx * share, ry + vy * share
    return rx * rx + ry * ry, x0 + (x1 - x0) * share, y0 + (y1 - y0) * share


def least_square(p: Plane, xs: Floats, ys: Floats, n: int) -> tuple[float, float, float]:
    """Return the least squared distance in a polygon, and where; inf for no polygon."""
    best, best_x, best_y = math.inf, 0.0, 0.0
    for k in range(n):
        m = k + 1 if k + 1 < n else 0
        square, x, y = least_on_edge(p, xs[k], ys[k], xs[m], ys[m])
        if square < best:
            best, best_x, best_y = square, x, y
    across = p.ax * p.by - p.ay * p.bx
    if across != 0.0:
        x, y = (p.bx * p.py - p.by * p.px) / across, (p.ax * p.py - p.ay * p.px) / across
        square = square_at(p, x, y)  # 0, but for two that move along one line
        if square < best and is_inside(xs, ys, n, x, y):
            return square, x, y
    return best, best_x, best_y


def add_edge_crossings(
    p: Plane, x0: float, y0: float, x1: float, y1: float, square: float,
    out_x: Floats, out_y: Floats, count: int,
) -> int:  # fmt: skip
    """Add both ends of the part of an edge that is within the disc; return the new count."""
    rx, ry = p.px + p.ax * x0 - p.bx * y0, p.py + p.ay * x0 - p.by * y0
    vx = p.ax * (x1 - x0) - p.bx * (y1 - y0)
    vy = p.ay * (x1 - x0) - p.by * (y1 - y0)
    a, b, c = vx * vx + vy * vy, rx * vx + ry * vy, rx * rx + ry * ry - square
    low, high = 0.0, 1.0
    if a > STILL_M * STILL_M:
        cross = rx * vy - ry * vx
        discriminant = a * square - cross * cross
        if discriminant < 0.0:
            return count
        root = math.sqrt(discriminant)
        if b >= 0.0:
            q = -(b + root)
            low, high = q / a, (c / q if q != 0.0 else 0.0)
        else:
            q = root - b
            low, high = c / q, q / a
        low, high = max(low, 0.0), min(high, 1.0)
        if low > high:
            return count
    elif c > 0.0:
        return count
    for which in range(2):
        share = low if which == 0 else high
        out_x[count] = x0 + (x1 - x0) * share
        out_y[count] = y0 + (y1 - y0) * share
        count += 1
    return count


def add_extremes(
    p: Plane, xs: Floats, ys: Floats, n: int, distance: float,
    out_x: Floats, out_y: Floats, count: int,
) -> int:  # fmt: skip
    """Add the points of the ellipse with the least and greatest x and y that are in the polygon.

    At an extreme of x the distance does not change with y: (p + a x) x b = -+ D |b|.
    """
    across = p.ax * p.by - p.ay * p.bx
    a2, b2 = p.ax * p.ax + p.ay * p.ay, p.bx * p.bx + p.by * p.by
    if abs(across) < TINY or a2 < TINY or b2 < TINY:
        return count
    for sign in range(-1, 2, 2):
        x = (sign * distance * math.sqrt(b2) - (p.px * p.by - p.py * p.bx)) / across
        y = ((p.px + p.ax * x) * p.bx + (p.py + p.ay * x) * p.by) / b2
        if is_inside(xs, ys, n, x, y):
            out_x[count], out_y[count] = x, y
            count += 1
        y = (sign * distance * math.sqrt(a2) - (p.px * p.ay - p.py * p.ax)) / across
        x = -((p.px - p.bx * y) * p.ax + (p.py - p.by * y) * p.ay) / a2
        if is_inside(xs, ys, n, x, y):
            out_x[count], out_y[count] = x, y
            count += 1
    return count


def add_lag_extremes(
    p: Plane, xs: Floats, ys: Floats, n: int, distance: float,
    out_x: Floats, out_y: Floats, count: int,
) -> int:  # fmt: skip
    """Add the points with the least and greatest x - y of the disc that are in the polygon.

    At one of them the distance does not change along x - y: (p + a lag) x w = -+ D |w| with
    w = a - b, the motion of both at one rate of their clocks.
    """
    wx, wy = p.ax - p.bx, p.ay - p.by
    across, w2 = p.ax * wy - p.ay * wx, wx * wx + wy * wy
    if distance == math.inf or abs(across) < TINY or w2 < TINY:
        return count
    for sign in range(-1, 2, 2):
        lag = (sign * distance * math.sqrt(w2) - (p.px * wy - p.py * wx)) / across
        y = -((p.px + p.ax * lag) * wx + (p.py + p.ay * lag) * wy) / w2
        if is_inside(xs, ys, n, y + lag, y):
            out_x[count], out_y[count] = y + lag, y
            count += 1
    return count


def outline(
    p: Plane, xs: Floats, ys: Floats, n: int, distance: float, out_x: Floats, out_y: Floats
) -> int:
    """Fill in the points that decide the extent of disc and polygon; return how many.

    distance: of the disc, inf for the whole polygon. Holds at most 2 points an edge and 4.
    """
    count = 0
    if distance == math.inf:
        for k in range(n):
            out_x[k], out_y[k] = xs[k], ys[k]
        return n
    for k in range(n):
        m = k + 1 if k + 1 < n else 0
        count = add_edge_crossings(
            p, xs[k], ys[k], xs[m], ys[m], distance * distance, out_x, out_y, count
        )
    return add_extremes(p, xs, ys, n, distance, out_x, out_y, count)


def add_on_line(
    p: Plane, xs: Floats, ys: Floats, n: int, distance: float, lag: float,
    out_x: Floats, out_y: Floats, count: int,
) -> int:  # fmt: skip
    """Add both ends of the part of the line x - y = lag that is in polygon and disc."""
    low, high = -math.inf, math.inf
    for k in range(n):
        m = k + 1 if k + 1 < n else 0
        ex, ey = xs[m] - xs[k], ys[m] - ys[k]
        # inside: ex (y - ys) - ey (x - xs) >= 0 with y = x - lag
        slope, offset = ex - ey, ex * (-lag - ys[k]) + ey * xs[k]
        if abs(slope) < TINY:
            if offset < -TINY:
                return count
        elif slope > 0.0:
            low = max(low, -offset / slope)
        else:
            high = min(high, -offset / slope)
    if not low <= high or high == math.inf or low == -math.inf:
        return count
    if distance == math.inf:
        out_x[count], out_y[count] = low, low - lag
        out_x[count + 1], out_y[count + 1] = high, high - lag
        return count + 2
    return add_edge_crossings(
        p, low, low - lag, high, high - lag, distance * distance, out_x, out_y, count
    )
