# SPDX-License-Identifier: Apache-2.0
"""What acts on incident cases do: opened, asked, replied to, written into, closed.

Rules are those of `plans.incidents`. A case, its lines and the acts on them are parts of the
record for its two parties and nobody else.

1. A case is about what its opener may name, and the other party may know of: an unknown thing,
   one that it does not see, and one that is not the other's business get the same answer.
2. A part of the record is named by the hash of its leaf, which says nothing to who does not hold
   it; whoever wants to show it gives its receipt, which is verified before it is taken.
3. A query, a reply and a line take back what one side has said of closing: there is more to read.
"""

from msgspec.structs import replace

from keepclear.errors import InputError
from keepclear.exchange.deciding import Deciding
from keepclear.exchange.events import IncidentChanged, LineChanged
from keepclear.exchange.none_here import incident_rules, show
from keepclear.exchange.operations import Refused
from keepclear.plans.incidents import (
    REPLY_US,
    URGENT_REPLY_US,
    About,
    AnswerLine,
    AskQuery,
    CloseIncident,
    Event,
    Incident,
    LeaveIncident,
    OpenIncident,
    Query,
    ReplyToQuery,
    TimelineLine,
    WriteLine,
    move,
)
from keepclear.record.headers import Act
from keepclear.record.receipts import Receipt, verify_receipt
from keepclear.record.views import is_seen
from keepclear.units import format_time

HASH_DIGITS = 64


def open_case(deciding: Deciding, act: Act, payload: OpenIncident) -> None:
    """Open a case with another party, about something in the record."""
    other = payload.other
    if other == act.party or other not in deciding.parties:
        raise InputError("other", other, "is no other party of this region", "see who has joined")
    kind = _kind(deciding, act, payload.about, other)
    reply_us, clause = _reply_us(deciding, act.party, other, payload)
    one, two = sorted((act.party, other))
    made = Incident(
        id=deciding.ids.id(), parties=(one, two), opened_by=act.party, about=payload.about,
        kind=kind, words=payload.words, is_urgent=payload.is_urgent, status=act.status,
        opened_us=deciding.now_us, reply_us=reply_us, clause=clause,
        none_here=(payload.about,) if kind is About.NONE_HERE else (),
    )  # fmt: skip
    deciding.seen_by = made.parties
    _change(deciding, made, f"opened by {act.party}")
    if kind is About.NONE_HERE:
        show(deciding, deciding.world.none_here[payload.about], made)


def ask(deciding: Deciding, act: Act, payload: AskQuery) -> None:
    """Ask the other party; its reply is due some days from now."""
    old = _incident(deciding, act, payload.id)
    state = move(old.state, Event.QUERY)
    query = Query(
        id=deciding.ids.id(), by=act.party, words=payload.words, asked_us=deciding.now_us,
        due_us=deciding.now_us + old.reply_us,
    )  # fmt: skip
    note = f"{act.party} asks {old.other(act.party)}; due {format_time(query.due_us)[:19]}Z"
    _change(deciding, replace(old, state=state, query=query, closing=()), note)


def reply(deciding: Deciding, act: Act, payload: ReplyToQuery) -> None:
    """Reply to the query that waits; one that is overdue stays marked so."""
    old = _incident(deciding, act, payload.id)
    state = move(old.state, Event.REPLY)
    if old.query is None or old.query.id != payload.query:
        raise InputError("query", payload.query, "is not the one that waits", "see the case")
    if old.query.by == act.party:
        raise Refused(f"query {old.query.id[:8]}: is {act.party}'s own; the other side replies")
    query = replace(old.query, reply=payload.words, replied_us=deciding.now_us)
    _change(
        deciding, replace(old, state=state, query=query, closing=()), f"{act.party} replies"
    )  # fmt: skip


def fall_due(deciding: Deciding, incident: Incident) -> None:
    """Say that a reply is overdue, if one still waits."""
    due_us, query = incident.due_us, incident.query
    if query is None or due_us is None or due_us > deciding.now_us:
        return
    state = move(incident.state, Event.FALL_DUE)
    made = replace(incident, state=state, query=replace(query, is_overdue=True))
    _change(deciding, made, f"the reply of {incident.other(query.by)} is overdue")


def write_line(deciding: Deciding, act: Act, payload: WriteLine) -> None:
    """Take a line of the timeline, as the account of one side."""
    old = _incident(deciding, act, payload.id)
    state = move(old.state, Event.LINE)
    if payload.at_us > deciding.now_us:
        raise InputError(
            "at_us", payload.at_us, f"is after now, {deciding.now_us}", "write of what has been"
        )
    for number, leaf in enumerate(payload.evidence):
        if not deciding.holds(act.party, bytes.fromhex(leaf)):
            raise _no_part(f"evidence[{number}]", leaf, act.party)
    for number, receipt in enumerate(payload.receipts):
        _check_receipt(deciding, act, receipt, f"receipts[{number}]")
    none_here = old.none_here
    if payload.none_here is not None:
        if not _may_name_statement(deciding, act, payload.none_here, old.other(act.party)):
            raise _unknown("none_here", payload.none_here)
        none_here = tuple(dict.fromkeys((*none_here, payload.none_here)))
    lines = [each for each in deciding.world.lines.values() if each.incident == old.id]
    made = TimelineLine(
        id=deciding.ids.id(), incident=old.id, by=act.party, at_us=payload.at_us,
        words=payload.words, evidence=payload.evidence, receipts=payload.receipts,
        none_here=payload.none_here, entered_us=deciding.now_us,
        is_late=any(each.at_us > payload.at_us for each in lines),
    )  # fmt: skip
    deciding.emit(old.parties, LineChanged(line=made))
    if old.closing or none_here != old.none_here:
        changed = replace(old, state=state, closing=(), none_here=none_here)
        _change(deciding, changed, f"{act.party} writes a line")
        for statement_id in none_here[len(old.none_here) :]:
            show(deciding, deciding.world.none_here[statement_id], changed)


def answer_line(deciding: Deciding, act: Act, payload: AnswerLine) -> None:
    """Agree to a line of the other side, or not; the last answer counts, all are in the record."""
    line = deciding.world.lines.get(payload.id)
    incident = None if line is None else deciding.world.incidents[line.incident]
    if line is None or incident is None or not _is_in(incident, act):
        raise InputError("line", payload.id, f"is no line that {act.party} sees", "see your cases")
    move(incident.state, Event.LINE)
    if line.by == act.party:
        raise Refused(
            f"line {line.id[:8]}: is {act.party}'s own; the other side answers, and what is to be "
            "said otherwise is another line"
        )
    if not payload.agrees and not payload.why:
        raise InputError("why", payload.why, "is empty", "give the reason why not")
    deciding.seen_by = incident.parties
    made = replace(line, agrees=payload.agrees, why=payload.why)
    deciding.emit(incident.parties, LineChanged(line=made))


def close(deciding: Deciding, act: Act, payload: CloseIncident) -> None:
    """Close a case; it is closed once both have said so."""
    old = _incident(deciding, act, payload.id)
    state = move(old.state, Event.CLOSE)
    closing = tuple(sorted({*old.closing, act.party}))
    is_closed = closing == old.parties
    why = payload.why or (old.why if old.closing else "")  # not why it was once left open
    made = replace(old, state=state if is_closed else old.state, closing=closing, why=why)
    _change(deciding, made, "closed by both" if is_closed else f"{act.party} would close it")


def leave(deciding: Deciding, act: Act, payload: LeaveIncident) -> None:
    """Leave a case open, with a reason."""
    old = _incident(deciding, act, payload.id)
    state = move(old.state, Event.LEAVE)
    made = replace(old, state=state, closing=(), why=payload.why)
    _change(deciding, made, f"left open by {act.party}: {payload.why}")


def _change(deciding: Deciding, incident: Incident, note: str) -> None:
    urgent = "URGENT: " if incident.is_urgent else ""
    deciding.emit(incident.parties, IncidentChanged(incident=incident, note=f"{urgent}{note}"))


def _incident(deciding: Deciding, act: Act, incident_id: str) -> Incident:
    """Return a case that a party is in; one error for all that it is not."""
    found = deciding.world.incidents.get(incident_id)
    if found is None or not _is_in(found, act):
        raise InputError(
            "incident", incident_id, f"is no case of {act.party}", "see your own cases"
        )
    deciding.seen_by = found.parties
    return found


def _is_in(incident: Incident, act: Act) -> bool:
    return act.party in incident.parties and act.status is incident.status


def _kind(deciding: Deciding, act: Act, about: str, other: str) -> About:
    """Return what a reference names; one error for all that these two may not speak of."""
    world = deciding.world
    if len(about) == HASH_DIGITS:
        if not deciding.holds(act.party, bytes.fromhex(about)):
            raise _no_part("about", about, act.party)
        return About.PART
    conflict = world.conflicts.get(about)
    operation = world.operations.get(about if conflict is None else conflict.a)
    if operation is not None and operation.status is act.status:
        if conflict is not None and set(conflict.parties) == {act.party, other}:
            return About.CONFLICT
        if conflict is None and _may_name_operation(deciding, act.party, about, other):
            return About.OPERATION
    if _may_name_statement(deciding, act, about, other):
        return About.NONE_HERE
    raise _unknown("about", about)


def _may_name_operation(deciding: Deciding, party: str, operation_id: str, other: str) -> bool:
    """Tell whether an operation is one's own, or the other's that one's own is in conflict with."""
    owner = deciding.world.operations[operation_id].party
    met = [set(each.parties) for each in deciding.world.conflicts_of(operation_id)]
    return owner == party or (owner == other and {party, other} in met)


def _may_name_statement(deciding: Deciding, act: Act, statement_id: str, other: str) -> bool:
    """Tell whether a statement was made by one of two parties to the other."""
    found = deciding.world.none_here.get(statement_id)
    if found is None or found.status is not act.status:
        return False
    return found.party in {act.party, other} and {act.party, other} <= set(found.parties)


def _reply_us(deciding: Deciding, party: str, other: str, payload: OpenIncident) -> tuple[int, str]:
    """Return how long a reply may take, by the strictest clause, and which that is."""
    default_us = URGENT_REPLY_US if payload.is_urgent else REPLY_US
    agreed = [
        (rule.urgent_reply_us if payload.is_urgent else rule.reply_us, clause)
        for clause, rule in incident_rules(deciding, party, other)
        if rule is not None
    ]
    return min(agreed, default=(default_us, ""))


def _check_receipt(deciding: Deciding, act: Act, receipt: Receipt, path: str) -> None:
    """Refuse a receipt that does not verify, or is of what others see.

    The exchange's key signs for its own region alone, so one of another does not verify.
    """
    verify_receipt(receipt, deciding.believed, path)
    if not is_seen(receipt.audience, act.party):
        raise InputError(
            f"{path}.audience", receipt.audience, f"is no part of {act.region} that {act.party} "
            "sees", "give a receipt of your own",
        )  # fmt: skip


def _no_part(path: str, leaf: str, party: str) -> InputError:
    return InputError(
        path, leaf, f"is no part of the record that {party} sees", "see your own record"
    )


def _unknown(path: str, about: str) -> InputError:
    return InputError(
        path, about, "is nothing that these two parties may both know of",
        "name a conflict of the two, your own operation or one it is in conflict with, a none-here "
        "of one to the other, or a part of the record by its hash",
    )  # fmt: skip
