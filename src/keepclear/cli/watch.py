# SPDX-License-Identifier: Apache-2.0
"""`keepclear watch`: what happens, as it happens, in a terminal.

It ends with Ctrl-C alone: whatever else goes wrong, it says so and tries again.
"""

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import click

from keepclear.cli.desk import AtDesk, desk, home_option, waiting_text
from keepclear.cli.key import print_or_refuse

if TYPE_CHECKING:
    from keepclear.record.entries import Part

FIRST_WAIT_S: Final = 1.0
LONGEST_WAIT_S: Final = 15.0
BELL: Final = "\a"


@click.command()
@click.option("--quiet", is_flag=True, help="No bell for what is PRIORITY or more urgent.")
@home_option
def watch(home: str, *, quiet: bool) -> int:
    """Show what happens as it happens, until Ctrl-C: conflicts first, then each change.

    What is shown is proven. Where the connection is lost, or anything is refused, it says since
    when and why, and tries again; nothing is missed.

    \b
    Example:
      keepclear watch --home north
    """  # noqa: D301 click keeps the lines of a paragraph that starts with this control character

    def make() -> list[str]:
        watching = _Watching(is_quiet=quiet)
        while True:
            with desk(home) as post:
                _watch(post, watching)

    return print_or_refuse(make)


def _watch(post: AtDesk, watching: "_Watching") -> None:
    """Show what happens, until the record was begun anew."""
    from keepclear.cli.post_folder import FolderChanged
    from keepclear.client import NewIncarnation
    from keepclear.errors import KeepclearError

    wait_s, has_begun = FIRST_WAIT_S, False
    while True:
        try:
            for steps in post.client.follow():
                watching.show(post, steps, is_first=not has_begun)
                watching.say_connected()
                wait_s, has_begun = FIRST_WAIT_S, True
        except NewIncarnation as fault:
            watching.say_lost(post.how_to_accept(fault))
            time.sleep(LONGEST_WAIT_S)
            return
        except FolderChanged as fault:
            watching.say_lost(str(fault))
            return
        except (KeepclearError, OSError) as fault:
            watching.show(post, post.client.untold(), is_first=not has_begun)
            watching.say_lost(str(fault))
            has_begun = True
        time.sleep(wait_s)
        wait_s = min(2 * wait_s, LONGEST_WAIT_S)


class _Watching:
    """What a watch says of itself. lost: why nothing new is shown, empty where it is."""

    def __init__(self, *, is_quiet: bool) -> None:
        self._bell = "" if is_quiet else BELL
        self._lost = ""

    def show(
        self, post: AtDesk, steps: "Sequence[Sequence[Part]]", *, is_first: bool
    ) -> None:  # fmt: skip
        """Show steps; at first how all stands, with them."""
        from keepclear.reports.desk_text import picture_text, step_text

        picture = post.picture
        if is_first:
            post.show(list(picture.unsettled().values()), list(picture.protecting().values()))
            for line in waiting_text(post):
                click.echo(line)
            click.echo(picture_text(picture, time.time_ns() // 1000))
            return
        for each in steps:
            post.told(each)
            text, is_urgent = step_text(each, picture.operations)
            if text:
                click.echo(f"{self._bell if is_urgent else ''}{text}\n")

    def say_connected(self) -> None:
        """Say that what is new is shown again, where it was not."""
        if self._lost:
            click.echo(f"{_now()}  connected again; nothing was missed")
        self._lost = ""

    def say_lost(self, why: str) -> None:
        """Say once why nothing new is shown; again where it is for another reason."""
        from keepclear.reports.printable import printable

        if why.partition("(")[0] != self._lost:
            self._lost = why.partition("(")[0]
            click.echo(
                f"{self._bell}{_now()}  NOTHING NEW IS SHOWN: what stands above may be stale"
            )
            for line in why.split("\n"):
                click.echo(f"  {printable(line)}")
            click.echo("  trying again")


def _now() -> str:
    return time.strftime("%Y-%m-%d %H:%M:%SZ", time.gmtime())
