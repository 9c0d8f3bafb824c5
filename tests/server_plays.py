# SPDX-License-Identifier: Apache-2.0
"""A node as a process of its own, and parties with keys that reach it."""

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import httpx
import msgspec

from keepclear.client import Client, Seen
from keepclear.plans.filing import Domain, FiledCircle, FiledOperation, FiledVolume
from keepclear.record.encoding import encode
from keepclear.record.envelopes import Envelope
from keepclear.record.files import KeysFile
from keepclear.record.headers import Status
from keepclear.record.key_documents import first_document
from keepclear.record.keys import Signer
from keepclear.units import format_time

HOUR_US: Final = 3_600_000_000
YEAR_US: Final = 365 * 24 * HOUR_US
READY_S: Final = 60


class Node:
    """A region's folder, and the process that serves it; killed and started again at will."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.process: subprocess.Popen[str] | None = None
        self.parties = self.operator = ""
        self.documents: list[Envelope] = []
        self.clients: list[Client] = []

    def start(self, *options: str) -> None:
        """Serve, at the addresses of before or at free ones, and wait until it answers."""
        listen = [
            each.partition("://")[2] or "127.0.0.1:0" for each in (self.parties, self.operator)
        ]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "keepclear.cli", "serve", str(self.folder), "--listen",
             listen[0], "--operator", listen[1], *options],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip
        watch = threading.Timer(READY_S, self.process.kill)
        watch.start()
        assert self.process.stdout is not None
        said = ""
        for line in self.process.stdout:
            said += line
            if found := re.match(r"(parties|operator) +(https?://\S+)", line):
                setattr(self, found[1], found[2])
            if line.startswith("Ctrl-C"):
                break
        watch.cancel()
        assert "Ctrl-C" in said, said

    def kill(self) -> None:
        """End it at once, as a power cut does."""
        assert self.process is not None
        os.kill(self.process.pid, signal.SIGKILL)
        self._waited()

    def end(self) -> int:
        """Tell it to end, and return its exit status."""
        assert self.process is not None
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self._waited()

    def _waited(self) -> int:
        assert self.process is not None
        status = self.process.wait(timeout=READY_S)
        if self.process.stdout is not None:
            self.process.stdout.close()
        return status

    @property
    def believed(self) -> KeysFile:
        """Return the exchange's key, as the operator gives it to the parties."""
        return msgspec.json.decode((self.folder / "region.keys.json").read_bytes(), type=KeysFile)

    @property
    def keys(self) -> KeysFile:
        """Return whom to believe: the exchange, and each party that has joined."""
        return msgspec.structs.replace(self.believed, documents=tuple(self.documents))

    def admit(self, document: Envelope) -> httpx.Response:
        """Let the operator admit a party."""
        token = (self.folder / "operator.token").read_text(encoding="utf-8").strip()
        return httpx.post(
            f"{self.operator}/parties", content=encode(document),
            headers={"Authorization": f"Bearer {token}"},
        )  # fmt: skip

    def join(self, party: str) -> Client:
        """Make a party's keys, let it be admitted, and return its client."""
        document, watch = keys_of(party)
        answer = self.admit(document)
        assert answer.status_code == 204, answer.text
        self.documents.append(document)
        return self.client(party, watch)

    def client(self, party: str, watch: Signer, seen: Seen | None = None) -> Client:
        """Return a client of a party's watch."""
        made = Client(
            self.parties, party, "watch", watch, self.believed, status=Status.EXERCISE, seen=seen
        )
        self.clients.append(made)
        return made


def keys_of(party: str) -> tuple[Envelope, Signer]:
    """Return a new party's key document, and the key of its watch."""
    names = ("root", "next-root", "rep-1", "rep-2", "watch")
    made = {name: Signer(os.urandom(32)) for name in names}
    now_us = time.time_ns() // 1000 - HOUR_US
    document = first_document(party, made, ("rep-1", "rep-2"), ("watch",), now_us, now_us + YEAR_US)
    return document, made["watch"]


@contextmanager
def serving(
    folder: Path, house: str = "5 NM / 1000 ft", store: str | None = None
) -> Iterator[Node]:
    """Serve a new region, and end it whatever comes. store: the address of a database."""
    node = Node(folder)
    kept = () if store is None else ("--store", store)
    node.start("--new", "--region", "exercise-east", "--house", house, *kept)
    try:
        yield node
    finally:
        if node.process is not None and node.process.poll() is None:
            node.kill()
        for each in node.clients:
            each.close()


def circle(place: int, level: int = 20, radius: str = "2 NM", hours: float = 1) -> FiledOperation:
    """Return an operation within the next hours: a circle, 1 NM for each place."""
    start_us = time.time_ns() // 1000 + HOUR_US
    times = [f"{format_time(int(each))[:19]}Z" for each in (start_us, start_us + hours * HOUR_US)]
    volume = FiledVolume(
        shape=FiledCircle(centre=(35.0 + place / 60, 35.5), radius=radius), lower=f"FL{level}0",
        upper=f"FL{level + 1}0", start=times[0], end=times[1],
    )  # fmt: skip
    return FiledOperation(
        datum="WGS84", domain=Domain.AIR, craft_class="any", volumes=(volume,)
    )  # fmt: skip
