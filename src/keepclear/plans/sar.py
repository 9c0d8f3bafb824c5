# SPDX-License-Identifier: Apache-2.0
"""SAR cases: somebody is in danger here; help, and keep others out.

A case keeps others out as a STOP does, by the same rules (`stops`): it is one, with what stands
here beside it. Nothing that stands in its way may cost a life, so it differs in this:

1. Its acts are distress: taken from any key that is appointed, whatever mandates, agreements,
   clocks and rates say (`record.signers`). No cap refuses it; what it takes is shown.
2. It lasts so long from when it is entered, and again so long from each renewal: its sender's clock
   counts for nothing.
3. Those named may be told the position in a field of its own, to be read back. It is then the
   centre of the circle that others keep out of, or it is refused: nobody searches in one place
   while another is kept clear.
4. Another position or another phase is told anew, as a message with deadlines of its own.
"""

from typing import Annotated, Final, Literal

import msgspec

from keepclear.agreement.emergencies import InDanger, Phase
from keepclear.agreement.words import LINES
from keepclear.airspace.geodesics import distance_m
from keepclear.airspace.places import parse_place
from keepclear.airspace.positions import Position
from keepclear.errors import InputError
from keepclear.plans.filing import (
    FiledCircle,
    FiledCorridor,
    FiledOrbit,
    FiledPolygon,
    FiledVolume,
    Quantity,
)
from keepclear.plans.in_words import InWords, Named
from keepclear.record.encoding import Signed
from keepclear.record.headers import Id
from keepclear.units import TMM_PER_M, format_time, parse_duration_us, parse_length_tmm

LONGEST_US: Final = 6 * 3_600_000_000
TypedValue = Annotated[str, msgspec.Meta(min_length=1, max_length=200, pattern=LINES)]


class Known(Signed, frozen=True, kw_only=True):
    """What those named are told in fields of their own, each as it was typed (`line.values`)."""

    position: TypedValue | None = None
    level: TypedValue | None = None
    time: TypedValue | None = None
    frequency: TypedValue | None = None


class Where(Signed, frozen=True, kw_only=True):
    """Where others are to keep out, and for how long from when it is entered; at most 6 hours.

    lower, upper: no height is no limit.
    """

    datum: Literal["WGS84"]
    shape: FiledPolygon | FiledCircle | FiledCorridor | FiledOrbit
    lower: Quantity | None = None
    upper: Quantity | None = None
    lasts: Quantity


class OpenSar(InWords, frozen=True, kw_only=True):
    """Open a SAR case, and tell the parties named."""

    to: Named
    phase: Phase
    what: InDanger
    where: Where
    known: Known = Known()


class UpdateSar(InWords, frozen=True, kw_only=True):
    """Say where they are now; it replaces all that was said of it. id: of the case."""

    id: Id
    where: Where
    known: Known = Known()


class ChangePhase(InWords, frozen=True, kw_only=True):
    """Say that a case is in another phase, up or down. id: of the case; text: why."""

    id: Id
    phase: Phase


class RenewSar(Signed, frozen=True, kw_only=True):
    """Say that a case goes on, and for how long from now. id: of the case."""

    id: Id
    lasts: Quantity


class CloseSar(Signed, frozen=True, kw_only=True):
    """Close a case: nobody need keep out any more. id: of the case."""

    id: Id


class Case(Signed, frozen=True, kw_only=True):
    """What a SAR case has beside what a STOP has; for its sender alone.

    acts: all that were taken on it, in order: none is taken twice, however late it comes again.
    within_m: how far they may be from the position that those named are told; None where none is.
    """

    phase: Phase
    what: InDanger
    known: Known
    acts: tuple[Id, ...]
    within_m: int | None = None


def lasting_us(lasts: str) -> int:
    """Return for how long a case is to last; `InputError` above 6 hours, or for nothing."""
    found_us = parse_duration_us(lasts, "lasts")
    if not 0 < found_us <= LONGEST_US:
        raise InputError(
            "lasts", lasts, "is not above 0 s and up to 6 h", "give 6 h: renewing it lasts again"
        )
    return found_us


def volume_from(where: Where, now_us: int) -> FiledVolume:
    """Return the volume of a case that is entered now."""
    return FiledVolume(
        shape=where.shape, lower=where.lower, upper=where.upper, start=format_time(now_us),
        end=format_time(now_us + lasting_us(where.lasts)),
    )  # fmt: skip


def within_m(known: Known, where: Where) -> int | None:
    """Return how far they may be from the position that is told (metres), None where none is.

    That is the radius of the circle to keep out of, and the position is its centre, as far as it is
    known; `InputError` says how far it is from there.
    """
    if known.position is None:
        return None
    place = parse_place(known.position, "position")
    if not isinstance(where.shape, FiledCircle):
        raise InputError(
            "position", known.position, "is told with a place that is no circle round it",
            "give a circle, or say in words where they are",
        )  # fmt: skip
    latitude, longitude = where.shape.centre
    centre = Position(latitude_deg=latitude, longitude_deg=longitude)
    away_m = distance_m(place.position, centre)
    if away_m > place.within_m:
        raise InputError(
            "position", known.position,
            f"is {away_m:,.0f} m from the centre of the circle to keep out of, and known to "
            f"{place.within_m:,} m", "give one and the same",
        )  # fmt: skip
    return -(-parse_length_tmm(where.shape.radius, "radius") // TMM_PER_M)
