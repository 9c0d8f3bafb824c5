# SPDX-License-Identifier: Apache-2.0
"""Boxes of volumes and of trajectories in space and time, and the order of a tree of them.

A region bulges out of the box of its boundary, by no more than the height of the cap that its
ball cuts off the earth; so much is added. Neighbours in the order are alike in size, in
duration, and then in place and time (Morton's order), so that a large or a long-lived box
stands among its like and does not stretch the nodes of small ones: the largest are in effect a
list that is always tested.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

from keepclear.detect.box_tree import WIDTH, Tree
from keepclear.detect.fragments import Fragments
from keepclear.detect.skeletons import (
    BALL_M,
    CX,
    CY,
    CZ,
    END_US,
    IS_REGION,
    PX,
    PY,
    PZ,
    QX,
    QY,
    QZ,
    RADIUS_M,
    START_US,
    Volumes,
)

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

SLACK_M: Final = 10.0
EARTH_M: Final = 6_335_000.0
BITS: Final = 12
SMALL_M: Final = 50_000.0
SHORT_US: Final = 1_800e6
CLASSES: Final = 4
FRAGMENTS_A_BOX: Final = 8


def boxes_of_volumes(v: Volumes) -> Floats:
    """Return a box for each volume, round radius included."""
    first = v.offsets[:-1]
    ball_m = v.sizes[:, BALL_M]
    bulge_m = np.where(v.terms[:, IS_REGION] != 0, 1.1 * ball_m**2 / (2.0 * EARTH_M), 0.0)
    extra_m = v.sizes[:, RADIUS_M] + bulge_m + SLACK_M
    columns = []
    for p, q, c in ((PX, QX, CX), (PY, QY, CY), (PZ, QZ, CZ)):
        ends = v.pieces[:, [p, q]]
        low = np.minimum.reduceat(ends.min(axis=1), first) - extra_m
        high = np.maximum.reduceat(ends.max(axis=1), first) + extra_m
        middle = v.sizes[:, c]
        columns += [np.maximum(low, middle - ball_m), np.minimum(high, middle + ball_m)]
    return np.stack([*columns, *v.terms[:, [START_US, END_US]].T.astype(float)], axis=1)


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
    if not len(boxes):
        return np.empty(0, dtype=np.int64)
    size_m = np.max(boxes[:, 1:6:2] - boxes[:, 0:6:2], axis=1)
    lasts_us = boxes[:, 7] - boxes[:, 6]
    key = _class_of(size_m, SMALL_M) * CLASSES + _class_of(lasts_us, SHORT_US)
    codes = []
    for axis in range(0, WIDTH, 2):
        middle = 0.5 * (boxes[:, axis] + boxes[:, axis + 1])
        low, wide = middle.min(), max(float(np.ptp(middle)), 1.0)
        codes.append(((middle - low) / wide * (2**BITS - 1)).astype(np.int64))
    for bit in range(BITS - 1, -1, -1):
        for code in codes:
            key = key * 2 + ((code >> bit) & 1)
    return np.argsort(key, kind="stable")


def _class_of(values: Floats, smallest: float) -> Integers:
    """Return 0 for the smallest, one more for each factor of four, up to three."""
    steps = np.log2(np.maximum(values / smallest, 1.0)) / 2.0
    return np.minimum(np.ceil(steps), CLASSES - 1).astype(np.int64)
