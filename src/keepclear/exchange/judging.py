# SPDX-License-Identifier: Apache-2.0
"""Which of many operations break what binds them with one: asked of the kept index, all at once.

The answer is that of `breaches` for each pair. Where numbers are not told, that a rule is broken
is all there is to know, and two points that are near enough may show it; where a pair is bound by
how long it may stay, or is not kept as wide as it is judged, `breaches` is asked.
"""

from collections.abc import Sequence
from typing import NamedTuple

from keepclear.agreement.binding import Minima
from keepclear.agreement.claims import Breach, MereBreach, breaches
from keepclear.exchange.deciding import Between, Deciding
from keepclear.plans.operations import Operation

Found = Breach | MereBreach


class _Alike(NamedTuple):
    """Operations for which the same cylinders are asked about."""

    between: Between
    minima: tuple[Minima, ...]
    others: list[Operation]


def broken_with(
    deciding: Deciding, operation: Operation, others: Sequence[Operation]
) -> dict[str, tuple[Found, ...]]:
    """Return of each of some operations what it breaks with one; all of them are kept."""
    found: dict[str, tuple[Found, ...]] = {}
    alike: dict[tuple[object, ...], _Alike] = {}
    for other in others:
        between = deciding.between(operation.party, other.party)
        minima = deciding.minima(operation, other)
        if between.grants.is_everything or not deciding.near.is_kept_as_judged(
            operation.id, other.id, between.probing
        ):
            found[other.id] = _breaches(deciding, operation, other, between, minima)
            continue
        rules = tuple(id(each.rules) for each in minima)
        key = (other.party, other.craft_class, other.has_rvsm, rules)
        alike.setdefault(key, _Alike(between, minima, [])).others.append(other)
    for each in alike.values():
        found |= _of_alike(deciding, operation, each)
    return found


def _of_alike(
    deciding: Deciding, operation: Operation, alike: _Alike
) -> dict[str, tuple[Found, ...]]:
    """Return what operations break that are all bound by the same cylinders."""
    ids = [other.id for other in alike.others]
    found: dict[str, tuple[Found, ...]] = dict.fromkeys(ids, ())
    for minima in alike.minima:
        inside = deciding.near.inside(operation.id, ids, minima.rules)
        breach = (MereBreach(minima.agreement, minima.clause),)
        for other_id in inside:
            found[other_id] += breach
    return found


def _breaches(
    deciding: Deciding, operation: Operation, other: Operation, between: Between,
    minima: Sequence[Minima],
) -> tuple[Breach, ...]:  # fmt: skip
    one, two = (deciding.near.compiled(each.id, between.probing) for each in (operation, other))
    return breaches(deciding.functions, one, two, minima)
