# SPDX-License-Identifier: Apache-2.0
"""A region whose key was changed is lost, and goes on from a backup of before or of after that."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from keepclear.cli.record import read_keys_file
from keepclear.record.encoding import encode
from keepclear.record.files import KeysFile
from keepclear.server.exchange_keys import prepare_key
from tests.server_plays import serving
from tests.test_backup import ELSEWHERE, Region, begun

pytestmark = pytest.mark.slow


@pytest.fixture
def region(tmp_path: Path) -> Iterator[Region]:
    with serving(tmp_path / "east") as node:
        yield begun(tmp_path, node)


def rotate(region: Region) -> str:
    """Change the key of the region; return the id of the new one."""
    operator = region.node.operator.removeprefix("http://")
    region.run("", "region", "rotate-key", str(region.node.folder), "--operator", operator)
    return str(httpx.get(f"{region.node.operator}/health").json()["signs_with"])


def exchange_of(folder: Path) -> KeysFile:
    return read_keys_file(str(folder / "region.keys.json"))


@pytest.mark.parametrize("is_before", [True, False])
def test_a_backup_is_restored_with_the_key_of_now_and_parties_bring_what_came_after_it(
    region: Region, *, is_before: bool
) -> None:
    if not is_before:
        rotate(region)
    backup = region.back_up("monday")
    believed = exchange_of(region.node.folder)
    assert exchange_of(backup) == believed
    late = region.filed("north", *ELSEWHERE)  # its receipt is signed with the key of then
    new = rotate(region)
    after = region.filed("south", *ELSEWHERE)
    every = exchange_of(region.node.folder)
    for party in ("north", "south"):
        region.run(party, "conflicts")  # both have followed the key
    key = region.lose()

    region.restore(backup, key)

    assert httpx.get(f"{region.node.operator}/health").json()["signs_with"] == new
    assert exchange_of(region.node.folder) == every
    assert "RESTORED" in region.run("north", "restored", "show", "--home", "north")
    assert "entered late, and done" in region.accept("north")
    assert "entered late, and done" in region.accept("south")
    assert late in region.operations("north")
    assert after in region.operations("south")
    region.filed("south", *ELSEWHERE)
    first = read_keys_file(str(region.folder / "north" / "believed.json"))
    assert len(first.exchange) == 1
    found = region.proven()
    assert (found.is_proven, found.header.incarnation) == (True, 2)
    assert [each.key_id for each in found.exchange] == [new]
    for keys in (first, every):  # of those who joined before, and of those who join now
        region.node.folder.joinpath("region.keys.json").write_bytes(encode(keys))
        assert region.proven().is_proven


def test_a_key_of_before_restores_nothing_that_a_later_one_has_signed(
    region: Region, tmp_path: Path
) -> None:
    shutil.copyfile(region.node.folder / "exchange.private.json", tmp_path / "old.json")
    rotate(region)
    backup = region.back_up("monday")
    key = region.lose()
    strange = tmp_path / "other"
    strange.mkdir()
    shutil.copyfile(tmp_path / "old.json", strange / "exchange.private.json")
    prepare_key(strange)  # another key that follows the first: a record has one after each

    for each in (tmp_path / "old.json", strange / "exchange.next.private.json"):
        said = region.run("", "restore", str(backup), str(region.node.folder), "--key", str(each),
                          status=2)  # fmt: skip
        assert "give the key that it was signed with, or one that followed it" in said
        assert not region.node.folder.exists()

    region.restore(backup, key)
    assert httpx.get(f"{region.node.operator}/health").json()["state"] == "writing"
