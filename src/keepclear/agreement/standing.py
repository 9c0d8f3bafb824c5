# SPDX-License-Identifier: Apache-2.0
"""What holds of an agreement at an instant: what was signed and stated, replayed on the table.

1. What it is and which clauses hold is the replay's (`replay`); what does not fit is refused,
   with the file that says it.
2. Of an annex a version holds (`annex_standing`) as long as the clause that gives authority for
   it does.
3. What was countered before it is held to the same rules (`rounds`).
4. No signature or statement goes without a word: what does not count is in `left_out`.
5. By one file alone: times are those that the signers wrote, and who holds another copy may have
   more of it, such as a suspension.
"""

from collections.abc import Iterator
from typing import NamedTuple

from keepclear.agreement.annex_standing import AnnexStanding, annexes_of, read_annexes
from keepclear.agreement.annexes import authority_for
from keepclear.agreement.clauses import OperatorKey
from keepclear.agreement.documents import Agreement, Clause, hash_of
from keepclear.agreement.replay import replayed
from keepclear.agreement.rounds import check_rounds, first_of, rounds_of
from keepclear.agreement.signing import (
    LeftOut,
    Signature,
    Stated,
    annex_signatures_of,
    check_keys_apart,
    signatures_of,
    statements_of,
)
from keepclear.agreement.statements import AgreementFile, AgreementStatement
from keepclear.agreement.states import State
from keepclear.record.faults import Malformed
from keepclear.record.headers import CLOCK_US
from keepclear.record.key_documents import Keyring


class Standing(NamedTuple):
    """What holds of an agreement at an instant.

    waits_for: what is missing until it is in force, in words. clauses: those that hold now, of
    the agreement and of its annexes. signed: the signatures that count. suspended_by: who has
    suspended and not resumed. stated: what parties stated, in time. annexes: those in the file.
    left_out: what was signed and does not count, and why.
    """

    state: State
    hash: str
    waits_for: tuple[str, ...]
    clauses: tuple[Clause, ...]
    signed: tuple[Signature, ...]
    suspended_by: tuple[str, ...]
    stated: tuple[Stated, ...]
    annexes: tuple[AnnexStanding, ...]
    left_out: tuple[LeftOut, ...] = ()

    @property
    def holds(self) -> tuple[str, ...]:
        """Return the ids of the clauses that hold now."""
        return tuple(clause.id for clause in self.clauses)

    @property
    def said(self) -> tuple[AgreementStatement, ...]:
        """Return what parties stated, in time."""
        return tuple(each.what for each in self.stated)


def state_of(file: AgreementFile, agreement: Agreement, keys: Keyring, now_us: int) -> Standing:
    """Return what holds at an instant, from the signatures and statements up to then.

    `NotProven` for a signature that does not verify or takes a mandate that is missing,
    `Malformed` for one of another document, `NotNow` for what does not fit the state: a file is
    believed whole or not at all.
    """
    check_keys_apart(agreement, keys)
    signed = signatures_of(file.signatures, agreement, keys)
    said = statements_of(file.statements, agreement, keys)
    left_out = [*signed.left_out, *said.left_out]
    left_out += check_rounds(file, agreement, keys, first_of(signed.found, said.found))
    faults = _operator_faults(agreement, keys)
    done = replayed(agreement, signed.found, said.found, keys, now_us, faults)
    clauses = done.replay.clauses()
    holding = {clause.id for clause in clauses}
    annexes = annexes_of(file, agreement, keys, now_us)
    clauses += tuple(
        clause
        for clause in annexes.clauses
        if authority_for(agreement, clause.id.partition(".")[0])[0] in holding
    )
    left_out += (*done.left_out, *annexes.left_out)
    return Standing(
        done.replay.state, hash_of(agreement), done.waits_for, clauses, done.signed,
        tuple(sorted(done.replay.suspended)), done.said, annexes.standings,
        tuple(sorted(left_out, key=lambda each: each.at_us)),
    )  # fmt: skip


def check_not_ahead(file: AgreementFile, agreement: Agreement, keys: Keyring, now_us: int) -> None:
    """Refuse a file with what was signed later than now, by more than clocks may differ.

    Its annexes, and what was countered before it, are looked at too.
    """
    for party, at_us in _times(file, agreement, keys):
        if at_us > now_us + CLOCK_US:
            raise Malformed(
                "signature", party, f"is dated {(at_us - now_us) / 1e6:.0f} s ahead, above "
                f"{CLOCK_US / 1e6:.0f} s", "set the clock, yours or the signer's, and sign again",
            )  # fmt: skip


def _times(file: AgreementFile, agreement: Agreement, keys: Keyring) -> Iterator[tuple[str, int]]:
    """Yield who signed or stated anything in a file, and when; what is left out too."""
    signed = signatures_of(file.signatures, agreement, keys)
    said = statements_of(file.statements, agreement, keys)
    signatures, stated = signed.found, said.found
    left_out = [*signed.left_out, *said.left_out]
    for each in rounds_of(file, keys):
        signatures += each.signed
        stated += each.said
        left_out += each.left_out
    for annex, own in zip(read_annexes(file, agreement), file.annexes, strict=True):
        read = annex_signatures_of(own.signatures, annex, agreement, keys, f"annex {annex.id}")
        signatures += read.found
        left_out += read.left_out
    yield from ((each.party, each.at_us) for each in signatures)
    yield from ((each.what.party, each.what.at_us) for each in stated)
    yield from ((each.party, each.at_us) for each in left_out)


def _operator_faults(agreement: Agreement, keys: Keyring) -> list[str]:
    """Return why the exchange's key may not be what it is: a signatory's that no clause names."""
    named = {c.decides.key_id for c in agreement.clauses if isinstance(c.decides, OperatorKey)}
    if not agreement.operator_key or agreement.operator_key in named:
        return []
    for party in agreement.parties:
        if agreement.operator_key in keys.key_ids(party.id):
            key = agreement.operator_key[:16]
            return [f"a clause that names the exchange's key {key}, which is {party.id}'s own"]
    return []
