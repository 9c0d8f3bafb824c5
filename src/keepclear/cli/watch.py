# SPDX-License-Identifier: Apache-2.0
"""`keepclear watch`: what happens, as it happens, in a terminal."""

import time
from typing import TYPE_CHECKING, Final

import click

from keepclear.cli.desk import desk, home_option
from keepclear.cli.key import print_or_refuse

if TYPE_CHECKING:
    from keepclear.client import Event

FIRST_WAIT_S: Final = 1.0
LONGEST_WAIT_S: Final = 15.0
BELL: Final = "\a"


@click.command()
@click.option("--quiet", is_flag=True, help="No bell for what is PRIORITY or more urgent.")
@home_option
def watch(home: str, *, quiet: bool) -> int:
    """Show what happens as it happens, until Ctrl-C: conflicts first, then each change.

    Where the connection is lost it says since when, and tries again; nothing is missed.

    \b
    Example:
      keepclear watch --home north
    """  # noqa: D301 click keeps the lines of a paragraph that starts with this control character
    from keepclear.client import NoAnswer

    def make() -> list[str]:
        step, wait_s = None, FIRST_WAIT_S
        with desk(home) as client:
            while True:
                try:
                    for event in client.stream(step):
                        if event.kind != "open":
                            step = event.step
                            _show(event, is_quiet=quiet)
                        elif step is not None:
                            click.echo(f"{_now()}  connected again; nothing was missed")
                        wait_s = FIRST_WAIT_S
                except NoAnswer:
                    if wait_s == FIRST_WAIT_S:
                        click.echo(f"{_now()}  NO CONNECTION: what stands above may be stale")
                wait_s = min(2 * wait_s, LONGEST_WAIT_S)
                time.sleep(wait_s)

    return print_or_refuse(make)


def _show(event: "Event", *, is_quiet: bool) -> None:
    from keepclear.reports.desk_text import snapshot_text, step_text

    if event.kind == "snapshot":
        click.echo(snapshot_text(event.data, time.time_ns() // 1000))
        return
    text, is_urgent = step_text(event.data)
    if text:
        bell = BELL if is_urgent and not is_quiet else ""
        click.echo(f"{bell}{text}\n")


def _now() -> str:
    return time.strftime("%Y-%m-%d %H:%M:%SZ", time.gmtime())
