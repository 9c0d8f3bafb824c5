# SPDX-License-Identifier: Apache-2.0
"""Rules at random, and the definitions of definitions.md evaluated as they read.

Lengths and times are a few units only, so that random situations often lie exactly at a
minimum. Three values: True fails, False holds, None cannot be known.
"""

from collections.abc import Iterable
from typing import Final, NamedTuple

from hypothesis import strategies as st

from keepclear.agreement.leaves import (
    AllOf,
    AnyOf,
    Below,
    Duration,
    Floor,
    Lateral,
    Rvsm,
    Time,
    Tree,
    Vertical,
    walk,
)
from keepclear.agreement.separation import Rule
from keepclear.detect.cylinders import Cylinder

Truth = bool | None
CLOSED: Final = st.booleans()


class Situation(NamedTuple):
    """Two craft at one pair of compared times.

    shift: how far the two times lie apart beyond the time tolerance. stay: how long a stay
    inside lasts. Distances and heights are None where unknown. is_standard: the heights are
    pressure altitudes, so levels mean something.
    """

    lateral: int | None
    height_a: int | None
    height_b: int | None
    shift: int
    stay: int
    is_standard: bool
    rvsm: bool

    @property
    def vertical(self) -> int | None:
        if self.height_a is None or self.height_b is None:
            return None
        return abs(self.height_a - self.height_b)

    @property
    def levels(self) -> tuple[int, int] | None:
        """The lower and the higher pressure altitude."""
        if self.height_a is None or self.height_b is None or not self.is_standard:
            return None
        return min(self.height_a, self.height_b), max(self.height_a, self.height_b)


def every(truths: Iterable[Truth]) -> Truth:
    """Kleene's strong "and"."""
    seen = set(truths)
    return False if False in seen else None if None in seen else True


def some(truths: Iterable[Truth]) -> Truth:
    """Kleene's strong "or"."""
    seen = set(truths)
    return True if True in seen else None if None in seen else False


def undercuts(value: int | None, minimum: int, *, is_closed: bool) -> Truth:
    """Less than the minimum; at the minimum too where it is closed."""
    if value is None:
        return None
    return value < minimum or (is_closed and value == minimum)


def minimum_at(leaf: Vertical, levels: tuple[int, int], *, rvsm: bool) -> int:
    """Return the vertical minimum, as definitions.md words it under "En-route minimum"."""
    lower, higher = levels
    if leaf.below is not None and lower < leaf.below.level_tmm:
        return leaf.below.minimum_tmm
    if leaf.rvsm is not None and rvsm and higher <= leaf.rvsm.up_to_tmm:
        return leaf.rvsm.minimum_tmm
    return leaf.minimum_tmm


def vertical_fails(leaf: Vertical, now: Situation) -> Truth:
    if now.levels is not None:
        minimum = minimum_at(leaf, now.levels, rvsm=now.rvsm)
        return undercuts(now.vertical, minimum, is_closed=leaf.is_closed)
    # the level is not known: certain only where every minimum that may hold says the same
    lowered = [leaf.minimum_tmm]
    lowered += [leaf.below.minimum_tmm] if leaf.below is not None else []
    lowered += [leaf.rvsm.minimum_tmm] if leaf.rvsm is not None and now.rvsm else []
    truths = {undercuts(now.vertical, each, is_closed=leaf.is_closed) for each in lowered}
    return truths.pop() if len(truths) == 1 else None


def fails(tree: Tree, now: Situation, floor: Floor | None, *, is_timed: bool = False) -> Truth:
    """Evaluate a tree directly; `is_timed`: it stands under a time leaf."""
    match tree:
        case AnyOf():
            is_timed = is_timed or any(isinstance(child, Time) for child in tree.children)
            return every(fails(child, now, floor, is_timed=is_timed) for child in tree.children)
        case AllOf():
            return some(fails(child, now, floor, is_timed=is_timed) for child in tree.children)
        case Lateral() | Vertical() if now.shift != 0 and not is_timed:
            return False  # these times are not compared
        case _:
            return leaf_fails(tree, now, floor)


def leaf_fails(leaf: Tree, now: Situation, floor: Floor | None) -> Truth:
    match leaf:
        case Lateral():
            return undercuts(now.lateral, leaf.minimum_tmm, is_closed=leaf.is_closed)
        case Vertical():
            return vertical_fails(leaf, now)
        case Time():
            return undercuts(now.shift, leaf.window_us, is_closed=leaf.is_closed)
        case Duration():
            assert floor is not None
            return now.stay > leaf.limit_us or is_under_floor(floor, now)
        case _:
            raise AssertionError(leaf)


def is_under_floor(floor: Floor, now: Situation) -> Truth:
    return every([
        undercuts(now.lateral, floor.lateral_tmm, is_closed=floor.is_closed),
        undercuts(now.vertical, floor.vertical_tmm, is_closed=floor.is_closed),
    ])  # fmt: skip


def is_entered(cylinder: Cylinder, now: Situation) -> Truth:
    """Evaluate a cylinder as the docstring of `detect.cylinders` words it."""
    truths: list[Truth] = []
    if cylinder.lateral_tmm is not None:
        closed = cylinder.lateral_is_closed
        truths.append(undercuts(now.lateral, cylinder.lateral_tmm, is_closed=closed))
    if cylinder.vertical_tmm is not None:
        closed = cylinder.vertical_is_closed
        truths.append(undercuts(now.vertical, cylinder.vertical_tmm, is_closed=closed))
    if cylinder.time_us is None:
        truths.append(now.shift == 0)
    else:
        truths.append(undercuts(now.shift, cylinder.time_us, is_closed=cylinder.time_is_closed))
    if cylinder.duration_us is not None:
        truths.append(now.stay > cylinder.duration_us)
    return every([*truths, is_at_levels(cylinder, now)])


def is_at_levels(cylinder: Cylinder, now: Situation) -> Truth:
    if cylinder.both_from_tmm is None and cylinder.one_above_tmm is None:
        return True
    if now.levels is None:
        return None
    lower, higher = now.levels
    return (cylinder.both_from_tmm is None or lower >= cylinder.both_from_tmm) and (
        cylinder.one_above_tmm is None or higher > cylinder.one_above_tmm
    )


def margin(tree: Tree, now: Situation) -> int:
    """Margin as definitions.md: any the greatest, all the least; time and duration left out."""
    match tree:
        case Lateral():
            assert now.lateral is not None
            return now.lateral - tree.minimum_tmm
        case Vertical():
            assert now.vertical is not None
            assert now.levels is not None
            return now.vertical - minimum_at(tree, now.levels, rvsm=now.rvsm)
        case AnyOf() | AllOf():
            inside = [c for c in tree.children if not isinstance(c, Time | Duration)]
            margins = [margin(child, now) for child in inside]
            return max(margins) if isinstance(tree, AnyOf) else min(margins)
        case _:
            raise AssertionError(tree)


def cylinder_margin(cylinder: Cylinder, now: Situation) -> int:
    """Return the greater of what its two minima are kept by."""
    margins = []
    if cylinder.lateral_tmm is not None:
        assert now.lateral is not None
        margins.append(now.lateral - cylinder.lateral_tmm)
    if cylinder.vertical_tmm is not None:
        assert now.vertical is not None
        margins.append(now.vertical - cylinder.vertical_tmm)
    return max(margins)


# --- at random ------------------------------------------------------------------------------


def situations(*, may_be_unknown: bool = True) -> st.SearchStrategy[Situation]:
    distances = st.integers(0, 6)
    if may_be_unknown:
        distances_or_none = st.none() | distances
        return st.builds(
            Situation, distances_or_none, distances_or_none, distances_or_none,
            st.sampled_from([0, 0, 1, 2, 3, 4]), st.integers(0, 4), st.booleans(), st.booleans(),
        )  # fmt: skip
    return st.builds(
        Situation, distances, distances, distances,
        st.just(0), st.integers(0, 4), st.just(value=True), st.booleans(),
    )  # fmt: skip


laterals = st.builds(Lateral, minimum_tmm=st.integers(1, 4), is_closed=CLOSED)
verticals = st.builds(Vertical, minimum_tmm=st.integers(1, 4), is_closed=CLOSED)
times = st.builds(Time, window_us=st.integers(1, 3), is_closed=CLOSED)
durations = st.builds(
    Duration, limit_us=st.integers(1, 3), reset_us=st.sampled_from([30_000_000, 60_000_000])
)
floors = st.builds(
    Floor, lateral_tmm=st.integers(1, 2), vertical_tmm=st.integers(1, 2)
) | st.builds(Floor, lateral_tmm=st.just(1), vertical_tmm=st.just(1), is_closed=st.just(value=True))


@st.composite
def levelled(draw: st.DrawFn) -> Vertical:
    """A vertical leaf with a minimum by level, or two."""
    least, middle, most = sorted(draw(st.tuples(*[st.integers(1, 5)] * 3)))
    level, up_to = sorted(draw(st.tuples(st.integers(0, 5), st.integers(0, 5))))
    below = draw(st.none() | st.just(Below(level_tmm=level, minimum_tmm=least)))
    rvsm = draw(st.none() | st.just(Rvsm(up_to_tmm=up_to, minimum_tmm=middle)))
    return Vertical(minimum_tmm=most, is_closed=draw(CLOSED), below=below, rvsm=rvsm)


@st.composite
def trees(draw: st.DrawFn, depth: int = 3, *, may_last: bool = True) -> Tree:
    """A tree that a rule may hold; `may_last`: with duration leaves where they may stand."""
    kinds = ["leaf"] + (["any", "all"] if depth else []) + (["stay"] if may_last else [])
    match draw(st.sampled_from(kinds)):
        case "any":
            children = draw(st.lists(trees(depth - 1, may_last=False), min_size=1, max_size=3))
            children += draw(st.lists(times, max_size=1))
            return AnyOf(children=tuple(draw(st.permutations(children))))
        case "all":
            children = draw(st.lists(trees(depth - 1, may_last=may_last), min_size=1, max_size=3))
            return AllOf(children=tuple(children))
        case "stay":
            longer = [
                st.builds(kind, minimum_tmm=st.integers(2, 4), is_closed=CLOSED)
                for kind in (Lateral, Vertical)
            ]
            children = draw(st.lists(st.one_of(*longer), min_size=1, max_size=3))
            children += draw(st.lists(times, max_size=1))
            return AnyOf(children=tuple(draw(st.permutations([*children, draw(durations)]))))
        case _:
            return draw(st.one_of(laterals, verticals, levelled()))


@st.composite
def rules(draw: st.DrawFn, *, may_last: bool = True) -> Rule:
    """A rule for any pair."""
    tree = draw(trees(may_last=may_last))
    lasts = any(isinstance(place.node, Duration) for place in walk(tree, ""))
    return Rule(id="r", holds=tree, floor=draw(floors) if lasts else None)
