# SPDX-License-Identifier: Apache-2.0
"""All of the line done at random: what is to be told is, whatever else is done among it."""

from random import Random

import pytest

from keepclear.detect.compiled import plain
from keepclear.exchange.audit import audit
from keepclear.line.ladder import Step
from keepclear.plans.sar import Known
from tests.exchange_twins import Twins
from tests.incident_plays import MINUTE_US, file, staged
from tests.line_together import played
from tests.message_plays import URGENT_US, at, at_line, overdue, send, take, wait
from tests.record_plays import START_US
from tests.restored_stages import lost, restore
from tests.sar_plays import close, cry, go_on, where
from tests.stop_plays import at_stop, end, must_keep_out, renew, small, stop


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(6))
def test_all_that_is_to_be_told_is_and_nothing_else_whatever_is_done_together(seed: int) -> None:
    played(seed, 60)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(100, 103))
def test_it_is_so_wherever_the_exchange_stops_and_whatever_its_store_does(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("keepclear.plays.stage.Exchange", Twins)
    monkeypatch.setattr(Twins, "by", Random(seed))
    played(seed, 40, backs_up=False, begins_again=False)


@pytest.mark.long
def test_nor_is_it_otherwise_in_very_many() -> None:
    for seed in range(1_000, 1_100):
        played(seed, 120)


def test_a_late_act_takes_no_id_that_anothers_act_gave_at_the_same_time() -> None:
    stage = staged()
    stage.exchange.beat()
    backup = stage.lines
    operation = file(stage, "a", small(35.0))
    made = cry(stage, "a", party="b", where=where(36.0), known=Known())  # a reads what follows it
    stage.exchange.beat()
    whole = stage.lines
    assert restore(stage, backup)
    again = file(stage, "c", small(35.0))  # so that what a has filed is in conflict now

    for party in "ab":
        for each in lost(stage, party, whole):
            stage.exchange.hand_in(each.receipts, party)

    world = stage.exchange.world
    assert world.operations.keys() == {operation.id, again.id}
    assert world.messages.keys() == {*made.messages}
    assert len(world.conflicts) == 1
    assert not world.conflicts.keys() & world.messages.keys()


@pytest.mark.parametrize("is_sar", [True, False])
def test_what_was_renewed_since_is_not_ended_by_a_late_act(is_sar: bool) -> None:  # noqa: FBT001
    for is_renewed in (True, False):
        stage = at_line()
        old = file(stage, "c", small(35.0)).id
        made = cry(stage) if is_sar else stop(stage)
        stage.exchange.beat()
        backup = stage.lines
        wait(stage, MINUTE_US)
        (close if is_sar else end)(stage, made)
        stage.exchange.beat()
        whole = stage.lines
        assert restore(stage, backup)
        wait(stage, 2 * MINUTE_US)
        if is_renewed:
            (go_on if is_sar else renew)(stage, made)
        [each] = lost(stage, "a", whole)

        stage.exchange.hand_in(each.receipts, "a")

        assert must_keep_out(stage, old) == at_stop(stage, made).is_protecting == is_renewed
        stage.exchange.beat()
        assert audit(stage.lines, plain()).differences == ()


def test_what_is_due_when_a_message_goes_on_is_overdue_once_it_is_acknowledged_late() -> None:
    stage = at_line()
    own = send(stage)
    stage.exchange.beat()
    backup = stage.lines
    take(stage, own, Step.DELIVERED, Step.DISPLAYED, Step.ACKNOWLEDGED)  # as soon as it was sent
    stage.exchange.beat()
    whole = stage.lines
    assert restore(stage, backup)
    wait(stage, URGENT_US)
    for each in lost(stage, "b", whole):
        stage.exchange.hand_in(each.receipts, "b")

    wait(stage, URGENT_US + 1)

    assert (Step.DISSEMINATED, "duty-officer", URGENT_US, "representative") in overdue(
        at(stage, own)
    )
    stage.exchange.beat()
    assert audit(stage.lines, plain()).differences == ()


def test_what_falls_due_again_at_the_very_time_of_a_restore_is_told_twice() -> None:
    """One deadline has passed, and that of the next post is at the time of the new beginning."""
    stage = at_line()
    own = send(stage)
    take(stage, own, Step.DELIVERED, Step.DISPLAYED, Step.ACKNOWLEDGED)  # one step is missing
    stage.exchange.beat()
    stage.clock.move_to(START_US + 2 * URGENT_US)
    assert restore(stage, stage.lines)

    wait(stage, 2 * URGENT_US)

    assert overdue(at(stage, own)) == [
        (Step.DISSEMINATED, "watch", URGENT_US, "duty-officer"),
        (Step.DISSEMINATED, "duty-officer", 2 * URGENT_US, "representative"),
    ]
    wait(stage, 2 * URGENT_US + 1)
    stage.exchange.beat()
    assert audit(stage.lines, plain()).differences == ()
