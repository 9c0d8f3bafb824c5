# SPDX-License-Identifier: Apache-2.0
"""Seeded traffic for the benchmarks: plans, live tracks and volumes over an area like Europe.

The area is latitude 35 to 60, longitude -10 to 40, evenly by surface. Nobody keeps the plans
apart, so there are far more conflicts than in real traffic.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

from keepclear.airspace.altitudes import Altitude, Reference
from keepclear.airspace.geodesics import geod
from keepclear.airspace.positions import Position
from keepclear.airspace.volumes import Circle, Polygon, Volume3D, Volume4D
from keepclear.detect.points import Points
from keepclear.detect.tracks import Tracks

Floats = npt.NDArray[np.float64]

FOOT_TMM: Final = 3_048
NM_M: Final = 1852.0
KNOT_MPS: Final = 1852.0 / 3600.0
DAY_S: Final = 86_400.0
EPOCH_US: Final = 1_443_571_200_000_000  # 2015-09-30T00:00:00Z
SOUTH, NORTH, WEST, EAST = 35.0, 60.0, -10.0, 40.0
LEGS: Final = 20
CLIMB_LEGS: Final = 3


def places(choose: np.random.Generator, count: int) -> tuple[Floats, Floats]:
    """Return latitudes and longitudes, evenly by surface."""
    low, high = np.sin(np.radians([SOUTH, NORTH]))
    latitude_deg = np.degrees(np.arcsin(choose.uniform(low, high, count)))
    return latitude_deg, choose.uniform(WEST, EAST, count)


def plans(count: int, *, seed: int = 1, within_s: float = DAY_S) -> Points:
    """Return plans of 20 legs.

    A leg is 15 to 40 NM long and turns by up to 20 degrees. Three legs climb from 3000 ft to a
    cruising level of FL200 to FL410 (k x 1000 ft), three descend. 380 to 480 kt all the way.
    Departures are spread over `within_s`.
    """
    choose = np.random.default_rng(seed)
    shape = (count, LEGS + 1)
    latitude_deg, longitude_deg = np.empty(shape), np.empty(shape)
    latitude_deg[:, 0], longitude_deg[:, 0] = places(choose, count)
    length_m = choose.uniform(15.0, 40.0, (count, LEGS)) * NM_M
    azimuth_deg = choose.uniform(-180.0, 180.0, count)
    for leg in range(LEGS):
        longitude_deg[:, leg + 1], latitude_deg[:, leg + 1], back_deg = geod().fwd(
            longitude_deg[:, leg], latitude_deg[:, leg], azimuth_deg, length_m[:, leg]
        )
        azimuth_deg = back_deg + 180.0 + choose.uniform(-20.0, 20.0, count)
    speed_mps = choose.uniform(380.0, 480.0, count) * KNOT_MPS
    flown_s = np.cumsum(length_m, axis=1) / speed_mps[:, None]
    departs_s = choose.uniform(0.0, within_s, count)
    time_s = departs_s[:, None] + np.concatenate([np.zeros((count, 1)), flown_s], axis=1)
    total = count * (LEGS + 1)
    starts = np.zeros(shape, dtype=np.bool_)
    starts[:, 0] = True
    none, no_plan = np.zeros(total, dtype=np.int64), np.zeros(count, dtype=np.int64)
    return Points(
        offsets=np.arange(count + 1) * (LEGS + 1),
        time_us=EPOCH_US + np.rint(time_s * 1e6).astype(np.int64).ravel(),
        latitude_deg=latitude_deg.ravel(), longitude_deg=longitude_deg.ravel(),
        height_tmm=_heights(choose, count).ravel(), datum=none, lateral_m=np.zeros(total),
        vertical_tmm=none, starts_stretch=starts.ravel(), edge=no_plan,
        early_us=no_plan, late_us=no_plan, clock_us=no_plan,
    )  # fmt: skip


def _heights(choose: np.random.Generator, count: int) -> npt.NDArray[np.int64]:
    """Return the height at each point of each plan."""
    level_ft = choose.integers(20, 42, count) * 1_000
    share = np.minimum(np.arange(LEGS + 1), LEGS - np.arange(LEGS + 1)) / CLIMB_LEGS
    height_ft = 3_000 + (level_ft[:, None] - 3_000) * np.minimum(share, 1.0)
    return np.asarray(np.rint(height_ft * FOOT_TMM), dtype=np.int64)


def tracks(count: int, *, seed: int = 1) -> Tracks:
    """Return live tracks: 380 to 480 kt, FL100 to FL400; 3 of 10 climb or descend by 10 m/s."""
    choose = np.random.default_rng(seed)
    latitude_deg, longitude_deg = places(choose, count)
    none = np.zeros(count, dtype=np.int64)
    return Tracks(
        time_us=EPOCH_US, latitude_deg=latitude_deg, longitude_deg=longitude_deg,
        height_tmm=choose.integers(10, 41, count) * 1_000 * FOOT_TMM, datum=none,
        speed_mps=choose.uniform(380.0, 480.0, count) * KNOT_MPS,
        track_deg=choose.uniform(0.0, 360.0, count),
        climb_mps=choose.choice([0.0] * 7 + [10.0, -10.0, 10.0], count),
        lateral_m=np.zeros(count), vertical_tmm=none, zones=none - 1,
    )  # fmt: skip


def volumes(count: int, *, seed: int = 1) -> list[Volume4D]:
    """Return volumes: circles and convex polygons 1 to 10 NM across, some thousand feet, an hour.

    Windows of 20 to 60 minutes spread over a day; heights from the ground to FL200.
    """
    choose = np.random.default_rng(seed)
    latitude_deg, longitude_deg = places(choose, count)
    radius_m = choose.uniform(0.5, 5.0, count) * NM_M
    start_us = EPOCH_US + (choose.uniform(0.0, DAY_S, count) * 1e6).astype(np.int64)
    lasts_us = (choose.uniform(1_200.0, 3_600.0, count) * 1e6).astype(np.int64)
    lower_ft = choose.integers(0, 18, count) * 1_000
    corners = choose.integers(3, 9, count)
    made = []
    for i in range(count):
        centre = Position(
            latitude_deg=float(latitude_deg[i]), longitude_deg=float(longitude_deg[i])
        )
        if i % 2:
            shape = Circle(centre=centre, radius_tmm=round(float(radius_m[i]) * 10_000))
        else:
            shape = _polygon(centre, float(radius_m[i]), int(corners[i]))
        lower, upper = (
            Altitude(height_tmm=int(lower_ft[i] + ft) * FOOT_TMM, reference=Reference.STANDARD)
            for ft in (0, 2_000)
        )
        made.append(Volume4D(
            volume=Volume3D(shape=shape, lower=lower, upper=upper),
            start_us=int(start_us[i]), end_us=int(start_us[i] + lasts_us[i]),
        ))  # fmt: skip
    return made


def _polygon(centre: Position, radius_m: float, corners: int) -> Polygon:
    azimuth_deg = -np.arange(corners) * (360.0 / corners)
    longitude_deg, latitude_deg, _ = geod().fwd(
        np.full(corners, centre.longitude_deg), np.full(corners, centre.latitude_deg),
        azimuth_deg, np.full(corners, radius_m),
    )  # fmt: skip
    return Polygon(ring=tuple(
        Position(latitude_deg=float(lat), longitude_deg=float(lon))
        for lat, lon in zip(latitude_deg, longitude_deg, strict=True)
    ))  # fmt: skip
