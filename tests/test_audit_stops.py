# SPDX-License-Identifier: Apache-2.0
"""Records with STOPs that were changed and signed again: an audit tells of it and goes on."""

from collections.abc import Callable

import pytest
from msgspec.structs import replace

from keepclear.detect.compiled import plain
from keepclear.exchange.audit import audit
from keepclear.exchange.events import (
    KeepOutsChanged,
    MessageChanged,
    MessageOverdue,
    StopChanged,
)
from keepclear.line.ladder import Step
from keepclear.plays.running import Played
from keepclear.plays.stage import Stage
from keepclear.record.encoding import Signed
from keepclear.record.verification import verify
from tests.incident_plays import MINUTE_US, file
from tests.message_plays import at_line, send, wait
from tests.resigned_records import Spoil, resigned
from tests.sar_plays import cry, drift
from tests.shift_plays import NIGHT, at_watch, closed, opened
from tests.stop_plays import end, renew, small, stop


def recorded() -> Stage:
    """Return a stage on which a STOP was sent, met by what was filed after it, renewed, ended."""
    stage = at_line()
    made = stop(stage, "b", "c")
    file(stage, "c", small(35.0, minutes=200))
    wait(stage, 65 * MINUTE_US)
    renew(stage, made)
    end(stage, made)
    stage.exchange.beat()
    return stage


def with_case() -> Stage:
    """Return a stage on which a SAR case is opened, met, moved and handed over, and a STOP stands.

    Of a message to b that is URGENT all is overdue.
    """
    stage = at_watch()
    own = opened(stage, party="a")
    made = cry(stage, "b", "c")
    file(stage, "c", small(35.0, minutes=200))
    send(stage)
    drift(stage, made, 35.4)
    wait(stage, 30 * MINUTE_US)
    opened(stage, "night", NIGHT, party="a", takes=(made.id,))
    closed(stage, own, party="a")
    stage.exchange.beat()
    return stage


def found(spoil: Spoil, recorded: Callable[[], Stage] = recorded) -> list[str]:
    """Return what an audit tells of a record with something spoilt, which verifies."""
    stage = recorded()
    done = resigned(Played(stage.lines, stage.keys, {}, ()), spoil)
    assert verify(done.lines, done.keys).is_proven
    return [f"{each.about}: {each.what}" for each in audit(done.lines, plain()).differences]


def test_a_record_that_is_signed_again_as_it_was_comes_out_the_same() -> None:
    assert found(lambda _seq, _to, value: value) == []


@pytest.mark.parametrize("to", ["b", "a,c", "*"])
def test_where_to_keep_out_that_is_told_to_another_as_it_is_filed_is_found(to: str) -> None:
    def spoil(_seq: int, _to: str, value: Signed) -> Signed | tuple[str, Signed]:
        return (to, value) if isinstance(value, KeepOutsChanged) and value.areas else value

    assert any(f"must keep out, which stands in the tree of {to}" in each for each in found(spoil))


def test_a_message_of_a_stop_that_was_left_out_is_told_and_the_audit_goes_on() -> None:
    def spoil(_seq: int, _to: str, value: Signed) -> Signed | None:
        return None if isinstance(value, MessageChanged) else value

    assert any("is not as line.stop of a makes it" in each for each in found(spoil))


def test_where_to_keep_out_of_an_operation_that_is_not_there_is_told_and_the_audit_goes_on() -> (
    None
):
    def spoil(_seq: int, _to: str, value: Signed) -> Signed:
        if isinstance(value, KeepOutsChanged) and value.areas:
            return KeepOutsChanged(id="0" * 32, areas=value.areas)
        return value

    assert any("MISSING: must keep out" in each for each in found(spoil))


def test_a_record_with_a_case_that_is_signed_again_as_it_was_comes_out_the_same() -> None:
    assert found(lambda _seq, _to, value: value, with_case) == []


def test_a_case_is_moved_where_what_is_not_there_must_keep_out_and_the_audit_goes_on() -> None:
    def spoil(_seq: int, _to: str, value: Signed) -> Signed:
        if isinstance(value, KeepOutsChanged) and value.areas:
            return KeepOutsChanged(id="0" * 32, areas=value.areas)
        return value

    assert any("must keep out" in each for each in found(spoil, with_case))


@pytest.mark.parametrize("kept", [0, 1])
def test_a_case_of_which_messages_were_left_out_is_told_and_the_audit_goes_on(kept: int) -> None:
    def spoil(_seq: int, _to: str, value: Signed) -> Signed | None:
        if isinstance(value, StopChanged):
            return StopChanged(stop=replace(value.stop, messages=value.stop.messages[:kept]))
        return value

    assert any("is not as sar.open of a makes it" in each for each in found(spoil, with_case))


def test_a_shift_over_a_case_whose_messages_are_not_there_is_told_and_the_audit_goes_on() -> None:
    def spoil(_seq: int, _to: str, value: Signed) -> Signed | None:
        if isinstance(value, MessageChanged | MessageOverdue) and value.message.stop is not None:
            return None
        return value

    assert any("is not as sar.open of a makes it" in each for each in found(spoil, with_case))


def test_an_answer_that_is_overdue_of_what_wants_none_is_told_and_the_audit_goes_on() -> None:
    def spoil(_seq: int, _to: str, value: Signed) -> Signed:
        if isinstance(value, MessageOverdue) and value.message.stop is None:
            more = replace(value.overdue, step=Step.ANSWERED, level=value.message.level)
            message = replace(value.message, overdue=(*value.message.overdue, more))
            return MessageOverdue(message=message, overdue=more)
        return value

    assert any("is not overdue as its deadline" in each for each in found(spoil, with_case))
