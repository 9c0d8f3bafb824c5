# SPDX-License-Identifier: Apache-2.0
"""Conflicts: two operations that come closer than was agreed, and how it is settled.

1. `TABLE` alone says what each event makes of each state. RAISED, PROPOSED and COUNTERED are
   open; being acknowledged is a mark of each side and closes nothing.
2. It is resolved by a change, an end or a cancellation, which somebody makes, and expires where
   time ends one of the two.
3. A conflict keeps its id, random and handed in, as long as the two are in conflict.
4. It says who must act, and under which clause: by priority, and among equals as it says;
   without a clause the operation filed later. Rules that differ among the agreements of a pair
   bind together: whoever must act by any of them must.
"""

from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from typing import Final

import msgspec

from keepclear.agreement.clauses import AmongEquals, Precedence, WhoActs
from keepclear.agreement.findings import Verdict
from keepclear.agreement.moves import next_state
from keepclear.airspace.altitudes import Altitude
from keepclear.airspace.moving import moved_aside
from keepclear.airspace.volumes import Volume3D, Volume4D
from keepclear.plans.operations import OUT_OF_PLAN, Operation
from keepclear.plans.operations import State as OperationState
from keepclear.record.encoding import Signed
from keepclear.record.headers import Id, Name
from keepclear.units import TMM_PER_M


class State(StrEnum):
    """How far a conflict is."""

    RAISED = "raised"
    PROPOSED = "proposed"
    COUNTERED = "countered"
    RESOLVED = "resolved"
    AGREED = "agreed as is"
    EXPIRED = "expired"


class Event(StrEnum):
    """What happens to a conflict."""

    PROPOSE = "propose"
    COUNTER = "counter"
    RESOLVE = "resolve"
    AGREE = "agree as is"  # by both
    CHANGE = "change"  # of one of the two, and they are in conflict still
    EXPIRE = "expire"  # time has ended one of the two, and nobody


BY_ITSELF: Final = frozenset({Event.RESOLVE, Event.CHANGE, Event.EXPIRE})
TABLE: Final[Mapping[State, Mapping[Event, State]]] = {
    State.RAISED: {
        Event.PROPOSE: State.PROPOSED,
        Event.RESOLVE: State.RESOLVED,
        Event.AGREE: State.AGREED,
        Event.CHANGE: State.RAISED,
        Event.EXPIRE: State.EXPIRED,
    },
    State.PROPOSED: {
        Event.PROPOSE: State.PROPOSED,
        Event.COUNTER: State.COUNTERED,
        Event.RESOLVE: State.RESOLVED,
        Event.AGREE: State.AGREED,
        Event.CHANGE: State.RAISED,
        Event.EXPIRE: State.EXPIRED,
    },
    State.COUNTERED: {
        Event.PROPOSE: State.PROPOSED,
        Event.COUNTER: State.COUNTERED,
        Event.RESOLVE: State.RESOLVED,
        Event.AGREE: State.AGREED,
        Event.CHANGE: State.RAISED,
        Event.EXPIRE: State.EXPIRED,
    },
    State.AGREED: {
        Event.RESOLVE: State.RESOLVED,
        Event.CHANGE: State.RAISED,
        Event.EXPIRE: State.EXPIRED,
    },
    State.RESOLVED: {},
    State.EXPIRED: {},
}
OPEN: Final = frozenset({State.RAISED, State.PROPOSED, State.COUNTERED})
GONE_ON: Final = OPEN | {State.AGREED}  # and the two break a rule still


class Answer(StrEnum):
    """What a side says to a notice."""

    NOTED = "NOTED"
    CONCERNED = "CONCERNED"
    OBJECTS = "OBJECTS"


class WithoutUncertainty(Signed, frozen=True, kw_only=True):
    """What a breach would be, were both operations exactly where and when they say.

    short_by_m: how far within the minimum; None where it would be no breach, or heights cannot
    be compared.
    """

    is_broken: bool
    short_by_m: float | None = None


class Numbers(Signed, frozen=True, kw_only=True):
    """How close two operations come, by the shapes that both sides were shown of them.

    Both sides get the same numbers and can compute them again. lateral_m, vertical_m: at the
    closest point; vertical None where the heights cannot be compared. short_by_m: how far within
    the minimum of `leaf`. short_by_s: how much longer than a duration leaf allows, or how far
    within the minimum of a time leaf. without_uncertainty: where both are shown what the other may
    be off by, and either may be; None otherwise.
    """

    verdict: Verdict
    rule: str
    leaf: str
    from_us: int
    to_us: int
    closest_us: int
    latitude_deg: float
    longitude_deg: float
    lateral_m: float
    vertical_m: float | None
    short_by_m: float | None
    short_by_s: float | None = None
    without_uncertainty: WithoutUncertainty | None = None


class Broken(Signed, frozen=True, kw_only=True):
    """What two operations break. agreement: by its hash, empty for the house rule.

    kernel: version of what found it. numbers: None where the clauses show too little for any.
    """

    agreement: str
    clause: str
    kernel: str
    numbers: Numbers | None


class Proposal(Signed, frozen=True, kw_only=True):
    """A way out: one of the two operations moves. by: the party that proposes.

    shift_us: later, or earlier where negative. climb_tmm: higher, or lower where negative.
    aside_tmm: how far its route or area is moved, towards the true bearing towards_deg. It says
    by how much and never to where: the other side is shown no more of the operation by it.
    """

    id: Id
    by: Name
    operation: Id
    shift_us: int = 0
    climb_tmm: int = 0
    aside_tmm: int = 0
    towards_deg: float = 0.0
    why: str = ""


class Conflict(Signed, frozen=True, kw_only=True):
    """Two operations that break a rule; a is the one whose id comes first.

    must_act: ids of the operations that must act, clause: what says so, empty for the default.
    acknowledged, agreed: parties. answers: of a party, its last one and why; an objection's begins
    with its clause. It holds nothing that not both sides may know.
    """

    id: Id
    a: Id
    b: Id
    parties: tuple[Name, Name]
    state: State
    raised_us: int
    must_act: tuple[Id, ...]
    clause: str
    broken: tuple[Broken, ...]
    acknowledged: tuple[Name, ...] = ()
    agreed: tuple[Name, ...] = ()
    answers: tuple[tuple[Name, Answer, str], ...] = ()
    proposal: Proposal | None = None
    closed_by: str = ""

    @property
    def is_open(self) -> bool:
        """Tell whether it is not settled."""
        return self.state in OPEN

    @property
    def is_settled(self) -> bool:
        """Tell whether the two are in conflict no more: it is resolved or has expired."""
        return not TABLE[self.state]

    def other(self, operation: str) -> str:
        """Return the id of the other operation."""
        return self.b if operation == self.a else self.a


def move(state: State, event: Event) -> State:
    """Return the state that an event leads to; `NotNow` where there is none."""
    over = "it has come to its end"
    if state is State.AGREED:
        over = (
            "both sides have agreed to leave it; whoever wants it otherwise changes its operation"
        )
    return next_state(TABLE, "conflict", state, event, over, BY_ITSELF)


def who_acts(
    earlier: Operation, later: Operation, clauses: Sequence[tuple[str, WhoActs]]
) -> tuple[tuple[str, ...], str]:
    """Return the ids of the operations that must act, and the clauses that say so.

    earlier, later: by place in the record. clauses: of all agreements that bind the two, with
    their ids.
    """
    if not clauses:
        return (later.id,), ""
    acting: dict[str, None] = {}
    for _, clause in clauses:
        one, other = (_priority(each, clause) for each in (earlier, later))
        if one != other:
            acting[earlier.id if one < other else later.id] = None
        elif clause.among_equals is AmongEquals.BOTH:
            acting |= dict.fromkeys((earlier.id, later.id))
        else:
            acting[later.id] = None
    return tuple(sorted(acting)), ", ".join(clause_id for clause_id, _ in clauses)


def precedence(
    conflict: Conflict, operations: Iterable[Operation], *, is_late: bool
) -> Precedence:  # fmt: skip
    """Return how urgent what is told of a conflict is.

    operations: the two. is_late: one of them was filed later than agreed between their parties, so
    there is less time to act than was meant.
    """
    if not conflict.is_open:
        return Precedence.ROUTINE
    for each in operations:
        must_act = each.state is OperationState.ACTIVATED and each.id in conflict.must_act
        if is_late or must_act or each.state in OUT_OF_PLAN:
            return Precedence.URGENT
    return Precedence.PRIORITY


def _priority(operation: Operation, clause: WhoActs) -> int:
    numbers = {each.of: each.number for each in clause.priorities}
    return numbers.get(operation.craft_class, numbers.get("any", 0))


def moved(operation: Operation, by: Proposal) -> Operation:
    """Return an operation with its volumes moved; `InputError` where they cannot be there."""
    return msgspec.structs.replace(
        operation, volumes=tuple(_moved(each, by) for each in operation.volumes)
    )


def _moved(volume: Volume4D, by: Proposal) -> Volume4D:
    shape = volume.volume.shape
    if by.aside_tmm:
        shape = moved_aside(shape, by.aside_tmm / TMM_PER_M, by.towards_deg)
    lower, upper = (
        None if each is None else Altitude(
            height_tmm=each.height_tmm + by.climb_tmm, reference=each.reference, datum=each.datum
        )
        for each in (volume.volume.lower, volume.volume.upper)
    )  # fmt: skip
    return Volume4D(
        volume=Volume3D(shape=shape, lower=lower, upper=upper),
        start_us=volume.start_us + by.shift_us, end_us=volume.end_us + by.shift_us,
    )  # fmt: skip


def open_for(conflicts: Iterable[Conflict], operation: str) -> list[Conflict]:
    """Return the open conflicts in which an operation must act."""
    return [each for each in conflicts if operation in each.must_act and each.is_open]
