# SPDX-License-Identifier: Apache-2.0
"""The time axis of a finding: one row for the clock, one for each plan.

A thin line is when a plan is known to be there, a thick bar when the finding is, a
hatched piece a gap in which nothing is known. A mark of no length is still two pixels wide.
"""

from collections.abc import Iterator, Sequence
from typing import Final

from keepclear.agreement.findings import Finding, Interval
from keepclear.checks.report import Gap
from keepclear.reports import texts
from keepclear.reports.markup import Markup, joined, tag, text
from keepclear.reports.sides import Side
from keepclear.reports.time_scale import TimeScale

WIDTH: Final = 760.0
LEFT: Final = 150.0
RIGHT: Final = 728.0
ROW: Final = 22.0
TOP: Final = 8.0
LEAST_BAR: Final = 2.0


def time_axis(
    finding: Finding, sides: tuple[Side, Side], gaps: Sequence[Gap], scale: TimeScale
) -> Markup:
    """Return the drawing."""
    rows = [_clock_row(finding, scale, TOP + ROW / 2)]
    for i, side in enumerate(sides, 1):
        rows.append(_side_row(side, gaps, scale, TOP + ROW * (i + 0.5)))
    bottom = TOP + ROW * 3 + 2
    words = f"Time axis: {texts.intervals_text(finding.intervals)}"
    return tag(
        "svg", time_grid(scale, TOP, bottom), *rows, _closest(finding, scale, bottom),
        viewBox=f"0 0 {WIDTH:.0f} {bottom + 20:.0f}", class_="axis", role="img", aria_label=words,
    )  # fmt: skip


def time_grid(scale: TimeScale, top: float, bottom: float) -> Markup:
    """Return the ticks with their times below, as lines through the whole height."""
    parts: list[Markup] = [
        tag("line", x1=scale.left, x2=scale.right, y1=bottom, y2=bottom, class_="frame")
    ]
    for x, label in scale.ticks():
        parts.append(tag("line", x1=x, x2=x, y1=top, y2=bottom, class_="grid"))
        words = text(label)
        parts.append(tag("text", words, x=x, y=bottom + 14, text_anchor="middle", class_="tick"))
    return joined(parts)


def _clock_row(finding: Finding, scale: TimeScale, y: float) -> Markup:
    bars = [
        bar(one, scale, y, 12.0, class_=f"clock {finding.verdict}") for one in finding.intervals
    ]
    return tag("g", _name(finding.verdict, y), *bars)


def _side_row(side: Side, gaps: Sequence[Gap], scale: TimeScale, y: float) -> Markup:
    known = [
        tag("line", x1=scale.held(start), x2=scale.held(end), y1=y, y2=y, stroke=side.colour,
            stroke_width=2, stroke_dasharray=side.dash)
        for start, end in _presence(side) if scale.shows(start, end)
    ]  # fmt: skip
    bars = [bar(one, scale, y, 10.0, fill=side.colour, class_="solid") for one in side.intervals]
    unknown = [
        bar(Interval(start_us=gap.start_us, end_us=gap.end_us), scale, y, 14.0,
            fill="url(#gap)", stroke="#555", class_="hatched")
        for gap in gaps if gap.plan == side.name and scale.shows(gap.start_us, gap.end_us)
    ]  # fmt: skip
    name = _name(f"{side.letter} {texts.shortened(side.name, 14)}", y, side.colour)
    return tag("g", name, *known, *unknown, *bars)


def _presence(side: Side) -> Iterator[tuple[int, int]]:
    for stretch in side.path.stretches:
        if stretch:
            yield stretch[0].time_us, stretch[-1].time_us
    for volume in side.path.volumes:
        yield volume.start_us, volume.end_us


def bar(interval: Interval, scale: TimeScale, y: float, thick: float, **look: str) -> Markup:
    """Return an interval as a bar round a height of the drawing, never too thin to see."""
    x, to_x = scale.held(interval.start_us), scale.held(interval.end_us)
    wide = max(to_x - x, LEAST_BAR)
    start = min(x - (LEAST_BAR / 2 if wide == LEAST_BAR else 0), scale.right - wide)
    return tag("rect", x=start, y=y - thick / 2, width=wide, height=thick, **look)


def _name(words: str, y: float, colour: str = "#000") -> Markup:
    return tag(
        "text", text(words), x=LEFT - 8, y=y + 4, text_anchor="end", fill=colour, class_="row"
    )


def _closest(finding: Finding, scale: TimeScale, bottom: float) -> Markup:
    if finding.cpa is None or not scale.shows(finding.cpa.time_us, finding.cpa.time_us):
        return text("")
    x = scale.x(finding.cpa.time_us)
    return tag("line", tag("title", text("closest point of approach")),
               x1=x, x2=x, y1=TOP - 4, y2=bottom, class_="closest")  # fmt: skip
