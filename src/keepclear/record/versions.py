# SPDX-License-Identifier: Apache-2.0
"""Types of payloads, each with its versions: old ones are read for ever, and led to the newest.

    >>> class First(Signed, frozen=True, kw_only=True):
    ...     text: str
    >>> class Second(Signed, frozen=True, kw_only=True):
    ...     text: str
    ...     language: str
    >>> kinds = Kinds({"note": (First, Second)}, {First: lambda old: Second(
    ...     text=old.text, language="en")})
    >>> kinds.read("note/1", b'{"text":"hello"}').language
    'en'

1. A kind is a name and a version, as in "note/1"; versions count from 1 without a gap.
2. A type of an older version is never edited. One pure function leads from each to the next.
3. A kind that is not in the table is refused: what is not understood is never passed over.
"""

from collections.abc import Callable, Mapping
from typing import Any

from keepclear.record.encoding import Signed, decode
from keepclear.record.faults import Malformed

Upcaster = Callable[[Any], Signed]


class Kinds:
    """A table of names to their types, oldest first, and what leads from each to the next."""

    def __init__(
        self,
        types: Mapping[str, tuple[type[Signed], ...]],
        upcasters: Mapping[type[Signed], Upcaster],
    ) -> None:
        missing = [old for each in types.values() for old in each[:-1] if old not in upcasters]
        if missing:
            raise Malformed(
                "kinds", missing[0].__name__, "leads to no next version", "give its upcaster"
            )
        self._types, self._upcasters = types, upcasters
        self._by_kind = {
            f"{name}/{number}": (each, versions[-1])
            for name, versions in types.items()
            for number, each in enumerate(versions, start=1)
        }

    @property
    def names(self) -> tuple[str, ...]:
        """Return the names of all kinds, without their versions."""
        return tuple(self._types)

    @property
    def kinds(self) -> Mapping[str, type[Signed]]:
        """Return the type of each kind, older versions too."""
        return {kind: own for kind, (own, _) in self._by_kind.items()}

    def newest(self, name: str) -> str:
        """Return the kind that a name is written as now."""
        return f"{name}/{len(self._types[name])}"

    def read(self, kind: str, payload: bytes, path: str = "payload") -> Signed:
        """Return a payload as the newest version of its type.

        `Malformed` for a kind or version that is not known, or a payload that is not of it.
        """
        if kind not in self._by_kind:
            known = ", ".join(f"{each}/{len(self._types[each])}" for each in sorted(self._types))
            raise Malformed(
                f"{path}, kind", kind, f"is none of {known} or older", "update this program"
            )
        own, newest = self._by_kind[kind]
        value = decode(payload, own, path)
        while type(value) is not newest:
            value = self._upcasters[type(value)](value)
        return value
