# SPDX-License-Identifier: Apache-2.0
"""The map of all findings: a numbered mark each, which leads to its page.

The sign in a mark is the verdict's; the number is that of the index. Where marks crowd, a
number that finds no place is left out: the index has all.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np

from keepclear.agreement.findings import Finding, Verdict
from keepclear.airspace.borders import Borders
from keepclear.reports import texts
from keepclear.reports.map_ground import (
    border_lines,
    graticule,
    north_arrow,
    path_data,
    scale_bar,
)
from keepclear.reports.map_labels import Labels
from keepclear.reports.markup import Markup, joined, tag, text
from keepclear.reports.pieces import line_of, pieces
from keepclear.reports.plane import Frame, Pair, Plane, frame_round
from keepclear.reports.sides import SYMBOLS, Side
from keepclear.reports.svg_inset import inset
from keepclear.reports.svg_map import HEIGHT, WIDTH

LEAST_M: Final = 20_000.0
FILLS: Final = {
    Verdict.CONFLICT: ("#9b0000", "#fff"), Verdict.UNDETERMINED: ("#fff", "#000"),
    Verdict.BOUNDARY: ("#fff", "#000"), Verdict.LIMITED: ("#fff", "#000"),
}  # fmt: skip
PATHS_AT_MOST: Final = 50


def overview_map(
    findings: Sequence[Finding], sides: Sequence[tuple[Side, Side]], detailed: int,
    borders: Borders | None,
) -> Markup | None:  # fmt: skip
    """Return the drawing of findings in the order of the index; None where none has a place.

    Only the first `detailed` have a page to lead to.
    """
    places = [(f.cpa.longitude_deg, f.cpa.latitude_deg) for f in findings if f.cpa]
    if not places:
        return None
    plane = _plane_amid(places)
    frame = frame_round(plane, plane.xy(places), WIDTH, HEIGHT, LEAST_M, rim_share=0.15)
    labels = Labels(width=WIDTH, height=HEIGHT)
    over = [north_arrow(frame, labels), scale_bar(frame, labels), inset(frame, borders, labels)]
    numbered = [(i, f) for i, f in enumerate(findings, 1) if f.cpa]
    marks = [_mark(i, f, frame, labels, detailed) for i, f in numbered]
    under = [graticule(frame, labels), border_lines(frame, borders)]
    lines = [_close_parts(side, frame) for pair in sides[:PATHS_AT_MOST] for side in pair]
    clipped = tag("g", *under, *lines, clip_path="url(#map-edge)")
    rim = tag("rect", x=0, y=0, width=WIDTH, height=HEIGHT, class_="rim")
    return tag(
        "svg", clipped, *over, *reversed(marks), rim, viewBox=f"0 0 {WIDTH:.0f} {HEIGHT:.0f}",
        class_="map", role="img", aria_label="Map of all findings",
    )  # fmt: skip


def _plane_amid(places: Sequence[Pair]) -> Plane:
    """Return the plane at the middle of the places, as directions from the earth's centre."""
    longitude, latitude = np.radians(np.asarray(places)).T
    x = float((np.cos(latitude) * np.cos(longitude)).mean())
    y = float((np.cos(latitude) * np.sin(longitude)).mean())
    z = float(np.sin(latitude).mean())
    return Plane(
        latitude_deg=float(np.degrees(np.arctan2(z, np.hypot(x, y)))),
        longitude_deg=float(np.degrees(np.arctan2(y, x))),
    )


def _close_parts(side: Side, frame: Frame) -> Markup:
    parts = [
        part
        for piece in pieces(side.path, side.intervals)
        for part in frame.lines(line_of(piece, side.path.edge))
    ]
    return joined(
        tag("path", d=path_data(part), fill="none", stroke=side.colour, stroke_width=2,
            stroke_dasharray=side.dash)
        for part in parts
    )  # fmt: skip


def _mark(place: int, finding: Finding, frame: Frame, labels: Labels, detailed: int) -> Markup:
    cpa = finding.cpa
    if cpa is None:
        raise ValueError("a finding without a closest point has no mark")
    x, y = frame.draw([(cpa.longitude_deg, cpa.latitude_deg)])[0].tolist()
    fill, ink = FILLS[finding.verdict]
    words = f"{place}: {finding.verdict}, {texts.sides_text(finding)}"
    dash = "3 2" if finding.verdict is Verdict.UNDETERMINED else None
    labels.keep_free(x - 7, y - 7, x + 7, y + 7)
    around = [(x + dx * 18, y + dy * 14) for dx, dy in ((1, 0), (-1, 0), (0, -1), (0, 1), (1, -1))]
    mark = tag(
        "g", tag("title", text(words)),
        tag("circle", cx=x, cy=y, r=8, fill=fill, stroke="#000" if fill == "#fff" else "#fff",
            stroke_width=1.5, stroke_dasharray=dash),
        tag("text", text(SYMBOLS[finding.verdict]), x=x, y=y + 4.5, text_anchor="middle",
            fill=ink, font_size=13, font_weight="bold"),
        labels.put(str(place), around, 13, bold=True),
    )  # fmt: skip
    return tag("a", mark, href=f"#finding-{place}") if place <= detailed else mark
