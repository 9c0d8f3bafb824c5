# SPDX-License-Identifier: Apache-2.0
"""`keepclear agreement effect`: what another version of an agreement would change.

Leaves to others: the two looks and their matching (`keepclear.checks.versions`), the words
(`keepclear.reports`).
"""

import os
import shlex
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from keepclear.cli.check import by_party, check_usage, deliver, form_of, inputs_typed, refused

if TYPE_CHECKING:
    from keepclear.checks.inputs import Inputs
    from keepclear.checks.versions import EffectReport, Named

FORMATS: Final = ("table", "json", "html")
ENDINGS: Final = {
    "": "table", ".txt": "table", ".json": "json", ".html": "html", ".htm": "html",
}  # fmt: skip
AGREEMENTS: Final = frozenset({".agreement", ".toml"})
EPILOG: Final = """\b
Example:
  keepclear agreement effect mou.agreement counter.toml north.csv south.csv
  keepclear agreement effect mou.agreement counter.toml north.csv south.csv \\
    --own north --output effect.html

\b
Exit status:
  0   nothing appears, gets worse or is undetermined
  1   something does, or another clause says who acts
  2   bad input, or neither version binds any two of the parties
  3   as 0, but there are gaps in which nothing is known
"""


@click.command(epilog=EPILOG, short_help="Tell what another version would change.")
@click.argument("before", type=click.Path(dir_okay=False))
@click.argument("after", type=click.Path(dir_okay=False))
@click.argument("plans", nargs=-1)
@click.option("--party", "parties", multiple=True, metavar="NAME=FILE",
              help="The plans of FILE are NAME's: the id of a party to the agreement. FILE is "
              "read even if it is not listed. NAME may have more.")  # fmt: skip
@click.option("--own", default="", metavar="NAME",
              help="Look only at pairs with an operation of this party.")  # fmt: skip
@click.option("--format", "form", metavar="FORM", type=click.Choice(FORMATS),
              help="table, json or html; by default what the ending of --output says, else "
              "table.")  # fmt: skip
@click.option("--output", metavar="FILE", help="Write to FILE instead. Its folder must be there.")
def effect(
    before: str, after: str, plans: tuple[str, ...], parties: tuple[str, ...], own: str,
    form: str | None, output: str | None,
) -> int:  # fmt: skip
    """Tell which findings appear, disappear or change if AFTER takes the place of BEFORE.

    BEFORE and AFTER are agreements or drafts. PLANS are files as `keepclear check` reads them:
    your own operations, and what others have published or shown you. A file is of the party in
    its column, of --party, or of its name, and that is a party of the agreement by its id.
    """
    inputs = inputs_typed(plans, parties)
    if not inputs.files:
        raise click.UsageError("no PLANS: nothing to compare; give one or more files of plans")
    form = form or form_of(output, ENDINGS)
    check_usage((before, after, *inputs.files), form, output)
    from keepclear.errors import KeepclearError

    try:
        report = _looked(before, after, inputs, own)
        text = _rendered(report, form, output, _see_it(before, after, inputs, own))
    except KeepclearError as fault:
        return refused(str(fault))
    except OSError as fault:
        return refused(f"{fault.filename or 'file'}: {fault.strerror}; check name and rights")
    return deliver(text, output, int(report.exit_status))


def _looked(before: str, after: str, inputs: "Inputs", own: str) -> "EffectReport":
    from keepclear.checks.versions import effect as effect_of
    from keepclear.cli.progress import progress_bar

    one, other = _named(before), _named(after)
    with progress_bar() as progress:
        return effect_of(
            inputs.files, one, other, parties=by_party(inputs), own=own, progress=progress
        )


def _named(file: str) -> "Named":
    """Return an agreement with its file; a file of plans in its place is told so."""
    from keepclear.checks.versions import Named
    from keepclear.cli.agreement import read_agreement_file
    from keepclear.errors import CallerError

    try:
        return Named(file, read_agreement_file(file)[1])
    except CallerError as fault:
        if Path(file).suffix in AGREEMENTS:
            raise
        raise CallerError(
            f"{fault}; an agreement or a draft is expected here: BEFORE AFTER PLANS"
        ) from None


def _rendered(report: "EffectReport", form: str, output: str | None, see_it: str) -> str:
    match form:
        case "json":
            from keepclear.reports.effect_json import effect_json

            return effect_json(report)
        case "html":
            from keepclear.formats.packaged import read_borders
            from keepclear.reports.effect_html import effect_html

            return effect_html(report, read_borders())
        case _:
            from keepclear.reports.effect_table import effect_text

            on_terminal = output is None and sys.stdout.isatty()
            width = shutil.get_terminal_size((80, 24)).columns
            colour = on_terminal and "NO_COLOR" not in os.environ
            return effect_text(report, width=width, colour=colour, see_it=see_it)


def _see_it(before: str, after: str, inputs: "Inputs", own: str) -> str:
    """Return the command that shows the same as a page."""
    words = ["keepclear", "agreement", "effect", before, after]
    words += [file for file in inputs.files if file not in inputs.parties]
    for file, name in inputs.parties.items():
        words += ["--party", f"{name}={file}"]
    words += ["--own", own] if own else []
    return shlex.join([*words, "--output", "effect.html"])
