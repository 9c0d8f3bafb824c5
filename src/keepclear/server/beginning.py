# SPDX-License-Identifier: Apache-2.0
"""A region's exchange, begun from its folder; where another node writes, its record is read along.

So whoever takes over has little left to read, however long the record is.
"""

import logging
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Final

from keepclear.clock import RandomIds
from keepclear.detect.cylinders import Cylinder
from keepclear.detect.kernel import Functions, limits_of
from keepclear.detect.warm import warm_index
from keepclear.errors import OperatorError
from keepclear.exchange.exchange import Exchange
from keepclear.exchange.kept import Kept, Region
from keepclear.exchange.ports import Clock, Store
from keepclear.exchange.reopening import Following
from keepclear.record.keys import PublicKey, Signer
from keepclear.server.aside import Aside
from keepclear.server.exchange_keys import keys_at_hand, settle_keys
from keepclear.server.region import PRIVATE, region_of
from keepclear.server.snapshots import Snapshots
from keepclear.server.stores import open_store
from keepclear.server.writer import Begun
from keepclear.store.nodes import ALONE, Node, WrittenByOther

LOG: Final = logging.getLogger("keepclear.server")


class Beginning:
    """Begins the exchange of a region each time it is called. Used by the writer's thread.

    `OperatorError` where it cannot be begun; `WrittenByOther` where another node writes it.
    """

    def __init__(
        self, folder: Path, clock: Clock, functions: Functions, node: Node = ALONE
    ) -> None:
        self._folder, self._clock, self._functions, self._node = folder, clock, functions, node
        self._snapshots = Snapshots(folder)
        warm_index(functions, limits_of([Cylinder(lateral_tmm=92_600_000)]))
        self._following: Following | None = None
        self._along: Store | None = None

    def __call__(self) -> Begun:
        """Open the record, and go on from it."""
        signers = keys_at_hand(self._folder, is_strict=False).signers
        try:
            store = Aside(open_store(self._folder, self._node))
        except WrittenByOther as other:
            lacks = self._read_along(signers)
            raise WrittenByOther(other.region, other.node, lacks) from None
        self._let_go()
        try:
            region = region_of(store, self._folder)
            kept = self._kept(region, store, [each.public for each in signers])
            exchange = Exchange(
                region, signers[0], self._clock, RandomIds(), store, self._functions, kept,
                signers[1:],
            )  # fmt: skip
            self._settle(exchange)
        except BaseException:
            store.close()
            raise
        exchange.written_by(self._node.name, store.term)
        return Begun(exchange, store, self._snapshots, store)

    def _settle(self, exchange: Exchange) -> None:
        """Let the files of keys be those that the record says; it goes on without, from memory."""
        try:
            settle_keys(self._folder, exchange.signing)
        except OSError as fault:
            LOG.warning("keys: cannot be settled now (%s); the next start does", fault)

    def _kept(
        self, region: Region, store: Store, publics: Collection[PublicKey]
    ) -> Kept | None:  # fmt: skip
        """Return what the record leads to, by what was read of it before; None: read all of it."""
        following = self._taken()
        if following is None or not _goes_on(following, store):
            following = self._snapshots.begun(region, store, self._functions)
        if following is None:
            return None
        try:
            following.read(store.lines(following.count))
            return following.result(publics)
        except OperatorError as fault:
            LOG.warning("%s; the record is read from its beginning", fault)
            return None

    def _taken(self) -> Following | None:
        """Return what was read along; it is used once."""
        following, self._following = self._following, None
        return following

    def _read_along(self, signers: Sequence[Signer]) -> str:
        """Read what another node has written since; all of it anew where that does not hold.

        Return which key this node lacks to take over, in words.
        """
        if self._along is None:
            self._along = open_store(self._folder)
        following = self._taken()
        if following is None:
            region = region_of(self._along, self._folder)
            following = self._snapshots.begun(region, self._along, self._functions)
            following = following or Following(region, self._functions)
        following.read(self._along.lines(following.count))
        following.warm()
        self._following = following
        if following.signing and not {each.key for each in following.signing} & {
            each.public for each in signers
        }:
            key = following.signing[-1].key.id[:16]
            return f"it lacks key {key}, which signs now; bring {PRIVATE} from that node"
        return ""

    def _let_go(self) -> None:
        """Let go of the store that was read along; it is opened again where it is needed."""
        if self._along is not None:
            self._along.close()
            self._along = None


def _goes_on(following: Following, store: Store) -> bool:
    """Tell whether a record goes on from what was read along, and is no older copy of it."""
    try:
        return store.pick([following.count - 1]) == [following.last]
    except OperatorError:  # there are fewer lines
        return False
