# SPDX-License-Identifier: Apache-2.0
"""The screen of the desk: what waits, what was sent, and the one message that is selected.

It draws what it is given (`Drawn`), and knows no rule but which lines fit.
"""

from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content
from textual.events import Key, Resize
from textual.screen import Screen
from textual.widgets import Static

from keepclear.agreement.clauses import Precedence
from keepclear.cli.terminal.station import Held
from keepclear.exchange.views import SAYS_NOTHING_ELSE
from keepclear.line.messages import Message
from keepclear.record.headers import Status
from keepclear.reports.line_desk_text import (
    ALARMS,
    WIDE,
    beside_lines,
    came_line,
    heading,
    is_overdue,
    is_taken,
    sent_line,
    text_lines,
)
from keepclear.reports.message_text import second
from keepclear.units import US_PER_S, format_time

STALE_US: Final = 60 * US_PER_S  # a sign of life comes every fifteen seconds
KEYS: Final = (
    " up/down select  a acknowledge  w WILCO  u UNABLE  s STANDBY  r ROGER  l ladder\n"
    " e other answer  b read back  d disseminated  n new  m mute  ? help  q quit"
)
FEW_ROWS: Final = 30  # below this the lists are short, so that a text has room
ALARM_STYLE: Final = "bold #ff8787"
URGENT_STYLE: Final = "bold #ffd787"
TAKEN_STYLE: Final = "#9e9e9e"
SELECTED_STYLE: Final = "on #3a3a3a"


TITLES: Final = ("came-title", "sent-title")
LISTS: Final = (*TITLES, "came", "sent")
ABOVE: Final = ("status", "standing", "came-title", "came", "sent-title", "sent")
IN_FULL: Final = ("heading", "text", "beside")
BELOW: Final = ("more", "said", "keys")


class Drawn(NamedTuple):
    """What is drawn. held: as the station tells it; own: its party and post, as read.

    came, sent: in the order in which they are listed. shown: the message that stands in full, or
    none. is_alarm: it takes the whole screen. said: what is answered to a key; muted_us: until
    when the bell is, 0 for not. language: in which templates are read.
    """

    held: Held
    own: str
    status: Status
    home: str
    came: Sequence[Message]
    sent: Sequence[Message]
    shown: Message | None
    is_alarm: bool
    alarms: int
    said: str
    is_refused: bool
    muted_us: int
    is_quiet: bool
    language: str
    now_us: int


class DeskScreen(Screen[None]):
    """The one screen of the desk, below forms and pages. pressed: is given every key."""

    def __init__(self, pressed: Callable[[Key], None]) -> None:
        super().__init__()
        self._pressed = pressed
        self._drawn: Drawn | None = None
        self._texts: dict[str, Content] = {}  # what stands in each part of it
        # Held here and not looked up: while the desk is left, there is nothing to be found.
        self._detail = VerticalScroll(id="detail", can_focus=False)
        self._parts = {each: Static(id=each) for each in (*ABOVE, *IN_FULL, *BELOW)}
        for each in LISTS:
            self._parts[each].add_class("list")
        for each in TITLES:
            self._parts[each].add_class("title")
        self._put("more", " the text goes on: PgDn")
        self._put("keys", KEYS)

    def compose(self) -> ComposeResult:
        """Lay out, from the top: who and when, how far it holds, lists, one in full, keys."""
        yield from (self._parts[each] for each in ABOVE)
        with self._detail:
            yield from (self._parts[each] for each in IN_FULL)
        yield from (self._parts[each] for each in BELOW)

    def on_resize(self, _event: Resize) -> None:
        """Draw again what fits now."""
        if self._drawn is not None:
            self.draw(self._drawn)

    def on_key(self, event: Key) -> None:
        """Hand every key to the desk."""
        event.stop()
        self._pressed(event)

    def draw(self, drawn: Drawn) -> None:
        """Draw how all stands; while the desk is left, nothing is drawn."""
        if not self.is_attached:
            return
        before, self._drawn = self._drawn, drawn
        self._classes_of(drawn)
        self._put("status", _status_line(drawn, self.size.width))
        self._put("standing", standing_text(drawn))
        rows = _rows_of(self.size.height, drawn)
        self._put("came-title", _came_title(drawn.came))
        self._list("came", drawn.came, drawn, rows[0], "no messages wait at this post")
        self._put("sent-title", "SENT BY THIS PARTY")
        self._list("sent", drawn.sent, drawn, rows[1], "none")
        for each in ("sent", "sent-title"):
            self._parts[each].set_class(not drawn.sent, "is-nothing")
        self._in_full(drawn)
        self._put("said", drawn.said)
        self._parts["said"].set_class(not drawn.said, "is-nothing")
        if before is not None and _id(before.shown) != _id(drawn.shown):
            self._detail.scroll_home(animate=False)
        self.call_after_refresh(self._say_more)

    def is_whole(self) -> bool:
        """Tell whether the text of the message that stands in full was seen to its end."""
        if self._drawn is None or self._drawn.shown is None:
            return False
        seen_to = self._detail.scroll_offset.y + self._detail.size.height
        return self._parts["text"].virtual_region.bottom <= seen_to

    def _say_more(self) -> None:
        is_all = self.is_whole() or self._drawn is None or self._drawn.shown is None
        self._parts["more"].set_class(is_all, "is-nothing")

    def move_text(self, pages: int) -> None:
        """Move the message that stands in full, by whole pages."""
        height = max(self._detail.size.height - 1, 1)
        self._detail.scroll_relative(y=pages * height, animate=False)
        self.call_after_refresh(self._say_more)

    def _classes_of(self, drawn: Drawn) -> None:
        for each in Status:
            self.set_class(drawn.status is each, f"is-{each.lower()}")
        self.set_class(bool(why_stale(drawn)), "is-stale")
        self.set_class(drawn.is_alarm, "is-alarm")
        self.set_class(drawn.is_refused, "is-refused")

    def _in_full(self, drawn: Drawn) -> None:
        message = drawn.shown
        self._parts["text"].set_class(message is not None, "is-said")
        if message is None:
            for each, text in (("heading", ""), ("text", ""), ("beside", SAYS_NOTHING_ELSE)):
                self._put(each, text)
            return
        first = heading(message)
        if drawn.is_alarm:
            count = f"1 of {drawn.alarms} alarms. " if drawn.alarms > 1 else ""
            first += (
                f"\n{count}NOT ACKNOWLEDGED. Press a to acknowledge it.\n"
                "Then answer: w WILCO, u UNABLE or s STANDBY. Esc shows the lists."
            )
        self._put("heading", first)
        self._put("text", "\n".join(text_lines(message, drawn.language)))
        self._put("beside", "\n".join(
            beside_lines(
                message, drawn.held.messages, drawn.now_us, self.size.width - 1, drawn.language
            )
        ))  # fmt: skip

    def _put(self, name: str, text: str | Content) -> None:
        """Let a part of the screen say something; where it says that already, nothing is sent."""
        said = Content(text) if isinstance(text, str) else text
        before = self._texts.get(name)
        if before is None or (before.plain, before.spans) != (said.plain, said.spans):
            self._texts[name] = said
            self._parts[name].update(said)

    def _list(
        self, name: str, messages: Sequence[Message], drawn: Drawn, rows: int, none: str
    ) -> None:  # fmt: skip
        """Draw a list: as many lines as fit, those around the selected one."""
        if not messages:
            self._put(name, f"  {none}")
            return
        place = next((n for n, e in enumerate(messages) if e.id == _id(drawn.shown)), 0)
        first = max(min(place - rows // 2, len(messages) - rows), 0)
        to_line = came_line if name == "came" else sent_line
        lines = [
            _styled(
                each, _marked(each, to_line(each, drawn.now_us), drawn.status),
                is_selected=each.id == _id(drawn.shown),
            )
            for each in messages[first : first + rows]
        ]  # fmt: skip
        left = len(messages) - len(lines)
        if left:
            lines.append(Content.styled(f"  and {left} more: up/down", TAKEN_STYLE))
        self._put(name, Content("\n").join(lines))


def _styled(message: Message, line: str, *, is_selected: bool) -> Content:
    """Return a line in its colour; the selected one has a mark, and another ground."""
    style = ""
    if is_overdue(message) or (message.precedence in ALARMS and not is_taken(message)):
        style = ALARM_STYLE
    elif is_taken(message):
        style = TAKEN_STYLE
    elif message.precedence is Precedence.URGENT:
        style = URGENT_STYLE
    mark, ground = (">", SELECTED_STYLE) if is_selected else (" ", "")
    return Content.styled(f"{mark} {line}", f"{style} {ground}".strip())


def _marked(message: Message, line: str, status: Status) -> str:
    """Return the line of a message; one of another status than the desk says which."""
    if message.status is status:
        return line
    return f"{line[: sum(WIDE)]}{message.status.upper()}, and not of this desk"


def _id(message: Message | None) -> str:
    return "" if message is None else message.id


def _came_title(came: Sequence[Message]) -> str:
    waits = sum(not is_taken(each) for each in came)
    if not came:
        return "CAME TO THIS POST"
    return f"CAME TO THIS POST: {f'{waits:,} NOT ACKNOWLEDGED' if waits else 'all acknowledged'}"


def _rows_of(height: int, drawn: Drawn) -> tuple[int, int]:
    """Return how many lines the two lists have."""
    came, sent = (4, 2) if height < FEW_ROWS else (height // 4, height // 8)
    return came + (0 if drawn.sent else 1), sent


def _status_line(drawn: Drawn, width: int) -> str:
    region = f"  in {drawn.held.region}" if drawn.held.region else ""
    left = f" {drawn.status.upper()}  {drawn.own}{region}"
    right = f"{format_time(drawn.now_us)[:19].replace('T', ' ')}Z "
    return f"{left[: max(width - len(right) - 1, 0)]:<{max(width - len(right), 0)}}{right}"


def why_stale(drawn: Drawn) -> str:
    """Return why what is shown may be old, empty where it is up to date."""
    held = drawn.held
    if held.lost:
        return held.lost
    if not held.as_of_us:
        return "the exchange was not asked yet"
    if drawn.now_us - held.as_of_us > STALE_US:
        return "nothing was heard since then"
    return ""


def standing_text(drawn: Drawn) -> str:
    """Return how far what is shown holds, and what else is to be known; one idea a line."""
    held, why = drawn.held, why_stale(drawn)
    as_of = f"as of {second(held.as_of_us)}" if held.as_of_us else "nothing is held"
    since = f" since {second(held.lost_us)}" if held.lost else ""
    lines = [f" up to date, {as_of}"]
    if why:
        lines = [f" NOT UP TO DATE{since} ({as_of}), and tried again: {why}"]
    if drawn.now_us < drawn.muted_us:
        lines[0] = f"{lines[0]}   BELL MUTED until {second(drawn.muted_us)}"
    elif drawn.is_quiet:
        lines[0] = f"{lines[0]}   no bell (--quiet)"
    if held.conflicts:
        one = held.conflicts == 1
        lines.append(
            f" {held.conflicts:,} conflict{' is' if one else 's are'} not settled: "
            f"keepclear conflicts --home {drawn.home}"
        )
    if held.unanswered:
        one = held.unanswered == 1
        lines.append(
            f" {held.unanswered:,} act{' was' if one else 's were'} not answered: "
            f"keepclear send-again --home {drawn.home}"
        )
    if held.note:
        lines.append(f" {held.note}")
    return "\n".join(lines)
