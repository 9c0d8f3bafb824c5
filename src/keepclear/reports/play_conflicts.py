# SPDX-License-Identifier: Apache-2.0
"""What a story says of conflicts: how each stands, what it breaks, who must act, who sees what.

Only what is new is said: of a conflict, and of what a party is shown of the other's operation.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from keepclear.agreement.clauses import Precedence
from keepclear.exchange.disclosure import Shown
from keepclear.exchange.operations import IS_BACK, WAS_ACTIVATED
from keepclear.exchange.views import Notice
from keepclear.plans.conflicts import Conflict
from keepclear.plans.operations import Operation
from keepclear.reports.play_cases import Line
from keepclear.reports.play_names import Names
from keepclear.reports.play_values import listed
from keepclear.reports.told_text import breaks_text, shown_rows

URGENT: Final = "URGENT"
CHANGED: Final = "changed: "


class ConflictTeller:
    """Says what is new of conflicts; keeps how they stand, and what each side has seen."""

    def __init__(self, names: Names, operations: Mapping[str, Operation]) -> None:
        self._names, self._operations = names, operations
        self.conflicts: dict[str, Conflict] = {}
        self._seen: dict[tuple[str, str], Shown] = {}
        self._day = ""

    def tell(
        self, conflict: Conflict, notices: Sequence[Notice], day: str
    ) -> Iterator[Line]:  # fmt: skip
        """Yield what is new in a conflict, and who was told. day: on which it happened."""
        self._day = day
        before = self.conflicts.get(conflict.id)
        self.conflicts[conflict.id] = conflict
        yield from self._stands(conflict, before, notices[0].note if notices else "")
        if before is None or before.must_act != conflict.must_act:
            acting = self.named(conflict.must_act)
            clause = f"by clause {conflict.clause}" if conflict.clause else "filed later"
            yield Line("must act", f"{acting}, {clause}")
        known = [] if before is None else [breaks_text(each, self._day) for each in before.broken]
        breaks = [breaks_text(each, self._day) for each in conflict.broken]
        if breaks != known:
            yield from (Line("breaks", each) for each in breaks)
        if notices:
            party = {conflict.a: conflict.parties[0], conflict.b: conflict.parties[1]}
            order = self._in_order([each.own for each in notices])
            told = sorted(notices, key=lambda each: order.index(each.own))
            yield Line("told", _told(told, party))
            for each in told:
                yield from self._sees(party[each.own], each)

    def _stands(self, conflict: Conflict, before: Conflict | None, note: str) -> Iterator[Line]:
        """Yield how a conflict stands, where that is new. note: of the notices on it."""
        name = self._names.conflict(conflict.id)
        if before is None:
            yield Line("", f"{name.upper()}: {self.named((conflict.a, conflict.b))}")
        elif conflict.closed_by and conflict.closed_by != before.closed_by:
            why = self._names.in_words(conflict.closed_by)
            yield Line("", f"{name} is {conflict.state}: {why}")
        elif note.startswith(CHANGED):
            why = self._names.in_words(note.removeprefix(CHANGED))
            yield Line("", f"{name.upper()} goes on, {conflict.state}: {why}")
            if before.acknowledged or before.agreed or before.proposal:
                yield Line("void", "what was acknowledged, proposed or agreed before")
        elif conflict.state is not before.state:
            yield Line("", f"{name} is {conflict.state}")
        elif note.startswith(URGENT):
            said = self._names.in_words(note.removeprefix(f"{URGENT}: "))
            yield Line("", f"{URGENT}, {name}: {said}")
        elif note.endswith((WAS_ACTIVATED, IS_BACK)):
            yield Line("", f"{name} goes on: {self._names.in_words(note)}")

    def named(self, operations: Sequence[str]) -> str:
        """Return the names of operations, in the order in which the story came to them."""
        return listed([self._name(each) for each in self._in_order(operations)])

    def _in_order(self, operations: Sequence[str]) -> list[str]:
        """Return operations in the order in which the story came to them."""
        known = list(self._operations)
        return sorted(
            operations, key=lambda each: known.index(each) if each in known else len(known)
        )

    def _sees(self, party: str, notice: Notice) -> Iterator[Line]:
        """Yield what a party sees of the other's operation that it did not see before."""
        other, known = notice.other, (notice.conflict, party)
        last = self._seen.get(known)
        self._seen[known] = other
        rows, before = (
            shown_rows(other, self._day),
            {} if last is None else shown_rows(last, self._day),
        )
        new = {label: text for label, text in rows.items() if before.get(label) != text}
        label, name = f"{party} sees", self._name(other.id)
        if other.ovn is None:
            if last is None or last.ovn is not None:
                yield Line(label, f"of {name} from now on that it exists, and nothing else")
        elif last is None or new:
            yield Line(label, f"of {name}{'' if last is None else ' anew'}")
            wide = max(map(len, new), default=0)
            yield from (Line(" ", f"{each:<{wide}}  {text}") for each, text in new.items())
            if last is None and not rows.keys() - {"state"}:
                yield Line(" ", "that it exists: no clause shows more")
        elif last.ovn != other.ovn:
            yield Line(label, f"of {name} another version; what is shown of it is as before")

    def _name(self, operation: str) -> str:
        return self._names.operation(operation)


def _told(notices: Sequence[Notice], party: Mapping[str, str]) -> str:
    """Return who was told, and how urgently where that is not routine: both sides alike.

    party: of each operation.
    """
    said = ", ".join(f"{party[each.own]} (notice {each.number})" for each in notices)
    urgency = notices[0].precedence
    return said if urgency is Precedence.ROUTINE else f"{urgency}: {said}"
