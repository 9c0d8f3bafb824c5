# SPDX-License-Identifier: Apache-2.0
"""The fallback card: the agreed ways to talk where the line fails, from a post's own copy."""

import re
from pathlib import Path
from typing import Any

import msgspec
import pytest

from keepclear.agreement.clauses import (
    MINUTE_US,
    Fallback,
    FallbackWay,
    Frequencies,
    Frequency,
    Means,
)
from keepclear.agreement.documents import Agreement, PartyTerms, PostTerms, Role, hash_of
from keepclear.agreement.statements import Said, state
from keepclear.errors import FileErrors
from keepclear.exchange.agreements import StateSuspension
from keepclear.exchange.last_picture import standing
from keepclear.exchange.views import SAYS_NOTHING_ELSE
from keepclear.formats.agreement_draft import fill_template, read_draft
from keepclear.formats.packaged import read_template
from keepclear.plays.stage import DAY_US, Stage
from keepclear.record.entries import Part
from keepclear.record.headers import Status
from keepclear.reports.agreement_text import decides_text
from keepclear.reports.conflict_html import Page
from keepclear.reports.fallback_card import SILENCE, Card, card_html, card_text, cards
from keepclear.reports.record_text import grouped
from tests.agreement_plays import agreement, clause
from tests.desk_plays import two_desks
from tests.incident_plays import leaves_seen, staged
from tests.record_plays import START_US

WAYS = Fallback(ways=(
    FallbackWay(by=Means.TELEPHONE, on="line B, 2000", answers="duty officer",
                next_after_us=2 * MINUTE_US),
    FallbackWay(by=Means.THIRD_PARTY, on="liaison office, 4000"),
))  # fmt: skip
GUARD = Frequencies(frequencies=(Frequency(purpose="guard", on="121.5 MHz"),))
DRAFTED = """
[[clauses]]
id = "9"
text.en = "If the line fails."

[clauses.decides]
kind = "fallback"
ways = [
    { by = "telephone", on = "line B, 2000", answers = "duty officer", next_after = "2 min" },
    { by = "third-party", on = "liaison office, 4000" },
]
"""


def made(**changes: Any) -> Agreement:  # noqa: ANN401 as of `agreement`
    """Return an agreement of a and b: guard, then the fallback, which survives suspension."""
    posts = (PostTerms(id="watch", name="Watch", call="1000"),)
    return agreement(
        parties=tuple(
            PartyTerms(id=each, name=each.upper(), role=Role.FORCE, posts=posts) for each in "ab"
        ),
        clauses=(clause("4.1", "Guard.", GUARD), clause("9", "Fallback.", WAYS, survives=True)),
        **changes,
    )


def card_of(stage: Stage, party: str) -> list[Card]:
    """Return the cards of a party, from its own part of the record."""
    parts = [msgspec.json.decode(each.part, type=Part) for each in leaves_seen(stage, party)]
    return cards(standing(party, parts).agreements, party, START_US + 3 * DAY_US)


def page(party: str = "a", stale: str = "") -> Page:
    return Page(party, "exercise", Status.EXERCISE, START_US, stale)


def staged_with(document: Agreement) -> Stage:
    stage = staged("a", "b", "c")
    stage.carry(stage.signed(document), document)
    return stage


def test_a_card_has_the_ways_in_their_order_the_calls_of_others_and_which_agreement_it_is() -> None:
    document = made()
    [card] = card_of(staged_with(document), "a")

    assert [each.words for each in card.ways] == [
        "telephone line B, 2000, duty officer answers, the next after 2 min",
        "third-party liaison office, 4000", "guard: 121.5 MHz",
    ]  # fmt: skip
    assert [each.clause for each in card.ways] == ["9", "9", "4.1"]
    assert card.calls == ("b, Watch: 1000",)
    assert card.hash == hash_of(document)
    said = card_text([card], page())
    assert grouped(card.hash) in said
    assert re.search(r"version 1, in force, from \d{4}-\d\d-\d\d \(\d+ days? ago\) until ", said)
    for words in (SILENCE, SAYS_NOTHING_ELSE, "as held on 2015-09-30T08:00:00Z"):
        assert words in said


def test_a_suspended_agreement_leaves_what_survives_on_the_card_and_says_so() -> None:
    document = made()
    stage = staged_with(document)
    envelope = state(
        document, "a", stage.clock.now_us(), Said.SUSPEND, stage._signers["a", "rep-1"]
    )  # fmt: skip
    payload = StateSuspension(hash=hash_of(document), statement=envelope)
    stage.submit("a", "suspension.state/1", payload, ("rep-1",))

    [card] = card_of(stage, "b")

    assert {each.clause for each in card.ways} == {"9"}
    assert "suspended" in card.agreed


def test_the_card_says_how_what_is_said_meanwhile_is_keyed_in() -> None:
    for said in (card_text([], page()), card_html([], page())):
        words = " ".join(said.split())
        assert "keepclear line send PARTY TEXT --said-at TIME --by-means MEANS" in words
        assert "keepclear line ack ID --said-at TIME" in words
        assert "keepclear line call log" in words


def test_who_is_in_no_agreement_has_no_card_and_is_told_what_to_agree_on() -> None:
    assert card_of(staged_with(made()), "c") == []
    assert "agree on a clause of kind fallback" in card_text([], page("c"))
    assert "agree on a clause of kind fallback" in card_html([], page("c"))


def test_the_page_has_all_of_the_card_and_no_script_or_address_outside() -> None:
    [card] = card_of(staged_with(made()), "a")
    said = card_html([card._replace(title="<b>&")], page(stale="no answer"))

    for words in ("line B, 2000", "guard: 121.5 MHz", grouped(card.hash), "EXERCISE",
                  SAYS_NOTHING_ELSE, "&lt;b&gt;&amp;", "MAY BE STALE: no answer"):  # fmt: skip
        assert words in said
    assert not re.search(r"<script|https?://|<b>", said)


# --- the clause as people write it ---------------------------------------------------------------


def draft(more: str) -> bytes:
    """Return a draft of an agreement with one clause more."""
    filled = fill_template(read_template("two-forces"), {"a": "A", "b": "B"}, 0, 10**15)
    return (filled + more).encode()


def test_the_ways_are_written_in_their_order_and_printed_so() -> None:
    decides = read_draft(draft(DRAFTED), "draft").clauses[-1].decides

    assert decides == WAYS
    assert decides_text(WAYS) == (
        "telephone line B, 2000, duty officer answers, the next after 2 min; "
        "third-party liaison office, 4000"
    )


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('"third-party"', '"pigeon"', "is none of telephone, radio, satellite, third-party, other"),
        ('on = "line B, 2000"', 'on = ""', "is empty; fill it in, or leave it out"),
        ('next_after = "2 min"', 'next_after = "2 d"', "is above 1 d"),
        (', on = "liaison office, 4000"', "", "lacks on; add it"),
    ],
)
def test_a_way_that_nobody_can_take_is_refused_in_words(old: str, new: str, says: str) -> None:
    assert old in DRAFTED
    with pytest.raises(FileErrors, match=re.escape(says)):
        read_draft(draft(DRAFTED.replace(old, new)), "draft")


def test_an_agreement_from_before_there_was_such_a_clause_is_read_as_it_was() -> None:
    document = made()
    old = msgspec.structs.replace(document, clauses=document.clauses[:1])

    [card] = card_of(staged_with(old), "a")

    assert [each.words for each in card.ways] == ["guard: 121.5 MHz"]


@pytest.mark.slow
def test_a_post_prints_its_card_with_its_exchange_and_without(tmp_path: Path) -> None:
    with two_desks(tmp_path) as desks:
        said = desks.run("north", "line", "card")
        written = desks.run("north", "line", "card", "--html", "card.html")
        page = (desks.folder / "card.html").read_text(encoding="utf-8")

    assert "FALLBACK CARD of north in exercise-east, Exercise" in said
    assert written == "card.html: the fallback card of north, from 0 agreements\n"
    assert "keepclear fallback card, exercise-east" in page
    assert desks.run("north", "line", "card") == said  # the exchange is gone, and was not asked
