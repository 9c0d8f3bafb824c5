# SPDX-License-Identifier: Apache-2.0
"""The templates say the same in each of their languages, as far as a machine can tell."""

import re
from collections.abc import Sequence
from itertools import combinations
from typing import Final

import pytest

from keepclear.agreement.clauses import kind_of
from keepclear.agreement.documents import Agreement, Text
from keepclear.formats.agreement_draft import fill_template, read_draft
from keepclear.formats.packaged import read_template, template_names
from keepclear.reports.agreement_text import _wrapped, agreement_text

LANGUAGES: Final = ("en", "fr", "ru")
NAMES: Final = template_names()
LATIN: Final = "[A-Za-z]"
CYRILLIC: Final = "[\u0400-\u04ff]"
# Numbers that the templates spell out; "one" and "two" are also articles and pronouns.
SPELT: Final = {
    "en": ("three", "five", "ten", "fifteen", "tenth"),
    "fr": ("trois", "cinq", "dix", "quinze", "dixième"),
    "ru": ("три|трех", "пять|пяти", "десять|десяти", "пятнадцать|пятнадцати", "десятой"),
}


def draft(name: str, languages: Sequence[str]) -> str:
    """Return the draft that a template makes."""
    return fill_template(read_template(name), {"a": "A", "b": "B"}, 0, 10**15, languages)


def agreement(name: str, languages: Sequence[str] = LANGUAGES) -> Agreement:
    """Return the agreement that a template makes."""
    return read_draft(draft(name, languages).encode(), name)


def passages(name: str) -> list[tuple[Text, ...]]:
    """Return the title and the clauses, each in all languages."""
    found = agreement(name)
    return [found.title, *(clause.texts for clause in found.clauses)]


def digits(text: Text) -> list[str]:
    """Return the groups of digits in a text, in order of size."""
    return sorted(re.findall(r"[0-9]+", text.text))


def spelt(text: Text) -> list[int]:
    """Return how often each of the numbers stands in a text as a word."""
    return [
        len(re.findall(rf"\b(?:{word})\b", text.text, re.IGNORECASE))
        for word in SPELT[text.language]
    ]


@pytest.mark.parametrize("name", NAMES)
def test_every_passage_of_a_template_is_in_three_languages(name: str) -> None:
    for texts in passages(name):
        assert tuple(text.language for text in texts) == LANGUAGES
        assert len({text.text for text in texts}) == len(LANGUAGES)
        assert [bool(re.search(CYRILLIC, text.text)) for text in texts] == [False, False, True]


@pytest.mark.parametrize("name", NAMES)
def test_numbers_are_the_same_in_every_language(name: str) -> None:
    for english, *others in passages(name):
        for other in others:
            assert digits(other) == digits(english), other
            assert spelt(other) == spelt(english), other


@pytest.mark.parametrize("name", NAMES)
def test_words_of_the_protocol_stand_as_they_are_in_every_language(name: str) -> None:
    for english, *others in passages(name):
        precedences = re.findall(r"\b[A-Z]{4,}\b", english.text)
        for other in others:
            assert re.findall(r"\b[A-Z]{4,}\b", other.text) == precedences, other


@pytest.mark.parametrize("name", NAMES)
def test_no_word_of_a_template_mixes_two_alphabets(name: str) -> None:
    words = re.findall(r"\w+", read_template(name))

    assert not [word for word in words if re.search(LATIN, word) and re.search(CYRILLIC, word)]


@pytest.mark.parametrize("name", NAMES)
def test_a_draft_holds_the_languages_asked_for_and_else_what_the_template_holds(name: str) -> None:
    for count in (1, 2, 3):
        for languages in combinations(LANGUAGES, count):
            text = draft(name, languages)

            assert set(re.findall(r"^(?:text|title)\.(\w+)", text, re.MULTILINE)) == set(languages)
            comments = [line for line in read_template(name).splitlines() if line.startswith("#")]
            assert text.splitlines()[: len(comments)] == comments
            decided = [clause.decides for clause in agreement(name, languages).clauses]
            assert decided == [clause.decides for clause in agreement(name).clauses]


@pytest.mark.parametrize("name", NAMES)
def test_what_is_shown_in_three_languages_fits_and_stands_in_columns(name: str) -> None:
    text = agreement_text(agreement(name))
    lines = text.splitlines()

    head = " ".join(text.partition("\nagreement ")[0].split())
    assert head == " ".join(f"title [{t.language}] {t.text}" for t in agreement(name).title)
    assert max(map(len, lines)) <= 80
    clauses = len(agreement(name).clauses)
    for language in LANGUAGES:
        assert sum(line[7:12] == f"[{language}] " for line in lines) == clauses
    whole = " ".join(" ".join(lines).split())
    for texts in passages(name)[1:]:
        assert all(each.text in whole for each in texts)


@pytest.mark.parametrize("name", ["two-forces", "civil-military"])
def test_a_template_offers_checks_of_the_line_ways_where_it_fails_and_the_distance_of_a_stop(
    name: str,
) -> None:
    clauses = [each for each in agreement(name).clauses if each.decides is not None]
    survives = {kind_of(each.decides) for each in clauses if each.decides and each.survives}

    assert {"check-schedule", "fallback", "stop-distance"} <= survives


@pytest.mark.parametrize("words", [": b", "; b", "1000 ft", "50 000 km2h", "5 морских миль"])
def test_no_line_begins_with_a_mark_or_with_what_a_number_counts(words: str) -> None:
    for length in range(1, 80):
        text = f"{'a' * length} b {words}"

        lines = _wrapped(text, "")

        assert " ".join(lines) == text
        assert not [line for line in lines if re.match(r"[:;]|000|ft|km2h|морских", line)]
