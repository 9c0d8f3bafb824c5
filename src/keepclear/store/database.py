# SPDX-License-Identifier: Apache-2.0
"""One session with a PostgreSQL server: opened, opened again, and what its faults mean.

Used by one thread at a time. Leaves to others: what is kept, and in which tables.

1. Every wait has an end: for a connection, a statement, a lock, a transaction that stands idle (the
   server ends those), for the network (the kernel does), and for a server that is there and says
   nothing (we do).
2. A statement is a transaction by itself, on the disk before it is answered
   (`synchronous_commit`).
3. A fault says whether the statement was done: `StatementRefused` and `KeyTaken`, surely not;
   `ConnectionLost`, not known.
4. A password stands in no address: it comes from PGPASSWORD or a password file, as libpq has it.
"""

from collections.abc import Sequence
from typing import Any, Final

import psycopg
from psycopg.abc import RV, PQGen
from psycopg.conninfo import conninfo_to_dict
from psycopg.errors import StatementCompletionUnknown, UniqueViolation
from psycopg.pq import TransactionStatus

from keepclear.errors import OperatorError

SCHEMES: Final = ("postgresql://", "postgres://")
CONNECT_S: Final = 3
STATEMENT_S: Final = 5
LOCK_S: Final = 3
IDLE_S: Final = 2  # in a transaction
NETWORK_S: Final = 3
ANSWER_S: Final = 6.0  # above STATEMENT_S, so that a server that can say why does
LOOKS_S: Final = 0.1  # how often psycopg looks for an interrupt meanwhile
SETTINGS: Final = f"""
SET synchronous_commit = on;
SET statement_timeout = '{STATEMENT_S}s';
SET lock_timeout = '{LOCK_S}s';
SET idle_in_transaction_session_timeout = '{IDLE_S}s';
SET default_transaction_isolation = 'read committed'
"""
Statement = tuple[str, Sequence[object]]


class ConnectionLost(OperatorError):
    """The connection is gone; what was asked last may have been done, or may still be."""


class StatementRefused(OperatorError):
    """The server has refused a statement: it was not done."""


class KeyTaken(StatementRefused):
    """A row with this key is there already."""


class _Connection(psycopg.Connection[tuple[Any, ...]]):
    """One that waits for no answer longer than `ANSWER_S`."""

    def wait(
        self, gen: PQGen[RV], interval: float = LOOKS_S, timeout: float | None = ANSWER_S
    ) -> RV:
        """Wait for an answer."""
        return super().wait(gen, interval, timeout)


class Database:
    """A session. address: `postgresql://...` without a password.

    `OperatorError` where the address cannot be used, `ConnectionLost` where nothing answers there.
    """

    def __init__(self, address: str) -> None:
        check_address(address)
        self.address = address
        self._db = self._connected()

    def run(self, statement: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """Run a statement that may be done twice; again where the connection turns out lost."""
        try:
            return self.run_once(statement, values)
        except ConnectionLost:
            self.reopen()
            return self.run_once(statement, values)

    def run_once(self, statement: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """Run a statement, and return its rows."""
        cursor = self._executed(statement, values)
        return [] if cursor.description is None else cursor.fetchall()

    def change(self, statement: str, values: Sequence[object] = ()) -> int:
        """Run a statement, and return how many rows it has made or changed."""
        return self._executed(statement, values).rowcount

    def change_together(self, statements: Sequence[Statement], least: int = 0) -> int:
        """Run statements as one transaction; return how many rows they have made or changed.

        least: where they are fewer, all of them are taken back.
        """
        if len(statements) == 1:
            return self.change(*statements[0])
        self.change("BEGIN")
        try:
            count = sum(self.change(statement, values) for statement, values in statements)
        except StatementRefused:
            self.change("ROLLBACK")
            raise
        self.change("COMMIT" if count >= least else "ROLLBACK")
        return count

    def _executed(
        self, statement: str, values: Sequence[object]
    ) -> psycopg.Cursor[tuple[Any, ...]]:
        try:
            return self._db.execute(statement.encode(), values or None, binary=bool(values))
        except psycopg.Error as fault:
            raise self._meaning(fault) from None

    def reopen(self) -> None:
        """Let go of the connection, and open another."""
        self._db.close()
        self._db = self._connected()

    def close(self) -> None:
        """Let go of the connection."""
        self._db.close()

    def _connected(self) -> _Connection:
        try:
            db = _Connection.connect(
                self.address, autocommit=True, prepare_threshold=None, application_name="keepclear",
                connect_timeout=CONNECT_S, target_session_attrs="read-write",
                keepalives_idle=NETWORK_S, keepalives_interval=1, keepalives_count=NETWORK_S,
                tcp_user_timeout=1_000 * NETWORK_S,
            )  # fmt: skip
            db.execute(SETTINGS.encode())
        except psycopg.Error as fault:
            raise ConnectionLost(
                f"{self.address}: cannot be reached ({_said(fault)}); see that the database runs, "
                "and that its user may log in from here (PGPASSWORD, or a password file)"
            ) from None
        return db

    def _meaning(self, fault: psycopg.Error) -> OperatorError:
        """Return what a fault means: the connection tells whether the server has answered."""
        has_answered = self._db.info.transaction_status not in {
            TransactionStatus.ACTIVE, TransactionStatus.UNKNOWN,
        }  # fmt: skip
        if not has_answered or isinstance(fault, StatementCompletionUnknown):
            self._db.close()
            return ConnectionLost(f"{self.address}: the connection was lost ({_said(fault)})")
        kind = KeyTaken if isinstance(fault, UniqueViolation) else StatementRefused
        return kind(f"{self.address}: has refused ({_said(fault)})")


def check_address(address: str) -> None:
    """Refuse what is no address of a database, or has a password in it; no message has it."""
    try:
        parts = conninfo_to_dict(address) if address.startswith(SCHEMES) else {}
    except psycopg.Error:
        parts = {}
    if not parts:
        raise OperatorError(
            "the address of the database: cannot be read; give postgresql://USER@HOST:PORT/DATABASE"
        )
    if "password" in parts or "sslpassword" in parts:
        raise OperatorError(
            "the address of the database: has a password in it, which others on this machine could "
            "read; leave it out, and set PGPASSWORD, or write it into a password file"
        )


def _said(fault: psycopg.Error) -> str:
    """Return what the server or the library has said first; the rest is of no more help."""
    return (fault.diag.message_primary or str(fault)).strip().partition("\n")[0]
