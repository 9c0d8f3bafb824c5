# SPDX-License-Identifier: Apache-2.0
"""The command: what it hands on, what it prints where, and how it ends.

`keepclear.checks.check` is replaced by one that answers at once with a report made by hand; what
the real one finds is tested with it.
"""

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any, Final

import pytest

from keepclear import cli
from keepclear.agreement.presets import PRESETS
from keepclear.checks.report import Report
from keepclear.cli import output
from keepclear.errors import Fault, FileErrors, OperatorError, RulesError
from tests.sample_reports import (
    clear_report,
    eastern_mediterranean,
    hostile_report,
    only_gaps_report,
    simple_report,
)

FILES: Final = ("north.csv", "south.csv")
Run = Callable[..., int]


class Asked:
    """What the check was asked, and what it answers."""

    def __init__(self) -> None:
        self.files: tuple[str, ...] = ()
        self.options: dict[str, Any] = {}
        self.answer: Report | BaseException = simple_report()

    def check(self, files: tuple[str, ...], **options: Any) -> Report:  # noqa: ANN401
        self.files, self.options = tuple(files), options
        if isinstance(self.answer, BaseException):
            raise self.answer
        return self.answer


@pytest.fixture(autouse=True)
def asked(monkeypatch: pytest.MonkeyPatch) -> Asked:
    one = Asked()
    module = ModuleType("keepclear.checks.check")
    module.check = one.check  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "keepclear.checks.check", module)
    return one


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    """Run the command in a folder that holds the two files; return its exit status."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    for name in FILES:
        (tmp_path / name).write_text("a file of plans\n", encoding="utf-8")

    def run_it(*words: str) -> int:
        with pytest.raises(SystemExit) as ended:
            cli.main(words)
        return int(ended.value.code or 0)

    return run_it


# --- exit status ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("report", "status"),
    [(clear_report, 0), (simple_report, 1), (eastern_mediterranean, 1), (only_gaps_report, 3)],
)
def test_the_exit_status_is_the_answer(
    run: Run, asked: Asked, report: Callable[[], Report], status: int
) -> None:
    asked.answer = report()

    assert run("check", *FILES) == status


FAULT: Final = Fault(
    kind="range", row=17, column="latitude", value="91", limit="is beyond 90 degrees",
    way_out="give WGS 84 degrees",
)  # fmt: skip


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (FileErrors("north.csv", [FAULT, FAULT]),
         "north.csv: row 17, column 'latitude' '91'".replace("column 'latitude'", "latitude")),
        (RulesError("rules 'x': is no preset; give a file"), "rules 'x': is no preset"),
        (OperatorError("the packaged borders cannot be read; install again"), "install again"),
        (PermissionError(13, "Permission denied", "north.csv"), "north.csv: Permission denied"),
    ],
)  # fmt: skip
def test_what_the_user_can_mend_is_said_on_stderr_and_exits_2(
    run: Run, asked: Asked, fault: Exception, said: str, capfd: pytest.CaptureFixture[str]
) -> None:
    asked.answer = fault

    status = run("check", *FILES)

    out, err = capfd.readouterr()
    assert (status, out) == (2, "")
    assert said in err
    assert "Traceback" not in err


@pytest.mark.parametrize(
    "words",
    [
        ("check",), ("check", *FILES, "--format", "pdf"), ("check", *FILES, "--no-such-option"),
        ("nothing",), ("check", "--party", "north", *FILES), ("check", "--party", "=a.csv", *FILES),
        ("check", "--party", "a=north.csv", "--party", "b=north.csv"),
        ("check", "--party", "a=north.csv", "--party", "b=./north.csv"),
        ("check", *FILES, "--output", "north.csv"), ("check", *FILES, "--output", "./south.csv"),
    ],
)  # fmt: skip
def test_a_wrong_use_of_the_command_exits_2_and_says_what_is_right(
    run: Run, asked: Asked, words: tuple[str, ...], capfd: pytest.CaptureFixture[str]
) -> None:
    status = run(*words)

    out, err = capfd.readouterr()
    assert (status, out) == (2, "")
    assert "Error: " in err
    assert asked.files == ()
    assert Path("north.csv").read_text(encoding="utf-8") == "a file of plans\n"


def test_a_fault_of_ours_is_no_answer(
    run: Run, asked: Asked, capfd: pytest.CaptureFixture[str]
) -> None:
    asked.answer = ZeroDivisionError("in the kernel")

    status = run("check", *FILES)

    assert status == 70
    assert "This is a fault in keepclear" in capfd.readouterr().err


def test_ctrl_c_exits_130_without_a_traceback(
    run: Run, asked: Asked, capfd: pytest.CaptureFixture[str]
) -> None:
    asked.answer = KeyboardInterrupt()

    status = run("check", *FILES)

    assert status == 130
    assert "Traceback" not in capfd.readouterr().err


# --- what is handed on ----------------------------------------------------------------------


def test_without_options_the_check_gets_its_defaults(run: Run, asked: Asked) -> None:
    run("check", *FILES)

    assert asked.files == FILES
    assert asked.options == {
        "rules": None, "parties": None, "within_party": False, "start": None, "end": None,
        "time_tolerance": None, "uncertainty": None, "vertical_tolerance": None, "rvsm": True,
        "max_gap": "5 min", "lenient": False, "progress": None,
    }  # fmt: skip


def test_every_option_is_handed_on(run: Run, asked: Asked) -> None:
    run(
        "check", "north.csv", "--party", "south=south.csv", "--rules", "en-route", "--within-party",
        "--from", "2026-11-22T10:00:00Z", "--to", "2026-11-22T11:00:00Z", "--time-tolerance",
        "2 min", "--uncertainty", "0.1 NM / 100 ft / 5 s", "--vertical-tolerance", "25 ft",
        "--no-rvsm", "--max-gap", "90 s", "--lenient",
    )  # fmt: skip

    assert asked.files == FILES
    assert asked.options == {
        "rules": "en-route", "parties": {"south": ("south.csv",)}, "within_party": True,
        "start": "2026-11-22T10:00:00Z", "end": "2026-11-22T11:00:00Z", "time_tolerance": "2 min",
        "uncertainty": "0.1 NM / 100 ft / 5 s", "vertical_tolerance": "25 ft", "rvsm": False,
        "max_gap": "90 s", "lenient": True, "progress": None,
    }  # fmt: skip


def test_a_file_given_twice_is_read_once(run: Run, asked: Asked) -> None:
    run("check", *FILES, "north.csv", "--party", "south=south.csv")

    assert asked.files == FILES


def test_a_file_under_two_spellings_is_read_once_and_its_party_applies(
    run: Run, asked: Asked, capfd: pytest.CaptureFixture[str]
) -> None:
    run("check", "north.csv", "./north.csv", "south.csv", "--party", "S=./south.csv")

    assert asked.files == FILES
    assert asked.options["parties"] == {"S": ("south.csv",)}
    assert "see it    keepclear check north.csv --party S=south.csv " in capfd.readouterr().out


def test_a_party_may_have_several_files(run: Run, asked: Asked) -> None:
    run("check", "--party", "north=north.csv", "--party", "north=south.csv")

    assert asked.files == FILES
    assert asked.options["parties"] == {"north": FILES}


# --- what is printed ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("form", "start"),
    [
        ("table", "CONFLICT  N101"), ("json", '{\n  "kernel"'), ("geojson", "{"), ("kml", "<?xml"),
        ("html", "<!doctype html>"),
    ],
)  # fmt: skip
def test_each_format_is_printed(
    run: Run, form: str, start: str, capfd: pytest.CaptureFixture[str]
) -> None:
    status = run("check", *FILES, "--format", form)

    out, err = capfd.readouterr()
    assert (status, err) == (1, "")
    assert out.startswith(start)


def test_the_command_that_shows_more_can_be_copied(
    run: Run, capfd: pytest.CaptureFixture[str]
) -> None:
    run("check", *FILES, "--rules", "5 NM / 1000 ft", "--no-rvsm")

    assert (
        "keepclear check north.csv south.csv --rules '5 NM / 1000 ft' --no-rvsm "
        "--format html --output report.html\n"
    ) in capfd.readouterr().out


def test_the_version_is_said(run: Run, capfd: pytest.CaptureFixture[str]) -> None:
    assert run("--version") == 0
    assert capfd.readouterr().out.startswith("keepclear ")


@pytest.mark.parametrize("words", [("--help",), ("check", "--help"), ("check", "-h")])
def test_help_is_help(run: Run, words: tuple[str, ...], capfd: pytest.CaptureFixture[str]) -> None:
    assert run(*words) == 0
    assert "Usage: keepclear" in capfd.readouterr().out


def test_help_of_check_has_an_example_and_the_exit_statuses(
    run: Run, capfd: pytest.CaptureFixture[str]
) -> None:
    run("check", "--help")

    out = capfd.readouterr().out
    assert 'keepclear check north.csv south.csv --rules "5 NM / 1000 ft"' in out
    assert "Exit status:" in out


def test_names_with_control_characters_do_not_reach_the_terminal(
    run: Run, asked: Asked, capfd: pytest.CaptureFixture[str]
) -> None:
    asked.answer = hostile_report()
    run("check", *FILES)
    asked.answer = RulesError("rules '\x1b[2J': is no preset")
    run("check", *FILES)

    out, err = capfd.readouterr()
    assert "\x1b" not in out + err


# --- output ---------------------------------------------------------------------------------


def test_output_is_written_whole_and_said(run: Run, capfd: pytest.CaptureFixture[str]) -> None:
    status = run("check", *FILES, "--format", "json", "--output", "answer.txt")

    out, err = capfd.readouterr()
    assert (status, out) == (1, "")
    assert json.loads(Path("answer.txt").read_text(encoding="utf-8"))["counts"]["CONFLICT"] == 1
    assert err.startswith("answer.txt written, ")
    assert sorted(path.name for path in Path().iterdir()) == ["answer.txt", *FILES]


@pytest.mark.parametrize(
    ("name", "start"),
    [("r.html", "<!doctype"), ("r.KML", "<?xml"), ("r.json", "{"), ("r.txt", "CONFLICT")],
)
def test_the_ending_of_output_chooses_the_format(run: Run, name: str, start: str) -> None:
    run("check", *FILES, "--output", name)

    assert Path(name).read_text(encoding="utf-8").startswith(start)


def test_output_that_cannot_be_written_is_said(run: Run, capfd: pytest.CaptureFixture[str]) -> None:
    Path("folder").mkdir()

    assert run("check", *FILES, "--output", "folder") == 2
    assert run("check", *FILES, "--output", "nowhere/report.html") == 2
    err = capfd.readouterr().err
    assert "--output 'folder': is a folder; name a file in it" in err
    assert "--output 'nowhere/report.html': there is no folder 'nowhere'; make it" in err


def test_an_ending_that_stands_for_no_format_is_refused_before_the_work(
    run: Run, asked: Asked, capfd: pytest.CaptureFixture[str]
) -> None:
    """A table in a file named .pdf opens in nothing."""
    assert run("check", *FILES, "--output", "report.pdf") == 2

    err = capfd.readouterr().err
    assert "no format has the ending .pdf; end it in one of .txt, .json" in err
    assert "a browser prints html to PDF" in err
    assert asked.files == ()
    assert run("check", *FILES, "--output", "report.pdf", "--format", "json") == 1


def test_help_lists_every_preset(run: Run, capfd: pytest.CaptureFixture[str]) -> None:
    run("check", "--help")

    listed = capfd.readouterr().out.split("Presets:\n")[1].split("\n")[0].strip()
    assert listed.split(", ") == list(PRESETS)


def test_a_write_that_fails_leaves_the_old_file_and_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = tmp_path / "report.html"
    old.write_text("old", encoding="utf-8")

    def full(_file: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        output.write_text(str(old), "new")

    assert old.read_text(encoding="utf-8") == "old"
    assert list(tmp_path.iterdir()) == [old]


def test_output_through_a_link_keeps_the_link(tmp_path: Path) -> None:
    (tmp_path / "real.html").write_text("old", encoding="utf-8")
    link = tmp_path / "link.html"
    link.symlink_to(tmp_path / "real.html")

    output.write_text(str(link), "new")

    assert link.is_symlink()
    assert (tmp_path / "real.html").read_text(encoding="utf-8") == "new"


def test_output_to_a_device_is_written_to_it() -> None:
    output.write_text(os.devnull, "new")

    assert Path(os.devnull).is_char_device()


@pytest.mark.parametrize(
    ("size", "words"), [(9_999, "9,999 bytes"), (123_456, "123 kB"), (12_345_678, "12 MB")]
)
def test_a_size_is_said_in_a_fitting_unit(size: int, words: str) -> None:
    assert output.size_text("x" * size) == words


def test_html_on_a_terminal_is_refused(
    run: Run, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)

    assert run("check", *FILES, "--format", "html") == 2
    assert "add --output report.html" in capfd.readouterr().err
