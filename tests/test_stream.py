# SPDX-License-Identifier: Apache-2.0
"""What a viewer is sent as it happens: nothing missed, nothing twice, nothing of others."""

import asyncio
import socket
import struct
import threading
import time
from collections.abc import AsyncGenerator, Iterator
from pathlib import Path

import httpx
import msgspec
import pytest

from keepclear.client import Client, Event, NotDone
from keepclear.plans import acts
from keepclear.record.encoding import encode
from keepclear.record.key_documents import Keyring
from keepclear.server import feed
from keepclear.server.sessions import NotSignedIn
from tests.server_plays import Node, circle, serving

pytestmark = pytest.mark.slow
WAIT_S = 10


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Node]:
    with serving(tmp_path / "east") as made:
        yield made


class Viewer(threading.Thread):
    """Follows the stream of a party, and goes on after a break with the last step."""

    def __init__(self, client: Client, after: int | None = None) -> None:
        super().__init__(daemon=True)
        self._client, self._after = client, after
        self.events: list[Event] = []
        self.times: list[float] = []
        self.start()

    def run(self) -> None:
        try:
            for each in self._client.stream(self._after):
                if each.kind in {"open", "alive"}:
                    continue
                self.times.append(time.perf_counter())
                self.events.append(each)
        except Exception as fault:  # noqa: BLE001 the connection was cut, by the test
            self.fault = fault

    def wait(self, count: int) -> None:
        """Wait for so many events."""
        ends = time.monotonic() + WAIT_S
        while len(self.events) < count:
            assert time.monotonic() < ends, self.events
            time.sleep(0.005)


def file(client: Client, place: int) -> None:
    client.act("operations.file/1", acts.FileOperation(operation=circle(place)))


def lines_of(events: list[Event]) -> list[bytes]:
    """Return the lines that steps have brought."""
    return [
        bytes(line) for each in events if each.kind == "step"
        for line in msgspec.json.decode(each.data, type=list[msgspec.Raw])
    ]  # fmt: skip


def test_a_snapshot_comes_first_and_then_each_change_as_it_happens(node: Node) -> None:
    with node.join("north") as north, node.join("south") as south, node.client(
        "north", north._signer) as other:  # fmt: skip
        file(north, 0)
        viewer = Viewer(other)
        viewer.wait(1)
        [first] = viewer.events
        snapshot = msgspec.json.decode(first.data)
        assert first.kind == "snapshot"
        assert [each["party"] for each in snapshot["operations"]] == ["north"]
        assert snapshot["conflicts"] == []

        sent = time.perf_counter()
        file(south, 1)
        viewer.wait(2)

        assert viewer.events[1].kind == "step"
        assert viewer.events[1].step == first.step + 1
        assert b'"kind":"notice/1"' in viewer.events[1].data
        assert viewer.times[1] - sent < 1.0  # on a machine that others use too


def test_nothing_is_missed_or_twice_over_breaks_and_all_of_it_is_the_partys_file(
    node: Node,
) -> None:
    with node.join("north") as north, node.join("south") as south:
        viewer = Viewer(node.client("north", north._signer), after=0)
        before: list[Event] = []
        for place in range(6):
            file(north, 10 * place)
            file(south, 10 * place + 1)
            if place == 2:
                viewer.wait(5)
                node.kill()
                viewer.join(WAIT_S)
                before = viewer.events
                node.start()
                viewer = Viewer(node.client("north", north._signer), after=before[-1].step)
        whole, last = north.record(0)
        viewer.wait(last - before[-1].step)

        events = [*before, *viewer.events]
        assert [each.step for each in events][:last] == list(range(1, last + 1))
        assert lines_of(events[:last]) == whole.splitlines()[1:]
        assert b'"audience":"south"' not in b"".join(lines_of(events))


def test_who_is_cut_off_by_the_end_of_the_node_is_let_go_at_once(node: Node) -> None:
    with node.join("north") as north:
        viewers = [Viewer(node.client("north", north._signer)) for _ in range(3)]
        for each in viewers:
            each.wait(1)
        begins = time.monotonic()

        assert node.end() == 0
        assert time.monotonic() - begins < feed.ALIVE_S / 2
        for each in viewers:
            each.join(WAIT_S)
            assert not each.is_alive()


def test_who_signs_out_is_let_go_at_once_and_others_of_its_party_follow_on(node: Node) -> None:
    with node.join("north") as north:
        one, other = (node.client("north", north._signer) for _ in range(2))
        viewers = [Viewer(each) for each in (one, other)]
        for each in viewers:
            each.wait(1)
        begins = time.monotonic()

        answer = httpx.delete(
            f"{node.parties}/v1/sessions", headers={"Authorization": f"Bearer {one._token}"}
        )

        assert answer.status_code == 204
        viewers[0].join(WAIT_S)
        assert not viewers[0].is_alive()
        assert time.monotonic() - begins < feed.ALIVE_S / 2
        file(north, 0)
        viewers[1].wait(2)
        assert len(viewers[0].events) == 1


@pytest.mark.parametrize("given", ["-1", "x", "9" * 40, "1.5"])
def test_a_last_event_that_is_none_is_refused(node: Node, given: str) -> None:
    with node.join("north") as north:
        north.operations()
        answer = north._http.get(
            "/v1/stream",
            headers={"Authorization": f"Bearer {north._token}", "Last-Event-ID": given},
        )
        assert answer.status_code == 409
        assert "is no step" in answer.json()["error"]


def test_who_follows_a_record_that_was_set_back_is_told_so(node: Node) -> None:
    with node.join("north") as north:
        north.operations()
        answer = north._http.get(
            "/v1/stream",
            headers={"Authorization": f"Bearer {north._token}", "Last-Event-ID": "99"},
        )
        assert answer.status_code == 409
        assert "goes on from an older copy of its record" in answer.json()["error"]
        with pytest.raises(NotDone, match="goes on from an older copy"):
            north.record(99)


def test_there_are_no_more_viewers_than_are_served(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed, "MOST_OF_PARTY", 2)

    async def viewing() -> None:
        made = feed.Feed()

        async def nothing(_: object) -> tuple[int, bytes, Keyring]:
            return 0, b"{}", Keyring()

        def follow() -> AsyncGenerator[bytes, None]:
            return made.follow("north", None, nothing, lambda _: None)

        for _ in range(9):  # who goes away before it begins
            made.check_room("north")
            follow()
        viewers = [follow() for _ in range(2)]
        for each in viewers:
            await anext(each)
        with pytest.raises(feed.TooMany, match="2 viewers of north are served already"):
            made.check_room("north")
        made.check_room("south")
        await viewers[0].aclose()
        made.check_room("north")
        await viewers[1].aclose()

    asyncio.run(viewing())


def test_what_is_new_is_read_once_for_all_viewers_of_a_party() -> None:
    """Who goes away while it is asked takes it from nobody; whose key is revoked is let go."""

    async def viewing() -> None:
        made, reads, gate = feed.Feed(), 0, asyncio.Event()
        news = feed._News((b"event: step\nid: 1\ndata: []\n\n",), Keyring())

        async def read(_: object) -> object:
            nonlocal reads
            reads += 1
            await gate.wait()
            return news

        def revoked(_: Keyring) -> None:
            raise NotSignedIn("token", "", "has ended", "sign in again")

        viewers = [made.follow("north", 0, read, lambda _: None) for _ in range(3)]
        ended = made.follow("north", 0, read, revoked)
        first, *others = [asyncio.ensure_future(anext(each)) for each in viewers]
        refused = asyncio.ensure_future(anext(ended))
        await asyncio.sleep(0)
        first.cancel()
        await asyncio.sleep(0)
        gate.set()

        assert await asyncio.gather(*others) == [news.events[0]] * 2
        with pytest.raises(StopAsyncIteration):
            await refused
        assert reads == 1

    asyncio.run(viewing())


def test_who_goes_away_while_it_waits_harms_nobody(node: Node) -> None:
    """The connection is cut (RST) while an act, or the stream, is on its way."""
    with node.join("north") as north:
        north.operations()
        host, port = node.parties.removeprefix("http://").split(":")
        head = f"Host: x\r\nAuthorization: Bearer {north._token}\r\n"
        for number in range(60):
            plan = acts.FileOperation(operation=circle(20 * number))
            body = encode(north.signed("operations.file/1", plan))
            asked = f"POST /v1/acts HTTP/1.1\r\n{head}Content-Length: {len(body)}\r\n\r\n".encode()
            if number % 2:
                asked, body = f"GET /v1/stream HTTP/1.1\r\n{head}\r\n".encode(), b""
            with socket.create_connection((host, int(port))) as cut:
                cut.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                cut.sendall(asked + body)
                time.sleep(0.0005 * (number % 7))

        assert httpx.get(f"{node.operator}/ready", timeout=WAIT_S).status_code == 204
        file(north, 1_000)
        assert len(north.operations()) >= 1
