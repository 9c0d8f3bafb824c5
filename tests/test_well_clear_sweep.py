# SPDX-License-Identifier: Apache-2.0
"""Well clear on flown tracks is what the definition says at every instant, sampled densely.

The sampling is its own way to the numbers: places and directions by geographiclib, the other
craft by distance and azimuth of the geodesic between the two, its velocity turned along it.
"""

import math
import random
from collections.abc import Sequence
from functools import cache
from typing import Final

import numpy as np
import numpy.typing as npt
import pytest
from geographiclib.geodesic import Geodesic
from msgspec.structs import replace

from keepclear.detect import sweep as column
from keepclear.detect.compiled import compiled, plain
from keepclear.detect.do365 import (
    NEAR_MID_AIR_COLLISION,
    PHASE_1,
    PHASE_2_TERMINAL,
    Approach,
    WellClear,
    is_violated,
    well_clear,
)
from keepclear.detect.fragments import compile_points
from keepclear.detect.live_alerts import sweep_well_clear_all, well_clear_limits
from keepclear.detect.sweep import BOUNDARY, CLEAR, CONFLICT, UNDETERMINED
from keepclear.detect.well_clear_sweep import TAU_S
from tests.kernel_pairs import FOOT_TMM, moved, passing, points_of, spans_of
from tests.motion import Fix, Plan, Span

WGS84: Final = Geodesic.WGS84
ALWAYS: Final = np.array([2**62])
WITH_TCOA: Final = well_clear(dthr="0.66 NM", zthr="450 ft", tthr="35 s", tcoa="20 s")
VOLUMES: Final = (PHASE_1, PHASE_2_TERMINAL, NEAR_MID_AIR_COLLISION, WITH_TCOA)
a_twentieth_of_a_second: Final = 0.05
a_hundredth_of_a_second: Final = 0.01
a_metre: Final = 1.0
DTHR_M: Final = 1222.32  # 0.66 NM

Rows = npt.NDArray[np.float64]


def rows_of(
    a: Plan, b: Plan, *volumes: WellClear, functions: object = None, uncertainty: bool = True
) -> Rows:
    """Return the rows of two plans; plain unless functions are given."""
    f = compile_points(points_of([a, b]))
    limits = well_clear_limits(volumes, uncertainty=uncertainty)
    pair = np.array([0]), np.array([1])
    return sweep_well_clear_all(functions or plain(), f, limits, *pair, -ALWAYS, ALWAYS).rows


def verdict(rows: Rows) -> int:
    """Return the worst verdict; CLEAR for no rows."""
    return int(rows[:, column.VERDICT].min(initial=CLEAR))


def lost(rows: Rows) -> list[Span]:
    """Return when well clear is lost, in seconds."""
    return spans_of(rows, CONFLICT, BOUNDARY)


@cache
def way_of(*ends_deg: float) -> dict[str, float]:
    """Return the geodesic from latitude, longitude to latitude, longitude."""
    way: dict[str, float] = WGS84.Inverse(*ends_deg)
    return way


def state_at(plan: Plan, at_s: float) -> tuple[float, float, float, float, float, float]:
    """Return latitude, longitude, direction (deg), speed, height (m) and its rate at a time."""
    fixes = plan.fixes
    k = max(k for k in range(len(fixes) - 1) if fixes[k].time_us <= at_s * 1e6)
    p, q = fixes[k], fixes[k + 1]
    lasts_s = (q.time_us - p.time_us) / 1e6
    way = way_of(p.latitude_deg, p.longitude_deg, q.latitude_deg, q.longitude_deg)
    speed_mps = way["s12"] / lasts_s
    after_s = at_s - p.time_us / 1e6
    there = WGS84.Direct(p.latitude_deg, p.longitude_deg, way["azi1"], speed_mps * after_s)
    rate_mps = ((q.height_tmm or 0) - (p.height_tmm or 0)) / 1e4 / lasts_s
    height_m = (p.height_tmm or 0) / 1e4 + rate_mps * after_s
    return there["lat2"], there["lon2"], there["azi2"], speed_mps, height_m, rate_mps


def approach_at(a: Plan, b: Plan, at_s: float) -> Approach:
    """Return b as seen from a at a time."""
    here, there = state_at(a, at_s), state_at(b, at_s)
    line = WGS84.Inverse(here[0], here[1], there[0], there[1])
    to_b = math.radians(line["azi1"])
    turned = math.radians(there[2] - line["azi2"] + line["azi1"])
    own = math.radians(here[2])
    return Approach(
        s_m=(line["s12"] * math.sin(to_b), line["s12"] * math.cos(to_b)),
        v_mps=(there[3] * math.sin(turned) - here[3] * math.sin(own),
               there[3] * math.cos(turned) - here[3] * math.cos(own)),
        s_z_m=there[4] - here[4], v_z_mps=there[5] - here[5],
    )  # fmt: skip


def is_lost_at(a: Plan, b: Plan, volume: WellClear, at_s: float) -> bool:
    """Tell what the definition says at a time."""
    return is_violated(volume, approach_at(a, b, at_s))


def assert_is_as_sampled(a: Plan, b: Plan, volume: WellClear, rows: Rows, step_s: float) -> int:
    """Assert that the spans are those of the definition; return how many samples are lost."""
    start_s = max(a.fixes[0].time_us, b.fixes[0].time_us) / 1e6
    end_s = min(a.fixes[-1].time_us, b.fixes[-1].time_us) / 1e6
    spans, found = lost(rows), 0
    for k in range(int((end_s - start_s) / step_s)):
        at_s = start_s + (k + 0.37) * step_s
        ends = [abs(at_s - end) for span in spans for end in span]
        if min(ends, default=1.0) < a_twentieth_of_a_second:
            continue
        inside = any(span.start_s < at_s < span.end_s for span in spans)
        found += inside
        assert is_lost_at(a, b, volume, at_s) == inside, at_s
    return found


def meeting(choose: random.Random) -> tuple[Plan, Plan]:
    """Return two plans of two or three legs that come near each other near time 0."""
    where = Fix(time_us=0, latitude_deg=choose.uniform(-85, 85), longitude_deg=179.99)
    beside = moved(where.latitude_deg, where.longitude_deg, choose.uniform(0, 360),
                   choose.choice([0.0, 500.0, 1200.0, 1300.0, 3000.0]))  # fmt: skip
    plans = []
    for over in (where, beside):
        fixes: list[Fix] = []
        times = [-90_000_000, choose.randrange(-30, 5) * 1_000_000, 60_000_000]
        heights = [choose.choice([3000, 3400, 3500, 4000]) * FOOT_TMM for _ in times]
        for time_us, height_tmm in zip(times, heights, strict=True):
            at = passing(over, choose.uniform(0, 30) + choose.choice([0, 180]),
                         choose.choice([40.0, 100.0, 250.0]), [time_us], [height_tmm])  # fmt: skip
            fixes += at
        plans.append(Plan(fixes=tuple(fixes)))
    return plans[0], plans[1]


@pytest.mark.slow
@pytest.mark.parametrize("volume", VOLUMES)
def test_random_tracks_lose_it_when_the_definition_says(volume: WellClear) -> None:
    choose = random.Random(volume.dthr_m)
    found = 0
    for _ in range(20):
        a, b = meeting(choose)

        rows = rows_of(a, b, volume)

        found += assert_is_as_sampled(a, b, volume, rows, step_s=1.0)
    assert found > (30 if volume.tthr_s else 0)


@pytest.mark.slow
def test_compiled_gives_the_same_bits_as_plain() -> None:
    choose = random.Random(5)
    pairs = [meeting(choose) for _ in range(60)]
    rows = [rows_of(a, b, *VOLUMES) for a, b in pairs]
    again = [rows_of(a, b, *VOLUMES, functions=compiled()) for a, b in pairs]

    assert sum(map(len, rows)) > 60
    assert all(map(lambda x, y: np.array_equal(x, y, equal_nan=True), rows, again))


def straight(
    at: tuple[float, float], track_deg: float, speed_mps: float, heights_tmm: Sequence[int],
    *, datum: int = 0,
) -> Plan:  # fmt: skip
    """Return a plan that is at a place at time 0 and flies straight on."""
    over = Fix(time_us=0, latitude_deg=at[0], longitude_deg=at[1])
    times = [0, 120_000_000]
    return Plan(fixes=passing(over, track_deg, speed_mps, times, heights_tmm), datum=datum)


LEVEL: Final = [3_000 * FOOT_TMM] * 2
HEAD_ON: Final = (
    straight((0.0, 0.0), 90.0, 100.0, LEVEL),
    straight((0.0, math.degrees(10_000.0 / 6_378_137.0)), 270.0, 100.0, LEVEL),
)


def test_head_on_it_is_lost_by_tau_before_dthr_and_kept_again_after_passing() -> None:
    rows = rows_of(*HEAD_ON, PHASE_1)

    # as in test_separation_well_clear: tau_mod is 35 s at 7207.46 m when closing at 200 m/s
    lost_at_m = 3_500 + math.sqrt(3_500**2 + DTHR_M**2)
    [span] = lost(rows)
    assert verdict(rows) == CONFLICT
    assert abs(span.start_s - (10_000 - lost_at_m) / 200) < a_hundredth_of_a_second
    assert abs(span.end_s - (10_000 + DTHR_M) / 200) < a_hundredth_of_a_second
    assert rows[:, column.LATERAL_M].min() < a_metre
    assert abs(rows[:, column.MARGIN_M].min() + 137.16) < a_metre
    assert rows[:, TAU_S].min() == 0.0


def test_overtaking_is_lost_when_tau_says_long_after_the_distance_alone_would_be_far() -> None:
    ahead = straight((0.05, 0.0), 0.0, 60.0, LEVEL)
    behind = straight((0.0, 0.0), 0.0, 140.0, LEVEL)

    rows = rows_of(behind, ahead, PHASE_1)

    assert assert_is_as_sampled(behind, ahead, PHASE_1, rows, step_s=0.25) > 100
    assert lost(rows)[0].start_s > 20


def test_side_by_side_within_dthr_it_is_lost_all_the_time_and_outside_never() -> None:
    one = straight((50.0, 8.0), 0.0, 100.0, LEVEL)
    near = straight((50.0, 8.0 + 1_100 / 71_700), 0.0, 100.0, LEVEL)
    far = straight((50.0, 8.0 + 1_400 / 71_700), 0.0, 100.0, LEVEL)

    assert lost(rows_of(one, near, PHASE_1)) == [Span(0.0, 120.0)]
    assert verdict(rows_of(one, far, PHASE_1)) == CLEAR


def test_one_that_climbs_through_the_other_loses_it_within_450_ft() -> None:
    level = straight((50.0, 8.0), 0.0, 100.0, LEVEL)
    climbing = straight((50.0, 8.0), 0.0, 100.0, [2_000 * FOOT_TMM, 4_000 * FOOT_TMM])

    [span] = lost(rows_of(level, climbing, PHASE_1))

    # 2000 ft in 120 s: 450 ft below after 33 s, 450 ft above after 87 s
    assert span == pytest.approx((33.0, 87.0), abs=1e-3)


@pytest.mark.parametrize(("apart_tmm", "expected"), [(450 * FOOT_TMM, CONFLICT),
                                                     (450 * FOOT_TMM + 1, CLEAR)])  # fmt: skip
def test_exactly_zthr_is_lost(apart_tmm: int, expected: int) -> None:
    level = straight((50.0, 8.0), 0.0, 100.0, LEVEL)
    above = straight((50.0, 8.0), 0.0, 100.0, [height + apart_tmm for height in LEVEL])

    assert verdict(rows_of(level, above, PHASE_1)) == expected


def test_a_track_that_turns_away_in_time_is_lost_by_tau_alone_and_says_what_was_left() -> None:
    there = HEAD_ON[1]
    turn = passing(Fix(time_us=0, latitude_deg=0.0, longitude_deg=0.0), 90.0, 100.0,
                   [0, 25_000_000], LEVEL)  # fmt: skip
    away = moved(turn[1].latitude_deg, turn[1].longitude_deg, 270.0, 6_000.0)
    turning = Plan(fixes=(*turn, replace_time(away, 65_000_000)))

    rows = rows_of(turning, there, PHASE_1)

    # closing at 200 m/s to 5000 m: (1222.32^2 - 5000^2) / (-200 * 5000) = 23.506 s
    [span] = lost(rows)
    assert span.end_s == pytest.approx(25.0, abs=1e-6)
    assert rows[:, TAU_S].min() == pytest.approx((5000**2 - DTHR_M**2) / 1e6, abs=1e-3)
    assert rows[:, column.MARGIN_M].min() == pytest.approx(5_000 - DTHR_M, abs=a_metre)


def replace_time(fix: Fix, time_us: int) -> Fix:
    """Return a fix at another time, at 3000 ft."""
    return Fix(time_us=time_us, latitude_deg=fix.latitude_deg, longitude_deg=fix.longitude_deg,
               height_tmm=LEVEL[0])  # fmt: skip


def test_the_other_order_gives_the_same_times() -> None:
    for _ in range(10):
        a, b = meeting(random.Random(8))

        one, two = lost(rows_of(a, b, *VOLUMES)), lost(rows_of(b, a, *VOLUMES))

        assert np.allclose(one, two, atol=1e-4)


def test_heights_that_cannot_be_compared_are_undetermined_where_places_are_close() -> None:
    unknown = Plan(fixes=HEAD_ON[1].fixes, datum=-1)
    far_away = straight((30.0, 8.0), 0.0, 100.0, LEVEL, datum=-1)

    assert verdict(rows_of(HEAD_ON[0], unknown, PHASE_1)) == UNDETERMINED
    assert verdict(rows_of(HEAD_ON[0], far_away, PHASE_1)) == CLEAR


def test_uncertainty_makes_it_longer_and_can_be_left_out() -> None:
    a, b = (Plan(fixes=plan.fixes, lateral_m=100.0, vertical_tmm=FOOT_TMM) for plan in HEAD_ON)

    sure = lost(rows_of(a, b, PHASE_1, uncertainty=False))
    [widened] = lost(rows_of(a, b, PHASE_1))

    assert sure == lost(rows_of(*HEAD_ON, PHASE_1))
    assert widened.start_s < sure[0].start_s - 1.0
    assert widened.end_s > sure[0].end_s + 0.9


def test_wherever_the_true_places_are_well_clear_is_not_lost_outside_what_is_found() -> None:
    choose = random.Random(3)
    a, b = (Plan(fixes=plan.fixes, lateral_m=150.0) for plan in HEAD_ON)
    [span] = lost(rows_of(a, b, PHASE_1))
    for _ in range(40):
        off = [choose.uniform(0, 360), choose.uniform(0, 360)]
        true_a, true_b = (
            Plan(fixes=tuple(
                replace_time(moved(fix.latitude_deg, fix.longitude_deg, by_deg, 150.0), fix.time_us)
                for fix in plan.fixes
            ))
            for plan, by_deg in zip(HEAD_ON, off, strict=True)
        )  # fmt: skip

        for inside in lost(rows_of(true_a, true_b, PHASE_1)):
            assert span.start_s - 1e-3 <= inside.start_s
            assert inside.end_s <= span.end_s + 1e-3


def test_a_pass_exactly_at_dthr_is_in_the_guard_band() -> None:
    one = straight((0.0, 0.0), 90.0, 0.0, LEVEL)
    other = straight((0.0, math.degrees(DTHR_M / 6_378_137.0)), 90.0, 0.0, LEVEL)

    assert verdict(rows_of(one, other, PHASE_1)) in {BOUNDARY, CONFLICT}


def test_a_smaller_dthr_is_lost_for_less_time() -> None:
    [wide] = lost(rows_of(*HEAD_ON, PHASE_1))
    [narrow] = lost(rows_of(*HEAD_ON, replace(PHASE_1, tthr_s=0.0)))

    assert wide.start_s < narrow.start_s
    assert wide.end_s == narrow.end_s
