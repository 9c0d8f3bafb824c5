# SPDX-License-Identifier: Apache-2.0
"""Which keys of the exchange a record is believed by, and which of them have signed it.

1. A key signs for the region that its name ends in (`notes`), and for no other.
2. With a file of keys, checkpoints and beats count where they are signed by a key that both it
   and the record's header have, or by one that follows such a key by a part of the record.
3. A receipt from before a restored backup may be signed by any key of the region in the file.
"""

from typing import NamedTuple

from keepclear.record.envelopes import Envelope
from keepclear.record.faults import NotProven
from keepclear.record.files import ExchangeKey, Header, KeysFile
from keepclear.record.keys import PublicKey
from keepclear.record.notes import (
    Checkpoint,
    NoteKey,
    is_of_region,
    read_checkpoint,
    signers_of,
    verify_note,
)
from keepclear.record.parts import read_exchange_key


class SignedBy(NamedTuple):
    """An exchange that has signed: its name, and the fingerprint of its key."""

    name: str
    key_id: str


class ExchangeKeys:
    """The keys of one record's exchange; the owner alone adds."""

    def __init__(self, header: Header, keys: KeysFile | None) -> None:
        self._region = header.region
        self._counting = _of_region(header.exchange, header.region)
        if keys is not None:
            _check_known(header, keys, self._counting)
        self._earlier = _of_region(header.exchange if keys is None else keys.exchange, self._region)
        self._signed: dict[SignedBy, None] = {}

    @property
    def signed(self) -> tuple[SignedBy, ...]:
        """Return who has signed what was read, in the order in which they first did."""
        return tuple(self._signed)

    @property
    def earlier(self) -> tuple[NoteKey, ...]:
        """Return the keys that may have signed receipts of earlier incarnations."""
        return tuple(self._earlier)

    def follow(self, envelope: Envelope, path: str) -> None:
        """Believe the key that goes on from those believed; as `read_exchange_key`."""
        key = read_exchange_key(envelope, self._region, tuple(self._counting), path)
        self._counting.append(key)
        self._earlier.append(key)

    def read(self, note: str) -> Checkpoint:
        """Return the checkpoint in a note that the exchange has signed; as `verify_note`."""
        found = read_checkpoint(verify_note(note, self._counting)[0])
        for key in signers_of(note, self._counting):
            self._signed.setdefault(SignedBy(key.name, key.key.id))
        return found


def _of_region(exchange: tuple[ExchangeKey, ...], region: str) -> list[NoteKey]:
    return [
        NoteKey(each.name, PublicKey(each.key))
        for each in exchange
        if is_of_region(each.name, region)
    ]


def _check_known(header: Header, keys: KeysFile, counting: list[NoteKey]) -> None:
    """Refuse a record whose exchange is not in the file of keys, or is another region's."""
    known = {(each.name, each.key) for each in keys.exchange}
    strange = [each for each in header.exchange if (each.name, each.key) not in known]
    if strange:
        raise NotProven(
            "header, exchange", f"{strange[0].name} {PublicKey(strange[0].key).id[:16]}",
            "is not in the file of keys", "the record was signed again by others, or the file is",
        )  # fmt: skip
    if not counting:
        names = ", ".join(each.name for each in header.exchange) or "nobody"
        raise NotProven(
            "header, exchange", names, f"may not sign for region {header.region}",
            f"an exchange of that region signs under a name that ends in /{header.region}",
        )  # fmt: skip
