# SPDX-License-Identifier: Apache-2.0
"""What was signed and stated of one document, replayed on the table of states.

1. A signature that expired before all had signed is as if never given, and told as left out.
2. It is in force once every party has signed, every condition has been stated by every party,
   and its time has come; until its time is over.
3. Any party suspends, and only those who did resume. While suspended, the clauses marked so
   survive, and those alone.
4. Denounced, it holds as before until the notice is over, then not at all. A denunciation lifts
   no suspension, and takes from nobody the right to suspend or to resume until then.
5. What does not fit the state at its time (`states.TABLE`) is refused. Where a suspect key's word
   was left out before, what was built on it is left out too, and told: a revocation must not
   make the whole file unreadable.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple

from keepclear.agreement.clauses import LineCheck, ProvingRun
from keepclear.agreement.documents import Agreement, Clause
from keepclear.agreement.moves import NotNow
from keepclear.agreement.signing import LeftOut, Signature, Stated, needed, unexpired
from keepclear.agreement.statements import AgreementStatement, Said
from keepclear.agreement.states import Event, State, move
from keepclear.record.faults import Malformed
from keepclear.record.key_documents import Keyring

EVENTS: Final[Mapping[Said, Event]] = {
    Said.PROPOSE: Event.PROPOSE,
    Said.COUNTER: Event.COUNTER,
    Said.DENOUNCE: Event.DENOUNCE,
}


class Replayed(NamedTuple):
    """A document after all of its signatures and statements up to an instant.

    waits_for: what is missing until it is in force, unless that is over. signed: the signatures
    that count.
    """

    replay: "Replay"
    waits_for: tuple[str, ...]
    signed: tuple[Signature, ...]
    said: tuple[Stated, ...]
    left_out: tuple[LeftOut, ...]


def replayed(
    agreement: Agreement, signed: Sequence[Signature], said: Sequence[Stated], keys: Keyring,
    now_us: int, also_waits: Sequence[str] = (), *, has_suspects: bool = False,
) -> Replayed:  # fmt: skip
    """Return a document as it is at an instant.

    also_waits: for what else. has_suspects: something was left out as of a suspect key.
    """
    later = [left_out_of(each, LATER) for each in signed if each.at_us > now_us]
    later += [
        LeftOut(each.what.said, each.what.party, each.by, each.what.at_us, LATER)
        for each in said if each.what.at_us > now_us
    ]  # fmt: skip
    given = [each for each in signed if each.at_us <= now_us]
    stated = [each for each in said if each.what.at_us <= now_us]
    parties = [party.id for party in agreement.parties]
    counts = {party: _count(party, given, keys) for party in parties}
    counted, bound = unexpired(parties, given, counts, now_us)
    expired = [left_out_of(each, EXPIRED) for each in given if each not in counted]
    waits = [f"signature of {party}: {each.why}" for party, each in bound.items() if each.why]
    waits += also_waits
    counted.sort(key=lambda each: each.at_us)
    bound_us = -1 if waits else max(each.at_us for each in bound.values())
    last = next((each for each in reversed(counted) if each.at_us <= bound_us), None)
    replay = Replay(agreement, last)
    events: list[tuple[str, Signature | AgreementStatement]] = [
        *((each.by, each) for each in counted), *((each.by, each.what) for each in stated),
    ]  # fmt: skip
    for by, event in sorted(events, key=lambda each: each[1].at_us):
        try:
            replay.take(event)
        except (NotNow, Malformed) as fault:
            if not has_suspects:
                raise
            what = "signature" if isinstance(event, Signature) else event.said
            later.append(LeftOut(what, event.party, by, event.at_us, f"{UNFIT}: {fault}"))
    replay.pass_time(now_us)
    return Replayed(
        replay, () if replay.is_over else tuple(waits or replay.waits(now_us)), tuple(counted),
        tuple(stated),
        (*expired, *later),
    )  # fmt: skip


LATER: Final = "it is of a later time than was asked for"
EXPIRED: Final = "it expired before all had signed"
UNFIT: Final = "it does not fit without what a suspect key signed"


def left_out_of(each: Signature, why: str, what: str = "signature") -> LeftOut:
    """Return a signature as one that does not count."""
    return LeftOut(what, each.party, each.by, each.at_us, why)


class Replay:
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

    @property
    def is_over(self) -> bool:
        """Tell whether it waits for nothing more: it was denounced or has expired."""
        return self.state in {State.DENOUNCED, State.EXPIRED}

    def clauses(self) -> tuple[Clause, ...]:
        """Return the clauses that hold in this state."""
        if not self._was_in_force or self.state is State.EXPIRED:
            return ()
        return tuple(
            clause for clause in self._agreement.clauses if clause.survives or not self.suspended
        )

    def _resume(self, party: str) -> None:
        after = move(self.state, Event.RESUME)
        if party not in self.suspended:
            raise Malformed(
                "statement.said", "resume", f"is by {party}, who has not suspended it",
                f"let those resume who suspended: {', '.join(sorted(self.suspended)) or 'nobody'}",
            )  # fmt: skip
        if self.suspended == {party}:
            self.state = after
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
