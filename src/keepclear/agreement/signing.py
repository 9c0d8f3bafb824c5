# SPDX-License-Identifier: Apache-2.0
"""Who has signed what of an agreement: each signature and statement in a file, verified.

1. A party has signed once two of its representatives have, within 24 hours (one where its key
   document says so), each over the hash of the agreement, and before their signatures expire.
2. An annex is signed for a party by one key of a post that the agreement names for it, or where
   it names none by one representative.
3. Each key has a mandate for what it signs at the time at which it does (`record.mandates`).
4. On files there is no order but time: what a key may sign is said by the key document that was
   the party's latest at that time. What it signed from when it is suspect does not count, and is
   told as left out (`LeftOut`).
5. A key is of one party: two parties of an agreement with one key are refused.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Generic, NamedTuple, TypeVar

from keepclear.agreement.annexes import Annex, annex_hash, authority_for
from keepclear.agreement.documents import Agreement, hash_of, malformed_in_words
from keepclear.agreement.statements import (
    ANNEX_SIGNATURE,
    SIGNATURE,
    STATEMENT,
    AgreementStatement,
    DocumentSignature,
    mandate_for,
)
from keepclear.record.encoding import decode
from keepclear.record.envelopes import Envelope, verified
from keepclear.record.faults import Malformed, NotProven
from keepclear.record.key_documents import Appointed, Keyring
from keepclear.record.mandates import (
    WITHIN_US,
    Power,
    Signing,
    bound_us,
    check_mandate,
    needed_for,
    time_text,
)

ANNEX: str = "annex"
What = TypeVar("What")
Value = TypeVar("Value", DocumentSignature, AgreementStatement)


class Signature(NamedTuple):
    """One valid signature: whose, by which representative or post, when, until when.

    key: id of the key. is_alone: one person may bind the party, by its key document.
    """

    party: str
    by: str
    key: str
    at_us: int
    expires_us: int
    is_alone: bool = False


class Stated(NamedTuple):
    """One valid statement, and by which representative."""

    by: str
    what: AgreementStatement


class LeftOut(NamedTuple):
    """A signature or statement that verifies and does not count: what, by whom, when, and why."""

    what: str
    party: str
    by: str
    at_us: int
    why: str


class Read(NamedTuple, Generic[What]):
    """What counts of the envelopes of a file, and what does not."""

    found: list[What]
    left_out: list[LeftOut]


class Bound(NamedTuple):
    """When a party had signed, or why it has not: one of the two is empty."""

    at_us: int
    why: str


def signatures_of(
    envelopes: Iterable[Envelope], agreement: Agreement, keys: Keyring, path: str = "signatures"
) -> Read[Signature]:
    """Return the signatures of an agreement that count; refuse what does not verify.

    `NotProven` for a key that has no mandate or is nobody's, `Malformed` for another document:
    a file is believed whole or not at all. What a suspect key signed is left out.
    """
    found, left_out = list[Signature](), list[LeftOut]()
    kind, own = (SIGNATURE, DocumentSignature), hash_of(agreement)
    for where, value, signer, why in _said(envelopes, kind, own, agreement, keys, path):
        if why:
            left_out.append(LeftOut("signature", value.party, signer.name, value.at_us, why))
            continue
        _check_representative(signer, Power.AGREEMENT, value.at_us, where)
        is_alone = needed(value.party, keys, value.at_us) == 1
        found.append(Signature(
            value.party, signer.name, signer.key.id, value.at_us, value.expires_us, is_alone
        ))  # fmt: skip
    return Read(found, left_out)


def statements_of(
    envelopes: Iterable[Envelope], agreement: Agreement, keys: Keyring, path: str = "statements"
) -> Read[Stated]:
    """Return the statements about an agreement that count, in time; as `signatures_of`."""
    found, left_out = list[Stated](), list[LeftOut]()
    kind, own = (STATEMENT, AgreementStatement), hash_of(agreement)
    for where, value, signer, why in _said(envelopes, kind, own, agreement, keys, path):
        if why:
            left_out.append(LeftOut(value.said, value.party, signer.name, value.at_us, why))
            continue
        _check_representative(signer, mandate_for(value.said), value.at_us, where)
        found.append(Stated(signer.name, value))
    return Read(sorted(found, key=lambda each: each.what.at_us), left_out)


def annex_signatures_of(
    envelopes: Iterable[Envelope], annex: Annex, agreement: Agreement, keys: Keyring,
    path: str = "annex",
) -> Read[Signature]:  # fmt: skip
    """Return the signatures of an annex that count; as `signatures_of`."""
    posts = authority_for(agreement, annex.id, path)[1].posts
    found, left_out = list[Signature](), list[LeftOut]()
    kind, own = (ANNEX_SIGNATURE, DocumentSignature), annex_hash(annex)
    said = _said(envelopes, kind, own, agreement, keys, f"{path}.signatures")
    for where, value, signer, why in said:
        if why:
            what = f"signature of annex {annex.id}, version {annex.version}"
            left_out.append(LeftOut(what, value.party, signer.name, value.at_us, why))
            continue
        if not posts:
            _check_representative(signer, Power.AGREEMENT, value.at_us, where)
        elif signer.role != "device" or signer.name not in posts:
            raise NotProven(
                where, signer.who, f"has no authority for annex {annex.id}",
                f"let post {' or '.join(posts)} of {value.party} sign",
            )  # fmt: skip
        else:
            check_mandate(signer.mandates, ANNEX, value.at_us, signer.who, where)
        found.append(
            Signature(value.party, signer.name, signer.key.id, value.at_us, value.expires_us)
        )
    return Read(found, left_out)


def unexpired(
    parties: Sequence[str], signed: Sequence[Signature], count: Mapping[str, int], now_us: int
) -> tuple[list[Signature], dict[str, Bound]]:
    """Return the signatures that had not expired when all had signed, or now, and who is bound.

    count: how many of its representatives each party takes.
    """
    left = list(signed)
    while True:
        done = {
            party: Bound(*bound_us(
                (Signing(each.by, each.key, each.at_us) for each in left if each.party == party),
                count[party],
            ))
            for party in parties
        }  # fmt: skip
        are_all = not any(each.why for each in done.values())
        then_us = max(each.at_us for each in done.values()) if are_all else now_us
        still = [each for each in left if each.expires_us > then_us]
        if len(still) == len(left):
            return left, done
        left = still


def check_may_sign(party: str, key_id: str, keys: Keyring) -> None:
    """Refuse to sign with a key that is suspect: what it signs from then on does not count."""
    since_us = keys.suspect_since_us(party, key_id)
    if since_us is not None:
        raise NotProven(
            "key", f"{key_id[:16]} of {party}",
            f"is suspect since {time_text(since_us)}, so nothing it signs now counts",
            "sign with the key that replaced it (keepclear key show)",
        )  # fmt: skip


def check_not_signed(
    signed: Iterable[Signature], party: str, key_id: str, now_us: int, path: str = "signature"
) -> None:
    """Refuse that a representative signs again while its signature still counts.

    After its signature expired, or more than 24 hours later, it signs again: for the other
    representative of its party, whose signature must be as close.
    """
    for each in signed:
        is_own = each.party == party and each.key == key_id
        if is_own and now_us < each.expires_us and now_us <= each.at_us + WITHIN_US:
            raise Malformed(
                path, f"{each.by} of {party}", f"has signed already, at {time_text(each.at_us)}",
                "let another representative sign, or send the file on",
            )  # fmt: skip


def check_keys_apart(agreement: Agreement, keys: Keyring) -> None:
    """Refuse keys of which one is of two parties of an agreement: one person could be both."""
    whose: dict[str, str] = {}
    for party in agreement.parties:
        for key_id in sorted(keys.key_ids(party.id)):
            if key_id in whose:
                raise NotProven(
                    "key", key_id[:16], f"is of {whose[key_id]} and of {party.id}",
                    "let each party make keys of its own (keepclear key new)",
                )  # fmt: skip
            whose[key_id] = party.id


def needed(party: str, keys: Keyring, at_us: int | None = None) -> int:
    """Return how many representatives sign an agreement for a party, at a time or by now."""
    return needed_for(Power.AGREEMENT, keys.at(party, at_us).one_person)


def _said(
    envelopes: Iterable[Envelope], kind: tuple[str, type[Value]], own: str, agreement: Agreement,
    keys: Keyring, path: str,
) -> Iterator[tuple[str, Value, Appointed, str]]:  # fmt: skip
    """Yield of each envelope its place, what it says, who signed it, and why it does not count.

    kind: type of the payload, and of what it says. own: the hash of what it must be about;
    `Malformed`, in words, where it is another, or nothing of its kind.
    """
    payload_type, value_type = kind
    for number, envelope in enumerate(envelopes):
        where = f"{path}[{number}]"
        try:
            value = decode(envelope.payload, value_type, where)
        except Malformed as fault:
            raise malformed_in_words(fault, envelope.payload, where) from None
        _check_is_about(value.document, own, value.party, agreement, where)
        signer, why = _signer(envelope, value.party, value.at_us, payload_type, keys, where)
        yield where, value, signer, why


def _check_is_about(document: str, own: str, party: str, agreement: Agreement, path: str) -> None:
    if document != own:
        raise Malformed(
            f"{path}.document", document[:16], f"is not this document, {own[:16]}",
            "the document was changed after it was signed: sign it again",
        )  # fmt: skip
    if party not in {each.id for each in agreement.parties}:
        raise Malformed(f"{path}.party", party, "is no party of the agreement", "take it out")


def _signer(
    envelope: Envelope, party: str, at_us: int, payload_type: str, keys: Keyring, path: str
) -> tuple[Appointed, str]:
    """Return what the key was for that signed, and why it does not count: it was suspect, or ""."""
    if len(envelope.signatures) != 1:
        raise Malformed(path, len(envelope.signatures), "is not one signature", "sign one by one")
    key_id = envelope.signatures[0].keyid
    since_us = keys.suspect_since_us(party, key_id)
    why = ""
    if since_us is not None and since_us <= at_us:
        appointed = keys.ever_appointed(party, key_id)
        why = f"its key is suspect since {time_text(since_us)}"
    else:
        appointed = keys.appointed_at(party, key_id, at_us)
    verified(envelope, {key_id: appointed.key}, payload_type, path)
    return appointed, why


def _check_representative(signer: Appointed, power: Power, at_us: int, path: str) -> None:
    if signer.role != "representative":
        raise NotProven(
            path, signer.who, f"has no mandate for {power}: it takes a representative",
            "let a representative of its key document sign",
        )  # fmt: skip
    check_mandate(signer.mandates, power, at_us, signer.who, path)
