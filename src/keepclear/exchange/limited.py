# SPDX-License-Identifier: Apache-2.0
"""LIMITED: two operations within the minima for no longer than a rule with a duration allows.

It is listed and told to both, and is no conflict: nobody must act, and nothing is held back.

1. It is told whenever one of the two is filed or changed, or the rules between them are, and they
   are in no conflict.
2. What is told is that it is so, and by which clauses: nothing else of the other operation.
3. One entry holds at most 1,000 of an operation, the soonest first; its owner is told how many
   more there are.
"""

from collections.abc import Iterable, Sequence
from typing import Final

from keepclear.agreement.binding import Minima
from keepclear.agreement.claims import Compiled, has_duration, limited
from keepclear.detect.kernel import Functions
from keepclear.exchange.deciding import Deciding
from keepclear.exchange.events import Limit, LimitedFound, MoreLimited
from keepclear.exchange.judging import soonest
from keepclear.plans.operations import Operation

MOST: Final = 1_000


def tell_limited(deciding: Deciding, operation: Operation, others: Sequence[str]) -> None:
    """Tell of those that an operation is LIMITED with.

    others: ids of operations near it that it is in no conflict with.
    """
    if not others:
        return
    found = [
        made for each in soonest(deciding, others)
        if (made := _found(deciding, operation, deciding.world.operations[each])) is not None
    ]  # fmt: skip
    # by id: the order of their starts would show in the order of what is told
    told = [each for _, _, each in deciding.parts if isinstance(each, LimitedFound)]
    for event in sorted(found[:MOST], key=lambda each: (each.a, each.b)):
        if event not in told:  # both were looked at again in this entry
            deciding.emit(event.parties, event)
    if len(found) > MOST:
        deciding.emit([operation.party], MoreLimited(id=operation.id, more=len(found) - MOST))


def limits_of(
    functions: Functions, one: Compiled, other: Compiled, minima: Iterable[Minima]
) -> tuple[Limit, ...]:
    """Return the rules by which two claims are LIMITED."""
    return tuple(
        Limit(agreement=each.agreement, clause=each.clause, rule=each.found.rule)
        for each in limited(functions, one, other, minima)
    )


def _found(deciding: Deciding, operation: Operation, other: Operation) -> LimitedFound | None:
    minima = deciding.minima(operation, other)
    if not any(has_duration(each.rules) for each in minima):
        return None
    bound = deciding.between(operation.party, other.party).bound(operation, other)
    one, two = (deciding.near.compiled(each.id, bound) for each in (operation, other))
    limits = limits_of(deciding.functions, one, two, minima)
    if not limits:
        return None
    a, b = sorted((operation, other), key=lambda each: each.id)
    return LimitedFound(a=a.id, b=b.id, parties=(a.party, b.party), limits=limits)
