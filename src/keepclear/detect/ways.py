# SPDX-License-Identifier: Apache-2.0
"""Geodesics followed step by step in earth-centred coordinates: no poles, no date line.

A geodesic is the way of a particle on the ellipsoid x^2 + y^2 + z^2 / (1 - e^2) = a^2 that is
pushed along the normal only,

    u' = -(u.Hu / g.g) g,    g = (x, y, z / (1 - e^2)),    H = diag(1, 1, 1 / (1 - e^2)),

followed by the classical Runge-Kutta steps of fourth order. A step of s metres is right to
s^5 / 120 R^4: 1.3e-9 m for 12 km.

`go_on` takes numbers or whole columns, so that it is written once; `fill_middles` and
`fill_ways` are the loops for `compiled`, and `tracks` has the same by columns. All give the same
bits.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from keepclear.detect.lateral import ONE_MINUS_E2

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]


STRETCH = 1.0 / ONE_MINUS_E2
"""The normal at x, y, z points along x, y, z * STRETCH."""


def go_on(x: Any, y: Any, z: Any, u: Any, v: Any, w: Any, length_m: Any) -> Any:
    """Return place x, y, z and way u, v, w (a unit vector) after a length: one step."""
    half = 0.5 * length_m
    pull = pull_of(x, y, z, u, v, w)
    u2, v2, w2 = u - pull * x * half, v - pull * y * half, w - pull * z * STRETCH * half
    x2, y2, z2 = x + u * half, y + v * half, z + w * half
    pull2 = pull_of(x2, y2, z2, u2, v2, w2)
    u3, v3, w3 = u - pull2 * x2 * half, v - pull2 * y2 * half, w - pull2 * z2 * STRETCH * half
    x3, y3, z3 = x + u2 * half, y + v2 * half, z + w2 * half
    pull3 = pull_of(x3, y3, z3, u3, v3, w3)
    u4, v4 = u - pull3 * x3 * length_m, v - pull3 * y3 * length_m
    w4 = w - pull3 * z3 * STRETCH * length_m
    x4, y4, z4 = x + u3 * length_m, y + v3 * length_m, z + w3 * length_m
    pull4 = pull_of(x4, y4, z4, u4, v4, w4)
    sixth = length_m / 6.0
    down = sixth * STRETCH
    return (
        x + (u + 2.0 * (u2 + u3) + u4) * sixth,
        y + (v + 2.0 * (v2 + v3) + v4) * sixth,
        z + (w + 2.0 * (w2 + w3) + w4) * sixth,
        u - (pull * x + 2.0 * (pull2 * x2 + pull3 * x3) + pull4 * x4) * sixth,
        v - (pull * y + 2.0 * (pull2 * y2 + pull3 * y3) + pull4 * y4) * sixth,
        w - (pull * z + 2.0 * (pull2 * z2 + pull3 * z3) + pull4 * z4) * down,
    )


def pull_of(x: Any, y: Any, z: Any, u: Any, v: Any, w: Any) -> Any:
    """Return u.Hu / g.g: how strongly the way is bent."""
    down = z * STRETCH
    return (u * u + v * v + w * w * STRETCH) / (x * x + y * y + down * down)


def fill_middles(start: Floats, length_m: Floats, out: Floats) -> None:
    """Write where craft are, and the ways they go, after half of a length; one column a craft.

    start, out: rows x, y, z, u, v, w.
    """
    for i in range(len(length_m)):
        found = go_on(
            start[0, i], start[1, i], start[2, i], start[3, i], start[4, i], start[5, i],
            0.5 * length_m[i],
        )  # fmt: skip
        for k in range(6):
            out[k, i] = found[k]


def fill_ways(
    start: Floats, speed_mps: Floats, offsets: Integers, look_ahead_us: int,
    start_us: Integers, end_us: Integers, ends: Floats,
) -> None:  # fmt: skip
    """Write times and both ends of all chords; craft i has the chords from offsets[i] on.

    ends: rows px, py, pz, qx, qy, qz.
    """
    for i in range(len(speed_mps)):
        x, y, z, u, v, w = (
            start[0, i], start[1, i], start[2, i], start[3, i], start[4, i], start[5, i],
        )  # fmt: skip
        pieces = offsets[i + 1] - offsets[i]
        for step in range(pieces):
            into = offsets[i] + step
            start_us[into] = look_ahead_us * step // pieces
            end_us[into] = look_ahead_us * (step + 1) // pieces
            ends[0, into], ends[1, into], ends[2, into] = x, y, z
            length_m = speed_mps[i] * ((end_us[into] - start_us[into]) * 1e-6)
            x, y, z, u, v, w = go_on(x, y, z, u, v, w, length_m)
            ends[3, into], ends[4, into], ends[5, into] = x, y, z
