# SPDX-License-Identifier: Apache-2.0
"""Heights of both plans against time, with the conflict shaded.

Heights share a panel only where they can be compared. Where they cannot, each reference has a
panel of its own and the drawing says that they are not comparable. A plan without heights is
named in words. Volumes are bands; a band without a limit goes to the edge of its panel.
"""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import groupby
from typing import Final

from keepclear.agreement.findings import Finding
from keepclear.airspace.altitudes import Altitude, Reference, are_comparable
from keepclear.checks.report import PathPoint
from keepclear.reports import texts
from keepclear.reports.markup import Markup, joined, number, tag, text
from keepclear.reports.pieces import cut
from keepclear.reports.sides import Side
from keepclear.reports.svg_time import LEFT, WIDTH, bar, time_grid
from keepclear.reports.time_scale import TimeScale
from keepclear.units import TMM_PER_FOOT

PANEL: Final = 150.0
TITLE: Final = 18.0
LINES_AT_MOST: Final = 5
LEAST_SPAN_FT: Final = 200.0
WORDS: Final = {
    Reference.STANDARD: "Pressure altitude (1013.25 hPa)",
    Reference.QNH: "Altitude on QNH",
    Reference.QFE: "Height above an aerodrome (QFE)",
    Reference.AMSL: "Height above mean sea level",
    Reference.WGS84: "Height above the WGS 84 ellipsoid",
    Reference.AGL: "Height above the ground",
}


@dataclass(kw_only=True)
class Panel:
    """One scale of heights and what is drawn on it; heights in feet, None for no limit."""

    reference: Altitude
    lines: list[tuple[Side, list[tuple[int, float]]]] = field(default_factory=list)
    bands: list[tuple[Side, int, int, float | None, float | None]] = field(default_factory=list)

    def heights_ft(self) -> list[float]:
        """Return every height that must show."""
        limits = (limit for band in self.bands for limit in band[3:] if limit is not None)
        return [ft for _, line in self.lines for _, ft in line] + list(limits)


def altitude_profile(finding: Finding, sides: tuple[Side, Side], scale: TimeScale) -> Markup:
    """Return the drawing with the sentences that go with it."""
    panels: list[Panel] = []
    words: list[str] = []
    for side in sides:
        words.extend(_add_side(panels, side, scale))
    if len(panels) > 1:
        words.insert(
            0, "UNDETERMINED: these heights cannot be compared, so each has its own scale."
        )
    drawn = [_panel(panel, finding, scale, i) for i, panel in enumerate(panels)]
    height = len(panels) * (PANEL + TITLE + 24)
    said = joined(tag("p", text(line), class_="words") for line in words)
    if not panels:
        return said
    picture = tag("svg", *drawn, viewBox=f"0 0 {WIDTH:.0f} {height:.0f}", class_="profile",
                  role="img", aria_label="Heights of both plans against time")  # fmt: skip
    return joined([said, picture])


def _add_side(panels: list[Panel], side: Side, scale: TimeScale) -> Iterable[str]:
    """Add the heights of a side to the panels; return what has to be said about them."""
    known = missing = False
    for stretch in side.path.stretches:
        piece = cut(stretch, scale.start_us, scale.end_us)
        for reference, run in _runs(piece):
            if reference is None:
                missing = True
            else:
                known = True
                _panel_for(panels, reference, side).lines.append((side, run))
    for volume in side.path.volumes:
        lower, upper = volume.volume.lower, volume.volume.upper
        if not scale.shows(volume.start_us, volume.end_us):
            continue
        known = True
        for panel in _panels_for_band(panels, lower, upper, side):
            band = (
                side,
                volume.start_us,
                volume.end_us,
                _ft_on(panel, lower),
                _ft_on(panel, upper),
            )
            panel.bands.append(band)
    name = f"{side.letter} {texts.shortened(side.name, 40)}"
    if missing and known:
        return [f"{name}: for some of this time its file gives no height."]
    return [] if known else [f"{name}: no height is known at this time."]


def _runs(piece: tuple[PathPoint, ...]) -> list[tuple[Altitude | None, list[tuple[int, float]]]]:
    """Return runs of points on one reference; None stands for points without a height."""

    def key(point: PathPoint) -> tuple[Reference, str | None] | None:
        return (point.altitude.reference, point.altitude.datum) if point.altitude else None

    runs: list[tuple[Altitude | None, list[tuple[int, float]]]] = []
    for _, group in groupby(piece, key):
        points = list(group)
        line = [(p.time_us, _ft(p.altitude)) for p in points if p.altitude is not None]
        runs.append((points[0].altitude, line))
    return runs


def _panel_for(panels: list[Panel], altitude: Altitude, side: Side) -> Panel:
    for panel in panels:
        reference = panel.reference
        drawn = [one for one, *_ in panel.lines] + [one for one, *_ in panel.bands]
        is_same = (reference.reference, reference.datum) == (altitude.reference, altitude.datum)
        if are_comparable(reference, altitude) or (is_same and all(s is side for s in drawn)):
            return panel
    panels.append(Panel(reference=altitude))
    return panels[-1]


def _panels_for_band(
    panels: list[Panel], lower: Altitude | None, upper: Altitude | None, side: Side
) -> list[Panel]:
    """Return the panels a band is drawn on: those of its limits; without any limit, every one."""
    limits = [limit for limit in (lower, upper) if limit is not None]
    found: list[Panel] = []
    for limit in limits:
        panel = _panel_for(panels, limit, side)
        if panel not in found:
            found.append(panel)
    return found or panels[:]


def _ft(altitude: Altitude) -> float:
    return altitude.height_tmm / TMM_PER_FOOT


def _ft_on(panel: Panel, limit: Altitude | None) -> float | None:
    """Return a limit in feet where it belongs on a panel."""
    own = panel.reference
    if limit is None or (limit.reference, limit.datum) != (own.reference, own.datum):
        return None
    return _ft(limit)


def _panel(panel: Panel, finding: Finding, scale: TimeScale, place: int) -> Markup:
    top = place * (PANEL + TITLE + 24) + TITLE
    bottom = top + PANEL
    low, high, step = height_range(panel.heights_ft())

    def y(height_ft: float | None, edge: float) -> float:
        if height_ft is None or not math.isfinite(height_ft):
            return edge
        return bottom - (height_ft - low) / (high - low) * PANEL

    shades = [
        bar(one, scale, (top + bottom) / 2, PANEL, class_="shade") for one in finding.intervals
    ]
    grid = []
    for i in range(round((high - low) / step) + 1):
        at = low + i * step
        line = tag("line", x1=scale.left, x2=scale.right, y1=y(at, 0), y2=y(at, 0), class_="grid")
        label = tag("text", text(height_label(at, panel.reference)), x=LEFT - 8, y=y(at, 0) + 4,
                    text_anchor="end", class_="tick")  # fmt: skip
        grid += [line, label]
    datum = f", {panel.reference.datum}" if panel.reference.datum else ""
    title = tag("text", text(f"{WORDS[panel.reference.reference]}{datum}, in feet"),
                x=LEFT, y=top - 6, class_="row")  # fmt: skip
    bands = [_band(band, scale, y(band[4], top), y(band[3], bottom)) for band in panel.bands]
    lines = [_line(side, [(scale.x(t), y(ft, 0)) for t, ft in line]) for side, line in panel.lines]
    names = _names(panel, scale, lambda ft: y(ft, top))
    return tag("g", title, *shades, time_grid(scale, top, bottom), *grid, *bands, *lines, names)


def _line(side: Side, points: list[tuple[float, float]]) -> Markup:
    if len(points) == 1:
        return tag("circle", cx=points[0][0], cy=points[0][1], r=4, fill=side.colour)
    d = "M" + "L".join(f"{number(x)} {number(y)}" for x, y in points)
    return tag("path", d=d, fill="none", stroke=side.colour, stroke_width=2.5,
               stroke_dasharray=side.dash)  # fmt: skip


def _band(
    band: tuple[Side, int, int, float | None, float | None], scale: TimeScale, top: float,
    bottom: float,
) -> Markup:  # fmt: skip
    side, start_us, end_us, *_ = band
    x, to_x = scale.held(start_us), scale.held(end_us)
    hatch = f"url(#hatch-{side.letter}-{side.colour[1:]})"
    return tag("rect", x=x, y=top, width=max(to_x - x, 1.0), height=max(bottom - top, 1.0),
               fill=hatch, stroke=side.colour, stroke_width=1.5, stroke_dasharray=side.dash)  # fmt: skip


def _names(panel: Panel, scale: TimeScale, y: Callable[[float], float]) -> Markup:
    """Return the names beside the lines: A at its left end, B at its right end."""
    parts: dict[str, Markup] = {}
    for side, line in panel.lines:
        at, anchor = (line[0], "start") if side.letter == "A" else (line[-1], "end")
        x = scale.x(at[0]) + (4 if side.letter == "A" else -4)
        if side.letter == "B" or "A" not in parts:
            parts[side.letter] = _name(side, x, y(at[1]) - 5, anchor)
    for side, start_us, end_us, _, upper_ft in panel.bands:
        x = (scale.held(start_us) + scale.held(end_us)) / 2
        inside = y(upper_ft) + 14 if upper_ft is not None else y(math.inf) + 14
        parts.setdefault(side.letter, _name(side, x, inside, "middle"))
    return joined(parts.values())


def _name(side: Side, x: float, y: float, anchor: str) -> Markup:
    words = text(f"{side.letter} {texts.shortened(side.name, 24)}")
    return tag("text", words, x=x, y=y, text_anchor=anchor, fill=side.colour, class_="label")


def height_range(heights_ft: list[float]) -> tuple[float, float, float]:
    """Return lowest, highest and step of a scale of round heights that holds all of them."""
    low, high = min(heights_ft, default=0.0), max(heights_ft, default=0.0)
    room = max((high - low) * 0.15, (LEAST_SPAN_FT - (high - low)) / 2, 50.0)
    low, high = low - room, high + room
    power = 10.0 ** math.floor(math.log10((high - low) / LINES_AT_MOST))
    step = next(m * power for m in (1, 2, 5, 10) if (high - low) / (m * power) <= LINES_AT_MOST)
    return math.floor(low / step) * step, math.ceil(high / step) * step, step


def height_label(height_ft: float, reference: Altitude) -> str:
    """Return a height on a scale: FL350 on standard pressure, else 1,200 ft."""
    if reference.reference is Reference.STANDARD and height_ft % 100 == 0 and height_ft >= 0:
        return f"FL{height_ft / 100:03.0f}"
    return f"{height_ft:,.0f} ft"
