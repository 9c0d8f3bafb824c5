# SPDX-License-Identifier: Apache-2.0
"""What a story says of messages: sent, each step of the ladder, what is overdue, answers.

Messages are numbered in the order in which they come up. Who is told is said with the first: a
message is told to its two parties and to nobody else.
"""

from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple

from keepclear.exchange.events import MessageChanged, MessageOverdue
from keepclear.line import acts
from keepclear.line.ladder import LADDER, Step
from keepclear.line.messages import Message
from keepclear.plans.sar import ChangePhase, CloseSar, OpenSar, RenewSar, UpdateSar
from keepclear.plans.stops import EndStop, RenewStop, SendStop
from keepclear.reports.form_text import apart, form_rows
from keepclear.reports.message_text import LATE_ENTRY, overdue_text, precedence_text, said_text
from keepclear.reports.play_names import Names
from keepclear.reports.play_values import clock, day_of, listed
from keepclear.reports.printable import printable
from keepclear.reports.read_back_text import confirmed_text, read_back_rows, value_row
from keepclear.reports.stop_text import SHORT, WORDS, area_rows, how_text, name_of
from keepclear.units import US_PER_S

DOES: Final = {
    "line.send": "sends {}",
    "distress": "sends {}",
    "line.delivered": "holds {}: delivered",
    "line.displayed": "shows {} to a person: displayed",
    "line.acknowledge": "acknowledges {}",
    "line.read-back": "reads back {}",
    "line.disseminated": "has passed on {}",
    "line.answer": "answers {}",
    "line.stop": "sends a STOP to {}",
    "line.stop-renew": "renews STOP {}",
    "line.stop-end": "ends STOP {}",
    "sar.open": "opens a SAR case, told to {}",
    "sar.update": "says where they are now, SAR case {}",
    "sar.phase": "changes the phase of SAR case {}",
    "sar.renew": "renews SAR case {}",
    "sar.close": "closes SAR case {}",
}
OF_MESSAGES: Final = (MessageChanged, MessageOverdue)
OF_A_MESSAGE: Final = (
    acts.MarkDelivered, acts.MarkDisplayed, acts.AcknowledgeMessage, acts.ReadBackMessage,
    acts.MarkDisseminated,
)  # fmt: skip


class Row(NamedTuple):
    """A sentence, or with a label a row below it."""

    label: str
    text: str


class MessageTeller:
    """Says what is new of messages; keeps how they stand."""

    def __init__(self, names: Names) -> None:
        self._names = names
        self.messages: dict[str, Message] = {}

    def about(self, payload: Any, values: Sequence[object]) -> str | None:  # noqa: ANN401 any act
        """Return what an act on the line is about; None where it is none. values: came of it."""
        names = self._names
        made = [each.message.id for each in values if isinstance(each, MessageChanged)]
        what = None
        match payload:
            case acts.SendMessage():
                what = f"{names.message(made[0]) if made else 'a message'} to {payload.to}"
                what += f", {precedence_text(payload.precedence)}"
            case acts.SendDistress():
                what = f"{names.message(made[0]) if made else 'a message'} to {payload.to}"
                what += ", DISTRESS (MAYDAY)"
            case SendStop() | OpenSar():
                what = listed(list(payload.to))
            case ChangePhase():
                what = f"{payload.id[:SHORT]} to {payload.phase}"
            case RenewStop() | EndStop() | UpdateSar() | RenewSar() | CloseSar():
                what = payload.id[:SHORT]
            case acts.AnswerMessage():
                what = f"{names.message(payload.id)} with {payload.word}"
            case _ if isinstance(payload, OF_A_MESSAGE):
                what = names.message(payload.id)
            case _:
                pass
        return what

    def tell(self, value: MessageChanged | MessageOverdue) -> Iterator[Row]:
        """Yield what is new of a message."""
        message = value.message
        self.messages[message.id] = message
        if isinstance(value, MessageOverdue):
            what = f"{self._names.message(message.id)} is {overdue_text(value.overdue)}"
            yield Row("", f"OVERDUE: {what}")
            return
        if value.read_back is not None:
            yield from (Row(*each) for each in read_back_rows(message, value.read_back))
        if value.answer is not None:
            if value.answer.until_us is not None:
                yield Row("until", clock(value.answer.until_us))
            return
        taken = value.taken
        if taken is None:
            if value.read_back is None and message.stop is not None:
                name = self._names.message(message.id)
                what = "STOP" if message.stop.sar is None else "SAR case"
                yield Row("", f"the {what} of {name}: {WORDS[message.stop.stands]}")
            return
        if taken.step is Step.SENT:
            yield from self._sent(message)
            return
        after_s = round((taken.at_us - message.sent_us) / US_PER_S, 1)
        yield Row("after", f"{after_s:,g} s, at {taken.post}")
        if taken.said is not None:
            yield Row(LATE_ENTRY, said_text(taken.said, taken.party))
        if taken.units:
            yield Row("units", listed([printable(each) for each in taken.units]))

    def outcome(self) -> list[str]:
        """Return how messages stand, in words."""
        said = []
        for own_id, message in self.messages.items():
            last = max((each.step for each in message.steps), key=list(LADDER).index)
            late = list(dict.fromkeys(each.step for each in message.overdue))
            overdue = f", {listed([*late])} OVERDUE" if late else ""
            words = confirmed_text(message)
            confirmed = f", {words}" if words else ""
            said.append(f"{self._names.message(own_id)} {last}{confirmed}{overdue}")
        return said

    def _sent(self, message: Message) -> Iterator[Row]:
        if message.stop is not None:  # its act is for the sender alone
            name = self._names.message(message.id)
            said = precedence_text(message.precedence)
            yield Row("", f"{message.sender.upper()} sends {name} to {message.receiver}, {said}")
            if message.stop.sar is not None:
                yield Row(name_of(message.stop), how_text(message.stop))
        yield from (Row("form", line) for line in form_rows(message))
        if message.text:
            yield Row("says", f'"{apart(message.text)}" ({message.language})')
        if message.template is None:
            yield from (Row(*value_row(each)) for each in message.values)
        if message.stop is not None:
            day = day_of(message.sent_us)
            yield from (Row(*each) for each in area_rows(message.stop.area, day))
        if message.said is not None:
            yield Row(LATE_ENTRY, said_text(message.said, message.sender))
        person = f", {message.person}" if message.person else ""
        yield Row("post", f"{message.post}{person}, over {message.channel}")
        if message.reply_to is not None:
            yield Row("replies to", self._names.message(message.reply_to))
        if message.first_us is None:
            yield Row("due", "no deadline is agreed; silence agrees to nothing")
        else:
            clause = message.clause.partition(" of ")[0]
            yield Row("due", f"acknowledged by {clock(message.first_us)} ({clause})")
        yield Row("told", f"{listed(message.parties)}, and nobody else")
