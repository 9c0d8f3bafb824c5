# SPDX-License-Identifier: Apache-2.0
"""The command as a process: how fast it starts, how it is stopped, and its bar on a terminal."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Final

import pytest

from keepclear.cli import progress

DRAWN_AT_ONCE_S: Final = 0.15


# --- progress -------------------------------------------------------------------------------


def test_without_a_terminal_there_is_no_bar() -> None:
    with progress.progress_bar() as show:
        assert show is None


def test_a_bar_comes_only_when_work_is_long_and_goes_when_it_is_done(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    times = iter([0.0, 0.5, 2.0, 2.05, 3.0])
    monkeypatch.setattr(time, "monotonic", lambda: next(times))
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)

    with progress.progress_bar() as show:
        assert show is not None
        for share in (0.1, 0.5, 0.6, 1.2):
            show(share, "comparing")

    err = capsys.readouterr().err
    assert "10%" not in err
    assert " 50% comparing" in err
    assert "60%" not in err
    assert err.endswith(progress.ERASE_LINE)


# --- as a process ---------------------------------------------------------------------------

COMMAND: Final = (sys.executable, "-m", "keepclear.cli")
FAKE: Final = """
import sys, types, time
sys.path.insert(0, {root!r})
from tests.sample_reports import simple_report, many_report
module = types.ModuleType("keepclear.checks.check")
module.check = lambda files, **options: ({before}, {report})[1]
sys.modules["keepclear.checks.check"] = module
from keepclear.cli import main
main(["check", "a.csv", "b.csv", "--format", "json"])
"""


def started(repository: Path, before: str, report: str) -> "subprocess.Popen[bytes]":
    code = FAKE.format(root=str(repository), before=before, report=report)
    environment = os.environ | {"PYTHONPATH": str(repository / "src")}
    return subprocess.Popen(
        [sys.executable, "-c", code], env=environment, cwd=repository,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip


@pytest.mark.slow
def test_a_reader_that_stops_reading_is_no_error(repository: Path) -> None:
    with started(repository, "None", "many_report(300)") as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.read(10)
        process.stdout.close()

        assert process.wait(timeout=60) == 1
        assert process.stderr.read() == b""


@pytest.mark.slow
def test_ctrl_c_ends_the_process_quietly_with_130(repository: Path) -> None:
    before = "(print('working', file=sys.stderr, flush=True), time.sleep(60))"
    with started(repository, before, "None") as process:
        assert process.stderr is not None
        assert process.stderr.readline() == b"working\n"
        process.send_signal(signal.SIGINT)

        assert process.wait(timeout=60) == 130
        assert process.stderr.read().strip() == b""


@pytest.mark.slow
def test_help_comes_at_once_and_without_numpy(repository: Path) -> None:
    environment = os.environ | {"PYTHONPATH": str(repository / "src")}
    took_s: list[float] = []
    bare_s: list[float] = []
    for _ in range(7):  # by turns, so that what else the machine does is the same for both
        for times, command in (
            (took_s, [*COMMAND, "--help"]),
            (bare_s, [sys.executable, "-c", "import click"]),
        ):
            started_s = time.perf_counter()
            subprocess.run(command, env=environment, check=True, capture_output=True)
            times.append(time.perf_counter() - started_s)
    code = "import sys, keepclear.cli; print(sorted({'numpy', 'msgspec', 'rich'} & {*sys.modules}))"
    heavy = subprocess.run(
        [sys.executable, "-c", code], env=environment, check=True, capture_output=True, text=True
    )

    assert heavy.stdout == "[]\n"
    # 0.15 s on a quiet machine; a busy one is slow with click alone too.
    assert min(took_s) < max(DRAWN_AT_ONCE_S, 2 * min(bare_s))


# What a check of two small CSV files needs nothing of, each with why it would come along.
NOT_FOR_SMALL_INPUTS: Final = (
    "numba",  # large inputs
    "pyproj",  # geodesics: areas, long legs, drawings
    "pyarrow.parquet", "defusedxml", "keepclear.formats.features",  # other formats
    "numpy.ma", "importlib.metadata",  # come with a careless call
    "keepclear.checks.areas", "keepclear.checks.well_clear", "keepclear.detect.shifted",
    "keepclear.reports.table", "keepclear.reports.html",  # other ways to ask and to answer
)  # fmt: skip
LOADED: Final = """
import sys
from keepclear.cli import main
try:
    main(sys.argv[1:])
except SystemExit as end:
    print(end.code, *sorted(sys.modules))
"""


@pytest.mark.slow
def test_small_inputs_load_neither_the_compiler_nor_what_other_checks_need(
    repository: Path, tmp_path: Path
) -> None:
    words = [
        "check",
        "examples/north.csv",
        "examples/south.csv",
        "--output",
        str(tmp_path / "a.json"),
    ]
    ended = subprocess.run(
        [sys.executable, "-c", LOADED, *words], cwd=repository, check=True,
        env=os.environ | {"PYTHONPATH": str(repository / "src")}, capture_output=True, text=True,
    )  # fmt: skip

    status, *loaded = ended.stdout.split()
    assert status == "1"
    assert "keepclear.detect.sweep" in loaded
    assert {*NOT_FOR_SMALL_INPUTS} & {*loaded} == set()


@pytest.mark.slow
def test_the_process_keeps_what_its_owner_set_for_numpy(repository: Path) -> None:
    code = "import os, sys; from keepclear.cli.__main__ import run; sys.argv[1:] = ['--version']\n"
    code += "try: run()\nfinally: print(os.environ['OPENBLAS_NUM_THREADS'])"
    environment = os.environ | {"PYTHONPATH": str(repository / "src")}

    ended = subprocess.run(
        [sys.executable, "-c", code], env=environment | {"OPENBLAS_NUM_THREADS": "3"},
        check=True, capture_output=True, text=True,
    )  # fmt: skip

    assert ended.stdout.endswith("\n3\n")
