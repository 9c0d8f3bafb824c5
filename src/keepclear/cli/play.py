# SPDX-License-Identifier: Apache-2.0
"""`keepclear play`: a scenario on the in-memory exchange, told as a story."""

from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from keepclear.cli.key import print_or_refuse

if TYPE_CHECKING:
    from collections.abc import Iterable

EPILOG: Final = """\b
Exit status:
  0   played; acts that were refused are told in the story
  2   the play cannot be read
"""


@click.command(epilog=EPILOG)
@click.argument("file", type=click.Path(dir_okay=False))
@click.option("--as", "viewer", metavar="PARTY", help="What this party sees, and nothing else.")
@click.option("--record", metavar="FILE",
              help="Leave the record as FILE and whom to believe as FILE.keys; with --as what "
              "that party may see of it.")  # fmt: skip
def play(file: str, viewer: str | None, record: str | None) -> int:
    """Play a scenario (TOML) and print the story: who did what, who was told what, when.

    \b
    Example:
      keepclear play examples/two_plans_cross.toml
      keepclear play examples/plays/al_bab_2017.toml --as b
      keepclear play examples/two_plans_cross.toml --as south \\
        --record cross.record
      keepclear record verify cross.record --keys cross.record.keys
    """  # noqa: D301 click keeps the lines of a paragraph that starts with this control character
    from keepclear.cli.output import check_output, write_text
    from keepclear.clock import RandomIds
    from keepclear.detect.compiled import plain
    from keepclear.formats.play import read_play
    from keepclear.plays.running import run_play
    from keepclear.record.encoding import encode
    from keepclear.record.views import view_of
    from keepclear.reports.play_text import played_text

    def make() -> list[str]:
        found = read_play(Path(file).read_bytes(), file)
        if viewer is not None and viewer not in found.parties:
            known = ", ".join(found.parties)
            raise click.UsageError(f"--as {viewer!r}: is no party of the play; one of {known}")
        if record is not None:
            check_output(record, "record", [file])
            check_output(f"{record}.keys", "keys", [file])
        played = run_play(found, RandomIds(), plain())
        lines: Iterable[bytes] = played.lines
        if viewer is not None:
            lines = list(view_of(played.lines, viewer))
        said = [played_text(found, played, viewer).rstrip("\n")]
        if record is not None:
            write_text(record, b"".join(line + b"\n" for line in lines).decode(), "record")
            write_text(f"{record}.keys", encode(played.keys).decode() + "\n", "keys")
            said += ["", f"wrote {record} and {record}.keys; prove it with",
                     f"  keepclear record verify {record} --keys {record}.keys"]  # fmt: skip
        return said

    return print_or_refuse(make)
