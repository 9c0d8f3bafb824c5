# SPDX-License-Identifier: Apache-2.0
"""Answers to messages: what each word needs, who gives them, and that silence is none."""

from typing import Any, Final

import pytest

from keepclear.line.acts import AnswerMessage, MarkDisseminated
from keepclear.line.ladder import Step
from keepclear.line.messages import MOST_ANSWERS, MOST_UNITS, NEEDS, Word
from keepclear.record.encoding import MOST_BYTES, encode
from tests.incident_plays import refusal
from tests.message_plays import (
    SECOND_US,
    URGENT_US,
    answer,
    at,
    at_line,
    distress,
    send,
    take,
    wait,
)
from tests.record_plays import START_US

UP_TO_DISPLAYED: Final = (Step.DELIVERED, Step.DISPLAYED)

GIVEN: Final[dict[str, Any]] = {
    "why": "we have no radio there", "until_us": START_US + SECOND_US, "clause": "4.1",
}  # fmt: skip


@pytest.mark.parametrize("word", Word)
def test_an_answer_stands_with_what_it_needs_and_with_nothing_else(word: Word) -> None:
    stage = at_line()
    message = send(stage)
    take(stage, message, *UP_TO_DISPLAYED)
    needed = NEEDS.get(word)
    fields = {} if needed is None else {needed: GIVEN[needed]}

    made = answer(stage, message, word, **fields)

    assert (made.answers[-1].word, made.first(Step.ACKNOWLEDGED)) == (word, None)
    if needed is not None:
        with pytest.raises(ValueError, match=f"says {word} without {needed}"):
            answer(stage, message, word)
    for name in {"until_us", "clause"} - {needed}:
        with pytest.raises(ValueError, match=f"says {word} with {name}"):
            answer(stage, message, word, **fields, **{name: GIVEN[name]})


def test_an_answer_is_of_a_post_where_it_was_shown_to_a_person_and_the_last_counts() -> None:
    stage = at_line()
    message = send(stage)
    wilco = AnswerMessage(id=message, word=Word.WILCO)
    assert "is not displayed at watch" in refusal(stage, "b", "line.answer/1", wilco)
    take(stage, message, *UP_TO_DISPLAYED)
    assert "b takes its steps" in refusal(stage, "a", "line.answer/1", wilco)

    answer(stage, message, Word.STANDBY, until_us=START_US + 60 * SECOND_US)
    made = answer(stage, message, Word.WILCO)

    assert [each.word for each in made.answers] == [Word.STANDBY, Word.WILCO]


def test_standby_is_until_a_time_to_come_and_objects_by_a_clause_in_force() -> None:
    stage = at_line()
    message = send(stage)
    take(stage, message, *UP_TO_DISPLAYED)
    standby = AnswerMessage(id=message, word=Word.STANDBY, until_us=START_US)
    objects = AnswerMessage(id=message, word=Word.OBJECTS, clause="9.9")

    assert "is not after now" in refusal(stage, "b", "line.answer/1", standby)
    assert "is none in force between a and b" in refusal(stage, "b", "line.answer/1", objects)


def test_silence_agrees_to_nothing() -> None:
    stage = at_line()
    message = send(stage, text="May we cross your area at 10:00Z?")

    wait(stage, 1_000 * URGENT_US)

    assert at(stage, message).answers == ()
    assert at(stage, message).first(Step.ACKNOWLEDGED) is None


def test_what_its_receiver_adds_to_a_message_has_an_end_as_it_is_told_whole_each_time() -> None:
    stage = at_line()
    message = send(stage)
    take(stage, message, *UP_TO_DISPLAYED, Step.ACKNOWLEDGED)
    for number in range(0, MOST_UNITS, 50):
        units = tuple(f"{each:03}{chr(0x1F600) * 97}" for each in range(number, number + 50))
        stage.submit("b", "line.disseminated/1", MarkDisseminated(id=message, units=units))
    for _ in range(MOST_ANSWERS):
        answer(stage, message, Word.UNABLE, why=chr(0x1F600) * 2_000)

    one_more = MarkDisseminated(id=message, units=("201st battery",))
    wilco = AnswerMessage(id=message, word=Word.WILCO)
    assert "names 200 units, and 200 is the most" in refusal(
        stage, "b", "line.disseminated/1", one_more
    )
    assert "was answered 20 times" in refusal(stage, "b", "line.answer/1", wilco)
    assert len(encode(at(stage, message))) < MOST_BYTES


def test_what_is_to_be_answered_can_be_however_often_standby_was_said() -> None:
    stage = at_line()
    message = distress(stage)
    take(stage, message, *UP_TO_DISPLAYED)
    for minutes in range(MOST_ANSWERS):
        answer(stage, message, Word.STANDBY, until_us=START_US + (minutes + 1) * 60 * SECOND_US)
    for again in (
        AnswerMessage(id=message, word=Word.NOTED),
        AnswerMessage(id=message, word=Word.STANDBY, until_us=START_US + URGENT_US),
    ):
        assert "was answered 20 times" in refusal(stage, "b", "line.answer/1", again)

    answer(stage, message, Word.WILCO)

    assert at(stage, message).first(Step.ANSWERED) is not None
    unable = AnswerMessage(id=message, word=Word.UNABLE, why="no radio")
    assert "was answered 20 times" in refusal(stage, "b", "line.answer/1", unable)
