# SPDX-License-Identifier: Apache-2.0
"""Who has signed an agreement, and what holds of it at an instant: from one file and the keys.

Layout of the file, as JSON in its one form: format, agreement, signatures, statements; the
last two are envelopes, each signed by one representative.

1. A party has signed once two of its representatives have, within 24 hours (one where its key
   document says so), each over the hash of the agreement, and before their signatures expire.
2. It is in force once every party has signed, every condition has been stated by every party,
   and its time has come; until its time is over.
3. Any party suspends, and only those who did resume. While suspended, the clauses marked so
   survive. Denounced, all hold until the notice is over, then none.
4. On files there is no order but time: a key counts if any of its party's documents appoints
   it, for what it signed before the time from which it is suspect. What it signed later does
   not count.
"""

from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated, Final, Literal, NamedTuple

import msgspec

from keepclear.agreement.clauses import LineCheck, OperatorKey, ProvingRun
from keepclear.agreement.documents import Agreement, hash_of, read_agreement
from keepclear.agreement.states import TABLE, Event, State, move
from keepclear.record.encoding import Signed, decode, encode
from keepclear.record.envelopes import Envelope, seal, verified
from keepclear.record.faults import Malformed, NotProven
from keepclear.record.headers import Name, TimeUs
from keepclear.record.key_documents import (
    TWO_PERSONS,
    Hex64,
    Keyring,
    TwoPersonAct,
)
from keepclear.record.keys import Signer

SIGNATURE: Final = "application/vnd.keepclear.agreement-signature+json"
STATEMENT: Final = "application/vnd.keepclear.agreement-statement+json"
WITHIN_US: Final = 24 * 3_600_000_000
LONGEST_US: Final = 90 * 24 * 3_600_000_000
MOST_BYTES: Final = 16_777_216


class AgreementSignature(Signed, frozen=True, kw_only=True):
    """That a party agrees: to which document, by its hash. Times in microseconds UTC."""

    agreement: Hex64
    party: Name
    at_us: TimeUs
    expires_us: TimeUs

    def __post_init__(self) -> None:
        """Refuse a signature that holds too long or not at all."""
        if not 0 < self.expires_us - self.at_us <= LONGEST_US:
            raise ValueError("holds for no time or more than 90 days; let it expire earlier")


class Said(StrEnum):
    """What a party can state about an agreement, and the event it is."""

    LINE_CHECKED = "line-checked"
    PROVING_RUN_MADE = "proving-run-made"
    SUSPEND = "suspend"
    RESUME = "resume"
    DENOUNCE = "denounce"


class AgreementStatement(Signed, frozen=True, kw_only=True):
    """What a party states about an agreement."""

    agreement: Hex64
    party: Name
    at_us: TimeUs
    said: Said
    why: Annotated[str, msgspec.Meta(max_length=2_000)] = ""


class AgreementFile(Signed, frozen=True, kw_only=True):
    """An agreement with what was signed of it; see the module."""

    format: Literal["keepclear-agreement/1"] = "keepclear-agreement/1"
    agreement: msgspec.Raw
    signatures: tuple[Envelope, ...] = ()
    statements: tuple[Envelope, ...] = ()


class Signing(NamedTuple):
    """One valid signature: whose, by which representative, when, until when."""

    party: str
    representative: str
    at_us: int
    expires_us: int


class Standing(NamedTuple):
    """What holds of an agreement at an instant.

    waits_for: what is missing until it is in force, in words. holds: ids of the clauses that
    hold now. signed: the signatures that count. suspended_by: who has suspended and not resumed.
    """

    state: State
    hash: str
    waits_for: tuple[str, ...]
    holds: tuple[str, ...]
    signed: tuple[Signing, ...]
    suspended_by: tuple[str, ...]


def read_file(data: bytes, path: str = "file") -> tuple[AgreementFile, Agreement]:
    """Return a file and the agreement in it; `Malformed` where it is none."""
    file = decode(data, AgreementFile, path, MOST_BYTES)
    return file, read_agreement(bytes(file.agreement), f"{path}.agreement")


def sign(agreement: Agreement, party: str, at_us: int, expires_us: int, signer: Signer) -> Envelope:
    """Return the signature of a party's representative."""
    value = AgreementSignature(
        agreement=hash_of(agreement), party=party, at_us=at_us, expires_us=expires_us
    )
    return seal(SIGNATURE, encode(value), signer)


def state_of(file: AgreementFile, agreement: Agreement, keys: Keyring, now_us: int) -> Standing:
    """Return what holds at an instant, from the signatures and statements up to then.

    `NotProven` for a signature that does not verify or is by no representative, `Malformed` for
    one of another agreement: a file is believed whole or not at all.
    """
    own_hash = hash_of(agreement)
    signed = [
        each
        for number, envelope in enumerate(file.signatures)
        if (each := _signing(envelope, agreement, own_hash, keys, f"signatures[{number}]"))
        and each.at_us <= now_us
    ]
    statements = [
        said
        for number, envelope in enumerate(file.statements)
        if (said := _statement(envelope, agreement, own_hash, keys, f"statements[{number}]"))
        and said.at_us <= now_us
    ]
    statements.sort(key=lambda each: each.at_us)
    signed, done_us = _unexpired(agreement, signed, keys, now_us)
    waits = [f"signature of {who}: {why}" for who, (_, why) in done_us.items() if why]
    waits += _operator_faults(agreement, keys)
    state = State.DRAFT if not signed else move(State.DRAFT, Event.SIGN)
    if not waits:
        state = move(State.DRAFT, Event.SIGN_LAST)
    if state is State.SIGNED:
        waits += _conditions(agreement, statements)
        if not waits and now_us < agreement.in_force_us:
            waits.append("its time to come into force")
        if not waits:
            state = move(state, Event.COME_INTO_FORCE)
    return _after(agreement, own_hash, state, statements, signed, waits, now_us)


def _after(
    agreement: Agreement, own_hash: str, state: State, statements: Sequence[AgreementStatement],
    signed: Sequence[Signing], waits: Sequence[str], now_us: int,
) -> Standing:  # fmt: skip
    """Return the standing once suspensions, denunciation and the end of its time are counted."""
    suspended: set[str] = set()
    denounced_us = None
    for each in statements:
        if each.said is Said.SUSPEND:
            suspended.add(each.party)
        elif each.said is Said.RESUME:
            suspended.discard(each.party)
        elif each.said is Said.DENOUNCE and denounced_us is None:
            denounced_us = each.at_us
    if state is State.IN_FORCE and suspended:
        state = move(state, Event.SUSPEND)
    if denounced_us is not None and Event.DENOUNCE in TABLE[state]:
        state = move(state, Event.DENOUNCE)
        if now_us >= denounced_us + agreement.notice_us:
            state = move(state, Event.EXPIRE)
    if now_us >= agreement.until_us and state is not State.EXPIRED:
        state = move(state, Event.EXPIRE)
    was_in_force = not waits
    holds = tuple(
        clause.id
        for clause in agreement.clauses
        if was_in_force
        and (
            state is State.IN_FORCE
            or (state is State.DENOUNCED and (not suspended or clause.survives))
            or (state is State.SUSPENDED and clause.survives)
        )
    )
    return Standing(state, own_hash, tuple(waits), holds, tuple(signed), tuple(sorted(suspended)))


def _signing(
    envelope: Envelope, agreement: Agreement, own_hash: str, keys: Keyring, path: str
) -> Signing | None:
    """Return a signature that counts, None for one by a key that is suspect from before it."""
    value = decode(envelope.payload, AgreementSignature, path)
    name, key_id = _representative(envelope, value.party, value.agreement, SIGNATURE, agreement,
                                   own_hash, keys, path)  # fmt: skip
    if _is_suspect(keys, value.party, key_id, value.at_us):
        return None
    return Signing(value.party, name, value.at_us, value.expires_us)


def _statement(
    envelope: Envelope, agreement: Agreement, own_hash: str, keys: Keyring, path: str
) -> AgreementStatement | None:
    """Return a statement that counts; as `_signing`."""
    value = decode(envelope.payload, AgreementStatement, path)
    _, key_id = _representative(envelope, value.party, value.agreement, STATEMENT, agreement,
                                own_hash, keys, path)  # fmt: skip
    return None if _is_suspect(keys, value.party, key_id, value.at_us) else value


def _is_suspect(keys: Keyring, party: str, key_id: str, at_us: int) -> bool:
    since_us = keys.suspect_since_us(party, key_id)
    return since_us is not None and since_us <= at_us


def _representative(
    envelope: Envelope, party: str, signed_hash: str, payload_type: str, agreement: Agreement,
    own_hash: str, keys: Keyring, path: str,
) -> tuple[str, str]:  # fmt: skip
    """Return which representative signed, and with which key; refuse anybody else."""
    if signed_hash != own_hash:
        raise Malformed(
            f"{path}.agreement", signed_hash[:16], f"is not this document, {own_hash[:16]}",
            "the document was changed after it was signed: sign it again",
        )  # fmt: skip
    if party not in {each.id for each in agreement.parties}:
        raise Malformed(f"{path}.party", party, "is no party of the agreement", "take it out")
    if len(envelope.signatures) != 1:
        raise Malformed(path, len(envelope.signatures), "is not one signature", "sign one by one")
    key_id = envelope.signatures[0].keyid
    appointed = keys.ever_appointed(party, key_id)
    if appointed.role != "representative":
        raise NotProven(
            path, f"{appointed.role} {appointed.name}", f"has no mandate to bind {party}",
            "let a representative of its key document sign",
        )  # fmt: skip
    verified(envelope, {key_id: appointed.key}, payload_type, path)
    return appointed.name, key_id


def _unexpired(
    agreement: Agreement, signed: Sequence[Signing], keys: Keyring, now_us: int
) -> tuple[list[Signing], dict[str, tuple[int, str]]]:
    """Return the signatures that had not expired when all had signed, or now; as `_done_us`."""
    left = list(signed)
    while True:
        done = {p.id: _done_us(p.id, left, keys) for p in agreement.parties}
        are_all = not any(why for _, why in done.values())
        then_us = max(at_us for at_us, _ in done.values()) if are_all else now_us
        still = [each for each in left if each.expires_us > then_us]
        if len(still) == len(left):
            return left, done
        left = still


def _done_us(party: str, signed: Sequence[Signing], keys: Keyring) -> tuple[int, str]:
    """Return when a party had signed, and an empty text; or why it has not."""
    own = sorted((each for each in signed if each.party == party), key=lambda each: each.at_us)
    needed = 1 if TwoPersonAct.AGREEMENT in keys.latest(party).one_person else TWO_PERSONS
    if len({each.representative for each in own}) < needed:
        missing = needed - len({each.representative for each in own})
        return 0, f"{missing} more representative{'s' if missing > 1 else ''}"
    if needed == 1:
        return own[0].at_us, ""
    for one in own:
        for other in own:
            is_soon = one.at_us <= other.at_us <= one.at_us + WITHIN_US
            if other.representative != one.representative and is_soon:
                return other.at_us, ""
    return 0, "its two representatives signed more than 24 hours apart; sign again"


def _conditions(agreement: Agreement, statements: Sequence[AgreementStatement]) -> list[str]:
    """Return which conditions have not been stated by whom."""
    asked = []
    for clause in agreement.clauses:
        if isinstance(clause.decides, LineCheck):
            asked.append((clause.id, Said.LINE_CHECKED))
        elif isinstance(clause.decides, ProvingRun):
            asked.append((clause.id, Said.PROVING_RUN_MADE))
    said = {(each.party, each.said) for each in statements}
    return [
        f"clause {clause_id}: {party.id} has not signed {what}"
        for clause_id, what in asked
        for party in agreement.parties
        if (party.id, what) not in said
    ]


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
