# SPDX-License-Identifier: Apache-2.0
"""The index finds all that brute force finds, row for row."""

import random
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Final

import numpy as np
import pytest
from pyarrow import parquet

from keepclear.detect.compiled import compiled, plain
from keepclear.detect.cylinders import Cylinder
from keepclear.detect.fragments import Fragments, clip_fragments, compile_points
from keepclear.detect.index import Detected, build, detect, enter, every_pair
from keepclear.detect.kernel import limits_of
from keepclear.detect.points import Points
from keepclear.detect.sweep import COLUMNS
from tests.kernel_pairs import EN_ROUTE, FOOT_TMM, US, fragments_of, moved, passing
from tests.motion import Fix, Plan

CENTRES: Final = ((47.0, 8.0), (90.0, 0.0), (-89.7, 100.0), (0.0, 180.0), (60.0, -179.9))
CYLINDERS: Final = {
    "en route": [EN_ROUTE],
    "two": [
        EN_ROUTE,
        Cylinder(
            lateral_tmm=300_000_000, vertical_tmm=300 * FOOT_TMM, both_from_tmm=29_000 * FOOT_TMM
        ),
    ],
    "timed": [
        Cylinder(lateral_tmm=37_040_000, vertical_tmm=1000 * FOOT_TMM, time_us=180 * US),
        Cylinder(lateral_tmm=9_000_000, vertical_tmm=3000 * FOOT_TMM),
    ],
    "drones": [Cylinder(lateral_tmm=500_000, vertical_tmm=100 * FOOT_TMM)],
    "no vertical": [EN_ROUTE, Cylinder(lateral_tmm=20_000_000)],
    "no lateral": [Cylinder(vertical_tmm=10 * FOOT_TMM)],
    "200 km": [Cylinder(lateral_tmm=2_000_000_000, vertical_tmm=300 * FOOT_TMM)],
}


def flying(choose: random.Random, centre: tuple[float, float]) -> Plan:
    """Return a plan of some kind, within 150 km of a centre and an hour."""
    at = moved(*centre, choose.uniform(-180, 180), choose.uniform(0, 150_000))
    over = replace(at, time_us=choose.randrange(3600 * US))
    kind = choose.randrange(8)
    level_tmm = choose.randrange(280, 320) * 100 * FOOT_TMM
    if kind == 0:  # one point
        return Plan(fixes=(replace(over, height_tmm=level_tmm),))
    if kind == 1:  # hovers for hours
        lasts_us = choose.randrange(1, 4 * 3600 * US)
        return Plan(fixes=(
            replace(over, height_tmm=level_tmm),
            replace(over, time_us=over.time_us + lasts_us, height_tmm=level_tmm),
        ))  # fmt: skip
    speed_mps = {2: 2_500.0, 3: 3.0}.get(kind, choose.uniform(50, 300))
    count = choose.randrange(2, 8)
    lasts_us = choose.randrange(10 * count, 1500) * US
    times = sorted({over.time_us + choose.randrange(-lasts_us, lasts_us) for _ in range(count)})
    heights = [level_tmm + choose.choice([0, 0, 1000, -500]) * FOOT_TMM for _ in times]
    plan = Plan(fixes=passing(over, choose.uniform(-180, 180), speed_mps, times, heights))
    gaps = frozenset(k for k in range(1, len(times)) if choose.random() < 0.15)
    return replace(plan, gaps=gaps)


def some_world(seed: int, plans: int) -> list[Plan]:
    """Return plans of all kinds that are often near each other."""
    choose = random.Random(seed)
    centre = choose.choice(CENTRES)
    tolerant, unsure = choose.random() < 0.5, choose.random() < 0.5
    world = []
    for _ in range(plans):
        plan = flying(choose, centre)
        if tolerant and choose.random() < 0.5:
            plan = replace(
                plan, early_us=choose.randrange(300 * US), late_us=choose.randrange(900 * US)
            )
        if unsure and choose.random() < 0.5:
            plan = replace(plan, lateral_m=choose.uniform(0, 5_000), vertical_tmm=FOOT_TMM * 400)
        if choose.random() < 0.1:
            plan = replace(plan, datum=choose.choice([-1, 2]))
        if choose.random() < 0.1:
            plan = replace(plan, fixes=tuple(replace(f, height_tmm=None) for f in plan.fixes))
        world.append(plan)
    return world


def flat(found: Detected) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    """Return rows with their pair in front."""
    pairs = [found.a[found.row_pair], found.b[found.row_pair]]
    return np.column_stack([*pairs, found.rows])


@pytest.fixture(scope="session")
def fast() -> SimpleNamespace:
    """The compiled kernel; compiling takes a minute where `make` has not done it."""
    return compiled()


def assert_index_finds_all(
    kernel: SimpleNamespace, f: Fragments, name: str, groups: Sequence[int], *, within: bool
) -> int:
    """Assert that both ways give the same rows; how many."""
    limits = limits_of(CYLINDERS[name])
    of = np.array(groups, dtype=np.int64)
    fast = flat(detect(kernel, f, of, within, limits))
    slow = flat(every_pair(kernel, f, of, within, limits))

    assert fast.shape[1] == COLUMNS + 2
    assert np.array_equal(fast, slow, equal_nan=True)
    return len(slow)


@pytest.mark.slow
@pytest.mark.parametrize("name", CYLINDERS)
def test_the_index_finds_all_that_brute_force_finds(name: str, fast: SimpleNamespace) -> None:
    found = 0
    farthest_m = max((c.lateral_tmm or 0) / 10_000 for c in CYLINDERS[name])
    for seed in range(15):
        world = some_world(seed, 40)
        f = fragments_of(world, farthest_m)
        groups = [seed % 3 * k % 5 for k in range(len(world))]
        found += assert_index_finds_all(fast, f, name, groups, within=seed % 3 == 0)
    assert found > 10


@pytest.mark.slow
@pytest.mark.parametrize("name", ["en route", "timed", "two"])
def test_the_index_finds_all_where_nothing_is_compiled(name: str) -> None:
    found = 0
    for seed in range(50, 54):
        world = some_world(seed, 16)
        f = fragments_of(world)
        found += assert_index_finds_all(plain(), f, name, range(len(world)), within=True)
    assert found > 0


def scattered(seed: int, unsure_m: float, unsure_ft: int) -> list[Plan]:
    """Return plans of a minute, in every direction about a centre, with cells of 10 to 20 km."""
    choose = random.Random(seed)
    centre = CENTRES[seed % len(CENTRES)]
    world = []
    for _ in range(70):
        at = moved(*centre, choose.uniform(-180, 180), choose.uniform(0, 60_000))
        height_tmm = choose.randrange(290, 330) * 100 * FOOT_TMM
        fixes = tuple(
            replace(at, time_us=time_us, height_tmm=height_tmm) for time_us in (0, 60 * US)
        )
        plan = Plan(fixes=fixes)
        if choose.random() < 0.3:
            plan = replace(plan, lateral_m=unsure_m, vertical_tmm=unsure_ft * FOOT_TMM)
        world.append(plan)
    return world


@pytest.mark.slow
@pytest.mark.parametrize(("unsure_m", "unsure_ft"), [(0.0, 0), (2_000.0, 0), (0.0, 700)])
def test_those_in_neighbouring_cells_are_found_in_every_direction(
    unsure_m: float, unsure_ft: int
) -> None:
    for seed in range(3):
        world = scattered(seed, unsure_m, unsure_ft)
        f = fragments_of(world)
        groups = range(len(world))

        assert assert_index_finds_all(plain(), f, "en route", groups, within=True) > 10


@pytest.mark.long
@pytest.mark.parametrize("name", CYLINDERS)
def test_the_index_finds_all_in_large_worlds(name: str, fast: SimpleNamespace) -> None:
    farthest_m = max((c.lateral_tmm or 0) / 10_000 for c in CYLINDERS[name])
    for seed in range(1_000, 1_040):
        world = some_world(seed, 250)
        f = fragments_of(world, farthest_m)
        assert_index_finds_all(fast, f, name, range(len(world)), within=True)


@pytest.mark.slow
def test_a_world_of_no_plans_and_one_of_one_have_no_pairs(fast: SimpleNamespace) -> None:
    for world in ([], [Plan(fixes=(Fix(time_us=0, latitude_deg=0, longitude_deg=0),))]):
        f = fragments_of(world)

        assert assert_index_finds_all(fast, f, "en route", [0] * len(world), within=True) == 0


def test_plans_that_a_window_emptied_do_not_stretch_the_index(fast: SimpleNamespace) -> None:
    f = clip_fragments(fragments_of(some_world(7, 30)), 0, 600 * US)
    shifted = f._replace(
        start_us=f.start_us + AUGUST_FIRST_US, end_us=f.end_us + AUGUST_FIRST_US,
        leg_start_us=f.leg_start_us + AUGUST_FIRST_US, leg_end_us=f.leg_end_us + AUGUST_FIRST_US,
    )  # fmt: skip
    limits = limits_of([EN_ROUTE])
    assert (np.diff(f.offsets) == 0).any()

    index = build(fast, enter(fast, shifted, limits), limits)

    assert len(index.cells.starts) < 100


def swiss_day(shared_data: Path, from_us: int, to_us: int) -> Points:
    """Return the flights of a day over Switzerland, in order of address and call sign.

    OpenSky's, sampled by `traffic` 2.13; altitude is pressure altitude in feet, every 10 s.
    """
    table = parquet.read_table(shared_data / "air" / "switzerland_2018-08-01.parquet")
    time_us = table["timestamp"].to_numpy().astype("datetime64[us]").astype(np.int64)
    chosen = (time_us >= from_us) & (time_us < to_us)
    columns = {name: table[name].to_numpy(zero_copy_only=False)[chosen] for name in (
        "icao24", "callsign", "latitude", "longitude", "altitude")}  # fmt: skip
    names = np.char.add(columns["icao24"].astype(str), columns["callsign"].astype(str))
    _, plan = np.unique(names, return_inverse=True)
    order = np.lexsort((time_us[chosen], plan))
    plan, times = plan[order], time_us[chosen][order]
    starts = np.append(False, (np.diff(times) > 300 * US) & (np.diff(plan) == 0))
    count, plans = len(plan), int(plan.max()) + 1
    return Points(
        offsets=np.searchsorted(plan, np.arange(plans + 1)),
        time_us=times,
        latitude_deg=columns["latitude"][order].astype(float),
        longitude_deg=columns["longitude"][order].astype(float),
        height_tmm=np.round(columns["altitude"][order].astype(float) * FOOT_TMM).astype(np.int64),
        datum=np.zeros(count, dtype=np.int64),
        lateral_m=np.zeros(count),
        vertical_tmm=np.zeros(count, dtype=np.int64),
        starts_stretch=starts,
        edge=np.zeros(plans, dtype=np.int64),
        early_us=np.zeros(plans, dtype=np.int64),
        late_us=np.zeros(plans, dtype=np.int64),
        clock_us=np.zeros(plans, dtype=np.int64),
    )


AUGUST_FIRST_US: Final = 1_533_081_600 * US  # 2018-08-01T00:00Z
HOUR_US: Final = 3600 * US


@pytest.mark.slow
def test_an_hour_of_real_flights_has_the_same_findings_by_brute_force(
    shared_data: Path, fast: SimpleNamespace
) -> None:
    nine = AUGUST_FIRST_US + 9 * HOUR_US
    f = compile_points(swiss_day(shared_data, nine, nine + HOUR_US))

    assert assert_index_finds_all(fast, f, "en route", range(f.plans), within=True) > 10


@pytest.mark.slow
def test_ten_minutes_of_real_flights_with_tolerance_have_the_same_findings_by_brute_force(
    shared_data: Path, fast: SimpleNamespace
) -> None:
    nine = AUGUST_FIRST_US + 9 * HOUR_US
    points = swiss_day(shared_data, nine, nine + HOUR_US // 6)
    points.early_us[:] = 60 * US
    points.late_us[::2] = 120 * US
    f = compile_points(points)

    assert assert_index_finds_all(fast, f, "en route", range(f.plans), within=True) > 10


@pytest.mark.long
def test_a_day_of_real_flights_has_the_same_findings_by_brute_force(
    shared_data: Path, fast: SimpleNamespace
) -> None:
    f = compile_points(swiss_day(shared_data, AUGUST_FIRST_US, AUGUST_FIRST_US + 24 * HOUR_US))

    assert assert_index_finds_all(fast, f, "en route", range(f.plans), within=True) > 100
    assert f.plans > 1_000
