# SPDX-License-Identifier: Apache-2.0
"""Messages decided again: whatever a record says otherwise of one than the rules is told."""

from collections.abc import Callable
from enum import StrEnum
from functools import lru_cache
from typing import Any, Final

import msgspec
import pytest
from msgspec.structs import replace

from keepclear.detect.compiled import plain
from keepclear.errors import KeepclearError
from keepclear.exchange import messages, read_backs
from keepclear.exchange.audit import audit
from keepclear.exchange.due import Due
from keepclear.exchange.events import MessageChanged, MessageOverdue
from keepclear.line.acts import ReadBackMessage
from keepclear.line.ladder import Step
from keepclear.line.messages import Answer, Message, Overdue, StepTaken, Word
from keepclear.line.read_back import Compared, ReadBack, compared
from keepclear.plays.running import Played
from keepclear.plays.stage import Stage
from keepclear.record.encoding import Signed
from keepclear.record.verification import verify
from tests.message_plays import (
    URGENT_US,
    answer,
    at_line,
    distress,
    overdue,
    send,
    take,
    typed,
    wait,
)
from tests.resigned_records import resigned

EVENTS: Final = (MessageChanged, MessageOverdue)
PLACE: Final = {"position": "35-16.0N 040-05.0E"}


def told(by: Callable[[Stage], object] = lambda _: None) -> Stage:
    """Return a stage on which a message came up the ladder, late, and another is overdue."""
    stage = at_line()
    message = send(stage)
    send(stage, person="colonel")
    take(stage, message, Step.DELIVERED, Step.DISPLAYED)
    wait(stage, URGENT_US // 2)
    answer(stage, message, Word.STANDBY, until_us=stage.clock.now_us() + URGENT_US)
    wait(stage, 3 * URGENT_US // 2)
    take(stage, message, Step.ACKNOWLEDGED)
    by(stage)
    wait(stage, 20 * URGENT_US)
    take(stage, message, Step.DISSEMINATED)
    distress(stage)
    wait(stage, 40 * URGENT_US)
    send(stage, to="c")
    exact = send(stage, values=typed(**PLACE))
    take(stage, exact, Step.DELIVERED, Step.DISPLAYED, Step.ACKNOWLEDGED)
    for back in ({"position": "35-21.0N 040-05.0E"}, PLACE):
        made = ReadBackMessage(id=exact, values=typed(**back), person="shift-lead")
        stage.submit("b", "line.read-back/1", made)
    stage.exchange.beat()
    return stage


def differences(lines: list[bytes]) -> list[str]:
    """Return what differs in a record."""
    return [f"{each.about}: {each.what}" for each in audit(lines, plain()).differences]


@lru_cache
def record() -> Played:
    """Return an honest record."""
    stage = told()
    return Played(stage.lines, stage.keys, {}, ())


def test_an_honest_record_of_messages_comes_out_the_same() -> None:
    found = audit(record().lines, plain())

    assert found.differences == ()
    # sent five times with distress, seven steps, an answer, two read-backs
    assert found.acts == 15


FIELDS: Final = [
    (kind, path)
    for kind, within in (
        (
            MessageChanged,
            {
                "message": Message,
                "taken": StepTaken,
                "answer": Answer,
                "read_back": ReadBack,
            },
        ),
        (MessageOverdue, {"message": Message, "overdue": Overdue}),
    )
    for name, inner in within.items()
    for path in ((name, each) for each in inner.__struct_fields__)
]


def other(value: Any) -> Any:  # noqa: ANN401 any field
    """Return another value of the same kind."""
    match value:
        case bool():
            return not value
        case int():
            return value + 1
        case StrEnum():
            return next(each for each in type(value) if each is not value)
        case str():
            return ("0" if value[-1] != "0" else "1").join((value[:-1], "")) if value else "x"
        case tuple():
            return value[:-1] if value else ("x",)
        case _:
            return None


PLACES: Final = {"answer": 1, "read_back": 1}  # which of them is spoilt; of others the third


@pytest.mark.parametrize(("kind", "path"), FIELDS, ids=[".".join(path) for _, path in FIELDS])
def test_any_field_of_a_message_or_a_step_that_is_otherwise_is_found(
    kind: type[Signed], path: tuple[str, str]
) -> None:
    name, field = path
    places = 0

    def spoil(_: int, __: str, value: Signed) -> Signed:
        nonlocal places
        inner = getattr(value, name) if isinstance(value, kind) else None
        before = None if inner is None else getattr(inner, field)
        if inner is None or before is None:
            return value
        places += 1
        if places != PLACES.get(name, 3):
            return value
        return replace(value, **{name: replace(inner, **{field: other(before)})})

    done = resigned(record(), spoil)

    if places < PLACES.get(name, 3):
        return  # nobody has such a field here
    assert verify(done.lines, done.keys).is_proven
    try:
        found = differences(done.lines)
    except (KeepclearError, msgspec.ValidationError):
        return  # it is no record any more
    assert found


@pytest.mark.parametrize("kind", EVENTS)
def test_a_message_told_to_others_or_to_nobody_is_found(kind: type[Signed]) -> None:
    for to in ("a,b,c", "a", None):

        def spoil(
            _: int, __: str, value: Signed, to: str | None = to
        ) -> Signed | tuple[str, Signed] | None:  # fmt: skip
            if not isinstance(value, kind):
                return value
            return None if to is None else (to, value)

        found = differences(resigned(record(), spoil).lines)

        assert any(each.startswith(("message ", "act ")) for each in found)


@pytest.mark.parametrize("field", Compared.__struct_fields__)
def test_any_field_of_what_was_compared_that_is_otherwise_is_found(field: str) -> None:
    def spoil(_: int, __: str, value: Signed) -> Signed:
        back = getattr(value, "read_back", None)
        if back is None or back.is_same:
            return value
        [wrong] = back.fields
        of_read = replace(wrong.read, within_m=wrong.read.within_m + 1)
        spoilt = of_read if field == "read" else other(getattr(wrong, field))
        fields = (replace(wrong, **{field: spoilt}),)
        return replace(value, read_back=replace(back, fields=fields))

    assert any(
        "line.read-back of b" in each for each in differences(resigned(record(), spoil).lines)
    )


# --- dishonest exchanges ------------------------------------------------------------------------


def test_an_alarm_that_is_held_back_is_missed() -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(messages, "fall_due", lambda *_: None)
        lines = told().lines

    # of three messages, and of the first its dissemination, too
    assert sum("is overdue, and nobody is told" in each for each in differences(lines)) == 4


@pytest.mark.parametrize("by_us", [-1, 1, 1_000_000])
def test_an_alarm_before_its_time_or_after_it_is_found(by_us: int) -> None:
    def planned(self: Due, message: Message) -> None:
        if message.next_us is not None:
            self.put(message.next_us + by_us, message.id)

    fall_due = messages.fall_due

    def falling(deciding: Any, message: Message) -> None:  # noqa: ANN401
        late = replace(message, next_us=min(message.next_us or 0, deciding.now_us))
        fall_due(deciding, late if message.next_us is not None else message)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Due, "_plan_at", planned)
        patch.setattr(messages, "fall_due", falling)
        lines = told().lines

    assert differences(lines)


def test_a_step_that_the_ladder_does_not_allow_is_found() -> None:
    def without_checking(message: Message, taken: StepTaken) -> Message:
        return replace(message, steps=(*message.steps, taken))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(messages, "stepped", without_checking)
        stage = at_line()
        message = send(stage)
        take(stage, message, Step.ACKNOWLEDGED)

    assert any(
        "line.acknowledge of b was taken; by the rules it is refused" in each
        for each in differences(stage.lines)
    )


def test_a_mismatch_that_is_told_as_a_match_is_found() -> None:
    def kindly(values: Any, given: Any) -> Any:  # noqa: ANN401
        return tuple(replace(each, is_same=True, why="") for each in compared(values, given))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(read_backs, "compared", kindly)
        stage = at_line()
        message = send(stage, values=typed(**PLACE))
        take(stage, message, Step.DELIVERED, Step.DISPLAYED, Step.ACKNOWLEDGED)
        back = ReadBackMessage(id=message, values=typed(position="35-21.0N 040-05.0E"))
        stage.submit("b", "line.read-back/1", back)

    assert any("line.read-back of b" in each for each in differences(stage.lines))


def test_a_deadline_that_is_not_that_of_the_clause_is_found() -> None:
    limit = messages._limit

    def longer(*given: Any) -> Any:  # noqa: ANN401
        found = limit(*given)
        return None if found is None else found._replace(within_us=2 * found.within_us)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(messages, "_limit", longer)
        lines = told().lines

    assert any("within_us" in each for each in differences(lines))


def test_a_message_over_a_channel_that_is_not_open_is_found() -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(messages, "channels", lambda *_: ("chat",))
        stage = at_line()
        send(stage, channel="chat")

    assert any("is not open between a and b" in each for each in differences(stage.lines))


def test_what_fell_due_while_time_was_held_is_decided_again_as_it_was() -> None:
    def held(stage: Stage) -> None:
        stage.exchange.hold_time(5_000_000)
        wait(stage, 4 * URGENT_US)
        send(stage)
        stage.exchange.hold_time(0)

    stage = told(held)

    assert differences(stage.lines) == []
    assert all(len(overdue(each)) for each in list(stage.exchange.world.messages.values())[:3])
