# SPDX-License-Identifier: Apache-2.0
"""Which of many operations break what binds them with one: asked of the kept index, all at once.

The answer is that of `breaches` for each pair. Where numbers are not told, that a rule is broken
is all there is to know, and two points that are near enough may show it; where a pair is bound by
how long it may stay, or is not kept as wide as it is judged, `breaches` is asked.
"""

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from keepclear.agreement.binding import Minima
from keepclear.agreement.claims import Breach, MereBreach, breaches, has_duration
from keepclear.exchange.deciding import Deciding
from keepclear.exchange.objects import Rechecking
from keepclear.plans.operations import Operation

Found = Breach | MereBreach
NOTHING: Final = Rechecking()


class _Alike(NamedTuple):
    """What operations have in common for which the same is asked in the same way.

    between: the id of what binds their party. party: empty unless it is RE-CHECKING, by the rules
    between the two before.
    """

    between: int
    party: str
    craft_class: str
    has_rvsm: bool
    is_grounded: bool
    waits: tuple[str, ...]
    is_as_filed: bool


def broken_with(
    deciding: Deciding, operation: Operation, others: Sequence[Operation]
) -> dict[str, tuple[Found, ...]]:
    """Return of each of some operations what it breaks with one; all of them are kept."""
    alike: dict[_Alike, list[Operation]] = {}
    rechecking, near = deciding.world.rechecking, deciding.near
    own_waits = rechecking.get(operation.id, NOTHING).waits
    for other in others:
        waits = rechecking.get(other.id, NOTHING).waits
        key = _Alike(
            id(deciding.between(operation.party, other.party)),
            other.party if waits or own_waits else "", other.craft_class, other.has_rvsm,
            other.is_grounded, waits, near.is_as_filed(other.id),
        )  # fmt: skip
        alike.setdefault(key, []).append(other)
    found: dict[str, tuple[Found, ...]] = {}
    for each in alike.values():
        found |= _of_alike(deciding, operation, each)
    return found


def soonest(deciding: Deciding, others: Iterable[str]) -> list[str]:
    """Return operations, by their ids, in the order of their starts and then of their filing."""
    world = deciding.world
    return sorted(others, key=lambda each: (world.operations[each].start_us, world.places[each]))


def _of_alike(
    deciding: Deciding, operation: Operation, others: Sequence[Operation]
) -> dict[str, tuple[Found, ...]]:
    """Return what operations break that are all alike."""
    minima = deciding.minima(operation, others[0])
    bound = deciding.between(operation.party, others[0].party).bound(operation, others[0])
    if any(has_duration(each.rules) for each in minima) or not (
        deciding.near.is_kept_as_judged(operation.id, others[0].id, bound)
    ):
        return {other.id: _breaches(deciding, operation, other, minima) for other in others}
    ids = [other.id for other in others]
    found: dict[str, tuple[Found, ...]] = dict.fromkeys(ids, ())
    for each in minima:
        breach = (MereBreach(each.agreement, each.clause),)
        for other_id in deciding.near.inside(operation.id, ids, each.rules):
            found[other_id] += breach
    if bound is None:  # all is shown, and so the numbers of what is compared are told
        for other in others:
            if found[other.id]:
                found[other.id] = _breaches(deciding, operation, other, minima)
    return found


def _breaches(
    deciding: Deciding, operation: Operation, other: Operation, minima: Sequence[Minima]
) -> tuple[Found, ...]:
    bound = deciding.between(operation.party, other.party).bound(operation, other)
    one, two = (deciding.near.compiled(each.id, bound) for each in (operation, other))
    return breaches(deciding.functions, one, two, minima)
