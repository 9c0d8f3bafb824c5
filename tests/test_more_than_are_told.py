# SPDX-License-Identifier: Apache-2.0
"""An operation with more conflicts than one entry holds: others are told as there is room."""

from typing import Final

import pytest

from keepclear.agreement.clauses import OnConflict, OnConflictRule, Priority, WhoActs
from keepclear.plans import acts
from keepclear.plans.conflicts import Answer
from keepclear.plans.operations import State
from tests.agreement_plays import clause
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


def test_what_both_agree_to_leave_makes_room_for_those_left_out(
    crowd: tuple[Play, list[str], str],
) -> None:
    play, theirs, own = crowd
    for each in play.world.conflicts_of(own):
        agree_as_is(play, each.id)

    while play.stage.exchange.recheck_some():
        pass

    assert {*met(play, own)} == {*theirs}
    assert play.world.more == {}
    assert play.notices("b")[-1].own == theirs[2]
    assert is_sound(play)


def refusing() -> tuple[Play, list[str], str]:
    """Return the same where a clause refuses, and b's must act; two are told."""
    first = WhoActs(priorities=(Priority(of="any", number=1), Priority(of="tanker", number=2)))
    play = Play(between(
        "a", "b", "a-b", LEVEL, clause("2", "Who acts.", first),
        clause("3", "Refused.", OnConflictRule(action=OnConflict.REFUSE)),
    ))  # fmt: skip
    theirs = [
        play.file("b", Plan(place=0, level=22, start=start, lasts=60)) for start in (20, 25, 30)
    ]
    own = play.file("a", Plan(place=0, level=22, start=35, lasts=60, craft="tanker"))
    assert {*met(play, own)} == {*theirs[:2]}
    return play, theirs, own


@pytest.mark.usefixtures("crowd")
def test_where_a_clause_refuses_one_that_was_left_out_is_not_activated_either() -> None:
    play, theirs, _ = refusing()

    refused = play.do("b", "operations.activate/1", acts.ActivateOperation(id=theirs[2]))

    assert "of which nobody was told yet" in refused
    assert play.world.operations[theirs[2]].state is State.ACCEPTED
    assert is_sound(play)


@pytest.mark.usefixtures("crowd")
def test_where_those_left_out_are_over_it_is_activated_as_any_other() -> None:
    play, theirs, own = refusing()
    assert play.do("b", "operations.end/1", acts.EndOperation(id=theirs[2])) == ""
    assert play.world.more[own].count == 1  # nobody has counted again
    key = tuple(play.world.operations[each].ovn for each in theirs[:2])

    assert play.do("a", "operations.activate/1", acts.ActivateOperation(id=own, key=key)) == ""

    assert play.world.more == {}
    assert is_sound(play)


def test_an_audit_does_not_ask_in_each_entry_for_those_left_out(
    crowd: tuple[Play, list[str], str],
) -> None:
    play, _, own = crowd
    for _ in range(2):
        made = acts.MarkAirborne(id=own, at_us=play.stage.clock.now_us())
        assert play.do("a", "operations.airborne/1", made) == ""

    assert own in play.world.more
    assert is_sound(play)


def test_where_there_is_no_room_nothing_is_looked_at_again(
    crowd: tuple[Play, list[str], str],
) -> None:
    play, _, _ = crowd
    lines = len(play.stage.lines)

    assert play.stage.exchange.recheck_some() is False

    assert len(play.stage.lines) == lines
