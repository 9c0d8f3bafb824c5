# SPDX-License-Identifier: Apache-2.0
"""What a plan would meet of what its party knows, told before it is filed.

1. It is compared with the party's own operations, and with those of others as they were shown to
   it: with nothing else. So what others have not shown changes no byte of what is said; against
   that only filing answers. Nothing is entered, and nobody is told.
2. What was shown is compared as it was shown, rounded outward, and the plan exactly, widened as
   filing widens it. Of what was not shown the worst is taken: any height, any time, any class; and
   where no place was shown, any place. So what filing would find of an operation as it was shown
   last is found here: a test holds it.
3. Where not all of that was shown, what is found is UNDETERMINED, which is no "none": the party
   knows too little of it.
4. Own operations are compared by the house rule; filing compares no party with itself.
5. Of STOPs it is compared with each area that the party was told to keep clear of, in a message or
   for an operation of its own: that is the STOP itself, grown and rounded outward.

`gathered` is asked of the owner of the exchange; `checked` holds nobody up, on any thread.
"""

from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import Final, NamedTuple

from msgspec.structs import replace

from keepclear.agreement.binding import Minima
from keepclear.agreement.claims import (
    Breach,
    Claim,
    Compiled,
    breaches,
    compile_claim,
    every_cylinder,
    judge,
)
from keepclear.agreement.clauses import ProbingBound
from keepclear.agreement.findings import Verdict
from keepclear.agreement.probing import widened
from keepclear.airspace.altitudes import Altitude, parse_altitude
from keepclear.airspace.volumes import Volume3D, Volume4D
from keepclear.detect.datums import Datums
from keepclear.detect.kernel import KERNEL, Functions
from keepclear.errors import InputError
from keepclear.exchange import views
from keepclear.exchange.bindings import Between
from keepclear.exchange.deciding import Deciding
from keepclear.exchange.disclosure import Shown
from keepclear.exchange.events import Limit
from keepclear.exchange.keep_outs import areas_known, claim_of_area
from keepclear.exchange.known import Known
from keepclear.exchange.limited import limits_of
from keepclear.exchange.operations import above_text, planned, taken
from keepclear.exchange.rechecking import numbers_of
from keepclear.exchange.rounding import pieces_of
from keepclear.exchange.views import SAYS_NOTHING_ELSE, Disclosed
from keepclear.line.stops import Area
from keepclear.plans.conflicts import Broken
from keepclear.plans.filing import FiledOperation
from keepclear.plans.none_here import MEETING
from keepclear.plans.operations import Operation, claim_of
from keepclear.record.encoding import Signed
from keepclear.record.headers import Id, Name, Status

MOST: Final = 1_000
PLAN_ID: Final = "0" * 32
ANY_TIME_US: Final = 366 * 24 * 3_600 * 1_000_000  # before and after what is compared
UNLIMITED: Final = frozenset({"surface", "unlimited"})


class How(StrEnum):
    """What an operation was compared as."""

    OWN = "own"
    WHOLE = "whole"
    ROUNDED = "rounded"
    PARTLY = "partly"
    UNSEEN = "not at all"


class Met(Signed, frozen=True, kw_only=True):
    """An operation that a plan would break a rule with, as far as is known, or may.

    compared: as what; "not at all" where no place of it was shown. broken: each rule; its numbers
    are of the plan as given and of the other as it was shown, and none where that is only in part.
    limits: rules that allow so little for so long, where none is broken. own, conflict: by which
    own operation, and in which conflict, it was shown last; both empty for an own one, and the
    conflict where it was LIMITED. is_told: what changes of it is told; else that it was shown so is
    all that is known, and it may be otherwise by now.
    """

    operation: Id
    party: Name
    compared: How
    verdict: Verdict
    broken: tuple[Broken, ...]
    limits: tuple[Limit, ...]
    own: str
    conflict: str
    is_told: bool


class Checked(Signed, frozen=True, kw_only=True):
    """What a plan would meet of what its party knows; nothing that others have not shown.

    found: the soonest first, and then those of which no time is known; `MOST` at most. more: how
    many are left out. own, others: how many operations it was compared with. agreements: by which
    it was compared with those of others, by their hashes. late_us: how much later than agreed it
    would be, filed now. keep_out: where it would have to keep out, as far as its party was told.
    refused: why it would be refused. says: what all of this does not say.
    """

    at_us: int
    found: tuple[Met, ...]
    more: int
    own: int
    others: int
    agreements: tuple[str, ...]
    late_us: int
    keep_out: tuple[Area, ...]
    refused: tuple[str, ...]
    says: str


class Asked(NamedTuple):
    """A plan to be checked. status: of what it would be; instead_of: which own it would replace."""

    plan: FiledOperation
    status: Status
    instead_of: str = ""


class ToCheck(NamedTuple):
    """A plan and all that it is compared with.

    areas: that its party was told to keep clear of. between: what binds its party with each other.
    """

    plan: Operation
    own: tuple[Operation, ...]
    others: tuple[Known, ...]
    areas: tuple[Area, ...]
    between: dict[str, Between]
    house: Minima
    refused: tuple[str, ...]
    now_us: int
    functions: Functions


def gathered(
    deciding: Deciding, party: str, asked: Asked, others: Iterable[Known], house: Minima
) -> Disclosed[ToCheck]:
    """Return a plan with what it is compared with; `CallerError` for what could not be filed.

    others: what the party was shown of operations of others.
    """
    instead_of = asked.instead_of and deciding.operation(asked.instead_of, party).id
    plan = planned(deciding, party, asked.status, asked.plan, PLAN_ID)
    own = {
        each.id: each for each in deciding.world.operations.values()
        if each.party == party and each.status == asked.status
    }  # fmt: skip
    met = tuple(each for each in others if each.own in own)
    return views.to_check(party, ToCheck(
        plan=plan, others=met,
        own=tuple(e for e in own.values() if e.is_protecting and e.id != instead_of),
        areas=areas_known(deciding.world, party, asked.status),
        between={each.shown.party: deciding.between(party, each.shown.party) for each in met},
        house=house, now_us=deciding.now_us, functions=deciding.functions,
        refused=tuple(above_text(*each) for each in taken(deciding, plan).above),
    ))  # fmt: skip


def checked(found: Disclosed[ToCheck]) -> Disclosed[Checked]:
    """Return what a plan meets; `InputError` for a shape that cannot be computed."""
    asked = found.value
    looking = _Looking(asked.plan, asked.functions)
    met = [looking.own(each, asked.house) for each in asked.own]
    met += [looking.other(each, asked.between[each.shown.party]) for each in asked.others]
    every = sorted((each for each in met if each is not None), key=_soonest)
    bound = {own_hash for each in asked.between.values() for own_hash in each.agreements}
    return views.checked(found, Checked(
        at_us=asked.now_us, found=tuple(every[:MOST]), more=max(len(every) - MOST, 0),
        own=len(asked.own), others=len(asked.others), agreements=tuple(sorted(bound)),
        late_us=asked.plan.late_us, refused=asked.refused,
        keep_out=tuple(each for each in asked.areas if looking.meets(each)),
        says=_says(len(asked.own), len(asked.others)),
    ))  # fmt: skip


class _Looking:
    """A plan that is compared with one operation after another."""

    def __init__(self, plan: Operation, functions: Functions) -> None:
        self._plan, self._functions, self._datums = plan, functions, Datums()
        self._forms: dict[ProbingBound | None, Compiled] = {}
        self._form(None)  # refused first, where it cannot be computed

    def own(self, other: Operation, house: Minima) -> Met | None:
        """Return what is broken with an own operation."""
        nothing = Met(
            operation=other.id, party=other.party, compared=How.OWN, verdict=Verdict.UNDETERMINED,
            broken=(), limits=(), own="", conflict="", is_told=True,
        )  # fmt: skip
        return self._met(nothing, claim_of(other), (house,), None)

    def meets(self, area: Area) -> bool:
        """Tell whether the plan meets an area that is to be kept clear of."""
        other = self._compiled(claim_of_area(area), None)
        one, two = sorted((self._form(None), other), key=lambda each: each.claim.id)
        return judge(self._functions, one, two, MEETING) is not None

    def other(self, known: Known, between: Between) -> Met | None:
        """Return what is broken, or may be, with an operation of others as it was shown."""
        shown, how = known.shown, how_shown(known.shown)
        is_whole = between.grants.of(self._plan).is_everything and how is How.WHOLE
        nothing = Met(
            operation=shown.id, party=shown.party, compared=how, verdict=Verdict.UNDETERMINED,
            broken=(), limits=(), own=known.own, conflict=known.conflict, is_told=known.is_open,
        )  # fmt: skip
        bound = None if is_whole else between.least
        claim = claim_as_shown(shown, self._plan)
        if claim is not None:
            return self._met(nothing, claim, between.minima, bound)
        is_apart = self._is_apart(shown.from_us, shown.to_us, between.minima, bound)
        return None if is_apart else nothing

    def _met(
        self, nothing: Met, claim: Claim, minima: Sequence[Minima], bound: ProbingBound | None
    ) -> Met | None:
        """Return what is broken with a claim. nothing: what is said where that has no answer."""
        start_us = min(each.start_us for each in claim.volumes) - claim.early_us
        end_us = max(each.end_us for each in claim.volumes) + claim.late_us
        if self._is_apart(start_us, end_us, minima, bound):
            return None
        try:
            other = self._compiled(claim, bound)
        except InputError:  # a box that is too large to be computed
            return nothing
        one = self._form(bound)
        found = breaches(self._functions, one, other, minima)
        if found:
            is_known = nothing.compared is not How.PARTLY
            order = [*Verdict]
            worst = min((each.found.verdict for each in found), key=order.index)
            return replace(
                nothing, broken=tuple(_broken(each, is_known=is_known) for each in found),
                verdict=worst if is_known else Verdict.UNDETERMINED,
            )  # fmt: skip
        limits = limits_of(self._functions, one, other, minima)
        if not limits:
            return None
        return replace(nothing, limits=limits, verdict=Verdict.LIMITED)

    def _is_apart(
        self, start_us: int | None, end_us: int | None, minima: Sequence[Minima],
        bound: ProbingBound | None,
    ) -> bool:  # fmt: skip
        """Tell whether something is over before the plan begins, or after it, by any rule."""
        if start_us is None or end_us is None:
            return False
        cylinders = every_cylinder(each.rules for each in minima)
        reach_us = max((each.time_us or 0 for each in cylinders), default=0)
        reach_us += 2 * bound.lasts_us if bound is not None else 0
        own, off = self._plan, self._plan.uncertainty
        return (
            end_us + reach_us < own.start_us - off.early_us
            or own.end_us + off.late_us + reach_us < start_us
        )

    def _form(self, bound: ProbingBound | None) -> Compiled:
        if bound not in self._forms:
            self._forms[bound] = self._compiled(claim_of(self._plan), bound)
        return self._forms[bound]

    def _compiled(self, claim: Claim, bound: ProbingBound | None) -> Compiled:
        made = claim if bound is None else widened(claim, bound)
        return compile_claim(made, self._datums, self._functions)


def how_shown(shown: Shown) -> How:
    """Return as what an operation can be compared by what was shown of it."""
    if shown.volumes is not None:
        return How.WHOLE
    if shown.box is None:
        return How.UNSEEN
    rest = (shown.lower, shown.upper, shown.from_us, shown.to_us)
    return How.PARTLY if None in rest else How.ROUNDED


def claim_as_shown(shown: Shown, plan: Operation) -> Claim | None:
    """Return what an operation takes up at most, by what was shown; None for no place."""
    if shown.volumes is not None and shown.uncertainty is not None:
        off = shown.uncertainty
        return Claim(
            id=shown.id, party=shown.party, craft_class=shown.craft_class or "",
            has_rvsm=bool(shown.has_rvsm), volumes=shown.volumes, lateral_tmm=off.lateral_tmm,
            vertical_tmm=off.vertical_tmm, early_us=off.early_us, late_us=off.late_us,
        )  # fmt: skip
    if shown.box is None:
        return None
    start_us = plan.start_us - ANY_TIME_US if shown.from_us is None else shown.from_us
    end_us = plan.end_us + ANY_TIME_US if shown.to_us is None else shown.to_us
    lower, upper = _limit(shown.lower), _limit(shown.upper)
    return Claim(
        id=shown.id, party=shown.party, craft_class="", has_rvsm=False,
        volumes=tuple(
            Volume4D(
                volume=Volume3D(shape=each, lower=lower, upper=upper), start_us=start_us,
                end_us=end_us,
            )
            for each in pieces_of(shown.box)
        ),
    )  # fmt: skip


def _limit(shown: str | None) -> Altitude | None:
    return None if shown is None or shown in UNLIMITED else parse_altitude(shown)


def _broken(breach: Breach, *, is_known: bool) -> Broken:
    return Broken(
        agreement=breach.agreement, clause=breach.clause, kernel=KERNEL,
        numbers=numbers_of(breach.found, None) if is_known else None,
    )  # fmt: skip


def _soonest(met: Met) -> tuple[bool, int, str]:
    """Return what orders what was met: when it begins, that without a time last."""
    times = [each.numbers.from_us for each in met.broken if each.numbers is not None]
    return not times, min(times, default=0), met.operation


def _says(own: int, others: int) -> str:
    return (
        f"Compared with {own:,} operations of your own and {others:,} of others as they were shown "
        "to you, with STOPs that you were told of, and with nothing else. What others have filed "
        f"and not shown to you is not in it: only filing answers against that. {SAYS_NOTHING_ELSE}"
    )
