# SPDX-License-Identifier: Apache-2.0
"""The server behind both addresses (uvicorn), and what one connection may cost it.

uvicorn (0.54) drops a connection that is idle after an answer (`timeout_keep_alive`), and answers
503 where there are too many (`limit_concurrency`). It waits for ever for a request that does not
come or does not end, takes a head of any length, and keeps all that is sent while an answer is
under way, which of a stream is all day.

1. A request is there within `REQUEST_S` of its first byte, the first within that of the
   connection's begin.
2. Its line and headers have `MOST_HEAD` bytes at most, all of it about `MOST_MESSAGE`.
3. `MOST_WAITING` requests wait for the answer before them at most.
4. What is beyond that is cut off without an answer: nothing of it was done.
"""

import asyncio
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import uvicorn
from litestar.types import ASGIApp
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

GRACEFUL_S: Final = 3
REQUEST_S: Final = 60.0
KEPT_ALIVE_S: Final = 10
MOST_HEAD: Final = 32_768
MOST_MESSAGE: Final = 4_194_304  # above the largest body: a larger one is answered in words
MOST_WAITING: Final = 32
MOST_CONNECTIONS: Final = 4_000


class _TooMany(Exception):
    """More wait than may."""


class Connection(HttpToolsProtocol):
    """One connection. Used by the thread that serves alone.

    What comes in is counted by the piece, each as the machine gives it (up to 256 kB): a request
    that begins within one is counted from the next; its line and headers also as they are read.
    """

    _late: asyncio.TimerHandle | None = None
    _size = _head = 0
    _is_head = False
    _has_begun = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Wait for a first request."""
        super().connection_made(transport)
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no more."""
        self._wait_no_more()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take what was sent."""
        if self._late is None:
            self._wait()
        self._has_begun = False
        super().data_received(data)
        self._size = 0 if self._has_begun else self._size + len(data)
        if self._size > (MOST_HEAD if self._is_head else MOST_MESSAGE):
            self.transport.abort()

    def on_message_begin(self) -> None:
        """Begin with a request."""
        super().on_message_begin()
        self._has_begun = self._is_head = True
        self._head = 0

    def on_url(self, url: bytes) -> None:
        """Take the line of a request, or a piece of it."""
        self._count(len(url))
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header."""
        self._count(len(name) + len(value))
        super().on_header(name, value)

    def _count(self, size: int) -> None:
        self._head += size
        if self._head > MOST_HEAD:
            self.transport.abort()
            raise _TooMany

    def on_headers_complete(self) -> None:
        """Let a request be answered, or wait for the answer before it."""
        super().on_headers_complete()
        self._is_head = False
        if len(self.pipeline) > MOST_WAITING:
            self.transport.abort()
            raise _TooMany

    def on_message_complete(self) -> None:
        """Take the end of a request."""
        self._wait_no_more()
        super().on_message_complete()

    def _wait(self) -> None:
        self._late = self.loop.call_later(REQUEST_S, self.transport.abort)

    def _wait_no_more(self) -> None:
        if self._late is not None:
            self._late.cancel()
            self._late = None


class Server(uvicorn.Server):
    """One that leaves signals to who runs it, and says when it answers."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.answers = asyncio.Event()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave them."""
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to answer, and say so."""
        await super().startup(sockets)
        self.answers.set()


def configured(app: ASGIApp, tls: ssl.SSLContext | None = None) -> uvicorn.Config:
    """Return how an application is served. tls: None for plain HTTP."""
    made = uvicorn.Config(
        app, http=Connection, ws="none", lifespan="off", log_config=None, access_log=False,
        server_header=False, date_header=False, proxy_headers=False,
        timeout_graceful_shutdown=GRACEFUL_S, timeout_keep_alive=KEPT_ALIVE_S,
        limit_concurrency=MOST_CONNECTIONS,
    )  # fmt: skip
    made.load()
    made.ssl = tls
    return made
