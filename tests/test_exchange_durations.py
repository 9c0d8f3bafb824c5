# SPDX-License-Identifier: Apache-2.0
"""Duration leaves in the exchange: judged shift by shift, LIMITED told to both and no conflict.

The rule is that of threes, reported by the press for 2015: 3 NM or 3000 ft, or at most 3 minutes;
inside 1 NM and 1000 ft no duration helps.
"""

import random
import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import msgspec
import pytest

from keepclear.agreement.binding import Minima
from keepclear.agreement.claims import (
    Claim,
    breaches,
    compile_claim,
    every_cylinder,
    judge,
    limited,
)
from keepclear.agreement.clauses import Field, Separation
from keepclear.agreement.documents import Agreement
from keepclear.agreement.findings import Verdict
from keepclear.agreement.rules_toml import parse_short, read_rules
from keepclear.airspace.altitudes import parse_altitude
from keepclear.airspace.positions import Position
from keepclear.airspace.volumes import Polygon, Volume3D, Volume4D
from keepclear.detect.datums import Datums
from keepclear.exchange import limited as telling
from keepclear.exchange.audit import audit
from keepclear.exchange.events import Limit, LimitedFound, MoreLimited
from keepclear.exchange.folding import fold
from keepclear.exchange.index import Near
from keepclear.formats.play import read_play
from keepclear.plans import acts
from keepclear.plans.conflicts import State
from keepclear.plans.filing import FiledCircle, FiledOperation, FiledVolume
from keepclear.plans.operations import State as OperationState
from keepclear.record.headers import Status
from keepclear.reports.play_text import played_text
from keepclear.units import format_time
from tests.agreement_plays import clause
from tests.exchange_plays import played
from tests.record_plays import START_US
from tests.stay_oracle import Scene, longest, verdict
from tests.test_cli_record import run, write_record
from tests.test_rules_of_the_door import Play
from tests.test_volumes_stays import RULES, Volume, parts_of, some_volumes
from tests.two_worlds import MINUTE_US, Plan, between, filed, grade
from tests.worlds_played import functions

A_SECOND_US: Final = 1_000_000
THREES: Final = read_rules(RULES)
NEAR_DEG: Final = (2 * 1_000 + 2 * 1_852) / 111_000  # two circles of 1 km, 2 NM from edge to edge
FAR_DEG: Final = 1.0
TOUCHING_DEG: Final = 0.02  # well within the floor of 1 NM


# --- as defined -------------------------------------------------------------------------------


def claim_of(name: str, volumes: Sequence[Volume], tolerance_s: int) -> Claim:
    """Return a claim of boxes across the equator, which may run early or late."""
    made = []
    for west, east, lower, upper, start_s, end_s in volumes:
        corners = ((-0.5, west), (-0.5, east), (0.5, east), (0.5, west))
        ring = tuple(Position(latitude_deg=y, longitude_deg=x) for y, x in corners)
        made.append(Volume4D(
            volume=Volume3D(shape=Polygon(ring=ring), lower=parse_altitude(f"FL{lower}"),
                            upper=parse_altitude(f"FL{upper}")),
            start_us=start_s * A_SECOND_US, end_us=end_s * A_SECOND_US,
        ))  # fmt: skip
    late_us = tolerance_s * A_SECOND_US
    return Claim(id=name, party=name, craft_class="any", has_rvsm=False, volumes=tuple(made),
                 early_us=late_us, late_us=late_us)  # fmt: skip


def gaps_of(volumes: Sequence[Volume]) -> list[tuple[int, int]]:
    """Return the times between volumes at which there is none, second by second."""
    first, last = min(v.start_s for v in volumes), max(v.end_s for v in volumes)
    empty = [s for s in range(first, last) if not any(v.start_s <= s < v.end_s for v in volumes)]
    gaps: list[tuple[int, int]] = []
    for second in empty:
        if gaps and gaps[-1][1] == second * A_SECOND_US:
            gaps[-1] = (gaps[-1][0], (second + 1) * A_SECOND_US)
        else:
            gaps.append((second * A_SECOND_US, (second + 1) * A_SECOND_US))
    return gaps


def scene_of(one: Sequence[Volume], other: Sequence[Volume], tolerance_s: int) -> Scene:
    most_us = 2 * tolerance_s * A_SECOND_US
    lives = [
        (min(v.start_s for v in each) * A_SECOND_US, max(v.end_s for v in each) * A_SECOND_US)
        for each in (one, other)
    ]
    return Scene(
        parts_of(one, other), gaps_of(one), gaps_of(other), lives[0], lives[1],
        (-most_us, most_us), 180 * A_SECOND_US, 60 * A_SECOND_US,
    )  # fmt: skip


@pytest.mark.slow
def test_a_pair_of_claims_is_judged_as_every_allowed_shift_says() -> None:
    choose = random.Random(4)
    seen: Counter[Verdict] = Counter()
    more_careful = 0

    for _ in range(150):
        # 1500 ft apart: within the minima, and not within the floor
        one, other = some_volumes(choose, 200), some_volumes(choose, 265)
        tolerance_s = choose.choice([0, 0, 30, 120])
        datums = Datums()
        a, b = (
            compile_claim(claim_of(name, each, tolerance_s), datums)
            for name, each in (("a", one), ("b", other))
        )
        scene = scene_of(one, other, tolerance_s)
        found = judge(functions(), a, b, THREES)
        right = verdict(scene, samples=50) if longest(scene) > 0 else Verdict.CLEAR
        seen[right] += 1
        said = Verdict.CLEAR if found is None else found.verdict
        minima = [Minima(THREES, "", "")]
        assert bool(breaches(functions(), a, b, minima)) == (
            said not in {Verdict.CLEAR, Verdict.LIMITED}
        )
        assert bool(limited(functions(), a, b, minima)) == (said is Verdict.LIMITED)

        # undecided within a millisecond of a shift at which pieces join: the worse one
        assert said is right or (said is Verdict.CONFLICT and right is not Verdict.CLEAR)
        more_careful += said is not right

    assert min(seen[each] for each in Verdict if each is not Verdict.BOUNDARY) >= 2, seen
    assert more_careful <= 2


def test_what_is_kept_wider_than_filed_is_judged_as_when_it_is_widened_anew() -> None:
    # allowed for an hour; each of these is widened to half an hour about its middle, so the second
    # is there before the first was to start, and after it is there
    longer = read_rules(RULES.replace("180 s", "3600 s"))
    far, here = (20.0, 20.2), (10.0, 10.2)
    passing_by = [
        Volume(*far, 265, 315, 3600, 4200), Volume(*here, 265, 315, 4200, 4320),
        Volume(*far, 265, 315, 4320, 5400),
    ]  # fmt: skip
    claims = [claim_of("a", [Volume(*here, 200, 250, 0, 9000)], 0), claim_of("b", passing_by, 0)]
    near = Near(functions(), every_cylinder([longer]))
    for each in claims:
        near.put(Status.EXERCISE, each)

    a, b = (near.compiled(each.id, near.bound) for each in claims)
    c, d = (near.compile(each, near.bound) for each in claims)
    kept, anew = judge(functions(), a, b, longer), judge(functions(), c, d, longer)

    assert kept == anew
    assert kept is not None
    assert kept.verdict is Verdict.LIMITED


# --- in the exchange --------------------------------------------------------------------------


def agreed(rules: Any = THREES, name: str = "a-b") -> Agreement:  # noqa: ANN401
    """Return an agreement of a and b in full disclosure, so that nothing is widened."""
    return between("a", "b", name, clause("1", "Threes.", Separation(rules=rules)),
                   clause("2", "Shown.", grade((Field.EVERYTHING,))))  # fmt: skip


def volume(offset_deg: float, start: float, end: float) -> FiledVolume:
    """Return a circle of 1 km, so far north of 35 degrees, from one minute to another."""
    start_text, end_text = (
        f"{format_time(START_US + round(each * MINUTE_US))[:19]}Z" for each in (start, end)
    )
    return FiledVolume(
        shape=FiledCircle(centre=(35.0 + offset_deg, 35.5), radius="1 km"), lower="FL220",
        upper="FL230", start=start_text, end=end_text,
    )  # fmt: skip


def passing(
    minutes: float, offset_deg: float = NEAR_DEG, gap: float = 0, first: float = 30
) -> FiledOperation:  # fmt: skip
    """Return an operation that comes near for so many minutes, and is far before and after.

    gap: for how many minutes after it was near it is nowhere.
    """
    volumes = (
        volume(FAR_DEG, first, 60), volume(offset_deg, 60, 60 + minutes),
        volume(FAR_DEG, 60 + minutes + gap, 90),
    )  # fmt: skip
    return msgspec.structs.replace(filed(Plan(place=0, level=22, start=30, lasts=30)),
                                   volumes=volumes if first < 60 else volumes[1:])  # fmt: skip


STAYING: Final = msgspec.structs.replace(
    filed(Plan(place=0, level=22, start=30, lasts=30)), volumes=(volume(0, 10, 120),)
)


def file(play: Play, party: str, made: FiledOperation) -> str:
    known = set(play.world.operations)
    assert play.do(party, "operations.file/1", acts.FileOperation(operation=made)) == ""
    [new] = set(play.world.operations) - known
    return new


def met(made: FiledOperation, *more: Agreement) -> tuple[Play, str, str]:
    """Return a play in which b passes by a's operation, and the ids of both."""
    play = Play(agreed(), *more)
    return play, file(play, "a", STAYING), file(play, "b", made)


def told_limited(play: Play, party: str) -> list[LimitedFound]:
    return [
        msgspec.json.decode(each.data, type=LimitedFound)
        for each in play.parts(party) if each.kind == "limited-found/1"
    ]  # fmt: skip


def test_a_stay_no_longer_than_allowed_is_limited_told_to_both_and_no_conflict() -> None:
    play, of_a, of_b = met(passing(3))

    [own_hash] = play.world.agreements
    a, b = sorted((of_a, of_b))
    parties = ("a", "b") if a == of_a else ("b", "a")
    rule = THREES.rules[0].id
    expected = LimitedFound(
        a=a, b=b, parties=parties, limits=(Limit(agreement=own_hash, clause="1", rule=rule),)
    )  # fmt: skip
    assert told_limited(play, "a") == told_limited(play, "b") == [expected]
    assert told_limited(play, "c") == []
    assert play.world.conflicts == {}
    assert play.notices("a") == play.notices("b") == []
    assert play.world.operations[of_b].state is OperationState.ACCEPTED
    assert fold(play.stage.lines).hash == play.world.hash


def test_a_stay_that_is_longer_is_a_conflict_and_says_by_how_much() -> None:
    play, of_a, _ = met(passing(3.5))

    [conflict] = play.world.conflicts_of(of_a)
    numbers = conflict.broken[0].numbers
    assert numbers is not None
    assert (numbers.verdict, numbers.short_by_s) == (Verdict.CONFLICT, 30)
    assert told_limited(play, "a") == []


def test_a_stay_that_is_open_where_a_plan_begins_counts_as_a_conflict() -> None:
    play, of_a, _ = met(passing(2, first=60))

    [conflict] = play.world.conflicts_of(of_a)
    numbers = conflict.broken[0].numbers
    assert numbers is not None
    assert numbers.verdict is Verdict.UNDETERMINED


def test_inside_the_floor_no_duration_helps() -> None:
    play, of_a, _ = met(passing(0.5, TOUCHING_DEG))

    assert len(play.world.conflicts_of(of_a)) == 1


def test_where_an_operation_is_nowhere_for_a_while_the_stay_may_go_on() -> None:
    without, of_a, _ = met(passing(2))
    with_gap, of_a_too, _ = met(passing(2, gap=2))

    assert without.world.conflicts_of(of_a) == []
    assert len(with_gap.world.conflicts_of(of_a_too)) == 1


def test_what_becomes_limited_settles_its_conflict_and_is_told() -> None:
    play, of_a, of_b = met(passing(5))
    [conflict] = play.world.conflicts_of(of_a)
    ovn = play.world.operations[of_b].ovn

    made = acts.UpdateOperation(id=of_b, ovn=ovn, operation=passing(2))
    assert play.do("b", "operations.update/1", made) == ""

    assert play.world.conflicts[conflict.id].state is State.RESOLVED
    assert len(told_limited(play, "a")) == len(told_limited(play, "b")) == 1


def test_of_what_is_over_by_its_time_it_is_not_told_that_it_has_become_limited() -> None:
    play = Play(agreed())
    of_a = file(play, "a", msgspec.structs.replace(
        STAYING, volumes=(volume(0, 10, 70),), late="15 min"
    ))  # fmt: skip
    of_b = file(play, "b", passing(5))
    [conflict] = play.world.conflicts_of(of_a)
    play.at(75)
    assert not play.world.operations[of_a].is_protecting
    assert not play.world.conflicts[conflict.id].is_settled

    ovn = play.world.operations[of_b].ovn
    made = acts.UpdateOperation(id=of_b, ovn=ovn, operation=passing(2))
    assert play.do("b", "operations.update/1", made) == ""

    assert play.world.conflicts[conflict.id].state is State.RESOLVED
    assert told_limited(play, "b") == []
    assert audit(play.stage.lines, functions()).differences == ()


def test_another_agreement_without_a_duration_still_makes_it_a_conflict() -> None:
    play, of_a, _ = met(passing(2), agreed(parse_short("3 NM / 3000 ft"), "a-b-2"))

    [conflict] = play.world.conflicts_of(of_a)
    assert len(conflict.broken) == 1
    assert told_limited(play, "a") == []


def test_an_agreement_that_makes_it_limited_tells_it_once() -> None:
    play = Play()
    of_a = file(play, "a", STAYING)
    file(play, "b", passing(2))
    [conflict] = play.world.conflicts_of(of_a)  # by the house rule

    made = agreed()
    play.stage.carry(play.stage.signed(made), made)

    assert play.world.conflicts[conflict.id].state is State.RESOLVED
    assert len(told_limited(play, "a")) == len(told_limited(play, "b")) == 1


def test_an_agreement_of_others_tells_nothing_again() -> None:
    play, _, _ = met(passing(2))
    other = between("a", "c", "a-c", clause("1", "Threes.", Separation(rules=THREES)))
    before = play.seen("b")

    play.stage.carry(play.stage.signed(other), other)

    assert play.seen("b") == before


def test_more_than_an_entry_holds_are_counted_for_the_owner_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(telling, "MOST", 1)
    play = Play(agreed())
    for _ in range(3):
        file(play, "a", STAYING)

    own = file(play, "b", passing(2))

    assert len(told_limited(play, "b")) == 1
    more = [each for each in play.parts("b") if each.kind == "more-limited/1"]
    assert [msgspec.json.decode(each.data, type=MoreLimited) for each in more] == [
        MoreLimited(id=own, more=2)
    ]
    assert not [each for each in play.parts("a") if each.kind == "more-limited/1"]


PLAY: Final = """
title = "EXERCISE: passing by"
region = "exercise-threes"
start = "2015-10-05T06:00:00Z"
house = '''
{rules}
'''
parties = {{ north = "North", south = "South" }}
[areas.long]
shape = {{ kind = "circle", centre = [35.0, 35.5], radius = "3 NM" }}
lower = "FL200"
upper = "FL220"
[areas.above]
shape = {{ kind = "circle", centre = [35.0, 35.5], radius = "3 NM" }}
lower = "FL240"
upper = "FL260"
[areas.away]
shape = {{ kind = "circle", centre = [37.0, 35.5], radius = "3 NM" }}
lower = "FL240"
upper = "FL260"
[[acts]]
at = "1 min"
by = "north"
does = "file"
operation = "N1"
area = "long"
start = "2015-10-05T09:00:00Z"
lasts = "2 h"
[[acts]]
at = "2 min"
by = "south"
does = "file"
operation = "S1"
area = ["away", "above", "away"]
start = ["2015-10-05T08:30:00Z", "2015-10-05T09:30:00Z", "2015-10-05T10:30:00Z"]
lasts = "{lasts}"
"""


def test_the_story_says_limited_and_that_it_is_no_conflict() -> None:
    # allowed for an hour, as small volumes are widened to half an hour
    rules = RULES.replace("180 s", "3600 s")
    limited_text, too_long = (PLAY.format(rules=rules, lasts=each) for each in ("60 min", "61 min"))

    stories = [
        re.sub(r"\s+", " ", played_text(read_play(text.encode(), "play"), played(text)))
        for text in (limited_text, too_long)
    ]

    assert (
        "LIMITED, and nobody must act: N1 and S1 within the minima of the house rule, for no "
        "longer than it allows told north, south"
    ) in stories[0]
    assert "conflicts: none found; no acts refused" in stories[0]
    assert "CONFLICT 1: N1 and S1" in stories[1]


def test_the_page_of_a_record_says_limited_too(tmp_path: Path) -> None:
    text = PLAY.format(rules=RULES.replace("180 s", "3600 s"), lasts="60 min")
    write_record(tmp_path / "all.record", played(text).lines)

    run("record", "report", str(tmp_path / "all.record"), "--output", str(tmp_path / "page.html"))

    page = (tmp_path / "page.html").read_text()
    assert "LIMITED, and nobody must act: north 1, south 1" in page
