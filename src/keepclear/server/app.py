# SPDX-License-Identifier: Apache-2.0
"""What parties reach over HTTP: signing in, acts, their part of the record, how conflicts stand.

Bodies are the values of the record in their one form (`record.encoding`). What is refused is
answered as `{"error": ...}` in words that name the value, the limit and the way out.

    GET  /v1/region                region, incarnation, exchange, time
    GET  /v1/challenge             what to sign in with
    POST /v1/sessions              an act of kind session.open/1, or session.carry/1 (a slip),
                                   signed by a post: a token; with ?cookie=true as a cookie
                                   (`cookies`)
    DELETE /v1/sessions            end the session: its token holds no more, and its streams end
    POST /v1/acts                  an act: receipts of all that its sender may see of what came
    POST /v1/late-acts             receipts from before a restored backup, that of an act first
    GET  /v1/record?after=N        the party's file, from a step of its own on, as JSON Lines
    GET  /v1/steps?after=N         the same as steps, with the checkpoints that prove them
    GET  /v1/operations            its operations
    GET  /v1/conflicts             how its conflicts stand
    GET  /v1/messages              the messages it has sent or received
    GET  /v1/cap?message=ID        a message of it as a signed document of CAP 1.2
    GET  /v1/lines                 how its lines stand that are checked
    GET  /v1/line-checks           the checks of them
    GET  /v1/shifts                the shifts of its posts
    GET  /v1/calls                 the voice calls it has had with others
    GET  /v1/stops                 the STOPs and SAR cases it has sent
    GET  /v1/keep-outs             where its operations must keep out
    GET  /v1/answers-for?force=F   what all answers cover, and who answers for a force
    POST /v1/check?status=S        what a plan would meet of what its party knows; enters nothing
    GET  /v1/stream                what is new, as it happens (`feed`)
    GET  /v1/proofs?audience=A&from=M&to=N   that a tree goes on from what it was
    GET  /schema/openapi.json      all of this as OpenAPI (`schema`)

All but the first three and the last take `Authorization: Bearer TOKEN`, or the cookie; an act of
distress is taken without either, by its signature, and is held up by no rate of its party. An
unknown id, an invisible one and another party's give the same answer.
"""

import time
from asyncio import Lock, to_thread
from collections import defaultdict
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Annotated, Any, Final, cast

import msgspec
from litestar import Litestar, Request, Response, asgi, delete, get, post
from litestar.enums import HttpMethod
from litestar.exceptions import MethodNotAllowedException
from litestar.handlers import ASGIRouteHandler, HTTPRouteHandler
from litestar.params import QueryParameter
from litestar.response import Stream
from litestar.types import Receive, Scope, Send

from keepclear.errors import CallerError, InputError
from keepclear.exchange import coverage
from keepclear.exchange.checking import Asked, Checked, checked
from keepclear.exchange.coverage import AnswersFor
from keepclear.exchange.exchange import Exchange
from keepclear.exchange.reads import Reads
from keepclear.exchange.views import Disclosed, Notice
from keepclear.line.calls import Call
from keepclear.line.checks import Check, CheckedLine
from keepclear.line.messages import Message
from keepclear.line.shifts import Shift
from keepclear.line.stops import KeepOut
from keepclear.plans.acts import FileOperation
from keepclear.plans.operations import Operation
from keepclear.plans.stops import Stop
from keepclear.record.encoding import MOST_BYTES, decode, encode
from keepclear.record.envelopes import Envelope
from keepclear.record.faults import NotProven
from keepclear.record.headers import Status, read_act
from keepclear.record.key_documents import Appointed, Keyring
from keepclear.record.signers import OF_DISTRESS, deed_of
from keepclear.record.signing_in import SIGN_IN, SLIP, CarrySession
from keepclear.server.answers import (
    JSON,
    Answered,
    Ask,
    Body,
    Challenge,
    CutOff,
    RegionSaid,
    StepsSaid,
    Token,
    refused,
)
from keepclear.server.cap import MEDIA, CapDocuments
from keepclear.server.cookies import (
    check_same_origin,
    cookie_with,
    cookies_without,
    token_in_cookie,
)
from keepclear.server.feed import Feed
from keepclear.server.jobs import awaited
from keepclear.server.rates import Rates, TooOften
from keepclear.server.schema import EVENTS, LINES, document
from keepclear.server.sessions import (
    LAST_US,
    NotSignedIn,
    Session,
    Sessions,
    read_challenge,
    signers_of,
)
from keepclear.server.writer import Writer

STEPS_AT_ONCE: Final = 200  # the writer reads them, and decides nothing meanwhile
MOST_AUDIENCE: Final = 1_000
MOST_DIGITS: Final = 18
MOST_FORCE: Final = 200  # characters, as of words of an agreement
MOST_ID: Final = 32
ACTS_A_SECOND, ACTS_AT_ONCE = 500.0, 2_000.0  # of one party
READS_A_SECOND, READS_AT_ONCE = 1_000.0, 4_000.0  # of one party; an act is proven by some
LOOKS_A_SECOND, LOOKS_AT_ONCE = 100.0, 1_000.0  # of one address, at the region
CHECKS_A_SECOND, CHECKS_AT_ONCE = 5.0, 50.0  # of one party
CALLS_A_SECOND, CALLS_AT_ONCE = 20.0, 200.0  # of one address, to sign in


class Public:
    """The handlers, with what they need. now_us: the exchange's time; cap: signs documents."""

    def __init__(
        self, writer: Writer, now_us: Callable[[], int], cap: CapDocuments | None = None
    ) -> None:
        self._writer, self._now_us, self._sessions = writer, now_us, Sessions()
        self._cap = CapDocuments(None) if cap is None else cap
        self._acts = Rates("acts", ACTS_A_SECOND, ACTS_AT_ONCE)
        self._reads = Rates("reads", READS_A_SECOND, READS_AT_ONCE)
        self._checks = Rates("checks", CHECKS_A_SECOND, CHECKS_AT_ONCE)
        self._checking: defaultdict[str, Lock] = defaultdict(Lock)
        self._looks = Rates("looks at the region", LOOKS_A_SECOND, LOOKS_AT_ONCE)
        self._calls = Rates("calls to sign in", CALLS_A_SECOND, CALLS_AT_ONCE)
        self._unsigned = Rates("acts without a token", CALLS_A_SECOND, CALLS_AT_ONCE)
        self._tries = Rates("tries to sign in", CALLS_A_SECOND, CALLS_AT_ONCE)
        self.feed = Feed()

    def app(self) -> Litestar:
        """Return the application."""
        return Litestar(
            [
                *self._signing_in(), *self._acting(), *self._reading(), *self._standing(),
                *self._telling(),
            ],
            exception_handlers={Exception: refused},
            request_max_body_size=MOST_BYTES, logging_config=None,
            openapi_config=None,
        )  # fmt: skip

    def _signing_in(self) -> list[HTTPRouteHandler]:
        """Return what says where this is, and signs in and out."""

        @get("/v1/region")
        async def region(request: Ask) -> RegionSaid:
            """Say which region this is, and the exchange's time."""
            self._looks.take(_address_of(request), time.monotonic())
            found = await self._read(lambda exchange: exchange.region)
            return RegionSaid(
                region=found.name, incarnation=found.incarnation, exchange=found.exchange,
                now_us=self._now_us(),
            )  # fmt: skip

        @get("/v1/challenge")
        async def challenge(request: Ask) -> Challenge:
            """Give what to sign in with."""
            self._calls.take(_address_of(request), time.monotonic())
            return Challenge(challenge=self._sessions.challenge(self._now_us()))

        @post("/v1/sessions")
        async def sign_in(
            request: Ask, *, cookie: Annotated[bool, QueryParameter()] = False
        ) -> Response[Token]:
            """Sign in: the body is session.open/1 with the challenge, or session.carry/1."""
            self._tries.take(_address_of(request), time.monotonic())
            if not cookie:
                return Response(await self._sign_in(await envelope_in(request)))
            check_same_origin(request)
            made = await self._sign_in(await envelope_in(request))
            kept = [cookie_with(made.token, request)]
            return Response(msgspec.structs.replace(made, token=""), cookies=kept)

        @delete("/v1/sessions", status_code=204)
        async def sign_out(request: Ask) -> Response[None]:
            """End the session; who holds its token as a cookie is told to forget that."""
            if "authorization" in request.headers:
                self._end(self._session(request))
                return Response(None)
            check_same_origin(request)
            with suppress(NotSignedIn):  # a node that has begun again knows no token
                self._end(self._session(request))
            return Response(None, cookies=cookies_without(request))

        schema = encode(document())

        @get("/schema/openapi.json")
        async def said() -> Response[bytes]:
            """Give what there is to ask, as OpenAPI."""
            return Response(schema, media_type="application/vnd.oai.openapi+json")

        return [region, challenge, sign_in, sign_out, said]

    def _acting(self) -> list[ASGIRouteHandler | HTTPRouteHandler]:
        """Return what acts."""

        @asgi("/v1/acts", copy_scope=False)
        async def acts(scope: Scope, receive: Receive, send: Send) -> None:
            """Decide an act: the body is its envelope.

            It is read and answered here: values in and out take Litestar as long as all the rest.
            """
            request: Ask = Request(scope, receive, send)
            status, data = 204, b""
            head = [(b"allow", b"OPTIONS, POST")]
            if request.method == HttpMethod.POST:
                try:
                    data = encode(await self._act(request, Body(request, receive)))
                except CutOff:
                    return
                status = 200
                head = [(b"content-type", JSON.encode()), (b"content-length", b"%d" % len(data))]
            elif request.method != HttpMethod.OPTIONS:
                raise MethodNotAllowedException
            await send({"type": "http.response.start", "status": status, "headers": head})
            await send({"type": "http.response.body", "body": data, "more_body": False})

        @post("/v1/late-acts", status_code=200)
        async def late_acts(request: Ask) -> Answered:
            """Enter a late act: the body is what was answered to it before the backup."""
            session = self._session(request)
            if "authorization" not in request.headers:
                check_same_origin(request)
            self._acts.take(session.party, time.monotonic())
            handed = decode(await request.body(), Answered, "receipts")
            done = self._writer.hand_in(handed.receipts, session.party, self._check(session))
            answered = await self._for(session, awaited(done))
            return Answered(receipts=_of(session, answered))

        return [acts, late_acts]

    def _reading(self) -> list[HTTPRouteHandler]:
        """Return what shows a party what it may see."""

        @get("/v1/record")
        async def record(
            request: Ask, after: Annotated[int, QueryParameter(ge=0, lt=2**62)] = 0
        ) -> Response[bytes]:
            """Give the party's file from a step on; with 0 its header stands first."""
            session = self._reader(request)
            seen = await self._read_as(
                session, lambda exchange: exchange.reads.steps(session.party, after, STEPS_AT_ONCE)
            )
            lines = [line for step in _of(session, seen).lines for line in step]
            if not after:
                header = await self._read_as(
                    session, lambda exchange: exchange.reads.header(session.party)
                )
                lines[:0] = _of(session, header).lines[0]
            return Response(
                b"".join(line + b"\n" for line in lines), media_type=LINES,
                headers={"Keepclear-Step": str(_of(session, seen).last)},
            )  # fmt: skip

        @get("/v1/steps")
        async def steps(
            request: Ask, after: Annotated[int, QueryParameter(ge=0, lt=2**62)] = 0
        ) -> StepsSaid:
            """Give the party's steps from one on, and at their end what proves all of them."""
            session = self._reader(request)
            seen = _of(session, await self._read_as(
                session,
                lambda exchange: exchange.reads.proven_steps(session.party, after, STEPS_AT_ONCE),
            ))  # fmt: skip
            header: tuple[bytes, ...] = ()
            if not after:
                found = await self._read_as(
                    session, lambda exchange: exchange.reads.header(session.party)
                )
                header = _of(session, found).lines[0]
            return StepsSaid(
                last=seen.last, header=tuple(map(msgspec.Raw, header)), notes=seen.notes,
                lines=tuple(tuple(map(msgspec.Raw, each)) for each in seen.lines),
            )  # fmt: skip

        @get("/v1/proofs")
        async def proofs(
            request: Ask,
            audience: Annotated[str, QueryParameter(max_length=MOST_AUDIENCE)],
            first: Annotated[int, QueryParameter(name="from", ge=0, lt=2**62)],
            second: Annotated[int, QueryParameter(name="to", ge=0, lt=2**62)],
        ) -> list[bytes]:
            """Prove that the first leaves of a tree are those of it when it was smaller."""
            session = self._reader(request)
            found = await self._read_as(
                session,
                lambda exchange: exchange.reads.proof(session.party, audience, first, second),
            )
            return list(_of(session, found))

        @get("/v1/stream")
        async def stream(request: Ask) -> Stream:
            """Send what is new, as it happens; `Last-Event-ID` goes on from there."""
            session = self._reader(request)
            after = _last_event(request.headers.get("last-event-id"))

            # refused before it begins, where there is nothing to follow or nobody who may
            await self._read_as(
                session, lambda exchange: exchange.reads.steps(session.party, after or 0, 0)
            )
            self.feed.check_room(session.party)

            def holds(keys: Keyring) -> None:
                self._holds(session, keys)

            return Stream(
                self.feed.follow(session.party, after, self._read, holds),
                media_type=EVENTS, headers={"Cache-Control": "no-store"},
            )  # fmt: skip

        return [record, steps, proofs, stream]

    def _standing(self) -> list[HTTPRouteHandler]:
        """Return what shows a party how its operations, conflicts, messages and lines stand."""

        @get("/v1/operations")
        async def operations(request: Ask) -> list[Operation]:
            """Give the party's own operations."""
            return await self._listed(request, Reads.operations)

        @get("/v1/conflicts")
        async def conflicts(request: Ask) -> list[Notice]:
            """Give the latest notice of each of the party's conflicts."""
            return await self._listed(request, Reads.conflicts)

        @get("/v1/messages")
        async def messages(request: Ask) -> list[Message]:
            """Give the messages that the party has sent or received, as they stand."""
            return await self._listed(request, Reads.messages)

        @get("/v1/lines")
        async def lines(request: Ask) -> list[CheckedLine]:
            """Give how the party's lines stand that are checked, each in its direction."""
            return await self._listed(request, Reads.lines_checked)

        @get("/v1/line-checks")
        async def line_checks(request: Ask) -> list[Check]:
            """Give the checks of the party's lines, as they stand."""
            return await self._listed(request, Reads.line_checks)

        @get("/v1/shifts")
        async def shifts(request: Ask) -> list[Shift]:
            """Give the shifts of the party's own posts."""
            return await self._listed(request, Reads.shifts)

        @get("/v1/calls")
        async def calls(request: Ask) -> list[Call]:
            """Give the voice calls that the party has had with others, as they stand."""
            return await self._listed(request, Reads.calls)

        @get("/v1/stops")
        async def stops(request: Ask) -> list[Stop]:
            """Give the STOPs and SAR cases that the party has sent, as they stand."""
            return await self._listed(request, Reads.stops)

        @get("/v1/keep-outs")
        async def keep_outs(request: Ask) -> list[KeepOut]:
            """Give where the party's operations must keep out for STOPs and SAR cases of others."""
            return await self._listed(request, Reads.keep_outs)

        return [
            operations, conflicts, messages, lines, line_checks, shifts, calls, stops, keep_outs,
        ]  # fmt: skip

    def _telling(self) -> list[HTTPRouteHandler]:
        """Return what tells a party what it could meet, and what is not known here."""

        @get("/v1/answers-for")
        async def answers_for(
            request: Ask, force: Annotated[str, QueryParameter(max_length=MOST_FORCE)] = ""
        ) -> AnswersFor:
            """Say what answers cover now, and who answers for a force."""
            session = self._checker(request)
            async with self._checking[session.party]:
                found = await self._read_as(
                    session, lambda exchange: exchange.reads.to_tell(session.party)
                )
                made = await to_thread(coverage.answers_for, found, force, self._now_us())
                return cast("AnswersFor", _of(session, made))

        @post("/v1/check", status_code=200)
        async def check(
            request: Ask, status: Annotated[Status, QueryParameter()],
            instead_of: Annotated[str, QueryParameter(max_length=MOST_ID)] = "",
        ) -> Checked:  # fmt: skip
            """Compare a plan with what its party knows: the body is what would be filed."""
            session = self._checker(request)
            payload = decode(await request.body(), FileOperation, "plan")
            asked = Asked(payload.operation, status, instead_of)
            async with self._checking[session.party]:  # one at a time takes no more than a thread
                while await self._read_as(
                    session, lambda exchange: exchange.reads.catch_up(session.party, STEPS_AT_ONCE)
                ):
                    pass
                found = await self._read_as(
                    session, lambda exchange: exchange.to_check(session.party, asked)
                )
                return cast("Checked", _of(session, await to_thread(checked, found)))

        @get("/v1/cap")
        async def cap(
            request: Ask, message: Annotated[str, QueryParameter(max_length=MOST_ID)]
        ) -> Response[bytes]:
            """Give a message of the party as a signed document of CAP, where it may leave."""
            session = self._checker(request)
            async with self._checking[session.party]:
                leaving, key, name = await self._read_as(session, lambda exchange: (
                    exchange.reads.leaving(session.party, message), exchange.reads.cap_key(),
                    exchange.region.exchange,
                ))  # fmt: skip
                made = await to_thread(self._cap.made, _of(session, leaving), name, key)
            return Response(made, media_type=MEDIA)

        return [answers_for, check, cap]

    async def _act(self, request: Ask, body: Body) -> Answered:
        """Decide an act of who is signed in, or of one in distress. body: its envelope."""
        try:
            session = self._session(request)
            if "authorization" not in request.headers:
                check_same_origin(request)
            self._acts.take(session.party, time.monotonic())
            envelope = decode(await body.read(), Envelope, "envelope")
            done = self._writer.submit(envelope, session.party, self._check(session))
            answered = await self._for(session, awaited(done))
        except (NotSignedIn, TooOften):
            distress = distress_in(await body.read())
            if distress is None:
                raise
            return await self._distress(request, distress)
        return Answered(receipts=_of(session, answered))

    async def _distress(self, request: Ask, envelope: Envelope) -> Answered:
        """Decide an act of distress of who is not signed in, or sends more than is taken.

        Its signature says whose it is, and the answer holds what that party and the other see.
        """
        self._unsigned.take(_address_of(request), time.monotonic())
        act = read_act(envelope)
        answered = await awaited(self._writer.submit(envelope, act.party))
        return Answered(receipts=answered.value)

    async def _listed(
        self, request: Ask, ask: Callable[[Reads, str], Disclosed[tuple[Any, ...]]]
    ) -> list[Any]:
        """Return what there is of something, for the party that asks."""
        session = self._reader(request)
        found = await self._read_as(session, lambda exchange: ask(exchange.reads, session.party))
        return list(_of(session, found))

    async def _read(self, ask: Callable[[Exchange], Any]) -> Any:  # noqa: ANN401 as asked
        return await awaited(self._writer.read(ask))

    async def _read_as(self, session: Session, ask: Callable[[Exchange], Any]) -> Any:  # noqa: ANN401 as asked
        """Read for who holds a token, where it holds still."""
        self._sessions.find(session.token)  # who has signed out meanwhile is shown nothing more
        check = self._check(session)

        def checked(exchange: Exchange) -> Any:  # noqa: ANN401 as asked
            check(exchange)
            return ask(exchange)

        return await self._for(session, self._read(checked))

    async def _for(self, session: Session, asked: Awaitable[Any]) -> Any:  # noqa: ANN401 as asked
        """Return what was asked by who holds a token; forget one that holds no more."""
        try:
            return await asked
        except NotSignedIn:
            self._end(session)
            raise

    def _end(self, session: Session) -> None:
        """Let a token hold no more, and let go who follows with it."""
        self._sessions.end(session)
        self.feed.look_again(session.party)

    def _holds(self, session: Session, keys: Keyring) -> None:
        """Refuse a session that holds no more, and forget it. keys: as they are now."""
        self._sessions.find(session.token)  # who has signed out meanwhile is shown nothing more
        try:
            session.check(keys, self._now_us())
        except NotSignedIn:
            self._end(session)
            raise

    def _check(self, session: Session) -> Callable[[Exchange], None]:
        return lambda exchange: session.check(exchange.keys, self._now_us())

    def _reader(self, request: Ask) -> Session:
        """Return who reads, where it may read more now."""
        session = self._session(request)
        self._reads.take(session.party, time.monotonic())
        return session

    def _checker(self, request: Ask) -> Session:
        """Return who asks for what takes longer, where it may ask more now."""
        session = self._session(request)
        self._checks.take(session.party, time.monotonic())
        return session

    def _session(self, request: Ask) -> Session:
        """Return who holds the token that was sent, or, where none was, the cookie."""
        given = request.headers.get("authorization")
        if given is None:
            return self._sessions.find(token_in_cookie(request))
        kind, _, token = given.partition(" ")
        if kind.lower() != "bearer":
            raise NotSignedIn("authorization", kind[:16], "is no bearer token", "sign in first")
        return self._sessions.find(token)

    async def _sign_in(self, envelope: Envelope) -> Token:
        """Return a token for the post that has signed a challenge of ours, or a slip."""
        act = read_act(envelope)
        if act.kind not in {SIGN_IN, SLIP}:
            raise NotProven("act.kind", act.kind, f"is not {SIGN_IN}", "sign in with that")
        if act.kind == SIGN_IN:
            self._sessions.use(read_challenge(act.payload), self._now_us())
        else:
            decode(bytes(act.payload), CarrySession, "act.payload")

        def checked(exchange: Exchange) -> tuple[Appointed, ...]:
            exchange.check(envelope)
            return signers_of(envelope, act.party, exchange.keys)

        signers = await self._read(checked)
        until_us = act.expires_us if act.kind == SLIP else LAST_US
        made = self._sessions.open(act.party, act.post, signers, self._now_us(), until_us)
        return Token(token=made.token, party=act.party, post=act.post, until_us=made.until_us)


def _of(session: Session, found: Disclosed[Any]) -> Any:  # noqa: ANN401 as disclosed
    """Return what was disclosed, to the one for whom it is."""
    if found.party != session.party:
        raise AssertionError("what is disclosed to one party goes to no other")
    return found.value


def _address_of(request: Ask) -> str:
    return "" if request.client is None else request.client.host


def _last_event(text: str | None) -> int | None:
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < MOST_DIGITS):
        raise InputError("Last-Event-ID", text[:MOST_DIGITS], "is no step", "leave it out")
    return int(text)


async def envelope_in(request: Ask) -> Envelope:
    """Return the envelope that the body of a request is."""
    return decode(await request.body(), Envelope, "envelope")


def distress_in(body: bytes) -> Envelope | None:
    """Return the envelope that a body is, where its act is distress; None for everything else."""
    try:
        envelope = decode(body, Envelope, "envelope")
        return envelope if deed_of(read_act(envelope)) in OF_DISTRESS else None
    except CallerError:
        return None
