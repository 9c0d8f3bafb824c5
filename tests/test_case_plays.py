# SPDX-License-Identifier: Apache-2.0
"""Plays with none-here statements and incident cases: what is told of them, and to whom."""

import pytest

from keepclear.formats.play import read_play
from keepclear.reports.play_text import played_text
from tests.exchange_plays import example, played, unwrapped

CASE = "incident_case.toml"
AT_ONCE = """
[agreement]
template = "two-forces"
replace = { 'urgent_reply = "2 d"' = 'urgent_reply = "2 d", contradictions = "at-once"' }
"""


def told(text: str, viewer: str | None = None) -> str:
    """Return a play as its story, with one space where lines were broken."""
    return unwrapped(played_text(read_play(text.encode(), "play"), played(text), viewer))


def act(does: str, **fields: object) -> str:
    """Return one act of b's, as the file has it."""
    given = {"at": "53 h", "by": "b", "does": does, **fields}
    lines = [f"{name} = {value!r}" for name, value in given.items()]
    return "\n".join(["", "[[acts]]", *lines, ""])


def test_a_none_here_that_is_contradicted_is_told_to_its_party_and_in_a_case_to_the_other() -> None:
    story = told(example(CASE))

    filed, _, later = story.partition("A files A1, version 1")
    before, _, in_case = later.partition("B opens incident case 1 with a, URGENT, about none-here")
    by = "CONTRADICTED: none-here 1 of a by A1, version 1, filed: is in it"
    assert "A states none-here 1, to b" in filed
    assert f"{by} told a alone" in before
    assert "shown to" not in before
    assert f"{by} shown to a and b, in incident case 1" in in_case
    assert "A withdraws none-here 1" in in_case
    assert "told URGENT: b" in in_case
    assert "none-here 1 CONTRADICTED and withdrawn" in story[:200]


def test_a_case_is_told_with_what_is_due_what_is_overdue_and_who_agrees() -> None:
    story = told(example(CASE))

    for words in (
        "replies due within 2 days (clause 6.1) told a and b, and nobody else",
        'B asks in incident case 1 asks "Whose is it, and does it go?" due 2015-10-07 07:05Z',
        "B writes line 1 of incident case 1 time 06:40Z",
        "late written after a line about a later time",
        "A agrees to line 1 of incident case 1",
        'A does not agree to line 2 of incident case 1 why "it came to us after',
        "2015-10-07 07:05:00Z OVERDUE: the reply of a in incident case 1 08:00:00Z A replies",
        "OVERDUE it was due 2015-10-07 07:05Z",
        "B would close incident case 1",
        "incident case 1 is closed: both have said so",
        "incident case 1 closed; no acts refused",
    ):
        assert words in story


def test_the_other_party_is_not_told_of_a_contradiction_before_there_is_a_case() -> None:
    before = example(CASE).partition('[[acts]]\nat = "1 h"')[0]

    assert "CONTRADICTED" in told(before, "a")
    assert "CONTRADICTED" not in told(before, "b")
    assert "A1" not in told(example(CASE), "b")


def test_a_contradiction_is_told_at_once_where_the_agreement_says_so() -> None:
    before = example(CASE).partition('[[acts]]\nat = "1 h"')[0]
    at_once = before.replace('agreement = { template = "two-forces" }\n', "") + AT_ONCE

    story = told(at_once, "b")

    assert "shown to who was given it, by clause 6.1" in story


def test_a_third_party_is_told_nothing_of_a_case_and_a_none_here_of_others() -> None:
    text = example(CASE).replace('b = "Party B" }', 'b = "Party B", c = "Party C" }')
    text = text.replace('agreement = { template = "two-forces" }\n', "")

    story = told(text, "c")

    for words in ("none-here", "case 1", "line", "CONTRADICTED", "withdraws", "conflict 1"):
        assert words not in story


@pytest.mark.parametrize(
    ("more", "why"),
    [
        (act("query", case="who-was-there", words="More?"),
         "REFUSED: B asks in incident case 1 why incident case is closed"),
        (act("withdraw-none-here", none_here="clear-strait"),
         "REFUSED: B withdraws none-here 1 why none-here"),
        (act("write-line", case="who-was-there", when="2015-10-05T07:00:00Z", words="It went."),
         "REFUSED: B writes a line of incident case 1 why incident case is closed"),
        (act("open-case", case="again", to="b", about="B1", words="What?"),
         "REFUSED: B opens an incident case with b about B1 why other"),
        (act("state-none-here", none_here="wide", to=["a"], area="strait",
             start="2015-10-07T12:00:00Z", lasts="7 h"),
         "REFUSED: B states a none-here, to a why"),
    ],
)  # fmt: skip
def test_what_is_refused_of_cases_and_none_here_is_told_by_name(more: str, why: str) -> None:
    assert why in told(example(CASE) + more)


@pytest.mark.parametrize("about", ["A1", "A1 and B1"])
def test_a_case_can_be_about_an_operation_or_a_conflict(about: str) -> None:
    more = act("open-case", case="again", to="a", about=about, words="Again: what was that?")

    name = {"A1": "A1", "A1 and B1": "conflict 1"}[about]
    assert f"B opens incident case 2 with a about {name}" in told(example(CASE) + more)


def test_a_case_that_is_left_open_says_why() -> None:
    text = example(CASE).partition('[[acts]]\nat = "51 h"')[0]

    story = told(text + act("leave-case-open", case="who-was-there", why="no more to say"))

    assert 'B leaves incident case 1 open why "no more to say"' in story
    assert "incident case 1 left open" in story


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (('case = "who-was-there"\nto', 'case = "clear-strait"\nto'), "is made already"),
        (('case = "who-was-there"\nwords', 'case = "who"\nwords'), "is made by no act before it"),
        (('about = "clear-strait"', 'about = "A9"'), "about 'A9': is made by no act before it"),
        (('to = "a"', 'to = "north"'), "is no party of the play; one of a, b"),
        (('to = "a"', 'to = ["a", "b"]'), "are several; name one party"),
        (('to = ["b"]\narea = "strait"', 'to = ["b"]\narea = ["strait", "crossing"]'),
         "are several; state it of one"),
        (('when = "2015-10-05T06:40:00Z"', 'when = "noon"'), "when"),
        (("urgent = true", "urgent = true\nagrees = true"), "does nothing in open-case"),
        (("line = 1\n", ""), "is needed to answer-line"),
    ],
)  # fmt: skip
def test_a_play_with_a_fault_in_a_case_is_refused(change: tuple[str, str], why: str) -> None:
    text = example(CASE)
    assert change[0] in text

    with pytest.raises(ValueError, match=why):
        read_play(text.replace(*change, 1).encode(), "play")


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (("line = 2", "line = 3"), "is none of the 2 lines by then"),
        (('by = "b"\ndoes = "query"', 'by = "b"\ndoes = "reply"'), "has no query by then"),
        (('lasts = "4 h"', 'lasts = "7 h"'), "was refused when it was made"),
    ],
)  # fmt: skip
def test_what_cannot_be_asked_of_the_exchange_is_a_fault_of_the_play(
    change: tuple[str, str], why: str
) -> None:
    text = example(CASE)
    assert change[0] in text

    with pytest.raises(ValueError, match=why):
        played(text.replace(*change, 1))
