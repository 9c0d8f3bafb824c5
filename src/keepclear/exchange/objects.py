# SPDX-License-Identifier: Apache-2.0
"""What a world holds of its own, beside operations, conflicts, messages and the like."""

from typing import Final

from keepclear.agreement.documents import Agreement, Clause
from keepclear.agreement.statements import AgreementFile
from keepclear.agreement.states import State as AgreementState
from keepclear.line.stops import Area
from keepclear.plans.none_here import Contradiction
from keepclear.record.encoding import Signed

HOUR_US: Final = 3_600_000_000
HOURS: Final = 24


class Carried(Signed, frozen=True, kw_only=True):
    """An agreement in the region, and how it stands."""

    agreement: Agreement
    file: AgreementFile
    state: AgreementState = AgreementState.DRAFT
    clauses: tuple[Clause, ...] = ()


class Filer(Signed, frozen=True, kw_only=True):
    """When a party has filed within the last hour, and what it took within the last day.

    minutes: (minute since 1970, filings) for each minute in which it filed; hours: (hour since
    1970, km2h). So it stays small however much is filed.
    """

    minutes: tuple[tuple[int, int], ...] = ()
    hours: tuple[tuple[int, int], ...] = ()

    @property
    def filings(self) -> int:
        """Return how many filings there were within the hour that the last one ends."""
        return sum(count for _, count in self.minutes)

    def taken_km2h(self, now_us: int) -> int:
        """Return what was taken within the last day, whole hours counted in."""
        first = now_us // HOUR_US - HOURS
        return sum(taken for hour, taken in self.hours if hour >= first)


class Rechecking(Signed, frozen=True, kw_only=True):
    """For which changes an operation is to be looked at again: keys of `World.before`.

    One of an agreement at most, the first since it was looked at last.
    """

    waits: tuple[str, ...] = ()


class More(Signed, frozen=True, kw_only=True):
    """How many more conflicts there are than were told."""

    count: int


class Contradictions(Signed, frozen=True, kw_only=True):
    """What was found to contradict a statement, in order."""

    found: tuple[Contradiction, ...] = ()


class KeepOuts(Signed, frozen=True, kw_only=True):
    """Where an operation must keep out, in order."""

    areas: tuple[Area, ...] = ()
