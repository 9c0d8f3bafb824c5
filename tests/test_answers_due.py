# SPDX-License-Identifier: Apache-2.0
"""STOP, DISTRESS and SAR cases are answered in time, or it is told that they are not."""

from collections.abc import Callable
from typing import Final

import pytest

from keepclear.agreement.clauses import Precedence
from keepclear.agreement.emergencies import Phase
from keepclear.detect.compiled import plain
from keepclear.exchange.audit import audit
from keepclear.exchange.events import MessageOverdue
from keepclear.line.acts import ReadBackMessage
from keepclear.line.ladder import Step
from keepclear.line.messages import Message, Word
from keepclear.plays.stage import Stage
from keepclear.reports.line_desk_text import due_text, is_overdue
from keepclear.reports.message_text import ladder_text, messages_text
from tests.incident_plays import events_seen
from tests.message_plays import (
    SECOND_US,
    WITHIN_S,
    answer,
    at,
    at_line,
    distress,
    overdue,
    send,
    take,
    typed,
    wait,
)
from tests.record_plays import START_US
from tests.restored_stages import restore
from tests.sar_plays import cry
from tests.stop_plays import stop

ALL_BUT_ANSWERED: Final = (
    Step.DELIVERED, Step.DISPLAYED, Step.ACKNOWLEDGED, Step.DISSEMINATED,
)  # fmt: skip
KINDS: Final[dict[str, Callable[[Stage], str]]] = {
    "STOP": lambda stage: stop(stage).messages[0],
    "DISTRESS": distress,
    "SAR, distress": lambda stage: cry(stage).messages[0],
    "SAR, alert": lambda stage: cry(stage, phase=Phase.ALERFA).messages[0],
}
MINUTE_US: Final = 60 * SECOND_US


def within_us(message: Message) -> int:
    """Return how soon a person is to acknowledge it."""
    return WITHIN_S[message.precedence] * SECOND_US


def late(message: Message) -> list[tuple[int, str]]:
    """Return when after the start it was overdue that it is answered, and where it went on to."""
    return [(at_us, to) for step, _, at_us, to in overdue(message) if step is Step.ANSWERED]


def shown(stage: Stage, kind: str) -> str:
    """Let one be delivered, shown, taken and told to units, at once; it is not answered."""
    message = KINDS[kind](stage)
    take(stage, message, *ALL_BUT_ANSWERED)
    if at(stage, message).has_values:
        values = typed(position="35.000N 035.500E")
        stage.submit("b", "line.read-back/1", ReadBackMessage(id=message, values=values))
    return message


@pytest.mark.parametrize("kind", KINDS)
def test_one_that_is_not_answered_is_overdue_as_long_again_after_it_was_taken_and_goes_on(
    kind: str,
) -> None:
    stage = at_line()
    message = shown(stage, kind)
    length_us = within_us(at(stage, message))

    wait(stage, length_us - 1)
    assert late(at(stage, message)) == []
    wait(stage, 4 * length_us)

    chain = ("duty-officer", "representative", "")
    assert late(at(stage, message)) == [
        (length_us * number, to) for number, to in enumerate(chain, start=1)
    ]
    assert {each.overdue.step for each in events_seen(stage, "a", MessageOverdue)} == {
        Step.ANSWERED
    }
    assert at(stage, message).next_us is None


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("word", "is_answer"), [(Word.WILCO, True), (Word.UNABLE, True), (Word.ROGER, False)]
)
def test_wilco_and_unable_answer_it_and_roger_says_only_that_it_was_heard(
    word: Word,
    is_answer: bool,  # noqa: FBT001 a parameter of the test
    kind: str,
) -> None:
    stage = at_line()
    message = shown(stage, kind)
    made = answer(stage, message, word, why="no radio" if word is Word.UNABLE else "")

    assert made.is_done is is_answer
    assert (made.first(Step.ANSWERED) is not None) is is_answer
    wait(stage, 5 * within_us(made))
    assert bool(late(at(stage, message))) is not is_answer


@pytest.mark.parametrize("kind", KINDS)
def test_standby_puts_it_off_to_its_time_and_it_is_overdue_then_and_goes_on(kind: str) -> None:
    stage = at_line()
    message = shown(stage, kind)
    answer(stage, message, Word.STANDBY, until_us=START_US + 20 * MINUTE_US)

    wait(stage, 20 * MINUTE_US - 1)
    assert late(at(stage, message)) == []
    wait(stage, 20 * MINUTE_US)
    assert late(at(stage, message)) == [(20 * MINUTE_US, "duty-officer")]


def test_standby_after_the_chain_was_at_its_end_alarms_again_when_it_runs_out() -> None:
    stage = at_line()
    message = shown(stage, "STOP")
    wait(stage, 10 * MINUTE_US)
    before = late(at(stage, message))
    made = answer(stage, message, Word.STANDBY, until_us=START_US + 30 * MINUTE_US)
    assert not is_overdue(made)  # it is put off, and what was said stays said
    assert "due in" in due_text(made, stage.clock.now_us())

    wait(stage, 30 * MINUTE_US)

    assert late(at(stage, message)) == [*before, (30 * MINUTE_US, "")]
    assert is_overdue(at(stage, message))
    assert not at(stage, message).is_done


def test_a_standby_that_is_shorter_than_what_is_agreed_alarms_when_that_is() -> None:
    stage = at_line()
    message = shown(stage, "STOP")
    answer(stage, message, Word.STANDBY, until_us=START_US + 10 * SECOND_US)

    wait(stage, 60 * SECOND_US)

    assert late(at(stage, message))[0] == (60 * SECOND_US, "duty-officer")


def test_the_last_word_counts_so_standby_after_wilco_is_to_be_answered_again() -> None:
    stage = at_line()
    message = shown(stage, "DISTRESS")
    assert answer(stage, message, Word.WILCO).is_done
    made = answer(stage, message, Word.STANDBY, until_us=START_US + 5 * MINUTE_US)

    assert made.first(Step.ANSWERED) is None
    wait(stage, 5 * MINUTE_US)
    assert late(at(stage, message)) == [(5 * MINUTE_US, "duty-officer")]
    assert answer(stage, message, Word.WILCO).is_done


def test_other_messages_are_answered_or_not_and_nothing_is_due_of_it() -> None:
    stage = at_line()
    message = send(stage, precedence=Precedence.URGENT)
    made = take(stage, message, *ALL_BUT_ANSWERED)
    assert Step.ANSWERED not in made.ladder
    assert made.is_done
    put_off = answer(stage, message, Word.STANDBY, until_us=START_US + MINUTE_US)

    assert put_off.next_us is None
    wait(stage, 60 * MINUTE_US)
    assert at(stage, message).overdue == ()


def test_its_sender_reads_that_it_is_not_answered_and_since_when() -> None:
    stage = at_line()
    message = shown(stage, "STOP")
    wait(stage, 61 * SECOND_US)

    now_us = stage.clock.now_us()
    said = messages_text([at(stage, message)], now_us, "none")
    assert "disseminated, not answered, OVERDUE since 08:01:00Z" in said
    assert "not answered at watch by 08:01:00Z; goes on to duty-officer" in said
    ladder = ladder_text(at(stage, message), now_us)
    assert "answered      OVERDUE since 08:01:00Z" in ladder
    answer(stage, message, Word.WILCO)
    ladder = ladder_text(at(stage, message), now_us)
    assert "answered      08:01:01Z  +61.0     b, watch" in ladder


def test_it_is_decided_again_and_goes_on_after_a_restore() -> None:
    stage = at_line()
    message = shown(stage, "SAR, distress")
    answer(stage, message, Word.STANDBY, until_us=START_US + 20 * MINUTE_US)
    assert restore(stage, stage.lines)
    stage.begin_again()
    wait(stage, 25 * MINUTE_US)
    answer(stage, message, Word.WILCO)
    stage.exchange.beat()

    assert late(at(stage, message))[0] == (20 * MINUTE_US, "duty-officer")
    assert audit(stage.lines, plain()).differences == ()
