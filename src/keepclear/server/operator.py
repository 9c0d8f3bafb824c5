# SPDX-License-Identifier: Apache-2.0
"""What the operator reaches, on an address of its own: health, readiness, parties, the clock.

    GET  /health      how the node is, and since when: 200, or 503 where it can neither decide nor
                      hand on to the node that does
    GET  /ready       204 where it decides acts, else 503
    GET  /metrics     what it counts, for Prometheus
    POST /parties     a party's key document: the party is admitted, or its keys change
    POST /exchange-key   let the exchange go on with the key that is prepared in its folder
    POST /cap-key     make a key for CAP documents in its folder, and let the record name it
    POST /clock       accept that the machine's clock was set, or that the database's differs

The four that change something take `Authorization: Bearer TOKEN`, which stands in the region's
folder and can be read by its owner alone.
"""

import hmac
from collections.abc import Callable
from functools import partial
from pathlib import Path

import msgspec
from litestar import Litestar, Response, get, post
from litestar.handlers import HTTPRouteHandler

from keepclear.record.encoding import MOST_BYTES
from keepclear.server.answers import Ask, refused
from keepclear.server.app import envelope_in
from keepclear.server.cap import SetCapKey, enter_cap_key, settle_cap_keys
from keepclear.server.clock import ClockWatch, NodeClock
from keepclear.server.exchange_keys import Changed, enter_next_key, settle_keys
from keepclear.server.jobs import awaited
from keepclear.server.metrics import CONTENT_TYPE
from keepclear.server.sessions import NotSignedIn
from keepclear.server.writer import State, Unavailable, Writer


class HealthSaid(msgspec.Struct, frozen=True, kw_only=True):
    """How a node is. clock_us: by how much clocks differ, 0 where it is not too much.

    signs_with: id of the key that it signs checkpoints with, empty where it has not written yet.
    """

    state: str
    since_us: int
    why: str
    clock_us: int
    now_us: int
    signs_with: str


def operator_app(
    writer: Writer, clock: NodeClock, token: str, watch: ClockWatch | None = None,
    folder: Path = Path(),
) -> Litestar:  # fmt: skip
    """Return the application. watch: over the clocks, where the writer has one. folder: its own."""
    watching = ClockWatch(clock) if watch is None else watch

    def checked(request: Ask) -> None:
        given = request.headers.get("authorization", "").removeprefix("Bearer ")
        if not hmac.compare_digest(given.encode(), token.encode()):
            raise NotSignedIn(
                "authorization", "", "is not the operator's token",
                "show what stands in operator.token of the region's folder",
            )  # fmt: skip

    @get("/health")
    async def health() -> Response[HealthSaid]:
        """Say how the node is."""
        found = writer.health
        said = HealthSaid(
            state=found.state.value, since_us=found.since_us, why=found.why or watching.why(),
            clock_us=watching.differs_us(), now_us=clock.now_us(), signs_with=writer.signs_with,
        )  # fmt: skip
        is_well = found.state in {State.WRITING, State.STANDING_BY}
        return Response(said, status_code=200 if is_well else 503)

    @get("/ready")
    async def ready() -> Response[None]:
        """Say whether acts are decided."""
        return Response(None, status_code=204 if writer.health.state is State.WRITING else 503)

    @get("/metrics")
    async def metrics() -> Response[bytes]:
        """Give what is counted, for Prometheus."""
        return Response(writer.metrics.text(), media_type=CONTENT_TYPE)

    @post("/parties", status_code=204)
    async def admit(request: Ask) -> None:
        """Admit a party, or change its keys: the body is its key document."""
        checked(request)
        if writer.writes_at:
            raise Unavailable(f"{writer.health.why}; admit the party at that one")
        await awaited(writer.admit(await envelope_in(request)))

    @post("/clock", status_code=204)
    async def accept(request: Ask) -> None:
        """Go on with the machine's clock, and with the difference to that of the database."""
        checked(request)
        watching.accept()

    handlers = [
        health, ready, metrics, admit, accept, _changing_key(writer, folder, checked),
        _setting_cap_key(writer, folder, checked),
    ]  # fmt: skip
    return Litestar(
        handlers, exception_handlers={Exception: refused},
        request_max_body_size=MOST_BYTES, openapi_config=None, logging_config=None,
    )  # fmt: skip


def _changing_key(writer: Writer, folder: Path, checked: Callable[[Ask], None]) -> HTTPRouteHandler:
    """Return what lets the exchange go on with another key."""

    @post("/exchange-key", status_code=200)
    async def change_key(request: Ask) -> Changed:
        """Go on with the key that is prepared; say which two keys they are."""
        checked(request)
        if writer.writes_at:
            raise Unavailable(f"{writer.health.why}; change the key at that one")
        done = writer.change_key(
            partial(enter_next_key, folder),
            lambda exchange: settle_keys(folder, exchange.signing),
        )
        return await awaited(done)

    return change_key


def _setting_cap_key(
    writer: Writer, folder: Path, checked: Callable[[Ask], None]
) -> HTTPRouteHandler:
    """Return what lets CAP documents be signed with another key."""

    @post("/cap-key", status_code=200)
    async def set_cap_key(request: Ask) -> SetCapKey:
        """Make a key for CAP documents; say which it is, and in which file."""
        checked(request)
        if writer.writes_at:
            raise Unavailable(f"{writer.health.why}; make the key at that one")
        done = writer.set_cap_key(partial(enter_cap_key, folder), partial(settle_cap_keys, folder))
        return await awaited(done)

    return set_cap_key
