# SPDX-License-Identifier: Apache-2.0
"""Words on a map that do not cover each other: the first asked for gets the place.

Ask for the important ones first. A word that finds no free place is left out, unless it
`must` stand: then it takes the first place that is inside the map.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from keepclear.reports.markup import NOTHING, Markup, tag, text

WIDE: Final = 0.58  # of a letter, against its height; a guess on the wide side
RIM: Final = 2.0


@dataclass(kw_only=True)
class Labels:
    """The boxes that are taken on a map of `width` by `height`."""

    width: float
    height: float
    taken: list[tuple[float, float, float, float]] = field(default_factory=list)

    def put(
        self, words: str, places: Iterable[tuple[float, float]], size: float, *,
        must: bool = False, **look: str,
    ) -> Markup:  # fmt: skip
        """Return the words centred on the first place that is free; nothing where none is."""
        wide, high = len(words) * size * WIDE, size * 1.15
        first: tuple[float, float] | None = None
        for x, y in places:
            if must:
                x = min(max(x, wide / 2 + RIM), self.width - wide / 2 - RIM)  # noqa: PLW2901
                y = min(max(y, high / 2 + RIM), self.height - high / 2 - RIM)  # noqa: PLW2901
            box = (x - wide / 2, y - high / 2, x + wide / 2, y + high / 2)
            if self._holds(box):
                first = first or (x, y)
                if self._is_free(box):
                    return self._set(words, x, y, size, box, look)
        if must and first is not None:
            x, y = first
            box = (x - wide / 2, y - high / 2, x + wide / 2, y + high / 2)
            return self._set(words, x, y, size, box, look)
        return NOTHING

    def keep_free(self, x: float, y: float, to_x: float, to_y: float) -> None:
        """Keep words away from a box."""
        self.taken.append((x, y, to_x, to_y))

    def _holds(self, box: tuple[float, float, float, float]) -> bool:
        x, y, to_x, to_y = box
        return x >= 0 and y >= 0 and to_x <= self.width and to_y <= self.height

    def _is_free(self, box: tuple[float, float, float, float]) -> bool:
        x, y, to_x, to_y = box
        return not any(x < r and left < to_x and y < b and t < to_y for left, t, r, b in self.taken)

    def _set(
        self, words: str, x: float, y: float, size: float,
        box: tuple[float, float, float, float], look: dict[str, str],
    ) -> Markup:  # fmt: skip
        self.taken.append(box)
        return tag("text", text(words), x=x, y=y + size * 0.35, font_size=size,
                   text_anchor="middle", **({"class_": "label"} | look))  # fmt: skip
