# SPDX-License-Identifier: Apache-2.0
"""Well clear in closed form is what the definition says at every instant."""

from decimal import Decimal, getcontext
from fractions import Fraction

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from keepclear.detect.do365 import (
    ALERT_LEVELS,
    NEAR_MID_AIR_COLLISION,
    PHASE_1,
    STANDARDS,
    Approach,
    Level,
    WellClear,
    alert,
    is_violated,
    violation,
    well_clear,
)
from keepclear.errors import InputError

a_microsecond = 1e-6
LASTS_S = 120.0
WITH_TCOA = well_clear(dthr="0.66 NM", zthr="450 ft", tthr="35 s", tcoa="20 s")
LIMITS = st.sampled_from([*STANDARDS.values(), WITH_TCOA])
RANGES = st.sampled_from([0.0, 1.0, -400.0, 1_222.32]) | st.floats(-12_000, 12_000)
SPEEDS = st.sampled_from([0.0, 100.0, -100.0]) | st.floats(-400, 400)
approaches = st.builds(
    Approach,
    s_m=st.tuples(RANGES, RANGES),
    v_mps=st.tuples(SPEEDS, SPEEDS),
    s_z_m=st.sampled_from([0.0, 137.16, -137.16]) | st.floats(-1_000, 1_000),
    v_z_mps=st.sampled_from([0.0, 5.0, -5.0]) | st.floats(-20, 20),
)


def is_lost_exactly(limits: WellClear, now: Approach, at_s: Fraction) -> bool:
    """The definition in fractions, without a root: squares and products only."""
    v = [Fraction(x) for x in now.v_mps]
    s = [Fraction(x) + w * at_s for x, w in zip(now.s_m, v, strict=True)]
    dthr, tthr = Fraction(limits.dthr_m), Fraction(limits.tthr_s)
    square, closing = s[0] ** 2 + s[1] ** 2, s[0] * v[0] + s[1] * v[1]
    cross, speed_sq = s[0] * v[1] - s[1] * v[0], v[0] ** 2 + v[1] ** 2
    across = square <= dthr**2 or (
        closing < 0
        and cross**2 <= dthr**2 * speed_sq
        and dthr**2 - square >= tthr * closing  # tau_mod <= TTHR times s.v, which is below 0
    )
    v_z = Fraction(now.v_z_mps)
    s_z = Fraction(now.s_z_m) + v_z * at_s
    in_height = abs(s_z) <= Fraction(limits.zthr_m) or (
        s_z * v_z < 0 and abs(s_z) <= Fraction(limits.tcoa_s) * abs(v_z)
    )
    return across and in_height


def tolerance_s(now: Approach) -> float:
    """How far float64 may move an end: 1e-9 of the distances over the speed, and a microsecond.

    Two tracks that just touch the limit move far in time for a small error in distance.
    """
    speeds = [abs(x) for x in (*now.v_mps, now.v_z_mps) if x]
    return a_microsecond + 1e-5 / min(speeds, default=1.0)


@pytest.mark.slow
@given(LIMITS, approaches)
def test_the_interval_is_where_the_definition_in_fractions_holds(
    limits: WellClear, now: Approach
) -> None:
    found = violation(limits, now, LASTS_S)

    slack_s = tolerance_s(now)
    for at_s in (Fraction(k, 2) for k in range(int(LASTS_S) * 2 + 1)):
        if found is None:
            inside, is_near = False, False
        else:
            inside = found.start_s <= at_s <= found.end_s
            is_near = min(abs(at_s - found.start_s), abs(at_s - found.end_s)) < slack_s
        if not is_near and is_lost_exactly(limits, now, at_s) != inside:
            # only where a limit is touched to the last digits
            grown = WellClear(
                dthr_m=limits.dthr_m + (-1e-6 if not inside else 1e-6),
                zthr_m=limits.zthr_m + (-1e-6 if not inside else 1e-6),
                tthr_s=limits.tthr_s, tcoa_s=limits.tcoa_s,
            )  # fmt: skip
            assert is_lost_exactly(grown, now, at_s) == inside, float(at_s)


@pytest.mark.slow
@given(LIMITS, approaches, st.floats(0, LASTS_S))
def test_the_predicate_at_an_instant_agrees_with_the_interval(
    limits: WellClear, now: Approach, at_s: float
) -> None:
    found = violation(limits, now, LASTS_S)
    then = Approach(
        s_m=(now.s_m[0] + now.v_mps[0] * at_s, now.s_m[1] + now.v_mps[1] * at_s),
        v_mps=now.v_mps, s_z_m=now.s_z_m + now.v_z_mps * at_s, v_z_mps=now.v_z_mps,
    )  # fmt: skip

    inside = found is not None and found.start_s <= at_s <= found.end_s
    wider = WellClear(dthr_m=limits.dthr_m + 1e-5, zthr_m=limits.zthr_m + 1e-5,
                      tthr_s=limits.tthr_s + 1e-5, tcoa_s=limits.tcoa_s + 1e-5)  # fmt: skip
    tighter = WellClear(dthr_m=limits.dthr_m - 1e-5, zthr_m=limits.zthr_m - 1e-5,
                        tthr_s=limits.tthr_s - 1e-5, tcoa_s=limits.tcoa_s - 1e-5)  # fmt: skip
    assert inside or not is_violated(tighter, then)
    assert not inside or is_violated(wider, then)


@pytest.mark.slow
@given(LIMITS, approaches)
def test_the_other_craft_sees_the_same(limits: WellClear, now: Approach) -> None:
    seen_back = Approach(
        s_m=(-now.s_m[0], -now.s_m[1]), v_mps=(-now.v_mps[0], -now.v_mps[1]),
        s_z_m=-now.s_z_m, v_z_mps=-now.v_z_mps,
    )  # fmt: skip

    assert violation(limits, seen_back, LASTS_S) == violation(limits, now, LASTS_S)


def head_on(range_m: float, *, above_m: float = 0.0, closing_mps: float = 200.0) -> Approach:
    return Approach(s_m=(range_m, 0.0), v_mps=(-closing_mps, 0.0), s_z_m=above_m, v_z_mps=0.0)


def test_head_on_well_clear_is_lost_when_tau_mod_reaches_35_s() -> None:
    # (DTHR^2 - r^2) / (-200 r) = 35 with DTHR = 0.66 NM = 1222.32 m, solved in 40 digits
    getcontext().prec = 40
    dthr = Decimal("1222.32")
    lost_at_m = (7_000 + (Decimal(7_000) ** 2 + 4 * dthr**2).sqrt()) / 2

    found = violation(PHASE_1, head_on(10_000.0), LASTS_S)

    assert found is not None
    assert abs(found.start_s - float((10_000 - lost_at_m) / 200)) < a_microsecond
    assert abs(found.end_s - float((10_000 + dthr) / 200)) < a_microsecond


def test_without_tau_well_clear_is_a_plain_cylinder() -> None:
    found = violation(NEAR_MID_AIR_COLLISION, head_on(10_000.0), LASTS_S)

    # 500 ft = 152.4 m
    assert found == pytest.approx(((10_000 - 152.4) / 200, (10_000 + 152.4) / 200), abs=1e-9)


def test_a_pass_that_just_touches_dthr_is_lost_from_tthr_before_the_cpa_until_it() -> None:
    touching = Approach(s_m=(10_000.0, 1222.32), v_mps=(-100.0, 0.0), s_z_m=0.0, v_z_mps=0.0)

    assert violation(PHASE_1, touching, 180.0) == pytest.approx((65.0, 100.0), abs=1e-9)


def test_a_pass_outside_dthr_stays_well_clear_however_soon() -> None:
    passing = Approach(s_m=(2_000.0, 1222.33), v_mps=(-100.0, 0.0), s_z_m=0.0, v_z_mps=0.0)

    assert violation(PHASE_1, passing, 180.0) is None


def test_two_at_rest_to_each_other_are_well_clear_for_ever_or_never() -> None:
    inside = Approach(s_m=(1222.32, 0.0), v_mps=(0.0, 0.0), s_z_m=137.16, v_z_mps=0.0)
    outside = Approach(s_m=(1222.33, 0.0), v_mps=(0.0, 0.0), s_z_m=137.16, v_z_mps=0.0)

    assert violation(PHASE_1, inside, 60.0) == (0.0, 60.0)
    assert violation(PHASE_1, outside, 60.0) is None


def test_two_at_one_place_have_lost_it() -> None:
    nothing = Approach(s_m=(0.0, 0.0), v_mps=(0.0, 0.0), s_z_m=0.0, v_z_mps=0.0)

    assert all(is_violated(limits, nothing) for limits in STANDARDS.values())
    assert violation(PHASE_1, nothing, 0.0) == (0.0, 0.0)


def test_two_that_diverge_within_dthr_have_lost_it_until_they_leave_it() -> None:
    found = violation(PHASE_1, head_on(1_000.0, closing_mps=-100.0), 60.0)

    assert found == pytest.approx((0.0, 2.2232), abs=1e-9)


def test_time_to_co_altitude_counts_only_while_they_converge_in_height() -> None:
    climbing = Approach(s_m=(0.0, 0.0), v_mps=(0.0, 0.0), s_z_m=-400.0, v_z_mps=10.0)
    sinking = Approach(s_m=(0.0, 0.0), v_mps=(0.0, 0.0), s_z_m=-400.0, v_z_mps=-10.0)

    # co-altitude in 40 s; with TCOA 20 s lost from 20 s on, until 450 ft = 137.16 m above
    assert violation(WITH_TCOA, climbing, 180.0) == pytest.approx((20.0, 53.716), abs=1e-9)
    assert violation(WITH_TCOA, sinking, 180.0) is None


def test_what_is_not_a_number_is_refused_and_never_well_clear() -> None:
    unknown = Approach(s_m=(float("nan"), 0.0), v_mps=(0.0, 0.0), s_z_m=0.0, v_z_mps=0.0)

    with pytest.raises(InputError, match="is not all numbers"):
        is_violated(PHASE_1, unknown)
    with pytest.raises(InputError, match="is not all numbers"):
        violation(PHASE_1, unknown, 60.0)
    with pytest.raises(InputError, match="is below 0"):
        violation(PHASE_1, head_on(1.0), -1.0)


def test_the_thresholds_are_those_of_do_365b() -> None:
    # RTCA DO-365B as NASA DAIDALUS 2 configures it (WCVTable), converted by hand: 1 NM = 1852 m,
    # 1 ft = 0.3048 m
    assert [msgspec.structs.astuple(limits) for limits in STANDARDS.values()] == [
        (1222.32, 137.16, 35.0, 0.0),
        (1222.32, 213.36, 35.0, 0.0),
        (457.2, 137.16, 0.0, 0.0),
        (670.56, 137.16, 0.0, 0.0),
        (152.4, 30.48, 0.0, 0.0),
    ]


def seconds_before(well_clear_is_lost_s: float, *, above_m: float = 0.0) -> Approach:
    """Head on at 200 m/s, this long before Phase I well clear is lost (at 7207.46 m)."""
    lost_at_m = 3_500 + (3_500**2 + 1222.32**2) ** 0.5
    return head_on(lost_at_m + 200 * well_clear_is_lost_s, above_m=above_m)


# Alert times of Phase I: 55 / 55 / 25 s (kernel.md; DAIDALUS 2, Alerter DWC_Phase_I).
# 600 ft = 182.88 m is inside the preventive 700 ft and outside 450 ft.
@pytest.mark.parametrize(
    ("before_s", "above_m", "level"),
    [
        (-1.0, 0.0, Level.WARNING),
        (24.9, 0.0, Level.WARNING),
        (25.1, 0.0, Level.CORRECTIVE),
        (54.9, 0.0, Level.CORRECTIVE),
        (55.1, 0.0, Level.NONE),
        (54.9, 182.88, Level.PREVENTIVE),
        (1.0, 182.88, Level.PREVENTIVE),
        (55.1, 182.88, Level.NONE),
        (1.0, 214.0, Level.NONE),
    ],
)
def test_an_alert_is_given_at_its_time_before_well_clear_is_lost(
    before_s: float, above_m: float, level: Level
) -> None:
    assert alert(ALERT_LEVELS["phase-1"], seconds_before(before_s, above_m=above_m)).level is level


def test_before_an_alert_is_due_the_loss_is_told_up_to_180_s_ahead() -> None:
    soon, late = (alert(ALERT_LEVELS["phase-1"], seconds_before(s)) for s in (179.0, 181.0))

    assert soon.level is Level.NONE
    assert soon.violation is not None
    assert soon.violation.start_s == pytest.approx(179.0, abs=1e-6)
    assert late.violation is None
