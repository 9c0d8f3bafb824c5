# SPDX-License-Identifier: Apache-2.0
"""A small map in the corner of a map: where on the earth the large one lies."""

from typing import Final

from keepclear.airspace.borders import Borders
from keepclear.reports.map_ground import border_lines
from keepclear.reports.map_labels import Labels
from keepclear.reports.markup import NOTHING, Markup, tag
from keepclear.reports.plane import Frame

WIDTH: Final = 150.0
HEIGHT: Final = 108.0
WIDE_M: Final = 1_000_000.0
WIDER: Final = 5.0  # at least so many times the large map
GRAIN_PX: Final = 1.5  # half of the bytes, and still a coast
LEAST_MARK: Final = 7.0


def inset(frame: Frame, borders: Borders | None, labels: Labels) -> Markup:
    """Return the map, bottom right; nothing without borders or where the large map is wide."""
    shown_m = frame.width * frame.metres_a_pixel
    if borders is None or shown_m > WIDE_M / 2:
        return NOTHING
    small = Frame(
        plane=frame.plane, centre_x_m=frame.centre_x_m, centre_y_m=frame.centre_y_m,
        metres_a_pixel=max(WIDE_M, WIDER * shown_m) / WIDTH, width=WIDTH, height=HEIGHT,
    )  # fmt: skip
    x, y = frame.width - WIDTH, frame.height - HEIGHT
    labels.keep_free(x, y, frame.width, frame.height)
    wide = max(shown_m / small.metres_a_pixel, LEAST_MARK)
    high = max(wide * frame.height / frame.width, LEAST_MARK * 0.7)
    here = tag("rect", x=(WIDTH - wide) / 2, y=(HEIGHT - high) / 2, width=wide, height=high,
               class_="here")  # fmt: skip
    back = tag("rect", x=0, y=0, width=WIDTH, height=HEIGHT, class_="inset")
    return tag("svg", back, border_lines(small, borders, GRAIN_PX), here,
               x=x, y=y, width=WIDTH, height=HEIGHT)  # fmt: skip
