# SPDX-License-Identifier: Apache-2.0
"""DO-365 between live tracks: which pairs have lost well clear, and which alerts are due.

The volumes and alert times are those of `do365`; where `do365.alert` takes one pair on a
plane, this takes all pairs of tracks on their geodesics (`well_clear_sweep`).

1. An alert is due where its volume is entered within its alert time; of several the highest.
2. In doubt it is given: within the guard band, and where heights cannot be compared, which
   `is_known` tells.
3. Pairs without an alert that enter the corrective volume within the look-ahead are listed
   with level NONE; all others are well clear so far.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from msgspec.structs import astuple

from keepclear.detect.compiled import plain
from keepclear.detect.do365 import LOOK_AHEAD_S, AlertLevel, Level, WellClear
from keepclear.detect.fragments import LONGEST_PIECE_M, Fragments
from keepclear.detect.index import ROOM, Detected
from keepclear.detect.kernel import as_lists
from keepclear.detect.live import Near, compile_near, near_tracks
from keepclear.detect.sweep import COLUMNS, CYLINDER, END, START, UNDETERMINED, VERDICT
from keepclear.detect.tracks import Tracks, check_tracks
from keepclear.detect.well_clear_sweep import WellClearLimits
from keepclear.units import TMM_PER_M, US_PER_S

Integers = npt.NDArray[np.int64]

CURVED_M = 100.0
"""How far lines drawn on in a plane may leave geodesics until TTHR and DTHR are used up."""


class PairAlert(NamedTuple):
    """What is due for craft a and b, a < b, by their places among the tracks.

    is_lost: the volume of the level (of NONE: the corrective one) is entered already. start_us,
    end_us: when it is entered and left, as far as looked ahead. is_known: False where the
    heights cannot be compared, so that only places were looked at.
    """

    a: int
    b: int
    level: Level
    is_lost: bool
    start_us: int
    end_us: int
    is_known: bool


def well_clear_limits(
    volumes: Sequence[WellClear], *, less_tmm: int = 0, uncertainty: bool = True
) -> WellClearLimits:
    """Return volumes as columns; less_tmm: comes off ZTHR (a tolerance of heights)."""
    table = np.array([astuple(volume) for volume in volumes]).reshape(-1, 4)
    zthr_tmm = np.rint(table[:, 1] * TMM_PER_M).astype(np.int64)
    return WellClearLimits(
        dthr_m=table[:, 0].copy(), zthr_tmm=np.maximum(zthr_tmm - less_tmm, 0) + 1,
        tthr_s=table[:, 2].copy(), tcoa_s=table[:, 3].copy(),
        zone=np.full(len(table), -1, dtype=np.int64),
        uncertainty=np.full(len(table), int(uncertainty), dtype=np.int64),
    )  # fmt: skip


def sweep_well_clear_all(
    functions: Any, f: Fragments, limits: WellClearLimits, a: Integers, b: Integers,
    from_us: Integers, to_us: Integers,
) -> Detected:  # fmt: skip
    """Return the rows of the given pairs, as `index.sweep_all`."""
    given = (as_lists(f), as_lists(limits)) if functions is plain() else (f, limits)
    parts, pair_parts = [np.empty((0, COLUMNS))], [np.empty(0, dtype=np.int64)]
    at, room = 0, ROOM
    while at < len(a):
        rows, row_pair = np.empty((room, COLUMNS)), np.empty(room, dtype=np.int64)
        after, count = functions.sweep_well_clear_pairs(
            *given, a, b, from_us, to_us, at, len(a), rows, row_pair
        )
        room = room * 2 if after == at else room
        parts.append(rows[:count].copy())
        pair_parts.append(row_pair[:count].copy())
        at = after
    return Detected(a=a, b=b, rows=np.concatenate(parts), row_pair=np.concatenate(pair_parts))


def alerts(
    functions: Any, tracks: Tracks, levels: tuple[AlertLevel, ...],
    look_ahead_us: int = int(LOOK_AHEAD_S * US_PER_S),
) -> list[PairAlert]:  # fmt: skip
    """Return what is due for all pairs, in order; levels: one of `do365.ALERT_LEVELS`.

    functions: `compiled.plain()` or `compiled.compiled()`.
    """
    check_tracks(tracks, look_ahead_us)
    volumes = list(dict.fromkeys(each.well_clear for each in levels))
    limits = well_clear_limits(volumes)
    near = _near(functions, tracks, look_ahead_us, limits)
    f, a, b = compile_near(functions, tracks, look_ahead_us, LONGEST_PIECE_M, near)
    always = np.full(len(a), 2**62, dtype=np.int64)
    found = sweep_well_clear_all(functions, f, limits, a, b, -always, always)
    starts = np.flatnonzero(np.diff(found.row_pair, prepend=-1))
    ends = np.append(starts[1:], len(found.row_pair))[: len(starts)]
    due = []
    for start, end in zip(starts.tolist(), ends.tolist(), strict=True):
        pair = found.row_pair[start]
        alert = _alert(found.rows[start:end], volumes, levels, tracks.time_us)
        due += [] if alert is None else [PairAlert(int(near.a[pair]), int(near.b[pair]), *alert)]
    return due


def _near(functions: Any, tracks: Tracks, look_ahead_us: int, limits: WellClearLimits) -> Near:
    """Return the pairs that can lose well clear.

    Where it is lost by tau at an instant, lines drawn on enter DTHR within TTHR after it.
    Heights count until TTHR after the look-ahead too, which errs to the safe side.
    """
    most_s = float(limits.tthr_s.max() + limits.tcoa_s.max())
    ahead_us = look_ahead_us + int(most_s * US_PER_S)
    height_tmm = float(limits.zthr_tmm.max())
    reach_m = float(limits.dthr_m.max()) + CURVED_M + most_s * 1e-3
    return near_tracks(functions, tracks, ahead_us, reach_m, height_tmm)


def _alert(
    rows: npt.NDArray[np.float64], volumes: Sequence[WellClear], levels: tuple[AlertLevel, ...],
    now_us: int,
) -> tuple[Level, bool, int, int, bool] | None:  # fmt: skip
    """Return level, is_lost, start, end and is_known of one pair; None for none and no entry."""
    due = None
    for each in levels:
        mine = rows[rows[:, CYLINDER] == volumes.index(each.well_clear)]
        if not len(mine):
            continue
        start_us, end_us = round(mine[:, START].min()), round(mine[:, END].max())
        is_due = start_us - now_us <= each.alert_time_s * US_PER_S
        if is_due or (due is None and each.level is Level.CORRECTIVE):
            is_known = bool((mine[:, VERDICT] != UNDETERMINED).any())
            level = each.level if is_due else Level.NONE
            due = (level, start_us <= now_us, start_us, end_us, is_known)
    return due
