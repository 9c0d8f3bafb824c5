# SPDX-License-Identifier: Apache-2.0
"""GeoJSON positions, [longitude, latitude] or [longitude, latitude, height] (RFC 7946, 3.1.1).

1. Longitudes up to 360 are read as running on beyond the antimeridian; latitudes end at 90.
2. All faults of a line or ring are told at once.
"""

from typing import Final

import msgspec

from keepclear.airspace.altitudes import Altitude
from keepclear.airspace.positions import Position
from keepclear.errors import InputError
from keepclear.formats.faults import each, shown
from keepclear.formats.json_values import Json, as_list, as_number
from keepclear.formats.rings import LonLat, wrapped
from keepclear.units import TMM_PER_M

FEWEST_IN_RING: Final = 4  # RFC 7946 section 3.1.6: the first position is repeated at the end


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """A position as given: longitude beyond 180 where the file goes on there."""

    longitude_deg: float
    latitude_deg: float
    height_m: float | None
    path: str

    @property
    def position(self) -> Position:
        """The position, with its longitude in -180 to 180."""
        return Position(latitude_deg=self.latitude_deg, longitude_deg=wrapped(self.longitude_deg))


def place(value: Json, path: str) -> Place:
    """Read one position; its path stands in each error."""
    found = as_list(value, path)
    if not 2 <= len(found) <= 3:
        raise InputError(path, len(found), "numbers are no position",
                         "give [longitude, latitude]")  # fmt: skip
    longitude, latitude = as_number(found[0], f"{path}[0]"), as_number(found[1], f"{path}[1]")
    if abs(latitude) > 90:
        raise InputError(f"{path}[1]", shown(found[1]), "is a latitude beyond 90 degrees",
                         "give longitude first, in WGS 84 degrees")  # fmt: skip
    if abs(longitude) > 360:
        raise InputError(f"{path}[0]", shown(found[0]), "is a longitude beyond 360 degrees",
                         "give WGS 84 degrees")  # fmt: skip
    height_m = as_number(found[2], f"{path}[2]") if len(found) == 3 else None
    return Place(longitude_deg=longitude, latitude_deg=latitude, height_m=height_m, path=path)


def line(value: list[Json], path: str) -> list[Place]:
    """Read the positions of a line: two or more."""
    if len(value) < 2:
        raise InputError(path, len(value), "positions are no line", "give 2 or more")
    return each(place, value, path)


def closed_ring(value: Json, path: str) -> list[LonLat]:
    """Read a ring that repeats its first position, and return it without the repetition."""
    found = as_list(value, path)
    if len(found) < FEWEST_IN_RING:
        raise InputError(path, len(found), "positions are no closed ring",
                         "give 4 or more, the first one again at the end")  # fmt: skip
    places = each(place, found, path)
    each(lambda one, _: flat(one), places, path)
    ring = [(one.longitude_deg, one.latitude_deg) for one in places]
    if ring[0] != ring[-1]:
        raise InputError(path, f"{ring[0]} to {ring[-1]}", "is not closed",
                         "repeat the first position at the end")  # fmt: skip
    return ring[:-1]


def flat(given: Place) -> Position:
    """Return the position of a place that may have no third coordinate."""
    if given.height_m is not None:
        raise InputError(f"{given.path}[2]", given.height_m, "is a height of an area's corner",
                         "leave it out and give lower and upper")  # fmt: skip
    return given.position


def altitude(given: Place, reference: Altitude | None) -> Altitude | None:
    """Return a third coordinate, in metres, as a height above the reference that is stated."""
    if given.height_m is None:
        return None
    if reference is None:
        raise InputError(
            f"{given.path}[2]", given.height_m, "has no reference: files disagree on what a third"
            " coordinate is measured from", 'add "altitude_reference", as "WGS84" or "AMSL EGM96"',
        )  # fmt: skip
    return Altitude(height_tmm=round(given.height_m * TMM_PER_M), reference=reference.reference,
                    datum=reference.datum)  # fmt: skip
