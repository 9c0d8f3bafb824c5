# SPDX-License-Identifier: Apache-2.0
"""What hangs beside the world: which operations come near another, found fast.

It is no part of the world, stands outside its hash, and is made anew from it when it is missing
or the rules have changed. `stops` are the STOPs that stand, in an index of their own.

1. It holds every operation that protects, and those that time has ended for their owner alone
   (`lapses`); one index for each status: Actual, Exercise and Test never meet.
2. Claims are kept as wide as any bound on probing here makes them, and are judged as wide as the
   bound between the two says: by what is kept where that is the same, as it is of most.
3. It is asked with every cylinder of every rule that binds anybody here, so it misses nothing
   that a rule could find.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple

from keepclear.agreement.claims import Claim, Compiled, compile_claim, compile_claims
from keepclear.agreement.clauses import ProbingBound
from keepclear.agreement.probing import DEFAULT, widened, widest
from keepclear.agreement.separation import RuleSet
from keepclear.agreement.terms import cylinders
from keepclear.detect.cylinders import Cylinder
from keepclear.detect.datums import Datums
from keepclear.detect.kernel import Functions, limits_of
from keepclear.detect.sweep import Limits
from keepclear.detect.volume_arrays import take_volumes
from keepclear.detect.volume_index import VolumeIndex
from keepclear.exchange.stop_index import StandingStops
from keepclear.record.headers import Status

MOST_LIMITS: Final = 1_000


class _Kept(NamedTuple):
    """A claim that is kept; is_as_filed: no bound on probing here widens it."""

    status: Status
    claim: Claim
    is_as_filed: bool


class Near:
    """The kept index of all claims. The owner alone writes, one thread at a time."""

    def __init__(self, functions: Functions, cylinders: Iterable[Cylinder]) -> None:
        self._functions = functions
        self._cylinders = dict.fromkeys(cylinders)
        self._by_status = self._empty(self._cylinders)
        self._kept: dict[str, _Kept] = {}
        self._limits: dict[tuple[object, ...], tuple[RuleSet, Limits]] = {}
        self.bound = DEFAULT
        self._groups: dict[str, int] = {}
        self.datums = Datums()
        self.stops = StandingStops(functions, self.compile)
        self.touched: set[str] = set()  # since the last commit; cleared by the exchange

    @property
    def reach(self) -> tuple[tuple[Cylinder, ...], ProbingBound]:
        """Return what it is asked with, and how wide claims are kept."""
        return tuple(self._cylinders), self.bound

    def widen(self, cylinders: Iterable[Cylinder], bounds: Iterable[ProbingBound]) -> None:
        """Ask for these ways to break a rule, and widen so much, too; made anew if it is more.

        `InputError` for a claim that cannot be widened so much: everything stays as it was.
        """
        more, bound = dict.fromkeys(cylinders), widest([self.bound, *bounds])
        if more.keys() <= self._cylinders.keys() and bound == self.bound:
            return
        every = self._cylinders | more
        by_status = self._empty(every)
        kept = self._add_all(by_status, [each[:2] for each in self._kept.values()], bound)
        self._cylinders, self.bound, self._by_status, self._kept = every, bound, by_status, kept

    def compile(self, claim: Claim, bound: ProbingBound | None = None) -> Compiled:
        """Return a claim as arrays; `InputError` for a shape that cannot be computed.

        bound: what it is widened to before, None for nothing.
        """
        made = claim if bound is None else widened(claim, bound, self._functions)
        return compile_claim(made, self.datums, self._functions)

    def compiled(self, claim_id: str, bound: ProbingBound | None) -> Compiled:
        """Return a kept claim as arrays, widened to a bound."""
        status, claim, is_as_filed = self._kept[claim_id]
        if not is_as_filed:
            return self.compile(claim, bound)
        index = self._by_status[status]
        return Compiled(claim, take_volumes(index.arrays, index.places(claim_id)))

    def put(self, status: Status, claim: Claim) -> None:
        """Keep a claim, instead of the one with its id. `InputError`: what was kept stays."""
        form = self.compile(claim, self.bound)
        self.drop(claim.id)
        self.touched.add(claim.id)
        self._kept[claim.id] = self._add(self._by_status, status, claim, form)

    def put_all(self, claims: Iterable[tuple[Status, Claim]]) -> None:
        """Keep claims where none is kept; as `put` of each, in less time."""
        self._kept = self._add_all(self._by_status, list(claims), self.bound)

    def drop(self, claim_id: str) -> None:
        """Keep a claim no longer, if it is kept."""
        kept = self._kept.pop(claim_id, None)
        self.touched.add(claim_id)
        if kept is not None:
            self._by_status[kept.status].remove(claim_id)

    def near(self, claim_id: str) -> list[str]:
        """Return the ids of claims of other parties whose boxes come near that of a kept one.

        All that it could break some rule with, and more.
        """
        status, claim, _ = self._kept[claim_id]
        return self._by_status[status].near(claim_id, self._group(claim.party))

    def is_as_filed(self, claim_id: str) -> bool:
        """Tell whether no bound on probing here widens a kept claim."""
        return self._kept[claim_id].is_as_filed

    def is_kept_as_judged(self, one: str, other: str, bound: ProbingBound | None) -> bool:
        """Tell whether two claims are kept as wide as they are where this bound is agreed."""
        return bound == self.bound or (
            self._kept[one].is_as_filed and self._kept[other].is_as_filed
        )

    def inside(self, claim_id: str, others: Sequence[str], rules: RuleSet) -> list[str]:
        """Return which of some claims break rules with one, all of them kept.

        others: of one class, alike in RVSM approval. As wide as they are kept.
        """
        status, claim, _ = self._kept[claim_id]
        limits = self._limits_of(rules, claim, self._kept[others[0]].claim)
        return self._by_status[status].inside(claim_id, others, limits)

    def _limits_of(self, rules: RuleSet, one: Claim, other: Claim) -> Limits:
        """Return the cylinders of rules for two classes as columns; kept, for they are few."""
        key = (id(rules), one.craft_class, other.craft_class, one.has_rvsm, other.has_rvsm)
        known = self._limits.get(key)
        if known is not None and known[0] is rules:
            return known[1]
        bound = cylinders(
            rules, one.craft_class, other.craft_class, rvsm_a=one.has_rvsm, rvsm_b=other.has_rvsm
        )
        if len(self._limits) >= MOST_LIMITS:
            self._limits.clear()
        limits = limits_of([cylinder for _, cylinder in bound])
        self._limits[key] = (rules, limits)
        return limits

    def _add(
        self, by_status: Mapping[Status, VolumeIndex], status: Status, claim: Claim, form: Compiled
    ) -> _Kept:
        by_status[status].add(claim.id, self._group(claim.party), form.volumes)
        return _Kept(status, claim, form.claim is claim)

    def _add_all(
        self, by_status: Mapping[Status, VolumeIndex], claims: Sequence[tuple[Status, Claim]],
        bound: ProbingBound,
    ) -> dict[str, _Kept]:  # fmt: skip
        """Add claims to indexes that have none of them, and return them as they are kept."""
        wide = [widened(claim, bound, self._functions) for _, claim in claims]
        for status, index in by_status.items():
            own = [k for k, (each, _) in enumerate(claims) if each is status]
            some = [wide[k] for k in own]
            for which, volumes in compile_claims(some, self.datums, self._functions):
                each_of = [some[k] for k in which for _ in some[k].volumes]
                groups = [self._group(each.party) for each in each_of]
                index.add_many([each.id for each in each_of], groups, volumes)
        return {
            claim.id: _Kept(status, claim, made is claim)
            for (status, claim), made in zip(claims, wide, strict=True)
        }

    def _empty(self, cylinders: Iterable[Cylinder]) -> dict[Status, VolumeIndex]:
        limits = limits_of(list(cylinders))
        return {each: VolumeIndex(self._functions, limits) for each in Status}

    def _group(self, party: str) -> int:
        return self._groups.setdefault(party, len(self._groups))
