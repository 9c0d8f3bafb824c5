# SPDX-License-Identifier: Apache-2.0
"""Lengths, times and speeds: text with a unit at the edge, integers inside.

Lengths are integer tenths of a millimetre (`_tmm`): a foot is 3048 of them and a nautical
mile 18,520,000, so levels and minima are exact. Times are integer microseconds since
1970-01-01T00:00:00Z (`_us`), without leap seconds: 23:59:60 UTC is read as the next second 0.

Leaves heights to `airspace.altitudes`, which adds what a height is measured from.
1. A number without a unit is refused, and so is a time without a zone.
2. Text is read as decimal fractions, never through a binary float.

    >>> parse_length_tmm("5 NM"), parse_duration_us("3 min")
    (92600000, 180000000)
"""

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from typing import Final

from keepclear.errors import InputError

TMM_PER_M: Final = 10_000
TMM_PER_FOOT: Final = 3_048  # international foot, 0.3048 m (exact, 1959 agreement)
TMM_PER_NM: Final = 18_520_000  # international nautical mile, 1852 m (exact, Monaco 1929)
US_PER_S: Final = 1_000_000
# Of times that are read, so that whatever is reckoned from them is a time that can be written.
FIRST_YEAR: Final = 1000
LAST_YEAR: Final = 9000
DAY_S: Final = 86_400
_EPOCH_DAY: Final = date(1970, 1, 1).toordinal()
FIRST_S: Final = (date(FIRST_YEAR, 1, 1).toordinal() - _EPOCH_DAY) * DAY_S
LAST_S: Final = (date(LAST_YEAR + 1, 1, 1).toordinal() - _EPOCH_DAY) * DAY_S
LONGEST_US: Final = 100 * 366 * 24 * 3_600 * US_PER_S

LENGTHS_TMM: Final[Mapping[str, int]] = {
    "nm": TMM_PER_NM, "nmi": TMM_PER_NM, "ft": TMM_PER_FOOT, "feet": TMM_PER_FOOT,
    "km": 1_000 * TMM_PER_M, "m": TMM_PER_M, "mi": 16_093_440,
}  # fmt: skip
DURATIONS_US: Final[Mapping[str, int]] = {
    "h": 3_600 * US_PER_S, "min": 60 * US_PER_S, "s": US_PER_S, "ms": 1_000,
}  # fmt: skip
SPEEDS_MPS: Final[Mapping[str, Fraction]] = {
    "kt": Fraction(1852, 3600), "kn": Fraction(1852, 3600), "m/s": Fraction(1),
    "km/h": Fraction(1000, 3600), "ft/min": Fraction(3048, 600_000),
}  # fmt: skip

# Digits are those of ASCII, `(?a:...)`; spaces are of any kind, as spreadsheets have them.
_QUANTITY: Final = re.compile(
    r"\s*(?a:([+-]?\d{1,15}(?:[,_]\d{3})*(?:\.\d{1,15})?))\s*([A-Za-z/]+)\s*"
)
_TIME: Final = re.compile(
    r"(?a:(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d):(\d\d)(?:[.,](\d{1,9}))?)"
    r"\s*(?a:([Zz]|[+-]\d\d:?\d\d))?"
)
_PLAIN_TIME: Final = re.compile(r"(?a:\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{6})?Z)")
_MICROSECOND: Final = timedelta(microseconds=1)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_NAIVE_EPOCH: Final = _EPOCH.replace(tzinfo=None)


@lru_cache(maxsize=1_024)  # the same few come again and again
def parse_length_tmm(text: str, path: str = "length") -> int:
    """Return a length in tenths of a millimetre, to the nearest one. `InputError` otherwise."""
    example = "1000 ft" if "vertical" in path else "5 NM"
    number, unit = _quantity(text, path, LENGTHS_TMM, example)
    return round(number * LENGTHS_TMM[unit])


@lru_cache(maxsize=1_024)
def parse_duration_us(text: str, path: str = "duration") -> int:
    """Return a duration in microseconds; parts may follow each other ("1 h 30 min")."""
    parts = re.findall(r"[^A-Za-z]+[A-Za-z]+", text) or [text]
    if "".join(parts).strip() != text.strip():
        parts = [text]
    total_us = Fraction(0)
    for part in parts:
        number, unit = _quantity(part, path, DURATIONS_US, "90 s")
        total_us += number * DURATIONS_US[unit]
    if total_us > LONGEST_US:
        raise InputError(path, text, "is longer than 100 years", "give the duration that is meant")
    return round(total_us)


def parse_bearing_deg(text: str, path: str = "bearing") -> float:
    """Return a true bearing, 0 to 360 degrees, as it is written: "045", "270.5"."""
    found = re.fullmatch(r"(?a:\d{1,3}(\.\d{1,3})?)", text.strip())
    if found is None or float(found[0]) > 360:
        raise InputError(path, text, "is no bearing of 000 to 360", 'give degrees true: "045"')
    return float(found[0])


def parse_speed_mps(text: str, path: str = "speed") -> float:
    """Return a speed in metres a second."""
    number, unit = _quantity(text, path, SPEEDS_MPS, "450 kt")
    return float(number * SPEEDS_MPS[unit])


def parse_time_us(text: str, path: str = "time") -> int:
    """Return an RFC 3339 time as microseconds since 1970 UTC; digits past the sixth are cut."""
    if _PLAIN_TIME.fullmatch(text):  # as most are written
        try:
            instant = datetime.fromisoformat(text[:-1])
        except ValueError:
            pass  # a leap second, or what is said below
        else:
            if FIRST_YEAR <= instant.year <= LAST_YEAR:
                return (instant - _NAIVE_EPOCH) // _MICROSECOND
    match = _TIME.fullmatch(text.strip())
    if match is None:
        raise InputError(path, text, "is not an RFC 3339 time", "write 2015-09-30T10:14:05Z")
    year, month, day, hour, minute, second = (int(match[i]) for i in range(1, 7))
    if match[8] is None:
        raise InputError(path, text, "has no zone", "add Z, or an offset such as +03:00")
    is_leap = second == 60
    try:
        days = date(year, month, day).toordinal() - _EPOCH_DAY
        time(hour, minute, second - is_leap)
        offset_s = _offset_s(match[8])
    except ValueError as fault:
        raise InputError(path, text, str(fault), "give a day and an hour that exist") from None
    instant_s = days * DAY_S + hour * 3_600 + minute * 60 + second - offset_s
    if is_leap and instant_s % DAY_S:
        raise InputError(path, text, "has a second 60, which is only at 23:59:60 UTC",
                         "give a second up to 59")  # fmt: skip
    if not FIRST_S <= instant_s < LAST_S:
        raise InputError(path, text, f"is not in the years {FIRST_YEAR} to {LAST_YEAR}",
                         "give the time that is meant")  # fmt: skip
    fraction_us = int(match[7].ljust(6, "0")[:6]) if match[7] else 0
    return instant_s * US_PER_S + fraction_us


def format_time(time_us: int) -> str:
    """Return RFC 3339 in UTC with microseconds: 2015-09-30T10:14:05.000000Z."""
    instant_s, us = divmod(time_us, US_PER_S)
    day, second = divmod(instant_s, DAY_S)
    minute, second = divmod(second, 60)
    return f"{_day(day)}T{minute // 60:02}:{minute % 60:02}:{second:02}.{us:06}Z"


@lru_cache(maxsize=1_024)  # the same few come again and again
def _day(number: int) -> str:
    """Return a day by its number since 1970-01-01."""
    return date.fromordinal(_EPOCH_DAY + number).isoformat()


def format_clock(time_us: int) -> str:
    """Return the time of day for people, to the nearest second: 10:14:05Z."""
    instant = _EPOCH + timedelta(microseconds=time_us + US_PER_S // 2)
    return instant.strftime("%H:%M:%SZ")


def nautical_miles(length_m: float) -> float:
    """Return metres as nautical miles."""
    return length_m * TMM_PER_M / TMM_PER_NM


def feet(length_m: float) -> float:
    """Return metres as feet."""
    return length_m * TMM_PER_M / TMM_PER_FOOT


def metres(length_tmm: int) -> float:
    """Return tenths of a millimetre as metres."""
    return length_tmm / TMM_PER_M


def _quantity(
    text: str, path: str, known: Mapping[str, object], example: str
) -> tuple[Fraction, str]:
    match = _QUANTITY.fullmatch(text)
    if match is None:
        raise InputError(path, text, "is not a number with its unit", f'write "{example}"')
    unit = match[2].lower()
    if unit not in known:
        units = ", ".join(known)
        raise InputError(path, text, f"unit {match[2]!r} is not one of {units}", f'"{example}"')
    return Fraction(Decimal(match[1].replace(",", "").replace("_", ""))), unit


def _offset_s(text: str) -> int:
    if text in "Zz":
        return 0
    sign = -1 if text[0] == "-" else 1
    hours, minutes = int(text[1:3]), int(text[-2:])
    if hours > 23 or minutes > 59:
        raise ValueError(f"offset {text} does not exist")
    return sign * (hours * 3_600 + minutes * 60)
