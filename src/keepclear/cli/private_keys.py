# SPDX-License-Identifier: Apache-2.0
"""Private keys as files: made, read, and written so that only their owner can read them.

What such a file holds is in no message: it may be shown to somebody.
"""

import os
import stat
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

if TYPE_CHECKING:
    from keepclear.record.keys import Signer

SEED_BYTES: Final = 32
PRIVATE: Final = "keepclear-private-key/1"


def new_signer() -> "Signer":
    """Return a new key."""
    from keepclear.record.keys import Signer

    return Signer(os.urandom(SEED_BYTES))


def private_file(folder: str, party: str, name: str) -> str:
    """Return how the file of a private key is called."""
    return f"{folder}/{party}.{name}.private.json"


def write_privates(
    files: "Mapping[str, tuple[str, Signer]]", party: str, then: Callable[[], None]
) -> None:
    """Write private keys by their files, then do the rest; all of it or nothing, over none."""
    from keepclear.cli.output import write_private
    from keepclear.record.encoding import encode

    made = {}
    for file, (name, signer) in files.items():
        value = {"format": PRIVATE, "party": party, "name": name, "seed": signer.seed.hex()}
        made[file] = encode(value) + b"\n"
    write_private(made, then)


def read_private(file: str, party: str) -> "Signer":
    """Return the signer in a private key's file of a party; tell where others can read it.

    `Malformed` or `OSError` where it is none, or of another party.
    """
    from keepclear.record.encoding import decode
    from keepclear.record.faults import Malformed
    from keepclear.record.keys import Signer

    try:
        value = decode(Path(file).read_bytes().strip(), dict[str, str], file)
    except Malformed:
        value = {}
    if value.get("format") != PRIVATE:
        raise Malformed(
            "private key", file, "cannot be read as one",
            "give a file of a private key as keepclear key new wrote it",
        )  # fmt: skip
    try:
        seed = bytes.fromhex(value.get("seed", ""))
    except ValueError:
        seed = b""
    if len(seed) != SEED_BYTES or not value.get("name"):
        raise Malformed(
            "private key", file, "lacks its name, or a seed of 64 hexadecimal digits",
            "give the file as keepclear key new wrote it",
        )  # fmt: skip
    if value.get("party") != party:
        raise Malformed(
            "private key", file, f"is of {value.get('party', 'nobody')}, not of {party}",
            f"sign with a key of {party}",
        )  # fmt: skip
    mode = stat.S_IMODE(Path(file).stat().st_mode)
    if os.name == "posix" and mode & 0o077:
        click.echo(
            f"Warning: {file} can be read by others (mode {mode:04o}): chmod 600 {file}", err=True
        )
    return Signer(seed)
