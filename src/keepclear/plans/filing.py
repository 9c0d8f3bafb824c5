# SPDX-License-Identifier: Apache-2.0
"""An operation as it is filed: with units, as people write them, and as rules use it.

Layout of the payload of `operations.file/1`:

    datum            "WGS84", of all positions; there is no other and no default
    domain           air, sea or ground
    craft            manned, unmanned, ship, vehicle, static (what does not move: a mast, a moored
                     balloon) or one_shot (a launch)
    craft_class      what separation rules go by, such as "unmanned" or "rescue"
    callsign         optional
    count            how many craft fly as this one operation; 1 where it is not given
    volumes          list: shape, lower, upper, start, end; or
    trajectory       points: [latitude, longitude, height, time]; lateral, vertical: how far it
                     keeps to them
    lateral, vertical, early, late    what it may be off by, as quantities; optional

A shape is a polygon (ring), a circle (centre, radius), a corridor (route, width) or an orbit
(first, second, radius). A position is [latitude, longitude] in degrees. Heights name their
reference ("FL240", "1200 ft AGL"), times their zone (RFC 3339).

1. What is filed is kept as it was signed; `volumes_of` makes of it what rules use, and says the
   same in the same words wherever it runs.
2. A trajectory takes up, leg by leg, all that is as near to the leg as it says, in the leg's
   time.
3. A launch is a hazard area and nothing else: no path, and no point where it comes from or goes.
4. No field is about a target, a weapon or an intent.
"""

import itertools
from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated, Final, Literal, NamedTuple

import msgspec

from keepclear.airspace.altitudes import Altitude, are_comparable, parse_altitude
from keepclear.airspace.positions import Edge, Position
from keepclear.airspace.volumes import (
    Circle,
    Corridor,
    Orbit,
    Polygon,
    Shape,
    Volume3D,
    Volume4D,
)
from keepclear.errors import InputError
from keepclear.record.encoding import Signed
from keepclear.record.headers import Name
from keepclear.units import format_time, parse_duration_us, parse_length_tmm, parse_time_us

MOST_VOLUMES: Final = 200
Place = tuple[float, float]
Quantity = Annotated[str, msgspec.Meta(max_length=60)]


class Domain(StrEnum):
    """Where a craft moves."""

    AIR = "air"
    SEA = "sea"
    GROUND = "ground"


class Craft(StrEnum):
    """What moves."""

    MANNED = "manned"
    UNMANNED = "unmanned"
    SHIP = "ship"
    VEHICLE = "vehicle"
    STATIC = "static"
    ONE_SHOT = "one_shot"


class FiledShape(Signed, frozen=True, kw_only=True, tag_field="kind"):
    """What every filed shape is."""


class FiledPolygon(FiledShape, frozen=True, kw_only=True, tag="polygon"):
    """The area inside a ring, whose first position is not repeated."""

    ring: Annotated[tuple[Position, ...], msgspec.Meta(min_length=3)]
    edge: Edge = Edge.GEODESIC


class FiledCircle(FiledShape, frozen=True, kw_only=True, tag="circle"):
    """All within a radius of a centre."""

    centre: Place
    radius: Quantity


class FiledCorridor(FiledShape, frozen=True, kw_only=True, tag="corridor"):
    """All within half a width of a route."""

    route: Annotated[tuple[Position, ...], msgspec.Meta(min_length=2)]
    width: Quantity


class FiledOrbit(FiledShape, frozen=True, kw_only=True, tag="orbit"):
    """All within a radius of the line between two turning points."""

    first: Place
    second: Place
    radius: Quantity


class FiledVolume(Signed, frozen=True, kw_only=True):
    """A shape between two heights, from one time up to another; no height is no limit."""

    shape: FiledPolygon | FiledCircle | FiledCorridor | FiledOrbit
    lower: Quantity | None = None
    upper: Quantity | None = None
    start: Quantity
    end: Quantity


class FiledTrajectory(Signed, frozen=True, kw_only=True):
    """Where something is when, and how far it keeps to that."""

    points: Annotated[
        tuple[tuple[float, float, Quantity, Quantity], ...],
        msgspec.Meta(min_length=2, max_length=MOST_VOLUMES + 1),
    ]
    lateral: Quantity
    vertical: Quantity


class FiledOperation(Signed, frozen=True, kw_only=True):
    """What a party means to do; see the module."""

    datum: Literal["WGS84"]
    domain: Domain
    craft: Craft = Craft.MANNED
    craft_class: Name
    callsign: Annotated[str, msgspec.Meta(max_length=40)] = ""
    count: Annotated[int, msgspec.Meta(ge=1, le=1_000)] = 1
    count_most: Annotated[int, msgspec.Meta(ge=1, le=1_000)] | None = None
    has_rvsm: bool = False
    volumes: Annotated[tuple[FiledVolume, ...], msgspec.Meta(max_length=MOST_VOLUMES)] = ()
    trajectory: FiledTrajectory | None = None
    lateral: Quantity = "0 m"
    vertical: Quantity = "0 m"
    early: Quantity = "0 s"
    late: Quantity = "0 s"

    def __post_init__(self) -> None:
        """Refuse an operation without a place or with two, and a launch with a path.

        And a band of counts that ends below where it begins.
        """
        if self.count_most is not None and self.count_most < self.count:
            raise ValueError(
                f"has a count of {self.count} to {self.count_most}; give the larger last"
            )
        if bool(self.volumes) == (self.trajectory is not None):
            raise ValueError("has volumes and a trajectory, or neither; give one of the two")
        if self.craft is Craft.ONE_SHOT:
            shapes = [each.shape for each in self.volumes]
            if not shapes or any(isinstance(each, FiledCorridor | FiledOrbit) for each in shapes):
                raise ValueError("is a launch with a path; give its hazard area and nothing else")


class Uncertainty(Signed, frozen=True, kw_only=True):
    """What an operation may be off by."""

    lateral_tmm: int
    vertical_tmm: int
    early_us: int
    late_us: int

    @property
    def is_any(self) -> bool:
        """Tell whether it may be off by anything."""
        return bool(self.lateral_tmm or self.vertical_tmm or self.early_us or self.late_us)


def volumes_of(filed: tuple[FiledVolume, ...], path: str = "volumes") -> tuple[Volume4D, ...]:
    """Return filed volumes as rules use them; `InputError` names the one that cannot be."""
    return tuple(_volume(each, f"{path}[{number}]") for number, each in enumerate(filed))


def volumes_filed(filed: FiledOperation) -> tuple[Volume4D, ...]:
    """Return what an operation takes up; `InputError` names what cannot be."""
    if filed.trajectory is None:
        return volumes_of(filed.volumes)
    return _legs(filed.trajectory)


def uncertainty_of(filed: FiledOperation) -> Uncertainty:
    """Return what an operation may be off by; `InputError` for what is no quantity, or below 0.

    Less than nothing would make it smaller than it is.
    """
    found = {
        "lateral": parse_length_tmm(filed.lateral, "lateral"),
        "vertical": parse_length_tmm(filed.vertical, "vertical"),
        "early": parse_duration_us(filed.early, "early"),
        "late": parse_duration_us(filed.late, "late"),
    }
    for name, value in found.items():
        if value < 0:
            raise InputError(name, getattr(filed, name), "is below 0", "give 0 or more")
    return Uncertainty(
        lateral_tmm=found["lateral"], vertical_tmm=found["vertical"], early_us=found["early"],
        late_us=found["late"],
    )  # fmt: skip


def _volume(filed: FiledVolume, path: str) -> Volume4D:
    try:
        return Volume4D(
            volume=Volume3D(
                shape=_shape(filed.shape),
                lower=_altitude(filed.lower, "lower"), upper=_altitude(filed.upper, "upper"),
            ),
            start_us=parse_time_us(filed.start, "start"), end_us=parse_time_us(filed.end, "end"),
        )  # fmt: skip
    except InputError as fault:
        raise InputError(f"{path}.{fault.path}", fault.value, fault.limit, fault.way_out) from None


def _legs(filed: FiledTrajectory) -> tuple[Volume4D, ...]:
    """Return a volume for each leg: as near to it as was filed, while it lasts."""
    lateral_tmm = parse_length_tmm(filed.lateral, "trajectory.lateral")
    vertical_tmm = parse_length_tmm(filed.vertical, "trajectory.vertical")
    if lateral_tmm <= 0 or vertical_tmm <= 0:
        raise InputError("trajectory.lateral, vertical", 0, "keeps to a line", "say how far off")
    points = [_point(each, f"trajectory.points[{n}]") for n, each in enumerate(filed.points)]
    legs = []
    for number, (one, two) in enumerate(itertools.pairwise(points)):
        path = f"trajectory.points[{number + 1}]"
        if not are_comparable(one.altitude, two.altitude):
            raise InputError(
                path, two.altitude.text(), f"cannot be compared with {one.altitude.text()}",
                "give all heights in one reference",
            )  # fmt: skip
        if two.time_us <= one.time_us:
            raise InputError(
                path, format_time(two.time_us), "is not after the point before it", "order them"
            )
        legs.append(_leg(one, two, lateral_tmm, vertical_tmm))
    return tuple(legs)


class _Point(NamedTuple):
    position: Position
    altitude: Altitude
    time_us: int


def _point(filed: tuple[float, float, str, str], path: str) -> _Point:
    try:
        return _Point(
            _position(filed[:2]), parse_altitude(filed[2], "height"),
            parse_time_us(filed[3], "time"),
        )  # fmt: skip
    except InputError as fault:
        raise InputError(f"{path}.{fault.path}", fault.value, fault.limit, fault.way_out) from None


def _leg(one: _Point, two: _Point, lateral_tmm: int, vertical_tmm: int) -> Volume4D:
    heights = [one.altitude.height_tmm, two.altitude.height_tmm]
    lower, upper = (
        Altitude(height_tmm=height_tmm, reference=one.altitude.reference, datum=one.altitude.datum)
        for height_tmm in (min(heights) - vertical_tmm, max(heights) + vertical_tmm)
    )
    shape: Shape = Circle(centre=one.position, radius_tmm=lateral_tmm)
    if one.position != two.position:
        shape = Corridor(route=(one.position, two.position), width_tmm=2 * lateral_tmm)
    return Volume4D(
        volume=Volume3D(shape=shape, lower=lower, upper=upper),
        start_us=one.time_us, end_us=two.time_us,
    )  # fmt: skip


def _shape(filed: FiledPolygon | FiledCircle | FiledCorridor | FiledOrbit) -> Shape:
    match filed:
        case FiledPolygon():
            return Polygon(ring=filed.ring, edge=filed.edge)
        case FiledCircle():
            return Circle(
                centre=_position(filed.centre), radius_tmm=parse_length_tmm(filed.radius, "radius")
            )
        case FiledCorridor():
            width_tmm = parse_length_tmm(filed.width, "width")
            return Corridor(route=filed.route, width_tmm=width_tmm)
        case FiledOrbit():
            return Orbit(
                first=_position(filed.first), second=_position(filed.second),
                radius_tmm=parse_length_tmm(filed.radius, "radius"),
            )  # fmt: skip


def _position(place: Sequence[float]) -> Position:
    return Position(latitude_deg=place[0], longitude_deg=place[1])


def _altitude(text: str | None, path: str) -> Altitude | None:
    return None if text is None else parse_altitude(text, path)
