# SPDX-License-Identifier: Apache-2.0
"""Two worlds of `two_worlds` that differ in what is seen of an operation and not granted."""

from dataclasses import replace
from typing import Any, Final

from hypothesis import strategies as st

from keepclear.agreement.clauses import Field, LeadTime
from tests.agreement_plays import clause
from tests.two_worlds import GRADES, MINUTE_US, Pair, Plan, Seen, Step, between, grade, separation

# Of a1, whose circle has each of its sides 400 m or more from the lines of the grid of `grade`:
# what may differ within the cells of what is granted, and what may where it is not granted.
LATITUDE_OFF_GRID: Final = 2  # place
WITHIN: Final[dict[Field, tuple[dict[str, Any], ...]]] = {
    Field.AREA_BOX: ({"radius": "7300 m"}, {"lateral": "90 m"}),
    Field.LEVEL_BAND: ({"higher": 4},),
    Field.TIME_BAND: ({"start": 52, "lasts": 32},),
}
WITHOUT: Final[dict[Field, tuple[dict[str, Any], ...]]] = {
    Field.AREA_BOX: ({"place": LATITUDE_OFF_GRID + 1}, {"radius": "2.4 NM"}),
    Field.LEVEL_BAND: ({"level": 21}, {"level": 23}),
    Field.TIME_BAND: ({"start": 60, "lasts": 29}, {"start": 61, "lasts": 24}),
    Field.CALLSIGN: ({"callsign": "OTHER"},),
    Field.COUNT: ({"count": 9, "count_most": 9}, {"count_most": 12}),
    Field.EVERYTHING: ({"craft": "unmanned"}, {"lateral": "70 m"}),
}


ON_A_CONFLICT: Final = (
    "acknowledge", "answer", "agree", "propose", "file", "contingent", "end", "airborne",
)  # fmt: skip


@st.composite
def same_as_shown(draw: st.DrawFn) -> Pair:
    """Return two worlds in which an operation of a differs only in what no clause grants b.

    Where a has activated it they end before it does: that it has not been ended shows, and when.
    """
    fields = draw(st.sampled_from((None, *GRADES[:-1])))
    clauses = [separation("8 NM / 2000 ft")]
    # an hour: whatever differs, a1 is filed later than that
    clauses.append(clause("3", "Before.", LeadTime(notice_us=60 * MINUTE_US)))
    if fields is not None:
        clauses.append(clause("2", "Shown.", grade(fields)))
    plan = Plan(place=LATITUDE_OFF_GRID, level=22, higher=3, start=51, lasts=31)
    changes: dict[str, Any] = {}
    for each in Field:
        ways = WITHIN if fields is not None and each in fields else WITHOUT
        changes |= draw(st.sampled_from(({}, *ways.get(each, ()))))
    is_activated = draw(st.booleans())
    # what b does while a1 is over in one world and not in the other
    late = [
        Step(after=after, party="b", does=draw(st.sampled_from(ON_A_CONFLICT)), operation="b1",
             other="a1", number=3, plan=replace(plan, lasts=45))
        for after in (83, 86)
    ]  # fmt: skip
    worlds = [
        Seen(
            agreements=(between("a", "b", "a-b", *clauses),), until=45 if is_activated else 0,
            steps=(
                Step(after=15, party="a", does="file", operation="a1", plan=each),
                Step(after=30, party="b", does="file", operation="b1", plan=plan),
                Step(after=35, party="b", does="acknowledge", operation="b1", other="a1"),
                *([Step(after=36, party="a", does="activate", operation="a1")] * is_activated),
                Step(after=40, party="b", does="activate", operation="b1"),
                *([] if is_activated else late),
            ),
        )
        for each in (plan, replace(plan, **changes))
    ]  # fmt: skip
    return Pair(seen=worlds[0], hidden=((), ()), other=worlds[1])
