# SPDX-License-Identifier: Apache-2.0
"""Flights and volumes: when a flight is inside, how close it comes, what cannot be known."""

import math
import random

import numpy as np
import pytest

from keepclear.airspace.positions import Edge
from keepclear.airspace.volumes import (
    Arc,
    ArcPolygon,
    Circle,
    Corridor,
    Line,
    Orbit,
    Polygon,
    Shape,
)
from keepclear.detect.cylinders import Cylinder
from keepclear.detect.skeletons import Tolerance
from keepclear.detect.sweep import (
    BOUNDARY,
    CONFLICT,
    CPA_A,
    CYLINDER,
    END_A,
    END_B,
    LATERAL_M,
    LEAST_LAG_S,
    MARGIN_LEAF,
    MARGIN_M,
    START_A,
    START_B,
    UNDETERMINED,
    VERDICT,
    VERTICAL_TMM,
)
from tests.volume_scenes import (
    ENTERING,
    FIVE_MILES,
    FOOT_TMM,
    HOUR_US,
    NM_TMM,
    along,
    at,
    box,
    distance_from,
    distance_m,
    enter,
    flight,
    intervals_s,
    place_of,
    polygon,
    times_within,
    verdicts,
    volume,
)

a_millisecond = 0.001
a_centimetre = 0.01
ten_centimetres = 0.1
LATERAL_ONLY = Cylinder(lateral_tmm=5 * NM_TMM)


def one_interval(rows: np.ndarray) -> tuple[float, float]:
    [interval] = intervals_s(rows)
    return interval


# --- entering an area -----------------------------------------------------------------------


def test_a_flight_is_inside_between_the_edges_it_crosses() -> None:
    # On the equator, where a geodesic is a parallel, time and longitude are one.
    rows = enter(flight((0, -1, 0, 15_000), (3000, 2, 0, 15_000)), volume(box(0, -1, 1, 1)))

    assert verdicts(rows) == {CONFLICT}
    assert one_interval(rows) == pytest.approx((1000, 2000), abs=a_millisecond)
    assert rows[:, LATERAL_M].tolist() == [0.0] * len(rows)


def test_a_flight_over_a_hole_is_not_inside() -> None:
    area = polygon(
        (0, -1), (3, -1), (3, 1), (0, 1), holes=[[(1, -0.5), (1, 0.5), (2, 0.5), (2, -0.5)]]
    )

    rows = enter(flight((0, -1, 0, 15_000), (5000, 4, 0, 15_000)), volume(area, end_us=2 * HOUR_US))

    first, second = intervals_s(rows)
    assert first == pytest.approx((1000, 2000), abs=a_millisecond)
    assert second == pytest.approx((3000, 4000), abs=a_millisecond)


def test_a_flight_across_the_antimeridian_enters_as_anywhere_else() -> None:
    here = enter(flight((0, 8, 0, 0), (3600, 12, 0, 0)), volume(box(9, -1, 11, 1)))
    there = enter(flight((0, 178, 0, 0), (3600, -178, 0, 0)), volume(box(179, -1, -179, 1)))

    assert one_interval(there) == pytest.approx(one_interval(here), abs=a_millisecond)


def test_an_area_round_the_pole_holds_the_pole() -> None:
    cap = polygon((0, 80), (90, 80), (179, 80), (-90, 80))

    rows = enter(flight((0, 10, 70, 0), (4000, -170, 70, 0)), volume(cap))

    start, end = one_interval(rows)
    assert verdicts(rows) == {CONFLICT}
    assert start + end == pytest.approx(4000, abs=a_millisecond)
    assert distance_from_parallel(along((10, 70), (-170, 70), start / 4000)) < ten_centimetres


def distance_from_parallel(place: tuple[float, float]) -> float:
    return abs(place[1] - 80) * 111_000


def test_a_clockwise_ring_is_the_same_area() -> None:
    f = flight((0, -1, 0, 15_000), (3000, 2, 0, 15_000))

    one = enter(f, volume(polygon((0, -1), (1, -1), (1, 1), (0, 1))))
    other = enter(f, volume(polygon((0, 1), (1, 1), (1, -1), (0, -1))))

    assert one_interval(one) == pytest.approx(one_interval(other))


def test_a_flight_along_the_border_is_boundary() -> None:
    rows = enter(flight((0, 0, 0.2, 0), (1000, 0, 0.8, 0)), volume(box(0, 0, 1, 1)))

    assert verdicts(rows) == {BOUNDARY}


def test_a_flight_that_passes_a_metre_outside_is_clear_and_a_metre_inside_is_not() -> None:
    # On a meridian planar edge and flight are geodesics both.
    metre_deg = 1 / 111_319.4908
    outside = flight((0, -metre_deg, 0.2, 0), (1000, -metre_deg, 0.8, 0))
    inside = flight((0, metre_deg, 0.2, 0), (1000, metre_deg, 0.8, 0))

    assert len(enter(outside, volume(box(0, 0, 1, 1)))) == 0
    assert verdicts(enter(inside, volume(box(0, 0, 1, 1)))) == {CONFLICT}


def test_a_continent_is_entered_where_its_edge_is() -> None:
    area = box(0, -40, 60, 40, Edge.GEODESIC)

    rows = enter(flight((0, -2, 0, 0), (4000, 2, 0, 0), (30_000, 30, 0, 0)),
                 volume(area, end_us=24 * HOUR_US))  # fmt: skip

    assert one_interval(rows) == pytest.approx((2000, 30_000), abs=a_millisecond)


def test_planar_edges_of_500_km_lie_where_the_parallel_is() -> None:
    # kernel.md, trap 3: line and geodesic are 5.9 km apart in the middle of 500 km at 50 N.
    area = box(0, 50, 7, 51)
    just_below = flight((0, 3.5, 49.9999, 0), (10, 3.5, 49.99999, 0))
    just_above = flight((0, 3.5, 50.00001, 0), (10, 3.5, 50.0001, 0))
    south_of_geodesic = flight((0, 3.5, 50.01, 0), (10, 3.5, 50.02, 0))

    geodesic = box(0, 50, 7, 51, Edge.GEODESIC)

    assert len(enter(just_below, volume(area))) == 0
    assert verdicts(enter(just_above, volume(area))) == {CONFLICT}
    assert len(enter(south_of_geodesic, volume(geodesic))) == 0


# --- distances ------------------------------------------------------------------------------


def test_a_circle_is_entered_at_its_exact_radius() -> None:
    # kernel.md, trap 5: 5 NM as a polygon of 32 sides would be up to 44.6 m off.
    area = Circle(centre=at(10, 50), radius_tmm=5 * NM_TMM)
    for degrees in range(0, 360, 17):
        azimuth = math.radians(degrees)
        start = (10 + 0.3 * math.sin(azimuth), 50 + 0.2 * math.cos(azimuth))
        f = flight((0, *start, 0), (1000, 10, 50, 0))

        enters_s = one_interval(enter(f, volume(area)))[0]

        place = along(start, (10, 50), enters_s / 1000)
        assert distance_m(place, (10, 50)) == pytest.approx(9260, abs=a_centimetre)


def test_a_corridor_has_round_ends_and_bends() -> None:
    area = Corridor(route=(at(0, 0), at(1, 0), at(1, 1)), width_tmm=2 * NM_TMM)
    # past the outer side of the bend, 1852 m away in the diagonal
    f = flight((0, 1.1, -0.1, 0), (1000, 1, 0, 0))

    enters_s = one_interval(enter(f, volume(area)))[0]

    assert distance_m(along((1.1, -0.1), (1, 0), enters_s / 1000), (1, 0)) == pytest.approx(
        1852, abs=a_centimetre
    )


def test_the_lateral_minimum_counts_from_the_edge_of_the_area() -> None:
    f = flight((0, -1, 0, 0), (1000, 0, 0, 0))

    rows = enter(f, volume(box(0.5, -1, 1, 1)), Cylinder(lateral_tmm=60 * NM_TMM))

    reached_deg = 0.5 - 60 * 1852 / 111_319.4908
    assert one_interval(rows) == pytest.approx((1000 * (1 + reached_deg), 1000), abs=0.01)


def test_the_closest_point_is_the_least_distance_and_the_margin_says_by_how_much() -> None:
    place, shape = (0.0, 0.02), box(-0.5, 0.1, 0.5, 1)
    f = flight((0, -0.4, 0.02, 0), (1000, 0.4, 0.02, 0))

    rows = enter(f, volume(shape), LATERAL_ONLY)

    closest = rows[rows[:, LATERAL_M].argmin()]
    assert closest[LATERAL_M] == pytest.approx(distance_from(shape, place), abs=ten_centimetres)
    assert closest[MARGIN_M] == pytest.approx(closest[LATERAL_M] - 9260, abs=ten_centimetres)


def test_of_two_parts_flown_through_the_closest_point_is_where_the_heights_are_nearest() -> None:
    # one chord crosses both arms of a U: the first below the band, the second in it
    arms = polygon((0, 0), (0.06, 0), (0.06, 0.04), (0.04, 0.04), (0.04, 0.01), (0.02, 0.01),
                   (0.02, 0.04), (0, 0.04))  # fmt: skip
    f = flight((0, 0.005, 0.02, 9_600), (100, 0.055, 0.02, 10_400))

    rows = enter(f, volume(arms, "FL100"), FIVE_MILES)

    [closest] = rows
    assert closest[CPA_A] / 1e6 == pytest.approx(70, abs=0.2)
    assert (closest[LATERAL_M], closest[VERTICAL_TMM]) == (0.0, 0.0)


def test_beside_an_area_a_climb_on_the_spot_is_closest_where_the_heights_are() -> None:
    f = flight((0, -0.02, 0, 9_500), (100, -0.02, 0, 10_500))

    [closest] = enter(f, volume(box(0, -1, 1, 1), "FL100", "FL102"), FIVE_MILES)

    assert closest[CPA_A] / 1e6 == pytest.approx(50, abs=a_millisecond)
    assert closest[VERTICAL_TMM] == pytest.approx(0, abs=1)


def test_the_place_of_the_closest_point_is_halfway_to_the_area() -> None:
    centre = (10.0, 50.0)
    area = Circle(centre=at(*centre), radius_tmm=10_000_000)
    hover = flight((0, 10.1, 50, 0), (10, 10.1, 50, 0))

    place = place_of(enter(hover, volume(area), LATERAL_ONLY)[0])

    away_m = distance_m(centre, (10.1, 50))
    assert distance_m(place, centre) == pytest.approx((away_m + 1000) / 2, abs=a_centimetre)
    assert distance_m(place, (10.1, 50)) == pytest.approx((away_m - 1000) / 2, abs=a_centimetre)


def shapes(rng: random.Random, longitude: float, latitude: float) -> Shape:
    """Return some shape near a place."""
    scale = 1 / math.cos(math.radians(latitude))

    def near(degrees: float) -> tuple[float, float]:
        x = longitude + rng.uniform(-degrees, degrees) * scale
        return (x + 180) % 360 - 180, latitude + rng.uniform(-degrees, degrees)

    kind = rng.randrange(4)
    if kind == 0:
        count = rng.randint(3, 7)
        turns = [(k + rng.uniform(0, 0.9)) / count * 2 * math.pi for k in range(count)]
        corners = [(rng.uniform(0.1, 0.3), turn) for turn in turns]
        return polygon(*(
            ((longitude + r * math.cos(turn) * scale + 180) % 360 - 180,
             latitude + r * math.sin(turn)) for r, turn in corners
        ))  # fmt: skip
    radius_tmm = round(rng.uniform(100, 20_000) * 10_000)
    if kind == 1:
        return Circle(centre=at(*near(0.1)), radius_tmm=radius_tmm)
    if kind == 2:
        route = tuple(at(*near(0.4)) for _ in range(rng.randint(2, 4)))
        return Corridor(route=route, width_tmm=radius_tmm, edge=rng.choice(list(Edge)))
    return Orbit(first=at(*near(0.3)), second=at(*near(0.3)), radius_tmm=radius_tmm)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(24))
def test_times_and_distances_are_those_of_the_ellipsoid(seed: int) -> None:
    rng = random.Random(seed)
    longitude, latitude = rng.choice([(10, 45), (179.9, 0.1), (-179.95, -60), (-60, 78)])
    shape = shapes(rng, longitude, latitude)
    scale = 1 / math.cos(math.radians(latitude))
    ends = [
        ((longitude + rng.uniform(-0.6, 0.6) * scale + 180) % 360 - 180,
         latitude + rng.uniform(-0.6, 0.6)) for _ in range(2)
    ]  # fmt: skip
    minimum_m = rng.choice([0, 50, 9260, 30_000])
    f = flight((0, *ends[0], 0), (1000, *ends[1], 0))

    def distance(time_s: float) -> float:
        return distance_from(shape, along(ends[0], ends[1], time_s / 1000))

    rows = enter(f, volume(shape), Cylinder(lateral_tmm=minimum_m * 10_000))

    expected = times_within(distance, max(minimum_m, 1e-6), 1000, 50)
    found = intervals_s(rows)
    assert len(found) == len(expected)
    for time_s in {t for pair in found for t in pair} - {0.0, 1000.0}:
        if minimum_m:
            assert distance(time_s) == pytest.approx(minimum_m, abs=ten_centimetres)
    per_s = distance_m(*ends) / 1000
    for pair, other in zip(found, expected, strict=True):
        assert pair[0] * per_s == pytest.approx(other[0] * per_s, abs=10)
        assert pair[1] * per_s == pytest.approx(other[1] * per_s, abs=10)
    for row in rows:
        assert row[LATERAL_M] == pytest.approx(distance(row[CPA_A] / 1e6), abs=ten_centimetres)
        assert row[LATERAL_M] <= min(
            distance(t / 1e6) for t in np.linspace(row[START_A], row[END_A], 9)
        ) + ten_centimetres  # fmt: skip


def test_an_arc_bulging_out_is_not_cut_short() -> None:
    # A half disc of 10 km north of its centre at 50 N: straight along its diameter.
    radius_deg = 10_000 / (111_319.4908 * math.cos(math.radians(50)) * 1.00193)
    west, east = at(-radius_deg, 50), at(radius_deg, 50)
    area = ArcPolygon(boundary=(
        Arc(centre=at(0, 50), start=west, end=east, clockwise=True),
        Line(start=east),
    ))  # fmt: skip
    radius_m = distance_m((0, 50), (-radius_deg, 50))

    for degrees in range(-80, 81, 7):
        azimuth = math.radians(degrees)
        start = (0.4 * math.sin(azimuth), 50 + 0.3 * math.cos(azimuth))
        enters_s = one_interval(enter(flight((0, *start, 0), (1000, 0, 50.01, 0)), volume(area)))[0]
        outside_m = distance_m(along(start, (0, 50.01), enters_s / 1000), (0, 50)) - radius_m
        assert -a_centimetre < outside_m < 0.02 + a_centimetre


def test_an_arc_bulging_in_is_not_cut_short_either() -> None:
    # A square with a bite of 10 km: the bite is nowhere larger than the disc.
    radius_deg = 10_000 / (111_319.4908 * math.cos(math.radians(50)) * 1.00193)
    radius_m = distance_m((0, 50), (-radius_deg, 50))
    area = ArcPolygon(boundary=(
        Line(start=at(-0.5, 50)), Arc(centre=at(0, 50), start=at(-radius_deg, 50),
                                     end=at(radius_deg, 50), clockwise=True),
        Line(start=at(radius_deg, 50)), Line(start=at(0.5, 50)), Line(start=at(0.5, 50.5)),
        Line(start=at(-0.5, 50.5)),
    ))  # fmt: skip

    for degrees in range(-75, 76, 15):
        azimuth = math.radians(degrees)
        end = (0.3 * math.sin(azimuth), 50 + 0.2 * math.cos(azimuth))
        enters_s = one_interval(enter(flight((0, 0, 50.01, 0), (1000, *end, 0)), volume(area)))[0]
        outside_m = radius_m - distance_m(along((0, 50.01), end, enters_s / 1000), (0, 50))
        assert -a_centimetre < outside_m < 0.02 + a_centimetre


# --- heights --------------------------------------------------------------------------------

AREA = box(0, -1, 1, 1)


def over(feet: float, *, end_feet: float | None = None, datum: int = 0, **more: float) -> object:
    return flight((0, 0.2, 0, feet), (1000, 0.8, 0, feet if end_feet is None else end_feet),
                  datum=datum, **more)  # type: ignore[arg-type]  # fmt: skip


@pytest.mark.parametrize(
    ("feet", "expected"),
    [(25_000, CONFLICT), (20_999, CONFLICT), (9_001, CONFLICT), (9_000, None), (26_000, None)],
)
def test_exactly_the_minimum_above_or_below_the_band_is_separated(
    feet: float, expected: int | None
) -> None:
    rows = enter(over(feet), volume(AREA, "FL100", "FL250"), FIVE_MILES)  # type: ignore[arg-type]

    assert verdicts(rows) == ({expected} if expected is not None else set())


def test_a_closed_minimum_holds_exactly_at_it() -> None:
    closed = Cylinder(lateral_tmm=0, vertical_tmm=1000 * FOOT_TMM, vertical_is_closed=True)

    assert verdicts(enter(over(9_000), volume(AREA, "FL100", "FL250"), closed)) == {CONFLICT}  # type: ignore[arg-type]


def test_a_climb_is_inside_from_the_bottom_to_the_top_of_the_band() -> None:
    f = flight((0, 0.2, 0, 0), (1000, 0.8, 0, 10_000))

    rows = enter(f, volume(AREA, "FL040", "FL060"), ENTERING)

    assert one_interval(rows) == pytest.approx((400, 600), abs=a_millisecond)
    assert set(rows[:, VERTICAL_TMM]) == {0.0}


def test_a_limit_of_none_is_none() -> None:
    assert verdicts(enter(over(60_000), volume(AREA, "FL100"))) == {CONFLICT}  # type: ignore[arg-type]
    assert verdicts(enter(over(0), volume(AREA, None, "FL100"))) == {CONFLICT}  # type: ignore[arg-type]
    assert verdicts(enter(over(5_000, datum=-1), volume(AREA))) == {CONFLICT}  # type: ignore[arg-type]


def test_each_limit_is_compared_with_its_own_reference_only() -> None:
    mixed = volume(AREA, "1200 ft AGL", "FL100")

    assert verdicts(enter(over(5_000), mixed)) == {UNDETERMINED}  # type: ignore[arg-type]
    assert len(enter(over(10_000), mixed)) == 0  # type: ignore[arg-type]
    assert verdicts(enter(over(10_000, datum=7), mixed)) == {UNDETERMINED}  # type: ignore[arg-type]
    assert math.isnan(enter(over(5_000), mixed)[0, MARGIN_M])  # type: ignore[arg-type]


def test_a_missing_height_is_undetermined_and_never_dropped() -> None:
    rows = enter(over(0, datum=-1), volume(AREA, "FL100", "FL250"))  # type: ignore[arg-type]

    assert verdicts(rows) == {UNDETERMINED}
    assert math.isnan(rows[0, VERTICAL_TMM])


def test_without_a_vertical_minimum_the_band_does_not_matter() -> None:
    rows = enter(over(0, datum=-1), volume(AREA, "FL100", "FL250"), Cylinder(lateral_tmm=0))  # type: ignore[arg-type]

    assert verdicts(rows) == {CONFLICT}


def test_the_margin_of_any_is_the_greater_of_both() -> None:
    f = flight((0, 0.2, 0, 20_400), (1000, 0.8, 0, 20_400))

    rows = enter(f, volume(AREA, "FL100", "FL200"), FIVE_MILES)

    # 600 ft short in height, 5 NM short at the side: the rule is missed by 600 ft.
    assert rows[0, MARGIN_M] == pytest.approx(-600 * 0.3048)
    assert rows[0, MARGIN_LEAF] == 1


def test_the_margin_is_least_where_both_meet() -> None:
    # Coming closer and climbing away: margins cross on the way, brute force says where.
    f = flight((0, -0.2, 0, 20_000), (1000, 0, 0, 21_000))
    shape = box(0.01, -1, 1, 1)

    rows = enter(f, volume(shape, "FL100", "FL200"), FIVE_MILES)

    brute = min(
        max(distance_from(shape, along((-0.2, 0), (0, 0), t / 1000)) - 9260,
            (t - 1000) * 0.3048) for t in np.linspace(0, 1000, 2001)
    )  # fmt: skip
    assert rows[:, MARGIN_M].min() == pytest.approx(brute, abs=2)
    assert rows[:, MARGIN_M].min() <= brute + ten_centimetres


def test_conditions_on_levels_hold_for_some_height_of_the_band() -> None:
    above_410 = Cylinder(
        lateral_tmm=0, vertical_tmm=2000 * FOOT_TMM, one_above_tmm=41_000 * FOOT_TMM
    )
    high, low = volume(AREA, "FL420", "FL450"), volume(AREA, "FL300", "FL395")

    assert verdicts(enter(over(40_500), high, above_410)) == {CONFLICT}  # type: ignore[arg-type]
    assert len(enter(over(40_500), low, above_410)) == 0  # type: ignore[arg-type]
    assert verdicts(enter(over(40_500, datum=7), high, above_410)) == {UNDETERMINED}  # type: ignore[arg-type]
    assert verdicts(enter(over(41_100), low, above_410)) == {CONFLICT}  # type: ignore[arg-type]


# --- times ----------------------------------------------------------------------------------


def test_a_window_that_only_touches_the_flight_in_time_is_no_conflict() -> None:
    f = flight((0, 0.2, 0, 0), (1000, 0.8, 0, 0))

    assert len(enter(f, volume(AREA, start_us=1_000_000_000, end_us=HOUR_US))) == 0
    assert len(enter(f, volume(AREA, start_us=-HOUR_US, end_us=0))) == 0
    assert verdicts(enter(f, volume(AREA, start_us=999_999_999, end_us=HOUR_US))) == {CONFLICT}


def test_a_plan_of_one_point_is_there_at_that_instant() -> None:
    hover = flight((100, 0.5, 0, 0))

    assert verdicts(enter(hover, volume(AREA, start_us=100_000_000))) == {CONFLICT}
    assert len(enter(hover, volume(AREA, end_us=100_000_000))) == 0
    assert len(enter(flight((100, 1.5, 0, 0)), volume(AREA))) == 0


def test_a_time_leaf_of_one_cylinder_does_not_widen_the_window_of_another() -> None:
    hover = flight((100, 0.5, 0, 0))
    late = Cylinder(lateral_tmm=0, time_us=50_000_000)

    rows = enter(hover, volume(AREA, end_us=100_000_000), ENTERING, late)

    assert rows[:, CYLINDER].tolist() == [1.0]


def test_a_hovering_flight_is_inside_all_the_time() -> None:
    rows = enter(flight((0, 0.5, 0, 0), (500, 0.5, 0, 0)), volume(AREA, start_us=100_000_000))

    assert one_interval(rows) == pytest.approx((100, 500))


def test_a_tolerance_of_time_widens_the_window_and_says_when_on_both_clocks() -> None:
    # inside from 1000 to 2000; the window ends at 900, the flight may be 150 s early
    f = flight((0, -1, 0, 0), (3000, 2, 0, 0), early_s=150)
    four = volume(AREA, start_us=0, end_us=900_000_000)

    rows = enter(f, four)

    assert verdicts(rows) == {CONFLICT}
    assert intervals_s(rows, START_A, END_A) == [pytest.approx((1000, 1050), abs=a_millisecond)]
    assert intervals_s(rows, START_B, END_B) == [pytest.approx((850, 900), abs=a_millisecond)]
    assert one_interval(rows) == pytest.approx((850, 900), abs=a_millisecond)
    assert len(enter(flight((0, -1, 0, 0), (3000, 2, 0, 0), early_s=99.9), four)) == 0


def test_a_tolerance_of_the_volume_counts_as_well() -> None:
    f = flight((0, -1, 0, 0), (3000, 2, 0, 0))
    four = volume(AREA, start_us=0, end_us=900_000_000)

    late = enter(f, four, tolerance=Tolerance(late_us=150_000_000))
    early = enter(f, four, tolerance=Tolerance(early_us=150_000_000))

    assert intervals_s(late, START_A, END_A) == [pytest.approx((1000, 1050), abs=a_millisecond)]
    assert len(early) == 0


def test_a_time_leaf_compares_other_times_too() -> None:
    f = flight((0, -1, 0, 0), (3000, 2, 0, 0))
    four = volume(AREA, start_us=0, end_us=900_000_000)

    rows = enter(f, four, Cylinder(lateral_tmm=0, vertical_tmm=0, time_us=150_000_000))

    assert intervals_s(rows, START_A, END_A) == [pytest.approx((1000, 1050), abs=a_millisecond)]
    assert rows[0, LEAST_LAG_S] == pytest.approx(100, abs=a_millisecond)


@pytest.mark.parametrize("seed", range(20))
def test_tolerances_find_what_shifting_by_hand_finds(seed: int) -> None:
    rng = random.Random(seed)
    early, late, b_early, b_late = (rng.choice([0, 30, 100]) for _ in range(4))
    start_s = rng.uniform(0, 3000)
    end_s = start_s + rng.uniform(1, 800)
    points = [(0.0, -1.0, 0.0, 0.0), (3000.0, 2.0, 0.0, 0.0)]
    four = volume(AREA, start_us=round(start_s * 1e6), end_us=round(end_s * 1e6))

    rows = enter(
        flight(*points, early_s=early, late_s=late),
        four,
        tolerance=Tolerance(early_us=b_early * 1_000_000, late_us=b_late * 1_000_000),
    )

    # inside from 1000 to 2000 on its own clock
    meets = [
        (max(1000 + shift, start_s + other), min(2000 + shift, end_s + other))
        for shift in np.linspace(-early, late, 13)
        for other in np.linspace(-b_early, b_late, 13)
    ]
    real = [(low, high) for low, high in meets if low < high - 1e-6]
    assert bool(len(rows)) == bool(real)
    if real:
        start, end = intervals_s(rows)[0][0], intervals_s(rows)[-1][1]
        assert start == pytest.approx(min(low for low, _ in real), abs=0.01)
        assert end == pytest.approx(max(high for _, high in real), abs=0.01)


def test_uncertainty_of_both_is_counted_in_and_can_be_left_out() -> None:
    f = flight((0, 1.1, -0.5, 12_000), (1000, 1.1, 0.5, 12_000), lateral_m=8_000, vertical_ft=1500)
    four = volume(AREA, "FL050", "FL100")
    tolerance = Tolerance(lateral_m=4_000, vertical_tmm=1000 * FOOT_TMM)

    assert verdicts(enter(f, four, tolerance=tolerance)) == {CONFLICT}
    assert len(enter(f, four)) == 0
    assert len(enter(f, four, tolerance=tolerance, uncertainty=False)) == 0


# --- the same elsewhere ---------------------------------------------------------------------


@pytest.mark.parametrize("by_deg", [1, 77.5, 169.75, -123.25])
def test_a_turn_about_the_axis_changes_nothing(by_deg: float) -> None:
    def turned(x: float) -> float:
        return (x + by_deg + 180) % 360 - 180

    def scene(turn: bool) -> np.ndarray:  # noqa: FBT001 a test's own
        place = turned if turn else float
        shape = polygon((place(9.7), 49.8), (place(10.3), 49.9), (place(10.1), 50.4))
        f = flight((0, place(9), 50, 9000), (1000, place(11), 50.1, 11_000))
        return enter(f, volume(shape, "FL090", "FL100"), FIVE_MILES)

    here, there = scene(turn=False), scene(turn=True)

    assert here[:, VERDICT].tolist() == there[:, VERDICT].tolist()
    assert here[:, START_A] == pytest.approx(there[:, START_A], abs=100)
    assert here[:, LATERAL_M] == pytest.approx(there[:, LATERAL_M], abs=0.001)


def test_a_shift_of_time_shifts_all_times() -> None:
    def scene(by_s: int) -> np.ndarray:
        f = flight((by_s, -1, 0, 9_000), (by_s + 3000, 2, 0, 11_000))
        return enter(f, volume(AREA, "FL090", "FL100", by_s * 1_000_000,
                               by_s * 1_000_000 + HOUR_US), FIVE_MILES)  # fmt: skip

    now, later = scene(0), scene(1_400_000_000)

    assert later[:, START_A] - 1.4e15 == pytest.approx(now[:, START_A], abs=1)
    assert later[:, MARGIN_M].tolist() == now[:, MARGIN_M].tolist()


def test_polygons_of_any_edge_hold_their_middle() -> None:
    for edge in Edge:
        shape = Polygon(ring=box(20, 40, 40, 60).ring, edge=edge)
        assert verdicts(enter(flight((0, 30, 50, 0)), volume(shape))) == {CONFLICT}
