# SPDX-License-Identifier: Apache-2.0
"""An exchange that stops and begins again from its record goes on as if it had never stopped."""

from collections.abc import Callable
from contextlib import suppress
from random import Random

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import MultipleResults, initialize, rule

from keepclear.errors import CallerError
from keepclear.exchange.views import Answer, Disclosed
from keepclear.record.envelopes import Envelope
from tests import test_exchange_agreements, test_incidents
from tests.exchange_twins import Twins
from tests.test_exchange_machine import Exchanging, ExchangingBitByBit
from tests.test_incidents_machine import WAYS, Cases


@pytest.fixture
def twins(monkeypatch: pytest.MonkeyPatch) -> type[Twins]:
    """Let each stage have an exchange that stops, beside the one that does not."""
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

        self.stage.exchange.submit = noted  # type: ignore[method-assign]
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
    max_examples=15, stateful_step_count=30, deadline=None, phases=[Phase.generate],
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


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize(
    "told",
    [
        test_exchange_agreements.test_an_older_copy_lifts_no_suspension,
        test_exchange_agreements.test_what_two_parties_state_on_copies_of_their_own_is_joined,
        test_exchange_agreements.test_what_is_dated_ahead_by_less_than_clocks_may_differ_takes_effect_at_its_time,
        test_exchange_agreements.test_a_denunciation_counts_from_when_it_was_stated_not_from_when_it_was_carried,
        test_exchange_agreements.test_an_annex_comes_into_force_by_time_alone,
        test_exchange_agreements.test_with_a_revoked_signature_an_agreement_stands_anew_and_so_do_conflicts,
        test_exchange_agreements.test_a_key_document_with_a_key_of_the_other_party_is_refused_whole,
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
