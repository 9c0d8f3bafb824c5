# SPDX-License-Identifier: Apache-2.0
"""Hatches and the edge of a map, defined once a page and used by every drawing on it."""

from collections.abc import Iterable
from typing import Final

from keepclear.reports.markup import Markup, tag

HATCHES: Final = {"A": "M-2 10L10-2M-2 2L2-2M6 10L10 6", "B": "M-2-2L10 10M6-2L10 2M-2 6L2 10"}


def patterns(colours: Iterable[str], width: float, height: float) -> Markup:
    """Return the definitions: a hatch for A and for B in each colour, one for gaps, the edge."""
    hatches = [
        tag("pattern", tag("path", d=d, stroke=colour, stroke_width=1.2, stroke_opacity="0.55"),
            id=f"hatch-{letter}-{colour[1:]}", width=8, height=8, patternUnits="userSpaceOnUse")
        for colour in sorted(set(colours))
        for letter, d in HATCHES.items()
    ]  # fmt: skip
    gap = tag("pattern", tag("path", d="M3 0V6", stroke="#555", stroke_width=1.5),
              id="gap", width=6, height=6, patternUnits="userSpaceOnUse")  # fmt: skip
    edge = tag("clipPath", tag("rect", x=0, y=0, width=width, height=height), id="map-edge")
    return tag("svg", tag("defs", *hatches, gap, edge), class_="patterns", aria_hidden="true")
