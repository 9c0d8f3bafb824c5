# SPDX-License-Identifier: Apache-2.0
"""Features (a shape with properties) as plans; shared by GeoJSON and KML.

A shape is GeoJSON's `geometry`; what makes it a plan is said by its properties:

| geometry | with | is |
|---|---|---|
| Polygon, MultiPolygon | start, end | an area with holes |
| Point | radius, start, end | a circle |
| LineString | width, start, end | a corridor |
| LineString of 2 positions | radius, start, end | an orbit |
| LineString | times | a trajectory of timed points |
| LineString | speed, departure | a trajectory: a route flown at one ground speed |

1. Features with one id (and party) are one plan with several volumes.
2. A feature with a fault is left out whole, and all its faults are told.
3. Undeclared edges: of polygons straight in longitude and latitude (RFC 7946 section 3.1.1),
   of lines geodesic; a note says so.
4. A third coordinate without `altitude_reference` is refused: files disagree on what it means.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from keepclear.airspace.altitudes import Altitude
from keepclear.airspace.positions import Edge, Position
from keepclear.airspace.trajectories import Route, TimedPoint, Trajectory, Waypoint, fly
from keepclear.airspace.volumes import (
    Circle,
    Corridor,
    Orbit,
    Polygon,
    Shape,
    Volume3D,
    Volume4D,
    check_window,
)
from keepclear.errors import InputError
from keepclear.formats import coordinates, properties
from keepclear.formats.contents import AreaPlan, Contents, PlanName
from keepclear.formats.coordinates import Place
from keepclear.formats.faults import Faults, both, each, joined, shown
from keepclear.formats.json_values import Object, as_list, as_text, member
from keepclear.formats.rings import check_positions, read_area
from keepclear.formats.tracks import (
    Track,
    Uncertainty,
    check_time_us,
    order_text,
    pack,
    read_moment_us,
)
from keepclear.units import parse_speed_mps

LINES: Final = "a line needs one of: times; speed with departure; width; radius (2 positions)"


@dataclass(frozen=True, kw_only=True)
class Feature:
    """One shape as a file gives it: its path in the file, GeoJSON geometry, properties.

    is_track: its times are those of recorded positions, in which a long break is a gap.
    """

    path: str
    properties_path: str
    feature_id: str | None
    properties: Object
    geometry: Object
    is_track: bool = False


@dataclass(kw_only=True)
class _Plan:
    """A plan while its features come in."""

    plan: PlanName
    uncertainty: Uncertainty
    volumes: list[Volume4D] = field(default_factory=list)
    trajectory: Trajectory | None = None
    is_route: bool = False


@dataclass(kw_only=True)
class _Tally:
    """What the notes count."""

    turned: int = 0
    undeclared: int = 0
    antimeridian: int = 0
    unlimited: int = 0
    positions: int = 0
    unused: set[str] = field(default_factory=set)


def read_features(
    features: Iterable[Feature], faults: Faults, notes: Iterable[str] = ()
) -> Contents:
    """Return the plans of all features; `FileErrors` where there are faults, unless lenient."""
    plans: dict[tuple[str | None, str], _Plan] = {}
    tally = _Tally()
    for feature in features:
        before = len(faults.found)
        part = _read_feature(feature, faults, tally)
        if part is not None and len(faults.found) == before:
            _join(plans, part, feature, faults)
    left_out = faults.settle()
    tracks = [
        Track(
            plan=p.plan, trajectory=p.trajectory, uncertainty=p.uncertainty, is_route=p.is_route
        )
        for p in plans.values() if p.trajectory is not None
    ]  # fmt: skip
    areas = [
        AreaPlan(
            plan=p.plan, volumes=tuple(p.volumes), lateral_uncertainty_m=p.uncertainty.lateral_m,
            vertical_uncertainty_tmm=p.uncertainty.vertical_tmm,
            time_uncertainty_us=p.uncertainty.time_us,
        )
        for p in plans.values() if p.volumes
    ]  # fmt: skip
    return Contents(
        file=faults.file, flights=pack(tracks), areas=tuple(areas),
        notes=(*notes, *_notes(tally)), left_out=left_out,
    )  # fmt: skip


def _join(
    plans: dict[tuple[str | None, str], _Plan], part: _Plan, feature: Feature, faults: Faults
) -> None:
    """Add a feature to the plan it belongs to."""
    key = (part.plan.party, part.plan.key)
    whole = plans.setdefault(key, part)
    if whole is part:
        return
    if whole.trajectory is not None or part.trajectory is not None:
        faults.add(
            "id", column=feature.path, value=part.plan.key, limit="is the id of another flight too",
            way_out="give each flight an id of its own; only volumes can share one",
        )  # fmt: skip
    elif whole.plan != part.plan or whole.uncertainty != part.uncertainty:
        faults.add(
            "id", column=feature.path, value=part.plan.key,
            limit="has another name, class, rvsm or uncertainty in an earlier feature",
            way_out="say the same in all features of one id",
        )  # fmt: skip
    else:
        whole.volumes.extend(part.volumes)


def _read_feature(feature: Feature, faults: Faults, tally: _Tally) -> _Plan | None:
    said, where = feature.properties, feature.properties_path
    plan = faults.trial("name", where, properties.plan_name, said, feature.feature_id, feature.path)
    uncertainty = faults.trial("uncertainty", where, properties.uncertainty_of, said)
    edge = faults.trial("edge", where, properties.edge_of, said)
    place = joined(feature.path, "geometry")
    kind = faults.trial("geometry", place, _kind_of, feature.geometry)
    if kind is None:
        return None
    tally.unused |= said.keys() - properties.KNOWN
    if kind == "LineString" and ("times" in said or "speed" in said or "departure" in said):
        trajectory = _read_trajectory(feature, edge, faults)
        if edge is None:
            tally.undeclared += 1
        if plan is None or uncertainty is None or trajectory is None:
            return None
        return _Plan(
            plan=plan, uncertainty=uncertainty, trajectory=trajectory,
            is_route=not feature.is_track,
        )  # fmt: skip
    volumes = _read_volumes(feature, kind, edge, faults, tally)
    if plan is None or uncertainty is None or not volumes:
        return None
    return _Plan(plan=plan, uncertainty=uncertainty, volumes=volumes)


def _kind_of(geometry: Object) -> str:
    kind = as_text(member(geometry, "type", "", "say Polygon, MultiPolygon, Point or LineString"),
                   "type")  # fmt: skip
    if kind not in SHAPES:
        raise InputError("type", kind, "is not read here", f"use {', '.join(SHAPES)}")
    return kind


# --- volumes --------------------------------------------------------------------------------


def _read_volumes(
    feature: Feature, kind: str, edge: Edge | None, faults: Faults, tally: _Tally
) -> list[Volume4D]:
    said, where, before = feature.properties, feature.properties_path, len(faults.found)
    shapes = faults.trial(
        "shape", joined(feature.path, "geometry"), SHAPES[kind], feature, edge, tally
    )
    lower = faults.trial("height", where, properties.lower_limit, said)
    upper = faults.trial("height", where, properties.upper_limit, said)
    faults.trial("height", where, _refuse_altitude, said)
    start_us = faults.trial("time", where, properties.moment_us, said, "start")
    end_us = faults.trial("time", where, properties.moment_us, said, "end")
    if start_us is not None and end_us is not None:
        faults.trial("time", where, check_window, start_us, end_us)
    if len(faults.found) > before or shapes is None or start_us is None or end_us is None:
        return []
    tally.unlimited += lower is None or upper is None
    volumes = [
        faults.trial("limits", where, _volume, shape, lower, upper, start_us, end_us)
        for shape in shapes
    ]
    return [volume for volume in volumes if volume is not None]


def _volume(
    shape: Shape, lower: Altitude | None, upper: Altitude | None, start_us: int, end_us: int
) -> Volume4D:
    volume = Volume3D(shape=shape, lower=lower, upper=upper)
    return Volume4D(volume=volume, start_us=start_us, end_us=end_us)


def _refuse_altitude(said: Object) -> None:
    for name in ("altitude", "altitude_reference"):
        if said.get(name) is not None:
            raise InputError(name, shown(said[name]), "means nothing for an area",
                             "give lower and upper")  # fmt: skip


def _coordinates(feature: Feature) -> list[object]:
    value = member(feature.geometry, "coordinates", "", "give positions")
    return as_list(value, "coordinates")


def _polygons(feature: Feature, edge: Edge | None, tally: _Tally) -> list[Shape]:
    return [_polygon(_coordinates(feature), "coordinates", edge, tally)]


def _multi_polygons(feature: Feature, edge: Edge | None, tally: _Tally) -> list[Shape]:
    found = _coordinates(feature)
    if not found:
        raise InputError("coordinates", None, "hold no polygon", "give one")
    return each(
        lambda rings, path: _polygon(as_list(rings, path), path, edge, tally), found, "coordinates"
    )


def _polygon(found: list[object], path: str, edge: Edge | None, tally: _Tally) -> Shape:
    rings = each(coordinates.closed_ring, found, path)
    if not rings:
        raise InputError(path, None, "holds no ring", "give the exterior ring")
    tally.positions += sum(map(len, rings))
    check_positions(tally.positions, path)
    area = read_area(rings, path)
    tally.turned += area.turned
    tally.antimeridian += area.crosses_antimeridian
    tally.undeclared += edge is None
    return Polygon(ring=area.exterior, holes=area.holes, edge=edge or Edge.PLANAR)


def _circles(feature: Feature, _edge: Edge | None, _tally: _Tally) -> list[Shape]:
    centre, radius_tmm = both(
        lambda: coordinates.flat(coordinates.place(_coordinates(feature), "coordinates")),
        lambda: properties.length_tmm(feature.properties, "radius"),
    )
    return [Circle(centre=centre, radius_tmm=radius_tmm)]


def _lines(feature: Feature, edge: Edge | None, tally: _Tally) -> list[Shape]:
    said = feature.properties
    if ("width" in said) == ("radius" in said):
        limit = "says both width and radius" if "width" in said else "does not say what it is"
        raise InputError("", None, limit, LINES)
    route, size_tmm = both(
        lambda: _route(feature),
        lambda: properties.length_tmm(said, "radius" if "radius" in said else "width"),
    )
    if "radius" in said:
        if len(route) != 2:
            raise InputError("coordinates", len(route), "positions are no orbit", "give 2")
        return [Orbit(first=route[0], second=route[1], radius_tmm=size_tmm)]
    tally.undeclared += edge is None
    return [Corridor(route=route, width_tmm=size_tmm, edge=edge or Edge.GEODESIC)]


def _route(feature: Feature) -> tuple[Position, ...]:
    line = coordinates.line(_coordinates(feature), "coordinates")
    return tuple(coordinates.flat(place) for place in line)


SHAPES: Final[Mapping[str, Callable[[Feature, Edge | None, _Tally], list[Shape]]]] = {
    "Polygon": _polygons,
    "MultiPolygon": _multi_polygons,
    "Point": _circles,
    "LineString": _lines,
}


# --- trajectories ---------------------------------------------------------------------------


def _read_trajectory(feature: Feature, edge: Edge | None, faults: Faults) -> Trajectory | None:
    said, where, before = feature.properties, feature.properties_path, len(faults.found)
    line = faults.trial("shape", joined(feature.path, "geometry"), _line_of, feature)
    faults.trial("line", where, _refuse_two_meanings, said)
    height = faults.trial("height", where, properties.flight_altitude, said)
    reference = faults.trial("height", where, properties.altitude_reference, said)
    if line is None:
        return None
    waypoints = faults.trial(
        "height", joined(feature.path, "geometry"), _waypoints, line, height, reference
    )
    if waypoints is None or len(faults.found) > before:
        return None
    edge = edge or Edge.GEODESIC
    if "times" in said:
        return _timed(waypoints, feature, edge, faults)
    speed = faults.trial("speed", where, _speed_mps, said)
    departure_us = faults.trial("time", where, properties.moment_us, said, "departure")
    if speed is None or departure_us is None:
        return None
    return faults.trial("route", where, _fly, waypoints, speed, departure_us, edge)


def _line_of(feature: Feature) -> list[Place]:
    return coordinates.line(_coordinates(feature), "coordinates")


def _refuse_two_meanings(said: Object) -> None:
    ways = [("times",), ("speed", "departure"), ("width",), ("radius",)]
    given = [names[0] for names in ways if any(name in said for name in names)]
    if len(given) > 1:
        raise InputError(given[0], None, f"stands beside {given[1]}", LINES)


def _waypoints(
    line: list[Place], height: Altitude | None, reference: Altitude | None
) -> tuple[Waypoint, ...]:
    if height is not None and (reference is not None or any(p.height_m is not None for p in line)):
        raise InputError("", None, "has an altitude and third coordinates too", "give one of them")
    return tuple(
        Waypoint(position=place.position, altitude=coordinates.altitude(place, reference) or height)
        for place in line
    )


def _speed_mps(said: Object) -> float:
    value = as_text(member(said, "speed", "", 'add it, as "450 kt"'), "speed")
    return parse_speed_mps(value)


def _timed(
    waypoints: tuple[Waypoint, ...], feature: Feature, edge: Edge, faults: Faults
) -> Trajectory | None:
    where, before = feature.properties_path, len(faults.found)
    found = faults.trial("time", where, as_list, feature.properties["times"], "times")
    if found is None:
        return None
    if len(found) != len(waypoints):
        faults.add("time", column=joined(where, "times"), value=f"{len(found)} times",
                   limit=f"are not one for each of {len(waypoints)} positions",
                   way_out="give each position its time")  # fmt: skip
        return None
    times = [
        faults.trial("time", where, _time_us, text, f"times[{i}]") for i, text in enumerate(found)
    ]
    latest_us: int | None = None
    for i, time_us in enumerate(times):
        if time_us is not None and latest_us is not None and time_us <= latest_us:
            faults.add("order", column=f"{where}.times[{i}]", value=found[i],
                       limit=order_text(time_us, latest_us),
                       way_out="put the positions in order of time")  # fmt: skip
        latest_us = time_us if latest_us is None else max(latest_us, time_us or latest_us)
    if len(faults.found) > before:
        return None
    points = [
        TimedPoint(time_us=time_us, position=waypoint.position, altitude=waypoint.altitude)
        for time_us, waypoint in zip(times, waypoints, strict=True) if time_us is not None
    ]  # fmt: skip
    return Trajectory(points=tuple(points), edge=edge)


def _time_us(value: object, path: str) -> int:
    return read_moment_us(as_text(value, path), path)


def _fly(
    waypoints: tuple[Waypoint, ...], speed_mps: float, departure_us: int, edge: Edge
) -> Trajectory:
    route = Route(waypoints=waypoints, speed_mps=speed_mps, departure_us=departure_us, edge=edge)
    try:
        trajectory = fly(route)
    except InputError:
        raise
    except (ValueError, OverflowError):  # a length that is no number, a time beyond all limits
        raise InputError("speed", speed_mps, "gives no time of arrival", "check it") from None
    check_time_us(trajectory.points[-1].time_us, "the time of arrival")
    return trajectory


# --- notes ----------------------------------------------------------------------------------


def _notes(tally: _Tally) -> list[str]:
    notes = []
    if tally.turned:
        notes.append(f"rings turned that ran the wrong way round: {tally.turned}")
    if tally.antimeridian:
        notes.append(f"areas read as crossing the antimeridian: {tally.antimeridian}")
    if tally.undeclared:
        notes.append(
            f"edges not declared: {tally.undeclared}; polygons are straight in longitude and"
            " latitude (RFC 7946), lines are geodesics"
        )
    if tally.unlimited:
        notes.append(f"areas without a lower or an upper limit: {tally.unlimited}")
    if tally.unused:
        names = sorted(ascii(name)[1:-1][:40] for name in tally.unused)
        notes.append(f"properties not used: {', '.join(names[:20])}"
                     + (f" and {len(names) - 20} more" if len(names) > 20 else ""))  # fmt: skip
    return notes
