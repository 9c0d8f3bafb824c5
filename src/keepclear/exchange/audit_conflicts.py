# SPDX-License-Identifier: Apache-2.0
"""Conflicts decided again: each is there, none too many, with these numbers and who must act."""

from collections.abc import Iterable
from typing import Final

from keepclear.agreement.claims import Breach
from keepclear.agreement.findings import Verdict
from keepclear.exchange.audit_found import Found, pair_text
from keepclear.exchange.bindings import Between
from keepclear.exchange.lapses import as_stood
from keepclear.exchange.rechecking import told_of
from keepclear.plans.conflicts import (
    GONE_ON,
    TABLE,
    Broken,
    Conflict,
    Numbers,
    State,
    WithoutUncertainty,
    who_acts,
)
from keepclear.plans.operations import Operation
from keepclear.record.entries import Leaf

SAME_M: Final = 1e-4  # a tenth of a millimetre; the kernel's guard band is thinner
SAME_US: Final = 2
SAME_DEG: Final = 1e-9


class Conflicts:
    """The conflicts of a record. Written by the audit alone.

    findings: how many were raised or changed. kernels: that found them. more: of an operation, in
    the entry that is read, how many conflicts are left out of it.
    """

    def __init__(self, found: Found) -> None:
        self._found = found
        self.findings = 0
        self.kernels: dict[str, None] = {}
        self.more: dict[str, int] = {}

    def check_change(self, conflict: Conflict, before: Conflict | None) -> None:
        """Compare a conflict, as it was raised or changed, with what comes out now."""
        self.findings += 1
        self.kernels |= dict.fromkeys(each.kernel for each in conflict.broken)
        a, b = (self._found.world.operations[each] for each in (conflict.a, conflict.b))
        if conflict.a >= conflict.b or conflict.parties != (a.party, b.party):
            self._differs(conflict, f"names {conflict.parties}, not those whose operations meet")
        may = {State.RAISED} if before is None else {before.state, *TABLE[before.state].values()}
        if conflict.state not in may:
            was = "raised" if before is None else before.state.value
            self._differs(conflict, f"cannot be {conflict.state} after it was {was}")
        if before is None and conflict.raised_us != self._found.deciding.now_us:
            self._differs(conflict, "is dated otherwise than its entry")
        if before is not None and self._says_what_it_said(conflict, before):
            return
        broken = self._found.breaches(a, b, in_conflict=before is not None)
        self._check_content(conflict, a, b, broken)

    def _says_what_it_said(self, conflict: Conflict, before: Conflict) -> bool:
        """Tell whether a conflict was acted on while it waits to be looked at again.

        It says what it said under the rules before, and is compared by those of now once it has
        been looked at. One that is closed meanwhile is compared at once.
        """
        waits = self._found.world.rechecking.keys() & {conflict.a, conflict.b}
        one, other = ((each.must_act, each.clause, each.broken) for each in (conflict, before))
        return bool(waits) and conflict.state in GONE_ON and one == other

    def check_pair(self, a: Operation, b: Operation, *, has_changed: bool) -> None:
        """Compare the conflicts of a pair at the end of an entry with what comes out now."""
        conflicts = self._found.world.conflicts_of(a.id)
        live = [each for each in conflicts if each.other(a.id) == b.id and each.state in GONE_ON]
        broken = self._found.breaches(a, b, in_conflict=bool(live))
        if broken and not live and not self._is_left(a.id, b.id):
            is_boundary = all(each.found.verdict is Verdict.BOUNDARY for each in broken)
            clauses = ", ".join(_clause((each.agreement, each.clause)) for each in broken)
            self._found.differs(
                pair_text(a, b), f"MISSING: break {clauses}, and have no conflict",
                is_boundary=is_boundary,
            )  # fmt: skip
        if len(live) > 1:
            self._found.differs(pair_text(a, b), f"TOO MANY: have {len(live)} conflicts at once")
        if not has_changed and not self._waits(a, b):
            for each in live:
                self._check_content(each, a, b, broken)

    def _waits(self, a: Operation, b: Operation) -> bool:
        """Tell whether a pair is looked at again later, and was not when time ended one of it."""
        waiting = self._found.world.rechecking.keys() & {a.id, b.id}
        return bool(waiting) and not (a.is_protecting and b.is_protecting)

    def _is_left(self, *pair: str) -> bool:
        """Tell whether one of a pair says that it has more conflicts than are told.

        An entry that says how many is held to that.
        """
        own_id = next((each for each in pair if self.more.get(each)), None)
        if own_id is None:  # not counted in this entry
            known = self._found.world.more
            return any(each in known and each not in self.more for each in pair)
        self.more[own_id] -= 1
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
        between = self._found.between(a, b)
        if not broken:
            self._differs(
                conflict, "TOO MANY: the two break no rule",
                is_boundary=self._found.is_nearly(a, b, self._found.deciding.minima(a, b)),
            )  # fmt: skip
            return
        places = self._found.world.places
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
            bound = self._found.deciding.minima(a, b)
            minima = [each for each in bound if (each.agreement, each.clause) == key]
            is_boundary = bool(minima) and self._found.is_nearly(a, b, minima)
            self._differs(conflict, f"says that it breaks {_clause(key)}", is_boundary=is_boundary)
        for key in found.keys() & said.keys():
            one, other = (as_stood(self._found.world, each) for each in (a, b))
            made = told_of(self._found.deciding, one, other, found[key], between)
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

    def check_seen(self, leaf: Leaf, conflict: Conflict) -> None:
        """Tell of a conflict that others than its parties see."""
        if leaf.audience != ",".join(sorted(set(conflict.parties))):
            self._differs(conflict, f"stands in the tree of {leaf.audience}, not of its parties")

    def check_left(self) -> None:
        """Tell of operations that say that they have more conflicts than there are."""
        for own_id, left in self.more.items():
            if left:
                self._found.differs(
                    f"operation {own_id[:8]}",
                    f"says that it has more conflicts than are told; {left} of them are not there",
                )

    def _differs(self, conflict: Conflict, what: str, *, is_boundary: bool = False) -> None:
        self._found.differs(f"conflict {conflict.id[:8]}", what, is_boundary=is_boundary)


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
        and _are_near(one.short_by_s, other.short_by_s)
        and _are_without(one.without_uncertainty, other.without_uncertainty)
    )
    is_at_limit = Verdict.BOUNDARY in {one.verdict, other.verdict}
    return is_near and (is_at_limit or all(getattr(one, n) == getattr(other, n) for n in names))


def _are_without(one: WithoutUncertainty | None, other: WithoutUncertainty | None) -> bool:
    if one is None or other is None:
        return one is other
    return one.is_broken == other.is_broken and _are_near(one.short_by_m, other.short_by_m)


def _are_near(one: float | None, other: float | None) -> bool:
    if one is None or other is None:
        return one is other
    return abs(one - other) <= SAME_M


def _clause(key: tuple[str, str]) -> str:
    return f"clause {key[1]}" if key[0] else "the house rule"


def _ids(operations: Iterable[str]) -> str:
    return " and ".join(each[:8] for each in operations) or "nobody"
