# SPDX-License-Identifier: Apache-2.0
"""Acts that are written together: each is decided as by itself, and all are there or none is."""

from collections.abc import Sequence

import pytest

from keepclear.errors import CallerError
from keepclear.exchange.folding import fold
from keepclear.exchange.ports import NotWritten
from keepclear.plans import acts
from keepclear.plans.operations import State
from keepclear.plays.stage import Stage
from keepclear.record.envelopes import Envelope
from keepclear.record.verification import verify
from keepclear.store.memory import MemoryStore
from tests import test_exchange_agreements
from tests.agreement_plays import agreement
from tests.exchange_twins import kept_of, told
from tests.incident_plays import filed, volume
from tests.record_plays import START_US
from tests.test_begin_again import begun, full
from tests.two_worlds import MINUTE_US, separation

HOUR_US = 60 * MINUTE_US


def some_acts(stage: Stage) -> list[tuple[Envelope, str]]:
    """Return acts of two parties, of which one is refused and the last is the first once more."""
    first = next(iter(stage.exchange.world.operations))
    made = [
        ("a", "operations.file/1", acts.FileOperation(operation=filed(volume()))),
        ("b", "operations.file/1", acts.FileOperation(operation=filed(volume()))),
        ("b", "operations.cancel/1", acts.CancelOperation(id=first)),  # it is a's
        ("a", "operations.cancel/1", acts.CancelOperation(id=first)),
    ]
    envelopes = [(stage.envelope(party, kind, payload), party) for party, kind, payload in made]
    return [*envelopes, envelopes[0]]


def outcomes(stage: Stage, sent: Sequence[tuple[Envelope, str]]) -> list[object]:
    """Submit acts one after another; return what each sender is told."""
    found: list[object] = []
    for envelope, party in sent:
        try:
            found.append(told(stage.exchange.submit(envelope, party)))
        except CallerError as fault:
            found.append(str(fault))
    return found


def test_acts_written_together_lead_to_what_they_lead_to_one_by_one() -> None:
    one_by_one, at_once = begun(), begun()
    sent = some_acts(one_by_one)
    assert some_acts(at_once) == sent

    alone = outcomes(one_by_one, sent)
    with at_once.exchange.together():
        together = outcomes(at_once, sent)

    assert together == alone
    assert "is no operation of b" in str(alone[2])
    assert alone[4] == alone[0]
    assert at_once.lines == one_by_one.lines
    assert kept_of(at_once.exchange._kept) == kept_of(one_by_one.exchange._kept)


def test_acts_written_together_are_one_append(monkeypatch: pytest.MonkeyPatch) -> None:
    stage = begun()
    sent = some_acts(stage)
    appended: list[int] = []
    append = MemoryStore.append

    def counting(store: MemoryStore, lines: Sequence[bytes]) -> None:
        appended.append(len(lines))
        append(store, lines)

    monkeypatch.setattr(MemoryStore, "append", counting)
    with stage.exchange.together():
        outcomes(stage, sent)
        assert not appended
    stage.exchange.beat()

    assert appended[0] == 3
    assert len(appended) == 2
    assert verify(stage.lines, stage.keys).is_proven


def test_of_acts_that_are_not_written_none_has_happened(monkeypatch: pytest.MonkeyPatch) -> None:
    stage, other = begun(), begun()
    for each in (stage, other):
        each.exchange._region = each.exchange._region._replace(hash_every=1)
        each.submit("a", "operations.file/1", acts.FileOperation(operation=filed(volume())))
    before, lines = kept_of(stage.exchange._kept), stage.lines
    sent = some_acts(stage)
    some_acts(other)

    def do() -> None:
        with stage.exchange.together():
            outcomes(stage, sent)
            stage.exchange.beat()

    with full(monkeypatch), pytest.raises(NotWritten):
        do()

    assert (kept_of(stage.exchange._kept), stage.lines) == (before, lines)
    alone, again = (outcomes(each, sent) for each in (other, stage))
    assert [each.state for each in stage.exchange.world.operations.values()] == [
        each.state for each in other.exchange.world.operations.values()
    ]
    assert [type(each) for each in again] == [type(each) for each in alone]
    assert fold(stage.lines).hash == stage.exchange.world.hash


def test_what_fell_due_in_a_batch_that_is_not_written_falls_due_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stage = begun()

    def do() -> None:
        with stage.exchange.together():
            filing = acts.FileOperation(operation=filed(volume()))
            stage.submit("a", "operations.file/1", filing)
            stage.clock.move_to(START_US + 48 * HOUR_US)
            stage.exchange.pass_time()

    with full(monkeypatch), pytest.raises(NotWritten):
        do()

    stage.exchange.pass_time()

    assert {each.state for each in stage.exchange.world.operations.values()} == {State.ENDED}
    assert len(stage.exchange.world.operations) == 2


def test_keys_and_agreements_of_a_batch_that_is_not_written_are_as_before(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stage = test_exchange_agreements.staged()
    test_exchange_agreements.two_near(stage)
    before = kept_of(stage.exchange._kept)
    wide = agreement(id="wide", clauses=(separation("20 NM / 3000 ft"),))

    def do() -> None:
        with stage.exchange.together():
            stage.join("newcomer")
            stage.carry(stage.signed(wide), wide)
            with pytest.raises(CallerError):
                stage.submit("a", "operations.cancel/1", acts.CancelOperation(id="0" * 32))

    with full(monkeypatch), pytest.raises(NotWritten):
        do()

    assert kept_of(stage.exchange._kept) == before
    assert "newcomer" not in stage.exchange.keys.parties()


def test_an_exchange_that_does_not_know_whether_a_batch_was_written_shows_nothing_of_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stage = begun()
    before = kept_of(stage.exchange._kept)
    sent = some_acts(stage)

    def cut_off(*_: object) -> None:
        raise OSError(5, "cut off")

    with monkeypatch.context() as broken:
        broken.setattr(MemoryStore, "append", cut_off)
        with pytest.raises(OSError, match="cut off"), stage.exchange.together():
            outcomes(stage, sent)

    assert kept_of(stage.exchange._kept) == before
