# SPDX-License-Identifier: Apache-2.0
"""Which node may write a region's record: one at a time, for a term, by the database's clock.

Layout: table `keepclear_leases` (`migrations`), a row for each region.

1. A term only rises. Whoever takes one may write until it ends, and renews it in time.
2. An append looks in its own transaction whether its term holds (`postgresql`): a node that was
   paused past its end keeps nothing more, whatever it believes.
3. A term ends here, by the monotonic clock, no later than there: it is counted from before it was
   asked for.
"""

import threading
import time
from contextlib import suppress
from typing import Final

from keepclear.errors import OperatorError
from keepclear.exchange.ports import TimeSaid
from keepclear.store.database import Database
from keepclear.store.nodes import Node, WrittenByOther

LEASE_S: Final = 2.5
RENEWS_S: Final = 0.8
JOINS_S: Final = 1.0
UNTIL: Final = f"clock_timestamp() + interval '{LEASE_S} seconds'"
TAKE: Final = f"""
UPDATE keepclear_leases SET term = term + 1, holder = %s, address = %s, until = {UNTIL}
WHERE region = %s AND (until <= clock_timestamp() OR holder = %s) RETURNING term
"""  # noqa: S608 a number of ours
RENEW: Final = f"UPDATE keepclear_leases SET until = {UNTIL} WHERE region = %s AND term = %s"  # noqa: S608 as above
GIVE_BACK: Final = (
    "UPDATE keepclear_leases SET until = clock_timestamp() WHERE region = %s AND term = %s"
)
CLOCK: Final = "SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint"
WHO: Final = "SELECT holder, address FROM keepclear_leases WHERE region = %s"


class Lease:
    """A node's right to write a region, for one term; renewed by a thread of its own.

    address: of the database. said: what its clock last said. `_until` and it are written whole, by
    that thread once it runs.
    """

    def __init__(self, address: str, region: str, node: Node) -> None:
        self._address, self._region, self._node = address, region, node
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._renew, name="lease", daemon=True)
        self._until = 0.0  # by the monotonic clock
        self.term = 0
        self.said: TimeSaid | None = None

    @property
    def holds(self) -> bool:
        """Tell whether the term has not ended, as far as is known here."""
        return time.monotonic() < self._until

    def take(self, db: Database) -> None:
        """Take the next term, and renew it from now on; `WrittenByOther` where another has one."""
        asked = time.monotonic()
        name, address = self._node
        rows = db.run_once(TAKE, (name, address, self._region, name))
        if not rows:
            found = db.run(WHO, (self._region,))
            raise WrittenByOther(self._region, Node(*(found[0] if found else ("of nobody", ""))))
        self.term, self._until = rows[0][0], asked + LEASE_S
        self.said = _time_of(db)
        self._thread.start()

    def give_back(self, db: Database) -> None:
        """Let another node take the next term at once; where that cannot be, it ends by itself."""
        self._ended.set()
        if self._thread.is_alive():
            self._thread.join(JOINS_S)
            self._until = 0.0
            with suppress(OperatorError):
                db.change(GIVE_BACK, (self._region, self.term))

    def _renew(self) -> None:
        """Renew the term until it is given back, or another was taken."""
        db: Database | None = None
        while not self._ended.wait(RENEWS_S):
            try:
                db = Database(self._address) if db is None else db
                asked = time.monotonic()
                if not db.change(RENEW, (self._region, self.term)):
                    self._until = 0.0
                    break
                self._until = asked + LEASE_S
                self.said = _time_of(db)
            except OperatorError:  # it may be back in time; if not, the term ends by itself
                db = None
        if db is not None:
            db.close()


def _time_of(db: Database) -> TimeSaid:
    """Ask a database for its time: it said so within the time that the answer took."""
    asked_ns = time.monotonic_ns()
    us = db.run_once(CLOCK)[0][0]
    half_ns = (time.monotonic_ns() - asked_ns) // 2
    return TimeSaid(us, asked_ns + half_ns, half_ns // 1_000)
