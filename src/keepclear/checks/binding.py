# SPDX-License-Identifier: Apache-2.0
"""Which cylinders bind which plans: rules by class and RVSM approval, once for each kind of pair.

A *kind* is a class and whether the plan has RVSM approval; plans of one kind have the same rules.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from msgspec.structs import replace

from keepclear.agreement.quantities import vertical_text
from keepclear.agreement.separation import Rule, RuleSet
from keepclear.agreement.terms import cylinders
from keepclear.checks.prepare import Plan
from keepclear.detect.cylinders import Cylinder
from keepclear.errors import InputError

Integers = npt.NDArray[np.int64]
Bound = tuple[tuple[Rule, Cylinder], ...]


class Kinds(NamedTuple):
    """The kind of each plan, and the cylinders for each pair of kinds (lower number first)."""

    of_plan: Integers
    bound: dict[tuple[int, int], Bound]

    def all_cylinders(self) -> list[Cylinder]:
        """Return the cylinders of all pairs of kinds."""
        return [cylinder for bound in self.bound.values() for _, cylinder in bound]


def bind(
    plans: Sequence[Plan], rule_set: RuleSet, *, rvsm: bool, vertical_tolerance_tmm: int
) -> Kinds:
    """Return the kinds of the plans and what binds them; rvsm: where a plan does not say.

    The vertical tolerance comes off each vertical minimum, once a pair; `InputError` where
    nothing of one would be left. `RulesError` where a rule cannot be decided from two paths
    alone.
    """
    kinds: dict[tuple[str, bool], int] = {}
    of_plan = [
        kinds.setdefault((p.category, rvsm if p.rvsm is None else p.rvsm), len(kinds))
        for p in plans
    ]  # fmt: skip
    named = list(kinds)
    bound = {
        (i, j): tuple(
            (rule, _less(rule, cylinder, vertical_tolerance_tmm))
            for rule, cylinder in cylinders(
                rule_set, named[i][0], named[j][0], rvsm_a=named[i][1], rvsm_b=named[j][1]
            )
        )
        for j in range(len(named)) for i in range(j + 1)
    }  # fmt: skip
    return Kinds(np.array(of_plan, dtype=np.int64), bound)


def _less(rule: Rule, cylinder: Cylinder, tolerance_tmm: int) -> Cylinder:
    if cylinder.vertical_tmm is None or tolerance_tmm == 0:
        return cylinder
    if tolerance_tmm >= cylinder.vertical_tmm:
        minimum = vertical_text(cylinder.vertical_tmm)
        raise InputError(
            "vertical-tolerance", vertical_text(tolerance_tmm),
            f"leaves nothing of the vertical minimum {minimum} (rule {rule.id}), so that "
            "nothing would be found", "give less",
        )  # fmt: skip
    return replace(cylinder, vertical_tmm=cylinder.vertical_tmm - tolerance_tmm)
