# SPDX-License-Identifier: Apache-2.0
"""How far a record had come, in a file beside it: so that no older copy is taken for the record.

Layout: one line of 86 bytes, the number of lines that were kept (20 digits), a blank, the SHA-256
of the last of them in hexadecimal, and a line feed. An empty file says nothing: with it an operator
goes on from what is there (docs/operate.md).

1. The store that owns it alone writes it, after the lines it speaks of are on
   the disk: it is never ahead of them.
2. It is not synchronised: after a power cut it may be behind, which refuses nothing.
3. It is written in place, which needs no room on a full disk.
"""

import re
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Final, NamedTuple

from keepclear.errors import OperatorError

LINE: Final = re.compile(rb"(\d{20}) ([0-9a-f]{64})\n")


class Reached(NamedTuple):
    """How many lines were kept, and the digest of the last of them, in hexadecimal."""

    lines: int
    digest: str

    def is_at(self, last: bytes) -> bool:
        """Tell whether a line is the last of those that were kept."""
        return sha256(last).hexdigest() == self.digest


def read_reach(path: Path) -> Reached | None:
    """Return how far the record had come; None where the file is empty.

    `OperatorError` where it is not there, or says something else.
    """
    try:
        data = path.read_bytes()
    except OSError as fault:
        raise OperatorError(
            f"{path}: cannot be read ({fault.strerror}), so it is not known whether the record "
            "beside it is whole; bring all files of the folder, this one too (docs/operate.md)"
        ) from None
    if not data:
        return None
    found = LINE.fullmatch(data)
    if found is None:
        raise OperatorError(
            f"{path}: has {len(data):,} bytes that do not say how far the record had come; bring "
            "all files of the folder, this one too (docs/operate.md)"
        )
    return Reached(int(found[1]), found[2].decode())


def note_reach(path: Path, lines: int, last: bytes) -> None:
    """Say how far the record has come, in a file that is there; if that fails it stays behind."""
    with suppress(OSError), path.open("r+b", buffering=0) as file:
        file.write(b"%020d %b\n" % (lines, sha256(last).hexdigest().encode()))
