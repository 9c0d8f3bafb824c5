# SPDX-License-Identifier: Apache-2.0
"""What it is to acknowledge: a person took exactly one version, and nothing is closed by it."""

import pytest

from keepclear.errors import CallerError
from keepclear.exchange.decide import ACTS
from keepclear.plans import acts
from keepclear.plans.conflicts import State
from tests.test_rules_of_the_door import Play, a_and_b
from tests.two_worlds import Plan, filed


def in_conflict() -> tuple[Play, str, str, str]:
    """Return a play with a conflict: its id, and the operations of a and b."""
    play = Play(a_and_b(()))
    of_a, of_b = play.file("a"), play.file("b")
    [conflict] = play.world.conflicts_of(of_a)
    return play, conflict.id, of_a, of_b


def acknowledge(play: Play, conflict: str, ovn: str) -> str:
    made = acts.AcknowledgeConflict(id=conflict, ovn=ovn)
    return play.do("b", "conflicts.acknowledge/1", made)


def test_an_acknowledgement_that_names_no_version_is_refused_as_an_act() -> None:
    with pytest.raises(CallerError, match="ovn"):
        ACTS.read("conflicts.acknowledge/1", b'{"id":"' + b"0" * 32 + b'"}', "act.payload")


def test_the_latest_version_is_marked_and_nothing_is_closed() -> None:
    play, conflict, of_a, _ = in_conflict()

    assert acknowledge(play, conflict, play.world.operations[of_a].ovn) == ""

    found = play.world.conflicts[conflict]
    assert (found.acknowledged, found.state) == (("b",), State.RAISED)


def test_an_older_version_and_one_s_own_are_refused_and_mark_nothing() -> None:
    play, conflict, of_a, of_b = in_conflict()
    old = play.world.operations[of_a].ovn
    again = acts.UpdateOperation(id=of_a, ovn=old, operation=filed(
        Plan(place=1, level=22, start=60, lasts=30)
    ))  # fmt: skip
    assert play.do("a", "operations.update/1", again) == ""

    refused = [acknowledge(play, conflict, each)
               for each in (old, play.world.operations[of_b].ovn)]  # fmt: skip

    assert all("read your latest notice and acknowledge that" in each for each in refused)
    assert play.world.conflicts[conflict].acknowledged == ()


def test_what_is_settled_is_not_acknowledged_and_the_refusal_shows_no_new_version() -> None:
    play, conflict, of_a, _ = in_conflict()
    old = play.world.operations[of_a].ovn
    away = filed(Plan(place=8, level=24, start=60, lasts=30))
    play.do("a", "operations.update/1", acts.UpdateOperation(id=of_a, ovn=old, operation=away))
    new = play.world.operations[of_a].ovn

    said = [acknowledge(play, conflict, each) for each in (old, new)]

    assert said == [f"conflict {conflict[:8]}: is resolved; nothing is left to acknowledge"] * 2
    assert play.world.conflicts[conflict].acknowledged == ()
