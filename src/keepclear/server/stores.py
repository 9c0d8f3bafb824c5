# SPDX-License-Identifier: Apache-2.0
"""Where a region's record is: in SQLite in its folder, or in a database that its folder names.

`store.json` in the folder names the database and the region in it; without it the record is in
`record.db`. A password stands in neither (`store.database`).
"""

import os
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

import msgspec

from keepclear.errors import OperatorError
from keepclear.exchange.ports import Store
from keepclear.record.encoding import Signed, encode
from keepclear.record.files import Header
from keepclear.store.nodes import Node
from keepclear.store.sqlite import SQLiteStore

if TYPE_CHECKING:
    from keepclear.store.postgresql import PostgreSQLStore

RECORD: Final = "record.db"
MOVED: Final = "record.moved.db"
STORE: Final = "store.json"
MOVING: Final = Node("store move", "")
AT_ONCE: Final = 1_000  # lines copied with one append


class StoreFile(Signed, frozen=True, kw_only=True):
    """Where a region's record is kept, as a file."""

    format: Literal["keepclear-store/1"] = "keepclear-store/1"
    address: str
    region: str


def is_begun(folder: Path) -> bool:
    """Tell whether a folder is a region's."""
    return any((folder / each).exists() for each in (RECORD, STORE))


def is_in_database(folder: Path) -> bool:
    """Tell whether the record of a region is in a database, which several nodes may serve."""
    return (folder / STORE).exists()


def create_store(folder: Path, header: Header, address: str | None, node: Node) -> Store:
    """Begin a record with its header: in the folder, or in the database at an address."""
    if address is None:
        return SQLiteStore.create(folder / RECORD, header)
    store = _postgresql().create(address, header, node)
    _write(folder, StoreFile(address=address, region=header.region))
    return store


def open_store(folder: Path, node: Node | None = None) -> Store:
    """Open the record of a region. node: that writes it, where a database decides who may."""
    named = _read(folder)
    if named is None:
        return SQLiteStore.open(folder / RECORD)
    return _postgresql().open(named.address, named.region, node)


def read_store(folder: Path) -> Store:
    """Open the record of a region to read what was kept so far; others may write it meanwhile."""
    named = _read(folder)
    if named is None:
        return SQLiteStore.reading(folder / RECORD)
    return _postgresql().open(named.address, named.region)


def move_store(folder: Path, address: str) -> int:
    """Copy a region's record into a database, and let its folder name that; return how many lines.

    Nobody may serve it meanwhile. What was copied is read again and compared byte for byte before
    the folder names it. Cut off at any time it goes on where it was, or the region is still where
    it was. The file stays, under another name.
    """
    if (named := _read(folder)) is not None:
        raise OperatorError(f"{folder}: its record is in {named.address} already")
    old = SQLiteStore.open(folder / RECORD)
    try:
        header = msgspec.json.decode(old.pick([0])[0], type=Header)
        new = _begun(address, header)
        try:
            _copy(old, new, there=_same(old, new, folder))
            count = _same(old, new, folder)
        finally:
            new.close()
        _write(folder, StoreFile(address=address, region=header.region))
    finally:
        old.close()
    (folder / RECORD).rename(folder / MOVED)
    return count


def _begun(address: str, header: Header) -> "PostgreSQLStore":
    """Return the region's store in a database: new, or as an earlier try has left it."""
    stores = _postgresql()
    if stores.holds(address, header.region):
        return stores.open(address, header.region, MOVING)
    return stores.create(address, header, MOVING)


def _copy(old: Store, new: Store, there: int) -> None:
    """Append what is not there yet. there: how many lines are."""
    waiting: list[bytes] = []
    for number, line in enumerate(old.lines()):
        if number < there:
            continue
        waiting.append(line)
        if len(waiting) == AT_ONCE:
            new.append(waiting)
            waiting = []
    if waiting:
        new.append(waiting)


def _same(old: Store, new: Store, folder: Path) -> int:
    """Return how many lines the new store has, all of them as in the old one."""
    count = 0
    for number, (line, copied) in enumerate(zip_longest(old.lines(), new.lines())):
        if copied is None:
            break
        if copied != line:
            raise OperatorError(
                f"{folder}: line {number:,} of its record and of the region of this name in the "
                "database differ, so nothing was moved; give another database, or find out which "
                "of the two goes on"
            )
        count += 1
    return count


def _postgresql() -> type["PostgreSQLStore"]:
    try:
        from keepclear.store.postgresql import PostgreSQLStore
    except ModuleNotFoundError:
        raise OperatorError(
            "psycopg: not installed, and a record in PostgreSQL needs it; "
            "pip install 'keepclear[postgres]'"
        ) from None
    return PostgreSQLStore


def _read(folder: Path) -> StoreFile | None:
    """Return what the folder names; None where its record is in it."""
    path = folder / STORE
    try:
        return msgspec.json.decode(path.read_bytes(), type=StoreFile)
    except FileNotFoundError:
        return None
    except (OSError, msgspec.DecodeError) as fault:
        raise OperatorError(
            f"{path}: does not say where the record is ({fault}); bring it from a "
            "copy of the folder"
        ) from None


def _write(folder: Path, named: StoreFile) -> None:
    """Write the file whole or not at all."""
    made = folder / f"{STORE}.new"
    with made.open("wb") as file:
        file.write(encode(named) + b"\n")
        file.flush()
        os.fsync(file.fileno())
    made.replace(folder / STORE)
