# SPDX-License-Identifier: Apache-2.0
"""A record kept in one SQLite file: whole lines, numbered, each append whole or not at all.

Layout: table `lines`, number (0 is the header) and line, as in a record's file (`record.files`);
write-ahead log; `synchronous=FULL`, so that what was appended outlasts a power cut. Beside it
`NAME.reach` (`store.reach`): how far the record had come.

1. One process writes. A file `NAME.lock` beside it is held as long as the store is open; a second
   process refuses to start. Where that is not kept (a network folder), the primary key refuses
   what a stale writer appends, as its numbers are taken.
2. An append is one transaction. Where it fails, what stands in the file says what came of it: all
   of the lines (it was done), none (`NotWritten`), or others (somebody else writes: stop).
3. Others may read at any time (`reading`): lines never change, so all up to a number are a copy.
4. A file that has fewer lines than were kept, as its write-ahead log was left behind or an older
   copy took its place, refuses to open: to go on from it would deny what the parties were told.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Final, Self

from keepclear.errors import OperatorError
from keepclear.exchange.ports import NotWritten, TimeSaid
from keepclear.record.encoding import encode
from keepclear.record.files import Header
from keepclear.store.locks import Lock, locked
from keepclear.store.reach import Reached, note_reach, read_reach

APPLICATION_ID: Final = 0x6B_65_65_70  # "keep", as SQLite's file header has it
LAYOUT: Final = 1
BUSY_S: Final = 5.0
PROBE_BYTES: Final = 262_144
AT_ONCE: Final = 1_000  # lines read in one step: a reader holds back the write-ahead log meanwhile


class SQLiteStore:
    """The lines of one record. Written by one thread, that of the exchange that owns it.

    `OperatorError` where the file is none of ours, of another layout, or in use.
    """

    def __init__(self, path: Path, db: sqlite3.Connection, lock: Lock | None) -> None:
        """Take what `create`, `open` and `reading` have made; use those. lock: to write."""
        self._path, self._db, self._lock = path, db, lock
        self._reach = path.with_name(path.name + ".reach")
        self._next = self._count()

    @classmethod
    def create(cls, path: Path, header: Header) -> Self:
        """Make a new file with the header of a record; refuse one that is there."""
        if path.exists():
            raise OperatorError(f"{path}: is there already; open it, or give another name")
        lock = locked(path)
        try:
            db = _connected(path, "rwc")
            db.execute("PRAGMA journal_mode = WAL")
            for each in (
                "BEGIN IMMEDIATE", f"PRAGMA application_id = {APPLICATION_ID}",
                f"PRAGMA user_version = {LAYOUT}",
                "CREATE TABLE lines (number INTEGER PRIMARY KEY, line BLOB NOT NULL)",
            ):  # fmt: skip
                db.execute(each)
            db.execute("INSERT INTO lines VALUES (0, ?)", (encode(header),))
            db.execute("COMMIT")
            path.with_name(path.name + ".reach").touch(mode=0o600)
            return cls(path, db, lock)
        except sqlite3.Error as fault:
            lock.release()
            raise OperatorError(
                f"{path}: cannot be made ({fault}); see that its folder can be written"
            ) from None

    @classmethod
    def open(cls, path: Path) -> Self:
        """Open a file that is there."""
        if not path.is_file():
            raise OperatorError(f"{path}: is not there; start a region with keepclear serve --new")
        lock = locked(path)
        db: sqlite3.Connection | None = None
        try:
            db = _connected(path, "rw")
            _check_layout(path, db)
            opened = cls(path, db, lock)
            opened._check_reach(read_reach(opened._reach))
        except BaseException:
            if db is not None:
                db.close()
            lock.release()
            raise
        return opened

    @classmethod
    def reading(cls, path: Path) -> Self:
        """Open a file to read what was kept so far; another process may write it meanwhile."""
        if not path.is_file():
            raise OperatorError(f"{path}: is not there; give the folder of a region")
        reached = read_reach(path.with_name(path.name + ".reach"))  # first: then there is as much
        db = _connected(path, "rw")
        try:
            _check_layout(path, db)
            opened = cls(path, db, None)
            opened._check_reach(reached)
        except BaseException:
            db.close()
            raise
        return opened

    def _check_reach(self, reached: Reached | None) -> None:
        """Refuse a file that lacks lines which were kept, or has others in their place."""
        if reached is None:
            return
        if reached.lines > self._next:
            raise OperatorError(
                f"{self._path}: has {self._next:,} lines, and {reached.lines:,} were kept: it is "
                f"an older copy, or came without {self._path.name}-wal; bring the whole folder "
                "from where it was served last, or, where that is lost, restore a backup with "
                "keepclear restore (docs/operate.md)"
            )
        if not reached.is_at(self.pick([reached.lines - 1])[0]):
            raise OperatorError(
                f"{self._path}: line {reached.lines - 1:,} is not the one that was kept: it is "
                "another record; bring the whole folder from where it was served last, or, where "
                "that is lost, restore a backup with keepclear restore (docs/operate.md)"
            )

    @property
    def is_ours(self) -> bool:
        """Tell whether nobody else can write: the lock is held."""
        return self._lock is not None

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
        numbered = list(enumerate(lines, self._next))
        try:
            self._db.execute("BEGIN IMMEDIATE")
            self._db.executemany("INSERT INTO lines VALUES (?, ?)", numbered)
            self._db.execute("COMMIT")
        except sqlite3.Error as fault:
            self._see_what_came_of(list(lines), fault)
        self._next += len(lines)
        if lines:
            note_reach(self._reach, self._next, lines[-1])

    def _see_what_came_of(self, lines: list[bytes], fault: sqlite3.Error) -> None:
        """Return where an append that failed was done all the same; say what else it was."""
        try:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            there = self._read(self._next, len(lines) + 1)
        except (sqlite3.Error, OperatorError) as unread:
            raise OperatorError(
                f"{self._path}: could not be written ({fault}), and not read to see ({unread}); "
                "mend the disk, and begin again from what is written"
            ) from fault
        if not there:
            raise NotWritten(
                f"{self._path}: cannot be written ({fault}), and nothing of it was; make room or "
                "let it be written, and send again"
            ) from fault
        if there != lines:
            raise OperatorError(
                f"{self._path}: line {self._next:,} was written by another process; only one may "
                "write: end the other, and begin again from what is written"
            ) from fault

    def lines(self, first: int = 0) -> Iterator[bytes]:
        """Yield all lines as they stand in a file, from a number on; `OperatorError` for a gap."""
        number = first
        while number < self._next:
            some = self._read(number, AT_ONCE)
            yield from some
            number += len(some)

    def pick(self, numbers: Sequence[int]) -> list[bytes]:
        """Return some lines by their numbers; those that lie together are read together."""
        found: list[bytes] = []
        while len(found) < len(numbers):
            first, count = numbers[len(found)], 1
            rest = islice(numbers, len(found) + 1, len(found) + AT_ONCE)
            for number in rest:
                if number != first + count:
                    break
                count += 1
            some = self._read(first, count)
            if len(some) < count:
                raise OperatorError(f"{self._path}: line {first + len(some):,} is not there")
            found += some
        return found

    def _count(self) -> int:
        """Return how many lines there are, none missing before the last."""
        try:
            rows = self._db.execute("SELECT coalesce(max(number) + 1, 0) FROM lines").fetchall()
        except sqlite3.Error as fault:
            raise _unreadable(self._path, fault) from None
        return int(rows[0][0])

    def _read(self, first: int, most: int) -> list[bytes]:
        try:
            rows = self._db.execute(
                "SELECT number, line FROM lines WHERE number >= ? ORDER BY number LIMIT ?",
                (first, most),
            ).fetchall()
        except sqlite3.Error as fault:
            raise _unreadable(self._path, fault) from None
        for expected, (number, _) in enumerate(rows, first):
            if number != expected:
                raise OperatorError(
                    f"{self._path}: line {expected:,} is missing, and {number:,} is there; leave "
                    "the folder as it is, and see docs/operate.md"
                )
        return [line for _, line in rows]

    def probe(self) -> None:
        """See whether lines could be kept: write as much as many take, where no line stands."""
        try:
            self._db.execute("REPLACE INTO lines VALUES (-1, zeroblob(?))", (PROBE_BYTES,))
            self._db.execute("DELETE FROM lines WHERE number = -1")
        except sqlite3.Error as fault:
            raise OperatorError(f"{self._path}: cannot be written ({fault}); make room") from None

    def close(self) -> None:
        """Let go of the file; what was appended is in it."""
        self._db.close()
        if self._lock is not None:
            self._lock.release()


def _connected(path: Path, mode: str) -> sqlite3.Connection:
    """Return a connection that commits where it is told to."""
    try:
        db = sqlite3.connect(
            f"{path.absolute().as_uri()}?mode={mode}", uri=True, timeout=BUSY_S,
            isolation_level=None, check_same_thread=False,
        )  # fmt: skip
        db.execute("PRAGMA synchronous = FULL")
    except sqlite3.OperationalError as fault:
        raise OperatorError(f"{path}: cannot be opened ({fault})") from None
    except sqlite3.DatabaseError as fault:
        raise OperatorError(f"{path}: is no record of keepclear ({fault})") from None
    return db


def _check_layout(path: Path, db: sqlite3.Connection) -> None:
    try:
        [own] = db.execute("PRAGMA application_id").fetchone()
        [layout] = db.execute("PRAGMA user_version").fetchone()
    except sqlite3.Error as fault:
        raise _unreadable(path, fault) from None
    if own != APPLICATION_ID:
        raise OperatorError(f"{path}: is a database, and no record of keepclear; give another file")
    if layout != LAYOUT:
        raise OperatorError(
            f"{path}: has layout {layout}, and this program reads {LAYOUT}; use the release that "
            "has written it"
        )


def _unreadable(path: Path, fault: sqlite3.Error) -> OperatorError:
    return OperatorError(
        f"{path}: cannot be read ({fault}); let it be read if it is locked or the disk fails, else "
        "leave the folder as it is, and see docs/operate.md"
    )
