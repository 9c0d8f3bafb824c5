# SPDX-License-Identifier: Apache-2.0
"""The origins of checkpoints: which tree of which record a note is about.

keepclear/<region>/<incarnation>/<audience>   a tree
keepclear/<region>/<incarnation>/beat/        a beat over all of them; no party can be called so
keepclear/<region>/<incarnation>/order/       the order of the entries, within a beat's digest

>>> read_origin("keepclear/east/2/north,south").incarnation
2
>>> read_origin("keepclear/east/02/north,south") is None
True
"""

from typing import Final, NamedTuple

from keepclear.record.entries import is_audience

LONGEST_NUMBER: Final = 10
# What the trees and digests of a record are called where people read of them: no party is.
NO_PARTY: Final = frozenset({"all", "beat", "order"})


class Origin(NamedTuple):
    """Which tree a checkpoint is of."""

    region: str
    incarnation: int
    audience: str


def origin_of(region: str, incarnation: int, audience: str) -> str:
    """Return the origin of the checkpoints of one tree."""
    return f"keepclear/{region}/{incarnation}/{audience}"


def beat_origin(region: str, incarnation: int) -> str:
    """Return the origin of the beats of a record."""
    return f"keepclear/{region}/{incarnation}/beat/"


def order_origin(region: str, incarnation: int) -> str:
    """Return the origin of the order of a record's entries, which is no tree."""
    return f"keepclear/{region}/{incarnation}/order/"


def read_origin(origin: str) -> Origin | None:
    """Return which tree an origin names; None where it is of none, or written in a second way."""
    parts = origin.split("/", 3)
    if len(parts) != 4 or parts[0] != "keepclear" or not is_audience(parts[3]):
        return None
    number = parts[2]
    if not (number.isascii() and number.isdigit()) or len(number) > LONGEST_NUMBER:
        return None
    found = Origin(parts[1], int(number), parts[3])
    return found if origin_of(*found) == origin and found.incarnation else None
