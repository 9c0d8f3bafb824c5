# SPDX-License-Identifier: Apache-2.0
"""Ed25519 keys: public ones as values, private ones behind `Signer` (RFC 8032).

And keys of ECDSA on P-256 (FIPS 186-5), each with a certificate (RFC 5280), for documents whose
format knows no Ed25519 (`DocumentSigner`).

1. A key of small order verifies signatures over anything; `PublicKey` refuses all of them.
2. A key's id is the SHA-256 of its 32 bytes, as hexadecimal: nobody chooses it.
3. Private keys are made from a seed that is handed in: nothing here is random.
4. A certificate names its key and no time: it is for as long as the record says.

    >>> signer = Signer(bytes(range(32)))
    >>> signer.public.verify(b"text", signer.sign(b"text"), "note")
    >>> signer.public.id[:8]
    '56475aa7'
"""

from datetime import UTC, datetime
from functools import cached_property
from hashlib import sha256
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
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
# The order of P-256 (FIPS 186-5, SP 800-186): a private key is a number from 1 to it, less one.
P256_ORDER: Final = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
P256_SEED_BYTES: Final = 48  # so many that none is likelier than another (FIPS 186-5, A.2.1)
CERTIFIED_FROM: Final = datetime(2000, 1, 1, tzinfo=UTC)
CERTIFIED_UNTIL: Final = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)  # RFC 5280, 4.1.2.5
MOST_NAME: Final = 64  # characters of a common name (RFC 5280, appendix A)


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


class DocumentSigner:
    """A private key of ECDSA on P-256, made from a seed of 48 bytes."""

    def __init__(self, seed: bytes) -> None:
        if len(seed) != P256_SEED_BYTES:
            raise Malformed("seed", f"{len(seed)} bytes", "is not 48 bytes", "give 48 random bytes")
        number = int.from_bytes(seed, "big") % (P256_ORDER - 1) + 1
        self._key = ec.derive_private_key(number, ec.SECP256R1())

    @property
    def pem(self) -> bytes:
        """Return the private key as PEM (PKCS #8), for a library that signs with it."""
        return self._key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )  # fmt: skip

    def certified(self, name: str) -> bytes:
        """Return a certificate of the key, signed by itself, as DER. name: who signs with it."""
        who = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name[-MOST_NAME:])])
        public = self._key.public_key()
        usage = x509.KeyUsage(
            digital_signature=True, content_commitment=False, key_encipherment=False,
            data_encipherment=False, key_agreement=False, key_cert_sign=False, crl_sign=False,
            encipher_only=False, decipher_only=False,
        )  # fmt: skip
        made = (
            x509.CertificateBuilder(who, who, public)
            .serial_number(int.from_bytes(sha256(_point(public)).digest()[:16], "big") | 1)
            .not_valid_before(CERTIFIED_FROM)
            .not_valid_after(CERTIFIED_UNTIL)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(usage, critical=True)
        )
        signed = made.sign(self._key, hashes.SHA256(), ecdsa_deterministic=True)  # RFC 6979
        return signed.public_bytes(serialization.Encoding.DER)


def check_certificate(der: bytes, path: str = "certificate") -> None:
    """Refuse what is no certificate of a key on P-256, signed by that key; `Malformed`."""
    try:
        found = x509.load_der_x509_certificate(der)
        key = found.public_key()
        is_ours = isinstance(key, ec.EllipticCurvePublicKey) and isinstance(
            key.curve, ec.SECP256R1
        )  # fmt: skip
        if is_ours:
            found.verify_directly_issued_by(found)
    except (ValueError, TypeError, InvalidSignature) as fault:
        raise Malformed(path, der.hex()[:16], f"cannot be read ({fault})", "make a key") from None
    if not is_ours:
        raise Malformed(path, der.hex()[:16], "is of no key on P-256", "make a new key")


def _point(key: ec.EllipticCurvePublicKey) -> bytes:
    return key.public_bytes(
        serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
    )
