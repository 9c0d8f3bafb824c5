# SPDX-License-Identifier: Apache-2.0
"""Shapes as chords: how near they are to what was declared, what is refused."""

import math

import numpy as np
import pytest

from keepclear.airspace.geodesics import from_ecef
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
from keepclear.detect.datums import Datums
from keepclear.detect.inside import is_in_region
from keepclear.detect.skeletons import (
    BALL_M,
    CX,
    CY,
    CZ,
    GX,
    GY,
    HX,
    HY,
    LONGEST_M,
    PX,
    PY,
    PZ,
    QX,
    QY,
    QZ,
    RADIUS_M,
    Volumes,
    compile_volumes,
)
from keepclear.detect.volume_arrays import join_volumes, take_volumes
from keepclear.errors import InputError
from tests.volume_scenes import at, box, distance_from_edge, distance_m, is_inside, polygon, volume

five_millimetres = 0.005
rounding = 0.0005


def compiled(*shapes: Shape) -> Volumes:
    return compile_volumes([volume(shape) for shape in shapes], Datums())


@pytest.mark.parametrize("edge", list(Edge))
@pytest.mark.parametrize(
    ("start", "end"),
    [((0, 50), (7, 50)), ((0, 50), (5, 57)), ((179, 10), (-175, 30)), ((0, 70), (30, 72)),
     ((10, -60), (12, -85)), ((0, 0), (40, 0)), ((0, -20), (60, 50)), ((0, 45), (0.001, 45.02))],
)  # fmt: skip
def test_pieces_are_within_five_millimetres_of_the_declared_edge(
    start: tuple[float, float], end: tuple[float, float], edge: Edge
) -> None:
    v = compiled(Corridor(route=(at(*start), at(*end)), width_tmm=1, edge=edge))
    count = len(v.pieces)

    worst_m = 0.0
    for k in range(0, count, max(count // 40, 1)):
        for share in (0.25, 0.5):
            p, q = (
                np.array([v.pieces[k, PX], v.pieces[k, PY], v.pieces[k, PZ]]),
                np.array([v.pieces[k, QX], v.pieces[k, QY], v.pieces[k, QZ]]),
            )
            y, x = from_ecef(p + (q - p) * share)
            worst_m = max(worst_m, distance_from_edge((float(x), float(y)), start, end, edge))
    assert worst_m < five_millimetres + rounding
    assert float(v.sizes[0, LONGEST_M]) <= 6000


def test_a_ring_closes_to_the_last_bit() -> None:
    v = compiled(box(0.1, 50.1, 1.3, 51.7))

    for p, q in (
        (v.pieces[:, PX], v.pieces[:, QX]),
        (v.pieces[:, PY], v.pieces[:, QY]),
        (v.pieces[:, PZ], v.pieces[:, QZ]),
        (v.pieces[:, GX], v.pieces[:, HX]),
        (v.pieces[:, GY], v.pieces[:, HY]),
    ):
        assert np.array_equal(q, np.roll(p, -1))


def test_a_circle_is_a_point_and_an_orbit_a_line() -> None:
    v = compiled(
        Circle(centre=at(1, 2), radius_tmm=30_000),
        Orbit(first=at(1, 2), second=at(1.01, 2), radius_tmm=20_000),
        Orbit(first=at(1, 2), second=at(1, 2), radius_tmm=20_000),
        Corridor(route=(at(1, 2), at(1, 2), at(1.01, 2)), width_tmm=20_000),
    )

    assert np.diff(v.offsets).tolist() == [1, 1, 1, 1]
    assert v.sizes[:, RADIUS_M].tolist() == [3.0, 2.0, 2.0, 1.0]
    assert v.sizes[:, LONGEST_M][[0, 2]].tolist() == [0.0, 0.0]


def test_all_of_a_volume_is_within_its_ball() -> None:
    v = compiled(
        box(0, 40, 60, 70, Edge.GEODESIC), polygon((0, 20), (90, 20), (179, 20), (-90, 20))
    )
    for which, places in enumerate(([(30, 72), (30, 55), (1, 41)], [(0, 90), (45, 21), (10, 60)])):
        for x, y in places:
            point = ecef(x, y)
            away_m = math.dist(point, (v.sizes[which, CX], v.sizes[which, CY], v.sizes[which, CZ]))
            assert is_in_region(v, which, *point)
            assert away_m < v.sizes[which, BALL_M]


def ecef(longitude: float, latitude: float) -> tuple[float, float, float]:
    y, x = math.radians(latitude), math.radians(longitude)
    radius = 6_378_137 / math.sqrt(1 - 0.00669437999014 * math.sin(y) ** 2)
    return (
        radius * math.cos(y) * math.cos(x), radius * math.cos(y) * math.sin(x),
        radius * (1 - 0.00669437999014) * math.sin(y),
    )  # fmt: skip


def test_inside_is_what_fractions_say() -> None:
    star = polygon((0, 40), (3, 44), (8, 43), (4, 47), (6, 52), (1, 49), (-5, 53), (-2, 46),
                   (-7, 42),
                   (-1, 43), holes=[[(0, 45), (0.5, 47), (1.5, 46)]])  # fmt: skip
    v = compiled(star)

    for i in range(-80, 90, 7):
        for j in range(390, 540, 7):
            place = (i / 10 + 0.013, j / 10 + 0.007)  # on no edge
            assert is_in_region(v, 0, *ecef(*place)) == is_inside(star, place)


def test_a_ray_through_a_corner_counts_it_once() -> None:
    diamond = polygon((0, 1), (-1, 0), (0, -1), (1, 0))
    v = compiled(diamond)

    for x in (-1.5, -0.5, 0.5, 1.5):
        assert is_in_region(v, 0, *ecef(x, 0)) == (abs(x) < 1)


# --- refused --------------------------------------------------------------------------------


@pytest.mark.parametrize("edge", list(Edge))
@pytest.mark.parametrize(
    "ring",
    [
        [(0, 0), (1, 1), (1, 0), (0, 1)],  # a bow-tie
        [(179, 0), (-179, 1), (-179, 0), (179, 1)],  # the same across the antimeridian
        [(0, 0), (2, 0), (2, 2), (1, -0.1), (0, 2)],
        [(0, 0), (2, 2), (0, 2), (2, 0), (3, 1)],
    ],
)
def test_a_ring_that_crosses_or_touches_itself_is_refused(
    ring: list[tuple[float, float]], edge: Edge
) -> None:
    with pytest.raises(InputError, match="crosses or touches itself"):
        compiled(polygon(*ring, edge=edge))


@pytest.mark.parametrize(
    "shape",
    [
        polygon((0, 0), (2, 0), (2, 2), (1, 0), (0, 2)),  # a corner on an edge
        polygon((0, 0), (1, 0), (1, 1), (1, 0.5), (1, 2), (0, 2)),  # runs back on itself
        polygon((0, 0), (2, 0), (2, 2), (0, 2), holes=[[(1, 1), (3, 1), (1, 1.5)]]),
        polygon(
            (179, 0), (-179, 0), (-179, 2), (179, 2), holes=[[(-180, 1), (-178, 1), (180, 1.5)]]
        ),
        polygon((0, 0), (1, 0), (2, 0)),
        polygon((-30, 80), (60, 80), (150, 80), (-120, 80), (30, 81), (20, 79)),
    ],
)
def test_other_boundaries_that_meet_themselves_are_refused(shape: Polygon) -> None:
    with pytest.raises(InputError, match="crosses or touches itself"):
        compiled(shape)


def test_many_sound_volumes_with_one_bow_tie_name_the_bow_tie() -> None:
    sound = [box(k, 0, k + 0.5, 0.5) for k in range(20)]

    with pytest.raises(InputError, match=r"volumes\[13\]"):
        compiled(*sound[:13], polygon((0, 0), (1, 1), (1, 0), (0, 1)), *sound[13:])


@pytest.mark.parametrize(
    ("shape", "words"),
    [
        (polygon((0, 80), (90, 90), (10, 85)), "beyond 89 degrees"),
        (polygon((0, 0), (180, 0), (90, 10)), "east or west"),
        (polygon((0, 0), (0, 0), (1, 1)), "are no area"),
        (polygon((0, 0), (90, 0), (179, 0), (-90, 0)), "80 degrees from its middle"),
        (Circle(centre=at(0, 0), radius_tmm=2_000_000_001), "beyond 108 NM"),
        (Corridor(route=(at(0, 0), at(179.9, 0.1)), width_tmm=1), "half round the earth"),
        (ArcPolygon(boundary=(Arc(centre=at(0, 0), start=at(1, 0), end=at(0, 2), clockwise=False),
                              Line(start=at(0, 2)))), "of one circle"),
    ],
)  # fmt: skip
def test_what_cannot_be_computed_is_refused_and_says_why(shape: Shape, words: str) -> None:
    with pytest.raises(InputError, match=words):
        compiled(shape)


def test_nothing_to_compile_is_refused() -> None:
    with pytest.raises(InputError, match="are nothing to compare"):
        compile_volumes([], Datums())


# --- arcs -----------------------------------------------------------------------------------


@pytest.mark.parametrize("radius_deg", [0.001, 0.05, 1.0, 3.0])
def test_a_whole_circle_as_an_arc_holds_the_disc_and_two_centimetres_more(
    radius_deg: float,
) -> None:
    centre, start = (10.0, 45.0), (10.0, 45.0 + radius_deg)
    v = compiled(ArcPolygon(boundary=(
        Arc(centre=at(*centre), start=at(*start), end=at(*start), clockwise=True),
    )))  # fmt: skip
    radius = distance_m(centre, start)

    away = []
    for k in range(0, len(v.pieces), max(len(v.pieces) // 50, 1)):
        p, q = (
            np.array([v.pieces[k, PX], v.pieces[k, PY], v.pieces[k, PZ]]),
            np.array([v.pieces[k, QX], v.pieces[k, QY], v.pieces[k, QZ]]),
        )
        for share in (0.0, 0.5):
            y, x = from_ecef(p + (q - p) * share)
            away.append(distance_m(centre, (float(x), float(y))) - radius)
    assert min(away) > -0.0005
    assert max(away) < 0.02


def test_an_arc_goes_the_way_that_is_said() -> None:
    quarter = [
        ArcPolygon(boundary=(
            Arc(centre=at(0, 0), start=at(1, 0), end=at(0, 1.0067), clockwise=clockwise),
            Line(start=at(0, 1.0067)), Line(start=at(0, 0)),
        )) for clockwise in (False, True)
    ]  # fmt: skip
    v = compiled(*quarter)

    assert is_in_region(v, 0, *ecef(0.5, 0.5))
    assert not is_in_region(v, 0, *ecef(-0.5, 0.5))
    assert not is_in_region(v, 1, *ecef(0.5, 0.5))
    assert is_in_region(v, 1, *ecef(-0.5, 0.5))


# --- arrays ---------------------------------------------------------------------------------


def test_volumes_taken_apart_and_joined_are_the_same() -> None:
    v = compiled(box(0, 0, 1, 1), Circle(centre=at(3, 3), radius_tmm=5), box(179, 0, -179, 1))

    again = join_volumes([take_volumes(v, [0, 1]), take_volumes(v, [2])])

    for one, other in zip(v, again, strict=True):
        assert np.array_equal(one, other)
