# SPDX-License-Identifier: Apache-2.0
"""`keepclear check`: its options, in the order of the work, and what it prints.

Leaves to others: the check itself and the reading of its values (`keepclear.checks.check`).
"""

import os
import shlex
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

if TYPE_CHECKING:
    from keepclear.checks.inputs import Inputs
    from keepclear.checks.report import Report

FORMATS: Final = ("table", "json", "geojson", "kml", "html")
ENDINGS: Final = {
    "": "table", ".txt": "table", ".json": "json", ".geojson": "geojson", ".kml": "kml",
    ".html": "html", ".htm": "html",
}  # fmt: skip
BAD_INPUT: Final = 2
EPILOG: Final = """\b
Example:
  keepclear check north.csv south.csv --rules "5 NM / 1000 ft"
  keepclear check north.csv south.csv --format html --output report.html

\b
Presets:
  en-route, rule-of-threes, india-pakistan-1991, do-365

\b
Exit status:
  0   every pair is CLEAR
  1   a pair is not: CONFLICT, UNDETERMINED, BOUNDARY or LIMITED
  2   bad input, or nothing to compare
  3   every pair is CLEAR, but there are gaps in which nothing is known,
      or rows were left out by --lenient
  70  a fault in keepclear; 130 stopped by Ctrl-C
"""


@click.command(epilog=EPILOG, short_help="Compare the plans in files.")
@click.argument("files", metavar="FILE...", nargs=-1)
@click.option(
    "--party",
    "parties",
    multiple=True,
    metavar="NAME=FILE",
    help="The plans of FILE are NAME's. FILE is read even if it is not listed. NAME may have more.",
)
@click.option(
    "--rules",
    metavar="RULES",
    help="What must lie between two craft: a preset (listed below), a TOML file, or as in "
    '"5 NM / 1000 ft", which is the default.',
)
@click.option("--within-party", is_flag=True, help="Also compare plans of one party.")
@click.option(
    "--from", "start", metavar="WHEN", help="Compare from this time on: 2015-09-30T10:00:00Z."
)
@click.option(
    "--to", "end", metavar="WHEN", help="Compare up to this time; both by each plan's own clock."
)
@click.option(
    "--time-tolerance",
    metavar="TIME",
    help='Every plan may run this early and this late: "2 min". At most 15 min.',
)
@click.option(
    "--uncertainty",
    metavar="L/V/T",
    help='Of each plan, so it counts twice a pair: "0.1 NM / 100 ft / 5 s".',
)
@click.option(
    "--vertical-tolerance",
    metavar="HEIGHT",
    help='Comes off the vertical minimum, once a pair: "25 ft". Must be less than it.',
)
@click.option("--no-rvsm", is_flag=True, help="Do not assume that all have RVSM approval.")
@click.option(
    "--max-gap",
    metavar="TIME",
    default="5 min",
    show_default=True,
    help="Assume nothing between positions farther apart in time.",
)
@click.option(
    "--lenient",
    is_flag=True,
    help="Leave out what cannot be read, and say so; then the status is never 0.",
)
@click.option(
    "--format",
    "form",
    metavar="FORM",
    type=click.Choice(FORMATS),
    help="table, json, geojson, kml or html; by default what the ending of --output "
    "says, else table.",
)
@click.option("--output", metavar="FILE", help="Write to FILE instead. Its folder must be there.")
def check(
    files: tuple[str, ...],
    parties: tuple[str, ...],
    form: str | None,
    output: str | None,
    **options: Any,  # noqa: ANN401 click hands them over by name
) -> int:
    """Compare the plans in files and print every pair that comes too close.

    Each FILE is CSV, XLSX, Parquet, GeoJSON, KML, F3548 JSON or a readsb trace.
    Plans of different parties are compared; a file is a party unless it says otherwise.
    """  # fmt: skip
    inputs = inputs_typed(files, parties)
    if not inputs.files:
        raise click.UsageError("no FILE: nothing to compare; give one or more files of plans")
    form = form or form_of(output, ENDINGS)
    check_usage(inputs.files, form, output)
    from keepclear.errors import KeepclearError

    try:
        report = _checked(inputs, options)
        text = _rendered(report, form, output, see_it=_see_it(inputs, options))
    except KeepclearError as fault:
        return refused(str(fault))
    except OSError as fault:
        return refused(f"{fault.filename or 'file'}: {fault.strerror}; check name and rights")
    return deliver(text, output, int(report.exit_status))


def _named(parties: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
    """Return party -> files from the NAME=FILE of the options."""
    named: dict[str, tuple[str, ...]] = {}
    for given in parties:
        name, equals, file = given.partition("=")
        if not (name.strip() and equals and file):
            raise click.UsageError(f"--party {given!r}: is not NAME=FILE; write north=north.csv")
        named[name.strip()] = (*named.get(name.strip(), ()), file)
    return named


def inputs_typed(files: tuple[str, ...], parties: tuple[str, ...]) -> "Inputs":
    """Return the files to read, and whose they are, from the words on the line."""
    from keepclear.checks.inputs import inputs_of
    from keepclear.errors import InputError

    try:
        return inputs_of(files, _named(parties))
    except InputError as fault:
        raise click.UsageError(f"--{fault}") from None


def check_usage(files: tuple[str, ...], form: str, output: str | None) -> None:
    """Refuse what can never be written before the work is done. files: all that are read."""
    if form == "html" and output is None and sys.stdout.isatty():
        raise click.UsageError("html on a terminal: cannot be read; add --output report.html")
    if output is not None and any(_is_same(output, file) for file in files):
        raise click.UsageError(f"--output {output!r}: is a file that is read; give another name")
    if output is not None:
        _check_folder(output)


def form_of(output: str | None, endings: Mapping[str, str]) -> str:
    """Return the format that the ending of the output stands for."""
    ending = Path(output or "").suffix.lower()
    if ending in endings:
        return endings[ending]
    known = ", ".join(filter(None, endings))
    raise click.UsageError(
        f"--output {output!r}: no format has the ending {ending}; "
        f"end it in one of {known}, or add --format"
        + (" (a browser prints html to PDF)" if ending == ".pdf" else "")
    )


def _check_folder(output: str) -> None:
    """Refuse what can never be written before the work is done."""
    if Path(output).is_dir():
        raise click.UsageError(f"--output {output!r}: is a folder; name a file in it")
    folder = Path(output).parent
    if not folder.is_dir():
        raise click.UsageError(
            f"--output {output!r}: there is no folder {str(folder)!r}; make it, or name another"
        )


def _is_same(output: str, file: str) -> bool:
    try:
        return Path(output).samefile(file)
    except OSError:
        return False


def by_party(inputs: "Inputs") -> dict[str, tuple[str, ...]]:
    """Return party -> its files, where that is said."""
    named: dict[str, tuple[str, ...]] = {}
    for file, party in inputs.parties.items():
        named[party] = (*named.get(party, ()), file)
    return named


def _checked(inputs: "Inputs", options: Mapping[str, Any]) -> "Report":
    from keepclear.checks.check import check as check_files
    from keepclear.cli.progress import progress_bar

    with progress_bar() as progress:
        return check_files(
            inputs.files, rules=options["rules"], parties=by_party(inputs) or None,
            within_party=options["within_party"], start=options["start"], end=options["end"],
            time_tolerance=options["time_tolerance"], uncertainty=options["uncertainty"],
            vertical_tolerance=options["vertical_tolerance"], rvsm=not options["no_rvsm"],
            max_gap=options["max_gap"], lenient=options["lenient"], progress=progress,
        )  # fmt: skip


def _rendered(report: "Report", form: str, output: str | None, see_it: str) -> str:
    if form == "table":
        return _table(report, output, see_it)
    return _renderer(form)(report)


def _renderer(form: str) -> "Callable[[Report], str]":
    match form:
        case "json":
            from keepclear.reports.json_report import json_report

            return json_report
        case "geojson":
            from keepclear.reports.geojson import geojson_report

            return geojson_report
        case "kml":
            from keepclear.reports.kml import kml_report

            return kml_report
        case _:
            from keepclear.formats.packaged import read_borders
            from keepclear.reports.html import html_report

            return lambda report: html_report(report, read_borders())


def _table(report: "Report", output: str | None, see_it: str) -> str:
    import shutil

    from keepclear.reports.table import table_text

    on_terminal = output is None and sys.stdout.isatty()
    return table_text(
        report,
        width=shutil.get_terminal_size((80, 24)).columns,
        colour=on_terminal and "NO_COLOR" not in os.environ,
        see_it=see_it,
    )


def _see_it(inputs: "Inputs", options: Mapping[str, Any]) -> str:
    """Return the command that shows the same as a page."""
    listed = [file for file in inputs.files if file not in inputs.parties]
    words = ["keepclear", "check", *listed]
    words += [
        word for file, name in inputs.parties.items() for word in ("--party", f"{name}={file}")
    ]
    for option in check.params:
        value = options.get(option.name or "")
        if value in (None, False, option.get_default(click.Context(check))):
            continue
        words += [option.opts[0]] if value is True else [option.opts[0], str(value)]
    return shlex.join([*words, "--format", "html", "--output", "report.html"])


def deliver(text: str, output: str | None, status: int) -> int:
    """Write an answer where it goes, and return the exit status."""
    from keepclear.cli.output import NotWrittenOver, print_text, size_text, write_text

    if output is None:
        print_text(text)
        return status
    try:
        write_text(output, text)
    except NotWrittenOver as fault:
        return refused(f"{output}: {fault.strerror}")
    except OSError as fault:
        return refused(f"{output}: {fault.strerror}; give --output a folder that can be written")
    click.echo(f"{output} written, {size_text(text)}", err=True)
    return status


def refused(message: str) -> int:
    """Say what is wrong, a fault a line, and return the exit status."""
    from keepclear.reports.texts import printable

    for line in message.splitlines():
        click.echo(printable(line), err=True)
    return BAD_INPUT
