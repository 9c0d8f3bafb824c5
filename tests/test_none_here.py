# SPDX-License-Identifier: Apache-2.0
"""None-here statements: each rule of `plans.none_here` and `exchange.none_here` in one test."""

import msgspec
import pytest

from keepclear.agreement.clauses import Caps, IncidentRule, ShowContradictions
from keepclear.agreement.findings import Verdict
from keepclear.exchange.events import (
    ContradictionsShown,
    NoneHereContradicted,
    NoneHereStated,
    NoneHereWithdrawn,
    OperationFiled,
    OperationMoved,
)
from keepclear.exchange.folding import fold
from keepclear.exchange.world import evolve, undo
from keepclear.plans import acts
from keepclear.plans.incidents import CloseIncident
from keepclear.plans.none_here import TEXT, StateNoneHere, WithdrawNoneHere
from keepclear.plans.operations import State
from keepclear.plans.understood import understood
from keepclear.plays.stage import Stage
from keepclear.record.encoding import encode
from keepclear.record.headers import Status
from tests.agreement_plays import agreement, clause
from tests.incident_plays import (
    DAY_US,
    HOUR_US,
    MINUTE_US,
    contradicted,
    events_seen,
    file,
    filed,
    leaves_seen,
    open_case,
    refusal,
    say_none_here,
    seen,
    staged,
    volume,
)
from tests.record_plays import START_US

STATE = "none-here.state/1"


def stating(where: object = None, *to: str) -> StateNoneHere:
    return StateNoneHere(text=TEXT, datum="WGS84", volume=where or volume(), to=to or ("b",))  # type: ignore[arg-type]


def shown_at_once(**changes: object) -> IncidentRule:
    made = IncidentRule(
        reply_us=DAY_US, urgent_reply_us=HOUR_US, contradictions=ShowContradictions.AT_ONCE
    )
    return msgspec.structs.replace(made, **changes)


def carried(stage: Stage, *decisions: object, name: str = "one", **changes: object) -> None:
    """Let a and b have an agreement with some clauses."""
    clauses = tuple(clause(str(n), f"{n}.", each) for n, each in enumerate(decisions, start=1))  # type: ignore[arg-type]
    made = agreement(id=name, clauses=(*clauses, clause("9", "Words.")), **changes)
    stage.carry(stage.signed(made), made)


def test_the_text_is_fixed_and_stands_in_what_is_signed() -> None:
    stage = staged()

    data = encode(stating()).replace(b"no consent", b"consent")
    assert TEXT.startswith("None of the forces this party answers for is or will be in this volume")
    assert TEXT.endswith("Says nothing about others or civilians; no consent; withdrawable.")
    with pytest.raises(msgspec.ValidationError, match="text"):
        msgspec.json.decode(data, type=StateNoneHere)
    statement = say_none_here(stage, "a", volume())
    assert statement.text == TEXT


def test_a_statement_comes_from_an_act_and_from_nowhere_else() -> None:
    stage = staged()
    file(stage, "a", volume())
    statement = say_none_here(stage, "a", volume(latitude=36.0))
    open_case(stage, "b", "a", statement.id)
    stage.clock.move_to(START_US + 30 * DAY_US)
    stage.exchange.pass_time()

    stated = events_seen(stage, "b", NoneHereStated)
    assert [each.statement.id for each in stated] == [statement.id]
    assert set(stage.exchange.world.none_here) == {statement.id}


@pytest.mark.parametrize(
    ("where", "why"),
    [
        (volume(minutes=360.5), "is 6.01 h after its start, above 6 h; state it for less"),
        (volume(start=-2), "is more than a minute before it was signed"),
        (volume(radius="60 NM", minutes=360), "which the default allows one statement"),
    ],
)
def test_it_is_of_six_hours_at_most_of_what_is_to_come_and_of_so_much_ground(
    where: object, why: str
) -> None:
    stage = staged()

    assert why in refusal(stage, "a", STATE, stating(where))
    say_none_here(stage, "a", volume(minutes=360))
    say_none_here(stage, "a", volume(start=-1, minutes=2))


def test_a_volume_that_cannot_be_computed_is_refused_before_it_is_stated() -> None:
    where = volume(radius="120 NM", minutes=15)  # within the caps, and beyond 200 km to a side

    assert "reaches beyond" in refusal(staged(), "a", STATE, stating(where))


def test_what_has_passed_when_it_arrives_is_refused() -> None:
    stage = staged()
    envelope = stage.envelope("a", STATE, stating(volume(start=0, minutes=10)))
    stage.clock.move_to(START_US + 10 * MINUTE_US)

    with pytest.raises(ValueError, match="has passed; give a time to come"):
        stage.exchange.submit(envelope, "a")
    assert not stage.exchange.world.none_here


def test_area_hours_are_capped_by_the_clause_for_one_and_for_a_day() -> None:
    stage = staged("a", "b")
    caps = Caps(area_hours_km2h=173, day_area_hours_km2h=519, duration_us=DAY_US, vertices=100)
    carried(stage, caps)
    # pi * (4 * 1.852 km)^2 * 1 h = 172.4, rounded up 173

    assert "above 173 km2h, which clause 1 allows one" in refusal(
        stage, "a", STATE, stating(volume(minutes=61))
    )
    for _ in range(3):
        assert say_none_here(stage, "a", volume()).takes_km2h == 173
    why = refusal(stage, "a", STATE, stating())
    assert "with 519 stated within a day: above 519 km2h" in why
    say_none_here(stage, "b", volume(), "a")
    stage.clock.move_to(START_US + DAY_US)
    say_none_here(stage, "a", volume(start=25 * 60))


@pytest.mark.parametrize("to", ["a", "nobody"])
def test_it_is_given_to_other_parties_of_the_region(to: str) -> None:
    assert "is no other party of this region" in refusal(staged(), "a", STATE, stating(None, to))


@pytest.mark.parametrize("is_before", [True, False])
def test_own_operations_that_meet_it_are_listed_at_once_whichever_came_first(
    is_before: bool,  # noqa: FBT001
) -> None:
    stage = staged()
    if is_before:
        operation = file(stage, "a", volume())
        statement = say_none_here(stage, "a", volume())
    else:
        statement = say_none_here(stage, "a", volume())
        operation = file(stage, "a", volume())

    [told] = events_seen(stage, "a", NoneHereContradicted)
    assert (told.id, told.found[0].verdict) == (statement.id, Verdict.CONFLICT)
    assert contradicted(stage, statement.id) == [(operation.id, 1)]
    last = seen(stage, "a")
    assert last[-1][0] == "none-here-contradicted/1"  # in the entry of the later of the two


def test_every_version_counts_before_and_after_and_each_is_told_once() -> None:
    stage = staged()
    there, away = volume(), volume(latitude=36.0)
    operation = file(stage, "a", there)
    for where in (away, there):
        ovn = stage.exchange.world.operations[operation.id].ovn
        stage.submit("a", "operations.update/1", acts.UpdateOperation(
            id=operation.id, ovn=ovn, operation=filed(where)
        ))  # fmt: skip
    stage.submit("a", "operations.cancel/1", acts.CancelOperation(id=operation.id))

    statement = say_none_here(stage, "a", there)
    assert contradicted(stage, statement.id) == [(operation.id, 1), (operation.id, 3)]

    other = file(stage, "a", away)
    stage.submit("a", "operations.update/1", acts.UpdateOperation(
        id=other.id, ovn=other.ovn, operation=filed(there)
    ))  # fmt: skip
    assert contradicted(stage, statement.id)[2:] == [(other.id, 2)]


def test_what_has_gone_out_of_plan_counts_for_its_grace_before_and_after() -> None:
    stage = staged()
    after_it = volume(start=90, minutes=20)
    operation = file(stage, "a", volume(start=30, minutes=50))
    statement = say_none_here(stage, "a", after_it)
    assert contradicted(stage, statement.id) == []

    stage.submit("a", "operations.airborne/1", acts.MarkAirborne(id=operation.id, at_us=START_US))
    assert contradicted(stage, statement.id) == [(operation.id, 1)]
    stage.submit("a", "operations.end/1", acts.EndOperation(id=operation.id))
    again = say_none_here(stage, "a", after_it)
    assert contradicted(stage, again.id) == [(operation.id, 1)]


def test_a_version_that_contradicts_is_not_told_again_as_it_goes_out_of_plan() -> None:
    stage = staged()
    operation = file(stage, "a", volume())
    statement = say_none_here(stage, "a", volume())
    stage.submit("a", "operations.airborne/1", acts.MarkAirborne(id=operation.id, at_us=START_US))
    stage.submit("a", "operations.end/1", acts.EndOperation(id=operation.id))
    again = say_none_here(stage, "a", volume())

    for each in (statement, again):
        assert contradicted(stage, each.id) == [(operation.id, 1)]


def test_an_overrun_that_time_alone_brings_counts_too() -> None:
    stage = staged()
    operation = file(stage, "a", volume(start=30, minutes=50))
    stage.submit("a", "operations.activate/1", acts.ActivateOperation(id=operation.id))
    statement = say_none_here(stage, "a", volume(start=90, minutes=20))
    stage.clock.move_to(START_US + 80 * MINUTE_US)
    stage.exchange.pass_time()

    assert contradicted(stage, statement.id) == [(operation.id, 1)]
    assert fold(stage.lines).hash == stage.exchange.world.hash


@pytest.mark.parametrize(
    ("where", "more", "verdict"),
    [
        (volume(lower="FL250", upper="FL260"), {}, Verdict.CONFLICT),  # FL250 is in both
        (volume(lower="FL251", upper="FL260"), {}, None),
        (volume(lower="7620.0001 m STANDARD", upper="FL260"), {}, None),  # FL250 is 7620 m
        (volume(lower="FL251", upper="FL260"), {"vertical": "100 ft"}, Verdict.CONFLICT),
        (volume(lower="1000 ft AGL", upper="2000 ft AGL"), {}, Verdict.UNDETERMINED),
        (volume(start=120), {}, None),  # ends where the other starts
        (volume(start=121), {}, None),
        (volume(start=121), {"early": "2 min"}, Verdict.CONFLICT),
        (volume(start=0), {}, None),
        (volume(start=-1), {"late": "2 min"}, Verdict.CONFLICT),
        (volume(latitude=35.2), {}, None),
        # the circles reach 14,816 m; 8.02 and 8.01 minutes of latitude are 14,829 m and 14,811 m
        (volume(latitude=35 + 8.02 / 60), {}, None),
        (volume(latitude=35 + 8.01 / 60), {}, Verdict.CONFLICT),
        (volume(latitude=35.2), {"lateral": "5 NM"}, Verdict.CONFLICT),
        (volume(lower=None, upper=None), {}, Verdict.CONFLICT),
    ],
)
def test_to_meet_is_to_share_a_point_in_doubt_counted_in(
    where: object, more: dict[str, str], verdict: Verdict | None
) -> None:
    stage = staged()
    statement = say_none_here(stage, "a", volume())
    file(stage, "a", where, **more)  # type: ignore[arg-type]

    kept = stage.exchange.world.contradictions.get(statement.id)
    assert (None if kept is None else kept.found[0].verdict) == verdict


def test_an_exercise_s_statement_and_what_is_actual_never_meet() -> None:
    stage = staged()
    file(stage, "a", volume())
    exercised = WithdrawNoneHere(id=say_none_here(stage, "a", volume(latitude=36.0)).id)
    stage._status = Status.ACTUAL  # of the acts from here on
    statement = say_none_here(stage, "a", volume())

    assert contradicted(stage, statement.id) == []
    assert "is no statement of a" in refusal(stage, "a", "none-here.withdraw/1", exercised)


def test_operations_of_another_party_contradict_nothing_and_nobody_learns_of_them() -> None:
    stage = staged()
    file(stage, "b", volume())
    statement = say_none_here(stage, "a", volume())
    file(stage, "c", volume())

    assert contradicted(stage, statement.id) == []
    assert not events_seen(stage, "a", ContradictionsShown)


def test_others_see_the_statement_and_nothing_of_what_contradicts_it() -> None:
    seen_by_b, seen_by_c = [], []
    for is_contradicted in (False, True):
        stage = staged()
        file(stage, "a", volume(latitude=35.0 if is_contradicted else 37.0))
        say_none_here(stage, "a", volume())
        file(stage, "a", volume(latitude=35.0 if is_contradicted else 37.0))
        seen_by_b.append([kind for kind, _ in seen(stage, "b")])
        seen_by_c.append([kind for kind, _ in seen(stage, "c")])

    of_all = ["region-opened/1", *["key-document/1"] * 3]
    assert seen_by_b[0] == seen_by_b[1] == [*of_all, "act/1", "none-here-stated/1"]
    assert seen_by_c[0] == seen_by_c[1] == of_all


@pytest.mark.parametrize(
    ("agreements", "is_shown"),
    [
        ((("one", shown_at_once()),), True),
        ((("one", shown_at_once(contradictions=ShowContradictions.IN_A_CASE)),), False),
        ((("one", shown_at_once()), ("two", shown_at_once())), True),
        ((("one", shown_at_once()), ("two", None)), False),
        ((), False),
    ],
)
def test_others_are_shown_it_at_once_only_if_every_agreement_that_binds_says_so(
    agreements: tuple[tuple[str, IncidentRule | None], ...],
    is_shown: bool,  # noqa: FBT001
) -> None:
    stage = staged()
    for name, rule in agreements:
        carried(stage, rule, name=name)
    statement = say_none_here(stage, "a", volume(), "b", "c")
    operation = file(stage, "a", volume())

    shown = events_seen(stage, "b", ContradictionsShown)
    assert bool(shown) == is_shown
    if shown:
        assert shown[0].found[0].operation == operation.id
        assert shown[0].by.startswith("clause 1 of ")
    assert not events_seen(stage, "c", ContradictionsShown)
    assert contradicted(stage, statement.id) == [(operation.id, 1)]


def test_in_a_case_it_is_shown_to_the_other_party_until_the_case_is_closed() -> None:
    stage = staged()
    first = file(stage, "a", volume())
    statement = say_none_here(stage, "a", volume(), "b", "c")
    case = open_case(stage, "b", "a", statement.id)
    second = file(stage, "a", volume())
    for party in ("a", "b"):
        stage.submit(party, "incidents.close/1", CloseIncident(id=case))
    file(stage, "a", volume())

    shown = [each.found[0].operation for each in events_seen(stage, "b", ContradictionsShown)]
    assert shown == [first.id, second.id]
    assert not events_seen(stage, "c", ContradictionsShown)
    assert len(contradicted(stage, statement.id)) == 3


def test_what_contradicts_it_is_shown_as_filed_where_it_is_accepted() -> None:
    stage = staged()
    operation = file(stage, "a", volume())
    statement = say_none_here(stage, "a", volume())
    assert operation.state is State.ACCEPTED

    open_case(stage, "b", "a", statement.id)

    [own] = events_seen(stage, "a", NoneHereContradicted)
    [shown] = events_seen(stage, "b", ContradictionsShown)
    assert (own.found[0].state, shown.found[0].state) == (State.ACCEPTED, State.FILED)


def test_withdrawal_goes_at_urgent_to_those_it_was_given_to() -> None:
    stage = staged("a", "b", "c", "d")
    statement = say_none_here(stage, "a", volume(), "b", "c")
    stage.submit("a", "none-here.withdraw/1", WithdrawNoneHere(id=statement.id, why="medevac"))

    for party in ("b", "c"):
        [told] = events_seen(stage, party, NoneHereWithdrawn)
        assert (told.precedence, told.why) == ("URGENT", "medevac")
        assert [kind for kind, _ in seen(stage, party)].count("act/1") == 2
    assert not events_seen(stage, "d", NoneHereWithdrawn)
    assert len(leaves_seen(stage, "d")) == 5  # the region's opening, and key documents


def test_it_is_withdrawn_once_by_who_made_it_and_before_it_is_over() -> None:
    stage = staged()
    statement = say_none_here(stage, "a", volume())
    withdraw = WithdrawNoneHere(id=statement.id)
    kind = "none-here.withdraw/1"

    unknown = refusal(stage, "b", kind, WithdrawNoneHere(id="0" * 32))
    of_another = refusal(stage, "b", kind, withdraw)
    assert unknown.replace("0" * 32, statement.id) == of_another
    stage.submit("a", kind, withdraw)
    assert "was withdrawn at" in refusal(stage, "a", kind, withdraw)
    late = say_none_here(stage, "a", volume())
    stage.clock.move_to(START_US + 2 * HOUR_US)
    assert "was over at" in refusal(stage, "a", kind, WithdrawNoneHere(id=late.id))


@pytest.mark.parametrize(("start", "is_found"), [(10, True), (69, True), (70, False), (80, False)])
def test_for_what_is_filed_after_its_withdrawal_it_holds_up_to_that(
    start: int,
    is_found: bool,  # noqa: FBT001
) -> None:
    stage = staged()
    statement = say_none_here(stage, "a", volume())
    stage.clock.move_to(START_US + 70 * MINUTE_US)
    stage.submit("a", "none-here.withdraw/1", WithdrawNoneHere(id=statement.id))
    file(stage, "a", volume(start=start, minutes=80))

    assert bool(contradicted(stage, statement.id)) == is_found


def test_withdrawn_before_it_began_it_has_said_nothing() -> None:
    stage = staged()
    statement = say_none_here(stage, "a", volume())
    stage.submit("a", "none-here.withdraw/1", WithdrawNoneHere(id=statement.id))
    file(stage, "a", volume())

    assert contradicted(stage, statement.id) == []


def test_a_contradiction_says_how_the_operation_stood() -> None:
    stage = staged()
    operation = file(stage, "a", volume())
    stage.submit("a", "operations.cancel/1", acts.CancelOperation(id=operation.id))
    statement = say_none_here(stage, "a", volume())

    [found] = stage.exchange.world.contradictions[statement.id].found
    assert found.state is State.CANCELLED
    assert found.filed_us == START_US


def test_what_a_failed_commit_has_stated_is_taken_back_whole() -> None:
    stage = staged()
    statement = say_none_here(stage, "a", volume())
    world = stage.exchange.world
    before = (world.hash, dict(world.stated), dict(world.none_here))
    other = msgspec.structs.replace(statement, id="f" * 32)
    evolve(world, NoneHereStated(statement=other))
    undo(world)

    assert (world.hash, world.stated, world.none_here) == before


def test_of_a_version_that_came_back_into_plan_what_protected_longest_is_kept() -> None:
    stage = staged()
    operation = file(stage, "a", volume())
    world = stage.exchange.world
    for state in (State.ACTIVATED, State.NONCONFORMING, State.ACTIVATED, State.ENDED):
        evolve(world, OperationMoved(id=operation.id, state=state))
    evolve(world, OperationFiled(
        operation=msgspec.structs.replace(operation, version=2), understood=understood(operation)
    ))  # fmt: skip

    [kept] = world.earlier.values()
    assert (kept.version, kept.state) == (1, State.NONCONFORMING)
