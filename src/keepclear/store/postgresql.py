# SPDX-License-Identifier: Apache-2.0
"""A record kept in PostgreSQL 14 or newer: whole lines, numbered, each append whole or not at all.

Layout: table `keepclear_lines` (`migrations`), of region, number (0 is the header) and line, as in
a record's file (`record.files`). One database may hold several regions.

1. The primary key refuses what a stale writer appends, as its numbers are taken.
2. An append is one statement, and one transaction; very many lines are several statements in one.
3. Where the connection is lost meanwhile the same lines are appended again: they wait for what may
   still be under way with the same numbers, and then it is known. Refused as taken, they are
   compared with what is there: the same (it was done), or others (somebody else writes: stop).
4. SQL is plain: no arrays, no special indexes, no locks but those of rows.
"""

from collections.abc import Iterator, Sequence
from itertools import chain
from os import urandom
from typing import Final, Self

import msgspec

from keepclear.errors import OperatorError
from keepclear.exchange.ports import NotWritten
from keepclear.record.encoding import encode
from keepclear.record.files import AnyLine, Header
from keepclear.store.database import (
    ConnectionLost,
    Database,
    KeyTaken,
    Statement,
    StatementRefused,
)
from keepclear.store.migrations import has_layout, migrate

PROBE_BYTES: Final = 262_144
AT_ONCE: Final = 1_000  # lines read in one step
IN_STATEMENT: Final = 10_000  # lines; three values each, of which a statement may have 65,535
NUMBER: Final = "SELECT coalesce(max(number) + 1, 0) FROM keepclear_lines WHERE region = %s"
READ: Final = """
SELECT number, line FROM keepclear_lines
WHERE region = %s AND number >= %s ORDER BY number LIMIT %s
"""

PICK: Final = """
SELECT number, line FROM keepclear_lines WHERE region = %s AND number IN ({}) ORDER BY number
"""


class PostgreSQLStore:
    """The lines of one region's record. Used by one thread, that of the exchange that owns it.

    `OperatorError` where the database cannot be reached, has another layout, or not this region.
    """

    def __init__(self, db: Database, region: str) -> None:
        """Take what `create` and `open` have made; use those."""
        self._db, self._region = db, region
        self._place = f"{db.address}, region {region}"
        self._next: int = db.run(NUMBER, (region,))[0][0]

    @classmethod
    def create(cls, address: str, header: Header) -> Self:
        """Begin a region with the header of its record; refuse one that is there."""
        db = Database(address)
        try:
            migrate(db, is_new=True)
            store = cls(db, header.region)
            store._check_new()
            store.append([encode(header)])
        except BaseException:
            db.close()
            raise
        return store

    @classmethod
    def open(cls, address: str, region: str) -> Self:
        """Open a region that is there."""
        db = Database(address)
        try:
            migrate(db, is_new=False)
            store = cls(db, region)
            store._check_header()
        except BaseException:
            db.close()
            raise
        return store

    @classmethod
    def holds(cls, address: str, region: str) -> bool:
        """Tell whether a database has a record of a region."""
        db = Database(address)
        try:
            return has_layout(db) and db.run(NUMBER, (region,)) != [(0,)]
        finally:
            db.close()

    def _check_new(self) -> None:
        if self._next:
            raise OperatorError(
                f"{self._place}: is there already; serve the folder that belongs to it, or give "
                "the region another name"
            )

    def _check_header(self) -> None:
        if not self._next:
            raise OperatorError(
                f"{self._place}: is not there; give the database in which it was started, or start "
                "it with keepclear serve --new"
            )
        [line] = self._read(0, 1)
        try:
            header = msgspec.json.decode(line, type=AnyLine)
        except msgspec.DecodeError:
            header = None
        if not isinstance(header, Header) or header.region != self._region:
            raise OperatorError(
                f"{self._place}: line 0 is not the header of this region; restore a backup"
            )

    def append(self, lines: Sequence[bytes]) -> None:
        """Keep lines after those that are there."""
        try:
            self._insert(lines)
        except KeyTaken as fault:
            self._compare(lines, fault)
        except StatementRefused as fault:
            raise NotWritten(
                f"{self._place}: cannot be written ({fault}), and nothing of it was; make room or "
                "let it be written, and send again"
            ) from fault
        except ConnectionLost as fault:
            self._insert_again(lines, fault)
        self._next += len(lines)

    def _insert(self, lines: Sequence[bytes]) -> None:
        self._db.run_together([
            self._inserting(first, lines[first : first + IN_STATEMENT])
            for first in range(0, len(lines), IN_STATEMENT)
        ])  # fmt: skip

    def _inserting(self, first: int, lines: Sequence[bytes]) -> Statement:
        """Return what inserts lines. first: how many of the same append stand before them."""
        rows = ", ".join(["(%s, %s, %b)"] * len(lines))
        values = (
            (self._region, number, line) for number, line in enumerate(lines, self._next + first)
        )
        return f"INSERT INTO keepclear_lines VALUES {rows}", tuple(chain.from_iterable(values))  # noqa: S608 rows are places for values

    def _insert_again(self, lines: Sequence[bytes], lost: ConnectionLost) -> None:
        """Append over another connection what may have been appended over the one that was lost."""
        try:
            self._db.reopen()
            self._insert(lines)
        except KeyTaken as fault:
            self._compare(lines, fault)
        except (StatementRefused, ConnectionLost) as fault:
            raise OperatorError(
                f"{self._place}: could not be written ({lost}), and it was not seen what came of "
                f"it ({fault}); let the database answer, and begin again from what is written"
            ) from fault

    def _compare(self, lines: Sequence[bytes], fault: KeyTaken) -> None:
        """Return where lines that are there already are those; say whose they are if not."""
        if self._read(self._next, len(lines) + 1) != list(lines):
            raise OperatorError(
                f"{self._place}: line {self._next:,} was written by another process; only one may "
                "write: end the other, and begin again from what is written"
            ) from fault

    def lines(self) -> Iterator[bytes]:
        """Yield all lines as they stand in a file, the header first; `OperatorError` for a gap."""
        number = 0
        while number < self._next:
            some = self._read(number, AT_ONCE)
            yield from some
            number += len(some)

    def pick(self, numbers: Sequence[int]) -> list[bytes]:
        """Return some lines by their numbers."""
        found: list[bytes] = []
        for start in range(0, len(numbers), AT_ONCE):
            some = numbers[start : start + AT_ONCE]
            places = ", ".join(["%s"] * len(some))
            rows = self._db.run(PICK.format(places), (self._region, *some))
            self._check_there(some, [number for number, _ in rows])
            found += [line for _, line in rows]
        return found

    def _read(self, first: int, most: int) -> list[bytes]:
        rows = self._db.run(READ, (self._region, first, most))
        self._check_there(range(first, first + len(rows)), [number for number, _ in rows])
        return [line for _, line in rows]

    def _check_there(self, wanted: Sequence[int], there: Sequence[int]) -> None:
        for place, number in enumerate(wanted):
            if place >= len(there) or there[place] != number:
                raise OperatorError(
                    f"{self._place}: line {number:,} is missing; restore a backup of the database"
                )

    def probe(self) -> None:
        """See whether lines could be kept: write as much as many take, where no line stands."""
        try:
            self._db.run(
                "INSERT INTO keepclear_lines VALUES (%s, -1, %b) ON CONFLICT DO NOTHING",
                (self._region, urandom(PROBE_BYTES)),
            )
            self._db.run(
                "DELETE FROM keepclear_lines WHERE region = %s AND number = -1", (self._region,)
            )
        except StatementRefused as fault:
            raise OperatorError(f"{self._place}: cannot be written ({fault}); make room") from None

    def close(self) -> None:
        """Let go of the database; what was appended is in it."""
        self._db.close()
