# SPDX-License-Identifier: Apache-2.0
"""How long an operation protects that is not as it was filed, and what time alone brings to an end.

`docs/life-of-an-operation.md` has the rules in words.
"""

from collections.abc import Callable
from typing import Final

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from keepclear.agreement.clauses import Field, Grace, OnConflict, OnConflictRule, ProbingBound
from keepclear.agreement.documents import Agreement
from keepclear.agreement.probing import DEFAULT, widened
from keepclear.airspace.volumes import Circle, Volume4D
from keepclear.exchange.folding import fold
from keepclear.plans import acts
from keepclear.plans.conflicts import State as Conflicting
from keepclear.plans.filing import Domain, Uncertainty, volumes_of
from keepclear.plans.operations import Operation, State, as_compared, claim_of
from keepclear.record.encoding import Signed
from keepclear.record.headers import Status
from tests.agreement_plays import clause
from tests.record_plays import START_US
from tests.test_lapses import is_sound
from tests.test_out_of_bounds import activate, update
from tests.test_rules_of_the_door import Play
from tests.two_worlds import MINUTE_US, Plan, between, filed, grade, separation, volume_of

END: Final = 60  # minutes of the play
PLAN: Final = Plan(place=0, level=22, start=30, lasts=END - 30)


def with_grace(other: str, minutes: int | None, name: str = "") -> Agreement:
    """Return an agreement of a and another, with a grace; None for one without such a clause."""
    rule = separation("8 NM / 2000 ft")
    grace = () if minutes is None else (
        clause("2", "Grace.", Grace(lasts_us=minutes * MINUTE_US)),
    )  # fmt: skip
    return between("a", other, name or f"a-{other}", rule, *grace)


def overrun(*agreements: Agreement) -> tuple[Play, str]:
    """Return a play in which an activated operation of a has come to its end, and its id."""
    play = Play(*agreements)
    own = play.file("a", PLAN)
    assert play.do("a", "operations.activate/1", acts.ActivateOperation(id=own)) == ""
    play.at(END)
    assert play.world.operations[own].state is State.NONCONFORMING
    return play, own


@pytest.mark.parametrize(
    ("agreements", "minutes"),
    [
        ((), 60),
        ((with_grace("b", None), with_grace("c", None)), 60),
        ((with_grace("b", 20), with_grace("c", 20)), 20),
        ((with_grace("b", 20), with_grace("c", 90)), 90),
        ((with_grace("b", 20), with_grace("b", 40, "a-b-2"), with_grace("c", 20)), 40),
        ((with_grace("b", 20), with_grace("c", None)), 60),
        ((with_grace("b", 20),), 60),  # between a and c nothing is agreed
    ],
)
def test_out_of_plan_an_operation_protects_for_the_longest_grace_that_holds_with_anybody(
    agreements: tuple[Agreement, ...], minutes: int
) -> None:
    play, own = overrun(*agreements)

    play.file("b", Plan(place=0, level=22, start=END + minutes - 1, lasts=30, radius="1300 m"))
    play.at(END + minutes - 1)
    before = play.world.operations[own].state
    play.at(END + minutes)

    assert len(play.world.conflicts_of(own)) == 1
    assert (before, play.world.operations[own].state) == (State.NONCONFORMING, State.ENDED)


@pytest.mark.parametrize(
    ("kind", "made"),
    [
        ("operations.airborne/1", lambda own: acts.MarkAirborne(id=own, at_us=START_US)),
        ("operations.contingent/1", lambda own: acts.MakeContingent(
            id=own, off_nominal=filed(Plan(place=1, level=22, start=40, lasts=20)).volumes)),
    ],
)  # fmt: skip
def test_whatever_brings_it_out_of_plan_the_agreed_grace_holds(
    kind: str, made: Callable[[str], Signed]
) -> None:
    play = Play(with_grace("b", 20), with_grace("c", 20))
    own = play.file("a", PLAN)
    if kind.startswith("operations.contingent"):
        play.do("a", "operations.activate/1", acts.ActivateOperation(id=own))

    assert play.do("a", kind, made(own)) == ""
    play.at(END + 19)
    before = play.world.operations[own]
    play.at(END + 20)

    assert before.is_protecting
    assert not play.world.operations[own].is_protecting


def test_the_grace_is_decided_once_whatever_is_agreed_or_filed_afterwards() -> None:
    play, own = overrun(with_grace("b", 90))

    for each in (with_grace("b", 120, "a-b-2"), with_grace("c", 20)):
        play.stage.carry(play.stage.signed(each), each)
    ovn = play.world.operations[own].ovn
    longer = Plan(place=0, level=22, start=30, lasts=END - 25)
    again = acts.UpdateOperation(id=own, ovn=ovn, operation=filed(longer))
    assert play.do("a", "operations.update/1", again) == ""
    assert play.do("a", "operations.contingent/1", acts.MakeContingent(id=own)) == ""
    play.at(END + 94)

    assert play.world.operations[own].is_protecting
    play.at(END + 95)
    assert not play.world.operations[own].is_protecting


def test_the_grace_stands_in_the_record_and_folds_to_the_same_world() -> None:
    play, own = overrun(with_grace("b", 20), with_grace("c", 20))

    folded = fold(play.stage.lines)

    assert folded.operations[own].grace_us == 20 * MINUTE_US
    assert folded.hash == play.world.hash


@pytest.mark.parametrize("lasts_us", [MINUTE_US - 1, 24 * 60 * MINUTE_US + 1])
def test_a_grace_is_from_a_minute_to_a_day(lasts_us: int) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"kind": "grace", "lasts_us": lasts_us}, Grace)


# --- what time brings to an end ---------------------------------------------------------------


def in_conflict(lasts: int = 30) -> tuple[Play, str, str]:
    """Return a play with a conflict: its id, and a's operation. b's lasts longer."""
    play = Play(between("a", "b", "a-b", separation("8 NM / 2000 ft")))
    own = play.file("a", Plan(place=0, level=22, start=30, lasts=lasts))
    play.file("b", Plan(place=0, level=22, start=30, lasts=90))
    [conflict] = play.world.conflicts_of(own)
    return play, conflict.id, own


def test_a_conflict_expires_where_time_ends_one_of_the_two() -> None:
    play, conflict, _ = in_conflict()

    play.at(60)

    assert play.world.conflicts[conflict].state is Conflicting.EXPIRED
    for party in ("a", "b"):
        told = play.notices(party)[-1]
        assert (told.state, told.other.ovn) == ("expired", None)
        assert told.closed_by.endswith("is over: its time has passed")
    assert fold(play.stage.lines).hash == play.world.hash


@pytest.mark.parametrize(
    ("kind", "made"),
    [
        ("operations.end/1", lambda own, _: acts.EndOperation(id=own)),
        ("operations.cancel/1", lambda own, _: acts.CancelOperation(id=own)),
        ("operations.update/1", lambda own, ovn: acts.UpdateOperation(
            id=own, ovn=ovn, operation=filed(Plan(place=8, level=22, start=30, lasts=30)))),
    ],
)  # fmt: skip
def test_a_conflict_is_resolved_where_somebody_ends_or_changes_one_of_the_two(
    kind: str, made: Callable[[str, str], Signed]
) -> None:
    play, conflict, own = in_conflict()

    assert play.do("a", kind, made(own, play.world.operations[own].ovn)) == ""

    assert play.world.conflicts[conflict].state is Conflicting.RESOLVED


def test_an_operation_that_overruns_keeps_its_conflict_until_its_grace_is_over() -> None:
    play, conflict, own = in_conflict()
    key = tuple(play.world.operations[c.other(own)].ovn for c in play.world.conflicts_of(own))
    assert play.do("a", "operations.activate/1", acts.ActivateOperation(id=own, key=key)) == ""

    play.at(60)
    during = play.world.conflicts[conflict].state
    play.at(120)

    assert during is Conflicting.RAISED
    assert play.world.conflicts[conflict].state is Conflicting.EXPIRED


def test_agreed_as_it_is_expires_too() -> None:
    play, conflict, _ = in_conflict()
    for party in ("a", "b"):
        play.do(party, "conflicts.agree-as-is/1", acts.AgreeAsIs(id=conflict))
    before = play.world.conflicts[conflict].state

    play.at(60)

    assert (before, play.world.conflicts[conflict].state) == (
        Conflicting.AGREED, Conflicting.EXPIRED
    )  # fmt: skip


# --- the way back -----------------------------------------------------------------------------

LONGER: Final = Plan(place=0, level=22, start=30, lasts=60)  # ends at minute 90
LEVEL: Final = separation("8 NM / 2000 ft")


def at_end_of(*agreements: Agreement, others: Plan) -> tuple[Play, str, str]:
    """Return a play where a's operation has overrun, and one of b that was filed before it."""
    play = Play(*agreements)
    other = play.file("b", others)
    own = play.file("a", PLAN)
    assert activate(play, "a", own, *met(play, own)) == ""
    play.at(END)
    assert play.world.operations[own].state is State.NONCONFORMING
    return play, own, other


def met(play: Play, own: str) -> list[str]:
    return [each.other(own) for each in play.world.conflicts_of(own)]


def agree_as_is(play: Play, conflict: str) -> None:
    for party in ("a", "b"):
        assert play.do(party, "conflicts.agree-as-is/1", acts.AgreeAsIs(id=conflict)) == ""


def test_an_operation_past_its_end_goes_back_once_it_was_changed_to_end_later() -> None:
    play, own = overrun(with_grace("b", 20))

    assert f"{own[:8]}: its end has passed, 2015-09-30T09:00:00Z" in activate(play, "a", own)
    assert update(play, "a", own, LONGER) == ""
    before = play.world.operations[own].state
    assert activate(play, "a", own) == ""

    assert (before, play.world.operations[own].state) == (State.NONCONFORMING, State.ACTIVATED)
    assert is_sound(play)
    play.at(90)
    assert play.world.operations[own].state is State.NONCONFORMING
    assert play.world.operations[own].is_protecting
    play.at(150)
    assert not play.world.operations[own].is_protecting


def test_back_in_its_plan_it_has_its_grace_no_more_and_both_are_told() -> None:
    after = Plan(place=0, level=22, start=120, lasts=30)  # clear of the plan by half an hour
    play, own, _ = at_end_of(between("a", "b", "a-b", LEVEL), others=after)
    assert update(play, "a", own, LONGER) == ""
    [conflict] = [c for c in play.world.conflicts_of(own) if c.is_open]

    assert activate(play, "a", own, *met(play, own)) == ""

    assert play.world.conflicts[conflict.id].state is Conflicting.RESOLVED
    for party in ("a", "b"):
        assert play.notices(party)[-1].closed_by == f"operation {own[:8]} of a is back in its plan"
    assert is_sound(play)


def test_a_conflict_that_goes_on_lasts_as_long_as_the_plan_and_no_longer() -> None:
    everything = clause("2", "Shown.", grade((Field.EVERYTHING,)))
    long = Plan(place=0, level=22, start=30, lasts=100)
    play, own, other = at_end_of(between("a", "b", "a-b", LEVEL, everything), others=long)
    assert update(play, "a", own, LONGER) == ""
    during = until_us(play, own)

    assert activate(play, "a", own, other) == ""

    assert (during - START_US, until_us(play, own) - START_US) == (130 * MINUTE_US, 90 * MINUTE_US)
    assert is_sound(play)


def until_us(play: Play, own: str) -> int:
    """Return until when an operation is in its one conflict, as both sides are told."""
    [conflict] = play.world.conflicts_of(own)
    [breach] = conflict.broken
    assert breach.numbers is not None
    return breach.numbers.to_us


def test_it_goes_back_with_the_latest_versions_of_what_it_conflicts_with_alone() -> None:
    play, own, other = at_end_of(between("a", "b", "a-b", LEVEL), others=LONGER)
    assert update(play, "a", own, LONGER) == ""

    assert "key: a holds no version" in activate(play, "a", own)
    assert play.world.operations[own].state is State.NONCONFORMING
    assert activate(play, "a", own, other) == ""

    last = play.notices("b")[-1]
    assert (last.other.state, last.precedence) == ("activated", "URGENT")
    assert last.note == f"URGENT: operation {own[:8]} of a is back in its plan, and must act"
    assert is_sound(play)


def test_where_a_clause_refuses_it_goes_back_once_nothing_is_open_in_which_it_must_act() -> None:
    refusing = clause("2", "Refused.", OnConflictRule(action=OnConflict.REFUSE))
    play = Play(between("a", "b", "a-b", LEVEL, refusing))
    other = play.file("b", PLAN)
    own = play.file("a", Plan(place=8, level=22, start=30, lasts=30))
    assert activate(play, "a", own) == ""
    assert update(play, "a", own, PLAN) == ""
    assert play.world.operations[own].state is State.NONCONFORMING
    before = play.world.hash, len(play.stage.lines)

    assert "is open and it must act" in activate(play, "a", own, other)
    assert (play.world.hash, len(play.stage.lines)) == before
    agree_as_is(play, play.world.conflicts_of(own)[0].id)
    assert activate(play, "a", own, other) == ""

    [conflict] = play.world.conflicts_of(own)
    assert (conflict.state, set(conflict.agreed)) == (Conflicting.AGREED, {"a", "b"})
    assert play.world.operations[own].state is State.ACTIVATED
    assert is_sound(play)


def test_what_is_contingent_does_not_go_back() -> None:
    play, own = overrun()
    assert play.do("a", "operations.contingent/1", acts.MakeContingent(id=own)) == ""
    assert update(play, "a", own, LONGER) == ""

    assert "is contingent, so it cannot activate" in activate(play, "a", own)


@pytest.mark.parametrize("how", ["airborne", "contingent"])
def test_out_of_plan_a_short_operation_keeps_the_conflicts_that_it_had(how: str) -> None:
    """It is shorter than the bound, so it is widened to before its start, grace or not."""
    play = Play(between("a", "b", "a-b", LEVEL))
    other = play.file("b", Plan(place=0, level=22, start=10, lasts=30))
    own = play.file("a", Plan(place=0, level=22, start=45, lasts=10))
    [conflict] = play.world.conflicts_of(own)
    play.at(5)

    if how == "airborne":
        said = acts.MarkAirborne(id=own, at_us=START_US)
        assert play.do("a", "operations.airborne/1", said) == ""
    else:
        assert activate(play, "a", own, other) == ""
        assert play.do("a", "operations.contingent/1", acts.MakeContingent(id=own)) == ""

    assert play.world.conflicts[conflict.id].state is Conflicting.RAISED
    later = play.file("b", Plan(place=0, level=22, start=6, lasts=34))
    assert met(play, later) == [own]
    assert is_sound(play)


MINUTES: Final = st.integers(1, 90)


@given(st.lists(st.tuples(MINUTES, MINUTES), min_size=1, max_size=4), MINUTES,
       st.sampled_from([None, DEFAULT]))  # fmt: skip
def test_out_of_plan_an_operation_takes_up_all_that_it_did_and_each_last_volume_the_grace(
    times: list[tuple[int, int]], grace: int, bound: ProbingBound | None
) -> None:
    volumes = tuple(
        volume_of(Plan(place=place, level=22, start=start, lasts=lasts))
        for place, (start, lasts) in enumerate(times)
    )
    in_plan = Operation(
        id="0" * 32, party="a", status=Status.EXERCISE, version=1, ovn="1" * 32,
        state=State.ACTIVATED, domain=Domain.AIR, craft_class="any", callsign="", count=1,
        has_rvsm=False, volumes=volumes_of(volumes, "volumes"),
        uncertainty=Uncertainty(lateral_tmm=0, vertical_tmm=0, early_us=0, late_us=0),
        filed_us=START_US, grace_us=grace * MINUTE_US,
    )  # fmt: skip
    out = msgspec.structs.replace(in_plan, state=State.NONCONFORMING)

    before, after = (
        claim_of(each) if bound is None else widened(claim_of(each), bound)
        for each in (in_plan, out)
    )
    assert set(before.volumes) <= set(after.volumes)
    for each in in_plan.volumes:
        if each.end_us == in_plan.end_us:
            longer = msgspec.structs.replace(each, end_us=each.end_us + out.grace_us)
            assert any(is_within(longer, other) for other in after.volumes)
    assert claim_of(as_compared(out, bound)).volumes == after.volumes  # what is shown is that


def is_within(one: Volume4D, other: Volume4D) -> bool:
    """Tell whether a volume lies in another in time, at the same centre."""
    a, b = one.volume.shape, other.volume.shape
    assert isinstance(a, Circle)
    assert isinstance(b, Circle)
    return a.centre == b.centre and other.start_us <= one.start_us and one.end_us <= other.end_us


def test_with_conflicts_that_are_not_told_nothing_is_activated_where_a_clause_refuses(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("keepclear.exchange.rechecking.MOST_FINDINGS", 2)
    refusing = clause("2", "Refused.", OnConflictRule(action=OnConflict.REFUSE))
    play = Play(between("a", "b", "a-b", LEVEL, refusing), between("a", "c", "a-c", LEVEL))
    for party, start in (("c", 20), ("c", 21), ("b", 40)):
        play.file(party, Plan(place=0, level=22, start=start, lasts=60))
    own = play.file("a", Plan(place=0, level=22, start=30, lasts=60))
    assert own in play.world.more

    why = activate(play, "a", own, *met(play, own))

    assert "has more conflicts than are told" in why
    assert play.world.operations[own].state is State.FILED
