# SPDX-License-Identifier: Apache-2.0
"""Messages decided again: each step comes of its act, each alarm of its deadline.

1. An act on a message is decided again in the world before its entry, and that is taken back. What
   the entry says of messages is what comes of it, to the last field and to the same parties.
2. Without such an act a message changes by its deadline alone: at that time, not before, and as
   the ladder says.
3. A message whose deadline came before an entry, and that was not told to be overdue, is missing.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace as with_fields
from typing import Final

from keepclear.exchange.audit_again import (
    GivenIds,
    Said,
    is_of_stop,
    made_again,
    taken_back,
    told_of,
)
from keepclear.exchange.audit_found import Found
from keepclear.exchange.deciding import Deciding
from keepclear.exchange.due import Due
from keepclear.exchange.events import (
    Event,
    MessageChanged,
    MessageOverdue,
    StandingCarried,
)
from keepclear.exchange.messages import fall_due
from keepclear.line import acts
from keepclear.line.messages import Message
from keepclear.record.encoding import Signed
from keepclear.record.headers import Act
from keepclear.record.key_documents import KeyDocument, posts_of
from keepclear.record.signers import deed_of

AGAIN: Final = (
    acts.SendMessage, acts.SendDistress, acts.MarkDelivered, acts.MarkDisplayed,
    acts.AcknowledgeMessage, acts.ReadBackMessage, acts.MarkDisseminated, acts.AnswerMessage,
)  # fmt: skip
ABOUT: Final = (MessageChanged, MessageOverdue)


class Messages:
    """The messages of a record. Written by the audit alone. acts: how many were decided again."""

    def __init__(self, found: Found) -> None:
        self._found, self.acts = found, 0
        self._due, self._is_held = Due(), False
        self._posts: dict[str, tuple[str, ...]] = {}

    def know(self, document: KeyDocument) -> None:
        """Take the posts of a party, from its key document."""
        self._posts[document.party] = posts_of(document)

    def hold(self, until_us: int | None) -> None:
        """Let what falls due wait, as clocks differ; or until a time, at which it did no more."""
        self._is_held = until_us is None
        if until_us is not None:
            self._due.put_off(until_us)

    def follow(self, events: list[Event]) -> None:
        """Note what falls due after an entry."""
        for event in events:
            match event:
                case MessageChanged(message=message) | MessageOverdue(message=message):
                    self._plan(message)
                case StandingCarried(table="messages", key=own):
                    self._plan(self._found.world.messages[own])
                case _:
                    pass

    def _plan(self, message: Message) -> None:
        """Note when something of a message falls due next; now, where that has passed."""
        if message.next_us is not None:
            self._due.put(max(message.next_us, self._found.deciding.now_us), message.id)

    def check(self, act: Act | None, payload: Signed | None, said: list[Said]) -> None:
        """Compare an entry, before it is folded, with what comes of its act, or of time.

        One of a STOP is compared whole by `audit_stops`.
        """
        self._check_missing()
        if is_of_stop(payload, said):
            return
        told = [each for each in said if isinstance(each.event, ABOUT)]
        if act is None or not isinstance(payload, AGAIN):
            self._check_by_time(told)
            return
        self.acts += 1
        deciding = self.deciding(GivenIds(_ids_of(told)))
        made = made_again(self._found, deciding, act, payload, said, ABOUT)
        if made is not None:
            self._compare(told, made, f"is not as {deed_of(act)} of {act.party} makes it")

    def deciding(self, ids: GivenIds) -> Deciding:
        """Return what an act is decided again with. ids: that its entry has given."""
        return with_fields(
            self._found.deciding, ids=ids, counts={}, parts=[], due=[], seen_by=(),
            posts=lambda party: self._posts.get(party, ()),
        )  # fmt: skip

    def _check_missing(self) -> None:
        """Tell of messages whose deadline came before this entry, and that is not told."""
        now_us = self._found.deciding.now_us
        while not self._is_held and (first := self._due.first(now_us - 1)) is not None:
            self._due.drop(first)
            message = self._found.world.messages.get(first.key)
            due_us = None if message is None else message.next_us
            if message is not None and due_us is not None and due_us <= first.at_us:
                self._differs(message, "is overdue, and nobody is told")

    def _check_by_time(self, told: list[Said]) -> None:
        """Compare what no act on messages has led to."""
        if not told:
            return
        event = told[0].event
        assert isinstance(event, ABOUT)  # noqa: S101 as they were chosen
        message = self._found.world.messages.get(event.message.id)
        if message is None:
            self._differs(event.message, "is there, and no act has sent it")
            return
        deciding = self.deciding(GivenIds(()))
        fall_due(deciding, message)
        made = told_of(deciding, ABOUT)
        taken_back(deciding)
        self._compare(told, made, "is not overdue as its deadline makes it")

    def _compare(self, told: list[Said], made: list[Said], what: str) -> None:
        if told == made:
            return
        for each in (told or made)[:1]:
            assert isinstance(each.event, ABOUT)  # noqa: S101 as they were chosen
            off = ", ".join(_off(told, made))
            self._differs(each.event.message, f"{what}{f': {off}' if off else ''}")

    def _differs(self, message: Message, what: str) -> None:
        self._found.differs(f"message {message.id[:8]}", what)


def _ids_of(told: Sequence[Said]) -> list[str]:
    """Return the id that an entry has given to its message."""
    return [each.event.message.id for each in told if isinstance(each.event, MessageChanged)][:1]


def _off(told: Sequence[Said], made: Sequence[Said]) -> Iterator[str]:
    """Yield what differs between two tellings, in words, as far as they are of one length."""
    if len(told) != len(made):
        yield f"{len(told)} told, {len(made)} to be told"
        return
    for one, other in zip(told, made, strict=True):
        if one.audience != other.audience:
            yield f"told to {one.audience}, to be told to {other.audience}"
        if isinstance(one.event, ABOUT) and isinstance(other.event, ABOUT):
            yield from (
                name for name in Message.__struct_fields__
                if getattr(one.event.message, name) != getattr(other.event.message, name)
            )  # fmt: skip
