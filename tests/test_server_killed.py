# SPDX-License-Identifier: Apache-2.0
"""A node that is killed at any time: what it has answered is there, once, and its record holds."""

import threading
import time
from pathlib import Path
from random import Random
from typing import Final

import msgspec
import pytest

from keepclear.client import Client
from keepclear.exchange.events import OperationFiled
from keepclear.plans import acts
from keepclear.record.encoding import Signed
from keepclear.record.entries import Entry, Part
from keepclear.record.envelopes import Envelope
from keepclear.record.files import EntryLine
from keepclear.record.headers import read_act
from keepclear.record.verification import verify
from keepclear.server.stores import open_store
from tests.postgresql_server import Server
from tests.server_plays import Node, circle, serving

SENDERS: Final = 2
AT_ONCE: Final = 30  # operations of each that protect


class Sender(threading.Thread):
    """A party that files and ends without a pause, and knows nothing of who is killed."""

    def __init__(self, client: Client, place: int, ends: threading.Event) -> None:
        super().__init__(daemon=True)
        self._client, self._place, self._ends = client, place, ends
        self.answered: list[str] = []
        self.fault: BaseException | None = None

    def run(self) -> None:
        try:
            filed: list[str] = []
            while not self._ends.is_set():
                number = len(self.answered)
                plan = circle(self._place + 2 * (number % 900), 10 + number % 20)
                parts = self._send("operations.file/1", acts.FileOperation(operation=plan))
                event = next(each for each in parts if each.kind == "operation-filed/1")
                made = msgspec.json.decode(event.data, type=OperationFiled)
                filed.append(made.operation.id)
                if len(filed) > AT_ONCE:
                    self._send("operations.end/1", acts.EndOperation(id=filed.pop(0)))
        except BaseException as fault:  # noqa: BLE001 the test says what it was
            self.fault = fault

    def _send(self, kind: str, payload: Signed) -> tuple[Part, ...]:
        envelope = self._client.signed(kind, payload)
        parts = self._client.send(envelope)
        self.answered.append(read_act(envelope).id)
        return parts


def killed(folder: Path, times: int, seed: int, address: str | None = None) -> None:
    """Kill a node so many times under load, and look at what there is at the end."""
    by = Random(seed)
    with serving(folder, store=address) as node:
        ends = threading.Event()
        clients = [node.join(f"party-{number}") for number in range(SENDERS)]
        senders = [Sender(each, place, ends) for place, each in enumerate(clients)]
        for each in senders:
            each.start()
        for _ in range(times):
            time.sleep(by.uniform(0.05, 1.0))
            node.kill()
            node.start()
        time.sleep(0.5)
        ends.set()
        for each in senders:
            each.join()
        faults = [each.fault for each in senders]
        assert faults == [None] * SENDERS
        seen = [each.conflicts() for each in clients]
        assert node.end() == 0
        for client in clients:
            client.close()
    check(node, [own_id for each in senders for own_id in each.answered])
    conflicts = [{each.conflict for each in told} for told in seen]
    assert conflicts[0] == conflicts[1] != set()


def check(node: Node, answered: list[str]) -> None:
    """See that each act that was answered is entered once, and that the record holds."""
    store = open_store(node.folder)
    lines = list(store.lines())
    store.close()
    entered = [each for each in map(act_in, lines) if each]

    assert len(entered) == len(set(entered))
    assert set(answered) <= set(entered)
    assert len(set(entered) - set(answered)) <= SENDERS
    assert verify(lines, node.keys).is_proven


def act_in(line: bytes) -> str:
    """Return the id of the act in a line of the record, empty where there is none."""
    if not line.startswith(b'{"line":"entry"'):
        return ""
    entry = msgspec.json.decode(msgspec.json.decode(line, type=EntryLine).entry, type=Entry)
    part = msgspec.json.decode(entry.leaves[0].part, type=Part)
    if part.kind != "act/1":
        return ""
    return read_act(msgspec.json.decode(part.data, type=Envelope)).id


@pytest.mark.slow
def test_killed_ten_times_a_node_loses_nothing_and_does_nothing_twice(tmp_path: Path) -> None:
    killed(tmp_path / "east", 10, seed=1)


@pytest.mark.slow
def test_killed_ten_times_a_node_on_postgresql_loses_nothing(
    tmp_path: Path, postgresql: Server
) -> None:
    killed(tmp_path / "east", 10, seed=3, address=postgresql.database())


@pytest.mark.long
def test_killed_two_hundred_times_a_node_loses_nothing(tmp_path: Path) -> None:
    killed(tmp_path / "east", 200, seed=2)
