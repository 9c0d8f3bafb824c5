# SPDX-License-Identifier: Apache-2.0
"""Live tracks: where craft are at one time and how they move, and their way ahead as fragments.

Each craft goes on along the geodesic it is on (`ways`), at constant ground speed and vertical
rate.

1. Craft stand in the order of their ids: a pair is always computed lower place first.
2. A craft without velocity has speed 0 and hovers. A speed that is not known is refused: give 0
   and what it may move as `lateral_m`.
3. Heights at both ends of the way are integers; a height without a datum is no height.
"""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from keepclear.airspace.geodesics import to_ecef
from keepclear.detect.fragments import MOST_PIECES, Fragments
from keepclear.detect.ways import go_on
from keepclear.errors import InputError
from keepclear.units import TMM_PER_M, US_PER_S

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

LONGEST_AHEAD_US: Final = 3_600 * US_PER_S
HIGHEST_TMM: Final = 2**30  # 107 km: with an hour ahead, a climb times its time fits in 63 bits


@dataclass(frozen=True, kw_only=True, eq=False)
class Tracks:
    """n craft at one time.

    time_us: of all. latitude_deg, longitude_deg: WGS 84. height_tmm and datum: as in
    `points.Points` (datum -1: no height). speed_mps: over the ground. track_deg: the way it
    goes, from true north, clockwise; not read at speed 0. climb_mps: vertical rate, up.
    lateral_m, vertical_tmm: uncertainty. zones: bit k where the craft is, or may come, inside
    zone k; -1, the safe value, is every zone.
    """

    time_us: int
    latitude_deg: Floats
    longitude_deg: Floats
    height_tmm: Integers
    datum: Integers
    speed_mps: Floats
    track_deg: Floats
    climb_mps: Floats
    lateral_m: Floats
    vertical_tmm: Integers
    zones: Integers

    def __len__(self) -> int:
        """How many craft."""
        return len(self.latitude_deg)


def check_tracks(tracks: Tracks, look_ahead_us: int) -> None:
    """Raise `InputError` for what cannot be computed."""
    if not 0 <= look_ahead_us <= LONGEST_AHEAD_US:
        raise InputError("look_ahead_us", look_ahead_us, "is not 0 to 1 hour", "shorten it")
    moves = tracks.speed_mps != 0.0
    known = tracks.datum >= 0
    limits = (
        ("latitude_deg", np.abs(tracks.latitude_deg) <= 90.0, "is not -90 to 90"),
        ("longitude_deg", np.abs(tracks.longitude_deg) <= 360.0, "is not a longitude"),
        ("speed_mps", tracks.speed_mps >= 0.0, "is not a speed; give 0 to hover"),
        ("speed_mps", tracks.speed_mps <= 20_000.0, "is beyond 20 km/s"),
        ("track_deg", ~moves | (np.abs(tracks.track_deg) <= 720.0), "is not a direction"),
        ("climb_mps", np.abs(tracks.climb_mps) <= 20_000.0, "is not a rate; give 0 for level"),
        ("height_tmm", ~known | (np.abs(tracks.height_tmm) <= HIGHEST_TMM), "is beyond 107 km"),
        ("lateral_m", (tracks.lateral_m >= 0) & (tracks.lateral_m <= 1e6), "is not 0 to 1000 km"),
        ("vertical_tmm", (tracks.vertical_tmm >= 0) & (tracks.vertical_tmm <= HIGHEST_TMM),
         "is not 0 to 107 km"),
        ("zones", tracks.zones >= -1, "is not bits of zones, or -1"),
    )  # fmt: skip
    for name, is_good, limit in limits:
        if is_good.shape != tracks.latitude_deg.shape:
            raise InputError(name, is_good.shape, "is not one value a craft", "fill it up")
        if not is_good.all():
            place = int(np.argmin(is_good))
            value = getattr(tracks, name)[place].item()
            raise InputError(f"{name}[{place}]", value, limit, "correct it or leave it out")


def take_tracks(tracks: Tracks, which: Integers) -> Tracks:
    """Return some of the craft, in this order."""
    columns = {
        name: column[which] for name, column in vars(tracks).items() if name != "time_us"
    }  # fmt: skip
    return Tracks(time_us=tracks.time_us, **columns)


def start_of(tracks: Tracks) -> Floats:
    """Return rows x, y, z (where craft are, earth-centred metres) and u, v, w (their ways)."""
    phi, lam = np.radians(tracks.latitude_deg), np.radians(tracks.longitude_deg)
    track = np.radians(np.where(tracks.speed_mps > 0.0, tracks.track_deg, 0.0))
    sin_phi, cos_phi, sin_lam, cos_lam = np.sin(phi), np.cos(phi), np.sin(lam), np.cos(lam)
    north, east = np.cos(track), np.sin(track)
    out = np.empty((6, len(tracks)))
    out[:3] = to_ecef(tracks.latitude_deg, tracks.longitude_deg).T
    out[3] = -north * sin_phi * cos_lam - east * sin_lam
    out[4] = -north * sin_phi * sin_lam + east * cos_lam
    out[5] = north * cos_phi
    return out


def all_go_on(at: Floats, length_m: Floats) -> Floats:
    """Return the rows of `start_of` after a length of each: one step."""
    x, y, z, u, v, w = at
    return np.array(go_on(x, y, z, u, v, w, length_m))


def climb_tmm(tracks: Tracks, look_ahead_us: int) -> Integers:
    """Return how much the craft climb in the look-ahead, to the nearest tenth of a millimetre."""
    per_us = tracks.climb_mps * (TMM_PER_M / US_PER_S)
    return np.rint(per_us * look_ahead_us).astype(np.int64)


def compile_tracks(
    tracks: Tracks, look_ahead_us: int, piece_m: float, functions: Any = None
) -> Fragments:
    """Return the ways ahead as fragments, one leg a craft; craft i is plan i.

    piece_m: how long a chord may be (`fragments.longest_piece_m`). functions: the compiled
    kernel's, for many craft; both ways give the same bits.
    """
    pieces = _pieces(tracks, look_ahead_us, piece_m)
    total, offsets = int(pieces.sum()), np.concatenate([[0], np.cumsum(pieces)]).astype(np.int64)
    ends = np.empty((6, total))
    start_us, end_us = np.empty(total, dtype=np.int64), np.empty(total, dtype=np.int64)
    fill = _fill_ways if functions is None else functions.fill_ways
    fill(start_of(tracks), tracks.speed_mps, offsets, look_ahead_us, start_us, end_us, ends)
    return _fragments(tracks, look_ahead_us, offsets, (start_us, end_us), ends)


def _fill_ways(
    at: Floats, speed_mps: Floats, offsets: Integers, look_ahead_us: int,
    start_us: Integers, end_us: Integers, ends: Floats,
) -> None:  # fmt: skip
    """Do as `ways.fill_ways`, step by step for all craft at once."""
    pieces = np.diff(offsets)
    on = np.arange(len(pieces))
    for step in range(int(pieces.max(initial=0))):
        still = pieces[on] > step
        on, at = on[still], at[:, still]
        into, its = offsets[on] + step, pieces[on]
        start_us[into] = look_ahead_us * step // its
        end_us[into] = look_ahead_us * (step + 1) // its
        ends[:3, into] = at[:3]
        length_m = speed_mps[on] * ((end_us[into] - start_us[into]) * 1e-6)
        at = all_go_on(at, length_m)
        ends[3:, into] = at[:3]


def _pieces(tracks: Tracks, look_ahead_us: int, piece_m: float) -> Integers:
    length_m = tracks.speed_mps * (look_ahead_us * 1e-6)
    pieces = np.maximum(np.ceil(length_m / piece_m), 1.0).astype(np.int64)
    if len(pieces) and pieces.max() > MOST_PIECES:
        raise InputError(
            f"speed_mps[{int(pieces.argmax())}]", float(tracks.speed_mps.max()),
            "goes too far in the look-ahead", "shorten the look-ahead",
        )  # fmt: skip
    return pieces


def _fragments(
    tracks: Tracks, look_ahead_us: int, offsets: Integers, times_us: tuple[Integers, Integers],
    ends: Floats,
) -> Fragments:  # fmt: skip
    count = len(tracks)
    none = np.zeros(count, dtype=np.int64)
    return Fragments(
        offsets=offsets,
        start_us=tracks.time_us + times_us[0], end_us=tracks.time_us + times_us[1],
        px=ends[0], py=ends[1], pz=ends[2], qx=ends[3], qy=ends[4], qz=ends[5],
        leg=np.repeat(np.arange(count), np.diff(offsets)),
        leg_start_us=none + tracks.time_us, leg_end_us=none + (tracks.time_us + look_ahead_us),
        leg_from_tmm=tracks.height_tmm,
        leg_to_tmm=tracks.height_tmm + climb_tmm(tracks, look_ahead_us),
        leg_datum=tracks.datum, leg_lateral_m=tracks.lateral_m,
        leg_vertical_tmm=tracks.vertical_tmm, leg_curve_m=np.zeros(count),
        leg_zones=tracks.zones, early_us=none, late_us=none, clock_us=none,
    )  # fmt: skip
