# SPDX-License-Identifier: Apache-2.0
"""The file of a snapshot (`exchange.snapshots`): whole as it was written, or not used."""

import os
from collections.abc import Iterable, Iterator
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO, Final

import msgspec

from keepclear.exchange.snapshots import Unusable

FORMAT: Final = b"keepclear-record-snapshot/1\n"
DIGEST_BYTES: Final = 32
SIZE_BYTES: Final = 4


def write_pieces(pieces: Iterable[bytes], path: Path) -> None:
    """Write a snapshot in the place of the one that is there, whole or not at all; `OSError`."""
    beside = path.with_name(f"{path.name}.new")
    try:
        beside.touch(mode=0o600)  # what all parties filed stands in it
        with beside.open("wb") as file:
            digest = sha256()
            for data in (FORMAT, *_sized(pieces), bytes(SIZE_BYTES)):
                digest.update(data)
                file.write(data)
            file.write(digest.digest())
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    finally:
        if beside.is_file():
            beside.unlink()


def pieces_of(path: Path) -> Iterator[bytes]:
    """Yield the pieces of a snapshot; `Unusable` at its end where it is not as it was written."""
    try:
        with path.open("rb") as file:
            yield from _pieces(file)
    except OSError as fault:
        raise Unusable(f"cannot be read ({fault})") from None


def _sized(pieces: Iterable[bytes]) -> Iterator[bytes]:
    for data in pieces:
        yield len(data).to_bytes(SIZE_BYTES, "big") + data


def _pieces(file: BinaryIO) -> Iterator[bytes]:
    opening = file.read(len(FORMAT))
    digest = sha256(opening)
    if opening != FORMAT:
        raise Unusable("is of another format")
    while True:
        opening = file.read(SIZE_BYTES)
        digest.update(opening)
        size = int.from_bytes(opening, "big")
        if size == 0:
            break
        data = file.read(size)
        digest.update(data)
        yield data
    if len(opening) < SIZE_BYTES or file.read(DIGEST_BYTES + 1) != digest.digest():
        raise Unusable("is not whole")


@cache
def program_version() -> str:
    """Return what tells this program from every other: a digest of its whole source."""
    root = Path(__file__).parents[1]
    digest = sha256(msgspec.__version__.encode())
    for path in sorted(root.rglob("*.py")):
        digest.update(path.relative_to(root).as_posix().encode() + path.read_bytes())
    return digest.hexdigest()
