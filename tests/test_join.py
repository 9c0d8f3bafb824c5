# SPDX-License-Identifier: Apache-2.0
"""`docs/join.md` and the README's ten lines as they stand, each line a process of its own."""

import os
import re
import shlex
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Final

import pytest

from tests.server_plays import Node

PAGE: Final = Path(__file__).resolve().parent.parent / "docs" / "join.md"
README: Final = PAGE.parent.parent / "README.md"
BLOCK: Final = re.compile(r'```console title="([\w-]+)"\n(.*?)```', re.DOTALL)
SENT: Final = (  # what goes by mail, once it is there: from, file, to whom
    ("operator", "east/region.keys.json", ("north", "south")),
    ("north", "keys/north.keys.json", ("operator", "south")),
    ("south", "keys/south.keys.json", ("operator", "north")),
)
AGREEMENT: Final = "mou.agreement"
BEAT_S: Final = 12


class Walk:
    """The folders of the three, and what they type."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.node = Node(folder / "operator" / "east")
        for each in ("operator", "north", "south"):
            (folder / each).mkdir()
        self.conflict, self.said = "", ""

    def run(self, who: str, line: str) -> None:
        """Type a line as one of the three, at the ports that were free."""
        if "keepclear serve" in line:
            self.node.start(*shlex.split(line.partition("serve east ")[2].removesuffix(" &")))
            return
        line = line.replace("CONFLICT", self.conflict)
        line = line.replace("http://127.0.0.1:8610", self.node.parties)
        if "keepclear party" in line:
            line += f" --operator {self.node.operator.removeprefix('http://')}"
        if "party add" in line:
            line += f" --exchange {self.node.parties}"
        if line.startswith("sleep"):
            time.sleep(BEAT_S)
            line = line.partition("&& ")[2]
        words = shlex.split(line.removeprefix("keepclear"))
        done = subprocess.run(
            [sys.executable, "-m", "keepclear.cli", *words], cwd=self.folder / who,
            capture_output=True, text=True, env={**os.environ, "COLUMNS": "100"}, check=False,
        )  # fmt: skip
        assert done.returncode == 0, f"{who}: {line}\n{done.stdout}{done.stderr}"
        self.said = done.stdout
        print(f"{who}$ {line}\n{done.stdout}")  # noqa: T201 shown where the test fails
        if found := re.search(r"CONFLICT ([0-9a-f]{8})", done.stdout):
            self.conflict = found[1]

    def send(self) -> None:
        """Let the mail bring what is there."""
        for sender, file, receivers in SENT:
            for each in receivers:
                path = self.folder / sender / file
                if path.exists():
                    shutil.copy(path, self.folder / each / path.name)
        ours, theirs = (self.folder / each / AGREEMENT for each in ("north", "south"))
        if ours.exists() and not theirs.exists():
            shutil.copy(ours, theirs)


@pytest.mark.slow
def test_three_people_follow_the_page_and_end_with_a_proof(tmp_path: Path) -> None:
    walk = Walk(tmp_path)
    blocks = BLOCK.findall(PAGE.read_text(encoding="utf-8"))
    assert {who for who, _ in blocks} == {"operator", "north", "south"}
    proofs: list[str] = []
    try:
        for who, text in blocks:
            walk.send()
            if "record export" in text:
                time.sleep(BEAT_S - BEAT_S * bool(proofs))
            for line in text.splitlines():
                walk.run(who, line.removeprefix("$ "))
            if "ack" in text:
                assert "seen by     north" in walk.said
            if "record verify" in text:
                proofs.append(walk.said)
        assert walk.node.end() == 0
    finally:
        if walk.node.process is not None and walk.node.process.poll() is None:
            walk.node.kill()
    assert len(proofs) == 2
    for each in proofs:
        assert "PROVEN" in each


@pytest.mark.slow
def test_one_person_follows_the_ten_lines_and_ends_with_a_proof(tmp_path: Path) -> None:
    walk = Walk(tmp_path)
    walk.node = Node(tmp_path / "operator" / "east")
    [(_, text)] = BLOCK.findall(README.read_text(encoding="utf-8"))
    lines = [each.removeprefix("$ ") for each in text.splitlines()]
    assert len(lines) == 10
    said = []
    try:
        for line in lines:
            walk.run("operator", line)
            said.append(walk.said)
        assert walk.node.end() == 0
    finally:
        if walk.node.process is not None and walk.node.process.poll() is None:
            walk.node.kill()
    seen = [re.search(r"CONFLICT (\w+) of your (\w+) with (\w+)", each) for each in said[5:7]]
    assert seen[0] is not None
    assert seen[1] is not None
    assert seen[0].groups() == (seen[1][1], seen[1][3], seen[1][2])
    assert "seen by     north" in said[7]
    assert said[9].startswith("PROVEN")
