# SPDX-License-Identifier: Apache-2.0
"""What a party may see of another's operation.

1. Each field of `Shown` declares its grade, and `_cut` lets through what is granted, and nothing
   else. `LEAVES_AS` says of each field of an operation in which of them it leaves, if in any.
2. Of several agreements for a pair, and of several clauses of one, only what all of them grant is
   shown; the grains are the coarsest. Without any the existence is shown and nothing else, which
   no clause can withhold.
3. Shapes, levels and times are rounded outward (`rounding`).
4. Of ground and static operations no more than the area is shown, and that grown, unless a clause
   says so of them: who knows where something stands finds it there the next day. Nothing is told
   of many at once: each is shown for its own conflict.
5. Everything, in an agreement of full disclosure, is all that the numbers are computed from.
6. What a party sees of an operation does not depend on that operation's conflicts with others: so
   filed and accepted look the same.
"""

from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from functools import lru_cache
from typing import Annotated, Any, Final, NamedTuple, get_type_hints

import msgspec

from keepclear.agreement.claims import Claim
from keepclear.agreement.clauses import Disclosure, Field
from keepclear.airspace.volumes import Volume4D
from keepclear.exchange.rounding import (
    Box,
    box_of,
    level_text,
    levels_of,
    rounded_up,
    rounded_volumes,
    times_of,
)
from keepclear.plans.filing import Uncertainty
from keepclear.plans.operations import Missed, Operation, State, claim_of
from keepclear.record.encoding import Signed
from keepclear.record.headers import Id, Name
from keepclear.units import TMM_PER_M


class Floor(StrEnum):
    """Grades that take no clause, and that no clause can withhold."""

    EXISTENCE = "of an operation that one is or was in conflict with"
    IN_CONFLICT = "of an operation that one is in conflict with"


Grade = Field | Floor
NUMBERED: Final = frozenset({Field.AREA_BOX, Field.LEVEL_BAND, Field.TIME_BAND})
PLACE: Final = NUMBERED | {Field.EVERYTHING}
# A side of the area that is shown of a ground operation is 5 to 15 km from where it takes up.
GROWN_TMM: Final = 5_000 * TMM_PER_M
GROUND_GRAIN_TMM: Final = 10_000 * TMM_PER_M


class Grants(NamedTuple):
    """What a pair is shown of each other, and by which clauses (agreement, clause).

    ground: fields of ground and static operations that are shown as of others. grown_tmm: what an
    area is grown by on each side before it is rounded.
    """

    fields: frozenset[Field]
    grain_tmm: int
    level_grain_tmm: int
    time_grain_us: int
    clauses: tuple[tuple[str, str], ...]
    ground: frozenset[Field] = frozenset()
    grown_tmm: int = 0

    def of(self, operation: Operation) -> "Grants":
        """Return what is shown of one operation; of ground and static ones it is less."""
        if self is NOTHING or not operation.is_grounded or Field.EVERYTHING in self.ground:
            return self
        if Field.AREA_BOX in self.ground:
            return self._replace(fields=self.ground)
        area = {Field.AREA_BOX} if self.has(Field.AREA_BOX) else set()
        return self._replace(
            fields=self.ground | area, grain_tmm=max(self.grain_tmm, GROUND_GRAIN_TMM),
            grown_tmm=GROWN_TMM,
        )  # fmt: skip

    @property
    def is_everything(self) -> bool:
        """Tell whether operations are shown as they were filed."""
        return Field.EVERYTHING in self.fields

    @property
    def has_place(self) -> bool:
        """Tell whether anything is shown of where, how high or when operations are."""
        return not PLACE.isdisjoint(self.fields)

    def has(self, grade: Grade) -> bool:
        """Tell whether what has a grade is shown."""
        return self.is_everything or isinstance(grade, Floor) or grade in self.fields


NOTHING: Final = Grants(frozenset(), 0, 0, 0, ())


class Shown(Signed, frozen=True, kw_only=True):
    """What one party sees of another's operation; None is what is not shown.

    state: as far as the other side's own acts tell it. lower, upper: of the level band, in words
    that read back as the same height. volumes: as filed, those off nominal and the grace after
    the end included. late_by: the clauses by which it was filed too late, of agreements
    between the two; late_us: how much at most, reckoned from from_us and from when it was filed
    rounded up. by: the clauses that grant what is shown. Clauses are as "clause of agreement".
    """

    id: Annotated[Id, Floor.EXISTENCE]
    party: Annotated[Name, Floor.EXISTENCE]
    ovn: Annotated[Id | None, Floor.IN_CONFLICT] = None
    state: Annotated[str | None, Floor.IN_CONFLICT] = None
    box: Annotated[Box | None, Field.AREA_BOX] = None
    lower: Annotated[str | None, Field.LEVEL_BAND] = None
    upper: Annotated[str | None, Field.LEVEL_BAND] = None
    from_us: Annotated[int | None, Field.TIME_BAND] = None
    to_us: Annotated[int | None, Field.TIME_BAND] = None
    late_by: Annotated[tuple[str, ...] | None, Floor.IN_CONFLICT] = None
    late_us: Annotated[int | None, Field.TIME_BAND] = None
    callsign: Annotated[str | None, Field.CALLSIGN] = None
    count: Annotated[int | None, Field.COUNT] = None
    count_most: Annotated[int | None, Field.COUNT] = None
    volumes: Annotated[tuple[Volume4D, ...] | None, Field.EVERYTHING] = None
    uncertainty: Annotated[Uncertainty | None, Field.EVERYTHING] = None
    craft_class: Annotated[Name | None, Field.EVERYTHING] = None
    has_rvsm: Annotated[bool | None, Field.EVERYTHING] = None
    by: Annotated[tuple[str, ...], Floor.IN_CONFLICT] = ()


GRADES: Final[Mapping[str, Grade]] = {
    name: hint.__metadata__[-1] for name, hint in get_type_hints(Shown, include_extras=True).items()
}
# Of each field of an operation the fields of `Shown` that are made from it; none: it never leaves.
LEAVES_AS: Final[Mapping[str, tuple[str, ...]]] = {
    "id": ("id",),
    "party": ("party",),
    "status": (),
    "version": (),
    "ovn": ("ovn",),
    "state": ("state", "to_us", "volumes"),  # out of plan, it protects for the grace
    "domain": ("box",),  # grown, with nothing beside it, on the ground
    "craft": ("box",),
    "craft_class": ("craft_class",),
    "callsign": ("callsign",),
    "count": ("count",),
    "count_most": ("count_most",),
    "has_rvsm": ("has_rvsm",),
    "volumes": ("box", "lower", "upper", "from_us", "to_us", "volumes"),
    "off_nominal": ("box", "lower", "upper", "from_us", "to_us", "volumes"),
    "uncertainty": ("box", "lower", "upper", "from_us", "to_us", "uncertainty"),
    "filed_us": (),  # but where it was late, which `missed` says
    "late_us": (),  # by agreements with others too
    "missed": ("late_by", "late_us"),
    "airborne_us": (),
    "grace_us": ("to_us", "volumes"),  # as with the state
}


def grants_of(clauses: Iterable[tuple[str, str, Disclosure | None]]) -> Grants:
    """Return what some agreements grant together.

    clauses: each disclosure clause with the hash of its agreement and its id; for an agreement
    without one, None: it grants nothing more than the existence.
    """
    found = list(clauses)
    given = [each for _, _, each in found if each is not None]
    if not found or len(given) < len(found):
        return NOTHING
    partial = [each for each in given if Field.EVERYTHING not in each.fields]
    fields = frozenset.intersection(
        *(frozenset(each.fields) for each in partial or given)
    )  # fmt: skip
    less = [each for each in given if Field.EVERYTHING not in each.ground]
    ground = frozenset.intersection(*(frozenset(each.ground) for each in less or given))
    return Grants(
        fields, max(each.grain_tmm for each in given),
        max(each.level_grain_tmm for each in given), max(each.time_grain_us for each in given),
        tuple((agreement, clause) for agreement, clause, _ in found), ground,
    )  # fmt: skip


def shown(operation: Operation, grants: Grants, missed: Sequence[Missed] = ()) -> Shown:
    """Return what the other side of a conflict sees of an operation.

    missed: lead times, agreed between the two, that it was filed later than.
    """
    grants = grants.of(operation)
    floor = Shown(
        id=operation.id, party=operation.party, ovn=operation.ovn,
        state=state_shown(operation.state).value,
        late_by=tuple([_named(each.agreement, each.clause) for each in missed]) if missed else (),
        by=tuple([_named(*each) for each in grants.clauses]) if grants.clauses else (),
    )  # fmt: skip
    if not grants.fields:
        return floor
    found: dict[str, Any] = {
        "callsign": operation.callsign, "count": operation.count,
        "count_most": operation.count_most, "craft_class": operation.craft_class,
        "has_rvsm": operation.has_rvsm,
    }  # fmt: skip
    if grants.has_place:
        found |= _place(operation, grants, missed)
    granted = _granted(grants.fields)
    return msgspec.structs.replace(floor, **{name: found[name] for name in granted})


def _place(operation: Operation, grants: Grants, missed: Sequence[Missed]) -> dict[str, Any]:
    """Return what may be shown of where, how high and when an operation is."""
    claim = _grown(claim_of(operation), grants)
    lower, upper = levels_of(claim, grants.level_grain_tmm)
    from_us, to_us = times_of(claim, grants.time_grain_us)
    has_box = grants.has(Field.AREA_BOX)
    return {
        "box": box_of(claim, grants.grain_tmm) if has_box else None,
        "lower": "surface" if lower is None else level_text(lower),
        "upper": "unlimited" if upper is None else level_text(upper),
        "from_us": from_us, "to_us": to_us,
        "late_us": _late_us(from_us, grants.time_grain_us, missed),
        "volumes": claim.volumes, "uncertainty": operation.uncertainty,
    }  # fmt: skip


def existence(operation: Operation) -> Shown:
    """Return what stays to be seen of an operation once a conflict with it is settled."""
    return existence_of(operation.id, operation.party)


def existence_of(operation_id: str, party: str) -> Shown:
    """Return what is seen of an operation of which nothing but its existence is."""
    return Shown(id=operation_id, party=party)


def has_numbers(grants: Grants) -> bool:
    """Tell whether what is shown is enough to compute how close two operations come."""
    return grants.is_everything or grants.fields >= NUMBERED


def shown_claim(operation: Operation, grants: Grants) -> Claim:
    """Return an operation as its numbers are computed: as it is shown, rounded or as filed."""
    grants = grants.of(operation)
    claim = _grown(claim_of(operation), grants)
    if grants.is_everything:
        return claim
    return Claim(
        id=claim.id, party=claim.party, craft_class=claim.craft_class, has_rvsm=claim.has_rvsm,
        volumes=rounded_volumes(
            claim, grants.grain_tmm, grants.level_grain_tmm, grants.time_grain_us
        ),
    )  # fmt: skip


def _late_us(from_us: int, grain_us: int, missed: Sequence[Missed]) -> int:
    """Return how late at most something was filed, by what is shown of it alone.

    From the exact times it would tell where within its grain the start lies, to one who knows
    when it was filed.
    """
    ends = [rounded_up(each.filed_us, grain_us) + each.notice_us for each in missed]
    return max([0, *(end_us - from_us for end_us in ends)])


def _named(agreement: str, clause: str) -> str:
    return f"{clause} of {agreement[:16]}"


def _grown(claim: Claim, grants: Grants) -> Claim:
    if not grants.grown_tmm:
        return claim
    return msgspec.structs.replace(claim, lateral_tmm=claim.lateral_tmm + grants.grown_tmm)


@lru_cache(maxsize=256)
def _granted(fields: frozenset[Field]) -> tuple[str, ...]:
    """Return the fields of `Shown` above the floor whose grade is granted, and no other."""
    grants = NOTHING._replace(fields=fields)
    return tuple(
        name for name, grade in GRADES.items()
        if not isinstance(grade, Floor) and grants.has(grade)
    )  # fmt: skip


def state_shown(state: State) -> State:
    """Return a state as others see it: an operation waits for *accepted* because of anybody."""
    return State.FILED if state is State.ACCEPTED else state
