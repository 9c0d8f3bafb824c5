# SPDX-License-Identifier: Apache-2.0
"""Keys, envelopes and notes against the vectors of their standards, and against mutations."""

import base64
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from keepclear.record.encoding import decode, encode
from keepclear.record.envelopes import (
    Envelope,
    Known,
    pre_authentication,
    read_envelope,
    seal,
    verified,
)
from keepclear.record.faults import Malformed, NotProven, RecordError
from keepclear.record.keys import PRIME, SMALL_ORDER, PublicKey, Signer
from keepclear.record.notes import (
    COSIGNS,
    SIGNS,
    Checkpoint,
    NoteKey,
    cosign_note,
    read_checkpoint,
    sign_note,
    split_note,
    verify_note,
)
from tests.record_plays import public, signer

TYPE: Final = "application/vnd.example+json"
ROOT: Final = bytes(range(32))


def test_keys_and_signatures_are_those_of_rfc_8032() -> None:
    # RFC 8032, 7.1, TEST 1: the empty message
    made = Signer(bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"))

    assert made.public.data.hex() == (
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"
    )
    assert made.sign(b"").hex() == (
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e397"
        "01cf9b46bd25bf5f0595bbe24655141438e7a100b"
    )


def test_the_points_that_are_refused_are_those_whose_eighth_multiple_is_nothing() -> None:
    # RFC 8032, 5.1: -x^2 + y^2 = 1 + d x^2 y^2, with addition as in 5.1.4
    d = -121_665 * pow(121_666, -1, PRIME) % PRIME
    found = set()
    for y in {value % PRIME for value in SMALL_ORDER}:
        square = (y * y - 1) * pow(d * y * y + 1, -1, PRIME) % PRIME
        root = pow(square, (PRIME + 3) // 8, PRIME)
        if root * root % PRIME != square:
            root = root * pow(2, (PRIME - 1) // 4, PRIME) % PRIME
        assert root * root % PRIME == square
        point = (root, y)
        for _ in range(3):
            x1, y1 = point
            k = d * x1 * x1 * y1 * y1
            point = (
                2 * x1 * y1 * pow(1 + k, -1, PRIME) % PRIME,
                (y1 * y1 + x1 * x1) * pow(1 - k, -1, PRIME) % PRIME,
            )
        assert point == (0, 1)
        found.add(y)
    # the eight points of the torsion subgroup share five y coordinates
    assert len(found) == 5


def test_a_signature_by_another_key_or_of_another_text_does_not_verify() -> None:
    signature = signer("one").sign(b"text")

    public("one").verify(b"text", signature, "note")
    with pytest.raises(NotProven, match="does not verify"):
        public("two").verify(b"text", signature, "note")
    with pytest.raises(NotProven, match="does not verify"):
        public("one").verify(b"texts", signature, "note")


def test_what_is_signed_is_the_pre_authentication_encoding() -> None:
    # DSSE 1.0.2, protocol.md, test vectors
    encoded = pre_authentication("http://example.com/HelloWorld", b"hello world")

    assert encoded == b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"


def test_an_envelope_comes_back_from_its_bytes_and_verifies() -> None:
    envelope = seal(TYPE, b"payload", signer("one"), signer("two"))
    keys = {public(name).id: public(name) for name in ("one", "two", "three")}

    again = read_envelope(encode(envelope))

    assert again == envelope
    assert verified(again, keys, TYPE) == (public("one").id, public("two").id)


@pytest.mark.parametrize(
    ("change", "limit"),
    [
        (lambda text: text.replace('"payload":', '"payload" :'), "is not in its one form"),
        (lambda text: text.replace("{", '{"payload":"",', 1), "is not in its one form"),
        (lambda text: text.replace("{", '{"more":1,', 1), "unknown field"),
        (lambda text: text.replace('cGF5bG9hZA=="', 'cGF5bG9hZB=="'), "is not in its one form"),
        (lambda text: text[: len(text) // 2], "cannot be read"),
        (lambda text: text + "\n", "is not in its one form"),
        (lambda text: text.replace('"sig":"', '"sig":"AAAA'), "cannot be read"),
        (lambda _: "[" * 100_000, "is nested deeper than 64"),
        (lambda _: "x" * 2_000_000, "is larger than 1048576 bytes"),
    ],
)
def test_an_envelope_in_a_second_form_is_refused(change: object, limit: str) -> None:
    text = encode(seal(TYPE, b"payload", signer("one"))).decode()

    with pytest.raises(Malformed, match=limit):
        read_envelope(change(text).encode())  # type: ignore[operator]


def test_an_envelope_that_is_not_signed_or_twice_by_one_key_is_refused() -> None:
    envelope = seal(TYPE, b"payload", signer("one"))
    data = encode(envelope).decode()
    each = data[data.index("[{") + 1 : -2]

    with pytest.raises(Malformed, match="is not signed; sign it"):
        read_envelope(data.replace(each, "").encode())
    with pytest.raises(Malformed, match="is signed twice by one key"):
        read_envelope(data.replace(each, f"{each},{each}").encode())


def test_what_is_known_of_an_envelope_counts_for_that_very_one_and_its_keys() -> None:
    good = seal(TYPE, b"{}", signer("one"), signer("two"))
    forged = tuple(replace(each, sig=bytes(64)) for each in good.signatures)
    bad = replace(good, signatures=forged)
    keys = {each.id: each for each in (public("one"), public("two"))}
    whole = frozenset(each.data for each in keys.values())

    assert verified(bad, keys, TYPE, known=Known(bad, whole))  # nothing is verified again
    for known in (Known(good, whole), Known(bad, frozenset({public("one").data}))):
        with pytest.raises(NotProven, match="does not verify"):
            verified(bad, keys, TYPE, known=known)


def test_an_envelope_with_one_signature_that_is_not_known_is_not_believed() -> None:
    envelope = seal(TYPE, b"payload", signer("one"), signer("two"))

    with pytest.raises(NotProven, match=r"signatures\[1\].*is by a key that is not known here"):
        verified(envelope, {public("one").id: public("one")}, TYPE)
    with pytest.raises(Malformed, match="send it to where its type belongs"):
        verified(envelope, {}, "application/vnd.other+json")


@given(place=st.integers(0, 10_000), value=st.integers(0, 255))
def test_a_changed_envelope_never_verifies_and_raises_only_our_errors(
    place: int, value: int
) -> None:
    data = bytearray(encode(seal(TYPE, b"a payload of some length", signer("one"))))
    place %= len(data)
    if data[place] == value:
        return
    data[place] = value
    keys = {public("one").id: public("one")}

    with pytest.raises(RecordError):
        verified(read_envelope(bytes(data)), keys, TYPE)


@given(st.binary(max_size=300))
def test_no_bytes_raise_anything_but_our_errors(data: bytes) -> None:
    with pytest.raises(RecordError):
        decode(data, Envelope, "envelope")


# golang.org/x/mod/sumdb/note, package documentation: a verifier's key and a note signed by it
NEUMANN: Final = "ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
NEUMANN_NOTE: Final = (
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n"
    "\n"
    "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb"
    "6KE6RyyBwJnAM=\n"
)


def test_a_note_signed_by_another_implementation_verifies() -> None:
    key = NoteKey("PeterNeumann", PublicKey(base64.b64decode(NEUMANN)[1:]))

    assert key.id.hex() == "c74f20a3"
    assert verify_note(NEUMANN_NOTE, [key])[0].startswith("If you think")
    with pytest.raises(NotProven, match="does not verify"):
        verify_note(NEUMANN_NOTE.replace("answer", "question"), [key])


def test_a_checkpoint_is_three_lines_and_comes_back() -> None:
    # c2sp.org/tlog-checkpoint v1.0.0, the example
    text = "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"

    found = read_checkpoint(text)

    assert (found.origin, found.size) == ("example.com/behind-the-sofa", 20_852_163)
    assert found.text == text


@pytest.mark.parametrize(
    "text",
    [
        "o\n5\n" + base64.b64encode(ROOT).decode() + "\nmore\n",
        "o\n05\n" + base64.b64encode(ROOT).decode() + "\n",
        "o\n-5\n" + base64.b64encode(ROOT).decode() + "\n",
        "o\n²\n" + base64.b64encode(ROOT).decode() + "\n",
        "o\n5\n" + base64.b64encode(ROOT[:31]).decode() + "\n",
        "o\n5\nnot base64!\n",
        "\n5\n" + base64.b64encode(ROOT).decode() + "\n",
        "o\n99999999999999999999\n" + base64.b64encode(ROOT).decode() + "\n",
    ],
)
def test_a_text_that_is_no_checkpoint_is_refused(text: str) -> None:
    with pytest.raises(Malformed):
        read_checkpoint(text)


def checkpoint_note() -> str:
    note = sign_note(Checkpoint("o/1", 5, ROOT).text, "exchange", signer("exchange"))
    return cosign_note(note, "reader", signer("reader"), 1_443_600_000)


KEYS: Final = (
    NoteKey("exchange", public("exchange"), SIGNS),
    NoteKey("reader", public("reader"), COSIGNS),
)


def test_a_cosigned_checkpoint_says_who_cosigned_and_when() -> None:
    text, cosigned = verify_note(checkpoint_note(), KEYS)

    assert read_checkpoint(text).size == 5
    assert cosigned == (("reader", 1_443_600_000),)


def test_a_cosignature_alone_does_not_stand_for_the_exchange() -> None:
    with pytest.raises(NotProven, match="is signed by no key that is known here"):
        verify_note(checkpoint_note(), KEYS[1:])
    with pytest.raises(NotProven, match="is signed by no key that is known here"):
        verify_note(checkpoint_note(), [NoteKey("exchange", public("other"))])


def test_the_signature_of_a_checkpoint_is_no_cosignature_and_the_other_way_round() -> None:
    swapped = [key._replace(kind=COSIGNS if key.kind == SIGNS else SIGNS) for key in KEYS]

    with pytest.raises(NotProven):
        verify_note(checkpoint_note(), swapped)


def test_a_signature_line_in_a_second_form_of_base64_is_refused() -> None:
    note = sign_note("text\n", "exchange", signer("exchange"))
    # 68 bytes end in one "=", so the last letter has two bits that stand for nothing
    letter = note[-3]
    slack = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    other = slack[slack.index(letter) + 1]

    assert note.endswith("=\n")
    verify_note(note, KEYS)
    with pytest.raises(Malformed, match="is base64 in a second form"):
        verify_note(f"{note[:-3]}{other}=\n", KEYS)


@given(place=st.integers(0, 10_000), char=st.characters(codec="utf-8"))
def test_a_changed_note_never_verifies_unless_only_a_signature_was_lost(
    place: int, char: str
) -> None:
    note = checkpoint_note()
    place %= len(note)
    changed = note[:place] + char + note[place + 1 :]
    if changed == note:
        return
    try:
        text, cosigned = verify_note(changed, KEYS)
    except RecordError:
        return
    # a change of a cosigner's name or key id makes a line of somebody unknown, nothing else
    assert text == split_note(note)[0]
    assert cosigned == ()


@pytest.mark.parametrize("name", ["", "a b", "a+b", "a\u00a0b", "a\n"])
def test_a_name_that_breaks_a_signature_line_is_refused(name: str) -> None:
    with pytest.raises(Malformed, match="is empty, or has a space or a plus"):
        sign_note("text\n", name, signer("one"))
