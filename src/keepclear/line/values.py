# SPDX-License-Identifier: Apache-2.0
"""Values that a message carries in fields of their own: read once, kept as typed and as read.

Read are

    position    as `airspace.places` reads it: "33.50N 038.62E", "37S DT 64700 06826"
    level       with what it is measured from: "FL240", "S1130", "1200 ft AGL", "900 m QNH 1013"
    time        with its zone, to the second: "2016-09-17T14:00:00Z"; seconds may be left out
    frequency   "121.5 MHz", "8992 kHz", "CH 132.005"
    count       a whole number
    yes-no      "yes" or "no"
    choice      one of the words that the field has
    text, party, operation, area    as they are typed

1. A name of an 8.33 kHz channel is no frequency: "132.005" names a channel at 132.000 MHz. It is
   kept as the name, "CH 132.005". A 25 kHz channel is named by its frequency, and kept as that
   (ICAO Annex 10 Volume V, table 4-1 bis).
2. Digits are those of ASCII, in every language: they are read aloud and typed in again.

    >>> read_value(Typed(name="level", typed="fl240"), FREE["level"]).altitude.text()
    'FL240'
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import StrEnum
from fractions import Fraction
from typing import Annotated, Final, NamedTuple

import msgspec

from keepclear.agreement.words import LINES
from keepclear.airspace.altitudes import Altitude, Reference, parse_altitude
from keepclear.airspace.places import parse_place, place_text
from keepclear.airspace.positions import Position
from keepclear.errors import InputError
from keepclear.record.encoding import Signed
from keepclear.record.headers import TimeUs
from keepclear.units import TMM_PER_FOOT, TMM_PER_M, US_PER_S, format_time, parse_time_us

MOST_VALUES: Final = 20
FieldName = Annotated[str, msgspec.Meta(pattern=r"^[a-z][a-z0-9-]{0,23}\Z")]
TypedText = Annotated[str, msgspec.Meta(min_length=1, max_length=200, pattern=LINES)]
HZ_OF: Final = {"HZ": 1, "KHZ": 1_000, "MHZ": 1_000_000}
LOWEST_HZ: Final = 3_000
HIGHEST_HZ: Final = 300_000_000_000
# The band whose channels have names (ICAO Annex 10 Volume V): 117.975 to 137.000 MHz.
NAMED_KHZ: Final = range(117_975, 137_001)
# The last two digits of names: of 25 kHz, which are frequencies, and of 8.33 kHz, which are none.
WIDE: Final = frozenset({0, 25, 50, 75})
NARROW: Final = frozenset({5, 10, 15, 30, 35, 40, 55, 60, 65, 80, 85, 90})
MOST_COUNTED: Final = 1_000_000
_QUANTITY: Final = re.compile(r"(?a:(\d{1,12}(?:\.\d{1,9})?))\s*(HZ|KHZ|MHZ)", re.IGNORECASE)
_CHANNEL: Final = re.compile(r"CH(?:ANNEL)?\s*(?a:(\d{3})\.(\d{3}))", re.IGNORECASE)
# Metres of the height itself, and not of its datum: "1200 ft AGL SRTM 30 M" is in feet.
_METRIC: Final = re.compile(r"\s*(?:S\s*\d|[+-]?[\d,_.]+\s*K?M\b)")
_MINUTE: Final = re.compile(r"(?a:(\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d))\s*([Zz]|[+-]\d\d:?\d\d)")


class Kind(StrEnum):
    """What a value is."""

    POSITION = "position"
    LEVEL = "level"
    TIME = "time"
    FREQUENCY = "frequency"
    COUNT = "count"
    YES_NO = "yes-no"
    CHOICE = "choice"
    TEXT = "text"
    PARTY = "party"
    OPERATION = "operation"
    AREA = "area"


# What is read back: where one wrong digit puts somebody elsewhere (requirements.md, H6).
READ_BACK: Final = (Kind.POSITION, Kind.LEVEL, Kind.TIME, Kind.FREQUENCY)
EXAMPLES: Final[Mapping[Kind, str]] = {
    Kind.POSITION: "33.50N 038.62E", Kind.LEVEL: "FL240", Kind.TIME: "2016-09-17T14:00:00Z",
    Kind.FREQUENCY: "121.5 MHz", Kind.COUNT: "4", Kind.YES_NO: "yes", Kind.CHOICE: "",
    Kind.TEXT: "a few words", Kind.PARTY: "south", Kind.OPERATION: "1a2b3c4d", Kind.AREA: "area 7",
}  # fmt: skip


class Field(NamedTuple):
    """A field of a message. choices: the words of a choice; example: how it is typed."""

    kind: Kind
    is_needed: bool = False
    choices: tuple[str, ...] = ()
    example: str = ""

    @property
    def shown(self) -> str:
        """Return how it is typed, as an example."""
        return self.example or " or ".join(self.choices) or EXAMPLES[self.kind]


# What a message of no template may carry: each by the name of its kind.
FREE: Final[Mapping[str, Field]] = {each.value: Field(each) for each in READ_BACK}


class Typed(Signed, frozen=True, kw_only=True):
    """A value as somebody typed it, with the name of its field."""

    name: FieldName
    typed: TypedText


Several = Annotated[tuple[Typed, ...], msgspec.Meta(max_length=MOST_VALUES)]


class PlaceValue(Typed, frozen=True, kw_only=True, tag="position", tag_field="kind"):
    """A position. within_m: how well it is known, by its last digit."""

    position: Position
    within_m: Annotated[int, msgspec.Meta(ge=1)]


class LevelValue(Typed, frozen=True, kw_only=True, tag="level", tag_field="kind"):
    """A level. unit_tmm: the foot or the metre that it was typed in, in tenths of a millimetre."""

    altitude: Altitude
    unit_tmm: Annotated[int, msgspec.Meta(ge=1)]


class TimeValue(Typed, frozen=True, kw_only=True, tag="time", tag_field="kind"):
    """A time, in microseconds UTC, to the second."""

    at_us: TimeUs


class FrequencyValue(Typed, frozen=True, kw_only=True, tag="frequency", tag_field="kind"):
    """A frequency in hertz, or the name of an 8.33 kHz channel, which is none."""

    hz: Annotated[int, msgspec.Meta(ge=1)] | None = None
    channel: Annotated[str, msgspec.Meta(max_length=7)] = ""


class CountValue(Typed, frozen=True, kw_only=True, tag="count", tag_field="kind"):
    """A number of things."""

    number: Annotated[int, msgspec.Meta(ge=0, le=MOST_COUNTED)]


class WordValue(Typed, frozen=True, kw_only=True, tag="word", tag_field="kind"):
    """One of the words that its field has: of a choice, or yes and no."""

    word: Annotated[str, msgspec.Meta(max_length=24)]


class TextValue(Typed, frozen=True, kw_only=True, tag="text", tag_field="kind"):
    """Words that stand as they were typed."""


Value = (
    PlaceValue | LevelValue | TimeValue | FrequencyValue | CountValue | WordValue | TextValue
)  # fmt: skip
EXACT: Final = (PlaceValue, LevelValue, TimeValue, FrequencyValue)


def read_values(given: Sequence[Typed], fields: Mapping[str, Field]) -> tuple[Value, ...]:
    """Return values as they are read, in the order of their fields.

    `InputError` names a field that is not there, one that is given twice or is needed, and a value
    that is none of its kind, with an example.
    """
    names = [each.name for each in given]
    for name in names:
        if name not in fields:
            raise InputError(name, "", "is no field here", f"give one of {', '.join(fields)}")
        if names.count(name) > 1:
            raise InputError(name, "", "is given twice", "give it once")
    for name, field in fields.items():
        if field.is_needed and name not in names:
            raise InputError(name, "", f"is needed: a {field.kind}", f'give it as "{field.shown}"')
    found = {each.name: read_value(each, fields[each.name]) for each in given}
    return tuple(found[name] for name in fields if name in found)


def read_value(given: Typed, field: Field) -> Value:
    """Return a value as it is read; `InputError` where it is none of its kind."""
    name, typed = given.name, given.typed
    if field.kind in READERS:
        return READERS[field.kind](name, typed)
    if field.kind is Kind.CHOICE:
        return _word(name, typed, field.choices)
    return TextValue(name=name, typed=typed)


def to_read_back(values: Iterable[Value]) -> tuple[Value, ...]:
    """Return those that are read back."""
    return tuple(each for each in values if isinstance(each, EXACT))


def value_text(value: Value) -> str:  # noqa: PLR0911 one for each kind
    """Return a value for people, as it was read: the same however it was typed."""
    match value:
        case PlaceValue():
            return place_text(value.position)
        case LevelValue():
            return value.altitude.text()
        case TimeValue():
            return f"{format_time(value.at_us)[:19]}Z"
        case FrequencyValue(hz=None):
            return f"CH {value.channel}"
        case FrequencyValue(hz=int(hz)):
            return _hertz(hz)
        case CountValue():
            return str(value.number)
        case WordValue():
            return value.word
        case _:
            return value.typed


def _place(name: str, typed: str) -> PlaceValue:
    place = parse_place(typed, name)
    return PlaceValue(name=name, typed=typed, position=place.position, within_m=place.within_m)


def _level(name: str, typed: str) -> LevelValue:
    read = parse_altitude(typed, name)
    datum = read.datum
    if datum is not None:
        datum = " ".join(datum.upper().split())
        if read.reference is Reference.QNH:
            datum = datum.removesuffix("HPA").strip()
    altitude = Altitude(height_tmm=read.height_tmm, reference=read.reference, datum=datum or None)
    is_metric = _METRIC.match(typed.upper()) is not None
    unit_tmm = TMM_PER_M if is_metric else TMM_PER_FOOT
    return LevelValue(name=name, typed=typed, altitude=altitude, unit_tmm=unit_tmm)


def _time(name: str, typed: str) -> TimeValue:
    minute = _MINUTE.fullmatch(typed.strip())
    at_us = parse_time_us(typed if minute is None else f"{minute[1]}:00{minute[2]}", name)
    return TimeValue(name=name, typed=typed, at_us=at_us // US_PER_S * US_PER_S)


def _frequency(name: str, typed: str) -> FrequencyValue:
    if found := _CHANNEL.fullmatch(typed.strip()):
        return _named(name, typed, int(found[1]) * 1_000 + int(found[2]))
    found = _QUANTITY.fullmatch(typed.strip())
    if found is None:
        raise InputError(
            name, typed, "is no frequency with its unit, and no channel",
            'write "121.5 MHz", "8992 kHz" or "CH 132.005"',
        )  # fmt: skip
    hz = Fraction(found[1]) * HZ_OF[found[2].upper()]
    if hz.denominator != 1 or not LOWEST_HZ <= hz <= HIGHEST_HZ:
        raise InputError(
            name, typed, "is not in whole hertz, or not within 3 kHz to 300 GHz",
            "check number and unit",
        )  # fmt: skip
    khz = hz / 1_000
    if khz.denominator == 1 and int(khz) in NAMED_KHZ and int(khz) % 100 in NARROW:
        name_of = f"CH {int(khz) // 1_000}.{int(khz) % 1_000:03}"
        raise InputError(
            name, typed, "is the name of an 8.33 kHz channel, and no frequency",
            f'write "{name_of}"',
        )  # fmt: skip
    return FrequencyValue(name=name, typed=typed, hz=int(hz))


def _named(name: str, typed: str, khz: int) -> FrequencyValue:
    if khz in NAMED_KHZ and khz % 100 in WIDE:
        return FrequencyValue(name=name, typed=typed, hz=khz * 1_000)
    if khz in NAMED_KHZ and khz % 100 in NARROW:
        return FrequencyValue(name=name, typed=typed, channel=f"{khz // 1_000}.{khz % 1_000:03}")
    raise InputError(
        name, typed, "is no name of a channel from 118.000 to 136.990", "check its digits"
    )


def _count(name: str, typed: str) -> CountValue:
    if re.fullmatch(r"(?a:\d{1,7})", typed.strip()) is None or int(typed) > MOST_COUNTED:
        raise InputError(name, typed, f"is no whole number up to {MOST_COUNTED:,}", 'write "4"')
    return CountValue(name=name, typed=typed, number=int(typed))


def _yes_no(name: str, typed: str) -> WordValue:
    return _word(name, typed, ("yes", "no"))


def _word(name: str, typed: str, words: Sequence[str]) -> WordValue:
    word = typed.strip().casefold()
    if word not in words:
        raise InputError(name, typed, f"is not one of {', '.join(words)}", "give one of them")
    return WordValue(name=name, typed=typed, word=word)


def _hertz(hz: int) -> str:
    """Return a frequency: above 30 MHz in MHz, with three digits at least; else in kHz."""
    if hz >= 30_000_000:
        whole, rest = divmod(hz, 1_000_000)
        digits = f"{rest:06}".rstrip("0")
        return f"{whole}.{digits:<03} MHz"
    whole, rest = divmod(hz, 1_000)
    digits = f"{rest:03}".rstrip("0")
    return f"{whole}.{digits} kHz" if digits else f"{whole} kHz"


READERS: Final[Mapping[Kind, Callable[[str, str], Value]]] = {
    Kind.POSITION: _place, Kind.LEVEL: _level, Kind.TIME: _time, Kind.FREQUENCY: _frequency,
    Kind.COUNT: _count, Kind.YES_NO: _yes_no,
}  # fmt: skip
