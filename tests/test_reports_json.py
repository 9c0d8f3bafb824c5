# SPDX-License-Identifier: Apache-2.0
"""The answer for programs: exactly these keys, in this order."""

import json
import math

from msgspec.structs import replace

from keepclear.reports.json_report import json_report
from tests.sample_reports import (
    eastern_mediterranean,
    hostile_report,
    many_report,
    only_gaps_report,
    simple_report,
)

# Issue 2, item 6; the notice is what every answer carries.
TOP = ["kernel", "rules", "checked", "counts", "findings", "unknown", "notice"]
FINDING = [
    "id", "a", "b", "parties", "verdict", "intervals", "intervals_a", "intervals_b", "cpa", "rule",
    "leaf", "short_by", "short_by_s", "margin_m", "margin_without_uncertainty_m",
]  # fmt: skip


def test_keys_stand_in_the_order_of_the_issue() -> None:
    whole = json.loads(json_report(eastern_mediterranean()))

    assert list(whole) == TOP
    assert list(whole["checked"]) == ["plans", "pairs"]
    assert list(whole["counts"]) == ["CONFLICT", "LIMITED", "BOUNDARY", "UNDETERMINED"]
    assert {tuple(finding) for finding in whole["findings"]} == {tuple(FINDING)}
    assert list(whole["findings"][0]["cpa"]) == [
        "time", "latitude", "longitude", "lateral_m", "vertical_m",
    ]  # fmt: skip
    assert list(whole["unknown"][0]) == ["plan", "start", "end", "why"]


def test_times_are_rfc_3339_with_microseconds() -> None:
    finding = json.loads(json_report(simple_report()))["findings"][0]

    assert finding["intervals"] == [
        {"start": "2026-11-22T10:14:43.000000Z", "end": "2026-11-22T10:15:43.000000Z"}
    ]
    assert finding["cpa"]["time"] == "2026-11-22T10:15:13.000000Z"


def test_short_by_is_the_margin_with_the_sign_turned() -> None:
    finding = json.loads(json_report(simple_report()))["findings"][0]

    assert finding["short_by"] == -finding["margin_m"]


def test_nothing_is_never_written_as_less_than_nothing() -> None:
    report = simple_report()
    level = replace(report.findings[0], margin_m=-0.00001, short_by_m=-0.0)

    text = json_report(replace(report, findings=(level,)))

    assert '"margin_m": 0.0' in text
    assert "-0.0," not in text


def test_what_cannot_be_known_is_null() -> None:
    report = simple_report()
    infinite = replace(report.findings[0], margin_m=math.inf, cpa=None)

    found = json.loads(json_report(replace(report, findings=(infinite,))))["findings"][0]
    undetermined = json.loads(json_report(eastern_mediterranean()))["findings"][2]

    assert (found["margin_m"], found["cpa"]) == (None, None)
    assert undetermined["verdict"] == "UNDETERMINED"
    assert undetermined["cpa"]["vertical_m"] is None
    assert undetermined["short_by"] is None


def test_all_findings_are_there_and_their_order_does_not_hang_on_the_reports() -> None:
    report = many_report()
    turned = replace(report, findings=report.findings[::-1])

    assert json_report(report) == json_report(turned)
    assert len(json.loads(json_report(report))["findings"]) == 300


def test_rules_say_what_was_assumed_and_left_out() -> None:
    rules = json.loads(json_report(eastern_mediterranean()))["rules"]

    assert rules["was_default"] is True
    assert "RVSM approval assumed." in rules["assumed"]
    assert rules["left_out"] == ["north.csv: row 17, column 'latitude' '91': left out"]


def test_gaps_are_unknown() -> None:
    assert json.loads(json_report(only_gaps_report()))["unknown"] == [
        {
            "plan": "N101 EXERCISE",
            "start": "2026-11-22T10:00:00.000000Z",
            "end": "2026-11-22T10:09:00.000000Z",
            "why": "no position for 9 min",
        }
    ]


def test_hostile_names_come_back_as_they_were() -> None:
    names = {finding["a"] for finding in json.loads(json_report(hostile_report()))["findings"]}

    assert names == {finding.a for finding in hostile_report().findings}
