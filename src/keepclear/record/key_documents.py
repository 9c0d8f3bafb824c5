# SPDX-License-Identifier: Apache-2.0
"""Which keys a party has: documents, each signed, each naming the one before.

A party's *root* signs its documents and nothing else. A document appoints *representative
keys* (agreements, keys, suspension) and *device keys of a post* (everything of routine), each
with its mandates (`mandates`), and carries the digest of the root that comes next, so that who
steals a root cannot rotate it.

1. The first document has version 1, no predecessor, and is signed by its root.
2. Each further one names the digest of the one before and has the next version. It is signed
   by the same root, or by a new one whose digest the one before carries.
3. It is also signed by two representatives of the document before whose mandate for `keys`
   holds when it is made and whom it does not revoke, or by one where that document lists `keys`
   under `one_person`, or by none where it has none. Where fewer are left, only a new root can
   go on, signed by those that are left too; where none is left, by one of the document before
   though it is revoked or its mandate is over. So no root alone takes a party over that has
   representatives, and who lost all of their keys begins a chain anew (docs/adr/0009).
4. A revocation says since when a key is suspect. It marks what the key signed and deletes
   nothing; a revoked key is never appointed again, and no revocation is taken back.
5. Which key counts is decided by place in the record (`Keyring`), not by a clock. What it may
   sign is also a matter of time: of the time that its mandate and the act itself name.
"""

from collections.abc import Mapping, Sequence
from typing import Annotated, Final, Literal, NamedTuple

import msgspec

from keepclear.errors import InputError
from keepclear.record.encoding import Signed, decode, digest, encode
from keepclear.record.envelopes import Envelope, seal, verified
from keepclear.record.faults import Malformed, NotProven
from keepclear.record.headers import Bytes32, Name, TimeUs
from keepclear.record.keys import PublicKey, Signer
from keepclear.record.mandates import (
    ROUTINE,
    Mandate,
    Power,
    check_mandate,
    is_covered,
    needed_for,
    power_of,
)
from keepclear.record.origins import NO_PARTY

KEY_DOCUMENT: Final = "application/vnd.keepclear.key-document+json"
Hex64 = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}\Z")]


class Representative(Signed, frozen=True, kw_only=True):
    """A key of a person who may bind the party, by an id that is no name."""

    id: Name
    key: Bytes32
    mandates: tuple[Mandate, ...]


class Device(Signed, frozen=True, kw_only=True):
    """A key of a post."""

    post: Name
    key: Bytes32
    mandates: tuple[Mandate, ...]

    def __post_init__(self) -> None:
        """Refuse a post that is to do what takes a representative."""
        for mandate in self.mandates:
            for deed in mandate.covers:
                if power_of(deed) is not None:
                    raise ValueError(f"lets post {self.post} sign {deed}; appoint a representative")


class Revocation(Signed, frozen=True, kw_only=True):
    """A key that is suspect, and since when (microseconds UTC)."""

    key_id: Hex64
    suspect_since_us: TimeUs


class KeyDocument(Signed, frozen=True, kw_only=True):
    """The keys of a party; see the module. previous: the digest of the payload before."""

    party: Name
    version: Annotated[int, msgspec.Meta(ge=1, lt=2**31)]
    previous: Annotated[str, msgspec.Meta(pattern=r"^(?:[0-9a-f]{64})?\Z")]
    created_us: TimeUs
    algorithm: Literal["ed25519"] = "ed25519"
    hash: Literal["sha-256"] = "sha-256"
    root: Bytes32
    next_root: Hex64
    representatives: tuple[Representative, ...] = ()
    devices: tuple[Device, ...] = ()
    one_person: tuple[Power, ...] = ()
    revoked: tuple[Revocation, ...] = ()

    def __post_init__(self) -> None:
        """Refuse keys that are unusable, appointed twice, or revoked, and the name of a tree."""
        if self.party in NO_PARTY:
            raise InputError(
                "party", self.party, "is what a part of every record is called",
                "give the party another name",
            )  # fmt: skip
        keys = [self.root, *(r.key for r in self.representatives), *(d.key for d in self.devices)]
        ids = [PublicKey(key, "key document").id for key in keys]
        if len(set(ids)) < len(ids):
            raise ValueError("appoints one key twice; give each its own")
        names = [each.id for each in self.representatives]
        if len(set(names)) < len(names):
            raise ValueError("names one representative twice; give each an id of its own")
        suspects = {each.key_id for each in self.revoked}
        if suspects.intersection(ids):
            raise ValueError("appoints a key that it revokes; make a new key")
        if self.next_root == PublicKey(self.root).id:
            raise ValueError("names its own root as the next; make the next root's key first")


class Appointed(NamedTuple):
    """What a key is for: `role` is root, representative or device; `name` whose."""

    party: str
    role: str
    name: str
    key: PublicKey
    mandates: tuple[Mandate, ...] = ()

    @property
    def who(self) -> str:
        """Return whose key it is, in words."""
        role = {"root": "the root", "device": f"post {self.name}"}
        return f"{role.get(self.role, f'{self.role} {self.name}')} of {self.party}"


def posts_of(document: KeyDocument) -> tuple[str, ...]:
    """Return the posts that have a key by a document, in its order."""
    return tuple(dict.fromkeys(each.post for each in document.devices))


def signing_for(document: KeyDocument, post: str) -> frozenset[str]:
    """Return the ids of the keys that can sign acts of a post by a document."""
    keys = [each.key for each in document.devices if each.post == post]
    keys += [each.key for each in document.representatives]
    return frozenset(PublicKey(each).id for each in keys)


def seal_document(document: KeyDocument, *signers: Signer) -> Envelope:
    """Return the document, signed."""
    return seal(KEY_DOCUMENT, encode(document), *signers)


def first_document(
    party: str, signers: Mapping[str, Signer], people: Sequence[str], posts: Sequence[str],
    from_us: int, until_us: int, *, is_one: bool = False,
) -> Envelope:  # fmt: skip
    """Return the first document of a party, signed by its root and made when its mandates begin.

    signers: its keys by name: "root", "next-root", people and posts. Each of the people may sign
    all that takes a representative, with `is_one` alone; each post what is routine.
    """
    powers = Mandate(covers=tuple(Power), from_us=from_us, until_us=until_us)
    routine = Mandate(covers=(ROUTINE,), from_us=from_us, until_us=until_us)
    document = KeyDocument(
        party=party, version=1, previous="", created_us=from_us,
        root=signers["root"].public.data, next_root=signers["next-root"].public.id,
        representatives=tuple(
            Representative(id=each, key=signers[each].public.data, mandates=(powers,))
            for each in people
        ),
        devices=tuple(
            Device(post=each, key=signers[each].public.data, mandates=(routine,)) for each in posts
        ),
        one_person=tuple(Power) if is_one else (),
    )  # fmt: skip
    return seal_document(document, signers["root"])


def follow(before: Envelope | None, envelope: Envelope, path: str = "key document") -> KeyDocument:
    """Return the document in an envelope, which follows the one before by the rules above.

    `Malformed` where it is no document or does not follow, `NotProven` where its signatures
    are not those it needs. What stands before must have been followed itself.
    """
    document = decode(envelope.payload, KeyDocument, path)
    root = PublicKey(document.root)
    if before is None:
        if document.version != 1 or document.previous:
            raise Malformed(
                f"{path}.version", document.version, "is not the first", "give those before it"
            )
        verified(envelope, {root.id: root}, KEY_DOCUMENT, path)
        return document
    old = decode(before.payload, KeyDocument, path)
    _check_follows(old, digest(before.payload).hex(), document, path)
    _check_signers(old, document, envelope, path)
    return document


def _check_follows(old: KeyDocument, old_digest: str, new: KeyDocument, path: str) -> None:
    if new.party != old.party:
        raise Malformed(f"{path}.party", new.party, f"is not {old.party}", "keep parties apart")
    if new.version != old.version + 1 or new.previous != old_digest:
        raise Malformed(
            f"{path}.version", new.version, f"does not follow version {old.version} as it stands",
            "make it from the latest document",
        )  # fmt: skip
    if new.created_us < old.created_us:
        raise Malformed(
            f"{path}.created_us", new.created_us, "is before the version before it",
            "set the clock of who makes it",
        )  # fmt: skip
    if new.root != old.root and PublicKey(new.root).id != old.next_root:
        raise NotProven(
            f"{path}.root", PublicKey(new.root).id[:16], "is not the root announced before",
            "rotate to the root whose digest stands in the latest document",
        )  # fmt: skip
    if set(old.revoked) - set(new.revoked):
        raise Malformed(
            f"{path}.revoked", len(new.revoked), "takes a revocation back", "keep all of them"
        )


def _check_signers(old: KeyDocument, new: KeyDocument, envelope: Envelope, path: str) -> None:
    root = PublicKey(new.root)
    revoked = {each.key_id for each in new.revoked}
    persons = {PublicKey(r.key).id: r for r in old.representatives}
    keys = {key_id: PublicKey(each.key) for key_id, each in persons.items()}
    signed = frozenset(verified(envelope, {root.id: root, **keys}, KEY_DOCUMENT, path))
    if root.id not in signed:
        raise NotProven(path, f"root {root.id[:16]}", "has not signed", "sign with the root too")
    needed = min(needed_for(Power.KEYS, old.one_person), len(persons))
    left = {
        key_id
        for key_id, each in persons.items()
        if key_id not in revoked and is_covered(each.mandates, Power.KEYS, new.created_us)
    }
    if new.root != old.root and persons and not left:
        _check_one_of(persons, signed, new, path)
        return
    # in the order of the envelope, so that the same fault is always named
    for key_id in (each.keyid for each in envelope.signatures if each.keyid in persons):
        who = f"representative {persons[key_id].id} of {new.party}"
        check_mandate(persons[key_id].mandates, Power.KEYS, new.created_us, who, path)
    if len(left) < needed and new.root == old.root:
        raise NotProven(
            path, f"{len(left)} representatives",
            f"are left unrevoked with a mandate for keys, {needed} are needed",
            "rotate to the root announced before, which needs those that are left, or one",
        )  # fmt: skip
    count = len(signed & left)
    if count < min(needed, len(left)):
        raise NotProven(
            path, f"{count} representatives",
            f"with a mandate for keys have signed, {needed} are needed",
            "let another representative of the latest document sign it too",
        )  # fmt: skip


def _check_one_of(
    persons: Mapping[str, Representative], signed: frozenset[str], new: KeyDocument, path: str
) -> None:
    """Refuse a new root alone: who stole it would revoke all representatives and name others."""
    if not signed.intersection(persons):
        names = " or ".join(each.id for each in persons.values())
        raise NotProven(
            path, f"root {PublicKey(new.root).id[:16]}",
            f"goes on alone and leaves no representative of version {new.version - 1}",
            f"let {names} sign it too, revoked or not; who has lost all of their keys begins "
            "anew with version 1 (keepclear key new)",
        )  # fmt: skip


class _Kept(NamedTuple):
    """A document of a chain: since which place it counts, and its keys by their ids."""

    place: int
    envelope: Envelope
    document: KeyDocument
    appointed: Mapping[str, Appointed]


class Keyring:
    """The documents of several parties, each with its place in the record.

    The owner alone adds; what was added is never changed.
    """

    def __init__(self) -> None:
        self._chains: dict[str, list[_Kept]] = {}

    def add(self, envelope: Envelope, place: int, path: str = "key document") -> KeyDocument:
        """Keep a document that follows the latest of its party; as `follow`."""
        party = decode(envelope.payload, KeyDocument, path).party
        chain = self._chains.setdefault(party, [])
        document = follow(chain[-1].envelope if chain else None, envelope, path)
        appointed = {each.key.id: each for each in _appointed(document)}
        chain.append(_Kept(place, envelope, document, appointed))
        return document

    def copy(self) -> "Keyring":
        """Return a keyring with the same documents, to which others can be added."""
        made = Keyring()
        made._chains = {party: list(chain) for party, chain in self._chains.items()}
        return made

    def parties(self) -> tuple[str, ...]:
        """Return who has documents here."""
        return tuple(sorted(self._chains))

    def posts(self, party: str) -> tuple[str, ...]:
        """Return the posts of a party that have a key now, in the order of its document."""
        return posts_of(self.latest(party))

    def signing_for(self, party: str, post: str) -> frozenset[str]:
        """Return the ids of the keys that can sign acts of a post now."""
        return signing_for(self.latest(party), post)

    def documents(self, party: str) -> tuple[Envelope, ...]:
        """Return the documents of a party, first to last."""
        return tuple(each.envelope for each in self._chains.get(party, ()))

    def added(self) -> list[tuple[int, Envelope]]:
        """Return all documents, each with its place in the record, as they were added."""
        every = [each for chain in self._chains.values() for each in chain]
        return [(each.place, each.envelope) for each in sorted(every, key=lambda each: each.place)]

    def latest(self, party: str, place: int | None = None) -> KeyDocument:
        """Return the document of a party that counts at a place; `NotProven` without one."""
        return self._kept(party, place).document

    def appointed(self, party: str, key_id: str, place: int | None = None) -> Appointed:
        """Return what a key is for at a place; `NotProven` for one that is not appointed."""
        kept = self._kept(party, place)
        if key_id in kept.appointed:
            return kept.appointed[key_id]
        version = kept.document.version
        raise NotProven(
            "key", key_id[:16], f"is no key of {party} in version {version} of its keys",
            "sign with a key that is appointed there, or give a later document",
        )  # fmt: skip

    def ever_appointed(self, party: str, key_id: str) -> Appointed:
        """Return what a key is or was last for; `NotProven` for one that never was appointed."""
        for each in reversed(self._chains.get(party, [])):
            if key_id in each.appointed:
                return each.appointed[key_id]
        return self.appointed(party, key_id)

    def at(self, party: str, at_us: int | None = None) -> KeyDocument:
        """Return the document of a party that was its latest at a time by what they say of it.

        Without a time the latest; before the first it is the first. `NotProven` without one.
        """
        return self._at(party, at_us).document

    def appointed_at(self, party: str, key_id: str, at_us: int) -> Appointed:
        """Return what a key was for at a time, where there is no place; as `appointed`."""
        return self.appointed(party, key_id, self._at(party, at_us).place)

    def _at(self, party: str, at_us: int | None) -> _Kept:
        chain = self._chains.get(party, [])
        before = [each for each in chain if at_us is None or each.document.created_us <= at_us]
        return (before or chain[:1] or [self._kept(party, None)])[-1]

    def key_ids(self, party: str) -> frozenset[str]:
        """Return the ids of all keys a party has or had."""
        return frozenset(
            key_id for each in self._chains.get(party, ()) for key_id in each.appointed
        )

    def suspect_since_us(self, party: str, key_id: str) -> int | None:
        """Return since when a key is suspect, by the latest document; None where it is not."""
        revoked = self.latest(party).revoked
        return next((r.suspect_since_us for r in revoked if r.key_id == key_id), None)

    def _kept(self, party: str, place: int | None) -> _Kept:
        for each in reversed(self._chains.get(party, [])):
            if place is None or each.place <= place:
                return each
        raise NotProven(
            "party", party, "has no key document here", "give the file that its keys stand in"
        )


def _appointed(document: KeyDocument) -> Sequence[Appointed]:
    party = document.party
    return (
        Appointed(party, "root", "", PublicKey(document.root)),
        *(
            Appointed(party, "representative", each.id, PublicKey(each.key), each.mandates)
            for each in document.representatives
        ),
        *(
            Appointed(party, "device", each.post, PublicKey(each.key), each.mandates)
            for each in document.devices
        ),
    )
