# SPDX-License-Identifier: Apache-2.0
"""Times, shapes and lists as a story says them: times with their Z, numbers with their unit."""

import re
from collections.abc import Callable, Sequence
from typing import TypeVar

from keepclear.airspace.positions import Position
from keepclear.airspace.volumes import Circle, Corridor, Orbit, Polygon, Volume4D
from keepclear.errors import InputError
from keepclear.plans.acts import ProposeChange
from keepclear.plans.understood import (
    Height,
    Length,
    Understood,
    UnderstoodVolume,
    understood_volume,
)
from keepclear.reports.texts import position_text, printable
from keepclear.units import US_PER_S, format_time, parse_duration_us, parse_length_tmm

Value = TypeVar("Value")


def day_of(time_us: int) -> str:
    """Return the day of a time: 2015-10-05."""
    return format_time(time_us)[:10]


def clock(time_us: int) -> str:
    """Return the time of day, with its seconds where it has any: 09:30Z, 19:39:10Z."""
    text = format_time(time_us)[11:19]
    return f"{text.removesuffix(':00')}Z"


def window(from_us: int, to_us: int, day: str) -> str:
    """Return from when to when, rounded outward to the second. day: on which no date is said."""
    ends = (from_us, -(-to_us // US_PER_S) * US_PER_S)
    words = []
    for time_us in ends:
        words.append(moment(time_us, day))
        day = day_of(time_us)
    return " to ".join(words)


def moment(time_us: int, day: str) -> str:
    """Return a time, with its date where that is not the day on which it is said."""
    here = day_of(time_us)
    return clock(time_us) if here == day else f"{here} {clock(time_us)}"


def of_each(volumes: Sequence[Value], say: Callable[[Value], str]) -> str:
    """Return what is said of volumes, each saying once."""
    return "; ".join(dict.fromkeys(say(each) for each in volumes))


def heights(volume: UnderstoodVolume) -> str:
    """Return from which height to which a volume reaches, in feet and metres."""
    return f"{_height(volume.lower, 'surface')} to {_height(volume.upper, 'unlimited')}"


def _height(height: Height | None, no_limit: str) -> str:
    if height is None:
        return no_limit
    if height.level:
        return f"{height.level} ({height.ft:,.0f} ft, {height.m:,.0f} m)"
    return f"{height.ft:,.0f} ft {printable(height.reference)} ({height.m:,.0f} m)"


def where(volume: Volume4D) -> str:
    """Return the shape of a volume, with its size in both units and a place it is found by."""
    said = understood_volume(volume)
    size = _size(said.radius or said.width)
    match volume.volume.shape:
        case Circle(centre=centre):
            return f"circle, {size} round {place(centre)}"
        case Corridor(route=route):
            return f"corridor, {size} wide, {place(route[0])} to {place(route[-1])}"
        case Orbit(first=first, second=second):
            return f"orbit, {size} round {place(first)} to {place(second)}"
        case Polygon(ring=ring):
            return f"polygon, {len(ring)} corners from {place(ring[0])}"
        case _:
            return "area of arcs"


def _size(length: Length | None) -> str:
    return "" if length is None else f"{_plain(length.nm, 2)} NM ({_plain(length.km, 3)} km)"


def _plain(number: float, places: int) -> str:
    return f"{number:,.{places}f}".rstrip("0").rstrip(".")


def off_by(said: Understood) -> str:
    """Return what an operation may be off by, empty where it is nothing."""
    parts = [f"{_size(said.lateral)} sideways"] if said.lateral.km else []
    if said.vertical.m:
        parts.append(f"{said.vertical.ft:,.0f} ft ({said.vertical.m:,.0f} m) up or down")
    parts += [f"{said.early_s:,g} s early"] if said.early_s else []
    parts += [f"{said.late_s:,g} s late"] if said.late_s else []
    return listed(parts) if parts else ""


def moves(asked: ProposeChange) -> list[str]:
    """Return how a proposal moves an operation: 2 h later, 1000 ft lower, 9 NM towards 045."""
    said = [_signed(asked.later, parse_duration_us, "later", "earlier")] if asked.later else []
    said += [_signed(asked.higher, parse_length_tmm, "higher", "lower")] if asked.higher else []
    if asked.aside or asked.towards:
        said.append(f"{printable(asked.aside.strip())} towards {printable(asked.towards.strip())}")
    return said


def _signed(text: str, read: Callable[[str], int], more: str, less: str) -> str:
    """Return a quantity without its sign; as it is written where its parts have several signs."""
    said = printable(text.strip())
    try:
        is_less = read(text) < 0
    except InputError:
        return f"{said} {more}"
    parts = re.findall(r"[+-]?\d[^A-Za-z]*[A-Za-z]+", said)
    if is_less and all(each.startswith("-") for each in parts):
        return f"{said.replace('-', '')} {less}"
    return f"{said if is_less else said.removeprefix('+')} {more}"


def place(position: Position) -> str:
    """Return a position: 35.1000N 035.6000E."""
    return position_text(position.latitude_deg, position.longitude_deg)


def listed(words: Sequence[str]) -> str:
    """Return words as people list them: a, b and c."""
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)
