# SPDX-License-Identifier: Apache-2.0
"""The map of one finding: both plans, where they are too close, and the closest point.

North is up at the closest point and distances from it are true (`plane`). The whole path is
thin, its part in conflict thick, arrows show the way and carry times. The frame holds the
parts in conflict with room round them.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Final

import numpy as np

from keepclear.agreement.findings import Finding
from keepclear.airspace.borders import Borders
from keepclear.airspace.volumes import Volume4D
from keepclear.reports import texts
from keepclear.reports.map_ground import (
    border_lines,
    graticule,
    north_arrow,
    path_data,
    scale_bar,
)
from keepclear.reports.map_labels import Box, Labels
from keepclear.reports.markup import NOTHING, Markup, joined, number, tag
from keepclear.reports.outlines import outlines
from keepclear.reports.pieces import (
    Stretch,
    active_volumes,
    ends_of_closest,
    line_of,
    pieces,
    timed_line_of,
)
from keepclear.reports.plane import Floats, Frame, Pair, Plane, frame_round
from keepclear.reports.sides import Side
from keepclear.reports.svg_inset import inset
from keepclear.reports.time_scale import tick_step_us, tick_text, ticks

WIDTH: Final = 760.0
HEIGHT: Final = 430.0
LEAST_M: Final = 1_000.0
CLOSEST_LOOKS: Final = ("closest-halo", "closest")
ARROWS_AT_MOST: Final = 6
VISITS: Final = 3
LINE_EVERY_PX: Final = 6.0
LEAST_PX: Final = 4.0
SEEN_AT: Final = 200  # times tried along a path to learn when it is on the map


def finding_map(
    finding: Finding, sides: tuple[Side, Side], borders: Borders | None
) -> Markup | None:
    """Return the drawing; None where there is no place to draw."""
    frame = _frame(finding, sides)
    if frame is None:
        return None
    labels = Labels(width=WIDTH, height=HEIGHT)
    over = [north_arrow(frame, labels), scale_bar(frame, labels), inset(frame, borders, labels)]
    seen = [_Seen.of(side, frame) for side in sides]
    closest = _closest(finding, sides, frame, labels, _boxes_of_lines(seen, frame))
    names = [_name(one, frame, labels) for one in seen]
    arrows = [_arrows(one, frame, labels) for one in seen]
    under = [graticule(frame, labels), border_lines(frame, borders)]
    drawn = [_side(side, frame) for side in sides]
    clipped = tag("g", *under, *drawn, *arrows, clip_path="url(#map-edge)")
    rim = tag("rect", x=0, y=0, width=WIDTH, height=HEIGHT, class_="rim")
    return tag(
        "svg", clipped, *over, *names, closest, rim, viewBox=f"0 0 {WIDTH:.0f} {HEIGHT:.0f}",
        class_="map", role="img", aria_label=f"Map: {texts.sides_text(finding)}",
    )  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class _Seen:
    """A side's path on the map, point by point: when, and where on the drawing.

    visits: first and last time of each stay on the map in which the conflict falls; of the stay
    nearest to it where it falls in none.
    """

    side: Side
    lines: list[tuple[Floats, Floats]]
    visits: list[tuple[float, float]]

    @classmethod
    def of(cls, side: Side, frame: Frame) -> "_Seen":
        lines = []
        visits: list[tuple[float, float]] = []
        for stretch in side.path.stretches:
            times, places = timed_line_of(stretch, side.path.edge)
            drawn, when = frame.draw(places), np.asarray(times)
            lines.append((when, drawn))
            tried = np.linspace(when[0], when[-1], SEEN_AT)
            x, y = (np.interp(tried, when, drawn[:, axis]).tolist() for axis in (0, 1))
            inside = [frame.holds(*at, rim=8.0) for at in zip(x, y, strict=True)]
            visits += _runs(tried.tolist(), inside)
        visits.sort(key=lambda visit: _apart_us(visit, side))
        kept = [v for i, v in enumerate(visits) if i == 0 or not _apart_us(v, side)]
        return cls(side=side, lines=lines, visits=kept)

    def at(self, time_us: float) -> tuple[Pair, Pair] | None:
        """Return where on the drawing the plan is, and which way it goes, as a unit vector."""
        for when, drawn in self.lines:
            if when[0] <= time_us <= when[-1]:
                i = min(max(int(np.searchsorted(when, time_us)), 1), len(when) - 1)
                step = drawn[i] - drawn[i - 1] if len(when) > 1 else np.array([1.0, 0.0])
                length = float(np.hypot(*step)) or 1.0
                ahead = (float(step[0]) / length, float(step[1]) / length)
                return at_time((when, drawn), time_us), ahead
        return None


def _runs(times_us: list[float], inside: list[bool]) -> Iterator[tuple[float, float]]:
    """Yield the first and last time of each run of times that lie inside."""
    for is_inside, run in groupby(zip(times_us, inside, strict=True), key=lambda each: each[1]):
        if is_inside:
            times = [time_us for time_us, _ in run]
            yield times[0], times[-1]


def _apart_us(visit: tuple[float, float], side: Side) -> float:
    """Return how far in time a visit lies from the nearest interval of the side; 0 within."""
    return min(
        (max(one.start_us - visit[1], visit[0] - one.end_us, 0.0) for one in side.intervals),
        default=0.0,
    )


def at_time(line: tuple[Floats, Floats], time_us: float) -> Pair:
    """Return where on a drawing a line is at a time."""
    when, drawn = line
    x, y = (np.interp(time_us, when, drawn[:, axis]) for axis in (0, 1))
    return float(x), float(y)


def _frame(finding: Finding, sides: tuple[Side, Side]) -> Frame | None:
    cpa = finding.cpa
    focus = _focus(sides)
    if cpa is not None:
        focus.append((cpa.longitude_deg, cpa.latitude_deg))
    if not focus:
        return None
    longitude, latitude = focus[-1]
    plane = Plane(latitude_deg=latitude, longitude_deg=longitude)
    least_m = max(LEAST_M, 3 * cpa.lateral_m if cpa else 0.0)
    return frame_round(plane, plane.xy(focus), WIDTH, HEIGHT, least_m)


def _focus(sides: tuple[Side, Side]) -> list[Pair]:
    """Return what must show: the parts in conflict, else the smaller area, else all there is."""
    close = [
        at
        for one in sides
        for piece in pieces(one.path, one.intervals)
        for at in line_of(piece, one.path.edge)
    ]
    if close:
        return close
    areas = [
        [at for volume in _volumes(one) for area in outlines(volume.volume.shape) for at in area[0]]
        for one in sides
    ]
    if any(areas):
        return min(filter(None, areas), key=_extent_m)
    return [
        at
        for one in sides
        for stretch in one.path.stretches
        for at in line_of(stretch, one.path.edge)
    ]


def _extent_m(places: list[Pair]) -> float:
    longitude, latitude = places[0]
    xy = Plane(latitude_deg=latitude, longitude_deg=longitude).xy(places)
    return float(np.ptp(xy, axis=0).max())


def _volumes(side: Side) -> tuple[Volume4D, ...]:
    return active_volumes(side.path, side.intervals)


def _side(side: Side, frame: Frame) -> Markup:
    areas = [_volume(volume, side, frame) for volume in _volumes(side)]
    whole = [
        part
        for stretch in side.path.stretches
        for part in frame.lines(line_of(stretch, side.path.edge))
    ]
    thin = [_stroke(part, side, 1.6, side.dash) for part in whole]
    thick = [
        mark for piece in pieces(side.path, side.intervals) for mark in _thick(piece, side, frame)
    ]
    return tag("g", *areas, *thin, *thick)


def _thick(piece: Stretch, side: Side, frame: Frame) -> Iterator[Markup]:
    """Yield the mark of a part in conflict: a thick line, or a dot where it has no length."""
    parts = frame.lines(line_of(piece, side.path.edge))
    if any(np.ptp(part, axis=0).max() > LEAST_PX for part in parts):
        for part in parts:
            yield _stroke(part, side, 6.0, side.dash and "13 5")
        return
    x, y = frame.draw([(piece[0].longitude_deg, piece[0].latitude_deg)])[0].tolist()
    yield tag("circle", cx=x, cy=y, r=5, fill=side.colour)


def _stroke(points: Floats, side: Side, wide: float, dash: str | None) -> Markup:
    return tag("path", d=path_data(points), fill="none", stroke=side.colour, stroke_width=wide,
               stroke_dasharray=dash, stroke_linejoin="round")  # fmt: skip


def _volume(volume: Volume4D, side: Side, frame: Frame) -> Markup:
    """Return an area, hatched; parts that overlap have one outline, as the fill lies over it."""
    rings = [[frame.ring(ring) for ring in area] for area in outlines(volume.volume.shape)]
    shown = ["".join(path_data(r, closed=True) for r in area if len(r) > 2) for area in rings]
    if not any(shown):
        return NOTHING
    edges = [
        tag(
            "path", d=d, fill="none", stroke=side.colour, stroke_width=3, stroke_dasharray=side.dash
        )
        for d in shown
    ]
    whole = "".join(shown)
    rule = "evenodd" if len(shown) == 1 else "nonzero"
    look = {"stroke": "none", "fill_rule": rule}
    white = tag("path", d=whole, fill="#fff", **look) if len(shown) > 1 else NOTHING
    hatch = tag("path", d=whole, fill=f"url(#hatch-{side.letter}-{side.colour[1:]})", **look)
    return tag("g", *edges, white, hatch)


def _name(seen: _Seen, frame: Frame, labels: Labels) -> Markup:
    """Return letter and name of a plan beside its path, where there is room."""
    side = seen.side
    words = f"{side.letter} {texts.shortened(side.name, 24)}"
    if not seen.visits:
        return _name_of_area(words, side, frame, labels)
    start_us, end_us = seen.visits[0]
    places: list[Pair] = []
    for share in (0.06, 0.94, 0.2, 0.8, 0.35, 0.65, 0.02, 0.98):
        if at := seen.at(start_us + (end_us - start_us) * share):
            places += _beside(*at, 16.0 + 0.29 * 14 * len(words) * abs(at[1][1]))
    return labels.put(words, places, 14, must=True, bold=True, fill=side.colour)


def _name_of_area(words: str, side: Side, frame: Frame, labels: Labels) -> Markup:
    rings = [a[0] for v in _volumes(side) for a in outlines(v.volume.shape)]
    corners = [(x, y) for ring in rings for x, y in frame.ring(ring).tolist() if frame.holds(x, y)]
    places = [(x, y + off) for x, y in corners for off in (-12.0, 14.0)]
    places.append((WIDTH / 2, 40.0 if side.letter == "A" else HEIGHT - 60))
    return labels.put(words, places, 14, must=True, bold=True, fill=side.colour)


def _beside(at: Pair, ahead: Pair, off: float) -> list[Pair]:
    """Return the places on either side of a point of a path."""
    (x, y), (dx, dy) = at, ahead
    return [(x + dy * off, y - dx * off), (x - dy * off, y + dx * off)]


def _arrows(seen: _Seen, frame: Frame, labels: Labels) -> Markup:
    """Return arrowheads along a path that carry the time, where there is room for it.

    A plan may come over the map more than once: what it does before and after has none.
    """
    return joined(
        _arrows_of(seen, visit, frame, labels)
        for visit in seen.visits[:VISITS]
        if visit[0] < visit[1]
    )


def _arrows_of(seen: _Seen, visit: tuple[float, float], frame: Frame, labels: Labels) -> Markup:
    start_us, end_us = visit
    step_us = tick_step_us(end_us - start_us, ARROWS_AT_MOST)
    parts = []
    for time_us in ticks(start_us, end_us, step_us):
        found = seen.at(time_us)
        if found is None or not frame.holds(*found[0]):
            continue
        (x, y), (dx, dy) = found
        turn = np.degrees(np.arctan2(dy, dx))
        where = f"translate({number(x)} {number(y)}) rotate({turn:.0f})"
        parts.append(tag("path", d="M7 0L-5 5.5L-5-5.5Z", fill=seen.side.colour, stroke="#fff",
                         stroke_width=1, transform=where))  # fmt: skip
        words = tick_text(time_us, step_us)
        places = _beside((x, y), (dx, dy), 12.0 + 0.29 * 11 * len(words) * abs(dy))
        parts.append(labels.put(words, places, 11, fill=seen.side.colour))
    return joined(parts)


def _boxes_of_lines(seen: list[_Seen], frame: Frame) -> list[Box]:
    """Return small boxes along both paths, which long words had better not cover."""
    boxes: list[Box] = []
    for _, drawn in (line for one in seen for line in one.lines):
        for start, step in zip(drawn[:-1], np.diff(drawn, axis=0), strict=True):
            if not _may_show(start, start + step):
                continue
            parts = max(int(np.hypot(*step) // LINE_EVERY_PX), 1)
            for x, y in (start + step * (np.arange(parts) / parts)[:, None]).tolist():
                if frame.holds(x, y):
                    boxes.append((x - 3, y - 3, x + 3, y + 3))
    return boxes


def _may_show(start: Floats, end: Floats) -> bool:
    return bool(
        (np.maximum(start, end) >= 0).all() and (np.minimum(start, end) <= (WIDTH, HEIGHT)).all()
    )


def _closest(
    finding: Finding, sides: tuple[Side, Side], frame: Frame, labels: Labels, lines: list[Box]
) -> Markup:
    """Return the closest point: a black line between the two with its length and time."""
    cpa = finding.cpa
    if cpa is None:
        return NOTHING
    x, y = frame.draw([(cpa.longitude_deg, cpa.latitude_deg)])[0].tolist()
    if ends := ends_of_closest(finding, cpa, (sides[0].path, sides[1].path)):
        both = frame.draw([(end.longitude_deg, end.latitude_deg) for end in ends])
        parts = [tag("path", d=path_data(both), class_=look) for look in CLOSEST_LOOKS]
        parts += [
            tag(
                "circle",
                cx=at[0],
                cy=at[1],
                r=4.5,
                fill="#fff",
                stroke=side.colour,
                stroke_width=2.5,
            )
            for at, side in zip(both.tolist(), sides, strict=True)
        ]
    else:
        cross = tag("path", d="M-7-7L7 7M-7 7L7-7", class_="closest",
                    transform=f"translate({number(x)} {number(y)})")  # fmt: skip
        parts = [cross]
    labels.keep_free(x - 12, y - 12, x + 12, y + 12)
    apart = texts.lateral_text(cpa.lateral_m)
    if cpa.vertical_m is not None:
        apart += f", {texts.vertical_text(cpa.vertical_m)}"
    words = f"closest {texts.time_text(cpa.time_us, texts.day_text(cpa.time_us))}: {apart}"
    half = len(words) * 13 * 0.36
    around = [
        (x + dx * (half + 26), y + dy)
        for dy in (-34, 34, -62, 62, -95, 95, -125, 125)
        for dx in (1, -1)
    ]
    parts.append(labels.put(words, around, 13, must=True, bold=True, avoid=lines))
    return joined(parts)
