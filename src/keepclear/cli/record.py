# SPDX-License-Identifier: Apache-2.0
"""`keepclear record`: verify a record's file, print it, report on it, decide it again."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

if TYPE_CHECKING:
    from keepclear.record.files import KeysFile
    from keepclear.reports.after_action import Reader
    from keepclear.reports.after_action_words import Proof

FAILS: Final = 1
UNREADABLE: Final = 2
NOT_PROVEN: Final = 3
DIFFERS: Final = 1
ONLY_BOUNDARY: Final = 3
REPORT_EPILOG: Final = """\b
Example:
  keepclear record report cross.record --keys cross.record.keys --output report.html
  keepclear record report cross.record --from 2015-10-05T06:00:00Z --to 2015-10-05T07:00:00Z \\
      --keys cross.record.keys --output hour.html
  keepclear record report cross.record --period 2015-10-01T00:00:00Z 2015-11-01T00:00:00Z

\b
Exit status, also on top of each report:
  0   made, and the record is proven
  1   made, and something of the record does not hold: it says FAILS
  2   the file cannot be read, or not to its end, or the words on the line cannot be used
  3   made, and not proven: no --keys, parts under no checkpoint, or no beat at the end
"""
AUDIT_EPILOG: Final = """\b
Example:
  keepclear record audit cross.record

\b
Exit status:
  0   the same comes out
  1   something differs; all of it is listed
  2   the file cannot be read, or is no archive from its first entry
  3   only what lies within the guard band differs (BOUNDARY), which is no fault
"""
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


@record.command(epilog=REPORT_EPILOG)
@click.argument("file", type=click.Path(dir_okay=False))
@click.option("--from", "start", metavar="WHEN", help="From this time on: 2015-10-05T06:00:00Z.")
@click.option("--to", "end", metavar="WHEN", help="Up to, not including, this time.")
@click.option(
    "--period",
    nargs=2,
    metavar="FROM TO",
    help="Print the numbers of a period instead; with --output as a page too.",
)
@click.option("--keys", metavar="FILE", help="Whom to believe; see `keepclear key export`.")
@click.option("--output", metavar="FILE.html", help="Where the page goes.")
def report(
    file: str, start: str | None, end: str | None, period: tuple[str, str] | None,
    keys: str | None, output: str | None,
) -> int:  # fmt: skip
    """Make an after-action report of a record, or print the numbers of a period.

    FILE is an operator's archive, or what one party may see: then the report holds that and
    nothing else. Whether the record is proven stands on top.
    """
    from keepclear.errors import CallerError
    from keepclear.reports.after_action import retell

    try:
        from_us, to_us = _range(start, end, period)
        if output is None and period is None:
            raise click.UsageError("--output is missing: name the page, as in report.html")
        if output is not None and Path(output).suffix.lower() not in {".html", ".htm"}:
            raise click.UsageError(f"--output {output!r}: does not end in .html; name it so")
        reader, proof = _read_and_prove(file, keys)
        story = retell(reader, from_us, to_us)
        _check_range(story.first_us, story.last_us, from_us, to_us)
        if period is not None:
            _print_period(reader, proof, file, (story.from_us, story.to_us), output)
        elif output is not None:
            from keepclear.formats.packaged import read_borders
            from keepclear.reports.after_action_html import after_action_html

            _write(output, after_action_html(story, proof, read_borders()))
    except (CallerError, OSError) as fault:
        return _refused(fault, UNREADABLE)
    if story.stopped is not None and proof.kind != "FAILS":
        click.echo(f"Error: {story.stopped}; the report ends before it", err=True)
        return UNREADABLE
    return {"PROVEN": 0, "FAILS": FAILS}.get(proof.kind, NOT_PROVEN)


@record.command(epilog=AUDIT_EPILOG)
@click.argument("file", type=click.Path(dir_okay=False))
def audit(file: str) -> int:
    """Decide an archive again and list what differs.

    Every entry is folded, and every pair that it touches compared by the kernel: each conflict
    is there, none is missing, none too many, with these numbers and this one who must act, and
    both sides were told so. Each operation was accepted where it was to be and nowhere else, no
    filing was above its caps, and what contradicts a none-here statement was told.
    """
    from keepclear.cli.output import print_text
    from keepclear.detect.compiled import plain
    from keepclear.errors import CallerError
    from keepclear.exchange.audit import audit as audit_lines
    from keepclear.reports.audit_text import audited_text

    try:
        found = audit_lines(_lines(file, "deciding again"), plain())
    except (CallerError, OSError) as fault:
        return _refused(fault, UNREADABLE)
    print_text(audited_text(found, file))
    if any(not each.is_boundary for each in found.differences):
        return DIFFERS
    return ONLY_BOUNDARY if found.differences else 0


def _range(
    start: str | None, end: str | None, period: tuple[str, str] | None
) -> tuple[int | None, int | None]:
    """Return the ends of the range that was asked for; `InputError` where it is none."""
    from keepclear.errors import InputError
    from keepclear.units import parse_time_us

    names = ("--from", "--to")
    if period is not None:
        if start is not None or end is not None:
            raise click.UsageError("--period has its own FROM and TO; leave --from and --to out")
        start, end = period
        names = ("--period FROM", "--period TO")
    from_us = None if start is None else parse_time_us(start, names[0])
    to_us = None if end is None else parse_time_us(end, names[1])
    if from_us is not None and to_us is not None and to_us <= from_us:
        raise InputError(names[1], end, f"is not after {start}", "give the earlier time first")
    return from_us, to_us


def _check_range(first_us: int, last_us: int, from_us: int | None, to_us: int | None) -> None:
    """Refuse a range in which the file has nothing at all: 0 conflicts would read as a finding."""
    from keepclear.errors import InputError
    from keepclear.units import format_time

    if last_us == 0:
        raise InputError("file", "", "has nothing in it yet", "give a record of what happened")
    first, last = (f"{format_time(each)[:19]}Z" for each in (first_us, last_us))
    if from_us is not None and from_us > last_us:
        asked = f"{format_time(from_us)[:19]}Z"
        raise InputError("from", asked, f"is after the file's last part, {last}", "go back to it")
    if to_us is not None and to_us <= first_us:
        asked = f"{format_time(to_us)[:19]}Z"
        raise InputError("to", asked, f"is not after the file's first part, {first}", "go on to it")


def _read_and_prove(file: str, keys: str | None) -> "tuple[Reader, Proof]":
    """Read a file once, for the verification and for the report, so that both are of one file."""
    return prove(_lines(file), None if keys is None else read_keys_file(keys))


def prove(given: Iterator[bytes], believed: "KeysFile | None") -> "tuple[Reader, Proof]":
    """Return what a report is made of, and whether it is proven. given: the lines of a record."""
    from keepclear.record.faults import RecordError
    from keepclear.record.verification import verify as verify_lines
    from keepclear.reports.after_action import Reader
    from keepclear.reports.after_action_words import proof_of

    reader = Reader()
    lines = enumerate(given, start=1)

    def fed() -> Iterator[bytes]:
        for number, line in lines:
            reader.take(number, line)
            yield line

    feeding = fed()
    try:
        found = verify_lines(feeding, believed)
    except RecordError as fault:
        for _ in feeding:
            pass
        return reader, proof_of(None, str(fault))
    return reader, proof_of(found, None)


def _print_period(
    reader: "Reader", proof: "Proof", file: str, ends: tuple[int, int], output: str | None
) -> None:
    """Print a period's numbers, of the file and as each party sees them."""
    from keepclear.cli.output import print_text
    from keepclear.reports.after_action import retell
    from keepclear.reports.period import period_of
    from keepclear.reports.period_html import period_html
    from keepclear.reports.period_text import period_text

    story = retell(reader, *ends)
    sees = story.parties if story.viewer is None else ()
    periods = [period_of(story), *(period_of(retell(reader, *ends, party=p)) for p in sees)]
    print_text(period_text(story, periods, proof, file))
    if output is not None:
        _write(output, period_html(story, periods, proof))


def _write(output: str, page: str) -> None:
    from keepclear.cli.output import size_text, write_text

    write_text(output, page)
    click.echo(f"{output} written, {size_text(page)}", err=True)


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
    from keepclear.record.exchange_keys import later_than
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
        later = later_than(proven.signed, exchange)
        print_text(receipt_text(proven, verify_act_of(proven, ring, file), file, later))
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


def _lines(file: str, doing: str = "reading") -> Iterator[bytes]:
    """Return the lines of a file with a bar on long work; `OSError` at once if there is none."""
    total = max(Path(file).stat().st_size, 1)
    return _read(file, total, doing)


def _read(file: str, total: int, doing: str) -> Iterator[bytes]:
    from keepclear.cli.progress import progress_bar
    from keepclear.record.files import LONGEST_LINE

    done = 0
    with progress_bar() as show_share, Path(file).open("rb") as opened:
        # A line that is too long is read no further: what is yielded of it is refused for it.
        while line := opened.readline(LONGEST_LINE + 2):
            done += len(line)
            if show_share is not None:
                show_share(done / total, f"{doing} {Path(file).name}")
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
