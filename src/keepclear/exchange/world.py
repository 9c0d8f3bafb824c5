# SPDX-License-Identifier: Apache-2.0
"""The world: what stands now, as a fold of what happened; and the one function that changes it.

1. `evolve` alone writes; it computes nothing but what its event says.
2. Each change is kept in the undo log until `keep` or `undo`, so that a failed commit leaves the
   world as it was.
3. The hash is a sum over all objects of the hash of each, so that it follows every change, does
   not depend on the order of dictionaries, and is the same after any fold of the same events.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, Final, get_args, get_origin, get_type_hints

import msgspec

from keepclear.agreement.documents import read_agreement
from keepclear.exchange.events import (
    AgreementCarried,
    AgreementStood,
    CallChanged,
    ConflictChanged,
    Event,
    IncidentChanged,
    KeepOutsChanged,
    LineChanged,
    LineChecked,
    MessageChanged,
    MessageOverdue,
    MoreFound,
    NoneHereContradicted,
    NoneHereStated,
    NoneHereWithdrawn,
    OperationFiled,
    OperationMoved,
    RecheckingBegun,
    RecheckingDone,
    RegionOpened,
    ShiftChanged,
    StandingCarried,
    StopChanged,
)
from keepclear.exchange.objects import (
    HOUR_US,
    HOURS,
    Carried,
    Contradictions,
    Filer,
    KeepOuts,
    More,
    Rechecking,
)
from keepclear.line.calls import Call
from keepclear.line.checks import Check, CheckedLine
from keepclear.line.messages import Message
from keepclear.line.shifts import Shift
from keepclear.plans.conflicts import Conflict
from keepclear.plans.incidents import Incident, TimelineLine
from keepclear.plans.none_here import NoneHere
from keepclear.plans.operations import OUT_OF_PLAN, Operation, State
from keepclear.plans.stops import Stop
from keepclear.record.encoding import Signed, encode

MINUTE_US: Final = 60_000_000
MINUTES: Final = 60
HASH_SIZE: Final = 2**256
MOST_UNHASHED: Final = 256
# They follow from the others.
UNHASHED: Final = frozenset({"of_operation", "places", "room", "standing", "stated", "waiting"})
BINDING: Final = frozenset({"agreements", "before"})  # what binds two parties follows from them


@dataclass(eq=False)
class World:
    """What stands now. Written by `evolve` alone; the owner alone calls it, one thread at a time.

    opened: how the region was opened, by its name; empty before. operations, conflicts: by id.
    agreements: by hash. filers: by party. of_operation: ids of the
    conflicts that an operation is in, in the order in which they were raised. places: of each
    operation among all filings, the later one greater; a new version that only shrinks keeps
    its place. rechecking: operations that are not yet looked at again, by id; before: agreements as
    they stood before a change that some of these wait for, whose rules bind those still, by hash
    and number of the change; waiting: how many wait for each. more: of operations with more
    conflicts than one entry holds, how many more; room: of these, those of which a conflict that
    was told has been settled since, or agreed, so that others can be told.
    incidents, lines of their timelines, none_here statements, messages, line_checks, stops, shifts,
    calls: by id; lines_checked: by their keys (`line.checks`); standing: whose the STOPs are that
    have not ended, by id; keep_outs: by operation, of those that must keep out of somewhere;
    contradictions: by statement; stated: ids of a party's statements. earlier: versions of
    operations that others have replaced, by id and version, and of one that is out of plan no more
    how it stood before, as it protected longer then. What a party states none-here of is compared
    with all it ever filed, and a decision asks the world alone: so they are kept here,
    and not looked for in the record. The latest version is not kept twice.
    hashes: of each object when it was last hashed, and sum: of all of them; unhashed: objects that
    have changed since, by table and key. An object that changes often is hashed once for it.
    rebound: how often what binds parties has changed, so that what follows from it can be kept.
    """

    opened: dict[str, RegionOpened] = field(default_factory=dict)
    agreements: dict[str, Carried] = field(default_factory=dict)
    filers: dict[str, Filer] = field(default_factory=dict)
    before: dict[str, Carried] = field(default_factory=dict)
    waiting: dict[str, int] = field(default_factory=dict)
    rechecking: dict[str, Rechecking] = field(default_factory=dict)
    more: dict[str, More] = field(default_factory=dict)
    room: dict[str, int] = field(default_factory=dict)
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
    messages: dict[str, Message] = field(default_factory=dict)
    line_checks: dict[str, Check] = field(default_factory=dict)
    lines_checked: dict[str, CheckedLine] = field(default_factory=dict)
    stops: dict[str, Stop] = field(default_factory=dict)
    standing: dict[str, str] = field(default_factory=dict)
    shifts: dict[str, Shift] = field(default_factory=dict)
    calls: dict[str, Call] = field(default_factory=dict)
    keep_outs: dict[str, KeepOuts] = field(default_factory=dict)
    filings: int = 0
    hashes: dict[str, int] = field(default_factory=dict)
    sum: int = 0
    unhashed: dict[tuple[str, str], None] = field(default_factory=dict)
    undo_log: list[tuple[str, str, object]] = field(default_factory=list)
    rebound: int = 0

    @property
    def hash(self) -> str:
        """Return the hash of all objects, hexadecimal."""
        hash_again(self)
        return f"{self.sum:064x}"

    @property
    def is_waiting(self) -> bool:
        """Tell whether there are operations to be looked at again, between acts."""
        return bool(self.rechecking or self.room)

    def conflicts_of(self, operation: str) -> list[Conflict]:
        """Return the conflicts that an operation is or was in."""
        return [self.conflicts[each] for each in self.of_operation.get(operation, ())]


ALL_TABLES: Final[Mapping[str, Any]] = {
    name: get_args(kind)[1]
    for name, kind in get_type_hints(World).items()
    if get_origin(kind) is dict and name not in {"hashes", "unhashed"}
}
"""What there is many of in a world, and of which type."""


def evolve(world: World, event: Event) -> None:
    """Change the world by one event; what only tells something changes nothing."""
    change = EVOLVE.get(type(event))
    if change is not None:
        change(world, event)


def _region_opened(world: World, event: RegionOpened) -> None:
    _put(world, "opened", event.region, event)


def _agreement_carried(world: World, event: AgreementCarried) -> None:
    made = Carried(agreement=read_agreement(bytes(event.file.agreement)), file=event.file)
    before = world.agreements.get(event.hash)
    if before is not None:
        made = msgspec.structs.replace(made, state=before.state, clauses=before.clauses)
    _put(world, "agreements", event.hash, made)


def _agreement_stood(world: World, event: AgreementStood) -> None:
    carried = world.agreements[event.hash]
    if event.is_long:
        _put(world, "before", _change_of(event.hash, _changes(world, event.hash) + 1), carried)
    made = msgspec.structs.replace(carried, state=event.state, clauses=event.clauses)
    _put(world, "agreements", event.hash, made)


def _operation_filed(world: World, event: OperationFiled) -> None:
    own_id = event.operation.id
    _keep_earlier(world, own_id)
    _put(world, "operations", own_id, event.operation)
    _count_filing(world, event)
    if not event.is_smaller:
        _take_place(world, own_id)


def _take_place(world: World, operation_id: str) -> None:
    """Give an operation the last place among all filings."""
    world.undo_log.append(("filings", "", world.filings))
    world.undo_log.append(("places", operation_id, world.places.get(operation_id)))
    world.filings += 1
    world.places[operation_id] = world.filings


def _operation_moved(world: World, event: OperationMoved) -> None:
    old = world.operations[event.id]
    _keep_earlier(world, event.id, event.state)
    _put(world, "operations", event.id, moved(old, event))


def moved(operation: Operation, event: OperationMoved) -> Operation:
    """Return an operation in the state that it was moved to."""
    airborne_us = operation.airborne_us if event.airborne_us is None else event.airborne_us
    grace_us = operation.grace_us if event.grace_us is None else event.grace_us
    return msgspec.structs.replace(
        operation, state=event.state, airborne_us=airborne_us, grace_us=grace_us
    )


def _rechecking_begun(world: World, event: RecheckingBegun) -> None:
    latest = _change_of(event.hash, _changes(world, event.hash))
    for each in event.operations:
        known = world.rechecking.get(each, Rechecking()).waits
        if event.hash not in map(agreement_of, known):
            _wait(world, each, (*known, latest))


def _rechecking_done(world: World, event: RecheckingDone) -> None:
    for each in event.operations:
        known = world.rechecking.get(each, Rechecking()).waits
        _wait(world, each, tuple(key for key in known if agreement_of(key) != event.hash))
    for key in [key for key in world.before if agreement_of(key) == event.hash]:
        if key not in world.waiting:
            _drop(world, "before", key)


def agreement_of(change: str) -> str:
    """Return the hash of the agreement of a change, by its key."""
    return change.partition("/")[0]


def _change_of(own_hash: str, number: int) -> str:
    return f"{own_hash}/{number}"


def _changes(world: World, own_hash: str) -> int:
    """Return the number of the last change of an agreement that is kept; 0 for none."""
    numbers = (key.partition("/") for key in world.before)
    return max((int(number) for key, _, number in numbers if key == own_hash), default=0)


def _wait(world: World, operation_id: str, waits: tuple[str, ...]) -> None:
    """Let an operation wait for these changes and no others."""
    known = world.rechecking.get(operation_id, Rechecking()).waits
    for key in {*known} ^ {*waits}:
        count = world.waiting.get(key, 0)
        world.undo_log.append(("waiting", key, count or None))
        world.waiting[key] = count + (1 if key in waits else -1)
        if not world.waiting[key]:
            del world.waiting[key]
    if waits:
        _put(world, "rechecking", operation_id, Rechecking(waits=waits))
    else:
        _drop(world, "rechecking", operation_id)


def _more_found(world: World, event: MoreFound) -> None:
    if event.more:
        _put(world, "more", event.id, More(count=event.more))
    else:
        _drop(world, "more", event.id)
    _note_room(world, event.id, None)


def _note_room(world: World, operation_id: str, conflicts: int | None) -> None:
    """Note how many told conflicts have made room for others, or that all were looked at."""
    before = world.room.get(operation_id)
    if conflicts == before:
        return
    world.undo_log.append(("room", operation_id, before))
    if conflicts is None:
        del world.room[operation_id]
    else:
        world.room[operation_id] = conflicts


def _conflict_changed(world: World, event: ConflictChanged) -> None:
    conflict = event.conflict
    _put_conflict(world, conflict)
    if not conflict.is_open:
        for operation in (conflict.a, conflict.b):
            if operation in world.more:
                _note_room(world, operation, world.room.get(operation, 0) + 1)


def _put_conflict(world: World, conflict: Conflict) -> None:
    if conflict.id not in world.conflicts:
        for operation in (conflict.a, conflict.b):
            known = world.of_operation.get(operation, ())
            world.undo_log.append(("of_operation", operation, known))
            world.of_operation[operation] = (*known, conflict.id)
    _put(world, "conflicts", conflict.id, conflict)


def _incident_changed(world: World, event: IncidentChanged) -> None:
    _put(world, "incidents", event.incident.id, event.incident)


def _line_changed(world: World, event: LineChanged) -> None:
    _put(world, "lines", event.line.id, event.line)


def _message_changed(world: World, event: MessageChanged | MessageOverdue) -> None:
    _put(world, "messages", event.message.id, event.message)


def _line_checked(world: World, event: LineChecked) -> None:
    _put(world, "lines_checked", event.line.key, event.line)
    if event.check is not None:
        _put(world, "line_checks", event.check.id, event.check)


def _stop_changed(world: World, event: StopChanged) -> None:
    _put_stop(world, event.stop)


def _put_stop(world: World, stop: Stop) -> None:
    """Put a STOP, and note whether it stands."""
    _put(world, "stops", stop.id, stop)
    world.undo_log.append(("standing", stop.id, world.standing.pop(stop.id, None)))
    if stop.is_protecting:
        world.standing[stop.id] = stop.party


def _shift_changed(world: World, event: ShiftChanged) -> None:
    _put(world, "shifts", event.shift.id, event.shift)


def _call_changed(world: World, event: CallChanged) -> None:
    _put(world, "calls", event.call.id, event.call)


def _keep_outs_changed(world: World, event: KeepOutsChanged) -> None:
    if event.areas:
        _put(world, "keep_outs", event.id, KeepOuts(areas=event.areas))
    else:
        _drop(world, "keep_outs", event.id)


def _none_here_stated(world: World, event: NoneHereStated) -> None:
    _put_statement(world, event.statement)


def _put_statement(world: World, statement: NoneHere) -> None:
    known = world.stated.get(statement.party, ())
    world.undo_log.append(("stated", statement.party, known))
    world.stated[statement.party] = (*known, statement.id)
    _put(world, "none_here", statement.id, statement)


def _none_here_withdrawn(world: World, event: NoneHereWithdrawn) -> None:
    made = msgspec.structs.replace(world.none_here[event.id], withdrawn_us=event.at_us)
    _put(world, "none_here", event.id, made)


def _none_here_contradicted(world: World, event: NoneHereContradicted) -> None:
    before = world.contradictions.get(event.id, Contradictions())
    made = Contradictions(found=(*before.found, *event.found))
    _put(world, "contradictions", event.id, made)


TABLES: Final[Mapping[str, type[Signed]]] = {
    "agreements": Carried, "before": Carried, "filers": Filer, "operations": Operation,
    "earlier": Operation, "conflicts": Conflict, "rechecking": Rechecking, "more": More,
    "incidents": Incident, "lines": TimelineLine, "none_here": NoneHere,
    "contradictions": Contradictions, "messages": Message, "line_checks": Check,
    "lines_checked": CheckedLine, "stops": Stop, "keep_outs": KeepOuts, "shifts": Shift,
    "calls": Call,
}  # fmt: skip
"""What a restored record begins with, in the order in which it is carried over."""


def stood(event: StandingCarried) -> Signed:
    """Return the object that was carried over."""
    return msgspec.json.decode(event.value, type=TABLES[event.table])


def _standing_carried(world: World, event: StandingCarried) -> None:
    """Put an object where it stood, and what follows from it and from the order of all."""
    value = stood(event)
    match value:
        case Conflict():
            _put_conflict(world, value)
        case NoneHere():
            _put_statement(world, value)
        case Stop():
            _put_stop(world, value)
        case Rechecking(waits=waits):
            _wait(world, event.key, waits)
        case _:
            _put(world, event.table, event.key, value)
    if event.table == "operations":
        _take_place(world, event.key)
    if event.room:
        _note_room(world, event.key, event.room)


EVOLVE: Final[Mapping[type[Signed], Callable[[World, Any], None]]] = {
    RegionOpened: _region_opened,
    AgreementCarried: _agreement_carried,
    AgreementStood: _agreement_stood,
    OperationFiled: _operation_filed,
    OperationMoved: _operation_moved,
    RecheckingBegun: _rechecking_begun,
    RecheckingDone: _rechecking_done,
    MoreFound: _more_found,
    ConflictChanged: _conflict_changed,
    IncidentChanged: _incident_changed,
    LineChanged: _line_changed,
    MessageChanged: _message_changed,
    MessageOverdue: _message_changed,
    LineChecked: _line_checked,
    StopChanged: _stop_changed,
    KeepOutsChanged: _keep_outs_changed,
    ShiftChanged: _shift_changed,
    CallChanged: _call_changed,
    NoneHereStated: _none_here_stated,
    NoneHereWithdrawn: _none_here_withdrawn,
    NoneHereContradicted: _none_here_contradicted,
    StandingCarried: _standing_carried,
}


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
    minute, hour = now_us // MINUTE_US, now_us // HOUR_US
    _put(world, "filers", party, Filer(
        minutes=_counted(known.minutes, minute, minute - MINUTES + 1, 1),
        hours=_counted(known.hours, hour, hour - HOURS, event.takes_km2h),
    ))  # fmt: skip


def _counted(
    counts: tuple[tuple[int, int], ...], now: int, first: int, more: int
) -> tuple[tuple[int, int], ...]:
    """Return counts by time, in order, with more for now and none from before the first."""
    kept = counts
    if counts and counts[0][0] < first:
        kept = tuple(each for each in counts if each[0] >= first)
    if kept and kept[-1][0] == now:
        return (*kept[:-1], (now, kept[-1][1] + more))
    return (*kept, (now, more))


def keep(world: World) -> None:
    """Forget how to undo what was done: it is committed."""
    world.undo_log.clear()


def undo(world: World, mark: int = 0) -> None:
    """Take back what was done since the last `keep`, last first.

    mark: how long the log was at a time up to which it is taken back; all of it where it is 0.
    """
    while len(world.undo_log) > mark:
        table, key, value = world.undo_log.pop()
        if table == "filings":
            world.filings = value  # type: ignore[assignment]
            continue
        kept: dict[str, object] = getattr(world, table)
        if value is None or value == ():
            kept.pop(key, None)
        else:
            kept[key] = value
        if table not in UNHASHED:
            _note_change(world, table, key)


def hash_again(world: World) -> None:
    """Bring the sum of the hashes to what stands now."""
    for table, key in world.unhashed:
        place = f"{table}/{key}"
        before = world.hashes.pop(place, 0)
        value = getattr(world, table).get(key)
        now = 0
        if value is not None:
            now = world.hashes[place] = _hash(place, value)
        world.sum = (world.sum + now - before) % HASH_SIZE
    world.unhashed.clear()


def hash_all(world: World) -> None:
    """Hash each object anew, and all of them."""
    hashed = [field for field in ALL_TABLES if field not in UNHASHED]
    world.hashes = {
        f"{table}/{key}": _hash(f"{table}/{key}", each)
        for table in hashed for key, each in _table(world, table)
    }  # fmt: skip
    world.sum = sum(world.hashes.values()) % HASH_SIZE
    world.unhashed.clear()


def is_whole(world: World) -> bool:
    """Tell whether the hash is that of the objects that are there, each hashed anew."""
    hash_again(world)
    tables = {place.partition("/")[0] for place in world.hashes}
    places = {f"{table}/{key}": each for table in tables for key, each in _table(world, table)}
    total = sum(_hash(place, each) for place, each in places.items()) % HASH_SIZE
    return places.keys() == world.hashes.keys() and total == world.sum


def _table(world: World, name: str) -> Iterable[tuple[str, Signed]]:
    kept: dict[str, Signed] = getattr(world, name)
    return kept.items()


def _put(world: World, table: str, key: str, value: Signed) -> None:
    kept: dict[str, Signed] = getattr(world, table)
    world.undo_log.append((table, key, kept.get(key)))
    kept[key] = value
    _has_changed(world, table, key)


def _drop(world: World, table: str, key: str) -> None:
    kept: dict[str, Signed] = getattr(world, table)
    before = kept.pop(key, None)
    if before is not None:
        world.undo_log.append((table, key, before))
        _has_changed(world, table, key)


def _note_change(world: World, table: str, key: str) -> None:
    world.unhashed[table, key] = None
    if table in BINDING:
        world.rebound += 1


def _has_changed(world: World, table: str, key: str) -> None:
    _note_change(world, table, key)
    if len(world.unhashed) > MOST_UNHASHED:  # so that none waits for very many
        hash_again(world)


def _hash(place: str, value: Signed) -> int:
    hashed = sha256(place.encode() + b"/")
    hashed.update(encode(value))
    return int.from_bytes(hashed.digest())
