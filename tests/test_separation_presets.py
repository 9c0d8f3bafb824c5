# SPDX-License-Identifier: Apache-2.0
"""The presets say what their sources say, and that they are not legal text."""

import re
from pathlib import Path

import pytest

from keepclear.agreement.presets import PRESETS
from keepclear.agreement.rules_toml import read_rules
from keepclear.agreement.rules_writing import write_rules
from keepclear.agreement.separation import describe_rule
from keepclear.agreement.terms import cylinders, well_clear_rules
from keepclear.detect.cylinders import Cylinder
from keepclear.detect.do365 import PHASE_1
from keepclear.errors import RulesError
from keepclear.units import TMM_PER_FOOT, TMM_PER_NM, US_PER_S


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_has_its_name_a_source_and_the_words_not_legal_text(name: str) -> None:
    found = PRESETS[name]

    assert found.name == name
    assert found.source
    assert "not legal text" in found.note


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_can_be_written_out_and_used_as_a_file(name: str) -> None:
    assert read_rules(write_rules(PRESETS[name])) == PRESETS[name]


def test_en_route_is_5_nm_or_1000_ft_and_2000_ft_from_fl290_without_rvsm() -> None:
    # ICAO Doc 4444 (16th ed. 2016) 8.7.3.1 and 5.3.2
    found = cylinders(PRESETS["en-route"], "", "", rvsm_a=True, rvsm_b=False)

    assert [each for _, each in found] == [
        Cylinder(
            lateral_tmm=5 * TMM_PER_NM, vertical_tmm=1_000 * TMM_PER_FOOT,
            lateral_leaf=0, vertical_leaf=1,
        ),
        Cylinder(
            lateral_tmm=5 * TMM_PER_NM, vertical_tmm=2_000 * TMM_PER_FOOT,
            both_from_tmm=29_000 * TMM_PER_FOOT, lateral_leaf=0, vertical_leaf=1,
        ),
    ]  # fmt: skip


def test_en_route_between_two_with_rvsm_is_2000_ft_only_above_fl410() -> None:
    found = cylinders(PRESETS["en-route"], "", "", rvsm_a=True, rvsm_b=True)

    assert [(c.vertical_tmm, c.one_above_tmm) for _, c in found] == [
        (1_000 * TMM_PER_FOOT, None),
        (2_000 * TMM_PER_FOOT, 41_000 * TMM_PER_FOOT),
    ]


def test_the_rule_of_threes_is_3_nm_or_3000_ft_or_3_min_with_a_floor_that_is_ours() -> None:
    # press reports of January 2017 (cases.md S10, S11); floor: definitions.md "Rule of threes"
    rule_set = PRESETS["rule-of-threes"]
    threes, floor = (c for _, c in cylinders(rule_set, "", "", rvsm_a=True, rvsm_b=True))

    assert (threes.lateral_tmm, threes.vertical_tmm) == (3 * TMM_PER_NM, 3_000 * TMM_PER_FOOT)
    assert (threes.duration_us, threes.reset_us) == (180 * US_PER_S, 60 * US_PER_S)
    assert (floor.lateral_tmm, floor.vertical_tmm) == (TMM_PER_NM, 1_000 * TMM_PER_FOOT)
    assert floor.duration_us is None
    assert "floor of 1 NM / 1000 ft is ours and was not reported" in rule_set.note


def test_the_agreement_of_1991_is_a_stand_off_by_class() -> None:
    # article 2 (stimson.org, cases.md S49): combat 10 km, unarmed transport and helicopters 1000 m
    rules = {rule.id: describe_rule(rule) for rule in PRESETS["india-pakistan-1991"].rules}

    assert rules["combat"] == "10 km from the airspace of the other state"
    assert rules["unarmed-transport"] == "1 km from the airspace of the other state"
    assert rules["unarmed-helicopter"] == "1 km from the airspace of the other state"


def test_the_agreement_of_1991_cannot_be_checked_between_plans_and_says_why() -> None:
    with pytest.raises(RulesError, match=r"borders.*give that airspace as a volume"):
        cylinders(PRESETS["india-pakistan-1991"], "combat", "combat", rvsm_a=True, rvsm_b=True)


def test_do_365_is_well_clear_of_phase_1_for_live_pairs() -> None:
    [(rule, limits)] = well_clear_rules(PRESETS["do-365"], "", "")

    assert (rule.id, limits) == ("well-clear", PHASE_1)


def test_the_files_that_the_docs_show_are_rules(repository: Path) -> None:
    page = (repository / "docs" / "rules.md").read_text(encoding="utf-8")

    shown = re.findall(r"^```toml.*?\n(.*?)^```", page, flags=re.MULTILINE | re.DOTALL)

    assert [read_rules(text).name for text in shown] == ["Annex B", "shapes"]


def test_the_docs_name_every_preset(repository: Path) -> None:
    page = (repository / "docs" / "rules.md").read_text(encoding="utf-8")

    assert all(f"| `{name}` |" in page for name in PRESETS)
