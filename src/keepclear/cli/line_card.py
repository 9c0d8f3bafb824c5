# SPDX-License-Identifier: Apache-2.0
"""`keepclear line card`: how to reach the other side where the line fails, to be printed."""

import time

import click

from keepclear.cli.desk import desk, home_option, stale_text
from keepclear.cli.key import print_or_refuse


@click.command()
@click.option("--html", metavar="FILE", help="Write it as a page for A4 to FILE instead.")
@home_option
def card(html: str | None, home: str) -> int:
    """Print the fallback card: the agreed ways to talk where the line fails.

    It is made of what is held here, and nobody is asked: it is there at once where the line fails.
    It says up to when that goes; any other command at the desk brings what is new. Print it while
    the line is up.

    \b
    Example:
      keepclear line card --html card.html --home north
    """  # noqa: D301 click keeps the lines of a paragraph that starts with this control character

    def make() -> list[str]:
        from keepclear.cli.output import write_text
        from keepclear.exchange.last_picture import standing
        from keepclear.reports.fallback_card import card_html, card_text, cards

        with desk(home) as at:
            why = "" if at.client.seen.step else at.caught_up()  # nothing is held yet
            parts = (part for _, part in at.folder.parts())
            agreements = standing(at.client.party, parts).agreements
            page = at.page(why)
            made = cards(agreements, at.client.party, time.time_ns() // 1000)
        if html is None:
            return [*stale_text(why), card_text(made, page).rstrip("\n")]
        write_text(html, card_html(made, page))
        count = f"{len(made)} agreement{'' if len(made) == 1 else 's'}"
        return [*stale_text(why), f"{html}: the fallback card of {page.party}, from {count}"]

    return print_or_refuse(make)
