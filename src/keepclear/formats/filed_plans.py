# SPDX-License-Identifier: Apache-2.0
"""What a reader found in a file, as operations that a party can file.

| in the file | is filed as |
|---|---|
| an area, or several of one id | volumes |
| timed points, a route with a speed | a trajectory, kept to within `lateral` and `vertical` |
| class, rvsm, uncertainty, callsign or id | as they are; where the file says none, as `Defaults` |

1. All plans of a file are made, and each is looked at as the exchange will (`plans.filing`);
   `FileErrors` has every fault of all of them.
2. Nothing is made smaller: of uncertainties that change along a flight the largest holds.
3. What a filing has no words for (a hole in an area, a missing height) is a fault.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from math import ceil
from typing import NamedTuple

import msgspec

from keepclear.airspace.altitudes import Altitude, parse_altitude
from keepclear.airspace.positions import Edge, Position
from keepclear.airspace.volumes import Circle, Corridor, Orbit, Polygon, Shape, Volume4D
from keepclear.errors import InputError
from keepclear.formats.contents import AreaPlan, Contents, Flights, PlanName
from keepclear.formats.faults import Faults
from keepclear.plans.filing import (
    MOST_VOLUMES,
    Craft,
    Domain,
    FiledCircle,
    FiledCorridor,
    FiledOperation,
    FiledOrbit,
    FiledPolygon,
    FiledTrajectory,
    FiledVolume,
    uncertainty_of,
    volumes_filed,
)
from keepclear.record.headers import is_name
from keepclear.units import TMM_PER_M, TMM_PER_NM, US_PER_S, format_time, parse_length_tmm


class Named(NamedTuple):
    """An operation to be filed, and what its file calls it."""

    name: str
    operation: FiledOperation


@dataclass(frozen=True, kw_only=True)
class Defaults:
    """What holds where a file says nothing; lateral, vertical, early, late as people write them."""

    party: str
    domain: Domain = Domain.AIR
    craft: Craft = Craft.MANNED
    craft_class: str = "any"
    has_rvsm: bool = False
    count: int = 1
    count_most: int | None = None
    lateral: str = "0 m"
    vertical: str = "0 m"
    early: str = "0 s"
    late: str = "0 s"


def filed_of(contents: Contents, defaults: Defaults) -> list[Named]:
    """Return what a file holds, as operations to be filed, in the order of their start."""
    faults = Faults(contents.file, lenient=False)
    found: list[tuple[int, Named]] = []
    for plan, where in _plans(contents, defaults):
        made = faults.trial("plan", plan.name, _made, plan, where, defaults)
        if made is not None:
            start_us, operation = made
            found.append((start_us, Named(plan.name, operation)))
    if not found and not faults.found:
        raise faults.fatal("empty", limit="has no plan", way_out="check that it was written")
    faults.settle()
    return [named for _, named in sorted(found, key=lambda each: (each[0], each[1].name))]


class _Where(NamedTuple):
    """Where an operation is, and what it may be off by."""

    volumes: tuple[FiledVolume, ...]
    trajectory: FiledTrajectory | None
    lateral: str
    vertical: str
    early: str
    late: str


def _plans(
    contents: Contents, defaults: Defaults
) -> Iterator[tuple[PlanName, Callable[[], _Where]]]:
    """Yield each plan of a file, and what tells where it is."""
    for area in contents.areas:
        yield area.plan, partial(_area, area, defaults)
    for flights in contents.flights:
        for number, plan in enumerate(flights.plans):
            yield plan, partial(_flight, flights, number, defaults)


def _made(
    plan: PlanName, find: Callable[[], _Where], defaults: Defaults
) -> tuple[int, FiledOperation]:
    """Return when a plan starts, and its operation; `InputError` where it cannot be filed."""
    if plan.party not in {None, defaults.party}:
        raise InputError("party", plan.party, f"is not {defaults.party}, whose post this is",
                         "leave it out of the file, or file it from a post of its own")  # fmt: skip
    category = plan.category or defaults.craft_class
    if not is_name(category):
        raise InputError("class", category, "is no name of a class",
                         "use small letters, digits and hyphens")  # fmt: skip
    where = find()
    try:
        operation = FiledOperation(
            datum="WGS84", domain=defaults.domain, craft=defaults.craft, craft_class=category,
            callsign=plan.name if plan.is_named else "", count=defaults.count,
            count_most=defaults.count_most,
            has_rvsm=defaults.has_rvsm if plan.rvsm is None else plan.rvsm,
            volumes=where.volumes, trajectory=where.trajectory, lateral=where.lateral,
            vertical=where.vertical, early=where.early, late=where.late,
        )  # fmt: skip
        msgspec.convert(msgspec.to_builtins(operation), FiledOperation)
    except ValueError as fault:
        raise InputError("", None, f"cannot be filed ({fault})", "correct it") from None
    uncertainty_of(operation)
    return min(each.start_us for each in volumes_filed(operation)), operation


def _area(area: AreaPlan, defaults: Defaults) -> _Where:
    if len(area.volumes) > MOST_VOLUMES:
        raise InputError("volumes", len(area.volumes), f"are more than {MOST_VOLUMES}",
                         "file it in parts")  # fmt: skip
    time = _duration(area.time_uncertainty_us)
    return _Where(
        volumes=tuple(_volume(each) for each in area.volumes), trajectory=None,
        lateral=_length(ceil(area.lateral_uncertainty_m * TMM_PER_M))
        if area.lateral_uncertainty_m else defaults.lateral,
        vertical=_length(area.vertical_uncertainty_tmm)
        if area.vertical_uncertainty_tmm else defaults.vertical,
        early=time or defaults.early, late=time or defaults.late,
    )  # fmt: skip


def _volume(volume: Volume4D) -> FiledVolume:
    return FiledVolume(
        shape=_shape(volume.volume.shape), lower=_height(volume.volume.lower),
        upper=_height(volume.volume.upper), start=format_time(volume.start_us),
        end=format_time(volume.end_us),
    )  # fmt: skip


def _shape(shape: Shape) -> FiledPolygon | FiledCircle | FiledCorridor | FiledOrbit:
    match shape:
        case Polygon(holes=()):
            return FiledPolygon(ring=shape.ring, edge=shape.edge)
        case Polygon():
            raise InputError("shape", f"{len(shape.holes)} holes", "cannot be filed in an area",
                             "cut it into areas without holes, or leave them out")  # fmt: skip
        case Circle():
            return FiledCircle(centre=_place(shape.centre), radius=_length(shape.radius_tmm))
        case Corridor(edge=Edge.GEODESIC):
            return FiledCorridor(route=shape.route, width=_length(shape.width_tmm))
        case Orbit():
            return FiledOrbit(
                first=_place(shape.first), second=_place(shape.second),
                radius=_length(shape.radius_tmm),
            )  # fmt: skip
        case _:
            raise InputError("edge", None, "is not geodesic: a corridor is filed along geodesics",
                             "leave edge out, or give more places on the way")  # fmt: skip


def _flight(flights: Flights, number: int, defaults: Defaults) -> _Where:
    rows = slice(int(flights.offsets[number]), int(flights.offsets[number + 1]))
    times: list[int] = flights.time_us[rows].tolist()
    if not 2 <= len(times) <= MOST_VOLUMES + 1:
        raise InputError("points", f"{len(times):,}", f"are not 2 to {MOST_VOLUMES + 1}",
                         "give where it turns, climbs or changes speed, and no more")  # fmt: skip
    if flights.edge is not Edge.GEODESIC:
        raise InputError("edge", flights.edge.value, "is not geodesic", "leave it out")
    datums = flights.datum[rows].tolist()
    if -1 in datums:
        raise InputError("altitude", None, f"is missing at {format_time(times[datums.index(-1)])}",
                         "give each point a height")  # fmt: skip
    time = _duration(int(flights.time_uncertainty_us[rows].max()))
    return _Where(
        volumes=(), trajectory=_trajectory(flights, rows, times, defaults), lateral="0 m",
        vertical="0 m", early=time or defaults.early, late=time or defaults.late,
    )  # fmt: skip


def _trajectory(
    flights: Flights, rows: slice, times: list[int], defaults: Defaults
) -> FiledTrajectory:
    lateral_m = float(flights.lateral_uncertainty_m[rows].max())
    vertical_tmm = int(flights.vertical_uncertainty_tmm[rows].max())
    lateral = _length(ceil(lateral_m * TMM_PER_M)) if lateral_m else defaults.lateral
    vertical = _length(vertical_tmm) if vertical_tmm else defaults.vertical
    for name, value in (("lateral", lateral), ("vertical", vertical)):
        if parse_length_tmm(value, name) <= 0:
            raise InputError(
                f"{name}_uncertainty", None, "is missing: a flight is filed with how far it keeps "
                "to its points", f'give it in the file, or --{name} as "1 NM", "200 ft"',
            )  # fmt: skip
    heights = [
        _height(Altitude(height_tmm=height, reference=of.reference, datum=of.datum)) or ""
        for height, of in zip(
            flights.height_tmm[rows].tolist(),
            (flights.datums[each] for each in flights.datum[rows].tolist()), strict=True,
        )
    ]  # fmt: skip
    places = zip(
        flights.latitude_deg[rows].tolist(), flights.longitude_deg[rows].tolist(), strict=True
    )
    return FiledTrajectory(
        points=tuple(
            (latitude, longitude, height, format_time(time_us))
            for (latitude, longitude), height, time_us in zip(places, heights, times, strict=True)
        ),
        lateral=lateral, vertical=vertical,
    )  # fmt: skip


def _place(position: Position) -> tuple[float, float]:
    return position.latitude_deg, position.longitude_deg


def _length(length_tmm: int) -> str:
    """Return a length that is read as the same again."""
    if length_tmm % TMM_PER_NM == 0:
        return f"{length_tmm // TMM_PER_NM} NM"
    return _metres(length_tmm)


def _metres(length_tmm: int) -> str:
    return f"{length_tmm // TMM_PER_M}.{length_tmm % TMM_PER_M:04d} m"


def _height(altitude: Altitude | None) -> str | None:
    """Return a height that is read as the same again."""
    if altitude is None:
        return None
    if parse_altitude(altitude.text()) == altitude:
        return altitude.text()
    sign, size_tmm = "-" * (altitude.height_tmm < 0), abs(altitude.height_tmm)
    datum = f" {altitude.datum}" if altitude.datum else ""
    return f"{sign}{_metres(size_tmm)} {altitude.reference.value}{datum}"


def _duration(time_us: int) -> str:
    """Return a duration that is not shorter; empty for none."""
    return f"{-(-time_us // US_PER_S)} s" if time_us else ""
