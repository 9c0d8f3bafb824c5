# SPDX-License-Identifier: Apache-2.0
"""`keepclear.check`: files in, findings out, as its user meets it."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

import keepclear
from keepclear.agreement.findings import Finding, Verdict
from keepclear.checks.report import Exit, Report
from keepclear.errors import CallerError, FileErrors, InputError, RulesError
from keepclear.reports.table import table_text
from keepclear.units import parse_time_us

HEADER = "timestamp,icao24,callsign,latitude,longitude,altitude"
a_metre = 1.0
a_millisecond_us = 1_000
NM_PER_DEGREE = 60.0


def row(second: int, callsign: str, latitude: float, longitude: float, level_ft: int | str) -> str:
    clock = f"{10 + second // 3600:02d}:{second // 60 % 60:02d}:{second % 60:02d}"
    return f"2015-09-30T{clock}Z,,{callsign},{latitude},{longitude},{level_ft}"


def written(folder: Path, name: str, rows: Sequence[str], header: str = HEADER) -> str:
    file = folder / name
    file.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    return str(file)


def level_flight(
    callsign: str, level_ft: int | str, *, latitude: float = 35.0, seconds: int = 600
) -> list[str]:
    """Return positions a minute apart, eastward along a parallel at 6 degrees an hour."""
    return [row(s, callsign, latitude, 34.0 + s / 600, level_ft) for s in range(0, seconds + 1, 60)]


def checked(folder: Path, north: Sequence[str], south: Sequence[str], **options: Any) -> Report:  # noqa: ANN401 options of check
    files = [written(folder, "north.csv", north), written(folder, "south.csv", south)]
    return keepclear.check(files, **options)


def only(report: Report) -> Finding:
    [finding] = report.findings
    return finding


def test_two_flights_side_by_side_at_one_level_are_a_conflict(tmp_path: Path) -> None:
    # 0.05 degrees of latitude at 35 N are 5,547 m: WGS 84 meridian radius 6,355,975 m (NIMA
    # TR8350.2, formula of M) times pi / 3600.
    apart_m = 5_547.0

    report = checked(
        tmp_path, level_flight("N1", 24_000), level_flight("S1", 24_000, latitude=35.05)
    )

    finding = only(report)
    assert finding.verdict is Verdict.CONFLICT
    assert finding.parties == ("north", "south")
    assert finding.cpa is not None
    assert abs(finding.cpa.lateral_m - apart_m) < 10 * a_metre
    assert finding.cpa.vertical_m == 0
    assert report.exit_status is Exit.FOUND
    assert report.rules.was_default


def test_exactly_a_thousand_feet_is_separated_and_25_feet_less_is_not(tmp_path: Path) -> None:
    at_minimum = checked(tmp_path, level_flight("N1", 24_000), level_flight("S1", 25_000))
    below = checked(tmp_path, level_flight("N1", 24_000), level_flight("S1", 24_975))

    assert at_minimum.findings == ()
    assert at_minimum.exit_status is Exit.CLEAR
    assert only(below).short_by_m == pytest.approx(25 * 0.3048)


def test_a_vertical_tolerance_of_25_feet_lets_975_feet_pass(tmp_path: Path) -> None:
    report = checked(
        tmp_path, level_flight("N1", 24_000), level_flight("S1", 24_975),
        vertical_tolerance="25 ft",
    )  # fmt: skip

    assert report.findings == ()


def test_the_order_of_the_files_changes_nothing(tmp_path: Path) -> None:
    north = written(tmp_path, "north.csv", level_flight("N1", 24_000))
    south = written(tmp_path, "south.csv", level_flight("S1", 24_300, latitude=35.02))

    one, other = keepclear.check([north, south]), keepclear.check([south, north])

    assert one.findings == other.findings
    assert one.findings[0].id == other.findings[0].id


def test_a_file_under_two_spellings_is_not_compared_with_itself(tmp_path: Path) -> None:
    north = written(tmp_path, "north.csv", level_flight("N1", 24_000))
    south = written(tmp_path, "south.csv", level_flight("S1", 30_000))
    link = tmp_path / "link.csv"
    link.symlink_to(north)
    other = f"{tmp_path}/./north.csv"

    with pytest.raises(CallerError, match="one plan"):
        keepclear.check([north, other, link], within_party=True)
    report = keepclear.check([north, south], parties={"X": other})

    assert (report.plans, report.files) == (2, (north, south))
    assert keepclear.check([other, link], parties={"X": south}).pairs == 1


def test_a_party_for_a_file_holds_under_every_spelling_of_it(tmp_path: Path) -> None:
    north = written(tmp_path, "north.csv", level_flight("N1", 24_000))
    south = written(tmp_path, "south.csv", level_flight("S1", 24_000))

    report = keepclear.check([north, south], parties={"X": f"{tmp_path}/./north.csv"})

    assert only(report).parties == ("X", "south")
    with pytest.raises(InputError, match=r"is 'X' already; name one"):
        keepclear.check([south], parties={"X": north, "Y": f"{tmp_path}/./north.csv"})


def test_a_party_may_have_several_files_which_are_not_compared_with_each_other(
    tmp_path: Path,
) -> None:
    one = written(tmp_path, "one.csv", level_flight("N1", 24_000))
    two = written(tmp_path, "two.csv", level_flight("N2", 24_000))
    south = written(tmp_path, "south.csv", level_flight("S1", 24_000))

    report = keepclear.check([], parties={"north": [one, Path(two)], "south": south})

    assert report.pairs == 2
    assert {finding.parties for finding in report.findings} == {("north", "south")}


def test_one_path_in_place_of_a_list_is_refused(tmp_path: Path) -> None:
    for path in ("x.csv", tmp_path / "x.csv"):
        with pytest.raises(InputError, match=r"is one path and no list; give a list: \['"):
            keepclear.check(path)  # type: ignore[arg-type]


def test_what_is_said_of_files_does_not_hang_on_their_order(tmp_path: Path) -> None:
    rows = [f"{line},450" for line in level_flight("N1", 24_000)]
    north = written(tmp_path, "north.csv", [row(0, "A", 91, 8, 9_000) + ",1", *rows],
                    HEADER + ",speed")  # fmt: skip
    south = written(tmp_path, "south.csv", [row(0, "B", 92, 8, 9_000) + ",1", *rows],
                    HEADER + ",track")  # fmt: skip

    one = keepclear.check([north, south], lenient=True)
    other = keepclear.check([south, north], lenient=True)

    assert "columns not used: speed" in " ".join(one.notes)
    assert (one.notes, one.left_out) == (other.notes, other.left_out)


def test_plans_of_one_party_are_compared_only_when_asked(tmp_path: Path) -> None:
    north = [*level_flight("N1", 24_000), *level_flight("N2", 24_000, latitude=35.01)]
    file = written(tmp_path, "north.csv", north)

    with pytest.raises(CallerError, match=r"nothing to compare.*--within-party"):
        keepclear.check([file])
    assert len(keepclear.check([file], within_party=True).findings) == 1


def test_a_party_column_stands_before_the_party_of_the_file(tmp_path: Path) -> None:
    rows = [
        *(f"{line},A" for line in level_flight("N1", 24_000)),
        *(f"{line},B" for line in level_flight("N2", 24_000)),
    ]
    file = written(tmp_path, "all.csv", rows, HEADER + ",party")

    report = keepclear.check([file], parties={"C": file})

    assert only(report).parties == ("A", "B")


def test_a_missing_height_is_undetermined_and_never_dropped(tmp_path: Path) -> None:
    report = checked(tmp_path, level_flight("N1", 24_000), level_flight("S1", ""))

    finding = only(report)
    assert finding.verdict is Verdict.UNDETERMINED
    assert finding.cpa is not None
    assert finding.cpa.vertical_m is None
    assert finding.margin_m is None


def test_a_missing_height_far_away_changes_nothing(tmp_path: Path) -> None:
    report = checked(tmp_path, level_flight("N1", 24_000), level_flight("S1", "", latitude=36.0))

    assert report.findings == ()


def test_nothing_is_joined_over_a_gap_and_the_gap_is_listed(tmp_path: Path) -> None:
    with_gap = [row(0, "S1", 35.0, 34.0, 24_000), row(600, "S1", 35.0, 35.0, 24_000)]

    report = checked(tmp_path, level_flight("N1", 24_000), with_gap)
    joined = checked(tmp_path, level_flight("N1", 24_000), with_gap, max_gap="10 min")

    assert [gap.plan for gap in report.unknown] == ["S1"]
    assert {f.verdict for f in joined.findings} == {Verdict.CONFLICT}
    assert joined.unknown == ()


def test_only_gaps_have_an_exit_status_of_their_own(tmp_path: Path) -> None:
    with_gap = [row(0, "S1", 40.0, 34.0, 24_000), row(600, "S1", 40.0, 35.0, 24_000)]

    report = checked(tmp_path, level_flight("N1", 24_000), with_gap)

    assert report.exit_status is Exit.ONLY_GAPS


def test_a_plan_that_lenient_left_out_is_never_status_0_and_stands_in_the_verdict_line(
    tmp_path: Path,
) -> None:
    lost = [row(0, "A", 91, 8, 24_000), row(60, "A", 92, 8, 24_000), row(0, "C", 40, 8, 24_000)]

    report = checked(tmp_path, lost, level_flight("B", 24_000), lenient=True)

    assert report.findings == ()
    assert report.unknown == ()
    assert report.exit_status is Exit.ONLY_GAPS
    assert table_text(report).startswith(
        "None found among 2 plans (1 pair), without what --lenient left out (2 faults)."
    )


def test_faults_left_out_are_counted_also_where_one_line_stands_for_many(tmp_path: Path) -> None:
    lost = [row(s, "A", 91, 8, 24_000) for s in range(200)]

    report = checked(
        tmp_path, [*lost, *level_flight("C", 9_000)], level_flight("B", 24_000), lenient=True
    )

    assert len(report.left_out) == 1
    assert "Left out by --lenient, so not compared (200 faults):" in table_text(report)


def test_nothing_to_compare_names_what_lenient_left_out(tmp_path: Path) -> None:
    with pytest.raises(CallerError, match="hold one plan") as refused:
        checked(tmp_path, [row(0, "A", 91, 8, 9_000)], level_flight("B", 24_000), lenient=True)

    assert "north.csv: row 2, latitude '91'" in str(refused.value)


def test_uncertainty_counts_twice_a_pair_and_the_margin_is_given_without_it(
    tmp_path: Path,
) -> None:
    # 5.2 NM apart by latitude at 35 N; 0.15 NM of each plan make a conflict of it.
    latitude = 35.0 + 5.2 * 1852 / 110_941  # one degree of latitude there: 110,941 m (as above)
    plans = level_flight("N1", 24_000), level_flight("S1", 24_000, latitude=latitude)

    sure = checked(tmp_path, *plans)
    doubtful = checked(tmp_path, *plans, uncertainty="0.15 NM / 0 ft / 0 s")

    assert sure.findings == ()
    finding = only(doubtful)
    assert finding.margin_m is not None
    assert finding.margin_without_uncertainty_m is not None
    difference_m = finding.margin_without_uncertainty_m - finding.margin_m
    assert difference_m == pytest.approx(2 * 0.15 * 1852, abs=0.001)


def test_the_margin_without_uncertainty_of_time_is_that_of_equal_times(tmp_path: Path) -> None:
    behind = [row(s + 60, "S1", 35.0, 34.0 + s / 600, 24_000) for s in range(0, 541, 60)]

    exact = checked(tmp_path, level_flight("N1", 24_000), behind, rules="3 NM")
    doubtful = checked(
        tmp_path, level_flight("N1", 24_000), behind, rules="3 NM",
        uncertainty="0 NM / 0 ft / 30 s",
    )  # fmt: skip

    assert exact.findings == ()  # a minute behind is 5 NM
    finding = only(doubtful)
    assert finding.margin_m == pytest.approx(-3 * 1852, abs=a_metre)  # 30 s early meets 30 s late
    # a minute of 0.1 degrees of longitude at 35 N: 91,288 m a degree (WGS 84, N cos phi pi/180)
    assert finding.margin_without_uncertainty_m == pytest.approx(9_128.8 - 5_556, abs=a_metre)


def test_a_time_tolerance_finds_those_that_pass_the_same_place_later(tmp_path: Path) -> None:
    behind = [row(s + 120, "S1", 35.0, 34.0 + s / 600, 24_000) for s in range(0, 481, 60)]

    exact = checked(tmp_path, level_flight("N1", 24_000), behind)
    tolerant = checked(tmp_path, level_flight("N1", 24_000), behind, time_tolerance="1 min")

    assert exact.findings == ()
    finding = only(tolerant)
    assert finding.cpa is not None
    assert finding.cpa.lateral_m < 0.01 * a_metre


def test_a_window_leaves_out_what_lies_outside_it(tmp_path: Path) -> None:
    north, south = level_flight("N1", 24_000), level_flight("S1", 24_000, latitude=35.02)

    inside = checked(tmp_path, north, south, start="2015-09-30T10:02:00Z",
                     end="2015-09-30T10:03:00Z")  # fmt: skip

    [interval] = only(inside).intervals
    assert abs(interval.end_us - interval.start_us - 60_000_000) < a_millisecond_us
    assert (
        "Compared only from 2015-09-30T10:02:00Z up to 2015-09-30T10:03:00Z, by each plan's own "
        "clock: 2 of 2 plans are there then."
    ) in inside.notes


@pytest.mark.parametrize(
    "window", [{"start": "2016-09-30T10:00:00Z"}, {"end": "2014-09-30T10:00:00Z"}]
)
def test_a_window_in_which_no_plan_is_there_is_refused_and_says_when_they_are(
    tmp_path: Path, window: dict[str, str]
) -> None:
    """A year typed wrong would find nothing, and read like an answer."""
    with pytest.raises(InputError, match="run from 2015-09-30T10:00:00Z to 2015-09-30T10:"):
        checked(tmp_path, level_flight("N1", 24_000), level_flight("S1", 24_000), **window)


def test_a_window_up_to_the_first_instant_holds_no_plan(tmp_path: Path) -> None:
    """Windows are half-open, so nothing is left to compare."""
    north, south = level_flight("N1", 24_000), level_flight("S1", 24_000)

    with pytest.raises(InputError, match="to '2015-09-30T10:00:00Z': no plan is there then"):
        checked(tmp_path, north, south, end="2015-09-30T10:00:00Z")


def test_a_single_position_is_in_a_window_from_its_instant_and_in_none_up_to_it(
    tmp_path: Path,
) -> None:
    north, south = [row(60, "N1", 35.0, 34.0, 24_000)], [row(60, "S1", 35.0, 34.0, 24_000)]

    since = checked(tmp_path, north, south, start="2015-09-30T10:01:00Z")

    assert only(since).verdict is Verdict.CONFLICT
    assert (since.plans, since.pairs) == (2, 1)
    with pytest.raises(InputError, match="no plan is there then"):
        checked(tmp_path, north, south, end="2015-09-30T10:01:00Z")


@pytest.mark.parametrize(
    "options", [{}, {"time_tolerance": "15 min"}, {"uncertainty": "0 NM / 0 ft / 15 min"}]
)
def test_a_window_that_leaves_one_plan_has_nothing_to_compare(
    tmp_path: Path, options: dict[str, str]
) -> None:
    """Whatever the tolerance: the window cuts each plan on its own clock."""
    later = [row(s, "S1", 35.0, 34.0, 24_000) for s in (800, 900)]
    said = r"nothing to compare up to 2015-09-30T10:01:40Z.*1 of 2 plans is there then \('N1'\)"

    with pytest.raises(CallerError, match=said):
        checked(
            tmp_path, level_flight("N1", 24_000, seconds=120), later, end="2015-09-30T10:01:40Z",
            **options,
        )  # fmt: skip


def test_a_window_that_leaves_plans_of_one_party_has_nothing_to_compare(tmp_path: Path) -> None:
    north = [*level_flight("N1", 24_000, seconds=120), *level_flight("N2", 30_000, seconds=120)]
    later = [row(s, "S1", 35.0, 34.0, 24_000) for s in (800, 900)]

    with pytest.raises(CallerError, match=r"2 of 3 plans are there then .*all of one party"):
        checked(tmp_path, north, later, end="2015-09-30T10:01:40Z")


@pytest.mark.parametrize(
    ("window", "gaps", "status"),
    [
        ({"end": "2015-09-30T10:01:40Z"}, 0, Exit.CLEAR),
        ({"end": "2015-09-30T10:02:00Z"}, 0, Exit.CLEAR),
        ({"end": "2015-09-30T10:02:01Z"}, 1, Exit.ONLY_GAPS),
        ({"start": "2015-09-30T10:13:19Z"}, 1, Exit.ONLY_GAPS),
        ({"start": "2015-09-30T10:13:20Z"}, 0, Exit.CLEAR),
        ({}, 1, Exit.ONLY_GAPS),
    ],
)
def test_only_gaps_that_meet_the_window_are_listed(
    tmp_path: Path, window: dict[str, str], gaps: int, status: Exit
) -> None:
    with_gap = [row(s, "N1", 35.0, 34.0, 24_000) for s in (0, 120, 800, 900)]  # 120 s is 10:02:00
    far = level_flight("S1", 24_000, latitude=40.0, seconds=900)

    report = checked(tmp_path, with_gap, far, **window)

    assert len(report.unknown) == gaps
    assert report.exit_status is status


def test_a_plan_is_not_there_in_a_window_within_its_gap(tmp_path: Path) -> None:
    with_gap = [row(s, "N1", 35.0, 34.0, 24_000) for s in (0, 120, 800, 900)]
    beside = level_flight("N2", 24_000, latitude=40.0, seconds=900)
    far = level_flight("S1", 24_000, latitude=45.0, seconds=900)

    report = checked(
        tmp_path, [*with_gap, *beside], far, start="2015-09-30T10:05:00Z",
        end="2015-09-30T10:06:40Z",
    )  # fmt: skip

    assert (report.plans, report.pairs) == (2, 1)
    assert any(note.endswith("2 of 3 plans are there then.") for note in report.notes)
    assert [gap.plan for gap in report.unknown] == ["N1"]
    assert report.exit_status is Exit.ONLY_GAPS


@pytest.mark.parametrize("options", [{}, {"time_tolerance": "15 min"}])
def test_a_window_within_the_gap_of_one_of_two_plans_is_refused_and_names_the_gap(
    tmp_path: Path, options: dict[str, str]
) -> None:
    with_gap = [row(s, "N1", 35.0, 34.0, 24_000) for s in (0, 120, 800, 900)]
    said = r"1 of 2 plans .*'S1'.*gap of 'N1' from 2015-09-30T10:02:00Z to 2015-09-30T10:13:20Z"

    with pytest.raises(CallerError, match=said):
        checked(
            tmp_path, with_gap, level_flight("S1", 24_000, seconds=900),
            start="2015-09-30T10:05:00Z", end="2015-09-30T10:06:40Z", **options,
        )  # fmt: skip


def test_a_window_cuts_each_plan_on_its_own_clock(tmp_path: Path) -> None:
    north, south = level_flight("N1", 24_000), level_flight("S1", 24_000, latitude=35.02)

    report = checked(tmp_path, north, south, end="2015-09-30T10:03:00Z", time_tolerance="1 min")

    finding = only(report)
    until_us = parse_time_us("2015-09-30T10:03:00Z")
    assert finding.intervals_a[-1].end_us <= until_us + a_millisecond_us
    assert finding.intervals_b[-1].end_us <= until_us + a_millisecond_us
    assert finding.intervals[-1].end_us > until_us + 59_000_000


def test_what_was_allowed_for_is_said(tmp_path: Path) -> None:
    report = checked(
        tmp_path, level_flight("N1", 24_000), level_flight("S1", 24_000),
        time_tolerance="2 min", uncertainty="0.1 NM / 100 ft", vertical_tolerance="25ft",
    )  # fmt: skip

    assert {
        "Every plan may run 2 min early or late.",
        "Uncertainty of each plan where its file gives none: 0.1 NM laterally, 100 ft vertically.",
        "25 ft taken off each vertical minimum.",
    } <= set(report.notes)


@pytest.mark.parametrize("tolerance", ["1000 ft", "2000 ft"])
def test_a_vertical_tolerance_that_leaves_no_minimum_is_refused(
    tmp_path: Path, tolerance: str
) -> None:
    """It would clear two flights at one level and one place."""
    with pytest.raises(InputError, match=r"nothing of the vertical minimum 1000 ft \(rule minima"):
        checked(
            tmp_path, level_flight("N1", 24_000), level_flight("S1", 24_000),
            vertical_tolerance=tolerance,
        )  # fmt: skip


@pytest.mark.parametrize(
    ("rules", "said"),
    [
        ("en-rout", 'did you mean "en-route"'),
        ("rule-of-three", 'did you mean "rule-of-threes"'),
        ("do-36", 'did you mean "do-365"'),
        ("", 'no minima such as "5 NM / 1000 ft"'),
        ("5 / 1000", 'write "5 NM"'),
        ("5 NM / 1000", 'write "1000 ft"'),
    ],
)
def test_rules_that_are_nothing_known_are_refused_with_the_way_out(
    tmp_path: Path, rules: str, said: str
) -> None:
    with pytest.raises(RulesError, match=said):
        checked(tmp_path, level_flight("N1", 1_000), level_flight("S1", 2_000), rules=rules)


def test_what_is_wrong_with_a_file_of_rules_names_the_file(tmp_path: Path) -> None:
    file = tmp_path / "annex.toml"
    file.write_text('name = "x"\n[rules.a]\nlateral = "5"\n', encoding="utf-8")

    with pytest.raises(RulesError, match=r"annex\.toml: rules\.a\.lateral '5': is not a number"):
        checked(
            tmp_path, level_flight("N1", 1_000), level_flight("S1", 2_000), rules=str(file)
        )  # fmt: skip


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(FileErrors, match="is a folder; name the files in it"):
        keepclear.check([str(tmp_path)])


def test_rvsm_approval_is_assumed_and_said_unless_asked_not_to(tmp_path: Path) -> None:
    north, south = level_flight("N1", 35_000), level_flight("S1", 36_000)

    assumed = checked(tmp_path, north, south, rules="en-route")
    not_assumed = checked(tmp_path, north, south, rules="en-route", rvsm=False)

    assert assumed.findings == ()
    assert "RVSM approval assumed." in assumed.notes
    # ICAO Doc 4444 5.3.2: 2000 ft above FL290 without approval
    assert only(not_assumed).short_by_m == pytest.approx(1000 * 0.3048)


def test_below_fl290_a_thousand_feet_need_no_approval(tmp_path: Path) -> None:
    report = checked(
        tmp_path, level_flight("N1", 28_000), level_flight("S1", 29_000), rules="en-route",
        rvsm=False,
    )  # fmt: skip

    assert report.findings == ()


def test_a_short_crossing_under_the_rule_of_threes_is_limited_not_clear(tmp_path: Path) -> None:
    # Two flights that cross 2 NM apart at right angles: inside 3 NM for well under 3 minutes.
    across = [row(s, "S1", 34.5 + s / 600, 34.5 + 2.2 / 49.0, 24_000) for s in range(0, 601, 60)]

    report = checked(tmp_path, level_flight("N1", 24_000), across, rules="rule-of-threes")

    assert only(report).verdict is Verdict.LIMITED


def test_flying_together_breaks_the_rule_of_threes_by_the_time_over_three_minutes(
    tmp_path: Path,
) -> None:
    # 2 NM apart for ten minutes, of which three are allowed; outside the floor of 1 NM.
    together = level_flight("S1", 24_000, latitude=35.0 + 2 * 1852 / 110_941)

    report = checked(tmp_path, level_flight("N1", 24_000), together, rules="rule-of-threes")

    finding = only(report)
    assert finding.verdict is Verdict.CONFLICT
    assert finding.short_by_s == pytest.approx(7 * 60, abs=0.01)


def test_a_stay_that_is_open_at_the_end_of_a_plan_is_undetermined(tmp_path: Path) -> None:
    short = level_flight("S1", 24_000, latitude=35.0 + 2 * 1852 / 110_941, seconds=120)

    report = checked(tmp_path, level_flight("N1", 24_000), short, rules="rule-of-threes")

    finding = only(report)
    assert finding.verdict is Verdict.UNDETERMINED
    assert "begins or ends" in finding.reason


def test_rules_that_need_borders_are_refused_with_the_way_out(tmp_path: Path) -> None:
    with pytest.raises(CallerError, match="borders"):
        checked(
            tmp_path, level_flight("N1", 24_000), level_flight("S1", 24_000),
            rules="india-pakistan-1991",
        )  # fmt: skip


def test_the_faults_of_all_files_are_raised_at_once(tmp_path: Path) -> None:
    bad = [row(0, "N1", 91.0, 34.0, 24_000)]
    with pytest.raises(CallerError) as refused:
        checked(tmp_path, bad, [row(0, "S1", 35.0, 340.0, 24_000)])

    assert "north.csv" in str(refused.value)
    assert "south.csv" in str(refused.value)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileErrors, match=r"nowhere\.csv.*No such file"):
        keepclear.check([str(tmp_path / "nowhere.csv")])


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"time_tolerance": "20 min"}, "15 min"),
        ({"time_tolerance": "-1 s"}, "below 0"),
        ({"max_gap": "0 s"}, "max-gap"),
        ({"start": "2015-09-30T10:00:00Z", "end": "2015-09-30T09:00:00Z"}, "swap"),
        ({"start": "2015-09-30T10:00:00"}, "zone"),
        ({"uncertainty": "1 NM / 2 ft / 3 s / 4"}, "uncertainty"),
        ({"uncertainty": "-1 NM"}, "below 0"),
        ({"uncertainty": "51 NM"}, "above 50 NM"),
        ({"vertical_tolerance": "25"}, 'write "1000 ft"'),
        ({"start": "2015-09-30T10:00:00Z", "end": "2015-09-30T10:00:00Z"}, "give a later time"),
        ({"vertical_tolerance": "-5 ft"}, "below 0"),
    ],
)
def test_an_option_that_makes_no_sense_is_refused_by_name(
    tmp_path: Path, options: dict[str, str], named: str
) -> None:
    with pytest.raises(InputError, match=named):
        checked(tmp_path, level_flight("N1", 1_000), level_flight("S1", 2_000), **options)


def test_records_hold_one_flat_line_a_finding(tmp_path: Path) -> None:
    report = checked(tmp_path, level_flight("N1", 24_000), level_flight("S1", 24_000))

    [record] = report.to_records()
    assert record["verdict"] == "CONFLICT"
    assert record["start"] == "2015-09-30T10:00:00.000000Z"
    assert all(isinstance(value, str | float | int | None) for value in record.values())


def test_a_notebook_is_shown_a_table(tmp_path: Path) -> None:
    report = checked(tmp_path, level_flight("N1", 24_000), level_flight("S1", 24_000))

    assert "<table>" in report._repr_html_()  # type: ignore[attr-defined]
