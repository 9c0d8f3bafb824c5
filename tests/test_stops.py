# SPDX-License-Identifier: Apache-2.0
"""STOP: who is told what of it, what must keep out, how long it lasts, and what it may take."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from keepclear.agreement.clauses import OnConflict, OnConflictRule, Precedence
from keepclear.agreement.findings import Verdict
from keepclear.airspace.geodesics import geod
from keepclear.exchange.keep_outs import area_of, meeting
from keepclear.line.ladder import Step
from keepclear.line.messages import Word
from keepclear.line.stops import Stands
from keepclear.plans import acts
from keepclear.plans.operations import State as OperationState
from keepclear.plans.stops import EndStop, RenewStop, State, Stop, stop_volume
from keepclear.plays.stage import Stage
from keepclear.record.headers import Status
from tests.incident_plays import MINUTE_US, file, filed, refusal
from tests.message_plays import (
    DEADLINES,
    SECOND_US,
    WITHIN_S,
    answer,
    at_line,
    line_agreement,
    take,
    wait,
)
from tests.record_plays import START_US
from tests.restored_stages import restore
from tests.stop_plays import (
    TEXT,
    at_stop,
    calling,
    end,
    message_of,
    must_keep_out,
    renew,
    small,
    stop,
    told_to_keep_out,
)

GROWN_M = (
    5_000  # definitions.md, STOP: "buffered on every side by the agreed distance (default 5 km)"
)
HOUR_US = 60 * MINUTE_US


def state_of(stage: Stage, operation: str) -> OperationState:
    return stage.exchange.world.operations[operation].state


def test_a_party_that_is_named_gets_a_message_with_the_area_and_the_text() -> None:
    stage = at_line()

    made = stop(stage, "b", "c")

    told = message_of(stage, made)
    assert (told.precedence, told.sender, told.receiver) == (Precedence.STOP, "a", "b")
    assert told.text == TEXT
    assert told.stop is not None
    assert (told.stop.area, told.stop.stands) == (area_of(made), Stands.IN_FORCE)
    assert told.within_us == WITHIN_S[Precedence.STOP] * SECOND_US
    assert message_of(stage, made, "c").text == TEXT


def test_a_stop_goes_up_the_ladder_is_answered_and_is_overdue_where_no_unit_is_told() -> None:
    stage = at_line()
    made = stop(stage)
    told = made.messages[0]
    take(stage, told, Step.DELIVERED, Step.DISPLAYED, Step.ACKNOWLEDGED)
    answer(stage, told, Word.WILCO)
    wait(stage, 10 * MINUTE_US)

    late = message_of(stage, made).overdue

    assert [each.step for each in late][:1] == [Step.DISSEMINATED]


def test_where_no_deadline_of_stop_is_agreed_it_has_that_of_urgent() -> None:
    agreed = line_agreement()
    urgent = tuple(each for each in DEADLINES.deadlines if each.precedence is Precedence.URGENT)
    last = replace(agreed.clauses[-1], decides=replace(DEADLINES, deadlines=urgent))
    clauses = (*agreed.clauses[:-1], last)
    stage = at_line(replace(agreed, clauses=clauses))

    made = stop(stage)

    assert message_of(stage, made).within_us == WITHIN_S[Precedence.URGENT] * SECOND_US


@pytest.mark.parametrize("comes_first", [False, True])
def test_an_operation_of_anybody_that_meets_it_must_keep_out_whichever_came_first(
    comes_first: bool,  # noqa: FBT001
) -> None:
    stage = at_line()
    first = [stop(stage)] if comes_first else []
    operations = [file(stage, party, small(35.0)) for party in "bca"]
    [made] = first or [stop(stage)]

    of_b, of_c, own = (each.id for each in operations)
    for party, each in (("b", of_b), ("c", of_c)):
        [told] = told_to_keep_out(stage, party)
        assert (told.id, told.areas) == (each, (area_of(made),))
    assert not must_keep_out(stage, own)  # never the sender's people
    assert told_to_keep_out(stage, "a") == []


def test_what_must_keep_out_is_not_accepted_until_the_stop_has_ended() -> None:
    stage = at_line()
    made = stop(stage)
    of_c = file(stage, "c", small(35.0)).id

    assert state_of(stage, of_c) is OperationState.FILED
    end(stage, made)
    assert state_of(stage, of_c) is OperationState.ACCEPTED
    assert [each.areas for each in told_to_keep_out(stage, "c")] == [(area_of(made),), ()]


def test_what_is_accepted_stays_so_and_is_told_and_what_changes_away_is_free() -> None:
    stage = at_line()
    old = file(stage, "c", small(35.0))
    stop(stage)
    assert state_of(stage, old.id) is OperationState.ACCEPTED
    assert must_keep_out(stage, old.id)

    stage.submit("c", "operations.update/1", acts.UpdateOperation(
        id=old.id, ovn=old.ovn, operation=filed(small(37.0))
    ))  # fmt: skip

    assert not must_keep_out(stage, old.id)
    assert state_of(stage, old.id) is OperationState.ACCEPTED


def test_what_is_ended_keeps_out_of_nothing() -> None:
    stage = at_line()
    stop(stage)
    old = file(stage, "c", small(35.0))
    stage.submit("c", "operations.end/1", acts.EndOperation(id=old.id))
    by_time = file(stage, "c", small(35.0, start=10, minutes=20))
    wait(stage, 40 * MINUTE_US)

    assert not must_keep_out(stage, old.id)
    assert not must_keep_out(stage, by_time.id)


def test_activating_in_it_is_noted_as_urgent_or_refused_where_a_clause_refuses_it() -> None:
    stage = at_line()
    stop(stage)
    old = file(stage, "c", small(35.0))
    stage.submit("c", "operations.activate/1", acts.ActivateOperation(id=old.id, key=()))
    assert state_of(stage, old.id) is OperationState.ACTIVATED

    agreed = line_agreement()
    refusing = replace(
        agreed.clauses[0], id="9.1", decides=OnConflictRule(action=OnConflict.REFUSE)
    )
    stage = at_line(replace(agreed, clauses=(*agreed.clauses, refusing)))
    stop(stage)
    old = file(stage, "b", small(35.0))
    said = refusal(stage, "b", "operations.activate/1", acts.ActivateOperation(id=old.id, key=()))
    assert "must keep out of an area" in said


@given(
    latitude=st.floats(-60, 60), radius_m=st.integers(100, 20_000), bearing=st.floats(0, 360),
    off_m=st.integers(-400, 400).filter(lambda each: abs(each) > 5),
)  # fmt: skip
def test_all_within_5_km_of_it_must_keep_out_and_nothing_else(
    latitude: float, radius_m: int, bearing: float, off_m: int
) -> None:
    # oracle: the distance on the ellipsoid between the centres of two circles
    stage = at_line()
    made = stop(stage, latitude=latitude, radius=f"{radius_m} m", minutes=60)
    away_m = radius_m + GROWN_M + 100 + off_m
    longitude, north, _ = geod().fwd(35.5, latitude, bearing, away_m)
    where = small(north, start=10, minutes=20)
    where = replace(where, shape=replace(where.shape, centre=(north, longitude)))

    old = file(stage, "c", where)

    assert must_keep_out(stage, old.id) is (off_m < 0)
    assert at_stop(stage, made).is_protecting


@given(
    latitude=st.floats(-80, 80), radius_m=st.integers(100, 50_000), bearing=st.floats(0, 360),
    share=st.floats(0, 1),
)  # fmt: skip
def test_the_area_that_is_told_holds_all_within_5_km_of_it(
    latitude: float, radius_m: int, bearing: float, share: float
) -> None:
    payload = calling(latitude=latitude, radius=f"{radius_m} m")
    made = Stop(
        id="0" * 32, act="0" * 32, party="a", status=Status.EXERCISE, to=("b",), messages=(),
        volume=stop_volume(payload.volume, START_US), sent_us=START_US, takes_km2h=0,
        state=State.ACTIVE, next_us=None,
    )  # fmt: skip

    area = area_of(made)

    longitude, north, _ = geod().fwd(35.5, latitude, bearing, share * (radius_m + GROWN_M))
    assert area.south_deg <= north <= area.north_deg
    assert area.west_deg <= longitude <= area.east_deg
    assert area.from_us <= made.volume.start_us < made.volume.end_us <= area.to_us
    lower, upper = made.volume.volume.lower, made.volume.volume.upper
    assert area.lower is not None
    assert area.upper is not None
    assert lower is not None
    assert upper is not None
    assert area.lower.height_tmm <= lower.height_tmm - GROWN_M * 10_000
    assert upper.height_tmm + GROWN_M * 10_000 <= area.upper.height_tmm


def test_heights_within_5_km_must_keep_out_and_those_beyond_need_not() -> None:
    # FL240 is 7,315.2 m: 5 km below it is FL075 and a bit (2,315.2 m, 7,596 ft)
    stage = at_line()
    stop(stage)

    near = file(stage, "c", small(35.0, lower="FL050", upper="FL080"))
    far = file(stage, "c", small(35.0, lower="FL050", upper="FL070"))
    unknown = file(stage, "c", small(35.0, lower="1000 ft AMSL", upper="1500 ft AMSL"))

    assert must_keep_out(stage, near.id)
    assert not must_keep_out(stage, far.id)
    assert must_keep_out(stage, unknown.id)  # cannot be compared with flight levels


def test_its_sender_is_asked_and_where_nobody_answers_it_is_unconfirmed_and_protects() -> None:
    stage = at_line()
    made = stop(stage)
    wait(stage, HOUR_US)
    assert at_stop(stage, made).state is State.ASKED

    wait(stage, HOUR_US + 10 * MINUTE_US)
    assert at_stop(stage, made).state is State.UNCONFIRMED
    told = message_of(stage, made).stop
    assert told is not None
    assert told.stands is Stands.UNCONFIRMED
    assert must_keep_out(stage, file(stage, "c", small(35.0, start=90)).id)

    renew(stage, made)
    told = message_of(stage, made).stop
    assert told is not None
    assert told.stands is Stands.IN_FORCE
    assert at_stop(stage, made).next_us == START_US + 2 * HOUR_US + 10 * MINUTE_US


def test_it_ends_at_its_time_and_frees_what_was_to_keep_out() -> None:
    stage = at_line()
    made = stop(stage, minutes=90)
    old = file(stage, "c", small(35.0, start=60, minutes=120))
    for minutes in (70, 90):
        wait(stage, minutes * MINUTE_US)

    assert at_stop(stage, made).state is State.ENDED
    told = message_of(stage, made).stop
    assert told is not None
    assert told.stands is Stands.ENDED
    assert state_of(stage, old.id) is OperationState.ACCEPTED


def test_a_message_of_a_stop_is_open_until_it_has_ended_whatever_was_done() -> None:
    stage = at_line()
    made = stop(stage)
    steps = (Step.DELIVERED, Step.DISPLAYED, Step.ACKNOWLEDGED, Step.DISSEMINATED)
    take(stage, made.messages[0], *steps)
    assert not message_of(stage, made).is_done  # it is a call, and nobody has answered it
    answer(stage, made.messages[0], Word.WILCO)

    assert message_of(stage, made).is_done
    assert message_of(stage, made).is_open
    end(stage, made)
    assert not message_of(stage, made).is_open


def test_nobody_else_renews_or_ends_it_and_all_that_is_none_of_ones_own_has_one_answer() -> None:
    stage = at_line()
    made = stop(stage)

    said = [
        refusal(stage, party, "line.stop-end/1", EndStop(id=own))
        for party, own in (("b", made.id), ("c", made.id), ("b", "0" * 32))
    ]
    assert said[0] == said[2].replace("0" * 32, made.id)
    assert "is no STOP of c" in said[1]
    end(stage, made)
    assert "has ended" in refusal(stage, "a", "line.stop-renew/1", RenewStop(id=made.id))


def test_too_many_too_large_and_too_long_are_refused_with_the_limit_and_the_way_out() -> None:
    stage = at_line()
    for _ in range(4):
        stop(stage, minutes=10)

    kind = "line.stop/1"
    assert "4 is the most at a time; end one" in refusal(stage, "a", kind, calling())
    stage = at_line()
    said = refusal(stage, "a", kind, calling(radius="200 km"))
    assert "above 50,000 km2h, which the default allows one" in said
    each_takes = 0
    while sum(each.takes_km2h for each in stage.exchange.world.stops.values()) < (
        500_000 - each_takes
    ):  # fmt: skip
        made = stop(stage, radius="30 km", minutes=240)
        each_takes = made.takes_km2h + 1
        end(stage, made)
    said = refusal(stage, "a", kind, calling(radius="30 km", minutes=240))
    assert "allows one party in a day" in said
    said = refusal(stage, "a", kind, calling(minutes=361))
    assert "more than 6 h after its start" in said
    assert "is no other party" in refusal(stage, "a", kind, calling("a"))
    assert "is no other party" in refusal(stage, "a", kind, calling("b", "nobody"))


def test_those_of_an_exercise_leave_room_for_what_is_actual() -> None:
    stage = at_line()
    for _ in range(4):
        stop(stage)

    stage._status = Status.ACTUAL

    assert at_stop(stage, stop(stage)).is_protecting


def test_what_is_of_another_status_does_not_meet_it() -> None:
    stage = at_line()
    made, old = stop(stage), file(stage, "c", small(35.0))
    deciding = stage.exchange._deciding(stage.clock.now_us())

    of_exercise, of_actual = (
        meeting(deciding.functions, deciding.near, replace(made, status=each), old)
        for each in (Status.EXERCISE, Status.ACTUAL)
    )

    assert of_exercise is Verdict.CONFLICT
    assert of_actual is None


def test_what_is_over_before_it_starts_does_not_meet_it() -> None:
    stage = at_line()
    stop(stage, start=120, minutes=60)

    assert not must_keep_out(stage, file(stage, "c", small(35.0, start=10, minutes=60)).id)
    assert must_keep_out(stage, file(stage, "c", small(35.0, start=110, minutes=60)).id)


def test_two_stops_that_are_told_alike_are_one_area() -> None:
    stage = at_line()
    stop(stage, "b")
    stop(stage, "b", radius="4900 m")
    old = file(stage, "c", small(35.0))

    [told] = told_to_keep_out(stage, "c")
    assert told.id == old.id
    assert len(told.areas) == 1


def test_it_stands_after_a_restore_as_it_stood() -> None:
    stage = at_line()
    made = stop(stage, "b", "c")
    old = file(stage, "c", small(35.0, minutes=200))

    assert restore(stage, stage.lines)
    assert must_keep_out(stage, old.id)
    for minutes in (60, 70):
        wait(stage, minutes * MINUTE_US)
    assert at_stop(stage, made).state is State.UNCONFIRMED


def test_an_exchange_that_begins_again_holds_it_and_asks_for_its_renewal() -> None:
    stage = at_line()
    made = stop(stage)
    stage.begin_again()
    wait(stage, HOUR_US)

    assert at_stop(stage, made).state is State.ASKED
