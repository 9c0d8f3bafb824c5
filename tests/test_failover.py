# SPDX-License-Identifier: Apache-2.0
"""Two nodes on one database: whatever comes to the one that writes, the other goes on in seconds.

No fork, no act done twice, none lost that was answered; how long it took is printed.
"""

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Final

import httpx
import msgspec
import psycopg
import pytest

from keepclear.agreement.rules_toml import parse_short
from keepclear.client import Client
from keepclear.detect.compiled import plain
from keepclear.plans import acts
from keepclear.record.files import AnyLine, WriterLine
from keepclear.server.beginning import Beginning
from keepclear.server.clock import SteadyClock
from keepclear.server.operator import HealthSaid
from keepclear.server.region import create_region
from keepclear.server.stores import STORE, StoreFile, read_store
from keepclear.server.writer import State
from keepclear.store.database import Database
from keepclear.store.nodes import Fenced, WrittenByOther
from keepclear.store.nodes import Node as Named
from keepclear.store.postgresql import PostgreSQLStore
from tests.postgresql_server import How, Relay, Server
from tests.server_plays import Node, circle, serving
from tests.test_postgresql import inserted, waiting_in
from tests.test_server_killed import Sender, check
from tests.test_stores import HEADER, world

TAKEN_OVER_S: Final = 5.0
WAIT_S: Final = 20
A, B = Named("a", "http://a"), Named("b", "http://b")
Say = Callable[[str, float], None]


@pytest.fixture
def say(capsys: pytest.CaptureFixture[str]) -> Say:
    """Return what prints how long something took, and holds it to what is promised."""

    def measured(what: str, took_s: float) -> None:
        with capsys.disabled():
            print(f"\n{what}: a new writer after {took_s:.1f} s")  # noqa: T201 measured to be read
        assert took_s < TAKEN_OVER_S

    return measured


# --- the lease --------------------------------------------------------------------------------


def opened(address: str, node: Named) -> PostgreSQLStore:
    return PostgreSQLStore.open(address, HEADER.region, node)


def lines_in(address: str) -> list[bytes]:
    with closing(PostgreSQLStore.open(address, HEADER.region)) as kept:
        return list(kept.lines())[1:]


def opened_in_time(address: str, node: Named) -> tuple[PostgreSQLStore, float]:
    """Open a store once it may be, and return how long that took."""
    began = time.monotonic()
    while True:
        try:
            return opened(address, node), time.monotonic() - began
        except WrittenByOther:
            assert time.monotonic() < began + WAIT_S
            time.sleep(0.05)


@pytest.fixture
def address(postgresql: Server) -> str:
    made = postgresql.database()
    PostgreSQLStore.create(made, HEADER).close()
    return made


def test_one_node_writes_and_the_other_is_told_who(address: str) -> None:
    with closing(opened(address, A)) as kept:
        with pytest.raises(WrittenByOther, match="is written by node a at http://a") as told:
            opened(address, B)
        kept.append([world(1)])

    assert told.value.node == A
    with closing(opened(address, B)) as kept:  # at once: the term was given back
        kept.append([world(2)])
    assert lines_in(address) == [world(1), world(2)]


def test_a_term_that_is_renewed_does_not_end(address: str, postgresql: Server) -> None:
    with closing(opened(address, A)) as kept:
        time_left = "SELECT until - clock_timestamp() > interval '1 s' FROM keepclear_leases"
        ends = time.monotonic() + 5
        while time.monotonic() < ends:
            assert postgresql.execute(address, time_left) == [(True,)]
            assert kept.is_ours
            time.sleep(0.1)
        kept.append([world(1)])


def test_what_was_opened_to_be_read_is_not_written(address: str) -> None:
    with closing(PostgreSQLStore.open(address, HEADER.region)) as kept:
        assert not kept.is_ours
        with pytest.raises(Fenced):
            kept.append([world(1)])

    assert lines_in(address) == []


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE keepclear_leases SET term = term + 1, holder = 'b'",
        "UPDATE keepclear_leases SET until = clock_timestamp()",
    ],
)
def test_without_a_term_that_holds_nothing_is_kept(
    address: str, postgresql: Server, statement: str
) -> None:
    with closing(opened(address, A)) as kept:
        kept.append([world(1)])
        postgresql.execute(address, statement)
        with pytest.raises(Fenced, match="its lease has ended"):
            kept.append([world(2)])

    assert lines_in(address) == [world(1)]


def test_an_append_of_several_statements_whose_term_ends_within_keeps_none_of_them(
    address: str, postgresql: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("keepclear.store.postgresql.IN_STATEMENT", 1)
    monkeypatch.setattr("keepclear.store.leases.RENEWS_S", 60.0)
    change = Database.change

    def slow(db: Database, statement: str, values: Sequence[object] = ()) -> int:
        made = change(db, statement, values)
        if "keepclear_lines" in statement:
            db.run_once("SELECT pg_sleep(0.5)")  # longer than the term still lasts
        return made

    with closing(opened(address, A)) as kept:
        until = "clock_timestamp() + interval '300 ms'"
        postgresql.execute(address, f"UPDATE keepclear_leases SET until = {until}")
        monkeypatch.setattr(Database, "change", slow)
        with pytest.raises(Fenced, match="its lease has ended"):
            kept.append([world(1), world(2), world(3)])
        monkeypatch.undo()

    assert lines_in(address) == []


def test_whoever_would_take_the_next_term_waits_for_an_append_that_is_under_way(
    address: str, postgresql: Server
) -> None:
    with closing(opened(address, A)) as kept, psycopg.connect(address) as other:
        other.execute(inserted(1, world(9)).encode())  # not committed: holds up the append
        appending = threading.Thread(target=kept.append, args=([world(1)],))
        appending.start()
        waiting_in(postgresql, address, 1)
        with pytest.raises(psycopg.errors.LockNotAvailable):
            postgresql.execute(address, "SELECT 1 FROM keepclear_leases FOR UPDATE NOWAIT")
        other.rollback()
        appending.join(WAIT_S)

    assert lines_in(address) == [world(1)]


def test_a_database_from_before_leases_is_brought_up_to_date(
    address: str, postgresql: Server
) -> None:
    postgresql.execute(
        address, "DROP TABLE keepclear_leases", "DELETE FROM keepclear_migrations WHERE number = 2"
    )

    with closing(opened(address, A)) as kept:
        kept.append([world(1)])
    assert lines_in(address) == [world(1)]


PAUSED: Final = """
import os, signal, sys
from keepclear.record.encoding import encode
from keepclear.record.files import WorldLine
from keepclear.store import postgresql
from keepclear.store.database import Database
from keepclear.store.nodes import Node

before = sys.argv[3]
change = Database.change

def paused(db, statement, values=()):
    if before in statement:
        Database.change = change
        print("paused", flush=True)
        os.kill(os.getpid(), signal.SIGSTOP)
    return change(db, statement, values)

store = postgresql.PostgreSQLStore.open(sys.argv[1], sys.argv[2], Node("a", ""))
postgresql.IN_STATEMENT = 1  # so that an append is several statements, and a commit
Database.change = paused
try:
    store.append([encode(WorldLine(seq=n, hash=64 * "a")) for n in (1, 2, 3)])
except Exception as fault:
    print(type(fault).__name__, flush=True)
else:
    print("kept", flush=True)
os._exit(0)
"""


@pytest.mark.slow
@pytest.mark.parametrize("before", ["BEGIN", "COMMIT"])
def test_a_writer_that_is_paused_past_its_term_keeps_nothing(
    address: str, before: str, say: Say
) -> None:
    """Before its append, and between its statements and the commit."""
    writer = subprocess.Popen(
        [sys.executable, "-c", PAUSED, address, HEADER.region, before], stdout=subprocess.PIPE,
        text=True,
    )  # fmt: skip
    try:
        assert writer.stdout is not None
        assert writer.stdout.readline() == "paused\n"
        other, took_s = opened_in_time(address, B)
        with closing(other):
            other.append([world(1)])
            writer.send_signal(signal.SIGCONT)
            assert writer.stdout.readline() == "Fenced\n"
            other.append([world(2)])
    finally:
        writer.kill()
        writer.communicate()

    assert lines_in(address) == [world(1), world(2)]
    say(f"paused before {before}", took_s)


@pytest.mark.slow
def test_who_stands_by_reads_along_and_has_little_left_to_read(
    postgresql: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, address, clock = tmp_path / "east", postgresql.database(), SteadyClock()
    create_region(folder, "east", parse_short("5 NM / 1000 ft"), clock, plain(), address)
    first, second = (Beginning(folder, clock, plain(), each) for each in (A, B))
    written = first()
    for _ in range(20):
        written.exchange.beat()
    for _ in range(2):
        with pytest.raises(WrittenByOther):
            second()
    written.exchange.beat()
    written.store.close()
    asked: list[int] = []
    lines = PostgreSQLStore.lines

    def noted(store: PostgreSQLStore, first: int = 0) -> Iterator[bytes]:
        asked.append(first)
        return lines(store, first)

    monkeypatch.setattr(PostgreSQLStore, "lines", noted)

    begun = second()
    count = begun.exchange.reads.lines
    assert asked == [count - 1]
    begun.exchange.beat()
    begun.store.close()
    with closing(third := first()[1]):
        assert len(list(third.lines())) == count + 2  # who writes now, and a beat


@pytest.mark.slow
def test_where_an_older_copy_was_restored_nothing_of_what_was_read_along_is_used(
    postgresql: Server, tmp_path: Path
) -> None:
    folder, address, clock = tmp_path / "east", postgresql.database(), SteadyClock()
    create_region(folder, "east", parse_short("5 NM / 1000 ft"), clock, plain(), address)
    first, second = (Beginning(folder, clock, plain(), each) for each in (A, B))
    written = first()
    for _ in range(5):
        written.exchange.beat()
    with pytest.raises(WrittenByOther):
        second()
    written.store.close()
    postgresql.execute(address, "DELETE FROM keepclear_lines WHERE number > 3")

    begun = second()
    assert begun.exchange.reads.lines == 4
    begun.exchange.beat()
    begun.store.close()


# --- two nodes --------------------------------------------------------------------------------


class Pair:
    """Two nodes of one region, and two parties that file without a pause by way of the second."""

    def __init__(self, first: Node, second: Node) -> None:
        self.first, self.second = first, second
        self._ends = threading.Event()
        self.clients = [self._client(f"party-{number}") for number in range(2)]
        self.senders = [Sender(each, place, self._ends) for place, each in enumerate(self.clients)]
        for each in self.senders:
            each.start()
        self.answered(5)

    def _client(self, party: str) -> Client:
        joined = self.first.join(party)
        return self.second.client(party, joined._signer)

    def answered(self, more: int) -> None:
        """Wait until each has so many more answers."""
        wanted = [len(each.answered) + more for each in self.senders]
        ends = time.monotonic() + WAIT_S
        while any(len(s.answered) < n for s, n in zip(self.senders, wanted, strict=True)):
            assert [each.fault for each in self.senders] == [None, None]
            assert time.monotonic() < ends
            time.sleep(0.02)

    def taken_over_s(self, began: float) -> float:
        """Wait until the second writes and answers; return how long it took."""
        until(self.second, State.WRITING)
        self.answered(1)
        return time.monotonic() - began

    def end(self) -> None:
        """Let both stop sending, end both nodes, and look at the record."""
        self.answered(5)
        self._ends.set()
        for each in self.senders:
            each.join(WAIT_S)
        assert [each.fault for each in self.senders] == [None, None]
        statuses = [each.end() for each in (self.first, self.second)]
        assert statuses[1] == 0
        check_writers(self.first)
        check(self.first, [own_id for each in self.senders for own_id in each.answered])


def check_writers(node: Node) -> None:
    """See that each change of the writer stands in the record, with a term above the last."""
    with closing(read_store(node.folder)) as kept:
        lines = [msgspec.json.decode(each, type=AnyLine) for each in kept.lines()]
    found = [each for each in lines if isinstance(each, WriterLine)]
    assert [each.number for each in found] == list(range(1, len(found) + 1))
    assert [each.term for each in found] == sorted({each.term for each in found})
    assert len({each.node for each in found}) > 1


def health(node: Node) -> HealthSaid:
    answer = httpx.get(f"{node.operator}/health", timeout=WAIT_S)
    return msgspec.json.decode(answer.content, type=HealthSaid)


def until(node: Node, state: State) -> None:
    ends = time.monotonic() + WAIT_S
    while health(node).state != state:
        assert time.monotonic() < ends, health(node)
        time.sleep(0.05)


@pytest.fixture
def relay(postgresql: Server) -> Iterator[Relay]:
    with closing(Relay(postgresql)) as made:
        yield made


@pytest.fixture
def pair(postgresql: Server, relay: Relay, tmp_path: Path) -> Iterator[Pair]:
    """Yield two nodes under load; the first reaches the database by way of the relay."""
    address = postgresql.database()
    with serving(tmp_path / "first", store=relay.address(address)) as first:
        second = Node(tmp_path / "second")
        shutil.copytree(first.folder, second.folder)
        named = msgspec.json.decode((second.folder / STORE).read_bytes(), type=StoreFile)
        (second.folder / STORE).write_bytes(
            msgspec.json.encode(msgspec.structs.replace(named, address=address))
        )
        second.start()
        try:
            assert health(second).state == State.STANDING_BY
            yield Pair(first, second)
        finally:
            for each in second.clients:
                each.close()
            if second.process is not None and second.process.poll() is None:
                second.kill()


@pytest.mark.slow
def test_the_writer_is_killed(pair: Pair, say: Say) -> None:
    began = time.monotonic()
    pair.first.kill()

    say("killed", pair.taken_over_s(began))
    pair.first.start()
    assert health(pair.first).state == State.STANDING_BY
    pair.end()


@pytest.mark.slow
def test_the_writer_is_paused_past_its_term_and_goes_on(pair: Pair, say: Say) -> None:
    assert pair.first.process is not None
    began = time.monotonic()
    os.kill(pair.first.process.pid, signal.SIGSTOP)

    say("paused", pair.taken_over_s(began))
    os.kill(pair.first.process.pid, signal.SIGCONT)
    until(pair.first, State.STANDING_BY)
    pair.end()


@pytest.mark.slow
def test_the_connection_of_the_writer_is_cut_and_comes_back(
    pair: Pair, relay: Relay, say: Say
) -> None:
    began = time.monotonic()
    relay.be(How.CUT)

    say("cut off", pair.taken_over_s(began))
    assert health(pair.first).state == State.BEGINNING
    relay.be(How.OPEN)
    until(pair.first, State.STANDING_BY)
    pair.end()


@pytest.mark.slow
def test_the_outcome_of_the_last_commit_is_not_known(pair: Pair, relay: Relay, say: Say) -> None:
    began = time.monotonic()
    relay.be(How.MUTE)

    say("outcome unknown", pair.taken_over_s(began))
    relay.be(How.OPEN)
    until(pair.first, State.STANDING_BY)
    pair.end()


@pytest.mark.slow
def test_a_writer_that_ends_hands_over_at_once(pair: Pair, say: Say) -> None:
    began = time.monotonic()
    assert pair.first.end() == 0

    say("ended", pair.taken_over_s(began))
    pair.first.start()
    pair.end()


@pytest.mark.slow
def test_a_node_that_stands_by_hands_on_reads_acts_and_the_stream(pair: Pair) -> None:
    client = pair.clients[0]
    pair._ends.set()
    for each in pair.senders:
        each.join(WAIT_S)

    assert pair.first.client("party-0", client._signer).operations() == client.operations()
    events = client.stream()
    assert [next(events).kind, next(events).kind] == ["open", "snapshot"]
    other = pair.second.client("party-1", pair.clients[1]._signer)
    other.act("operations.file/1", acts.FileOperation(operation=circle(500)))
    client.conflicts()
    filed = client.signed("operations.file/1", acts.FileOperation(operation=circle(700)))
    pair.first.client("party-0", client._signer).send(filed)
    assert next(events).kind == "step"
    events.close()  # type: ignore[attr-defined]
    refused = httpx.get(f"{pair.second.parties}/v1/operations")
    assert refused.status_code == httpx.codes.UNAUTHORIZED
    turned = httpx.get(f"{pair.second.parties}/v1/region", headers={"Keepclear-Forwarded": "1"})
    assert turned.status_code == httpx.codes.SERVICE_UNAVAILABLE
    assert "standing by" in turned.json()["error"]
    admitted = pair.second.admit(pair.first.documents[0])
    assert admitted.status_code == httpx.codes.SERVICE_UNAVAILABLE
    assert f"at {pair.first.parties}" in admitted.json()["error"]
    assert "admit the party at that one" in admitted.json()["error"]
