# SPDX-License-Identifier: Apache-2.0
"""A rule set as TOML that reads back equal. `rules_toml` has the grammar and reads it."""

from keepclear.agreement.leaves import (
    AllOf,
    AnyOf,
    Duration,
    KeepWellClear,
    Lateral,
    Leaf,
    Standoff,
    Time,
    Tree,
    Vertical,
    kind_of,
)
from keepclear.agreement.quantities import (
    duration_text,
    lateral_text,
    level_text,
    vertical_text,
)
from keepclear.agreement.separation import ANY, Rule, RuleSet
from keepclear.agreement.zones_toml import quoted, write_zone

CLOSED = 'at_minimum = "conflict"'


def write_rules(rule_set: RuleSet) -> str:
    """Return the rule set as TOML: `read_rules` of it equals the rule set."""
    head = [f"{key} = {quoted(getattr(rule_set, key))}" for key in ("name", "source", "note")]
    parts = ["\n".join(head)]
    parts += ["\n".join([f"[rules.{rule.id}]", *_rule_lines(rule)]) for rule in rule_set.rules]
    for name, zone in rule_set.zones.items():
        parts.append("\n".join([f"[zones.{name}]", *write_zone(zone)]))
    return "\n\n".join(parts) + "\n"


def _rule_lines(rule: Rule) -> list[str]:
    lines = []
    if rule.text:
        lines.append(f"text = {quoted(rule.text)}")
    if rule.classes != (ANY, ANY):
        lines.append(f"classes = [{', '.join(map(quoted, rule.classes))}]")
    if rule.zone is not None:
        lines.append(f'zone = "{rule.zone}"')
    if rule.is_default:
        lines.append("default = true")
    lines += _pairs(rule.holds)
    if rule.floor is not None:
        pairs = [
            f'lateral = "{lateral_text(rule.floor.lateral_tmm)}"',
            f'vertical = "{vertical_text(rule.floor.vertical_tmm)}"',
            *([CLOSED] if rule.floor.is_closed else []),
        ]
        lines.append(f"floor = {_inline(pairs)}")
    return lines


def _pairs(node: Tree) -> list[str]:
    """Return a node as `key = value`, its options after it."""
    if isinstance(node, AnyOf | AllOf):
        children = ", ".join(_inline(_pairs(child)) for child in node.children)
        return [f"{kind_of(node)} = [{children}]"]
    key, value = kind_of(node), quoted(_value(node))
    pairs = [f"{key} = {value}", *_options(node)]
    return [*pairs, CLOSED] if getattr(node, "is_closed", False) else pairs


def _value(leaf: Leaf) -> str:
    match leaf:
        case Lateral():
            return lateral_text(leaf.minimum_tmm)
        case Vertical():
            return vertical_text(leaf.minimum_tmm)
        case Time():
            return duration_text(leaf.window_us)
        case Duration():
            return duration_text(leaf.limit_us)
        case Standoff():
            return lateral_text(leaf.distance_tmm)
        case KeepWellClear():
            return leaf.standard


def _options(leaf: Leaf) -> list[str]:
    match leaf:
        case Vertical():
            return _levels(leaf)
        case Duration():
            return [f'reset = "{duration_text(leaf.reset_us)}"']
        case Standoff():
            return [f'from = "{leaf.keep_from}"']
        case _:
            return []


def _levels(leaf: Vertical) -> list[str]:
    pairs = []
    if leaf.below is not None:
        level, minimum = level_text(leaf.below.level_tmm), vertical_text(leaf.below.minimum_tmm)
        pairs.append(f'below = {{ level = "{level}", vertical = "{minimum}" }}')
    if leaf.rvsm is not None:
        level, minimum = level_text(leaf.rvsm.up_to_tmm), vertical_text(leaf.rvsm.minimum_tmm)
        pairs.append(f'rvsm = {{ up_to = "{level}", vertical = "{minimum}" }}')
    return pairs


def _inline(pairs: list[str]) -> str:
    return f"{{ {', '.join(pairs)} }}"
