# SPDX-License-Identifier: Apache-2.0
"""What a party may read of an exchange, and nothing else."""

import msgspec
import pytest

from keepclear.errors import InputError
from keepclear.exchange.views import Notice
from keepclear.plans import acts
from keepclear.record.entries import Part
from keepclear.record.faults import BrokenProof
from keepclear.record.files import LeafLine
from keepclear.record.notes import NoteKey, read_checkpoint, split_note
from keepclear.record.receipts import verify_receipt
from keepclear.record.split_view import extend
from keepclear.record.verification import verify
from keepclear.record.views import view_of
from tests.test_exchange_agreements import Keys, staged
from tests.test_re_checking import file


def played() -> tuple[Keys, str, str]:
    """Return a stage on which a and b are in conflict, and a has one more operation."""
    stage = staged()
    ours, theirs = file(stage, "a", 0), file(stage, "b", 1)
    file(stage, "a", 40)
    stage.exchange.beat()
    return stage, ours, theirs


def test_the_steps_of_a_party_are_its_file_whatever_the_page() -> None:
    stage, _, _ = played()
    reads = stage.exchange.reads

    for party in ("a", "b", "nobody"):
        whole = list(view_of(stage.lines, party))
        for most in (1, 3, 1_000):
            [[header]] = reads.header(party).value.lines
            lines, last = [header], 0
            while found := reads.steps(party, last, most).value:
                if not found.lines:
                    break
                last = found.last
                lines += [line for step in found.lines for line in step]
            assert lines == whole
            assert last == reads.count(party)


def test_who_joins_later_sees_what_all_may_see_from_the_first_line_on() -> None:
    stage, _, _ = played()
    stage.join("c")

    assert list(view_of(stage.lines, "c")) == [
        *stage.exchange.reads.header("c").value.lines[0],
        *(line for step in stage.exchange.reads.steps("c", 0, 99).value.lines for line in step),
    ]


def test_who_holds_more_than_there_is_is_told_that_an_older_copy_goes_on() -> None:
    stage, _, _ = played()
    count = stage.exchange.reads.count("a")

    assert stage.exchange.reads.steps("a", count, 9).value.lines == ()
    with pytest.raises(InputError, match="goes on from an older copy of its record"):
        stage.exchange.reads.steps("a", count + 1, 9)


def test_each_conflict_stands_as_the_latest_notice_says() -> None:
    stage, ours, theirs = played()
    [conflict] = stage.exchange.world.conflicts
    stage.submit("b", "conflicts.agree-as-is/1", acts.AgreeAsIs(id=conflict))

    for party, own, other in (("a", ours, theirs), ("b", theirs, ours)):
        [told] = stage.exchange.reads.conflicts(party).value
        assert (told.own, told.other.id, told.agreed) == (own, other, ("b",))
        assert told == notices(stage, party)[-1]
    assert stage.exchange.reads.conflicts("nobody").value == ()


def notices(stage: Keys, party: str) -> list[Notice]:
    leaves = [
        msgspec.json.decode(each, type=LeafLine).leaf
        for each in view_of(stage.lines, party) if each.startswith(b'{"line":"leaf"')
    ]  # fmt: skip
    parts = [msgspec.json.decode(each.part, type=Part) for each in leaves]
    return [msgspec.json.decode(each.data, type=Notice) for each in parts
            if each.kind == "notice/1"]  # fmt: skip


def test_a_party_reads_its_own_operations_alone() -> None:
    stage, ours, theirs = played()

    assert [each.id for each in stage.exchange.reads.operations("b").value] == [theirs]
    assert ours in [each.id for each in stage.exchange.reads.operations("a").value]
    assert {each.party for each in stage.exchange.reads.operations("a").value} == {"a"}


def test_receipts_prove_an_answer_also_where_more_came_since() -> None:
    stage, ours, _ = played()
    envelope = stage.envelope("a", "operations.end/1", acts.EndOperation(id=ours))
    answered = stage.exchange.submit(envelope, "a")
    stage.exchange.beat()
    file(stage, "a", 80)
    key = NoteKey(stage._own.name, stage._signer.public)

    made = stage.exchange.reads.receipts(answered)

    assert made.party == "a"
    proven = [verify_receipt(each, [key]).part for each in made.value]
    assert tuple(proven) == answered.value.parts
    assert [each.kind for each in proven][:2] == ["act/1", "operation-moved/1"]


def test_a_tree_goes_on_from_what_a_party_held_or_no_proof_leads_there() -> None:
    stage, ours, _ = played()
    key = NoteKey(stage._own.name, stage._signer.public)
    reads = stage.exchange.reads
    notes = []
    for payload in (acts.MarkAirborne(id=ours, at_us=0), acts.EndOperation(id=ours)):
        kind = "operations.end/1" if isinstance(payload, acts.EndOperation) else (
            "operations.airborne/1")  # fmt: skip
        answered = stage.exchange.submit(stage.envelope("a", kind, payload), "a")
        notes.append(
            next(e.checkpoint for e in reads.receipts(answered).value if e.audience == "a")
        )
    first, second = (read_checkpoint(split_note(each)[0]).size for each in notes)

    proof = reads.proof("a", "a", first, second).value
    assert extend(notes[0], notes[1], proof, [key]).size == second
    with pytest.raises(BrokenProof):
        extend(notes[0], notes[1], proof[:-1] or (bytes(32),), [key])
    wrongs = (("b", "a", 1, 2), ("a", "c", 1, 2), ("a", "a", 0, 2), ("a", "a", 2, 1),
              ("a", "a", 1, 10_000))  # fmt: skip
    for party, audience, one, other in wrongs:
        with pytest.raises(InputError, match="are no two sizes of tree"):
            reads.proof(party, audience, one, other)


def test_a_beat_signs_anew_what_has_grown_and_nothing_else() -> None:
    stage, _, _ = played()
    before = len(stage.lines)

    stage.exchange.beat()
    stage.begin_again()
    stage.exchange.beat()
    assert [each[:14] for each in stage.lines[before:]] == [b'{"line":"beat"'] * 2
    file(stage, "b", 80)
    stage.exchange.beat()

    notes = [each for each in stage.lines[before:] if each.startswith(b'{"line":"checkpoint"')]
    assert len(notes) == 1
    assert b"/b\\n" in notes[0]
    assert verify(stage.lines, stage.keys).is_proven
