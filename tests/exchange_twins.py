# SPDX-License-Identifier: Apache-2.0
"""Two exchanges that are asked the same: one never stops, the other stops wherever it can.

The second begins again from its lines alone; its store fails, too. With the same ids handed in,
each answer, refusal and line must be the same, byte for byte, and so must all that is kept.
"""

from collections.abc import Callable, Sequence
from hashlib import sha256
from random import Random
from typing import Any, Final

import msgspec

from keepclear.detect.kernel import Functions
from keepclear.errors import KeepclearError, OperatorError
from keepclear.exchange.exchange import Exchange
from keepclear.exchange.kept import Kept, Region
from keepclear.exchange.ports import Clock, Ids, NotWritten
from keepclear.exchange.reopening import Following
from keepclear.exchange.snapshots import frames, read
from keepclear.exchange.viewers import Viewers
from keepclear.exchange.views import Disclosed
from keepclear.record.encoding import encode
from keepclear.record.envelopes import Envelope
from keepclear.record.files import Header
from keepclear.record.keys import Signer
from keepclear.store.memory import MemoryStore

Call = Callable[[Exchange], object]
WORLD: Final = (
    "opened", "agreements", "filers", "before", "waiting", "rechecking", "more", "operations",
    "conflicts", "of_operation", "places", "incidents", "lines", "none_here", "contradictions",
    "stated", "earlier", "messages", "line_checks", "lines_checked", "stops", "standing",
    "keep_outs", "shifts", "calls", "filings", "hashes", "hash",
)  # fmt: skip


class NotedIds:
    """Ids as they are handed in, each noted."""

    def __init__(self, ids: Ids) -> None:
        self._ids = ids
        self.noted: list[Any] = []

    def id(self) -> str:
        self.noted.append(made := self._ids.id())
        return made

    def salt(self) -> bytes:
        self.noted.append(made := self._ids.salt())
        return made


class SameIds:
    """The ids that another exchange was handed, once more."""

    def __init__(self, noted: list[Any]) -> None:
        self._noted, self.place = noted, 0

    def id(self) -> str:
        return str(self._next())

    def salt(self) -> bytes:
        return bytes(self._next() or 32)

    def _next(self) -> Any:  # noqa: ANN401 an id or a salt
        self.place += 1
        # an act that is refused and asked again may take more: of that nothing is kept
        return self._noted[self.place - 1] if self.place <= len(self._noted) else None


class CountingStore:
    """A store that counts what it is asked to keep."""

    def __init__(self, store: MemoryStore) -> None:
        self._store, self.appends = store, 0

    def append(self, lines: Sequence[bytes]) -> None:
        self.appends += 1
        self._store.append(lines)

    def lines(self, first: int = 0) -> list[bytes]:
        return self._store.lines(first)

    def pick(self, numbers: Sequence[int]) -> list[bytes]:
        return self._store.pick(numbers)

    is_ours, term, time_said = True, 0, None

    def probe(self) -> None:
        """Nothing is looked for."""

    def close(self) -> None:
        """Nothing is open."""


class FailingStore(CountingStore):
    """A store that fails once, where it is told to.

    fails_in: how many appends come before. how: "not" where it is known that nothing was kept,
    "before" and "after" where it is not known. written_at: how many ids what is kept has taken.
    """

    def __init__(self, store: MemoryStore, ids: SameIds) -> None:
        super().__init__(store)
        self.ids, self.written_at, self.how, self.fails_in = ids, 0, "", -1

    def append(self, lines: Sequence[bytes]) -> None:
        self.fails_in -= 1
        is_now = self.fails_in == -1
        if is_now and self.how == "not":
            raise NotWritten("no space left")
        if is_now and self.how == "before":
            raise OSError(5, "cut off before")
        super().append(lines)
        self.written_at = self.ids.place
        if is_now and self.how == "after":
            raise OSError(5, "cut off after")


class Twins:
    """An exchange that never stops, shown outside, and one that does, compared after each call.

    often: how often it stops or its store fails at a call, from 0 to 1. stops, failures: how
    often that was, for a test to see that it was; snapshots: how often it went on from one of
    those that are made after every third call. hash_every: as of a region.
    """

    by: Random = Random(0)
    often: float = 0.3
    hash_every: int = 5
    stops: int = 0
    failures: int = 0
    snapshots: int = 0

    def __init__(
        self, region: Region, signer: Signer, clock: Clock, ids: Ids, store: MemoryStore,
        functions: Functions,
    ) -> None:  # fmt: skip
        noted, region = NotedIds(ids), region._replace(hash_every=self.hash_every)
        self._header = msgspec.json.decode(store.lines()[0], type=Header)
        self._steady_store, self._ids = CountingStore(store), SameIds(noted.noted)
        self._store = FailingStore(MemoryStore(self._header), self._ids)
        self.steady = Exchange(region, signer, clock, noted, self._steady_store, functions)
        self._set_up = region, signer, clock, functions
        self._others: list[Signer] = []
        self._snapshot: list[bytes] | None = None
        self._calls = 0
        self.stopping = self._begun()
        self._compare()

    def _begun(self) -> Exchange:
        region, signer, clock, functions = self._set_up
        return Exchange(
            region,
            signer,
            clock,
            self._ids,
            self._store,
            functions,
            self._from_snapshot(),
            self._others,
        )

    def _from_snapshot(self) -> Kept | None:
        """Return what the last snapshot and the lines after it lead to, every other time."""
        region, signer, _, functions = self._set_up
        if self._snapshot is None or self.stops % 2:
            return None
        found = read(self._snapshot, "1", region, functions)
        lines = self._store.lines()
        assert sha256(lines[found.lines - 1]).digest() == found.last
        following = Following.after(
            found.kept, lines[0], lines[found.lines - 1], region, functions
        )  # fmt: skip
        by = Random(self.stops)
        for line in lines[found.lines :]:  # as one who stands by, and has little left to read
            if by.random() < 0.3:
                following.warm()
            following.read([line])
        type(self).snapshots += 1
        return following.result([each.public for each in (signer, *self._others)])

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 whatever an exchange has
        return getattr(self.steady, name)

    def admit(self, document: Envelope) -> None:
        self._both(lambda each: each.admit(document), is_safe_twice=False)

    def change_key(self, change: Envelope, signer: Signer) -> None:
        self._others.append(signer)  # as it is on the disk before the record says so
        self._both(lambda each: each.change_key(change, signer), is_safe_twice=False)

    def submit(self, envelope: Envelope, sender: str) -> Disclosed[Any]:
        return self._both(lambda each: each.submit(envelope, sender))  # type: ignore[no-any-return]

    def pass_time(self) -> None:
        self._both(lambda each: each.pass_time())

    def hold_time(self, off_us: int) -> None:
        self._both(lambda each: each.hold_time(off_us))

    def recheck_some(self) -> bool:
        return bool(self._both(lambda each: each.recheck_some(), is_safe_twice=False))

    def beat(self) -> None:
        self._both(lambda each: each.beat(), is_safe_twice=False)

    def _both(self, call: Call, *, is_safe_twice: bool = True) -> Any:  # noqa: ANN401 as the call
        """Ask both; the second stops before, or is asked again where its store has failed."""
        before = self._steady_store.appends
        kind, result = outcome(call, self.steady)
        appends = self._steady_store.appends - before
        hows = ["begin", "not", "before", *(["after"] if is_safe_twice else [])]
        how = self.by.choice(hows) if self.by.random() < self.often else ""
        if how == "begin":
            self._begin_again()
        elif how and appends:
            self._fail(call, how, self.by.randrange(appends))
        twin_kind, twin_result = outcome(call, self.stopping)
        assert (twin_kind, told(twin_result)) == (kind, told(result))
        self._compare()
        if isinstance(result, BaseException):
            raise result
        return result

    def _fail(self, call: Call, how: str, fails_in: int) -> None:
        """Let the store fail within a call: what is not written leaves no trace."""
        before, lines = kept_of(self.stopping._kept), len(self._store.lines())
        self._store.how, self._store.fails_in = how, fails_in
        kind, _ = outcome(call, self.stopping)
        assert kind == ("NotWritten" if how == "not" else "OSError")
        type(self).failures += 1
        self._ids.place = self._store.written_at
        if how == "not":
            if len(self._store.lines()) == lines:
                assert kept_of(self.stopping._kept) == before
            return
        assert outcome(lambda each: each.pass_time(), self.stopping)[0] == OperatorError.__name__
        self._begin_again()

    def _begin_again(self) -> None:
        type(self).stops += 1
        written_at = self._store.written_at
        lines = self._store.lines()[1:]
        self._store = FailingStore(MemoryStore.holding(self._header, lines), self._ids)
        self._store.written_at = self._ids.place = written_at
        self.stopping = self._begun()

    def _compare(self) -> None:
        assert self._store.lines() == self._steady_store.lines()
        # what an act took that was refused by one is not taken again by the other
        self._ids.place = self._store.written_at = len(self._ids._noted)
        assert kept_of(self.stopping._kept) == kept_of(self.steady._kept)
        self._calls += 1
        if self._calls % 3 == 0:
            self._snapshot = list(frames(self.stopping.copied("1")))


def outcome(call: Call, exchange: Exchange) -> tuple[str, object]:
    """Return what a call returns or raises, after its kind."""
    try:
        return "", call(exchange)
    except (KeepclearError, OSError) as fault:
        return type(fault).__name__, fault


def told(result: object) -> object:
    """Return what a caller gets, as bytes where it has such."""
    if isinstance(result, BaseException):
        return str(result)
    return encode(result.value) if isinstance(result, Disclosed) else result


def kept_of(kept: Kept) -> dict[str, object]:
    """Return all that an exchange holds and that follows from its record."""
    world = {name: getattr(kept.world, name) for name in WORLD}
    cylinders, bound = kept.near.reach
    return {
        **{name: dict(each) if isinstance(each, dict) else each for name, each in world.items()},
        "chain": kept.ledger.chain,
        "trees": {name: (len(each), each.root()) for name, each in kept.ledger.trees.items()},
        "keys": {party: kept.keys.documents(party) for party in kept.keys.parties()},
        "counts": kept.counts, "beats": kept.beats, "noted": kept.noted,
        "beside": list(kept.beside), "writers": kept.writers,
        "is_held": kept.is_held,
        "near": (set(cylinders), bound, {k: v[:2] for k, v in kept.near._kept.items()}),
        "viewers": seen_by(kept.viewers),
        "followed": kept.followed, "signing": kept.signing,
        "late": kept.late, "starts": kept.starts, "cap_keys": kept.cap_keys,
        "not kept": len(kept.world.undo_log),
    }  # fmt: skip


def seen_by(viewers: Viewers) -> object:
    """Return what each party may see, by the numbers of lines."""
    parties = sorted(viewers._own)
    return viewers.lines, [
        (each, list(viewers.steps_of(each)), dict(viewers.latest(each)), viewers.audiences(each))
        for each in ("*", *parties)
    ]
