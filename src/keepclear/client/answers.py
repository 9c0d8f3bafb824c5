# SPDX-License-Identifier: Apache-2.0
"""What an exchange answers, as a client reads it (`server/app.py`, `server/feed.py`)."""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple, TypeVar

import httpx
import msgspec

from keepclear.client.faults import NoAnswer, NotDone
from keepclear.errors import InputError
from keepclear.record.encoding import encode
from keepclear.record.entries import Part
from keepclear.record.envelopes import Envelope
from keepclear.record.faults import BrokenProof, NotProven
from keepclear.record.held import ASK
from keepclear.record.parts import ACT_KIND, LATE_ACT_KIND
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


class ChangedKey(msgspec.Struct):
    """Which key the exchange has signed with until now, and which it signs with from now on."""

    old: str
    new: str


class CapKeySaid(msgspec.Struct):
    """Which key CAP documents are signed with from now on, and its file in the region's folder."""

    id: str
    file: str


class FaultSaid(msgspec.Struct):
    """Why something was refused."""

    error: str


def accepted(answer: httpx.Response) -> httpx.Response:
    """Return an answer that is none of why not; `NotDone`, or `NoAnswer` for a fault of theirs."""
    if answer.is_success:
        return answer
    if answer.is_server_error:
        raise NoAnswer(f"{why(answer)} (HTTP {answer.status_code})")
    raise NotDone(why(answer), answer.status_code)


def why(answer: httpx.Response) -> str:
    """Return why something was refused."""
    try:
        return msgspec.json.decode(answer.content, type=FaultSaid).error
    except msgspec.DecodeError:
        return f"HTTP {answer.status_code} without a reason; is this the exchange's address?"


def connection(url: str, timeout_s: float) -> httpx.Client:
    """Return a connection to an address, not opened yet; `InputError` where it is none."""
    try:
        return httpx.Client(base_url=url, timeout=timeout_s)
    except httpx.InvalidURL as fault:
        raise InputError(
            "exchange", url, f"is no address ({fault})", 'give it as "http://127.0.0.1:8610"'
        ) from None


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


def is_of(part: Part, sent: Envelope | Receipt) -> bool:
    """Tell whether a part is an act that was sent, or a late one that was handed in."""
    kind = ACT_KIND if isinstance(sent, Envelope) else LATE_ACT_KIND
    return part.kind == kind and bytes(part.data) == encode(sent)


def check_whole(
    sent: Envelope | Receipt, parts: Sequence[Part], steps: Iterable[Sequence[Part]]
) -> None:
    """Refuse an answer from which parts of what came of an act were left out."""
    for step in steps:
        if any(is_of(each, sent) for each in step) and len(step) != len(parts):
            raise BrokenProof(
                "receipt", f"{len(parts)} parts", f"of {len(step)} that came of it were in the "
                "answer: some were left out", ASK,
            )  # fmt: skip
