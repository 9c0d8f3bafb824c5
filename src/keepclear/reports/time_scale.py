# SPDX-License-Identifier: Apache-2.0
"""Time across a drawing: which times it shows, where they lie, and which get a tick."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from keepclear.agreement.findings import Finding, Interval
from keepclear.units import US_PER_S, format_time

STEPS_S: Final = (
    1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400,
    172800, 604800,
)  # fmt: skip
LEAST_US: Final = 60 * US_PER_S
TICKS_AT_MOST: Final = 8


@dataclass(frozen=True, kw_only=True)
class TimeScale:
    """Times from `start_us` to `end_us` between two x of a drawing."""

    start_us: int
    end_us: int
    left: float
    right: float

    def x(self, time_us: float) -> float:
        """Return where a time lies, also beyond the ends."""
        share = (time_us - self.start_us) / (self.end_us - self.start_us)
        return self.left + share * (self.right - self.left)

    def held(self, time_us: float) -> float:
        """Return where a time lies; beyond an end, that end."""
        return min(max(self.x(time_us), self.left), self.right)

    def shows(self, start_us: int, end_us: int) -> bool:
        """Tell whether any of a stretch of time is shown."""
        return end_us >= self.start_us and start_us <= self.end_us

    def ticks(self) -> list[tuple[float, str]]:
        """Return x and text of the ticks, with seconds only where they are needed."""
        step_us = tick_step_us(self.end_us - self.start_us, TICKS_AT_MOST)
        return [
            (self.x(t), tick_text(t, step_us)) for t in ticks(self.start_us, self.end_us, step_us)
        ]


def tick_step_us(span_us: float, most: int) -> int:
    """Return the least round step that gives at most so many ticks."""
    for step_s in STEPS_S:
        if span_us / (step_s * US_PER_S) <= most:
            return step_s * US_PER_S
    return STEPS_S[-1] * US_PER_S


def ticks(start_us: float, end_us: float, step_us: int) -> range:
    """Return the multiples of a step from one time to another."""
    return range(-(-int(start_us) // step_us) * step_us, int(end_us) + 1, step_us)


def tick_text(time_us: int, step_us: int) -> str:
    """Return 10:14Z, or 10:14:30Z where the step is below a minute, or a day at midnight."""
    shown = format_time(time_us)
    if step_us >= 86_400 * US_PER_S:
        return shown[5:10]
    return shown[11:16] + "Z" if step_us >= 60 * US_PER_S else shown[11:19] + "Z"


def scale_of(finding: Finding, left: float, right: float) -> TimeScale | None:
    """Return the times to show for a finding: its intervals with room; None where it has none."""
    shown = [*finding.intervals, *finding.intervals_a, *finding.intervals_b]
    if finding.cpa is not None:
        shown.append(Interval(start_us=finding.cpa.time_us, end_us=finding.cpa.time_us))
    if not shown:
        return None
    start_us, end_us = span(shown)
    room_us = max(round(0.45 * (end_us - start_us)), LEAST_US)
    return TimeScale(start_us=start_us - room_us, end_us=end_us + room_us, left=left, right=right)


def span(intervals: Iterable[Interval]) -> tuple[int, int]:
    """Return the first and the last instant of intervals."""
    every = list(intervals)
    return min(one.start_us for one in every), max(one.end_us for one in every)
