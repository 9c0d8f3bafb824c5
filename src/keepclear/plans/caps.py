# SPDX-License-Identifier: Apache-2.0
"""How much of the sky an operation takes, and what of it is more than was agreed.

*Area-hours* are the ground that its volumes cover together, in km2 on the ellipsoid, times the
hours from its first start to its last end; heights are ignored.
"""

import math
from collections.abc import Iterator
from typing import Final, NamedTuple

from keepclear.agreement.clauses import Caps
from keepclear.agreement.quantities import duration_text
from keepclear.airspace.footprints import footprint_km2
from keepclear.airspace.volumes import Circle, Corridor, Orbit, Polygon, Shape
from keepclear.plans.operations import Operation

HOUR_US: Final = 3_600_000_000


class Excess(NamedTuple):
    """More than was agreed: of what, how much, the limit, whose it is, the way out; in words."""

    what: str
    used: str
    limit: str
    of: str
    way_out: str


def area_hours_km2h(operation: Operation) -> int:
    """Return the area-hours of an operation, rounded up."""
    hours = (operation.end_us - operation.start_us) / HOUR_US
    shapes = [each.volume.shape for each in (*operation.volumes, *operation.off_nominal)]
    return math.ceil(footprint_km2(shapes) * hours)


def vertices(operation: Operation) -> int:
    """Return how many positions the shapes of an operation have."""
    return sum(_positions(each.volume.shape) for each in operation.volumes)


def excesses(filed: Operation, takes_km2h: int, taken_km2h: int, caps: Caps) -> Iterator[Excess]:
    """Yield what an operation takes more of than was agreed.

    takes_km2h: its area-hours. taken_km2h: what its party has filed within the last day.
    """
    one, smaller = "one operation", "divide it, or make it smaller or shorter"
    lasts_us = filed.end_us - filed.start_us
    if lasts_us > caps.duration_us:
        limit = duration_text(caps.duration_us)
        yield Excess("duration", duration_text(lasts_us), limit, one, smaller)
    if (count := vertices(filed)) > caps.vertices:
        yield Excess("vertices", f"{count:,}", f"{caps.vertices:,}", one, "draw it simpler")
    if takes_km2h > caps.area_hours_km2h:
        limit = f"{caps.area_hours_km2h:,} km2h"
        yield Excess("area-hours", f"{takes_km2h:,} km2h", limit, one, smaller)
    if taken_km2h + takes_km2h > caps.day_area_hours_km2h:
        used = f"{taken_km2h:,} taken and {takes_km2h:,} more km2h"
        limit, way_out = f"{caps.day_area_hours_km2h:,} km2h", "file it later, or less"
        yield Excess("area-hours of the day", used, limit, "one party in a day", way_out)


def _positions(shape: Shape) -> int:
    match shape:
        case Polygon():
            return len(shape.ring) + sum(map(len, shape.holes))
        case Corridor():
            return len(shape.route)
        case Circle():
            return 1
        case Orbit():
            return 2
        case _:
            return len(shape.boundary)
