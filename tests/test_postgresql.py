# SPDX-License-Identifier: Apache-2.0
"""A record in PostgreSQL: what a session asks for, who may write, and what a cut leaves known."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from random import Random
from typing import Final

import msgspec
import psycopg
import pytest

from keepclear.errors import OperatorError
from keepclear.exchange.ports import NotWritten
from keepclear.record.encoding import encode
from keepclear.store import database
from keepclear.store import postgresql as storing
from keepclear.store.database import ConnectionLost, check_address
from keepclear.store.nodes import ALONE
from keepclear.store.postgresql import PostgreSQLStore
from tests.postgresql_server import How, Relay, Server
from tests.test_stores import HEADER, world

REGION: Final = HEADER.region
WAIT_S: Final = 10


@pytest.fixture
def address(postgresql: Server) -> str:
    """Return a database with a header and one line."""
    made = postgresql.database()
    with closing(PostgreSQLStore.create(made, HEADER)) as kept:
        kept.append([world(1)])
    return made


@pytest.fixture
def relay(postgresql: Server) -> Iterator[Relay]:
    """Yield what stands before the server and can be cut."""
    with closing(Relay(postgresql)) as made:
        yield made


def lines_in(address: str) -> list[bytes]:
    with closing(PostgreSQLStore.open(address, REGION)) as kept:
        return list(kept.lines())


def inserted(number: int, line: bytes) -> str:
    return f"INSERT INTO keepclear_lines VALUES ('{REGION}', {number}, '\\x{line.hex()}')"


# --- a session --------------------------------------------------------------------------------


def test_a_session_waits_for_the_disk_and_for_nothing_without_an_end(address: str) -> None:
    with closing(PostgreSQLStore.open(address, REGION, ALONE)) as kept:
        asked = {
            each: kept._db.run(f"SHOW {each}")[0][0]
            for each in ("synchronous_commit", "statement_timeout", "lock_timeout",
                         "idle_in_transaction_session_timeout")
        }  # fmt: skip

    assert asked == {
        "synchronous_commit": "on", "statement_timeout": "5s", "lock_timeout": "3s",
        "idle_in_transaction_session_timeout": "2s",
    }  # fmt: skip


def test_a_password_in_an_address_is_refused_and_not_repeated() -> None:
    for each in ("postgresql://u:hunter2@h/d", "postgresql://h/d?password=hunter2"):
        with pytest.raises(OperatorError, match="has a password in it") as refused:
            check_address(each)
        assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize("text", ["", "east.db", "mysql://h/d", "postgresql://h/d?colour=red"])
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(OperatorError, match="give postgresql://USER@HOST:PORT/DATABASE"):
        check_address(text)


def test_a_password_comes_from_the_environment_or_a_file(
    postgresql: Server, address: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    postgresql.execute(
        address, "DROP ROLE IF EXISTS guarded", "CREATE ROLE guarded LOGIN PASSWORD 'hunter2'",
        "GRANT SELECT ON keepclear_lines, keepclear_migrations TO guarded",
    )  # fmt: skip
    other = address.replace("keepclear@", "guarded@")

    with pytest.raises(ConnectionLost, match="PGPASSWORD"):
        PostgreSQLStore.holds(other, REGION)
    monkeypatch.setenv("PGPASSWORD", "hunter2")
    assert PostgreSQLStore.holds(other, REGION)
    monkeypatch.delenv("PGPASSWORD")
    file = tmp_path / "passwords"
    file.touch(mode=0o600)
    file.write_text("*:*:*:guarded:hunter2\n", encoding="utf-8")
    monkeypatch.setenv("PGPASSFILE", str(file))
    assert PostgreSQLStore.holds(other, REGION)


# --- what refuses to start --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("statement", "why"),
    [
        ("DELETE FROM keepclear_lines WHERE number = 0", "line 0 is missing"),
        ("UPDATE keepclear_lines SET number = 5 WHERE number = 1", "line 1 is missing"),
        ("UPDATE keepclear_lines SET line = '{}' WHERE number = 0", "is not the header of this"),
        ("UPDATE keepclear_lines SET region = 'west'", "region exercise: is not there; give"),
        ("INSERT INTO keepclear_migrations VALUES (9999)", "has layout 9999, and this program"),
        ("DROP TABLE keepclear_lines, keepclear_migrations", "holds no record of keepclear; give"),
    ],
)
def test_a_database_that_is_not_what_it_says_refuses_to_start(
    postgresql: Server, address: str, statement: str, why: str
) -> None:
    postgresql.execute(address, statement)

    with pytest.raises(OperatorError, match=why):
        lines_in(address)


def test_the_header_of_another_region_refuses_to_start(postgresql: Server, address: str) -> None:
    west = encode(msgspec.structs.replace(HEADER, region="west"))
    postgresql.execute(
        address, f"UPDATE keepclear_lines SET line = '\\x{west.hex()}' WHERE number = 0"
    )

    with pytest.raises(OperatorError, match="line 0 is not the header of this region"):
        lines_in(address)


def test_a_wrong_address_makes_no_tables(postgresql: Server) -> None:
    empty = postgresql.database()

    with pytest.raises(OperatorError, match="holds no record of keepclear"):
        PostgreSQLStore.open(empty, REGION)
    assert not PostgreSQLStore.holds(empty, REGION)
    tables = "SELECT count(*) FROM information_schema.tables WHERE table_name LIKE 'keepclear%'"
    assert postgresql.execute(empty, tables) == [(0,)]


def test_where_nothing_answers_that_is_said(postgresql: Server) -> None:
    with pytest.raises(ConnectionLost, match=r"cannot be reached .*; see that the database runs"):
        PostgreSQLStore.open(postgresql.address("none"), REGION)


def test_a_region_that_is_there_is_not_begun_anew(address: str) -> None:
    with pytest.raises(OperatorError, match="is there already"):
        PostgreSQLStore.create(address, HEADER)
    assert len(lines_in(address)) == 2


def test_regions_share_a_database_and_see_nothing_of_each_other(address: str) -> None:
    west = msgspec.structs.replace(HEADER, region="west")
    with closing(PostgreSQLStore.create(address, west)) as kept:
        kept.append([world(7)])
        assert list(kept.lines()) == [encode(west), world(7)]

    assert lines_in(address) == [encode(HEADER), world(1)]


def test_many_that_begin_at_once_in_a_new_database_all_do(postgresql: Server) -> None:
    empty = postgresql.database()

    def begin(number: int) -> None:
        header = msgspec.structs.replace(HEADER, region=f"r{number}")
        PostgreSQLStore.create(empty, header).close()

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(begin, range(4)))

    assert postgresql.execute(empty, "SELECT count(*) FROM keepclear_lines") == [(4,)]


# --- what an append leaves --------------------------------------------------------------------


def test_a_stale_writer_is_fenced_by_the_numbers_of_its_lines(
    postgresql: Server, address: str
) -> None:
    with closing(PostgreSQLStore.open(address, REGION, ALONE)) as kept:
        postgresql.execute(address, inserted(2, world(9)))
        with pytest.raises(OperatorError, match="line 2 was written by another process") as caught:
            kept.append([world(2), world(3)])

    assert not isinstance(caught.value, NotWritten)
    assert len(lines_in(address)) == 3


def test_where_the_server_refuses_nothing_is_kept_and_it_goes_on_once_it_does_not(
    postgresql: Server, address: str
) -> None:
    """A trigger stands for a full disk, which has the same class of error."""
    postgresql.execute(
        address,
        "CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'No space left on device' USING ERRCODE = 'disk_full'; END $$",
        "CREATE TRIGGER full_disk BEFORE INSERT ON keepclear_lines "
        "FOR EACH ROW EXECUTE FUNCTION full_disk()",
    )
    with closing(PostgreSQLStore.open(address, REGION, ALONE)) as kept:
        with pytest.raises(NotWritten, match="No space left on device"):
            kept.append([world(2)])
        with pytest.raises(OperatorError, match="cannot be written"):
            kept.probe()
        postgresql.execute(address, "DROP TRIGGER full_disk ON keepclear_lines")
        kept.probe()
        kept.append([world(2)])

    assert lines_in(address) == [encode(HEADER), world(1), world(2)]


def test_very_many_lines_are_appended_whole_or_not_at_all(
    postgresql: Server, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(storing, "IN_STATEMENT", 10)
    many = [world(seq) for seq in range(2, 50)]
    with closing(PostgreSQLStore.open(address, REGION, ALONE)) as kept:
        postgresql.execute(address, inserted(45, world(9)))
        with pytest.raises(OperatorError, match="line 2 is missing"):
            kept.append(many)
        postgresql.execute(address, "DELETE FROM keepclear_lines WHERE number = 45")
        kept.append(many)

    assert lines_in(address)[1:] == [world(1), *many]


def test_an_append_whose_answer_is_lost_is_looked_for_and_goes_on(
    address: str, relay: Relay
) -> None:
    with closing(PostgreSQLStore.open(relay.address(address), REGION, ALONE)) as kept:
        relay.be(How.MUTE)
        with pytest.raises(OperatorError, match="it was not seen what came of it") as unknown:
            kept.append([world(2)])
        relay.be(How.OPEN)

    assert not isinstance(unknown.value, NotWritten)
    assert lines_in(address)[2:] == [world(2)]


def test_a_connection_that_was_cut_before_does_not_stop_an_append_or_a_read(
    postgresql: Server, address: str
) -> None:
    def cut() -> None:
        postgresql.execute(
            address, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE application_name = 'keepclear' AND datname = current_database()"
        )  # fmt: skip

    with closing(PostgreSQLStore.open(address, REGION, ALONE)) as kept:
        cut()
        kept.append([world(2)])
        cut()
        assert kept.pick([1, 2]) == [world(1), world(2)]
        cut()
        kept.probe()

    assert lines_in(address)[1:] == [world(1), world(2)]


def test_what_is_still_under_way_when_the_connection_is_cut_is_waited_for(
    postgresql: Server, address: str, relay: Relay
) -> None:
    """An append is held up in the server, its connection is cut, and it is done after all."""
    with closing(PostgreSQLStore.open(relay.address(address), REGION, ALONE)) as kept:
        with psycopg.connect(address) as other:
            other.execute("LOCK TABLE keepclear_lines IN SHARE MODE")
            appending = threading.Thread(target=kept.append, args=([world(2), world(3)],))
            appending.start()
            waiting_in(postgresql, address, 1)
            relay.end_all()
            waiting_in(postgresql, address, 2)
        appending.join(WAIT_S)
        kept.append([world(4)])

    assert lines_in(address)[1:] == [world(number) for number in (1, 2, 3, 4)]


def waiting_in(server: Server, address: str, count: int) -> None:
    """Wait until so many sessions wait for a lock."""
    ends = time.monotonic() + WAIT_S
    waiting = (
        "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' "
        "AND datname = current_database()"
    )
    while server.execute(address, waiting) != [(count,)]:
        assert time.monotonic() < ends
        time.sleep(0.01)


def test_a_server_that_says_nothing_is_waited_for_no_longer_than_said(
    address: str, relay: Relay, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database._Connection.wait, "__defaults__", (0.02, 0.3))
    monkeypatch.setattr(database, "CONNECT_S", 2)  # seconds; libpq knows none shorter
    with closing(PostgreSQLStore.open(relay.address(address), REGION, ALONE)) as kept:
        relay.be(How.SILENT)
        began = time.monotonic()
        with pytest.raises(OperatorError, match="it was not seen what came of it"):
            kept.append([world(2)])
        took_s = time.monotonic() - began
        relay.be(How.CUT)

    assert took_s < 5


WRITER: Final = """
import sys
from keepclear.record.encoding import encode
from keepclear.record.files import WorldLine
from keepclear.store.nodes import ALONE
from keepclear.store.postgresql import PostgreSQLStore

store = PostgreSQLStore.open(sys.argv[1], sys.argv[2], ALONE)
seq = store._next
while True:
    batch = [encode(WorldLine(seq=n, hash=f"{n:064x}")) for n in range(seq, seq + seq % 7 + 1)]
    store.append(batch)
    seq += len(batch)
    print(seq, flush=True)
"""


@pytest.mark.slow
def test_killed_at_any_time_a_store_has_all_that_was_said_to_be_kept_and_whole(
    address: str,
) -> None:
    by = Random(4)
    for _ in range(10):
        with subprocess.Popen([sys.executable, "-c", WRITER, address, REGION],
                              stdout=subprocess.PIPE, text=True) as writer:  # fmt: skip
            assert writer.stdout is not None
            said = [writer.stdout.readline() for _ in range(by.randint(1, 40))]
            os.kill(writer.pid, signal.SIGKILL)
            said += writer.stdout.readlines()
        kept = lines_in(address)

        told = int([each for each in said if each.endswith("\n")][-1])
        assert told <= len(kept) <= told + 7  # of what was not said to be kept, whole batches
        assert kept[1:] == numbers(len(kept))


def numbers(count: int) -> Sequence[bytes]:
    return [world(n) for n in range(1, count)]
