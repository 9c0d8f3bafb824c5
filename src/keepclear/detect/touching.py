# SPDX-License-Identifier: Apache-2.0
"""Whether two areas with planar edges overlap, touch or are apart, decided in fractions.

The kernel says BOUNDARY where two areas come nearer than its guard band without surely
overlapping, and neighbours that share a border are just that. Planar edges are straight in
longitude and latitude, so for them the question has an exact answer: sectors that share a
border do not overlap, and are no conflict where touching is none.

Open areas overlap where an edge of one, cut where it meets edges of the other, has a piece
inside the other, or where neither has and one holds a point of the other's inside.
"""

from collections.abc import Sequence
from enum import Enum
from fractions import Fraction
from itertools import pairwise, product
from typing import Final

import numpy as np
import numpy.typing as npt

from keepclear.airspace.positions import Edge, Position
from keepclear.airspace.volumes import Polygon, Shape, Volume4D
from keepclear.detect.cylinders import Cylinder
from keepclear.detect.index import Detected
from keepclear.detect.skeletons import (
    UNSURE_M,
    Volumes,
)
from keepclear.detect.sweep import BOUNDARY, CLEAR, CONFLICT, CYLINDER, UNDETERMINED, VERDICT

Floats = npt.NDArray[np.float64]
Point = tuple[Fraction, Fraction]
Line = tuple[Point, Point]

MOST_TESTS: Final = 40_000
TURN: Final = 360
HALF: Final = Fraction(1, 2)


class Contact(Enum):
    """How two areas lie."""

    OVERLAP = "overlap"
    TOUCH = "touch"
    APART = "apart"


def contact(one: Shape, other: Shape) -> Contact | None:
    """Return how two areas lie; None where that cannot be decided exactly.

    Not decided: shapes that are no polygons of planar edges, rings round a pole, and areas
    with very many edges.
    """
    rings_one, rings_other = _rings(one), _rings(other)
    if rings_one is None or rings_other is None:
        return None
    a, b = _lines(rings_one), _beside(_lines(rings_other), rings_one[0][0][0])
    if len(a) * len(b) > MOST_TESTS:
        return None
    a_cuts, b_cuts = (
        [[Fraction(0), Fraction(1)] for _ in a],
        [[Fraction(0), Fraction(1)] for _ in b],
    )
    meets = False
    for (i, p), (j, q) in product(enumerate(a), enumerate(b)):
        shares = _meeting(p, q)
        meets = meets or bool(shares)
        a_cuts[i] += [share for share, _ in shares]
        b_cuts[j] += [share for _, share in shares]
    if _enters(a, a_cuts, b) or _enters(b, b_cuts, a):
        return Contact.OVERLAP
    if _is_inside(_inner_point(a), b) > 0 or _is_inside(_inner_point(b), a) > 0:
        return Contact.OVERLAP
    return Contact.TOUCH if meets else Contact.APART


def settle(
    detected: Detected, v: Volumes, volumes: Sequence[Volume4D], cylinders: Sequence[Cylinder]
) -> Detected:
    """Return rows of pairs of volumes in which touching is decided where it can be.

    Rows that turn out CLEAR are left out; `a`, `b` stay as they are. volumes: those that v was
    compiled from.
    """
    rows = detected.rows.copy()
    for row, pair in zip(rows, detected.row_pair.tolist(), strict=True):
        a, b = int(detected.a[pair]), int(detected.b[pair])
        if v.sizes[a, UNSURE_M] + v.sizes[b, UNSURE_M] == 0.0:
            row[VERDICT] = settled(
                int(row[VERDICT]), cylinders[int(row[CYLINDER])], volumes[a], volumes[b]
            )
    left = rows[:, VERDICT] != CLEAR
    return Detected(a=detected.a, b=detected.b, rows=rows[left], row_pair=detected.row_pair[left])


def settled(verdict: int, cylinder: Cylinder, one: Volume4D, other: Volume4D) -> int:
    """Return the verdict for two volumes without lateral uncertainty, touching being decided."""
    if cylinder.lateral_tmm != 0 or verdict not in {BOUNDARY, UNDETERMINED}:
        return verdict
    found = contact(one.volume.shape, other.volume.shape)
    if found is None:
        return verdict
    if found is Contact.APART or (found is Contact.TOUCH and not cylinder.lateral_is_closed):
        return CLEAR
    return CONFLICT if verdict == BOUNDARY else UNDETERMINED


def _rings(shape: Shape) -> list[list[Point]] | None:
    """Return the rings of a polygon of planar edges, with longitudes that run on, or None."""
    if not isinstance(shape, Polygon) or shape.edge is not Edge.PLANAR:
        return None
    rings: list[list[Point]] = []
    for positions in (shape.ring, *shape.holes):
        ring = _unrolled(positions)
        if ring is None:
            return None
        if rings:
            turns = round((rings[0][0][0] - ring[0][0]) / TURN)
            ring = [(x + turns * TURN, y) for x, y in ring]
        rings.append(ring)
    return rings


def _unrolled(positions: Sequence[Position]) -> list[Point] | None:
    x = Fraction(positions[0].longitude_deg)
    ring = [(x, Fraction(positions[0].latitude_deg))]
    for before, after in pairwise((*positions, positions[0])):
        x += (Fraction(after.longitude_deg) - Fraction(before.longitude_deg) + 180) % TURN - 180
        ring.append((x, Fraction(after.latitude_deg)))
    return ring[:-1] if ring[-1] == ring[0] else None


def _lines(rings: Sequence[Sequence[Point]]) -> list[Line]:
    return [
        (one, other) for ring in rings for one, other in pairwise((*ring, ring[0])) if one != other
    ]


def _beside(lines: list[Line], x: Fraction) -> list[Line]:
    """Return lines moved by whole turns to where an x is."""
    middle = (min(p[0] for p, _ in lines) + max(p[0] for p, _ in lines)) / 2
    by = round((x - middle) / TURN) * TURN
    return [((p[0] + by, p[1]), (q[0] + by, q[1])) for p, q in lines]


def _meeting(one: Line, other: Line) -> list[tuple[Fraction, Fraction]]:
    """Return where two lines meet, as shares of each; both ends of what they have in common."""
    (p, q), (r, s) = one, other
    vx, vy, wx, wy = q[0] - p[0], q[1] - p[1], s[0] - r[0], s[1] - r[1]
    dx, dy = r[0] - p[0], r[1] - p[1]
    turns = vx * wy - vy * wx
    if turns != 0:
        t, u = (dx * wy - dy * wx) / turns, (dx * vy - dy * vx) / turns
        return [(t, u)] if 0 <= t <= 1 and 0 <= u <= 1 else []
    if dx * vy - dy * vx != 0:
        return []
    found = []
    for point in (p, q, r, s):
        t, u = _share(one, point), _share(other, point)
        if 0 <= t <= 1 and 0 <= u <= 1:
            found.append((t, u))
    return found


def _share(line: Line, point: Point) -> Fraction:
    (p, q) = line
    axis = 0 if p[0] != q[0] else 1
    return (point[axis] - p[axis]) / (q[axis] - p[axis])


def _enters(lines: Sequence[Line], cuts: Sequence[list[Fraction]], area: Sequence[Line]) -> bool:
    """Tell whether a piece between two cuts of a line lies inside an area."""
    for (p, q), shares in zip(lines, cuts, strict=True):
        for low, high in pairwise(sorted(set(shares))):
            at = (low + high) * HALF
            point = p[0] + (q[0] - p[0]) * at, p[1] + (q[1] - p[1]) * at
            if _is_inside(point, area) > 0:
                return True
    return False


def _is_inside(point: Point, area: Sequence[Line]) -> int:
    """Return 1 for a point inside an area, 0 on its boundary, -1 outside."""
    x, y = point
    odd = False
    for (x0, y0), (x1, y1) in area:
        if (x0, y0) == point or (y0 == y1 == y and min(x0, x1) <= x <= max(x0, x1)):
            return 0
        if (y0 <= y) != (y1 <= y):
            at = x0 + (y - y0) / (y1 - y0) * (x1 - x0)
            if at == x:
                return 0
            if at > x:
                odd = not odd
    return 1 if odd else -1


def _inner_point(area: Sequence[Line]) -> Point:
    """Return a point inside an area: on a cut halfway between its two lowest corners."""
    heights = sorted({y for p, _ in area for y in (p[1],)})
    y = (heights[0] + heights[1]) * HALF
    cuts = sorted(
        p[0] + (y - p[1]) / (q[1] - p[1]) * (q[0] - p[0])
        for p, q in area
        if (p[1] <= y) != (q[1] <= y)
    )
    return (cuts[0] + cuts[1]) * HALF, y
