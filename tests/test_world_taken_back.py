# SPDX-License-Identifier: Apache-2.0
"""The hash of the world is that of what stands now, whenever it is asked for."""

import pytest

from keepclear.detect.compiled import plain
from keepclear.exchange.events import MoreFound, OperationFiled, OperationMoved
from keepclear.exchange.folding import fold
from keepclear.exchange.world import evolve, undo
from keepclear.plans import acts
from keepclear.plans.operations import State
from keepclear.plans.understood import understood
from keepclear.plays.stage import Stage
from keepclear.record.headers import Status
from tests.exchange_plays import CountedIds
from tests.incident_plays import HOUSE, filed, volume
from tests.record_plays import START_US


def staged() -> Stage:
    stage = Stage("exercise", START_US, Status.EXERCISE, HOUSE, CountedIds(), plain())
    for party in ("a", "b"):
        stage.join(party)
        stage.submit(party, "operations.file/1", acts.FileOperation(operation=filed(volume())))
    return stage


@pytest.mark.parametrize("most", [0, 256])
@pytest.mark.parametrize("times_asked", [0, 1])
def test_what_is_taken_back_leaves_the_hash_that_was(
    most: int, times_asked: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("keepclear.exchange.world.MOST_UNHASHED", most)
    world = staged().exchange.world
    before = world.hash
    one, other = world.operations.values()

    evolve(world, OperationMoved(id=one.id, state=State.ENDED))
    evolve(world, OperationFiled(operation=other, understood=understood(other), takes_km2h=3))
    for _ in range(times_asked):
        assert world.hash != before
    undo(world)

    assert world.hash == before


@pytest.mark.parametrize("most", [0, 2, 256])
def test_however_often_objects_are_hashed_the_hash_is_the_same(
    most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage = staged()
    monkeypatch.setattr("keepclear.exchange.world.MOST_UNHASHED", most)

    world = fold(stage.lines)

    assert world.hash == stage.exchange.world.hash
    assert not world.undo_log


def test_an_object_that_is_gone_is_in_the_hash_no_more() -> None:
    world = staged().exchange.world
    before = world.hash
    one, _ = world.operations

    evolve(world, MoreFound(id=one, more=2))
    with_it = world.hash
    evolve(world, MoreFound(id=one, more=0))

    assert with_it != before
    assert world.hash == before
