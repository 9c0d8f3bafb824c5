# SPDX-License-Identifier: Apache-2.0
"""The time of a node: it never runs backwards, and a step of the machine's clock does not move it.

1. Time goes on as the monotonic clock does, from what the machine's clock said at the start.
2. Small differences are taken in slowly: by at most a thousandth of the time that has passed.
3. Where the two differ by more than two seconds the machine's clock was set, or the machine slept:
   `differs_us` says by how much, which health shows, and the operator accepts it or starts anew.
4. A database has a clock of its own, which is compared with the time of the node (`ClockWatch`).
   As long as any two differ by more than two seconds nothing happens by time alone.
"""

import time
from collections.abc import Callable
from typing import Final, Protocol

from keepclear.clock import now_us
from keepclear.exchange.ports import TimeSaid

MOST_US: Final = 2_000_000
SLOWLY: Final = 1_000


class NodeClock(Protocol):
    """The time of a node, and what its operator may know and do about it."""

    def now_us(self) -> int:
        """Return microseconds UTC."""

    def differs_us(self) -> int:
        """Return by how much the machine's clock is ahead, where that is too much; else 0."""

    def accept(self) -> None:
        """Go on with the machine's clock."""


class ExerciseClock:
    """The time of an exercise: it begins when it is told to, and runs so many times as fast."""

    def __init__(
        self, start_us: int, speed: float, steady_ns: Callable[[], int] = time.monotonic_ns
    ) -> None:
        self._start_us, self._speed, self._steady_ns = start_us, speed, steady_ns
        self._at_ns = steady_ns()

    def now_us(self) -> int:
        """Return microseconds UTC, of the exercise."""
        return self._start_us + int((self._steady_ns() - self._at_ns) / 1000 * self._speed)

    def differs_us(self) -> int:
        """Return 0: it has nothing to do with the machine's clock."""
        return 0

    def accept(self) -> None:
        """Accept nothing: as above."""


class SteadyClock:
    """The time; read by any thread, which is safe as a late value is only an earlier one."""

    def __init__(
        self, wall_us: Callable[[], int] = now_us,
        steady_ns: Callable[[], int] = time.monotonic_ns,
    ) -> None:  # fmt: skip
        self._wall_us, self._steady_ns = wall_us, steady_ns
        self._at_ns, self._at_us = steady_ns(), wall_us()
        self._last_us = self._at_us

    def now_us(self) -> int:
        """Return microseconds UTC."""
        steady_ns = self._steady_ns()
        passed_us = (steady_ns - self._at_ns) // 1000
        time_us = self._at_us + passed_us
        off_us = self._wall_us() - time_us
        if abs(off_us) <= MOST_US and passed_us >= MOST_US:
            most_us = passed_us // SLOWLY
            time_us += max(-most_us, min(most_us, off_us))
            self._at_ns, self._at_us = steady_ns, time_us
        self._last_us = max(self._last_us, time_us)
        return self._last_us

    def differs_us(self) -> int:
        """Return by how much the machine's clock is ahead, where that is too much; else 0."""
        off_us = self._wall_us() - self.now_us()
        return off_us if abs(off_us) > MOST_US else 0

    def accept(self) -> None:
        """Go on with the machine's clock; where that is behind, time stands until it has come."""
        self._at_ns, self._at_us = self._steady_ns(), self._wall_us()


class ClockWatch:
    """Whether clocks agree: the machine's, the monotonic one, and that of the database.

    `look` is called by the writer, the others by any thread; each value is written whole.
    """

    def __init__(
        self, clock: NodeClock, steady_ns: Callable[[], int] = time.monotonic_ns
    ) -> None:  # fmt: skip
        self._clock, self._steady_ns = clock, steady_ns
        self._said: TimeSaid | None = None
        self._accepted_us = 0

    def look(self, said: TimeSaid | None) -> int:
        """Take what the database's clock last said; return by how much clocks differ, as below."""
        self._said = said
        return self.differs_us()

    def differs_us(self) -> int:
        """Return by how much a clock is ahead of the node's time, where that is too much; else 0.

        Of the database's, what the operator has accepted is taken off, and what its answer took.
        """
        return self._clock.differs_us() or self._database_us()

    def why(self) -> str:
        """Return which clock is off by how much, and what to do; empty where none is."""
        which, off_us = "the machine's clock", self._clock.differs_us()
        if not off_us:
            which, off_us = "the database's clock", self._database_us()
        if not off_us:
            return ""
        return (
            f"{which} is off by {off_us / 1e6:+.1f} s, above {MOST_US / 1e6:g} s; set it right, or "
            "accept it: POST /clock here, with the operator's token, or keepclear clock accept; "
            "until then nothing happens by time alone"
        )

    def accept(self) -> None:
        """Go on with the machine's clock, and with what the database's differs from it now."""
        self._clock.accept()
        self._accepted_us = self._ahead_us()

    def _database_us(self) -> int:
        off_us = self._ahead_us() - self._accepted_us
        doubt_us = 0 if self._said is None else self._said.doubt_us
        return off_us if abs(off_us) > MOST_US + doubt_us else 0

    def _ahead_us(self) -> int:
        """Return by how much the database's clock is ahead of the node's time."""
        said = self._said
        if said is None:
            return 0
        passed_us = (self._steady_ns() - said.steady_ns) // 1_000
        return said.us + passed_us - self._clock.now_us()
