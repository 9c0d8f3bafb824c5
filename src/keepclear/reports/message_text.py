# SPDX-License-Identifier: Apache-2.0
"""What a post reads of messages: its inbox, what is overdue, and the ladder of one message.

A message is named by the first eight digits of its id. The text of a message stands as it was
typed, with the language in which that was.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from keepclear.agreement.clauses import Precedence
from keepclear.exchange.events import MessageChanged, MessageOverdue
from keepclear.exchange.views import SAYS_NOTHING_ELSE
from keepclear.line.first_action import first_action
from keepclear.line.ladder import LADDER, Step
from keepclear.line.messages import SPOKEN, Answer, Message, Overdue, StepTaken
from keepclear.line.read_back import ReadBack
from keepclear.line.said import Said
from keepclear.line.stops import Stands
from keepclear.line.values import value_text
from keepclear.reports.form_text import apart, form_rows, title_of
from keepclear.reports.play_values import day_of, listed
from keepclear.reports.printable import printable
from keepclear.reports.read_back_text import (
    MISMATCH,
    confirmed_text,
    read_back_rows,
    read_back_text,
    value_row,
)
from keepclear.reports.stop_text import WORDS, called_rows, called_text, framed
from keepclear.units import US_PER_S, format_time

SHORT: Final = 8
LABEL: Final = 12
STEP: Final = 14
AT: Final = 11
SECONDS: Final = 10
ORDER: Final = tuple(Precedence)
MINUTE_S: Final = 60
HOUR_S: Final = 3_600
LATE_ENTRY: Final = "LATE ENTRY"
NO_DEADLINE: Final = "no deadline is agreed, and it goes on to nobody; silence agrees to nothing"


def precedence_text(precedence: Precedence) -> str:
    """Return a precedence, with the words that are spoken for it."""
    spoken = SPOKEN.get(precedence)
    return f"{precedence} ({spoken})" if spoken else str(precedence)


def in_order(messages: Iterable[Message]) -> list[Message]:
    """Return messages as they are read: unacknowledged first, the most urgent, then the oldest.

    What was keyed in later stands where it was said; the record has it where it was entered.
    """

    def place(message: Message) -> tuple[bool, int, int]:
        is_taken = message.is_followed or message.first(Step.ACKNOWLEDGED) is not None
        return is_taken, ORDER.index(message.precedence), message.said_us

    return sorted(messages, key=place)


def message_rows(message: Message, now_us: int, language: str = "en") -> Iterator[str]:
    """Yield the lines of a message: how far it has come, what it says, what is due or overdue.

    language: in which its template is read.
    """
    rows = _message_rows(message, now_us, language)
    yield from rows if message.stop is None else framed(rows, message.stop)


def message_heading(message: Message) -> str:
    """Return the first line of a message: how urgent, from whom to whom, how far it has come."""
    return (
        f"{precedence_text(message.precedence)}  {late_mark(message.said)}message "
        f"{message.id[:SHORT]} from {message.sender}, {message.sender_post}, to {_to(message)}: "
        f"{standing_text(message)}"
    )


def _message_rows(message: Message, now_us: int, language: str) -> Iterator[str]:
    yield message_heading(message)
    for label, text in _rows(message, now_us, language):
        yield f"  {label:<{LABEL}}{text}"


def messages_text(
    messages: Iterable[Message], now_us: int, none: str, language: str = "en"
) -> str:  # fmt: skip
    """Return messages as they are read. none: what is said where there are none."""
    lines: list[str] = []
    for each in in_order(messages):
        lines += [*message_rows(each, now_us, language), ""]
    return "\n".join([*(lines or [none, ""]), SAYS_NOTHING_ELSE]) + "\n"


def ladder_text(message: Message, now_us: int, language: str = "en") -> str:
    """Return the ladder of one message: each step with its time, and the seconds between them.

    Below it how soon somebody has acted on it, or for how long nobody has.
    """
    lines = [*message_rows(message, now_us, language), "", *ladder_rows(message, now_us)]
    lines += ["", f"  {first_action_text(message, now_us)}", "", SAYS_NOTHING_ELSE]
    return "\n".join(lines) + "\n"


def ladder_rows(message: Message, now_us: int) -> Iterator[str]:
    """Yield each step of a message with its time, and the seconds since the one before."""
    yield f"  {'step':<{STEP}}{'at':<{AT}}{'seconds':<{SECONDS}}by"
    before_us: int | None = None
    for step in message.ladder:
        taken = [each for each in message.steps if each.step is step]
        if step is Step.ANSWERED and (answered := message.first(step)) is not None:
            taken = [answered]
        for each in taken:
            seconds = "" if before_us is None else f"+{_seconds(each.at_us - before_us)}"
            before_us = each.at_us
            yield f"  {step:<{STEP}}{second(each.at_us):<{AT}}{seconds:<{SECONDS}}{_by(each)}"
            if each.said is not None:
                late = f"{LATE_ENTRY}: {said_text(each.said, each.party)}"
                yield f"  {'':<{STEP + AT + SECONDS}}{late}"
        if not taken:
            yield f"  {step:<{STEP}}{_missing(message, step, now_us)}"


def first_action_text(message: Message, now_us: int) -> str:
    """Return how many seconds after it was sent somebody acted on a message, or that nobody has."""
    found = first_action(message)
    if found is None:
        passed_us = max(now_us - message.sent_us, 0)  # this clock may be behind the exchange's
        return f"nobody has acted on it, {_seconds(passed_us)} s after it was sent"
    person = f" ({found.person})" if found.person else ""
    said = next((each.said for each in message.steps if each.at_us == found.at_us), None)
    late = f"; {LATE_ENTRY}: {said_text(said, found.party)}" if said is not None else ""
    return (
        f"first acted on {_seconds(found.after_us)} s after it was sent: {found.what} by "
        f"{found.party}, {found.post}{person}{late}"
    )


def changed_text(event: MessageChanged | MessageOverdue) -> str:
    """Return what is new of a message, in a sentence; the most urgent begin with how urgent."""
    message = event.message
    name = f"message {message.id[:SHORT]}"
    if isinstance(event, MessageOverdue):
        return f"OVERDUE: {name} to {_to(message)}: {overdue_text(event.overdue)}"
    if event.read_back is not None:
        loud = "" if event.read_back.is_same else f"{MISMATCH}: "
        return f"{loud}{name} {read_back_text(message, event.read_back)}"
    if event.answer is not None:
        return f"{name}: {_answered(event.answer)}"
    if event.taken is None and message.stop is not None:
        return stands_text(message, name)
    if event.taken is None or event.taken.step is Step.SENT:
        return (
            f"{precedence_text(message.precedence)}: {late_mark(message.said)}{name} from "
            f"{message.sender}, {message.sender_post}, to {_to(message)}, {message.status}: "
            f"{_in_short(message)}"
        )
    after = _seconds(event.taken.at_us - message.sent_us)
    said = event.taken.said
    late = f"; {LATE_ENTRY}: {said_text(said, event.taken.party)}" if said is not None else ""
    return f"{name} is {event.taken.step} {after} s after it was sent, by {_by(event.taken)}{late}"


def late_mark(said: Said | None) -> str:
    """Return the words that stand before what was keyed in later; empty for all else."""
    return "" if said is None else f"{LATE_ENTRY}  "


def said_text(said: Said, party: str) -> str:
    """Return when, by what means and by whose word something was said that was keyed in later."""
    by = f" by {printable(said.by)}" if said.by is not None else ""
    at = f"{day_of(said.at_us)} {second(said.at_us)}"
    return f"said {at}{by}, as {party} says, and keyed in later"


def stands_text(message: Message, name: str) -> str:
    """Return how the STOP or SAR case of a message stands now; loud, but where a later one is."""
    called = message.stop
    if called is None or called.stands is Stands.FOLLOWED:
        return f"{name}: {WORDS[Stands.FOLLOWED]}"
    loud = precedence_text(message.precedence)
    if called.sar is None or not called.is_standing:
        return f"{loud}: {name} {WORDS[called.stands]}"
    return f"{loud}: {name}: {called_text(called, message.sent_us)}"


def overdue_text(overdue: Overdue) -> str:
    """Return that a step was not there when it was due, and where the message goes on."""
    goes = f"goes on to {overdue.goes_to}" if overdue.goes_to else "the chain is at its end"
    if overdue.goes_to == overdue.post:
        goes = f"goes on to anybody at {overdue.post}"
    return f"not {overdue.step} at {overdue.post} by {second(overdue.due_us)}; {goes}"


def _rows(message: Message, now_us: int, language: str) -> Iterator[tuple[str, str]]:
    yield from () if message.stop is None else called_rows(message.stop, day_of(now_us))
    yield from last_read_back(message)
    for number, line in enumerate(form_rows(message, language)):
        yield "" if number else "form", line
    if message.text:
        yield "says", _said(message)
    if message.template is None:
        yield from (value_row(each) for each in message.values)
    yield from rows_beside(message, now_us)


def rows_beside(message: Message, now_us: int) -> Iterator[tuple[str, str]]:
    """Yield what stands of a message beside what it says, each with its label."""
    day = day_of(message.sent_us)
    if message.said is not None:
        yield LATE_ENTRY, said_text(message.said, message.sender)
    for taken in message.steps:
        if taken.said is not None:
            yield LATE_ENTRY, f"{taken.step}: {said_text(taken.said, taken.party)}"
    yield "sent", f"{day} {second(message.sent_us)} over {message.channel}, {message.status}"
    if message.reply_to is not None:
        yield "replies to", f"message {message.reply_to[:SHORT]}"
    if message.is_followed:
        pass  # a later message says what is due
    elif message.within_us is None:
        yield "due", NO_DEADLINE
    else:
        yield from _due(message, now_us)
    yield from (("OVERDUE", overdue_text(each)) for each in message.overdue)
    for made in message.read_backs[:-1]:
        yield from _read_back(message, made)
    if len(message.posts) > 1:
        yield "is with", f"{listed(list(message.posts))} of {message.receiver}"
    for each in message.answers:
        at = _when(each.at_us, message.sent_us)
        yield "answer", f"{_answered(each)}, {at}{_over(each, now_us)}"


def last_read_back(message: Message) -> Iterator[tuple[str, str]]:
    """Yield what was read back of a message last, each with its label; MISMATCH is one."""
    for made in message.read_backs[-1:]:
        yield from _read_back(message, made)


def _read_back(message: Message, made: ReadBack) -> Iterator[tuple[str, str]]:
    for label, text in read_back_rows(message, made):
        yield label, f"{text}, {second(made.at_us)}"


def _due(message: Message, now_us: int) -> Iterator[tuple[str, str]]:
    """Yield what is due next of a message, and how long is left."""
    clause = message.clause.partition(" of ")[0]
    waits = {step: us for step, us in message.due.items() if message.first(step) is None}
    for due_us in sorted({each for each in waits.values() if each > now_us}):
        steps = listed([step for step, each in waits.items() if each == due_us])
        yield "due", f"{steps} by {second(due_us)}, in {duration(due_us - now_us)} ({clause})"


def standing_text(message: Message) -> str:
    """Return how far a message has come, whether it is confirmed, since when it is overdue."""
    last = max((each.step for each in message.steps), key=list(LADDER).index)
    late = [each for each in message.overdue if message.is_late(each)]
    since = ""
    if late:
        since = f", not {late[0].step}, OVERDUE since {_when(late[0].due_us, message.sent_us)}"
    words = confirmed_text(message) if message.first(Step.ACKNOWLEDGED) is not None else ""
    return f"{last}{f', {words}' if words else ''}{since}"


def _missing(message: Message, step: Step, now_us: int) -> str:
    late = next(
        (each for each in message.overdue if each.step is step and message.is_late(each)), None
    )
    if late is not None:
        return f"OVERDUE since {_when(late.due_us, message.sent_us)}"
    if message.is_followed:
        return "not taken; a later message asks for it"
    due_us = message.due.get(step)
    if due_us is None:
        return "not taken; no deadline"
    if due_us <= now_us:
        return f"not taken; was due {second(due_us)}"
    return f"due {second(due_us)}, in {duration(due_us - now_us)}"


def _to(message: Message) -> str:
    person = f", {message.person}" if message.person else ""
    return f"{message.receiver}, {message.post}{person}"


def _said(message: Message) -> str:
    return f'"{apart(message.text)}" ({message.language})'


def _in_short(message: Message) -> str:
    """Return what a message says in a line: what it is called, its values, its text."""
    title = title_of(message)
    if not title:
        return _said(message)
    values = [f"{each.name} {printable(value_text(each))}" for each in message.values]
    return "; ".join([title, *values, *([_said(message)] if message.text else [])])


def _by(taken: StepTaken) -> str:
    person = f" ({taken.person})" if taken.person else ""
    units = f": told {listed([printable(each) for each in taken.units])}" if taken.units else ""
    return f"{taken.party}, {taken.post}{person}{units}"


def _answered(answer: Answer) -> str:
    until = ""
    if answer.until_us is not None:
        until = f" until {_when(answer.until_us, answer.at_us)}"
    clause = f" under clause {answer.clause}" if answer.clause else ""
    why = f": {printable(answer.why)}" if answer.why else ""
    return f"{answer.party}, {answer.post} says {answer.word}{until}{clause}{why}"


def _over(answer: Answer, now_us: int) -> str:
    """Return that the time of a STANDBY has passed: then nothing is agreed, as with silence."""
    if answer.until_us is None or answer.until_us > now_us:
        return ""
    return "; that time has passed, and nothing is agreed"


def duration(length_us: int) -> str:
    """Return a length of time to the second, as "4 min 12 s"."""
    seconds = length_us // US_PER_S
    if seconds < MINUTE_S:
        return f"{seconds} s"
    if seconds < HOUR_S:
        return f"{seconds // MINUTE_S} min {seconds % MINUTE_S} s"
    return f"{seconds // HOUR_S} h {seconds % HOUR_S // MINUTE_S} min"


def _seconds(length_us: int) -> str:
    """Return seconds to a tenth."""
    return f"{length_us / US_PER_S:,.1f}"


def second(at_us: int) -> str:
    """Return the time of day to the second."""
    return f"{format_time(at_us)[11:19]}Z"


def _when(at_us: int, known_us: int) -> str:
    """Return a time, with its day where that is not the day of another time that is known."""
    day = day_of(at_us)
    return second(at_us) if day == day_of(known_us) else f"{day} {second(at_us)}"


def urgent_words() -> Sequence[str]:
    """Return how sentences begin that a bell is rung for."""
    loud = (Precedence.DISTRESS, Precedence.STOP, Precedence.URGENT, Precedence.PRIORITY)
    return ("OVERDUE: ", f"{MISMATCH}: ", *(f"{precedence_text(each)}: " for each in loud))


def sent_text(sent: Iterable[Message], now_us: int, language: str = "en") -> list[str]:
    """Return how the messages stand that one's own party has sent; nothing where there are none."""
    found = in_order(sent)
    if not found:
        return []
    rows = [line for each in found for line in ("", *message_rows(each, now_us, language))]
    return ["", "sent from here, and not done:", *rows]
