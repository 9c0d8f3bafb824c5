# SPDX-License-Identifier: Apache-2.0
"""What was understood of a filing stands in its answer, in the units of either side.

docs/life-of-an-operation.md: a wrong unit, reference or zone is seen at once and not on the day.
"""

import re
from typing import Final

import msgspec
import pytest

from keepclear.exchange.events import OperationFiled
from keepclear.formats.play import read_play
from keepclear.plans import acts
from keepclear.plans.filing import FiledOperation
from keepclear.plans.understood import Height, Length, Understood
from keepclear.reports.play_text import played_text
from tests.exchange_plays import example, played
from tests.test_plans_filing import AREA, TRACK, Json
from tests.test_rules_of_the_door import Play

a_millimetre_in_km: Final = 1e-6
METRIC: Final[Json] = {
    **AREA, "lateral": "500 m", "vertical": "100 ft", "early": "2 min", "late": "30 s",
    "volumes": [{
        "shape": {"kind": "corridor", "route": [[35.0, 35.5], [35.5, 35.5]], "width": "10 km"},
        "lower": "900 m QNH 1013", "upper": "S0730",
        "start": "2015-09-30T13:00:00+03:00", "end": "2015-09-30T11:00:00Z",
    }],
}  # fmt: skip


def answered(value: Json) -> tuple[Play, Understood]:
    """Return what the answer to a filing says was understood."""
    play = Play()
    made = acts.FileOperation(operation=msgspec.convert(value, FiledOperation))
    answer = play.stage.submit("a", "operations.file/1", made)
    [part] = [each for each in answer.parts if each.kind == "operation-filed/1"]
    assert {each.leaf.audience for each in answer.leaves} == {"a"}
    return play, msgspec.json.decode(part.data, type=OperationFiled).understood


def test_what_was_filed_in_feet_and_miles_is_answered_in_metres_and_kilometres_too() -> None:
    _, said = answered(AREA)

    [volume] = said.volumes
    assert (volume.shape, volume.radius) == ("circle", Length(nm=3, km=5.556))
    # one foot is 0.3048 m, one nautical mile 1852 m (ISO 80000-3)
    assert volume.lower == Height(ft=20_000, m=6_096, reference="standard", level="FL200")
    assert volume.upper == Height(ft=24_000, m=7_315.2, reference="standard", level="FL240")
    assert (volume.start, volume.end) == (
        "2015-09-30T10:00:00.000000Z", "2015-09-30T11:00:00.000000Z"
    )  # fmt: skip


def test_what_was_filed_in_metres_and_local_time_is_answered_in_feet_and_utc_too() -> None:
    _, said = answered(METRIC)

    [volume] = said.volumes
    assert volume.width is not None
    assert abs(volume.width.nm - 10 / 1.852) < a_millimetre_in_km
    assert volume.width.km == 10
    assert volume.lower == Height(ft=900 / 0.3048, m=900, reference="QNH 1013")
    assert volume.upper == Height(ft=7_300 / 0.3048, m=7_300, reference="standard")
    assert volume.start == "2015-09-30T10:00:00.000000Z"
    assert (said.lateral.km, said.vertical) == (0.5, Height(ft=100, m=30.48))
    assert (said.early_s, said.late_s) == (120, 30)


def test_each_leg_of_a_trajectory_and_what_is_off_nominal_is_answered() -> None:
    play, said = answered(TRACK)
    assert [each.shape for each in said.volumes] == ["corridor", "circle"]
    assert [each.lower and each.lower.level for each in said.volumes] == ["FL195", "FL235"]

    [own] = play.world.operations
    play.do("a", "operations.activate/1", acts.ActivateOperation(id=own))
    volumes = msgspec.convert(AREA, FiledOperation).volumes
    made = acts.MakeContingent(id=own, off_nominal=volumes)
    answer = play.stage.submit("a", "operations.contingent/1", made)

    events = [
        msgspec.json.decode(part.data, type=OperationFiled)
        for part in answer.parts if part.kind == "operation-filed/1"
    ]  # fmt: skip
    assert [len(each.understood.off_nominal) for each in events] == [1]


def test_what_was_understood_is_its_owner_s_alone() -> None:
    play, _ = answered(AREA)
    again = acts.FileOperation(operation=msgspec.convert(AREA, FiledOperation))
    assert play.do("b", "operations.file/1", again) == ""

    assert b"understood" in play.seen("a")
    assert play.seen("b").count(b'"understood"') == 1


@pytest.mark.parametrize(
    ("area", "says"),
    [
        ('lower = "FL240"', "heights FL240 (24,000 ft, 7,315 m) to FL260 (26,000 ft, 7,925 m)"),
        ('lower = "900 m QNH 1013"', "heights 2,953 ft QNH 1013 (900 m) to FL260"),
    ],
)
def test_the_story_says_what_was_understood_in_both_units(area: str, says: str) -> None:
    text = example("two_plans_cross.toml").replace('lower = "FL240"', area)

    story = re.sub(r"\s+", " ", played_text(read_play(text.encode(), "play"), played(text)))

    assert says in story
    assert "corridor, 10 NM (18.52 km) wide" in story
