# SPDX-License-Identifier: Apache-2.0
"""Operations: what a party means to do, in which state it is, and what moves it on.

1. `TABLE` alone says what each event makes of each state; what it does not list is refused.
2. Filing records and protects at once; it never fails because of a conflict.
3. Each version has an opaque number (OVN), random and handed in; who has it has seen it.
4. An operation protects (`is_protecting`) from filing until it has ended or was cancelled.
5. Out of plan (nonconforming, contingent) its last volumes protect for the grace after its end,
   or until it has ended. How long the grace is was decided when it went out of plan, and stands
   in the operation.
6. What is filed later than agreed is LATE by so many seconds, and not lost. By which clauses was
   decided when it was filed, and stands in the operation.
"""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Annotated, Final

import msgspec

from keepclear.agreement.claims import Claim
from keepclear.agreement.clauses import LeadTime, ProbingBound
from keepclear.agreement.moves import next_state
from keepclear.agreement.probing import widened
from keepclear.airspace.altitudes import Altitude, are_comparable
from keepclear.airspace.volumes import Volume4D
from keepclear.plans.filing import Craft, Domain, Uncertainty
from keepclear.record.encoding import Signed
from keepclear.record.headers import Id, Name, Status


class State(StrEnum):
    """How far an operation is."""

    FILED = "filed"
    ACCEPTED = "accepted"
    ACTIVATED = "activated"
    NONCONFORMING = "nonconforming"
    CONTINGENT = "contingent"
    ENDED = "ended"
    CANCELLED = "cancelled"


class Event(StrEnum):
    """What happens to an operation."""

    ACCEPT = "accept"
    REFILE = "change"  # a new version that does not only shrink
    ACTIVATE = "activate"
    AIRBORNE = "airborne"
    OVERRUN = "overrun"  # its end has passed and it was not ended
    CLASH = "clash"  # changed into a conflict that a clause refuses to activate in
    CONTINGENT = "become contingent"
    END = "end"
    CANCEL = "cancel"


BY_ITSELF: Final = frozenset({Event.ACCEPT, Event.OVERRUN, Event.CLASH})
TABLE: Final[Mapping[State, Mapping[Event, State]]] = {
    State.FILED: {
        Event.ACCEPT: State.ACCEPTED,
        Event.REFILE: State.FILED,
        Event.ACTIVATE: State.ACTIVATED,
        Event.AIRBORNE: State.NONCONFORMING,
        Event.END: State.ENDED,
        Event.CANCEL: State.CANCELLED,
    },
    State.ACCEPTED: {
        Event.REFILE: State.FILED,
        Event.ACTIVATE: State.ACTIVATED,
        Event.AIRBORNE: State.NONCONFORMING,
        Event.END: State.ENDED,
        Event.CANCEL: State.CANCELLED,
    },
    State.ACTIVATED: {
        Event.REFILE: State.ACTIVATED,
        Event.AIRBORNE: State.ACTIVATED,
        Event.OVERRUN: State.NONCONFORMING,
        Event.CLASH: State.NONCONFORMING,
        Event.CONTINGENT: State.CONTINGENT,
        Event.END: State.ENDED,
    },
    State.NONCONFORMING: {
        Event.REFILE: State.NONCONFORMING,
        Event.ACTIVATE: State.ACTIVATED,
        Event.AIRBORNE: State.NONCONFORMING,
        Event.CONTINGENT: State.CONTINGENT,
        Event.END: State.ENDED,
    },
    State.CONTINGENT: {
        Event.AIRBORNE: State.CONTINGENT,
        Event.REFILE: State.CONTINGENT,
        Event.END: State.ENDED,
    },
    State.ENDED: {},
    State.CANCELLED: {},
}
OVER: Final = frozenset({State.ENDED, State.CANCELLED})
GROUNDED: Final = frozenset({Craft.VEHICLE, Craft.STATIC})
OUT_OF_PLAN: Final = frozenset({State.NONCONFORMING, State.CONTINGENT})
DEFAULT_GRACE_US: Final = 60 * 60 * 1_000_000


class Missed(Signed, frozen=True, kw_only=True):
    """A lead time that an operation was filed later than.

    agreement: by its hash. filed_us: when it was filed so, which a version that only shrinks does
    not change. late_us: by how much.
    """

    agreement: str
    clause: str
    notice_us: int
    filed_us: int
    late_us: int


class Operation(Signed, frozen=True, kw_only=True):
    """What a party means to do, as rules use it.

    late_us: how much later than agreed it was filed, 0 where in time; missed: by which clauses, of
    all that its party has agreed with anybody. count, count_most: how many craft it is, where the
    latter is given from and to how many. airborne_us: when it was marked airborne. grace_us:
    for how long it protects after its end where it is out of plan, as was agreed when it went out
    of it. Its place among all filings is no field: the owner reads its own operation, and the place
    would tell how much the others file.
    """

    id: Id
    party: Name
    status: Status
    version: Annotated[int, msgspec.Meta(ge=1, lt=2**31)]
    ovn: Id
    state: State
    domain: Domain
    craft: Craft = Craft.MANNED
    craft_class: Name
    callsign: str
    count: int
    count_most: int | None = None
    has_rvsm: bool
    volumes: tuple[Volume4D, ...]
    off_nominal: tuple[Volume4D, ...] = ()
    uncertainty: Uncertainty
    filed_us: int
    late_us: int = 0
    missed: tuple[Missed, ...] = ()
    airborne_us: int | None = None
    grace_us: int = DEFAULT_GRACE_US

    @property
    def start_us(self) -> int:
        """Return when the first of its volumes starts."""
        return min([volume.start_us for volume in self.volumes])

    @property
    def end_us(self) -> int:
        """Return when the last of its volumes ends."""
        return max([volume.end_us for volume in (*self.volumes, *self.off_nominal)])

    @property
    def is_grounded(self) -> bool:
        """Tell whether it is on the ground or does not move: who knows where it is finds it."""
        return self.domain is Domain.GROUND or self.craft in GROUNDED

    @property
    def is_protecting(self) -> bool:
        """Tell whether others must keep clear of it."""
        return self.state not in OVER


def move(state: State, event: Event) -> State:
    """Return the state that an event leads to; `NotNow` where there is none."""
    return next_state(TABLE, "operation", state, event, by_itself=BY_ITSELF)


def protects_until_us(operation: Operation) -> int:
    """Return until when it protects: its end, and the grace after it where it is out of plan."""
    return operation.end_us + (operation.grace_us if operation.state in OUT_OF_PLAN else 0)


def with_lateness(
    operation: Operation, clauses: Iterable[tuple[str, str, LeadTime]]
) -> Operation:  # fmt: skip
    """Return an operation with what it was filed too late by. clauses: agreement, id, lead time."""
    ahead_us = operation.start_us - operation.filed_us
    missed = tuple(
        Missed(
            agreement=agreement,
            clause=clause,
            notice_us=each.notice_us,
            filed_us=operation.filed_us,
            late_us=each.notice_us - ahead_us,
        )
        for agreement, clause, each in clauses
        if ahead_us < each.notice_us and {"any", operation.craft_class} & {*each.classes}
    )
    if not missed and not operation.missed:
        return operation
    late_us = max((each.late_us for each in missed), default=0)
    return msgspec.structs.replace(operation, late_us=late_us, missed=missed)


def only_shrinks(old: Operation, new: Operation) -> bool:
    """Tell whether a new version takes up nothing that the old one did not.

    Each of its volumes lies within one of the old ones that has the same shape; a smaller shape
    in a larger one is not looked for, and counts as new.
    """
    one, two = old.uncertainty, new.uncertainty
    if old.craft_class != new.craft_class or (old.has_rvsm and not new.has_rvsm):
        return False
    if (two.lateral_tmm, two.vertical_tmm, two.early_us, two.late_us) != (
        min(one.lateral_tmm, two.lateral_tmm), min(one.vertical_tmm, two.vertical_tmm),
        min(one.early_us, two.early_us), min(one.late_us, two.late_us),
    ):  # fmt: skip
        return False
    return all(any(_is_within(each, kept) for kept in old.volumes) for each in new.volumes)


def leaves_airborne(old: Operation, new: Operation, now_us: int) -> bool:
    """Tell whether an airborne operation would be nowhere at a time by its new version.

    Where a contingent one is expected goes on as it was, and is somewhere.
    """
    there = (*new.volumes, *old.off_nominal)
    is_there = any(each.start_us <= now_us < each.end_us for each in there)
    return old.airborne_us is not None and not is_there


def _is_within(one: Volume4D, other: Volume4D) -> bool:
    a, b = one.volume, other.volume
    return (
        a.shape == b.shape
        and other.start_us <= one.start_us
        and one.end_us <= other.end_us
        and (b.lower is None or (a.lower is not None and _is_below(b.lower, a.lower)))
        and (b.upper is None or (a.upper is not None and _is_below(a.upper, b.upper)))
    )


def _is_below(one: Altitude, other: Altitude) -> bool:
    return are_comparable(one, other) and one.height_tmm <= other.height_tmm


def as_compared(operation: Operation, bound: ProbingBound | None) -> Operation:
    """Return an operation with the volumes that others are compared with: what they may be shown.

    bound: what small ones are widened to, None for nothing. The grace is in it, and `claim_of` of
    it adds none.
    """
    claim = claim_of(operation)
    if bound is not None:
        claim = widened(claim, bound)
    uncertainty = Uncertainty(
        lateral_tmm=claim.lateral_tmm, vertical_tmm=claim.vertical_tmm,
        early_us=claim.early_us, late_us=claim.late_us,
    )  # fmt: skip
    return msgspec.structs.replace(
        operation, volumes=claim.volumes, off_nominal=(), uncertainty=uncertainty, grace_us=0
    )


def claim_of(operation: Operation) -> Claim:
    """Return what an operation takes up.

    Out of plan, the volumes that end last stand in it twice, as they are and with the grace: a
    short one is widened to before its start, and would not be, were it only longer.
    """
    volumes = (*operation.volumes, *operation.off_nominal)
    if operation.state in OUT_OF_PLAN and operation.grace_us > 0:
        last_us, until_us = operation.end_us, protects_until_us(operation)
        volumes += tuple(
            msgspec.structs.replace(each, end_us=until_us)
            for each in volumes if each.end_us == last_us
        )  # fmt: skip
    return Claim(
        id=operation.id, party=operation.party, craft_class=operation.craft_class,
        has_rvsm=operation.has_rvsm, volumes=volumes,
        lateral_tmm=operation.uncertainty.lateral_tmm,
        vertical_tmm=operation.uncertainty.vertical_tmm,
        early_us=operation.uncertainty.early_us, late_us=operation.uncertainty.late_us,
    )  # fmt: skip
