# SPDX-License-Identifier: Apache-2.0
"""What deciding an act works with: the world, what hangs beside it, and what has come of it.

Deciding changes the world as it goes, under the undo log: what is refused half-way is taken back
whole (`exchange`).
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import NamedTuple, TypeVar

from keepclear.agreement.binding import Held, Minima, binding, minima_for
from keepclear.agreement.clauses import (
    Decision,
    Disclosure,
    Grace,
    OnConflict,
    OnConflictRule,
    ProbingBound,
    WhoActs,
)
from keepclear.agreement.probing import DEFAULT, widest
from keepclear.agreement.separation import RuleSet
from keepclear.agreement.standing import Standing
from keepclear.detect.kernel import Functions
from keepclear.errors import InputError
from keepclear.exchange.disclosure import Grants, grants_of
from keepclear.exchange.events import KIND_OF, ConflictChanged, Event
from keepclear.exchange.index import Near
from keepclear.exchange.lapses import as_stood
from keepclear.exchange.ports import Ids
from keepclear.exchange.views import NOTICE_KIND, Disclosed, Notice, notice
from keepclear.exchange.world import Carried, World, evolve
from keepclear.plans.conflicts import Conflict
from keepclear.plans.operations import DEFAULT_GRACE_US, Operation, as_compared
from keepclear.record.encoding import Signed
from keepclear.record.entries import audience_of
from keepclear.record.notes import NoteKey

Kind = TypeVar("Kind", bound=Decision)


class Between(NamedTuple):
    """What binds two parties now. who_acts: with the ids of the clauses.

    probing: what small volumes are widened to, None where all is disclosed; least: the same where
    all is disclosed but what is on the ground. grace_us: for how long an operation that is out of
    plan protects after its end. agreements: by their hashes.
    """

    minima: tuple[Minima, ...]
    who_acts: tuple[tuple[str, WhoActs], ...]
    grants: Grants
    on_conflict: OnConflict
    probing: ProbingBound | None
    least: ProbingBound
    grace_us: int
    agreements: frozenset[str]

    def bound(self, one: Operation, other: Operation) -> ProbingBound | None:
        """Return what two operations are widened to before they are compared, None for nothing."""
        is_all = all(self.grants.of(each).is_everything for each in (one, other))
        return None if is_all else self.least


@dataclass(eq=False)
class Deciding:
    """One act, or what falls due, being decided.

    counts: how many notices each party has had. parties: all of the region. parts: audience,
    kind and value of what goes into the record, in order. seen_by: who else sees the act.
    believed: the exchange's own keys. holds: whether a party sees a leaf of the record, by its
    hash. due: when an agreement or an operation is to be looked at again, by hash or id.
    """

    world: World
    near: Near
    functions: Functions
    house: RuleSet
    ids: Ids
    now_us: int
    counts: dict[str, int]
    parties: frozenset[str] = frozenset()
    parts: list[tuple[str, str, Signed]] = field(default_factory=list)
    seen_by: tuple[str, ...] = ()
    believed: tuple[NoteKey, ...] = ()
    holds: Callable[[str, bytes], bool] = field(default=lambda _party, _leaf: False)
    due: list[tuple[int, str]] = field(default_factory=list)
    _between: dict[tuple[str, str], Between] = field(default_factory=dict)
    _before: dict[tuple[str, str], tuple[Minima, ...]] = field(default_factory=dict)

    def emit(self, parties: Iterable[str], event: Event) -> None:
        """Let an event happen, for those who may see it."""
        evolve(self.world, event)
        self.parts.append((audience_of(parties), KIND_OF[type(event)], event))

    def change(self, conflict: Conflict, note: str = "") -> None:
        """Let a conflict be raised or changed, and tell both sides."""
        self.emit(conflict.parties, ConflictChanged(conflict=conflict))
        for told in self.notices(conflict, note):
            self.parts.append((told.party, NOTICE_KIND, told.value))

    def notices(self, conflict: Conflict, note: str) -> Iterator[Disclosed[Notice]]:
        """Yield what each side is told of a conflict as it stands now, and count it."""
        operations = self.world.operations
        a, b = (as_stood(self.world, operations[each]) for each in (conflict.a, conflict.b))
        between = self.between(a.party, b.party)
        for own, other in ((a, b), (b, a)):
            number = self.counts.get(own.party, 0) + 1
            self.counts[own.party] = number
            seen = other
            if between.grants.of(other).has_place and not conflict.is_settled:
                seen = as_compared(other, between.bound(own, other))
            yield notice(
                conflict, own, seen, between.grants, number, note, between.agreements
            )  # fmt: skip

    def between(self, a: str, b: str) -> Between:
        """Return what binds two parties now."""
        key = (min(a, b), max(a, b))
        if key not in self._between:
            self._between[key] = what_binds(held_of(self.world), *key, self.house)
        return self._between[key]

    def minima(self, one: Operation, other: Operation) -> tuple[Minima, ...]:
        """Return the rules that bind two operations; RE-CHECKING ones by those before, too."""
        now = self.between(one.party, other.party).minima
        waits = self.world.rechecking
        if one.id not in waits and other.id not in waits:
            return now
        pair = (min(one.party, other.party), max(one.party, other.party))
        if pair not in self._before:
            held = held_of(self.world, self.world.before)
            self._before[pair] = minima_for(held, *pair, self.house)
        known = {(each.agreement, each.clause) for each in now}
        more = (e for e in self._before[pair] if (e.agreement, e.clause) not in known)
        return (*now, *more)

    def grace_us(self, party: str) -> int:
        """Return for how long a party's operation protects after its end, once out of plan.

        It protects from all at once, so the longest that holds with anybody.
        """
        others = self.parties - {party}
        return max((self.between(party, each).grace_us for each in others),
                   default=DEFAULT_GRACE_US)  # fmt: skip

    def forget_bindings(self) -> None:
        """Look again at what binds whom: an agreement stands otherwise than before."""
        self._between.clear()
        self._before.clear()

    def operation(self, operation_id: str, party: str) -> Operation:
        """Return a party's own operation; one error for all that is not."""
        found = self.world.operations.get(operation_id)
        if found is None or found.party != party:
            raise InputError(
                "operation", operation_id, f"is no operation of {party}", "see your own operations"
            )
        return found

    def conflict(self, conflict_id: str, party: str) -> Conflict:
        """Return a conflict that a party is in; one error for all that it is not."""
        found = self.world.conflicts.get(conflict_id)
        if found is None or party not in found.parties:
            raise InputError(
                "conflict", conflict_id, f"is no conflict of {party}", "see your own conflicts"
            )
        self.seen_by = found.parties
        return found


def clauses_of(world: World, party: str) -> list[tuple[str, str, Decision]]:
    """Return what binds a party: of each agreement that holds, its hash, clause id, decision."""
    return [
        (own_hash, clause.id, clause.decides)
        for own_hash, each in world.agreements.items()
        if any(own.id == party for own in each.agreement.parties)
        for clause in each.clauses
        if clause.decides is not None
    ]


def held_of(world: World, instead: Mapping[str, Carried] = MappingProxyType({})) -> list[Held]:
    """Return the agreements in a world and what holds of them now.

    instead: agreements to be taken as they stood before.
    """
    found = {**world.agreements, **instead}
    return [
        Held(each.agreement, Standing(each.state, own_hash, (), each.clauses, (), (), (), ()))
        for own_hash, each in found.items()
    ]


def what_binds(held: Sequence[Held], a: str, b: str, house: RuleSet) -> Between:
    """Return what binds two parties by the agreements that are held."""
    bound = binding(held, a, b)
    disclosures: list[tuple[str, str, Disclosure | None]] = []
    for each in bound:
        found = [(each.standing.hash, *pair) for pair in _of(each, Disclosure)]
        disclosures += found or [(each.standing.hash, "", None)]
    grants = grants_of(disclosures)
    least = _least_probing(bound)
    graces = [rule.lasts_us for each in bound for _, rule in _of(each, Grace)]
    actions = [rule.action for each in bound for _, rule in _of(each, OnConflictRule)]
    return Between(
        minima=minima_for(held, a, b, house),
        who_acts=tuple(pair for each in bound for pair in _of(each, WhoActs)),
        grants=grants, probing=None if grants.is_everything else least, least=least,
        on_conflict=OnConflict.REFUSE if OnConflict.REFUSE in actions else OnConflict.NOTE,
        grace_us=max(graces, default=DEFAULT_GRACE_US),
        agreements=frozenset(each.standing.hash for each in bound),
    )  # fmt: skip


def _least_probing(bound: Sequence[Held]) -> ProbingBound:
    """Return what small volumes are widened to: the widest that is agreed, else the default."""
    agreed = [clause for each in bound for _, clause in _of(each, ProbingBound)]
    return widest(agreed) if agreed else DEFAULT


def _of(held: Held, kind: type[Kind]) -> list[tuple[str, Kind]]:
    """Return the clauses of an agreement that hold and decide a kind of thing."""
    return [
        (clause.id, clause.decides)
        for clause in held.standing.clauses
        if isinstance(clause.decides, kind)
    ]
