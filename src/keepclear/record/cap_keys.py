# SPDX-License-Identifier: Apache-2.0
"""Which key documents of the Common Alerting Protocol are signed with, as the record says.

XML signatures know no Ed25519 that others could verify, so the exchange has a key of ECDSA on
P-256 beside its own (docs/adr/0031-cap.md). Layout, as JSON in its one form, in an envelope that
the exchange's own key has signed:

    region, incarnation, number (from 1 on), certificate (X.509, DER)

It is a part of the record for everybody, of kind `cap-key/1`.

1. The key of the last entry counts, and no other: one that was followed by another signs nothing
   any more, as nothing says when a document was signed.
2. A key does not come back.
3. A restored backup begins without one: what came after the backup may have said that a key is
   not to be believed any more.
"""

from collections.abc import Sequence
from typing import Annotated, Final

import msgspec

from keepclear.record.encoding import Signed, decode, digest, encode
from keepclear.record.entries import EVERYBODY
from keepclear.record.envelopes import Envelope, seal, verified
from keepclear.record.faults import Malformed, NotProven
from keepclear.record.headers import Name
from keepclear.record.keys import Signer, check_certificate
from keepclear.record.notes import NoteKey

CAP_KEY: Final = "application/vnd.keepclear.cap-key+json"
MOST_CERTIFICATE: Final = 2_000  # bytes; one of ours has about 400


class CapKey(Signed, frozen=True, kw_only=True):
    """A key that documents are signed with from here on; see the module."""

    region: Name
    incarnation: Annotated[int, msgspec.Meta(ge=1, lt=2**31)]
    number: Annotated[int, msgspec.Meta(ge=1, lt=2**31)]
    certificate: Annotated[bytes, msgspec.Meta(min_length=1, max_length=MOST_CERTIFICATE)]

    @property
    def id(self) -> str:
        """Return the SHA-256 of the certificate, as hexadecimal."""
        return digest(self.certificate).hex()


def seal_cap_key(key: CapKey, signer: Signer) -> Envelope:
    """Return a key in an envelope. signer: the exchange's own key."""
    return seal(CAP_KEY, encode(key), signer)


class CapKeys:
    """The keys of one incarnation of a region's record; the owner alone adds."""

    def __init__(self, region: str, incarnation: int, known: tuple[CapKey, ...] = ()) -> None:
        self._region, self._incarnation, self._keys = region, incarnation, known

    @property
    def all(self) -> tuple[CapKey, ...]:
        """Return all of them, the last of which signs now."""
        return self._keys

    def add(
        self, envelope: Envelope, signing: Sequence[NoteKey], audience: str,
        path: str = "CAP key",
    ) -> CapKey:  # fmt: skip
        """Take the next key. signing: the exchange's own keys, of which one has signed it.

        `NotProven` where none has, or it is not for everybody; `Malformed` for one of another
        record, out of order, or that was there before.
        """
        if audience != EVERYBODY:
            raise NotProven(
                path, audience, "is not everybody, who must know it", "ask the operator"
            )
        verified(envelope, {each.key.id: each.key for each in signing}, CAP_KEY, path)
        key = decode(envelope.payload, CapKey, path)
        if (key.region, key.incarnation) != (self._region, self._incarnation):
            raise Malformed(
                path,
                f"{key.region} {key.incarnation}",
                "is of another record",
                "ask who entered it",
            )
        if self._keys and key.number != self._keys[-1].number + 1:
            raise Malformed(
                f"{path}.number", key.number, f"does not follow {self._keys[-1].number}",
                "get the record again",
            )  # fmt: skip
        if key.id in {each.id for each in self._keys}:
            raise NotProven(
                path, f"key {key.id[:16]}", "has signed before, and another has followed it",
                "ask the operator",
            )  # fmt: skip
        check_certificate(key.certificate, f"{path}.certificate")
        self._keys = (*self._keys, key)
        return key
