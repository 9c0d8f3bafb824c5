# SPDX-License-Identifier: Apache-2.0
"""The command line as a whole process: a real day, and small inputs."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

import numpy as np
from measuring import Line, Timing, line, timed

from keepclear.agreement.presets import PRESETS
from keepclear.checks.binding import bind
from keepclear.checks.prepare import Uncertainty, prepare
from keepclear.detect.compiled import compiled
from keepclear.detect.fragments import compile_points
from keepclear.detect.index import Detected, detect
from keepclear.detect.kernel import limits_of
from keepclear.formats.reading import read

REPOSITORY: Final = Path(__file__).resolve().parent.parent
SHARED: Final = Path(os.environ.get("KEEPCLEAR_SHARED") or REPOSITORY.parent / "shared" / "data")
SWISS_DAY: Final = SHARED / "air" / "switzerland_2018-08-01.parquet"
SMALL: Final = (REPOSITORY / "examples" / "north.csv", REPOSITORY / "examples" / "south.csv")
# pyarrow and numba import these where they are installed; here they are, because peers need them.
START: Final = (
    "import sys; sys.modules['pandas'] = sys.modules['scipy'] = None; "
    "from keepclear.cli.__main__ import run; run()"
)
WITHOUT: Final = "without pandas and scipy, which the peers bring"
MAX_GAP_US: Final = 300_000_000


def swiss_day() -> list[Line]:
    """A real day of traffic: the whole process with a warm cache, and the kernel in it."""
    if not SWISS_DAY.exists():
        return [Line("the Swiss day", "skipped", "", note="no real data: ../shared/data is absent")]
    took = _command([SWISS_DAY], ["--within-party", "--rules", "en-route"])
    note = "139,098 points; --within-party --rules en-route --format json; " + WITHOUT
    return [
        line("the Swiss day by the command line, whole process", took, 1.5, note=note),
        _kernel(),
    ]


def _kernel() -> Line:
    contents = read(str(SWISS_DAY), SWISS_DAY.read_bytes(), lenient=False)
    prepared = prepare([contents], {}, Uncertainty(), 0, MAX_GAP_US)
    kinds = bind(prepared.plans, PRESETS["en-route"], rvsm=True, vertical_tolerance_tmm=0)
    limits = limits_of(kinds.all_cylinders())
    functions = compiled()
    f = compile_points(prepared.points, functions=functions)
    groups = np.arange(f.plans)

    def run() -> Detected:
        return detect(functions, f, groups, True, limits)

    took, inside = timed(run, 7), len(np.unique(run().row_pair))
    note = f"{f.plans:,} plans, {len(f.start_us):,} fragments, {inside} pairs inside"
    return line("its kernel", took, 0.15, note=note)


def small_inputs() -> list[Line]:
    """Two small files: numba is not imported."""
    took = _command(list(SMALL), [])
    return [line("two small files by the command line, whole process", took, 0.4,
                 note=WITHOUT)]  # fmt: skip


def _command(files: list[Path], options: list[str]) -> Timing:
    with tempfile.TemporaryDirectory() as folder:
        command = [
            sys.executable, "-c", START, "check", *map(str, files), *options,
            "--format", "json", "--output", str(Path(folder) / "report.json"),
        ]  # fmt: skip

        def run() -> None:
            ended = subprocess.run(
                command, capture_output=True, text=True, check=False, timeout=300
            )
            assert ended.returncode in {0, 1, 3}, ended.stderr

        return _with_children(run)


def _with_children(run: object) -> Timing:
    """Return the medians; the processor's time is that of the children."""
    assert callable(run)
    before = os.times()
    took = timed(run, 5)
    after = os.times()
    spent = (after.children_user + after.children_system) - (
        before.children_user + before.children_system
    )
    return took._replace(processor_s=spent / (took.runs + 1))
