# SPDX-License-Identifier: Apache-2.0
"""After a backup, a change of the exchange's key, a deleted name, a second root: what holds."""

import json
from hashlib import sha256
from typing import Final

import msgspec
import pytest

from keepclear.record.encoding import Signed, decode, encode
from keepclear.record.entries import EVERYBODY
from keepclear.record.envelopes import seal
from keepclear.record.faults import BrokenProof, Malformed, NotProven, SplitView
from keepclear.record.files import PersonalLine
from keepclear.record.headers import Act
from keepclear.record.keys import Signer
from keepclear.record.ledger import incarnation_of, origin_of
from keepclear.record.notes import NoteKey, sign_note
from keepclear.record.parts import (
    EXCHANGE_KEY,
    ExchangeKeyChange,
    read_exchange_key,
    seal_exchange_key,
)
from keepclear.record.personal import PersonalValue, belongs_to, digest_of, opens
from keepclear.record.split_view import Evidence, extend, verify_evidence
from keepclear.record.verification import verify
from keepclear.record.versions import Kinds
from tests.record_plays import (
    EXCHANGE,
    MINUTE_US,
    REGION,
    Play,
    act,
    first_document,
    played,
    public,
    salt,
    sealed,
    signer,
)

KEYS: Final = [NoteKey(EXCHANGE, public("exchange"))]


def restored(play: Play) -> Play:
    """Return the record that goes on from a backup of another, with the same key documents."""
    after = Play(incarnation=play.ledger.incarnation + 1)
    after.now_us = play.now_us + MINUTE_US
    at_us = after.now_us + MINUTE_US
    start = play.ledger.incarnation_part(at_us)
    after.enter((EVERYBODY, start.kind, start.data))
    for envelope in play.documents:
        after.appoint(envelope)
    return after


def test_a_restored_backup_starts_by_saying_what_it_had() -> None:
    play = played()
    after = restored(play)
    after.act(9, "a", incarnation=2)
    after.sign()

    assert verify(after.archive(), play.keys()).acts == 1
    assert verify(after.view("a"), play.keys()).acts == 1


def test_a_second_incarnation_without_its_start_and_a_first_with_one_are_refused() -> None:
    play = played()
    without = Play(incarnation=2)
    without.appoint(play.documents[0])
    with_one = Play()
    start = played().ledger.incarnation_part(with_one.now_us + MINUTE_US)
    with_one.enter((EVERYBODY, start.kind, start.data))
    twice = restored(play)
    again = play.ledger.incarnation_part(twice.now_us + MINUTE_US)
    twice.enter((EVERYBODY, again.kind, again.data))
    skipped = Play(incarnation=3)
    old = play.ledger.incarnation_part(skipped.now_us + MINUTE_US)
    skipped.enter((EVERYBODY, old.kind, old.data))

    for wrong in (without, with_one, twice):
        with pytest.raises(Malformed, match=r"is not how incarnation \d of a record goes on"):
            verify(wrong.archive(), play.keys())
    with pytest.raises(Malformed, match="is not the one before"):
        verify(skipped.archive(), play.keys())


def test_an_act_the_backup_lost_comes_back_by_its_receipt_judged_by_its_first_time() -> None:
    play = played()
    place = next(n for n, leaf in enumerate(play.leaves) if b"act/1" in bytes(leaf.part))
    receipt = play.receipt(place)
    after = restored(play)
    after.now_us += 10_000 * MINUTE_US  # long after the act has expired
    after.enter(("a", "late-act/1", receipt))

    assert verify(after.archive(), play.keys()).acts == 1


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


def change_key(play: Play, *signers: Signer) -> None:
    """Enter the exchange's next key, signed by the old one and the new one, or by others."""
    old, new = signers or (play.exchange, signer("new exchange"))
    play.enter((EVERYBODY, "exchange-key/1", seal_exchange_key(REGION, EXCHANGE, old, new)))
    play.exchange = new


def test_the_exchange_goes_on_with_a_key_signed_by_the_old_and_the_new() -> None:
    play = played()
    change_key(play)
    play.act(6)
    play.sign()

    found = verify(play.archive(), play.keys())

    assert found.exchange == (public("exchange").id, public("new exchange").id)


def test_a_key_of_the_exchange_that_the_old_one_has_not_signed_is_refused() -> None:
    play = played()
    change_key(play, signer("forger"), signer("new exchange"))

    with pytest.raises(NotProven, match="is by a key that is not known here"):
        verify(play.archive(), play.keys())

    without = played()
    without.exchange = signer("new exchange")
    without.sign()
    with pytest.raises(NotProven, match=r"is signed by no key that is known here|does not verify"):
        verify(without.archive(), without.keys())


def test_a_new_key_alone_or_for_another_region_does_not_follow() -> None:
    new = signer("new exchange")
    change = ExchangeKeyChange(region=REGION, name=EXCHANGE, key=new.public.data)
    elsewhere = seal_exchange_key("elsewhere", EXCHANGE, signer("exchange"), new)

    for signers in ((new,), (signer("exchange"),)):
        with pytest.raises(NotProven, match="is not signed with the old and with the new key"):
            read_exchange_key(seal(EXCHANGE_KEY, encode(change), *signers), REGION, tuple(KEYS))
    with pytest.raises(Malformed, match="'elsewhere': is not exercise-east"):
        read_exchange_key(elsewhere, REGION, tuple(KEYS))


NAME: Final = PersonalValue(name="on-watch", salt=salt(7), value="A. Example")


def with_name() -> Play:
    """Return a record with an act that was signed with a name, and the name beside it."""
    play = Play()
    play.appoint(sealed(first_document("a")))
    play.act(1, "a", personal=(digest_of(NAME),))
    play.lines.append(PersonalLine(act=f"{1:032x}", field=NAME))
    play.sign()
    return play


def test_a_personal_value_is_what_was_signed_and_can_be_deleted() -> None:
    play = with_name()
    whole = play.archive()
    deleted = [line for line in whole if b'"line":"personal"' not in line]

    before, after = verify(whole, play.keys()), verify(deleted, play.keys())

    assert b"Example" in b"".join(whole)
    assert b"Example" not in b"".join(deleted)
    assert before._replace(lines=0) == after._replace(lines=0)


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


def test_what_is_signed_is_the_hash_of_salt_name_and_value() -> None:
    assert digest_of(NAME).digest == sha256(salt(7) + b"on-watch" + b"A. Example").digest()


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


def test_a_split_view_is_found_and_can_be_proven_to_anybody() -> None:
    shown_to_a, shown_to_b = played(), Play()
    shown_to_b.appoint(sealed(first_document("a")))
    shown_to_b.appoint(sealed(first_document("b")))
    for number in (7, 8, 9):
        shown_to_b.act(number, "a")
    one, other = (
        sign_note(play.ledger.checkpoint("a").text, EXCHANGE, play.exchange)
        for play in (shown_to_a, shown_to_b)
    )

    with pytest.raises(SplitView, match="was signed with two roots"):
        extend(one, other, (), KEYS)
    assert verify_evidence(Evidence(one=one, other=other), KEYS).size == 3


def test_two_notes_that_do_not_contradict_each_other_prove_nothing() -> None:
    one, other = notes_of(played(), (2, 3))

    for pair in ((one, one), (one, other)):
        with pytest.raises(Malformed, match="is no two roots of one tree at one size"):
            verify_evidence(Evidence(one=pair[0], other=pair[1]), KEYS)
    with pytest.raises(NotProven):
        verify_evidence(Evidence(one=one, other=other), [NoteKey(EXCHANGE, public("other"))])


class First(Signed, frozen=True, kw_only=True):
    """A first version."""

    text: str


class Second(Signed, frozen=True, kw_only=True):
    """A second version."""

    text: str
    language: str


class Third(Signed, frozen=True, kw_only=True):
    """A third version."""

    words: tuple[str, ...]
    language: str


KINDS: Final = Kinds(
    {"note": (First, Second, Third)},
    {
        First: lambda old: Second(text=old.text, language="en"),
        Second: lambda old: Third(words=tuple(old.text.split()), language=old.language),
    },
)


def test_every_older_version_is_read_as_the_newest() -> None:
    newest = Third(words=("two", "words"), language="en")

    assert KINDS.newest("note") == "note/3"
    for kind, value in (
        ("note/1", First(text="two words")),
        ("note/2", Second(text="two words", language="en")),
        ("note/3", newest),
    ):
        assert KINDS.read(kind, encode(value)) == newest


@pytest.mark.parametrize(
    "kind", ["note", "note/0", "note/4", "note/1/2", "note/²", "note/01", "other/1", ""]
)
def test_a_kind_that_is_not_known_is_refused(kind: str) -> None:
    with pytest.raises(Malformed, match="is none of note/3 or older; update this program"):
        KINDS.read(kind, encode(First(text="x")))


def test_a_payload_of_another_version_than_its_kind_says_is_refused() -> None:
    with pytest.raises(Malformed, match=r"missing required field|unknown field"):
        KINDS.read("note/2", encode(First(text="x")))
    with pytest.raises(Malformed, match="unknown field"):
        KINDS.read("note/1", encode(Second(text="x", language="en")))


def test_a_version_that_leads_nowhere_is_refused_at_once() -> None:
    with pytest.raises(Malformed, match=r"First.*leads to no next version"):
        Kinds({"note": (First, Second)}, {})


def test_origins_of_other_records_are_of_no_incarnation() -> None:
    assert incarnation_of(origin_of(REGION, 3, "a,b"), REGION) == 3
    for origin in ("", "a/b", "keepclear/x/3/a", f"keepclear/{REGION}/²/a", f"other/{REGION}/3/a"):
        assert incarnation_of(origin, REGION) == 0
