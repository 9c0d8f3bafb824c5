# SPDX-License-Identifier: Apache-2.0
"""The answers to acts, kept as long as an act could be sent again: until it has expired."""

import heapq
from typing import NamedTuple

from keepclear.exchange.views import Answer, Disclosed
from keepclear.record.headers import Act


class Answered(NamedTuple):
    """The bytes of an act's envelope, and what was answered."""

    data: bytes
    answer: Disclosed[Answer]


class Answers:
    """Answers by party and id of the act. The owner alone writes."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, str], Answered] = {}
        self._expiring: list[tuple[int, tuple[str, str]]] = []

    def keep(self, act: Act, data: bytes, answer: Disclosed[Answer]) -> None:
        """Keep the answer to an act; data: its envelope."""
        key = act.party, act.id
        self._kept[key] = Answered(data, answer)
        heapq.heappush(self._expiring, (act.expires_us, key))

    def find(self, act: Act) -> Answered | None:
        """Return what was answered to the act with this party and id."""
        return self._kept.get((act.party, act.id))

    def drop(self, act: Act) -> None:
        """Forget the answer to an act that was taken back."""
        self._kept.pop((act.party, act.id), None)

    def forget(self, now_us: int) -> None:
        """Keep no answer longer than its act could be sent again: from then on it has expired."""
        while self._expiring and self._expiring[0][0] <= now_us:
            self._kept.pop(heapq.heappop(self._expiring)[1], None)
