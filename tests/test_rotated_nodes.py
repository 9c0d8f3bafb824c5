# SPDX-License-Identifier: Apache-2.0
"""Several nodes of a region whose key is changed: each needs it, none signs with the old one."""

import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from keepclear.plans import acts
from keepclear.record.keys import PublicKey
from keepclear.server.writer import State
from tests.postgresql_server import Server
from tests.server_plays import Node, circle, serving
from tests.test_cli_record import run
from tests.test_failover import health, until
from tests.test_rotate_key import NEXT, PRIVATE, changed

pytestmark = pytest.mark.slow
WAIT_S = 20.0


@pytest.fixture
def nodes(postgresql: Server, tmp_path: Path) -> Iterator[tuple[Node, Node]]:
    """Yield a node that writes, and one that stands by."""
    with serving(tmp_path / "first", store=postgresql.database()) as first:
        second = Node(tmp_path / "second")
        shutil.copytree(first.folder, second.folder)
        second.start()
        try:
            yield first, second
        finally:
            for each in second.clients:
                each.close()
            if second.process is not None and second.process.poll() is None:
                second.kill()


def says(node: Node, words: str) -> None:
    """Wait until the health of a node says why, in these words."""
    ends = time.monotonic() + WAIT_S
    while words not in health(node).why:
        assert time.monotonic() < ends, health(node)
        time.sleep(0.05)


def test_a_node_that_was_given_the_prepared_key_takes_over_with_it(
    nodes: tuple[Node, Node],
) -> None:
    first, second = nodes
    north = first.join("north")
    rotate = ("region", "rotate-key", first.folder, "--operator", first.operator.split("/")[-1])
    status, said = run(*rotate)
    assert (status, "copy the file into the folder of each" in said) == (2, True)
    assert run("region", "prepare-key", first.folder)[0] == 0
    shutil.copy2(first.folder / NEXT, second.folder / NEXT)
    refused = changed(second)
    assert (refused.status_code, "change the key at that one" in refused.text) == (503, True)

    status, said = run(*rotate)
    first.kill()
    until(second, State.WRITING)

    assert (status, health(second).signs_with[:4] in said) == (0, True)
    assert (second.folder / NEXT).exists() is False
    assert [PublicKey(each.key).id for each in second.believed.exchange][-1] == (
        health(second).signs_with
    )
    there = second.client("north", north._signer, north.seen)
    there.act("operations.file/1", acts.FileOperation(operation=circle(0)))
    assert len(there.operations()) == 1
    first.start()  # its own files are settled, and it stands by
    assert health(first).state == State.STANDING_BY


def test_a_node_without_the_key_says_so_and_writes_nothing_until_it_has_it(
    nodes: tuple[Node, Node],
) -> None:
    first, second = nodes
    north = first.join("north")
    assert run("region", "prepare-key", first.folder)[0] == 0
    assert changed(first).status_code == 200
    new = health(first).signs_with
    says(second, f"cannot take over: it lacks key {new[:16]}, which signs now; bring {PRIVATE}")

    first.kill()
    says(second, f"was followed by key {new[:16]}, with which this record goes on")

    assert health(second).state == State.BEGINNING
    assert httpx.get(f"{second.parties}/v1/region").status_code == 503
    shutil.copy2(first.folder / PRIVATE, second.folder / PRIVATE)
    until(second, State.WRITING)
    assert health(second).signs_with == new
    there = second.client("north", north._signer, north.seen)
    there.act("operations.file/1", acts.FileOperation(operation=circle(0)))
