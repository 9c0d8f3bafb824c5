# SPDX-License-Identifier: Apache-2.0
"""Separation rules: which trees of minima bind which pair of craft, where.

Leaves to others: the trees (`leaves`), their text form (`rules_toml`), when a tree fails
(`terms`), what the presets are (`presets`).

1. All rules whose classes match a pair bind it; any broken rule is a conflict.
2. A rule with a zone binds where at least one of the two is inside; it only ever adds.
3. A default rule binds the pairs that no rule without a zone binds. A rule set must leave no
   pair without a rule: it has a rule for any pair everywhere, or a default.
4. A craft whose class is not known ("") may be of any: every rule that could bind it does,
   and the default too. In doubt, the conflict is reported.
5. A tree with a duration leaf has a floor; duration and time leaves have siblings to act on.
"""

import re
from collections.abc import Iterator
from itertools import chain
from typing import Final

import msgspec

from keepclear.agreement.leaves import (
    AllOf,
    AnyOf,
    Duration,
    Floor,
    KeepWellClear,
    Lateral,
    Place,
    Time,
    Tree,
    Vertical,
    describe,
    kind_of,
    walk,
)
from keepclear.agreement.quantities import lateral_text, vertical_text
from keepclear.airspace.volumes import Volume3D
from keepclear.detect.do365 import STANDARDS
from keepclear.errors import RulesError

ANY: Final = "any"
DEEPEST: Final = 8
MOST_LEAVES: Final = 64
_NAME: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")


class Rule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One tree of minima and the pairs it binds.

    id: letters, digits, - and _. classes: a pattern for each of the two, in either order:
    "any", a class, or the start of one ("uav*"); upper and lower case are one. zone: name of a
    zone of the rule set, None for everywhere. is_default: see the module. floor: with a
    duration leaf, and only then. text: what the clause says, in words for people; it decides
    nothing. `RulesError` lists all that is wrong with it.
    """

    id: str
    holds: Tree
    classes: tuple[str, str] = (ANY, ANY)
    zone: str | None = None
    is_default: bool = False
    floor: Floor | None = None
    text: str = ""

    def __post_init__(self) -> None:
        if faults := list(_rule_faults(self)):
            raise RulesError("\n".join(faults))


class RuleSet(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Rules that are used together, and the zones they name.

    source: where the numbers come from. note: what a reader must know, such as
    "not legal text". `RulesError` lists all that is wrong with it.
    """

    name: str
    rules: tuple[Rule, ...]
    source: str = ""
    note: str = ""
    zones: dict[str, Volume3D] = {}

    def __post_init__(self) -> None:
        if faults := list(_rule_set_faults(self)):
            raise RulesError("\n".join(faults))


def rules_for(rule_set: RuleSet, class_a: str, class_b: str) -> tuple[Rule, ...]:
    """Return the rules that bind a pair, in the order of the set. Symmetric in the pair."""
    has_own = any(
        rule.zone is None
        and not rule.is_default
        and _binds(rule, class_a, class_b, is_in_doubt=False)
        for rule in rule_set.rules
    )
    return tuple(
        rule
        for rule in rule_set.rules
        if (not has_own if rule.is_default else _binds(rule, class_a, class_b, is_in_doubt=True))
    )


def zone_number(rule_set: RuleSet, name: str) -> int:
    """Return the number that the kernel knows a zone by: its place among the sorted names."""
    return sorted(rule_set.zones).index(name)


def leaf_paths(rule: Rule) -> tuple[str, ...]:
    """Return the path names of a rule's leaves, by leaf number: "en-route/any/vertical".

    The floor comes last: its lateral, then its vertical minimum.
    """
    paths = [place.path for place in _places(rule) if not isinstance(place.node, AnyOf | AllOf)]
    if rule.floor is not None:
        paths += [f"{rule.id}/floor/lateral", f"{rule.id}/floor/vertical"]
    return tuple(paths)


def describe_rule(rule: Rule) -> str:
    """Return what a rule asks for in one line: "5 NM or 1000 ft"."""
    if rule.floor is None:
        return describe(rule.holds)
    lateral, vertical = lateral_text(rule.floor.lateral_tmm), vertical_text(rule.floor.vertical_tmm)
    return f"{describe(rule.holds)}; never inside {lateral} and {vertical}"


def describe_rules(rule_set: RuleSet) -> str:
    """Return what all rules of a set ask for in one line."""
    return "; ".join(describe_rule(rule) for rule in rule_set.rules)


def describe_scope(rule: Rule) -> str:
    """Return which pairs a rule binds, and where, in words; "" for any pair everywhere."""
    parts = []
    if rule.is_default:
        parts.append("for pairs that no other rule without a zone binds")
    if rule.classes != (ANY, ANY):
        parts.append(f"between {rule.classes[0]} and {rule.classes[1]}")
    if rule.zone is not None:
        parts.append(f"where one or both are in zone {rule.zone}")
    return ", ".join(parts)


def _binds(rule: Rule, class_a: str, class_b: str, *, is_in_doubt: bool) -> bool:
    """Tell whether the classes match; `is_in_doubt` lets an unknown class match every pattern."""

    def fits(pattern: str, craft_class: str) -> bool:
        return (is_in_doubt and not craft_class) or _fits(pattern, craft_class)

    first, second = rule.classes
    return (fits(first, class_a) and fits(second, class_b)) or (
        fits(first, class_b) and fits(second, class_a)
    )


def _fits(pattern: str, craft_class: str) -> bool:
    pattern, craft_class = pattern.casefold(), craft_class.casefold()
    if pattern == ANY:
        return True
    if pattern.endswith("*"):
        return bool(craft_class) and craft_class.startswith(pattern[:-1])
    return craft_class == pattern


def _rule_set_faults(rule_set: RuleSet) -> Iterator[str]:
    rules = rule_set.rules
    ids = [rule.id for rule in rules]
    for rule_id in sorted({rule_id for rule_id in ids if ids.count(rule_id) > 1}):
        yield f"rule {rule_id}: two rules have this id; rename one"
    for rule in rules:
        if rule.zone is not None and rule.zone not in rule_set.zones:
            known = ", ".join(sorted(rule_set.zones)) or "none"
            yield f"{rule.id}/zone {rule.zone!r}: zones here are: {known}; define it or correct it"
    for name in rule_set.zones:
        if not _NAME.fullmatch(name):
            yield f"zone {name!r}: a name has 1 to 64 letters, digits, - and _; rename it"
    defaults = [rule for rule in rules if rule.is_default]
    catch_all = [r for r in rules if _binds_all(r) and not r.is_default]
    if len(defaults) > 1:
        yield f"{defaults[1].id}: there is a default already, {defaults[0].id}; keep one"
    if defaults and catch_all:
        yield (
            f"{defaults[0].id}: as default it never binds, since {catch_all[0].id} binds every "
            "pair; give that one classes, or leave the default out"
        )
    if not defaults and not catch_all:
        yield (
            f"rules {', '.join(ids) or 'none'}: a pair of other classes, or outside the zones, "
            "would have no rule and seem clear; add a rule without classes and zone, or mark "
            "one `default = true`"
        )


def _binds_all(rule: Rule) -> bool:
    return rule.zone is None and rule.classes == (ANY, ANY)


def _rule_faults(rule: Rule) -> Iterator[str]:
    if not _NAME.fullmatch(rule.id):
        yield f"rule {rule.id!r}: an id has 1 to 64 letters, digits, - and _; rename it"
    if rule.is_default and not _binds_all(rule):
        yield f"{rule.id}: a default has neither classes nor zone; leave them out"
    for pattern in rule.classes:
        if not pattern.rstrip("*") or "*" in pattern[:-1]:
            yield f"{rule.id}/classes {pattern!r}: is not a class, any, or a start such as uav*"
    places = _places(rule)
    yield from _size_faults(rule, places)
    for place in places:
        yield from _place_faults(place, rule)
    if rule.floor is not None and not any(isinstance(p.node, Duration) for p in places):
        yield f"{rule.id}/floor: does nothing without a duration leaf; leave it out"


def _place_faults(place: Place, rule: Rule) -> Iterator[str]:
    match place.node:
        case AnyOf(children=()) | AllOf(children=()):
            yield f"{place.path}: has nothing in it; add a leaf or leave it out"
        case Time():
            yield from _time_faults(place)
        case Duration():
            yield from _duration_faults(place, rule)
        case KeepWellClear(standard=standard):
            yield from _well_clear_faults(place, standard)


def _places(rule: Rule) -> list[Place]:
    return list(walk(rule.holds, f"{rule.id}/{kind_of(rule.holds)}"))


def _size_faults(rule: Rule, places: list[Place]) -> Iterator[str]:
    leaves = sum(not isinstance(place.node, AnyOf | AllOf) for place in places)
    if leaves > MOST_LEAVES:
        yield f"{rule.id}: {leaves} leaves are more than {MOST_LEAVES}; split the rule"
    if (depth := max(len(place.above) for place in places)) > DEEPEST:
        yield f"{rule.id}: {depth} levels of any and all are more than {DEEPEST}; flatten them"


def _time_faults(place: Place) -> Iterator[str]:
    inside = chain.from_iterable(walk(node, "") for node in _siblings(place))
    if not any(isinstance(p.node, Lateral | Vertical) for p in inside):
        yield (
            f"{place.path}: a time leaf widens the times of lateral and vertical leaves beside it "
            "in the same any, and there are none; put it into an any with them"
        )


def _duration_faults(place: Place, rule: Rule) -> Iterator[str]:
    siblings = _siblings(place)
    spatial = [node for node in siblings if isinstance(node, Lateral | Vertical)]
    if not spatial:
        yield (
            f"{place.path}: a duration leaf bounds the time inside the lateral and vertical "
            "leaves beside it in the same any, and there are none; put it into an any with them"
        )
    if any(not _is_plain(node) for node in siblings):
        yield (
            f"{place.path}: a duration leaf stands beside lateral, vertical (one minimum at all "
            "levels) and time leaves only, and one of a kind; give the rest a rule of its own"
        )
    if any(isinstance(node, AnyOf) for node in place.above[:-1]):
        yield (
            f"{place.path}: a duration leaf counts whole stays, so its any stands in no other any; "
            "move it to the top of the rule"
        )
    if rule.floor is None:
        yield (
            f"{place.path}: a duration leaf needs a floor inside which no duration helps; add "
            'floor = { lateral = "1 NM", vertical = "1000 ft" } with your numbers'
        )
    else:
        yield from _floor_faults(rule, rule.floor, spatial)


def _floor_faults(rule: Rule, floor: Floor, spatial: list[Lateral | Vertical]) -> Iterator[str]:
    for leaf in spatial:
        is_lateral = isinstance(leaf, Lateral)
        floor_tmm = floor.lateral_tmm if is_lateral else floor.vertical_tmm
        if (floor_tmm, floor.is_closed) > (leaf.minimum_tmm, leaf.is_closed):
            text = lateral_text if is_lateral else vertical_text
            yield (
                f"{rule.id}/floor {text(floor_tmm)}: reaches beyond the minimum "
                f"{text(leaf.minimum_tmm)} it stands under; lower it to that or less"
            )


def _well_clear_faults(place: Place, standard: str) -> Iterator[str]:
    if place.above:
        yield f"{place.path}: well clear stands alone in its rule; give it a rule of its own"
    if standard not in STANDARDS:
        yield f"{place.path} {standard!r}: is not one of {', '.join(STANDARDS)}; take one of these"


def _siblings(place: Place) -> list[Tree]:
    """Return the other nodes in the same any; none where the node stands in no any."""
    if not place.above or not isinstance(place.above[-1], AnyOf):
        return []
    siblings = list(place.above[-1].children)
    siblings.remove(place.node)
    return siblings


def _is_plain(node: Tree) -> bool:
    if isinstance(node, Vertical):
        return node.below is None and node.rvsm is None
    return isinstance(node, Lateral | Time)
