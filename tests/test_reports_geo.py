# SPDX-License-Identifier: Apache-2.0
"""GeoJSON and KML of findings: valid, cut at 180 degrees, closed over the poles."""

import json
from itertools import pairwise
from typing import Any

import pytest
import shapely
from defusedxml import ElementTree
from hypothesis import assume, given
from hypothesis import strategies as st
from shapely.geometry import shape

from keepclear.airspace.geodesics import geod
from keepclear.airspace.positions import Edge, Position
from keepclear.airspace.volumes import Arc, ArcPolygon, Circle, Corridor, Line, Orbit, Polygon
from keepclear.checks.report import Report
from keepclear.reports.antimeridian import cut_area, cut_line
from keepclear.reports.geojson import geojson_report
from keepclear.reports.kml import NAMESPACE, kml_report
from keepclear.reports.outlines import outlines
from keepclear.units import TMM_PER_NM
from tests.sample_reports import (
    antimeridian_report,
    clear_report,
    eastern_mediterranean,
    hostile_report,
    pole_report,
    simple_report,
)

ALL = {
    "simple": simple_report, "mediterranean": eastern_mediterranean, "clear": clear_report,
    "antimeridian": antimeridian_report, "pole": pole_report, "hostile": hostile_report,
}  # fmt: skip
KML = {"k": NAMESPACE}
half_a_percent = 0.005


@pytest.fixture(params=list(ALL.values()), ids=list(ALL))
def report(request: pytest.FixtureRequest) -> Report:
    return request.param()  # type: ignore[no-any-return]


def features(report: Report) -> list[dict[str, Any]]:
    whole = json.loads(geojson_report(report))
    assert whole["type"] == "FeatureCollection"
    return whole["features"]  # type: ignore[no-any-return]


def position(longitude_deg: float, latitude_deg: float) -> Position:
    return Position(latitude_deg=latitude_deg, longitude_deg=longitude_deg)


# --- GeoJSON --------------------------------------------------------------------------------


def test_every_geometry_is_valid_and_inside_the_world(report: Report) -> None:
    for feature in features(report):
        geometry = shape(feature["geometry"])

        assert geometry.is_valid, shapely.is_valid_reason(geometry)
        west, south, east, north = geometry.bounds
        assert -180 <= west <= east <= 180
        assert -90 <= south <= north <= 90


def test_no_piece_crosses_180_degrees(report: Report) -> None:
    for feature in features(report):
        for part in shapely.get_parts(shape(feature["geometry"])):
            for ring in [part, *shapely.get_parts(shapely.get_rings(part))]:
                steps = pairwise(shapely.get_coordinates(ring)[:, 0].tolist())
                near_pole = abs(part.bounds[1]) > 89 or abs(part.bounds[3]) > 89
                assert near_pole or all(abs(there - here) <= 180 for here, there in steps)


def test_outsides_go_counterclockwise(report: Report) -> None:
    for feature in features(report):
        for part in shapely.get_parts(shape(feature["geometry"])):
            if part.geom_type == "Polygon":
                assert part.exterior.is_ccw
                assert not any(hole.is_ccw for hole in part.interiors)


def test_a_finding_is_its_closest_point_both_paths_and_its_volumes() -> None:
    kinds = [(f["properties"]["finding"], f["properties"]["kind"])
             for f in features(eastern_mediterranean())]  # fmt: skip

    assert kinds[:3] == [("f8-9", "closest"), ("f8-9", "volume"), ("f8-9", "volume")]
    assert [kind for finding, kind in kinds if finding == "f0-1"] == ["closest", "path", "path"]
    assert [kind for finding, kind in kinds if finding == "f6-7"] == ["closest", "volume", "path"]


def test_a_path_across_180_degrees_is_two_lines() -> None:
    paths = [f for f in features(antimeridian_report()) if f["properties"]["kind"] == "path"]

    assert {f["geometry"]["type"] for f in paths} >= {"MultiLineString"}
    volume = next(f for f in features(antimeridian_report()) if f["properties"]["kind"] == "volume")
    assert volume["geometry"]["type"] == "MultiPolygon"
    assert len(volume["geometry"]["coordinates"]) == 2


def test_a_third_coordinate_stands_only_for_heights_above_wgs_84() -> None:
    for feature in features(eastern_mediterranean()):
        if feature["properties"]["kind"] == "path":
            coordinates = feature["geometry"]["coordinates"]
            above = feature["properties"]["plan"] == "N202 EXERCISE"
            assert {len(at) for at in coordinates} == ({3} if above else {2})


def test_a_path_has_its_heights_with_their_reference() -> None:
    paths = [f["properties"] for f in features(eastern_mediterranean())
             if f["properties"]["kind"] == "path"]  # fmt: skip
    heights = {p["plan"]: p["height_start"] for p in paths}

    assert heights["S88 EXERCISE"] == "FL350"
    assert heights["T7 EXERCISE"].endswith("ft AMSL EGM96")
    assert heights["S99 EXERCISE"] is None


# --- cutting --------------------------------------------------------------------------------


def test_a_line_is_cut_where_it_crosses() -> None:
    assert cut_line([(170.0, 0.0), (-170.0, 10.0), (160.0, 20.0)]) == [
        [(170.0, 0.0), (180.0, 5.0)],
        [(-180.0, 5.0), (-170.0, 10.0), (-180.0, pytest.approx(13.333333))],
        [(180.0, pytest.approx(13.333333)), (160.0, 20.0)],
    ]


def test_a_line_that_only_touches_180_degrees_stays_whole() -> None:
    line = [(179.0, 0.0), (180.0, 1.0), (179.0, 2.0)]

    assert cut_line(line) == [line]


def test_a_ring_with_a_hole_across_180_degrees_keeps_its_hole_on_both_sides() -> None:
    outside = [(170.0, 0.0), (-170.0, 0.0), (-170.0, 20.0), (170.0, 20.0)]
    hole = [(175.0, 5.0), (175.0, 15.0), (-175.0, 15.0), (-175.0, 5.0)]

    parts = [shapely.Polygon(part[0], part[1:]) for part in cut_area([outside, hole])]

    assert sum(part.area for part in parts) == pytest.approx(20 * 20 - 10 * 10)
    assert all(part.is_valid for part in parts)


def test_a_comb_across_180_degrees_gives_a_part_a_tooth() -> None:
    comb = [(170.0, 0.0), (-170.0, 0.0), (-170.0, 2.0), (175.0, 2.0), (175.0, 4.0), (-170.0, 4.0),
            (-170.0, 6.0), (170.0, 6.0)]  # fmt: skip

    parts = [shapely.Polygon(part[0]) for part in cut_area([comb])]

    assert len(parts) == 3
    assert sum(part.area for part in parts) == pytest.approx(20 * 6 - 2 * 15)


def test_a_ring_round_a_pole_is_closed_over_it() -> None:
    ring = [(longitude, 80.0) for longitude in (-170.0, -90.0, 0.0, 90.0, 170.0)]

    parts = [shapely.Polygon(part[0]) for part in cut_area([ring])]

    assert sum(part.area for part in parts) == pytest.approx(360 * 10)
    assert all(part.is_valid for part in parts)


@pytest.mark.slow
@given(
    st.floats(-180, 180), st.floats(-85, 85), st.floats(0.1, 1500),
)  # fmt: skip
def test_a_circle_anywhere_keeps_its_area(
    longitude: float, latitude: float, radius_nm: float
) -> None:
    circle = Circle(centre=position(longitude, latitude), radius_tmm=round(radius_nm * TMM_PER_NM))
    ring = outlines(circle)[0][0]
    whole_m2 = abs(geod().polygon_area_perimeter([x for x, _ in ring], [y for _, y in ring])[0])
    over_pole = latitude + radius_nm / 60 > 89 or latitude - radius_nm / 60 < -89
    assume(not over_pole)

    parts = [shapely.Polygon(part[0]) for part in cut_area([ring])]

    assert all(part.is_valid for part in parts)
    cut_m2 = sum(abs(geod().geometry_area_perimeter(part.segmentize(0.5))[0]) for part in parts)
    assert cut_m2 == pytest.approx(whole_m2, rel=half_a_percent)


# --- outlines -------------------------------------------------------------------------------


def area_m2(ring: list[tuple[float, float]]) -> float:
    return float(abs(geod().polygon_area_perimeter([x for x, _ in ring], [y for _, y in ring])[0]))


def test_a_corridor_is_a_capsule_a_leg_and_a_racetrack_is_one() -> None:
    route = (position(30, 34), position(30.5, 34), position(30.5, 34.4))
    width_tmm = 4 * TMM_PER_NM
    corridor = Corridor(route=route, width_tmm=width_tmm)
    orbit = Orbit(first=route[0], second=route[1], radius_tmm=width_tmm // 2)

    (capsule,) = outlines(orbit)
    length_m = geod().inv(30, 34, 30.5, 34)[2]
    expected_m2 = length_m * 4 * 1852 + 3.14159 * (2 * 1852) ** 2

    assert len(outlines(corridor)) == 2
    assert area_m2(capsule[0]) == pytest.approx(expected_m2, rel=half_a_percent)
    assert shapely.Polygon(capsule[0]).is_valid


def test_an_orbit_on_the_spot_is_a_circle() -> None:
    spot = position(30, 34)

    (ring,) = outlines(Orbit(first=spot, second=spot, radius_tmm=TMM_PER_NM))[0]

    assert all(geod().inv(30, 34, x, y)[2] == pytest.approx(1852) for x, y in ring)


@pytest.mark.parametrize(("clockwise", "share"), [(True, 0.25), (False, 0.75)])
def test_an_arc_goes_the_way_it_says(clockwise: bool, share: float) -> None:  # noqa: FBT001
    centre = position(30, 34)
    x, y, _ = geod().fwd(30, 34, 0, 10_000)
    to_x, to_y, _ = geod().fwd(30, 34, 90, 10_000)
    start, end = position(x, y), position(to_x, to_y)
    slice_ = ArcPolygon(boundary=(
        Arc(centre=centre, start=start, end=end, clockwise=clockwise),
        Line(start=end), Line(start=centre),
    ))  # fmt: skip

    (ring,) = outlines(slice_)[0]

    assert area_m2(ring) == pytest.approx(share * 3.14159e8, rel=half_a_percent)


def test_a_long_planar_edge_follows_its_parallel() -> None:
    ring = (position(0, 60), position(40, 60), position(20, 70))

    (outside,) = outlines(Polygon(ring=ring, edge=Edge.PLANAR))[0]

    assert sum(y == pytest.approx(60) for _, y in outside) > 50


# --- KML ------------------------------------------------------------------------------------


def test_kml_is_well_formed_and_has_a_folder_a_finding(report: Report) -> None:
    root = ElementTree.fromstring(kml_report(report))

    assert root.tag == f"{{{NAMESPACE}}}kml"
    folders = root.findall(".//k:Folder", KML)
    assert len(folders) == len(report.findings)
    for mark in root.iterfind(".//k:Placemark", KML):
        assert mark.find("k:TimeSpan/k:begin", KML) is not None
        assert mark.find("k:description", KML) is not None


def test_kml_coordinates_are_longitude_first_and_on_the_ground() -> None:
    root = ElementTree.fromstring(kml_report(simple_report()))
    points = [point.text or "" for point in root.iterfind(".//k:Point/k:coordinates", KML)]

    longitude, latitude = map(float, points[0].split(","))
    assert (round(longitude, 4), round(latitude, 4)) == (31.6338, 34.5361)
    assert root.find(".//k:altitudeMode", KML) is None


def test_kml_of_nothing_found_says_among_how_many() -> None:
    root = ElementTree.fromstring(kml_report(clear_report()))

    assert (
        root.findtext("k:Document/k:name", "", KML)
        == "keepclear: None found among 2 plans (1 pair)"
    )
