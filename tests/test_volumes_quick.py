# SPDX-License-Identifier: Apache-2.0
"""The volumes of one plan as arrays: number by number, the same bits as all at once."""

import math
import random

import numpy as np
import pytest

from keepclear.airspace.positions import Edge
from keepclear.airspace.volumes import Circle, Corridor, Orbit, Polygon, Shape, Volume4D
from keepclear.detect import shaping
from keepclear.detect.compiled import Functions, compiled
from keepclear.detect.datums import Datums
from keepclear.detect.quick_volumes import Plan, compile_plan, compile_plans
from keepclear.detect.skeletons import Tolerance, Volumes, compile_volumes
from keepclear.detect.volume_arrays import join_volumes
from keepclear.errors import InputError
from tests.volume_scenes import NM_TMM, LonLat, at, box, polygon, volume

# The scalar code as it stands, where compiled code would be.
AS_IT_STANDS = Functions(lambda _name: shaping, threads=1, is_compiled=True)
OFF_BY = Tolerance(lateral_m=120.0, vertical_tmm=3_048, early_us=5, late_us=7, clock_us=3)


def ring(rng: random.Random, corners: int, radius_deg: float, x: float, y: float) -> Polygon:
    """Return an area of corners at random distances round a middle; one of five crosses itself."""
    turns = sorted(rng.uniform(0, 2 * math.pi) for _ in range(corners))
    if rng.random() < 0.2:
        rng.shuffle(turns)
    scale = 1 / math.cos(math.radians(y))
    points: list[LonLat] = []
    for turn in turns:
        far = radius_deg * rng.uniform(0.5, 1.0)
        east = (x + far * scale * math.cos(turn) + 180) % 360 - 180
        points.append((east, y + far * math.sin(turn)))
    return polygon(*points, edge=Edge.GEODESIC)


def any_shape(rng: random.Random) -> Volume4D:
    """Return a shape of any kind, most of short edges, some near the antimeridian or a pole."""
    x, y = rng.choice([(180.0, 0.0), (35.0, 34.0), (-20.0, 84.0)])
    size = 10 ** rng.uniform(-2.5, 0.0)
    one, two = at(x - size, y), at(x, y + size / 2)
    shapes: list[Shape] = [
        ring(rng, rng.randrange(3, 40), size, x, y),
        Circle(centre=one, radius_tmm=NM_TMM),
        Corridor(route=(one, two, at(x, y - size / 2)), width_tmm=NM_TMM),
        Corridor(route=(one, two), width_tmm=NM_TMM, edge=Edge.RHUMB),
        Orbit(first=one, second=two, radius_tmm=2 * NM_TMM),
        box(x - size, y, x, y + size),
        one_hole(x, y, size),
    ]  # fmt: skip
    return volume(rng.choice(shapes), rng.choice([None, "FL050"]), "FL100")


def one_hole(x: float, y: float, size: float) -> Polygon:
    """Return a square with a square hole."""
    outer = [(x - size, y), (x - size / 2, y), (x - size / 2, y + size), (x - size, y + size)]
    inner = [(x - 0.8 * size, y + 0.3 * size), (x - 0.7 * size, y + 0.3 * size),
             (x - 0.7 * size, y + 0.6 * size)]  # fmt: skip
    return polygon(*outer, holes=[inner], edge=Edge.GEODESIC)


def same(one: Volumes, other: Volumes) -> bool:
    return all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


def made(function: object, volumes: list[Volume4D]) -> Volumes | str:
    """Return the arrays, or the error as text."""
    try:
        if function is None:
            return compile_volumes(volumes, Datums(), [OFF_BY] * len(volumes))
        return compile_plan(function, volumes, Datums(), OFF_BY)
    except InputError as fault:
        return str(fault)


def test_number_by_number_gives_the_bits_of_all_at_once() -> None:
    rng = random.Random(31)
    quick, faults = 0, 0
    for _ in range(400):
        volumes = [any_shape(rng) for _ in range(rng.randrange(1, 4))]

        one, other = made(AS_IT_STANDS, volumes), made(None, volumes)

        if isinstance(one, str) or isinstance(other, str):
            assert one == other
            faults += 1
            continue
        assert same(one, other)
        quick += 1
    assert quick > 300
    assert faults > 5  # rings of random corners cross themselves now and then


@pytest.mark.slow
def test_compiled_gives_the_same_bits() -> None:
    rng = random.Random(32)
    for _ in range(200):
        volumes = [any_shape(rng) for _ in range(rng.randrange(1, 4))]

        one, other = made(compiled(), volumes), made(None, volumes)

        assert one == other if isinstance(one, str) or isinstance(other, str) else same(one, other)


@pytest.mark.parametrize(
    "corners",
    [
        ((0, 0), (0.02, 0.02), (0.02, 0), (0, 0.02)),  # a bow-tie
        ((0, 0), (0.02, 0), (0.02, 0.02), (0.01, 0), (0, 0.02)),  # touches itself
        ((0, 0), (0, 0), (0.01, 0)),  # two positions
    ],
)
def test_a_ring_that_is_no_area_is_refused_in_the_same_words(corners: tuple[LonLat, ...]) -> None:
    area = volume(polygon(*corners, edge=Edge.GEODESIC))

    said = made(AS_IT_STANDS, [area])

    assert isinstance(said, str)
    assert said == made(None, [area])


@pytest.mark.parametrize(
    "hole",
    [
        ((0.005, 0.005), (0.03, 0.01), (0.005, 0.015)),  # out of the outer ring
        ((0, 0.005), (0.01, 0.01), (0.005, 0.015)),  # touches it
    ],
)
def test_a_hole_that_meets_its_ring_is_refused(hole: tuple[LonLat, ...]) -> None:
    corners = [(0.0, 0.0), (0.02, 0.0), (0.02, 0.02), (0.0, 0.02)]
    area = volume(polygon(*corners, holes=[hole], edge=Edge.GEODESIC))

    said = made(AS_IT_STANDS, [area])

    assert isinstance(said, str)
    assert "crosses or touches" in said
    assert said == made(None, [area])


def test_a_position_given_twice_makes_no_edge() -> None:
    twice = [(0.0, 0.0), (0.02, 0.0), (0.02, 0.0), (0.02, 0.02)]
    once = [(0.0, 0.0), (0.02, 0.0), (0.02, 0.02)]

    one, other = (made(AS_IT_STANDS, [volume(polygon(*each, edge=Edge.GEODESIC))])
                  for each in (twice, once))  # fmt: skip

    assert not isinstance(one, str)
    assert not isinstance(other, str)
    assert same(one, other)


def test_a_route_that_waits_in_place_has_no_edge_there() -> None:
    here, there = at(35.0, 34.0), at(35.02, 34.0)
    waiting = volume(Corridor(route=(here, there, there, at(35.04, 34.01)), width_tmm=NM_TMM))

    one, other = made(AS_IT_STANDS, [waiting]), made(None, [waiting])

    assert not isinstance(one, str)
    assert not isinstance(other, str)
    assert same(one, other)
    assert len(one.pieces) == 2


def test_a_short_edge_is_not_left_to_what_cuts_long_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: object) -> None:
        raise AssertionError

    monkeypatch.setattr("keepclear.detect.quick_volumes.cut", never)
    monkeypatch.setattr("keepclear.detect.quick_volumes.compile_volumes", never)

    found = made(AS_IT_STANDS, [volume(ring(random.Random(3), 17, 0.05, 35.0, 34.0))])

    assert not isinstance(found, str)
    assert len(found.pieces) == 17


@pytest.mark.slow
def test_many_plans_together_are_as_each_by_itself() -> None:
    """Short and long edges among each other, every plan once, in an order that is told."""
    rng, functions = random.Random(33), compiled()
    plans: list[Plan] = []
    while len(plans) < 150:
        plan = Plan([any_shape(rng) for _ in range(rng.randrange(1, 4))], OFF_BY)
        if not isinstance(made(functions, list(plan.volumes)), str):
            plans.append(plan)

    found = list(compile_plans(functions, plans, Datums()))

    assert sorted(k for which, _ in found for k in which) == list(range(len(plans)))
    assert any(len(which) > 1 for which, _ in found)
    for which, volumes in found:
        alone = [
            compile_plan(functions, plans[k].volumes, Datums(), plans[k].tolerance) for k in which
        ]
        assert same(volumes, join_volumes(alone))
