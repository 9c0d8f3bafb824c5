# SPDX-License-Identifier: Apache-2.0
"""A watch at a post: shows what is proven as it comes, and says where nothing new is shown.

It ends with Ctrl-C alone: whatever is refused, it says why once, waits, each time longer, and goes
on from the last step.
"""

import time
from collections.abc import Callable, Sequence
from typing import Final

import click

from keepclear.cli.desk import AtDesk, waiting_text
from keepclear.cli.post_folder import FolderChanged
from keepclear.client import NewIncarnation, NotDone
from keepclear.errors import KeepclearError
from keepclear.record.entries import Part
from keepclear.reports.desk_text import picture_text, step_text
from keepclear.reports.line_check_text import waiting_checks_text
from keepclear.reports.message_text import messages_text
from keepclear.reports.printable import printable

FIRST_WAIT_S: Final = 1.0
LONGEST_WAIT_S: Final = 15.0
BELL: Final = "\a"


class Watching:
    """What a watch shows. lost: why nothing new is shown, empty where it is. wait: as `sleep`.

    delivers: it signs *delivered* for each message that comes to its post.
    """

    def __init__(
        self, *, is_quiet: bool, delivers: bool = False,
        wait: Callable[[float], None] = time.sleep,
    ) -> None:  # fmt: skip
        self._delivers = delivers
        self._bell, self._wait = "" if is_quiet else BELL, wait
        self._lost = ""

    def follow(self, post: AtDesk) -> None:
        """Show what happens; return where the record, or its folder, was begun anew."""
        wait_s, has_begun = FIRST_WAIT_S, False
        while True:
            try:
                for steps in post.client.follow():
                    post.folder.was_asked(post.client.caught_up_us)
                    self._say_connected()
                    self._show(post, steps, is_first=not has_begun)
                    wait_s, has_begun = FIRST_WAIT_S, True
                    if self._delivers:
                        self._deliver(post)
            except NewIncarnation as fault:
                self._say_lost(post.how_to_accept(fault))
                self._wait(LONGEST_WAIT_S)
                return
            except FolderChanged as fault:
                self._say_lost(str(fault))
                return
            except (KeepclearError, OSError) as fault:
                if post.client.seen.step:  # else nothing was ever fetched
                    self._show(post, post.client.untold(), is_first=not has_begun)
                    has_begun = True
                self._say_lost(str(fault))
            self._wait(wait_s)
            wait_s = min(2 * wait_s, LONGEST_WAIT_S)

    def _show(
        self, post: AtDesk, steps: Sequence[Sequence[Part]], *, is_first: bool
    ) -> None:  # fmt: skip
        """Show steps; at first how all stands, with them."""
        picture = post.picture
        if is_first:
            post.show(list(picture.unsettled().values()), list(picture.protecting().values()))
            for line in waiting_text(post):
                click.echo(line)
            now_us = time.time_ns() // 1000
            click.echo(picture_text(picture, now_us))
            for line in waiting_checks_text(
                picture.lines.values(), picture.checks, post.client.party, now_us
            ):
                click.echo(line)
            if undone := picture.undone():
                click.echo(messages_text(undone.values(), now_us, ""))
            return
        for each in steps:
            post.told(each)
            text, is_urgent = step_text(each, picture.operations)
            if text:
                click.echo(f"{self._bell if is_urgent else ''}{text}\n")

    def _deliver(self, post: AtDesk) -> None:
        """Sign that what came is delivered; say why where that is refused, and go on showing."""
        try:
            post.client.deliver()
        except NotDone as fault:
            click.echo(f"{self._bell}{_now()}  NOT DELIVERED: {printable(str(fault))}")

    def _say_connected(self) -> None:
        """Say that what is new is shown again, where it was not."""
        if self._lost:
            click.echo(f"{_now()}  connected again; nothing was missed")
        self._lost = ""

    def _say_lost(self, why: str) -> None:
        """Say once why nothing new is shown; again where it is for another reason."""
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
