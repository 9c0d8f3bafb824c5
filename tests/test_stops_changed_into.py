# SPDX-License-Identifier: Apache-2.0
"""An activated operation that is changed into a STOP: out of plan, where a clause refuses it."""

import msgspec
import pytest
from msgspec.structs import replace

from keepclear.agreement.clauses import OnConflict, OnConflictRule
from keepclear.detect.compiled import plain
from keepclear.exchange.audit import audit
from keepclear.exchange.events import OperationMoved
from keepclear.exchange.folding import fold
from keepclear.exchange.views import NOTICE_KIND, Notice
from keepclear.plans import acts
from keepclear.plans.filing import FiledVolume
from keepclear.plans.operations import Operation
from keepclear.plans.operations import State as OperationState
from keepclear.plays.stage import Stage
from keepclear.record.entries import Part
from tests.incident_plays import events_seen, file, filed, leaves_seen, staged
from tests.message_plays import line_agreement
from tests.stop_plays import must_keep_out, small, stop


def notices(stage: Stage, party: str) -> list[Notice]:
    """Return what a party was told of its conflicts."""
    parts = [msgspec.json.decode(each.part, type=Part) for each in leaves_seen(stage, party)]
    return [
        msgspec.json.decode(each.data, type=Notice) for each in parts if each.kind == NOTICE_KIND
    ]


def in_force(*, refuses: bool) -> Stage:
    """Return a stage on which a and b have an agreement, which refuses, or notes."""
    stage = staged()
    action = OnConflict.REFUSE if refuses else OnConflict.NOTE
    agreed = line_agreement()
    made = replace(agreed.clauses[0], id="9.1", decides=OnConflictRule(action=action))
    agreed = replace(agreed, clauses=(*agreed.clauses, made))
    stage.carry(stage.signed(agreed), agreed)
    return stage


def change(stage: Stage, own: Operation, where: FiledVolume) -> Operation:
    """Change an operation, and return it as it stands."""
    old = stage.exchange.world.operations[own.id]
    made = acts.UpdateOperation(id=own.id, ovn=old.ovn, operation=filed(where))
    stage.submit(old.party, "operations.update/1", made)
    return stage.exchange.world.operations[own.id]


def activated(stage: Stage, party: str, latitude: float) -> Operation:
    own = file(stage, party, small(latitude, start=0, minutes=100))
    stage.submit(party, "operations.activate/1", acts.ActivateOperation(id=own.id, key=()))
    return own


@pytest.mark.parametrize("refuses", [True, False])
def test_an_activated_operation_that_is_changed_into_a_stop_is_out_of_plan_where_that_is_refused(
    refuses: bool,  # noqa: FBT001 a case
) -> None:
    stage = in_force(refuses=refuses)
    own = activated(stage, "b", 36.0)
    stop(stage, "b")
    now = change(stage, own, small(35.0, start=0, minutes=100))

    assert must_keep_out(stage, own.id)
    assert now.state is (OperationState.NONCONFORMING if refuses else OperationState.ACTIVATED)
    why = [each.why for each in events_seen(stage, "b", OperationMoved) if each.id == own.id]
    assert any("changed into an area that it must keep out of" in each for each in why) == refuses
    back = change(stage, own, small(36.0, start=0, minutes=90))
    if refuses:
        stage.submit("b", "operations.activate/1", acts.ActivateOperation(id=own.id, key=()))
        back = stage.exchange.world.operations[own.id]
    assert back.state is OperationState.ACTIVATED
    stage.exchange.beat()
    assert audit(stage.lines, plain()).differences == ()
    assert fold(stage.lines).hash == stage.exchange.world.hash


def test_one_that_was_in_it_before_it_is_changed_is_not_as_it_leaves() -> None:
    stage = in_force(refuses=True)
    own = activated(stage, "b", 35.0)
    stop(stage, "b")
    assert must_keep_out(stage, own.id)

    now = change(stage, own, small(35.01, start=0, minutes=100))

    assert must_keep_out(stage, own.id)
    assert now.state is OperationState.ACTIVATED
    stop(stage, "b", latitude=36.0, party="c")
    now = change(stage, own, small(36.0, start=0, minutes=100))  # out of one, into another
    assert now.state is OperationState.NONCONFORMING
    stage.exchange.beat()
    assert audit(stage.lines, plain()).differences == ()


def test_who_is_in_conflict_with_it_is_told_that_it_is_out_of_plan_and_not_why() -> None:
    stage = in_force(refuses=True)
    file(stage, "c", small(35.0, start=0, minutes=100))
    own = activated(stage, "b", 36.0)
    stop(stage, "b")
    change(stage, own, small(35.0, start=0, minutes=100))

    notes = [each.note for each in notices(stage, "c")]
    assert any("is out of plan" in each for each in notes)
    assert not any("keep out" in each or "must act and" in each for each in notes)
