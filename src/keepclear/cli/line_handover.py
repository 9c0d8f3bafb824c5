# SPDX-License-Identifier: Apache-2.0
"""`keepclear line handover`: the list that one watch hands to the next."""

import time

import click

from keepclear.cli.desk import desk, home_option, stale_text
from keepclear.cli.key import BAD_INPUT, print_or_refuse


@click.command()
@click.option("--html", metavar="FILE", help="Write it as a page for A4 to FILE instead.")
@home_option
def handover(html: str | None, home: str) -> int:
    """Print the handover list of this post: what the next watch has to know.

    Messages by precedence with what is due or OVERDUE, STANDBY whose time has passed, lines and
    their checks, conflicts that are not settled, operations that are active. It claims nothing: a
    message on it is not displayed or acknowledged by that. Where the exchange cannot be asked, what
    is held here is shown, and said to be stale; the exit status is 2 then.

    \b
    Example:
      keepclear line handover --html handover.html --home north
    """  # noqa: D301 click keeps the lines of a paragraph that starts with this control character
    stale: list[str] = []

    def make() -> list[str]:
        from keepclear.cli.output import write_text
        from keepclear.reports import handover as made
        from keepclear.reports.stop_text import read_stops

        with desk(home) as at:
            why = at.caught_up()
            stale.extend(stale_text(why))
            page, post = at.page(why), at.folder.desk().post
            picture = at.folder.picture(at.client.party)
            held = read_stops(at.folder.lines())
        sections = made.handover(picture, page.party, post, time.time_ns() // 1000, held)
        if html is None:
            return [*stale, made.handover_text(sections, page, post).rstrip("\n")]
        write_text(html, made.handover_html(sections, page, post))
        count = sum(len(each.items) for each in sections)
        return [*stale, f"{html}: the handover list of {post}, {count} items"]

    return print_or_refuse(make) or (BAD_INPUT if stale else 0)
