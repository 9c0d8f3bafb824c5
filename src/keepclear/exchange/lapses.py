# SPDX-License-Identifier: Apache-2.0
"""Until when an operation that time alone has ended stays in conflict with another.

Its owner is told at its end. At that instant the other side would read its end to the microsecond
from what it was shown as a band of an hour: so for the other side it lasts to the end of that band.

1. What ends by time stays in the conflicts that it is in, and raises no other, until the end of
   the times that the other side is shown: widened, with what it may be late, rounded outward.
2. Where no times are shown they are rounded to the shortest that is compared, half an hour unless
   another is agreed. Where everything is shown nothing is rounded.
3. Until then the other side sees it as it stood last, and it is compared as it stood last.
4. What its owner ends or cancels is over at once, for everybody.
"""

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


def as_stood(world: World, operation: Operation) -> Operation:
    """Return an operation as it stands, or, where it is over, as it stood when it protected last.

    *Accepted* as *filed*: others see no difference.
    """
    if operation.is_protecting:
        return operation
    kept = world.earlier.get(f"{operation.id}/{operation.version}")
    return replace(operation, state=State.FILED) if kept is None else kept


def lapse_us(stood: Operation, grants: Grants, probing: ProbingBound | None) -> int:
    """Return when an operation that time ends is over for the other side of a conflict.

    grants, probing: what binds the two.
    """
    grain_us = 0
    if not grants.is_everything:
        has_times = grants.has(Field.TIME_BAND)
        grain_us = grants.time_grain_us if has_times or probing is None else probing.lasts_us
    return times_of(claim_of(as_compared(stood, probing)), grain_us)[1]


def is_there(
    world: World, operation: Operation, grants: Grants, probing: ProbingBound | None, now_us: int
) -> bool:
    """Tell whether an operation is still in its conflicts with the other side of a pair."""
    if operation.is_protecting:
        return True
    stood = as_stood(world, operation)
    return protects_until_us(stood) <= now_us < lapse_us(stood, grants, probing)


def has_open(world: World, operation: Operation) -> bool:
    """Tell whether an operation is in a conflict that goes on."""
    return any(each.state in GONE_ON for each in world.conflicts_of(operation.id))


def kept_claim(world: World, operation: Operation | None) -> Claim | None:
    """Return what the index has of an operation, None where it has nothing."""
    if operation is None or not (operation.is_protecting or has_open(world, operation)):
        return None
    return claim_of(as_stood(world, operation))
