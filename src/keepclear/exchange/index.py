# SPDX-License-Identifier: Apache-2.0
"""What hangs beside the world: which operations come near another, found fast.

It is no part of the world, stands outside its hash, and is made anew from it when it is missing
or the rules have changed.

1. It holds every operation that protects, and those that time has ended for their owner alone
   (`lapses`); one index for each status: Actual, Exercise and Test never meet.
2. Claims are kept as wide as any bound on probing here makes them, and are judged as wide as the
   bound between the two says.
3. It is asked with every cylinder of every rule that binds anybody here, so it misses nothing
   that a rule could find.
"""

from collections.abc import Iterable

from keepclear.agreement.claims import Claim, Compiled, compile_claim
from keepclear.agreement.clauses import ProbingBound
from keepclear.agreement.probing import DEFAULT, widened, widest
from keepclear.detect.cylinders import Cylinder
from keepclear.detect.datums import Datums
from keepclear.detect.kernel import Functions, limits_of
from keepclear.detect.volume_index import VolumeIndex
from keepclear.record.headers import Status


class Near:
    """The kept index of all claims. The owner alone writes, one thread at a time."""

    def __init__(self, functions: Functions, cylinders: Iterable[Cylinder]) -> None:
        self._functions = functions
        self._cylinders = dict.fromkeys(cylinders)
        self._by_status = self._empty(self._cylinders)
        # of each claim its status, itself, and its arrays for each bound that was asked for
        self._kept: dict[str, tuple[Status, Claim, dict[ProbingBound | None, Compiled]]] = {}
        self.bound = DEFAULT
        self._groups: dict[str, int] = {}
        self.datums = Datums()
        self.touched: set[str] = set()  # since the last commit; cleared by the exchange

    def widen(self, cylinders: Iterable[Cylinder], bounds: Iterable[ProbingBound]) -> None:
        """Ask for these ways to break a rule, and widen so much, too; made anew if it is more.

        `InputError` for a claim that cannot be widened so much: everything stays as it was.
        """
        more, bound = dict.fromkeys(cylinders), widest([self.bound, *bounds])
        if more.keys() <= self._cylinders.keys() and bound == self.bound:
            return
        every = self._cylinders | more
        by_status = self._empty(every)
        kept: dict[str, tuple[Status, Claim, dict[ProbingBound | None, Compiled]]] = {}
        for status, claim, _ in self._kept.values():
            form = self.compile(claim, bound)
            by_status[status].add(claim.id, self._group(claim.party), form.volumes)
            kept[claim.id] = (status, claim, {bound: form})
        self._cylinders, self.bound, self._by_status, self._kept = every, bound, by_status, kept

    def compile(self, claim: Claim, bound: ProbingBound | None = None) -> Compiled:
        """Return a claim as arrays; `InputError` for a shape that cannot be computed.

        bound: what it is widened to before, None for nothing.
        """
        return compile_claim(claim if bound is None else widened(claim, bound), self.datums)

    def compiled(self, claim_id: str, bound: ProbingBound | None) -> Compiled:
        """Return a kept claim as arrays, widened to a bound; made when first asked for."""
        _, kept, forms = self._kept[claim_id]
        if bound not in forms:
            forms[bound] = self.compile(kept, bound)
        return forms[bound]

    def put(self, status: Status, claim: Claim) -> None:
        """Keep a claim, instead of the one with its id. `InputError`: what was kept stays."""
        form = self.compile(claim, self.bound)
        self.drop(claim.id)
        self.touched.add(claim.id)
        self._by_status[status].add(claim.id, self._group(claim.party), form.volumes)
        self._kept[claim.id] = (status, claim, {self.bound: form})

    def drop(self, claim_id: str) -> None:
        """Keep a claim no longer, if it is kept."""
        kept = self._kept.pop(claim_id, None)
        self.touched.add(claim_id)
        if kept is not None:
            self._by_status[kept[0]].remove(claim_id)

    def near(self, claim_id: str) -> list[str]:
        """Return the ids of claims of other parties that a kept one could break some rule with."""
        status, claim, forms = self._kept[claim_id]
        index, volumes = self._by_status[status], forms[self.bound].volumes
        hits = index.query(claim_id, self._group(claim.party), volumes)
        return list(dict.fromkeys(hits.keys))

    def _empty(self, cylinders: Iterable[Cylinder]) -> dict[Status, VolumeIndex]:
        limits = limits_of(list(cylinders))
        return {each: VolumeIndex(self._functions, limits) for each in Status}

    def _group(self, party: str) -> int:
        return self._groups.setdefault(party, len(self._groups))
