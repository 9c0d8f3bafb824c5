# SPDX-License-Identifier: Apache-2.0
"""A region as a folder: its record, the exchange's private key, and whom to believe.

Layout:

    record.db         the record (`store.sqlite`), with what SQLite and the store keep beside it;
                      or
    store.json        in which database it is (`stores`)
    exchange.private.json   the key that signs checkpoints, for its owner alone
    exchange.next.private.json   the key after it, where one is prepared (`exchange_keys`)
    cap.ID.private.json     the key that signs documents of CAP, where there is one (`cap`)
    region.keys.json  the exchange's public keys, the newest last, to give to the parties
                      (`record.files`)
    operator.token    what the operator's commands show, for its owner alone

What the region was opened with (name, house rule, name of the exchange) stands in the first entry
of the record, and nowhere else.
"""

import os
import secrets
from pathlib import Path
from typing import Final

import msgspec

from keepclear.agreement.separation import RuleSet
from keepclear.clock import RandomIds
from keepclear.detect.kernel import Functions
from keepclear.errors import InputError, OperatorError
from keepclear.exchange.events import KIND_OF, RegionOpened
from keepclear.exchange.exchange import Exchange
from keepclear.exchange.kept import Region
from keepclear.exchange.ports import Clock, Store
from keepclear.record.encoding import Signed, encode
from keepclear.record.entries import Entry, Part
from keepclear.record.envelopes import Envelope
from keepclear.record.files import EntryLine, ExchangeKey, Header, KeysFile
from keepclear.record.headers import is_name
from keepclear.record.keys import Signer
from keepclear.server.stores import create_store, is_begun
from keepclear.store.nodes import ALONE, Node

PRIVATE: Final = "exchange.private.json"
PUBLIC: Final = "region.keys.json"
TOKEN: Final = "operator.token"  # noqa: S105 the name of a file
SEED_BYTES: Final = 32
FEWEST: Final = 32  # characters of a token


class PrivateKey(Signed, frozen=True, kw_only=True):
    """The exchange's private key, as a file.

    changes: from each of its keys to the next, from the first to this one.
    """

    format: str = "keepclear-exchange-key/1"
    name: str
    seed: str
    changes: tuple[Envelope, ...] = ()

    @property
    def signer(self) -> Signer:
        """Return what signs with it."""
        return Signer(bytes.fromhex(self.seed))


def create_region(
    folder: Path, name: str, house: RuleSet, clock: Clock, functions: Functions,
    address: str | None = None, node: Node = ALONE,
) -> None:  # fmt: skip
    """Make a region: its key, its record, and in the record's first entry what it is.

    address: of the database that keeps its record; None for a file in the folder. node: this one.
    `InputError` for a name that is none, `OperatorError` where there is something already.
    """
    if not is_name(name):
        raise InputError(
            "region", name, "is no name of a region",
            "give up to 64 of a-z, 0-9 and -, such as exercise-east",
        )  # fmt: skip
    if is_begun(folder):
        raise OperatorError(
            f"{folder}: is a region already; go on with it: keepclear serve {folder}"
        )
    if folder.exists() and any(folder.iterdir()):
        raise OperatorError(f"{folder}: is not empty; give a new folder for a new region")
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)  # the record has what each party does
    exchange = f"keepclear.example/{name}"
    signer = Signer(os.urandom(SEED_BYTES))
    own = ExchangeKey(name=exchange, key=signer.public.data)
    header = Header(view="archive", region=name, incarnation=1, party="", exchange=(own,))
    write_secrets(folder, PrivateKey(name=exchange, seed=signer.seed.hex()), (own,))
    try:
        store = create_store(folder, header, address, node)
    except OperatorError:  # nothing is half made: the same can be tried again
        for each in (PRIVATE, TOKEN, PUBLIC):
            (folder / each).unlink()
        raise
    try:
        Exchange(Region(name, exchange, house), signer, clock, RandomIds(), store, functions)
    finally:
        store.close()


def write_secrets(folder: Path, key: PrivateKey, public: tuple[ExchangeKey, ...]) -> None:
    """Write what stands in a region's folder beside its record: keys, and a new token."""
    write_private(folder / PRIVATE, encode(key))
    write_private(folder / TOKEN, secrets.token_urlsafe(32).encode())
    (folder / PUBLIC).write_bytes(encode(KeysFile(exchange=public)) + b"\n")


def operator_token(folder: Path) -> str:
    """Return what the operator's commands show to the node that serves a folder."""
    token = _read(folder / TOKEN).decode(errors="replace").strip()
    if len(token) < FEWEST or not token.isascii():
        raise OperatorError(
            f"{folder / TOKEN}: is empty or cut off, so anybody could be the operator; write "
            f"{FEWEST} random characters or more into it"
        )
    return token


def region_of(store: Store, folder: Path) -> Region:
    """Return what the first entry of a record says that it is."""
    try:
        [first] = store.pick([1])
    except (IndexError, ValueError):
        first = b""
    return region_in(first, folder)


def region_in(first: bytes, folder: Path) -> Region:
    """Return what the first entry of a record says that it is. first: the line after its header."""
    try:
        line = msgspec.json.decode(first, type=EntryLine)
        entry = msgspec.json.decode(line.entry, type=Entry)
        parts = [msgspec.json.decode(each.part, type=Part) for each in entry.leaves]
        [opened] = [
            msgspec.json.decode(each.data, type=RegionOpened)
            for each in parts if each.kind == KIND_OF[RegionOpened]
        ]  # fmt: skip
    except (msgspec.DecodeError, ValueError) as fault:
        raise OperatorError(
            f"{folder}: its record does not begin with how its region was opened ({fault}); bring "
            "the whole folder from where it was served last (docs/operate.md)"
        ) from None
    return Region(opened.region, opened.exchange, opened.house, opened.incarnation)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as fault:
        raise OperatorError(
            f"{path}: cannot be read ({fault.strerror}); give the folder that "
            "keepclear serve --new has made"
        ) from None


def read_private(path: Path) -> PrivateKey:
    """Return a private key of an exchange."""
    try:
        found = msgspec.json.decode(_read(path), type=PrivateKey)
        found.signer  # noqa: B018 refuses a seed that is none
    except (msgspec.DecodeError, ValueError):  # what is in it is in no message
        raise OperatorError(
            f"{path}: is no key of an exchange; bring a copy of it, as it was made"
        ) from None
    return found


def write_private(path: Path, data: bytes) -> None:
    """Write a new file that only its owner can read, to outlast a power cut."""
    with open(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as file:  # noqa: PTH123 pathlib sets no mode
        file.write(data + b"\n")
        file.flush()
        os.fsync(file.fileno())
