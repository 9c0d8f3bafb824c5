# SPDX-License-Identifier: Apache-2.0
"""The kernel against the oracle: no true violation is CLEAR, no conflict is made up."""

import math
import random
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Final

import msgspec
import pytest

from keepclear.detect import sweep as column
from keepclear.detect.cylinders import Cylinder
from keepclear.detect.sweep import BOUNDARY, CLEAR, CONFLICT, UNDETERMINED
from tests.kernel_pairs import (
    EN_ROUTE,
    FOOT_TMM,
    NAUTICAL_MILE_TMM,
    Rows,
    band_m,
    crossing,
    rows_of,
    spans_of,
)
from tests.motion import Plan, Span
from tests.oracle import closest, least_margin, violations

two_tenths_of_a_millisecond: Final = 2e-4
a_micrometre: Final = 1e-6
a_millimetre: Final = 1e-3
a_tenth_of_a_metre: Final = 0.1

CYLINDERS: Final = {
    "en route": EN_ROUTE,
    "drones": Cylinder(lateral_tmm=500_000, vertical_tmm=150 * FOOT_TMM),
    "27 NM, closed": Cylinder(
        lateral_tmm=27 * NAUTICAL_MILE_TMM, vertical_tmm=2000 * FOOT_TMM, vertical_is_closed=True
    ),
    "100 NM": Cylinder(lateral_tmm=100 * NAUTICAL_MILE_TMM, vertical_tmm=1000 * FOOT_TMM),
    "no vertical": Cylinder(lateral_tmm=5 * NAUTICAL_MILE_TMM),
    "from FL290": Cylinder(
        lateral_tmm=5 * NAUTICAL_MILE_TMM, vertical_tmm=2000 * FOOT_TMM,
        both_from_tmm=29_000 * FOOT_TMM,
    ),
    "above FL410": Cylinder(
        lateral_tmm=5 * NAUTICAL_MILE_TMM, vertical_tmm=2000 * FOOT_TMM,
        one_above_tmm=41_000 * FOOT_TMM,
    ),
}  # fmt: skip


def contains(outer: Sequence[Span], inner: Span, by_s: float) -> bool:
    """Tell whether a span is within one of others, to within a time."""
    return any(
        span.start_s - by_s <= inner.start_s and inner.end_s <= span.end_s + by_s for span in outer
    )


def spans(plans: Sequence[Plan], cylinder: Cylinder, extra_m: float = 0.0) -> list[Span]:
    """Return the oracle's spans for two plans."""
    found = violations(plans[0], plans[1], cylinder, extra_m=extra_m)
    return [violation.span for violation in found if violation.is_known]


def opened(cylinder: Cylinder) -> Cylinder:
    """Return a cylinder with a closed vertical minimum as the kernel takes it, open.

    Minima are whole tenths of a millimetre: closed is one of those more.
    """
    if not cylinder.vertical_is_closed or cylinder.vertical_tmm is None:
        return cylinder
    more_tmm = cylinder.vertical_tmm + 1
    return msgspec.structs.replace(cylinder, vertical_tmm=more_tmm, vertical_is_closed=False)


def at_the_level(plans: Sequence[Plan], cylinder: Cylinder) -> Cylinder:
    """Return a cylinder as wide as BOUNDARY goes: times at levels and minima are right to 1 us.

    What is inside only for less than that on either side is BOUNDARY (rule 2 of `sweep`), as
    where a climb ends exactly at a level. In height that is the fastest climb times 2 us, and a
    tenth of a millimetre.
    """
    rates = [
        abs(b.height_tmm - a.height_tmm) / (b.time_us - a.time_us)
        for plan in plans
        for a, b in pairwise(plan.fixes)
        if a.height_tmm is not None and b.height_tmm is not None
    ]
    band_tmm = math.ceil(2 * max(rates, default=0)) + 1

    def lowered(level_tmm: int | None) -> int | None:
        return None if level_tmm is None else level_tmm - band_tmm

    wider = opened(cylinder)
    vertical_tmm = None if wider.vertical_tmm is None else wider.vertical_tmm + band_tmm
    return msgspec.structs.replace(
        wider, vertical_tmm=vertical_tmm, both_from_tmm=lowered(wider.both_from_tmm),
        one_above_tmm=lowered(wider.one_above_tmm),
    )  # fmt: skip


def assert_true(plans: Sequence[Plan], cylinder: Cylinder, rows: Rows) -> int:
    """Assert that what the kernel says of two plans is what the oracle finds; the verdict."""
    band = band_m(plans, cylinder)
    assert band < a_tenth_of_a_metre
    verdict = int(rows[:, column.VERDICT].min(initial=CLEAR))
    said = spans_of(rows, CONFLICT, BOUNDARY)
    for span in spans(plans, cylinder, -band):
        assert contains(said, span, two_tenths_of_a_millisecond)
    outer = spans(plans, opened(cylinder), band) if len(said) else []
    for span in spans_of(rows, CONFLICT):
        assert contains(outer, span, two_tenths_of_a_millisecond)
    outer = spans(plans, at_the_level(plans, cylinder), 2 * band) if len(said) else []
    for span in said:  # BOUNDARY goes to the outer edge of the band, which is right to the band
        assert contains(outer, span, two_tenths_of_a_millisecond)
    if verdict == CLEAR:
        assert not spans(plans, cylinder)
    if verdict == CONFLICT:
        assert spans(plans, opened(cylinder))
        assert_closest(plans, cylinder, rows, band)
    return verdict


def assert_closest(plans: Sequence[Plan], cylinder: Cylinder, rows: Rows, band: float) -> None:
    """Assert that closest point of approach and margin are true, to the guard band."""
    in_conflict = rows[rows[:, column.VERDICT] == CONFLICT]
    row = in_conflict[in_conflict[:, column.LATERAL_M].argmin()]
    least = closest(plans[0], plans[1], spans_of(rows, CONFLICT))
    margin = least_margin(plans[0], plans[1], cylinder)
    known = rows[rows[:, column.VERDICT] != UNDETERMINED]

    assert abs(row[column.LATERAL_M] - least.value) < band + a_millimetre
    assert abs(known[:, column.MARGIN_M].min() - margin.value) < band + a_millimetre


def uncertain(choose: random.Random, plans: tuple[Plan, Plan]) -> tuple[Plan, Plan]:
    """Return plans of which some do not know quite where they are."""
    a, b = (
        replace(
            plan, lateral_m=choose.choice([0.0, 0.0, 185.2, 1000.5]),
            vertical_tmm=choose.choice([0, 0, 100, 37]) * FOOT_TMM,
        )
        for plan in plans
    )  # fmt: skip
    return a, b


def assert_many_true(name: str, seeds: range) -> None:
    """Assert that the kernel is right about pairs, and that the pairs try all verdicts."""
    cylinder = CYLINDERS[name]
    verdicts = set()
    for seed in seeds:
        choose = random.Random(seed)
        plans = crossing(choose, (cylinder.lateral_tmm or 0) / 10_000)
        if choose.random() < 0.3:
            plans = uncertain(choose, plans)
        verdicts.add(assert_true(plans, cylinder, rows_of(plans, cylinder)))
    assert {CONFLICT, CLEAR} <= verdicts


@pytest.mark.slow
@pytest.mark.parametrize("name", CYLINDERS)
def test_the_kernel_finds_what_the_oracle_finds_at_any_place(name: str) -> None:
    assert_many_true(name, range(30))


@pytest.mark.long
@pytest.mark.parametrize("name", CYLINDERS)
def test_the_kernel_finds_what_the_oracle_finds_in_thousands_of_pairs(name: str) -> None:
    assert_many_true(name, range(1_000, 1_600))
