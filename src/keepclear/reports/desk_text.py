# SPDX-License-Identifier: Apache-2.0
"""What a post reads in a terminal: what came of an act, its operations, how its conflicts stand.

An operation and a conflict are named by the first eight digits of their ids.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

import msgspec

from keepclear.agreement.clauses import Precedence
from keepclear.exchange.events import (
    KIND_OF,
    AgreementStood,
    CallChanged,
    IncidentChanged,
    KeepOutsChanged,
    LineChanged,
    LineChecked,
    MessageChanged,
    MessageOverdue,
    NoneHereContradicted,
    NoneHereStated,
    NoneHereWithdrawn,
    OperationFiled,
    OperationMoved,
    ShiftChanged,
    StopChanged,
)
from keepclear.exchange.picture import SETTLED, Picture, told_in
from keepclear.exchange.views import Notice
from keepclear.plans.conflicts import Proposal
from keepclear.plans.operations import Operation, State
from keepclear.plans.understood import understood
from keepclear.record.cap_keys import CapKey
from keepclear.record.entries import Part
from keepclear.record.envelopes import Envelope
from keepclear.record.keys import PublicKey
from keepclear.record.parts import CAP_KEY_KIND, EXCHANGE_KEY_KIND, ExchangeKeyChange
from keepclear.reports.call_text import call_changed_text
from keepclear.reports.line_check_text import LOUD as LOUD_CHECKS
from keepclear.reports.line_check_text import line_changed_text
from keepclear.reports.message_text import changed_text, urgent_words
from keepclear.reports.play_values import day_of, listed
from keepclear.reports.printable import printable
from keepclear.reports.record_text import grouped
from keepclear.reports.shift_text import shift_changed_text
from keepclear.reports.stop_text import keep_outs_changed_text, stop_changed_text
from keepclear.reports.told_text import breaks_text, operation_rows, shown_rows
from keepclear.units import TMM_PER_FOOT, TMM_PER_NM, US_PER_S, format_time

URGENT: Final = f"{Precedence.URGENT}: "
LOUD: Final = (URGENT, *urgent_words(), *LOUD_CHECKS)
BESIDE: Final[Mapping[str, type[Any]]] = {
    KIND_OF[each]: each
    for each in (
        AgreementStood, IncidentChanged, LineChanged, NoneHereContradicted, NoneHereStated,
        NoneHereWithdrawn, MessageChanged, MessageOverdue, LineChecked, StopChanged,
        KeepOutsChanged, ShiftChanged, CallChanged,
    )
}  # fmt: skip
SHORT: Final = 8
LABEL: Final = 12
INNER: Final = 9
OWN_ROWS: Final = ("heights", "when", "protects")
Own = Mapping[str, Operation]


def done_text(parts: Sequence[Part], own: Own, *, with_keep_outs: bool = True) -> str:
    """Return what came of an act. parts: that it led to. own: the party's operations, by id."""
    told = [(each.at_us, told_in(each)) for each in parts]
    states = {each.id: each.state for _, each in told if isinstance(each, OperationMoved)}
    said: list[str] = []
    for at_us, each in told:
        if isinstance(each, OperationFiled):
            made = each.operation
            made = msgspec.structs.replace(made, state=states.pop(made.id, made.state))
            said.append("\n".join(_operation(made, day_of(at_us))))
        elif isinstance(each, Notice):
            said.append("\n".join(_notice(each, own.get(each.own), at_us)))
    said += [
        keep_outs_changed_text(msgspec.json.decode(each.data, type=KeepOutsChanged), each.at_us)
        for each in parts if with_keep_outs and each.kind == KIND_OF[KeepOutsChanged]
    ]  # fmt: skip
    for _, each in told:
        if isinstance(each, OperationMoved) and states.pop(each.id, None) is not None:
            why = f": {printable(each.why)}" if each.why else ""
            said.insert(0, f"operation {each.id[:SHORT]} is {each.state}{why}")
    return "\n\n".join(said) + "\n"


def picture_text(picture: Picture, now_us: int) -> str:
    """Return how all stands that is not over."""
    said = f"of your operations, {len(picture.protecting()):,} protect now\n\n"
    return said + conflicts_text(picture.conflicts.values(), picture.operations, now_us)


def as_of_text(as_of_us: int) -> str:
    """Return up to when something goes that is held."""
    return f"as of {format_time(as_of_us)[:19]}Z; what came later is not in it"


def step_text(parts: Sequence[Part], own: Own) -> tuple[str, bool]:
    """Return when and what a step tells, empty for nothing, and whether it is urgent.

    parts, own: as of `done_text`.
    """
    notices = [each for each in map(told_in, parts) if isinstance(each, Notice)]
    is_urgent = any(each.precedence is not Precedence.ROUTINE for each in notices)
    beside = [said for each in parts if (said := _beside(each))]
    is_urgent = is_urgent or any(each.startswith(LOUD) for each in beside)
    text = "\n".join([*beside, done_text(parts, own, with_keep_outs=False).strip()]).strip()
    return f"{format_time(parts[0].at_us)[:19]}Z\n{text}" if text else "", is_urgent


def _key_text(part: Part) -> str:
    """Return with which key the exchange signs from now on, or its documents of CAP."""
    said = msgspec.json.decode(bytes(part.data), type=Envelope).payload
    if part.kind == CAP_KEY_KIND:
        own = msgspec.json.decode(said, type=CapKey)
        return f"documents of CAP are signed with key {grouped(own.id)} from now on"
    key = PublicKey(msgspec.json.decode(said, type=ExchangeKeyChange).key)
    return f"the exchange signs with key {grouped(key.id)} from now on, as the one before says"


def _beside(part: Part) -> str:  # noqa: C901, PLR0912 one for each kind
    """Return what a part tells beside operations and conflicts; empty for nothing."""
    if part.kind in {EXCHANGE_KEY_KIND, CAP_KEY_KIND}:
        return _key_text(part)
    kind = BESIDE.get(part.kind)
    match None if kind is None else msgspec.json.decode(bytes(part.data), type=kind):
        case AgreementStood() as stood:
            look = "keepclear agreement list shows it"
            said = f"agreement {stood.hash[:SHORT]} is {stood.state}; {look}"
        case IncidentChanged(incident=case, note=note):
            urgent = URGENT if case.is_urgent else ""
            words = printable(note.removeprefix(URGENT))
            said = f"{urgent}incident {case.id[:SHORT]}: {words}"
        case LineChanged(line=line):
            said = f"incident {line.incident[:SHORT]}: line {line.id[:SHORT]} is {line.mark}"
        case MessageChanged() | MessageOverdue() as event:
            said = changed_text(event)
        case LineChecked() as event:
            said = line_changed_text(event)
        case ShiftChanged(shift=shift):
            said = shift_changed_text(shift)
        case CallChanged() as event:
            said = call_changed_text(event)
        case StopChanged(stop=stop):
            said = stop_changed_text(stop)
        case KeepOutsChanged() as outs:
            said = keep_outs_changed_text(outs, part.at_us)
        case NoneHereStated(statement=made):
            said = f"none-here {made.id[:SHORT]} stated by {made.party}"
        case NoneHereWithdrawn(id=own):
            said = f"{URGENT}none-here {own[:SHORT]} is withdrawn"
        case NoneHereContradicted(id=own, found=found):
            count = f"{len(found)} of your operations"
            said = f"{URGENT}none-here {own[:SHORT]} is CONTRADICTED by {count}"
        case _:
            said = ""
    return said


def changes_text(shown: Notice, latest: Notice, day: str) -> str:
    """Return what a notice says otherwise than the one that was shown; empty for nothing.

    That it was seen by somebody, or is told anew, is no change. day: as of `window`.
    """
    before, after = (_all_rows(each, day) for each in (shown, latest))
    return "; ".join(
        f"{label}: {after.get(label, 'nothing')}, and was {before.get(label, 'nothing')}"
        for label in {**before, **after} if before.get(label) != after.get(label)
    )  # fmt: skip


def operations_text(operations: Iterable[Operation], now_us: int) -> str:
    """Return a party's operations, the first to start first; those that are over are left out."""
    lines: list[str] = []
    for each in sorted(operations, key=lambda each: each.start_us):
        if each.is_protecting:
            lines += [*_operation(each, day_of(now_us)), ""]
    return "\n".join(lines) if lines else "no operations that protect\n"


def conflicts_text(
    notices: Iterable[Notice], own: Own, now_us: int, *, is_all: bool = False
) -> str:  # fmt: skip
    """Return how conflicts stand, the urgent first; settled ones only where all are asked for.

    own: the party's operations, by id.
    """
    order = list(Precedence)
    shown = [each for each in notices if is_all or each.state not in SETTLED]
    lines: list[str] = []
    for each in sorted(shown, key=lambda each: (order.index(each.precedence), each.number)):
        lines += [*_notice(each, own.get(each.own), now_us), ""]
    said = "" if is_all else "no conflicts are known; what is not shown may be there all the same\n"
    return "\n".join(lines) if lines else said or "no conflicts\n"


def _operation(operation: Operation, day: str) -> Iterator[str]:
    waits = ", not accepted yet" if operation.state is State.FILED else ""
    yield f"operation {operation.id[:SHORT]}, version {operation.version}: {operation.state}{waits}"
    yield from _rows(operation_rows(operation, understood(operation), day))
    if operation.late_us:
        late_s = -(-operation.late_us // US_PER_S)
        yield from _rows({"LATE": f"by {late_s:,} s: it is recorded, and protects all the same"})


def _notice(notice: Notice, own: Operation | None, now_us: int) -> Iterator[str]:
    """Yield the lines of a notice. own: the party's operation, where it is held."""
    day, other = day_of(now_us), notice.other
    urgency = "" if notice.precedence is Precedence.ROUTINE else f"{notice.precedence}: "
    yield (
        f"{urgency}CONFLICT {notice.conflict[:SHORT]} of your {notice.own[:SHORT]} with "
        f"{other.id[:SHORT]} of {other.party}: {notice.state}"
    )
    yield from _rows(notice_rows(notice, day))
    if notice.closed_by:
        return
    if own is not None:
        rows = operation_rows(own, understood(own), day)
        yield f"  {'yours':<{LABEL}}{own.id[:SHORT]}"
        yield from _inner_rows({"state": str(own.state)} | {
            label: text for label, text in rows.items() if label.rpartition(" ")[2] in OWN_ROWS
        })  # fmt: skip
    yield f"  {'you see':<{LABEL}}of {other.id[:SHORT]}"
    yield from _inner_rows(seen_rows(notice, day))


def notice_rows(notice: Notice, day: str) -> dict[str, str]:
    """Return what a notice says of a conflict, without what is seen of the other side."""
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
    return rows


def seen_rows(notice: Notice, day: str) -> dict[str, str]:
    """Return what is seen of the other side."""
    seen = shown_rows(notice.other, day)
    if not seen.keys() - {"state"}:
        seen["area"] = "that it is there, and no more: no clause shows more"
    return {**seen, "version": notice.other.ovn} if notice.other.ovn else seen


def _all_rows(notice: Notice, day: str) -> dict[str, str]:
    """Return all that a notice says, but who has seen it."""
    seen = {f"you see, {label}": text for label, text in seen_rows(notice, day).items()}
    rows = {
        "state": notice.state,
        "urgency": str(notice.precedence),
        **notice_rows(notice, day),
        **seen,
    }
    rows.pop("seen by", None)
    return rows


def _inner_rows(rows: Mapping[str, str]) -> Iterator[str]:
    return (f"  {'':<{LABEL}}{label:<{INNER}}{text}" for label, text in rows.items())


def _rows(rows: dict[str, str]) -> Iterator[str]:
    wide = max([LABEL, *(len(label) + 2 for label in rows)])
    return (f"  {label:<{wide}}{text}" for label, text in rows.items())


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
