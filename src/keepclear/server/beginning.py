# SPDX-License-Identifier: Apache-2.0
"""A region's exchange, begun from its folder; where another node writes, its record is read along.

So whoever takes over has little left to read, however long the record is.
"""

from pathlib import Path

from keepclear.clock import RandomIds
from keepclear.detect.kernel import Functions
from keepclear.errors import OperatorError
from keepclear.exchange.exchange import Exchange
from keepclear.exchange.ports import Clock, Store
from keepclear.exchange.reopening import Following
from keepclear.server.region import region_of, signer_of
from keepclear.server.stores import open_store
from keepclear.server.writer import Begun
from keepclear.store.nodes import ALONE, Node, WrittenByOther


class Beginning:
    """Begins the exchange of a region each time it is called. Used by the writer's thread.

    `OperatorError` where it cannot be begun; `WrittenByOther` where another node writes it.
    """

    def __init__(
        self, folder: Path, clock: Clock, functions: Functions, node: Node = ALONE
    ) -> None:
        self._folder, self._clock, self._functions, self._node = folder, clock, functions, node
        self._following: Following | None = None
        self._along: Store | None = None

    def __call__(self) -> Begun:
        """Open the record, and go on from it."""
        signer = signer_of(self._folder)
        try:
            store = open_store(self._folder, self._node)
        except WrittenByOther:
            self._read_along()
            raise
        self._let_go()
        try:
            region, following, kept = region_of(store, self._folder), self._taken(), None
            if following is not None and _goes_on(following, store):
                following.read(store.lines(following.count))
                kept = following.result(signer.public)
            exchange = Exchange(
                region, signer, self._clock, RandomIds(), store, self._functions, kept
            )
        except BaseException:
            store.close()
            raise
        return Begun(exchange, store)

    def _taken(self) -> Following | None:
        """Return what was read along; it is used once."""
        following, self._following = self._following, None
        return following

    def _read_along(self) -> None:
        """Read what another node has written since; all of it anew where that does not hold."""
        if self._along is None:
            self._along = open_store(self._folder)
        following = self._taken()
        if following is None:
            following = Following(region_of(self._along, self._folder), self._functions)
        following.read(self._along.lines(following.count))
        self._following = following

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
