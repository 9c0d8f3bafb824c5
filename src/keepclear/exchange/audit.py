# SPDX-License-Identifier: Apache-2.0
"""Decides again what an archive says was found, and tells where the two differ.

The events are folded into the world, entry by entry. After each, every pair that it touched is
compared by the kernel: all others that protect, without an index.

1. A pair that breaks a rule has one conflict, with the parties, the rules, the numbers and the
   one who must act that come out now; a pair that breaks none has none.
2. Of each conflict, raised or changed, both sides were told what the rules of the door let them
   see, and nothing else.
3. What differs by no more than the kernel's guard band is BOUNDARY and no fault: another machine
   may round otherwise.
4. Operations that are RE-CHECKING are compared when the record says that they were. Of one that
   says that it has more conflicts than its entry holds, as many may be missing.
5. How agreements stand is taken from the record, and so is who signed what: `record verify`
   tells whether that holds. The house rule stands in no record and is handed in.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final, NamedTuple, NoReturn, TypeVar

from msgspec.structs import replace

from keepclear.agreement.binding import Minima
from keepclear.agreement.claims import Breach, Compiled, breaches, every_cylinder
from keepclear.agreement.clauses import ProbingBound
from keepclear.agreement.findings import Verdict
from keepclear.agreement.separation import RuleSet
from keepclear.detect.kernel import Functions
from keepclear.exchange.deciding import Between, Deciding
from keepclear.exchange.events import (
    KINDS,
    AgreementStood,
    ConflictChanged,
    Event,
    MoreFound,
    NoneHereWithdrawn,
    OperationFiled,
    OperationMoved,
    RecheckingDone,
)
from keepclear.exchange.index import Near
from keepclear.exchange.lapses import as_stood, is_there
from keepclear.exchange.rechecking import told_of
from keepclear.exchange.views import Notice, notice
from keepclear.exchange.world import World, evolve, keep
from keepclear.plans.conflicts import GONE_ON, TABLE, Broken, Conflict, Numbers, State, who_acts
from keepclear.plans.operations import OUT_OF_PLAN, OVER, Operation, as_compared, claim_of
from keepclear.record.encoding import decode
from keepclear.record.entries import Entry, Leaf, Part
from keepclear.record.faults import Malformed
from keepclear.record.files import LONGEST_LINE, AnyLine, EntryLine, Header

Value = TypeVar("Value")

NOTICE_KIND: Final = "notice/1"
SAME_M: Final = 1e-4  # a tenth of a millimetre; the kernel's guard band is thinner
SAME_US: Final = 2
SAME_DEG: Final = 1e-9
GUARD_TMM: Final = 1


class Difference(NamedTuple):
    """What an entry says, and what comes out now. is_boundary: within the guard band."""

    is_boundary: bool
    seq: int
    at_us: int
    about: str
    what: str


class Audited(NamedTuple):
    """What was decided again. findings: conflicts raised or changed. kernels: that found them.

    has_house: some pair was bound by the house rule alone. waiting: operations that are
    RE-CHECKING at the end of the file, and were not compared by the newest rules.
    """

    header: Header
    entries: int
    findings: int
    notices: int
    pairs: int
    kernels: tuple[str, ...]
    has_house: bool
    waiting: int
    differences: tuple[Difference, ...]


def audit(
    lines: Iterable[bytes], house: RuleSet, functions: Functions,
    tell: Callable[[int], None] | None = None,
) -> Audited:  # fmt: skip
    """Return what comes out of an archive when it is decided again.

    lines: of the file, without their newlines. `Malformed` for what is no archive, or one that
    does not begin with the first entry. tell: called with each line's length in bytes.
    """
    auditor: _Auditor | None = None
    for number, data in enumerate(lines, start=1):
        path = f"line {number}"
        line: AnyLine = decode(data, AnyLine, path, LONGEST_LINE)  # type: ignore[arg-type]
        if auditor is None:
            auditor = _Auditor(_archive(line, path), house, functions)
        elif isinstance(line, EntryLine):
            auditor.take(decode(bytes(line.entry), Entry, f"{path}, entry", LONGEST_LINE), path)
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


class _NoIds:
    """Nothing new is made by deciding again."""

    def id(self) -> NoReturn:
        raise AssertionError("an audit makes no ids")

    def salt(self) -> NoReturn:
        raise AssertionError("an audit makes no salts")


@dataclass
class _InEntry:
    """What one entry has. Written by `_Auditor` alone.

    touched: operations. changed: pairs whose conflict was. expected, given: notices by party.
    more: of an operation, how many conflicts are left out of the entry.
    """

    touched: dict[str, None] = field(default_factory=dict)
    changed: dict[tuple[str, str], None] = field(default_factory=dict)
    expected: dict[str, list[Notice]] = field(default_factory=dict)
    given: dict[str, list[Notice]] = field(default_factory=dict)
    more: dict[str, int] = field(default_factory=dict)


class _Auditor:
    """The state of reading one archive."""

    def __init__(self, header: Header, house: RuleSet, functions: Functions) -> None:
        self._header, self._functions = header, functions
        self._deciding = Deciding(
            world=World(), near=Near(functions, every_cylinder([house])), functions=functions,
            house=house, ids=_NoIds(), now_us=0, counts={},
        )  # fmt: skip
        self._world = self._deciding.world
        self._compiled: dict[str, dict[ProbingBound | None, Compiled]] = {}
        self._entries = self._findings = self._notices = self._pairs = 0
        self._kernels: dict[str, None] = {}
        self._now = _InEntry()
        self._has_house = False
        self._differences: list[Difference] = []
        self._seq = self._at_us = 0

    def result(self) -> Audited:
        """Return what was found, after the last entry."""
        return Audited(
            self._header, self._entries, self._findings, self._notices, self._pairs,
            tuple(self._kernels), self._has_house, len(self._world.rechecking),
            tuple(self._differences),
        )  # fmt: skip

    def take(self, entry: Entry, path: str) -> None:
        """Fold one entry and decide it again."""
        if entry.seq != self._entries:
            raise Malformed(
                f"{path}, seq", entry.seq, f"is not {self._entries}: what stood before is not here",
                "give the archive whole, from its first entry",
            )  # fmt: skip
        self._entries += 1
        self._seq, self._at_us = entry.seq, entry.at_us
        self._now = _InEntry()
        for leaf in entry.leaves:
            part = decode(bytes(leaf.part), Part, f"{path}, part", LONGEST_LINE, is_inner=True)
            if part.kind == NOTICE_KIND:
                self._now.given.setdefault(leaf.audience, []).append(_read(part, Notice, path))
            elif part.kind in KINDS:
                self._fold(leaf, _read(part, KINDS[part.kind], path), path)  # type: ignore[arg-type]
        keep(self._world)
        self._check_pairs()
        for party in sorted(self._now.expected.keys() | self._now.given.keys()):
            self._check_told(
                party, self._now.expected.get(party, []), self._now.given.get(party, [])
            )

    def _fold(self, leaf: Leaf, event: Event, path: str) -> None:
        """Let one event happen, and decide it again where it is a conflict."""
        before = self._before(event, path)
        evolve(self._world, event)
        self._now.touched |= dict.fromkeys(self._touched(event))
        match event:
            case MoreFound(id=own_id, more=more):
                self._now.more[own_id] = more
            case ConflictChanged(conflict=conflict):
                self._now.changed[conflict.a, conflict.b] = None
                self._check_change(conflict, before)
                self._check_seen(leaf, conflict)
                for party, each in self._expected(conflict):
                    self._now.expected.setdefault(party, []).append(each)

    def _check_pairs(self) -> None:
        """Compare every pair that the entry has touched, all with all."""
        for key in dict.fromkeys((*self._pairs_of(self._now.touched), *self._now.changed)):
            one, other = (self._world.operations[each] for each in key)
            self._check_pair(one, other, has_changed=key in self._now.changed)
        for own_id, left in self._now.more.items():
            if left:
                self._add(
                    f"operation {own_id[:8]}",
                    f"says that it has more conflicts than are told; {left} of them are not there",
                )

    def _before(self, event: Event, path: str) -> Conflict | None:
        """Return the conflict before its change; refuse what names something not in the record."""
        world = self._world
        strange: set[str] = set()
        before = None
        match event:
            case ConflictChanged(conflict=conflict):
                strange = {conflict.a, conflict.b} - world.operations.keys()
                before = world.conflicts.get(conflict.id)
            case OperationMoved(id=operation_id):
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

    def _touched(self, event: Event) -> list[str]:
        """Return the operations of which everything is to be compared again."""
        match event:
            case OperationFiled(operation=operation):
                self._compiled.pop(operation.id, None)
                return [operation.id]
            case OperationMoved(id=operation_id, state=state) if state in OVER | OUT_OF_PLAN:
                self._compiled.pop(operation_id, None)
                return [operation_id]
            case RecheckingDone(operations=operations):
                self._deciding.forget_bindings()
                return list(operations)
            case AgreementStood(hash=own_hash, is_long=is_long):
                self._deciding.forget_bindings()
                if is_long:  # looked at bit by bit, each with its RecheckingDone
                    return []
                parties = {each.id for each in self._world.agreements[own_hash].agreement.parties}
                every = self._world.operations.values()
                return [each.id for each in every if each.party in parties]
            case _:
                return []

    def _pairs_of(self, touched: Iterable[str]) -> Iterator[tuple[str, str]]:
        """Yield each pair of which one was touched once, the one whose id comes first in front."""
        for own_id in touched:
            party = self._world.operations[own_id].party
            for other in self._world.operations.values():
                if other.party != party:
                    yield min(own_id, other.id), max(own_id, other.id)

    # --- what is found now --------------------------------------------------------------------

    def _compile(self, operation: Operation, bound: ProbingBound | None) -> Compiled:
        """Return an operation as it is compared under a probing bound."""
        forms = self._compiled.setdefault(operation.id, {})
        if bound not in forms:
            stood = as_stood(self._world, operation)
            forms[bound] = self._deciding.near.compile(claim_of(stood), bound)
        return forms[bound]

    def _between(self, a: Operation, b: Operation) -> Between:
        between = self._deciding.between(a.party, b.party)
        self._has_house = self._has_house or any(not each.agreement for each in between.minima)
        return between

    def _breaches(
        self, a: Operation, b: Operation, *, in_conflict: bool
    ) -> tuple[Breach, ...]:  # fmt: skip
        """Return what two operations break as they stand. in_conflict: they are, or were so far."""
        if a.party == b.party or a.status is not b.status:
            return ()
        if not (a.is_protecting and b.is_protecting) and not (
            in_conflict and self._are_there(a, b)
        ):
            return ()
        self._pairs += 1
        between = self._between(a, b)
        one, other = (self._compile(each, between.probing) for each in (a, b))
        return breaches(self._functions, one, other, self._deciding.minima(a, b))

    def _are_there(self, a: Operation, b: Operation) -> bool:
        """Tell whether two operations in conflict are over for neither side."""
        between = self._between(a, b)
        return all(
            is_there(self._world, each, between.grants, between.probing, self._at_us)
            for each in (a, b)
        )

    def _is_nearly(self, a: Operation, b: Operation, minima: Iterable[Minima]) -> bool:
        """Tell whether a pair that breaks nothing would, were one of them a hair larger."""
        if not (self._are_there(a, b) and a.status is b.status):
            return False
        bound = self._between(a, b).probing
        claim = claim_of(as_stood(self._world, a))
        larger = replace(claim, lateral_tmm=claim.lateral_tmm + GUARD_TMM)
        one = self._deciding.near.compile(larger, bound)
        return bool(breaches(self._functions, one, self._compile(b, bound), minima))

    # --- what the record says -----------------------------------------------------------------

    def _check_change(self, conflict: Conflict, before: Conflict | None) -> None:
        """Compare a conflict, as it was raised or changed, with what comes out now."""
        self._findings += 1
        self._kernels |= dict.fromkeys(each.kernel for each in conflict.broken)
        a, b = (self._world.operations[each] for each in (conflict.a, conflict.b))
        if conflict.a >= conflict.b or conflict.parties != (a.party, b.party):
            self._differs(conflict, f"names {conflict.parties}, not those whose operations meet")
        may = {State.RAISED} if before is None else {before.state, *TABLE[before.state].values()}
        if conflict.state not in may:
            was = "raised" if before is None else before.state.value
            self._differs(conflict, f"cannot be {conflict.state} after it was {was}")
        if before is None and conflict.raised_us != self._at_us:
            self._differs(conflict, "is dated otherwise than its entry")
        self._check_content(conflict, a, b, self._breaches(a, b, in_conflict=True))

    def _check_pair(self, a: Operation, b: Operation, *, has_changed: bool) -> None:
        """Compare the conflicts of a pair at the end of an entry with what comes out now."""
        conflicts = self._world.conflicts_of(a.id)
        live = [each for each in conflicts if each.other(a.id) == b.id and each.state in GONE_ON]
        broken = self._breaches(a, b, in_conflict=bool(live))
        if broken and not live and not self._is_left(a.id, b.id):
            is_boundary = all(each.found.verdict is Verdict.BOUNDARY for each in broken)
            clauses = ", ".join(_clause((each.agreement, each.clause)) for each in broken)
            self._add(
                _pair_text(a, b), f"MISSING: break {clauses}, and have no conflict",
                is_boundary=is_boundary,
            )  # fmt: skip
        if len(live) > 1:
            self._add(_pair_text(a, b), f"TOO MANY: have {len(live)} conflicts at once")
        if not has_changed:
            for each in live:
                self._check_content(each, a, b, broken)

    def _is_left(self, *pair: str) -> bool:
        """Tell whether one of a pair says that it has more conflicts than its entry holds."""
        own_id = next((each for each in pair if self._now.more.get(each)), None)
        if own_id is None:
            return False
        self._now.more[own_id] -= 1
        return True

    def _check_content(
        self, conflict: Conflict, a: Operation, b: Operation, broken: tuple[Breach, ...]
    ) -> None:
        """Compare what a conflict says with what a pair breaks."""
        if conflict.state not in GONE_ON:
            if broken:
                is_boundary = all(each.found.verdict is Verdict.BOUNDARY for each in broken)
                self._differs(
                    conflict, f"is {conflict.state}, and the two break a rule still",
                    is_boundary=is_boundary,
                )  # fmt: skip
            return
        between = self._between(a, b)
        if not broken:
            self._differs(
                conflict, "TOO MANY: the two break no rule",
                is_boundary=self._is_nearly(a, b, self._deciding.minima(a, b)),
            )  # fmt: skip
            return
        places = self._world.places
        earlier, later = sorted((a, b), key=lambda each: places[each.id])
        acting, clause = who_acts(earlier, later, between.who_acts)
        if (conflict.must_act, conflict.clause) != (acting, clause):
            self._differs(
                conflict, f"says that {_ids(conflict.must_act)} must act (clause "
                f"{conflict.clause or 'none'}); by the rules {_ids(acting)} (clause "
                f"{clause or 'none'})",
            )  # fmt: skip
        self._check_broken(conflict, a, b, broken, between)

    def _check_broken(
        self, conflict: Conflict, a: Operation, b: Operation, broken: tuple[Breach, ...],
        between: Between,
    ) -> None:  # fmt: skip
        """Compare the rules that a conflict names, and their numbers."""
        found = {(each.agreement, each.clause): each for each in broken}
        said = {(each.agreement, each.clause): each for each in conflict.broken}
        for key in found.keys() - said.keys():
            is_boundary = found[key].found.verdict is Verdict.BOUNDARY
            self._differs(
                conflict, f"does not say that it breaks {_clause(key)}", is_boundary=is_boundary
            )
        for key in said.keys() - found.keys():
            bound = self._deciding.minima(a, b)
            minima = [each for each in bound if (each.agreement, each.clause) == key]
            is_boundary = bool(minima) and self._is_nearly(a, b, minima)
            self._differs(conflict, f"says that it breaks {_clause(key)}", is_boundary=is_boundary)
        for key in found.keys() & said.keys():
            one, other = as_stood(self._world, a), as_stood(self._world, b)
            made = told_of(self._deciding, one, other, found[key], between)
            self._check_numbers(conflict, said[key], made)

    def _check_numbers(self, conflict: Conflict, said: Broken, made: Broken) -> None:
        where = f"of {_clause((said.agreement, said.clause))}"
        if said.numbers is None or made.numbers is None:
            if said.numbers is not made.numbers:
                given = "no numbers" if said.numbers is None else "numbers"
                self._differs(conflict, f"has {given} {where}, against what is disclosed")
            return
        off = [
            name for name in said.numbers.__struct_fields__
            if getattr(said.numbers, name) != getattr(made.numbers, name)
        ]  # fmt: skip
        if off:
            is_boundary = _is_same(said.numbers, made.numbers)
            words = "; ".join(
                f"{name} {getattr(said.numbers, name)} {where}, now {getattr(made.numbers, name)}"
                for name in off
            )
            self._differs(conflict, f"says {words}", is_boundary=is_boundary)

    # --- who was told -------------------------------------------------------------------------

    def _check_seen(self, leaf: Leaf, conflict: Conflict) -> None:
        if leaf.audience != ",".join(sorted(set(conflict.parties))):
            self._differs(conflict, f"stands in the tree of {leaf.audience}, not of its parties")

    def _expected(self, conflict: Conflict) -> Iterator[tuple[str, Notice]]:
        """Yield what each party is to be told, but for the notes, which are words."""
        world = self._world
        a, b = (as_stood(world, world.operations[each]) for each in (conflict.a, conflict.b))
        between = self._between(a, b)
        for own, other in ((a, b), (b, a)):
            number = self._deciding.counts.get(own.party, 0) + 1
            self._deciding.counts[own.party] = number
            seen = as_compared(other, between.probing)
            yield own.party, notice(conflict, own, seen, between.grants, number, "").value

    def _check_told(self, party: str, expected: list[Notice], given: list[Notice]) -> None:
        """Compare the notices of one party in one entry with what it was to be told."""
        self._notices += len(given)
        for place in range(max(len(expected), len(given))):
            if place >= len(given):
                self._add(
                    f"conflict {expected[place].conflict[:8]}",
                    f"{party} was not told that it is {expected[place].state}",
                )
            elif place >= len(expected):
                self._add(
                    f"conflict {given[place].conflict[:8]}",
                    f"{party} was told of what did not happen here",
                )
            else:
                right = replace(expected[place], note=given[place].note)
                off = [
                    name for name in right.__struct_fields__
                    if getattr(right, name) != getattr(given[place], name)
                ]  # fmt: skip
                if off:
                    self._add(
                        f"conflict {right.conflict[:8]}",
                        f"{party} was told otherwise than the rules of the door say: "
                        f"{', '.join(off)}",
                    )

    def _differs(self, conflict: Conflict, what: str, *, is_boundary: bool = False) -> None:
        self._add(f"conflict {conflict.id[:8]}", what, is_boundary=is_boundary)

    def _add(self, about: str, what: str, *, is_boundary: bool = False) -> None:
        self._differences.append(Difference(is_boundary, self._seq, self._at_us, about, what))


def _read(part: Part, kind: type[Value], path: str) -> Value:
    return decode(bytes(part.data), kind, f"{path}, {part.kind}", LONGEST_LINE, is_inner=True)


def _is_same(one: Numbers, other: Numbers) -> bool:
    """Tell whether numbers differ by no more than machines may."""
    names = ("verdict", "rule", "leaf")
    is_near = (
        abs(one.from_us - other.from_us) <= SAME_US
        and abs(one.to_us - other.to_us) <= SAME_US
        and abs(one.closest_us - other.closest_us) <= SAME_US
        and abs(one.latitude_deg - other.latitude_deg) <= SAME_DEG
        and abs(one.longitude_deg - other.longitude_deg) <= SAME_DEG
        and abs(one.lateral_m - other.lateral_m) <= SAME_M
        and _are_near(one.vertical_m, other.vertical_m)
        and _are_near(one.short_by_m, other.short_by_m)
    )
    is_at_limit = Verdict.BOUNDARY in {one.verdict, other.verdict}
    return is_near and (is_at_limit or all(getattr(one, n) == getattr(other, n) for n in names))


def _are_near(one: float | None, other: float | None) -> bool:
    if one is None or other is None:
        return one is other
    return abs(one - other) <= SAME_M


def _pair_text(a: Operation, b: Operation) -> str:
    return f"operations {a.id[:8]} of {a.party} and {b.id[:8]} of {b.party}"


def _clause(key: tuple[str, str]) -> str:
    return f"clause {key[1]}" if key[0] else "the house rule"


def _ids(operations: Iterable[str]) -> str:
    return " and ".join(each[:8] for each in operations) or "nobody"
