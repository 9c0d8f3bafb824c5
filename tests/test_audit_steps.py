# SPDX-License-Identifier: Apache-2.0
"""Steps decided again: the record of an exchange that did otherwise than the rules tells it.

Each play runs on an exchange with one function that is dishonest; the audit knows nothing of it.
"""

from collections.abc import Callable, Iterable
from types import ModuleType
from typing import Any, Final

import pytest
from msgspec.structs import replace

from keepclear.agreement.probing import DEFAULT
from keepclear.detect.compiled import plain
from keepclear.exchange import conflicts, decide, due, exchange, operations
from keepclear.exchange.deciding import Deciding
from keepclear.exchange.events import OperationMoved
from keepclear.plans import acts
from keepclear.plans.conflicts import Answer, Proposal
from keepclear.plans.conflicts import State as ConflictState
from keepclear.plans.operations import Event, Operation, State, move, protects_until_us
from keepclear.plans.understood import Understood, understood
from keepclear.plays.running import Played
from keepclear.plays.stage import Stage
from keepclear.record.headers import Act, Status
from keepclear.record.verification import verify
from tests.after_action_plays import MANY
from tests.exchange_plays import CountedIds, played
from tests.record_plays import START_US
from tests.test_audit import HOUSE, at_the_minimum, audited, filed

Dishonest = Callable[[pytest.MonkeyPatch], None]
HEAD: Final = """
title = "t"
region = "r"
start = "2015-10-05T06:00:00Z"
parties = { n = "N", s = "S" }
agreement = { template = "TEMPLATE" }
[areas.a]
shape = { kind = "circle", centre = [10.0, -30.0], radius = "5 NM" }
lower = "FL200"
upper = "FL220"
[areas.larger]
shape = { kind = "circle", centre = [10.0, -30.0], radius = "6 NM" }
lower = "FL200"
upper = "FL220"
"""
NINE: Final = 'start = "2015-10-05T09:00:00Z"\nlasts = "1 h"'
LATER: Final = NINE.replace("05T09", "06T09")
MEET: Final = ((1, "n", "file", f'operation = "N1"\narea = "a"\n{NINE}'),
               (2, "s", "file", f'operation = "S1"\narea = "a"\n{NINE}'))  # fmt: skip
CHANGED: Final = (3, "s", "change", f'operation = "S1"\narea = "larger"\n{NINE}')
NOTHING: Final = (14 * 60, "n", "nothing", "")
PAIR: Final = 'conflict = "N1 and S1"'

Told = tuple[int, str, str, str]


def play(*told: Told, template: str = "two-forces") -> str:
    """Return a play. told: minute, party, what it does and more of it."""
    return HEAD.replace("TEMPLATE", template) + "".join(
        f'[[acts]]\nat = "{at} min"\nby = "{by}"\ndoes = "{does}"\n{more}\n'
        for at, by, does, more in told
    )


def deciding_with(kind: type[Any], made: Callable[[Deciding, Act, Any], None]) -> Dishonest:
    """Return what lets an exchange decide one kind of act otherwise."""
    return lambda patch: patch.setitem(decide.DECIDE, kind, made)


def having(name: str, made: object, *places: ModuleType | type) -> Dishonest:
    """Return what lets an exchange have another function in some places."""

    def patched(patch: pytest.MonkeyPatch) -> None:
        for place in places:
            patch.setattr(place, name, made)

    return patched


def whats(done: Played) -> list[str]:
    """Return what differs in a record, which verifies."""
    assert verify(done.lines, done.keys).is_proven
    return [each.what for each in audited(done).differences if not each.is_boundary]


def told_of(text: str, dishonest: Dishonest) -> list[str]:
    """Return what differs in the record of a play on a dishonest exchange; of an honest none is."""
    assert whats(played(text)) == []
    with pytest.MonkeyPatch.context() as patch:
        dishonest(patch)
        done = played(text)
    return whats(done)


def has(found: Iterable[str], *words: str) -> bool:
    """Tell whether something that differs says all of this."""
    return any(all(each in what for each in words) for what in found)


# --- steps of operations ----------------------------------------------------------------------


def moving_others(state: State) -> Dishonest:
    """Return what lets an operation of another party move as one is filed."""

    def file(deciding: Deciding, act: Act, payload: acts.FileOperation) -> None:
        others = [each for each in deciding.world.operations.values() if each.party != act.party]
        for other in others:
            deciding.emit([other.party], OperationMoved(id=other.id, state=state))
        operations.file(deciding, act, payload)

    return deciding_with(acts.FileOperation, file)


@pytest.mark.parametrize("state", [State.ENDED, State.CANCELLED, State.ACTIVATED])
def test_a_step_of_an_operation_that_its_owner_did_not_take_is_told(state: State) -> None:
    assert has(told_of(play(*MEET), moving_others(state)), f"is {state} by no act of its owner")


@pytest.mark.parametrize("state", [State.NONCONFORMING, State.CONTINGENT])
def test_a_step_of_a_flying_operation_that_its_owner_did_not_take_is_told(state: State) -> None:
    flying = (1, "n", "activate", 'operation = "N1"')

    found = told_of(play(MEET[0], flying, MEET[1]), moving_others(state))

    assert has(found, f"is {state} by no act of its owner")


@pytest.mark.parametrize("state", [State.ENDED, State.NONCONFORMING])
def test_a_step_in_an_entry_of_no_act_before_its_time_is_told(state: State) -> None:
    """N1 is over by time; in that entry S1, which has two hours more, moves too."""

    def fall_due(deciding: Deciding, operation: Operation) -> None:
        operations.fall_due(deciding, operation)
        for other in list(deciding.world.operations.values()):
            if other.is_protecting:
                deciding.emit([other.party], OperationMoved(id=other.id, state=state))

    longer = (2, "s", "file", 'operation = "S1"\narea = "a"\n' + NINE.replace("1 h", "3 h"))

    found = told_of(
        play(MEET[0], longer, (5 * 60, "n", "nothing", "")), having("fall_due", fall_due, exchange)
    )

    assert has(found, f"is {state} by no act of s, and its time has not come")


def test_an_operation_that_time_ends_too_early_is_told() -> None:
    def early_us(operation: Operation) -> int:
        return protects_until_us(operation) - 600_000_000

    found = told_of(play(*MEET, NOTHING), having("protects_until_us", early_us, due, exchange))

    assert has(found, "is ended by no act of n, and its time has not come")


@pytest.mark.parametrize("is_flying", [False, True])
def test_an_operation_that_time_does_not_end_is_told(is_flying: bool) -> None:  # noqa: FBT001
    flying = [(3, "n", "activate", 'operation = "N1"')] if is_flying else []
    cancelled = (13 * 60, "n", "file", 'operation = "N2"\narea = "a"\n' + LATER)

    found = told_of(play(*MEET, *flying, cancelled), having("fall_due", lambda *_: None, exchange))

    state = "activated" if is_flying else "accepted"
    assert has(found, f"is still {state}, and its time has passed")


@pytest.mark.parametrize(
    ("kind", "told", "what"),
    [
        (acts.CancelOperation, (3, "s", "cancel", 'operation = "S1"'), "is not cancelled, as it"),
        (acts.EndOperation, (3, "s", "end", 'operation = "S1"'), "is not ended, as it was to be"),
        (acts.UpdateOperation, CHANGED, "was to be filed anew by the act, and is not"),
        (acts.AgreeAsIs, (3, "s", "agree-as-is", PAIR), "is to be changed by the act, and is not"),
    ],
)
def test_an_act_that_was_entered_and_not_done_is_told(
    kind: type[Any], told: Told, what: str
) -> None:
    assert has(told_of(play(*MEET, told), deciding_with(kind, lambda *_: None)), what)


def test_an_operation_marked_airborne_at_another_time_is_told() -> None:
    def airborne(deciding: Deciding, act: Act, payload: acts.MarkAirborne) -> None:
        operations.airborne(deciding, act, replace(payload, at_us=payload.at_us + 1))

    found = told_of(
        play(*MEET, (3, "n", "airborne", 'operation = "N1"')),
        deciding_with(acts.MarkAirborne, airborne),
    )

    assert has(found, "did not move as it was to: airborne_us")


# --- activation -------------------------------------------------------------------------------


def activated_unasked(deciding: Deciding, act: Act, payload: acts.ActivateOperation) -> None:
    old = deciding.operation(payload.id, act.party)
    state = move(old.state, Event.ACTIVATE)
    deciding.emit([act.party], OperationMoved(id=old.id, state=state))


UNASKED: Final = deciding_with(acts.ActivateOperation, activated_unasked)


@pytest.mark.parametrize("key", ["", '\nkey = ["S1 v1"]'])
def test_an_activation_without_the_latest_version_of_what_it_meets_is_told(key: str) -> None:
    """S1 was changed since; without a key the play gives the latest, so the empty list is given."""
    more = 'operation = "N1"' + (key or "\nkey = []")

    found = told_of(play(*MEET, CHANGED, (4, "n", "activate", more)), UNASKED)

    assert has(found, "operations.activate of n was taken; by the rules it is refused: key:")


def test_an_activation_that_the_clause_refuses_is_told() -> None:
    text = play(*MEET, (3, "s", "activate", 'operation = "S1"'), template="full-disclosure")

    found = told_of(text, UNASKED)

    assert has(found, "operations.activate of s was taken; by the rules it is refused", "must act")


def test_an_activation_that_the_other_side_was_not_told_of_is_told() -> None:
    found = told_of(play(*MEET, (3, "n", "activate", 'operation = "N1"')), UNASKED)

    assert has(found, "is to be changed by the act, and is not")


def test_a_change_into_a_refused_conflict_that_left_it_activated_is_told() -> None:
    """S1 is activated where nobody is, and then changed to where N1 is."""
    away = (2, "s", "file", 'operation = "S1"\narea = "a"\n' + LATER)
    text = play(
        MEET[0], away, (3, "s", "activate", 'operation = "S1"'),
        (4, "s", "change", f'operation = "S1"\narea = "a"\n{NINE}'), template="full-disclosure",
    )  # fmt: skip

    found = told_of(text, having("_hold_to_refusals", lambda *_: None, operations))

    assert has(found, "is not nonconforming, as it was to be")


# --- conflicts --------------------------------------------------------------------------------


def test_an_old_version_that_was_acknowledged_is_told() -> None:
    def acknowledge(deciding: Deciding, act: Act, payload: acts.AcknowledgeConflict) -> None:
        old = deciding.conflict(payload.id, act.party)
        deciding.change(replace(old, acknowledged=(act.party,)))

    text = play(*MEET, CHANGED, (4, "n", "acknowledge", PAIR + '\nkey = ["S1 v1"]'))

    found = told_of(text, deciding_with(acts.AcknowledgeConflict, acknowledge))

    assert has(found, "conflicts.acknowledge of n was taken; by the rules it is refused: ovn:")


def marking(**marks: object) -> Callable[[Deciding, Act, Any], None]:
    """Return what changes a conflict so, whatever the act on it says."""

    def changed(deciding: Deciding, act: Act, payload: Any) -> None:  # noqa: ANN401 any act on one
        deciding.change(replace(deciding.conflict(payload.id, act.party), **marks))

    return changed


def test_a_conflict_that_one_side_alone_has_agreed_is_told() -> None:
    both = marking(agreed=("n", "s"), state=ConflictState.AGREED)

    found = told_of(play(*MEET, (3, "s", "agree-as-is", PAIR)), deciding_with(acts.AgreeAsIs, both))

    assert has(found, "is not as the act makes it: state agreed as is, agreed")


def test_a_mark_of_the_side_that_did_not_act_is_told() -> None:
    found = told_of(
        play(*MEET, (3, "s", "acknowledge", PAIR)),
        deciding_with(acts.AcknowledgeConflict, marking(acknowledged=("n", "s"))),
    )

    assert has(found, "is not as the act makes it: acknowledged")


def test_an_answer_that_was_not_kept_is_told() -> None:
    found = told_of(
        play(*MEET, (3, "s", "answer", PAIR + '\nanswer = "OBJECTS"\nclause = "3"')),
        deciding_with(acts.AnswerConflict, marking()),
    )

    assert has(found, "is not as the act makes it: answers")


def test_a_proposal_of_something_else_is_told() -> None:
    propose = decide.DECIDE[acts.ProposeChange]

    def otherwise(deciding: Deciding, act: Act, payload: acts.ProposeChange) -> None:
        propose(deciding, act, replace(payload, later="9 h"))

    found = told_of(
        play(*MEET, (3, "s", "propose", PAIR + '\nmoves = "S1"\nlater = "4 h"')),
        deciding_with(acts.ProposeChange, otherwise),
    )

    assert has(found, "is not as the act makes it: proposal")


def test_an_accepted_proposal_that_moved_the_operation_elsewhere_is_told() -> None:
    accept = decide.DECIDE[acts.AcceptProposal]

    def otherwise(deciding: Deciding, act: Act, payload: acts.AcceptProposal) -> None:
        old = deciding.conflict(payload.id, act.party)
        assert old.proposal is not None
        farther = replace(old.proposal, shift_us=2 * old.proposal.shift_us)
        deciding.world.conflicts[old.id] = replace(old, proposal=farther)
        accept(deciding, act, payload)

    found = told_of(
        play(
            *MEET, (3, "s", "propose", PAIR + '\nmoves = "S1"\nlater = "4 h"'),
            (4, "n", "accept", PAIR),
        ),
        deciding_with(acts.AcceptProposal, otherwise),
    )  # fmt: skip

    assert has(found, "was not filed as it was to be: volumes")


def test_a_proposal_that_its_own_side_accepted_is_told() -> None:
    def accepted(deciding: Deciding, act: Act, payload: acts.AcceptProposal) -> None:
        decide_as = replace(act, party="n")
        honest(deciding, decide_as, payload)

    honest = decide.DECIDE[acts.AcceptProposal]
    text = play(
        *MEET, (3, "s", "propose", PAIR + '\nmoves = "S1"\nlater = "4 h"'), (4, "s", "accept", PAIR)
    )

    found = told_of(text, deciding_with(acts.AcceptProposal, accepted))

    assert has(found, "conflicts.accept of s was taken; by the rules it is refused")


@pytest.mark.parametrize(
    "marks",
    [
        {"acknowledged": ("n",)},
        {"agreed": ("n",)},
        {"state": ConflictState.AGREED},
        {"answers": (("n", Answer.NOTED, ""),)},
        {"proposal": Proposal(id="0" * 32, by="n", operation="0" * 32, shift_us=1)},
    ],
    ids=lambda marks: next(iter(marks)),
)
def test_a_mark_that_no_act_has_made_is_told(marks: dict[str, object]) -> None:
    """Both overrun and protect on; in that entry of time their conflict is marked."""

    def fall_due(deciding: Deciding, operation: Operation) -> None:
        operations.fall_due(deciding, operation)
        for each in list(deciding.world.conflicts.values()):
            if each.is_open:
                deciding.change(replace(each, **marks))

    flying = [(3, by, "activate", f'operation = "{own}"') for by, own in (("n", "N1"), ("s", "S1"))]
    found = told_of(play(*MEET, *flying, NOTHING), having("fall_due", fall_due, exchange))

    assert has(found, "has marks that no act has made")


def test_a_conflict_that_does_not_expire_when_time_has_ended_one_side_is_told() -> None:
    """S1 is over at 9:55, and at 10:00 for the other side; N1 goes on."""
    shorter = (2, "s", "file", 'operation = "S1"\narea = "a"\n' + NINE.replace("1 h", "55 min"))
    later = (13 * 60, "n", "file", 'operation = "N2"\narea = "a"\n' + LATER)

    found = told_of(
        play(MEET[0], shorter, later),
        having("expire", lambda *_: None, exchange, operations),
    )  # fmt: skip

    assert has(found, "is in a conflict still, and was to be in none by now")


def test_a_conflict_that_is_raised_with_marks_is_told() -> None:
    change = Deciding.change

    def marked(deciding: Deciding, conflict: Any, note: str = "") -> None:  # noqa: ANN401 as patched
        change(deciding, replace(conflict, acknowledged=conflict.parties), note)

    found = told_of(play(*MEET), having("change", marked, Deciding))

    assert has(found, "has marks that no act has made")


# --- lateness, grace, the alarm ---------------------------------------------------------------


def test_an_operation_that_is_late_and_was_not_marked_so_is_told() -> None:
    found = told_of(MANY, having("with_lateness", lambda made, _clauses: made, operations))

    assert has(found, "was not filed as it was to be: late_us, missed")


def test_values_that_are_read_back_otherwise_are_told() -> None:
    def misread(operation: Operation) -> Understood:
        return understood(replace(operation, volumes=operation.volumes * 2))

    found = told_of(play(*MEET), having("understood", misread, operations))

    assert has(found, "was not filed as it was to be: understood")


@pytest.mark.parametrize("by", ["activate", "airborne"])
def test_a_grace_that_was_shortened_is_told(by: str) -> None:
    """Activated it overruns at its end; airborne without that it is out of plan at once."""
    out = (3, "n", by, 'operation = "N1"')

    found = told_of(
        play(*MEET, out, NOTHING), having("grace_us", lambda _self, _party: 0, Deciding)
    )

    assert has(found, "did not move as it was to: grace_us")


def test_an_alarm_on_many_filings_that_was_withheld_is_told() -> None:
    """In an hour n files as often as is to be told of."""
    many = [
        (minute, "n", "file", f'operation = "N{minute}"\narea = "a"\n{NINE}')
        for minute in range(1, DEFAULT.filings_an_hour + 1)
    ]

    found = told_of(play(*many), having("_tell_rate", lambda *_: None, operations))

    assert has(found, f"s was not told of {DEFAULT.filings_an_hour} filings in an hour")


# --- where machines may differ ----------------------------------------------------------------


def accepting(stage: Stage) -> Played:
    """Return the record of a stage once a proposal that settles nothing was taken there."""
    [conflict] = stage.exchange.world.conflicts.values()
    stage.submit("b", "conflicts.propose/1", acts.ProposeChange(
        id=conflict.id, operation=conflict.must_act[0], later="1 s"
    ))  # fmt: skip
    [conflict] = stage.exchange.world.conflicts.values()
    assert conflict.proposal is not None
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(conflicts, "breaches", lambda *_: ())
        stage.submit("a", "conflicts.accept/1", acts.AcceptProposal(
            id=conflict.id, proposal=conflict.proposal.id
        ))  # fmt: skip
    return Played(stage.lines, stage.keys, {}, ())


def test_a_proposal_that_another_machine_took_at_the_minimum_is_boundary() -> None:
    [only] = audited(accepting(at_the_minimum())).differences

    assert has([only.what], "conflicts.accept of a was taken; by the rules it is refused")
    assert only.is_boundary


def test_a_proposal_that_was_taken_and_settles_nothing_is_told() -> None:
    stage = Stage("exercise", START_US, Status.EXERCISE, HOUSE, CountedIds(), plain())
    for party, longitude_deg in (("a", 0.0), ("b", 0.01)):
        stage.join(party)
        operation = filed(longitude_deg)
        stage.submit(party, "operations.file/1", acts.FileOperation(operation=operation))

    [only] = audited(accepting(stage)).differences

    assert has([only.what], "conflicts.accept of a was taken; by the rules it is refused")
    assert not only.is_boundary
