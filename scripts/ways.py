# SPDX-License-Identifier: Apache-2.0
"""Find ways for arrows between boxes on a sheet, so that nothing covers anything else.

An arrow tries bends to both sides and places for its words, and takes the cheapest. What runs
close to a line that is drawn is dear, what touches a box or words is dearer. All arrows are
placed three times, short ones first, so that the first make room for the last.

A point is a complex number, x to the right and y down. The same input gives the same ways.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise, product
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Points = npt.NDArray[np.complex128]
Curve = tuple[complex, complex, complex, complex]  # a cubic: end, two handles, end
Ends = tuple[str, str]  # the boxes from which and to which an arrow goes

BENDS: Final = (0, *(side * bend for bend in range(20, 301, 20) for side in (1, -1)))
PLACES: Final = (0.5, 0.42, 0.58, 0.34, 0.66)  # of the words, along the arrow
PASSES: Final = 3
STEPS: Final = np.linspace(0, 1, 33)
FINE: Final = np.linspace(0, 1, 1001)
# Distances on the sheet that are too small to read.
LINE_TO_LINE: Final = 11.0
LINE_TO_BOX: Final = 9.0
LINE_TO_WORDS: Final = 3.0
WORDS_TO_ANY: Final = 5.0
# What it costs, where a bend costs its width: a point of a line, and words, where they should not
# be.
POINT_BY_LINE: Final = 25.0
POINT_IN_WORDS: Final = 300.0
POINT_IN_BOX: Final = 500.0
WORDS_ON_ANY: Final = 5_000.0
PLACE: Final = 7.0  # for the next place of the words


class Box(NamedTuple):
    """A rectangle on the sheet: its middle and its size."""

    middle: complex
    size: complex

    def gap(self, points: Points) -> Floats:
        """Return how far each point is outside; below zero it is inside."""
        off = points - self.middle
        return np.maximum(abs(off.real) - self.size.real / 2, abs(off.imag) - self.size.imag / 2)

    def touches(self, other: "Box", room: float = 0.0) -> bool:
        """True where `room` or less is left between two boxes."""
        off, least = other.middle - self.middle, (self.size + other.size) / 2
        return abs(off.real) < least.real + room and abs(off.imag) < least.imag + room

    def holds(self, other: "Box") -> bool:
        """True where the other box is inside."""
        half = other.size / 2
        return bool((self.gap(np.array([other.middle - half, other.middle + half])) <= 0).all())


class Way(NamedTuple):
    """How an arrow goes: its curve, that curve as points, where its words may or do stand.

    odd: how far it is from the way that one would draw first.
    """

    curve: Curve
    points: Points
    words: tuple[Box, ...]
    odd: float


@dataclass(frozen=True, kw_only=True)
class Sheet:
    """What arrows go round: boxes by name, others on which nothing may stand, and the edge.

    ways: written by `lead` alone.
    """

    boxes: Mapping[str, Box]
    kept_free: tuple[Box, ...]
    edge: Box
    ways: dict[Ends, Way] = field(default_factory=dict)

    def lead(self, arrows: Mapping[Ends, complex]) -> None:
        """Find the way of each arrow, and one place for its words, given how large those are."""
        possible = {ends: list(self._possible(ends, arrows)) for ends in arrows}
        for ends in sorted(arrows, key=self._length) * PASSES:
            self.ways.pop(ends, None)
            self.ways[ends] = self._cheapest(ends, possible[ends])

    def _length(self, ends: Ends) -> float:
        return abs(self.boxes[ends[0]].middle - self.boxes[ends[1]].middle)

    def _possible(self, ends: Ends, arrows: Mapping[Ends, complex]) -> Iterator[Way]:
        start, end = (self.boxes[name] for name in ends)
        if start == end:
            return loops(start, arrows[ends])
        return bends(start, end, arrows[ends], returns=ends[::-1] in arrows)

    def _cheapest(self, ends: Ends, possible: Sequence[Way]) -> Way:
        costs = [(way.odd + self._line_cost(ends, way.points), way) for way in possible]
        least, best = float("inf"), possible[0]
        for cost, way in sorted(costs, key=lambda one: one[0]):
            if cost >= least:
                break  # words only add to it
            for place, words in enumerate(way.words):
                whole = round(cost + PLACE * place + self._words_cost(words), 3)
                if whole < least:
                    least, best = whole, way._replace(words=(words,))
        return best

    def _line_cost(self, ends: Ends, points: Points) -> float:
        others = [one for name, one in self.boxes.items() if name not in ends]
        inside = [one.gap(points) < LINE_TO_BOX for one in (*others, *self.kept_free)]
        cost = POINT_IN_BOX * float(np.sum([*inside, self.edge.gap(points) > 0]))
        for other in self.ways.values():
            cost += POINT_IN_WORDS * float((other.words[0].gap(points) < LINE_TO_WORDS).sum())
            near = abs(points[:, None] - other.points[None, :]) < LINE_TO_LINE
            cost += POINT_BY_LINE * float(near.any(axis=1).sum())
        return round(cost, 3)

    def _words_cost(self, words: Box) -> float:
        on_any = not self.edge.holds(words)
        taken = (
            *self.boxes.values(),
            *self.kept_free,
            *(one.words[0] for one in self.ways.values()),
        )
        cost = WORDS_ON_ANY * (on_any + sum(one.touches(words, WORDS_TO_ANY) for one in taken))
        for other in self.ways.values():
            cost += POINT_IN_WORDS * float((words.gap(other.points) < LINE_TO_WORDS).sum())
        return cost


def bends(start: Box, end: Box, size: complex, *, returns: bool) -> Iterator[Way]:
    """Yield ways from a box to another, straight and bent; `returns`: an arrow comes back."""
    along = end.middle - start.middle
    aside = along / abs(along) * 1j
    for bend in BENDS:
        handles = [start.middle + along * part + aside * bend for part in (0.25, 0.75)]
        curve = _outside((start.middle, handles[0], handles[1], end.middle), start, end)
        points = points_of(curve)
        words = [Box(complex(points[round(place * (len(points) - 1))]), size) for place in PLACES]
        yield Way(curve, points, tuple(words), abs(bend - 20 if returns else bend))


def loops(start: Box, size: complex) -> Iterator[Way]:
    """Yield ways from a box to itself: on each side, in its middle or beside it."""
    for ahead, slide in product((1j, -1j, 1, -1), (0, -0.25, 0.25)):
        across = 1j if ahead.real else 1 + 0j
        foot = start.middle + ahead * _extent(start.size, ahead) / 2
        foot += across * _extent(start.size, across) * slide
        curve = (
            foot - across * 9, foot - across * 22 + ahead * 40,
            foot + across * 22 + ahead * 40, foot + across * 9 + ahead * 2,
        )  # fmt: skip
        words = Box(foot + ahead * (34 + _extent(size, ahead) / 2), size)
        yield Way(curve, points_of(curve), (words,), 60 * abs(slide))


def points_of(curve: Curve, steps: Floats = STEPS) -> Points:
    """Return a curve as points."""
    a, b, c, d = curve
    t, s = steps, 1 - steps
    return np.asarray(s**3 * a + 3 * s * s * t * b + 3 * s * t * t * c + t**3 * d)


def _extent(size: complex, direction: complex) -> float:
    return size.real if direction.real else size.imag


def _outside(curve: Curve, start: Box, end: Box) -> Curve:
    """Return the piece of a curve that is outside of the boxes at its ends."""
    points = points_of(curve, FINE)
    leaves = FINE[np.flatnonzero(start.gap(points) < 1)[-1]]
    arrives = FINE[np.flatnonzero(end.gap(points) < 2)[0]]
    return _piece(curve, float(leaves), float(arrives))


def _piece(curve: Curve, first: float, last: float) -> Curve:
    """Return the piece of a cubic between two parameters, by its blossom."""

    def blossom(*parts: float) -> complex:
        points = list(curve)
        for t in parts:
            points = [a + (b - a) * t for a, b in pairwise(points)]
        return points[0]

    return (
        blossom(first, first, first), blossom(first, first, last),
        blossom(first, last, last), blossom(last, last, last),
    )  # fmt: skip
