# SPDX-License-Identifier: Apache-2.0
"""The desk in a terminal: what a key signs, what counts as displayed, and that nothing is lost."""

import subprocess
import sys
from collections.abc import Callable

import pytest
from textual.events import Paste

from keepclear.agreement.clauses import Precedence
from keepclear.cli import main
from keepclear.cli.terminal.app import ABOUT_ONE
from keepclear.cli.terminal.station import Deed, Done
from keepclear.line.acts import SendDistress
from keepclear.line.ladder import Step
from keepclear.line.messages import Word
from keepclear.plays.stage import Stage
from keepclear.record.headers import Status
from tests.incident_plays import staged
from tests.message_plays import at_line, distress, send, take
from tests.record_plays import START_US
from tests.terminal_plays import Officer, StageStation, at_desk, awaited

pytestmark = pytest.mark.slow
LONG = "\n".join(f"line {number}" for number in range(1, 31))


async def one(officer: Officer, precedence: Precedence = Precedence.URGENT) -> str:
    """Let a message come at the start; it is two seconds later."""
    message = send(officer.stage, precedence=precedence)
    await officer.told()
    await officer.at(2)
    return message


# --- displayed --------------------------------------------------------------------------------


@awaited
async def test_what_came_up_by_itself_is_displayed_once_somebody_presses_a_key() -> None:
    async with at_desk(at_line(), person="shift-lead") as officer:
        message = await one(officer)
        await officer.at(60)
        assert officer.steps(message) == [Step.SENT, Step.DELIVERED]

        await officer.press("x")  # a key that does nothing

        assert officer.steps(message) == [Step.SENT, Step.DELIVERED, Step.DISPLAYED]
        assert officer.message(message).steps[-1].person == "shift-lead"
        await officer.press("x", "up", "down")
        assert officer.station.did == ["line.displayed/1"]  # once


@awaited
async def test_what_scrolls_by_in_a_list_was_not_displayed_and_what_is_selected_was() -> None:
    async with at_desk(at_line()) as officer:
        messages = [send(officer.stage) for _ in range(3)]
        await officer.told()
        await officer.at(2)

        await officer.press("down")

        displayed = [Step.DISPLAYED in officer.steps(each) for each in messages]
        assert displayed == [True, True, False]


@awaited
async def test_a_text_that_is_longer_than_the_screen_is_displayed_at_its_end() -> None:
    async with at_desk(at_line()) as officer:
        message = send(officer.stage, text=LONG)
        await officer.told()
        await officer.at(2)
        assert " the text goes on: PgDn" in officer.text

        text = await officer.press("a")
        assert "read it to its end first: PgDn" in text
        assert officer.steps(message) == [Step.SENT, Step.DELIVERED]

        text = await officer.press(*["pagedown"] * 4)
        assert "line 30" in text
        assert "the text goes on" not in text
        assert officer.steps(message)[-1] is Step.DISPLAYED
        await officer.press("a")
        assert officer.steps(message)[-1] is Step.ACKNOWLEDGED


@awaited
async def test_a_long_text_that_is_selected_is_not_displayed_before_its_end() -> None:
    async with at_desk(at_line()) as officer:
        send(officer.stage)
        message = send(officer.stage, text=LONG)
        await officer.told()
        await officer.at(2)

        text = await officer.press("down", "x", "a")

        assert f"message {message[:8]}" in text
        assert officer.steps(message) == [Step.SENT, Step.DELIVERED]


@awaited
async def test_a_message_of_another_status_is_shown_and_never_signed_for() -> None:
    stage = at_line()
    async with at_desk(stage, station=StageStation(stage, Status.TEST)) as officer:
        message = await one(officer)

        text = await officer.press("x", "down")

        assert text.startswith(" TEST  b, watch")
        assert "EXERCISE  URGENT (PAN PAN)" in text
        assert Step.DISPLAYED not in officer.steps(message)


@awaited
async def test_distress_of_an_exercise_takes_no_screen_that_is_actual_and_rings_no_bell() -> None:
    stage = at_line()
    async with at_desk(stage, station=StageStation(stage, Status.ACTUAL)) as officer:
        distress(stage)

        text = await officer.at(30)

        assert "> DISTRESS (MAYDAY) a, watch        30 s old     EXERCISE, and not of this" in text
        assert "CAME TO THIS POST" in text  # the lists stand there still
        assert officer.rings == 0


@awaited
async def test_what_is_actual_is_heard_at_a_desk_of_an_exercise() -> None:
    stage = staged("a", "b")
    stage._status = Status.ACTUAL
    async with at_desk(stage) as officer:
        stage.submit("a", "distress/1", SendDistress(to="b", text="MAYDAY", language="en"))

        text = await officer.at(30)

        assert "ACTUAL  DISTRESS (MAYDAY)" in text
        assert "NOT ACKNOWLEDGED. Press a" in text
        assert officer.rings
        await officer.at(32)
        assert "is Actual, and this desk is Exercise: act on it at" in await officer.press("a")


# --- what keys sign ---------------------------------------------------------------------------


@awaited
async def test_keys_acknowledge_answer_and_pass_on() -> None:
    async with at_desk(at_line()) as officer:
        message = await one(officer)

        text = await officer.press("a")
        assert f"message {message[:8]} from a, watch, to b, watch: acknowledged" in text
        await officer.press("w", "R")  # as with caps lock on
        await officer.press("u")
        await officer.types("no radio to the battery")
        await officer.press("s")
        await officer.types("10")
        await officer.press("d")
        text = await officer.types("1st battery, 2nd battery")

        assert "all is done" in text
        made = officer.message(message)
        assert [(each.word, each.why, each.until_us) for each in made.answers] == [
            (Word.WILCO, "", None), (Word.ROGER, "", None),
            (Word.UNABLE, "no radio to the battery", None),
            (Word.STANDBY, "", START_US + (2 + 10 * 60) * 1_000_000),
        ]  # fmt: skip
        assert made.steps[-1].units == ("1st battery", "2nd battery")


@awaited
async def test_what_is_done_stays_for_ten_minutes_and_then_goes() -> None:
    async with at_desk(at_line()) as officer:
        await one(officer, Precedence.ROUTINE)
        await officer.press("a")  # of ROUTINE all is done then, at 2 s

        assert "all is done" in await officer.at(601)
        assert "no messages wait at this post" in await officer.at(602)


@awaited
async def test_a_key_that_says_nothing_does_nothing_and_one_without_a_message_neither() -> None:
    async with at_desk(at_line()) as officer:
        before = officer.text

        assert await officer.press("x", "1", "f5", *sorted(ABOUT_ONE), "up", "down", "l") == before
        assert officer.station.did == []


@awaited
async def test_a_key_right_after_another_message_came_up_by_itself_is_not_meant_for_it() -> None:
    async with at_desk(at_line()) as officer:
        await one(officer, Precedence.ROUTINE)
        cry = distress(officer.stage)
        await officer.told()

        text = await officer.press("a")
        assert "another message has just come up: read it, and press the key again" in text
        assert officer.steps(cry) == [Step.SENT, Step.DELIVERED]

        await officer.at(3)
        await officer.press("a")
        assert officer.steps(cry)[-1] is Step.ACKNOWLEDGED


@awaited
async def test_what_was_sent_from_here_is_not_acknowledged_here() -> None:
    async with at_desk(at_line()) as officer:
        message = send(officer.stage, "b", to="a")
        await officer.told()
        await officer.at(2)

        text = await officer.press("a")

        assert f"message {message[:8]} was sent from here" in text
        assert officer.station.did == []


@awaited
async def test_the_ladder_and_the_help_take_the_screen_until_a_key_is_pressed() -> None:
    async with at_desk(at_line()) as officer:
        message = await one(officer)

        text = await officer.press("l")
        assert f"message {message[:8]} from a, watch" in text
        assert "acknowledged by 08:05:00Z" in text
        assert "any other key closes it" in text
        await officer.press("x")
        assert "HELP: the desk of a post" in await officer.press("question_mark")
        assert "CAME TO THIS POST" in await officer.press("escape")


# --- what is typed ----------------------------------------------------------------------------


@awaited
async def test_a_message_is_sent_and_stands_among_those_that_were() -> None:
    async with at_desk(at_line()) as officer:
        await officer.press("n")
        for each in ("a", "urgent"):
            await officer.types(each)
        text = await officer.types("Where is your patrol?")

        assert "SENT BY THIS PARTY" in text
        [sent] = officer.stage.exchange.world.messages.values()
        assert (sent.text, sent.precedence, sent.receiver) == (
            "Where is your patrol?", Precedence.URGENT, "a"
        )  # fmt: skip


@awaited
async def test_what_is_pasted_loses_no_line() -> None:
    async with at_desk(at_line()) as officer:
        await officer.press("n")
        for each in ("a", "r"):
            await officer.types(each)
        officer.desk.screen.focused.post_message(Paste("Cease at 33.50N.\nOur people\nare there."))  # type: ignore[union-attr]
        await officer.pilot.pause()
        await officer.press("enter")

        [sent] = officer.stage.exchange.world.messages.values()
        assert sent.text == "Cease at 33.50N. Our people are there."


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        (("", "u", "x"), "to whom is not typed; type a party, or a force"),
        (("a", "x", "x"), "precedence 'x': is none; type d, u, p, r or c"),
        (("a", "dog", "x"), "precedence 'dog': is none"),
        (("a", "u", ""), "text: has 0 characters, not 1 to 2,000"),
    ],
)
def test_what_cannot_be_sent_is_refused_and_stays(typed: tuple[str, ...], says: str) -> None:
    @awaited
    async def play() -> None:
        async with at_desk(at_line()) as officer:
            await officer.press("n")
            for each in typed:
                await officer.types(each)

            assert f"REFUSED: {says}" in " ".join(officer.text.replace("│", " ").split())
            assert officer.desk.screen.values == typed  # type: ignore[attr-defined]
            assert officer.station.did == []

    play()


@awaited
async def test_what_the_exchange_refuses_loses_nothing_that_was_typed() -> None:
    async with at_desk(at_line()) as officer:
        message = await one(officer)
        await officer.press("a", "u")
        officer.station.refuses = "gave no answer in 18 tries"
        assert "REFUSED: gave no answer in 18 tries" in await officer.types("no radio")

        await officer.press("escape")
        officer.station.refuses = ""
        assert "no radio" in await officer.press("u")
        await officer.press("enter")
        assert officer.message(message).answers[-1].why == "no radio"
        assert "no radio" not in (await officer.press("u")).partition("UNABLE to")[2]


@pytest.mark.parametrize(
    ("key", "typed", "says"),
    [
        ("u", " ", "no reason is typed, and UNABLE needs one"),
        ("s", "soon", "minutes 'soon': is no whole number from 1 to 1,440"),
        ("s", "0", "minutes '0': is no whole number"),
        ("s", "1441", "minutes '1441': is no whole number"),
        ("d", " , ", "no unit is named"),
    ],
)
def test_an_answer_that_lacks_what_it_needs_is_refused(key: str, typed: str, says: str) -> None:
    @awaited
    async def play() -> None:
        async with at_desk(at_line()) as officer:
            await one(officer)
            await officer.press("a", key)

            assert f"REFUSED: {says}" in await officer.types(typed)
            assert officer.station.did == ["line.displayed/1", "line.acknowledge/1"]

    play()


@awaited
async def test_distress_is_sent_after_a_question_and_stays_typed_where_it_is_not() -> None:
    async with at_desk(at_line()) as officer:
        await officer.press("n")
        for each in ("a", "d", "MAYDAY"):
            await officer.types(each)
        assert "Send DISTRESS (MAYDAY) to a? y sends" in officer.text
        assert "not done" in await officer.press("x")

        await officer.press("n", "down", "down", "enter")
        assert officer.station.did == []
        await officer.press("y")

        assert officer.station.did == ["distress/1"]
        [sent] = officer.stage.exchange.world.messages.values()
        assert sent.text == "MAYDAY"


# --- alarms, the bell, leaving ----------------------------------------------------------------


@awaited
async def test_distress_can_be_left_for_the_lists_and_stands_first_in_them() -> None:
    async with at_desk(at_line()) as officer:
        await one(officer, Precedence.ROUTINE)
        distress(officer.stage)
        first, second = "DISTRESS (MAYDAY) a, watch", "ROUTINE           a, watch"
        assert first not in await officer.told()

        text = await officer.press("escape")

        assert text.index(first) < text.index(second)
        other = distress(officer.stage)  # another one takes the screen all the same
        assert first not in await officer.told()
        assert f"message {other[:8]}" in officer.text


@awaited
async def test_of_several_alarms_each_is_reached() -> None:
    async with at_desk(at_line()) as officer:
        messages = [distress(officer.stage) for _ in range(2)]
        text = await officer.told()
        assert "1 of 2 alarms. NOT ACKNOWLEDGED" in text
        assert messages[0][:8] in text

        assert messages[1][:8] in await officer.press("down")


@awaited
async def test_the_bell_rings_once_for_priority_and_again_and_again_for_urgent() -> None:
    async with at_desk(at_line()) as officer:
        send(officer.stage, precedence=Precedence.ROUTINE)
        await officer.told()
        assert officer.rings == 0
        send(officer.stage, precedence=Precedence.PRIORITY)
        await officer.told()
        await officer.at(30)
        assert officer.rings == 1

        urgent = send(officer.stage)
        rings = []
        for after_s in (30, 34, 35, 39, 40):
            await officer.at(after_s)
            rings.append(officer.rings)
        assert rings == [2, 2, 3, 3, 4]  # every five seconds
        take(officer.stage, urgent, Step.DISPLAYED, Step.ACKNOWLEDGED)
        await officer.at(60)
        assert officer.rings == 4


@awaited
async def test_the_bell_rings_for_what_is_overdue_on_either_side() -> None:
    async with at_desk(at_line()) as officer:
        send(officer.stage, "b", to="a")
        await officer.at(299)
        assert officer.rings == 0

        await officer.at(300)
        assert officer.rings == 1
        await officer.at(301)
        assert officer.rings == 1


@awaited
async def test_a_bell_that_is_muted_says_so_and_rings_again_after_a_minute() -> None:
    async with at_desk(at_line()) as officer:
        await one(officer)
        assert officer.rings == 1

        assert "BELL MUTED until 08:01:02Z" in await officer.press("m")
        await officer.at(61)
        assert officer.rings == 1
        assert "MUTED" not in await officer.at(62)
        assert officer.rings == 2


@awaited
async def test_a_quiet_desk_says_so_and_never_rings() -> None:
    async with at_desk(at_line(), is_quiet=True) as officer:
        distress(officer.stage)
        await officer.at(120)

        assert "no bell (--quiet)" in officer.text
        assert officer.rings == 0


@awaited
async def test_leaving_is_asked_about_while_something_urgent_waits() -> None:
    async with at_desk(at_line()) as officer:
        await one(officer)
        text = await officer.press("q")
        assert "1 URGENT or higher not acknowledged. q leaves all the same" in text
        assert officer.desk.is_running
        await officer.press("x", "q", "q")

    assert officer.desk.return_code == 0
    assert officer.station.is_ended


@awaited
async def test_leaving_is_not_asked_about_where_nothing_urgent_waits() -> None:
    async with at_desk(at_line()) as officer:
        await one(officer, Precedence.PRIORITY)
        await officer.press("q")

    assert officer.desk.return_code == 0


@awaited
async def test_leaving_waits_for_what_was_signed_and_stays_where_that_is_refused() -> None:
    stage = at_line()
    station = SlowStation(stage)
    async with at_desk(stage, station=station) as officer:
        await one(officer, Precedence.ROUTINE)
        await officer.press("a")
        assert "leaving once what was signed is answered" in await officer.press("q")
        station.answer(refused="not now")
        await officer.pilot.pause()
        assert "REFUSED: not now" in officer.text
        station.answer()
        await officer.pilot.pause()
        assert officer.desk.is_running

        await officer.press("a", "q")
        for _ in range(len(station.asked)):
            station.answer()
        await officer.pilot.pause()
    assert officer.desk.return_code == 0


@awaited
async def test_what_is_on_its_way_is_not_signed_again() -> None:
    stage = at_line()
    station = SlowStation(stage)
    async with at_desk(stage, station=station) as officer:
        await one(officer)
        assert "on its way" in await officer.press("a")
        await officer.press("a", "w", "w", "u")
        await officer.types("no radio")
        await officer.press("enter", "escape", "u", "enter")
        # displayed, acknowledged, WILCO, UNABLE

        assert len(station.asked) == 4


class SlowStation(StageStation):
    """Answers when it is told to, what it is told to."""

    def __init__(self, stage: Stage) -> None:
        super().__init__(stage)
        self.asked: list[Callable[[Done], None]] = []

    def do(self, _deed: Deed, then: Callable[[Done], None]) -> None:
        """Let it wait."""
        self.asked.append(then)

    def answer(self, refused: str = "") -> None:
        """Answer the first that waits."""
        self.asked.pop(0)(Done(None, refused))


@awaited
async def test_the_bell_rings_once_where_what_is_shown_is_not_up_to_date_any_more() -> None:
    async with at_desk(at_line()) as officer:
        assert officer.rings == 0
        for lost, rings in (("cut", 1), ("refused", 1), ("", 1), ("cut", 2)):
            officer.station.lost = lost
            await officer.told()
            assert officer.rings == rings


@awaited
async def test_an_alarm_is_seen_by_who_reads_a_page_or_types() -> None:
    async with at_desk(at_line()) as officer:
        await one(officer, Precedence.ROUTINE)
        await officer.press("question_mark")
        cry = distress(officer.stage)
        assert f"message {cry[:8]}" in await officer.told()
        await officer.at(4)
        await officer.press("a", "n", "a")
        other = distress(officer.stage)

        text = await officer.told()

        assert f"message {other[:8]}" in text
        assert "New message, over flight-safety" in text


@awaited
async def test_ctrl_c_leaves_as_q_does_and_closes_a_form_first() -> None:
    async with at_desk(at_line()) as officer:
        await one(officer)
        await officer.press("n")
        assert "New message" not in await officer.press("ctrl+c")

        assert "q leaves all the same" in await officer.press("ctrl+c")
        await officer.press("x")
        assert "q leaves all the same" in await officer.press("ctrl+q")
        assert officer.desk.is_running


# --- the command ------------------------------------------------------------------------------


def typed(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    """Type `keepclear line watch`, which is refused, and return what it says."""
    with pytest.raises(SystemExit) as ended:
        main(["line", "watch", *words])
    assert ended.value.code == 2
    return capsys.readouterr().err


def test_without_its_extra_the_command_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("keepclear.cli.line_watch.find_spec", lambda _: None)

    assert typed(capsys).endswith("pip install 'keepclear[desk]'\n")


def test_where_there_is_no_terminal_it_says_what_to_use(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert "needs a terminal; in a script, use keepclear line read" in typed(capsys)


def test_no_other_command_loads_what_the_desk_needs() -> None:
    code = (
        "import sys, keepclear.cli.line, keepclear.cli.line_watch; print('textual' in sys.modules)"
    )

    said = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)

    assert said.stdout == "False\n"
