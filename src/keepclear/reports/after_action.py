# SPDX-License-Identifier: Apache-2.0
"""What a record's file tells of a range of time, as values: for the reports made after it.

Reads the lines of an archive or of one party's view, in their order. Nothing is verified here,
and nothing is added: what a view does not hold is None, or absent.

1. A *moment* is what was entered together: an act, what followed, who was told.
2. A view does not say which parts were one entry: there a moment begins with each act and with
   each new time.
3. Names of operations ("north 1"), none-heres and cases count in the order in which the file
   first shows them, so a view counts otherwise than an archive; ids are the same in both.
4. A range runs from a time up to, not including, another.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from keepclear.agreement.documents import Agreement, Clause, read_agreement
from keepclear.exchange.disclosure import Shown
from keepclear.exchange.events import (
    KINDS,
    AgreementCarried,
    AgreementStood,
    ConflictChanged,
    OperationFiled,
    OperationMoved,
    StandingCarried,
)
from keepclear.exchange.late import act_in
from keepclear.exchange.objects import Carried
from keepclear.exchange.views import NOTICE_KIND, Notice
from keepclear.exchange.world import stood
from keepclear.plans.conflicts import GONE_ON, Conflict
from keepclear.plans.operations import Operation
from keepclear.record.encoding import decode
from keepclear.record.entries import EVERYBODY, Entry, Leaf, Part
from keepclear.record.envelopes import Envelope
from keepclear.record.faults import Malformed, RecordError
from keepclear.record.files import LONGEST_LINE, AnyLine, EntryLine, Header, LeafLine
from keepclear.record.headers import Act, read_act
from keepclear.record.key_documents import KeyDocument
from keepclear.record.parts import ACT_KIND, DOCUMENT_KIND, LATE_ACT_KIND
from keepclear.record.receipts import read_receipt
from keepclear.record.views import is_seen
from keepclear.reports.after_action_cases import cased
from keepclear.reports.after_action_moments import ACTS, Moment, Seen
from keepclear.reports.play_cases import Cased

FOREVER_US: Final = 2**62


class Change(NamedTuple):
    """A conflict as it was raised or changed, with the act that did it, if it is shown."""

    at_us: int
    conflict: Conflict
    act: Act | None


class Told(NamedTuple):
    """A notice: when it was entered, for which party."""

    at_us: int
    party: str
    notice: Notice


@dataclass
class OperationStory:
    """An operation in the range. Written while reading, by `_Teller` alone.

    latest: as last filed, None where the file shows it only from outside. shown: what each other
    party was last shown of it. filed: its versions, with the time of each.
    """

    id: str
    party: str
    name: str
    latest: Operation | None = None
    shown: dict[str, Shown] = field(default_factory=dict)
    filed: list[tuple[int, Operation]] = field(default_factory=list)
    is_touched: bool = False


@dataclass
class ConflictStory:
    """A conflict in the range. Written while reading, by `_Teller` alone.

    history: every change up to the end of the range; changes: those in it. sides: the operations as
    they were when it was last found, None where the file has none. boxes: what was shown of each
    side then, by id of the operation.
    """

    id: str
    name: str
    latest: Conflict
    history: list[Change] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    told: list[Told] = field(default_factory=list)
    sides: tuple[Operation | None, Operation | None] = (None, None)
    boxes: dict[str, Shown] = field(default_factory=dict)


@dataclass
class AgreementStory:
    """An agreement as it stands at the end of the range."""

    hash: str
    agreement: Agreement
    state: str = "carried in"
    clauses: tuple[Clause, ...] = ()


class Story(NamedTuple):
    """What a file tells of a range. viewer: the party whose view it is, None for an archive.

    first_us, last_us: of the file. operations: all that were named up to the end of the range;
    conflicts: those that the range touches, or that stood all through it. cases: what is said of
    none-heres and incident cases, by the line of the moment; stands: how each is at the end.
    stopped: why the file could not be read to its end, None where it was.
    """

    header: Header
    viewer: str | None
    from_us: int
    to_us: int
    first_us: int
    last_us: int
    moments: tuple[Moment, ...]
    operations: Mapping[str, OperationStory]
    conflicts: Mapping[str, ConflictStory]
    agreements: Mapping[str, AgreementStory]
    cases: Mapping[int, Cased]
    stands: tuple[str, ...]
    parties: tuple[str, ...]
    statuses: tuple[str, ...]
    stopped: str | None

    def name(self, operation: str) -> str:
        """Return what an operation is called here."""
        found = self.operations.get(operation)
        return found.name if found is not None else f"operation {operation[:8]}"

    def standing(self) -> list[OperationStory]:
        """Return the operations that the range touches, that it left protecting, or that meet."""
        meet = {each for c in self.conflicts.values() for each in (c.latest.a, c.latest.b)}
        return [
            each for each in self.operations.values()
            if each.is_touched or each.id in meet
            or (each.latest is not None and each.latest.is_protecting)
        ]  # fmt: skip


class Reader:
    """Reads the lines of a file as they come."""

    def __init__(self) -> None:
        self.header: Header | None = None
        self.moments: list[Moment] = []
        self.stopped: str | None = None

    def take(self, number: int, data: bytes) -> None:
        """Read one line; what cannot be read ends the reading, and `stopped` says why."""
        if self.stopped is not None:
            return
        path = f"line {number}"
        try:
            line: AnyLine = decode(data, AnyLine, path, LONGEST_LINE)  # type: ignore[arg-type]
            self._line(line, number, path)
        except RecordError as fault:
            self.stopped = str(fault)

    def _line(self, line: AnyLine, number: int, path: str) -> None:
        if self.header is None:
            if not isinstance(line, Header):
                raise Malformed(path, type(line).__name__, "is no header", "give a record's file")
            self.header = line
        elif isinstance(line, EntryLine):
            entry = decode(bytes(line.entry), Entry, f"{path}, entry", LONGEST_LINE)
            seen = [_seen(leaf, path)[1] for leaf in entry.leaves]
            self.moments.append(Moment(entry.at_us, number, tuple(seen)))
        elif isinstance(line, LeafLine):
            at_us, part = _seen(line.leaf, path)
            last = self.moments[-1] if self.moments else None
            if last is None or last.at_us != at_us or part.kind in {*ACTS, DOCUMENT_KIND}:
                self.moments.append(Moment(at_us, number, (part,)))
            else:
                self.moments[-1] = last._replace(parts=(*last.parts, part))

    @property
    def viewer(self) -> str | None:
        """Return whose view the file is, None for an archive."""
        return None if self.header is None or not self.header.party else self.header.party


def _seen(leaf: Leaf, path: str) -> tuple[int, Seen]:
    part = decode(bytes(leaf.part), Part, f"{path}, part", LONGEST_LINE, is_inner=True)
    data = bytes(part.data)
    value: Any = None
    if part.kind == ACT_KIND:
        value = read_act(decode(data, Envelope, f"{path}, act", is_inner=True), f"{path}, act")
    elif part.kind == LATE_ACT_KIND:
        value = act_in(read_receipt(data, f"{path}, late act"), f"{path}, late act")
    elif part.kind == DOCUMENT_KIND:
        envelope = decode(data, Envelope, f"{path}, key document", is_inner=True)
        value = decode(envelope.payload, KeyDocument, f"{path}, key document")
    elif part.kind == NOTICE_KIND:
        value = decode(data, Notice, f"{path}, notice", LONGEST_LINE, is_inner=True)
    elif part.kind in KINDS:
        kind = KINDS[part.kind]
        value = decode(data, kind, f"{path}, {part.kind}", LONGEST_LINE, is_inner=True)
    return part.at_us, Seen(leaf.audience, part.kind, value)


def seen_by(moments: Iterable[Moment], party: str) -> Iterator[Moment]:
    """Yield what one party may see of an archive's moments."""
    for each in moments:
        parts = tuple(part for part in each.parts if is_seen(part.audience, party))
        if parts:
            yield each._replace(parts=parts)


def retell(
    reader: Reader, from_us: int | None = None, to_us: int | None = None,
    party: str | None = None,
) -> Story:  # fmt: skip
    """Return what a file tells of a range, None for its ends.

    party: of an archive only what this party may see.
    """
    if reader.header is None:
        raise Malformed("file", "", reader.stopped or "is empty", "give a record's file")
    moments = reader.moments if party is None else list(seen_by(reader.moments, party))
    first_us = reader.moments[0].at_us if reader.moments else 0
    last_us = reader.moments[-1].at_us if reader.moments else 0
    start_us = first_us if from_us is None else from_us
    end_us = last_us + 1 if to_us is None else to_us
    teller = _Teller(start_us)
    for each in moments:
        if each.at_us >= end_us:
            break
        teller.take(each)
    names = {each.id: each.name for each in teller.operations.values()}
    cases, stands = cased(moments, end_us, names, teller.conflicts)
    inside = tuple(each for each in moments if start_us <= each.at_us < end_us)
    acts = [each.act for each in inside if each.act is not None]
    statuses = dict.fromkeys(each.status.value for each in acts) | dict.fromkeys(
        each.latest.status.value for each in teller.operations.values() if each.latest is not None
    )
    return Story(
        header=reader.header, viewer=party or reader.viewer, from_us=start_us, to_us=end_us,
        first_us=first_us, last_us=last_us, moments=inside, operations=teller.operations,
        conflicts=teller.of_range(), agreements=teller.agreements, cases=cases, stands=stands,
        parties=_parties(moments),
        statuses=tuple(sorted(statuses)), stopped=reader.stopped,
    )  # fmt: skip


def _parties(moments: Sequence[Moment]) -> tuple[str, ...]:
    """Return the parties that a file names: by their keys, acts, and as audiences."""
    found: set[str] = set()
    for each in moments:
        for part in each.parts:
            if part.audience != EVERYBODY:
                found |= set(part.audience.split(","))
            if isinstance(part.value, Act | KeyDocument):
                found.add(part.value.party)
    return tuple(sorted(found))


class _Teller:
    """Folds moments into stories; those before the range only say how things stood."""

    def __init__(self, from_us: int) -> None:
        self._from_us = from_us
        self.operations: dict[str, OperationStory] = {}
        self.conflicts: dict[str, ConflictStory] = {}
        self.agreements: dict[str, AgreementStory] = {}
        self._counts: dict[str, int] = {}

    def of_range(self) -> dict[str, ConflictStory]:
        """Return the conflicts that the range touches, or that were there at its start."""
        return {
            each.id: each for each in self.conflicts.values()
            if each.changes or each.latest.state in GONE_ON
        }  # fmt: skip

    def take(self, moment: Moment) -> None:
        """Fold one moment."""
        is_inside = moment.at_us >= self._from_us
        for part in moment.parts:
            match part.value:
                case AgreementCarried() | AgreementStood() as changed:
                    self._agree(changed)
                case OperationFiled(operation=operation):
                    story = self._operation(operation.id, operation.party, is_inside=is_inside)
                    story.latest = operation
                    if is_inside:
                        story.filed.append((moment.at_us, operation))
                case OperationMoved() as moved:
                    self._move(moved, is_inside=is_inside)
                case ConflictChanged(conflict=conflict):
                    self._change(conflict, moment, is_inside=is_inside)
                case StandingCarried() as carried:
                    self._stand(carried, moment)
                case Notice() as notice:
                    self._tell(Told(moment.at_us, part.audience, notice), is_inside=is_inside)

    def _operation(self, own_id: str, party: str, *, is_inside: bool) -> OperationStory:
        if own_id not in self.operations:
            number = self._counts[party] = self._counts.get(party, 0) + 1
            self.operations[own_id] = OperationStory(own_id, party, f"{party} {number}")
        story = self.operations[own_id]
        story.is_touched = story.is_touched or is_inside
        return story

    def _agree(self, changed: AgreementCarried | AgreementStood) -> None:
        if isinstance(changed, AgreementCarried):
            read = read_agreement(bytes(changed.file.agreement))
            self.agreements.setdefault(changed.hash, AgreementStory(changed.hash, read))
        elif own := self.agreements.get(changed.hash):
            own.state, own.clauses = changed.state.value, changed.clauses

    def _stand(self, carried: StandingCarried, moment: Moment) -> None:
        """Take in what stood when a backup ended: it came about in an incarnation before."""
        match stood(carried):
            case Operation() as operation if carried.table == "operations":
                story = self._operation(operation.id, operation.party, is_inside=False)
                story.latest = operation
            case Conflict() as conflict:
                self._change(conflict, moment, is_inside=False)
            case Carried(agreement=agreement) as found if carried.table == "agreements":
                made = AgreementStory(carried.key, agreement)
                made.state, made.clauses = found.state.value, found.clauses
                self.agreements[carried.key] = made
            case _:
                pass

    def _move(self, moved: OperationMoved, *, is_inside: bool) -> None:
        story = self.operations.get(moved.id)
        if story is None or story.latest is None:
            return
        story.latest = _replaced(story.latest, moved)
        story.is_touched = story.is_touched or is_inside

    def _change(self, conflict: Conflict, moment: Moment, *, is_inside: bool) -> None:
        a, b = (
            self._operation(each, party, is_inside=is_inside)
            for each, party in zip((conflict.a, conflict.b), conflict.parties, strict=True)
        )
        story = self.conflicts.get(conflict.id)
        if story is None:
            name = f"conflict {len(self.conflicts) + 1}"
            story = self.conflicts[conflict.id] = ConflictStory(conflict.id, name, conflict)
            is_found_anew = True
        else:
            is_found_anew = story.latest.broken != conflict.broken
        story.latest = conflict
        change = Change(moment.at_us, conflict, moment.act)
        story.history.append(change)
        if is_inside:
            story.changes.append(change)
        if is_found_anew and conflict.state in GONE_ON:
            story.sides, story.boxes = (a.latest, b.latest), {}

    def _tell(self, told: Told, *, is_inside: bool) -> None:
        notice = told.notice
        other = self._operation(notice.other.id, notice.other.party, is_inside=is_inside)
        if notice.other.by or notice.other.box is not None:
            other.shown[told.party] = notice.other
        story = self.conflicts.get(notice.conflict)
        if story is None:
            return
        if is_inside:
            story.told.append(told)
        if story.latest.state in GONE_ON:
            story.boxes.setdefault(notice.other.id, notice.other)


def _replaced(operation: Operation, moved: OperationMoved) -> Operation:
    airborne_us = operation.airborne_us if moved.airborne_us is None else moved.airborne_us
    fields = {name: getattr(operation, name) for name in operation.__struct_fields__}
    return Operation(**{**fields, "state": moved.state, "airborne_us": airborne_us})
