# SPDX-License-Identifier: Apache-2.0
"""Plans for the tests of the kernel, and the kernel asked about them.

`crossing` makes two plans that pass a place at one time at a chosen distance: random pairs
would hardly ever come near one another, and never near a minimum.
"""

import random
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Final

import numpy as np
import numpy.typing as npt

from keepclear.detect import sweep as column
from keepclear.detect.compiled import plain
from keepclear.detect.cylinders import Cylinder
from keepclear.detect.fragments import Fragments, compile_points, longest_piece_m
from keepclear.detect.kernel import as_lists, limits_of, sweep_pair
from keepclear.detect.lateral import guard_m
from keepclear.detect.points import Points
from tests.motion import WGS84, Fix, Plan, Span, joined, turn_deg

Rows = npt.NDArray[np.float64]

FOOT_TMM: Final = 3048
NAUTICAL_MILE_TMM: Final = 18_520_000
EN_ROUTE: Final = Cylinder(lateral_tmm=5 * NAUTICAL_MILE_TMM, vertical_tmm=1000 * FOOT_TMM)
EDGES: Final = {"geodesic": 0, "rhumb": 1, "planar": 2}
US: Final = 1_000_000


def points_of(plans: Sequence[Plan]) -> Points:
    """Return plans as the columns that the kernel compiles."""
    fixes = [fix for plan in plans for fix in plan.fixes]
    each = [plan for plan in plans for _ in plan.fixes]
    starts = [k in plan.gaps for plan in plans for k in range(len(plan.fixes))]
    known = [fix.height_tmm is not None for fix in fixes]
    datum = [p.datum if is_known else -1 for p, is_known in zip(each, known, strict=True)]

    def whole(values: Sequence[int]) -> npt.NDArray[np.int64]:
        return np.array(values, dtype=np.int64)

    return Points(
        offsets=whole([0, *np.cumsum([len(plan.fixes) for plan in plans])]),
        time_us=whole([fix.time_us for fix in fixes]),
        latitude_deg=np.array([fix.latitude_deg for fix in fixes], dtype=float),
        longitude_deg=np.array([fix.longitude_deg for fix in fixes], dtype=float),
        height_tmm=whole([fix.height_tmm or 0 for fix in fixes]),
        datum=whole(datum),
        lateral_m=np.array([plan.lateral_m for plan in each], dtype=float),
        vertical_tmm=whole([plan.vertical_tmm for plan in each]),
        starts_stretch=np.array(starts, dtype=bool),
        edge=whole([EDGES[plan.edge] for plan in plans]),
        early_us=whole([plan.early_us for plan in plans]),
        late_us=whole([plan.late_us for plan in plans]),
        clock_us=whole([plan.clock_us for plan in plans]),
    )


def fragments_of(plans: Sequence[Plan], farthest_m: float = 9_260.0) -> Fragments:
    """Return plans compiled for a greatest lateral minimum."""
    return compile_points(points_of(plans), longest_piece_m(farthest_m))


def rows_of(
    plans: Sequence[Plan],
    *cylinders: Cylinder,
    functions: SimpleNamespace | None = None,
    uncertainty: bool = True,
) -> Rows:
    """Return the kernel's rows of the first two plans; plain unless functions are given."""
    reaches_m = [0.0 if c.lateral_tmm is None else c.lateral_tmm / 10_000 for c in cylinders]
    f = fragments_of(plans, max(reaches_m))
    limits = limits_of(cylinders, uncertainty=uncertainty)
    if functions is None or functions is plain():
        return sweep_pair(plain(), as_lists(f), 0, 1, as_lists(limits))
    return sweep_pair(functions, f, 0, 1, limits)


def verdict_of(rows: Rows) -> int:
    """Return the worst verdict of rows; CLEAR for none."""
    return int(rows[:, column.VERDICT].min(initial=column.CLEAR))


def spans_of(
    rows: Rows, *verdicts: int, start: int = column.START, end: int = column.END
) -> list[Span]:
    """Return the merged spans of the rows with these verdicts, in seconds."""
    chosen = rows[np.isin(rows[:, column.VERDICT], verdicts)]
    return joined([Span(row[start] / 1e6, row[end] / 1e6) for row in chosen], within_s=2e-6)


def band_m(plans: Sequence[Plan], cylinder: Cylinder) -> float:
    """Return the kernel's guard band for a cylinder, at the longest chords of two plans."""
    lateral_m = (cylinder.lateral_tmm or 0) / 10_000
    f = fragments_of(plans, lateral_m)
    lateral_m += plans[0].lateral_m + plans[1].lateral_m
    lengths_m = np.sqrt((f.qx - f.px) ** 2 + (f.qy - f.py) ** 2 + (f.qz - f.pz) ** 2)
    a_m, b_m = (float(lengths_m[f.offsets[k] : f.offsets[k + 1]].max()) for k in range(2))
    return guard_m(lateral_m, a_m, b_m, max(a_m, b_m), 2.0 * float(f.leg_curve_m.max()))


def moved(latitude_deg: float, longitude_deg: float, azimuth_deg: float, by_m: float) -> Fix:
    """Return a fix some way along a geodesic, at time 0 and height 0."""
    there = WGS84.Direct(latitude_deg, longitude_deg, azimuth_deg, by_m)
    return Fix(time_us=0, latitude_deg=there["lat2"], longitude_deg=turn_deg(there["lon2"]))


def passing(
    over: Fix, azimuth_deg: float, speed_mps: float, times_us: Sequence[int],
    heights_tmm: Sequence[int],
) -> tuple[Fix, ...]:  # fmt: skip
    """Return fixes at times along the geodesic that is over a fix at the fix's time."""
    fixes = []
    for time_us, height_tmm in zip(times_us, heights_tmm, strict=True):
        by_m = speed_mps * (time_us - over.time_us) / 1e6
        at = moved(over.latitude_deg, over.longitude_deg, azimuth_deg, by_m)
        fixes.append(
            Fix(
                time_us=time_us,
                latitude_deg=at.latitude_deg,
                longitude_deg=at.longitude_deg,
                height_tmm=height_tmm,
            )
        )
    return tuple(fixes)


def place(choose: random.Random) -> Fix:
    """Return a place: anywhere, or where programs go wrong."""
    where = choose.randrange(8)
    latitude_deg = choose.choice([90.0, 89.9999, 89.9, -89.99, -90.0])
    longitude_deg = choose.uniform(-180, 180)
    if where >= 2:
        latitude_deg = choose.uniform(-80, 80)
    if where == 2:
        longitude_deg = choose.choice([-180.0, 180.0, 179.9999, -179.99, 179.95])
    if where == 3:
        latitude_deg = choose.choice([0.0, 1e-5, -0.01])
    return Fix(time_us=0, latitude_deg=latitude_deg, longitude_deg=longitude_deg)


def crossing(choose: random.Random, lateral_m: float) -> tuple[Plan, Plan]:
    """Return two plans that pass about a place at a distance that is often the minimum.

    Heights stand on a lattice of 1000 ft or 25 ft, level or climbing; legs of a few seconds to
    half an hour are cut at different times; azimuths are often equal or opposite.
    """
    where = place(choose)
    miss_m = choose.choice([
        0.0, choose.uniform(0, 1.3) * lateral_m, lateral_m, lateral_m - 0.2, lateral_m + 0.2,
        lateral_m * choose.uniform(0.95, 1.05),
    ])  # fmt: skip
    beside_deg = choose.uniform(-180, 180)
    other = moved(where.latitude_deg, where.longitude_deg, beside_deg, miss_m)
    a_deg = beside_deg + choose.choice([90.0, choose.uniform(-180, 180)])
    # the other's azimuth is measured where the other is: near a pole that is another north
    back_deg = WGS84.Inverse(
        where.latitude_deg, where.longitude_deg, other.latitude_deg, other.longitude_deg
    )["azi2"] if miss_m > 0 else beside_deg  # fmt: skip
    turned_deg = choose.choice([0.0, 180.0, 0.01, 90.0, choose.uniform(-180, 180)])
    b_deg = a_deg - beside_deg + back_deg + turned_deg
    fastest = choose.choice([15.0, 260.0, 260.0, 700.0])
    a_mps = choose.uniform(0, fastest)
    b_mps = choose.choice([a_mps, 0.0, choose.uniform(0, fastest)])
    level_tmm = choose.choice([29_000, 30_000, 41_000]) * FOOT_TMM
    plans = []
    for over, azimuth_deg, speed_mps in ((where, a_deg, a_mps), (other, b_deg, b_mps)):
        at_us = choose.choice([0, 0, choose.randrange(-5 * US, 5 * US)])
        here = Fix(time_us=at_us, latitude_deg=over.latitude_deg, longitude_deg=over.longitude_deg)
        times_us = _times(choose, lateral_m, fastest)
        heights_tmm = _heights(choose, level_tmm, len(times_us))
        plans.append(Plan(fixes=passing(here, azimuth_deg, speed_mps, times_us, heights_tmm)))
    return plans[0], plans[1]


def _times(choose: random.Random, lateral_m: float, fastest_mps: float) -> list[int]:
    """Return when a plan has fixes: about the time at which it passes, 1 to 4 legs."""
    lasts_s = min(max(1.5 * lateral_m / fastest_mps, 20.0), 1800.0)
    count = choose.choice([2, 2, 3, 5])
    times = sorted(choose.uniform(-lasts_s, lasts_s) for _ in range(count))
    if choose.random() < 0.3:
        return [round(time) * US * 10 for time in range(-count, count)]
    return sorted({round(time * US) for time in times})


def _heights(choose: random.Random, level_tmm: int, count: int) -> list[int]:
    """Return heights on a lattice about a level."""
    step_tmm = choose.choice([1000, 500, 25]) * FOOT_TMM
    if choose.random() < 0.4:
        height_tmm = level_tmm + choose.choice([0, 0, 1, -1, 2]) * step_tmm
        return [height_tmm] * count
    return [level_tmm + choose.randrange(-2, 3) * step_tmm for _ in range(count)]
