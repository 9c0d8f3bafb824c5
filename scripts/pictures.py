# SPDX-License-Identifier: Apache-2.0
"""What the drawn pictures of the docs share: the sheet, its look, and how wide words are.

A picture is one file that fetches nothing. It is dark on white, so that it reads on a screen and
printed in black, and it has a title and a description for those who hear it read.
A point is a complex number, x to the right and y down.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Final

from keepclear.reports.markup import Markup, joined, number, tag, text

FOLDER: Final = Path(__file__).parent.parent / "docs" / "pictures"
WORDS: Final = 13.0  # the size of letters on an arrow
WIDE: Final = 0.62  # of a letter, against its size: DejaVu Sans, the widest that is likely
HEAD: Final = 9.0  # of an arrow
CSS: Final = """
text { font-family: "DejaVu Sans", "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif;
  fill: #111; text-anchor: middle; }
.name { font-size: 15px; font-weight: 600; }
.words { font-size: 13px; }
.small { font-size: 12px; fill: #333; }
.left { text-anchor: start; }
.ground { fill: #fff; }
.box { fill: #eef3f9; stroke: #1f3a5f; stroke-width: 1.6; }
.plain { fill: #fff; stroke: #1f3a5f; stroke-width: 1.2; }
.frame { fill: #f8f9fb; stroke: #555; stroke-width: 1.4; stroke-dasharray: 6 4; }
.line { fill: none; stroke: #333; stroke-width: 1.5; }
.dot, .head { fill: #333; }
"""


def sheet(title: str, desc: str, size: complex, parts: Iterable[Markup]) -> str:
    """Return a picture as the text of a file, a line for each of its parts."""
    wide, high = number(size.real), number(size.imag)
    inside = [
        tag("title", text(title), id="title"),
        tag("desc", text(desc), id="desc"),
        tag("style", Markup(CSS)),
        tag("rect", width=size.real, height=size.imag, fill="#fff"),
        *parts,
    ]
    lines = Markup("\n") + joined(inside, Markup("\n")) + Markup("\n")
    drawn = tag(
        "svg", Markup(lines), xmlns="http://www.w3.org/2000/svg", width=size.real,
        height=size.imag, viewBox=f"0 0 {wide} {high}", role="img", aria_labelledby="title desc",
    )  # fmt: skip
    return f"{drawn}\n"


def width_of(words: str) -> float:
    """Return how wide words on an arrow are, rather too much than too little."""
    return len(words) * WORDS * WIDE


def write(words: str, at: complex, class_: str) -> Markup:
    """Return one line of words; `at` is the middle of its base line."""
    return tag("text", text(words), x=at.real, y=at.imag, class_=class_)


def box(middle: complex, size: complex, class_: str, round_by: float = 8) -> Markup:
    """Return a rectangle with round corners."""
    corner = middle - size / 2
    return tag("rect", x=corner.real, y=corner.imag, width=size.real, height=size.imag,
               rx=round_by, class_=class_)  # fmt: skip


def arrow(points: Iterable[complex]) -> Markup:
    """Return a line with a head at its end: two points are straight, four are a curve."""
    first, *others = points
    before = others[-2] if len(others) > 1 else first
    ahead = (others[-1] - before) / abs(others[-1] - before)
    end = others[-1] - ahead * HEAD * 0.8
    kind = "C" if len(others) > 1 else "L"
    d = f"M{_pair(first)}{kind}{' '.join(map(_pair, [*others[:-1], end]))}"
    wing = ahead * HEAD * complex(-1, 0.45)
    other = ahead * HEAD * complex(-1, -0.45)
    head = [others[-1], others[-1] + wing, others[-1] + other]
    return joined([
        tag("path", d=d, class_="line"),
        tag("path", d=f"M{'L'.join(map(_pair, head))}Z", class_="head"),
    ])  # fmt: skip


def line(*points: complex) -> Markup:
    """Return straight lines from point to point."""
    return tag("path", d=f"M{'L'.join(map(_pair, points))}", class_="line")


def dot(at: complex, radius: float = 6) -> Markup:
    """Return a filled circle."""
    return tag("circle", cx=at.real, cy=at.imag, r=radius, class_="dot")


def save(name: str, picture: str) -> None:
    """Write a picture beside the others."""
    (FOLDER / name).write_text(picture, encoding="utf-8")
    print(f"{len(picture)} characters in {name}")


def _pair(point: complex) -> str:
    return f"{number(point.real)} {number(point.imag)}"
