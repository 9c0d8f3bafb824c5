# SPDX-License-Identifier: Apache-2.0
"""`keepclear line watch`: the desk of a post in a terminal, on the whole screen."""

import sys
from importlib.util import find_spec

import click

from keepclear.cli.desk import APART, home_option
from keepclear.cli.key import print_or_refuse
from keepclear.cli.line import person_option
from keepclear.cli.line_values import read_in_option


@click.command()
@click.option("--quiet", is_flag=True, help="No bell, whatever comes.")
@person_option
@read_in_option
@home_option
def watch(person: str | None, language: str, home: str, *, quiet: bool) -> int:
    """Show this post's messages on the whole screen as they come; keys act on them.

    It signs that messages are delivered as they come, and that one was displayed once its text
    stood on the screen and somebody has pressed a key. All keys stand at the foot of the screen; ?
    says more of them.

    \b
    Example:
      keepclear line watch --person shift-lead --home south
    """  # noqa: D301 click keeps the lines of a paragraph that starts with this control character
    return print_or_refuse(lambda: _watched(home, person, language, is_quiet=quiet))


def _watched(home: str, person: str | None, language: str, *, is_quiet: bool) -> list[str]:
    """Run the desk until it is left."""
    from keepclear.cli.key import check_name
    from keepclear.errors import OperatorError

    if find_spec("textual") is None:
        raise OperatorError(
            "textual: not installed, and the desk in a terminal needs it; "
            "pip install 'keepclear[desk]'"
        )
    if click.get_current_context().meta.get(APART) is not None:
        raise click.UsageError("line watch: needs the exchange; read with keepclear line read")
    if person is not None:
        check_name(person)
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise click.UsageError("line watch: needs a terminal; in a script, use keepclear line read")
    from keepclear.cli.terminal.app import LineDesk
    from keepclear.cli.terminal.live import LiveStation
    from keepclear.clock import now_us

    LineDesk(LiveStation(home), now_us, person=person, is_quiet=is_quiet, language=language).run(
        mouse=False
    )
    return []
