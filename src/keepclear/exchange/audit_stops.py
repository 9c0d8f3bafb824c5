# SPDX-License-Identifier: Apache-2.0
"""STOPs decided again: each comes of its act or of its time, and all that meets one must keep out.

1. An act on a STOP is decided again in the world before its entry, and that is taken back. What the
   entry says of the STOP and of the messages of it is what comes of it, to the same parties; so is
   what comes of its time.
2. After each entry every operation that it touched is compared with every STOP, and after one of a
   STOP every operation that protects is, without an index. What it must keep out of is what it was
   told, and its owner alone was told.
3. A STOP whose time to be renewed or to end came before an entry, and that is not told, is missing.
"""

from collections.abc import Iterable, Iterator
from typing import Final

from keepclear.agreement.findings import Verdict
from keepclear.exchange.audit_again import (
    GivenIds,
    Said,
    is_of_stop,
    made_again,
    taken_back,
    told_of,
)
from keepclear.exchange.audit_found import Found
from keepclear.exchange.audit_messages import Messages
from keepclear.exchange.deciding import Deciding
from keepclear.exchange.events import (
    Event,
    KeepOutsChanged,
    MessageChanged,
    OperationFiled,
    StandingCarried,
    StopChanged,
)
from keepclear.exchange.keep_outs import areas_met, meeting
from keepclear.exchange.objects import KeepOuts
from keepclear.exchange.stops import fall_due
from keepclear.exchange.world import World
from keepclear.plans.operations import Operation
from keepclear.record.encoding import Signed
from keepclear.record.headers import Act
from keepclear.record.signers import deed_of

ABOUT: Final = (StopChanged, MessageChanged)


class Stops:
    """The STOPs of a record. Written by the audit alone. acts: how many were decided again."""

    def __init__(self, found: Found, messages: Messages) -> None:
        self._found, self._messages, self.acts = found, messages, 0
        self._is_held, self._held_until_us = False, 0
        self._missing: set[tuple[str, int]] = set()
        self._carried: dict[str, int] = {}  # when each was carried over: nobody looked before

    def hold(self, until_us: int | None) -> None:
        """Let what falls due wait, as clocks differ; or until a time, at which it did no more."""
        self._is_held = until_us is None
        self._held_until_us = until_us or 0

    def check(self, act: Act | None, payload: Signed | None, said: list[Said]) -> None:
        """Compare an entry, before it is folded, with what comes of its act, or of time."""
        self._check_missing()
        for _, event in said:
            if isinstance(event, StandingCarried) and event.table == "stops":
                self._carried[event.key] = self._found.deciding.now_us
        self._check_audiences(said)
        if not is_of_stop(payload, said):
            return
        told = [each for each in said if isinstance(each.event, ABOUT)]
        deciding = self._messages.deciding(GivenIds(_ids_of(told, self._found.world)))
        if act is None or payload is None or not is_of_stop(payload, []):
            self._check_by_time(deciding, told)
            return
        self.acts += 1
        made = made_again(self._found, deciding, act, payload, said, ABOUT)
        if made is not None and made != told:
            self._differs(told or made, f"is not as {deed_of(act)} of {act.party} makes it")

    def check_keep_outs(self, events: Iterable[Event], touched: Iterable[str]) -> None:
        """Compare where operations must keep out, after an entry, with where they were told to."""
        world = self._found.world
        every = any(isinstance(each, StopChanged) for each in events)
        for own_id in world.operations if every else touched:
            operation = world.operations[own_id]
            told = world.keep_outs.get(own_id, KeepOuts()).areas
            met = areas_met(self._found.functions, self._found.deciding.near, world, operation)
            if told != met:
                what = "MISSING: " if not told else ""
                self._found.differs(
                    f"operation {own_id[:8]}",
                    f"{what}must keep out of other areas than {operation.party} was told",
                    is_boundary=Verdict.BOUNDARY in self._verdicts(operation),
                )  # fmt: skip

    def _verdicts(self, operation: Operation) -> Iterator[Verdict | None]:
        for stop in self._found.world.stops.values():
            yield meeting(self._found.functions, self._found.deciding.near, stop, operation)

    def _check_audiences(self, said: list[Said]) -> None:
        """Tell of what stands in the tree of another than the one whom it is for."""
        new = {
            each.event.operation.id: each.event.operation
            for each in said if isinstance(each.event, OperationFiled)
        }  # fmt: skip
        for audience, event in said:
            match event:
                case StopChanged(stop=stop) if audience != stop.party:
                    self._found.differs(f"stop {stop.id[:8]}", f"stands in the tree of {audience}")
                case KeepOutsChanged(id=own_id):
                    own = new.get(own_id) or self._found.world.operations.get(own_id)
                    if own is None or audience != own.party:
                        self._found.differs(
                            f"operation {own_id[:8]}",
                            f"must keep out, which stands in the tree of {audience}",
                        )
                case _:
                    pass

    def _check_missing(self) -> None:
        """Tell of STOPs whose time came before this entry, and that is not told."""
        now_us = self._found.deciding.now_us
        for stop in self._found.world.stops.values() if not self._is_held else ():
            due_us, from_us = stop.next_us, self._carried.get(stop.id, 0)
            if due_us is None or max(due_us, from_us, self._held_until_us) >= now_us:
                continue
            if (stop.id, due_us) not in self._missing:
                self._missing.add((stop.id, due_us))
                self._found.differs(f"stop {stop.id[:8]}", "its time has come, and nobody is told")

    def _check_by_time(self, deciding: Deciding, told: list[Said]) -> None:
        """Compare what no act on a STOP has led to."""
        made: list[Said] = []
        for _, event in told[:1]:
            if isinstance(event, StopChanged) and event.stop.id in deciding.world.stops:
                fall_due(deciding, deciding.world.stops[event.stop.id])
                made = told_of(deciding, ABOUT)
        taken_back(deciding)
        if made != told:
            self._differs(told, "does not stand as its time makes it")

    def _differs(self, about: list[Said], what: str) -> None:
        for _, event in about[:1]:
            own = event.stop.id if isinstance(event, StopChanged) else ""
            self._found.differs(f"stop {own[:8]}", what)


def _ids_of(told: list[Said], world: World) -> list[str]:
    """Return the ids that an entry has given to a STOP or SAR case, and to its messages."""
    found: list[str] = []
    for _, event in told:
        if isinstance(event, StopChanged):
            given = event.stop.id, *event.stop.messages
            found += [each for each in given if each not in world.stops.keys() | world.messages]
    return found
