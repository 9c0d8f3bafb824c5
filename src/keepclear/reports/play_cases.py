# SPDX-License-Identifier: Apache-2.0
"""What a story says of none-here, incident cases and messages: done, due, contradicted, shown.

1. Cases, none-heres and the lines of a case are numbered in the order in which they come up.
2. Who is told stands with each: a case is told to its two parties and to nobody else.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from msgspec.structs import replace

from keepclear.agreement.findings import Verdict
from keepclear.exchange.events import (
    CallChanged,
    ContradictionsShown,
    IncidentChanged,
    LineChanged,
    LineChecked,
    MessageChanged,
    MessageOverdue,
    NoneHereContradicted,
    NoneHereStated,
    NoneHereWithdrawn,
    ShiftChanged,
)
from keepclear.plans import incidents, none_here
from keepclear.plans.incidents import Incident, State
from keepclear.plans.none_here import Contradiction, NoneHere
from keepclear.plans.understood import understood_volume
from keepclear.reports import play_checks, play_messages, play_watch
from keepclear.reports.play_checks import CheckTeller
from keepclear.reports.play_messages import OF_MESSAGES, MessageTeller
from keepclear.reports.play_names import Names
from keepclear.reports.play_values import clock, day_of, heights, listed, where, window
from keepclear.reports.play_watch import OF_THE_WATCH, WatchTeller
from keepclear.reports.texts import printable

HOUR_US: Final = 3_600_000_000
DAY_US: Final = 24 * HOUR_US
DOES: Final = {
    "none-here.state": "states {}",
    "none-here.withdraw": "withdraws {}",
    "incidents.open": "opens {}",
    "incidents.query": "asks in {}",
    "incidents.reply": "replies in {}",
    "incidents.write-line": "writes {}",
    "incidents.answer-line": "{}",
    "incidents.close": "would close {}",
    "incidents.leave-open": "leaves {} open",
    **play_messages.DOES,
    **play_checks.DOES,
    **play_watch.DOES,
}
IN_A_CASE: Final = (
    incidents.AskQuery, incidents.ReplyToQuery, incidents.CloseIncident, incidents.LeaveIncident,
)  # fmt: skip
MEETS: Final = {
    Verdict.CONFLICT: "is in it",
    Verdict.BOUNDARY: "touches it",
    Verdict.UNDETERMINED: "has heights that cannot be compared with it",
}
OF_CASES: Final = (
    IncidentChanged, LineChanged, NoneHereStated, NoneHereWithdrawn, NoneHereContradicted,
    ContradictionsShown, LineChecked, *OF_MESSAGES, *OF_THE_WATCH,
)  # fmt: skip


class Line(NamedTuple):
    """A sentence, or with a label a row below it."""

    label: str
    text: str


class Cased(NamedTuple):
    """What is said of none-heres and cases in what happened together.

    about: what its act is about, None where that is none of these. rows: by the place of the part.
    """

    about: str | None
    rows: Mapping[int, tuple[Line, ...]]


class CaseTeller:
    """Says what is new of none-heres and cases; keeps how they stand."""

    def __init__(self, names: Names) -> None:
        self._names = names
        self._messages, self._checks = MessageTeller(names), CheckTeller(names)
        self._watch = WatchTeller(names)
        self.cases: dict[str, Incident] = {}
        self.statements: dict[str, NoneHere] = {}
        self.contradicted: dict[str, None] = {}

    def learn(self, value: object) -> None:
        """Take up the names in something, before anything is said of it."""
        match value:
            case NoneHereStated(statement=statement):
                self._names.statement(statement.id)
                self.statements[statement.id] = statement
            case IncidentChanged(incident=incident):
                self._names.case(incident.id)
            case NoneHereWithdrawn() if value.id in self.statements:
                old = self.statements[value.id]
                self.statements[value.id] = replace(old, withdrawn_us=value.at_us)
            case LineChanged(line=line):
                self._names.learn_line(line.id, line.incident)
            case NoneHereContradicted() | ContradictionsShown():
                self.contradicted[value.id] = None
                for each in value.found:
                    if value.id in self.statements:
                        party = self.statements[value.id].party
                        self._names.learn_owner(each.operation, party)
            case _:
                pass

    def about(self, payload: Any, values: Sequence[object]) -> str | None:  # noqa: ANN401 any act
        """Return what an act is about; None where it is about none of these.

        values: what has come of it; nothing, where it was refused.
        """
        names, what = self._names, None
        match payload:
            case none_here.StateNoneHere():
                made = [e.statement.id for e in values if isinstance(e, NoneHereStated)]
                what = names.statement(made[0]) if made else "a none-here"
                what += f", to {listed(payload.to)}"
            case none_here.WithdrawNoneHere():
                what = names.statement(payload.id)
            case incidents.OpenIncident():
                made = [e.incident.id for e in values if isinstance(e, IncidentChanged)]
                what = names.case(made[0]) if made else "an incident case"
                urgent = ", URGENT," if payload.is_urgent else ""
                what += f" with {payload.other}{urgent} about {names.thing(payload.about)}"
            case incidents.WriteLine():
                made = [e.line.id for e in values if isinstance(e, LineChanged)]
                what = names.line(made[0]) if made else f"a line of {names.case(payload.id)}"
            case incidents.AnswerLine():
                says = "agrees" if payload.agrees else "does not agree"
                what = f"{says} to {names.line(payload.id)}"
            case _ if isinstance(payload, IN_A_CASE):
                what = names.case(payload.id)
            case _:
                what = self._messages.about(payload, values) or self._checks.about(payload, values)
                what = what or self._watch.about(payload, values)
        return what

    def tell(self, value: object, day: str) -> Iterator[Line]:
        """Yield what is new in something. day: on which it happened."""
        match value:
            case NoneHereStated(statement=statement):
                yield from self._stated(statement, day)
            case NoneHereWithdrawn():
                yield Line("told", f"{value.precedence}: {listed(self._others(value.id))}")
            case NoneHereContradicted():
                yield from self._contradicted(value.id, value.found)
                yield Line("told", f"{self._party(value.id)} alone")
            case ContradictionsShown():
                yield from self._shown(value)
            case IncidentChanged(incident=incident):
                yield from self._case(incident, day)
            case _ if isinstance(value, (LineChecked, *OF_MESSAGES, *OF_THE_WATCH)):
                yield from self._over_the_line(value)
            case LineChanged(line=line) if line.agrees is None:
                when = day_of(line.at_us)
                yield Line("time", f"{'' if when == day else f'{when} '}{clock(line.at_us)}")
                yield Line("says", f'"{printable(line.words)}"')
                if line.is_late:
                    yield Line("late", "written after a line about a later time")
                if line.none_here is not None:
                    yield Line("with", self._names.statement(line.none_here))
            case _:
                pass

    def _over_the_line(
        self, value: MessageChanged | MessageOverdue | LineChecked | ShiftChanged | CallChanged
    ) -> Iterator[Line]:  # fmt: skip
        if isinstance(value, ShiftChanged | CallChanged):
            yield from (Line(*each) for each in self._watch.tell(value))
        elif isinstance(value, LineChecked):
            yield from (Line(*each) for each in self._checks.tell(value))
        else:
            yield from (Line(*each) for each in self._messages.tell(value))

    def together(self, payload: object, values: Sequence[object], day: str) -> Cased:
        """Return what is said of what happened together. payload: of its act, None without one."""
        for value in values:
            self.learn(value)
        about = self.about(payload, values)
        rows = {place: tuple(self.tell(value, day)) for place, value in enumerate(values)}
        return Cased(about, {place: lines for place, lines in rows.items() if lines})

    def outcome(self) -> list[str]:
        """Return how cases and none-heres stand, in words."""
        said = []
        for own_id, statement in self.statements.items():
            stands = ["CONTRADICTED"] if own_id in self.contradicted else []
            stands += [] if statement.withdrawn_us is None else ["withdrawn"]
            said.append(f"{self._names.statement(own_id)} {' and '.join(stands) or 'stated'}")
        said += [f"{self._names.case(own_id)} {case.state}" for own_id, case in self.cases.items()]
        return [*said, *self._messages.outcome(), *self._checks.outcome(),
                *self._watch.outcome()]  # fmt: skip

    def _stated(self, statement: NoneHere, day: str) -> Iterator[Line]:
        yield Line("where", where(statement.volume))
        yield Line("heights", heights(understood_volume(statement.volume)))
        yield Line("when", window(statement.volume.start_us, statement.volume.end_us, day))
        yield Line("says", f'"{statement.text}"')

    def _contradicted(self, own_id: str, found: Sequence[Contradiction]) -> Iterator[Line]:
        party = self._party(own_id)
        yield Line("", f"CONTRADICTED: {self._names.statement(own_id)} of {party}")
        for each in found:
            name = self._names.operation(each.operation)
            yield Line("by", f"{name}, version {each.version}, {each.state}: {MEETS[each.verdict]}")

    def _shown(self, event: ContradictionsShown) -> Iterator[Line]:
        """Yield what is shown to others than the party of a statement."""
        yield from self._contradicted(event.id, event.found)
        case = self.cases.get(event.by.removeprefix("incident "))
        if case is None:
            clause = event.by.partition(" of ")[0]
            yield Line("shown", f"to who was given it, by {clause}")
        else:
            yield Line("shown", f"to {listed(case.parties)}, in {self._names.case(case.id)}")

    def _case(self, incident: Incident, day: str) -> Iterator[Line]:
        """Yield how a case stands, where that is new."""
        before = self.cases.get(incident.id)
        self.cases[incident.id] = incident
        query = incident.query
        was = None if before is None else before.query
        if before is None:
            yield Line("says", f'"{printable(incident.words)}"')
            clause = incident.clause.partition(" of ")[0] or "no clause says otherwise"
            yield Line("replies", f"due within {_duration(incident.reply_us)} ({clause})")
            yield Line("told", f"{listed(incident.parties)}, and nobody else")
        elif query is not None and (was is None or was.id != query.id):
            yield Line("asks", f'"{printable(query.words)}"')
            yield Line("due", f"{window(query.due_us, query.due_us, day).partition(' to ')[0]}")
        elif query is not None and was is not None and query.reply != was.reply:
            yield Line("says", f'"{printable(query.reply)}"')
            if query.is_overdue:
                yield Line("OVERDUE", f"it was due {day_of(query.due_us)} {clock(query.due_us)}")
        elif incident.state is State.OVERDUE and before.state is not State.OVERDUE and query:
            other = incident.other(query.by)
            yield Line("", f"OVERDUE: the reply of {other} in {self._names.case(incident.id)}")
        elif incident.state is State.CLOSED:
            yield Line("", f"{self._names.case(incident.id)} is closed: both have said so")

    def _party(self, own_id: str) -> str:
        return self.statements[own_id].party if own_id in self.statements else "?"

    def _others(self, own_id: str) -> Sequence[str]:
        return self.statements[own_id].to if own_id in self.statements else ()


def why_of(payload: object) -> list[Line]:
    """Return the reason that an act gives, where it gives one."""
    why = getattr(payload, "why", "")
    return [Line("why", f'"{printable(why)}"')] if why else []


def _duration(duration_us: int) -> str:
    days, rest_us = divmod(duration_us, DAY_US)
    if rest_us:
        return f"{duration_us / HOUR_US:g} h"
    return f"{days} day{'' if days == 1 else 's'}"
