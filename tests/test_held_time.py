# SPDX-License-Identifier: Apache-2.0
"""Where clocks differ nothing happens by time alone, until they agree or the operator accepts it.

Rule 6 of the writer; acts are decided all the same, and what protects does so for longer.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Final

import httpx
import msgspec
import pytest

from keepclear.detect.compiled import plain
from keepclear.exchange.audit import audit
from keepclear.exchange.folding import fold
from keepclear.exchange.ports import NotWritten, TimeSaid
from keepclear.plans import acts
from keepclear.plans.operations import State
from keepclear.record.encoding import encode
from keepclear.record.faults import BrokenProof, Malformed
from keepclear.record.files import AnyLine, ClockLine
from keepclear.record.verification import verify
from keepclear.record.views import view_of
from keepclear.reports.record_text import record_text
from keepclear.server import writer as writing
from keepclear.server.clock import ClockWatch
from keepclear.server.writer import Writer
from keepclear.store.memory import MemoryStore
from keepclear.store.nodes import Node as Named
from keepclear.store.postgresql import PostgreSQLStore
from tests.exchange_twins import Twins
from tests.postgresql_server import Server
from tests.server_plays import serving
from tests.test_cli_record import run
from tests.test_clock import START_US, Machine, S
from tests.test_rules_of_the_door import NUMBERED, Play, a_and_b
from tests.test_stores import HEADER
from tests.test_writer import WAIT_S, Served
from tests.two_worlds import Plan, filed

SOON: Final = Plan(place=0, level=22, start=60, lasts=40)
NEXT: Final = Plan(place=0, level=22, start=60, lasts=60)
LATER: Final = Plan(place=0, level=22, start=300, lasts=40)


def held() -> tuple[Play, str, str]:
    """Return a play in which clocks differ while two operations end, and another is filed then."""
    play = Play(a_and_b(NUMBERED))
    one, other = play.file("a", SOON), play.file("b", NEXT)
    play.at(50)
    play.stage.exchange.hold_time(30 * S)
    play.at(200)
    play.file("a", LATER)
    play.stage.exchange.beat()
    return play, one, other


def states(play: Play, *operations: str) -> list[State]:
    return [play.stage.exchange.world.operations[each].state for each in operations]


def clocks(lines: list[bytes]) -> list[ClockLine]:
    found = [msgspec.json.decode(each, type=AnyLine) for each in lines]
    return [each for each in found if isinstance(each, ClockLine)]


def check(play: Play) -> None:
    """See that the record verifies, folds to the world, and is decided so again."""
    lines = play.stage.lines
    assert verify(lines, play.stage.keys).is_proven
    assert audit(lines, plain()).differences == ()
    assert fold(lines).hash == play.stage.exchange.world.hash


def test_what_falls_due_waits_and_acts_are_decided_all_the_same() -> None:
    play, one, other = held()

    assert states(play, one, other) == [State.ACCEPTED, State.FILED]
    assert len(play.stage.exchange.world.operations) == 3
    check(play)


def test_what_waited_happens_at_once_when_clocks_agree_and_never_in_the_past() -> None:
    play, one, other = held()
    before = play.parts("a")[-1].at_us

    play.stage.exchange.hold_time(0)
    play.at(200)

    assert states(play, one, other) == [State.ENDED, State.ENDED]
    assert all(each.at_us >= before for each in play.parts("a")[-2:])
    assert [each.off_us for each in clocks(play.stage.lines)] == [30 * S, 0]
    play.stage.exchange.beat()
    check(play)
    play.at(400)
    play.stage.exchange.beat()
    check(play)


@pytest.mark.parametrize("where", ["while it is held", "after it was"])
def test_an_exchange_that_begins_again_holds_what_was_held(where: str) -> None:
    play, one, other = held()
    if where == "while it is held":
        play.stage.begin_again()
        play.at(201)
        assert states(play, one, other) == [State.ACCEPTED, State.FILED]
    play.stage.exchange.hold_time(0)
    if where == "after it was":
        play.stage.begin_again()

    play.at(201)

    assert states(play, one, other) == [State.ENDED, State.ENDED]
    play.stage.exchange.beat()
    check(play)


def test_an_exchange_that_stops_meanwhile_goes_on_as_one_that_does_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("keepclear.plays.stage.Exchange", Twins)
    play = Play(a_and_b(NUMBERED))
    play.file("a", SOON)
    play.stage.exchange.hold_time(-9 * S)
    play.at(200)
    play.file("b", LATER)
    play.stage.exchange.hold_time(0)
    play.at(201)
    play.file("c", LATER)
    play.stage.exchange.beat()


def test_it_is_said_once_and_no_party_sees_it() -> None:
    play, _, _ = held()
    play.stage.exchange.hold_time(31 * S)
    play.stage.exchange.hold_time(0)
    play.stage.exchange.hold_time(0)

    assert len(clocks(play.stage.lines)) == 2
    said = "".join(record_text(play.stage.lines))
    assert "clocks differ by +30.0 s: from" in said
    assert "on what falls due by time happens again" in said
    for party in ("a", "b", "c"):
        assert b"off_us" not in b"".join(view_of(play.stage.lines, party))


def test_where_it_cannot_be_written_it_is_said_again(monkeypatch: pytest.MonkeyPatch) -> None:
    play = Play(a_and_b(NUMBERED))

    def fails(*_: object) -> None:
        raise NotWritten("no space left")

    with monkeypatch.context() as patched:
        patched.setattr(MemoryStore, "append", fails)
        with pytest.raises(NotWritten):
            play.stage.exchange.hold_time(5 * S)
    play.stage.exchange.hold_time(5 * S)

    assert len(clocks(play.stage.lines)) == 1


@pytest.mark.parametrize(("change", "error"), [
    ({"off_us": 0}, BrokenProof), ({"seq": 1}, Malformed), ({"at_us": START_US - S}, Malformed),
])  # fmt: skip
def test_a_line_of_clocks_that_was_changed_is_found(
    change: dict[str, int], error: type[Exception]
) -> None:
    play, _, _ = held()
    made = []
    for data in play.stage.lines:
        line = msgspec.json.decode(data, type=AnyLine)
        is_it = isinstance(line, ClockLine)
        made.append(encode(msgspec.structs.replace(line, **change)) if is_it else data)

    with pytest.raises(error):
        verify(made, play.stage.keys)


# --- the watch --------------------------------------------------------------------------------


class Watched:
    """A node's clock under watch, and the database's, which is so much ahead."""

    def __init__(self) -> None:
        self.machine = Machine()
        self.clock = self.machine.clock()
        self.watch = ClockWatch(self.clock, self.machine.steady_ns)
        self.ahead = 0

    def look(self, doubt_us: int = 1_000) -> int:
        machine = self.machine
        us = START_US + machine.steady - 7 * S + self.ahead
        return self.watch.look(TimeSaid(us, machine.steady_ns(), doubt_us))


@pytest.mark.parametrize("ahead", [3 * S, -3 * S])
def test_a_database_with_another_clock_is_told_of_until_it_is_accepted(ahead: int) -> None:
    watched = Watched()
    assert (watched.look(), watched.watch.why()) == (0, "")
    watched.ahead = ahead

    assert watched.look() == ahead
    assert f"the database's clock is off by {ahead / S:+.1f} s, above 2 s" in watched.watch.why()
    watched.watch.accept()
    assert watched.look() == 0
    watched.machine.passes(3_600 * S)
    assert watched.look() == 0
    watched.ahead += 3 * S
    assert watched.look() == 3 * S


def test_what_differs_by_two_seconds_or_in_doubt_is_no_alarm() -> None:
    watched = Watched()
    watched.ahead = 2 * S
    assert watched.look() == 0
    watched.ahead = 3 * S
    assert watched.look(doubt_us=2 * S) == 0


def test_what_the_database_said_last_ages_with_the_monotonic_clock() -> None:
    watched = Watched()
    watched.look()

    watched.machine.passes(60 * S)

    assert watched.watch.differs_us() == 0


def test_a_machine_whose_clock_was_set_is_told_of_first_and_one_act_accepts_both() -> None:
    watched = Watched()
    watched.look()
    watched.machine.wall += 10 * S
    assert watched.look() == 10 * S
    assert watched.watch.why().startswith("the machine's clock is off by +10.0 s")

    watched.watch.accept()

    assert watched.look() == 0  # the database's is 10 s behind now, and that is accepted


# --- the writer -------------------------------------------------------------------------------


def until(told: Callable[[], bool]) -> None:
    """Wait for something that a thread does."""
    ends = time.monotonic() + WAIT_S
    while not told():
        assert time.monotonic() < ends
        time.sleep(0.01)


def test_a_writer_holds_what_falls_due_from_a_step_on_until_it_is_accepted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(writing, "LOOKS_S", 0.02)
    served, watched = Served(), Watched()
    stage = served.stage
    writer = Writer(served._begun, stage.clock.now_us, beat_s=1_000, watch=watched.watch)
    writer.start()
    try:
        sent = writer.submit(served.file(), "a")
        sent.result(WAIT_S)
        watched.machine.wall += 30 * S
        until(lambda: [each.off_us for each in clocks(served.store.lines())] == [30 * S])

        stage.clock.move_to(stage.clock.now_us() + 300 * 60 * S)
        made = stage.envelope("a", "operations.file/1", acts.FileOperation(operation=filed(LATER)))
        writer.submit(made, "a").result(WAIT_S)
        assert not any(b'"ended"' in each for each in served.store.lines())

        watched.watch.accept()
        until(lambda: any(b'"ended"' in each for each in served.store.lines()))
        assert [each.off_us for each in clocks(served.store.lines())] == [30 * S, 0]
    finally:
        writer.stop()


# --- served -----------------------------------------------------------------------------------


@pytest.mark.slow
def test_the_lease_brings_the_time_of_the_database(postgresql: Server) -> None:
    address = postgresql.database()
    PostgreSQLStore.create(address, HEADER).close()
    with closing(PostgreSQLStore.open(address, HEADER.region, Named("a", "http://a"))) as kept:
        said = kept.time_said
        assert said is not None
        ahead = said.us - (START_US + 0)
        assert ahead > 0
        assert said.doubt_us < S
    with closing(PostgreSQLStore.open(address, HEADER.region)) as kept:
        assert kept.time_said is None


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    with serving(tmp_path / "east") as node:
        (tmp_path / "operator").write_text(node.operator.removeprefix("http://"))
        yield tmp_path


@pytest.mark.slow
def test_the_operator_accepts_a_step_with_a_command(home: Path) -> None:
    operator = (home / "operator").read_text()

    status, said = run("clock", "accept", "--folder", home / "east", "--operator", operator)

    assert (status, said) == (0, "accepted; what has fallen due meanwhile happens now\n")
    assert httpx.get(f"http://{operator}/health").json()["clock_us"] == 0
    assert b"keepclear_clocks_differ_seconds 0.0" in httpx.get(f"http://{operator}/metrics").content
    (home / "east" / "operator.token").write_text("x" * 43)
    status, said = run("clock", "accept", "--folder", home / "east", "--operator", operator)
    assert (status, "is not the operator's token" in said) == (2, True)
