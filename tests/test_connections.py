# SPDX-License-Identifier: Apache-2.0
"""What one connection may cost: raw sockets that ask too much, too slowly, or nothing."""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
from uvicorn.server import ServerState

from keepclear.server import connections
from keepclear.server.connections import Connection
from tests.server_plays import serving

WAIT_S = 10
GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
POST = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n"
Stream = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Served:
    """An application that answers with how long the body was, at once or when it is let."""

    def __init__(self) -> None:
        self.may_go = asyncio.Event()
        self.may_go.set()
        self.asked = 0
        self.is_asked = asyncio.Condition()
        self.made: list[Connection] = []

    async def app(self, _: Any, receive: Callable[[], Awaitable[Any]], send: Any) -> None:  # noqa: ANN401 ASGI
        async with self.is_asked:
            self.asked += 1
            self.is_asked.notify_all()
        size, more = 0, True
        while more:
            event = await receive()
            size += len(event.get("body", b""))
            more = event.get("more_body", False)
        gone = asyncio.ensure_future(receive())  # as a stream looks whether its reader goes away
        await self.may_go.wait()
        text = b"%d" % size
        head = [(b"content-length", b"%d" % len(text))]
        await send({"type": "http.response.start", "status": 200, "headers": head})
        await send({"type": "http.response.body", "body": text})
        gone.cancel()

    async def are_asked(self, count: int) -> None:
        """Wait until so much is asked."""
        async with self.is_asked:
            await self.is_asked.wait_for(lambda: self.asked >= count)

    async def listen(self, **options: Any) -> asyncio.Server:  # noqa: ANN401 uvicorn's
        config = uvicorn.Config(self.app, http=Connection, log_config=None, lifespan="off",
                                interface="asgi3", proxy_headers=False, **options)  # fmt: skip
        config.load()
        state = ServerState()

        def made() -> Connection:
            self.made.append(Connection(config, state, {}))
            return self.made[-1]

        return await asyncio.get_running_loop().create_server(made, "127.0.0.1", 0)


def played(play: Callable[[Served, Callable[[], Awaitable[Stream]]], Coroutine[Any, Any, None]],
           **options: Any) -> None:  # fmt: skip # noqa: ANN401 uvicorn's
    """Run a play with a server, and with what opens a connection to it."""

    async def run() -> None:
        served = Served()
        server = await served.listen(**options)
        address = server.sockets[0].getsockname()
        opened: list[Stream] = []

        async def connect() -> Stream:
            opened.append(await asyncio.open_connection(*address))
            return opened[-1]

        try:
            await asyncio.wait_for(play(served, connect), WAIT_S)
        finally:
            for _, writer in opened:
                writer.close()
                with suppress(ConnectionError):
                    await writer.wait_closed()
            server.close()
            await asyncio.sleep(0)

    asyncio.run(run())


async def is_cut(reader: asyncio.StreamReader) -> bool:
    """Tell whether a connection was cut off, without an answer."""
    try:
        return await reader.read() == b""
    except ConnectionResetError:
        return True


async def answered(reader: asyncio.StreamReader) -> bytes:
    """Return the body of an answer."""
    head = await reader.readuntil(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200"), head
    return await reader.readexactly(int(head.lower().partition(b"content-length: ")[2].split()[0]))


@pytest.mark.parametrize("sent", [
    b"", b"\r\n", b"GET / HT", GET[:-2], POST % 9 + b"x", GET + b"\r\n", GET + b"GET /",
    GET + POST % 9,
])  # fmt: skip
def test_a_request_that_does_not_come_or_does_not_end_is_cut_off(
    monkeypatch: pytest.MonkeyPatch, sent: bytes
) -> None:
    monkeypatch.setattr(connections, "REQUEST_S", 0.05)

    async def play(_: Served, connect: Callable[[], Awaitable[Stream]]) -> None:
        reader, writer = await connect()
        writer.write(sent[: len(GET)] if sent.startswith(GET) else sent)
        if sent.startswith(GET):
            assert await answered(reader) == b"0"
            writer.write(sent[len(GET) :])
        assert await is_cut(reader)

    played(play)


def test_who_is_idle_after_an_answer_is_let_go() -> None:
    async def play(_: Served, connect: Callable[[], Awaitable[Stream]]) -> None:
        reader, writer = await connect()
        writer.write(GET)
        assert await answered(reader) == b"0"
        assert await is_cut(reader)

    played(play, timeout_keep_alive=0.05)


def test_an_answer_that_takes_long_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "REQUEST_S", 0.05)

    async def play(served: Served, connect: Callable[[], Awaitable[Stream]]) -> None:
        served.may_go.clear()
        reader, writer = await connect()
        silent, _ = await connect()
        writer.write(GET)
        assert await is_cut(silent)  # it asks nothing, and time has passed
        served.may_go.set()
        assert await answered(reader) == b"0"

    played(play)


@pytest.mark.parametrize("piece", [b"X-%d: %b\r\n", b"%d%b", b"%d\x20%b"])
def test_a_head_without_an_end_is_cut_off(piece: bytes) -> None:
    async def play(served: Served, connect: Callable[[], Awaitable[Stream]]) -> None:
        reader, writer = await connect()
        writer.write(b"GET / HTTP/1.1\r\nX-First: ")
        cut = asyncio.ensure_future(is_cut(reader))
        sent = 0
        while not cut.done():
            with suppress(ConnectionError):
                writer.write(piece % (sent, b"v" * 8_000))
                await writer.drain()
            sent += 8_000
            await asyncio.sleep(0)
            assert sent < 50_000_000
        assert await cut
        assert served.asked == 0

    played(play)


def test_trailers_and_bodies_without_an_end_are_cut_off() -> None:
    async def play(served: Served, connect: Callable[[], Awaitable[Stream]]) -> None:
        served.may_go.clear()
        reader, writer = await connect()
        writer.write(b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX: ")
        cut = asyncio.ensure_future(is_cut(reader))
        sent = 0
        while not cut.done():
            with suppress(ConnectionError):
                writer.write(b"v" * 64_000)
                await writer.drain()
            sent += 64_000
            await asyncio.sleep(0)
            assert sent < 50_000_000
        assert await cut

    played(play)


def test_a_large_head_and_a_large_body_are_taken_whole() -> None:
    async def play(served: Served, connect: Callable[[], Awaitable[Stream]]) -> None:
        reader, writer = await connect()
        while served.asked < 3:
            head = POST[:-4] % 1_048_576 + b"\r\nX: " + b"v" * 20_000 + b"\r\n\r\n"
            writer.write(head + b"b" * 1_048_576)
            assert await answered(reader) == b"1048576"

    played(play)


@pytest.mark.parametrize(
    "head",
    [b"X: " + b"v" * 32_768 + b"\r\n", b"X: vvvvvvvv\r\n" * 4_000, b"X: v\r\n" * 17_000],
    ids=["one line", "lines", "short lines"],
)
def test_a_head_that_is_too_large_is_cut_off_though_it_comes_at_once(head: bytes) -> None:
    # docs/operate.md: "with 32 kB of headers at most"
    async def play(served: Served, connect: Callable[[], Awaitable[Stream]]) -> None:
        reader, writer = await connect()
        writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n" + head + b"\r\n")
        assert await is_cut(reader)
        assert served.asked == 0

    played(play)


def test_a_few_requests_wait_for_the_answer_before_and_more_are_cut_off() -> None:
    async def play(served: Served, connect: Callable[[], Awaitable[Stream]]) -> None:
        served.may_go.clear()
        few, many = await connect(), await connect()
        few[1].write(GET * connections.MOST_WAITING)
        many[1].write(GET)
        await served.are_asked(2)
        many[1].write(GET * 100_000)
        assert await is_cut(many[0])
        assert [len(each.pipeline) for each in served.made][1] <= connections.MOST_WAITING + 1
        served.may_go.set()
        for _answer in range(connections.MOST_WAITING):
            assert await answered(few[0]) == b"0"

    played(play)


@pytest.mark.slow
def test_a_node_cuts_off_what_is_sent_behind_a_stream(tmp_path: Path) -> None:
    with serving(tmp_path / "east") as node, node.join("north") as north:
        north.operations()
        host, port = node.parties.removeprefix("http://").split(":")
        head = f"Host: x\r\nAuthorization: Bearer {north._token}\r\n\r\n"
        with closing(socket.create_connection((host, int(port)), WAIT_S)) as made:
            made.sendall(f"GET /v1/stream HTTP/1.1\r\n{head}".encode())
            assert made.recv(100).startswith(b"HTTP/1.1 200")

            with pytest.raises(ConnectionError):
                made.sendall(f"GET /v1/operations HTTP/1.1\r\n{head}".encode() * 100_000)

        assert httpx.get(f"{node.operator}/ready").status_code == 204
        assert north.operations() == []
