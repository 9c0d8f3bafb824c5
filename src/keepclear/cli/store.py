# SPDX-License-Identifier: Apache-2.0
"""`keepclear store`: where a region's record is kept."""

from pathlib import Path

import click

from keepclear.cli.key import print_or_refuse
from keepclear.cli.serving_parts import check_installed


@click.group()
def store() -> None:
    """For the operator: where the region's record is kept."""


@store.command()
@click.argument("folder", type=click.Path(file_okay=False))
@click.option("--to", "address", required=True, metavar="ADDRESS",
              help="The database, as postgresql://USER@HOST/DATABASE; the password comes from "
                   "PGPASSWORD or a password file.")  # fmt: skip
def move(folder: str, address: str) -> int:
    """Move the record of the region in FOLDER from its file into a PostgreSQL database.

    Stop the node first. Every line is read again and compared; the file stays, under another name.
    Cut off, the same command goes on.

    \b
    Example:
      keepclear store move east --to postgresql://keepclear@db.example/keepclear
    """  # noqa: D301 click keeps the lines of a paragraph that starts with this control character

    def make() -> list[str]:
        check_installed()
        from keepclear.server.stores import MOVED, move_store

        count = move_store(Path(folder), address)
        return [
            f"moved {count:,} lines, each the same byte for byte; serve it as before",
            f"the file is kept as {Path(folder) / MOVED}: serve it nowhere",
        ]

    return print_or_refuse(make)
