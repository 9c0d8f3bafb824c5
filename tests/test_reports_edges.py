# SPDX-License-Identifier: Apache-2.0
"""Long legs are drawn along the edge that their file declares: geodesic, rhumb or planar."""

import json
import math
import re
from collections.abc import Sequence
from itertools import pairwise
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pytest
from geographiclib.geodesic import Geodesic
from msgspec.structs import replace

from keepclear.agreement.findings import Interval
from keepclear.airspace.positions import Edge
from keepclear.checks.check import check
from keepclear.checks.report import Path, Report
from keepclear.reports.geojson import geojson_report
from keepclear.reports.html import html_report
from keepclear.reports.kml import kml_report
from keepclear.reports.pieces import curve, line_of, place_at
from keepclear.reports.plane import Frame
from keepclear.units import parse_time_us

START: Final = (-36.0, 51.0)  # longitude, latitude: EXERCISE over the North Atlantic
END: Final = (-28.0, 53.0)
ECCENTRICITY: Final = math.sqrt(0.00669437999014)  # WGS 84, NGA.STND.0036 (2014), table 3.5
ALL_DAY: Final = Interval(
    start_us=parse_time_us("2026-11-22T00:00:00Z"), end_us=parse_time_us("2026-11-23T00:00:00Z")
)
a_metre, a_tenth_of_a_degree = 1e-5, 0.1  # degrees
half_a_kilometre = 500.0


def isometric(latitude_deg: float) -> float:
    """Isometric latitude: W. Torge, Geodesy (2001); a rhumb line is straight in it."""
    sine = math.sin(math.radians(latitude_deg))
    return math.atanh(sine) - ECCENTRICITY * math.atanh(ECCENTRICITY * sine)


def off_the_rhumb_line_deg(longitude_deg: float, latitude_deg: float) -> float:
    share = (isometric(latitude_deg) - isometric(START[1])) / (
        isometric(END[1]) - isometric(START[1])
    )
    return abs(START[0] + (END[0] - START[0]) * share - longitude_deg)


def feature(points: list[Any], times: list[str], **more: str) -> dict[str, Any]:
    return {
        "type": "Feature", "geometry": {"type": "LineString", "coordinates": points},
        "properties": {"times": times, "altitude": "FL300", **more},
    }  # fmt: skip


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Report:
    """A flies a rhumb leg of 600 km; B crosses it halfway in time, off A's geodesic."""
    folder = tmp_path_factory.mktemp("edges")
    middle = (START[1] + END[1]) / 2
    share = (isometric(middle) - isometric(START[1])) / (isometric(END[1]) - isometric(START[1]))
    longitude = START[0] + (END[0] - START[0]) * share
    whole_way = ["2026-11-22T10:00:00Z", "2026-11-22T10:40:00Z"]
    middle_part = ["2026-11-22T10:17:00Z", "2026-11-22T10:23:00Z"]
    crossing = [[longitude, middle - 0.3], [longitude, middle + 0.3]]
    for name, one in (
        ("north", feature([START, END], whole_way, id="A", edge="rhumb")),
        ("south", feature(crossing, middle_part, id="B")),
    ):
        whole = {"type": "FeatureCollection", "features": [one]}
        (folder / f"{name}.geojson").write_text(json.dumps(whole), encoding="utf-8")
    return check([folder / "north.geojson", folder / "south.geojson"], max_gap="5 h")


def path_a(report: Report) -> Path:
    return report.paths[report.findings[0].a_index]


def test_the_edge_of_the_file_comes_with_the_path(report: Report) -> None:
    (finding,) = report.findings

    assert report.paths[finding.a_index].edge is Edge.RHUMB
    assert report.paths[finding.b_index].edge is Edge.GEODESIC


def test_the_drawn_middle_of_a_long_rhumb_leg_lies_on_the_rhumb_line(report: Report) -> None:
    a = path_a(report)

    line = line_of(a.stretches[0], a.edge)

    assert len(line) > 25
    assert max(off_the_rhumb_line_deg(*place) for place in line) < a_metre
    # The geodesic runs far north of it, so that the drawing would show another place.
    shortest = curve(START, END, Edge.GEODESIC)
    assert off_the_rhumb_line_deg(*shortest[len(shortest) // 2]) > a_tenth_of_a_degree


def test_where_a_plan_is_drawn_is_where_the_kernel_had_it(report: Report) -> None:
    (finding,) = report.findings
    cpa = finding.cpa
    assert cpa is not None

    at = place_at(path_a(report), cpa.time_us)

    assert at is not None
    apart_m = Geodesic.WGS84.Inverse(
        at.latitude_deg, at.longitude_deg, cpa.latitude_deg, cpa.longitude_deg
    )["s12"]
    assert apart_m < half_a_kilometre


def test_geojson_and_kml_carry_the_rhumb_line_and_geojson_says_so(report: Report) -> None:
    whole = replace(report, findings=(replace(report.findings[0], intervals_a=(ALL_DAY,)),))
    paths = [
        one for one in json.loads(geojson_report(whole))["features"]
        if one["properties"]["kind"] == "path"
    ]  # fmt: skip
    placemarks = re.findall(r"<coordinates>([^<]*)</coordinates>", kml_report(whole))
    longest = max(placemarks, key=len)
    drawn = [tuple(map(float, pair.split(",")[:2])) for pair in longest.split()]

    assert [one["properties"]["edge"] for one in paths] == ["rhumb", "geodesic"]
    for line in (paths[0]["geometry"]["coordinates"], drawn):
        assert len(line) > 25
        assert max(off_the_rhumb_line_deg(*place) for place in line) < a_metre


def test_all_maps_of_the_page_are_drawn_along_the_rhumb_line(
    report: Report, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[list[tuple[float, float]]] = []
    draw = Frame.draw

    def noting(frame: Frame, places: Sequence[tuple[float, float]]) -> npt.NDArray[np.float64]:
        drawn.append(list(places))
        return draw(frame, places)

    monkeypatch.setattr(Frame, "draw", noting)
    whole = replace(report.findings[0], intervals_a=(ALL_DAY,))

    html_report(replace(report, findings=(whole, replace(whole, id="again"))))

    whole_way = [line for line in drawn if START in line and END in line]
    # For each finding: the line, the line with its times, the thick part, and the overview.
    assert len(whole_way) == 2 * 4
    for line in whole_way:
        assert max(off_the_rhumb_line_deg(*place) for place in line) < a_metre


@pytest.mark.parametrize("edge", Edge)
def test_a_long_edge_has_a_point_each_20_km_and_crosses_180_the_short_way(edge: Edge) -> None:
    line = [(170.0, 70.0), *curve((170.0, 70.0), (-170.0, 71.0), edge)]

    steps_m = [Geodesic.WGS84.Inverse(a[1], a[0], b[1], b[0])["s12"] for a, b in pairwise(line)]
    assert max(steps_m) < 20_100
    assert sum(steps_m) < 800_000
    assert all(abs(longitude) >= 170 - a_metre for longitude, _ in line)


def test_a_planar_edge_keeps_its_parallel() -> None:
    line = curve((-50.0, 50.0), (-10.0, 50.0), Edge.PLANAR)

    assert {latitude for _, latitude in line} == {50.0}
