# SPDX-License-Identifier: Apache-2.0
"""`keepclear agreement`: draw up, compare, sign and verify an agreement on files alone.

A draft is TOML for people; once somebody signs it, it is a file of exact bytes (`.agreement`).
"""

import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from keepclear.cli.key import print_or_refuse

if TYPE_CHECKING:
    from keepclear.agreement.documents import Agreement
    from keepclear.agreement.signing import AgreementFile

FAILS: Final = 1
BAD_INPUT: Final = 2
NOT_YET: Final = 3
DAY_US: Final = 86_400_000_000
STATES: Final = ("line-checked", "proving-run-made", "suspend", "resume", "denounce")
EPILOG: Final = """\b
Exit status:
  0   in force at that time, proven by the keys
  1   something does not hold: the first is named
  2   bad input
  3   proven, but not in force at that time; what it waits for is named
"""


@click.group()
def agreement() -> None:
    """Draw up, compare, sign and verify an agreement, without a server."""


@agreement.command()
@click.option("--template", required=True, metavar="NAME",
              help="two-forces, civil-military or full-disclosure.")  # fmt: skip
@click.option("--party", "parties", multiple=True, required=True, metavar="ID=NAME",
              help="A party and what it is called; two or more. With its role, if it is no "
              "force: ID=NAME:civil_authority, humanitarian or neutral_operator.")  # fmt: skip
@click.option("--from", "start", required=True, metavar="WHEN", help="2015-10-01T00:00:00Z")
@click.option("--until", "end", required=True, metavar="WHEN", help="When it ends by itself.")
@click.option("--output", required=True, metavar="FILE", help="The draft, as TOML.")
def new(template: str, parties: tuple[str, ...], start: str, end: str, output: str) -> int:
    """Write a draft from a template, to be edited and then signed.

    \b
    Example:
      keepclear agreement new --template two-forces --party north="Party North" \\
        --party south="Party South" --from 2015-10-01T00:00:00Z \\
        --until 2016-10-01T00:00:00Z --output draft.toml
    """  # noqa: D301 click keeps the lines of a paragraph that starts with this control character
    from keepclear.cli.output import write_text
    from keepclear.formats.agreement_draft import fill_template, read_draft
    from keepclear.formats.packaged import read_template, template_names
    from keepclear.units import parse_time_us

    def make() -> list[str]:
        if template not in template_names():
            known = ", ".join(template_names())
            raise click.UsageError(f"--template {template!r}: is not one of {known}")
        named = dict(each.partition("=")[::2] for each in parties)
        if not all(named.values()) or len(named) < len(parties):
            raise click.UsageError('--party: is not ID=NAME, each once; north="Party North"')
        text = fill_template(
            read_template(template), named, parse_time_us(start, "from"),
            parse_time_us(end, "until"),
        )  # fmt: skip
        read_draft(text.encode(), output)
        write_text(output, text)
        return [
            f"wrote {output}: a draft. Edit it, then look at it: keepclear agreement show {output}"
        ]

    return print_or_refuse(make)


@agreement.command()
@click.argument("file", type=click.Path(dir_okay=False))
def show(file: str) -> int:
    """Print an agreement or a draft, with what each clause decides and the hash to sign.

    \b
    Example:
      keepclear agreement show draft.toml
    """  # noqa: D301 click keeps the lines of a paragraph that starts with this control character
    from keepclear.reports.agreement_text import agreement_text

    return print_or_refuse(lambda: [agreement_text(_read(file)[1]).rstrip("\n")])


@agreement.command()
@click.argument("one", type=click.Path(dir_okay=False))
@click.argument("other", type=click.Path(dir_okay=False))
def diff(one: str, other: str) -> int:
    """Compare two agreements or drafts, clause by clause.

    \b
    Example:
      keepclear agreement diff draft.toml counter.toml
    """  # noqa: D301 click keeps the lines of a paragraph that starts with this control character
    from keepclear.agreement.documents import differences
    from keepclear.reports.agreement_text import changes_text

    return print_or_refuse(
        lambda: [changes_text(differences(_read(one)[1], _read(other)[1])).rstrip("\n")]
    )


@agreement.command()
@click.argument("file", type=click.Path(dir_okay=False))
@click.option("--party", required=True, metavar="ID", help="For whom.")
@click.option("--with", "private", required=True, metavar="FILE",
              help="The private key of one representative.")  # fmt: skip
@click.option("--holds", default=30, show_default=True, type=click.IntRange(1, 90),
              metavar="DAYS", help="How long the others have to sign.")  # fmt: skip
@click.option("--state", "said", type=click.Choice(STATES), metavar="WHAT",
              help="State this instead of signing: " + ", ".join(STATES) + ".")  # fmt: skip
@click.option("--output", metavar="FILE", help="By default FILE itself; a draft needs one.")
def sign(
    file: str, party: str, private: str, holds: int, said: str | None, output: str | None
) -> int:
    """Sign an agreement as one representative, or state something about it.

    The first signature makes the draft an agreement; the file then goes to the next one who
    signs, by mail or on a stick.

    \b
    Example:
      keepclear agreement sign draft.toml --party north \\
        --with north.rep-1.private.json --output mou.agreement
    """  # noqa: D301 click keeps the lines of a paragraph that starts with this control character
    from msgspec.structs import replace

    from keepclear.agreement.documents import hash_of
    from keepclear.agreement.signing import STATEMENT, AgreementStatement, Said
    from keepclear.agreement.signing import sign as sign_it
    from keepclear.cli.key import read_private
    from keepclear.cli.output import write_text
    from keepclear.record.encoding import encode
    from keepclear.record.envelopes import seal
    from keepclear.reports.record_text import grouped

    def make() -> list[str]:
        signed, found = _read(file)
        if output is None and not signed.signatures:
            raise click.UsageError("a draft becomes a file of its own: add --output FILE")
        if party not in {each.id for each in found.parties}:
            known = ", ".join(each.id for each in found.parties)
            raise click.UsageError(f"--party {party!r}: is none of {known}")
        now_us, signer = time.time_ns() // 1000, read_private(private)
        if said is None:
            envelope = sign_it(found, party, now_us, now_us + holds * DAY_US, signer)
            made = replace(signed, signatures=(*signed.signatures, envelope))
        else:
            value = AgreementStatement(
                agreement=hash_of(found), party=party, at_us=now_us, said=Said(said)
            )
            envelope = seal(STATEMENT, encode(value), signer)
            made = replace(signed, statements=(*signed.statements, envelope))
        write_text(output or file, encode(made).decode() + "\n")
        what = "signature" if said is None else said
        return [
            f"wrote {output or file}: {what} of {party}",
            f"hash {grouped(hash_of(found))} (compare it by voice with the other party)",
        ]

    return print_or_refuse(make)


@agreement.command(epilog=EPILOG)
@click.argument("file", type=click.Path(dir_okay=False))
@click.option("--keys", required=True, metavar="FILE", help="The parties' keys; see `key export`.")
@click.option("--at", "when", metavar="WHEN", help="At this time instead of now.")
def verify(file: str, keys: str, when: str | None) -> int:
    """Tell who has signed, whether it is in force, and which clauses hold.

    \b
    Example:
      keepclear agreement verify mou.agreement --keys keys.json
    """  # noqa: D301 click keeps the lines of a paragraph that starts with this control character
    from keepclear.agreement.signing import state_of
    from keepclear.cli.record import read_keys_file
    from keepclear.record.faults import RecordError
    from keepclear.record.key_documents import Keyring
    from keepclear.reports.agreement_text import standing_text
    from keepclear.units import parse_time_us

    outcome: list[int] = []

    def make() -> list[str]:
        signed, found = _read(file)
        now_us = time.time_ns() // 1000 if when is None else parse_time_us(when, "at")
        ring = Keyring()
        for place, envelope in enumerate(read_keys_file(keys).documents):
            ring.add(envelope, place, keys)
        try:
            standing = state_of(signed, found, ring, now_us)
        except RecordError as fault:
            outcome.append(FAILS)
            return [f"FAILS  {file}: {fault}"]
        outcome.append(0 if standing.holds else NOT_YET)
        return [standing_text(found, standing, now_us, file).rstrip("\n")]

    status = print_or_refuse(make)
    return status or outcome[0]


def _read(file: str) -> "tuple[AgreementFile, Agreement]":
    """Return an agreement's file, or a draft as one that nobody has signed."""
    from msgspec import Raw

    from keepclear.agreement.signing import AgreementFile, read_file
    from keepclear.formats.agreement_draft import read_draft
    from keepclear.record.encoding import encode

    data = Path(file).read_bytes()
    if data.lstrip()[:1] == b"{":
        return read_file(data.strip(), file)
    found = read_draft(data, file)
    return AgreementFile(agreement=Raw(encode(found))), found
