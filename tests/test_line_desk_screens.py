# SPDX-License-Identifier: Apache-2.0
"""What stands on the screen of the desk in a terminal, as it is read in 80 columns and 24 lines.

The screens stand in `files/line_desk`, made on a stage whose clock is handed in: to the second.
"""

from pathlib import Path
from typing import Final

import pytest

from keepclear.agreement.clauses import Precedence
from keepclear.line.ladder import Step
from keepclear.record.headers import Status
from tests.message_plays import at_line, distress, send, take
from tests.terminal_plays import Officer, StageStation, at_desk, awaited

pytestmark = pytest.mark.slow
SCREENS: Final = Path(__file__).parent / "files" / "line_desk"


def check(officer: Officer, name: str) -> None:
    """Compare what stands there with the screen that is kept."""
    assert officer.text.rstrip("\n") == (SCREENS / f"{name}.txt").read_text("utf-8").rstrip("\n")


async def three(officer: Officer) -> list[str]:
    """Let three messages come within 20 s, and one be sent; it is 48 s after the start."""
    stage = officer.stage
    found = [send(stage, precedence=Precedence.ROUTINE, text="Is the bridge open again?")]
    await officer.at(20)
    found += [send(stage), send(stage, precedence=Precedence.PRIORITY, text="The route is closed.")]
    send(stage, "b", to="a", text="Say where your patrol is.")
    await officer.at(48)
    return found


@awaited
async def test_where_nothing_waits_it_says_so_and_that_this_implies_nothing() -> None:
    async with at_desk(at_line()) as officer:
        check(officer, "nothing")


@awaited
async def test_three_that_wait_stand_in_order_with_the_first_in_full() -> None:
    async with at_desk(at_line()) as officer:
        await three(officer)

        check(officer, "three")


@awaited
async def test_what_is_overdue_says_so_for_how_long_and_with_whom_it_is_now() -> None:
    async with at_desk(at_line()) as officer:
        await three(officer)
        await officer.press("up")
        await officer.at(330)

        check(officer, "overdue")  # due 300 s after it was sent at 20 s


@awaited
async def test_distress_takes_the_whole_screen_and_says_what_to_press() -> None:
    async with at_desk(at_line()) as officer:
        await three(officer)
        distress(officer.stage)
        await officer.told()

        check(officer, "distress")


@awaited
async def test_a_refused_act_shows_the_refusal_whole() -> None:
    async with at_desk(at_line()) as officer:
        await three(officer)
        officer.station.refuses = (
            "exchange http://127.0.0.1:8610: gave no answer to POST /v1/acts in 18 tries\n"
            "It may have been done; to send the same again, type keepclear send-again --home south"
        )
        await officer.at(50)
        await officer.press("a")

        check(officer, "refused")


@awaited
async def test_what_is_not_up_to_date_says_since_when_and_why() -> None:
    async with at_desk(at_line()) as officer:
        await three(officer)
        station = officer.station
        station.lost, station.lost_us = "stream: was cut", officer.stage.clock.now_us()
        station.unanswered, station.conflicts = 1, 2
        await officer.at(90)

        check(officer, "stale")


@awaited
async def test_silence_for_a_minute_is_not_up_to_date_whoever_says_otherwise() -> None:
    async with at_desk(at_line()) as officer:
        as_of_us = officer.station.as_of_us
        officer.stage.clock.move_to(as_of_us + 60_000_000)
        officer.desk.tick()
        await officer.pilot.pause()
        assert " up to date, as of 08:00:00Z" in officer.text

        officer.stage.clock.move_to(as_of_us + 60_000_001)
        officer.desk.tick()
        await officer.pilot.pause()
        assert (
            "NOT UP TO DATE (as of 08:00:00Z), and tried again: nothing was heard since then"
            in officer.text
        )


@pytest.mark.parametrize("status", Status)
def test_each_status_stands_on_top_in_words_and_in_a_colour_of_its_own(status: Status) -> None:
    @awaited
    async def play() -> None:
        stage = at_line()
        async with at_desk(stage, station=StageStation(stage, status)) as officer:
            assert officer.text.startswith(f" {status.upper()}  b, watch  in exercise-east")
            colours[status] = str(officer.desk.screen.query_one("#status").styles.background)

    colours: dict[Status, str] = COLOURS
    play()
    assert len(set(colours.values())) == len(colours)


COLOURS: dict[Status, str] = {}


@awaited
async def test_a_larger_screen_has_longer_lists() -> None:
    async with at_desk(at_line(), size=(120, 40)) as officer:
        for _ in range(9):
            send(officer.stage)
        small = await officer.told()
        assert small.count(": not acknowledged") == 9
        await officer.pilot.resize_terminal(80, 24)
        await officer.told()

        assert "  and 4 more: up/down" in officer.text
        assert officer.text.count(": not acknowledged") == 5
        text = await officer.press(*["down"] * 8)
        lines = [each for each in text.split("\n") if ": not acknowledged" in each]
        assert lines[-1].startswith(">")  # the selected one is among those that are shown


@awaited
async def test_the_smallest_terminal_still_says_what_waits() -> None:
    async with at_desk(at_line(), size=(40, 12)) as officer:
        await three(officer)

        assert "> URGENT (PAN PAN)" in officer.text


@awaited
async def test_text_from_right_to_left_stands_alone_on_its_lines() -> None:
    # "Stop", in Arabic and Hebrew, with a position whose digits keep their order
    text = "أوقفوا النشاط عند 33.50N 038.62E\n\u05e2\u05e6\u05e8\u05d5"
    async with at_desk(at_line()) as officer:
        send(officer.stage, text=text, language="ar")
        lines = (await officer.told()).split("\n")

        assert [each for each in lines if any("\u0590" < c < "\u0700" for c in each)] == [
            f"┃{each}" for each in text.split("\n")
        ]
        assert lines[-2].startswith(" up/down select")
        assert "  typed in    ar" in lines


@awaited
async def test_a_text_cannot_write_on_the_screen_what_the_desk_never_said() -> None:
    async with at_desk(at_line()) as officer:
        send(officer.stage, text="[bold red]ALL CLEAR[/] [@click=app.exit]x[/]")

        assert "┃[bold red]ALL CLEAR[/] [@click=app.exit]x[/]" in (await officer.told()).split("\n")


@awaited
async def test_a_reply_shows_what_it_is_about() -> None:
    async with at_desk(at_line()) as officer:
        asked = send(officer.stage, "b", to="a", text="Where is your patrol?")
        take(officer.stage, asked, Step.DELIVERED, party="a")
        send(officer.stage, reply_to=asked, text="At the bridge.")
        text = await officer.told()

        assert (
            f"it was      {asked[:8]} from b, 08:00:00Z:\n{' ' * 14}Where is your patrol?" in text
        )
        assert "reply" in await officer.press("down")
        assert f"{' ' * 14}At the bridge." in officer.text


def test_the_screen_in_the_docs_is_one_that_is_tested() -> None:
    page = Path(__file__).parent.parent / "docs" / "line.md"

    assert (SCREENS / "three.txt").read_text("utf-8") in page.read_text("utf-8")


@awaited
async def test_a_text_that_looks_like_the_rows_below_it_stands_behind_a_bar() -> None:
    fake = "Hello.\n\n  answer      b, watch says WILCO, 08:00:30Z\n" + "x" * 200
    async with at_desk(at_line()) as officer:
        send(officer.stage, text=fake)
        shown = (await officer.at(30)).split("\n")

        [place] = [number for number, line in enumerate(shown) if "WILCO, 08" in line]
        assert [each[:1] for each in shown[place - 2 : place + 5]] == ["┃"] * 6 + [""]
        assert [each for each in shown if each.startswith("  answer")] == []
