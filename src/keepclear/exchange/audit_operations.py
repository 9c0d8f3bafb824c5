# SPDX-License-Identifier: Apache-2.0
"""Operations decided again: how each came into its state, and what it takes up.

1. *Accepted* is given to what is filed, where no conflict is open in which it must act and
   nothing of it waits to be looked at; and where that is so, it is given in the same entry.
2. Every other step is one of the table of `plans.operations`.
3. A filing takes the area-hours that come out now. Whether it was to be refused for them is
   decided with its act (`audit_steps`). Going off plan is capped by nothing.
4. A version that is said to shrink takes up nothing that the one before did not.
5. What is filed is what the act says that its party has signed.
"""

from collections.abc import Iterator
from typing import Final

from keepclear.exchange.audit_found import Found
from keepclear.exchange.decide import ACTS
from keepclear.exchange.events import OperationFiled, OperationMoved
from keepclear.exchange.operations import taken
from keepclear.plans.acts import FileOperation, UpdateOperation
from keepclear.plans.conflicts import open_for
from keepclear.plans.filing import FiledOperation, uncertainty_of, volumes_filed
from keepclear.plans.operations import (
    TABLE,
    Event,
    Operation,
    State,
    only_shrinks,
)
from keepclear.record.headers import Act
from keepclear.record.signers import deed_of

SAME_KM2H: Final = 1  # area-hours are rounded up: another machine may come out one beside
AS_SIGNED: Final = ("domain", "craft", "craft_class", "callsign", "count", "count_most", "has_rvsm")
OFF_PLAN: Final = "operations.contingent"


class Operations:
    """The operations of a record. Written by the audit alone. filings: how many were looked at."""

    def __init__(self, found: Found) -> None:
        self._found, self.filings = found, 0

    def check_filed(self, event: OperationFiled, act: Act | None) -> None:
        """Compare a filing, before it happens, with what comes out now. act: that led to it."""
        self.filings += 1
        made, old = event.operation, self._found.world.operations.get(event.operation.id)
        is_off_plan = act is not None and deed_of(act) == OFF_PLAN
        self._check_signed(made, act)
        right = _filed_state(event, old, is_off_plan=is_off_plan)
        if made.state is not right:
            was = "new" if old is None else old.state.value
            self._differs(made.id, f"was filed as {made.state}, being {was}; by the rules {right}")
        if old is not None and made.version != old.version + 1:
            self._differs(made.id, f"is version {made.version} after {old.version}")
        shrinks = old is not None and only_shrinks(old, made)
        if not is_off_plan and event.is_smaller != shrinks:
            says, does = ("shrinks", "does not") if event.is_smaller else ("grows", "only shrinks")
            self._differs(made.id, f"says that it {says}, and {does}")
        self._check_taken(event, is_off_plan=is_off_plan)

    def check_moved(self, event: OperationMoved) -> None:
        """Compare a step, before it happens, with what the rules allow."""
        old = self._found.world.operations[event.id]
        if event.state is State.ACCEPTED:
            self._check_accepted(old)
        elif event.state not in TABLE[old.state].values():
            self._differs(old.id, f"cannot be {event.state} after it was {old.state}")

    def check_left_filed(self, operation_id: str) -> None:
        """Tell of an operation that is filed at the end of an entry, and was to be accepted."""
        operation = self._found.world.operations[operation_id]
        if operation.state is State.FILED and not self._against(operation):
            self._differs(operation_id, "is not accepted, and nothing stands against it")

    def _check_signed(self, made: Operation, act: Act | None) -> None:
        """Compare what was filed with what the act holds, where it holds an operation."""
        if act is None:
            self._differs(made.id, "was filed, and no act says so")
            return
        payload = ACTS.read(act.kind, bytes(act.payload), f"act.payload of {act.kind}")
        if not isinstance(payload, FileOperation | UpdateOperation):
            return
        if off := list(_otherwise(made, act, payload.operation)):
            self._differs(made.id, f"was not filed as signed: {', '.join(off)}")

    def _check_accepted(self, old: Operation) -> None:
        if old.state is not State.FILED:
            self._differs(old.id, f"was accepted, being {old.state}; what is filed is accepted")
        elif why := self._against(old):
            self._differs(old.id, f"was accepted, and {why}")

    def _against(self, operation: Operation) -> str:
        """Return what stands against accepting a filed operation, empty for nothing."""
        world = self._found.world
        if operation.id in world.rechecking:
            return "it is RE-CHECKING"
        if operation.id in world.more:
            return "it has more conflicts than are told"
        if operation.id in world.keep_outs:
            return "it must keep out of an area"
        must = open_for(world.conflicts_of(operation.id), operation.id)
        return f"must act in conflict {must[0].id[:8]}, which is open" if must else ""

    def _check_taken(self, event: OperationFiled, *, is_off_plan: bool) -> None:
        made = event.operation
        if is_off_plan:
            if event.takes_km2h:
                self._differs(made.id, f"takes {event.takes_km2h:,} km2h for going off plan; now 0")
            return
        found = taken(self._found.deciding, made)
        if found.km2h != event.takes_km2h:
            self._differs(
                made.id, f"says that it takes {event.takes_km2h:,} km2h; now {found.km2h:,}",
                is_boundary=abs(found.km2h - event.takes_km2h) <= SAME_KM2H,
            )  # fmt: skip

    def _differs(self, operation_id: str, what: str, *, is_boundary: bool = False) -> None:
        self._found.differs(f"operation {operation_id[:8]}", what, is_boundary=is_boundary)


def _otherwise(made: Operation, act: Act, filed: FiledOperation) -> Iterator[str]:
    """Yield in what an operation is not what was signed."""
    yield from (name for name in ("party", "status") if getattr(made, name) != getattr(act, name))
    yield from (name for name in AS_SIGNED if getattr(made, name) != getattr(filed, name))
    if made.volumes != volumes_filed(filed):
        yield "volumes"
    if made.uncertainty != uncertainty_of(filed):
        yield "uncertainty"


def _filed_state(event: OperationFiled, old: Operation | None, *, is_off_plan: bool) -> State:
    """Return the state that a filing leads to; one that none may lead to as it was."""
    if old is None:
        return State.FILED
    if event.is_smaller and not is_off_plan:
        return old.state
    step = Event.CONTINGENT if is_off_plan else Event.REFILE
    return TABLE[old.state].get(step, State.CANCELLED)
