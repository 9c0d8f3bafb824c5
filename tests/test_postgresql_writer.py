# SPDX-License-Identifier: Apache-2.0
"""A node whose database is cut off and comes back: it says so, and goes on without hands."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import closing
from pathlib import Path
from typing import Any, Final

import httpx
import msgspec
import pytest

from keepclear.clock import RandomIds
from keepclear.detect.compiled import plain
from keepclear.errors import OperatorError
from keepclear.exchange.exchange import Exchange
from keepclear.plans import acts
from keepclear.record.envelopes import Envelope
from keepclear.record.verification import verify
from keepclear.server import writer as writing
from keepclear.server.operator import HealthSaid
from keepclear.server.stores import open_store
from keepclear.server.writer import Begun, State, Unavailable, Writer
from keepclear.store.nodes import ALONE
from keepclear.store.postgresql import PostgreSQLStore
from tests.postgresql_server import How, Relay, Server
from tests.server_plays import Node, circle, serving
from tests.test_exchange_agreements import staged
from tests.two_worlds import Plan, filed

WAIT_S: Final = 20


@pytest.fixture
def relay(postgresql: Server) -> Iterator[Relay]:
    with closing(Relay(postgresql)) as made:
        yield made


class Served:
    """A stage's exchange, owned by a writer, on a database behind a relay."""

    def __init__(self, address: str) -> None:
        self.stage, self._address = staged(), address
        with closing(PostgreSQLStore.create(address, self.stage._header)) as store:
            store.append(self.stage.lines[1:])
        self.writer = Writer(self._begin, self.stage.clock.now_us, beat_s=1_000)

    def _begin(self) -> Begun:
        stage, store = self.stage, PostgreSQLStore.open(self._address, "exercise", ALONE)
        try:
            return Begun(Exchange(stage._opened, stage._signer, stage.clock, RandomIds(), store,
                                  plain()), store)  # fmt: skip
        except BaseException:
            store.close()
            raise

    def file(self, place: int) -> Envelope:
        plan = filed(Plan(place=place, level=22, start=60, lasts=30))
        return self.stage.envelope("a", "operations.file/1", acts.FileOperation(operation=plan))

    def send(self, envelope: Envelope) -> Future[Any]:
        return self.writer.submit(envelope, "a")

    def operations(self) -> int:
        found = self.writer.read(lambda exchange: exchange.reads.operations("a"))
        return len(found.result(WAIT_S).value)

    def until(self, state: State) -> None:
        ends = time.monotonic() + WAIT_S
        while self.writer.health.state is not state:
            assert time.monotonic() < ends, self.writer.health
            time.sleep(0.01)


@pytest.fixture
def served(postgresql: Server, relay: Relay, monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    monkeypatch.setattr(writing, "TRIES_S", 0.05)
    made = Served(relay.address(postgresql.database()))
    made.writer.start()
    yield made
    relay.be(How.OPEN)
    made.writer.stop()


def test_while_the_database_is_away_it_says_so_and_then_goes_on(
    served: Served, relay: Relay
) -> None:
    served.send(served.file(0)).result(WAIT_S)
    relay.be(How.CUT)
    envelope = served.file(40)

    with pytest.raises(Unavailable):
        served.send(envelope).result(WAIT_S)
    served.until(State.BEGINNING)
    assert "cannot be reached" in served.writer.health.why
    with pytest.raises(OperatorError):
        served.operations()
    relay.be(How.OPEN)
    served.until(State.WRITING)

    served.send(envelope).result(WAIT_S)
    assert served.operations() == 2


def test_an_act_that_was_kept_though_its_answer_was_lost_is_done_once(
    served: Served, relay: Relay
) -> None:
    envelope = served.file(0)
    relay.be(How.MUTE)  # the commit is done, and nobody hears of it

    with pytest.raises(Unavailable):
        served.send(envelope).result(WAIT_S)
    relay.be(How.OPEN)
    served.until(State.WRITING)

    answer = served.send(envelope).result(WAIT_S)
    again = served.send(envelope).result(WAIT_S)
    assert [each.part for each in answer.value] == [each.part for each in again.value]
    assert served.operations() == 1


def health(node: Node) -> tuple[int, HealthSaid]:
    answer = httpx.get(f"{node.operator}/health")
    return answer.status_code, msgspec.json.decode(answer.content, type=HealthSaid)


@pytest.mark.slow
def test_a_node_whose_database_is_cut_off_under_load_loses_nothing(
    postgresql: Server, relay: Relay, tmp_path: Path
) -> None:
    with serving(tmp_path / "east", store=relay.address(postgresql.database())) as node:
        client = node.join("north")
        filing = acts.FileOperation(operation=circle(0))
        client.act("operations.file/1", filing)
        relay.be(How.CUT)
        waiting = client.signed("operations.file/1", filing)
        parts: list[Any] = []
        sending = threading.Thread(target=lambda: parts.extend(client.send(waiting)))
        sending.start()
        ends = time.monotonic() + WAIT_S
        while (said := health(node))[1].state == State.WRITING:
            assert time.monotonic() < ends
            time.sleep(0.05)
        relay.be(How.OPEN)
        sending.join(WAIT_S)

        assert said[0] == httpx.codes.SERVICE_UNAVAILABLE
        assert "the database" in said[1].why
        assert parts
        assert health(node)[1].state == State.WRITING
        assert len(client.operations()) == 2
        assert node.end() == 0
    with closing(open_store(node.folder)) as store:
        assert verify(list(store.lines()), node.keys).is_proven
