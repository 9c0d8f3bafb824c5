# SPDX-License-Identifier: Apache-2.0
"""The order of everything: entries, each with the hash of the one before, and their parts.

Layout, as JSON in its one form (`encoding`):

    entry   region, incarnation, seq, previous (SHA-256 of the entry before), at_us, leaves
    leaf    audience, salt (32 bytes), part
    part    kind, at_us, data

`kind` is a type with its version; `data` is the part's own JSON (an act's envelope, an event,
a notice). A leaf is what one audience sees: `leaf_of` hashes salt and part, so that who does
not hold the salt can guess nothing from the hash.

1. The order, its numbers and hashes never leave the operator and its auditors: they would tell
   each side how busy the other is. A part carries its time and nothing else of its entry.
2. Each part is in exactly one audience's tree, and each reader of a tree can open every leaf.
3. Time never runs backwards.
"""

from collections.abc import Iterable
from functools import lru_cache
from hashlib import sha256
from typing import Annotated, Final, NamedTuple

import msgspec

from keepclear.record.encoding import Signed, encode
from keepclear.record.faults import Malformed
from keepclear.record.headers import Bytes32, Kind, Name, TimeUs, is_name

EVERYBODY: Final = "*"
START: Final = bytes(32)


class Part(Signed, frozen=True, kw_only=True):
    """One thing that happened: see the module."""

    kind: Kind
    at_us: TimeUs
    data: msgspec.Raw


class Leaf(Signed, frozen=True, kw_only=True):
    """A part, for whom it is, and its salt. audience: party ids joined by commas, or "*"."""

    audience: str
    salt: Bytes32
    part: msgspec.Raw

    def __post_init__(self) -> None:
        """Refuse an audience that is written in a second way."""
        if not is_audience(self.audience):
            raise ValueError(f"audience {self.audience!r} is no list of parties in order")


class Placed(NamedTuple):
    """A leaf, and its place in the tree of its audience, from 0."""

    place: int
    leaf: Leaf


class Entry(Signed, frozen=True, kw_only=True):
    """What happened at one instant, all of it decided together."""

    region: Name
    incarnation: Annotated[int, msgspec.Meta(ge=1, lt=2**31)]
    seq: Annotated[int, msgspec.Meta(ge=0, lt=2**62)]
    previous: Bytes32
    at_us: TimeUs
    leaves: tuple[Leaf, ...]


class Chain(NamedTuple):
    """Where a record stands: the next number, the hash of the last entry, its time."""

    seq: int = 0
    previous: bytes = START
    at_us: int = 0


def audience_of(parties: Iterable[str]) -> str:
    """Return the audience that some parties are."""
    return ",".join(sorted(set(parties)))


@lru_cache(maxsize=1_024)
def is_audience(text: str) -> bool:
    """Tell whether a text is an audience in its one form: party ids in order, or everybody."""
    names = text.split(",")
    return text == EVERYBODY or (
        names == sorted(set(names)) and all(is_name(name) for name in names)
    )


def leaf_of(salt: bytes, part: bytes) -> bytes:
    """Return the hash of a leaf: SHA-256(0x00, SHA-256(salt, part))."""
    return sha256(b"\x00" + sha256(salt + part).digest()).digest()


def part_leaf(audience: str, salt: bytes, part: Part) -> Leaf:
    """Return a part as a leaf."""
    return Leaf(audience=audience, salt=salt, part=msgspec.Raw(encode(part)))


def after(chain: Chain, entry: Entry, data: bytes) -> Chain:
    """Return where the record stands after an entry; `Malformed` where it does not follow.

    data: the entry as bytes.
    """
    if entry.seq != chain.seq:
        raise Malformed(
            "entry.seq", entry.seq, f"is not {chain.seq}, which comes next",
            "get the range again: one was dropped, added or moved",
        )  # fmt: skip
    if entry.previous != chain.previous:
        raise Malformed(
            "entry.previous", entry.previous.hex()[:16],
            f"is not the hash of the entry before, {chain.previous.hex()[:16]}",
            "get the range again: an entry before this one was changed",
        )  # fmt: skip
    if entry.at_us < chain.at_us:
        raise Malformed(
            "entry.at_us", entry.at_us, f"is before the entry before, {chain.at_us}",
            "get the range again: time does not run backwards",
        )  # fmt: skip
    return Chain(entry.seq + 1, sha256(data).digest(), entry.at_us)
