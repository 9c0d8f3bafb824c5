# SPDX-License-Identifier: Apache-2.0
"""GeoJSON: RFC 7946 (August 2016).

    FeatureCollection (section 3.3)
      features: [ Feature (section 3.2)
        id          text or number, unless properties have one
        geometry    Polygon | MultiPolygon | Point | LineString (section 3.1)
                    coordinates: longitude, latitude[, height in m above altitude_reference]
                    rings repeat their first position (section 3.1.6)
        properties  formats.properties has the list; which make what: formats.features
      ]

    {"type": "Feature", "geometry": {"type": "Point", "coordinates": [35.2, 34.1]},
     "properties": {"id": "OP-7", "party": "north", "radius": "5 NM", "upper": "FL100",
                    "start": "2026-05-01T10:00:00Z", "end": "2026-05-01T11:00:00Z"}}

1. Coordinates are WGS 84 (section 4); a `crs` that says otherwise is refused.
2. Rings may run the wrong way round (section 3.1.6 lets a reader take them): they are turned.
3. Areas across the antimeridian may be cut in two (section 3.1.9), run on beyond 180, or jump.
4. Section 3.1.1 measures heights from WGS 84, but files disagree: the file must say it.
"""

from collections.abc import Iterator
from typing import Final

from keepclear.formats import properties
from keepclear.formats.contents import Contents
from keepclear.formats.faults import Faults
from keepclear.formats.features import Feature, read_features
from keepclear.formats.json_values import Json, Object, as_list, as_object, decode_json

TYPES: Final = frozenset(
    {"FeatureCollection", "Feature", "Polygon", "MultiPolygon", "Point", "MultiPoint",
     "LineString", "MultiLineString", "GeometryCollection"}
)  # fmt: skip
WITH_FEATURES: Final = ("FeatureCollection", "Feature")
WGS84_NAMES: Final = ("CRS84", "EPSG::4326", "EPSG:4326")


def read_geojson(file: str, content: bytes, *, lenient: bool = False) -> Contents:
    """Return the plans in a GeoJSON file."""
    faults = Faults(file, lenient=lenient)
    return contents_of(decode_json(content, faults), faults)


def is_geojson(document: Json) -> bool:
    """Tell whether a JSON document calls itself GeoJSON."""
    return isinstance(document, dict) and _type_of(document) in TYPES


def _type_of(document: Object) -> str:
    kind = document.get("type")
    return kind if isinstance(kind, str) else ""


def contents_of(document: Json, faults: Faults) -> Contents:
    """Return the plans in a GeoJSON document."""
    if not isinstance(document, dict) or _type_of(document) not in WITH_FEATURES:
        raise faults.fatal(
            "GeoJSON", column="type", limit="is not FeatureCollection or Feature",
            way_out="give features: a bare geometry has no times and no name",
        )  # fmt: skip
    _check_crs(document, faults)
    if document["type"] == "Feature":
        return read_features(_features([document], "feature", faults), faults)
    found = faults.trial("GeoJSON", "", as_list, document.get("features"), "features")
    if not found:
        raise faults.fatal("empty", column="features", limit="holds no feature",
                           way_out="check that it was written")  # fmt: skip
    return read_features(_features(found, "features", faults), faults)


def _features(found: list[Json], path: str, faults: Faults) -> Iterator[Feature]:
    for i, value in enumerate(found):
        here = path if path == "feature" else f"{path}[{i}]"
        feature = faults.trial("GeoJSON", "", as_object, value, here)
        if feature is None:
            continue
        geometry = faults.trial("geometry", here, as_object, feature.get("geometry"), "geometry")
        said = faults.trial("GeoJSON", here, _properties, feature)
        before = len(faults.found)
        feature_id = faults.trial("name", here, properties.optional_name, feature, "id")
        if geometry is not None and said is not None and len(faults.found) == before:
            yield Feature(
                path=here, properties_path=f"{here}.properties", feature_id=feature_id,
                properties=said, geometry=geometry,
            )  # fmt: skip


def _properties(feature: Object) -> Object:
    value = feature.get("properties")
    return {} if value is None else as_object(value, "properties")


def _check_crs(document: Object, faults: Faults) -> None:
    """Refuse the `crs` of the older GeoJSON of 2008 where it is not WGS 84."""
    crs = document.get("crs")
    if crs is None:
        return
    said = crs.get("properties", crs) if isinstance(crs, dict) else crs
    name = said.get("name") if isinstance(said, dict) else said
    if not isinstance(name, str) or not name.endswith(WGS84_NAMES):
        raise faults.fatal(
            "GeoJSON", column="crs", value=name, limit="is not WGS 84",
            way_out="convert the coordinates and leave crs out (RFC 7946 section 4)",
        )  # fmt: skip
