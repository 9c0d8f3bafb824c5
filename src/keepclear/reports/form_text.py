# SPDX-License-Identifier: Apache-2.0
"""A message of a template as a reader has it: in his language, every value unharmed.

Where a script runs from right to left, a value that does not would be turned round with what is
around it: "FL240-FL260" would read "FL260-FL240". So each stands in an isolate of its own (Unicode
Standard Annex 9, 2.4): U+2068 before it, U+2069 behind it; and the line itself in one that runs
from right to left, U+2067, as the rows around it do not. On a page the same is said by elements.
"""

import re
import unicodedata
from collections.abc import Iterator
from typing import Final

from keepclear.formats.wording import wording_in
from keepclear.line.isolates import END, FIRST_STRONG, RIGHT_TO_LEFT, isolated
from keepclear.line.messages import Message
from keepclear.line.templates import template_of
from keepclear.line.wording import FormLine, Wording, form_lines
from keepclear.reports.markup import Markup, joined, tag, text
from keepclear.reports.printable import printable

ISOLATED: Final = re.compile(f"{FIRST_STRONG}([^\u2066-\u2069]*){END}")
TURNS: Final = frozenset({"R", "AL", "AN"})


def form_rows(message: Message, language: str = "en") -> Iterator[str]:
    """Yield a message of a template, line by line, in a language; nothing for one of none."""
    for each, wording in _lines(message, language):
        yield line_text(each, wording)


def line_text(line: FormLine, wording: Wording) -> str:
    """Return a line as text, with isolates where scripts meet."""
    is_turned = wording.is_right_to_left
    number = f"{isolated(line.number) if is_turned else line.number} " if line.number else ""
    first, *others = [
        isolated(printable(each)) if is_turned else apart(each) for each in line.values
    ] or [""]
    values = f": {first}{''.join(f' ({each})' for each in others)}" if line.values else ""
    made = f"{number}{line.words}{values}"
    return f"{RIGHT_TO_LEFT}{made}{END}" if is_turned else made


def apart(value: str) -> str:
    """Return a value as it may stand in a line from left to right: in an isolate, if it turns."""
    turns = any(unicodedata.bidirectional(each) in TURNS for each in value)
    return isolated(printable(value)) if turns else printable(value)


def form_markup(message: Message, language: str = "en") -> list[Markup]:
    """Return a message of a template as elements of a page, a line each."""
    return [
        tag("div", *_pieces(each), dir=wording.direction, lang=wording.language)
        for each, wording in _lines(message, language)
    ]


def row_markup(row: str) -> Markup:
    """Return a line of text as part of a page, each isolate in it as an element."""
    return joined(
        tag("bdi", text(each)) if number % 2 else text(each)
        for number, each in enumerate(ISOLATED.split(row))
    )


def title_of(message: Message) -> str:
    """Return what a message of a template is called, in English; empty for one of none."""
    if message.template is None:
        return ""
    return wording_in("en").templates[template_of(message.template).name].title


def _lines(message: Message, language: str) -> Iterator[tuple[FormLine, Wording]]:
    if message.template is None:
        return
    wording = wording_in(language)
    for each in form_lines(template_of(message.template), message.values, wording):
        yield each, wording


def _pieces(line: FormLine) -> list[Markup]:
    values = [tag("bdi", text(each)) for each in line.values]
    head = [tag("bdi", text(line.number)), text(" ")] if line.number else []
    behind = [joined([text(" ("), each, text(")")]) for each in values[1:]]
    return [*head, text(line.words), *([text(": "), values[0], *behind] if values else [])]
