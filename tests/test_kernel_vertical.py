# SPDX-License-Identifier: Apache-2.0
"""Heights: exactly at the minimum is separated, and rounding never decides."""

import random
from dataclasses import replace
from fractions import Fraction
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keepclear.detect import sweep as column
from keepclear.detect.cylinders import Cylinder
from keepclear.detect.sweep import BOUNDARY, CLEAR, CONFLICT, UNDETERMINED
from keepclear.detect.vertical import compare_fractions, compare_heights, compare_heights_at
from tests.kernel_pairs import EN_ROUTE, FOOT_TMM, US, rows_of, spans_of, verdict_of
from tests.motion import Fix, Plan
from tests.oracle import violations

MOST_WHOLE: Final = 2**31
a_millisecond: Final = 1e-3


def fix(
    time_s: float, longitude_deg: float, height_ft: float | None, latitude_deg: float = 34
) -> Fix:
    """Return a fix at a height in feet."""
    return Fix(
        time_us=round(time_s * US), latitude_deg=latitude_deg, longitude_deg=longitude_deg,
        height_tmm=None if height_ft is None else round(height_ft * FOOT_TMM),
    )  # fmt: skip


def flight(*heights_ft: float | None, lasts_s: float = 600) -> Plan:
    """Return a plan eastwards along 34N with fixes at equal steps of time."""
    step_s = lasts_s / (len(heights_ft) - 1)
    return Plan(
        fixes=tuple(
            fix(k * step_s, 35 + k * step_s / lasts_s, ft) for k, ft in enumerate(heights_ft)
        )
    )


def sign(value: Fraction) -> int:
    """Return -1, 0 or 1."""
    return (value > 0) - (value < 0)


shares = st.integers(1, MOST_WHOLE).flatmap(
    lambda whole: st.tuples(st.integers(0, whole - 1), st.just(whole))
)


@given(shares, shares)
def test_fractions_are_compared_without_rounding(a: tuple[int, int], b: tuple[int, int]) -> None:
    assert compare_fractions(*a, *b) == sign(Fraction(*a) - Fraction(*b))


@given(shares, st.integers(1, 5))
def test_equal_fractions_in_other_words_are_equal(a: tuple[int, int], times: int) -> None:
    assert compare_fractions(*a, a[0] * times, a[1] * times) == 0


legs = st.tuples(
    st.integers(-(10**10), 10**10), st.integers(1, 4 * 3600 * US),
    st.integers(-3000_0000, 30_000_0000), st.integers(-3000_0000, 30_000_0000),
)  # fmt: skip


@given(legs, legs, st.integers(0, 10**6), st.integers(0, 10**6), st.integers(-3, 3))
def test_heights_are_compared_as_fractions_compare_them(
    a: tuple[int, int, int, int], b: tuple[int, int, int, int], a_share: int, b_share: int, by: int
) -> None:
    def ends(leg: tuple[int, int, int, int]) -> tuple[int, int, int, int]:
        return leg[0], leg[0] + leg[1], leg[2], leg[3]

    def height(leg: tuple[int, int, int, int], after_us: int) -> Fraction:
        return leg[2] + Fraction((leg[3] - leg[2]) * after_us, leg[1])

    a_after_us, b_after_us = a[1] * a_share // 10**6, b[1] * b_share // 10**6
    difference = height(a, a_after_us) - height(b, b_after_us)
    offset = int(difference) + by

    said = compare_heights_at(*ends(a), *ends(b), a[0] + a_after_us, b[0] + b_after_us, offset)

    assert said == sign(difference - offset)


def test_heights_at_one_time_are_the_same_comparison() -> None:
    a, b = (0, 3 * US, 0, 1), (0, 7 * US, 1, 0)

    assert compare_heights(*a, *b, 3 * US, 0) == compare_heights_at(*a, *b, 3 * US, 3 * US, 0)


@pytest.mark.parametrize("below", range(1, 5))
@pytest.mark.parametrize("level_ft", range(1000, 60_000, 7000))
def test_levels_a_thousand_feet_apart_or_more_are_separated(level_ft: int, below: int) -> None:
    # the lattice of kernel.md trap 1: feet are whole tenths of a millimetre, so nothing rounds
    high = flight(level_ft, level_ft)
    low = flight(level_ft - 1000 * below, level_ft - 1000 * below)

    assert verdict_of(rows_of((high, low), EN_ROUTE)) == CLEAR
    assert verdict_of(rows_of((low, high), EN_ROUTE)) == CLEAR


def test_a_tenth_of_a_millimetre_less_than_the_minimum_is_a_conflict() -> None:
    high, low = flight(31_000, 31_000), flight(30_000, 30_000)
    near = Plan(fixes=tuple(replace(f, height_tmm=(f.height_tmm or 0) + 1) for f in low.fixes))

    assert verdict_of(rows_of((high, near), EN_ROUTE)) == CONFLICT


def test_exactly_at_a_closed_minimum_is_a_conflict() -> None:
    closed = Cylinder(
        lateral_tmm=EN_ROUTE.lateral_tmm, vertical_tmm=1000 * FOOT_TMM, vertical_is_closed=True
    )
    pair = flight(31_000, 31_000), flight(30_000, 30_000)

    assert verdict_of(rows_of(pair, closed)) == CONFLICT


@pytest.mark.parametrize("tolerance_ft", [0, 25])
def test_975_feet_is_less_than_1000_unless_25_are_taken_off(tolerance_ft: int) -> None:
    # Mode S and ADS-B report in steps of 25 ft (kernel.md trap 13)
    rule = Cylinder(lateral_tmm=EN_ROUTE.lateral_tmm, vertical_tmm=(1000 - tolerance_ft) * FOOT_TMM)
    pair = flight(30_000, 30_000), flight(30_975, 30_975)

    assert verdict_of(rows_of(pair, rule)) == (CLEAR if tolerance_ft else CONFLICT)


@pytest.mark.parametrize("tolerance_us", [0, 10 * US])
def test_a_climb_that_ends_exactly_at_the_minimum_is_separated(tolerance_us: int) -> None:
    # the commonest of all meetings at a minimum: up to FL300, level, under one at FL310
    climbing = replace(flight(20_000, 30_000, 30_000), early_us=tolerance_us, late_us=tolerance_us)
    level = Plan(fixes=(fix(0, 36, 31_000), fix(600, 35, 31_000)))

    assert verdict_of(rows_of((climbing, level), EN_ROUTE)) == CLEAR
    assert verdict_of(rows_of((level, climbing), EN_ROUTE)) == CLEAR


def test_parallel_climbs_exactly_at_the_minimum_are_separated_however_they_are_cut() -> None:
    choose = random.Random(1)
    for _ in range(200):
        rate_tmm = choose.choice([1, 7, 333, 30_480])  # in a second, whole
        start_tmm = choose.randrange(0, 10**8)

        def climb(over_tmm: int, rate: int = rate_tmm, base: int = start_tmm) -> Plan:
            times = sorted(choose.sample(range(601), choose.randrange(2, 6)))
            return Plan(fixes=tuple(
                Fix(time_us=t * US, latitude_deg=34, longitude_deg=35 + t / 600,
                    height_tmm=base + over_tmm + rate * t) for t in times
            ))  # fmt: skip

        at_minimum = climb(0), climb(1000 * FOOT_TMM)
        below_it = climb(0), climb(1000 * FOOT_TMM - 1)

        assert verdict_of(rows_of(at_minimum, EN_ROUTE)) == CLEAR
        if violations(*below_it, EN_ROUTE):
            assert verdict_of(rows_of(below_it, EN_ROUTE)) == CONFLICT


def test_a_height_that_passes_the_minimum_a_moment_before_they_part_is_not_clear() -> None:
    # climbs of a tenth of a millimetre an hour: the crossing is off by more than the violation
    choose = random.Random(2)
    for _ in range(300):
        lasts_us = choose.randrange(9000 * US, 14_000 * US)
        down = choose.randrange(2, 8)
        up = choose.randrange(1, down)
        sinking = Plan(fixes=tuple(
            Fix(time_us=t, latitude_deg=0, longitude_deg=0, height_tmm=31_000 * FOOT_TMM + h)
            for t, h in ((0, up), (lasts_us, up - down))
        ))  # fmt: skip
        crossed = Fraction(lasts_us * up, down)
        first_us = int(crossed) - choose.randrange(1, 30 * US)
        last_us = int(crossed) + choose.randrange(1, 30 * US)
        passer = Plan(fixes=tuple(
            Fix(time_us=t, latitude_deg=0, longitude_deg=lon, height_tmm=30_000 * FOOT_TMM)
            for t, lon in ((first_us, 0.0001), (last_us, 0.0055))
        ))  # fmt: skip
        # WGS 84: along the equator a degree is a * pi / 180 = 111 319.49 m
        share = (float(crossed) + choose.uniform(1, 50) - first_us) / (last_us - first_us)
        distance_m = 111_319.4908 * (0.0001 + 0.0054 * share)
        rule = Cylinder(lateral_tmm=int(distance_m * 10_000) + 1, vertical_tmm=1000 * FOOT_TMM)

        assert verdict_of(rows_of((sinking, passer), rule)) <= BOUNDARY


def test_unknown_heights_are_undetermined_only_where_they_are_near() -> None:
    known, unknown = flight(30_000, 30_000), flight(None, None)
    elsewhere = Plan(fixes=(fix(0, 35, None, 40), fix(600, 36, None, 40)))

    assert verdict_of(rows_of((known, unknown), EN_ROUTE)) == UNDETERMINED
    assert verdict_of(rows_of((known, elsewhere), EN_ROUTE)) == CLEAR


def test_heights_from_different_references_are_undetermined() -> None:
    pair = flight(30_000, 30_000), replace(flight(10_000, 10_000), datum=3)

    assert verdict_of(rows_of(pair, EN_ROUTE)) == UNDETERMINED


def test_two_heights_of_one_other_reference_are_compared() -> None:
    low, high = flight(10_000, 10_000), flight(11_000, 11_000)
    pair = replace(low, datum=3), replace(high, datum=3)

    assert verdict_of(rows_of(pair, EN_ROUTE)) == CLEAR


def test_an_instant_at_the_edge_with_unknown_height_stands_at_its_time() -> None:
    # along the equator the distance is exactly a * difference in longitude (radians)
    for step in range(60):
        here = Plan(fixes=(Fix(time_us=5 * US, latitude_deg=0, longitude_deg=0, height_tmm=None),))
        there = Plan(fixes=(
            Fix(time_us=5 * US, latitude_deg=0, longitude_deg=0.1 + step * 3e-12, height_tmm=0),
        ))  # fmt: skip
        rows = rows_of((here, there), Cylinder(lateral_tmm=111_319_491, vertical_tmm=FOOT_TMM))

        assert all(row[column.START] == row[column.END] == 5 * US for row in rows)


FROM_FL290: Final = Cylinder(
    lateral_tmm=EN_ROUTE.lateral_tmm, vertical_tmm=2000 * FOOT_TMM, both_from_tmm=29_000 * FOOT_TMM
)
ABOVE_FL410: Final = Cylinder(
    lateral_tmm=EN_ROUTE.lateral_tmm, vertical_tmm=2000 * FOOT_TMM, one_above_tmm=41_000 * FOOT_TMM
)


@pytest.mark.parametrize(
    ("low_ft", "verdict"),
    [(28_000, CLEAR), (28_999, CLEAR), (29_000, CONFLICT), (30_000, CONFLICT)],
)
def test_from_a_level_on_holds_when_both_are_at_or_above_it(low_ft: int, verdict: int) -> None:
    pair = flight(low_ft, low_ft), flight(30_500, 30_500)

    assert verdict_of(rows_of(pair, FROM_FL290)) == verdict
    assert verdict_of(rows_of(pair[::-1], FROM_FL290)) == verdict


@pytest.mark.parametrize(("high_ft", "verdict"), [(41_000, CLEAR), (41_001, CONFLICT)])
@pytest.mark.parametrize("tolerance_us", [0, 10 * US])
def test_above_a_level_holds_when_one_is_above_and_not_at_it(
    high_ft: int, verdict: int, tolerance_us: int
) -> None:
    pair = flight(40_000, 40_000), replace(flight(high_ft, high_ft), late_us=tolerance_us)

    assert verdict_of(rows_of(pair, ABOVE_FL410)) == verdict
    assert verdict_of(rows_of(pair[::-1], ABOVE_FL410)) == verdict


@pytest.mark.parametrize("tolerance_us", [0, 10 * US])
def test_a_climb_to_exactly_the_level_is_not_above_it(tolerance_us: int) -> None:
    climbing = replace(flight(40_500, 41_000, 41_000), early_us=tolerance_us)
    pair = climbing, flight(40_000, 40_000)

    assert verdict_of(rows_of(pair, ABOVE_FL410)) == CLEAR


@pytest.mark.parametrize("tolerance_us", [0, 10 * US])
def test_less_than_a_tenth_of_a_millimetre_above_a_level_is_above_it(tolerance_us: int) -> None:
    level = Plan(fixes=tuple(
        Fix(time_us=t * US, latitude_deg=34, longitude_deg=35 + t / 3600,
            height_tmm=41_000 * FOOT_TMM + (t > 0)) for t in (0, 3600)
    ), late_us=tolerance_us)  # fmt: skip
    other = replace(flight(40_000, 40_000, lasts_s=3600), late_us=tolerance_us)

    assert verdict_of(rows_of((level, other), ABOVE_FL410)) == CONFLICT


@pytest.mark.parametrize("tolerance_us", [0, 10 * US])
def test_a_plan_that_touches_the_level_for_an_instant_is_not_clear(tolerance_us: int) -> None:
    touching = replace(flight(28_975, 29_000, 28_975), late_us=tolerance_us)

    assert verdict_of(rows_of((touching, flight(30_500, 30_500)), FROM_FL290)) <= BOUNDARY


def test_a_condition_on_levels_begins_when_the_level_is_reached() -> None:
    # 28 000 to 30 000 ft in 300 s: FL290 after 150 s; less than 2000 ft from FL305 all the time
    pair = flight(28_000, 30_000, 30_000), flight(30_500, 30_500)

    (span,) = spans_of(rows_of(pair, FROM_FL290), CONFLICT)

    assert abs(span.start_s - 150) < a_millisecond
    assert abs(span.end_s - 600) < a_millisecond


def test_a_condition_on_levels_of_other_references_is_undetermined() -> None:
    pair = replace(flight(30_000, 30_000), datum=3), replace(flight(31_500, 31_500), datum=3)

    assert verdict_of(rows_of(pair, FROM_FL290)) == UNDETERMINED


def test_uncertain_heights_count_as_the_worst_they_may_be() -> None:
    high, low = flight(31_000, 31_000), flight(30_000, 30_000)
    uncertain = replace(high, vertical_tmm=1)

    assert verdict_of(rows_of((uncertain, low), EN_ROUTE)) == CONFLICT
    assert verdict_of(rows_of((uncertain, low), EN_ROUTE, uncertainty=False)) == CLEAR
