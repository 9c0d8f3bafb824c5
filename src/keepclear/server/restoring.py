# SPDX-License-Identifier: Apache-2.0
"""A region restored from a backup, in the open: as the next incarnation of its record.

1. The backup is verified whole, decided from as any record is, and carried over
   (`exchange.carrying`); what the new record leads to is compared with what the backup does.
2. The folder gets its name once all of it is there. In a database the region is new, so the one
   that was lost is never written over.
3. The record of the backup stays in the folder, as evidence, under `earlier/`.
"""

import shutil
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from keepclear.clock import RandomIds
from keepclear.detect.kernel import Functions
from keepclear.errors import KeepclearError, OperatorError
from keepclear.exchange.carrying import carried_over, is_same
from keepclear.exchange.exchange import Exchange
from keepclear.exchange.kept import Kept, Region
from keepclear.exchange.ports import Clock, Store
from keepclear.exchange.reopening import reopened
from keepclear.record.faults import RecordError
from keepclear.record.files import Header
from keepclear.record.keys import PublicKey
from keepclear.record.verification import verify
from keepclear.server.backups import EARLIER, RECORD, Backup, earlier_in, lines_of, read_backup
from keepclear.server.exchange_keys import chain_of, led_to
from keepclear.server.region import PrivateKey, read_private, region_in, write_secrets
from keepclear.server.stores import create_store, is_begun
from keepclear.store.nodes import Node

RESTORING: Final = Node("restore", "")
AT_ONCE: Final = 1_000  # lines written with one append


class Restored(NamedTuple):
    """What was restored: from which backup, as which region and incarnation, with what in it."""

    backup: Backup
    region: Region
    operations: int
    conflicts: int


def restore_region(
    backup: Path, folder: Path, key: Path, clock: Clock, functions: Functions,
    address: str | None = None,
) -> Restored:  # fmt: skip
    """Make a region's folder from a backup. key: the exchange's private key, from its own place.

    address: of the database that keeps its record; None for a file in the folder.
    `OperatorError` where the backup is damaged, the key is another's, or something is there.
    """
    said, folder = read_backup(backup), folder.absolute()
    private = read_private(key)
    _check_free(folder)
    header, region, old = _read(backup, said, private, functions)
    making = folder.with_name(f"{folder.name}.restoring")
    if making.exists():
        raise OperatorError(
            f"{making}: is left of a restore that was cut off; remove it, and restore again"
        )
    making.mkdir(parents=True, mode=0o700)
    try:
        write_secrets(making, private, chain_of(private, header.exchange))
        _copy_earlier(backup, said, making)
        store = create_store(making, header, address, RESTORING)
        try:
            begun = carried_over(
                old, lines_of(backup), region, clock.now_us(), RandomIds(), private.changes
            )
            _append(store, begun)
            made = Exchange(region, private.signer, clock, RandomIds(), store, functions)
            if not is_same(old.world, made.world):
                raise OperatorError(
                    f"{backup}: what stands in it is not what was carried over, so nothing was "
                    "restored; this is a fault of ours: keep the backup, and tell us"
                )
            made.beat()
        finally:
            store.close()
    except KeepclearError:
        shutil.rmtree(making)
        raise
    if folder.exists():
        folder.rmdir()
    making.rename(folder)
    return Restored(said, region, len(made.world.operations), len(made.world.conflicts))


def _check_free(folder: Path) -> None:
    if is_begun(folder):
        raise OperatorError(
            f"{folder}: is a region already, and nothing is restored over it; give a new folder, "
            "and serve this one no more"
        )
    if folder.exists() and any(folder.iterdir()):
        raise OperatorError(f"{folder}: is not empty; give a new folder")


def _read(
    backup: Path, said: Backup, private: PrivateKey, functions: Functions
) -> tuple[Header, Region, Kept]:
    """Return how the record goes on from a backup, and what that leads to; verify all of it."""
    lines = list(islice(lines_of(backup), 2))
    before = region_in(lines[1] if len(lines) > 1 else b"", backup)
    if (before.name, before.exchange) != (said.region, private.name):
        raise OperatorError(
            f"{backup}: is of region {before.name} and exchange {before.exchange}, and the key is "
            f"that of {private.name}; give the backup and the key of one region"
        )
    try:
        found = verify(lines_of(backup), None)
    except RecordError as fault:
        raise OperatorError(
            f"{backup / RECORD}: does not hold ({fault}), so nothing is restored from it; give an "
            "older backup"
        ) from None
    ids, mine = led_to(private), private.signer.public.id[:16]
    strange = [each.key_id for each in found.exchange if each.key_id not in ids]
    if strange:
        raise OperatorError(
            f"{backup / RECORD}: is signed by key {strange[0][:16]}, and the key given is "
            f"{mine}; give the key that it was signed with, or one that followed it, and a backup "
            "that nobody else has signed"
        )
    first = found.header.exchange
    publics = [PublicKey(each.key) for each in chain_of(private, first)]
    own = [each for each in publics if each.id in ids]
    old = reopened(lambda: lines_of(backup), before, own, functions)
    if old.followed != private.changes[: len(old.followed)]:
        raise OperatorError(
            f"{backup / RECORD}: goes on with another key than {mine}; give the key that was the "
            "last to sign it, or one that followed that"
        )
    header = msgspec.structs.replace(found.header, incarnation=before.incarnation + 1)
    return header, before._replace(incarnation=header.incarnation), old


def _copy_earlier(backup: Path, said: Backup, folder: Path) -> None:
    """Keep the record of the backup, and those that it has of earlier incarnations."""
    (folder / EARLIER).mkdir()
    for each in earlier_in(backup):
        shutil.copyfile(each, folder / EARLIER / each.name)
    shutil.copyfile(backup / RECORD, folder / EARLIER / f"record.{said.incarnation}.jsonl")


def _append(store: Store, lines: Iterable[bytes]) -> None:
    for some in _some(iter(lines)):
        store.append(some)


def _some(lines: Iterator[bytes]) -> Iterator[list[bytes]]:
    while some := list(islice(lines, AT_ONCE)):
        yield some
