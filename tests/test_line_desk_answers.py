# SPDX-License-Identifier: Apache-2.0
"""The desk in a terminal: any answer, reading back, and templates in the reader's language."""

from typing import Any

import pytest

from keepclear.cli.terminal.app import ABOUT_ONE
from keepclear.line.ladder import Step
from keepclear.line.messages import Word
from keepclear.line.templates import template_named
from tests.message_plays import at_line, send, typed
from tests.terminal_plays import Officer, at_desk, awaited

pytestmark = pytest.mark.slow
SENT = typed(position="33.50N 038.62E", level="FL240")
ACCIDENT = typed(time="2015-09-30T08:00:00Z", place="33.50N 038.62E", intent="not-deliberate")


async def shown(officer: Officer, **more: Any) -> str:  # noqa: ANN401 fields of the act
    """Let a message come, and a person see it; it is three seconds later."""
    message = send(officer.stage, **more)
    await officer.told()
    await officer.at(3)
    await officer.press("x")
    return message


@pytest.mark.parametrize(
    ("says", "word"),
    [
        ("affirm", Word.AFFIRM), ("AFF", Word.AFFIRM), ("neg", Word.NEGATIVE), ("r", Word.ROGER),
        ("noted", Word.NOTED), ("w", Word.WILCO), ("concerned too near", Word.CONCERNED),
        ("unable no radio", Word.UNABLE), ("standby 10", Word.STANDBY),
        ("objects 4.1 too late", Word.OBJECTS),
    ],
)  # fmt: skip
@awaited
async def test_any_word_answers_with_what_it_needs(says: str, word: Word) -> None:
    async with at_desk(at_line()) as officer:
        message = await shown(officer)
        assert "WILCO, AFFIRM, NEGATIVE, ROGER or NOTED" in await officer.press("e")

        await officer.types(says)

        [answer] = officer.message(message).answers
        assert answer.word is word
        assert answer.why == {
            "concerned": "too near",
            "unable": "no radio",
            "objects": "too late",
        }.get(says.partition(" ")[0], "")


@pytest.mark.parametrize(
    ("says", "refused"),
    [
        ("n", "may be NEGATIVE or NOTED"),
        ("", "type one of WILCO"),
        ("yes", "type one of WILCO"),
        ("concerned", "CONCERNED needs a reason"),
        ("objects", "OBJECTS needs a clause"),
        ("unable", "UNABLE needs one"),
        ("standby soon", "no whole number"),
        ("objects 99 why", "none in force"),
    ],
)
@awaited
async def test_what_is_no_answer_is_refused_and_stays_typed(says: str, refused: str) -> None:
    async with at_desk(at_line()) as officer:
        message = await shown(officer)
        await officer.press("e")
        text = await officer.types(says)

        assert "REFUSED" in text
        assert refused in " ".join(text.split())
        assert officer.message(message).answers == ()


@awaited
async def test_a_message_is_read_back_field_by_field_and_a_mismatch_says_so_at_once() -> None:
    async with at_desk(at_line()) as officer:
        message = await shown(officer, values=SENT)
        await officer.press("a")
        assert "position: as 33-30.0N" in await officer.press("b")
        await officer.types("33.60N 038.62E")
        text = await officer.types("FL240")

        said = " ".join(text.split())
        assert "NOT AS IT WAS SENT: position was sent as 33.50000N 038.62000E and read back" in said
        assert "11,091 m away" in said
        assert "Press b to read it back again" in text
        assert Step.READ_BACK not in officer.steps(message)

        await officer.press("b")
        await officer.types("33-30.0N 038-37.2E")
        text = await officer.types("FL240")

        assert "NOT AS IT WAS SENT" not in text
        assert officer.steps(message)[-1] is Step.READ_BACK


@awaited
async def test_a_read_back_is_whole_and_of_values_and_comes_after_it_is_taken() -> None:
    async with at_desk(at_line()) as officer:
        message = await shown(officer, values=SENT)
        await officer.press("b")
        await officer.types("33.50N 038.62E")
        assert "level is not typed" in await officer.types("")
        assert "REFUSED" in await officer.types("FL24O")  # an O for a nought
        await officer.press(*["backspace"] * 5)
        assert "cannot be read back before it is acknowledged" in " ".join(
            (await officer.types("FL240")).split()
        )
        assert Step.READ_BACK not in officer.steps(message)


@awaited
async def test_a_message_without_values_says_that_none_is_read_back() -> None:
    async with at_desk(at_line()) as officer:
        await shown(officer)

        assert "has no value that is read back" in await officer.press("b")


@pytest.mark.parametrize(
    ("language", "words"),
    [("en", "Accident notice"), ("fr", "Avis d'accident"), ("ru", "происшеств"), ("tr", "Kaza")],
)
@awaited
async def test_a_template_stands_in_the_language_of_the_reader(language: str, words: str) -> None:
    async with at_desk(at_line(), language=language) as officer:
        form = template_named("accident-notice").form
        await shown(officer, values=ACCIDENT, template=form, text="")

        assert words.lower() in officer.text.lower()
        assert "33.50000N 038.62000E" in officer.text


def test_keys_about_one_message_wait_until_it_has_been_read() -> None:
    assert {"e", "b"} <= ABOUT_ONE
