# SPDX-License-Identifier: Apache-2.0
"""One suite for every store: what a record's lines are kept in, and what comes back of them."""

import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from random import Random
from shutil import copyfile, copytree
from typing import Final

import pytest

from keepclear.detect.compiled import plain
from keepclear.errors import OperatorError
from keepclear.exchange.exchange import Exchange
from keepclear.exchange.ports import NotWritten, Store
from keepclear.plays.stage import PlayClock
from keepclear.record.encoding import encode
from keepclear.record.files import BeatLine, Header, WorldLine
from keepclear.store import sqlite
from keepclear.store.memory import MemoryStore
from keepclear.store.nodes import ALONE
from keepclear.store.postgresql import PostgreSQLStore
from keepclear.store.sqlite import SQLiteStore
from tests.exchange_plays import CountedIds
from tests.exchange_twins import kept_of
from tests.test_exchange_agreements import staged
from tests.test_re_checking import file

HEADER: Final = Header(view="archive", region="exercise", incarnation=1, party="", exchange=())
Made = Callable[[Header | None], Store]


def world(seq: int) -> bytes:
    return encode(WorldLine(seq=seq, hash=f"{seq:064x}"))


@pytest.fixture(params=["memory", "sqlite", "postgresql"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Made]:
    """Yield what makes a store with a header, and without one opens the same again."""
    opened: list[Store] = []
    path = tmp_path / "record.db"

    def sqlite(header: Header | None) -> Store:
        return SQLiteStore.open(path) if header is None else SQLiteStore.create(path, header)

    def postgresql(header: Header | None) -> Store:
        if header is None:
            return PostgreSQLStore.open(address, HEADER.region, ALONE)
        return PostgreSQLStore.create(address, header)

    def memory(header: Header | None) -> Store:
        return opened[-1] if header is None else MemoryStore(header)

    def make(header: Header | None) -> Store:
        for each in opened:
            each.close()
        opened.append(makers[request.param](header))
        return opened[-1]

    makers: dict[str, Made] = {"memory": memory, "sqlite": sqlite, "postgresql": postgresql}
    if request.param == "postgresql":
        address = request.getfixturevalue("postgresql").database()
    yield make
    for each in opened:
        each.close()


def test_lines_come_back_as_they_were_kept_in_order(store: Made) -> None:
    kept = store(HEADER)
    kept.append([world(1), world(2)])
    beat = encode(BeatLine(salt=bytes(32), note="a\nb\n"))
    kept.append([beat])

    again = store(None)

    wanted = [encode(HEADER), world(1), world(2), beat]
    assert list(again.lines()) == wanted
    again.append([world(3)])
    assert list(again.lines()) == [*wanted, world(3)]


def test_very_many_lines_come_back_whole(store: Made) -> None:
    kept = store(HEADER)
    kept.append([world(seq) for seq in range(1, 3_001)])

    wanted = [world(seq) for seq in range(1, 3_001)]
    assert list(store(None).lines())[1:] == wanted


def test_lines_are_picked_by_their_numbers(store: Made) -> None:
    kept = store(HEADER)
    kept.append([world(seq) for seq in range(1, 2_500)])

    for numbers in ([], [0], [7, 8, 9, 2_000], [*range(1, 2_400, 2)], [*range(5, 2_450)]):
        wanted = [world(number) if number else encode(HEADER) for number in numbers]
        assert kept.pick(numbers) == wanted


def test_an_exchange_goes_on_from_a_store_as_if_it_had_never_stopped(store: Made) -> None:
    stage = staged()
    for party, place in (("a", 0), ("b", 1), ("a", 2)):
        file(stage, party, place)
    stage.exchange.beat()
    kept = store(stage._header)
    kept.append(stage.lines[1:])

    going_on = Exchange(
        stage._opened, stage._signer, PlayClock(stage.clock.now_us()), CountedIds(), store(None),
        plain(),
    )  # fmt: skip

    assert kept_of(going_on._kept) == kept_of(stage.exchange._kept)
    going_on.beat()
    assert list(store(None).lines())[: len(stage.lines)] == stage.lines


# --- SQLite -----------------------------------------------------------------------------------


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return a file with a header and one line."""
    made = tmp_path / "record.db"
    with closing(SQLiteStore.create(made, HEADER)) as kept:
        kept.append([world(1)])
    return made


def lines_in(path: Path) -> list[bytes]:
    with closing(SQLiteStore.open(path)) as kept:
        return list(kept.lines())


def executed(path: Path, *statements: str) -> None:
    with closing(sqlite3.connect(path)) as db, db:
        for each in statements:
            db.execute(each)


def test_what_is_appended_is_synchronised_with_the_disk_each_time(path: Path) -> None:
    with closing(SQLiteStore.open(path)) as kept:
        asked = [kept._db.execute(f"PRAGMA {each}").fetchone()[0] for each in (
            "journal_mode", "synchronous")]  # fmt: skip

    assert asked == ["wal", 2]  # 2 is FULL, https://sqlite.org/pragma.html#pragma_synchronous


def test_a_second_writer_refuses_to_start(path: Path) -> None:
    with closing(SQLiteStore.open(path)):
        with pytest.raises(OperatorError, match="is in use by another process"):
            SQLiteStore.open(path)
        code = f"from keepclear.store.sqlite import *; SQLiteStore.open(Path({str(path)!r}))"
        done = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=False
        )

    assert done.returncode == 1
    assert "is in use by another process" in done.stderr
    assert len(lines_in(path)) == 2


def test_a_store_that_is_there_is_not_made_anew(path: Path) -> None:
    with pytest.raises(OperatorError, match="is there already"):
        SQLiteStore.create(path, HEADER)
    assert len(lines_in(path)) == 2


@pytest.mark.parametrize(
    ("statement", "why"),
    [
        ("DELETE FROM lines WHERE number = 0", "line 0 is missing"),
        ("UPDATE lines SET number = 5 WHERE number = 1", "line 1 is missing"),
        ("PRAGMA user_version = 2", "has layout 2, and this program reads 1"),
        ("PRAGMA application_id = 7", "is a database, and no record"),
    ],
)
def test_a_file_that_is_not_whole_refuses_to_start(path: Path, statement: str, why: str) -> None:
    executed(path, statement)

    with pytest.raises(OperatorError, match=why):
        lines_in(path)


def test_what_is_no_database_or_not_there_refuses_to_start(tmp_path: Path) -> None:
    other = tmp_path / "notes.txt"
    other.write_text("no database " * 100)

    with pytest.raises(OperatorError, match="is no record of keepclear"):
        SQLiteStore.open(other)
    with pytest.raises(OperatorError, match="is not there; start a region"):
        SQLiteStore.open(tmp_path / "none.db")
    with pytest.raises(OperatorError, match="its folder is not there"):
        SQLiteStore.create(tmp_path / "no" / "folder.db", HEADER)


def test_on_a_full_disk_nothing_is_kept_and_it_goes_on_once_there_is_room(path: Path) -> None:
    with closing(SQLiteStore.open(path)) as kept:
        [pages] = kept._db.execute("PRAGMA page_count").fetchone()
        kept._db.execute(f"PRAGMA max_page_count = {pages}")
        with pytest.raises(NotWritten, match="database or disk is full"):
            kept.append([world(seq) for seq in range(2, 500)])
        with pytest.raises(OperatorError, match="cannot be written"):
            kept.probe()
        kept._db.execute("PRAGMA max_page_count = 1000000")
        kept.probe()
        kept.append([world(2)])

    assert lines_in(path) == [encode(HEADER), world(1), world(2)]


def test_where_nothing_may_be_written_nothing_is_kept(path: Path) -> None:
    with closing(SQLiteStore.open(path)) as kept:
        kept._db.execute("PRAGMA query_only = ON")
        with pytest.raises(NotWritten, match="readonly database"):
            kept.append([world(2)])

    assert len(lines_in(path)) == 2


def test_a_stale_writer_is_fenced_by_the_numbers_of_its_lines(path: Path) -> None:
    with closing(SQLiteStore.open(path)) as kept:
        executed(path, "INSERT INTO lines VALUES (2, x'7b7d')")
        with pytest.raises(OperatorError, match="line 2 was written by another process") as caught:
            kept.append([world(2), world(3)])

    assert not isinstance(caught.value, NotWritten)
    assert len(lines_in(path)) == 3


def test_an_append_that_was_done_although_it_failed_is_done(path: Path) -> None:
    """The commit went through, and the answer was lost."""
    with closing(SQLiteStore.open(path)) as kept:
        with closing(sqlite3.connect(path)) as db, db:
            db.execute("INSERT INTO lines VALUES (2, ?)", (world(2),))
        kept.append([world(2)])
        kept.append([world(3)])

    assert lines_in(path)[2:] == [world(2), world(3)]


WRITER: Final = """
import sys
from pathlib import Path
from keepclear.record.encoding import encode
from keepclear.record.files import WorldLine
from keepclear.store.sqlite import SQLiteStore

store = SQLiteStore.open(Path(sys.argv[1]))
seq = store._next
while True:
    batch = [encode(WorldLine(seq=n, hash=f"{n:064x}")) for n in range(seq, seq + seq % 7 + 1)]
    store.append(batch)
    seq += len(batch)
    print(seq, flush=True)
"""


@pytest.mark.slow
def test_killed_at_any_time_a_store_has_all_that_was_said_to_be_kept_and_whole(path: Path) -> None:
    by = Random(4)
    for _ in range(10):
        with subprocess.Popen([sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE,
                              text=True) as writer:  # fmt: skip
            assert writer.stdout is not None
            said = [writer.stdout.readline() for _ in range(by.randint(1, 40))]
            os.kill(writer.pid, signal.SIGKILL)
            said += writer.stdout.readlines()
        kept = lines_in(path)

        told = int([each for each in said if each.endswith("\n")][-1])
        assert told <= len(kept) <= told + 7  # of what was not said to be kept, whole batches
        assert kept[1:] == [world(n) for n in range(1, len(kept))]


# --- what is not the record any more ----------------------------------------------------------


def test_a_copy_without_its_write_ahead_log_is_not_taken_for_the_record(
    path: Path, tmp_path: Path
) -> None:
    with closing(SQLiteStore.open(path)) as kept:
        kept.append([world(2), world(3)])  # these stand in record.db-wal
        copied = tmp_path / "copy"
        copied.mkdir()
        for name in ("record.db", "record.db.reach"):
            copyfile(path.with_name(name), copied / name)

    with pytest.raises(OperatorError, match=r"has 2 lines, and 4 were kept: .* record.db-wal"):
        SQLiteStore.open(copied / "record.db")
    with pytest.raises(OperatorError, match="has 2 lines"):  # it was let go of
        SQLiteStore.open(copied / "record.db")
    assert len(lines_in(path)) == 4


def test_a_copy_of_all_files_is_the_record(path: Path, tmp_path: Path) -> None:
    with closing(SQLiteStore.open(path)) as kept:
        kept.append([world(2)])
    copytree(path.parent, tmp_path / "copy")

    assert lines_in(tmp_path / "copy" / "record.db") == lines_in(path)


def test_another_record_in_its_place_is_not_taken_for_it(path: Path, tmp_path: Path) -> None:
    with closing(SQLiteStore.create(tmp_path / "other.db", HEADER)) as other:
        other.append([world(7), world(8)])
    copyfile(tmp_path / "other.db", path)

    with pytest.raises(OperatorError, match=r"line 1 is not the one that was kept"):
        SQLiteStore.open(path)


def test_where_it_is_not_known_how_far_it_had_come_the_operator_says_so(path: Path) -> None:
    reach = path.with_name("record.db.reach")
    reach.unlink()
    with pytest.raises(OperatorError, match=r"reach: cannot be read .* this one too"):
        SQLiteStore.open(path)
    reach.write_bytes(b"7\n")
    with pytest.raises(OperatorError, match="has 2 bytes that do not say"):
        SQLiteStore.open(path)

    reach.write_bytes(b"")

    assert len(lines_in(path)) == 2


def test_where_how_far_it_has_come_cannot_be_said_lines_are_kept_all_the_same(path: Path) -> None:
    reach = path.with_name("record.db.reach")
    with closing(SQLiteStore.open(path)) as kept:
        before = reach.read_bytes()
        reach.unlink()
        reach.mkdir()
        kept.append([world(2)])

    reach.rmdir()
    reach.write_bytes(before)  # it is behind
    assert len(lines_in(path)) == 3


@pytest.mark.parametrize("at", [16, 4_096])  # the file's head, and the root of its lines
def test_what_is_damaged_is_told_as_the_operators(path: Path, at: int) -> None:
    data = bytearray(path.read_bytes())
    data[at : at + 400] = b"\xff" * 400
    path.write_bytes(data)

    with pytest.raises(OperatorError, match=r"record.db: (cannot be read|is no record)"):
        lines_in(path)


def test_what_cannot_be_read_any_more_is_told_as_the_operators(path: Path) -> None:
    with closing(SQLiteStore.open(path)) as kept:
        executed(path, "DROP TABLE lines")

        with pytest.raises(OperatorError, match=r"cannot be read \(no such table: lines\)"):
            list(kept.lines())
        with pytest.raises(OperatorError, match=r"cannot be read \(no such table: lines\)"):
            kept.pick([1])
        with pytest.raises(OperatorError, match=r"could not be written .* and not read to see"):
            kept.append([world(2)])
    with pytest.raises(OperatorError, match="cannot be read"):
        SQLiteStore.open(path)


def test_what_another_holds_locked_is_told_as_the_operators(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "BUSY_S", 0.01)
    with closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA locking_mode = EXCLUSIVE")
        db.execute("BEGIN EXCLUSIVE")
        db.execute("INSERT INTO lines VALUES (9, x'')")

        with pytest.raises(OperatorError, match="database is locked"):
            SQLiteStore.open(path)
