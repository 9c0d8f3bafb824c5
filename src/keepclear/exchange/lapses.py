# SPDX-License-Identifier: Apache-2.0
"""Until when an operation that time alone has ended stays in conflict with another.

Its owner is told at its end. At that instant the other side would read its end to the microsecond
from what it was shown as a band of an hour: so for the other side it lasts to the end of that band.

1. What ends by time stays in the conflicts that it is in, and raises no other, until the end of
   the times that the other side is shown: widened, with what it may be late, rounded outward.
   The conflict then expires (`rechecking.expire`).
2. Where no times are shown, as of what is on the ground, they are rounded to the shortest that is
   compared, half an hour unless another is agreed. Where everything is shown nothing is rounded.
3. Until then the other side sees it as it stood last, and it is compared as it stood last.
4. What its owner ends or cancels is over at once, for everybody.
5. When that will be follows from the world alone. It is noted anew whenever a pair is looked at or
   an agreement stands otherwise, as what is shown may have changed.
"""

from collections.abc import Callable, Iterator
from typing import Protocol

from msgspec.structs import replace

from keepclear.agreement.claims import Claim
from keepclear.agreement.clauses import Field, ProbingBound
from keepclear.exchange.disclosure import Grants
from keepclear.exchange.rounding import times_of
from keepclear.exchange.world import World
from keepclear.plans.conflicts import GONE_ON
from keepclear.plans.operations import (
    Operation,
    State,
    as_compared,
    claim_of,
    protects_until_us,
)


class Binding(Protocol):
    """What binds the two parties of a pair (`deciding.Between`)."""

    @property
    def grants(self) -> Grants:
        """Return what is shown."""

    def bound(self, one: Operation, other: Operation) -> ProbingBound | None:
        """Return what the two are widened to, None for nothing."""


def as_stood(world: World, operation: Operation) -> Operation:
    """Return an operation as it stands, or, where it is over, as it stood when it protected last.

    *Accepted* as *filed*: others see no difference.
    """
    if operation.is_protecting:
        return operation
    kept = world.earlier.get(f"{operation.id}/{operation.version}")
    return replace(operation, state=State.FILED) if kept is None else kept


def lapse_us(world: World, operation: Operation, other: Operation, between: Binding) -> int:
    """Return when an operation that time ends is over for the other side of a conflict."""
    stood = as_stood(world, operation)
    grants, bound = between.grants.of(stood), between.bound(stood, other)
    grain_us = 0
    if not grants.is_everything:
        has_times = grants.has(Field.TIME_BAND)
        grain_us = grants.time_grain_us if has_times or bound is None else bound.lasts_us
    return times_of(claim_of(as_compared(stood, bound)), grain_us)[1]


def lapses_of(
    world: World, operation: Operation, between: Callable[[str, str], Binding]
) -> Iterator[tuple[int, str]]:
    """Yield when conflicts of an operation lapse, each with the one of the two that time has ended.

    Of those that go on. between: what binds two parties.
    """
    for conflict in world.conflicts_of(operation.id):
        if conflict.state not in GONE_ON:
            continue
        a, b = (world.operations[each] for each in (conflict.a, conflict.b))
        for one, other in ((a, b), (b, a)):
            if not one.is_protecting:
                yield lapse_us(world, one, other, between(one.party, other.party)), one.id


def is_there(
    world: World, operation: Operation, other: Operation, between: Binding, now_us: int
) -> bool:
    """Tell whether an operation is still in its conflict with another."""
    if operation.is_protecting:
        return True
    ended_us = protects_until_us(as_stood(world, operation))
    return ended_us <= now_us < lapse_us(world, operation, other, between)


def has_open(world: World, operation: Operation) -> bool:
    """Tell whether an operation is in a conflict that goes on."""
    return any(each.state in GONE_ON for each in world.conflicts_of(operation.id))


def is_kept(world: World, operation: Operation) -> bool:
    """Tell whether the index has an operation."""
    return operation.is_protecting or has_open(world, operation)


def kept_claim(world: World, operation: Operation | None) -> Claim | None:
    """Return what the index has of an operation, None where it has nothing."""
    if operation is None or not is_kept(world, operation):
        return None
    return claim_of(as_stood(world, operation))
