# SPDX-License-Identifier: Apache-2.0
"""Words on a map that do not cover each other: the first asked for gets the place.

Ask for the important ones first. A word that finds no free place is left out, unless it
`must` stand: then it takes the first place that is inside the map.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from keepclear.reports.markup import NOTHING, Markup, tag, text

# Width of a letter against its height: guesses on the wide side.
WIDE: Final = 0.62
WIDE_BOLD: Final = 0.72
RIM: Final = 2.0

Box = tuple[float, float, float, float]  # left, top, right, bottom


@dataclass(kw_only=True)
class Labels:
    """The boxes that are taken on a map of `width` by `height`."""

    width: float
    height: float
    taken: list[Box] = field(default_factory=list)

    def put(
        self, words: str, places: Iterable[tuple[float, float]], size: float, *,
        must: bool = False, bold: bool = False, fill: str | None = None,
        avoid: Sequence[Box] = (),
    ) -> Markup:  # fmt: skip
        """Return the words centred on the first place that is free; nothing where none is.

        `avoid`: boxes that these words keep off where they can.
        """
        wide, high = len(words) * size * (WIDE_BOLD if bold else WIDE), size * 1.15
        boxes = [self._box(x, y, wide, high, held=must) for x, y in places]
        inside = [box for box in boxes if self._holds(box)]
        free = [box for box in inside if _is_off(box, self.taken)]
        clear = (box for box in free if _is_off(box, avoid))
        box = next(clear, next(iter(free or (inside if must else [])), None))
        if box is None:
            return NOTHING
        self.taken.append(box)
        return tag("text", text(words), x=(box[0] + box[2]) / 2, y=box[3] - high * 0.22, fill=fill,
                   text_anchor="middle", font_size=size,
                   class_="label bold" if bold else "label")  # fmt: skip

    def keep_free(self, x: float, y: float, to_x: float, to_y: float) -> None:
        """Keep words away from a box."""
        self.taken.append((x, y, to_x, to_y))

    def _box(self, x: float, y: float, wide: float, high: float, *, held: bool) -> Box:
        """Return the box round a place; `held` moves it so far that it lies on the map."""
        if held:
            x = min(max(x, wide / 2 + RIM), self.width - wide / 2 - RIM)
            y = min(max(y, high / 2 + RIM), self.height - high / 2 - RIM)
        return x - wide / 2, y - high / 2, x + wide / 2, y + high / 2

    def _holds(self, box: Box) -> bool:
        x, y, to_x, to_y = box
        return x >= 0 and y >= 0 and to_x <= self.width and to_y <= self.height


def _is_off(box: Box, taken: Iterable[Box]) -> bool:
    x, y, to_x, to_y = box
    return not any(x < r and left < to_x and y < b and t < to_y for left, t, r, b in taken)
