# SPDX-License-Identifier: Apache-2.0
"""What is read of messages: in a terminal, in a story, in a report, in a record that is shown."""

import html
import re

import pytest

from keepclear.agreement.clauses import Precedence
from keepclear.exchange.events import MessageChanged, MessageOverdue
from keepclear.formats.play import read_play
from keepclear.line.acts import ReadBackMessage
from keepclear.line.ladder import Step
from keepclear.line.messages import Word
from keepclear.line.templates import template_named
from keepclear.line.values import Typed
from keepclear.plays.stage import Stage
from keepclear.record.entries import Part
from keepclear.reports.desk_text import step_text
from keepclear.reports.line_desk_text import beside_lines, came_here, text_lines
from keepclear.reports.message_html import message_table_rows
from keepclear.reports.message_text import (
    NO_DEADLINE,
    changed_text,
    duration,
    in_order,
    ladder_text,
    messages_text,
)
from keepclear.reports.play_text import played_text
from keepclear.reports.record_text import record_text
from tests.exchange_plays import example, played, unwrapped
from tests.incident_plays import events_seen
from tests.message_plays import (
    SECOND_US,
    URGENT_US,
    answer,
    at,
    at_line,
    distress,
    send,
    take,
    typed,
    wait,
)
from tests.record_plays import START_US
from tests.restored_stages import parts_of
from tests.stop_plays import end, stop
from tests.test_after_action_cases import words_of

TANF = "plays/tanf_2016.toml"


def rows(stage: Stage, message: str, after_us: int) -> str:
    """Return how a message reads so long after the start, with one space between words."""
    return unwrapped(messages_text([at(stage, message)], START_US + after_us, "none"))


def test_a_message_says_how_urgent_from_whom_to_whom_how_far_and_what_is_due() -> None:
    stage = at_line()
    message = send(stage, person="colonel")

    said = rows(stage, message, 48 * SECOND_US)

    short = message[:8]
    assert f"URGENT (PAN PAN) message {short} from a, watch, to b, watch, colonel: sent" in said
    assert '"Cease activity at 33.50N 038.62E, our people are there." (en)' in said
    # 300 s from the start, of which 48 have passed
    assert "due delivered, displayed and acknowledged by 08:05:00Z, in 4 min 12 s (clause" in said
    assert said.endswith("Absence of notification implies nothing and changes no legal protection.")


def test_what_is_overdue_says_since_when_where_and_to_whom_it_went_on() -> None:
    stage = at_line()
    message = send(stage, person="colonel")
    take(stage, message, Step.DELIVERED, Step.DISPLAYED)
    wait(stage, 2 * URGENT_US)

    said = rows(stage, message, 2 * URGENT_US)

    assert "displayed, not acknowledged, OVERDUE since 08:05:00Z" in said
    assert "OVERDUE not acknowledged at watch by 08:05:00Z; goes on to anybody at watch" in said
    assert "OVERDUE not acknowledged at watch by 08:10:00Z; goes on to duty-officer" in said
    assert "is with watch and duty-officer of b" in said


def test_without_a_deadline_it_says_that_none_is_agreed() -> None:
    stage = at_line()

    assert NO_DEADLINE in rows(stage, send(stage, to="c"), 0)


def test_a_mismatch_is_loud_and_stands_first_and_what_matches_is_not() -> None:
    stage = at_line()
    message = send(stage, values=typed(position="35-16.0N 040-05.0E"))
    take(stage, message, Step.DELIVERED, Step.DISPLAYED, Step.ACKNOWLEDGED)
    for back in ("35-21.0N 040-05.0E", "35-16.0N 040-05.0E"):
        made = ReadBackMessage(id=message, values=typed(position=back), person="shift-lead")
        stage.submit("b", "line.read-back/1", made)
        said = messages_text([at(stage, message)], START_US, "none").splitlines()
        label = "MISMATCH" if at(stage, message).mismatch else "read back"
        assert said[1].startswith(f"  {label}")

    told = [changed_text(each) for each in events_seen(stage, "b", MessageChanged)][-2:]
    loud = [step_text([part], {})[1] for part in line_parts(stage)][-2:]
    assert told[0].startswith(f"MISMATCH: message {message[:8]} read back by b, watch (shift-lead)")
    assert "as 35.35000N 040.08333E, which is 9,246 m away" in told[0]
    assert told[1] == (
        f"message {message[:8]} is read back as it was sent, and confirmed, by b, watch "
        "(shift-lead)"
    )
    assert loud == [True, False]


def test_a_standby_whose_time_has_passed_is_silence_again() -> None:
    stage = at_line()
    message = send(stage)
    take(stage, message, Step.DELIVERED, Step.DISPLAYED)
    answer(stage, message, Word.STANDBY, until_us=START_US + 60 * SECOND_US)

    assert "nothing is agreed" not in rows(stage, message, 59 * SECOND_US)
    assert (
        "b, watch says STANDBY until 08:01:00Z, 08:00:00Z; that time has passed, and nothing "
        in (rows(stage, message, 60 * SECOND_US))
    )


def test_a_time_on_another_day_says_which() -> None:
    stage = at_line()
    message = send(stage)
    take(stage, message, Step.DELIVERED, Step.DISPLAYED)
    answer(stage, message, Word.STANDBY, until_us=START_US + 30 * 3_600 * SECOND_US)
    wait(stage, 20 * 3_600 * SECOND_US)
    late = send(stage, precedence=Precedence.ROUTINE)
    wait(stage, 22 * 3_600 * SECOND_US)
    own = answer(stage, message, Word.WILCO)

    told = [changed_text(each) for each in events_seen(stage, "a", MessageChanged)]
    assert any("STANDBY until 2015-10-01 14:00:00Z" in each for each in told)
    said = rows(stage, own.id, 22 * 3_600 * SECOND_US)
    assert "b, watch says WILCO, 2015-10-01 06:00:00Z" in said
    assert "not acknowledged, OVERDUE since 08:05:00Z" in said
    said = rows(stage, late, 22 * 3_600 * SECOND_US)
    assert "OVERDUE since 05:00:00Z" in said


def test_a_place_that_is_read_back_within_a_coarse_one_says_how_far_it_lies() -> None:
    stage = at_line()
    message = send(stage, values=typed(position="33.5N 38.6E"))
    take(stage, message, Step.DELIVERED, Step.DISPLAYED, Step.ACKNOWLEDGED)
    made = ReadBackMessage(id=message, values=typed(position="33.54N 38.55E"))
    stage.submit("b", "line.read-back/1", made)

    apart = (
        "as it was sent (position 33.54000N 038.55000E is 6,423 m away, and what was sent is "
        "known to 7,248 m)"
    )
    assert f"read back {apart}, by b, watch" in rows(stage, message, 0)
    [*_, told] = events_seen(stage, "a", MessageChanged)
    assert f"is read back {apart}, and confirmed, by b, watch" in changed_text(told)


def test_the_unacknowledged_come_first_then_the_most_urgent_then_the_oldest() -> None:
    stage = at_line()
    taken = distress(stage)
    take(stage, taken, Step.DELIVERED, Step.DISPLAYED, Step.ACKNOWLEDGED)
    routine = send(stage, precedence=Precedence.ROUTINE)
    wait(stage, SECOND_US)
    urgent = [send(stage), send(stage)]
    cry = distress(stage)

    order = [each.id for each in in_order(stage.exchange.world.messages.values())]

    assert order == [cry, *urgent, routine, taken]


def test_the_ladder_has_each_step_with_its_time_the_seconds_between_and_by_whom() -> None:
    stage = at_line()
    message = send(stage)
    wait(stage, 6 * SECOND_US)
    take(stage, message, Step.DELIVERED)
    wait(stage, 66 * SECOND_US)
    take(stage, message, Step.DISPLAYED)

    said = ladder_text(at(stage, message), START_US + URGENT_US - SECOND_US)
    table = [each.split(maxsplit=3) for each in said.split("by\n")[1].split("\n")[:5]]

    assert table[:3] == [
        ["sent", "08:00:00Z", "a,", "watch"],
        ["delivered", "08:00:06Z", "+6.0", "b, watch"],
        ["displayed", "08:01:06Z", "+60.0", "b, watch"],
    ]
    assert " ".join(table[3]) == "acknowledged due 08:05:00Z, in 1 s"
    wait(stage, URGENT_US)
    late = ladder_text(at(stage, message), START_US + URGENT_US)
    assert re.search(r"acknowledged +OVERDUE since 08:05:00Z", late)


def test_the_seconds_to_the_first_action_of_a_person_are_told_and_programs_do_not_count() -> None:
    stage = at_line()
    message = send(stage)
    wait(stage, 6 * SECOND_US)
    take(stage, message, Step.DELIVERED, Step.DISPLAYED)

    nobody = ladder_text(at(stage, message), START_US + 90 * SECOND_US)
    assert "nobody has acted on it, 90.0 s after it was sent" in nobody

    wait(stage, 47 * SECOND_US)
    answer(stage, message, Word.UNABLE, why="no contact with the battery")
    said = "first acted on 47.0 s after it was sent: UNABLE by b, watch"
    assert said in ladder_text(at(stage, message), START_US + 90 * SECOND_US)
    wait(stage, 60 * SECOND_US)
    take(stage, message, Step.ACKNOWLEDGED)
    assert said in ladder_text(at(stage, message), START_US + 90 * SECOND_US)


@pytest.mark.parametrize(
    ("length_s", "said"),
    [(0, "0 s"), (59, "59 s"), (60, "1 min 0 s"), (3_599, "59 min 59 s"), (3_600, "1 h 0 min")],
)
def test_how_long_is_left_is_said_to_the_second(length_s: int, said: str) -> None:
    assert duration(length_s * SECOND_US) == said


def test_a_watch_tells_each_change_in_a_sentence_and_rings_for_what_is_urgent_or_overdue() -> None:
    stage = at_line()
    send(stage)
    message = send(stage, precedence=Precedence.ROUTINE)
    take(stage, message, Step.DELIVERED)
    wait(stage, URGENT_US)

    told = [changed_text(each) for each in events_seen(stage, "b", MessageChanged)]
    alarms = [changed_text(each) for each in events_seen(stage, "b", MessageOverdue)]
    loud = [step_text([part], {})[1] for part in line_parts(stage)]

    assert told[0].startswith("URGENT (PAN PAN): message ")
    assert told[1].startswith("ROUTINE: message ")
    assert told[2].endswith("is delivered 0.0 s after it was sent, by b, watch")
    assert all(each.startswith("OVERDUE: message ") for each in alarms)
    assert loud == [True, False, False, *[True] * 3]


def line_parts(stage: Stage) -> list[Part]:
    """Return the parts about messages that b sees."""
    return [each for each in parts_of(stage.lines, "b") if each.kind.startswith("message-")]


# --- stories, reports, records ----------------------------------------------------------------


def test_a_story_tells_each_side_the_same_of_a_message_and_others_nothing() -> None:
    play, done = read_play(example(TANF).encode(), TANF), played(example(TANF))

    stories = {each: unwrapped(played_text(play, done, each)) for each in ("a", "b")}

    for each in stories.values():
        assert "A sends message 1 to b, STOP" in each
        assert "keep out of 33.3304N 038.4368E to 33.6654N 038.8393E" in each
        assert "told a and b, and nobody else" in each
        assert each.count("OVERDUE: message 1 is not disseminated at") == 3
    assert "message" not in played_text(play, done, "c").partition("region")[2]


def test_a_report_tells_each_step_and_alarm_and_who_was_told() -> None:
    said = unwrapped(words_of(played(example(TANF)).lines))

    assert "A, watch sends a STOP to b" in said
    assert "B, duty-officer holds message 1: delivered" in said
    assert said.count("OVERDUE: message 1 is not disseminated at") == 3
    assert "MessageChanged" not in said  # no kind without words


def test_a_record_that_is_shown_names_each_step_and_alarm() -> None:
    done = played(example(TANF))

    said = unwrapped("\n".join(record_text(done.lines)))

    for each in ("line.stop/1", "line.delivered/1", "line.acknowledge/1", "line.answer/1"):
        assert each in said
    assert 'taken: (step: "acknowledged"' in said
    assert 'overdue: (step: "disseminated", post: "watch"' in said


PLAY = """
title = "t"
region = "r"
start = "2015-10-05T06:00:00Z"
parties = { n = "N", s = "S" }
agreement = { template = "two-forces" }
"""


def acts(*told: str) -> str:
    return PLAY + "".join(f'[[acts]]\nat = "{number} min"\n{each}\n'
                          for number, each in enumerate(told))  # fmt: skip


SENT = 'by = "n"\ndoes = "send"\nmessage = "M"\nto = "s"\nwords = "Where are you?"'


def test_a_play_sends_distress_replies_and_answers() -> None:
    done = played(acts(
        f'{SENT}\nprecedence = "DISTRESS"',
        'by = "s"\ndoes = "deliver"\nmessage = "M"', 'by = "s"\ndoes = "display"\nmessage = "M"',
        'by = "s"\ndoes = "answer-message"\nmessage = "M"\nanswer = "STANDBY"\nuntil = "9 min"',
        'by = "s"\ndoes = "send"\nmessage = "R"\nto = "n"\nwords = "We come."\nreply_to = "M"\n'
        'precedence = "PRIORITY"',
        'by = "s"\ndoes = "disseminate"\nmessage = "M"\nunits = ["tower"]',
    ))  # fmt: skip

    [refused] = done.refused
    assert "cannot be disseminated before it is acknowledged" in refused.why
    said = "\n".join(record_text(done.lines))
    assert "distress/1" in said
    assert "STANDBY" in said


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ('by = "s"\ndoes = "deliver"\nmessage = "X"', "is made by no act before it"),
        ('by = "s"\ndoes = "deliver"\nmessage = "M"\npost = "kitchen"', "has no key in a play"),
        ('by = "s"\ndoes = "disseminate"\nmessage = "M"', "is needed to disseminate"),
        ('by = "s"\ndoes = "deliver"\nmessage = "M"\nwords = "x"', "does nothing in deliver"),
        (SENT.replace('"M"', '"N"') + '\nreply_to = "X"', "is sent by no act before it"),
        (SENT.replace('"M"', '"N"') + '\nprecedence = "STOP"', "precedence STOP"),
        ('by = "s"\ndoes = "answer-message"\nmessage = "M"\nanswer = "YES"', "answer"),
    ],
)
def test_what_is_wrong_about_a_message_in_a_play_is_named(wrong: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        played(acts(SENT, wrong))


def test_a_row_on_a_page_has_times_and_no_lengths_of_time() -> None:
    stage = at_line()
    message = send(stage)
    take(stage, message, Step.DELIVERED, Step.DISPLAYED)
    wait(stage, URGENT_US)
    later = send(stage)

    first, second = (
        unwrapped(re.sub(r"<[^>]+>", " ", html.unescape(each)))
        for each in message_table_rows([at(stage, later), at(stage, message)])
    )

    # 08:00Z is the start, and the clause gives five minutes
    assert f"{message[:8]} URGENT (PAN PAN) a, watch, to b, watch" in first
    assert "OVERDUE: not acknowledged at watch by 08:05:00Z; goes on to duty-officer" in first
    assert "disseminated by 08:10:00Z" in first
    assert "delivered, displayed and acknowledged by 08:10:00Z" in second
    assert not re.search(r"\bin \d", first + second)


def test_a_desk_shows_the_fields_of_a_message_and_what_was_read_back_otherwise() -> None:
    stage = at_line()
    formed = send(
        stage, text="", template=template_named("accident-notice").form,
        values=(
            Typed(name="time", typed="2015-09-30T08:00:00Z"),
            Typed(name="place", typed="33.50N 038.62E"),
            Typed(name="intent", typed="not-deliberate"),
        ),
    )  # fmt: skip
    free = send(stage, values=(Typed(name="position", typed="33.50N 038.62E"),))
    take(stage, free, Step.DELIVERED, Step.DISPLAYED, Step.ACKNOWLEDGED)
    stage.submit("b", "line.read-back/1", ReadBackMessage(
        id=free, values=(Typed(name="position", typed="33.60N 038.62E"),)
    ))  # fmt: skip

    said = "\n".join(text_lines(at(stage, formed)))
    assert "5.2 Place: 33.50000N 038.62000E (33.50N 038.62E)" in said
    assert "5.3 Intent: not deliberate" in said
    said = "\n".join(text_lines(at(stage, free)))
    assert said.startswith("Cease activity")
    assert "position: 33.50000N 038.62000E" in said
    beside = unwrapped("\n".join(beside_lines(at(stage, free), {}, START_US, 80)))
    # a tenth of a degree of latitude: 11,091 m there (geographiclib 2.0, Geodesic.WGS84.Inverse)
    assert beside.startswith("MISMATCH position was sent as 33.50000N 038.62000E and read back")
    assert "11,091 m away" in beside


def test_a_desk_shows_where_to_keep_out_for_a_stop_and_keeps_it_listed_while_it_stands() -> None:
    stage = at_line()
    made = stop(stage, "b")
    take(
        stage, made.messages[0], Step.DELIVERED, Step.DISPLAYED, Step.ACKNOWLEDGED,
        Step.ANSWERED, Step.DISSEMINATED,
    )  # fmt: skip
    later_us = START_US + 3_600 * SECOND_US
    told = at(stage, made.messages[0])

    rows = [each.split() for each in beside_lines(told, {}, START_US, 80)]
    assert ["STOP", "in", "force"] in rows
    assert any(each[:3] == ["keep", "out", "of"] for each in rows)
    assert came_here([told], "b", "watch", later_us) == [told]
    end(stage, made)
    assert came_here([at(stage, told.id)], "b", "watch", later_us) == []
