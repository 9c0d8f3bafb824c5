# SPDX-License-Identifier: Apache-2.0
"""`keepclear agreement carry`: take an agreement that was signed on files into the region."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from keepclear.cli.agreement import read_agreement_bytes
from keepclear.cli.desk import desk, home_option
from keepclear.cli.key import print_or_refuse
from keepclear.cli.private_keys import read_private

if TYPE_CHECKING:
    from collections.abc import Sequence

    from keepclear.agreement.documents import Agreement
    from keepclear.agreement.statements import AgreementFile
    from keepclear.cli.desk import AtDesk
    from keepclear.record.entries import Part


@click.command()
@click.argument("file", type=click.Path(dir_okay=False))
@click.option("--with", "private", required=True, multiple=True, metavar="FILE",
              help="The private key of a representative; twice, as it takes two.")  # fmt: skip
@home_option
def carry(file: str, private: tuple[str, ...], home: str) -> int:
    """Carry an agreement, signed on files, into the region; or the same with more signed of it.

    \b
    Example:
      keepclear agreement carry mou.agreement --home north \\
        --with north-keys/north.rep-1.private.json \\
        --with north-keys/north.rep-2.private.json
    """  # noqa: D301 click keeps the lines of a paragraph that starts with this control character

    def make() -> list[str]:
        signed, found = read_agreement_bytes(Path(file).read_bytes(), file)
        return carry_agreement(home, signed, found, private)

    return print_or_refuse(make)


def carry_agreement(
    home: str, signed: "AgreementFile", found: "Agreement", private: "Sequence[str]"
) -> list[str]:
    """Carry what is signed of an agreement into the region; return what is said of it.

    private: files of the representatives who sign that.
    """
    from keepclear.exchange.agreements import CarryAgreement

    with desk(home) as post:
        signers = [read_private(each, post.client.party) for each in private]
        parts = post.act("agreement.carry/1", CarryAgreement(file=signed), signers)
        return carried_text(post, found, parts)


def carried_text(post: "AtDesk", found: "Agreement", parts: "Sequence[Part]") -> list[str]:
    """Return what is said where an agreement was carried, or what is said of it, at a post.

    parts: that came of it.
    """
    import msgspec

    from keepclear.agreement.documents import hash_of
    from keepclear.exchange.events import AgreementStood

    told = post.told(parts)
    if post.is_apart:
        return [f"{found.id}, {hash_of(found)[:16]}", told]
    stood = [
        msgspec.json.decode(bytes(each.data), type=AgreementStood)
        for each in parts if each.kind.startswith("agreement-stood/")
    ]  # fmt: skip
    said = [f"carried {found.id}, {hash_of(found)[:16]}"]
    said += [
        f"it is {each.state}: {len(each.clauses)} clauses hold between {_between(found)}"
        for each in stood
    ]  # fmt: skip
    return [*said, *([] if stood else ["it stands as before"]), *([told] if told else [])]


def _between(found: "Agreement") -> str:
    return " and ".join(each.id for each in found.parties)
