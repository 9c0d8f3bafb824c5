# SPDX-License-Identifier: Apache-2.0
"""Agreements in the region: carried in with their signatures, and how they stand as time goes.

What changes which rules bind whom looks again at every operation of the parties: at once where
they are few, else they are RE-CHECKING until their turn has come, bound by the rules before, too.
Who is no party does not learn of it: a pair with another is told of only what comes out otherwise.

What was carried once stays: what is carried later is added to it (`joined`). So nobody lifts a
suspension by carrying an older copy, and of two who each state something neither waits.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

import msgspec

from keepclear.agreement.annex_standing import ITS_TIME, read_annexes
from keepclear.agreement.annexes import annex_hash
from keepclear.agreement.claims import every_cylinder
from keepclear.agreement.clauses import ProbingBound, Separation
from keepclear.agreement.documents import Agreement, Clause, hash_of
from keepclear.agreement.standing import Standing, check_not_ahead, state_of
from keepclear.agreement.statements import (
    AgreementFile,
    AgreementStatement,
    Said,
    SignedAnnex,
    read_file,
)
from keepclear.agreement.states import State
from keepclear.errors import CallerError, InputError
from keepclear.exchange.deciding import Deciding
from keepclear.exchange.events import (
    AgreementCarried,
    AgreementStood,
    RecheckingBegun,
    RecheckingDone,
)
from keepclear.exchange.index import Near
from keepclear.exchange.judging import soonest
from keepclear.exchange.lapses import has_open
from keepclear.exchange.objects import Carried
from keepclear.exchange.rechecking import expire, recheck
from keepclear.exchange.world import agreement_of
from keepclear.plans.operations import Operation
from keepclear.record.encoding import Signed, decode, encode
from keepclear.record.envelopes import Envelope
from keepclear.record.headers import CLOCK_US, Act
from keepclear.record.key_documents import Hex64, Keyring

AT_ONCE: Final = 100
SIGNED_BY_ALL: Final = frozenset({
    State.SIGNED, State.IN_FORCE, State.SUSPENDED, State.DENOUNCED, State.EXPIRED
})  # fmt: skip
MOST_CARRIED: Final = 4_194_304  # bytes, so that an entry with it and its act fits a line


class CarryAgreement(Signed, frozen=True, kw_only=True):
    """Carry an agreement, signed on files, into the region; or the same with more signed of it."""

    file: AgreementFile


class StateSuspension(Signed, frozen=True, kw_only=True):
    """Suspend an agreement that was carried, or end that. statement: one representative's."""

    hash: Hex64
    statement: Envelope


def statement_of(payload: StateSuspension) -> AgreementStatement:
    """Return what a suspension, or its end, says; `CallerError` where it cannot be read."""
    return decode(payload.statement.payload, AgreementStatement, "act.payload.statement")


def carry(deciding: Deciding, act: Act, payload: CarryAgreement, keys: Keyring) -> None:
    """Take an agreement into the region, for all its parties."""
    file, agreement = read_file(encode(payload.file), "agreement")
    parties = [party.id for party in agreement.parties]
    if act.party not in parties:
        raise InputError("party", act.party, "is no party of the agreement", "let a party carry it")
    before = deciding.world.agreements.get(hash_of(agreement))
    if before is not None:
        file = joined(before.file, file)
    _enter(deciding, file, agreement, keys)


def state_suspension(
    deciding: Deciding, act: Act, payload: StateSuspension, keys: Keyring
) -> None:  # fmt: skip
    """Let a party suspend an agreement that was carried, or end its suspension."""
    carried = deciding.world.agreements.get(payload.hash)
    if carried is None or act.party not in {each.id for each in carried.agreement.parties}:
        raise InputError(
            "agreement", payload.hash[:16], "is none of yours in this region",
            "give its hash, as keepclear agreement list has it",
        )  # fmt: skip
    path = "act.payload.statement"
    stated = statement_of(payload)
    if stated.said not in {Said.SUSPEND, Said.RESUME}:
        raise InputError(path, stated.said, "is no suspension, nor the end of one",
                         "carry it with the agreement")  # fmt: skip
    if (stated.party, stated.document) != (act.party, payload.hash):
        raise InputError(path, stated.party, "is not of the sender about this agreement",
                         "state it for your own party")  # fmt: skip
    statements = _all_of(carried.file.statements, (payload.statement,))
    file = msgspec.structs.replace(carried.file, statements=statements)
    for each in _enter(deciding, file, carried.agreement, keys).left_out:
        if (each.party, each.at_us) == (act.party, stated.at_us):
            raise InputError(path, stated.said, f"would not count: {each.why}",
                             "let a representative with a mandate state it")  # fmt: skip


def _enter(
    deciding: Deciding, file: AgreementFile, agreement: Agreement, keys: Keyring
) -> Standing:  # fmt: skip
    """Take what is signed of an agreement into the region; return how it stands by that."""
    if (size := len(encode(file))) > MOST_CARRIED:
        raise InputError(
            "agreement", f"{size} bytes", f"is with what was carried before above {MOST_CARRIED}",
            "counter it with a new version, which begins anew",
        )  # fmt: skip
    check_not_ahead(file, agreement, keys, deciding.now_us)
    # a clock may be ahead: as it stands once all that is signed has come, too
    then_us = deciding.now_us + CLOCK_US
    standing = state_of(file, agreement, keys, then_us)
    deciding.due.append((then_us, hash_of(agreement)))
    parties = tuple(party.id for party in agreement.parties)
    deciding.seen_by = parties
    deciding.emit(parties, AgreementCarried(hash=hash_of(agreement), file=file))
    stand(deciding, hash_of(agreement), keys)
    return standing


def joined(before: AgreementFile, file: AgreementFile) -> AgreementFile:
    """Return all that two files of one agreement hold: of the first, then what the other adds.

    What was countered before it is the same in both, or that of the file carried first.
    """
    annexes: dict[bytes, tuple[Envelope, ...]] = {}
    for each in (*before.annexes, *file.annexes):
        own = bytes(each.annex)
        annexes[own] = _all_of(annexes.get(own, ()), each.signatures)
    return AgreementFile(
        agreement=before.agreement,
        signatures=_all_of(before.signatures, file.signatures),
        statements=_all_of(before.statements, file.statements),
        annexes=tuple(
            SignedAnnex(annex=msgspec.Raw(annex), signatures=signatures)
            for annex, signatures in annexes.items()
        ),
        earlier=before.earlier or file.earlier,
    )


def _all_of(one: Iterable[Envelope], other: Iterable[Envelope]) -> tuple[Envelope, ...]:
    return tuple(dict.fromkeys((*one, *other)))


def stand(deciding: Deciding, own_hash: str, keys: Keyring) -> None:
    """Let an agreement stand as it does now; look again at its parties' operations if it moved.

    One that not all had signed stays as it stood where it does not fit any more, such as a counter
    to what is as if never signed: it binds nobody.
    """
    carried = deciding.world.agreements[own_hash]
    try:
        standing = state_of(carried.file, carried.agreement, keys, deciding.now_us)
    except CallerError:
        if carried.state in SIGNED_BY_ALL:
            raise
        return
    next_us = _next_us(carried, standing, deciding.now_us)
    if next_us is not None:
        deciding.due.append((next_us, own_hash))
    if (standing.state, standing.clauses) == (carried.state, carried.clauses):
        return
    parties = [party.id for party in carried.agreement.parties]
    touched = [
        each for each in deciding.world.operations.values()
        if each.party in parties and (each.is_protecting or has_open(deciding.world, each))
    ]  # fmt: skip
    is_long = len(touched) > AT_ONCE
    deciding.emit(parties, AgreementStood(
        hash=own_hash, state=standing.state, clauses=standing.clauses, is_long=is_long
    ))  # fmt: skip
    widen(deciding.near, standing.clauses)
    touched.sort(key=lambda each: each.id)  # the order of filing would show in what is told
    if is_long:
        _begin_rechecking(deciding, own_hash, parties, touched)
        return
    why = dict.fromkeys(parties, _why(own_hash, standing.state))
    for operation in touched:
        recheck(deciding, operation, why)


def _begin_rechecking(
    deciding: Deciding, own_hash: str, parties: Sequence[str], touched: Sequence[Operation]
) -> None:
    """Let operations be RE-CHECKING; what is over by its time may be so for others at once now."""
    for party in parties:
        own = tuple(each.id for each in touched if each.party == party)
        if own:
            deciding.emit([party], RecheckingBegun(hash=own_hash, operations=own))
    for each in touched:
        if not each.is_protecting:
            expire(deciding, each)


def widen(near: Near, clauses: Iterable[Clause]) -> None:
    """Let the index find all that clauses ask for; `InputError` as of `Near.widen`."""
    decisions = [clause.decides for clause in clauses]
    near.widen(
        every_cylinder(each.rules for each in decisions if isinstance(each, Separation)),
        [each for each in decisions if isinstance(each, ProbingBound)],
    )


def next_look_us(carried: Carried, keys: Keyring, now_us: int) -> int | None:
    """Return when an agreement that `stand` looks at now is to be looked at again by time alone."""
    try:
        standing = state_of(carried.file, carried.agreement, keys, now_us)
    except CallerError:
        return None
    return _next_us(carried, standing, now_us)


def _next_us(carried: Carried, standing: Standing, now_us: int) -> int | None:
    return min((each for each in _times(carried, standing) if each > now_us), default=None)


def _times(carried: Carried, standing: Standing) -> Iterator[int]:
    """Yield when an agreement, or an annex of it, comes to stand otherwise by time alone."""
    agreement = carried.agreement
    yield from (agreement.in_force_us, agreement.until_us)
    yield from (
        each.at_us + agreement.notice_us for each in standing.said if each.said is Said.DENOUNCE
    )
    waiting = {
        each.hash
        for annex in standing.annexes
        for each in annex.versions
        if each.waits_for == ITS_TIME
    }
    for annex in read_annexes(carried.file, agreement):
        if annex_hash(annex) in waiting:
            yield annex.in_force_us


def recheck_some(deciding: Deciding) -> None:
    """Look again at the soonest operations that are RE-CHECKING, as many as one entry takes.

    After these, at the soonest one that has more conflicts than were told, and room for some.
    """
    world = deciding.world
    if not world.rechecking:
        for own_id in soonest(deciding, world.room)[:1]:
            recheck(deciding, world.operations[own_id], {})
        return
    for own_id in soonest(deciding, world.rechecking)[:AT_ONCE]:
        operation = world.operations[own_id]
        why: dict[str, str] = {}  # each is told of an agreement of its own
        for own_hash in map(agreement_of, world.rechecking[own_id].waits):
            deciding.emit([operation.party], RecheckingDone(hash=own_hash, operations=(own_id,)))
            carried = world.agreements[own_hash]
            parties = [party.id for party in carried.agreement.parties]
            why |= dict.fromkeys(parties, _why(own_hash, carried.state))
        recheck(deciding, operation, why)


def _why(own_hash: str, state: State) -> str:
    return f"agreement {own_hash[:8]} is {state}"
