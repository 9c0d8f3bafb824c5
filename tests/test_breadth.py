# SPDX-License-Identifier: Apache-2.0
"""Whether a ring is surely as wide as asked, held against the largest circle in it as measured."""

import math
import random

import numpy as np

from keepclear.airspace.footprints import inscribed_m
from keepclear.airspace.positions import Edge, positions
from keepclear.airspace.volumes import Polygon
from keepclear.detect.breadth import fits_surely
from keepclear.detect.compiled import compiled
from keepclear.errors import InputError

Ring = list[tuple[float, float]]


def any_ring(rng: random.Random) -> Ring:
    """Return a ring round a middle, mostly convex; some thin, some of random distances."""
    middle_y, middle_x = rng.uniform(-80, 80), rng.uniform(-179, 179)
    corners, size = rng.randrange(3, 20), 10 ** rng.uniform(-2, -0.2)
    thin, rough = rng.choice([1.0, 1.0, 0.3, 0.05]), rng.choice([0.0, 0.0, 0.4])
    scale = 1 / math.cos(math.radians(middle_y))
    ring = []
    for k in range(corners):
        turn, far = 2 * math.pi * k / corners, size * (1 - rough * rng.random())
        ring.append((
            middle_y + thin * far * math.sin(turn), middle_x + far * scale * math.cos(turn)
        ))  # fmt: skip
    return ring if rng.random() < 0.5 else ring[::-1]


def test_what_surely_fits_does_fit() -> None:
    """Half of the rings are so wide that it can be seen at once; none is said to be that is not."""
    rng = random.Random(41)
    seen, missed = 0, 0
    for _ in range(600):
        ring = any_ring(rng)
        if any(abs(x) > 180 for _, x in ring):
            continue
        flat = [y for y, _ in ring] + [x for _, x in ring]
        try:
            wide_m = inscribed_m(Polygon(ring=positions(ring), edge=Edge.GEODESIC))
        except InputError:
            continue
        for share in (0.5, 0.9, 1.001, 1.1):
            does_fit = fits_surely(flat, share * wide_m)
            assert does_fit == compiled().fits_surely(np.array(flat), share * wide_m)
            assert not does_fit or share < 1.0
            seen += does_fit
            missed += share == 0.5 and not does_fit
    assert seen > 300
    assert missed < seen
