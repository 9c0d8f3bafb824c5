# SPDX-License-Identifier: Apache-2.0
"""What the desk in a terminal goes on: what a post holds, and the acts that it signs.

A `Station` tells the desk how all stands whenever that is new, and does what it is given to do,
one deed after another. `live.LiveStation` is one at an exchange; in tests one is in memory.
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple, Protocol

from keepclear.agreement.clauses import Precedence
from keepclear.line.acts import (
    AcknowledgeMessage,
    AnswerMessage,
    MarkDisplayed,
    MarkDisseminated,
    ReadBackMessage,
    SendDistress,
    SendMessage,
)
from keepclear.line.messages import FLIGHT_SAFETY, Message, Word
from keepclear.line.values import Typed
from keepclear.record.encoding import Signed
from keepclear.record.headers import Name, Status, is_name

Find = Callable[[str], Name]
"""Returns the party of a name, or the one that answers for the force of that name."""
Deed = Callable[[Find], tuple[str, Signed]]
"""Makes an act: its kind and its payload. `ValueError` where it would say what cannot be said."""


class Held(NamedTuple):
    """How all stands that a post holds, proven.

    messages: by id. conflicts: how many are not settled. as_of_us: when all that is new was asked
    for last, 0 for never. lost: why it may be older, since lost_us; empty where it is not.
    unanswered: acts to which there was no answer. note: why *delivered* was not signed, or empty.
    """

    region: str
    messages: Mapping[str, Message]
    conflicts: int = 0
    as_of_us: int = 0
    lost: str = ""
    lost_us: int = 0
    unanswered: int = 0
    note: str = ""


class Done(NamedTuple):
    """What came of a deed: how its message stands then; or why it was refused, whole.

    unanswered: to how many acts there was no answer until now; None where that is not known.
    """

    message: Message | None
    refused: str = ""
    unanswered: int | None = None


class Station(Protocol):
    """A post, as the desk in a terminal knows it. home: its folder, as it was given."""

    party: str
    post: str
    status: Status
    home: str

    def begin(self, tell: Callable[[Held], None]) -> None:
        """Follow what happens; `tell`, from whatever thread, how all stands, at once and anew."""

    def do(self, deed: Deed, then: Callable[[Done], None]) -> None:
        """Sign an act and send it, after those before; tell then, from whatever thread."""

    def end(self) -> None:
        """Follow no more."""


def displayed(message: str, person: str | None) -> Deed:
    """Return the deed that says that a message was shown to a person here."""
    return lambda _: ("line.displayed/1", MarkDisplayed(id=message, person=person))


def acknowledged(message: str, person: str | None) -> Deed:
    """Return the deed that acknowledges a message."""
    return lambda _: ("line.acknowledge/1", AcknowledgeMessage(id=message, person=person))


def answered(
    message: str, word: Word, person: str | None, *, why: str = "", until_us: int | None = None,
    clause: str = "",
) -> Deed:  # fmt: skip
    """Return the deed that answers a message."""
    return lambda _: ("line.answer/1", AnswerMessage(
        id=message, word=word, why=why, until_us=until_us, clause=clause, person=person
    ))  # fmt: skip


def read_back(message: str, values: tuple[Typed, ...], person: str | None) -> Deed:
    """Return the deed that reads a message back, with the values as they were understood."""
    return lambda _: ("line.read-back/1", ReadBackMessage(
        id=message, values=values, person=person
    ))  # fmt: skip


def disseminated(message: str, units: tuple[str, ...], person: str | None) -> Deed:
    """Return the deed that says which units were told of a message."""
    return lambda _: ("line.disseminated/1", MarkDisseminated(
        id=message, units=units, person=person
    ))  # fmt: skip


def sent(to: str, precedence: Precedence, text: str) -> Deed:
    """Return the deed that sends a message over flight safety, to a party or a force."""
    if precedence is Precedence.DISTRESS:  # nothing is asked before it, where a party is named
        return lambda find: ("distress/1", SendDistress(
            to=to if is_name(to) else find(to), text=text, language="en"
        ))  # fmt: skip
    return lambda find: ("line.send/1", SendMessage(
        to=find(to), channel=FLIGHT_SAFETY, precedence=precedence, text=text, language="en"
    ))  # fmt: skip
