# SPDX-License-Identifier: Apache-2.0
"""Which lines of the record each party may see: their numbers, in order.

1. A party counts its own steps, one for each line that it sees anything of. So its numbers tell
   nothing of what others do, and after a break it asks for what follows its last one.
2. What all may see is seen from the first line on, also by who joins later.
3. Of each of its conflicts a party has a latest notice: how it stands.
4. A party sees the trees of the audiences that it is of, and that of everybody.
"""

from array import array
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final, NamedTuple

import msgspec

from keepclear.exchange.views import NOTICE_KIND
from keepclear.record.entries import EVERYBODY
from keepclear.record.notes import read_checkpoint, split_note

CHECKPOINT: Final = b'{"line":"checkpoint"'
ENTRY: Final = b'{"line":"entry"'


class _Conflict(msgspec.Struct):
    conflict: str


class _Part(msgspec.Struct):
    kind: str
    data: msgspec.Raw


class _Leaf(msgspec.Struct):
    audience: str
    part: _Part


class _Entry(msgspec.Struct):
    leaves: list[_Leaf]


class _Line(msgspec.Struct):
    """What is asked of a line; one of the two."""

    entry: _Entry | None = None
    note: str = ""


class Seen(NamedTuple):
    """Who sees something of a line: its audiences, and the notices in it by audience, conflict."""

    audiences: frozenset[str]
    notices: tuple[tuple[str, str], ...] = ()


LINES: Final = msgspec.json.Decoder(_Line)
CONFLICTS: Final = msgspec.json.Decoder(_Conflict)


class Viewed(msgspec.Struct, frozen=True, kw_only=True):
    """All that `Viewers` holds, as values. every, own: numbers of lines as 64-bit integers."""

    lines: int
    every: bytes
    own: dict[str, bytes]
    latest: dict[str, dict[str, int]]
    audiences: dict[str, list[str]]


class Viewers:
    """Numbers of lines by party. Written by the exchange alone, once lines are kept."""

    def __init__(self) -> None:
        self.lines = 0
        self._all = array("q")
        self._own: dict[str, array[int]] = {}
        self._latest: dict[str, dict[str, int]] = {}
        self._audiences: dict[str, dict[str, None]] = {}
        self._met: dict[str, frozenset[str]] = {}

    @classmethod
    def of(cls, viewed: Viewed) -> "Viewers":
        """Return what holds these values."""
        made = cls()
        made.lines = viewed.lines
        made._all.frombytes(viewed.every)
        for party, numbers in viewed.own.items():
            made._own[party] = array("q")
            made._own[party].frombytes(numbers)
        made._latest = {party: dict(latest) for party, latest in viewed.latest.items()}
        made._audiences = {party: dict.fromkeys(each) for party, each in viewed.audiences.items()}
        return made

    def viewed(self) -> Viewed:
        """Return all that is held."""
        return Viewed(
            lines=self.lines, every=self._all.tobytes(),
            own={party: numbers.tobytes() for party, numbers in self._own.items()},
            latest={party: dict(latest) for party, latest in self._latest.items()},
            audiences={party: list(each) for party, each in self._audiences.items()},
        )  # fmt: skip

    def note(self, data: bytes, seen: Seen | None = None) -> None:
        """Take in the next line of the record, the header first.

        seen: who sees it, where that is known already.
        """
        number, self.lines = self.lines, self.lines + 1
        seen = seen or seen_of(data)
        if seen is not None:
            self._see(number, seen.audiences)
            for audience, conflict in seen.notices:
                self._latest.setdefault(audience, {})[conflict] = number

    def _see(self, number: int, audiences: frozenset[str]) -> None:
        parties = set[str]()
        for audience in audiences:
            parties |= self._met.get(audience) or self._meet(audience)
        if EVERYBODY in parties:
            self._all.append(number)
            for own in self._own.values():
                own.append(number)
        else:
            for party in parties:
                self._own[party].append(number)

    def _meet(self, audience: str) -> frozenset[str]:
        """Take in an audience, and return the parties that are in it."""
        parties = self._met[audience] = frozenset(audience.split(","))
        for party in parties:
            self._audiences.setdefault(party, {})[audience] = None
            if party != EVERYBODY and party not in self._own:
                self._own[party] = array("q", self._all)
        return parties

    def steps_of(self, party: str) -> Sequence[int]:
        """Return the numbers of the lines that a party sees, in order."""
        return self._own.get(party, self._all)

    def audiences(self, party: str) -> tuple[str, ...]:
        """Return the audiences whose trees a party sees, that of everybody first."""
        return tuple({**self._audiences.get(EVERYBODY, {}), **self._audiences.get(party, {})})

    def latest(self, party: str) -> Mapping[str, int]:
        """Return the line of the latest notice to a party, by conflict."""
        return MappingProxyType(self._latest.get(party, {}))


def seen_of(data: bytes) -> Seen | None:
    """Return who sees something of a line; None where it is for nobody."""
    if data.startswith(ENTRY):
        leaves = _leaves(data)
        notices = tuple((audience, conflict) for audience, conflict, _ in _notices(leaves))
        return Seen(frozenset(each.audience for each in leaves), notices)
    if data.startswith(CHECKPOINT):
        origin = read_checkpoint(split_note(LINES.decode(data).note)[0]).origin
        return Seen(frozenset({origin.rpartition("/")[2]}))
    return None


def notices_in(data: bytes) -> list[tuple[str, str, msgspec.Raw]]:
    """Return the notices in a line of the record: to whom, of which conflict, and as it stands."""
    return _notices(_leaves(data))


def _notices(leaves: list[_Leaf]) -> list[tuple[str, str, msgspec.Raw]]:
    return [
        (each.audience, CONFLICTS.decode(each.part.data).conflict, each.part.data)
        for each in leaves if each.part.kind == NOTICE_KIND
    ]  # fmt: skip


def _leaves(data: bytes) -> list[_Leaf]:
    entry = LINES.decode(data).entry if data.startswith(ENTRY) else None
    return entry.leaves if entry is not None else []
