# SPDX-License-Identifier: Apache-2.0
"""Agreements in the region: carried in with their signatures, and how they stand as time goes.

What changes which rules bind whom looks again at every operation of the parties: at once where
they are few, else they are RE-CHECKING until their turn has come, bound by the rules before, too.
Who is no party does not learn of it: a pair with another is told of only what comes out otherwise.
"""

from typing import Final

from keepclear.agreement.claims import every_cylinder
from keepclear.agreement.clauses import ProbingBound, Separation
from keepclear.agreement.documents import hash_of
from keepclear.agreement.standing import state_of
from keepclear.agreement.statements import AgreementFile, read_file
from keepclear.agreement.states import State
from keepclear.errors import InputError
from keepclear.exchange.deciding import Deciding
from keepclear.exchange.events import (
    AgreementCarried,
    AgreementStood,
    RecheckingBegun,
    RecheckingDone,
)
from keepclear.exchange.rechecking import recheck
from keepclear.record.encoding import Signed, encode
from keepclear.record.headers import Act
from keepclear.record.key_documents import Keyring

AT_ONCE: Final = 100


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
    touched = [
        each for each in deciding.world.operations.values()
        if each.is_protecting and each.party in parties
    ]  # fmt: skip
    is_long = len(touched) > AT_ONCE
    deciding.emit(parties, AgreementStood(
        hash=own_hash, state=standing.state, clauses=standing.clauses, is_long=is_long
    ))  # fmt: skip
    deciding.forget_bindings()
    decisions = [clause.decides for clause in standing.clauses]
    deciding.near.widen(
        every_cylinder(each.rules for each in decisions if isinstance(each, Separation)),
        [each for each in decisions if isinstance(each, ProbingBound)],
    )
    if not is_long:
        # by id: the order of filing would show in the order of what is told
        for operation in sorted(touched, key=lambda each: each.id):
            recheck(deciding, operation, _why(own_hash, standing.state), among=parties)
        return
    for party in parties:
        own = tuple(each.id for each in touched if each.party == party)
        if own:
            deciding.emit([party], RecheckingBegun(hash=own_hash, operations=own))


def recheck_some(deciding: Deciding) -> None:
    """Look again at the soonest operations that are RE-CHECKING, as many as one entry takes."""
    world = deciding.world
    waiting = sorted(
        (world.operations[each] for each in world.rechecking),
        key=lambda each: (each.start_us, world.places[each.id]),
    )[:AT_ONCE]  # fmt: skip
    for operation in waiting:
        own_hash = world.rechecking[operation.id].hash
        deciding.emit([operation.party], RecheckingDone(hash=own_hash, operations=(operation.id,)))
        carried = world.agreements[own_hash]
        parties = [party.id for party in carried.agreement.parties]
        recheck(deciding, operation, _why(own_hash, carried.state), among=parties)


def _why(own_hash: str, state: State) -> str:
    return f"agreement {own_hash[:8]} is {state}"
