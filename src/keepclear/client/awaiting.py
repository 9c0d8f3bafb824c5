# SPDX-License-Identifier: Apache-2.0
"""The client for who awaits: the same, on a thread of its own.

async with AsyncClient("http://127.0.0.1:8610", "north", "watch", signer, believed) as north:
    told = await north.act("operations.file/1", FileOperation(operation=filed))
    async for steps in north.follow():
        ...

1. There is one client (`acting`): what it signs, verifies and refuses is the same here, as it is
   the same code. Signatures and proofs are computed, and would hold up a loop of events anyway.
2. All that is asked goes one after another, in the order in which it was asked. Following does not
   stand in its way: the stream is heard on another thread, and is a bell and no more.
3. Who stops awaiting stops nothing that was sent: it may be done, and `picture` shows it.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from functools import partial
from threading import Thread
from types import TracebackType
from typing import Final, ParamSpec, Self, TypedDict, TypeVar, Unpack

from keepclear.client.acting import Client
from keepclear.client.answers import Event
from keepclear.client.own_copy import Keeping, Seen
from keepclear.exchange.picture import Picture
from keepclear.exchange.views import Notice
from keepclear.line.checks import CheckedLine
from keepclear.line.messages import Message
from keepclear.line.stops import KeepOut
from keepclear.plans.operations import Operation
from keepclear.plans.stops import Stop
from keepclear.record.encoding import Signed
from keepclear.record.entries import Part
from keepclear.record.envelopes import Envelope
from keepclear.record.files import KeysFile
from keepclear.record.headers import Status
from keepclear.record.keys import Signer

CUT_S: Final = 5.0  # a stream that is cut ends at once; one that is not open yet, when it is
P = ParamSpec("P")
Value = TypeVar("Value")


class Options(TypedDict, total=False):
    """What a client can be given by name; as of `Client`."""

    status: Status
    seen: Seen | None
    keeping: Keeping | None
    clock_us: int
    now: Callable[[], int]
    follows: bool


class AsyncClient:
    """One post of a party at one exchange, for one loop of events; as `Client`, which see.

    Read `seen` and `picture` between two awaits.
    """

    def __init__(
        self, url: str, party: str, post: str, signer: Signer, believed: KeysFile,
        **options: Unpack[Options],
    ) -> None:  # fmt: skip
        self._client = Client(url, party, post, signer, believed, **options)
        # For the stream alone, of which nothing is believed: it holds nothing, and keeps nothing.
        options["seen"] = options["keeping"] = None
        self._bell = partial(Client, url, party, post, signer, believed, **options)
        self._thread = ThreadPoolExecutor(1, "keepclear-client")

    @property
    def party(self) -> str:
        """Return the party that it acts for."""
        return self._client.party

    @property
    def seen(self) -> Seen:
        """Return what it was shown, to be kept from one run to the next."""
        return self._client.seen

    @property
    def picture(self) -> Picture:
        """Return how its operations and conflicts stand, as far as it has caught up."""
        return self._client.picture

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:  # fmt: skip
        await self.close()

    async def close(self) -> None:
        """Let go of the connection, once what was asked is answered."""
        await self._run(self._client.close)
        self._thread.shutdown(wait=False)

    async def act(
        self, kind: str, payload: Signed, *, agreement: str = "", signers: Sequence[Signer] = ()
    ) -> tuple[Part, ...]:
        """Sign an act, send it, and return what is proven to have come of it."""
        return await self._run(
            self._client.act, kind, payload, agreement=agreement, signers=signers
        )

    async def signed(
        self, kind: str, payload: Signed, *, agreement: str = "", signers: Sequence[Signer] = ()
    ) -> Envelope:
        """Return an act of this post, signed; it can be sent within the hour."""
        return await self._run(
            self._client.signed, kind, payload, agreement=agreement, signers=signers
        )

    async def send(self, envelope: Envelope) -> tuple[Part, ...]:
        """Send an act until it is answered, and return what is proven to have come of it."""
        return await self._run(self._client.send, envelope)

    async def catch_up(self) -> list[tuple[Part, ...]]:
        """Bring the party's copy up to what there is; return what each new step of it holds."""
        return await self._run(self._client.catch_up)

    async def operations(self) -> list[Operation]:
        """Return the party's own operations; of those that are over some may be left out."""
        return await self._run(self._client.operations)

    async def conflicts(self) -> list[Notice]:
        """Return how the party's conflicts stand; of settled ones some may be left out."""
        return await self._run(self._client.conflicts)

    async def messages(self) -> list[Message]:
        """Return how the party's messages stand; of those that are done some may be left out."""
        return await self._run(self._client.messages)

    async def lines(self) -> list[CheckedLine]:
        """Return how the party's lines stand that are checked, each in its direction."""
        return await self._run(self._client.lines)

    async def stops(self) -> list[Stop]:
        """Return how the party's own STOPs stand; those that have ended may be left out."""
        return await self._run(self._client.stops)

    async def keep_outs(self) -> list[KeepOut]:
        """Return where the party's operations must keep out for STOPs of others, by their ids."""
        return await self._run(self._client.keep_outs)

    async def deliver(self) -> list[Message]:
        """Sign *delivered* for each message that this post has; as `Client.deliver`."""
        return await self._run(self._client.deliver)

    async def cap(self, message: str) -> bytes:
        """Return a message of the party as a document of CAP 1.2 that the exchange has signed."""
        return await self._run(self._client.cap, message)

    async def record(self, after: int) -> tuple[bytes, int]:
        """Return lines of the party's file after so many steps, and how many steps that makes."""
        return await self._run(self._client.record, after)

    async def untold(self) -> list[tuple[Part, ...]]:
        """Return what `follow` has not yielded yet: where it ends, there may be some."""
        return await self._run(self._client.untold)

    async def follow(self, *, delivers: bool = False) -> AsyncIterator[list[tuple[Part, ...]]]:
        """Yield what each new step holds, proven, as it happens; as `Client.follow`."""
        after = await self._run(self._client.begin_following)
        async with self._heard(after) as events:
            async for event in events:
                found = await self._run(self._client.heard, event)
                if delivers:
                    await self._run(self._client.deliver)
                yield [*found, *await self._run(self._client.untold)]

    async def _run(self, ask: Callable[P, Value], *given: P.args, **options: P.kwargs) -> Value:
        """Let the thread of the client do something, after all that was asked before."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, partial(ask, *given, **options))

    @asynccontextmanager
    async def _heard(self, after: int) -> AsyncIterator[AsyncIterator[Event]]:
        """Give the events of the stream after a step, heard on a thread that ends with it."""
        loop, heard = asyncio.get_running_loop(), asyncio.Queue[Event | Exception]()
        bell = self._bell()

        def put(what: Event | Exception) -> None:
            with suppress(RuntimeError):  # the loop is closed: nobody follows any more
                loop.call_soon_threadsafe(heard.put_nowait, what)

        def listen() -> None:
            try:
                for event in bell.stream(after):
                    put(event)
            except Exception as fault:  # noqa: BLE001 whatever it is, who follows is told
                put(fault)
            finally:
                bell.close()

        async def events() -> AsyncIterator[Event]:
            while not isinstance(event := await heard.get(), Exception):
                yield event
            raise event

        listening = Thread(target=listen, name="keepclear-bell", daemon=True)
        listening.start()
        try:
            yield events()
        finally:
            bell.cut()
            await loop.run_in_executor(None, listening.join, CUT_S)
