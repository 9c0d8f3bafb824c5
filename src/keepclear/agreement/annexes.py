# SPDX-License-Identifier: Apache-2.0
"""Annexes: documents with versions of their own, under authority that the agreement gives.

What changes often (frequencies, zones, whom to call) stands in an annex, so that the agreement
need not be opened for it.

1. A clause gives authority for the annex: who signs it, and what its clauses may decide.
2. It is of one agreement, named by its hash, in the same languages; its clauses' ids begin with
   its own.
3. A version names the hash of the one before, and is in force once every party has signed it
   and its time has come; until then the one before is.
"""

from collections.abc import Iterator, Sequence
from typing import Annotated

import msgspec

from keepclear.agreement.clauses import AnnexAuthority, kind_of
from keepclear.agreement.documents import (
    Agreement,
    Change,
    Clause,
    clause_differences,
    clause_faults,
    hash_of,
)
from keepclear.record.encoding import Signed, decode, digest, encode
from keepclear.record.faults import Malformed
from keepclear.record.headers import TimeUs
from keepclear.record.key_documents import Hex64


class Annex(Signed, frozen=True, kw_only=True):
    """One version of an annex; see the module. previous: empty for the first."""

    agreement: Hex64
    id: Annotated[str, msgspec.Meta(pattern=r"^[A-Z]{1,3}\Z")]
    version: Annotated[int, msgspec.Meta(ge=1, lt=2**31)]
    previous: Annotated[str, msgspec.Meta(pattern=r"^(?:[0-9a-f]{64})?\Z")]
    in_force_us: TimeUs
    clauses: Annotated[tuple[Clause, ...], msgspec.Meta(min_length=1)]

    def __post_init__(self) -> None:
        """Refuse a first version with one before it, and the reverse."""
        if (self.version == 1) != (not self.previous):
            raise ValueError(f"is version {self.version} and names the one before, or not; see it")


def annex_hash(annex: Annex) -> str:
    """Return what is signed of an annex: the SHA-256 of its one form, hexadecimal."""
    return digest(encode(annex)).hex()


def authority_for(
    agreement: Agreement, annex_id: str, path: str = "annex"
) -> tuple[str, AnnexAuthority]:
    """Return the clause that gives authority for an annex, and what it says."""
    for clause in agreement.clauses:
        if isinstance(clause.decides, AnnexAuthority) and clause.decides.annex == annex_id:
            return clause.id, clause.decides
    known = ", ".join(
        c.decides.annex for c in agreement.clauses if isinstance(c.decides, AnnexAuthority)
    )
    raise Malformed(
        f"{path}.id", annex_id, f"has no authority in the agreement (it knows: {known or 'none'})",
        "agree on a clause of kind annex first",
    )  # fmt: skip


def check_annex(annex: Annex, agreement: Agreement, path: str = "annex") -> None:
    """Refuse an annex that its agreement does not allow; `Malformed` says all that is wrong."""
    if annex.agreement != hash_of(agreement):
        raise Malformed(
            f"{path}.agreement", annex.agreement[:16],
            f"is not this agreement, {hash_of(agreement)[:16]}", "write the annex for this one",
        )  # fmt: skip
    _, authority = authority_for(agreement, annex.id, path)
    if faults := list(_faults(annex, agreement, authority)):
        raise Malformed(path, annex.id, "; ".join(faults), "see the clause that allows it")


def read_annex(data: bytes, agreement: Agreement, path: str = "annex") -> Annex:
    """Return the annex that bytes are; `Malformed` where they are none of the agreement."""
    annex = decode(data, Annex, path)
    check_annex(annex, agreement, path)
    return annex


def newest(annexes: Sequence[Annex], annex_id: str) -> Annex | None:
    """Return the last version of an annex in a file, None where there is none."""
    own = [annex for annex in annexes if annex.id == annex_id]
    return max(own, key=lambda annex: annex.version, default=None)


def annex_differences(one: Sequence[Annex], other: Sequence[Annex]) -> list[tuple[str, Change]]:
    """Return what changed from the last versions of some annexes to those of others, by annex."""
    found = []
    for annex_id in dict.fromkeys(annex.id for annex in (*one, *other)):
        old, new = newest(one, annex_id), newest(other, annex_id)
        for name in ("version", "in_force_us"):
            before, after = getattr(old, name, None), getattr(new, name, None)
            if before != after:
                found.append((annex_id, Change("", name, before, after)))
        changes = clause_differences(old.clauses if old else (), new.clauses if new else ())
        found += [(annex_id, each) for each in changes]
    return found


def _faults(annex: Annex, agreement: Agreement, authority: AnnexAuthority) -> Iterator[str]:
    yield from clause_faults(annex.clauses, agreement.languages)
    for clause in annex.clauses:
        if not clause.id.startswith(f"{annex.id}."):
            yield f"clause {clause.id} is not of annex {annex.id}; call it {annex.id}.1 and so on"
        if clause.decides is not None and kind_of(clause.decides) not in authority.may:
            may = ", ".join(authority.may) or "nothing"
            yield f"clause {clause.id} decides {kind_of(clause.decides)}; it may decide {may}"
