# SPDX-License-Identifier: Apache-2.0
"""None-here: a party's signed statement that none of its forces is or will be in a volume.

1. Its text is fixed and stands in what is signed. The exchange makes none, and silence is none.
2. It lasts at most 6 hours, says nothing of the time before it was signed, and its area-hours are
   capped: what is said of everywhere says nothing.
3. Own operations that meet the volume are found, any version, filed before or after: the
   statement is then CONTRADICTED by each. Meeting is to share a point: uncertainty counted in,
   touching counted in, and heights that cannot be compared counted in.
4. It can be withdrawn. For what is filed after that it holds up to its withdrawal and no longer.
"""

import math
from typing import Annotated, Final, Literal, get_args

import msgspec
from msgspec.structs import replace

from keepclear.agreement.claims import Claim, compile_claim, judge
from keepclear.agreement.clauses import HOUR_US
from keepclear.agreement.findings import Verdict
from keepclear.agreement.leaves import AnyOf, Lateral, Vertical
from keepclear.agreement.separation import Rule, RuleSet
from keepclear.airspace.footprints import footprint_km2
from keepclear.airspace.volumes import Volume4D
from keepclear.detect.datums import Datums
from keepclear.detect.kernel import Functions
from keepclear.errors import InputError
from keepclear.plans.filing import FiledVolume, volumes_of
from keepclear.plans.operations import Operation, State, claim_of
from keepclear.record.encoding import Signed
from keepclear.record.headers import Id, Name, Status, TimeUs
from keepclear.units import format_time

LONGEST_US: Final = 6 * HOUR_US
EARLIER_US: Final = 60_000_000  # how long before its signature it may begin: a clock is read once
Text = Literal[
    "None of the forces this party answers for is or will be in this volume from its start to its"
    " end. Says nothing about others or civilians; no consent; withdrawable."
]
TEXT: Final[Text] = get_args(Text)[0]
# Closer than a tenth of a millimetre, the least there is, both ways: they share a point.
MEETING: Final = RuleSet(
    name="meeting",
    rules=(
        Rule(id="meeting", holds=AnyOf(children=(Lateral(minimum_tmm=1), Vertical(minimum_tmm=1)))),
    ),
)


class StateNoneHere(Signed, frozen=True, kw_only=True):
    """State it, in these words, of one volume, to some parties."""

    text: Text
    datum: Literal["WGS84"]
    volume: FiledVolume
    to: Annotated[tuple[Name, ...], msgspec.Meta(min_length=1, max_length=50)]


class WithdrawNoneHere(Signed, frozen=True, kw_only=True):
    """Withdraw it. id: of the statement."""

    id: Id
    why: Annotated[str, msgspec.Meta(max_length=2_000)] = ""


class NoneHere(Signed, frozen=True, kw_only=True):
    """A statement, as rules use it. to: who was given it. It holds nothing that these may not know.

    takes_km2h: its area-hours. withdrawn_us: when it was withdrawn.
    """

    id: Id
    party: Name
    status: Status
    to: tuple[Name, ...]
    text: Text
    volume: Volume4D
    stated_us: TimeUs
    takes_km2h: int
    withdrawn_us: TimeUs | None = None

    @property
    def parties(self) -> tuple[str, ...]:
        """Return who knows of it."""
        return (self.party, *self.to)


class Contradiction(Signed, frozen=True, kw_only=True):
    """An own operation that meets the volume of a statement: which, and as it stood when found.

    verdict: CONFLICT where they share a point, BOUNDARY where they touch or nearly do,
    UNDETERMINED where the heights cannot be compared.
    """

    operation: Id
    version: int
    state: State
    filed_us: TimeUs
    verdict: Verdict


def stated_volume(payload: StateNoneHere, created_us: int, now_us: int) -> Volume4D:
    """Return the volume of a statement; `InputError` where none can be made of it."""
    [volume] = volumes_of((payload.volume,), "volume")
    lasts_us = volume.end_us - volume.start_us
    if lasts_us > LONGEST_US:
        raise InputError(
            "volume.end", format_time(volume.end_us), f"is {lasts_us / HOUR_US:.2f} h after its "
            "start, above 6 h", "state it for less, and again later",
        )  # fmt: skip
    if volume.start_us < created_us - EARLIER_US:
        raise InputError(
            "volume.start", format_time(volume.start_us),
            f"is more than a minute before it was signed, {format_time(created_us)}",
            "state it of now and what is to come; of what was, write a line in an incident case",
        )  # fmt: skip
    if volume.end_us <= now_us:
        raise InputError(
            "volume.end", format_time(volume.end_us), "has passed", "give a time to come"
        )
    compile_claim(_claim("none-here", volume), Datums())
    return volume


def takes_km2h(volume: Volume4D) -> int:
    """Return the area-hours of a statement, rounded up."""
    hours = (volume.end_us - volume.start_us) / HOUR_US
    return math.ceil(footprint_km2([volume.volume.shape]) * hours)


def contradiction(
    functions: Functions, statement: NoneHere, operation: Operation
) -> Contradiction | None:
    """Return how an own operation contradicts a statement, None where it does not meet it."""
    if operation.status is not statement.status:
        return None
    volume = statement.volume
    if statement.withdrawn_us is not None:
        if statement.withdrawn_us <= volume.start_us:
            return None
        volume = replace(volume, end_us=min(volume.end_us, statement.withdrawn_us))
    claim = claim_of(operation)
    if not _is_there_then(claim, volume):
        return None
    datums = Datums()
    one, other = (compile_claim(each, datums) for each in (claim, _claim(statement.id, volume)))
    a, b = sorted((one, other), key=lambda each: each.claim.id)
    found = judge(functions, a, b, MEETING)
    if found is None:
        return None
    return Contradiction(
        operation=operation.id, version=operation.version, state=operation.state,
        filed_us=operation.filed_us, verdict=found.verdict,
    )  # fmt: skip


def _is_there_then(claim: Claim, volume: Volume4D) -> bool:
    """Tell, cheaply, whether a claim can meet a volume in time: most cannot."""
    return any(
        each.start_us - claim.early_us < volume.end_us
        and volume.start_us < each.end_us + claim.late_us
        for each in claim.volumes
    )


def _claim(claim_id: str, volume: Volume4D) -> Claim:
    return Claim(id=claim_id, party="", craft_class="any", has_rvsm=False, volumes=(volume,))
