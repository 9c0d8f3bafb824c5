# SPDX-License-Identifier: Apache-2.0
"""The parts that a record has of itself: what is in them, and how they are made.

    act/1            an envelope with an act
    key-document/1   an envelope with a key document
    exchange-key/1   an envelope with the exchange's next key, signed with the old and the new one
    incarnation/1    that a backup was restored: what the record that goes on from it starts with
    cap-key/1        an envelope with the key for CAP documents, signed with the exchange's key
    late-act/1       a receipt of an earlier incarnation whose act the backup did not have

1. Restoring a backup opens a new incarnation. Its first parts, one for each audience, name the
   one before and how far this audience's tree had come: the size of another's would tell how
   busy its readers are.
2. A receipt from beyond that is entered again as a late act. It is judged by the time at which
   it was first entered, which the receipt proves, and never decided a second time unseen.
"""

from typing import Annotated, Final

import msgspec

from keepclear.record.encoding import Signed, decode, encode
from keepclear.record.envelopes import Envelope, seal, verified
from keepclear.record.faults import Malformed, NotProven
from keepclear.record.headers import Bytes32, Name
from keepclear.record.keys import PublicKey, Signer
from keepclear.record.notes import NoteKey, check_name, is_of_region

# What these names mean is known here, so another version of one is refused, not passed over.
ACT_KIND: Final = "act/1"
DOCUMENT_KIND: Final = "key-document/1"
EXCHANGE_KEY_KIND: Final = "exchange-key/1"
CAP_KEY_KIND: Final = "cap-key/1"
INCARNATION_KIND: Final = "incarnation/1"
LATE_ACT_KIND: Final = "late-act/1"
OWN_KINDS: Final = frozenset({
    ACT_KIND, CAP_KEY_KIND, DOCUMENT_KIND, EXCHANGE_KEY_KIND, INCARNATION_KIND, LATE_ACT_KIND,
})  # fmt: skip
OWN_NAMES: Final = frozenset(kind.partition("/")[0] for kind in OWN_KINDS)
EXCHANGE_KEY: Final = "application/vnd.keepclear.exchange-key+json"


class ExchangeKeyChange(Signed, frozen=True, kw_only=True):
    """The key that the exchange signs with from here on, under which name."""

    region: Name
    name: str
    key: Bytes32

    def __post_init__(self) -> None:
        """Refuse a name that is of no exchange of the region."""
        check_name(self.name)
        if not is_of_region(self.name, self.region):
            raise ValueError(f"the name {self.name} does not end in the region, {self.region}")


class TreeSize(Signed, frozen=True, kw_only=True):
    """How far a tree had come."""

    audience: str
    size: Annotated[int, msgspec.Meta(ge=0, lt=2**62)]
    root: Bytes32


class Incarnation(Signed, frozen=True, kw_only=True):
    """What a restored backup had. tree: its readers' own, and no other's."""

    before: Annotated[int, msgspec.Meta(ge=1, lt=2**31)]
    tree: TreeSize


def seal_exchange_key(region: str, name: str, old: Signer, new: Signer) -> Envelope:
    """Return the exchange's change of its key, signed with both."""
    change = ExchangeKeyChange(region=region, name=name, key=new.public.data)
    return seal(EXCHANGE_KEY, encode(change), old, new)


def read_exchange_key(
    envelope: Envelope, region: str, believed: tuple[NoteKey, ...], path: str = "exchange key"
) -> NoteKey:
    """Return the key that the exchange goes on with; believed: its keys up to here.

    `NotProven` where the new key, or one of the old, has not signed.
    """
    key = exchange_key_in(envelope, region, path)
    new, old = key.key, {each.key.id: each.key for each in believed}
    signed = set(verified(envelope, {**old, new.id: new}, EXCHANGE_KEY, path))
    if new.id not in signed or not signed & (old.keys() - {new.id}):
        raise NotProven(
            path, f"key {new.id[:16]}", "is not signed with the old and with the new key",
            "sign the change with both",
        )  # fmt: skip
    return key


def exchange_key_in(envelope: Envelope, region: str, path: str = "exchange key") -> NoteKey:
    """Return the key that a change names; proves nothing. `Malformed` for one of another region."""
    change = decode(envelope.payload, ExchangeKeyChange, path)
    if change.region != region:
        raise Malformed(f"{path}.region", change.region, f"is not {region}", "ask who entered it")
    return NoteKey(change.name, PublicKey(change.key, f"{path}.key"))
