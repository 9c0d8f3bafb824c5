# SPDX-License-Identifier: Apache-2.0
"""KML: OGC KML 2.2 (OGC 07-147r2, 2008), and gx:Track of Google's extension, which is KML 2.3's.

    Placemark                               one feature; clause 9.11
      name                                  its name
      TimeSpan: begin, end                  start and end; clause 15.2
      TimeStamp: when                       departure, of a LineString with `speed`; clause 15.3
      ExtendedData: Data[name]/value,       the names of formats.properties; clause 9.3
                    SchemaData/SimpleData
      Polygon | LineString | Point          clauses 10.8, 10.7, 10.4
      MultiGeometry of Polygons             several volumes of one plan; clause 10.2
      gx:Track: when*, gx:coord*            a trajectory of timed points
      altitudeMode                          clause 9.20
    coordinates  longitude,latitude[,height in m], apart by white space

| altitudeMode | height of a LineString or Track | of a Polygon with `extrude` |
|---|---|---|
| clampToGround (default) | not read: missing, so UNDETERMINED | none |
| absolute | AMSL EGM96 (annex B: EPSG 5773) | upper limit, AMSL EGM96, the ground below |
| relativeToGround | AGL | upper limit, AGL |
| any other | refused | refused |

1. Limits in ExtendedData come first. A polygon at a height without `extrude` is a plate and no
   volume: refused unless `lower` and `upper` are given.
2. Times hold a day, an hour and a zone; the shorter forms of clause 15.2 (2007, 2007-05) are
   refused. The TimeSpan of a Folder is not read.
3. Not read: NetworkLink, overlays, models, KMZ (unpack it first).
4. Rings close themselves with their first position (clause 10.5) and may run either way.
5. A document type definition is refused, and with it entities that swell (CWE-776).
"""

from collections.abc import Iterator
from typing import Final
from xml.etree.ElementTree import Element, ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import fromstring

from keepclear.errors import InputError
from keepclear.formats.contents import Contents
from keepclear.formats.faults import Faults, each, joined
from keepclear.formats.features import Feature, read_features
from keepclear.formats.json_values import Json, decode_text
from keepclear.formats.properties import KNOWN

MODES: Final = {
    "clampToGround": None, "absolute": "AMSL EGM96", "relativeToGround": "AGL ground",
}  # fmt: skip
GEOMETRIES: Final = frozenset(
    {"Polygon", "LineString", "Point", "MultiGeometry", "Track", "MultiTrack"}
)


def read_kml(file: str, content: bytes, *, lenient: bool = False) -> Contents:
    """Return the plans in a KML file."""
    faults = Faults(file, lenient=lenient)
    text = decode_text(content, faults)
    try:
        root = fromstring(text, forbid_dtd=True)
    except ParseError as error:
        row, column = error.position
        raise faults.fatal("XML", row=row, column=f"character {column + 1}",
                           limit=f"is not XML: {error}"[:100],
                           way_out="check that the file is whole") from None  # fmt: skip
    except DefusedXmlException:
        raise faults.fatal("XML", limit="has a document type definition",
                           way_out="remove <!DOCTYPE ...>") from None  # fmt: skip
    except (ValueError, LookupError, RecursionError) as error:
        raise faults.fatal("XML", limit=f"is not XML: {error}"[:100],
                           way_out="save the file as UTF-8") from None  # fmt: skip
    if _tag(root) != "kml":
        raise faults.fatal("KML", value=_tag(root), limit="is not a kml element",
                           way_out="give a KML file")  # fmt: skip
    placemarks = [element for element in root.iter() if _tag(element) == "Placemark"]
    if not placemarks:
        raise faults.fatal("empty", limit="holds no Placemark", way_out="check that it was written")
    return read_features(_features(placemarks, faults), faults)


def _features(placemarks: list[Element], faults: Faults) -> Iterator[Feature]:
    for i, placemark in enumerate(placemarks):
        path = f"Placemark[{i}]"
        geometries = [element for element in placemark if _tag(element) in GEOMETRIES]
        said = faults.trial("properties", path, _properties, placemark)
        if len(geometries) != 1 or said is None:
            if said is not None:
                faults.add("geometry", column=path, value=said.get("name"),
                           limit=f"holds {len(geometries)} shapes that are read here",
                           way_out=f"give it one of {', '.join(sorted(GEOMETRIES))}")  # fmt: skip
            continue
        parts = list(_parts(geometries[0]))
        if not parts:
            faults.add("geometry", column=path, limit="is empty", way_out="draw its shape")
        for part, element in enumerate(parts):
            feature_id = None if len(parts) == 1 or said.get("id") else path
            if _tag(element) == "Track" and len(parts) > 1:
                feature_id = f"{said.get('id') or path} track {part + 1}"
            yield from _feature(element, path, dict(said), feature_id, faults)


def _parts(geometry: Element) -> Iterator[Element]:
    """Yield a shape, or the shapes inside it."""
    if _tag(geometry) not in {"MultiGeometry", "MultiTrack"}:
        yield geometry
        return
    for element in geometry.iter():
        if _tag(element) in GEOMETRIES - {"MultiGeometry", "MultiTrack"}:
            yield element


def _feature(
    element: Element, path: str, said: dict[str, Json], feature_id: str | None, faults: Faults
) -> Iterator[Feature]:
    if feature_id is not None and _tag(element) == "Track":
        said.pop("id", None)
    read = faults.trial("geometry", joined(path, _tag(element)), _read_shape, element, said)
    if read is not None:
        yield Feature(
            path=path, properties_path=path, feature_id=feature_id, properties=read[0],
            geometry=read[1], is_track=_tag(element) == "Track",
        )  # fmt: skip


def _properties(placemark: Element) -> dict[str, Json]:
    """Return what a Placemark says, under the names of `formats.properties`."""
    said: dict[str, Json] = {}
    if name := _text(placemark, "name"):
        said["name"] = name
    for element in placemark.iter():
        if _tag(element) == "Data":
            _say(said, element.get("name"), _text(element, "value"))
        elif _tag(element) == "SimpleData":
            _say(said, element.get("name"), (element.text or "").strip())
    for element in placemark:
        if _tag(element) == "TimeSpan":
            _say(said, "start", _text(element, "begin"))
            _say(said, "end", _text(element, "end"))
        elif _tag(element) == "TimeStamp":
            _say(said, "departure", _text(element, "when"))
    return said


def _say(said: dict[str, Json], name: str | None, value: str) -> None:
    if name and value:
        if name in said and name in KNOWN - {"name"} and said[name] != value:
            raise InputError(name, value, "is said twice", "say it once")
        said[name] = value


def _read_shape(element: Element, said: dict[str, Json]) -> tuple[dict[str, Json], dict[str, Json]]:
    """Return properties and GeoJSON geometry of one shape."""
    mode = _text(element, "altitudeMode") or "clampToGround"
    if mode not in MODES:
        raise InputError("altitudeMode", mode, f"is not one of {', '.join(MODES)}", "change it")
    if _tag(element) == "Track":
        return _read_track(element, said, MODES[mode])
    if _tag(element) == "Polygon":
        return _read_polygon(element, said, MODES[mode])
    positions = _coordinates(element, "coordinates")
    if _tag(element) == "Point":
        if len(positions) != 1:
            raise InputError("coordinates", len(positions), "positions are no point", "give one")
        return said, {"type": "Point", "coordinates": positions[0][:2]}
    flies = "speed" in said or "departure" in said
    return _with_heights(positions, said, MODES[mode] if flies else None)


def _with_heights(
    positions: list[list[Json]], said: dict[str, Json], reference: str | None
) -> tuple[dict[str, Json], dict[str, Json]]:
    """Return a line that keeps its heights only where they have a reference."""
    if reference is None or said.get("altitude"):
        flat: Json = [position[:2] for position in positions]
        return said, {"type": "LineString", "coordinates": flat}
    said = {**said, "altitude_reference": reference}
    whole: Json = [[*position, 0.0][:3] for position in positions]
    return said, {"type": "LineString", "coordinates": whole}


def _read_track(
    element: Element, said: dict[str, Json], reference: str | None
) -> tuple[dict[str, Json], dict[str, Json]]:
    when: list[Json] = [_own(child) for child in element if _tag(child) == "when"]
    coords = [_own(child) for child in element if _tag(child) == "coord"]
    positions = each(lambda text, path: _numbers(text.split(), path), coords, "coord")
    for name in ("start", "end", "departure"):
        said.pop(name, None)  # the times of a track are its own
    return _with_heights(positions, {**said, "times": when}, reference)


def _read_polygon(
    element: Element, said: dict[str, Json], reference: str | None
) -> tuple[dict[str, Json], dict[str, Json]]:
    outer = [ring for part in element if _tag(part) == "outerBoundaryIs" for ring in part]
    inner = [ring for part in element if _tag(part) == "innerBoundaryIs" for ring in part]
    if len(outer) != 1:
        raise InputError("outerBoundaryIs", len(outer), "rings are no area", "give one")
    rings = each(_coordinates, [*outer, *inner], "ring")
    if reference is not None and not (said.get("lower") and said.get("upper")):
        said = _extruded(element, said, rings[0], reference)
    flat: Json = [[position[:2] for position in ring] for ring in rings]
    return said, {"type": "Polygon", "coordinates": flat}


def _extruded(
    element: Element, said: dict[str, Json], ring: list[list[Json]], reference: str
) -> dict[str, Json]:
    """Return the properties with the height of an extruded polygon as its upper limit."""
    if _text(element, "extrude") not in {"1", "true"}:
        raise InputError("extrude", None, "is not set: a plate at a height is no volume",
                         "give lower and upper in ExtendedData, or set extrude")  # fmt: skip
    if said.get("lower") or said.get("upper"):
        raise InputError("lower, upper", None, "are given by half, beside extrude",
                         "give both in ExtendedData")  # fmt: skip
    heights = [position[2] if len(position) == 3 else 0.0 for position in ring]
    highest = max(height for height in heights if isinstance(height, float))
    return {**said, "upper": f"{highest:.4f} m {reference}"}


def _coordinates(element: Element, path: str) -> list[list[Json]]:
    return each(
        lambda text, here: _numbers(text.split(","), here), _text(element, "coordinates").split(),
        path,
    )  # fmt: skip


def _numbers(texts: list[str], path: str) -> list[Json]:
    if not 2 <= len(texts) <= 3:
        raise InputError(path, ",".join(texts)[:60], "is no longitude,latitude[,height]",
                         "write 35.2,34.1,0")  # fmt: skip
    try:
        numbers: list[Json] = [float(text) for text in texts]
    except ValueError:
        raise InputError(
            path, ",".join(texts)[:60], "is not numbers", "write 35.2,34.1,0"
        ) from None
    return numbers


def _tag(element: Element) -> str:
    """Return an element's name without its namespace."""
    return element.tag.rpartition("}")[2]


def _own(element: Element) -> str:
    return (element.text or "").strip()


def _text(element: Element, name: str) -> str:
    """Return the text of the first child of that name, "" where there is none."""
    return next((_own(child) for child in element if _tag(child) == name), "")
