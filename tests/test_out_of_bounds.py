# SPDX-License-Identifier: Apache-2.0
"""What parties could try against the rules, or against each other, and what comes of it."""

from collections.abc import Callable
from dataclasses import replace
from typing import Final

import msgspec
import pytest

from keepclear.agreement.clauses import Caps, OnConflict, OnConflictRule
from keepclear.agreement.documents import Agreement
from keepclear.agreement.moves import NotNow
from keepclear.agreement.probing import DEFAULT
from keepclear.airspace.altitudes import parse_altitude
from keepclear.airspace.geodesics import distance_m
from keepclear.airspace.positions import Position
from keepclear.airspace.volumes import Circle, Shape, Volume4D
from keepclear.errors import InputError
from keepclear.plans import acts
from keepclear.plans.conflicts import State as Conflicting
from keepclear.plans.operations import Event, State, claim_of, move
from keepclear.units import parse_duration_us, parse_length_tmm, parse_time_us
from tests.agreement_plays import clause
from tests.test_lapses import is_sound
from tests.test_rules_of_the_door import Play
from tests.two_worlds import MINUTE_US, Plan, between, filed, separation, volume_of

FAR: Final = Plan(place=6, level=22, start=60, lasts=120)
HERE: Final = Plan(place=0, level=22, start=60, lasts=120)


def with_clauses(*decisions: object) -> Agreement:
    """Return an agreement of a and b about separation and more."""
    more = [clause(str(n), "More.", each) for n, each in enumerate(decisions, start=2)]  # type: ignore[arg-type]
    return between("a", "b", "a-b", separation("8 NM / 2000 ft"), *more)


REFUSING: Final = OnConflictRule(action=OnConflict.REFUSE)


def conflict(play: Play) -> str:
    [found] = play.world.conflicts
    return found


def activate(play: Play, party: str, own: str, *key: str) -> str:
    ovns = tuple(play.world.operations[each].ovn for each in key)
    return play.do(party, "operations.activate/1", acts.ActivateOperation(id=own, key=ovns))


def update(play: Play, party: str, own: str, plan: Plan) -> str:
    ovn = play.world.operations[own].ovn
    made = acts.UpdateOperation(id=own, ovn=ovn, operation=filed(plan))
    return play.do(party, "operations.update/1", made)


def test_where_a_contingent_operation_is_expected_protects_as_long_as_the_operation() -> None:
    play = Play()
    own = play.file("a", FAR)
    assert activate(play, "a", own) == ""
    expected = volume_of(replace(HERE, start=90, lasts=10))
    said = acts.MakeContingent(id=own, off_nominal=(expected,))

    assert play.do("a", "operations.contingent/1", said) == ""

    # its end is at minute 180, and the grace an hour
    claim = claim_of(play.world.operations[own])
    last_us: dict[Shape, int] = {}
    for each in claim.volumes:
        shape = each.volume.shape
        last_us[shape] = max(each.end_us, last_us.get(shape, 0))
    assert len(last_us) == 2  # as filed, and where it is expected
    assert set(last_us.values()) == {play.world.operations[own].end_us + 60 * MINUTE_US}
    other = play.file("b", replace(HERE, start=150, lasts=30))
    assert len(play.world.conflicts_of(other)) == 1
    assert is_sound(play)


def test_nobody_is_expected_anywhere_for_longer_than_a_day() -> None:
    play = Play()
    own = play.file("a", FAR)
    assert activate(play, "a", own) == ""
    far_off = acts.MakeContingent(id=own, off_nominal=(volume_of(replace(HERE, lasts=25 * 60)),))

    assert "is more than 24 h from now" in play.do("a", "operations.contingent/1", far_off)
    assert play.world.operations[own].state is State.ACTIVATED
    assert is_sound(play)


def test_the_other_side_is_told_that_an_operation_was_activated_though_it_need_not_act() -> None:
    play = Play()
    first = play.file("a", HERE)
    second = play.file("b", HERE)
    told = len(play.notices("b"))

    assert activate(play, "a", first, second) == ""

    assert len(play.notices("b")) == told + 1
    last = play.notices("b")[-1]
    assert last.other.state == "activated"
    assert last.note == f"operation {first[:8]} of a was activated"
    assert is_sound(play)


def test_an_activated_operation_changed_into_a_refused_conflict_is_out_of_plan() -> None:
    play = Play(with_clauses(REFUSING))
    first = play.file("a", HERE)
    own = play.file("b", FAR)
    assert activate(play, "b", own) == ""

    assert update(play, "b", own, HERE) == ""

    assert play.world.operations[own].state is State.NONCONFORMING
    assert play.notices("a")[-1].note.startswith("changed: URGENT")
    assert play.notices("a")[-1].other.state == "nonconforming"
    assert play.world.operations[first].state is State.ACCEPTED
    assert is_sound(play)


def test_where_conflicts_are_noted_a_change_into_one_stays_activated() -> None:
    play = Play(with_clauses(OnConflictRule(action=OnConflict.NOTE)))
    play.file("a", HERE)
    own = play.file("b", FAR)
    assert activate(play, "b", own) == ""

    assert update(play, "b", own, HERE) == ""

    assert play.world.operations[own].state is State.ACTIVATED


CAPS: Final = Caps(
    area_hours_km2h=5_000, day_area_hours_km2h=700, duration_us=24 * 60 * MINUTE_US, vertices=200
)


def proposed(play: Play, **moves: str) -> str:
    """Let b propose that its own operation moves; return a's refusal, empty where it is settled."""
    found = conflict(play)
    own = next(
        each for each in (play.world.conflicts[found].a, play.world.conflicts[found].b)
        if play.world.operations[each].party == "b"
    )  # fmt: skip
    made = acts.ProposeChange(id=found, operation=own, **moves)
    assert play.do("b", "conflicts.propose/1", made) == ""
    proposal = play.world.conflicts[found].proposal
    assert proposal is not None
    return play.do("a", "conflicts.accept/1", acts.AcceptProposal(id=found, proposal=proposal.id))


def test_what_settles_a_conflict_as_both_want_it_is_refused_by_no_cap() -> None:
    play = Play(with_clauses(CAPS, DEFAULT))
    play.file("a", HERE)
    play.file("b", HERE)
    play.file("b", FAR)  # by now its day is nearly used up

    assert proposed(play, later="3 h") == ""

    assert play.world.conflicts[conflict(play)].state is Conflicting.RESOLVED
    assert is_sound(play)


def test_a_proposal_moves_a_route_aside() -> None:
    play = Play()
    play.file("a", HERE)
    own = play.file("b", HERE)
    before = play.world.operations[own]

    assert proposed(play, aside="40 NM", towards="090") == ""

    after = play.world.operations[own]
    for one, other in zip(before.volumes, after.volumes, strict=True):
        assert replaced(one, other.volume.shape) == other
        [(start, end)] = zip(centres(one), centres(other), strict=True)
        assert distance_m(start, end) == pytest.approx(40 * 1852, abs=1e-3)
    assert play.world.conflicts[conflict(play)].state is Conflicting.RESOLVED
    assert play.notices("a")[1].proposal == play.notices("b")[1].proposal
    assert is_sound(play)


def replaced(volume: Volume4D, shape: Shape) -> Volume4D:
    inner = msgspec.structs.replace(volume.volume, shape=shape)
    return msgspec.structs.replace(volume, volume=inner)


def centres(volume: Volume4D) -> list[Position]:
    shape = volume.volume.shape
    assert isinstance(shape, Circle)
    return [shape.centre]


@pytest.mark.parametrize(
    ("moves", "why"),
    [
        ({"later": "--1 h"}, "later '--1 h': has two signs; give one"),
        ({"aside": "10 NM"}, "towards '': is no bearing"),
        ({"aside": "10 NM", "towards": "361"}, "towards '361': is no bearing"),
        ({"aside": "10 NM", "towards": "-45"}, "towards '-45': is no bearing"),
        ({"towards": "045"}, "aside '': is not a number with its unit"),
        ({"aside": "-9 NM", "towards": "045"}, "aside '-9 NM': is below 0"),
        ({"aside": "0 NM", "towards": "045"}, "moves nothing"),
        ({"aside": "101 NM", "towards": "045"}, "is more than 7 days, 100,000 ft or 100 NM"),
    ],
)
def test_a_move_aside_has_a_length_and_a_bearing(moves: dict[str, str], why: str) -> None:
    play = Play()
    play.file("a", HERE)
    own = play.file("b", HERE)
    made = acts.ProposeChange(id=conflict(play), operation=own, **moves)

    assert why in play.do("b", "conflicts.propose/1", made)
    assert is_sound(play)


@pytest.mark.parametrize(
    "moves",
    [
        {"higher": "90000 ft"},
        {"later": "-5 h"},
        {"later": "1 min"},
        {"aside": "2 NM", "towards": "0"},
    ],
    ids=["out of all heights", "into the past", "not far enough", "not far enough aside"],
)
def test_why_a_proposal_settles_nothing_is_told_in_the_same_words(moves: dict[str, str]) -> None:
    play = Play()
    play.file("a", HERE)
    play.file("b", HERE)

    why = proposed(play, **moves)

    assert why.endswith("does not settle the conflict as the two stand now; propose otherwise")
    assert play.world.conflicts[conflict(play)].state is Conflicting.PROPOSED
    assert is_sound(play)


@pytest.mark.parametrize("moves", [{"later": "99999 h"}, {"higher": "-200000 ft"}])
def test_what_nobody_can_mean_is_refused_when_it_is_proposed(moves: dict[str, str]) -> None:
    play = Play()
    play.file("a", HERE)
    own = play.file("b", HERE)
    made = acts.ProposeChange(id=conflict(play), operation=own, **moves)

    assert "is more than 7 days, 100,000 ft or 100 NM" in play.do("b", "conflicts.propose/1", made)
    assert is_sound(play)


def test_rescue_takes_nothing_of_a_cap() -> None:
    play = Play(with_clauses(CAPS, DEFAULT))
    own = play.file("b", HERE)
    play.file("b", FAR)
    taken = play.world.filers["b"].taken_km2h(play.world.operations[own].filed_us)
    assert 600 < taken < 700

    assert "area-hours of the day" in play.do(
        "b", "operations.file/1", acts.FileOperation(operation=filed(FAR))
    )
    rescue = msgspec.structs.replace(filed(FAR), craft_class="rescue")
    assert play.do("b", "operations.file/1", acts.FileOperation(operation=rescue)) == ""

    assert play.world.filers["b"].taken_km2h(play.world.operations[own].filed_us) == taken
    assert is_sound(play)


def test_nobody_looks_for_a_hidden_plan_by_shrinking_for_nothing() -> None:
    """Each version is answered as a filing is: it costs one, and is refused as one."""
    play = Play(with_clauses(CAPS, DEFAULT))
    own = play.file("b", HERE)
    taken, versions, refused = play.world.filers["b"].taken_km2h(play.stage.clock.now_us()), 1, ""
    for lasts in range(110, 0, -10):
        refused = update(play, "b", own, replace(HERE, lasts=lasts))
        if refused:
            break
        versions += 1

    assert "area-hours of the day" in refused
    # the first is as large as any
    assert versions <= 700 * 3 // taken
    assert play.world.operations[own].version == versions
    assert is_sound(play)


def test_an_operation_in_a_conflict_that_it_would_be_refused_in_may_shrink() -> None:
    play = Play(with_clauses(OnConflictRule(action=OnConflict.NOTE)))
    first = play.file("a", HERE)
    own = play.file("b", HERE)
    assert activate(play, "b", own, first) == ""
    agreement = between("a", "b", "a-b-2", separation("8 NM / 2000 ft"), clause(
        "2", "More.", REFUSING
    ))  # fmt: skip
    play.stage.carry(play.stage.signed(agreement), agreement)

    assert update(play, "b", own, replace(HERE, lasts=90)) == ""

    assert play.world.operations[own].state is State.ACTIVATED
    assert is_sound(play)


def test_an_airborne_operation_is_changed_to_no_version_that_is_nowhere_now() -> None:
    play = Play()
    own = play.file("a", HERE)
    assert activate(play, "a", own) == ""
    play.at(70)
    assert play.do("a", "operations.airborne/1", acts.MarkAirborne(
        id=own, at_us=play.stage.clock.now_us()
    )) == ""  # fmt: skip

    assert "is airborne, and version 2 is nowhere now" in update(
        play, "a", own, replace(HERE, start=300)
    )
    assert play.world.operations[own].version == 1
    assert update(play, "a", own, replace(HERE, start=70, lasts=30)) == ""
    assert is_sound(play)


def test_a_contingent_operation_that_is_airborne_is_where_it_is_expected() -> None:
    play = Play()
    own = play.file("a", HERE)
    assert activate(play, "a", own) == ""
    play.at(70)
    now_us = play.stage.clock.now_us()
    assert play.do("a", "operations.airborne/1", acts.MarkAirborne(id=own, at_us=now_us)) == ""
    expected = (volume_of(replace(FAR, start=70, lasts=60)),)
    said = acts.MakeContingent(id=own, off_nominal=expected)
    assert play.do("a", "operations.contingent/1", said) == ""

    assert update(play, "a", own, replace(HERE, start=100, lasts=60)) == ""

    assert play.world.operations[own].state is State.CONTINGENT
    assert is_sound(play)


@pytest.mark.parametrize("text", ["9999-12-31T23:00:00Z", "0001-01-01T00:00:00Z"])
def test_a_time_of_no_year_that_can_be_meant_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="is not in the years 1000 to 9000"):
        parse_time_us(text)


def test_a_duration_of_more_than_a_century_is_refused() -> None:
    with pytest.raises(InputError, match="is longer than 100 years"):
        parse_duration_us("99999999 h")


@pytest.mark.parametrize(
    ("parse", "text"),
    [
        (parse_time_us, "\uff12\uff1015-09-30T10:14:05Z"),
        (parse_time_us, "2015-09-30T10:14:05+\uff103:00"),
        (parse_duration_us, "\u0665 min"),
        (parse_length_tmm, "\u0665 NM"),
        (parse_altitude, "FL\u0662\u0664\u0660"),
        (parse_altitude, "S\uff11\uff11\uff13\uff10"),
    ],
)
def test_digits_of_other_scripts_are_refused(parse: Callable[[str], object], text: str) -> None:
    with pytest.raises(InputError):
        parse(text)


def test_spaces_of_any_kind_are_read_as_spreadsheets_have_them() -> None:
    assert parse_length_tmm("5\u00a0NM") == parse_length_tmm("5 NM")


def test_a_refusal_offers_only_what_somebody_can_do() -> None:
    with pytest.raises(NotNow) as refused:
        move(State.CONTINGENT, Event.CANCEL)
    assert str(refused.value).endswith("possible now: airborne or change or end")
    with pytest.raises(NotNow) as refused:
        move(State.ACTIVATED, Event.CANCEL)
    ways = "change or airborne or become contingent or end"
    assert str(refused.value).endswith(f"possible now: {ways}")


@pytest.mark.parametrize("name", ["lateral", "vertical", "early", "late"])
def test_nothing_is_off_by_less_than_nothing(name: str) -> None:
    play = Play()
    play.file("a", HERE)
    size = "-1 s" if name in {"early", "late"} else "-60 NM"
    smaller = msgspec.structs.replace(filed(HERE), **{name: size})

    why = play.do("b", "operations.file/1", acts.FileOperation(operation=smaller))

    assert f"{name} '{size}': is below 0" in why
    assert is_sound(play)


@pytest.mark.parametrize("at_us", [-1, 253_402_214_400_000_000, 2**62])
def test_a_mark_outside_all_times_is_refused_and_the_record_stays_readable(at_us: int) -> None:
    play = Play()
    own = play.file("a", HERE)

    assert "at_us" in play.do("a", "operations.airborne/1", acts.MarkAirborne(id=own, at_us=at_us))
    play.stage.begin_again()
    assert is_sound(play)


def in_conflict() -> tuple[Play, str, str]:
    """Return a play with a conflict, its id, and the operation of b in it."""
    play = Play()
    play.file("a", HERE)
    own = play.file("b", HERE)
    return play, conflict(play), own


def test_what_both_have_agreed_to_leave_as_it_is_has_nothing_on_the_table() -> None:
    play, found, own = in_conflict()
    made = acts.ProposeChange(id=found, operation=own, aside="40 NM", towards="090")
    assert play.do("b", "conflicts.propose/1", made) == ""
    proposal = play.world.conflicts[found].proposal
    assert proposal is not None
    agrees = acts.AgreeAsIs(id=found)
    for party in ("a", "b"):
        assert play.do(party, "conflicts.agree-as-is/1", agrees) == ""

    accepts = acts.AcceptProposal(id=found, proposal=proposal.id)
    assert "is not the one on the table" in play.do("a", "conflicts.accept/1", accepts)

    assert play.world.conflicts[found].state is Conflicting.AGREED
    assert play.world.operations[own].version == 1
    assert "whoever wants it otherwise changes its operation" in play.do(
        "b", "conflicts.propose/1", made
    )
    assert is_sound(play)


def test_who_proposes_otherwise_has_not_agreed() -> None:
    play, found, own = in_conflict()
    agrees = acts.AgreeAsIs(id=found)
    assert play.do("b", "conflicts.agree-as-is/1", agrees) == ""
    made = acts.ProposeChange(id=found, operation=own, aside="40 NM", towards="090")
    assert play.do("b", "conflicts.propose/1", made) == ""

    assert play.do("a", "conflicts.agree-as-is/1", agrees) == ""

    standing = play.world.conflicts[found]
    assert (standing.state, standing.agreed) == (Conflicting.PROPOSED, ("a",))
    assert is_sound(play)
