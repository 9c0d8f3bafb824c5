# SPDX-License-Identifier: Apache-2.0
"""How early and late an operation may say that it may run: 15 minutes, or what a clause allows.

The 15 minutes are those of the definition of time tolerance: above them a clause is needed.
"""

import pytest
from msgspec.structs import replace

from keepclear.agreement.clauses import TimeTolerance
from keepclear.agreement.documents import Agreement
from keepclear.plans import acts
from tests.agreement_plays import clause
from tests.test_lapses import is_sound
from tests.test_rules_of_the_door import HERE, Play
from tests.two_worlds import MINUTE_US, between, filed, separation


def with_tolerance(other: str, minutes: int | None, name: str = "") -> Agreement:
    """Return an agreement of a and another, with a tolerance; None for one without the clause."""
    rule = separation("8 NM / 2000 ft")
    allowed = () if minutes is None else (
        clause("2", "How late.", TimeTolerance(most_us=minutes * MINUTE_US)),
    )  # fmt: skip
    return between("a", other, name or f"a-{other}", rule, *allowed)


@pytest.mark.parametrize(
    ("agreements", "minutes"),
    [
        ((), 15),
        ((with_tolerance("b", None),), 15),
        ((with_tolerance("b", 40),), 40),
        ((with_tolerance("b", 5),), 5),
        ((with_tolerance("b", 20), with_tolerance("c", 30)), 30),
        ((with_tolerance("b", 20), with_tolerance("c", None)), 20),
    ],
)
@pytest.mark.parametrize("name", ["early", "late"])
def test_an_operation_may_be_early_and_late_by_as_much_as_a_clause_of_its_party_allows(
    name: str, agreements: tuple[Agreement, ...], minutes: int
) -> None:
    play = Play(*agreements)
    most, above = (
        acts.FileOperation(operation=replace(filed(HERE), **{name: each}))
        for each in (f"{minutes} min", f"{minutes} min 1 s")
    )

    refused = play.do("a", "operations.file/1", above)

    assert refused == (
        f"{name} '{minutes} min 1 s': is above {minutes} min, and no clause of a allows more; let "
        "its times start earlier and end later instead"
    )
    assert play.world.operations == {}
    assert play.do("a", "operations.file/1", most) == ""
    assert is_sound(play)


def test_a_change_is_held_to_it_as_a_filing_is() -> None:
    play = Play()
    own = play.file("a", HERE)
    operation = replace(filed(HERE), late="16 min")
    made = acts.UpdateOperation(
        id=own, ovn=play.world.operations[own].ovn, operation=operation
    )  # fmt: skip

    assert "is above 15 min" in play.do("a", "operations.update/1", made)

    assert play.world.operations[own].version == 1
