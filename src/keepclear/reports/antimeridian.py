# SPDX-License-Identifier: Apache-2.0
"""Lines and areas cut where they cross 180 degrees, as RFC 7946 section 3.1.9 asks.

Lines and rings come as (longitude, latitude) pairs in -180..180, steps the short way round;
rings do not repeat their first pair, and the first ring of an area is its outside. An area
round a pole is closed over the pole. Coordinates go out as they came, cut at the line.

    >>> cut_line([(179.0, 0.0), (-179.0, 2.0)])
    [[(179.0, 0.0), (180.0, 1.0)], [(-180.0, 1.0), (-179.0, 2.0)]]
"""

import math
from collections.abc import Sequence
from itertools import pairwise

Pair = tuple[float, float]
Ring = list[Pair]


def cut_line(line: Sequence[Pair]) -> list[list[Pair]]:
    """Return the parts of a line, none of which crosses 180 degrees."""
    parts: list[list[Pair]] = [list(line[:1])]
    for (longitude, latitude), there in pairwise(line):
        step = there[0] - longitude
        if abs(step) > 180:
            side = math.copysign(180.0, longitude)
            ahead = abs(side - longitude)
            share = ahead / (ahead + 180 - abs(there[0]) or 1.0)
            at = latitude + (there[1] - latitude) * share
            parts[-1].append((side, at))
            parts.append([(-side, at)])
        parts[-1].append(there)
    return [_without_repeats(part) for part in parts]


def cut_area(rings: Sequence[Sequence[Pair]]) -> list[list[Ring]]:
    """Return the parts of an area as lists of rings, outside first and counterclockwise."""
    outside = _turned(_closed_over_pole(_unrolled(rings[0])), counterclockwise=True)
    flat = [outside]
    for hole in rings[1:]:
        shift = 360 * round((_middle(outside) - _middle(_unrolled(hole))) / 360)
        flat.append(_turned([(x + shift, y) for x, y in _unrolled(hole)], counterclockwise=False))
    least, most = min(x for x, _ in outside), max(x for x, _ in outside)
    parts: list[list[Ring]] = []
    for turn in range(math.floor((least + 180) / 360), math.ceil((most + 180) / 360)):
        west = 360.0 * turn - 180
        strip = _east_of(_west_of(flat, west + 360), west)
        moved = [[(x - 360.0 * turn, y) for x, y in ring] for ring in strip]
        parts.extend(_with_holes(moved))
    return parts


def _unrolled(ring: Sequence[Pair]) -> Ring:
    """Return the ring with longitudes that go on beyond 180 instead of jumping."""
    flat = [ring[0]]
    for longitude, latitude in ring[1:]:
        last = flat[-1][0]
        flat.append((last + (longitude - last + 180) % 360 - 180, latitude))
    return flat


def _closed_over_pole(ring: Ring) -> Ring:
    """Return a ring that goes once round the earth closed over the nearer pole."""
    first, last = ring[0], ring[-1]
    around = round((last[0] + (first[0] - last[0] + 180) % 360 - 180 - first[0]) / 360)
    if around == 0:
        return ring
    pole = math.copysign(90.0, sum(y for _, y in ring))
    ring = _from_line(ring, 360 * around)
    return [*ring, (ring[-1][0], pole), (ring[0][0], pole)]


def _from_line(ring: Ring, turn: int) -> Ring:
    """Return a ring round a pole that starts and ends on 180 degrees, so that it has no seam."""
    again = [*ring, (ring[0][0] + turn, ring[0][1])]
    for i, ((x, y), (to_x, to_y)) in enumerate(pairwise(again)):
        line = 360 * math.floor((max(x, to_x) + 180) / 360) - 180
        if min(x, to_x) <= line <= max(x, to_x) and x != to_x:
            at = y + (to_y - y) * (line - x) / (to_x - x)
            turned = [*ring[i + 1 :], *((px + turn, py) for px, py in ring[: i + 1])]
            return [(line, at), *turned, (line + turn, at)]
    return again


def _middle(ring: Ring) -> float:
    return sum(x for x, _ in ring) / len(ring)


def _turned(ring: Ring, *, counterclockwise: bool) -> Ring:
    return ring if (_area(ring) > 0) == counterclockwise else ring[::-1]


def _area(ring: Ring) -> float:
    return sum(x * ty - tx * y for (x, y), (tx, ty) in pairwise([*ring, ring[0]])) / 2


def _east_of(rings: Sequence[Ring], limit: float) -> list[Ring]:
    mirrored = [[(-x, y) for x, y in ring[::-1]] for ring in rings]
    return [[(-x, y) for x, y in ring[::-1]] for ring in _west_of(mirrored, -limit)]


def _west_of(rings: Sequence[Ring], limit: float) -> list[Ring]:
    """Return what lies west of a meridian; the inside is on the left of every ring.

    A chain that leaves over the meridian goes on north along it to the next that comes back.
    """
    whole: list[Ring] = []
    chains: list[Ring] = []
    for ring in rings:
        if all(x <= limit for x, _ in ring):
            whole.append(ring)
        else:
            chains.extend(_chains(ring, limit))
    while chains:
        joined = chains.pop(0)
        while True:
            nexts = [c for c in (joined, *chains) if c[0][1] >= joined[-1][1]]
            nearest = min(nexts, key=lambda c: c[0][1], default=joined)
            if nearest is joined:
                break
            chains.remove(nearest)
            joined = joined + nearest
        whole.append(joined)
    return [ring for ring in map(_without_repeats, whole) if len(ring) > 2 and _area(ring) != 0]


def _chains(ring: Ring, limit: float) -> list[Ring]:
    """Return the stretches of a ring west of a meridian, from where it comes to where it leaves."""
    outside = next(i for i, (x, _) in enumerate(ring) if x > limit)
    ring = ring[outside:] + ring[: outside + 1]  # starts and ends outside: no chain is cut in two
    chains: list[Ring] = []
    for (x, y), (to_x, to_y) in pairwise(ring):
        if (x <= limit) != (to_x <= limit):
            at = y + (to_y - y) * (limit - x) / (to_x - x)
            if to_x <= limit:
                chains.append([])
            chains[-1].append((limit, at))
        if to_x <= limit:
            chains[-1].append((to_x, to_y))
    return chains


def _with_holes(rings: Sequence[Ring]) -> list[list[Ring]]:
    outsides = [[ring] for ring in rings if _area(ring) > 0]
    for hole in (ring for ring in rings if _area(ring) < 0):
        for part in outsides:
            if _is_inside(hole[0], part[0]):
                part.append(hole)
                break
    return outsides


def _is_inside(point: Pair, ring: Ring) -> bool:
    inside = False
    for (x, y), (to_x, to_y) in pairwise([*ring, ring[0]]):
        if (y > point[1]) != (to_y > point[1]):
            inside ^= point[0] < x + (to_x - x) * (point[1] - y) / (to_y - y)
    return inside


def _without_repeats(line: Sequence[Pair]) -> list[Pair]:
    return [pair for i, pair in enumerate(line) if i == 0 or pair != line[i - 1]]
