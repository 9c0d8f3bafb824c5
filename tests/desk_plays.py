# SPDX-License-Identifier: Apache-2.0
"""A node, and the folders of posts whose officers type commands, each a process of its own."""

import io
import os
import re
import subprocess
from collections.abc import Iterator
from contextlib import chdir, contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Final
from unittest.mock import patch

import pytest

from keepclear.cli import main
from tests.server_plays import Node, serving

CORRIDOR: Final = (
    "--route", "34.6,35.9 35.3,35.95", "--width", "10 NM", "--lower", "FL200", "--upper", "FL260",
    "--start", "+1 h", "--lasts", "2 h",
)  # fmt: skip
CIRCLE: Final = (
    "--circle", "35.0,35.9", "--radius", "5 NM", "--lower", "FL240", "--upper", "FL280",
    "--start", "+2 h", "--lasts", "1 h",
)  # fmt: skip


class Desks:
    """A node, and the folders of two posts."""

    def __init__(self, folder: Path, node: Node) -> None:
        self.folder, self.node = folder, node

    def run(self, who: str, *words: str, status: int = 0) -> str:
        """Type a command in the folder of a post, and return what it printed."""
        done = self.printed(who, *words)
        assert done.returncode == status, done.stdout + done.stderr
        return done.stdout if status in {0, 1} else done.stderr

    def printed(self, who: str, *words: str) -> subprocess.CompletedProcess[str]:
        """Type a command, and return its status and what it printed.

        In this process: hundreds are typed. In processes of their own they are in `test_join`.
        """
        out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8") for _ in range(2))
        home = {"KEEPCLEAR_HOME": str(self.folder / who), "COLUMNS": "100"}
        with (
            patch.dict(os.environ, home), chdir(self.folder),
            redirect_stdout(out), redirect_stderr(err), pytest.raises(SystemExit) as ended,
        ):  # fmt: skip
            main(list(words))
        status = ended.value.code
        assert isinstance(status, int)
        printed = [_text(each) for each in (out, err)]
        return subprocess.CompletedProcess(words, status, *printed)

    def set_up(self, party: str) -> None:
        """Make the keys of a party, admit it, and set up its watch."""
        self.run(party, "key", "new", party, "--folder", f"{party}-keys")
        operator = self.node.operator.removeprefix("http://")
        said = self.run(party, "party", "admit", f"{party}-keys/{party}.keys.json", "--folder",
                        str(self.node.folder), "--operator", operator)  # fmt: skip
        assert said == f"admitted {party}\n"
        said = self.run(
            party, "post", "setup", "--exchange", self.node.parties, "--party", party, "--key",
            f"{party}-keys/{party}.watch.private.json", "--believe",
            str(self.node.folder / "region.keys.json"), "--status", "Exercise",
        )  # fmt: skip
        assert "Compare this key with the operator by voice" in said

    def filed(self, who: str, *plan: str) -> str:
        """File an operation, and return the short id of it."""
        found = re.search(r"operation ([0-9a-f]{8}), version 1", self.run(
            who, "operation", "file", *plan))  # fmt: skip
        assert found is not None
        return found[1]


def _text(written: io.TextIOWrapper) -> str:
    written.seek(0)
    return written.read()


@contextmanager
def two_desks(folder: Path) -> Iterator[Desks]:
    """Serve a new region, and set up the watches of north and south."""
    with serving(folder / "east") as node:
        made = Desks(folder, node)
        for each in ("north", "south"):
            made.set_up(each)
        yield made
