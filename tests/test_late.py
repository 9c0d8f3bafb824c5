# SPDX-License-Identifier: Apache-2.0
"""What was filed later than agreed: LATE by so many seconds, not lost, and told at once.

Il-20, 17 September 2018: notice about a minute before the start (examples/plays/il20_2018.toml).
"""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import pytest

from keepclear.agreement.clauses import Field, LeadTime, Precedence
from keepclear.agreement.documents import Agreement
from keepclear.exchange.disclosure import Shown
from keepclear.exchange.views import Notice
from keepclear.formats.play import read_play
from keepclear.plans import acts
from keepclear.reports.play_text import played_text
from tests.agreement_plays import clause
from tests.exchange_plays import example, played
from tests.record_plays import START_US
from tests.test_cli_record import run, write_record
from tests.test_lapses import is_sound
from tests.test_rules_of_the_door import Play
from tests.two_worlds import MINUTE_US, Plan, between, filed, grade, separation

TIMES: Final = (Field.TIME_BAND,)
FILED: Final = 11  # minutes of the play; the grain of times in `grade` is 5
STARTS: Final = 33
LEAD: Final = 60
LATE_US: Final = (FILED + LEAD - STARTS) * MINUTE_US
PLAN: Final = Plan(place=0, level=22, start=STARTS, lasts=40)


def agreed(
    other: str, fields: Sequence[Field], lead: int | None = LEAD,
    classes: tuple[str, ...] = ("any",),
) -> Agreement:  # fmt: skip
    """Return an agreement of a and another with a lead time, in minutes; None for none."""
    before = () if lead is None else (
        clause("3", "Before.", LeadTime(notice_us=lead * MINUTE_US, classes=classes)),
    )  # fmt: skip
    return between("a", other, f"a-{other}", separation("8 NM / 2000 ft"),
                   clause("2", "Shown.", grade(fields)), *before)  # fmt: skip


def late(*agreements: Agreement) -> Play:
    """Return a play in which b files in time and then a late, at one place."""
    play = Play(*agreements)
    play.at(1)
    play.file("b", Plan(place=0, level=22, start=61, lasts=40))
    play.at(FILED)
    play.file("a", PLAN)
    return play


def told(play: Play, party: str) -> Notice:
    return play.notices(party)[-1]


def test_both_sides_of_a_late_operation_are_told_at_once_with_urgent() -> None:
    play = late(agreed("b", TIMES))

    owner, other = told(play, "a"), told(play, "b")

    assert (owner.precedence, other.precedence) == (Precedence.URGENT, Precedence.URGENT)
    assert (owner.own_late_us, owner.other.late_us, other.own_late_us) == (LATE_US, 0, 0)
    assert other.other.late_by == (f"3 of {agreed_hash(play)[:16]}",)
    assert owner.other.late_by == ()


def agreed_hash(play: Play) -> str:
    [own_hash] = play.world.agreements
    return own_hash


def test_in_time_it_is_told_with_priority() -> None:
    play = late(agreed("b", TIMES, lead=STARTS - FILED))

    for party in ("a", "b"):
        notice = told(play, party)
        assert notice.precedence is Precedence.PRIORITY
        assert (notice.own_late_us, notice.other.late_by, notice.other.late_us) == (0, (), 0)


def test_the_other_side_learns_how_late_from_what_it_is_shown_and_no_finer() -> None:
    shown = told(late(agreed("b", TIMES)), "b").other

    # filed after 11 minutes, so up to 15; shown from 30 minutes on
    assert shown.from_us == START_US + 30 * MINUTE_US
    assert shown.late_us == (15 + LEAD - 30) * MINUTE_US
    assert shown.late_us >= LATE_US


def test_without_the_times_only_that_it_is_late_is_told() -> None:
    shown = told(late(agreed("b", (Field.AREA_BOX,))), "b").other

    assert shown.late_by
    assert shown.late_us is None


def test_nobody_is_told_to_be_late_by_an_agreement_with_others() -> None:
    without, with_other = (
        late(agreed("b", TIMES, None)),
        late(agreed("b", TIMES, None), agreed("c", TIMES)),
    )

    [made] = [e for e in with_other.world.operations.values() if e.party == "a"]
    assert made.late_us == LATE_US
    one, other = told(without, "b"), told(with_other, "b")
    assert (other.precedence, other.other.late_by, other.other.late_us) == (
        one.precedence, one.other.late_by, one.other.late_us
    )  # fmt: skip
    assert other.precedence is Precedence.PRIORITY


def test_a_lead_time_for_another_class_makes_nobody_late() -> None:
    notice = told(late(agreed("b", TIMES, classes=("unmanned",))), "b")

    assert (notice.precedence, notice.other.late_by) == (Precedence.PRIORITY, ())


def test_a_version_that_only_shrinks_is_as_late_as_the_one_before() -> None:
    in_time = agreed("b", TIMES, lead=STARTS - FILED)
    play = late(in_time)
    [own] = [each for each in play.world.operations.values() if each.party == "a"]
    play.at(STARTS - 1)
    smaller = filed(Plan(place=0, level=22, start=STARTS, lasts=35))

    play.do("a", "operations.update/1",
            acts.UpdateOperation(id=own.id, ovn=own.ovn, operation=smaller))  # fmt: skip

    made = play.world.operations[own.id]
    assert (made.version, made.late_us) == (2, 0)
    assert told(play, "b").other.late_by == ()


def test_a_settled_conflict_says_no_more_of_it_and_is_routine() -> None:
    play = late(agreed("b", TIMES))
    [own] = [each for each in play.world.operations.values() if each.party == "a"]

    play.do("a", "operations.cancel/1", acts.CancelOperation(id=own.id))

    notice = told(play, "b")
    assert notice.precedence is Precedence.ROUTINE
    assert notice.other == Shown(id=own.id, party="a")


@pytest.mark.parametrize("does", ["airborne", "contingent", "activate"])
def test_out_of_plan_or_activated_where_it_must_act_is_urgent(does: str) -> None:
    play = late(agreed("b", (), None))
    [own] = [each for each in play.world.operations.values() if each.party == "a"]
    key = tuple(each.ovn for each in play.world.operations.values() if each.party == "b")
    before = told(play, "b").precedence

    if does == "airborne":
        play.do("a", "operations.airborne/1", acts.MarkAirborne(id=own.id, at_us=START_US))
    else:
        play.do("a", "operations.activate/1", acts.ActivateOperation(id=own.id, key=key))
    if does == "contingent":
        play.do("a", "operations.contingent/1", acts.MakeContingent(id=own.id))

    assert (before, told(play, "b").precedence) == (Precedence.PRIORITY, Precedence.URGENT)


def test_the_story_of_the_other_side_says_late_by_so_many_seconds() -> None:
    text = example("plays/il20_2018.toml")

    told_c = played_text(read_play(text.encode(), "play"), played(text), "c")

    story = re.sub(r"\s+", " ", told_c)
    assert "LATE filed later than clause 2.1 asks, by" in story
    assert "told URGENT: " in story


def test_the_page_of_a_record_says_late_and_how_urgent_a_notice_was(tmp_path: Path) -> None:
    write_record(tmp_path / "all.record", played(example("plays/il20_2018.toml")).lines)

    run("record", "report", str(tmp_path / "all.record"), "--output", str(tmp_path / "page.html"))

    page = (tmp_path / "page.html").read_text()
    assert "LATE by 4,200 s at most, clause 2.1" in page
    assert "raised, URGENT" in page


def on_the_table(play: Play, by: str, **moves: str) -> acts.AcceptProposal:
    """Let a party propose that a's operation moves, and return what accepts that."""
    [found] = play.world.conflicts.values()
    own = next(e.id for e in play.world.operations.values() if e.party == "a")
    made = acts.ProposeChange(id=found.id, operation=own, **moves)
    assert play.do(by, "conflicts.propose/1", made) == ""
    proposal = play.world.conflicts[found.id].proposal
    assert proposal is not None
    return acts.AcceptProposal(id=found.id, proposal=proposal.id)


@pytest.mark.parametrize(("aside", "late"), [("1 min", LEAD - 10 - 1), ("2 h", 0)])
def test_what_was_proposed_is_late_or_in_time_by_when_it_was_accepted(
    aside: str, late: int
) -> None:
    play = Play(agreed("b", TIMES))
    play.at(1)
    play.file("b", Plan(place=0, level=22, start=90, lasts=40))
    own = play.file("a", Plan(place=0, level=22, start=90, lasts=40))
    assert play.world.operations[own].late_us == 0
    accepts = on_the_table(play, "b", later=aside, aside="40 NM", towards="090")
    play.at(80)

    assert play.do("a", "conflicts.accept/1", accepts) == ""

    made = play.world.operations[own]
    assert made.filed_us == START_US + 80 * MINUTE_US
    assert made.late_us == late * MINUTE_US
    assert is_sound(play)


@pytest.mark.parametrize("does", ["accepted", "contingent"])
def test_whatever_counts_as_a_filing_counts_when_it_is_done(does: str) -> None:
    play = Play(agreed("b", TIMES))
    play.file("b", PLAN)
    own = play.file("a", PLAN)
    accepts = on_the_table(play, "b", later="2 h")
    key = tuple(each.ovn for each in play.world.operations.values() if each.party == "b")
    made = acts.ActivateOperation(id=own, key=key)
    assert play.do("a", "operations.activate/1", made) == ""
    play.at(20)

    if does == "accepted":
        assert play.do("a", "conflicts.accept/1", accepts) == ""
    else:
        assert play.do("a", "operations.contingent/1", acts.MakeContingent(id=own)) == ""

    now = START_US // MINUTE_US + 20
    minutes: tuple[tuple[int, int], ...] = play.world.filers["a"].minutes
    assert minutes == ((now - 20, 1), (now, 1))
    assert is_sound(play)
