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
import operator
from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from keepclear.agreement.claims import Claim
from keepclear.agreement.clauses import HOUR_US, ProbingBound
from keepclear.airspace.altitudes import HIGHEST_TMM, LOWEST_TMM, Altitude, are_comparable
from keepclear.airspace.footprints import inscribed_m
from keepclear.airspace.volumes import Circle, Corridor, Orbit, Polygon, Shape, Volume3D, Volume4D
from keepclear.detect.compiled import plain
from keepclear.detect.kernel import Functions

# docs/agreement.md: five nautical miles, 2000 ft, half an hour, the tenth filing in an hour.
DEFAULT: Final = ProbingBound(
    across_tmm=5 * 18_520_000, height_tmm=2_000 * 3_048, lasts_us=HOUR_US // 2, filings_an_hour=10
)
TMM_PER_M: Final = 10_000


def widest(bounds: Sequence[ProbingBound]) -> ProbingBound:
    """Return the bound that widens as much as any of some."""
    return ProbingBound(
        across_tmm=max(each.across_tmm for each in bounds),
        height_tmm=max(each.height_tmm for each in bounds),
        lasts_us=max(each.lasts_us for each in bounds),
        filings_an_hour=min(each.filings_an_hour for each in bounds),
    )


def widened(claim: Claim, bound: ProbingBound, functions: Functions | None = None) -> Claim:
    """Return a claim whose volumes are as wide, high and long as a bound asks at least.

    functions: where they are compiled it takes less time.
    """
    volumes = tuple([_widened(each, bound) for each in claim.volumes])
    # a polygon is grown on all sides, by what the narrowest of them lacks
    lacks_tmm = max(
        [_lack_tmm(each.volume.shape, bound, functions or plain()) for each in claim.volumes],
        default=0,
    )
    if lacks_tmm == 0 and all(map(operator.is_, volumes, claim.volumes)):
        return claim
    return Claim(
        id=claim.id, party=claim.party, craft_class=claim.craft_class, has_rvsm=claim.has_rvsm,
        volumes=volumes, lateral_tmm=claim.lateral_tmm + lacks_tmm,
        vertical_tmm=claim.vertical_tmm, early_us=claim.early_us, late_us=claim.late_us,
    )  # fmt: skip


def _widened(volume: Volume4D, bound: ProbingBound) -> Volume4D:
    """Return a volume as wide, high and long as asked: itself, where it is."""
    start_us, end_us = volume.start_us, volume.end_us
    if end_us - start_us < bound.lasts_us:
        missing_us = bound.lasts_us - (end_us - start_us)
        start_us -= missing_us // 2
        end_us += missing_us - missing_us // 2
    place = _higher(volume.volume, bound.height_tmm, bound.across_tmm)
    if place is volume.volume and start_us == volume.start_us and end_us == volume.end_us:
        return volume
    return Volume4D(volume=place, start_us=start_us, end_us=end_us)


def _higher(volume: Volume3D, height_tmm: int, across_tmm: int) -> Volume3D:
    lower, upper = volume.lower, volume.upper
    shape = _wider(volume.shape, across_tmm)
    missing_tmm = 0
    if lower is not None and upper is not None and are_comparable(lower, upper):
        missing_tmm = height_tmm - (upper.height_tmm - lower.height_tmm)
        if missing_tmm > 0:
            half_tmm = missing_tmm // 2
            lower = _moved(lower, -half_tmm)
            upper = _moved(upper, missing_tmm - half_tmm)
    if missing_tmm <= 0 and shape is volume.shape:
        return volume
    return Volume3D(shape=shape, lower=lower, upper=upper)


def _moved(altitude: Altitude, by_tmm: int) -> Altitude:
    height_tmm = min(max(altitude.height_tmm + by_tmm, LOWEST_TMM), HIGHEST_TMM)
    return Altitude(height_tmm=height_tmm, reference=altitude.reference, datum=altitude.datum)


def _wider(shape: Shape, across_tmm: int) -> Shape:
    """Return a shape with a distance round it that is as wide as asked; polygons as they are."""
    half_tmm = -(-across_tmm // 2)
    match shape:
        case Circle() if shape.radius_tmm < half_tmm:
            return Circle(centre=shape.centre, radius_tmm=half_tmm)
        case Corridor() if shape.width_tmm < across_tmm:
            return Corridor(route=shape.route, width_tmm=across_tmm, edge=shape.edge)
        case Orbit() if shape.radius_tmm < half_tmm:
            return Orbit(first=shape.first, second=shape.second, radius_tmm=half_tmm)
        case _:
            return shape


def _lack_tmm(shape: Shape, bound: ProbingBound, functions: Functions) -> int:
    """Return how far a polygon is to be grown on each side until it is as wide as asked.

    How wide an area is, the largest circle that fits into it says: one of thin arms is thin,
    however far they reach.
    """
    if not isinstance(shape, Polygon):
        return 0
    ring: Any = [position.latitude_deg for position in shape.ring]
    ring += [position.longitude_deg for position in shape.ring]
    if functions.is_compiled:
        ring = np.array(ring)
    if functions.fits_surely(ring, bound.across_tmm / 2 / TMM_PER_M):
        return 0
    fits_tmm = math.floor(inscribed_m(shape) * TMM_PER_M)
    return max(0, -(-bound.across_tmm // 2) - fits_tmm)
