# SPDX-License-Identifier: Apache-2.0
"""`keepclear snapshot`: the last picture of a party, on one page that opens without a network."""

from pathlib import Path

import click

from keepclear.cli.desk import desk, home_option
from keepclear.cli.key import BAD_INPUT, print_or_refuse


@click.group()
def snapshot() -> None:
    """Make the last picture of a party, as a page to print and go on from; or verify one."""


@snapshot.command()
@click.argument("file", type=click.Path(dir_okay=False))
@home_option
def make(file: str, home: str) -> int:
    """Write what is held here to FILE, with its proof: operations, conflicts, messages, agreements.

    The page opens without a network, says up to when it goes and how old that is, and prints on
    A4. Where the exchange cannot be asked it is made of what is held, and the exit status is 2:
    it is never newer than the last time that the exchange was asked.

    \b
    Example:
      keepclear snapshot make last.html --home north
    """  # noqa: D301 click keeps the lines of a paragraph that starts with this control character
    from keepclear.reports.desk_text import as_of_text

    stale: list[str] = []

    def work() -> list[str]:
        from keepclear.cli.output import write_text
        from keepclear.exchange.last_picture import last_picture, standing
        from keepclear.formats.packaged import read_borders
        from keepclear.record.encoding import decode
        from keepclear.record.entries import Part
        from keepclear.record.files import LONGEST_LINE
        from keepclear.reports.snapshot_html import snapshot_html

        with desk(home) as post:
            why = post.caught_up()
            last = last_picture(
                post.folder.parts(), post.client.seen.notes, post.client.party,
                post.folder.desk().status, post.as_of_us,
            )  # fmt: skip
        parts = [decode(bytes(each.part), Part, file, LONGEST_LINE) for each in last.shown]
        write_text(file, snapshot_html(last, standing(last.party, parts), read_borders()))
        stale.extend([f"made of what is held here: {why}"] if why else [])
        return [*stale, f"{file}: the picture of {last.party}, {as_of_text(last.as_of_us)}"]

    return print_or_refuse(work) or (BAD_INPUT if stale else 0)


@snapshot.command()
@click.argument("file", type=click.Path(dir_okay=False))
@click.option("--keys", required=True, metavar="FILE", type=click.Path(dir_okay=False),
              help="The exchange's public key, as it came from the operator.")  # fmt: skip
def verify(file: str, keys: str) -> int:
    """Verify a page that `snapshot make` has written: that all of it was entered as it says.

    The page is made again from what is proven, and each byte compared: nothing was written into
    it. A page of another version of keepclear may look otherwise; then that is said.

    \b
    Example:
      keepclear snapshot verify last.html --keys region.keys.json
    """  # noqa: D301 click keeps the lines of a paragraph that starts with this control character

    def work() -> list[str]:
        from keepclear.cli.record import read_keys_file
        from keepclear.errors import InputError
        from keepclear.exchange.last_picture import LastPicture, verified
        from keepclear.formats.packaged import read_borders
        from keepclear.record.encoding import decode
        from keepclear.record.exchange_keys import later_than
        from keepclear.record.files import LONGEST_LINE
        from keepclear.record.keys import PublicKey
        from keepclear.record.notes import NoteKey, signers_of
        from keepclear.reports.desk_text import as_of_text
        from keepclear.reports.record_text import followed_text
        from keepclear.reports.snapshot_html import data_in, snapshot_html

        page = Path(file).read_bytes().decode("utf-8", errors="replace")  # no line end is changed
        data = data_in(page)
        if data is None:
            raise InputError(file, "", "has no picture in it",
                             "give what keepclear snapshot make has written")  # fmt: skip
        last = decode(data, LastPicture, file, LONGEST_LINE)
        believed = [
            NoteKey(each.name, PublicKey(each.key)) for each in read_keys_file(keys).exchange
        ]
        said = verified(last, believed)
        if snapshot_html(last, said, read_borders()) != page:
            raise InputError(
                file, "", "has a proven picture in it, and shows something else",
                "have it made anew; or it was made by another version of keepclear: verify it with "
                "that one",
            )  # fmt: skip
        proven = (
            f"PROVEN: {len(last.shown):,} parts of the picture of {last.party} in {last.region}, "
            f"under {len(last.notes)} checkpoints that the exchange has signed"
        )
        later = [
            each for note in last.notes for each in later_than(signers_of(note, believed), believed)
        ]  # fmt: skip
        beside = [followed_text(each.key.id) for each in later[-1:]]
        return [proven, *beside, f"as its desk says, {as_of_text(last.as_of_us)}"]

    return print_or_refuse(work)
