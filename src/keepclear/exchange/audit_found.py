# SPDX-License-Identifier: Apache-2.0
"""What comes out of a record now: its world, what the kernel finds in it, and what differs.

The kernel compares each pair by itself, without an index. The house rule is the record's own.
"""

from collections.abc import Iterable
from typing import Final, NamedTuple, NoReturn

from msgspec.structs import replace

from keepclear.agreement.binding import Minima
from keepclear.agreement.claims import Breach, Compiled, breaches, every_cylinder, has_duration
from keepclear.agreement.clauses import ProbingBound
from keepclear.agreement.separation import RuleSet
from keepclear.detect.kernel import Functions
from keepclear.errors import CallerError
from keepclear.exchange.bindings import Between, Bindings
from keepclear.exchange.deciding import Deciding
from keepclear.exchange.events import Limit
from keepclear.exchange.index import Near
from keepclear.exchange.lapses import as_stood, is_there
from keepclear.exchange.limited import limits_of
from keepclear.exchange.world import World
from keepclear.plans.operations import Operation, claim_of
from keepclear.record.headers import Act
from keepclear.record.signers import deed_of

GUARD_TMM: Final = 1


class Difference(NamedTuple):
    """What an entry says, and what comes out now. is_boundary: within the guard band."""

    is_boundary: bool
    seq: int
    at_us: int
    about: str
    what: str


class _NoIds:
    """Nothing new is made by deciding again."""

    def id(self) -> NoReturn:
        raise AssertionError("an audit makes no ids")

    def salt(self) -> NoReturn:
        raise AssertionError("an audit makes no salts")


class Found:
    """What stands at a place of a record, and what comes out there now. Written by the audit alone.

    pairs: how many were compared. has_house: some pair was bound by the house rule alone.
    """

    def __init__(self, house: RuleSet, functions: Functions) -> None:
        self.functions = functions
        self.deciding = Deciding(
            world=World(), near=Near(functions, every_cylinder([house])), functions=functions,
            bindings=Bindings(house), ids=_NoIds(), now_us=0, counts={},
        )  # fmt: skip
        self.world = self.deciding.world
        self.pairs, self.has_house, self.seq = 0, False, 0
        self.differences: list[Difference] = []
        self._compiled: dict[str, dict[ProbingBound | None, Compiled]] = {}

    def differs(self, about: str, what: str, *, is_boundary: bool = False) -> None:
        """Note that something here comes out otherwise now."""
        at_us = self.deciding.now_us
        self.differences.append(Difference(is_boundary, self.seq, at_us, about, what))

    def was_taken(self, act: Act, why: CallerError, *, is_boundary: bool = False) -> None:
        """Note that an act was taken that is refused now."""
        self.differs(
            f"act {act.id[:8]}",
            f"{deed_of(act)} of {act.party} was taken; by the rules it is refused: {why}",
            is_boundary=is_boundary,
        )

    def was_refused(self, act: Act) -> None:
        """Note that a late act was refused that is done now."""
        self.differs(
            f"act {act.id[:8]}",
            f"{deed_of(act)} of {act.party}, late, was refused; by the rules it is done",
        )

    def forget(self, operation_id: str) -> None:
        """Compile an operation anew when it is compared next."""
        self._compiled.pop(operation_id, None)

    def _compile(self, operation: Operation, bound: ProbingBound | None) -> Compiled:
        """Return an operation as it is compared under a probing bound."""
        forms = self._compiled.setdefault(operation.id, {})
        if bound not in forms:
            stood = as_stood(self.world, operation)
            forms[bound] = self.deciding.near.compile(claim_of(stood), bound)
        return forms[bound]

    def between(self, a: Operation, b: Operation) -> Between:
        """Return what binds two operations here."""
        between = self.deciding.between(a.party, b.party)
        self.has_house = self.has_house or any(not each.agreement for each in between.minima)
        return between

    def are_there(self, a: Operation, b: Operation) -> bool:
        """Tell whether two operations in conflict are over for neither side."""
        between, now_us = self.between(a, b), self.deciding.now_us
        return all(
            is_there(self.world, one, other, between, now_us) for one, other in ((a, b), (b, a))
        )

    def breaches(
        self, a: Operation, b: Operation, *, in_conflict: bool = False
    ) -> tuple[Breach, ...]:  # fmt: skip
        """Return what two operations break as they stand. in_conflict: they are, or were so far."""
        if a.party == b.party or a.status is not b.status:
            return ()
        if not (a.is_protecting and b.is_protecting) and not (
            in_conflict and self.are_there(a, b)
        ):  # fmt: skip
            return ()
        self.pairs += 1
        bound = self.between(a, b).bound(a, b)
        one, other = (self._compile(each, bound) for each in (a, b))
        return breaches(self.functions, one, other, self.deciding.minima(a, b))

    def limits(self, a: Operation, b: Operation, grown_tmm: int = 0) -> tuple[Limit, ...]:
        """Return by what two operations are LIMITED. grown_tmm: as if the first were larger."""
        minima = self.deciding.minima(a, b)
        if not any(has_duration(each.rules) for each in minima) or self.breaches(a, b):
            return ()
        if not (a.is_protecting and b.is_protecting and a.status is b.status):
            return ()
        bound = self.between(a, b).bound(a, b)
        claim = claim_of(a)
        larger = replace(claim, lateral_tmm=claim.lateral_tmm + grown_tmm)
        one = self.deciding.near.compile(larger, bound)
        return limits_of(self.functions, one, self._compile(b, bound), minima)

    def is_nearly(self, a: Operation, b: Operation, minima: Iterable[Minima]) -> bool:
        """Tell whether a pair that breaks nothing would, were one of them a hair larger."""
        if not (self.are_there(a, b) and a.status is b.status):
            return False
        bound = self.between(a, b).bound(a, b)
        claim = claim_of(as_stood(self.world, a))
        larger = replace(claim, lateral_tmm=claim.lateral_tmm + GUARD_TMM)
        one = self.deciding.near.compile(larger, bound)
        return bool(breaches(self.functions, one, self._compile(b, bound), minima))


def pair_text(a: Operation, b: Operation) -> str:
    """Return two operations for people."""
    return f"operations {a.id[:8]} of {a.party} and {b.id[:8]} of {b.party}"
