# SPDX-License-Identifier: Apache-2.0
"""Heights: a number is nothing without what it is measured from.

1. Two heights are compared only when reference and datum are the same.
2. Heights above ground are never compared: the ground under two craft differs.
3. What cannot be compared is UNDETERMINED for the caller, never a guess.

QNH gives only a datum to compare with: temperature changes true height by about 4 % per
10 degrees from standard, so QNH does not turn a flight level into metres above the sea.

    >>> parse_altitude("FL240").height_tmm == 24_000 * 3048
    True
"""

import re
from enum import StrEnum
from functools import lru_cache
from typing import Final

from keepclear.airspace.positions import Value
from keepclear.errors import InputError
from keepclear.units import TMM_PER_FOOT, TMM_PER_M, parse_length_tmm

HIGHEST_TMM: Final = 100_000 * TMM_PER_FOOT
LOWEST_TMM: Final = -500 * TMM_PER_M  # below the shore of the Dead Sea


class Reference(StrEnum):
    """What a height is measured from.

    STANDARD: pressure altitude on 1013.25 hPa, as flight levels. QNH: altitude on a pressure
    setting. QFE: height above an aerodrome. AMSL: above a geoid. WGS84: above the ellipsoid.
    AGL: above the ground below.
    """

    STANDARD = "standard"
    QNH = "QNH"
    QFE = "QFE"
    AMSL = "AMSL"
    WGS84 = "WGS84"
    AGL = "AGL"


DATUM_OF: Final = {
    Reference.QNH: "its setting in hPa",
    Reference.QFE: "its aerodrome",
    Reference.AMSL: "its geoid",
    Reference.AGL: "its terrain source",
}


class Altitude(Value, frozen=True, kw_only=True):
    """A height in integer tenths of a millimetre, its reference, and the reference's datum.

    `datum` is the pressure setting, the aerodrome, the geoid or the terrain source; None for
    STANDARD and WGS84, which need none, and where it was not given: heights on an unknown
    datum are compared with nothing.
    """

    height_tmm: int
    reference: Reference
    datum: str | None = None

    def __post_init__(self) -> None:
        if not LOWEST_TMM <= self.height_tmm <= HIGHEST_TMM:
            raise InputError(
                "altitude", f"{self.height_tmm / TMM_PER_FOOT:,.0f} ft",
                "is outside -1,640 ft to 100,000 ft", "check number and unit",
            )  # fmt: skip

    def text(self) -> str:
        """Return the height for people: FL240, 1200 ft AGL."""
        height_ft = self.height_tmm / TMM_PER_FOOT
        if self.reference is Reference.STANDARD:
            level = height_ft / 100
            return f"FL{level:03.0f}" if level == round(level) else f"{height_ft:,.0f} ft standard"
        return f"{height_ft:,.0f} ft {self.reference}" + (f" {self.datum}" if self.datum else "")


def are_comparable(a: Altitude, b: Altitude) -> bool:
    """Tell whether the difference of two heights means anything."""
    if a.reference is not b.reference or a.reference is Reference.AGL:
        return False
    return a.datum == b.datum and (a.datum is not None or a.reference not in DATUM_OF)


_LEVEL: Final = re.compile(r"\s*FL\s*(?a:(\d{1,4}))\s*", re.IGNORECASE)
_METRIC_LEVEL: Final = re.compile(r"\s*S\s*(?a:(\d{4}))\s*", re.IGNORECASE)
_HEIGHT: Final = re.compile(
    r"(.*?[A-Za-z])\s+(STANDARD|STD|QNH|QFE|AMSL|WGS\s?84|W84|AGL)\b\s*(.*)", re.IGNORECASE
)
_REFERENCES: Final = {
    "STANDARD": Reference.STANDARD, "STD": Reference.STANDARD, "QNH": Reference.QNH,
    "QFE": Reference.QFE, "AMSL": Reference.AMSL, "WGS84": Reference.WGS84,
    "W84": Reference.WGS84, "AGL": Reference.AGL,
}  # fmt: skip


@lru_cache(maxsize=1_024)  # the same few come again and again
def parse_altitude(text: str, path: str = "altitude") -> Altitude:
    """Read "FL240", "S1130" (standard, tens of metres), "1200 ft AGL", "900 m QNH 1013"."""
    if level := _LEVEL.fullmatch(text):
        return Altitude(height_tmm=int(level[1]) * 100 * TMM_PER_FOOT, reference=Reference.STANDARD)
    if level := _METRIC_LEVEL.fullmatch(text):
        return Altitude(height_tmm=int(level[1]) * 10 * TMM_PER_M, reference=Reference.STANDARD)
    match = _HEIGHT.fullmatch(text.strip())
    if match is None:
        raise InputError(
            path, text, "has no reference",
            'say what it is measured from: "FL240", "1200 ft AGL", "900 m WGS84", "90 m QNH 1013"',
        )  # fmt: skip
    reference = _REFERENCES[match[2].upper().replace(" ", "")]
    return Altitude(
        height_tmm=parse_length_tmm(match[1], path), reference=reference,
        datum=match[3].strip() or None,
    )  # fmt: skip


def reference_text(altitude: Altitude) -> str:
    """Return what an altitude is measured from, for people: "pressure altitude"."""
    if altitude.reference is Reference.STANDARD:
        return "pressure altitude"
    return altitude.reference.value + (f" {altitude.datum}" if altitude.datum else "")
