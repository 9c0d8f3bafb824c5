# SPDX-License-Identifier: Apache-2.0
"""What small volumes are widened to before they are compared, so that none maps what is hidden.

Who files many small volumes learns of each whether something is there. Widened to the agreed
minimum, an answer tells no more than that something is within it; and each costs at least that
much of the area-hours that a party may take.

1. A volume narrower, lower or shorter than the minimum is widened about its middle to it.
2. What is widened holds all of what was filed: a conflict is never lost by it.
3. An agreement that discloses in full widens nothing.
"""

import math
from collections.abc import Sequence
from typing import Final

from keepclear.agreement.claims import Claim
from keepclear.agreement.clauses import HOUR_US, ProbingBound
from keepclear.airspace.altitudes import HIGHEST_TMM, LOWEST_TMM, Altitude, are_comparable
from keepclear.airspace.footprints import inscribed_m
from keepclear.airspace.positions import Position
from keepclear.airspace.volumes import Circle, Corridor, Orbit, Polygon, Shape, Volume3D, Volume4D

# docs/agreement.md: five nautical miles, 2000 ft, half an hour, the tenth filing in an hour.
DEFAULT: Final = ProbingBound(
    across_tmm=5 * 18_520_000, height_tmm=2_000 * 3_048, lasts_us=HOUR_US // 2, filings_an_hour=10
)
TMM_PER_M: Final = 10_000
M_PER_DEGREE: Final = 111_000.0
CHART_DEG: Final = 1.0
CHART_BEND: Final = 0.0315  # of the cosine of latitude from one side of a chart to the other


def widest(bounds: Sequence[ProbingBound]) -> ProbingBound:
    """Return the bound that widens as much as any of some."""
    return ProbingBound(
        across_tmm=max(each.across_tmm for each in bounds),
        height_tmm=max(each.height_tmm for each in bounds),
        lasts_us=max(each.lasts_us for each in bounds),
        filings_an_hour=min(each.filings_an_hour for each in bounds),
    )


def widened(claim: Claim, bound: ProbingBound) -> Claim:
    """Return a claim whose volumes are as wide, high and long as a bound asks at least."""
    volumes = tuple(_widened(each, bound) for each in claim.volumes)
    # a polygon is grown on all sides, by what the narrowest of them lacks
    lacks_tmm = max((_lack_tmm(each.volume.shape, bound) for each in claim.volumes), default=0)
    if volumes == claim.volumes and lacks_tmm == 0:
        return claim
    return Claim(
        id=claim.id, party=claim.party, craft_class=claim.craft_class, has_rvsm=claim.has_rvsm,
        volumes=volumes, lateral_tmm=claim.lateral_tmm + lacks_tmm,
        vertical_tmm=claim.vertical_tmm, early_us=claim.early_us, late_us=claim.late_us,
    )  # fmt: skip


def _widened(volume: Volume4D, bound: ProbingBound) -> Volume4D:
    start_us, end_us = volume.start_us, volume.end_us
    if end_us - start_us < bound.lasts_us:
        missing_us = bound.lasts_us - (end_us - start_us)
        start_us -= missing_us // 2
        end_us += missing_us - missing_us // 2
    return Volume4D(
        volume=_higher(volume.volume, bound.height_tmm, bound.across_tmm),
        start_us=start_us, end_us=end_us,
    )  # fmt: skip


def _higher(volume: Volume3D, height_tmm: int, across_tmm: int) -> Volume3D:
    lower, upper = volume.lower, volume.upper
    if lower is not None and upper is not None and are_comparable(lower, upper):
        missing_tmm = height_tmm - (upper.height_tmm - lower.height_tmm)
        if missing_tmm > 0:
            half_tmm = missing_tmm // 2
            lower = _moved(lower, -half_tmm)
            upper = _moved(upper, missing_tmm - half_tmm)
    return Volume3D(shape=_wider(volume.shape, across_tmm), lower=lower, upper=upper)


def _moved(altitude: Altitude, by_tmm: int) -> Altitude:
    height_tmm = min(max(altitude.height_tmm + by_tmm, LOWEST_TMM), HIGHEST_TMM)
    return Altitude(height_tmm=height_tmm, reference=altitude.reference, datum=altitude.datum)


def _wider(shape: Shape, across_tmm: int) -> Shape:
    """Return a shape with a distance round it that is as wide as asked; polygons as they are."""
    match shape:
        case Circle():
            radius_tmm = max(shape.radius_tmm, -(-across_tmm // 2))
            return Circle(centre=shape.centre, radius_tmm=radius_tmm)
        case Corridor():
            width_tmm = max(shape.width_tmm, across_tmm)
            return Corridor(route=shape.route, width_tmm=width_tmm, edge=shape.edge)
        case Orbit():
            radius_tmm = max(shape.radius_tmm, -(-across_tmm // 2))
            return Orbit(first=shape.first, second=shape.second, radius_tmm=radius_tmm)
        case _:
            return shape


def _lack_tmm(shape: Shape, bound: ProbingBound) -> int:
    """Return how far a polygon is to be grown on each side until it is as wide as asked.

    How wide an area is, the largest circle that fits into it says: one of thin arms is thin,
    however far they reach.
    """
    half_m = bound.across_tmm / 2 / TMM_PER_M
    if not isinstance(shape, Polygon) or _fits_surely(shape.ring, half_m):
        return 0
    fits_tmm = math.floor(inscribed_m(shape) * TMM_PER_M)
    return max(0, -(-bound.across_tmm // 2) - fits_tmm)


def _fits_surely(ring: Sequence[Position], radius_m: float) -> bool:
    """Tell whether a circle round the middle of a ring fits into it beyond doubt: cheaply.

    On a flat chart, with a twentieth of room for what the chart is wrong by: a degree of longitude
    is at its north and south side as long as at its middle but for a thirtieth (`CHART_BEND`).
    """
    south, west = ring[0].latitude_deg, ring[0].longitude_deg
    north_deg = [p.latitude_deg - south for p in ring]
    east_deg = [p.longitude_deg - west for p in ring]
    high_deg = max(*north_deg, -min(north_deg))
    if high_deg > CHART_DEG or max(*east_deg, -min(east_deg)) > CHART_DEG:
        return False
    furthest = math.radians(abs(south) + high_deg)
    if math.sin(furthest) * math.radians(high_deg) > CHART_BEND * math.cos(furthest):
        return False
    shrink = math.cos(math.radians(south)) * M_PER_DEGREE
    middle_x, middle_y = sum(east_deg) / len(ring) * shrink, sum(north_deg) / len(ring)
    x = [east * shrink - middle_x for east in east_deg]
    y = [(north - middle_y) * M_PER_DEGREE for north in north_deg]
    return _is_round_origin(x, y, 1.05 * radius_m)


def _is_round_origin(x: Sequence[float], y: Sequence[float], radius_m: float) -> bool:
    """Tell whether a ring goes once round 0, 0, turns to one side of it only, and stays that far.

    An edge is as far as the line through it at least: so corners need not be looked at.
    """
    turned = 0.0
    before_x, before_y = x[-1], y[-1]
    for here_x, here_y in zip(x, y, strict=True):
        cross = before_x * here_y - before_y * here_x
        along_x, along_y = here_x - before_x, here_y - before_y
        if cross * cross < radius_m * radius_m * (along_x * along_x + along_y * along_y):
            return False
        turned += math.copysign(1.0, cross)
        before_x, before_y = here_x, here_y
    return abs(turned) == len(x)
