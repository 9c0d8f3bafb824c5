# SPDX-License-Identifier: Apache-2.0
"""DO-365 alerts between live tracks are those of `do365`, for every pair."""

import math
from typing import Final

import numpy as np
import pytest
from geographiclib.geodesic import Geodesic

from keepclear.detect.compiled import compiled, plain
from keepclear.detect.do365 import (
    ALERT_LEVELS,
    PHASE_1,
    Alert,
    Approach,
    Level,
    alert,
    is_violated,
)
from keepclear.detect.live_alerts import PairAlert, alerts
from keepclear.detect.tracks import Tracks, take_tracks
from tests.live_tracks import FOOT_TMM, MINUTE_US, NOW_US, crowd, tracks_of

WGS84: Final = Geodesic.WGS84
LEVELS: Final = ALERT_LEVELS["phase-1"]
a_tenth_of_a_second: Final = 0.1
LOST_AT_M: Final = 3_500 + math.sqrt(3_500**2 + 1222.32**2)  # tau_mod 35 s, closing at 200 m/s


def head_on(before_s: float, *, above_ft: int = 0, **other: object) -> Tracks:
    """Return two that close at 200 m/s, this long before Phase I well clear is lost."""
    there = WGS84.Direct(50.0, 179.95, 90.0, LOST_AT_M + 200 * before_s)
    return tracks_of(
        {"at": (50.0, 179.95), "speed_mps": 100.0, "track_deg": 90.0},
        {"at": (there["lat2"], there["lon2"]), "speed_mps": 100.0,
         "track_deg": there["azi2"] + 180.0, "height_tmm": (30_000 + above_ft) * FOOT_TMM,
         **other},
    )  # fmt: skip


def approach(tracks: Tracks, a: int, b: int) -> Approach:
    """Return b as seen from a, its velocity turned along the geodesic between the two."""
    line = WGS84.Inverse(
        tracks.latitude_deg[a], tracks.longitude_deg[a],
        tracks.latitude_deg[b], tracks.longitude_deg[b],
    )  # fmt: skip
    to_b = math.radians(line["azi1"])
    own = math.radians(tracks.track_deg[a])
    other = math.radians(tracks.track_deg[b] - line["azi2"] + line["azi1"])
    return Approach(
        s_m=(line["s12"] * math.sin(to_b), line["s12"] * math.cos(to_b)),
        v_mps=(tracks.speed_mps[b] * math.sin(other) - tracks.speed_mps[a] * math.sin(own),
               tracks.speed_mps[b] * math.cos(other) - tracks.speed_mps[a] * math.cos(own)),
        s_z_m=float(tracks.height_tmm[b] - tracks.height_tmm[a]) / 1e4,
        v_z_mps=float(tracks.climb_mps[b] - tracks.climb_mps[a]),
    )  # fmt: skip


# Alert times of Phase I: 55 / 55 / 25 s; 600 ft is inside the preventive 700 ft, outside 450 ft.
@pytest.mark.parametrize(
    ("before_s", "above_ft", "level"),
    [
        (-1.0, 0, Level.WARNING),
        (24.9, 0, Level.WARNING),
        (25.1, 0, Level.CORRECTIVE),
        (54.9, 0, Level.CORRECTIVE),
        (55.1, 0, Level.NONE),
        (54.9, 600, Level.PREVENTIVE),
    ],
)
def test_an_alert_is_due_at_its_time_before_well_clear_is_lost(
    before_s: float, above_ft: int, level: Level
) -> None:
    [found] = alerts(plain(), head_on(before_s, above_ft=above_ft), LEVELS)

    assert found.level is level
    assert found.is_lost == (before_s < 0)
    assert abs((found.start_us - NOW_US) / 1e6 - max(before_s, 0.0)) < a_tenth_of_a_second
    assert found.is_known


def test_beyond_the_look_ahead_nothing_is_listed() -> None:
    assert len(alerts(plain(), head_on(179.0), LEVELS)) == 1
    assert alerts(plain(), head_on(181.0), LEVELS) == []
    assert alerts(plain(), head_on(179.0), LEVELS, look_ahead_us=MINUTE_US) == []


def test_a_height_that_is_not_known_gives_the_alert_and_says_so() -> None:
    [found] = alerts(plain(), head_on(10.0, datum=-1), LEVELS)

    assert found.level is Level.WARNING
    assert not found.is_known


def small_world(seed: int) -> Tracks:
    """Return light aircraft and drones over a town, with heights and velocities."""
    tracks = crowd(120, seed=seed, over=(47.0, 8.0), within_deg=0.3)
    choose = np.random.default_rng(seed)
    tracks.datum[:] = 0
    tracks.lateral_m[:] = 0.0
    tracks.vertical_tmm[:] = 0
    tracks.height_tmm[:] = choose.integers(30, 60, len(tracks)) * 100 * FOOT_TMM
    tracks.speed_mps[:] = choose.choice([0.0, 20.0, 60.0, 100.0], len(tracks))
    return tracks


@pytest.mark.slow
def test_all_pairs_get_what_each_gets_alone_on_a_plane() -> None:
    tracks = small_world(3)
    found = {(each.a, each.b): each for each in alerts(plain(), tracks, LEVELS)}

    seen = 0
    for a in range(len(tracks)):
        for b in range(a + 1, len(tracks)):
            alone = alert(LEVELS, approach(tracks, a, b))
            seen += alone.level is not Level.NONE
            assert_agrees(found.get((a, b)), alone, approach(tracks, a, b))
    assert seen > 10


def assert_agrees(found: PairAlert | None, alone: Alert, now: Approach) -> None:
    """Assert that both say the same; ends may lie a tenth of a second apart: the earth is round."""
    if alone.violation is None or found is None:
        assert found is None or found.end_us - found.start_us < 1_000_000
        assert alone.violation is None or alone.violation.end_s - alone.violation.start_s < 1.0
        return
    assert abs((found.start_us - NOW_US) / 1e6 - alone.violation.start_s) < a_tenth_of_a_second
    assert abs((found.end_us - NOW_US) / 1e6 - alone.violation.end_s) < a_tenth_of_a_second
    assert found.level is alone.level
    assert found.is_lost == is_violated(PHASE_1, now) or found.level is Level.PREVENTIVE


@pytest.mark.slow
def test_compiled_gives_the_same_as_plain() -> None:
    tracks = small_world(4)

    assert alerts(compiled(), tracks, LEVELS) == alerts(plain(), tracks, LEVELS)


@pytest.mark.parametrize("count", [0, 1])
def test_fewer_than_two_craft_have_no_alert(count: int) -> None:
    assert alerts(plain(), take_tracks(head_on(1.0), np.arange(count)), LEVELS) == []
