# SPDX-License-Identifier: Apache-2.0
"""What a post reads in a terminal: what came of an act, its operations, how its conflicts stand.

An operation and a conflict are named by the first eight digits of their ids.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

import msgspec

from keepclear.agreement.clauses import Precedence
from keepclear.exchange.events import OperationFiled, OperationMoved
from keepclear.exchange.views import NOTICE_KIND, Notice
from keepclear.plans.conflicts import Proposal
from keepclear.plans.operations import Operation, State
from keepclear.plans.understood import understood
from keepclear.record.entries import Leaf, Part
from keepclear.reports.play_values import day_of, listed
from keepclear.reports.printable import printable
from keepclear.reports.told_text import breaks_text, operation_rows, shown_rows
from keepclear.units import TMM_PER_FOOT, TMM_PER_NM, US_PER_S, format_time

SHORT: Final = 8
LABEL: Final = 12
SETTLED: Final = frozenset({"resolved", "expired"})


def done_text(parts: Sequence[Part]) -> str:
    """Return what came of an act. parts: that it led to."""
    moved = [
        msgspec.json.decode(bytes(each.data), type=OperationMoved)
        for each in parts if each.kind == "operation-moved/1"
    ]  # fmt: skip
    states = {each.id: each.state for each in moved}
    said: list[str] = []
    for part in parts:
        data = bytes(part.data)
        if part.kind == "operation-filed/1":
            made = msgspec.json.decode(data, type=OperationFiled).operation
            made = msgspec.structs.replace(made, state=states.pop(made.id, made.state))
            said.append("\n".join(_operation(made, day_of(part.at_us))))
        elif part.kind == NOTICE_KIND:
            said.append("\n".join(_notice(msgspec.json.decode(data, type=Notice), part.at_us)))
    for each in moved:
        if states.pop(each.id, None) is not None:
            why = f": {printable(each.why)}" if each.why else ""
            said.insert(0, f"operation {each.id[:SHORT]} is {each.state}{why}")
    return "\n\n".join(said) + "\n"


def snapshot_text(data: bytes, now_us: int) -> str:
    """Return how all stood when a stream began. data: of the snapshot."""
    found = msgspec.json.decode(data, type=_Snapshot)
    protecting = sum(each.is_protecting for each in found.operations)
    said = f"of your operations, {protecting:,} protect now\n\n"
    return said + conflicts_text(found.conflicts, now_us)


def step_text(data: bytes) -> tuple[str, bool]:
    """Return when and what a step of a stream tells, empty for nothing, and whether it is urgent.

    data: lines of the party's file, as a JSON array.
    """
    lines = msgspec.json.decode(data, type=list[_Line])
    parts = [
        msgspec.json.decode(each.leaf.part, type=Part) for each in lines if each.leaf is not None
    ]
    notices = [
        msgspec.json.decode(bytes(each.data), type=Notice)
        for each in parts if each.kind == NOTICE_KIND
    ]  # fmt: skip
    is_urgent = any(each.precedence is not Precedence.ROUTINE for each in notices)
    text = done_text(parts).strip()
    return f"{format_time(parts[0].at_us)[:19]}Z\n{text}" if text else "", is_urgent


class _Snapshot(msgspec.Struct):
    operations: tuple[Operation, ...]
    conflicts: tuple[Notice, ...]


class _Line(msgspec.Struct):
    """A line of a party's file, of which leaves alone are told."""

    leaf: Leaf | None = None


def operations_text(operations: Iterable[Operation], now_us: int) -> str:
    """Return a party's operations, the first to start first; those that are over are left out."""
    lines: list[str] = []
    for each in sorted(operations, key=lambda each: each.start_us):
        if each.is_protecting:
            lines += [*_operation(each, day_of(now_us)), ""]
    return "\n".join(lines) if lines else "no operations that protect\n"


def conflicts_text(notices: Iterable[Notice], now_us: int, *, is_all: bool = False) -> str:
    """Return how conflicts stand, the urgent first; settled ones only where all are asked for."""
    order = list(Precedence)
    shown = [each for each in notices if is_all or each.state not in SETTLED]
    lines: list[str] = []
    for each in sorted(shown, key=lambda each: (order.index(each.precedence), each.number)):
        lines += [*_notice(each, now_us), ""]
    said = "" if is_all else "no conflicts are known; what is not shown may be there all the same\n"
    return "\n".join(lines) if lines else said or "no conflicts\n"


def _operation(operation: Operation, day: str) -> Iterator[str]:
    waits = ", not accepted yet" if operation.state is State.FILED else ""
    yield f"operation {operation.id[:SHORT]}, version {operation.version}: {operation.state}{waits}"
    yield from _rows(operation_rows(operation, understood(operation), day))
    if operation.late_us:
        late_s = -(-operation.late_us // US_PER_S)
        yield from _rows({"LATE": f"by {late_s:,} s: it is recorded, and protects all the same"})


def _notice(notice: Notice, now_us: int) -> Iterator[str]:
    day, other = day_of(now_us), notice.other
    urgency = "" if notice.precedence is Precedence.ROUTINE else f"{notice.precedence}: "
    yield (
        f"{urgency}CONFLICT {notice.conflict[:SHORT]} of your {notice.own[:SHORT]} with "
        f"{other.id[:SHORT]} of {other.party}: {notice.state}"
    )
    rows: dict[str, str] = {}
    if notice.closed_by:
        rows["closed by"] = printable(notice.closed_by)
    else:
        clause = f", by clause {notice.clause}" if notice.clause else ", filed later"
        rows["must act"] = listed([each.upper() for each in notice.must_act]) + clause
        for number, each in enumerate(notice.broken):
            rows["breaks" if not number else f"breaks {number + 1}"] = breaks_text(each, day)
    if notice.proposal is not None:
        proposal = notice.proposal
        rows["proposed"] = f"by {proposal.by}: {proposal.operation[:SHORT]} goes {_goes(proposal)}"
    if notice.acknowledged:
        rows["seen by"] = listed(list(notice.acknowledged))
    if notice.agreed:
        rows["agrees"] = f"{listed(list(notice.agreed))}, as it is"
    for party, answer, why in notice.answers:
        rows[f"{party} says"] = f"{answer}{f': {printable(why)}' if why else ''}"
    yield from _rows(rows)
    if not notice.closed_by:
        yield f"  {'you see':<{LABEL}}of {other.id[:SHORT]}"
        seen = shown_rows(other, day)
        if not seen.keys() - {"state"}:
            seen["area"] = "that it is there, and no more: no clause shows more"
        yield from (f"  {'':<{LABEL}}{label:<9}{text}" for label, text in seen.items())
        if other.ovn:
            yield f"  {'':<{LABEL}}{'version':<9}{other.ovn}"


def _rows(rows: dict[str, str]) -> Iterator[str]:
    return (f"  {label:<{LABEL}}{text}" for label, text in rows.items())


def _goes(proposal: Proposal) -> str:
    said = []
    if proposal.shift_us:
        minutes = abs(proposal.shift_us) / 60 / US_PER_S
        said.append(f"{minutes:,g} min {'later' if proposal.shift_us > 0 else 'earlier'}")
    if proposal.climb_tmm:
        feet = abs(proposal.climb_tmm) / TMM_PER_FOOT
        said.append(f"{feet:,.0f} ft {'higher' if proposal.climb_tmm > 0 else 'lower'}")
    if proposal.aside_tmm:
        miles = proposal.aside_tmm / TMM_PER_NM
        said.append(f"{miles:,g} NM towards {proposal.towards_deg:03.0f}")
    return listed(said)
