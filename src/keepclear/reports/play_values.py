# SPDX-License-Identifier: Apache-2.0
"""Times, shapes and lists as a story says them: times with their Z, numbers with their unit."""

from collections.abc import Callable, Sequence

from keepclear.agreement.quantities import lateral_text as exact_text
from keepclear.airspace.positions import Position
from keepclear.airspace.volumes import Circle, Corridor, Orbit, Polygon, Volume4D
from keepclear.reports.texts import position_text
from keepclear.units import TMM_PER_M, US_PER_S, format_time


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


def of_each(volumes: Sequence[Volume4D], say: Callable[[Volume4D], str]) -> str:
    """Return what is said of volumes, each saying once."""
    return "; ".join(dict.fromkeys(say(each) for each in volumes))


def heights(volume: Volume4D) -> str:
    """Return from which height to which a volume reaches, in metres too."""
    ends = (volume.volume.lower, "surface"), (volume.volume.upper, "unlimited")
    return " to ".join(
        no_limit if each is None
        else f"{each.text()} ({each.height_tmm / TMM_PER_M:,.0f} m)"
        for each, no_limit in ends
    )  # fmt: skip


def where(volume: Volume4D) -> str:
    """Return the shape of a volume, with its size and a place that it is found by."""
    match volume.volume.shape:
        case Circle(centre=centre, radius_tmm=radius_tmm):
            return f"circle, {exact_text(radius_tmm)} round {place(centre)}"
        case Corridor(route=route, width_tmm=width_tmm):
            return (
                f"corridor, {exact_text(width_tmm)} wide, {place(route[0])} to {place(route[-1])}"
            )
        case Orbit(first=first, second=second, radius_tmm=radius_tmm):
            return f"orbit, {exact_text(radius_tmm)} round {place(first)} to {place(second)}"
        case Polygon(ring=ring):
            return f"polygon, {len(ring)} corners from {place(ring[0])}"
        case _:
            return "area of arcs"


def place(position: Position) -> str:
    """Return a position: 35.1000N 035.6000E."""
    return position_text(position.latitude_deg, position.longitude_deg)


def listed(words: Sequence[str]) -> str:
    """Return words as people list them: a, b and c."""
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)
