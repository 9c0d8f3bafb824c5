# SPDX-License-Identifier: Apache-2.0
"""`keepclear serve` and `keepclear party` as their operator types them."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from keepclear.cli.private_keys import read_private
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
