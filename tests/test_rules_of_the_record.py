# SPDX-License-Identifier: Apache-2.0
"""The rules of the design's section "The record", in its order, each played from end to end.

What is not built has no test here: findings, the fold and its world hash, the audit. The rules
of one function stand in `test_record_merkle.py`, `test_record_signing.py`,
`test_record_restored.py` and `test_record_verification.py`.
"""

import base64
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import Final

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from keepclear import __version__
from keepclear.record.encoding import Signed, decode, encode
from keepclear.record.entries import EVERYBODY, Entry, Part
from keepclear.record.envelopes import Envelope, verified
from keepclear.record.faults import BrokenProof, Malformed, NotProven, SplitView
from keepclear.record.files import BeatLine, EntryLine, KeysFile
from keepclear.record.headers import ACT, read_act
from keepclear.record.key_documents import Keyring
from keepclear.record.keys import PublicKey
from keepclear.record.ledger import ForWhom
from keepclear.record.merkle import leaf_hash, node_hash
from keepclear.record.notes import COSIGNS, NoteKey, cosign_note, sign_note, verify_note
from keepclear.record.personal import digest_of
from keepclear.record.receipts import read_receipt, verify_receipt
from keepclear.record.split_view import Evidence, extend, verify_evidence
from keepclear.record.verification import verify
from keepclear.record.versions import Kinds
from keepclear.reports.record_text import verified_text
from tests.record_plays import (
    EXCHANGE,
    NAME,
    REGION,
    Play,
    act,
    act_place,
    first_document,
    part,
    played,
    public,
    salt,
    sealed,
    signed,
    signer,
    with_name,
)
from tests.test_record_merkle import root_by_definition

RECORDS: Final = Path(__file__).parent / "records"
KEYS: Final = (NoteKey(EXCHANGE, public("exchange")),)
PLAY: Final = played()
AUDIENCES: Final = ("*", "a", "a,b", "b")
Lines = list[bytes]


def hashed(play: Play, audience: str) -> list[bytes]:
    """Return SHA-256(salt, part) of each leaf of a tree."""
    return [
        sha256(leaf.salt + bytes(leaf.part)).digest()
        for leaf in play.leaves
        if leaf.audience == audience
    ]


def at(lines: Lines, text: bytes) -> int:
    """Return which line a text is on first, counted from 0."""
    return next(n for n, line in enumerate(lines) if text in line)


def test_entries_are_in_one_order_and_each_carries_the_hash_of_the_one_before() -> None:
    lines, keys = PLAY.archive(), PLAY.keys()
    entries = [bytes(line.entry) for line in PLAY.lines if isinstance(line, EntryLine)]
    read = [msgspec.json.decode(data, type=Entry) for data in entries]
    k = at(lines, b'"seq":5,')

    assert [entry.seq for entry in read] == list(range(7))
    assert read[0].previous == bytes(32)
    assert [e.previous for e in read[1:]] == [sha256(data).digest() for data in entries[:-1]]
    with pytest.raises(Malformed, match=r"entry 6.*entry.seq 6: is not 5, which comes next"):
        verify([*lines[:k], *lines[k + 1 :]], keys)
    with pytest.raises(Malformed, match=r"entry 5.*is not 6, which comes next"):
        verify([*lines[: k + 1], lines[k], *lines[k + 1 :]], keys)
    with pytest.raises(Malformed, match=r"entry 5.*is not 4, which comes next"):
        verify([*lines[: k - 1], lines[k], lines[k - 1], *lines[k + 1 :]], keys)
    changed = lines[k].replace(b'"number":4', b'"number":9')
    with pytest.raises(Malformed, match=r"entry 6.*is not the hash of the entry before"):
        verify([*lines[:k], changed, *lines[k + 1 :]], keys)


def with_busy_neighbour(acts: int) -> Play:
    """Return a record in which b does that much of its own between what both sides see."""
    play = Play()
    play.appoint(sealed(first_document("a")))
    play.appoint(sealed(first_document("b")))
    for number in range(acts):
        own = part("act/1", play.now_us, signed(act(100 + number, "b")))
        data = play.ledger.append(
            play.now_us, [ForWhom(audience="b", salt=salt(1_000 + number), part=own)]
        )[1]
        play.lines.append(EntryLine(entry=msgspec.Raw(data)))
    play.act(1, "a")
    play.sign()
    return play


def test_the_size_and_tempo_of_the_order_never_leave() -> None:
    quiet, busy = with_busy_neighbour(0), with_busy_neighbour(9)

    assert verify(busy.archive(), busy.keys()).acts == 10
    assert busy.ledger.chain.seq == quiet.ledger.chain.seq + 9
    assert busy.view("a") == quiet.view("a")
    assert encode(busy.receipt(2)) == encode(quiet.receipt(2))
    text = b"\n".join(busy.view("a"))
    for never in (b'"seq"', b'"previous"', b'"line":"beat"', b'"line":"chain"', b'"b"'):
        assert never not in text


def test_each_part_is_a_leaf_of_exactly_one_audiences_tree() -> None:
    assert tuple(sorted(PLAY.ledger.trees)) == AUDIENCES
    assert sum(len(tree) for tree in PLAY.ledger.trees.values()) == len(PLAY.leaves) == 12
    for place, leaf in enumerate(PLAY.leaves):
        receipt = PLAY.receipt(place)
        of_others = set(AUDIENCES) - {leaf.audience}
        assert verify_receipt(receipt, KEYS).checkpoint.origin.endswith(f"/1/{leaf.audience}")
        for other in of_others:
            note = PLAY.ledger.signed_checkpoint(other, EXCHANGE, PLAY.exchange)
            for audience, under in (
                (other, note), (leaf.audience, note), (other, receipt.checkpoint)
            ):  # fmt: skip
                moved = msgspec.structs.replace(receipt, audience=audience, checkpoint=under)
                with pytest.raises((BrokenProof, Malformed)):
                    verify_receipt(moved, KEYS)


def test_a_leaf_is_the_hash_of_its_own_salt_and_its_part() -> None:
    play = Play()
    play.enter(("a", "note/1", {}), ("a", "note/1", {}))
    tree = play.ledger.trees["a"]
    salts = {leaf.salt for leaf in PLAY.leaves}

    assert len(salts) == len(PLAY.leaves)
    for k, leaf in enumerate(play.leaves):
        inner = sha256(leaf.salt + bytes(leaf.part)).digest()
        assert tree.leaf(k) == sha256(b"\x00" + inner).digest()
    # the same part twice cannot be told from two parts by who does not hold the salts
    assert bytes(play.leaves[0].part) == bytes(play.leaves[1].part)
    assert tree.leaf(0) != tree.leaf(1)
    other = msgspec.structs.replace(play.receipt(0), salt=salt(99))
    with pytest.raises(BrokenProof, match="the part, its salt or its place was changed"):
        verify_receipt(other, KEYS)


@pytest.mark.parametrize("party", ["a", "b"])
def test_every_reader_of_a_tree_can_open_every_leaf_in_it(party: str) -> None:
    lines = PLAY.view(party)
    seen = [tree for audience, tree in PLAY.ledger.trees.items() if audience != "ab".strip(party)]

    found = verify(lines, PLAY.keys())

    assert found.is_proven
    assert found.leaves == sum(map(len, seen))
    assert found.unsigned == 0
    for line in (line for line in lines if b'"line":"leaf"' in line):
        # as the operator would change a salt for this reader alone
        fresh = msgspec.json.decode(line)
        fresh["leaf"]["salt"] = base64.b64encode(salt(99)).decode()
        with pytest.raises(BrokenProof, match="is not the root over the"):
            verify([encode(fresh) if each == line else each for each in lines], PLAY.keys())
        # a root no longer fits, or what the key document signed for
        with pytest.raises((BrokenProof, NotProven)):
            verify([each for each in lines if each != line], PLAY.keys())


def path_by_definition(index: int, data: Sequence[bytes]) -> tuple[bytes, ...]:
    """RFC 9162, 2.1.3.1, word for word."""
    if len(data) == 1:
        return ()
    split = 1 << ((len(data) - 1).bit_length() - 1)
    if index < split:
        return (*path_by_definition(index, data[:split]), root_by_definition(data[split:]))
    return (*path_by_definition(index - split, data[split:]), root_by_definition(data[:split]))


def extension_by_definition(
    old: int, data: Sequence[bytes], *, is_whole: bool = True
) -> tuple[bytes, ...]:
    """RFC 9162, 2.1.4.1, SUBPROOF, word for word."""
    if old == len(data):
        return () if is_whole else (root_by_definition(data),)
    split = 1 << ((len(data) - 1).bit_length() - 1)
    if old <= split:
        left = extension_by_definition(old, data[:split], is_whole=is_whole)
        return (*left, root_by_definition(data[split:]))
    right = extension_by_definition(old - split, data[split:], is_whole=False)
    return (*right, root_by_definition(data[:split]))


def test_roots_and_proofs_are_those_of_rfc_9162_over_salted_parts() -> None:
    assert node_hash(b"l", b"r") == sha256(b"\x01lr").digest()
    assert leaf_hash(b"d") == sha256(b"\x00d").digest()
    for audience in AUDIENCES:
        data = hashed(PLAY, audience)
        note = PLAY.ledger.signed_checkpoint(audience, EXCHANGE, PLAY.exchange)
        assert note.split("\n")[2] == base64.b64encode(root_by_definition(data)).decode()
        tree = PLAY.ledger.trees[audience]
        for old in range(1, len(data)):
            assert tree.consistency(old, len(data)) == extension_by_definition(old, data)
    for place, leaf in enumerate(PLAY.leaves):
        receipt = PLAY.receipt(place)
        assert receipt.proof == path_by_definition(receipt.index, hashed(PLAY, leaf.audience))


def test_a_checkpoint_is_a_signed_note_of_the_exchange() -> None:
    # c2sp.org/tlog-checkpoint and signed-note v1.0.0, read by hand
    note = PLAY.ledger.signed_checkpoint("a,b", EXCHANGE, PLAY.exchange)
    text, _, line = note.partition("\n\n")
    dash, name, signature = line.removesuffix("\n").split(" ")
    key = public("exchange").data
    data = base64.b64decode(signature)
    root = base64.b64encode(root_by_definition(hashed(PLAY, "a,b"))).decode()

    assert text == f"keepclear/{REGION}/1/a,b\n5\n{root}"
    assert (dash, name) == ("\u2014", EXCHANGE)
    assert data[:4] == sha256(EXCHANGE.encode() + b"\n\x01" + key).digest()[:4]
    # raises where it does not verify
    Ed25519PublicKey.from_public_bytes(key).verify(data[4:], f"{text}\n".encode())
    with pytest.raises(NotProven, match="is signed by no key that is known here"):
        verify_note(note, [NoteKey(EXCHANGE, public("other"))])
    with pytest.raises(NotProven, match="does not verify"):
        verify_note(note.replace("a,b\n5\n", "a,b\n6\n"), KEYS)


def split_views() -> tuple[str, str]:
    """Return two checkpoints of one tree and size, as two readers were shown them."""
    other = Play()
    other.appoint(sealed(first_document("a")))
    other.appoint(sealed(first_document("b")))
    for number in (7, 8, 9):
        other.act(number, "a")
    one, two = (
        sign_note(play.ledger.checkpoint("a").text, EXCHANGE, play.exchange)
        for play in (PLAY, other)
    )
    return one, two


def test_two_checkpoints_of_one_size_with_different_roots_prove_a_split_view() -> None:
    one, other = split_views()
    reader = NoteKey("reader", public("reader"), COSIGNS)
    cosigned = cosign_note(one, "reader", signer("reader"), 1_443_600_000)

    assert verify_note(cosigned, [*KEYS, reader])[1] == (("reader", 1_443_600_000),)
    with pytest.raises(NotProven, match=r"signature of reader.*does not verify"):
        verify_note(other + cosigned.splitlines(keepends=True)[-1], [*KEYS, reader])
    with pytest.raises(SplitView, match="was signed with two roots"):
        extend(cosigned, other, (), [*KEYS, reader])
    assert verify_evidence(Evidence(one=cosigned, other=other), KEYS).size == 3
    with pytest.raises(Malformed, match="is no two roots of one tree at one size"):
        verify_evidence(Evidence(one=cosigned, other=one), KEYS)


OPENS: Final = salt(97)  # what a beat is opened with


def test_a_beat_is_one_signed_and_salted_digest_over_the_order_and_the_roots_of_all_audiences() -> (
    None
):
    note = PLAY.ledger.beat(2, OPENS, EXCHANGE, PLAY.exchange)
    entries = [bytes(line.entry) for line in PLAY.lines if isinstance(line, EntryLine)]
    last = base64.b64encode(sha256(entries[-1]).digest()).decode()
    texts = f"keepclear/{REGION}/1/order/\n7\n{last}\n"
    for audience in AUDIENCES:
        data = hashed(PLAY, audience)
        root = base64.b64encode(root_by_definition(data)).decode()
        texts += f"keepclear/{REGION}/1/{audience}\n{len(data)}\n{root}\n"
    digest = base64.b64encode(sha256(OPENS + texts.encode()).digest()).decode()
    line = encode(BeatLine(salt=OPENS, note=note))
    unsalted = encode(BeatLine(salt=salt(98), note=note))
    strange = encode(BeatLine(salt=OPENS, note=PLAY.ledger.beat(
        2, OPENS, EXCHANGE, signer("forger")
    )))  # fmt: skip

    assert verify_note(note, KEYS)[0] == f"keepclear/{REGION}/1/beat/\n2\n{digest}\n"
    assert verify([*PLAY.archive(), line], PLAY.keys()).beats == 3
    for audience in AUDIENCES:
        later = played()
        later.enter((audience, "note/1", {}))
        with pytest.raises(BrokenProof, match="is not the digest over the order and all trees"):
            verify([*later.archive(), line], later.keys())
    with pytest.raises(BrokenProof, match="is not the digest over the order and all trees"):
        verify([*PLAY.archive(), unsalted], PLAY.keys())
    with pytest.raises(NotProven, match="is signed by no key that is known here"):
        verify([*PLAY.archive(), strange], PLAY.keys())
    skipped = PLAY.ledger.beat(3, OPENS, EXCHANGE, PLAY.exchange)
    with pytest.raises(BrokenProof, match="is not the one after 1; a beat was dropped"):
        verify([*PLAY.archive(), encode(BeatLine(salt=OPENS, note=skipped))], PLAY.keys())


def test_the_operator_and_one_party_cannot_backdate_behind_a_beat_that_others_cosigned() -> None:
    honest = Play()
    honest.appoint(sealed(first_document("a")))
    beat = honest.ledger.beat(0, OPENS, EXCHANGE, honest.exchange)
    held_by_b = cosign_note(beat, "b", signer("b watch"), 1_443_600_000)
    forged = Play()
    forged.appoint(sealed(first_document("a")))
    forged.act(1, "a")  # put in later, with checkpoints signed again
    forged.sign()
    forged.lines[-1] = BeatLine(salt=OPENS, note=held_by_b)

    assert verify_note(held_by_b, [NoteKey("b", public("b watch"), COSIGNS), *KEYS])[1]
    with pytest.raises(BrokenProof, match="an entry, a tree or the hash of a world was changed"):
        verify(forged.archive(), forged.keys())


def test_only_who_is_shown_its_salt_sees_a_beat_opened() -> None:
    alone = Play()
    alone.enter((EVERYBODY, "note/1", {}))
    notes = [
        play.ledger.beat(0, OPENS, EXCHANGE, play.exchange) for play in (alone, PLAY)
    ]  # fmt: skip

    # neither how many trees there are nor whose they are
    assert len({len(note) for note in notes}) == 1
    assert all(b'"line":"beat"' not in line for line in PLAY.view("a"))


def test_personal_values_can_be_deleted_and_everything_still_verifies() -> None:
    play = with_name()
    whole = play.archive()
    deleted = [line for line in whole if b'"line":"personal"' not in line]

    before, after = verify(whole, play.keys()), verify(deleted, play.keys())

    # SHA-256(salt, name, value) is what stands in the signed payload
    assert digest_of(NAME).digest == sha256(salt(7) + b"on-watch" + b"A. Example").digest()
    signed_act = decode(
        bytes(decode(bytes(play.leaves[1].part), Part, "part").data), Envelope, "envelope"
    )
    assert read_act(signed_act).personal == (digest_of(NAME),)
    assert b"Example" in b"".join(whole)
    assert b"Example" not in b"".join(deleted)
    assert before.is_proven
    # no rule reads them
    assert before._replace(lines=0) == after._replace(lines=0)


def test_a_receipt_verifies_offline_with_the_parties_keys_and_without_the_operator() -> None:
    # two files are all there is: the receipt, and whom to believe
    data, keys_data = encode(PLAY.receipt(act_place(PLAY, 3))), encode(PLAY.keys())

    keys = decode(keys_data, KeysFile, "keys")
    ring = Keyring()
    for envelope in keys.documents:
        ring.add(envelope, 0)
    exchange = [NoteKey(each.name, public("exchange")) for each in keys.exchange]
    proven = verify_receipt(read_receipt(data), exchange)
    envelope = decode(bytes(proven.part.data), Envelope, "envelope")
    made = read_act(envelope)
    key = ring.appointed(made.party, envelope.signatures[0].keyid)

    assert (key.name, made.id) == ("rep-1", f"{3:032x}")
    assert verified(envelope, {key.key.id: key.key}, ACT) == (key.key.id,)
    assert set(msgspec.json.decode(data)) == {
        "audience", "salt", "part", "index", "proof", "checkpoint"
    }  # fmt: skip
    for place, leaf in enumerate(PLAY.leaves):
        assert encode(verify_receipt(PLAY.receipt(place), KEYS).part) == bytes(leaf.part)


def test_without_a_file_of_keys_a_record_is_consistent_with_itself_and_its_origin_not_proven() -> (
    None
):
    forged = played(signer("forger"))

    for play in (PLAY, forged):
        found = verify(play.archive(), None)
        assert not found.is_proven
        assert verified_text(found, "x").startswith("CONSISTENT WITH ITSELF, ORIGIN NOT PROVEN")
    assert verify(PLAY.archive(), PLAY.keys()).is_proven
    with pytest.raises(NotProven, match=r"header, exchange.*is not in the file of keys"):
        verify(forged.archive(), PLAY.keys())


def slack(text: bytes) -> bytes:
    """Return base64 with its last letter before the padding changed in a bit that means nothing."""
    letters = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    place = text.rindex(b"=") - 1
    while text[place : place + 1] == b"=":
        place -= 1
    other = letters[letters.index(text[place]) ^ 1]
    return text[:place] + bytes([other]) + text[place + 1 :]


LEVELS: Final = {
    "line": b'{"line":"entry"',
    "entry": b'{"region":',
    "leaf": b'{"audience":',
    "part": b'{"kind":',
    "envelope": b'{"payload":',
    "signature": b'{"keyid":',
}


@pytest.mark.parametrize("level", LEVELS)
def test_verification_refuses_duplicate_and_unknown_keys_at_every_depth(level: str) -> None:
    lines = PLAY.archive()
    k = at(lines, b'"seq":5,')
    start = LEVELS[level]
    name = start.rpartition(b'{"')[2].split(b'"')[0]

    for added in (b'"more":1,', b'"%b":"",' % name, b" "):
        assert start in lines[k]
        changed = lines[k].replace(start, start[:1] + added + start[1:], 1)
        with pytest.raises(Malformed, match=r"is not in its one form|cannot be read"):
            verify([*lines[:k], changed, *lines[k + 1 :]], PLAY.keys())


def test_verification_refuses_slack_bits_in_base64_wherever_bytes_stand() -> None:
    lines = PLAY.archive()
    k, note = at(lines, b'"seq":5,'), at(lines, b'"line":"checkpoint"')
    texts = [text for text in lines[k].split(b'"') if text.endswith(b"=")]

    assert len(texts) >= 4  # previous, salts, payload or signature
    for text in texts:
        changed = lines[k].replace(text, slack(text), 1)
        with pytest.raises(Malformed, match="is not in its one form"):
            verify([*lines[:k], changed, *lines[k + 1 :]], PLAY.keys())
    signature = lines[note].rpartition(b" ")[2].partition(b"\\n")[0]
    root = lines[note].split(b"\\n")[2]
    for text in (signature, root):
        changed = lines[note].replace(text, slack(text), 1)
        with pytest.raises((Malformed, NotProven), match=r"in a second form|does not verify"):
            verify([*lines[:note], changed, *lines[note + 1 :]], PLAY.keys())


def test_each_type_of_an_event_has_a_version_in_its_tag() -> None:
    for kind in ("notice/1", "line.notice/12"):
        play = Play()
        play.enter(("a", kind, {}))
        assert verify(play.archive(), None).leaves == 1
    for kind in ("notice", "notice/", "notice/0", "notice/01"):
        play = Play()
        play.enter(("a", kind, {}))
        with pytest.raises(Malformed, match="kind"):
            verify(play.archive(), None)


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


def test_old_types_are_read_as_they_were_and_pure_upcasters_lead_to_the_newest() -> None:
    first, newest = First(text="two words"), Third(words=("two", "words"), language="en")

    assert KINDS.newest("note") == "note/3"
    for kind, value in (
        ("note/1", first),
        ("note/2", Second(text="two words", language="en")),
        ("note/3", newest),
    ):
        assert KINDS.read(kind, encode(value)) == newest
    with pytest.raises(Malformed, match=r"missing required field|unknown field"):
        KINDS.read("note/2", encode(first))
    with pytest.raises(Malformed, match="unknown field"):
        KINDS.read("note/1", encode(newest))
    with pytest.raises(Malformed, match=r"First.*leads to no next version"):
        Kinds({"note": (First, Second)}, {})


@pytest.mark.parametrize(
    "kind", ["note", "note/0", "note/4", "note/1/2", "note/²", "note/01", "other/1", ""]
)
def test_unknown_types_are_refused(kind: str) -> None:
    with pytest.raises(Malformed, match="is none of note/3 or older; update this program"):
        KINDS.read(kind, encode(First(text="x")))


@pytest.mark.parametrize("name", ["act", "key-document", "exchange-key", "incarnation", "late-act"])
def test_unknown_versions_of_the_records_own_types_are_refused_and_not_passed_over(
    name: str,
) -> None:
    play = played()
    play.enter((EVERYBODY, f"{name}/2", {"text": "of a later program"}))
    play.sign()

    with pytest.raises(Malformed, match=rf"'{name}/2': is of a version that is not known here"):
        verify(play.archive(), play.keys())


# Entries, leaves and acts of each file, as they were when the release wrote it.
RELEASES: Final = {
    "0.1": {"east.record": (13, 22, 9), "a.record": (0, 19, 6), "restored.record": (5, 9, 2)},
}


@pytest.mark.parametrize("release", RELEASES)
def test_the_record_of_a_release_is_proven_for_ever(release: str) -> None:
    folder = RECORDS / release
    keys = decode((folder / "keys.json").read_bytes().strip(), KeysFile, "keys.json")
    found = {
        name: verify((folder / name).read_bytes().splitlines(), keys)
        for name in RELEASES[release]
    }  # fmt: skip
    receipt = read_receipt((folder / "act.receipt").read_bytes().strip())
    exchange = [NoteKey(each.name, PublicKey(each.key)) for each in keys.exchange]

    assert all(each.is_proven for each in found.values())
    counts = {name: (each.entries, each.leaves, each.acts) for name, each in found.items()}
    assert counts == RELEASES[release]
    assert len(found["east.record"].suspects) == 1
    assert verify_receipt(receipt, exchange).part.kind == "act/1"


def test_every_release_has_its_record() -> None:
    kept = {folder.name for folder in RECORDS.iterdir() if folder.is_dir()}

    assert kept == set(RELEASES)
    assert ".".join(__version__.split(".")[:2]) in kept
