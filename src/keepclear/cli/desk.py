# SPDX-License-Identifier: Apache-2.0
"""`keepclear post`: a post at an exchange, kept in a folder; what the other commands act with.

The folder (`--home`, or KEEPCLEAR_HOME) holds:

    desk.json       where the exchange is, for which party and post, with which key; in an
                    exercise with a clock of its own, that this is the exchange's
    believed.json   the exchange's public key, as the operator gave it
    seen.json       the last checkpoint of each tree, and how much of the record is here
    record.jsonl    the party's part of the record, as far as it was fetched
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from keepclear.cli.key import print_or_refuse

if TYPE_CHECKING:
    from keepclear.client import Client

Function = TypeVar("Function", bound=Callable[..., Any])
FORMAT: Final = "keepclear-desk/1"
RECORD: Final = "record.jsonl"
SHORTEST: Final = 4


def home_option(function: Function) -> Function:
    """Let a command be given the folder of a post."""
    return click.option(
        "--home", envvar="KEEPCLEAR_HOME", default=".", show_default=True,
        type=click.Path(file_okay=False), help="The post's folder; KEEPCLEAR_HOME sets it too.",
    )(function)  # fmt: skip


@click.group()
def post() -> None:
    """Set up a post at an exchange."""


@post.command()
@click.option("--exchange", "url", required=True, metavar="URL", help="Where the exchange is.")
@click.option("--party", required=True, help="The party that the post is of.")
@click.option("--name", default="watch", show_default=True, help="The post, as its key names it.")
@click.option("--key", "key_file", required=True, type=click.Path(dir_okay=False),
              help="The post's private key.")  # fmt: skip
@click.option("--believe", required=True, type=click.Path(dir_okay=False),
              help="The exchange's public key, as the operator gave it.")  # fmt: skip
@click.option("--status", type=click.Choice(["Actual", "Exercise", "Test"]), default="Actual",
              show_default=True, help="What its acts are.")  # fmt: skip
@home_option
def setup(
    url: str, party: str, name: str, key_file: str, believe: str, status: str, home: str
) -> int:
    """Set up a post: where its exchange is, and with which key it signs.

    \b
    Example:
      keepclear post setup --exchange http://127.0.0.1:8610 --party north \\
        --key north-keys/north.watch.private.json --believe region.keys.json \\
        --home north
    """  # noqa: D301 click keeps the lines of a paragraph that starts with this control character
    return print_or_refuse(lambda: set_up(url, party, name, key_file, believe, status, home))


def set_up(
    url: str, party: str, name: str, key_file: str, believe: str, status: str, home: str
) -> list[str]:
    """Write the folder of a post; return what is said of it."""
    from keepclear.cli.output import write_text
    from keepclear.cli.private_keys import read_private
    from keepclear.cli.record import read_keys_file
    from keepclear.record.encoding import encode
    from keepclear.reports.record_text import keys_text

    keys = read_keys_file(believe)
    if not keys.exchange:
        raise click.UsageError(f"--believe {believe!r}: has no key of an exchange")
    read_private(key_file, party)
    folder = Path(home)
    folder.mkdir(parents=True, exist_ok=True)
    desk = {
        "format": FORMAT, "exchange": url, "party": party, "post": name, "status": status,
        "key": str(Path(key_file).absolute()),
    }  # fmt: skip
    write_text(str(folder / "desk.json"), encode(desk).decode() + "\n")
    write_text(str(folder / "believed.json"), encode(keys).decode() + "\n")
    return [
        f"post {name} of {party} is set up in {home}",
        "Compare this key with the operator by voice, before anything is signed:",
        keys_text(keys).rstrip("\n"),
    ]


@contextmanager
def desk(home: str) -> Iterator["Client"]:
    """Give the client of a post, and keep what it was shown."""
    import msgspec

    from keepclear.cli.private_keys import read_private
    from keepclear.cli.record import read_keys_file
    from keepclear.client import Client, Seen
    from keepclear.errors import OperatorError
    from keepclear.record.headers import Status

    folder = Path(home)
    try:
        said = msgspec.json.decode((folder / "desk.json").read_bytes(), type=dict[str, str])
    except FileNotFoundError:
        raise OperatorError(
            f"{home}: is no folder of a post; set it up with keepclear post setup, or give --home"
        ) from None
    seen_file = folder / "seen.json"
    seen = Seen()
    if seen_file.exists():
        seen = msgspec.json.decode(seen_file.read_bytes(), type=Seen)
    signer = read_private(said["key"], said["party"])
    believed = read_keys_file(str(folder / "believed.json"))
    with Client(
        said["exchange"], said["party"], said["post"], signer, believed,
        status=Status(said["status"]), seen=seen, follows=said.get("clock") == "exchange",
    ) as client:  # fmt: skip
        try:
            yield client
        finally:
            made = folder / "seen.json.new"
            made.write_bytes(msgspec.json.encode(client.seen))
            made.replace(seen_file)


@click.command()
@click.option("--output", metavar="FILE", help="Copy all of it to FILE too.")
@home_option
def export(output: str | None, home: str) -> int:
    """Fetch what is new of the party's part of the record into its folder, as record.jsonl.

    \b
    Example:
      keepclear record export --home north
      keepclear record verify north/record.jsonl --keys keys.json
    """  # noqa: D301 click keeps the lines of a paragraph that starts with this control character
    import shutil

    def make() -> list[str]:
        file = Path(home) / RECORD
        with desk(home) as client, file.open("r+b" if file.exists() else "x+b") as kept:
            seen = client.seen
            if file.stat().st_size < seen.size:
                raise click.UsageError(
                    f"{file}: is shorter than it was; move it away with seen.json, and fetch anew"
                )
            before = seen.step
            kept.seek(seen.size)
            kept.truncate()  # what was cut off while it was written
            while True:
                data, last = client.record(seen.step)
                kept.write(data)
                kept.flush()
                if last == seen.step:
                    break
                seen.step, seen.size = last, kept.tell()
        if output is not None:
            shutil.copyfile(file, output)
        return [f"{output or file}: {seen.step - before:,} new, {seen.step:,} in all"]

    return print_or_refuse(make)


def one_of(given: str, known: list[str], what: str) -> str:
    """Return the one id that begins so; refuse where none or several do."""
    from keepclear.errors import InputError

    found = [each for each in known if each.startswith(given.lower())]
    if len(given) < SHORTEST or len(found) != 1:
        raise InputError(
            what, given, f"begins {len(found)} of {len(known)} ids" if len(given) >= SHORTEST
            else f"has fewer than {SHORTEST} digits",
            f"give the id as the list of your {what}s has it",
        )  # fmt: skip
    return found[0]
