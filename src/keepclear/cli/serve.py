# SPDX-License-Identifier: Apache-2.0
"""`keepclear serve`: a region that parties reach over HTTP; `keepclear party`: who takes part."""

import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from keepclear.cli.key import check_name, print_or_refuse
from keepclear.cli.serving_parts import check_installed, functions_of_node

if TYPE_CHECKING:
    from keepclear.server.serving import Listening

PARTIES: Final = "127.0.0.1:8610"
OPERATOR: Final = "127.0.0.1:8611"
KEYS_DAYS: Final = 730
MADE_S: Final = 5.0
LOOKS_S: Final = 0.1


@click.command()
@click.argument("folder", type=click.Path(file_okay=False))
@click.option("--new", is_flag=True, help="Open a new region first; FOLDER is new or empty.")
@click.option("--region", metavar="NAME", help="With --new: the name of the region.")
@click.option("--house", metavar="RULE", help="With --new: minima where no agreement binds.")
@click.option("--store", metavar="ADDRESS",
              help="With --new: the PostgreSQL database that keeps its record, as "
                   "postgresql://USER@HOST/DATABASE; otherwise a file in FOLDER does.")  # fmt: skip
@click.option("--listen", default=PARTIES, show_default=True, metavar="HOST:PORT",
              help="Where parties reach it; port 0 takes a free one.")  # fmt: skip
@click.option("--operator", default=OPERATOR, show_default=True, metavar="HOST:PORT",
              help="Where the operator reaches it; never where parties can.")  # fmt: skip
@click.option("--tls-cert", metavar="FILE", type=click.Path(dir_okay=False),
              help="Serve parties over TLS (1.2 or newer): the certificate, as PEM.")  # fmt: skip
@click.option("--tls-key", metavar="FILE", type=click.Path(dir_okay=False),
              help="The certificate's private key (PEM, without a password).")  # fmt: skip
@click.option("--reached-at", metavar="URL", default="",
              help="Where other nodes of the region reach --listen, if not at what it says.",
              )  # fmt: skip
def serve(
    folder: str, *, new: bool, region: str | None, house: str | None, store: str | None,
    listen: str, operator: str, tls_cert: str | None, tls_key: str | None,
    reached_at: str,
) -> int:  # fmt: skip
    """Serve the region in FOLDER until Ctrl-C.

    \b
    Example:
      keepclear serve east --new --region east --house "5 NM / 1000 ft"
      keepclear serve east
    """  # noqa: D301 click keeps the lines of a paragraph that starts with this control character
    from keepclear.agreement.rules_toml import parse_short

    def make() -> list[str]:
        check_installed()
        from keepclear.server.clock import SteadyClock
        from keepclear.server.region import create_region
        from keepclear.server.serving import Address
        from keepclear.server.serving import serve as run
        from keepclear.server.tls import tls_context

        functions = functions_of_node()
        if new and not (region and house):
            raise click.UsageError("--new: give --region NAME and --house RULE with it")
        if not new and (region or house):
            raise click.UsageError("--region, --house: stand in the record; leave them out")
        if reached_at and not reached_at.startswith(("http://", "https://")):
            raise click.UsageError(f'--reached-at {reached_at!r}: give "http://HOST:PORT"')
        if not new and store:
            raise click.UsageError("--store: stands in the folder; leave it out")
        if bool(tls_cert) != bool(tls_key):
            raise click.UsageError("--tls-cert, --tls-key: give both, or neither")
        tls = tls_context(Path(tls_cert), Path(tls_key)) if tls_cert and tls_key else None
        addresses = [
            Address(*address(each, option))
            for each, option in ((listen, "--listen"), (operator, "--operator"))
        ]
        clock = SteadyClock()
        rules = parse_short(house) if house else None

        def first() -> None:
            if region and rules:
                create_region(Path(folder), region, rules, clock, functions, store)

        run(Path(folder), addresses[0], addresses[1], functions, said, clock, first=first,
            tls=tls, reached_at=reached_at)  # fmt: skip
        return ["ended; what was answered is in the record"]

    def said(listening: "Listening") -> None:
        click.echo(f"parties   {listening.parties.url}\noperator  {listening.operator.url}")
        click.echo("Ctrl-C ends it.")

    return print_or_refuse(make)


@click.group()
def party() -> None:
    """For the operator: who takes part in the region."""


@party.command()
@click.argument("keys", type=click.Path(dir_okay=False))
@click.option("--folder", required=True, type=click.Path(file_okay=False),
              help="The region's folder, as it is served on this machine.")  # fmt: skip
@click.option("--operator", default=OPERATOR, show_default=True, metavar="HOST:PORT",
              help="Where the node is reached by its operator.")  # fmt: skip
def admit(keys: str, folder: str, operator: str) -> int:
    """Admit the parties whose key documents are in KEYS, or take their changed keys.

    Compare the fingerprints with the party by voice first: what is admitted stays in the record.

    \b
    Example:
      keepclear key show north.keys.json
      keepclear party admit north.keys.json --folder east
    """  # noqa: D301 click keeps the lines of a paragraph that starts with this control character
    return print_or_refuse(lambda: [f"admitted {', '.join(_admitted(keys, folder, operator))}"])


@party.command()
@click.argument("name")
@click.option("--folder", required=True, type=click.Path(file_okay=False),
              help="The region's folder, as it is served on this machine.")  # fmt: skip
@click.option("--home", required=True, type=click.Path(file_okay=False),
              help="Where the party's keys and its watch go.")  # fmt: skip
@click.option("--status", type=click.Choice(["Actual", "Exercise", "Test"]), default="Exercise",
              show_default=True, help="What its acts are.")  # fmt: skip
@click.option("--exchange", default=f"http://{PARTIES}", show_default=True, metavar="URL",
              help="Where the node is reached by parties.")  # fmt: skip
@click.option("--operator", default=OPERATOR, show_default=True, metavar="HOST:PORT",
              help="Where the node is reached by its operator.")  # fmt: skip
def add(name: str, folder: str, home: str, status: str, exchange: str, operator: str) -> int:
    """Make party NAME's keys, admit it and set up its watch: for a first look, on one machine.

    A party that does not trust the operator makes its own keys: see docs/join.md. What was done
    already is not done again, so where the node gave no answer it is run once more.

    \b
    Example:
      keepclear party add north --folder east --home north
    """  # noqa: D301 click keeps the lines of a paragraph that starts with this control character
    from keepclear.cli.desk import set_up
    from keepclear.cli.key import make_keys, write_keys
    from keepclear.cli.output import bytes_of
    from keepclear.cli.record import read_keys_file
    from keepclear.record.files import KeysFile

    def make() -> list[str]:
        public, believe = f"{home}/keys/{name}.keys.json", f"{folder}/region.keys.json"
        check_name(name)
        _wait_for(Path(folder))
        if not Path(public).exists():
            make_keys(name, f"{home}/keys", ("watch",), KEYS_DAYS)
        _admitted(public, folder, operator)
        if not Path(home, "desk.json").exists():
            watch = f"{home}/keys/{name}.watch.private.json"
            set_up(exchange, name, "watch", watch, believe, status, home)
        every = f"{folder}/keys.json"
        before = bytes_of(every)
        known = read_keys_file(believe if before is None else every)
        own = (each for each in read_keys_file(public).documents if each not in known.documents)
        documents = (*known.documents, *own)
        keys = KeysFile(exchange=known.exchange, documents=documents)
        write_keys(every, keys, before)
        return [f"{name} takes part; its watch acts with --home {home}; all keys: {every}"]

    return print_or_refuse(make)


@click.group()
def clock() -> None:
    """For the operator: the clock of a node."""


@clock.command("accept")
@click.option("--folder", required=True, type=click.Path(file_okay=False),
              help="The region's folder, as it is served on this machine.")  # fmt: skip
@click.option("--operator", default=OPERATOR, show_default=True, metavar="HOST:PORT",
              help="Where the node is reached by its operator.")  # fmt: skip
def accept_step(folder: str, operator: str) -> int:
    """Go on with what the machine's clock says now, and with how the database's differs from it.

    Where clocks differ by more than 2 s nothing happens by time alone, and health says which is
    off. Set it right where it is wrong; this is for where it is right. Time in the record never
    goes back: where it is ahead it stands until the clock has come.

    \b
    Example:
      keepclear clock accept --folder east
    """  # noqa: D301 click keeps the lines of a paragraph that starts with this control character
    from keepclear.client import accept_clock
    from keepclear.server.region import operator_token

    def make() -> list[str]:
        accept_clock(operator_url(operator), operator_token(Path(folder)))
        return ["accepted; what has fallen due meanwhile happens now"]

    return print_or_refuse(make)


def _wait_for(folder: Path) -> None:
    """Wait a little for a region that keepclear serve --new is making just now."""
    ends = time.monotonic() + MADE_S
    while not (folder / "operator.token").exists() and time.monotonic() < ends:
        time.sleep(LOOKS_S)


def _admitted(keys: str, folder: str, operator: str) -> tuple[str, ...]:
    """Admit the parties in a file of keys; return which."""
    from keepclear.cli.record import read_keys_file
    from keepclear.client import admit_party
    from keepclear.record.key_documents import Keyring
    from keepclear.server.region import operator_token

    found, ring, token = read_keys_file(keys), Keyring(), operator_token(Path(folder))
    for place, envelope in enumerate(found.documents):
        ring.add(envelope, place, keys)
    for envelope in found.documents:
        admit_party(operator_url(operator), token, envelope)
    return ring.parties()


def operator_url(operator: str) -> str:
    """Return where a node is reached by its operator, given so or as the node prints it."""
    return f"http://{operator.removeprefix('http://').rstrip('/')}"


def address(text: str, option: str) -> tuple[str, int]:
    """Return host and port."""
    host, colon, port = text.rpartition(":")
    if not colon or not host or not port.isascii() or not port.isdigit() or int(port) > 65_535:
        raise click.UsageError(f'{option} {text!r}: is no HOST:PORT; give "127.0.0.1:8610"')
    return host.strip("[]"), int(port)
