# SPDX-License-Identifier: Apache-2.0
"""Which heights share a scale: those that can be compared, and no others.

Leaves the drawing to `svg_profile`. A plan's heights above the ground have a scale of their
own, as the ground under two plans differs. What cannot be drawn is said in a sentence.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import groupby, pairwise
from typing import Final

from keepclear.airspace.altitudes import Altitude, Reference, are_comparable
from keepclear.airspace.volumes import Volume4D
from keepclear.checks.report import PathPoint
from keepclear.reports import texts
from keepclear.reports.pieces import cut
from keepclear.reports.sides import Side
from keepclear.reports.time_scale import TimeScale
from keepclear.units import TMM_PER_FOOT

Line = list[tuple[int, float]]  # time in microseconds UTC, height in feet
NO_HEIGHT: Final = "no height is known at this time."


@dataclass(frozen=True, kw_only=True)
class Band:
    """A volume on one scale: its window, its limits in feet (None: none here), both in words."""

    side: Side
    start_us: int
    end_us: int
    lower_ft: float | None
    upper_ft: float | None
    words: str


@dataclass(kw_only=True)
class Panel:
    """One scale of heights, and what is drawn on it."""

    reference: Altitude
    lines: list[tuple[Side, Line]] = field(default_factory=list)
    bands: list[Band] = field(default_factory=list)

    def heights_ft(self) -> list[float]:
        """Return every height that must show."""
        limits = (limit for band in self.bands for limit in (band.lower_ft, band.upper_ft))
        points = [ft for _, line in self.lines for _, ft in line]
        return points + [limit for limit in limits if limit is not None]

    def close_lines(self) -> Iterator[tuple[Side, Line]]:
        """Yield the parts of the lines inside the intervals of their side, on its own clock."""
        for side, line in self.lines:
            for one in side.intervals:
                start_us, end_us = max(one.start_us, line[0][0]), min(one.end_us, line[-1][0])
                ends = [(t, self.height_ft(side.letter, t)) for t in (start_us, end_us)]
                inside = [(t, ft) for t, ft in line if start_us < t < end_us]
                if start_us < end_us:
                    yield side, sorted([*inside, *((t, ft) for t, ft in ends if ft is not None)])

    def height_ft(self, letter: str, time_us: int) -> float | None:
        """Return how high the flight of a side is at a time; None where this scale has none."""
        for side, line in self.lines:
            for (start_us, low), (end_us, high) in pairwise(line):
                if side.letter == letter and start_us <= time_us <= end_us:
                    return low + (high - low) * (time_us - start_us) / (end_us - start_us)
        return None

    def takes(self, altitude: Altitude, side: Side) -> bool:
        """Tell whether a height of a side can stand on this scale."""
        if are_comparable(self.reference, altitude):
            return True
        drawn = {one.letter for one, _ in self.lines} | {band.side.letter for band in self.bands}
        return _is_same(self.reference, altitude) and drawn <= {side.letter}


def panels_of(sides: tuple[Side, Side], scale: TimeScale) -> tuple[list[Panel], list[str]]:
    """Return the scales needed for both sides, and what has to be said in words."""
    panels: list[Panel] = []
    words: list[str] = []
    for side in sides:
        words.extend(_add_flight(panels, side, scale))
        for volume in _shown(side, scale):
            _add_limits(panels, side, volume)
    for side in sides:
        for volume in _shown(side, scale):
            words.extend(_add_unlimited(panels, side, volume))
    return panels, words


def _add_flight(panels: list[Panel], side: Side, scale: TimeScale) -> Iterator[str]:
    if not side.path.stretches:
        return
    name = f"{side.letter} {texts.shortened(side.name, 40)}"
    known = missing = False
    for stretch in side.path.stretches:
        for reference, run in _runs(cut(stretch, side.path.edge, scale.start_us, scale.end_us)):
            known, missing = known or reference is not None, missing or reference is None
            if reference is not None:
                _panel_for(panels, reference, side).lines.append((side, run))
    if not known:
        yield f"{name}: {NO_HEIGHT}"
    elif missing:
        yield f"{name}: for some of this time its file gives no height."


def _runs(piece: tuple[PathPoint, ...]) -> list[tuple[Altitude | None, Line]]:
    """Return runs of points on one reference; None stands for points without a height."""

    def key(point: PathPoint) -> tuple[Reference, str | None] | None:
        return (point.altitude.reference, point.altitude.datum) if point.altitude else None

    runs: list[tuple[Altitude | None, Line]] = []
    for _, group in groupby(piece, key):
        points = list(group)
        line = [(p.time_us, _ft(p.altitude)) for p in points if p.altitude is not None]
        runs.append((points[0].altitude, line))
    return runs


def _shown(side: Side, scale: TimeScale) -> Iterable[Volume4D]:
    return (v for v in side.path.volumes if scale.shows(v.start_us, v.end_us))


def _add_limits(panels: list[Panel], side: Side, volume: Volume4D) -> None:
    found: list[Panel] = []
    for limit in (volume.volume.lower, volume.volume.upper):
        if limit is not None and (panel := _panel_for(panels, limit, side)) not in found:
            found.append(panel)
            panel.bands.append(_band(panel, side, volume))


def _add_unlimited(panels: list[Panel], side: Side, volume: Volume4D) -> Iterator[str]:
    """Add a volume without any limit to every scale; where there is none, say so."""
    if volume.volume.lower is not None or volume.volume.upper is not None:
        return
    for panel in panels:
        panel.bands.append(_band(panel, side, volume))
    if not panels:
        yield f"{side.letter} {texts.shortened(side.name, 40)}: at every height."


def _band(panel: Panel, side: Side, volume: Volume4D) -> Band:
    lower, upper = volume.volume.lower, volume.volume.upper
    return Band(
        side=side, start_us=volume.start_us, end_us=volume.end_us,
        lower_ft=_ft_on(panel, lower), upper_ft=_ft_on(panel, upper),
        words=texts.band_text(volume.volume),
    )  # fmt: skip


def _panel_for(panels: list[Panel], altitude: Altitude, side: Side) -> Panel:
    for panel in panels:
        if panel.takes(altitude, side):
            return panel
    panels.append(Panel(reference=altitude))
    return panels[-1]


def _ft(altitude: Altitude) -> float:
    return altitude.height_tmm / TMM_PER_FOOT


def _ft_on(panel: Panel, limit: Altitude | None) -> float | None:
    """Return a limit in feet where it belongs on a scale."""
    return _ft(limit) if limit is not None and _is_same(panel.reference, limit) else None


def _is_same(a: Altitude, b: Altitude) -> bool:
    return (a.reference, a.datum) == (b.reference, b.datum)
