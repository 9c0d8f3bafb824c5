# SPDX-License-Identifier: Apache-2.0
"""A region moves from its SQLite file into a database: every byte of its record goes along."""

import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import msgspec
import pytest

from keepclear.errors import OperatorError
from keepclear.plans import acts
from keepclear.record.files import Header
from keepclear.record.verification import verify
from keepclear.server.stores import MOVED, RECORD, STORE, StoreFile, move_store, open_store
from keepclear.store.postgresql import PostgreSQLStore
from keepclear.store.sqlite import SQLiteStore
from tests.postgresql_server import Server
from tests.server_plays import Node, circle, serving
from tests.test_stores import HEADER, world


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder whose record has a header and 2,500 lines."""
    made = tmp_path / "east"
    made.mkdir()
    with closing(SQLiteStore.create(made / RECORD, HEADER)) as kept:
        kept.append([world(seq) for seq in range(1, 2_501)])
    return made


def lines_of(folder: Path) -> list[bytes]:
    with closing(open_store(folder)) as kept:
        return list(kept.lines())


def moved(folder: Path, address: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "keepclear.cli", "store", "move", str(folder), "--to", address],
        capture_output=True, text=True, check=False,
    )  # fmt: skip


@pytest.mark.slow
def test_a_region_that_moved_goes_on_and_its_record_is_the_same_byte_for_byte(
    postgresql: Server, tmp_path: Path
) -> None:
    address = postgresql.database()
    with serving(tmp_path / "east") as node:
        client = node.join("north")
        client.act("operations.file/1", acts.FileOperation(operation=circle(0)))
        assert node.end() == 0
        before, shown = lines_of(node.folder), moved(node.folder, address)
        after = lines_of(node.folder)
        node.start()
        client.act("operations.file/1", acts.FileOperation(operation=circle(40)))
        client.close()
        assert node.end() == 0

    assert shown.returncode == 0, shown.stderr
    assert f"moved {len(before):,} lines" in shown.stdout
    assert after == before
    assert verify(after, node.keys).is_proven
    assert lines_of(node.folder)[: len(before)] == before
    assert verify(lines_of(node.folder), node.keys).is_proven
    with closing(sqlite3.connect(node.folder / MOVED)) as db:
        assert db.execute("SELECT count(*) FROM lines").fetchone() == (len(before),)
    assert not (node.folder / RECORD).exists()


def test_what_was_cut_off_goes_on_where_it_was(postgresql: Server, folder: Path) -> None:
    before, address = lines_of(folder), postgresql.database()
    with closing(PostgreSQLStore.create(address, HEADER)) as kept:
        kept.append(before[1:1_700])

    assert move_store(folder, address) == len(before)
    assert lines_of(folder) == before


def test_what_is_not_a_copy_of_it_is_left_alone_and_nothing_moves(
    postgresql: Server, folder: Path
) -> None:
    before, address = lines_of(folder), postgresql.database()
    with closing(PostgreSQLStore.create(address, HEADER)) as kept:
        kept.append([world(1), world(7)])

    with pytest.raises(OperatorError, match="line 2 of its record and of the region"):
        move_store(folder, address)

    assert lines_of(folder) == before
    assert (folder / RECORD).exists()
    with closing(PostgreSQLStore.open(address, HEADER.region)) as kept:
        assert len(list(kept.lines())) == 3


def test_a_region_that_went_on_in_the_database_is_not_written_over(
    postgresql: Server, folder: Path
) -> None:
    address = postgresql.database()
    with closing(PostgreSQLStore.create(address, HEADER)) as kept:
        kept.append([*lines_of(folder)[1:], world(2_501)])

    with pytest.raises(OperatorError, match="line 2,501 of its record and of the region"):
        move_store(folder, address)


def test_what_has_moved_does_not_move_again(postgresql: Server, folder: Path) -> None:
    move_store(folder, postgresql.database())

    with pytest.raises(OperatorError, match=r"its record is in postgresql://.* already"):
        move_store(folder, postgresql.database())


def test_while_it_is_served_it_does_not_move(postgresql: Server, folder: Path) -> None:
    with (
        closing(SQLiteStore.open(folder / RECORD)),
        pytest.raises(OperatorError, match="is in use by another process"),
    ):
        move_store(folder, postgresql.database())


@pytest.mark.parametrize("text", ["", "{}", '{"format":"keepclear-store/2"}'])
def test_a_file_that_does_not_say_where_the_record_is_refuses_to_start(
    folder: Path, text: str
) -> None:
    (folder / STORE).write_text(text, encoding="utf-8")

    with pytest.raises(OperatorError, match="does not say where the record is"):
        open_store(folder)


def started(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "keepclear.cli", "serve", str(folder), "--new", "--region", "east",
         "--house", "5 NM / 1000 ft", *words],
        capture_output=True, text=True, check=False, env={**os.environ, "COLUMNS": "100"},
    )  # fmt: skip


@pytest.mark.slow
def test_a_region_that_cannot_be_begun_leaves_nothing_behind(
    postgresql: Server, tmp_path: Path
) -> None:
    """A wrong address, and one with a password; then the folder is as empty as before."""
    secret = postgresql.address("none").replace("keepclear@", "keepclear:hunter2@")

    for address, why in (
        (postgresql.address("none"), "cannot be reached"), (secret, "has a password in it"),
    ):  # fmt: skip
        done = started(tmp_path / "east", "--store", address)
        assert done.returncode == 2
        assert why in done.stderr
        assert "hunter2" not in done.stderr + done.stdout
        assert not any((tmp_path / "east").iterdir())


@pytest.mark.slow
def test_the_folder_names_the_database_and_its_region(postgresql: Server, tmp_path: Path) -> None:
    address = postgresql.database()
    with serving(tmp_path / "east", store=address) as node:
        named = msgspec.json.decode((node.folder / STORE).read_bytes(), type=StoreFile)
        assert node.end() == 0

    assert (named.address, named.region) == (address, "exercise-east")
    header = msgspec.json.decode(lines_of(node.folder)[0], type=Header)
    assert header.region == "exercise-east"
    again = Node(tmp_path / "second")
    with pytest.raises(AssertionError, match="is there already"):
        again.start(
            "--new", "--region", "exercise-east", "--house", "5 NM / 1000 ft", "--store", address
        )
    assert again.end() == 2
