# SPDX-License-Identifier: Apache-2.0
"""What can happen to the world: each event says all that changes, so a fold needs nothing else.

Layout: a part of the record whose kind is the event's name with its version, and whose data is
the event as JSON in its one form.

1. An event holds results and no geometry is computed from it again.
2. A type is never edited: another version of it is another type (`record.versions`).
"""

from collections.abc import Mapping
from typing import Annotated, Final, Literal

import msgspec

from keepclear.agreement.clauses import Precedence
from keepclear.agreement.documents import Clause
from keepclear.agreement.separation import RuleSet
from keepclear.agreement.statements import AgreementFile
from keepclear.agreement.states import State as AgreementState
from keepclear.line.calls import Account, Call, CallSigned
from keepclear.line.checks import Check, CheckedLine, LineState
from keepclear.line.messages import Answer, Message, Overdue, StepTaken
from keepclear.line.read_back import ReadBack
from keepclear.line.shifts import Shift
from keepclear.line.stops import Area
from keepclear.plans.conflicts import Conflict
from keepclear.plans.incidents import Incident, TimelineLine
from keepclear.plans.none_here import Contradiction, NoneHere
from keepclear.plans.operations import Operation, State
from keepclear.plans.stops import Stop
from keepclear.plans.understood import Understood
from keepclear.record.encoding import Signed
from keepclear.record.headers import Id, Name, TimeUs
from keepclear.record.key_documents import Hex64


class RegionOpened(Signed, frozen=True, kw_only=True):
    """A region was opened: the first event of its record, for everybody.

    exchange: the name that signs. house: the rule of two parties that no agreement binds.
    """

    region: Name
    incarnation: Annotated[int, msgspec.Meta(ge=1, lt=2**31)]
    exchange: str
    house: RuleSet


class AgreementCarried(Signed, frozen=True, kw_only=True):
    """An agreement was carried into the region, or what was signed of it has grown."""

    hash: Hex64
    file: AgreementFile


class AgreementStood(Signed, frozen=True, kw_only=True):
    """How an agreement stands from now on. clauses: those that hold, annexes included.

    is_long: its parties have so many operations that they are looked at again bit by bit.
    """

    hash: Hex64
    state: AgreementState
    clauses: tuple[Clause, ...]
    is_long: bool = False


class RecheckingBegun(Signed, frozen=True, kw_only=True):
    """That operations of one party are RE-CHECKING, which counts as a conflict, until looked at."""

    hash: Hex64
    operations: tuple[Id, ...]


class RecheckingDone(Signed, frozen=True, kw_only=True):
    """That operations of one party were looked at again."""

    hash: Hex64
    operations: tuple[Id, ...]


class MoreFound(Signed, frozen=True, kw_only=True):
    """How many more conflicts of an operation there are than one entry holds; 0 for no more."""

    id: Id
    more: Annotated[int, msgspec.Meta(ge=0)]


class OperationFiled(Signed, frozen=True, kw_only=True):
    """An operation, or a new version of it, was filed. is_smaller: it only shrinks.

    takes_km2h: of what its party may take in a day; 0 where no agreement says how much. understood:
    its values in the units of either side, for its owner to see in the answer.
    """

    operation: Operation
    understood: Understood
    is_smaller: bool = False
    takes_km2h: Annotated[int, msgspec.Meta(ge=0)] = 0


class OperationMoved(Signed, frozen=True, kw_only=True):
    """An operation is in another state. why: in words.

    grace_us: for how long it protects after its end, where it has gone out of plan.
    """

    id: Id
    state: State
    why: str = ""
    airborne_us: TimeUs | None = None
    grace_us: int | None = None


class ConflictChanged(Signed, frozen=True, kw_only=True):
    """A conflict was raised, or has changed."""

    conflict: Conflict


class Limit(Signed, frozen=True, kw_only=True):
    """A rule that allows two operations to be so near for so long, and no longer.

    agreement: by its hash, empty for the house rule.
    """

    agreement: str
    clause: str
    rule: str


class LimitedFound(Signed, frozen=True, kw_only=True):
    """Two operations are LIMITED: within minima for no longer than allowed; a has the first id.

    Both parties are told by this. It is no conflict and changes nothing.
    """

    a: Id
    b: Id
    parties: tuple[Name, Name]
    limits: tuple[Limit, ...]


class MoreLimited(Signed, frozen=True, kw_only=True):
    """How many more operations one is LIMITED with than one entry holds."""

    id: Id
    more: Annotated[int, msgspec.Meta(ge=1)]


class FilingsCounted(Signed, frozen=True, kw_only=True):
    """That a party has filed as often in an hour as its agreement asks to be told of."""

    party: Name
    filings: int


class IncidentChanged(Signed, frozen=True, kw_only=True):
    """An incident case was opened, or has changed; its two parties are told by this. note: how."""

    incident: Incident
    note: str


class LineChanged(Signed, frozen=True, kw_only=True):
    """A line of a timeline was proposed, or answered."""

    line: TimelineLine


class MessageChanged(Signed, frozen=True, kw_only=True):
    """A message has come a step further, *sent* the first, was read back, or was answered.

    taken, read_back, answer: whichever it is; of a read-back that is the same, it and its step;
    none of them where its STOP stands otherwise.
    message: as it stands after that; its two parties are told by this.
    """

    taken: StepTaken | None = None
    read_back: ReadBack | None = None
    answer: Answer | None = None
    message: Message


class MessageOverdue(Signed, frozen=True, kw_only=True):
    """A step of a message was not there when it was due; its two parties are told by this.

    Of several that are due at once each is told by itself; the last has where the message goes on.
    """

    overdue: Overdue
    message: Message


class LineChecked(Signed, frozen=True, kw_only=True):
    """How a line stands after something of a check of it; its two parties are told by this.

    was: its state before. check: that was sent, answered or MISSED; None where only the time of the
    next one is another.
    """

    was: LineState
    check: Check | None = None
    line: CheckedLine


class ShiftChanged(Signed, frozen=True, kw_only=True):
    """A shift was opened, has taken something over, or was closed; for its own party alone."""

    shift: Shift


class CallChanged(Signed, frozen=True, kw_only=True):
    """A voice call was logged, signed or annotated; its two parties are told by this.

    account: that was written; signed: that it was signed.
    """

    call: Call
    account: Account | None = None
    signed: CallSigned | None = None


class NoneHereStated(Signed, frozen=True, kw_only=True):
    """A party has stated none-here; those it was given to are told by this."""

    statement: NoneHere


class NoneHereWithdrawn(Signed, frozen=True, kw_only=True):
    """A statement was withdrawn; those it was given to are told by this, at once."""

    id: Id
    at_us: TimeUs
    why: str
    precedence: Precedence = Precedence.URGENT


class NoneHereContradicted(Signed, frozen=True, kw_only=True):
    """Own operations meet what a party has stated none-here of; for that party alone."""

    id: Id
    found: tuple[Contradiction, ...]


class StopChanged(Signed, frozen=True, kw_only=True):
    """A STOP was sent, or stands otherwise; for its sender alone."""

    stop: Stop


class KeepOutsChanged(Signed, frozen=True, kw_only=True):
    """Where an operation must keep out now; empty for nowhere. For its owner alone."""

    id: Id
    areas: tuple[Area, ...]


class StandingCarried(Signed, frozen=True, kw_only=True):
    """What stood when a backup ended, as the incarnation that goes on from it begins with it.

    table, key: of the world; value: as it has it. room: of an operation with more conflicts than
    were told, how many of those have made room for others. Told are those who were told of it.
    """

    table: Literal[
        "agreements", "before", "filers", "operations", "earlier", "conflicts", "rechecking",
        "more", "incidents", "lines", "none_here", "contradictions",
        "messages", "line_checks", "lines_checked", "stops", "keep_outs", "shifts", "calls",
    ]  # fmt: skip
    key: str
    value: msgspec.Raw
    room: Annotated[int, msgspec.Meta(ge=0)] = 0


class LateActDecided(Signed, frozen=True, kw_only=True):
    """What came of a late act, for its party. refused: why nothing did; empty where it was done."""

    id: Id
    refused: str


class ContradictionsShown(Signed, frozen=True, kw_only=True):
    """What contradicts a statement was shown to one who was given it. by: clause or case."""

    id: Id
    found: tuple[Contradiction, ...]
    by: str


Event = (
    RegionOpened
    | AgreementCarried
    | AgreementStood
    | OperationFiled
    | OperationMoved
    | ConflictChanged
    | LimitedFound
    | MoreLimited
    | FilingsCounted
    | RecheckingBegun
    | RecheckingDone
    | MoreFound
    | IncidentChanged
    | LineChanged
    | MessageChanged
    | MessageOverdue
    | LineChecked
    | ShiftChanged
    | CallChanged
    | StopChanged
    | KeepOutsChanged
    | NoneHereStated
    | NoneHereWithdrawn
    | NoneHereContradicted
    | ContradictionsShown
    | StandingCarried
    | LateActDecided
)

KINDS: Final[Mapping[str, type[Signed]]] = {
    "region-opened/1": RegionOpened,
    "agreement-carried/1": AgreementCarried,
    "agreement-stood/1": AgreementStood,
    "operation-filed/1": OperationFiled,
    "operation-moved/1": OperationMoved,
    "conflict-changed/1": ConflictChanged,
    "limited-found/1": LimitedFound,
    "more-limited/1": MoreLimited,
    "filings-counted/1": FilingsCounted,
    "re-checking-begun/1": RecheckingBegun,
    "re-checking-done/1": RecheckingDone,
    "more-found/1": MoreFound,
    "incident-changed/1": IncidentChanged,
    "line-changed/1": LineChanged,
    "message-changed/1": MessageChanged,
    "message-overdue/1": MessageOverdue,
    "line-checked/1": LineChecked,
    "shift-changed/1": ShiftChanged,
    "call-changed/1": CallChanged,
    "stop-changed/1": StopChanged,
    "keep-outs-changed/1": KeepOutsChanged,
    "none-here-stated/1": NoneHereStated,
    "none-here-withdrawn/1": NoneHereWithdrawn,
    "none-here-contradicted/1": NoneHereContradicted,
    "contradictions-shown/1": ContradictionsShown,
    "standing-carried/1": StandingCarried,
    "late-act-decided/1": LateActDecided,
}
KIND_OF: Final[Mapping[type[Signed], str]] = {each: kind for kind, each in KINDS.items()}
