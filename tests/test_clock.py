# SPDX-License-Identifier: Apache-2.0
"""The time of a node: what the machine's clock does, and what the record has of it."""

from collections.abc import Iterator
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st
from litestar.testing import TestClient

from keepclear.clock import RandomIds
from keepclear.server.clock import MOST_US, ExerciseClock, SteadyClock
from keepclear.server.operator import operator_app
from tests.test_writer import Served

S = 1_000_000
START_US = 1_443_600_000 * S
TOKEN = "t" * 43


class Machine:
    """A machine's two clocks: one that people set, and one that only goes on."""

    def __init__(self) -> None:
        self.wall, self.steady = START_US, 7 * S

    def wall_us(self) -> int:
        return self.wall

    def steady_ns(self) -> int:
        return self.steady * 1000

    def passes(self, time_us: int) -> None:
        self.wall += time_us
        self.steady += time_us

    def clock(self) -> SteadyClock:
        return SteadyClock(self.wall_us, self.steady_ns)


@pytest.mark.parametrize("step_us", [3_600 * S, -3_600 * S, 3 * S, -3 * S])
def test_a_step_of_the_machines_clock_moves_no_time_of_the_node_and_is_told(step_us: int) -> None:
    machine = Machine()
    clock = machine.clock()
    machine.passes(10 * S)
    assert (clock.now_us(), clock.differs_us()) == (START_US + 10 * S, 0)

    machine.wall += step_us
    machine.passes(5 * S)

    assert clock.now_us() == START_US + 15 * S
    assert clock.differs_us() == step_us
    machine.wall -= step_us  # it was set right
    assert (clock.now_us(), clock.differs_us()) == (START_US + 15 * S, 0)


def test_what_the_clocks_drift_apart_is_taken_in_slowly() -> None:
    machine = Machine()
    clock = machine.clock()
    machine.wall += 1 * S

    machine.passes(100 * S)

    assert clock.now_us() == START_US + 100 * S + 100 * S // 1_000
    for _ in range(20):
        machine.passes(100 * S)
        clock.now_us()
    assert clock.now_us() == machine.wall


def test_a_step_that_is_accepted_counts_and_time_stands_where_it_goes_back() -> None:
    machine = Machine()
    clock = machine.clock()
    machine.wall += 60 * S
    clock.accept()
    assert (clock.now_us(), clock.differs_us()) == (START_US + 60 * S, 0)

    machine.wall -= 20 * S
    clock.accept()

    assert clock.now_us() == START_US + 60 * S
    machine.passes(19 * S)
    assert clock.now_us() == START_US + 60 * S
    machine.passes(2 * S)
    assert clock.now_us() == START_US + 61 * S


@given(st.lists(st.tuples(st.integers(-9_000, 9_000), st.integers(0, 9_000), st.booleans())))
def test_time_never_runs_backwards_whatever_the_machines_clock_does(
    steps_ms: list[tuple[int, int, bool]],
) -> None:
    machine = Machine()
    clock, last_us = machine.clock(), START_US
    for wall_ms, passed_ms, is_accepted in steps_ms:
        machine.wall += wall_ms * 1000
        machine.passes(passed_ms * 1000)
        if is_accepted:
            clock.accept()
        now_us = clock.now_us()

        assert now_us >= last_us
        last_us = now_us


def test_the_clock_of_an_exercise_runs_as_fast_as_it_is_told_and_knows_no_other() -> None:
    machine = Machine()
    clock = ExerciseClock(START_US, 120, machine.steady_ns)
    assert clock.now_us() == START_US

    machine.passes(10 * S)
    machine.wall += 3_600 * S
    clock.accept()

    assert (clock.now_us(), clock.differs_us()) == (START_US + 1_200 * S, 0)


# --- what the operator sees and does ------------------------------------------------------------


@pytest.fixture
def served() -> Iterator[Served]:
    made = Served()
    made.writer.start()
    yield made
    made.writer.stop()


def test_health_says_that_the_clock_was_set_until_the_operator_accepts_it(served: Served) -> None:
    machine = Machine()
    clock = machine.clock()
    shown = {"Authorization": f"Bearer {TOKEN}"}
    with TestClient(operator_app(served.writer, clock, TOKEN)) as operator:
        assert operator.get("/health").json()["clock_us"] == 0
        machine.wall += 30 * S

        said = operator.get("/health").json()
        assert (said["clock_us"], said["now_us"]) == (30 * S, START_US)
        assert (
            "is off by +30.0 s, above 2 s; set it right, or accept it: POST /clock" in said["why"]
        )
        for headers in ({}, {"Authorization": "Bearer no"}, {"Authorization": "Bearer "}):
            assert operator.post("/clock", headers=headers).status_code == 401
        assert operator.get("/health").json()["clock_us"] == 30 * S

        assert operator.post("/clock", headers=shown).status_code == 204
        said = operator.get("/health").json()
        assert (said["clock_us"], said["why"]) == (0, "")
        assert said["now_us"] == START_US + 30 * S


def test_the_limit_is_as_the_messages_and_docs_have_it() -> None:
    assert MOST_US == 2 * S


def test_of_what_the_random_source_gives_nothing_is_given_twice(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    numbers = count()  # each in two bytes, so that what is given twice is seen

    def numbered(length: int) -> bytes:
        return b"".join(next(numbers).to_bytes(2) for _ in range(length // 2))

    monkeypatch.setattr("os.urandom", numbered)
    ids = RandomIds()
    made = [ids.salt() if k % 3 else bytes.fromhex(ids.id()) for k in range(3_000)]

    assert [len(each) for each in made] == [32 if k % 3 else 16 for k in range(3_000)]
    given = [each[k : k + 2] for each in made for k in range(0, len(each), 2)]
    assert len({*given}) == len(given)
