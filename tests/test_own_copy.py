# SPDX-License-Identifier: Apache-2.0
"""A party's own copy: what was left out, changed or moved is found out by the next checkpoint."""

from collections.abc import Callable

import msgspec
import pytest

from keepclear.exchange.events import OperationMoved
from keepclear.exchange.picture import Picture, told_in
from keepclear.plans import acts
from keepclear.plans.operations import State
from keepclear.record.encoding import encode
from keepclear.record.entries import Part
from keepclear.record.faults import BrokenProof, Malformed, NotProven
from keepclear.record.files import LeafLine
from keepclear.record.held import HeldTrees
from keepclear.record.keys import Signer
from keepclear.record.notes import NoteKey
from tests.own_copies import check_own_copy, held_by, taken
from tests.test_exchange_agreements import Keys
from tests.test_re_checking import file
from tests.test_reads import played


def steps_of(stage: Keys, party: str) -> tuple[list[bytes], tuple[str, ...]]:
    """Return the lines of a party's steps, and the checkpoints that prove them."""
    found = stage.exchange.reads.proven_steps(party, 0, 1_000).value
    return [line for step in found.lines for line in step], found.notes


def leaves_of(lines: list[bytes]) -> list[int]:
    """Return the places of notices among lines."""
    return [n for n, each in enumerate(lines) if b'"kind":"notice/1"' in each]


def test_what_a_party_folds_of_its_file_is_what_the_exchange_answers() -> None:
    stage, ours, _ = played()
    [conflict] = stage.exchange.world.conflicts
    stage.submit("b", "conflicts.agree-as-is/1", acts.AgreeAsIs(id=conflict))
    stage.submit("a", "operations.activate/1", acts.ActivateOperation(
        id=ours, key=tuple(
            each.other.ovn or "" for each in stage.exchange.reads.conflicts("a").value
        )
    ))  # fmt: skip
    stage.submit("a", "operations.airborne/1", acts.MarkAirborne(
        id=ours, at_us=stage.clock.now_us()))  # fmt: skip
    stage.submit("a", "operations.contingent/1", acts.MakeContingent(id=ours))

    for party in ("a", "b", "nobody"):
        check_own_copy(stage, party)


def test_steps_that_end_before_the_end_come_without_proof_and_the_last_ones_with_it() -> None:
    stage, _, _ = played()
    reads = stage.exchange.reads
    count = reads.count("a")

    assert reads.proven_steps("a", 0, count - 1).value.notes == ()
    notes = reads.proven_steps("a", 0, count).value.notes
    origins = [each.partition("\n")[0].rpartition("/")[2] for each in notes]
    assert sorted(origins) == ["*", "a", "a,b"]
    assert reads.proven_steps("a", count, 9).value.notes == notes
    nobody = [each.partition("\n")[0].rpartition("/")[2]
              for each in reads.proven_steps("nobody", 0, 99).value.notes]  # fmt: skip
    assert nobody == ["*"]


def proven(held: HeldTrees, lines: list[bytes], notes: tuple[str, ...]) -> None:
    """Let a party take in lines, and what proves them."""
    taken(held, Picture("a", {}, {}), lines)
    for note in notes:
        held.check(note, "note", is_now=True)


def left_out(lines: list[bytes]) -> None:
    del lines[leaves_of(lines)[-1]]


def changed(lines: list[bytes]) -> None:
    place = leaves_of(lines)[-1]
    lines[place] = lines[place].replace(b'"state":"raised"', b'"state":"agreed as is"')


def moved(lines: list[bytes]) -> None:
    first, second = (n for n, each in enumerate(lines) if b'"kind":"operation-filed/1"' in each)
    lines[first], lines[second] = lines[second], lines[first]


def added(lines: list[bytes]) -> None:
    lines.append(lines[leaves_of(lines)[-1]])


@pytest.mark.parametrize("meddle", [left_out, changed, moved, added])
def test_what_is_left_out_changed_moved_or_added_is_found_out(
    meddle: Callable[[list[bytes]], None],
) -> None:
    stage, _, _ = played()
    lines, notes = steps_of(stage, "a")
    held = held_by(stage, "a")
    lines = [each for each in lines if not each.startswith(b'{"line":"checkpoint"')]
    meddle(lines)

    with pytest.raises(BrokenProof, match="keep what you hold, and ask the operator"):
        proven(held, lines, notes)


def test_a_checkpoint_in_the_file_finds_out_what_was_left_out_before_it() -> None:
    stage, _, _ = played()
    lines, _ = steps_of(stage, "a")
    left_out(lines)

    with pytest.raises(BrokenProof, match="something is held back"):
        taken(held_by(stage, "a"), Picture("a", {}, {}), lines)


def test_what_no_checkpoint_covers_is_taken_back_and_the_rest_goes_on() -> None:
    stage, _, _ = played()
    first, notes = steps_of(stage, "a")
    held = held_by(stage, "a")
    taken(held, Picture("a", {}, {}), first)
    for note in notes:
        held.check(note, "note")
    held.settle()
    count = stage.exchange.reads.count("a")
    file(stage, "b", 0)
    found = stage.exchange.reads.proven_steps("a", count, 9).value
    more = [line for step in found.lines for line in step]
    before = held.stands()

    held.take(more[0], "line")
    was_proven = held.is_proven
    held.go_back()

    assert (was_proven, held.is_proven) == (False, True)
    assert held.stands() == before
    again = HeldTrees("a", stage.exchange.region.name, 1, held._keys, before, {}, [])
    for line in more:
        again.take(line, "line")
    for note in found.notes:
        again.check(note, "note", is_now=True)
    assert again.is_proven


def test_a_checkpoint_of_another_or_by_another_is_refused() -> None:
    stage, _, _ = played()
    lines, notes = steps_of(stage, "b")
    held = held_by(stage, "a")

    with pytest.raises(Malformed, match="is not for a"):
        taken(held, Picture("a", {}, {}), lines)
    with pytest.raises(NotProven, match="is of no tree of this party"):
        held.check(next(each for each in notes if "/b\n" in each), "note")
    stranger = NoteKey(held._keys[0].name, Signer(bytes(32)).public)
    other = HeldTrees("b", stage.exchange.region.name, 1, [stranger], {}, {}, [])
    with pytest.raises(NotProven):
        other.check(notes[0], "note")
    later = HeldTrees("b", stage.exchange.region.name, 2, held._keys, {}, {}, [])
    with pytest.raises(NotProven, match="is of no tree of this party"):
        later.check(notes[0], "note")
    with pytest.raises(Malformed, match="is nothing that happened"):
        held.take(stage.lines[0], "line")


def test_a_part_that_is_not_what_its_kind_says_is_refused() -> None:
    event = OperationMoved(id="0" * 32, state=State.ENDED)
    part = Part(kind="notice/1", at_us=0, data=msgspec.Raw(encode(event)))

    with pytest.raises(Malformed, match="notice/1"):
        told_in(part)


def test_leaves_of_a_tree_in_the_file_are_decoded_in_their_one_form() -> None:
    stage, _, _ = played()
    lines, _ = steps_of(stage, "a")
    [line] = [each for each in lines if b'"kind":"notice/1"' in each]
    msgspec.json.decode(line, type=LeafLine)

    with pytest.raises(Malformed, match="is not in its one form"):
        held_by(stage, "a").take(line.replace(b'{"line":', b'{ "line":'), "line")
