# SPDX-License-Identifier: Apache-2.0
"""Ten equal operations at once where a clause refuses: ten filed, one accepted, nine told why."""

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from threading import Barrier
from typing import Final

import msgspec
import pytest

from keepclear.agreement.clauses import OnConflict, OnConflictRule
from keepclear.agreement.documents import PartyTerms, Role
from keepclear.clock import RandomIds
from keepclear.detect.compiled import compiled
from keepclear.exchange.exchange import Exchange
from keepclear.exchange.ports import Store
from keepclear.exchange.views import NOTICE_KIND, Notice
from keepclear.plans import acts
from keepclear.plans.operations import State
from keepclear.record.entries import Part
from keepclear.record.envelopes import Envelope
from keepclear.record.files import Header
from keepclear.record.headers import Status
from keepclear.record.verification import verify
from keepclear.server.jobs import Receipts
from keepclear.server.writer import Begun, Writer
from keepclear.store.memory import MemoryStore
from keepclear.store.postgresql import PostgreSQLStore
from keepclear.store.sqlite import SQLiteStore
from tests.agreement_plays import agreement, clause
from tests.exchange_plays import CountedIds
from tests.postgresql_server import Server
from tests.record_plays import START_US
from tests.test_exchange_agreements import Keys
from tests.two_worlds import HOUSE, Plan, filed, separation

PARTIES: Final = tuple(f"p{number}" for number in range(10))
TERMS: Final = tuple(PartyTerms(id=each, name=each, role=Role.FORCE) for each in PARTIES)
REFUSED: Final = clause("2", "Refused.", OnConflictRule(action=OnConflict.REFUSE))
EVERYBODY: Final = agreement(
    id="all", parties=TERMS, clauses=(separation("5 NM / 1000 ft"), REFUSED)
)
WAIT_S: Final = 60


def memory(_: Path, header: Header) -> Store:
    return MemoryStore(header)


def sqlite(folder: Path, header: Header) -> Store:
    return SQLiteStore.create(folder / "record.db", header)


Make = Callable[[Path, Header], Store]
Again = Callable[[Path, Store], Store]


def told_of(receipts: Receipts) -> list[Notice]:
    """Return the notices in an answer."""
    parts = [msgspec.json.decode(each.part, type=Part) for each in receipts.value]
    return [
        msgspec.json.decode(each.data, type=Notice) for each in parts if each.kind == NOTICE_KIND
    ]


def rounds(make: Make, again: Again, folder: Path, count: int) -> None:
    """Let ten parties file the same at once, so many times, and look at each time."""
    stage = Keys("exercise", START_US, Status.EXERCISE, HOUSE, CountedIds(), compiled())
    for each in PARTIES:
        stage.join(each)
    stage.carry(stage.signed(EVERYBODY), EVERYBODY)
    store = make(folder, stage._header)
    store.append(stage.lines[1:])
    exchange = Exchange(stage._opened, stage._signer, stage.clock, RandomIds(), store, compiled())
    writer = Writer(lambda: Begun(exchange, store), stage.clock.now_us, beat_s=WAIT_S)
    writer.start()
    at_once = Barrier(len(PARTIES))

    def send(envelope: Envelope, party: str) -> Receipts:
        at_once.wait(WAIT_S)
        return writer.submit(envelope, party).result(WAIT_S)

    try:
        with ThreadPoolExecutor(len(PARTIES)) as senders:
            for number in range(count):
                row, place = divmod(number, 40)  # 40 places, and then two hours later
                plan = Plan(place=12 * place, level=22, start=60 + 120 * row, lasts=30)
                payload = acts.FileOperation(operation=filed(plan))
                envelopes = [stage.envelope(p, "operations.file/1", payload) for p in PARTIES]
                before = set(exchange.world.operations)
                answers = [*senders.map(send, envelopes, PARTIES)]
                check(exchange, before, answers)
    finally:
        writer.stop()
    with closing(again(folder, store)) as kept:
        assert verify(list(kept.lines()), stage.keys).is_proven


def check(exchange: Exchange, before: set[str], answers: list[Receipts]) -> None:
    """See that of ten that were filed one is accepted, and nine were told why not."""
    world = exchange.world
    new = [world.operations[each] for each in world.operations.keys() - before]
    assert Counter(each.state for each in new) == {State.ACCEPTED: 1, State.FILED: 9}
    [first] = [each for each in new if each.state is State.ACCEPTED]
    assert {each.party for each in new} == set(PARTIES)
    for answer in answers:
        own = next(each for each in new if each.party == answer.party)
        told = told_of(answer)
        if own is first:
            assert told == []
            continue
        assert first.id in {each.other.id for each in told}
        assert all(each.must_act == (own.party,) for each in told)
        assert {each.clause for each in told[0].broken} == {"1"}


KINDS: Final[dict[str, tuple[Make, Again]]] = {
    "memory": (memory, lambda _, store: store),
    "sqlite": (sqlite, lambda folder, _: SQLiteStore.open(folder / "record.db")),
}


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_a_hundred_rounds(kind: str, tmp_path: Path) -> None:
    rounds(*KINDS[kind], tmp_path, 100)


@pytest.mark.slow
def test_a_hundred_rounds_on_postgresql(postgresql: Server, tmp_path: Path) -> None:
    address = postgresql.database()

    def make(_: Path, header: Header) -> Store:
        return PostgreSQLStore.create(address, header)

    def again(_: Path, __: Store) -> Store:
        return PostgreSQLStore.open(address, "exercise")

    rounds(make, again, tmp_path, 100)


@pytest.mark.long
@pytest.mark.parametrize("kind", KINDS)
def test_a_thousand_rounds(kind: str, tmp_path: Path) -> None:
    rounds(*KINDS[kind], tmp_path, 1_000)
