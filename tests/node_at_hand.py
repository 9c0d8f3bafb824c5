# SPDX-License-Identifier: Apache-2.0
"""A node without a machine: what is sent goes from hand to hand, and all is done at once.

It is the node that is served: the writer, the parties' application, what hands on to other nodes,
and the connection as `server.connections` has it. There is no socket (`Wire`) and no second thread
(`AtOnce`), so nothing depends on when threads run, and every byte is seen as it is written: status
lines, headers, how bodies are cut.
"""

import asyncio
import time
from collections.abc import Callable, Mapping
from typing import Any, Final

from uvicorn.server import ServerState

from keepclear.plays.stage import YEAR_US
from keepclear.server.app import Public
from keepclear.server.connections import Connection, configured
from keepclear.server.forwarding import Forwarding
from keepclear.server.writer import Begun, Writer

WAIT_S: Final = 60.0
Headers = dict[str, str]


class Wire(asyncio.Transport):
    """A connection from hand to hand: keeps each piece that is written. from_: whose address."""

    def __init__(self, from_: str) -> None:
        super().__init__({"peername": (from_, 40_000), "sockname": ("192.0.2.99", 8610)})
        self.pieces: list[bytes] = []
        self._is_closing = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Keep what is written."""
        self.pieces.append(bytes(data))

    def close(self) -> None:
        """Take no more."""
        self._is_closing = True

    def abort(self) -> None:
        """Take no more."""
        self._is_closing = True

    def is_closing(self) -> bool:
        """Tell whether it was closed."""
        return self._is_closing

    def pause_reading(self) -> None:
        """Go on: all that is sent is there at once."""

    def resume_reading(self) -> None:
        """Go on."""


class End:
    """One end of a connection: asks, and takes what comes back."""

    def __init__(self, node: "NodeAtHand", from_: str) -> None:
        self.wire = Wire(from_)
        self._connection = Connection(node.config, node.state, {})
        self._connection.connection_made(self.wire)

    def send(self, method: str, path: str, headers: Headers, body: bytes = b"") -> None:
        """Ask."""
        lines = [f"{method} {path} HTTP/1.1", "Host: exchange.example"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        if body:
            lines.append(f"Content-Length: {len(body)}")
        self._connection.data_received("\r\n".join([*lines, "", ""]).encode() + body)

    @property
    def is_answered(self) -> bool:
        """Tell whether the last answer has come to its end."""
        return self._connection.cycle.response_complete

    async def ask(self, method: str, path: str, headers: Headers, body: bytes = b"") -> bytes:
        """Ask, and return the whole answer as it came."""
        self.send(method, path, headers, body)
        await until(lambda: self.is_answered)
        found = b"".join(self.wire.pieces)
        self.wire.pieces.clear()
        return found

    def close(self) -> None:
        """Hang up."""
        self._connection.connection_lost(None)


async def until(is_so: Callable[[], bool]) -> None:
    """Let everything that can go on go on until something is so."""
    ends = time.monotonic() + WAIT_S
    while not is_so():
        assert time.monotonic() < ends
        await asyncio.sleep(0)


def is_told(pieces: list[bytes], step: int) -> bool:
    """Tell whether a stream has come to a step."""
    return any(b"id: %d\n" % step in each for each in pieces)


def status_of(answer: bytes) -> int:
    """Return the status of an answer."""
    return int(answer.split(b" ", 2)[1])


def body_of(answer: bytes) -> bytes:
    """Return the body of an answer that has a length."""
    return answer.partition(b"\r\n\r\n")[2]


class AtOnce(Writer):
    """A writer that does at once, on the thread of who asks, what it is asked."""

    def _put(
        self,
        do: Callable[[Any], Any],
        *,
        is_act: bool,
        then: Callable[[Any], None] = lambda _: None,
        look: Callable[[Any], None] = lambda _: None,
    ) -> Any:  # noqa: ANN401 as there
        done = super()._put(do, is_act=is_act, then=then, look=look)
        self._surely([each for each in self._take() if each is not None])
        return done

    def turn(self, *, is_beat: bool = False) -> None:
        """Do what is to be done by time, as between acts."""
        if is_beat:
            self._next_beat = 0.0
        self._surely([])


class NodeAtHand:
    """A node that serves the exchange of a stage; its writer does all at once."""

    def __init__(self, begin: Callable[[], Begun], now_us: Callable[[], int]) -> None:
        self.writer = AtOnce(begin, now_us, self._wake, YEAR_US)
        self.public = Public(self.writer, now_us)
        self.config = configured(Forwarding(self.public.app(), self.writer))
        self.state = ServerState()

    def _wake(self, counts: Mapping[str, int]) -> None:
        self.public.feed.wake(counts)
