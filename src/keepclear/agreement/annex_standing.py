# SPDX-License-Identifier: Apache-2.0
"""How the annexes of an agreement stand at an instant: which version holds, what others wait for.

1. Of an annex the version holds that every party has signed last, once its time has come.
2. A file has each version once, and with it the one before: two that follow one (a fork), or a
   version without the one it follows, are refused with the file. Anybody could put them in.
"""

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from keepclear.agreement.annexes import Annex, annex_hash, read_annex
from keepclear.agreement.documents import Agreement, Clause
from keepclear.agreement.replay import EXPIRED, LATER, left_out_of
from keepclear.agreement.signing import LeftOut, Signature, annex_signatures_of, unexpired
from keepclear.agreement.statements import AgreementFile
from keepclear.record.faults import Malformed
from keepclear.record.key_documents import Keyring

ITS_TIME: Final = "its time to come into force"


class AnnexVersion(NamedTuple):
    """One version: who has signed it, and what it waits for; "" where it holds or has held."""

    version: int
    hash: str
    signed: tuple[Signature, ...]
    waits_for: str


class AnnexStanding(NamedTuple):
    """An annex: the version that holds (0 and "" for none), and all versions, first to last."""

    id: str
    version: int
    hash: str
    versions: tuple[AnnexVersion, ...]

    @property
    def waits_for(self) -> tuple[str, ...]:
        """Return what each version that does not hold yet waits for."""
        return tuple(
            f"version {each.version}: {each.waits_for}" for each in self.versions if each.waits_for
        )


class Annexes(NamedTuple):
    """The clauses of the annexes that hold, how each stands, and what does not count."""

    clauses: tuple[Clause, ...]
    standings: tuple[AnnexStanding, ...]
    left_out: tuple[LeftOut, ...]


def annexes_of(file: AgreementFile, agreement: Agreement, keys: Keyring, now_us: int) -> Annexes:
    """Return how the annexes in a file stand at an instant."""
    annexes = read_annexes(file, agreement)
    signed: dict[str, list[Signature]] = {}
    left_out: list[LeftOut] = []
    for annex, each in zip(annexes, file.annexes, strict=True):
        own = annex_signatures_of(each.signatures, annex, agreement, keys, f"annex {annex.id}")
        signed[annex_hash(annex)] = own.found
        left_out += own.left_out
    parties = [party.id for party in agreement.parties]
    clauses: list[Clause] = []
    standings = []
    for annex_id in dict.fromkeys(annex.id for annex in annexes):
        own_versions = [annex for annex in annexes if annex.id == annex_id]
        holds, versions = _in_force(own_versions, signed, parties, now_us, left_out)
        clauses += holds.clauses if holds else ()
        standings.append(AnnexStanding(
            annex_id, holds.version if holds else 0, annex_hash(holds) if holds else "",
            tuple(versions),
        ))  # fmt: skip
    return Annexes(tuple(clauses), tuple(standings), tuple(left_out))


def read_annexes(file: AgreementFile, agreement: Agreement) -> list[Annex]:
    """Return the annexes in a file, in its order; `Malformed` where they are not one chain each."""
    annexes = [
        read_annex(bytes(each.annex), agreement, f"annexes[{number}]")
        for number, each in enumerate(file.annexes)
    ]
    found: dict[tuple[str, int], Annex] = {}
    for number, annex in enumerate(annexes):
        path, name = f"annexes[{number}]", f"annex {annex.id}, version {annex.version}"
        if found.setdefault((annex.id, annex.version), annex) is not annex:
            raise Malformed(
                path, name, "is in the file twice, or two annexes have this version",
                "go on from the file as it was before the second was added",
            )  # fmt: skip
    for number, annex in enumerate(annexes):
        before = found.get((annex.id, annex.version - 1))
        if annex.previous != ("" if before is None else annex_hash(before)):
            raise Malformed(
                f"annexes[{number}]", f"annex {annex.id}, version {annex.version}",
                "does not follow a version that is in the file",
                "give the file in which the one before it stands",
            )  # fmt: skip
    return annexes


def _in_force(
    own: Sequence[Annex], signed: Mapping[str, Sequence[Signature]], parties: Sequence[str],
    now_us: int, left_out: list[LeftOut],
) -> tuple[Annex | None, list[AnnexVersion]]:  # fmt: skip
    """Return the version of an annex that holds, and all of them; add to `left_out`."""
    holds: Annex | None = None
    versions = []
    for annex in sorted(own, key=lambda each: each.version):
        all_signed = signed[annex_hash(annex)]
        given = [each for each in all_signed if each.at_us <= now_us]
        counted, bound = unexpired(parties, given, dict.fromkeys(parties, 1), now_us)
        missing = [party for party, each in bound.items() if each.why]
        what = f"signature of annex {annex.id}, version {annex.version}"
        left_out += (left_out_of(each, EXPIRED, what) for each in given if each not in counted)
        left_out += (left_out_of(each, LATER, what) for each in all_signed if each not in given)
        waits_for = ""
        if annex.previous != (annex_hash(holds) if holds else ""):
            waits_for = "the version before it to hold"
        elif missing:
            waits_for = f"signature of {', '.join(missing)}"
        elif now_us < annex.in_force_us:
            waits_for = ITS_TIME
        else:
            holds = annex
        counted.sort(key=lambda each: each.at_us)
        versions.append(AnnexVersion(annex.version, annex_hash(annex), tuple(counted), waits_for))
    return holds, versions
