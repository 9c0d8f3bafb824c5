# SPDX-License-Identifier: Apache-2.0
"""How long something takes, and the table it goes into.

A median of several runs, by the wall clock and by the processor's: on a machine that is shared
the first says how long one waits, the second how much there is to do.
"""

import os
import platform
import statistics
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Final, NamedTuple

PACKAGES: Final = ("numpy", "numba", "shapely", "minisky", "bluesky-simulator")


class Timing(NamedTuple):
    """Medians in seconds, and of how many runs."""

    wall_s: float
    processor_s: float
    runs: int


class Line(NamedTuple):
    """One line of the table, as text. ratio: the peer's time over ours."""

    work: str
    ours: str
    goal: str
    peer: str = ""
    ratio: str = ""
    note: str = ""


def timed(function: Callable[[], object], runs: int = 5, *, warm: bool = True) -> Timing:
    """Return the medians; `warm`: once before, not counted."""
    if warm:
        function()
    walls, processors = [], []
    for _ in range(runs):
        wall, processor = time.perf_counter(), time.process_time()
        function()
        walls.append(time.perf_counter() - wall)
        processors.append(time.process_time() - processor)
    return Timing(statistics.median(walls), statistics.median(processors), runs)


def seconds(value_s: float) -> str:
    """Return a time in the unit that suits it."""
    if value_s >= 1.0:
        return f"{value_s:.2f} s"
    if value_s >= 1e-3:
        return f"{value_s * 1e3:.3g} ms"
    return f"{value_s * 1e6:.3g} µs"


def line(
    work: str, ours: Timing, limit_s: float | None = None, *, peer: str = "",
    peer_s: float | None = None, note: str = "",
) -> Line:  # fmt: skip
    """Return a line: our time, the goal and how it stands to it, the peer's and how it stands."""
    goal = ""
    if limit_s is not None:
        share = ours.wall_s / limit_s
        goal = f"< {seconds(limit_s)}: " + ("met" if share < 1 else f"missed {share:.1f} times")
        if share >= 1 > ours.processor_s / limit_s:
            goal += ", met by processor time"
    times = f"{seconds(ours.wall_s)} ({seconds(ours.processor_s)} processor, {ours.runs} runs)"
    beside = "" if peer_s is None else f"{peer}: {seconds(peer_s)}"
    ratio = "" if peer_s is None else _ratio(peer_s / ours.wall_s)
    return Line(work, times, goal, beside or peer, ratio, note)


def _ratio(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.2g}"


def machine() -> list[str]:
    """Return what the run was made on, a line each."""
    model = "unknown"
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        lines = [x for x in cpuinfo.read_text().splitlines() if x.startswith("model name")]
        model = lines[0].split(":", 1)[1].strip() if lines else model
    versions = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    system = f"{platform.system()} {platform.machine()}, Python {platform.python_version()}"
    return [
        f"Date: {datetime.now(UTC):%Y-%m-%d %H:%M}Z.",
        f"Machine: {os.cpu_count()} cores, {model}, {system}.",
        f"With {versions}.",
    ]


def load() -> str:
    """Return the machine's load now, of one minute."""
    return f"{os.getloadavg()[0]:.1f}"


def table(lines: Sequence[Line]) -> str:
    """Return the lines as a table in Markdown."""
    head = ("work", "ours, median", "goal", "peer in the same run", "peer / ours", "note")
    rows = [head, tuple("---" for _ in head), *lines]
    return "\n".join("| " + " | ".join(row) + " |" for row in rows) + "\n"
