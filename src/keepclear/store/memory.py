# SPDX-License-Identifier: Apache-2.0
"""A record kept in memory: for plays, tests and a first look. It is gone with the process."""

from collections.abc import Iterable, Sequence

from keepclear.exchange.ports import TimeSaid
from keepclear.record.encoding import encode
from keepclear.record.files import Header


class MemoryStore:
    """The lines of one record. Written by the exchange that owns it alone."""

    def __init__(self, header: Header) -> None:
        self._lines = [encode(header)]

    @classmethod
    def holding(cls, header: Header, lines: Iterable[bytes]) -> "MemoryStore":
        """Return a store that holds lines already, those after the header."""
        store = cls(header)
        store._lines += lines
        return store

    @property
    def is_ours(self) -> bool:
        """Tell whether nobody else can write: nobody can."""
        return True

    @property
    def term(self) -> int:
        """Return the term of the lease by which it is written; 0 without one."""
        return 0

    @property
    def time_said(self) -> TimeSaid | None:
        """Return None: there is no other clock."""
        return None

    def append(self, lines: Sequence[bytes]) -> None:
        """Keep lines after those that are there."""
        self._lines += lines

    def lines(self, first: int = 0) -> list[bytes]:
        """Return all lines as they stand in a file, from a number on."""
        return self._lines[first:]

    def pick(self, numbers: Sequence[int]) -> list[bytes]:
        """Return some lines by their numbers."""
        return [self._lines[number] for number in numbers]

    def probe(self) -> None:
        """See whether lines could be kept now: always."""

    def close(self) -> None:
        """Let go of nothing."""
