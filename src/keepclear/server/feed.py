# SPDX-License-Identifier: Apache-2.0
"""What viewers are sent as it happens: a snapshot, then each step of their party, in order.

Server-sent events (WHATWG HTML, section 9.2). The id of an event is the party's own step, so who
comes back with `Last-Event-ID` misses nothing and gets nothing twice:

    event snapshot   operations and conflicts of the party, as they stand at that step
    event step       the lines that the party's file gains by that step, as a JSON array

1. A viewer is sent what is written, and only what its party's file has.
2. Only viewers whose party has something new are woken.
   What is new is read once for all viewers of a party.
3. One that reads slowly holds up nobody: it is sent more when it has taken what it has.
4. A comment every fifteen seconds tells that the connection is alive.
5. One whose token has ended, or whose key is revoked, is let go at the next of them at the latest;
   one who signs out at once.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping
from typing import Any, Final, NamedTuple

from keepclear.errors import CallerError
from keepclear.exchange.exchange import Exchange
from keepclear.record.encoding import encode
from keepclear.record.key_documents import Keyring
from keepclear.server.sessions import NotSignedIn

ALIVE_S: Final = 15.0
STEPS_AT_ONCE: Final = 200
MOST_OF_PARTY: Final = 100
MOST: Final = 2_000
ALIVE: Final = b": alive\n\n"
Read = Callable[[Callable[[Exchange], Any]], Any]


class TooMany(CallerError):
    """There are as many viewers as are served."""


class Feed:
    """Viewers by party. All but `counts` is used by the thread that serves alone."""

    def __init__(self) -> None:
        self._waiting: dict[str, set[asyncio.Event]] = {}
        self._last: dict[str, int] = {}
        self._asked: dict[tuple[str, int], asyncio.Future[_News]] = {}
        self._is_over = False

    def wake(self, counts: Mapping[str, int]) -> None:
        """Wake the viewers of parties that have more steps than before. counts: by party."""
        for party, count in counts.items():
            if self._last.get(party) != count:
                self._last[party] = count
                for each in self._waiting.get(party, ()):
                    each.set()

    def look_again(self, party: str) -> None:
        """Let the viewers of a party see whether they may still follow."""
        for each in self._waiting.get(party, ()):
            each.set()

    def close(self) -> None:
        """Let all viewers go."""
        self._is_over = True
        for each in self._waiting.values():
            for event in each:
                event.set()

    def check_room(self, party: str) -> None:
        """Refuse one more viewer where there are enough: `TooMany`.

        Counted are those that follow: one that goes away before it begins leaves nothing behind.
        """
        own = len(self._waiting.get(party, ()))
        if own >= MOST_OF_PARTY or sum(map(len, self._waiting.values())) >= MOST:
            raise TooMany(f"stream: {own} viewers of {party} are served already; close one")

    async def follow(
        self, party: str, after: int | None, read: Read, holds: Callable[[Keyring], None]
    ) -> AsyncGenerator[bytes, None]:
        """Yield what a viewer of a party is sent, from a step on; None for a snapshot first.

        holds: refuses a viewer that may follow no more; `NotSignedIn`. keys: as they are now.
        """
        changed = asyncio.Event()
        self._waiting.setdefault(party, set()).add(changed)
        try:
            if after is None:
                after, data, keys = await read(lambda exchange: _snapshot(exchange, party))
                holds(keys)
                yield _event("snapshot", after, data)
            while not self._is_over:
                changed.clear()
                news = await self._news(party, after, read)
                holds(news.keys)
                for each in news.events:
                    after += 1
                    yield each
                if not news.events:
                    try:
                        await asyncio.wait_for(changed.wait(), ALIVE_S)
                    except TimeoutError:
                        yield ALIVE
        except NotSignedIn:
            return
        finally:
            self._waiting[party].discard(changed)

    async def _news(self, party: str, after: int, read: Read) -> "_News":
        """Return what follows a step of a party: asked once for all viewers that wait for it."""
        key = party, after
        asked = self._asked.get(key)
        if asked is None:
            asked = self._asked[key] = asyncio.ensure_future(
                read(lambda exchange: _steps(exchange, party, after))
            )
            asked.add_done_callback(lambda done: self._told(key, done))
        return await asyncio.shield(asked)  # who goes away takes it from nobody

    def _told(self, key: tuple[str, int], done: "asyncio.Future[_News]") -> None:
        del self._asked[key]
        if not done.cancelled():
            done.exception()  # it may be that nobody waits for it any more


class _News(NamedTuple):
    """Events that follow a step, and the keys of all parties as they were when it was asked."""

    events: tuple[bytes, ...]
    keys: Keyring


def _steps(exchange: Exchange, party: str, after: int) -> _News:
    found = exchange.reads.steps(party, after, STEPS_AT_ONCE).value
    events = (
        _event("step", number, b"[" + b",".join(lines) + b"]")
        for number, lines in enumerate(found.lines, start=after + 1)
    )
    return _News(tuple(events), exchange.keys)


def _snapshot(exchange: Exchange, party: str) -> tuple[int, bytes, Keyring]:
    """Return how all that a party may see stands, and at which step of its own."""
    reads = exchange.reads
    operations, conflicts = reads.operations(party).value, reads.conflicts(party).value
    data = encode({"operations": operations, "conflicts": conflicts})
    return reads.count(party), data, exchange.keys


def _event(kind: str, step: int, data: bytes) -> bytes:
    return b"event: %b\nid: %d\ndata: %b\n\n" % (kind.encode(), step, data)
