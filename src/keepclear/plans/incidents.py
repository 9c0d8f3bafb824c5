# SPDX-License-Identifier: Apache-2.0
"""Incident cases: what two parties ask and answer about one thing, and a timeline that both write.

A case is opened by one party about something that stands in the record, and the other is told.
Two parties see it and nobody else does.

1. `TABLE` alone says what each event makes of each state; what it does not list is refused.
2. One query waits at a time, for a reply of the other party until it is due: 7 days, 2 where the
   case is urgent, or as a clause says. What is overdue is said once, and can still be replied to.
3. A line of the timeline is marked agreed, or as only its own side's: that the other side does
   not agree is kept with its reason, and nothing decides who is right.
4. As in any log, a line about a time before a line that is there already is a *late entry*.
5. A case is closed by both, or left open by one with a reason; while a query waits it is not
   left open.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Final

import msgspec

from keepclear.agreement.clauses import HOUR_US
from keepclear.agreement.moves import next_state
from keepclear.record.encoding import Signed
from keepclear.record.headers import Id, Name, Status, TimeUs
from keepclear.record.key_documents import Hex64
from keepclear.record.receipts import Receipt

# A military agreement on border areas has the side that is asked answer within 7 days, in urgent
# cases within 2 (ask.fsou.com, eag/1006642).
REPLY_US: Final = 7 * 24 * HOUR_US
URGENT_REPLY_US: Final = 2 * 24 * HOUR_US
Reference = Annotated[str, msgspec.Meta(pattern=r"^(?:[0-9a-f]{32}|[0-9a-f]{64})$")]
Words = Annotated[str, msgspec.Meta(min_length=1, max_length=2_000)]
MaybeWords = Annotated[str, msgspec.Meta(max_length=2_000)]


class State(StrEnum):
    """How far a case is."""

    OPEN = "open"
    QUERIED = "queried"  # a reply is due
    OVERDUE = "overdue"
    LEFT_OPEN = "left open"
    CLOSED = "closed"


class Event(StrEnum):
    """What happens to a case."""

    QUERY = "query"
    REPLY = "reply"
    FALL_DUE = "fall due"
    LINE = "write a line"  # or answer one
    LEAVE = "leave open"
    CLOSE = "close"  # by both


BY_ITSELF: Final = frozenset({Event.FALL_DUE})
TABLE: Final[Mapping[State, Mapping[Event, State]]] = {
    State.OPEN: {
        Event.QUERY: State.QUERIED,
        Event.LINE: State.OPEN,
        Event.LEAVE: State.LEFT_OPEN,
        Event.CLOSE: State.CLOSED,
    },
    State.QUERIED: {
        Event.REPLY: State.OPEN,
        Event.FALL_DUE: State.OVERDUE,
        Event.LINE: State.QUERIED,
        Event.CLOSE: State.CLOSED,
    },
    State.OVERDUE: {
        Event.QUERY: State.QUERIED,
        Event.REPLY: State.OPEN,
        Event.LINE: State.OVERDUE,
        Event.LEAVE: State.LEFT_OPEN,
        Event.CLOSE: State.CLOSED,
    },
    State.LEFT_OPEN: {
        Event.QUERY: State.QUERIED,
        Event.LINE: State.LEFT_OPEN,
        Event.CLOSE: State.CLOSED,
    },
    State.CLOSED: {},
}


class About(StrEnum):
    """What a case is about."""

    PART = "part"  # of the record, by the hash of its leaf
    CONFLICT = "conflict"
    OPERATION = "operation"
    NONE_HERE = "none-here"


class Query(Signed, frozen=True, kw_only=True):
    """A question and its reply. is_overdue: the reply was not there when it was due."""

    id: Id
    by: Name
    words: str
    asked_us: TimeUs
    due_us: TimeUs
    is_overdue: bool = False
    reply: str = ""
    replied_us: TimeUs | None = None


class Incident(Signed, frozen=True, kw_only=True):
    """A case, without its timeline. It holds nothing that not both parties may know.

    reply_us: how long a reply may take; clause: what says so, empty for the default. query: the
    latest. closing: who has asked to close it. none_here: statements that are part of it, by id.
    why: of who closed it or left it open last.
    """

    id: Id
    parties: tuple[Name, Name]
    opened_by: Name
    about: Reference
    kind: About
    words: str
    is_urgent: bool
    status: Status
    opened_us: TimeUs
    reply_us: int
    clause: str
    state: State = State.OPEN
    query: Query | None = None
    closing: tuple[Name, ...] = ()
    none_here: tuple[Id, ...] = ()
    why: str = ""

    @property
    def due_us(self) -> int | None:
        """Return when the reply that is waited for is due, None where none is."""
        return None if self.query is None or self.state is not State.QUERIED else self.query.due_us

    def other(self, party: str) -> str:
        """Return the other party."""
        one, two = self.parties
        return two if party == one else one


class TimelineLine(Signed, frozen=True, kw_only=True):
    """One line of a timeline: what happened at a time, by the account of one party.

    evidence: hashes of leaves of the record that it sees. receipts: parts of it with their proof.
    answer: of the other party, None as long as it says nothing, which is no agreement.
    """

    id: Id
    incident: Id
    by: Name
    at_us: TimeUs
    words: str
    evidence: tuple[Hex64, ...]
    receipts: tuple[Receipt, ...]
    none_here: Id | None
    entered_us: TimeUs
    is_late: bool
    agrees: bool | None = None
    why: str = ""

    @property
    def mark(self) -> str:
        """Return how it is marked: agreed, or whose alone it is."""
        return "agreed" if self.agrees else f"only {self.by}"


class OpenIncident(Signed, frozen=True, kw_only=True):
    """Open a case. about: the hash of a leaf, or the id of what both may name. other: with whom."""

    about: Reference
    other: Name
    words: Words
    is_urgent: bool = False


class AskQuery(Signed, frozen=True, kw_only=True):
    """Ask the other party. id: of the case."""

    id: Id
    words: Words


class ReplyToQuery(Signed, frozen=True, kw_only=True):
    """Reply. id: of the case; query: of the query, as it was told."""

    id: Id
    query: Id
    words: Words


class WriteLine(Signed, frozen=True, kw_only=True):
    """Propose a line of the timeline: when it happened (microseconds UTC), what, and evidence.

    id: of the case. evidence: hashes of leaves that one sees. none_here: a statement that becomes
    part of the case, by id.
    """

    id: Id
    at_us: TimeUs
    words: Words
    evidence: Annotated[tuple[Hex64, ...], msgspec.Meta(max_length=50)] = ()
    receipts: Annotated[tuple[Receipt, ...], msgspec.Meta(max_length=20)] = ()
    none_here: Id | None = None


class AnswerLine(Signed, frozen=True, kw_only=True):
    """Agree to a line of the other party, or not, with the reason. id: of the line."""

    id: Id
    agrees: bool
    why: MaybeWords = ""


class CloseIncident(Signed, frozen=True, kw_only=True):
    """Ask to close a case; it is closed once both have."""

    id: Id
    why: MaybeWords = ""


class LeaveIncident(Signed, frozen=True, kw_only=True):
    """Leave a case open: nothing more is asked, and it is not settled. why: the reason."""

    id: Id
    why: Words


def move(state: State, event: Event) -> State:
    """Return the state that an event leads to; `NotNow` where there is none."""
    return next_state(
        TABLE, "incident case", state, event, "open another about the same", BY_ITSELF
    )
