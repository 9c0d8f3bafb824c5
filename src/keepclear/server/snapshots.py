# SPDX-License-Identifier: Apache-2.0
"""A node's snapshot of the record it serves: when one is made, and when one is gone on from.

1. Made by who writes: at its end, and whenever the record has grown by so much that reading it
   again would take longer than a start should.
2. Written by a thread of its own; where that fails the exchange goes on, and it is tried again
   later.
"""

import logging
import threading
from hashlib import sha256
from pathlib import Path
from typing import Final

from keepclear.detect.kernel import Functions
from keepclear.errors import OperatorError
from keepclear.exchange.exchange import Exchange
from keepclear.exchange.kept import Region
from keepclear.exchange.ports import Store
from keepclear.exchange.reopening import Following
from keepclear.exchange.snapshots import Copied, Unusable, frames, read
from keepclear.store.snapshots import pieces_of, program_version, write_pieces

NAME: Final = "record.snapshot"
FEWEST: Final = 20_000  # lines, which are read in some seconds
LOG: Final = logging.getLogger("keepclear.server")


class Snapshots:
    """The snapshot in a region's folder. Used by the writer's thread."""

    def __init__(self, folder: Path, fewest: int = FEWEST) -> None:
        self._path, self._fewest = folder / NAME, fewest
        self._lines = 0
        self._thread: threading.Thread | None = None

    def begun(self, region: Region, store: Store, functions: Functions) -> Following | None:
        """Return what the snapshot leads to, to be read on from; None where it is not usable."""
        self._lines = 0
        try:
            return self._begun(region, store, functions)
        except (Unusable, OperatorError) as fault:
            if self._path.exists():
                LOG.warning("%s: %s; the record is read from its beginning", NAME, fault)
            return None

    def _begun(self, region: Region, store: Store, functions: Functions) -> Following:
        snapshot = read(pieces_of(self._path), program_version(), region, functions)
        header, last = store.pick([0, snapshot.lines - 1])
        if sha256(last).digest() != snapshot.last:
            raise Unusable(f"the record has another line {snapshot.lines - 1:,}")
        following = Following.after(snapshot.kept, header, last, region, functions)
        self._lines = snapshot.lines
        return following

    def look(self, exchange: Exchange) -> None:
        """Make a snapshot where it is time for one. Between acts."""
        lines = exchange.reads.lines
        if lines - self._lines < max(self._fewest, len(exchange.world.operations) // 4):
            return
        if self._thread is None or not self._thread.is_alive():
            self._lines = lines
            self._thread = threading.Thread(
                target=self._write, args=(exchange.copied(program_version()),), name="snapshot"
            )
            self._thread.start()

    def last(self, exchange: Exchange) -> Copied | None:
        """Return what is to be written at the end; None where nothing is new."""
        return None if exchange.reads.lines == self._lines else exchange.copied(program_version())

    def end(self, copied: Copied | None) -> None:
        """Write what `last` gave, after what is being written."""
        if self._thread is not None:
            self._thread.join()
        if copied is not None:
            self._write(copied)

    def _write(self, copied: Copied) -> None:
        try:
            write_pieces(frames(copied), self._path)
        except OSError as fault:
            LOG.warning("%s: could not be written (%s); a start takes longer", NAME, fault)
