# SPDX-License-Identifier: Apache-2.0
"""An operation that time alone has ended is over for the other side where its shown times end."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import msgspec
import pytest

from keepclear.agreement.clauses import Field, OnConflict, OnConflictRule
from keepclear.agreement.documents import Agreement
from keepclear.agreement.statements import Said
from keepclear.errors import CallerError
from keepclear.exchange import rechecking
from keepclear.exchange.audit import audit
from keepclear.exchange.decide import decide
from keepclear.exchange.deciding import Deciding
from keepclear.exchange.folding import fold
from keepclear.exchange.rechecking import expire
from keepclear.plans import acts
from keepclear.plans.conflicts import Conflict
from keepclear.plans.conflicts import State as Conflicting
from keepclear.plans.filing import Domain
from keepclear.plans.operations import Operation, State, claim_of
from keepclear.record.encoding import Signed
from keepclear.record.headers import Act
from keepclear.record.key_documents import Keyring
from tests.agreement_plays import clause
from tests.record_plays import START_US
from tests.test_rules_of_the_door import NUMBERED, Play, a_and_b
from tests.two_worlds import MINUTE_US, Plan, between, filed, grade, separation
from tests.worlds_played import functions

OURS: Final = Plan(place=0, level=22, start=51, lasts=31)  # to 82
THEIRS: Final = replace(OURS, lasts=90)


def met(*agreements: Agreement, ours: Plan = OURS) -> tuple[Play, str, str]:
    """Return a play in which an operation of a meets a longer one of b, and the ids of the two."""
    play = Play(*agreements)
    return play, play.file("a", ours), play.file("b", THEIRS)


def conflict_of(play: Play, *pair: str) -> Conflict:
    return next(e for e in play.world.conflicts_of(pair[0]) if e.other(pair[0]) == pair[1])


def is_sound(play: Play) -> bool:
    """Tell whether the record folds to the same world and is decided so again."""
    lines = play.stage.lines
    found = audit(lines, functions()).differences
    return not found and fold(lines).hash == play.world.hash


@pytest.mark.parametrize(
    ("fields", "until"),
    [(NUMBERED, 85), ((Field.TIME_BAND,), 85), ((), 90), (None, 90), ((Field.EVERYTHING,), 82)],
)
def test_it_is_over_for_its_owner_at_its_end_and_for_the_other_at_the_end_of_what_is_shown(
    fields: Sequence[Field] | None, until: int
) -> None:
    play, ours, theirs = met(a_and_b(fields))
    told = len(play.notices("b"))

    play.at(84)
    assert play.world.operations[ours].state is State.ENDED
    assert any(b"its time has passed" in bytes(each.data) for each in play.parts("a"))
    assert conflict_of(play, ours, theirs).is_settled is (until < 84)
    assert len(play.notices("b")) == told + (until < 84)
    assert is_sound(play)

    play.at(200)
    last = play.notices("b")[-1]
    closed = [e.at_us for e in play.parts("b") if e.kind == "conflict-changed/1"]
    assert closed[-1] == START_US + until * MINUTE_US
    assert last.closed_by.endswith("is over: its time has passed")
    assert is_sound(play)


def test_what_it_may_be_late_is_in_the_times_that_are_shown() -> None:
    late = filed(OURS)
    play = Play(a_and_b(NUMBERED))
    made = acts.FileOperation(operation=type(late)(**{
        name: getattr(late, name) for name in late.__struct_fields__
    } | {"late": "7 min"}))  # fmt: skip
    play.stage.submit("a", "operations.file/1", made)
    [ours] = play.world.operations
    theirs = play.file("b", THEIRS)
    play.at(89)
    assert not conflict_of(play, ours, theirs).is_settled

    play.at(90)
    assert conflict_of(play, ours, theirs).is_settled


def test_until_then_the_other_side_sees_it_as_it_stood_and_its_own_waits_as_it_did() -> None:
    refusing = clause("3", "Refused.", OnConflictRule(action=OnConflict.REFUSE))
    made = between("a", "b", "a-b", separation("8 NM / 2000 ft"), clause("2", "Shown.", grade(
        NUMBERED)), refusing)  # fmt: skip
    play, ours, theirs = met(made)
    before = play.notices("b")[-1].other
    conflict = conflict_of(play, ours, theirs)
    play.at(83)

    play.do("b", "conflicts.acknowledge/1", acts.AcknowledgeConflict(
        id=conflict.id, ovn=play.world.operations[ours].ovn
    ))  # fmt: skip
    key = (play.world.operations[ours].ovn,)
    refused = play.do("b", "operations.activate/1", acts.ActivateOperation(id=theirs, key=key))

    assert play.notices("b")[-1].other == before
    assert "is open and it must act" in refused
    play.at(85)
    assert play.world.operations[theirs].state is State.ACCEPTED
    assert play.do("b", "operations.activate/1", acts.ActivateOperation(id=theirs)) == ""
    assert is_sound(play)


def test_what_its_owner_ends_or_cancels_is_over_at_once() -> None:
    for kind, payload in (
        ("operations.end/1", acts.EndOperation), ("operations.cancel/1", acts.CancelOperation),
    ):  # fmt: skip
        play, ours, theirs = met(a_and_b(NUMBERED))
        play.at(81)

        assert play.do("a", kind, payload(id=ours)) == ""

        assert conflict_of(play, ours, theirs).is_settled
        assert is_sound(play)


def test_what_has_not_ended_at_its_end_is_told_at_once_and_protects_for_the_grace() -> None:
    play, ours, theirs = met(a_and_b(NUMBERED))
    play.do("a", "operations.activate/1", acts.ActivateOperation(
        id=ours, key=(play.world.operations[theirs].ovn,)
    ))  # fmt: skip

    play.at(83)
    said = f"changed: URGENT: the end of operation {ours[:8]} of a has passed"
    assert play.notices("b")[-1].note == said
    play.at(144)
    assert play.world.operations[ours].state is State.ENDED
    assert not conflict_of(play, ours, theirs).is_settled
    assert is_sound(play)
    play.at(145)
    assert conflict_of(play, ours, theirs).is_settled
    assert is_sound(play)


def test_it_raises_no_new_conflict_and_goes_on_in_those_that_are() -> None:
    play, ours, theirs = met(a_and_b(NUMBERED))
    play.at(83)

    new = play.file("b", THEIRS)
    own = play.world.operations[theirs]
    changed = acts.UpdateOperation(id=theirs, ovn=own.ovn, operation=filed(replace(
        THEIRS, lasts=100)))  # fmt: skip
    assert play.do("b", "operations.update/1", changed) == ""

    assert play.world.conflicts_of(new) == []
    assert not conflict_of(play, ours, theirs).is_settled
    assert is_sound(play)


def test_an_audit_tells_of_a_conflict_that_was_raised_with_what_is_over(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    play, ours, _ = met(a_and_b(NUMBERED))
    play.at(83)

    def every(deciding: Deciding, operation: Operation, _: object) -> list[str]:
        deciding.near.put(operation.status, claim_of(operation))
        return deciding.near.near(operation.id)

    with monkeypatch.context() as patch:
        patch.setattr(rechecking, "_near_it", every)
        new = play.file("b", THEIRS)

    raised = conflict_of(play, ours, new)
    differences = audit(play.stage.lines, functions()).differences
    assert {each.about for each in differences} == {f"conflict {raised.id[:8]}"}
    assert {each.what for each in differences} == {"TOO MANY: the two break no rule"}


def test_what_ends_by_time_says_no_more_that_it_has_more_conflicts_than_an_entry_holds(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(rechecking, "MOST_FINDINGS", 1)
    play = Play(a_and_b(NUMBERED))
    for party in ("b", "c"):
        play.file(party, THEIRS)
    ours = play.file("a", OURS)
    assert ours in play.world.more

    play.at(83)

    assert play.world.operations[ours].state is State.ENDED
    assert play.world.more == {}
    assert is_sound(play)


def test_the_other_side_ending_or_moving_away_closes_it_at_once() -> None:
    play, ours, theirs = met(a_and_b(NUMBERED))
    play.at(83)
    own = play.world.operations[theirs]

    away = filed(replace(THEIRS, place=30))
    play.do("b", "operations.update/1", acts.UpdateOperation(
        id=theirs, ovn=own.ovn, operation=away))  # fmt: skip

    assert conflict_of(play, ours, theirs).is_settled
    assert is_sound(play)


def test_with_each_party_it_is_over_where_what_that_one_is_shown_ends() -> None:
    play, ours, theirs = met(a_and_b(NUMBERED))
    others = play.file("c", replace(OURS, lasts=100, level=25, place=8))
    shared = play.file("c", THEIRS)
    play.at(87)
    assert conflict_of(play, ours, theirs).is_settled
    assert not conflict_of(play, ours, shared).is_settled

    own = play.world.operations[theirs]
    play.do("b", "operations.update/1", acts.UpdateOperation(
        id=theirs, ovn=own.ovn, operation=filed(replace(THEIRS, lasts=95))
    ))  # fmt: skip

    assert conflict_of(play, ours, theirs).is_settled
    assert is_sound(play)
    play.at(90)
    assert conflict_of(play, ours, shared).is_settled
    assert play.world.operations[others].is_protecting
    assert is_sound(play)


def test_a_proposal_to_move_what_is_over_is_refused_as_one_that_settles_nothing() -> None:
    said = []
    for minute, later in ((83, "3 h"), (81, "1 min")):
        play, ours, theirs = met(a_and_b(NUMBERED))
        conflict = conflict_of(play, ours, theirs)
        play.do("a", "conflicts.propose/1", acts.ProposeChange(
            id=conflict.id, operation=ours, later=later))  # fmt: skip
        proposal = conflict_of(play, ours, theirs).proposal
        assert proposal is not None
        play.at(minute)
        refused = play.do("b", "conflicts.accept/1", acts.AcceptProposal(
            id=conflict.id, proposal=proposal.id))  # fmt: skip
        said.append(refused.replace(proposal.id[:8], "it"))

    assert said[0] == said[1]
    assert said[0].startswith("proposal it: does not settle the conflict as the two stand now")


def test_a_lapse_that_fails_half_way_is_taken_back_and_comes_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    play, ours, theirs = met(a_and_b(NUMBERED))
    shared = play.file("c", THEIRS)
    play.at(83)
    before = play.world.hash

    def failing(deciding: Deciding, operation: Operation) -> None:
        expire(deciding, operation)
        raise OSError("half-way")

    with monkeypatch.context() as patch:
        patch.setattr("keepclear.exchange.exchange.expire", failing)
        with pytest.raises(OSError, match="half-way"):
            play.at(86)
    assert play.world.hash == before
    play.at(86)
    assert conflict_of(play, ours, theirs).is_settled
    assert not conflict_of(play, ours, shared).is_settled
    play.at(95)
    assert conflict_of(play, ours, shared).is_settled
    assert is_sound(play)


def carried(play: Play, made: Agreement) -> str:
    """Carry an agreement; return why it was refused, empty where it was not."""
    try:
        play.stage.carry(play.stage.signed(made), made)
    except CallerError as fault:
        return str(fault)
    return ""


WIDER: Final = between("a", "b", "a-b-2", separation("9 NM / 3000 ft"))
SAME_RULE: Final = between("a", "b", "a-b-2", separation("8 NM / 2000 ft"))  # shows nothing


def test_an_agreement_that_changes_meanwhile_is_looked_at_for_it_too() -> None:
    play = Play(a_and_b(NUMBERED))
    ours, theirs = play.file("a", OURS), play.file("b", OURS)
    play.at(83)
    assert not any(each.is_protecting for each in play.world.operations.values())

    assert carried(play, WIDER) == ""

    assert len(conflict_of(play, ours, theirs).broken) == 2
    assert is_sound(play)
    play.at(85)  # with the second, of no disclosure, no times are shown any more
    assert not conflict_of(play, ours, theirs).is_settled
    play.at(90)
    assert conflict_of(play, ours, theirs).is_settled
    assert is_sound(play)


@pytest.mark.parametrize("refused", [WIDER, SAME_RULE])
def test_what_is_refused_meanwhile_leaves_it_in_its_conflicts(
    refused: Agreement, monkeypatch: pytest.MonkeyPatch
) -> None:
    play, ours, theirs = met(a_and_b(NUMBERED))
    play.at(83)

    def refusing(deciding: Deciding, act: Act, keys: Keyring, payload: Signed | None) -> None:
        decide(deciding, act, keys, payload)
        raise CallerError("refused after all")

    with monkeypatch.context() as patch:
        patch.setattr("keepclear.exchange.exchange.decide", refusing)
        assert carried(play, refused) == "refused after all"
    own = play.world.operations[theirs]
    play.do("b", "operations.update/1", acts.UpdateOperation(
        id=theirs, ovn=own.ovn, operation=filed(replace(THEIRS, lasts=100))))  # fmt: skip

    assert not conflict_of(play, ours, theirs).is_settled
    assert is_sound(play)


# --- whatever changes meanwhile ----------------------------------------------------------------


def closed_at(play: Play, party: str = "b") -> list[float]:
    """Return the minutes at which a party was told that conflicts have expired."""
    return [
        (each.at_us - START_US) / MINUTE_US
        for each in play.parts(party)
        if each.kind == "notice/1" and b'"state":"expired"' in bytes(each.data)
    ]


def until(minute: int, made: Agreement) -> Agreement:
    until_us = START_US + minute * MINUTE_US
    return msgspec.structs.replace(made, review_us=until_us, until_us=until_us)


@pytest.mark.parametrize("at_once", [100, 1])
@pytest.mark.parametrize(("minute", "over"), [(84, 85), (86, 86)])
def test_where_more_is_shown_from_some_time_on_it_is_over_by_that(
    minute: int, over: int, at_once: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("keepclear.exchange.agreements.AT_ONCE", at_once)
    play = Play(a_and_b(NUMBERED), until(minute, SAME_RULE))
    ours, theirs = play.file("a", OURS), play.file("b", THEIRS)

    play.at(minute)
    play.at(87)

    assert conflict_of(play, ours, theirs).is_settled
    [closed] = [e for e in play.parts("b") if b'"closed_by":"' in bytes(e.data)
                and b'"closed_by":""' not in bytes(e.data) and e.kind == "notice/1"]  # fmt: skip
    assert closed.at_us == START_US + over * MINUTE_US
    while play.stage.exchange.recheck_some():
        pass
    assert is_sound(play)


@pytest.mark.parametrize("at_once", [100, 1])
def test_where_more_is_shown_again_it_is_over_in_the_same_entry(
    at_once: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("keepclear.exchange.agreements.AT_ONCE", at_once)
    made = a_and_b(NUMBERED)
    play, ours, theirs = met(made)
    play.at(80)
    stated = [("a", Said.SUSPEND, START_US + 80 * MINUTE_US)]
    play.stage.carry(play.stage.signed(made, *stated), made)
    play.at(86)
    assert not conflict_of(play, ours, theirs).is_settled

    stated.append(("a", Said.RESUME, START_US + 86 * MINUTE_US))
    play.stage.carry(play.stage.signed(made, *stated), made)

    assert conflict_of(play, ours, theirs).is_settled
    assert is_sound(play)


def test_what_waits_to_be_looked_at_again_when_it_ends_is_not_looked_at_for_that(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("keepclear.exchange.agreements.AT_ONCE", 1)
    play, ours, theirs = met(a_and_b(NUMBERED))
    assert carried(play, WIDER) == ""
    told = len(play.notices("b"))

    play.at(83)

    assert play.world.operations[ours].state is State.ENDED
    assert len(play.notices("b")) == told
    assert is_sound(play)
    while play.stage.exchange.recheck_some():
        pass
    assert len(conflict_of(play, ours, theirs).broken) == 2
    assert is_sound(play)
    play.at(90)
    assert conflict_of(play, ours, theirs).is_settled
    assert is_sound(play)


def test_where_both_are_over_at_once_it_does_not_tell_which_of_them_has_just_ended() -> None:
    said = []
    for lasts in (33, 34):  # to 84 or 85, for b to 85
        play = Play(a_and_b(NUMBERED))
        theirs = play.file("b", replace(OURS, lasts=32))  # to 83, for a to 85
        ours = play.file("a", replace(OURS, lasts=lasts))
        play.at(85)
        assert is_sound(play)
        said.append(conflict_of(play, ours, theirs).closed_by)

    assert said[0] == said[1]
    assert said[0].endswith("is over: its time has passed")


def test_on_the_ground_it_is_over_at_the_end_of_the_half_hour_as_no_times_are_shown() -> None:
    play = Play(a_and_b((Field.EVERYTHING,)))
    ours = play.file("a", replace(OURS, domain=Domain.GROUND))
    theirs = play.file("b", THEIRS)
    play.at(89)
    assert not conflict_of(play, ours, theirs).is_settled

    play.at(90)

    assert conflict_of(play, ours, theirs).state is Conflicting.EXPIRED
    assert is_sound(play)


def test_where_one_comes_to_the_ground_meanwhile_it_is_over_by_what_is_compared_then() -> None:
    brief = replace(OURS, lasts=10)  # to 61; widened to half an hour: to 71
    play = Play(a_and_b((Field.EVERYTHING,)))
    ours = play.file("a", brief)
    theirs = play.file("b", THEIRS)
    play.at(60)
    own = play.world.operations[theirs]
    made = filed(replace(THEIRS, domain=Domain.GROUND))
    assert play.do("b", "operations.update/1", acts.UpdateOperation(
        id=theirs, ovn=own.ovn, operation=made)) == ""  # fmt: skip

    play.at(62)
    assert not play.world.operations[ours].is_protecting
    assert not conflict_of(play, ours, theirs).is_settled
    play.at(71)

    assert conflict_of(play, ours, theirs).is_settled
    assert closed_at(play) == [71]
    assert is_sound(play)
