# SPDX-License-Identifier: Apache-2.0
"""The words of templates in one language, and a message of a template in them.

Leaves to others: reading the words (`formats`), and how values are set apart from the script
around them on a terminal or a page (`reports`).

1. A message reads field by field, each with its number: two who share no language can say "5.2".
2. Values stand as they are, with digits of ASCII, in every language.
3. What was typed as free text stays as it was typed, in its own language. Nothing is translated.
"""

from collections.abc import Sequence
from typing import Annotated, Final, Literal, NamedTuple

import msgspec

from keepclear.line.templates import TEMPLATES, Template
from keepclear.line.values import Kind, Value, WordValue, value_text

LANGUAGES: Final = ("en", "ru", "ar", "tr", "fr", "he")
Words = Annotated[str, msgspec.Meta(min_length=1, max_length=300)]


class Said(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A template in one language. title: what it is called; says: what it says, in a sentence."""

    title: Words
    says: Words


class Wording(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All words of one language. name: as it calls itself; direction: of its script.

    fields: what each field is called; words: those of choices; templates: by name.
    """

    language: Annotated[str, msgspec.Meta(pattern=r"^[a-z]{2}\Z")]
    name: Words
    direction: Literal["ltr", "rtl"]
    fields: dict[str, Words]
    words: dict[str, Words]
    templates: dict[str, Said]

    @property
    def is_right_to_left(self) -> bool:
        """Tell whether its script runs from right to left."""
        return self.direction == "rtl"


class FormLine(NamedTuple):
    """A line of a message: its number, words, and the values behind them, each by itself.

    number: of the template, or of a field within it, "5.2"; empty for what it says.
    """

    number: str
    words: str
    values: tuple[str, ...] = ()


FIELDS: Final = tuple(dict.fromkeys(name for each in TEMPLATES for name in each.fields))
WORDS: Final = ("yes", "no", *dict.fromkeys(
    word for each in TEMPLATES for field in each.fields.values() for word in field.choices
))  # fmt: skip


def form_lines(
    template: Template, values: Sequence[Value], wording: Wording
) -> tuple[FormLine, ...]:  # fmt: skip
    """Return a message of a template, line by line: title, what it says, each field that it has."""
    said = wording.templates[template.name]
    lines = [FormLine(str(template.number), said.title), FormLine("", said.says)]
    given = {each.name: each for each in values}
    for number, name in enumerate(template.fields, start=1):
        if name in given:
            shown = _shown(given[name], wording)
            own = f"{template.number}.{number}"
            lines.append(FormLine(own, wording.fields[name], shown))
    return tuple(lines)


def examples(template: Template) -> dict[str, str]:
    """Return an example of each field of a template, as it is typed."""
    return {
        name: field.choices[0] if field.kind is Kind.CHOICE else field.shown
        for name, field in template.fields.items()
    }


def _shown(value: Value, wording: Wording) -> tuple[str, ...]:
    """Return a value as it was read and, where that differs, as it was typed."""
    if isinstance(value, WordValue):
        return (wording.words[value.word],)
    read = value_text(value)
    return (read,) if read == value.typed else (read, value.typed)
