# SPDX-License-Identifier: Apache-2.0
"""Worlds of `two_worlds` played over HTTP, and every byte that b gets of a node in each.

The node is the one that is served, without the machine (`node_at_hand`). Time, chance and the time
of the rates are those of the play, so two worlds are compared byte for byte: status lines, headers,
how bodies are cut, streams.

b reads all that can be read after each visible step, tries what is not its own and what is not
there, follows a stream all the while and others from a step on, and does it again when the node
has begun again. a and c read and follow, too, after what they do.

**How much may be asked** is so little here that b comes to the end of it at the end of the play,
and a and c, whatever they do, never to that of acts.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, NamedTuple

import msgspec
import pytest

from keepclear.plans import acts
from keepclear.plays.stage import PEOPLE
from keepclear.record.encoding import encode
from keepclear.record.envelopes import Envelope
from keepclear.record.signing_in import SIGN_IN, OpenSession
from keepclear.server import app, sessions
from keepclear.server.answers import Challenge, StepsSaid, Token
from keepclear.server.schema import document
from keepclear.server.writer import Begun
from tests.node_at_hand import End, Headers, NodeAtHand, body_of, is_told, status_of, until
from tests.record_plays import START_US
from tests.two_worlds import (
    MINUTE_US,
    PARTIES,
    UNKNOWN,
    VIEWER,
    Pair,
    Plan,
    Seen,
    Step,
    filed,
)
from tests.worlds_played import REPLIES_DUE_US, StreamIds, _Playing

TURNS_AFTER: Final = 20
HALF_HOURS: Final = 24  # of the end in which everything that b knows of falls due
ADDRESSES: Final = {party: f"192.0.2.{number}" for number, party in enumerate(PARTIES, 1)}
MOST_ACTS: Final = 45  # of a, or c, there are fewer in a play
MOST_READS: Final = 80  # and so many for each second visible step, as b reads
READS_EACH: Final = 10
STOPS: Final = ("/v1/stops", "/v1/keep-outs", "/v1/shifts", "/v1/calls")
MOST_CALLS: Final = 8
CHECK: Final = "/v1/check?status=Exercise"
AUDIENCES: Final = ("*", "b", "a,b", "a", "c", "a,c", "b,c", "a,b,c", "d", "", "a,,")
DOCUMENT: Final = document()


class Got(NamedTuple):
    """What b got, and of what."""

    what: str
    data: bytes


class _OverHttp(_Playing):
    """A world that is played over HTTP."""

    def __init__(self, seen: Seen, hidden: tuple[Step, ...]) -> None:
        super().__init__(seen, hidden)
        self.got: list[Got] = []
        self._known_step = 0
        self._sent: dict[str, bytes] = {}
        planned = [each for each in seen.steps if each.plan is not None]
        self._first_plan = planned[0].plan
        self._own_plan = next(each.plan for each in planned if each.party == VIEWER)

    def _serve(self) -> None:
        """Let a node begin; nobody is signed in to it."""
        stage = self._stage
        self._node = NodeAtHand(lambda: Begun(stage.exchange, stage._store), stage.clock.now_us)
        self._ends = {party: End(self._node, ADDRESSES[party]) for party in PARTIES}
        self._others: dict[str, End] = {}
        self._tokens: dict[str, str] = {}
        self._stream: End | None = None
        self._told = -1

    async def run(self) -> None:
        """Let everything happen."""
        self._serve()
        steps = [(each.after, 0, number, each) for number, each in enumerate(self._hidden)]
        steps += [(each.after, 1, number, each) for number, each in enumerate(self._seen.steps)]
        await self._look("before all")
        for after, is_visible, number, step in sorted(steps, key=lambda each: each[:3]):
            self._ids.step = f"visible step {number}" if is_visible else f"hidden {step.does}"
            self._stage.clock.move_to(START_US + after * MINUTE_US)
            if is_visible:
                self._node.writer.turn()
                await self._taken(f"before step {number}")
            await self._submit(step)
            self._note_shown()
            if is_visible:
                self._node.writer.turn(is_beat=bool(number % 2))
                await self._look(f"step {number}", step.plan if step.party == VIEWER else None)
                if number == len(self._seen.steps) // 2:
                    await self._begin_again()
            else:
                await self._as_others_do(step.party)
        await self._end()

    async def _begin_again(self) -> None:
        """Let another node go on from the record alone; all sign in again."""
        await self._hang_up()
        self._stage.begin_again()
        self._serve()
        await self._look("begun again")
        for number, data in enumerate(self._sent.values()):
            await self._got(f"act {number} sent again", "POST", "/v1/acts", data)

    async def _end(self) -> None:
        """Let all that is left fall due, and b come to the end of what it may ask."""
        until_us = START_US + (self._seen.until * MINUTE_US or REPLIES_DUE_US)
        self._ids.step = "the end"
        for number in range(1, HALF_HOURS + 1):  # b is told of each as it falls due
            half_us = self._stage.clock.now_us() + 30 * MINUTE_US
            self._stage.clock.move_to(min(half_us, until_us) if number < HALF_HOURS else until_us)
            self._node.writer.turn()
            self._note_shown()
            await self._taken("while all ends")
        self._node.writer.turn(is_beat=True)
        await self._look("the end")
        await self._try_what_is_not_own()
        await self._ask_too_much()
        await self._got("signs out", "DELETE", "/v1/sessions")
        await self._taken("signs out")
        await self._hang_up()

    async def _hang_up(self) -> None:
        """Let the node end: all who follow are let go, and then all connections are closed."""
        self._node.public.feed.close()
        await until(lambda: not self._node.state.tasks)
        await self._taken("let go")
        for each in (*self._ends.values(), *self._others.values(), self._stream):
            if each is not None:
                each.close()

    # --- what parties do ----------------------------------------------------------------------

    async def _submit(self, step: Step) -> None:
        """Send an act."""
        kind, payload = self._act(step)
        names = PEOPLE if step.does == "carry" else ("watch",)
        known = self._known()
        data = encode(self._stage.envelope(step.party, kind, payload, names))
        if step.party == VIEWER:
            self._sent[step.operation] = data
            await self._got("its act", "POST", "/v1/acts", data)
        else:
            await self._asked(step.party, "POST", "/v1/acts", data)
            if not step.is_hidden:
                self._sent["of another"] = data
        self._name(step, known)

    async def _as_others_do(self, party: str) -> None:
        """Let another party read, and follow its stream."""
        for path in ("/v1/conflicts", "/v1/messages", "/v1/lines", "/v1/line-checks", *STOPS,
                     "/v1/steps?after=0", "/v1/region", "/v1/answers-for"):  # fmt: skip
            await self._asked(party, "GET", path)
        await self._asked(party, "POST", CHECK, plan_of(self._first_plan))
        if party not in self._others:
            self._others[party] = self._followed(party, {})

    async def _asked(
        self, party: str, method: str, path: str, body: bytes = b"", headers: Headers | None = None
    ) -> bytes:  # fmt: skip
        """Ask as a party that is signed in; sign in where it is not, or no more."""
        answer = b""
        for _ in range(2):
            if party not in self._tokens:
                await self._sign_in(party)
            own = {"Authorization": f"Bearer {self._tokens[party]}"} | (headers or {})
            answer = await self._ends[party].ask(method, path, own, body)
            if party == VIEWER:
                self.got.append(Got(f"{method} {path}", answer))
            if status_of(answer) != 401:
                break
            del self._tokens[party]
        return answer

    async def _sign_in(self, party: str) -> None:
        step, self._ids.step = self._ids.step, f"session of {party}"
        end = self._ends[party]
        first = await end.ask("GET", "/v1/challenge", {})
        challenge = msgspec.json.decode(body_of(first), type=Challenge).challenge
        envelope = self._stage.envelope(party, SIGN_IN, OpenSession(challenge=challenge))
        second = await end.ask("POST", "/v1/sessions", {}, encode(envelope))
        self._tokens[party] = msgspec.json.decode(body_of(second), type=Token).token
        self._ids.step = step
        if party == VIEWER:
            self.got += [Got("a challenge", first), Got("a token", second)]

    def _followed(self, party: str, headers: Headers) -> End:
        """Return the end of a connection with a stream."""
        made = End(self._node, ADDRESSES[party])
        own = {"Authorization": f"Bearer {self._tokens[party]}"}
        made.send("GET", "/v1/stream", own | headers)
        return made

    # --- what b gets --------------------------------------------------------------------------

    async def _got(
        self, what: str, method: str, path: str, body: bytes = b"", headers: Headers | None = None
    ) -> bytes:  # fmt: skip
        """Ask as b, and keep what it was."""
        answer = await self._asked(VIEWER, method, path, body, headers)
        self.got[-1] = Got(f"{what}: {method} {path}", answer)
        return answer

    async def _taken(self, what: str) -> None:
        """Keep what has come by b's stream, once all of it has."""
        if self._stream is None:
            return
        pieces, last = self._stream.wire.pieces, self._stage.exchange.reads.count(VIEWER)
        if self._told != last:
            stream = self._stream
            await until(lambda: is_told(pieces, last) or stream.is_answered)
            self._told = last
        for _ in range(TURNS_AFTER):  # what should not come would come now
            await asyncio.sleep(0)
        self.got += [Got(f"stream {what}", each) for each in pieces]
        pieces.clear()

    async def _look(self, what: str, plan: Plan | None = None) -> None:
        """Let b read all that it can, from where it knows on and from the beginning.

        And check a plan: the first of its own, if none is given.
        """
        if self._stream is None or self._stream.is_answered:  # its token has ended
            await self._sign_in(VIEWER)
            self._told = -1
            self._stream = self._followed(VIEWER, {})
        await self._taken(what)
        for path in ("/v1/region", "/v1/operations", "/v1/conflicts", "/v1/messages",
                     "/v1/lines", "/v1/line-checks", *STOPS, "/v1/record?after=0",
                     "/v1/answers-for?force=A"):  # fmt: skip
            await self._got(what, "GET", path)
        await self._got(what, "POST", CHECK, plan_of(plan or self._own_plan))
        answer = await self._got(what, "GET", f"/v1/steps?after={self._known_step}")
        if b'"last"' not in answer:
            return  # refused, as with a leak that is planted: that is what b has got
        last = msgspec.json.decode(body_of(answer), type=StepsSaid).last
        again = self._followed(VIEWER, {"Last-Event-ID": str(max(last - 3, 0))})
        await until(lambda: is_told(again.wire.pieces, last))
        self.got += [Got(f"stream from {last - 3} on, {what}", each) for each in again.wire.pieces]
        again.close()
        self._known_step = last

    async def _try_what_is_not_own(self) -> None:
        """Let b ask for what is another's, is hidden, or is not there at all."""
        hidden = self._named("hidden file")
        for path in (
            f"/v1/operations/{hidden}", f"/v1/operations?id={hidden}", "/v1", "/", "/none",
            "/metrics", "/health", "/ready", "/v1/record?after=99999", "/v1/steps?after=-1",
            "/v1/proofs?audience=a&from=0&to=0", "/v1/proofs?audience=b&from=1&to=99999",
            "/schema/openapi.json", f"/v1/cap?message={hidden}", f"/v1/cap?message={UNKNOWN}",
        ):  # fmt: skip
            await self._got("tried", "GET", path)
        for path in (f"/v1/operations/{hidden}", "/v1/conflicts", "/v1/acts", "/v1/stream"):
            for method in ("HEAD", "OPTIONS", "DELETE"):
                await self._got("tried", method, path)
        for path in ("/v1/record?after=1", "/v1/steps?after=0"):
            await self._got("tried", "GET", path)
        for audience in AUDIENCES:
            await self._got("tried", "GET", f"/v1/proofs?audience={audience}&from=1&to=2")
        await self._got("tried", "GET", "/v1/stream", headers={"Last-Event-ID": "99999"})
        for token in ("no", self._tokens.get("a", "")[:10]):
            end = self._ends[VIEWER]
            answer = await end.ask("GET", "/v1/conflicts", {"Authorization": f"Bearer {token}"})
            self.got.append(Got("tried: with no token", answer))
        tried = plan_of(self._own_plan)
        for replaced in (hidden, UNKNOWN):
            await self._got("tried", "POST", f"{CHECK}&instead_of={replaced}", tried)
        own, self._stage._ids = self._stage._ids, StreamIds()
        assert isinstance(self._stage._ids, StreamIds)
        self._stage._ids.step = "hidden file"  # the id of an act, as it would be
        kind, payload = self._act(Step(after=0, party=VIEWER, does="end", operation="b1"))
        taken = self._stage.envelope(VIEWER, kind, payload)
        self._stage._ids = own
        await self._got("tried: an id that is taken", "POST", "/v1/acts", encode(taken))
        await self._got("tried: of another", "POST", "/v1/acts", encode(other_s(taken)))
        for body in (b"{", b"null", encode(taken)[:-2], b'{"payload":""}'):
            await self._got("tried: no act", "POST", "/v1/acts", body)

    async def _ask_too_much(self) -> None:
        """Let b come to the end of what it may ask."""
        for method, path, body in (
            ("POST", "/v1/acts", b"{}"), ("GET", "/v1/operations", b""), ("GET", "/v1/region", b""),
            ("GET", "/v1/challenge", b""), ("POST", CHECK, b"{}"),
        ):  # fmt: skip
            answer = await self._got("too much", method, path, body)
            while status_of(answer) != 429:
                answer = await self._got("too much", method, path, body)


def plan_of(plan: Plan | None) -> bytes:
    """Return a plan as it is filed, and checked."""
    return encode(acts.FileOperation(operation=filed(plan)))


def other_s(envelope: Envelope) -> Envelope:
    """Return an envelope as if another party had signed it."""
    made = envelope.payload.replace(b'"party":"b"', b'"party":"a"')
    return msgspec.structs.replace(envelope, payload=made)


# --- two of them ------------------------------------------------------------------------------


def received_over_http(seen: Seen, hidden: tuple[Step, ...]) -> list[Got]:
    """Play a world over HTTP, and return all that b gets."""
    while True:
        world = _OverHttp(seen, hidden)
        with _handed_in(world):
            asyncio.run(world.run())
        met = world.met()
        if not met:
            return world.got
        hidden = tuple(each for each in hidden if not {each.operation, each.other} & met)


def difference_over_http(pair: Pair) -> str:
    """Return what b gets otherwise in one world than in the other, empty where it is the same."""
    one = received_over_http(pair.seen, pair.hidden[0])
    other = received_over_http(pair.other or pair.seen, pair.hidden[1])
    for number, (ours, theirs) in enumerate(zip(one, other, strict=False)):
        if ours != theirs:
            return f"{number}: {ours.what}\n{ours.data!r}\n{theirs.what}\n{theirs.data!r}"
    return "" if len(one) == len(other) else f"{len(one)} or {len(other)} answers"


@contextmanager
def _handed_in(world: _OverHttp) -> Iterator[None]:
    """Hand in chance, the time of the rates, and how much may be asked."""

    class Chance:
        token_hex = staticmethod(lambda _: world._ids.salt().hex())
        token_urlsafe = staticmethod(lambda _: world._ids.salt().hex())

    class Time:
        monotonic = staticmethod(lambda: 0.0)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sessions, "secrets", Chance)
        patch.setattr(app, "time", Time)
        patch.setattr(app, "document", lambda: DOCUMENT)  # takes long to make, and is the same
        half = len(world._seen.steps) // 2  # then the node begins again, and with it what is taken
        most = {
            "ACTS": MOST_ACTS, "READS": MOST_READS + READS_EACH * half,
            "LOOKS": half + MOST_CALLS, "CALLS": MOST_CALLS, "CHECKS": 2 * half + MOST_CALLS,
        }  # fmt: skip
        for name, number in most.items():
            patch.setattr(app, f"{name}_AT_ONCE", float(number))
        yield
