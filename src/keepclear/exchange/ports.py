# SPDX-License-Identifier: Apache-2.0
"""What the exchange needs from outside, handed in: ids, time, and a place to keep its record."""

from typing import Protocol

from keepclear.record.files import AnyLine


class Ids(Protocol):
    """Random ids and salts: nobody can guess one, and none tells anything."""

    def id(self) -> str:
        """Return 32 hexadecimal digits."""
        ...

    def salt(self) -> bytes:
        """Return 32 bytes."""
        ...


class Clock(Protocol):
    """The time; it never runs backwards."""

    def now_us(self) -> int:
        """Return microseconds UTC."""
        ...


class Store(Protocol):
    """Where the lines of a record are kept, in order; whole or not at all."""

    def append(self, lines: list[AnyLine]) -> None:
        """Keep lines after those that are there."""
        ...

    def lines(self) -> list[bytes]:
        """Return all lines as they stand in a file, the header first."""
        ...
