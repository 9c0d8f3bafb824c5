# SPDX-License-Identifier: Apache-2.0
"""Trajectories as the columns of `Flights`, for the formats that give one plan at a time."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import msgspec
import numpy as np

from keepclear.airspace.altitudes import Altitude
from keepclear.airspace.positions import Edge
from keepclear.airspace.trajectories import Trajectory
from keepclear.errors import InputError
from keepclear.formats.contents import Flights, PlanName
from keepclear.units import format_time, parse_time_us

EARLIEST_US: Final = parse_time_us("1900-01-01T00:00:00Z")
LATEST_US: Final = parse_time_us("2200-01-01T00:00:00Z")


class Uncertainty(msgspec.Struct, frozen=True, kw_only=True):
    """How far a plan may be from where and when it says; 0 where the file does not say."""

    lateral_m: float = 0.0
    vertical_tmm: int = 0
    time_us: int = 0


@dataclass(frozen=True, kw_only=True)
class Track:
    """One plan as a trajectory; is_route: it says where it goes between its points."""

    plan: PlanName
    trajectory: Trajectory
    uncertainty: Uncertainty
    is_route: bool = False


def check_time_us(time_us: int, path: str) -> int:
    """Return a time from 1900 up to, not including, 2200; `InputError` otherwise."""
    if not EARLIEST_US <= time_us < LATEST_US:
        raise InputError(
            path, None, "is outside the years 1900 to 2199", "check the unit and the year"
        )
    return time_us


def read_moment_us(text: str, path: str) -> int:
    """Return an RFC 3339 time in the years that are read here."""
    return check_time_us(parse_time_us(text, path), path)


def pack(tracks: Sequence[Track]) -> tuple[Flights, ...]:
    """Return the tracks as columns, routes and positions apart, and each kind of edge apart."""
    kinds = {
        (edge, is_route): [
            t for t in tracks if t.trajectory.edge is edge and t.is_route is is_route
        ]
        for edge in Edge for is_route in (False, True)
    }  # fmt: skip
    return tuple(
        _pack_kind(edge, some, is_route=is_route)
        for (edge, is_route), some in kinds.items() if some
    )  # fmt: skip


def _pack_kind(edge: Edge, tracks: Sequence[Track], *, is_route: bool) -> Flights:
    datums: dict[Altitude | None, int] = {None: -1}
    points = [point for track in tracks for point in track.trajectory.points]
    counts = [len(track.trajectory.points) for track in tracks]
    for point in points:
        datums.setdefault(_datum_of(point.altitude), len(datums) - 1)
    heights = [point.altitude.height_tmm if point.altitude else 0 for point in points]
    sure = [track.uncertainty for track in tracks]
    return Flights(
        plans=tuple(track.plan for track in tracks),
        offsets=np.cumsum([0, *counts], dtype=np.int64),
        time_us=np.array([point.time_us for point in points], dtype=np.int64),
        latitude_deg=np.array([point.position.latitude_deg for point in points]),
        longitude_deg=np.array([point.position.longitude_deg for point in points]),
        height_tmm=np.array(heights, dtype=np.int64),
        datum=np.array([datums[_datum_of(point.altitude)] for point in points], dtype=np.int64),
        datums=tuple(datum for datum in datums if datum is not None),
        lateral_uncertainty_m=np.repeat([float(u.lateral_m) for u in sure], counts),
        vertical_uncertainty_tmm=np.repeat(
            np.array([u.vertical_tmm for u in sure], dtype=np.int64), counts
        ),
        time_uncertainty_us=np.repeat(np.array([u.time_us for u in sure], dtype=np.int64), counts),
        edge=edge,
        are_positions=not is_route,
    )


def _datum_of(altitude: Altitude | None) -> Altitude | None:
    if altitude is None:
        return None
    return Altitude(height_tmm=0, reference=altitude.reference, datum=altitude.datum)


def order_text(time_us: int, before_us: int) -> str:
    """Return what is wrong with a time that does not follow the one before it."""
    if time_us == before_us:
        return f"is the time of the point before it too ({format_time(before_us)})"
    return f"is before {format_time(before_us)}, the point before it"
