# SPDX-License-Identifier: Apache-2.0
"""`keepclear agreement list|fetch|suspend|resume|denounce`: agreements as they stand in the region.

What is listed and fetched is what the party's own copy proves. What is drafted and signed goes on
as files (`agreement_signing`), and is carried into the region with them (`carry`).
"""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from keepclear.cli.carry import carried_text
from keepclear.cli.desk import SHORTEST, AtDesk, desk, home_option, stale_text
from keepclear.cli.key import BAD_INPUT, print_or_refuse
from keepclear.cli.private_keys import read_private

if TYPE_CHECKING:
    from keepclear.agreement.documents import Agreement
    from keepclear.exchange.last_picture import Agreed
    from keepclear.record.keys import Signer

HASH_SHOWN: Final = 16
NAMED: Final = "AGREEMENT"


@click.command("list")
@home_option
def list_agreements(home: str) -> int:
    """List the party's agreements in the region, and how each stands.

    Where the exchange cannot be asked, what is held here is shown, and said to be stale; the exit
    status is 2 then.

    \b
    Example:
      keepclear agreement list --home north
    """  # noqa: D301 click keeps the lines of a paragraph that starts with this control character
    from keepclear.reports.agreement_text import in_region_text

    stale: list[str] = []

    def make() -> list[str]:
        with desk(home) as post:
            stale.extend(stale_text(post.caught_up()))
            found = _agreed(post)
        said = [in_region_text(_document(each), each.stood) for each in found]
        return [*stale, *(said or ["no agreement was carried into the region"])]

    return print_or_refuse(make) or (BAD_INPUT if stale else 0)


@click.command()
@click.argument("agreement", metavar=NAMED)
@click.argument("file", type=click.Path(dir_okay=False))
@home_option
def fetch(agreement: str, file: str, home: str) -> int:
    """Write AGREEMENT, with all that was signed of it in the region, to FILE.

    It is read, compared, signed and countered there, and then carried back.

    \b
    Example:
      keepclear agreement fetch mou mou.agreement --home south
      keepclear agreement show mou.agreement
    """  # noqa: D301 click keeps the lines of a paragraph that starts with this control character
    from keepclear.cli.output import NotWrittenOver, write_text
    from keepclear.record.encoding import encode

    def make() -> list[str]:
        if Path(file).exists():
            raise NotWrittenOver(file, "is there, and may hold what was signed; give another name")
        with desk(home) as post:
            post.client.catch_up()
            found = _one(post, agreement)
        write_text(file, encode(found.carried.file).decode() + "\n", "agreement")
        return [f"wrote {file}: {_named(_document(found))}; it is {found.stood.state}"]

    return print_or_refuse(make)


@click.command()
@click.argument("agreement", metavar=NAMED)
@click.option("--with", "private", required=True, metavar="FILE",
              help="The private key of a representative.")  # fmt: skip
@click.option("--why", default="", help="The reason, in words.")
@home_option
def suspend(agreement: str, private: str, why: str, home: str) -> int:
    """Suspend AGREEMENT, at once, for all its parties; one representative may.

    Its clauses hold no more, but those that survive; what the house rule asks then holds.

    \b
    Example:
      keepclear agreement suspend mou --home south \\
        --with south-keys/south.rep-1.private.json --why "EXERCISE"
    """  # noqa: D301 click keeps the lines of a paragraph that starts with this control character
    return _suspend(agreement, "suspend", private, why, home)


@click.command()
@click.argument("agreement", metavar=NAMED)
@click.option("--with", "private", required=True, metavar="FILE",
              help="The private key of a representative.")  # fmt: skip
@click.option("--why", default="", help="The reason, in words.")
@home_option
def resume(agreement: str, private: str, why: str, home: str) -> int:
    """End your party's suspension of AGREEMENT; it holds again once all who suspended it have.

    \b
    Example:
      keepclear agreement resume mou --home south \\
        --with south-keys/south.rep-1.private.json
    """  # noqa: D301 click keeps the lines of a paragraph that starts with this control character
    return _suspend(agreement, "resume", private, why, home)


@click.command()
@click.argument("agreement", metavar=NAMED)
@click.option("--with", "private", required=True, multiple=True, metavar="FILE",
              help="The private key of a representative; twice, as it takes two.")  # fmt: skip
@click.option("--why", default="", help="The reason, in words.")
@home_option
def denounce(agreement: str, private: tuple[str, ...], why: str, home: str) -> int:
    """Denounce AGREEMENT: it holds until its notice is over, and then no more.

    \b
    Example:
      keepclear agreement denounce mou --home south --why "it has run its course" \\
        --with south-keys/south.rep-1.private.json \\
        --with south-keys/south.rep-2.private.json
    """  # noqa: D301 click keeps the lines of a paragraph that starts with this control character
    from msgspec.structs import replace

    from keepclear.agreement.statements import Said
    from keepclear.agreement.statements import state as state_it
    from keepclear.exchange.agreements import CarryAgreement

    def make() -> list[str]:
        with desk(home) as post:
            found, signers = _about(post, agreement, private, why)
            document = _document(found)
            envelope = state_it(
                document, post.client.party, _now_us(), Said.DENOUNCE, signers[0], why=why
            )
            file = found.carried.file
            made = CarryAgreement(file=replace(file, statements=(*file.statements, envelope)))
            parts = post.act("agreement.carry/1", made, signers)
            return carried_text(post, document, parts)

    return print_or_refuse(make)


def _suspend(agreement: str, said: str, private: str, why: str, home: str) -> int:
    """Let one representative suspend an agreement, or end that."""
    from keepclear.agreement.documents import hash_of
    from keepclear.agreement.statements import Said
    from keepclear.agreement.statements import state as state_it
    from keepclear.exchange.agreements import StateSuspension

    def make() -> list[str]:
        with desk(home) as post:
            found, signers = _about(post, agreement, (private,), why)
            document = _document(found)
            envelope = state_it(
                document, post.client.party, _now_us(), Said(said), signers[0], why=why
            )
            made = StateSuspension(hash=hash_of(document), statement=envelope)
            parts = post.act("suspension.state/1", made, signers)
            return carried_text(post, document, parts)

    return print_or_refuse(make)


def _about(
    post: AtDesk, agreement: str, private: Sequence[str], why: str
) -> "tuple[Agreed, list[Signer]]":
    """Return the agreement that is meant, as it stands now, and who signs."""
    from keepclear.agreement.words import has_hidden

    if has_hidden(why):
        raise click.UsageError(f"--why {why!r}: has a line break, or what is not seen")
    signers = [read_private(each, post.client.party) for each in private]
    post.client.catch_up()
    return _one(post, agreement), signers


def _agreed(post: AtDesk) -> "tuple[Agreed, ...]":
    """Return the agreements in the region, by what is held here."""
    from keepclear.exchange.last_picture import standing

    return standing(post.client.party, (part for _, part in post.folder.parts())).agreements


def _one(post: AtDesk, given: str) -> "Agreed":
    """Return the one agreement with an id, or whose hash begins so; of an id what came last."""
    from keepclear.errors import InputError

    known = _agreed(post)
    by_id = [each for each in known if _document(each).id == given]
    by_hash = [
        each for each in known
        if len(given) >= SHORTEST and each.carried.hash.startswith(given.lower())
    ]  # fmt: skip
    if by_id:
        return max(reversed(by_id), key=lambda each: _document(each).version)
    if len(by_hash) == 1:
        return by_hash[0]
    names = ", ".join(dict.fromkeys(_document(each).id for each in known)) or "none"
    raise InputError(
        "agreement", given, f"names {len(by_hash)} of those in the region ({names})",
        "give its id, or its hash, as keepclear agreement list has it",
    )  # fmt: skip


def _document(found: "Agreed") -> "Agreement":
    from keepclear.agreement.statements import read_file
    from keepclear.record.encoding import encode

    return read_file(encode(found.carried.file))[1]


def _named(document: "Agreement") -> str:
    from keepclear.agreement.documents import hash_of

    return f"{document.id}, version {document.version}, {hash_of(document)[:HASH_SHOWN]}"


def _now_us() -> int:
    return time.time_ns() // 1000
