# SPDX-License-Identifier: Apache-2.0
"""Where an answer goes: standard output, or a file that is there whole or not at all."""

import os
import sys
from contextlib import suppress
from pathlib import Path

import click

BYTES_PER_KB = 1_000


def print_text(text: str) -> None:
    """Write text to standard output as UTF-8; quiet where nobody reads on.

    `click.ClickException`, which `main` tells in words, where it cannot be written.
    """
    if sys.stdout is None:  # closed by the shell: >&-
        raise click.ClickException("standard output: is closed; let it go to a file or a terminal")
    try:
        sys.stdout.buffer.write(text.encode(errors="replace"))
        sys.stdout.buffer.flush()
    except OSError as fault:
        # Else the interpreter flushes once more on its way out, and complains.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if not isinstance(fault, BrokenPipeError):
            raise click.ClickException(
                f"standard output: {fault.strerror}; make room, or let it go elsewhere"
            ) from None


def write_text(output: str, text: str) -> None:
    """Write text to a file, which is replaced in one step; a link keeps pointing to it.

    A device or a pipe is written to directly. `OSError` where it cannot be written.
    """
    path = Path(output).resolve()
    if path.is_dir():
        raise IsADirectoryError(21, "is a folder")
    whole = text.encode(errors="replace")
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
    except BaseException:
        with suppress(OSError):
            beside.unlink()
        raise


def size_text(text: str) -> str:
    """Return how long a text is as UTF-8: 12 kB."""
    size = len(text.encode(errors="replace"))
    if size < 10 * BYTES_PER_KB:
        return f"{size:,} bytes"
    if size < 10_000 * BYTES_PER_KB:
        return f"{round(size / BYTES_PER_KB):,} kB"
    return f"{round(size / BYTES_PER_KB / BYTES_PER_KB):,} MB"
