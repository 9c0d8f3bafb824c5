# SPDX-License-Identifier: Apache-2.0
"""What holds of an agreement at an instant: what was signed and stated, replayed on the table.

1. It is in force once every party has signed, every condition has been stated by every party,
   and its time has come; until its time is over.
2. Any party suspends, and only those who did resume. While suspended, the clauses marked so
   survive. Denounced, all hold until the notice is over, then none.
3. What does not fit the state at its time (`states.TABLE`) is refused, with the file that says it.
4. Of an annex the version holds that every party has signed last, as long as the clause that
   gives authority for it does.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from keepclear.agreement.annexes import Annex, annex_hash, authority_for, read_annex
from keepclear.agreement.clauses import LineCheck, OperatorKey, ProvingRun
from keepclear.agreement.documents import Agreement, Clause, hash_of, read_agreement
from keepclear.agreement.signing import (
    Signature,
    annex_signatures_of,
    needed,
    signatures_of,
    statements_of,
    unexpired,
)
from keepclear.agreement.statements import AgreementFile, AgreementStatement, Said
from keepclear.agreement.states import Event, State, move
from keepclear.record.faults import Malformed
from keepclear.record.headers import CLOCK_US
from keepclear.record.key_documents import Keyring

EVENTS: Mapping[Said, Event] = {
    Said.PROPOSE: Event.PROPOSE,
    Said.COUNTER: Event.COUNTER,
    Said.DENOUNCE: Event.DENOUNCE,
}


class AnnexStanding(NamedTuple):
    """The version of an annex that holds, and which one waits for whose signature."""

    id: str
    version: int
    hash: str
    waits_for: tuple[str, ...]


class Standing(NamedTuple):
    """What holds of an agreement at an instant.

    waits_for: what is missing until it is in force, in words. clauses: those that hold now, of
    the agreement and of its annexes. signed: the signatures that count. suspended_by: who has
    suspended and not resumed. said: what parties stated, in time. annexes: those signed by
    anybody.
    """

    state: State
    hash: str
    waits_for: tuple[str, ...]
    clauses: tuple[Clause, ...]
    signed: tuple[Signature, ...]
    suspended_by: tuple[str, ...]
    said: tuple[AgreementStatement, ...]
    annexes: tuple[AnnexStanding, ...]

    @property
    def holds(self) -> tuple[str, ...]:
        """Return the ids of the clauses that hold now."""
        return tuple(clause.id for clause in self.clauses)


def state_of(file: AgreementFile, agreement: Agreement, keys: Keyring, now_us: int) -> Standing:
    """Return what holds at an instant, from the signatures and statements up to then.

    `NotProven` for a signature that does not verify or takes a mandate that is missing,
    `Malformed` for one of another document, `NotNow` for what does not fit the state: a file is
    believed whole or not at all.
    """
    _check_earlier(file, agreement, keys)
    all_signed = signatures_of(file.signatures, agreement, keys)
    all_said = statements_of(file.statements, agreement, keys)
    signed = [each for each in all_signed if each.at_us <= now_us]
    said = [each for each in all_said if each.at_us <= now_us]
    parties = [party.id for party in agreement.parties]
    counts = {party: _count(party, signed, keys) for party in parties}
    signed, bound = unexpired(parties, signed, counts, now_us)
    waits = [f"signature of {party}: {each.why}" for party, each in bound.items() if each.why]
    waits += _operator_faults(agreement, keys)
    signed.sort(key=lambda each: each.at_us)
    bound_us = -1 if waits else max(each.at_us for each in bound.values())
    last = next((each for each in reversed(signed) if each.at_us <= bound_us), None)
    replay = _Replay(agreement, last)
    events: list[Signature | AgreementStatement] = [*signed, *said]
    for event in sorted(events, key=lambda each: each.at_us):
        replay.take(event)
    replay.pass_time(now_us)
    if not waits:
        waits = replay.waits(now_us)
    clauses = replay.clauses()
    added, annexes = _annexes(file, agreement, keys, now_us)
    holding = {clause.id for clause in clauses}
    clauses += tuple(
        clause
        for clause in added
        if authority_for(agreement, clause.id.partition(".")[0])[0] in holding
    )
    return Standing(
        replay.state, hash_of(agreement), tuple(waits), clauses, tuple(signed),
        tuple(sorted(replay.suspended)), tuple(said), annexes,
    )  # fmt: skip


def check_not_ahead(file: AgreementFile, agreement: Agreement, keys: Keyring, now_us: int) -> None:
    """Refuse a file with what was signed later than now, by more than clocks may differ."""
    times = [
        *((each.party, each.at_us) for each in signatures_of(file.signatures, agreement, keys)),
        *((each.party, each.at_us) for each in statements_of(file.statements, agreement, keys)),
    ]
    for party, at_us in times:
        if at_us > now_us + CLOCK_US:
            raise Malformed(
                "signature", party, f"is dated {(at_us - now_us) / 1e6:.0f} s ahead, above "
                f"{CLOCK_US / 1e6:.0f} s", "set the clock, yours or the signer's, and sign again",
            )  # fmt: skip


class _Replay:
    """What was signed and stated, taken in time; the state after each. last: what bound all."""

    def __init__(self, agreement: Agreement, last: Signature | None) -> None:
        self._agreement, self._last = agreement, last
        self._said: set[tuple[str, Said]] = set()
        self._denounced_us: int | None = None
        self._was_in_force = False
        self.state, self.suspended = State.DRAFT, set[str]()

    def take(self, event: Signature | AgreementStatement) -> None:
        """Count one signature or statement."""
        self.pass_time(event.at_us)
        if isinstance(event, Signature):
            is_last = event is self._last
            self.state = move(self.state, Event.SIGN_LAST if is_last else Event.SIGN)
            return
        self._said.add((event.party, event.said))
        if event.said in EVENTS:
            self.state = move(self.state, EVENTS[event.said])
        match event.said:
            case Said.SUSPEND:
                self.state = move(self.state, Event.SUSPEND)
                self.suspended.add(event.party)
            case Said.RESUME:
                self._resume(event.party)
            case Said.DENOUNCE:
                self._denounced_us = event.at_us

    def pass_time(self, now_us: int) -> None:
        """Count what comes with time alone: into force, the end of a notice, the end."""
        a = self._agreement
        if self.state is State.SIGNED and not self.waits(now_us):
            self.state, self._was_in_force = move(self.state, Event.COME_INTO_FORCE), True
        is_over = now_us >= a.until_us or (
            self._denounced_us is not None and now_us >= self._denounced_us + a.notice_us
        )
        if is_over and self.state is not State.EXPIRED:
            self.state = move(self.state, Event.EXPIRE)

    def waits(self, now_us: int) -> list[str]:
        """Return what a signed agreement waits for: conditions, its time."""
        waits = [
            f"clause {clause.id}: {party.id} has not signed {what}"
            for clause in self._agreement.clauses
            if (what := _condition(clause))
            for party in self._agreement.parties
            if (party.id, what) not in self._said
        ]
        if not waits and now_us < self._agreement.in_force_us:
            waits.append("its time to come into force")
        return waits

    def clauses(self) -> tuple[Clause, ...]:
        """Return the clauses that hold in this state."""
        if not self._was_in_force or self.state is State.EXPIRED:
            return ()
        return tuple(
            clause for clause in self._agreement.clauses if clause.survives or not self.suspended
        )

    def _resume(self, party: str) -> None:
        if party not in self.suspended:
            raise Malformed(
                "statement.said", "resume", f"is by {party}, who has not suspended it",
                f"let those resume who suspended: {', '.join(sorted(self.suspended)) or 'nobody'}",
            )  # fmt: skip
        if self.suspended == {party}:
            self.state = move(self.state, Event.RESUME)
        self.suspended.discard(party)


def _condition(clause: Clause) -> Said | None:
    match clause.decides:
        case LineCheck():
            return Said.LINE_CHECKED
        case ProvingRun():
            return Said.PROVING_RUN_MADE
    return None


def _count(party: str, signed: Iterable[Signature], keys: Keyring) -> int:
    """Return how many representatives sign for a party, by the first signature it gave."""
    first = min((each.at_us for each in signed if each.party == party), default=None)
    return needed(party, keys, first)


def _annexes(
    file: AgreementFile, agreement: Agreement, keys: Keyring, now_us: int
) -> tuple[list[Clause], tuple[AnnexStanding, ...]]:
    """Return the clauses of the annexes that hold, and how each annex stands."""
    read = [
        (read_annex(bytes(each.annex), agreement, f"annexes[{number}]"), each.signatures)
        for number, each in enumerate(file.annexes)
    ]
    signed = {}
    for annex, envelopes in read:
        path = f"annex {annex.id}"
        found = annex_signatures_of(envelopes, annex, agreement, keys, path)
        signed[annex_hash(annex)] = found
    parties = [party.id for party in agreement.parties]
    clauses: list[Clause] = []
    standings = []
    for annex_id in dict.fromkeys(annex.id for annex, _ in read):
        own = [annex for annex, _ in read if annex.id == annex_id]
        holds, waits = _in_force(own, signed, parties, now_us)
        clauses += holds.clauses if holds else ()
        standings.append(AnnexStanding(
            annex_id, holds.version if holds else 0, annex_hash(holds) if holds else "",
            tuple(waits),
        ))  # fmt: skip
    return clauses, tuple(standings)


def _in_force(
    own: Sequence[Annex], signed: Mapping[str, Sequence[Signature]], parties: Sequence[str],
    now_us: int,
) -> tuple[Annex | None, list[str]]:  # fmt: skip
    """Return the version of an annex that holds, and what the ones after it wait for."""
    holds: Annex | None = None
    waits: list[str] = []
    for annex in sorted(own, key=lambda each: each.version):
        if annex.previous != (annex_hash(holds) if holds else ""):
            waits.append(f"version {annex.version}: the version before it to hold")
            continue
        given = [each for each in signed[annex_hash(annex)] if each.at_us <= now_us]
        _, bound = unexpired(parties, given, dict.fromkeys(parties, 1), now_us)
        missing = [party for party, each in bound.items() if each.why]
        if missing:
            waits.append(f"version {annex.version}: signature of {', '.join(missing)}")
        elif now_us < annex.in_force_us:
            waits.append(f"version {annex.version}: its time to come into force")
        else:
            holds = annex
    return holds, waits


def _check_earlier(file: AgreementFile, agreement: Agreement, keys: Keyring) -> None:
    """Refuse documents before this one that were not countered by the one after them."""
    documents = [
        read_agreement(bytes(each.agreement), f"earlier[{number}]")
        for number, each in enumerate(file.earlier)
    ]
    after = [*documents[1:], agreement]
    for number, (each, old, new) in enumerate(zip(file.earlier, documents, after, strict=False)):
        path = f"earlier[{number}]"
        signatures_of(each.signatures, old, keys, f"{path}.signatures")
        said = statements_of(each.statements, old, keys, f"{path}.statements")
        counters = [one for one in said if one.said is Said.COUNTER]
        if not counters or counters[-1].counter != hash_of(new):
            raise Malformed(
                path, hash_of(old)[:16], f"was not countered by {hash_of(new)[:16]}",
                "give the file as keepclear agreement counter wrote it",
            )  # fmt: skip


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
