# SPDX-License-Identifier: Apache-2.0
"""What a STOP tells whom it must not: of its volume, its sender, its words, and who else is named.

Two worlds that differ in nothing else give a party the same bytes; a leak that is planted is found.
"""

from collections.abc import Callable
from typing import Any

import pytest
from msgspec.structs import replace

from keepclear.detect.compiled import plain
from keepclear.exchange import decide, keep_outs, stops
from keepclear.exchange.audit import audit
from keepclear.exchange.deciding import Deciding
from keepclear.exchange.events import (
    KeepOutsChanged,
    MessageChanged,
    StandingCarried,
    StopChanged,
)
from keepclear.plans import acts
from keepclear.plans.operations import Operation
from keepclear.plans.stops import SendStop
from keepclear.plays.stage import Stage
from keepclear.record.encoding import Signed
from keepclear.record.views import view_of
from tests.incident_plays import (
    MINUTE_US,
    acts_seen,
    events_seen,
    file,
    filed,
    leaves_seen,
)
from tests.message_plays import at_line, wait
from tests.restored_stages import lost, restore
from tests.stop_plays import (
    TEXT,
    bytes_of,
    calling,
    end,
    must_keep_out,
    renew,
    small,
    stop,
    told_to_keep_out,
)
from tests.test_after_action_cases import words_of

Act = Callable[[Stage], object]


def worlds(party: str, *ways: Act) -> list[list[str]]:
    """Return what a party is told, in each of some worlds, but for ids and times of acts."""
    return [told_in(way, party) for way in ways]


def told_in(way: Act, party: str) -> list[str]:
    """Return what a party is told of keeping out and of messages, while another acts.

    Ids are drawn for what others do as well, and are random where they are not counted: they are
    taken out.
    """
    stage = at_line()
    file(stage, "c", small(35.0))
    way(stage)
    file(stage, "c", small(35.01))
    wait(stage, 80 * MINUTE_US)
    return [
        str(replace(each, id="") if isinstance(each, KeepOutsChanged) else type(each))
        for each in [
            *told_to_keep_out(stage, party), *events_seen(stage, party, MessageChanged),
            *events_seen(stage, party, StopChanged),
        ]
    ]  # fmt: skip


def sends(party: str = "a", to: tuple[str, ...] = ("b",), text: str = "", **more: Any) -> Act:  # noqa: ANN401
    """Return that a party sends a STOP."""

    def send(stage: Stage) -> None:
        made = calling(*to, **more)
        stage.submit(party, "line.stop/1", replace(made, text=text or made.text))

    return send


# Of the box that is told each side is 300 m or more from where the grid has its next line.
THIRD: tuple[tuple[str, Act], ...] = (
    ("sender", sends("b", to=("a",))),
    ("text", sends(text="Other words.")),
    ("volume", sends(radius="5100 m")),
    ("named", sends(to=("b", "c"))),
    ("renewed", lambda stage: renew(stage, stop(stage))),
)


@pytest.mark.parametrize(("what", "way"), [each for each in THIRD if each[0] != "named"])
def test_a_third_party_is_told_the_same_whoever_sends_it_and_why(what: str, way: Act) -> None:
    one, other = worlds("c", sends(), way)

    assert one == other, what
    assert len(one) == 2  # both of its operations, and no message


def read_by_b(way: Act) -> tuple[list[Any], int]:
    """Return what the messages to b say, but for ids, and how many parts and acts b sees."""
    stage = at_line()
    way(stage)
    told = events_seen(stage, "b", MessageChanged)
    count = len(leaves_seen(stage, "b"))
    return [replace(each.message, id="", act="") for each in told], count


NAMED: tuple[Act, ...] = (sends(to=("b", "c")), sends(radius="5100 m"))


def test_a_party_that_is_named_learns_nothing_of_the_others_or_of_the_volume() -> None:
    one = read_by_b(sends())

    assert [read_by_b(each) for each in NAMED] == [one, one]


def leak_into_message(patch: pytest.MonkeyPatch, what: Callable[[Any], str]) -> None:
    """Let the text of each message hang on what its STOP is. what: of the STOP in the world."""
    emit = Deciding.emit

    def leaking(self: Deciding, parties: Any, event: Any) -> None:  # noqa: ANN401
        if isinstance(event, MessageChanged):
            said = what(list(self.world.stops.values())[-1])
            event = replace(event, message=replace(event.message, text=said))
        emit(self, parties, event)

    patch.setattr(Deciding, "emit", leaking)


def leak_act(patch: pytest.MonkeyPatch) -> None:
    """Let those named see the act itself, and what the STOP is to its sender."""
    send = stops.send

    def leaking(deciding: Deciding, act: Any, payload: Any) -> None:  # noqa: ANN401
        send(deciding, act, payload)
        deciding.seen_by = payload.to

    patch.setitem(decide.DECIDE, SendStop, leaking)  # type: ignore[misc]


@pytest.mark.parametrize(
    ("plant", "way"),
    [
        (lambda patch: leak_into_message(patch, lambda stop: ", ".join(stop.to)), NAMED[0]),
        (lambda patch: leak_into_message(patch, lambda stop: str(stop.volume)), NAMED[1]),
        (lambda patch: leak_into_message(patch, lambda stop: str(stop.takes_km2h)), None),
        (lambda patch: leak_area(patch, "GRAIN_TMM", 1), NAMED[1]),
        (leak_act, None),
    ],
)
def test_a_leak_to_a_party_that_is_named_is_found(
    plant: Callable[[pytest.MonkeyPatch], None], way: Act | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest = read_by_b(sends())
    plant(monkeypatch)

    assert read_by_b(sends()) != (honest if way is None else read_by_b(way))


def test_who_sends_it_is_told_nothing_of_what_must_keep_out() -> None:
    def told(*of_others: Act) -> list[Any]:
        stage = at_line()
        for each in of_others:
            each(stage)
        made = stop(stage)
        wait(stage, 70 * MINUTE_US)
        end(stage, made)
        seen = [
            replace(e.stop, id="", act="", messages=())
            for e in events_seen(stage, "a", StopChanged)
        ]
        return [*seen, told_to_keep_out(stage, "a"), len(events_seen(stage, "a", Signed))]

    assert told() == told(lambda stage: file(stage, "c", small(35.0)))


def test_the_act_itself_and_the_stop_stand_in_the_tree_of_its_sender_alone() -> None:
    stage = at_line()
    file(stage, "c", small(35.0))
    made = stop(stage, "b", "c")
    end(stage, made)

    for party in "bc":
        seen = bytes_of(stage, party)
        assert made.id.encode() not in seen
        assert not [each for each in acts_seen(stage, party) if b"line.stop" in bytes(each.payload)]
        assert events_seen(stage, party, StopChanged) == []
    assert made.id.encode() in bytes_of(stage, "a")
    assert len([e for e in acts_seen(stage, "a") if b"line.stop" in bytes(e.payload)]) == 2


def test_after_a_restore_each_party_holds_what_it_was_told_and_nothing_else() -> None:
    stage = at_line()
    old = file(stage, "c", small(35.0, minutes=200))
    made = stop(stage, "b")
    assert restore(stage, stage.lines)

    carried = {
        party: {
            (each.table, each.key) for each in events_seen(stage, party, StandingCarried)
            if each.table in {"stops", "keep_outs"}
        }
        for party in "abc"
    }  # fmt: skip
    assert carried == {"a": {("stops", made.id)}, "b": set(), "c": {("keep_outs", old.id)}}


def leak_audience(patch: pytest.MonkeyPatch, kind: type[Signed]) -> None:
    """Let everybody have what is for one alone."""
    emit = Deciding.emit

    def leaking(self: Deciding, parties: Any, event: Any) -> None:  # noqa: ANN401
        emit(self, ["a", "b", "c"] if isinstance(event, kind) else parties, event)

    patch.setattr(Deciding, "emit", leaking)


def leak_area(patch: pytest.MonkeyPatch, name: str, value: Any) -> None:  # noqa: ANN401
    patch.setattr(keep_outs, name, value)


def leak_sender(patch: pytest.MonkeyPatch) -> None:
    """Let the times that are told hang on who sends it."""
    told = keep_outs.area_of

    def leaking(stop: Any) -> Any:  # noqa: ANN401
        area = told(stop)
        return replace(area, to_us=area.to_us + ord(stop.party))

    patch.setattr(keep_outs, "area_of", leaking)


LEAKS: tuple[tuple[str, Callable[[pytest.MonkeyPatch], None], Act], ...] = (
    ("volume", lambda patch: leak_area(patch, "GRAIN_TMM", 1), THIRD[2][1]),
    ("sender", leak_sender, THIRD[0][1]),
    ("stop", lambda patch: leak_audience(patch, StopChanged), THIRD[4][1]),
)


@pytest.mark.parametrize(("what", "plant", "way"), LEAKS)
def test_a_leak_to_a_third_party_is_found(
    what: str, plant: Callable[[pytest.MonkeyPatch], None], way: Act,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    plant(monkeypatch)

    one, other = worlds("c", sends(), way)

    assert one != other or len(one) > 2, what


def recorded() -> Stage:
    """Return a stage on which a STOP was sent, asked for, unconfirmed, renewed and ended."""
    stage = at_line()
    old = file(stage, "c", small(35.0, minutes=200))
    made = stop(stage, "b", "c")
    file(stage, "b", small(35.0, minutes=200))
    wait(stage, 75 * MINUTE_US)
    renew(stage, made)
    stage.submit("c", "operations.update/1", acts.UpdateOperation(
        id=old.id, ovn=old.ovn, operation=filed(small(36.0, start=80))
    ))  # fmt: skip
    file(stage, "c", small(35.02, start=90))
    end(stage, made)
    stop(stage, minutes=100)
    wait(stage, 200 * MINUTE_US)
    stage.exchange.beat()
    return stage


def differences(lines: list[bytes]) -> list[str]:
    return [f"{each.about}: {each.what}" for each in audit(lines, plain()).differences]


def test_an_honest_record_with_stops_comes_out_the_same() -> None:
    stage = recorded()

    assert differences(stage.lines) == []


def test_an_operation_that_was_not_told_to_keep_out_is_found(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def looks_away(_deciding: Deciding, _operation: Operation) -> None:
        pass

    with monkeypatch.context() as patch:
        patch.setattr(stops, "look", looks_away)
        stage = recorded()

    assert any("MISSING: must keep out" in each for each in differences(stage.lines))


@pytest.mark.parametrize("field", ["volume", "to", "state", "next_us", "takes_km2h"])
def test_a_stop_that_is_not_as_it_was_sent_is_found(
    field: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    emit = Deciding.emit

    def otherwise(self: Deciding, parties: Any, event: Any) -> None:  # noqa: ANN401
        if isinstance(event, StopChanged):
            old = event.stop
            value = {
                "volume": replace(old.volume, end_us=old.volume.end_us - 1), "to": (*old.to, "d"),
                "state": "unconfirmed", "next_us": 1 + (old.next_us or 0),
                "takes_km2h": old.takes_km2h + 1,
            }[field]  # fmt: skip
            event = StopChanged(stop=replace(old, **{field: value}))
        emit(self, parties, event)

    with monkeypatch.context() as patch:
        patch.setattr(Deciding, "emit", otherwise)
        stage = at_line()
        stop(stage)
        stage.exchange.beat()

    assert any(each.startswith("stop ") for each in differences(stage.lines))


def test_a_renewal_that_nobody_was_asked_for_is_found() -> None:
    stage = at_line()
    stop(stage)
    stage.clock.move_to(stage.clock.now_us() + 90 * MINUTE_US)
    stage.exchange._kept.due._heap.clear()
    file(stage, "c", small(35.0, start=100))
    stage.exchange.beat()

    assert any("its time has come, and nobody is told" in each for each in differences(stage.lines))


def test_a_report_tells_each_party_what_it_was_told_and_the_operator_all_in_words() -> None:
    stage = recorded()
    page = words_of(stage.lines)
    of_c, of_b, of_a = (words_of(view_of(stage.lines, each)) for each in "cba")

    for said in ("sends a STOP to b and c", "renews STOP", "ends STOP", "must keep out of"):
        assert said in page
    assert "see keepclear record show" not in page
    for each in (of_b, of_c):
        assert "sends a STOP" not in each
        assert "must keep out of" in each
    assert "must keep out of" not in of_a


def test_what_a_party_exports_has_no_trace_of_a_stop_that_it_was_not_told_of() -> None:
    # a party's own file is all that export-party, snapshot, pages and pictures are made from
    stage = at_line()
    made = stop(stage, radius="4321 m")
    file(stage, "c", small(37.0))

    seen = bytes_of(stage, "c")

    assert b"4321" not in seen
    assert made.id.encode() not in seen
    assert TEXT.encode() not in seen
    assert told_to_keep_out(stage, "c") == []
    assert b"4321" not in bytes_of(stage, "b")


def test_a_stop_that_the_backup_did_not_have_is_entered_late_with_its_ids() -> None:
    stage = at_line()
    old = file(stage, "c", small(35.0))
    stage.exchange.beat()
    backup = stage.lines
    made = stop(stage, "b", "c")
    stage.exchange.beat()
    whole = stage.lines
    wait(stage, MINUTE_US)
    assert restore(stage, backup)
    assert not must_keep_out(stage, old.id)

    for each in lost(stage, "a", whole):
        stage.exchange.hand_in(each.receipts, "a")

    again = stage.exchange.world.stops[made.id]
    assert (again.messages, again.volume, again.sent_us) == (
        made.messages, made.volume, made.sent_us
    )  # fmt: skip
    assert must_keep_out(stage, old.id)
    stage.exchange.beat()
    assert differences(stage.lines) == []
