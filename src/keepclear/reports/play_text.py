# SPDX-License-Identifier: Apache-2.0
"""A play told as a story on a terminal: what came of it, then who did what, who was told what.

1. Reads the lines of a record's file, so the story of one party holds what that party may see of
   it, its own refused acts, and nothing else; the play's note, which tells all, is left out.
2. What came of it stands first. A date stands where the day changes, and with a time of another.
3. No line is longer than 80 columns, but for a word that is.
"""

import re
import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from keepclear.formats.play import Play
from keepclear.plays.running import Played, Refusal
from keepclear.record.encoding import decode
from keepclear.record.entries import Entry, Part
from keepclear.record.files import LONGEST_LINE, AnyLine, EntryLine, LeafLine
from keepclear.record.parts import ACT_KIND, DOCUMENT_KIND
from keepclear.record.views import view_of
from keepclear.reports.play_cases import Line
from keepclear.reports.play_names import Names
from keepclear.reports.play_values import day_of, listed
from keepclear.reports.play_words import Teller
from keepclear.reports.texts import printable
from keepclear.units import format_time

WIDTH: Final = 80
INDENT: Final = " " * 11
MOST_NAMED: Final = 8
# A number and its unit stand in one line.
HELD: Final = re.compile(r"(?<=\d) (?=(?:NM|km|ft|m|s)\b)")
NO_BREAK: Final = "\u00a0"


def played_text(play: Play, played: Played, viewer: str | None = None) -> str:
    """Return a whole play as its story. viewer: the party that it is told for, None for all."""
    told = _Told(_names(play, played, viewer))
    begin = 0
    for each in played.refused:
        if viewer in {None, each.act.by}:
            told.go_on(_seen(played.lines[begin : each.after], viewer))
            told.refuse(each)
            begin = each.after
    told.go_on(_seen(played.lines[begin:], viewer))
    whose = "told whole" if viewer is None else f"what {viewer} sees, and nothing else"
    head = [printable(play.title), f"{told.outcome()}"]
    if viewer is None and play.note:
        head += ["", *(_wrapped(printable(each)) for each in play.note.strip().split("\n"))]
    head += ["", f"region {play.region}, {play.status}, times UTC; {whose}"]
    return "\n".join([*head, *told.text, *told.end()]) + "\n"


class _Told:
    """The story so far, as lines of text."""

    def __init__(self, names: Mapping[str, str]) -> None:
        self.text: list[str] = []
        self._teller = Teller(Names(names))
        self._refused = 0
        self._day = ""
        self._time = ""

    def go_on(self, lines: Iterable[bytes]) -> None:
        """Tell some more lines of the record."""
        for parts in _together(lines):
            at_us = parts[0].at_us
            self._write(at_us, list(self._teller.tell(parts, day_of(at_us))))

    def refuse(self, refusal: Refusal) -> None:
        """Tell an act that was refused, in its place."""
        self._refused += 1
        party, own = refusal.act.by, refusal.act.operation if refusal.act.does == "file" else None
        does = self._teller.deed(party, refusal.kind, refusal.payload, own)
        why = self._teller.names.in_words(refusal.why)
        self._write(refusal.at_us, [Line("", f"REFUSED: {does}"), Line("why", why)])

    def outcome(self) -> str:
        """Return what came of it, in a line or two."""
        names = self._teller.names
        operations = {
            names.operation(each): value.state for each, value in self._teller.operations.items()
        }
        conflicts = {
            names.conflict(each): value.state
            for each, value in self._teller.about_conflicts.conflicts.items()
        }
        said = [_counted(operations, "operation"), _counted(conflicts, "conflict")]
        said += self._teller.about_cases.outcome()
        count = self._refused or "no"
        said.append(f"{count} act{'' if self._refused == 1 else 's'} refused")
        return _wrapped("; ".join(said))

    def end(self) -> list[str]:
        """Return what who raised an alarm can have learned, and what each notice says beside."""
        said = [
            self._learned(party) for party in self._teller.alarms if party in self._teller.filed
        ]
        each_says = [f"Each notice says: {each}" for each in self._teller.says]
        return [
            line for block in (said, each_says) if block
            for line in ("", *(_wrapped(each) for each in block))
        ]  # fmt: skip

    def _learned(self, party: str) -> str:
        """Return how much a party's filings told it at most, and what they cost it."""
        filed = self._teller.filed[party]
        takes_km2h = sum(each.takes_km2h for each in filed)
        took = f", and took {takes_km2h:,} km2h of its day" if takes_km2h else ""
        return (
            f"{party} filed {len(filed)} times: it learned {len(filed)} bits at most (in conflict "
            f"or not) beside what clauses showed it{took}."
        )

    def _write(self, at_us: int, lines: Sequence[Line]) -> None:
        if not lines:
            return
        if day_of(at_us) != self._day:
            self._day = day_of(at_us)
            self.text += ["", self._day]
        time = f"{format_time(at_us)[11:19]}Z  "
        wide = max(len(line.label) for line in lines)
        for place, (label, text) in enumerate(lines):
            first = time if place == 0 else INDENT
            if label:
                first = f"{INDENT}  {label:<{wide}}  "
            deeper = " " * len(first) if label else f"{INDENT}  "
            self.text.append(_wrapped(text, first, deeper))


def _together(lines: Iterable[bytes]) -> Iterator[list[Part]]:
    """Yield the parts of a record that happened together: an act and what followed from it.

    Parties that join at one time are told together.
    """
    kept: list[Part] = []
    for part in _parts(lines):
        is_next = part.kind == ACT_KIND or part.at_us != (kept or [part])[0].at_us
        is_joining = part.kind == DOCUMENT_KIND
        if kept and (is_next or is_joining != (kept[0].kind == DOCUMENT_KIND)):
            yield kept
            kept = []
        kept.append(part)
    if kept:
        yield kept


def _parts(lines: Iterable[bytes]) -> Iterator[Part]:
    for number, data in enumerate(lines, start=1):
        line: AnyLine = decode(data, AnyLine, f"line {number}", LONGEST_LINE)  # type: ignore[arg-type]
        leaves: Sequence[bytes] = ()
        if isinstance(line, EntryLine):
            entry = decode(bytes(line.entry), Entry, f"line {number}, entry", LONGEST_LINE)
            leaves = [bytes(leaf.part) for leaf in entry.leaves]
        elif isinstance(line, LeafLine):
            leaves = [bytes(line.leaf.part)]
        yield from (decode(each, Part, f"line {number}, part", LONGEST_LINE) for each in leaves)


def _seen(lines: Sequence[bytes], viewer: str | None) -> Iterable[bytes]:
    return lines if viewer is None else view_of(lines, viewer)


def _names(play: Play, played: Played, viewer: str | None) -> dict[str, str]:
    """Return what operations are called: those of the viewer, or all of them."""
    owner = {act.operation: act.by for act in play.acts if act.does == "file"}
    return {
        own_id: printable(name) for own_id, name in played.names.items()
        if viewer in {None, owner.get(name)}
    }  # fmt: skip


def _counted(states: Mapping[str, str], what: str) -> str:
    """Return how things stand, state by state: by name where they are few, else how many."""
    if not states:
        return f"{what}s: none found"
    of_each: dict[str, list[str]] = {}
    for name, state in states.items():
        of_each.setdefault(state, []).append(name)
    if len(states) <= MOST_NAMED:
        return ", ".join(f"{listed(names)} {state}" for state, names in of_each.items())
    if len(of_each) == 1:
        return f"{len(states)} {what}s {next(iter(of_each))}"
    counts = [f"{len(names)} {state}" for state, names in of_each.items()]
    return f"{len(states)} {what}s: {', '.join(counts)}"


def _wrapped(text: str, first: str = "", deeper: str = "") -> str:
    filled = textwrap.fill(
        HELD.sub(NO_BREAK, text), WIDTH, initial_indent=first, subsequent_indent=deeper,
        break_long_words=False, break_on_hyphens=False,
    )  # fmt: skip
    return filled.replace(NO_BREAK, " ")
