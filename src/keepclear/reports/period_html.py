# SPDX-License-Identifier: Apache-2.0
"""A period's numbers as one HTML page, with the look and the head of the after-action report."""

from collections.abc import Sequence

from keepclear.reports.after_action import Story
from keepclear.reports.after_action_html import foot_of, head_of, page_of
from keepclear.reports.after_action_words import Proof
from keepclear.reports.markup import Markup, tag, text
from keepclear.reports.period import Pair, Period
from keepclear.reports.period_text import (
    ASKED_MEANS,
    NO_REFUSALS,
    UNKNOWN,
    Row,
    breach_lines,
    pair_rows,
    party_tables,
)


def period_html(story: Story, periods: Sequence[Period], proof: Proof) -> str:
    """Return the page. periods: of the file itself first, then as each party sees it."""
    own = periods[0]
    broken = breach_lines(own.breaches, story) or ["none"]
    body = tag(
        "body", head_of(story, proof, "keepclear period report"),
        *(_party(rows) for rows in party_tables(periods)),
        tag("h3", text("Conflicts")), *(_pair(each) for each in own.pairs),
        *([] if own.pairs else [tag("p", text("none"))]),
        tag("h3", text("Broken, by rule and clause")), *(tag("p", text(line)) for line in broken),
        *(tag("p", text(line), class_="small") for line in (ASKED_MEANS, NO_REFUSALS)),
        foot_of(None),
    )  # fmt: skip
    return page_of(story, proof, "period report", body)


def _party(rows: Sequence[Row]) -> Markup:
    (name, heads), *others = rows
    head = tag("tr", tag("th", text(name), scope="col"),
               *(tag("th", text(each), scope="col", class_="n") for each in heads))  # fmt: skip
    return _table(head, others)


def _pair(pair: Pair) -> Markup:
    head = tag("tr", tag("th", text(" and ".join(pair.parties)), scope="col"),
               tag("th", text("conflicts"), scope="col", class_="n"))  # fmt: skip
    return _table(head, [(name, [value]) for name, value in pair_rows(pair)])


def _table(head: Markup, rows: Sequence[Row]) -> Markup:
    body = [
        tag("tr", tag("td", text(name.strip()), class_="sub" if name.startswith(" ") else None),
            *(tag("td", text(cell), class_="n unknown" if cell == UNKNOWN else "n")
              for cell in cells))
        for name, cells in rows
    ]  # fmt: skip
    return tag("table", tag("thead", head), tag("tbody", *body), class_="period")
