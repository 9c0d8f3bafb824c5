# SPDX-License-Identifier: Apache-2.0
"""A record kept in PostgreSQL 14 or newer: whole lines, numbered, each append whole or not at all.

Layout: table `keepclear_lines` (`migrations`), of region, number (0 is the header) and line, as in
a record's file (`record.files`). One database may hold several regions.

1. One node writes, for the term of its lease (`leases`). An append looks in its own transaction
   whether that term holds, and holds up whoever would take the next. The primary key refuses it
   beside that, where its numbers are taken.
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
from keepclear.exchange.ports import NotWritten, TimeSaid
from keepclear.record.encoding import encode
from keepclear.record.files import AnyLine, Header
from keepclear.store.database import (
    ConnectionLost,
    Database,
    KeyTaken,
    Statement,
    StatementRefused,
)
from keepclear.store.leases import Lease
from keepclear.store.migrations import has_layout, migrate
from keepclear.store.nodes import ALONE, Fenced, Node

PROBE_BYTES: Final = 262_144
AT_ONCE: Final = 1_000  # lines read in one step
IN_STATEMENT: Final = 10_000  # lines; two values each, of which a statement may have 65,535
INSERT: Final = """
INSERT INTO keepclear_lines (region, number, line)
SELECT held.region, added.number, added.line
FROM (
    SELECT region FROM keepclear_leases
    WHERE region = %s AND term = %s AND until > clock_timestamp() FOR SHARE
) AS held
CROSS JOIN (VALUES (%s::bigint, %b::bytea){}) AS added (number, line)
"""
BEGIN_LEASE: Final = "INSERT INTO keepclear_leases VALUES (%s, 0, '', '', clock_timestamp())"
BEGIN_LINES: Final = "INSERT INTO keepclear_lines VALUES (%s, 0, %b)"
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

    def __init__(self, db: Database, region: str, lease: Lease | None) -> None:
        """Take what `create` and `open` have made; use those."""
        self._db, self._region, self._lease = db, region, lease
        self._place = f"{db.address}, region {region}"
        self._next = 0
        self._look_again()

    @classmethod
    def create(cls, address: str, header: Header, node: Node = ALONE) -> Self:
        """Begin a region with the header of its record, and write it; refuse one that is there."""
        db = Database(address)
        try:
            migrate(db, is_new=True)
            store = cls(db, header.region, None)
            store._begin(header)
        finally:
            db.close()
        return cls.open(address, header.region, node)

    @classmethod
    def open(cls, address: str, region: str, node: Node | None = None) -> Self:
        """Open a region that is there: as the node that writes it, or without one to read.

        `WrittenByOther` where another node has its lease.
        """
        db = Database(address)
        lease = None if node is None else Lease(address, region, node)
        try:
            migrate(db, is_new=False)
            store = cls(db, region, lease)
            store._check_header()
            if lease is not None:
                lease.take(db)
                store._look_again()
        except BaseException:
            if lease is not None:
                lease.give_back(db)
            db.close()
            raise
        return store

    def _look_again(self) -> None:
        """See how far the record goes now."""
        self._next = self._db.run(NUMBER, (self._region,))[0][0]

    def _begin(self, header: Header) -> None:
        self._check_new()
        try:
            self._db.change_together([
                (BEGIN_LEASE, (self._region,)), (BEGIN_LINES, (self._region, encode(header))),
            ])  # fmt: skip
        except KeyTaken:
            self._next = 1
            self._check_new()

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
                f"{self._place}: line 0 is not the header of this region; leave the database as "
                "it is, and see docs/operate.md"
            )

    @property
    def term(self) -> int:
        """Return the term of the lease by which it is written; 0 without one."""
        return 0 if self._lease is None else self._lease.term

    @property
    def time_said(self) -> TimeSaid | None:
        """Return what the clock of the database last said."""
        return None if self._lease is None else self._lease.said

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

    @property
    def is_ours(self) -> bool:
        """Tell whether no other node can write now."""
        return self._lease is not None and self._lease.holds

    def _insert(self, lines: Sequence[bytes]) -> None:
        statements = [
            self._inserting(first, lines[first : first + IN_STATEMENT])
            for first in range(0, len(lines), IN_STATEMENT)
        ]
        kept = self._db.change_together(statements, least=len(lines))
        if kept < len(lines):
            raise Fenced(
                f"{self._place}: its lease has ended, so nothing is written; another node may "
                "write, or this one once it has the lease again"
            )

    def _inserting(self, first: int, lines: Sequence[bytes]) -> Statement:
        """Return what inserts lines. first: how many of the same append stand before them."""
        term = -1 if self._lease is None else self.term
        values = chain.from_iterable(enumerate(lines, self._next + first))
        rows = ", (%s, %b)" * (len(lines) - 1)
        return INSERT.format(rows), (self._region, term, *values)

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

    def lines(self, first: int = 0) -> Iterator[bytes]:
        """Yield all lines as they stand in a file, from a number on; `OperatorError` for a gap."""
        if self._lease is None:
            self._look_again()  # another node may have written more
        number = first
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
                    f"{self._place}: line {number:,} is missing; leave the database as it is, and "
                    "see docs/operate.md"
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
        """Let go of the database and the lease; what was appended is in it."""
        if self._lease is not None:
            self._lease.give_back(self._db)
        self._db.close()
