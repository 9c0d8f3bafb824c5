# SPDX-License-Identifier: Apache-2.0
"""An operation with more conflicts than one entry holds: others are told as there is room."""

from typing import Final

import pytest

from keepclear.plans import acts
from keepclear.plans.conflicts import Answer
from keepclear.plans.operations import State
from tests.test_lapses import is_sound
from tests.test_out_of_plan import agree_as_is, met
from tests.test_rules_of_the_door import Play
from tests.two_worlds import Plan, between, separation

LEVEL: Final = separation("8 NM / 2000 ft")


@pytest.fixture
def crowd(monkeypatch: pytest.MonkeyPatch) -> tuple[Play, list[str], str]:
    """Return a play with three operations of b and one of a that meets all; two are told."""
    monkeypatch.setattr("keepclear.exchange.rechecking.MOST_FINDINGS", 2)
    play = Play(between("a", "b", "a-b", LEVEL), between("a", "c", "a-c", LEVEL))
    theirs = [
        play.file("b", Plan(place=0, level=22, start=start, lasts=60)) for start in (20, 25, 30)
    ]
    own = play.file("a", Plan(place=0, level=22, start=35, lasts=60))
    assert {*met(play, own)} == {*theirs[:2]}
    assert play.world.more[own].count == 1
    return play, theirs, own


@pytest.mark.parametrize("place", [0, 1])
def test_those_left_out_are_told_between_acts_as_soon_as_there_is_room(
    place: int, crowd: tuple[Play, list[str], str]
) -> None:
    play, theirs, own = crowd

    assert play.do("b", "operations.end/1", acts.EndOperation(id=theirs[place])) == ""
    before = met(play, own)
    assert play.stage.exchange.recheck_some() is False

    assert {*before} == {*theirs[:2]}
    assert {*met(play, own)} == {*theirs}
    assert play.world.more == {}
    assert play.world.operations[own].state is State.FILED
    assert is_sound(play)


def test_those_told_before_are_not_told_again_and_keep_what_was_said(
    crowd: tuple[Play, list[str], str],
) -> None:
    play, theirs, own = crowd
    [second] = [each.id for each in play.world.conflicts_of(own) if each.other(own) == theirs[1]]
    noted = acts.AnswerConflict(id=second, answer=Answer.NOTED)
    assert play.do("b", "conflicts.answer/1", noted) == ""
    assert play.do("b", "operations.end/1", acts.EndOperation(id=theirs[0])) == ""
    before = play.world.conflicts[second]

    play.stage.exchange.recheck_some()

    assert play.world.conflicts[second] == before


def test_where_those_left_out_are_over_and_the_others_agreed_it_is_accepted(
    crowd: tuple[Play, list[str], str],
) -> None:
    play, theirs, own = crowd
    assert play.do("b", "operations.end/1", acts.EndOperation(id=theirs[2])) == ""
    for each in play.world.conflicts_of(own):
        agree_as_is(play, each.id)
    assert play.world.operations[own].state is State.FILED  # nobody has counted again

    while play.stage.exchange.recheck_some():
        pass

    assert play.world.more == {}
    assert play.world.operations[own].state is State.ACCEPTED
    assert is_sound(play)


def test_where_there_is_no_room_nothing_is_looked_at_again(
    crowd: tuple[Play, list[str], str],
) -> None:
    play, _, _ = crowd
    lines = len(play.stage.lines)

    assert play.stage.exchange.recheck_some() is False

    assert len(play.stage.lines) == lines
