# SPDX-License-Identifier: Apache-2.0
"""Live tracks in, every pair that comes inside a cylinder within the look-ahead out.

Exact in continuous time: what can come close is cut into fragments (`tracks`), and the kernel
decides (`sweep`). What surely stays apart is rejected before, by cells of a grid, by height and
by the closest point of straight lines (`track_pairs`).

1. The look-ahead is half-open, as a plan: what begins at its very end is not found. A
   look-ahead of 0 looks at that one instant.
2. With the plain kernel the rejecting is done by numpy on whole columns; the rows are the same
   to the last bit.
3. Under a cylinder with a `time` leaf, or without a lateral minimum, nothing is rejected early.
"""

import math
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from keepclear.detect.compiled import plain
from keepclear.detect.fragments import Fragments, longest_piece_m
from keepclear.detect.index import Detected, all_pairs, farthest_m, highest_tmm, sweep_all
from keepclear.detect.kernel import as_lists
from keepclear.detect.lateral import SMALLEST_RADIUS_M
from keepclear.detect.sweep import Limits
from keepclear.detect.track_pairs import AHEAD, PLANE, ROW, Lines
from keepclear.detect.tracks import (
    Tracks,
    all_go_on,
    check_tracks,
    climb_tmm,
    compile_tracks,
    start_of,
    take_tracks,
)

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Pairs = tuple[Integers, Integers]
"""Places in `Lines`."""

SLACK_M: Final = 8.0  # the dip of chords below the surface, and the guard band, of one craft
NARROWEST_M: Final = 8_000.0  # cells: 2048 of them span the earth
OFFSET_M: Final = 6_500_000.0
AT_ONCE: Final = 1 << 20
ROOM: Final = 1 << 16
AROUND_US: Final = 100_000  # far more than rounding moves the time at which two lines meet
SLOW_M2_S2: Final = 1e-6  # slower than 1 mm/s: near all the time


class Near(NamedTuple):
    """Pairs of craft that can come close, a < b, in order, and from when to when."""

    a: Integers
    b: Integers
    from_us: Integers
    to_us: Integers


def detect_live(functions: Any, tracks: Tracks, look_ahead_us: int, limits: Limits) -> Detected:
    """Return the rows of all pairs; functions: `compiled.plain()` or `compiled.compiled()`.

    A row is one fragment of each, so a stay inside may be several rows that touch.
    """
    check_tracks(tracks, look_ahead_us)
    reach_m = farthest_m(limits)
    if math.isinf(reach_m) or max(limits.time_us) > 0:
        near = Near(*all_pairs(np.zeros(len(tracks), dtype=np.int64), within=True))
    else:
        near = near_tracks(functions, tracks, look_ahead_us, reach_m, highest_tmm(limits))
    uncertain_m = 2.0 * float(tracks.lateral_m.max(initial=0.0))
    piece_m = longest_piece_m((0.0 if math.isinf(reach_m) else reach_m) + uncertain_m)
    f, a, b = compile_near(functions, tracks, look_ahead_us, piece_m, near)
    if functions is plain():
        f, limits = as_lists(f), as_lists(limits)
    found = sweep_all(functions, f, limits, a, b, near.from_us, near.to_us)
    return Detected(a=near.a, b=near.b, rows=found.rows, row_pair=found.row_pair)


def compile_near(
    functions: Any, tracks: Tracks, look_ahead_us: int, piece_m: float, near: Near
) -> tuple[Fragments, Integers, Integers]:
    """Return the craft of the pairs alone as fragments, and the pairs by their places there."""
    used, places = np.unique(np.concatenate([near.a, near.b]), return_inverse=True)
    loops = None if functions is plain() else functions
    f = compile_tracks(take_tracks(tracks, used), look_ahead_us, piece_m, loops)
    return f, places[: len(near.a)], places[len(near.a) :]


def near_tracks(
    functions: Any, tracks: Tracks, look_ahead_us: int, reach_m: float, height_tmm: float
) -> Near:
    """Return the pairs that can come within both reaches."""
    lines = lines_of(functions, tracks, look_ahead_us, reach_m)
    half_s = look_ahead_us * 0.5e-6
    join = _join_columns if functions is plain() else _join_compiled
    k, m = join(functions, lines, half_s, reach_m, height_tmm)
    low, high = _meet_at(lines, k, m, half_s, reach_m)
    middle_us = tracks.time_us + look_ahead_us // 2
    from_us = middle_us + np.floor(low * 1e6).astype(np.int64) - AROUND_US
    to_us = middle_us + np.ceil(high * 1e6).astype(np.int64) + AROUND_US
    one, two = lines.craft[k], lines.craft[m]
    a, b = np.minimum(one, two), np.maximum(one, two)
    order = np.argsort(a * len(tracks) + b, kind="stable")
    return Near(a[order], b[order], from_us[order], to_us[order])


def lines_of(functions: Any, tracks: Tracks, look_ahead_us: int, reach_m: float) -> Lines:
    """Return the craft as straight lines, in the order of their cells."""
    length_m = tracks.speed_mps * (look_ahead_us * 1e-6)
    start = start_of(tracks)
    if functions is plain():
        at = all_go_on(start, 0.5 * length_m)
    else:
        at = np.empty_like(start)
        functions.fill_middles(start, length_m, at)
    half_m = 0.5 * length_m
    # A way bent by no more than 1/R leaves its tangent by s^2 / 2R; and one step's error.
    bent_m = half_m**2 / (2.0 * SMALLEST_RADIUS_M) + half_m**5 / (60.0 * SMALLEST_RADIUS_M**4)
    error_m = bent_m + tracks.lateral_m + SLACK_M
    farthest = float((half_m + error_m).max(initial=0.0))
    keys = _keys(at, max(reach_m + 2.0 * farthest, NARROWEST_M))
    order = np.argsort(keys, kind="stable")
    from_tmm = tracks.height_tmm.astype(np.float64)
    to_tmm = from_tmm + climb_tmm(tracks, look_ahead_us)
    may_tmm = tracks.vertical_tmm + 1.0
    columns = (
        *at[:3], *(at[3:] * tracks.speed_mps), error_m,
        np.minimum(from_tmm, to_tmm) - may_tmm, np.maximum(from_tmm, to_tmm) + may_tmm,
        tracks.datum,
    )  # fmt: skip
    return Lines(keys[order], order, *(column[order] for column in columns))


def _meet_at(
    t: Lines, k: Integers, m: Integers, half_s: float, reach_m: float
) -> tuple[Floats, Floats]:
    """Return from when to when lines k and m can be within the reach, in s from the middle."""
    r = [t.x[k] - t.x[m], t.y[k] - t.y[m], t.z[k] - t.z[m]]
    w = [t.vx[k] - t.vx[m], t.vy[k] - t.vy[m], t.vz[k] - t.vz[m]]
    a = w[0] * w[0] + w[1] * w[1] + w[2] * w[2]
    b = r[0] * w[0] + r[1] * w[1] + r[2] * w[2]
    limit = reach_m + t.error_m[k] + t.error_m[m]
    square = r[0] * r[0] + r[1] * r[1] + r[2] * r[2] - limit * limit
    moves = a > SLOW_M2_S2
    a = np.where(moves, a, 1.0)
    around = np.where(moves, np.sqrt(np.maximum(b * b - a * square, 0.0)) / a, 2.0 * half_s)
    middle = np.where(moves, -b / a, 0.0)
    return middle - around, middle + around


def _keys(at: Floats, cell_m: float) -> Integers:
    ix, iy, iz = ((at[:3] + OFFSET_M) / cell_m).astype(np.int64)
    keys: Integers = (ix + 1) * PLANE + (iy + 1) * ROW + (iz + 1)
    return keys


def _join_compiled(
    functions: Any, t: Lines, half_s: float, reach_m: float, height_tmm: float
) -> Pairs:
    room = ROOM
    while True:
        a, b = np.empty(room, dtype=np.int64), np.empty(room, dtype=np.int64)
        count = functions.join_tracks(t, half_s, reach_m, height_tmm, a, b)
        if count <= room:
            return a[:count], b[:count]
        room = count


def _join_columns(
    _functions: Any, t: Lines, half_s: float, reach_m: float, height_tmm: float
) -> Pairs:
    """Return what `track_pairs.join_tracks` returns, in another order."""
    parts: list[Pairs] = [(np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64))]
    every = np.arange(len(t.keys))
    for row, step in enumerate(AHEAD):
        begin = every + 1 if row == 0 else np.searchsorted(t.keys, t.keys + (step - 1))
        counts = np.searchsorted(t.keys, t.keys + (step + 1), side="right") - begin
        done = np.concatenate([[0], np.cumsum(counts)])
        first = 0
        while first < len(every):
            last = max(
                int(np.searchsorted(done, done[first] + AT_ONCE, side="right")) - 1, first + 1
            )
            k = np.repeat(every[first:last], counts[first:last])
            m = np.arange(done[first], done[last]) - np.repeat(
                done[first:last] - begin[first:last], counts[first:last]
            )
            parts.append(_meeting(t, k, m, half_s, reach_m, height_tmm))
            first = last
    k, m = (np.concatenate(column) for column in zip(*parts, strict=True))
    return k, m


def _meeting(
    t: Lines, k: Integers, m: Integers, half_s: float, reach_m: float, height_tmm: float
) -> Pairs:
    """Return which of the pairs of lines k and m can meet."""
    apart = np.maximum(t.low_tmm[k] - t.high_tmm[m], t.low_tmm[m] - t.high_tmm[k]) >= height_tmm
    apart &= (t.datum[k] == t.datum[m]) & (t.datum[k] >= 0)
    k, m = k[~apart], m[~apart]
    r = [t.x[k] - t.x[m], t.y[k] - t.y[m], t.z[k] - t.z[m]]
    w = [t.vx[k] - t.vx[m], t.vy[k] - t.vy[m], t.vz[k] - t.vz[m]]
    a = w[0] * w[0] + w[1] * w[1] + w[2] * w[2]
    b = r[0] * w[0] + r[1] * w[1] + r[2] * w[2]
    at = np.where(a > 1e-12, np.clip(-b, -half_s * a, half_s * a) / np.maximum(a, 1e-12), 0.0)
    square = sum((x + v * at) ** 2 for x, v in zip(r, w, strict=True))
    limit = reach_m + t.error_m[k] + t.error_m[m]
    near = square <= limit * limit
    return k[near], m[near]
