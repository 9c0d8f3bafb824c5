# SPDX-License-Identifier: Apache-2.0
"""By how much a STOP is grown: what its sender has agreed, or 5 km; never less by a suspension."""

from typing import Final

import msgspec
import pytest

from keepclear.agreement.clauses import KINDS, AnnexAuthority, StopDistance
from keepclear.agreement.documents import Agreement, hash_of
from keepclear.agreement.statements import Said
from keepclear.airspace.geodesics import geod
from keepclear.detect.compiled import plain
from keepclear.errors import FileErrors
from keepclear.exchange.audit import audit
from keepclear.exchange.folding import fold
from keepclear.exchange.stop_distance import known_stop_tmm
from keepclear.formats.agreement_draft import fill_template, read_draft
from keepclear.formats.packaged import read_template
from keepclear.plays.stage import Stage
from keepclear.record.entries import Part
from keepclear.reports.agreement_text import agreement_text
from keepclear.reports.stop_text import stop_changed_text
from tests.agreement_plays import clause
from tests.incident_plays import MINUTE_US, file, leaves_seen, staged
from tests.stop_plays import at_stop, message_of, must_keep_out, small, stop
from tests.two_worlds import between, separation

KM_TMM: Final = 10_000_000
RADIUS_M: Final = 5_000
SMALL_M: Final = 100


def agreed(pair: str, km: float | None, name: str = "", *, survives: bool = False) -> Agreement:
    """Return an agreement of two parties about the distance; None for one that says nothing."""
    rule = separation("5 NM / 1000 ft")
    says = () if km is None else (
        clause("2", "STOP.", StopDistance(distance_tmm=round(km * KM_TMM)), survives=survives),
    )  # fmt: skip
    own = name or f"{pair}-{round((km or 0) * 1000)}"
    return between(pair[0], pair[1], own, rule, *says)


def at_region(*agreements: Agreement) -> Stage:
    stage = staged()
    for each in agreements:
        stage.carry(stage.signed(each), each)
    return stage


def states(stage: Stage, made: Agreement, *said: Said) -> None:
    """Let a state something of an agreement, a minute after each other."""
    stated = []
    for each in said:
        stage.clock.move_to(stage.clock.now_us() + MINUTE_US)
        stated.append(("a", each, stage.clock.now_us()))
    stage.carry(stage.signed(made, *stated), made)


def seen_before(stage: Stage, party: str = "a") -> float:
    """Return the distance in km that a party's own copy of the record tells."""
    parts = [msgspec.json.decode(each.part, type=Part) for each in leaves_seen(stage, party)]
    return known_stop_tmm(party, parts) / KM_TMM


def is_sound(stage: Stage) -> bool:
    """Tell whether the record folds to the world and is decided so again."""
    stage.exchange.beat()
    assert fold(stage.lines).hash == stage.exchange.world.hash
    return audit(stage.lines, plain()).differences == ()


@pytest.mark.parametrize(
    ("agreements", "km"),
    [
        ((), 5),
        ((agreed("ab", None),), 5),
        ((agreed("ab", 10),), 10),
        ((agreed("ab", 2),), 5),  # with c nothing is agreed, and c keeps out of the same area
        ((agreed("ab", 2), agreed("ac", 3)), 3),
        ((agreed("ab", 2), agreed("ac", None)), 5),
        ((agreed("ab", 2), agreed("ac", 20)), 20),
        ((agreed("ab", 2), agreed("ab", 8), agreed("ac", 1)), 8),
        ((agreed("bc", 20),), 5),
    ],
)
def test_it_is_the_largest_that_the_sender_has_agreed_and_5_km_with_whom_it_has_not(
    agreements: tuple[Agreement, ...], km: float
) -> None:
    stage = at_region(*agreements)
    before = seen_before(stage)
    made = stop(stage)

    assert (made.grown_tmm / KM_TMM, before) == (km, km)
    assert is_sound(stage)


@pytest.mark.parametrize("km", [0.1, 1, 10, 60])
@pytest.mark.parametrize("off_m", [-30, 30])
@pytest.mark.parametrize("is_before", [True, False])
def test_exactly_what_comes_within_the_agreed_distance_must_keep_out(
    km: float,
    off_m: int,
    is_before: bool,  # noqa: FBT001 a case
) -> None:
    stage = at_region(agreed("ab", km), agreed("ac", km))
    away_m = RADIUS_M + km * 1_000 + SMALL_M + off_m
    latitude = geod().fwd(35.5, 35.0, 0, away_m)[1]
    where = small(latitude)
    old = file(stage, "c", where) if is_before else None
    stop(stage, radius=f"{RADIUS_M} m")
    own = old or file(stage, "c", where)

    assert must_keep_out(stage, own.id) == (off_m < 0)
    assert is_sound(stage)


def test_all_who_are_told_are_told_the_same_area_whatever_each_has_agreed() -> None:
    stage = at_region(agreed("ab", 2), agreed("ac", 30))
    made = stop(stage, "b", "c")
    areas = [message_of(stage, made, each).stop for each in "bc"]

    assert areas[0] == areas[1]
    assert areas[0] is not None
    # 30 km is 0.27 degrees of latitude
    assert areas[0].area.south_deg < 35.0 - 0.27


@pytest.mark.parametrize(
    ("made", "km"),
    [
        (agreed("ab", 10), 10),
        (agreed("ab", 10, survives=True), 10),
        (agreed("ab", 2), 5),
    ],
)
def test_a_suspension_takes_nothing_off(made: Agreement, km: float) -> None:
    stage = at_region(made, agreed("ac", 1))
    states(stage, made, Said.SUSPEND)

    assert seen_before(stage) == km
    assert stop(stage).grown_tmm == km * KM_TMM
    assert is_sound(stage)


def test_of_a_suspended_agreement_that_is_denounced_the_larger_one_counts_until_it_is_over() -> (
    None
):
    made = msgspec.structs.replace(agreed("ab", 10), notice_us=60 * MINUTE_US)
    stage = at_region(made)
    states(stage, made, Said.SUSPEND, Said.DENOUNCE)

    assert stop(stage).grown_tmm == 10 * KM_TMM
    stage.clock.move_to(stage.clock.now_us() + 61 * MINUTE_US)
    assert stop(stage).grown_tmm == 5 * KM_TMM
    assert seen_before(stage) == 5


def test_an_agreement_that_is_replaced_says_no_more_how_far() -> None:
    old = agreed("ab", 10)
    new = msgspec.structs.replace(agreed("ab", 7, "new"), replaces=(hash_of(old),))
    stage = at_region(old, new)
    states(stage, old, Said.SUSPEND)

    assert (stop(stage).grown_tmm / KM_TMM, seen_before(stage)) == (7, 7)


def test_one_that_stands_keeps_the_distance_with_which_it_was_sent() -> None:
    made = agreed("ab", 10)
    stage = at_region()
    sent = stop(stage)
    stage.carry(stage.signed(made), made)
    own = file(stage, "c", small(35.1))  # 11 km from the middle, 6 km from the circle

    assert at_stop(stage, sent).grown_tmm == 5 * KM_TMM
    assert not must_keep_out(stage, own.id)
    stop(stage)  # another, as is agreed now
    assert must_keep_out(stage, own.id)
    assert is_sound(stage)


def test_what_is_agreed_to_be_wider_takes_nothing_of_what_its_sender_may_call() -> None:
    plain_one, wide = (stop(at_region(*each)) for each in ((), (agreed("ab", 80),)))

    assert wide.grown_tmm > plain_one.grown_tmm
    assert wide.takes_km2h == plain_one.takes_km2h


def test_its_sender_reads_by_how_much_it_was_grown() -> None:
    assert "is in force, grown by 10 km" in stop_changed_text(stop(at_region(agreed("ab", 10))))


def with_distance(distance: str) -> Agreement:
    """Return the agreement of the template for two forces with another distance."""
    text = fill_template(read_template("two-forces"), {"a": "A", "b": "B"}, 0, 10**15)
    assert 'distance = "5 km"' in text
    made = text.replace('distance = "5 km"', f'distance = "{distance}"')
    return read_draft(made.encode(), "draft.toml")


@pytest.mark.parametrize("distance", ["10 km", "6 NM", "100 m", "50 NM"])
def test_a_draft_names_it_and_it_is_printed(distance: str) -> None:
    assert f"= stop-distance: distance {distance}" in agreement_text(with_distance(distance))


@pytest.mark.parametrize("distance", ["99 m", "50.1 NM", "0 km", "-5 km", "5"])
def test_a_distance_out_of_bounds_is_refused_with_its_value(distance: str) -> None:
    with pytest.raises(FileErrors) as refused:
        with_distance(distance)

    assert "distance" in str(refused.value)


def test_no_annex_may_decide_it() -> None:
    assert "stop-distance" not in KINDS
    with pytest.raises(ValueError, match="stop-distance"):
        AnnexAuthority(annex="A", may=("stop-distance",))
