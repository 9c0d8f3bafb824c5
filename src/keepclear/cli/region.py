# SPDX-License-Identifier: Apache-2.0
"""`keepclear region`: for the operator, the keys that the region's exchange signs with."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from keepclear.cli.key import print_or_refuse
from keepclear.cli.serve import OPERATOR, operator_url
from keepclear.cli.serving_parts import check_installed

if TYPE_CHECKING:
    from keepclear.client.answers import ChangedKey
    from keepclear.server.exchange_keys import Changed


@click.group()
def region() -> None:
    """For the operator: the keys that the region's exchange signs with."""


@region.command("prepare-key")
@click.argument("folder", type=click.Path(file_okay=False))
def prepare_key(folder: str) -> int:
    """Make the next key of the exchange in FOLDER; nothing signs with it yet.

    For a region of several nodes: copy the file that it writes into the folder of each of them,
    and then rotate. A node that has not the key that the record goes on with cannot write.

    \b
    Example:
      keepclear region prepare-key east
    """  # noqa: D301 click keeps the lines of a paragraph that starts with this control character

    def make() -> list[str]:
        check_installed()
        from keepclear.server.exchange_keys import NEXT
        from keepclear.server.exchange_keys import prepare_key as prepare

        made = prepare(Path(folder))
        return [
            f"prepared {Path(folder) / NEXT} (PRIVATE); nothing signs with it yet",
            *_keys_text(made, "signs now", "next"),
            "copy it into the folder of every node of this region, and then type",
            f"  keepclear region rotate-key {folder}",
        ]

    return print_or_refuse(make)


@region.command("rotate-key")
@click.argument("folder", type=click.Path(file_okay=False))
@click.option("--operator", default=OPERATOR, show_default=True, metavar="HOST:PORT",
              help="Where the node that writes is reached by its operator.")  # fmt: skip
def rotate_key(folder: str, operator: str) -> int:
    """Let the exchange that is served from FOLDER go on with another key, for good.

    It enters the new key in the record, signed with the old and the new one, and signs all after
    that with the new one. Parties' clients follow it by themselves. Where no key is prepared, and
    the record is in the folder, one is made; where it is in a database, prepare one first.

    This is no remedy where the old key was stolen: who has it can sign such a change too.

    \b
    Example:
      keepclear region rotate-key east
    """  # noqa: D301 click keeps the lines of a paragraph that starts with this control character

    def make() -> list[str]:
        check_installed()
        from keepclear.client import NoAnswer, change_exchange_key
        from keepclear.server.exchange_keys import check_prepared
        from keepclear.server.region import PRIVATE, PUBLIC, operator_token

        token = operator_token(Path(folder))
        check_prepared(Path(folder))
        public = Path(folder) / PUBLIC
        try:
            made = change_exchange_key(operator_url(operator), token)
        except NoAnswer as fault:
            raise NoAnswer(
                f"{fault}\nWhether the key was changed says the node once it runs: keepclear key "
                f"show {public}; typed again this makes one more change"
            ) from None
        return [
            "rotated: the record says so, and all after it is signed with the new key",
            *_keys_text(made, "until now", "from now on"),
            f"put a copy of {Path(folder) / PRIVATE} where you keep it for a restore, and destroy",
            "every copy of the one before: with it somebody could sign another past",
            f"who joins from now on gets {public} as it is now; all others need nothing",
        ]

    return print_or_refuse(make)


@region.command("cap-key")
@click.argument("folder", type=click.Path(file_okay=False))
@click.option("--operator", default=OPERATOR, show_default=True, metavar="HOST:PORT",
              help="Where the node that writes is reached by its operator.")  # fmt: skip
def cap_key(folder: str, operator: str) -> int:
    """Make a key with which the exchange that is served from FOLDER signs documents of CAP.

    The record names it for everybody, signed with the exchange's own key. Typed again it makes
    another, which takes the place of the one before: what that has signed is not believed any more,
    and is asked for anew. A region that was restored from a backup has none until this is typed.

    \b
    Example:
      keepclear region cap-key east
    """  # noqa: D301 click keeps the lines of a paragraph that starts with this control character

    def make() -> list[str]:
        check_installed()
        from keepclear.client import set_cap_key
        from keepclear.reports.record_text import grouped
        from keepclear.server.region import operator_token

        made = set_cap_key(operator_url(operator), operator_token(Path(folder)))
        return [
            "documents of CAP are signed from now on with the key",
            f"  {grouped(made.id)}",
            f"which stands in {Path(folder) / made.file} (PRIVATE)",
            "where several nodes serve this region, copy that file into the folder of each",
            "who verifies documents outside of the region gets this fingerprint by voice",
        ]

    return print_or_refuse(make)


def _keys_text(made: "Changed | ChangedKey", old: str, new: str) -> list[str]:
    from keepclear.reports.record_text import grouped

    return [f"  {old:<11}  {grouped(made.old)}", f"  {new:<11}  {grouped(made.new)}"]
