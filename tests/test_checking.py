# SPDX-License-Identifier: Apache-2.0
"""What a plan would meet of what its party knows, told before it is filed.

The property at the end: what filing finds of an operation that was shown, `check` has found.
"""

from collections.abc import Sequence
from dataclasses import replace
from random import Random
from typing import Final

import pytest

from keepclear.agreement.clauses import Field, LeadTime, Separation
from keepclear.agreement.findings import Verdict
from keepclear.agreement.rules_toml import parse_short, read_rules
from keepclear.errors import InputError
from keepclear.exchange import checking
from keepclear.exchange.checking import Asked, Checked, How, checked
from keepclear.plans import acts
from keepclear.record.headers import Status
from tests.agreement_plays import clause
from tests.test_audit_operations import CAPS
from tests.test_exchange_durations import met as limited_with
from tests.test_exchange_durations import passing, told_limited
from tests.test_rules_of_the_door import HERE, Play, a_and_b
from tests.test_volumes_stays import RULES as RULE_OF_THREES
from tests.two_worlds import (
    GRADES,
    MINUTE_US,
    PARTIES,
    UNKNOWN,
    Plan,
    between,
    filed,
    grade,
    plan_after,
    separation,
)

enough: Final = 200
THREES: Final = read_rules(RULE_OF_THREES)  # with a duration, and a floor
RULES: Final = (
    *map(parse_short, ("5 NM / 1000 ft", "8 NM / 2000 ft", "5 NM / 1000 ft / 10 min")), THREES,
)  # fmt: skip
FAR: Final = replace(HERE, place=60)


def check(
    play: Play, party: str, plan: Plan, status: Status = Status.EXERCISE, instead_of: str = ""
) -> Checked:
    """Check a plan of a party, having read all that it was shown."""
    exchange = play.stage.exchange
    while exchange.reads.catch_up(party, 3):
        pass
    found = checked(exchange.to_check(party, Asked(filed(plan), status, instead_of)))
    assert found.party == party
    return found.value


def test_what_was_never_shown_is_in_no_answer_and_that_is_said() -> None:
    play = Play(a_and_b(None))
    play.file("a")

    found = check(play, "b", HERE)

    assert (found.found, found.own, found.others) == ((), 0, 0)
    assert "What others have filed and not shown to you is not in it" in found.says
    assert "only filing answers against that" in found.says


def test_nothing_is_entered_and_nobody_is_told() -> None:
    play = Play(a_and_b(GRADES[-2]))
    play.file("a")
    play.file("b")
    before, lines = play.world.hash, list(play.stage.lines)

    check(play, "b", HERE)

    assert (play.world.hash, play.stage.lines) == (before, lines)


SHOWN_AS: Final[list[tuple[Sequence[Field] | None, How]]] = [
    (None, How.UNSEEN), ((Field.CALLSIGN,), How.UNSEEN), ((Field.AREA_BOX,), How.PARTLY),
    ((Field.AREA_BOX, Field.LEVEL_BAND, Field.TIME_BAND), How.ROUNDED),
    ((Field.EVERYTHING,), How.WHOLE),
]  # fmt: skip


@pytest.mark.parametrize(("fields", "how"), SHOWN_AS)
def test_what_was_shown_is_compared_as_it_was_shown(
    fields: Sequence[Field] | None, how: How
) -> None:
    play = Play(a_and_b(fields))
    theirs = play.file("a")
    ours = play.file("b")
    [notice] = play.notices("b")

    [met] = check(play, "b", HERE, instead_of=ours).found

    assert (met.operation, met.party, met.compared) == (theirs, "a", how)
    assert (met.conflict, met.is_told) == (notice.conflict, True)
    if how in {How.WHOLE, How.ROUNDED}:
        assert met.verdict is Verdict.CONFLICT
        assert met.broken[0].numbers is not None
        assert met.broken[0].clause == notice.broken[0].clause
    else:
        assert met.verdict is Verdict.UNDETERMINED
        assert all(each.numbers is None for each in met.broken)


def test_beside_what_was_shown_nothing_is_found_where_it_was_shown_to_be() -> None:
    play = Play(a_and_b((Field.AREA_BOX, Field.LEVEL_BAND, Field.TIME_BAND)))
    play.file("a")
    ours = play.file("b")

    for plan in (FAR, replace(HERE, level=32), replace(HERE, start=600)):
        found = check(play, "b", plan, instead_of=ours)
        assert (found.found, found.others) == ((), 1)


def test_with_no_time_shown_it_may_be_there_at_any() -> None:
    play = Play(a_and_b((Field.AREA_BOX,)))
    play.file("a")
    ours = play.file("b")

    [met] = check(play, "b", replace(HERE, start=600, level=32), instead_of=ours).found

    assert (met.compared, met.verdict) == (How.PARTLY, Verdict.UNDETERMINED)
    assert check(play, "b", FAR, instead_of=ours).found == ()


def test_own_operations_are_compared_by_the_house_rule_but_the_one_it_replaces() -> None:
    play = Play()
    own, other = play.file("b"), play.file("b", replace(HERE, place=1))

    found = check(play, "b", HERE)
    assert {each.operation for each in found.found} == {own, other}
    assert {each.compared for each in found.found} == {How.OWN}
    assert all(each.broken[0].agreement == "" for each in found.found)

    [met] = check(play, "b", HERE, instead_of=own).found
    assert met.operation == other


def test_the_soonest_come_first_then_those_without_a_time_and_more_are_counted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(checking, "MOST", 2)
    play = Play(a_and_b(None))
    later, sooner = (play.file("b", replace(HERE, start=each, lasts=9)) for each in (80, 70))
    theirs = play.file("a", replace(HERE, start=80, lasts=9))

    found = check(play, "b", HERE)

    assert ([each.operation for each in found.found], found.more) == ([sooner, later], 1)
    monkeypatch.setattr(checking, "MOST", 3)
    assert check(play, "b", HERE).found[-1].operation == theirs


def test_an_operation_that_it_cannot_replace_is_refused_in_the_words_of_one_that_is_none() -> None:
    play = Play()
    hidden = play.file("a")
    said = []
    for each in (hidden, UNKNOWN):
        with pytest.raises(InputError) as refused:
            check(play, "b", HERE, instead_of=each)
        said.append(str(refused.value).replace(each, "ID"))

    assert said[0] == said[1]


def test_another_status_is_compared_with_nothing_of_this_one() -> None:
    play = Play(a_and_b(GRADES[-2]))
    play.file("a")
    play.file("b")

    assert check(play, "b", HERE, Status.TEST).found == ()


def test_what_was_settled_is_compared_as_it_was_shown_last_until_it_is_said_to_be_over() -> None:
    play = Play(a_and_b((Field.AREA_BOX, Field.LEVEL_BAND, Field.TIME_BAND)))
    theirs = play.file("a")
    ours = play.file("b")
    update = acts.UpdateOperation(
        id=ours, ovn=play.world.operations[ours].ovn, operation=filed(FAR)
    )  # fmt: skip
    assert not play.do("b", "operations.update/1", update)
    assert play.notices("b")[-1].state == "resolved"

    [met] = check(play, "b", HERE, instead_of=ours).found
    assert (met.operation, met.is_told) == (theirs, False)

    again = play.file("b")
    assert not play.do("a", "operations.cancel/1", acts.CancelOperation(id=theirs, why="weather"))
    assert play.notices("b")[-1].closed_by == f"operation {theirs[:8]} of a was cancelled"
    assert check(play, "b", HERE, instead_of=again).found == ()


def test_what_it_is_limited_with_is_known_to_be_there_until_its_own_is_changed_or_over() -> None:
    play, theirs, ours = limited_with(passing(2))
    assert told_limited(play, "b")

    [met] = [each for each in check(play, "b", HERE).found if each.party == "a"]
    assert (met.operation, met.own, met.conflict) == (theirs, ours, "")
    assert (met.compared, met.verdict, met.is_told) == (How.UNSEEN, Verdict.UNDETERMINED, False)

    assert not play.do("b", "operations.end/1", acts.EndOperation(id=ours))
    assert check(play, "b", HERE).found == ()


def test_a_plan_that_could_not_be_filed_is_refused_as_filing_refuses_it() -> None:
    play = Play()
    play.at(200)

    with pytest.raises(InputError, match="have all ended before they are filed"):
        check(play, "b", HERE)


def test_how_late_it_would_be_and_why_it_would_be_refused_is_told_as_filing_tells_it() -> None:
    lead = clause("3", "Two hours before.", LeadTime(notice_us=120 * MINUTE_US))
    rules, caps = separation("5 NM / 1000 ft"), clause("4", "So much.", CAPS)
    play = Play(between("a", "b", "a-b", rules, lead, caps))
    play.file("a")
    own = play.file("b")

    found = check(play, "b", HERE)
    assert found.late_us == play.world.operations[own].late_us > 0
    assert list(found.agreements) == list(play.world.agreements)
    assert found.refused == ()

    large = replace(HERE, radius="60 NM")
    [why] = check(play, "b", large).refused
    filing = acts.FileOperation(operation=filed(large))
    assert play.do("b", "operations.file/1", filing) == why


def test_beats_and_what_others_do_in_a_file_are_read_over() -> None:
    play = Play(a_and_b((Field.EVERYTHING,)))
    for _ in range(4):
        play.file("a")
        play.stage.exchange.beat()
        play.file("b", FAR)
    play.file("b")

    assert len([each for each in check(play, "b", HERE).found if each.party == "a"]) == 4


@pytest.mark.slow
def test_what_filing_finds_of_what_was_shown_is_found_before() -> None:
    found = 0
    for number in range(60):
        draw = Random(number).choice
        fields, rules = draw([None, *GRADES]), draw(RULES)
        shown = () if fields is None else (clause("2", "Shown.", grade(fields)),)
        minima = clause("1", rules.name, Separation(rules=rules))
        play = Play(between("a", "b", "a-b", minima, *shown))
        for _ in range(5):
            play.file(draw(PARTIES), plan_after(draw, 24))
        for _ in range(10):
            plan = plan_after(draw, 24)
            known = {each.other.id for each in play.notices("b")}
            met = {each.operation for each in check(play, "b", plan).found}
            own = play.file("b", plan)
            told = known & {each.other(own) for each in play.world.conflicts_of(own)}

            assert told <= met, number
            found += len(told)
    assert found > enough
