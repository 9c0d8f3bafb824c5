# SPDX-License-Identifier: Apache-2.0
"""One node: the writer, and two addresses, one for the parties and one for the operator."""

import asyncio
import secrets
import signal
import socket
import ssl
from collections.abc import Callable, Mapping
from contextlib import ExitStack, closing, suppress
from pathlib import Path
from typing import Final, NamedTuple

from keepclear.detect.kernel import Functions
from keepclear.errors import OperatorError
from keepclear.server.app import Public
from keepclear.server.beginning import Beginning
from keepclear.server.cap import CapDocuments
from keepclear.server.clock import ClockWatch, NodeClock
from keepclear.server.connections import Server, configured
from keepclear.server.feed import Feed
from keepclear.server.forwarding import Forwarding
from keepclear.server.operator import operator_app
from keepclear.server.region import operator_token
from keepclear.server.writer import BEAT_S, Writer
from keepclear.store.nodes import Node

BACKLOG: Final = 2_048
EVERYWHERE: Final = ("0.0.0.0", "::")  # noqa: S104 looked for, not listened at


class Address(NamedTuple):
    """Where to listen; port 0 takes a free one."""

    host: str
    port: int
    scheme: str = "http"

    @property
    def url(self) -> str:
        """Return it as people write it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}"


class Listening(NamedTuple):
    """Where a node is reached."""

    parties: Address
    operator: Address


class _Waking:
    """Tells the loop, from the writer's thread, what was kept and what came of it."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._feed = Feed()

    def begin(self, loop: asyncio.AbstractEventLoop, feed: Feed) -> None:
        """Tell this loop from now on."""
        self._loop, self._feed = loop, feed

    def kept(self, counts: Mapping[str, int]) -> None:
        """Wake those who wait; after the loop has ended nobody does."""
        if self._loop is not None:
            with suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._feed.wake, counts)

    def hand(self, do: Callable[[], None]) -> None:
        """Let the loop tell all who wait for one write; here, where there is none any more."""
        try:
            if self._loop is not None:
                self._loop.call_soon_threadsafe(do)
                return
        except RuntimeError:
            pass
        do()


def serve(
    folder: Path, parties: Address, operator: Address, functions: Functions,
    started: Callable[[Listening], None], clock: NodeClock, beat_s: float = BEAT_S,
    first: Callable[[], None] = lambda: None, tls: ssl.SSLContext | None = None,
    reached_at: str = "",
) -> None:  # fmt: skip
    """Serve a region until the process is told to end; `OperatorError` where it cannot begin.

    started: is called once both addresses answer. first: once they are taken, before anything else;
    it makes a new region. tls: of the parties' address; the operator's is plain. reached_at: where
    other nodes reach that of the parties; where it listens, if nothing is given.
    """
    with ExitStack() as taken:
        sockets = [taken.enter_context(closing(_bound(each))) for each in (parties, operator)]
        first()
        _serve_at(sockets, folder, functions, started, clock, beat_s, tls, reached_at)


def _serve_at(
    sockets: list[socket.socket], folder: Path, functions: Functions,
    started: Callable[[Listening], None], clock: NodeClock, beat_s: float,
    tls: ssl.SSLContext | None, reached_at: str,
) -> None:  # fmt: skip
    """Serve a region at addresses that are taken."""
    token = operator_token(folder)
    waking = _Waking()
    node = Node(
        f"{socket.gethostname()}-{secrets.token_hex(4)}",
        reached_at or _reached_at(sockets[0], "https" if tls else "http"),
    )
    watch = ClockWatch(clock)
    writer = Writer(
        Beginning(folder, clock, functions, node), clock.now_us, waking.kept, beat_s=beat_s,
        watch=watch, hand=waking.hand,
    )  # fmt: skip
    public = Public(writer, clock.now_us, CapDocuments(folder))
    forwarding = Forwarding(public.app(), writer)
    servers = [
        Server(configured(forwarding, tls)),
        Server(configured(operator_app(writer, clock, token, watch, folder))),
    ]

    def ended() -> None:
        public.feed.close()
        forwarding.end()

    writer.start()
    try:
        with asyncio.Runner(loop_factory=servers[0].config.get_loop_factory()) as runner:
            waking.begin(runner.get_loop(), public.feed)
            runner.run(_serve(servers, sockets, started, ended))
            runner.run(forwarding.close())
    finally:
        writer.stop()


async def _serve(
    servers: list[Server], sockets: list[socket.socket],
    started: Callable[[Listening], None], ended: Callable[[], None],
) -> None:  # fmt: skip
    def end() -> None:
        ended()
        for each in servers:
            each.should_exit = True

    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, end)
    running = [
        asyncio.create_task(server.serve([bound]))
        for server, bound in zip(servers, sockets, strict=True)
    ]
    for each in servers:
        await each.answers.wait()
    schemes = ["https" if each.config.ssl else "http" for each in servers]
    started(Listening(*map(_address, sockets, schemes)))
    await asyncio.gather(*running)


def _address(bound: socket.socket, scheme: str) -> Address:
    host, port, *_ = bound.getsockname()
    return Address(host, port, scheme)


def _reached_at(bound: socket.socket, scheme: str) -> str:
    """Return where others reach what listens: by the machine's name where it listens everywhere."""
    made = _address(bound, scheme)
    return (made._replace(host=socket.gethostname()) if made.host in EVERYWHERE else made).url


def _bound(address: Address) -> socket.socket:
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    made = socket.socket(family, socket.SOCK_STREAM)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    # accepted ones inherit it: else the body of an answer waits 40 ms for its head to be confirmed
    made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    try:
        made.bind((address.host, address.port))
    except OSError as fault:
        made.close()
        raise OperatorError(
            f"{address.host}:{address.port}: cannot be listened at ({fault.strerror}); give "
            "another address, or end what listens there"
        ) from None
    made.listen(BACKLOG)
    return made
