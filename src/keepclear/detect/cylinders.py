# SPDX-License-Identifier: Apache-2.0
"""What the kernel is asked to find: a list of cylinders, any of which breaks the rule.

A separation rule is a tree of any/all over leaves (`agreement.separation`). It fails exactly
when one of a list of *cylinders* is entered: closer than a lateral minimum AND closer than a
vertical minimum, at one instant, under a condition on the two heights. `agreement.terms`
turns the tree into this list; the kernel knows no trees.

1. None as a minimum means that the leaf is not in this cylinder: the other alone decides.
2. `is_closed`: exactly at the minimum counts as inside (default: it does not).
"""

import msgspec


class Cylinder(msgspec.Struct, frozen=True, kw_only=True):
    """One way to break a rule.

    lateral_tmm, vertical_tmm: inside when closer than this (None: at any distance).
    time_us: the pair of times compared may differ by this much more (a `time` leaf), None: no.
    duration_us: being inside up to this long, merged over breaks shorter than `reset_us`, is
    LIMITED and not CONFLICT (a `duration` leaf); None: no.
    both_from_tmm: holds only where both are at or above this pressure altitude.
    one_above_tmm: and only where at least one is above this pressure altitude.
    zone: holds only where at least one is inside the zone of this number; None: everywhere.
    lateral_leaf, vertical_leaf, time_leaf, duration_leaf: numbers of the leaves in the rule.
    """

    lateral_tmm: int | None = None
    vertical_tmm: int | None = None
    time_us: int | None = None
    duration_us: int | None = None
    reset_us: int = 60_000_000
    lateral_is_closed: bool = False
    vertical_is_closed: bool = False
    time_is_closed: bool = False
    both_from_tmm: int | None = None
    one_above_tmm: int | None = None
    zone: int | None = None
    lateral_leaf: int | None = None
    vertical_leaf: int | None = None
    time_leaf: int | None = None
    duration_leaf: int | None = None
