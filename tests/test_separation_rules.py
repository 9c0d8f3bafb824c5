# SPDX-License-Identifier: Apache-2.0
"""Which rules can be made, which bind a pair, and what their leaves are called."""

import pytest

from keepclear.agreement.leaves import (
    AllOf,
    AnyOf,
    Below,
    Duration,
    Floor,
    KeepWellClear,
    Lateral,
    Rvsm,
    Time,
    Tree,
    Vertical,
)
from keepclear.agreement.separation import Rule, RuleSet, describe_rule, leaf_paths, rules_for
from keepclear.airspace.positions import Position
from keepclear.airspace.volumes import Circle, Volume3D
from keepclear.errors import RulesError

LATERAL = Lateral(minimum_tmm=55_560_000)
VERTICAL = Vertical(minimum_tmm=9_144_000)
STAY = Duration(limit_us=180_000_000)
FLOOR = Floor(lateral_tmm=18_520_000, vertical_tmm=3_048_000)
LEVELLED = Vertical(minimum_tmm=6_096_000, below=Below(level_tmm=88_392_000, minimum_tmm=3_048_000))
HERE = Volume3D(shape=Circle(centre=Position(latitude_deg=0, longitude_deg=0), radius_tmm=10_000))


def any_of(*children: Tree) -> AnyOf:
    return AnyOf(children=children)


def all_of(*children: Tree) -> AllOf:
    return AllOf(children=children)


def nested(depth: int) -> Tree:
    return LATERAL if depth == 0 else all_of(nested(depth - 1))


@pytest.mark.parametrize(
    ("tree", "floor", "says"),
    [
        (any_of(), None, "r/any: has nothing in it"),
        (all_of(LATERAL, any_of()), None, "r/all/any: has nothing in it"),
        (any_of(LATERAL, STAY), None, "needs a floor"),
        (STAY, FLOOR, "there are none; put it into an any"),
        (all_of(LATERAL, STAY), FLOOR, "there are none; put it into an any"),
        (any_of(Time(window_us=1), STAY), FLOOR, "there are none; put it into an any"),
        (any_of(LATERAL, STAY, STAY), FLOOR, "one of a kind"),
        (any_of(LEVELLED, STAY), FLOOR, "one minimum at all levels"),
        (any_of(LATERAL, all_of(VERTICAL), STAY), FLOOR, "a rule of its own"),
        (any_of(VERTICAL, any_of(LATERAL, STAY)), FLOOR, "move it to the top"),
        (any_of(VERTICAL, all_of(any_of(LATERAL, STAY))), FLOOR, "move it to the top"),
        (Time(window_us=1), None, "there are none; put it into an any"),
        (all_of(LATERAL, Time(window_us=1)), None, "there are none; put it into an any"),
        (any_of(Time(window_us=1), Time(window_us=2)), None, "there are none"),
        (LATERAL, FLOOR, "does nothing without a duration leaf"),
        (
            any_of(LATERAL, STAY),
            Floor(lateral_tmm=55_560_001, vertical_tmm=1),
            "reaches beyond the minimum 3 NM",
        ),
        (
            any_of(LATERAL, VERTICAL, STAY),
            Floor(lateral_tmm=1, vertical_tmm=9_144_000, is_closed=True),
            "reaches beyond the minimum 3000 ft",
        ),
        (nested(9), None, "9 levels of any and all are more than 8"),
        (any_of(*[LATERAL] * 65), None, "65 leaves are more than 64"),
        (all_of(KeepWellClear(standard="phase-1")), None, "stands alone"),
        (KeepWellClear(standard="phase-9"), None, "is not one of phase-1,"),
    ],
)
def test_a_tree_that_means_nothing_is_refused_with_the_way_out(
    tree: Tree, floor: Floor | None, says: str
) -> None:
    with pytest.raises(RulesError) as refused:
        Rule(id="r", holds=tree, floor=floor)

    assert says in str(refused.value)


@pytest.mark.parametrize(
    ("tree", "floor"),
    [
        (any_of(LATERAL, VERTICAL, STAY), FLOOR),
        (any_of(LATERAL, STAY), FLOOR),
        (any_of(LATERAL, VERTICAL, STAY, Time(window_us=1)), FLOOR),
        (all_of(any_of(LATERAL, STAY), any_of(LEVELLED, LATERAL)), FLOOR),
        (any_of(all_of(LATERAL, VERTICAL), Time(window_us=1)), None),
        (any_of(LATERAL, STAY), Floor(lateral_tmm=55_560_000, vertical_tmm=3_048_000)),
        (nested(8), None),
    ],
)
def test_a_tree_that_means_something_is_taken(tree: Tree, floor: Floor | None) -> None:
    assert Rule(id="r", holds=tree, floor=floor).holds == tree


def test_all_faults_of_a_rule_are_listed_at_once() -> None:
    with pytest.raises(RulesError) as refused:
        Rule(id="a b", holds=all_of(any_of(), STAY), zone="z", is_default=True)

    assert len(str(refused.value).splitlines()) == 5


@pytest.mark.parametrize("minimum_tmm", [0, -1, 1_000 * 18_520_000 + 1])
def test_a_lateral_minimum_is_above_0_and_up_to_1000_nm(minimum_tmm: int) -> None:
    with pytest.raises(RulesError, match="check number and unit"):
        Lateral(minimum_tmm=minimum_tmm)


@pytest.mark.parametrize("window_us", [0, 24 * 3_600_000_000 + 1])
def test_a_time_is_above_0_and_up_to_a_day(window_us: int) -> None:
    with pytest.raises(RulesError, match="up to 24 h"):
        Time(window_us=window_us)


@pytest.mark.parametrize(
    ("below_tmm", "rvsm_tmm", "up_to_tmm"), [(3, 1, 50), (1, 6, 50), (6, None, 50), (1, 2, 9)]
)
def test_minima_by_level_only_lower_the_minimum(
    below_tmm: int, rvsm_tmm: int | None, up_to_tmm: int
) -> None:
    below = Below(level_tmm=10, minimum_tmm=below_tmm)
    rvsm = None if rvsm_tmm is None else Rvsm(up_to_tmm=up_to_tmm, minimum_tmm=rvsm_tmm)

    with pytest.raises(RulesError):
        Vertical(minimum_tmm=5, below=below, rvsm=rvsm)


def test_leaves_are_called_by_their_way_through_the_tree_the_floor_last() -> None:
    tree = all_of(any_of(LATERAL, LATERAL, VERTICAL, STAY), any_of(LATERAL))

    assert leaf_paths(Rule(id="en-route", holds=tree, floor=FLOOR)) == (
        "en-route/all/any/lateral",
        "en-route/all/any/lateral-2",
        "en-route/all/any/vertical",
        "en-route/all/any/duration",
        "en-route/all/any-2/lateral",
        "en-route/floor/lateral",
        "en-route/floor/vertical",
    )


def test_a_rule_reads_as_a_sentence() -> None:
    closed = Lateral(minimum_tmm=92_600_000, is_closed=True)
    tree = all_of(any_of(LATERAL, VERTICAL, STAY), any_of(closed, LEVELLED))

    assert describe_rule(Rule(id="r", holds=tree, floor=FLOOR)) == (
        "(3 NM or 3000 ft or for at most 3 min) and "
        "(more than 5 NM or 2000 ft (1000 ft with the lower one below FL290)); "
        "never inside 1 NM and 1000 ft"
    )


def rule(name: str, *classes: str, zone: str | None = None, is_default: bool = False) -> Rule:
    first, second = classes or ("any", "any")
    return Rule(id=name, holds=LATERAL, classes=(first, second), zone=zone, is_default=is_default)


BY_CLASS = RuleSet(
    name="by class",
    rules=(
        rule("else", is_default=True),
        rule("tanker", "tanker", "any"),
        rule("small", "uav*", "UAV-small"),
        rule("west", "tanker", "jet", zone="west"),
    ),
    zones={"west": HERE},
)


@pytest.mark.parametrize(
    ("class_a", "class_b", "ids"),
    [
        ("jet", "jet", ["else"]),
        ("jet", "tanker", ["tanker", "west"]),
        ("Tanker", "JET", ["tanker", "west"]),
        ("uav-small", "uav-large", ["small"]),
        ("uav-large", "uav-large", ["else"]),
        ("tanker", "uav-small", ["tanker"]),
    ],
)
def test_all_rules_whose_classes_match_bind_and_else_the_default(
    class_a: str, class_b: str, ids: list[str]
) -> None:
    there, back = rules_for(BY_CLASS, class_a, class_b), rules_for(BY_CLASS, class_b, class_a)

    assert [each.id for each in there] == ids
    assert there == back


def test_a_craft_of_unknown_class_is_bound_by_every_rule_that_could_bind_it() -> None:
    found = rules_for(BY_CLASS, "", "jet")

    assert [each.id for each in found] == ["else", "tanker", "west"]


def test_a_rule_in_a_zone_does_not_push_out_the_default() -> None:
    rule_set = RuleSet(
        name="n",
        rules=(rule("w", zone="west"), rule("d", is_default=True)),
        zones={"west": HERE},
    )

    assert [each.id for each in rules_for(rule_set, "jet", "jet")] == ["w", "d"]


@pytest.mark.parametrize(
    ("rules", "says"),
    [
        ((), "would have no rule and seem clear"),
        ((rule("a", "jet", "jet"),), "would have no rule and seem clear"),
        ((rule("a", zone="west"),), "would have no rule and seem clear"),
        ((rule("a"), rule("a")), "two rules have this id"),
        ((rule("a"), rule("b", zone="east")), "zones here are: west"),
        ((rule("a"), rule("b", is_default=True)), "as default it never binds"),
        ((rule("a", is_default=True), rule("b", is_default=True)), "there is a default already"),
    ],
)
def test_a_rule_set_that_leaves_a_pair_without_a_rule_or_names_what_is_not_there_is_refused(
    rules: tuple[Rule, ...], says: str
) -> None:
    with pytest.raises(RulesError) as refused:
        RuleSet(name="n", rules=rules, zones={"west": HERE})

    assert says in str(refused.value)


@pytest.mark.parametrize("pattern", ["", "*", "u*v", "**"])
def test_a_class_is_a_word_any_or_a_start(pattern: str) -> None:
    with pytest.raises(RulesError, match="is not a class"):
        rule("a", pattern, "any")
