# SPDX-License-Identifier: Apache-2.0
"""Compiles the kernel once, so that the first large check does not wait for it.

python -m keepclear.detect.warm
"""

from typing import Any

import numpy as np

from keepclear.airspace.altitudes import Altitude, Reference
from keepclear.airspace.positions import Edge, Position
from keepclear.airspace.volumes import Circle, Polygon, Volume3D, Volume4D
from keepclear.detect.compiled import NotCompiled, compiled
from keepclear.detect.cylinders import Cylinder
from keepclear.detect.datums import Datums
from keepclear.detect.do365 import ALERT_LEVELS
from keepclear.detect.fragments import Fragments, compile_points
from keepclear.detect.index import detect
from keepclear.detect.kept import PlanIndex
from keepclear.detect.kernel import limits_of
from keepclear.detect.live import detect_live
from keepclear.detect.live_alerts import alerts
from keepclear.detect.points import Points
from keepclear.detect.quick_volumes import compile_plan
from keepclear.detect.skeletons import Tolerance, Volumes
from keepclear.detect.sweep import Limits
from keepclear.detect.tracks import Tracks
from keepclear.detect.volume_arrays import take_volumes
from keepclear.detect.volume_detection import Things, detect_entries, detect_volumes
from keepclear.detect.volume_index import LAST_FEW, VolumeIndex


def two_points_each(tolerance_us: int) -> Points:
    """Return two plans that cross over the equator, each of two points."""
    whole, none = np.zeros(4, dtype=np.int64), np.zeros(4)
    lag = np.full(2, tolerance_us, dtype=np.int64)
    return Points(
        offsets=np.array([0, 2, 4]), time_us=np.array([0, 60_000_000, 0, 60_000_000]),
        latitude_deg=np.array([0.0, 0.0, -0.1, 0.1]), longitude_deg=np.array([0.0, 0.2, 0.1, 0.1]),
        height_tmm=whole, datum=whole, lateral_m=none, vertical_tmm=whole,
        starts_stretch=np.array([True, False, True, False]), edge=np.zeros(2, dtype=np.int64),
        early_us=lag, late_us=lag, clock_us=np.zeros(2, dtype=np.int64),
    )  # fmt: skip


def two_tracks() -> Tracks:
    """Return two live tracks that meet over the equator."""
    whole, none = np.zeros(2, dtype=np.int64), np.zeros(2)
    return Tracks(
        time_us=0, latitude_deg=none, longitude_deg=np.array([0.0, 0.2]), height_tmm=whole,
        datum=whole, speed_mps=none + 200.0, track_deg=np.array([90.0, 270.0]), climb_mps=none,
        lateral_m=none, vertical_tmm=whole, zones=whole - 1,
    )  # fmt: skip


def two_volumes(functions: Any) -> Volumes:
    """Return two areas that meet over the equator."""
    shapes = (
        Circle(centre=Position(latitude_deg=0.0, longitude_deg=0.1), radius_tmm=10_000_000),
        Polygon(ring=tuple(
            Position(latitude_deg=latitude, longitude_deg=longitude)
            for longitude, latitude in ((0.1, -0.01), (0.11, -0.01), (0.11, 0.01))
        ), edge=Edge.GEODESIC),
    )  # fmt: skip
    level = Altitude(height_tmm=0, reference=Reference.STANDARD)
    return compile_plan(
        functions,
        [
            Volume4D(
                volume=Volume3D(shape=shape, lower=level, upper=level),
                start_us=0, end_us=60_000_000,
            )
            for shape in shapes
        ],
        Datums(), Tolerance(),
    )  # fmt: skip


def warm_index(functions: Any, limits: Limits) -> int:
    """Run once what an index of kept volumes needs; return how many plans were found.

    Whoever decides does it before the first who waits for an answer.
    """
    volumes, index = two_volumes(functions), VolumeIndex(functions, limits)
    functions.fits_surely(np.array([0.0, 0.0, 1.0, 0.0, 1.0, 0.0]), 1.0)
    plans = [take_volumes(volumes, [k]) for k in (0, 1)]
    for number in range(LAST_FEW + 1):  # so that some of them stand in a tree
        index.add(str(number), 0, plans[0])
    index.add("new", 1, plans[1])
    near = index.near("new", 1)
    return len(near) + len(index.inside("new", near, limits))


def warm_volumes(functions: Any, f: Fragments, limits: Limits) -> int:
    """Run the functions for volumes once; return how many rows were found."""
    volumes, both = two_volumes(functions), np.array([0, 1])
    things = Things(owners=both, groups=both)
    index = VolumeIndex(functions, limits)
    index.add("kept", 0, take_volumes(volumes, [0]))
    found = len(detect_volumes(functions, volumes, things, True, limits).rows)
    found += len(detect_entries(functions, f, things, volumes, things, True, limits).rows)
    found += len(index.query("new", 1, take_volumes(volumes, [1])).rows)
    found += len(index.query_trajectory("new", 1, f, 0).rows)
    return found + warm_index(functions, limits)


def warm() -> int:
    """Run every compiled function once; return how many conflicts were found."""
    functions = compiled()
    limits = limits_of([Cylinder(lateral_tmm=92_600_000, vertical_tmm=3_048_000)])
    groups = np.array([0, 1])
    found = 0
    for tolerance_us in (0, 1_000_000):
        f = compile_points(two_points_each(tolerance_us))
        found += len(detect(functions, f, groups, False, limits).rows)
        index = PlanIndex(functions, limits)
        index.add("kept", 0, f, 0)
        found += len(index.query("new", 1, f, 1).rows)
        found += warm_volumes(functions, f, limits)
    found += len(detect_live(functions, two_tracks(), 60_000_000, limits).rows)
    return found + len(alerts(functions, two_tracks(), ALERT_LEVELS["phase-1"]))


if __name__ == "__main__":
    try:
        warm()
    except NotCompiled as fault:
        print(f"the kernel is not compiled, large checks will be slow: {fault}")
