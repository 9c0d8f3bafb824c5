# SPDX-License-Identifier: Apache-2.0
"""What hangs beside the world: which operations come near another, found fast.

It is no part of the world, stands outside its hash, and is made anew from it when it is missing
or the rules have changed.

1. It holds every operation that protects, one index for each status: Actual, Exercise and Test
   never meet.
2. It is asked with every cylinder of every rule that binds anybody here, so it misses nothing
   that a rule could find.
"""

from collections.abc import Iterable

from keepclear.agreement.claims import Claim, Compiled, compile_claim
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
        self._by_status = self._empty()
        self._compiled: dict[str, tuple[Status, Compiled]] = {}
        self._groups: dict[str, int] = {}
        self.datums = Datums()
        self.touched: set[str] = set()  # since the last commit; cleared by the exchange

    def widen(self, cylinders: Iterable[Cylinder]) -> None:
        """Ask for these ways to break a rule too; made anew where one of them is new."""
        more = dict.fromkeys(cylinders)
        if more.keys() <= self._cylinders.keys():
            return
        self._cylinders |= more
        self._by_status = self._empty()
        for status, compiled in self._compiled.values():
            claim = compiled.claim
            self._by_status[status].add(claim.id, self._group(claim.party), compiled.volumes)

    def compile(self, claim: Claim) -> Compiled:
        """Return a claim as arrays; `InputError` for a shape that cannot be computed."""
        return compile_claim(claim, self.datums)

    def compiled(self, claim_id: str) -> Compiled:
        """Return a kept claim as arrays."""
        return self._compiled[claim_id][1]

    def put(self, status: Status, compiled: Compiled) -> None:
        """Keep a claim, instead of the one with its id."""
        claim = compiled.claim
        self.drop(claim.id)
        self.touched.add(claim.id)
        self._by_status[status].add(claim.id, self._group(claim.party), compiled.volumes)
        self._compiled[claim.id] = (status, compiled)

    def drop(self, claim_id: str) -> None:
        """Keep a claim no longer, if it is kept."""
        kept = self._compiled.pop(claim_id, None)
        self.touched.add(claim_id)
        if kept is not None:
            self._by_status[kept[0]].remove(claim_id)

    def near(self, status: Status, compiled: Compiled) -> list[str]:
        """Return the ids of claims of other parties that some rule could be broken with."""
        claim = compiled.claim
        hits = self._by_status[status].query(claim.id, self._group(claim.party), compiled.volumes)
        return list(dict.fromkeys(hits.keys))

    def _empty(self) -> dict[Status, VolumeIndex]:
        limits = limits_of(list(self._cylinders))
        return {each: VolumeIndex(self._functions, limits) for each in Status}

    def _group(self, party: str) -> int:
        return self._groups.setdefault(party, len(self._groups))
