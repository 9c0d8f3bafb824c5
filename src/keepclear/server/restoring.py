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

from keepclear.clock import RandomIds
from keepclear.detect.kernel import Functions
from keepclear.errors import KeepclearError, OperatorError
from keepclear.exchange.carrying import carried_over, is_same
from keepclear.exchange.exchange import Exchange
from keepclear.exchange.kept import Kept, Region
from keepclear.exchange.ports import Clock, Store
from keepclear.exchange.reopening import reopened
from keepclear.record.faults import RecordError
from keepclear.record.files import ExchangeKey, Header
from keepclear.record.keys import Signer
from keepclear.record.verification import verify
from keepclear.server.backups import EARLIER, RECORD, Backup, earlier_in, lines_of, read_backup
from keepclear.server.region import read_private, region_in, write_secrets
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
    exchange, signer = read_private(key)
    _check_free(folder)
    region, old = _read(backup, said, exchange, signer, functions)
    making = folder.with_name(f"{folder.name}.restoring")
    if making.exists():
        raise OperatorError(
            f"{making}: is left of a restore that was cut off; remove it, and restore again"
        )
    making.mkdir(parents=True, mode=0o700)
    try:
        write_secrets(making, exchange, signer)
        _copy_earlier(backup, said, making)
        store = create_store(making, _header(region, signer), address, RESTORING)
        try:
            begun = carried_over(old, lines_of(backup), region, clock.now_us(), RandomIds())
            _append(store, begun)
            made = Exchange(region, signer, clock, RandomIds(), store, functions)
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
    backup: Path, said: Backup, exchange: str, signer: Signer, functions: Functions
) -> tuple[Region, Kept]:
    """Return the region that goes on from a backup, and what that leads to; verify all of it."""
    lines = list(islice(lines_of(backup), 2))
    before = region_in(lines[1] if len(lines) > 1 else b"", backup)
    if (before.name, before.exchange) != (said.region, exchange):
        raise OperatorError(
            f"{backup}: is of region {before.name} and exchange {before.exchange}, and the key is "
            f"that of {exchange}; give the backup and the key of one region"
        )
    try:
        found = verify(lines_of(backup), None)
    except RecordError as fault:
        raise OperatorError(
            f"{backup / RECORD}: does not hold ({fault}), so nothing is restored from it; give an "
            "older backup"
        ) from None
    strange = [each.key_id for each in found.exchange if each.key_id != signer.public.id]
    if strange:
        raise OperatorError(
            f"{backup / RECORD}: is signed by key {strange[0][:16]}, and the key given is "
            f"{signer.public.id[:16]}; give the key that it was signed with, and a backup that "
            "nobody else has signed"
        )
    old = reopened(lambda: lines_of(backup), before, signer.public, functions)
    return before._replace(incarnation=before.incarnation + 1), old


def _header(region: Region, signer: Signer) -> Header:
    own = ExchangeKey(name=region.exchange, key=signer.public.data)
    return Header(
        view="archive", region=region.name, incarnation=region.incarnation, party="",
        exchange=(own,),
    )  # fmt: skip


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
