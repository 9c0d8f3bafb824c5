# SPDX-License-Identifier: Apache-2.0
"""Trees of minima: leaves that each say what keeps two craft apart, joined by any and all.

A leaf *holds* when it keeps them apart and *fails* when it does not. `AnyOf` holds when a child
holds, `AllOf` when every child holds: "5 NM / 1000 ft" is `AnyOf` over a lateral and a vertical
leaf. What may stand where is checked by `separation`, which builds rules of trees.

1. Exactly at a minimum holds, unless the leaf `is_closed`.
2. A `Time` leaf widens the times that are compared, for its siblings under the same any only.
3. A `Duration` leaf bounds how long its siblings may fail; it never makes a pair CLEAR.
4. Leaves are numbered from 0 in the order they are written, the floor last (`leaf_paths`).
"""

from collections import Counter
from collections.abc import Iterator
from enum import StrEnum
from typing import Final, NamedTuple

import msgspec

from keepclear.agreement.quantities import (
    duration_text,
    lateral_text,
    level_text,
    vertical_text,
)
from keepclear.errors import RulesError
from keepclear.units import TMM_PER_FOOT, TMM_PER_NM, US_PER_S

WIDEST_TMM: Final = 1_000 * TMM_PER_NM
TALLEST_TMM: Final = 100_000 * TMM_PER_FOOT
LONGEST_US: Final = 24 * 3_600 * US_PER_S
RESET_US: Final = 60 * US_PER_S  # breaks shorter than this do not end a stay


class Lateral(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="lateral"):
    """Holds at this horizontal distance or more; more only, where it `is_closed`."""

    minimum_tmm: int
    is_closed: bool = False

    def __post_init__(self) -> None:
        _check_length("lateral", self.minimum_tmm, WIDEST_TMM)


class Below(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Another vertical minimum where the lower craft is below a pressure altitude."""

    level_tmm: int
    minimum_tmm: int


class Rvsm(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Another vertical minimum where both have RVSM approval, up to and with a level."""

    up_to_tmm: int
    minimum_tmm: int


class Vertical(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="vertical"
):
    """Holds at this difference of height or more; more only, where it `is_closed`.

    `below` and `rvsm` lower the minimum by level. `below` is looked at first, so its minimum
    is the least of the three, and `minimum_tmm` the greatest.
    """

    minimum_tmm: int
    is_closed: bool = False
    below: Below | None = None
    rvsm: Rvsm | None = None

    def __post_init__(self) -> None:
        _check_length("vertical", self.minimum_tmm, TALLEST_TMM)
        lowered = [part.minimum_tmm for part in (self.below, self.rvsm) if part is not None]
        for minimum_tmm in lowered:
            _check_length("vertical", minimum_tmm, TALLEST_TMM)
        if lowered != sorted(lowered) or max(lowered, default=0) > self.minimum_tmm:
            raise RulesError(
                f"vertical {vertical_text(self.minimum_tmm)}: minima by level may only lower it, "
                "the one below a level the most; order them below, rvsm, vertical"
            )
        if self.below and self.rvsm and self.rvsm.up_to_tmm < self.below.level_tmm:
            raise RulesError(
                f"rvsm.up_to {level_text(self.rvsm.up_to_tmm)}: is under the level of below, "
                f"{level_text(self.below.level_tmm)}, so it changes nothing; raise it or drop it"
            )


class Time(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="time"):
    """Holds where the two are at the compared places this long apart, or more."""

    window_us: int
    is_closed: bool = False

    def __post_init__(self) -> None:
        _check_duration("time", self.window_us)


class Duration(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="duration"
):
    """Holds where no stay inside its siblings is longer than this; as long holds.

    Stays less than `reset_us` apart are one.
    """

    limit_us: int
    reset_us: int = RESET_US

    def __post_init__(self) -> None:
        _check_duration("duration", self.limit_us)
        _check_duration("reset", self.reset_us)


class KeepFrom(StrEnum):
    """What a stand-off is kept from."""

    AIRSPACE_OF_OTHER_STATE = "airspace_of_other_state"

    @property
    def words(self) -> str:
        """The same for people."""
        return "the airspace of the other state"


class Standoff(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="standoff"
):
    """Holds where the craft of the rule's first class is this far from an area, or farther.

    It is no distance between two craft: it needs the area (borders), which is not in a list of
    flights.
    """

    distance_tmm: int
    keep_from: KeepFrom = KeepFrom.AIRSPACE_OF_OTHER_STATE
    is_closed: bool = False

    def __post_init__(self) -> None:
        _check_length("standoff", self.distance_tmm, WIDEST_TMM)


class KeepWellClear(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="well_clear"
):
    """Holds where two live tracks are well clear by a standard of `detect.do365`."""

    standard: str


class AnyOf(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="any"):
    """Holds when a child holds."""

    children: tuple["Tree", ...]


class AllOf(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="all"):
    """Holds when every child holds."""

    children: tuple["Tree", ...]


Leaf = Lateral | Vertical | Time | Duration | Standoff | KeepWellClear
Tree = Leaf | AnyOf | AllOf


class Floor(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Inside both of these no duration helps."""

    lateral_tmm: int
    vertical_tmm: int
    is_closed: bool = False

    def __post_init__(self) -> None:
        _check_length("floor.lateral", self.lateral_tmm, WIDEST_TMM)
        _check_length("floor.vertical", self.vertical_tmm, TALLEST_TMM)


class Place(NamedTuple):
    """A node, its path name, and the nodes above it from the root down."""

    node: Tree
    path: str
    above: tuple[AnyOf | AllOf, ...]


def kind_of(node: Tree) -> str:
    """Return the word for a node, as files and path names have it: "lateral", "any"."""
    return str(node.__struct_config__.tag)


def walk(root: Tree, path: str, above: tuple[AnyOf | AllOf, ...] = ()) -> Iterator[Place]:
    """Yield every node, parents before children; the second of a kind is called "lateral-2"."""
    yield Place(root, path, above)
    if not isinstance(root, AnyOf | AllOf):
        return
    seen: Counter[str] = Counter()
    for child in root.children:
        kind = kind_of(child)
        seen[kind] += 1
        name = kind if seen[kind] == 1 else f"{kind}-{seen[kind]}"
        yield from walk(child, f"{path}/{name}", (*above, root))


AXES: Final = {Lateral: " laterally", Vertical: " vertically"}


def describe(node: Tree) -> str:
    """Return a tree in a few words: "5 NM or 1000 ft".

    Which is which is said where the lateral minimum is the smaller one: it may be meant otherwise.
    """
    if not isinstance(node, AnyOf | AllOf):
        return _describe_leaf(node)
    lateral = [child.minimum_tmm for child in node.children if isinstance(child, Lateral)]
    vertical = [child.minimum_tmm for child in node.children if isinstance(child, Vertical)]
    is_odd = min(lateral, default=0) < max(vertical, default=0) and bool(lateral)
    parts = [
        f"({describe(child)})"
        if isinstance(child, AnyOf | AllOf)
        else _describe_leaf(child) + (AXES.get(type(child), "") if is_odd else "")
        for child in node.children
    ]
    return (" or " if isinstance(node, AnyOf) else " and ").join(parts)


def _describe_leaf(leaf: Leaf) -> str:
    more = "more than " if getattr(leaf, "is_closed", False) else ""
    match leaf:
        case Lateral():
            return more + lateral_text(leaf.minimum_tmm)
        case Vertical():
            return more + _describe_vertical(leaf)
        case Time():
            return f"{more}{duration_text(leaf.window_us)} apart in time"
        case Duration():
            return f"for at most {duration_text(leaf.limit_us)}"
        case Standoff():
            return f"{more}{lateral_text(leaf.distance_tmm)} from {leaf.keep_from.words}"
        case KeepWellClear():
            return f"well clear by {leaf.standard}"


def _describe_vertical(leaf: Vertical) -> str:
    lowered = []
    if leaf.below is not None:
        level, minimum = level_text(leaf.below.level_tmm), vertical_text(leaf.below.minimum_tmm)
        lowered.append(f"{minimum} with the lower one below {level}")
    if leaf.rvsm is not None:
        level, minimum = level_text(leaf.rvsm.up_to_tmm), vertical_text(leaf.rvsm.minimum_tmm)
        lowered.append(f"{minimum} up to {level} where both have RVSM approval")
    text = vertical_text(leaf.minimum_tmm)
    return f"{text} ({', '.join(lowered)})" if lowered else text


def _check_length(path: str, length_tmm: int, most_tmm: int) -> None:
    if not 0 < length_tmm <= most_tmm:
        text = vertical_text if most_tmm == TALLEST_TMM else lateral_text
        raise RulesError(
            f"{path} {text(length_tmm)}: is not above 0 and up to {text(most_tmm)}; "
            "check number and unit"
        )


def _check_duration(path: str, duration_us: int) -> None:
    if not 0 < duration_us <= LONGEST_US:
        raise RulesError(
            f"{path} {duration_text(duration_us)}: is not above 0 and up to 24 h; "
            "check number and unit"
        )
