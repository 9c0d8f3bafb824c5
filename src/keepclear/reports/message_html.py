# SPDX-License-Identifier: Apache-2.0
"""Messages on a page: how far each has come, what it says, what is due of it, or OVERDUE.

With times and no lengths of time: a sheet of paper that says "in 4 minutes" lies five minutes on.
"""

from collections.abc import Iterable

from keepclear.line.ladder import LADDER
from keepclear.line.messages import Message
from keepclear.reports.markup import Markup, tag, text
from keepclear.reports.message_text import in_order, overdue_text, precedence_text, second
from keepclear.reports.play_values import day_of, listed

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
    said = [tag("div", text(message.text), dir="auto"), tag("div", text(_beside(message)),
            class_="small")]  # fmt: skip
    return tag(
        "tr", tag("td", text(message.id[:SHORT]), class_="clause"),
        tag("td", tag("b", text(precedence_text(message.precedence)))),
        tag("td", tag("div", text(whom)), tag("div", text(f"sent {sent}"), class_="small")),
        tag("td", *said, class_="said"), tag("td", text(str(last))),
        tag("td", *[tag("div", text(each)) for each in _due(message)], *overdue),
    )  # fmt: skip


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
