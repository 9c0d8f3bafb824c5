# SPDX-License-Identifier: Apache-2.0
"""A record told as a story: who did what, who was told what, when.

Reads the lines of a record's file, so the story of one party holds what that party may see of it
and nothing else.
"""

import textwrap
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

import msgspec

from keepclear.agreement.quantities import lateral_text, vertical_text
from keepclear.exchange.decide import ACTS
from keepclear.exchange.disclosure import Shown
from keepclear.exchange.events import (
    KINDS,
    AgreementStood,
    ConflictChanged,
    OperationFiled,
    OperationMoved,
)
from keepclear.exchange.views import Notice
from keepclear.formats.play import Play
from keepclear.plans import acts
from keepclear.plans.conflicts import Conflict, Numbers
from keepclear.plans.filing import echo
from keepclear.plays import Played
from keepclear.record.encoding import Signed, decode
from keepclear.record.entries import Entry, Part
from keepclear.record.envelopes import Envelope
from keepclear.record.files import LONGEST_LINE, AnyLine, EntryLine, LeafLine
from keepclear.record.headers import Act, read_act
from keepclear.record.key_documents import KeyDocument
from keepclear.reports.printable import printable
from keepclear.units import TMM_PER_M, US_PER_S, format_time

WIDTH: Final = 96
INDENT: Final = " " * 11
DOES: Final = {
    "agreement.carry": "carries in the agreement that was signed",
    "operations.file": "files",
    "operations.update": "files a new version of",
    "operations.activate": "activates",
    "operations.airborne": "marks as airborne",
    "operations.contingent": "makes contingent",
    "operations.end": "ends",
    "operations.cancel": "cancels",
    "conflicts.acknowledge": "acknowledges",
    "conflicts.answer": "answers",
    "conflicts.propose": "proposes",
    "conflicts.accept": "accepts what was proposed",
    "conflicts.agree-as-is": "agrees to leave as it is",
}


def story(lines: Iterable[bytes], names: Mapping[str, str]) -> Iterator[str]:
    """Yield a record as paragraphs. names: what ids of operations are called in it, if anything."""
    teller = _Teller(names)
    for number, data in enumerate(lines, start=1):
        line: AnyLine = decode(data, AnyLine, f"line {number}", LONGEST_LINE)  # type: ignore[arg-type]
        if isinstance(line, EntryLine):
            entry = decode(bytes(line.entry), Entry, f"line {number}, entry", LONGEST_LINE)
            parts = [leaf.part for leaf in entry.leaves]
        elif isinstance(line, LeafLine):
            parts = [line.leaf.part]
        else:
            continue
        for data_of_part in parts:
            part = decode(bytes(data_of_part), Part, f"line {number}, part", LONGEST_LINE)
            yield from teller.tell(part)


class _Teller:
    """Tells parts in order; keeps the names by which things were called."""

    def __init__(self, names: Mapping[str, str]) -> None:
        self._names = dict(names)
        self._conflicts: dict[str, str] = {}
        self._last = ""

    def tell(self, part: Part) -> Iterator[str]:
        """Yield the lines for one part."""
        time = f"{format_time(part.at_us)[11:19]}Z"
        for words in self._words(part):
            before = f"{time}  " if time != self._last or part.kind == "act/1" else INDENT
            self._last = time
            rest = textwrap.wrap(
                printable(words), WIDTH, initial_indent=before, subsequent_indent=f"{INDENT}  "
            )
            yield from (f"{each}\n" for each in rest)

    def _words(self, part: Part) -> Iterator[str]:
        data = bytes(part.data)
        match part.kind:
            case "act/1":
                yield self._act(read_act(msgspec.json.decode(data, type=Envelope)))
            case "key-document/1":
                document = msgspec.json.decode(
                    msgspec.json.decode(data, type=Envelope).payload, type=KeyDocument
                )
                yield f"{document.party} joins, with version {document.version} of its keys"
            case "notice/1":
                yield from self._notice(msgspec.json.decode(data, type=Notice))
            case kind if kind in KINDS:
                yield from self._event(msgspec.json.decode(data, type=KINDS[kind]))
            case _:
                yield f"{part.kind} {data.decode()[:60]}"

    def _act(self, act: Act) -> str:
        kind = act.kind.partition("/")[0]
        payload: Any = ACTS.read(act.kind, bytes(act.payload))
        about = ""
        match payload:
            case acts.FileOperation():
                about = " an operation"
            case acts.ProposeChange():
                how = [f"{payload.later} later"] if payload.later else []
                how += [f"{payload.higher} higher"] if payload.higher else []
                moves = self._name(payload.operation)
                why = f': "{payload.why}"' if payload.why else ""
                about = f" that {moves} goes {', '.join(how)}{why}"
            case acts.AnswerConflict():
                why = f': "{payload.why}"' if payload.why else ""
                about = f" {self._conflict_name(payload.id)} {payload.answer}{why}"
            case acts.AcknowledgeConflict() | acts.AcceptProposal() | acts.AgreeAsIs():
                about = f" {'in ' if kind == 'conflicts.accept' else ''}"
                about += self._conflict_name(payload.id)
            case acts.CancelOperation() if payload.why:
                about = f' {self._name(payload.id)}: "{payload.why}"'
            case _ if hasattr(payload, "id"):
                about = f" {self._name(payload.id)}"
        return f"{act.party.upper()} {DOES[kind]}{about}"

    def _event(self, event: Signed) -> Iterator[str]:
        match event:
            case OperationFiled(operation=operation):
                name = self._name(operation.id)
                shapes = "; ".join(echo(operation.volumes))
                yield f"{name} version {operation.version}, {operation.state}: {shapes}"
                if operation.late_us > 0:
                    late_s = -(-operation.late_us // US_PER_S)
                    yield f"LATE by {late_s:,} s: it is recorded and protects all the same"
            case OperationMoved():
                why = f" ({event.why})" if event.why else ""
                yield f"{self._name(event.id)} is {event.state}{why}"
            case ConflictChanged(conflict=conflict):
                yield from self._conflict(conflict)
            case AgreementStood():
                yield f"the agreement is {event.state}: {len(event.clauses)} clauses hold"

    def _conflict(self, conflict: Conflict) -> Iterator[str]:
        is_new = conflict.id not in self._conflicts
        name = self._conflict_name(conflict.id)
        pair = " and ".join(sorted(self._name(each) for each in (conflict.a, conflict.b)))
        by = f" by: {conflict.closed_by}" if conflict.closed_by else ""
        yield f"CONFLICT {name} of {pair} is {conflict.state}{by}"
        if is_new:
            acting = " and ".join(self._name(each) for each in conflict.must_act)
            clause = f"clause {conflict.clause}" if conflict.clause else "filed later"
            yield f"  {acting} must act ({clause})"
        for broken in conflict.broken if is_new else ():
            rule = f"clause {broken.clause}" if broken.clause else "the house rule"
            if broken.numbers is None:
                yield f"  breaks {rule}"
            else:
                yield f"  breaks {rule}: {_numbers(broken.numbers)}"

    def _notice(self, notice: Notice) -> Iterator[str]:
        note = f" ({notice.note})" if notice.note else ""
        own, name = self._name(notice.own), self._conflict_name(notice.conflict)
        yield f"told the owner of {own}, notice {notice.number}: {name} is {notice.state}{note}"
        yield f"  it sees of the other: {_shown(notice.other)}"

    def _name(self, operation: str) -> str:
        return self._names.get(operation, f"operation {operation[:8]}")

    def _conflict_name(self, conflict: str) -> str:
        return self._conflicts.setdefault(conflict, f"C{len(self._conflicts) + 1}")


def _numbers(found: Numbers) -> str:
    lateral = lateral_text(round(found.lateral_m * TMM_PER_M))
    vertical = (
        "heights that cannot be compared" if found.vertical_m is None
        else f"{vertical_text(round(found.vertical_m * TMM_PER_M))} vertically"
    )  # fmt: skip
    return (
        f"{lateral} and {vertical}, as shown, {_clock(found.from_us)} to {_clock(found.to_us)} "
        f"({found.verdict} of rule {found.leaf})"
    )


def _shown(other: Shown) -> str:
    parts = [f"that {other.party} has one there"]
    if other.box is not None:
        box = other.box
        parts.append(
            f"area {box.south_deg:.3f} to {box.north_deg:.3f}, "
            f"{box.west_deg:.3f} to {box.east_deg:.3f} degrees"
        )
    if other.lower is not None:
        parts.append(f"{other.lower} to {other.upper}")
    if other.from_us is not None and other.to_us is not None:
        parts.append(f"{_clock(other.from_us)} to {_clock(other.to_us)}")
    if other.callsign:
        parts.append(other.callsign)
    if other.count is not None:
        parts.append(f"{other.count} craft")
    return "; ".join(parts)


def _clock(time_us: int) -> str:
    return f"{format_time(time_us)[5:16].replace('T', ' ')}Z"


def played_text(play: Play, played: Played, lines: Iterable[bytes], viewer: str | None) -> str:
    """Return a whole play as its story. viewer: the party that it is told for, None for all."""
    whose = "all of it" if viewer is None else f"what {viewer} sees, and nothing else"
    said = [f"{printable(play.title)}\n"]
    said += [f"{printable(line)}\n" for line in textwrap.wrap(play.note, WIDTH)]
    start = f"{format_time(play.start_us)[:10]}"
    region = printable(play.region)
    said += [f"region {region}, {play.status}, on {start} UTC: {whose}\n", "\n"]
    said += story(lines, _names(play, played, viewer))
    for each in played.refused:
        if viewer in {None, each.act.by}:
            time = format_time(each.at_us)[11:19]
            why = printable(f"({each.act.does}): {each.why}")
            said.append(f"{time}Z  REFUSED to {each.act.by} {why}\n")
    return "".join(said)


def _names(play: Play, played: Played, viewer: str | None) -> dict[str, str]:
    """Return what operations are called: those of the viewer, or all of them."""
    owner = {act.operation: act.by for act in play.acts if act.does == "file"}
    return {
        own_id: name for own_id, name in played.names.items()
        if viewer in {None, owner.get(name)}
    }  # fmt: skip
