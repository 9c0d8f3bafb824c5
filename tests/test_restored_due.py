# SPDX-License-Identifier: Apache-2.0
"""What fell due while a region was down is not lost: a backup that is restored later says it."""

from keepclear.line.checks import Result
from keepclear.line.stops import Stands
from keepclear.plans.incidents import AskQuery
from keepclear.plans.incidents import State as CaseState
from keepclear.plans.stops import State
from tests.incident_plays import HOUR_US, file, open_case
from tests.line_check_plays import ANSWER_US, SLOT_US, check, checking, line
from tests.message_plays import URGENT_US, at, at_line, overdue, send, wait
from tests.record_plays import START_US
from tests.restored_stages import restore
from tests.stop_plays import at_stop, message_of, must_keep_out, small, stop
from tests.test_restored import check as check_world


def test_a_message_whose_deadline_passed_before_the_backup_came_back_goes_on() -> None:
    stage = at_line()
    first, last = send(stage), send(stage)
    stage.exchange.beat()
    stage.clock.move_to(START_US + URGENT_US + 1)
    assert restore(stage, stage.lines)

    stage.exchange.pass_time()

    for each in (first, last):
        assert at(stage, each).posts == ("watch", "duty-officer")
        assert {due_us for _, _, due_us, _ in overdue(at(stage, each))} == {URGENT_US}
    wait(stage, 10 * URGENT_US)
    assert at(stage, first).posts == ("watch", "duty-officer", "representative")
    check_world(stage)


def test_a_stop_whose_end_passed_before_the_backup_came_back_ends() -> None:
    stage = at_line()
    old = file(stage, "c", small(35.0, minutes=900))
    made, other = stop(stage), stop(stage)
    stage.exchange.beat()
    stage.clock.move_to(START_US + 6 * HOUR_US)
    assert restore(stage, stage.lines)
    assert must_keep_out(stage, old.id)

    stage.exchange.pass_time()

    assert {at_stop(stage, each).state for each in (made, other)} == {State.ENDED}
    called = message_of(stage, made).stop
    assert called is not None
    assert called.stands is Stands.ENDED
    assert not must_keep_out(stage, old.id)
    check_world(stage)


def test_a_check_and_an_agreed_time_that_passed_before_the_backup_came_back_are_missed() -> None:
    stage = checking()
    own = check(stage)
    check(stage, of="243.0 MHz")
    stage.exchange.beat()
    stage.clock.move_to(SLOT_US + ANSWER_US + 1)
    assert restore(stage, stage.lines)

    stage.exchange.pass_time()

    assert stage.exchange.world.line_checks[own].result is Result.MISSED
    assert line(stage).missed == 2
    assert line(stage, of="243.0 MHz").missed == 1
    check_world(stage)


def test_a_reply_in_a_case_that_was_due_before_the_backup_came_back_is_overdue() -> None:
    stage = at_line()
    cases = [open_case(stage, "a", "b", file(stage, "a", small(each)).id) for each in (35.0, 36.0)]
    for each in cases:
        stage.submit("a", "incidents.query/1", AskQuery(id=each, words="Was it yours?"))
    query = stage.exchange.world.incidents[cases[0]].query
    assert query is not None
    stage.exchange.beat()
    stage.clock.move_to(query.due_us + 1)
    assert restore(stage, stage.lines)

    stage.exchange.pass_time()

    world = stage.exchange.world
    assert {world.incidents[each].state for each in cases} == {CaseState.OVERDUE}
    check_world(stage)
