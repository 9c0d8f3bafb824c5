# SPDX-License-Identifier: Apache-2.0
"""Heights of both plans against time, thick during the finding, whose intervals are shaded.

With time tolerances each plan is thick on its own clock, and nothing is shaded.

One panel a scale of heights (`profile_panels`). Where there are two or more, the drawing says
that they cannot be compared. A side of a band that has no limit on a scale has no line there.
"""

import math
from collections.abc import Callable, Iterator
from typing import Final

from keepclear.agreement.findings import Finding, Verdict
from keepclear.airspace.altitudes import Altitude, Reference
from keepclear.reports import texts
from keepclear.reports.markup import NOTHING, Markup, joined, number, tag, text
from keepclear.reports.plane import thinned
from keepclear.reports.profile_panels import Band, Panel, panels_of
from keepclear.reports.sides import Side
from keepclear.reports.svg_time import LEFT, WIDTH, bar, time_grid
from keepclear.reports.time_scale import TimeScale

PANEL: Final = 150.0
SMALL_PANEL: Final = 88.0  # where there are two or more: a finding fits on one sheet
TITLE: Final = 18.0
TIMES: Final = 24.0
LINES_AT_MOST: Final = 5
LEAST_SPAN_FT: Final = 400.0
WORDS: Final = {
    Reference.STANDARD: "Pressure altitude (1013.25 hPa)",
    Reference.QNH: "Altitude on QNH",
    Reference.QFE: "Height above an aerodrome (QFE)",
    Reference.AMSL: "Height above mean sea level",
    Reference.WGS84: "Height above the WGS 84 ellipsoid",
    Reference.AGL: "Height above the ground",
}
OnPanel = Callable[[float], float]  # feet -> y of the drawing


def altitude_profile(finding: Finding, sides: tuple[Side, Side], scale: TimeScale) -> Markup:
    """Return the drawing with the sentences that go with it."""
    panels, words = panels_of(sides, scale)
    if len(panels) > 1:
        words.insert(0, _apart(finding))
    said = joined(tag("p", text(line), class_="words") for line in words)
    if not panels:
        return said
    tall = PANEL if len(panels) == 1 else SMALL_PANEL
    every = tall + TITLE + TIMES
    drawn = [_panel(p, finding, scale, (i * every + TITLE, tall)) for i, p in enumerate(panels)]
    height = len(panels) * every
    picture = tag("svg", *drawn, viewBox=f"0 0 {WIDTH:.0f} {height:.0f}", class_="profile",
                  role="img", aria_label="Heights of both plans against time")  # fmt: skip
    return joined([said, picture])


def _apart(finding: Finding) -> str:
    said = "Heights on different scales below cannot be compared with each other."
    if finding.verdict is Verdict.UNDETERMINED:
        return f"UNDETERMINED. {said}"
    return said


def _panel(panel: Panel, finding: Finding, scale: TimeScale, place: tuple[float, float]) -> Markup:
    """Return a panel; `place` is its top on the drawing and how tall it is."""
    top, tall = place
    bottom = top + tall
    low, high, step = height_range(panel.heights_ft())

    def y(height_ft: float) -> float:
        return bottom - (height_ft - low) / (high - low) * tall

    middle = (top + bottom) / 2
    look = f"shade {finding.verdict}"
    shaded = () if texts.has_own_clocks(finding) else finding.intervals
    shades = [bar(one, scale, middle, tall, class_=look) for one in shaded]
    grid = [
        _height_line(low + i * step, panel, scale, y) for i in range(round((high - low) / step) + 1)
    ]
    bands = [_band(band, scale, y, (top, bottom)) for band in panel.bands]
    lines = [
        _line(side, [(scale.x(t), y(ft)) for t, ft in line], wide)
        for wide, some in ((2.0, panel.lines), (5.0, panel.close_lines()))
        for side, line in some
    ]
    return tag(
        "g", _title(panel.reference, top), *shades, time_grid(scale, top, bottom), *grid, *bands,
        *lines, _closest(panel, finding, scale, y), *_names(panel, scale, y, top),
    )  # fmt: skip


def _title(reference: Altitude, top: float) -> Markup:
    datum = f", {reference.datum}" if reference.datum else ""
    unit = "flight levels" if reference.reference is Reference.STANDARD else "feet"
    words = f"{WORDS[reference.reference]}{datum}, {unit}"
    return tag("text", text(texts.shortened(words, 80)), x=LEFT, y=top - 6, class_="row")


def _height_line(at_ft: float, panel: Panel, scale: TimeScale, y: OnPanel) -> Markup:
    line = tag("line", x1=scale.left, x2=scale.right, y1=y(at_ft), y2=y(at_ft), class_="grid")
    words = text(height_label(at_ft, panel.reference))
    return tag("g", line, tag("text", words, x=LEFT - 8, y=y(at_ft) + 2, text_anchor="end",
                              class_="tick"))  # fmt: skip


def _line(side: Side, points: list[tuple[float, float]], wide: float) -> Markup:
    if len(points) == 1:
        return tag("circle", cx=points[0][0], cy=points[0][1], r=4, fill=side.colour)
    shown = thinned(points).tolist()
    d = "M" + "L".join(f"{number(x)} {number(y)}" for x, y in shown)
    return tag("path", d=d, fill="none", stroke=side.colour, stroke_width=wide,
               stroke_dasharray=side.dash)  # fmt: skip


def _band(band: Band, scale: TimeScale, y: OnPanel, edges: tuple[float, float]) -> Markup:
    """Return a band, with lines where it has limits and starts or ends."""
    x, to_x = scale.held(band.start_us), scale.held(band.end_us)
    top = edges[0] if band.upper_ft is None else y(band.upper_ft)
    bottom = edges[1] if band.lower_ft is None else y(band.lower_ft)
    colour = band.side.colour
    area = tag("rect", x=x, y=top, width=max(to_x - x, 1.0), height=max(bottom - top, 1.0),
               fill=f"url(#hatch-{band.side.letter}-{colour[1:]})")  # fmt: skip
    across = [f"M{number(x)} {number(at)}H{number(to_x)}" for at, limit in (
        (top, band.upper_ft), (bottom, band.lower_ft)) if limit is not None]  # fmt: skip
    ends = [f"M{number(at)} {number(top)}V{number(bottom)}" for at, time_us in (
        (x, band.start_us), (to_x, band.end_us)) if scale.shows(time_us, time_us)]  # fmt: skip
    edge = tag("path", d="".join(across + ends), fill="none", stroke=colour, stroke_width=2,
               stroke_dasharray=band.side.dash)  # fmt: skip
    return tag("g", area, edge)


def _closest(panel: Panel, finding: Finding, scale: TimeScale, y: OnPanel) -> Markup:
    """Return a black line between the heights of two flights at the closest point."""
    if finding.cpa is None or texts.has_own_clocks(finding):
        return NOTHING
    at_us = finding.cpa.time_us
    a, b = panel.height_ft("A", at_us), panel.height_ft("B", at_us)
    if a is None or b is None or finding.cpa.vertical_m is None:
        return NOTHING
    x = scale.x(at_us)
    line = tag("line", x1=x, x2=x, y1=y(a), y2=y(b), class_="closest")
    words = text(texts.vertical_text(finding.cpa.vertical_m))
    return tag("g", line, tag("text", words, x=x + 6, y=(y(a) + y(b)) / 2 + 4, class_="label"))


def _names(panel: Panel, scale: TimeScale, y: OnPanel, top: float) -> Iterator[Markup]:
    """Yield the names beside the lines: A at its left end, B at its right end."""
    seen: set[str] = set()
    for letter, pick in (("A", min), ("B", max)):
        if own := [(side, point) for side, line in panel.lines for point in line
                   if side.letter == letter]:  # fmt: skip
            side, (time_us, height_ft) = pick(own, key=lambda one: one[1])
            yield _name(side, "", scale.x(time_us), y(height_ft) - 6)
            seen.add(letter)
    for band in panel.bands:
        x = scale.held(band.start_us if band.side.letter == "A" else band.end_us)
        below = top if band.upper_ft is None else y(band.upper_ft)
        if band.side.letter not in seen:
            yield _name(band.side, f": {band.words}", x, below + 15)
        seen.add(band.side.letter)


def _name(side: Side, more: str, x: float, y: float) -> Markup:
    words = text(f"{side.letter} {texts.shortened(side.name, 24)}{more}")
    is_a = side.letter == "A"
    return tag("text", words, x=x + (5 if is_a else -5), y=y, fill=side.colour, class_="label",
               text_anchor="start" if is_a else "end")  # fmt: skip


def height_range(heights_ft: list[float]) -> tuple[float, float, float]:
    """Return lowest, highest and step of a scale of round heights that holds all of them."""
    low, high = min(heights_ft, default=0.0), max(heights_ft, default=0.0)
    room = max((high - low) * 0.15, (LEAST_SPAN_FT - (high - low)) / 2)
    low, high = low - room, high + room
    power = 10.0 ** math.floor(math.log10((high - low) / LINES_AT_MOST))
    step = next(m * power for m in (1, 2, 5, 10) if (high - low) / (m * power) <= LINES_AT_MOST)
    return math.floor(low / step) * step, math.ceil(high / step) * step, step


def height_label(height_ft: float, reference: Altitude) -> str:
    """Return a height on a scale: FL350 on standard pressure, else 1,200 ft."""
    if reference.reference is Reference.STANDARD and height_ft % 100 == 0 and height_ft >= 0:
        return f"FL{height_ft / 100:03.0f}"
    return f"{height_ft:,.0f} ft"
