# SPDX-License-Identifier: Apache-2.0
"""Where an answer goes: standard output, or a file that is there whole or not at all.

Nothing of ours is written over by something else: no private key, no file of keys, no agreement,
no record, and nothing that the same command reads.
"""

import errno
import os
import re
import sys
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

import click

BYTES_PER_KB = 1_000
KEPT: Final = {
    "private-key": "a private key", "keys": "keys", "agreement": "an agreement",
    "record": "a record", "acts": "acts that are signed", "answers": "answers to acts",
}  # fmt: skip
KIND: Final = re.compile(rb'\s*\{\s*"(?:format"\s*:\s*"keepclear-([a-z-]+)/|line"\s*:\s*"header")')


class NotWrittenOver(FileExistsError):
    """A file is kept as it is; what it says names the way out."""

    def __init__(self, file: str, why: str) -> None:
        super().__init__(errno.EEXIST, why, file)


def print_text(text: str) -> None:
    """Write text to standard output as UTF-8; as `print_bytes`."""
    print_bytes(text.encode(errors="replace"))


def print_bytes(data: bytes) -> None:
    """Write bytes to standard output as they are; quiet where nobody reads on.

    `click.ClickException`, which `main` tells in words, where it cannot be written.
    """
    if sys.stdout is None:  # closed by the shell: >&-
        raise click.ClickException("standard output: is closed; let it go to a file or a terminal")
    try:
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
    except OSError as fault:
        # Else the interpreter flushes once more on its way out, and complains.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if not isinstance(fault, BrokenPipeError):
            raise click.ClickException(
                f"standard output: {fault.strerror}; make room, or let it go elsewhere"
            ) from None


def kind_of(file: str) -> str:
    """Return which of our own files one is, as `KEPT` has them; or ""."""
    path = Path(file)
    if not path.is_file():
        return ""
    with path.open("rb") as opened:
        found = KIND.match(opened.read(200))
    if found is None:
        return ""
    return "record" if found[1] is None else found[1].decode()


def check_output(output: str, kind: str = "", inputs: Iterable[str] = ()) -> None:
    """Refuse to write over a key, keys, an agreement or a record with anything else, or an input.

    kind: what is written, as `kind_of` has it. inputs: what the command reads and does not
    change. `OSError`, which names the file.
    """
    path = Path(output)
    if path.is_dir():
        raise IsADirectoryError(errno.EISDIR, "is a folder", output)
    folder = path.resolve().parent
    if not folder.is_dir():
        why = "is a file and no folder" if folder.exists() else "there is no such folder"
        raise NotADirectoryError(errno.ENOTDIR, why, str(folder))
    if (held := kind_of(output)) in KEPT and (held != kind or held == "private-key"):
        why = f"holds {KEPT[held]} and is not written over; give another name"
        raise NotWrittenOver(output, why)
    for each in inputs:
        if path.exists() and Path(each).exists() and path.samefile(each):
            raise NotWrittenOver(output, "is read here and is not written over; give another name")


def bytes_of(file: str) -> bytes | None:
    """Return what a file holds, None where there is none or it is a device."""
    path = Path(file)
    return path.read_bytes() if path.is_file() else None


def write_text(output: str, text: str, kind: str = "") -> None:
    """Write text to a file, which is replaced in one step; a link keeps pointing to it.

    A device or a pipe is written to directly. `OSError` where it cannot be written, or is one of
    our own files of another kind than what is written (`check_output`).
    """
    check_output(output, kind)
    _replace(Path(output).resolve(), text.encode(errors="replace"))


def replace_text(output: str, text: str, kind: str, before: bytes | None) -> None:
    """Write text over what was read before, or to a new file where that is None.

    `OSError` where somebody else has changed it meanwhile, or is just doing so: nothing that
    another command wrote is lost.
    """
    check_output(output, kind)
    path = Path(output).resolve()
    lock = path.with_name(f".{path.name[:100]}.lock")
    try:
        os.close(os.open(lock, os.O_CREAT | os.O_EXCL))
    except FileExistsError:
        why = f"is being written by another command; run this again, or remove {lock}"
        raise NotWrittenOver(output, why) from None
    try:
        if bytes_of(output) != before:
            raise NotWrittenOver(output, "was changed meanwhile; run this again")
        _replace(path, text.encode(errors="replace"))
    finally:
        lock.unlink(missing_ok=True)


def write_private(files: Mapping[str, bytes], then: Callable[[], None]) -> None:
    """Write files that only their owner can read, then do the rest; all of it or nothing.

    `OSError` where one is there already: a private key is never written over.
    """
    for name in files:
        if os.path.lexists(name):
            raise NotWrittenOver(name, "File exists and is not written over; move it away first")
    made: list[str] = []
    try:
        for name, data in files.items():
            descriptor = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            made.append(name)
            with os.fdopen(descriptor, "wb") as opened:
                opened.write(data)
                opened.flush()
                os.fsync(opened.fileno())
        then()
    except BaseException:
        for name in made:
            with suppress(OSError):
                Path(name).unlink()
        raise


def _replace(path: Path, whole: bytes) -> None:
    """Write a file beside the one meant and move it there; a device is written to directly."""
    if path.exists() and not path.is_file():
        path.write_bytes(whole)
        return
    beside = path.with_name(f".{path.name[:100]}.{os.getpid()}.tmp")
    try:
        with beside.open("xb") as file:
            file.write(whole)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    except OSError as fault:  # it names the file beside, which nobody has asked for
        raise type(fault)(fault.errno, fault.strerror, str(path)) from None
    finally:  # where it was moved, none is left to remove
        with suppress(OSError):
            beside.unlink()


def size_text(text: str) -> str:
    """Return how long a text is as UTF-8: 12 kB."""
    size = len(text.encode(errors="replace"))
    if size < 10 * BYTES_PER_KB:
        return f"{size:,} bytes"
    if size < 10_000 * BYTES_PER_KB:
        return f"{round(size / BYTES_PER_KB):,} kB"
    return f"{round(size / BYTES_PER_KB / BYTES_PER_KB):,} MB"
