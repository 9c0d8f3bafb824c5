# SPDX-License-Identifier: Apache-2.0
"""How a party's operations and conflicts stand, folded from the parts of its own file.

So that a party need not ask: what it shows its officers follows from what it holds, and can prove.
The same as what the exchange answers to it (`reads`), as a test holds.
"""

from collections.abc import Mapping
from typing import Final

from keepclear.exchange.events import OperationFiled, OperationMoved
from keepclear.exchange.views import NOTICE_KIND, Notice
from keepclear.exchange.world import moved
from keepclear.plans.conflicts import State as ConflictState
from keepclear.plans.operations import Operation
from keepclear.record.encoding import decode
from keepclear.record.entries import Part
from keepclear.record.faults import BrokenProof
from keepclear.record.files import LONGEST_LINE

FILED_KIND: Final = "operation-filed/1"
MOVED_KIND: Final = "operation-moved/1"
SETTLED: Final = frozenset({ConflictState.RESOLVED.value, ConflictState.EXPIRED.value})


class Picture:
    """A party's own operations, and the latest notice of each of its conflicts, by id."""

    def __init__(
        self, party: str, operations: Mapping[str, Operation], conflicts: Mapping[str, Notice]
    ) -> None:
        self._party = party
        self.operations, self.conflicts = dict(operations), dict(conflicts)

    def take(self, part: Part) -> None:
        """Take in the next part; `RecordError` for one that is not what it says."""
        data = bytes(part.data)
        if part.kind == FILED_KIND:
            filed = decode(data, OperationFiled, part.kind, LONGEST_LINE).operation
            if filed.party == self._party:
                self.operations[filed.id] = filed
        elif part.kind == MOVED_KIND:
            event = decode(data, OperationMoved, part.kind, LONGEST_LINE)
            self.operations[event.id] = moved(self._known(event), event)
        elif part.kind == NOTICE_KIND:
            notice = decode(data, Notice, part.kind, LONGEST_LINE)
            self.conflicts[notice.conflict] = notice

    def unsettled(self) -> dict[str, Notice]:
        """Return what is not settled."""
        return {own: each for own, each in self.conflicts.items() if each.state not in SETTLED}

    def protecting(self) -> dict[str, Operation]:
        """Return the operations that protect."""
        return {own: each for own, each in self.operations.items() if each.is_protecting}

    def _known(self, event: OperationMoved) -> Operation:
        if event.id in self.operations:
            return self.operations[event.id]
        raise BrokenProof(
            "operation", event.id[:8], "is moved and was never filed",
            "keep what you hold, and ask the operator",
        )  # fmt: skip
