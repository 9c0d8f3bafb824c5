# SPDX-License-Identifier: Apache-2.0
"""Plans given as volumes, against each other and against plans given as points.

A plan may have several volumes: the rows of all of them are the rows of the plan. Rows come
back with a the plan that stands first in the order of all plans.
"""

from collections.abc import Mapping, Sequence
from itertools import product
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from keepclear.agreement.assess import Assessment, assess
from keepclear.agreement.findings import Interval
from keepclear.agreement.insides import look_at, with_guard
from keepclear.agreement.stays import (
    Asked,
    Clock,
    Stay,
    judge_stay,
    shifts_between,
)
from keepclear.airspace.volumes import Volume4D
from keepclear.checks.binding import Bound, Kinds
from keepclear.checks.pairing import WIDEST_M, clock_of, widened
from keepclear.checks.prepare import Plan, Prepared
from keepclear.checks.windows import Window
from keepclear.detect import sweep as column
from keepclear.detect.fragments import Fragments
from keepclear.detect.index import Detected
from keepclear.detect.kernel import limits_of
from keepclear.detect.skeletons import (
    EARLY_US,
    END_US,
    LATE_US,
    START_US,
    Tolerance,
    Volumes,
    compile_volumes,
)
from keepclear.detect.sweep import Limits
from keepclear.detect.volume_detection import (
    Things,
    detect_entries,
    detect_volumes,
    overlap_all,
    sweep_entries,
)

Integers = npt.NDArray[np.int64]
Rows = npt.NDArray[np.float64]


class Areas(NamedTuple):
    """All volumes of a check, compiled, and the place among the plans each belongs to.

    is_uncertain: some volume's place, height or time is.
    """

    volumes: Volumes
    owners: Integers
    is_uncertain: bool


class AreaPair(NamedTuple):
    """Two plans, at least one given as volumes, by place, a < b, and what binds them.

    gaps_a, gaps_b: where their data have gaps, on their own clocks.
    """

    a: int
    b: int
    bound: Bound
    rows: Rows
    gaps_a: Sequence[Interval]
    gaps_b: Sequence[Interval]


def compile_areas(prepared: Prepared, window: Window) -> Areas | None:
    """Return the volumes of all plans, cut to a window of time; None where there are none."""
    found: list[Volume4D] = []
    owners: list[int] = []
    tolerances: list[Tolerance] = []
    for place, plan in enumerate(prepared.plans):
        volumes = _within(plan, window)
        if not volumes:
            continue
        found += volumes
        owners += [place] * len(volumes)
        tolerances += [_tolerance(prepared, plan)] * len(volumes)
    if not found:
        return None
    return Areas(
        volumes=compile_volumes(found, prepared.numbers, tolerances),
        owners=np.array(owners, dtype=np.int64),
        is_uncertain=any(t.lateral_m or t.vertical_tmm or t.clock_us for t in tolerances),
    )


def _within(plan: Plan, window: Window) -> list[Volume4D]:
    if plan.area is None:
        return []
    from_us, to_us = window.limits_us
    kept = []
    for volume in plan.area.volumes:
        start_us, end_us = max(volume.start_us, from_us), min(volume.end_us, to_us)
        if start_us < end_us:
            kept.append(Volume4D(volume=volume.volume, start_us=start_us, end_us=end_us))
    return kept


def _tolerance(prepared: Prepared, plan: Plan) -> Tolerance:
    """Return what a plan may be off by: what its file states, else what was asked."""
    asked, area = prepared.uncertainty, plan.area
    if area is None:
        raise ValueError(f"plan {plan.name!r} has no volumes")
    clock_us = area.time_uncertainty_us or asked.time_us
    return Tolerance(
        lateral_m=area.lateral_uncertainty_m or asked.lateral_m,
        vertical_tmm=area.vertical_uncertainty_tmm or asked.vertical_tmm,
        early_us=prepared.tolerance_us + clock_us, late_us=prepared.tolerance_us + clock_us,
        clock_us=clock_us,
    )  # fmt: skip


def area_pairs(
    functions: Any, prepared: Prepared, f: Fragments, areas: Areas, kinds: Kinds,
    groups: Integers, gaps: Mapping[int, Sequence[Interval]], *, within_party: bool,
) -> list[AreaPair]:  # fmt: skip
    """Return all pairs with a volume that have rows, with them.

    groups: the party of each plan, as a number. gaps: in the data of plans, by place.
    """
    found: dict[tuple[int, int], list[Rows]] = {}
    bound_of: dict[tuple[int, int], Bound] = {}
    mine = Things(owners=areas.owners, groups=groups[areas.owners])
    others = Things(owners=prepared.with_points, groups=groups[prepared.with_points])
    for pair_of_kinds, bound in kinds.bound.items():
        limits = limits_of([cylinder for _, cylinder in bound])
        both = detect_volumes(functions, areas.volumes, mine, within_party, limits)
        _add(found, bound_of, kinds, pair_of_kinds, bound, both, areas.owners, areas.owners)
        if f.plans:
            entries = detect_entries(
                functions, f, others, areas.volumes, mine, within_party, limits
            )
            _add(
                found, bound_of, kinds, pair_of_kinds, bound, entries,
                prepared.with_points, areas.owners,
            )  # fmt: skip
    return [
        AreaPair(
            a, b, bound_of[a, b], np.concatenate(found[a, b]), gaps.get(a, ()), gaps.get(b, ())
        )
        for a, b in sorted(found)
    ]


def _add(
    found: dict[tuple[int, int], list[Rows]], bound_of: dict[tuple[int, int], Bound],
    kinds: Kinds, pair_of_kinds: tuple[int, int], bound: Bound, detected: Detected,
    place_a: Integers, place_b: Integers,
) -> None:  # fmt: skip
    """Sort rows by pair of plans; those of other kinds are left to their own turn."""
    for pair in np.unique(detected.row_pair).tolist():
        a, b = int(place_a[detected.a[pair]]), int(place_b[detected.b[pair]])
        kind_a, kind_b = int(kinds.of_plan[a]), int(kinds.of_plan[b])
        if (min(kind_a, kind_b), max(kind_a, kind_b)) != pair_of_kinds:
            continue
        rows = detected.rows[detected.row_pair == pair]
        key = (min(a, b), max(a, b))
        found.setdefault(key, []).append(rows if a < b else turned(rows))
        bound_of[key] = bound


def turned(rows: Rows) -> Rows:
    """Return rows with a and b changed over."""
    swapped = rows.copy()
    for one, two in (
        (column.START_A, column.START_B), (column.END_A, column.END_B),
        (column.CPA_A, column.CPA_B),
    ):  # fmt: skip
        swapped[:, [one, two]] = rows[:, [two, one]]
    return swapped


def assess_area_pair(
    functions: Any, prepared: Prepared, f: Fragments, areas: Areas, pair: AreaPair
) -> tuple[Assessment, float | None]:
    """Return what the rows amount to, and the margin without uncertainty."""
    found = assess(pair.rows, pair.bound, _stays(functions, prepared, f, areas, pair))
    f_uncertain = f.leg_lateral_m.any() or f.leg_vertical_tmm.any() or f.clock_us.any()
    if not (f_uncertain or areas.is_uncertain):
        return found, found.margin_m
    return found, _bare_margin(functions, prepared, f, areas, pair)


def _stays(
    functions: Any, prepared: Prepared, f: Fragments, areas: Areas, pair: AreaPair
) -> Mapping[int, Stay]:
    """Return what the duration leaves say, for the cylinders that have one, by number."""
    a, b = (_clock(prepared, f, areas, place) for place in (pair.a, pair.b))
    stays = {}
    for number, (_, cylinder) in enumerate(pair.bound):
        if cylinder.duration_us is None or not (pair.rows[:, column.CYLINDER] == number).any():
            continue
        limits = limits_of([with_guard(cylinder)])
        rows = _all_rows(functions, prepared, f, areas, pair, limits)
        asked = Asked(
            look_at(rows), a, b, pair.gaps_a, pair.gaps_b, cylinder.duration_us, cylinder.reset_us
        )
        is_known = rows[:, column.VERDICT] != column.UNDETERMINED
        known = None if is_known.all() else look_at(rows[is_known])
        stays[number] = judge_stay(asked, known, shifts_between(a, b, cylinder.time_us or 0))
    return stays


def _clock(prepared: Prepared, f: Fragments, areas: Areas, place: int) -> Clock:
    """Return when a plan is there: from its first volume's start to its last one's end."""
    if prepared.plans[place].area is None:
        return clock_of(f, int(np.flatnonzero(prepared.with_points == place)[0]))
    terms = areas.volumes.terms[areas.owners == place]
    return Clock(
        int(terms[:, START_US].min()), int(terms[:, END_US].max()),
        int(terms[0, EARLY_US]), int(terms[0, LATE_US]),
    )  # fmt: skip


def _bare_margin(
    functions: Any, prepared: Prepared, f: Fragments, areas: Areas, pair: AreaPair
) -> float | None:
    """Return the least margin without uncertainty, None where it is unknown or beyond 100 km."""
    widening_m = 1_000.0
    while widening_m < WIDEST_M:
        limits = widened(pair.bound, widening_m)
        margins = _all_rows(functions, prepared, f, areas, pair, limits)[:, column.MARGIN_M]
        if len(margins) and not np.isnan(margins).all() and float(np.nanmin(margins)) < 0:
            return float(np.nanmin(margins)) + widening_m
        widening_m *= 4
    return None


def _all_rows(
    functions: Any, prepared: Prepared, f: Fragments, areas: Areas, pair: AreaPair,
    limits: Limits,
) -> Rows:  # fmt: skip
    """Return the rows of one pair of plans under other limits; a and b as in the pair."""
    of_a, of_b = (np.flatnonzero(areas.owners == place) for place in (pair.a, pair.b))
    if len(of_a) and len(of_b):
        a, b = _all_of(of_a.tolist(), of_b.tolist())
        return overlap_all(functions, areas.volumes, a, b, limits).rows
    place, volumes = (pair.b, of_a) if len(of_a) else (pair.a, of_b)
    row = int(np.flatnonzero(prepared.with_points == place)[0])
    a, b = _all_of([row], volumes.tolist())
    rows = sweep_entries(functions, f, areas.volumes, a, b, limits).rows
    return turned(rows) if len(of_a) else rows


def _all_of(first: Sequence[int], second: Sequence[int]) -> tuple[Integers, Integers]:
    pairs = np.array(list(product(first, second)), dtype=np.int64)
    return pairs[:, 0].copy(), pairs[:, 1].copy()
