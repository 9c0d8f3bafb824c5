# SPDX-License-Identifier: Apache-2.0
"""Agreements in the region: carried in with their signatures, and how they stand as time goes.

What changes which rules bind whom looks again at every pair of the parties, and at no other
pair: who is no party must not learn that there is an agreement.
"""

from keepclear.agreement.claims import every_cylinder
from keepclear.agreement.clauses import Separation
from keepclear.agreement.documents import hash_of
from keepclear.agreement.standing import state_of
from keepclear.agreement.statements import AgreementFile, read_file
from keepclear.errors import InputError
from keepclear.exchange.deciding import Deciding
from keepclear.exchange.events import AgreementCarried, AgreementStood
from keepclear.exchange.rechecking import recheck
from keepclear.record.encoding import Signed, encode
from keepclear.record.headers import Act
from keepclear.record.key_documents import Keyring


class CarryAgreement(Signed, frozen=True, kw_only=True):
    """Carry an agreement, signed on files, into the region; or the same with more signed of it."""

    file: AgreementFile


def carry(deciding: Deciding, act: Act, payload: CarryAgreement, keys: Keyring) -> None:
    """Take an agreement into the region, for all its parties."""
    file, agreement = read_file(encode(payload.file), "agreement")
    parties = [party.id for party in agreement.parties]
    if act.party not in parties:
        raise InputError("party", act.party, "is no party of the agreement", "let a party carry it")
    state_of(file, agreement, keys, deciding.now_us)
    deciding.seen_by = tuple(parties)
    deciding.emit(parties, AgreementCarried(hash=hash_of(agreement), file=file))
    stand(deciding, hash_of(agreement), keys)


def stand(deciding: Deciding, own_hash: str, keys: Keyring) -> None:
    """Let an agreement stand as it does now; look again at its parties' operations if it moved."""
    carried = deciding.world.agreements[own_hash]
    standing = state_of(carried.file, carried.agreement, keys, deciding.now_us)
    if (standing.state, standing.clauses) == (carried.state, carried.clauses):
        return
    parties = [party.id for party in carried.agreement.parties]
    deciding.emit(parties, AgreementStood(
        hash=own_hash, state=standing.state, clauses=standing.clauses
    ))  # fmt: skip
    deciding.forget_bindings()
    deciding.near.widen(every_cylinder(
        clause.decides.rules
        for clause in standing.clauses
        if isinstance(clause.decides, Separation)
    ))  # fmt: skip
    why = f"agreement {own_hash[:8]} is {standing.state}"
    for operation in list(deciding.world.operations.values()):
        if operation.is_protecting and operation.party in parties:
            recheck(deciding, operation, why, among=parties)
