# SPDX-License-Identifier: Apache-2.0
"""What the loop that serves awaits of the writer's thread."""

import asyncio
import gc
import threading
import weakref
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from typing import Final

import pytest

from keepclear.server.feed import Feed
from keepclear.server.jobs import awaited
from keepclear.server.serving import _Waking

WAIT_S: Final = 10.0


def elsewhere(do: Callable[[], None]) -> None:
    """Do something in another thread, as the writer does."""
    thread = threading.Thread(target=do)
    thread.start()
    thread.join(WAIT_S)
    assert not thread.is_alive()


def test_what_is_told_in_another_thread_reaches_the_loop() -> None:
    async def ask() -> None:
        good, bad = Future[int](), Future[int]()
        waits = [awaited(good), awaited(bad)]
        elsewhere(lambda: good.set_result(7))
        elsewhere(lambda: bad.set_exception(ValueError("no")))
        assert await asyncio.wait_for(waits[0], WAIT_S) == 7
        with pytest.raises(ValueError, match="no"):
            await asyncio.wait_for(waits[1], WAIT_S)

    asyncio.run(ask())


def test_what_is_told_on_the_loop_is_there_without_waking_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def ask() -> None:
        loop = asyncio.get_running_loop()
        told = [Future[int]() for _ in range(5)]
        waits = [awaited(each) for each in told]
        monkeypatch.setattr(loop, "call_soon_threadsafe", None)
        for number, each in enumerate(told):
            each.set_result(number)
        assert [each.result() for each in waits] == [0, 1, 2, 3, 4]
        monkeypatch.undo()

    asyncio.run(ask())


def test_what_was_told_is_let_go_without_looking_for_cycles() -> None:
    """Answers are some 20 kB each: a node would keep very many, and stand still to find them."""

    class Answer:
        pass

    async def ask(*, is_here: bool) -> weakref.ref[Answer]:
        done, answer = Future[Answer](), Answer()
        waits, seen = awaited(done), weakref.ref(answer)
        if is_here:
            done.set_result(answer)
        else:
            elsewhere(partial(done.set_result, answer))
        await asyncio.wait_for(waits, WAIT_S)
        return seen

    gc.disable()
    try:
        for is_here in (True, False):
            assert asyncio.run(ask(is_here=is_here))() is None
    finally:
        gc.enable()


def test_what_is_done_already_is_there_at_once() -> None:
    async def ask() -> None:
        done = Future[int]()
        done.set_result(3)
        assert await asyncio.wait_for(awaited(done), WAIT_S) == 3

    asyncio.run(ask())


def test_who_has_gone_away_or_whose_loop_has_ended_is_told_nothing() -> None:
    gone, late = Future[int](), Future[int]()
    faults: list[object] = []

    async def ask() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _, said: faults.append(said))
        waits = awaited(gone)
        waits.cancel()
        elsewhere(lambda: gone.set_result(1))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert waits.cancelled()
        awaited(late)

    asyncio.run(ask())
    elsewhere(lambda: late.set_result(2))
    assert late.result() == 2
    assert not faults


def test_answers_of_a_write_are_told_on_the_loop_and_without_one_here() -> None:
    waking, told, has_told = _Waking(), list[int](), asyncio.Event()

    def tell() -> None:
        told.append(threading.get_ident())

    waking.hand(tell)  # nothing is served yet
    assert told == [threading.get_ident()]

    async def serve() -> None:
        waking.begin(asyncio.get_running_loop(), Feed())
        elsewhere(lambda: waking.hand(tell))
        assert len(told) == 1
        elsewhere(lambda: waking.hand(has_told.set))  # in the order in which it was handed over
        await asyncio.wait_for(has_told.wait(), WAIT_S)

    asyncio.run(serve())
    assert told == [threading.get_ident()] * 2
    elsewhere(lambda: waking.hand(tell))  # the loop has ended
    assert len(told) == 3
    assert told[2] != threading.get_ident()
