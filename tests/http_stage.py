# SPDX-License-Identifier: Apache-2.0
"""A stage whose exchange is a node: played through its HTTP API, by a client for each post.

The node is one as it is served (writer on its thread, SQLite, uvicorn on loopback), in this
process, so that its clock and that of each client are the one of the play. Time stands still but
when the play moves it; what falls due then has fallen due when `pass_time` returns.
"""

import asyncio
import contextlib
import threading
from collections.abc import Iterator
from pathlib import Path
from socket import socket

import msgspec

from keepclear.agreement.documents import Agreement
from keepclear.client import Client, Seen
from keepclear.detect.compiled import plain
from keepclear.exchange.exchange import Exchange
from keepclear.exchange.views import Answer
from keepclear.exchange.world import World
from keepclear.formats.play import read_play
from keepclear.plays.running import Played, run_play
from keepclear.plays.stage import DAY_US, Stage
from keepclear.record.encoding import Signed, encode
from keepclear.record.entries import Leaf, Placed
from keepclear.record.envelopes import Envelope
from keepclear.record.headers import Status
from keepclear.server.app import Public
from keepclear.server.connections import Server, configured
from keepclear.server.serving import Address, _bound
from keepclear.server.writer import Begun, Writer
from keepclear.store.sqlite import SQLiteStore
from tests.exchange_plays import CountedIds
from tests.incident_plays import HOUSE
from tests.record_plays import START_US

READY_S = 30
WATCH = ("watch",)


class NodeHere:
    """A node on a thread of this process. begin: gives its exchange; now_us: the time."""

    def __init__(self, begun: Begun, stage: Stage) -> None:
        self.writer = Writer(lambda: begun, stage.clock.now_us, beat_s=365 * DAY_US)
        self._public = Public(self.writer, stage.clock.now_us)
        self._bound = _bound(Address("127.0.0.1", 0))
        host, port = self._bound.getsockname()
        self.url = f"http://{host}:{port}"
        self._server = Server(configured(self._public.app()))
        self._answers = threading.Event()
        self._thread = threading.Thread(target=self._serve, args=(self._bound,))

    def start(self) -> None:
        """Answer from now on."""
        self.writer.start()
        self._thread.start()
        assert self._answers.wait(READY_S)

    def end(self) -> None:
        """End, and keep nothing open."""
        self._server.should_exit = True
        self._thread.join()
        self.writer.stop()
        self._bound.close()

    def _serve(self, bound: socket) -> None:
        async def run() -> None:
            serving = asyncio.create_task(self._server.serve([bound]))
            await self._server.answers.wait()
            self._answers.set()
            await serving
            self._public.feed.close()

        asyncio.run(run())


class _AtNode:
    """What a play asks of an exchange, asked of one that a node's writer owns."""

    def __init__(self, node: NodeHere) -> None:
        self._node = node

    def _asked(self, what: str) -> object:
        return self._node.writer.read(lambda exchange: getattr(exchange, what)).result(READY_S)

    @property
    def world(self) -> World:
        """Return what stands; read while nothing is sent."""
        found = self._asked("world")
        assert isinstance(found, World)
        return found

    def admit(self, document: Envelope) -> None:
        """Enter a party's key document."""
        self._node.writer.admit(document).result(READY_S)

    def pass_time(self) -> None:
        """Let the writer have its turn, in which it enters what has fallen due."""
        self._asked("world")

    def recheck_some(self) -> bool:
        """Let the writer have its turn; tell whether more waits to be looked at again."""
        return self.world.is_waiting

    def beat(self) -> None:
        """Sign a beat."""
        self._node.writer.read(Exchange.beat).result(READY_S)


class HttpStage(Stage):
    """A stage behind HTTP. clients: by party and post, each with its own copy of the record."""

    node: NodeHere
    clients: dict[tuple[str, str], Client]

    def serve(self, folder: Path) -> None:
        """Let a node take over the exchange, with a record on disk."""
        self._store = SQLiteStore.create(folder / "record.db", self._header)  # type: ignore[assignment]
        begun = Begun(self._begun(), self._store)
        self.clients = {}
        self.node = NodeHere(begun, self)
        self.node.start()
        self.exchange = _AtNode(self.node)  # type: ignore[assignment]

    def end(self) -> None:
        """Let clients and node go."""
        for each in self.clients.values():
            each.close()
        self.node.end()
        self._store.close()

    @property
    def lines(self) -> list[bytes]:
        """Return the lines of the operator's archive so far."""
        return self.node.writer.read(lambda _: list(self._store.lines())).result(READY_S)

    def client(self, party: str, post: str = "watch") -> Client:
        """Return the client of a post."""
        if (party, post) not in self.clients:
            self.clients[party, post] = self.new_client(party, post)
        return self.clients[party, post]

    def new_client(
        self, party: str, post: str = "watch", off_us: int = 0, seen: Seen | None = None
    ) -> Client:
        """Return another client of a post. off_us: by how much its clock is ahead."""
        return Client(
            self.node.url, party, post, self._signers[party, post], self.keys,
            status=self._status, now=lambda: self.clock.now_us() + off_us, seen=seen,
        )  # fmt: skip

    def submit(
        self, party: str, kind: str, payload: Signed, names: tuple[str, ...] = WATCH,
        signed_us: int | None = None, post: str = "watch",
    ) -> Answer:  # fmt: skip
        """Let the client of a post sign an act and send it; by another clock it is signed apart."""
        client = self.client(party, post)
        if signed_us is None:
            signers = [self._signers[party, name] for name in names]
            parts = client.act(kind, payload, agreement=self._agreement, signers=signers)
        else:
            parts = client.send(self.envelope(party, kind, payload, names, signed_us, post))
        leaves = [
            Leaf(audience=party, salt=bytes(32), part=msgspec.Raw(encode(each))) for each in parts
        ]
        return Answer(self.clock.now_us(), tuple(Placed(0, each) for each in leaves))


@contextlib.contextmanager
def over_http(folder: Path, made: Agreement, *parties: str) -> Iterator[HttpStage]:
    """Give a stage behind HTTP on which parties have joined, and an agreement was carried in."""
    stage = HttpStage("exercise", START_US, Status.EXERCISE, HOUSE, CountedIds(), plain())
    stage.serve(folder)
    try:
        for each in parties:
            stage.join(each)
        stage.carry(stage.signed(made), made)
        yield stage
    finally:
        stage.end()


@contextlib.contextmanager
def played_over_http(text: str, folder: Path) -> Iterator[tuple[Played, HttpStage]]:
    """Give what comes of a play over HTTP, and its stage with the clients that have played it."""
    made: list[HttpStage] = []

    def staged(*given: object) -> Stage:
        stage = HttpStage(*given)  # type: ignore[arg-type]
        stage.serve(folder)
        made.append(stage)
        return stage

    try:
        yield run_play(read_play(text.encode(), "play"), CountedIds(), plain(), staged), made[0]
    finally:
        for each in made:
            each.end()
