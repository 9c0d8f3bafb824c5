# SPDX-License-Identifier: Apache-2.0
"""Random acts on the exchange, and what must hold after each of them, whatever came before."""

from collections import Counter
from itertools import combinations
from typing import Final

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    MultipleResults,
    RuleBasedStateMachine,
    initialize,
    invariant,
    multiple,
    rule,
)

from keepclear.agreement.binding import Minima
from keepclear.agreement.claims import breaches, compile_claim
from keepclear.agreement.clauses import (
    AmongEquals,
    Disclosure,
    Field,
    OnConflict,
    OnConflictRule,
    Priority,
    Separation,
    WhoActs,
)
from keepclear.agreement.documents import Agreement, PartyTerms, Role
from keepclear.agreement.probing import DEFAULT, widened
from keepclear.agreement.rules_toml import parse_short
from keepclear.agreement.statements import Said
from keepclear.detect.compiled import plain
from keepclear.detect.datums import Datums
from keepclear.errors import CallerError
from keepclear.exchange import agreements, rechecking
from keepclear.exchange.exchange import Exchange
from keepclear.exchange.folding import fold
from keepclear.exchange.lapses import as_stood
from keepclear.plans import acts
from keepclear.plans.conflicts import GONE_ON, Answer
from keepclear.plans.filing import Domain, FiledCircle, FiledOperation, FiledVolume
from keepclear.plans.operations import Operation, State, claim_of, protects_until_us
from keepclear.plays.stage import Stage
from keepclear.record.encoding import Signed
from keepclear.record.headers import Status
from keepclear.record.verification import verify
from keepclear.units import format_time
from tests.agreement_plays import agreement, clause
from tests.exchange_plays import CountedIds
from tests.own_copies import check_own_copy
from tests.record_plays import START_US

PARTIES: Final = ("a", "b", "c")
MINUTE_US: Final = 60_000_000
HOUSE: Final = parse_short("5 NM / 1000 ft")
SHOWN: Final = Disclosure(
    fields=(Field.AREA_BOX, Field.LEVEL_BAND, Field.TIME_BAND), grain_tmm=50_000_000,
    level_grain_tmm=3_048_000, time_grain_us=5 * MINUTE_US,
)  # fmt: skip


def between(one: str, other: str, **changes: object) -> Agreement:
    """Return an agreement of two parties."""
    parties = tuple(PartyTerms(id=p, name=p.upper(), role=Role.FORCE) for p in (one, other))
    return agreement(id=f"{one}-{other}", parties=parties, **changes)


A_AND_B: Final = between(
    "a", "b",
    clauses=(
        clause("1", "8 NM or 2000 ft.", Separation(rules=parse_short("8 NM / 2000 ft"))),
        clause("2", "Boxes.", SHOWN),
        clause("3", "Unmanned acts.", WhoActs(priorities=(
            Priority(of="any", number=50), Priority(of="unmanned", number=10),
        ))),
        clause("4", "The line stays.", survives=True),
    ),
)  # fmt: skip
A_AND_C: Final = between(
    "a", "c",
    clauses=(
        clause("1", "3 NM or 1000 ft.", Separation(rules=parse_short("3 NM / 1000 ft"))),
        clause("2", "Not with an open conflict.", OnConflictRule(action=OnConflict.REFUSE)),
        clause("3", "Both act.", WhoActs(among_equals=AmongEquals.BOTH)),
    ),
)  # fmt: skip


class Exchanging(RuleBasedStateMachine):
    """Three parties: a and b with an agreement, a and c with another, b and c with none."""

    operations = Bundle("operations")

    @initialize(target=operations)
    def begin(self) -> MultipleResults[str]:
        self.stage = Stage("exercise", START_US, Status.EXERCISE, HOUSE, CountedIds(), plain())
        for party in PARTIES:
            self.stage.join(party)
        for each in (A_AND_B, A_AND_C):
            self.stage.carry(self.stage.signed(each), each)
        for n, party in enumerate((*PARTIES, *PARTIES)):
            filed = self.filed(n % 2, 20 + n % 3, 1 + n % 2, 3, "any")
            self.stage.submit(party, "operations.file/1", acts.FileOperation(operation=filed))
        self.suspended = False
        self.stated: list[tuple[str, Said, int]] = []
        return multiple(*self.exchange.world.operations)

    @property
    def exchange(self) -> Exchange:
        return self.stage.exchange

    @rule(
        target=operations, party=st.sampled_from(PARTIES), place=st.integers(0, 2),
        level=st.integers(20, 22), start=st.integers(1, 3), lasts=st.integers(1, 4),
        craft=st.sampled_from(("any", "unmanned")),
    )  # fmt: skip
    def file(self, party: str, place: int, level: int, start: int, lasts: int, craft: str) -> str:
        known = set(self.exchange.world.operations)
        made = acts.FileOperation(operation=self.filed(place, level, start, lasts, craft))
        self.stage.submit(party, "operations.file/1", made)
        [new] = set(self.exchange.world.operations) - known
        return new

    @rule(
        operation=operations, place=st.integers(0, 3), level=st.integers(20, 25),
        start=st.integers(1, 6), is_stale=st.booleans(),
    )  # fmt: skip
    def update(self, operation: str, place: int, level: int, start: int, is_stale: bool) -> None:  # noqa: FBT001
        old = self.exchange.world.operations[operation]
        ovn = "0" * 32 if is_stale else old.ovn
        made = acts.UpdateOperation(
            id=operation, ovn=ovn, operation=self.filed(place, level, start, 2, old.craft_class)
        )
        done = self.do(old.party, "operations.update/1", made)
        assert not (done and is_stale)

    @rule(operation=operations, is_stale=st.booleans())
    def activate(self, operation: str, is_stale: bool) -> None:  # noqa: FBT001
        world = self.exchange.world
        old = world.operations[operation]
        conflicts = [c for c in world.conflicts_of(operation) if not c.is_settled]
        key = [world.operations[each.other(operation)].ovn for each in conflicts]
        is_refused = self.is_refused(operation)
        if is_stale:
            key = key[1:]
        made = acts.ActivateOperation(id=operation, key=tuple(key))
        done = self.do(old.party, "operations.activate/1", made)

        if is_stale and conflicts:
            assert not done
        has_untold = operation in world.more and old.party in {"a", "c"}  # who refuse each other
        if done:
            assert not self.is_refused(operation)
            assert not has_untold
        if is_refused and old.state is not State.NONCONFORMING:
            assert not done
        elif (
            not (is_stale or has_untold)
            and operation not in world.rechecking
            and old.state in {State.FILED, State.ACCEPTED}
        ):
            assert done

    def is_refused(self, operation: str) -> bool:
        """Tell whether an operation must act in an open conflict of a and c, who refuse that."""
        conflicts = self.exchange.world.conflicts_of(operation)
        must = [c for c in conflicts if c.is_open and operation in c.must_act]
        return any({"a", "c"} == set(each.parties) for each in must)

    @rule(operation=operations, place=st.integers(0, 3), level=st.integers(20, 25))
    def go_back(self, operation: str, place: int, level: int) -> None:
        """Take an operation out of its plan, change it to one that ends later, and activate it."""
        old = self.exchange.world.operations[operation]
        if old.state in {State.FILED, State.ACCEPTED}:
            self.airborne(operation)
        filed = self.filed(place, level, -1, 4, old.craft_class)
        made = acts.UpdateOperation(id=operation, ovn=old.ovn, operation=filed)
        if self.do(old.party, "operations.update/1", made):
            self.activate(operation, is_stale=False)

    @rule(operation=operations)
    def airborne(self, operation: str) -> None:
        old = self.exchange.world.operations[operation]
        made = acts.MarkAirborne(id=operation, at_us=self.stage.clock.now_us())
        assert self.do(old.party, "operations.airborne/1", made) == old.is_protecting

    @rule(operation=operations, kind=st.sampled_from(("end", "cancel", "contingent")))
    def move(self, operation: str, kind: str) -> None:
        old = self.exchange.world.operations[operation]
        made: Signed = {
            "end": acts.EndOperation(id=operation), "cancel": acts.CancelOperation(id=operation),
            "contingent": acts.MakeContingent(id=operation),
        }[kind]  # fmt: skip
        self.do(old.party, f"operations.{kind}/1", made)

    @rule(operation=operations, party=st.sampled_from(PARTIES))
    def meddle(self, operation: str, party: str) -> None:
        if self.exchange.world.operations[operation].party != party:
            assert not self.do(party, "operations.end/1", acts.EndOperation(id=operation))

    @rule(
        operation=operations, is_first=st.booleans(), later=st.integers(-90, 180),
        aside=st.integers(0, 30), towards=st.integers(0, 360),
    )  # fmt: skip
    def propose(self, operation: str, is_first: bool, later: int, aside: int, towards: int) -> None:  # noqa: FBT001
        for each in self.exchange.world.conflicts_of(operation)[-1:]:
            party = each.parties[0 if is_first else 1]
            made = acts.ProposeChange(id=each.id, operation=operation, later=f"{later} min",
                                      aside=f"{aside} NM", towards=f"{towards}")  # fmt: skip
            self.do(party, "conflicts.propose/1", made)

    @rule(operation=operations, is_first=st.booleans())
    def accept(self, operation: str, is_first: bool) -> None:  # noqa: FBT001
        for each in self.exchange.world.conflicts_of(operation)[-1:]:
            if each.proposal is not None:
                party = each.parties[0 if is_first else 1]
                made = acts.AcceptProposal(id=each.id, proposal=each.proposal.id)
                done = self.do(party, "conflicts.accept/1", made)
                assert not (done and party == each.proposal.by)
                if done:
                    assert self.exchange.world.conflicts[each.id].is_settled

    @rule(operation=operations, is_first=st.booleans())
    def agree_as_is(self, operation: str, is_first: bool) -> None:  # noqa: FBT001
        for each in self.exchange.world.conflicts_of(operation)[-1:]:
            party = each.parties[0 if is_first else 1]
            self.do(party, "conflicts.agree-as-is/1", acts.AgreeAsIs(id=each.id))

    @rule(operation=operations, answer=st.sampled_from(Answer))
    def answer(self, operation: str, answer: Answer) -> None:
        for each in self.exchange.world.conflicts_of(operation)[:1]:
            party = each.parties[0]
            ovn = self.exchange.world.operations[each.b].ovn
            marking = acts.AcknowledgeConflict(id=each.id, ovn=ovn)
            done = self.do(party, "conflicts.acknowledge/1", marking)
            assert done == (not each.is_settled)
            self.do(party, "conflicts.answer/1", acts.AnswerConflict(id=each.id, answer=answer))

    @rule(minutes=st.integers(1, 90))
    def wait(self, minutes: int) -> None:
        self.stage.clock.move_to(self.stage.clock.now_us() + minutes * MINUTE_US)
        self.exchange.pass_time()
        self.exchange.recheck_some()

    @rule()
    def suspend_or_resume(self) -> None:
        self.stage.clock.move_to(self.stage.clock.now_us() + MINUTE_US)
        said = Said.RESUME if self.suspended else Said.SUSPEND
        self.stated.append(("a", said, self.stage.clock.now_us()))
        file = self.stage.signed(A_AND_B, *self.stated)
        self.suspended = not self.suspended
        self.stage.carry(file, A_AND_B)

    @invariant()
    def every_pair_in_conflict_has_one_and_no_other_has(self) -> None:
        if not hasattr(self, "stage"):
            return
        world = self.exchange.world
        waiting = {*world.rechecking, *world.more}
        kept = {
            frozenset((each.a, each.b))
            for each in world.conflicts.values()
            if not each.is_settled and not waiting & {each.a, each.b}
        }
        protecting = [each for each in world.operations.values() if each.is_protecting]
        broken = {
            frozenset((one.id, other.id))
            for one, other in combinations(protecting, 2)
            if one.party != other.party
            and not waiting & {one.id, other.id}
            and self.breaks(one, other)
        }
        assert broken <= kept
        for pair in kept - broken:  # over by time, and not yet for the other side
            one, other = (as_stood(world, world.operations[each]) for each in sorted(pair))
            assert self.breaks(one, other)
            assert any(not world.operations[each].is_protecting for each in pair)
            for each in (one, other):
                if not world.operations[each.id].is_protecting:
                    now_us = self.stage.clock.now_us()
                    assert protects_until_us(each) <= now_us < self.shown_until_us(each, pair)

    @invariant()
    def nothing_is_accepted_with_a_conflict_open_in_which_it_must_act(self) -> None:
        if not hasattr(self, "stage"):
            return
        world = self.exchange.world
        for each in world.operations.values():
            waits = each.id in world.rechecking or each.id in world.more
            if each.state is State.FILED and not waits:
                assert any(c.is_open and each.id in c.must_act for c in world.conflicts_of(each.id))

    @invariant()
    def the_record_folds_to_the_same_world(self) -> None:
        if hasattr(self, "stage"):
            folded = fold(self.stage.lines)
            assert folded.hash == self.exchange.world.hash
            assert folded.places == self.exchange.world.places
            assert folded.of_operation == self.exchange.world.of_operation
            assert folded.waiting == self.exchange.world.waiting
            assert folded.room == self.exchange.world.room

    @invariant()
    def how_agreements_stood_is_kept_as_long_as_an_operation_waits_for_it(self) -> None:
        if not hasattr(self, "stage"):
            return
        world = self.exchange.world
        waits = Counter(key for each in world.rechecking.values() for key in each.waits)
        assert world.waiting == waits
        assert waits.keys() <= world.before.keys()
        if not waits:
            assert not world.before

    def teardown(self) -> None:
        if hasattr(self, "stage"):
            while self.exchange.recheck_some():
                self.the_record_folds_to_the_same_world()
            self.none_is_left_out_where_there_is_room()
            self.every_pair_in_conflict_has_one_and_no_other_has()
            for party in PARTIES:
                check_own_copy(self.stage, party)
            self.exchange.beat()
            assert verify(self.stage.lines, self.stage.keys).is_proven

    def none_is_left_out_where_there_is_room(self) -> None:
        world = self.exchange.world
        for own_id in world.more:
            told = [each for each in world.conflicts_of(own_id) if each.state in GONE_ON]
            assert len(told) >= rechecking.MOST_FINDINGS

    def do(self, party: str, kind: str, payload: Signed) -> bool:
        """Try an act; where it is refused nothing has changed."""
        world = self.exchange.world
        before = (world.hash, len(self.stage.lines), dict(world.places), dict(world.of_operation))
        states = {each.id: each.state for each in world.operations.values()}
        try:
            self.stage.submit(party, kind, payload)
        except CallerError:
            after = (
                world.hash,
                len(self.stage.lines),
                dict(world.places),
                dict(world.of_operation),
            )
            assert after == before
            return False
        for each in world.operations.values():
            if each.state is State.ACCEPTED and states[each.id] is State.FILED:
                assert each.id not in world.rechecking
                assert each.id not in world.more
                conflicts = world.conflicts_of(each.id)
                assert not any(c.is_open and each.id in c.must_act for c in conflicts)
        return True

    def breaks(self, one: Operation, other: Operation) -> bool:
        """Tell whether two operations break a rule, from their volumes alone, by no index."""
        datums = Datums()
        claims = [widened(claim_of(each), DEFAULT) for each in (one, other)]
        compiled = [compile_claim(each, datums) for each in claims]
        minima = self.minima(one.party, other.party)
        return bool(breaches(plain(), compiled[0], compiled[1], minima))

    def shown_until_us(self, one: Operation, pair: frozenset[str]) -> int:
        """Return the end of the times that the other side is shown of an operation."""
        parties = {self.exchange.world.operations[each].party for each in pair}
        has_times = parties == {"a", "b"} and not self.suspended
        grain_us = (5 if has_times else 30) * MINUTE_US
        end_us = protects_until_us(one) + one.uncertainty.late_us
        shortest = min(e.end_us - e.start_us for e in (*one.volumes, *one.off_nominal))
        end_us += max(0, 30 * MINUTE_US - shortest)  # at most: half of it at either end
        return -(-end_us // grain_us) * grain_us

    def minima(self, one: str, other: str) -> list[Minima]:
        pair = {one, other}
        if pair == {"a", "b"} and not self.suspended:
            return [Minima(parse_short("8 NM / 2000 ft"), "", "1")]
        if pair == {"a", "c"}:
            return [Minima(parse_short("3 NM / 1000 ft"), "", "1")]
        return [Minima(HOUSE, "", "")]

    def filed(self, place: int, level: int, start: int, lasts: int, craft: str) -> FiledOperation:
        """Return an operation: a circle of 4 NM, 7 NM from the next place."""
        start_us = self.stage.clock.now_us() + start * 15 * MINUTE_US
        times = [f"{format_time(start_us + m * MINUTE_US)[:19]}Z" for m in (0, lasts * 20)]
        shape = FiledCircle(centre=(35.0 + place * 7 / 60, 35.5), radius="4 NM")
        volume = FiledVolume(
            shape=shape, lower=f"FL{level}0", upper=f"FL{level + 1}0", start=times[0], end=times[1]
        )
        return FiledOperation(
            datum="WGS84", domain=Domain.AIR, craft_class=craft, volumes=(volume,)
        )  # fmt: skip


class ExchangingBitByBit(Exchanging):
    """The same where two operations are many, and two conflicts too."""

    @initialize(target=Exchanging.operations)
    def begin(self) -> MultipleResults[str]:
        self.patch = pytest.MonkeyPatch()
        self.patch.setattr(agreements, "AT_ONCE", 1)
        self.patch.setattr(rechecking, "MOST_FINDINGS", 1)
        return super().begin()

    def teardown(self) -> None:
        super().teardown()
        if hasattr(self, "patch"):
            self.patch.undo()


TestExchanging = Exchanging.TestCase
TestExchangingBitByBit = ExchangingBitByBit.TestCase
TestExchangingBitByBit.settings = TestExchanging.settings = settings(
    max_examples=10, stateful_step_count=25, deadline=None, phases=[Phase.generate],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)  # fmt: skip
