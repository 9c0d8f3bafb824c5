# SPDX-License-Identifier: Apache-2.0
"""`keepclear line check` at two desks, typed and read as their officers do."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from keepclear.exchange.events import LineChecked
from keepclear.line.checks import LineState
from keepclear.reports.desk_text import LOUD
from keepclear.reports.line_check_text import WHY, line_changed_text, line_rows, lines_text
from tests.desk_plays import Desks, two_desks
from tests.incident_plays import events_seen
from tests.line_check_plays import ANSWER_US, SLOT_US, answer, check, checking, until
from tests.record_plays import START_US


@pytest.fixture(scope="module")
def desks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desks]:
    with two_desks(Path(tmp_path_factory.mktemp("checks"))) as made:
        yield made


def sent(desks: Desks, *more: str) -> str:
    """Send a check from north to south and return its short id."""
    found = re.search(r"check ([0-9a-f]{8})", desks.run("north", "line", "check", "south", *more))
    assert found is not None
    return found[1]


def test_a_check_is_sent_seen_answered_and_both_see_the_line_up(desks: Desks) -> None:
    assert "no line of yours was checked" in desks.run("north", "line", "check")
    own = sent(desks)
    read = desks.run("south", "line", "read")
    assert f"answer it   keepclear line check --answer {own}" in read
    assert "answer it" not in desks.run("north", "line", "check")

    said = desks.run("south", "line", "check", "--answer", own, "--person", "shift-lead")

    assert "UP        north checks south: since " in said
    for who in ("north", "south"):
        shown = desks.run(who, "line", "check")
        assert f"check {own} OK: sent " in shown
        assert "by watch, answered by watch (shift-lead) " in shown
        assert WHY in shown
    assert own not in desks.run("south", "line", "read")


def test_a_frequency_is_a_line_of_its_own(desks: Desks) -> None:
    own = sent(desks, "--of", "243.0 MHz")

    shown = desks.run("south", "line", "check")

    assert "UNKNOWN   north checks south on 243.0 MHz: the first check waits" in shown
    desks.run("south", "line", "check", "--answer", own)
    assert "UP        north checks south on 243.0 MHz" in desks.run("north", "line", "check")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("west",), "to 'west': is no other party of this region"),
        (("south", "--of", ""), "--of: has 0 characters, not 1 to 60"),
        (("south", "--of", "x" * 61), "--of: has 61 characters, not 1 to 60"),
        (("south", "--answer", "12345678"), "names the check; leave 'south' out"),
        (("south", "--person", "shift-lead"), "says who answers; give --answer, too"),
        (("--answer", "ffff0000"), "check 'ffff0000': begins 0 of "),
    ],
)
def test_what_cannot_be_done_is_refused_in_words(
    desks: Desks, words: tuple[str, ...], says: str
) -> None:
    assert says in desks.run("north", "line", "check", *words, status=2)


def test_a_second_check_while_one_waits_is_refused_with_until_when(desks: Desks) -> None:
    own = sent(desks, "--of", "line B")

    said = desks.run("north", "line", "check", "south", "--of", "line B", status=2)

    assert f"check {own} of line B by north waits for an answer of south until " in said


# --- words, on a stage with a clock ------------------------------------------------------------


def test_words_of_what_is_missed_ring_a_bell_and_say_nothing_of_why() -> None:
    stage = checking()
    own = check(stage)
    until(stage, SLOT_US + 24 * 60 * 60_000_000 + ANSWER_US)
    answer(stage, own)

    said = [line_changed_text(each) for each in events_seen(stage, "a", LineChecked)]

    short = [re.sub(r"check [0-9a-f]{8}", "check ID", each) for each in said]
    assert short == [
        "a checks b: next at 2015-09-30 09:00:00Z",
        "LINE CHECK: a checks b: check ID waits for an answer until 08:07:00Z",
        (
            "MISSED: a checks b: check ID MISSED: sent 2015-09-30 08:00:00Z by watch, not "
            "answered by 08:07:00Z; the line is DOUBTFUL, and was UNKNOWN"
        ),
        (
            "MISSED: a checks b: check ID of 2015-09-30 09:00:00Z MISSED: a sent none by "
            "09:02:00Z; the line is DOUBTFUL"
        ),
        (
            "DOWN: a checks b: check ID of 2015-09-30 17:00:00Z MISSED: a sent none by 17:02:00Z; "
            "the line is DOWN, and was DOUBTFUL; use the fallback card (keepclear line card)"
        ),
        (
            "MISSED: a checks b: check ID of 2015-10-01 09:00:00Z MISSED: a sent none by "
            "09:02:00Z; the line is DOWN"
        ),
        (
            "a checks b: check ID MISSED: sent 2015-09-30 08:00:00Z by watch, answered by "
            "watch 90,120.0 s later; the line is UP, and was DOWN"
        ),
    ]
    loud = [each.startswith(LOUD) for each in said]
    assert loud == [False, True, True, True, True, True, False]
    for each in (*said, WHY):
        assert not re.search(r"refused|dead|silent|ignored|hostile", each)


def test_a_line_that_is_down_stands_first_with_the_checks_that_it_is_so_because_of() -> None:
    stage = checking()
    answer(stage, check(stage, "b", "a"), "a")
    until(stage, SLOT_US + 24 * 60 * 60_000_000 + ANSWER_US)
    world = stage.exchange.world

    said = lines_text(
        world.lines_checked.values(), world.line_checks, stage.clock.now_us(), "b"
    ).splitlines()

    assert said[0].startswith(
        "DOWN      a checks b: since 2015-10-01 09:02:00Z, 3 MISSED one after another; use "
    )
    assert sum("MISSED: a sent none by" in each for each in said[:5]) == 3
    assert said[4].startswith("  due         a sends the next at 2015-10-01 17:00:00Z (clause 4.2")
    assert said[6].startswith("UP        b checks a: since 2015-09-30 08:00:00Z")


def test_only_who_is_to_answer_is_told_how() -> None:
    stage = checking()
    check(stage)
    world, [line] = stage.exchange.world, stage.exchange.world.lines_checked.values()

    told = [
        "answer it" in "\n".join(line_rows(line, world.line_checks, START_US, party))
        for party in ("a", "b")
    ]

    assert (line.state, told) == (LineState.UNKNOWN, [False, True])
