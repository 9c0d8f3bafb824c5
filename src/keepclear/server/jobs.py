# SPDX-License-Identifier: Apache-2.0
"""What waits for the writer: how it is done with the exchange, answered, and begun beforehand."""

import asyncio
import logging
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from keepclear.errors import KeepclearError, OperatorError
from keepclear.exchange.exchange import Exchange
from keepclear.exchange.views import Disclosed
from keepclear.record.receipts import Receipt

Value = TypeVar("Value")
Receipts = Disclosed[tuple[Receipt, ...]]
LOG: Final = logging.getLogger("keepclear.server")


@dataclass(eq=False)
class Job:
    """One thing that waits: how it is done with the exchange, and who waits for it.

    then: what is to be done once it is written, before that is told. look: does beforehand what
    of it does not depend on what is decided before it. is_handed: what came of it is being told,
    by another thread perhaps, so nobody else tells it.
    """

    do: Callable[[Exchange], Any]
    done: Future[Any]
    is_act: bool
    then: Callable[[Exchange], None] = lambda _: None
    look: Callable[[Exchange], None] = lambda _: None
    is_handed: bool = False


def meanwhile(
    exchange: Exchange, jobs: Sequence[Job], results: Sequence[Any], proven: list[Any],
    is_written: Callable[[], bool],
) -> None:  # fmt: skip
    """Make the answers to what is being written, and look at acts that wait."""
    try:
        proven += [with_proof(each, exchange.proven) for each in results]
        for each in jobs[len(results) :]:
            if is_written():
                return
            each.look(exchange)
    except Exception:
        LOG.exception("a fault of ours: answers are made once it is written")


def with_proof(result: Any, prove: Callable[[Any], Receipts]) -> Any:  # noqa: ANN401 whatever it gave
    """Return what a job gave; of an answer, what proves it."""
    return prove(result) if isinstance(result, Disclosed) else result


def tried(job: Job, exchange: Exchange) -> Any:  # noqa: ANN401 whatever it gives
    """Return what a job gives, or why it does not."""
    try:
        return job.do(exchange)
    except KeepclearError as refusal:
        return refusal
    except Exception as fault:
        LOG.exception("a fault of ours: the act was not done")
        return fault


def settled(job: Job, result: Any, exchange: Exchange) -> Any:  # noqa: ANN401 whatever it gave
    """Return what a job gave, once what follows from its being written is done."""
    if isinstance(result, Exception):
        return result
    try:
        job.then(exchange)
    except (KeepclearError, OSError) as fault:
        LOG.exception("it is written, and what follows from it could not be done")
        return OperatorError(
            f"record: it is written, and is not to be asked for again; what was to be done after "
            f"it failed ({fault}), and is done at the next start"
        )
    return result


def finish(job: Job, exchange: Exchange) -> None:
    """Do a job, and say at once what came of it: nothing of it is written."""
    tell(job, tried(job, exchange))


def tell(job: Job, result: Any) -> None:  # noqa: ANN401 whatever it gave
    """Say what came of a job, or why nothing did."""
    if isinstance(result, Exception):
        job.done.set_exception(result)
    else:
        job.done.set_result(result)


def awaited(done: Future[Value]) -> asyncio.Future[Value]:
    """Return what is done when a job is, on the loop that asks; as `asyncio.wrap_future`.

    Jobs that are told on the loop's own thread wake it once for all, and not once each.
    """
    loop, thread = asyncio.get_running_loop(), threading.get_ident()
    made: asyncio.Future[Value] = loop.create_future()

    # neither holds what is done: it holds them, and would be kept until cycles are looked for
    def copy(done: Future[Value]) -> None:
        if made.cancelled():  # who asked has gone away
            return
        fault = done.exception()
        if fault is None:
            made.set_result(done.result())
        else:
            made.set_exception(fault)

    def told(done: Future[Value]) -> None:
        if threading.get_ident() == thread:
            copy(done)
        else:
            with suppress(RuntimeError):  # the loop has ended, and who asked with it
                loop.call_soon_threadsafe(copy, done)

    done.add_done_callback(told)
    return made
