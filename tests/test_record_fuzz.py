# SPDX-License-Identifier: Apache-2.0
"""What was signed and then spoilt never proves anything new, and raises our errors alone.

Each test spoils a valid value (`mutations`). What still verifies, as where a line of somebody
unknown was added or the end was cut off, must say nothing that the valid values did not say.
Envelopes, receipts and proofs have more in `test_record_signing.py`, `test_record_merkle.py`
and `test_record_verification.py`.
"""

from typing import Final

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keepclear.agreement.standing import state_of
from keepclear.agreement.statements import Said, read_file
from keepclear.errors import KeepclearError
from keepclear.record.encoding import Signed, decode, encode
from keepclear.record.entries import Entry
from keepclear.record.envelopes import read_envelope, verified
from keepclear.record.faults import Malformed, RecordError, SplitView
from keepclear.record.files import AnyLine, EntryLine, KeysFile, LeafLine, PersonalLine
from keepclear.record.headers import ACT
from keepclear.record.key_documents import Keyring
from keepclear.record.notes import (
    COSIGNS,
    NoteKey,
    cosign_note,
    read_checkpoint,
    sign_note,
    split_note,
    verify_note,
)
from keepclear.record.origins import origin_of
from keepclear.record.receipts import read_receipt, verify_receipt
from keepclear.record.split_view import Evidence, extend, verify_evidence
from keepclear.record.verification import verify
from tests.agreement_plays import DAY_US, Table, with_line_check
from tests.mutations import Mutation, mutated, mutations
from tests.record_plays import (
    EXCHANGE,
    NAME,
    REGION,
    START_US,
    Play,
    act,
    first_document,
    played,
    public,
    salt,
    sealed,
    signed,
    signer,
    with_name,
)
from tests.release_record import release_play
from tests.test_record_keys import revoking, rotated
from tests.test_rules_of_the_record import split_views

pytestmark = pytest.mark.slow
many: Final = settings(max_examples=max(300, settings().max_examples))
PLAY: Final = played()
KEYS: Final = (
    NoteKey(EXCHANGE, public("exchange")),
    NoteKey("reader", public("reader"), COSIGNS),
    NoteKey("auditor", public("auditor"), COSIGNS),
)


def checkpoint(audience: str, size: int) -> str:
    """Return a checkpoint of the record that two readers have cosigned."""
    note = sign_note(PLAY.ledger.checkpoint(audience, size).text, EXCHANGE, PLAY.exchange)
    return cosign_note(cosign_note(note, "reader", signer("reader"), 5), "auditor",
                       signer("auditor"), 6)  # fmt: skip


def as_text(data: bytes) -> str:
    """Return bytes as the text of a note; what is no UTF-8 stays in it as it would in a file."""
    return data.decode("utf-8", "surrogateescape")


NOTES: Final = (checkpoint("a", 3), checkpoint("a,b", 3))


@many
@given(mutations, st.integers(3, 5))
def test_a_spoilt_note_says_nothing_that_was_not_signed(ways: list[Mutation], lines: int) -> None:
    # the text of three lines, a blank one, and one signature, two or all three
    data, other = ("".join(note.splitlines(keepends=True)[: lines + 2]).encode() for note in NOTES)
    try:
        text, cosigned = verify_note(as_text(mutated(data, other, ways)), KEYS)
    except RecordError:
        return

    assert text in {split_note(note)[0] for note in NOTES}
    assert set(cosigned) <= {("reader", 5), ("auditor", 6)}
    assert len(set(cosigned)) == len(cosigned)


def test_a_cosignature_that_stands_twice_counts_once() -> None:
    note = NOTES[0]
    again = note.splitlines(keepends=True)[-2]

    assert verify_note(f"{note}{again}{again}", KEYS)[1] == (("reader", 5), ("auditor", 6))


EVIDENCE: Final = Evidence(one=split_views()[0], other=split_views()[1])
NO_EVIDENCE: Final = Evidence(one=checkpoint("a", 2), other=checkpoint("a", 3))


@many
@given(mutations)
def test_spoilt_evidence_accuses_of_nothing_but_what_was_done(ways: list[Mutation]) -> None:
    data = mutated(encode(EVIDENCE), encode(NO_EVIDENCE), ways)
    try:
        evidence = decode(data, Evidence, "evidence")
        found = verify_evidence(evidence, KEYS)
    except RecordError:
        return

    assert (found.origin, found.size) == (origin_of(REGION, 1, "a"), 3)
    texts = {split_note(note)[0] for note in (evidence.one, evidence.other)}
    assert texts == {split_note(note)[0] for note in (EVIDENCE.one, EVIDENCE.other)}


class Step(Signed, frozen=True, kw_only=True):
    """What a reader is given to go on from one checkpoint to the next."""

    last: str
    note: str
    proof: tuple[bytes, ...]


def step(old: int, size: int) -> bytes:
    """Return the step from one size of a tree to another, as bytes."""
    proof = PLAY.ledger.trees["a,b"].consistency(old, size)
    return encode(Step(last=checkpoint("a,b", old), note=checkpoint("a,b", size), proof=proof))


@given(mutations)
def test_a_spoilt_step_between_true_checkpoints_is_none_and_accuses_nobody(
    ways: list[Mutation],
) -> None:
    try:
        given_step = decode(mutated(step(3, 5), step(2, 4), ways), Step, "step")
        found = extend(given_step.last, given_step.note, given_step.proof, KEYS)
    except SplitView:
        raise AssertionError("an honest operator was accused") from None
    except RecordError:
        return

    tree = PLAY.ledger.trees["a,b"]
    old = read_checkpoint(split_note(given_step.last)[0])
    assert found in {PLAY.ledger.checkpoint("a,b", size) for size in (2, 3, 4, 5)}
    assert old.size == found.size or given_step.proof == tree.consistency(old.size, found.size)


def rotated_play(**changes: object) -> Play:
    """Return a record in which a has gone on to its next root."""
    play = Play()
    play.appoint(sealed(first_document("a", **changes)))
    play.appoint(sealed(first_document("b", **changes)))
    play.act(1, "a", "rep-2")
    play.appoint(sealed(
        rotated(first_document("a", **changes), **revoking("rep-2")), "rep-1"
    ))  # fmt: skip
    play.sign()
    return play


ROTATED: Final = rotated_play()
ROTATED_LINES: Final = ROTATED.archive()
OTHER: Final = rotated_play(created_us=START_US + 1)


@given(mutations)
def test_a_spoilt_file_of_keys_appoints_nobody_whom_a_party_has_not(ways: list[Mutation]) -> None:
    files = ROTATED.keys(), OTHER.keys()
    data = mutated(encode(files[0]), encode(files[1]), ways)
    ring = Keyring()
    try:
        keys = decode(data, KeysFile, "keys")
        for envelope in keys.documents:
            ring.add(envelope, 0)
    except RecordError:
        return

    signed = {each.payload for file in files for each in file.documents}
    kept = [each for party in ring.parties() for each in ring.documents(party)]
    assert {each.payload for each in kept} <= signed
    assert all(ring.latest(party).party == party for party in ring.parties())


def payloads(keys: KeysFile, party: str) -> list[bytes]:
    """Return the documents of a party in a file of keys, as what is signed."""
    name = f'{{"party":"{party}"'.encode()
    return [each.payload for each in keys.documents if each.payload.startswith(name)]


@given(mutations)
def test_a_record_is_proven_by_no_other_keys_than_those_it_was_signed_with(
    ways: list[Mutation],
) -> None:
    try:
        keys = decode(mutated(encode(ROTATED.keys()), encode(OTHER.keys()), ways), KeysFile, "keys")
        found = verify(ROTATED_LINES, keys)
    except RecordError:
        return

    assert found.is_proven
    assert (EXCHANGE, public("exchange").id) in found.exchange
    assert dict(found.roots) == {"a": public("a next root").id, "b": public("b root").id}
    for party in ("a", "b"):
        pinned, entered = payloads(keys, party), payloads(ROTATED.keys(), party)
        # a file of keys may know of later documents than the record
        assert pinned[: len(entered)] == entered[: len(pinned)]


Leaves = dict[str, list[tuple[bytes, bytes]]]


def leaves_of(lines: list[bytes]) -> Leaves:
    """Return salt and part of each leaf of an archive or a party's file, tree by tree."""
    found: Leaves = {}
    for data in lines:
        line = msgspec.json.decode(data, type=AnyLine)
        leaves = [line.leaf] if isinstance(line, LeafLine) else []
        if isinstance(line, EntryLine):
            leaves = list(msgspec.json.decode(bytes(line.entry), type=Entry).leaves)
        for leaf in leaves:
            found.setdefault(leaf.audience, []).append((leaf.salt, bytes(leaf.part)))
    return found


RELEASE: Final = release_play()
FILES: Final = (RELEASE.archive(), RELEASE.view("a"), RELEASE.view("b"))


@given(mutations, st.sampled_from([(0, 1), (1, 2), (1, 0), (2, 1)]))
def test_what_is_proven_of_a_spoilt_record_is_a_beginning_of_each_of_its_trees(
    ways: list[Mutation], which: tuple[int, int]
) -> None:
    data, other = (b"\n".join(FILES[k]) for k in which)
    lines = mutated(data, other, ways).split(b"\n")
    try:
        found = verify(lines, RELEASE.keys())
    except RecordError:
        return

    whole = leaves_of(FILES[0])
    for audience, leaves in leaves_of(lines).items():
        assert not found.is_proven or leaves == whole[audience][: len(leaves)]


NAMED: Final = with_name()
NAMED_LINES: Final = NAMED.archive()


@many
@given(mutations)
def test_a_spoilt_personal_value_is_none(ways: list[Mutation]) -> None:
    line = PersonalLine(act=f"{1:032x}", field=NAME)
    other = PersonalLine(act=f"{2:032x}", field=msgspec.structs.replace(NAME, name="relief"))
    lines = mutated(encode(line), encode(other), ways).split(b"\n")
    try:
        verify([*NAMED_LINES, *lines], NAMED.keys())
    except RecordError:
        return

    assert set(lines) == {encode(line)}


@many
@given(mutations, st.integers(0, len(PLAY.leaves) - 1), st.integers(0, len(PLAY.leaves) - 1))
def test_a_receipt_with_fields_of_another_proves_nothing_new(
    ways: list[Mutation], place: int, other: int
) -> None:
    data = mutated(encode(PLAY.receipt(place)), encode(PLAY.receipt(other)), ways)
    try:
        receipt = read_receipt(data)
        proven = verify_receipt(receipt, KEYS)
    except RecordError:
        return

    said = {(leaf.audience, bytes(leaf.part)) for leaf in PLAY.leaves}
    assert (receipt.audience, encode(proven.part)) in said


def test_a_receipt_under_a_beat_is_refused_as_none() -> None:
    beat = PLAY.ledger.beat(9, salt(5), EXCHANGE, PLAY.exchange)
    data = encode(PLAY.receipt(0)).replace(b'"audience":"*"', b'"audience":""')
    value = msgspec.json.decode(data) | {"checkpoint": beat}

    with pytest.raises(Malformed, match="is no list of parties in order"):
        verify_receipt(read_receipt(encode(value)), KEYS)


@many
@given(mutations)
def test_an_envelope_with_fields_of_another_says_nothing_new(ways: list[Mutation]) -> None:
    one, other = signed(act(1)), signed(act(2), "rep-1")
    keys = {key.id: key for key in (public("a watch"), public("a rep-1"))}
    try:
        envelope = read_envelope(mutated(encode(one), encode(other), ways))
        verified(envelope, keys, ACT)
    except RecordError:
        return

    assert envelope.payload in {one.payload, other.payload}


TABLE: Final = Table().all_sign().say("a", Said.SUSPEND, 1)
OTHER_TABLE: Final = (
    Table(with_line_check()).all_sign(2).say("a", Said.LINE_CHECKED, 3).say("b", Said.DENOUNCE, 4)
)


@given(mutations)
def test_a_spoilt_agreement_is_signed_by_nobody_who_has_not_signed_it(ways: list[Mutation]) -> None:
    data = mutated(encode(TABLE.file()), encode(OTHER_TABLE.file()), ways)
    try:
        file, found = read_file(data)
        standing = state_of(file, found, TABLE.keys, START_US + DAY_US)
    except KeepclearError:
        return

    hashes = {each.at(DAY_US).hash: set(each.at(DAY_US).signed) for each in (TABLE, OTHER_TABLE)}
    assert set(standing.signed) <= hashes.get(standing.hash, set())
    assert not standing.holds or standing.hash in hashes
