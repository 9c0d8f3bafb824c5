# SPDX-License-Identifier: Apache-2.0
"""What an exchange answers, as a client reads it (`server/app.py`, `server/feed.py`)."""

from collections.abc import Iterator
from typing import NamedTuple, TypeVar

import msgspec

from keepclear.record.faults import NotProven
from keepclear.record.receipts import Receipt

Value = TypeVar("Value")


class Event(NamedTuple):
    """What a stream has sent: that it is "open", or "alive"; a "snapshot"; or a "step".

    data: of a step, the lines that the party's file gains by it, as a JSON array.
    """

    kind: str
    step: int
    data: bytes


class RegionSaid(msgspec.Struct):
    """Which region this is, and the exchange's time."""

    region: str
    incarnation: int
    exchange: str
    now_us: int


class Token(msgspec.Struct):
    """What to show from now on."""

    token: str


class Challenge(msgspec.Struct):
    """What to sign in with."""

    challenge: str


class Answered(msgspec.Struct):
    """What came of an act."""

    receipts: tuple[Receipt, ...]


class FaultSaid(msgspec.Struct):
    """Why something was refused."""

    error: str


def events(lines: Iterator[str]) -> Iterator[Event]:
    """Yield the events in the lines of a stream (WHATWG HTML, section 9.2.6).

    `NotProven` for a step that is no number.
    """
    kind, step = "", 0
    for line in lines:
        name, _, value = line.partition(": ")
        if name == "event":
            kind = value
        elif name == "id":
            step = read(value.encode(), int)
        elif name == "data":
            yield Event(kind, step, value.encode())
        elif line.startswith(":"):
            yield Event("alive", step, b"")


def read(data: bytes, kind: type[Value]) -> Value:
    """Return what an answer is; `NotProven` where it is none of an exchange."""
    try:
        return msgspec.json.decode(data, type=kind)
    except (msgspec.DecodeError, RecursionError, ValueError) as fault:
        raise NotProven(
            "answer", data[:60], f"is not what was asked for ({fault})",
            "see that this is the exchange's address, and that both are of one release",
        ) from None  # fmt: skip
