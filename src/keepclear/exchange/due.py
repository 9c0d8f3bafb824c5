# SPDX-License-Identifier: Apache-2.0
"""When something falls due by time alone: of all that is agreed, filed, asked, said and checked.

What is noted twice, or of something that has changed since, does nothing when its time comes. So
it can be noted anew from the events of a record, and the same falls due at the same times.
"""

import heapq
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

from keepclear.exchange.events import (
    ConflictChanged,
    Event,
    IncidentChanged,
    LineChecked,
    MessageChanged,
    MessageOverdue,
    OperationFiled,
    OperationMoved,
    StandingCarried,
    StopChanged,
)
from keepclear.exchange.world import World
from keepclear.line.checks import Check, CheckedLine
from keepclear.line.messages import Message
from keepclear.plans.incidents import Incident
from keepclear.plans.operations import Operation, protects_until_us
from keepclear.plans.stops import Stop


class Timer(NamedTuple):
    """What to look at when: an agreement by hash, a checked line by its key, all else by id."""

    at_us: int
    key: str


class Due:
    """What is to be looked at, soonest first. The owner alone writes."""

    def __init__(self) -> None:
        self._heap: list[Timer] = []

    def __iter__(self) -> Iterator[Timer]:
        """Yield what is noted."""
        return iter(self._heap)

    def put(self, at_us: int, key: str) -> None:
        """Note when something is to be looked at."""
        heapq.heappush(self._heap, Timer(at_us, key))

    def first(self, until_us: int) -> Timer | None:
        """Return what is due first, if it is due by then; it stays."""
        return self._heap[0] if self._heap and self._heap[0].at_us <= until_us else None

    def drop(self, first: Timer) -> None:
        """Forget what is due first."""
        while self._heap and self._heap[0] == first:
            heapq.heappop(self._heap)

    @contextmanager
    def dropped(self, first: Timer) -> Iterator[None]:
        """Forget what is due first before it is looked at within, unless that fails.

        Before, as the same may fall due at that very time once more.
        """
        self.drop(first)
        try:
            yield
        except BaseException:  # whatever it is, it goes on, and nothing is lost by it
            self.put(*first)
            raise

    def put_off(self, until_us: int) -> None:
        """Let what is due before a time be due then: it was held until that."""
        while (first := self.first(until_us - 1)) is not None:
            self.drop(first)
            self.put(until_us, first.key)

    def plan(  # noqa: C901, PLR0912 one for each thing that falls due
        self, world: World, events: Iterable[Event], now_us: int
    ) -> None:
        """Note what events of now have brought. world: after them."""
        changed: dict[str, None] = {}  # each once: most are accepted as they are filed
        for event in events:
            match event:
                case ConflictChanged():  # of which there are most: nothing falls due
                    pass
                case OperationFiled(operation=operation):
                    changed[operation.id] = None
                case OperationMoved(id=operation_id):
                    changed[operation_id] = None
                case IncidentChanged(incident=incident):
                    self._plan_case(incident)
                case MessageChanged(message=message) | MessageOverdue(message=message):
                    self._plan_at(message)
                case StopChanged(stop=stop):
                    self._plan_at(stop)
                case LineChecked(line=line, check=check):
                    self._plan_line(line)
                    if check is not None:
                        self._plan_check(check)
                case StandingCarried(table="operations", key=operation_id):
                    changed[operation_id] = None
                case StandingCarried():
                    self._plan_carried(world, event, now_us)
                case _:
                    pass
        for each in changed:
            self._plan_operation(world.operations[each], now_us)

    def _plan_carried(self, world: World, event: StandingCarried, now_us: int) -> None:
        """Note what falls due of what stood in a backup; at once where that has passed.

        Nobody looks at anything between what is carried over, so it may not be due before it.
        """
        match event:
            case StandingCarried(table="incidents", key=own):
                self._plan_case(world.incidents[own], now_us)
            case StandingCarried(table="stops" | "messages" as table, key=own):
                self._plan_at(getattr(world, table)[own], now_us)
            case StandingCarried(table="line_checks", key=own):
                self._plan_check(world.line_checks[own], now_us)
            case StandingCarried(table="lines_checked", key=own):
                self._plan_line(world.lines_checked[own], now_us)
            case _:
                pass

    def _plan_case(self, incident: Incident, from_us: int = 0) -> None:
        """Note when a reply in a case falls due."""
        if incident.due_us is not None:
            self.put(max(incident.due_us, from_us), incident.id)

    def _plan_at(self, looked_at: Message | Stop, from_us: int = 0) -> None:
        """Note when something of a message or a STOP falls due next, also where that has passed."""
        if looked_at.next_us is not None:
            self.put(max(looked_at.next_us, from_us), looked_at.id)

    def _plan_check(self, check: Check, from_us: int = 0) -> None:
        """Note when a check that waits is MISSED."""
        if check.result is None:
            self.put(max(check.missed_us, from_us), check.id)

    def _plan_line(self, line: CheckedLine, from_us: int = 0) -> None:
        """Note when a check of a line is MISSED that nobody has sent."""
        if line.unsent_us is not None:
            self.put(max(line.unsent_us, from_us), line.key)

    def _plan_operation(self, operation: Operation, now_us: int) -> None:
        """Note when an operation falls due; at once where that has passed."""
        if operation.is_protecting:
            self.put(max(protects_until_us(operation), now_us), operation.id)
