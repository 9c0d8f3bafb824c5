# SPDX-License-Identifier: Apache-2.0
"""A node as its parties meet it: over HTTP, in a process of its own."""

from collections.abc import Iterator

import pytest

from keepclear.plans import acts
from tests.server_plays import Node, circle, serving

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    with serving(tmp_path_factory.mktemp("region") / "east") as made:
        yield made


def test_two_parties_file_what_crosses_and_both_see_the_conflict(node: Node) -> None:
    with node.join("north") as north, node.join("south") as south:
        filed = north.act("operations.file/1", acts.FileOperation(operation=circle(0)))
        assert [each.kind for each in filed] == ["operation-filed/1", "operation-moved/1"]

        told = south.act("operations.file/1", acts.FileOperation(operation=circle(1)))

        assert "notice/1" in [each.kind for each in told]
        [ours], [theirs] = north.conflicts(), south.conflicts()
        assert ours.conflict == theirs.conflict
        assert (ours.must_act, theirs.must_act) == (("south",), ("south",))
        [own] = north.operations()
        assert (ours.own, theirs.other.id) == (own.id, own.id)
        seen = acts.AcknowledgeConflict(id=ours.conflict, ovn=ours.other.ovn or "")
        north.act("conflicts.acknowledge/1", seen)
        assert south.conflicts()[0].acknowledged == ("north",)
