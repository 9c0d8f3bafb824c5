# SPDX-License-Identifier: Apache-2.0
"""The time that a check looks at (`--from`, `--to`): who is there then, and what is said of it.

A window that holds no plan at all is refused: "none found" would be true and worthless.
"""

from collections.abc import Iterator

from keepclear.checks.prepare import Prepared
from keepclear.errors import InputError
from keepclear.units import format_time

Window = tuple[int | None, int | None]


def said_of_window(
    prepared: Prepared, start: str | None, end: str | None, window_us: Window
) -> Iterator[str]:
    """Yield what an answer must say of the window; `InputError` where no plan is there then.

    start, end: as given. The window cuts on each plan's own clock.
    """
    if window_us == (None, None) or not prepared.plans:
        return
    spans = [_span(prepared, place) for place in range(len(prepared.plans))]
    from_us, to_us = window_us
    there = [
        first
        for first, last in spans
        if (from_us is None or last >= from_us) and (to_us is None or first <= to_us)
    ]
    if not there:
        earliest, latest = min(first for first, _ in spans), max(last for _, last in spans)
        runs = f"{_said(earliest)} to {_said(latest)}"
        name, given = ("from", start) if start is not None else ("to", end)
        limit = f"no plan is there then: the plans run from {runs}"
        raise InputError(name, given, limit, "give a time inside")
    since = f" from {start}" if start is not None else ""
    until = f" up to {end}" if end is not None else ""
    number = f"{len(there):,} of {len(spans):,} plans {'is' if len(there) == 1 else 'are'}"
    yield f"Compared only{since}{until}, by each plan's own clock: {number} there then."


def _said(time_us: int) -> str:
    return format_time(time_us).replace(".000000", "")


def _span(prepared: Prepared, place: int) -> tuple[int, int]:
    """Return when a plan begins and ends, on its own clock."""
    area = prepared.plans[place].area
    if area is not None:
        return (
            min(volume.start_us for volume in area.volumes),
            max(volume.end_us for volume in area.volumes),
        )
    row = int(prepared.with_points.searchsorted(place))
    first, end = (int(prepared.points.offsets[row + i]) for i in (0, 1))
    return int(prepared.points.time_us[first]), int(prepared.points.time_us[end - 1])
