# SPDX-License-Identifier: Apache-2.0
"""Lengths, durations and levels as text that reads back to the same integer.

`units` reads; this writes. A unit is used only where the number comes out in hundredths of it;
the last resort is metres to the tenth of a millimetre, or seconds to the microsecond.

    >>> lateral_text(9_260_000), vertical_text(3_048_000), duration_text(180_000_000)
    ('0.5 NM', '1000 ft', '3 min')
"""

from typing import Final

from keepclear.units import LENGTHS_TMM, TMM_PER_FOOT, TMM_PER_M, US_PER_S

TMM_PER_LEVEL: Final = 100 * TMM_PER_FOOT
HIGHEST_LEVEL: Final = 9_999  # four digits, as `airspace.altitudes` reads them


def lateral_text(length_tmm: int) -> str:
    """Return a distance on the map: "5 NM", "10 km", "500 ft"."""
    is_long = length_tmm >= LENGTHS_TMM["km"]
    return _length_text(length_tmm, ("NM", "km", "ft", "m") if is_long else ("NM", "ft", "m"))


def vertical_text(length_tmm: int) -> str:
    """Return a difference of height: "1000 ft", "300 m"."""
    return _length_text(length_tmm, ("ft", "m"))


def duration_text(duration_us: int) -> str:
    """Return a duration: "3 min", "1.5 s"."""
    if duration_us % (60 * US_PER_S) == 0:
        return f"{duration_us // (60 * US_PER_S)} min"
    return _decimal_text(duration_us, US_PER_S, 6) + " s"


def level_text(height_tmm: int) -> str:
    """Return a pressure altitude: "FL290", or feet or metres STANDARD between levels."""
    level, rest = divmod(height_tmm, TMM_PER_LEVEL)
    if rest == 0 and 0 <= level <= HIGHEST_LEVEL:
        return f"FL{level:03d}"
    return f"{vertical_text(height_tmm)} STANDARD"


def _length_text(length_tmm: int, units: tuple[str, ...]) -> str:
    for unit in units:
        if length_tmm * 100 % LENGTHS_TMM[unit.lower()] == 0:
            return f"{_decimal_text(length_tmm, LENGTHS_TMM[unit.lower()], 2)} {unit}"
    return f"{_decimal_text(length_tmm, TMM_PER_M, 4)} m"


def _decimal_text(number: int, per_unit: int, places: int) -> str:
    """Return number / per_unit, which must be exact in that many places, without end zeros."""
    sign = "-" if number < 0 else ""
    whole, rest = divmod(abs(number), per_unit)
    digits = f"{rest * 10**places // per_unit:0{places}d}".rstrip("0")
    return f"{sign}{whole}.{digits}" if digits else f"{sign}{whole}"
