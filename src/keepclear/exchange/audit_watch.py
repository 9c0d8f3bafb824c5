# SPDX-License-Identifier: Apache-2.0
"""Shifts and calls decided again: each comes of its act, and of nothing else.

An act on one is decided again in the world before its entry, by the keys that have signed it, and
that is taken back. What the entry says of shifts and calls is what comes of it, to the last field
and to the same parties; an entry without such an act says nothing of them.
"""

from collections.abc import Sequence
from dataclasses import replace as with_fields
from typing import Final

from keepclear.exchange.audit_again import GivenIds, Said, made_again
from keepclear.exchange.audit_found import Found
from keepclear.exchange.deciding import Deciding
from keepclear.exchange.events import CallChanged, ShiftChanged
from keepclear.line.calls import AnnotateCall, LogCall, SignCall
from keepclear.line.shifts import CloseShift, OpenShift, TakeOver
from keepclear.record.encoding import Signed
from keepclear.record.headers import Act
from keepclear.record.key_documents import KeyDocument, signing_for
from keepclear.record.signers import deed_of

AGAIN: Final = (OpenShift, TakeOver, CloseShift, LogCall, SignCall, AnnotateCall)
ABOUT: Final = (ShiftChanged, CallChanged)


class Watch:
    """The shifts and calls of a record. Written by the audit alone. acts: decided again."""

    def __init__(self, found: Found) -> None:
        self._found, self.acts = found, 0
        self._documents: dict[str, KeyDocument] = {}  # the latest of each party

    def know(self, document: KeyDocument) -> None:
        """Take that a party has joined, and its keys, from its key document."""
        self._documents[document.party] = document

    def check(self, act: Act | None, payload: Signed | None, said: list[Said]) -> None:
        """Compare an entry, before it is folded, with what comes of its act."""
        told = [each for each in said if isinstance(each.event, ABOUT)]
        if act is None or not isinstance(payload, AGAIN):
            if told:
                self._differs(told[0], "is changed, and no act has done it")
            return
        self.acts += 1
        made = made_again(self._found, self._deciding(told), act, payload, said, ABOUT)
        if made is not None and made != told:
            what = f"is not as {deed_of(act)} of {act.party} makes it"
            self._differs((told or made)[0], f"{what}: {_off(told, made)}")

    def _deciding(self, told: Sequence[Said]) -> Deciding:
        return with_fields(
            self._found.deciding, ids=GivenIds([_id(each) for each in told][:1]), counts={},
            parts=[], due=[], seen_by=(), parties=frozenset(self._documents),
            signing_for=self._signing_for,
        )  # fmt: skip

    def _signing_for(self, party: str, post: str) -> frozenset[str]:
        """Return the keys of a post, none of a party whose document the record has not."""
        document = self._documents.get(party)
        return frozenset() if document is None else signing_for(document, post)

    def _differs(self, said: Said, what: str) -> None:
        kind = "shift" if isinstance(said.event, ShiftChanged) else "call"
        self._found.differs(f"{kind} {_id(said)[:8]}", what)


def _id(said: Said) -> str:
    event = said.event
    if isinstance(event, ShiftChanged):
        return event.shift.id
    assert isinstance(event, CallChanged)  # noqa: S101 as they were chosen
    return event.call.id


def _off(told: Sequence[Said], made: Sequence[Said]) -> str:
    """Return what differs between two tellings, in words."""
    if len(told) != len(made):
        return f"{len(told)} told, {len(made)} to be told"
    one, other = next((a, b) for a, b in zip(told, made, strict=True) if a != b)
    if one.audience != other.audience:
        return f"told to {one.audience}, to be told to {other.audience}"
    names = type(one.event).__struct_fields__
    return ", ".join(n for n in names if getattr(one.event, n) != getattr(other.event, n, None))
