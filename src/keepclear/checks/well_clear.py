# SPDX-License-Identifier: Apache-2.0
"""Well clear by DO-365 on plans of timed points: bound, looked for, assessed.

What `compare` does with cylinders is done here with volumes of well clear. A rule set asks for
well clear or for minima, not for both: `agreement.terms` refuses a pair that both bind.

1. The kernel evaluates every instant the two have in common (`detect.well_clear_sweep`).
2. A plan given as volumes has no velocity: refused. So are time tolerances: what a craft may
   move in them is uncertainty of its place.
3. `margin_m` is the least of the greater of (lateral distance less DTHR) and (difference of
   height less ZTHR) while well clear is lost; `short_by_s` is how much less than TTHR the time
   to go was. The leaf ends with what gave the margin: lateral, vertical, or time (to go) where
   well clear was lost by tau alone.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from keepclear.agreement.assess import Assessment, assess
from keepclear.agreement.leaves import KeepWellClear
from keepclear.agreement.separation import Rule, RuleSet, zone_number
from keepclear.agreement.terms import well_clear_rules
from keepclear.checks.binding import Bound, Kinds
from keepclear.checks.pairing import Kernel, Pair
from keepclear.checks.prepare import Prepared
from keepclear.detect import sweep as column
from keepclear.detect.cylinders import Cylinder
from keepclear.detect.do365 import WellClear
from keepclear.detect.fragments import Fragments, take_pair
from keepclear.detect.index import Detected, near_pairs
from keepclear.detect.kernel import limits_of
from keepclear.detect.live_alerts import sweep_well_clear_all, well_clear_limits
from keepclear.detect.well_clear_sweep import WellClearLimits
from keepclear.errors import RulesError
from keepclear.units import TMM_PER_M, US_PER_S

Integers = npt.NDArray[np.int64]
Rows = npt.NDArray[np.float64]
Tell = Callable[[float, str], None]

SPEED_ERROR: Final = 1.001


@dataclass(frozen=True, kw_only=True, eq=False)
class WellClearAsked:
    """What binds the plans of a check: kinds as `compare` takes them, and the same as limits."""

    kinds: Kinds
    limits: dict[tuple[int, int], WellClearLimits]


def ask_well_clear(
    prepared: Prepared, rule_set: RuleSet, *, vertical_tolerance_tmm: int
) -> WellClearAsked | None:
    """Return what is asked for, None where the rule set holds minima alone.

    The vertical tolerance comes off each ZTHR. `RulesError` where the plans have no times, or
    may run early or late.
    """
    live = [rule for rule in rule_set.rules if isinstance(rule.holds, KeepWellClear)]
    if not live:
        return None
    _check_decidable(prepared, rule_set, live[0])
    numbers: dict[str, int] = {}
    of_plan = [numbers.setdefault(plan.category, len(numbers)) for plan in prepared.plans]
    named = list(numbers)
    asked = {
        (i, j): well_clear_rules(rule_set, named[i], named[j])
        for j in range(len(named)) for i in range(j + 1)
    }  # fmt: skip
    bound: dict[tuple[int, int], Bound] = {
        kinds: tuple((rule, _as_cylinder(volume)) for rule, volume in rules)
        for kinds, rules in asked.items()
    }
    limits = {
        kinds: _limits(rule_set, rules, vertical_tolerance_tmm)
        for kinds, rules in asked.items() if rules
    }  # fmt: skip
    kinds = Kinds(np.array(of_plan, dtype=np.int64), bound)
    return WellClearAsked(kinds=kinds, limits=limits)


def _limits(
    rule_set: RuleSet, rules: Sequence[tuple[Rule, WellClear]], less_tmm: int
) -> WellClearLimits:
    zones = [-1 if rule.zone is None else zone_number(rule_set, rule.zone) for rule, _ in rules]
    limits = well_clear_limits([volume for _, volume in rules], less_tmm=less_tmm)
    return limits._replace(zone=np.array(zones, dtype=np.int64))


def _check_decidable(prepared: Prepared, rule_set: RuleSet, live: Rule) -> None:
    others = [rule.id for rule in rule_set.rules if not isinstance(rule.holds, KeepWellClear)]
    if others:
        raise RulesError(
            f"rules {live.id} (well clear) and {others[0]} (minima) stand in one rule set; put "
            "them into two and check against each"
        )
    area = next((plan for plan in prepared.plans if plan.area is not None), None)
    if area is not None:
        raise RulesError(
            f"rule {live.id}: plan {area.name!r} ({area.file}) is given as volumes, which say "
            "neither where it is at a time nor how fast it moves, so the time to go is not known; "
            "give it as timed positions, or check it with minima, such as en-route"
        )
    points = prepared.points
    if points.early_us.any() or points.late_us.any():
        raise RulesError(
            f"rule {live.id}: well clear is looked at where both are at one time, so it takes no "
            "tolerance or uncertainty of time; give what a craft may move in it as lateral "
            "uncertainty"
        )


def _as_cylinder(volume: WellClear) -> Cylinder:
    """Return what `assess` reads of a volume: its one leaf, and TTHR as the time leaf's."""
    return Cylinder(
        lateral_tmm=round(volume.dthr_m * TMM_PER_M), vertical_tmm=round(volume.zthr_m * TMM_PER_M),
        time_us=round(volume.tthr_s * US_PER_S) or None,
        lateral_leaf=0, vertical_leaf=0, time_leaf=0,
    )  # fmt: skip


def detect_well_clear(
    asked: WellClearAsked, kernel: Kernel, prepared: Prepared, groups: Integers, tell: Tell,
    *, within_party: bool,
) -> list[tuple[Detected, Bound]]:  # fmt: skip
    """Return the rows of all pairs, for each pair of kinds apart."""
    if not len(prepared.with_points):
        return []
    tell(0.2, "looking for plans that come close")
    a, b, from_us, to_us = _near(asked, kernel, groups, within_party=within_party)
    kind = asked.kinds.of_plan[prepared.with_points]
    low, high = np.minimum(kind[a], kind[b]), np.maximum(kind[a], kind[b])
    found = []
    for (i, j), bound in asked.kinds.bound.items():
        mine = (low == i) & (high == j)
        if bound and mine.any():
            tell(0.6, "computing where well clear is lost")
            rows = sweep_well_clear_all(
                kernel.functions, kernel.fragments, asked.limits[i, j],
                a[mine], b[mine], from_us[mine], to_us[mine],
            )  # fmt: skip
            found.append((rows, bound))
    return found


def _near(
    asked: WellClearAsked, kernel: Kernel, groups: Integers, *, within_party: bool
) -> tuple[Integers, Integers, Integers, Integers]:
    """Return the pairs that can lose well clear, and from when to when.

    By tau it is lost up to TTHR times the speed of both beyond DTHR, so each plan is given
    that much room about it.
    """
    every = list(asked.limits.values())
    tthr_s = max(float(limits.tthr_s.max()) for limits in every)
    dthr_m = max(float(limits.dthr_m.max()) for limits in every)
    by_time = any(limits.tcoa_s.any() for limits in every)
    widest = Cylinder(
        lateral_tmm=math.ceil(dthr_m * TMM_PER_M),
        vertical_tmm=None if by_time else max(int(limits.zthr_tmm.max()) for limits in every),
    )
    f = kernel.fragments
    roomy = f._replace(
        leg_lateral_m=2.0 * f.leg_lateral_m + tthr_s * SPEED_ERROR * _leg_speeds_mps(f)
    )
    return near_pairs(
        kernel.functions, roomy, groups, within_party, kernel.give(limits_of([widest])),
        given=kernel.give(roomy),
    )  # fmt: skip


def _leg_speeds_mps(f: Fragments) -> npt.NDArray[np.float64]:
    """Return the greatest speed on each leg."""
    lasts_s = (f.end_us - f.start_us) * 1e-6
    way_m = np.sqrt((f.qx - f.px) ** 2 + (f.qy - f.py) ** 2 + (f.qz - f.pz) ** 2)
    speeds = np.divide(way_m, lasts_s, out=np.zeros_like(way_m), where=lasts_s > 0)
    fastest = np.zeros(len(f.leg_start_us))
    np.maximum.at(fastest, f.leg, speeds)
    return fastest


def assess_well_clear(
    asked: WellClearAsked, kernel: Kernel, pair: Pair, rows: Rows
) -> tuple[Assessment, float | None]:
    """Return what the rows of a pair amount to, and the margin without uncertainty.

    The latter is None where without uncertainty well clear is not lost.
    """
    found = assess(rows, pair.bound, {})
    found = found._replace(leaf=f"{found.leaf}/{_part(found, rows)}")
    f = take_pair(kernel.fragments, pair.a, pair.b, 0)
    if not (f.leg_lateral_m.any() or f.leg_vertical_tmm.any()):
        return found, found.margin_m
    limits = next(
        asked.limits[kinds] for kinds, each in asked.kinds.bound.items() if each is pair.bound
    )
    limits = limits._replace(uncertainty=np.zeros_like(limits.uncertainty))
    both, always = (np.array([0]), np.array([1])), np.array([2**62])
    bare = sweep_well_clear_all(kernel.functions, f, limits, *both, -always, always)
    margins = bare.rows[:, column.MARGIN_M]
    known = margins[~np.isnan(margins)]
    return found, float(known.min()) if len(known) else None


def _part(found: Assessment, rows: Rows) -> str:
    """Return which part of well clear gave the margin: the word a leaf of minima would have."""
    if found.margin_m is None or found.margin_m >= 0:
        return "lateral" if found.margin_m is None else "time"
    row = rows[int(np.nanargmin(rows[:, column.MARGIN_M]))]
    return "vertical" if row[column.MARGIN_LEAF] == 1 else "lateral"
