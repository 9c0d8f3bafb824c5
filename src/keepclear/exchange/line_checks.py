# SPDX-License-Identifier: Apache-2.0
"""What acts on checks of a line do, and what falls due of checks by time alone.

Rules are those of `line.checks`. A check, its answer and what its line is because of it are parts
of the record for its two parties and nobody else.

1. A check can be sent and answered whatever is suspended: that tells of the line and of nothing
   else. For the same reason a line is one for every status; an answer has that of its check.
2. Agreed times are those of the clauses that hold. They are planned anew when an agreement comes to
   stand otherwise; without such a clause a line is checked on demand alone.
3. What is MISSED is entered by the exchange, with the time at which it was. A time at which nobody
   has sent a check is missed by who was to send it.
"""

from collections.abc import Iterable, Iterator
from itertools import permutations
from typing import Final

from msgspec.structs import replace

from keepclear.agreement.binding import binding
from keepclear.agreement.clauses import CheckSchedule, Deadlines, Precedence
from keepclear.errors import InputError
from keepclear.exchange.bindings import held_of
from keepclear.exchange.deciding import Deciding
from keepclear.exchange.events import AgreementStood, LineChecked
from keepclear.exchange.operations import Refused
from keepclear.line.check_acts import AnswerLineCheck, CheckLine
from keepclear.line.checks import (
    DEFAULT,
    Check,
    CheckAnswer,
    CheckedLine,
    Outcome,
    Result,
    answered,
    is_for,
    joined,
    judged,
    key_of,
    planned,
)
from keepclear.record.headers import Act
from keepclear.units import US_PER_S, format_time

SHORT: Final = 8


def send(deciding: Deciding, act: Act, payload: CheckLine) -> None:
    """Send a check, where none of its line waits."""
    if payload.to == act.party or payload.to not in deciding.parties:
        raise InputError("to", payload.to, "is no other party of this region", "see who has joined")
    line = line_of(deciding, act.party, payload.to, payload.of)
    deciding.seen_by = line.parties
    waiting = deciding.world.line_checks.get(line.waits or "")
    if waiting is not None:
        until = f"{format_time(waiting.missed_us)[11:19]}Z"
        raise Refused(
            f"check {waiting.id[:SHORT]} of {payload.of} by {act.party} waits for an answer of "
            f"{payload.to} until {until}; send another after that, or once it is answered"
        )
    schedule, _ = schedule_of(deciding, act.party, payload.to, payload.of)
    schedule = schedule or _on_demand(deciding, act.party, payload.to)
    now_us, due_us = deciding.now_us, None
    if is_for(line, schedule, now_us):
        due_us = line.due_us
        assert due_us is not None  # noqa: S101 as `is_for` says
        line = planned(line, schedule, due_us)
    made = Check(
        id=deciding.ids.id(), act=act.id, of=payload.of, caller=act.party, post=act.post,
        answerer=payload.to, status=act.status, due_us=due_us, sent_us=deciding.filed_us,
        late_us=now_us + schedule.answer_us, missed_us=now_us + schedule.missed_us,
    )  # fmt: skip
    _tell(deciding, replace(line, waits=made.id), made)


def answer(deciding: Deciding, act: Act, payload: AnswerLineCheck) -> None:
    """Take an answer to a check, of any post of the party that it was sent to, once."""
    found = deciding.world.line_checks.get(payload.id)
    if found is None or act.party not in found.parties or found.status not in {None, act.status}:
        raise InputError(
            "check", payload.id, f"is no line check of {act.party}", "see the checks of your lines"
        )
    short = f"check {found.id[:SHORT]}"
    if found.sent_us is None:
        raise Refused(f"{short}: was not sent by {found.caller}, so nobody can answer it; send one")
    if found.answerer != act.party:
        raise Refused(f"{short}: is sent by {act.party}; {found.answerer} answers it")
    if found.answer is not None:
        at = f"{format_time(found.answer.at_us)[:19]}Z"
        raise Refused(f"{short}: is answered already, by {found.answer.post} at {at}")
    deciding.seen_by = found.parties
    said = CheckAnswer(at_us=deciding.filed_us, post=act.post, person=payload.person)
    made, outcome = answered(found, said)
    _judge(deciding, made, outcome)


def fall_due(deciding: Deciding, check: Check) -> None:
    """Say of a check that waits that it is MISSED, once it is."""
    if check.result is None and check.missed_us <= deciding.now_us:
        _judge(deciding, replace(check, result=Result.MISSED), Outcome.MISSED)


def time_passed(deciding: Deciding, line: CheckedLine) -> None:
    """Say of an agreed time that nobody has sent a check; look for the next one."""
    due_us, unsent_us = line.due_us, line.unsent_us
    if due_us is None or unsent_us is None or unsent_us > deciding.now_us:
        return
    schedule, _ = schedule_of(deciding, line.caller, line.answerer, line.of)
    if schedule is None:  # planned by a clause that holds no more
        return
    line = planned(line, schedule, due_us)
    if line.waits is not None:  # that one says how the line is
        _tell(deciding, line)
        return
    made = Check(
        id=deciding.ids.id(), of=line.of, caller=line.caller, answerer=line.answerer,
        due_us=due_us, missed_us=unsent_us, result=Result.MISSED,
    )  # fmt: skip
    _judge(deciding, made, Outcome.MISSED, line)


def look_again(deciding: Deciding) -> None:
    """Plan the times of lines anew whose agreements have come to stand otherwise."""
    stood = [each for _, _, each in deciding.parts if isinstance(each, AgreementStood)]
    plan_again(deciding, stood)


def plan_again(deciding: Deciding, stood: Iterable[AgreementStood]) -> None:
    """Plan the times of all lines between the parties of agreements."""
    pairs = dict.fromkeys(
        pair
        for each in stood
        for pair in permutations(
            [own.id for own in deciding.world.agreements[each.hash].agreement.parties], 2
        )
    )
    for caller, answerer in pairs:
        for of in _lines_between(deciding, caller, answerer):
            line = line_of(deciding, caller, answerer, of)
            schedule, clause = schedule_of(deciding, caller, answerer, of)
            clause = clause if schedule is not None and schedule.times else ""
            if clause == line.clause:
                continue
            line = replace(line, clause=clause, due_us=None, unsent_us=None)
            if schedule is not None and clause:
                line = planned(line, schedule, deciding.now_us)
            _tell(deciding, line)


def line_of(deciding: Deciding, caller: str, answerer: str, of: str) -> CheckedLine:
    """Return a line as it stands; UNKNOWN where no check of it was made."""
    known = deciding.world.lines_checked.get(key_of(caller, answerer, of))
    return known or CheckedLine(caller=caller, answerer=answerer, of=of)


def schedule_of(
    deciding: Deciding, caller: str, answerer: str, of: str
) -> tuple[CheckSchedule | None, str]:
    """Return what the clauses that hold say of a line, and which they are, in words.

    None where none does. Times of a clause by which another party sends the checks do not count.
    """
    found, words = [], []
    for clause, schedule in _schedules(deciding, caller, answerer):
        if schedule.of != of:
            continue
        is_by = caller in schedule.by or not schedule.by
        found.append(schedule if is_by else replace(schedule, times=()))
        if is_by and schedule.times:
            words.append(clause)
    return joined(found), " and ".join(words)


def _schedules(
    deciding: Deciding, one: str, other: str
) -> Iterator[tuple[str, CheckSchedule]]:  # fmt: skip
    for held in binding(held_of(deciding.world), one, other):
        for clause in held.standing.clauses:
            if isinstance(clause.decides, CheckSchedule):
                yield f"clause {clause.id} of {held.standing.hash[:16]}", clause.decides


def _lines_between(deciding: Deciding, caller: str, answerer: str) -> tuple[str, ...]:
    """Return what is checked between two parties, by clauses that hold or held."""
    agreed = [schedule.of for _, schedule in _schedules(deciding, caller, answerer)]
    known = [
        each.of for each in deciding.world.lines_checked.values()
        if (each.caller, each.answerer) == (caller, answerer)
    ]  # fmt: skip
    return tuple(dict.fromkeys((*known, *agreed)))


def _on_demand(deciding: Deciding, one: str, other: str) -> CheckSchedule:
    """Return how soon a check is answered of which no schedule speaks.

    As soon as a message of precedence CHECK, where that is agreed, and MISSED as long again after.
    """
    agreed_us = [
        deadline.acknowledge_s * US_PER_S
        for held in binding(held_of(deciding.world), one, other)
        for clause in held.standing.clauses
        if isinstance(clause.decides, Deadlines)
        for deadline in clause.decides.deadlines
        if deadline.precedence is Precedence.CHECK
    ]
    if not agreed_us:
        return DEFAULT
    return replace(DEFAULT, answer_us=min(agreed_us), missed_us=2 * min(agreed_us))


def _judge(
    deciding: Deciding, check: Check, outcome: Outcome, line: CheckedLine | None = None
) -> None:  # fmt: skip
    """Let something come of a check, and tell what its line is because of it.

    line: as it stands but for that; None for as the world has it.
    """
    line = line or line_of(deciding, check.caller, check.answerer, check.of)
    schedule, _ = schedule_of(deciding, line.caller, line.answerer, line.of)
    made = judged(line, check.id, outcome, schedule or DEFAULT, deciding.now_us)
    _tell(deciding, made, check)


def _tell(deciding: Deciding, line: CheckedLine, check: Check | None = None) -> None:
    was = line_of(deciding, line.caller, line.answerer, line.of).state
    deciding.emit(line.parties, LineChecked(line=line, was=was, check=check))
