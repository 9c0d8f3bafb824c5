# SPDX-License-Identifier: Apache-2.0
"""Read-back: what was sent and what was understood, compared field by field.

A position was wrong by kilometres where nobody read it back (docs/line.md).

1. Every position, level, time and frequency of a message is read back, none left out.
2. Positions are one place where they lie no further apart than the one that was sent is known,
   by its last digit; the distance is told, in whole metres on the ellipsoid.
3. Levels are one where they have the same reference and datum, and differ by no more than half
   the coarser unit of the two, a foot or a metre. Levels of two references are never one.
4. Times are one to the second; frequencies to the hertz; a channel is one with its own name alone.
"""

from collections.abc import Mapping, Sequence
from typing import Annotated, Final

import msgspec

from keepclear.airspace.altitudes import reference_text
from keepclear.airspace.geodesics import distance_m
from keepclear.line.values import (
    Field,
    FrequencyValue,
    Kind,
    LevelValue,
    PlaceValue,
    TimeValue,
    Typed,
    Value,
    read_values,
    to_read_back,
)
from keepclear.record.encoding import Signed
from keepclear.record.headers import Name, TimeUs
from keepclear.units import TMM_PER_FOOT, US_PER_S

# Each is told whole with its message; who has not understood by then has to be called.
MOST_READ_BACKS: Final = 20
KINDS: Final[Mapping[type[Typed], Kind]] = {
    PlaceValue: Kind.POSITION, LevelValue: Kind.LEVEL, TimeValue: Kind.TIME,
    FrequencyValue: Kind.FREQUENCY,
}  # fmt: skip


class Compared(Signed, frozen=True, kw_only=True):
    """One field, as it was read back. why: where it is not the same, in words.

    distance_m: between two positions, to the metre; None of all else.
    """

    read: Value
    is_same: bool
    why: str = ""
    distance_m: Annotated[int, msgspec.Meta(ge=0)] | None = None


class ReadBack(Signed, frozen=True, kw_only=True):
    """What a post has read back, and whether each field is as it was sent.

    person: who says to be on watch there, as a role and not a name.
    """

    at_us: TimeUs
    party: Name
    post: Name
    person: Name | None = None
    fields: tuple[Compared, ...]

    @property
    def is_same(self) -> bool:
        """Tell whether every field is as it was sent."""
        return all(each.is_same for each in self.fields)


def compared(values: Sequence[Value], given: Sequence[Typed]) -> tuple[Compared, ...]:
    """Return each field of a message that is read back, against what was understood.

    values: as they were sent; given: as they were read back. `InputError` for a field that is left
    out, is none, or has not the form of one.
    """
    read = {each.name: each for each in read_values(given, read_back_fields(values))}
    return tuple(_compared(each, read[each.name]) for each in to_read_back(values))


def read_back_fields(values: Sequence[Value]) -> dict[str, Field]:
    """Return the fields of a message that are read back, by name: all of them are needed."""
    return {
        each.name: Field(KINDS[type(each)], is_needed=True) for each in to_read_back(values)
    }  # fmt: skip


def _compared(sent: Value, read: Value) -> Compared:
    """Compare one field; both are of one kind."""
    match sent, read:
        case PlaceValue(), PlaceValue():
            apart_m = round(distance_m(sent.position, read.position))
            why = ""
            if apart_m > sent.within_m:
                why = f"is {apart_m:,} m away; what was sent is known to within {sent.within_m:,} m"
            return Compared(read=read, is_same=not why, why=why, distance_m=apart_m)
        case LevelValue(), LevelValue():
            why = _level_why(sent, read)
        case TimeValue(), TimeValue():
            off_s = (read.at_us - sent.at_us) // US_PER_S
            way = "later" if off_s > 0 else "earlier"
            why = f"is {_length_text(abs(off_s))} {way}" if off_s else ""
        case FrequencyValue(), FrequencyValue():
            why = _frequency_why(sent, read)
        case _:
            raise AssertionError(sent, read)
    return Compared(read=read, is_same=not why, why=why)


def _length_text(length_s: int) -> str:
    """Return a length of time in its parts: 4 h 12 min 30 s."""
    hours, rest_s = divmod(length_s, 3_600)
    parts = ((hours, "h"), (rest_s // 60, "min"), (rest_s % 60, "s"))
    return " ".join(f"{number:,} {unit}" for number, unit in parts if number)


def _level_why(sent: LevelValue, read: LevelValue) -> str:
    one, other = sent.altitude, read.altitude
    if (one.reference, one.datum) != (other.reference, other.datum):
        return (
            f"is in {reference_text(other)}, what was sent in {reference_text(one)}: "
            "they have no common reference"
        )
    apart_tmm = abs(one.height_tmm - other.height_tmm)
    if 2 * apart_tmm <= max(sent.unit_tmm, read.unit_tmm):
        return ""
    way = "higher" if other.height_tmm > one.height_tmm else "lower"
    return f"is {apart_tmm / TMM_PER_FOOT:,.0f} ft {way}"


def _frequency_why(sent: FrequencyValue, read: FrequencyValue) -> str:
    if (sent.hz, sent.channel) == (read.hz, read.channel):
        return ""
    if sent.hz is None or read.hz is None:
        are_names = sent.hz is read.hz
        return "is another channel" if are_names else "is a channel, and the other a frequency"
    way = "above" if read.hz > sent.hz else "below"
    return f"is {abs(read.hz - sent.hz) / 1_000:,.3f} kHz {way}"
