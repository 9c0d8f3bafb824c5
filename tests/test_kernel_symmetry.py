# SPDX-License-Identifier: Apache-2.0
"""What must not matter does not: order, longitude, hour, hemisphere, compiled or not."""

import random
from collections.abc import Sequence
from dataclasses import replace
from types import SimpleNamespace
from typing import Final

import numpy as np
import pytest

from keepclear.detect import sweep as column
from keepclear.detect.compiled import compiled, plain
from keepclear.detect.cylinders import Cylinder
from keepclear.detect.kernel import limits_of, sweep_pair
from keepclear.detect.lateral import guard_m
from keepclear.detect.sweep import BOUNDARY, CONFLICT, UNDETERMINED
from tests.kernel_pairs import EN_ROUTE, FOOT_TMM, US, Rows, crossing, fragments_of, rows_of
from tests.motion import Fix, Plan, turn_deg

a_microsecond: Final = 1.0
a_micrometre: Final = 1e-6
TIMES: Final = (
    column.START, column.END, column.START_A, column.END_A, column.START_B, column.END_B,
    column.CPA, column.CPA_A, column.CPA_B,
)  # fmt: skip
LEVELS: Final = Cylinder(
    lateral_tmm=EN_ROUTE.lateral_tmm, vertical_tmm=2000 * FOOT_TMM,
    both_from_tmm=29_000 * FOOT_TMM, one_above_tmm=30_500 * FOOT_TMM,
)  # fmt: skip
CYLINDERS: Final = (EN_ROUTE, LEVELS)
tolerances = pytest.mark.parametrize("tolerance_us", [0, 30 * US])


def pairs(count: int, tolerance_us: int = 0, seed: int = 0) -> list[tuple[Plan, Plan]]:
    """Return random pairs, one of each with a tolerance and some with unknown heights."""
    out = []
    for k in range(count):
        choose = random.Random(1000 * seed + k)
        a, b = crossing(choose, 9260.0)
        early_us = choose.randrange(tolerance_us + 1)
        a = replace(
            a, early_us=early_us, late_us=tolerance_us, lateral_m=choose.choice([0.0, 99.0])
        )
        if choose.random() < 0.1:
            b = replace(b, fixes=tuple(replace(fix, height_tmm=None) for fix in b.fixes))
        out.append((a, b))
    return out


def swapped(rows: Rows) -> Rows:
    """Return rows as they must be with a and b the other way round."""
    out = rows.copy()
    for mine, others in (
        (column.START_A, column.START_B), (column.END_A, column.END_B),
        (column.CPA_A, column.CPA_B),
    ):  # fmt: skip
        out[:, [mine, others]] = rows[:, [others, mine]]
    return out


def in_order(rows: Rows) -> Rows:
    """Return rows by cylinder, start on both clocks, then end."""
    keys = (column.END_B, column.END_A, column.START_B, column.START_A, column.CYLINDER)
    return rows[np.lexsort([rows[:, key] for key in keys])]


def assert_same(rows: Rows, others: Rows, by_us: float = a_microsecond) -> None:
    """Assert that rows are the same to a microsecond and a micrometre, verdicts exactly."""
    assert len(rows) == len(others)
    assert np.array_equal(rows[:, column.VERDICT], others[:, column.VERDICT])
    for time in TIMES:
        assert np.abs(rows[:, time] - others[:, time]).max(initial=0) <= by_us
    for distance in (column.LATERAL_M, column.MARGIN_M):
        assert np.allclose(
            rows[:, distance], others[:, distance], rtol=0, atol=5e-6, equal_nan=True
        )


def test_both_orders_of_a_pair_give_the_same_bits() -> None:
    for a, b in pairs(150):
        one, other = rows_of((a, b), *CYLINDERS), rows_of((b, a), *CYLINDERS)

        assert np.array_equal(in_order(one), in_order(swapped(other)), equal_nan=True)


def test_both_orders_of_a_pair_with_tolerance_give_the_same_verdict_and_extent() -> None:
    for a, b in pairs(60, 30 * US):
        one, other = rows_of((a, b), *CYLINDERS), swapped(rows_of((b, a), *CYLINDERS))

        assert sorted(one[:, column.VERDICT]) == sorted(other[:, column.VERDICT])
        for verdict in (CONFLICT, BOUNDARY, UNDETERMINED):
            mine = one[one[:, column.VERDICT] == verdict]
            its = other[other[:, column.VERDICT] == verdict]
            for start in (column.START, column.START_A, column.START_B):
                assert abs(mine[:, start].min(initial=0) - its[:, start].min(initial=0)) <= 2
                assert (
                    abs(mine[:, start + 1].max(initial=0) - its[:, start + 1].max(initial=0)) <= 2
                )


def turned(plan: Plan, by_deg: float, sign: int = 1) -> Plan:
    """Return a plan moved east, or mirrored at the prime meridian."""
    fixes = tuple(
        replace(fix, longitude_deg=turn_deg(sign * fix.longitude_deg + by_deg))
        for fix in plan.fixes
    )
    return replace(plan, fixes=fixes)


def well_off_edges(rows: Rows) -> bool:
    """Tell whether rounding cannot change a verdict or tear a short span."""
    spans_us = rows[:, column.END] - rows[:, column.START]
    is_short = len(rows) > 0 and spans_us.min() < 1000.0
    return bool(not is_short and not (rows[:, column.VERDICT] == BOUNDARY).any())


@tolerances
@pytest.mark.parametrize(("by_deg", "sign"), [(17.3, 1), (180.0, 1), (-90.0, 1), (0.0, -1)])
def test_a_turn_about_the_axis_of_the_earth_changes_nothing(
    by_deg: float, sign: int, tolerance_us: int
) -> None:
    tried = 0
    for a, b in pairs(40, tolerance_us):
        rows = rows_of((a, b), *CYLINDERS)
        if well_off_edges(rows):
            tried += len(rows)
            moved = rows_of((turned(a, by_deg, sign), turned(b, by_deg, sign)), *CYLINDERS)
            # slow craft turn a rounding of a nanometre into microseconds
            assert_same(rows, moved, by_us=100 * a_microsecond)
    assert tried > 20


def mirrored(plan: Plan) -> Plan:
    """Return a plan on the other hemisphere."""
    return replace(plan, fixes=tuple(replace(f, latitude_deg=-f.latitude_deg) for f in plan.fixes))


@tolerances
def test_the_other_hemisphere_is_the_same(tolerance_us: int) -> None:
    for a, b in pairs(40, tolerance_us):
        rows = rows_of((a, b), *CYLINDERS)
        if well_off_edges(rows):
            moved = rows_of((mirrored(a), mirrored(b)), *CYLINDERS)
            assert_same(rows, moved, by_us=100 * a_microsecond)


def later(plan: Plan, by_us: int) -> Plan:
    """Return a plan at another hour."""
    return replace(plan, fixes=tuple(replace(f, time_us=f.time_us + by_us) for f in plan.fixes))


@tolerances
@pytest.mark.parametrize("by_us", [86_400 * US, 1_533_081_600 * US, -86_400 * US])
def test_the_hour_and_the_year_change_nothing(by_us: int, tolerance_us: int) -> None:
    # 1 533 081 600 s is 2018-08-01; a float64 holds today's microseconds to a quarter
    for a, b in pairs(40, tolerance_us):
        rows = rows_of((a, b), *CYLINDERS)
        moved = rows_of((later(a, by_us), later(b, by_us)), *CYLINDERS)
        moved[:, TIMES] -= by_us

        assert_same(rows, moved)


@tolerances
def test_a_shift_within_the_tolerance_is_the_tolerance_asked_for_that_lag(
    tolerance_us: int,
) -> None:
    # one lag alone is what two plans without tolerance are, one of them later
    tried = 0
    for k, (a, b) in enumerate(pairs(60, max(tolerance_us, 20 * US), seed=5)):
        lag_us = random.Random(k).randrange(-a.late_us, a.early_us + 1)
        shifted = later(replace(a, early_us=0, late_us=0), -lag_us)
        alone = rows_of((shifted, b), EN_ROUTE)
        f = fragments_of((a, b))
        rows = sweep_pair(plain(), f, 0, 1, limits_of([EN_ROUTE]), lags=(lag_us, lag_us))
        if not well_off_edges(alone):
            continue
        tried += len(alone) > 0

        assert len(rows) == len(alone)
        assert np.abs(rows[:, column.START_B] - alone[:, column.START]).max(initial=0) < 50
        assert np.abs(rows[:, column.END_B] - alone[:, column.END]).max(initial=0) < 50
    assert tried > 5


@pytest.fixture(scope="session")
def fast() -> SimpleNamespace:
    """The compiled kernel; compiling takes a minute where `make` has not done it."""
    return compiled()


def assert_same_bits(
    kernel: SimpleNamespace,
    plans: Sequence[Plan],
    *cylinders: Cylinder,
    uncertainty: bool = True,
) -> int:
    """Assert that compiled and plain rows are the same to the last bit; how many."""
    slow = rows_of(plans, *cylinders, uncertainty=uncertainty)
    fast = rows_of(plans, *cylinders, functions=kernel, uncertainty=uncertainty)

    assert np.array_equal(slow, fast, equal_nan=True)
    return len(slow)


@pytest.mark.slow
@tolerances
def test_compiled_and_plain_give_the_same_bits(tolerance_us: int, fast: SimpleNamespace) -> None:
    wide = Cylinder(lateral_tmm=1_900_000_000, vertical_tmm=3000 * FOOT_TMM)
    timed = Cylinder(lateral_tmm=18_520_000, vertical_tmm=1000 * FOOT_TMM, time_us=60 * US)
    flat = Cylinder(lateral_tmm=27_780_000)
    found = 0
    for plans in pairs(60, tolerance_us, seed=9):
        found += assert_same_bits(fast, plans, EN_ROUTE, LEVELS, flat)
        found += assert_same_bits(fast, plans, wide, uncertainty=False)
        found += assert_same_bits(fast, plans, timed)
    assert found > 300


@pytest.mark.slow
def test_compiled_and_plain_give_the_same_guard_band(fast: SimpleNamespace) -> None:
    # x ** 3 is pow() in Python and two products where compiled: not the same bits
    choose = random.Random(3)
    for _ in range(5_000):
        given = [choose.uniform(1, 2e5), *(choose.uniform(0, 12_000) for _ in range(3)), 0.01]

        assert guard_m(*given) == fast.guard_m(*given)


@pytest.mark.slow
def test_compiled_and_plain_compare_heights_alike_to_the_end_of_their_range(
    fast: SimpleNamespace,
) -> None:
    choose = random.Random(4)
    for _ in range(2_000):
        given: list[int] = []
        times = []
        for _ in range(2):
            start_us = choose.randrange(10**15, 2 * 10**15)
            lasts_us = choose.randrange(1, 14_000 * US)
            from_tmm = choose.randrange(-(10**7), 3 * 10**8)
            to_tmm = choose.choice([from_tmm, choose.randrange(-(10**7), 3 * 10**8)])
            given += [start_us, start_us + lasts_us, from_tmm, to_tmm]
            times.append(start_us + choose.randrange(lasts_us + 1))
        offset_tmm = choose.choice([3_048_000, given[2] - given[6]])

        both = (*given, *times, offset_tmm)
        assert plain().compare_heights_at(*both) == fast.compare_heights_at(*both)


def test_the_direction_of_time_does_not_matter_to_who_comes_near() -> None:
    # flown backwards, a pair is inside at the same times before the end instead of after the start
    for a, b in pairs(40, seed=2):
        backwards = [
            replace(plan, fixes=tuple(
                replace(fix, time_us=-fix.time_us) for fix in reversed(plan.fixes)
            ))
            for plan in (a, b)
        ]  # fmt: skip
        rows = rows_of((a, b), EN_ROUTE)
        again = rows_of(backwards, EN_ROUTE)
        if well_off_edges(rows):
            ends = -np.sort(-again[:, column.END])
            assert np.allclose(np.sort(rows[:, column.START]), -ends, rtol=0, atol=100)
            assert np.allclose(
                np.sort(rows[:, column.LATERAL_M]), np.sort(again[:, column.LATERAL_M]), atol=1e-5
            )


def test_a_point_moved_by_a_full_turn_is_the_same_point() -> None:
    a, b = pairs(1)[0]
    east = [
        Plan(fixes=tuple(
            Fix(time_us=f.time_us, latitude_deg=f.latitude_deg, longitude_deg=lon,
                height_tmm=f.height_tmm) for f, lon in zip(plan.fixes, lons, strict=True)
        ))
        for plan, lons in (
            (a, [turn_deg(f.longitude_deg + 360) for f in a.fixes]),
            (b, [f.longitude_deg for f in b.fixes]),
        )
    ]  # fmt: skip

    assert_same(rows_of((a, b), EN_ROUTE), rows_of(east, EN_ROUTE), by_us=100)
