# SPDX-License-Identifier: Apache-2.0
"""When the bell of the desk in a terminal rings.

1. Once for each message that comes at PRIORITY or above, and for each step that is OVERDUE, of
   messages that came and of those that were sent; what is there at the start is new then. Once,
   too, where what is shown is not up to date any more.
2. Again every few seconds while DISTRESS, STOP or URGENT waits here that nobody has acknowledged.
3. Muted, it rings for nothing until the time is over; what came meanwhile is not rung for later,
   but what still waits is.
"""

from collections.abc import Iterable
from typing import Final

from keepclear.agreement.clauses import Precedence
from keepclear.line.messages import Message
from keepclear.reports.line_desk_text import is_here, is_taken
from keepclear.units import US_PER_S

AGAIN_US: Final = 5 * US_PER_S
MUTED_US: Final = 60 * US_PER_S
ORDER: Final = tuple(Precedence)


def is_at_least(message: Message, precedence: Precedence) -> bool:
    """Tell whether a message is as urgent as that, or more."""
    return ORDER.index(message.precedence) <= ORDER.index(precedence)


class Bell:
    """The bell of one post of a party. muted_us: until when it is muted, 0 for not."""

    def __init__(self, party: str, post: str) -> None:
        self._party, self._post = party, post
        self._known: set[str] = set()
        self._late: dict[str, int] = {}
        self._rang_us = 0
        self._is_stale = True  # at the start nothing was asked yet
        self.muted_us = 0

    def mute(self, now_us: int) -> None:
        """Ring for nothing for a minute."""
        self.muted_us = now_us + MUTED_US

    def is_muted(self, now_us: int) -> bool:
        """Tell whether it is muted."""
        return now_us < self.muted_us

    def rings(self, messages: Iterable[Message], now_us: int, *, is_stale: bool) -> bool:
        """Tell whether it rings now. messages: all that the party holds."""
        is_new, self._is_stale = is_stale and not self._is_stale, is_stale
        waits = False
        for each in messages:
            is_new = self._is_new(each) or is_new
            waits = waits or self._waits(each)
        if waits and now_us - self._rang_us >= AGAIN_US:
            is_new = True
        if not is_new or self.is_muted(now_us):
            return False
        self._rang_us = now_us
        return True

    def _is_new(self, message: Message) -> bool:
        """Tell whether there is anything new of a message to ring for; it is known from now on."""
        is_with = is_here(message, self._party, self._post)
        is_ours = (is_with or message.sender == self._party) and not message.is_done
        is_later = is_ours and len(message.overdue) > self._late.get(message.id, 0)
        self._late[message.id] = len(message.overdue)
        is_here_now = is_with and not is_taken(message)
        is_first = is_here_now and message.id not in self._known
        if is_here_now:
            self._known.add(message.id)
        return is_later or (is_first and is_at_least(message, Precedence.PRIORITY))

    def _waits(self, message: Message) -> bool:
        is_here_now = is_here(message, self._party, self._post) and not is_taken(message)
        return is_here_now and is_at_least(message, Precedence.URGENT)
