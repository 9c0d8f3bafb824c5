# SPDX-License-Identifier: Apache-2.0
"""Documents of CAP that a node signs, and its key for that, in the region's folder.

    cap.ID.private.json   the key whose certificate has the fingerprint that begins with ID, for
                          its owner alone; which of them signs, the record says (`record.cap_keys`)

1. A new key stands on the disk before the record names it, under a name of its own: a cut leaves
   at most one that nothing signs with. The files of all others go once it is named.
2. A node without the key of the record signs nothing, and says so; all else it does.
3. Signing is kept off the thread that decides.
"""

import logging
import os
from collections.abc import Callable
from pathlib import Path
from typing import Final

import msgspec

from keepclear.errors import OperatorError
from keepclear.exchange.exchange import Exchange
from keepclear.exchange.operations import Refused
from keepclear.exchange.views import SAYS_NOTHING_ELSE
from keepclear.formats.cap_writing import Place, written
from keepclear.line.leaving import Leaving
from keepclear.record.cap_keys import CapKey
from keepclear.record.encoding import Signed, digest, encode
from keepclear.record.faults import RecordError
from keepclear.record.keys import P256_SEED_BYTES, DocumentSigner
from keepclear.server.region import write_private

FORMAT: Final = "keepclear-cap-key/1"
MEDIA: Final = "application/cap+xml"
SHORT: Final = 16
MISSING: Final = (
    "signxml: not installed, and this node signs documents of CAP with it; pip install "
    "'keepclear[cap]'"
)
LOG: Final = logging.getLogger("keepclear.server")


class PrivateCapKey(Signed, frozen=True, kw_only=True):
    """The private key, as a file."""

    format: str = FORMAT
    seed: str
    certificate: bytes


class SetCapKey(msgspec.Struct, frozen=True, kw_only=True):
    """The key that documents are signed with from now on, by its fingerprint, and its file."""

    id: str
    file: str


class CapDocuments:
    """What signs with the key in a folder. folder: None where there is none."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder

    def made(self, leaving: Leaving, exchange: str, key: CapKey | None) -> bytes:
        """Return a message as a signed document. exchange: its name; key: as the record says.

        `Refused` where it cannot be signed here, `InputError` for what cannot be written.
        """
        if key is None:
            raise Refused(
                "CAP: this region has no key for documents yet; the operator makes one with "
                "keepclear region cap-key"
            )
        document = written(leaving, Place(exchange, SAYS_NOTHING_ELSE))
        private = self._private(key)
        sign = _signing()
        if sign is None:
            LOG.warning(MISSING)
            raise Refused(
                "CAP: this node cannot sign documents; the operator installs keepclear[cap]"
            )
        return sign(document, DocumentSigner(bytes.fromhex(private.seed)).pem, private.certificate)

    def _private(self, key: CapKey) -> PrivateCapKey:
        if self._folder is not None:
            try:
                found = msgspec.json.decode(
                    (self._folder / _file(key.id)).read_bytes(), type=PrivateCapKey
                )
            except (OSError, msgspec.DecodeError, ValueError):
                found = None
            if found is not None and found.certificate == key.certificate:
                return found
        LOG.warning("%s: is not here, or is none; bring it from where it was made", _file(key.id))
        raise Refused(
            f"CAP: this node has not the key {key.id[:SHORT]} with which documents are signed; the "
            "operator brings it, or makes another with keepclear region cap-key"
        )


def enter_cap_key(folder: Path, exchange: Exchange) -> SetCapKey:
    """Make a key in a folder, and let the record name it.

    `OperatorError` where this node could not sign with it.
    """
    if _signing() is None:
        raise OperatorError(f"{MISSING}, and start it again")
    seed = os.urandom(P256_SEED_BYTES)
    certificate = DocumentSigner(seed).certified(exchange.region.exchange)
    own_id = digest(certificate).hex()
    file = folder / _file(own_id)
    write_private(file, encode(PrivateCapKey(seed=seed.hex(), certificate=certificate)))
    try:
        made = exchange.set_cap_key(certificate)
    except RecordError as fault:
        file.unlink()
        raise OperatorError(f"CAP key: {fault}") from None
    return SetCapKey(id=made.id, file=file.name)


def settle_cap_keys(folder: Path, exchange: Exchange) -> None:
    """Remove the keys in a folder that nothing signs with any more; called once it is written."""
    key = exchange.reads.cap_key()
    for each in folder.glob("cap.*.private.json"):
        if key is not None and each.name != _file(key.id):
            each.unlink()


def _signing() -> Callable[[bytes, bytes, bytes], bytes] | None:
    """Return what signs documents; None where the extra `cap` is not installed."""
    try:
        from keepclear.formats.cap_signing import sign
    except ModuleNotFoundError:
        return None
    return sign


def _file(own_id: str) -> str:
    return f"cap.{own_id[:SHORT]}.private.json"
