# SPDX-License-Identifier: Apache-2.0
"""The handover list of a post: what the next watch has to know, from what the post holds.

1. The most urgent stands first, with what is due of it. A message of which a STANDBY has passed is
   named there, too.
2. A part that is empty says so: nothing is left out without a word.
3. It lists, and claims nothing: that a list was printed acknowledges no message.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final, NamedTuple

from keepclear.exchange.picture import SETTLED, Picture
from keepclear.exchange.views import SAYS_NOTHING_ELSE
from keepclear.line.checks import LineState
from keepclear.line.ladder import Step
from keepclear.line.messages import Message, Word
from keepclear.plans.operations import OUT_OF_PLAN, State
from keepclear.reports.call_text import waiting_rows
from keepclear.reports.conflict_html import Page, head_of, head_of_sheets, page_of
from keepclear.reports.desk_text import conflicts_text, operations_text
from keepclear.reports.line_check_text import WHY, line_rows
from keepclear.reports.markup import Markup, tag, text
from keepclear.reports.message_text import in_order, message_rows
from keepclear.reports.shift_text import watch_items
from keepclear.reports.stop_text import Held, keep_outs_text, own_stops_text
from keepclear.units import format_time

ACTIVE: Final = OUT_OF_PLAN | {State.ACTIVATED}
NONE: Final = "none"
NO_STOPS: Final = Held({}, {})
SIGNED: Final = "handed over ____________________   taken over ____________________   UTC ________"
STYLE: Final = """
.item { border: 1px solid #111; padding: 3px 8px; margin: 4px 0; break-inside: avoid; }
.item p { margin: 1px 0; overflow-wrap: anywhere; white-space: pre-wrap; font-family: monospace; }
.item p { padding-left: 14ch; text-indent: -14ch; font-size: 12px; }
.item .first { font-weight: 700; padding-left: 0; text-indent: 0; }
.signed { white-space: pre-wrap; margin-top: 18px; }
@media print { h3 { break-after: avoid; } }
"""


class Section(NamedTuple):
    """A part of the list: its title, and the lines of each thing in it."""

    title: str
    items: tuple[tuple[str, ...], ...]


def handover(
    picture: Picture, party: str, post: str, now_us: int, held: Held = NO_STOPS
) -> list[Section]:
    """Return the parts of the list. picture: with all messages, also those that are done.

    held: the party's own STOPs, and where its operations must keep out.
    """
    known = in_order(each for each in picture.messages.values() if not each.is_done)
    mine = [each for each in known if each.receiver == party and each.is_with(post)]
    is_taken = {each.id: each.first(Step.ACKNOWLEDGED) is not None for each in mine}
    passed = [each for each in picture.messages.values() if has_passed(each, now_us)]
    active = [each for each in picture.protecting().values() if each.state in ACTIVE]
    unsettled = [each for each in picture.conflicts.values() if each.state not in SETTLED]
    return [
        Section(f"Who has the watch, at post {post}", tuple(
            watch_items(picture.shifts.values(), picture.messages, post)
        )),
        Section("STOPs and SAR cases that stand, and what must keep out", tuple(
            _stops(picture, held, party, now_us)
        )),
        _messages(f"Messages at {post} that nobody has acknowledged", now_us,
                  [each for each in mine if not is_taken[each.id]]),
        _messages(f"Messages acknowledged, with units at {post} still to be told", now_us,
                  [each for each in mine if is_taken[each.id]]),
        _messages(f"Messages that {party} has sent, not done by the other side", now_us,
                  [each for each in known if each.sender == party]),
        Section("STANDBY whose time has passed: nothing is agreed", tuple(
            tuple(_answer_rows(each, now_us)) for each in in_order(passed)
        )),
        Section("Lines that are not up, that wait, or are to be checked", tuple(
            tuple(line_rows(each, picture.checks, now_us, party))
            for each in picture.lines.values()
            if each.state is not LineState.UP or each.waits or each.due_us
        )),
        Section("Calls that the other side has neither signed nor annotated", tuple(
            tuple(waiting_rows(each, party)) for each in picture.waiting_calls().values()
        )),
        Section("Conflicts that are not settled", tuple(_items(
            conflicts_text(unsettled, picture.operations, now_us)
        )) if unsettled else ()),
        Section(f"Operations of {party} that are active now", tuple(_items(
            operations_text(active, now_us)
        )) if active else ()),
    ]  # fmt: skip


def _stops(picture: Picture, held: Held, party: str, now_us: int) -> Iterator[tuple[str, ...]]:
    """Yield each STOP that the party was told of or has sent, and each area to keep out of."""
    for each in in_order(picture.messages.values()):
        if each.receiver == party and each.has_stop:
            yield tuple(message_rows(each, now_us))
    said = own_stops_text(held.stops.values())
    said += keep_outs_text(held.keep_outs, now_us, picture.protecting())
    yield from ((each,) for each in said if each)


def has_passed(message: Message, now_us: int) -> bool:
    """Tell whether the last answer to a message is a STANDBY whose time has passed."""
    last = message.answers[-1] if message.answers else None
    if last is None or last.word is not Word.STANDBY:
        return False
    return last.until_us is not None and last.until_us <= now_us


def _messages(title: str, now_us: int, messages: Iterable[Message]) -> Section:
    return Section(title, tuple(tuple(message_rows(each, now_us)) for each in messages))


def _answer_rows(message: Message, now_us: int) -> Iterator[str]:
    """Yield the first line of a message, and its last answer."""
    first, *rows = message_rows(message, now_us)
    yield from (first, rows[-1])


def _items(said: str) -> Iterator[tuple[str, ...]]:
    """Yield the lines of each thing in a text in which an empty line stands between them."""
    for each in said.strip("\n").split("\n\n"):
        yield tuple(each.split("\n"))


def handover_text(sections: Sequence[Section], page: Page, post: str) -> str:
    """Return the list for a terminal."""
    lines = [f"HANDOVER of {post} of {page.party} in {page.region}, {page.status}"]
    lines.append(f"as of {format_time(page.as_of_us)[:19]}Z; what came later is not in it")
    for section in sections:
        lines += ["", f"{section.title}: {len(section.items) or NONE}"]
        lines += [f"  {row}" for item in section.items for row in (*item, "")][:-1]
    return "\n".join([*lines, "", WHY, SAYS_NOTHING_ELSE]) + "\n"


def handover_html(sections: Sequence[Section], page: Page, post: str) -> str:
    """Return the list as a page for A4, with places to sign."""
    body = tag(
        "body", head_of(page, f"keepclear handover of {post} of {page.party}"),
        *(_section(each) for each in sections),
        tag("p", text(SIGNED), class_="signed"),
        tag("footer", *(tag("p", text(each), class_="small") for each in (WHY, SAYS_NOTHING_ELSE))),
    )  # fmt: skip
    style = STYLE + head_of_sheets(page.status, page.as_of_us)
    return page_of(f"HANDOVER of {post} of {page.party}", body, style)


def _section(section: Section) -> Markup:
    items = [
        tag("div", *(
            tag("p", text(row), class_=None if number else "first")
            for number, row in enumerate(item)
        ), class_="item")
        for item in section.items
    ]  # fmt: skip
    title = f"{section.title}: {len(section.items) or NONE}"
    return tag("section", tag("h3", text(title)), *items)
