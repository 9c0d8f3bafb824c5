# SPDX-License-Identifier: Apache-2.0
"""Where the answers to acts stand in the record, as long as an act could be sent again.

That is until it has expired; DISTRESS, which is taken whatever clocks say, for a day at least. An
answer is made of the entry that its act stands in: so nothing of it is kept but where that is.
"""

import heapq
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import msgspec

from keepclear.exchange.views import Answer, Disclosed, answer
from keepclear.record.entries import Entry, Part, Placed
from keepclear.record.files import EntryLine
from keepclear.record.headers import LONGEST_US, Act
from keepclear.record.parts import ACT_KIND, LATE_ACT_KIND
from keepclear.record.signers import OF_DISTRESS
from keepclear.record.views import is_seen


class Answered(NamedTuple):
    """The line of an entry, and the places, in their trees, of its leaves that the sender sees."""

    line: int
    places: tuple[int, ...]


class Answers:
    """Where answers stand, by party and id of the act. The owner alone writes."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, str], Answered] = {}
        self._expiring: list[tuple[int, tuple[str, str]]] = []

    def __iter__(self) -> Iterator[tuple[int, str, str, Answered]]:
        """Yield of each when its act expires, its party and id, and where it stands."""
        for expires_us, key in self._expiring:
            if key in self._kept:
                yield (expires_us, *key, self._kept[key])

    def keep(self, act: Act, line: int, places: Sequence[int], at_us: int) -> None:
        """Keep where the answer to an act stands. at_us: when it was entered."""
        until_us = kept_until_us(act.kind, act.expires_us, at_us)
        self.keep_one(until_us, act.party, act.id, Answered(line, tuple(places)))

    def keep_one(self, expires_us: int, party: str, act_id: str, answered: Answered) -> None:
        """Keep where an answer stands, as iterating gives it."""
        self._kept[party, act_id] = answered
        heapq.heappush(self._expiring, (expires_us, (party, act_id)))

    def find(self, act: Act) -> Answered | None:
        """Return where the answer to the act with this party and id stands."""
        return self._kept.get((act.party, act.id))

    def drop(self, act: Act) -> None:
        """Forget the answer to an act that was taken back."""
        self._kept.pop((act.party, act.id), None)

    def forget(self, now_us: int) -> None:
        """Keep no answer longer than its act could be sent again: from then on it has expired."""
        while self._expiring and self._expiring[0][0] <= now_us:
            self._kept.pop(heapq.heappop(self._expiring)[1], None)


def kept_until_us(kind: str, expires_us: int, at_us: int) -> int:
    """Return until when an act could be sent again. at_us: when it was entered."""
    is_distress = kind.partition("/")[0] in OF_DISTRESS
    return max(expires_us, at_us + LONGEST_US) if is_distress else expires_us


def places_seen(party: str, placed: Sequence[Placed]) -> tuple[int, ...]:
    """Return the places of those leaves of an entry that a party sees."""
    return tuple(each.place for each in placed if is_seen(each.leaf.audience, party))


def answer_again(line: bytes, party: str, places: Sequence[int]) -> tuple[bytes, Disclosed[Answer]]:
    """Return the envelope of an act as bytes, and its answer, from the line that it stands in.

    Of a late one its receipt.
    """
    entry = msgspec.json.decode(msgspec.json.decode(line, type=EntryLine).entry, type=Entry)
    parts = [msgspec.json.decode(each.part, type=Part) for each in entry.leaves]
    [data] = [bytes(each.data) for each in parts if each.kind in {ACT_KIND, LATE_ACT_KIND}]
    seen = [each for each in entry.leaves if is_seen(each.audience, party)]
    placed = [Placed(place, leaf) for place, leaf in zip(places, seen, strict=True)]
    return data, answer(party, entry.at_us, placed)
