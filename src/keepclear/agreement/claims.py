# SPDX-License-Identifier: Apache-2.0
"""What can be conflicted with, and whether two of it break a rule.

A claim is whatever takes up a place for a time: an operation, a closure, the volume round a
call. It is compared by its volumes alone, grown by what it may be off by.

1. A pair is compared in the order of the ids, so judging (a, b) and (b, a) gives the same bits.
2. Each agreement that binds a pair is judged apart; any that is broken is a breach.
3. A duration leaf is judged as `stays` says, shift by shift. Between two volumes of a claim with
   time between them it is not known where the claim is: a gap, which joins what is inside before
   and after. LIMITED is no breach.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec
import numpy as np

from keepclear.agreement.assess import Assessment, assess
from keepclear.agreement.binding import Minima
from keepclear.agreement.findings import Interval, Verdict
from keepclear.agreement.insides import Rows, look_at, with_guard
from keepclear.agreement.separation import Rule, RuleSet
from keepclear.agreement.stays import Asked, Clock, Stay, judge_stay, shifts_between
from keepclear.agreement.terms import cylinders, cylinders_of
from keepclear.airspace.volumes import Volume4D
from keepclear.detect import sweep as column
from keepclear.detect.compiled import plain
from keepclear.detect.cylinders import Cylinder
from keepclear.detect.datums import Datums
from keepclear.detect.index import farthest_m
from keepclear.detect.kernel import Functions, limits_of
from keepclear.detect.quick_volumes import Plan, compile_plan, compile_plans
from keepclear.detect.skeletons import Tolerance, Volumes

COUNTS: frozenset[Verdict] = frozenset({
    Verdict.CONFLICT, Verdict.UNDETERMINED, Verdict.BOUNDARY,
})  # fmt: skip


class Claim(msgspec.Struct, frozen=True, kw_only=True):
    """A place that is taken for a time, and by whom.

    craft_class: what separation rules go by. has_rvsm: approved for reduced vertical separation.
    lateral_tmm, vertical_tmm, early_us, late_us: what it may be off by.
    """

    id: str
    party: str
    craft_class: str
    has_rvsm: bool
    volumes: tuple[Volume4D, ...]
    lateral_tmm: int = 0
    vertical_tmm: int = 0
    early_us: int = 0
    late_us: int = 0


class Compiled(NamedTuple):
    """A claim with its volumes as arrays."""

    claim: Claim
    volumes: Volumes


class Breach(NamedTuple):
    """A rule that is broken: by which agreement (empty: the house rule), clause, and how."""

    agreement: str
    clause: str
    found: Assessment


class MereBreach(NamedTuple):
    """A rule that is broken, where it was asked only whether it is."""

    agreement: str
    clause: str
    found: None = None


def compile_claim(claim: Claim, datums: Datums, functions: Functions | None = None) -> Compiled:
    """Return a claim as arrays. datums: the ones of everything it is compared with.

    functions: where they are compiled it takes less time; the bits are the same.
    """
    volumes = compile_plan(functions or plain(), claim.volumes, datums, _tolerance(claim))
    return Compiled(claim, volumes)


def compile_claims(
    claims: Sequence[Claim], datums: Datums, functions: Functions
) -> Iterator[tuple[list[int], Volumes]]:
    """Yield the numbers of some claims, and their volumes one claim after another, until all are.

    As `compile_claim` of each, in less time.
    """
    yield from compile_plans(
        functions, [Plan(each.volumes, _tolerance(each)) for each in claims], datums
    )


def _tolerance(claim: Claim) -> Tolerance:
    return Tolerance(
        lateral_m=claim.lateral_tmm / 10_000, vertical_tmm=claim.vertical_tmm,
        early_us=claim.early_us, late_us=claim.late_us,
    )  # fmt: skip


def breaches(
    functions: Functions, one: Compiled, other: Compiled, minima: Iterable[Minima]
) -> tuple[Breach, ...]:
    """Return what two claims break, of all that binds them: rules that hold are left out."""
    found = _found(functions, one, other, minima)
    return tuple(each for each in found if each.found.verdict in COUNTS)


def limited(
    functions: Functions, one: Compiled, other: Compiled, minima: Iterable[Minima]
) -> tuple[Breach, ...]:
    """Return the rules within whose minima two claims are for no longer than a duration allows."""
    with_duration = [each for each in minima if has_duration(each.rules)]
    found = _found(functions, one, other, with_duration)
    return tuple(each for each in found if each.found.verdict is Verdict.LIMITED)


def has_duration(rules: RuleSet) -> bool:
    """Tell whether some rule of a set has a duration leaf: it then has a floor, and only then."""
    return any(rule.floor is not None for rule in rules.rules)


def _found(
    functions: Functions, one: Compiled, other: Compiled, minima: Iterable[Minima]
) -> list[Breach]:
    a, b = sorted((one, other), key=lambda each: each.claim.id)
    judged = [(each, judge(functions, a, b, each.rules)) for each in minima]
    return [
        Breach(each.agreement, each.clause, found) for each, found in judged if found is not None
    ]


def every_cylinder(rule_sets: Iterable[RuleSet]) -> list[Cylinder]:
    """Return all ways to break any of some rules, for any classes, each once."""
    return list(dict.fromkeys(
        cylinder
        for rules in rule_sets
        for rule in rules.rules
        for rvsm in (False, True)
        for cylinder in cylinders_of(rule, rvsm=rvsm)
    ))  # fmt: skip


def judge(functions: Functions, a: Compiled, b: Compiled, rules: RuleSet) -> Assessment | None:
    """Return what a pair amounts to under one set of rules, None where it is never inside.

    a: the one whose id comes first.
    """
    bound = cylinders(
        rules, a.claim.craft_class, b.claim.craft_class,
        rvsm_a=a.claim.has_rvsm, rvsm_b=b.claim.has_rvsm,
    )  # fmt: skip
    rows = _rows(functions, a, b, [cylinder for _, cylinder in bound])
    return assess(rows, bound, _stays(functions, a, b, bound, rows)) if len(rows) else None


def _stays(
    functions: Functions, a: Compiled, b: Compiled, bound: Sequence[tuple[Rule, Cylinder]],
    rows: Rows,
) -> Mapping[int, Stay]:  # fmt: skip
    """Return what the duration leaves say, for the cylinders that have one, by number."""
    stays = {}
    for number, (_, cylinder) in enumerate(bound):
        if cylinder.duration_us is None or not (rows[:, column.CYLINDER] == number).any():
            continue
        inside = _rows(functions, a, b, [with_guard(cylinder)])
        one, other = _clock(a.claim), _clock(b.claim)
        asked = Asked(
            look_at(inside), one, other, _gaps(a.claim), _gaps(b.claim), cylinder.duration_us,
            cylinder.reset_us,
        )  # fmt: skip
        is_known = inside[:, column.VERDICT] != column.UNDETERMINED
        known = None if is_known.all() else look_at(inside[is_known])
        stays[number] = judge_stay(asked, known, shifts_between(one, other, cylinder.time_us or 0))
    return stays


def _clock(claim: Claim) -> Clock:
    """Return when a claim is there: from its first volume's start to its last one's end."""
    return Clock(
        min(each.start_us for each in claim.volumes), max(each.end_us for each in claim.volumes),
        claim.early_us, claim.late_us,
    )  # fmt: skip


def _gaps(claim: Claim) -> list[Interval]:
    """Return the times between volumes of a claim at which it is in none."""
    gaps = []
    ordered = sorted(claim.volumes, key=lambda each: each.start_us)
    until_us = ordered[0].end_us
    for each in ordered[1:]:
        if each.start_us > until_us:
            gaps.append(Interval(start_us=until_us, end_us=each.start_us))
        until_us = max(until_us, each.end_us)
    return gaps


def _rows(
    functions: Functions, a: Compiled, b: Compiled, cylinders_asked: Sequence[Cylinder]
) -> Rows:
    """Return where two claims are inside some cylinders, over all shifts."""
    limits = limits_of(list(cylinders_asked))
    of_a, of_b = _all_pairs(a.volumes.volumes, b.volumes.volumes)
    room = 4 * len(of_a) * len(cylinders_asked)
    rows, row_pair = np.empty((room, column.COLUMNS)), np.empty(room, dtype=np.int64)
    _, count = functions.overlap_pairs(
        a.volumes, b.volumes, limits, farthest_m(limits), of_a, of_b,
        np.zeros(len(of_a), dtype=np.int64), 0, len(of_a), rows, row_pair, 0,
    )  # fmt: skip
    return rows[:count]


def _all_pairs(count_a: int, count_b: int) -> Sequence[Any]:
    return (
        np.repeat(np.arange(count_a), count_b),
        np.tile(np.arange(count_b), count_a),
    )  # fmt: skip
