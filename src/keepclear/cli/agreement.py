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
    from collections.abc import Sequence

    from keepclear.agreement.documents import Agreement
    from keepclear.agreement.statements import AgreementFile
    from keepclear.record.key_documents import Keyring

FAILS: Final = 1
BAD_INPUT: Final = 2
NOT_YET: Final = 3
EPILOG: Final = """\b
Exit status:
  0   clauses hold at that time, proven by the keys
  1   something does not hold: the first is named
  2   bad input
  3   proven, but no clause holds at that time; what it waits for is named
"""


@click.group()
def agreement() -> None:
    """Draw up, compare, sign and verify an agreement on files, and carry it into a region."""


@agreement.command()
@click.option("--template", required=True, metavar="NAME",
              help="two-forces, civil-military or full-disclosure.")  # fmt: skip
@click.option("--party", "parties", multiple=True, required=True, metavar="ID=NAME",
              help="A party and what it is called; two or more. With its role, if it is no "
              "force: ID=NAME:civil_authority, humanitarian or neutral_operator.")  # fmt: skip
@click.option("--from", "start", required=True, metavar="WHEN", help="2015-10-01T00:00:00Z")
@click.option("--until", "end", required=True, metavar="WHEN", help="When it ends by itself.")
@click.option("--language", "languages", multiple=True, default=["en"], show_default=True,
              metavar="LANG",
              help="A language of the agreement: en, fr or ru. May stand several times, and the "
              "agreement has them in this order.")  # fmt: skip
@click.option("--output", required=True, metavar="FILE", help="The draft, as TOML.")
def new(
    template: str, parties: tuple[str, ...], start: str, end: str, languages: tuple[str, ...],
    output: str,
) -> int:  # fmt: skip
    """Write a draft from a template, to be edited and then signed.

    \b
    Example:
      keepclear agreement new --template two-forces --party north="Party North" \\
        --party south="Party South" --from 2015-10-01T00:00:00Z \\
        --until 2016-10-01T00:00:00Z --language en --language ru \\
        --output draft.toml
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
            parse_time_us(end, "until"), languages,
        )  # fmt: skip
        read_draft(text.encode(), output)
        write_text(output, text)
        return [
            f"wrote {output}: a draft. Edit it, then look at it: keepclear agreement show {output}"
        ]

    return print_or_refuse(make)


@agreement.command()
@click.argument("file", type=click.Path(dir_okay=False))
@click.option("--bytes", "as_bytes", is_flag=True, help="The exact bytes that are signed.")
def show(file: str, as_bytes: bool) -> int:  # noqa: FBT001 click calls it so
    """Print an agreement or a draft, with what each clause decides and the hash to sign.

    \b
    Example:
      keepclear agreement show draft.toml
      keepclear agreement show --bytes mou.agreement | sha256sum
    """  # noqa: D301 click keeps the lines of a paragraph that starts with this control character
    from keepclear.agreement.annex_standing import read_annexes
    from keepclear.cli.output import print_bytes
    from keepclear.record.encoding import encode
    from keepclear.reports.agreement_text import agreement_text, annex_text

    def make() -> list[str]:
        signed, found = read_agreement_file(file)
        if as_bytes:
            print_bytes(encode(found))
            return []
        annexes = read_annexes(signed, found)
        texts = [agreement_text(found), *(annex_text(each) for each in annexes)]
        return ["\n".join(texts).rstrip("\n")]

    return print_or_refuse(make)


@agreement.command()
@click.argument("one", type=click.Path(dir_okay=False))
@click.argument("other", type=click.Path(dir_okay=False))
def diff(one: str, other: str) -> int:
    """Compare two agreements or drafts, clause by clause, and the last versions of their annexes.

    \b
    Example:
      keepclear agreement diff draft.toml counter.toml
    """  # noqa: D301 click keeps the lines of a paragraph that starts with this control character
    from keepclear.agreement.annex_standing import read_annexes
    from keepclear.agreement.annexes import annex_differences
    from keepclear.agreement.documents import differences
    from keepclear.reports.agreement_text import changes_text

    def make() -> list[str]:
        (old, before), (new, after) = read_agreement_file(one), read_agreement_file(other)
        of_annexes = annex_differences(read_annexes(old, before), read_annexes(new, after))
        return [changes_text(differences(before, after), of_annexes).rstrip("\n")]

    return print_or_refuse(make)


@agreement.command(epilog=EPILOG)
@click.argument("file", type=click.Path(dir_okay=False))
@click.option("--keys", required=True, metavar="FILE", help="The parties' keys; see `key export`.")
@click.option("--at", "when", metavar="WHEN", help="At this time instead of now.")
def verify(file: str, keys: str, when: str | None) -> int:
    """Tell who has signed, whether it is in force, which clauses hold, and what is due.

    \b
    Example:
      keepclear agreement verify mou.agreement --keys keys.json
    """  # noqa: D301 click keeps the lines of a paragraph that starts with this control character
    from keepclear.agreement.moves import NotNow
    from keepclear.agreement.reminders import reminders
    from keepclear.agreement.standing import check_not_ahead, state_of
    from keepclear.record.faults import RecordError
    from keepclear.reports.agreement_text import standing_text
    from keepclear.reports.printable import printable

    outcome: list[int] = []

    def make() -> list[str]:
        signed, found = read_agreement_file(file)
        ring, now_us = read_ring(keys), _time_us(when)
        try:
            check_not_ahead(signed, found, ring, time.time_ns() // 1000)
            standing = state_of(signed, found, ring, now_us)
        except (RecordError, NotNow) as fault:
            outcome.append(FAILS)
            return [printable(f"FAILS  {file}: {fault}")]
        outcome.append(0 if standing.clauses else NOT_YET)
        due = reminders(found, standing, ring, now_us)
        return [standing_text(standing, due, now_us, file).rstrip("\n")]

    status = print_or_refuse(make)
    return status or outcome[0]


@agreement.command()
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option("--force", required=True, metavar="NAME", help="A party, or a force it lists.")
@click.option("--keys", required=True, metavar="FILE", help="The parties' keys; see `key export`.")
@click.option("--at", "when", metavar="WHEN", help="At this time instead of now.")
def answers(files: tuple[str, ...], force: str, keys: str, when: str | None) -> int:
    """Tell who answers for a force, by agreements in force and by what was denied.

    \b
    Example:
      keepclear agreement answers mou.agreement --keys keys.json \\
        --force "B auxiliaries"
    """  # noqa: D301 click keeps the lines of a paragraph that starts with this control character
    from keepclear.agreement.binding import Held, forces_of, who_answers
    from keepclear.agreement.standing import check_not_ahead, state_of
    from keepclear.reports.agreement_text import answer_text

    def make() -> list[str]:
        ring, now_us = read_ring(keys), _time_us(when)
        held = []
        for file in files:
            signed, found = read_agreement_file(file)
            check_not_ahead(signed, found, ring, time.time_ns() // 1000)
            held.append(Held(found, state_of(signed, found, ring, now_us)))
        listed = forces_of([each.agreement for each in held])
        return [answer_text(who_answers(held, force), force, now_us), *not_listed(force, listed)]

    return print_or_refuse(make)


def not_listed(force: str, listed: "Sequence[str]") -> list[str]:
    """Return a line that says that no agreement lists a force, with the nearest; else none."""
    from difflib import get_close_matches

    from keepclear.reports.printable import printable

    if force in listed:
        return []
    near = get_close_matches(force, listed, 3, 0.5)
    meant = f"; did you mean {' or '.join(map(printable, near))}?" if near else ""
    return [f"No agreement lists {printable(force)}{meant}"]


def read_agreement_file(file: str) -> "tuple[AgreementFile, Agreement]":
    """Return an agreement's file, or a draft as one that nobody has signed."""
    return read_agreement_bytes(Path(file).read_bytes(), file)


def read_agreement_bytes(data: bytes, file: str) -> "tuple[AgreementFile, Agreement]":
    """As `read_agreement_file`, of bytes that were read. file: for messages."""
    from msgspec import Raw

    from keepclear.agreement.statements import AgreementFile, read_file
    from keepclear.formats.agreement_draft import read_draft
    from keepclear.record.encoding import encode

    if data.lstrip()[:1] == b"{":
        return read_file(data.strip(), file)
    found = read_draft(data, file)
    return AgreementFile(agreement=Raw(encode(found))), found


def read_ring(file: str) -> "Keyring":
    """Return the key documents in a file of keys, each followed."""
    from keepclear.cli.record import read_keys_file
    from keepclear.record.key_documents import Keyring

    ring = Keyring()
    for place, envelope in enumerate(read_keys_file(file).documents):
        ring.add(envelope, place, file)
    return ring


def _time_us(when: str | None) -> int:
    from keepclear.units import parse_time_us

    return time.time_ns() // 1000 if when is None else parse_time_us(when, "at")
