# SPDX-License-Identifier: Apache-2.0
"""Findings as GeoJSON (RFC 7946), for a map program.

For each finding, in this order:

| feature     | geometry                       | what                                         |
|-------------|--------------------------------|----------------------------------------------|
| `closest`   | Point                          | closest point of approach                    |
| `path`      | LineString or MultiLineString  | each plan during its intervals               |
| `volume`    | Polygon or MultiPolygon        | each volume that is there in the intervals   |

WGS 84, longitude first. Geometry is cut at 180 degrees (3.1.9), outsides go counterclockwise
(3.1.6), long edges of any kind get a point each 20 km, circles corners each 5 degrees. A height
stands as third coordinate only where it is above WGS 84; else in the properties, with its
reference. `edge` of a path says how its file joins its points. `notice` beside the features says
what the answer does not mean.
"""

from collections.abc import Iterator
from typing import Any

import msgspec

from keepclear.agreement.findings import Finding
from keepclear.airspace.altitudes import Altitude, Reference
from keepclear.airspace.positions import Edge
from keepclear.airspace.volumes import Volume4D
from keepclear.checks.report import Path, Report
from keepclear.reports.antimeridian import cut_area, cut_line
from keepclear.reports.outlines import outlines
from keepclear.reports.pieces import Stretch, active_volumes, line_of, pieces
from keepclear.reports.texts import NO_NOTICE, clause_text, minimum_text, ranked
from keepclear.units import format_time, metres

Json = dict[str, Any]


def geojson_report(report: Report) -> str:
    """Return the findings as one FeatureCollection, in text that ends in a newline."""
    features = [one for finding in ranked(report.findings) for one in _features(report, finding)]
    whole = {"type": "FeatureCollection", "notice": NO_NOTICE, "features": features}
    return msgspec.json.format(msgspec.json.encode(whole), indent=1).decode() + "\n"


def _features(report: Report, finding: Finding) -> Iterator[Json]:
    common: Json = {"finding": finding.id, "verdict": finding.verdict.value}
    if cpa := finding.cpa:
        at = [round(cpa.longitude_deg, 9), round(cpa.latitude_deg, 9)]
        yield _feature({"type": "Point", "coordinates": at}, common | _said(report, finding))
    sides = (
        (finding.a, finding.a_index, finding.intervals_a, finding.parties[0]),
        (finding.b, finding.b_index, finding.intervals_b, finding.parties[1]),
    )
    for name, index, intervals, party in sides:
        path = report.paths.get(index, Path(name=name, party=party))
        about = common | {"plan": name, "party": party}
        for piece in pieces(path, intervals):
            yield _path(piece, path.edge, about)
        for volume in active_volumes(path, intervals):
            yield _volume(volume, about)


def _said(report: Report, finding: Finding) -> Json:
    cpa, rules = finding.cpa, report.rules
    return {
        "kind": "closest", "a": finding.a, "b": finding.b, "parties": finding.parties,
        "time": format_time(cpa.time_us) if cpa else None,
        "lateral_m": round(cpa.lateral_m, 4) if cpa else None,
        "vertical_m": round(cpa.vertical_m, 4) if cpa and cpa.vertical_m is not None else None,
        "intervals": [[format_time(i.start_us), format_time(i.end_us)] for i in finding.intervals],
        "rule": finding.rule, "rule_asks": minimum_text(finding, rules),
        "rule_text": clause_text(finding, rules), "leaf": finding.leaf, "reason": finding.reason,
    }  # fmt: skip


def _path(piece: Stretch, edge: Edge, about: Json) -> Json:
    first, last = piece[0], piece[-1]
    properties = about | {
        "kind": "path",
        "start": format_time(first.time_us), "end": format_time(last.time_us),
        "edge": edge.value,
        "height_start": height_text(first.altitude), "height_end": height_text(last.altitude),
    }  # fmt: skip
    if len(piece) == 1:
        at = (piece[0].longitude_deg, piece[0].latitude_deg)
        return _feature({"type": "Point", "coordinates": at}, properties)
    heights, line = _heights_above_wgs84(piece), line_of(piece, edge)
    lines: list[list[Any]] = list(cut_line(line))
    if heights and len(line) == len(piece) and len(lines) == 1 and len(lines[0]) == len(heights):
        lines = [[(*at, height) for at, height in zip(lines[0], heights, strict=True)]]
    return _feature(_multi("LineString", lines), properties)


def _heights_above_wgs84(piece: Stretch) -> list[float]:
    """Return the heights of a piece where all are above WGS 84; else nothing."""
    heights = [p.altitude for p in piece if p.altitude is not None]
    if len(heights) < len(piece) or any(h.reference is not Reference.WGS84 for h in heights):
        return []
    return [metres(height.height_tmm) for height in heights]


def _volume(volume: Volume4D, about: Json) -> Json:
    areas = [part for area in outlines(volume.volume.shape) for part in cut_area(area)]
    closed = [[[*ring, ring[0]] for ring in area] for area in areas]
    return _feature(_multi("Polygon", closed), about | {
        "kind": "volume",
        "start": format_time(volume.start_us), "end": format_time(volume.end_us),
        "lower": height_text(volume.volume.lower), "upper": height_text(volume.volume.upper),
    })  # fmt: skip


def height_text(altitude: Altitude | None) -> str | None:
    """Return a height with its reference for people; None where there is none."""
    return altitude.text() if altitude is not None else None


def _multi(kind: str, parts: list[Any]) -> Json:
    if len(parts) == 1:
        return {"type": kind, "coordinates": _rounded(parts[0])}
    return {"type": f"Multi{kind}", "coordinates": _rounded(parts)}


def _rounded(nested: Any) -> Any:  # noqa: ANN401 coordinates nest to any depth
    if isinstance(nested, float | int):
        return round(nested, 9) + 0  # no -0.0
    return [_rounded(one) for one in nested]


def _feature(geometry: Json, properties: Json) -> Json:
    return {"type": "Feature", "geometry": geometry, "properties": properties}
