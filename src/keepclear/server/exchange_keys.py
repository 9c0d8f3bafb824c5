# SPDX-License-Identifier: Apache-2.0
"""The exchange's private keys in a region's folder: the one of now, and the one after it.

A change goes in three steps, each of which can be the last before a power cut:

1. *Prepare*: the new key stands in `exchange.next.private.json`, on the disk, with the change that
   the old and the new key have signed. On every node, where there are several.
2. *Enter*: the change is appended to the record. From there on the new key signs.
3. *Settle*: the file of the new key takes the place of the old one, in one step, and
   `region.keys.json` gets the new public key.

Which key signs, the record says alone. A node that begins has both at hand, takes the one of the
record, and settles what was left. One that has not the key of the record refuses to write.
"""

import logging
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from keepclear.errors import OperatorError
from keepclear.exchange.exchange import Exchange
from keepclear.record.encoding import encode
from keepclear.record.files import ExchangeKey, KeysFile
from keepclear.record.keys import Signer
from keepclear.record.notes import NoteKey
from keepclear.record.parts import exchange_key_in, seal_exchange_key
from keepclear.server.region import (
    PRIVATE,
    PUBLIC,
    SEED_BYTES,
    PrivateKey,
    read_private,
    write_private,
)
from keepclear.server.stores import is_in_database

NEXT: Final = "exchange.next.private.json"
LOG: Final = logging.getLogger("keepclear.server")


class Changed(msgspec.Struct, frozen=True, kw_only=True):
    """A change of the exchange's key, by the ids of the keys."""

    old: str
    new: str


class KeysAtHand(NamedTuple):
    """The keys in a folder: what signs now, as the file says, and what may sign after it."""

    now: PrivateKey
    after: PrivateKey | None

    @property
    def signers(self) -> tuple[Signer, ...]:
        """Return what there is to sign with."""
        return tuple(each.signer for each in (self.now, self.after) if each is not None)


def keys_at_hand(folder: Path, *, is_strict: bool = True) -> KeysAtHand:
    """Return the private keys of a region's exchange.

    `OperatorError` where a file is none; with is_strict False the next one is then passed over, as
    the record may never need it.
    """
    now, after = read_private(folder / PRIVATE), None
    try:
        after = read_private(folder / NEXT) if (folder / NEXT).exists() else None
    except OperatorError as fault:
        if is_strict:
            raise
        LOG.warning("%s", fault)
    return KeysAtHand(now, after)


def prepare_key(folder: Path) -> Changed:
    """Make the key that the exchange may go on with; nothing signs with it yet.

    `OperatorError` where one is prepared already.
    """
    now, after = keys_at_hand(folder)
    if after is not None:
        raise OperatorError(
            f"{folder / NEXT}: is prepared already, key {after.signer.public.id[:16]}; go on with "
            f"keepclear region rotate-key {folder}, and keep the file: the record may go on with it"
        )
    old, new = now.signer, Signer(os.urandom(SEED_BYTES))
    change = seal_exchange_key(now.name.rpartition("/")[2], now.name, old, new)
    made = PrivateKey(name=now.name, seed=new.seed.hex(), changes=(*now.changes, change))
    beside = folder / f"{NEXT}.new"
    beside.unlink(missing_ok=True)  # of a cut before
    write_private(beside, encode(made))
    beside.rename(folder / NEXT)
    _sync(folder)
    return Changed(old=old.public.id, new=new.public.id)


def check_prepared(folder: Path) -> None:
    """See that there is a key to go on with; where the record is in a file one is made.

    `OperatorError` where it is in a database: other nodes may need the key first.
    """
    if (folder / NEXT).exists():
        return
    if is_in_database(folder):
        raise OperatorError(
            f"{folder / NEXT}: is not there, and other nodes may serve this region; type keepclear "
            f"region prepare-key {folder}, copy the file into the folder of each, and then rotate"
        )
    prepare_key(folder)


def enter_next_key(folder: Path, exchange: Exchange) -> Changed:
    """Let an exchange go on with the key that is prepared in its folder."""
    settle_keys(folder, exchange.signing)  # what was left of another time
    after = keys_at_hand(folder).after
    if after is None:
        raise OperatorError(
            f"{folder / NEXT}: is not there, so there is no key to go on with; type "
            f"keepclear region prepare-key {folder}"
        )
    signing = exchange.signing[-1].key.id
    signed = {each.keyid for change in after.changes[-1:] for each in change.signatures}
    if signing not in signed - {after.signer.public.id}:
        raise OperatorError(
            f"{folder / NEXT}: follows another key than {signing[:16]}, which signs now; remove it "
            "on every node, and prepare another"
        )
    exchange.change_key(after.changes[-1], after.signer)
    return Changed(old=signing, new=after.signer.public.id)


def settle_keys(folder: Path, signing: Sequence[NoteKey]) -> None:
    """Let the files of a folder be those of the key that signs now. signing: all of them, in order.

    Called by the one who writes the record, once the record says so.
    """
    now, after = keys_at_hand(folder, is_strict=False)
    newest = signing[-1].key
    if now.signer.public != newest and after is not None and after.signer.public == newest:
        (folder / NEXT).replace(folder / PRIVATE)
        _sync(folder)
    elif (
        now.signer.public == newest
        and after is not None
        and after.signer.public in {each.key for each in signing}
    ):
        (folder / NEXT).unlink()  # a copy of what signs already, or signed before
    write_public(folder, tuple(ExchangeKey(name=each.name, key=each.key.data) for each in signing))


def write_public(folder: Path, keys: tuple[ExchangeKey, ...]) -> None:
    """Let the exchange's public keys be these, the newest last, where they are others."""
    path = folder / PUBLIC
    try:
        before = msgspec.json.decode(path.read_bytes(), type=KeysFile)
    except (FileNotFoundError, msgspec.DecodeError):
        before = KeysFile(exchange=())
    if before.exchange != keys:
        made = path.with_name(f"{path.name}.new")
        made.write_bytes(encode(msgspec.structs.replace(before, exchange=keys)) + b"\n")
        made.replace(path)


def led_to(key: PrivateKey) -> frozenset[str]:
    """Return the ids of a key, and of those that led to it."""
    signed = (each.keyid for change in key.changes for each in change.signatures)
    return frozenset((key.signer.public.id, *signed))


def chain_of(key: PrivateKey, first: Sequence[ExchangeKey]) -> tuple[ExchangeKey, ...]:
    """Return the keys that led to one, and that. first: those of a record's header."""
    later = (exchange_key_in(each, _region(key)) for each in key.changes)
    return (*first, *(ExchangeKey(name=each.name, key=each.key.data) for each in later))


def _region(key: PrivateKey) -> str:
    return key.name.rpartition("/")[2]


def _sync(folder: Path) -> None:
    """Let the names in a folder outlast a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
