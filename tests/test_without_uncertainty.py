# SPDX-License-Identifier: Apache-2.0
"""A breach states its margin with what both may be off by and without it, where both are shown."""

from typing import Final

import pytest
from geographiclib.geodesic import Geodesic
from msgspec.structs import replace

from keepclear.agreement.clauses import Field
from keepclear.detect.compiled import plain
from keepclear.exchange.audit import audit
from keepclear.exchange.events import ConflictChanged
from keepclear.formats.play import read_play
from keepclear.plans.conflicts import Conflict, Numbers, WithoutUncertainty
from keepclear.plays.stage import Stage
from keepclear.record.encoding import Signed
from keepclear.reports.play_text import played_text
from tests.agreement_plays import clause
from tests.exchange_plays import played
from tests.incident_plays import file, staged, volume
from tests.resigned_records import resigned
from tests.two_worlds import FIELDS, between, grade, separation

NM_M: Final = 1_852.0
MINIMUM_NM: Final = 8.0
FAR: Final = WithoutUncertainty(is_broken=True, short_by_m=1.0)
a_metre: Final = 1.0  # circles of 4 NM are laid off to better than that
EVERYTHING: Final = (Field.EVERYTHING,)
PLAY: Final = """
title = "EXERCISE: what both may be off by"
region = "exercise"
start = "2015-10-05T06:00:00Z"
parties = {{ north = "North", south = "South" }}
agreement = {{ template = "full-disclosure" }}
[areas.one]
shape = {{ kind = "circle", centre = [35.0, 35.5], radius = "4 NM" }}
lower = "FL240"
upper = "FL250"
[areas.other]
shape = {{ kind = "circle", centre = [35.15, 35.5], radius = "4 NM" }}
lower = "FL240"
upper = "FL250"
[[acts]]
at = "0 min"
by = "north"
does = "file"
operation = "N1"
area = "one"
start = "2015-10-05T09:00:00Z"
lasts = "2 h"
lateral = "{lateral}"
[[acts]]
at = "1 min"
by = "south"
does = "file"
operation = "S1"
area = "other"
start = "2015-10-05T09:00:00Z"
lasts = "2 h"
lateral = "{lateral}"
"""


def stage_with(fields: tuple[Field, ...]) -> Stage:
    """Return a stage on which a and b keep 8 NM or 20000 ft apart and show some fields."""
    stage = staged("a", "b")
    made = between("a", "b", "a-b", separation("8 NM / 20000 ft"), clause("2", "S.", grade(fields)))
    stage.carry(stage.signed(made), made)
    return stage


def conflict(
    fields: tuple[Field, ...], minutes_north: float, lateral: str = "1 NM", **more: str
) -> Conflict:
    """Return the conflict of two circles of 4 NM, one so far north of the other."""
    stage = stage_with(fields)
    file(stage, "a", volume(), lateral=lateral, **more)
    file(stage, "b", volume(latitude=35 + minutes_north / 60), lateral=lateral)
    [found] = stage.exchange.world.conflicts.values()
    return found


def numbers_of(found: Conflict) -> Numbers:
    numbers = found.broken[0].numbers
    assert numbers is not None
    return numbers


def gap_m(minutes_north: float) -> float:
    """Return how far two circles of 4 NM are apart, by geographiclib."""
    line = Geodesic.WGS84.Inverse(35.0, 35.5, 35.0 + minutes_north / 60, 35.5)
    return float(line["s12"]) - 2 * 4 * NM_M


def test_both_margins_are_told_of_a_breach_that_is_one_either_way() -> None:
    # of a pair inside both minima the one that is undercut by less counts: here the lateral one
    numbers = numbers_of(conflict(EVERYTHING, 15.5))

    exact = numbers.without_uncertainty
    assert exact is not None
    assert exact.is_broken
    assert numbers.short_by_m is not None
    assert exact.short_by_m is not None
    assert abs(exact.short_by_m - (MINIMUM_NM * NM_M - gap_m(15.5))) < a_metre
    assert abs(numbers.short_by_m - exact.short_by_m - 2 * NM_M) < a_metre


def test_a_breach_that_is_one_by_uncertainty_alone_says_so() -> None:
    # 16.5 minutes of latitude are about 16.5 NM: 8.5 between the circles, 6.5 with a mile each
    numbers = numbers_of(conflict(EVERYTHING, 16.5))

    assert gap_m(16.5) > MINIMUM_NM * NM_M
    assert numbers.without_uncertainty is not None
    assert not numbers.without_uncertainty.is_broken
    assert numbers.without_uncertainty.short_by_m is None


@pytest.mark.parametrize("more", [{"vertical": "1500 ft"}, {"early": "10 min"}, {"late": "2 min"}])
def test_uncertainty_of_height_and_time_counts_as_such(more: dict[str, str]) -> None:
    numbers = numbers_of(conflict(EVERYTHING, 13.0, lateral="0 m", **more))

    assert numbers.without_uncertainty is not None
    assert numbers.without_uncertainty.is_broken


def test_where_neither_is_off_by_anything_there_is_one_margin() -> None:
    assert numbers_of(conflict(EVERYTHING, 13.0, lateral="0 m")).without_uncertainty is None


def test_where_uncertainty_is_not_shown_apart_no_margin_without_it_is_told() -> None:
    assert numbers_of(conflict(FIELDS, 13.0)).without_uncertainty is None


def test_the_audit_finds_another_margin_without_uncertainty() -> None:
    play = PLAY.format(lateral="1 NM")

    def spoil(_seq: int, _audience: str, value: Signed) -> Signed:
        if not isinstance(value, ConflictChanged):
            return value
        [broken] = value.conflict.broken
        assert broken.numbers is not None
        other = replace(broken.numbers, without_uncertainty=FAR)
        return replace(value, conflict=replace(
            value.conflict, broken=(replace(broken, numbers=other),)
        ))  # fmt: skip

    assert audit(played(play).lines, plain()).differences == ()
    spoilt = audit(resigned(played(play), spoil).lines, plain()).differences

    assert any("without_uncertainty" in each.what and not each.is_boundary for each in spoilt)


def test_a_play_says_what_it_would_be_without_uncertainty() -> None:
    told, exact = (
        " ".join(played_text(read_play(text.encode(), "play"), played(text)).split())
        for text in (PLAY.format(lateral=each) for each in ("1 NM", "0 m"))
    )

    # 0.15 degrees are 9 NM, so 1 between the circles, and nothing with a mile each
    assert "were both exactly where and when they say, it would hold" in told
    assert "CONFLICT" not in exact
