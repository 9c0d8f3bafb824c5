# SPDX-License-Identifier: Apache-2.0
"""The kernel against the oracle: no true violation is CLEAR, no conflict is made up."""

import random
from collections.abc import Sequence
from typing import Final

import pytest

from keepclear.detect import sweep as column
from keepclear.detect.compiled import compiled
from keepclear.detect.cylinders import Cylinder
from keepclear.detect.sweep import BOUNDARY, CLEAR, CONFLICT, UNDETERMINED
from tests.kernel_pairs import EN_ROUTE, FOOT_TMM, Rows, band_m, crossing, rows_of, spans_of
from tests.oracle import Plan, Span, closest, joined, least_margin, violations

two_tenths_of_a_millisecond: Final = 2e-4
a_micrometre: Final = 1e-6
a_millimetre: Final = 1e-3
a_tenth_of_a_metre: Final = 0.1
a_twentieth_of_a_millimetre_of_height: Final = 0.5  # in tenths of a millimetre


def contains(outer: Sequence[Span], inner: Span, by_s: float) -> bool:
    """Tell whether a span is within one of others, to within a time."""
    return any(
        span.start_s - by_s <= inner.start_s and inner.end_s <= span.end_s + by_s for span in outer
    )


def spans(plans: Sequence[Plan], cylinder: Cylinder, extra_m: float = 0.0) -> list[Span]:
    """Return the oracle's spans for two plans."""
    found = violations(plans[0], plans[1], cylinder, extra_m=extra_m)
    return [violation.span for violation in found if violation.is_known]


def assert_true(plans: Sequence[Plan], cylinder: Cylinder, rows: Rows) -> int:
    """Assert that what the kernel says of two plans is what the oracle finds; the verdict."""
    band = band_m(plans, cylinder)
    assert band < a_tenth_of_a_metre
    verdict = int(rows[:, column.VERDICT].min(initial=CLEAR))
    inner, outer = spans(plans, cylinder, -band), spans(plans, cylinder, band)
    said = spans_of(rows, CONFLICT, BOUNDARY)
    for span in inner:
        assert contains(said, span, two_tenths_of_a_millisecond)
    for span in said:
        assert contains(outer, span, two_tenths_of_a_millisecond)
    if verdict == CLEAR:
        assert not spans(plans, cylinder)
    if verdict == CONFLICT:
        assert spans(plans, cylinder)
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
