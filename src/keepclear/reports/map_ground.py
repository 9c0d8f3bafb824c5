# SPDX-License-Identifier: Apache-2.0
"""What lies under the paths of a map: graticule, border lines, scale bar, north.

Borders are handed in. They are reference only, and the page says so.
"""

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Final

from keepclear.airspace.border_outlines import Outline, OutlineKind, outlines
from keepclear.airspace.borders import Borders
from keepclear.reports.map_labels import Labels
from keepclear.reports.markup import NOTHING, Markup, joined, number, tag, text
from keepclear.reports.plane import Floats, Frame, Pair

STEPS_DEG: Final = (
    1 / 3600, 1 / 1200, 1 / 360, 1 / 120, 1 / 60, 1 / 30, 1 / 12, 1 / 6, 0.5, 1, 2, 5, 10, 20, 30,
)  # fmt: skip
LINES_AT_MOST: Final = 6
BAR_SHARE: Final = 0.22
METRES_A_DEGREE: Final = 111_000.0  # of latitude, about
POLAR_DEG: Final = 80.0


def path_data(points: Floats, *, closed: bool = False) -> str:
    """Return the points of a drawing as the `d` of an SVG path."""
    return "M" + "L".join(f"{number(x)} {number(y)}" for x, y in points) + ("Z" if closed else "")


def border_lines(frame: Frame, borders: Borders | None, grain_px: float = 0.7) -> Markup:
    """Return coasts, borders between states, and outlines of disputed areas, a path each."""
    if borders is None:
        return NOTHING
    west, south, east, north = frame.window()
    turn = 360 * math.floor((west + 180) / 360)
    found = outlines(
        borders, west_deg=west - turn, south_deg=south, east_deg=east - turn, north_deg=north,
        grain_deg=frame.metres_a_pixel * grain_px / METRES_A_DEGREE,
    )  # fmt: skip
    parts = []
    for kind in OutlineKind:
        lines = [_places(line) for line in found if line.kind is kind]
        d = "".join(path_data(part) for part in frame.lines(*lines))
        parts.append(tag("path", d=d, class_=kind.value) if d else NOTHING)
    return joined(parts)


def _places(line: Outline) -> list[Pair]:
    return list(zip(line.longitude_deg.tolist(), line.latitude_deg.tolist(), strict=True))


def graticule(frame: Frame, labels: Labels) -> Markup:
    """Return meridians and parallels, with degrees at the top and the left edge."""
    west, south, east, north = frame.window()
    step = _step(north - south)
    polar = max(abs(south), abs(north)) > POLAR_DEG
    step_across = max(30.0 if polar else 0.0, _step(east - west))
    parts = []
    for i in range(math.ceil(south / step), math.floor(north / step) + 1):
        line = [(west + (east - west) * j / 72, i * step) for j in range(73)]
        parts.append(_grid_line(frame, labels, line, _degrees(i * step, "NS"), from_left=True))
    for i in range(math.ceil(west / step_across), math.floor(east / step_across) + 1):
        line = [(i * step_across, south + (north - south) * j / 24) for j in range(25)]
        longitude = (i * step_across + 180) % 360 - 180
        parts.append(_grid_line(frame, labels, line, _degrees(longitude, "EW"), from_left=False))
    return joined(parts)


def scale_bar(frame: Frame, labels: Labels) -> Markup:
    """Return bars of a round number of nautical miles and of kilometres, bottom left."""
    x, y = 14.0, frame.height - 16.0
    most_m = frame.width * BAR_SHARE * frame.metres_a_pixel
    parts = []
    wide = 0.0
    for unit, metres_a_unit, up in (("NM", 1852.0, 18.0), ("km", 1000.0, 0.0)):
        length = _round_below(most_m / metres_a_unit)
        pixels = length * metres_a_unit / frame.metres_a_pixel
        d = f"M{number(x)} {number(y - up - 4)}v6h{number(pixels)}v-6"
        label = text(f"{length:g} {unit}")
        parts += [
            tag("path", d=d, class_="scale"),
            tag("text", label, x=x + pixels + 6, y=y - up + 3, class_="label", font_size=12),
        ]
        wide = max(wide, pixels)
    labels.keep_free(x - 6, y - 28, x + wide + 60, frame.height)
    back = tag("rect", x=x - 8, y=y - 32, width=wide + 72, height=44, class_="back")
    return tag("g", back, *parts)


def north_arrow(frame: Frame, labels: Labels) -> Markup:
    """Return an arrow to the north as it is at the centre; round a pole, the pole itself."""
    for pole, name in ((90.0, "North Pole"), (-90.0, "South Pole")):
        x, y = frame.draw([(0.0, pole)])[0].tolist()
        if frame.holds(x, y):
            mark = tag("circle", cx=x, cy=y, r=3, fill="#000")
            return joined([mark, labels.put(name, [(x, y - 12), (x, y + 14)], 11, must=True)])
    middle = frame.place(frame.width / 2, frame.height / 2)
    ahead = frame.draw([middle, (middle[0], min(middle[1] + 0.001, 90.0))])
    angle = math.degrees(math.atan2(ahead[1][0] - ahead[0][0], ahead[0][1] - ahead[1][1]))
    x, y = frame.width - 24, 34.0
    labels.keep_free(x - 16, 0, frame.width, 60)
    where = f"translate({number(x)} {number(y)}) rotate({angle:.1f})"
    letter = tag("text", text("N"), x=0, y=20, text_anchor="middle", class_="label", font_size=13)
    return tag("g", tag("path", d="M0-18L7 6L0 1L-7 6Z", fill="#000"), letter, transform=where)


def _grid_line(
    frame: Frame, labels: Labels, line: Sequence[Pair], name: str, *, from_left: bool
) -> Markup:
    parts = []
    place: list[Pair] = []
    for part in frame.lines(line):
        parts.append(tag("path", d=path_data(part), class_="graticule"))
        place = place or _on_edge(part, from_left=from_left)
    offset = [(x + 24, y - 7) if from_left else (x, y + 9) for x, y in place]
    parts.append(labels.put(name, offset, 10, fill="#5a6670"))
    return joined(parts)


def _on_edge(part: Floats, *, from_left: bool) -> list[Pair]:
    """Return where a line of the drawing meets the left or the top edge."""
    axis, other = (0, 1) if from_left else (1, 0)
    for here, there in pairwise(part.tolist()):
        if (here[axis] < 0) != (there[axis] < 0):
            share = here[axis] / (here[axis] - there[axis])
            at = here[other] + (there[other] - here[other]) * share
            return [(0.0, at)] if from_left else [(at, 0.0)]
    return []


def _step(span_deg: float) -> float:
    fits = (step for step in STEPS_DEG if span_deg / step <= LINES_AT_MOST)
    return next(fits, STEPS_DEG[-1])


def _round_below(most: float) -> float:
    power = 10.0 ** math.floor(math.log10(most))
    return float(next(m * power for m in (5, 2, 1) if m * power <= most))


def _degrees(value: float, letters: str) -> str:
    """Return an angle of the graticule: 34°N, 34°10′N, 34°10′20″N."""
    seconds = round(abs(value) * 3600)
    minutes, second = divmod(seconds, 60)
    degree, minute = divmod(minutes, 60)
    shown = f"{degree}°"
    if minute or second:
        shown += f"{minute:02d}′"
    if second:
        shown += f"{second:02d}″"
    return shown + ("" if seconds == 0 else letters[0] if value > 0 else letters[1])
