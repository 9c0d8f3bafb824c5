# SPDX-License-Identifier: Apache-2.0
"""None-here statements decided again: what contradicts each is found, for whom it is, no more.

A statement is compared with all that its party ever filed when it is made, and with what is
filed or goes out of plan after that.
"""

from collections.abc import Iterable, Iterator

from keepclear.agreement.findings import Verdict
from keepclear.exchange.audit_found import Found
from keepclear.exchange.events import (
    ContradictionsShown,
    Event,
    NoneHereContradicted,
    NoneHereStated,
    OperationFiled,
    OperationMoved,
)
from keepclear.exchange.none_here import as_shown, contradicting, shown_to
from keepclear.exchange.objects import Contradictions
from keepclear.plans.none_here import Contradiction, NoneHere
from keepclear.plans.operations import OUT_OF_PLAN, Operation
from keepclear.record.entries import audience_of

Version = tuple[str, int]


class Statements:
    """The none-here statements of a record. Written by the audit alone."""

    def __init__(self, found: Found) -> None:
        self._found = found
        self._known: dict[str, tuple[Contradiction, ...]] = {}
        self._given: dict[str, list[Contradiction]] = {}
        self._shown: dict[tuple[str, str], set[Version]] = {}

    def begin(self) -> None:
        """Begin with another entry: what is known by then is not found again."""
        self._given, self._shown = {}, {}
        self._known = {
            statement: each.found for statement, each in self._found.world.contradictions.items()
        }

    def give(self, audience: str, event: NoneHereContradicted | ContradictionsShown) -> None:
        """Take what the record says that contradicts a statement, and who sees it."""
        statement = self._found.world.none_here.get(event.id)
        if statement is None:
            self._differs(event.id, "is contradicted, and was never made")
            return
        if isinstance(event, NoneHereContradicted):
            self._given.setdefault(event.id, []).extend(event.found)
            if audience != statement.party:
                self._differs(event.id, f"what contradicts it stands in the tree of {audience}")
            return
        kept = self._found.world.contradictions.get(event.id, Contradictions())
        known = {as_shown(each) for each in kept.found}
        for each in event.found:
            if each not in known:
                self._differs(event.id, f"{_name(_version(each))} is shown otherwise than it is")
        for party in statement.to:
            if audience == audience_of([statement.party, party]):
                seen = self._shown.setdefault((event.id, party), set())
                seen |= {(each.operation, each.version) for each in event.found}

    def check(self, events: Iterable[Event]) -> None:
        """Compare what an entry says that contradicts with what does now."""
        expected: dict[str, list[Contradiction]] = {}
        for statement, operations in self._looked_at(events):
            found = expected.setdefault(statement.id, [])
            known = (*self._known.get(statement.id, ()), *found)
            found += contradicting(self._found.functions, statement, operations, known)
        for statement_id in dict.fromkeys((*expected, *self._given)):
            now = {_version(each): each for each in expected.get(statement_id, [])}
            said = {_version(each): each for each in self._given.get(statement_id, [])}
            self._compare(statement_id, now, said)
            self._check_shown(statement_id, said.keys() & now.keys())

    def _looked_at(self, events: Iterable[Event]) -> Iterator[tuple[NoneHere, list[Operation]]]:
        """Yield each statement that the entry is a reason to look at, and with what."""
        world = self._found.world
        for event in events:
            match event:
                case NoneHereStated(statement=statement):
                    yield statement, [*world.earlier.values(), *world.operations.values()]
                    continue
                case OperationFiled(operation=operation):
                    pass
                case OperationMoved(id=operation_id, state=state) if state in OUT_OF_PLAN:
                    operation = world.operations[operation_id]
                case _:
                    continue
            for statement_id in world.stated.get(operation.party, ()):
                yield world.none_here[statement_id], [operation]

    def _compare(
        self, statement_id: str, now: dict[Version, Contradiction],
        said: dict[Version, Contradiction],
    ) -> None:  # fmt: skip
        for key in sorted(now.keys() | said.keys()):
            one, other = now.get(key), said.get(key)
            if one == other:
                continue
            verdicts = {each.verdict for each in (one, other) if each is not None}
            name = _name(key)
            if other is None:
                what = f"MISSING: {name} contradicts it, and is not told"
            elif one is None:
                what = f"TOO MANY: {name} does not contradict it"
            else:
                what = f"says of {name} {other.verdict} and {other.state}; now {one.verdict} and "
                what += f"{one.state}"
            self._differs(statement_id, what, is_boundary=Verdict.BOUNDARY in verdicts)

    def _check_shown(self, statement_id: str, found: Iterable[Version]) -> None:
        statement = self._found.world.none_here[statement_id]
        versions = set(found)
        for party in shown_to(self._found.deciding, statement) if versions else ():
            if versions - self._shown.get((statement_id, party), set()):
                self._differs(statement_id, f"what contradicts it was not shown to {party}")

    def _differs(self, statement_id: str, what: str, *, is_boundary: bool = False) -> None:
        self._found.differs(f"none-here {statement_id[:8]}", what, is_boundary=is_boundary)


def _name(version: Version) -> str:
    return f"version {version[1]} of operation {version[0][:8]}"


def _version(found: Contradiction) -> Version:
    return found.operation, found.version
