# SPDX-License-Identifier: Apache-2.0
"""Shifts and calls decided again: whatever a record says otherwise than the rules is told."""

from collections.abc import Callable
from functools import lru_cache
from typing import Any, Final

import pytest
from msgspec.structs import replace

from keepclear.detect.compiled import plain
from keepclear.exchange.audit import audit
from keepclear.exchange.events import CallChanged, MessageChanged, ShiftChanged
from keepclear.line.calls import Account, Call, CallSigned, SignCall
from keepclear.line.shifts import Closed, Left, Shift
from keepclear.plays.running import Played
from keepclear.record.encoding import Signed
from keepclear.record.envelopes import Envelope
from keepclear.record.parts import DOCUMENT_KIND
from keepclear.record.verification import verify
from tests.message_plays import send
from tests.resigned_records import KNOWN, Spoil, resigned, values
from tests.shift_plays import NIGHT, annotated, at_watch, closed, log, opened, taken_over
from tests.test_audit_messages import other

WITHIN: Final[dict[str, type[Signed]]] = {"shift": Shift, "call": Call}
DEEPER: Final[dict[str, type[Signed]]] = {"closed": Closed, "left": Left, "accounts": Account,
                                          "signed": CallSigned}  # fmt: skip
FIELDS: Final = [
    (name, each, inner)
    for name, kind in WITHIN.items()
    for each in kind.__struct_fields__
    for inner in (DEEPER[each].__struct_fields__ if each in DEEPER else ("",))
]


def spoilt(value: Any, field: str, inner: str) -> Any:  # noqa: ANN401 any field
    """Return a shift or a call of which a field is otherwise; None where there is none."""
    before = getattr(value, field)
    if not inner:
        return None if before in {None, ()} else replace(value, **{field: other(before)})
    within = before if isinstance(before, tuple) else (before,)
    if not within or within[0] is None or getattr(within[0], inner) is None:
        return None
    made = "fr" if inner == "language" else other(getattr(within[0], inner))
    changed = replace(within[0], **{inner: made})
    made = (changed, *within[1:]) if isinstance(before, tuple) else changed
    return replace(value, **{field: made})


def first_of_each() -> list[Any]:
    """Return each shift and call as it was told of first."""
    found: dict[str, Any] = {}
    for _, _, _, _, value in values(record().lines):
        made = getattr(value, "shift", None) or getattr(value, "call", None)
        if isinstance(made, Shift | Call):
            found.setdefault(made.id, made)
    return list(found.values())


@lru_cache
def record() -> Played:
    """Return an honest record: a shift handed over, calls signed and annotated by both."""
    stage = at_watch()
    urgent = send(stage)
    day = opened(stage)
    opened(stage, "night-lead", NIGHT, takes=(urgent,))
    taken_over(stage, send(stage))
    closed(stage, day, to="night-lead")
    first, second = log(stage), log(stage, recording="a" * 64, person="shift-lead")
    stage.submit("b", "line.call-sign/1", SignCall(id=first, person="shift-lead"))
    annotated(stage, second)
    annotated(stage, second, "a")
    stage.exchange.beat()
    return Played(stage.lines, stage.keys, {}, ())


def spoiled(change: Callable[[Signed], Signed]) -> list[str]:
    """Return what an audit says where what is told of shifts and calls is changed."""

    def spoil(_: int, __: str, value: Signed) -> Signed:
        return change(value) if isinstance(value, ShiftChanged | CallChanged) else value

    return audited(spoil)


def audited(spoil: Spoil) -> list[str]:
    """Return what an audit says of a record that was changed, and signed again."""
    done = resigned(record(), spoil)
    assert verify(done.lines, done.keys).is_proven
    found = audit(done.lines, plain()).differences
    return [f"{each.about}: {each.what}" for each in found]


def test_an_honest_record_of_shifts_and_calls_comes_out_the_same() -> None:
    found = audit(record().lines, plain())

    assert found.differences == ()
    assert found.acts == 11  # two messages, four of shifts, five of calls


@pytest.mark.parametrize(
    ("name", "field", "inner"), FIELDS, ids=[".".join(filter(None, each)) for each in FIELDS]
)
def test_any_field_of_a_shift_or_a_call_that_is_otherwise_is_found(
    name: str, field: str, inner: str
) -> None:
    tried = 0

    def change(event: Any) -> Any:  # noqa: ANN401 either kind
        nonlocal tried
        value = getattr(event, name, None)
        made = None if value is None else spoilt(value, field, inner)
        is_first = field == "id" and value in first_of_each()  # any id could have been given
        if tried or made is None or is_first:
            return event
        tried += 1
        return replace(event, **{name: made})

    found = spoiled(change)

    assert tried
    assert found
    assert found[0].startswith(f"{name} ")


def test_what_is_told_to_others_or_left_out_or_done_by_nobody_is_found() -> None:
    def to_all(_: int, __: str, value: Signed) -> Signed | tuple[str, Signed]:
        return ("a,b", value) if isinstance(value, ShiftChanged) else value

    def left_out(_: int, __: str, value: Signed) -> Signed | None:
        return None if isinstance(value, CallChanged) else value

    assert "told to a,b, to be told to b" in audited(to_all)[0]
    assert "0 told, 1 to be told" in audited(left_out)[0]


def test_a_shift_that_no_act_has_opened_is_found() -> None:
    shift = next(each for each in first_of_each() if isinstance(each, Shift))

    def by_nobody(_: int, __: str, value: Signed) -> Signed:
        return ShiftChanged(shift=shift) if isinstance(value, MessageChanged) else value

    assert f"shift {shift.id[:8]}: is changed, and no act has done it" in audited(by_nobody)


def test_a_record_without_the_keys_of_a_party_ends_no_audit(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(KNOWN, DOCUMENT_KIND, Envelope)

    done = resigned(record(), lambda _, __, value: None if isinstance(value, Envelope) else value)

    found = audit(done.lines, plain()).differences
    assert any("line.shift-close of b was taken; by the rules it is refused" in each.what
               for each in found)  # fmt: skip
