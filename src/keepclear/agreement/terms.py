# SPDX-License-Identifier: Apache-2.0
"""When a rule fails, as the list of cylinders that the kernel looks for.

An any fails when all its children fail: one term with the least of each minimum. An all fails
when some child fails: one term each. So a tree becomes a list of terms, any of which breaks
the rule (the disjunctive normal form of its failing). A term that another one covers is left
out: its margin is never the least, and it finds nothing that the other does not.

1. A time leaf acts on what stands under its any. A lateral or vertical leaf under no time leaf
   is compared at equal times only, and so is a term that holds one.
2. A vertical leaf with levels becomes up to three terms: the least minimum everywhere, greater
   ones where both are above a level.
3. A duration leaf adds its limit to its term, and a second term for the floor, without it.
4. The answer does not depend on the order of the pair.

    >>> minima = (Lateral(minimum_tmm=92_600_000), Vertical(minimum_tmm=3_048_000))
    >>> [cylinder] = cylinders_of(Rule(id="r", holds=AnyOf(children=minima)), rvsm=False)
    >>> cylinder.lateral_tmm, cylinder.vertical_tmm
    (92600000, 3048000)
"""

from collections.abc import Iterable, Iterator
from itertools import chain, count, product
from typing import Final, NamedTuple

from msgspec.structs import replace

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
    walk,
)
from keepclear.agreement.quantities import lateral_text
from keepclear.agreement.separation import Rule, RuleSet, leaf_paths, rules_for, zone_number
from keepclear.detect.cylinders import Cylinder
from keepclear.detect.do365 import STANDARDS, WellClear
from keepclear.errors import RulesError

MOST_CYLINDERS: Final = 64


class Bound(NamedTuple):
    """A minimum, whether it is closed, and its leaf. The least of two is what both ask for."""

    minimum: int
    is_closed: bool
    leaf: int


EQUAL_TIMES: Final = Bound(0, True, -1)  # the times differ by 0 and no more


class Stay(NamedTuple):
    """A duration leaf: what it allows, and its number."""

    limit_us: int
    reset_us: int
    leaf: int


class Term(NamedTuple):
    """Minima that are all undercut; None: not asked about. Levels as in `Cylinder`."""

    lateral: Bound | None = None
    vertical: Bound | None = None
    time: Bound | None = None
    stay: Stay | None = None
    both_from_tmm: int | None = None
    one_above_tmm: int | None = None


class Reading(NamedTuple):
    """A rule being read: its id, whether both have RVSM approval, its floor, leaf numbers left."""

    rule_id: str
    rvsm: bool
    floor: Term
    numbers: Iterator[int]


def cylinders(
    rule_set: RuleSet, class_a: str, class_b: str, *, rvsm_a: bool, rvsm_b: bool
) -> tuple[tuple[Rule, Cylinder], ...]:
    """Return what breaks a rule for a pair of craft, rule by rule in the order of the set.

    `RulesError` where a rule that binds the pair cannot be decided from two paths alone.
    """
    found: list[tuple[Rule, Cylinder]] = []
    for rule in rules_for(rule_set, class_a, class_b):
        zone = None if rule.zone is None else zone_number(rule_set, rule.zone)
        found += [(rule, each) for each in cylinders_of(rule, rvsm=rvsm_a and rvsm_b, zone=zone)]
    return tuple(found)


def cylinders_of(rule: Rule, *, rvsm: bool, zone: int | None = None) -> tuple[Cylinder, ...]:
    """Return what breaks one rule; `rvsm`: both craft have the approval."""
    _check_decidable(rule)
    reading = Reading(rule.id, rvsm, _floor_term(rule), count())
    terms = _fails(rule.holds, reading, is_timed=False)
    return tuple(_cylinder(term, zone) for term in terms)


def well_clear_rules(
    rule_set: RuleSet, class_a: str, class_b: str
) -> tuple[tuple[Rule, WellClear], ...]:
    """Return the well-clear rules for a pair of live tracks; () where none binds it.

    `RulesError` where rules of both sorts bind the pair.
    """
    rules = rules_for(rule_set, class_a, class_b)
    live = [(rule, rule.holds) for rule in rules if isinstance(rule.holds, KeepWellClear)]
    if live and len(live) < len(rules):
        other = next(rule.id for rule in rules if not isinstance(rule.holds, KeepWellClear))
        raise RulesError(
            f"rules {live[0][0].id} (well clear, for live tracks) and {other} (minima) bind the "
            "same pair; put them into two rule sets and check against each"
        )
    return tuple((rule, STANDARDS[leaf.standard]) for rule, leaf in live)


def check_terms(rule: Rule) -> None:
    """Raise `RulesError` where a rule of minima can fail in too many ways."""
    leaves = (place.node for place in walk(rule.holds, rule.id))
    if not any(isinstance(leaf, Standoff | KeepWellClear) for leaf in leaves):
        for rvsm in (False, True):
            cylinders_of(rule, rvsm=rvsm)


def _check_decidable(rule: Rule) -> None:
    for place in walk(rule.holds, rule.id):
        if isinstance(place.node, Standoff):
            distance = lateral_text(place.node.distance_tmm)
            raise RulesError(
                f"rule {rule.id}: is a stand-off from {place.node.keep_from.words}, not a "
                "distance between two craft, and the borders it needs are not among the plans; "
                "give that airspace as a volume in a file of the other party and check with "
                f'--rules "{distance}"'
            )
        if isinstance(place.node, KeepWellClear):
            raise RulesError(
                f"rule {rule.id}: well clear by {place.node.standard} is for live tracks, with "
                "positions and velocities; check plans with minima, such as en-route"
            )


def _fails(node: Tree, reading: Reading, *, is_timed: bool) -> list[Term]:
    """Return the terms in which a tree fails; `is_timed`: under a time leaf, see rule 1."""
    match node:
        case AllOf():
            children = [_fails(child, reading, is_timed=is_timed) for child in node.children]
            return _strongest(chain.from_iterable(children), reading)
        case AnyOf():
            is_timed = is_timed or any(isinstance(child, Time) for child in node.children)
            together = [Term()]
            for child in node.children:
                pairs = product(together, _fails(child, reading, is_timed=is_timed))
                together = _strongest((_both(one, two) for one, two in pairs), reading)
            return together
        case _:
            return _leaf_fails(node, reading, None if is_timed else EQUAL_TIMES)


def _leaf_fails(leaf: Leaf, reading: Reading, time: Bound | None) -> list[Term]:
    number = next(reading.numbers)
    match leaf:
        case Lateral():
            return [Term(lateral=Bound(leaf.minimum_tmm, leaf.is_closed, number), time=time)]
        case Vertical():
            terms = _strongest(_by_level(leaf, number, reading.rvsm), reading)
            return [term._replace(time=time) for term in terms]
        case Time():
            return [Term(time=Bound(leaf.window_us, leaf.is_closed, number))]
        case Duration():
            return [Term(stay=Stay(leaf.limit_us, leaf.reset_us, number)), reading.floor]
        case Standoff() | KeepWellClear():
            raise RulesError(f"rule {reading.rule_id}: has no cylinders; take a rule of minima")


def _by_level(leaf: Vertical, number: int, rvsm: bool) -> list[Term]:  # noqa: FBT001 private
    """Return the terms of a vertical leaf: the lowered minima first, then its own above them."""
    from_tmm, above_tmm = None, None
    terms = []
    if leaf.below is not None:
        bound = Bound(leaf.below.minimum_tmm, leaf.is_closed, number)
        terms.append(Term(vertical=bound))
        from_tmm = leaf.below.level_tmm
    if leaf.rvsm is not None and rvsm:
        bound = Bound(leaf.rvsm.minimum_tmm, leaf.is_closed, number)
        terms.append(Term(vertical=bound, both_from_tmm=from_tmm))
        above_tmm = leaf.rvsm.up_to_tmm
    bound = Bound(leaf.minimum_tmm, leaf.is_closed, number)
    terms.append(Term(vertical=bound, both_from_tmm=from_tmm, one_above_tmm=above_tmm))
    return terms


def _both(one: Term, two: Term) -> Term:
    """Return the term in which both fail."""
    return Term(
        lateral=_least(one.lateral, two.lateral),
        vertical=_least(one.vertical, two.vertical),
        time=_least(one.time, two.time),
        stay=one.stay or two.stay,
        both_from_tmm=_greatest(one.both_from_tmm, two.both_from_tmm),
        one_above_tmm=_greatest(one.one_above_tmm, two.one_above_tmm),
    )


def _least(one: Bound | None, two: Bound | None) -> Bound | None:
    return min((bound for bound in (one, two) if bound is not None), default=None)


def _greatest(one: int | None, two: int | None) -> int | None:
    return max((level for level in (one, two) if level is not None), default=None)


def _strongest(terms: Iterable[Term], reading: Reading) -> list[Term]:
    """Return the terms that no other one covers, in order; of equal ones the first."""
    kept: list[Term] = []
    for term in terms:
        if any(_covers(other, term) for other in kept):
            continue
        kept = [other for other in kept if not _covers(term, other)]
        kept.append(term)
        if len(kept) > MOST_CYLINDERS:
            raise RulesError(
                f"rule {reading.rule_id}: can fail in more than {MOST_CYLINDERS} ways, too many "
                "to look for; split it into several rules"
            )
    return kept


def _covers(wide: Term, narrow: Term) -> bool:
    """Tell whether all that enters `narrow` enters `wide`, with a verdict as bad or worse."""
    return (
        _reaches(wide.lateral, narrow.lateral)
        and _reaches(wide.vertical, narrow.vertical)
        and _reaches(wide.time, narrow.time)
        and _is_under(wide.both_from_tmm, narrow.both_from_tmm)
        and _is_under(wide.one_above_tmm, narrow.one_above_tmm)
        and _is_as_strict(wide.stay, narrow.stay)
    )


def _reaches(wide: Bound | None, narrow: Bound | None) -> bool:
    return wide is None or (narrow is not None and wide[:2] >= narrow[:2])


def _is_under(wide_tmm: int | None, narrow_tmm: int | None) -> bool:
    return wide_tmm is None or (narrow_tmm is not None and wide_tmm <= narrow_tmm)


def _is_as_strict(wide: Stay | None, narrow: Stay | None) -> bool:
    if wide is None or narrow is None:
        return wide is None
    return wide.limit_us <= narrow.limit_us and wide.reset_us >= narrow.reset_us


def _floor_term(rule: Rule) -> Term:
    """Return the term inside which no duration helps; never used where there is no floor."""
    if rule.floor is None:
        return Term()
    last, floor = len(leaf_paths(rule)) - 1, rule.floor
    return Term(
        lateral=Bound(floor.lateral_tmm, floor.is_closed, last - 1),
        vertical=Bound(floor.vertical_tmm, floor.is_closed, last),
    )


def _cylinder(term: Term, zone: int | None) -> Cylinder:
    found = Cylinder(both_from_tmm=term.both_from_tmm, one_above_tmm=term.one_above_tmm, zone=zone)
    if term.lateral is not None:
        minimum, is_closed, leaf = term.lateral
        found = replace(found, lateral_tmm=minimum, lateral_is_closed=is_closed, lateral_leaf=leaf)
    if term.vertical is not None:
        minimum, is_closed, leaf = term.vertical
        found = replace(
            found, vertical_tmm=minimum, vertical_is_closed=is_closed, vertical_leaf=leaf
        )
    if term.time is not None and term.time != EQUAL_TIMES:
        minimum, is_closed, leaf = term.time
        found = replace(found, time_us=minimum, time_is_closed=is_closed, time_leaf=leaf)
    if term.stay is not None:
        limit_us, reset_us, leaf = term.stay
        found = replace(found, duration_us=limit_us, reset_us=reset_us, duration_leaf=leaf)
    return found
