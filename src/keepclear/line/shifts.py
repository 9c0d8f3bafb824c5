# SPDX-License-Identifier: Apache-2.0
"""Shifts: who has the watch at a post, with which key, and what one watch has handed to the next.

A new watch that does not know what is open answers nobody (docs/line.md). So a shift cannot close
over what remains, unless somebody else at that post has taken it over, and has signed that.

Leaves to others: who may see it, which STOPs are a party's own (`exchange`).
1. A shift is of one key at one post: who it is of is shown by the key. person: as a role and not a
   name, a claim that no rule reads but to find the shift that was meant.
2. What remains is what is URGENT or above and not acknowledged, and each STOP that stands.
3. Who takes it over has a shift of his own, opened with another key: a claim about another is worth
   nothing.
4. Nothing else asks for a shift. A message is sent, acknowledged and answered without any.
"""

from typing import Annotated, Final

import msgspec

from keepclear.agreement.clauses import Precedence
from keepclear.line.ladder import Step
from keepclear.line.messages import Message
from keepclear.record.encoding import Signed
from keepclear.record.headers import Id, Name, Status, TimeUs
from keepclear.record.key_documents import Hex64

URGENT_UP: Final = frozenset({Precedence.DISTRESS, Precedence.STOP, Precedence.URGENT})
MOST: Final = 20  # shifts that are open at a post at a time
MOST_TAKEN: Final = 1_000
Taking = Annotated[tuple[Id, ...], msgspec.Meta(max_length=MOST_TAKEN)]


class OpenShift(Signed, frozen=True, kw_only=True):
    """Take the watch at this post, with the key that signs. person: as a role.

    takes: ids of messages and of own STOPs that remain there, and that are taken over.
    """

    person: Name
    takes: Taking = ()


class TakeOver(Signed, frozen=True, kw_only=True):
    """Take over what remains at this post, in the shift that the key that signs has opened."""

    takes: Taking

    def __post_init__(self) -> None:
        """Refuse what takes nothing."""
        if not self.takes:
            raise ValueError("takes nothing; name what is taken over")


class CloseShift(Signed, frozen=True, kw_only=True):
    """Close a shift. to: who has taken over all that remains; None where it does not matter who."""

    id: Id
    to: Name | None = None


class Left(Signed, frozen=True, kw_only=True):
    """What remained when a shift was closed, by id, and the shift that has taken it over."""

    id: Id
    taken_by: Id


class Closed(Signed, frozen=True, kw_only=True):
    """When a shift was closed, with which key and by whom; to: the shift that it was handed to.

    to is None where nobody was named. left: what remained.
    """

    at_us: TimeUs
    key: Hex64
    person: Name
    to: Id | None
    left: tuple[Left, ...]


class Shift(Signed, frozen=True, kw_only=True):
    """A shift as it stands. key: id of the key that opened it. took: what it has taken over."""

    id: Id
    act: Id
    party: Name
    post: Name
    status: Status
    person: Name
    key: Hex64
    opened_us: TimeUs
    took: tuple[Id, ...] = ()
    closed: Closed | None = None

    @property
    def is_open(self) -> bool:
        """Tell whether somebody has this watch."""
        return self.closed is None


def remains(message: Message, party: str, post: str, status: Status) -> bool:
    """Tell whether a message is something that a watch has to hand over: not taken, or STOP."""
    if message.receiver != party or message.status is not status or not message.is_with(post):
        return False
    if message.has_stop:
        return True
    is_untaken = message.first(Step.ACKNOWLEDGED) is None and message.precedence in URGENT_UP
    return is_untaken and not message.is_followed
