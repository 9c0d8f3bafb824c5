# SPDX-License-Identifier: Apache-2.0
"""Where an officer types at the desk in a terminal, and pages that are read and closed again.

A form lies over the lower part of the screen: what is above it is seen meanwhile. What is typed is
lost by nothing but its being done: refused it stays, and closed it is there when opened again.
"""

from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.events import Key, Paste
from textual.screen import ModalScreen
from textual.widgets import Input, Static

KEYS: Final = "Enter goes on, and after the last line it sends; Esc closes, and keeps it"


class Field(NamedTuple):
    """A line to be typed. hint: what is to stand there."""

    label: str
    hint: str


class Line(Input):
    """One line to be typed."""

    def on_paste(self, event: Paste) -> None:
        """Take all lines of what is pasted, as one: none of them is lost."""
        event.stop()
        event.prevent_default()
        self.insert_text_at_cursor(" ".join(event.text.splitlines()))


class Form(ModalScreen[None]):
    """Lines to be typed. send: is given them after the last; typed: keeps them as they are."""

    def __init__(
        self, title: str, fields: Sequence[Field], values: Sequence[str],
        send: Callable[[tuple[str, ...]], None], typed: Callable[[tuple[str, ...]], None],
    ) -> None:  # fmt: skip
        super().__init__()
        self._title, self._fields, self._values = title, fields, values
        self._send, self._typed = send, typed

    def compose(self) -> ComposeResult:
        """Lay out a title, the lines, what is said of them, and the keys."""
        with Vertical(id="form"):
            yield Static(Content(self._title), id="form-title")
            for number, (field, value) in enumerate(zip(self._fields, self._values, strict=True)):
                yield Static(Content(f"{field.label}: {field.hint}"), classes="label")
                yield Line(value, id=f"field-{number}", compact=True, select_on_focus=False)
            yield Static("", id="form-said")
            yield Static(Content(KEYS), id="form-keys")

    def on_mount(self) -> None:
        """Begin at the first line that is empty."""
        empty = next((n for n, each in enumerate(self._values) if not each), 0)
        self.query_one(f"#field-{empty}", Input).focus()

    @property
    def values(self) -> tuple[str, ...]:
        """Return what stands in the lines."""
        return tuple(
            self.query_one(f"#field-{number}", Input).value for number in range(len(self._fields))
        )

    def say(self, said: str) -> None:
        """Show what is said of what was typed."""
        self.query_one("#form-said", Static).update(Content(said))

    @on(Input.Changed)
    def keep(self) -> None:
        """Keep what is typed."""
        self._typed(self.values)

    @on(Input.Submitted)
    def go_on(self, event: Input.Submitted) -> None:
        """Go on to the next line; after the last, send."""
        number = int(str(event.input.id).rpartition("-")[2])
        if number + 1 < len(self._fields):
            self.query_one(f"#field-{number + 1}", Input).focus()
        else:
            self._send(self.values)

    def on_key(self, event: Key) -> None:
        """Close, or go a line up or down."""
        if event.key == "escape":
            event.stop()
            self.dismiss()
        elif event.key == "up":
            self.focus_previous()
        elif event.key == "down":
            self.focus_next()


class Page(ModalScreen[None]):
    """Text that takes the whole screen until a key closes it."""

    def __init__(self, lines: Sequence[str]) -> None:
        super().__init__()
        self._lines = lines

    def compose(self) -> ComposeResult:
        """Lay out the text, and the keys below it."""
        with VerticalScroll(id="page", can_focus=False):
            yield Static(Content("\n".join(self._lines)))
        yield Static(Content(" up/down move the text; any other key closes it"), id="page-keys")

    def on_key(self, event: Key) -> None:
        """Move, or close."""
        event.stop()
        page = self.query_one("#page", VerticalScroll)
        if event.key in {"up", "pageup"}:
            page.scroll_relative(y=-1 if event.key == "up" else -page.size.height, animate=False)
        elif event.key in {"down", "pagedown"}:
            page.scroll_relative(y=1 if event.key == "down" else page.size.height, animate=False)
        else:
            self.dismiss()
