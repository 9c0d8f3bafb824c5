# SPDX-License-Identifier: Apache-2.0
"""Which keys of the exchange a record is believed by, and which of them have signed it.

1. A key signs for the region that its name ends in (`notes`), and for no other.
2. With a file of keys, checkpoints and beats count where they are signed by a key that both it
   and the record's header have, or by one that follows such a key by a part of the record.
3. Each key is followed by one other, for everybody to see, and does not come back. Where a file of
   keys names keys that the header has not, they are what follows, and nothing else does before.
4. From where it was followed a key counts no more: a checkpoint that it has signed counts for what
   its tree had then, and a beat not at all. So who gets hold of an old key adds nothing.
5. A receipt from before a restored backup may be signed by any key of the region in the file.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from keepclear.record.envelopes import Envelope
from keepclear.record.faults import NotProven
from keepclear.record.files import ExchangeKey, Header, KeysFile
from keepclear.record.keys import PublicKey
from keepclear.record.notes import (
    SHOWN,
    Checkpoint,
    NoteKey,
    is_of_region,
    read_checkpoint,
    signers_of,
    verify_note,
)
from keepclear.record.origins import read_origin
from keepclear.record.parts import exchange_key_in, read_exchange_key


class SignedBy(NamedTuple):
    """An exchange that has signed: its name, and the fingerprint of its key."""

    name: str
    key_id: str


class ExchangeKeys:
    """The keys of one record's exchange; the owner alone adds."""

    def __init__(self, header: Header, keys: KeysFile | None) -> None:
        self._region = header.region
        self._counting = _of_region(header.exchange, header.region)
        self._signing, self._until = list(self._counting), dict[bytes, Mapping[str, int]]()
        self._pinned: list[NoteKey] = []
        if keys is not None:
            _check_known(header, keys, self._counting)
            of_file = _of_region(keys.exchange, header.region)
            self._pinned = [each for each in of_file if each not in self._counting]
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

    @property
    def signing(self) -> tuple[NoteKey, ...]:
        """Return the keys that sign from here on: those of the header, or what followed them."""
        return tuple(self._signing)

    @property
    def later(self) -> tuple[NoteKey, ...]:
        """Return the keys of the file that follow those that sign here, under their names."""
        names = {each.name for each in self._signing}
        return tuple(each for each in self._pinned if each.name in names)

    def follow(self, envelope: Envelope, path: str, sizes: Mapping[str, int]) -> None:
        """Believe the key that goes on from the last; as `read_exchange_key`.

        sizes: how many leaves each tree has before that.
        """
        key = read_exchange_key(envelope, self._region, tuple(self._signing), path)
        if key in self._counting:
            raise NotProven(
                path, f"key {key.key.id[:16]}", "has signed before, and another has followed it",
                "go on with a new key",
            )  # fmt: skip
        said = [each for each in self._pinned if each.name == key.name]
        if said and key not in said:
            raise NotProven(
                path, f"key {key.key.id[:16]}", "is not the one in the file of keys",
                "the record goes on otherwise than who gave the file of keys says: ask the "
                "operator and the other parties",
            )  # fmt: skip
        self._pinned = [each for each in self._pinned if each != key]
        signed = {each.keyid for each in envelope.signatures}
        self._until.update(
            (each.key.data, sizes) for each in self._signing if each.key.id in signed
        )
        self._signing = [each for each in self._signing if each.key.id not in signed] + [key]
        self._counting.append(key)
        if key not in self._earlier:
            self._earlier.append(key)

    def read(self, note: str) -> Checkpoint:
        """Return the checkpoint in a note that the exchange has signed; as `verify_note`.

        `NotProven` where only a key has that was followed by another before.
        """
        found = read_checkpoint(verify_note(note, self._counting)[0])
        signers = signers_of(note, self._counting)
        if not any(each in self._signing for each in signers):
            origin = read_origin(found.origin)
            until = self._until[signers[0].key.data]
            if origin is None or found.size > until.get(origin.audience, 0):
                raise followed_by(signers[0], self._signing[-1], found.origin)
        for key in signers:
            self._signed.setdefault(SignedBy(key.name, key.key.id))
        return found


class KeyChain:
    """The keys of an exchange as one of its readers believes them, one after another.

    1. Those that were believed from the start come first, the newest of a name last, as in
       `region.keys.json`. The last of a name signs now.
    2. A change to a known key must be from the one before it; to another key, from one that signs
       now, which that one then follows.
    """

    def __init__(
        self, region: str, believed: Sequence[NoteKey], changes: Sequence[Envelope] = ()
    ) -> None:
        keys = tuple(each for each in believed if is_of_region(each.name, region))
        now = {each.name: each for each in keys}
        self._region = region
        self._stood = [_Stand(keys, tuple(now.values()))]
        self._changes: list[Envelope] = []
        for each in changes:
            self.follow(each, "exchange key")

    @property
    def keys(self) -> tuple[NoteKey, ...]:
        """Return all of them, the newest last."""
        return self._stood[-1].keys

    @property
    def signing(self) -> tuple[NoteKey, ...]:
        """Return those that sign now."""
        return self._stood[-1].signing

    @property
    def changes(self) -> tuple[Envelope, ...]:
        """Return the changes by which keys came that were not believed from the start."""
        return tuple(self._changes)

    def follow(self, envelope: Envelope, path: str) -> None:
        """Believe the key that a change goes on with; as `read_exchange_key`."""
        keys, signing = self._stood[-1]
        new = exchange_key_in(envelope, self._region, path)
        if new in keys:
            before = [each for each in keys[: keys.index(new)] if each.name == new.name]
            read_exchange_key(envelope, self._region, tuple(before[-1:]), path)
            return
        read_exchange_key(envelope, self._region, signing, path)
        signed = {each.keyid for each in envelope.signatures}
        left = (each for each in signing if each.key.id not in signed)
        self._stood.append(_Stand((*keys, new), (*left, new)))
        self._changes.append(envelope)

    def cut(self, count: int) -> None:
        """Let the changes after the first so many be as if they had not come."""
        del self._stood[count + 1 :], self._changes[count:]

    def knows(self, note: str) -> bool:
        """Tell whether a note names one of the keys; it proves nothing."""
        return bool(signers_of(note, self.keys))

    def signs_now(self, note: str) -> bool:
        """Tell whether a key that signs now has signed a note, verified with all of them before."""
        return bool(signers_of(note, self.signing))


class _Stand(NamedTuple):
    """The keys of a chain at some place: all, and those that sign there."""

    keys: tuple[NoteKey, ...]
    signing: tuple[NoteKey, ...]


def later_than(signed: Sequence[NoteKey], believed: Sequence[NoteKey]) -> tuple[NoteKey, ...]:
    """Return the keys that have followed those that signed. believed: the newest of a name last."""
    found = (
        tuple(later for later in believed[believed.index(each) + 1 :] if later.name == each.name)
        for each in signed if each in believed
    )  # fmt: skip
    return min(found, key=len, default=())


def followed_by(old: NoteKey, new: NoteKey, what: str) -> NotProven:
    """Return why what a key has signed does not count any more."""
    return NotProven(
        what[:SHOWN], f"key {old.key.id[:16]}", f"was followed by {new.key.id[:16]}, and signs "
        "nothing new", "who signs with it is not the exchange: keep this, ask the operator and "
        "the other parties",
    )  # fmt: skip


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
            "is not in the file of keys", "the record was signed again by others, or the file is; "
            "where the exchange goes on with another key, region.keys.json has those before too",
        )  # fmt: skip
    if not counting:
        names = ", ".join(each.name for each in header.exchange) or "nobody"
        raise NotProven(
            "header, exchange", names, f"may not sign for region {header.region}",
            f"an exchange of that region signs under a name that ends in /{header.region}",
        )  # fmt: skip
