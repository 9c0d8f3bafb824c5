# SPDX-License-Identifier: Apache-2.0
"""Live tracks go on along their geodesics, and every pair that comes close is found."""

from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pytest
from geographiclib.geodesic import Geodesic
from msgspec.structs import replace

from keepclear.airspace.geodesics import to_ecef
from keepclear.detect import sweep as column
from keepclear.detect.compiled import compiled, plain
from keepclear.detect.cylinders import Cylinder
from keepclear.detect.fragments import LONGEST_PIECE_M
from keepclear.detect.index import Detected, all_pairs, sweep_all
from keepclear.detect.kernel import as_lists, limits_of
from keepclear.detect.live import detect_live, near_tracks
from keepclear.detect.sweep import BOUNDARY, CLEAR, CONFLICT, UNDETERMINED
from keepclear.detect.tracks import Tracks, compile_tracks, take_tracks
from keepclear.errors import InputError
from tests.live_tracks import FOOT_TMM, MINUTE_US, NOW_US, crowd, tracks_of

WGS84: Final = Geodesic.WGS84
AHEAD_US: Final = 5 * MINUTE_US
EN_ROUTE: Final = Cylinder(lateral_tmm=92_600_000, vertical_tmm=1000 * FOOT_TMM)
a_micrometre: Final = 1e-6
a_hundred_micrometres: Final = 1e-4
ten_microseconds: Final = 10.0

Found = dict[tuple[int, int], npt.NDArray[np.float64]]
# Where programs go wrong: the poles, the antimeridian, the equator.
PLACES: Final = [
    (50.0, 8.0),
    (0.0, 0.0),
    (10.0, 180.0),
    (-75.0, -179.9),
    (89.9, 0.0),
    (-90.0, 40.0),
]


def by_pair(found: Detected) -> Found:
    """Return the rows of each pair that has some."""
    return {
        (int(found.a[pair]), int(found.b[pair])): found.rows[found.row_pair == pair]
        for pair in np.unique(found.row_pair)
    }


def ask(tracks: Tracks, *cylinders: Cylinder, ahead_us: int = AHEAD_US) -> Found:
    """Return what the fast path finds with the plain kernel."""
    return by_pair(detect_live(plain(), tracks, ahead_us, limits_of(cylinders)))


def brute(tracks: Tracks, *cylinders: Cylinder, ahead_us: int = AHEAD_US) -> Found:
    """Return what the kernel finds in all pairs, with nothing rejected before."""
    f = compile_tracks(tracks, ahead_us, LONGEST_PIECE_M)
    pairs = all_pairs(np.zeros(len(tracks), dtype=np.int64), within=True)
    return by_pair(sweep_all(plain(), as_lists(f), as_lists(limits_of(cylinders)), *pairs))


def verdict(found: Found) -> int:
    """Return the verdict of the only pair; CLEAR for none."""
    return int(min((rows[:, column.VERDICT].min() for rows in found.values()), default=CLEAR))


def assert_same(one: Found, two: Found) -> None:
    """Assert that two answers are the same bits."""
    assert one.keys() == two.keys()
    for pair, rows in one.items():
        assert np.array_equal(rows, two[pair], equal_nan=True)


@pytest.mark.parametrize("place", PLACES)
def test_the_way_ahead_is_the_geodesic(place: tuple[float, float]) -> None:
    tracks = crowd(40, seed=3, over=place)

    f = compile_tracks(tracks, AHEAD_US, LONGEST_PIECE_M)

    for k in range(len(tracks)):
        for i in range(int(f.offsets[k]), int(f.offsets[k + 1])):
            way_m = tracks.speed_mps[k] * (f.end_us[i] - NOW_US) * 1e-6
            there = WGS84.Direct(
                tracks.latitude_deg[k], tracks.longitude_deg[k], tracks.track_deg[k], way_m
            )
            expected = to_ecef(np.array(there["lat2"]), np.array(there["lon2"]))
            reached = np.array([f.qx[i], f.qy[i], f.qz[i]])
            assert np.abs(reached - expected).max() < a_micrometre
        assert f.end_us[f.offsets[k + 1] - 1] == NOW_US + AHEAD_US


@pytest.mark.slow
@pytest.mark.parametrize("place", PLACES)
def test_the_fast_path_finds_what_all_pairs_find(place: tuple[float, float]) -> None:
    for seed in range(3):
        tracks = crowd(70, seed=seed, over=place)

        found = ask(tracks, EN_ROUTE)

        assert_same(found, brute(tracks, EN_ROUTE))
        assert len(found) > 3


@pytest.mark.slow
@pytest.mark.parametrize("ahead_us", [0, 1, MINUTE_US, 60 * MINUTE_US])
def test_any_look_ahead_finds_what_all_pairs_find(ahead_us: int) -> None:
    tracks = crowd(60, seed=9, over=(47.0, 8.0))

    found = ask(tracks, EN_ROUTE, ahead_us=ahead_us)

    assert_same(found, brute(tracks, EN_ROUTE, ahead_us=ahead_us))


@pytest.mark.slow
def test_every_sort_of_cylinder_finds_what_all_pairs_find() -> None:
    tracks = crowd(40, seed=5, over=(47.0, 8.0))
    lists = [
        [Cylinder(lateral_tmm=500_000, vertical_tmm=1000 * FOOT_TMM, vertical_is_closed=True)],
        [Cylinder(lateral_tmm=92_600_000)],
        [Cylinder(vertical_tmm=100 * FOOT_TMM)],
        [EN_ROUTE, Cylinder(lateral_tmm=185_200_000, vertical_tmm=2000 * FOOT_TMM,
                            both_from_tmm=29_000 * FOOT_TMM)],
        [replace(EN_ROUTE, time_us=20_000_000)],
    ]  # fmt: skip

    for cylinders in lists:
        assert_same(ask(tracks, *cylinders), brute(tracks, *cylinders))


@pytest.mark.slow
def test_compiled_gives_the_same_bits_as_plain() -> None:
    for place in PLACES:
        tracks = crowd(300, seed=11, over=place, within_deg=2.0)
        limits = limits_of([EN_ROUTE])

        found = detect_live(compiled(), tracks, AHEAD_US, limits)

        assert_same(by_pair(found), ask(tracks, EN_ROUTE))


@pytest.mark.slow
def test_a_crowd_over_half_the_earth_loses_no_pair() -> None:
    choose = np.random.default_rng(2)
    pairs, n = 150, 300
    first = crowd(pairs, seed=1, over=(0.0, 0.0), within_deg=80.0)
    beside = [
        WGS84.Direct(a, b, choose.uniform(0, 360), choose.uniform(0, 40_000.0))
        for a, b in zip(first.latitude_deg, first.longitude_deg, strict=True)
    ]
    both = take_tracks(first, np.arange(n) % pairs)
    both.latitude_deg[pairs:] = [there["lat2"] for there in beside]
    both.longitude_deg[pairs:] = [there["lon2"] for there in beside]
    both.track_deg[pairs:] += 180.0

    found = by_pair(detect_live(compiled(), both, AHEAD_US, limits_of([EN_ROUTE])))

    assert_same(found, brute(both, EN_ROUTE))
    assert len(found) > 40


def test_another_order_of_the_craft_gives_the_same_pairs_and_times() -> None:
    tracks = crowd(50, seed=4, over=(50.0, 8.0))
    order = np.random.default_rng(0).permutation(50)
    place = {int(craft): k for k, craft in enumerate(order)}

    found = ask(tracks, EN_ROUTE)
    turned = ask(take_tracks(tracks, order), EN_ROUTE)

    assert len(found) == len(turned) > 3
    for (a, b), rows in found.items():
        low, high = sorted((place[a], place[b]))
        others = turned[low, high]
        for name in (column.VERDICT, column.MARGIN_M, column.LATERAL_M, column.VERTICAL_TMM):
            assert np.allclose(np.sort(rows[:, name]), np.sort(others[:, name]),
                               atol=a_hundred_micrometres, equal_nan=True)  # fmt: skip
        for name in (column.START, column.END, column.CPA):
            assert np.abs(np.sort(rows[:, name]) - np.sort(others[:, name])).max() < 1_000.0


def test_head_on_along_the_equator_is_inside_when_the_arc_says() -> None:
    # WGS 84: a = 6 378 137 m, so one degree of the equator is 111 319.4908 m
    apart_m = 0.5 * 111_319.4908
    found = ask(tracks_of(
        {"at": (0.0, 179.75), "speed_mps": 200.0, "track_deg": 90.0},
        {"at": (0.0, -179.75), "speed_mps": 200.0, "track_deg": 270.0},
    ), EN_ROUTE)  # fmt: skip

    rows = found[0, 1]
    assert verdict(found) == CONFLICT
    starts_us = rows[:, column.START].min() - NOW_US
    ends_us = rows[:, column.END].max() - NOW_US
    assert abs(starts_us - (apart_m - 9_260.0) / 400.0 * 1e6) < 50.0
    assert abs(ends_us - (apart_m + 9_260.0) / 400.0 * 1e6) < 50.0


def test_over_the_pole_they_meet_at_it() -> None:
    found = ask(tracks_of(
        {"at": (89.7, 10.0), "speed_mps": 230.0, "track_deg": 0.0},
        {"at": (89.7, -80.0), "speed_mps": 230.0, "track_deg": 0.0},
    ), EN_ROUTE)  # fmt: skip

    to_pole_s = WGS84.Inverse(89.7, 10.0, 90.0, 0.0)["s12"] / 230.0
    rows = found[0, 1]
    closest = rows[rows[:, column.LATERAL_M].argmin()]
    assert closest[column.LATERAL_M] < 0.01
    assert abs(closest[column.CPA] - NOW_US - to_pole_s * 1e6) < 100.0


@pytest.mark.parametrize(
    ("apart_tmm", "is_closed", "expected"),
    [
        (1000 * FOOT_TMM, False, CLEAR),
        (1000 * FOOT_TMM, True, CONFLICT),
        (1000 * FOOT_TMM - 1, False, CONFLICT),
        (1000 * FOOT_TMM + 1, True, CLEAR),
    ],
)
def test_exactly_the_vertical_minimum_is_as_the_cylinder_says(
    apart_tmm: int, *, is_closed: bool, expected: int
) -> None:
    tracks = tracks_of(
        {"at": (50.0, 8.0), "speed_mps": 200.0, "height_tmm": 33_000 * FOOT_TMM},
        {"at": (50.1, 8.0), "speed_mps": 200.0, "height_tmm": 33_000 * FOOT_TMM - apart_tmm,
         "track_deg": 180.0},
    )  # fmt: skip

    assert verdict(ask(tracks, replace(EN_ROUTE, vertical_is_closed=is_closed))) == expected


def test_exactly_the_lateral_minimum_is_in_the_guard_band() -> None:
    there = WGS84.Direct(50.0, 8.0, 30.0, 9_260.0)
    tracks = tracks_of({"at": (50.0, 8.0)}, {"at": (there["lat2"], there["lon2"])})

    assert verdict(ask(tracks, EN_ROUTE)) == BOUNDARY


@pytest.mark.parametrize("other", [{"datum": -1}, {"datum": 7}])
def test_heights_that_cannot_be_compared_are_undetermined(other: dict[str, Any]) -> None:
    tracks = tracks_of({"at": (50.0, 8.0)}, {"at": (50.05, 8.0), **other})

    assert verdict(ask(tracks, EN_ROUTE)) == UNDETERMINED


def test_craft_at_one_place_that_hover_are_in_conflict_all_the_time() -> None:
    rows = ask(tracks_of({"at": (50.0, 8.0)}, {"at": (50.0, 8.0)}), EN_ROUTE)[0, 1]

    assert len(rows) == 1
    assert rows[0, column.START] == NOW_US
    assert rows[0, column.END] == NOW_US + AHEAD_US


def test_a_formation_stays_inside_and_a_hoverer_is_passed() -> None:
    flying = {"speed_mps": 230.0, "track_deg": 90.0}
    tracks = tracks_of({"at": (0.0, 0.0), **flying}, {"at": (0.01, 0.0), **flying},
                       {"at": (0.0, 0.3)})  # fmt: skip

    found = ask(tracks, EN_ROUTE)

    assert set(found) == {(0, 1), (0, 2), (1, 2)}
    assert found[0, 1][:, column.END].max() == NOW_US + AHEAD_US
    assert found[0, 2][:, column.START].min() > NOW_US + MINUTE_US


def test_what_begins_at_the_very_end_of_the_look_ahead_is_not_found() -> None:
    tracks = tracks_of({"at": (0.0, 0.0), "height_tmm": 30_000 * FOOT_TMM},
                       {"at": (0.0, 0.0), "height_tmm": 32_000 * FOOT_TMM,
                        "climb_mps": -1000 * 0.3048 / 300})  # fmt: skip

    assert verdict(ask(tracks, EN_ROUTE)) == CLEAR
    assert verdict(ask(tracks, EN_ROUTE, ahead_us=AHEAD_US + 100_000)) == CONFLICT


def test_uncertainty_of_both_widens_the_minima() -> None:
    there = WGS84.Direct(50.0, 8.0, 30.0, 9_459.0)
    apart = {"at": (there["lat2"], there["lon2"]), "height_tmm": 31_049 * FOOT_TMM}
    off = {"lateral_m": 100.0, "vertical_tmm": 25 * FOOT_TMM}

    sure = ask(tracks_of({"at": (50.0, 8.0)}, apart), EN_ROUTE)
    unsure = ask(tracks_of({"at": (50.0, 8.0), **off}, {**apart, **off}), EN_ROUTE)

    assert (verdict(sure), verdict(unsure)) == (CLEAR, CONFLICT)


def test_a_zone_binds_craft_that_may_come_inside_it() -> None:
    in_zone = replace(EN_ROUTE, zone=3)
    inside, outside = {"at": (50.0, 8.0), "zones": 8}, {"at": (50.0, 8.0), "zones": 0}

    assert verdict(ask(tracks_of({"at": (50.0, 8.0)}, outside), in_zone)) == CONFLICT
    assert verdict(ask(tracks_of(inside, outside), in_zone)) == CONFLICT
    assert verdict(ask(tracks_of(outside, outside), in_zone)) == CLEAR


@pytest.mark.parametrize("count", [0, 1])
def test_fewer_than_two_craft_have_no_pair(count: int) -> None:
    tracks = take_tracks(tracks_of({"at": (50.0, 8.0)}), np.arange(count))

    assert ask(tracks, EN_ROUTE) == {}


def test_a_very_fast_craft_does_not_hide_others() -> None:
    tracks = tracks_of({"at": (50.0, 8.0)}, {"at": (50.05, 8.0)},
                       {"at": (10.0, 100.0), "speed_mps": 7_700.0})  # fmt: skip

    found = ask(tracks, EN_ROUTE)
    pairs = near_tracks(plain(), tracks, AHEAD_US, 9_260.0, 1000.0 * FOOT_TMM)

    assert set(found) == {(0, 1)}
    assert (pairs.a.tolist(), pairs.b.tolist()) == ([0], [1])


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"at": (91.0, 0.0)}, "latitude_deg.0. 91.0: is not -90 to 90"),
        ({"at": (0.0, float("nan"))}, "longitude_deg.0. nan"),
        ({"at": (0.0, 0.0), "speed_mps": float("nan")}, "give 0 to hover"),
        ({"at": (0.0, 0.0), "speed_mps": -1.0}, "is not a speed"),
        ({"at": (0.0, 0.0), "speed_mps": 9.0, "track_deg": float("inf")}, "is not a direction"),
        ({"at": (0.0, 0.0), "climb_mps": float("nan")}, "is not a rate"),
        ({"at": (0.0, 0.0), "lateral_m": -1.0}, "lateral_m"),
        ({"at": (0.0, 0.0), "height_tmm": 2**40}, "is beyond 107 km"),
    ],
)
def test_what_cannot_be_computed_is_refused(wrong: dict[str, Any], says: str) -> None:
    with pytest.raises(InputError, match=says):
        ask(tracks_of(wrong), EN_ROUTE)


def test_a_look_ahead_below_0_or_beyond_an_hour_is_refused() -> None:
    for ahead_us in (-1, 61 * MINUTE_US):
        with pytest.raises(InputError, match="is not 0 to 1 hour"):
            ask(tracks_of({"at": (0.0, 0.0)}), EN_ROUTE, ahead_us=ahead_us)
