# SPDX-License-Identifier: Apache-2.0
"""Shapes on the ground, with a band of heights, with a window of time.

A circle, a corridor and a racetrack are a point or a line with a distance round it, so that
they are tested exactly: no circle is ever a polygon.

1. Rings do not close themselves: the first position is not repeated at the end.
2. A bow-tie is refused; a ring the wrong way round is turned by the reader, which says so.
3. Windows are half-open: from `start_us` up to, not including, `end_us`.
"""

from keepclear.airspace.altitudes import Altitude
from keepclear.airspace.positions import Edge, Position, Value
from keepclear.errors import InputError
from keepclear.units import TMM_PER_M, format_time


class Polygon(Value, frozen=True, kw_only=True, tag="polygon"):
    """An area inside one ring, without its holes. Rings have at least 3 positions."""

    ring: tuple[Position, ...]
    holes: tuple[tuple[Position, ...], ...] = ()
    edge: Edge = Edge.PLANAR

    def __post_init__(self) -> None:
        for ring in (self.ring, *self.holes):
            if len(ring) < 3:
                raise InputError("polygon", len(ring), "positions are no area", "give 3 or more")


class Circle(Value, frozen=True, kw_only=True, tag="circle"):
    """All within `radius_tmm` of a centre."""

    centre: Position
    radius_tmm: int

    def __post_init__(self) -> None:
        _check_positive(self.radius_tmm, "circle.radius")


class Arc(Value, frozen=True, kw_only=True, tag="arc"):
    """Part of a boundary: round `centre` from `start` to `end`, at the distance of `start`."""

    centre: Position
    start: Position
    end: Position
    clockwise: bool


class Line(Value, frozen=True, kw_only=True, tag="line"):
    """Part of a boundary: straight on from `start` to where the next part starts."""

    start: Position
    edge: Edge = Edge.GEODESIC


class ArcPolygon(Value, frozen=True, kw_only=True, tag="arc_polygon"):
    """An area inside a boundary of lines and arcs, each ending where the next starts."""

    boundary: tuple[Line | Arc, ...]


class Corridor(Value, frozen=True, kw_only=True, tag="corridor"):
    """All within half of `width_tmm` of a route of two positions or more."""

    route: tuple[Position, ...]
    width_tmm: int
    edge: Edge = Edge.GEODESIC

    def __post_init__(self) -> None:
        _check_positive(self.width_tmm, "corridor.width")
        if len(self.route) < 2:
            raise InputError("corridor.route", len(self.route), "positions are no route", "give 2")


class Orbit(Value, frozen=True, kw_only=True, tag="orbit"):
    """A racetrack: all within `radius_tmm` of the line between its two turning points."""

    first: Position
    second: Position
    radius_tmm: int

    def __post_init__(self) -> None:
        _check_positive(self.radius_tmm, "orbit.radius")


Shape = Polygon | Circle | ArcPolygon | Corridor | Orbit


class Volume3D(Value, frozen=True, kw_only=True):
    """A shape between two heights; None means no limit on that side.

    Lower and upper may have two references, as airspace is published ("2500 ft AMSL to FL195"):
    which is higher is not known then, and each is compared with what it can be compared with.
    """

    shape: Shape
    lower: Altitude | None = None
    upper: Altitude | None = None

    def __post_init__(self) -> None:
        lower, upper = self.lower, self.upper
        if lower is None or upper is None or lower.height_tmm <= upper.height_tmm:
            return
        if lower.reference is upper.reference and lower.datum == upper.datum:
            raise InputError("lower", lower.text(), f"is above upper {upper.text()}", "swap them")


class Volume4D(Value, frozen=True, kw_only=True):
    """A volume from `start_us` up to, not including, `end_us`."""

    volume: Volume3D
    start_us: int
    end_us: int

    def __post_init__(self) -> None:
        check_window(self.start_us, self.end_us)


def check_window(start_us: int, end_us: int) -> None:
    """Refuse a window that ends before it starts, or where it does."""
    if end_us < start_us:
        raise InputError(
            "end", format_time(end_us), f"is before start {format_time(start_us)}",
            "swap them or give a duration",
        )  # fmt: skip
    if end_us == start_us:
        raise InputError(
            "end", format_time(end_us), "is the start too: no time at all",
            "give an end after the start",
        )  # fmt: skip


def _check_positive(length_tmm: int, path: str) -> None:
    if length_tmm <= 0:
        shown = f"{length_tmm / TMM_PER_M:g} m"
        raise InputError(path, shown, "is not above 0", "give a distance above 0")
