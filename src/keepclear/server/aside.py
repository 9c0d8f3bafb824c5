# SPDX-License-Identifier: Apache-2.0
"""A store that is written by a thread of its own, so that its owner does something meanwhile."""

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

from keepclear.exchange.ports import Store, TimeSaid


class Aside:
    """A store. Its owner calls it, one call at a time, and waits for each.

    meanwhile: what the owner does while lines are written; it is told whether they are yet, and
    raises nothing.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._thread = ThreadPoolExecutor(1, "store")
        self.meanwhile: Callable[[Callable[[], bool]], None] | None = None

    @property
    def is_ours(self) -> bool:
        """Tell whether nobody else can write now."""
        return self._store.is_ours

    @property
    def term(self) -> int:
        """Return the term of the lease by which it is written."""
        return self._store.term

    @property
    def time_said(self) -> TimeSaid | None:
        """Return what the clock of a database last said."""
        return self._store.time_said

    def append(self, lines: Sequence[bytes]) -> None:
        """Keep lines after those that are there; do meanwhile what there is to do."""
        if self.meanwhile is None:
            self._store.append(lines)
            return
        written: Future[None] = self._thread.submit(self._store.append, lines)
        try:
            self.meanwhile(written.done)
        finally:
            written.result()  # nobody goes on, whatever went wrong, while lines are being written

    def lines(self, first: int = 0) -> Iterable[bytes]:
        """Return all lines from a number on."""
        return self._store.lines(first)

    def pick(self, numbers: Sequence[int]) -> list[bytes]:
        """Return some lines by their numbers."""
        return self._store.pick(numbers)

    def probe(self) -> None:
        """See whether lines could be kept now."""
        self._store.probe()

    def close(self) -> None:
        """Let go of what is open."""
        self._thread.shutdown()
        self._store.close()
