# SPDX-License-Identifier: Apache-2.0
"""Every pair of plans of different parties, each against the rules that bind it.

The kernel runs as it stands on small inputs and compiled on large ones; both give the same.
"""

import hashlib
import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from keepclear import checks
from keepclear.agreement.assess import RANK, Assessment
from keepclear.agreement.findings import Finding, Interval
from keepclear.agreement.leaves import KeepWellClear
from keepclear.agreement.separation import RuleSet
from keepclear.checks.binding import Bound, Kinds, bind
from keepclear.checks.pairing import Kernel, Pair, assess_pair
from keepclear.checks.prepare import Plan, Prepared
from keepclear.checks.windows import There, Window, no_pair, said_of_window, who_is_there
from keepclear.detect.compiled import NotCompiled, compiled, is_warm, plain
from keepclear.detect.fragments import (
    LONGEST_PIECE_M,
    Fragments,
    clip_fragments,
    compile_points,
    longest_piece_m,
)
from keepclear.detect.index import Detected, near_pairs, sweep_all
from keepclear.detect.kernel import limits_of
from keepclear.errors import CallerError

Integers = npt.NDArray[np.int64]
Tell = Callable[[float, str], None]
Judge = Callable[[Pair, npt.NDArray[np.float64]], tuple[Assessment, float | None]]
"""What the rows of a pair amount to, and the margin without uncertainty."""

FEW_FRAGMENTS: Final = 3_000
FEW_VOLUMES: Final = 200


class Comparison(NamedTuple):
    """What comparing gave: findings worst first, then soonest; what to say.

    plans, pairs: how many were there to compare in the window.
    """

    findings: tuple[Finding, ...]
    plans: int
    pairs: int
    notes: tuple[str, ...]


def compare(
    prepared: Prepared, rule_set: RuleSet, *, within_party: bool, rvsm: bool,
    vertical_tolerance_tmm: int, window: Window, tell: Tell,
) -> Comparison:  # fmt: skip
    """Compare all pairs of different parties (`within_party`: of one party too)."""
    _check_pairs(prepared.plans, within_party=within_party)
    asked = None
    if any(isinstance(rule.holds, KeepWellClear) for rule in rule_set.rules):
        asked = checks.well_clear.ask_well_clear(
            prepared, rule_set, vertical_tolerance_tmm=vertical_tolerance_tmm
        )
    kinds = asked.kinds if asked is not None else bind(
        prepared.plans, rule_set, rvsm=rvsm, vertical_tolerance_tmm=vertical_tolerance_tmm
    )  # fmt: skip
    f = _compile(prepared, kinds, window)
    volumes = _count_volumes(prepared)
    areas = checks.areas.compile_areas(prepared, window) if volumes else None
    there = _there(prepared, f, areas, window)
    plans = [prepared.plans[place] for place in np.flatnonzero(there).tolist()]
    said = [said_of_window(prepared, there, window)] if window.is_given else []
    pairs = _count_pairs(plans, within_party=within_party)
    if not pairs:
        raise no_pair(prepared, there, window)
    kernel, notes = _kernel(f, volumes, tell)
    if rule_set.zones and f.plans:
        kernel = checks.zones.mark(kernel, prepared, rule_set)
    parties = {party: i for i, party in enumerate(sorted({p.party for p in prepared.plans}))}
    group_of = np.array([parties[plan.party] for plan in prepared.plans], dtype=np.int64)
    groups = group_of[prepared.with_points]
    found = [] if areas is None else _area_findings(
        kernel, prepared, kinds, group_of, areas, within_party=within_party
    )  # fmt: skip
    look, judge = partial(_detected, kernel, kinds), partial(assess_pair, kernel)
    if asked is not None:
        look = partial(checks.well_clear.detect_well_clear, asked, kernel)
        judge = partial(checks.well_clear.assess_well_clear, asked, kernel)
    for detected, bound in look(prepared, groups, tell, within_party=within_party):
        found += _findings(judge, prepared, detected, bound)
    tell(1.0, "done")
    found.sort(key=_order)
    return Comparison(tuple(found), len(plans), pairs, (*said, *notes))


def _count_pairs(plans: Sequence[Plan], *, within_party: bool) -> int:
    sizes = Counter(plan.party for plan in plans)
    pairs = math.comb(len(plans), 2)
    if not within_party:
        pairs -= sum(math.comb(size, 2) for size in sizes.values())
    return pairs


def _check_pairs(plans: Sequence[Plan], *, within_party: bool) -> None:
    """Raise `CallerError` where there is nothing to compare at any time."""
    if _count_pairs(plans, within_party=within_party):
        return
    if len(plans) > 1:
        raise CallerError(
            f"nothing to compare: all {len(plans)} plans are of the party {plans[0].party!r}; "
            "add another party's file, name parties with --party, or add --within-party"
        )
    what = f"one plan, {plans[0].name!r}" if plans else "no plan"
    raise CallerError(f"nothing to compare: the files hold {what}; give two plans or more")


def _there(
    prepared: Prepared, f: Fragments, areas: "checks.areas.Areas | None", window: Window
) -> There:
    if not window.is_given:
        return np.ones(len(prepared.plans), dtype=np.bool_)
    owners = np.empty(0, dtype=np.int64) if areas is None else areas.owners
    return who_is_there(prepared, f, owners)


def _compile(prepared: Prepared, kinds: Kinds, window: Window) -> Fragments:
    points = prepared.points
    lateral_m = [c.lateral_tmm / 10_000 for c in kinds.all_cylinders() if c.lateral_tmm]
    uncertain_m = 2.0 * float(points.lateral_m.max(initial=0.0))
    piece_m = longest_piece_m(max(lateral_m) + uncertain_m) if lateral_m else LONGEST_PIECE_M
    f = compile_points(points, piece_m)
    return clip_fragments(f, *window.limits_us) if window.is_given else f


def _count_volumes(prepared: Prepared) -> int:
    return sum(len(plan.area.volumes) for plan in prepared.plans if plan.area is not None)


def _kernel(f: Fragments, volumes: int, tell: Tell) -> tuple[Kernel, tuple[str, ...]]:
    """Return the kernel for these plans: plain for few of them, else compiled where it can be."""
    if len(f.start_us) <= FEW_FRAGMENTS and volumes <= FEW_VOLUMES:
        return Kernel(plain(), True, f), ()
    if not is_warm():
        tell(0.2, "compiling the kernel, once on this machine: about a minute")
    try:
        return Kernel(compiled(), False, f), ()
    except NotCompiled as fault:
        return Kernel(plain(), True, f), (f"The kernel ran uncompiled, which is slow: {fault}.",)


def _detected(
    kernel: Kernel, kinds: Kinds, prepared: Prepared, groups: Integers, tell: Tell,
    *, within_party: bool,
) -> list[tuple[Detected, Bound]]:  # fmt: skip
    """Return the rows of all pairs, for each pair of kinds apart."""
    if not len(prepared.with_points):
        return []
    widest = kernel.give(limits_of(kinds.all_cylinders()))
    given = kernel.give(kernel.fragments)
    near = near_pairs(
        kernel.functions, kernel.fragments, groups, within_party, widest,
        lambda share: tell(0.2 + 0.4 * share, "looking for plans that come close"),
        given=given,
    )  # fmt: skip
    kind = kinds.of_plan[prepared.with_points]
    low = np.minimum(kind[near[0]], kind[near[1]])
    high = np.maximum(kind[near[0]], kind[near[1]])
    found = []
    for (i, j), bound in kinds.bound.items():
        mine = (low == i) & (high == j)
        if bound and mine.any():
            a, b, from_us, to_us = (column[mine] for column in near)
            limits = kernel.give(limits_of([cylinder for _, cylinder in bound]))
            rows = sweep_all(
                kernel.functions, given, limits, a, b, from_us, to_us,
                lambda share: tell(0.6 + 0.4 * share, "computing what comes close"),
            )  # fmt: skip
            found.append((rows, bound))
    return found


def _findings(judge: Judge, prepared: Prepared, detected: Detected, bound: Bound) -> list[Finding]:
    """Return one finding for each pair that has rows."""
    gaps = _gaps_by_row(prepared)
    starts = np.flatnonzero(np.diff(detected.row_pair, prepend=-1))
    ends = np.append(starts[1:], len(detected.row_pair))[: len(starts)]
    found = []
    for start, end in zip(starts.tolist(), ends.tolist(), strict=True):
        pair = detected.row_pair[start]
        a, b = int(detected.a[pair]), int(detected.b[pair])
        places = (int(prepared.with_points[a]), int(prepared.with_points[b]))
        asked = Pair(a, b, bound, gaps.get(a, ()), gaps.get(b, ()))
        assessed = judge(asked, detected.rows[start:end])
        found.append(_made(prepared, places, *assessed))
    return found


def _area_findings(
    kernel: Kernel, prepared: Prepared, kinds: Kinds, group_of: Integers,
    areas: "checks.areas.Areas", *, within_party: bool,
) -> list[Finding]:  # fmt: skip
    """Return the findings of pairs in which a plan is given as volumes."""
    f, functions = kernel.fragments, kernel.functions
    with_points = prepared.with_points.tolist()
    gaps = {with_points[row]: found for row, found in _gaps_by_row(prepared).items()}
    pairs = checks.areas.area_pairs(
        functions, prepared, f, areas, kinds, group_of, gaps, within_party=within_party
    )
    return [
        _made(prepared, (pair.a, pair.b),
              *checks.areas.assess_area_pair(functions, prepared, f, areas, pair))
        for pair in pairs
    ]  # fmt: skip


def _made(
    prepared: Prepared, places: tuple[int, int], assessed: Assessment,
    bare_margin_m: float | None,
) -> Finding:  # fmt: skip
    a, b = prepared.plans[places[0]], prepared.plans[places[1]]
    return Finding(
        id=_stable_id(prepared.plans, places), a=a.name, b=b.name,
        a_index=places[0], b_index=places[1], parties=(a.party, b.party),
        verdict=assessed.verdict, intervals=assessed.intervals,
        intervals_a=assessed.intervals_a, intervals_b=assessed.intervals_b, cpa=assessed.cpa,
        rule=assessed.rule, leaf=assessed.leaf, short_by_m=assessed.short_by_m,
        short_by_s=assessed.short_by_s, margin_m=assessed.margin_m,
        margin_without_uncertainty_m=bare_margin_m, reason=assessed.reason,
        all_intervals=assessed.all_intervals,
    )  # fmt: skip


def _stable_id(plans: Sequence[Plan], places: tuple[int, int]) -> str:
    """Return an id that is the same from run to run: a digest of who the two plans are.

    Plans of one name and key are told apart by their place among them.
    """
    parts: list[str] = []
    for place in places:
        who = _who(plans[place])
        same = 0
        while place - same > 0 and _who(plans[place - same - 1]) == who:
            same += 1
        parts += [*who, str(same)]
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:12]


def _who(plan: Plan) -> tuple[str, str, str]:
    return plan.party, plan.name, plan.key


def _gaps_by_row(prepared: Prepared) -> Mapping[int, Sequence[Interval]]:
    gaps: dict[int, list[Interval]] = {}
    for row, gap in zip(prepared.gap_rows, prepared.gaps, strict=True):
        gaps.setdefault(row, []).append(Interval(start_us=gap.start_us, end_us=gap.end_us))
    return gaps


def _order(finding: Finding) -> tuple[int, int, str, str, str]:
    start_us = finding.intervals[0].start_us if finding.intervals else 0
    return RANK[finding.verdict], start_us, finding.a, finding.b, finding.id
