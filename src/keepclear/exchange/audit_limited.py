# SPDX-License-Identifier: Apache-2.0
"""What is LIMITED decided again: all that is told is so, and all of what was filed is told."""

from collections.abc import Iterable

from keepclear.exchange.audit_found import GUARD_TMM, Found, pair_text
from keepclear.exchange.events import Event, Limit, LimitedFound, MoreLimited, OperationFiled


class Limited:
    """What is LIMITED in a record. Written by the audit alone.

    filed: operations of the entry that is read.
    """

    def __init__(self, found: Found) -> None:
        self._found = found
        self.filed: dict[str, None] = {}
        self._told: dict[tuple[str, str], tuple[Limit, ...]] = {}
        self._left: dict[str, int] = {}  # of an operation, how many are left out of the entry

    def begin(self) -> None:
        """Begin with another entry."""
        self.filed, self._told, self._left = {}, {}, {}

    def give(self, event: Event) -> None:
        """Take what an entry says of what is LIMITED."""
        match event:
            case OperationFiled(operation=operation):
                self.filed[operation.id] = None
            case LimitedFound(a=a, b=b, limits=limits):
                self._told[a, b] = limits
            case MoreLimited(id=own_id, more=more):
                self._left[own_id] = more
            case _:
                pass

    def check(self, pairs: Iterable[tuple[str, str]]) -> None:
        """Compare what was told with what comes out now. pairs: of what was filed, with all."""
        for key in dict.fromkeys((*pairs, *self._told)):
            one, other = (self._found.world.operations[each] for each in key)
            due, said = self._found.limits(one, other), self._told.get(key, ())
            left = next((each for each in key if self._left.get(each)), None)
            if due and not said and left is not None:
                self._left[left] -= 1
            elif due != said:
                is_boundary = self._found.limits(one, other, GUARD_TMM) == said
                what = _what(due, said)
                self._found.differs(pair_text(one, other), what, is_boundary=is_boundary)


def _what(due: tuple[Limit, ...], said: tuple[Limit, ...]) -> str:
    if not due:
        return "are told to be LIMITED, and are not"
    if not said:
        return "MISSING: are LIMITED, and it is not told"
    return "are told to be LIMITED by other clauses than they are"
