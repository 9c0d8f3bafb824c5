# SPDX-License-Identifier: Apache-2.0
"""Voice calls: logged by one, signed or annotated by the other; disagreement is kept."""

import pytest

from keepclear.errors import CallerError
from keepclear.line.calls import LONGEST_US, MOST_ANNOTATIONS
from keepclear.line.said import OLDEST_US
from keepclear.plays.stage import Stage
from keepclear.record.headers import Status
from tests.message_plays import at_line, line_agreement
from tests.own_copies import check_own_copy
from tests.record_plays import START_US
from tests.shift_plays import SECOND_US, annotated, log, signed
from tests.stop_plays import bytes_of


@pytest.fixture
def stage() -> Stage:
    return at_line()


def refused(stage: Stage, party: str, act: str, own: str) -> str:
    """Return why a party cannot sign or annotate a call."""
    with pytest.raises(CallerError) as refusal:
        signed(stage, own, party) if act == "sign" else annotated(stage, own, party)
    return str(refusal.value)


def test_a_call_stands_the_same_for_both_and_waits_until_the_other_has_signed(
    stage: Stage,
) -> None:
    own = log(stage)
    assert stage.exchange.world.calls[own].waits

    made = signed(stage, own)

    assert not made.waits
    assert made.signed is not None
    assert (made.signed.party, made.signed.post) == ("b", "watch")
    for party in ("a", "b"):
        assert stage.exchange.reads.calls(party).value == (made,)
        check_own_copy(stage, party)
    assert stage.exchange.reads.calls("c").value == ()


def test_both_accounts_stand_and_nothing_is_replaced(stage: Stage) -> None:
    own = log(stage)
    first = stage.exchange.world.calls[own].accounts[0]

    annotated(stage, own, text="no position was given")
    annotated(stage, own, "a", text="it was given twice")
    made = annotated(stage, own, text="we have a recording")

    assert not made.waits  # b has said how it heard it, and has not signed
    assert made.signed is None
    assert made.accounts[0] == first
    assert [(each.party, each.text) for each in made.accounts[1:]] == [
        ("b", "no position was given"), ("a", "it was given twice"), ("b", "we have a recording"),
    ]  # fmt: skip


def test_what_was_annotated_can_be_signed_and_what_was_signed_annotated(stage: Stage) -> None:
    one, other = log(stage), log(stage)
    annotated(stage, one)
    signed(stage, other)

    assert signed(stage, one).accounts[1].party == "b"
    assert annotated(stage, other).signed is not None


def test_only_the_other_party_signs_and_once(stage: Stage) -> None:
    own = log(stage)
    assert "is logged by a; b signs or annotates it" in refused(stage, "a", "sign", own)
    signed(stage, own)

    assert "is signed already, by watch at 2015-09-30T08:00:00Z" in refused(
        stage, "b", "sign", own
    )  # fmt: skip


@pytest.mark.parametrize("act", ["sign", "annotate"])
def test_a_call_of_others_and_one_that_is_not_there_get_the_same_answer(
    stage: Stage, act: str
) -> None:
    own = log(stage)

    there, not_there = refused(stage, "c", act, own), refused(stage, "c", act, "0" * 32)

    assert there.replace(own, "ID") == not_there.replace("0" * 32, "ID")


@pytest.mark.parametrize("act", ["sign", "annotate"])
def test_a_call_of_another_status_is_not_there(stage: Stage, act: str) -> None:
    own = log(stage)
    stage._status = Status.ACTUAL

    assert "is no call of b" in refused(stage, "b", act, own)


@pytest.mark.parametrize(
    ("began_us", "lasts_us", "says"),
    [
        (-SECOND_US, SECOND_US, ""),
        (-SECOND_US, SECOND_US + 1, "is when the call ended, and is after now"),
        (1, 0, "is when the call ended, and is after now"),
        (-OLDEST_US, 0, ""),
        (-OLDEST_US - 1, 0, "is more than 7 days ago"),
    ],
)
def test_a_call_ended_by_now_and_was_no_longer_ago_than_the_bound(
    stage: Stage, began_us: int, lasts_us: int, says: str
) -> None:
    if not says:
        assert log(stage, at_us=START_US + began_us, lasts_us=lasts_us)
        return

    with pytest.raises(CallerError, match=says):
        log(stage, at_us=START_US + began_us, lasts_us=lasts_us)


def test_a_party_annotates_so_often_and_the_other_as_often_again(stage: Stage) -> None:
    own = log(stage)
    for _ in range(MOST_ANNOTATIONS):
        annotated(stage, own)
        annotated(stage, own, "a")  # its first account is no annotation

    for party in ("a", "b"):
        assert f"has {MOST_ANNOTATIONS} annotations of {party}" in refused(
            stage, party, "annotate", own
        )


def test_a_call_can_be_logged_with_nothing_agreed_and_learns_a_third_party_nothing() -> None:
    stage, plain = at_line(line_agreement("a", "c")), at_line(line_agreement("a", "c"))
    own = log(stage)
    annotated(stage, own)

    signed(stage, own)

    assert bytes_of(stage, "c") == bytes_of(plain, "c")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("summary", " "), ("summary", "x" * 2_001), ("lasts_us", -1), ("lasts_us", LONGEST_US + 1),
        ("recording", "recording.wav"), ("on", ""), ("language", "English"),
    ],
)  # fmt: skip
def test_what_is_no_call_is_refused_before_it_is_decided(
    stage: Stage, field: str, value: object
) -> None:
    with pytest.raises((CallerError, ValueError)):
        log(stage, "a", **{field: value})
    assert not stage.exchange.world.calls


def test_a_call_to_nobody_or_to_oneself_is_refused(stage: Stage) -> None:
    for to in ("west", "a"):
        with pytest.raises(CallerError, match="is no other party of this region"):
            log(stage, to=to)
