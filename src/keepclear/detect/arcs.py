# SPDX-License-Identifier: Apache-2.0
"""Arcs in the boundary of an area, as geodesic edges that leave nothing of the area out.

Where the arc bulges out of the area, the edges touch it from outside, at most `EXCESS_M` from
it; where it bulges into the area, they are chords between points of the arc. So the cut area
holds all of the real one, and is nowhere more than `EXCESS_M` larger.

1. An arc keeps the distance of its start. Its end may differ from that by a little, as rounded
   published positions do; the boundary then goes straight on to the end.
2. An arc whose end is its start is a whole circle.
"""

import math
from typing import Final

import numpy as np

from keepclear.airspace.geodesics import geod
from keepclear.airspace.positions import Edge, Position
from keepclear.airspace.volumes import Arc, ArcPolygon
from keepclear.errors import InputError

EXCESS_M: Final = 0.02
TURN_DEG: Final = 360.0
LARGEST_ARC_M: Final = 1_000_000.0
ENDS_DIFFER_M: Final = 100.0  # positions in whole minutes of arc are off by more: refused
ENDS_DIFFER: Final = 0.02
ROUNDING_M: Final = 0.001


def boundary_of(shape: ArcPolygon) -> list[tuple[Position, Edge]]:
    """Return the corners of an area with arcs, each with the kind of the edge that follows."""
    is_left = _turns_left(shape)
    corners: list[tuple[Position, Edge]] = []
    for part in shape.boundary:
        if isinstance(part, Arc):
            bulges_out = is_left != part.clockwise
            corners += [(p, Edge.GEODESIC) for p in points_of(part, bulges_out=bulges_out)]
        else:
            corners.append((part.start, part.edge))
    return corners


def points_of(arc: Arc, *, bulges_out: bool) -> list[Position]:
    """Return the corners that stand for an arc, its start first, its end left to what follows."""
    azimuth_deg, radius_m, sweep_deg = _measure(arc)
    step_rad = 2.0 * math.sqrt(2.0 * 0.7 * EXCESS_M / radius_m)
    steps = max(1, math.ceil(math.radians(abs(sweep_deg)) / min(step_rad, 0.5)))
    step_deg = sweep_deg / steps
    if bulges_out:
        at_deg = azimuth_deg + step_deg * (np.arange(steps) + 0.5)
        distance_m = radius_m / math.cos(math.radians(step_deg) / 2.0) + ROUNDING_M
    else:
        at_deg = azimuth_deg + step_deg * np.arange(1, steps)
        distance_m = radius_m - ROUNDING_M
    count = len(at_deg)
    longitude, latitude, _ = geod().fwd(
        np.full(count, arc.centre.longitude_deg), np.full(count, arc.centre.latitude_deg),
        at_deg, np.full(count, distance_m),
    )  # fmt: skip
    inner = zip(latitude.tolist(), longitude.tolist(), strict=True)
    return [arc.start, *(Position(latitude_deg=y, longitude_deg=x) for y, x in inner)]


def _measure(arc: Arc) -> tuple[float, float, float]:
    """Return the azimuth of an arc's start, its radius, and the angle it turns, degrees right."""
    from_deg, radius_m = _polar(arc.centre, arc.start)
    to_deg, end_m = _polar(arc.centre, arc.end)
    if radius_m > LARGEST_ARC_M or radius_m < 1.0:
        raise InputError("arc.start", f"{radius_m:.1f} m", "from the centre is not 1 m to 1,000 km",
                         "check centre and start")  # fmt: skip
    if abs(end_m - radius_m) > ENDS_DIFFER_M + ENDS_DIFFER * radius_m:
        raise InputError(
            "arc.end", f"{end_m:.1f} m", f"from the centre, its start {radius_m:.1f} m",
            "give start and end of one circle",
        )  # fmt: skip
    turn_deg = (to_deg - from_deg) % TURN_DEG
    if arc.start == arc.end:
        turn_deg = 0.0
    if arc.clockwise:
        return from_deg, radius_m, turn_deg or TURN_DEG
    return from_deg, radius_m, turn_deg - TURN_DEG


def _polar(centre: Position, point: Position) -> tuple[float, float]:
    azimuth_deg, _, distance_m = geod().inv(
        centre.longitude_deg, centre.latitude_deg, point.longitude_deg, point.latitude_deg
    )
    return float(azimuth_deg), float(distance_m)


def _turns_left(shape: ArcPolygon) -> bool:
    """Tell whether the boundary goes round its area counter-clockwise.

    From a coarse outline, on the plane of directions and distances from its first corner: the
    sign of its area is that of the real one unless the area is a sliver beside it.
    """
    outline: list[Position] = []
    for part in shape.boundary:
        outline.append(part.start)
        if isinstance(part, Arc):
            azimuth_deg, radius_m, sweep_deg = _measure(part)
            for k in range(1, 16):
                longitude, latitude, _ = geod().fwd(
                    part.centre.longitude_deg, part.centre.latitude_deg,
                    azimuth_deg + sweep_deg * k / 16, radius_m,
                )  # fmt: skip
                outline.append(Position(latitude_deg=latitude, longitude_deg=longitude))
    polar = [_polar(outline[0], point) for point in outline]
    x = np.array([m * math.sin(math.radians(deg)) for deg, m in polar])
    y = np.array([m * math.cos(math.radians(deg)) for deg, m in polar])
    return float(np.sum(x * np.roll(y, -1) - np.roll(x, -1) * y)) > 0.0
