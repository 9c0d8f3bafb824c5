# SPDX-License-Identifier: Apache-2.0
"""From the kernel's rows of one pair to what is said of it: verdict, when, how close, by how much.

Leaves to others: which cylinders bind the pair (`terms`), where it is inside them (`detect`),
how long it may stay (`stays`).
1. A pair has the worst verdict of all its rows; the finding's intervals are those of that verdict.
2. The closest point is the least lateral distance within those intervals; ties: least vertical,
   then earliest.
3. The margin is the least over all rows; it is not known where heights cannot be compared.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from keepclear.agreement.findings import ClosestPoint, Interval, Verdict
from keepclear.agreement.separation import Rule, leaf_paths
from keepclear.agreement.stays import Stay
from keepclear.airspace.geodesics import from_ecef
from keepclear.detect import sweep as column
from keepclear.detect.cylinders import Cylinder
from keepclear.units import TMM_PER_M, US_PER_S

Rows = npt.NDArray[np.float64]

VERDICTS: Final[Mapping[int, Verdict]] = {
    column.CONFLICT: Verdict.CONFLICT,
    column.UNDETERMINED: Verdict.UNDETERMINED,
    column.BOUNDARY: Verdict.BOUNDARY,
}
RANK: Final[Mapping[Verdict, int]] = {verdict: place for place, verdict in enumerate(Verdict)}
SAME_M: Final = 1e-6
TOUCHING_US: Final = 2


class Assessment(NamedTuple):
    """What is said of a pair, apart from who it is; fields as in `findings.Finding`."""

    verdict: Verdict
    intervals: tuple[Interval, ...]
    intervals_a: tuple[Interval, ...]
    intervals_b: tuple[Interval, ...]
    cpa: ClosestPoint
    rule: str
    leaf: str
    short_by_m: float | None
    short_by_s: float | None
    margin_m: float | None
    reason: str
    all_intervals: tuple[Interval, ...]


def assess(
    rows: Rows, bound: Sequence[tuple[Rule, Cylinder]], stays: Mapping[int, Stay]
) -> Assessment:
    """Return what the rows (at least one) of a pair amount to.

    bound: the pair's cylinders, by number, with their rules. stays: for cylinders with a
    duration leaf, whether the leaf holds.
    """
    verdicts = [_verdict(row, stays) for row in rows]
    worst = min(verdicts, key=RANK.__getitem__)
    chosen = rows[[verdict is worst for verdict in verdicts]]
    margin_m, row = _least_margin(_opened(chosen if worst is Verdict.UNDETERMINED else rows, bound))
    cylinder_number = int(row[column.CYLINDER])
    rule, cylinder = bound[cylinder_number]
    seconds, seconds_leaf = _seconds(chosen, bound, stays)
    leaf = cylinder.vertical_leaf if row[column.MARGIN_LEAF] == 1 else cylinder.lateral_leaf
    if margin_m is not None and margin_m >= 0 and seconds_leaf is not None:
        leaf = seconds_leaf
    margin_m = None if margin_m is None else round(margin_m, 9) + 0.0  # no minus before a 0
    is_short = margin_m is not None and margin_m <= 0
    return Assessment(
        verdict=worst,
        intervals=merged(chosen, column.START, column.END),
        intervals_a=merged(chosen, column.START_A, column.END_A),
        intervals_b=merged(chosen, column.START_B, column.END_B),
        cpa=_closest(chosen), rule=rule.id, leaf=_leaf_path(rule, leaf),
        short_by_m=0.0 - margin_m if margin_m is not None and is_short else None,
        short_by_s=seconds, margin_m=margin_m, reason=_reason(worst, chosen, stays),
        all_intervals=merged(rows, column.START, column.END),
    )  # fmt: skip


def merged(rows: Rows, start: int, end: int) -> tuple[Interval, ...]:
    """Return the rows' intervals, to the microsecond, with those that touch made one."""
    spans: list[list[int]] = []
    for start_us, end_us in sorted((round(row[start]), round(row[end])) for row in rows):
        if spans and start_us <= spans[-1][1] + TOUCHING_US:
            spans[-1][1] = max(spans[-1][1], end_us)
        else:
            spans.append([start_us, end_us])
    return tuple(Interval(start_us=first, end_us=last) for first, last in spans)


def _verdict(row: Rows, stays: Mapping[int, Stay]) -> Verdict:
    stay = stays.get(int(row[column.CYLINDER]))
    return VERDICTS[int(row[column.VERDICT])] if stay is None else stay.verdict


def _opened(rows: Rows, bound: Sequence[tuple[Rule, Cylinder]]) -> Rows:
    """Return rows whose margins are from the minimum itself where exactly at it is inside.

    The kernel is asked for a tenth of a millimetre more there, because its minima are open.
    """
    closed = np.array([cylinder.vertical_is_closed for _, cylinder in bound])
    which = closed[rows[:, column.CYLINDER].astype(np.int64)] & (rows[:, column.MARGIN_LEAF] == 1)
    if not which.any():
        return rows
    opened = rows.copy()
    opened[which, column.MARGIN_M] += 1 / TMM_PER_M
    return opened


def _least_margin(rows: Rows) -> tuple[float | None, Rows]:
    margins = rows[:, column.MARGIN_M]
    if np.isnan(margins).all():
        return None, rows[0]
    row = rows[int(np.nanargmin(margins))]
    return float(row[column.MARGIN_M]), row


def _closest(rows: Rows) -> ClosestPoint:
    least_m = rows[:, column.LATERAL_M].min()
    near = rows[rows[:, column.LATERAL_M] <= least_m + SAME_M]
    row = min(near, key=_vertical_then_time)
    latitude, longitude = from_ecef(row[column.CPA_X : column.CPA_Z + 1])
    vertical_tmm = row[column.VERTICAL_TMM]
    return ClosestPoint(
        time_us=round(row[column.CPA]), latitude_deg=float(latitude),
        longitude_deg=float(longitude), lateral_m=float(row[column.LATERAL_M]),
        vertical_m=None if math.isnan(vertical_tmm) else float(vertical_tmm) / TMM_PER_M,
    )  # fmt: skip


def _vertical_then_time(row: Rows) -> tuple[float, float]:
    vertical = row[column.VERTICAL_TMM]
    return (math.inf if math.isnan(vertical) else round(vertical), row[column.CPA])


def _seconds(
    rows: Rows, bound: Sequence[tuple[Rule, Cylinder]], stays: Mapping[int, Stay]
) -> tuple[float | None, int | None]:
    """Return by how many seconds a duration or time leaf is short, and which leaf."""
    found: list[tuple[float, int | None]] = []
    for row in rows:
        number = int(row[column.CYLINDER])
        cylinder = bound[number][1]
        if number in stays and stays[number].over_us > 0:
            found.append((stays[number].over_us / US_PER_S, cylinder.duration_leaf))
        if cylinder.time_us is not None:
            short_s = cylinder.time_us / US_PER_S - float(row[column.LEAST_LAG_S])
            found.append((short_s, cylinder.time_leaf))
    return max(found, key=lambda each: each[0], default=(None, None))


def _leaf_path(rule: Rule, number: int | None) -> str:
    return rule.id if number is None else leaf_paths(rule)[number]


def _reason(worst: Verdict, rows: Rows, stays: Mapping[int, Stay]) -> str:
    if worst is Verdict.BOUNDARY:
        return "within the guard band: exactly at the minimum, as far as can be computed"
    if worst is not Verdict.UNDETERMINED:
        return ""
    reasons = _distinct(
        stay.reason for number, stay in stays.items()
        if stay.verdict is Verdict.UNDETERMINED and (rows[:, column.CYLINDER] == number).any()
    )  # fmt: skip
    return "; ".join(reasons) or "the heights cannot be compared"


def _distinct(texts: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(text for text in texts if text))
