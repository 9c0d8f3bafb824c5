# SPDX-License-Identifier: Apache-2.0
"""SAR cases: who is told what, what must keep out, another place and phase, renewing, closing."""

from typing import Any

import pytest
from msgspec.structs import replace

from keepclear.agreement.clauses import Precedence
from keepclear.agreement.emergencies import InDanger, Phase
from keepclear.airspace.positions import positions
from keepclear.detect.compiled import plain
from keepclear.exchange.audit import audit
from keepclear.exchange.deciding import Deciding
from keepclear.exchange.events import LateActDecided, StandingCarried, StopChanged
from keepclear.exchange.keep_outs import area_of, areas_known
from keepclear.line.ladder import Step
from keepclear.line.stops import Sar, Stands
from keepclear.line.values import value_text
from keepclear.plans.filing import FiledPolygon
from keepclear.plans.operations import State as OperationState
from keepclear.plans.sar import Case, ChangePhase, CloseSar, Known, RenewSar
from keepclear.plans.stops import EndStop, State, Stop
from keepclear.plays.stage import Stage
from keepclear.record.headers import Status
from keepclear.record.views import view_of
from keepclear.reports.line_desk_text import (
    beside_lines,
    due_text,
    is_overdue,
    is_taken,
)
from keepclear.reports.message_text import ladder_text
from keepclear.reports.sar_text import cases_text
from tests.incident_plays import MINUTE_US, acts_seen, events_seen, file, leaves_seen, refusal
from tests.message_plays import SECOND_US, WITHIN_S, at, at_line, take, wait
from tests.record_plays import START_US
from tests.restored_stages import lost, restore
from tests.sar_plays import AT, CRY, close, cry, drift, go_on, opening, to_phase, where
from tests.shift_plays import appoint
from tests.stop_plays import (
    at_stop,
    bytes_of,
    message_of,
    must_keep_out,
    small,
    told_to_keep_out,
)
from tests.test_after_action_cases import words_of

HOUR_US = 60 * MINUTE_US


def differences(stage: Stage) -> list[str]:
    """Return what the audit finds of the record."""
    stage.exchange.beat()
    return [f"{each.about}: {each.what}" for each in audit(stage.lines, plain()).differences]


def state_of(stage: Stage, operation: str) -> OperationState:
    return stage.exchange.world.operations[operation].state


# --- opened ---------------------------------------------------------------------------------


def test_a_party_that_is_named_is_told_phase_what_the_place_and_where_to_keep_out() -> None:
    stage = at_line()

    made = cry(stage, "b", "c")

    told = message_of(stage, made)
    assert (told.precedence, told.sender, told.text) == (Precedence.DISTRESS, "a", CRY)
    assert told.within_us == WITHIN_S[Precedence.DISTRESS] * SECOND_US
    assert [value_text(each) for each in told.values] == ["35.00000N 035.50000E"]
    assert told.stop is not None
    assert told.stop.sar == Sar(phase=Phase.DETRESFA, what=InDanger.PERSONS, within_m=5_000)
    assert (told.stop.area, told.stop.stands) == (area_of(made), Stands.IN_FORCE)
    assert message_of(stage, made, "c").text == CRY


def test_operations_of_all_others_keep_out_and_are_told_no_sender_and_no_reason() -> None:
    stage = at_line()
    early = file(stage, "c", small(35.0))
    made = cry(stage)
    late = file(stage, "c", small(35.0))
    own = file(stage, "a", small(35.0))

    told = told_to_keep_out(stage, "c")
    assert [(each.id, each.areas) for each in told] == [
        (early.id, (area_of(made),)), (late.id, (area_of(made),))
    ]  # fmt: skip
    assert state_of(stage, late.id) is OperationState.FILED
    assert not must_keep_out(stage, own.id)
    seen = bytes_of(stage, "c")
    assert made.id.encode() not in seen
    assert CRY.encode() not in seen
    assert b"DETRESFA" not in seen
    assert told_to_keep_out(stage, "a") == []


def test_a_third_party_cannot_tell_a_case_from_a_stop_of_the_same_volume() -> None:
    # the same volume, by the act of either; what is told differs in nothing
    def told(*, is_case: bool) -> list[object]:
        stage = at_line()
        file(stage, "c", small(35.0))
        made = cry(stage)
        if not is_case:
            world = stage.exchange.world
            world.stops[made.id] = replace(made, sar=None)
        file(stage, "c", small(35.01))
        return [each.areas for each in told_to_keep_out(stage, "c")]

    assert told(is_case=True) == told(is_case=False)


def test_the_act_and_the_case_stand_in_the_tree_of_its_sender_alone() -> None:
    stage = at_line()
    made = cry(stage, "b", "c")
    drift(stage, made, 35.2)
    to_phase(stage, made, Phase.ALERFA)
    go_on(stage, made)
    close(stage, made)

    for party in "bc":
        assert made.id.encode() not in bytes_of(stage, party)
        assert not [each for each in acts_seen(stage, party) if b'"sar.' in bytes(each.payload)]
        assert events_seen(stage, party, StopChanged) == []
    assert len(events_seen(stage, "a", StopChanged)) == 5


def test_who_is_named_does_not_learn_who_else_is_or_how_large_the_volume_was() -> None:
    def read(*to: str, radius: str = "5 km") -> tuple[list[object], int]:
        stage = at_line()
        nothing = Known(frequency="121.5 MHz")  # what is told of a position is told with how far
        made = cry(stage, *to, where=where(radius=radius), known=nothing)
        drift(stage, made, 35.001, where=where(35.001, radius=radius), known=nothing)
        messages = [each for each in stage.exchange.world.messages.values() if each.receiver == "b"]
        bare = [replace(each, id="", act="", reply_to=None) for each in messages]
        return list(bare), len(leaves_seen(stage, "b"))

    assert read("b") == read("b", "c") == read("b", radius="5100 m")


def test_before_distress_it_is_urgent() -> None:
    # ICAO Annex 10 Volume II, 5.3.1.1: urgency is without grave and imminent danger
    stage = at_line()
    for phase in (Phase.INCERFA, Phase.ALERFA):
        told = message_of(stage, cry(stage, phase=phase))
        assert told.precedence is Precedence.URGENT
        assert told.within_us == WITHIN_S[Precedence.URGENT] * SECOND_US


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({"where": where(lasts="7 h")}, "is not above 0 s and up to 6 h"),
        ({"where": where(lasts="0 s")}, "is not above 0 s and up to 6 h"),
        ({"where": where(35.1)}, "from the centre of the circle to keep out of"),
        ({"known": Known(position="here")}, "position 'here'"),
        ({"known": Known(frequency="5")}, "is no frequency with its unit"),
        (
            {
                "where": replace(
                    where(),
                    shape=FiledPolygon(ring=positions([(1.0, 1.0), (1.0, 2.0), (2.0, 2.0)])),
                )
            },
            "is no circle round it",
        ),
        ({"where": where(radius="wide")}, "'wide'"),
    ],
)
def test_what_cannot_be_told_is_refused_with_the_value_and_the_way_out(
    more: dict[str, Any], says: str
) -> None:
    assert says in refusal(at_line(), "a", "sar.open/1", opening(**more))


def test_a_position_that_is_known_less_well_is_the_centre_of_its_circle_all_the_same() -> None:
    stage = at_line()

    made = cry(stage, known=Known(position="35.00N 035.50E"), where=where(35.002))

    assert made.sar is not None
    assert made.sar.known.position == "35.00N 035.50E"


def test_it_is_told_to_no_party_that_is_not_there_or_its_own() -> None:
    for to in ("a", "nobody"):
        assert "is no other party" in refusal(at_line(), "a", "sar.open/1", opening("b", to))


# --- another place, another phase --------------------------------------------------------------


def test_a_party_that_nobody_can_be_told_at_is_named_with_the_way_out() -> None:
    stage = at_line()
    appoint(stage, "c", ())

    said = refusal(stage, "a", "sar.open/1", opening("b", "c"))

    assert "to 'c': has no post with a key, so nobody there can be told; name the others" in said


def test_another_place_is_a_new_message_and_nothing_more_is_due_of_the_one_before() -> None:
    stage = at_line()
    made = cry(stage)
    before = message_of(stage, made)
    drift(stage, made, 35.2)

    after = message_of(stage, at_stop(stage, made))
    old = at(stage, before.id)
    assert after.reply_to == before.id
    assert [value_text(each) for each in after.values] == ["35.20000N 035.50000E"]
    assert after.stop is not None
    assert after.stop.area == area_of(at_stop(stage, made)) != area_of(made)
    assert old.stop is not None
    assert old.stop.stands is Stands.FOLLOWED
    assert not old.is_open
    assert areas_known(stage.exchange.world, "b", Status.EXERCISE) == (after.stop.area,)
    wait(stage, HOUR_US)
    assert at(stage, before.id).overdue == ()
    assert at(stage, after.id).overdue != ()


def test_what_must_keep_out_follows_them_and_what_is_no_longer_near_is_accepted() -> None:
    stage = at_line()
    made = cry(stage)
    near_old, near_new = (file(stage, "c", small(each)).id for each in (35.0, 35.4))
    assert must_keep_out(stage, near_old)
    drift(stage, made, 35.4)

    assert not must_keep_out(stage, near_old)
    assert state_of(stage, near_old) is OperationState.ACCEPTED
    assert must_keep_out(stage, near_new)


def test_each_phase_up_or_down_is_told_by_a_message_with_its_own_deadline() -> None:
    stage = at_line()
    made = cry(stage, "b", "c", phase=Phase.ALERFA)
    for phase, precedence in (
        (Phase.DETRESFA, Precedence.DISTRESS), (Phase.INCERFA, Precedence.URGENT),
    ):  # fmt: skip
        to_phase(stage, made, phase)
        for party in "bc":
            told = message_of(stage, at_stop(stage, made), party)
            assert told.stop is not None
            assert told.stop.sar == Sar(phase=phase, what=InDanger.PERSONS, within_m=5_000)
            assert (told.precedence, told.text) == (precedence, "Heard by radio.")
            assert [each.typed for each in told.values] == [AT]  # where they are stays told
    said = refusal(stage, "a", "sar.phase/1", phase_again(made))
    assert "is in phase INCERFA already" in said


def phase_again(made: Stop) -> ChangePhase:
    """Return that a case is in INCERFA."""
    return ChangePhase(id=made.id, phase=Phase.INCERFA, text="x", language="en")


def test_an_update_confirms_it_and_it_lasts_from_then_on() -> None:
    stage = at_line()
    made = cry(stage)
    wait(stage, HOUR_US)
    assert at_stop(stage, made).state is State.ASKED
    drift(stage, made, 35.1)

    now = at_stop(stage, made)
    assert now.state is State.ACTIVE
    assert now.next_us == START_US + 2 * HOUR_US
    assert now.volume.end_us == START_US + 6 * HOUR_US


def test_a_party_that_has_no_key_any_more_keeps_no_case_from_being_moved() -> None:
    stage = at_line()
    made = cry(stage, "b", "c")
    before = message_of(stage, made, "c")
    appoint(stage, "c", ())

    drift(stage, made, 35.2)
    to_phase(stage, made, Phase.ALERFA)

    assert message_of(stage, at_stop(stage, made), "c").post == before.post
    assert differences(stage) == []


# --- renewed, ended ------------------------------------------------------------------------


def test_it_is_asked_for_every_hour_unconfirmed_after_ten_minutes_and_protects() -> None:
    stage = at_line()
    made = cry(stage)
    for minutes, state in ((60, State.ASKED), (70, State.UNCONFIRMED)):
        wait(stage, minutes * MINUTE_US)
        assert at_stop(stage, made).state is state
    told = message_of(stage, made).stop
    assert told is not None
    assert told.stands is Stands.UNCONFIRMED
    assert must_keep_out(stage, file(stage, "c", small(35.0, start=90)).id)

    go_on(stage, made)

    told = message_of(stage, made).stop
    assert told is not None
    assert told.stands is Stands.IN_FORCE


def test_a_case_that_is_renewed_in_time_never_ends_by_itself() -> None:
    stage = at_line()
    made = cry(stage)
    for hour in range(1, 15):
        wait(stage, hour * HOUR_US)
        go_on(stage, made)

    assert at_stop(stage, made).is_protecting
    assert must_keep_out(stage, file(stage, "c", small(35.0, start=19 * 60)).id)
    told = message_of(stage, made).stop
    assert told is not None
    assert told.area.to_us >= START_US + 20 * HOUR_US


def test_what_meets_it_in_the_time_that_a_renewal_adds_is_told_to_keep_out_then() -> None:
    stage = at_line()
    made = cry(stage)  # for 5 hours
    later = file(stage, "c", small(35.0, start=7 * 60))
    assert not must_keep_out(stage, later.id)

    wait(stage, 4 * HOUR_US)
    go_on(stage, made)

    assert must_keep_out(stage, later.id)
    assert differences(stage) == []


def test_renewing_it_for_less_never_lets_it_end_sooner() -> None:
    stage = at_line()
    made = cry(stage)

    go_on(stage, made, "10 min")

    assert at_stop(stage, made).volume.end_us == made.volume.end_us


def test_it_ends_at_its_time_where_nobody_renews_it_and_when_it_is_closed() -> None:
    for ends in ("by time", "closed"):
        stage = at_line()
        made = cry(stage, where=where(lasts="50 min"))
        old = file(stage, "c", small(35.0, start=40, minutes=60)).id
        if ends == "closed":
            close(stage, made)
        wait(stage, 50 * MINUTE_US)

        assert at_stop(stage, made).state is State.ENDED
        told = message_of(stage, made).stop
        assert told is not None
        assert told.stands is Stands.ENDED
        assert state_of(stage, old) is OperationState.ACCEPTED


def test_nobody_else_acts_on_it_and_a_stop_is_no_case() -> None:
    stage = at_line()
    made = cry(stage)

    said = refusal(stage, "b", "sar.close/1", CloseSar(id=made.id))
    assert said == refusal(stage, "b", "sar.close/1", CloseSar(id="0" * 32)).replace(
        "0" * 32, made.id
    )
    assert "is no STOP of a" in refusal(stage, "a", "line.stop-end/1", EndStop(id=made.id))
    close(stage, made)
    said = refusal(stage, "a", "sar.renew/1", RenewSar(id=made.id, lasts="1 h"))
    assert f"SAR case {made.id[:8]}: has ended" in said


# --- recorded ------------------------------------------------------------------------------


def played() -> Stage:
    """Return a stage on which a case is opened, moved, renewed, left, and closed."""
    stage = at_line()
    file(stage, "c", small(35.0, minutes=200))
    made = cry(stage, "b", "c", phase=Phase.ALERFA)
    file(stage, "b", small(35.4, minutes=200))
    take(stage, message_of(stage, made).id, Step.DELIVERED, Step.DISPLAYED)
    drift(stage, made, 35.4)
    to_phase(stage, made, Phase.DETRESFA)
    wait(stage, 75 * MINUTE_US)
    go_on(stage, made)
    close(stage, made)
    cry(stage, where=where(lasts="2 h"))
    wait(stage, 300 * MINUTE_US)
    return stage


def test_an_honest_record_with_cases_is_decided_again_the_same() -> None:
    assert differences(played()) == []


@pytest.mark.parametrize("field", ["volume", "messages", "sar", "next_us", "takes_km2h"])
def test_a_case_that_is_not_as_its_acts_made_it_is_found(
    field: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    emit = Deciding.emit

    def otherwise(self: Deciding, parties: object, event: object) -> None:
        if isinstance(event, StopChanged):
            old = event.stop
            assert isinstance(old.sar, Case)
            value = {
                "volume": replace(old.volume, end_us=old.volume.end_us - 1),
                "messages": old.messages[::-1], "next_us": 1 + (old.next_us or 0),
                "sar": replace(old.sar, what=InDanger.VESSEL), "takes_km2h": old.takes_km2h + 1,
            }[field]  # fmt: skip
            event = StopChanged(stop=replace(old, **{field: value}))
        emit(self, parties, event)  # type: ignore[arg-type]

    stage = at_line()
    made = cry(stage, "b", "c")
    with monkeypatch.context() as patch:
        patch.setattr(Deciding, "emit", otherwise)
        stage.submit("a", "sar.renew/1", RenewSar(id=made.id, lasts="6 h"))

    assert any(each.startswith("stop ") for each in differences(stage))


def test_it_stands_after_a_restore_and_after_the_exchange_begins_again() -> None:
    stage = at_line()
    made = cry(stage, "b", "c")
    old = file(stage, "c", small(35.0, minutes=200)).id
    stage.begin_again()
    assert restore(stage, stage.lines)

    assert must_keep_out(stage, old)
    carried = {
        party: {each.key for each in events_seen(stage, party, StandingCarried)
                if each.table == "stops"}
        for party in "abc"
    }  # fmt: skip
    assert carried == {"a": {made.id}, "b": set(), "c": set()}
    drift(stage, made, 35.1)
    close(stage, made)
    assert differences(stage) == []


def test_what_a_backup_had_not_is_handed_in_and_has_the_ids_that_it_had() -> None:
    stage = at_line()
    old = file(stage, "c", small(35.1)).id
    stage.exchange.beat()
    backup = stage.lines
    made = cry(stage, "b", "c")
    drift(stage, made, 35.1)
    held = at_stop(stage, made)
    stage.exchange.beat()
    whole = stage.lines
    wait(stage, MINUTE_US)
    assert restore(stage, backup)

    for each in lost(stage, "a", whole):
        stage.exchange.hand_in(each.receipts, "a")

    [again] = stage.exchange.world.stops.values()
    assert (again.id, again.messages, again.sent_us) == (held.id, held.messages, held.sent_us)
    assert again.volume.volume == held.volume.volume
    assert must_keep_out(stage, old)
    assert differences(stage) == []


def test_a_late_act_takes_no_case_back_to_where_it_was_before_what_was_said_since() -> None:
    for late in ("sar.update/1", "sar.phase/1", "graver", "sar.close/1"):
        stage = at_line()
        made = cry(stage, phase=Phase.ALERFA)
        stage.exchange.beat()
        backup = stage.lines
        wait(stage, MINUTE_US)
        match late:
            case "graver":
                to_phase(stage, made, Phase.DETRESFA)
            case "sar.update/1":
                drift(stage, made, 35.2)
            case "sar.phase/1":
                to_phase(stage, made, Phase.INCERFA)
            case _:
                close(stage, made)
        stage.exchange.beat()
        whole = stage.lines
        assert restore(stage, backup)
        wait(stage, 2 * MINUTE_US)
        drift(stage, made, 35.6)  # at another post, before this one hands in what it did
        [each] = lost(stage, "a", whole)
        stands = at_stop(stage, made)

        stage.exchange.hand_in(each.receipts, "a")

        assert differences(stage) == []
        assert at_stop(stage, made).volume == stands.volume
        if late == "graver":
            assert message_of(stage, at_stop(stage, made)).precedence is Precedence.DISTRESS
            continue
        assert at_stop(stage, made) == stands
        [said] = events_seen(stage, "a", LateActDecided)
        assert "more was said at 2015-09-30T08:02:00Z; say it again" in said.refused


# --- read ----------------------------------------------------------------------------------


def test_a_report_tells_the_operator_all_in_words_and_a_third_party_nothing_of_the_case() -> None:
    stage = at_line()
    file(stage, "c", small(35.0, minutes=200))
    made = cry(stage, "b")
    drift(stage, made, 35.1)
    to_phase(stage, made, Phase.ALERFA)
    go_on(stage, made)
    close(stage, made)
    stage.exchange.beat()

    page, of_c = words_of(stage.lines), words_of(view_of(stage.lines, "c"))
    for said in (
        "opens a SAR case, told to b", "says where they are now, SAR case", "to ALERFA",
        "renews SAR case", "closes SAR case", f"SAR case {made.id[:8]} (ALERFA, persons)",
    ):  # fmt: skip
        assert said in page, said
    assert "see keepclear record show" not in page
    assert "must keep out of" in of_c
    for said in ("SAR", "DETRESFA", "ALERFA", CRY, "35.00000N"):
        assert said not in of_c


def test_a_desk_shows_the_case_where_to_keep_out_and_what_a_later_message_replaces() -> None:
    stage = at_line()
    made = cry(stage)
    told = message_of(stage, made)

    rows = [" ".join(each.split()) for each in beside_lines(told, {}, START_US, 80)]
    assert "SAR DETRESFA (distress), persons in danger; in force" in rows
    assert "within 5,000 m (2.7 NM) of the position" in rows
    assert any(each.startswith("keep out of") for each in rows)
    drift(stage, made, 35.2)
    before = at(stage, told.id)
    assert is_taken(before)  # so that no alarm for where they were fills the screen
    assert due_text(before, START_US) == "a later message says how it stands"
    rows = [" ".join(each.split()) for each in beside_lines(before, {}, START_US, 80)]
    assert not any(each.startswith("keep out of") for each in rows)
    assert "acknowledged not taken; a later message asks for it" in rows


def test_what_was_overdue_is_so_no_more_once_a_later_message_says_it_anew() -> None:
    stage = at_line()
    made = cry(stage)
    told = message_of(stage, made)
    wait(stage, 2 * MINUTE_US)
    now_us = stage.clock.now_us()
    assert is_overdue(at(stage, told.id))
    drift(stage, made, 35.2)

    before = at(stage, told.id)
    assert before.overdue  # it stays said
    assert not is_overdue(before)
    said = ladder_text(before, now_us)
    assert "OVERDUE since" not in said
    assert "due 0" not in said


def test_a_case_of_which_messages_were_left_out_is_shown_all_the_same() -> None:
    stage = at_line()
    made = cry(stage)

    said = cases_text([replace(made, messages=())], {}, [], stage.clock.now_us())

    assert said[0].startswith(f"SAR case {made.id[:8]}")
