# SPDX-License-Identifier: Apache-2.0
"""RE-CHECKING: an operation is bound by how agreements stood when it was looked at last, too."""

import msgspec
import pytest

from keepclear.agreement.documents import Agreement, PartyTerms, Role, hash_of
from keepclear.agreement.statements import AgreementFile, Said
from keepclear.detect.compiled import plain
from keepclear.exchange.agreements import CarryAgreement
from keepclear.exchange.audit import audit
from keepclear.exchange.objects import Rechecking
from keepclear.exchange.operations import Refused
from keepclear.exchange.views import NOTICE_KIND, Notice
from keepclear.exchange.world import agreement_of
from keepclear.plans import acts
from keepclear.plans.conflicts import State
from keepclear.plays.stage import PEOPLE, Stage
from keepclear.record.entries import Part
from keepclear.record.files import LeafLine
from keepclear.record.views import view_of
from tests.agreement_plays import agreement
from tests.record_plays import START_US
from tests.test_exchange_agreements import A_AND_B, at, staged
from tests.two_worlds import MINUTE_US, Plan, filed, separation

ONE = hash_of(A_AND_B)


@pytest.fixture(autouse=True)
def one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let each entry look at one operation again."""
    monkeypatch.setattr("keepclear.exchange.agreements.AT_ONCE", 1)


def file(stage: Stage, party: str, place: int, radius: str = "4 NM") -> str:
    """Let a party file an operation, 3.5 NM for each place; return its id."""
    known = {*stage.exchange.world.operations}
    made = filed(Plan(place=place, level=22, start=60, lasts=30, radius=radius))
    stage.submit(party, "operations.file/1", acts.FileOperation(operation=made))
    [own_id] = stage.exchange.world.operations.keys() - known
    return own_id


def carry(stage: Stage, file: AgreementFile, party: str = "a") -> None:
    """Let a party carry an agreement."""
    stage.submit(party, "agreement.carry/1", CarryAgreement(file=file), PEOPLE)


def say(stage: Stage, made: Agreement, *what: tuple[Said, int], party: str = "a") -> None:
    """Let a party state things of an agreement, each at a minute, and carry it at the last."""
    at(stage, START_US + what[-1][1] * MINUTE_US)
    stated = [(party, each, START_US + minute * MINUTE_US) for each, minute in what]
    carry(stage, stage.signed(made, *stated), party)


def rules_of(stage: Stage, one: str, other: str) -> list[str]:
    """Return the rules that bind two operations now, by their names, in order."""
    operations = stage.exchange.world.operations
    deciding = stage.exchange._deciding(stage.clock.now_us())
    found, turned = (
        [each.rules.name for each in deciding.minima(operations[a], operations[b])]
        for a, b in ((one, other), (other, one))
    )
    assert found == turned
    return found


def test_what_was_looked_at_between_two_changes_is_bound_by_how_it_stood_between() -> None:
    stage = staged()
    first, second = file(stage, "a", 0), file(stage, "a", 40)
    theirs = file(stage, "b", 80)
    say(stage, A_AND_B, (Said.SUSPEND, 1))
    assert {*stage.exchange.world.rechecking.values()} == {Rechecking(waits=(f"{ONE}/1",))}

    stage.exchange.recheck_some()
    say(stage, A_AND_B, (Said.SUSPEND, 1), (Said.RESUME, 2))

    world = stage.exchange.world
    waits = {own: each.waits for own, each in world.rechecking.items()}
    assert waits == {first: (f"{ONE}/2",), second: (f"{ONE}/1",), theirs: (f"{ONE}/1",)}
    eight_nm, house = "8 NM / 2000 ft", "5 NM / 1000 ft"
    assert rules_of(stage, first, theirs) == [eight_nm, house]
    assert rules_of(stage, second, theirs) == [eight_nm]
    while stage.exchange.recheck_some():
        pass
    assert rules_of(stage, first, theirs) == [eight_nm]
    assert (world.before, world.waiting, world.rechecking) == ({}, {}, {})


def test_a_filing_is_in_conflict_by_the_rules_before_though_two_changes_crossed() -> None:
    other = agreement(id="other", clauses=(separation("3 NM / 1000 ft"),))
    stage = staged()
    carry(stage, stage.signed(other))
    ours = file(stage, "a", 0, "5 NM")
    for place in (40, 80):
        file(stage, "a", place)
    say(stage, A_AND_B, (Said.SUSPEND, 1))
    say(stage, other, (Said.SUSPEND, 2))
    while stage.exchange.recheck_some():
        pass
    say(stage, other, (Said.SUSPEND, 2), (Said.RESUME, 3))  # until now the house rule, 5 NM

    theirs = file(stage, "b", 4, "5 NM")  # 4 NM away

    assert ours in stage.exchange.world.rechecking
    [conflict] = stage.exchange.world.conflicts_of(theirs)
    assert [(each.agreement, each.clause) for each in conflict.broken] == [("", "")]
    assert audit(stage.lines, plain()).differences == ()


def test_what_was_agreed_is_not_agreed_of_a_rule_that_binds_besides_since_then() -> None:
    stage = staged()
    ours, theirs = file(stage, "a", 0, "2 NM"), file(stage, "b", 1, "2 NM")
    [found] = stage.exchange.world.conflicts_of(ours)
    stage.submit("b", "operations.airborne/1", acts.MarkAirborne(id=theirs, at_us=START_US))
    for party in ("a", "b"):
        stage.submit(party, "conflicts.agree-as-is/1", acts.AgreeAsIs(id=found.id))
    say(stage, A_AND_B, (Said.SUSPEND, 1))
    assert stage.exchange.world.conflicts[found.id].state is State.AGREED
    assert {ours, theirs} == stage.exchange.world.rechecking.keys()

    key = (stage.exchange.world.operations[ours].ovn,)
    stage.submit("b", "operations.activate/1", acts.ActivateOperation(id=theirs, key=key))

    conflict = stage.exchange.world.conflicts[found.id]
    assert (conflict.state, conflict.agreed) == (State.RAISED, ())
    assert [each.agreement for each in conflict.broken] == ["", ONE]
    assert audit(stage.lines, plain()).differences == ()


def test_it_does_not_go_back_into_what_nobody_was_told_of_yet() -> None:
    stage = staged(agreement(clauses=(separation("3 NM / 1000 ft"),)))
    ours, theirs = file(stage, "a", 0), file(stage, "b", 4)  # 6 NM apart, edge to edge
    stage.submit("b", "operations.airborne/1", acts.MarkAirborne(id=theirs, at_us=START_US))
    carry(stage, stage.signed(agreement(id="wider", clauses=(separation("8 NM / 2000 ft"),))))
    world = stage.exchange.world
    assert (world.conflicts_of(theirs), {ours, theirs}) == ([], {*world.rechecking})
    before = world.hash

    with pytest.raises(Refused, match="nobody was told yet; try again when the notice is there"):
        stage.submit("b", "operations.activate/1", acts.ActivateOperation(id=theirs))
    assert world.hash == before
    while stage.exchange.recheck_some():
        pass
    key = (world.operations[ours].ovn,)
    stage.submit("b", "operations.activate/1", acts.ActivateOperation(id=theirs, key=key))
    assert audit(stage.lines, plain()).differences == ()


@pytest.mark.parametrize("order", ["bac", "acb"])  # what is filed first is looked at first
def test_each_side_is_told_of_the_agreement_that_it_has_signed(order: str) -> None:
    terms = tuple(PartyTerms(id=each, name=each, role=Role.FORCE) for each in ("b", "c"))
    b_and_c = agreement(id="b-and-c", parties=terms, clauses=(separation("8 NM / 2000 ft"),))
    stage = staged()
    stage.join("c")
    carry(stage, stage.signed(b_and_c), "b")
    places = {"a": 4, "b": 0, "c": -4}
    own = {party: file(stage, party, places[party]) for party in order}["b"]
    say(stage, A_AND_B, (Said.SUSPEND, 1))
    say(stage, b_and_c, (Said.SUSPEND, 2), party="b")
    both = [ONE, hash_of(b_and_c)]
    assert list(map(agreement_of, stage.exchange.world.rechecking[own].waits)) == both

    while stage.exchange.recheck_some():
        pass

    assert [closings(stage, party) for party in ("a", "c")] == [
        [f"agreement {each[:8]} is suspended"] for each in both
    ]
    assert audit(stage.lines, plain()).differences == ()


def closings(stage: Stage, party: str) -> list[str]:
    """Return why a party was told that conflicts are over."""
    leaves = [
        msgspec.json.decode(each, type=LeafLine).leaf
        for each in view_of(stage.lines, party) if each.startswith(b'{"line":"leaf"')
    ]  # fmt: skip
    parts = [msgspec.json.decode(each.part, type=Part) for each in leaves]
    notices = [msgspec.json.decode(each.data, type=Notice) for each in parts
               if each.kind == NOTICE_KIND]  # fmt: skip
    return [each.closed_by for each in notices if each.closed_by]


def test_a_proposal_settles_nothing_that_breaks_a_rule_from_before() -> None:
    other = agreement(id="other", clauses=(separation("3 NM / 1000 ft"),))
    stage = staged()
    carry(stage, stage.signed(other))
    ours, theirs = file(stage, "a", 0, "2 NM"), file(stage, "b", 1, "2 NM")
    [found] = stage.exchange.world.conflicts_of(ours)
    say(stage, A_AND_B, (Said.SUSPEND, 1))  # its 8 NM bind until both were looked at again
    assert {ours, theirs} <= stage.exchange.world.rechecking.keys()
    assert rules_of(stage, ours, theirs) == ["3 NM / 1000 ft", "8 NM / 2000 ft"]
    made = acts.ProposeChange(id=found.id, operation=theirs, aside="5 NM", towards="000")
    stage.submit("b", "conflicts.propose/1", made)
    proposal = stage.exchange.world.conflicts[found.id].proposal
    assert proposal is not None
    accepts = acts.AcceptProposal(id=found.id, proposal=proposal.id)

    with pytest.raises(Refused, match="does not settle the conflict"):
        stage.submit("a", "conflicts.accept/1", accepts)

    while stage.exchange.recheck_some():
        pass
    assert audit(stage.lines, plain()).differences == ()
