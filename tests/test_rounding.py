# SPDX-License-Identifier: Apache-2.0
"""What is rounded outward holds all of what was filed, and tells no more than its grain.

Points of shapes are sampled with geographiclib (C. F. F. Karney), which is not what the code
under test computes with.
"""

import math
from collections.abc import Iterator
from itertools import pairwise
from typing import Final

import numpy as np
import pytest
from geographiclib.geodesic import Geodesic
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st

from keepclear.agreement.claims import COUNTS, Claim, compile_claim, judge
from keepclear.agreement.rules_toml import parse_short
from keepclear.airspace.altitudes import Altitude, Reference, parse_altitude
from keepclear.airspace.geodesics import along_curve
from keepclear.airspace.positions import Edge, Position
from keepclear.airspace.volumes import (
    Circle,
    Corridor,
    Orbit,
    Polygon,
    Shape,
    Volume3D,
    Volume4D,
)
from keepclear.detect.datums import Datums
from keepclear.errors import InputError
from keepclear.exchange.rounding import (
    SHORTEST_DEGREE_M,
    Box,
    box_of,
    covering,
    level_text,
    levels_of,
    pieces_of,
    rounded_volumes,
    times_of,
)
from tests.worlds_played import functions

GEOD: Final = Geodesic.WGS84
HOUR_US: Final = 3_600_000_000
SAMPLES: Final = 24
BEARINGS: Final = range(0, 360, 15)
# Shrinking shapes takes minutes; what is found is small enough to read.
search = settings(
    phases=[Phase.explicit, Phase.generate], suppress_health_check=list(HealthCheck), deadline=None
)


# --- shapes anywhere on the earth ---------------------------------------------------------------

latitudes = st.one_of(
    st.floats(-88.9, 88.9), st.sampled_from((0.0, 60.0, -60.0, 85.0, 88.5, -88.5)),
    st.floats(80, 88.9), st.floats(-88.9, -80),
)  # fmt: skip
longitudes = st.one_of(
    st.floats(-180, 180), st.sampled_from((180.0, -180.0, 0.0, 179.9999, -179.9999))
)
positions = st.builds(Position, latitude_deg=latitudes, longitude_deg=longitudes)
radii = st.integers(1_000, 2_000_000_000)


@st.composite
def walks(draw: st.DrawFn) -> tuple[Position, ...]:
    """Return positions, each some way from the one before, near or far."""
    places = [draw(positions)]
    for _ in range(draw(st.integers(1, 5))):
        last = places[-1]
        far_m = draw(st.one_of(st.floats(1_000, 200_000), st.floats(1_000, 9_000_000)))
        found = GEOD.Direct(last.latitude_deg, last.longitude_deg, draw(st.floats(0, 360)), far_m)
        places.append(Position(
            latitude_deg=min(max(found["lat2"], -89.0), 89.0), longitude_deg=found["lon2"]
        ))  # fmt: skip
    return tuple(places)


@st.composite
def rings(draw: st.DrawFn) -> tuple[Position, ...]:
    """Return a ring round a place, which may be a pole, in order."""
    middle = draw(st.one_of(positions, st.sampled_from((
        Position(latitude_deg=90.0, longitude_deg=0.0),
        Position(latitude_deg=-90.0, longitude_deg=0.0),
        Position(latitude_deg=89.0, longitude_deg=30.0),
    ))))  # fmt: skip
    count = draw(st.integers(3, 7))
    far_m = draw(st.one_of(st.floats(5_000, 200_000), st.floats(100_000, 4_000_000)))
    ring = []
    for number in range(count):
        azimuth = 360 / count * (number + draw(st.floats(0, 0.4)))
        share = draw(st.floats(0.5, 1))
        found = GEOD.Direct(middle.latitude_deg, middle.longitude_deg, azimuth, far_m * share)
        ring.append(Position(latitude_deg=found["lat2"], longitude_deg=found["lon2"]))
    return tuple(ring)


edges = st.sampled_from((Edge.GEODESIC, Edge.GEODESIC, Edge.RHUMB, Edge.PLANAR))
shapes: st.SearchStrategy[Shape] = st.one_of(
    st.builds(Polygon, ring=rings(), edge=edges),
    st.builds(Circle, centre=positions, radius_tmm=radii),
    st.builds(Corridor, route=walks(), width_tmm=radii, edge=edges),
    st.builds(Orbit, first=positions, second=positions, radius_tmm=radii),
)


def claim(*made: Shape, **more: int) -> Claim:
    """Return a claim of some shapes, FL200 to FL210 for an hour."""
    low, high = parse_altitude("FL200"), parse_altitude("FL210")
    return Claim(
        id="1" * 32, party="a", craft_class="any", has_rvsm=False,
        volumes=tuple(
            Volume4D(
                volume=Volume3D(shape=each, lower=low, upper=high), start_us=0, end_us=HOUR_US
            )
            for each in made
        ),
        **more,
    )  # fmt: skip


# --- points of a shape, by another library ------------------------------------------------------


def points_of(shape: Shape, unsure_m: float) -> Iterator[tuple[float, float]]:
    """Yield points of a shape: of its edges, and those that lie farthest from them."""
    match shape:
        case Polygon(ring=ring, edge=edge):
            line, radius_m = [*ring, ring[0]], unsure_m
        case Circle(centre=centre, radius_tmm=radius_tmm):
            line, edge, radius_m = [centre, centre], Edge.GEODESIC, radius_tmm / 10_000 + unsure_m
        case Corridor(route=route, width_tmm=width_tmm, edge=edge):
            line, radius_m = list(route), width_tmm / 20_000 + unsure_m
        case Orbit(first=first, second=second, radius_tmm=radius_tmm):
            line, edge = [first, second], Edge.GEODESIC
            radius_m = radius_tmm / 10_000 + unsure_m
        case _:
            raise AssertionError(shape)
    for a, b in pairwise(line):
        for latitude, longitude in along(a, b, edge):
            yield latitude, longitude
            for bearing in BEARINGS if radius_m else ():
                found = GEOD.Direct(latitude, longitude, bearing, radius_m * 0.999_999)
                yield found["lat2"], found["lon2"]


def along(a: Position, b: Position, edge: Edge) -> Iterator[tuple[float, float]]:
    """Yield points of an edge."""
    if edge is not Edge.GEODESIC:
        share = np.linspace(0, 1, SAMPLES)
        from_lat, from_lon, to_lat, to_lon = (
            np.full(SAMPLES, each)
            for each in (a.latitude_deg, a.longitude_deg, b.latitude_deg, b.longitude_deg)
        )
        found_at = along_curve(from_lat, from_lon, to_lat, to_lon, share, edge)
        yield from zip(found_at[0].tolist(), found_at[1].tolist(), strict=True)
        return
    line = GEOD.InverseLine(a.latitude_deg, a.longitude_deg, b.latitude_deg, b.longitude_deg)
    for number in range(SAMPLES + 1):
        found = line.Position(line.s13 * number / SAMPLES)
        yield found["lat2"], found["lon2"]


def holds(box: Box, latitude: float, longitude: float) -> bool:
    """Tell whether a point lies in a box."""
    turns = (longitude + 360 * turn for turn in range(-2, 3))
    is_across = any(box.west_deg <= each <= box.east_deg for each in turns)
    return box.south_deg <= latitude <= box.north_deg and is_across


# --- the box ---------------------------------------------------------------------------------


@pytest.mark.slow
@settings(search, max_examples=50)
@given(
    made=st.lists(shapes, min_size=1, max_size=3), unsure_m=st.sampled_from((0, 500, 20_000)),
    grain_m=st.sampled_from((0, 100, 5_000, 50_000)),
)  # fmt: skip
def test_the_box_holds_every_point_of_the_shapes(
    made: list[Shape], unsure_m: int, grain_m: int
) -> None:
    made = [each for each in made if is_computed(each)]
    assume(made)
    box = box_of(claim(*made, lateral_tmm=unsure_m * 10_000), grain_m * 10_000)

    for each in made:
        for point in points_of(each, unsure_m):
            assert holds(box, *point), (each, point, box)


def is_computed(shape: Shape) -> bool:
    """Tell whether the kernel takes a shape; one that it does not take cannot be filed."""
    try:
        compile_claim(claim(shape), Datums())
    except InputError:
        return False
    return True


def test_an_area_round_a_pole_has_the_pole_in_its_box() -> None:
    ring = tuple(Position(latitude_deg=-80, longitude_deg=each) for each in (0, 90, 180, -90))

    box = box_of(claim(Polygon(ring=ring)), 0)

    assert (box.south_deg, box.west_deg, box.east_deg) == (-90, -180, 180)


def test_a_route_round_more_than_half_the_earth_has_all_of_it_in_its_box() -> None:
    route = tuple(Position(latitude_deg=60, longitude_deg=each) for each in (0, 100, -160, -60))

    box = box_of(claim(Corridor(route=route, width_tmm=10_000, edge=Edge.RHUMB)), 0)

    assert box.east_deg - box.west_deg > 299
    assert holds(box, 60, 150)
    assert not holds(box, 60, -30)


def test_a_long_geodesic_has_its_top_in_its_box() -> None:
    first, second = (Position(latitude_deg=10, longitude_deg=each) for each in (0, 170))
    line = GEOD.InverseLine(10, 0, 10, 170)
    top_deg = line.Position(line.s13 / 2)["lat2"]

    box = box_of(claim(Orbit(first=first, second=second, radius_tmm=10_000)), 0)

    assert top_deg < box.north_deg < top_deg + 0.0001


def test_the_shortest_span_that_holds_some_goes_past_180() -> None:
    assert covering([(170, 175), (-179, -170)]) == (170, 190)
    assert covering([(-180.5, -1), (-123, -122), (29, 29)]) == (179.5, 389)
    assert covering([(-180, 0), (-10, 180)]) == (-180, 180)


# --- no finer than the grain -----------------------------------------------------------------


@settings(search, max_examples=300)
@given(made=shapes, grain_m=st.sampled_from((100, 5_000, 50_000)))
def test_each_side_of_a_box_is_on_a_grid_that_knows_nothing_of_the_shape(
    made: Shape, grain_m: int
) -> None:
    box = box_of(claim(made), grain_m * 10_000)

    step_deg = grain_m / SHORTEST_DEGREE_M
    across_deg = step_deg / math.cos(math.radians(max(abs(box.south_deg), abs(box.north_deg))))
    assert all(
        is_on_grid(side, step_deg) or abs(side) in {88, 90}
        for side in (box.south_deg, box.north_deg)
    )
    is_round = box.east_deg - box.west_deg == 360
    assert is_round or all(is_on_grid(each, across_deg) for each in (box.west_deg, box.east_deg))
    assert is_round or -180 - 2 * across_deg <= box.west_deg < 180


def is_on_grid(degrees: float, step_deg: float) -> bool:
    return abs(degrees / step_deg - round(degrees / step_deg)) < 1e-6


@settings(search, max_examples=200)
@given(
    place=st.builds(
        Position, latitude_deg=st.floats(-80, 80), longitude_deg=st.floats(-180, 180)
    ),
    turns=st.integers(0, 3), is_backward=st.booleans(),
)  # fmt: skip
def test_where_a_ring_begins_and_which_way_it_goes_shows_nothing(
    place: Position,
    turns: int,
    is_backward: bool,  # noqa: FBT001
) -> None:
    found = [GEOD.Direct(place.latitude_deg, place.longitude_deg, a, 30_000) for a in (1, 95, 200)]
    ring = [Position(latitude_deg=f["lat2"], longitude_deg=f["lon2"]) for f in found]
    other = ring[turns % 3 :] + ring[: turns % 3]
    other = other[::-1] if is_backward else other

    boxes = [box_of(claim(Polygon(ring=tuple(each))), 50_000_000) for each in (ring, other)]

    assert boxes[0] == boxes[1]


@given(
    lower=st.integers(-4_000_000, 200_000_000), tall=st.integers(0, 50_000_000),
    grain=st.integers(0, 10_000_000), unsure=st.integers(0, 5_000_000),
    reference=st.sampled_from(Reference),
)  # fmt: skip
def test_the_level_band_holds_the_levels_and_lies_on_the_grain(
    lower: int, tall: int, grain: int, unsure: int, reference: Reference
) -> None:
    datum = {Reference.QNH: "1013", Reference.QFE: "LTBA", Reference.AMSL: "EGM96"}.get(reference)
    low, high = (
        Altitude(height_tmm=h, reference=reference, datum=datum) for h in (lower, lower + tall)
    )
    made = Volume4D(
        volume=Volume3D(shape=CIRCLE, lower=low, upper=high), start_us=0, end_us=HOUR_US
    )

    found = levels_of(with_volumes(made, vertical_tmm=unsure), grain)

    assert found[0] is not None
    assert found[1] is not None
    assert found[0].height_tmm <= max(lower - unsure, -5_000_000)
    assert found[1].height_tmm >= lower + tall + unsure
    assert found[1].height_tmm % max(grain, 1) == 0
    assert found[0].height_tmm % max(grain, 1) == 0 or found[0].height_tmm == -5_000_000
    assert all(parse_altitude(level_text(each)) == each for each in found if each is not None)


CIRCLE: Final = Circle(centre=Position(latitude_deg=0, longitude_deg=0), radius_tmm=10_000)


def with_volumes(*made: Volume4D, **more: int) -> Claim:
    """Return a claim of some volumes."""
    return Claim(id="1" * 32, party="a", craft_class="any", has_rvsm=False, volumes=made, **more)


@pytest.mark.parametrize(
    ("levels", "band"),
    [
        ((("FL200", "FL210"), ("FL230", "FL240")), ("FL200", "FL240")),
        (((None, "FL210"), ("FL230", "FL240")), (None, "FL240")),
        ((("0 ft AGL", "400 ft AGL"), ("100 ft AGL", "500 ft AGL")), ("0 ft AGL", "500 ft AGL")),
        ((("FL200", "FL210"), ("1000 m WGS84", "2000 m WGS84")), (None, None)),
        ((("1000 ft QNH 1013", "FL210"), ("900 ft QNH 1008", "FL240")), (None, "FL240")),
        ((("1000 ft QNH", "2000 ft QNH"), ("900 ft QNH", "2000 ft QNH")), (None, "2000 ft QNH")),
    ],
)  # fmt: skip
def test_a_band_is_of_heights_that_are_measured_from_the_same_or_has_no_limit(
    levels: tuple[tuple[str | None, str], ...], band: tuple[str | None, str | None]
) -> None:
    made = [
        Volume4D(
            volume=Volume3D(
                shape=CIRCLE, lower=None if low is None else parse_altitude(low),
                upper=parse_altitude(high),
            ),
            start_us=0, end_us=HOUR_US,
        )
        for low, high in levels
    ]  # fmt: skip

    found = levels_of(with_volumes(*made), 0)

    assert tuple(None if each is None else level_text(each) for each in found) == band


@given(
    start=st.integers(0, 10**16), lasts=st.integers(1, 10**12), grain=st.integers(0, 10**10),
    early=st.integers(0, 10**9), late=st.integers(0, 10**9),
)  # fmt: skip
def test_the_time_band_holds_the_times_and_lies_on_the_grain(
    start: int, lasts: int, grain: int, early: int, late: int
) -> None:
    made = Volume4D(volume=Volume3D(shape=CIRCLE), start_us=start, end_us=start + lasts)

    from_us, to_us = times_of(with_volumes(made, early_us=early, late_us=late), grain)

    assert from_us <= start - early
    assert to_us >= start + lasts + late
    assert start - early - from_us < max(grain, 1) > to_us - (start + lasts + late)
    assert from_us % max(grain, 1) == to_us % max(grain, 1) == 0


# --- a conflict of the exact is one of the shown ------------------------------------------------


@st.composite
def near_pairs(draw: st.DrawFn) -> tuple[Shape, Shape]:
    """Return a shape and another not far from it."""
    one = draw(shapes)
    latitude, longitude = next(iter(points_of(one, 0)))
    found = GEOD.Direct(latitude, longitude, draw(st.floats(0, 360)), draw(st.floats(0, 60_000)))
    here = Position(latitude_deg=min(max(found["lat2"], -88), 88), longitude_deg=found["lon2"])
    other: Shape
    if draw(st.booleans()):
        other = Circle(centre=here, radius_tmm=draw(st.integers(1_000, 300_000_000)))
    else:
        far_m, azimuth = draw(st.floats(5_000, 900_000)), draw(st.floats(0, 360))
        end = GEOD.Direct(here.latitude_deg, here.longitude_deg, azimuth, far_m)
        there = Position(latitude_deg=min(max(end["lat2"], -88), 88), longitude_deg=end["lon2"])
        other = Corridor(route=(here, there), width_tmm=draw(st.integers(1_000, 100_000_000)))
    return one, other


@pytest.mark.slow
@settings(search, max_examples=100)
@given(
    pair=near_pairs(), unsure_m=st.sampled_from((0, 0, 2_000)),
    grain_m=st.sampled_from((0, 1_000, 20_000)), rule=st.sampled_from(("5 NM / 1000 ft", "1 m")),
)  # fmt: skip
def test_exact_conflict_implies_conflict_of_what_is_shown(
    pair: tuple[Shape, Shape], unsure_m: int, grain_m: int, rule: str
) -> None:
    assume(all(is_computed(each) for each in pair))
    rules, datums = parse_short(rule), Datums()
    exact = [claim(each, lateral_tmm=unsure_m * 10_000) for each in pair]
    one, other = (compile_claim(each, datums) for each in exact)
    found = judge(functions(), one, other, rules)
    assume(found is not None and found.verdict in COUNTS)
    assert found is not None

    rounded = [
        with_volumes(*rounded_volumes(each, grain_m * 10_000, 1_000_000, HOUR_US)) for each in exact
    ]
    one, other = (compile_claim(each, datums) for each in rounded)
    shown = judge(functions(), one, other, rules)

    assert shown is not None
    assert shown.verdict in COUNTS
    assert shown.cpa.lateral_m <= found.cpa.lateral_m + 0.5  # half a metre


@pytest.mark.slow
@settings(search, max_examples=8)
@given(made=shapes, grain_m=st.sampled_from((0, 5_000)))
def test_every_box_can_be_compared_and_its_pieces_are_all_of_it(made: Shape, grain_m: int) -> None:
    assume(is_computed(made))
    box = box_of(claim(made), grain_m * 10_000)

    pieces = pieces_of(box)

    assert all(is_computed(each) for each in pieces)
    for latitude in np.linspace(box.south_deg, box.north_deg, 5):
        for longitude in np.linspace(box.west_deg, box.east_deg, 7):
            spot = Circle(
                centre=Position(latitude_deg=latitude, longitude_deg=(longitude + 180) % 360 - 180),
                radius_tmm=10_000,
            )
            datums = Datums()
            both = [compile_claim(claim(*each), datums) for each in (pieces, [spot])]
            assert judge(functions(), both[0], both[1], parse_short("1 m")) is not None
