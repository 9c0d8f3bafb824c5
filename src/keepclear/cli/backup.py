# SPDX-License-Identifier: Apache-2.0
"""`keepclear backup` and `keepclear restore`: a copy of a region, and a region from a copy."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from keepclear.cli.key import print_or_refuse
from keepclear.cli.serving_parts import check_installed, functions_of_node

if TYPE_CHECKING:
    from keepclear.server.backups import Backup
    from keepclear.server.restoring import Restored


@click.command()
@click.argument("folder", type=click.Path(file_okay=False))
@click.option("--to", required=True, type=click.Path(), metavar="BACKUP",
              help="A new folder for the backup.")  # fmt: skip
def backup(folder: str, to: str) -> int:
    """Copy the record of the region in FOLDER, while it is served or not, also from a database.

    The exchange's private key is not in it: keep a copy of exchange.private.json in a place of its
    own, at the beginning and whenever it was changed. Without it no backup can be restored.

    \b
    Example:
      keepclear backup east --to backups/east-monday
    """  # noqa: D301 click keeps the lines of a paragraph that starts with this control character

    def make() -> list[str]:
        check_installed()
        from keepclear.clock import now_us
        from keepclear.server.backups import back_up

        said = back_up(Path(folder), Path(to), now_us())
        return [
            f"backed up {said.region}, incarnation {said.incarnation}, to {to}",
            *_reach_text(said),
            "  not in it  exchange.private.json, which restoring takes: keep it apart",
        ]

    return print_or_refuse(make)


@click.command()
@click.argument("source", metavar="BACKUP", type=click.Path(file_okay=False))
@click.argument("folder", type=click.Path(file_okay=False))
@click.option("--key", required=True, type=click.Path(dir_okay=False), metavar="FILE",
              help="The exchange's private key of now, exchange.private.json.")  # fmt: skip
@click.option("--store", metavar="ADDRESS",
              help="The PostgreSQL database that keeps the record from now on; it may not have "
                   "this region yet. Otherwise a file in FOLDER does.")  # fmt: skip
def restore(source: str, folder: str, key: str, store: str | None) -> int:
    """Make a region in FOLDER, which is new, from BACKUP: the next incarnation of its record.

    What was filed before the backup protects. What came after it only the parties hold: each is
    shown that the exchange goes on from a backup, accepts it, and hands in what it did since.
    Do it once, and serve the region that was lost no more: two that go on are a split view.

    \b
    Example:
      keepclear restore backups/east-monday east-2 --key safe/exchange.private.json
      keepclear serve east-2
    """  # noqa: D301 click keeps the lines of a paragraph that starts with this control character

    def make() -> list[str]:
        check_installed()
        from keepclear.server.clock import SteadyClock
        from keepclear.server.restoring import restore_region

        functions = functions_of_node()
        made = restore_region(
            Path(source), Path(folder), Path(key), SteadyClock(), functions, store
        )
        return _restored_text(made, folder)

    return print_or_refuse(make)


def _restored_text(made: "Restored", folder: str) -> list[str]:
    said, region = made.backup, made.region
    stood = f"{made.operations:,} operations and {made.conflicts:,} conflicts, as they stood then"
    return [
        f"restored {region.name} to {folder}, as incarnation {region.incarnation} of its record",
        *_reach_text(said),
        f"  carried    {stood}",
        "  after it   parties hold what they did later: tell all of them how far it goes",
        "             each types keepclear restored show, then accept, then hand-in",
        f"serve it with keepclear serve {folder}, and the region that was lost no more",
    ]


def _reach_text(said: "Backup") -> list[str]:
    """Return how far a backup goes, as lines."""
    from keepclear.units import format_time

    signed = "no beat signs it"
    if said.beat is not None:
        signed = f"by beat {said.beat:,}, and {said.unsigned:,} entries came after that"
    size = f"{said.lines:,} lines, {sum(each.size for each in said.files):,} bytes"
    return [
        f"  goes to    entry {said.entries:,}, of {format_time(said.last_us)[:19]}Z",
        f"  signed     {signed}",
        f"  in it      {size}: acts, keys of parties, agreements",
    ]
