# SPDX-License-Identifier: Apache-2.0
"""A region as a folder: how it is made, who may read it, and what does not start."""

import stat
from contextlib import closing
from pathlib import Path

import msgspec
import pytest

from keepclear.agreement.rules_toml import parse_short
from keepclear.detect.compiled import plain
from keepclear.errors import InputError, OperatorError
from keepclear.record.entries import Entry
from keepclear.record.files import EntryLine
from keepclear.server.beginning import Beginning
from keepclear.server.clock import SteadyClock
from keepclear.server.region import create_region, operator_token
from tests.server_plays import keys_of
from tests.test_clock import START_US, Machine, S

HOUSE = parse_short("5 NM / 1000 ft")


def made(folder: Path, clock: SteadyClock | None = None, name: str = "east") -> Path:
    """Return the folder of a new region."""
    create_region(folder, name, HOUSE, clock or SteadyClock(), plain())
    return folder


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_the_folder_of_a_region_and_what_is_secret_in_it_is_its_owners_alone(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "east"
    folder.mkdir(mode=0o755)

    made(folder)

    assert mode(folder) == 0o700
    for name in ("exchange.private.json", "operator.token", "record.db.reach"):
        assert mode(folder / name) == 0o600, name
    assert mode(made(tmp_path / "parents" / "west")) == 0o700


@pytest.mark.parametrize("name", ["", "East", "a b", "../x", "-a", "a" * 65, "é", "a\n"])
def test_what_is_no_name_of_a_region_makes_nothing(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError, match="is no name of a region; give up to 64 of a-z"):
        made(tmp_path / "east", name=name)

    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_a_region_already_says_how_to_go_on_with_it(tmp_path: Path) -> None:
    folder = made(tmp_path / "east")

    with pytest.raises(OperatorError, match=f"is a region already; .* keepclear serve {folder}"):
        made(folder)
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "notes").touch()
    with pytest.raises(OperatorError, match="is not empty; give a new folder"):
        made(tmp_path / "other")


@pytest.mark.parametrize("text", ["", "\n", "short", "x" * 31, " " * 60])
def test_a_token_of_the_operator_that_is_empty_or_cut_off_starts_nothing(
    tmp_path: Path, text: str
) -> None:
    folder = made(tmp_path / "east")
    assert len(operator_token(folder)) >= 32

    (folder / "operator.token").write_text(text, encoding="utf-8")

    with pytest.raises(OperatorError, match="is empty or cut off, so anybody could be the oper"):
        operator_token(folder)
    (folder / "operator.token").unlink()
    with pytest.raises(OperatorError, match=r"operator.token: cannot be read"):
        operator_token(folder)


def test_what_is_no_text_in_its_files_is_told_as_the_operators(tmp_path: Path) -> None:
    folder = made(tmp_path / "east")
    (folder / "operator.token").write_bytes(b"\xff" * 60)
    with pytest.raises(OperatorError, match="is empty or cut off"):
        operator_token(folder)

    (folder / "exchange.private.json").write_bytes(b'{"format":"\xff"}')
    with pytest.raises(OperatorError, match="is no key of an exchange; bring a copy of it"):
        Beginning(folder, SteadyClock(), plain())()


@pytest.mark.parametrize("step_us", [3_600 * S, -3_600 * S])
def test_a_step_of_the_machines_clock_moves_no_time_of_the_record(
    tmp_path: Path, step_us: int
) -> None:
    machine = Machine()
    clock = machine.clock()
    folder = made(tmp_path / "east", clock)

    begun = Beginning(folder, clock, plain())()
    with closing(begun.store):
        for party, step in (("north", 0), ("south", step_us), ("west", 0)):
            machine.wall += step
            machine.passes(10 * S)
            begun.exchange.admit(keys_of(party)[0])
        lines = [each for each in begun.store.lines() if each.startswith(b'{"line":"entry"')]

    entries = [msgspec.json.decode(each, type=EntryLine).entry for each in lines]
    times = [msgspec.json.decode(each, type=Entry).at_us for each in entries]
    assert times == [START_US + each * S for each in (0, 10, 20, 30)]
