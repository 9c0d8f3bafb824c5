# SPDX-License-Identifier: Apache-2.0
"""How much one sender may ask in a while: a bucket that fills steadily and is emptied by asking.

1. Each party has a bucket for its acts, taken or refused, and one for what it reads; each address
   has some for what needs no token: what one sends too often waits, and holds up nobody else.
2. Who asks for more than there is is told when to come again, and nothing is done.
3. Buckets that are full again are forgotten; there are never more than `MOST`.
"""

from collections import OrderedDict
from typing import Final

from keepclear.errors import CallerError

MOST: Final = 10_000


class TooOften(CallerError):
    """A sender asks more than it may; after_s: in how many seconds to come again."""

    def __init__(self, who: str, what: str, after_s: float) -> None:
        self.after_s = after_s
        super().__init__(
            f"{who}: sends more {what} than are taken; nothing was done, send it again in "
            f"{after_s:.1f} s"
        )


class Rates:
    """Buckets by sender. Used by the thread that serves alone.

    what: is asked, for people. a_second: how much each bucket gains. burst: how much it holds.
    """

    def __init__(self, what: str, a_second: float, burst: float) -> None:
        self._what, self._a_second, self._burst = what, a_second, burst
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, who: str, now_s: float) -> None:
        """Take one from a sender's bucket; `TooOften` where it is empty. now_s: never backwards."""
        left, at_s = self._buckets.pop(who, (self._burst, now_s))
        left = min(self._burst, left + (now_s - at_s) * self._a_second)
        is_enough = left >= 1
        self._buckets[who] = (left - 1 if is_enough else left, now_s)
        while len(self._buckets) > MOST:
            self._buckets.popitem(last=False)
        if not is_enough:
            raise TooOften(who, self._what, (1 - left) / self._a_second)
