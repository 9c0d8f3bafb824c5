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
from keepclear.airspace.altitudes import HIGHEST_TMM, LOWEST_TMM, are_comparable
from keepclear.airspace.footprints import footprint_km2
from keepclear.airspace.volumes import Circle, Corridor, Orbit, Polygon, Shape, Volume4D
from keepclear.plans.operations import Operation

HOUR_US: Final = 3_600_000_000
TMM_PER_KM: Final = 10_000_000


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


def volume_km3(operation: Operation) -> int:
    """Return the km3 of an operation's volumes, each by itself, rounded up.

    A limit that is not given, or that cannot be compared with the other, is the lowest or the
    highest that there is.
    """
    return math.ceil(sum(
        footprint_km2([each.volume.shape]) * _high_tmm(each) / TMM_PER_KM
        for each in operation.volumes
    ))  # fmt: skip


def _high_tmm(volume: Volume4D) -> int:
    lower, upper = volume.volume.lower, volume.volume.upper
    if lower is not None and upper is not None and are_comparable(lower, upper):
        return upper.height_tmm - lower.height_tmm
    top_tmm = HIGHEST_TMM if upper is None else upper.height_tmm
    return top_tmm - (LOWEST_TMM if lower is None else lower.height_tmm)


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
    if caps.volume_km3 is not None and (used_km3 := volume_km3(filed)) > caps.volume_km3:
        yield Excess("volume", f"{used_km3:,} km3", f"{caps.volume_km3:,} km3", one, smaller)
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
