# SPDX-License-Identifier: Apache-2.0
"""Acceptance, caps and none-here statements decided again: what was planted is found."""

from typing import Final

import pytest
from msgspec.structs import replace

from keepclear.agreement.clauses import Caps, IncidentRule, ShowContradictions
from keepclear.agreement.rules_toml import parse_short
from keepclear.airspace.positions import positions
from keepclear.detect.compiled import plain
from keepclear.exchange.events import (
    AgreementStood,
    ConflictChanged,
    ContradictionsShown,
    NoneHereContradicted,
    OperationFiled,
    OperationMoved,
    RecheckingBegun,
    RecheckingDone,
    RegionOpened,
)
from keepclear.plans.filing import FiledPolygon
from keepclear.plans.operations import State as OperationState
from keepclear.plays.running import Played
from keepclear.plays.stage import Stage
from keepclear.record.encoding import Signed
from keepclear.record.faults import Malformed
from keepclear.record.headers import Status
from tests.after_action_plays import CROSS
from tests.agreement_plays import HOUR_US, agreement, clause
from tests.exchange_plays import CountedIds, played
from tests.incident_plays import file as file_one
from tests.incident_plays import say_none_here, volume
from tests.record_plays import START_US
from tests.resigned_records import resigned, values
from tests.test_audit import HOUSE, accepting, audited, bit_by_bit, told_apart

CAPS: Final = Caps(
    area_hours_km2h=10**4, day_area_hours_km2h=10**5, duration_us=5 * HOUR_US, vertices=9
)


def test_an_operation_that_was_accepted_while_it_must_act_is_told() -> None:
    """The conflict is acknowledged, and in that place the operation is accepted."""

    def spoil(_seq: int, _to: str, value: Signed) -> Signed | tuple[str, Signed]:
        if isinstance(value, ConflictChanged) and value.conflict.acknowledged:
            return accepting(value)
        return value

    whats = [each.what for each in told_apart(spoil).differences]

    assert any("was accepted, and must act in conflict" in each for each in whats)


@pytest.mark.parametrize(
    ("at_most", "in_place_of", "why"),
    [
        (1_000, RecheckingDone, "it is RE-CHECKING"),
        (1, RecheckingBegun, "it has more conflicts than are told"),
    ],
)
def test_an_operation_that_was_accepted_before_all_of_it_was_looked_at_is_told(
    at_most: int, in_place_of: type[Signed], why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage = bit_by_bit(at_most, monkeypatch)
    while stage.exchange.recheck_some():
        pass
    done = Played(stage.lines, stage.keys, {}, ())
    assert audited(done).differences == ()

    def spoil(_seq: int, to: str, value: Signed) -> Signed:
        is_there = to == "b" and isinstance(value, in_place_of)
        if is_there and isinstance(value, RecheckingBegun | RecheckingDone):
            return OperationMoved(id=value.operations[-1], state=OperationState.ACCEPTED)
        return value

    whats = [each.what for each in audited(resigned(done, spoil)).differences]

    assert f"was accepted, and {why}" in whats


def test_an_operation_that_was_not_accepted_though_nothing_stood_against_it_is_told() -> None:
    def spoil(_seq: int, _to: str, value: Signed) -> Signed | None:
        is_accepted = isinstance(value, OperationMoved) and value.state is OperationState.ACCEPTED
        return None if is_accepted else value

    whats = [each.what for each in told_apart(spoil).differences]

    assert whats.count("is not accepted, and nothing stands against it") >= 2


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        (
            {"state": OperationState.ACCEPTED},
            "was filed as accepted, being new; by the rules filed",
        ),
        ({"version": 9}, "is version 2 after 9"),
    ],
)
def test_a_filing_in_a_state_or_version_that_it_cannot_have_is_told(
    changes: dict[str, object], what: str
) -> None:
    def spoil(_seq: int, _to: str, value: Signed) -> Signed:
        if isinstance(value, OperationFiled) and value.operation.version == 1:
            return replace(value, operation=replace(value.operation, **changes))
        return value

    assert what in [each.what for each in told_apart(spoil).differences]


def test_an_operation_that_was_filed_otherwise_than_its_party_has_signed_is_told() -> None:
    def spoil(_seq: int, _to: str, value: Signed) -> Signed:
        if not isinstance(value, OperationFiled):
            return value
        late = value.operation.uncertainty.late_us + 1
        made = replace(value.operation, count=9, status=Status.ACTUAL, volumes=(
            replace(value.operation.volumes[0], end_us=value.operation.volumes[0].end_us - 1),
        ), uncertainty=replace(value.operation.uncertainty, late_us=late))  # fmt: skip
        return replace(value, operation=made)

    whats = [each.what for each in told_apart(spoil).differences]

    assert "was not filed as signed: status, count, volumes, uncertainty" in whats


def test_an_operation_that_no_act_has_filed_is_told() -> None:
    """Another is filed in the place of the step to accepted, by nobody."""
    first: list[OperationFiled] = []

    stage = capped()
    stage.clock.move_to(START_US + 5 * HOUR_US)
    stage.exchange.pass_time()
    done = Played(stage.lines, stage.keys, {}, ())

    def filed_by_time(_seq: int, _to: str, value: Signed) -> Signed:
        if isinstance(value, OperationFiled):
            first.append(value)
        is_over = isinstance(value, OperationMoved) and value.state is OperationState.ENDED
        return replace(first[0], is_smaller=True) if is_over else value

    whats = [each.what for each in audited(resigned(done, filed_by_time)).differences]

    assert "was filed, and no act says so" in whats


def test_a_version_that_grows_and_is_said_to_shrink_is_told() -> None:
    def spoil(_seq: int, _to: str, value: Signed) -> Signed:
        if isinstance(value, OperationFiled) and value.operation.version > 1:
            return replace(value, is_smaller=True)
        return value

    whats = [each.what for each in told_apart(spoil).differences]

    assert "says that it shrinks, and does not" in whats


def test_a_step_that_no_rule_lists_is_told() -> None:
    def spoil(_seq: int, _to: str, value: Signed) -> Signed:
        if isinstance(value, OperationMoved) and value.state is OperationState.ACCEPTED:
            return replace(value, state=OperationState.CONTINGENT)
        return value

    whats = [each.what for each in told_apart(spoil).differences]

    assert "cannot be contingent after it was filed" in whats


def test_a_filing_above_a_cap_of_its_clauses_is_told_and_one_within_is_not() -> None:
    stage = capped()
    done = Played(stage.lines, stage.keys, {}, ())
    [taken_km2h] = [
        value.takes_km2h for *_, value in values(done.lines) if isinstance(value, OperationFiled)
    ]  # fmt: skip

    def with_caps(**changes: int) -> list[str]:
        """Return what differs where the clause allowed less than it did."""

        def spoil(_seq: int, _to: str, value: Signed) -> Signed:
            if not isinstance(value, AgreementStood):
                return value
            [own] = value.clauses
            return replace(value, clauses=(replace(own, decides=replace(CAPS, **changes)),))

        return [each.what for each in audited(resigned(done, spoil)).differences]

    assert with_caps() == with_caps(area_hours_km2h=taken_km2h) == []
    less = [
        {"area_hours_km2h": taken_km2h - 1}, {"day_area_hours_km2h": taken_km2h - 1},
        {"duration_us": HOUR_US - 1}, {"vertices": 4}, {"volume_km3": 1},
    ]  # fmt: skip
    for changes, name in zip(
        less, ("area-hours", "area-hours of the day", "duration", "vertices", "volume"), strict=True
    ):
        [what] = with_caps(**changes)
        assert f" was taken; by the rules it is refused: {name} " in what
        assert (
            "which clause 1 allows " + ("one party in a day" if "day" in name else "one operation")
        ) in what


def test_a_filing_that_says_that_it_takes_less_than_it_does_is_told() -> None:
    stage = capped()
    done = Played(stage.lines, stage.keys, {}, ())

    def spoil(_seq: int, _to: str, value: Signed) -> Signed:
        return replace(value, takes_km2h=9) if isinstance(value, OperationFiled) else value

    [only] = audited(resigned(done, spoil)).differences

    assert only.what.startswith("says that it takes 9 km2h; now ")
    assert not only.is_boundary


def test_area_hours_that_another_machine_rounded_up_are_boundary() -> None:
    stage = capped()
    done = Played(stage.lines, stage.keys, {}, ())

    def spoil(_seq: int, _to: str, value: Signed) -> Signed:
        if isinstance(value, OperationFiled):
            return replace(value, takes_km2h=value.takes_km2h + 1)
        return value

    [only] = audited(resigned(done, spoil)).differences

    assert only.is_boundary


@pytest.mark.parametrize("is_stated_first", [True, False])
def test_what_contradicts_a_none_here_and_is_not_told_is_missing(
    is_stated_first: bool,  # noqa: FBT001
) -> None:
    done = contradicted_play(is_stated_first=is_stated_first)
    assert audited(done).differences == ()

    def spoil(_seq: int, _to: str, value: Signed) -> Signed | None:
        return None if isinstance(value, NoneHereContradicted) else value

    whats = [each.what for each in audited(resigned(done, spoil)).differences]

    assert any(each.startswith("MISSING: version 1 of operation ") for each in whats)


def test_what_does_not_contradict_a_none_here_and_is_told_is_too_many() -> None:
    def spoil(_seq: int, _to: str, value: Signed) -> Signed:
        if isinstance(value, NoneHereContradicted):
            [own] = value.found
            return replace(value, found=(own, replace(own, version=7)))
        return value

    whats = [
        each.what for each in audited(resigned(contradicted_play(), spoil)).differences
    ]  # fmt: skip

    assert any("TOO MANY: version 7 of operation" in each for each in whats)


def test_what_contradicts_and_is_not_shown_to_whom_a_clause_shows_it_is_told() -> None:
    def spoil(_seq: int, _to: str, value: Signed) -> Signed | None:
        return None if isinstance(value, ContradictionsShown) else value

    [only] = audited(resigned(contradicted_play(), spoil)).differences

    assert only.what == "what contradicts it was not shown to b"


def test_what_contradicts_and_is_shown_as_accepted_is_told() -> None:
    def spoil(_seq: int, _to: str, value: Signed) -> Signed:
        if isinstance(value, ContradictionsShown):
            return replace(value, found=tuple(
                replace(each, state=OperationState.ACCEPTED) for each in value.found
            ))  # fmt: skip
        return value

    [only] = audited(resigned(contradicted_play(is_stated_first=False), spoil)).differences

    assert only.what.endswith("is shown otherwise than it is")


def test_what_contradicts_in_a_tree_of_another_party_is_told() -> None:
    def spoil(_seq: int, to: str, value: Signed) -> tuple[str, Signed]:
        return ("a,b" if isinstance(value, NoneHereContradicted) else to), value

    [only] = audited(resigned(contradicted_play(), spoil)).differences

    assert only.what == "what contradicts it stands in the tree of a,b"


def test_an_archive_in_which_no_region_was_opened_is_refused() -> None:
    done = resigned(played(CROSS), lambda _s, _t, v: None if isinstance(v, RegionOpened) else v)

    with pytest.raises(Malformed, match="was not opened before, so its house rule is not known"):
        audited(done)


def test_the_house_rule_of_the_record_decides_and_nothing_is_handed_in() -> None:
    """Without the agreement the house rule binds, and by this one all numbers are others."""
    done = played(CROSS)

    def spoil(_seq: int, _to: str, value: Signed) -> Signed:
        if isinstance(value, AgreementStood):
            return replace(value, clauses=())
        if isinstance(value, RegionOpened):
            house = parse_short("0.1 NM / 1 ft")
            return replace(value, house=house)
        return value

    whats = [each.what for each in audited(resigned(done, spoil)).differences]

    assert audited(done).house == HOUSE
    assert any("the house rule" in each for each in whats)


def capped() -> Stage:
    """Return a stage on which a has filed one operation under a clause with caps."""
    stage = Stage("exercise", START_US, Status.EXERCISE, HOUSE, CountedIds(), plain())
    for party in ("a", "b"):
        stage.join(party)
    made = agreement(clauses=(clause("1", "Not too much.", CAPS),))
    stage.carry(stage.signed(made), made)
    ring = ((35.0, 35.0), (35.0, 35.1), (35.1, 35.1), (35.15, 35.05), (35.1, 35.0))
    file_one(stage, "a", replace(volume(), shape=FiledPolygon(ring=positions(ring))))
    return stage


def contradicted_play(*, is_stated_first: bool = True) -> Played:
    """Return a record in which a states none-here of where it files, and b is shown that."""
    stage = Stage("exercise", START_US, Status.EXERCISE, HOUSE, CountedIds(), plain())
    for party in ("a", "b"):
        stage.join(party)
    rule = IncidentRule(
        reply_us=HOUR_US, urgent_reply_us=HOUR_US, contradictions=ShowContradictions.AT_ONCE
    )  # fmt: skip
    made = agreement(clauses=(clause("1", "Show.", rule),))
    stage.carry(stage.signed(made), made)
    if not is_stated_first:
        file_one(stage, "a", volume())
    say_none_here(stage, "a", volume(), "b")
    if is_stated_first:
        file_one(stage, "a", volume())
    stage.exchange.beat()
    return Played(stage.lines, stage.keys, {}, ())
