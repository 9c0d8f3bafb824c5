# SPDX-License-Identifier: Apache-2.0
"""Shapes moved aside: each of their positions the same way in the same direction.

Along geodesics, as one would draw it on a chart; widths and radii stay. So an area turns and
stretches, the more the farther it is moved and the nearer to a pole: 100 NM polewards from 60
degrees it is 5 % narrower (cos 61.67 / cos 60), from 35 degrees 2 %.
"""

from typing import Final

from msgspec.structs import replace

from keepclear.airspace.geodesics import geod
from keepclear.airspace.positions import Position
from keepclear.airspace.volumes import ArcPolygon, Circle, Corridor, Orbit, Polygon, Shape
from keepclear.errors import InputError

PLACES: Final = 9  # 1e-9 degrees, a tenth of a millimetre: the same on every machine


def moved_aside(shape: Shape, distance_m: float, towards_deg: float) -> Shape:
    """Return a shape moved by a distance towards a true bearing, 0 to 360 degrees.

    InputError for an area with arcs: its arcs would fit no more.
    """

    def there(*route: Position) -> tuple[Position, ...]:
        count = len(route)
        longitude_deg, latitude_deg, _ = geod().fwd(
            [each.longitude_deg for each in route], [each.latitude_deg for each in route],
            [towards_deg] * count, [distance_m] * count,
        )  # fmt: skip
        return tuple(
            Position(latitude_deg=round(y, PLACES), longitude_deg=round(x, PLACES))
            for y, x in zip(latitude_deg, longitude_deg, strict=True)
        )

    match shape:
        case Circle():
            return replace(shape, centre=there(shape.centre)[0])
        case Corridor():
            return replace(shape, route=there(*shape.route))
        case Orbit():
            first, second = there(shape.first, shape.second)
            return replace(shape, first=first, second=second)
        case Polygon():
            holes = tuple(there(*each) for each in shape.holes)
            return replace(shape, ring=there(*shape.ring), holes=holes)
        case ArcPolygon():
            raise InputError("shape", "arcs", "cannot be moved aside", "give a polygon")
