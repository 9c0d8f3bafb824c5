# SPDX-License-Identifier: Apache-2.0
"""Messages on a page: how far each has come, what it says, what is due of it, or OVERDUE.

With times and no lengths of time: a sheet of paper that says "in 4 minutes" lies five minutes on.
"""

from collections.abc import Iterable

from keepclear.line.ladder import LADDER, Step
from keepclear.line.messages import Message
from keepclear.reports.form_text import form_markup
from keepclear.reports.markup import Markup, tag, text
from keepclear.reports.message_text import (
    LATE_ENTRY,
    in_order,
    overdue_text,
    precedence_text,
    said_text,
    second,
)
from keepclear.reports.play_values import day_of, listed
from keepclear.reports.read_back_text import confirmed_text, read_back_rows, value_row

SHORT = 8
HEADS = ("message", "urgency", "from, to", "it says", "state", "due (UTC)")


def message_table_rows(messages: Iterable[Message]) -> list[Markup]:
    """Return a row for each message under `HEADS`, the unacknowledged and most urgent first."""
    return [_row(each) for each in in_order(messages)]


def _row(message: Message) -> Markup:
    sent = f"{day_of(message.sent_us)} {second(message.sent_us)}"
    whom = f"{message.sender}, {message.sender_post}, to {message.receiver}, {message.post}"
    last = max((each.step for each in message.steps), key=list(LADDER).index)
    overdue = [tag("div", tag("b", text("OVERDUE: ")), text(overdue_text(each)))
               for each in message.overdue]  # fmt: skip
    said = [
        *form_markup(message),
        *([tag("div", text(message.text), dir="auto")] if message.text else []),
        *[tag("div", text(f"{name}: {said}")) for name, said in _values(message)],
        tag("div", text(_beside(message)), class_="small"),
    ]
    return tag(
        "tr", tag("td", text(message.id[:SHORT]), class_="clause"),
        tag("td", tag("b", text(precedence_text(message.precedence)))),
        tag("td", tag("div", text(whom)), tag("div", text(f"sent {sent}"), class_="small"),
            *[tag("div", tag("b", text(f"{LATE_ENTRY} ")), text(each)) for each in _late(message)]),
        tag("td", *said, class_="said"), tag("td", text(_state(message, last))),
        tag("td", *[tag("div", text(each)) for each in _due(message)], *overdue),
    )  # fmt: skip


def _values(message: Message) -> list[tuple[str, str]]:
    """Return values and mismatches as rows; those of a template stand in its form."""
    rows = [] if message.template is not None else [value_row(each) for each in message.values]
    wrong = message.mismatch
    return [*rows, *(read_back_rows(message, wrong) if wrong is not None else ())]


def _late(message: Message) -> list[str]:
    """Return when that was said which was keyed in later: the message, and steps of it."""
    own = [] if message.said is None else [said_text(message.said, message.sender)]
    return own + [
        f"{each.step}: {said_text(each.said, each.party)}"
        for each in message.steps if each.said is not None
    ]  # fmt: skip


def _state(message: Message, last: Step) -> str:
    words = confirmed_text(message) if message.first(Step.ACKNOWLEDGED) is not None else ""
    return f"{last}, {words}" if words else str(last)


def _beside(message: Message) -> str:
    answers = [f"{each.party} says {each.word}, {second(each.at_us)}" for each in message.answers]
    return "; ".join([f"({message.language}) over {message.channel}", *answers])


def _due(message: Message) -> list[str]:
    """Return what is due of a message, by when; without a deadline that none is agreed."""
    waits = {step: us for step, us in message.due.items() if message.first(step) is None}
    said = {each.step for each in message.overdue}
    made = [
        f"{listed([step for step, each in waits.items() if each == due_us and step not in said])} "
        f"by {second(due_us)}"
        for due_us in sorted({us for step, us in waits.items() if step not in said})
    ]
    return made or ([] if message.overdue else ["no deadline is agreed"])
