# SPDX-License-Identifier: Apache-2.0
"""What the operator reaches, on an address of its own: health, readiness, parties, the clock.

    GET  /health      how the node is, and since when: 200, or 503 where it can neither decide nor
                      hand on to the node that does
    GET  /ready       204 where it decides acts, else 503
    GET  /metrics     what it counts, for Prometheus
    POST /parties     a party's key document: the party is admitted, or its keys change
    POST /clock       accept that the machine's clock was set

The two that change something take `Authorization: Bearer TOKEN`, which stands in the region's
folder and can be read by its owner alone.
"""

import hmac
from asyncio import wrap_future

import msgspec
from litestar import Litestar, Response, get, post

from keepclear.record.encoding import MOST_BYTES
from keepclear.server.answers import Ask, refused
from keepclear.server.app import envelope_in
from keepclear.server.clock import MOST_US, NodeClock
from keepclear.server.metrics import CONTENT_TYPE
from keepclear.server.sessions import NotSignedIn
from keepclear.server.writer import State, Unavailable, Writer


class HealthSaid(msgspec.Struct, frozen=True, kw_only=True):
    """How a node is. clock_us: by how much the machine's clock was set, 0 where it was not."""

    state: str
    since_us: int
    why: str
    clock_us: int
    now_us: int


def operator_app(writer: Writer, clock: NodeClock, token: str) -> Litestar:
    """Return the application."""

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
        found, off_us = writer.health, clock.differs_us()
        why = found.why
        if off_us:
            why = why or (
                f"the machine's clock is off by {off_us / 1e6:+.1f} s, above {MOST_US / 1e6:g} s; "
                "set it right, or accept it: POST /clock here, with the operator's token"
            )
        said = HealthSaid(
            state=found.state.value, since_us=found.since_us, why=why, clock_us=off_us,
            now_us=clock.now_us(),
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
        await wrap_future(writer.admit(await envelope_in(request)))

    @post("/clock", status_code=204)
    async def accept(request: Ask) -> None:
        """Go on with the machine's clock."""
        checked(request)
        clock.accept()

    return Litestar(
        [health, ready, metrics, admit, accept], exception_handlers={Exception: refused},
        request_max_body_size=MOST_BYTES, openapi_config=None, logging_config=None,
    )  # fmt: skip
