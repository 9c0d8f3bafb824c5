# SPDX-License-Identifier: Apache-2.0
"""DSSE envelopes: a payload as exact bytes, its type, and who signed both.

Layout (Dead Simple Signing Envelope 1.0.2, github.com/secure-systems-lab/dsse), as JSON:

    payload       base64   the bytes that are meant
    payloadType   text     what they are
    signatures    list     each: keyid (text), sig (base64)

Signed is the pre-authentication encoding, which no other type's payload can be mistaken for:
"DSSEv1" SP length(type) SP type SP length(payload) SP payload, lengths in decimal bytes.

1. An envelope has one form as bytes (`encoding`), and no key signs it twice.
2. `keyid` is the key's own id (`keys`), so an envelope does not say which key to believe:
   whoever verifies brings the keys.
"""

from collections.abc import Mapping
from typing import Annotated, Final, NamedTuple

import msgspec

from keepclear.record.encoding import Signed, decode
from keepclear.record.faults import Malformed, NotProven
from keepclear.record.keys import SIGNATURE_BYTES, PublicKey, Signer

MOST_SIGNATURES: Final = 16


class Signature(Signed, frozen=True, kw_only=True):
    """One key's signature over the pre-authentication encoding."""

    keyid: str
    sig: Annotated[bytes, msgspec.Meta(min_length=SIGNATURE_BYTES, max_length=SIGNATURE_BYTES)]


class Envelope(Signed, frozen=True, kw_only=True):
    """A payload and its signatures; see the module."""

    payload: bytes
    payload_type: str = msgspec.field(name="payloadType")
    signatures: tuple[Signature, ...]

    def __post_init__(self) -> None:
        """Refuse an envelope that is signed by nobody, by too many, or twice by one key."""
        keys = [each.keyid for each in self.signatures]
        if not keys:
            raise ValueError("is not signed; sign it with a key of the party")
        if len(keys) > MOST_SIGNATURES:
            raise ValueError(f"has {len(keys)} signatures, above {MOST_SIGNATURES}; send fewer")
        if len(set(keys)) < len(keys):
            raise ValueError("is signed twice by one key; send each signature once")


def pre_authentication(payload_type: str, payload: bytes) -> bytes:
    """Return what is signed: DSSE 1.0.2, protocol, PAE."""
    kind = payload_type.encode()
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)


def seal(payload_type: str, payload: bytes, *signers: Signer) -> Envelope:
    """Return the payload in an envelope that each of the signers has signed."""
    message = pre_authentication(payload_type, payload)
    return Envelope(
        payload=payload, payload_type=payload_type,
        signatures=tuple(
            Signature(keyid=signer.public.id, sig=signer.sign(message)) for signer in signers
        ),
    )  # fmt: skip


def read_envelope(data: bytes, path: str = "envelope") -> Envelope:
    """Return the envelope that bytes are; `Malformed` where they are none."""
    return decode(data, Envelope, path)


class Known(NamedTuple):
    """Of which keys the signatures on an envelope were seen to verify before, by their bytes."""

    envelope: Envelope
    keys: frozenset[bytes]

    def has(self, envelope: Envelope, key: PublicKey) -> bool:
        """Tell whether a key's signature on an envelope, that very object, is known to verify."""
        return envelope is self.envelope and key.data in self.keys


def verified(
    envelope: Envelope, keys: Mapping[str, PublicKey], payload_type: str, path: str = "envelope",
    known: Known | None = None,
) -> tuple[str, ...]:  # fmt: skip
    """Return the ids of the keys that signed, each of which is one of those given.

    known: what was verified of it before.
    `Malformed` for another type of payload; `NotProven` for a signature that does not verify
    or is by a key that is not among them: an envelope is believed whole or not at all.
    """
    if envelope.payload_type != payload_type:
        raise Malformed(
            f"{path}.payloadType", envelope.payload_type, f"is not {payload_type}",
            "send it to where its type belongs",
        )  # fmt: skip
    message = pre_authentication(envelope.payload_type, envelope.payload)
    for number, each in enumerate(envelope.signatures):
        key = keys.get(each.keyid)
        where = f"{path}.signatures[{number}]"
        if key is None:
            raise NotProven(
                where, f"key {each.keyid[:16]}", "is by a key that is not known here",
                "give the key document that holds it, or sign with a key that is appointed",
            )  # fmt: skip
        if known is None or not known.has(envelope, key):
            key.verify(message, each.sig, where)
    return tuple(each.keyid for each in envelope.signatures)


def signed_by(envelope: Envelope) -> tuple[str, ...]:
    """Return the ids of the keys that an envelope says have signed it. Verifies nothing."""
    return tuple(each.keyid for each in envelope.signatures)
