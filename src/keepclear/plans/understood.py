# SPDX-License-Identifier: Apache-2.0
"""What was understood of a filing: each value in the units of either side, for who filed to see.

One side works in feet and nautical miles by its own clock, another in metres and kilometres. What
was filed is echoed in both, with what a height is measured from and in UTC, so that a wrong unit,
reference or zone is seen at once and not on the day.

Leaves to others: what the values are (`filing`).

1. Each number is the whole number that rules use, divided by its unit; nothing is rounded before.
2. It stands in the answer to the filing, which is its owner's alone.
"""

from functools import lru_cache
from typing import Final

from keepclear.airspace.altitudes import Altitude
from keepclear.airspace.volumes import Circle, Corridor, Orbit, Volume4D
from keepclear.plans.operations import Operation
from keepclear.record.encoding import Signed
from keepclear.units import TMM_PER_FOOT, TMM_PER_M, TMM_PER_NM, US_PER_S, format_time

TMM_PER_KM: Final = 1_000 * TMM_PER_M


class Length(Signed, frozen=True, kw_only=True):
    """A distance on the map, in nautical miles and kilometres."""

    nm: float
    km: float


class Height(Signed, frozen=True, kw_only=True):
    """A difference of height, or with a reference a height, in feet and metres.

    reference: what it is measured from, with its datum. level: as a flight level, where it is one.
    """

    ft: float
    m: float
    reference: str = ""
    level: str = ""


class UnderstoodVolume(Signed, frozen=True, kw_only=True):
    """A volume: its size, from which height to which, None for no limit; from when to when, UTC.

    radius: of a circle, or round an orbit. width: of a corridor.
    """

    shape: str
    radius: Length | None = None
    width: Length | None = None
    lower: Height | None
    upper: Height | None
    start: str
    end: str


class Understood(Signed, frozen=True, kw_only=True):
    """An operation as it was understood.

    lateral, vertical, early_s, late_s: what it may be off by.
    """

    volumes: tuple[UnderstoodVolume, ...]
    off_nominal: tuple[UnderstoodVolume, ...] = ()
    lateral: Length
    vertical: Height
    early_s: float
    late_s: float


def understood(operation: Operation) -> Understood:
    """Return what was understood of an operation."""
    uncertainty = operation.uncertainty
    return Understood(
        volumes=tuple(map(understood_volume, operation.volumes)),
        off_nominal=tuple(map(understood_volume, operation.off_nominal)),
        lateral=_length(uncertainty.lateral_tmm),
        vertical=Height(
            ft=uncertainty.vertical_tmm / TMM_PER_FOOT, m=uncertainty.vertical_tmm / TMM_PER_M
        ),
        early_s=uncertainty.early_us / US_PER_S, late_s=uncertainty.late_us / US_PER_S,
    )  # fmt: skip


def understood_volume(volume: Volume4D) -> UnderstoodVolume:
    """Return what was understood of a volume."""
    shape, radius, width = volume.volume.shape, None, None
    match shape:
        case Circle(radius_tmm=tmm) | Orbit(radius_tmm=tmm):
            radius = _length(tmm)
        case Corridor(width_tmm=tmm):
            width = _length(tmm)
        case _:
            pass
    return UnderstoodVolume(
        shape=type(shape).__name__.lower(), radius=radius, width=width,
        lower=_height(volume.volume.lower), upper=_height(volume.volume.upper),
        start=format_time(volume.start_us), end=format_time(volume.end_us),
    )  # fmt: skip


@lru_cache(maxsize=1_024)  # the same few come again and again
def _length(length_tmm: int) -> Length:
    return Length(nm=length_tmm / TMM_PER_NM, km=length_tmm / TMM_PER_KM)


@lru_cache(maxsize=1_024)
def _height(altitude: Altitude | None) -> Height | None:
    if altitude is None:
        return None
    text = altitude.text()
    datum = f" {altitude.datum}" if altitude.datum else ""
    return Height(
        ft=altitude.height_tmm / TMM_PER_FOOT, m=altitude.height_tmm / TMM_PER_M,
        reference=f"{altitude.reference.value}{datum}", level=text if text[:2] == "FL" else "",
    )  # fmt: skip
