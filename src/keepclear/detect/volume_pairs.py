# SPDX-License-Identifier: Apache-2.0
"""Many pairs with volumes one after another: `entering` or `overlaps` for each.

Plain scalar code that runs as it stands and compiled (`compiled`).
"""

import numpy as np
import numpy.typing as npt

from keepclear.detect.bands import NOWHERE
from keepclear.detect.box_tree import WIDTH, Tree, do_boxes_meet, probe_all, widen
from keepclear.detect.entering import sweep_volume
from keepclear.detect.fragments import Fragments
from keepclear.detect.overlaps import gap_within, is_inside, overlap, tolerances_between
from keepclear.detect.skeletons import (
    EARLY_US,
    END_US,
    LATE_US,
    START_US,
    UNSURE_M,
    X_FROM,
    Volumes,
)
from keepclear.detect.sweep import Limits, Rows
from keepclear.detect.windows import lags_of

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]


def sweep_volume_pairs(
    f: Fragments, v: Volumes, limits: Limits, farthest_m: float, a: Integers, b: Integers,
    first: int, last: int, rows: Rows, row_pair: Integers, n: int,
) -> tuple[int, int]:  # fmt: skip
    """Write the rows of pairs first..last - 1 of trajectory and volume.

    Returns the pair to go on from and how many rows there are now; n: how many there were
    (an argument, because compiled code would know a 0 from a number, and compile twice).
    row_pair: which pair a row is of. Stops before a pair whose rows have no room.
    """
    for k in range(first, last):
        before = n
        n = sweep_volume(f, a[k], v, b[k], limits, farthest_m, rows, n)
        if n > len(rows):
            return k, before
        for m in range(before, n):
            row_pair[m] = k
    return last, n


def overlap_pairs(
    v: Volumes, w: Volumes, limits: Limits, farthest_m: float, a: Integers, b: Integers,
    is_turned: Integers, first: int, last: int, rows: Rows, row_pair: Integers, n: int,
) -> tuple[int, int]:  # fmt: skip
    """Write the rows of pairs first..last - 1 of volumes a of v and b of w; as above.

    is_turned: 1 where b stands before a in the order of ids, and so is a of the row.
    """
    for k in range(first, last):
        before = n
        if is_turned[k] != 0:
            n = overlap(w, b[k], v, a[k], limits, farthest_m, rows, n)
        else:
            n = overlap(v, a[k], w, b[k], limits, farthest_m, rows, n)
        if n > len(rows):
            return k, before
        for m in range(before, n):
            row_pair[m] = k
    return last, n


def mark_inside(
    v: Volumes, limits: Limits, farthest_m: float, first: int, last: int, firsts: Integers,
    lasts: Integers, is_turned: Integers, marks: Integers,
) -> None:  # fmt: skip
    """Mark with 1 which plans the plan of the volumes first..last - 1 is inside any cylinder with.

    firsts, lasts: of each other plan its volumes, of the same v; is_turned: as above, one a plan.
    """
    for k in range(len(firsts)):
        marks[k] = 0
        for a in range(first, last):
            for b in range(firsts[k], lasts[k]):
                if marks[k] == 0:
                    one, two = (b, a) if is_turned[k] != 0 else (a, b)
                    if is_inside(v, one, v, two, limits, farthest_m):
                        marks[k] = 1


def keep_unseparated(
    v: Volumes, limits: Limits, first: int, own: Integers, kept: Integers, count: int
) -> int:
    """Leave out the pairs that times, heights or zones alone keep apart; return how many stay.

    own, kept: of each pair a volume, counted from `first`, and another, both of v; the first
    `count` of them. Nothing here is rounded, so no order of the two is another answer.
    """
    stay = 0
    for k in range(count):
        a, b = first + own[k], kept[k]
        t = tolerances_between(v, a, v, b)
        for c in range(len(limits.lateral_m)):
            low_us, high_us = lags_of(limits, c, t)
            if gap_within(v, a, v, b, limits, c, low_us, high_us)[0] != NOWHERE:
                own[stay], kept[stay] = own[k], b
                stay += 1
                break
    return stay


def near_volumes(
    boxes: Floats, starts: Integers, things: Integers, sizes: Floats, terms: Integers,
    reach_m: float, lag_us: float, groups: Integers, group: int, own: Integers, kept: Integers,
) -> int:  # fmt: skip
    """Write which volumes come near which kept ones by their boxes; as `box_tree.probe_all`.

    boxes, starts, things: of the tree, each by itself: a tuple takes numba as long as the call.
    sizes, terms: of the volumes (`skeletons`), whose uncertainty and tolerances widen the boxes
    beside reach_m and lag_us.
    """
    wide, lateral_m, late_us = _boxes_of(sizes, terms)
    tree = Tree(boxes, starts, things)
    return probe_all(tree, wide, reach_m + lateral_m, lag_us + late_us, groups, group, own, kept)


def near_few(
    kept_sizes: Floats, kept_terms: Integers, first: int, sizes: Floats, terms: Integers,
    reach_m: float, lag_us: float, groups: Integers, group: int, own: Integers, kept: Integers,
) -> int:  # fmt: skip
    """Write the same of the kept ones from a place on, of which there is no tree: each is asked."""
    boxes, lateral_m, late_us = _boxes_of(sizes, terms)
    few, _, _ = _boxes_of(kept_sizes[first:], kept_terms[first:])
    box = np.empty(WIDTH)
    count = 0
    for i in range(len(boxes)):
        widen(boxes, i, reach_m + lateral_m, lag_us + late_us, lag_us + late_us, box)
        for k in range(len(few)):
            thing = first + k
            if groups[thing] < 0 or groups[thing] == group or not do_boxes_meet(few, k, box):
                continue
            if count < len(kept):
                own[count], kept[count] = i, thing
            count += 1
    return count


def _boxes_of(sizes: Floats, terms: Integers) -> tuple[Floats, float, int]:
    """Return the boxes of volumes, and the greatest of their uncertainties and tolerances."""
    boxes = np.empty((len(sizes), WIDTH))
    lateral_m, late_us = 0.0, 0
    for i in range(len(sizes)):
        lateral_m = max(lateral_m, sizes[i, UNSURE_M])
        late_us = max(late_us, terms[i, EARLY_US] + terms[i, LATE_US])
        for k in range(6):
            boxes[i, k] = sizes[i, X_FROM + k]
        boxes[i, 6], boxes[i, 7] = terms[i, START_US], terms[i, END_US]
    return boxes, lateral_m, late_us
