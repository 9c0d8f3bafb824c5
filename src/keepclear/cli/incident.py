# SPDX-License-Identifier: Apache-2.0
"""`keepclear record incident`: the incident cases in a record's file, with their timelines."""

from pathlib import Path
from typing import Final

import click

UNREADABLE: Final = 2
EPILOG: Final = """\b
Exit status:
  0   printed
  2   the file cannot be read, or has no such case
"""


@click.command(epilog=EPILOG)
@click.argument("file", type=click.Path(dir_okay=False))
@click.argument("case", default="")
def incident(file: str, case: str) -> int:
    """Print the incident cases of a record with their timelines, each line marked.

    FILE is an operator's archive or what one party may see; CASE is how the id of one case
    begins, all without it.

    \b
    Example:
      keepclear record incident north.record 5f2a
    """  # noqa: D301 click keeps the lines of a paragraph that starts with this control character
    from keepclear.cli.output import print_text
    from keepclear.errors import CallerError
    from keepclear.reports.incident_text import incidents_text

    try:
        with Path(file).open("rb") as opened:
            print_text(incidents_text((line.removesuffix(b"\n") for line in opened), case))
    except OSError as fault:
        click.echo(f"Error: {file}: {fault.strerror}; check its name and rights", err=True)
        return UNREADABLE
    except CallerError as fault:
        click.echo(f"Error: {fault}", err=True)
        return UNREADABLE
    return 0
