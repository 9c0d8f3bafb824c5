# SPDX-License-Identifier: Apache-2.0
"""What the desk in a terminal says of messages: a line for each that waits, and all of one.

A line fits into 80 columns, and says in words what colour says too. What somebody typed stands on
lines of its own, so that text written from right to left turns nothing else round.

1. Those of which all is done stay for ten minutes, last: they can be answered still.
2. What is due says in how many seconds, and what is not there is OVERDUE, and for how long.
"""

from collections.abc import Iterable, Iterator, Mapping
from textwrap import wrap
from typing import Final

from keepclear.agreement.clauses import Precedence
from keepclear.line.ladder import LADDER, Step
from keepclear.line.messages import Message
from keepclear.reports.form_text import form_rows
from keepclear.reports.message_text import (
    LABEL,
    NO_DEADLINE,
    SHORT,
    in_order,
    ladder_rows,
    last_read_back,
    late_mark,
    precedence_text,
    rows_beside,
    second,
)
from keepclear.reports.play_values import day_of
from keepclear.reports.printable import printable
from keepclear.reports.read_back_text import value_row
from keepclear.reports.stop_text import called_rows
from keepclear.units import US_PER_S

ALARMS: Final = frozenset({Precedence.DISTRESS, Precedence.STOP})
"""Of which a message takes the whole screen until somebody has acknowledged it."""
STAYS_US: Final = 600 * US_PER_S
IN_SECONDS: Final = 600  # up to so long a span is counted in seconds; then in minutes, or hours
IN_MINUTES: Final = 7_200
WIDE: Final = (18, 16, 13)  # columns: how urgent, who, how old or how far


def came_here(
    messages: Iterable[Message], party: str, post: str, now_us: int
) -> list[Message]:  # fmt: skip
    """Return the messages that are with a post, in the order in which they are listed."""
    return _listed((each for each in messages if is_here(each, party, post)), now_us)


def sent_by(messages: Iterable[Message], party: str, now_us: int) -> list[Message]:
    """Return the messages that a party has sent, in the order in which they are listed."""
    return _listed((each for each in messages if each.sender == party), now_us)


def is_here(message: Message, party: str, post: str) -> bool:
    """Tell whether a message is with a post of its receiver."""
    return message.receiver == party and message.is_with(post)


def is_taken(message: Message) -> bool:
    """Tell whether a person has acknowledged a message, or a later one asks for all of it."""
    return message.is_followed or message.first(Step.ACKNOWLEDGED) is not None


def _listed(messages: Iterable[Message], now_us: int) -> list[Message]:
    found = [
        each for each in messages
        if each.is_open or now_us - max(taken.at_us for taken in each.steps) < STAYS_US
    ]  # fmt: skip
    return sorted(in_order(found), key=lambda each: each.is_done)


def came_line(message: Message, now_us: int) -> str:
    """Return the line of a message that came: how urgent, from whom, how old, what is due."""
    who = f"{message.sender}, {message.sender_post}"
    return _line(message, who, f"{_span(now_us - message.said_us)} old", now_us)


def sent_line(message: Message, now_us: int) -> str:
    """Return the line of a message that was sent: how urgent, to whom, how far, what is due."""
    return _line(message, f"{message.receiver}, {message.post}", str(_last(message)), now_us)


def _line(message: Message, who: str, far: str, now_us: int) -> str:
    urgent, whom, how = WIDE
    if len(who) >= whom:
        who = f"{who[: whom - 2]}…"
    said = f"{precedence_text(message.precedence):<{urgent}}{who:<{whom}}{far:<{how}}"
    return said + late_mark(message.said) + due_text(message, now_us)


def _last(message: Message) -> Step:
    return max((each.step for each in message.steps), key=list(LADDER).index)


def due_text(message: Message, now_us: int) -> str:
    """Return what is due next of a message and when, or what is OVERDUE and for how long."""
    if message.is_followed:
        return "a later message says how it stands"
    if message.is_done:
        return "all is done"
    late = [each for each in message.overdue if message.is_late(each)]
    if late:
        return f"OVERDUE {_span(now_us - late[0].due_us)}: not {late[0].step}"
    waits = {step: us for step, us in message.due.items() if message.first(step) is None}
    if not waits:
        return f"no deadline: not {Step.DISSEMINATED if is_taken(message) else Step.ACKNOWLEDGED}"
    due_us = min(waits.values())
    step = [each for each in LADDER if waits.get(each) == due_us][-1]
    if due_us <= now_us:
        return f"due {_span(now_us - due_us)} ago: not {step}"
    return f"due in {_span(due_us - now_us)}: not {step}"


def is_overdue(message: Message) -> bool:
    """Tell whether a step of a message was not there when it was due, and is not there now."""
    return any(message.is_late(each) for each in message.overdue)


def _span(length_us: int) -> str:
    """Return a length of time: seconds up to ten minutes, as they are counted down."""
    seconds = max(length_us, 0) // US_PER_S
    if seconds < IN_SECONDS:
        return f"{seconds} s"
    return f"{seconds // 60} min" if seconds < IN_MINUTES else f"{seconds // 3_600} h"


def heading(message: Message) -> str:
    """Return the first line of a message in full; its status stands first."""
    person = f", {message.person}" if message.person else ""
    return (
        f"{message.status.upper()}  {precedence_text(message.precedence)}  message "
        f"{message.id[:SHORT]} from {message.sender}, {message.sender_post}, to "
        f"{message.receiver}, {message.post}{person}"
    )


def text_lines(message: Message, language: str = "en") -> list[str]:
    """Return what a message says, whole: its form, its text in the lines of it, its values.

    language: of the words of its form.
    """
    typed = [printable(each) for each in message.text.split("\n")] if message.text else []
    if message.template is not None:
        return [*form_rows(message, language), *typed]
    return [*typed, *(f"{label}: {said}" for label, said in map(value_row, message.values))]


def beside_lines(
    message: Message, messages: Mapping[str, Message], now_us: int, width: int,
    language: str = "en",
) -> Iterator[str]:  # fmt: skip
    """Yield what stands below the text: alarms, answers, the thread, and the ladder.

    When each step is due stands in the ladder alone. messages: all that are held, by id. width:
    how many columns a line has. language: as of `text_lines`.
    """
    rows = [
        *(() if message.stop is None else called_rows(message.stop, day_of(message.sent_us))),
        *last_read_back(message),
        *(
            (label, said)
            for label, said in rows_beside(message, now_us)
            if label != "due" or said == NO_DEADLINE
        ),
    ]
    if message.language != "en":
        rows.append(("typed in", message.language))
    for label, said in rows:
        yield from _wrapped(label, said, width)
    yield from _thread(message, messages, width, language)
    yield ""
    yield from ladder_rows(message, now_us)


def _thread(
    message: Message, messages: Mapping[str, Message], width: int, language: str
) -> Iterator[str]:  # fmt: skip
    """Yield what a message replies to, and what replies to it, each text on lines of its own."""
    before = messages.get(message.reply_to or "")
    around = [] if before is None else [("it was", before)]
    around += [("reply", each) for each in messages.values() if each.reply_to == message.id]
    for label, each in around:
        yield f"  {label:<{LABEL}}{each.id[:SHORT]} from {each.sender}, {second(each.sent_us)}:"
        for line in text_lines(each, language):
            yield from _wrapped("", line, width)


def _wrapped(label: str, said: str, width: int) -> Iterator[str]:
    """Yield a row; what does not fit goes on below where it began."""
    for number, line in enumerate(wrap(said, max(width - LABEL - 2, LABEL)) or [""]):
        yield f"  {'' if number else label:<{LABEL}}{line}"
