# SPDX-License-Identifier: Apache-2.0
"""UTM and the grid references of MGRS, to degrees.

The projection is the transverse Mercator of WGS 84 by Krueger's series to the sixth order in the
third flattening (C. F. F. Karney, "Transverse Mercator with an accuracy of a few nanometers",
J. Geodesy 85, 2011, equations 7 to 11 and 36). Letters and bands: NGA.STND.0037 (2014), MGRS.

Leaves to others: the polar grid (UPS), which is refused; how a place is written (`places`).

    >>> from_utm(31, 448251.0, 5411932.0, is_north=True)
    Position(latitude_deg=48.8581938, longitude_deg=2.2944892)
"""

import math
from typing import Final

from keepclear.airspace.geodesics import FLATTENING, SEMI_MAJOR_M
from keepclear.airspace.positions import Position
from keepclear.errors import InputError

SCALE: Final = 0.9996
FALSE_EASTING_M: Final = 500_000.0
FALSE_NORTHING_M: Final = 10_000_000.0
ZONES: Final = 60
SQUARE_M: Final = 100_000
ROWS_M: Final = 2_000_000  # after which the letters of rows come again
DECIMALS: Final = 7
COLUMNS: Final = ("ABCDEFGH", "JKLMNPQR", "STUVWXYZ")
ROWS: Final = "ABCDEFGHJKLMNPQRSTUV"
BANDS: Final = "CDEFGHJKLMNPQRSTUVWX"  # of 8 degrees from 80 S; X has 12
WIDER: Final = frozenset("VX")  # where zones are wider, about Norway and Svalbard
M_PER_DEG: Final = 111_320.0

_N: Final = FLATTENING / (2 - FLATTENING)
_RADIUS_M: Final = SEMI_MAJOR_M / (1 + _N) * (1 + _N**2 / 4 + _N**4 / 64 + _N**6 / 256)
_BETA: Final = (
    _N / 2 - 2 * _N**2 / 3 + 37 * _N**3 / 96 - _N**4 / 360 - 81 * _N**5 / 512
    + 96_199 * _N**6 / 604_800,
    _N**2 / 48 + _N**3 / 15 - 437 * _N**4 / 1_440 + 46 * _N**5 / 105
    - 1_118_711 * _N**6 / 3_870_720,
    17 * _N**3 / 480 - 37 * _N**4 / 840 - 209 * _N**5 / 4_480 + 5_569 * _N**6 / 90_720,
    4_397 * _N**4 / 161_280 - 11 * _N**5 / 504 - 830_251 * _N**6 / 7_257_600,
    4_583 * _N**5 / 161_280 - 108_847 * _N**6 / 3_991_680,
    20_648_693 * _N**6 / 638_668_800,
)  # fmt: skip
_E: Final = math.sqrt(FLATTENING * (2 - FLATTENING))


def from_utm(
    zone: int, easting_m: float, northing_m: float, *, is_north: bool, path: str = "position"
) -> Position:
    """Return the place of coordinates of UTM, in degrees to a centimetre.

    `InputError` for a zone that is none, or what is not on its half of the earth.
    """
    if not 1 <= zone <= ZONES:
        raise InputError(path, zone, f"is no zone of 1 to {ZONES}", "check it")
    if not 0 <= northing_m <= FALSE_NORTHING_M:
        raise InputError(path, northing_m, "is no northing of 0 to 10,000,000 m", "check it")
    latitude_deg, east_deg = _degrees(
        easting_m - FALSE_EASTING_M, northing_m - (0.0 if is_north else FALSE_NORTHING_M)
    )
    if not (abs(latitude_deg) <= 84.5 and abs(east_deg) <= 6.5):
        raise InputError(path, f"{easting_m:.0f} {northing_m:.0f}", f"is not in zone {zone}",
                         "check zone and digits")  # fmt: skip
    return _position(latitude_deg, 6 * zone - 183 + east_deg)


def square_of(
    zone: int, band: str, square: str, digits: str, path: str = "position"
) -> tuple[Position, float]:
    """Return the middle of the square that a grid reference names, and its side in metres.

    digits: as many east as north. `InputError` for one that names no square.
    """
    given = f"{zone}{band} {square} {digits}".strip()
    if band in "ABYZ":
        raise InputError(path, given, "is of the polar grid, which is not read", "give degrees")
    if not 1 <= zone <= ZONES or band not in BANDS:
        raise InputError(path, given, "has no such zone and band", 'as "37S", 1 to 60 and C to X')
    columns = COLUMNS[(zone - 1) % 3]
    if square[0] not in columns or square[1] not in ROWS:
        raise InputError(
            path, given, f"has no square {square}: in zone {zone} the first letter is one of "
            f"{columns}, the second of {ROWS}", "check zone and letters",
        )  # fmt: skip
    half = len(digits) // 2
    side_m = SQUARE_M / 10**half
    east_m = (columns.index(square[0]) + 1) * SQUARE_M + _middle_m(digits[:half], side_m)
    row = (ROWS.index(square[1]) - (5 if zone % 2 == 0 else 0)) % len(ROWS)
    north_m = row * SQUARE_M + _middle_m(digits[half:], side_m)
    bottom_deg = -80 + 8 * BANDS.index(band)
    top_deg = bottom_deg + (12 if band == "X" else 8)
    room_deg = side_m / M_PER_DEG + 0.001
    first_m = -FALSE_NORTHING_M if bottom_deg < 0 else 0.0
    for turn in range(int(FALSE_NORTHING_M // ROWS_M)):
        latitude_deg, east_deg = _degrees(
            east_m - FALSE_EASTING_M, first_m + turn * ROWS_M + north_m
        )
        if bottom_deg - room_deg <= latitude_deg <= top_deg + room_deg:
            widest_deg = 6 if band in WIDER else 3
            room_east_deg = room_deg / math.cos(math.radians(latitude_deg))
            if abs(east_deg) <= widest_deg + room_east_deg:
                return _position(latitude_deg, 6 * zone - 183 + east_deg), side_m
    raise InputError(
        path, given, f"names a square that is not in zone {zone}, band {band}",
        "check zone, band and letters",
    )  # fmt: skip


def _middle_m(digits: str, side_m: float) -> float:
    return int(digits or "0") * side_m + side_m / 2


def _position(latitude_deg: float, longitude_deg: float) -> Position:
    wrapped_deg = (longitude_deg + 180) % 360 - 180
    return Position(
        latitude_deg=round(latitude_deg, DECIMALS) + 0.0,
        longitude_deg=round(wrapped_deg, DECIMALS) + 0.0,
    )


def _degrees(east_m: float, north_m: float) -> tuple[float, float]:
    """Return latitude, and longitude from the middle of the zone, of true eastings in metres."""
    xi, eta = north_m / (SCALE * _RADIUS_M), east_m / (SCALE * _RADIUS_M)
    xi_1, eta_1 = xi, eta
    for number, beta in enumerate(_BETA, start=1):
        turn = 2 * number
        xi_1 -= beta * math.sin(turn * xi) * math.cosh(turn * eta)
        eta_1 -= beta * math.cos(turn * xi) * math.sinh(turn * eta)
    conformal = math.sin(xi_1) / math.hypot(math.sinh(eta_1), math.cos(xi_1))
    east_deg = math.degrees(math.atan2(math.sinh(eta_1), math.cos(xi_1)))
    return math.degrees(math.atan(_tangent(conformal))), east_deg


def _tangent(conformal: float) -> float:
    """Return the tangent of the latitude of which this is that of the conformal one (Newton)."""
    tau = conformal
    for _ in range(5):
        root = math.hypot(1, tau)
        sigma = math.sinh(_E * math.atanh(_E * tau / root))
        tau_1 = tau * math.hypot(1, sigma) - sigma * root
        step = (conformal - tau_1) / math.hypot(1, tau_1)
        tau += step * (1 + (1 - _E**2) * tau**2) / ((1 - _E**2) * root)
    return tau
