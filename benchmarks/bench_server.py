# SPDX-License-Identifier: Apache-2.0
"""A node: durable acts a second, how long an answer takes, how soon viewers see, how it starts.

Nothing known to us keeps a record that both sides can prove behind its answers, so there is no
peer; PostgreSQL stands beside SQLite. Who sends runs on the same machine, and takes its share: the
acts are signed before, and what is timed begins when the first is sent.
"""

import asyncio
import contextlib
import math
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Final, NamedTuple

import httpx
import msgspec
from bench_exchange import operation_at
from measuring import Line, seconds

sys.path.insert(0, str(Path(__file__).parents[1]))

from keepclear.agreement.rules_toml import parse_short
from keepclear.clock import RandomIds
from keepclear.detect.compiled import compiled
from keepclear.plans.acts import FileOperation
from keepclear.plans.filing import FiledOperation
from keepclear.record.encoding import encode
from keepclear.record.envelopes import Envelope, seal
from keepclear.record.headers import ACT, Act, Status
from keepclear.record.keys import Signer
from keepclear.server.beginning import Beginning
from keepclear.server.clock import SteadyClock
from keepclear.server.region import create_region
from keepclear.server.stores import move_store
from tests.postgresql_server import programs, running
from tests.server_plays import Node, keys_of

REGION: Final = "bench"
PARTIES: Final = "abcde"
ACTIVE: Final = 100_000
MINUTE_US: Final = 60_000_000
DAY_MINUTES: Final = 24 * 60
ACTS: Final = 6_000
CONNECTIONS: Final = 64
STEADY_A_SECOND: Final = 500
STEADY_S: Final = 10
LAYERS, SLOTS = 12, 12 * 22
IN_CELL: Final = 10 * SLOTS
VIEWERS: Final = 500
CHANGES: Final = 40


class Sender:
    """The parties' watches, whose acts are signed without asking the exchange."""

    def __init__(self) -> None:
        made = {party: keys_of(party) for party in PARTIES}
        self.documents = {party: document for party, (document, _) in made.items()}
        self.signers: dict[str, Signer] = {party: signer for party, (_, signer) in made.items()}
        self._ids = RandomIds()

    def act(self, party: str, made: FiledOperation) -> Envelope:
        """Return an act that files an operation."""
        now_us = time.time_ns() // 1000
        act = Act(
            region=REGION, incarnation=1, status=Status.EXERCISE, party=party, post="watch",
            id=self._ids.id(), created_us=now_us, expires_us=now_us + 60 * MINUTE_US, agreement="",
            kind="operations.file/1",
            payload=msgspec.Raw(encode(FileOperation(operation=made))),
        )  # fmt: skip
        return seal(ACT, encode(act), self.signers[party])


class Sent(NamedTuple):
    """How acts were answered: seconds for all, and of each."""

    whole_s: float
    each_s: list[float]

    def share(self, part: float) -> float:
        """Return the time within which a part of the answers came."""
        return sorted(self.each_s)[math.ceil(part * len(self.each_s)) - 1]


def spread(by: Random) -> FiledOperation:
    """Return an operation anywhere, at a time within the next day."""
    start_us = time.time_ns() // 1000 + (60 + by.randrange(DAY_MINUTES - 120)) * MINUTE_US
    place = by.uniform(-60, 60), by.uniform(-170, 170)
    return operation_at(*place, 60 + 10 * by.randrange(30), start_us)


def in_one_cell(
    by: Random, now_us: int, number: int, centre_deg: float = 35.0
) -> FiledOperation:  # fmt: skip
    """Return one of very many in a cell 10 km wide, of which 10 at most are at one time and level.

    An hour each, in layers of 3,500 ft: small ones are widened to 2,000 ft, and kept 1,000 apart.
    now_us: one for all, or those of one hour last into the next. centre_deg: latitude of the cell.
    """
    hour, layer = number % SLOTS // LAYERS, number % LAYERS
    start_us = now_us + 60 * (1 + hour) * MINUTE_US
    place = centre_deg + by.uniform(-0.04, 0.04), 34.0 + by.uniform(-0.04, 0.04)
    return operation_at(*place, 60 + 35 * layer, start_us)


def server_speed() -> list[Line]:
    """One node with 100,000 active operations: a start, acts a second, a steady load, viewers."""
    sender = Sender()
    with TemporaryDirectory() as name:
        folder = Path(name) / REGION
        _filled(folder, sender, ACTIVE)
        node = Node(folder)
        lines = [_start(node, "by its whole record", None), _start(node, "by its snapshot", 10.0)]
        node.start()
        try:
            lines += _loads(node, sender, "SQLite", 35.0, 1_000.0)
            lines += _viewers(node, sender)
        finally:
            node.end()
        if (found := programs()) is None:
            return lines
        with running(found) as server:
            move_store(folder, server.database())
            node.start()
            try:
                lines += _loads(node, sender, "PostgreSQL", 37.0, None)  # the other cell is full
            finally:
                node.end()
    return lines


def _filled(folder: Path, sender: Sender, count: int) -> None:
    """Make a region with so many active operations, spread over the world and a day."""
    create_region(folder, REGION, parse_short("5 NM / 1000 ft"), SteadyClock(), compiled())
    begun = Beginning(folder, SteadyClock(), compiled())()
    by, exchange = Random(1), begun.exchange
    with contextlib.closing(begun.store):
        for document in sender.documents.values():
            exchange.admit(document)
        for first in range(0, count, 500):
            with exchange.together():
                for number in range(first, first + 500):
                    party = PARTIES[number % len(PARTIES)]
                    exchange.submit(sender.act(party, spread(by)), party)
        exchange.beat()


def _start(node: Node, how: str, limit_s: float | None) -> Line:
    began = time.perf_counter()
    node.start()
    took_s = time.perf_counter() - began
    node.end()
    goal = "" if limit_s is None else _goal(took_s, limit_s)
    return Line(
        f"start a node, {how}", seconds(took_s), goal,
        note=f"{ACTIVE:,} active; from nothing until both addresses answer",
    )  # fmt: skip


def _goal(took_s: float, limit_s: float) -> str:
    share = took_s / limit_s
    return f"< {seconds(limit_s)}: " + ("met" if share < 1 else f"missed {share:.1f} times")


def _loads(
    node: Node, sender: Sender, store: str, centre_deg: float, least: float | None
) -> list[Line]:
    """Acts as fast as they are taken, spread and in one cell; and at a steady rate."""
    by, tokens, now_us = Random(2), _tokens(node, sender), time.time_ns() // 1000
    lines = []
    cases: list[tuple[str, int, Callable[[int], FiledOperation]]] = [
        ("spread out", ACTS, lambda _: spread(by)),
        (
            "in one 10 km cell, at most 10 overlapping",
            IN_CELL,
            partial(in_one_cell, by, now_us, centre_deg=centre_deg),
        ),
    ]
    for name, count, make in cases:
        requests = [_request(sender, tokens, number, make(number)) for number in range(count)]
        before_s = _processor_s(node)
        sent = asyncio.run(_at_once(node, requests))
        used_s = (_processor_s(node) - before_s) / count
        rate = count / sent.whole_s
        goal = (
            ""
            if least is None
            else f"> {least:,.0f} a second: "
            + ("met" if rate > least else f"missed {least / rate:.1f} times")
        )
        lines.append(Line(
            f"durable acts through HTTP, {store}, {name}", f"{rate:,.0f} a second", goal,
            note=f"{ACTIVE:,} active; {len(requests[0]):,} bytes each, {CONNECTIONS} connections; "
            f"{used_s * 1e3:.2f} ms of the node's processor each",
        ))  # fmt: skip
    requests = [
        _request(sender, tokens, number, spread(by)) for number in range(STEADY_A_SECOND * STEADY_S)
    ]
    sent = asyncio.run(_at_a_rate(node, requests, STEADY_A_SECOND))
    p99_s = sent.share(0.99)
    lines.append(Line(
        f"an answer at {STEADY_A_SECOND} acts a second, {store}, p99", seconds(p99_s),
        _goal(p99_s, 0.05) if least is not None else "",
        note=f"median {seconds(statistics.median(sent.each_s))}; {ACTIVE:,} active",
    ))  # fmt: skip
    return lines


def _tokens(node: Node, sender: Sender) -> dict[str, str]:
    tokens = {}
    for party, signer in sender.signers.items():
        client = node.client(party, signer)
        client.record(0)  # signs in, and does not take in all that there is
        tokens[party] = client._token  # noqa: SLF001 the load is sent without a client
    return tokens


def _request(sender: Sender, tokens: dict[str, str], number: int, made: FiledOperation) -> bytes:
    party = PARTIES[number % len(PARTIES)]
    return posted(tokens[party], encode(sender.act(party, made)))


def posted(token: str, body: bytes) -> bytes:
    """Return the request that sends an act."""
    head = (
        f"POST /v1/acts HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {token}\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


async def _connected(node: Node) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    host, _, port = node.parties.partition("://")[2].partition(":")
    return await asyncio.open_connection(host, int(port))


async def _answer(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    size = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
    body = await reader.readexactly(size)
    if b" 200 " not in head:
        raise AssertionError(f"{head!r} {body!r}")
    return body


async def _at_once(node: Node, requests: Sequence[bytes]) -> Sent:
    """Send each as soon as the one before it on its connection is answered."""
    each_s: list[float] = []

    async def one(own: Sequence[bytes]) -> None:
        reader, writer = await _connected(node)
        for request in own:
            began = time.perf_counter()
            writer.write(request)
            await _answer(reader)
            each_s.append(time.perf_counter() - began)
        writer.close()

    began = time.perf_counter()
    await asyncio.gather(*(one(requests[k::CONNECTIONS]) for k in range(CONNECTIONS)))
    return Sent(time.perf_counter() - began, each_s)


async def _at_a_rate(node: Node, requests: Sequence[bytes], a_second: float) -> Sent:
    """Send each at its time, whatever waits; timed from that time on."""
    each_s: list[float] = []
    free = [await _connected(node) for _ in range(CONNECTIONS)]
    began = time.perf_counter()

    async def one(number: int, request: bytes) -> None:
        due = began + number / a_second
        await asyncio.sleep(max(due - time.perf_counter(), 0))
        reader, writer = free.pop() if free else await _connected(node)
        writer.write(request)
        await _answer(reader)
        each_s.append(time.perf_counter() - due)
        free.append((reader, writer))

    await asyncio.gather(*(one(number, each) for number, each in enumerate(requests)))
    whole_s = time.perf_counter() - began
    for _, writer in free:
        writer.close()
    return Sent(whole_s, each_s)


def _processor_s(node: Node) -> float:
    """Return what the node's process has used of a processor so far."""
    assert node.process is not None
    said = Path(f"/proc/{node.process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(said[11]) + int(said[12])) / 100


def _viewers(node: Node, sender: Sender) -> list[Line]:
    """How long after a party was admitted, which all may see, each of very many viewers has it."""
    took_s = sorted(asyncio.run(_seen(node, _tokens(node, sender))))
    p95_s = took_s[math.ceil(0.95 * len(took_s)) - 1]
    return [Line(
        f"a change reaches {VIEWERS} viewers, p95", seconds(p95_s), _goal(p95_s, 0.25),
        note=f"from sending it, {CHANGES} changes, median {seconds(statistics.median(took_s))}; "
        f"{ACTIVE:,} active",
    )]  # fmt: skip


async def _seen(node: Node, tokens: dict[str, str]) -> list[float]:
    """Return how long each viewer waited for each change."""
    came: list[float] = []
    sent_at, missing, done = 0.0, 0, asyncio.Event()

    async def view(party: str, after: int, begun: asyncio.Event) -> None:
        nonlocal missing
        reader, writer = await _connected(node)
        writer.write(
            f"GET /v1/stream HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {tokens[party]}\r\n"
            f"Last-Event-ID: {after}\r\n\r\n".encode()
        )
        with contextlib.closing(writer):
            await reader.readuntil(b"\r\n\r\n")
            begun.set()
            while line := await reader.readline():
                if line.startswith(b"event: step"):
                    came.append(time.perf_counter() - sent_at)
                    missing -= 1
                    if not missing:
                        done.set()

    begun = [asyncio.Event() for _ in range(VIEWERS)]
    steps = {party: _steps(node, tokens[party]) for party in PARTIES}
    tasks = [
        asyncio.create_task(view(party, steps[party], each))
        for number, each in enumerate(begun) if (party := PARTIES[number % len(PARTIES)])
    ]  # fmt: skip
    await asyncio.gather(*(each.wait() for each in begun))
    for number in range(CHANGES):
        document = keys_of(f"party-{number}")[0]
        missing = VIEWERS
        done.clear()
        sent_at = time.perf_counter()
        await asyncio.to_thread(node.admit, document)
        await done.wait()
    for each in tasks:
        each.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    return came


def _steps(node: Node, token: str) -> int:
    """Return how many steps a party has, found by asking: from more than there are none is told."""
    low, high = 0, 2**20
    with httpx.Client(base_url=node.parties, headers={"Authorization": f"Bearer {token}"}) as http:
        while high - low > 1:
            middle = (low + high) // 2
            is_there = http.get("/v1/record", params={"after": middle}).is_success
            low, high = (middle, high) if is_there else (low, middle)
    return low
