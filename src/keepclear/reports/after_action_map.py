# SPDX-License-Identifier: Apache-2.0
"""The map of a record's range: what operations took up, and what was shown of them.

Solid and hatched: volumes as they were filed, where the file has them. Dashed: the box that the
other side was shown. A party has one colour; a word stands at each area. Of an operation the
last version is drawn, of what was shown the last box.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from keepclear.airspace.altitudes import Altitude, parse_altitude
from keepclear.airspace.borders import Borders
from keepclear.airspace.positions import Edge, Position
from keepclear.airspace.volumes import Polygon, Volume3D, Volume4D
from keepclear.errors import InputError
from keepclear.exchange.disclosure import Shown
from keepclear.exchange.rounding import Box
from keepclear.plans.operations import Operation
from keepclear.reports.after_action import OperationStory
from keepclear.reports.map_ground import (
    border_lines,
    graticule,
    north_arrow,
    path_data,
    scale_bar,
)
from keepclear.reports.map_labels import Labels
from keepclear.reports.markup import NOTHING, Markup, joined, tag
from keepclear.reports.outlines import Area, outlines
from keepclear.reports.plane import Frame, Pair, Plane, frame_round

WIDTH: Final = 760.0
HEIGHT: Final = 430.0
LEAST_M: Final = 5_000.0
DRAWN_AT_MOST: Final = 200
BOX_DASH: Final = "8 5"


def range_map(
    stories: Sequence[OperationStory], colours: Mapping[str, str], borders: Borders | None
) -> Markup | None:
    """Return the drawing; None where the file has no place to draw."""
    drawn = stories[:DRAWN_AT_MOST]
    areas = {each.id: _areas(each) for each in drawn}
    boxes = {each.id: _boxes(each) for each in drawn}
    places = [at for each in drawn for area in (*areas[each.id], *boxes[each.id]) for at in area[0]]
    if not places:
        return None
    frame = frame_round(_plane(places), _plane(places).xy(places), WIDTH, HEIGHT, LEAST_M)
    labels = Labels(width=WIDTH, height=HEIGHT)
    over = [north_arrow(frame, labels), scale_bar(frame, labels)]
    letters = dict(zip(sorted(colours), "AB" * len(colours), strict=False))
    shapes = [
        _shape(areas[each.id], boxes[each.id], colours[each.party], letters[each.party], frame)
        for each in drawn
    ]
    names = [_name(each, [*areas[each.id], *boxes[each.id]], colours, frame, labels)
             for each in drawn]  # fmt: skip
    ground = [graticule(frame, labels), border_lines(frame, borders)]
    clipped = tag("g", *ground, *shapes, clip_path="url(#map-edge)")
    rim = tag("rect", x=0, y=0, width=WIDTH, height=HEIGHT, class_="rim")
    return tag("svg", clipped, *over, *names, rim, viewBox=f"0 0 {WIDTH:.0f} {HEIGHT:.0f}",
               class_="map", role="img", aria_label="Map of the operations")  # fmt: skip


def volumes_of(operation: Operation | None, shown: Shown | None) -> tuple[Volume4D, ...]:
    """Return what is drawn of one side of a conflict: as it was shown, else as it was filed."""
    given = () if shown is None else shown.volumes or box_volumes(shown)
    if given or operation is None:
        return given
    return (*operation.volumes, *operation.off_nominal)


def box_volumes(shown: Shown) -> tuple[Volume4D, ...]:
    """Return the box that was shown, in its heights and times; () where it has no area or time."""
    if shown.box is None or shown.from_us is None or shown.to_us is None:
        return ()
    limits = {"lower": _altitude(shown.lower), "upper": _altitude(shown.upper)}
    shape = Polygon(
        ring=tuple(Position(latitude_deg=y, longitude_deg=_turned(x)) for x, y in _ring(shown.box)),
        edge=Edge.PLANAR,
    )
    return (
        Volume4D(
            volume=Volume3D(shape=shape, **limits), start_us=shown.from_us, end_us=shown.to_us
        ),
    )


def _altitude(text: str | None) -> Altitude | None:
    """Return a limit as it was shown in words; None for none, and for what is no height."""
    try:
        return None if text is None else parse_altitude(text)
    except InputError:
        return None


def _turned(longitude_deg: float) -> float:
    return (longitude_deg + 180) % 360 - 180


def _ring(box: Box) -> list[Pair]:
    """Return a box as a ring; its long sides have points between, for wide boxes."""
    steps = max(2, math.ceil((box.east_deg - box.west_deg) / 5))
    across = [box.west_deg + (box.east_deg - box.west_deg) * i / steps for i in range(steps + 1)]
    south = [(x, box.south_deg) for x in across]
    north = [(x, box.north_deg) for x in reversed(across)]
    return [*south, *north]


def _areas(story: OperationStory) -> list[Area]:
    if story.latest is not None:
        volumes: Iterable[Volume4D] = (*story.latest.volumes, *story.latest.off_nominal)
    else:
        given = [each.volumes for each in story.shown.values() if each.volumes is not None]
        volumes = given[-1] if given else ()
    return [area for each in volumes for area in outlines(each.volume.shape)]


def _boxes(story: OperationStory) -> list[Area]:
    found = dict.fromkeys(each.box for each in story.shown.values() if each.box is not None)
    return [[_ring(each)] for each in found]


def _plane(places: Sequence[Pair]) -> Plane:
    """Return the plane round the middle of all places, past 180 degrees too."""
    first = places[0][0]
    longitudes = [x - 360 * round((x - first) / 360) for x, _ in places]
    latitudes = [y for _, y in places]
    longitude = _turned((min(longitudes) + max(longitudes)) / 2)
    return Plane(latitude_deg=(min(latitudes) + max(latitudes)) / 2, longitude_deg=longitude)


def _shape(
    areas: Sequence[Area], boxes: Sequence[Area], colour: str, letter: str, frame: Frame
) -> Markup:
    """Return an operation: hatched where it was filed, dashed what was shown of it."""
    filed = [d for area in areas if (d := _data(area, frame))]
    seen = [d for area in boxes if (d := _data(area, frame))]
    edges = [
        tag("path", d=d, class_="filed", fill="none", stroke=colour, stroke_width=2.5)
        for d in filed
    ]
    rule = "evenodd" if len(filed) == 1 else "nonzero"
    hatch = f"url(#hatch-{letter}-{colour[1:]})"
    fill = tag("path", d="".join(filed), fill=hatch, fill_rule=rule) if filed else NOTHING
    dashed = [
        tag(
            "path",
            d=d,
            class_="shown",
            fill="none",
            stroke=colour,
            stroke_width=2,
            stroke_dasharray=BOX_DASH,
        )
        for d in seen
    ]
    return tag("g", fill, *edges, *dashed)


def _data(area: Area, frame: Frame) -> str:
    rings = [frame.ring(ring) for ring in area]
    return "".join(path_data(ring, closed=True) for ring in rings if len(ring) > 2)


def _name(
    story: OperationStory, areas: Sequence[Area], colours: Mapping[str, str], frame: Frame,
    labels: Labels,
) -> Markup:  # fmt: skip
    corners = [
        (float(x), float(y))
        for area in areas
        for x, y in frame.ring(area[0]).tolist()
        if frame.holds(x, y)
    ]
    if not corners:
        return NOTHING
    middle = (
        sum(x for x, _ in corners) / len(corners), sum(y for _, y in corners) / len(corners),
    )  # fmt: skip
    tops = sorted(corners, key=lambda at: at[1])
    places = [middle, *((x, y + off) for x, y in tops[:: max(1, len(tops) // 12)]
                        for off in (-12.0, 14.0))]  # fmt: skip
    return labels.put(story.name, places, 14, must=True, bold=True, fill=colours[story.party])


def key_words() -> Markup:
    """Return what the lines of the map stand for."""
    solid = tag("line", x1=0, x2=46, y1=5, y2=5, stroke="#111", stroke_width=3)
    dashed = tag("line", x1=0, x2=46, y1=5, y2=5, stroke="#111", stroke_width=3,
                 stroke_dasharray=BOX_DASH)  # fmt: skip
    parts = []
    for line, words in ((solid, "as filed"), (dashed, "the box that the other side was shown")):
        drawn = tag("svg", line, viewBox="0 0 46 10", class_="inline", aria_hidden="true")
        parts.append(tag("span", drawn, Markup(words), class_="side-key"))
    return joined(parts)
