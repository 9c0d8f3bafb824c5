# SPDX-License-Identifier: Apache-2.0
"""Short ways to check lines on a stage."""

from typing import Any, Final

from keepclear.agreement.clauses import MINUTE_US, CheckSchedule
from keepclear.agreement.documents import Agreement
from keepclear.line.check_acts import AnswerLineCheck, CheckLine
from keepclear.line.checks import DAY_US, THE_LINE, Check, CheckedLine, key_of
from keepclear.plays.stage import Stage
from tests.agreement_plays import clause
from tests.incident_plays import staged
from tests.message_plays import DEADLINES, line_agreement
from tests.record_plays import START_US

ANSWER_US: Final = 2 * MINUTE_US
MISSED_US: Final = 7 * MINUTE_US
SLOT_US: Final = START_US - START_US % DAY_US + 9 * 60 * MINUTE_US  # 09:00Z, an hour on
SCHEDULE: Final = CheckSchedule(
    answer_us=ANSWER_US, missed_us=MISSED_US, times=("09:00Z", "17:00Z"), by=("a",),
    doubtful_late=2,
)  # fmt: skip


def check_agreement(*schedules: CheckSchedule, **more: Any) -> Agreement:  # noqa: ANN401
    """Return an agreement of a and b with schedules, each of which survives suspension."""
    clauses = [
        clause(f"4.{number}", "Checks.", each, survives=True)
        for number, each in enumerate(schedules or (SCHEDULE,), start=2)
    ]
    return line_agreement(
        clauses=(clause("4.1", "Deadlines.", DEADLINES, survives=True), *clauses), **more
    )


def checking(made: Agreement | None = None) -> Stage:
    """Return a stage on which a checks the line to b at 09:00Z and 17:00Z; c agreed on nothing."""
    stage = staged("a", "b", "c")
    made = made or check_agreement()
    stage.carry(stage.signed(made), made)
    return stage


def check(stage: Stage, party: str = "a", to: str = "b", of: str = THE_LINE) -> str:
    """Send a check and return its id."""
    stage.submit(party, "line.check/1", CheckLine(to=to, of=of))
    return list(stage.exchange.world.line_checks)[-1]


def answer(stage: Stage, own: str, party: str = "b", post: str = "watch") -> Check:
    """Let a post answer a check, and return it."""
    stage.submit(party, "line.check-answer/1", AnswerLineCheck(id=own), (post,), post=post)
    return stage.exchange.world.line_checks[own]


def line(stage: Stage, caller: str = "a", answerer: str = "b", of: str = THE_LINE) -> CheckedLine:
    """Return how a line stands."""
    return stage.exchange.world.lines_checked[key_of(caller, answerer, of)]


def until(stage: Stage, at_us: int) -> None:
    """Let it be a time."""
    stage.clock.move_to(at_us)
    stage.exchange.pass_time()
