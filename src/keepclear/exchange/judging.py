# SPDX-License-Identifier: Apache-2.0
"""Which of many operations break what binds them with one: asked of the kept index, all at once.

The answer is that of `breaches` for each pair. Where numbers are not told, that a rule is broken
is all there is to know, and two points that are near enough may show it; where a pair is bound by
how long it may stay, or is not kept as wide as it is judged, `breaches` is asked.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from keepclear.agreement.binding import Minima
from keepclear.agreement.claims import Breach, MereBreach, breaches, has_duration
from keepclear.exchange.deciding import Deciding
from keepclear.plans.operations import Operation

Found = Breach | MereBreach


class _Alike(NamedTuple):
    """Operations for which the same cylinders are asked about.

    with_numbers: and how near they come.
    """

    minima: tuple[Minima, ...]
    with_numbers: bool
    others: list[Operation]


def broken_with(
    deciding: Deciding, operation: Operation, others: Sequence[Operation]
) -> dict[str, tuple[Found, ...]]:
    """Return of each of some operations what it breaks with one; all of them are kept."""
    found: dict[str, tuple[Found, ...]] = {}
    alike: dict[tuple[object, ...], _Alike] = {}
    for other in others:
        minima = deciding.minima(operation, other)
        bound = deciding.between(operation.party, other.party).bound(operation, other)
        if any(has_duration(each.rules) for each in minima) or not (
            deciding.near.is_kept_as_judged(operation.id, other.id, bound)
        ):
            found[other.id] = _breaches(deciding, operation, other, minima)
            continue
        rules = tuple(id(each.rules) for each in minima)
        # where no bound is on what is compared all is shown, and so the numbers of what is compared
        key = (other.party, other.craft_class, other.has_rvsm, bound is None, rules)
        alike.setdefault(key, _Alike(minima, bound is None, [])).others.append(other)
    for each in alike.values():
        found |= _of_alike(deciding, operation, each)
    return found


def soonest(deciding: Deciding, others: Iterable[str]) -> list[str]:
    """Return operations, by their ids, in the order of their starts and then of their filing."""
    world = deciding.world
    return sorted(others, key=lambda each: (world.operations[each].start_us, world.places[each]))


def _of_alike(
    deciding: Deciding, operation: Operation, alike: _Alike
) -> dict[str, tuple[Found, ...]]:
    """Return what operations break that are all bound by the same cylinders."""
    ids = [other.id for other in alike.others]
    found: dict[str, tuple[Found, ...]] = dict.fromkeys(ids, ())
    for minima in alike.minima:
        breach = (MereBreach(minima.agreement, minima.clause),)
        for other_id in deciding.near.inside(operation.id, ids, minima.rules):
            found[other_id] += breach
    if alike.with_numbers:
        for other in alike.others:
            if found[other.id]:
                found[other.id] = _breaches(deciding, operation, other, alike.minima)
    return found


def _breaches(
    deciding: Deciding, operation: Operation, other: Operation, minima: Sequence[Minima]
) -> tuple[Found, ...]:
    bound = deciding.between(operation.party, other.party).bound(operation, other)
    one, two = (deciding.near.compiled(each.id, bound) for each in (operation, other))
    return breaches(deciding.functions, one, two, minima)
