# SPDX-License-Identifier: Apache-2.0
"""Separation rules as text: a TOML file, or the short form "5 NM / 1000 ft".

    name = "Annex B"
    source = "Memorandum of 3 May, annex B"
    note = "not legal text"

    [rules.any-pair]                        # the id; letters, digits, - and _
    any = [
      { lateral = "5 NM" },
      { vertical = "2000 ft",
        below = { level = "FL290", vertical = "1000 ft" },
        rvsm = { up_to = "FL410", vertical = "1000 ft" } },
    ]

    [rules.helicopters-in-west]
    text = "Annex B, clause 4"              # absent: none
    classes = ["helicopter", "uav*"]        # absent: any pair
    zone = "west"                           # absent: everywhere
    any = [ { lateral = "3 NM" }, { vertical = "3000 ft" }, { duration = "3 min" } ]
    floor = { lateral = "1 NM", vertical = "1000 ft" }

    [zones.west]
    circle = { centre = "47.5N 8.25E", radius = "10 NM" }

(An inline table stands on one line in a real file; it is broken here to be read.)

A node is a table with exactly one of these keys, and options beside it:

| key | value | options |
|---|---|---|
| any, all | list of nodes | |
| lateral | length | at_minimum |
| vertical | length | at_minimum, below { level, vertical }, rvsm { up_to, vertical } |
| time | duration | at_minimum |
| duration | duration | reset (60 s) |
| standoff | length | from ("airspace_of_other_state"), at_minimum |
| well_clear | name of a standard of `detect.do365` | |

A rule is a node with text (the clause, in words for people), classes, zone, default (true: see
`separation`) and floor { lateral, vertical, at_minimum } beside it. at_minimum is "separated"
(as where it is absent) or "conflict". Zones: `zones_toml`.

The short form is lateral / vertical / time, each after the first may be absent; they are joined
by any, so the time is a time leaf and no duration.

    >>> from keepclear.agreement.separation import describe_rule
    >>> describe_rule(parse_short("3 NM / 1000 ft / 3 min").rules[0])
    '3 NM or 1000 ft or 3 min apart in time'
"""

import tomllib
from collections.abc import Callable, Mapping
from enum import StrEnum
from itertools import chain
from typing import Final

from keepclear.agreement.leaves import (
    LONGEST_US,
    RESET_US,
    TALLEST_TMM,
    WIDEST_TMM,
    AllOf,
    AnyOf,
    Below,
    Duration,
    Floor,
    KeepFrom,
    KeepWellClear,
    Lateral,
    Leaf,
    Rvsm,
    Standoff,
    Time,
    Tree,
    Vertical,
)
from keepclear.agreement.separation import ANY, DEEPEST, Rule, RuleSet
from keepclear.agreement.terms import check_terms
from keepclear.agreement.toml_tables import Faults, Table
from keepclear.agreement.zones_toml import read_zone
from keepclear.airspace.altitudes import Reference, parse_altitude
from keepclear.errors import InputError, RulesError
from keepclear.units import parse_duration_us, parse_length_tmm

MOST_BYTES: Final = 1_000_000
RULE_KEYS: Final = ("text", "classes", "zone", "default", "floor")


class AtMinimum(StrEnum):
    """What exactly at a minimum counts as."""

    SEPARATED = "separated"
    CONFLICT = "conflict"


def read_rules(content: bytes | str) -> RuleSet:
    """Return the rule set of a TOML text. `RulesError` lists all that is wrong, a line each."""
    faults = Faults()
    top = Table(values=_load(content), path="", faults=faults)
    top.allow(["name", "source", "note", "rules", "zones"])
    name, source, note = top.text("name"), top.text("source", ""), top.text("note", "")
    listed = top.table("rules")
    rules = [_rule(listed.table(rule_id), rule_id) for rule_id in listed.values]
    zoned = top.table("zones") if "zones" in top.values else None
    zones = {zone: read_zone(zoned.table(zone)) for zone in zoned.values} if zoned else {}
    usable = tuple(rule for rule in rules if rule is not None)
    made = faults.attempt(
        "",
        lambda: RuleSet(name=name, rules=usable, source=source, note=note, zones=zones),
        RuleSet(name=name, rules=(STAND_IN_RULE,)),
    )
    faults.raise_if_any()
    return made


def parse_short(text: str) -> RuleSet:
    """Return the rule set of "5 NM / 1000 ft", "5 NM" or "3 NM / 1000 ft / 3 min"."""
    parts = [part.strip() for part in text.split("/")]
    if len(parts) > len(SHORT_PARTS):
        raise RulesError(f"rules {text!r}: has more than 3 parts; write lateral / vertical / time")
    leaves: list[Tree] = []
    for number, (part, (path, make)) in enumerate(zip(parts, SHORT_PARTS, strict=False)):
        if part or number == 0:
            leaves.append(_short_part(part, path, make))
    tree = leaves[0] if len(leaves) == 1 else AnyOf(children=tuple(leaves))
    name = " / ".join(" ".join(part.split()) for part in parts)
    return RuleSet(name=name, rules=(Rule(id="minima", holds=tree),), source="as typed")


SHORT_PARTS: Final[tuple[tuple[str, Callable[[str, str], Tree]], ...]] = (
    ("lateral", lambda text, path: Lateral(minimum_tmm=parse_length_tmm(text, path))),
    ("vertical", lambda text, path: Vertical(minimum_tmm=parse_length_tmm(text, path))),
    ("time", lambda text, path: Time(window_us=parse_duration_us(text, path))),
)


def _short_part(text: str, path: str, make: Callable[[str, str], Tree]) -> Tree:
    try:
        return make(text, path)
    except InputError as fault:
        raise RulesError(
            f"{fault}; minima are typed as lateral / vertical / time, such as "
            '"5 NM / 1000 ft" or "3 NM / 1000 ft / 3 min"'
        ) from None


def _load(content: bytes | str) -> Mapping[str, object]:
    if len(content) > MOST_BYTES:
        raise RulesError(f"rules of {len(content):,} bytes: are over {MOST_BYTES:,}; split them")
    try:
        text = content if isinstance(content, str) else content.decode("utf-8")
        return tomllib.loads(text)
    except UnicodeDecodeError as fault:
        raise RulesError(f"rules, byte {fault.start}: not UTF-8; save the file as UTF-8") from None
    except (ValueError, RecursionError) as fault:  # tomllib: syntax, huge numbers, deep nesting
        reason = str(fault) if isinstance(fault, ValueError) else "nested too deep"
        raise RulesError(f"rules are not TOML: {reason}; correct the text there") from None


def _rule(table: Table, rule_id: str) -> Rule | None:
    """Return a rule; what is wrong goes to the faults, and its outside stands in for it."""
    holds = _node(table, 0, RULE_KEYS)
    zone = table.text("zone") if "zone" in table.values else None
    classes, is_default = _classes(table), table.flag("default")
    floor = _floor(table.table("floor")) if "floor" in table.values else None
    text = table.text("text", "")

    def make(holds: Tree, floor: Floor | None) -> Rule:
        return Rule(
            id=rule_id, holds=holds, classes=classes, zone=zone, is_default=is_default,
            floor=floor, text=text,
        )  # fmt: skip

    rule = table.faults.attempt("", lambda: make(holds, floor), None)
    if rule is None:
        return Faults().attempt("", lambda: make(STAND_INS["lateral"], None), STAND_IN_RULE)
    table.faults.attempt("", lambda: check_terms(rule), None)
    return rule


def _classes(table: Table) -> tuple[str, str]:
    if "classes" not in table.values:
        return ANY, ANY
    found = table.list("classes")
    if len(found) == 2 and isinstance(found[0], str) and isinstance(found[1], str):
        return found[0], found[1]
    table.faults.add(
        table.at("classes"), "are not two texts", f'write ["helicopter", "{ANY}"]', found
    )
    return ANY, ANY


def _floor(table: Table) -> Floor:
    table.allow(["lateral", "vertical", "at_minimum"])
    lateral_tmm = table.quantity("lateral", parse_length_tmm, 1)
    vertical_tmm = table.quantity("vertical", parse_length_tmm, 1)
    is_closed = _is_closed(table)
    return table.faults.attempt(
        table.path,
        lambda: Floor(lateral_tmm=lateral_tmm, vertical_tmm=vertical_tmm, is_closed=is_closed),
        Floor(lateral_tmm=1, vertical_tmm=1),
    )


def _node(table: Table, depth: int, more_keys: tuple[str, ...] = ()) -> Tree:
    kinds = [key for key in OPTIONS if key in table.values]
    if len(kinds) == 1:
        table.allow([kinds[0], *OPTIONS[kinds[0]], *more_keys])
        return _node_of(kinds[0], table, depth)
    options = dict.fromkeys(chain.from_iterable(OPTIONS.values()))
    is_known = table.allow([*OPTIONS, *options, *more_keys])
    if kinds:
        named = " and ".join(kinds)
        way_out = "give each its own, in an any or an all"
        table.faults.add(table.path, f"has {named} in one table", way_out)
    elif is_known:  # a misspelt minimum has been noted
        table.faults.add(table.path, "has no minimum", f"give one of {', '.join(OPTIONS)}")
    return STAND_INS[kinds[0] if kinds else "lateral"]


def _node_of(kind: str, table: Table, depth: int) -> Tree:
    if kind in READERS:
        return table.faults.attempt(table.at(kind), lambda: READERS[kind](table), STAND_INS[kind])
    if depth >= DEEPEST:
        table.faults.add(table.path, f"is more than {DEEPEST} levels deep", "flatten any and all")
        return STAND_INS["lateral"]
    children = tuple(_node(child, depth + 1) for child in table.tables(kind))
    return AnyOf(children=children) if kind == "any" else AllOf(children=children)


def _lateral(table: Table) -> Leaf:
    minimum_tmm = table.quantity("lateral", parse_length_tmm, WIDEST_TMM)
    return Lateral(minimum_tmm=minimum_tmm, is_closed=_is_closed(table))


def _vertical(table: Table) -> Leaf:
    minimum_tmm = table.quantity("vertical", parse_length_tmm, TALLEST_TMM)
    below, rvsm = None, None
    if "below" in table.values:
        level_tmm, lowered_tmm = _by_level(table.table("below"), "level", stand_in_tmm=1)
        below = Below(level_tmm=level_tmm, minimum_tmm=lowered_tmm)
    if "rvsm" in table.values:
        # the stand-in lies between the least and the greatest, so that it adds no fault
        between_tmm = below.minimum_tmm if below else 1
        level_tmm, lowered_tmm = _by_level(table.table("rvsm"), "up_to", stand_in_tmm=between_tmm)
        rvsm = Rvsm(up_to_tmm=level_tmm, minimum_tmm=lowered_tmm)
    return Vertical(minimum_tmm=minimum_tmm, is_closed=_is_closed(table), below=below, rvsm=rvsm)


def _by_level(table: Table, level_key: str, *, stand_in_tmm: int) -> tuple[int, int]:
    table.allow([level_key, "vertical"])
    stand_in_level_tmm = 0 if level_key == "level" else TALLEST_TMM
    level_tmm = table.quantity(level_key, _pressure_altitude_tmm, stand_in_level_tmm)
    return level_tmm, table.quantity("vertical", parse_length_tmm, stand_in_tmm)


def _pressure_altitude_tmm(text: str, path: str) -> int:
    altitude = parse_altitude(text, path)
    if altitude.reference is not Reference.STANDARD:
        raise InputError(path, text, "is not a pressure altitude", 'write a level such as "FL290"')
    return altitude.height_tmm


def _time(table: Table) -> Leaf:
    window_us = table.quantity("time", parse_duration_us, LONGEST_US)
    return Time(window_us=window_us, is_closed=_is_closed(table))


def _duration(table: Table) -> Leaf:
    limit_us = table.quantity("duration", parse_duration_us, LONGEST_US)
    reset_us = RESET_US
    if "reset" in table.values:
        reset_us = table.quantity("reset", parse_duration_us, RESET_US)
    return Duration(limit_us=limit_us, reset_us=reset_us)


def _standoff(table: Table) -> Leaf:
    distance_tmm = table.quantity("standoff", parse_length_tmm, WIDEST_TMM)
    keep_from = table.choice("from", KeepFrom, KeepFrom.AIRSPACE_OF_OTHER_STATE)
    return Standoff(distance_tmm=distance_tmm, keep_from=keep_from, is_closed=_is_closed(table))


def _well_clear(table: Table) -> Leaf:
    return KeepWellClear(standard=table.text("well_clear"))


def _is_closed(table: Table) -> bool:
    return table.choice("at_minimum", AtMinimum, AtMinimum.SEPARATED) is AtMinimum.CONFLICT


OPTIONS: Final[Mapping[str, tuple[str, ...]]] = {
    "any": (),
    "all": (),
    "lateral": ("at_minimum",),
    "vertical": ("at_minimum", "below", "rvsm"),
    "time": ("at_minimum",),
    "duration": ("reset",),
    "standoff": ("from", "at_minimum"),
    "well_clear": (),
}
READERS: Final[Mapping[str, Callable[[Table], Leaf]]] = {
    "lateral": _lateral,
    "vertical": _vertical,
    "time": _time,
    "duration": _duration,
    "standoff": _standoff,
    "well_clear": _well_clear,
}
# What stands in for a node that cannot be read, so that the rest is still checked.
STAND_INS: Final[Mapping[str, Tree]] = {
    "any": Lateral(minimum_tmm=WIDEST_TMM),
    "all": Lateral(minimum_tmm=WIDEST_TMM),
    "lateral": Lateral(minimum_tmm=WIDEST_TMM),
    "vertical": Vertical(minimum_tmm=TALLEST_TMM),
    "time": Time(window_us=LONGEST_US),
    "duration": Duration(limit_us=LONGEST_US),
    "standoff": Standoff(distance_tmm=WIDEST_TMM),
    "well_clear": KeepWellClear(standard="phase-1"),
}
STAND_IN_RULE: Final = Rule(id="stand-in", holds=STAND_INS["lateral"])
