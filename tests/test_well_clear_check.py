# SPDX-License-Identifier: Apache-2.0
"""`check --rules do-365` on files of flown tracks."""

import json
from pathlib import Path
from typing import Final

import pytest

from keepclear import Finding, Report, Verdict, check
from keepclear.cli import main
from keepclear.errors import RulesError
from keepclear.units import parse_time_us

HEADER: Final = "timestamp,icao24,callsign,latitude,longitude,altitude\n"
FOUND: Final = 1
DTHR_M: Final = 1222.32  # 0.66 NM

MIXED: Final = """\
name = "mixed"
[rules.live]
well_clear = "phase-1"
[rules.plain]
lateral = "5 NM"
"""
ZONED: Final = """\
name = "zoned"
[rules.everywhere]
well_clear = "near-mid-air-collision"
[rules.here]
well_clear = "phase-1"
zone = "west"
[zones.west]
circle = { centre = "%s", radius = "20 NM" }
lower = "FL010"
upper = "FL245"
"""
AREA: Final = {
    "type": "Feature",
    "properties": {
        "name": "range", "start": "2015-09-30T09:00:00Z", "end": "2015-09-30T11:00:00Z",
        "lower": "FL010", "upper": "FL100",
    },
    "geometry": {"type": "Polygon",
                 "coordinates": [[[35, 34], [36, 34], [36, 35], [35, 35], [35, 34]]]},
}  # fmt: skip


def track(name: str, *points: tuple[int, float, float, object]) -> str:
    """Return rows of a track: seconds after 10:00:00Z, latitude, longitude, feet."""
    return HEADER + "".join(
        f"2015-09-30T10:{second // 60:02d}:{second % 60:02d}Z,{name.lower()},{name},"
        f"{latitude},{longitude},{feet}\n"
        for second, latitude, longitude, feet in points
    )


EASTBOUND: Final = track("N1", (0, 0.0, 35.0, 5000), (60, 0.0, 35.05, 5000),
                         (120, 0.0, 35.1, 5000))  # fmt: skip
WESTBOUND: Final = track("S1", (0, 0.0, 35.1, 5300), (120, 0.0, 35.0, 5300))


def files(folder: Path, first: str, second: str) -> list[Path]:
    """Write two files of tracks."""
    (folder / "one.csv").write_text(first)
    (folder / "two.csv").write_text(second)
    return [folder / "one.csv", folder / "two.csv"]


def only(report: Report) -> Finding:
    """Return the only finding."""
    [finding] = report.findings
    return finding


def test_head_on_tracks_lose_well_clear_from_tau_to_dthr(tmp_path: Path) -> None:
    found = only(check(files(tmp_path, EASTBOUND, WESTBOUND), rules="do-365"))

    # along the equator 0.1 degrees are 11 131.949 m, made in 120 s by each
    closing_mps = 2 * 11_131.949 / 120
    lost_at_m = (35 * closing_mps + ((35 * closing_mps) ** 2 + 4 * DTHR_M**2) ** 0.5) / 2
    start_us = parse_time_us("2015-09-30T10:00:00Z")
    [interval] = found.intervals
    assert found.verdict is Verdict.CONFLICT
    assert abs(interval.start_us - start_us - (11_131.949 - lost_at_m) / closing_mps * 1e6) < 1e3
    assert abs(interval.end_us - start_us - (11_131.949 + DTHR_M) / closing_mps * 1e6) < 1e3
    assert (found.rule, found.leaf) == ("well-clear", "well-clear/well_clear/vertical")
    assert found.margin_m == pytest.approx(-45.72, abs=1e-6)  # 150 of 450 ft
    assert found.short_by_s == pytest.approx(35.0)
    assert found.cpa is not None
    assert found.cpa.lateral_m < 0.01


def test_the_command_says_so_and_names_the_part(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    one, two = files(tmp_path, EASTBOUND, WESTBOUND)

    with pytest.raises(SystemExit) as ended:
        main(["check", str(one), str(two), "--rules", "do-365"])

    assert ended.value.code == FOUND
    assert "well clear by phase-1: short by 150 ft vertically" in capsys.readouterr().out


def test_uncertainty_gives_both_margins_and_a_longer_interval(tmp_path: Path) -> None:
    both = files(tmp_path, EASTBOUND, WESTBOUND)

    plain = only(check(both, rules="do-365"))
    found = only(check(both, rules="do-365", uncertainty="0.1 NM / 50 ft"))

    assert found.margin_without_uncertainty_m == plain.margin_m == pytest.approx(-45.72, abs=1e-6)
    assert found.margin_m == pytest.approx(-45.72 - 30.48, abs=1e-6)
    assert found.intervals[0].start_us < plain.intervals[0].start_us
    assert found.intervals[0].end_us > plain.intervals[0].end_us


def test_a_tolerance_of_heights_comes_off_zthr_once(tmp_path: Path) -> None:
    both = files(tmp_path, EASTBOUND, WESTBOUND.replace("5300", "5440"))

    assert len(check(both, rules="do-365").findings) == 1
    assert not check(both, rules="do-365", vertical_tolerance="25 ft").findings


def test_a_missing_height_is_undetermined(tmp_path: Path) -> None:
    both = files(tmp_path, EASTBOUND, WESTBOUND.replace("5300", ""))

    assert only(check(both, rules="do-365")).verdict is Verdict.UNDETERMINED


def test_tracks_that_keep_well_clear_are_not_listed(tmp_path: Path) -> None:
    both = files(tmp_path, EASTBOUND, WESTBOUND.replace(",0.0,", ",0.0125,"))

    assert not check(both, rules="do-365").findings
    assert check(both).findings


def test_a_fast_pair_is_found_by_tau_far_beyond_dthr(tmp_path: Path) -> None:
    away = track("S1", (0, 0.0, 35.35, 5000), (40, 0.0, 35.25, 5000), (80, 0.1, 35.25, 5000))
    fast = track("N1", (0, 0.0, 35.0, 5000), (40, 0.0, 35.1, 5000), (80, -0.1, 35.1, 5000))

    found = only(check(files(tmp_path, fast, away), rules="do-365"))

    # at the turn 0.15 degrees apart, 16 698 m, closing at 556.6 m/s: tau_mod is 29.8 s
    assert found.leaf == "well-clear/well_clear/time"
    assert found.short_by_m is None
    assert found.margin_m is not None
    assert found.margin_m > 15_000
    assert found.short_by_s == pytest.approx(5, abs=0.5)


def test_a_time_tolerance_is_refused_with_the_way_out(tmp_path: Path) -> None:
    both = files(tmp_path, EASTBOUND, WESTBOUND)

    for option in ({"time_tolerance": "10 s"}, {"uncertainty": "0 m / 0 ft / 1 s"}):
        with pytest.raises(RulesError, match="give what a craft may move in it as lateral"):
            check(both, rules="do-365", **option)  # type: ignore[arg-type]


def test_plans_given_as_volumes_are_refused_and_it_says_why(tmp_path: Path) -> None:
    one, _ = files(tmp_path, EASTBOUND, WESTBOUND)
    area = tmp_path / "area.geojson"
    area.write_text(json.dumps({"type": "FeatureCollection", "features": [AREA]}))

    with pytest.raises(RulesError, match=r"is given as volumes.*the time to go is not known"):
        check([one, area], rules="do-365")


def test_well_clear_and_minima_in_one_rule_set_are_refused(tmp_path: Path) -> None:
    both = files(tmp_path, EASTBOUND, WESTBOUND)
    (tmp_path / "rules.toml").write_text(MIXED)

    with pytest.raises(RulesError, match="stand in one rule set"):
        check(both, rules=str(tmp_path / "rules.toml"))


@pytest.mark.parametrize(("centre", "found"), [("0N 35E", 1), ("20N 35E", 0)])
def test_a_rule_of_a_zone_binds_inside_it_only(tmp_path: Path, centre: str, found: int) -> None:
    both = files(tmp_path, EASTBOUND, WESTBOUND)  # 300 ft apart, near mid-air collision is 100 ft
    (tmp_path / "rules.toml").write_text(ZONED % centre)

    report = check(both, rules=str(tmp_path / "rules.toml"))

    assert [finding.rule for finding in report.findings] == ["here"] * found
