# SPDX-License-Identifier: Apache-2.0
"""Which key the exchange may go on with, and which key is for its CAP documents.

1. The change is signed with the key of now and with the new one, under the name of now.
2. A key signs once: none comes back, so what an old one signs is known to be old.
3. It is no party's, and no party's becomes it: a checkpoint is nobody's word but the exchange's.
   The key that the region was opened with may be a party's, where a clause of an agreement says so
   (`agreement.standing`).
4. An agreement that names the exchange's key goes on: the entry that the old key has signed says
   which one it is now.
"""

from keepclear.exchange.kept import Kept, Region
from keepclear.exchange.operations import Refused
from keepclear.record.cap_keys import CapKey, CapKeys, seal_cap_key
from keepclear.record.encoding import decode
from keepclear.record.entries import EVERYBODY
from keepclear.record.envelopes import Envelope
from keepclear.record.key_documents import KeyDocument, Keyring
from keepclear.record.keys import PublicKey, Signer
from keepclear.record.notes import NoteKey
from keepclear.record.parts import CAP_KEY_KIND, read_exchange_key


def next_key(change: Envelope, signer: Signer, kept: Kept, region: Region) -> NoteKey:
    """Return the key that a change goes on with. signer: what is at hand to sign with.

    `RecordError` where it is not signed so, `Refused` where the key may not be the exchange's.
    """
    key = read_exchange_key(change, region.name, kept.signing[-1:])
    shown = key.key.id[:16]
    if key.name != region.exchange or key.key != signer.public:
        raise Refused(
            f"exchange key {shown} of {key.name}: is not key {signer.public.id[:16]} of "
            f"{region.exchange}, which is at hand; prepare the change anew"
        )
    if key in kept.signing:
        raise Refused(f"exchange key {shown}: has signed this record before; prepare a new one")
    for party in kept.keys.parties():
        if key.key.id in _key_ids(kept.keys, party):
            raise Refused(
                f"exchange key {shown}: is {party}'s own; prepare a key that is nobody's, with "
                "keepclear region prepare-key"
            )
    return key


def next_cap_key(
    certificate: bytes, signer: Signer, kept: Kept, region: Region
) -> tuple[tuple[CapKey, ...], tuple[str, str, Envelope]]:
    """Return the keys for CAP documents with the next of them, and the part that says so.

    certificate: of it, as DER. signer: the exchange's own key. `RecordError` for one that is none,
    or was used before.
    """
    key = CapKey(
        region=region.name, incarnation=region.incarnation, number=len(kept.cap_keys) + 1,
        certificate=certificate,
    )  # fmt: skip
    envelope = seal_cap_key(key, signer)
    keys = CapKeys(region.name, region.incarnation, kept.cap_keys)
    keys.add(envelope, kept.signing[-1:], EVERYBODY)
    return keys.all, (EVERYBODY, CAP_KEY_KIND, envelope)


def check_not_ours(keys: Keyring, party: str, kept: Kept) -> None:
    """Refuse a party's key document with a key that the exchange has gone on with."""
    gone_on_with = kept.signing[-len(kept.followed) :] if kept.followed else ()
    own = _key_ids(keys, party)
    for each in gone_on_with:
        if each.key.id in own:
            raise Refused(
                f"key document of {party}: has key {each.key.id[:16]}, which is the exchange's; "
                "make a key of your own"
            )


def _key_ids(keys: Keyring, party: str) -> frozenset[str]:
    """Return the ids of all keys that a party has or had, its roots and the next one among them."""
    every = [decode(each.payload, KeyDocument, "key document") for each in keys.documents(party)]
    roots = (id_ for each in every for id_ in (PublicKey(each.root).id, each.next_root))
    return keys.key_ids(party).union(roots)
