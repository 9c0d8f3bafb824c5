# SPDX-License-Identifier: Apache-2.0
"""Draw the picture of docs/disclosure.md: what was filed, and the box that is shown of it.

    python -m scripts.draw_rounding

The box is what `keepclear.exchange.rounding` makes of the route; the grid is that of its grain.
"""

import math
from collections.abc import Iterator
from typing import Final

from keepclear.agreement.claims import Claim
from keepclear.airspace.positions import Position
from keepclear.airspace.volumes import Corridor, Volume3D, Volume4D
from keepclear.exchange.rounding import SHORTEST_DEGREE_M, box_of
from keepclear.reports.markup import Markup, number, tag
from scripts.pictures import line, save, sheet, write

FILE: Final = "rounding.svg"
SIZE: Final = 520 + 380j
GRAIN_M: Final = 5_000
WIDTH_M: Final = 3_704
ROUTE: Final = ((35.075, 35.46), (35.13, 35.58), (35.118, 35.72))
CELL: Final = 52.0  # of the grid, on the sheet
STEP_DEG: Final = GRAIN_M / SHORTEST_DEGREE_M
TITLE: Final = "What was filed, and what is shown of it"
DESC: Final = (
    "A route two nautical miles wide lies across a grid with cells of 5 kilometres. The box that "
    "is shown of it runs along the lines of the grid: each side is the next line outward. Any "
    "other route whose sides lie in the same cells has the same box."
)


def draw() -> str:
    """Return the picture."""
    return sheet(TITLE, DESC, SIZE, [*_box(), *_grid(), *_route(), *_notes()])


def _claim() -> Claim:
    route = tuple(Position(latitude_deg=y, longitude_deg=x) for y, x in ROUTE)
    shape = Corridor(route=route, width_tmm=WIDTH_M * 10_000)
    return Claim(
        id="route", party="north", craft_class="any", has_rvsm=False,
        volumes=(Volume4D(volume=Volume3D(shape=shape), start_us=0, end_us=1),),
    )  # fmt: skip


BOX: Final = box_of(_claim(), GRAIN_M * 10_000)
ACROSS_DEG: Final = STEP_DEG / math.cos(math.radians(BOX.north_deg))


def _at(latitude_deg: float, longitude_deg: float) -> complex:
    """Return where a place is on the sheet: the box begins a cell and a half from the corner."""
    x = (longitude_deg - BOX.west_deg) / ACROSS_DEG
    y = (BOX.north_deg - latitude_deg) / STEP_DEG
    return complex(CELL * (x + 1.5), CELL * (y + 1.5))


def _box() -> Iterator[Markup]:
    corner = _at(BOX.north_deg, BOX.west_deg)
    size = _at(BOX.south_deg, BOX.east_deg) - corner
    yield tag("rect", x=corner.real, y=corner.imag, width=size.real, height=size.imag, class_="box")


def _grid() -> Iterator[Markup]:
    size = _at(BOX.south_deg, BOX.east_deg) + CELL * (1 + 1j)
    start = 0.5 * CELL
    for column in range(round((size.real - start) / CELL) + 1):
        yield _thin(
            complex(start + column * CELL, start), complex(start + column * CELL, size.imag)
        )
    for row in range(round((size.imag - start) / CELL) + 1):
        yield _thin(complex(start, start + row * CELL), complex(size.real, start + row * CELL))


def _thin(start: complex, end: complex) -> Markup:
    d = f"M{number(start.real)} {number(start.imag)}L{number(end.real)} {number(end.imag)}"
    return tag("path", d=d, stroke="#9aa4b1", stroke_width=0.8, fill="none")


def _route() -> Iterator[Markup]:
    places = [_at(*each) for each in ROUTE]
    d = "L".join(f"{number(each.real)} {number(each.imag)}" for each in places)
    yield tag(
        "path", d=f"M{d}", stroke="#c9741a", stroke_width=round(WIDTH_M / GRAIN_M * CELL, 1),
        stroke_opacity=0.45, stroke_linecap="round", stroke_linejoin="round", fill="none",
    )  # fmt: skip
    yield line(*places)


def _notes() -> Iterator[Markup]:
    bottom = _at(BOX.south_deg, BOX.east_deg).imag + 1.6 * CELL
    middle = SIZE.real / 2
    yield write("orange: what was filed, seen by its owner", middle + bottom * 1j, "words")
    yield write("blue: the box that the other side sees", middle + (bottom + 20) * 1j, "words")
    yield write(
        "grid: the grain of the clause, here 5 km; it is the same for everybody",
        middle + (bottom + 40) * 1j, "words",
    )  # fmt: skip


if __name__ == "__main__":
    save(FILE, draw())
