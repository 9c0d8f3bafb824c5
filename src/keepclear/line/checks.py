# SPDX-License-Identifier: Apache-2.0
"""Checks of a line: whether somebody answers there, and what the line is because of it.

A line that nobody has tried is found dead in the crisis (docs/line.md). So it is tried at agreed
times and on demand, and that a check was missed is said, and counted.

Leaves to others: whose clause it is, who may see it (`exchange`).
1. A check is OK where it is answered within the agreed time, LATE after that, MISSED where it is
   not answered at its limit, or where nobody sent it by the end of its time.
2. MISSED stays MISSED when it is answered after all; the answer shows that somebody is there.
3. `COUNTS` alone says what a check does to the counts of its line, `state_of` alone what these
   make of it. Any answer ends a run of MISSED, so it brings a line that is DOWN up again.
4. A line has a direction: who checks whom. What is known of one says nothing of the other.
5. One check of a line waits at a time, so that no run is longer than the tries that were made. A
   time at which one waits is kept by it.
6. Why a check was missed is not known here: the line, the post, or a refusal. No word says it.

    >>> state_of(Counts(missed=1, late=0), Limits(late=3, missed=3)).value
    'DOUBTFUL'
"""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Annotated, Final, NamedTuple

import msgspec
from msgspec.structs import replace

from keepclear.agreement.clauses import HOUR_US, MINUTE_US, CheckSchedule, LineName
from keepclear.record.encoding import Signed
from keepclear.record.headers import Id, Name, Status, TimeUs

DAY_US: Final = 24 * HOUR_US
THE_LINE: Final = "line"
# Ours, where no clause says otherwise: as long as URGENT has in the template for two forces, and
# as long again; so many one after another as the clause has by default.
DEFAULT: Final = CheckSchedule(answer_us=5 * MINUTE_US, missed_us=10 * MINUTE_US)
MOST_SHOWN: Final = 10
Run = Annotated[int, msgspec.Meta(ge=0)]


class LineState(StrEnum):
    """What is known of a line."""

    UNKNOWN = "UNKNOWN"  # no check was made
    UP = "UP"
    DOUBTFUL = "DOUBTFUL"
    DOWN = "DOWN"


class Result(StrEnum):
    """What came of a check."""

    OK = "OK"
    LATE = "LATE"
    MISSED = "MISSED"


class Outcome(StrEnum):
    """What happens to a check that its line counts."""

    OK = "answered in time"
    LATE = "answered late"
    MISSED = "missed"
    AFTER_ALL = "answered after it was missed"


class Counts(NamedTuple):
    """How many checks were MISSED, and how many LATE, one after another."""

    missed: int = 0
    late: int = 0


class Limits(NamedTuple):
    """How many LATE make a line DOUBTFUL, and how many MISSED make it DOWN."""

    late: int
    missed: int


class Does(StrEnum):
    """What an outcome does to a count."""

    ENDS = "ends"
    ADDS = "adds"
    LEAVES = "leaves"


COUNTS: Final[Mapping[Outcome, tuple[Does, Does]]] = {
    Outcome.OK: (Does.ENDS, Does.ENDS),
    Outcome.LATE: (Does.ENDS, Does.ADDS),
    Outcome.MISSED: (Does.ADDS, Does.LEAVES),
    Outcome.AFTER_ALL: (Does.ENDS, Does.LEAVES),
}
"""What each outcome does to the run of MISSED, and to that of LATE."""


class CheckAnswer(Signed, frozen=True, kw_only=True):
    """Who answered a check, and when. person: as a role; a claim that no rule reads."""

    at_us: TimeUs
    post: Name
    person: Name | None = None


class Check(Signed, frozen=True, kw_only=True):
    """A check of a line. It holds nothing that not both parties may know.

    of: what is checked. caller, answerer: parties. due_us: the agreed time that it is for, None
    for one on demand. act, post, status, sent_us: of who sent it; None where nobody has. late_us:
    an answer after that is LATE; missed_us: when it is MISSED. result: None while it waits.
    """

    id: Id
    of: LineName
    caller: Name
    answerer: Name
    due_us: TimeUs | None
    missed_us: TimeUs
    act: Id | None = None
    post: Name | None = None
    status: Status | None = None
    sent_us: TimeUs | None = None
    late_us: TimeUs | None = None
    answer: CheckAnswer | None = None
    result: Result | None = None

    @property
    def parties(self) -> tuple[str, str]:
        """Return both parties, in the order of their names."""
        return pair_of(self.caller, self.answerer)

    @property
    def line(self) -> str:
        """Return the key of its line."""
        return key_of(self.caller, self.answerer, self.of)


class CheckedLine(Signed, frozen=True, kw_only=True):
    """A line in one direction, as its checks show it.

    since_us: of the state; None while it is UNKNOWN. missed, late: how many one after another.
    checks: those that it is so because of, the latest last, 10 at most. waits: the check that waits
    for an answer. clause: which sets its times, empty for none; due_us: the next of these, and
    unsent_us: when that is MISSED unless a check was sent.
    """

    caller: Name
    answerer: Name
    of: LineName
    state: LineState = LineState.UNKNOWN
    since_us: TimeUs | None = None
    missed: Run = 0
    late: Run = 0
    checks: tuple[Id, ...] = ()
    waits: Id | None = None
    clause: str = ""
    due_us: TimeUs | None = None
    unsent_us: TimeUs | None = None

    @property
    def parties(self) -> tuple[str, str]:
        """Return both parties, in the order of their names."""
        return pair_of(self.caller, self.answerer)

    @property
    def key(self) -> str:
        """Return what it is kept under."""
        return key_of(self.caller, self.answerer, self.of)


def pair_of(one: str, other: str) -> tuple[str, str]:
    """Return two parties in the order of their names."""
    first, second = sorted((one, other))
    return first, second


def key_of(caller: str, answerer: str, of: str) -> str:
    """Return what a line is kept under: no name of a party has a > in it."""
    return f"{caller}>{answerer}>{of}"


def counted(counts: Counts, outcome: Outcome) -> Counts:
    """Return the counts of a line after an outcome."""
    known = {Does.ENDS: (0, 0), Does.ADDS: (counts.missed + 1, counts.late + 1),
             Does.LEAVES: (counts.missed, counts.late)}  # fmt: skip
    missed, late = COUNTS[outcome]
    return Counts(missed=known[missed][0], late=known[late][1])


def state_of(counts: Counts, limits: Limits) -> LineState:
    """Return what counts make of a line of which some check was answered or missed."""
    if counts.missed >= limits.missed:
        return LineState.DOWN
    if counts.missed or counts.late >= limits.late:
        return LineState.DOUBTFUL
    return LineState.UP


def judged(
    line: CheckedLine, check: str, outcome: Outcome, schedule: CheckSchedule, now_us: int
) -> CheckedLine:
    """Return a line after something came of a check of it, by its id.

    While a run goes on the checks of it are kept; after an answer in time that one alone.
    """
    counts = counted(Counts(line.missed, line.late), outcome)
    limits = Limits(late=schedule.doubtful_late, missed=schedule.down_missed)
    state = state_of(counts, limits)
    kept = line.checks if counts.missed or counts.late else ()
    kept = tuple(each for each in kept if each != check)
    return replace(
        line, state=state, missed=counts.missed, late=counts.late,
        since_us=line.since_us if state is line.state else now_us,
        checks=(*kept, check)[-MOST_SHOWN:], waits=None if line.waits == check else line.waits,
    )  # fmt: skip


def answered(check: Check, answer: CheckAnswer) -> tuple[Check, Outcome]:
    """Return a check that was answered, and what that is to its line.

    It is OK up to and at the agreed time. One that was MISSED stays so.
    """
    made = replace(check, answer=answer)
    if check.result is Result.MISSED:
        return made, Outcome.AFTER_ALL
    if check.late_us is not None and answer.at_us <= check.late_us:
        return replace(made, result=Result.OK), Outcome.OK
    return replace(made, result=Result.LATE), Outcome.LATE


def joined(schedules: Iterable[CheckSchedule]) -> CheckSchedule | None:
    """Return what several clauses say of one line: all times, the strictest of the rest."""
    known = list(schedules)
    if not known:
        return None
    answer_us, missed_us = (
        min(getattr(each, name) for each in known) for name in ("answer_us", "missed_us")
    )
    return CheckSchedule(
        of=known[0].of, answer_us=answer_us, missed_us=missed_us,
        times=tuple(sorted({time for each in known for time in each.times})),
        doubtful_late=min(each.doubtful_late for each in known),
        down_missed=min(each.down_missed for each in known),
    )  # fmt: skip


def next_time_us(schedule: CheckSchedule, after_us: int) -> int | None:
    """Return the first agreed time after a time; None where none is agreed."""
    day_us = after_us - after_us % DAY_US
    times = sorted(
        day_us + days * DAY_US + _of_day_us(each) for days in (0, 1) for each in schedule.times
    )
    return next((each for each in times if each > after_us), None)


def _of_day_us(time: str) -> int:
    return int(time[:2]) * HOUR_US + int(time[3:5]) * MINUTE_US


def planned(line: CheckedLine, schedule: CheckSchedule, after_us: int) -> CheckedLine:
    """Return a line whose next agreed time is the first after a time, or of which none is."""
    due_us = next_time_us(schedule, after_us)
    return replace(
        line, due_us=due_us, unsent_us=None if due_us is None else due_us + schedule.answer_us
    )


def is_for(line: CheckedLine, schedule: CheckSchedule, sent_us: int) -> bool:
    """Tell whether a check that is sent now is for the next agreed time of a line.

    It is from as long before that time as one has to answer.
    """
    return line.due_us is not None and sent_us >= line.due_us - schedule.answer_us
