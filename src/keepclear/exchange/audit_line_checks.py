# SPDX-License-Identifier: Apache-2.0
"""Checks of lines decided again: each comes of its act, of a clause that stands, or of time.

1. An act on a check is decided again in the world before its entry, and that is taken back. What
   the entry says of lines is what comes of it, to the last field and to the same parties.
2. Where an entry has an agreement stand otherwise, its lines are planned anew by that.
3. All else comes of time: a check that is not answered, or not sent. What was due before an entry
   and was not told is missing.
"""

from collections.abc import Sequence
from dataclasses import replace as with_fields
from typing import Final

from keepclear.exchange import line_checks
from keepclear.exchange.audit_again import GivenIds, Said, made_again, taken_back, told_of
from keepclear.exchange.audit_found import Found
from keepclear.exchange.deciding import Deciding
from keepclear.exchange.due import Due
from keepclear.exchange.events import (
    AgreementCarried,
    AgreementStood,
    Event,
    LineChecked,
    StandingCarried,
)
from keepclear.exchange.world import evolve
from keepclear.line.check_acts import AnswerLineCheck, CheckLine
from keepclear.record.encoding import Signed
from keepclear.record.headers import Act
from keepclear.record.key_documents import KeyDocument
from keepclear.record.signers import deed_of

AGAIN: Final = (CheckLine, AnswerLineCheck)
ABOUT: Final = (LineChecked,)


class LineChecks:
    """The checks of a record. Written by the audit alone. acts: how many were decided again."""

    def __init__(self, found: Found) -> None:
        self._found, self.acts = found, 0
        self._due, self._is_held = Due(), False
        self._parties: set[str] = set()

    def know(self, document: KeyDocument) -> None:
        """Take that a party has joined, from its key document."""
        self._parties.add(document.party)

    def hold(self, until_us: int | None) -> None:
        """Let what falls due wait, as clocks differ; or until a time, at which it did no more."""
        self._is_held = until_us is None
        if until_us is not None:
            self._due.put_off(until_us)

    def follow(self, events: list[Event]) -> None:
        """Note what falls due after an entry."""
        world = self._found.world
        own = [
            each for each in events
            if isinstance(each, LineChecked) or (
                isinstance(each, StandingCarried) and each.table in {"line_checks", "lines_checked"}
            )
        ]  # fmt: skip
        now_us = self._found.deciding.now_us
        self._due.plan(world, own, now_us)
        self._due.put_off(now_us)  # what has passed of a line is told at now, one after another

    def check(self, act: Act | None, payload: Signed | None, said: list[Said]) -> None:
        """Compare an entry, before it is folded, with what comes of its act, or of all else."""
        self._check_missing()
        told = [each for each in said if isinstance(each.event, LineChecked)]
        if act is not None and isinstance(payload, AGAIN):
            self._check_act(act, payload, said, told)
            return
        deciding = self._deciding(told)
        stood = [each.event for each in said if isinstance(each.event, AgreementStood)]
        for each in said:
            if isinstance(each.event, AgreementCarried | AgreementStood):
                evolve(deciding.world, each.event)
        if stood:
            line_checks.plan_again(deciding, stood)
        elif told:
            _fall_due(deciding, told[0].event)
        made = told_of(deciding, ABOUT)
        taken_back(deciding)
        self._compare(told, made, "is not as its clause and the time make it")

    def _check_act(
        self, act: Act, payload: Signed, said: list[Said], told: list[Said]
    ) -> None:  # fmt: skip
        self.acts += 1
        made = made_again(self._found, self._deciding(told), act, payload, said, ABOUT)
        if made is not None:
            self._compare(told, made, f"is not as {deed_of(act)} of {act.party} makes it")

    def _deciding(self, told: Sequence[Said]) -> Deciding:
        ids = [
            each.event.check.id for each in told
            if isinstance(each.event, LineChecked) and each.event.check is not None
        ]  # fmt: skip
        return with_fields(
            self._found.deciding, ids=GivenIds(ids[:1]), counts={}, parts=[], due=[], seen_by=(),
            parties=frozenset(self._parties),
        )  # fmt: skip

    def _check_missing(self) -> None:
        """Tell of what fell due before this entry, and that is not told."""
        now_us, world = self._found.deciding.now_us, self._found.world
        while not self._is_held and (first := self._due.first(now_us - 1)) is not None:
            self._due.drop(first)
            check, line = world.line_checks.get(first.key), world.lines_checked.get(first.key)
            if check is not None and check.result is None and check.missed_us <= first.at_us:
                self._found.differs(f"check {check.id[:8]}", "is missed, and nobody is told")
            unsent_us = None if line is None else line.unsent_us
            if line is not None and unsent_us is not None and unsent_us <= first.at_us:
                self._found.differs(f"line {line.key}", "was to be checked, and nobody is told")

    def _compare(self, told: list[Said], made: list[Said], what: str) -> None:
        if told == made:
            return
        event = (told or made)[0].event
        assert isinstance(event, LineChecked)  # noqa: S101 as they were chosen
        self._found.differs(f"line {event.line.key}", f"{what}: {_off(told, made)}")


def _fall_due(deciding: Deciding, event: object) -> None:
    """Let fall due what an entry says of a check, or of a time, that no act has led to."""
    assert isinstance(event, LineChecked)  # noqa: S101 as it was chosen
    check = event.check
    known = None if check is None else deciding.world.line_checks.get(check.id)
    line = deciding.world.lines_checked.get(event.line.key)
    if known is not None:
        line_checks.fall_due(deciding, known)
    elif line is not None:
        line_checks.time_passed(deciding, line)


def _off(told: Sequence[Said], made: Sequence[Said]) -> str:
    """Return what differs between two tellings, in words."""
    if len(told) != len(made):
        return f"{len(told)} told, {len(made)} to be told"
    one, other = next((a, b) for a, b in zip(told, made, strict=True) if a != b)
    if one.audience != other.audience:
        return f"told to {one.audience}, to be told to {other.audience}"
    names = LineChecked.__struct_fields__
    return ", ".join(n for n in names if getattr(one.event, n) != getattr(other.event, n))
