# SPDX-License-Identifier: Apache-2.0
"""A voice call as a page for A4: both accounts side by side, the same for both parties."""

from typing import Final

from keepclear.exchange.views import SAYS_NOTHING_ELSE
from keepclear.line.calls import Account, Call
from keepclear.reports.call_text import (
    SIDE_BY_SIDE,
    call_rows,
    head_text,
    none_text,
    recording_text,
)
from keepclear.reports.conflict_html import Page, head_of, head_of_sheets, page_of
from keepclear.reports.markup import Markup, tag, text
from keepclear.reports.message_text import SHORT

STYLE: Final = """
table.accounts { width: 100%; table-layout: fixed; border-collapse: collapse; }
table.accounts td, table.accounts th { border: 1px solid #111; padding: 4px 8px; text-align: left; }
table.accounts td { vertical-align: top; overflow-wrap: anywhere; }
.account { margin: 0 0 8px; break-inside: avoid; }
.account p { margin: 0; white-space: pre-wrap; }
"""


def call_html(call: Call, page: Page) -> str:
    """Return the page of a call."""
    parties = call.party, call.other
    body = tag(
        "body", head_of(page, f"keepclear call {call.id[:SHORT]}"),
        *(tag("p", text(row.strip())) for row in call_rows(call)),
        tag("table",
            tag("tr", *(tag("th", text(f"{each} says")) for each in parties)),
            tag("tr", *(tag("td", *_side(call, each)) for each in parties)),
            class_="accounts"),
        tag("footer", *(
            tag("p", text(each), class_="small") for each in (SIDE_BY_SIDE, SAYS_NOTHING_ELSE)
        )),
    )  # fmt: skip
    style = STYLE + head_of_sheets(page.status, page.as_of_us)
    return page_of(f"CALL {call.id[:SHORT]} of {page.party}", body, style)


def _side(call: Call, party: str) -> list[Markup]:
    made = [_account(each, call) for each in call.of(party)]
    return made or [tag("p", text(none_text(call, party)))]


def _account(account: Account, call: Call) -> Markup:
    return tag(
        "div", tag("p", text(head_text(account, call)), class_="small"),
        tag("p", text(account.text), dir="auto", lang=account.language),
        *(tag("p", text(each), class_="small") for each in recording_text(account)),
        class_="account",
    )  # fmt: skip
