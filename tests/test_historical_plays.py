# SPDX-License-Identifier: Apache-2.0
"""What once cost lives, played: the effect that would have saved them, read from the record.

The pass conditions are those of "History as tests"; what is disputed stands in each play.
"""

from collections.abc import Iterator
from typing import Final

import msgspec
import pytest

from keepclear.exchange.disclosure import Shown
from keepclear.exchange.events import (
    FilingsCounted,
    LineChecked,
    MessageChanged,
    MessageOverdue,
    OperationFiled,
)
from keepclear.exchange.folding import fold
from keepclear.exchange.views import SAYS_NOTHING_ELSE, Notice
from keepclear.exchange.world import World
from keepclear.formats.play import read_play
from keepclear.line.checks import LineState, Result
from keepclear.line.ladder import Step
from keepclear.plans.acts import AcknowledgeConflict, ActivateOperation
from keepclear.plans.conflicts import Conflict
from keepclear.plans.operations import Operation, State
from keepclear.plays.running import Played
from keepclear.record.entries import Entry, Part
from keepclear.record.envelopes import Envelope
from keepclear.record.files import EntryLine
from keepclear.record.headers import Act, read_act
from keepclear.record.verification import verify
from keepclear.record.views import view_of
from keepclear.reports.play_text import played_text
from keepclear.units import US_PER_S, parse_duration_us, parse_time_us
from tests.exchange_plays import EXAMPLES, example, played, unwrapped

NO_CASE: Final = {"probing.toml"}  # what a party could try; nobody is said to have
HISTORY: Final = sorted(each.name for each in EXAMPLES.glob("plays/*.toml"))


def parts_of(done: Played) -> Iterator[tuple[str, Part]]:
    """Yield audience and part of all that is in a record, in order."""
    for data in done.lines:
        line = msgspec.json.decode(data)
        if line["line"] == "entry":
            entry = msgspec.json.decode(msgspec.json.decode(data, type=EntryLine).entry, type=Entry)
            for leaf in entry.leaves:
                yield leaf.audience, msgspec.json.decode(leaf.part, type=Part)


def acts_of(done: Played, kind: str) -> list[tuple[int, Act]]:
    """Return the acts of a kind in a record, each with the time at which it was entered."""
    found = [
        (part.at_us, read_act(msgspec.json.decode(part.data, type=Envelope)))
        for _, part in parts_of(done)
        if part.kind == "act/1"
    ]
    return [(at_us, act) for at_us, act in found if act.kind == kind]


def told_to(done: Played, party: str) -> list[Notice]:
    """Return the notices of a party, in order."""
    return [
        msgspec.json.decode(part.data, type=Notice)
        for audience, part in parts_of(done)
        if part.kind == "notice/1" and audience == party
    ]


def seen_of(done: Played, party: str, name: str) -> list[Shown]:
    """Return what the notices of a party have shown it of an operation."""
    operation = id_of(done, name)
    return [each.other for each in told_to(done, party) if each.other.id == operation]


def world_after(done: Played, text: str, after: str) -> World:
    """Return the world of the record as it stood some time after the start of a play."""
    until_us = read_play(text.encode(), "play").start_us + parse_duration_us(after, "after")
    kept = []
    for data in done.lines:
        line = msgspec.json.decode(data)
        if line["line"] != "entry" or line["entry"]["at_us"] <= until_us:
            kept.append(data)
    return fold(kept)


def id_of(done: Played, name: str) -> str:
    return next(own_id for own_id, known in done.names.items() if known == name)


def operation_of(world: World, done: Played, name: str) -> Operation:
    return world.operations[id_of(done, name)]


def conflict_of(world: World, done: Played, *names: str) -> Conflict:
    pair = {id_of(done, name) for name in names}
    return next(each for each in world.conflicts.values() if {each.a, each.b} == pair)


def test_al_bab_2017_who_has_the_first_positions_can_neither_acknowledge_nor_activate() -> None:
    text = example("plays/al_bab_2017.toml")
    done = played(text)
    shown = [str(each.ovn) for each in seen_of(done, "b", "A1") if each.ovn]
    old, new = dict.fromkeys(shown)

    before = world_after(done, text, "3 h")
    refused = world_after(done, text, "9 h 4 min")
    after = fold(done.lines)

    assert operation_of(before, done, "A1").ovn == old
    assert operation_of(refused, done, "A1").ovn == new
    assert conflict_of(refused, done, "A1", "B1").acknowledged == ()
    assert operation_of(refused, done, "B1").state is not State.ACTIVATED
    acknowledged, activated = done.refused
    for each in (acknowledged, activated):
        assert each.act.by == "b"
        assert f"b holds version {old[:8]}, and a holds version {new[:8]}" in each.why
    assert conflict_of(after, done, "A1", "B1").acknowledged == ("b",)
    [(_, act)] = acts_of(done, "conflicts.acknowledge/1")
    assert act.party == "b"
    assert msgspec.json.decode(act.payload, type=AcknowledgeConflict).ovn == new


def test_black_hawk_1994_who_holds_another_version_is_told_who_holds_which() -> None:
    text = example("plays/black_hawk_1994.toml")
    done = played(text)
    [of_a, of_b] = [
        list(dict.fromkeys(str(each.ovn) for each in seen_of(done, party, "C1")))
        for party in ("a", "b")
    ]

    refused = world_after(done, text, "3 h 32 min")
    after = fold(done.lines)

    assert of_a == of_b
    old, new = of_a
    assert operation_of(refused, done, "C1").ovn == new
    assert operation_of(refused, done, "A1").state is State.ACTIVATED
    assert operation_of(refused, done, "B1").state is not State.ACTIVATED
    [only] = done.refused
    assert f"b holds version {old[:8]}, and c holds version {new[:8]}" in only.why
    assert operation_of(after, done, "B1").state is State.ACTIVATED
    keys = [
        msgspec.json.decode(act.payload, type=ActivateOperation).key
        for _, act in acts_of(done, "operations.activate/1")
    ]
    assert keys == [(new,), (new,)]


def test_il20_2018_fifty_seconds_are_late_by_the_rest_of_the_hour() -> None:
    done = played(example("plays/il20_2018.toml"))

    filed = operation_of(fold(done.lines), done, "B1")

    start_us = parse_time_us("2018-09-17T19:40:00Z")
    assert start_us - filed.filed_us == 50 * US_PER_S
    assert filed.late_us == (3_600 - 50) * US_PER_S  # the template's lead time is an hour
    assert filed.count == 4
    assert len(filed.volumes) == 2
    assert [each.count for each in seen_of(done, "a", "B1") if each.ovn] == [4, 4, 4]


def test_il20_2018_the_third_partys_zone_is_in_conflict_and_it_is_told_before_the_start() -> None:
    text = example("plays/il20_2018.toml")
    done = played(text)

    at_once = world_after(done, text, "2 h 39 min 10 s")

    for name, party in (("A1", "a"), ("C1", "c")):
        conflict = conflict_of(at_once, done, "B1", name)
        assert conflict.is_open
        assert conflict.must_act == (id_of(done, "B1"),)
        assert any(each.conflict == conflict.id for each in told_to(done, party))


def test_il20_2018_both_clocks_are_in_the_record_and_signed() -> None:
    done = played(example("plays/il20_2018.toml"))

    at_us, act = acts_of(done, "operations.file/1")[-1]

    assert act.party == "b"
    assert at_us - act.created_us == 20 * US_PER_S
    assert operation_of(fold(done.lines), done, "B1").filed_us == at_us
    assert verify(list(view_of(done.lines, "b")), done.keys).is_proven


def test_probing_learns_a_bit_a_filing_raises_the_alarm_at_the_tenth_and_ends_at_the_cap() -> None:
    text = example("plays/probing.toml")
    play, done = read_play(text.encode(), "play"), played(text)
    sweep = [act for act in play.acts if act.by == "a"]

    filed = [
        msgspec.json.decode(part.data, type=OperationFiled)
        for audience, part in parts_of(done)
        if part.kind == "operation-filed/1" and audience == "a"
    ]
    alarms = [
        (audience, part.at_us, msgspec.json.decode(part.data, type=FilingsCounted))
        for audience, part in parts_of(done)
        if part.kind == "filings-counted/1"
    ]

    assert len(sweep) == 12
    assert [each.takes_km2h for each in filed] == [34] * 11
    tenth_us = filed[9].operation.filed_us
    assert alarms == [("a,b", tenth_us, FilingsCounted(party="a", filings=10))]
    [refused] = done.refused
    assert refused.act == sweep[11]
    assert "374 taken and 34 more km2h: above 400 km2h" in refused.why
    # the answers themselves are whole: a conflict for each of the four that come within 5 NM
    met = {done.names[own] for each in fold(done.lines).conflicts.values()
           for own in (each.a, each.b)}  # fmt: skip
    assert met == {"B1", "A5", "A6", "A7", "A8"}
    story = unwrapped(played_text(play, done))
    assert "RATE ALARM: a has filed 10 times within an hour; both sides are told" in story
    assert "a filed 11 times: it learned 11 bits at most (in conflict or not)" in story
    assert "took 374 km2h of its day" in story
    theirs = unwrapped(played_text(play, done, "b"))
    assert "RATE ALARM: a has filed 10 times" in theirs
    assert "bits" not in theirs
    assert "A1" not in theirs


@pytest.mark.parametrize("name", HISTORY)
def test_the_record_of_a_historical_play_is_proven_for_all_and_for_each(name: str) -> None:
    text = example(f"plays/{name}")
    done = played(text)

    for party in (None, *read_play(text.encode(), name).parties):
        lines = done.lines if party is None else list(view_of(done.lines, party))
        assert verify(lines, done.keys).is_proven


@pytest.mark.parametrize("name", HISTORY)
def test_a_historical_play_is_an_exercise_of_parties_without_states(name: str) -> None:
    text = example(f"plays/{name}")
    play = read_play(text.encode(), name)
    done = played(text)

    assert set(play.parties.values()) <= {"Party A", "Party B", "Party C"}
    assert play.title.startswith("EXERCISE")
    assert ("One account says" in play.note) is (name not in NO_CASE)
    assert ("Disputed:" in text) is (name not in NO_CASE)
    world = fold(done.lines)
    statuses = {each.status for each in world.operations.values()}
    assert statuses | {each.status for each in world.messages.values()} == {"Exercise"}
    operations = [
        msgspec.json.decode(part.data, type=OperationFiled)
        for _, part in parts_of(done)
        if part.kind == "operation-filed/1"
    ]
    assert {each.operation.status for each in operations} <= {"Exercise"}
    for party in play.parties if operations else ():
        assert {each.says for each in told_to(done, party)} == {SAYS_NOTHING_ELSE}


def test_deir_ez_zor_2016_both_are_shown_both_places_and_another_on_watch_acts_in_a_minute() -> (
    None
):
    text = example("plays/deir_ez_zor_2016.toml")
    done = played(text)

    told = [
        (audience, msgspec.json.decode(part.data, type=MessageChanged))
        for audience, part in parts_of(done)
        if part.kind == "message-changed/1"
    ]
    read = [(to, each) for to, each in told if each.read_back is not None]
    assert {to for to, _ in read} == {"a,b"}
    (wrong, back), (right, _), _ = [(e.message, e.read_back) for _, e in read if e.read_back]

    # cases.md: 9 km in one account
    place, at = back.fields
    assert round((place.distance_m or 0) / 1_000) == 9
    assert (place.is_same, at.is_same) == (False, True)
    assert (wrong.is_confirmed, right.is_confirmed) == (False, True)
    _, call = fold(done.lines).messages.values()
    taken = call.first(Step.ACKNOWLEDGED)
    assert taken is not None
    # stories.md: the first human action within 60 s, by another on watch
    assert (call.person, taken.person) == ("usual-officer", "second-on-watch")
    assert taken.at_us - call.sent_us < 60 * US_PER_S
    assert call.overdue == ()
    for viewer in ("a", "b"):
        story = unwrapped(played_text(read_play(text.encode(), "play"), done, viewer))
        assert "sent as 35.26667N 040.08333E and read back as 35.35000N 040.08333E" in story


def test_brahmos_2022_an_accident_is_told_with_three_inputs_and_updates_are_appended() -> None:
    text = example("plays/brahmos_2022.toml")
    done = played(text)

    notice, *updates = fold(done.lines).messages.values()

    # stories.md: a notice of an accident in 3 inputs; updates appended
    assert [each.name for each in notice.values] == ["time", "place", "intent"]
    assert (notice.text, notice.is_confirmed, notice.overdue) == ("", True, ())
    start_us = read_play(text.encode(), "play").start_us
    assert notice.sent_us - start_us < 5 * 60 * US_PER_S  # and not 48 h later: cases.md
    assert [each.reply_to for each in updates] == [notice.id] * 2
    story = unwrapped(played_text(read_play(text.encode(), "play"), done, "b"))
    assert "5.3 Intent: not deliberate" in story
    assert "14.7 Persons injured: 0" in story


def test_tanf_2016_that_nobody_was_told_is_overdue_before_the_second_wave() -> None:
    text = example("plays/tanf_2016.toml")
    done = played(text)
    start_us = read_play(text.encode(), "tanf").start_us
    second_wave_us = start_us + 90 * 60 * US_PER_S  # cases.md: about 90 minutes later

    alarms = [
        (audience, part.at_us, msgspec.json.decode(part.data, type=MessageOverdue).overdue)
        for audience, part in parts_of(done)
        if part.kind == "message-overdue/1"
    ]

    # ROGER says that a STOP was heard, and answers it with nothing
    assert {each.step for _, _, each in alarms} == {Step.ANSWERED, Step.DISSEMINATED}
    assert {audience for audience, _, _ in alarms} == {"a,b"}
    # acknowledged after 288 s, and STOP has one minute: clause 4.1 of the template
    assert alarms[0][1] == alarms[0][2].due_us == start_us + 348 * US_PER_S
    assert all(at_us < second_wave_us for _, at_us, _ in alarms)
    missed = [
        (audience, part.at_us, event.check.of, event.line.state)
        for audience, part in parts_of(done)
        if part.kind == "line-checked/1"
        and (event := msgspec.json.decode(part.data, type=LineChecked)).check is not None
        and event.check.result is Result.MISSED
    ]
    # sent after 60 min; 10 min are the limit where no clause says otherwise (`line.checks.DEFAULT`)
    missed_us = start_us + 70 * 60 * US_PER_S
    assert missed == [("a,b", missed_us, "243.0 MHz", LineState.DOUBTFUL)]
    assert missed_us < second_wave_us
    [message] = world_after(done, text, "90 min").messages.values()
    assert message.first(Step.ACKNOWLEDGED) is not None
    assert message.first(Step.DISSEMINATED) is None
    assert message.posts == ("watch", "duty-officer", "representative")
