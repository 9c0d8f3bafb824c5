# SPDX-License-Identifier: Apache-2.0
"""Plays for tests: short ones, with ids that are the same each time."""

from hashlib import sha256
from pathlib import Path
from typing import Final

from keepclear.detect.compiled import plain
from keepclear.formats.play import read_play
from keepclear.plays.running import Played, run_play

EXAMPLES: Final = Path(__file__).resolve().parent.parent / "examples"


class CountedIds:
    """Ids and salts that come in the same order each time."""

    def __init__(self) -> None:
        self._count = 0

    def id(self) -> str:
        """Return 32 hexadecimal digits."""
        return self.salt()[:16].hex()

    def salt(self) -> bytes:
        """Return 32 bytes."""
        self._count += 1
        return sha256(b"%d" % self._count).digest()


def played(text: str) -> Played:
    """Return what comes of a play."""
    return run_play(read_play(text.encode(), "play"), CountedIds(), plain())


def example(name: str) -> str:
    """Return the text of a play that ships."""
    return (EXAMPLES / name).read_text()


def unwrapped(story: str) -> str:
    """Return a story with one space where lines were broken or aligned."""
    return " ".join(story.split())
