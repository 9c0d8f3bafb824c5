# SPDX-License-Identifier: Apache-2.0
"""An incident case from a record's file, as its two parties can lay it side by side.

Both parties' files and the operator's archive give the same text, but for evidence: a part is
named by its hash, and told only where the file holds it. What one side was never shown is in
neither text: contradictions of a none-here are told as far as they were shown in the case.

1. Each line of the timeline is marked: agreed, or whose alone it is; lines stand by their time.
2. Words of a party stand after its name, on wrapped lines, with what is not seen written out.
3. Verifies nothing, and says so first.
"""

import textwrap
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

import msgspec

from keepclear.agreement.findings import Verdict
from keepclear.errors import InputError
from keepclear.exchange.events import (
    KINDS,
    ContradictionsShown,
    IncidentChanged,
    LineChanged,
    NoneHereContradicted,
    NoneHereStated,
    NoneHereWithdrawn,
    StandingCarried,
)
from keepclear.exchange.views import SAYS_NOTHING_ELSE
from keepclear.exchange.world import stood
from keepclear.plans.incidents import Incident, Query, State, TimelineLine
from keepclear.plans.none_here import Contradiction, NoneHere
from keepclear.plans.understood import understood_volume
from keepclear.record.encoding import Signed, decode
from keepclear.record.entries import Entry, Leaf, Part, leaf_of
from keepclear.record.files import LONGEST_LINE, AnyLine, EntryLine, LeafLine
from keepclear.reports.play_values import heights, where
from keepclear.reports.printable import printable
from keepclear.units import format_time

WIDTH: Final = 96
MARK: Final = 12
TIME: Final = 22
HOUR_US: Final = 3_600_000_000
DAY_US: Final = 24 * HOUR_US
HASH_DIGITS: Final = 64
MEETS: Final = {
    Verdict.CONFLICT: "meets it",
    Verdict.BOUNDARY: "touches it, or nearly does",
    Verdict.UNDETERMINED: "is there then; the heights cannot be compared",
}


@dataclass(eq=False)
class Cases:
    """What a file holds of incident cases. Written by `read_cases` alone.

    parts: of the record by the hash of their leaf. queries: of each case, in order. shown: what
    contradicts a statement, by the case that it was shown in and the statement; own: what its own
    party is told of that. has_ids: whether lines of a timeline are told with their ids.
    """

    incidents: dict[str, Incident] = field(default_factory=dict)
    notes: dict[str, str] = field(default_factory=dict)
    queries: dict[str, dict[str, Query]] = field(default_factory=dict)
    lines: dict[str, TimelineLine] = field(default_factory=dict)
    statements: dict[str, NoneHere] = field(default_factory=dict)
    shown: dict[tuple[str, str], list[Contradiction]] = field(default_factory=dict)
    own: dict[str, list[Contradiction]] = field(default_factory=dict)
    parts: dict[str, Part] = field(default_factory=dict)
    has_ids: bool = False


def incidents_text(lines: Iterable[bytes], wanted: str = "", *, is_proven: bool = False) -> str:
    """Return the cases in a record's file; wanted: how the id of one begins.

    is_proven: the lines are; each line of a timeline is then told with its id, to be answered.
    `InputError` where there is none such.
    """
    cases = read_cases(lines, has_ids=is_proven)
    found = [each for each in cases.incidents.values() if each.id.startswith(wanted)]
    if not found and wanted:
        known = ", ".join(each[:8] for each in cases.incidents) or "none"
        raise InputError("case", wanted, "is no incident case of this file", f"it has {known}")
    said = [] if is_proven else ["NOT VERIFIED: run `keepclear record verify` first.", ""]
    for each in found:
        said += [*_case(each, cases), ""]
    said += textwrap.wrap(
        "No incident case is in this file." if not found else
        "Agreed: both have said so. Only one side's: the other has not agreed, and why if it said "
        "why; silence is no agreement, and nothing here decides who is right.", WIDTH,
    )  # fmt: skip
    return "\n".join([*said, SAYS_NOTHING_ELSE]) + "\n"


def changed_text(parts: Iterable[Part], lines: Iterable[bytes]) -> str:
    """Return the cases and none-here statements that an act has changed, as they stand now.

    parts: that came of it. lines: of the party's file, proven.
    """
    cases, said = read_cases(lines, has_ids=True), list[str]()
    of_cases, of_statements = list[str](), list[str]()
    for part in parts:
        match msgspec.json.decode(part.data, type=KINDS[part.kind]) if part.kind in KINDS else None:
            case IncidentChanged(incident=incident):
                of_cases.append(incident.id)
            case LineChanged(line=line):
                of_cases.append(line.incident)
            case NoneHereStated(statement=statement):
                of_statements.append(statement.id)
            case NoneHereWithdrawn(id=own) | NoneHereContradicted(id=own):
                of_statements.append(own)
            case _:
                pass
    for own in dict.fromkeys(of_cases):
        said += [*_case(cases.incidents[own], cases), ""]
    for own in dict.fromkeys(of_statements):
        said += [*_none_here(cases.statements[own], cases.own.get(own, [])), ""]
    return "\n".join(said).strip("\n") + "\n"


def statements_text(lines: Iterable[bytes]) -> str:
    """Return the none-here statements in a party's file that are part of no case; "" for none.

    What contradicts them is told as far as the party is.
    """
    cases = read_cases(lines, has_ids=True)
    in_cases = {own for each in cases.incidents.values() for own in each.none_here}
    said = [
        line for own, each in cases.statements.items() if own not in in_cases
        for line in _none_here(each, cases.own.get(own, []))
    ]  # fmt: skip
    return "\n".join([*said, ""]).lstrip("\n") if said else ""


def part_text(leaf: str, part: Part) -> str:
    """Return a part of the record in a line, by its hash."""
    return f"{leaf[:16]}  {_time(part.at_us)}  {part.kind}"


def read_cases(lines: Iterable[bytes], *, has_ids: bool = False) -> Cases:
    """Return what a record's file, archive or view, holds of incident cases."""
    cases = Cases(has_ids=has_ids)
    for leaf in _leaves(lines):
        part = decode(bytes(leaf.part), Part, "part", LONGEST_LINE)
        cases.parts[leaf_of(leaf.salt, bytes(leaf.part)).hex()] = part
        if part.kind in KINDS:
            _take(cases, msgspec.json.decode(part.data, type=KINDS[part.kind]))
    return cases


def _take(cases: Cases, event: Signed) -> None:
    match event:
        case IncidentChanged(incident=incident):
            cases.incidents[incident.id] = incident
            cases.notes[incident.id] = event.note
            if incident.query is not None:
                asked = cases.queries.setdefault(incident.id, {})
                asked[incident.query.id] = incident.query
        case LineChanged(line=line):
            cases.lines[line.id] = line
        case NoneHereStated(statement=statement):
            cases.statements[statement.id] = statement
        case NoneHereWithdrawn() if event.id in cases.statements:
            old = cases.statements[event.id]
            made = msgspec.structs.replace(old, withdrawn_us=event.at_us)
            cases.statements[event.id] = made
        case StandingCarried():
            _take_stood(cases, stood(event))
        case NoneHereContradicted():
            cases.own.setdefault(event.id, []).extend(event.found)
        case ContradictionsShown() if event.by.startswith("incident "):
            key = (event.by.removeprefix("incident "), event.id)
            cases.shown.setdefault(key, []).extend(event.found)


def _take_stood(cases: Cases, value: Signed) -> None:
    """Take in what stood when a backup ended."""
    match value:
        case Incident():
            _take(cases, IncidentChanged(incident=value, note=""))
        case TimelineLine():
            cases.lines[value.id] = value
        case NoneHere():
            cases.statements[value.id] = value


def _case(incident: Incident, cases: Cases) -> Iterator[str]:
    """Yield the lines of one case, how it stands first."""
    one, two = incident.parties
    yield f"{incident.state.upper()}  incident case {incident.id[:8]} of {one} and {two}"
    urgent = ", urgent" if incident.is_urgent else ""
    yield f"  opened    {_time(incident.opened_us)} by {incident.opened_by}{urgent}"
    yield f"  about     {incident.kind.value} {incident.about[:16]}{_part(incident.about, cases)}"
    yield from _said(f"  it says   {incident.opened_by}: ", incident.words)
    by = incident.clause or "the default"
    yield f"  replies   due within {_days(incident.reply_us)} ({by})"
    yield from _said("  last      ", cases.notes[incident.id])
    if incident.state in {State.CLOSED, State.LEFT_OPEN} and incident.why:
        yield from _said("  why       ", incident.why)
    for query in cases.queries.get(incident.id, {}).values():
        yield from _query(incident, query)
    yield from _timeline(incident, cases)
    for statement_id in incident.none_here:
        if statement_id in cases.statements:
            found = cases.shown.get((incident.id, statement_id), [])
            statement = cases.statements[statement_id]
            yield from _none_here(statement, found, has_ids=cases.has_ids)


def _query(incident: Incident, query: Query) -> Iterator[str]:
    yield ""
    yield from _said(f"  QUERY     {_time(query.asked_us)} {query.by}: ", query.words)
    if query.is_overdue:
        yield f"  OVERDUE   the reply was due {_time(query.due_us)}"
    if query.replied_us is not None:
        before = f"  reply     {_time(query.replied_us)} {incident.other(query.by)}: "
        yield from _said(before, query.reply)
    elif not query.is_overdue:
        yield f"  due       {_time(query.due_us)}"


def _timeline(incident: Incident, cases: Cases) -> Iterator[str]:
    lines = [each for each in cases.lines.values() if each.incident == incident.id]
    yield ""
    yield f"  timeline  {len(lines)} {'line' if len(lines) == 1 else 'lines'}"
    for line in sorted(lines, key=lambda each: each.at_us):
        yield from _said(f"  {line.mark:<{MARK}}{_time(line.at_us)}  {line.by}: ", line.words)
        before = " " * (2 + MARK + TIME)
        if cases.has_ids:
            yield f"{before}line {line.id[:8]}"
        if line.is_late:
            yield f"{before}LATE ENTRY, written {_time(line.entered_us)}"
        if line.agrees is False:
            yield from _said(f"{before}{incident.other(line.by)} does not agree: ", line.why)
        for leaf in line.evidence:
            yield f"{before}evidence  {leaf[:16]}{_part(leaf, cases)}"
        for receipt in line.receipts:
            part = msgspec.json.decode(receipt.part, type=Part)
            yield f"{before}receipt   {part.kind}, entered {_time(part.at_us)}, with its proof"
        if line.none_here is not None:
            yield f"{before}none-here {line.none_here[:16]}, see below"


def _none_here(
    statement: NoneHere, found: list[Contradiction], *, has_ids: bool = True
) -> Iterator[str]:  # fmt: skip
    yield ""
    mark = "CONTRADICTED" if found else "NONE-HERE"
    named = f" {statement.id[:8]}" if has_ids else ""
    to = ", ".join(statement.to)
    yield f"  {mark}{named}  {statement.party}, {_time(statement.stated_us)}, to {to}"
    yield from _said("    it says   ", statement.text)
    volume = statement.volume
    yield (
        f"    volume    {where(volume)}, {heights(understood_volume(volume))}, "
        f"{_time(volume.start_us)} to {_time(volume.end_us)}"
    )
    if statement.withdrawn_us is not None:
        yield f"    withdrawn {_time(statement.withdrawn_us)}"
    for each in found:
        yield (
            f"    operation {each.operation[:8]} version {each.version} of {statement.party} "
            f"{MEETS[each.verdict]}; filed {_time(each.filed_us)}, then {each.state}"
        )


def _part(leaf: str, cases: Cases) -> str:
    """Return what a part is, where the file holds it."""
    part = cases.parts.get(leaf)
    if part is not None:
        return f": {part.kind}, entered {_time(part.at_us)}"
    return ": not in this file" if len(leaf) == HASH_DIGITS else ""


def _said(before: str, words: str) -> list[str]:
    """Return words of a party on lines that no words of theirs can end."""
    after = " " * min(len(before), 2 + MARK + TIME)
    return textwrap.wrap(
        printable(words), WIDTH, initial_indent=before, subsequent_indent=after
    ) or [before]


def _days(duration_us: int) -> str:
    if duration_us % DAY_US == 0:
        days = duration_us // DAY_US
        return f"{days} day" if days == 1 else f"{days} days"
    return f"{duration_us / HOUR_US:g} h"


def _time(time_us: int) -> str:
    return f"{format_time(time_us)[:19]}Z"


def _leaves(lines: Iterable[bytes]) -> Iterator[Leaf]:
    """Yield the leaves in a file, in their order."""
    for number, data in enumerate(lines, start=1):
        line: AnyLine = decode(data, AnyLine, f"line {number}", LONGEST_LINE)  # type: ignore[arg-type]
        if isinstance(line, EntryLine):
            yield from decode(bytes(line.entry), Entry, f"line {number}", LONGEST_LINE).leaves
        elif isinstance(line, LeafLine):
            yield line.leaf
