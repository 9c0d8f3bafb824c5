# SPDX-License-Identifier: Apache-2.0
"""The fallback card: how to reach the other side where the line fails, from what is agreed.

For a wall beside the line. It is made of what a post holds, without a network, and says of which
agreement it is, since when, with which hash, and up to when what is held goes.
"""

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from keepclear.agreement.clauses import Fallback, Frequencies
from keepclear.agreement.documents import Agreement, Clause
from keepclear.agreement.statements import read_file
from keepclear.exchange.last_picture import Agreed
from keepclear.exchange.views import SAYS_NOTHING_ELSE
from keepclear.record.encoding import encode
from keepclear.reports.agreement_text import way_text
from keepclear.reports.conflict_html import Page, head_of, head_of_sheets, page_of
from keepclear.reports.markup import Markup, tag, text
from keepclear.reports.printable import printable
from keepclear.reports.record_text import grouped
from keepclear.units import format_time

DAY_US: Final = 86_400_000_000
LABEL: Final = 10
SILENCE: Final = "Silence agrees to nothing: without an answer nothing is agreed."
AFTER: Final = (
    "Write down what is said, with its time in UTC. Key it in once the line is up:",
    (
        "keepclear line send PARTY TEXT --said-at TIME --by-means MEANS, keepclear line ack ID "
        "--said-at TIME;"
    ),
    "of a call, also keepclear line call log.",
)
STYLE: Final = """
ol.ways { font-size: 20px; line-height: 1.35; margin: 6px 0 10px; padding-left: 1.6em; }
ol.ways li { padding: 3px 0; font-weight: 700; overflow-wrap: anywhere; }
ol.ways .small { font-weight: 400; }
.hash { font-family: monospace; overflow-wrap: anywhere; }
.card { break-inside: avoid; }
@media print { ol.ways { font-size: 15pt; } }
"""


class Way(NamedTuple):
    """A way to talk, in words, and the clause that it is from."""

    words: str
    clause: str


class Card(NamedTuple):
    """What is agreed in one agreement. calls: of posts of the other parties."""

    title: str
    agreed: str
    hash: str
    ways: tuple[Way, ...]
    calls: tuple[str, ...]


def cards(agreements: Sequence[Agreed], party: str, now_us: int) -> list[Card]:
    """Return a card for each agreement of which clauses hold and that says how to reach anybody."""
    made = []
    for each in agreements:
        _, agreement = read_file(encode(each.carried.file))
        if not each.stood.clauses:
            continue
        days = max(now_us - agreement.in_force_us, 0) // DAY_US
        agreed = (
            f"version {agreement.version}, {each.stood.state}, from "
            f"{format_time(agreement.in_force_us)[:10]} ({days:,} days ago) until "
            f"{format_time(agreement.until_us)[:10]}"
        )
        card = Card(
            f"{agreement.title[0].text} ({agreement.id})", agreed, each.carried.hash,
            tuple(_ways(each.stood.clauses)), tuple(_calls(agreement, party)),
        )  # fmt: skip
        if card.ways or card.calls:
            made.append(card)
    return made


def _ways(clauses: Sequence[Clause]) -> Iterator[Way]:
    """Yield the ways of fallback clauses, then the frequencies, each as clauses have them."""
    for clause in clauses:
        if isinstance(clause.decides, Fallback):
            for way in clause.decides.ways:
                yield Way(way_text(way), clause.id)
    for clause in clauses:
        if isinstance(clause.decides, Frequencies):
            for each in clause.decides.frequencies:
                yield Way(f"{each.purpose}: {each.on}", clause.id)


def _calls(agreement: Agreement, party: str) -> Iterator[str]:
    for each in agreement.parties:
        if each.id != party:
            yield from (f"{each.id}, {post.name}: {post.call}" for post in each.posts if post.call)


def card_text(made: Sequence[Card], page: Page) -> str:
    """Return the card for a terminal."""
    lines = [f"FALLBACK CARD of {page.party} in {page.region}, {page.status}"]
    lines.append(
        f"as held on {format_time(page.as_of_us)[:19]}Z; what was agreed later is not here"
    )
    for card in made:
        lines += ["", printable(card.title), f"  {'agreed':<{LABEL}}{card.agreed}"]
        lines.append(f"  {'hash':<{LABEL}}{grouped(card.hash)}")
        for number, way in enumerate(card.ways, start=1):
            label = f"try {number}"
            lines.append(f"  {label:<{LABEL}}{printable(way.words)} (clause {way.clause})")
        lines += [f"  {'call':<{LABEL}}{printable(each)}" for each in card.calls]
    if not made:
        lines += ["", NOTHING_AGREED]
    return "\n".join([*lines, "", SILENCE, *AFTER, SAYS_NOTHING_ELSE]) + "\n"


NOTHING_AGREED: Final = (
    "no agreement that holds says how to reach the other side; agree on a clause of kind fallback"
)


def card_html(made: Sequence[Card], page: Page) -> str:
    """Return the card as one page for A4."""
    sheets = [_sheet(each) for each in made] or [tag("p", text(NOTHING_AGREED))]
    words = [tag("p", text(each), class_="words") for each in (SILENCE, " ".join(AFTER))]
    body = tag(
        "body", head_of(page, "keepclear fallback card"), *sheets, *words,
        tag("footer", tag("p", text(SAYS_NOTHING_ELSE), class_="small")),
    )  # fmt: skip
    style = STYLE + head_of_sheets(page.status, page.as_of_us)
    return page_of(f"FALLBACK CARD of {page.party}", body, style)


def _sheet(card: Card) -> Markup:
    ways = [
        tag("li", text(way.words), Markup(" "),
            tag("span", text(f"(clause {way.clause})"), class_="small"))
        for way in card.ways
    ]  # fmt: skip
    calls = [tag("li", text(each)) for each in card.calls]
    return tag(
        "section", tag("h2", text(card.title)), tag("p", text(card.agreed)),
        tag("p", text(f"hash {grouped(card.hash)}"), class_="hash small"),
        tag("h3", text("Where the line fails, in this order")),
        tag("ol", *ways, class_="ways") if ways else tag("p", text("no way is agreed")),
        tag("h3", text("Whom to call")), tag("ul", *calls), class_="card",
    )  # fmt: skip
