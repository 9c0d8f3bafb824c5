# SPDX-License-Identifier: Apache-2.0
"""Agreements in a region as time goes, and an exchange in which something fails half-way."""

from typing import Final

import msgspec
import pytest

from keepclear.agreement.annexes import Annex, annex_hash
from keepclear.agreement.claims import every_cylinder
from keepclear.agreement.clauses import AnnexAuthority, Frequencies, Frequency
from keepclear.agreement.documents import Agreement, hash_of
from keepclear.agreement.probing import DEFAULT
from keepclear.agreement.rules_toml import parse_short
from keepclear.agreement.statements import (
    ANNEX_SIGNATURE,
    AgreementFile,
    Said,
    SignedAnnex,
    sign,
    state,
)
from keepclear.agreement.states import State
from keepclear.detect.compiled import plain
from keepclear.errors import CallerError, InputError, OperatorError
from keepclear.exchange.agreements import CarryAgreement, StateSuspension
from keepclear.exchange.index import Near
from keepclear.exchange.objects import Rechecking
from keepclear.plans import acts
from keepclear.plans.operations import claim_of
from keepclear.plays.stage import PEOPLE, Stage
from keepclear.record.encoding import decode, encode
from keepclear.record.files import AnyLine
from keepclear.record.headers import CLOCK_US, Status
from keepclear.record.key_documents import KeyDocument, Representative, Revocation, seal_document
from keepclear.record.keys import Signer
from keepclear.record.mandates import ROUTINE, Mandate
from tests.agreement_plays import DAY_US, HOUR_US, agreement, clause
from tests.exchange_plays import CountedIds
from tests.record_plays import START_US, next_document
from tests.two_worlds import HOUSE, MINUTE_US, Plan, filed, separation

A_AND_B: Final = agreement(clauses=(separation("8 NM / 2000 ft"),))
EIGHT_NM: Final = parse_short("8 NM / 2000 ft")
SECOND_US: Final = 1_000_000
SUSPENDED: Final = ("a", Said.SUSPEND, START_US + SECOND_US)


class Keys(Stage):
    """A stage that hands out what its parties sign with."""

    def signer(self, party: str, name: str) -> Signer:
        """Return the key of one of a party's people or posts."""
        return self._signers[party, name]

    def document(self, party: str) -> KeyDocument:
        """Return the latest key document of a party."""
        return decode(self.exchange.keys.documents(party)[-1].payload, KeyDocument, "document")


def staged(made: Agreement = A_AND_B) -> Keys:
    """Return an exchange with a, b and an agreement in force."""
    stage = Keys("exercise", START_US, Status.EXERCISE, HOUSE, CountedIds(), plain())
    for party in ("a", "b"):
        stage.join(party)
    stage.carry(stage.signed(made), made)
    return stage


def carry(stage: Stage, file: AgreementFile, by: str = "a") -> None:
    """Let any party carry a file."""
    stage.submit(by, "agreement.carry/1", CarryAgreement(file=file), PEOPLE)


def at(stage: Stage, at_us: int) -> None:
    """Let it be a time."""
    stage.clock.move_to(at_us)
    stage.exchange.pass_time()


def state_in(stage: Stage, made: Agreement = A_AND_B) -> State:
    """Return how an agreement stands in the region."""
    return stage.exchange.world.agreements[hash_of(made)].state


def two_near(stage: Stage) -> list[str]:
    """Let both parties file, 6 NM of room between them: in conflict by the agreement alone."""
    for party, place in (("a", 0), ("b", 4)):
        plan = Plan(place=place, level=22, start=60, lasts=30)
        made = acts.FileOperation(operation=filed(plan))
        stage.submit(party, "operations.file/1", made)
    return list(stage.exchange.world.operations)


# --- carried ---------------------------------------------------------------------------------


def test_an_older_copy_lifts_no_suspension() -> None:
    stage = staged()
    at(stage, START_US + MINUTE_US)
    carry(stage, stage.signed(A_AND_B, SUSPENDED))
    assert state_in(stage) is State.SUSPENDED

    carry(stage, stage.signed(A_AND_B), by="b")

    assert state_in(stage) is State.SUSPENDED


def stated(stage: Keys, said: Said, who: str = "rep-1", party: str = "a") -> StateSuspension:
    """Return what a representative states now of the agreement."""
    envelope = state(A_AND_B, party, stage.clock.now_us(), said, stage.signer(party, who))
    return StateSuspension(hash=hash_of(A_AND_B), statement=envelope)


def test_one_representative_suspends_and_resumes_without_the_other() -> None:
    stage = staged()
    for said, then in ((Said.SUSPEND, State.SUSPENDED), (Said.RESUME, State.IN_FORCE)):
        at(stage, stage.clock.now_us() + MINUTE_US)

        stage.submit("a", "suspension.state/1", stated(stage, said), ("rep-2",))

        assert state_in(stage) is then


def test_what_is_no_suspension_of_its_sender_is_refused_and_nothing_changes() -> None:
    stage = staged()
    at(stage, START_US + MINUTE_US)
    good = stated(stage, Said.SUSPEND)
    unknown = msgspec.structs.replace(good, hash="0" * 64)
    for party, payload, people, why in (
        ("a", stated(stage, Said.DENOUNCE), ("rep-1",), "is no suspension, nor the end of one"),
        ("b", good, ("rep-1",), "is not of the sender about this agreement"),
        ("a", unknown, ("rep-1",), "is none of yours in this region"),
        ("a", good, ("watch",), "no mandate for suspension.state"),
        ("a", stated(stage, Said.SUSPEND, "watch"), ("rep-1",), "watch"),
        ("a", stated(stage, Said.RESUME), ("rep-1",), "cannot resume"),
    ):
        with pytest.raises(CallerError, match=why):
            stage.submit(party, "suspension.state/1", payload, people)
    assert state_in(stage) is State.IN_FORCE


def test_how_agreements_stood_is_forgotten_once_nothing_waits(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("keepclear.exchange.agreements.AT_ONCE", 1)
    stage = staged()
    two_near(stage)
    world = stage.exchange.world
    at(stage, START_US + MINUTE_US)
    carry(stage, stage.signed(A_AND_B, SUSPENDED))
    other = agreement(id="other", clauses=(separation("9 NM / 2000 ft"),))
    carry(stage, stage.signed(other))
    assert world.before.keys() == {f"{hash_of(each)}/1" for each in (A_AND_B, other)}
    assert {*world.rechecking.values()} == {Rechecking(waits=tuple(world.before))}

    while stage.exchange.recheck_some():
        pass

    assert not world.rechecking
    assert not world.before


def test_what_two_parties_state_on_copies_of_their_own_is_joined() -> None:
    stage = staged()
    at(stage, START_US + MINUTE_US)
    denounced = ("b", Said.DENOUNCE, START_US + 2 * SECOND_US)
    carry(stage, stage.signed(A_AND_B, SUSPENDED))

    carry(stage, stage.signed(A_AND_B, denounced), by="b")

    assert state_in(stage) is State.DENOUNCED
    kept = stage.exchange.world.agreements[hash_of(A_AND_B)].file
    assert kept == stage.signed(A_AND_B, SUSPENDED, denounced)


def test_what_is_dated_ahead_by_less_than_clocks_may_differ_takes_effect_at_its_time() -> None:
    stage = staged()
    then_us = stage.clock.now_us() + CLOCK_US

    carry(stage, stage.signed(A_AND_B, ("a", Said.SUSPEND, then_us)))

    assert state_in(stage) is State.IN_FORCE
    at(stage, then_us)
    assert state_in(stage) is State.SUSPENDED


@pytest.mark.parametrize(
    ("said", "after_us", "why"),
    [
        (Said.SUSPEND, CLOCK_US + SECOND_US, "is dated 31 s ahead, above 30 s"),
        (Said.RESUME, CLOCK_US, "cannot resume"),
    ],
)
def test_what_is_dated_farther_ahead_or_will_not_fit_is_refused_with_the_file(
    said: Said, after_us: int, why: str
) -> None:
    stage = staged()
    before = (stage.exchange.world.hash, len(stage.lines))

    with pytest.raises(CallerError, match=why):
        carry(stage, stage.signed(A_AND_B, ("a", said, stage.clock.now_us() + after_us)))

    assert (stage.exchange.world.hash, len(stage.lines)) == before
    at(stage, START_US + HOUR_US)
    assert state_in(stage) is State.IN_FORCE


def test_a_denunciation_counts_from_when_it_was_stated_not_from_when_it_was_carried() -> None:
    stage = staged()
    at(stage, START_US + 10 * DAY_US)

    carry(stage, stage.signed(A_AND_B, ("a", Said.DENOUNCE, START_US + DAY_US)))

    over_us = START_US + DAY_US + A_AND_B.notice_us
    at(stage, over_us - 1)
    assert state_in(stage) is State.DENOUNCED
    at(stage, over_us)
    assert state_in(stage) is State.EXPIRED


def test_an_agreement_comes_into_force_and_ends_by_time_alone() -> None:
    until_us = START_US + 4 * HOUR_US
    made = agreement(
        clauses=(separation("8 NM / 2000 ft"),), in_force_us=START_US + HOUR_US,
        until_us=until_us, review_us=until_us,
    )  # fmt: skip
    stage = staged(made)
    states = []
    for minutes in (0, 59, 60, 70, 239, 240):
        at(stage, START_US + minutes * MINUTE_US)
        states.append(state_in(stage, made))
        if minutes in {0, 70}:
            two_near(stage)

    assert states == [State.SIGNED, State.SIGNED, *[State.IN_FORCE] * 3, State.EXPIRED]


def test_an_agreement_comes_into_force_seconds_after_it_was_carried() -> None:
    made = agreement(in_force_us=START_US + 10 * SECOND_US)
    stage = staged(made)

    at(stage, START_US + 10 * SECOND_US - 1)
    assert state_in(stage, made) is State.SIGNED
    at(stage, START_US + 10 * SECOND_US)
    assert state_in(stage, made) is State.IN_FORCE


def test_an_annex_comes_into_force_by_time_alone() -> None:
    allowed = AnnexAuthority(annex="A", may=("frequencies",))
    guard = Frequencies(frequencies=(Frequency(purpose="guard", on="121.5 MHz"),))
    made = agreement(clauses=(*A_AND_B.clauses, clause("4", "Annex A may change.", allowed)))
    stage = staged(made)
    annex = Annex(
        agreement=hash_of(made), id="A", version=1, previous="",
        in_force_us=START_US + DAY_US, clauses=(clause("A.1", "Guard is 121.5.", guard),),
    )  # fmt: skip
    signatures = tuple(
        sign(
            annex_hash(annex), party, START_US, START_US + DAY_US, stage.signer(party, "rep-1"),
            ANNEX_SIGNATURE,
        )
        for party in ("a", "b")
    )  # fmt: skip
    own = SignedAnnex(annex=msgspec.Raw(encode(annex)), signatures=signatures)
    carry(stage, msgspec.structs.replace(stage.signed(made), annexes=(own,)))

    def holds() -> list[str]:
        return [each.id for each in stage.exchange.world.agreements[hash_of(made)].clauses]

    at(stage, START_US + DAY_US - 1)
    assert holds() == ["1", "4"]
    at(stage, START_US + DAY_US)
    assert holds() == ["1", "4", "A.1"]


# --- key documents ---------------------------------------------------------------------------


def test_with_a_revoked_signature_an_agreement_stands_anew_and_so_do_conflicts() -> None:
    stage = staged()
    own, _ = two_near(stage)
    [raised] = stage.exchange.world.conflicts_of(own)
    old = stage.document("a")
    third = Signer(b"3" * 32)
    powers = old.representatives[0].mandates
    suspect = Revocation(
        key_id=stage.signer("a", "rep-1").public.id, suspect_since_us=START_US - DAY_US
    )
    made = next_document(
        old, created_us=START_US, root=stage.signer("a", "next-root").public.data,
        next_root=third.public.id, revoked=(suspect,),
        representatives=(
            old.representatives[1],
            Representative(id="rep-3", key=third.public.data, mandates=powers),
        ),
    )  # fmt: skip

    stage.exchange.admit(
        seal_document(made, stage.signer("a", "next-root"), stage.signer("a", "rep-2"))
    )

    assert state_in(stage) is State.SIGNED_IN_PART
    assert stage.exchange.world.conflicts[raised.id].is_settled


def test_a_key_document_with_a_key_of_the_other_party_is_refused_whole() -> None:
    stage = staged()
    old = stage.document("a")
    foreign = Representative(
        id="rep-3", key=stage.signer("b", "rep-1").public.data,
        mandates=(Mandate(covers=(ROUTINE,), from_us=START_US, until_us=START_US + DAY_US),),
    )  # fmt: skip
    made = next_document(old, created_us=START_US, representatives=(*old.representatives, foreign))
    before = (stage.exchange.world.hash, len(stage.lines))

    with pytest.raises(CallerError, match="is of a and of b"):
        stage.exchange.admit(
            seal_document(made, *(stage.signer("a", name) for name in ("root", *PEOPLE)))
        )

    assert (stage.exchange.world.hash, len(stage.lines)) == before
    assert stage.document("a") == old
    two_near(stage)


# --- what fails half-way ----------------------------------------------------------------------


def test_a_fault_of_ours_is_taken_back_like_a_refusal(monkeypatch: pytest.MonkeyPatch) -> None:
    stage = staged()
    before = stage.exchange.world.hash

    def fails(*_: object) -> None:
        raise ZeroDivisionError

    with monkeypatch.context() as broken:
        broken.setattr("keepclear.exchange.operations.recheck", fails)
        with pytest.raises(ZeroDivisionError):
            two_near(stage)

    assert stage.exchange.world.hash == before
    own, _ = two_near(stage)
    assert len(stage.exchange.world.conflicts_of(own)) == 1


def test_an_exchange_that_cannot_write_its_record_decides_and_signs_nothing_more(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stage = staged()

    def full(_: list[AnyLine]) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as broken:
        broken.setattr("keepclear.store.memory.MemoryStore.append", lambda _, lines: full(lines))
        with pytest.raises(OSError, match="No space left"):
            two_near(stage)

    for act in (lambda: two_near(stage), stage.exchange.pass_time, stage.exchange.beat):
        with pytest.raises(OperatorError, match="could not be written"):
            act()


def test_an_answer_is_kept_until_its_act_expires() -> None:
    stage = staged()
    plan = Plan(place=0, level=22, start=60, lasts=30)
    made = acts.FileOperation(operation=filed(plan))
    envelope = stage.envelope("a", "operations.file/1", made)
    answer = stage.exchange.submit(envelope, "a")

    stage.clock.move_to(START_US + HOUR_US - 1)
    assert stage.exchange.submit(envelope, "a") == answer
    stage.clock.move_to(START_US + HOUR_US)
    with pytest.raises(CallerError, match="expires_us"):
        stage.exchange.submit(envelope, "a")


def test_an_index_that_cannot_be_widened_stays_as_it_was() -> None:
    stage = staged()
    two_near(stage)
    near = Near(plain(), every_cylinder([EIGHT_NM]))
    one, other = stage.exchange.world.operations.values()
    for each in (one, other):
        near.put(each.status, claim_of(each))
    wide = msgspec.structs.replace(DEFAULT, across_tmm=10_000 * 500_000)

    with pytest.raises(InputError, match="reaches beyond 108 NM"):
        near.widen((), (wide,))

    assert near.bound == DEFAULT
    assert near.near(one.id) == [other.id]
    near.widen(every_cylinder([EIGHT_NM]), (msgspec.structs.replace(DEFAULT, across_tmm=10**8),))
    assert near.near(one.id) == [other.id]
