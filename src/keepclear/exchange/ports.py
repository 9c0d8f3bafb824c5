# SPDX-License-Identifier: Apache-2.0
"""What the exchange needs from outside, handed in: ids, time, and a place to keep its record."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple, Protocol

from keepclear.errors import OperatorError


class NotWritten(OperatorError):
    """Lines were not kept, and that is known: a store raises it only where none of them is there.

    What was decided is taken back, and the exchange goes on. Any other fault of a store leaves it
    open whether they are there: the exchange stops, and begins again from what is written.
    """


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


class TimeSaid(NamedTuple):
    """What another clock said: microseconds UTC, when by the monotonic clock, and give or take."""

    us: int
    steady_ns: int
    doubt_us: int


class Store(Protocol):
    """Where the lines of a record are kept, in order; whole or not at all."""

    @property
    def is_ours(self) -> bool:
        """Tell whether nobody else can write now; where not, nothing of it is shown."""
        ...

    @property
    def term(self) -> int:
        """Return the term of the lease by which it is written; 0 where nobody else could write."""
        ...

    @property
    def time_said(self) -> TimeSaid | None:
        """Return what the clock of a database last said; None where there is none."""
        ...

    def append(self, lines: Sequence[bytes]) -> None:
        """Keep lines after those that are there; `NotWritten` where surely none was kept."""
        ...

    def lines(self, first: int = 0) -> Iterable[bytes]:
        """Return all lines as they stand in a file, from a number on; the header is 0."""
        ...

    def pick(self, numbers: Sequence[int]) -> list[bytes]:
        """Return some lines by their numbers, which rise; the header is 0."""
        ...

    def probe(self) -> None:
        """See whether lines could be kept now; `OperatorError` where not."""
        ...

    def close(self) -> None:
        """Let go of what is open."""
        ...
