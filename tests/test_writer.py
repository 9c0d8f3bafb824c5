# SPDX-License-Identifier: Apache-2.0
"""The thread that owns an exchange: who is answered when, and what comes of a store that fails."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, wait
from typing import Any, Final

import msgspec
import pytest
from msgspec.structs import replace

from keepclear.clock import RandomIds
from keepclear.detect.compiled import plain
from keepclear.errors import CallerError, OperatorError
from keepclear.exchange import decide
from keepclear.exchange.exchange import Exchange
from keepclear.exchange.looked import Looked
from keepclear.exchange.ports import NotWritten
from keepclear.plans import acts
from keepclear.record.entries import Part
from keepclear.record.envelopes import Envelope
from keepclear.record.faults import NotProven
from keepclear.record.headers import read_act
from keepclear.record.keys import PublicKey
from keepclear.record.receipts import verify_receipt
from keepclear.record.verification import verify
from keepclear.server import writer as writing
from keepclear.server.aside import Aside
from keepclear.server.writer import Begun, State, Unavailable, Writer
from keepclear.store.memory import MemoryStore
from keepclear.store.nodes import Node, WrittenByOther
from tests.test_exchange_agreements import Keys, staged
from tests.two_worlds import Plan, filed

WAIT_S: Final = 10


class Store(MemoryStore):
    """A store that waits, or fails, where it is told to."""

    def __init__(self, lines: Sequence[bytes]) -> None:
        self._lines = list(lines)
        self.may_go = threading.Event()
        self.may_go.set()
        self.is_asked = threading.Event()
        self.appends: list[int] = []
        self.how = ""
        self.closed = 0
        self.may_write = True

    @property
    def is_ours(self) -> bool:
        return self.may_write

    def append(self, lines: Sequence[bytes]) -> None:
        self.is_asked.set()
        self.may_go.wait(WAIT_S)
        if self.how == "not":
            raise NotWritten("no space left")
        if self.how == "before":
            raise OSError(5, "cut off before")
        super().append(lines)
        self.appends.append(len(lines))
        if self.how == "after":
            raise OSError(5, "cut off after")

    def probe(self) -> None:
        if self.how == "not":
            raise OperatorError("no space left still")

    def close(self) -> None:
        self.closed += 1


class Served:
    """A stage's exchange, owned by a writer. is_aside: its store has a thread of its own."""

    def __init__(
        self, beat_s: float = 1_000, stage: Keys | None = None, *, is_aside: bool = False
    ) -> None:
        self.stage: Keys = stage or staged()
        self._is_aside = is_aside
        self.store = Store(self.stage.lines)
        self.begun = 0
        self.handed: list[Callable[[], None]] | None = None  # what waits to be told, if it does
        self.writer = Writer(self._begun, self.stage.clock.now_us, beat_s=beat_s, hand=self._hand)

    def _hand(self, do: Callable[[], None]) -> None:
        if self.handed is None:
            do()
        else:
            self.handed.append(do)

    def _begun(self) -> Begun:
        self.begun += 1
        if self.store.how == "gone":
            raise OperatorError("database: is gone")
        if self.store.how == "other's":
            raise WrittenByOther("exercise", Node("b", "http://b"))
        stage = self.stage
        aside = Aside(self.store) if self._is_aside else None
        store = self.store if aside is None else aside
        return Begun(Exchange(stage._opened, stage._signer, stage.clock, RandomIds(),
                              store, plain()), store, None, aside)  # fmt: skip

    def file(self, party: str = "a", place: int = 0) -> Envelope:
        made = filed(Plan(place=place, level=22, start=60, lasts=30))
        return self.stage.envelope(
            party, "operations.file/1", acts.FileOperation(operation=made)
        )  # fmt: skip

    def send(self, envelope: Envelope, party: str = "a") -> Future[Any]:
        return self.writer.submit(envelope, party)

    def operations(self, party: str = "a") -> int:
        found = self.writer.read(lambda exchange: exchange.reads.operations(party))
        return len(found.result(WAIT_S).value)

    def until_taken(self) -> None:
        """Wait until the writer has taken all that waits for it."""
        ends = time.monotonic() + WAIT_S
        while self.writer._waiting.qsize():
            assert time.monotonic() < ends
            time.sleep(0.01)

    def until(self, state: State) -> None:
        """Wait until the writer says so."""
        ends = time.monotonic() + WAIT_S
        while self.writer.health.state is not state:
            assert time.monotonic() < ends, self.writer.health
            time.sleep(0.01)


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let what is looked for again and again be looked for sooner."""
    monkeypatch.setattr(writing, "TRIES_S", 0.02)
    monkeypatch.setattr(writing, "LOOKS_S", 0.02)


@pytest.fixture(params=[False, True], ids=["in one thread", "aside"])
def served(request: pytest.FixtureRequest) -> Iterator[Served]:
    made = Served(is_aside=request.param)
    made.writer.start()
    yield made
    made.store.how = ""
    made.store.may_go.set()
    made.writer.stop()


def test_nobody_is_answered_before_the_write_nor_who_was_refused(served: Served) -> None:
    served.store.may_go.clear()
    first = served.send(served.file())
    served.until_taken()
    good, refused = served.file(place=40), served.file(place=80)
    sent = [served.send(good), served.send(refused, "b")]  # b sends what is of a
    read = served.writer.read(lambda exchange: exchange.reads.operations("a"))

    time.sleep(0.2)
    assert not any(each.done() for each in (first, *sent, read))
    served.store.may_go.set()

    wait([first, *sent, read], WAIT_S)
    assert msgspec.json.decode(first.result().value[0].part, type=Part).kind == "act/1"
    with pytest.raises(CallerError, match="each party sends its own acts"):
        sent[1].result()
    assert len(read.result().value) == 2


def test_what_waits_is_written_with_one_append(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writing, "COMMIT_S", WAIT_S)
    served.store.may_go.clear()
    sent = [served.send(served.file(place=40 * number)) for number in range(20)]
    time.sleep(0.2)
    served.store.may_go.set()

    wait(sent, WAIT_S)
    assert len([each.result() for each in sent]) == 20
    assert len(served.store.appends) <= 3
    assert served.operations() == 20


def test_all_of_one_write_are_told_at_once_where_they_wait(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a node has it: its loop is woken once a write, and not once an answer."""
    monkeypatch.setattr(writing, "COMMIT_S", WAIT_S)
    handed = served.handed = []
    served.store.may_go.clear()
    sent = [served.send(served.file(place=40 * number)) for number in range(6)]
    sent.append(served.send(served.file(place=400), "b"))  # b sends what is of a
    assert served.store.is_asked.wait(WAIT_S)
    assert not handed  # it is being written
    served.store.may_go.set()
    assert served.operations() == 6  # read once all of it was written

    assert not any(each.done() for each in sent)
    assert len(handed) == len(served.store.appends) < len(sent)
    for each in handed:
        each()
    assert [each.exception() is None for each in sent] == [True] * 6 + [False]


def test_what_is_being_told_is_told_by_nobody_else_whatever_fails_after_it(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was written: its sender gets its receipts, and the thread goes on."""
    monkeypatch.setattr(writing, "COMMIT_S", 0.0)  # one act a write
    handed = served.handed = []
    served.store.may_go.clear()
    sent = [served.send(served.file())]
    assert served.store.is_asked.wait(WAIT_S)  # all after it waits, and is one batch
    sent.append(served.send(served.file(place=40)))

    def fail(_: Exchange) -> None:
        raise ValueError("a fault of ours")

    failing = served.writer._put(lambda _: 1, is_act=True, then=fail)
    sent.append(served.send(served.file(place=80)))
    served.store.may_go.set()

    for each in (failing, sent[2]):  # in one batch of what waited with the second
        with pytest.raises(Unavailable, match="not known whether it was done"):
            each.result(WAIT_S)
    for tell in handed:
        tell()
    assert [each.exception(WAIT_S) for each in sent[:2]] == [None, None]
    served.handed = None
    assert served.send(served.file(place=120)).result(WAIT_S)


def test_what_is_not_decided_on_one_commit_beat_waits_for_the_next(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writing, "COMMIT_S", 0.0)  # each act takes longer
    served.store.may_go.clear()
    sent = [served.send(served.file(place=40 * number)) for number in range(8)]
    served.store.may_go.set()

    wait(sent, WAIT_S)
    assert len([each.result() for each in sent]) == 8
    assert served.operations() == 8
    assert len(served.store.appends) >= 8


def test_where_one_commit_beat_is_not_written_those_after_it_are_not_done_either(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writing, "COMMIT_S", 0.0)
    real = served.store.append

    def append(lines: Sequence[bytes]) -> None:
        real(lines)
        served.store.how = "not"

    served.store.may_go.clear()
    monkeypatch.setattr(served.store, "append", append)
    sent = [served.send(served.file())]
    served.until_taken()
    sent += [served.send(served.file(place=40 * number)) for number in range(1, 4)]
    served.store.may_go.set()

    wait(sent, WAIT_S)
    assert sent[0].exception() is None
    for each in sent[1:]:
        with pytest.raises(Unavailable, match="nothing was done; send it again as it is"):
            each.result()
    assert served.operations() == 1


def test_where_nothing_is_written_nothing_is_done_and_it_goes_on_by_itself(served: Served) -> None:
    served.send(served.file()).result(WAIT_S)
    before = served.store.lines()
    served.store.how = "not"
    envelope = served.file(place=40)

    with pytest.raises(Unavailable, match="nothing was done; send it again as it is"):
        served.send(envelope).result(WAIT_S)
    assert served.writer.health.state is State.CANNOT_WRITE
    assert "no space left" in served.writer.health.why
    with pytest.raises(Unavailable):
        served.send(envelope).result(WAIT_S)
    assert served.operations() == 1
    assert served.store.lines() == before

    served.store.how = ""
    served.until(State.WRITING)
    served.send(envelope).result(WAIT_S)
    assert served.operations() == 2
    assert served.begun == 1


@pytest.mark.parametrize("how", ["before", "after"])
def test_where_it_is_not_known_what_was_written_it_begins_again(served: Served, how: str) -> None:
    envelope = served.file()
    served.store.how = how

    with pytest.raises(Unavailable, match="not known whether it was done; send it again as it is"):
        served.send(envelope).result(WAIT_S)
    served.store.how = ""
    served.until(State.WRITING)

    answer = served.send(envelope).result(WAIT_S)
    again = served.send(envelope).result(WAIT_S)
    assert [each.part for each in answer.value] == [each.part for each in again.value]
    assert served.operations() == 1
    assert (served.begun, served.store.closed) == (2, 1)


def test_while_it_cannot_begin_again_it_says_so_and_shows_nothing(served: Served) -> None:
    served.store.how = "before"
    with pytest.raises(Unavailable):
        served.send(served.file()).result(WAIT_S)
    served.store.how = "gone"
    served.until(State.BEGINNING)
    time.sleep(0.1)

    assert "is gone" in served.writer.health.why
    with pytest.raises(Unavailable, match="not known whether it was done"):  # as it was sent before
        served.send(served.file()).result(WAIT_S)
    with pytest.raises(OperatorError, match="begin again from what is written"):
        served.operations()
    served.store.how = ""
    served.until(State.WRITING)
    assert served.operations() == 0


def test_while_another_node_writes_it_stands_by_and_then_goes_on(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writing, "ASKS_S", 0.02)
    served.send(served.file()).result(WAIT_S)
    served.store.how, served.store.may_write = "other's", False
    served.until(State.STANDING_BY)

    assert served.writer.writes_at == "http://b"
    assert "is written by node b" in served.writer.health.why
    with pytest.raises(Unavailable, match="it does nothing twice"):
        served.send(served.file(place=40)).result(WAIT_S)
    with pytest.raises(Unavailable, match="it shows nothing until"):
        served.operations()
    served.store.how = "gone"
    served.until(State.BEGINNING)  # it does not know any more who writes
    assert not served.writer.writes_at
    served.store.how, served.store.may_write = "", True
    served.until(State.WRITING)
    assert not served.writer.writes_at
    assert served.operations() == 1


def test_a_node_that_may_not_write_from_the_start_stands_by(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(writing, "ASKS_S", 0.02)
    real = Store.__init__

    def other(store: Store, lines: Sequence[bytes]) -> None:
        real(store, lines)
        store.how = "other's"

    monkeypatch.setattr(Store, "__init__", other)
    served = Served()
    served.writer.start()

    assert served.writer.health.state is State.STANDING_BY
    served.store.how = ""
    served.until(State.WRITING)
    served.send(served.file()).result(WAIT_S)
    served.writer.stop()


def test_what_is_not_sure_to_be_the_last_is_not_shown(served: Served) -> None:
    """The term has ended while the thread was paused: also what was asked then gets no answer."""
    served.send(served.file()).result(WAIT_S)
    served.store.how, served.store.may_write = "gone", False

    with pytest.raises(OperatorError):
        served.operations()


def test_what_proves_an_answer_is_of_what_is_written_also_after_a_write_that_failed(
    served: Served,
) -> None:
    served.store.how = "not"
    with pytest.raises(Unavailable, match="nothing was done"):
        served.send(served.file()).result(WAIT_S)
    served.store.how = ""
    served.until(State.WRITING)

    for each in served.send(served.file(place=40)).result(WAIT_S).value:
        verify_receipt(each, served.writer._own.exchange.signing)


@pytest.mark.parametrize("served", [True], ids=["aside"], indirect=True)
def test_signatures_of_acts_that_wait_are_verified_while_others_are_written(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writing, "COMMIT_S", 0.0)  # each act takes longer
    looked, seen = threading.Event(), []
    look, verify_one, append = Exchange.looked_at, PublicKey.verify, served.store.append
    good, forged, last = served.file(), served.file(place=40), served.file(place=80)
    sig = replace(forged.signatures[0], sig=bytes(64))
    forged = replace(forged, signatures=(sig,))

    def looking(exchange: Exchange, envelope: Envelope) -> Looked:
        try:
            return look(exchange, envelope)
        finally:
            if envelope is last:
                looked.set()

    def verifying(key: PublicKey, message: bytes, signature: bytes, path: str) -> None:
        seen.append(signature)
        verify_one(key, message, signature, path)

    def waiting(lines: Sequence[bytes]) -> None:
        looked.wait(WAIT_S)
        append(lines)

    served.store.may_go.clear()
    first = served.send(served.file(place=120))
    served.until_taken()
    monkeypatch.setattr(Exchange, "looked_at", looking)
    monkeypatch.setattr(PublicKey, "verify", verifying)
    monkeypatch.setattr(served.store, "append", waiting)
    sent = [served.send(each) for each in (good, forged, last)]
    served.store.may_go.set()

    wait([first, *sent], WAIT_S)
    assert [each.exception() is None for each in sent] == [True, False, True]
    with pytest.raises(NotProven, match="does not verify"):
        sent[1].result()
    assert seen.count(last.signatures[0].sig) == 1  # and not again when it was decided
    assert seen.count(bytes(64)) == 2  # what did not verify is tried again, to say why


def test_what_goes_wrong_meanwhile_is_told_once_the_lines_are_written(served: Served) -> None:
    store = Aside(served.store)
    served.store.may_go.clear()
    before = len(served.store.lines())

    def wrong(_: Callable[[], bool]) -> None:
        threading.Timer(0.2, served.store.may_go.set).start()
        raise RuntimeError("a bug")

    store.meanwhile = wrong
    with pytest.raises(RuntimeError, match="a bug"):
        store.append([b"{}"])
    assert len(served.store.lines()) == before + 1
    store.close()


def test_what_was_looked_at_counts_for_that_very_act(served: Served) -> None:
    exchange = served.stage.exchange
    good, other = served.file(), served.file(place=40)
    looked = exchange.looked_at(good)
    bad = replace(other, signatures=(replace(other.signatures[0], sig=bytes(64)),))

    with pytest.raises(NotProven, match="does not verify"):
        exchange.submit(bad, "a", looked)
    assert not exchange.world.operations
    with pytest.raises(NotProven, match="does not verify"):
        exchange.looked_at(bad)
    exchange.submit(other, "a", looked)
    exchange.submit(good, "a", looked)
    assert len(exchange.world.operations) == 2


def test_a_fault_of_ours_in_one_act_harms_no_other(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    real: Callable[..., None] = decide.DECIDE[acts.FileOperation]
    bad = served.file(place=40)

    def faulty(deciding: Any, act: Any, payload: Any) -> None:  # noqa: ANN401 as decided
        real(deciding, act, payload)
        if act.id == read_act(bad).id:
            raise RuntimeError("a bug")

    made: dict[Any, Any] = {**decide.DECIDE, acts.FileOperation: faulty}
    monkeypatch.setattr(decide, "DECIDE", made)
    sent = [served.send(each) for each in (served.file(), bad, served.file(place=80))]
    wait(sent, WAIT_S)

    with pytest.raises(RuntimeError):
        sent[1].result()
    assert [each.exception() is None for each in sent] == [True, False, True]
    assert served.writer.health.state is State.WRITING
    assert served.operations() == 2


def test_too_many_that_wait_are_told_to_come_again(served: Served) -> None:
    served.writer._waiting.maxsize = 3
    served.store.may_go.clear()
    served.send(served.file())
    served.until_taken()
    sent = [served.send(served.file(place=40 * number)) for number in range(1, 9)]

    late = [each for each in sent if each.done()]
    assert len(late) == 5
    with pytest.raises(Unavailable, match="wait already"):
        late[0].result()


def test_beats_are_signed_and_the_last_at_the_end() -> None:
    served = Served(beat_s=0.05)
    served.writer.start()
    served.send(served.file()).result(WAIT_S)
    time.sleep(0.3)
    served.writer.stop()

    lines = served.store.lines()
    beats = [each for each in lines if each.startswith(b'{"line":"beat"')]
    assert 3 <= len(beats) <= 9
    assert lines[-1] == beats[-1]
    assert verify(lines, served.stage.keys).is_proven
    with pytest.raises(Unavailable, match="has stopped"):
        served.send(served.file(place=40)).result(WAIT_S)


def test_who_goes_away_cannot_take_back_what_waits_and_harms_no_other(served: Served) -> None:
    served.store.may_go.clear()
    served.send(served.file())
    sent = [served.send(served.file(place=40)), served.send(served.file(place=80))]

    assert not sent[0].cancel()
    served.store.may_go.set()

    wait(sent, WAIT_S)
    assert served.operations() == 3


def test_whatever_goes_wrong_all_are_told_and_the_thread_goes_on(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = served.writer._decide

    def faulty(_: object) -> None:
        monkeypatch.setattr(served.writer, "_decide", real)
        raise RuntimeError("a bug of the writer")

    monkeypatch.setattr(served.writer, "_decide", faulty)

    with pytest.raises(Unavailable, match="not known whether it was done"):
        served.send(served.file()).result(WAIT_S)
    served.send(served.file(place=40)).result(WAIT_S)
    assert served.operations() == 1
