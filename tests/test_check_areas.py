# SPDX-License-Identifier: Apache-2.0
"""`keepclear.check` with plans given as volumes, and with rules that hold in a zone."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

import keepclear
from keepclear.agreement.findings import Verdict
from keepclear.checks.report import Report
from keepclear.errors import InputError
from tests.test_check import level_flight, row, written

Feature = dict[str, Any]
ten_metres = 10.0


def box(name: str, west: float, south: float, **said: str) -> Feature:
    """Return a half-degree box from FL200 to FL250, 10:00 to 11:00 on 30 September 2015."""
    east, north = west + 0.5, south + 0.5
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    properties = {
        "id": name, "lower": "FL200", "upper": "FL250", "start": "2015-09-30T10:00:00Z",
        "end": "2015-09-30T11:00:00Z", **said,
    }  # fmt: skip
    geometry = {"type": "Polygon", "coordinates": [ring]}
    return {"type": "Feature", "properties": properties, "geometry": geometry}


def areas(folder: Path, name: str, features: Sequence[Feature]) -> str:
    file = folder / name
    file.write_text(json.dumps({"type": "FeatureCollection", "features": list(features)}))
    return str(file)


def against(folder: Path, area: Feature, flight: Sequence[str], **options: Any) -> Report:  # noqa: ANN401 options of check
    return keepclear.check(
        [areas(folder, "north.geojson", [area]), written(folder, "south.csv", flight)], **options
    )


def test_a_flight_through_an_area_is_a_conflict_while_it_is_near(tmp_path: Path) -> None:
    # Along 35 N from 34 E at 0.1 degrees of longitude a minute; the box is 34.4 to 34.9 E.
    report = against(tmp_path, box("AREA", 34.4, 34.8), level_flight("S1", 22_000), rules="1 NM")

    [finding] = report.findings
    assert finding.verdict is Verdict.CONFLICT
    assert finding.cpa is not None
    assert finding.cpa.lateral_m == 0
    [interval] = finding.intervals
    # 1 NM (1852 m) before the edge at 91,288 m a degree of longitude (N cos phi pi/180, WGS 84)
    start_s = (0.4 - 1852 / 91_288) * 600
    measured_s = (interval.start_us / 1e6) % 3600
    assert measured_s == pytest.approx(start_s, abs=0.1)


def test_a_flight_exactly_a_thousand_feet_above_an_area_is_separated(tmp_path: Path) -> None:
    above = against(tmp_path, box("AREA", 34.4, 34.8), level_flight("S1", 26_000))
    below = against(tmp_path, box("AREA", 34.4, 34.8), level_flight("S1", 25_975))

    assert above.findings == ()
    assert [f.verdict for f in below.findings] == [Verdict.CONFLICT]


def test_a_flight_through_an_area_before_it_begins_is_none(tmp_path: Path) -> None:
    later = box("AREA", 34.4, 34.8, start="2015-09-30T10:10:01Z")

    assert against(tmp_path, later, level_flight("S1", 22_000)).findings == ()
    tolerant = against(tmp_path, later, level_flight("S1", 22_000), time_tolerance="5 min")
    assert [f.verdict for f in tolerant.findings] == [Verdict.CONFLICT]


def test_a_flight_whose_last_position_is_in_an_area_as_it_begins_is_found(tmp_path: Path) -> None:
    begins = box("AREA", 34.4, 34.8, start="2015-09-30T10:10:00Z")

    found = against(tmp_path, begins, level_flight("S1", 22_000)).findings

    assert [f.verdict for f in found] == [Verdict.CONFLICT]
    assert found[0].intervals[0].start_us == found[0].intervals[0].end_us


def test_an_area_above_ground_cannot_be_compared_with_a_level(tmp_path: Path) -> None:
    agl = box("AREA", 34.4, 34.8, lower="500 ft AGL", upper="2000 ft AGL")

    report = against(tmp_path, agl, level_flight("S1", 22_000))

    assert [f.verdict for f in report.findings] == [Verdict.UNDETERMINED]


def test_areas_of_two_parties_that_lie_side_by_side_need_the_minimum_between_them(
    tmp_path: Path,
) -> None:
    # 0.05 degrees of longitude at 35.5 N (the nearer, northern corners): 4.54 km, 2.45 NM
    north = areas(tmp_path, "north.geojson", [box("A1", 34.0, 35.0)])
    near = areas(tmp_path, "near.geojson", [box("B1", 34.55, 35.0)])
    far = areas(tmp_path, "far.geojson", [box("C1", 36.0, 35.0)])

    report = keepclear.check([north, near, far], rules="5 NM / 1000 ft")

    [finding] = report.findings
    assert (finding.a, finding.b) == ("B1", "A1")
    assert finding.cpa is not None
    assert finding.cpa.lateral_m == pytest.approx(4_538, abs=2 * ten_metres)


def test_the_order_of_plan_and_area_changes_nothing(tmp_path: Path) -> None:
    flight = written(tmp_path, "flight.csv", level_flight("S1", 22_000))
    first = areas(tmp_path, "a_area.geojson", [box("AREA", 34.4, 34.8)])
    last = areas(tmp_path, "z_area.geojson", [box("AREA", 34.4, 34.8)])

    [before] = keepclear.check([first, flight]).findings
    [after] = keepclear.check([flight, last]).findings

    assert (before.a, before.b) == (after.b, after.a)
    assert before.intervals == after.intervals
    assert before.cpa == after.cpa
    assert before.margin_m == after.margin_m


def test_a_rule_for_a_zone_binds_inside_it_and_nowhere_else(tmp_path: Path) -> None:
    # 2 NM apart side by side; the wider rule holds only within 5 km of 35 N 34.5 E.
    rules = tmp_path / "rules.toml"
    rules.write_text(
        'name = "zoned"\n[rules.everywhere]\nlateral = "1 NM"\n'
        '[rules.west]\nzone = "west"\nlateral = "3 NM"\n'
        '[zones.west]\ncircle = { centre = "35N 34.5E", radius = "5 km" }\n'
    )
    files = [
        written(tmp_path, "north.csv", level_flight("N1", 24_000)),
        written(
            tmp_path, "south.csv", level_flight("S1", 24_000, latitude=35.0 + 2 * 1852 / 110_941)
        ),
    ]

    report = keepclear.check(files, rules=str(rules))

    [finding] = report.findings
    assert finding.rule == "west"
    [interval] = finding.intervals
    # N1 is inside for 10 km of 91,288 m a degree, at 0.1 degrees a minute
    assert (interval.end_us - interval.start_us) / 1e6 == pytest.approx(65.7, abs=0.5)


def test_an_area_and_a_point_in_time_that_only_touch_are_not_compared(tmp_path: Path) -> None:
    ends = box("AREA", 34.0, 34.8, end="2015-09-30T10:05:00Z")
    starts = [row(300, "S1", 35.0, 34.2, 22_000), row(360, "S1", 35.0, 34.3, 22_000)]

    assert against(tmp_path, ends, starts).findings == ()


@pytest.mark.parametrize(
    "window",
    [
        {"start": "2015-09-30T11:00:00Z"}, {"end": "2015-09-30T10:00:00Z"},
        {"end": "1970-01-01T00:00:00Z"},
    ],
)  # fmt: skip
def test_an_area_is_not_there_in_a_window_that_only_touches_it(
    tmp_path: Path, window: dict[str, str]
) -> None:
    north = areas(tmp_path, "north.geojson", [box("A1", 34.0, 35.0)])
    south = areas(tmp_path, "south.geojson", [box("B1", 34.0, 35.0)])

    with pytest.raises(InputError, match="no plan is there then"):
        keepclear.check([north, south], **window)  # type: ignore[arg-type]


def test_an_area_is_there_in_a_window_that_cuts_it(tmp_path: Path) -> None:
    window = {"start": "2015-09-30T10:05:00Z", "end": "2015-09-30T10:06:00Z"}

    report = against(tmp_path, box("AREA", 34.4, 34.8), level_flight("S1", 22_000), **window)

    assert [f.verdict for f in report.findings] == [Verdict.CONFLICT]
    assert (report.plans, report.pairs) == (2, 1)


def test_only_plans_that_are_there_in_the_window_count_as_compared(tmp_path: Path) -> None:
    later = box("B2", 34.0, 35.0, start="2015-09-30T10:30:00Z")
    north = areas(tmp_path, "north.geojson", [box("A1", 34.0, 35.0)])
    south = areas(tmp_path, "south.geojson", [box("B1", 36.0, 35.0), later])

    report = keepclear.check([north, south], end="2015-09-30T10:30:00Z")

    assert (report.plans, report.pairs) == (2, 1)
    assert any(note.endswith("2 of 3 plans are there then.") for note in report.notes)
    assert keepclear.check([north, south]).pairs == 2
