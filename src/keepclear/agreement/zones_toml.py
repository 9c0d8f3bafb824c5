# SPDX-License-Identifier: Apache-2.0
"""Zones as TOML: a shape, and the band of heights it reaches over.

    [zones.west]
    lower = "FL100"                       # absent: no limit; a height names its reference
    upper = "8000 ft QNH 1013"
    # and one of:
    circle = { centre = "47.5N 8.25E", radius = "10 NM" }
    orbit = { first = "47N 8E", second = "47N 9E", radius = "5 NM" }
    corridor = { route = ["47N 8E", "47N 9E"], width = "4 NM", edge = "geodesic" }
    polygon = { ring = ["47N 8E", "47N 9E", "48N 9E"], holes = [], edge = "planar" }
    arc_polygon = [
      { line = "47N 8E", edge = "geodesic" },
      { arc = { centre = "47N 8E", start = "48N 8E", end = "47N 9.46E" }, clockwise = true },
      { line = "47N 9.46E", edge = "geodesic" },
    ]

A position says which number is which: "47.5N 8.25E", decimal degrees on WGS 84.
An edge is geodesic, rhumb or planar (straight in longitude and latitude).
A bow-tie is refused (`_check_simple`), since inside and outside of it are not what was meant.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from functools import partial
from itertools import combinations, pairwise
from typing import Final

from keepclear.agreement.quantities import lateral_text, level_text, vertical_text
from keepclear.agreement.toml_tables import Table
from keepclear.airspace.altitudes import Altitude, Reference, parse_altitude
from keepclear.airspace.positions import Edge, Position
from keepclear.airspace.volumes import (
    Arc,
    ArcPolygon,
    Circle,
    Corridor,
    Line,
    Orbit,
    Polygon,
    Shape,
    Volume3D,
)
from keepclear.errors import InputError
from keepclear.units import parse_length_tmm

Corner = tuple[Fraction, Fraction]

_POSITION: Final = re.compile(
    r"(\d{1,2}(?:\.\d+)?)\s*([NS])\s+(\d{1,3}(?:\.\d+)?)\s*([EW])", re.ASCII
)
MOST_CORNERS: Final = 1_000
NOWHERE: Final = Position(latitude_deg=0.0, longitude_deg=0.0)  # stands in for what was refused
STAND_IN: Final[Shape] = Circle(centre=NOWHERE, radius_tmm=1)


def read_zone(table: Table) -> Volume3D:
    """Return a zone; what is wrong with it goes to the table's faults."""
    table.allow([*SHAPES, "lower", "upper"])
    kinds = [key for key in SHAPES if key in table.values]
    if len(kinds) != 1:
        has = "more than one shape" if kinds else "no shape"
        table.faults.add(table.path, f"has {has}", f"give one of {', '.join(SHAPES)}")
    shape = SHAPES[kinds[0]](table) if kinds else STAND_IN
    lower, upper = _altitude(table, "lower"), _altitude(table, "upper")
    return table.faults.attempt(
        table.path,
        lambda: Volume3D(shape=shape, lower=lower, upper=upper),
        Volume3D(shape=STAND_IN),
    )


def write_zone(volume: Volume3D) -> list[str]:
    """Return a zone as lines of TOML, without its header."""
    lines = [_shape_line(volume.shape)]
    for key, altitude in (("lower", volume.lower), ("upper", volume.upper)):
        if altitude is not None:
            lines.append(f"{key} = {quoted(_altitude_text(altitude))}")
    return lines


def quoted(text: str) -> str:
    """Return a TOML basic string."""
    escaped = "".join(_ESCAPES.get(c) or (c if c.isprintable() else _escape(c)) for c in text)
    return f'"{escaped}"'


_ESCAPES: Final = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r"}


def _escape(character: str) -> str:
    return f"\\U{ord(character):08X}"


def _position(text: str, path: str) -> Position:
    match = _POSITION.fullmatch(text.strip())
    if match is None:
        raise InputError(path, text, "is not a position", 'write "47.5N 8.25E", decimal degrees')
    south, west = match[2] == "S", match[4] == "W"
    latitude_deg, longitude_deg = float(match[1]), float(match[3])
    return Position(
        latitude_deg=-latitude_deg if south else latitude_deg,
        longitude_deg=-longitude_deg if west else longitude_deg,
    )


def _position_text(position: Position) -> str:
    parts = []
    for value_deg, signs in ((position.latitude_deg, "NS"), (position.longitude_deg, "EW")):
        number = format(abs(Decimal(repr(value_deg))), "f")
        parts.append(number + signs[value_deg < 0])
    return " ".join(parts)


def _positions(table: Table, path: str, texts: Sequence[object]) -> tuple[Position, ...]:
    found = []
    for number, text in enumerate(texts):
        at = f"{path}[{number}]"
        if isinstance(text, str):
            found.append(table.faults.attempt(at, partial(_position, text, at), NOWHERE))
        else:
            table.faults.add(at, "is not a position", 'write "47.5N 8.25E" in quotes', text)
    return tuple(found)


def _altitude(table: Table, key: str) -> Altitude | None:
    if key not in table.values:
        return None
    return table.quantity(key, parse_altitude, None)


def _altitude_text(altitude: Altitude) -> str:
    if altitude.reference is Reference.STANDARD and altitude.datum is None:
        return level_text(altitude.height_tmm)
    text = f"{vertical_text(altitude.height_tmm)} {altitude.reference}"
    return text if altitude.datum is None else f"{text} {altitude.datum}"


def _read_circle(table: Table) -> Shape:
    part = table.table("circle")
    part.allow(["centre", "radius"])
    centre = part.quantity("centre", _position, NOWHERE)
    radius_tmm = part.quantity("radius", parse_length_tmm, 1)
    return part.faults.attempt(
        part.path, lambda: Circle(centre=centre, radius_tmm=radius_tmm), STAND_IN
    )


def _read_orbit(table: Table) -> Shape:
    part = table.table("orbit")
    part.allow(["first", "second", "radius"])
    first = part.quantity("first", _position, NOWHERE)
    second = part.quantity("second", _position, NOWHERE)
    radius_tmm = part.quantity("radius", parse_length_tmm, 1)
    return part.faults.attempt(
        part.path, lambda: Orbit(first=first, second=second, radius_tmm=radius_tmm), STAND_IN
    )


def _read_corridor(table: Table) -> Shape:
    part = table.table("corridor")
    part.allow(["route", "width", "edge"])
    route = _positions(part, part.at("route"), part.list("route"))
    width_tmm = part.quantity("width", parse_length_tmm, 1)
    edge = part.choice("edge", Edge, Edge.GEODESIC)
    return part.faults.attempt(
        part.path, lambda: Corridor(route=route, width_tmm=width_tmm, edge=edge), STAND_IN
    )


def _read_polygon(table: Table) -> Shape:
    part = table.table("polygon")
    part.allow(["ring", "holes", "edge"])
    ring = _ring(part, "ring", part.list("ring"))
    holes = part.list("holes") if "holes" in part.values else []
    rings = tuple(
        _ring(part, f"holes[{number}]", hole if isinstance(hole, list) else [hole])
        for number, hole in enumerate(holes)
    )
    edge = part.choice("edge", Edge, Edge.PLANAR)
    return part.faults.attempt(
        part.path, lambda: Polygon(ring=ring, holes=rings, edge=edge), STAND_IN
    )


def _ring(part: Table, key: str, texts: Sequence[object]) -> tuple[Position, ...]:
    ring = _positions(part, part.at(key), texts)
    part.faults.attempt(part.path, lambda: _check_simple(ring, part.at(key)), None)
    return ring


def _read_arc_polygon(table: Table) -> Shape:
    parts = [_read_part(part) for part in table.tables("arc_polygon")]
    if not parts:
        table.faults.add(table.at("arc_polygon"), "has no lines and arcs", "give two or more")
    return ArcPolygon(boundary=tuple(parts))


def _read_part(part: Table) -> Line | Arc:
    if "arc" not in part.values:
        part.allow(["line", "edge", "arc"])
        start = part.quantity("line", _position, NOWHERE)
        return Line(start=start, edge=part.choice("edge", Edge, Edge.GEODESIC))
    part.allow(["arc", "clockwise"])
    arc = part.table("arc")
    arc.allow(["centre", "start", "end"])
    centre, start, end = (arc.quantity(k, _position, NOWHERE) for k in ("centre", "start", "end"))
    return Arc(centre=centre, start=start, end=end, clockwise=part.flag("clockwise"))


SHAPES: Final[Mapping[str, Callable[[Table], Shape]]] = {
    "circle": _read_circle,
    "orbit": _read_orbit,
    "corridor": _read_corridor,
    "polygon": _read_polygon,
    "arc_polygon": _read_arc_polygon,
}


def _shape_line(shape: Shape) -> str:
    match shape:
        case Circle():
            inside = f"centre = {_at(shape.centre)}, radius = {_far(shape.radius_tmm)}"
            return f"circle = {{ {inside} }}"
        case Orbit():
            inside = f"first = {_at(shape.first)}, second = {_at(shape.second)}"
            return f"orbit = {{ {inside}, radius = {_far(shape.radius_tmm)} }}"
        case Corridor():
            inside = f"route = {_list(shape.route)}, width = {_far(shape.width_tmm)}"
            return f'corridor = {{ {inside}, edge = "{shape.edge}" }}'
        case Polygon():
            holes = ", ".join(map(_list, shape.holes))
            inside = f"ring = {_list(shape.ring)}, holes = [{holes}]"
            return f'polygon = {{ {inside}, edge = "{shape.edge}" }}'
        case ArcPolygon():
            return f"arc_polygon = [{', '.join(map(_part_text, shape.boundary))}]"


def _part_text(part: Line | Arc) -> str:
    if isinstance(part, Line):
        return f'{{ line = {_at(part.start)}, edge = "{part.edge}" }}'
    inside = f"centre = {_at(part.centre)}, start = {_at(part.start)}, end = {_at(part.end)}"
    return f"{{ arc = {{ {inside} }}, clockwise = {str(part.clockwise).lower()} }}"


def _at(position: Position) -> str:
    return f'"{_position_text(position)}"'


def _far(length_tmm: int) -> str:
    return f'"{lateral_text(length_tmm)}"'


def _list(positions: Sequence[Position]) -> str:
    return f"[{', '.join(map(_at, positions))}]"


def _check_simple(ring: Sequence[Position], path: str) -> None:
    """Raise `InputError` for no area, and where edges that do not follow each other meet.

    On the plane of longitude and latitude, unrolled from the first corner; exact, in fractions.
    """
    if len(ring) > MOST_CORNERS:
        raise InputError(path, len(ring), f"corners are over {MOST_CORNERS}", "simplify outwards")
    corners = _unrolled(ring)
    edges = list(zip(corners, [*corners[1:], *corners[:1]], strict=True))
    for (i, one), (j, two) in combinations(enumerate(edges), 2):
        if 1 < j - i < len(edges) - 1 and _meet(*one, *two):
            raise InputError(
                path,
                f"edges {i + 1} and {j + 1}",
                "cross or touch: inside and outside are not told apart",
                "give the corners in order round the area",
            )
    if not sum(_turn(corners[0], *two) for two in pairwise(corners)):
        raise InputError(path, None, "encloses nothing", "give corners that are not on one line")


def _unrolled(ring: Sequence[Position]) -> list[Corner]:
    """Return longitude and latitude, each longitude within 180 degrees of the one before."""
    corners: list[Corner] = []
    for position in ring:
        longitude_deg = Fraction(position.longitude_deg)
        if corners:
            longitude_deg -= 360 * round((longitude_deg - corners[-1][0]) / 360)
        corners.append((longitude_deg, Fraction(position.latitude_deg)))
    return corners


def _meet(a: Corner, b: Corner, c: Corner, d: Corner) -> bool:
    for axis in (0, 1):
        if max(a[axis], b[axis]) < min(c[axis], d[axis]):
            return False
        if max(c[axis], d[axis]) < min(a[axis], b[axis]):
            return False
    return _turn(a, b, c) * _turn(a, b, d) <= 0 and _turn(c, d, a) * _turn(c, d, b) <= 0


def _turn(a: Corner, b: Corner, c: Corner) -> Fraction:
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])
