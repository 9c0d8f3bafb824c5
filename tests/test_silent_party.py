# SPDX-License-Identifier: Apache-2.0
"""A party that says nothing for a day: what it has filed protects to its end, and no longer."""

import pytest

from keepclear.plans import acts
from keepclear.plans.operations import State
from tests.test_lapses import is_sound
from tests.test_out_of_plan import met
from tests.test_rules_of_the_door import Play
from tests.two_worlds import Plan

HOUR = 60  # minutes of the play
LONG = Plan(place=0, level=22, start=HOUR, lasts=26 * HOUR)
END = LONG.start + LONG.lasts
OTHER = Plan(place=0, level=22, start=25 * HOUR, lasts=HOUR)


@pytest.mark.parametrize("is_activated", [False, True])
def test_what_a_silent_party_has_filed_protects_to_its_end(*, is_activated: bool) -> None:
    play = Play()
    own = play.file("a", LONG)
    if is_activated:
        assert play.do("a", "operations.activate/1", acts.ActivateOperation(id=own)) == ""
    before = play.world.operations[own].state

    play.at(24 * HOUR)  # nobody has said anything since
    theirs = play.file("b", OTHER)

    assert play.world.operations[own].state is before
    assert met(play, theirs) == [own]
    assert play.world.operations[theirs].state is State.FILED
    play.at(END - 1)
    assert play.world.operations[own].is_protecting
    play.at(END)
    # what was said to be under way, and not to be over, protects for the grace of an hour
    assert play.world.operations[own].is_protecting is is_activated
    play.at(END + HOUR)
    assert not play.world.operations[own].is_protecting
    assert is_sound(play)
