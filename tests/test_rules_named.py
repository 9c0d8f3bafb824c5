# SPDX-License-Identifier: Apache-2.0
"""A finding among several rules says which one is broken, what that asks for, and its own words."""

import json
from typing import Final

import pytest
from msgspec.structs import replace

from keepclear.agreement.rules_toml import read_rules
from keepclear.agreement.separation import describe_scope
from keepclear.checks.check import check
from keepclear.checks.report import Report, RulesUsed, RuleUsed
from keepclear.reports.geojson import geojson_report
from keepclear.reports.html import html_report
from keepclear.reports.json_report import json_report
from keepclear.reports.kml import kml_report
from keepclear.reports.table import table_text
from tests.sample_reports import HOSTILE, simple_report

CLAUSE: Final = "Annex B, clause 4: over the western area both sides keep well apart."
RULES: Final = f"""
name = "Annex B"

[rules.any-pair]
default = true
any = [{{ lateral = "5 NM" }}, {{ vertical = "1000 ft" }}]

[rules.helicopters]
classes = ["helicopter", "uav*"]
any = [{{ lateral = "3 NM" }}, {{ vertical = "500 ft" }}]

[rules.west-area]
text = "{CLAUSE}"
zone = "west"
any = [{{ lateral = "10 NM" }}, {{ vertical = "2000 ft" }}]

[zones.west]
circle = {{ centre = "47.5N 8.25E", radius = "20 NM" }}
lower = "FL100"
upper = "FL245"
"""
ASKS: Final = "10 NM or 2000 ft"


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Report:
    """EXERCISE: two meet head-on in the zone, 1200 ft apart: enough elsewhere, not there."""
    folder = tmp_path_factory.mktemp("rules")
    (folder / "annex-b.toml").write_text(RULES, encoding="utf-8")
    for name, south, step, feet in (("north", 48.2, -0.05, 15_000), ("south", 46.8, 0.05, 16_200)):
        lines = ["timestamp,icao24,callsign,latitude,longitude,altitude"]
        lines += [
            f"2026-11-22T10:{minute:02}:00Z,{name},EX{name},{south + step * minute:.4f},8.2,{feet}"
            for minute in range(30)
        ]
        (folder / f"{name}.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    files = [folder / "north.csv", folder / "south.csv"]
    return check(files, rules=str(folder / "annex-b.toml"))


def test_the_table_says_which_rule_what_it_asks_and_its_own_words(report: Report) -> None:
    table = table_text(report, width=100)

    assert f"  rule      west-area: {ASKS}, where one or both are in zone west\n" in table
    assert "  short by  800 ft vertically\n" in table
    assert f"  it says   {CLAUSE}\n" in table
    assert "Rules: Annex B:\n  any-pair: 5 NM or 1000 ft, for pairs that no other" in table
    assert "\n  helicopters: 3 NM or 500 ft, between helicopter and uav*\n" in table


def test_json_has_each_rule_and_the_finding_names_one_of_them(report: Report) -> None:
    told = json.loads(json_report(report))
    rules = {rule["id"]: rule for rule in told["rules"]["rules"]}

    assert list(rules) == ["any-pair", "helicopters", "west-area"]
    assert rules[told["findings"][0]["rule"]] == {
        "id": "west-area", "asks": ASKS, "binds": "where one or both are in zone west",
        "text": CLAUSE,
    }  # fmt: skip


def test_the_page_and_the_maps_say_it_too(report: Report) -> None:
    page, placemarks = html_report(report), kml_report(report)
    (closest, *_) = json.loads(geojson_report(report))["features"]

    assert page.count(CLAUSE) == 2  # once at the top, once on the sheet
    assert page.count(f"west-area: {ASKS}") == 2
    assert CLAUSE in placemarks
    assert f"west-area: {ASKS}" in placemarks
    assert closest["properties"]["rule"] == "west-area"
    assert closest["properties"]["rule_text"] == CLAUSE
    assert closest["properties"]["rule_asks"].startswith(f"west-area: {ASKS}")


def test_a_rule_s_own_words_decide_nothing() -> None:
    with_words, without = read_rules(RULES), read_rules(RULES.replace(f'text = "{CLAUSE}"', ""))

    assert [rule.holds for rule in with_words.rules] == [rule.holds for rule in without.rules]
    assert [rule.text for rule in with_words.rules] == ["", "", CLAUSE]
    assert describe_scope(with_words.rules[0]).startswith("for pairs that no other rule")


def test_a_rule_alone_needs_no_name_before_it() -> None:
    rules = RulesUsed(
        name="typed", text="5 NM or 1000 ft",
        rules=(RuleUsed(id="5 NM or 1000 ft", asks="5 NM or 1000 ft"),),
    )  # fmt: skip
    report = replace(simple_report(), rules=rules)

    assert "  rule      5 NM or 1000 ft: short by" in table_text(report)


@pytest.mark.parametrize("words", HOSTILE)
def test_no_control_character_of_a_rule_reaches_terminal_or_page(words: str) -> None:
    rule = RuleUsed(id="5 NM or 1000 ft", asks=words, binds=words, text=words)
    report = replace(simple_report(), rules=RulesUsed(name=words, text=words, rules=(rule, rule)))

    table, page = table_text(report), html_report(report)

    assert "\x1b" not in table + page
    assert "<script" not in page
