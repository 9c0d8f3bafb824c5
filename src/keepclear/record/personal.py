# SPDX-License-Identifier: Apache-2.0
"""Personal values beside what is signed: they can be deleted and everything still verifies.

A signed act holds for each personal field its name and SHA-256(salt, name, value). The value
and its salt travel beside the act. Once both are deleted nobody can guess the value, and every
signature, leaf and root is what it was. No rule reads a personal value.

    >>> field = PersonalValue(name="on-watch", salt=bytes(32), value="A. Example")
    >>> opens(digest_of(field), field)
    True
"""

from hashlib import sha256

from keepclear.record.encoding import Signed
from keepclear.record.headers import Act, Bytes32, Name, PersonalDigest


class PersonalValue(Signed, frozen=True, kw_only=True):
    """A personal field as it travels beside the act. salt: 32 random bytes, for this one alone."""

    name: Name
    salt: Bytes32
    value: str


def digest_of(field: PersonalValue) -> PersonalDigest:
    """Return what stands in the signed act for a field."""
    data = field.salt + field.name.encode() + field.value.encode()
    return PersonalDigest(name=field.name, digest=sha256(data).digest())


def opens(digest: PersonalDigest, field: PersonalValue) -> bool:
    """Tell whether a value is the one that was signed."""
    return digest_of(field) == digest


def belongs_to(act: Act, field: PersonalValue) -> bool:
    """Tell whether an act was signed with a value."""
    return digest_of(field) in act.personal
