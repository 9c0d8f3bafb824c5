# SPDX-License-Identifier: Apache-2.0
"""Decides again what an archive says was found, and tells where the two differ.

The events are folded into the world, entry by entry. After each, every pair that it touched is
compared by the kernel: all others that protect, without an index.

1. A pair that breaks a rule has one conflict, with the parties, the rules, the numbers and the
   one who must act that come out now; a pair that breaks none has none (`audit_conflicts`).
2. Of each conflict, raised or changed, both sides were told what the rules of the door let them
   see, and nothing else (`audit_notices`).
3. An operation is as it was signed, was accepted where it was to be and nowhere else, and takes
   what it takes (`audit_operations`). Acts on operations and conflicts are decided again, and
   every other step comes of them or of time (`audit_steps`). What contradicts a none-here
   statement is told (`audit_none_here`). Messages and their deadlines, and checks of
   lines, are decided again, whole (`audit_messages`, `audit_line_checks`), and so are STOPs, with
   what must keep out of them (`audit_stops`). So are shifts and calls (`audit_watch`).
4. What differs by no more than the kernel's guard band is BOUNDARY and no fault: another machine
   may round otherwise.
5. What is told to be LIMITED is, and of what was filed all that is so is told (`audit_limited`).
6. Operations that are RE-CHECKING are compared when the record says that they were. Of one that
   says that it has more conflicts than its entry holds, as many may be missing.
7. How agreements stand is taken from the record, and so is who signed what: `record verify`
   tells whether that holds. Cases, and when none-here statements are taken, are not decided
   again. The house rule is the one that the region was opened with.
8. What an incarnation begins with, carried over from the backup before it, is taken as it stands:
   the archive of that one is decided again by itself. A late act is decided again as it was, by the
   ids that its entry has; one that is refused has led to nothing.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final, NamedTuple, TypeVar

from keepclear.agreement.separation import RuleSet
from keepclear.detect.kernel import Functions
from keepclear.exchange.audit_again import Said
from keepclear.exchange.audit_conflicts import Conflicts
from keepclear.exchange.audit_found import Difference, Found
from keepclear.exchange.audit_limited import Limited
from keepclear.exchange.audit_line_checks import LineChecks
from keepclear.exchange.audit_messages import Messages
from keepclear.exchange.audit_none_here import Statements
from keepclear.exchange.audit_notices import Notices
from keepclear.exchange.audit_operations import Operations
from keepclear.exchange.audit_steps import Steps
from keepclear.exchange.audit_stops import Stops
from keepclear.exchange.audit_watch import Watch
from keepclear.exchange.decide import ACTS
from keepclear.exchange.events import (
    KINDS,
    AgreementStood,
    ConflictChanged,
    ContradictionsShown,
    Event,
    LimitedFound,
    MoreFound,
    NoneHereContradicted,
    NoneHereWithdrawn,
    OperationFiled,
    OperationMoved,
    RecheckingDone,
    RegionOpened,
    StandingCarried,
)
from keepclear.exchange.folding import check_world
from keepclear.exchange.late import act_in
from keepclear.exchange.views import NOTICE_KIND, Notice
from keepclear.exchange.world import evolve, keep
from keepclear.plans.conflicts import Conflict
from keepclear.plans.operations import OUT_OF_PLAN, OVER, Operation
from keepclear.record.encoding import decode
from keepclear.record.entries import Entry, Leaf, Part
from keepclear.record.envelopes import Envelope, signed_by
from keepclear.record.faults import Malformed
from keepclear.record.files import LONGEST_LINE, AnyLine, ClockLine, EntryLine, Header, WorldLine
from keepclear.record.headers import Act, read_act
from keepclear.record.key_documents import KeyDocument
from keepclear.record.parts import (
    ACT_KIND,
    DOCUMENT_KIND,
    INCARNATION_KIND,
    LATE_ACT_KIND,
    Incarnation,
)
from keepclear.record.receipts import Receipt

Kind = TypeVar("Kind")
Value = Event | Notice | KeyDocument
BEGINS_WITH: Final = (RegionOpened, KeyDocument, StandingCarried, Notice)


class Audited(NamedTuple):
    """What was decided again. findings: conflicts raised or changed. kernels: that found them.

    has_house: some pair was bound by the house rule alone. waiting: operations that are
    RE-CHECKING at the end of the file, and were not compared by the newest rules. house: the
    region's rule, None where no region was opened. acts: on operations and conflicts, decided
    again. last_us: time of the last entry, None without any; what came after is not known here.
    """

    header: Header
    entries: int
    findings: int
    notices: int
    filings: int
    pairs: int
    kernels: tuple[str, ...]
    has_house: bool
    waiting: int
    house: RuleSet | None
    differences: tuple[Difference, ...]
    acts: int = 0
    last_us: int | None = None


def audit(
    lines: Iterable[bytes], functions: Functions, tell: Callable[[int], None] | None = None
) -> Audited:
    """Return what comes out of an archive when it is decided again.

    lines: of the file, without their newlines. `Malformed` for what is no archive, or one that
    does not begin with the first entry; `BrokenProof` where its entries do not lead to the world
    whose hash stands beside them. tell: called with each line's length in bytes.
    """
    auditor: _Auditor | None = None
    for number, data in enumerate(lines, start=1):
        path = f"line {number}"
        line: AnyLine = decode(data, AnyLine, path, LONGEST_LINE)  # type: ignore[arg-type]
        if auditor is None:
            auditor = _Auditor(_archive(line, path), functions)
        elif isinstance(line, EntryLine):
            auditor.take(decode(bytes(line.entry), Entry, f"{path}, entry", LONGEST_LINE), path)
        elif isinstance(line, WorldLine):
            auditor.check_world(line, path)
        elif isinstance(line, ClockLine):
            auditor.hold_time(line, path)
        if tell is not None:
            tell(len(data) + 1)
    if auditor is None:
        raise Malformed("file", "", "is empty", "give a record's file")
    return auditor.result()


def _archive(line: AnyLine, path: str) -> Header:
    if not isinstance(line, Header):
        raise Malformed(path, type(line).__name__, "is no header", "give a record's file")
    if line.view != "archive":
        raise Malformed(
            "header, view", line.view, f"is what {line.party} may see, and cannot be decided again",
            "give the operator's archive",
        )  # fmt: skip
    return line


@dataclass
class _InEntry:
    """What one entry has. Written by `_Auditor` alone.

    act: its own, None without one. first_us: of a late act, when it was entered first. signed_by:
    its keys. events: all of them, in order. touched: operations of which all is compared again.
    changed: pairs whose conflict was.
    """

    act: Act | None = None
    first_us: int | None = None
    signed_by: tuple[str, ...] = ()
    events: list[Event] = field(default_factory=list)
    touched: dict[str, None] = field(default_factory=dict)
    changed: dict[tuple[str, str], None] = field(default_factory=dict)


class _Again:
    """What is decided again of a region, once it was opened."""

    def __init__(self, house: RuleSet, functions: Functions) -> None:
        self.house = house
        self.found = Found(house, functions)
        self.conflicts, self.notices = Conflicts(self.found), Notices(self.found)
        self.operations, self.statements = Operations(self.found), Statements(self.found)
        self.limited, self.steps = Limited(self.found), Steps(self.found)
        self.messages, self.line_checks = Messages(self.found), LineChecks(self.found)
        self.stops = Stops(self.found, self.messages)
        self.watch = Watch(self.found)


class _Auditor:
    """The state of reading one archive."""

    def __init__(self, header: Header, functions: Functions) -> None:
        self._header, self._functions = header, functions
        self._again: _Again | None = None
        self._entries = 0
        self._last_us: int | None = None
        self._now = _InEntry()
        self._starts: dict[str, int] = {}  # how far each tree had come in the backup
        self._is_carrying = header.incarnation > 1  # until its first entry of another kind

    def result(self) -> Audited:
        """Return what was found, after the last entry."""
        again = self._again
        if again is None:
            return Audited(
                self._header, self._entries, 0, 0, 0, 0, (), False, 0, None, (), 0, self._last_us
            )
        found = again.found
        return Audited(
            self._header, self._entries, again.conflicts.findings, again.notices.notices,
            again.operations.filings, found.pairs, tuple(again.conflicts.kernels),
            found.has_house, len(found.world.rechecking), again.house, tuple(found.differences),
            again.steps.acts + again.messages.acts + again.line_checks.acts + again.stops.acts
            + again.watch.acts, self._last_us,
        )  # fmt: skip

    def check_world(self, line: WorldLine, path: str) -> None:
        """Compare the hash of the world beside the entries with that of the fold."""
        check_world(self._opened(path).found.world, line, path)

    def hold_time(self, line: ClockLine, path: str) -> None:
        """Expect nothing by time alone as long as it was held."""
        again = self._opened(path)
        for each in (again.steps, again.messages, again.line_checks, again.stops):
            each.hold(until_us=None if line.off_us else self._last_us or 0)

    def take(self, entry: Entry, path: str) -> None:
        """Fold one entry and decide it again."""
        if entry.seq != self._entries:
            raise Malformed(
                f"{path}, seq", entry.seq, f"is not {self._entries}: what stood before is not here",
                "give the archive whole, from its first entry",
            )  # fmt: skip
        self._entries += 1
        self._last_us = entry.at_us
        self._begin(entry)
        parts = list(self._parts(entry, path))
        self._is_carrying &= all(isinstance(value, BEGINS_WITH) for _, value in parts)
        self._check_steps(parts)
        for leaf, value in parts:
            match value:
                case Notice() if self._is_carrying:
                    self._opened(path).found.deciding.counts[leaf.audience] = value.number
                case Notice():
                    self._opened(path).notices.give(leaf.audience, value)
                case KeyDocument(party=party):
                    self._opened(path).steps.know(party)
                    self._opened(path).messages.know(value)
                    self._opened(path).line_checks.know(value)
                    self._opened(path).watch.know(value)
                case _:
                    self._fold(leaf, value, path)
        if self._again is not None:
            keep(self._again.found.world)
            self._check(self._again)
            self._again.steps.follow(self._now.events)
            self._again.messages.follow(self._now.events)
            self._again.line_checks.follow(self._now.events)

    def _parts(self, entry: Entry, path: str) -> Iterator[tuple[Leaf, Value]]:
        """Yield what is decided again of an entry; its act is kept."""
        for leaf in entry.leaves:
            part = decode(bytes(leaf.part), Part, f"{path}, part", LONGEST_LINE, is_inner=True)
            if part.kind == ACT_KIND:
                envelope = _read(part, Envelope, path)
                self._now.act, self._now.signed_by = read_act(envelope, path), signed_by(envelope)
            elif part.kind == LATE_ACT_KIND:
                self._late(_read(part, Receipt, path), path)
            elif part.kind == INCARNATION_KIND:
                self._starts[leaf.audience] = _read(part, Incarnation, path).tree.size
            elif part.kind == DOCUMENT_KIND:
                document = _read(part, Envelope, path)
                yield leaf, decode(document.payload, KeyDocument, f"{path}, key document")
            elif part.kind == NOTICE_KIND:
                yield leaf, _read(part, Notice, path)
            elif part.kind in KINDS:
                yield leaf, _read(part, KINDS[part.kind], path)  # type: ignore[misc]

    def _late(self, receipt: Receipt, path: str) -> None:
        """Take in a late act; one that the backup had was decided before, and is told of."""
        act = self._now.act = act_in(receipt, path)
        part = decode(bytes(receipt.part), Part, path)
        self._now.first_us = part.at_us
        self._now.signed_by = signed_by(decode(bytes(part.data), Envelope, path))
        if receipt.index < self._starts.get(receipt.audience, 0):
            self._opened(path).found.differs(
                f"act {act.id[:8]}", "is entered late, and the backup had it: it was done twice"
            )

    def _check_steps(self, parts: list[tuple[Leaf, Value]]) -> None:
        """Compare what an entry says happened with what comes of its act, or of time."""
        if self._again is not None:
            said = [
                Said(leaf.audience, value) for leaf, value in parts
                if not isinstance(value, Notice | KeyDocument)
            ]  # fmt: skip
            self._again.found.deciding.first_us = self._now.first_us
            self._again.found.deciding.signed_by = self._now.signed_by
            act = self._now.act
            payload = None
            if act is not None:
                payload = ACTS.read(act.kind, bytes(act.payload), "act.payload")
            self._again.steps.check(act, payload, said)
            self._again.messages.check(act, payload, said)
            self._again.line_checks.check(act, payload, said)
            self._again.stops.check(act, payload, said)
            self._again.watch.check(act, payload, said)

    def _begin(self, entry: Entry) -> None:
        self._now = _InEntry()
        if self._again is not None:
            found = self._again.found
            found.seq, found.deciding.now_us = entry.seq, entry.at_us
            self._again.conflicts.more.clear()
            self._again.notices.begin()
            self._again.statements.begin()
            self._again.limited.begin()

    def _opened(self, path: str) -> _Again:
        if self._again is None:
            raise Malformed(
                path, self._header.region, "was not opened before, so its house rule is not known",
                "give the archive whole, from its first entry",
            )  # fmt: skip
        return self._again

    def _fold(self, leaf: Leaf, event: Event, path: str) -> None:
        """Let one event happen, and decide it again."""
        if isinstance(event, RegionOpened) and self._again is None:
            self._again = _Again(event.house, self._functions)
        again = self._opened(path)
        before = self._before(again.found, event, path)
        self._check_before(again, event)
        self._now.touched |= dict.fromkeys(self._touched(again.found, event))
        evolve(again.found.world, event)
        self._now.events.append(event)
        again.limited.give(event)
        match event:
            case StandingCarried(table=table, key=key) if not self._is_carrying:
                again.found.differs(
                    f"{table} {key[:8]}", "is carried over, and not at the beginning"
                )
            case MoreFound(id=own_id, more=more):
                again.conflicts.more[own_id] = more
            case ConflictChanged(conflict=conflict):
                self._now.changed[conflict.a, conflict.b] = None
                again.conflicts.check_change(conflict, before)
                again.conflicts.check_seen(leaf, conflict)
                again.notices.expect(conflict)
            case NoneHereContradicted() | ContradictionsShown():
                again.statements.give(leaf.audience, event)

    def _check_before(self, again: _Again, event: Event) -> None:
        """Decide again what is decided by how things stood before it."""
        match event:
            case OperationFiled():
                again.operations.check_filed(event, self._now.act)
            case OperationMoved():
                again.operations.check_moved(event)
            case _:
                pass

    def _check(self, again: _Again) -> None:
        """Compare what an entry has led to with what comes out now."""
        pairs = self._pairs_of(again.found, self._now.touched)
        for key in dict.fromkeys((*pairs, *self._now.changed)):
            one, other = (again.found.world.operations[each] for each in key)
            again.conflicts.check_pair(one, other, has_changed=key in self._now.changed)
        again.conflicts.check_left()
        again.limited.check(self._pairs_of(again.found, again.limited.filed))
        for own_id in dict.fromkeys(self._named()):
            again.operations.check_left_filed(own_id)
        again.statements.check(self._now.events)
        again.stops.check_keep_outs(self._now.events, self._now.touched)
        again.notices.check()

    def _named(self) -> Iterator[str]:
        """Yield the operations that an entry says anything of."""
        for event in self._now.events:
            match event:
                case OperationFiled(operation=operation):
                    yield operation.id
                case OperationMoved(id=own_id) | MoreFound(id=own_id):
                    yield own_id
                case RecheckingDone(operations=operations):
                    yield from operations
                case ConflictChanged(conflict=conflict):
                    yield from (conflict.a, conflict.b)
                case _:
                    pass

    def _before(self, found: Found, event: Event, path: str) -> Conflict | None:
        """Return the conflict before its change; refuse what names something not in the record."""
        world = found.world
        strange: set[str] = set()
        before = None
        match event:
            case ConflictChanged(conflict=conflict):
                strange = {conflict.a, conflict.b} - world.operations.keys()
                before = world.conflicts.get(conflict.id)
            case OperationFiled(operation=operation) if event.is_smaller:
                strange = {operation.id} - world.operations.keys()
            case LimitedFound(a=a, b=b):
                strange = {a, b} - world.operations.keys()
            case OperationMoved(id=operation_id) | MoreFound(id=operation_id):
                strange = {operation_id} - world.operations.keys()
            case RecheckingDone(operations=operations):
                strange = set(operations) - world.operations.keys()
            case AgreementStood(hash=own_hash):
                strange = {own_hash} - world.agreements.keys()
            case NoneHereWithdrawn(id=statement_id):
                strange = {statement_id} - world.none_here.keys()
        if strange:
            raise Malformed(
                path, min(strange)[:16], "is nothing that the record has before", "get it again"
            )
        return before

    def _touched(self, found: Found, event: Event) -> list[str]:
        """Return the operations of which everything is to be compared again after an event."""
        match event:
            case OperationFiled(operation=Operation(id=operation_id)):
                found.forget(operation_id)
                return [operation_id]
            case OperationMoved(id=operation_id, state=state) if (
                state in OVER | OUT_OF_PLAN
                or found.world.operations[operation_id].state in OUT_OF_PLAN
            ):
                found.forget(operation_id)
                return [operation_id]
            case MoreFound(id=operation_id):
                return [operation_id]
            case RecheckingDone(operations=operations):
                return list(operations)
            # a long one is looked at bit by bit, each with its RecheckingDone
            case AgreementStood(hash=own_hash, is_long=False):
                parties = {each.id for each in found.world.agreements[own_hash].agreement.parties}
                every = found.world.operations.values()
                return [each.id for each in every if each.party in parties]
            case _:
                return []

    def _pairs_of(self, found: Found, touched: Iterable[str]) -> Iterator[tuple[str, str]]:
        """Yield each pair of which one was touched once, the one whose id comes first in front."""
        for own_id in touched:
            party = found.world.operations[own_id].party
            for other in found.world.operations.values():
                if other.party != party:
                    yield min(own_id, other.id), max(own_id, other.id)


def _read(part: Part, kind: type[Kind], path: str) -> Kind:
    return decode(bytes(part.data), kind, f"{path}, {part.kind}", LONGEST_LINE, is_inner=True)
