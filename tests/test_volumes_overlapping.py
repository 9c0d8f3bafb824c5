# SPDX-License-Identifier: Apache-2.0
"""Two volumes: distance of the shapes, gap of the bands, windows; touching."""

import math
import random

import numpy as np
import pytest

from keepclear.airspace.positions import Edge
from keepclear.airspace.volumes import Circle, Corridor, Orbit, Volume4D
from keepclear.detect.cylinders import Cylinder
from keepclear.detect.skeletons import Tolerance
from keepclear.detect.sweep import (
    BOUNDARY,
    CONFLICT,
    CPA,
    END,
    END_A,
    END_B,
    LATERAL_M,
    LEAST_LAG_S,
    MARGIN_LEAF,
    MARGIN_M,
    START,
    START_A,
    START_B,
    UNDETERMINED,
    VERDICT,
    VERTICAL_TMM,
)
from tests.volume_scenes import (
    FIVE_MILES,
    FOOT_TMM,
    HOUR_US,
    NM_TMM,
    at,
    box,
    distance_from,
    distance_m,
    meet,
    place_of,
    polygon,
    verdicts,
    volume,
)

ten_centimetres = 0.1
a_millimetre = 0.001
CLOSED = Cylinder(lateral_tmm=0, vertical_tmm=0, lateral_is_closed=True)
FAR = Cylinder(lateral_tmm=100 * NM_TMM)


# --- overlaps -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "other",
    [
        box(0, 0, 1, 1),  # the same
        box(0.5, 0.5, 2, 2),  # a corner inside
        box(0.2, 0.2, 0.8, 0.8),  # all of it inside
        box(-1, -1, 2, 2),  # all round it
        box(0.4, -1, 0.6, 2),  # a cross, no corner in the other
        box(0.5, 0, 1.5, 1),  # sharing parts of two edges, no corner inside
        box(0, 0, 0.5, 1),  # half of it, sharing three edges
        Circle(centre=at(0.5, 0.5), radius_tmm=1),
        Circle(centre=at(2, 0.5), radius_tmm=61 * NM_TMM),
        Corridor(route=(at(-1, 0.5), at(2, 0.5)), width_tmm=10_000),
        Orbit(first=at(0.4, 0.5), second=at(0.6, 0.5), radius_tmm=1),
    ],
)  # fmt: skip
def test_shapes_that_overlap_are_in_conflict_both_ways(other: object) -> None:
    one = box(0, 0, 1, 1)

    rows = meet(volume(one), volume(other))  # type: ignore[arg-type]
    turned = meet(volume(other), volume(one))  # type: ignore[arg-type]

    assert verdicts(rows) == verdicts(turned) == {CONFLICT}
    assert rows[0, LATERAL_M] == turned[0, LATERAL_M] == 0.0


def test_an_area_in_the_hole_of_another_is_not_in_it() -> None:
    ring = polygon((0, 0), (3, 0), (3, 3), (0, 3), holes=[[(1, 1), (1, 2), (2, 2), (2, 1)]])

    assert len(meet(volume(ring), volume(box(1.2, 1.2, 1.8, 1.8)))) == 0
    assert verdicts(meet(volume(ring), volume(box(0.8, 1.2, 1.8, 1.8)))) == {CONFLICT}


def test_an_overlap_of_a_decimetre_is_a_conflict_and_a_gap_of_one_is_clear() -> None:
    decimetre_deg = 0.1 / 111_319.4908
    one = volume(box(0, 0, 1, 1))

    assert verdicts(meet(one, volume(box(1 - decimetre_deg, 0, 2, 1)))) == {CONFLICT}
    assert len(meet(one, volume(box(1 + decimetre_deg, 0, 2, 1)))) == 0


def test_areas_across_the_antimeridian_and_at_longitude_0_do_not_meet() -> None:
    across = volume(box(179, -1, -179, 1))

    assert len(meet(across, volume(box(-1, -1, 1, 1)))) == 0
    assert verdicts(meet(across, volume(box(-179.5, 0, -178, 2)))) == {CONFLICT}


def test_areas_round_the_pole_meet_what_is_at_the_pole() -> None:
    cap = volume(polygon((0, 80), (90, 80), (179, 80), (-90, 80)))

    assert verdicts(meet(cap, volume(Circle(centre=at(0, 90), radius_tmm=10_000)))) == {CONFLICT}
    assert verdicts(meet(cap, volume(box(100, 79, 110, 81)))) == {CONFLICT}
    assert len(meet(cap, volume(box(100, 70, 110, 79)))) == 0


# --- distances ------------------------------------------------------------------------------


def test_circles_are_as_far_apart_as_their_centres_less_both_radii() -> None:
    one = Circle(centre=at(10, 50), radius_tmm=2 * NM_TMM)
    other = Circle(centre=at(10.5, 50.2), radius_tmm=3 * NM_TMM)

    rows = meet(volume(one), volume(other), FAR)

    expected_m = distance_m((10, 50), (10.5, 50.2)) - 5 * 1852
    assert rows[0, LATERAL_M] == pytest.approx(expected_m, abs=ten_centimetres)
    assert rows[0, MARGIN_M] == pytest.approx(expected_m - 185_200, abs=ten_centimetres)


def test_the_place_of_two_areas_is_halfway_between_them() -> None:
    one, other = volume(box(0, 0, 1, 1)), volume(polygon((1.2, 0.5), (2, 0), (2, 1)))

    place = place_of(meet(one, other, FAR)[0])

    assert distance_m(place, (1.1, 0.5)) < 1


def test_exactly_the_minimum_apart_is_boundary() -> None:
    one = Circle(centre=at(0, 0), radius_tmm=10_000_000)
    apart_tmm = round(distance_m((0, 0), (0.2, 0)) * 10_000)
    other = Circle(centre=at(0.2, 0), radius_tmm=apart_tmm - 10_000_000 - 5 * NM_TMM)

    rows = meet(volume(one), volume(other), Cylinder(lateral_tmm=5 * NM_TMM))

    assert verdicts(rows) == {BOUNDARY}


@pytest.mark.parametrize(
    ("minimum_m", "expected"),
    [(59.95, None), (59.999, BOUNDARY), (60, BOUNDARY), (60.001, BOUNDARY), (60.05, CONFLICT)],
)
def test_within_the_guard_band_of_the_minimum_is_boundary(
    minimum_m: float, expected: int | None
) -> None:
    gap_deg = 60 / 111_319.4908
    one, other = volume(box(0, 0, 0.01, 0.01)), volume(box(0.01 + gap_deg, 0, 0.02, 0.01))

    rows = meet(one, other, Cylinder(lateral_tmm=round(minimum_m * 10_000)))

    assert verdicts(rows) == ({expected} if expected is not None else set())


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(12))
def test_polygons_are_as_far_apart_as_the_nearest_of_their_points(seed: int) -> None:
    rng = random.Random(seed)
    x, y = rng.choice([(10, 45), (179.9, 0.1), (-60, 75)])
    scale = 1 / math.cos(math.radians(y))
    one, other = (
        polygon(*(
            ((x + (by + 0.2 * math.cos(turn)) * scale + 180) % 360 - 180,
             y + 0.2 * math.sin(turn))
            for turn in sorted(rng.uniform(0, 6.28) for _ in range(4))
        )) for by in (0.0, rng.uniform(0.42, 0.6))
    )  # fmt: skip

    rows = meet(volume(one), volume(other), FAR)

    brute_m = min(
        distance_from(other, ((a.longitude_deg * (1 - s) + b_x * s + 180) % 360 - 180,
                              a.latitude_deg * (1 - s) + b.latitude_deg * s))
        for a, b in zip(one.ring, one.ring[1:] + one.ring[:1], strict=True)
        for b_x in [a.longitude_deg + (b.longitude_deg - a.longitude_deg + 180) % 360 - 180]
        for s in np.linspace(0, 1, 60)
    )  # fmt: skip
    assert rows[0, LATERAL_M] <= brute_m + ten_centimetres
    assert rows[0, LATERAL_M] > brute_m - 60  # the brute force has samples of some 600 m
    turned = meet(volume(other), volume(one), FAR)
    assert rows[0, LATERAL_M] == pytest.approx(turned[0, LATERAL_M], abs=a_millimetre)


# --- touching -------------------------------------------------------------------------------

NEIGHBOURS = (box(0, 0, 1, 1), box(1, 0.25, 2, 0.75))


def test_sectors_that_share_a_border_are_within_the_guard_band_of_a_minimum_of_0() -> None:
    one, other = (volume(shape) for shape in NEIGHBOURS)

    assert verdicts(meet(one, other)) == {BOUNDARY}


def test_geodesic_neighbours_are_boundary_too() -> None:
    one, other = box(0, 0, 1, 1, Edge.GEODESIC), box(1, 0, 2, 1, Edge.GEODESIC)

    assert verdicts(meet(volume(one), volume(other))) == {BOUNDARY}


# --- bands and windows ----------------------------------------------------------------------

AREA = box(0, 0, 1, 1)


def bands(
    one: tuple[str | None, str | None], other: tuple[str | None, str | None]
) -> tuple[Volume4D, Volume4D]:
    return volume(AREA, *one), volume(AREA, *other)


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        (("FL050", "FL100"), ("FL110", "FL200"), None),  # 1000 ft between them
        (("FL050", "FL101"), ("FL110", "FL200"), CONFLICT),
        ((None, "FL100"), ("FL110", None), None),
        (("FL050", None), (None, "FL060"), CONFLICT),
        ((None, None), ("FL110", "FL120"), CONFLICT),
        (("100 m AMSL EGM96", "200 m AMSL EGM96"), ("FL050", "FL100"), UNDETERMINED),
        (("1000 ft AGL", "FL100"), ("FL110", "2000 ft AGL"), None),
        (("100 m AMSL", "200 m AMSL"), ("900 m AMSL", "990 m AMSL"), UNDETERMINED),
        (("100 m AMSL EGM96", "200 m AMSL EGM96"), ("900 m AMSL EGM96", None), None),
    ],
)
def test_bands_are_separated_by_what_can_be_compared(
    one: tuple[str | None, str | None], other: tuple[str | None, str | None], expected: int | None
) -> None:
    a, b = bands(one, other)

    assert verdicts(meet(a, b, FIVE_MILES)) == ({expected} if expected is not None else set())
    assert verdicts(meet(b, a, FIVE_MILES)) == verdicts(meet(a, b, FIVE_MILES))


def test_the_gap_of_bands_and_the_margin_are_said() -> None:
    rows = meet(*bands(("FL050", "FL100"), ("FL104", "FL200")), FIVE_MILES)

    assert rows[0, VERTICAL_TMM] == 400 * FOOT_TMM
    assert rows[0, MARGIN_M] == pytest.approx(-600 * 0.3048)
    assert rows[0, MARGIN_LEAF] == 1


def test_conditions_hold_for_some_height_of_either_band() -> None:
    above_410 = Cylinder(
        lateral_tmm=0, vertical_tmm=2000 * FOOT_TMM, one_above_tmm=41_000 * FOOT_TMM
    )

    assert verdicts(meet(*bands(("FL390", "FL405"), ("FL420", "FL450")), above_410)) == {CONFLICT}
    assert len(meet(*bands(("FL370", "FL380"), ("FL390", "FL405")), above_410)) == 0
    assert len(meet(*bands(("FL350", "FL389"), ("FL300", "FL500")), above_410)) == 0
    assert verdicts(meet(*bands(("FL390", "FL405"), (None, None)), above_410)) == {CONFLICT}


def test_windows_that_only_touch_in_time_do_not_conflict() -> None:
    early, late = volume(AREA, end_us=HOUR_US), volume(AREA, start_us=HOUR_US, end_us=2 * HOUR_US)

    assert len(meet(early, late)) == 0
    assert len(meet(late, early)) == 0
    assert verdicts(meet(early, volume(AREA, start_us=HOUR_US - 1, end_us=2 * HOUR_US))) == {
        CONFLICT
    }


def test_the_interval_is_the_overlap_of_the_windows() -> None:
    rows = meet(volume(AREA, end_us=1000), volume(AREA, start_us=400, end_us=2000))

    row = rows[0]
    assert [row[k] for k in (START, END, START_A, END_A, START_B, END_B, CPA)] == [
        400, 1000, 400, 1000, 400, 1000, 400,
    ]  # fmt: skip


def test_tolerances_of_time_bring_windows_together() -> None:
    early, late = volume(AREA, end_us=1000), volume(AREA, start_us=1500, end_us=2000)

    assert len(meet(early, late, tolerances=[Tolerance(late_us=500), Tolerance()])) == 0
    rows = meet(early, late, tolerances=[Tolerance(late_us=500), Tolerance(early_us=100)])

    row = rows[0]
    assert [row[k] for k in (START_A, END_A, START_B, END_B)] == [900, 1000, 1500, 1600]
    assert [row[k] for k in (START, END)] == [1400, 1500]


def test_a_time_leaf_compares_windows_that_are_apart() -> None:
    early, late = volume(AREA, end_us=1_000_000), volume(AREA, start_us=1_500_000, end_us=2_000_000)

    rows = meet(early, late, Cylinder(lateral_tmm=0, time_us=600_000))

    assert verdicts(rows) == {CONFLICT}
    assert rows[0, LEAST_LAG_S] == pytest.approx(0.5)
    assert len(meet(early, late, Cylinder(lateral_tmm=0, time_us=500_000))) == 0


def test_uncertainty_of_both_areas_is_counted_in() -> None:
    one, other = volume(box(0, 0, 1, 1)), volume(box(1.05, 0, 2, 1))
    tolerance = Tolerance(lateral_m=3000)

    assert len(meet(one, other)) == 0
    assert verdicts(meet(one, other, tolerances=[tolerance, tolerance])) == {CONFLICT}


@pytest.mark.parametrize("seed", range(30))
def test_a_pair_has_one_answer_whichever_comes_first(seed: int) -> None:
    rng = random.Random(seed)

    def some() -> Volume4D:
        x, y = rng.uniform(0, 0.3), rng.uniform(50, 50.3)
        low = rng.randrange(0, 30) * 10
        corners = [
            (x + 0.1 * math.cos(turn), y + 0.1 * math.sin(turn))
            for turn in sorted(rng.uniform(0, 6.28) for _ in range(5))
        ]
        return volume(polygon(*corners), f"FL{low:03}", f"FL{low + 100:03}",
                      start_us=rng.randrange(1000), end_us=1000 + rng.randrange(1000))  # fmt: skip

    one, other = some(), some()

    rows, turned = meet(one, other, FIVE_MILES), meet(other, one, FIVE_MILES)

    assert rows[:, VERDICT].tolist() == turned[:, VERDICT].tolist()
    assert rows[:, LATERAL_M] == pytest.approx(turned[:, LATERAL_M], abs=a_millimetre)
    assert rows[:, MARGIN_M] == pytest.approx(turned[:, MARGIN_M], abs=a_millimetre)
    assert rows[:, START].tolist() == turned[:, START].tolist()
