# SPDX-License-Identifier: Apache-2.0
"""The world: what stands now, as a fold of what happened; and the one function that changes it.

1. `evolve` alone writes; it computes nothing but what its event says.
2. Each change is kept in the undo log until `keep` or `undo`, so that a failed commit leaves the
   world as it was.
3. The hash is a sum over all objects of the hash of each, so that it follows every change, does
   not depend on the order of dictionaries, and is the same after any fold of the same events.
"""

from bisect import bisect_right
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Final

import msgspec

from keepclear.agreement.documents import Agreement, Clause, read_agreement
from keepclear.agreement.statements import AgreementFile
from keepclear.agreement.states import State as AgreementState
from keepclear.exchange.events import (
    AgreementCarried,
    AgreementStood,
    ConflictChanged,
    Event,
    IncidentChanged,
    LineChanged,
    NoneHereContradicted,
    NoneHereStated,
    NoneHereWithdrawn,
    OperationFiled,
    OperationMoved,
)
from keepclear.plans.conflicts import Conflict
from keepclear.plans.incidents import Incident, TimelineLine
from keepclear.plans.none_here import Contradiction, NoneHere
from keepclear.plans.operations import OUT_OF_PLAN, Operation, State
from keepclear.record.encoding import Signed, encode

HOUR_US: Final = 3_600_000_000
HOURS: Final = 24
HASH_SIZE: Final = 2**256


class Carried(Signed, frozen=True, kw_only=True):
    """An agreement in the region, and how it stands."""

    agreement: Agreement
    file: AgreementFile
    state: AgreementState = AgreementState.DRAFT
    clauses: tuple[Clause, ...] = ()


class Filer(Signed, frozen=True, kw_only=True):
    """When a party has filed within the last hour, and what it took within the last day.

    hours: (hour since 1970, km2h) for each hour in which it filed.
    """

    times_us: tuple[int, ...] = ()
    hours: tuple[tuple[int, int], ...] = ()

    def taken_km2h(self, now_us: int) -> int:
        """Return what was taken within the last day, whole hours counted in."""
        first = now_us // HOUR_US - HOURS
        return sum(taken for hour, taken in self.hours if hour >= first)


class Contradictions(Signed, frozen=True, kw_only=True):
    """What was found to contradict a statement, in order."""

    found: tuple[Contradiction, ...] = ()


@dataclass(eq=False)
class World:
    """What stands now. Written by `evolve` alone; the owner alone calls it, one thread at a time.

    operations, conflicts: by id. agreements: by hash. filers: by party. of_operation: ids of the
    conflicts that an operation is in, in the order in which they were raised. places: of each
    operation among all filings, the later one greater; a new version that only shrinks keeps
    its place. incidents, lines of their timelines, none_here statements: by id; contradictions:
    by statement; stated: ids of a party's statements. earlier: versions of operations that others
    have replaced, by id and version, and of one that has ended out of plan how it stood before,
    as it protected longer then. What a party states none-here of is compared with all it ever
    filed, and a decision asks the world alone: so they are kept here, and not looked for in the
    record. The latest version is not kept twice.
    """

    agreements: dict[str, Carried] = field(default_factory=dict)
    filers: dict[str, Filer] = field(default_factory=dict)
    operations: dict[str, Operation] = field(default_factory=dict)
    conflicts: dict[str, Conflict] = field(default_factory=dict)
    of_operation: dict[str, tuple[str, ...]] = field(default_factory=dict)
    places: dict[str, int] = field(default_factory=dict)
    incidents: dict[str, Incident] = field(default_factory=dict)
    lines: dict[str, TimelineLine] = field(default_factory=dict)
    none_here: dict[str, NoneHere] = field(default_factory=dict)
    contradictions: dict[str, Contradictions] = field(default_factory=dict)
    stated: dict[str, tuple[str, ...]] = field(default_factory=dict)
    earlier: dict[str, Operation] = field(default_factory=dict)
    filings: int = 0
    sum: int = 0
    undo_log: list[tuple[str, str, object]] = field(default_factory=list)

    @property
    def hash(self) -> str:
        """Return the hash of all objects, hexadecimal."""
        return f"{self.sum:064x}"

    def conflicts_of(self, operation: str) -> list[Conflict]:
        """Return the conflicts that an operation is or was in."""
        return [self.conflicts[each] for each in self.of_operation.get(operation, ())]


def evolve(world: World, event: Event) -> None:
    """Change the world by one event."""
    match event:
        case AgreementCarried():
            agreement = read_agreement(bytes(event.file.agreement))
            before = world.agreements.get(event.hash)
            made = Carried(agreement=agreement, file=event.file)
            if before is not None:
                made = msgspec.structs.replace(made, state=before.state, clauses=before.clauses)
            _put(world, "agreements", event.hash, made)
        case AgreementStood():
            carried = world.agreements[event.hash]
            _put(world, "agreements", event.hash, msgspec.structs.replace(
                carried, state=event.state, clauses=event.clauses
            ))  # fmt: skip
        case OperationFiled():
            _keep_earlier(world, event.operation.id)
            _put(world, "operations", event.operation.id, event.operation)
            if not event.is_smaller:
                _count_filing(world, event)
                world.undo_log.append(("filings", "", world.filings))
                world.undo_log.append(
                    ("places", event.operation.id, world.places.get(event.operation.id))
                )
                world.filings += 1
                world.places[event.operation.id] = world.filings
        case OperationMoved():
            old = world.operations[event.id]
            _keep_earlier(world, event.id, event.state)
            airborne_us = old.airborne_us if event.airborne_us is None else event.airborne_us
            _put(world, "operations", event.id, msgspec.structs.replace(
                old, state=event.state, airborne_us=airborne_us
            ))  # fmt: skip
        case ConflictChanged():
            conflict = event.conflict
            if conflict.id not in world.conflicts:
                for operation in (conflict.a, conflict.b):
                    known = world.of_operation.get(operation, ())
                    world.undo_log.append(("of_operation", operation, known))
                    world.of_operation[operation] = (*known, conflict.id)
            _put(world, "conflicts", conflict.id, conflict)
        case _:
            _evolve_incidents(world, event)


def _evolve_incidents(world: World, event: Event) -> None:
    """Change what stands of incident cases and none-here statements."""
    match event:
        case IncidentChanged():
            _put(world, "incidents", event.incident.id, event.incident)
        case LineChanged():
            _put(world, "lines", event.line.id, event.line)
        case NoneHereStated():
            party, statement_id = event.statement.party, event.statement.id
            known = world.stated.get(party, ())
            world.undo_log.append(("stated", party, known))
            world.stated[party] = (*known, statement_id)
            _put(world, "none_here", statement_id, event.statement)
        case NoneHereWithdrawn():
            _put(world, "none_here", event.id, msgspec.structs.replace(
                world.none_here[event.id], withdrawn_us=event.at_us
            ))  # fmt: skip
        case NoneHereContradicted():
            before_it = world.contradictions.get(event.id, Contradictions())
            _put(world, "contradictions", event.id, Contradictions(
                found=(*before_it.found, *event.found)
            ))  # fmt: skip


def _keep_earlier(world: World, operation_id: str, state: State | None = None) -> None:
    """Keep how an operation stood, where a version replaces it or it is out of plan no more.

    state: into which it moves, None where it is replaced. What is kept of a version first stays:
    out of plan it protected longest.
    """
    old = world.operations.get(operation_id)
    if old is None or f"{old.id}/{old.version}" in world.earlier:
        return
    if state is None or (old.state in OUT_OF_PLAN and state not in OUT_OF_PLAN):
        _put(world, "earlier", f"{old.id}/{old.version}", old)


def _count_filing(world: World, event: OperationFiled) -> None:
    party, now_us = event.operation.party, event.operation.filed_us
    known = world.filers.get(party, Filer())
    times_us = known.times_us[bisect_right(known.times_us, now_us - HOUR_US) :]
    this = now_us // HOUR_US
    hours = {hour: taken for hour, taken in known.hours if hour >= this - HOURS}
    hours[this] = hours.get(this, 0) + event.takes_km2h
    made = Filer(times_us=(*times_us, now_us), hours=tuple(sorted(hours.items())))
    _put(world, "filers", party, made)


def keep(world: World) -> None:
    """Forget how to undo what was done: it is committed."""
    world.undo_log.clear()


def undo(world: World) -> None:
    """Take back all that was done since the last `keep`, last first."""
    while world.undo_log:
        table, key, value = world.undo_log.pop()
        if table == "sum":
            world.sum = value  # type: ignore[assignment]
        elif table == "filings":
            world.filings = value  # type: ignore[assignment]
        elif value is None or value == ():
            getattr(world, table).pop(key, None)
        else:
            getattr(world, table)[key] = value


def _put(world: World, table: str, key: str, value: Signed) -> None:
    kept: dict[str, Signed] = getattr(world, table)
    before = kept.get(key)
    world.undo_log.append((table, key, before))
    world.undo_log.append(("sum", "", world.sum))
    kept[key] = value
    change = _hash(table, key, value) - (0 if before is None else _hash(table, key, before))
    world.sum = (world.sum + change) % HASH_SIZE


def _hash(table: str, key: str, value: Signed) -> int:
    text = b"%b/%b/%b" % (table.encode(), key.encode(), encode(value))
    return int.from_bytes(sha256(text).digest())
