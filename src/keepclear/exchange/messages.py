# SPDX-License-Identifier: Apache-2.0
"""What acts on messages do: sent, delivered, displayed, acknowledged, disseminated, answered.

What is read back stands in `read_backs`.

Rules are those of `line`. A message and every step of it are parts of the record for its sender
and its receiver and nobody else.

1. A message goes over a channel that is open between the two as agreements stand now. DISTRESS
   goes over flight safety, open or not.
2. A reply is to a message of the same two parties, channel and status. One that is not there, one
   that is not seen, and one of others get the same answer.
3. The deadline and the chain are those of the clause in force as it is sent, of several the
   soonest; they stay as they are, whatever becomes of the agreement.
4. What was said by other means and is keyed in later says when: a claim within bounds, but for
   DISTRESS, of which nothing is refused.
5. What is overdue is entered by the exchange, with the time at which it fell due.
"""

from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

from msgspec.structs import replace

from keepclear.agreement.binding import binding
from keepclear.agreement.clauses import Channels, Deadlines, Precedence
from keepclear.agreement.documents import Agreement, Clause
from keepclear.agreement.states import State as AgreementState
from keepclear.errors import InputError
from keepclear.exchange.bindings import held_of
from keepclear.exchange.deciding import Deciding
from keepclear.exchange.events import MessageChanged, MessageOverdue
from keepclear.exchange.operations import Refused
from keepclear.line.acts import (
    AcknowledgeMessage,
    AnswerMessage,
    MarkDelivered,
    MarkDisplayed,
    MarkDisseminated,
    SendDistress,
    SendMessage,
)
from keepclear.line.ladder import Step
from keepclear.line.messages import (
    ANSWERS,
    FLIGHT_SAFETY,
    MOST_ANSWERS,
    MOST_UNITS,
    Answer,
    Message,
    StepTaken,
    answered,
    chain_of,
    fallen_due,
    open_channels,
    precedence_of,
    stepped,
)
from keepclear.line.said import Said, check_said
from keepclear.line.stops import Called
from keepclear.line.templates import CANCELLATION, CANCELLED, fields_of, name_of
from keepclear.line.values import Value, read_values
from keepclear.record.headers import Act
from keepclear.units import US_PER_S, format_time

STANDING: Final = frozenset({
    AgreementState.IN_FORCE, AgreementState.SUSPENDED, AgreementState.DENOUNCED,
})  # fmt: skip


class _Limit(NamedTuple):
    """What a clause says of one precedence. clause: in words."""

    within_us: int
    clause: str
    escalation: tuple[str, ...]


def send(deciding: Deciding, act: Act, payload: SendMessage) -> None:
    """Send a message over a channel that is open."""
    check_receiver(deciding, act, payload.to)
    check_said(payload.said, deciding.filed_us)
    found = channels(deciding, act.party, payload.to)
    if payload.channel not in found:
        raise InputError(
            "channel", payload.channel, f"is not open between {act.party} and {payload.to} now",
            f"send it over {' or '.join(found)}",
        )  # fmt: skip
    _send(deciding, act, payload, payload.channel, payload.precedence)


def distress(deciding: Deciding, act: Act, payload: SendDistress) -> None:
    """Send a DISTRESS message; no channel, suspension or mandate stands in its way."""
    check_receiver(deciding, act, payload.to)
    for each in deciding.world.messages.values():  # its act may come after any time
        if (each.sender, each.act) == (act.party, act.id):
            raise Refused(f"act {act.id[:8]}: was taken before, as message {each.id[:8]}")
    _send(deciding, act, payload, FLIGHT_SAFETY, Precedence.DISTRESS)


def _send(
    deciding: Deciding, act: Act, payload: SendMessage | SendDistress, channel: str,
    precedence: Precedence,
) -> None:  # fmt: skip
    replied = _replied(deciding, act, payload, channel)
    _check_cancels(act.party, payload, replied)
    limit = _limit(deciding, act.party, payload.to, precedence)
    post = payload.post
    if post is None:
        post = _usual_post(deciding, act.party, payload.to, replied, limit)
    elif post not in (posts := _posts(deciding, act.party, payload.to)):
        raise InputError(
            "post", post, f"is no post of {payload.to}", f"name one of {', '.join(posts)}"
        )
    first_us = None if limit is None else deciding.now_us + limit.within_us
    sent = StepTaken(step=Step.SENT, at_us=deciding.filed_us, party=act.party, post=act.post)
    made = Message(
        id=deciding.ids.id(), act=act.id, channel=channel, precedence=precedence,
        status=act.status, sender=act.party, sender_post=act.post, receiver=payload.to, post=post,
        person=payload.person, text=payload.text, language=payload.language,
        reply_to=payload.reply_to, sent_us=deciding.filed_us,
        clause="" if limit is None else limit.clause,
        within_us=None if limit is None else limit.within_us, first_us=first_us,
        chain=() if limit is None else chain_of(post, payload.person, limit.escalation),
        steps=(sent,), next_us=first_us, template=payload.template,
        values=read_values(payload.values, fields_of(payload.template)), said=payload.said,
    )  # fmt: skip
    deciding.seen_by = made.parties
    deciding.emit(made.parties, MessageChanged(message=made, taken=sent))


class Telling(NamedTuple):
    """What a party that is named in a STOP or a SAR case is told in words, and in fields."""

    text: str
    language: str
    values: tuple[Value, ...] = ()


def send_called(
    deciding: Deciding, act: Act, to: str, message_id: str, telling: Telling, called: Called,
    reply_to: str | None = None,
) -> None:  # fmt: skip
    """Send the message of a STOP or a SAR case to one of the parties that are named in it.

    Its deadline is that of its precedence, where the two have agreed none that of URGENT. It holds
    nothing of the other parties named. reply_to: what it follows.
    """
    precedence = precedence_of(called)
    limit = _limit(deciding, act.party, to, precedence) or _limit(
        deciding, act.party, to, Precedence.URGENT
    )
    before = None if reply_to is None else deciding.world.messages.get(reply_to)
    if limit is not None or deciding.posts(to):
        post = _usual_post(deciding, act.party, to, None, limit)
    elif before is not None:
        post = before.post  # who has no key any more keeps no other from being told
    else:
        raise InputError(
            "to", to, "has no post with a key, so nobody there can be told",
            f"name the others, and tell {to} by voice; its operations are told to keep out",
        )  # fmt: skip
    first_us = None if limit is None else deciding.now_us + limit.within_us
    sent = StepTaken(step=Step.SENT, at_us=deciding.filed_us, party=act.party, post=act.post)
    made = Message(
        id=message_id, act=act.id, channel=FLIGHT_SAFETY, precedence=precedence,
        status=act.status, sender=act.party, sender_post=act.post, receiver=to, post=post,
        person=None, text=telling.text, language=telling.language, reply_to=reply_to,
        sent_us=deciding.filed_us,
        clause="" if limit is None else limit.clause,
        within_us=None if limit is None else limit.within_us, first_us=first_us,
        chain=() if limit is None else chain_of(post, None, limit.escalation),
        steps=(sent,), next_us=first_us, values=telling.values, stop=called,
    )  # fmt: skip
    deciding.emit(made.parties, MessageChanged(message=made, taken=sent))


def check_receiver(deciding: Deciding, act: Act, receiver: str) -> None:
    """Refuse a message to nobody, or to oneself."""
    if receiver == act.party or receiver not in deciding.parties:
        raise InputError("to", receiver, "is no other party of this region", "see who has joined")


def delivered(deciding: Deciding, act: Act, payload: MarkDelivered) -> None:
    """Take that a client of the receiver holds it."""
    _take(deciding, act, payload.id, Step.DELIVERED, None)


def displayed(deciding: Deciding, act: Act, payload: MarkDisplayed) -> None:
    """Take that it was shown to a person."""
    _take(deciding, act, payload.id, Step.DISPLAYED, payload.person)


def acknowledge(deciding: Deciding, act: Act, payload: AcknowledgeMessage) -> None:
    """Take that a person has taken it."""
    _take(deciding, act, payload.id, Step.ACKNOWLEDGED, payload.person, said=payload.said)


def disseminated(deciding: Deciding, act: Act, payload: MarkDisseminated) -> None:
    """Take which units were told, until `MOST_UNITS` were."""
    units = tuple(dict.fromkeys(payload.units))
    old = received(deciding, act, payload.id)
    if old.units_told + len(units) > MOST_UNITS:
        raise Refused(
            f"message {old.id[:8]}: names {old.units_told} units, and {MOST_UNITS} is the most; "
            "name the others in a message that replies to it"
        )
    _take(deciding, act, payload.id, Step.DISSEMINATED, payload.person, units)


def answer(deciding: Deciding, act: Act, payload: AnswerMessage) -> None:
    """Take an answer of a post at which it was shown to a person. It fills in no step."""
    old = received(deciding, act, payload.id)
    if old.first(Step.DISPLAYED, act.post) is None:
        raise Refused(
            f"message {old.id[:8]}: is not displayed at {act.post}, so nobody there can answer it; "
            "read it first"
        )
    is_wanted = payload.word in ANSWERS and Step.ANSWERED in old.ladder
    is_first = is_wanted and old.first(Step.ANSWERED) is None  # never too late to be said
    if len(old.answers) >= MOST_ANSWERS and not is_first:
        raise Refused(
            f"message {old.id[:8]}: was answered {MOST_ANSWERS} times, which is the most; say what "
            "else there is in a message that replies to it"
        )
    if payload.until_us is not None and payload.until_us <= deciding.filed_us:
        raise InputError(
            "until_us", f"{format_time(payload.until_us)[:19]}Z",
            f"is not after now, {format_time(deciding.filed_us)[:19]}Z", "give a time to come",
        )  # fmt: skip
    if payload.clause:
        deciding.check_clause(payload.clause, *old.parties)
    made = Answer(
        word=payload.word, at_us=deciding.filed_us, party=act.party, post=act.post,
        person=payload.person, why=payload.why, until_us=payload.until_us, clause=payload.clause,
    )  # fmt: skip
    deciding.emit(old.parties, MessageChanged(message=answered(old, made), answer=made))


def fall_due(deciding: Deciding, message: Message) -> None:
    """Say of each step that is due and not there that it is overdue, and let the message go on."""
    if message.next_us is None or message.next_us > deciding.now_us:
        return
    made, found = fallen_due(message)
    before = message.overdue
    for number, each in enumerate(found, start=1):
        # each alarm by itself; the last leaves the message as it stands from now on
        is_last = number == len(found)
        so_far = replace(message, overdue=(*before, *found[:number]))
        deciding.emit(
            message.parties, MessageOverdue(message=made if is_last else so_far, overdue=each)
        )


def channels(deciding: Deciding, a: str, b: str) -> tuple[str, ...]:
    """Return the channels that are open between two parties now."""
    held = binding(held_of(deciding.world), a, b)
    holding = _named(clause for each in held for clause in each.standing.clauses)
    named = _named(clause for each in _standing(deciding, a, b) for clause in each.clauses)
    return open_channels(holding, named)


def _named(clauses: Iterable[Clause]) -> list[str]:
    """Return the channels that clauses name."""
    return [
        channel
        for clause in clauses
        if isinstance(clause.decides, Channels)
        for channel in clause.decides.channels
    ]


def _standing(deciding: Deciding, a: str, b: str) -> list[Agreement]:
    """Return the agreements of two parties that are in force or suspended."""
    return [
        each.agreement for each in deciding.world.agreements.values()
        if each.state in STANDING and {a, b} <= {party.id for party in each.agreement.parties}
    ]  # fmt: skip


def _posts(deciding: Deciding, sender: str, receiver: str) -> tuple[str, ...]:
    """Return the posts of a receiver: those with a key, and those that the two have agreed."""
    agreed = [
        post.id
        for each in _standing(deciding, sender, receiver)
        for party in each.parties
        if party.id == receiver
        for post in party.posts
    ]
    return tuple(dict.fromkeys((*deciding.posts(receiver), *agreed)))


def _limit(deciding: Deciding, a: str, b: str, precedence: Precedence) -> _Limit | None:
    """Return what the clauses that hold say of a precedence, the soonest; None for nothing."""
    return min(_limits(deciding, a, b, precedence), default=None)


def _limits(deciding: Deciding, a: str, b: str, precedence: Precedence) -> Iterator[_Limit]:
    for held in binding(held_of(deciding.world), a, b):
        for clause in held.standing.clauses:
            if not isinstance(clause.decides, Deadlines):
                continue
            words = f"clause {clause.id} of {held.standing.hash[:16]}"
            for each in clause.decides.deadlines:
                if each.precedence is precedence:
                    within_us = each.acknowledge_s * US_PER_S
                    yield _Limit(within_us, words, clause.decides.escalation)


def _usual_post(
    deciding: Deciding, sender: str, receiver: str, replied: Message | None, limit: _Limit | None
) -> str:  # fmt: skip
    """Return the post that a message goes to where none is named."""
    known = _posts(deciding, sender, receiver)  # what a representative signs can name any other
    is_reply = replied is not None and replied.sender == receiver
    if replied is not None and is_reply and replied.sender_post in known:
        return replied.sender_post
    if limit is not None and limit.escalation:
        return limit.escalation[0]
    found = deciding.posts(receiver)
    if not found:
        raise InputError("to", receiver, "has no post with a key", "name the post")
    return found[0]


def _replied(
    deciding: Deciding, act: Act, payload: SendMessage | SendDistress, channel: str
) -> Message | None:
    """Return what is replied to; one error for all that cannot be."""
    if payload.reply_to is None:
        return None
    found = deciding.world.messages.get(payload.reply_to)
    parties = {act.party, payload.to}
    if (
        found is None
        or {found.sender, found.receiver} != parties
        or (found.channel, found.status) != (channel, act.status)
    ):
        raise InputError(
            "reply_to", payload.reply_to,
            f"is no message between {act.party} and {payload.to} over {channel} that is "
            f"{act.status}", "reply over its own channel, to its own parties, or send a new one",
        )  # fmt: skip
    return found


def _check_cancels(
    party: str, payload: SendMessage | SendDistress, replied: Message | None
) -> None:  # fmt: skip
    """Refuse a cancellation of what is no notice of one's own that can be cancelled."""
    if name_of(payload.template) != CANCELLATION:
        return
    is_own = replied is not None and replied.sender == party
    if not is_own or replied is None or name_of(replied.template) not in CANCELLED:
        raise InputError(
            "reply_to", payload.reply_to or "",
            f"is no {' or '.join(sorted(CANCELLED))} of {party}, and a cancellation is of one",
            "name the notice that is cancelled",
        )  # fmt: skip


def _take(
    deciding: Deciding, act: Act, message_id: str, step: Step, person: str | None,
    units: tuple[str, ...] = (), said: Said | None = None,
) -> None:  # fmt: skip
    """Let a post of the receiver take a step. said: where it was said by other means, before."""
    old = received(deciding, act, message_id)
    if old.precedence is not Precedence.DISTRESS:
        check_said(said, deciding.filed_us, old.said_us)
    taken = StepTaken(
        step=step, at_us=deciding.filed_us, party=act.party, post=act.post, person=person,
        units=units, said=said,
    )  # fmt: skip
    deciding.emit(old.parties, MessageChanged(message=stepped(old, taken), taken=taken))


def received(deciding: Deciding, act: Act, message_id: str) -> Message:
    """Return a message that a post may act on; one error for all that its party does not see."""
    found = deciding.world.messages.get(message_id)
    if found is None or act.party not in found.parties or found.status is not act.status:
        raise InputError(
            "message", message_id, f"is no message of {act.party}", "see your own messages"
        )
    short = f"message {found.id[:8]}"
    if found.receiver != act.party:
        raise Refused(f"{short}: is sent by {act.party}; {found.receiver} takes its steps")
    if not found.is_with(act.post):
        next_us = found.next_us
        on = "" if next_us is None else f", and goes on at {format_time(next_us)[:19]}Z"
        raise Refused(
            f"{short}: is with {' and '.join(found.posts)} of {found.receiver}, and not with "
            f"{act.post}{on}; let a post act that it is with"
        )
    deciding.seen_by = found.parties
    return found
