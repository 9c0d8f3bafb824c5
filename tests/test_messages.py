# SPDX-License-Identifier: Apache-2.0
"""Messages: each rule of `line.messages` and `exchange.messages` in one test."""

from typing import Any, Final

import msgspec
import pytest

from keepclear.agreement.clauses import Channels, Deadline, Deadlines, Precedence
from keepclear.agreement.documents import Agreement, hash_of
from keepclear.agreement.statements import Said, state
from keepclear.detect.compiled import plain
from keepclear.exchange.agreements import StateSuspension
from keepclear.exchange.audit import audit
from keepclear.exchange.events import MessageChanged, MessageOverdue
from keepclear.exchange.folding import fold
from keepclear.exchange.operations import Refused
from keepclear.line.acts import AnswerMessage, SendDistress
from keepclear.line.ladder import Step
from keepclear.line.messages import FLIGHT_SAFETY, POLITICAL, Word
from keepclear.plays.stage import POSTS, YEAR_US, Stage
from keepclear.record.faults import NotProven, RecordError
from keepclear.record.headers import Status, read_act
from keepclear.record.verification import verify
from tests.agreement_plays import clause
from tests.incident_plays import acts_seen, events_seen, refusal, staged
from tests.message_plays import (
    CHAIN,
    SECOND_US,
    TAKEN_BY,
    URGENT_US,
    WITHIN_S,
    answer,
    at,
    at_line,
    distress,
    line_agreement,
    overdue,
    send,
    sending,
    step_of,
    take,
    wait,
)
from tests.record_plays import START_US

UP_TO_DISPLAYED: Final = (Step.DELIVERED, Step.DISPLAYED)
UP_TO_ACKNOWLEDGED: Final = (*UP_TO_DISPLAYED, Step.ACKNOWLEDGED)
ALL_THREE: Final = UP_TO_ACKNOWLEDGED
NOWHERE: Final = "0" * 32


# --- what is overdue, and when --------------------------------------------------------------


@pytest.mark.parametrize("precedence", [p for p in WITHIN_S if p is not Precedence.STOP])
def test_each_precedence_is_overdue_at_the_deadline_of_its_clause_and_not_a_microsecond_before(
    precedence: Precedence,
) -> None:
    stage = at_line()
    is_distress = precedence is Precedence.DISTRESS
    message = distress(stage) if is_distress else send(stage, precedence=precedence)
    within_us = WITHIN_S[precedence] * SECOND_US

    wait(stage, within_us - 1)
    assert overdue(at(stage, message)) == []
    wait(stage, within_us)
    assert overdue(at(stage, message)) == [
        (each, "watch", within_us, "duty-officer") for each in ALL_THREE
    ]


def test_each_step_that_is_not_there_is_an_alarm_of_its_own_and_both_sides_are_told() -> None:
    stage = at_line()
    send(stage)

    wait(stage, URGENT_US)

    for party, count in (("a", 3), ("b", 3), ("c", 0)):
        told = events_seen(stage, party, MessageOverdue)
        assert [each.overdue.step for each in told] == list(ALL_THREE[:count])


@pytest.mark.parametrize("taken", range(4))
def test_a_step_that_is_there_is_not_overdue(taken: int) -> None:
    stage = at_line()
    message = send(stage)
    take(stage, message, *ALL_THREE[:taken])

    wait(stage, URGENT_US - 1)
    assert overdue(at(stage, message)) == []
    wait(stage, URGENT_US)
    missing = ALL_THREE[taken:] or (Step.DISSEMINATED,)  # acknowledged at once: as long again
    assert [each for each, *_ in overdue(at(stage, message))] == list(missing)


def test_an_acknowledgement_at_the_very_deadline_is_too_late_and_one_before_it_is_not() -> None:
    for at_us, is_late in ((URGENT_US - 1, False), (URGENT_US, True)):
        stage = at_line()
        message = send(stage)
        take(stage, message, *UP_TO_DISPLAYED)
        stage.clock.move_to(START_US + at_us)

        made = take(stage, message, Step.ACKNOWLEDGED)

        assert [each for each, *_ in overdue(made)] == [Step.ACKNOWLEDGED] * is_late
        assert made.first(Step.ACKNOWLEDGED) is not None  # late, and taken all the same


def test_it_goes_on_post_by_post_to_the_end_of_the_chain_and_each_post_has_as_long() -> None:
    stage = at_line()
    message = send(stage)
    at_end = (*ALL_THREE, Step.DISSEMINATED)

    wait(stage, 100 * URGENT_US)

    assert overdue(at(stage, message)) == [
        *((each, CHAIN[0], URGENT_US, CHAIN[1]) for each in ALL_THREE),
        *((each, CHAIN[1], 2 * URGENT_US, CHAIN[2]) for each in at_end),
        *((each, CHAIN[2], 3 * URGENT_US, "") for each in at_end),
    ]
    assert (at(stage, message).posts, at(stage, message).next_us) == (CHAIN, None)


def test_what_is_acknowledged_in_time_is_to_be_disseminated_as_long_again_after_that() -> None:
    stage = at_line()
    message = send(stage)
    wait(stage, 100 * SECOND_US)
    take(stage, message, *UP_TO_ACKNOWLEDGED)
    due_us = 100 * SECOND_US + URGENT_US

    wait(stage, due_us - 1)
    assert overdue(at(stage, message)) == []
    wait(stage, due_us)
    assert overdue(at(stage, message)) == [(Step.DISSEMINATED, "watch", due_us, "duty-officer")]
    take(stage, message, Step.DISSEMINATED)
    wait(stage, 100 * URGENT_US)
    assert len(at(stage, message).overdue) == 1


def test_what_is_disseminated_in_time_is_never_overdue() -> None:
    stage = at_line()
    message = send(stage)
    take(stage, message, *UP_TO_ACKNOWLEDGED, Step.DISSEMINATED)

    wait(stage, 100 * URGENT_US)
    assert overdue(at(stage, message)) == []


def test_a_late_acknowledgement_leaves_dissemination_due_where_it_was() -> None:
    stage = at_line()
    message = send(stage)
    take(stage, message, *UP_TO_DISPLAYED)
    wait(stage, URGENT_US + 200 * SECOND_US)
    take(stage, message, Step.ACKNOWLEDGED)

    wait(stage, 2 * URGENT_US)

    assert overdue(at(stage, message)) == [
        (Step.ACKNOWLEDGED, "watch", URGENT_US, "duty-officer"),
        (Step.DISSEMINATED, "duty-officer", 2 * URGENT_US, "representative"),
    ]


@pytest.mark.parametrize("precedence", [Precedence.ROUTINE, Precedence.PRIORITY])
def test_what_is_routine_is_for_the_post_and_its_dissemination_is_never_overdue(
    precedence: Precedence,
) -> None:
    stage = at_line()
    message = send(stage, precedence=precedence)
    take(stage, message, *UP_TO_ACKNOWLEDGED)

    wait(stage, 100 * URGENT_US)

    is_for_units = precedence is Precedence.PRIORITY
    assert bool(overdue(at(stage, message))) == is_for_units


def test_a_message_to_a_person_falls_through_to_the_post_at_its_deadline_and_then_goes_on() -> None:
    stage = at_line()
    message = send(stage, person="colonel")

    wait(stage, 2 * URGENT_US)

    goes = [(post, goes_to) for step, post, _, goes_to in overdue(at(stage, message))
            if step is Step.ACKNOWLEDGED]  # fmt: skip
    assert goes == [("watch", "watch"), ("watch", "duty-officer")]


def test_anybody_on_watch_takes_a_message_to_a_person_who_is_absent() -> None:
    # A5; stories.md 3: no personal addressee is needed (27 minutes passed at Deir ez-Zor in 2016)
    stage = at_line()
    message = send(stage, person="colonel")

    assert take(stage, message, *UP_TO_ACKNOWLEDGED).first(Step.ACKNOWLEDGED) is not None


def test_without_a_clause_no_deadline_is_agreed_and_nothing_goes_on() -> None:
    for stage, party in ((staged("a", "b", "c"), "b"), (at_line(), "c")):
        message = send(stage, to=party)

        wait(stage, 1_000 * URGENT_US)

        made = at(stage, message)
        assert (made.within_us, made.first_us, made.clause, made.chain) == (None, None, "", ())
        assert (made.overdue, made.posts, made.answers) == ((), ("watch",), ())


def test_a_precedence_that_the_clause_does_not_list_has_no_deadline() -> None:
    stage = at_line()

    message = send(stage, precedence=Precedence.CHECK)
    wait(stage, 1_000 * URGENT_US)
    assert (at(stage, message).due, overdue(at(stage, message))) == ({}, [])


def test_of_several_clauses_the_soonest_counts_with_its_own_chain() -> None:
    sooner = Deadlines(
        deadlines=(Deadline(precedence=Precedence.URGENT, acknowledge_s=30),),
        escalation=("watch", "representative"),
    )  # fmt: skip
    made = line_agreement()
    stage = at_line(line_agreement(clauses=(*made.clauses, clause("5", "Sooner.", sooner))))

    message = send(stage)

    assert at(stage, message).within_us == 30 * SECOND_US
    assert at(stage, message).chain == ("representative",)


@pytest.mark.parametrize("away_s", [900, 3_600])
def test_what_fell_due_while_nothing_ran_is_entered_with_the_times_at_which_it_did(
    away_s: int,
) -> None:
    stage = at_line()
    message = send(stage)
    stage.begin_again()

    stage.clock.move_to(START_US + away_s * SECOND_US)
    stage.exchange.pass_time()

    assert [each for _, _, each, _ in overdue(at(stage, message))] == sorted(
        [URGENT_US] * 3 + [2 * URGENT_US] * 4 + [3 * URGENT_US] * 4
    )
    check(stage)


def test_who_was_away_for_an_hour_finds_all_of_it_and_goes_on_where_the_ladder_stands() -> None:
    stage = at_line()
    messages = [send(stage, text=f"number {number}") for number in range(3)]
    take(stage, messages[0], *UP_TO_DISPLAYED)
    wait(stage, 3_600 * SECOND_US)

    for number, each in enumerate(messages):
        made = take(stage, each, *UP_TO_ACKNOWLEDGED[2 if number == 0 else 0 :], Step.DISSEMINATED)
        assert made.is_done
        assert made.steps[-1].at_us == START_US + 3_600 * SECOND_US
        assert len(made.overdue) == (9 if number == 0 else 11)  # it stays said
    check(stage)


def test_what_is_overdue_is_not_told_while_clocks_differ_and_is_once_they_do_not() -> None:
    stage = at_line()
    message = send(stage)
    stage.exchange.hold_time(5 * SECOND_US)
    wait(stage, URGENT_US)
    assert overdue(at(stage, message)) == []

    stage.clock.move_to(START_US + URGENT_US + 60 * SECOND_US)
    stage.exchange.hold_time(0)
    stage.exchange.pass_time()

    assert [each for _, _, each, _ in overdue(at(stage, message))] == [URGENT_US] * 3
    check(stage)


def test_each_of_several_deadlines_that_passed_while_clocks_differed_is_told_once_they_agree() -> (
    None
):
    stage = at_line()
    message = send(stage, person="colonel")
    stage.exchange.hold_time(5 * SECOND_US)
    wait(stage, 10 * URGENT_US)
    other = send(stage)

    stage.exchange.hold_time(0)
    stage.exchange.pass_time()

    late = [due_us for step, _, due_us, _ in overdue(at(stage, message))
            if step is Step.ACKNOWLEDGED]  # fmt: skip
    assert late == [URGENT_US, 2 * URGENT_US, 3 * URGENT_US, 4 * URGENT_US]
    assert (at(stage, message).next_us, overdue(at(stage, other))) == (None, [])
    check(stage)


# --- channels and what is passed by distress -----------------------------------------------


def suspend(stage: Stage, made: Agreement) -> None:
    """Let a suspend an agreement."""
    envelope = state(
        made, "a", stage.clock.now_us(), Said.SUSPEND, stage._signers["a", "rep-1"]
    )  # fmt: skip
    payload = StateSuspension(hash=hash_of(made), statement=envelope)
    stage.submit("a", "suspension.state/1", payload, ("rep-1",))


def test_both_channels_are_open_where_nothing_is_agreed_and_others_are_refused() -> None:
    # requirements.md H4: two channels, flight safety and political
    stage = staged("a", "b")

    assert [at(stage, send(stage, channel=each)).channel for each in (FLIGHT_SAFETY, POLITICAL)]
    assert refusal(stage, "a", "line.send/1", sending(channel="chat")) == (
        "channel 'chat': is not open between a and b now; send it over flight-safety or political"
    )


def test_suspending_an_agreement_leaves_the_channel_that_survives_and_its_deadlines() -> None:
    made = line_agreement()
    stage = at_line(made)
    before = send(stage, channel=POLITICAL)
    suspend(stage, made)

    assert refusal(stage, "b", "line.send/1", sending(to="a", channel=POLITICAL)) == (
        "channel 'political': is not open between b and a now; send it over flight-safety"
    )
    message = send(stage)
    take(stage, before, *UP_TO_ACKNOWLEDGED)  # what was sent before goes on
    wait(stage, URGENT_US)
    assert [each for each, *_ in overdue(at(stage, message))] == list(ALL_THREE)


def test_flight_safety_stays_open_where_no_clause_about_channels_survives() -> None:
    made = line_agreement(survives=False)
    stage = at_line(made)
    suspend(stage, made)

    assert at(stage, send(stage)).channel == FLIGHT_SAFETY
    assert "send it over flight-safety" in refusal(
        stage, "a", "line.send/1", sending(channel=POLITICAL)
    )


def test_distress_passes_suspension_by_either_party() -> None:
    clauses = (clause("3", "Politics.", Channels(channels=(POLITICAL,))),)
    made = line_agreement(clauses=clauses)
    stage = at_line(made)
    assert "send it over political" in refusal(stage, "a", "line.send/1", sending())
    suspend(stage, made)

    for party, to in (("a", "b"), ("b", "a")):
        sent = at(stage, distress(stage, party, to))
        assert (sent.channel, sent.precedence) == (FLIGHT_SAFETY, Precedence.DISTRESS)


def test_distress_is_taken_by_any_post_of_its_receiver() -> None:
    stage = at_line()
    message = distress(stage)

    made = take(stage, message, *UP_TO_ACKNOWLEDGED, post="duty-officer")
    assert (made.post, made.first(Step.ACKNOWLEDGED).post) == ("watch", "duty-officer")  # type: ignore[union-attr]


@pytest.mark.parametrize("off_s", [-100_000, -7_200, 60, 7_200, 100_000])
def test_distress_passes_the_check_of_clocks_and_nothing_else_does(off_s: int) -> None:
    stage = at_line()
    signed_us = START_US + off_s * SECOND_US
    with pytest.raises(RecordError):
        stage.submit("a", "line.send/1", sending(), signed_us=signed_us)

    made = SendDistress(to="b", text="MAYDAY", language="en")
    stage.submit("a", "distress/1", made, signed_us=signed_us)

    [message] = stage.exchange.world.messages.values()
    assert (message.text, message.sent_us) == ("MAYDAY", START_US)
    check(stage)


def test_distress_passes_mandates_that_have_expired() -> None:
    stage = at_line()
    stage.clock.move_to(START_US + 2 * YEAR_US)
    with pytest.raises(NotProven, match="has no mandate for line"):
        send(stage, to="c")

    assert at(stage, distress(stage, to="c")).sender == "a"
    check(stage)


def test_distress_is_still_signed_by_a_key_that_is_known() -> None:
    stage = at_line()
    envelope = stage.envelope("a", "distress/1", SendDistress(to="b", text="x", language="en"))
    forged = msgspec.structs.replace(envelope, signatures=(
        msgspec.structs.replace(envelope.signatures[0], sig=bytes(64)),
    ))  # fmt: skip

    with pytest.raises(RecordError):
        stage.exchange.submit(forged, "a")


@pytest.mark.parametrize("after_s", [0, 3_601, 90_000])
def test_distress_sent_again_is_one_message_however_late_it_comes(after_s: int) -> None:
    stage = at_line()
    envelope = stage.envelope("a", "distress/1", SendDistress(to="b", text="x", language="en"))
    first = stage.exchange.submit(envelope, "a")
    stage.clock.move_to(START_US + after_s * SECOND_US)
    for _ in range(2):
        if after_s < 24 * 3_600:
            assert stage.exchange.submit(envelope, "a") == first
        else:
            with pytest.raises(Refused, match="was taken before, as message"):
                stage.exchange.submit(envelope, "a")
        stage.begin_again()

    assert len(stage.exchange.world.messages) == 1


def test_a_reply_to_a_post_that_is_not_there_goes_to_one_that_is() -> None:
    # a representative may sign distress for any post, and the name of none is checked
    stage = staged("a", "b")
    stage.submit(
        "a", "distress/1", SendDistress(to="b", text="MAYDAY", language="en"), ("rep-1",),
        post="ghost",
    )  # fmt: skip
    [cry] = stage.exchange.world.messages

    reply = send(stage, "b", to="a", reply_to=cry)

    assert at(stage, cry).sender_post == "ghost"
    assert at(stage, reply).post == "watch"


def test_a_message_is_not_sent_as_distress_or_stop_by_the_act_that_rates_and_clocks_hold_up() -> (
    None
):
    # definitions.md: a STOP has a volume, which others are told to keep out of
    for each, way_out in ((Precedence.DISTRESS, "distress/1"), (Precedence.STOP, "line.stop/1")):
        with pytest.raises(ValueError, match=way_out):
            sending(precedence=each)


# --- threads, posts, ids --------------------------------------------------------------------


def test_a_reply_goes_to_the_post_that_sent_what_is_replied_to() -> None:
    stage = at_line()
    message = send(stage, by_post="duty-officer")

    made = at(stage, send(stage, "b", to="a", reply_to=message))

    assert (made.receiver, made.post, made.reply_to) == ("a", "duty-officer", message)


def test_a_thread_of_another_status_pair_or_channel_is_refused_as_one_that_is_not_there() -> None:
    stage = at_line()
    with_c = send(stage, to="c")
    of_others = send(stage, "b", to="c")
    political = send(stage, channel=POLITICAL)
    stage._status = Status.TEST
    test = send(stage)
    stage._status = Status.EXERCISE

    said = {
        refusal(stage, "a", "line.send/1", sending(reply_to=each)).replace(each, "ID")
        for each in (with_c, of_others, political, test, NOWHERE)
    }

    assert said == {
        (
            "reply_to 'ID': is no message between a and b over flight-safety that is Exercise; "
            "reply over its own channel, to its own parties, or send a new one"
        )
    }


def test_an_unknown_message_and_one_of_others_and_of_another_status_get_the_same_answer() -> None:
    stage = at_line()
    of_others = send(stage, "a", to="b")
    stage._status = Status.TEST
    test = send(stage, "a", to="c")
    stage._status = Status.EXERCISE

    for kind, made in acts_on(of_others).items():
        said = {
            refusal(stage, "c", kind, msgspec.structs.replace(made, id=each)).replace(each, "ID")
            for each in (of_others, test, NOWHERE)
        }
        assert said == {"message 'ID': is no message of c; see your own messages"}


def acts_on(message: str) -> dict[str, Any]:
    """Return an act of each kind about a message."""
    made = {f"{TAKEN_BY[each]}/1": step_of(each, message) for each in TAKEN_BY}
    return made | {"line.answer/1": AnswerMessage(id=message, word=Word.WILCO)}


def test_a_message_is_told_to_its_two_parties_with_what_was_signed_and_to_nobody_else() -> None:
    stage = at_line()
    kinds = {"line.send/1", "line.delivered/1", "line.displayed/1", "line.answer/1"}
    message = send(stage)
    take(stage, message, *UP_TO_DISPLAYED)
    answer(stage, message, Word.ROGER)

    for party in ("a", "b"):
        assert len(events_seen(stage, party, MessageChanged)) == 4
        assert kinds <= {read_act(each).kind for each in acts_seen(stage, party)}
    assert events_seen(stage, "c", MessageChanged) == []
    assert not kinds & {read_act(each).kind for each in acts_seen(stage, "c")}
    assert stage.exchange.reads.messages("c").value == ()
    for party in ("a", "b"):
        assert stage.exchange.reads.messages(party).value == (at(stage, message),)


def test_it_goes_to_the_first_post_of_the_chain_or_of_the_keys_and_to_none_that_is_not_there() -> (
    None
):
    stage = at_line()

    assert at(stage, send(stage)).post == CHAIN[0]
    assert at(stage, send(stage, to="c")).post == POSTS[0]
    assert refusal(stage, "a", "line.send/1", sending(post="kitchen")) == (
        "post 'kitchen': is no post of b; name one of watch, duty-officer, representative"
    )
    for each in ("a", "nobody"):
        assert "is no other party of this region" in refusal(
            stage, "a", "line.send/1", sending(to=each)
        )


def test_a_message_to_a_post_in_the_middle_of_the_chain_goes_on_from_there() -> None:
    stage = at_line()

    assert at(stage, send(stage, post="duty-officer")).chain == ("representative",)
    with_post = {"post": "duty-officer", "person": "colonel"}
    assert at(stage, send(stage, **with_post)).chain == ("duty-officer", "representative")


# --- the record -----------------------------------------------------------------------------


def check(stage: Stage) -> None:
    """See that the record verifies, folds to the world, and is decided so again."""
    stage.exchange.beat()
    assert verify(stage.lines, stage.keys).is_proven
    assert audit(stage.lines, plain()).differences == ()
    assert fold(stage.lines).hash == stage.exchange.world.hash


def test_messages_fold_and_their_record_is_proven() -> None:
    stage = at_line()
    for number in range(4):
        message = send(stage, person="colonel" if number % 2 else None)
        take(stage, message, *ALL_THREE[:number])
        wait(stage, (number + 1) * URGENT_US)
    wait(stage, 10 * URGENT_US)

    check(stage)
