# SPDX-License-Identifier: Apache-2.0
"""What a check must not lose at the edges of plans: found by trying."""

import json
from pathlib import Path

import pytest

import keepclear
from keepclear.agreement.findings import Verdict

HEAD = "timestamp,icao24,callsign,latitude,longitude,altitude\n"


def positions(file: Path, *rows: str) -> Path:
    """Write a file of positions on one day: time, icao24, call sign, place, altitude."""
    file.write_text(HEAD + "".join(f"2026-06-01T{row}\n" for row in rows))
    return file


def route(file: Path, callsign: str, coordinates: list[list[float]], minutes: int) -> Path:
    """Write a GeoJSON line with times."""
    times = ["2026-06-01T10:00:00Z", f"2026-06-01T10:{minutes:02}:00Z"]
    feature = {
        "type": "Feature", "geometry": {"type": "LineString", "coordinates": coordinates},
        "properties": {"callsign": callsign, "altitude": "FL240", "times": times},
    }  # fmt: skip
    file.write_text(json.dumps({"type": "FeatureCollection", "features": [feature]}))
    return file


def test_where_the_call_sign_of_a_craft_changes_the_time_between_is_not_known(
    tmp_path: Path,
) -> None:
    changing = positions(
        tmp_path / "ca.csv", "10:00:00Z,abc,,47,7.0,30000", "10:02:00Z,abc,,47,7.4,30000",
        "10:06:00Z,abc,SWR1,47,8.2,30000", "10:08:00Z,abc,SWR1,47,8.6,30000",
    )  # fmt: skip
    other = positions(
        tmp_path / "cb.csv", "10:03:30Z,def,B,47,7.8,30000", "10:04:30Z,def,B,47,7.8,30000"
    )

    report = keepclear.check([changing, other])

    assert report.exit_status == 3
    assert [(gap.plan, gap.why) for gap in report.unknown] == [
        ("abc", "abc goes on as SWR1: nothing joins the two")
    ]
    assert report.unknown[0].end_us - report.unknown[0].start_us == 240_000_000


def test_the_next_flight_of_a_craft_hours_later_is_no_gap(tmp_path: Path) -> None:
    craft = positions(
        tmp_path / "ca.csv", "10:00:00Z,abc,ONE,47,7.0,30000", "10:02:00Z,abc,ONE,47,7.4,30000",
        "13:00:00Z,abc,TWO,47,8.2,30000", "13:02:00Z,abc,TWO,47,8.6,30000",
    )  # fmt: skip
    other = positions(tmp_path / "cb.csv", "10:00:00Z,def,B,40,7,30000")

    assert keepclear.check([craft, other]).exit_status == 0


@pytest.mark.parametrize(
    "rows",
    [
        ["10:01:00Z,def,B,47.1,8,30000"],
        ["10:01:00Z,def,B,47.1,8,30000", "10:02:00Z,def,B,47.2,8,30000"],
        ["10:00:30Z,def,B,47.05,8,10000", "10:01:00Z,def,B,47.1,8,30000"],
    ],
)
def test_a_last_recorded_position_is_where_the_craft_was(tmp_path: Path, rows: list[str]) -> None:
    ends = positions(
        tmp_path / "la.csv", "10:00:00Z,abc,A,47,8,30000", "10:01:00Z,abc,A,47.1,8,30000"
    )
    other = positions(tmp_path / "lb.csv", *rows)

    found = keepclear.check([ends, other]).findings

    assert [finding.verdict for finding in found] == [Verdict.CONFLICT]
    assert found[0].cpa is not None
    assert found[0].cpa.time_us % 60_000_000 == 0
    assert found[0].cpa.lateral_m == pytest.approx(0, abs=0.001)


def test_a_planned_route_ends_before_its_last_instant(tmp_path: Path) -> None:
    one = route(tmp_path / "pa.geojson", "N1", [[7, 47], [8, 47]], 10)
    other = positions(tmp_path / "lb.csv", "10:10:00Z,def,B,47,8,24000")

    assert keepclear.check([one, other]).exit_status == 0


def test_a_planned_route_has_no_gap_however_long_its_legs(tmp_path: Path) -> None:
    one = route(tmp_path / "pa.geojson", "N1", [[7, 47], [9, 47]], 10)
    other = route(tmp_path / "pb.geojson", "S1", [[9, 47], [7, 47]], 10)

    report = keepclear.check([one, other])

    assert [finding.verdict for finding in report.findings] == [Verdict.CONFLICT]
    assert report.unknown == ()


def hover(tmp_path: Path, lateral_nm: float, altitude: str, lasts_s: int) -> tuple[Path, Path]:
    """Write two plans, the second with an altitude or none, near each other for a while."""
    near, far = 8 + lateral_nm / 60, 8 + 4 / 60
    one = positions(
        tmp_path / "a.csv", "10:00:00Z,a,A,0,8,30000", "10:30:00Z,a,A,0,8,30000"
    )  # fmt: skip
    ends = 600 + lasts_s
    rows = [(0, far), (598, far), (600, near), (ends, near), (ends + 2, far), (1800, far)]
    other = positions(tmp_path / "b.csv", *(
        f"10:{at // 60:02}:{at % 60:02}Z,b,B,0,{longitude:.6f},{altitude}"
        for at, longitude in rows
    ))  # fmt: skip
    return one, other


@pytest.mark.parametrize("lateral_nm", [0.5, 2.0])
def test_a_duration_is_not_known_to_be_too_long_where_heights_are_missing(
    tmp_path: Path, lateral_nm: float
) -> None:
    with_heights = keepclear.check(
        hover(tmp_path, lateral_nm, "30000", 290), rules="rule-of-threes", max_gap="1 h"
    )
    without = keepclear.check(
        hover(tmp_path, lateral_nm, "", 290), rules="rule-of-threes", max_gap="1 h"
    )

    assert with_heights.findings[0].verdict is Verdict.CONFLICT
    assert without.findings[0].verdict is Verdict.UNDETERMINED
    assert without.findings[0].short_by_s is None


def test_exactly_at_a_closed_minimum_is_a_conflict_short_by_nothing(tmp_path: Path) -> None:
    rules = tmp_path / "closed.toml"
    rules.write_text(
        'name = "closed"\n[rules.minima]\n'
        'any = [{ lateral = "5 NM" }, { vertical = "1000 ft", at_minimum = "conflict" }]\n'
    )
    one = positions(tmp_path / "a.csv", "10:00:00Z,a,A,47,8,30000", "10:04:00Z,a,A,47,8,30000")
    other = positions(tmp_path / "b.csv", "10:00:00Z,b,B,47,8,31000", "10:04:00Z,b,B,47,8,31000")

    found = keepclear.check([one, other], rules=str(rules)).findings[0]

    assert found.verdict is Verdict.CONFLICT
    assert (found.margin_m, found.short_by_m) == (0.0, 0.0)
    assert str(found.margin_m) == "0.0"


def test_minima_that_may_be_swapped_are_said_with_their_axes(tmp_path: Path) -> None:
    one = positions(tmp_path / "a.csv", "10:00:00Z,a,A,47,8,30000", "10:04:00Z,a,A,47,8,30000")
    other = positions(tmp_path / "b.csv", "10:00:00Z,b,B,49,8,31000", "10:04:00Z,b,B,49,8,31000")

    odd = keepclear.check([one, other], rules="1000 ft / 5 NM", uncertainty="100 ft / 0.1 NM")
    usual = keepclear.check([one, other], rules="5 NM / 1000 ft")

    assert odd.rules.text == "1000 ft laterally or 9260 m vertically"
    assert any("100 ft laterally, 185.2 m vertically" in note for note in odd.notes)
    assert usual.rules.text == "5 NM or 1000 ft"


def test_a_tracks_last_position_does_not_stop_the_craft_for_do_365(tmp_path: Path) -> None:
    # in trail at one speed and level, 1.2 NM apart: more than DTHR, and never closing
    ahead = positions(
        tmp_path / "a.csv", "10:00:00Z,a,A,0,35.02,5000", "10:02:00Z,a,A,0,35.12,5000"
    )
    behind = positions(
        tmp_path / "b.csv", "10:00:00Z,b,B,0,35.00,5000", "10:03:00Z,b,B,0,35.15,5000"
    )

    report = keepclear.check([ahead, behind], rules="do-365")

    assert report.findings == ()
