# SPDX-License-Identifier: Apache-2.0
"""What the README and the docs show is what happens.

A page is run from top to bottom, in a folder that holds a copy of examples/:

| block     | what is done with it                                                           |
|-----------|--------------------------------------------------------------------------------|
| `python`  | run; the blocks of a page share their names                                    |
| `console` | each `$ keepclear ...` is run; where output is shown, it must be exactly that;  |
|           | with `title` it is of several people, and `test_join.py` runs it               |
| `toml`    | read; with `title="name"` kept as a file of that name for the commands below it |
| `json`    | read; `title` as above                                                         |
| `text`    | left alone                                                                     |

Any other block is an error, so nothing goes unchecked by a slip.
"""

import csv
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import defusedxml.ElementTree
import pytest

REPOSITORY: Final = Path(__file__).resolve().parent.parent
EXAMPLES: Final = REPOSITORY / "examples"
PAGES: Final = (
    REPOSITORY / "README.md", *sorted((REPOSITORY / "docs").rglob("*.md")),
    *sorted(EXAMPLES.glob("*.md")),
)  # fmt: skip
PROMPT: Final = "$ "
BAD_INPUT: Final = 2

FENCE: Final = re.compile(r"^(?P<indent> *)(?P<ticks>```+)(?P<info>.*)$")
TITLE: Final = re.compile(r'title="(?P<title>[\w.-]+)"')


@dataclass(frozen=True, kw_only=True)
class Block:
    """One fenced block: its language, its title or None, its text, and the line it starts on."""

    language: str
    title: str | None
    text: str
    line: int


@dataclass(frozen=True, kw_only=True)
class Command:
    """One command of a console block, and the output shown below it."""

    words: str
    output: str


def blocks_of(text: str) -> Iterator[Block]:
    """Yield the fenced blocks of a page, those inside lists too."""
    lines = enumerate(text.splitlines(), start=1)
    for start, line in lines:
        opening = FENCE.match(line)
        if not opening:
            continue
        indent, ticks, info = opening["indent"], opening["ticks"], opening["info"]
        inside = []
        for _, inner in lines:
            if inner.strip() == ticks:
                break
            inside.append(inner.removeprefix(indent))
        else:
            message = f"line {start}: a block opens and does not close"
            raise ValueError(message)
        title = TITLE.search(info)
        yield Block(
            language=info.split()[0] if info.strip() else "",
            title=title["title"] if title else None,
            text="\n".join(inside) + "\n",
            line=start,
        )


def commands_of(text: str) -> list[Command]:
    """Return the commands of a console block; a line that ends in a backslash goes on."""
    commands: list[Command] = []
    for part in re.split(rf"^{re.escape(PROMPT)}", text, flags=re.MULTILINE):
        if not part.strip():
            continue
        words, _, output = part.replace("\\\n", " ").partition("\n")
        commands.append(Command(words=words, output=output.strip("\n")))
    return commands


def run_command(command: Command, folder: Path) -> None:
    """Run one `keepclear ...` as a terminal of 100 columns would; compare what it says."""
    program = command.words.split()[0]
    assert program == "keepclear", f"{program!r} is not run here; make it a `text` block"
    ran = subprocess.run(
        ["/bin/sh", "-c", command.words],
        cwd=folder,
        env={
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "HOME": str(folder),
            "COLUMNS": "100",
            "NO_COLOR": "1",
            "PYTHONUTF8": "1",
        },
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        check=False,
        timeout=120,
    )
    said = "\n".join(line.rstrip() for line in ran.stdout.strip("\n").splitlines())
    if command.output:
        assert said == command.output
    else:
        assert ran.returncode != BAD_INPUT, said
        assert "Traceback" not in said, said


def is_of_several(block: Block) -> bool:
    """Tell whether a block is of several people, or beside a server: `test_join.py` runs those."""
    return block.language == "console" and block.title is not None


def run_block(block: Block, folder: Path, names: dict[str, object], page: str) -> None:
    match block.language:
        case "python":
            padding = "\n" * block.line  # so that a failure names the line of the page
            exec(compile(padding + block.text, page, "exec"), names)  # noqa: S102 - our own docs
        case "console":
            assert block.text.startswith(PROMPT), f"{page}:{block.line}: begins without a command"
            for command in commands_of(block.text):
                run_command(command, folder)
        case "toml":
            tomllib.loads(block.text)
        case "json":
            json.loads(block.text)
        case "csv":
            widths = {len(row) for row in csv.reader(block.text.splitlines())}
            assert len(widths) == 1, f"{page}:{block.line}: rows of different lengths"
        case "xml":
            defusedxml.ElementTree.fromstring(block.text)
        case "text":
            pass
        case _:
            pytest.fail(
                f"{page}:{block.line}: {block.language!r} is not run; name the block "
                "python, console, toml, json, csv or xml, or text where it cannot be run"
            )
    if block.title and block.language != "python":
        (folder / block.title).write_text(block.text, encoding="utf-8")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a copy of examples/, which is the working folder meanwhile."""
    if EXAMPLES.is_dir():
        shutil.copytree(EXAMPLES, tmp_path / "examples")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(REPOSITORY).as_posix())
def test_what_a_page_shows_is_what_happens(page: Path, folder: Path) -> None:
    names: dict[str, object] = {"__name__": "__docs__"}

    for block in blocks_of(page.read_text(encoding="utf-8")):
        if not is_of_several(block):
            run_block(block, folder, names, page.name)


def test_a_command_goes_on_after_a_backslash_and_ends_before_its_output() -> None:
    shown = "$ keepclear a \\\n    b\none\n\ntwo\n$ keepclear c\n"

    assert commands_of(shown) == [
        Command(words="keepclear a      b", output="one\n\ntwo"),
        Command(words="keepclear c", output=""),
    ]


def test_blocks_keep_language_title_and_line() -> None:
    page = '# Title\n\n- item\n\n  ```toml title="rules.toml"\n  a = 1\n  ```\n\n```\nx\n```\n'

    assert list(blocks_of(page)) == [
        Block(language="toml", title="rules.toml", text="a = 1\n", line=5),
        Block(language="", title=None, text="x\n", line=9),
    ]


def test_a_block_in_no_known_language_is_refused(folder: Path) -> None:
    block = Block(language="sh", title=None, text="true\n", line=1)

    with pytest.raises(pytest.fail.Exception, match="'sh' is not run"):
        run_block(block, folder, {}, "page.md")


def test_python_that_fails_is_seen(folder: Path) -> None:
    block = Block(language="python", title=None, text="assert 1 == 2\n", line=1)

    with pytest.raises(AssertionError):
        run_block(block, folder, {}, "page.md")


def test_a_command_that_is_not_ours_is_refused(folder: Path) -> None:
    with pytest.raises(AssertionError, match="'rm' is not run here"):
        run_command(Command(words="rm -r examples", output=""), folder)
