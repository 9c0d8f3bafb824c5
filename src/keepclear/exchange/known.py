# SPDX-License-Identifier: Apache-2.0
"""What a party was shown of operations of others, folded from its own file.

1. Of each in conflict with one of its own the latest that a notice has shown. It stays known when
   the conflict is settled, as whatever came of it then was not told; until the party was told that
   the other operation is over.
2. Of each that is LIMITED with one of its own that it is there, and no more; until its own is
   changed or over, as nobody is told when it is LIMITED no more.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Final

import msgspec

from keepclear.exchange.disclosure import Shown, existence_of
from keepclear.exchange.events import LimitedFound, OperationFiled
from keepclear.exchange.picture import SETTLED
from keepclear.exchange.rechecking import ENDINGS, over_text
from keepclear.exchange.views import NOTICE_KIND, Notice
from keepclear.record.encoding import decode
from keepclear.record.entries import Part
from keepclear.record.files import LONGEST_LINE

Told = Notice | LimitedFound | OperationFiled
KINDS: Final[Mapping[str, type[Told]]] = {
    NOTICE_KIND: Notice, "limited-found/1": LimitedFound, "operation-filed/1": OperationFiled,
}  # fmt: skip


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """What a party knows of another's operation. own: the one of its own by which it was shown.

    conflict: in which; empty where they were LIMITED. is_open: some conflict with it goes on, so
    what changes is told.
    """

    shown: Shown
    conflict: str
    own: str
    is_open: bool


class KnownOthers:
    """What one party knows of operations of others. step: of its own, up to which it was read."""

    def __init__(self, party: str) -> None:
        self.step, self._party = 0, party
        self._latest: dict[str, Notice] = {}
        self._open: dict[str, set[str]] = {}
        self._limited: dict[str, dict[str, Known]] = {}  # by its own, then by the other

    def take(self, told: Told) -> None:
        """Take in what the next part of the file tells."""
        match told:
            case Notice():
                self._take_notice(told)
            case LimitedFound(a=a, b=b, parties=parties):
                own, other, party = (a, b, parties[1])
                if parties[0] != self._party:
                    own, other, party = (b, a, parties[0])
                self._limited.setdefault(own, {})[other] = Known(
                    shown=existence_of(other, party), conflict="", own=own, is_open=False
                )
            case OperationFiled(operation=operation):  # what it is LIMITED with is told anew
                self._limited.pop(operation.id, None)

    def _take_notice(self, notice: Notice) -> None:
        other = notice.other
        going_on = self._open.setdefault(other.id, set())
        if notice.state not in SETTLED:
            going_on.add(notice.conflict)
            self._latest[other.id] = notice
            return
        going_on.discard(notice.conflict)
        if any(notice.closed_by == over_text(other.id, other.party, why) for why in ENDINGS):
            self._latest.pop(other.id, None)
            self._open.pop(other.id, None)
            for each in self._limited.values():
                each.pop(other.id, None)

    def all(self, own: Iterable[str], now_us: int) -> tuple[Known, ...]:
        """Return all that is known now; forget what was over by the times that were shown.

        own: the party's operations that protect.
        """
        for other_id, each in [*self._latest.items()]:
            to_us = each.other.to_us
            if not self._open.get(other_id) and to_us is not None and to_us <= now_us:
                del self._latest[other_id]
                self._open.pop(other_id, None)
        limited = {
            other_id: known
            for each in own for other_id, known in self._limited.get(each, {}).items()
        }  # fmt: skip
        in_conflict = {
            other_id: Known(
                shown=each.other, conflict=each.conflict, own=each.own,
                is_open=bool(self._open.get(other_id)),
            )
            for other_id, each in self._latest.items()
        }  # fmt: skip
        return tuple((limited | in_conflict).values())


class KnownBy:
    """What each party knows of operations of others, as far as it was asked for."""

    def __init__(self) -> None:
        self._parties: dict[str, KnownOthers] = {}

    def catch_up(
        self, party: str, count: int, parts: Callable[[int], Iterable[Iterable[Part]]]
    ) -> bool:
        """Read on, and tell whether there is more to be read.

        count: how many steps the party has. parts: of some steps after a number, by step.
        """
        known = self._of(party)
        if known.step < count:
            for step in parts(known.step):
                for each in step:
                    if (kind := KINDS.get(each.kind)) is not None:
                        known.take(decode(bytes(each.data), kind, each.kind, LONGEST_LINE))
                known.step += 1
        return known.step < count

    def all(self, party: str, own: Iterable[str], now_us: int) -> tuple[Known, ...]:
        """Return what a party knows, as far as it was read; as `KnownOthers.all`."""
        return self._of(party).all(own, now_us)

    def _of(self, party: str) -> KnownOthers:
        return self._parties.setdefault(party, KnownOthers(party))
