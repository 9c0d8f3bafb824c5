# SPDX-License-Identifier: Apache-2.0
"""Fragments cut where their plan enters or leaves a zone, and marked with the zones they are in.

1. A fragment in a zone for any part of it, however short, is cut there: rules of a zone bind
   inside it and nowhere else, to the microsecond, and outward.
2. Heights stay with the whole leg; a leg is copied for each set of zones its parts are in.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from keepclear.detect.fragments import Fragments

Integers = npt.NDArray[np.int64]


class Stretch(NamedTuple):
    """A plan (by place) in a zone (by number) from one time to another, on its own clock."""

    plan: int
    zone: int
    start_us: int
    end_us: int


def mark_zones(f: Fragments, stretches: Sequence[Stretch]) -> Fragments:
    """Return the fragments, cut at the ends of the stretches and marked."""
    if not stretches:
        return f
    by_plan: dict[int, list[Stretch]] = {}
    for stretch in stretches:
        by_plan.setdefault(stretch.plan, []).append(stretch)
    source: list[int] = []
    start_us: list[int] = []
    end_us: list[int] = []
    zones: list[int] = []
    counts = np.diff(f.offsets).tolist()
    for plan in range(f.plans):
        first = len(source)
        mine = by_plan.get(plan, [])
        times = sorted({time for s in mine for time in (s.start_us, s.end_us)})
        for i in range(int(f.offsets[plan]), int(f.offsets[plan + 1])):
            start, end = int(f.start_us[i]), int(f.end_us[i])
            ends = [start, *(time for time in times if start < time < end), end]
            for begin, until in pairwise(ends):
                source.append(i)
                start_us.append(begin)
                end_us.append(until)
                zones.append(_zones_of(mine, begin, until))
        counts[plan] = len(source) - first
    return _recut(f, np.array(source), np.array(start_us), np.array(end_us), zones, counts)


def _zones_of(stretches: Sequence[Stretch], start_us: int, end_us: int) -> int:
    """Return the bits of the zones that a part of a fragment is in."""
    bits = 0
    for stretch in stretches:
        if stretch.start_us <= start_us and end_us <= stretch.end_us:
            bits |= 1 << stretch.zone
    return bits


def _recut(
    f: Fragments, source: Integers, start_us: Integers, end_us: Integers, zones: Sequence[int],
    counts: Sequence[int],
) -> Fragments:  # fmt: skip
    lasts_us = np.maximum(f.end_us - f.start_us, 1)[source]
    head, tail = (start_us - f.start_us[source]) / lasts_us, (f.end_us[source] - end_us) / lasts_us
    p = [column[source] for column in (f.px, f.py, f.pz)]
    q = [column[source] for column in (f.qx, f.qy, f.qz)]
    way = [b - a for a, b in zip(p, q, strict=True)]
    keys, leg = np.unique(
        np.stack([f.leg[source], np.array(zones, dtype=np.int64)]), axis=1, return_inverse=True
    )
    of_leg = {
        name: getattr(f, name)[keys[0]] for name in Fragments._fields if name.startswith("leg_")
    }
    return f._replace(
        offsets=np.cumsum([0, *counts]).astype(np.int64), start_us=start_us, end_us=end_us,
        px=p[0] + way[0] * head, py=p[1] + way[1] * head, pz=p[2] + way[2] * head,
        qx=q[0] - way[0] * tail, qy=q[1] - way[1] * tail, qz=q[2] - way[2] * tail,
        leg=leg.reshape(-1).astype(np.int64), **{**of_leg, "leg_zones": keys[1]},
    )  # fmt: skip
