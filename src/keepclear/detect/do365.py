# SPDX-License-Identifier: Apache-2.0
"""Well clear after RTCA DO-365: coming too close, with time to go counted in. Live pairs only.

For two tracks on straight lines from now on. With s the horizontal position and v the
horizontal velocity of one relative to the other, s_z and v_z the same in height, well clear is
lost while both hold:

    horizontal   |s| <= DTHR, or s.v < 0 and distance at CPA <= DTHR and tau_mod <= TTHR
                 tau_mod = (DTHR^2 - s.s) / (s.v)
    vertical     |s_z| <= ZTHR, or s_z v_z < 0 and -s_z / v_z <= TCOA

Source: RTCA DO-365B (2021), with the values and the names of NASA DAIDALUS 2 (Munoz et al.,
"DAIDALUS: Detect and Avoid Alerting Logic for Unmanned Systems", DASC 2015; tau_mod: Munoz,
Narkawicz, Chamberlain, "A TCAS-II Resolution Advisory Detection Algorithm", GNC 2013).

1. Closed form, never sampled. Limits are closed: exactly at a threshold well clear is lost.
2. float64: interval ends are right to about 1e-9 of the distances over the speed. Whoever
   decides on them near a threshold adds a guard to `dthr_m` and `zthr_m`.
3. The line lasts as long as the caller says; nothing is assumed after it.

    >>> head_on = Approach(s_m=(10_000.0, 0.0), v_mps=(-200.0, 0.0), s_z_m=0.0, v_z_mps=0.0)
    >>> violation(STANDARDS["near-mid-air-collision"], head_on, 180.0)
    Violation(start_s=49.238, end_s=50.762)
"""

import math
from collections.abc import Mapping
from enum import StrEnum
from typing import Final, NamedTuple

import msgspec

from keepclear.errors import InputError
from keepclear.units import US_PER_S, metres, parse_duration_us, parse_length_tmm

LOOK_AHEAD_S: Final = 180.0
STILL_MPS: Final = 1e-12  # slower than this is at rest: 0.1 micrometres in a day


class WellClear(msgspec.Struct, frozen=True, kw_only=True):
    """Thresholds of one standard: distance, height, modified tau, time to co-altitude."""

    dthr_m: float
    zthr_m: float
    tthr_s: float
    tcoa_s: float


class Level(StrEnum):
    """How an alert calls for attention, mildest first."""

    NONE = "none"
    PREVENTIVE = "preventive"
    CORRECTIVE = "corrective"
    WARNING = "warning"


class AlertLevel(msgspec.Struct, frozen=True, kw_only=True):
    """An alert of this level is given this long, or less, before `well_clear` is lost."""

    level: Level
    well_clear: WellClear
    alert_time_s: float


class Approach(NamedTuple):
    """One craft relative to another, in metres and metres a second.

    s_m, v_mps: horizontal position and velocity along any two axes at right angles.
    s_z_m, v_z_mps: the same in height.
    """

    s_m: tuple[float, float]
    v_mps: tuple[float, float]
    s_z_m: float
    v_z_mps: float


class Violation(NamedTuple):
    """From when to when well clear is lost, in seconds from now; both ends belong to it."""

    start_s: float
    end_s: float


class Alert(NamedTuple):
    """The highest level that is due, and when its volume is entered and left.

    With level NONE the interval is that of the corrective volume within the look-ahead, None
    where it is not entered.
    """

    level: Level
    violation: Violation | None


def well_clear(*, dthr: str, zthr: str, tthr: str, tcoa: str) -> WellClear:
    """Return thresholds read from numbers with their units."""
    return WellClear(
        dthr_m=metres(parse_length_tmm(dthr, "dthr")),
        zthr_m=metres(parse_length_tmm(zthr, "zthr")),
        tthr_s=parse_duration_us(tthr, "tthr") / US_PER_S,
        tcoa_s=parse_duration_us(tcoa, "tcoa") / US_PER_S,
    )


# DO-365B as configured in DAIDALUS 2 (WCVTable: DO_365_DWC_Phase_I, _Phase_II, _Non_Coop).
PHASE_1: Final = well_clear(dthr="0.66 NM", zthr="450 ft", tthr="35 s", tcoa="0 s")
PHASE_1_PREVENTIVE: Final = well_clear(dthr="0.66 NM", zthr="700 ft", tthr="35 s", tcoa="0 s")
PHASE_2_TERMINAL: Final = well_clear(dthr="1500 ft", zthr="450 ft", tthr="0 s", tcoa="0 s")
NON_COOPERATIVE: Final = well_clear(dthr="2200 ft", zthr="450 ft", tthr="0 s", tcoa="0 s")
NEAR_MID_AIR_COLLISION: Final = well_clear(dthr="500 ft", zthr="100 ft", tthr="0 s", tcoa="0 s")

STANDARDS: Final[Mapping[str, WellClear]] = {
    "phase-1": PHASE_1,
    "phase-1-preventive": PHASE_1_PREVENTIVE,
    "phase-2-terminal": PHASE_2_TERMINAL,
    "non-cooperative": NON_COOPERATIVE,
    "near-mid-air-collision": NEAR_MID_AIR_COLLISION,
}


def _levels(
    preventive: WellClear, corrective: WellClear, times_s: tuple[float, float, float]
) -> tuple[AlertLevel, ...]:
    volumes = (preventive, corrective, corrective)
    levels = (Level.PREVENTIVE, Level.CORRECTIVE, Level.WARNING)
    return tuple(
        AlertLevel(level=level, well_clear=volume, alert_time_s=time_s)
        for level, volume, time_s in zip(levels, volumes, times_s, strict=True)
    )


# Alert times (late threshold) of the same source: Alerter DWC_Phase_I, DWC_Phase_II, DWC_Non_Coop.
ALERT_LEVELS: Final[Mapping[str, tuple[AlertLevel, ...]]] = {
    "phase-1": _levels(PHASE_1_PREVENTIVE, PHASE_1, (55.0, 55.0, 25.0)),
    "phase-2-terminal": _levels(PHASE_2_TERMINAL, PHASE_2_TERMINAL, (45.0, 45.0, 45.0)),
    "non-cooperative": _levels(NON_COOPERATIVE, NON_COOPERATIVE, (55.0, 55.0, 25.0)),
}


def is_violated(limits: WellClear, now: Approach) -> bool:
    """Tell whether well clear is lost at this instant: the definition as it stands."""
    _check_finite(now, 0.0)
    return _is_lost_across(limits, now) and _is_lost_in_height(limits, now)


def violation(limits: WellClear, now: Approach, lasts_s: float) -> Violation | None:
    """Return when well clear is lost within 0 to `lasts_s`, None where it is not.

    It is one interval: across and in height the times are an interval each (see below), and
    two intervals have one in common or none.
    """
    _check_finite(now, lasts_s)
    across, in_height = _lost_across(limits, now), _lost_in_height(limits, now)
    if across is None or in_height is None:
        return None
    start_s = max(0.0, across.start_s, in_height.start_s)
    end_s = min(lasts_s, across.end_s, in_height.end_s)
    return Violation(start_s, end_s) if start_s <= end_s else None


def alert(levels: tuple[AlertLevel, ...], now: Approach) -> Alert:
    """Return the highest level that is due now, looking 180 s ahead along straight lines."""
    due = Alert(Level.NONE, None)
    for each in levels:
        found = violation(each.well_clear, now, LOOK_AHEAD_S)
        if found is not None and found.start_s <= each.alert_time_s:
            due = Alert(each.level, found)
        elif due.level is Level.NONE and each.level is Level.CORRECTIVE:
            due = Alert(Level.NONE, found)
    return due


def _is_lost_across(limits: WellClear, now: Approach) -> bool:
    s_m, v_mps = now.s_m, now.v_mps
    distance_m = math.hypot(*s_m)
    if distance_m <= limits.dthr_m:
        return True
    speed_mps = math.hypot(*v_mps)
    closing = s_m[0] * v_mps[0] + s_m[1] * v_mps[1]
    if closing >= 0 or speed_mps < STILL_MPS:
        return False
    at_cpa_m = abs(s_m[0] * v_mps[1] - s_m[1] * v_mps[0]) / speed_mps
    tau_mod_s = (limits.dthr_m**2 - distance_m**2) / closing
    return at_cpa_m <= limits.dthr_m and tau_mod_s <= limits.tthr_s


def _is_lost_in_height(limits: WellClear, now: Approach) -> bool:
    if abs(now.s_z_m) <= limits.zthr_m:
        return True
    if now.s_z_m * now.v_z_mps >= 0 or abs(now.v_z_mps) < STILL_MPS:
        return False
    return -now.s_z_m / now.v_z_mps <= limits.tcoa_s


def _lost_across(limits: WellClear, now: Approach) -> Violation | None:
    """Return when the horizontal part is lost, with no limit in time.

    In x, the way still to go to the CPA counted negative, and with c the distance there, |s|^2
    is c^2 + x^2 and s.v is x |v|. Inside DTHR: |x| <= h, h^2 = DTHR^2 - c^2. Before the CPA
    tau_mod <= TTHR is x^2 + T x - h^2 <= 0 with T = TTHR |v|, whose lower root lies at or
    before -h and whose upper root at or after 0: so both together are one interval.
    """
    speed_mps = math.hypot(*now.v_mps)
    if speed_mps < STILL_MPS:
        return _always(math.hypot(*now.s_m) <= limits.dthr_m)
    along = (now.v_mps[0] / speed_mps, now.v_mps[1] / speed_mps)
    cpa_m = abs(now.s_m[0] * along[1] - now.s_m[1] * along[0])
    if cpa_m > limits.dthr_m:
        return None
    to_cpa_m = -(now.s_m[0] * along[0] + now.s_m[1] * along[1])
    half_sq = (limits.dthr_m - cpa_m) * (limits.dthr_m + cpa_m)
    ahead_m = limits.tthr_s * speed_mps
    first_m = (ahead_m + math.sqrt(ahead_m * ahead_m + 4 * half_sq)) / 2
    return Violation((to_cpa_m - first_m) / speed_mps, (to_cpa_m + math.sqrt(half_sq)) / speed_mps)


def _lost_in_height(limits: WellClear, now: Approach) -> Violation | None:
    """Return when the vertical part is lost: from TCOA or ZTHR before co-altitude to ZTHR after."""
    rate_mps = abs(now.v_z_mps)
    if rate_mps < STILL_MPS:
        return _always(abs(now.s_z_m) <= limits.zthr_m)
    to_level_s, half_s = -now.s_z_m / now.v_z_mps, limits.zthr_m / rate_mps
    return Violation(to_level_s - max(half_s, limits.tcoa_s), to_level_s + half_s)


def _always(is_lost: bool) -> Violation | None:
    return Violation(-math.inf, math.inf) if is_lost else None


def _check_finite(now: Approach, lasts_s: float) -> None:
    """NaN compares as False, which would read as well clear."""
    numbers = (*now.s_m, *now.v_mps, now.s_z_m, now.v_z_mps, lasts_s)
    if not all(map(math.isfinite, numbers)):
        raise InputError("approach", numbers, "is not all numbers", "leave out what is not known")
    if lasts_s < 0:
        raise InputError("lasts_s", lasts_s, "is below 0", "give the length of the line ahead")
