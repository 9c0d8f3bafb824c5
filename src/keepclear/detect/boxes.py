# SPDX-License-Identifier: Apache-2.0
"""Boxes of volumes and of trajectories in space and time, and the order of a tree of them.

Neighbours in the order are alike in size, in duration, and then in longitude, height over the
equator's plane and time (Morton's order). So a large or a long-lived box stands among its like
and does not stretch the nodes of small ones: the largest are in effect a list that is always
tested.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

from keepclear.detect.box_tree import WIDTH, Tree
from keepclear.detect.fragments import Fragments
from keepclear.detect.skeletons import END_US, START_US, X_FROM, Volumes

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

SLACK_M: Final = 10.0
BITS: Final = 18
SMALL_M: Final = 100_000.0
SHORT_US: Final = 7_200e6
FEW: Final = 16  # boxes that need no order
CLASSES: Final = 4
FRAGMENTS_A_BOX: Final = 8


def boxes_of_volumes(v: Volumes) -> Floats:
    """Return a box for each volume, round radius included."""
    return boxes_of(v.sizes, v.terms)


def boxes_of(sizes: Floats, terms: Integers) -> Floats:
    """Return a box for each volume; sizes, terms: of the volumes (`skeletons`)."""
    boxes = np.empty((len(sizes), WIDTH))
    boxes[:, :6] = sizes[:, X_FROM : X_FROM + 6]
    boxes[:, 6:] = terms[:, START_US : END_US + 1]
    return boxes


def boxes_of_trajectories(f: Fragments) -> tuple[Floats, Integers]:
    """Return boxes of up to eight fragments in a row, and the trajectory of each."""
    counts = np.diff(f.offsets)
    boxes = -(-counts // FRAGMENTS_A_BOX)
    owner = np.repeat(np.arange(len(counts)), boxes)
    inner = np.arange(len(owner)) - np.repeat(np.cumsum(boxes) - boxes, boxes)
    first = f.offsets[:-1][owner] + inner * FRAGMENTS_A_BOX
    if not len(first):
        return np.empty((0, WIDTH)), owner
    columns = []
    for p, q in ((f.px, f.qx), (f.py, f.qy), (f.pz, f.qz)):
        columns += [
            np.minimum.reduceat(np.minimum(p, q), first) - SLACK_M,
            np.maximum.reduceat(np.maximum(p, q), first) + SLACK_M,
        ]
    start = np.minimum.reduceat(f.start_us, first).astype(float)
    end = np.maximum.reduceat(f.end_us, first).astype(float)
    return np.stack([*columns, start, end], axis=1), owner


def tree_of(boxes: Floats, things: Integers | None = None) -> Tree:
    """Return a tree of boxes; things: what they are of, the number of the box where None."""
    if things is None:
        things = np.arange(len(boxes))
    order = _order(boxes)
    levels = [boxes[order]]
    while len(levels[-1]) > 1:
        below = levels[-1]
        first = np.arange(0, len(below), WIDTH)
        above = np.empty((len(first), WIDTH))
        for k in range(WIDTH):
            fold = np.maximum if k % 2 else np.minimum
            above[:, k] = fold.reduceat(below[:, k], first)
        levels.append(above)
    starts = np.concatenate([[0], np.cumsum([len(level) for level in levels])]).astype(np.int64)
    return Tree(np.ascontiguousarray(np.concatenate(levels)), starts, things[order])


def _order(boxes: Floats) -> Integers:
    if len(boxes) <= FEW:
        return np.arange(len(boxes))  # all of them are looked at anyway
    size_m = np.max(boxes[:, 1:6:2] - boxes[:, 0:6:2], axis=1)
    lasts_us = boxes[:, 7] - boxes[:, 6]
    key = _class_of(size_m, SMALL_M) * CLASSES + _class_of(lasts_us, SHORT_US)
    middle = 0.5 * (boxes[:, 0::2] + boxes[:, 1::2])
    codes = []
    for values in (np.arctan2(middle[:, 1], middle[:, 0]), middle[:, 2], middle[:, 3]):
        low, wide = values.min(), max(float(np.ptp(values)), 1e-9)
        codes.append(((values - low) / wide * (2**BITS - 1)).astype(np.int64))
    for bit in range(BITS - 1, -1, -1):
        for code in codes:
            key = key * 2 + ((code >> bit) & 1)
    return np.argsort(key, kind="stable")


def _class_of(values: Floats, smallest: float) -> Integers:
    """Return 0 up to the smallest, one more for each factor of 16, up to three."""
    steps = np.log2(np.maximum(values / smallest, 1.0)) / 4.0
    return np.minimum(np.ceil(steps), CLASSES - 1).astype(np.int64)
