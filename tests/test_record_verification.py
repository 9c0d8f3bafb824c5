# SPDX-License-Identifier: Apache-2.0
"""A record as a file: what holds is told, and the first thing that does not is named."""

import base64
import json
import re
from collections.abc import Callable
from typing import Any, Final

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from keepclear.record.encoding import encode
from keepclear.record.entries import Entry, Leaf, Part, part_leaf
from keepclear.record.faults import BrokenProof, Malformed, NotProven, RecordError
from keepclear.record.files import BeatLine, CheckpointLine, EntryLine, KeysFile
from keepclear.record.keys import Signer
from keepclear.record.ledger import ForWhom, Ledger, beat_digest
from keepclear.record.merkle import Tree
from keepclear.record.notes import Checkpoint, NoteKey, sign_note
from keepclear.record.origins import beat_origin
from keepclear.record.receipts import read_receipt, verify_receipt
from keepclear.record.verification import Verified, verify
from keepclear.record.views import view_of
from tests.record_plays import (
    EXCHANGE,
    MINUTE_US,
    REGION,
    START_US,
    Play,
    first_document,
    next_document,
    part,
    played,
    public,
    salt,
    sealed,
    signed,
    signer,
)
from tests.record_plays import act as an_act

Lines = list[bytes]
Json = dict[str, Any]


def changed(lines: Lines, number: int, change: Callable[[Json], None]) -> Lines:
    """Return lines in which one is another value, in its one form."""
    value = json.loads(lines[number])
    change(value)
    text = json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()
    return [*lines[:number], text, *lines[number + 1 :]]


def entry_line(lines: Lines, seq: int) -> int:
    """Return which line an entry is on, counted from 0."""
    return next(n for n, line in enumerate(lines) if b'"seq":%d,' % seq in line)


def test_an_archive_is_proven_with_the_file_of_keys() -> None:
    play = played()

    found = verify(play.archive(), play.keys())

    assert found.is_proven
    assert (found.entries, found.leaves, found.acts) == (7, 12, 5)
    assert (found.checkpoints, found.beats, found.unsigned) == (8, 2, 0)
    assert dict(found.roots)["a"] == public("a root").id
    assert found.exchange == ((EXCHANGE, public("exchange").id),)
    assert found.suspects == ()


def rechained_without_signatures() -> Play:
    """Return a record in which a notice was changed, entries chained anew, all notes left out."""
    play = played()
    play.lines = [line for line in play.lines if isinstance(line, EntryLine)]
    ledger = Ledger(REGION)
    for number, line in enumerate(play.lines):
        entry = msgspec.json.decode(bytes(line.entry), type=Entry)  # type: ignore[union-attr]
        parts = []
        for leaf in entry.leaves:
            changed_part = bytes(leaf.part).replace(b'"number":3', b'"number":9')
            parsed = msgspec.json.decode(changed_part, type=Part)
            parts.append(ForWhom(audience=leaf.audience, salt=leaf.salt, part=parsed))
        play.lines[number] = EntryLine(entry=msgspec.Raw(ledger.append(entry.at_us, parts)[1]))
    return play


def test_a_record_without_its_checkpoints_is_not_proven_by_any_keys() -> None:
    forged = rechained_without_signatures()

    found = verify(forged.archive(), played().keys())

    assert b'"number":9' in b"".join(forged.archive())
    assert not found.is_proven
    assert found.unsigned == 12


def test_what_stands_after_the_last_checkpoint_is_not_proven() -> None:
    play = played()
    play.act(6)

    found = verify(play.archive(), play.keys())

    assert (found.is_proven, found.unsigned) == (False, 2)
    play.sign()
    assert verify(play.archive(), play.keys()).is_proven


def test_a_record_of_nothing_proves_nothing() -> None:
    assert not verify(Play().archive(), played().keys()).is_proven


def test_a_forger_with_the_exchanges_key_cannot_act_for_a_party() -> None:
    play = Play()
    play.appoint(sealed(first_document("a")))
    forged = first_document("b", devices=())
    play.appoint(sealed(forged))
    play.sign()

    with pytest.raises(NotProven, match=r"version 1 of b.*is not the one in the file of keys"):
        verify(play.archive(), played().keys())


def test_a_party_that_is_not_in_the_file_of_keys_is_not_believed() -> None:
    play = played()
    only_a = msgspec.structs.replace(play.keys(), documents=play.keys().documents[:1])

    with pytest.raises(NotProven, match="'b': is not in the file of keys; get this party's keys"):
        verify(play.archive(), only_a)


def change_at(value: Json) -> None:
    value["entry"]["at_us"] += 1


def drop_leaf(value: Json) -> None:
    value["entry"]["leaves"].pop()


def change_salt(value: Json) -> None:
    salt = value["entry"]["leaves"][0]["salt"]
    value["entry"]["leaves"][0]["salt"] = ("A" if salt[0] != "A" else "B") + salt[1:]


def move_audience(value: Json) -> None:
    value["entry"]["leaves"][0]["audience"] = "b"


def change_notice(value: Json) -> None:
    value["entry"]["leaves"][1]["part"]["data"]["number"] = 99


@pytest.mark.parametrize(
    "change", [change_at, drop_leaf, change_salt, move_audience, change_notice]
)
def test_a_changed_entry_is_found_and_named(change: Callable[[Json], None]) -> None:
    play = played()
    lines = play.archive()
    number = entry_line(lines, 5)

    with pytest.raises(RecordError) as found:
        verify(changed(lines, number, change), play.keys())

    # it does not hold itself, or the next entry no longer fits to it; lines count from 1
    assert re.match(rf"line ({number + 1}|{number + 2}), entry [56]", found.value.path)


def test_entries_cut_off_at_the_end_are_found_by_the_checkpoints_others_hold() -> None:
    play = played()
    lines = play.archive()
    last = max(n for n, line in enumerate(lines) if b'"line":"entry"' in line)

    shorter = [*lines[:last], *lines[last + 1 :]]

    with pytest.raises(BrokenProof, match="is not the root over the"):
        verify(shorter, play.keys())


def test_an_act_signed_by_a_key_that_was_not_appointed_is_named() -> None:
    play = Play()
    play.appoint(sealed(first_document("a")))
    play.enter(("a", "act/1", signed(an_act(7, at_us=play.now_us), "stolen")))

    with pytest.raises(
        NotProven, match=r"line 3, entry 1, leaf 0, act 00000000 of a.*is no key of a"
    ):
        verify(play.archive(), play.keys())


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"region": "elsewhere"}, "is for another record"),
        ({"incarnation": 2}, "is for another record"),
        ({"created_us": 10**16, "expires_us": 10**16 + 1}, "before it was made or after"),
        ({"expires_us": START_US + 25 * 3_600_000_000}, "is more than 24 h after its creation"),
        ({"created_us": 0, "expires_us": 1}, "before it was made or after it expired"),
    ],
)
def test_an_act_that_does_not_belong_here_and_then_is_refused(
    changes: dict[str, object], why: str
) -> None:
    play = Play()
    play.appoint(sealed(first_document("a")))
    play.act(1, "a", **changes)

    with pytest.raises(NotProven, match=why):
        verify(play.archive(), play.keys())


def test_a_key_document_that_does_not_follow_is_named() -> None:
    play = Play()
    play.appoint(sealed(first_document("a")))
    play.appoint(sealed(next_document(first_document("a")), "rep-1"))

    with pytest.raises(NotProven, match=r"line 3, entry 1, leaf 0, key document.*2 are needed"):
        verify(play.archive(), play.keys())


def test_a_file_that_is_no_record_is_refused() -> None:
    lines = played().archive()

    with pytest.raises(Malformed, match="is empty"):
        verify([], None)
    with pytest.raises(Malformed, match=r"line 1 .*cannot be read"):
        verify([b"hello"], None)
    with pytest.raises(Malformed, match="is no header"):
        verify(lines[1:], None)
    with pytest.raises(Malformed, match=r"EntryLine.*has no place in a file of view party"):
        verify([played().view("a")[0], lines[1]], None)


def test_a_line_for_somebody_else_in_a_partys_file_is_refused() -> None:
    play = played()

    with pytest.raises(Malformed, match="'b': is not for a"):
        verify([play.view("a")[0], *play.view("b")[1:]], play.keys())


def test_a_range_goes_on_from_the_peaks_and_the_chain_before_it() -> None:
    play = played()
    lines = play.archive()
    first = entry_line(lines, 4)
    before = Play()
    before.appoint(sealed(first_document("a")))
    before.appoint(sealed(first_document("b")))
    before.act(1, "a")
    before.act(2, "b")
    chain = before.ledger.chain
    start = [
        {"line": "document", "envelope": msgspec.to_builtins(envelope)}
        for envelope in play.documents
    ]
    start += [
        {
            "line": "tree", "audience": audience, "size": len(tree),
            "peaks": [base64.b64encode(peak).decode() for peak in tree.peaks()],
        }
        for audience, tree in before.ledger.trees.items()
    ]  # fmt: skip
    start.append({
        "line": "chain", "seq": chain.seq,
        "previous": base64.b64encode(chain.previous).decode(), "at_us": chain.at_us,
    })  # fmt: skip

    ranged = [lines[0], *map(encode, start), *lines[first:]]
    found, seen = verify(ranged, play.keys()), verify(view_of(ranged, "a"), play.keys())

    assert (found.entries, found.acts, found.checkpoints) == (3, 3, 4)
    assert (seen.entries, seen.acts, seen.checkpoints) == (0, 2, 3)
    with pytest.raises(BrokenProof, match="is not what a tree of 3 leaves has"):
        Tree(3, before.ledger.trees["a"].peaks())


@given(place=st.integers(0, 10**6), value=st.integers(0, 255))
def test_a_changed_byte_of_an_archive_is_always_found_and_raises_only_our_errors(
    place: int, value: int
) -> None:
    data = bytearray(b"\n".join(ARCHIVE))
    place %= len(data)
    if data[place] == value:
        return
    data[place] = value

    with pytest.raises(RecordError):
        verify(bytes(data).split(b"\n"), KEYS)


def signed_note(checkpoint: Checkpoint) -> bytes:
    """Return a line with a checkpoint that the exchange signs, true or not."""
    note = sign_note(checkpoint.text, EXCHANGE, signer("exchange"))
    return encode(CheckpointLine(note=note))


def test_a_signed_checkpoint_of_another_size_or_record_is_refused() -> None:
    play = played()
    true = play.ledger.checkpoint("a")
    elsewhere = true._replace(origin=true.origin.replace(REGION, "elsewhere"))
    later = true._replace(origin=true.origin.replace("/1/", "/2/"))

    verify([*play.archive(), signed_note(true)], play.keys())
    with pytest.raises(BrokenProof, match="is not the root over the 3 leaves before it"):
        verify([*play.archive(), signed_note(true._replace(size=4))], play.keys())
    for strange in (elsewhere, later):
        with pytest.raises(BrokenProof, match="is of no tree here"):
            verify([*play.archive(), signed_note(strange)], play.keys())


def test_a_beat_of_another_record_is_refused() -> None:
    play = played()
    digest = beat_digest(REGION, 1, play.ledger.chain, play.ledger.trees, salt(99))
    for origin in (beat_origin("elsewhere", 1), beat_origin(REGION, 2)):
        note = sign_note(Checkpoint(origin, 9, digest).text, EXCHANGE, signer("exchange"))
        with pytest.raises(BrokenProof, match="is of another record"):
            verify([*play.archive(), encode(BeatLine(salt=salt(99), note=note))], play.keys())


def by_hand(play: Play, **changes: object) -> bytes:
    """Return the line of a next entry with one part, made without the ledger's care."""
    leaf = part_leaf("a", salt(99), part("note/1", play.now_us, {}))
    chain = play.ledger.chain
    entry = Entry(
        region=REGION, incarnation=1, seq=chain.seq, previous=chain.previous,
        at_us=play.now_us, leaves=(leaf,),
    )  # fmt: skip
    made = msgspec.structs.replace(entry, **changes)
    return encode(EntryLine(entry=msgspec.Raw(encode(made))))


def test_an_entry_of_another_record_or_time_than_its_parts_is_refused() -> None:
    play = played()

    verify([*play.archive(), by_hand(play)], play.keys())
    for changes in ({"region": "elsewhere"}, {"incarnation": 2}):
        with pytest.raises(Malformed, match="is of another record"):
            verify([*play.archive(), by_hand(play, **changes)], play.keys())
    with pytest.raises(Malformed, match="is not its entry's time"):
        verify([*play.archive(), by_hand(play, at_us=play.now_us + 1)], play.keys())


def test_leaves_of_a_partys_file_that_are_out_of_time_are_refused() -> None:
    play = played()
    lines = play.view("a")
    first, second = (
        next(n for n, line in enumerate(lines) if text in line)
        for text in (b'"number":2', b'"number":1')
    )
    lines[first], lines[second] = lines[second], lines[first]

    with pytest.raises(Malformed, match="is before the one before it"):
        verify(lines, play.keys())


@pytest.mark.parametrize("audience", ["b,a", "a,a", "a,", "", "A", "*,a", "a b"])
def test_an_audience_in_a_second_form_is_refused(audience: str) -> None:
    with pytest.raises(ValueError, match="is no list of parties in order"):
        Leaf(audience=audience, salt=salt(1), part=msgspec.Raw(b"{}"))


def test_a_receipt_for_another_audience_is_refused() -> None:
    with pytest.raises(Malformed, match="is not that of keepclear/exercise-east/1/"):
        verify_receipt(msgspec.structs.replace(RECEIPT, audience="b"), NOTE_KEYS)


PLAY: Final = played()
ARCHIVE: Final = PLAY.archive()
KEYS: Final[KeysFile] = PLAY.keys()
NOTE_KEYS: Final = [NoteKey(EXCHANGE, public("exchange"))]


@given(place=st.integers(0, 10**6), value=st.integers(0, 255))
def test_a_changed_receipt_never_verifies_and_raises_only_our_errors(
    place: int, value: int
) -> None:
    data = bytearray(encode(RECEIPT))
    place %= len(data)
    if data[place] == value:
        return
    data[place] = value

    with pytest.raises(RecordError):
        verify_receipt(read_receipt(bytes(data)), NOTE_KEYS)


RECEIPT: Final = PLAY.receipt(5)


def test_a_receipt_by_another_exchange_proves_nothing() -> None:
    with pytest.raises(NotProven, match="is signed by no key that is known here"):
        verify_receipt(RECEIPT, [NoteKey(EXCHANGE, Signer(bytes(32)).public)])


def test_time_does_not_run_backwards_in_a_ledger_and_nothing_is_entered_then() -> None:
    play = played()
    sizes = {audience: len(tree) for audience, tree in play.ledger.trees.items()}
    play.now_us -= 5 * MINUTE_US

    with pytest.raises(Malformed, match="time does not run backwards"):
        play.enter(("a", "note/1", {}))

    assert {a: len(tree) for a, tree in play.ledger.trees.items()} == sizes
    assert play.ledger.chain.seq == 7


def test_the_same_record_is_the_same_bytes() -> None:
    assert played().archive() == ARCHIVE
    assert isinstance(verify(ARCHIVE, KEYS), Verified)
