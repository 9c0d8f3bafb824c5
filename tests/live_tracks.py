# SPDX-License-Identifier: Apache-2.0
"""Live tracks for the tests: single ones by hand, and crowds that meet where programs go wrong."""

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from keepclear.detect.tracks import Tracks

FOOT_TMM: Final = 3048
NOW_US: Final = 1_443_607_200_000_000
MINUTE_US: Final = 60_000_000


def tracks_of(*crafts: Mapping[str, Any]) -> Tracks:
    """Return tracks; of a craft only what matters is given, `at` is latitude and longitude."""

    def column(name: str, missing: float) -> npt.NDArray[np.float64]:
        return np.array([craft.get(name, missing) for craft in crafts], dtype=float)

    def whole(name: str, missing: int) -> npt.NDArray[np.int64]:
        return np.array([craft.get(name, missing) for craft in crafts], dtype=np.int64)

    return Tracks(
        time_us=NOW_US,
        latitude_deg=np.array([craft["at"][0] for craft in crafts], dtype=float),
        longitude_deg=np.array([craft["at"][1] for craft in crafts], dtype=float),
        height_tmm=whole("height_tmm", 30_000 * FOOT_TMM), datum=whole("datum", 0),
        speed_mps=column("speed_mps", 0.0), track_deg=column("track_deg", 0.0),
        climb_mps=column("climb_mps", 0.0), lateral_m=column("lateral_m", 0.0),
        vertical_tmm=whole("vertical_tmm", 0), zones=whole("zones", -1),
    )  # fmt: skip


def crowd(n: int, *, seed: int, over: tuple[float, float], within_deg: float = 0.6) -> Tracks:
    """Return n craft about a place, some without height or velocity, of two datums."""
    choose = np.random.default_rng(seed)
    latitude_deg = over[0] + choose.uniform(-within_deg, within_deg, n)
    beyond = np.abs(latitude_deg) > 90.0
    latitude_deg = np.where(beyond, np.sign(latitude_deg) * 180.0 - latitude_deg, latitude_deg)
    wide_deg = 180.0 if abs(over[0]) > 89 else within_deg / np.cos(np.radians(over[0]))
    longitude_deg = over[1] + choose.uniform(-wide_deg, wide_deg, n)
    longitude_deg = np.mod(longitude_deg + 180.0, 360.0) - 180.0
    levels = choose.integers(10, 40, n) * 1000 * FOOT_TMM
    return Tracks(
        time_us=NOW_US, latitude_deg=latitude_deg, longitude_deg=longitude_deg,
        height_tmm=levels, datum=choose.choice([0, 0, 0, 0, 0, 0, 1, -1], n),
        speed_mps=choose.choice([0.0, 5.0, 60.0, 120.0, 230.0, 230.0, 240.0], n),
        track_deg=choose.choice([0.0, 90.0, 180.0, 359.0, 45.0], n) + choose.integers(0, 3, n),
        climb_mps=choose.choice([0.0, 0.0, 0.0, 10.0, -10.0, 3.7], n),
        lateral_m=choose.choice([0.0, 0.0, 50.0], n),
        vertical_tmm=choose.choice([0, 0, 25 * FOOT_TMM], n),
        zones=np.full(n, -1, dtype=np.int64),
    )  # fmt: skip
