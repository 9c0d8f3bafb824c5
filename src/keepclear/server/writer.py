# SPDX-License-Identifier: Apache-2.0
"""The writer: one thread that owns the exchange, decides what is sent, and answers once it is kept.

1. What waits is decided one after another and written with one append (`Exchange.together`), on a
   beat: what is not decided within `COMMIT_S` waits for the next one.
2. Nobody is answered before that, also those whose act was refused. While it is written, answers
   are made, and signatures of acts that wait are verified.
3. Where nothing could be written, all of it is taken back and its senders are told so; the store is
   tried once a second, and until it can be written nothing is decided.
4. Where it is not known what was written, its senders are told that, and the exchange begins again
   from what is there.
5. Where another node writes, this one stands by: it asks again and again whether it may, and shows
   nothing. Where it may not write any more it lets go of all it holds, and asks so too.
6. Between acts: what falls due by time, a beat every ten seconds, what waits to be looked at again,
   a snapshot where it is time for one.
7. Where clocks differ by too much nothing falls due by time, until they agree or the operator has
   accepted it; acts are decided all the same.
"""

import logging
import queue
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from enum import StrEnum
from functools import partial
from typing import Any, Final, NamedTuple, TypeVar

from keepclear.errors import KeepclearError, OperatorError
from keepclear.exchange.exchange import Exchange
from keepclear.exchange.looked import Looked
from keepclear.exchange.ports import NotWritten, Store
from keepclear.exchange.views import Answer, Disclosed
from keepclear.record.envelopes import Envelope
from keepclear.record.receipts import Receipt
from keepclear.server.aside import Aside
from keepclear.server.clock import ClockWatch
from keepclear.server.jobs import (
    Job,
    Receipts,
    finish,
    meanwhile,
    settled,
    tell,
    tried,
    with_proof,
)
from keepclear.server.metrics import Metrics
from keepclear.server.snapshots import Snapshots
from keepclear.store.nodes import WrittenByOther

Value = TypeVar("Value")

BEAT_S: Final = 10.0
COMMIT_S: Final = 0.01  # decided for so long, what there is so far is written and answered
LOOKS_S: Final = 0.2  # how often what falls due is looked for, where nothing is sent
TRIES_S: Final = 1.0
ASKS_S: Final = 0.3  # how often a node that stands by asks whether it may write
AT_ONCE: Final = 512
WAITING: Final = 20_000
NOT_KNOWN: Final = (
    "exchange: it is not known whether it was done; send it again as it is, it does nothing twice"
)
LOG: Final = logging.getLogger("keepclear.server")


class State(StrEnum):
    """What a node is able to do."""

    WRITING = "writing"
    CANNOT_WRITE = "cannot write"
    BEGINNING = "beginning again"
    STANDING_BY = "standing by"
    STOPPED = "stopped"


class Unavailable(OperatorError):
    """Nothing is decided now; what was sent can be sent again as it is, and does nothing twice."""


class Health(NamedTuple):
    """How a node is, since when (microseconds UTC), and why."""

    state: State
    since_us: int
    why: str


class Begun(NamedTuple):
    """An exchange, the store that it writes, and its snapshots, where there are any.

    aside: the store, where it is written by a thread of its own.
    """

    exchange: Exchange
    store: Store
    snapshots: Snapshots | None = None
    aside: Aside | None = None


class Writer:
    """Owns an exchange. `submit`, `admit` and `read` are called from any thread.

    begin: opens the record and goes on from it; `WrittenByOther` where it may not. now_us: for what
    health says. kept: is called, on the writer's thread, after each write, with how many steps of
    the record each party sees. watch: over the clocks; without one they are not looked at. hand:
    runs what tells all who wait for one write what came of it, here or where they wait.
    """

    def __init__(
        self, begin: Callable[[], Begun], now_us: Callable[[], int],
        kept: Callable[[Mapping[str, int]], None] = lambda _: None, beat_s: float = BEAT_S,
        watch: ClockWatch | None = None,
        hand: Callable[[Callable[[], None]], None] = lambda do: do(),
    ) -> None:  # fmt: skip
        self._begin, self._now_us, self._kept, self._beat_s = begin, now_us, kept, beat_s
        self._watch, self._hand = watch, hand
        self._waiting: queue.Queue[Job | None] = queue.Queue(WAITING)
        self._gate = threading.Lock()
        self._begun: Begun | None = None
        self._lines = 0
        self._writes_at = ""
        self._next_beat = time.monotonic() + beat_s
        self._next_try = 0.0
        self._thread = threading.Thread(target=self._run, name="writer")
        self.health = Health(State.WRITING, now_us(), "")
        self.signs_with = ""  # id of the exchange's key, where this node writes or has written
        self._begin_or_stand_by()
        self.metrics = Metrics()
        self.metrics.gauge("keepclear_waiting", "What waits for the writer.", self._waiting.qsize)
        self.metrics.gauge(
            "keepclear_is_writing",
            "1 where acts are decided and kept, else 0.",
            lambda: float(self.health.state is State.WRITING),
        )
        if watch is not None:
            self.metrics.gauge(
                "keepclear_clocks_differ_seconds",
                "By how much clocks differ, 0 where they agree.",
                lambda: watch.differs_us() / 1e6,
            )
        self.metrics.gauge("keepclear_record_lines", "Lines in the record.", lambda: self._lines)

    @property
    def writes_at(self) -> str:
        """Return where the node is that writes, where this one stands by; else nothing."""
        return self._writes_at if self.health.state is State.STANDING_BY else ""

    @property
    def _own(self) -> Begun:
        """Return the exchange and its store; `Unavailable` where there is none."""
        if self._begun is None:
            raise Unavailable(self._refusal())
        return self._begun

    def start(self) -> None:
        """Begin to decide."""
        self._thread.start()

    def stop(self) -> None:
        """Decide what waits, sign a last beat, and end."""
        self._waiting.put(None)
        self._thread.join()

    def submit(
        self, envelope: Envelope, sender: str, check: Callable[[Exchange], None] = lambda _: None
    ) -> Future[Receipts]:
        """Decide an act; its answer comes once it is written. check: refuses it before that."""
        looked: list[Looked] = []

        def look(exchange: Exchange) -> None:
            with suppress(KeepclearError):  # it is said when it is decided
                looked.append(exchange.looked_at(envelope))

        def do(exchange: Exchange) -> Disclosed[Answer]:
            check(exchange)
            return exchange.submit(envelope, sender, looked[0] if looked else None)

        return self._put(do, is_act=True, look=look)

    def hand_in(
        self, receipts: Sequence[Receipt], sender: str, check: Callable[[Exchange], None]
    ) -> Future[Receipts]:
        """Enter a late act; its answer comes once it is written. check: refuses it before that."""

        def do(exchange: Exchange) -> Disclosed[Answer]:
            check(exchange)
            return exchange.hand_in(receipts, sender)

        return self._put(do, is_act=True)

    def admit(self, document: Envelope) -> Future[None]:
        """Enter a party's key document."""
        return self._put(lambda exchange: exchange.admit(document), is_act=True)

    def change_key(
        self, do: Callable[[Exchange], Value], then: Callable[[Exchange], None]
    ) -> Future[Value]:
        """Let the exchange go on with another key. then: is called once it is written."""

        def settle(exchange: Exchange) -> None:
            self.signs_with = exchange.signing[-1].key.id
            LOG.warning("signs with key %s from now on", self.signs_with[:16])
            then(exchange)

        return self._put(do, is_act=True, then=settle)

    def set_cap_key(
        self, do: Callable[[Exchange], Value], then: Callable[[Exchange], None]
    ) -> Future[Value]:
        """Let the record name another key for CAP documents. then: is called once it is written."""
        return self._put(do, is_act=True, then=then)

    def read(self, ask: Callable[[Exchange], Value]) -> Future[Value]:
        """Ask what is written."""
        return self._put(ask, is_act=False)

    def _put(
        self, do: Callable[[Exchange], Any], *, is_act: bool,
        then: Callable[[Exchange], None] = lambda _: None,
        look: Callable[[Exchange], None] = lambda _: None,
    ) -> Future[Any]:  # fmt: skip
        done: Future[Any] = Future()
        done.set_running_or_notify_cancel()  # who goes away cannot take back what waits
        with self._gate:
            if self.health.state is State.STOPPED:
                done.set_exception(Unavailable("exchange: has stopped; send it again later"))
                return done
            try:
                self._waiting.put_nowait(Job(do, done, is_act, then, look))
            except queue.Full:
                done.set_exception(Unavailable(
                    f"exchange: {WAITING:,} wait already; send it again in some seconds"
                ))  # fmt: skip
        return done

    # --- the thread ---------------------------------------------------------------------------

    def _run(self) -> None:
        is_going = True
        while is_going:
            jobs = self._take()
            is_going = None not in jobs
            self._surely([each for each in jobs if each is not None])
        if self.health.state is State.WRITING:
            self._quietly(self._own.exchange.beat)
        with self._gate:
            self.health = Health(State.STOPPED, self._now_us(), "")
        self._end()
        while not self._waiting.empty():
            if (job := self._waiting.get_nowait()) is not None:
                job.done.set_exception(Unavailable("exchange: has stopped; send it again later"))

    def _take(self) -> list[Job | None]:
        """Wait for what is sent, for a while, and take all that waits."""
        jobs: list[Job | None] = []
        try:
            jobs.append(self._waiting.get(timeout=LOOKS_S))
            while len(jobs) < AT_ONCE:
                jobs.append(self._waiting.get_nowait())
        except queue.Empty:
            pass
        return jobs

    def _surely(self, jobs: Sequence[Job]) -> None:
        """Do what waits; whatever comes of it, all are told, and the thread goes on."""
        try:
            self._step(jobs)
        except Exception as fault:  # noqa: BLE001 else nobody would be answered any more
            self._failed(fault)
            for each in jobs:
                if not (each.is_handed or each.done.done()):
                    each.done.set_exception(Unavailable(NOT_KNOWN))

    def _step(self, jobs: Sequence[Job]) -> None:
        """Do what waits, and what is to be done by time."""
        if self._begun is not None and not self._begun.store.is_ours:
            self._let_go()
            self._say(State.BEGINNING, "the term of its lease has ended; it asks for another")
            self._next_try = 0.0
        if self.health.state is not State.WRITING:
            self._try_again()
        if self.health.state is State.WRITING and self._watch is not None:
            self._quietly(self._look_at_clocks)
        if self.health.state is State.WRITING:
            self._decide([each for each in jobs if each.is_act])
        else:
            for each in jobs:
                if each.is_act:
                    each.done.set_exception(Unavailable(self._refusal()))
        if self.health.state is State.WRITING:
            self._quietly(self._by_time)
        for each in jobs:
            if not each.is_act:
                self._show(each)

    def _show(self, job: Job) -> None:
        """Answer what was asked, where there is something to show."""
        if self._begun is not None:
            finish(job, self._begun.exchange)
        else:
            job.done.set_exception(Unavailable(
                f"exchange: {self.health.state}; it shows nothing until it can begin again from "
                "what is written, so ask again"
            ))  # fmt: skip

    def _decide(self, jobs: Sequence[Job]) -> None:
        """Decide acts, on each commit beat some of them together, write these, and answer them."""
        done = 0
        while done < len(jobs) and self.health.state is State.WRITING:
            done += self._decide_some(jobs[done:])
        for each in jobs[done:]:
            each.done.set_exception(Unavailable(self._refusal()))

    def _decide_some(self, jobs: Sequence[Job]) -> int:
        """Decide acts together until a commit is due, answer them, and return how many it were."""
        exchange, metrics = self._own.exchange, self.metrics
        results: list[Any] = []
        proven: list[Any] = []
        until = time.monotonic() + COMMIT_S
        try:
            with (
                metrics.written.time(),
                self._meanwhile(partial(meanwhile, exchange, jobs, results, proven)),
                exchange.together(),
            ):
                for each in jobs:
                    results.append(tried(each, exchange))
                    if time.monotonic() >= until:
                        break
        except Exception as fault:  # noqa: BLE001 all are told, whatever it was
            self._failed(fault)
            metrics.acts.labels("not done").inc(len(jobs))
            for each in jobs:
                each.done.set_exception(Unavailable(self._refusal()))
            return len(jobs)
        jobs = jobs[: len(results)]
        refused = sum(isinstance(each, Exception) for each in results)
        metrics.acts.labels("refused").inc(refused)
        metrics.acts.labels("taken").inc(len(jobs) - refused)
        metrics.batch.observe(len(jobs))
        proven += [with_proof(each, exchange.reads.receipts) for each in results[len(proven) :]]
        told = [
            (each, settled(each, decided, exchange))
            for each, decided in zip(jobs, proven, strict=True)
        ]
        for each in jobs:
            each.is_handed = True
        self._hand(partial(_tell_all, told))
        self._tell(exchange)
        return len(jobs)

    @contextmanager
    def _meanwhile(self, do: Callable[[Callable[[], bool]], None]) -> Iterator[None]:
        """Let something be done while what is decided within is written."""
        aside = self._own.aside
        if aside is None:
            yield
            return
        aside.meanwhile = do
        try:
            yield
        finally:
            aside.meanwhile = None

    def _tell(self, exchange: Exchange) -> None:
        """Let those know who wait for something new."""
        self._lines = exchange.reads.lines
        self._kept(exchange.reads.counts())

    def _by_time(self) -> None:
        """Enter what has fallen due, something of what waits, and a beat if it is time."""
        exchange = self._own.exchange
        before = exchange.reads.lines
        exchange.pass_time()
        if exchange.world.is_waiting:
            exchange.recheck_some()
        if time.monotonic() >= self._next_beat:
            self._next_beat = time.monotonic() + self._beat_s
            exchange.beat()
        if exchange.reads.lines != before:
            self._tell(exchange)
        if self._own.snapshots is not None:
            self._own.snapshots.look(exchange)

    def _look_at_clocks(self) -> None:
        """Hold what falls due by time as long as clocks differ by too much."""
        if self._watch is not None:
            own = self._own
            off_us, before = self._watch.look(own.store.time_said), own.exchange.reads.lines
            own.exchange.hold_time(off_us)
            if own.exchange.reads.lines != before:
                LOG.warning("clocks: %s", self._watch.why() or "agree, or are accepted to differ")

    def _quietly(self, do: Callable[[], None]) -> None:
        """Do what nobody waits for."""
        try:
            do()
        except Exception as fault:  # noqa: BLE001 health says so, and it is tried again
            self._failed(fault)

    # --- where it cannot be written -----------------------------------------------------------

    def _failed(self, fault: Exception) -> None:
        if isinstance(fault, NotWritten):
            self._say(State.CANNOT_WRITE, str(fault))
        elif self._begun is None or not self._begun.exchange.is_whole:
            self._say(State.BEGINNING, str(fault))
        if not isinstance(fault, KeepclearError):
            LOG.error("a fault of ours", exc_info=fault)
        self._next_try = time.monotonic() + TRIES_S

    def _try_again(self) -> None:
        """See whether it can be written now; begin again where it is not known what was."""
        if time.monotonic() < self._next_try:
            return
        self._next_try = time.monotonic() + TRIES_S
        try:
            if self.health.state is State.CANNOT_WRITE:
                self._own.store.probe()
                self._say(State.WRITING, "")
            else:
                self._let_go()
                self._begin_or_stand_by()
        except KeepclearError as fault:
            if self.health.state is State.STANDING_BY:  # nor does it know who writes
                self._say(State.BEGINNING, str(fault))
            self._say(self.health.state, str(fault))

    def _begin_or_stand_by(self) -> None:
        """Begin from what is written, or see which node writes."""
        try:
            self._begun = self._begin()
        except WrittenByOther as other:
            self._writes_at = other.node.address
            self._next_try = time.monotonic() + ASKS_S
            self._say(State.STANDING_BY, str(other))
        else:
            self._lines = self._begun.exchange.reads.lines
            self.signs_with = self._begun.exchange.signing[-1].key.id
            self._say(State.WRITING, "")

    def _end(self) -> None:
        """Let go of the exchange, so that another node can take over, and then keep what it had."""
        begun, copied = self._begun, None
        if begun is not None and begun.snapshots is not None and begun.exchange.is_whole:
            copied = begun.snapshots.last(begun.exchange)
        self._let_go()
        if begun is not None and begun.snapshots is not None:
            begun.snapshots.end(copied)

    def _let_go(self) -> None:
        """Let go of the exchange and its store."""
        if self._begun is not None:
            self._begun.store.close()
            self._begun = None

    def _refusal(self) -> str:
        """Return why nothing is decided now.

        Where it is not known what was written, it may be what was sent before and is sent again.
        """
        if self.health.state is State.CANNOT_WRITE:
            return (
                f"exchange: {State.CANNOT_WRITE}, and nothing was done; send it again as it is: "
                "the operator sees why"
            )
        return NOT_KNOWN

    def _say(self, state: State, why: str) -> None:
        if state is not self.health.state:
            LOG.warning("%s%s", state, f": {why}" if why else "")
            self.health = Health(state, self._now_us(), why)
        elif why != self.health.why:
            self.health = self.health._replace(why=why)


def _tell_all(told: Sequence[tuple[Job, Any]]) -> None:
    """Say what came of each of some jobs."""
    for job, result in told:
        tell(job, result)
