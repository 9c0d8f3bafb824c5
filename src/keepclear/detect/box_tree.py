# SPDX-License-Identifier: Apache-2.0
"""A tree of boxes in space and time, and who meets whom in it.

A box is eight numbers: least and greatest x, y, z (earth-centred metres) and time
(microseconds). Boxes stand in an order that keeps neighbours together (`boxes`); eight in a row
are one node, eight nodes in a row one node of the next level, up to a single one (or to a few
that are all looked at). Nothing points anywhere: from a node to its children and back is a
multiplication and a division.

Plain scalar code that runs as it stands and compiled (`compiled`).
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

WIDTH = 8
"""Boxes in a node, and numbers in a box."""


class Tree(NamedTuple):
    """Boxes of all levels, the lowest first; where each level starts; what the lowest are of."""

    boxes: Floats
    starts: Integers
    things: Integers


def do_boxes_meet(boxes: Floats, k: int, box: Floats) -> bool:
    """Tell whether box k meets another one."""
    return bool(
        boxes[k, 0] <= box[1]
        and boxes[k, 1] >= box[0]
        and boxes[k, 2] <= box[3]
        and boxes[k, 3] >= box[2]
        and boxes[k, 6] <= box[7]
        and boxes[k, 7] >= box[6]
        and boxes[k, 4] <= box[5]
        and boxes[k, 5] >= box[4]
    )


def probe_tree(t: Tree, box: Floats, after: int, out: Integers, count: int) -> int:
    """Write the places above `after` of boxes that meet a box; return the new count.

    Counts on past the end of `out` without writing.
    """
    top = len(t.starts) - 2
    level, k = top, 0
    while True:
        start = t.starts[level]
        total = t.starts[level + 1] - start
        last = ((k + 1) << (3 * level)) - 1
        if k < total and last > after and do_boxes_meet(t.boxes, start + k, box):
            if level > 0:
                level -= 1
                k *= WIDTH
                continue
            if count < len(out):
                out[count] = k
            count += 1
        k += 1
        while level < top and (k % WIDTH == 0 or k >= t.starts[level + 1] - t.starts[level]):
            k = (k - 1) // WIDTH + 1
            level += 1
        if level == top and k >= t.starts[top + 1] - t.starts[top]:
            return count


def widen(
    boxes: Floats, k: int, reach_m: float, before_us: float, after_us: float, box: Floats
) -> None:
    """Copy box k widened by a distance and by times."""
    for axis in range(3):
        box[2 * axis] = boxes[k, 2 * axis] - reach_m
        box[2 * axis + 1] = boxes[k, 2 * axis + 1] + reach_m
    box[6], box[7] = boxes[k, 6] - before_us, boxes[k, 7] + after_us


def probe_all(
    t: Tree, boxes: Floats, reach_m: float, lag_us: float, groups: Integers, group: int,
    own: Integers, kept: Integers,
) -> int:  # fmt: skip
    """Write which of others' boxes, widened, meet those of which things; return how many do.

    groups: of things; those below 0 and `group` are left out. Returns more than there is room
    for where it did not suffice.
    """
    box = np.empty(WIDTH)
    count = 0
    for i in range(len(boxes)):
        widen(boxes, i, reach_m, lag_us, lag_us, box)
        found = probe_tree(t, box, -1, kept, count)
        if found > len(kept):
            return found
        for k in range(count, found):
            thing = t.things[kept[k]]
            if groups[thing] >= 0 and groups[thing] != group:
                own[count], kept[count] = i, thing
                count += 1
    return count


def join_tree(
    t: Tree, reach_m: float, lag_us: float, owners: Integers, groups: Integers, within: bool,
    first: int, last: int, places: Integers, out_a: Integers, out_b: Integers,
) -> tuple[int, int]:  # fmt: skip
    """Write pairs of things whose boxes meet, for the boxes first..last - 1 of the lowest level.

    owners, groups: of things; one owner's are not compared, one group's only `within`. places:
    room to work in. Returns the box to go on from and how many pairs were written, a < b;
    stops before a box whose pairs have no room.
    """
    box = np.empty(WIDTH)
    count = 0
    for k in range(first, last):
        before = count
        widen(t.boxes, k, reach_m, lag_us, lag_us, box)
        found = probe_tree(t, box, k, places, 0)
        if found > len(places):
            return k, before
        a = t.things[k]
        for n in range(found):
            b = t.things[places[n]]
            if owners[a] == owners[b] or not (within or groups[a] != groups[b]):
                continue
            if count == len(out_a):
                return k, before
            out_a[count], out_b[count] = min(a, b), max(a, b)
            count += 1
    return last, count


def match_tree(
    t: Tree, boxes: Floats, things: Integers, reach_m: float, before_us: float, after_us: float,
    thing_owners: Integers, thing_groups: Integers, owners: Integers, groups: Integers,
    within: bool, first: int, last: int, places: Integers, out_a: Integers, out_b: Integers,
) -> tuple[int, int]:  # fmt: skip
    """Write pairs of other things, with boxes of their own, and things of a tree; as `join_tree`.

    out_a: of the others, whose boxes first..last - 1 are looked at and stand together by thing.
    """
    box = np.empty(WIDTH)
    count = 0
    for k in range(first, last):
        before = count
        widen(boxes, k, reach_m, before_us, after_us, box)
        found = probe_tree(t, box, -1, places, 0)
        if found > len(places):
            return k, before
        a = things[k]
        for n in range(found):
            b = t.things[places[n]]
            if thing_owners[a] == owners[b] or not (within or thing_groups[a] != groups[b]):
                continue
            if count == len(out_a):
                return k, before
            out_a[count], out_b[count] = a, b
            count += 1
    return last, count
