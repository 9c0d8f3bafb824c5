# SPDX-License-Identifier: Apache-2.0
"""Checks of lines decided again: whatever a record says otherwise than the rules is told."""

from collections.abc import Callable
from functools import lru_cache
from typing import Final

import pytest
from msgspec.structs import replace

from keepclear.detect.compiled import plain
from keepclear.exchange.audit import audit
from keepclear.exchange.due import Due
from keepclear.exchange.events import LineChecked
from keepclear.line.checks import Check, CheckAnswer, CheckedLine
from keepclear.plays.running import Played
from keepclear.record.encoding import Signed
from keepclear.record.verification import verify
from tests.line_check_plays import (
    ANSWER_US,
    MISSED_US,
    SLOT_US,
    answer,
    check,
    checking,
    until,
)
from tests.record_plays import START_US
from tests.resigned_records import resigned
from tests.test_audit_messages import other

WITHIN: Final = {"line": CheckedLine, "check": Check}
FIELDS: Final = [(name, each) for name, kind in WITHIN.items() for each in kind.__struct_fields__]


@lru_cache
def record() -> Played:
    """Return an honest record: checks OK, LATE, MISSED and answered after all, and never sent."""
    stage = checking()
    answer(stage, check(stage))
    late, missed = check(stage, "b", "a"), check(stage)
    until(stage, START_US + ANSWER_US + 1)
    answer(stage, late, "a")
    until(stage, START_US + MISSED_US)
    until(stage, SLOT_US + 2 * ANSWER_US)
    answer(stage, missed)
    stage.exchange.beat()
    return Played(stage.lines, stage.keys, {}, ())


def differences(lines: list[bytes]) -> list[str]:
    """Return what differs in a record."""
    return [f"{each.about}: {each.what}" for each in audit(lines, plain()).differences]


def spoiled(change: Callable[[int, LineChecked], LineChecked]) -> list[str]:
    """Return what an audit says where what is told of lines is changed, each by its number."""
    number = 0

    def spoil(_: int, __: str, value: Signed) -> Signed:
        nonlocal number
        if not isinstance(value, LineChecked):
            return value
        number += 1
        return change(number, value)

    done = resigned(record(), spoil)
    assert verify(done.lines, done.keys).is_proven
    return differences(done.lines)


def test_an_honest_record_of_checks_comes_out_the_same() -> None:
    found = audit(record().lines, plain())

    assert found.differences == ()
    assert found.acts == 6  # three checks, three answers


@pytest.mark.parametrize(("name", "field"), FIELDS, ids=[".".join(each) for each in FIELDS])
def test_any_field_of_a_check_or_of_its_line_that_is_otherwise_is_found(
    name: str, field: str
) -> None:
    tried = 0

    def change(_: int, event: LineChecked) -> LineChecked:
        nonlocal tried
        inner = getattr(event, name)
        before = None if inner is None else getattr(inner, field)
        if tried or before in {None, ()} or isinstance(before, CheckAnswer):
            return event
        tried += 1
        return replace(event, **{name: replace(inner, **{field: other(before)})})

    found = spoiled(change)

    assert found or not tried
    assert tried or field == "answer"


@pytest.mark.parametrize("field", CheckAnswer.__struct_fields__)
def test_an_answer_of_another_time_or_post_is_found(field: str) -> None:
    def change(_: int, event: LineChecked) -> LineChecked:
        if event.check is None or event.check.answer is None:
            return event
        before = getattr(event.check.answer, field)
        made = replace(event.check.answer, **{field: other(before) or "shift-lead"})
        return replace(event, check=replace(event.check, answer=made))

    assert spoiled(change)


def test_what_was_due_and_is_not_told_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Due, "_plan_check", lambda _self, _check: None)
    monkeypatch.setattr(Due, "_plan_line", lambda _self, _line: None)
    stage = checking()
    own = check(stage)
    until(stage, SLOT_US + 2 * ANSWER_US)
    check(stage, "b", "a")
    lines = list(stage.lines)
    monkeypatch.undo()

    assert differences(lines) == [
        f"check {own[:8]}: is missed, and nobody is told",
        "line a>b>line: was to be checked, and nobody is told",
    ]
