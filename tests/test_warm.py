# SPDX-License-Identifier: Apache-2.0
"""What is compiled before anybody waits for it: the first act must not wait for the compiler."""

from importlib import import_module

import pytest

from keepclear.clock import RandomIds
from keepclear.detect import warm
from keepclear.detect.compiled import MODULES, Functions
from keepclear.detect.cylinders import Cylinder
from keepclear.detect.kernel import limits_of
from keepclear.detect.volume_index import LAST_FEW
from keepclear.plans.acts import FileOperation
from keepclear.plays.stage import Stage
from keepclear.record.headers import Status
from tests.record_plays import START_US
from tests.two_worlds import HOUSE, Plan, filed


def noting() -> Functions:
    """Return the kernel's functions as they stand, taken for compiled: each is kept once asked."""
    return Functions(
        lambda name: import_module(f"keepclear.detect.{name}"), threads=1, is_compiled=True
    )


def asked(functions: Functions) -> set[str]:
    return {name for names in MODULES.values() for name in names if name in vars(functions)}


def test_what_deciding_calls_is_run_before_the_first_act() -> None:
    functions, before = noting(), noting()
    assert warm.warm_index(before, limits_of([Cylinder(lateral_tmm=92_600_000)])) > LAST_FEW
    stage = Stage("exercise", START_US, Status.EXERCISE, HOUSE, RandomIds(), functions)
    for party in ("a", "b"):
        stage.join(party)
    for number in range(LAST_FEW + 2):
        payload = FileOperation(operation=filed(Plan(place=0, level=20, start=60, lasts=40)))
        stage.submit("ab"[number % 2], "operations.file/1", payload)

    assert stage.exchange.world.conflicts
    assert asked(functions)
    assert asked(functions) <= asked(before)


def test_making_warm_runs_all_that_an_exchange_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    functions, index = noting(), noting()
    warm.warm_index(index, limits_of([Cylinder(lateral_tmm=92_600_000)]))
    monkeypatch.setattr(warm, "compiled", lambda: functions)

    assert warm.warm() > 0
    assert asked(index) <= asked(functions)
