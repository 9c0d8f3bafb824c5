# SPDX-License-Identifier: Apache-2.0
"""Positions on the WGS 84 ellipsoid, and how two of them are joined.

Leaves heights to `altitudes`, curves and distances to `geodesics`.
"""

import math
from collections.abc import Iterable
from enum import StrEnum

import msgspec

from keepclear.errors import InputError


class Value(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, gc=False):
    """What values of place are: frozen, and without a field that is not named.

    None holds another that holds it, and there are very many: none is looked at for cycles.
    """


class Edge(StrEnum):
    """What "straight" means between two positions.

    GEODESIC: the shortest path on the ellipsoid. RHUMB: a line of constant bearing.
    PLANAR: straight in longitude and latitude (RFC 7946 section 3.1.1), so that two
    positions on one parallel are joined along it. All go the short way round: a step of more
    than 180 degrees in longitude crosses the antimeridian.
    """

    GEODESIC = "geodesic"
    RHUMB = "rhumb"
    PLANAR = "planar"


class Position(Value, frozen=True, kw_only=True, array_like=True):
    """A place: WGS 84 degrees, latitude -90..90, longitude -180..180.

    As JSON, in a record or an agreement, it is [latitude, longitude], as in what is filed: a
    record of polygons is a seventh smaller so, and read sooner.
    """

    latitude_deg: float
    longitude_deg: float

    def __post_init__(self) -> None:
        if -90 <= self.latitude_deg <= 90 and -180 <= self.longitude_deg <= 180:
            return  # as most are, and there are very many of them
        check_degrees(self.latitude_deg, 90, "latitude")
        check_degrees(self.longitude_deg, 180, "longitude")


def positions(places: Iterable[tuple[float, float]]) -> tuple[Position, ...]:
    """Return latitudes and longitudes as positions; `InputError` for one that is none."""
    return tuple([Position(latitude_deg=y, longitude_deg=x) for y, x in places])


def check_degrees(value_deg: float, limit_deg: int, path: str) -> None:
    """Raise `InputError` where an angle is no number or beyond its limit."""
    if not math.isfinite(value_deg):
        raise InputError(path, value_deg, "is not a number", "give degrees")
    if abs(value_deg) > limit_deg:
        raise InputError(
            path, value_deg, f"is beyond {limit_deg} degrees", "give WGS 84 degrees, signed"
        )
