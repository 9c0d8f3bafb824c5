# SPDX-License-Identifier: Apache-2.0
"""Two worlds that differ in nothing that b may see give b the same bytes over HTTP.

How they are played: `worlds_over_http`. The second half plants leaks in what serves, one of each
kind that a server is known for, and sees each of them found.
"""

import asyncio
import re
from collections.abc import Callable, Iterator
from itertools import chain
from pathlib import Path
from random import Random
from types import SimpleNamespace
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from litestar.types import ASGIApp, Message, Receive, Scope, Send
from msgspec.structs import replace

from keepclear.errors import InputError
from keepclear.exchange import coverage, reads, views
from keepclear.exchange.checking import Asked
from keepclear.exchange.exchange import Exchange
from keepclear.exchange.keep_outs import area_of
from keepclear.exchange.reads import Reads
from keepclear.exchange.viewers import Viewers
from keepclear.exchange.views import Disclosed
from keepclear.exchange.world import World
from keepclear.record.key_documents import Keyring
from keepclear.server import app, feed
from keepclear.server.answers import RegionSaid
from keepclear.server.app import Public
from keepclear.server.feed import Feed
from keepclear.server.rates import Rates, TooOften
from keepclear.server.schema import document
from keepclear.server.sessions import Sessions
from tests import worlds_over_http
from tests.node_at_hand import status_of
from tests.two_worlds import Pair
from tests.two_worlds_shown import same_as_shown
from tests.two_worlds_stops import pair_of, told_apart_of
from tests.worlds_over_http import Got, difference_over_http, received_over_http
from tests.worlds_played import remembered

FIRST: Final = 200_000  # of the seeds; test_two_worlds_cases has the low ones
PAIRS: Final = 16  # two thirds of a second each
PAIRS_LONG: Final = 400
STOPS: Final = 10  # half a second each
MOST_TRIED: Final = 30


@pytest.fixture(autouse=True, scope="module")
def _remembered() -> Iterator[None]:
    with remembered():
        yield


def pair_number(number: int) -> Pair:
    """Return one of the pairs of worlds, the same each time."""
    return pair_of(Random(FIRST + number).choice)


def stop_number(number: int) -> Pair:
    """Return one of the pairs that differ in what b may not know of a STOP, the same each time."""
    return told_apart_of(Random(FIRST + number).choice)


@pytest.mark.slow
@pytest.mark.parametrize("number", range(PAIRS))
def test_what_is_in_no_conflict_with_b_changes_no_byte_that_b_gets(number: int) -> None:
    assert difference_over_http(pair_number(number)) == ""


@pytest.mark.long
def test_nor_in_twenty_five_times_as_many_worlds() -> None:
    for number in range(PAIRS, PAIRS_LONG):
        assert difference_over_http(pair_number(number)) == "", number


@pytest.mark.slow
@settings(
    max_examples=6, database=None, deadline=None, phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)  # fmt: skip
@given(pair=same_as_shown())
def test_what_no_clause_grants_of_a_conflict_changes_no_byte_that_b_gets(pair: Pair) -> None:
    assert difference_over_http(pair) == ""


@pytest.mark.slow
@pytest.mark.parametrize("number", range(STOPS))
def test_what_b_may_not_know_of_a_stop_changes_no_byte_that_b_gets(number: int) -> None:
    assert difference_over_http(stop_number(number)) == ""


def test_b_reads_all_that_there_is_to_read() -> None:
    read = set(re.findall(r'"(/v1/[a-z-]+)', Path(str(worlds_over_http.__file__)).read_text()))

    assert {each for each, ways in document()["paths"].items() if "get" in ways} <= read


@pytest.mark.slow
def test_b_gets_answers_of_every_kind_in_them() -> None:
    got: list[Got] = []
    for number in range(4):
        pair = pair_number(number)
        got += received_over_http(pair.seen, pair.hidden[0])
    answers = [each.data for each in got if each.data.startswith(b"HTTP/")]

    assert {200, 201, 204, 400, 401, 404, 405, 409, 429} <= set(map(status_of, answers))
    assert max(map(status_of, answers)) < 500
    streamed = b"".join(each.data for each in got if each.what.startswith("stream"))
    assert all(each in streamed for each in (b"event: snapshot", b"event: step", b'"notice/1"'))
    again = [each.data for each in got if "sent again" in each.what]
    assert {200, 409} <= set(map(status_of, again))
    assert any(b'"notes":["' in each and b'"lines":[[' in each for each in answers)


# --- planted leaks ---------------------------------------------------------------------------

Plant = Callable[[pytest.MonkeyPatch], None]


def world_of(public: Public) -> World:
    return public._writer._own.exchange.world


def kept_of(public: Public) -> Any:  # noqa: ANN401 what the exchange holds
    return public._writer._own.exchange._kept


def in_header(
    name: str, value: Callable[[Public], object], when: Callable[[int], bool] = lambda _: True
) -> Plant:
    """Return a leak into a header of answers. when: of those with such a status."""

    def plant(patch: pytest.MonkeyPatch) -> None:
        made = Public.app

        def leaking(self: Public) -> ASGIApp:
            inner = made(self)

            async def answering(scope: Scope, receive: Receive, send: Send) -> None:
                async def sending(message: Message) -> None:
                    if message["type"] == "http.response.start" and when(message["status"]):
                        said = (name.encode(), str(value(self)).encode())
                        message["headers"] = [*message["headers"], said]
                    await send(message)

                await inner(scope, receive, sending)

            return answering

        patch.setattr(Public, "app", leaking)

    return plant


def stream_ids_of_the_record(patch: pytest.MonkeyPatch) -> None:
    """Give the events of a stream the number of their line in the record."""
    steps, event = feed._steps, feed._event
    numbers: list[int] = []

    def asked(exchange: Exchange, party: str, after: int) -> feed._News:
        numbers[:] = exchange._kept.viewers.steps_of(party)
        return steps(exchange, party, after)

    def leaking(kind: str, step: int, data: bytes) -> bytes:
        made = event(kind, step, data)
        line = numbers[step - 1] if 0 < step <= len(numbers) else 0
        return b"id: %d\n" % line + made if kind == "step" else made

    patch.setattr(feed, "_steps", asked)
    patch.setattr(feed, "_event", leaking)


def snapshot_of_all(patch: pytest.MonkeyPatch) -> None:
    """Show in the snapshot of a stream how many operations there are."""
    snapshot = feed._snapshot

    def leaking(exchange: Exchange, party: str) -> tuple[int, bytes, Keyring]:
        step, data, keys = snapshot(exchange, party)
        return step, data[:-1] + b',"of":%d}' % len(exchange.world.operations), keys

    patch.setattr(feed, "_snapshot", leaking)


def alive_at_each_write(patch: pytest.MonkeyPatch) -> None:
    """Wake all viewers at each write; who has nothing new is told that the connection is alive."""

    def wake(self: Feed, _: object) -> None:
        for each in self._waiting.values():
            for event in each:
                event.set()

    async def waited(waiting: Any, _: float) -> None:  # noqa: ANN401 as asyncio has it
        await waiting
        raise TimeoutError

    patch.setattr(Feed, "wake", wake)
    patched = SimpleNamespace(**vars(asyncio) | {"wait_for": waited})
    patch.setattr(feed, "asyncio", patched)


def rates_for_all(patch: pytest.MonkeyPatch) -> None:
    """Let all who ask take from one bucket."""
    take = Rates.take
    patch.setattr(Rates, "take", lambda self, _, now_s: take(self, "b", now_s))


def come_again_by_load(patch: pytest.MonkeyPatch) -> None:
    """Let who asks too often come again the later, the more is asked by all."""
    take = Rates.take

    def leaking(self: Rates, who: str, now_s: float) -> None:
        try:
            take(self, who, now_s)
        except TooOften as fault:
            fault.after_s += 60 * len(self._buckets)
            raise

    patch.setattr(Rates, "take", leaking)


def refusal_of_trees(patch: pytest.MonkeyPatch) -> None:
    """Say of a tree that is not the party's whether there is one."""
    proof = Reads.proof

    def leaking(self: Reads, party: str, audience: str, first: int, second: int) -> Any:  # noqa: ANN401
        if audience not in self._written().ledger.trees:
            raise InputError("audience", audience, "is no tree", "ask for one of yours")
        return proof(self, party, audience, first, second)

    patch.setattr(Reads, "proof", leaking)


def refusal_of_ids(patch: pytest.MonkeyPatch) -> None:
    """Say that an address with an id is not found, or that it is nobody else's business."""

    def is_there(public: Public) -> bool:
        return any(each in HIDDEN_ID for each in world_of(public).operations)

    in_header("x-found", is_there, lambda status: status == 404)(patch)


# The id of what is filed first in a hidden step: `worlds_played._Playing._named`.
HIDDEN_ID: Final = "392865aa8dadb2ce0013c3403f043b4d"


def steps_of_all(patch: pytest.MonkeyPatch) -> None:
    """Count lines of which a party sees nothing among its steps."""
    patch.setattr(Viewers, "steps_of", lambda self, _: range(1, self.lines))


def notes_of_all_trees(patch: pytest.MonkeyPatch) -> None:
    """Send the checkpoints of all trees with the steps."""
    patch.setattr(
        Viewers, "audiences", lambda self, _: tuple(
            dict.fromkeys(each for own in self._audiences.values() for each in own)
        ),
    )  # fmt: skip


def receipts_of_all(patch: pytest.MonkeyPatch) -> None:
    """Tell in receipts how much is in the record."""
    made = Reads.receipts

    def leaking(self: Reads, answered: Any) -> Any:  # noqa: ANN401 as there
        found = made(self, answered)
        size = self.lines
        return Disclosed(found.party, tuple(replace(each, index=size) for each in found.value))

    patch.setattr(Reads, "receipts", leaking)


def operations_of_all(patch: pytest.MonkeyPatch) -> None:
    """List the operations of others, too."""
    patch.setattr(
        views, "own_operations", lambda party, found: Disclosed(party, tuple(found))
    )  # fmt: skip


def answers_kept_by_address(patch: pytest.MonkeyPatch) -> None:
    """Keep answers for ten minutes by what was asked, whoever asked it."""
    known: dict[tuple[Public, int, str], list[Any]] = {}
    listed = Public._listed

    async def leaking(self: Public, request: Any, ask: Any) -> list[Any]:  # noqa: ANN401 as there
        key = self, self._now_us() // 600_000_000, ask.__qualname__
        if key not in known:
            known[key] = await listed(self, request, ask)
        else:
            self._reader(request)  # it counts as a read all the same
        return known[key]

    patch.setattr(Public, "_listed", leaking)


def region_since_the_last_entry(patch: pytest.MonkeyPatch) -> None:
    """Give the time of the last entry as that of the exchange."""
    said = RegionSaid
    begun: list[Public] = []
    made = Public._acting

    def acting(self: Public) -> Any:  # noqa: ANN401 as there
        begun[:] = [self]
        return made(self)

    patch.setattr(Public, "_acting", acting)
    patch.setattr(app, "RegionSaid", lambda **fields: said(
        **fields | {"now_us": kept_of(begun[0]).ledger.chain.at_us}
    ))  # fmt: skip


def challenges_counted(patch: pytest.MonkeyPatch) -> None:
    """Number challenges in the order in which all have asked for them."""
    challenge = Sessions.challenge

    def leaking(self: Sessions, now_us: int) -> str:
        made = f"{len(self._tokens)}-{challenge(self, now_us)}"
        self._challenges[made] = now_us + 60_000_000
        return made

    patch.setattr(Sessions, "challenge", leaking)


def answers_grow_over_a_new_beginning(patch: pytest.MonkeyPatch) -> None:
    """After a new beginning say how many answers were made again."""
    header = Reads.header

    def leaking(self: Reads, party: str) -> Any:  # noqa: ANN401 as there
        found = header(self, party)
        size = len(self._written().answers._kept)
        line = found.value.lines[0][0] + b" " * size
        return Disclosed(party, found.value._replace(lines=((line,),)))

    patch.setattr(Reads, "header", leaking)


def notices_by_place_of_the_other(patch: pytest.MonkeyPatch) -> None:
    """Tell in the list of conflicts how many conflicts the other operation has with anybody."""
    told = reads.Reads.conflicts

    def leaking(self: Reads, party: str) -> Any:  # noqa: ANN401 as there
        found, world = told(self, party), self._written().world
        return Disclosed(party, tuple(
            replace(each, number=len(world.conflicts_of(each.other.id))) for each in found.value
        ))  # fmt: skip

    patch.setattr(Reads, "conflicts", leaking)


def check_of_all(patch: pytest.MonkeyPatch) -> None:
    """Compare a plan with operations of others that were never shown."""
    made = Exchange.to_check

    def leaking(self: Exchange, party: str, asked: Asked) -> Any:  # noqa: ANN401 as there
        found = made(self, party, asked)
        others = [each for each in self.world.operations.values() if each.party != party]
        return Disclosed(party, found.value._replace(own=(*found.value.own, *others)))

    patch.setattr(Exchange, "to_check", leaking)


def refusal_of_what_is_replaced(patch: pytest.MonkeyPatch) -> None:
    """Say of an operation that a plan cannot replace whether there is one."""
    made = Exchange.to_check

    def leaking(self: Exchange, party: str, asked: Asked) -> Any:  # noqa: ANN401 as there
        if asked.instead_of and asked.instead_of not in self.world.operations:
            raise InputError("instead_of", asked.instead_of, "is nowhere", "leave it out")
        return made(self, party, asked)

    patch.setattr(Exchange, "to_check", leaking)


def agreements_of_all(patch: pytest.MonkeyPatch) -> None:
    """Say who answers for a force by the agreements of others, too."""
    patch.setattr(coverage, "agreements_of", lambda world, _: tuple(world.agreements.values()))


def stops_of_all(patch: pytest.MonkeyPatch) -> None:
    """List the STOPs of others, too."""
    patch.setattr(views, "own_stops", lambda party, found: Disclosed(party, tuple(found)))


def keep_outs_of_all(patch: pytest.MonkeyPatch) -> None:
    """List where operations of others must keep out, too."""
    patch.setattr(views, "own_keep_outs", lambda party, found: Disclosed(
        party, tuple(out for _, out in found)
    ))  # fmt: skip


def check_with_areas_of_all(patch: pytest.MonkeyPatch) -> None:
    """Compare a plan with the areas of all STOPs, told to its party or not."""
    made = Exchange.to_check

    def leaking(self: Exchange, party: str, asked: Asked) -> Any:  # noqa: ANN401 as there
        found = made(self, party, asked)
        areas = {area_of(each) for each in self.world.stops.values()}
        return Disclosed(party, found.value._replace(areas=tuple(areas)))

    patch.setattr(Exchange, "to_check", leaking)


LEAKS: Final[dict[str, Plant]] = {
    "a count in a header": in_header("x-lines", lambda public: public._writer._lines),
    "a count of who is signed in": in_header("x-users", lambda p: len(p._sessions._tokens)),
    "a count of viewers": in_header(
        "x-viewers", lambda public: sum(map(len, public.feed._waiting.values()))
    ),
    "a count of acts": in_header(
        "x-acts", lambda p: sum(s.value for m in p._writer.metrics.acts.collect()
                                for s in m.samples if s.name.endswith("_total"))
    ),
    "an ETag over everything": in_header("etag", lambda public: world_of(public).hash),
    "when anything was changed": in_header(
        "last-modified", lambda public: kept_of(public).ledger.chain.at_us
    ),
    "a count where nothing is found": in_header(
        "x-rules", lambda public: len(world_of(public).operations), lambda status: status == 404
    ),
    "a count where a method is not allowed": in_header(
        "x-rules", lambda public: world_of(public).filings, lambda status: status == 405
    ),
    "whether an id is there": refusal_of_ids,
    "ids of a stream": stream_ids_of_the_record,
    "a snapshot": snapshot_of_all,
    "signs of life": alive_at_each_write,
    "one rate for all": rates_for_all,
    "when to come again": come_again_by_load,
    "refusals of proofs": refusal_of_trees,
    "steps of others": steps_of_all,
    "checkpoints of others": notes_of_all_trees,
    "receipts": receipts_of_all,
    "operations of others": operations_of_all,
    "answers kept for all": answers_kept_by_address,
    "the time of the last entry": region_since_the_last_entry,
    "challenges": challenges_counted,
    "what is made again": answers_grow_over_a_new_beginning,
    "a check": check_of_all,
    "refusals of checks": refusal_of_what_is_replaced,
    "who answers": agreements_of_all,
    "STOPs of others": stops_of_all,
    "keep outs of others": keep_outs_of_all,
    "a check with areas": check_with_areas_of_all,
    "conflicts of the other side": notices_by_place_of_the_other,
}  # fmt: skip


OF_STOPS: Final = {"STOPs of others", "keep outs of others", "a check with areas"}


@pytest.mark.slow
@pytest.mark.parametrize("name", LEAKS)
def test_a_leak_of_a_server_is_found(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    LEAKS[name](monkeypatch)

    numbers = range(MOST_TRIED)
    first = map(stop_number, numbers) if name in OF_STOPS else ()
    pairs = chain(first, filter(differs, map(pair_number, numbers)))
    assert any(map(difference_over_http, pairs))


def differs(pair: Pair) -> bool:
    """Tell whether what is hidden is otherwise in the other world."""
    return pair.hidden[0] != pair.hidden[1]
