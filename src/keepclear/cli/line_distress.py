# SPDX-License-Identifier: Apache-2.0
"""`keepclear line distress`: MAYDAY, with as little to type as there can be."""

from typing import Any

import click

from keepclear.cli.desk import home_option
from keepclear.cli.line import send
from keepclear.cli.line_sar import has_place, sar_options, send_case, what_option

DETRESFA = "DETRESFA"


@click.command()
@click.argument("to", metavar="TO[,TO...]")
@click.argument("text")
@what_option
@sar_options
@home_option
def distress(to: str, text: str, what: str, home: str, **given: Any) -> int:  # noqa: ANN401 options of a place
    """Send TEXT as DISTRESS (MAYDAY): lives are in danger.

    With a --position, or an area, it opens a SAR case: all others keep out of there, and what each
    will learn is printed first (keepclear line sar). Without, it is a message and no more.

    It is taken whatever is suspended, whatever the clocks say, and past every limit. Any post of
    the other side takes it.

    \b
    Examples:
      keepclear line distress south "Crew in the sea, two persons." \\
        --position "35-12.0N 034-54.0E" --within "1 NM" --home north
      keepclear line distress south "Engine on fire, position not known." --home north
    """  # noqa: D301 click keeps the lines of a paragraph that starts with this control character
    if has_place(given):
        return send_case(to, text, DETRESFA, what, home, given)
    if "," in to:
        raise click.UsageError(f"TO: {to!r} names several, which a place is needed for; name one")
    values = {name: given[name] for name in ("position", "level", "time", "frequency")}
    context = click.get_current_context()
    status: int = context.invoke(
        send, to=to, text=text, precedence="DISTRESS", home=home, language=given["language"],
        **values,
    )  # fmt: skip
    return status
