# SPDX-License-Identifier: Apache-2.0
"""`keepclear watch`: what happens, as it happens, in a terminal."""

import click

from keepclear.cli.desk import desk, home_option
from keepclear.cli.key import print_or_refuse


@click.command()
@click.option("--quiet", is_flag=True, help="No bell for what is PRIORITY or more urgent.")
@click.option("--deliver", is_flag=True,
              help="Sign that messages are delivered, as they come to this post.")  # fmt: skip
@home_option
def watch(home: str, *, quiet: bool, deliver: bool) -> int:
    """Show what happens as it happens, until Ctrl-C: conflicts and messages, then each change.

    What is shown is proven. Where the connection is lost, or anything is refused, it says since
    when and why, and tries again; nothing is missed.

    \b
    Example:
      keepclear watch --home north
    """  # noqa: D301 click keeps the lines of a paragraph that starts with this control character
    from keepclear.cli.watching import Watching

    def make() -> list[str]:
        watching = Watching(is_quiet=quiet, delivers=deliver)
        while True:
            with desk(home) as post:
                watching.follow(post)

    return print_or_refuse(make)
