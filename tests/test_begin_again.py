# SPDX-License-Identifier: Apache-2.0
"""An exchange that stops and begins again from its record goes on as if it had never stopped."""

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from inspect import signature
from random import Random
from types import ModuleType
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import MultipleResults, initialize, rule
from msgspec.structs import replace

from keepclear.agreement.rules_toml import parse_short
from keepclear.detect.compiled import plain
from keepclear.errors import CallerError, OperatorError
from keepclear.exchange.folding import fold
from keepclear.exchange.ports import NotWritten
from keepclear.exchange.reopening import Following, reopened
from keepclear.exchange.views import Answer, Disclosed
from keepclear.exchange.world import World, undo
from keepclear.plans import acts
from keepclear.plans.conflicts import State
from keepclear.plays.stage import Stage
from keepclear.record.encoding import encode
from keepclear.record.entries import Entry, Part
from keepclear.record.envelopes import Envelope
from keepclear.record.files import AnyLine, EntryLine
from keepclear.record.keys import Signer
from keepclear.record.verification import verify
from keepclear.store.memory import MemoryStore
from tests import (
    test_acknowledging,
    test_exchange_agreements,
    test_exchange_durations,
    test_incidents,
    test_lapses,
    test_late,
    test_line_checks,
    test_message_answers,
    test_messages,
    test_none_here,
    test_out_of_plan,
    test_probing,
    test_rules_of_acts,
    test_stops,
)
from tests.agreement_plays import DAY_US, agreement
from tests.exchange_twins import Twins, kept_of
from tests.key_plays import change_key
from tests.record_plays import START_US
from tests.test_exchange_machine import Exchanging, ExchangingBitByBit
from tests.test_incidents_machine import WAYS, Cases
from tests.test_lapses import THEIRS, closed_at, met
from tests.test_messages_machine import Line
from tests.test_rules_of_the_door import NUMBERED, a_and_b
from tests.two_worlds import MINUTE_US, filed, separation


@pytest.fixture
def twins(monkeypatch: pytest.MonkeyPatch) -> type[Twins]:
    """Let each stage have an exchange that stops, beside the one that does not."""
    for name in ("by", "often", "hash_every", "stops", "failures"):
        monkeypatch.setattr(Twins, name, getattr(Twins, name))
    monkeypatch.setattr("keepclear.plays.stage.Exchange", Twins)
    return Twins


class Stopping(Exchanging):
    """Random acts, on an exchange that stops at random places and whose store fails."""

    @initialize(target=Exchanging.operations, seed=st.integers(0, 2**32))
    def begin(self, seed: int) -> MultipleResults[str]:
        self.patched = pytest.MonkeyPatch()
        self.patched.setattr("keepclear.plays.stage.Exchange", Twins)
        Twins.by = Random(seed)
        self.sent: list[tuple[Envelope, str]] = []
        made: MultipleResults[str] = super().begin()
        submit = self.stage.exchange.submit

        def noted(envelope: Envelope, sender: str) -> Disclosed[Answer]:
            self.sent.append((envelope, sender))
            return submit(envelope, sender)

        self.stage.exchange.submit = noted  # type: ignore[method-assign,assignment]
        return made

    @rule(place=st.integers(0, 10))
    def send_again(self, place: int) -> None:
        for envelope, sender in self.sent[-1 - place :][:1]:
            with suppress(CallerError):
                self.stage.exchange.submit(envelope, sender)

    @rule(minutes=st.integers(1, 600))
    def be_down(self, minutes: int) -> None:
        self.stage.clock.move_to(self.stage.clock.now_us() + minutes * 60_000_000)
        self.stage.exchange.pass_time()

    @rule()
    def beat(self) -> None:
        self.stage.exchange.beat()

    @rule()
    def change_the_exchanges_key(self) -> None:
        change_key(self.stage)

    @rule(off_us=st.sampled_from([0, 5_000_000]))
    def let_clocks_differ(self, off_us: int) -> None:
        self.stage.exchange.hold_time(off_us)
        self.stage.exchange.pass_time()

    def every_pair_in_conflict_has_one_and_no_other_has(self) -> None:
        """Leave it to the exchange that never stops: both hold the same."""

    def teardown(self) -> None:
        try:
            super().teardown()
        finally:
            if hasattr(self, "patched"):
                self.patched.undo()


class StoppingBitByBit(Stopping, ExchangingBitByBit):
    """The same where what an agreement changes is looked at bit by bit."""


TestStopping = pytest.mark.slow(Stopping.TestCase)
TestStoppingBitByBit = pytest.mark.slow(StoppingBitByBit.TestCase)
TestStoppingBitByBit.settings = TestStopping.settings = settings(
    max_examples=8, stateful_step_count=30, deadline=None, phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)  # fmt: skip


@pytest.mark.slow
@settings(max_examples=10, deadline=None, phases=[Phase.generate],
          suppress_health_check=list(HealthCheck))  # fmt: skip
@given(seed=st.integers(0, 2**64 - 1))
def test_statements_and_cases_go_on_where_the_exchange_stopped(
    seed: int, twins: type[Twins]
) -> None:
    by, twins.by = Random(seed), Random(seed)
    cases = Cases()
    for _ in range(40):
        by.choice(WAYS)(cases, by)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(6))
def test_messages_and_their_deadlines_stand_wherever_the_exchange_stops(
    seed: int, twins: type[Twins]
) -> None:
    by, twins.by = Random(seed), Random(seed)
    line = Line(begins_again=False)
    for _ in range(60):
        line.do(by)


def beats_between_filings() -> None:
    """Let two file and the exchange sign, several times over."""
    stage = test_exchange_agreements.staged()
    for _ in range(6):
        test_exchange_agreements.two_near(stage)
        stage.exchange.beat()

    assert verify(stage.lines, stage.keys).is_proven


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(
    "told",
    [
        test_exchange_agreements.test_an_older_copy_lifts_no_suspension,
        test_exchange_agreements.test_what_two_parties_state_on_copies_of_their_own_is_joined,
        test_exchange_agreements.test_what_is_dated_ahead_by_less_than_clocks_may_differ_takes_effect_at_its_time,
        test_exchange_agreements.test_a_denunciation_counts_from_when_it_was_stated_not_from_when_it_was_carried,
        test_exchange_agreements.test_an_agreement_comes_into_force_and_ends_by_time_alone,
        test_exchange_agreements.test_an_agreement_comes_into_force_seconds_after_it_was_carried,
        test_exchange_agreements.test_an_annex_comes_into_force_by_time_alone,
        test_exchange_agreements.test_with_a_revoked_signature_an_agreement_stands_anew_and_so_do_conflicts,
        test_exchange_agreements.test_a_key_document_with_a_key_of_the_other_party_is_refused_whole,
        beats_between_filings,
        test_incidents.test_a_reply_that_does_not_come_is_overdue_when_it_falls_due_and_both_are_told_once,
    ],
)  # fmt: skip
def test_what_holds_of_agreements_keys_and_cases_holds_where_the_exchange_stops(
    told: Callable[[], None], seed: int, twins: type[Twins]
) -> None:
    twins.by, twins.stops, twins.failures = Random(seed), 0, 0
    twins.often = 0.9

    told()

    assert twins.stops + twins.failures


def plays_of(*modules: ModuleType) -> list[Callable[[], None]]:
    """Return the tests of modules that need nothing handed in."""
    return [
        each
        for module in modules
        for name, each in vars(module).items()
        if name.startswith("test_")
        and not hasattr(each, "hypothesis")
        and not signature(each).parameters
        and "begin_again" not in each.__code__.co_names  # it does so without a twin
    ]


@pytest.mark.parametrize(
    "told",
    plays_of(
        test_acknowledging, test_exchange_durations, test_incidents, test_lapses, test_late,
        test_line_checks, test_message_answers, test_messages, test_none_here, test_out_of_plan,
        test_probing, test_rules_of_acts, test_stops,
    ),
)  # fmt: skip
def test_what_is_told_of_each_rule_holds_where_the_exchange_stops(
    told: Callable[[], None], twins: type[Twins]
) -> None:
    twins.by, twins.often, twins.hash_every = Random(told.__name__), 0.5, 10_000

    told()


# --- what is over by time alone ---------------------------------------------------------------


def test_what_lapses_while_the_exchange_is_down_is_entered_first_and_with_its_own_time() -> None:
    play, _, theirs = met(a_and_b(NUMBERED))
    play.file("c", THEIRS)
    play.at(83)
    play.stage.clock.move_to(START_US + 100 * MINUTE_US)
    play.stage.begin_again()

    assert play.do("b", "operations.cancel/1", acts.CancelOperation(id=theirs)) == ""

    assert closed_at(play) == [85]
    assert closed_at(play, "c") == [90]
    assert fold(play.stage.lines).hash == play.stage.exchange.world.hash


def test_the_index_goes_on_with_what_is_over_by_its_time_in_a_conflict() -> None:
    play, ours, theirs = met(a_and_b(NUMBERED))
    play.at(83)
    play.stage.begin_again()

    own = play.stage.exchange.world.operations[theirs]
    longer = dataclasses.replace(THEIRS, lasts=100)
    changed = acts.UpdateOperation(id=theirs, ovn=own.ovn, operation=filed(longer))
    assert play.do("b", "operations.update/1", changed) == ""

    world = play.stage.exchange.world
    [conflict] = [each for each in world.conflicts_of(ours) if each.other(ours) == theirs]
    assert conflict.state is State.RAISED
    play.at(86)
    assert closed_at(play) == [85]


def test_a_record_that_is_read_along_in_pieces_leads_to_the_same() -> None:
    play, _, _ = met(a_and_b(NUMBERED))
    play.file("c", THEIRS)
    play.stage.exchange.beat()
    play.at(86)
    play.stage.exchange.beat()
    lines, stage, by = play.stage.lines, play.stage, Random(3)
    whole = reopened(lambda: lines, stage._opened, [stage._signer.public], plain())

    for _ in range(5):
        along = Following(stage._opened, plain())
        while along.count < len(lines):
            along.read(lines[along.count : along.count + by.randint(0, 5)])
        kept = along.result([stage._signer.public])
        assert kept_of(kept) == kept_of(whole)
        assert vars(kept.due) == vars(whole.due)
        assert vars(kept.answers) == vars(whole.answers)


def test_a_beat_that_does_not_hold_is_found_while_it_is_read_along() -> None:
    stage = begun()
    lines = stage.lines
    entries = [place for place, each in enumerate(lines) if each.startswith(b'{"line":"entry"')]
    del lines[entries[-1]]  # a beat stands after it
    along = Following(stage._opened, plain())

    with pytest.raises(OperatorError, match="is the digest of what is there, and was not signed"):
        along.read(lines)


def test_on_a_machine_whose_clock_is_behind_time_in_the_record_stands_until_it_has_come() -> None:
    stage = begun()
    last_us = stage.exchange._kept.ledger.chain.at_us
    made = acts.CancelOperation(id=next(iter(stage.exchange.world.operations)))
    envelope = stage.envelope("a", "operations.cancel/1", made)
    stage.clock._now_us = last_us - MINUTE_US // 60  # another node's, a second behind
    stage.begin_again()

    stage.exchange.submit(envelope, "a")

    assert stage.exchange._kept.ledger.chain.at_us == last_us
    assert fold(stage.lines).hash == stage.exchange.world.hash


# --- what it does not go on with --------------------------------------------------------------


def begun() -> Stage:
    """Return a stage on which two are in conflict, up to a beat."""
    stage = test_exchange_agreements.staged()
    test_exchange_agreements.two_near(stage)
    stage.exchange.beat()
    return stage


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"house": parse_short("1 NM / 1000 ft")}, "house rule 1 NM / 1000 ft; begin with what"),
        ({"exchange": "other.example/exercise"}, "is not what is given"),
        ({"incarnation": 2}, "is not exercise 2; give the archive of this region"),
        ({"name": "west"}, "is not west 1; give the archive of this region"),
    ],
)
def test_an_exchange_goes_on_only_as_its_region_was_opened(
    changes: dict[str, Any], why: str
) -> None:
    stage = begun()
    stage._opened = stage._opened._replace(**changes)

    with pytest.raises(OperatorError, match=why):
        stage.begin_again()


def test_an_exchange_goes_on_only_with_a_key_that_signs_its_record() -> None:
    stage = begun()
    stage._signer = Signer(b"6" * 32)

    with pytest.raises(OperatorError, match="does not sign this record"):
        stage.begin_again()


def spoilt(stage: Stage, change: Callable[[Entry], Entry]) -> Stage:
    """Return a stage whose last entry is another."""
    lines = [msgspec.json.decode(each, type=AnyLine) for each in stage.lines]
    place = max(n for n, each in enumerate(lines) if isinstance(each, EntryLine))
    line = lines[place]
    assert isinstance(line, EntryLine)
    made = change(msgspec.json.decode(line.entry, type=Entry))
    lines[place] = EntryLine(entry=msgspec.Raw(encode(made)))
    stage._store = MemoryStore.holding(stage._header, [encode(each) for each in lines[1:]])
    return stage


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (
            lambda entry: replace(
                entry, leaves=(replace(entry.leaves[0], salt=bytes(32)), *entry.leaves[1:])
            ),
            "is the digest of what is there, and was not signed",
        ),
        (
            lambda entry: replace(entry, leaves=(
                replace(entry.leaves[0], part=msgspec.Raw(encode(Part(
                    kind="strange/1", at_us=entry.at_us, data=msgspec.Raw(b"{}")
                )))), *entry.leaves[1:],
            )),
            "strange/1 'strange/1': is not known here; update this program",
        ),
        (lambda entry: replace(entry, seq=entry.seq + 1), "which comes next"),
        (lambda entry: replace(entry, previous=bytes(32)), "is not the hash of the entry before"),
    ],
)  # fmt: skip
def test_an_exchange_does_not_go_on_with_a_record_that_does_not_hold(
    change: Callable[[Entry], Entry], why: str
) -> None:
    with pytest.raises(OperatorError, match=why):
        spoilt(begun(), change).begin_again()


@pytest.mark.parametrize(
    ("lines", "why"),
    [
        ([b"{"], "line 2 .* cannot be read"),
        ([b'{"line":"entry","entry":{}}'], "line 2 .* cannot be read"),
    ],
)
def test_a_line_that_cannot_be_read_is_named(lines: list[bytes], why: str) -> None:
    stage = begun()
    stage._store = MemoryStore.holding(stage._header, lines)

    with pytest.raises(OperatorError, match=why):
        stage.begin_again()


def test_a_record_in_which_something_is_before_the_opening_is_not_gone_on_with() -> None:
    stage = begun()
    entry = msgspec.json.decode(stage.lines[2], type=EntryLine).entry
    first = replace(msgspec.json.decode(entry, type=Entry), seq=0, previous=bytes(32))
    line = encode(EntryLine(entry=msgspec.Raw(encode(first))))
    stage._store = MemoryStore.holding(stage._header, [line])

    with pytest.raises(OperatorError, match="is before the region was opened"):
        stage.begin_again()


# --- what was not written ---------------------------------------------------------------------


@contextmanager
def full(patch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let the store keep nothing, and know it."""

    def refuse(*_: object) -> None:
        raise NotWritten("no space left")

    with patch.context() as broken:
        broken.setattr(MemoryStore, "append", refuse)
        yield


def test_what_is_known_not_to_be_written_is_taken_back_and_the_exchange_goes_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stage = begun()
    before, lines = kept_of(stage.exchange._kept), stage.lines
    made = acts.CancelOperation(id=next(iter(stage.exchange.world.operations)))
    envelope = stage.envelope("a", "operations.cancel/1", made)

    with full(monkeypatch):
        with pytest.raises(NotWritten, match="no space left"):
            stage.exchange.submit(envelope, "a")
        with pytest.raises(NotWritten, match="no space left"):
            stage.exchange.beat()

    assert (kept_of(stage.exchange._kept), stage.lines) == (before, lines)
    assert stage.exchange.submit(envelope, "a").value.parts
    assert fold(stage.lines).hash == stage.exchange.world.hash


def test_what_falls_due_and_is_not_written_falls_due_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stage = begun()
    stage.clock.move_to(START_US + DAY_US)

    with full(monkeypatch), pytest.raises(NotWritten):
        stage.exchange.pass_time()
    assert any(each.is_protecting for each in stage.exchange.world.operations.values())

    stage.exchange.pass_time()
    assert not any(each.is_protecting for each in stage.exchange.world.operations.values())


@pytest.mark.parametrize("spoils", ["undoes nothing", "loses an object"])
def test_a_world_that_could_not_be_taken_back_is_made_anew_from_the_record(
    spoils: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage = begun()
    before = kept_of(stage.exchange._kept)
    own_id = next(iter(stage.exchange.world.operations))

    def badly(world: World, _mark: int) -> None:
        if spoils == "loses an object":
            undo(world)
            del world.operations[own_id]
        world.undo_log.clear()

    with full(monkeypatch), monkeypatch.context() as broken:
        broken.setattr("keepclear.exchange.batch.undo", badly)
        with pytest.raises(NotWritten):
            stage.submit("a", "operations.cancel/1", acts.CancelOperation(id=own_id))

    assert kept_of(stage.exchange._kept) == before


def test_an_act_that_was_written_and_not_answered_gets_its_answer_when_it_is_sent_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stage = begun()
    made = acts.CancelOperation(id=next(iter(stage.exchange.world.operations)))
    envelope = stage.envelope("a", "operations.cancel/1", made)
    append = MemoryStore.append

    def cut_off(store: MemoryStore, lines: Sequence[bytes]) -> None:
        append(store, lines)
        raise OSError(5, "cut off")

    with monkeypatch.context() as broken:
        broken.setattr(MemoryStore, "append", cut_off)
        with pytest.raises(OSError, match="cut off"):
            stage.exchange.submit(envelope, "a")
    with pytest.raises(OperatorError, match="begin again from what is written"):
        stage.exchange.submit(envelope, "a")

    lines = stage.lines
    stage.begin_again()
    parts = stage.exchange.submit(envelope, "a").value.parts
    assert [each.kind for each in parts][:2] == ["act/1", "operation-moved/1"]
    assert stage.lines == lines


def test_an_index_that_an_act_widened_and_that_was_not_written_is_as_before(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stage = begun()
    before = kept_of(stage.exchange._kept)
    wide = agreement(id="wide", clauses=(separation("20 NM / 3000 ft"),))

    with full(monkeypatch), pytest.raises(NotWritten):
        stage.carry(stage.signed(wide), wide)

    assert kept_of(stage.exchange._kept) == before
    stage.carry(stage.signed(wide), wide)
    assert stage.exchange._kept.near.reach != before["near"]
