# SPDX-License-Identifier: Apache-2.0
"""What of the line may leave it in a document for others' systems, and why all else stays.

Leaves to others: how such a document looks (`formats.cap_writing`), who asks (`exchange.reads`).

1. What leaves can be passed on by anybody. So what may leave is named, and all else stays.
2. Where people are who can be hurt by whoever knows it never leaves: nothing of a thread with a
   STOP or DISTRESS in it, or in which somebody is said to be hurt.
3. What another party has typed freely is its own to pass on: it may say where people are, and no
   rule can read that. One's own words leave with one's own message.
4. Of templates those leave that tell something to all who are around, and none that asks, answers
   or says where somebody is.
5. A notice that goes on from one's own earlier one takes its place, with all that both say: who
   reads the last one alone has read all of it.

    >>> STAYS["position-report"]
    'says where somebody is, which is for who was told'
"""

from collections.abc import Collection, Mapping
from typing import Final, NamedTuple

from keepclear.agreement.clauses import Precedence
from keepclear.errors import InputError
from keepclear.line.messages import FLIGHT_SAFETY, Message
from keepclear.line.templates import CANCELLATION, CANCELLED, name_of
from keepclear.line.values import CountValue, Value

SHORT: Final = 8
NOTICE: Final = "accident-notice"
UPDATE: Final = "accident-update"
MAY_LEAVE: Final = frozenset({"activity-notice", "closure", NOTICE, UPDATE, CANCELLATION})
# Why those of other templates stay.
_WHERE: Final = "says where somebody is, which is for who was told"
_ASKS: Final = "asks or tells something of the two posts alone"
_DISTRESS: Final = "is of somebody in distress: where survivors are never leaves"
STAYS: Final[Mapping[str, str]] = {
    "stop": "is of a STOP, which never leaves",
    "none-here": "is of a none-here statement, which never leaves",
    "position-report": _WHERE,
    "lost-communications": _WHERE,
    "distress-relay": _DISTRESS,
    "line-check": _ASKS,
    "frequency-check": _ASKS,
    "request-information": _ASKS,
    "suspension": _ASKS,
    "handover": _ASKS,
}
# Which earlier notices of the same sender one goes on from, by the templates of both.
GOES_ON_FROM: Final[Mapping[str, frozenset[str]]] = {
    "activity-notice": frozenset({"activity-notice"}),
    "closure": frozenset({"closure"}),
    UPDATE: frozenset({NOTICE, UPDATE}),
    CANCELLATION: CANCELLED,
}
URGENCIES: Final = frozenset({Precedence.URGENT, Precedence.PRIORITY, Precedence.ROUTINE})
NEVER: Final = {
    Precedence.STOP: ("a STOP", "where to keep out never leaves"),
    Precedence.DISTRESS: ("DISTRESS", "where people are in danger never leaves"),
}  # fmt: skip
SAR: Final = ("a SAR case", "where survivors are never leaves")
BY_VOICE: Final = "tell those who have to know by voice, and say so: keepclear line disseminated"


class Leaving(NamedTuple):
    """A message that may leave. earlier: those of its sender that it goes on from, oldest first.

    replied: what it replies to, where its own sender may let that leave and it is none of these;
    None otherwise. So it is the same for both parties.
    """

    message: Message
    earlier: tuple[Message, ...] = ()
    replied: Message | None = None

    @property
    def values(self) -> tuple[Value, ...]:
        """Return its values with those of the earlier ones that it does not say anew."""
        if name_of(self.message.template) != UPDATE:
            return self.message.values
        found = {each.name: each for one in (*self.earlier, self.message) for each in one.values}
        return tuple(found.values())

    @property
    def is_cancelled(self) -> bool:
        """Tell whether it cancels the earlier ones."""
        return name_of(self.message.template) == CANCELLATION


def to_leave(message: Message, reader: str, others: Mapping[str, Message]) -> Leaving:
    """Return a message as it may leave; `InputError` says why it may not.

    reader: the party that asks. others: messages by id, itself among them, in the order in which
    they were sent.
    """
    thread = thread_of(message, others)
    _check_thread(message, thread)
    why = _why_it_stays(message, reader)
    if why:
        raise _refused(message, why, BY_VOICE)
    made = as_sent(message, thread)
    for each in made.earlier:
        if before := _why_it_stays(each, reader):
            raise _refused(
                message, f"goes on from message {each.id[:SHORT]}, which {before}", BY_VOICE
            )
    return made


def as_sent(message: Message, thread: Collection[Message]) -> Leaving:
    """Return a message with those that it goes on from, whether it may leave or not.

    thread: as of `thread_of`.
    """
    earlier = earlier_of(message, thread)
    replied = next((each for each in thread if each.id == message.reply_to), None)
    if replied is None or replied in earlier or _why_it_stays(replied, replied.sender):
        return Leaving(message, earlier)
    return Leaving(message, earlier, replied)


def thread_of(message: Message, others: Mapping[str, Message]) -> tuple[Message, ...]:
    """Return all that hangs together with a message by replies, itself among them, in order.

    others: by id, as of `to_leave`. Of all of them only this is asked, what they reply to: there
    may be very many.
    """
    replies: dict[str, list[str]] = {}
    for own_id, each in others.items():
        if each.reply_to is not None:
            replies.setdefault(each.reply_to, []).append(own_id)
    found, ends = {message.id}, [message]
    while ends:
        end = ends.pop()
        for own_id in (end.reply_to, *replies.get(end.id, ())):
            near = others.get(own_id or "")
            if near is not None and near.id not in found and near.parties == message.parties:
                found.add(near.id)
                ends.append(near)
    return tuple(each for own_id, each in others.items() if own_id in found)


def earlier_of(message: Message, thread: Collection[Message]) -> tuple[Message, ...]:
    """Return the notices of the same sender that one goes on from, oldest first.

    Those that it replies to, one after another; of an accident also what was added before.
    """
    family = GOES_ON_FROM.get(name_of(message.template), frozenset())
    by_id = {each.id: each for each in thread}

    def is_own(each: Message | None) -> bool:
        return (
            each is not None and each.sender == message.sender and name_of(each.template) in family
        )

    found: set[str] = set()
    before = by_id.get(message.reply_to or "")
    while before is not None and is_own(before) and before.id not in found:
        found.add(before.id)
        before = by_id.get(before.reply_to or "")
    if name_of(message.template) == UPDATE:
        for each in thread:  # in the order in which they were sent
            if each.id == message.id:
                break
            if is_own(each) and each.reply_to in found:
                found.add(each.id)
    return tuple(each for each in thread if each.id in found)


def _check_thread(message: Message, thread: Collection[Message]) -> None:
    for each in thread:
        is_own = each.id == message.id
        by = f"message {each.id[:SHORT]} of its thread"
        precedence = Precedence.STOP if each.stop is not None else each.precedence
        if precedence in NEVER:
            is_sar = each.stop is not None and each.stop.sar is not None
            what, why = SAR if is_sar else NEVER[precedence]
            said = f"is {what}" if is_own else f"goes with {by}, which is {what}"
            raise _refused(message, f"{said}: {why}", BY_VOICE)
        if _is_hurt(each):
            raise _refused(
                message, f"{'says' if is_own else f'goes with {by}, which says'} that people are "
                "hurt: where survivors are never leaves", BY_VOICE,
            )  # fmt: skip


def _is_hurt(message: Message) -> bool:
    return any(
        isinstance(each, CountValue) and each.name == "injured" and each.number > 0
        for each in message.values
    )


def _why_it_stays(message: Message, reader: str) -> str:
    """Return why a message stays, by itself; empty where it may leave."""
    name = name_of(message.template)
    if message.channel != FLIGHT_SAFETY:
        return f"went over {message.channel}; what leaves is of {FLIGHT_SAFETY} alone"
    if message.precedence not in URGENCIES:
        return f"is {message.precedence}, which tells others nothing to act on"
    if name and name not in MAY_LEAVE:
        return STAYS[name]
    if message.text.strip() and message.sender != reader:
        return (
            f"has words that {message.sender} has typed freely, which may say where people are; "
            f"{message.sender} can pass them on itself"
        )
    return ""


def _refused(message: Message, why: str, way_out: str) -> InputError:
    return InputError("message", message.id[:SHORT], why, way_out)
