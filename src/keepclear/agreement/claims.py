# SPDX-License-Identifier: Apache-2.0
"""What can be conflicted with, and whether two of it break a rule.

A claim is whatever takes up a place for a time: an operation, a closure, the volume round a
call. It is compared by its volumes alone, grown by what it may be off by.

1. A pair is compared in the order of the ids, so judging (a, b) and (b, a) gives the same bits.
2. Each agreement that binds a pair is judged apart; any that is broken is a breach.
3. A rule with a duration leaf is judged without it: whoever is inside is in conflict, however
   short the stay.
"""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import msgspec
import numpy as np

from keepclear.agreement.assess import Assessment, assess
from keepclear.agreement.binding import Minima
from keepclear.agreement.findings import Verdict
from keepclear.agreement.separation import RuleSet
from keepclear.agreement.terms import cylinders, cylinders_of
from keepclear.airspace.volumes import Volume4D
from keepclear.detect.compiled import plain
from keepclear.detect.cylinders import Cylinder
from keepclear.detect.datums import Datums
from keepclear.detect.index import farthest_m
from keepclear.detect.kernel import Functions, limits_of
from keepclear.detect.quick_volumes import compile_plan
from keepclear.detect.skeletons import Tolerance, Volumes
from keepclear.detect.sweep import COLUMNS

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
    tolerance = Tolerance(
        lateral_m=claim.lateral_tmm / 10_000, vertical_tmm=claim.vertical_tmm,
        early_us=claim.early_us, late_us=claim.late_us,
    )  # fmt: skip
    return Compiled(claim, compile_plan(functions or plain(), claim.volumes, datums, tolerance))


def breaches(
    functions: Functions, one: Compiled, other: Compiled, minima: Iterable[Minima]
) -> tuple[Breach, ...]:
    """Return what two claims break, of all that binds them: rules that hold are left out."""
    a, b = sorted((one, other), key=lambda each: each.claim.id)
    found = []
    for each in minima:
        assessment = judge(functions, a, b, each.rules)
        if assessment is not None and assessment.verdict in COUNTS:
            found.append(Breach(each.agreement, each.clause, assessment))
    return tuple(found)


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
    limits = limits_of([cylinder for _, cylinder in bound])
    of_a, of_b = _all_pairs(a.volumes.volumes, b.volumes.volumes)
    room = 4 * len(of_a) * len(bound)
    rows, row_pair = np.empty((room, COLUMNS)), np.empty(room, dtype=np.int64)
    _, count = functions.overlap_pairs(
        a.volumes, b.volumes, limits, farthest_m(limits), of_a, of_b,
        np.zeros(len(of_a), dtype=np.int64), 0, len(of_a), rows, row_pair, 0,
    )  # fmt: skip
    return assess(rows[:count], bound, {}) if count else None


def _all_pairs(count_a: int, count_b: int) -> Sequence[Any]:
    return (
        np.repeat(np.arange(count_a), count_b),
        np.tile(np.arange(count_b), count_a),
    )  # fmt: skip
