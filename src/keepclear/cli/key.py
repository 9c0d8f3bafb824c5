# SPDX-License-Identifier: Apache-2.0
"""`keepclear key`: make a party's keys, show them, export whom to believe; `key_changes` goes on.

Private keys are files of their own that only their owner can read; everything else is public.
"""

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from keepclear.cli.private_keys import (
    SEED_BYTES,
    new_signer,
    private_file,
    write_privates,
)

if TYPE_CHECKING:
    from keepclear.record.envelopes import Envelope
    from keepclear.record.files import ExchangeKey, KeysFile

BAD_INPUT: Final = 2
DAY_US: Final = 86_400_000_000


@click.group()
def key() -> None:
    """Make, show, replace and export the keys of a party."""


@key.command()
@click.argument("party")
@click.option("--folder", default=".", show_default=True, type=click.Path(file_okay=False),
              help="Where the files go.")  # fmt: skip
@click.option("--post", "posts", multiple=True, default=["watch", "duty-officer"],
              show_default=True,
              help="A post that acts in routine; may stand several times.")  # fmt: skip
@click.option("--one-person", is_flag=True, help="One representative may bind the party alone.")
@click.option("--days", default=730, show_default=True, type=click.IntRange(1, 3_660),
              help="How long the mandates hold.")  # fmt: skip
def new(party: str, folder: str, posts: tuple[str, ...], one_person: bool, days: int) -> int:  # noqa: FBT001 click calls it so
    """Make the keys of PARTY: a root, the root after it, two representatives, its posts.

    The representatives may sign everything that takes one, the posts what is routine; `key
    appoint` makes it narrower, and appoints more.

    \b
    Example:
      keepclear key new north --folder north-keys
    """  # noqa: D301 click keeps the lines of a paragraph that starts with this control character
    return print_or_refuse(lambda: make_keys(party, folder, posts, days, is_one=one_person))


@key.command()
@click.argument("file", type=click.Path(dir_okay=False))
def show(file: str) -> int:
    """Print the keys in FILE with fingerprints to compare by voice.

    \b
    Example:
      keepclear key show north-keys/north.keys.json
    """  # noqa: D301 click keeps the lines of a paragraph that starts with this control character
    from keepclear.cli.record import read_keys_file
    from keepclear.record.key_documents import Keyring
    from keepclear.reports.record_text import keys_text

    def make() -> list[str]:
        keys, ring = read_keys_file(file), Keyring()
        for place, envelope in enumerate(keys.documents):
            ring.add(envelope, place, f"{file}, document {place + 1}")
        return [keys_text(keys).rstrip("\n")]

    return print_or_refuse(make)


@key.command()
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option("--exchange", "exchanges", multiple=True, metavar="NAME=KEY",
              help="A key of the exchange: its name, and the key in hexadecimal.")  # fmt: skip
@click.option("--output", required=True, metavar="FILE", help="Where it goes.")
def export(files: tuple[str, ...], exchanges: tuple[str, ...], output: str) -> int:
    """Put the public keys of several parties, and of the exchange, into one file of keys.

    \b
    Example:
      keepclear key export north.keys.json south.keys.json --output keys.json
    """  # noqa: D301 click keeps the lines of a paragraph that starts with this control character
    from keepclear.cli.output import bytes_of, check_output
    from keepclear.cli.record import read_keys_file
    from keepclear.record.files import KeysFile
    from keepclear.record.key_documents import Keyring

    def make() -> list[str]:
        ring, own = Keyring(), [_exchange_key(text) for text in exchanges]
        documents: list[Envelope] = []
        for file in files:
            keys = read_keys_file(file)
            own += [each for each in keys.exchange if each not in own]
            for envelope in keys.documents:
                ring.add(envelope, len(documents), file)
                documents.append(envelope)
        check_output(output, "keys", files)
        keys = KeysFile(exchange=tuple(own), documents=tuple(documents))
        write_keys(output, keys, bytes_of(output))
        return [
            f"wrote {output}: {', '.join(ring.parties())}; keys of the exchange: {len(own)}",
            f"Compare the fingerprints with each party by voice: keepclear key show {output}",
        ]

    return print_or_refuse(make)


def check_name(text: str) -> str:
    """Return what can name a party, a post or a class of craft; refuse anything else."""
    from keepclear.record.headers import is_name

    if not is_name(text):
        raise click.BadParameter(
            f"{text!r} is no name; give up to 64 small letters, digits and hyphens, as blue-air"
        )
    return text


def named(_context: click.Context, _param: click.Parameter, text: str) -> str:
    """Check a name that an option gives."""
    return check_name(text)


def make_keys(
    party: str, folder: str, posts: tuple[str, ...], days: int, *, is_one: bool = False
) -> list[str]:
    """Write the keys of a new party into a folder; return what is said of it."""
    from keepclear.cli.output import NotWrittenOver
    from keepclear.record.files import KeysFile
    from keepclear.record.key_documents import first_document, follow
    from keepclear.record.mandates import mandate_text

    for each in (party, *posts):
        check_name(each)
    names = ["root", "next-root", "rep-1", "rep-2", *posts]

    if len(set(names)) < len(names):
        raise click.UsageError(f"--post: {', '.join(posts)} repeats a name; give each its own")
    made = {name: new_signer() for name in names}
    now_us = time.time_ns() // 1000
    until_us = now_us + days * DAY_US
    envelope = first_document(
        party, made, ("rep-1", "rep-2"), posts, now_us, until_us, is_one=is_one
    )
    document = follow(None, envelope)
    [powers], [routine] = document.representatives[0].mandates, document.devices[0].mandates
    public = f"{folder}/{party}.keys.json"
    if os.path.lexists(public):
        raise NotWrittenOver(
            public, f"File exists: {party} has keys; go on with keepclear key rotate"
        )
    Path(folder).mkdir(parents=True, exist_ok=True)
    files = {private_file(folder, party, name): (name, made[name]) for name in names}
    keys = KeysFile(documents=(envelope,))
    write_privates(files, party, lambda: write_keys(public, keys, None))
    return [
        f"wrote {public} (public: give it to the others)",
        *(f"wrote {private_file(folder, party, name)} (PRIVATE)" for name in names),
        f"rep-1, rep-2 may sign {mandate_text(powers)}",
        f"{', '.join(posts)} may sign {mandate_text(routine)}",
        "Keep root and next-root away from the posts: they sign changes of keys alone.",
        "Keep next-root in another place than root, rep-1 and rep-2: who has it and one of",
        "these can take the party over.",
    ]


def print_or_refuse(make: Callable[[], list[str]]) -> int:
    """Print the lines that a function returns, or its refusal; return the exit status."""
    from keepclear.cli.output import NotWrittenOver, print_text
    from keepclear.errors import KeepclearError
    from keepclear.reports.printable import printable

    try:
        lines = make()
    except KeepclearError as fault:
        said = "\n".join(printable(line) for line in str(fault).split("\n"))
        click.echo(f"Error: {said}", err=True)
        return BAD_INPUT
    except NotWrittenOver as fault:
        click.echo(f"Error: {printable(fault.filename)}: {fault.strerror}", err=True)
        return BAD_INPUT
    except OSError as fault:
        name = printable(str(fault.filename or "file"))
        click.echo(f"Error: {name}: {fault.strerror or fault}; check its name", err=True)
        return BAD_INPUT
    if lines:
        print_text("\n".join(lines) + "\n")
    return 0


def write_keys(file: str, keys: "KeysFile", before: bytes | None) -> None:
    """Write a file of keys over what was read of it."""
    from keepclear.cli.output import replace_text
    from keepclear.record.encoding import encode

    replace_text(file, encode(keys).decode() + "\n", "keys", before)


def _exchange_key(text: str) -> "ExchangeKey":
    from keepclear.errors import CallerError
    from keepclear.record.files import ExchangeKey
    from keepclear.record.keys import PublicKey
    from keepclear.record.notes import check_name

    name, equals, data = text.partition("=")
    try:
        found = bytes.fromhex(data)
    except ValueError:
        found = b""
    if not equals or len(found) != SEED_BYTES:
        raise click.UsageError(
            f"--exchange {text!r}: is not NAME=KEY with 64 hexadecimal digits; see what it says"
        )
    try:
        check_name(name)
        PublicKey(found)
    except CallerError as fault:
        raise click.UsageError(f"--exchange {text!r}: {fault}") from None
    return ExchangeKey(name=name, key=found)
