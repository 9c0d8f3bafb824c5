# SPDX-License-Identifier: Apache-2.0
"""What an operation takes up, rounded outward: one box, one band of levels, one band of times.

1. What is rounded holds all of what was filed: every volume, what it may be off by, and the grace
   after its end while it is out of plan.
2. Each side of the box lies on a line of a grid that does not depend on the operation, so it says
   in which cell that side is and nothing finer. A cell is nowhere narrower than the grain.
3. A box that reaches beyond 89 degrees goes on to the pole and all the way round it.
4. The boxes alone are compared for numbers: who is shown two can compute them again.
"""

import math
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Final, NamedTuple

from keepclear.agreement.claims import Claim
from keepclear.airspace.altitudes import HIGHEST_TMM, LOWEST_TMM, Altitude, Reference
from keepclear.airspace.geodesics import FLATTENING, geod
from keepclear.airspace.positions import Edge, Position
from keepclear.airspace.volumes import (
    ArcPolygon,
    Circle,
    Corridor,
    Orbit,
    Polygon,
    Shape,
    Volume3D,
    Volume4D,
)
from keepclear.record.encoding import Signed
from keepclear.units import TMM_PER_FOOT, TMM_PER_M

SHORTEST_DEGREE_M: Final = 110_574.0  # of latitude on WGS 84, at the equator
MARGIN_DEG: Final = 1e-6  # 11 cm: beyond what rounding of degrees can lose
SLACK: Final = 1.01  # what a degree may be shorter elsewhere than is reckoned here
NEARLY_POLE_DEG: Final = 89.0
POLE_RING_DEG: Final = 88.0  # a box that holds a pole reaches down to here at least
HALF_TURN_DEG: Final = 179.0  # a step of more longitude may go either way, or over a pole
CAP_DEG: Final = 50.0  # a cap round a pole is compared down to here, the rest in sectors
WIDEST_DEG: Final = 60.0  # of a sector
FOOT_100_TMM: Final = 100 * TMM_PER_FOOT


class Box(Signed, frozen=True, kw_only=True):
    """An area between two parallels and two meridians, degrees; east of west, past 180 too."""

    south_deg: float
    west_deg: float
    north_deg: float
    east_deg: float


class Extent(NamedTuple):
    """How far a shape reaches, degrees. east is beyond west, by 360 or more all the way round."""

    south_deg: float
    west_deg: float
    north_deg: float
    east_deg: float


def rounded_volumes(
    claim: Claim, grain_tmm: int, level_grain_tmm: int, time_grain_us: int
) -> tuple[Volume4D, ...]:
    """Return the volumes that the box of a claim is compared as, all with one band and window."""
    lower, upper = levels_of(claim, level_grain_tmm)
    start_us, end_us = times_of(claim, time_grain_us)
    return tuple(
        Volume4D(
            volume=Volume3D(shape=each, lower=lower, upper=upper), start_us=start_us, end_us=end_us
        )
        for each in pieces_of(box_of(claim, grain_tmm))
    )


def times_of(claim: Claim, grain_us: int) -> tuple[int, int]:
    """Return from when to when a claim may be anywhere, rounded outward."""
    start_us = min(each.start_us for each in claim.volumes) - claim.early_us
    end_us = max(each.end_us for each in claim.volumes) + claim.late_us
    return -rounded_up(-start_us, grain_us), rounded_up(end_us, grain_us)


def rounded_up(time_us: int, grain_us: int) -> int:
    """Return the first instant of a grid that is not before a time. 0: there is no grid."""
    grain_us = max(grain_us, 1)
    return -(-time_us // grain_us) * grain_us


def levels_of(claim: Claim, grain_tmm: int) -> tuple[Altitude | None, Altitude | None]:
    """Return the band of levels that holds a claim, rounded outward; None where it has no limit.

    Limits that are not measured from the same have none in common: no limit either.
    """
    grain_tmm = max(grain_tmm, 1)
    lower = _common([each.volume.lower for each in claim.volumes])
    upper = _common([each.volume.upper for each in claim.volumes])
    low_tmm = min((each.height_tmm for each in lower), default=0) - claim.vertical_tmm
    high_tmm = max((each.height_tmm for each in upper), default=0) + claim.vertical_tmm
    return (
        _at(lower, max(low_tmm // grain_tmm * grain_tmm, LOWEST_TMM)),
        _at(upper, min(-(-high_tmm // grain_tmm) * grain_tmm, HIGHEST_TMM)),
    )


def level_text(altitude: Altitude) -> str:
    """Return a height in words that are read as exactly the same height again."""
    height_tmm = altitude.height_tmm
    is_standard = altitude.reference is Reference.STANDARD
    if is_standard and height_tmm >= 0 and height_tmm % FOOT_100_TMM == 0:
        return f"FL{height_tmm // FOOT_100_TMM:03d}"
    if height_tmm % TMM_PER_FOOT == 0:
        number = f"{height_tmm // TMM_PER_FOOT} ft"
    else:
        whole, rest = divmod(abs(height_tmm), TMM_PER_M)
        number = f"{'-' if height_tmm < 0 else ''}{whole}.{rest:04d}".rstrip("0").rstrip(".") + " m"
    datum = f" {altitude.datum}" if altitude.datum else ""
    return f"{number} {altitude.reference}{datum}"


def box_of(claim: Claim, grain_tmm: int) -> Box:
    """Return the box that holds all of a claim, rounded outward to the grain."""
    unsure_m = claim.lateral_tmm / TMM_PER_M
    extents = [extent_of(each.volume.shape, unsure_m) for each in claim.volumes]
    step_deg = max(grain_tmm / TMM_PER_M / SHORTEST_DEGREE_M, MARGIN_DEG)
    south = _down(min(each.south_deg for each in extents), step_deg)
    north = -_down(-max(each.north_deg for each in extents), step_deg)
    widest_deg = max(abs(south), abs(north))
    if widest_deg >= NEARLY_POLE_DEG:
        return Box(
            south_deg=-90.0 if -south >= NEARLY_POLE_DEG else min(south, POLE_RING_DEG),
            west_deg=-180.0, east_deg=180.0,
            north_deg=90.0 if north >= NEARLY_POLE_DEG else max(north, -POLE_RING_DEG),
        )  # fmt: skip
    across_deg = step_deg / math.cos(math.radians(widest_deg))
    west, east = covering([(each.west_deg, each.east_deg) for each in extents])
    west, east = _down(west, across_deg), -_down(-east, across_deg)
    if east - west >= 360:
        west, east = -180.0, 180.0
    return Box(south_deg=south, west_deg=west, north_deg=north, east_deg=east)


def covering(spans: Sequence[tuple[float, float]]) -> tuple[float, float]:
    """Return the shortest span of longitudes that holds some others, from -180 up to 180 on."""
    if any(east - west >= 360 for west, east in spans):
        return -180.0, 180.0
    turned = sorted((_wrap(west), _wrap(west) + east - west) for west, east in spans)
    reach = max(east for _, east in turned) - 360  # of one that goes on past 180
    found = []
    for west, east in turned:
        found.append((west - reach, west))
        reach = max(reach, east)
    gap, start = max(found)
    return (start, start + 360 - gap) if gap > 0 else (-180.0, 180.0)


def extent_of(shape: Shape, unsure_m: float) -> Extent:
    """Return how far a shape reaches, with the distance round it and what it may be off by."""
    positions, edge, is_ring, radius_m = _skeleton(shape)
    steps = list(pairwise((*positions, positions[0]) if is_ring else positions))
    turns = [_wrap(b.longitude_deg - a.longitude_deg) for a, b in steps]
    longitudes = [positions[0].longitude_deg]
    for turn in turns:
        longitudes.append(longitudes[-1] + turn)
    latitudes = [each.latitude_deg for each in positions]
    if edge is Edge.GEODESIC:
        latitudes += [top for a, b in steps for top in _tops(a, b)]
    pad_deg = (radius_m + unsure_m) / SHORTEST_DEGREE_M * SLACK
    south, north = min(latitudes) - pad_deg, max(latitudes) + pad_deg
    if is_ring and abs(sum(turns)) > 180:  # round a pole, which it then holds
        south, north = (south, 90.0) if south + north > 0 else (-90.0, north)
    widest_deg = max(abs(south), abs(north))
    if widest_deg >= NEARLY_POLE_DEG or any(abs(turn) > HALF_TURN_DEG for turn in turns):
        return Extent(south, -180.0, north, 180.0)
    across_deg = pad_deg / math.cos(math.radians(widest_deg)) * SLACK
    return Extent(south, min(longitudes) - across_deg, north, max(longitudes) + across_deg)


def pieces_of(box: Box) -> list[Polygon]:
    """Return a box as shapes that can be compared: sectors, and a cap round each pole it holds."""
    south, north = box.south_deg, box.north_deg
    pieces = []
    if north >= 90:
        ring_deg = max(south, CAP_DEG)
        pieces.append(_cap(ring_deg))
        north = ring_deg
    if south <= -90:
        ring_deg = min(north, -CAP_DEG)
        pieces.append(_cap(ring_deg))
        south = ring_deg
    if north > south:
        pieces += _sectors(south, north, box.west_deg, box.east_deg)
    return pieces


def _sectors(south: float, north: float, west: float, east: float) -> Iterator[Polygon]:
    tall, wide = math.ceil((north - south) / WIDEST_DEG), math.ceil((east - west) / WIDEST_DEG)
    for row in range(tall):
        low, high = (south + (north - south) * each / tall for each in (row, row + 1))
        for column in range(wide):
            left, right = (west + (east - west) * each / wide for each in (column, column + 1))
            yield _polygon([(low, left), (low, right), (high, right), (high, left)])


def _cap(latitude_deg: float) -> Polygon:
    return _polygon([(latitude_deg, longitude) for longitude in range(-180, 180, 60)])


def _polygon(corners: Sequence[tuple[float, float]]) -> Polygon:
    """Return a shape whose edges run along parallels and meridians."""
    return Polygon(
        ring=tuple(
            Position(latitude_deg=latitude, longitude_deg=_wrap(longitude))
            for latitude, longitude in corners
        ),
        edge=Edge.PLANAR,
    )


def _down(degrees: float, step_deg: float) -> float:
    return math.floor((degrees - MARGIN_DEG) / step_deg) * step_deg


def _wrap(longitude_deg: float) -> float:
    """Return a longitude in -180 up to, not including, 180."""
    return (longitude_deg + 180.0) % 360.0 - 180.0


def _tops(a: Position, b: Position) -> list[float]:
    """Return the latitude at which the geodesic between two positions turns, if it does.

    Clairaut: the sine of the azimuth times the cosine of the reduced latitude is one all along.
    """
    azimuth_deg, back_deg, _ = geod().inv(
        a.longitude_deg, a.latitude_deg, b.longitude_deg, b.latitude_deg
    )
    at_a, at_b = math.cos(math.radians(azimuth_deg)), -math.cos(math.radians(back_deg))
    if at_a * at_b >= 0:
        return []
    reduced = math.atan((1 - FLATTENING) * math.tan(math.radians(a.latitude_deg)))
    cosine = min(abs(math.sin(math.radians(azimuth_deg))) * math.cos(reduced), 1.0)
    top = math.degrees(math.atan2(math.sqrt(1 - cosine * cosine), cosine * (1 - FLATTENING)))
    return [top if at_a > 0 else -top]


def _skeleton(shape: Shape) -> tuple[Sequence[Position], Edge, bool, float]:
    """Return what spans a shape, how it is joined, whether it is a ring, and the metres round."""
    match shape:
        case Polygon(ring=ring, edge=edge):
            return ring, edge, True, 0.0
        case Circle(centre=centre, radius_tmm=radius_tmm):
            return (centre,), Edge.GEODESIC, False, radius_tmm / TMM_PER_M
        case Corridor(route=route, width_tmm=width_tmm, edge=edge):
            return route, edge, False, width_tmm / 2 / TMM_PER_M
        case Orbit(first=first, second=second, radius_tmm=radius_tmm):
            return (first, second), Edge.GEODESIC, False, radius_tmm / TMM_PER_M
        case ArcPolygon():
            raise TypeError("an operation has no arcs: its filed shapes have none")


def _common(limits: Sequence[Altitude | None]) -> list[Altitude]:
    """Return limits where all are there and measured from the same, else none of them.

    Heights above ground are: what is below 400 ft AGL everywhere is so wherever the ground is.
    One limit is measured from the same as itself, whatever it is.
    """
    known = [each for each in limits if each is not None]
    if len(known) < len(limits) or len({(e.reference, e.datum) for e in known}) > 1:
        return []
    needs_datum = known[0].reference not in {
        Reference.STANDARD, Reference.WGS84, Reference.AGL,
    }  # fmt: skip
    if needs_datum and known[0].datum is None and len({each.height_tmm for each in known}) > 1:
        return []
    return known


def _at(limits: Sequence[Altitude], height_tmm: int) -> Altitude | None:
    """Return a height measured as some limits are, None where there are none."""
    if not limits:
        return None
    first = limits[0]
    return Altitude(height_tmm=height_tmm, reference=first.reference, datum=first.datum)
