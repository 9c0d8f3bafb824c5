# SPDX-License-Identifier: Apache-2.0
"""The cases a deconfliction server must get right, as far as they need no server.

They were put to a respected server in July 2026, which got each of them wrong. Left to the
exchange: volume times outside the declared window of a plan (8), plans at once (10), and
ownership (15).
"""

import numpy as np
import pytest

from keepclear.airspace.volumes import Circle, Corridor, Shape, Volume4D
from keepclear.detect.cylinders import Cylinder
from keepclear.detect.datums import Datums
from keepclear.detect.fragments import Fragments, compile_points
from keepclear.detect.points import Points
from keepclear.detect.skeletons import compile_volumes
from keepclear.detect.sweep import CONFLICT
from keepclear.detect.volume_detection import Things, detect_entries, detect_volumes
from keepclear.detect.volume_index import VolumeIndex
from keepclear.errors import InputError
from tests.volume_scenes import (
    FUNCTIONS,
    HOUR_US,
    at,
    box,
    distance_m,
    enter,
    flight,
    meet,
    minima,
    polygon,
    verdicts,
    volume,
)

MINUTE_US = 60_000_000
TOUCHING = Cylinder(lateral_tmm=0, vertical_tmm=0, lateral_is_closed=True, vertical_is_closed=True)


def low(shape: Shape, start_us: int = 0, end_us: int = HOUR_US) -> Volume4D:
    """Return a volume from 50 to 100 m over the ellipsoid."""
    return volume(shape, "50 m WGS84", "100 m WGS84", start_us, end_us)


def are_clear(one: Volume4D, other: Volume4D, cylinder: Cylinder = TOUCHING) -> bool:
    return len(meet(one, other, cylinder)) == 0 and len(meet(other, one, cylinder)) == 0


def test_1_the_same_volume_twice_is_a_conflict_that_names_the_other() -> None:
    here = compile_volumes([low(box(36, 31, 36.01, 31.01))], Datums())
    index = VolumeIndex(FUNCTIONS, minima(TOUCHING))
    index.add("the first", 0, here)

    assert index.query("the second", 1, here).keys == ("the first",)


def test_2_the_same_place_at_other_heights_is_clear() -> None:
    shape = box(36, 31, 36.01, 31.01)

    assert are_clear(low(shape), volume(shape, "2000 m WGS84", "2100 m WGS84"))


def test_3_a_box_beside_a_diagonal_route_and_inside_its_bounds_is_clear() -> None:
    route = Corridor(route=(at(36, 31), at(36.4, 31.4)), width_tmm=2_000_000)
    beside = box(36.3, 31.15, 36.31, 31.16)

    assert distance_m((36.3, 31.16), (36.23, 31.23)) > 10_000
    assert are_clear(low(route), low(beside))
    assert not are_clear(low(route), low(box(36.2, 31.195, 36.21, 31.205)))


def test_4_a_leg_that_is_over_when_the_other_comes_is_clear() -> None:
    first_leg = low(box(36, 31, 36.1, 31.01), 0, 10 * MINUTE_US)
    second_leg = low(box(36.1, 31, 36.2, 31.01), 10 * MINUTE_US, 20 * MINUTE_US)
    comes_late = low(box(36.02, 31, 36.03, 31.01), 12 * MINUTE_US, 15 * MINUTE_US)
    v = compile_volumes([first_leg, second_leg, comes_late], Datums())

    found = detect_volumes(
        FUNCTIONS, v, Things(owners=np.array([0, 0, 1]), groups=np.array([0, 0, 1])), False,
        minima(TOUCHING),
    )  # fmt: skip

    assert len(found.rows) == 0


@pytest.mark.parametrize(("minimum_m", "is_clear"), [(0, True), (50, True), (70, False)])
def test_5_a_gap_of_60_metres_is_what_the_minima_say(minimum_m: int, is_clear: bool) -> None:  # noqa: FBT001 a table
    gap_deg = 60 / 111_319.4908
    one, other = low(box(0, 0, 0.01, 0.01)), low(box(0.01 + gap_deg, 0, 0.02, 0.01))

    cylinder = Cylinder(lateral_tmm=minimum_m * 10_000, vertical_tmm=0)

    assert are_clear(one, other, cylinder) is is_clear


def test_6_a_volume_across_the_antimeridian_and_one_at_longitude_0_are_clear() -> None:
    across = low(box(179.9, -0.1, -179.9, 0.1))

    assert are_clear(across, low(box(-0.1, -0.1, 0.1, 0.1)))
    assert not are_clear(across, low(box(-179.95, 0, -179.8, 0.05)))


def test_7_a_lower_limit_above_the_upper_one_is_refused() -> None:
    with pytest.raises(InputError, match="is above upper"):
        volume(box(0, 0, 1, 1), "200 m WGS84", "100 m WGS84")


@pytest.mark.parametrize("end_us", [-1, 0])
def test_8_a_window_that_ends_before_or_at_its_start_is_refused(end_us: int) -> None:
    with pytest.raises(InputError):
        volume(box(0, 0, 1, 1), start_us=0, end_us=end_us)


def test_9_the_same_flight_twice_through_one_volume_is_found_twice() -> None:
    v = compile_volumes([volume(box(36, 31, 36.1, 31.1))], Datums())
    f = two_flights()

    found = detect_entries(
        FUNCTIONS, f, Things(owners=np.array([1, 2]), groups=np.array([1, 2])), v,
        Things(owners=np.array([0]), groups=np.array([0])), False, minima(TOUCHING),
    )  # fmt: skip

    assert set(found.a[found.row_pair].tolist()) == {0, 1}


def two_flights() -> Fragments:
    whole, none = np.zeros(4, dtype=np.int64), np.zeros(4)
    each = np.zeros(2, dtype=np.int64)
    return compile_points(Points(
        offsets=np.array([0, 2, 4]), time_us=np.array([0, HOUR_US, 0, HOUR_US]),
        latitude_deg=np.full(4, 31.05), longitude_deg=np.array([35.9, 36.2, 35.9, 36.2]),
        height_tmm=whole, datum=whole, lateral_m=none, vertical_tmm=whole,
        starts_stretch=np.array([True, False, True, False]), edge=each, early_us=each,
        late_us=each, clock_us=each,
    ))  # fmt: skip


@pytest.mark.parametrize(("longitude", "latitude"), [(36, 31), (31, 36), (36, 36), (-70, -33)])
def test_11_a_plan_inside_a_fence_is_a_conflict_wherever_on_earth(
    longitude: float, latitude: float
) -> None:
    fence = volume(Circle(centre=at(longitude, latitude), radius_tmm=50_000_000))
    hover = flight((600, longitude + 0.001, latitude - 0.001, 200))

    assert verdicts(enter(hover, fence, TOUCHING)) == {CONFLICT}
    assert not are_clear(fence, low(box(longitude, latitude, longitude + 0.01, latitude + 0.01)))


def test_12_a_fence_that_is_active_for_part_of_the_plan_is_a_conflict() -> None:
    shape = box(36, 36, 36.1, 36.1)
    fence, plan = volume(shape, end_us=10 * MINUTE_US), low(shape)

    assert not are_clear(fence, plan)
    assert verdicts(enter(flight((0, 36.05, 36.05, 0), (3600, 36.06, 36.05, 0)), fence)) == {
        CONFLICT
    }


def test_13_a_fence_far_above_the_plan_is_clear() -> None:
    shape = box(36, 36, 36.1, 36.1)

    assert are_clear(volume(shape, "5000 m WGS84", "6000 m WGS84"), low(shape))


def test_14_a_near_neighbour_does_not_hide_a_conflict() -> None:
    plan = low(polygon((36, 31), (36.1, 31), (36.1, 31.1)))
    hit = low(box(36.08, 31.01, 36.09, 31.02))
    only_its_bounds_overlap = low(polygon((36, 31.03), (36.05, 31.1), (36, 31.1)))
    v = compile_volumes([plan, hit, only_its_bounds_overlap], Datums())

    found = detect_volumes(
        FUNCTIONS, v, Things(owners=np.arange(3), groups=np.array([0, 1, 1])), False,
        minima(TOUCHING),
    )  # fmt: skip

    assert [(int(found.a[p]), int(found.b[p])) for p in found.row_pair] == [(0, 1)]
    assert verdicts(found.rows) == {CONFLICT}
