# SPDX-License-Identifier: Apache-2.0
"""Fragments of plans that come and go, in arrays that grow.

A plan keeps its place until `pack`. One plan more than are kept can be laid behind them, to be
compared with them and then left or kept. Owned by `kept.PlanIndex`, which alone writes.
"""

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from keepclear.detect.fragments import OF_FRAGMENTS, OF_LEGS, OF_PLANS, Fragments

Integers = npt.NDArray[np.int64]

LEAST: Final = 1_024
GROWTH: Final = 1.25


class Pool:
    """Fragments with room behind them.

    fragments: the columns, longer than what is kept; `offsets` says what is. plans: how many
    are kept.
    """

    def __init__(self) -> None:
        self.plans, self._pieces, self._legs = 0, 0, 0
        self.fragments = _room_for(0, 0, 0)

    def lay(self, f: Fragments, first: int, last: int) -> None:
        """Write plans first..last - 1 of f behind those that are kept."""
        begin, end = int(f.offsets[first]), int(f.offsets[last])
        leg, leg_end = 0, 0
        if begin < end:
            leg, leg_end = int(f.leg[begin]), int(f.leg[end - 1]) + 1
        self._make_room(last - first, end - begin, leg_end - leg)
        kept, p, n, m = self.fragments, self.plans, self._pieces, self._legs
        for name in OF_FRAGMENTS:
            getattr(kept, name)[n : n + end - begin] = getattr(f, name)[begin:end]
        for name in OF_LEGS:
            getattr(kept, name)[m : m + leg_end - leg] = getattr(f, name)[leg:leg_end]
        for name in OF_PLANS:
            getattr(kept, name)[p : p + last - first] = getattr(f, name)[first:last]
        kept.leg[n : n + end - begin] += m - leg
        kept.offsets[p : p + last - first + 1] = f.offsets[first : last + 1] + (n - begin)

    def keep(self, plans: int) -> None:
        """Keep the plans that were laid last."""
        self.plans += plans
        self._pieces = int(self.fragments.offsets[self.plans])
        if self._pieces:
            self._legs = int(self.fragments.leg[self._pieces - 1]) + 1

    def take(self, f: Fragments) -> None:
        """Keep all plans of f, of which nothing may be written any more, where none are kept."""
        self.fragments = f
        self.keep(f.plans)

    def pack(self, wanted: Integers) -> None:
        """Keep only some plans, in order; they get the places 0, 1, 2 and so on."""
        f = self.fragments
        counts = f.offsets[wanted + 1] - f.offsets[wanted]
        pieces = _runs(f.offsets[wanted], counts)
        some = wanted[counts > 0]
        first_leg = f.leg[f.offsets[some]]
        leg_counts = f.leg[f.offsets[some + 1] - 1] + 1 - first_leg
        legs = _runs(first_leg, leg_counts)
        shift = np.repeat(np.cumsum(leg_counts) - leg_counts - first_leg, counts[counts > 0])
        packed = f._replace(
            offsets=np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
            **{name: getattr(f, name)[pieces] for name in OF_FRAGMENTS},
            **{name: getattr(f, name)[legs] for name in OF_LEGS},
            **{name: getattr(f, name)[wanted] for name in OF_PLANS},
        )
        packed.leg[:] += shift
        self.plans, self._pieces, self._legs = 0, 0, 0
        self.fragments = _room_for(len(wanted), len(pieces), len(legs))
        self.lay(packed, 0, len(wanted))
        self.keep(len(wanted))

    def _make_room(self, plans: int, pieces: int, legs: int) -> None:
        f = self.fragments
        needs = (self.plans + plans, self._pieces + pieces, self._legs + legs)
        has = (len(f.early_us), len(f.leg), len(f.leg_datum))
        if all(need <= room for need, room in zip(needs, has, strict=True)):
            return
        columns: dict[str, Any] = {"offsets": _grown(f.offsets, needs[0] + 1)}
        for names, need in zip((OF_PLANS, OF_FRAGMENTS, OF_LEGS), needs, strict=True):
            columns |= {name: _grown(getattr(f, name), need) for name in names}
        self.fragments = Fragments(**columns)


def _room_for(plans: int, pieces: int, legs: int) -> Fragments:
    floats = {"px", "py", "pz", "qx", "qy", "qz", "leg_lateral_m", "leg_curve_m"}
    columns: dict[str, Any] = {"offsets": np.zeros(plans + 1, dtype=np.int64)}
    for names, room in ((OF_PLANS, plans), (OF_FRAGMENTS, pieces), (OF_LEGS, legs)):
        for name in names:
            columns[name] = np.empty(room, dtype=np.float64 if name in floats else np.int64)
    return Fragments(**columns)


def _grown(column: npt.NDArray[np.generic], need: int) -> npt.NDArray[np.generic]:
    """Return a column with room for what is needed and some more."""
    grown = np.empty(max(int(need * GROWTH), LEAST), dtype=column.dtype)
    grown[: len(column)] = column
    return grown


def _runs(first: Integers, counts: Integers) -> Integers:
    """Return first, first + 1, ... for each run, one run after another."""
    return np.arange(counts.sum()) + np.repeat(first - np.cumsum(counts) + counts, counts)
