# SPDX-License-Identifier: Apache-2.0
"""What a party may see of another's operation.

1. Each field of `Shown` declares its grade, and `_cut` lets through what is granted, and nothing
   else. `LEAVES_AS` says of each field of an operation in which of them it leaves, if in any.
2. Of several agreements for a pair, and of several clauses of one, only what all of them grant is
   shown; the grains are the coarsest. Without any the existence is shown and nothing else, which
   no clause can withhold.
3. Shapes, levels and times are rounded outward (`rounding`).
4. Everything, in an agreement of full disclosure, is all that the numbers are computed from.
5. What a party sees of an operation does not depend on that operation's conflicts with others: so
   filed and accepted look the same.
"""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Annotated, Any, Final, NamedTuple, get_type_hints

from keepclear.agreement.claims import Claim
from keepclear.agreement.clauses import Disclosure, Field
from keepclear.airspace.volumes import Volume4D
from keepclear.exchange.rounding import (
    Box,
    box_of,
    level_text,
    levels_of,
    rounded_volumes,
    times_of,
)
from keepclear.plans.filing import Uncertainty
from keepclear.plans.operations import Operation, State, claim_of
from keepclear.record.encoding import Signed
from keepclear.record.headers import Id, Name


class Floor(StrEnum):
    """Grades that take no clause, and that no clause can withhold."""

    EXISTENCE = "of an operation that one is or was in conflict with"
    IN_CONFLICT = "of an operation that one is in conflict with"


Grade = Field | Floor


class Grants(NamedTuple):
    """What a pair is shown of each other, and by which clauses (agreement, clause)."""

    fields: frozenset[Field]
    grain_tmm: int
    level_grain_tmm: int
    time_grain_us: int
    clauses: tuple[tuple[str, str], ...]

    @property
    def is_everything(self) -> bool:
        """Tell whether operations are shown as they were filed."""
        return Field.EVERYTHING in self.fields

    def has(self, grade: Grade) -> bool:
        """Tell whether what has a grade is shown."""
        return self.is_everything or isinstance(grade, Floor) or grade in self.fields


NOTHING: Final = Grants(frozenset(), 0, 0, 0, ())


class Shown(Signed, frozen=True, kw_only=True):
    """What one party sees of another's operation; None is what is not shown.

    state: as far as the other side's own acts tell it. lower, upper: of the level band, in words
    that read back as the same height. volumes: as filed, those off nominal and the grace after
    the end included. by: the clauses that grant it, as "clause of agreement".
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
    callsign: Annotated[str | None, Field.CALLSIGN] = None
    count: Annotated[int | None, Field.COUNT] = None
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
    "domain": (),
    "craft": (),
    "craft_class": ("craft_class",),
    "callsign": ("callsign",),
    "count": ("count",),
    "has_rvsm": ("has_rvsm",),
    "volumes": ("box", "lower", "upper", "from_us", "to_us", "volumes"),
    "off_nominal": ("box", "lower", "upper", "from_us", "to_us", "volumes"),
    "uncertainty": ("box", "lower", "upper", "from_us", "to_us", "uncertainty"),
    "filed_us": (),
    "late_us": (),
    "airborne_us": (),
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
    return Grants(
        fields, max(each.grain_tmm for each in given),
        max(each.level_grain_tmm for each in given), max(each.time_grain_us for each in given),
        tuple((agreement, clause) for agreement, clause, _ in found),
    )  # fmt: skip


def shown(operation: Operation, grants: Grants) -> Shown:
    """Return what the other side of a conflict sees of an operation."""
    claim = claim_of(operation)
    lower, upper = levels_of(claim, grants.level_grain_tmm)
    from_us, to_us = times_of(claim, grants.time_grain_us)
    has_box = grants.has(Field.AREA_BOX)
    return _cut(grants, {
        "id": operation.id, "party": operation.party, "ovn": operation.ovn,
        "state": state_shown(operation.state).value,
        "box": box_of(claim, grants.grain_tmm) if has_box else None,
        "lower": "surface" if lower is None else level_text(lower),
        "upper": "unlimited" if upper is None else level_text(upper),
        "from_us": from_us, "to_us": to_us,
        "callsign": operation.callsign, "count": operation.count,
        "volumes": claim.volumes, "uncertainty": operation.uncertainty,
        "craft_class": operation.craft_class, "has_rvsm": operation.has_rvsm,
        "by": tuple(f"{clause} of {agreement[:16]}" for agreement, clause in grants.clauses),
    })  # fmt: skip


def existence(operation: Operation) -> Shown:
    """Return what stays to be seen of an operation once a conflict with it is settled."""
    return Shown(id=operation.id, party=operation.party)


def has_numbers(grants: Grants) -> bool:
    """Tell whether what is shown is enough to compute how close two operations come."""
    return all(grants.has(each) for each in (Field.AREA_BOX, Field.LEVEL_BAND, Field.TIME_BAND))


def shown_claim(operation: Operation, grants: Grants) -> Claim:
    """Return an operation as its numbers are computed: as it is shown, rounded or as filed."""
    claim = claim_of(operation)
    if grants.is_everything:
        return claim
    return Claim(
        id=claim.id, party=claim.party, craft_class=claim.craft_class, has_rvsm=claim.has_rvsm,
        volumes=rounded_volumes(
            claim, grants.grain_tmm, grants.level_grain_tmm, grants.time_grain_us
        ),
    )  # fmt: skip


def _cut(grants: Grants, fields: Mapping[str, Any]) -> Shown:
    """Return the fields whose grade is granted, and no other."""
    return Shown(**{name: value for name, value in fields.items() if grants.has(GRADES[name])})


def state_shown(state: State) -> State:
    """Return a state as others see it: an operation waits for *accepted* because of anybody."""
    return State.FILED if state is State.ACCEPTED else state
