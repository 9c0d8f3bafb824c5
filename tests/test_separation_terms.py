# SPDX-License-Identifier: Apache-2.0
"""A rule fails exactly when one of its cylinders is entered, and by as much."""

from itertools import product

import pytest
from hypothesis import given, settings

from keepclear.agreement.leaves import (
    AllOf,
    AnyOf,
    Below,
    Duration,
    Floor,
    KeepWellClear,
    Lateral,
    Rvsm,
    Standoff,
    Time,
    Tree,
    Vertical,
)
from keepclear.agreement.separation import Rule, RuleSet, leaf_paths
from keepclear.agreement.terms import cylinders, cylinders_of, well_clear_rules
from keepclear.airspace.positions import Position
from keepclear.airspace.volumes import Circle, Volume3D
from keepclear.detect.cylinders import Cylinder
from keepclear.detect.do365 import PHASE_1
from keepclear.errors import RulesError
from keepclear.units import TMM_PER_FOOT
from tests.separation_oracle import (
    Situation,
    cylinder_margin,
    fails,
    is_at_levels,
    is_entered,
    margin,
    rules,
    situations,
    some,
)

FL290, FL410 = 29_000 * TMM_PER_FOOT, 41_000 * TMM_PER_FOOT
EN_ROUTE = Vertical(
    minimum_tmm=2_000 * TMM_PER_FOOT,
    below=Below(level_tmm=FL290, minimum_tmm=1_000 * TMM_PER_FOOT),
    rvsm=Rvsm(up_to_tmm=FL410, minimum_tmm=1_000 * TMM_PER_FOOT),
)


def lateral(minimum_tmm: int, *, is_closed: bool = False) -> Lateral:
    return Lateral(minimum_tmm=minimum_tmm, is_closed=is_closed)


def vertical(minimum_tmm: int) -> Vertical:
    return Vertical(minimum_tmm=minimum_tmm)


def rule(tree: Tree, floor: Floor | None = None) -> Rule:
    return Rule(id="r", holds=tree, floor=floor)


@pytest.mark.slow
@settings(max_examples=500)
@given(rules(), situations())
def test_a_rule_fails_exactly_when_one_of_its_cylinders_is_entered(
    rule: Rule, now: Situation
) -> None:
    found = cylinders_of(rule, rvsm=now.rvsm)

    assert some(is_entered(each, now) for each in found) is fails(rule.holds, now, rule.floor)


@pytest.mark.slow
@settings(max_examples=300)
@given(rules(), situations(may_be_unknown=False))
def test_the_margin_of_a_tree_is_the_least_margin_of_the_cylinders_that_apply(
    rule: Rule, now: Situation
) -> None:
    found = [each for each in cylinders_of(rule, rvsm=now.rvsm) if is_at_levels(each, now)]

    assert min(cylinder_margin(each, now) for each in found) == margin(rule.holds, now)


@pytest.mark.slow
@given(rules())
def test_every_leaf_number_of_a_cylinder_names_the_leaf_it_came_from(rule: Rule) -> None:
    paths = leaf_paths(rule)

    for each in cylinders_of(rule, rvsm=True):
        for kind in ("lateral", "vertical", "time", "duration"):
            number = getattr(each, f"{kind}_leaf")
            amount = getattr(each, f"{kind}_{'tmm' if kind in ('lateral', 'vertical') else 'us'}")
            assert (number is None) == (amount is None)
            assert number is None or paths[number].rpartition("/")[2].startswith(kind)


@pytest.mark.slow
@given(rules())
def test_no_cylinder_is_listed_twice(rule: Rule) -> None:
    found = cylinders_of(rule, rvsm=False)

    assert len(set(map(str, found))) == len(found)


def test_5_nm_or_1000_ft_is_one_cylinder() -> None:
    found = cylinders_of(
        rule(AnyOf(children=(lateral(92_600_000), vertical(3_048_000)))), rvsm=True
    )

    assert found == (
        Cylinder(lateral_tmm=92_600_000, vertical_tmm=3_048_000, lateral_leaf=0, vertical_leaf=1),
    )


def test_of_two_lateral_leaves_under_any_the_smaller_decides_and_the_larger_never_speaks() -> None:
    [found] = cylinders_of(rule(AnyOf(children=(lateral(5), lateral(3)))), rvsm=True)

    assert (found.lateral_tmm, found.lateral_leaf) == (3, 1)


def test_of_two_lateral_leaves_under_all_the_larger_decides() -> None:
    [found] = cylinders_of(rule(AllOf(children=(lateral(5), lateral(3)))), rvsm=True)

    assert (found.lateral_tmm, found.lateral_leaf) == (5, 0)


def test_of_equal_minima_under_all_the_closed_one_decides_and_under_any_the_open_one() -> None:
    both = (lateral(5), lateral(5, is_closed=True))

    [under_all] = cylinders_of(rule(AllOf(children=both)), rvsm=True)
    [under_any] = cylinders_of(rule(AnyOf(children=both)), rvsm=True)

    assert (under_all.lateral_is_closed, under_all.lateral_leaf) == (True, 1)
    assert (under_any.lateral_is_closed, under_any.lateral_leaf) == (False, 0)


def test_a_time_leaf_widens_only_what_stands_under_its_own_any() -> None:
    timed = AnyOf(children=(lateral(3), Time(window_us=7)))
    tree = AllOf(children=(timed, AnyOf(children=(lateral(5), vertical(2)))))

    found = cylinders_of(rule(tree), rvsm=True)

    assert [(each.lateral_tmm, each.time_us) for each in found] == [(3, 7), (5, None)]


def test_a_lateral_leaf_outside_the_any_of_a_time_leaf_is_compared_at_equal_times_only() -> None:
    timed = AnyOf(children=(vertical(2), Time(window_us=7)))
    tree = AnyOf(children=(lateral(3), AllOf(children=(timed,))))

    [found] = cylinders_of(rule(tree), rvsm=True)

    assert (found.lateral_tmm, found.vertical_tmm, found.time_us) == (3, 2, None)


def test_a_duration_leaf_gives_a_cylinder_with_it_and_the_floor_without_it() -> None:
    tree = AnyOf(children=(lateral(6), vertical(8), Duration(limit_us=9)))

    with_it, floor = cylinders_of(rule(tree, Floor(lateral_tmm=2, vertical_tmm=3)), rvsm=True)

    assert with_it == Cylinder(
        lateral_tmm=6, vertical_tmm=8, duration_us=9, reset_us=60_000_000,
        lateral_leaf=0, vertical_leaf=1, duration_leaf=2,
    )  # fmt: skip
    assert floor == Cylinder(lateral_tmm=2, vertical_tmm=3, lateral_leaf=3, vertical_leaf=4)


def test_a_pair_that_is_not_rvsm_needs_2000_ft_from_fl290_on() -> None:
    low, high = cylinders_of(rule(EN_ROUTE), rvsm=False)

    assert (low.vertical_tmm, low.both_from_tmm) == (3_048_000, None)
    assert (high.vertical_tmm, high.both_from_tmm, high.one_above_tmm) == (6_096_000, FL290, None)


def test_a_pair_that_is_rvsm_needs_2000_ft_only_where_one_is_above_fl410() -> None:
    low, high = cylinders_of(rule(EN_ROUTE), rvsm=True)

    assert (low.vertical_tmm, low.both_from_tmm) == (3_048_000, None)
    assert (high.vertical_tmm, high.both_from_tmm, high.one_above_tmm) == (6_096_000, FL290, FL410)


def test_two_vertical_leaves_by_level_under_any_both_fail_only_above_both_levels() -> None:
    leaves = [
        Vertical(
            minimum_tmm=9,
            below=Below(level_tmm=level_tmm, minimum_tmm=1),
            rvsm=Rvsm(up_to_tmm=level_tmm + 10, minimum_tmm=1),
        )
        for level_tmm in (20, 30)
    ]

    _, high = cylinders_of(rule(AnyOf(children=tuple(leaves))), rvsm=True)

    assert (high.vertical_tmm, high.both_from_tmm, high.one_above_tmm) == (9, 30, 40)


def test_of_two_stays_inside_the_same_the_shorter_limit_and_the_longer_reset_decide() -> None:
    stays = [
        AnyOf(children=(lateral(6), Duration(limit_us=limit, reset_us=reset)))
        for limit, reset in ((9, 5), (8, 5), (8, 7), (10, 9))
    ]
    floor = Floor(lateral_tmm=2, vertical_tmm=3)

    found = cylinders_of(rule(AllOf(children=tuple(stays)), floor), rvsm=True)

    assert [(c.lateral_tmm, c.duration_us, c.reset_us) for c in found if c.duration_us] == [
        (6, 8, 7),
        (6, 10, 9),
    ]


# definitions.md, "En-route minimum": 1000 ft if the lower is below FL290, or if both are RVSM and
# the higher is at or below FL410; else 2000 ft. Levels (lower, higher), RVSM, separated.
@pytest.mark.parametrize(
    ("lower", "higher", "rvsm", "is_separated"),
    [
        (280, 290, False, True),
        (289, 299, False, True),
        (290, 300, False, False),
        (290, 310, False, True),
        (290, 300, True, True),
        (400, 410, True, True),
        (400, 411, True, False),
        (410, 420, True, False),
        (410, 430, True, True),
        (280, 289, True, False),
    ],
)
def test_the_en_route_vertical_minimum_is_as_defined(
    lower: int, higher: int, *, rvsm: bool, is_separated: bool
) -> None:
    feet = 100 * TMM_PER_FOOT
    now = Situation(0, lower * feet, higher * feet, 0, 0, is_standard=True, rvsm=rvsm)

    found = some(is_entered(each, now) for each in cylinders_of(rule(EN_ROUTE), rvsm=rvsm))

    assert found is not is_separated


def test_without_the_level_of_a_pair_only_less_than_1000_ft_is_certain() -> None:
    feet = TMM_PER_FOOT
    now = [
        Situation(0, 0, d * feet, 0, 0, is_standard=False, rvsm=False) for d in (999, 1500, 2000)
    ]

    found = [
        some(is_entered(each, one) for each in cylinders_of(rule(EN_ROUTE), rvsm=False))
        for one in now
    ]

    assert found == [True, None, False]


def test_the_answer_does_not_depend_on_the_order_of_the_pair() -> None:
    rule_set = RuleSet(
        name="n",
        rules=(
            Rule(id="d", holds=AnyOf(children=(lateral(5), EN_ROUTE)), is_default=True),
            Rule(id="h", holds=lateral(3), classes=("helicopter", "uav*")),
        ),
    )
    classes = ("helicopter", "uav-small", "jet", "")

    for a, b, rvsm_a, rvsm_b in product(classes, classes, (False, True), (False, True)):
        there = cylinders(rule_set, a, b, rvsm_a=rvsm_a, rvsm_b=rvsm_b)
        back = cylinders(rule_set, b, a, rvsm_a=rvsm_b, rvsm_b=rvsm_a)
        assert there == back


def test_a_zone_is_known_to_the_kernel_by_its_place_among_the_sorted_names() -> None:
    here = Volume3D(shape=Circle(centre=Position(latitude_deg=47, longitude_deg=8), radius_tmm=10))
    rule_set = RuleSet(
        name="n",
        rules=(
            Rule(id="d", holds=lateral(5)),
            Rule(id="w", holds=lateral(9), zone="west"),
        ),
        zones={"west": here, "east": here},
    )

    found = cylinders(rule_set, "", "", rvsm_a=False, rvsm_b=False)

    assert [each.zone for _, each in found] == [None, 1]


def test_a_rule_that_can_fail_in_more_than_64_ways_is_refused() -> None:
    # 20 (lateral, time) pairs of which none covers another, times 5 steps of a vertical minimum
    timed = [AnyOf(children=(lateral(n), Time(window_us=21 - n))) for n in range(1, 21)]
    steps = [
        Vertical(minimum_tmm=50 + n, below=Below(level_tmm=n, minimum_tmm=1)) for n in range(1, 5)
    ]
    both = (AllOf(children=tuple(timed)), AllOf(children=tuple(steps)))
    tree = AnyOf(children=(*both, Time(window_us=30)))

    with pytest.raises(RulesError, match=r"more than 64 ways.*split it"):
        cylinders_of(rule(tree), rvsm=False)


def test_a_stand_off_cannot_be_decided_between_two_craft_and_the_error_says_what_to_do() -> None:
    rule_set = RuleSet(name="n", rules=(rule(Standoff(distance_tmm=100_000_000)),))

    with pytest.raises(RulesError, match=r'borders.*volume in a file.*--rules "10 km"'):
        cylinders(rule_set, "", "", rvsm_a=True, rvsm_b=True)


def test_well_clear_is_no_cylinder_and_is_asked_for_apart() -> None:
    rule_set = RuleSet(name="n", rules=(rule(KeepWellClear(standard="phase-1")),))

    with pytest.raises(RulesError, match=r"live tracks.*en-route"):
        cylinders(rule_set, "", "", rvsm_a=True, rvsm_b=True)
    assert well_clear_rules(rule_set, "", "") == ((rule_set.rules[0], PHASE_1),)


def test_well_clear_and_minima_for_one_pair_are_refused_so_that_none_is_forgotten() -> None:
    rule_set = RuleSet(
        name="n",
        rules=(rule(KeepWellClear(standard="phase-1")), Rule(id="m", holds=lateral(5))),
    )

    with pytest.raises(RulesError, match="two rule sets"):
        well_clear_rules(rule_set, "", "")


def test_a_rule_set_of_minima_has_no_well_clear_rules() -> None:
    assert well_clear_rules(RuleSet(name="n", rules=(rule(lateral(5)),)), "", "") == ()
