# SPDX-License-Identifier: Apache-2.0
"""What a party makes of the lines that are its own: trees that it proves, and a picture."""

from collections.abc import Iterator, Sequence

import msgspec

from keepclear.exchange.picture import Picture, Told, told_in
from keepclear.plays.stage import Stage
from keepclear.record.entries import Part
from keepclear.record.files import LeafLine
from keepclear.record.held import HeldTrees
from keepclear.record.keys import PublicKey
from keepclear.record.notes import NoteKey
from keepclear.record.views import view_of


def held_by(stage: Stage, party: str) -> HeldTrees:
    """Return the trees of a party, with nothing in them yet."""
    keys = [NoteKey(each.name, PublicKey(each.key)) for each in stage.keys.exchange]
    return HeldTrees(party, stage.exchange.region.name, 1, keys, {}, {}, [])


def parts_of(lines: Sequence[bytes]) -> Iterator[Told | None]:
    """Yield what each part in the lines of a party's file tells of an operation or a conflict."""
    for line in lines:
        if line.startswith(b'{"line":"leaf"'):
            leaf = msgspec.json.decode(line, type=LeafLine).leaf
            yield told_in(msgspec.json.decode(bytes(leaf.part), type=Part))


def taken(held: HeldTrees, picture: Picture, lines: Sequence[bytes]) -> None:
    """Let a party take in lines of its file."""
    for number, line in enumerate(lines):
        part = held.take(line, f"line {number}")
        if part is not None:
            picture.take(told_in(part))


def check_own_copy(stage: Stage, party: str) -> None:
    """See that a party's own copy is proven, and shows what the exchange answers to it."""
    held, picture = held_by(stage, party), Picture(party, {}, {})

    taken(held, picture, list(view_of(stage.lines, party))[1:])

    reads = stage.exchange.reads
    for note in reads.proven_steps(party, reads.count(party), 0).value.notes:
        held.check(note, "note", is_now=True)
    assert held.is_proven
    assert picture.operations == {each.id: each for each in reads.operations(party).value}
    conflicts = reads.conflicts(party).value
    assert len(conflicts) == len(
        picture.conflicts
    )  # each once, also where one entry tells it twice
    assert picture.conflicts == {each.conflict: each for each in conflicts}
    assert picture.checks == {each.id: each for each in reads.line_checks(party).value}
    assert picture.shifts == {each.id: each for each in reads.shifts(party).value}
    assert picture.calls == {each.id: each for each in reads.calls(party).value}
    assert picture.lines == {each.key: each for each in reads.lines_checked(party).value}
    assert picture.stops == {each.id: each for each in reads.stops(party).value}
    assert picture.keep_outs == {e.operation: e.areas for e in reads.keep_outs(party).value}
    assert picture.messages == {each.id: each for each in reads.messages(party).value}
