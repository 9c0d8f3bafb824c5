# SPDX-License-Identifier: Apache-2.0
"""What a party may see of another's operation, and how it is rounded before it leaves.

1. Of several agreements for a pair, only what all of them grant is shown; the grains are the
   coarsest. Without any the existence is shown and nothing else, which no clause can withhold.
2. Shapes are rounded outward: what is shown holds all of what was filed, uncertainty included.
3. Everything in an agreement of full disclosure is the volumes as filed.
"""

import math
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from keepclear.agreement.clauses import Disclosure, Field
from keepclear.airspace.altitudes import HIGHEST_TMM, LOWEST_TMM, Altitude, are_comparable
from keepclear.airspace.positions import Edge, Position
from keepclear.airspace.volumes import (
    ArcPolygon,
    Circle,
    Corridor,
    Orbit,
    Polygon,
    Volume3D,
    Volume4D,
)
from keepclear.plans.operations import Operation
from keepclear.record.encoding import Signed
from keepclear.record.headers import Id, Name

SHORTEST_DEGREE_M: Final = 110_574.0  # of latitude on WGS 84, at the equator
MARGIN_DEG: Final = 1e-6  # 11 cm: beyond what rounding of degrees can lose
BULGE: Final = 0.08  # an edge of w radians of longitude rises by less than w * w * this
NEARLY_POLE_DEG: Final = 89.0


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

    def has(self, field: Field) -> bool:
        """Tell whether a field is shown."""
        return self.is_everything or field in self.fields


NOTHING: Final = Grants(frozenset(), 0, 0, 0, ())


class Box(Signed, frozen=True, kw_only=True):
    """An area between two parallels and two meridians, degrees; east of west, past 180 too."""

    south_deg: float
    west_deg: float
    north_deg: float
    east_deg: float


class Shown(Signed, frozen=True, kw_only=True):
    """What one party sees of another's operation; None is what no clause shows.

    ovn, state: of an operation that one is in conflict with; of another neither. lower, upper:
    of the level band, in words, with their reference. by: the clauses that grant
    it, as "clause of agreement".
    """

    id: Id
    party: Name
    ovn: Id | None = None
    state: str | None = None
    box: Box | None = None
    lower: str | None = None
    upper: str | None = None
    from_us: int | None = None
    to_us: int | None = None
    callsign: str | None = None
    count: int | None = None
    volumes: tuple[Volume4D, ...] | None = None
    by: tuple[str, ...] = ()


def grants_of(clauses: Iterable[tuple[str, str, Disclosure | None]]) -> Grants:
    """Return what some agreements grant together.

    clauses: of each agreement its hash, the id of its disclosure clause, and the clause; one
    without such a clause grants nothing more than the existence.
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
    rounded = rounded_volume(operation, grants)
    box = box_of(operation, grants) if grants.has(Field.AREA_BOX) else None
    has_levels = grants.has(Field.LEVEL_BAND)
    has_times = grants.has(Field.TIME_BAND)
    return Shown(
        id=operation.id, party=operation.party, ovn=operation.ovn, state=operation.state.value,
        box=box,
        lower=_level(rounded.volume.lower, "surface") if has_levels else None,
        upper=_level(rounded.volume.upper, "unlimited") if has_levels else None,
        from_us=rounded.start_us if has_times else None,
        to_us=rounded.end_us if has_times else None,
        callsign=operation.callsign if grants.has(Field.CALLSIGN) else None,
        count=operation.count if grants.has(Field.COUNT) else None,
        volumes=operation.volumes if grants.is_everything else None,
        by=tuple(f"{clause} of {agreement[:16]}" for agreement, clause in grants.clauses),
    )  # fmt: skip


def existence(operation: Operation) -> Shown:
    """Return what stays to be seen of an operation once a conflict with it is settled."""
    return Shown(id=operation.id, party=operation.party)


def has_numbers(grants: Grants) -> bool:
    """Tell whether what is shown is enough to compute how close two operations come."""
    return all(grants.has(each) for each in (Field.AREA_BOX, Field.LEVEL_BAND, Field.TIME_BAND))


def rounded_volume(operation: Operation, grants: Grants) -> Volume4D:
    """Return one volume that holds all of an operation, rounded outward to the grains."""
    box = box_of(operation, grants)
    volumes = (*operation.volumes, *operation.off_nominal)
    lower = _rounded([each.volume.lower for each in volumes], grants, operation, is_up=False)
    upper = _rounded([each.volume.upper for each in volumes], grants, operation, is_up=True)
    grain_us = max(grants.time_grain_us, 1)
    start_us = min(each.start_us for each in volumes) - operation.uncertainty.early_us
    end_us = max(each.end_us for each in volumes) + operation.uncertainty.late_us
    return Volume4D(
        volume=Volume3D(shape=_polygon(box), lower=lower, upper=upper),
        start_us=start_us // grain_us * grain_us, end_us=-(-end_us // grain_us) * grain_us,
    )  # fmt: skip


def box_of(operation: Operation, grants: Grants) -> Box:
    """Return the box that holds all of an operation, rounded outward to the grain."""
    pairs = [
        _extent(volume.volume, operation.uncertainty.lateral_tmm / 10_000)
        for volume in (*operation.volumes, *operation.off_nominal)
    ]
    south, north = min(p[0] for p in pairs), max(p[2] for p in pairs)
    west = min(_near(p[1], pairs[0][1]) for p in pairs)
    east = max(_near(p[1], pairs[0][1]) + (p[3] - p[1]) for p in pairs)
    step_deg = max(grants.grain_tmm / 10_000 / SHORTEST_DEGREE_M, MARGIN_DEG)
    south, north = _down(south, step_deg), -_down(-north, step_deg)
    widest_deg = min(max(abs(south), abs(north)), NEARLY_POLE_DEG)
    across_deg = step_deg / math.cos(math.radians(widest_deg))
    west, east = _down(west, across_deg), -_down(-east, across_deg)
    if east - west >= 360 or max(abs(south), abs(north)) >= NEARLY_POLE_DEG:
        west, east = -180.0, 180.0
    return Box(
        south_deg=max(south, -90.0), west_deg=west, north_deg=min(north, 90.0), east_deg=east
    )


def _down(degrees: float, step_deg: float) -> float:
    return math.floor((degrees - MARGIN_DEG) / step_deg) * step_deg


def _near(longitude_deg: float, other_deg: float) -> float:
    """Return a longitude within half a turn of another, so that boxes past 180 stay whole."""
    return longitude_deg - 360.0 * round((longitude_deg - other_deg) / 360.0)


def _extent(volume: Volume3D, unsure_m: float) -> tuple[float, float, float, float]:
    """Return south, west, north, east of one shape, edges and distances round it included."""
    positions, radius_m = _skeleton(volume)
    longitudes = [_near(each.longitude_deg, positions[0].longitude_deg) for each in positions]
    latitudes = [each.latitude_deg for each in positions]
    wide = math.radians(max(longitudes) - min(longitudes))
    pad_deg = (radius_m + unsure_m) / SHORTEST_DEGREE_M * 1.01
    pad_deg += math.degrees(wide * wide * BULGE)
    south, north = min(latitudes) - pad_deg, max(latitudes) + pad_deg
    widest_deg = min(max(abs(south), abs(north)), NEARLY_POLE_DEG)
    across_deg = pad_deg / math.cos(math.radians(widest_deg)) * 1.01
    return south, min(longitudes) - across_deg, north, max(longitudes) + across_deg


def _skeleton(volume: Volume3D) -> tuple[Sequence[Position], float]:
    """Return positions that a shape is spanned by, and how far round them it reaches, metres."""
    match volume.shape:
        case Polygon(ring=ring):
            return ring, 0.0
        case Circle(centre=centre, radius_tmm=radius_tmm):
            return (centre,), radius_tmm / 10_000
        case Corridor(route=route, width_tmm=width_tmm):
            return route, width_tmm / 20_000
        case Orbit(first=first, second=second, radius_tmm=radius_tmm):
            return (first, second), radius_tmm / 10_000
        case ArcPolygon():
            raise TypeError("an operation has no arcs: its filed shapes have none")


def _polygon(box: Box) -> Polygon:
    """Return a box as a shape whose edges run along its parallels."""
    middle_deg = (box.west_deg + box.east_deg) / 2
    corners = (
        (box.south_deg, box.west_deg), (box.south_deg, middle_deg), (box.south_deg, box.east_deg),
        (box.north_deg, box.east_deg), (box.north_deg, middle_deg), (box.north_deg, box.west_deg),
    )  # fmt: skip
    return Polygon(
        ring=tuple(
            Position(latitude_deg=latitude, longitude_deg=_near(longitude, 0.0))
            for latitude, longitude in corners
        ),
        edge=Edge.PLANAR,
    )


def _rounded(
    limits: Sequence[Altitude | None], grants: Grants, operation: Operation, *, is_up: bool
) -> Altitude | None:
    """Return the outermost of some limits, rounded outward; None, no limit, where one has none.

    Limits that cannot be compared have none in common: no limit either.
    """
    known = [each for each in limits if each is not None]
    if len(known) < len(limits) or not all(are_comparable(each, known[0]) for each in known):
        return None
    grain_tmm = max(grants.level_grain_tmm, 1)
    unsure_tmm = operation.uncertainty.vertical_tmm
    if is_up:
        height_tmm = max(each.height_tmm for each in known) + unsure_tmm
        height_tmm = min(-(-height_tmm // grain_tmm) * grain_tmm, HIGHEST_TMM)
    else:
        height_tmm = min(each.height_tmm for each in known) - unsure_tmm
        height_tmm = max(height_tmm // grain_tmm * grain_tmm, LOWEST_TMM)
    return Altitude(
        height_tmm=height_tmm, reference=known[0].reference, datum=known[0].datum
    )  # fmt: skip


def _level(altitude: Altitude | None, no_limit: str) -> str:
    return no_limit if altitude is None else altitude.text()
