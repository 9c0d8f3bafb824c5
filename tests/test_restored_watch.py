# SPDX-License-Identifier: Apache-2.0
"""Shifts and calls over a backup that was restored: they stand, and come late with the same ids."""

from keepclear.exchange.picture import Picture, told_in
from tests.message_plays import send
from tests.record_plays import START_US
from tests.restored_stages import lost, parts_of, restore
from tests.shift_plays import (
    NIGHT,
    SECOND_US,
    annotated,
    at_watch,
    closed,
    log,
    opened,
    signed,
)
from tests.test_restored import check as check_world


def test_shifts_and_calls_stand_after_the_backup_as_they_stood() -> None:
    stage = at_watch()
    own, urgent, call = opened(stage), send(stage), log(stage)
    opened(stage, "night-lead", NIGHT, takes=(urgent,))
    stage.exchange.beat()
    world = stage.exchange.world
    shifts, calls = dict(world.shifts), dict(world.calls)

    assert restore(stage, stage.lines)

    assert (stage.exchange.world.shifts, stage.exchange.world.calls) == (shifts, calls)
    for party, held in (("a", ({}, calls)), ("b", (shifts, calls)), ("c", ({}, {}))):
        picture = Picture(party, {}, {})
        for each in parts_of(stage.lines, party):
            picture.take(told_in(each))
        assert (picture.shifts, picture.calls) == held
    closed(stage, own)
    annotated(stage, call)
    check_world(stage)


def test_what_the_backup_did_not_have_comes_late_as_the_same_persons_have_signed_it() -> None:
    stage = at_watch()
    send(stage)
    stage.exchange.beat()
    backup = stage.lines
    stage.clock.move_to(START_US + 10 * SECOND_US)
    [urgent] = stage.exchange.world.messages
    own, call = opened(stage), log(stage)
    opened(stage, "night-lead", NIGHT, takes=(urgent,))
    closed(stage, own, to="night-lead")
    signed(stage, call)
    stage.exchange.beat()
    whole = stage.lines
    before = dict(stage.exchange.world.shifts), dict(stage.exchange.world.calls)
    stage.clock.move_to(START_US + 60 * SECOND_US)
    assert restore(stage, backup)

    for party in ("a", "b"):
        for each in lost(stage, party, whole):
            stage.exchange.hand_in(each.receipts, party)

    assert (dict(stage.exchange.world.shifts), dict(stage.exchange.world.calls)) == before
    check_world(stage)
