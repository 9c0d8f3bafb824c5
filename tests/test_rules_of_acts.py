# SPDX-License-Identifier: Apache-2.0
"""The rules of the design's section "Acts", in its order, each played from end to end.

Repeated ids and the mandates of keys have theirs in `test_record_signers.py`; attestation and
logging in are not built. The rules of one function stand in `test_record_headers.py`,
`test_record_keys.py` and `test_agreement_signing.py`.
"""

import json
from typing import Any, Final

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from keepclear.agreement.documents import hash_of
from keepclear.agreement.standing import state_of
from keepclear.agreement.statements import SIGNATURE, Said, read_file
from keepclear.agreement.states import State
from keepclear.record.encoding import decode, encode
from keepclear.record.entries import EVERYBODY
from keepclear.record.envelopes import Envelope, Signature, seal
from keepclear.record.faults import Malformed, NotProven
from keepclear.record.headers import ACT, LONGEST_US, Place, Status, check_act, read_act
from keepclear.record.key_documents import (
    KEY_DOCUMENT,
    Device,
    KeyDocument,
    Keyring,
    Representative,
    Revocation,
)
from keepclear.record.keys import Signer
from keepclear.record.mandates import ROUTINE, Power
from keepclear.record.notes import NoteKey
from keepclear.record.parts import EXCHANGE_KEY, ExchangeKeyChange, seal_exchange_key
from keepclear.record.receipts import verify_act_of, verify_receipt
from keepclear.record.verification import Verified, verify
from keepclear.reports.record_text import keys_text, verified_text
from tests.agreement_plays import DAY_US, HOUR_US, Table, agreement
from tests.record_plays import (
    EXCHANGE,
    MINUTE_US,
    REGION,
    START_US,
    Play,
    act,
    act_place,
    first_document,
    mandate,
    next_document,
    played,
    post,
    public,
    restored,
    sealed,
    signed,
    signer,
)
from tests.test_record_keys import revoking, rotated

FIRST: Final = first_document("a")
HEADER: Final = (
    "region", "incarnation", "status", "party", "post", "id", "created_us", "expires_us",
    "agreement", "kind", "payload",
)  # fmt: skip


def new_watch() -> Device:
    """Return the post of the watch with another key."""
    return post("a", "watch", mandate(ROUTINE), key="new watch")


def started() -> Play:
    """Return a record with the keys of a alone."""
    play = Play()
    play.appoint(sealed(FIRST))
    return play


def checked(play: Play) -> Verified:
    """Return what holds of a record once it is signed."""
    play.sign()
    return verify(play.archive(), play.keys())


def acted(**changes: object) -> Verified:
    """Return what holds of a record with one act, signed as it is; a change to None leaves out."""
    play = started()
    made = json.loads(encode(act(1, at_us=play.now_us + MINUTE_US))) | changes
    data = encode({name: value for name, value in made.items() if value is not None})
    play.enter(("a", "act/1", seal(ACT, data, signer("a watch"))))
    return checked(play)


@pytest.mark.parametrize("field", HEADER)
def test_every_act_carries_the_whole_header(field: str) -> None:
    assert acted().acts == 1
    with pytest.raises(Malformed, match=f"missing required field `{field}`"):
        acted(**{field: None})


def test_the_status_of_an_act_is_actual_exercise_or_test() -> None:
    assert set(Status) == {"Actual", "Exercise", "Test"}
    for status in Status:
        assert acted(status=status).acts == 1
    for other in ("actual", "Drill", ""):
        with pytest.raises(Malformed, match=r"Invalid enum value.*status"):
            acted(status=other)


def test_an_act_expires_at_most_24_hours_after_it_was_made_and_is_refused_then() -> None:
    day_us = 24 * HOUR_US
    here = Place(region=REGION, incarnation=1, now_us=START_US)
    entered_us = started().now_us + MINUTE_US

    check_act(act(1, expires_us=START_US + day_us), here)
    with pytest.raises(NotProven, match="is more than 24 h after its creation"):
        check_act(act(1, expires_us=START_US + day_us + 1), here)
    with pytest.raises(NotProven, match="act again, with a new id"):
        check_act(act(1, created_us=START_US - 5, expires_us=START_US), here)
    assert acted(created_us=START_US, expires_us=entered_us + 1).is_proven
    with pytest.raises(NotProven, match="after it expired"):
        acted(created_us=START_US, expires_us=entered_us)


def test_a_signature_under_an_agreement_holds_until_its_proposal_expires_90_days_at_most() -> None:
    table = Table().sign("a", "rep-1", 0, 90 * DAY_US).sign("a", "rep-2", 0, 90 * DAY_US)
    for name in ("rep-1", "rep-2"):
        table.sign("b", name, 90 * DAY_US - 1)
    too_late = Table().sign("a", "rep-1", 0, 90 * DAY_US).sign("a", "rep-2", 0, 90 * DAY_US)
    for name in ("rep-1", "rep-2"):
        too_late.sign("b", name, 90 * DAY_US)
    longer = Table()
    value = {
        "document": hash_of(longer.agreement), "party": "a", "at_us": START_US,
        "expires_us": START_US + 90 * DAY_US + 1,
    }  # fmt: skip
    longer.signatures.append(seal(SIGNATURE, encode(value), signer("a rep-1")))

    assert table.at(91 * DAY_US).state is State.IN_FORCE
    assert too_late.at(91 * DAY_US).state is State.SIGNED_IN_PART
    with pytest.raises(Malformed, match="more than 90 days; let it expire earlier"):
        longer.at(0)


def test_a_late_entry_is_judged_by_its_first_time() -> None:
    play = played()
    expired = played()
    expired.now_us += 2 * LONGEST_US
    expired.enter(("a", "act/1", signed(act(6))))
    receipts = play.receipt(act_place(play, 1)), expired.receipt(act_place(expired, 6))
    after, wrong = restored(play), restored(expired)
    # long after the act has expired, and its key was replaced
    after.now_us += 30 * LONGEST_US
    after.appoint(sealed(
        next_document(FIRST, devices=(new_watch(),), created_us=play.now_us), "rep-1", "rep-2"
    ))  # fmt: skip
    after.enter(("a", "late-act/1", receipts[0]))
    wrong.enter(("a", "late-act/1", receipts[1]))

    assert checked(after).acts == 1
    with pytest.raises(NotProven, match="was entered before it was made or after it expired"):
        verify(wrong.archive(), play.keys())


def test_an_act_says_which_agreement_its_sender_has_seen() -> None:
    seen = hash_of(agreement())
    made = act(1, agreement=seen)

    assert read_act(signed(made)).agreement == seen
    assert acted(agreement=seen).acts == 1
    with pytest.raises(Malformed, match="agreement"):
        acted(agreement="latest")


def test_the_type_of_an_acts_payload_has_a_version() -> None:
    for kind in ("note/1", "line.note/12"):
        assert acted(kind=kind).acts == 1
    for kind in ("note", "note/", "note/0", "note/01", "note/x"):
        with pytest.raises(Malformed, match="kind"):
            acted(kind=kind)


def test_an_act_is_signed_with_ed25519_over_the_pre_authentication_encoding_of_dsse() -> None:
    made = act(1)
    envelope = signed(made)
    payload = encode(made)
    # DSSE 1.0.2, protocol.md: "DSSEv1" SP length SP type SP length SP payload
    message = b" ".join((
        b"DSSEv1", b"34", b"application/vnd.keepclear.act+json", str(len(payload)).encode(), payload
    ))  # fmt: skip
    bare = Signature(keyid=public("a watch").id, sig=signer("a watch").sign(payload))
    play = started()
    play.enter(("a", "act/1", Envelope(payload=payload, payload_type=ACT, signatures=(bare,))))

    # raises where it does not verify
    Ed25519PublicKey.from_public_bytes(public("a watch").data).verify(
        envelope.signatures[0].sig, message
    )
    assert envelope.payload == payload
    with pytest.raises(NotProven, match=r"signatures\[0\].*does not verify"):
        checked(play)


def test_which_key_counts_is_decided_by_place_in_the_record_and_not_by_a_clock() -> None:
    # the second document says of itself that it is made long after all that is entered here
    second = next_document(FIRST, created_us=START_US + 10 * HOUR_US, devices=(new_watch(),))
    play = started()
    play.act(1)
    early = started()
    early.act(1, "a", "new watch")
    play.appoint(sealed(second, "rep-1", "rep-2"))
    play.act(2, "a", "new watch", created_us=START_US)

    assert checked(play).acts == 2
    ring = Keyring()
    for envelope, place in zip(play.documents, (10, 20), strict=True):
        ring.add(envelope, place)
    new_id = public("a new watch").id
    assert ring.appointed("a", public("a watch").id, 19).name == "watch"
    assert ring.appointed("a", new_id, 20).name == "watch"
    with pytest.raises(NotProven, match="is no key of a in version 1 of its keys"):
        ring.appointed("a", new_id, 19)
    with pytest.raises(NotProven, match="has no key document here"):
        ring.appointed("a", new_id, 9)
    with pytest.raises(NotProven, match="is no key of a in version 1 of its keys"):
        checked(early)
    # made while the old key counted, and entered after
    play.act(3, "a", "watch", created_us=START_US)
    with pytest.raises(NotProven, match="is no key of a in version 2 of its keys"):
        checked(play)


def test_a_revocation_marks_what_was_signed_or_entered_since_then_and_deletes_nothing() -> None:
    play = started()
    play.act(1, "a", "rep-2")
    since_us = play.now_us + MINUTE_US
    play.act(2, "a", "rep-2")
    play.act(3, "a", "rep-2", created_us=since_us - 1)  # as a thief would date it
    play.act(4, "a", "rep-1")
    changes = revoking("rep-2")
    changes["revoked"] = (
        Revocation(key_id=public("a rep-2").id, suspect_since_us=since_us),
    )  # fmt: skip
    play.appoint(sealed(rotated(FIRST, **changes), "rep-1"))

    found = checked(play)

    assert (found.acts, found.is_proven) == (4, True)
    assert [(each.act, each.since_us) for each in found.suspects] == [
        (f"{2:032x}", since_us), (f"{3:032x}", since_us),
    ]  # fmt: skip


def with_document(data: bytes) -> Verified:
    """Return what holds of a record with a first key document as these bytes, signed."""
    play = Play()
    play.enter((EVERYBODY, "key-document/1", seal(KEY_DOCUMENT, data, signer("a root"))))
    play.sign()
    return verify(play.archive(), None)


def test_algorithm_and_hash_are_named_in_the_key_document_and_others_refused() -> None:
    data = encode(FIRST)

    assert b'"algorithm":"ed25519","hash":"sha-256"' in data
    assert with_document(data).roots == (("a", public("a root").id),)
    for old, new in ((b'"ed25519"', b'"rot13"'), (b'"sha-256"', b'"md5"')):
        with pytest.raises(Malformed, match="cannot be read"):
            with_document(data.replace(old, new))
    for named in (b'"algorithm":"ed25519",', b'"hash":"sha-256",'):
        with pytest.raises(Malformed, match="is not in its one form"):
            with_document(data.replace(named, b""))


# Encodings of small order, without the bit of the sign: libsodium 1.0.18, ed25519_ref10.c,
# ge25519_has_small_order
SMALL_ORDER: Final = (
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0100000000000000000000000000000000000000000000000000000000000000",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
)


@pytest.mark.parametrize("text", SMALL_ORDER)
@pytest.mark.parametrize("sign", [0, 0x80])
def test_a_key_of_small_order_is_refused_wherever_it_stands(text: str, sign: int) -> None:
    weak = bytearray.fromhex(text)
    weak[31] |= sign
    key = bytes(weak)
    documents: tuple[dict[str, Any], ...] = (
        {"root": key},
        {"representatives": (Representative(id="rep-1", key=key, mandates=()),)},
        {"devices": (Device(post="watch", key=key, mandates=()),)},
    )
    play = started()
    change = ExchangeKeyChange(region=REGION, name=EXCHANGE, key=key)
    play.enter((EVERYBODY, "exchange-key/1", seal(EXCHANGE_KEY, encode(change), play.exchange)))

    for changes in documents:
        with pytest.raises(Malformed, match="is of small order"):
            with_document(encode(msgspec.structs.replace(FIRST, **changes)))
    with pytest.raises(Malformed, match="is of small order"):
        checked(play)


def test_a_device_key_acts_for_its_post_alone() -> None:
    assert acted(post="watch").acts == 1
    with pytest.raises(NotProven, match=r"post watch of a.*is no key for acts of post tower"):
        acted(post="tower")


def test_agreement_suspension_and_keys_take_representatives_and_no_device_key() -> None:
    play = started()
    play.appoint(sealed(next_document(FIRST), "rep-1", "watch"))

    assert Table().all_sign().say("a", Said.SUSPEND, 1).at(1).state is State.SUSPENDED
    with pytest.raises(NotProven, match=r"post watch of a.*has no mandate for .*takes a rep"):
        Table().sign("a", "watch").at(0)
    with pytest.raises(NotProven, match=r"post watch of a.*has no mandate for .*takes a rep"):
        Table().all_sign().say("a", Said.SUSPEND, 1, by="watch").at(1)
    with pytest.raises(NotProven, match="is by a key that is not known here"):
        checked(play)


def test_an_agreement_and_new_keys_take_two_representatives_within_24_hours() -> None:
    both = Table().all_sign()
    one = Table().sign("a", "rep-1").sign("b", "rep-1").sign("b", "rep-2")
    late = Table().sign("a", "rep-1").sign("a", "rep-2", DAY_US + 1)
    late.sign("b", "rep-1").sign("b", "rep-2")
    with_two, with_one = started(), started()
    with_two.appoint(sealed(next_document(FIRST), "rep-1", "rep-2"))
    with_one.appoint(sealed(next_document(FIRST), "rep-1"))

    assert both.at(0).state is State.IN_FORCE
    assert one.at(0).waits_for == ("signature of a: 1 more representative",)
    assert "more than 24 hours apart" in late.at(2 * DAY_US).waits_for[0]
    assert checked(with_two).is_proven
    with pytest.raises(NotProven, match="have signed, 2 are needed"):
        checked(with_one)


def test_one_person_is_enough_where_the_key_document_says_so_and_its_receipt_shows_it() -> None:
    alone = (Power.AGREEMENT, Power.KEYS)
    first = first_document("a", one_person=alone)
    second = next_document(first, one_person=())
    play = Play()
    play.appoint(sealed(first))
    play.appoint(sealed(second, "rep-1"))
    table = Table(one_person=(Power.AGREEMENT,)).sign("a", "rep-1").sign("b", "rep-2")
    keys_only = Table(one_person=(Power.KEYS,)).sign("a", "rep-1").sign("b", "rep-2")

    first_alone = Play()
    first_alone.appoint(sealed(first))
    said = verified_text(checked(first_alone), "x")
    assert "one representative of a may sign agreement alone" in said
    # taken back later, the receipt and the record still show it for what was signed under it
    signed_alone = Play()
    signed_alone.appoint(sealed(first))
    signed_alone.act(1, "a", "rep-1", kind="agreement.carry/1")
    signed_alone.appoint(sealed(second, "rep-1"))
    assert checked(signed_alone).one_person == (("a", Power.AGREEMENT),)
    exchange_keys = [NoteKey(EXCHANGE, public("exchange"))]
    ring = Keyring()
    ring.add(sealed(first), 0)
    act = verify_act_of(verify_receipt(signed_alone.receipt(1), exchange_keys), ring)
    assert act is not None
    assert act.signers.alone is Power.AGREEMENT
    assert checked(play).is_proven
    proven = verify_receipt(play.receipt(0), [NoteKey(EXCHANGE, public("exchange"))])
    envelope = decode(bytes(proven.part.data), Envelope, "envelope")
    assert decode(envelope.payload, KeyDocument, "document").one_person == alone
    assert "one person may  agreement, keys" in keys_text(play.keys())
    assert table.at(0).state is State.IN_FORCE
    assert keys_only.at(0).state is State.SIGNED_IN_PART
    # the second document takes it back, and counts for the third
    play.appoint(sealed(next_document(second, one_person=(Power.KEYS,)), "rep-1"))
    with pytest.raises(NotProven, match="have signed, 2 are needed"):
        checked(play)


def test_the_root_appoints_keys_and_signs_nothing_else() -> None:
    play = started()
    play.act(1, "a", "root")
    alone = started()
    both = [signer(f"a {name}") for name in ("rep-1", "rep-2")]
    alone.appoint(seal(KEY_DOCUMENT, encode(next_document(FIRST)), *both))

    with pytest.raises(NotProven, match=r"root .*is no key for acts"):
        checked(play)
    with pytest.raises(NotProven, match=r"root of a.*it takes a representative"):
        Table().sign("a", "root").at(0)
    with pytest.raises(NotProven, match=r"root .*has not signed; sign with the root too"):
        checked(alone)


def test_a_root_carries_the_digest_of_its_successor_and_no_other_root_follows() -> None:
    announced, stolen = started(), started()
    announced.appoint(sealed(rotated(), "rep-1", "rep-2"))
    other = next_document(
        FIRST, root=public("a third root").data, next_root=public("a next root").id
    )
    stolen.appoint(sealed(other, "rep-1", "rep-2"))

    assert checked(announced).roots == (("a", public("a next root").id),)
    with pytest.raises(NotProven, match="is not the root announced before"):
        checked(stolen)


def test_the_exchanges_key_is_part_of_what_all_sign_and_none_is_needed_on_files() -> None:
    named = Table(agreement(operator_key=public("exchange").id)).all_sign()
    file, _ = read_file(encode(named.file()))
    other = agreement(operator_key=public("other exchange").id)
    carried = msgspec.structs.replace(file, agreement=msgspec.Raw(encode(other)))

    assert named.at(0).state is State.IN_FORCE
    assert Table(agreement(operator_key="")).all_sign().at(0).state is State.IN_FORCE
    with pytest.raises(Malformed, match="the document was changed after it was signed"):
        state_of(*read_file(encode(carried)), named.keys, START_US)


def with_new_exchange_key(*signers: Signer, region: str = REGION) -> Play:
    """Return a record that goes on with a new key of the exchange, which these have signed."""
    play, new = played(), signer("new exchange")
    name = f"exchange.example/{region}"
    change = ExchangeKeyChange(region=region, name=name, key=new.public.data)
    play.enter((EVERYBODY, "exchange-key/1", seal(EXCHANGE_KEY, encode(change), *signers)))
    play.exchange = new
    play.act(6)
    return play


def test_the_exchanges_key_is_rotated_by_an_entry_signed_with_the_old_and_the_new() -> None:
    old, new, forger = signer("exchange"), signer("new exchange"), signer("forger")
    never_said = played()
    never_said.exchange = new

    found = checked(with_new_exchange_key(old, new))

    assert seal_exchange_key(REGION, EXCHANGE, old, new).signatures[0].keyid == old.public.id
    assert found.is_proven
    assert found.exchange == ((EXCHANGE, old.public.id), (EXCHANGE, new.public.id))
    for signers in ((old,), (new,)):
        with pytest.raises(NotProven, match="is not signed with the old and with the new key"):
            checked(with_new_exchange_key(*signers))
    with pytest.raises(NotProven, match="is by a key that is not known here"):
        checked(with_new_exchange_key(forger, new))
    with pytest.raises(Malformed, match="'elsewhere': is not exercise-east"):
        checked(with_new_exchange_key(old, new, region="elsewhere"))
    with pytest.raises(NotProven, match="is signed by no key that is known here"):
        checked(never_said)
