# SPDX-License-Identifier: Apache-2.0
"""A party's own copy of its part of the record: proven leaf by leaf, kept, and folded to a picture.

1. Steps are taken in until checkpoints cover all leaves (`record.held`); what is not proven in the
   end is as if it had not come, and is asked for again.
2. Checkpoints that came with receipts are remembered: a copy that does not reach them, or has other
   leaves, is refused. So nothing can be held back of a tree that one was shown a receipt of.
3. What is proven is handed to who keeps it before anybody acts on it.
4. Where the record says, signed with the exchange's key that is believed, that another one follows
   it, that one is believed from there on, and kept.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple, Protocol

import msgspec

from keepclear.exchange.picture import Picture, Told, told_in
from keepclear.exchange.views import Notice
from keepclear.line.calls import Call
from keepclear.line.checks import Check, CheckedLine
from keepclear.line.messages import Message
from keepclear.line.shifts import Shift
from keepclear.line.stops import Area
from keepclear.plans.operations import Operation
from keepclear.plans.stops import Stop
from keepclear.record.encoding import decode
from keepclear.record.entries import Part
from keepclear.record.envelopes import Envelope
from keepclear.record.faults import NotProven
from keepclear.record.files import Header
from keepclear.record.held import ASK, HeldTrees, Stand
from keepclear.record.notes import NoteKey

Parts = tuple[Part, ...]


class Seen(msgspec.Struct, kw_only=True):
    """What a party has been shown, to be kept from one run to the next.

    incarnation: of the record, 0 where none is known yet. step: how many steps of its part of the
    record it holds, all proven. trees: how they stand then. notes: the last checkpoint of each tree
    that it was given; contrary: signed ones that contradict what it holds, as evidence. operations,
    conflicts, messages, checks, shifts, calls: those of its picture that are not over; lines: all
    that are checked. followed: changes of the exchange's key beyond those that were believed from
    the start.
    """

    region: str = ""
    incarnation: int = 0
    step: int = 0
    trees: dict[str, Stand] = {}
    notes: dict[str, str] = {}
    contrary: list[str] = []
    operations: dict[str, Operation] = {}
    conflicts: dict[str, Notice] = {}
    messages: dict[str, Message] = {}
    checks: dict[str, Check] = {}
    lines: dict[str, CheckedLine] = {}
    shifts: dict[str, Shift] = {}
    calls: dict[str, Call] = {}
    stops: dict[str, Stop] = {}
    keep_outs: dict[str, tuple[Area, ...]] = {}
    followed: tuple[Envelope, ...] = ()


class KeptStep(NamedTuple):
    """A step by its number, and the lines that the file gains by it; the first has its header."""

    step: int
    lines: tuple[bytes, ...]


class Keeping(Protocol):
    """Where a copy is kept from one run to the next."""

    def keep(self, steps: Sequence[KeptStep], seen: Seen) -> None:
        """Keep steps that follow those before, and how all stands after them."""


class Steps(msgspec.Struct):
    """An answer to `/v1/steps`."""

    last: int
    header: tuple[msgspec.Raw, ...]
    lines: tuple[tuple[msgspec.Raw, ...], ...]
    notes: tuple[str, ...]


def page_after(pages: Sequence[Steps], after: int) -> Steps:
    """Return what pages that were brought have after a step; `NotProven` where they begin later."""
    for each in pages:
        first = each.last - len(each.lines)
        if first <= after <= each.last and (after < each.last or each.notes):
            return msgspec.structs.replace(each, lines=each.lines[after - first :])
    raise NotProven("steps", f"after {after:,}", "are not in what was brought", "have them brought")


class _Taken(NamedTuple):
    """A step that is taken in and not proven yet."""

    kept: KeptStep
    parts: Parts
    told: tuple[Told | None, ...]


class OwnCopy:
    """The copy of one party. Used by one thread.

    known: what is known of the record so far; `seen` is all of it.
    """

    def __init__(
        self, party: str, keys: Sequence[NoteKey], seen: Seen, keeping: Keeping | None
    ) -> None:
        self._party, self._keys, self.known, self._keeping = party, keys, seen, keeping
        self.picture = Picture(
            party,
            seen.operations,
            seen.conflicts,
            seen.messages,
            seen.checks,
            seen.lines,
            seen.shifts,
            seen.calls,
            seen.stops,
            seen.keep_outs,
        )
        self.untold: list[Parts] | None = None  # proven, and not yet told; None: nobody follows
        self._held: HeldTrees | None = None
        self._taken: list[_Taken] = []
        self._proven: list[KeptStep] = []  # and not yet kept

    @property
    def step(self) -> int:
        """Return how many steps are proven."""
        return self.known.step

    @property
    def seen(self) -> Seen:
        """Return what was shown, as far as it is proven."""
        if self._held is not None:
            self.known.trees = self._held.stands()
            self.known.followed = self._held.chain.changes
        self.known.operations = self.picture.protecting()
        self.known.conflicts = self.picture.unsettled()
        self.known.messages = self.picture.undone()
        self.known.checks, self.known.lines = self.picture.shown_checks(), self.picture.lines
        self.known.shifts = self.picture.open_shifts()
        self.known.calls = self.picture.waiting_calls()
        self.known.stops = self.picture.standing_stops()
        self.known.keep_outs = self.picture.keep_outs
        return self.known

    @property
    def keys(self) -> tuple[NoteKey, ...]:
        """Return the exchange's keys that are believed, the newest last."""
        return self._trees().chain.keys

    def knows(self, notes: Iterable[str]) -> bool:
        """Tell whether notes name keys that are believed: none has been followed unseen."""
        return all(map(self._trees().chain.knows, notes))

    def signs_now(self, notes: Iterable[str]) -> bool:
        """Tell whether notes are signed with the newest key; it proves nothing."""
        return all(map(self._trees().chain.signs_now, notes))

    def remember(self, audience: str, note: str) -> None:
        """Remember a checkpoint that was verified: the copy must reach it."""
        self._trees().remember(audience, note)

    def catch_up(self, fetch: Callable[[int], Steps]) -> list[Parts]:
        """Take in all that is new, prove and keep it; return what each step holds.

        fetch: gives the steps after so many. `RecordError` for what is not proven.
        """
        held = self._trees()
        new: list[Parts] = []
        try:
            for note in self._take_pages(fetch, held, new).notes:
                held.check(note, "checkpoint", is_now=True)
            if not held.is_proven:
                count = f"{len(self._taken):,} new"
                raise NotProven("steps", count, "have parts that no checkpoint covers", ASK)
            self._prove(held, new)
            held.check_reached()
        finally:
            self._taken.clear()
            held.go_back()
            if self._keeping is not None:
                self._keeping.keep(self._proven, self.seen)
            self._proven.clear()
        return new

    def _trees(self) -> HeldTrees:
        if self._held is None:
            self._held = HeldTrees(
                self._party, self.known.region, self.known.incarnation, self._keys,
                self.known.trees, self.known.notes, self.known.contrary, self.known.followed,
            )  # fmt: skip
        return self._held

    def _take_pages(
        self, fetch: Callable[[int], Steps], held: HeldTrees, new: list[Parts]
    ) -> Steps:  # fmt: skip
        """Take in steps up to the end; return the last page, which has what proves them."""
        while True:
            before = self.known.step + len(self._taken)
            page = fetch(before)
            if page.last != before + len(page.lines) or not (page.lines or page.notes):
                raise NotProven(
                    "steps", page.last,
                    f"are not {len(page.lines):,} after {before:,}, and no checkpoints prove them",
                    ASK,
                )  # fmt: skip
            for number, lines in enumerate(page.lines, before + 1):
                header = (self._header(page),) if number == 1 else ()
                self._take(number, header, tuple(map(bytes, lines)), held)
                if held.is_proven:
                    self._prove(held, new)
            if page.notes:
                return page

    def _header(self, page: Steps) -> bytes:
        """Return the header of the file that begins here; `RecordError` where it is another's."""
        data = b"".join(map(bytes, page.header))
        said = decode(data, Header, "header")
        of = (said.view, said.party, said.region, said.incarnation)
        if of != ("party", self._party, self.known.region, self.known.incarnation):
            raise NotProven("header", str(of), "is of another file", ASK)
        return data

    def _take(
        self, number: int, header: tuple[bytes, ...], lines: tuple[bytes, ...], held: HeldTrees
    ) -> None:
        parts = [held.take(line, f"step {number:,}") for line in lines]
        found = tuple(each for each in parts if each is not None)
        told = tuple(told_in(each) for each in found)
        self._taken.append(_Taken(KeptStep(number, (*header, *lines)), found, told))

    def _prove(self, held: HeldTrees, new: list[Parts]) -> None:
        """Let what was taken in count: checkpoints cover all of it."""
        held.settle()
        for each in self._taken:
            for told in each.told:
                self.picture.take(told)
            self._proven.append(each.kept)
            new.append(each.parts)
            if self.untold is not None:
                self.untold.append(each.parts)
            self.known.step = each.kept.step
        self._taken.clear()
