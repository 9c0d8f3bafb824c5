# SPDX-License-Identifier: Apache-2.0
"""What a party was shown of operations of others, folded from the notices in its own file.

Of each the latest that was shown. It stays known when its conflict is settled, as whatever came
of it then was not told; until the party was told that the other operation is over.
"""

from collections.abc import Callable, Iterable

import msgspec

from keepclear.exchange.disclosure import Shown
from keepclear.exchange.picture import SETTLED
from keepclear.exchange.rechecking import ENDINGS, over_text
from keepclear.exchange.views import Notice


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """What a party knows of another's operation. number: of the notice that has shown it.

    conflict, own: that it was of. is_open: some conflict with it goes on, so what changes is told.
    """

    shown: Shown
    number: int
    conflict: str
    own: str
    is_open: bool


class KnownOthers:
    """What one party knows of operations of others. step: of its own, up to which it was read."""

    def __init__(self) -> None:
        self.step = 0
        self._latest: dict[str, Notice] = {}
        self._open: dict[str, set[str]] = {}

    def take(self, notice: Notice) -> None:
        """Take in the next notice."""
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

    def all(self, now_us: int) -> tuple[Known, ...]:
        """Return all that is known now; forget what was over by the times that were shown."""
        for own_id, each in [*self._latest.items()]:
            to_us = each.other.to_us
            if not self._open.get(own_id) and to_us is not None and to_us <= now_us:
                del self._latest[own_id]
                self._open.pop(own_id, None)
        return tuple(
            Known(
                shown=each.other, number=each.number, conflict=each.conflict, own=each.own,
                is_open=bool(self._open.get(own_id)),
            )
            for own_id, each in self._latest.items()
        )  # fmt: skip


class KnownBy:
    """What each party knows of operations of others, as far as it was asked for."""

    def __init__(self) -> None:
        self._parties: dict[str, KnownOthers] = {}

    def catch_up(
        self, party: str, count: int, notices: Callable[[int], Iterable[Iterable[Notice]]]
    ) -> bool:
        """Read on, and tell whether there is more to be read.

        count: how many steps the party has. notices: of some steps after a number, by step.
        """
        known = self._parties.setdefault(party, KnownOthers())
        if known.step < count:
            for step in notices(known.step):
                for each in step:
                    known.take(each)
                known.step += 1
        return known.step < count

    def all(self, party: str, now_us: int) -> tuple[Known, ...]:
        """Return what a party knows, as far as it was read."""
        return self._parties[party].all(now_us) if party in self._parties else ()
