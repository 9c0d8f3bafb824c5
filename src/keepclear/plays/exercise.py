# SPDX-License-Identifier: Apache-2.0
"""What four parties mean to do in an exercise: the eastern Mediterranean, September 2015.

Places are public aerodromes and ports, rounded to a minute. Everything else is invented: parties A
to D, their plans, times and heights.
"""

from collections.abc import Mapping
from random import Random
from typing import Final

from keepclear.airspace.positions import positions
from keepclear.plans.filing import (
    Domain,
    FiledCircle,
    FiledCorridor,
    FiledOperation,
    FiledOrbit,
    FiledVolume,
)
from keepclear.units import format_time

START: Final = "2015-09-30T05:00:00Z"
REGION: Final = "exercise-levant"
HOUSE: Final = "5 NM / 1000 ft"
PARTIES: Final[Mapping[str, str]] = {
    "a": "Air force A", "b": "Civil authority B", "c": "Air force C", "d": "Navy D",
}  # fmt: skip
# Public positions, in degrees, to a minute.
PLACES: Final[Mapping[str, tuple[float, float]]] = {
    "Akrotiri": (34.58, 32.98), "Larnaca": (34.87, 33.62), "Paphos": (34.72, 32.48),
    "Beirut": (33.82, 35.48), "Latakia": (35.40, 35.95), "Adana": (36.98, 35.28),
    "Tartus": (34.90, 35.87), "Haifa": (32.82, 34.98), "Limassol": (34.65, 33.02),
}  # fmt: skip
ROADS: Final[Mapping[str, tuple[str, ...]]] = {
    "a": ("Akrotiri", "Adana", "Tartus", "Haifa"),
    "b": ("Larnaca", "Beirut", "Paphos", "Adana"),
    "c": ("Latakia", "Beirut", "Adana", "Limassol"),
    "d": ("Tartus", "Limassol", "Latakia", "Haifa"),
}
MINUTE_US: Final = 60_000_000
Shape = FiledCircle | FiledCorridor | FiledOrbit


def next_plan(party: str, now_us: int, by: Random) -> tuple[FiledOperation, str]:
    """Return what a party files next, and its name for people: where from, where to.

    It starts 70 to 160 minutes from now, so that it is in time where an hour is agreed.
    """
    start, goal = by.sample(ROADS[party], 2)
    level = by.randrange(8, 30)
    start_us = -(-now_us // MINUTE_US) * MINUTE_US + by.randrange(70, 160) * MINUTE_US
    shape, limits, name = _shape(party, start, goal, level, by)
    volume = FiledVolume(
        shape=shape, lower=limits[0], upper=limits[1], start=format_time(start_us),
        end=format_time(start_us + by.randrange(40, 120) * MINUTE_US),
    )  # fmt: skip
    is_ship = limits[0] is None
    return FiledOperation(
        datum="WGS84", domain=Domain.SEA if is_ship else Domain.AIR,
        craft_class="any", count=by.choice((1, 1, 2)), volumes=(volume,),
    ), name  # fmt: skip


def _shape(
    party: str, start: str, goal: str, level: int, by: Random
) -> tuple[Shape, tuple[str | None, str], str]:  # fmt: skip
    """Return a shape of one of the three kinds, its heights, and what it is called."""
    one, other = PLACES[start], PLACES[goal]
    heights = f"FL{level:02d}0", f"FL{level + 2:02d}0"
    kind = by.choice(("way", "way", "orbit", "area"))
    if party == "d":
        centre = _between(one, other, by.uniform(0.3, 0.7))
        name = f"a ship's area between {start} and {goal}"
        return FiledCircle(centre=centre, radius="12 NM"), (None, "FL040"), name
    if kind == "orbit":
        first, second = (_between(one, other, share) for share in (0.4, 0.55))
        name = f"an orbit between {start} and {goal}"
        return FiledOrbit(first=first, second=second, radius="8 NM"), heights, name
    if kind == "area":
        centre = _between(one, other, 0.5)
        name = f"an area between {start} and {goal}"
        return FiledCircle(centre=centre, radius="15 NM"), heights, name
    return (
        FiledCorridor(route=positions((one, other)), width="10 NM"),
        heights,
        f"{start} to {goal}",
    )


def _between(
    one: tuple[float, float], other: tuple[float, float], share: float
) -> tuple[float, float]:
    latitude, longitude = (round(a + (b - a) * share, 4) for a, b in zip(one, other, strict=True))
    return latitude, longitude
