# SPDX-License-Identifier: Apache-2.0
"""How a database comes to the layout that this program reads: numbered steps, each once, in order.

Layout: files `NNNN_name.sql` beside this one, of portable SQL; table `keepclear_migrations` holds
the numbers of those that were done.

1. A step and its number are one transaction: it is done whole or not at all.
2. Two nodes may begin at the same time: one does the step, and the other finds it done.
3. What has a newer step than is known here is not touched.
"""

from importlib.resources import files
from typing import Final

from keepclear.errors import OperatorError
from keepclear.store.database import Database, KeyTaken, StatementRefused

TABLE: Final = "CREATE TABLE IF NOT EXISTS keepclear_migrations (number integer PRIMARY KEY)"
THERE: Final = """
SELECT count(*) FROM information_schema.tables
WHERE table_schema = current_schema() AND table_name = 'keepclear_migrations'
"""


def migrate(db: Database, *, is_new: bool) -> None:
    """Do the steps that were not done yet.

    is_new: whether the database may be without any. `OperatorError` where it is so although it may
    not be, or has a newer step than this program knows.
    """
    there = has_layout(db)
    if not is_new and not there:
        raise OperatorError(
            f"{db.address}: holds no record of keepclear; give the database in which the region "
            "was started"
        )
    if not there:
        _make_table(db)
    steps, done = _shipped(), _done(db)
    _check_known(db, max(done, default=0), max(steps))
    for number in sorted(steps.keys() - done):
        _do(db, number, steps[number])


def has_layout(db: Database) -> bool:
    """Tell whether a database has tables of ours."""
    return db.run(THERE) != [(0,)]


def _make_table(db: Database) -> None:
    try:
        db.run(TABLE)
    except StatementRefused:  # in whichever words, where another node makes it at this moment
        if not has_layout(db):
            raise


def _do(db: Database, number: int, statements: str) -> None:
    try:
        db.change_together([
            ("INSERT INTO keepclear_migrations VALUES (%s)", (number,)), (statements, ()),
        ])  # fmt: skip
    except KeyTaken:
        if number not in _done(db):  # else another node has done it meanwhile
            raise


def _check_known(db: Database, found: int, newest: int) -> None:
    if found > newest:
        raise OperatorError(
            f"{db.address}: has layout {found}, and this program reads {newest}; use the release "
            "that has written it, or a newer one"
        )


def _done(db: Database) -> set[int]:
    return {number for (number,) in db.run("SELECT number FROM keepclear_migrations")}


def _shipped() -> dict[int, str]:
    """Return the steps that ship, by number."""
    return {
        int(each.name[:4]): each.read_text(encoding="utf-8")
        for each in files("keepclear.store.migrations").iterdir()
        if each.name.endswith(".sql")
    }
