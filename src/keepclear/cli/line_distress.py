# SPDX-License-Identifier: Apache-2.0
"""`keepclear line distress`: MAYDAY, with as little to type as there can be."""

import click

from keepclear.cli.desk import home_option
from keepclear.cli.line import send
from keepclear.cli.line_values import value_options


@click.command()
@click.argument("to", metavar="FORCE_OR_PARTY")
@click.argument("text")
@value_options
@home_option
def distress(to: str, text: str, home: str, **values: str | None) -> int:
    """Send TEXT as DISTRESS (MAYDAY): lives are in danger.

    It is taken whatever is suspended, whatever the clocks say, and past every limit. Any post of
    the other side takes it.

    \b
    Example:
      keepclear line distress south "Crew in the sea, two persons." \\
        --position "35-12.0N 034-54.0E" --home north
    """  # noqa: D301 click keeps the lines of a paragraph that starts with this control character
    context = click.get_current_context()
    status: int = context.invoke(
        send, to=to, text=text, precedence="DISTRESS", home=home, **values
    )  # fmt: skip
    return status
