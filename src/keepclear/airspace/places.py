# SPDX-License-Identifier: Apache-2.0
r"""A place as people write it: degrees, minutes, seconds, or a grid reference.

Read are

    33.50N 038.62E              degrees
    33-30.0N 038-37.2E          degrees and minutes, parted by one of: space - : ° '
    33°30'00"N 038°37'12"E      degrees, minutes and seconds
    333000N0383712E             the same without signs, as in flight plans (ICAO Doc 4444, item 15)
    N33.50 E038.62              each with its letter in front
    37S DT 64700 06826          a grid reference (MGRS), from 100 km to 1 m
    37 north 464700 3706826     UTM, in metres

1. A place says N or S, and E or W: two numbers alone are read in either order by somebody.
2. A place is known as well as it was written: to half a step of its last digit. A grid reference
   names a square; its place is the middle of it.
3. UTM says north or south in words: "37S" is the band of a grid reference to some, and the
   southern half of a zone to others, thousands of kilometres apart.

    >>> parse_place("33-30.0N 038-37.2E").position
    Position(latitude_deg=33.5, longitude_deg=38.62)
"""

import math
import re
from fractions import Fraction
from functools import lru_cache
from typing import Final, NamedTuple

from keepclear.airspace.grid import from_utm, square_of
from keepclear.airspace.positions import Position
from keepclear.errors import InputError

EXAMPLE: Final = (
    'write "33.50N 038.62E", "33-30.0N 038-37.2E", "37S DT 64700 06826" or '
    '"37 north 464700 3706826"'
)
DECIMALS: Final = 7  # of degrees: about a centimetre
MOST_DIGITS: Final = 10
M_PER_DEG: Final = 111_320.0  # of a great circle, to size what a last digit leaves open
_PARTED: Final = r"(?:\s*[°º'′\u2019:-]\s*|\s+)"
_ANGLE: Final = re.compile(
    rf"(?a:(\d{{1,7}})(?:{_PARTED}(\d{{1,2}}))?(?:{_PARTED}(\d{{1,2}}))?(\.\d{{1,9}})?)"
    r"\s*[°º'′\u2019\"″”]{0,2}"
)
_BEHIND: Final = re.compile(r"(.+?)\s*([NS])[\s,/;]*(.+?)\s*([EW])")
_IN_FRONT: Final = re.compile(r"([NS])\s*(.+?)[\s,/;]*([EW])\s*(.+)")
_SQUARE: Final = re.compile(r"(?a:(\d{1,2})\s*([A-Z])\s*([A-Z])([A-Z])((?:\s*\d{1,10}){0,2}))")
_UTM: Final = re.compile(
    r"(?a:(\d{1,2})\s*(NORTH|SOUTH)\s+(\d{6})(?:\s*M?E)?\s+(\d{1,8})(?:\s*M?N)?)"
)


class Place(NamedTuple):
    """A place, and how well it is known: to within so many metres, 1 at least."""

    position: Position
    within_m: int


class _Angle(NamedTuple):
    """An angle in degrees, and a step of its last digit."""

    degrees: Fraction
    step: Fraction


@lru_cache(maxsize=1_024)
def parse_place(text: str, path: str = "position") -> Place:
    """Return the place that a text is; `InputError` says what is wrong in it."""
    plain = " ".join(text.upper().split())
    if found := _UTM.fullmatch(plain):
        position = from_utm(
            int(found[1]), float(found[3]), float(found[4]), is_north=found[2] == "NORTH", path=path
        )
        return Place(position, 1)
    if found := _SQUARE.fullmatch(plain):
        digits = _digits(found[5].split(), text, path)
        position, side_m = square_of(int(found[1]), found[2], found[3] + found[4], digits, path)
        return Place(position, max(1, math.ceil(side_m * math.sqrt(0.5))))
    if found := _BEHIND.fullmatch(plain):
        return _of_angles(found[1], found[2], found[3], found[4], text, path)
    if found := _IN_FRONT.fullmatch(plain):
        return _of_angles(found[2], found[1], found[4], found[3], text, path)
    raise InputError(path, text, "does not say N or S, and E or W", EXAMPLE)


def place_text(position: Position) -> str:
    """Return a position for people, to about a metre: 33.50000N 038.62000E."""
    north = "N" if position.latitude_deg >= 0 else "S"
    east = "E" if position.longitude_deg >= 0 else "W"
    latitude, longitude = abs(position.latitude_deg), abs(position.longitude_deg)
    return f"{latitude:08.5f}{north} {longitude:09.5f}{east}"


def _digits(parts: list[str], text: str, path: str) -> str:
    """Return the digits of a grid reference, given in one or in two parts."""
    digits = "".join(parts)
    is_even = len(digits) % 2 == 0 and len(digits) <= MOST_DIGITS
    if not is_even or (len(parts) > 1 and len(parts[0]) != len(parts[1])):
        raise InputError(
            path, text, f"has {len(digits)} digits, not as many of them east as north, 5 at most",
            'write as many of both: "37S DT 64700 06826"',
        )  # fmt: skip
    return digits


def _of_angles(latitude: str, ns: str, longitude: str, ew: str, text: str, path: str) -> Place:
    north, east = _angle(latitude, 2, 90, text, path), _angle(longitude, 3, 180, text, path)
    latitude_deg = round(float(north.degrees), DECIMALS) * (1 if ns == "N" else -1)
    longitude_deg = round(float(east.degrees), DECIMALS) * (1 if ew == "E" else -1)
    shrunk = float(east.step) * math.cos(math.radians(latitude_deg))
    half_m = math.hypot(float(north.step), shrunk) * M_PER_DEG / 2
    # adding zero makes one of both zeros
    position = Position(latitude_deg=latitude_deg + 0.0, longitude_deg=longitude_deg + 0.0)
    return Place(position, max(1, math.ceil(half_m)))


def _angle(half: str, width: int, limit: int, text: str, path: str) -> _Angle:
    """Return an angle. width: how many digits its degrees have, at most; limit: in degrees."""
    found = _ANGLE.fullmatch(half)
    if found is None:
        raise InputError(path, text, f"{half!r} is no angle", EXAMPLE)
    parts = [each for each in found.groups()[:3] if each is not None]
    if len(parts) == 1 and len(parts[0]) in {width + 2, width + 4}:
        packed = parts[0]
        parts = [packed[:width], *(packed[i : i + 2] for i in range(width, len(packed), 2))]
    if len(parts[0]) > width:
        raise InputError(
            path, text, f"{half!r} has not {width} digits of degrees, and two of minutes and "
            "seconds", EXAMPLE,
        )  # fmt: skip
    degrees, unit = Fraction(0), Fraction(1)
    for number, part in enumerate(parts):
        unit = Fraction(1, 60**number)
        if number and int(part) > 59:
            raise InputError(path, text, f"{part} is above 59", "give minutes and seconds below 60")
        degrees += int(part) * unit
    step = unit
    if found[4] is not None:
        degrees += Fraction(found[4]) * unit
        step = unit / 10 ** (len(found[4]) - 1)
    if degrees > limit:
        raise InputError(path, text, f"{half!r} is beyond {limit} degrees", "check its digits")
    return _Angle(degrees, step)
