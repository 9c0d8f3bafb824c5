# SPDX-License-Identifier: Apache-2.0
"""The exchange's key is changed, and the store or the disk fails meanwhile."""

import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

import pytest

from keepclear.detect.compiled import plain
from keepclear.errors import OperatorError
from keepclear.exchange.ports import NotWritten
from keepclear.server import beginning
from keepclear.server import writer as writing
from keepclear.server.backups import back_up
from keepclear.server.beginning import Beginning
from keepclear.server.clock import SteadyClock
from keepclear.server.exchange_keys import (
    NEXT,
    Changed,
    enter_next_key,
    prepare_key,
    settle_keys,
)
from keepclear.server.region import PRIVATE, PUBLIC, read_private
from keepclear.server.writer import State, Unavailable, Writer
from keepclear.store.sqlite import SQLiteStore
from tests.test_region import made

WAIT_S = 10.0
APPEND = SQLiteStore.append


class Served:
    """A region's folder, and the writer that serves it; its store fails where it is told to."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.how = made(folder), ""
        clock = SteadyClock()
        self.writer = Writer(Beginning(folder, clock, plain()), clock.now_us)

    def append(self, store: SQLiteStore, lines: Sequence[bytes]) -> None:
        how, self.how = self.how, ""
        if how == "not":
            raise NotWritten("no space left")
        if how == "before":
            raise OSError(5, "cut off before")
        APPEND(store, lines)
        if how == "after":
            raise OSError(5, "cut off after")

    def change(self, settle: Callable[[], None] | None = None) -> Changed:
        """Change the key as the operator's address does."""
        return self.writer.change_key(
            partial(enter_next_key, self.folder),
            lambda exchange: (
                settle_keys(self.folder, exchange.signing) if settle is None else settle()
            ),
        ).result(WAIT_S)

    def until_writing(self) -> None:
        ends = time.monotonic() + WAIT_S
        while self.writer.health.state is not State.WRITING:
            assert time.monotonic() < ends, self.writer.health
            time.sleep(0.01)

    def signs_with(self) -> str:
        """Return the id of the key that signs now, as the exchange has it and health says."""
        self.until_writing()
        found = self.writer.read(lambda exchange: exchange.signing[-1].key.id).result(WAIT_S)
        assert found == self.writer.signs_with
        return found

    def kept(self) -> str:
        """Return the id of the key in the file of the one that signs."""
        return read_private(self.folder / PRIVATE).signer.public.id


@pytest.fixture
def served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    monkeypatch.setattr(writing, "TRIES_S", 0.02)
    monkeypatch.setattr(writing, "LOOKS_S", 0.02)
    found = Served(tmp_path / "east")

    def append(store: SQLiteStore, lines: Sequence[bytes]) -> None:
        found.append(store, lines)

    monkeypatch.setattr(SQLiteStore, "append", append)
    found.writer.start()
    yield found
    found.writer.stop()


@pytest.mark.parametrize("how", ["not", "before"])
def test_what_was_not_written_leaves_the_old_key_and_the_prepared_one_for_another_try(
    served: Served, how: str
) -> None:
    found = prepare_key(served.folder)
    served.how = how

    with pytest.raises(Unavailable):
        served.change()

    assert (served.signs_with(), served.kept()) == (found.old, found.old)
    assert (served.folder / NEXT).exists()
    assert served.change() == found
    assert (served.signs_with(), served.kept()) == (found.new, found.new)


def test_what_was_written_and_not_answered_goes_on_with_the_new_key(served: Served) -> None:
    found = prepare_key(served.folder)
    served.how = "after"

    with pytest.raises(Unavailable, match="not known whether it was done"):
        served.change()

    assert (served.signs_with(), served.kept()) == (found.new, found.new)
    assert not (served.folder / NEXT).exists()


def full() -> None:
    raise OSError(28, "No space left on device")


def test_what_cannot_be_settled_on_the_disk_is_settled_at_the_next_start(served: Served) -> None:
    found = prepare_key(served.folder)

    with pytest.raises(OperatorError, match="it is written, and is not to be asked for again"):
        served.change(full)

    assert (served.signs_with(), served.kept()) == (found.new, found.old)
    served.writer.stop()
    again = Writer(Beginning(served.folder, SteadyClock(), plain()), lambda: 0)
    again.start()
    again.stop()
    assert (again.signs_with, served.kept()) == (found.new, found.new)


def test_a_key_that_signs_already_and_was_not_settled_is_not_taken_for_the_next(
    served: Served,
) -> None:
    found = prepare_key(served.folder)
    with pytest.raises(OperatorError):
        served.change(full)
    with pytest.raises(OperatorError, match="keep the file: the record may go on with it"):
        prepare_key(served.folder)

    with pytest.raises(OperatorError, match="is not there, so there is no key to go on with"):
        served.change()

    assert (served.signs_with(), served.kept()) == (found.new, found.new)


def test_what_was_cut_off_while_a_key_was_prepared_is_no_key(tmp_path: Path) -> None:
    folder = made(tmp_path / "east")
    (folder / f"{NEXT}.new").write_bytes(b'{"format":"keepclear-ex')

    Beginning(folder, SteadyClock(), plain())().store.close()
    found = prepare_key(folder)

    assert read_private(folder / NEXT).signer.public.id == found.new
    assert not (folder / f"{NEXT}.new").exists()


def test_where_the_disk_is_full_a_node_begins_all_the_same(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = prepare_key(served.folder)
    monkeypatch.setattr(beginning, "settle_keys", lambda *_: full())
    served.how = "after"

    with pytest.raises(Unavailable):
        served.change()

    assert (served.signs_with(), served.kept()) == (found.new, found.old)


def test_a_backup_has_the_keys_that_the_record_says_whatever_the_folder_has(
    served: Served, tmp_path: Path
) -> None:
    before = (served.folder / PUBLIC).read_bytes()
    prepare_key(served.folder)
    served.change()
    now = (served.folder / PUBLIC).read_bytes()
    (served.folder / PUBLIC).write_bytes(before)  # as a node has it that stands by

    back_up(served.folder, tmp_path / "backup", 0)

    assert (tmp_path / "backup" / PUBLIC).read_bytes() == now


def test_a_file_of_public_keys_that_is_lost_is_written_anew(tmp_path: Path) -> None:
    folder = made(tmp_path / "east")
    before = (folder / PUBLIC).read_bytes()
    (folder / PUBLIC).unlink()

    Beginning(folder, SteadyClock(), plain())().store.close()

    assert (folder / PUBLIC).read_bytes() == before


def test_a_copy_of_the_key_that_signs_is_no_key_that_is_prepared(tmp_path: Path) -> None:
    folder = made(tmp_path / "east")
    (folder / NEXT).write_bytes((folder / PRIVATE).read_bytes())

    Beginning(folder, SteadyClock(), plain())().store.close()

    assert not (folder / NEXT).exists()
