# SPDX-License-Identifier: Apache-2.0
"""How a party's operations, conflicts, messages, lines and STOPs stand, folded from its own file.

So that a party need not ask: what it shows its officers follows from what it holds, and can prove.
The same as what the exchange answers to it (`reads`), as a test holds.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from keepclear.exchange.events import (
    CallChanged,
    KeepOutsChanged,
    LineChecked,
    MessageChanged,
    MessageOverdue,
    OperationFiled,
    OperationMoved,
    ShiftChanged,
    StandingCarried,
    StopChanged,
)
from keepclear.exchange.objects import KeepOuts
from keepclear.exchange.views import NOTICE_KIND, Notice
from keepclear.exchange.world import moved
from keepclear.line.calls import Call
from keepclear.line.checks import Check, CheckedLine
from keepclear.line.messages import Message
from keepclear.line.shifts import Shift
from keepclear.line.stops import Area
from keepclear.plans.conflicts import State as ConflictState
from keepclear.plans.operations import Operation
from keepclear.plans.stops import Stop
from keepclear.record.encoding import decode
from keepclear.record.entries import Part
from keepclear.record.files import LONGEST_LINE

SETTLED: Final = frozenset({ConflictState.RESOLVED.value, ConflictState.EXPIRED.value})
Told = (
    OperationFiled | OperationMoved | StandingCarried | Notice | MessageChanged | MessageOverdue
    | LineChecked | ShiftChanged | CallChanged | StopChanged | KeepOutsChanged
)  # fmt: skip
KINDS: Final[Mapping[str, type[Told]]] = {
    "operation-filed/1": OperationFiled,
    "operation-moved/1": OperationMoved,
    "standing-carried/1": StandingCarried,
    NOTICE_KIND: Notice,
    "message-changed/1": MessageChanged,
    "message-overdue/1": MessageOverdue,
    "line-checked/1": LineChecked,
    "shift-changed/1": ShiftChanged,
    "call-changed/1": CallChanged,
    "stop-changed/1": StopChanged,
    "keep-outs-changed/1": KeepOutsChanged,
}


def told_in(part: Part) -> Told | None:
    """Return what a part tells of operations, conflicts, STOPs or the line; None for all else.

    `Malformed` for one that is not what its kind says.
    """
    kind = KINDS.get(part.kind)
    return None if kind is None else decode(bytes(part.data), kind, part.kind, LONGEST_LINE)


class Picture:
    """A party's own operations, the latest notice of each of its conflicts, its messages, by id.

    checks: of its lines, by id; lines: those that are checked, by their keys (`line.checks`).
    shifts: of its own posts; calls: with others, by id.
    stops: its own; keep_outs: where its operations must keep out, by their ids.
    What is over may be left out of what it goes on from: nothing more comes of that.
    """

    def __init__(
        self, party: str, operations: Mapping[str, Operation], conflicts: Mapping[str, Notice],
        messages: Mapping[str, Message] = MappingProxyType({}),
        checks: Mapping[str, Check] = MappingProxyType({}),
        lines: Mapping[str, CheckedLine] = MappingProxyType({}),
        shifts: Mapping[str, Shift] = MappingProxyType({}),
        calls: Mapping[str, Call] = MappingProxyType({}),
        stops: Mapping[str, Stop] = MappingProxyType({}),
        keep_outs: Mapping[str, tuple[Area, ...]] = MappingProxyType({}),
    ) -> None:  # fmt: skip
        self._party = party
        self.operations, self.conflicts = dict(operations), dict(conflicts)
        self.messages, self.checks, self.lines = dict(messages), dict(checks), dict(lines)
        self.shifts, self.calls = dict(shifts), dict(calls)
        self.stops, self.keep_outs = dict(stops), dict(keep_outs)

    def take(self, told: Told | None) -> None:  # noqa: C901, PLR0912 one for each kind
        """Take in what the next part tells."""
        match told:
            case OperationFiled(operation=operation) if operation.party == self._party:
                self.operations[operation.id] = operation
            case StandingCarried(table="operations", key=own, value=value):
                self.operations[own] = decode(bytes(value), Operation, own, LONGEST_LINE)
            case OperationMoved(id=own) if own in self.operations:
                self.operations[own] = moved(self.operations[own], told)
            case Notice():
                self.conflicts[told.conflict] = told
            case MessageChanged(message=message) | MessageOverdue(message=message):
                self.messages[message.id] = message
            case LineChecked(line=line, check=check):
                self._take_check(line, check)
            case ShiftChanged(shift=shift):
                self.shifts[shift.id] = shift
            case CallChanged(call=call):
                self.calls[call.id] = call
            case StandingCarried(table="line_checks", key=own, value=value):
                self.checks[own] = decode(bytes(value), Check, own, LONGEST_LINE)
            case StandingCarried(table="lines_checked", key=own, value=value):
                self.lines[own] = decode(bytes(value), CheckedLine, own, LONGEST_LINE)
            case StandingCarried(table="shifts", key=own, value=value):
                self.shifts[own] = decode(bytes(value), Shift, own, LONGEST_LINE)
            case StandingCarried(table="calls", key=own, value=value):
                self.calls[own] = decode(bytes(value), Call, own, LONGEST_LINE)
            case StandingCarried(table="messages", key=own, value=value):
                self.messages[own] = decode(bytes(value), Message, own, LONGEST_LINE)
            case _:
                self._take_stop(told)

    def unsettled(self) -> dict[str, Notice]:
        """Return how the conflicts stand that are not settled."""
        return {own: each for own, each in self.conflicts.items() if each.state not in SETTLED}

    def undone(self) -> dict[str, Message]:
        """Return the messages of which some step is due, or whose STOP has not ended."""
        return {own: each for own, each in self.messages.items() if each.is_open}

    def standing_stops(self) -> dict[str, Stop]:
        """Return the party's own STOPs that have not ended."""
        return {own: each for own, each in self.stops.items() if each.is_protecting}

    def _take_stop(self, told: Told | None) -> None:
        match told:
            case StopChanged(stop=stop):
                self.stops[stop.id] = stop
            case StandingCarried(table="stops", key=own, value=value):
                self.stops[own] = decode(bytes(value), Stop, own, LONGEST_LINE)
            case KeepOutsChanged(id=own, areas=areas):
                self._keep_out(own, areas)
            case StandingCarried(table="keep_outs", key=own, value=value):
                self._keep_out(own, decode(bytes(value), KeepOuts, own, LONGEST_LINE).areas)
            case _:
                pass

    def _keep_out(self, own: str, areas: tuple[Area, ...]) -> None:
        self.keep_outs.pop(own, None)
        if areas:
            self.keep_outs[own] = areas

    def _take_check(self, line: CheckedLine, check: Check | None) -> None:
        self.lines[line.key] = line
        if check is not None:
            self.checks[check.id] = check

    def shown_checks(self) -> dict[str, Check]:
        """Return the checks that wait, or that a line is as it is because of."""
        kept = {own for line in self.lines.values() for own in (*line.checks, line.waits)}
        return {own: each for own, each in self.checks.items() if own in kept}

    def open_shifts(self) -> dict[str, Shift]:
        """Return the shifts that are open."""
        return {own: each for own, each in self.shifts.items() if each.is_open}

    def waiting_calls(self) -> dict[str, Call]:
        """Return the calls that the other party has neither signed nor annotated."""
        return {own: each for own, each in self.calls.items() if each.waits}

    def protecting(self) -> dict[str, Operation]:
        """Return the operations that protect."""
        return {own: each for own, each in self.operations.items() if each.is_protecting}
