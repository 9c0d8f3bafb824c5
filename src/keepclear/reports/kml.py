# SPDX-License-Identifier: Apache-2.0
"""Findings as KML 2.2 (OGC 07-147r2), for a globe.

One Folder a finding: a Placemark at the closest point, one a plan for its path during its
intervals, one a volume. Each says in its description what the terminal says, and carries a
TimeSpan. Everything lies on the ground: KML knows heights above sea level and above ground
only, and none of ours is turned into another; the description has them with their reference.
Geometry is cut at 180 degrees.
"""

import io
from collections.abc import Iterable
from typing import Final
from xml.etree.ElementTree import Element, ElementTree, SubElement, indent  # nosec: writes only

from keepclear.agreement.findings import Finding, Interval
from keepclear.airspace.volumes import Volume4D
from keepclear.checks.report import Path, Report
from keepclear.reports import texts
from keepclear.reports.antimeridian import Pair, cut_area, cut_line
from keepclear.reports.geojson import height_text
from keepclear.reports.outlines import outlines
from keepclear.reports.pieces import active_volumes, line_of, pieces
from keepclear.units import format_time

NAMESPACE: Final = "http://www.opengis.net/kml/2.2"
# aabbggrr: blue and vermilion of Okabe and Ito (2008), told apart with any colour vision.
LINES: Final = {"a": "ffb27200", "b": "ff005ed5"}
FILLS: Final = {"a": "40b27200", "b": "40005ed5"}


def kml_report(report: Report) -> str:
    """Return the findings as a KML document."""
    root = Element("kml", xmlns=NAMESPACE)
    document = SubElement(root, "Document")
    _add(document, "name", f"keepclear: {texts.counts_text(report)} {texts.among_text(report)}")
    said = (texts.rules_text(report), texts.NOT_LOOKED_AT, texts.NO_NOTICE)
    _add(document, "description", "\n".join(said))
    _add_styles(document)
    for finding in texts.ranked(report.findings):
        _add_finding(document, report, finding)
    indent(root, " ")
    out = io.BytesIO()
    ElementTree(root).write(out, encoding="utf-8", xml_declaration=True)
    return out.getvalue().decode() + "\n"


def _add_styles(document: Element) -> None:
    for side in ("a", "b"):
        style = SubElement(document, "Style", id=side)
        line = SubElement(style, "LineStyle")
        _add(line, "color", LINES[side])
        _add(line, "width", "4")
        _add(SubElement(style, "PolyStyle"), "color", FILLS[side])


def _add_finding(document: Element, report: Report, finding: Finding) -> None:
    folder = SubElement(document, "Folder", id=_xml_id(finding.id))
    sides = texts.sides_text(finding)
    _add(folder, "name", f"{finding.verdict} {sides}")
    said = [
        f"{finding.verdict}: {sides}, {texts.intervals_text(finding.intervals)}",
        f"closest: {texts.apart_text(finding)}",
        texts.rule_text(finding, report.rules), texts.clause_text(finding, report.rules),
        finding.reason,
    ]  # fmt: skip
    description = "\n".join(line for line in said if line)
    if cpa := finding.cpa:
        mark = _placemark(folder, f"closest, {texts.apart_text(finding)}", description)
        span = finding.intervals or (Interval(start_us=cpa.time_us, end_us=cpa.time_us),)
        _add_span(mark, span[0].start_us, span[-1].end_us)
        point = SubElement(mark, "Point")
        _add(point, "coordinates", _coordinates([(cpa.longitude_deg, cpa.latitude_deg)]))
    _add_side(folder, report.paths.get(finding.a_index), finding.intervals_a, "a")
    _add_side(folder, report.paths.get(finding.b_index), finding.intervals_b, "b")


def _add_side(
    folder: Element, path: Path | None, intervals: tuple[Interval, ...], side: str
) -> None:
    if path is None:
        return
    for piece in pieces(path, intervals):
        begin, end = (height_text(p.altitude) or "no height" for p in (piece[0], piece[-1]))
        mark = _placemark(folder, path.name, f"party {path.party}; from {begin} to {end}")
        _add_span(mark, piece[0].time_us, piece[-1].time_us)
        _add(mark, "styleUrl", f"#{side}")
        geometry = SubElement(mark, "MultiGeometry")
        for line in cut_line(line_of(piece, path.edge)):
            ends = line if len(line) > 1 else line * 2
            _add(SubElement(geometry, "LineString"), "coordinates", _coordinates(ends))
    for volume in active_volumes(path, intervals):
        _add_volume(folder, path, volume, side)


def _add_volume(folder: Element, path: Path, volume: Volume4D, side: str) -> None:
    band = texts.band_text(volume.volume)
    mark = _placemark(folder, path.name, f"party {path.party}; {band}")
    _add_span(mark, volume.start_us, volume.end_us)
    _add(mark, "styleUrl", f"#{side}")
    geometry = SubElement(mark, "MultiGeometry")
    for area in (part for one in outlines(volume.volume.shape) for part in cut_area(one)):
        polygon = SubElement(geometry, "Polygon")
        for i, ring in enumerate(area):
            boundary = SubElement(polygon, "innerBoundaryIs" if i else "outerBoundaryIs")
            coordinates = _coordinates([*ring, ring[0]])
            _add(SubElement(boundary, "LinearRing"), "coordinates", coordinates)


def _placemark(folder: Element, name: str, description: str) -> Element:
    mark = SubElement(folder, "Placemark")
    _add(mark, "name", texts.shortened(name, 100))
    _add(mark, "description", description)
    return mark


def _add_span(mark: Element, start_us: int, end_us: int) -> None:
    span = SubElement(mark, "TimeSpan")
    _add(span, "begin", format_time(start_us))
    _add(span, "end", format_time(end_us))


def _add(parent: Element, name: str, text: str) -> None:
    # A line break is no control character here: `printable` would take it away.
    SubElement(parent, name).text = "\n".join(map(texts.printable, text.split("\n")))


def _coordinates(line: Iterable[Pair]) -> str:
    return " ".join(f"{longitude:.7f},{latitude:.7f}" for longitude, latitude in line)


def _xml_id(text: str) -> str:
    """Return an id that XML allows: letters, digits, - and _, a letter first."""
    return "f-" + "".join(c if c.isascii() and (c.isalnum() or c in "-_") else "_" for c in text)
