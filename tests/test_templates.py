# SPDX-License-Identifier: Apache-2.0
"""Templates in every language: no word misses, no value is harmed, each message reads in all."""

import re
from itertools import product
from typing import Final

import pytest

from keepclear.agreement.clauses import Precedence
from keepclear.cli import line_values
from keepclear.detect.compiled import plain
from keepclear.errors import CallerError, InputError
from keepclear.exchange.audit import audit
from keepclear.exchange.events import MessageChanged
from keepclear.formats.packaged import read_language
from keepclear.formats.play import read_play
from keepclear.formats.wording import wording_in
from keepclear.line.acts import ReadBackMessage
from keepclear.line.ladder import Step
from keepclear.line.messages import Message
from keepclear.line.templates import TEMPLATES, Form, Template, template_named
from keepclear.line.values import Kind, Typed, WordValue, read_values, value_text
from keepclear.line.wording import FIELDS, LANGUAGES, WORDS, examples, form_lines
from keepclear.plays.stage import Stage
from keepclear.reports.form_text import form_markup, form_rows, line_text
from keepclear.reports.message_html import message_table_rows
from keepclear.reports.message_text import changed_text, message_rows
from keepclear.reports.play_text import played_text
from tests.exchange_plays import played
from tests.incident_plays import events_seen, refusal
from tests.message_plays import at, at_line, distress, send, sending, take, typed
from tests.record_plays import START_US
from tests.test_after_action_cases import page_of

ISOLATES: Final = re.compile("[\u2066-\u2069]")
INSIDE: Final = re.compile("\u2068[^\u2066-\u2069]*\u2069")
RIGHT_TO_LEFT: Final = ("ar", "he")
EVERY: Final = list(product(LANGUAGES, TEMPLATES))
NAMES: Final = [f"{language}-{each.name}" for language, each in EVERY]
ARABIC: Final = "طائرة بدون طيار"


def rendered(template: Template, language: str, **given: str) -> list[str]:
    """Return a template with a value in each field, line by line."""
    wording = wording_in(language)
    made = [Typed(name=name, typed=each) for name, each in (examples(template) | given).items()]
    values = read_values(made, template.fields)
    return [line_text(each, wording) for each in form_lines(template, values, wording)]


# --- words ----------------------------------------------------------------------------------


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_language_misses_a_word_and_none_has_one_too_many(language: str) -> None:
    made = wording_in(language)

    assert made.language == language
    assert set(made.fields) == set(FIELDS)
    assert set(made.words) == set(WORDS)
    assert set(made.templates) == {each.name for each in TEMPLATES}
    assert made.is_right_to_left == (language in RIGHT_TO_LEFT)


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_language_has_words_of_its_own_and_digits_of_ascii_alone(language: str) -> None:
    text = read_language(language)

    assert bool(re.search(r"[^\W\d_A-Za-z]", text)) == (language != "en")
    assert not re.search(r"[^\x00-\x7f]", "".join(re.findall(r"\d", text)))
    assert not ISOLATES.search(text)
    titles = [each.title for each in wording_in(language).templates.values()]
    assert len(set(titles)) == len(titles)


def test_a_language_without_words_is_refused_with_those_that_have_them() -> None:
    with pytest.raises(InputError, match="has no words of templates; one of en, ru, ar, tr, fr"):
        wording_in("xx")
    assert line_values.LANGUAGES == LANGUAGES


def test_templates_are_numbered_and_the_asked_for_ones_are_there() -> None:
    # issue 6, Build 4: at least these
    asked = {
        "activity-notice", "closure", "stop", "position-report", "accident-notice",
        "distress-relay", "lost-communications", "none-here", "line-check", "frequency-check",
        "request-information", "suspension", "handover",
    }  # fmt: skip

    assert asked <= {each.name for each in TEMPLATES}
    assert [each.number for each in TEMPLATES] == list(range(1, len(TEMPLATES) + 1))


# --- every template in every language with every field --------------------------------------


@pytest.mark.parametrize(("language", "template"), EVERY, ids=NAMES)
def test_every_field_is_rendered_with_its_number_and_the_value_as_it_was_typed(
    language: str, template: Template
) -> None:
    wording = wording_in(language)

    lines = [ISOLATES.sub("", each) for each in rendered(template, language)]

    title, says, *fields = lines
    assert title == f"{template.number} {wording.templates[template.name].title}"
    assert says == wording.templates[template.name].says
    for number, (name, field) in enumerate(template.fields.items(), start=1):
        given = examples(template)[name]
        [line] = [e for e in fields if e.startswith(f"{template.number}.{number} ")]
        assert line.startswith(f"{template.number}.{number} {wording.fields[name]}: ")
        if field.kind in {Kind.CHOICE, Kind.YES_NO}:
            assert line.endswith(wording.words[given])
        else:
            assert given in line
    assert len(fields) == len(template.fields)


@pytest.mark.parametrize(("language", "template"), EVERY, ids=NAMES)
def test_where_the_script_turns_every_number_and_value_stands_in_an_isolate(
    language: str, template: Template
) -> None:
    title, says, *fields = rendered(template, language)
    lines = [title, says, *fields]
    if language not in RIGHT_TO_LEFT:
        assert not any(ISOLATES.search(each) for each in lines)
        return

    for each in lines:
        assert each[0] == "\u2067"
        assert each[-1] == "\u2069"
        opened = len(re.findall("[\u2066-\u2068]", each))
        assert opened == each.count("\u2069")
    for each in (title, *fields):
        outside = INSIDE.sub("", each)
        assert not re.search("[0-9A-Za-z]", outside)


def test_a_value_of_the_other_script_stands_in_an_isolate_in_every_language() -> None:
    template = template_named("accident-notice")

    for language in LANGUAGES:
        line = next(e for e in rendered(template, language, what=ARABIC) if ARABIC in e)
        assert f"\u2068{ARABIC}\u2069" in line


def test_what_a_value_would_do_to_the_line_around_it_is_written_out() -> None:
    template = template_named("accident-notice")

    line = next(e for e in rendered(template, "ar", what="a\u202eb\u2069c") if "202e" in e)
    assert "\u2068a\\u202eb\\u2069c\u2069" in line


# --- messages of templates ------------------------------------------------------------------

ACCIDENT: Final = {
    "time": "2022-03-09T13:20:00Z", "place": "33.50N 038.62E", "intent": "not-deliberate",
}  # fmt: skip


def of_template(stage: Stage, name: str, text: str = "", **values: str) -> Message:
    """Let a send a message of a template, and return it."""
    form = template_named(name).form
    return at(stage, send(stage, text=text, template=form, values=typed(**values)))


def test_a_message_carries_the_number_and_the_values_and_reads_in_each_language() -> None:
    stage = at_line()

    made = of_template(stage, "accident-notice", **ACCIDENT)

    assert made.template == Form(number=5, version=1)
    assert made.text == ""
    for language in LANGUAGES:
        rows = "\n".join(form_rows(made, language))
        assert wording_in(language).templates["accident-notice"].title in rows
        assert "2022-03-09T13:20:00Z" in rows
        assert wording_in(language).words["not-deliberate"] in rows
        assert rows in "\n".join(
            each.strip().removeprefix("form").strip()
            for each in message_rows(made, START_US, language)
        )
    assert audit(stage.lines, plain()).differences == ()


def test_free_text_stands_beside_it_in_the_original_and_marked_with_its_language() -> None:
    stage = at_line()

    made = of_template(stage, "line-check", text="Проверка", number="2")

    for language in LANGUAGES:
        assert '"Проверка" (en)' in "\n".join(message_rows(made, START_US, language))


def test_free_text_of_the_other_script_turns_nothing_around_it() -> None:
    stage = at_line()
    message = at(stage, send(stage, text=f"{ARABIC} 12-14", language="ar"))

    said = f'"\u2068{ARABIC} 12-14\u2069" (ar)'
    assert said in "\n".join(message_rows(message, START_US))
    assert f"<bdi>{ARABIC} 12-14</bdi>&quot; (ar)" in page_of(stage.lines)


def test_what_is_new_is_told_in_one_line() -> None:
    stage = at_line()
    of_template(stage, "accident-notice", **ACCIDENT)
    [told] = events_seen(stage, "b", MessageChanged)

    assert "to b, watch, Exercise: Accident notice; time 2022-03-09T13:20:00Z; place 33.5" in (
        changed_text(told)
    )


def test_a_page_sets_values_apart_by_elements() -> None:
    stage = at_line()
    made = of_template(stage, "accident-notice", **ACCIDENT, what=f"<b>{ARABIC}")

    lines = form_markup(made, "ar")
    assert lines[0] == '<div dir="rtl" lang="ar"><bdi>5</bdi> إشعار بحادث</div>'
    assert lines[2].endswith("الوقت: <bdi>2022-03-09T13:20:00Z</bdi></div>")
    assert f"<bdi>&lt;b&gt;{ARABIC}</bdi>" in lines[5]
    [row] = message_table_rows([made])
    assert "Accident notice" in row


def test_position_and_time_of_a_template_are_read_back_by_the_names_of_its_fields() -> None:
    stage = at_line()
    made = of_template(stage, "accident-notice", **ACCIDENT)
    take(stage, made.id, Step.DELIVERED, Step.DISPLAYED, Step.ACKNOWLEDGED)
    back = ReadBackMessage(
        id=made.id, values=typed(place=ACCIDENT["place"], time=ACCIDENT["time"])
    )  # fmt: skip
    stage.submit("b", "line.read-back/1", back)

    assert at(stage, made.id).is_confirmed


@pytest.mark.parametrize(
    ("form", "values", "says"),
    [
        (5, {"place": "33N 038E", "intent": "not-known"}, "time '': is needed: a time; give it as"),
        (5, ACCIDENT | {"height": "3"}, "height '': is no field here; give one of time, place"),
        (5, ACCIDENT | {"intent": "yes"}, "intent 'yes': is not one of not-deliberate, not-known"),
        (5, ACCIDENT | {"injured": "two"}, "injured 'two': is no whole number"),
        (99, {}, "template '99.1': is none that is known here"),
        (3, {"position": "33N 038E"}, "template 'stop': is said by an act of kind line.stop alone"),
        (8, {"area": "7"}, "'none-here': is said by an act of kind none-here.state alone"),
    ],
)
def test_what_a_template_does_not_allow_is_refused_with_the_field_and_an_example(
    form: int, values: dict[str, str], says: str
) -> None:
    stage = at_line()

    made = sending(template=Form(number=form), values=typed(**values), text="")

    assert says in refusal(stage, "a", "line.send/1", made)
    assert stage.exchange.world.messages == {}


def test_what_has_neither_text_nor_template_says_nothing() -> None:
    for text in ("", "  "):
        with pytest.raises(ValueError, match="says nothing; give it a text or a template"):
            sending(text=text)


def test_distress_is_relayed_by_a_template_on_any_line() -> None:
    stage = at_line()
    relay = template_named("distress-relay")

    made = at(stage, distress(
        stage, template=relay.form, values=typed(**examples(relay))
    ))  # fmt: skip

    assert (relay.precedence, made.precedence) == (Precedence.DISTRESS, Precedence.DISTRESS)
    assert "6.6 Phase: INCERFA (uncertainty phase)" in list(form_rows(made))


def test_a_play_sends_templates_and_its_story_has_their_words() -> None:
    text = """
title = "EXERCISE"
region = "r"
start = "2022-03-09T13:00:00Z"
parties = { a = "A", b = "B" }

[[acts]]
at = "1 min"
by = "a"
does = "send"
message = "M"
to = "b"
template = "accident-notice"
values = { time = "2022-03-09T13:00:00Z", place = "33N 038E", intent = "not-deliberate" }
"""
    story = played_text(read_play(text.encode(), "play"), played(text), "b")

    assert "5.3 Intent: not deliberate" in story
    for wrong, says in (
        (text.replace("accident-notice", "accident"), "template 'accident': is none"),
        (text.replace('template = "accident-notice"', ""), "says nothing"),
    ):
        with pytest.raises(CallerError, match=says):
            played(wrong)


def test_words_of_choices_are_values_too() -> None:
    template = template_named("distress-relay")
    [phase] = read_values(
        [Typed(name="phase", typed="Alerfa")], {"phase": template.fields["phase"]}
    )  # fmt: skip

    assert isinstance(phase, WordValue)
    assert value_text(phase) == "alerfa"
