# SPDX-License-Identifier: Apache-2.0
"""`keepclear answers-for`: what the exchange's answers cover, and who answers for a force."""

import click

from keepclear.cli.desk import desk, home_option
from keepclear.cli.key import print_or_refuse


@click.command("answers-for")
@click.argument("force", required=False, default="")
@home_option
def answers_for(force: str, home: str) -> int:
    """Say what the exchange's answers cover and what not, and who answers for FORCE.

    It is said of the party's own agreements: of the forces that they list, and of FORCE.

    \b
    Example:
      keepclear answers-for "B auxiliaries" --home north
    """  # noqa: D301 click keeps the lines of a paragraph that starts with this control character
    from keepclear.reports.checked_text import coverage_text

    def make() -> list[str]:
        with desk(home) as post:
            return [coverage_text(post.client.answers_for(force)).rstrip("\n")]

    return print_or_refuse(make)
