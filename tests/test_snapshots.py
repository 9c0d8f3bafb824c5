# SPDX-License-Identifier: Apache-2.0
"""A snapshot beside the record: it is gone on from where it fits, and left where it does not.

That who goes on from one goes on byte for byte as from the lines alone: `test_begin_again`, whose
exchanges begin again from snapshots too.
"""

import logging
import shutil
import stat
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

import pytest

from keepclear.detect.compiled import plain
from keepclear.exchange import reopening
from keepclear.exchange.exchange import Exchange
from keepclear.server import snapshots
from keepclear.server.beginning import Beginning
from keepclear.server.clock import SteadyClock
from keepclear.server.snapshots import NAME
from keepclear.server.writer import Begun, State, Writer
from keepclear.store.snapshots import program_version
from tests.exchange_twins import kept_of
from tests.server_plays import keys_of
from tests.test_region import made

WAIT_S: Final = 10


@pytest.fixture
def read_lines(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return a list of the numbers of lines that are read, one each time a record is begun."""
    counts: list[int] = []
    read = reopening.Following.read

    def counted(self: reopening.Following, lines: Iterable[bytes]) -> None:
        before = self.count
        read(self, lines)
        counts.append(self.count - before)

    monkeypatch.setattr(reopening.Following, "read", counted)
    return counts


@contextmanager
def begun(folder: Path) -> Iterator[Exchange]:
    found = Beginning(folder, SteadyClock(), plain())()
    with closing(found.store):
        yield found.exchange


def served(folder: Path, *parties: str) -> list[Exchange]:
    """Serve a region, admit parties, and end; return the exchange as it was."""
    exchanges: list[Exchange] = []
    beginning = Beginning(folder, SteadyClock(), plain())

    def begin() -> Begun:
        found = beginning()
        exchanges.append(found.exchange)
        return found

    writer = Writer(begin, lambda: 0, beat_s=1_000)
    writer.start()
    for party in parties:
        writer.admit(keys_of(party)[0]).result(WAIT_S)
    writer.stop()
    return exchanges


def test_a_clean_end_keeps_a_snapshot_and_a_start_reads_what_came_after_alone(
    tmp_path: Path, read_lines: list[int]
) -> None:
    folder = made(tmp_path / "east")
    [before] = served(folder, "north", "south")
    assert stat.S_IMODE((folder / NAME).stat().st_mode) == 0o600

    read_lines.clear()
    with begun(folder) as exchange:
        assert read_lines == [0]
        assert kept_of(exchange._kept) == kept_of(before._kept)
        exchange.admit(keys_of("west")[0])  # and no end: killed
    read_lines.clear()
    with begun(folder) as exchange:
        assert read_lines == [2]  # that another writes, and west
        assert exchange.keys.parties() == ("north", "south", "west")


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def longer(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"\0")


def flipped(path: Path) -> None:
    """Change one bit in the middle."""
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def of_another_region(path: Path) -> None:
    path.write_bytes(path.read_bytes().replace(b'"region":"east"', b'"region":"west"', 1))


def emptied(path: Path) -> None:
    path.write_bytes(b"")


def foreign(path: Path) -> None:
    path.write_bytes(b"something else\n" * 40)


def of_another_program(path: Path) -> None:
    version = program_version().encode()
    path.write_bytes(path.read_bytes().replace(version, version[::-1]))


SPOILT: Final[dict[Callable[[Path], None], str]] = {
    cut: "is not whole",
    longer: "is not whole",
    flipped: "",
    of_another_region: "is of another region",
    emptied: "is of another format",
    foreign: "is of another format",
    of_another_program: "was made by another version of this program",
}


@pytest.mark.parametrize("spoil", SPOILT, ids=lambda each: each.__name__)
def test_whatever_is_wrong_with_a_snapshot_the_record_is_read_from_its_beginning(
    tmp_path: Path, read_lines: list[int], spoil: Callable[[Path], None],
    caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    folder = made(tmp_path / "east")
    [before] = served(folder, "north", "south")
    whole = (folder / NAME).read_bytes()
    spoil(folder / NAME)
    assert (folder / NAME).read_bytes() != whole

    read_lines.clear()
    with caplog.at_level(logging.WARNING), begun(folder) as exchange:
        assert len(read_lines) == 1
        assert read_lines[0] > 3
        assert kept_of(exchange._kept) == kept_of(before._kept)
    assert f"{NAME}: " in caplog.text
    assert SPOILT[spoil] in caplog.text
    assert "the record is read from its beginning" in caplog.text


def test_a_snapshot_of_what_the_record_does_not_have_is_left(
    tmp_path: Path, read_lines: list[int], caplog: pytest.LogCaptureFixture
) -> None:
    """A copy of the folder as it was, beside which a later snapshot lies; and another record."""
    folder = made(tmp_path / "east")
    served(folder, "north")
    older = shutil.copytree(folder, tmp_path / "older")
    served(folder, "south")
    served(other := made(tmp_path / "other"), "north", "south", "west")
    for target in (older, other):
        shutil.copy(folder / NAME, target / NAME)
        read_lines.clear()
        with begun(target) as exchange:
            assert read_lines[-1] > 2
            assert exchange.keys.parties()[0] == "north"
    assert caplog.text.count("the record is read from its beginning") == 2


def test_one_is_made_whenever_the_record_has_grown_by_so_much(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, read_lines: list[int]
) -> None:
    monkeypatch.setattr(snapshots.Snapshots.__init__, "__defaults__", (2,))
    folder = made(tmp_path / "east")
    beginning = Beginning(folder, SteadyClock(), plain())
    found = beginning()
    kept = found.snapshots
    assert kept is not None
    with closing(found.store):
        for party in ("north", "south"):
            found.exchange.admit(keys_of(party)[0])
            kept.look(found.exchange)
            for each in threading.enumerate():
                if each.name == "snapshot":
                    each.join(WAIT_S)

    read_lines.clear()
    with begun(folder) as exchange:
        assert read_lines == [1]  # south; the header, the opening and north were in one
        assert exchange.keys.parties() == ("north", "south")


def test_where_none_can_be_written_the_exchange_goes_on(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = made(tmp_path / "east")
    (folder / f"{NAME}.new").mkdir()

    [exchange] = served(folder, "north")

    assert exchange.is_whole
    assert "could not be written" in caplog.text
    assert not (folder / NAME).exists()
    served(folder, "south")


def test_the_writer_says_nothing_of_snapshots_where_there_are_none(tmp_path: Path) -> None:
    folder = made(tmp_path / "east")
    beginning = Beginning(folder, SteadyClock(), plain())
    writer = Writer(lambda: beginning()._replace(snapshots=None), lambda: 0, beat_s=1_000)
    writer.start()
    writer.stop()

    assert writer.health.state is State.STOPPED
    assert not (folder / NAME).exists()
