# SPDX-License-Identifier: Apache-2.0
"""Volumes of ASTM F3548-21, annex A4 (the UTM interface, version 1.0.0), as JSON.

    Volume4D
      volume        Volume3D
        outline_polygon   vertices: [{lng, lat}, ...], 3 or more, the first not repeated
        outline_circle    center: {lng, lat}, radius: {value, units: "M"}
        altitude_lower    {value, reference: "W84", units: "M"}
        altitude_upper    the same
      time_start    {value: RFC 3339, format: "RFC3339"}
      time_end      the same

| document | is |
|---|---|
| [Volume4D, ...] | one plan, named for the file |
| {volumes: [...], off_nominal_volumes: [...]} (OperationalIntentDetails) | the same |
| {reference: {id, manager}, details: {...}} (OperationalIntent) | plan `id` of party `manager` |
| {operational_intent: {...}}, {operational_intents: [...]}, [OperationalIntent, ...] | the same |
| {intents: {name: {full: {basic_information: {area: [...]}}}}} | InterUSS flight intents, \
concrete ones only: shape and heights stand in the area itself, times as `absolute_time` |

1. Edges are geodesics and may run either way round; vertices are not repeated (annex A4, Polygon).
2. Off-nominal volumes are the plan's volumes too: the craft may be there.
3. Whether volumes that touch intersect is for the rules to say.
4. Fields that are not listed here are not read. The priority is not read.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import Final

from keepclear.airspace.altitudes import Altitude, Reference
from keepclear.airspace.positions import Edge
from keepclear.airspace.volumes import Circle, Polygon, Shape, Volume3D, Volume4D
from keepclear.errors import FileErrors, InputError
from keepclear.formats import coordinates
from keepclear.formats.contents import AreaPlan, Contents, PlanName
from keepclear.formats.faults import Faults, each, joined, shown
from keepclear.formats.json_values import (
    Json,
    Object,
    as_list,
    as_name,
    as_number,
    as_object,
    as_text,
    decode_json,
    member,
)
from keepclear.formats.properties import FARTHEST_TMM
from keepclear.formats.rings import MOST_IN_FILE, LonLat, check_positions, read_area
from keepclear.formats.tracks import read_moment_us
from keepclear.units import TMM_PER_M

MARKS: Final = frozenset(
    {"volumes", "off_nominal_volumes", "operational_intent", "operational_intents", "reference",
     "details", "intents"}
)  # fmt: skip
WHAT_IS_READ: Final = "volumes, an operational intent, or InterUSS flight intents"


@dataclass(frozen=True, kw_only=True)
class _Intent:
    """One plan as the document gives it: who, and its volumes with their path."""

    plan: PlanName
    volumes: Sequence[tuple[Json, str]]


def read_f3548(file: str, content: bytes, *, lenient: bool = False) -> Contents:
    """Return the plans in a file of F3548-21 volumes."""
    faults = Faults(file, lenient=lenient)
    return contents_of(decode_json(content, faults), faults)


def is_f3548(document: Json) -> bool:
    """Tell whether a JSON document looks like one of those listed above."""
    if isinstance(document, dict):
        return bool(document.keys() & MARKS)
    return isinstance(document, list)


def contents_of(document: Json, faults: Faults) -> Contents:
    """Return the plans in a document."""
    areas: dict[str, AreaPlan] = {}
    positions = 0
    for intent in _intents(document, faults):
        before = len(faults.found)
        volumes = []
        for value, path in intent.volumes:
            volume = faults.trial("volume", "", _volume, value, path)
            if volume is not None:
                volumes.append(volume)
                positions += _position_count(volume)
                faults.trial("size", "", check_positions, positions, path)
            if positions > MOST_IN_FILE:
                raise FileErrors(faults.file, faults.found)
        if not intent.volumes:
            faults.add("volume", value=intent.plan.name, limit="has no volume", way_out="give one")
        if intent.plan.key in areas:
            faults.add("id", value=intent.plan.key, limit="stands twice", way_out="keep one")
        if volumes and (faults.lenient or len(faults.found) == before):
            areas.setdefault(intent.plan.key, AreaPlan(plan=intent.plan, volumes=tuple(volumes)))
    left_out = faults.settle()
    return Contents(file=faults.file, areas=tuple(areas.values()), left_out=left_out)


def _position_count(volume: Volume4D) -> int:
    shape = volume.volume.shape
    return len(shape.ring) if isinstance(shape, Polygon) else 1


# --- documents ------------------------------------------------------------------------------


def _intents(document: Json, faults: Faults) -> Iterator[_Intent]:
    if isinstance(document, list):
        if document and isinstance(document[0], dict) and "reference" in document[0]:
            yield from _references(document, "", faults)
        else:
            yield _bare(document, "", faults)
    elif not isinstance(document, dict) or not document.keys() & MARKS:
        raise faults.fatal("F3548", limit="is no F3548-21 document", way_out=f"give {WHAT_IS_READ}")
    elif "intents" in document:
        yield from _flight_intents(document["intents"], faults)
    elif "operational_intents" in document:
        found = faults.trial("F3548", "", as_list, document["operational_intents"],
                             "operational_intents")  # fmt: skip
        yield from _references(found or [], "operational_intents", faults)
    elif "operational_intent" in document:
        yield from _reference(document["operational_intent"], "operational_intent", faults)
    elif "reference" in document or "details" in document:
        yield from _reference(document, "", faults)
    else:
        yield _details(document, "", _file_plan(faults), faults)


def _references(found: list[Json], path: str, faults: Faults) -> Iterator[_Intent]:
    for i, value in enumerate(found):
        yield from _reference(value, f"{path}[{i}]", faults)


def _reference(value: Json, path: str, faults: Faults) -> Iterator[_Intent]:
    intent = faults.trial("F3548", "", as_object, value, path)
    if intent is None:
        return
    plan = faults.trial("F3548", "", _plan_of, intent, path)
    details = faults.trial("F3548", "", _object_in, intent, "details", path)
    if plan is not None and details is not None:
        yield _details(details, joined(path, "details"), plan, faults)


def _plan_of(intent: Object, path: str) -> PlanName:
    reference = _object_in(intent, "reference", path)
    here = joined(path, "reference")
    key = as_name(member(reference, "id", here, "add it"), f"{here}.id")
    manager = reference.get("manager")
    party = None if manager is None else as_name(manager, f"{here}.manager")
    return PlanName(name=key, key=key, party=party)


def _details(details: Object, path: str, plan: PlanName, faults: Faults) -> _Intent:
    volumes: list[tuple[Json, str]] = []
    for name in ("volumes", "off_nominal_volumes"):
        value = details.get(name)
        if value is not None:
            here = joined(path, name)
            found = faults.trial("F3548", "", as_list, value, here) or []
            volumes.extend(_numbered(found, here, faults))
    return _Intent(plan=plan, volumes=volumes)


def _bare(document: list[Json], path: str, faults: Faults) -> _Intent:
    return _Intent(plan=_file_plan(faults), volumes=_numbered(document, path, faults))


def _numbered(found: list[Json], path: str, faults: Faults) -> list[tuple[Json, str]]:
    """Return volumes with their paths; each has a position at least, so there is a limit."""
    if len(found) > MOST_IN_FILE:
        raise faults.fatal("size", column=path or None, value=f"{len(found):,} volumes",
                           limit=f"are more than {MOST_IN_FILE:,}",
                           way_out="split the file")  # fmt: skip
    return [(volume, f"{path}[{i}]") for i, volume in enumerate(found)]


def _file_plan(faults: Faults) -> PlanName:
    stem = PurePath(faults.file).stem or faults.file
    return PlanName(name=stem, key=stem)


def _flight_intents(value: Json, faults: Faults) -> Iterator[_Intent]:
    intents = faults.trial("F3548", "", as_object, value, "intents")
    for name, intent in (intents or {}).items():
        path = f"intents.{shown(name)}"
        area = faults.trial("flight intent", path, _area_of, intent)
        plan_name = faults.trial("name", "", as_name, name, path)
        if area is not None and plan_name is not None:
            here = f"{path}.full.basic_information.area"
            yield _Intent(
                plan=PlanName(name=plan_name, key=plan_name),
                volumes=[(_unfolded(volume), f"{here}[{i}]") for i, volume in enumerate(area)],
            )  # fmt: skip


def _area_of(intent: Json) -> list[Json]:
    known = as_object(intent, "")
    if "delta" in known:
        raise InputError("delta", None, "is a change of another intent and not concrete",
                         "write it out in full")  # fmt: skip
    full = _object_in(known, "full", "")
    basic = _object_in(full, "basic_information", "full")
    here = "full.basic_information.area"
    return as_list(member(basic, "area", "full.basic_information", "add it"), here)


def _unfolded(value: Json) -> Json:
    """Return a flight intent's volume in the shape of Volume4D."""
    if not isinstance(value, dict):
        return value
    known = {"outline_polygon", "outline_circle", "altitude_lower", "altitude_upper"}
    return {
        "volume": {name: value[name] for name in known & value.keys()},
        "time_start": value.get("start_time"), "time_end": value.get("end_time"),
    }  # fmt: skip


# --- volumes --------------------------------------------------------------------------------


def _volume(value: Json, path: str) -> Volume4D:
    whole = as_object(value, path)
    volume = _object_in(whole, "volume", path)
    here = joined(path, "volume")
    shape = _shape(volume, here)
    lower, upper = (_altitude(volume, name, here) for name in ("altitude_lower", "altitude_upper"))
    start_us, end_us = (_time_us(whole, name, path) for name in ("time_start", "time_end"))
    try:
        return Volume4D(
            volume=Volume3D(shape=shape, lower=lower, upper=upper), start_us=start_us, end_us=end_us
        )
    except InputError as error:
        raise InputError(f"{path}.{error.path}", error.value, error.limit, error.way_out) from None


def _shape(volume: Object, path: str) -> Shape:
    polygon, circle = volume.get("outline_polygon"), volume.get("outline_circle")
    if (polygon is None) == (circle is None):
        raise InputError(path, None, "needs one of outline_polygon and outline_circle", "give one")
    if circle is not None:
        return _circle(as_object(circle, f"{path}.outline_circle"), f"{path}.outline_circle")
    here = f"{path}.outline_polygon.vertices"
    outline = as_object(polygon, f"{path}.outline_polygon")
    vertices = as_list(member(outline, "vertices", f"{path}.outline_polygon", "add them"), here)
    ring = each(_vertex, vertices, here)
    if len(ring) < 3:
        raise InputError(here, len(ring), "vertices are no area", "give 3 or more")
    if len(set(ring)) < len(ring):
        raise InputError(here, None, "hold one vertex twice", "give each once, the first too")
    area = read_area([ring], here, any_turn=True)
    return Polygon(ring=area.exterior, edge=Edge.GEODESIC)


def _circle(circle: Object, path: str) -> Circle:
    radius = _object_in(circle, "radius", path)
    here = f"{path}.radius"
    _check_word(radius, "units", "M", here)
    radius_m = as_number(member(radius, "value", here, "add it"), f"{here}.value")
    if not 0 < radius_m * TMM_PER_M <= FARTHEST_TMM:
        raise InputError(f"{here}.value", radius_m, "is not above 0 and at most 10,000 km",
                         "give metres")  # fmt: skip
    centre = _vertex(member(circle, "center", path, "add it"), f"{path}.center")
    return Circle(
        centre=coordinates.place([*centre], f"{path}.center").position,
        radius_tmm=max(1, round(radius_m * TMM_PER_M)),
    )


def _vertex(value: Json, path: str) -> LonLat:
    vertex = as_object(value, path)
    longitude = as_number(member(vertex, "lng", path, "add it"), f"{path}.lng")
    latitude = as_number(member(vertex, "lat", path, "add it"), f"{path}.lat")
    if abs(latitude) > 90 or abs(longitude) > 180:
        raise InputError(path, f"lat {latitude}, lng {longitude}", "is beyond 90 or 180 degrees",
                         "give WGS 84 degrees")  # fmt: skip
    return longitude, latitude


def _altitude(volume: Object, name: str, path: str) -> Altitude | None:
    if volume.get(name) is None:
        return None
    here = f"{path}.{name}"
    altitude = as_object(volume[name], here)
    _check_word(altitude, "reference", "W84", here)
    _check_word(altitude, "units", "M", here)
    height_m = as_number(member(altitude, "value", here, "add it"), f"{here}.value")
    try:
        return Altitude(height_tmm=round(height_m * TMM_PER_M), reference=Reference.WGS84)
    except InputError as error:
        raise InputError(f"{here}.value", error.value, error.limit, error.way_out) from None


def _time_us(whole: Object, name: str, path: str) -> int:
    time = _object_in(whole, name, path)
    here = joined(path, name)
    if "absolute_time" in time:
        return read_moment_us(as_text(time["absolute_time"], here), f"{here}.absolute_time")
    if "value" not in time:
        raise InputError(here, None, "is not a fixed time", 'give "value" as RFC 3339')
    _check_word(time, "format", "RFC3339", here)
    return read_moment_us(as_text(time["value"], f"{here}.value"), f"{here}.value")


def _check_word(of: Object, name: str, word: str, path: str) -> None:
    if of.get(name) != word:
        raise InputError(f"{path}.{name}", shown(of.get(name)), f"is not {word}",
                         f'F3548-21 knows only "{word}"')  # fmt: skip


def _object_in(of: Object, name: str, path: str) -> Object:
    here = joined(path, name)
    return as_object(member(of, name, path, "add it"), here)
