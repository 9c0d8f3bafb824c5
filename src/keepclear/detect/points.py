# SPDX-License-Identifier: Apache-2.0
"""Timed points of many plans, as columns: what `fragments.compile_points` takes.

1. Plans stand in the order of their ids: a pair is always computed lower place first, so that
   detect(a, b) and detect(b, a) are the same bits.
2. Points of a plan are in order of time, no two at one time.
3. Two heights are comparable when their `datum` is the same and not negative. 0 is pressure
   altitude on 1013.25 hPa, in which conditions on levels are stated.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

STANDARD: Final = 0
UNKNOWN_DATUM: Final = -1
GEODESIC: Final = 0
RHUMB: Final = 1
PLANAR: Final = 2


@dataclass(frozen=True, kw_only=True, eq=False)
class Points:
    """Points of n plans.

    offsets (n + 1): plan i has the points offsets[i] to offsets[i + 1]. Per point: time_us,
    latitude_deg, longitude_deg, height_tmm, datum, lateral_m and vertical_tmm (uncertainty, 0
    for none), starts_stretch (True where nothing is known between the point before and this
    one). Per plan: edge (GEODESIC, RHUMB, PLANAR), early_us and late_us (how much it may run
    before and after its times), clock_us (the part of both that is uncertainty of time), and
    keeps_last (None for nowhere): the last point of each stretch is a recorded position, so the
    craft was there at that instant too.
    """

    offsets: Integers
    time_us: Integers
    latitude_deg: Floats
    longitude_deg: Floats
    height_tmm: Integers
    datum: Integers
    lateral_m: Floats
    vertical_tmm: Integers
    starts_stretch: npt.NDArray[np.bool_]
    edge: Integers
    early_us: Integers
    late_us: Integers
    clock_us: Integers
    keeps_last: npt.NDArray[np.bool_] | None = None

    @property
    def plans(self) -> int:
        """How many plans."""
        return len(self.offsets) - 1
