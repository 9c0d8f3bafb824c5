# SPDX-License-Identifier: Apache-2.0
"""The handover list: what the next watch has to know, each thing in its part."""

import re
from pathlib import Path
from typing import Final

import msgspec
import pytest

from keepclear.agreement.clauses import Precedence
from keepclear.exchange.picture import Picture, told_in
from keepclear.exchange.views import SAYS_NOTHING_ELSE
from keepclear.line.ladder import Step
from keepclear.line.messages import Word
from keepclear.plans.acts import ActivateOperation
from keepclear.plays.stage import Stage
from keepclear.record.entries import Part
from keepclear.record.headers import Status
from keepclear.record.views import view_of
from keepclear.reports.conflict_html import Page
from keepclear.reports.handover import Section, handover, handover_html, handover_text
from keepclear.reports.stop_text import read_stops
from tests.desk_plays import CIRCLE, CORRIDOR, two_desks
from tests.incident_plays import file, leaves_seen, volume
from tests.line_check_plays import check
from tests.message_plays import SECOND_US, URGENT_US, answer, at_line, send, take, wait
from tests.record_plays import START_US
from tests.shift_plays import NIGHT, annotated, at_watch, closed, log, opened, signed
from tests.stop_plays import end, small, stop

UP_TO_DISSEMINATED: Final = (
    Step.DELIVERED, Step.DISPLAYED, Step.ACKNOWLEDGED, Step.DISSEMINATED,
)  # fmt: skip
(WATCH, STOPS, UNACKNOWLEDGED, TO_TELL, SENT, STANDBY, LINES, CALLS, CONFLICTS, ACTIVE) = range(10)
TITLES: Final = (
    "Who has the watch, at post watch",
    "STOPs and SAR cases that stand, and what must keep out",
    "Messages at watch that nobody has acknowledged",
    "Messages acknowledged, with units at watch still to be told",
    "Messages that b has sent, not done by the other side",
    "STANDBY whose time has passed: nothing is agreed",
    "Lines that are not up, that wait, or are to be checked",
    "Calls that the other side has neither signed nor annotated",
    "Conflicts that are not settled",
    "Operations of b that are active now",
)


def listed(stage: Stage, party: str = "b", post: str = "watch") -> list[Section]:
    """Return the list of a post, from its party's own part of the record."""
    picture = Picture(party, {}, {})
    for leaf in leaves_seen(stage, party):
        picture.take(told_in(msgspec.json.decode(leaf.part, type=Part)))
    held = read_stops(view_of(stage.lines, party))
    return handover(picture, party, post, stage.clock.now_us(), held)


def counts(sections: list[Section]) -> list[int]:
    return [len(each.items) for each in sections]


def page(stale: str = "") -> Page:
    return Page("b", "exercise", Status.EXERCISE, START_US, stale)


def test_an_empty_list_says_of_each_part_that_there_is_none() -> None:
    sections = listed(at_line())

    assert tuple(each.title for each in sections) == TITLES
    assert counts(sections) == [0] * 10
    assert handover_text(sections, page(), "watch").count(": none\n") == 10


def test_a_stop_that_stands_is_on_the_list_of_both_sides_and_of_who_must_keep_out() -> None:
    stage = at_line()
    made = stop(stage, "b")
    take(stage, made.messages[0], *UP_TO_DISSEMINATED)  # all is done that is due of it
    own = file(stage, "c", small(35.0)).id

    for party, says in (
        ("a", f"STOP {made.id[:8]} to b is in force"), ("b", "STOP        in force"),
        ("c", f"operation {own[:8]} must keep out of"),
    ):  # fmt: skip
        [item] = listed(stage, party)[STOPS].items
        assert says in "\n".join(item)
    end(stage, made)
    assert [counts(listed(stage, each))[STOPS] for each in "abc"] == [0, 0, 0]


def test_what_nobody_has_acknowledged_stands_first_the_most_urgent_before_the_rest() -> None:
    stage = at_line()
    late = send(stage, precedence=Precedence.ROUTINE)
    urgent = send(stage)

    sections = listed(stage)

    assert [each[0].split()[0] for each in sections[UNACKNOWLEDGED].items] == ["URGENT", "ROUTINE"]
    said = handover_text(sections, page(), "watch")
    assert said.index(urgent[:8]) < said.index(late[:8])
    assert "acknowledged by 08:05:00Z, in 5 min 0 s" in said


def test_what_is_overdue_says_so_and_is_on_the_list_of_the_post_it_has_gone_on_to_as_well() -> None:
    stage = at_line()
    send(stage)
    assert counts(listed(stage, post="duty-officer"))[UNACKNOWLEDGED] == 0

    wait(stage, URGENT_US)

    for post in ("watch", "duty-officer"):
        [item] = listed(stage, post=post)[UNACKNOWLEDGED].items
        assert any("OVERDUE     not acknowledged at watch by 08:05:00Z" in row for row in item)


def test_a_message_moves_through_the_list_until_its_units_are_told() -> None:
    stage = at_line()
    own = send(stage)
    found = []
    for step in (Step.DELIVERED, Step.DISPLAYED, Step.ACKNOWLEDGED, Step.DISSEMINATED):
        take(stage, own, step)
        found.append(counts(listed(stage))[UNACKNOWLEDGED : SENT + 1])

    assert found == [[1, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 0]]


def test_what_its_party_has_sent_stands_until_the_other_side_has_done_it() -> None:
    stage = at_line()
    own = send(stage, "b", to="a", precedence=Precedence.ROUTINE)
    assert counts(listed(stage))[SENT] == 1

    take(stage, own, Step.DELIVERED, Step.DISPLAYED, Step.ACKNOWLEDGED, party="a")

    assert counts(listed(stage))[SENT] == 0


@pytest.mark.parametrize(("after_us", "count"), [(-1, 0), (0, 1)])
def test_a_standby_is_on_the_list_once_its_time_has_passed_done_or_not(
    after_us: int, count: int
) -> None:
    stage = at_line()
    own = send(stage, precedence=Precedence.ROUTINE)
    take(stage, own, Step.DELIVERED, Step.DISPLAYED, Step.ACKNOWLEDGED)
    until_us = stage.clock.now_us() + 60 * SECOND_US
    answer(stage, own, Word.STANDBY, until_us=until_us)
    stage.clock.move_to(until_us + after_us)

    found = listed(stage)[STANDBY].items

    assert len(found) == count
    assert all("that time has passed, and nothing is agreed" in item[-1] for item in found)


def test_a_later_answer_takes_a_standby_off_the_list() -> None:
    stage = at_line()
    own = send(stage, precedence=Precedence.ROUTINE)
    take(stage, own, Step.DELIVERED, Step.DISPLAYED)
    until_us = stage.clock.now_us() + SECOND_US
    answer(stage, own, Word.STANDBY, until_us=until_us)
    stage.clock.move_to(until_us)

    answer(stage, own, Word.WILCO)

    assert listed(stage)[STANDBY].items == ()


def test_lines_conflicts_and_active_operations_are_on_the_list() -> None:
    stage = at_line()
    check(stage)
    mine = file(stage, "b", volume())
    assert counts(listed(stage))[LINES:] == [1, 0, 0, 0]
    stage.submit("b", "operations.activate/1", ActivateOperation(id=mine.id, key=()))
    assert counts(listed(stage))[LINES:] == [1, 0, 0, 1]

    file(stage, "a", volume())

    sections = listed(stage)
    assert counts(sections)[LINES:] == [1, 0, 1, 1]
    assert mine.id[:8] in sections[ACTIVE].items[0][0]
    assert "CONFLICT" in sections[CONFLICTS].items[0][0]


def test_who_handed_over_who_took_and_what_remained_stand_on_the_list_and_on_the_page() -> None:
    stage = at_watch("b")
    day, urgent = opened(stage), send(stage)
    called = stop(stage, "a", party="b")
    opened(stage, "night-lead", NIGHT, takes=(urgent, called.id))
    assert "on watch: day since 2015-09-30 08:00:00Z" in listed(stage)[WATCH].items[0]

    closed(stage, day, to="night-lead")

    sections, by = listed(stage), "taken over by night-lead"
    assert sections[WATCH].items == (
        (
            "handed over by day at 2015-09-30 08:00:00Z, to night-lead",
            f"  remained    URGENT (PAN PAN) message {urgent[:8]} from a; taken over by night-lead",
            f"  remained    STOP or SAR case {called.id[:8]} of one's own; {by}",
        ),
        (
            "on watch: night-lead since 2015-09-30 08:00:00Z",
            f"  took over   URGENT (PAN PAN) message {urgent[:8]} from a",
            f"  took over   STOP or SAR case {called.id[:8]} of one's own",
        ),
    )
    assert "handed over by day at 2015-09-30" in handover_html(sections, page(), "watch")
    assert counts(listed(stage, post="duty-officer"))[WATCH] == 0
    assert counts(listed(stage, "a"))[WATCH] == 0


def test_a_call_is_on_the_list_of_both_until_the_other_has_signed_or_annotated_it() -> None:
    stage = at_line()
    own, other = log(stage), log(stage)
    assert "sign it" in "\n".join(listed(stage)[CALLS].items[0])
    assert "sign it" not in "\n".join(listed(stage, "a")[CALLS].items[0])

    signed(stage, own)
    annotated(stage, other, "a")  # who logged it has more to say: it waits all the same

    assert [counts(listed(stage, each))[CALLS] for each in "abc"] == [1, 1, 0]
    annotated(stage, other)
    assert counts(listed(stage))[CALLS] == 0


def test_the_page_has_all_of_the_list_places_to_sign_and_no_script() -> None:
    stage = at_line()
    send(stage, text="<b>&")

    said = handover_html(listed(stage), page("no answer"), "watch")

    for words in (*TITLES, "handed over", "taken over", SAYS_NOTHING_ELSE, "EXERCISE",
                  "MAY BE STALE: no answer", "&lt;b&gt;&amp;"):  # fmt: skip
        assert words in said
    assert not re.search(r"<script|https?://|<b>", said)


@pytest.mark.slow
def test_a_list_is_printed_at_a_desk_and_claims_nothing(tmp_path: Path) -> None:
    with two_desks(tmp_path) as desks:
        desks.run("north", "line", "send", "south", "Keep clear.", "--precedence", "urgent")
        desks.filed("north", *CORRIDOR)
        desks.filed("south", *CIRCLE)

        said = desks.run("south", "line", "handover")
        written = desks.run("south", "line", "handover", "--html", "list.html")
        shown = desks.run("north", "line", "show", said.split("message ")[1][:8])

    assert "Messages at watch that nobody has acknowledged: 1" in said
    assert "Conflicts that are not settled: 1" in said
    assert written == "list.html: the handover list of watch, 2 items\n"
    assert "keepclear handover of watch of south" in (desks.folder / "list.html").read_text("utf-8")
    assert re.findall(r"^  (\w+) +\d\d:", shown, re.MULTILINE) == ["sent"]
