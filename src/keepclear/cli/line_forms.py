# SPDX-License-Identifier: Apache-2.0
"""`keepclear line readback`, `templates` and `accident`: what stands in fields of its own.

An accident is told in one command with three things known: when, where, and that it was not
deliberate. A party that waits until it knows more has not told anybody (docs/line.md).
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

import click

from keepclear.cli.desk import SHORT, desk, home_option
from keepclear.cli.key import print_or_refuse
from keepclear.cli.line import (
    check_read,
    done,
    named,
    party_of,
    person_option,
    refusing_values,
)
from keepclear.cli.line_values import (
    LANGUAGES,
    LOST,
    TELLS_ALONE,
    Command,
    fields_typed,
    typed_values,
    value_options,
)

if TYPE_CHECKING:
    from keepclear.line.templates import Template
    from keepclear.line.values import Field

MISMATCHED: Final = 1
NAME: Final = 22
FIELD: Final = 14
KIND: Final = 12
NOTICE, UPDATE = "accident-notice", "accident-update"
LATER: Final = (
    click.option("--what", metavar="WORDS", help="What it is."),
    click.option("--heading", metavar="WORDS", help="Where it is heading."),
    click.option("--level", metavar="LEVEL", help="How high, and from what."),
    click.option("--injured", metavar="COUNT", help="How many are injured."),
    click.option("--contact", metavar="WORDS", help="Whom to call, as a role; no name."),
)  # fmt: skip


@click.command()
@click.argument("message", metavar="ID")
@value_options
@click.option("--field", multiple=True, metavar="NAME=VALUE",
              help='A field of a template by its name: "from=0310Z".')  # fmt: skip
@person_option
@home_option
def readback(
    message: str, field: tuple[str, ...], person: str | None, home: str, **values: str | None
) -> int:  # fmt: skip
    """Read message ID back: type what you have understood.

    Do not copy it. Every position, level, time and frequency of it is compared. Where one is not
    the same, both sides are shown both values, the message is not confirmed, and the exit status
    is 1; read it back again once it is clear.

    \b
    Example:
      keepclear line readback 1a2b3c4d --position "35-16.0N 040-05.0E" --level FL240 --home south
    """  # noqa: D301 click keeps the lines of a paragraph that starts with this control character
    from keepclear.errors import InputError
    from keepclear.line.acts import ReadBackMessage
    from keepclear.line.read_back import compared, read_back_fields

    wrong: list[str] = []

    def make() -> list[str]:
        typed = fields_typed(field, values)
        with desk(home) as at:
            at.client.catch_up()
            found = named(at, message)
            if not at.is_apart:
                check_read(at, found)
            fields = read_back_fields(found.values)
            if missing := [each for each in fields if each not in typed]:
                raise InputError(
                    "message", found.id[:SHORT], "is read back whole",
                    f"give {' and '.join(map(_option, missing))}, too",
                )  # fmt: skip
            given = typed_values(typed, fields)
            wrong.extend(e.why for e in compared(found.values, given) if not e.is_same)
            made = ReadBackMessage(id=found.id, values=given, person=person)
            return done(at, at.act("line.read-back/1", made))

    return refusing_values(make) or (MISMATCHED if wrong else 0)


@click.command()
@click.argument("name", default="")
@click.option("--language", type=click.Choice(LANGUAGES), default="en", show_default=True,
              help="In which language its words are.")  # fmt: skip
def templates(name: str, language: str) -> int:
    """List templates of messages, or the fields of template NAME.

    With each field stands an example, and whether it is needed. What a reader sees stands below,
    with the examples in it.

    \b
    Examples:
      keepclear line templates
      keepclear line templates accident-notice --language ar
    """  # noqa: D301 click keeps the lines of a paragraph that starts with this control character
    from keepclear.line.templates import TEMPLATES, template_named

    def make() -> list[str]:
        if name:
            return list(_fields_text(template_named(name), language))
        return [_title_text(each, language) for each in TEMPLATES]

    return print_or_refuse(make)


def _later_options(command: Command) -> Command:
    for each in reversed(LATER):
        command = each(command)
    return command


@click.command()
@click.argument("to", metavar="FORCE_OR_PARTY")
@click.option("--time", metavar="TIME", help='When: "0310Z", "2026-11-28T03:10:00Z".')
@click.option("--place", metavar="PLACE", help='Where: "33.50N 038.62E", "37S DT 64700 06826".')
@click.option("--not-deliberate/--not-known", "is_not_deliberate", default=None,
              help="That it was not deliberate, or that this is not known yet.")  # fmt: skip
@click.option("--update", metavar="ID", help="The notice that this adds to; all else is optional.")
@_later_options
@click.option("--text", default="", help="Free text beside it.")
@click.option("--text-language", default="en", show_default=True, help="In which it is typed.")
@home_option
def accident(
    to: str, time: str | None, place: str | None, update: str | None, text: str,
    text_language: str, home: str, *, is_not_deliberate: bool | None, **later: str | None,
) -> int:  # fmt: skip
    """Tell a party at once that something went where it should not be.

    Three things are enough: when, where, and that it was not deliberate. Send it now; what is
    known later is added with --update.

    \b
    Examples:
      keepclear line accident south --time 0310Z --place "33.50N 038.62E" --not-deliberate
      keepclear line accident south --update 1a2b3c4d --what "unmanned aircraft" --injured 0
    """  # noqa: D301 click keeps the lines of a paragraph that starts with this control character
    from keepclear.errors import InputError
    from keepclear.line.acts import SendMessage
    from keepclear.line.messages import FLIGHT_SAFETY
    from keepclear.line.templates import template_named

    def make() -> list[str]:
        form = template_named(UPDATE if update else NOTICE)
        typed = fields_typed((), {"time": time, "place": place, **later})
        if is_not_deliberate is not None:
            typed["intent"] = "not-deliberate" if is_not_deliberate else "not-known"
        if update is None and is_not_deliberate is None:
            raise click.UsageError("say --not-deliberate, or --not-known where that is so")
        if update is not None and not typed and not text.strip():
            raise click.UsageError("--update adds nothing yet; give what is known now")
        given = typed_values(typed, form.fields)
        with desk(home) as at:
            replied = None if update is None else named(at, update)
            of = None if replied is None else replied.template
            if replied is not None and (of is None or of.number != template_named(NOTICE).number):
                raise InputError(
                    "update", replied.id[:SHORT], "is no notice of an accident",
                    f"name one that was sent with {NOTICE}",
                )  # fmt: skip
            made = SendMessage(
                to=party_of(at, to), channel=FLIGHT_SAFETY, precedence=form.precedence, text=text,
                language=text_language, reply_to=None if replied is None else replied.id,
                values=given, template=form.form,
            )  # fmt: skip
            return done(at, at.act("line.send/1", made))

    return refusing_values(make)


def _option(name: str) -> str:
    """Return how a field is given: by an option of its own, or by its name."""
    from keepclear.line.values import FREE

    return f"--{name}" if name in FREE else f"--field {name}=..."


def _title_text(template: "Template", language: str) -> str:
    from keepclear.formats.wording import wording_in

    said = wording_in(language).templates[template.name]
    return f"{template.number:>2}  {template.name:<{NAME}}{said.title}"


def _fields_text(template: "Template", language: str) -> Iterator[str]:
    """Yield the fields of a template, and how a message of it reads with examples in them."""
    from keepclear.formats.wording import wording_in
    from keepclear.line.values import Typed, read_values
    from keepclear.line.wording import examples, form_lines
    from keepclear.reports.form_text import line_text

    by = f"by an act of kind {template.act} alone" if template.act else (
        f"as {template.precedence} unless you say otherwise"
    )  # fmt: skip
    yield f"{template.name}, template {template.number}.{template.version}: sent {by}"
    for name, field in template.fields.items():
        yield _field_text(name, field)
    if template.name == LOST:
        yield from ("", *TELLS_ALONE, "  keepclear operation contingent ID")
    yield "\nit reads, with these examples:"
    given = [Typed(name=name, typed=each) for name, each in examples(template).items()]
    wording = wording_in(language)
    for line in form_lines(template, read_values(given, template.fields), wording):
        yield f"  {line_text(line, wording)}"


def _field_text(name: str, field: "Field") -> str:
    needed = "needed" if field.is_needed else ""
    return f'  {name:<{FIELD}}{field.kind:<{KIND}}{needed:<8}"{field.shown}"'
