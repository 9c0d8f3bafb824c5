# SPDX-License-Identifier: Apache-2.0
"""The line: how soon a message is delivered, and how soon after its deadline a step is OVERDUE.

Nothing known to us has a ladder whose steps are proven, so there is no peer. Senders, receivers
and the node run on the same machine and share it.
"""

import asyncio
import contextlib
import multiprocessing
import statistics
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Final, NamedTuple

import msgspec
from bench_exchange import operation_at
from bench_server import CONNECTIONS, Sent, _at_once, _connected, _goal, posted
from measuring import Line, seconds

sys.path.insert(0, str(Path(__file__).parents[1]))

from keepclear.agreement.clauses import Deadline, Deadlines, Precedence
from keepclear.agreement.documents import Agreement
from keepclear.agreement.rules_toml import parse_short
from keepclear.client import Client
from keepclear.clock import RandomIds
from keepclear.detect.compiled import compiled
from keepclear.exchange.agreements import CarryAgreement
from keepclear.exchange.events import MessageChanged, MessageOverdue
from keepclear.exchange.picture import told_in
from keepclear.exchange.views import Notice
from keepclear.line.acts import SendMessage
from keepclear.line.ladder import Step
from keepclear.line.messages import FLIGHT_SAFETY
from keepclear.plans.acts import ActivateOperation, FileOperation, MakeContingent
from keepclear.plays.stage import DAY_US, HOUR_US, PEOPLE, Stage
from keepclear.record.encoding import encode
from keepclear.record.entries import Part
from keepclear.record.headers import Status
from keepclear.server.clock import SteadyClock
from keepclear.server.region import create_region
from tests.agreement_plays import clause
from tests.message_plays import line_agreement
from tests.server_plays import Node

REGION: Final = "bench"
HOUSE: Final = parse_short("5 NM / 1000 ft")
PARTIES: Final = tuple(f"party-{number}" for number in range(10))
CONVERSATIONS: Final = 50
EACH_S: Final = 2.0  # how often somebody says something in each conversation
LASTS_S: Final = 40.0
OPEN: Final = 10_000
FORK: Final = multiprocessing.get_context("fork")  # one clock for both: perf_counter of the machine
WITHIN_S: Final = 40


class _Desks(NamedTuple):
    """A node, and the stage whose keys its parties have."""

    node: Node
    stage: Stage

    def client(self, party: str) -> Client:
        """Return a client of a party's watch."""
        return self.node.client(party, self.stage._signers[party, "watch"])  # noqa: SLF001


def line_speed() -> list[Line]:
    """One node on SQLite: 50 conversations, and 10,000 deadlines that fall due."""
    with _serving(*PARTIES) as desks:
        lines = [_conversations(desks), _lost_communications(desks)]
    deadlines = Deadlines(
        deadlines=(Deadline(precedence=Precedence.URGENT, acknowledge_s=WITHIN_S),),
        escalation=("watch", "duty-officer"),
    )
    now_us = time.time_ns() // 1000
    agreed = line_agreement(
        *PARTIES, clauses=(clause("4.1", "Deadlines.", deadlines, survives=True),),
        in_force_us=now_us - DAY_US, review_us=now_us + DAY_US, until_us=now_us + 2 * DAY_US,
    )  # fmt: skip
    with _serving(*PARTIES) as desks:
        return [*lines, _escalations(desks, agreed)]


@contextlib.contextmanager
def _serving(*parties: str) -> Iterator[_Desks]:
    """Serve a new region that parties have joined."""
    with TemporaryDirectory() as name:
        folder = Path(name) / REGION
        create_region(folder, REGION, HOUSE, SteadyClock(), compiled())
        stage = Stage(
            REGION, time.time_ns() // 1000, Status.EXERCISE, HOUSE, RandomIds(), compiled()
        )
        node = Node(folder)
        node.start()
        try:
            for each in parties:
                stage.join(each)
                assert node.admit(stage.keys.documents[-1]).status_code == 204
            yield _Desks(node, stage)
        finally:
            node.end()


# --- from send to delivered ---------------------------------------------------------------------


class _Talk:
    """What the desks of all parties say and hear for a while."""

    def __init__(self, desks: _Desks) -> None:
        self._desks = desks
        self.took_s: list[float] = []
        self.faults: list[Exception] = []
        self._is_over = False
        self._ready = threading.Barrier(len(PARTIES) + 1)

    def run(self) -> None:
        """Let all of it be said, and heard."""
        listening = [self._desks.client(party) for party in PARTIES]
        hearing = [threading.Thread(target=self._listen, args=(each,)) for each in listening]
        for each in hearing:
            each.start()
        self._ready.wait(30)
        plan = _plan(time.perf_counter() + 3)
        speaking = FORK.Process(target=self._speak_all, args=(plan,))
        speaking.start()
        speaking.join()
        ends = time.perf_counter() + 30
        while len(self.took_s) < len(plan) and time.perf_counter() < ends and not self.faults:
            time.sleep(0.05)
        self._is_over = True
        for client, thread in zip(listening, hearing, strict=True):
            client.cut()
            thread.join()
        if self.faults or len(self.took_s) < len(plan):
            raise AssertionError(f"{len(self.took_s)} of {len(plan)} delivered; {self.faults}")

    def _listen(self, client: Client) -> None:
        """Sign *delivered* for each message as it comes, and note how long it took."""
        try:
            for number, steps in enumerate(client.follow(delivers=True)):
                if not number:
                    self._ready.wait(30)
                for part in (part for step in steps for part in step):
                    if (sent := _delivered(part, client.party)) is not None:
                        self.took_s.append(time.perf_counter() - sent)
        except Exception as fault:  # noqa: BLE001 the main thread says so
            if not self._is_over:
                self.faults.append(fault)

    def _speak_all(self, plan: list[tuple[float, str, str]]) -> None:
        """Send all messages, each party by a client of its own."""
        speaking = [threading.Thread(target=self._speak, args=(each, plan)) for each in PARTIES]
        for each in speaking:
            each.start()
        for each in speaking:
            each.join()

    def _speak(self, party: str, plan: list[tuple[float, str, str]]) -> None:
        """Send each message of a party at its time; its text says when that was."""
        with self._desks.client(party) as client:
            client.catch_up()
            for due_s, one, other in plan:
                if one == party:
                    time.sleep(max(due_s - time.perf_counter(), 0))
                    client.act("line.send/1", SendMessage(
                        to=other, channel=FLIGHT_SAFETY, precedence=Precedence.PRIORITY,
                        text=repr(time.perf_counter()), language="en",
                    ))  # fmt: skip


def _plan(first_s: float) -> list[tuple[float, str, str]]:
    """Return when who says something to whom, in order of time."""
    by = Random(3)
    pairs = [(one, other) for one in PARTIES for other in PARTIES if one < other]
    said = [*pairs, *[(other, one) for one, other in pairs]][:CONVERSATIONS]
    return sorted(
        (start_s + turn * EACH_S, one, other)
        for one, other in said
        if (start_s := first_s + by.uniform(0, EACH_S))
        for turn in range(int(LASTS_S / EACH_S))
    )


def _delivered(part: Part, party: str) -> float | None:
    """Return when a message was sent, where a part says that a party has it delivered."""
    told = told_in(part)
    if not isinstance(told, MessageChanged) or told.taken is None:
        return None
    is_it = told.taken.step is Step.DELIVERED and told.message.receiver == party
    return float(told.message.text) if is_it else None


def _conversations(desks: _Desks) -> Line:
    """How long messages take where parties talk for a while."""
    talk = _Talk(desks)
    talk.run()
    p99_s = Sent(0.0, talk.took_s).share(0.99)
    return Line(
        "a message from `send` to `delivered` at the other side, p99", seconds(p99_s),
        _goal(p99_s, 0.2),
        note=f"{CONVERSATIONS} conversations of {len(PARTIES)} parties, one message in "
        f"{EACH_S:g} s each, {len(talk.took_s):,} in all; median "
        f"{seconds(statistics.median(talk.took_s))}; senders and receivers in a process each",
    )  # fmt: skip


# --- an operation that is lost -------------------------------------------------------------------


def _lost_communications(desks: _Desks) -> Line:
    """Make an operation contingent that all others are in conflict with; see when each is told."""
    start_us = time.time_ns() // 1000 + HOUR_US
    watching = [desks.client(party) for party in PARTIES]
    for place, client in enumerate(watching):
        by_level = FileOperation(operation=operation_at(35.0, 34.0, 200 + place, start_us))
        client.act("operations.file/1", by_level)
    first, *others = watching
    [lost] = first.operations()
    key = tuple(each.other.ovn for each in first.conflicts() if each.other.ovn is not None)
    assert len(key) == len(others), "all are affected"
    first.act("operations.activate/1", ActivateOperation(id=lost.id, key=key))
    took_s: list[float] = []
    ready = threading.Barrier(len(others) + 1)
    begun: list[float] = []

    def listen(client: Client) -> None:
        for number, steps in enumerate(client.follow()):
            if not number:
                ready.wait(30)
            told = [told_in(part) for step in steps for part in step]
            if any(isinstance(each, Notice) and each.other.state == "contingent" for each in told):
                took_s.append(time.perf_counter() - begun[0])
                return

    hearing = [threading.Thread(target=listen, args=(each,)) for each in others]
    for each in hearing:
        each.start()
    ready.wait(30)
    begun.append(time.perf_counter())
    first.act("operations.contingent/1", MakeContingent(id=lost.id))
    for each in hearing:
        each.join(30)
    if len(took_s) < len(others):
        raise AssertionError(f"{len(took_s)} of {len(others)} told")
    return Line(
        "one input makes an operation contingent, the last of all affected told",
        seconds(max(took_s)), _goal(max(took_s), 5.0),
        note=f"{len(others)} parties, each by its own copy, proven",
    )  # fmt: skip


# --- deadlines ----------------------------------------------------------------------------------


def _escalations(desks: _Desks, agreed: Agreement) -> Line:
    """Send very many messages that nobody takes, and see when their senders are told so."""
    stage, node = desks.stage, desks.node
    signers = [stage._signers[PARTIES[0], name] for name in PEOPLE]  # noqa: SLF001
    made = CarryAgreement(file=stage.signed(agreed))
    tokens = {}
    for number, party in enumerate(PARTIES):
        client = desks.client(party)
        if not number:
            client.act("agreement.carry/1", made, signers=signers)
        client.record(0)
        tokens[party] = client._token  # noqa: SLF001 the load is sent without a client
    requests = [_sending(stage, tokens, number) for number in range(OPEN)]
    late_s, sent = asyncio.run(_overdue(node, tokens, requests))
    p99_s = Sent(0.0, late_s).share(0.99)
    return Line(
        f"a step OVERDUE at the sender's stream after its deadline, p99, {OPEN:,} open",
        seconds(p99_s), _goal(p99_s, 1.0),
        note=f"{len(late_s):,} alarms, {len(late_s) / sent.whole_s:,.0f} a second; median "
        f"{seconds(statistics.median(late_s))}, the last {seconds(max(late_s))}; sent within "
        f"{seconds(sent.whole_s)} over {CONNECTIONS} connections",
    )  # fmt: skip


def _sending(stage: Stage, tokens: dict[str, str], number: int) -> bytes:
    """Return the request that sends one of very many messages, each party's to the next one."""
    party, to = (PARTIES[(number + k) % len(PARTIES)] for k in range(2))
    made = SendMessage(
        to=to, channel=FLIGHT_SAFETY, precedence=Precedence.URGENT, text=f"number {number}",
        language="en",
    )  # fmt: skip
    stage.clock.move_to(time.time_ns() // 1000)
    body = encode(stage.envelope(party, "line.send/1", made))
    return posted(tokens[party], body)


async def _overdue(
    node: Node, tokens: dict[str, str], requests: list[bytes]
) -> tuple[list[float], Sent]:
    """Return how long after its deadline each alarm came, and how the messages were taken."""
    late_s: list[float] = []

    async def view(party: str) -> None:
        reader, writer = await _connected(node)
        writer.write(
            f"GET /v1/stream HTTP/1.1\r\nHost: bench\r\n"
            f"Authorization: Bearer {tokens[party]}\r\n\r\n".encode()
        )
        with contextlib.closing(writer):
            await reader.readuntil(b"\r\n\r\n")
            missing = 3 * OPEN // len(PARTIES)
            while missing:
                line = await reader.readline()
                now_us = time.time_ns() / 1000
                if line.startswith(b"data: ") and b"message-overdue/1" in line:
                    due = _deadlines(line[6:], party)
                    late_s.extend((now_us - each) / 1e6 for each in due)
                    missing -= len(due)

    viewing = [asyncio.create_task(view(party)) for party in PARTIES]
    sent = await _at_once(node, requests)
    assert sent.whole_s < WITHIN_S, "all are to be open at once"
    assert not late_s
    await asyncio.gather(*viewing)
    return late_s, sent


def _deadlines(data: bytes, sender: str) -> list[int]:
    """Return when each first step was due that a step of a sender's stream says is OVERDUE."""
    found = []
    for line in msgspec.json.decode(data):
        if line["line"] != "leaf":
            continue
        told = told_in(msgspec.json.decode(encode(line["leaf"]["part"]), type=Part))
        if isinstance(told, MessageOverdue) and not told.overdue.level:
            found += [told.overdue.due_us] if told.message.sender == sender else []
    return found
