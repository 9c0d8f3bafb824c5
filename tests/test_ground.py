# SPDX-License-Identifier: Apache-2.0
"""Ground and static operations: that they exist, and a grown area, unless a clause says more.

Who knows where something stands finds it there the next day (docs/disclosure.md).
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

import msgspec
import pytest
from geographiclib.geodesic import Geodesic
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from keepclear.agreement.clauses import Disclosure, Field
from keepclear.agreement.documents import Agreement
from keepclear.exchange.disclosure import GROWN_TMM, Shown, grants_of
from keepclear.plans import acts
from keepclear.plans.filing import Craft, Domain
from keepclear.reports.agreement_text import decides_text
from tests.agreement_plays import clause
from tests.test_rules_of_the_door import Play
from tests.two_worlds import (
    FIELDS,
    Pair,
    Plan,
    Seen,
    Step,
    between,
    filed,
    grade,
    separation,
)
from tests.worlds_played import difference

EVERYTHING: Final = (Field.EVERYTHING,)
GROUND: Final = Plan(place=2, level=22, start=60, lasts=30, radius="300 m", domain=Domain.GROUND)
AIR: Final = replace(GROUND, domain=Domain.AIR, radius="4 NM")
metres_of_grid: Final = 1.0  # what rounding a side to the grid may be off by
hundredth_more: Final = 1.01  # what a degree is reckoned too short by, at most


def agreed(
    fields: Sequence[Field] | None, ground: Sequence[Field] = (), rule: str = "8 NM / 2000 ft",
    **grains: int,
) -> Agreement:  # fmt: skip
    """Return an agreement of a and b that shows some fields, and some of ground operations."""
    shown = () if fields is None else (
        clause("2", "Shown.", msgspec.structs.replace(grade(fields), ground=ground, **grains)),
    )  # fmt: skip
    return between("a", "b", "a-b", separation(rule), *shown)


def seen(agreement: Agreement, plan: Plan = GROUND, **changes: Any) -> tuple[Play, Shown]:  # noqa: ANN401
    """Return what b sees of a's operation, which is in conflict with its own."""
    play = Play(agreement)
    made = msgspec.structs.replace(filed(plan), **changes)
    assert play.do("a", "operations.file/1", acts.FileOperation(operation=made)) == ""
    play.file("b", AIR)
    return play, play.notices("b")[-1].other


def granted(shown: Shown) -> set[str]:
    """Return which of what takes a clause is shown."""
    return {
        name for name in ("box", "lower", "from_us", "callsign", "count", "volumes", "craft_class")
        if getattr(shown, name) is not None
    }  # fmt: skip


@pytest.mark.parametrize("fields", [FIELDS, EVERYTHING, (Field.AREA_BOX,)])
def test_of_a_ground_operation_the_area_alone_is_shown(fields: Sequence[Field]) -> None:
    play, shown = seen(agreed(fields))

    assert granted(shown) == {"box"}
    assert play.notices("b")[-1].broken[0].numbers is None
    assert play.notices("a")[-1].broken == play.notices("b")[-1].broken


@pytest.mark.parametrize("fields", [None, (), (Field.LEVEL_BAND, Field.TIME_BAND)])
def test_where_no_area_is_granted_the_existence_alone_is_shown(
    fields: Sequence[Field] | None,
) -> None:
    _, shown = seen(agreed(fields))

    assert granted(shown) == set()
    assert shown.ovn is not None


@pytest.mark.parametrize("craft", [Craft.VEHICLE, Craft.STATIC])
def test_what_does_not_fly_counts_as_such_in_any_domain(craft: Craft) -> None:
    _, shown = seen(agreed(FIELDS), craft=craft, domain=Domain.AIR)

    assert granted(shown) == {"box"}


def test_what_flies_is_shown_as_before() -> None:
    play, shown = seen(agreed(EVERYTHING), AIR)

    assert granted(shown) == {
        "box", "lower", "from_us", "callsign", "count", "volumes", "craft_class"
    }  # fmt: skip
    assert play.notices("b")[-1].broken[0].numbers is not None


@pytest.mark.parametrize(
    ("ground", "has"),
    [
        ((Field.LEVEL_BAND,), {"box", "lower"}),
        (FIELDS[:3], {"box", "lower", "from_us"}),
        (EVERYTHING, {"box", "lower", "from_us", "callsign", "count", "volumes", "craft_class"}),
    ],
)
def test_a_clause_can_show_more_of_ground_operations(
    ground: Sequence[Field], has: set[str]
) -> None:
    _, shown = seen(agreed(EVERYTHING, ground))

    assert granted(shown) == has


def test_a_clause_cannot_show_more_of_ground_operations_than_of_others() -> None:
    with pytest.raises(ValueError, match="shows level_band of ground operations and of no others"):
        agreed((Field.AREA_BOX,), (Field.LEVEL_BAND,))


def test_of_two_clauses_both_must_show_more_of_ground_operations() -> None:
    wide, less = (
        Disclosure(fields=EVERYTHING, grain_tmm=0, level_grain_tmm=0, time_grain_us=0, ground=each)
        for each in (EVERYTHING, (Field.LEVEL_BAND,))
    )

    assert grants_of([("h", "1", wide), ("h", "2", less)]).ground == {Field.LEVEL_BAND}
    assert grants_of([("h", "1", wide), ("h", "2", wide)]).ground == {Field.EVERYTHING}


@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(place=st.integers(0, 4), lateral=st.integers(0, 3_000), grain_km=st.sampled_from((0, 1, 10)))
def test_each_side_of_the_area_is_grown_and_lies_on_a_grid_of_10_km(
    place: int, lateral: int, grain_km: int
) -> None:
    plan = replace(GROUND, place=place, lateral=f"{lateral} m")
    agreement = agreed(EVERYTHING, grain_tmm=grain_km * 10_000_000)
    _, shown = seen(agreement, plan, has_rvsm=True)
    box = shown.box
    assert box is not None
    latitude = 35.0 + place * 3.5 / 60
    south_m, north_m = (
        Geodesic.WGS84.Inverse(latitude, 35.5, side, 35.5)["s12"]
        for side in (box.south_deg, box.north_deg)
    )

    reach_m = 9_260 / 2 + lateral + GROWN_TMM / 10_000  # widened to the probing bound of 5 NM
    for side_m in (south_m, north_m):
        assert reach_m - metres_of_grid <= side_m <= hundredth_more * (reach_m + 10_000)
    step_deg = 10_000 / 110_574
    for side in (box.south_deg, box.north_deg):
        assert abs(side / step_deg - round(side / step_deg)) < 1e-6


def test_ground_operations_in_the_same_cells_look_the_same_to_the_byte() -> None:
    plans = (GROUND, replace(
        GROUND, radius="800 m", lateral="70 m", level=21, start=55, lasts=40, callsign="X", count=3
    ))  # fmt: skip
    worlds = [
        Seen(agreements=(agreed(EVERYTHING),), until=45, steps=(
            Step(after=15, party="a", does="file", operation="a1", plan=each),
            Step(after=30, party="b", does="file", operation="b1", plan=AIR),
            Step(after=35, party="b", does="acknowledge", operation="b1", other="a1"),
        ))
        for each in plans
    ]  # fmt: skip

    assert difference(Pair(seen=worlds[0], hidden=((), ()), other=worlds[1])) == ""


def test_small_plans_cannot_map_a_ground_operation_where_all_else_is_shown() -> None:
    play = Play(agreed(EVERYTHING, rule="50 m / 30 m"))
    own = play.file("a", GROUND)

    near = play.file("b", replace(AIR, place=3, radius="50 m"))  # 3.5 NM from it

    [conflict] = play.world.conflicts_of(own)
    assert conflict.other(own) == near


def test_what_a_clause_shows_of_ground_operations_is_printed() -> None:
    assert "ground the area alone and grown" in decides_text(grade(FIELDS))
    assert decides_text(
        msgspec.structs.replace(grade(FIELDS), ground=(Field.AREA_BOX,))
    ).endswith("ground area_box")  # fmt: skip
