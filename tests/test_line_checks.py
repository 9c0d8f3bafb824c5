# SPDX-License-Identifier: Apache-2.0
"""Checks of a line: each rule of `line.checks` and `exchange.line_checks` in one test."""

import re
from itertools import pairwise
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from keepclear.agreement.clauses import MINUTE_US, CheckSchedule, Deadline, Deadlines, Precedence
from keepclear.agreement.documents import Agreement, hash_of
from keepclear.agreement.statements import Said, state
from keepclear.detect.compiled import plain
from keepclear.errors import CallerError, FileErrors
from keepclear.exchange.agreements import StateSuspension
from keepclear.exchange.audit import audit
from keepclear.exchange.events import LineChecked
from keepclear.exchange.folding import fold
from keepclear.exchange.operations import Refused
from keepclear.formats.agreement_draft import fill_template, read_draft
from keepclear.formats.packaged import read_template
from keepclear.line.checks import (
    DAY_US,
    DEFAULT,
    CheckedLine,
    Counts,
    LineState,
    Outcome,
    Result,
    counted,
    judged,
    next_time_us,
)
from keepclear.plays.stage import Stage
from keepclear.record.headers import Status, read_act
from keepclear.reports.agreement_text import decides_text
from tests.agreement_plays import clause
from tests.incident_plays import acts_seen, events_seen
from tests.line_check_plays import (
    ANSWER_US,
    MISSED_US,
    SCHEDULE,
    SLOT_US,
    answer,
    check,
    check_agreement,
    checking,
    line,
    until,
)
from tests.message_plays import line_agreement
from tests.record_plays import START_US

UP, DOUBTFUL, DOWN = LineState.UP, LineState.DOUBTFUL, LineState.DOWN
ON_DEMAND: Final = check_agreement(replace(SCHEDULE, times=()))
NOWHERE: Final = "0" * 32


# --- the result of a check, to the microsecond ------------------------------------------------


@pytest.mark.parametrize(
    ("after_us", "result"),
    [
        (0, Result.OK),
        (ANSWER_US, Result.OK),
        (ANSWER_US + 1, Result.LATE),
        (MISSED_US - 1, Result.LATE),
        (MISSED_US, Result.MISSED),
        (MISSED_US + DAY_US // 4, Result.MISSED),
    ],
)
def test_a_check_is_ok_late_or_missed_by_when_it_is_answered(after_us: int, result: Result) -> None:
    stage = checking(ON_DEMAND)
    own = check(stage)
    stage.clock.move_to(START_US + after_us)

    made = answer(stage, own)

    assert made.result is result
    assert made.answer is not None
    assert (made.answer.at_us, made.answer.post) == (START_US + after_us, "watch")


def test_a_check_that_nobody_answers_is_missed_at_its_limit_and_both_are_told_then() -> None:
    stage = checking(ON_DEMAND)
    own = check(stage)

    until(stage, START_US + MISSED_US - 1)
    assert stage.exchange.world.line_checks[own].result is None
    until(stage, START_US + DAY_US)

    assert stage.exchange.world.line_checks[own].result is Result.MISSED
    assert line(stage).since_us == START_US + MISSED_US
    for party, count in (("a", 1), ("b", 1), ("c", 0)):
        told = [each for each in events_seen(stage, party, LineChecked) if each.line.missed]
        assert [(each.was, each.line.state) for each in told] == [
            (LineState.UNKNOWN, DOUBTFUL)
        ] * count


# --- what a line is ---------------------------------------------------------------------------


def test_a_line_that_nobody_checked_is_unknown_and_the_first_answer_brings_it_up() -> None:
    stage = checking()
    assert (line(stage).state, line(stage).since_us) == (LineState.UNKNOWN, None)

    answer(stage, check(stage))

    assert (line(stage).state, line(stage).since_us) == (UP, START_US)


def miss(stage: Stage, count: int) -> list[str]:
    """Let b miss checks of a, one after another."""
    made = []
    for _ in range(count):
        made.append(check(stage))
        until(stage, stage.clock.now_us() + MISSED_US)
    return made


def test_one_missed_makes_it_doubtful_and_three_one_after_another_make_it_down() -> None:
    stage = checking(ON_DEMAND)

    missed = []
    for expected in (DOUBTFUL, DOUBTFUL, DOWN, DOWN):
        missed += miss(stage, 1)
        assert line(stage).state is expected

    assert line(stage).since_us == START_US + 3 * MISSED_US
    assert line(stage).checks == tuple(missed)


def test_an_answer_ends_the_run_so_that_three_missed_with_one_between_are_not_down() -> None:
    stage = checking(ON_DEMAND)
    miss(stage, 2)
    answer(stage, check(stage))
    assert line(stage).state is UP

    miss(stage, 2)

    assert (line(stage).state, line(stage).missed) == (DOUBTFUL, 2)


def test_late_ones_make_it_doubtful_only_as_many_as_agreed_and_one_in_time_ends_that() -> None:
    stage = checking(ON_DEMAND)
    states = []
    for after_us in (ANSWER_US + 1, ANSWER_US + 1, ANSWER_US + 1, 0):
        own = check(stage)
        until(stage, stage.clock.now_us() + after_us)
        answer(stage, own)
        states.append(line(stage).state)

    assert states == [UP, DOUBTFUL, DOUBTFUL, UP]  # the clause says 2


def test_a_missed_check_that_is_answered_stays_missed_and_brings_the_line_up() -> None:
    stage = checking(ON_DEMAND)
    *_, last = miss(stage, 3)
    assert line(stage).state is DOWN

    assert answer(stage, last).result is Result.MISSED

    assert line(stage).state is UP


def test_a_line_has_a_direction_and_one_for_each_thing_that_is_checked() -> None:
    stage = checking(ON_DEMAND)
    miss(stage, 3)
    answer(stage, check(stage, "b", "a"), "a")
    answer(stage, check(stage, of="243.0 MHz"))

    assert line(stage).state is DOWN
    assert line(stage, "b", "a").state is UP
    assert line(stage, of="243.0 MHz").state is UP


def suspend(stage: Stage, made: Agreement, said: Said = Said.SUSPEND) -> None:
    """Let a suspend an agreement, or resume it."""
    envelope = state(made, "a", stage.clock.now_us(), said, stage._signers["a", "rep-1"])
    payload = StateSuspension(hash=hash_of(made), statement=envelope)
    stage.submit("a", "suspension.state/1", payload, ("rep-1",))


def test_any_post_of_the_other_party_answers_whatever_is_suspended() -> None:
    made = line_agreement(survives=False)
    stage = checking(made)
    suspend(stage, made)
    own = check(stage)

    assert answer(stage, own, post="duty-officer").result is Result.OK


# --- what is refused --------------------------------------------------------------------------


def test_one_check_of_a_line_waits_at_a_time() -> None:
    stage = checking(ON_DEMAND)
    own = check(stage)

    with pytest.raises(Refused, match=f"check {own[:8]} of line by a waits for an answer of b"):
        check(stage)

    check(stage, "b", "a")  # the other direction is another line
    until(stage, START_US + MISSED_US)
    check(stage)


def test_a_check_is_answered_once_and_not_by_who_sent_it() -> None:
    stage = checking(ON_DEMAND)
    own = check(stage)
    with pytest.raises(Refused, match="is sent by a; b answers it"):
        answer(stage, own, "a")
    answer(stage, own)

    with pytest.raises(Refused, match="is answered already, by watch at "):
        answer(stage, own)


def test_a_check_of_others_and_one_that_is_not_there_are_one_refusal() -> None:
    stage = checking()
    own = check(stage)
    until(stage, SLOT_US + ANSWER_US)
    unsent = list(stage.exchange.world.line_checks)[-1]

    refusals = set()
    for party, each in (("c", own), ("c", unsent), ("c", NOWHERE), ("b", NOWHERE)):
        with pytest.raises(CallerError) as refused:
            answer(stage, each, party)
        refusals.add(str(refused.value).replace(each, "ID").replace(f"of {party}", "of PARTY"))
    assert len(refusals) == 1


def test_a_check_that_nobody_sent_cannot_be_answered() -> None:
    stage = checking()
    until(stage, SLOT_US + ANSWER_US)
    [unsent] = stage.exchange.world.line_checks

    with pytest.raises(Refused, match="was not sent by a, so nobody can answer it; send one"):
        answer(stage, unsent)


def test_an_answer_has_the_status_of_its_check() -> None:
    stage = checking(ON_DEMAND)
    own = check(stage)
    stage._status = Status.TEST
    with pytest.raises(CallerError, match="is no line check of b"):
        answer(stage, own)
    stage._status = Status.EXERCISE

    assert answer(stage, own).status is Status.EXERCISE


def test_a_check_to_oneself_or_to_nobody_is_refused() -> None:
    stage = checking(ON_DEMAND)
    for to in ("a", "z"):
        with pytest.raises(CallerError, match="is no other party of this region"):
            check(stage, "a", to)


# --- agreed times -----------------------------------------------------------------------------


def test_an_agreed_time_at_which_nobody_sends_a_check_is_missed_by_who_was_to_send_it() -> None:
    stage = checking()

    until(stage, SLOT_US + ANSWER_US - 1)
    assert not stage.exchange.world.line_checks
    until(stage, SLOT_US + ANSWER_US)

    [made] = stage.exchange.world.line_checks.values()
    assert (made.caller, made.sent_us, made.due_us) == ("a", None, SLOT_US)
    assert made.result is Result.MISSED
    assert line(stage).state is DOUBTFUL
    assert line(stage).due_us == SLOT_US + 8 * 60 * MINUTE_US  # 17:00Z
    assert "b>a>line" not in stage.exchange.world.lines_checked  # the clause: by a


@pytest.mark.parametrize(
    ("at_us", "is_kept"),
    [
        (SLOT_US - ANSWER_US - 1, False),
        (SLOT_US - ANSWER_US, True),
        (SLOT_US, True),
        (SLOT_US + ANSWER_US - 1, True),
    ],
)
def test_a_check_keeps_an_agreed_time_from_as_long_before_as_after_it(
    at_us: int,
    is_kept: bool,  # noqa: FBT001
) -> None:
    stage = checking()
    stage.clock.move_to(at_us)
    own = check(stage)
    answer(stage, own)

    until(stage, SLOT_US + 60 * MINUTE_US)

    results = [each.result for each in stage.exchange.world.line_checks.values()]
    assert results == [Result.OK] + [Result.MISSED] * (not is_kept)
    assert stage.exchange.world.line_checks[own].due_us == (SLOT_US if is_kept else None)


def test_a_time_at_which_a_check_waits_is_kept_by_it() -> None:
    stage = checking()
    stage.clock.move_to(SLOT_US - ANSWER_US - 1)
    own = check(stage)
    stage.clock.move_to(SLOT_US + ANSWER_US)
    answer(stage, own)

    until(stage, SLOT_US + 60 * MINUTE_US)

    assert list(stage.exchange.world.line_checks) == [own]


def test_times_go_on_from_day_to_day_and_three_that_nobody_kept_make_it_down() -> None:
    stage = checking()

    until(stage, SLOT_US + DAY_US + ANSWER_US)

    made = list(stage.exchange.world.line_checks.values())
    hours = 60 * MINUTE_US
    assert [each.due_us for each in made] == [SLOT_US, SLOT_US + 8 * hours, SLOT_US + 24 * hours]
    assert (line(stage).state, line(stage).since_us) == (DOWN, SLOT_US + DAY_US + ANSWER_US)


def test_a_suspension_ends_the_times_of_a_clause_and_its_end_begins_them_again() -> None:
    clauses = (clause("4.2", "Checks.", SCHEDULE), clause("6", "More.", survives=True))
    made = line_agreement(clauses=clauses)
    stage = checking(made)
    suspend(stage, made)
    assert (line(stage).clause, line(stage).due_us) == ("", None)

    until(stage, SLOT_US + DAY_US)
    assert not stage.exchange.world.line_checks
    suspend(stage, made, Said.RESUME)

    assert line(stage).due_us == SLOT_US + DAY_US + 8 * 60 * MINUTE_US


def test_without_an_agreed_time_nothing_is_missed_that_was_not_sent() -> None:
    stage = checking(ON_DEMAND)

    until(stage, START_US + 30 * DAY_US)

    assert not stage.exchange.world.line_checks


def test_without_any_clause_the_deadline_of_check_holds_or_five_minutes() -> None:
    deadlines = Deadlines(
        deadlines=(Deadline(precedence=Precedence.CHECK, acknowledge_s=30),), escalation=()
    )
    agreed = line_agreement(clauses=(clause("4.1", "Soon.", deadlines),))
    for made, answer_us in ((line_agreement(), DEFAULT.answer_us), (agreed, MINUTE_US // 2)):
        stage = checking(made)
        own = stage.exchange.world.line_checks[check(stage)]
        assert own.late_us == START_US + answer_us
        assert own.missed_us == START_US + 2 * answer_us


def test_of_several_clauses_all_times_count_and_the_strictest_of_the_rest() -> None:
    other = CheckSchedule(
        answer_us=ANSWER_US + 1, missed_us=MISSED_US - 1, times=("12:00Z",), down_missed=2
    )
    stage = checking(check_agreement(SCHEDULE, other))

    until(stage, SLOT_US + ANSWER_US)
    until(stage, SLOT_US + 3 * 60 * MINUTE_US + ANSWER_US)

    assert line(stage).state is DOWN  # two missed
    assert line(stage, "b", "a").missed == 1  # by both at 12:00Z, by a alone at the others


# --- the rules by themselves, against plain lists ---------------------------------------------


def state_by_list(outcomes: list[Outcome], late: int, missed: int) -> LineState:
    """Return what a line is, read off the list of all that ever came of its checks."""
    run = 0
    for each in reversed(outcomes):
        if each is not Outcome.MISSED:
            break
        run += 1
    late_ones = 0
    for each in reversed(outcomes):
        if each is Outcome.OK:
            break
        late_ones += each is Outcome.LATE
    if run >= missed:
        return DOWN
    return DOUBTFUL if run > 0 or late_ones >= late else UP


@given(
    st.lists(st.sampled_from(Outcome), min_size=1, max_size=30),
    st.integers(1, 4),
    st.integers(1, 4),
)
def test_a_line_is_what_the_list_of_its_outcomes_makes_it(
    outcomes: list[Outcome], late: int, missed: int
) -> None:
    schedule = replace(DEFAULT, doubtful_late=late, down_missed=missed)
    made = CheckedLine(caller="a", answerer="b", of="line")
    states = []

    for number, each in enumerate(outcomes):
        made = judged(made, f"{number:032x}", each, schedule, number)
        states.append(made.state)

    assert states == [state_by_list(outcomes[: n + 1], late, missed) for n in range(len(outcomes))]
    changes = [0, *(n + 1 for n, (one, two) in enumerate(pairwise(states)) if one is not two)]
    assert made.since_us == changes[-1]
    assert len(made.checks) <= 10


def test_the_table_of_counts_has_a_row_for_every_outcome() -> None:
    assert {each: counted(Counts(5, 7), each) for each in Outcome} == {
        Outcome.OK: (0, 0), Outcome.LATE: (0, 8), Outcome.MISSED: (6, 7),
        Outcome.AFTER_ALL: (0, 7),
    }  # fmt: skip


@given(st.sets(st.integers(0, 24 * 60 - 1), max_size=5), st.integers(0, 4 * 24 * 60 * MINUTE_US))
def test_the_next_time_is_the_first_minute_after_now_that_is_an_agreed_one(
    minutes: set[int], now_us: int
) -> None:
    times = tuple(f"{each // 60:02}:{each % 60:02}Z" for each in sorted(minutes))
    schedule = CheckSchedule(answer_us=1, missed_us=2, times=times)

    found = next_time_us(schedule, now_us)

    first = now_us // MINUTE_US + 1
    by_trying = next(
        (each for each in range(first, first + 24 * 60) if each % (24 * 60) in minutes), None
    )
    assert found == (None if by_trying is None else by_trying * MINUTE_US)


# --- the clause as people write it ---------------------------------------------------------------


def drafted(**fields: str) -> str:
    """Return a draft of an agreement with a schedule, its fields as they are typed."""
    known = {"times": '["09:00Z", "17:00Z"]', "answer": '"5 min"', "missed": '"15 min"', **fields}
    lines = [f"{name} = {value}" for name, value in known.items()]
    table = ['[[clauses]]\nid = "9"\ntext.en = "Checks."\n\n[clauses.decides]',
             'kind = "check-schedule"', *lines]  # fmt: skip
    template = fill_template(read_template("two-forces"), {"a": "A", "b": "B"}, 0, 10**15)
    return template + "\n" + "\n".join(table) + "\n"


def test_a_schedule_is_written_with_units_and_printed_with_all_that_it_decides() -> None:
    made = read_draft(drafted(by='["a"]', of='"243.0 MHz"').encode(), "draft").clauses[-1].decides

    assert made == CheckSchedule(
        answer_us=5 * MINUTE_US, missed_us=15 * MINUTE_US, times=("09:00Z", "17:00Z"), by=("a",),
        of="243.0 MHz",
    )  # fmt: skip
    assert decides_text(made) == (
        "243.0 MHz checked at 09:00Z, 17:00Z by a; answered within 5 min, MISSED after 15 min; "
        "DOUBTFUL after 1 MISSED or 3 LATE, DOWN after 3 MISSED"
    )


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"times": '["9 o\'clock"]'}, "is no time of day in UTC; write one such as 09:00Z"),
        ({"times": '["24:00Z"]'}, "is no time of day in UTC; write one such as 09:00Z"),
        ({"times": '["09:00Z", "09:00Z"]'}, "gives 09:00Z twice; give each time once"),
        ({"missed": '"5 min"'}, "is missed no later than it is to be answered"),
        ({"down_missed": "0"}, "is not above 0"),
        ({"of": '""'}, "is empty"),
    ],
)
def test_a_schedule_that_cannot_be_kept_is_refused_in_words(
    fields: dict[str, str], says: str
) -> None:
    with pytest.raises(FileErrors, match=re.escape(says)):
        read_draft(drafted(**fields).encode(), "draft")


# --- the record -------------------------------------------------------------------------------


def test_the_record_folds_to_the_same_lines_and_an_audit_decides_them_the_same() -> None:
    stage = checking()
    answer(stage, check(stage))
    until(stage, SLOT_US - ANSWER_US)
    check(stage)
    until(stage, SLOT_US + 3 * DAY_US)
    answer(stage, list(stage.exchange.world.line_checks)[1])
    stage.exchange.beat()

    folded, world = fold(stage.lines), stage.exchange.world
    assert folded.lines_checked == world.lines_checked
    assert folded.line_checks == world.line_checks
    audited = audit(stage.lines, plain())
    assert [str(each) for each in audited.differences] == []


def test_nobody_else_sees_any_of_it() -> None:
    stage = checking()
    answer(stage, check(stage))
    until(stage, SLOT_US + DAY_US)

    assert events_seen(stage, "c", LineChecked) == []
    assert not {"line.check/1", "line.check-answer/1"} & {
        read_act(each).kind for each in acts_seen(stage, "c")
    }
    assert stage.exchange.reads.line_checks("c").value == ()
    assert stage.exchange.reads.lines_checked("c").value == ()
    for party in ("a", "b"):
        assert len(stage.exchange.reads.lines_checked(party).value) == 1
        world = stage.exchange.world
        assert stage.exchange.reads.line_checks(party).value == tuple(world.line_checks.values())
