# SPDX-License-Identifier: Apache-2.0
"""Nodes that may write one record, and what they are told where it is another one's turn."""

from typing import Final, NamedTuple

from keepclear.errors import OperatorError


class Node(NamedTuple):
    """A node that may write. name: of one process, for people too. address: its parties' one."""

    name: str
    address: str


ALONE: Final = Node("alone", "")


class WrittenByOther(OperatorError):
    """Another node has the lease. node: which. lacks: what this one needs to take over."""

    def __init__(self, region: str, node: Node, lacks: str = "") -> None:
        self.region, self.node = region, node
        then = f"cannot take over: {lacks}" if lacks else "takes over where that one ends"
        super().__init__(
            f"region {region}: is written by node {node.name} at {node.address or 'no address'}; "
            f"this one stands by, and {then}"
        )


class Fenced(OperatorError):
    """The term of whoever appends has ended; nothing was kept."""
