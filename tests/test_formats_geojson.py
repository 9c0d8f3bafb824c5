# SPDX-License-Identifier: Apache-2.0
"""GeoJSON: shapes and properties as plans, rings, and what is refused."""

import json
import math
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from keepclear.airspace.altitudes import Altitude, Reference
from keepclear.airspace.geodesics import distance_m
from keepclear.airspace.positions import Edge, Position
from keepclear.airspace.volumes import Circle, Corridor, Orbit, Polygon
from keepclear.errors import FileErrors, InputError
from keepclear.formats.contents import Contents
from keepclear.formats.geojson import read_geojson
from keepclear.formats.rings import first_crossing, read_area
from keepclear.units import TMM_PER_M, TMM_PER_NM, parse_time_us

FILES = Path(__file__).parent / "files"
SQUARE = [[35.0, 34.0], [35.5, 34.0], [35.5, 34.5], [35.0, 34.5], [35.0, 34.0]]
WINDOW = {"start": "2026-05-01T10:00:00Z", "end": "2026-05-01T11:00:00Z"}
half_a_millisecond_us = 500


def feature(kind: str, coordinates: object, **properties: object) -> dict[str, object]:
    said = {name: value for name, value in properties.items() if value is not None}
    return {
        "type": "Feature",
        "geometry": {"type": kind, "coordinates": coordinates},
        "properties": said,
    }


def area(coordinates: object = None, **properties: object) -> dict[str, object]:
    return feature("Polygon", coordinates or [SQUARE], **{**WINDOW, **properties})


def contents_of(*features: object, lenient: bool = False) -> Contents:
    document = {"type": "FeatureCollection", "features": features}
    return read_geojson("areas.geojson", json.dumps(document).encode(), lenient=lenient)


def faults_in(*features: object) -> str:
    with pytest.raises(FileErrors) as refused:
        contents_of(*features)
    return str(refused.value)


def ring_of(contents: Contents) -> list[tuple[float, float]]:
    shape = contents.areas[0].volumes[0].volume.shape
    assert isinstance(shape, Polygon)
    return [(p.longitude_deg, p.latitude_deg) for p in shape.ring]


def test_a_file_of_areas_and_routes_is_read_as_its_plans() -> None:
    contents = read_geojson("two.geojson", (FILES / "two_areas.geojson").read_bytes())
    one, flights = contents.areas[0], contents.flights[0]
    shape = one.volumes[0].volume.shape

    assert (one.plan.name, one.plan.key, one.plan.party, one.plan.category) == (
        "Firing area",
        "7",
        "north",
        "gunnery",
    )
    assert isinstance(shape, Polygon)
    assert (len(shape.ring), len(shape.holes), shape.edge) == (4, 1, Edge.PLANAR)
    assert one.volumes[0].volume.lower is None
    assert one.volumes[0].volume.upper == Altitude(
        height_tmm=10_000 * 3048, reference=Reference.STANDARD
    )
    assert one.volumes[0].end_us - one.volumes[0].start_us == 3_600_000_000
    assert (flights.plans[0].name, flights.plans[0].key, flights.plans[0].rvsm) == (
        "N101",
        "OP-8",
        True,
    )
    assert flights.edge is Edge.GEODESIC
    assert flights.height_tmm.tolist() == [24_000 * 3048] * 2
    assert flights.time_uncertainty_us.tolist() == [5_000_000] * 2
    assert any("edges not declared: 2" in note for note in contents.notes)


def test_a_route_arrives_when_its_length_and_speed_say() -> None:
    flights = read_geojson("two.geojson", (FILES / "two_areas.geojson").read_bytes()).flights[0]
    length_m = distance_m(
        Position(latitude_deg=34, longitude_deg=35), Position(latitude_deg=34, longitude_deg=36)
    )
    expected_us = length_m / (450 * 1852 / 3600) * 1e6

    assert abs((flights.time_us[1] - flights.time_us[0]) - expected_us) < half_a_millisecond_us


def test_circles_corridors_and_orbits_are_exact_shapes_and_no_polygons() -> None:
    line = [[35.0, 34.0], [36.0, 34.0]]
    contents = contents_of(
        feature("Point", [35, 34], radius="5 NM", **WINDOW),
        feature("LineString", line, width="10 km", edge="rhumb", **WINDOW),
        feature("LineString", line, radius="2 NM", **WINDOW),
    )
    shapes = [plan.volumes[0].volume.shape for plan in contents.areas]

    assert shapes[0] == Circle(
        centre=Position(latitude_deg=34, longitude_deg=35), radius_tmm=5 * TMM_PER_NM
    )
    assert isinstance(shapes[1], Corridor)
    assert (shapes[1].width_tmm, shapes[1].edge) == (10_000 * TMM_PER_M, Edge.RHUMB)
    assert isinstance(shapes[2], Orbit)


def test_timed_points_keep_their_times_and_heights_above_the_stated_reference() -> None:
    contents = contents_of(
        feature(
            "LineString",
            [[35, 34, 900.5], [35, 34.1, 950]],
            callsign="S88",
            times=["2026-05-01T10:00:00Z", "2026-05-01T13:00:10+03:00"],
            altitude_reference="AMSL EGM96",
        )
    )
    flights = contents.flights[0]

    assert flights.time_us.tolist() == [
        parse_time_us("2026-05-01T10:00:00Z"),
        parse_time_us("2026-05-01T10:00:10Z"),
    ]
    assert flights.height_tmm.tolist() == [9_005_000, 9_500_000]
    assert flights.datums == (Altitude(height_tmm=0, reference=Reference.AMSL, datum="EGM96"),)


def test_features_of_one_id_are_one_plan_with_several_volumes() -> None:
    contents = contents_of(area(id="OP-1"), area(id="OP-1", upper="FL50"), area())

    assert [len(plan.volumes) for plan in contents.areas] == [2, 1]
    assert "another name, class" in faults_in(area(id="A"), area(id="A", name="other"))
    flight = feature("LineString", SQUARE[:2], id="A", speed="450 kt", departure=WINDOW["start"])
    assert "is the id of another flight too" in faults_in(area(id="A"), flight)


def test_one_id_in_two_parties_is_two_plans() -> None:
    assert len(contents_of(area(id="A", party="north"), area(id="A", party="south")).areas) == 2


def test_a_multipolygon_is_one_plan_with_a_volume_for_each_part() -> None:
    other = [[x + 2, y] for x, y in SQUARE]

    assert (
        len(contents_of(feature("MultiPolygon", [[SQUARE], [other]], **WINDOW)).areas[0].volumes)
        == 2
    )


def test_a_ring_the_wrong_way_round_is_turned_and_said() -> None:
    turned, right = contents_of(area([SQUARE[::-1]])), contents_of(area())

    assert set(ring_of(turned)) == set(ring_of(right))
    assert any("rings turned that ran the wrong way round: 1" in note for note in turned.notes)
    assert not any("turned" in note for note in right.notes)
    ring = ring_of(turned)
    assert sum(a[0] * b[1] - b[0] * a[1] for a, b in pairwise([*ring, ring[0]])) > 0


def test_a_bow_tie_is_an_error_that_names_the_two_edges() -> None:
    bow_tie = [[35.0, 34.0], [36.0, 35.0], [36.0, 34.0], [35.0, 35.0], [35.0, 34.0]]

    assert (
        "features[0].geometry.coordinates: edge 1 (35, 34 to 36, 35) crosses or touches"
        " edge 3 (36, 34 to 35, 35)" in faults_in(area([bow_tie]))
    )


@pytest.mark.parametrize(
    "ring",
    [
        [[0, 0], [2, 0], [1, 0], [1, 1], [0, 0]],  # runs back over its own edge
        [[0, 0], [1, 1], [2, 0], [1, -1], [1, 1], [0, 0]],  # meets itself in a corner
        [[0, 0], [2, 0], [2, 2], [1, 0], [0, 2], [0, 0]],  # touches an edge with a corner
        [[0, 0], [1, 1], [2, 2], [0, 0]],  # is a line
    ],
)
def test_a_ring_that_touches_itself_or_encloses_nothing_is_refused(ring: list[list[float]]) -> None:
    assert "features[0].geometry.coordinates" in faults_in(area([ring]))


def test_a_hole_outside_or_across_its_ring_is_refused() -> None:
    outside = [[x + 5, y] for x, y in SQUARE]
    across = [[x + 0.25, y + 0.25] for x, y in SQUARE]
    inside = [[35.1, 34.1], [35.1, 34.2], [35.2, 34.2], [35.2, 34.1], [35.1, 34.1]]

    assert "is a hole outside the exterior ring" in faults_in(area([SQUARE, outside]))
    assert "of hole 1" in faults_in(area([SQUARE, across]))
    assert "crosses or touches" in faults_in(area([SQUARE, inside, inside]))
    smaller = [[35.12, 34.12], [35.12, 34.18], [35.18, 34.18], [35.18, 34.12], [35.12, 34.12]]
    assert "lie one in the other" in faults_in(area([SQUARE, inside, smaller]))


@pytest.mark.parametrize(
    "ring",
    [
        [[179, 0], [-179, 0], [-179, 1], [179, 1], [179, 0]],
        [[179, 0], [181, 0], [181, 1], [179, 1], [179, 0]],
        [[-181, 0], [-179, 0], [-179, 1], [-181, 1], [-181, 0]],
    ],
)
def test_a_ring_across_the_antimeridian_is_the_small_area_and_not_the_globe(
    ring: list[list[float]],
) -> None:
    contents = contents_of(area([ring]))

    assert set(ring_of(contents)) == {(179, 0), (-179, 0), (-179, 1), (179, 1)}
    assert any("crossing the antimeridian: 1" in note for note in contents.notes)
    assert not any("turned" in note for note in contents.notes)


def test_a_ring_round_a_pole_is_refused_with_the_way_out() -> None:
    ring = [[0, 80], [120, 80], [-120, 80], [0, 80]]

    assert "goes round a pole or right round the globe; cut it" in faults_in(area([ring]))
    assert "east or west?" in faults_in(area([[[0, 1], [180, 1], [90, 5], [0, 1]]]))


@pytest.mark.parametrize(
    ("one", "told"),
    [
        (area(upper="5000 ft"), "features[0].properties.upper '5000 ft': has no reference"),
        (area(upper=5000), "features[0].properties.upper '5000': has no unit"),
        (area(upper="FL100", lower="FL200"), "is above upper FL100; swap them"),
        (area(upper="FL1231"), "is outside -1,640 ft to 100,000 ft"),
        (area(end="2026-05-01T09:00:00Z"), "is before start 2026-05-01T10:00:00.000000Z"),
        (area(end="2026-05-01T11:00:00"), "properties.end '2026-05-01T11:00:00': has no zone"),
        (area(start=None), "features[0].properties.start: is missing"),
        (area(edge="straight"), "is not one of geodesic, rhumb, planar, parallel"),
        (area(altitude="FL100"), "means nothing for an area; give lower and upper"),
        (area(lateral_uncertainty="-1 NM"), "is below 0 or too large"),
        (area(name="a\u202eb"), "holds unprintable characters"),
        (area(name="\ud800"), "holds unprintable characters"),
        (area([SQUARE[:-1]]), "is not closed; repeat the first position"),
        (area([SQUARE[:3]]), "positions are no closed ring"),
        (area([[*SQUARE[:4], [35.0, 34.0, 100]]]), "is a height of an area's corner"),
        (area([[[35, 91], *SQUARE]]), "coordinates[0][0][1] '91': is a latitude"),
        (area([[["35", 34], *SQUARE]]), "coordinates[0][0][0] '35': is not a number"),
        (feature("Point", [35, 34], **WINDOW), "radius: is missing"),
        (feature("Point", [35, 34], radius="0 m", **WINDOW), "is not above 0"),
        (feature("LineString", SQUARE[:2], **WINDOW), "a line needs one of"),
        (
            feature(
                "LineString",
                [[35, 34, 100], [36, 34, 100]],
                speed="1 kt",
                departure=WINDOW["start"],
            ),
            "files disagree on what a third coordinate is measured from",
        ),
        (feature("LineString", SQUARE[:2], times=[WINDOW["start"]]), "are not one for each of 2"),
        (
            feature("LineString", SQUARE[:2], times=[WINDOW["end"], WINDOW["start"]]),
            "features[0].properties.times[1]",
        ),
        (
            feature("LineString", SQUARE[:2], times=[WINDOW["end"]] * 2),
            "is the time of the point before",
        ),
        (
            feature("LineString", SQUARE[:2], speed="450", departure=WINDOW["start"]),
            "number with its unit",
        ),
        (
            feature("LineString", SQUARE[:2], speed="0.000000001 kt", departure=WINDOW["start"]),
            "is outside the years",
        ),
        (feature("LineString", SQUARE[:2], speed="450 kt", width="5 NM"), "stands beside width"),
        (feature("MultiPoint", SQUARE, **WINDOW), "features[0].geometry.type 'MultiPoint'"),
        ({"type": "Feature", "geometry": None, "properties": {}}, "geometry: is not an object"),
    ],
)
def test_a_fault_in_a_feature_is_told_with_its_path_and_the_way_out(one: object, told: str) -> None:
    assert told in faults_in(one)


def test_all_faults_of_all_features_are_told_at_once() -> None:
    bad = area([[[35, 91], [35, 92], *SQUARE]], upper="5000 ft", start=None)

    assert len(faults_in(bad, bad).splitlines()) == 8


def test_lenient_leaves_out_a_feature_whole_and_lists_its_faults() -> None:
    contents = contents_of(area(upper="5000 ft", id="A"), area(id="B"), lenient=True)

    assert [plan.plan.key for plan in contents.areas] == ["B"]
    assert [fault.column for fault in contents.left_out] == ["features[0].properties.upper"]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (b"", "is empty"),
        (b'{"type": "FeatureCollection", "features": [', "is not JSON"),
        (b'{"type": "FeatureCollection", "features": []}', "holds no feature"),
        (b'{"type": "Polygon", "coordinates": []}', "is not FeatureCollection or Feature"),
        (b'{"type": "Feature", "type": "Feature"}', "'type' stands twice"),
        (b'{"type": NaN}', "NaN is no JSON number"),
        (b"[" * 100_000, "is nested too deep"),
        (b'{"type": ' + b"9" * 5000 + b"}", "digits"),
        ('{"type": "Feature"}'.encode("utf-16"), "is not UTF-8"),
        (b'{"type": "Feature", "crs": {"name": "EPSG:3857"}}', "is not WGS 84"),
    ],
)
def test_what_is_no_geojson_is_refused(text: bytes, told: str) -> None:
    with pytest.raises(FileErrors) as refused:
        read_geojson("areas.geojson", text, lenient=True)

    assert told in str(refused.value)


@pytest.mark.slow
def test_the_rings_of_real_airspaces_are_read(shared_data: Path) -> None:
    # 108 flight information regions of AIRAC 524; they have no times, so they are given some here.
    document = json.loads((shared_data / "airspace" / "fir_region_pru.geojson").read_bytes())
    for one in document["features"]:
        one["properties"] = {"id": f"{one['properties']['code']} {id(one)}", **WINDOW}
    contents = contents_of(*document["features"])

    assert len(contents.areas) == 108
    assert sum(len(plan.volumes) for plan in contents.areas) == 116


# --- rings against brute force --------------------------------------------------------------

SMALL = st.integers(0, 6).map(float)


def crosses_by_brute_force(ring: list[tuple[float, float]]) -> bool:
    """Tell whether two edges meet that may not; coordinates are small whole numbers."""

    def turn(a: tuple[float, float], b: tuple[float, float], c: tuple[float, float]) -> float:
        return (
            math.copysign(1, d)
            if (d := (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0]))
            else 0
        )

    def on(a: tuple[float, float], b: tuple[float, float], c: tuple[float, float]) -> bool:
        return (
            turn(a, b, c) == 0
            and min(a[0], b[0]) <= c[0] <= max(a[0], b[0])
            and (min(a[1], b[1]) <= c[1] <= max(a[1], b[1]))
        )

    n = len(ring)
    for i in range(n):
        for j in range(i + 1, n):
            a, b, c, d = ring[i], ring[(i + 1) % n], ring[j], ring[(j + 1) % n]
            if j == i + 1 or (i == 0 and j == n - 1):
                first, middle, last = (a, b, d) if j == i + 1 else (c, a, b)
                if on(first, middle, last) or on(middle, last, first):
                    return True
            elif (turn(a, b, c) * turn(a, b, d) < 0 and turn(c, d, a) * turn(c, d, b) < 0) or any(
                (on(a, b, c), on(a, b, d), on(c, d, a), on(c, d, b))
            ):
                return True
    return False


@pytest.mark.slow
@given(st.lists(st.tuples(SMALL, SMALL), min_size=3, max_size=8, unique=True))
def test_crossings_are_found_as_brute_force_finds_them(ring: list[tuple[float, float]]) -> None:
    assert (first_crossing([np.array(ring)]) is not None) == crosses_by_brute_force(ring)


@pytest.mark.slow
@given(
    st.integers(3, 40), st.floats(-180, 180), st.floats(-80, 80), st.floats(0.01, 5), st.booleans()
)
def test_a_round_ring_is_read_anywhere_and_either_way(
    corners: int,
    x: float,
    y: float,
    size: float,
    clockwise: bool,  # noqa: FBT001
) -> None:
    angles = np.linspace(0, 2 * math.pi, corners, endpoint=False)[:: -1 if clockwise else 1]
    found = read_area([[(x + size * math.cos(a), y + size * math.sin(a)) for a in angles]], "ring")

    assert len(found.exterior) == corners
    assert found.turned == clockwise


def test_a_large_ring_is_tested_within_a_second_and_a_larger_one_refused() -> None:
    comb = [(float(i), float(i % 2) * 5000 + i * 1e-3) for i in range(9_998)]
    ring = [(x / 100, y / 1000) for x, y in [*comb, (9_999.0, 2e4), (0.0, 2e4)]]

    assert first_crossing([np.array(ring)]) is None
    with pytest.raises(InputError, match="are more than 10,000"):
        read_area([ring * 2], "ring")
