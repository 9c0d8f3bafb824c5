# SPDX-License-Identifier: Apache-2.0
"""Two worlds that differ in nothing that b may see look the same to b, byte for byte.

What worlds are, how ids are made comparable, and what is left out: `two_worlds`. The second half
plants leaks, one for each thing that leaves, and sees each of them found.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from keepclear.exchange import agreements, deciding, operations, rechecking, views
from keepclear.exchange.batch import Batch
from keepclear.exchange.deciding import Deciding
from keepclear.exchange.disclosure import Grants, Shown, shown
from keepclear.exchange.due import Timer
from keepclear.exchange.exchange import Exchange
from keepclear.exchange.index import Near
from keepclear.exchange.rounding import Box
from keepclear.exchange.world import World
from keepclear.plans.conflicts import Conflict
from keepclear.plans.operations import Missed, Operation, State, claim_of
from keepclear.record import views as record_views
from tests.two_worlds import PARTIES, VIEWER, Pair
from tests.two_worlds_shown import same_as_shown
from tests.two_worlds_stops import pairs
from tests.worlds_played import difference, remembered

# Shrinking worlds takes minutes, and the first difference that is printed says enough.
search = settings(
    phases=[Phase.explicit, Phase.generate], database=None, deadline=None,
    suppress_health_check=list(HealthCheck),
)  # fmt: skip


@pytest.fixture(autouse=True, scope="module")
def _remembered() -> Iterator[None]:
    with remembered():
        yield


@pytest.mark.slow
@settings(search, max_examples=500)  # a fifteenth of a second each
@given(pair=pairs())
def test_what_is_in_no_conflict_with_b_changes_no_byte_that_b_gets(pair: Pair) -> None:
    assert difference(pair) == ""


@pytest.mark.long
@settings(search, max_examples=5_000)
@given(pair=pairs())
def test_nor_in_ten_times_as_many_worlds(pair: Pair) -> None:
    assert difference(pair) == ""


@pytest.mark.slow
@settings(search, max_examples=100)
@given(pair=same_as_shown())
def test_what_no_clause_grants_of_a_conflict_changes_no_byte_that_b_gets(pair: Pair) -> None:
    assert difference(pair) == ""


# --- planted leaks ---------------------------------------------------------------------------

Plant = Callable[[pytest.MonkeyPatch], None]


def not_seen(world: World, viewer: str = VIEWER) -> list[Operation]:
    """Return the operations of others that are in no conflict with the viewer's."""
    return [
        each for each in world.operations.values()
        if each.party != viewer
        and not any(viewer in c.parties for c in world.conflicts_of(each.id))
    ]  # fmt: skip


def in_notice(change: Callable[[views.Notice, World], views.Notice]) -> Plant:
    """Return a leak into notices, of what is in the world."""

    def plant(patch: pytest.MonkeyPatch) -> None:
        world = watched(patch)
        told = views.notice

        def leaking(*args: Any) -> views.Disclosed[views.Notice]:  # noqa: ANN401
            found = told(*args)
            return views.Disclosed(found.party, change(found.value, world()))

        patch.setattr(deciding, "notice", leaking)

    return plant


def watched(patch: pytest.MonkeyPatch) -> Callable[[], World]:
    """Return the world of whatever is being decided."""
    latest: list[World] = []
    begun = Exchange._deciding

    def deciding_in(self: Exchange, now_us: int) -> Deciding:
        latest[:] = [self.world]
        return begun(self, now_us)

    patch.setattr(Exchange, "_deciding", deciding_in)
    return lambda: latest[0]


def in_shown(**fields: Callable[[list[Operation]], Any]) -> Plant:
    """Return a leak into a field that is shown, of the operations that b does not see."""

    def change(notice: views.Notice, world: World) -> views.Notice:
        hidden = not_seen(world)
        made = {name: make(hidden) for name, make in fields.items() if hidden}
        return replace(notice, other=replace(notice.other, **made))

    return in_notice(change)


def in_conflict(change: Callable[[Conflict, World], Conflict]) -> Plant:
    """Return a leak into conflicts as both sides see them."""

    def plant(patch: pytest.MonkeyPatch) -> None:
        changed = Deciding.change

        def leaking(self: Deciding, conflict: Conflict, note: str = "") -> None:
            changed(self, change(conflict, self.world), note)

        patch.setattr(Deciding, "change", leaking)

    return plant


def ungranted(*names: str) -> Plant:
    """Return a leak of fields that no clause grants: they are shown all the same."""

    def plant(patch: pytest.MonkeyPatch) -> None:
        def leaking(operation: Operation, grants: Grants, missed: Sequence[Missed] = ()) -> Shown:
            every = grants._replace(fields=frozenset({"everything"}))  # type: ignore[arg-type]
            full = shown(operation, every, missed)
            found = shown(operation, grants, missed)
            return replace(found, **{name: getattr(full, name) for name in names})

        patch.setattr(views, "shown", leaking)

    return plant


def exact(patch: pytest.MonkeyPatch) -> None:
    """Compute numbers from the exact shapes."""
    patch.setattr(rechecking, "shown_claim", lambda operation, _: claim_of(operation))


def exact_box(patch: pytest.MonkeyPatch) -> None:
    """Show boxes that are not rounded to the grain."""
    patch.setattr(
        views,
        "shown",
        lambda operation, grants, *more: shown(operation, grants._replace(grain_tmm=0), *more),
    )


def exact_levels_and_times(patch: pytest.MonkeyPatch) -> None:
    """Show levels and times that are not rounded to the grain."""
    patch.setattr(views, "shown", lambda operation, grants, *more: shown(
        operation, grants._replace(level_grain_tmm=0, time_grain_us=0), *more
    ))  # fmt: skip


def exact_lateness(patch: pytest.MonkeyPatch) -> None:
    """Show how late something was filed to the microsecond, beside times that are rounded."""

    def leaking(operation: Operation, grants: Grants, missed: Sequence[Missed] = ()) -> Shown:
        found = shown(operation, grants, missed)
        late_us = max((each.late_us for each in missed), default=0)
        return found if found.late_us is None else replace(found, late_us=late_us)

    patch.setattr(views, "shown", leaking)


def late_by_agreements_with_others(patch: pytest.MonkeyPatch) -> None:
    """Say of an operation that it is late where it is so by any agreement of its party."""
    patch.setattr(views, "_missed", lambda operation, _: list(operation.missed))


def audience(kind: str) -> Plant:
    """Return a leak of a kind of part: everybody sees it."""

    def plant(patch: pytest.MonkeyPatch) -> None:
        enter = Exchange._enter

        def leaking(
            self: Exchange, batch: Batch, now_us: int, parts: list[tuple[str, str, Any]]
        ) -> Any:  # noqa: ANN401
            return enter(self, batch, now_us, [
                (",".join(PARTIES) if part[1] == kind else part[0], *part[1:]) for part in parts
            ])  # fmt: skip

        patch.setattr(Exchange, "_enter", leaking)

    return plant


def trees_of_others(patch: pytest.MonkeyPatch) -> None:
    """Put the trees of all others into a party's file."""
    patch.setattr(record_views, "is_seen", lambda audience, party: bool(audience and party))


def number_for_all(patch: pytest.MonkeyPatch) -> None:
    """Count the notices of all parties together."""
    world = in_notice(lambda notice, world: replace(notice, number=len(world.of_operation)))
    world(patch)


def ids_from_a_count(patch: pytest.MonkeyPatch) -> None:
    """Make ids of conflicts from how much was filed."""
    in_conflict(lambda conflict, world: (
        conflict if conflict.id in world.conflicts
        else replace(conflict, id=f"{world.filings:032x}")
    ))(patch)  # fmt: skip


def raised_at_the_next_act(patch: pytest.MonkeyPatch) -> None:
    """Enter what falls due with the time of the act that comes next."""
    due = Exchange._pass_time

    def late(self: Exchange, batch: Batch, now_us: int) -> None:
        waiting = self._kept.due._heap
        while waiting and waiting[0].at_us <= now_us:
            waiting[:] = [Timer(max(each.at_us, now_us), each.key) for each in waiting]
            due(self, batch, now_us)

    patch.setattr(Exchange, "_pass_time", late)


def refusals_that_know(patch: pytest.MonkeyPatch) -> None:
    """Say of an id that is another's that it is another's."""
    own = Deciding.operation

    def leaking(self: Deciding, operation_id: str, party: str) -> Operation:
        if operation_id in self.world.operations:
            return own(self, operation_id, party)
        raise operations.Refused(
            f"operation {operation_id} is none of {len(self.world.operations)}"
        )

    patch.setattr(Deciding, "operation", leaking)


def everybody_looked_at_again(patch: pytest.MonkeyPatch) -> None:
    """Look at every pair again where an agreement of any two changes."""

    def all_again(deciding: Deciding, operation: Operation, why: dict[str, str]) -> None:
        rechecking.recheck(deciding, operation, next(iter(why.values())))

    patch.setattr(agreements, "recheck", all_again)


def verdict_on_what_is_shown(patch: pytest.MonkeyPatch) -> None:
    """Say in the clause how many operations came near, in conflict or not."""
    near = Near.near
    found: list[int] = [0]

    def counted(self: Near, *args: Any) -> list[str]:  # noqa: ANN401
        hits = near(self, *args)
        found[0] = len(self._kept)
        return hits

    patch.setattr(Near, "near", counted)
    in_conflict(lambda conflict, _: replace(conflict, clause=f"{conflict.clause} {found[0]}"))(
        patch
    )


def accepted_is_shown(patch: pytest.MonkeyPatch) -> None:
    """Show whether an operation is accepted, which hangs on its conflicts with all others."""

    def change(notice: views.Notice, world: World) -> views.Notice:
        state = world.operations[notice.other.id].state
        is_accepted = state is State.ACCEPTED
        return replace(notice, note=f"{notice.note} {is_accepted}")

    in_notice(change)(patch)


def broken_numbers(conflict: Conflict, world: World) -> Conflict:
    """Put into the numbers how many operations b does not see."""
    hidden = float(len(not_seen(world)))
    return replace(conflict, broken=tuple(
        replace(each, numbers=each.numbers and replace(each.numbers, lateral_m=hidden))
        for each in conflict.broken
    ))  # fmt: skip


def last_us(hidden: Iterable[Operation]) -> int:
    return max(each.end_us for each in hidden)


def over_at_its_end(patch: pytest.MonkeyPatch) -> None:
    """Let an operation that time has ended be over for the other side at that instant."""
    patch.setattr(rechecking, "is_there", lambda _, operation, *_more: operation.is_protecting)


def seen_as_over(patch: pytest.MonkeyPatch) -> None:
    """Show an operation that time has ended as it stands, until its conflict is over, too."""
    patch.setattr(deciding, "as_stood", lambda _, operation: operation)


HIDDEN: Final[dict[str, Plant]] = {
    "box": in_shown(box=lambda h: Box(south_deg=len(h), west_deg=0, north_deg=1, east_deg=1)),
    "lower": in_shown(lower=lambda h: str(h[0].volumes[0].volume.lower)),
    "upper": in_shown(upper=lambda h: str(h[-1].volumes[0].volume.upper)),
    "from": in_shown(from_us=lambda h: min(each.start_us for each in h)),
    "to": in_shown(to_us=last_us),
    "callsign": in_shown(callsign=lambda h: h[0].callsign + "?"),
    "count": in_shown(count=lambda h: sum(each.count for each in h)),
    "volumes": in_shown(volumes=lambda h: h[0].volumes),
    "state of the other": in_shown(state=lambda h: h[-1].state.value),
    "ovn": in_shown(ovn=lambda h: h[-1].ovn),
    "by": in_shown(by=lambda h: (h[0].id,)),
    "number": number_for_all,
    "state": in_notice(lambda n, w: replace(n, state=f"{n.state} {len(not_seen(w))}")),
    "must act": in_notice(lambda n, w: replace(n, must_act=n.must_act * (1 + len(not_seen(w))))),
    "clause": in_notice(lambda n, w: replace(n, clause=f"{n.clause} {w.filings}")),
    "acknowledged": in_notice(
        lambda n, w: replace(n, acknowledged=tuple({each.party for each in not_seen(w)}))
    ),
    "agreed": in_notice(lambda n, w: replace(n, agreed=tuple(each.party for each in not_seen(w)))),
    "answers": in_notice(
        lambda n, w: replace(n, answers=tuple(("a", "NOTED", each.id) for each in not_seen(w)))
    ),
    "trees of others": trees_of_others,
    "note": in_notice(lambda n, w: replace(n, note=w.hash)),
    "closed by": in_conflict(lambda c, w: replace(c, closed_by=c.closed_by and w.hash)),
    "raised": in_conflict(lambda c, w: replace(c, raised_us=c.raised_us + w.filings)),
    "numbers": in_conflict(broken_numbers),
    "must act of the conflict": in_conflict(
        lambda c, w: replace(c, must_act=(c.a, c.b) if not_seen(w) else c.must_act)
    ),
    "id of the conflict": ids_from_a_count,
    "acts for everybody": audience("act/1"),
    "filings for everybody": audience("operation-filed/1"),
    "moves for everybody": audience("operation-moved/1"),
    "conflicts for everybody": audience("conflict-changed/1"),
    "notices for everybody": audience("notice/1"),
    "agreements for everybody": audience("agreement-stood/1"),
    "none-heres for everybody": audience("none-here-stated/1"),
    "their withdrawals for everybody": audience("none-here-withdrawn/1"),
    "their contradictions for everybody": audience("none-here-contradicted/1"),
    "contradictions shown for everybody": audience("contradictions-shown/1"),
    "cases for everybody": audience("incident-changed/1"),
    "lines for everybody": audience("line-changed/1"),
    "rates for everybody": audience("filings-counted/1"),
    "STOPs for everybody": audience("stop-changed/1"),
    "keep outs for everybody": audience("keep-outs-changed/1"),
    "the time of the next act": raised_at_the_next_act,
    "refusals": refusals_that_know,
    "agreements of others": everybody_looked_at_again,
    "how many are near": verdict_on_what_is_shown,
    "accepted": accepted_is_shown,
    "late by agreements with others": late_by_agreements_with_others,
}
UNGRANTED: Final[dict[str, Plant]] = {
    **{
        name: ungranted(name)
        for name in (
            "callsign", "count", "volumes", "uncertainty", "box", "lower", "upper", "from_us",
            "to_us", "craft_class", "late_us",
        )
    },
    "numbers of the exact shapes": exact,
    "a box finer than the grain": exact_box,
    "levels and times finer than the grain": exact_levels_and_times,
    "lateness finer than the grain": exact_lateness,
    "over at its end": over_at_its_end,
    "seen as over": seen_as_over,
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("name", HIDDEN)
def test_a_leak_of_what_b_does_not_see_is_found(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    HIDDEN[name](monkeypatch)

    assert is_found(pairs(), 400)


@pytest.mark.slow
@pytest.mark.parametrize("name", UNGRANTED)
def test_a_leak_of_what_no_clause_grants_is_found(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    UNGRANTED[name](monkeypatch)

    assert is_found(same_as_shown(), 150)


class Found(Exception):
    """Two worlds differ."""


def is_found(worlds: st.SearchStrategy[Pair], most: int) -> bool:
    """Tell whether one of some pairs of worlds differs."""

    @settings(search, max_examples=most, report_multiple_bugs=False)
    @given(pair=worlds)
    def look(pair: Pair) -> None:
        if difference(pair):
            raise Found

    try:
        look()
    except Found:
        return True
    return False
