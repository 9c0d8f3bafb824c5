# SPDX-License-Identifier: Apache-2.0
"""Duration leaves by brute force: every shift that can matter, each asked apart, in fractions.

`definitions.md`, *Duration leaf*: at each allowed shift s the instants inside are where a's
clock u is in a part of a, and b's clock u - s in the part of b that goes with it. How these
lie changes only at shifts that are a difference of two ends, or that and `reset`; in between
all lengths change evenly. So with ends that are whole numbers those shifts, and half a unit
to either side of them, show every length above a whole limit.
"""

from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import product
from typing import Final, NamedTuple

from keepclear.agreement.findings import Verdict

Span = tuple[Fraction | int, Fraction | int]
HALF: Final = Fraction(1, 2)


class Together(NamedTuple):
    """A part of a's clock and one of b's: while both are there, the pair is inside."""

    a: Span
    b: Span


class Scene(NamedTuple):
    """A pair: where it is inside, gaps and life of each plan on its clock, shifts, the leaf."""

    parts: Sequence[Together]
    gaps_a: Sequence[Span]
    gaps_b: Sequence[Span]
    life_a: Span
    life_b: Span
    shifts: Span
    limit: int
    reset: int


def verdict(scene: Scene, samples: int = 0) -> Verdict:
    """Return what the leaf says; samples: so many more shifts, evenly spaced."""
    is_open = False
    for shift in shifts_of(scene, samples):
        for start, end in stays_at(scene, shift):
            if end - start > scene.limit:
                return Verdict.CONFLICT
            first = max(scene.life_a[0], scene.life_b[0] + shift)
            last = min(scene.life_a[1], scene.life_b[1] + shift)
            is_open = is_open or start <= first or end >= last
    return Verdict.UNDETERMINED if is_open else Verdict.LIMITED


def longest(scene: Scene) -> Fraction | int:
    """Return the length of the longest stay at any shift that is looked at."""
    return max(
        (end - start for shift in shifts_of(scene, 0) for start, end in stays_at(scene, shift)),
        default=0,
    )


def stays_at(scene: Scene, shift: Fraction | int) -> list[Span]:
    """Return the stays at one shift, on a's clock."""
    pieces = []
    for a, b in scene.parts:
        start, end = max(a[0], b[0] + shift), min(a[1], b[1] + shift)
        if start < end:
            pieces.append((start, end, True))
    pieces += [(*gap, False) for gap in scene.gaps_a]
    pieces += [(gap[0] + shift, gap[1] + shift, False) for gap in scene.gaps_b]
    stays: list[tuple[Fraction | int, Fraction | int, bool]] = []
    for start, end, is_known in sorted(pieces):
        if stays and start - stays[-1][1] < scene.reset:
            before, until, was_known = stays[-1]
            stays[-1] = (before, max(until, end), was_known or is_known)
        else:
            stays.append((start, end, is_known))
    return [(start, end) for start, end, is_known in stays if is_known]


def shifts_of(scene: Scene, samples: int) -> Iterator[Fraction | int]:
    low, high = scene.shifts
    yield low
    yield high
    for k in range(samples):
        yield low + (high - low) * Fraction(k, samples)
    ends_a = {end for span in [p.a for p in scene.parts] + [*scene.gaps_a, scene.life_a]
              for end in span}  # fmt: skip
    ends_b = {end for span in [p.b for p in scene.parts] + [*scene.gaps_b, scene.life_b]
              for end in span}  # fmt: skip
    sums = {a - b + more for a, b in product(ends_a, ends_b)
            for more in (-scene.reset, 0, scene.reset)}  # fmt: skip
    for shift in sorted(sums):
        for near in (shift - HALF, shift, shift + HALF):
            if low <= near <= high:
                yield near
