# SPDX-License-Identifier: Apache-2.0
"""What a story says of checks of lines: sent, answered, missed, and what a line is because of it.

Checks are numbered in the order in which they come up; told are their two parties.
"""

from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple

from keepclear.exchange.events import LineChecked
from keepclear.line.check_acts import AnswerLineCheck, CheckLine
from keepclear.line.checks import Check, CheckedLine, LineState, Result
from keepclear.reports.line_check_text import DOWN, name_of
from keepclear.reports.play_names import Names
from keepclear.reports.play_values import clock, listed
from keepclear.units import US_PER_S

DOES: Final = {"line.check": "sends {}", "line.check-answer": "answers {}"}


class Row(NamedTuple):
    """A sentence, or with a label a row below it."""

    label: str
    text: str


class CheckTeller:
    """Says what is new of checks of lines; keeps how the lines stand."""

    def __init__(self, names: Names) -> None:
        self._names = names
        self.lines: dict[str, CheckedLine] = {}

    def about(self, payload: Any, values: Sequence[object]) -> str | None:  # noqa: ANN401 any act
        """Return what an act on a check is about; None where it is none. values: came of it."""
        made = [each.check.id for each in values if isinstance(each, LineChecked) and each.check]
        match payload:
            case CheckLine(to=to, of=of):
                return f"{self._names.check(made[0]) if made else 'a check'} of {of} to {to}"
            case AnswerLineCheck(id=own):
                return self._names.check(own)
            case _:
                return None

    def tell(self, event: LineChecked) -> Iterator[Row]:
        """Yield what is new of a line."""
        line, check = event.line, event.check
        self.lines[line.key] = line
        if check is None:
            if line.due_us is not None:
                yield Row("", f"{name_of(line)}: next at {clock(line.due_us)}")
            return
        name = self._names.check(check.id)
        if check.result is None:
            yield Row("due", f"answered by {clock(check.late_us or 0)}")
            yield Row("told", f"{listed(check.parties)}, and nobody else")
            return
        if check.answer is not None and check.sent_us is not None:
            after_s = round((check.answer.at_us - check.sent_us) / US_PER_S, 1)
            yield Row("after", f"{after_s:,g} s, at {check.answer.post}: {check.result}")
        elif check.result is Result.MISSED:
            yield Row("", f"MISSED: {name} of {check.of}: {missed_text(check)}; why is not known")
        if line.state is not event.was:
            use = f"; {DOWN}" if line.state is LineState.DOWN else ""
            yield Row("line", f"{name_of(line)}: {line.state}, and was {event.was}{use}")

    def outcome(self) -> list[str]:
        """Return how the lines stand, in words."""
        return [f"{name_of(each)}: {each.state}" for each in self.lines.values()]


def missed_text(check: Check) -> str:
    """Return by whom a check was missed, and by when."""
    by = clock(check.missed_us)
    if check.sent_us is None:
        return f"{check.caller} has sent none by {by}"
    return f"{check.answerer} has not answered it by {by}"
