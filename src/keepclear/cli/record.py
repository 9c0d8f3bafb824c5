# SPDX-License-Identifier: Apache-2.0
"""`keepclear record`: verify a record's file, and print it for people."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

if TYPE_CHECKING:
    from keepclear.record.files import KeysFile

FAILS: Final = 1
UNREADABLE: Final = 2
NOT_PROVEN: Final = 3
EPILOG: Final = """\b
Example:
  keepclear record verify east.record --keys keys.json

\b
Exit status:
  0   proven: what is named is as the exchange in --keys signed it
  1   something does not hold; the first is named
  2   the file cannot be read
  3   not proven: no --keys, parts under no checkpoint, or an archive that ends in no beat
"""


@click.group()
def record() -> None:
    """Prove what was entered, from a file alone."""


@record.command(epilog=EPILOG)
@click.argument("file", type=click.Path(dir_okay=False))
@click.option("--keys", metavar="FILE", help="Whom to believe; see `keepclear key export`.")
def verify(file: str, keys: str | None) -> int:
    """Check a record on a machine that has nothing else.

    FILE is an operator's archive, what one party may see, or the receipt of one part.
    Says of which trees which parts are there; stops at the first that does not hold.
    """
    if _is_receipt(file):
        return _verify_receipt(file, keys)
    from keepclear.cli.output import print_text
    from keepclear.record.faults import RecordError
    from keepclear.record.verification import verify as verify_lines
    from keepclear.reports.record_text import verified_text

    try:
        believed = None if keys is None else read_keys_file(keys)
        lines = _lines(file)
    except (RecordError, OSError) as fault:
        return _refused(fault, UNREADABLE)
    try:
        found = verify_lines(lines, believed)
    except RecordError as fault:
        _say_error(f"FAILS  {file}: {fault}")
        return UNREADABLE if fault.path in {"file", "line 1"} else FAILS
    except OSError as fault:
        return _refused(fault, UNREADABLE)
    print_text(verified_text(found, file))
    return 0 if found.is_proven else NOT_PROVEN


@record.command()
@click.argument("file", type=click.Path(dir_okay=False))
def show(file: str) -> int:
    """Print a record for people, a line for each part.

    \b
    Example:
      keepclear record show east.record
    """  # noqa: D301 click keeps the lines of a paragraph that starts with this control character
    from keepclear.cli.output import print_text
    from keepclear.record.faults import RecordError
    from keepclear.reports.record_text import record_text

    try:
        for text in record_text(_lines(file)):
            print_text(text)
    except (RecordError, OSError) as fault:
        return _refused(fault, UNREADABLE)
    return 0


def _is_receipt(file: str) -> bool:
    """Tell whether a file holds a receipt, by how it begins."""
    try:
        with Path(file).open("rb") as opened:
            return opened.read(12) == b'{"audience":'
    except OSError:
        return False


def _verify_receipt(file: str, keys: str | None) -> int:
    """Check a receipt, and say what it proves."""
    from keepclear.cli.output import print_text
    from keepclear.record.faults import RecordError
    from keepclear.record.key_documents import Keyring
    from keepclear.record.keys import PublicKey
    from keepclear.record.notes import NoteKey, read_checkpoint, split_note
    from keepclear.record.receipts import (
        read_receipt,
        verify_act_of,
        verify_receipt,
        verify_under,
    )
    from keepclear.reports.record_text import receipt_text

    try:
        believed = None if keys is None else read_keys_file(keys)
        receipt = read_receipt(_bounded(file), file)
    except (RecordError, OSError) as fault:
        return _refused(fault, UNREADABLE)
    try:
        if believed is None:
            verify_under(receipt, read_checkpoint(split_note(receipt.checkpoint)[0]), file)
            print_text(receipt_text(None, None, file))
            return NOT_PROVEN
        ring = Keyring()
        for place, envelope in enumerate(believed.documents):
            ring.add(envelope, place, keys or "")
        exchange = [NoteKey(each.name, PublicKey(each.key)) for each in believed.exchange]
        proven = verify_receipt(receipt, exchange, file)
        print_text(receipt_text(proven, verify_act_of(proven, ring, file), file))
    except RecordError as fault:
        _say_error(f"FAILS  {file}: {fault}")
        return FAILS
    return 0


def read_keys_file(file: str) -> "KeysFile":
    """Return a file of keys; `RecordError` or `OSError` where it is none."""
    from keepclear.record.encoding import decode
    from keepclear.record.files import KeysFile

    return decode(_bounded(file), KeysFile, file)


def _bounded(file: str) -> bytes:
    """Return what a small file holds, or its beginning, which is then too large to be decoded."""
    from keepclear.record.encoding import MOST_BYTES

    with Path(file).open("rb") as opened:
        data = opened.read(2 * MOST_BYTES)
    return data if len(data) == 2 * MOST_BYTES else data.strip()


def _lines(file: str) -> Iterator[bytes]:
    """Return the lines of a file with a bar on long work; `OSError` at once if there is none."""
    total = max(Path(file).stat().st_size, 1)
    return _read(file, total)


def _read(file: str, total: int) -> Iterator[bytes]:
    from keepclear.cli.progress import progress_bar
    from keepclear.record.files import LONGEST_LINE

    done = 0
    with progress_bar() as show_share, Path(file).open("rb") as opened:
        # A line that is too long is read no further: what is yielded of it is refused for it.
        while line := opened.readline(LONGEST_LINE + 2):
            done += len(line)
            if show_share is not None:
                show_share(done / total, f"reading {Path(file).name}")
            yield line.removesuffix(b"\n")


def _refused(fault: Exception, status: int) -> int:
    text = str(fault)
    if isinstance(fault, OSError):
        text = f"{fault.filename or 'file'}: {fault.strerror}; check its name and rights"
    _say_error(f"Error: {text}")
    return status


def _say_error(text: str) -> None:
    from keepclear.reports.printable import printable

    click.echo(printable(text), err=True)
