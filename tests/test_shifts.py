# SPDX-License-Identifier: Apache-2.0
"""Shifts: who may open and close one, what it cannot close over, and that it blocks nothing."""

import pytest
from msgspec.structs import replace

from keepclear.agreement.clauses import Precedence
from keepclear.agreement.emergencies import Phase
from keepclear.detect.compiled import plain
from keepclear.errors import CallerError
from keepclear.exchange import shifts
from keepclear.exchange.audit import audit
from keepclear.exchange.shifts import SHOWN
from keepclear.line.ladder import Step
from keepclear.line.messages import Word
from keepclear.line.shifts import OpenShift
from keepclear.plans.stops import SendStop
from keepclear.plays.stage import Stage
from keepclear.record.headers import Status
from tests.message_plays import SECOND_US, URGENT_US, answer, distress, send, take, wait
from tests.own_copies import check_own_copy
from tests.restored_stages import restore
from tests.sar_plays import close, cry, to_phase
from tests.shift_plays import (
    NIGHT,
    appoint,
    at_watch,
    closed,
    latest,
    log,
    opened,
    second_key,
    signed,
    taken_over,
    without,
)
from tests.stop_plays import bytes_of, calling, end, message_of, stop
from tests.test_stops_in_pictures import page_of

TO_ACKNOWLEDGED = (Step.DELIVERED, Step.DISPLAYED, Step.ACKNOWLEDGED)


@pytest.fixture
def stage() -> Stage:
    return at_watch()


def refused_to_close(stage: Stage, own: str, key: str = "watch", to: str | None = None) -> str:
    """Return why a shift cannot be closed; it stays open."""
    with pytest.raises(CallerError) as refusal:
        closed(stage, own, key, to)
    assert stage.exchange.world.shifts[own].is_open
    return str(refusal.value)


def test_a_shift_closes_where_nothing_remains(stage: Stage) -> None:
    own = opened(stage)
    stage.clock.move_to(stage.clock.now_us() + SECOND_US)

    made = closed(stage, own)

    assert made.closed is not None
    assert (made.person, made.closed.person, made.closed.to, made.closed.left) == (
        "day", "day", None, ()
    )  # fmt: skip
    assert made.closed.at_us == made.opened_us + SECOND_US
    assert made.closed.key == made.key


@pytest.mark.parametrize(
    ("precedence", "says"),
    [
        (Precedence.URGENT, "is not acknowledged"), (Precedence.PRIORITY, ""),
        (Precedence.ROUTINE, ""), (Precedence.CHECK, ""),
    ],
)  # fmt: skip
def test_what_is_below_urgent_does_not_keep_a_shift_open(
    stage: Stage, precedence: Precedence, says: str
) -> None:
    own, _ = opened(stage), send(stage, precedence=precedence)

    if says:
        assert says in refused_to_close(stage, own)
    else:
        assert not closed(stage, own).is_open


def test_a_refusal_names_each_thing_with_its_age_and_the_ways_out(stage: Stage) -> None:
    own, urgent = opened(stage), send(stage)
    wait(stage, 125 * SECOND_US)
    mayday, called = distress(stage), stop(stage)
    mine = stop(stage, "a", party="b")

    said = refused_to_close(stage, own)

    heard = message_of(stage, called).id
    assert said.splitlines() == [
        f"shift {own[:8]} of day at watch: cannot close over what nobody has taken over:",
        (
            f"  URGENT (PAN PAN) message {urgent[:8]} from a is not acknowledged, 2 min old: "
            f"keepclear line ack {urgent[:8]}"
        ),
        (
            f"  DISTRESS (MAYDAY) message {mayday[:8]} from a is not acknowledged, 0 s old: "
            f"keepclear line ack {mayday[:8]}"
        ),
        (
            f"  STOP message {heard[:8]} from a is not acknowledged, 0 s old: "
            f"keepclear line ack {heard[:8]}"
        ),
        (
            f"  STOP {mine.id[:8]} of b stands, to be renewed, 0 s old: keepclear line stop-end "
            f"{mine.id[:8]} once nobody is there"
        ),
        "Or let the next on watch take it over, signed with a key of their own, and close again:",
        (
            "  keepclear line shift open --person ROLE --take-over, or keepclear line shift take "
            "where theirs is open"
        ),
    ]


def test_a_sar_case_keeps_a_shift_open_by_its_own_name_and_a_message_that_is_followed_does_not(
    stage: Stage,
) -> None:
    own, theirs, mine = opened(stage), cry(stage), cry(stage, "a", party="b")
    before = message_of(stage, theirs).id
    to_phase(stage, theirs, Phase.ALERFA)
    after = message_of(stage, stage.exchange.world.stops[theirs.id]).id

    said = refused_to_close(stage, own)

    assert before[:8] not in said
    assert f"URGENT (PAN PAN) message {after[:8]} from a is not acknowledged" in said
    assert f"SAR case {mine.id[:8]} of b stands" in said
    assert f"keepclear line sar close {mine.id[:8]} once nobody is there" in said
    take(stage, after, *TO_ACKNOWLEDGED)
    assert f"message {after[:8]} from a: the SAR case stands" in refused_to_close(stage, own)
    close(stage, theirs)
    close(stage, mine)
    assert not closed(stage, own).is_open


def test_of_very_many_some_are_named_and_how_many_more_there_are(stage: Stage) -> None:
    own = opened(stage)
    for _ in range(SHOWN + 2):
        send(stage)

    said = refused_to_close(stage, own).splitlines()

    assert sum("is not acknowledged" in each for each in said) == SHOWN
    assert "  and 2 more: keepclear line shift show" in said


def test_what_is_acknowledged_or_has_ended_keeps_no_shift_open(stage: Stage) -> None:
    own, urgent, called = opened(stage), send(stage), stop(stage)
    take(stage, urgent, *TO_ACKNOWLEDGED)
    take(stage, message_of(stage, called).id, *TO_ACKNOWLEDGED)
    assert "the STOP stands" in refused_to_close(stage, own)

    end(stage, called)

    assert not closed(stage, own).is_open


def test_the_next_watch_takes_over_what_remains_and_the_shift_can_close(stage: Stage) -> None:
    own, urgent = opened(stage), send(stage)
    other = opened(stage, "night-lead", NIGHT, takes=(urgent,))
    late = send(stage)  # came after it had taken over

    assert late[:8] in refused_to_close(stage, own, to="night-lead")
    taken_over(stage, late)
    made = closed(stage, own, to="night-lead")

    assert made.closed is not None
    assert made.closed.to == other
    assert [(each.id, each.taken_by) for each in made.closed.left] == [
        (urgent, other), (late, other)
    ]  # fmt: skip
    assert set(stage.exchange.world.shifts[other].took) == {urgent, late}
    assert "message" in refused_to_close(stage, other, NIGHT)  # it is night's now


def test_a_claim_about_another_is_worth_nothing(stage: Stage) -> None:
    own, urgent = opened(stage), send(stage)
    with pytest.raises(CallerError, match=f"shift {own[:8]}: is open at watch with this key"):
        opened(stage, "night-lead", "watch", takes=(urgent,))
    assert "has no shift at watch with a key of his own" in refused_to_close(
        stage, own, to="night-lead"
    )
    opened(stage, "night-lead", NIGHT)  # is there, and has taken nothing over

    said = refused_to_close(stage, own, to="night-lead")

    assert "cannot close over what night-lead has not taken over:" in said
    assert "has no shift" in refused_to_close(stage, own, to="day")  # not to himself


def test_what_one_has_taken_over_oneself_is_not_handed_over(stage: Stage) -> None:
    urgent = send(stage)
    own = opened(stage, takes=(urgent,))

    assert urgent[:8] in refused_to_close(stage, own)


def test_who_has_a_shift_at_the_post_can_close_that_of_a_lost_key_over_what_was_taken(
    stage: Stage,
) -> None:
    own, urgent = opened(stage), send(stage)
    with pytest.raises(CallerError, match="no shift is open here with this key"):
        closed(stage, own, NIGHT)
    opened(stage, "night-lead", NIGHT)
    assert urgent[:8] in refused_to_close(stage, own, NIGHT)
    taken_over(stage, urgent)

    made = closed(stage, own, NIGHT)

    assert made.closed is not None
    assert (made.closed.person, made.closed.key != made.key) == ("night-lead", True)


def test_what_was_taken_over_with_a_key_that_was_lost_since_is_with_nobody(stage: Stage) -> None:
    own, urgent = opened(stage), send(stage)
    gone = opened(stage, "night-lead", NIGHT, takes=(urgent,))
    without(stage, "b", NIGHT)

    assert urgent[:8] in refused_to_close(stage, own)
    assert "has no shift at watch" in refused_to_close(stage, own, to="night-lead")
    second_key(stage, "b", "third")
    opened(stage, "third-lead", "third", takes=(urgent,))
    closed(stage, gone, "third")

    assert not closed(stage, own, to="third-lead").is_open
    stage.exchange.beat()
    assert audit(stage.lines, plain()).differences == ()


def test_a_representative_whose_mandate_covers_it_can_take_a_watch_over(stage: Stage) -> None:
    own, urgent, document = opened(stage), send(stage), latest(stage, "b")
    routine = document.devices[0].mandates
    people = tuple(
        replace(each, mandates=(*each.mandates, *routine)) for each in document.representatives
    )
    appoint(stage, "b", document.devices, people)

    opened(stage, "representative", "rep-1", takes=(urgent,))

    assert not closed(stage, own, to="representative").is_open


def test_a_shift_is_of_its_post_and_party_alone(stage: Stage) -> None:
    own = opened(stage)
    opened(stage, "night-lead", NIGHT)
    said = []
    for party, post, key in (("b", "duty-officer", "duty-officer"), ("a", "watch", "watch")):
        with pytest.raises(CallerError) as refusal:
            closed(stage, own, key, party=party, post=post)
        said.append(str(refusal.value).replace(own, "ID"))
    assert said == [
        "shift 'ID': is none of duty-officer of b; see keepclear line shift show",
        "shift 'ID': is none of watch of a; see keepclear line shift show",
    ]


def test_a_message_that_is_not_with_the_post_is_nothing_of_its_shift(stage: Stage) -> None:
    urgent = send(stage)
    with pytest.raises(CallerError, match="is nothing that remains at watch"):
        opened(stage, takes=("0" * 32,))
    with pytest.raises(CallerError, match="is nothing that remains at duty-officer"):
        opened(stage, "officer", "duty-officer", post="duty-officer", takes=(urgent,))
    own = opened(stage, "officer", "duty-officer", post="duty-officer")
    assert not closed(stage, own, "duty-officer", post="duty-officer").is_open
    own = opened(stage, "officer", "duty-officer", post="duty-officer")

    wait(stage, URGENT_US)  # it goes on to the duty officer

    with pytest.raises(CallerError, match=urgent[:8]):
        closed(stage, own, "duty-officer", post="duty-officer")


def test_two_keys_do_not_sign_one_shift_and_one_role_is_not_two_persons(stage: Stage) -> None:
    opened(stage)
    with pytest.raises(CallerError, match="is signed with 2 keys"):
        stage.submit("b", "line.shift-open/1", OpenShift(person="x"), ("watch", NIGHT))
    with pytest.raises(CallerError, match="person 'day': has the watch at watch already"):
        opened(stage, "day", NIGHT)


def test_what_remains_is_of_the_post_and_status_of_the_shift(stage: Stage) -> None:
    own, officer = opened(stage), opened(stage, key="duty-officer", post="duty-officer")
    made = SendStop(to=("a",), datum="WGS84", text="x", language="en", volume=calling().volume)
    stage.submit("b", "line.stop/1", made, ("duty-officer",), post="duty-officer")
    stage._status = Status.TEST
    send(stage)
    stage._status = Status.EXERCISE

    assert not closed(stage, own).is_open  # neither of another status, nor sent by another post
    with pytest.raises(CallerError, match="of b stands, to be renewed"):
        closed(stage, officer, "duty-officer", post="duty-officer")


def test_a_shift_is_closed_once_and_so_many_are_open_at_a_time(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = opened(stage)
    monkeypatch.setattr(shifts, "MOST", 1)
    with pytest.raises(CallerError, match="1 shifts are open at watch: 1 is the most; close one"):
        opened(stage, "night-lead", NIGHT)
    closed(stage, own)

    with pytest.raises(CallerError, match=r"was closed at 2015-09-30T08:00:00Z, by day"):
        closed(stage, own)
    assert opened(stage, "night-lead", NIGHT)


def test_a_last_picture_has_the_open_shifts_of_its_party_and_the_calls_that_wait(
    stage: Stage,
) -> None:
    own, call = opened(stage), log(stage)
    for _ in range(2):  # and over a backup
        stage.exchange.beat()
        page = page_of(stage, "b")
        assert f"shift {own[:8]} of day at watch is open since" in page
        assert f"keepclear line call sign {call[:8]}" in page
        other = page_of(stage, "a")
        assert own[:8] not in other
        assert f"CALL {call[:8]} of a with b: not signed or annotated by b" in other
        restore(stage, stage.lines)

    closed(stage, own)
    signed(stage, call)
    stage.exchange.beat()

    for party in "ab":
        assert "The watch" not in page_of(stage, party)


def test_nothing_about_shifts_stands_in_the_way_of_a_message(stage: Stage) -> None:
    urgent = send(stage)  # no shift was ever opened
    take(stage, urgent, *TO_ACKNOWLEDGED)
    assert answer(stage, urgent, Word.WILCO).answers
    own = opened(stage, "night-lead", NIGHT)  # another key's is open, and this one has none
    called, mayday = stop(stage), distress(stage)
    take(stage, message_of(stage, called).id, *TO_ACKNOWLEDGED)
    take(stage, mayday, *TO_ACKNOWLEDGED)
    end(stage, called)
    closed(stage, own, NIGHT)

    assert send(stage, "b", to="a")
    assert distress(stage, "b", "a")


def test_other_parties_learn_nothing_of_a_shift(stage: Stage) -> None:
    plain = at_watch()
    for each in (stage, plain):
        send(each)
    own = opened(stage)
    opened(stage, "night-lead", NIGHT, takes=tuple(stage.exchange.world.messages))
    closed(stage, own)

    for party in ("a", "c"):
        assert bytes_of(stage, party) == bytes_of(plain, party)
        assert stage.exchange.reads.shifts(party).value == ()
    assert len(stage.exchange.reads.shifts("b").value) == 2
    check_own_copy(stage, "b")


def test_a_shift_goes_on_when_the_exchange_begins_again(stage: Stage) -> None:
    own, urgent = opened(stage), send(stage)
    before = stage.exchange.world.hash

    stage.begin_again()

    assert stage.exchange.world.hash == before
    assert urgent[:8] in refused_to_close(stage, own)
