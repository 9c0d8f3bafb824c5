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
4. How agreements stand is taken from the record, and so is who signed what: `record verify`
   tells whether that holds. The house rule stands in no record and is handed in.
"""

from collections.abc import Callable, Iterable, Iterator
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
    NoneHereWithdrawn,
    OperationFiled,
    OperationMoved,
)
from keepclear.exchange.index import Near
from keepclear.exchange.rechecking import GONE_ON, told
from keepclear.exchange.views import Notice, notice
from keepclear.exchange.world import World, evolve, keep
from keepclear.plans.conflicts import TABLE, Broken, Conflict, Numbers, State, who_acts
from keepclear.plans.operations import Operation, as_compared, claim_of
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

    has_house: some pair was bound by the house rule alone.
    """

    header: Header
    entries: int
    findings: int
    notices: int
    pairs: int
    kernels: tuple[str, ...]
    has_house: bool
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
        self._has_house = False
        self._differences: list[Difference] = []
        self._seq = self._at_us = 0

    def result(self) -> Audited:
        """Return what was found, after the last entry."""
        return Audited(
            self._header, self._entries, self._findings, self._notices, self._pairs,
            tuple(self._kernels), self._has_house, tuple(self._differences),
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
        touched: dict[str, None] = {}
        changed: set[tuple[str, str]] = set()
        expected: dict[str, list[Notice]] = {}
        given: dict[str, list[Notice]] = {}
        for leaf in entry.leaves:
            part = decode(bytes(leaf.part), Part, f"{path}, part", LONGEST_LINE, is_inner=True)
            if part.kind == NOTICE_KIND:
                given.setdefault(leaf.audience, []).append(_read(part, Notice, path))
            elif part.kind in KINDS:
                event: Event = _read(part, KINDS[part.kind], path)  # type: ignore[assignment]
                before = self._before(event, path)
                evolve(self._world, event)
                touched |= dict.fromkeys(self._touched(event))
                if isinstance(event, ConflictChanged):
                    changed.add((event.conflict.a, event.conflict.b))
                    self._check_change(event.conflict, before)
                    self._check_seen(leaf, event.conflict)
                    for notice_ in self._expected(event.conflict):
                        party = self._world.operations[notice_.own].party
                        expected.setdefault(party, []).append(notice_)
        keep(self._world)
        for one, other in self._pairs_of(touched):
            self._check_pair(one, other, has_changed=(one.id, other.id) in changed)
        for party in sorted(expected.keys() | given.keys()):
            self._check_told(party, expected.get(party, []), given.get(party, []))

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
            case OperationMoved(id=operation_id):
                self._compiled.pop(operation_id, None)
                return [operation_id]
            case AgreementStood(hash=own_hash):
                self._deciding.forget_bindings()
                parties = {each.id for each in self._world.agreements[own_hash].agreement.parties}
                every = self._world.operations.values()
                return [each.id for each in every if each.party in parties]
            case _:
                return []

    def _pairs_of(self, touched: Iterable[str]) -> Iterator[tuple[Operation, Operation]]:
        """Yield each pair of which one was touched once, the one whose id comes first in front."""
        seen: set[tuple[str, str]] = set()
        for own_id in touched:
            one = self._world.operations[own_id]
            for other in self._world.operations.values():
                if other.party == one.party:
                    continue
                key = (min(own_id, other.id), max(own_id, other.id))
                if key in seen:
                    continue
                seen.add(key)
                a, b = (self._world.operations[each] for each in key)
                yield a, b

    # --- what is found now --------------------------------------------------------------------

    def _compile(self, operation: Operation, bound: ProbingBound | None) -> Compiled:
        """Return an operation as it is compared under a probing bound."""
        forms = self._compiled.setdefault(operation.id, {})
        if bound not in forms:
            forms[bound] = self._deciding.near.compile(claim_of(operation), bound)
        return forms[bound]

    def _between(self, a: Operation, b: Operation) -> Between:
        between = self._deciding.between(a.party, b.party)
        self._has_house = self._has_house or any(not each.agreement for each in between.minima)
        return between

    def _breaches(self, a: Operation, b: Operation) -> tuple[Breach, ...]:
        """Return what two operations break as they stand."""
        if not (a.is_protecting and b.is_protecting and a.status is b.status):
            return ()
        if a.party == b.party:
            return ()
        self._pairs += 1
        between = self._between(a, b)
        one, other = (self._compile(each, between.probing) for each in (a, b))
        return breaches(self._functions, one, other, between.minima)

    def _is_nearly(self, a: Operation, b: Operation, minima: Iterable[Minima]) -> bool:
        """Tell whether a pair that breaks nothing would, were one of them a hair larger."""
        if not (a.is_protecting and b.is_protecting and a.status is b.status):
            return False
        bound = self._between(a, b).probing
        claim = claim_of(a)
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
        self._check_content(conflict, a, b, self._breaches(a, b))

    def _check_pair(self, a: Operation, b: Operation, *, has_changed: bool) -> None:
        """Compare the conflicts of a pair at the end of an entry with what comes out now."""
        conflicts = self._world.conflicts_of(a.id)
        live = [each for each in conflicts if each.other(a.id) == b.id and each.state in GONE_ON]
        broken = self._breaches(a, b)
        if broken and not live:
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
                is_boundary=self._is_nearly(a, b, between.minima),
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
            minima = [each for each in between.minima if (each.agreement, each.clause) == key]
            is_boundary = bool(minima) and self._is_nearly(a, b, minima)
            self._differs(conflict, f"says that it breaks {_clause(key)}", is_boundary=is_boundary)
        for key in found.keys() & said.keys():
            made = told(self._deciding, a, b, found[key], between)
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

    def _expected(self, conflict: Conflict) -> Iterator[Notice]:
        """Yield what each side is to be told; the notes are the record's own."""
        a, b = (self._world.operations[each] for each in (conflict.a, conflict.b))
        between = self._between(a, b)
        for own, other in ((a, b), (b, a)):
            number = self._deciding.counts.get(own.party, 0) + 1
            self._deciding.counts[own.party] = number
            seen = as_compared(other, between.probing)
            yield notice(conflict, own, seen, between.grants, number, "").value

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
