# SPDX-License-Identifier: Apache-2.0
"""Values to bytes and back, one way only.

What was signed or hashed is bytes, and each value has exactly one form as bytes: JSON without
white space, fields in the order of their type, bytes as base64 with padding. `decode` encodes
again what it read and compares every byte, so a second form of the same value (a duplicate or
unknown key, slack bits in base64, another order, a space) is refused, not read.

    >>> decode(b'{"a":1}', dict[str, int], "note")
    {'a': 1}
    >>> decode(b'{"a": 1}', dict[str, int], "note")
    Traceback (most recent call last):
    keepclear.record.faults.Malformed: note '{"a": 1}': is not in its one form; send what was signed
"""

from functools import cache
from hashlib import sha256
from typing import Any, Final, TypeVar, cast

import msgspec

from keepclear.record.faults import Malformed

Value = TypeVar("Value")

MOST_BYTES: Final = 1_048_576
SHOWN: Final = 60
DEEPEST: Final = 64


class Signed(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, gc=False):
    """What the values of a record are: frozen, and with no field that is not named.

    What is decoded holds nothing that holds it, so it need not be looked at for cycles.
    """


def encode(value: object) -> bytes:
    """Return the one form of a value as bytes."""
    return msgspec.json.encode(value)


def decode(
    data: bytes, kind: type[Value], path: str, most_bytes: int = MOST_BYTES, *,
    is_inner: bool = False,
) -> Value:  # fmt: skip
    """Return the value that bytes are the one form of; `Malformed` where they are of none.

    is_inner: the bytes stood in others that were decoded here, so they are not nested deeper.
    """
    if len(data) > most_bytes:
        raise Malformed(
            path, f"{len(data)} bytes", f"is larger than {most_bytes} bytes", "send less at once"
        )
    if not is_inner and deepest(data) > DEEPEST:
        raise Malformed(path, shown(data), f"is nested deeper than {DEEPEST}", "nest it less")
    try:
        if not data.isascii():
            data.decode()  # what is left raw is not looked at, and would fail where it is read
        value: Value = _decoder(cast("Any", kind)).decode(data)
        again = encode(value)
    except (msgspec.DecodeError, RecursionError, ValueError) as fault:
        raise Malformed(path, shown(data), f"cannot be read ({fault})", "see its type") from None
    if again != data:
        raise Malformed(
            path, shown(data), "is not in its one form", "send what was signed"
        )  # fmt: skip
    return value


@cache
def _decoder(kind: Any) -> Any:  # noqa: ANN401 a union of types is none itself
    return msgspec.json.Decoder(kind)


def deepest(data: bytes) -> int:
    """Return how many brackets are open at once, at most; strings counted in, so never too few."""
    if (opened := data.count(b"[") + data.count(b"{")) <= DEEPEST:
        return opened
    depth = most = 0
    for byte in data.translate(None, OTHERS):
        depth += 1 if byte in b"[{" else -1
        most = max(most, depth)
    return most


OTHERS: Final = bytes(byte for byte in range(256) if byte not in b"[]{}")


def digest(data: bytes) -> bytes:
    """Return the SHA-256 of bytes."""
    return sha256(data).digest()


def shown(data: bytes) -> str:
    """Return the beginning of bytes as text, for a message."""
    text = data[:SHOWN].decode("utf-8", "replace")
    return text if len(data) <= SHOWN else text + "..."
