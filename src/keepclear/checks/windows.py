# SPDX-License-Identifier: Apache-2.0
"""The time that a check looks at (`--from`, `--to`): who is there then, and what is said of it.

A plan is there where something of it is left to compare once the window has cut it, on its own
clock: not within a gap of its data, and not at the end of the window, which is half-open. A
window that leaves no pair is refused: "none found" would be true and worthless.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from keepclear.checks.prepare import Prepared
from keepclear.checks.report import Gap
from keepclear.detect.fragments import Fragments
from keepclear.errors import CallerError, InputError
from keepclear.units import format_time

Integers = npt.NDArray[np.int64]
There = npt.NDArray[np.bool_]

NAMED: Final = 5
FOREVER_US: Final = 2**62


class Window(NamedTuple):
    """From when up to when a check looks: as given, and in microseconds; None where not given."""

    start: str | None
    end: str | None
    from_us: int | None
    to_us: int | None

    @property
    def is_given(self) -> bool:
        """Whether it leaves out any time."""
        return self.from_us is not None or self.to_us is not None

    @property
    def limits_us(self) -> tuple[int, int]:
        """Both limits as numbers: `FOREVER_US` stands for none."""
        return (
            -FOREVER_US if self.from_us is None else self.from_us,
            FOREVER_US if self.to_us is None else self.to_us,
        )

    def text(self) -> str:
        """Return " from START up to END", as given."""
        since = f" from {self.start}" if self.start is not None else ""
        return since + (f" up to {self.end}" if self.end is not None else "")


def who_is_there(prepared: Prepared, f: Fragments, owners: Integers) -> There:
    """Return for each plan whether it is there, from what the window left to compare.

    f, owners: the fragments and the volumes that are left; owners are places among the plans.
    """
    there = np.zeros(len(prepared.plans), dtype=np.bool_)
    there[prepared.with_points] = np.diff(f.offsets) > 0
    there[owners] = True
    return there


def said_of_window(prepared: Prepared, there: There, window: Window) -> str:
    """Return what an answer must say of the window; `InputError` where no plan is there."""
    if not there.any():
        raise _nobody_is_there(prepared, window)
    return f"Compared only{window.text()}, by each plan's own clock: {_number(there)} there then."


def no_pair(prepared: Prepared, there: There, window: Window) -> CallerError:
    """Return the error for a window that leaves no pair."""
    names = [prepared.plans[place].name for place in np.flatnonzero(there)[:NAMED].tolist()]
    listed = ", ".join(map(repr, names)) + (", ..." if there.sum() > NAMED else "")
    of_one = ", all of one party" if there.sum() > 1 else ""
    return CallerError(
        f"nothing to compare{window.text()}, by each plan's own clock: {_number(there)} there "
        f"then ({listed}{of_one}){_said_of_gaps(gaps_within(prepared, window))}; widen the window"
    )


def gaps_within(prepared: Prepared, window: Window) -> tuple[Gap, ...]:
    """Return the gaps that share some time with the window."""
    from_us, to_us = window.limits_us
    return tuple(g for g in prepared.gaps if g.start_us < to_us and g.end_us > from_us)


def _nobody_is_there(prepared: Prepared, window: Window) -> InputError:
    earliest, latest = _span(prepared)
    from_us, to_us = window.limits_us
    is_start = window.start is not None and (window.end is None or to_us > earliest)
    name, given = ("from", window.start) if is_start else ("to", window.end)
    runs = f"no plan is there then: the plans run from {_said(earliest)} to {_said(latest)}"
    gaps = _said_of_gaps(gaps_within(prepared, window))
    is_between = from_us < latest and to_us > earliest
    way_out = "widen the window" if is_between else "give a time inside"
    return InputError(name, given, runs + gaps, way_out)


def _number(there: There) -> str:
    here = int(there.sum())
    return f"{here:,} of {len(there):,} plans {'is' if here == 1 else 'are'}"


def _said_of_gaps(gaps: Sequence[Gap]) -> str:
    said = "".join(
        f"; gap of {gap.plan!r} from {_said(gap.start_us)} to {_said(gap.end_us)}"
        for gap in gaps[:NAMED]
    )
    return said + (f"; {len(gaps) - NAMED:,} more gaps" if len(gaps) > NAMED else "")


def _said(time_us: int) -> str:
    return format_time(time_us).replace(".000000", "")


def _span(prepared: Prepared) -> tuple[int, int]:
    """Return when the first plan begins and the last one ends, on their own clocks."""
    volumes = [v for plan in prepared.plans if plan.area is not None for v in plan.area.volumes]
    times = prepared.points.time_us
    starts = [*(volume.start_us for volume in volumes), *times[:1].tolist()]
    ends = [*(volume.end_us for volume in volumes), *times[:1].tolist()]
    return (
        int(times.min(initial=min(starts))), int(times.max(initial=max(ends))),
    )  # fmt: skip
