# SPDX-License-Identifier: Apache-2.0
"""What a node is sent and answers with, beside what stands in the record; and why it refuses."""

import logging
from math import ceil
from typing import Any, Final

import msgspec
from litestar import Request, Response
from litestar.exceptions import HTTPException
from litestar.exceptions.http_exceptions import RequestEntityTooLarge
from litestar.types import Receive

from keepclear.errors import CallerError, KeepclearError
from keepclear.record.encoding import MOST_BYTES, encode
from keepclear.record.faults import Malformed, NotProven
from keepclear.record.receipts import Receipt
from keepclear.server.feed import TooMany
from keepclear.server.rates import TooOften
from keepclear.server.sessions import NotSignedIn
from keepclear.server.writer import NOT_KNOWN

JSON: Final = "application/json"
LOG: Final = logging.getLogger("keepclear.server")
Ask = Request[Any, Any, Any]


class CutOff(Exception):
    """A request ended before it was whole: whoever sent it is gone, and nothing of it is done."""


class RegionSaid(msgspec.Struct, frozen=True, kw_only=True):
    """Where this is: what an act's header names, and the exchange's time."""

    region: str
    incarnation: int
    exchange: str
    now_us: int


class Challenge(msgspec.Struct, frozen=True, kw_only=True):
    """What to sign in with, within a minute."""

    challenge: str


class Token(msgspec.Struct, frozen=True, kw_only=True):
    """What to show from now on, and until when; token is empty where a cookie has it."""

    token: str
    party: str
    post: str
    until_us: int


class Answered(msgspec.Struct, frozen=True, kw_only=True):
    """A receipt of each part of the record that the sender may see of what an act has led to."""

    receipts: tuple[Receipt, ...]


class StepsSaid(msgspec.Struct, frozen=True, kw_only=True):
    """What a party's file gains by steps of its own.

    last: number of the last of them. header: of the file, where they begin with the first, else
    nothing. lines: of each step. notes: the checkpoint of each of its trees after the last, where
    no more follow.
    """

    last: int
    header: tuple[msgspec.Raw, ...]
    lines: tuple[tuple[msgspec.Raw, ...], ...]
    notes: tuple[str, ...]


class Fault(msgspec.Struct, frozen=True, kw_only=True):
    """Why something was not done."""

    error: str


async def body_of(receive: Receive) -> bytes:
    """Return what was sent, up to a little more than may be; `CutOff` where the end is missing."""
    body = b""
    while len(body) <= MOST_BYTES:
        message: Any = await receive()
        if message["type"] == "http.disconnect":
            raise CutOff
        body += message.get("body", b"")
        if not message.get("more_body", False):
            break
    return body


class Body:
    """The body of a request, read when it is asked for, and once."""

    def __init__(self, request: Ask, receive: Receive) -> None:
        self._request, self._receive = request, receive
        self._data: bytes | None = None

    async def read(self) -> bytes:
        """Return it; `RequestEntityTooLarge`, also where it is but announced to be; `CutOff`."""
        if self._data is None:
            if (self._request.content_length or 0) > MOST_BYTES:
                raise RequestEntityTooLarge
            data = await body_of(self._receive)
            if len(data) > MOST_BYTES:
                raise RequestEntityTooLarge
            self._data = data
        return self._data


def refused(_: Ask, fault: Exception) -> Response[bytes]:
    """Return why something was not done, without what is none of the caller's."""
    headers: dict[str, str] = {}
    status, why = 500, f"{NOT_KNOWN}; this is a fault of ours, and the operator is told"
    match fault:
        case HTTPException():
            status, why = fault.status_code, fault.detail
        case NotSignedIn():
            status, why = 401, str(fault)
        case NotProven():
            status, why = 403, str(fault)
        case Malformed():
            status, why = 400, str(fault)
        case TooOften():
            status, why = 429, str(fault)
            headers["Retry-After"] = str(ceil(fault.after_s))
        case TooMany():
            status, why = 429, str(fault)
        case CallerError():
            status, why = 409, str(fault)
        case KeepclearError():
            status, why = 503, str(fault)
        case _:
            LOG.error("a fault of ours", exc_info=fault)
    return Response(encode(Fault(error=why)), status_code=status, media_type=JSON, headers=headers)
