# SPDX-License-Identifier: Apache-2.0
"""What it is to answer a notice: NOTED, CONCERNED with a reason, OBJECTS with a clause."""

import pytest

from keepclear.plans import acts
from keepclear.plans.conflicts import Answer, State
from tests.test_acknowledging import in_conflict
from tests.test_lapses import is_sound
from tests.test_rules_of_the_door import Play


def answered(play: Play, conflict: str, answer: Answer, clause: str = "", why: str = "") -> str:
    made = acts.AnswerConflict(id=conflict, answer=answer, clause=clause, why=why)
    return play.do("b", "conflicts.answer/1", made)


@pytest.mark.parametrize(
    ("answer", "clause", "why", "kept"),
    [
        (Answer.NOTED, "", "", ""),
        (Answer.NOTED, "", " as agreed on the line ", "as agreed on the line"),
        (Answer.CONCERNED, "", "our tanker is there", "our tanker is there"),
        (Answer.OBJECTS, "1", "", "clause 1"),
        (Answer.OBJECTS, "2", "too near", "clause 2: too near"),
    ],
)
def test_an_answer_is_kept_told_to_both_and_closes_nothing(
    answer: Answer, clause: str, why: str, kept: str
) -> None:
    play, conflict, _, _ = in_conflict()

    assert answered(play, conflict, answer, clause, why) == ""

    found = play.world.conflicts[conflict]
    assert (found.state, found.answers) == (State.RAISED, (("b", answer, kept),))
    for party in ("a", "b"):
        assert play.notices(party)[-1].answers == (("b", answer.value, kept),)
    assert is_sound(play)


@pytest.mark.parametrize(
    ("answer", "clause", "why", "said"),
    [
        (Answer.CONCERNED, "", "", "is empty for CONCERNED; give the reason"),
        (Answer.CONCERNED, "", " \n ", "is empty for CONCERNED; give the reason"),
        (Answer.CONCERNED, "1", "too near", "stands with CONCERNED; leave it out, or say OBJECTS"),
        (Answer.OBJECTS, "", "too near", "none in force between a and b; object under one of 1, 2"),
        (Answer.OBJECTS, "7.1", "", "clause '7.1': is none in force between a and b"),
    ],
)
def test_an_answer_without_what_it_needs_is_refused_and_changes_nothing(
    answer: Answer, clause: str, why: str, said: str
) -> None:
    play, conflict, _, _ = in_conflict()
    before = play.world.hash

    assert said in answered(play, conflict, answer, clause, why)

    assert play.world.hash == before


def test_where_nothing_is_agreed_nobody_objects_under_a_clause() -> None:
    play = Play()
    play.file("a")
    play.file("b")
    [conflict] = play.world.conflicts

    said = answered(play, conflict, Answer.OBJECTS, "1", "too near")

    assert said.endswith("nothing is agreed between them: be CONCERNED, with the reason")


def test_what_is_settled_is_not_answered() -> None:
    play, conflict, _, of_b = in_conflict()
    assert play.do("b", "operations.cancel/1", acts.CancelOperation(id=of_b)) == ""

    assert "is resolved; nothing is left to answer" in answered(play, conflict, Answer.NOTED)


def test_the_last_answer_of_a_side_stands() -> None:
    play, conflict, _, _ = in_conflict()
    answered(play, conflict, Answer.OBJECTS, "1")
    answered(play, conflict, Answer.NOTED)

    assert play.world.conflicts[conflict].answers == (("b", Answer.NOTED, ""),)
