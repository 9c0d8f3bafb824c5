# SPDX-License-Identifier: Apache-2.0
"""What binds two parties: taken from every agreement that holds between them, else the house rule.

Kept from act to act, for as long as every agreement stands as it did: what is kept is asked for
with what stands now, and worked out anew where that is anything else.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final, NamedTuple, TypeVar

from keepclear.agreement.binding import Held, Minima, binding, minima_for
from keepclear.agreement.clauses import (
    Decision,
    Disclosure,
    Grace,
    OnConflict,
    OnConflictRule,
    ProbingBound,
    StopDistance,
    WhoActs,
)
from keepclear.agreement.probing import DEFAULT, widest
from keepclear.agreement.separation import RuleSet
from keepclear.agreement.standing import Standing
from keepclear.agreement.states import State
from keepclear.exchange.disclosure import Grants, grants_of
from keepclear.exchange.objects import Carried
from keepclear.exchange.world import World, agreement_of
from keepclear.plans.operations import DEFAULT_GRACE_US, Operation
from keepclear.plans.stops import DEFAULT_GROWN_TMM

SUSPENDED: Final = frozenset({State.SUSPENDED, State.DENOUNCED})
Kind = TypeVar("Kind", bound=Decision)
Pair = tuple[str, str]


class Between(NamedTuple):
    """What binds two parties now. who_acts: with the ids of the clauses.

    probing: what small volumes are widened to, None where all is disclosed; least: the same where
    all is disclosed but what is on the ground. grace_us: for how long an operation that is out of
    plan protects after its end. stop_tmm: by how much a STOP is grown, by the two of them alone.
    agreements: by their hashes.
    """

    minima: tuple[Minima, ...]
    who_acts: tuple[tuple[str, WhoActs], ...]
    grants: Grants
    on_conflict: OnConflict
    probing: ProbingBound | None
    least: ProbingBound
    grace_us: int
    stop_tmm: int
    agreements: frozenset[str]

    def bound(self, one: Operation, other: Operation) -> ProbingBound | None:
        """Return what two operations are widened to before they are compared, None for nothing."""
        if self.probing is not None:
            return self.least
        is_all = self.grants.of(one).is_everything and self.grants.of(other).is_everything
        return None if is_all else self.least


class Bindings:
    """What binds each pair of parties under one house rule."""

    def __init__(self, house: RuleSet) -> None:
        self._house = house
        self._unagreed = what_binds([], "", "", house)  # of all pairs that have agreed nothing
        self._world: World | None = None
        self._rebound = 0
        self._between: dict[Pair, Between] = {}
        self._before: dict[tuple[Pair, tuple[str, ...]], tuple[Minima, ...]] = {}

    def between(self, world: World, a: str, b: str) -> Between:
        """Return what binds two parties as agreements stand now."""
        self._forget_others(world)
        found = self._between.get((a, b))
        if found is None:
            found = what_binds(held_of(world), min(a, b), max(a, b), self._house)
            if not found.agreements and found.stop_tmm == self._unagreed.stop_tmm:
                found = self._unagreed
            self._between[a, b] = self._between[b, a] = found
        return found

    def before(self, world: World, changes: tuple[str, ...], a: str, b: str) -> tuple[Minima, ...]:
        """Return the rules of two parties before some changes of agreements, by their keys."""
        self._forget_others(world)
        pair = (min(a, b), max(a, b))
        found = self._before.get((pair, changes))
        if found is None:
            kept = [each for each in changes if each in world.before]  # all, but in forged records
            instead = {agreement_of(each): world.before[each] for each in kept}
            found = minima_for(held_of(world, instead), *pair, self._house)
            self._before[pair, changes] = found
        return found

    def _forget_others(self, world: World) -> None:
        """Forget what was worked out of agreements that do not stand so now."""
        if world is not self._world or world.rebound != self._rebound:
            self._between.clear()
            self._before.clear()
            self._world, self._rebound = world, world.rebound


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
        grace_us=max(graces, default=DEFAULT_GRACE_US), stop_tmm=stop_tmm(held, bound, a, b),
        agreements=frozenset(each.standing.hash for each in bound),
    )  # fmt: skip


def stop_tmm(held: Sequence[Held], bound: Sequence[Held], a: str, b: str) -> int:
    """Return by how much a STOP is grown between two parties: the largest that is agreed.

    What was agreed and is suspended, denounced too, counts where it is larger: people are where
    they are whatever is suspended. What binds no more, or was replaced, does not.
    """
    agreed = [rule.distance_tmm for each in bound for _, rule in _of(each, StopDistance)]
    replaced = {own_hash for each in bound for own_hash in each.agreement.replaces}
    suspended = [
        clause.decides.distance_tmm
        for each in held
        if each.standing.state in SUSPENDED and each.standing.hash not in replaced
        and {a, b} <= {party.id for party in each.agreement.parties}
        for clause in each.agreement.clauses if isinstance(clause.decides, StopDistance)
    ]  # fmt: skip
    return max([max(agreed, default=DEFAULT_GROWN_TMM), *suspended])


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
