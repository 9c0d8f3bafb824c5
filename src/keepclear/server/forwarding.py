# SPDX-License-Identifier: Apache-2.0
"""What parties send to a node that stands by is handed on to the node that writes.

1. Byte for byte: tokens are known to the node that writes, and it alone answers.
2. Once: what was handed on already is answered here, so that two nodes that are wrong about each
   other hand on nothing in a circle.
3. Where that node gives no answer, or cannot decide (503), the same is asked of the next that
   writes, this one too: what is sent twice does nothing twice. Where none comes for some seconds
   the sender is told so.
"""

import asyncio
import time
from collections.abc import Iterable
from typing import Any, Final

import httpx
from litestar.enums import ScopeType
from litestar.types import ASGIApp, HTTPScope, Receive, Scope, Send

from keepclear.record.encoding import MOST_BYTES, encode
from keepclear.server.answers import JSON, CutOff, Fault, body_of
from keepclear.server.feed import ALIVE_S
from keepclear.server.writer import Writer

CONNECT_S: Final = 2.0
ANSWER_S: Final = 2 * ALIVE_S
LOOKS_S: Final = 0.1  # how often it is looked whether another node writes
WAITS_S: Final = 6.0  # for a node that writes
MARK: Final = b"keepclear-forwarded"
ASKED: Final = frozenset({
    b"authorization", b"content-type", b"last-event-id", b"cookie", b"host", b"origin",
    b"sec-fetch-site",
})  # fmt: skip
ANSWERED: Final = frozenset({"content-type", "keepclear-step", "cache-control", "set-cookie"})
STREAM: Final = "text/event-stream"


class Forwarding:
    """An application before that of the parties. Used by the thread that serves alone."""

    def __init__(self, app: ASGIApp, writer: Writer) -> None:
        self._app, self._writer, self._is_over = app, writer, False
        self._http: httpx.AsyncClient | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer here, or hand on."""
        at = self._writer.writes_at
        if at and scope["type"] == ScopeType.HTTP and MARK not in dict(scope["headers"]):
            await self._hand_on(at, scope, receive, send)
        else:
            await self._app(scope, receive, send)

    def end(self) -> None:
        """Let all go whose answers are still under way."""
        self._is_over = True

    async def close(self) -> None:
        """Let go of the connections to other nodes."""
        if self._http is not None:
            await self._http.aclose()

    async def _hand_on(self, at: str, scope: HTTPScope, receive: Receive, send: Send) -> None:
        """Ask the node that writes, and give its answer; end where whoever asks goes away."""
        answer = _Answer(send)
        try:
            body = await body_of(receive)
        except CutOff:
            return
        if len(body) > MOST_BYTES:
            await answer.refuse(413, f"body: is above {MOST_BYTES:,} bytes; send less")
            return
        asking = asyncio.create_task(answer.give(self._client(), _request(at, scope, body)))
        gone = asyncio.create_task(_gone(receive))
        await self._while_it_writes(at, {asking, gone})
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)
        if not answer.has_begun and not gone.done():
            await self._while_it_writes(at, {gone}, WAITS_S)
        is_gone = gone.done()
        gone.cancel()
        await asyncio.gather(gone, return_exceptions=True)
        if answer.has_begun or is_gone or self._is_over or self._writer.writes_at == at:
            await answer.end(at)
        else:
            await self(scope, _again(body, receive), send)

    async def _while_it_writes(
        self, at: str, tasks: set[asyncio.Task[None]], most_s: float = float("inf")
    ) -> None:
        """Wait until a task is done, another node writes, this one ends, or the time is over."""
        ends = time.monotonic() + most_s
        while self._writer.writes_at == at and not self._is_over and time.monotonic() < ends:
            done, _ = await asyncio.wait(
                tasks, timeout=LOOKS_S, return_when=asyncio.FIRST_COMPLETED
            )
            if done:
                return

    def _client(self) -> httpx.AsyncClient:
        if self._http is None:
            self._http = httpx.AsyncClient(
                timeout=httpx.Timeout(ANSWER_S, connect=CONNECT_S),
                limits=httpx.Limits(max_connections=None), trust_env=False,
            )  # fmt: skip
        return self._http


class _Answer:
    """An answer on its way: not begun, begun, or whole."""

    def __init__(self, send: Send) -> None:
        self._send, self.has_begun, self._is_whole = send, False, False
        self._refusal = b""

    async def give(self, http: httpx.AsyncClient, request: httpx.Request) -> None:
        """Hand on an answer: a stream as it comes, anything else once it is whole."""
        answer = await http.send(request, stream=True)
        try:
            is_stream = answer.headers.get("content-type", "").startswith(STREAM)
            whole = b"" if is_stream else await answer.aread()
            if answer.status_code == httpx.codes.SERVICE_UNAVAILABLE:
                self._refusal = whole
                return
            await self._begin(answer.status_code, answer.headers.multi_items())
            if is_stream:
                async for some in answer.aiter_bytes():
                    await self._give(some, more=True)
            else:
                await self._give(whole, more=False)
        finally:
            await answer.aclose()

    async def end(self, at: str) -> None:
        """Say that nothing came, or why nothing is decided, or end a stream that was cut."""
        if not self.has_begun:
            why = (
                f"exchange: the node that writes, at {at}, gave no answer; what was sent may have "
                "been done: send the same again, it does nothing twice"
            )
            await self._begin(httpx.codes.SERVICE_UNAVAILABLE, [("content-type", JSON)])
            await self._give(self._refusal or encode(Fault(error=why)), more=False)
        elif not self._is_whole:
            await self._give(b"", more=False)

    async def refuse(self, status: int, why: str) -> None:
        """Give an answer of this node's own."""
        await self._begin(status, [("content-type", JSON)])
        await self._give(encode(Fault(error=why)), more=False)

    async def _begin(self, status: int, headers: Iterable[tuple[str, str]]) -> None:
        self.has_begun = True
        kept = [
            (name.encode(), value.encode())
            for name, value in headers if name.lower() in ANSWERED
        ]  # fmt: skip
        await self._send({"type": "http.response.start", "status": status, "headers": kept})

    async def _give(self, data: bytes, *, more: bool) -> None:
        self._is_whole = not more
        await self._send({"type": "http.response.body", "body": data, "more_body": more})


def _request(at: str, scope: HTTPScope, body: bytes) -> httpx.Request:
    query = b"?" + scope["query_string"] if scope["query_string"] else b""
    return httpx.Request(
        scope["method"], httpx.URL(at).copy_with(raw_path=scope["raw_path"] + query),
        headers=[*(each for each in scope["headers"] if each[0] in ASKED), (MARK, b"1")],
        content=body,
    )  # fmt: skip


def _again(body: bytes, receive: Receive) -> Receive:
    """Return what gives a body that was read once more, and then what comes after it."""
    left = [body]

    async def given() -> Any:  # noqa: ANN401 a message, as ASGI has it
        if left:
            return {"type": "http.request", "body": left.pop(), "more_body": False}
        return await receive()

    return given


async def _gone(receive: Receive) -> None:
    """Return when whoever asks has gone away."""
    while (await receive())["type"] != "http.disconnect":
        pass
