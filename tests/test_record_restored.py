# SPDX-License-Identifier: Apache-2.0
"""After a backup, a change of the exchange's key, a deleted name, a second root: what holds."""

import json
from typing import Final

import msgspec
import pytest

from keepclear.record.encoding import decode, encode
from keepclear.record.entries import EVERYBODY
from keepclear.record.faults import BrokenProof, Malformed, NotProven
from keepclear.record.files import PersonalLine
from keepclear.record.headers import Act
from keepclear.record.notes import NoteKey, sign_note
from keepclear.record.origins import origin_of, read_origin
from keepclear.record.personal import belongs_to, digest_of, opens
from keepclear.record.split_view import Evidence, extend, verify_evidence
from keepclear.record.verification import verify
from tests.record_plays import (
    EXCHANGE,
    MINUTE_US,
    NAME,
    REGION,
    Play,
    act,
    first_document,
    played,
    public,
    restored,
    salt,
    sealed,
    signer,
    with_name,
)

KEYS: Final = [NoteKey(EXCHANGE, public("exchange"))]


def test_a_restored_backup_starts_by_saying_what_it_had() -> None:
    play = played()
    after = restored(play)
    after.act(9, "a", incarnation=2)
    after.sign()

    assert verify(after.archive(), play.keys()).acts == 1
    assert verify(after.view("a"), play.keys()).acts == 1


def start_of(play: Play, after: Play) -> tuple[str, str, object]:
    """Return the part for everybody that the record after a backup starts with."""
    starts = dict(play.ledger.incarnation_parts(after.now_us + MINUTE_US))
    return EVERYBODY, starts[EVERYBODY].kind, starts[EVERYBODY].data


def test_a_restored_backup_tells_no_party_how_large_the_tree_of_another_was() -> None:
    play = played()
    after = restored(play)
    after.sign()
    told = msgspec.json.decode(bytes(start_of(play, after)[2]))  # type: ignore[call-overload]
    loud = Play(incarnation=2)
    starts = dict(play.ledger.incarnation_parts(loud.now_us + MINUTE_US))
    loud.enter((EVERYBODY, starts["b"].kind, starts["b"].data))

    assert told["tree"]["audience"] == EVERYBODY
    assert verify(after.view("a"), play.keys()).leaves == 5
    assert b'"audience":"b"' not in b"".join(after.view("a"))
    with pytest.raises(Malformed, match=r"'b': is not the tree of its readers, \*"):
        verify(loud.archive(), play.keys())


def test_a_second_incarnation_without_its_start_and_a_first_with_one_are_refused() -> None:
    play = played()
    without = Play(incarnation=2)
    without.appoint(play.documents[0])
    with_one = Play()
    start = start_of(played(), with_one)
    with_one.enter(start)
    twice = restored(play)
    twice.enter(start_of(play, twice))
    skipped = Play(incarnation=3)
    skipped.enter(start_of(play, skipped))

    for wrong in (without, with_one, twice):
        with pytest.raises(Malformed, match=r"is not how incarnation \d of a record goes on"):
            verify(wrong.archive(), play.keys())
    with pytest.raises(Malformed, match="is not the one before"):
        verify(skipped.archive(), play.keys())


def test_a_late_act_without_the_exchanges_receipt_or_of_this_incarnation_is_refused() -> None:
    play = played()
    forged = played(signer("forger"))
    place = next(n for n, leaf in enumerate(play.leaves) if b"act/1" in bytes(leaf.part))
    after = restored(play)
    after.enter(("a", "late-act/1", forged.receipt(place)))
    same = played()
    same.enter(("a", "late-act/1", play.receipt(place)))
    notice = restored(play)
    notice.enter(("a", "late-act/1", play.receipt(place + 1)))

    with pytest.raises(NotProven, match=r"does not verify|is signed by no key that is known here"):
        verify(after.archive(), play.keys())
    for wrong in (same, notice):
        with pytest.raises(NotProven, match="is no receipt of an act of an earlier incarnation"):
            verify(wrong.archive(), play.keys())


def test_a_party_gets_the_personal_values_of_acts_it_sees_and_of_no_others() -> None:
    play = with_name()
    play.appoint(sealed(first_document("b")))

    assert b"Example" in b"".join(play.view("a"))
    assert b"Example" not in b"".join(play.view("b"))
    assert verify(play.view("a"), play.keys()).acts == 1
    assert verify(play.view("b"), play.keys()).acts == 0


def test_a_personal_value_that_was_not_signed_is_refused() -> None:
    play = with_name()
    others = (
        msgspec.structs.replace(NAME, value="B. Example"),
        msgspec.structs.replace(NAME, salt=salt(8)),
        msgspec.structs.replace(NAME, name="relief"),
        # the same bytes in a row, cut elsewhere
        msgspec.structs.replace(NAME, name="on-watcha", value=". Example"),
    )
    for other in others:
        lines = [*play.archive(), encode(PersonalLine(act=f"{1:032x}", field=other))]
        with pytest.raises(NotProven, match="is not what an act before it was signed with"):
            verify(lines, play.keys())
    unknown = [*play.archive(), encode(PersonalLine(act=f"{2:032x}", field=NAME))]
    with pytest.raises(NotProven, match="is not what an act before it was signed with"):
        verify(unknown, play.keys())
    assert not belongs_to(act(1), NAME)
    assert opens(digest_of(NAME), NAME)


def test_one_personal_field_stands_once() -> None:
    made = json.loads(encode(act(1, personal=(digest_of(NAME),))))
    made["personal"] *= 2

    with pytest.raises(Malformed, match="has one personal field twice"):
        decode(json.dumps(made, separators=(",", ":")).encode(), Act, "act")


def notes_of(play: Play, sizes: tuple[int, int]) -> tuple[str, str]:
    """Return signed checkpoints of the tree of a, at two sizes."""
    one, other = (
        sign_note(play.ledger.checkpoint("a", size).text, EXCHANGE, play.exchange) for size in sizes
    )
    return one, other


def test_a_checkpoint_that_extends_the_last_is_taken_with_its_proof() -> None:
    play = played()
    last, new = notes_of(play, (1, 3))
    proof = play.ledger.trees["a"].consistency(1, 3)

    assert extend(None, last, (), KEYS).size == 1
    assert extend(last, new, proof, KEYS).size == 3
    assert extend(new, new, (), KEYS).size == 3


def test_a_checkpoint_that_does_not_extend_the_last_is_refused() -> None:
    play = played()
    last, new = notes_of(play, (2, 3))
    proof = play.ledger.trees["a"].consistency(2, 3)
    other = sign_note(play.ledger.checkpoint("b").text, EXCHANGE, play.exchange)

    with pytest.raises(BrokenProof):
        extend(last, new, (), KEYS)
    with pytest.raises(BrokenProof, match="does not lead from the last root to this one"):
        extend(last, new, tuple(reversed(proof)) if len(proof) > 1 else (bytes(32),), KEYS)
    with pytest.raises(BrokenProof, match="is smaller than the 3 leaves already seen"):
        extend(new, last, (), KEYS)
    with pytest.raises(Malformed, match="compare those of one tree"):
        extend(last, other, (), KEYS)


def test_two_notes_that_do_not_contradict_each_other_prove_nothing() -> None:
    one, other = notes_of(played(), (2, 3))

    for pair in ((one, one), (one, other)):
        with pytest.raises(Malformed, match="is no two roots of one tree at one size"):
            verify_evidence(Evidence(one=pair[0], other=pair[1]), KEYS)
    with pytest.raises(NotProven):
        verify_evidence(Evidence(one=one, other=other), [NoteKey(EXCHANGE, public("other"))])


def test_origins_of_other_records_are_of_no_incarnation() -> None:
    assert read_origin(origin_of(REGION, 3, "a,b")) == (REGION, 3, "a,b")
    for origin in (
        "", "a/b", f"keepclear/{REGION}/²/a", f"other/{REGION}/3/a", f"keepclear/{REGION}/0/a",
        f"keepclear/{REGION}/3/b,a", f"keepclear/{REGION}/3/x/a", f"keepclear/{REGION}/3/beat/",
        f"keepclear/{REGION}/3/",
    ):  # fmt: skip
        assert read_origin(origin) is None


def test_an_incarnation_in_an_origin_is_written_in_one_way() -> None:
    for number in ("01", "+1", "1_0", "9" * 5_000):
        assert read_origin(f"keepclear/{REGION}/{number}/a") is None
