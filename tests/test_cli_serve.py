# SPDX-License-Identifier: Apache-2.0
"""`keepclear serve` and `keepclear party` as their operator types them."""

import socket
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from keepclear.cli.private_keys import read_private
from keepclear.cli.record import read_keys_file
from keepclear.client import NotDone
from keepclear.plans import acts
from tests.server_plays import Node, circle, serving
from tests.test_cli_record import run

pytestmark = pytest.mark.slow


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Node]:
    with serving(tmp_path / "east") as made:
        yield made


def test_changed_keys_are_admitted_and_the_old_ones_sign_nothing_any_more(
    node: Node, tmp_path: Path
) -> None:
    home, operator = tmp_path / "north", node.operator.removeprefix("http://")
    public, private = str(home / "north.keys.json"), [
        f"{home}/north.{each}.private.json" for each in ("next-root", "rep-1", "rep-2", "watch")
    ]  # fmt: skip
    admit = ("party", "admit", public, "--folder", str(node.folder), "--operator", operator)
    assert run("key", "new", "north", "--folder", home)[0] == 0
    assert run(*admit) == (0, "admitted north\n")
    old = node.client("north", read_private(private[3], "north"))
    old.act("operations.file/1", acts.FileOperation(operation=circle(0)))

    withs = [word for each in private[:3] for word in ("--with", each)]
    assert run("key", "rotate", public, *withs, "--replace", "watch")[0] == 0
    assert run(*admit) == (0, "admitted north\n")

    with pytest.raises(NotDone, match="is no key of north in version 2"):
        old.act("operations.file/1", acts.FileOperation(operation=circle(40)))
    new = node.client("north", read_private(f"{home}/north.watch-2.private.json", "north"))
    new.act("operations.file/1", acts.FileOperation(operation=circle(40)))
    assert len(new.operations()) == 2
    assert run(*admit) == (0, "admitted north\n")  # once more does nothing


def test_where_its_address_is_in_use_no_region_is_made(tmp_path: Path) -> None:
    folder = tmp_path / "east"
    new = ("serve", folder, "--new", "--region", "east", "--house", "5 NM / 1000 ft")
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        used = f"127.0.0.1:{taken.getsockname()[1]}"

        for options in (("--listen", used, "--operator", "127.0.0.1:0"),
                        ("--listen", "127.0.0.1:0", "--operator", used)):  # fmt: skip
            status, said = run(*new, *options)
            assert status == 2
            assert f"{used}: cannot be listened at" in said

    assert not folder.exists()
    status, said = run(*new[:4], "No Name", *new[5:], "--listen", used, "--operator", used)
    assert (status, folder.exists()) == (2, False)


def test_a_party_that_is_added_again_keeps_its_keys_and_stands_once(
    node: Node, tmp_path: Path
) -> None:
    home, operator = tmp_path / "north", node.operator.removeprefix("http://")
    add = ("party", "add", "north", "--folder", node.folder, "--home", home, "--exchange",
           node.parties, "--operator")  # fmt: skip
    with closing(socket.create_server(("127.0.0.1", 0))) as unserved:
        nowhere = f"127.0.0.1:{unserved.getsockname()[1]}"
    status, said = run(*add, nowhere)  # the node cannot be reached
    assert (status, "gives no answer" in said) == (2, True)
    private = {each: each.read_bytes() for each in (home / "keys").iterdir()}
    assert len(private) == 6

    for _ in range(2):
        status, said = run(*add, operator)
        assert status == 0, said
        assert "north takes part; its watch acts with --home" in said

    assert {each: each.read_bytes() for each in (home / "keys").iterdir()} == private
    assert len(read_keys_file(str(node.folder / "keys.json")).documents) == 1
    assert run("operation", "list", "--home", home)[0] == 0
    assert run(*add[:2], "south", *add[3:6], tmp_path / "south", *add[7:], operator)[0] == 0
    assert len(read_keys_file(str(node.folder / "keys.json")).documents) == 2


def test_a_party_whose_keys_have_changed_is_added_again_with_all_of_them(
    node: Node, tmp_path: Path
) -> None:
    home, operator = tmp_path / "north", node.operator.removeprefix("http://")
    add = ("party", "add", "north", "--folder", node.folder, "--home", home, "--exchange",
           node.parties, "--operator", operator)  # fmt: skip
    assert run(*add)[0] == 0
    keys = home / "keys"
    withs = [word for each in ("next-root", "rep-1", "rep-2")
             for word in ("--with", keys / f"north.{each}.private.json")]  # fmt: skip
    assert run("key", "rotate", keys / "north.keys.json", *withs)[0] == 0

    assert run(*add)[0] == 0

    assert len(read_keys_file(str(node.folder / "keys.json")).documents) == 2
