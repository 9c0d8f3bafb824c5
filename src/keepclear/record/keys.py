# SPDX-License-Identifier: Apache-2.0
"""Ed25519 keys: public ones as values, private ones behind `Signer` (RFC 8032).

1. A key of small order verifies signatures over anything; `PublicKey` refuses all of them.
2. A key's id is the SHA-256 of its 32 bytes, as hexadecimal: nobody chooses it.
3. Private keys are made from a seed that is handed in: nothing here is random.

    >>> signer = Signer(bytes(range(32)))
    >>> signer.public.verify(b"text", signer.sign(b"text"), "note")
    >>> signer.public.id[:8]
    '56475aa7'
"""

from functools import cached_property
from hashlib import sha256
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)

from keepclear.record.faults import Malformed, NotProven

KEY_BYTES: Final = 32
SIGNATURE_BYTES: Final = 64
PRIME: Final = 2**255 - 19
# The y coordinates of the points of order 1, 2, 4 and 8 (the last two are the roots of the
# curve's equation for the points of order 8), each in its canonical form and plus the prime
# where that fits into 255 bits.
_ORDER_8: Final = 0x7A03AC9277FDC74EC6CC392CFA53202A0F67100D760B3CBA4FD84D3D706A17C7
_SMALL: Final = (0, 1, PRIME - 1, _ORDER_8, PRIME - _ORDER_8)
SMALL_ORDER: Final = frozenset(
    value + step for value in _SMALL for step in (0, PRIME) if value + step < 2**255
)


class PublicKey:
    """A key that verifies. `Malformed` where it is not 32 bytes of a usable point."""

    def __init__(self, data: bytes, path: str = "key") -> None:
        if len(data) != KEY_BYTES:
            raise Malformed(path, data.hex(), "is not 32 bytes", "give an Ed25519 public key")
        if int.from_bytes(data, "little") % 2**255 in SMALL_ORDER:
            raise Malformed(
                path, data.hex(), "is of small order: it would verify anything", "make a new key"
            )
        self.data = data
        try:
            self._key = Ed25519PublicKey.from_public_bytes(data)
        except ValueError:
            raise Malformed(path, data.hex(), "is no point", "make a new key") from None

    @cached_property
    def id(self) -> str:
        """The SHA-256 of the key, as hexadecimal."""
        return sha256(self.data).hexdigest()

    def verify(self, message: bytes, signature: bytes, path: str) -> None:
        """Do nothing where the signature is this key's over the message; else `NotProven`."""
        try:
            self._key.verify(signature, message)
        except InvalidSignature:
            raise NotProven(
                path, f"key {self.id[:16]}", "does not verify", "get it again from who signed it"
            ) from None

    def __eq__(self, other: object) -> bool:
        """Keys are equal when their bytes are."""
        return isinstance(other, PublicKey) and self.data == other.data

    def __hash__(self) -> int:
        """As equality has it."""
        return hash(self.data)


class Signer:
    """A private key, made from a seed of 32 bytes."""

    def __init__(self, seed: bytes) -> None:
        if len(seed) != KEY_BYTES:
            raise Malformed("seed", f"{len(seed)} bytes", "is not 32 bytes", "give 32 random bytes")
        self.seed = seed
        self._key = Ed25519PrivateKey.from_private_bytes(seed)
        self.public = PublicKey(self._key.public_key().public_bytes_raw())

    def sign(self, message: bytes) -> bytes:
        """Return the signature over a message, 64 bytes."""
        return self._key.sign(message)
