# SPDX-License-Identifier: Apache-2.0
"""The client for who awaits: the same guarantees, and nothing that waits holds up the loop."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import httpx
import pytest

import keepclear
from keepclear.client import AsyncClient, Client, NoAnswer, NotDone
from keepclear.exchange.picture import told_in
from keepclear.exchange.views import Notice
from keepclear.plans import acts
from keepclear.record.faults import BrokenProof
from keepclear.record.headers import Status
from tests.server_plays import Node, circle, keys_of, serving
from tests.test_lying_exchange import Changing, without_notices

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    with serving(tmp_path_factory.mktemp("region") / "east") as made:
        yield made


@asynccontextmanager
async def joined(node: Node, party: str) -> AsyncIterator[AsyncClient]:
    """Let a party join, and give its client."""
    document, watch = keys_of(party)
    assert node.admit(document).status_code == 204
    async with AsyncClient(
        node.parties, party, "watch", watch, node.believed, status=Status.EXERCISE
    ) as made:
        yield made


def filing(place: int) -> acts.FileOperation:
    return acts.FileOperation(operation=circle(place))


def test_acts_are_proven_and_each_sees_its_own(node: Node) -> None:
    async def play() -> None:
        async with joined(node, "one") as one, joined(node, "two") as two:
            first, second = await asyncio.gather(
                one.act("operations.file/1", filing(0)), two.act("operations.file/1", filing(90))
            )

            assert first[0].kind == second[0].kind == "operation-filed/1"
            [own] = await one.operations()
            assert own.party == one.party == "one"
            assert {*one.picture.operations} == {own.id}
            assert one.seen.step > 0
            assert await two.conflicts() == []
            with pytest.raises(NotDone):
                await one.act("operations.end/1", acts.EndOperation(id="0" * 32))

    asyncio.run(play())


def test_who_follows_is_told_of_what_comes_and_may_act_meanwhile(node: Node) -> None:
    async def play() -> None:
        async with joined(node, "ear") as ear, joined(node, "mouth") as mouth:
            await ear.act("operations.file/1", filing(200))
            heard: list[Notice] = []
            began = asyncio.Event()

            async def follow() -> None:
                async for steps in ear.follow():
                    began.set()
                    told = [told_in(part) for step in steps for part in step]
                    heard.extend(each for each in told if isinstance(each, Notice))
                    if heard:
                        return

            following = asyncio.create_task(follow())
            await asyncio.wait_for(began.wait(), 30)
            begun_s = time.monotonic()
            await ear.operations()  # the stream is open, and says nothing for seconds
            assert time.monotonic() - begun_s < 5
            await mouth.act("operations.file/1", filing(201))
            await asyncio.wait_for(following, 30)

            assert [each.other.party for each in heard] == ["mouth"]

    asyncio.run(play())


def test_while_an_answer_is_waited_for_the_loop_goes_on(node: Node) -> None:
    async def play() -> None:
        async with joined(node, "slow") as slow:
            ticks = 0

            async def tick() -> None:
                nonlocal ticks
                while True:
                    ticks += 1
                    await asyncio.sleep(0)

            ticking = asyncio.create_task(tick())
            await slow.act("operations.file/1", filing(300))
            ticking.cancel()

            assert ticks > 100

    asyncio.run(play())


def test_what_is_left_out_is_found_out_here_too(node: Node) -> None:
    async def play() -> None:
        async with joined(node, "told") as told, joined(node, "other") as other:
            await told.act("operations.file/1", filing(400))
            await other.act("operations.file/1", filing(401))
            way = Changing()
            way.changes["/v1/steps"] = without_notices
            told._client.close()
            told._client._http = httpx.Client(base_url=node.parties, transport=way)

            with pytest.raises(BrokenProof, match="something is held back"):
                await told.conflicts()

    asyncio.run(play())


def test_who_stops_awaiting_stops_nothing_that_was_sent(node: Node) -> None:
    async def play() -> None:
        async with joined(node, "hasty") as hasty:
            acting = asyncio.create_task(hasty.act("operations.file/1", filing(500)))
            await asyncio.sleep(0)  # it is with the thread of the client now
            acting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await acting

            assert len(await hasty.operations()) == 1

    asyncio.run(play())


def test_a_stream_that_ends_is_an_error_and_nothing_is_missed(node: Node) -> None:
    async def play() -> None:
        async with joined(node, "cut") as cut:
            await cut.act("operations.file/1", filing(600))
            following = cut.follow()
            await anext(following)
            node.kill()

            with pytest.raises(NoAnswer, match="stream: was"):
                await anext(following)

            assert len(cut.picture.operations) == 1

    asyncio.run(play())
    node.start()


def test_both_clients_stand_at_the_public_door() -> None:
    assert keepclear.Client is Client
    assert keepclear.AsyncClient is AsyncClient
