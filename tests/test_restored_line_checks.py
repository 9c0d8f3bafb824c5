# SPDX-License-Identifier: Apache-2.0
"""Checks of lines over a backup that was restored: they stand, fall due, and come late."""

from keepclear.exchange.picture import Picture, told_in
from keepclear.line.checks import Result
from tests.line_check_plays import (
    ANSWER_US,
    MISSED_US,
    SLOT_US,
    answer,
    check,
    checking,
    line,
    until,
)
from tests.record_plays import START_US
from tests.restored_stages import lost, parts_of, restore
from tests.test_restored import check as check_world

SECOND_US = 1_000_000


def test_checks_and_agreed_times_fall_due_after_the_backup_as_they_would_have() -> None:
    stage = checking()
    own = check(stage)
    stage.exchange.beat()
    before = line(stage)

    assert restore(stage, stage.lines)

    assert line(stage) == before
    until(stage, START_US + MISSED_US)
    assert stage.exchange.world.line_checks[own].result is Result.MISSED
    until(stage, SLOT_US + ANSWER_US)
    assert line(stage).missed == 2
    check_world(stage)


def test_a_party_folds_the_same_lines_from_the_new_incarnation_alone() -> None:
    stage = checking()
    answer(stage, check(stage))
    check(stage)
    stage.exchange.beat()
    world = stage.exchange.world
    known = dict(world.lines_checked), dict(world.line_checks)

    assert restore(stage, stage.lines)

    for party, held in (("a", known), ("b", known), ("c", ({}, {}))):
        picture = Picture(party, {}, {})
        for each in parts_of(stage.lines, party):
            picture.take(told_in(each))
        assert (picture.lines, picture.checks) == held


def test_a_check_and_its_answer_that_the_backup_did_not_have_come_late_with_the_same_id() -> None:
    stage = checking()
    stage.exchange.beat()
    backup = stage.lines
    until(stage, START_US + 10 * SECOND_US)
    own = check(stage)
    until(stage, START_US + 20 * SECOND_US)
    before = answer(stage, own)
    stage.exchange.beat()
    whole = stage.lines
    until(stage, START_US + 60 * SECOND_US)
    assert restore(stage, backup)

    for party in ("a", "b"):
        for each in lost(stage, party, whole):
            stage.exchange.hand_in(each.receipts, party)

    made = stage.exchange.world.line_checks[own]
    assert list(stage.exchange.world.line_checks) == [own]
    assert (made.answer, made.sent_us, made.act) == (before.answer, before.sent_us, before.act)
    assert made.result is Result.OK
    check_world(stage)
